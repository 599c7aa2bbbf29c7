"""One side of a relayed connection: bytes in the order they came, no more held than the bound."""

import asyncio
import socket
import struct
from collections.abc import Callable

from typing_extensions import override

from leadline.core.errors import Invalid
from leadline.formats import http1

HELD_BYTES_MAX = 256 * 1024
_RESET = struct.pack("ii", 1, 0)  # linger on, for no time: unsent data is dropped, and a reset sent


class GoneError(Exception):
    """The other end of this side is gone."""


class Side(asyncio.BaseProtocol):
    """A connection. Reading stops at `HELD_BYTES_MAX`, so that a slow reader slows its sender.

    An end that closes its sending half counts as gone: whoever asks waits for the answer.
    """

    def __init__(self, opened: Callable[["Side"], None] | None = None) -> None:
        self._opened = opened
        self._held = bytearray()
        self._waiting: asyncio.Future[None] | None = None
        self._late = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._full: asyncio.Future[None] | None = None
        self._paused = False
        self.ended = False
        self.broken = False
        self.ends_by_closing = False  # a mere close would be a clean end, so `abort` sends a reset
        self.on_gone: Callable[[], None] | None = None
        self.transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- of a stream
        self.transport = transport
        transport.set_write_buffer_limits(high=HELD_BYTES_MAX)
        if self._opened is not None:
            self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Something came; called by the transport."""
        self._held += data
        if len(self._held) >= HELD_BYTES_MAX and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool | None:
        """The other end sends no more; called by the transport, which closes on None."""
        self.ended = True
        self._wake()
        return None

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.broken = self.broken or exc is not None or not self.ended
        self.ended = True
        self._wake()
        if self._timer is not None:
            self._timer.cancel()
        if self._full is not None and not self._full.done():
            self._full.set_result(None)
        if self.on_gone is not None:
            self.on_gone()

    @override
    def pause_writing(self) -> None:
        self._full = asyncio.get_running_loop().create_future()

    @override
    def resume_writing(self) -> None:
        if self._full is not None and not self._full.done():
            self._full.set_result(None)
        self._full = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    @property
    def gone(self) -> bool:
        """Whether nothing can be sent to it any more."""
        return self.ended or self.transport.is_closing()

    @property
    def unread_bytes(self) -> int:
        """How many bytes came that nobody has read."""
        return len(self._held)

    async def came(self, seconds: float) -> bool:
        """Wait until something is there to read, or the other end closed; False if it is late."""
        if not self._held and not self.ended:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            self._late = loop.time() + seconds
            if self._timer is None or self._timer.when() > self._late:
                self._watch(loop)
            await self._waiting
        return bool(self._held) or self.ended

    async def read(self, seconds: float) -> bytes:
        """What came, at least one byte; nothing once the other end closed.

        Raises: TimeoutError.
        """
        if not await self.came(seconds):
            raise TimeoutError
        data = bytes(self._held)
        self._held.clear()
        if self._paused and not self.ended:
            self._paused = False
            self.transport.resume_reading()
        return data

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look again when the wait is over; a timer for each piece would cost more than the piece."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(self._late, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return
        if loop.time() < self._late:
            self._watch(loop)
        else:
            self._waiting.set_result(None)

    def unread(self, data: bytes) -> None:
        """Put back what belongs to the next message."""
        self._held[:0] = data

    async def head(self, first: float, rest: float) -> bytes:
        """The bytes of a head, its empty line included; nothing if it was closed before one began.

        *first* and *rest* are the seconds in which it begins, and comes to its end.

        Raises: TimeoutError; GoneError, if it was closed within; Invalid, if it is too long.
        """
        data = await self.read(first)
        if not data:
            return b""
        async with asyncio.timeout(rest):
            while (end := data.find(http1.END)) < 0:
                if len(data) > http1.HEAD_BYTES_MAX:
                    raise Invalid("head", f"over {http1.HEAD_BYTES_MAX} bytes")
                more = await self.read(rest)
                if not more:
                    raise GoneError
                data += more
        end += len(http1.END)
        self.unread(data[end:])
        return data[:end]

    async def write(self, data: bytes, seconds: float) -> None:
        """Send, and wait while the other end is slow.

        Raises: GoneError; TimeoutError.
        """
        if self.transport.is_closing():
            raise GoneError
        self.transport.write(data)
        if self._full is not None:
            async with asyncio.timeout(seconds):
                await self._full
            if self.transport.is_closing():
                raise GoneError

    def abort(self) -> None:
        """Close at once; what was not sent is dropped, so that the other end sees no clean end."""
        if self.ends_by_closing:
            sock = self.transport.get_extra_info("socket")
            if sock.fileno() >= 0:  # not closed already
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def close(self) -> None:
        """Close once everything is sent."""
        self.transport.close()
