"""What stands around every route: a cap on bodies, headers on answers, and the client's certificate."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from leadline.formats import taxii
from leadline.http.api import problem

BODY_BYTES_MAX = 256 * 1024
# Paths below which people hand in files; the longest that begins a path counts.
LARGER: dict[str, int] = {
    "/api/v1/engagements/": 16 << 20,
    "/api/v1/findings": 16 << 20,
    "/api/v1/inventories": 16 << 20,
    "/api/v1/parcels": 16 << 20,
    "/api/v1/register/": 16 << 20,
}
# Routes that read a body as it comes, and what they take at most; this counts before what is above. A path
# counts whole; a last part `*` stands for any one name.
STREAMED: dict[tuple[str, str], int] = {}
CERTIFICATE = "leadline.client_certificate"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

# Paths below which answers have headers of their own: Inspect's viewer, which is nobody's page.
OWN: dict[str, Mapping[bytes, bytes]] = {}

NOTHING = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
# Paths below which programs are answered.
TAXII = "/taxii2/"
PROGRAMS = ("/api/", TAXII)
# No inline script or style, no eval, nothing from elsewhere; pictures may stand in the page itself.
PAGES = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    b"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
HEADERS = {
    b"x-content-type-options": b"nosniff",
    # A form's Origin is `null` under a stricter one
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"publickey-credentials-get=(self), publickey-credentials-create=(self)",
    b"strict-transport-security": b"max-age=63072000",
}


def bytes_max(path: str) -> int:
    """How large the body of a request to *path* may be."""
    fitting = [prefix for prefix in LARGER if path.startswith(prefix)]
    return LARGER[max(fitting, key=len)] if fitting else BODY_BYTES_MAX


def _most(method: str, path: str) -> int:
    below = f"{path.rpartition('/')[0]}/*"
    found = STREAMED.get((method, path)) or STREAMED.get((method, below))
    return found or bytes_max(path)


def _too_large(path: str) -> Response:
    told = HTTPStatus(413).phrase
    if path.startswith(TAXII):
        return Response(taxii.error(413, told, told), 413, media_type=taxii.MEDIA)
    return problem.document(413, "http", told)


class Capped:
    """Refuses bodies above a size, whether their length was told or not."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told, seen = dict(scope["headers"]).get(b"content-length", b"0"), 0
        most = _most(scope["method"], scope["path"])
        if not told.isdigit() or int(told) > most:
            await _too_large(scope["path"])(scope, receive, send)
            return

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


class Headed:
    """Sets the security headers on every answer."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        path = scope.get("path", "")
        set_ = {
            **HEADERS,
            b"content-security-policy": NOTHING if path.startswith(PROGRAMS) else PAGES,
        }
        if not path.startswith("/static/"):
            set_[b"cache-control"] = b"no-store"
        set_ |= next((own for prefix, own in OWN.items() if path.startswith(prefix)), {})

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(k, v) for k, v in message["headers"] if k.lower() not in set_]
                message["headers"] = [*kept, *set_.items()]
            await send(message)

        await self._app(scope, receive, headed)


class CertificateProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with the peer's certificate of the connection in each request's scope."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls else None
        inner = self.app

        async def known(scope: Message, receive: Receive, send: Send) -> None:
            scope[CERTIFICATE] = der
            await inner(scope, receive, send)

        self.app = known
