"""Content that is being read and stops being readable the moment access ends."""

import io
import os
from collections.abc import Callable
from typing import BinaryIO

from typing_extensions import Buffer, override

from leadline.core.errors import Refused


class Revocable(io.RawIOBase):
    """Verified plaintext that stops being readable when access ends, in whatever process that is.

    *ended* is asked before each piece; *digest* names the content in the refusal.
    """

    def __init__(self, plain: BinaryIO, ended: Callable[[], bool], digest: str) -> None:
        super().__init__()
        self._plain, self._ended, self._digest = plain, ended, digest

    @override
    def readinto(self, buffer: Buffer) -> int:
        """Raises: Refused, once access has ended."""
        if self._ended():
            raise Refused(f"access to {self._digest} has ended while it was open")
        view = memoryview(buffer)
        chunk = self._plain.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._plain.seek(offset, whence)
