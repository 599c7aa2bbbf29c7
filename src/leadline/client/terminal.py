"""Signing in to a server from a terminal: password, key file, certificate, or a provider.

For a provider the browser comes back to a port of this machine that is open for one answer
(RFC 8252, section 7.3).
"""

import http.server
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from leadline.core.errors import Denied, Invalid, LeadlineError, NotFound, Refused, Unavailable

COOKIE = "__Host-leadline"
SECONDS_MAX, VISIT_SECONDS = 30.0, 300.0
ERRORS: Mapping[int, Callable[[str], LeadlineError]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Refused,
    429: Refused,
    503: Unavailable,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A server. *authority* vouches for it; *certificate* is a PEM file with one's own and its key."""

    url: str
    authority: Path | None = None
    certificate: Path | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """How to sign in."""

    name: str = ""
    key: Path | None = None
    password: bool = False
    oidc: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """A session at the server; *token* goes into its cookie."""

    principal: str
    token: str
    csrf: str


def sign_in(place: Place, ask: Ask, secret: str, show: Callable[[str], None]) -> Begun:
    """Begin a session; *show* is told where to send the browser.

    Raises: Denied, Refused, Unavailable, as the server answers; Invalid for a server without TLS.
    """
    with client_of(place) as client:
        if ask.oidc:
            answer = _by_provider(client, show)
        elif ask.key is not None:
            answer = _by_key(client, ask.key)
        elif ask.password:
            answer = _post(client, "password", {"name": ask.name, "password": secret})
        else:
            answer = _post(client, "certificate", {})
    told = answer.json()
    return Begun(told["session"]["principal"], _token(answer), told["csrf"])


def client_of(place: Place) -> httpx.Client:
    """A client of a server; raises Invalid, for one that others reach without TLS."""
    parts = urlsplit(place.url)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise Invalid("--server", "write https://HOST:PORT")
    trusted = ssl.create_default_context(cafile=str(place.authority) if place.authority else None)
    if place.certificate:
        trusted.load_cert_chain(place.certificate)
    return httpx.Client(
        base_url=place.url,
        verify=trusted,
        timeout=SECONDS_MAX,
        trust_env=False,
        headers={"user-agent": "leadline terminal"},
    )


def _post(client: httpx.Client, way: str, body: Mapping[str, str]) -> httpx.Response:
    try:
        answer = client.post(f"/api/v1/sign-in/{way}", json=dict(body))
    except httpx.HTTPError as error:
        raise Unavailable(f"the server does not answer: {error}") from error
    if answer.is_error:
        told = answer.json().get("detail", "") if answer.content else ""
        raise ERRORS.get(answer.status_code, Refused)(told or f"status {answer.status_code}")
    return answer


def _token(answer: httpx.Response) -> str:
    """The cookie's value; the jar would not keep it where the server is this machine without TLS."""
    for text in answer.headers.get_list("set-cookie"):
        name, _, value = text.partition(";")[0].partition("=")
        if name == COOKIE:
            return value
    raise Refused("the server began no session")


def _by_key(client: httpx.Client, path: Path) -> httpx.Response:
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise Invalid(str(path), "the key is no Ed25519 key")
    made = _post(client, "challenge", {}).json()
    public = b64encode(private.public_key().public_bytes_raw())
    body = {
        "challenge": made["challenge"],
        "key": f"key-{sha256(public).hexdigest()[:32]}",
        "signature": b64encode(private.sign(bytes.fromhex(made["to_sign"]))).decode(),
    }
    return _post(client, "key", body)


def _by_provider(client: httpx.Client, show: Callable[[str], None]) -> httpx.Response:
    returned: list[str] = []

    class Once(http.server.BaseHTTPRequestHandler):
        """Takes the one answer that the browser brings."""

        def do_GET(self) -> None:
            """The browser comes back."""
            if urlsplit(self.path).path == "/returned":
                returned.append(self.path)
            self.send_response(200 if returned else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"You can close this page and go back to the terminal.\n")

        @override
        def log_message(self, format: str, *args: object) -> None:
            """The path holds a code, so nothing is written anywhere."""

    with http.server.HTTPServer(("127.0.0.1", 0), Once) as server:
        server.timeout = 1.0
        redirect = f"http://127.0.0.1:{server.server_port}/returned"
        visit = _post(client, "oidc/begin", {"redirect": redirect}).json()
        show(visit["url"])
        end = time.monotonic() + VISIT_SECONDS
        while not returned and time.monotonic() < end:
            server.handle_request()
    if not returned:
        raise Refused("nobody came back from the provider")
    url = f"http://127.0.0.1{returned[0]}"
    return _post(client, "oidc", {"visit": visit["visit"], "returned": url})
