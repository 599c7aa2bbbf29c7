"""The suite itself: no test reaches beyond this machine."""

import socket

import pytest

from network import OutsideCallError, is_loopback


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_outside_address_is_refused(host: str) -> None:
    """Before a packet leaves."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe, pytest.raises(OutsideCallError):
        probe.connect((host, 9))
    with socket.socket(family, socket.SOCK_DGRAM) as probe, pytest.raises(OutsideCallError):
        probe.sendto(b"x", (host, 9))


def test_an_outside_name_is_not_looked_up() -> None:
    """A look-up would already tell somebody."""
    with pytest.raises(OutsideCallError):
        socket.getaddrinfo("name.invalid", 80)


def test_loopback_stays_open() -> None:
    """Local servers are what many tests are about."""
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection(server.getsockname()) as caller:
        assert caller.getpeername() == server.getsockname()


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        (b"127.0.0.1", True),
        (None, True),
        ("0.0.0.0", True),  # noqa: S104 -- binding to it is another matter
        ("10.0.0.1", False),
        ("fe80::1%lo", False),
        ("example.org", False),
    ],
)
def test_what_counts_as_loopback(host: str | bytes | None, inside: object) -> None:
    """Addresses by their block, names only if they are `localhost`."""
    assert is_loopback(host) is inside
