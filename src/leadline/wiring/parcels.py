"""Parcels with cases on disk: small folders, read bounded, written whole or not at all."""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from leadline.app import folder as files
from leadline.core.errors import Invalid, NotFound, Tampered
from leadline.wiring.log import write as write_file

FILE_BYTES_MAX = 8 << 20
FILES_MAX = 16


def read(folder: Path) -> dict[str, bytes]:
    """The files of a parcel.

    Raises: NotFound; Tampered, for links, sub-folders' worth of files or files that are too long.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder; give the parcel's")
    found = files.scan(folder)
    if len(found) > FILES_MAX:
        raise Tampered("parcel", f"more than {FILES_MAX} files")
    return {path: files.read(folder, path, bytes_max=FILE_BYTES_MAX) for path in sorted(found)}


def check_new(out: Path) -> None:
    """Return if *out* is free. Raises: Invalid."""
    if out.exists() or not out.parent.is_dir():
        raise Invalid("out", f"{out} exists, or lies in no folder; name a new one")


def write(out: Path, parts: Mapping[str, bytes]) -> None:
    """The new folder *out*, readable by its owner alone.

    Raises: Invalid, if it is there or cannot be written.
    """
    check_new(out)
    new = out.with_name(f".{out.name}.{secrets.token_hex(4)}.new")
    try:
        new.mkdir(mode=0o700)
        for path, data in parts.items():
            write_file(new / path, data, 0o600)
        new.rename(out)
    except OSError as error:
        raise Invalid("out", f"{out} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def write_new(out: Path, data: bytes) -> None:
    """The new file *out*. Raises: Invalid, if it is there or cannot be written."""
    check_new(out)
    try:
        write_file(out, data, 0o600)
    except OSError as error:
        raise Invalid("out", f"{out} cannot be written: {error.strerror}") from error
