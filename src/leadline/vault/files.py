"""The vault as a folder of files named by their digests.

Content is not encrypted by this driver: whoever can read the folder as its owner can read the
content. Files are created once, with mode 0600 in folders of mode 0700, synced before they get their
name, and never replaced. Beside each stands its marking, written first, so that no content is ever
without one. A second put under another marking leaves the strictest of both.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from leadline.core.errors import Invalid, NotFound, Tampered, Unavailable
from leadline.core.marking import Marking, parse_marking

DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class FileVault:
    """`leadline.app.ports.Vault` on a folder. Threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes, *, marking: Marking) -> str:
        """Store and answer the SHA-256 in hex.

        Raises: Invalid, for a compartment that the marking's text cannot hold; Tampered, if other
        bytes stand under this digest; Unavailable, if the folder cannot be written.
        """
        if parse_marking(str(marking)) != marking:
            raise Invalid("marking", "a compartment's name holds //; rename it")
        digest = sha256(content).hexdigest()
        place = self._place(digest)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.parent.mkdir(exist_ok=True, mode=0o700)
            with self._locked():
                self._mark(digest, marking)
                if place.exists():
                    self.get(digest)
                else:
                    _write(place, content)
        except OSError as error:
            raise Unavailable(f"the vault cannot be written: {error.strerror}") from error
        return digest

    def get(self, digest: str) -> bytes:
        """Raises NotFound, or Tampered if the bytes no longer match their digest."""
        content = _read(self._place(digest))
        if content is None:
            raise NotFound(f"the vault holds nothing under {digest}")
        if sha256(content).hexdigest() != digest:
            raise Tampered(f"vault {digest}", "the stored bytes have another digest")
        return content

    def marking(self, digest: str) -> Marking:
        """The marking the content was stored under; raises NotFound."""
        place = self._place(digest)
        text = _read(place.with_suffix(".marking"))
        if text is None or not place.exists():
            raise NotFound(f"the vault holds nothing under {digest}")
        return _parse(digest, text)

    def _mark(self, digest: str, marking: Marking) -> None:
        place = self._place(digest).with_suffix(".marking")
        present = _read(place)
        joined = marking if present is None else marking.join(_parse(digest, present))
        if present is None or joined != _parse(digest, present):
            _write(place, str(joined).encode())

    def _place(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise Invalid("digest", "64 lower-case hexadecimal digits are due")
        return self._folder / digest[:2] / digest

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, so that of two markings none is lost."""
        with (self._folder / ".lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _parse(digest: str, text: bytes) -> Marking:
    try:
        return parse_marking(text.decode("utf-8"))
    except (Invalid, UnicodeDecodeError):
        raise Tampered(f"vault {digest}", "its marking cannot be read") from None


def _read(place: Path) -> bytes | None:
    """The bytes of a regular file, never through a link; None where there is none."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{place.name} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _write(place: Path, content: bytes) -> None:
    """Put *content* at *place*, whole or not at all, and on the disk before it has its name."""
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=place.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
