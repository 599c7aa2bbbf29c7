"""Listeners of ours on this host that nothing in a box may reach."""

import contextlib
import errno
import fcntl
import os
import select
import socket
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SIOCGIFADDR = 0x8915
DOCUMENTATION = ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1")  # RFC 5737, RFC 3849


@dataclass(slots=True)
class Canary:
    """A listener of ours that nothing in a box may reach."""

    id: str
    listener: socket.socket
    address: bytes

    def accepted(self) -> int:
        """How many connections arrived since the last call."""
        count = 0
        if not self.listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return count
        while select.select([self.listener], [], [], 0)[0]:
            self.listener.accept()[0].close()
            count += 1
        return count


def sockaddr(host: str, port: int) -> bytes:
    """An address of IPv4 or IPv6 as the kernel takes it."""
    if ":" in host:
        raw = socket.inet_pton(socket.AF_INET6, host)
        return struct.pack("<H", socket.AF_INET6) + struct.pack(">HI", port, 0) + raw + bytes(4)
    raw = socket.inet_pton(socket.AF_INET, host)
    return struct.pack("<H", socket.AF_INET) + struct.pack(">H", port) + raw + bytes(8)


def sockaddr_unix(name: bytes) -> bytes:
    """A UNIX address; an abstract name begins with a zero byte."""
    return struct.pack("<H", socket.AF_UNIX) + name + (b"" if name.startswith(b"\0") else b"\0")


def own_address() -> str | None:
    """An IPv4 address of this host beyond loopback, asked of the kernel; None if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, interface in socket.if_nameindex():
            request = struct.pack("16s24x", interface.encode())
            try:
                answer = fcntl.ioctl(asked, SIOCGIFADDR, request)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    continue
                raise
            address = socket.inet_ntoa(answer[20:24])
            if not address.startswith("127."):
                return address
    return None


def _tcp(name: str, host: str) -> Canary:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((host, 0))
    return Canary(name, listener, sockaddr(host, listener.getsockname()[1]))


def _unix(name: str, address: bytes) -> Canary:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(address)
    return Canary(name, listener, sockaddr_unix(address))


def _found(folder: str) -> Iterator[Canary]:
    yield _tcp("loopback4", "127.0.0.1")
    yield _unix("path", os.fsencode(Path(folder) / "canary"))
    yield _unix("abstract", b"\0leadline-canary-" + os.urandom(8).hex().encode())
    own = own_address()
    if own is not None:
        yield _tcp("own-address", own)
    if Path("/proc/net/if_inet6").exists():
        yield _tcp("loopback6", "::1")


@contextlib.contextmanager
def canaries() -> Iterator[tuple[Canary, ...]]:
    """Listeners on loopback, the host's own address if it has one, and two UNIX sockets."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        found: list[Canary] = []
        for canary in _found(folder):
            stack.callback(canary.listener.close)
            canary.listener.settimeout(0)
            canary.listener.listen(16)
            found.append(canary)
        yield tuple(found)
