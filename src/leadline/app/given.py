"""A file that a person hands in: read whole, up to a bound, with an error that names it."""

from pathlib import Path

from leadline.core.errors import Invalid, NotFound


def content(file: Path, bytes_max: int) -> bytes:
    """The bytes of *file*.

    Raises: NotFound, if it is not there; Invalid, if it cannot be read or has more than *bytes_max*.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(bytes_max + 1)
    except FileNotFoundError:
        raise NotFound(f"{file} is not there") from None
    except OSError as error:
        raise Invalid(str(file), f"cannot be read: {error.strerror}") from error
    return bounded(data, str(file), bytes_max)


def bounded(data: bytes, name: str, bytes_max: int) -> bytes:
    """*data*, of which one byte more than *bytes_max* was read at most.

    Raises: Invalid, naming where it is from.
    """
    if len(data) > bytes_max:
        raise Invalid(name, f"is larger than {bytes_max} bytes")
    return data


def words(data: bytes, name: str) -> str:
    """The text that *data* is, in UTF-8, with or without a byte order mark.

    Raises: Invalid, naming where it is from; nothing is read with signs left out.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(name, f"is no UTF-8 text: {error}") from None
