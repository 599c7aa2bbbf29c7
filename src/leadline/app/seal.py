"""Sealing a finished folder into a bundle: its manifest, and the log's signature over that."""

import os
from pathlib import Path

from leadline.app import folder as files
from leadline.app.ports import Signer
from leadline.core.errors import Invalid, Tampered
from leadline.formats import checkpoint, manifest, note

_NEW = ".new"


def seal(folder: Path, signer: Signer, origin: str) -> manifest.Statement:
    """Write ``manifest.json`` and ``manifest.note`` for every other file in *folder*.

    The folder holds ``checkpoint``, ``acts.jsonl`` and whatever else belongs to the bundle, and
    nobody writes to it any more. The signed statement is written last: a folder without it is not
    sealed. Sealing again replaces both files, so that a crash in the middle needs no clean-up.
    Empty folders, which a manifest cannot name, are removed.

    Raises: Invalid, naming the file, for a link, a name that may not stand in a bundle, a missing
    or unreadable checkpoint, or one of another log than *origin*.
    """
    own = {manifest.MANIFEST, manifest.STATEMENT}
    own |= {f"{name}{_NEW}" for name in own}
    try:
        found = sorted(_scan(folder).keys() - own)
        for path in found:
            manifest.check_path(path)
        head = _head(folder, origin)
        named = {path: manifest.File(*files.digest(folder, path)) for path in found}
    except Tampered as error:
        raise Invalid(error.place, error.problem) from error
    if manifest.ACTS not in named:
        raise Invalid(manifest.ACTS, "missing; write the opened acts first, or an empty file")
    listing = manifest.encode(named)
    statement = manifest.Statement(head, manifest.digest(listing))
    signed = signer.sign(statement.text)
    (folder / manifest.STATEMENT).unlink(missing_ok=True)
    _write(folder / manifest.MANIFEST, listing)
    _write(folder / manifest.STATEMENT, signed.encode())
    return statement


def _scan(folder: Path) -> dict[str, int]:
    """The files in *folder*, after every folder without a file was removed from it."""
    found = files.scan(folder)
    while empty := [path for path in found if path.endswith("/")]:
        for path in empty:
            (folder / path).rmdir()
        found = files.scan(folder)
    return found


def _head(folder: Path, origin: str) -> checkpoint.Checkpoint:
    data = files.read(folder, manifest.CHECKPOINT, bytes_max=note.NOTE_BYTES_MAX)
    head = checkpoint.parse(note.parse(data).text)
    if head.origin != origin:
        raise Invalid(manifest.CHECKPOINT, f"it is of the log {head.origin}, not of {origin}")
    return head


def _write(path: Path, content: bytes) -> None:
    """The file appears whole or not at all, and is on disk before this returns."""
    new = path.with_name(f"{path.name}{_NEW}")
    with new.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)
