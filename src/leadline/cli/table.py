"""A table that somebody hands in as a file: its text, unpacked and bounded."""

import gzip
import zlib
from pathlib import Path

from leadline.core.errors import Invalid, NotFound

BYTES_MAX = 1 << 30


def text_of(path: Path) -> str:
    """The file's text, unpacked where it is gzip, and bounded.

    Raises: NotFound or Invalid, naming the file.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            data = (gzip.GzipFile(fileobj=file) if packed else file).read(BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise NotFound(f"{path} is not there") from error
    except (OSError, EOFError, zlib.error) as error:
        raise Invalid(str(path), f"cannot be read: {error}") from error
    if len(data) > BYTES_MAX:
        raise Invalid(str(path), "is larger than 1 GiB; divide it by model")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(str(path), f"is no UTF-8 text: {error}") from error
