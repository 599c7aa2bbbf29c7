"""Ports of this machine for servers that are started by number."""

import secrets
import socket
from contextlib import suppress
from pathlib import Path

OWN_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST = 10_000


def free_port() -> int:
    """A loopback port that nobody has, and that the kernel hands to nobody who asks for any port.

    One of the kernel's own range may be somebody else's by the time the server it is meant for is up.
    """
    end = int(OWN_RANGE.read_text("ascii").split()[0])
    while True:
        port = FIRST + secrets.randbelow(end - FIRST)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
