"""Webhooks: a signed note that something needs attention, to an https address that is not of this network.

Upheld here: the name is resolved once, every address that it has is public, and the connection goes to the
address that was looked at, so that a name that changes its mind gets nobody inside; no redirect is followed;
time and size are bounded. The receiver fetches what it is about with its own credential.
"""

import hmac
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from typing_extensions import override

from leadline.core.errors import Refused, Unavailable

SECONDS_MAX = 10.0
REPLY_BYTES_MAX = 4_096
# Addresses that carry another one within, which could be of any network.
CARRYING = tuple(
    IPv6Network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")
)
Resolve = Callable[[str, int], Sequence[str]]
ID, AT, SIGNED = "Leadline-Id", "Leadline-Timestamp", "Leadline-Signature"


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a name, asked of the system once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True)
class Egress:
    """How webhooks leave. *allowed* are names that may be inside, for tests and for a relay of one's own."""

    allowed: frozenset[str] = frozenset()
    trusted: ssl.SSLContext | None = None
    resolve: Resolve = resolve
    seconds_max: float = SECONDS_MAX


@dataclass(frozen=True, slots=True)
class Hook:
    """What is sent: an opaque id and that it needs attention. *keys* are the newest and the one before."""

    url: str
    id: str
    at: datetime
    keys: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        """The same for everything there is to tell."""
        return json.dumps({"type": "item.attention", "id": self.id}).encode()

    @property
    def headers(self) -> dict[str, str]:
        """Id, time, and one signature for each key over time, id and body."""
        at = str(int(self.at.timestamp()))
        made = ",".join(f"v1={signature(key, at, self.id, self.body)}" for key in self.keys)
        return {"Content-Type": "application/json", ID: self.id, AT: at, SIGNED: made}


def signature(key: bytes, at: str, id_: str, body: bytes) -> str:
    """HMAC-SHA-256 in hex, as a receiver recomputes it."""
    return hmac.digest(key, f"{at}.{id_}.".encode() + body, "sha256").hex()


def public(address: str) -> bool:
    """Whether an address is of the whole internet and of no network in particular."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if isinstance(found, IPv6Address) and any(found in one for one in CARRYING):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def address(url: str, egress: Egress) -> tuple[str, int, str]:
    """Host, port and the one address that will be connected to.

    Raises: Refused, for what is not https or leads inside; Unavailable, for a name that has no address.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise Refused("a webhook goes to an https address without a name and password in it")
    host, port = parts.hostname, parts.port or 443
    try:
        found = egress.resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"its name has no address ({type(error).__name__})") from error
    if not found:
        raise Unavailable("its name has no address")
    if host not in egress.allowed and not all(public(one) for one in found):
        raise Refused("its address is of this network or of no network; webhooks go outside only")
    return host, port, found[0]


class _Pinned(http.client.HTTPSConnection):
    """Connects to an address that was looked at, and speaks to the name."""

    def __init__(self, host: str, port: int, to: str, egress: Egress) -> None:
        self._trusted = egress.trusted or ssl.create_default_context()
        super().__init__(host, port, timeout=egress.seconds_max, context=self._trusted)
        self._to = to

    @override
    def connect(self) -> None:
        plain = socket.create_connection((self._to, self.port), self.timeout)
        self.sock = self._trusted.wrap_socket(plain, server_hostname=self.host)


def post(hook: Hook, egress: Egress) -> None:
    """Send one hook.

    Raises: Refused, as `address`; Unavailable, if it was not taken: it may be tried again.
    """
    host, port, to = address(hook.url, egress)
    parts = urlsplit(hook.url)
    connection = _Pinned(host, port, to, egress)
    # A limit of the socket is one per read: a receiver that drips bytes would never meet it.
    limit = threading.Timer(egress.seconds_max, _cut, (connection,))
    limit.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, hook.body, hook.headers)
        answer = connection.getresponse()
        answer.read(REPLY_BYTES_MAX)
        status = answer.status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"the receiver did not answer ({type(error).__name__})") from error
    finally:
        limit.cancel()
        connection.close()
    if not 200 <= status < 300:  # noqa: PLR2004 -- what HTTP calls done
        raise Unavailable(f"the receiver answered {status}")


def _cut(connection: http.client.HTTPSConnection) -> None:
    if connection.sock is not None:
        connection.sock.close()
