"""What lies under the folders that a box is given: a digest of the listing, and UNIX sockets."""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

SCANNED_MAX = 500_000
_UNIX_PATH = 7  # column of /proc/net/unix


def listing(sources: Sequence[str], files_max: int = SCANNED_MAX) -> tuple[str, list[str]]:
    """Digest over names, kinds, modes and sizes under *sources*, and the sockets found there.

    Raises: ValueError over *files_max* files, naming the folder.
    """
    digest = hashlib.sha256()
    sockets: list[str] = []
    count = 0
    for source in sources:
        for path, info in _walk(source):
            if stat.S_ISSOCK(info.st_mode):
                sockets.append(path)
            size = info.st_size if stat.S_ISREG(info.st_mode) else 0
            row = f"{path.removeprefix(source)}\0{info.st_mode:o}\0{size}\n"
            digest.update(os.fsencode(row))
            count += 1
            if count > files_max:
                raise ValueError(f"binds: more than {files_max} files under {source}; bind less")
    return digest.hexdigest(), sockets


def _walk(source: str) -> Iterator[tuple[str, os.stat_result]]:
    yield source, os.lstat(source)
    waiting = [source] if stat.S_ISDIR(os.stat(source).st_mode) else []  # noqa: PTH116 - as lstat
    while waiting:
        with os.scandir(waiting.pop()) as folder:
            entries = sorted(folder, key=lambda entry: entry.name)
        for entry in entries:
            yield entry.path, entry.stat(follow_symlinks=False)
        waiting += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]


def bound_sockets(sources: Sequence[str]) -> list[str]:
    """UNIX sockets of this network namespace whose path lies under any of *sources*."""
    roots = [os.path.realpath(source) for source in sources]
    rows = (
        line.split() for line in Path("/proc/net/unix").read_text(errors="replace").splitlines()
    )
    named = (row[_UNIX_PATH] for row in rows if len(row) > _UNIX_PATH)
    real = {os.path.realpath(path) for path in named if path.startswith("/")}
    return sorted(
        path for path in real if any(path == r or path.startswith(f"{r}/") for r in roots)
    )
