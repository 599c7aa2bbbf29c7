"""What a person sees of a running assessment: counts, time left, the current items."""

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from leadline.app.ports import Shard

PLAIN_SECONDS = 5.0


class Progress:
    """Writes to standard error: a live block on a terminal, otherwise a line every few seconds.

    Standard output stays free for the one JSON document.
    """

    def __init__(self, stream: TextIO | None = None, *, plain: bool = False) -> None:
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty() and not plain
        self.began = time.monotonic()
        self.last_line = 0.0
        self.drawn = 0
        self.start: tuple[float, int] | None = None

    def phase(self, text: str) -> None:
        """Say that a new stage of the assessment has begun."""
        self._wipe()
        self._write(f"[{self._clock()}] {text}\n")

    def note(self, text: str) -> None:
        """Say one thing that happened."""
        self._wipe()
        self._write(f"          {text}\n")

    def samples(self, shards: Sequence[Shard]) -> None:
        """Show how far the samples are."""
        done, total = sum(s.done for s in shards), sum(s.total for s in shards)
        now = time.monotonic()
        if self.start is None:
            self.start = (now, done)
        running = [f"{s.kind}: {s.note}" for s in shards if s.state == "running" and s.note]
        line = f"{done} of {total} samples, {self._left(now, done, total)}"
        if self.live:
            self._wipe()
            lines = [
                f"          {self._bar(done, total)} {line}",
                *(f"            {r}" for r in running),
            ]
            self._write("".join(text + "\n" for text in lines))
            self.drawn = len(lines)
        elif now - self.last_line >= PLAIN_SECONDS:
            self.last_line = now
            self._write(f"[{self._clock()}] {line}; {'; '.join(running) or 'waiting'}\n")

    def _left(self, now: float, done: int, total: int) -> str:
        """Time left by the pace since the first look; nothing is guessed before a sample is done."""
        began, before = self.start or (now, done)
        if done == total:
            return "all done"
        if done == before:
            return "time left not known yet"
        seconds = (now - began) / (done - before) * (total - done)
        return f"about {int(seconds // 60)}:{int(seconds % 60):02d} left"

    def _bar(self, done: int, total: int, width: int = 24) -> str:
        full = width * done // total if total else 0
        return "[" + "#" * full + "-" * (width - full) + "]"

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self.began)
        return f"{seconds // 60:2d}:{seconds % 60:02d}"

    def _wipe(self) -> None:
        if self.drawn:
            self._write(f"\x1b[{self.drawn}F\x1b[J")
            self.drawn = 0

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
