"""The egress proof: proved for a sealed box, refuted for each way of breaking one, void if blind."""

import asyncio
import dataclasses
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from leadline.sandbox import egress
from leadline.sandbox.box import Box, identity, planned
from leadline.sandbox.canaries import Canary, canaries, sockaddr_unix
from leadline.sandbox.config import Bind, BoxConfig
from leadline.sandbox.evidence import Evidence
from leadline.sandbox.gvisor import runtime
from leadline.sandbox.kernel import KernelPlan
from leadline.sandbox.plan import Plan, make_plan
from leadline.sandbox.survey import Unusable, own_mode
from leadline.sandbox.watchdog import children

pytestmark = pytest.mark.sandbox


def proof(
    config: BoxConfig | None = None,
    broken: Callable[[Plan], Plan | KernelPlan] = lambda plan: plan,
    listeners: Sequence[Canary] | None = None,
    started_box: Callable[[Box], None] = lambda _: None,
) -> Evidence:
    """A proof of a box whose start was tampered with; no configuration can do that."""
    plan = broken(make_plan(config or BoxConfig()))
    with canaries() as found:
        return asyncio.run(
            egress.prove_plan(
                plan,
                found if listeners is None else listeners,
                run="run",
                shard="shard",
                clock=lambda: 1_000_000.0,
                started_box=started_box,
            )
        )


def without(*words: str) -> Callable[[Plan], Plan]:
    """A plan with the first stretch of *words* taken out of bubblewrap's arguments."""

    def broken(plan: Plan) -> Plan:
        arguments = list(plan.arguments)
        at = arguments.index(words[0])
        assert arguments[at : at + len(words)] == list(words)
        del arguments[at : at + len(words)]
        return dataclasses.replace(plan, arguments=tuple(arguments))

    return broken


def failed(evidence: Evidence) -> set[str]:
    """Names of the checks that did not hold."""
    return {check.id for check in evidence.checks if not check.ok}


def test_a_sealed_box_is_proved() -> None:
    """Every check holds, every control answers, and the record carries what it was about."""
    evidence = proof()
    assert evidence.outcome == "proved", failed(evidence)
    assert evidence.ok
    assert len(evidence.checks) >= 24
    assert {control.id for control in evidence.positive_controls} >= {
        "loopback4",
        "path",
        "abstract",
    }
    assert evidence.mode == own_mode()
    assert evidence.started == "1970-01-12T13:46:40.000+00:00"
    assert (evidence.run, evidence.shard) == ("run", "shard")


def test_the_plain_call_proves_and_names_the_box() -> None:
    """The record supports samples of exactly the proved configuration, on this start of the host."""

    async def story() -> None:
        config = BoxConfig(disk_mb=64)
        evidence = await egress.prove(config, run="r", shard="s")
        same = identity(make_plan(config))
        assert evidence.supports(same, egress.boot_id())
        assert not evidence.supports(identity(make_plan(BoxConfig(disk_mb=65))), egress.boot_id())
        assert not evidence.supports(same, "another start")

    asyncio.run(story())


def test_a_proof_covers_boxes_that_differ_in_their_binds_alone(tmp_path: Path) -> None:
    """Each sample has its own folders; what else differs is not covered, and sockets are found."""
    evidence = proof()
    boot = egress.boot_id()
    (tmp_path / "inner").mkdir()
    given = BoxConfig(binds=(Bind(source=str(tmp_path), target="/task"),))
    assert evidence.covers(identity(make_plan(given)), boot)
    assert not evidence.supports(identity(make_plan(given)), boot)
    for other in (BoxConfig(env={"A": "b"}), BoxConfig(memory_mb=100), BoxConfig(rootfs="/usr")):
        assert not evidence.covers(identity(make_plan(other)), boot)
    for words in (("--unshare-net",), ("--seccomp", "{seccomp}")):
        assert not evidence.covers(identity(without(*words)(make_plan(given))), boot)
    assert not evidence.covers(identity(make_plan(given)), "another start")
    assert egress.sockets_under(given) == []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "inner" / "s"))
        assert egress.sockets_under(given) == [str(tmp_path.resolve() / "inner" / "s")]


