"""A client of an application in the test's own thread: no server, no thread for each request, no waiting for one.

Starlette's own client keeps a loop in a thread of its own, which hands whatever is synchronous to further threads:
some twenty turns for each request, for each of which a busy machine lets it wait. Here the loop runs while
a request is answered, and what is synchronous is called where it stands. What is only true with threads, as
two requests at once or a body that comes in pieces, is tried with Starlette's client or a real server.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

import anyio.from_thread
import anyio.to_thread
import fastapi.testclient
import httpx2
from starlette.types import ASGIApp
from typing_extensions import override

T = TypeVar("T")
LOOP, FUNCTION = "in a client's own loop", "in what it called"
_AT = ContextVar("at", default="")
_LOOP = ContextVar[asyncio.AbstractEventLoop]("loop")
_in_thread, _in_loop = anyio.to_thread.run_sync, anyio.from_thread.run


class TestClient(fastapi.testclient.TestClient):
    """Starlette's client, whose requests are answered in the thread that asks."""

    def __init__(self, app: ASGIApp, *, raise_server_exceptions: bool = True, **more: Any) -> None:
        super().__init__(app, **more)
        self._transport = _Here(app, raise_server_exceptions)


class _Here(httpx2.BaseTransport):
    def __init__(self, app: ASGIApp, raises: bool) -> None:  # noqa: FBT001
        self._asked = httpx2.ASGITransport(
            app, raise_app_exceptions=raises, client=("testclient", 50_000)
        )

    @override
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return asyncio.run(self._answered(request))

    async def _answered(self, request: httpx2.Request) -> httpx2.Response:
        _AT.set(LOOP)
        _LOOP.set(asyncio.get_running_loop())
        answer = await self._asked.handle_async_request(request)
        body = httpx2.ByteStream(b"".join([part async for part in answer.aiter_raw()]))
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=body)


async def _called(function: Callable[..., T], *args: object, **how: Any) -> T:
    if _AT.get() != LOOP:
        return await _in_thread(function, *args, **how)
    before = _AT.set(FUNCTION)
    asyncio._set_running_loop(None)  # as in a thread of its own, where none runs
    try:
        return function(*args)
    finally:
        asyncio._set_running_loop(_LOOP.get())
        _AT.reset(before)


def _answer_of(function: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
    """What a thread asks its loop for, as the next piece of a body; here all of it has come already."""
    if _AT.get() != FUNCTION:
        return _in_loop(function, *args)
    asyncio._set_running_loop(_LOOP.get())
    try:
        function(*args).send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    finally:
        asyncio._set_running_loop(None)
    raise AssertionError("it waits for something that has not come")


anyio.to_thread.run_sync = _called  # type: ignore[assignment]
anyio.from_thread.run = _answer_of  # type: ignore[assignment]
