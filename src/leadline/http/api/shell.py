"""What stands around every route: a cap on bodies, headers on answers, and the client's certificate."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from leadline.http.api import problem

BODY_BYTES_MAX = 256 * 1024
CERTIFICATE = "leadline.client_certificate"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HEADERS = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"publickey-credentials-get=(self), publickey-credentials-create=(self)",
    b"strict-transport-security": b"max-age=63072000",
}


class Capped:
    """Refuses bodies above a size, whether their length was told or not."""

    def __init__(self, app: Application, bytes_max: int = BODY_BYTES_MAX) -> None:
        self._app, self._bytes_max = app, bytes_max

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told, seen = dict(scope["headers"]).get(b"content-length", b"0"), 0
        if not told.isdigit() or int(told) > self._bytes_max:
            answer = problem.document(413, "http", HTTPStatus(413).phrase)
            await answer(scope, receive, send)
            return

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._bytes_max:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


class Headed:
    """Sets the security headers on every answer."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """As ASGI has it."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(k, v) for k, v in message["headers"] if k.lower() not in HEADERS]
                message["headers"] = [*kept, *HEADERS.items()]
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
