"""Reads along in an answer, never in its way: which model answered and what it took."""

import zlib

from leadline.formats.dialect_toml import Dialect, Told
from leadline.formats.event_stream import EventStream
from leadline.formats.http1 import Fields

ANSWER_BYTES_MAX = 8 << 20
UNFOLDED_BYTES_MAX = 64 << 20
UNFOLDED_AT_ONCE_MAX = 4 << 20  # of one piece, so that no answer keeps the others waiting
_WINDOWS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}


class Watch:
    """One answer as it passes. What cannot be read (a coding, a size, no JSON) ends the reading only."""

    def __init__(self, dialect: Dialect, fields: Fields) -> None:
        self.told = Told(dialect)
        coding = b",".join(fields.all(b"content-encoding")).strip().lower()
        self.readable = dialect.reads and coding in (b"", b"identity", *_WINDOWS)
        self._unfold = zlib.decompressobj(_WINDOWS[coding]) if coding in _WINDOWS else None
        kind = b",".join(fields.all(b"content-type")).partition(b";")[0].strip().lower()
        self.streams = kind == b"text/event-stream"
        self._events = EventStream()
        self._whole = bytearray()
        self._unfolded = 0
        self._ended = False

    def take(self, piece: bytes) -> None:
        """Read a piece of the body's content."""
        if not self.readable:
            return
        if self._unfold is not None:
            try:
                piece = self._unfold.decompress(piece, UNFOLDED_AT_ONCE_MAX)
            except zlib.error:
                self.readable = False
                return
            self._unfolded += len(piece)
            rest = self._unfold.unconsumed_tail or self._unfold.unused_data
            if rest or self._unfolded > UNFOLDED_BYTES_MAX:
                self._whole.clear()
                self.readable = False
                return
        if self.streams:
            for data in self._events.feed(piece):
                self.told.take(data)
            self.readable = not self._events.lost
            return
        self._whole += piece
        if len(self._whole) > ANSWER_BYTES_MAX:
            self._whole.clear()
            self.readable = False

    def end(self) -> None:
        """The body is complete."""
        if self.readable and not self.streams and not self._ended:
            self._ended = True
            self.readable = self.told.take(bytes(self._whole))
            self._whole.clear()
