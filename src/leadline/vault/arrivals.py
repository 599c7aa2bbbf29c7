"""Uploads between their requests: encrypted, appended to and nothing else, as far as they are on the disk.

AES-256 in counter mode under a key of each upload's own: a file is as long as what came of it, and can be gone
on with at any byte. Nothing vouches for its bytes; whoever takes the whole in compares its digest.
"""

import fcntl
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from leadline.core.errors import NotFound, Refused, Unavailable
from leadline.vault import disk

BLOCK_BYTES, CHUNK_BYTES, SYNC_BYTES = 16, 1 << 20, 32 << 20
SPARE_BYTES = 1 << 30  # of the disk, which no upload fills


@dataclass(frozen=True, slots=True)
class Part:
    """What came of one upload, held by one request."""

    descriptor: int

    @property
    def size(self) -> int:
        """How many bytes came."""
        return os.fstat(self.descriptor).st_size

    def append(self, key: bytes, chunks: Iterable[bytes]) -> None:
        """Write what comes behind what came; all that came is on the disk at the end, whatever ends it.

        Raises: Unavailable, where the disk refuses or is nearly full; as *chunks*.
        """
        stream = _stream(key, self.size)
        with disk.writable("the upload"):
            try:
                synced = self.size
                for chunk in chunks:
                    self._write(stream.update(chunk))
                    if self.size - synced >= SYNC_BYTES:
                        os.fdatasync(self.descriptor)
                        synced = self.size
            finally:
                os.fsync(self.descriptor)

    def _write(self, data: bytes) -> None:
        if room(self.descriptor) < len(data):
            raise Unavailable("the disk is nearly full; what came is kept, go on with it later")
        left = memoryview(data)
        while left:
            left = left[os.write(self.descriptor, left) :]

    def read(self, key: bytes) -> Iterator[bytes]:
        """All that came, from its beginning."""
        stream, at = _stream(key, 0), 0
        while chunk := os.pread(self.descriptor, CHUNK_BYTES, at):
            at += len(chunk)
            yield stream.update(chunk)


class Arrivals:
    """`leadline.app.arriving.Arrivals` on a folder; a file's name is its upload's id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self, id_: str) -> Iterator[Part]:
        """As the port."""
        descriptor = self._opened(id_)
        try:
            self._lock(descriptor)
            if not os.fstat(descriptor).st_nlink:
                raise NotFound("it was given up at this moment")
            os.fsync(descriptor)  # what is told of its size holds after any end of this machine
            yield Part(descriptor)
        finally:
            os.close(descriptor)

    def _opened(self, id_: str) -> int:
        disk.private(self._folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with disk.writable("the upload"):
            descriptor = os.open(self._folder / id_, flags, 0o600)
            disk.synced(self._folder)
        return descriptor

    @staticmethod
    def _lock(descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = "another request is at this upload at this moment; try again when it has ended"
            raise Refused(told) from None

    def room(self) -> int:
        """As the port."""
        disk.private(self._folder)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return room(descriptor)
        finally:
            os.close(descriptor)

    def ids(self) -> Collection[str]:
        """As the port."""
        return [one.name for one in self._folder.iterdir()] if self._folder.is_dir() else []

    def remove(self, id_: str) -> None:
        """As the port."""
        (self._folder / id_).unlink(missing_ok=True)


def room(descriptor: int) -> int:
    """How many bytes uploads may still take of the disk that an open file is on."""
    found = os.fstatvfs(descriptor)
    return max(found.f_bavail * found.f_frsize - SPARE_BYTES, 0)


def _stream(key: bytes, offset: int) -> CipherContext:
    """Going on at *offset*: the keystream is of that place, whichever request wrote what is before it."""
    counter = (offset // BLOCK_BYTES).to_bytes(BLOCK_BYTES, "big")
    stream = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    stream.update(bytes(offset % BLOCK_BYTES))
    return stream
