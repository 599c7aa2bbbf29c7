"""A witness over HTTP: ``POST /add-checkpoint``, and nothing else.

A plain ASGI application, so that whoever reads it has read all of it.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any

import uvicorn

from leadline.app.witness import Answer, Witness
from leadline.core.errors import Invalid, Unavailable
from leadline.formats import tlog_witness

AT_ONCE_MAX = 64
SECONDS_IDLE_MAX = 5

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


def application(witness: Witness, clock: Callable[[], datetime]) -> Application:
    """The ASGI application of *witness*; *clock* is asked at each cosignature."""

    async def answer(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["path"] != tlog_witness.PATH:
            await _reply(send, Answer(404, b"there is POST /add-checkpoint\n"))
        elif scope["method"] != "POST":
            await _reply(send, Answer(405, b"POST a checkpoint\n"))
        elif (body := await _body(receive)) is None:
            await _reply(send, Answer(413, b"larger than any request can be\n"))
        else:
            # Off the event loop: the memory is locked, written and synchronised.
            await _reply(send, await asyncio.to_thread(_answer, witness, body, clock))

    return answer


def _answer(witness: Witness, body: bytes, clock: Callable[[], datetime]) -> Answer:
    try:
        return witness.add_checkpoint(body, clock())
    except Unavailable as error:
        return Answer(503, f"{error}\n".encode())


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes | None:
    """The body, or None as soon as it is too large."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > tlog_witness.REQUEST_BYTES_MAX:
            return None
    return bytes(body)


async def _reply(send: Callable[[Message], Awaitable[None]], answer: Answer) -> None:
    headers = [
        (b"content-type", answer.kind.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": answer.body})


def listening(address: str) -> socket.socket:
    """A socket bound to ``HOST:PORT``; port 0 takes a free one.

    Raises: Invalid, naming the option, if the address is none or is taken.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise Invalid("--listen", f"{address!r} is not HOST:PORT, as in 127.0.0.1:7380")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host.strip("[]"), int(port)))
        bound.listen()
    except (OSError, OverflowError) as error:
        bound.close()
        raise Invalid("--listen", f"{address} cannot be listened on: {error}") from error
    return bound


def server(witness: Witness, clock: Callable[[], datetime]) -> uvicorn.Server:
    """The server; `run(sockets=[...])` serves until it is told to stop."""
    config = uvicorn.Config(
        application(witness, clock),
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=AT_ONCE_MAX,
        timeout_keep_alive=SECONDS_IDLE_MAX,
    )
    return uvicorn.Server(config)
