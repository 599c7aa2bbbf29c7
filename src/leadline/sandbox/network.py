"""A private network for one sample: network namespaces, links and routes that end with it.

One process, the *holder*, makes every namespace and keeps the one in which the segments' bridges
are, so its end takes all links down at once; it ends when its socket closes or the process that
started it dies, however that happens. Nothing is ever made in the host's own network namespace,
and there is no uplink, no address translation and no default route.

As root the namespaces belong to the host; otherwise to a user namespace of the holder's, which
boxes enter first. Both give the same network.
"""

import array
import contextlib
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Self

from leadline.sandbox.config import Network
from leadline.sandbox.survey import Mode, Unusable, own_mode

SWITCH = ""  # the namespace of the bridges, which no host is in
LAY_SECONDS_MAX = 20.0
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_REPLY_BYTES_MAX = 1 << 16
# Links speak IPv4 alone. A host answers for an address only on the link that has it, and takes no
# routes from others.
_QUIET = {
    "ipv6/conf/default/disable_ipv6": "1",
    "ipv4/conf/all/arp_ignore": "1",
    "ipv4/conf/all/rp_filter": "2",
    "ipv4/conf/all/accept_redirects": "0",
    "ipv4/conf/default/accept_redirects": "0",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/all/accept_source_route": "0",
    "ipv4/ip_unprivileged_port_start": "0",
}


@dataclass(frozen=True, slots=True)
class Join:
    """How a box is started inside a namespace: the words before its own, and what they refer to."""

    argv: tuple[str, ...]
    fds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Space:
    """What is done in one namespace: lines for ``ip -batch``, and settings below /proc/sys/net.

    In the lines ``{NAME}`` stands for the namespace of host NAME.
    """

    lines: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


def reaches(network: Network, host: str) -> frozenset[str]:
    """The addresses that *host* is declared to reach, its own included.

    Every address of its segments, and of the segments one forwarding host away; in the ``shared``
    layout every address there is.
    """
    at = network.hosts[host].addresses
    near = set(network.segments) if network.layout == "shared" else set(at)
    for other in network.hosts.values():
        if other.forwards and near & set(at) & set(other.addresses):
            near |= set(other.addresses)
    return frozenset(
        address
        for other in network.hosts.values()
        for segment, address in other.addresses.items()
        if segment in near
    )


def routes(network: Network, host: str) -> dict[str, str]:
    """Where *host* sends what is for another segment: prefix to the forwarding host's address."""
    at = network.hosts[host].addresses
    found: dict[str, str] = {}
    for name, other in sorted(network.hosts.items()):
        shared = sorted(set(at) & set(other.addresses))
        if name == host or not other.forwards or not shared:
            continue
        for segment in set(other.addresses) - set(at):
            found.setdefault(network.segments[segment], other.addresses[shared[0]])
    return found


def interfaces(network: Network, host: str) -> list[str]:
    """The names of the host's interfaces, loopback first, as its box must see them."""
    count = 0 if network.layout == "shared" else len(network.hosts[host].addresses)
    return ["lo", *(f"eth{number}" for number in range(count))]


def spaces(network: Network) -> dict[str, Space]:
    """What is done in each namespace, in order; the host's name, or `SWITCH`."""
    if network.layout == "shared":
        every = [a for host in network.hosts.values() for a in host.addresses.values()]
        own = ("link set lo up", *(f"address add {address}/32 dev lo" for address in every))
        return {SWITCH: Space(own, dict(_QUIET))}
    bridges = {segment: f"bridge{number}" for number, segment in enumerate(network.segments)}
    switch = ["link set lo up"]
    for bridge in bridges.values():
        # No spanning tree and no snooping: a segment carries frames as soon as it is up.
        switch += [f"link add {bridge} type bridge mcast_snooping 0", f"link set {bridge} up"]
    hosts: dict[str, Space] = {}
    count = 0
    for name, host in network.hosts.items():
        lines = ["link set lo up"]
        for number, (segment, address) in enumerate(host.addresses.items()):
            prefix = ipaddress.IPv4Network(network.segments[segment]).prefixlen
            switch += [
                f"link add veth{count} type veth peer name eth{number} netns {{{name}}}",
                f"link set veth{count} master {bridges[segment]} up",
            ]
            lines += [f"address add {address}/{prefix} dev eth{number}", f"link set eth{number} up"]
            count += 1
        lines += [f"route add {prefix} via {via}" for prefix, via in routes(network, name).items()]
        hosts[name] = Space(tuple(lines), {**_QUIET, "ipv4/ip_forward": str(int(host.forwards))})
    return {SWITCH: Space(tuple(switch), dict(_QUIET)), **hosts}


