"""The egress proof: evidence that a box of one configuration reaches nothing, on this host, now.

Item by item of the containment rule: interfaces and routes; route look-ups to documentation
addresses; canary listeners of ours on the host, with a positive control from outside; socket
families and name resolution; descriptors, variables, sockets under binds and the process's own
confinement; the host's view of the box's network. Nothing is sent to third parties: a datagram
socket is connected, never written to, and the canaries are this host's own.

A proof whose positive control failed is *void*: it says nothing, and is not the same as a proof
that found a way out (*refuted*). Only a *proved* one supports a claim.
"""

import asyncio
import hashlib
import os
import re
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Protocol

from leadline.sandbox.box import Box, Completed, Identity, planned, python_binds
from leadline.sandbox.canaries import DOCUMENTATION, Canary, canaries, sockaddr
from leadline.sandbox.config import BoxConfig, Network
from leadline.sandbox.evidence import Check, Control, Evidence
from leadline.sandbox.kernel import KernelPlan
from leadline.sandbox.limits import delegated, enforced
from leadline.sandbox.listing import bound_sockets, listing
from leadline.sandbox.network import interfaces, reaches, routes
from leadline.sandbox.plan import PROBE, Plan
from leadline.sandbox.survey import Survey
from leadline.sandbox.watchdog import children

