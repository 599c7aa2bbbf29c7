"""Files that appear whole or not at all, are on the disk before they have a name, and are never links."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leadline.core.errors import Tampered, Unavailable


def read(place: Path, bytes_max: int) -> bytes | None:
    """The bytes of a regular file, never through a link; None where there is none.

    Raises: Unavailable, if it cannot be read; Tampered, if it is longer than *bytes_max*.
    """
    descriptor = opened(place)
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise Tampered(place.name, f"longer than {bytes_max} bytes")
    return content


def opened(place: Path) -> int | None:
    """A descriptor for reading, never through a link; None where there is no file.

    Raises: Unavailable, if it cannot be read.
    """
    try:
        return os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{place.name} cannot be read: {error.strerror}") from error


def private(folder: Path) -> None:
    """The folder, made with mode 0700 where it is missing, as are those above it."""
    if not folder.is_dir():
        private(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)


def write(place: Path, content: bytes) -> None:
    """Put *content* at *place* with mode 0600, in place of whatever stands there."""
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=place.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    synced(place.parent)


def write_once(place: Path, content: bytes) -> bool:
    """Put *content* at *place* if nothing stands there; answers whether it did."""
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=place.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, place)
        except FileExistsError:
            return False
    finally:
        Path(temporary).unlink(missing_ok=True)
    synced(place.parent)
    return True


def overwritten(place: Path) -> None:
    """Overwrite a file with zeros and take its name away.

    A file system that writes elsewhere than where the old bytes stand keeps them all the same.
    """
    with contextlib.suppress(FileNotFoundError):
        with place.open("r+b") as file:
            file.write(bytes(place.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        place.unlink()
        synced(place.parent)


def synced(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process and thread at a time; the lock ends with the process, however that ends."""
    with (folder / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def writable(what: str) -> Iterator[None]:
    """Translate a disk's refusal.

    Raises: Unavailable, naming *what* and the disk's reason.
    """
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{what} cannot be written: {error.strerror}") from error