class Wires:
    """A network that stands; `cut` takes it down."""

    def __init__(self, network: Network, mode: Mode, holder: subprocess.Popen[bytes]) -> None:
        self.network = network
        self.mode = mode
        self.pid = holder.pid
        self._holder = holder
        self._fds: dict[str, int] = {}
        self._user: int | None = None
        self._socket: socket.socket | None = None

    @classmethod
    def lay(cls, network: Network, mode: Mode | None = None) -> Self:
        """Make every namespace of *network*; blocks for some tens of milliseconds.

        Raises: Unusable, with the cause and the cure, where this host cannot.
        """
        mode = mode or own_mode()
        programs = {name: program(name, package) for name, package in _PROGRAMS}
        order = {
            "ip": programs["ip"],
            "user": mode == "user",
            "spaces": {
                name: {"lines": space.lines, "settings": dict(space.settings)}
                for name, space in spaces(network).items()
            },
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            holder = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _HOLDER, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                process_group=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_environment(),
                cwd="/",
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        wires = cls(network, mode, holder)
        wires._socket = ours
        try:
            wires._receive(order)
        except BaseException:
            wires.cut()
            raise
        finally:
            if holder.stderr:
                holder.stderr.close()
        return wires

    def _receive(self, order: object) -> None:
        assert self._socket  # noqa: S101 - set by `lay`
        self._socket.settimeout(LAY_SECONDS_MAX)
        self._socket.sendall(json.dumps(order).encode() + b"\n")
        fds = array.array("i")
        space = socket.CMSG_SPACE(64 * fds.itemsize)
        try:
            data, control, _, _ = self._socket.recvmsg(_REPLY_BYTES_MAX, space)
        except TimeoutError:
            data, control = b"", []
        for level, kind, payload in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        told = json.loads(data) if data else {"error": f"no answer; {self._complaint()}"}
        if "error" in told:
            for fd in fds:
                os.close(fd)
            raise Unusable(explained(str(told["error"]), self.mode))
        named = dict(zip(told["names"], fds, strict=True))
        self._user = named.pop("user namespace", None)
        self._fds = named

    def _complaint(self) -> str:
        self._holder.kill()
        self._holder.wait()
        words = self._holder.stderr.read() if self._holder.stderr else b""
        return words.decode(errors="replace").strip()[-500:] or "it was too slow"

    def join(self, host: str) -> Join:
        """How the box of *host* is started.

        Raises: KeyError for a host that the network has not, or after `forget`.
        """
        net = self._fds[SWITCH if self.network.layout == "shared" else host]
        nsenter = program(*_NSENTER)
        if self._user is None:
            return Join((nsenter, f"--net=/proc/self/fd/{net}", "--"), (net,))
        enter = ("--preserve-credentials", f"--user=/proc/self/fd/{self._user}")
        return Join((nsenter, *enter, f"--net=/proc/self/fd/{net}", "--"), (net, self._user))

    def forget(self) -> None:
        """Let go of the namespaces, once every box is in its own: they then end with the boxes."""
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}
        if self._user is not None:
            os.close(self._user)
            self._user = None

    def cut(self) -> None:
        """Take every link down and let go of everything; a second call does nothing."""
        self.forget()
        if self._socket is None:
            return
        self._socket.close()
        self._socket = None
        with contextlib.suppress(ProcessLookupError):
            self._holder.send_signal(signal.SIGKILL)
        self._holder.wait()


_HOLDER = (files("leadline.sandbox") / "holder.py").read_text(encoding="utf-8")
_NSENTER = ("nsenter", "util-linux")
_PROGRAMS = (("ip", "iproute2"), _NSENTER)


def _environment() -> dict[str, str]:
    """The interpreter's own library, where it is a shared one, and nothing else."""
    return {"LD_LIBRARY_PATH": f"{sys.base_prefix}/lib"}


def program(name: str, package: str, path: str = PATH) -> str:
    """Where the program *name* of the system package *package* is.

    Raises: Unusable, naming the package.
    """
    found = shutil.which(name, path=path)
    if found is None:
        raise Unusable(
            f"{name} is not installed, which private networks need: install the system package `{package}`"
        )
    return found


def explained(error: str, mode: Mode) -> str:
    """What the holder reported, with what helps."""
    if "not supported" in error or "Unknown device type" in error:
        cure = "load the kernel modules `veth` and `bridge`, or use another kernel"
    elif "Read-only" in error:
        cure = "make /proc/sys writable (containers: --security-opt systempaths=unconfined)"
    elif mode == "user":
        cure = (
            "run as root, or allow user namespaces to ordinary users (`leadline doctor` says how)"
        )
    else:
        cure = "run with CAP_NET_ADMIN and CAP_SYS_ADMIN"
    return f"this host cannot hold a private network: {error}; {cure}"