PROVIDER = "bwrap"
PROBE_SECONDS_MAX = 10.0
NAME_SECONDS_MAX = 2.0
FAMILIES_ALLOWED = frozenset({1, 2, 10, 16})  # UNIX, INET, INET6, NETLINK
NETLINK_ROUTE = 0
EAFNOSUPPORT, ENETUNREACH, ECONNREFUSED, EHOSTUNREACH = 97, 101, 111, 113
NO_ROUTE = {
    "shared-kernel": {ENETUNREACH},
    "own-kernel": {ENETUNREACH, EHOSTUNREACH},
    "own-machine": {ENETUNREACH},
}
GVISOR = re.compile(r"\bgvisor\b|-gvisor", re.IGNORECASE)
BOOT_ID = "/proc/sys/kernel/random/boot_id"
KERNELS = {
    "shared-kernel": "the host's",
    "own-kernel": "gVisor's",
    "own-machine": "another machine's",
}
DISCARD = 9  # RFC 863; no service of a range may use it
STREAM, DATAGRAM = 1, 2
TELLING = re.compile(
    r"proxy|token|secret|passw|credential|api_?key|access_?key|private_?key|^(AWS|AZURE|GOOGLE|SSH)_",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Report:
    """What the probe printed, by kind of line."""

    connects: dict[int, int] = field(default_factory=dict)
    families: dict[int, tuple[int, ...]] = field(default_factory=dict)
    high: dict[int, int] = field(default_factory=dict)
    netlink: dict[int, int] = field(default_factory=dict)
    fds: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    status: dict[str, str] = field(default_factory=dict)
    no_new_privs: int = -1
    netns: str = ""


def read_report(text: str) -> Report:
    """Parse the probe's output; the lines are described in `native/sbxprobe.c`."""
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        lines[kind].append(rest.strip())
    numbers = {kind: [tuple(map(int, row.split())) for row in lines[kind]] for kind in _NUMBERED}
    pairs = (row.partition(":") for row in lines["status"])
    return Report(
        connects={row[0]: row[1] for row in numbers["connect"]},
        families={row[0]: row[1:] for row in numbers["family"]},
        high={row[0]: row[1] for row in numbers["high"]},
        netlink={row[0]: row[1] for row in numbers["netlink"]},
        fds=tuple(row[0] for row in numbers["fd"]),
        names=tuple(lines["env"]),
        status={name: value.strip() for name, _, value in pairs},
        no_new_privs=next((row[0] for row in numbers["nnp"]), -1),
        netns="".join(lines["netns"]),
    )


_NUMBERED = ("connect", "family", "high", "netlink", "fd", "nnp")


def _arguments(listeners: Sequence[Canary]) -> list[str]:
    documentation = [f"{DATAGRAM}:{sockaddr(address, 9).hex()}" for address in DOCUMENTATION]
    return [*(f"{STREAM}:{canary.address.hex()}" for canary in listeners), *documentation]


def _outside(program: bytes, arguments: Sequence[str]) -> Report:
    """The same probe, as a process of the host: the positive control."""
    fd = os.memfd_create("probe", os.MFD_CLOEXEC)
    try:
        os.write(fd, program)
        done = subprocess.run(
            [f"/proc/self/fd/{fd}", *arguments],
            pass_fds=(fd,),
            check=True,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS_MAX,
        )
    finally:
        os.close(fd)
    return read_report(done.stdout)


def _interfaces(net_dev: str) -> dict[str, str]:
    """Counters by interface, from /proc/net/dev."""
    rows = (line.partition(":") for line in net_dev.splitlines()[2:])
    return {name.strip(): " ".join(counters.split()) for name, _, counters in rows}


def _routes(ipv4: str, ipv6: str) -> list[str]:
    """Routes beyond loopback, from /proc/net/route and /proc/net/ipv6_route.

    IPv4 ones with prefix and gateway, sorted; the kernel writes both as little-endian numbers.
    """
    rows = [line.split() for line in ipv4.splitlines()[1:]]
    found = [
        f"v4:{row[0]} {_dotted(row[1])}/{_bits(row[7])} {_dotted(row[2])}"
        for row in rows
        if row[0] != "lo"
    ]
    return sorted(found) + [
        "v6:" + line.split()[-1] for line in ipv6.splitlines() if line.split()[-1] != "lo"
    ]


def _dotted(number: str) -> str:
    return str(IPv4Address(int.from_bytes(bytes.fromhex(number), "little")))


def _bits(mask: str) -> int:
    return int(mask, 16).bit_count()


def _check(name: str, expected: object, observed: object) -> Check:
    return Check(name, str(expected), str(observed), expected == observed)


def _reach_checks(
    report: Report,
    listeners: Sequence[Canary],
    arrived: Mapping[str, int],
    tier: str = "shared-kernel",
) -> list[Check]:
    found = [
        Check(
            f"canary.{canary.id}",
            "an error, and nothing arrives",
            f"errno {report.connects.get(index, 0)}, {arrived[canary.id]} arrived",
            report.connects.get(index, 0) != 0 and arrived[canary.id] == 0,
        )
        for index, canary in enumerate(listeners)
    ]
    for index, address in enumerate(DOCUMENTATION, start=len(listeners)):
        error, silent = report.connects.get(index), NO_ROUTE[tier]
        expected = " or ".join(map(str, sorted(silent)))
        found.append(Check(f"route.{address}", expected, str(error), error in silent))
    return found


def _family_checks(report: Report) -> list[Check]:
    """Families beyond the four are unknown to a box; one the kernel lacks is unknown anyway."""
    reachable = {
        number
        for number, errors in report.families.items()
        if any(error != EAFNOSUPPORT for error in errors) or report.high.get(number) != EAFNOSUPPORT
    }
    beyond = sorted(reachable - FAMILIES_ALLOWED)
    netlink = sorted(
        protocol
        for protocol, error in report.netlink.items()
        if error != EAFNOSUPPORT and protocol != NETLINK_ROUTE
    )
    seen = bool(report.families) and bool(report.netlink)
    return [
        Check("families", "[]", str(beyond), seen and not beyond),
        Check("netlink", "[]", str(netlink), seen and not netlink),
    ]


def _process_checks(report: Report) -> list[Check]:
    telling = sorted(name for name in report.names if TELLING.search(name))
    return [
        _check("fds", (0, 1, 2), report.fds),
        _check("environment", [], telling),
        _check("seccomp", "2", report.status.get("Seccomp")),
        _check("no_new_privs", 1, report.no_new_privs),
        _check("capabilities", 0, int(report.status.get("CapEff", "-1"), 16)),
    ]


class Inside(Protocol):
    """What is looked at from inside: a box, or another provider's sandbox."""

    async def exec(self, argv: Sequence[str], *, timeout: float) -> Completed:  # noqa: ASYNC109 - as Box
        """Run a program; its exit code and output."""
        ...

    async def read(self, path: str) -> bytes:
        """The contents of a file; raises FileNotFoundError."""
        ...


async def _file(box: Inside, path: str) -> str | None:
    try:
        return (await box.read(path)).decode(errors="replace")
    except FileNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class Declared:
    """The network that a box is declared to see; a box without one sees loopback and no route."""

    interfaces: tuple[str, ...] = ("lo",)
    routes: tuple[str, ...] = ()


SEALED = Declared()


def declared(network: Network, host: str) -> Declared:
    """What *host* must see of *network*: its interfaces, and its routes as `_routes` words them."""
    names = interfaces(network, host)
    if network.layout == "shared":
        return Declared(tuple(names))
    at = network.hosts[host].addresses
    nets = (IPv4Network(network.segments[segment]) for segment in at)
    near = dict(zip(nets, names[1:], strict=True))
    own = [f"v4:{name} {prefix} 0.0.0.0" for prefix, name in near.items()]
    for prefix, via in routes(network, host).items():
        name = next(name for net, name in near.items() if IPv4Address(via) in net)
        own.append(f"v4:{name} {prefix} {via}")
    return Declared(tuple(names), tuple(sorted(own)))


async def _network_checks(box: Inside, before: str, after: str, seen: Declared) -> list[Check]:
    ipv4, ipv6 = await _file(box, "/proc/net/route"), await _file(box, "/proc/net/ipv6_route")
    was, now = _interfaces(before), _interfaces(after)
    return [
        _check("interfaces", sorted(seen.interfaces), sorted(now)),
        _check("routes", list(seen.routes), _routes(ipv4 or "", ipv6 or "")),
        _check(
            "counters",
            {name: counters for name, counters in was.items() if name != "lo"},
            {name: counters for name, counters in now.items() if name != "lo"},
        ),
    ]


async def _name_checks(box: Inside) -> list[Check]:
    """No resolver is configured, and a name that cannot exist fails without waiting for one."""
    resolver = await _file(box, "/etc/resolv.conf")
    begun = time.monotonic()
    try:
        asked = await box.exec(
            ["getent", "hosts", "egress-proof.invalid"], timeout=NAME_SECONDS_MAX
        )
    except TimeoutError:
        asked = Completed(0, b"no answer in time", b"")
    quick = time.monotonic() - begun < NAME_SECONDS_MAX
    servers = [line for line in (resolver or "").splitlines() if line.startswith("nameserver")]
    return [
        _check("resolver", [], servers),
        Check("name", "fails at once", f"exit {asked.returncode}", asked.returncode != 0 and quick),
    ]


def _host_checks(box: Box, report: Report, seen: Declared) -> list[Check]:
    """What the host itself sees of the box, whatever the box says."""
    first = box.inner_pid
    own, theirs = _link("/proc/self/ns/net"), _link(f"/proc/{first}/ns/net")
    found = [
        Check("netns", f"not {own}", theirs, theirs not in (own, "")),
        _check(
            "netns.interfaces",
            sorted(seen.interfaces),
            sorted(_interfaces(_host_text(f"/proc/{first}/net/dev"))),
        ),
    ]
    if box.config.tier == "shared-kernel":
        found.append(_check("netns.same", theirs, report.netns))
    else:
        status = _host_text(f"/proc/{first}/status")
        confined = re.search(r"^Seccomp:\t2$", status, re.MULTILINE) is not None
        found.append(Check("kernel.confined", "True", str(confined), confined))
    return found


async def _kernel_checks(box: Inside, tier: str) -> list[Check]:
    """Whose kernel answers: the host's own, gVisor's, or one of another machine, as the tier says.

    gVisor names itself in its boot line; another machine's kernel was started on its own.
    """
    version, boot_line = await _file(box, "/proc/version"), await _file(box, "/proc/cmdline")
    started = (await _file(box, BOOT_ID) or "").strip()
    if (
        GVISOR.search(boot_line or "")
        and (version or "").strip() != _host_text("/proc/version").strip()
    ):
        seen = "gVisor's"
    elif started == boot_id():
        seen = "the host's"
    else:
        seen = "another machine's" if started else "unknown"
    return [_check("kernel", KERNELS[tier], seen)]


def _root_sources(host: Survey) -> list[str]:
    return [entry.source for entry in host.root if entry.kind == "bind"]


def _link(path: str) -> str:
    try:
        target = str(Path(path).readlink())
    except FileNotFoundError:
        target = ""
    return target


def _host_text(path: str) -> str:
    try:
        text = Path(path).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        text = ""
    return text


def _sources(config: BoxConfig) -> list[str]:
    own = [bind.source for bind in config.binds]
    return [*own, config.rootfs] if config.rootfs else own


def sockets_under(config: BoxConfig) -> list[str]:
    """UNIX sockets that a box of *config* would see under its binds or image; must be none.

    Raises: ValueError where a bind holds too many files to look through.
    """
    sources = _sources(config)
    return sorted({*listing(sources)[1], *bound_sockets(sources)})


def boot_id() -> str:
    """Which start of this host this is."""
    return Path(BOOT_ID).read_text(encoding="ascii").strip()


async def look(
    box: Inside,
    tier: str,
    listeners: Sequence[Canary],
    seen: Declared = SEALED,
    program: str = PROBE,
) -> tuple[Report, list[Check]]:
    """What *program*, the probe, and a few files show from inside, against what *tier* must show."""
    before = await _file(box, "/proc/net/dev")
    asked = await box.exec([program, *_arguments(listeners)], timeout=PROBE_SECONDS_MAX)
    after = await _file(box, "/proc/net/dev")
    report = read_report(asked.stdout.decode(errors="replace"))
    arrived = {canary.id: canary.accepted() for canary in listeners}
    return report, [
        _check("probe", 0, asked.returncode),
        *await _network_checks(box, before or "", after or "", seen),
        *_reach_checks(report, listeners, arrived, tier),
        *_family_checks(report),
        *await _name_checks(box),
        *_process_checks(report),
        *await _kernel_checks(box, tier),
    ]


async def _inside(box: Box, listeners: Sequence[Canary], seen: Declared = SEALED) -> list[Check]:
    report, checks = await look(box, box.config.tier, listeners, seen)
    return [*checks, *_host_checks(box, report, seen)]


async def prove_plan(
    plan: Plan | KernelPlan,
    listeners: Sequence[Canary],
    *,
    run: str = "",
    shard: str = "",
    clock: Callable[[], float] = time.time,
    started_box: Callable[[Box], None] = lambda _: None,
) -> Evidence:
    """`prove` with the start of the box, the canaries and a look at the box given from outside."""
    started = clock()
    sources = _sources(plan.config)
    image, sockets = await asyncio.to_thread(listing, sources)
    sockets = sorted({*sockets, *bound_sockets([*sources, *_root_sources(plan.host)])})
    async with await Box.start_plan(plan) as box:
        started_box(box)
        checks = await _inside(box, listeners)
        identity = box.identity
    controls = await tried(plan.host.probe, listeners)
    evidence = _evidence(plan, identity, image, (*checks, _check("sockets", [], sockets)), controls)
    begun, ended = utc(started), utc(clock())
    return replace(evidence, run=run, shard=shard, started=begun, ended=ended)


async def tried(program: bytes, listeners: Sequence[Canary]) -> tuple[Control, ...]:
    """Every canary tried from outside, by the same *program*."""
    outside = await asyncio.to_thread(_outside, program, _arguments(listeners))
    return tuple(
        Control(canary.id, outside.connects.get(index) == 0, canary.accepted())
        for index, canary in enumerate(listeners)
    )


def _evidence(
    plan: Plan | KernelPlan,
    identity: Identity,
    image: str,
    checks: tuple[Check, ...],
    controls: tuple[Control, ...],
) -> Evidence:
    return Evidence(
        run="",
        shard="",
        host_boot_id=boot_id(),
        kernel=identity.kernel,
        provider=PROVIDER,
        provider_version=identity.driver,
        box_digest=identity.digest,
        seal_digest=identity.seal,
        config_digest=identity.config,
        image_digest=image,
        sbxinit_digest=identity.init,
        seccomp_digest=identity.seccomp,
        probe_digest=hashlib.sha256(plan.host.probe).hexdigest(),
        mode=identity.mode,
        tier=identity.tier,
        limits=enforced(plan, delegated(_host_text("/proc/self/cgroup"))),
        checks=checks,
        positive_controls=controls,
        started="",
        ended="",
    )


async def prove_hosts(config: BoxConfig, boxes: Mapping[str, Box]) -> Evidence:
    """The proof of one sample's private network, on the very *boxes* that the sample will use.

    The first host of *config* is looked at as `prove` looks at a box. Every host is asked for its
    interfaces and routes, for the canaries and the documentation addresses, and for every address of
    the network: reached or not must be as `network.reaches` declares, in both directions.
    """
    assert config.network is not None  # noqa: S101 - `hosts.Hosts` has refused it
    started = time.time()
    first = config.hosts[0]
    probe = boxes[first].plan.host.probe
    own = [bind.source for box in boxes.values() for bind in box.config.binds]
    sources = sorted(set(own) - {bind.source for bind in python_binds()})
    image, sockets = await asyncio.to_thread(listing, sources)
    with canaries() as listeners:
        # The others are still at rest, so that the first host's counters can be compared.
        inside = await _inside(boxes[first], listeners, declared(config.network, first))
        found = await asyncio.gather(
            *(_host_matrix(config.network, name, box, listeners) for name, box in boxes.items())
        )
        controls = await tried(probe, listeners)
    spaces = {_netns(box) for box in boxes.values()}
    apart = 1 if config.network.layout == "shared" else len(boxes)
    checks = (
        *inside,
        *(check for some in found for check in some),
        _check("hosts.netns", apart, len(spaces - {"", _link("/proc/self/ns/net")})),
        _check("sockets", [], sorted({*sockets, *bound_sockets(sources)})),
    )
    evidence = _evidence(boxes[first].plan, boxes[first].identity, image, checks, controls)
    begun, ended = utc(started), utc(time.time())
    return replace(evidence, config_digest=config.digest, started=begun, ended=ended)


async def _host_matrix(
    network: Network, name: str, box: Box, listeners: Sequence[Canary]
) -> list[Check]:
    """What one host reaches: nothing of ours, nothing outside, and exactly the declared addresses.

    The port asked is one that no host listens on: a refusal has come from the host that was asked.
    """
    every = [
        (f"{other}:{segment}", address)
        for other, host in network.hosts.items()
        for segment, address in host.addresses.items()
    ]
    asked = [f"{STREAM}:{sockaddr(address, DISCARD).hex()}" for _, address in every]
    words = [*_arguments(listeners), *asked]
    done = await box.exec([PROBE, *words], timeout=PROBE_SECONDS_MAX)
    report = read_report(done.stdout.decode(errors="replace"))
    arrived = {canary.id: canary.accepted() for canary in listeners}
    seen, net_dev = declared(network, name), await _file(box, "/proc/net/dev")
    begun = len(words) - len(asked)
    within = reaches(network, name)
    checks = [
        *await _network_checks(box, net_dev or "", net_dev or "", seen),
        *_reach_checks(report, listeners, arrived),
    ]
    for index, (where, address) in enumerate(every, start=begun):
        answer = report.connects.get(index)
        reached = answer in {0, ECONNREFUSED}
        wanted = address in within
        known = answer is not None
        checks.append(
            Check(
                f"matrix.{where}",
                "reached" if wanted else "unreachable",
                f"errno {answer}",
                known and reached == wanted,
            )
        )
    return [replace(check, id=f"{name}.{check.id}") for check in checks]


def _netns(box: Box) -> str:
    return _link(f"/proc/{next(iter(children(box.pid)), None)}/ns/net")


def utc(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339, in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


async def prove(config: BoxConfig, *, run: str = "", shard: str = "") -> Evidence:
    """Start a box of *config*, try every way out, and record what came of it.

    The outcome is in the evidence; a proof that could not be made at all raises what `Box.start`
    raises.
    """
    with canaries() as listeners:
        return await prove_plan(planned(config), listeners, run=run, shard=shard)
