"""Private networks as they stand: reachability as declared, proved; nothing left over."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from inspect_ai.util import SandboxUnavailableError

from leadline.sandbox import network as network_module
from leadline.sandbox.box import Box
from leadline.sandbox.config import BoxConfig, Daemon, Host, Network
from leadline.sandbox.egress import prove_hosts
from leadline.sandbox.hosts import Hosts
from leadline.sandbox.network import Wires
from leadline.sandbox.plan import make_plan
from leadline.sandbox.provider import BwrapSandboxEnvironment
from leadline.sandbox.survey import Unusable
from sandbox.networks import THREE_HOSTS, configured, listening, three

pytestmark = pytest.mark.sandbox
T = TypeVar("T")
SETUP_SECONDS_MAX = 1.0
GONE_SECONDS_MAX = 2.0
_DRIVER = """
import asyncio, json, os, sys
from leadline.sandbox.hosts import Hosts
from sandbox.networks import configured, three
async def main():
    async with await Hosts.start(configured(three())) as hosts:
        print(json.dumps(hosts.pids_to_end()), flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def in_hosts(story: Callable[[Hosts], Awaitable[T]], config: BoxConfig) -> T:
    """Run *story* with the hosts of *config*, and end them after it."""

    async def whole() -> T:
        async with await Hosts.start(config) as hosts:
            return await story(hosts)

    return asyncio.run(whole())


def gone(pid: int) -> bool:
    """Whether no process (or an ended one only) has that number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_proof_finds_the_declared_reach_and_no_way_out() -> None:
    """Every pair of hosts is tried in both directions, every host for a way out; all is as declared."""

    async def story(hosts: Hosts) -> None:
        assert hosts.proof is not None
        assert hosts.proof.outcome == "proved"
        checks = {check.id: check for check in hosts.proof.checks}
        assert checks["default.matrix.far:away"].observed == "errno 111"
        assert len([name for name in checks if ".matrix." in name]) == 3 * 4
        for host in ("default", "router", "far"):
            assert checks[f"{host}.route.192.0.2.1"].observed == "101"
            assert checks[f"{host}.canary.loopback4"].ok
        assert checks["hosts.netns"].observed == "3"
        routes = await hosts.boxes["default"].read("/proc/net/route")
        assert b"\t00000000\t00000000\t" not in routes  # no destination 0.0.0.0

    in_hosts(story, configured(three(far=listening("10.20.1.9"))))


def test_the_set_up_takes_less_than_a_second() -> None:
    """Three hosts on two segments, boxes included; the best of three, for machines are shared."""

    async def once() -> float:
        begun = time.monotonic()
        wires = await asyncio.to_thread(Wires.lay, THREE_HOSTS)
        config = configured(THREE_HOSTS)
        boxes = [
            await Box.start_plan(make_plan(config.of_host(name)), wires.join(name))
            for name in config.hosts
        ]
        seconds = time.monotonic() - begun
        for box in boxes:
            await box.stop()
        wires.cut()
        return seconds

    assert min(asyncio.run(once()) for _ in range(3)) <= SETUP_SECONDS_MAX


def test_a_listener_is_reached_through_the_router_and_not_around_it() -> None:
    """The service behind the router answers; a socket tied to the near link does not get past it."""
    tied = (
        "import socket, sys\n"
        "s = socket.socket(); s.settimeout(1.5)\n"
        "s.setsockopt(socket.SOL_SOCKET, 25, b'eth0')\n"
        "s.connect((sys.argv[1], 502))\n"
    )
    hosts = {
        **three(far=listening("10.20.1.9")).hosts,
        "router": Host(addresses={"near": "10.20.0.1", "away": "10.20.1.1"}),
    }
    shut = THREE_HOSTS.model_copy(update={"hosts": hosts})

    async def through(hosts: Hosts) -> None:
        script = "import socket; socket.create_connection(('10.20.1.9', 502), 3)"
        done = await hosts.boxes["default"].exec(["/usr/bin/python3", "-c", script], timeout=10)
        assert done.returncode == 0, done.stderr

    async def around(hosts: Hosts) -> None:
        for address in ("10.20.1.1", "10.20.1.9"):
            argv = ["/usr/bin/python3", "-c", tied, address]
            done = await hosts.boxes["default"].exec(argv, timeout=10)
            assert done.returncode != 0, address
            assert (
                b"Operation not permitted" not in done.stderr
            )  # it was tied, and still did not pass

    in_hosts(through, configured(three(far=listening("10.20.1.9"))))
    in_hosts(around, configured(shut))


def test_a_network_other_than_declared_is_refuted() -> None:
    """A router that forwards where none is declared is seen, and so are routes and a default route."""
    declared = {
        **THREE_HOSTS.hosts,
        "router": THREE_HOSTS.hosts["router"].model_copy(update={"forwards": False}),
    }
    config = configured(THREE_HOSTS.model_copy(update={"hosts": declared}))

    async def whole() -> None:
        wires = await asyncio.to_thread(Wires.lay, THREE_HOSTS)
        try:
            boxes = {
                name: await Box.start_plan(make_plan(config.of_host(name)), wires.join(name))
                for name in config.hosts
            }
            proof = await prove_hosts(config, boxes)
            for box in boxes.values():
                await box.stop()
        finally:
            wires.cut()
        wrong = {check.id for check in proof.checks if not check.ok}
        assert proof.outcome == "refuted"
        assert {"default.matrix.far:away", "far.matrix.default:near", "routes"} <= wrong

    asyncio.run(whole())


def test_a_sample_does_not_begin_where_the_proof_fails() -> None:
    """Links that carry more than was declared end the start of the sample, with the first difference."""

    def other(network: Network) -> Wires:
        router = network.hosts["router"].model_copy(update={"forwards": True})
        more = network.model_copy(update={"hosts": {**network.hosts, "router": router}})
        return Wires.lay(more)

    hosts = {
        **THREE_HOSTS.hosts,
        "router": THREE_HOSTS.hosts["router"].model_copy(update={"forwards": False}),
    }
    with pytest.raises(SandboxUnavailableError, match=r"not the declared one \(refuted\)"):
        asyncio.run(Hosts.start(configured(THREE_HOSTS.model_copy(update={"hosts": hosts})), other))


def test_a_service_that_does_not_answer_ends_the_start_with_its_words() -> None:
    """A program that ends at once is no service: what it said is in the message."""
    dead = Daemon(argv=("/bin/sh", "-c", "echo no such port >&2; exit 3"), port=81)
    with pytest.raises(SandboxUnavailableError, match="host far does not answer: no such port"):
        asyncio.run(Hosts.start(configured(three(far=dead))))


def test_a_service_that_ends_later_is_named() -> None:
    """The hosts of which a service has ended are known while the sample runs."""

    async def story(hosts: Hosts) -> None:
        assert hosts.ended() == ()
        hosts.boxes["far"].kill_all()
        for _ in range(100):
            if hosts.ended():
                break
            await asyncio.sleep(0.05)
        assert hosts.ended() == ("far",)

    in_hosts(story, configured(three(far=listening("10.20.1.9"))))


def test_one_host_sees_nothing_of_another() -> None:
    """Each host has files, processes and loopback of its own."""

    async def story(hosts: Hosts) -> None:
        await hosts.boxes["far"].write("secret", b"here")
        look = "cat /box/secret; ls /proc | grep -c '^[0-9]'; echo > /dev/tcp/127.0.0.1/502"
        done = await hosts.boxes["default"].exec(["bash", "-c", look], timeout=10)
        assert b"here" not in done.stdout
        assert int(done.stdout) < 8
        assert b"Connection refused" in done.stderr

    in_hosts(story, configured(three(far=listening("10.20.1.9"))))


@pytest.mark.parametrize("way", ["stop", "kill -9 of the host process", "kill -9 of the holder"])
def test_everything_is_gone_with_the_sample_or_its_process(way: str) -> None:
    """Boxes, holder and links are gone within two seconds, however the sample ends."""
    path = [str(Path(__file__).parents[2] / "src"), str(Path(__file__).parents[1]), *sys.path]
    env = {"PYTHONPATH": ":".join(path), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    env["LD_LIBRARY_PATH"] = f"{sys.base_prefix}/lib"
    with subprocess.Popen(
        [sys.executable, "-c", _DRIVER], stdout=subprocess.PIPE, text=True, env=env
    ) as driver:
        assert driver.stdout
        pids = json.loads(driver.stdout.readline())
        assert len(pids) == 4
        assert not any(map(gone, pids))
        nets = {Path(f"/proc/{pid}/ns/net").readlink() for pid in pids}
        assert Path("/proc/self/ns/net").readlink() not in nets
        begun = time.monotonic()
        if way == "kill -9 of the holder":
            os.kill(pids[0], signal.SIGKILL)
            watched = pids[:1]
        else:
            driver.send_signal(signal.SIGKILL if way.startswith("kill") else signal.SIGINT)
            watched = pids
        while not all(map(gone, watched)) and time.monotonic() - begun < 10:
            time.sleep(0.01)
        assert all(map(gone, watched))
        assert time.monotonic() - begun <= GONE_SECONDS_MAX
        driver.kill()


def test_links_fall_with_the_holder_alone() -> None:
    """Killing one process takes every link down within a second, while the boxes still run."""

    async def story(hosts: Hosts) -> float:
        os.kill(hosts.wires.pid, signal.SIGKILL)
        begun = time.monotonic()
        while b"eth0" in await hosts.boxes["default"].read("/proc/net/dev"):
            assert time.monotonic() - begun < 5
            await asyncio.sleep(0.01)
        return time.monotonic() - begun

    assert in_hosts(story, configured(THREE_HOSTS)) <= 1.0


def test_nothing_is_made_in_the_hosts_own_namespace() -> None:
    """While a network stands, the host's own list of interfaces is what it was."""
    before = socket.if_nameindex()

    async def story(_: Hosts) -> list[tuple[int, str]]:
        return socket.if_nameindex()

    assert in_hosts(story, configured(THREE_HOSTS)) == before


def test_the_shared_layout_stands_and_says_what_it_is() -> None:
    """Hosts as addresses of one namespace work, share loopback, and are proved as that."""
    network = three(far=listening("10.20.1.9")).model_copy(update={"layout": "shared"})

    async def story(hosts: Hosts) -> None:
        assert hosts.proof is not None
        checks = {check.id: check for check in hosts.proof.checks}
        assert checks["hosts.netns"].observed == "1"
        assert checks["default.matrix.far:away"].expected == "reached"
        script = "import socket; socket.create_connection(('10.20.1.9', 502), 3)"
        done = await hosts.boxes["default"].exec(["/usr/bin/python3", "-c", script], timeout=10)
        assert done.returncode == 0

    in_hosts(story, configured(network))


def test_several_segments_and_routers_stand_as_declared() -> None:
    """A host on two segments, and two routers beside each other: still exactly the declared reach."""
    segments = {name: f"10.40.{number}.0/27" for number, name in enumerate("abc")}
    hosts = {
        "default": Host(addresses={"a": "10.40.0.2", "b": "10.40.1.2"}),
        "first": Host(
            addresses={"a": "10.40.0.1", "b": "10.40.1.1", "c": "10.40.2.1"}, forwards=True
        ),
        "second": Host(addresses={"b": "10.40.1.3", "c": "10.40.2.3"}, forwards=True),
        "end": Host(addresses={"c": "10.40.2.9"}),
    }

    async def story(hosts: Hosts) -> str:
        return hosts.proof.outcome if hosts.proof else ""

    assert in_hosts(story, configured(Network(segments=segments, hosts=hosts))) == "proved"


def test_what_is_missing_is_named_with_its_cure() -> None:
    """Without iproute2, or with links that the kernel refuses, there is no network and a reason."""
    with pytest.raises(Unusable, match=r"ip is not installed.*`iproute2`"):
        network_module.program("ip", "iproute2", "/nowhere")
    twice = THREE_HOSTS.hosts["far"].model_copy(update={"addresses": {"away": "10.20.1.900"}})
    wrong = THREE_HOSTS.model_copy(update={"hosts": {**THREE_HOSTS.hosts, "far": twice}})
    with pytest.raises(Unusable, match="cannot hold a private network: ip: "):
        Wires.lay(wrong)


@pytest.mark.parametrize(
    ("error", "mode", "cure"),
    [
        ("ip: RTNETLINK answers: Operation not supported", "user", "`veth` and `bridge`"),
        ("Read-only file system", "root", "/proc/sys writable"),
        ("user namespace: Operation not permitted", "user", "run as root"),
        ("network namespace: Operation not permitted", "root", "CAP_NET_ADMIN"),
    ],
)
def test_every_cause_has_its_cure(error: str, mode: str, cure: str) -> None:
    """A host that cannot is told why and what helps."""
    assert cure in network_module.explained(error, "user" if mode == "user" else "root")


def test_a_box_is_never_started_beside_its_network() -> None:
    """A plan that expects a namespace and gets none is refused: it would be in the host's own."""
    plan = make_plan(configured(THREE_HOSTS).of_host("default"))
    with pytest.raises(Unusable, match=r"hosts\.Hosts"):
        asyncio.run(Box.start_plan(plan))
    with pytest.raises(Unusable, match="names no network"):
        asyncio.run(Hosts.start(BoxConfig()))


def test_the_provider_gives_every_host_the_subjects_first() -> None:
    """A sample with a network gets one environment a host; ending the sample ends them all."""
    config = configured(THREE_HOSTS)

    async def story() -> list[int]:
        await BwrapSandboxEnvironment.task_init("t", config)
        environments = await BwrapSandboxEnvironment.sample_init("t", config, {})
        assert next(iter(environments)) == "default"
        assert (await environments["far"].exec(["hostname"])).stdout == "box\n"
        own = environments["default"].as_type(BwrapSandboxEnvironment)
        assert own.hosts is not None
        pids = own.hosts.pids_to_end()
        await BwrapSandboxEnvironment.sample_cleanup("t", config, environments, interrupted=False)
        await BwrapSandboxEnvironment.task_cleanup("t", config, cleanup=True)
        return pids

    assert all(map(gone, asyncio.run(story())))
