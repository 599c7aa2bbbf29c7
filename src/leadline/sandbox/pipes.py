"""The three pipes of one job, seen from the host."""

import asyncio
import os

_CHUNK_BYTES = 1 << 18


def read_now(fd: int) -> bytes | None:
    """What can be read from *fd* without waiting: None if nothing yet, empty at its end."""
    try:
        chunk = os.read(fd, _CHUNK_BYTES)
    except BlockingIOError:
        chunk = None
    return chunk


class Outlet:
    """One output of a job: collected up to a bound, without blocking."""

    def __init__(self, bytes_max: int) -> None:
        self.fd, self.end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.fd, False)
        self.data = bytearray()
        self.open = True
        self.overflowed = False
        self._bytes_max = bytes_max

    def take(self) -> None:
        """Read what is there; stops being open at the end of the stream or past the bound."""
        chunk = read_now(self.fd)
        if chunk is None:
            return
        self.overflowed = len(self.data) + len(chunk) > self._bytes_max
        self.open = bool(chunk) and not self.overflowed
        self.data += chunk[: self._bytes_max - len(self.data)]


class Pipes:
    """Feeds one input and collects two outputs, each of at most *bytes_max* bytes.

    Everything runs in callbacks of the event loop; `settled` is set when both outputs have ended or
    one has grown too long. The `ends` belong to whoever sends them to the box.
    """

    def __init__(
        self, stdin: bytes, bytes_max: int, owner: int | None, *, for_all: bool = False
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._rest = memoryview(stdin)
        self.settled = asyncio.Event()
        inlet, self._feed = os.pipe2(os.O_CLOEXEC)
        self.out, self.err = Outlet(bytes_max), Outlet(bytes_max)
        self.ends = (inlet, self.out.end, self.err.end)
        if owner is not None:
            # A job may open /dev/stdin, /dev/stdout and /dev/stderr anew; as root's it could not.
            for fd in self.ends:
                os.fchown(fd, owner, owner)
        if for_all:
            # A kernel of the box's own sees no owner it knows. Nobody else can name these pipes.
            for fd in self.ends:
                os.fchmod(fd, 0o666)
        for outlet in (self.out, self.err):
            self._loop.add_reader(outlet.fd, self._take, outlet)
        os.set_blocking(self._feed, False)
        self._write()

    @property
    def overflowed(self) -> bool:
        """Whether one of the outputs passed the bound."""
        return self.out.overflowed or self.err.overflowed

    def finish(self) -> list[int]:
        """Take what already lies in the pipes and stop; answers the outputs still held open.

        Something in the box holds them. Kept open and unread, a background process that prints
        waits; closed, it would die of SIGPIPE.
        """
        held: list[int] = []
        for outlet in (self.out, self.err):
            if outlet.open:
                outlet.take()
                self._loop.remove_reader(outlet.fd)
                held.append(outlet.fd)
            else:
                os.close(outlet.fd)
        self._hang_up()
        return held

    def _take(self, outlet: Outlet) -> None:
        outlet.take()
        if not outlet.open:
            self._loop.remove_reader(outlet.fd)
            if self.overflowed or not (self.out.open or self.err.open):
                self.settled.set()

    def _write(self) -> None:
        try:
            while self._rest:
                self._rest = self._rest[os.write(self._feed, self._rest) :]
        except BlockingIOError:
            self._loop.add_writer(self._feed, self._write)
            return
        except BrokenPipeError:
            self._rest = self._rest[:0]
        self._hang_up()

    def _hang_up(self) -> None:
        if self._feed >= 0:
            self._loop.remove_writer(self._feed)
            os.close(self._feed)
            self._feed = -1
