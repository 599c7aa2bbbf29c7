"""The control socket to a box's first process: framed requests out, statuses in.

Frames are queued and written whole, whatever happens to the caller, so a call that is cancelled
half-way can never leave half a frame in the stream. The protocol stands in `native/sbxinit.c`.
"""

import array
import asyncio
import itertools
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Sequence

_HEADER = struct.Struct("<IIc3x")
_REPLY = struct.Struct("<Ii")
PAYLOAD_BYTES_MAX = 16 << 20


class Ended(ConnectionError):
    """The box's first process is gone, and with it everything in the box."""


class Channel:
    """One control socket; lives on the event loop it was made on."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[int]] = {0: self._loop.create_future()}
        self._frames: deque[tuple[memoryview, Sequence[int]]] = deque()
        self._received = bytearray()
        self._writing = False
        self._lock = threading.Lock()  # guards _frames and the order of what is sent
        self.ready = self._waiting[0]
        self.ended = False
        sock.settimeout(0)
        self._loop.add_reader(sock.fileno(), self._read)

    def submit(
        self, op: bytes, payload: bytes, fds: Sequence[int]
    ) -> tuple[int, asyncio.Future[int]]:
        """Queue a job; its status arrives in the future. Takes over *fds* and closes them once sent.

        Raises: Ended; ValueError for a payload over 16 MiB.
        """
        number = next(self._ids) & 0xFFFFFFFF or next(self._ids)
        if self.ended or len(payload) > PAYLOAD_BYTES_MAX:
            _close(fds)
            if self.ended:
                raise Ended("the sandbox has ended")
            raise ValueError(f"arguments and environment exceed {PAYLOAD_BYTES_MAX} bytes")
        future: asyncio.Future[int] = self._loop.create_future()
        self._waiting[number] = future
        self._send(_HEADER.pack(len(payload), number, op) + payload, fds)
        return number, future

    def forget(self, number: int) -> None:
        """Nobody waits for job *number* any more."""
        self._waiting.pop(number, None)

    def kill(self, number: int) -> None:
        """End the process group of job *number*; nothing happens if it is over."""
        self._send(_HEADER.pack(0, number, b"K"), ())

    def kill_all(self) -> None:
        """End every process of the box but the first; callable from any thread.

        Sent from the calling thread unless half a frame is in the stream, so that a busy event loop
        does not delay it.
        """
        frame = _HEADER.pack(0, 0, b"A")
        with self._lock:
            if self.ended:
                return
            if not self._frames and self._sent_now(frame):
                return
        self._loop.call_soon_threadsafe(self._send, frame, ())

    def close(self) -> None:
        """Hang up: the first process ends itself, and the kernel ends the rest."""
        with self._lock:
            if self.ended:
                return
            self.ended = True
            self._loop.remove_reader(self._sock.fileno())
            if self._writing:
                self._loop.remove_writer(self._sock.fileno())
            self._sock.close()
        for _, fds in self._frames:
            _close(fds)
        self._frames.clear()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Ended("the sandbox has ended"))
                future.exception()  # looked at, so that an abandoned call is not reported
        self._waiting.clear()

    def _send(self, frame: bytes, fds: Sequence[int]) -> None:
        if self.ended:
            return
        with self._lock:
            self._frames.append((memoryview(frame), fds))
        if not self._writing:
            self._write()

    def _sent_now(self, frame: bytes) -> bool:
        """Whether the whole frame went out at once; a header is far below what a socket splits."""
        try:
            sent = self._sock.send(frame)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            sent = 0
        return sent == len(frame)

    def _write(self) -> None:
        try:
            with self._lock:
                self._write_frames()
        except (BrokenPipeError, ConnectionResetError):
            self.close()
            return
        if bool(self._frames) != self._writing:
            self._writing = bool(self._frames)
            if self._writing:
                self._loop.add_writer(self._sock.fileno(), self._write)
            else:
                self._loop.remove_writer(self._sock.fileno())

    def _write_frames(self) -> None:
        while self._frames:
            frame, fds = self._frames[0]
            sent = self._send_some(frame, fds)
            if not sent:
                return
            _close(fds)
            if sent == len(frame):
                self._frames.popleft()
            else:
                self._frames[0] = (frame[sent:], ())

    def _send_some(self, frame: memoryview, fds: Sequence[int]) -> int:
        """How many bytes the socket took; 0 while it is full. Descriptors go with the first."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            sent = self._sock.sendmsg([frame], rights)
        except BlockingIOError:
            sent = 0
        return sent

    def _read(self) -> None:
        try:
            data = self._sock.recv(65_536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.close()
            return
        self._received += data
        whole = len(self._received) // _REPLY.size * _REPLY.size
        for number, status in _REPLY.iter_unpack(bytes(self._received[:whole])):
            future = self._waiting.pop(number, None)
            if future is not None and not future.done():
                future.set_result(status)
        del self._received[:whole]


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
