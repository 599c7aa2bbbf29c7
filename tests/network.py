"""The closed network of the test suite: loopback, and what stays on this machine."""

import ipaddress
import re
from functools import cache
from pathlib import Path

TRIE = Path("/proc/net/fib_trie")  # the kernel's own list of addresses that are this machine's


class OutsideCallError(RuntimeError):
    """A test tried to reach beyond this machine."""


def is_loopback(host: object) -> bool:
    """Whether *host*, a name or an address, stays on this machine."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if text in {None, ""}:
        return True
    try:
        address = ipaddress.ip_address(str(text).split("%", 1)[0])
    except ValueError:
        return text == "localhost"
    return address.is_loopback or address.is_unspecified or str(address) in own_addresses()


@cache
def own_addresses() -> frozenset[str]:
    """This machine's own IPv4 addresses: what is sent to them goes by loopback.

    Ray, for one, speaks to its own node by such an address.
    """
    text = TRIE.read_text(encoding="ascii") if TRIE.exists() else ""
    return frozenset(re.findall(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL", text))


def refuse_outside(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: no name is resolved and no address reached but loopback ones."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if not isinstance(address, tuple) or not isinstance(address[0], str | bytes):
            return  # a path of AF_UNIX, no address at all, or a family without host names
        host = address[0]
    else:
        return
    if not is_loopback(host):
        raise OutsideCallError(f"{event} to {host!r}: tests reach loopback only")
