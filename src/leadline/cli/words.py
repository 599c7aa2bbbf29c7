"""Words that a person hands a command: in a file or on standard input, never on the command line.

A command line stands in process lists and in the shell's history.
"""

import sys
from pathlib import Path

from leadline.app import given

BYTES_MAX = 1 << 16


def words_of(path: Path, bytes_max: int = BYTES_MAX) -> str:
    """The text in *path*, or on standard input where it is ``-``.

    Raises: NotFound or Invalid, naming the file.
    """
    return given.words(content_of(path, bytes_max), str(path))


def content_of(path: Path, bytes_max: int = BYTES_MAX) -> bytes:
    """As `words_of`, in bytes."""
    if str(path) == "-":
        return given.bounded(sys.stdin.buffer.read(bytes_max + 1), "standard input", bytes_max)
    return given.content(path, bytes_max)