def test_the_hosts_network_is_found_out() -> None:
    """A box that shares the host's network reaches the canaries."""
    found = failed(proof(broken=without("--unshare-net")))
    assert {"canary.loopback4", "canary.abstract", "netns"} <= found


def test_a_missing_filter_is_found_out() -> None:
    """Without seccomp, families and the process's own state give it away."""
    found = failed(proof(broken=without("--seccomp", "{seccomp}")))
    assert {"seccomp", "families", "netlink"} <= found


def test_a_proxy_variable_is_found_out() -> None:
    """So is anything that smells of a credential; values are not recorded."""
    config = BoxConfig(env={"https_proxy": "http://127.0.0.1:1", "MY_API_KEY": "k", "PLAIN": "1"})
    evidence = proof(config)
    assert failed(evidence) == {"environment"}
    observed = next(check.observed for check in evidence.checks if check.id == "environment")
    assert observed == "['MY_API_KEY', 'https_proxy']"


def test_a_socket_under_a_bind_is_found_out(tmp_path: Path) -> None:
    """A read-only bind does not stop anyone from connecting to a UNIX socket in it."""
    (tmp_path / "inner").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "inner" / "s"))
        listener.listen()
        evidence = proof(BoxConfig(binds=(Bind(source=str(tmp_path), target="/data"),)))
    assert failed(evidence) == {"sockets"}
    assert str(tmp_path / "inner" / "s") in str(evidence.to_dict())


def test_a_reachable_pathname_canary_is_found_out(tmp_path: Path) -> None:
    """The canary's own socket under a bind is reached from inside and arrives outside."""
    with socket.socket(socket.AF_UNIX) as listener:
        path = "/data/s"
        listener.bind(str(tmp_path / "s"))
        (tmp_path / "s").chmod(0o777)
        tmp_path.chmod(0o755)
        listener.listen()
        listener.settimeout(0)
        canary = Canary("path", listener, sockaddr_unix(path.encode()))
        evidence = proof(
            BoxConfig(binds=(Bind(source=str(tmp_path), target="/data"),)), listeners=[canary]
        )
    assert {"canary.path", "sockets"} <= failed(evidence)


def test_a_deaf_control_makes_the_proof_void() -> None:
    """Silence inside means nothing if the canary does not answer outside either."""
    with canaries() as found:
        dead = found[0]
        dead.listener.shutdown(socket.SHUT_RDWR)
        evidence = proof(listeners=found)
    assert evidence.outcome == "void"
    assert not evidence.ok
    assert proof(listeners=[]).outcome == "void"


@pytest.mark.skipif(
    own_mode() != "root" or shutil.which("ip") is None, reason="needs root and iproute2"
)
def test_an_added_interface_is_found_out() -> None:
    """A veth put into the box's network from outside shows on both sides."""

    def add(box: Box) -> None:
        first = children(box.pid)[0]
        pair = ["ip", "link", "add", f"ll{os.getpid()}", "type", "veth", "peer", "name", "eth0"]
        subprocess.run([*pair, "netns", str(first)], check=True)

    found = failed(proof(started_box=add))
    assert {"interfaces", "netns.interfaces"} <= found


def test_a_resolver_in_the_box_is_found_out() -> None:
    """A box told where to ask for names is not sealed."""

    def with_resolver(plan: Plan) -> Plan:
        arguments = list(plan.arguments)
        at = arguments.index("--remount-ro")
        arguments[at:at] = ["--perms", "0444", "--file", "{resolver}", "/etc/resolv.conf"]
        data = {**plan.data, "resolver": b"nameserver 127.0.0.1\n"}
        return dataclasses.replace(plan, arguments=tuple(arguments), data=data)

    assert failed(proof(broken=with_resolver)) == {"resolver"}


def test_an_inherited_descriptor_is_found_out() -> None:
    """The probe reports what it holds; anything beyond three is a way out."""
    report = egress.read_report("fd 0\nfd 1\nfd 2\nfd 9\n")
    assert report.fds == (0, 1, 2, 9)


def test_broken_boxes_have_other_digests() -> None:
    """Whatever breaks a box changes the digest that samples are compared by."""
    plan = make_plan(BoxConfig())
    digests = {identity(plan).digest}
    for broken in (without("--unshare-net"), without("--seccomp", "{seccomp}")):
        digests.add(identity(broken(plan)).digest)
    assert len(digests) == 3


