"""Ports of this machine for servers that are started by number."""

import errno
import secrets
import socket
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
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
