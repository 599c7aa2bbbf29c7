"""Words that a person hands a command: in a file or on standard input, never on the command line.

A command line stands in process lists and in the shell's history.
"""

import sys
from pathlib import Path

from leadline.core.errors import Invalid, NotFound

BYTES_MAX = 1 << 16


def words_of(path: Path) -> str:
    """The text in *path*, or on standard input where it is ``-``.

    Raises: NotFound or Invalid, naming the file.
    """
    try:
        return content_of(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(str(path), f"is no UTF-8 text: {error}") from None


def content_of(path: Path) -> bytes:
    """As `words_of`, in bytes."""
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(BYTES_MAX + 1)
        else:
            with path.open("rb") as file:
                content = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        raise NotFound(f"{path} is not there") from None
    except OSError as error:
        raise Invalid(str(path), f"cannot be read: {error.strerror}") from None
    if len(content) > BYTES_MAX:
        raise Invalid(str(path), "is larger than 64 KiB")
    return content
