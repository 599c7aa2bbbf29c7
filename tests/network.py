"""The closed network of the test suite: loopback, and nothing else."""

import ipaddress


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
    return address.is_loopback or address.is_unspecified


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
