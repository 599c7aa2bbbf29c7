"""Bodies that are read as they come: piece by piece, never whole in memory, from whoever may be slow or stop.

A sender that says nothing for a while, breaks off, or keeps others from sending is sent away; what came of
it was written to a file without a name, and is gone.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from threading import Lock

import anyio
from anyio import from_thread
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from leadline.core.errors import Invalid, Unavailable

SECONDS_SILENT = 30.0
AT_ONCE, AT_ONCE_EACH = 8, 2  # senders in one process, and those of one organisation among them
_CHARSET = re.compile(r"charset[^;]*", re.IGNORECASE)
_UTF8 = frozenset({"charset=utf-8", 'charset="utf-8"'})


class Turns:
    """Who is sending at this moment, by organisation; no lock is held while somebody sends."""

    def __init__(self, most: int = AT_ONCE, each: int = AT_ONCE_EACH) -> None:
        self._most, self._each = most, each
        self._held, self._lock = Counter[str](), Lock()

    @contextmanager
    def of(self, org: str) -> Iterator[None]:
        """One turn of an organisation's. Raises: Unavailable, while it, or all together, have too many."""
        with self._lock:
            if self._held[org] >= self._each or self._held.total() >= self._most:
                raise Unavailable("other files are coming in at this moment; send this one later")
            self._held[org] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[org] -= 1


TURNS = Turns()


def require_utf8(request: Request) -> None:
    """Raises: HTTPException 415, for a form in another encoding.

    The framework decodes a form's fields by whatever codec of Python its sender names, on the loop that
    everybody waits for; some of them take minutes for a megabyte.
    """
    said = _CHARSET.findall(request.headers.get("content-type", ""))
    if any(one.strip().lower() not in _UTF8 for one in said):
        raise HTTPException(415, "send the form in UTF-8")


async def arriving(request: Request, name: str) -> AsyncIterator[bytes]:
    """What comes of the body, piece by piece.

    Raises: Invalid, naming *name*, for a sender that breaks off or says nothing for `SECONDS_SILENT`.
    """
    stream, came = aiter(request.stream()), 0
    while True:
        try:
            with anyio.fail_after(SECONDS_SILENT):
                piece = await anext(stream, None)
        except TimeoutError:
            told = f"nothing came for {SECONDS_SILENT:g} seconds, after {came} bytes; send it again"
            raise Invalid(name, told) from None
        except ClientDisconnect:
            raise Invalid(name, f"broke off after {came} bytes; send it again") from None
        if piece is None:
            return
        came += len(piece)
        if piece:
            yield piece


def pieces(request: Request, name: str) -> Iterator[bytes]:
    """As `arriving`, for a route that runs in a thread of its own."""
    stream = arriving(request, name)

    async def coming() -> bytes | None:
        return await anext(stream, None)

    while (piece := from_thread.run(coming)) is not None:
        yield piece
