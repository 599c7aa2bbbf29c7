"""A stream of choices that follows from a seed alone, the same on every machine and Python.

The standard library's `random` keeps its streams only for some of its methods; here every choice
is cut from SHAKE-256 of the seed and a label, so that an item is a function of its seed.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")
_BLOCK = 4096


class Draw:
    """Choices from *seed* under *label*; equal arguments give equal choices, in order."""

    def __init__(self, seed: bytes, label: str) -> None:
        name = label.encode("utf-8")
        self._key = len(name).to_bytes(4, "big") + name + seed
        self._block, self._at, self._bytes = 0, 0, b""

    def take(self, count: int) -> bytes:
        """The next *count* bytes."""
        while len(self._bytes) - self._at < count:
            block = self._block.to_bytes(8, "big")
            self._bytes = self._bytes[self._at :] + hashlib.shake_256(self._key + block).digest(
                _BLOCK
            )
            self._block, self._at = self._block + 1, 0
        self._at += count
        return self._bytes[self._at - count : self._at]

    def below(self, bound: int) -> int:
        """A number from 0 to *bound* - 1.

        64 bits are reduced modulo *bound*: for the bounds used here the bias is under 2**-32.
        """
        return int.from_bytes(self.take(8), "big") % bound

    def between(self, low: int, high: int) -> int:
        """A number from *low* to *high*, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True in *percent* of 100 draws."""
        return self.below(100) < percent

    def choice(self, values: Sequence[_T]) -> _T:
        """One of *values*."""
        return values[self.below(len(values))]

    def shuffled(self, values: Sequence[_T]) -> list[_T]:
        """*values* in a drawn order."""
        rest = list(values)
        return [rest.pop(self.below(len(rest))) for _ in range(len(rest))]
