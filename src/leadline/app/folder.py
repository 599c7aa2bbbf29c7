"""Reading a folder that nobody vouches for: plain files only, by names that are safe to print."""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from leadline.core.errors import Tampered, Unavailable
from leadline.formats.manifest import shown

CHUNK_BYTES = 1 << 20


def scan(folder: Path) -> dict[str, int]:
    """Every file below *folder*: its path from there, with slashes, and its length.

    A folder with nothing in it stands there too, its path ending in a slash: it is no file, and
    whoever compares with a list of files will not miss it.

    Raises: Tampered, naming the place, for a link or a device; Unavailable, if the folder cannot
    be read.
    """
    found, waiting = dict[str, int](), [""]
    while waiting:
        prefix = waiting.pop()
        count = 0
        for entry in _entries(folder / prefix):
            count += 1
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{path}/")
            elif entry.is_file(follow_symlinks=False):
                found[path] = entry.stat(follow_symlinks=False).st_size
            else:
                raise Tampered(shown(path), "neither a plain file nor a folder; take it out")
        if prefix and not count:
            found[prefix] = 0
    return found


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise Unavailable(f"{shown(str(folder))} cannot be read: {error.strerror}") from error


def read(folder: Path, path: str, *, bytes_max: int) -> bytes:
    """The content of one file.

    Raises: Tampered, if it is missing or longer than *bytes_max*; Unavailable, if it cannot be
    read.
    """
    parts = list[bytes]()
    length = 0
    for chunk in chunks(folder, path):
        length += len(chunk)
        if length > bytes_max:
            raise Tampered(shown(path), f"longer than the {bytes_max} bytes that it may have")
        parts.append(chunk)
    return b"".join(parts)


def digest(folder: Path, path: str) -> tuple[str, int]:
    """SHA-256 in hex and length of one file, read in pieces.

    Raises: as `read`.
    """
    running, length = sha256(), 0
    for chunk in chunks(folder, path):
        running.update(chunk)
        length += len(chunk)
    return running.hexdigest(), length


def chunks(folder: Path, path: str) -> Iterator[bytes]:
    """The content of one file in pieces of at most a MiB.

    Raises: as `read`.
    """
    try:
        with open(folder / path, "rb", opener=_unlinked) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise Tampered(shown(path), "missing; get the bundle again from its issuer") from error
    except OSError as error:
        raise Unavailable(f"{shown(path)} cannot be read: {error.strerror}") from error


def _unlinked(path: str, flags: int) -> int:
    """Open without following a link that was put in place of a file after the scan."""
    return os.open(path, flags | os.O_NOFOLLOW)


def lines(folder: Path, path: str, *, bytes_max: int) -> Iterator[bytes]:
    """The lines of one file, newlines included, each at most *bytes_max* long.

    Raises: as `read`.
    """
    rest = b""
    for chunk in chunks(folder, path):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
        if len(rest) > bytes_max:
            raise Tampered(shown(path), f"a line is longer than {bytes_max} bytes")
    if rest:
        yield rest