OWN = BoxConfig(tier="own-kernel")


@pytest.fixture
def own_kernel() -> KernelPlan:
    """The start of a box with a kernel of its own; counted where this host gives none."""
    try:
        runtime()
    except Unusable as error:
        pytest.skip(str(error))
    plan = planned(OWN)
    assert isinstance(plan, KernelPlan)
    return plan


def own_proof(
    plan: KernelPlan,
    listeners: Sequence[Canary] | None = None,
    started_box: Callable[[Box], None] = lambda _: None,
) -> Evidence:
    """A proof of a box with a kernel of its own, its start tampered with."""
    return proof(broken=lambda _: plan, listeners=listeners, started_box=started_box)


def edited(plan: KernelPlan, old: str, new: str) -> KernelPlan:
    """*plan* with words of its document replaced."""
    assert old in plan.document
    return dataclasses.replace(plan, document=plan.document.replace(old, new))


def test_a_sealed_box_of_its_own_kernel_is_proved(own_kernel: KernelPlan) -> None:
    """The record names the tier and the driver, and supports no box of the other tier."""
    evidence = own_proof(own_kernel)
    assert evidence.outcome == "proved", failed(evidence)
    assert evidence.tier == "own-kernel"
    assert evidence.provider_version == runtime().words
    boot = egress.boot_id()
    assert evidence.supports(identity(own_kernel), boot)
    assert evidence.covers(identity(planned(OWN)), boot)
    assert not evidence.covers(identity(make_plan(BoxConfig())), boot)
    assert not proof().covers(identity(own_kernel), boot)


def test_ways_out_of_an_own_kernel_are_found_out(own_kernel: KernelPlan) -> None:
    """The host's network, a missing filter and a proxy variable, each by its own checks."""
    flags = tuple(word.replace("--network=none", "--network=host") for word in own_kernel.arguments)
    network = edited(own_kernel, '{"type": "network"}, ', "")
    shared = failed(own_proof(dataclasses.replace(network, arguments=flags)))
    assert {"canary.loopback4", "netns"} <= shared
    unfiltered = failed(own_proof(edited(own_kernel, '"filter=/run/sbx/filter", ', "")))
    assert {"seccomp", "families", "netlink"} <= unfiltered
    config = BoxConfig(tier="own-kernel", env={"https_proxy": "http://127.0.0.1:1"})
    assert failed(own_proof(dataclasses.replace(own_kernel, config=config))) == {"environment"}


def test_sockets_and_deaf_controls_hold_in_an_own_kernel_too(
    own_kernel: KernelPlan, tmp_path: Path
) -> None:
    """A UNIX socket under a bind is a way out by rule; silence of a deaf canary proves nothing."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        bound = BoxConfig(tier="own-kernel", binds=(Bind(source=str(tmp_path), target="/data"),))
        plan = planned(bound)
        assert isinstance(plan, KernelPlan)
        assert failed(own_proof(plan)) == {"sockets"}
    with canaries() as found:
        found[0].listener.shutdown(socket.SHUT_RDWR)
        assert own_proof(own_kernel, listeners=found).outcome == "void"


@pytest.mark.skipif(
    own_mode() != "root" or shutil.which("ip") is None, reason="needs root and iproute2"
)
def test_an_interface_added_to_an_own_kernel_is_found_out(own_kernel: KernelPlan) -> None:
    """Seen by the host, though that kernel has no use for it."""

    def add(box: Box) -> None:
        pair = ["ip", "link", "add", f"lk{os.getpid()}", "type", "veth", "peer", "name", "eth0"]
        subprocess.run([*pair, "netns", str(box.inner_pid)], check=True)

    assert "netns.interfaces" in failed(own_proof(own_kernel, started_box=add))


def test_a_box_on_another_kernel_than_its_tier_says_is_found_out(own_kernel: KernelPlan) -> None:
    """A box on the host's kernel that calls itself own-kernel, and the reverse."""
    posing = dataclasses.replace(make_plan(BoxConfig()), config=OWN)
    assert "kernel" in failed(proof(broken=lambda _: posing))
    modest = dataclasses.replace(own_kernel, config=BoxConfig())
    assert "kernel" in failed(own_proof(modest))
