"""What a bundle holds besides the log: its manifest, the statement signed over it, opened acts.

``manifest.json`` names every other file with its digest and length; the text of ``manifest.note``
binds that file's digest to one tree head; each line of ``acts.jsonl`` opens one commitment.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from leadline.core.errors import Invalid
from leadline.core.record import commitment
from leadline.core.record.act import Value
from leadline.formats import canonical, checkpoint

MANIFEST = "manifest.json"
STATEMENT = "manifest.note"
CHECKPOINT = "checkpoint"
ACTS = "acts.jsonl"

MANIFEST_BYTES_MAX = 64 << 20
ACT_BYTES_MAX = 1 << 20
PATH_CHARACTERS_MAX = 512
HEADER = "leadline/bundle/v1"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+@=,-]*", re.ASCII)
_HEX_32 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class File:
    """What the manifest says about one file: SHA-256 in hex, and length."""

    sha256: str
    bytes: int


def check_path(path: str) -> None:
    """Return if *path* may stand in a bundle.

    Each part begins with a letter, digit or underscore and goes on with these and ``. + @ = , -``,
    so that every file system and every shell sees the same name.

    Raises: Invalid, naming the path.
    """
    if len(path) > PATH_CHARACTERS_MAX or not all(map(_NAME.fullmatch, path.split("/"))):
        raise Invalid(shown(path), "not a name for a file in a bundle; use letters, digits and ._-")


def shown(path: str) -> str:
    """*path* as one printable line, whatever a file system let through."""
    return path.encode("utf-8", "backslashreplace").decode().encode("unicode_escape").decode()


def encode(files: Mapping[str, File]) -> bytes:
    """The manifest of *files*, by path.

    Raises: Invalid, for a path that may not stand in a bundle, or two that differ in case only.
    """
    _check_files(files)
    members: dict[str, Value] = {
        path: {"sha256": one.sha256, "bytes": one.bytes} for path, one in files.items()
    }
    return canonical.encode(members, bytes_max=MANIFEST_BYTES_MAX)


def decode(data: bytes) -> dict[str, File]:
    """The files that a manifest names.

    Raises: Invalid, if the bytes are not exactly what `encode` gives.
    """
    members = canonical.decode(data, bytes_max=MANIFEST_BYTES_MAX)
    if not isinstance(members, Mapping):
        raise Invalid("manifest", "an object of paths is due")
    files = {path: _file(path, member) for path, member in members.items()}
    _check_files(files)
    return files


def _file(path: str, member: Value) -> File:
    if isinstance(member, Mapping) and set(member) == {"sha256", "bytes"}:
        digest, length = member["sha256"], member["bytes"]
        hexed = isinstance(digest, str) and _HEX_32.fullmatch(digest)
        if hexed and isinstance(length, int) and not isinstance(length, bool) and length >= 0:
            return File(str(digest), length)
    raise Invalid(f"manifest entry {shown(path)}", "`sha256` in hex and `bytes` are due")


def _check_files(files: Mapping[str, File]) -> None:
    folded = set[str]()
    for path in files:
        check_path(path)
        if path.casefold() in folded:
            raise Invalid(path, "differs from another file's path in case only")
        folded.add(path.casefold())
    if {MANIFEST, STATEMENT} & folded:
        raise Invalid("manifest", "it names neither itself nor its signature")


@dataclass(frozen=True, slots=True)
class Statement:
    """What the signers of a bundle say: this manifest belongs to this tree head."""

    head: checkpoint.Checkpoint
    manifest: str  # SHA-256 of manifest.json in hex

    @property
    def text(self) -> str:
        """The note text; its first and third line keep it from being read as a checkpoint."""
        root = b64encode(self.head.root).decode()
        lines = (HEADER, self.head.origin, str(self.head.size), root, self.manifest)
        return "".join(f"{line}\n" for line in lines)


def parse_statement(text: str) -> Statement:
    """The statement that a note's *text* spells.

    Raises: Invalid, if it is not exactly in this form.
    """
    header, _, rest = text.partition("\n")
    body, _, digest = rest.removesuffix("\n").rpartition("\n")
    if header != HEADER or not _HEX_32.fullmatch(digest):
        raise Invalid("statement", f"`{HEADER}`, origin, size, root and a digest are due")
    statement = Statement(checkpoint.parse(f"{body}\n"), digest)
    if statement.text != text:
        raise Invalid("statement", "five lines are due")
    return statement


@dataclass(frozen=True, slots=True)
class Opening:
    """An act shown to a reader: its place in the log, its record, and the blinder."""

    index: int
    blinder: bytes
    record: Value

    @property
    def entry(self) -> bytes:
        """The log entry that this opens.

        Raises: Invalid, if the record has no canonical form or the blinder is not 32 bytes.
        """
        record = canonical.encode(self.record, bytes_max=ACT_BYTES_MAX)
        return commitment.entry(commitment.commit(self.blinder, record))


def encode_opening(opening: Opening) -> bytes:
    """One line of ``acts.jsonl``, with its newline.

    Raises: Invalid, as `Opening.entry`.
    """
    members: dict[str, Value] = {
        "blinder": opening.blinder.hex(),
        "index": opening.index,
        "record": opening.record,
    }
    return canonical.encode(members, bytes_max=ACT_BYTES_MAX) + b"\n"


def decode_opening(line: bytes) -> Opening:
    """The opened act in one line of ``acts.jsonl``, newline included.

    Raises: Invalid, if the line is not exactly what `encode_opening` gives.
    """
    members = canonical.decode(line.removesuffix(b"\n"), bytes_max=ACT_BYTES_MAX)
    if not line.endswith(b"\n") or not isinstance(members, Mapping):
        raise Invalid("act", "one object a line is due, each line ending in a newline")
    if set(members) != {"blinder", "index", "record"}:
        raise Invalid("act", "`blinder`, `index` and `record` are due, and nothing else")
    blinder, index, record = members["blinder"], members["index"], members["record"]
    if not isinstance(blinder, str) or not _HEX_32.fullmatch(blinder):
        raise Invalid("blinder", "32 bytes in lower-case hex are due")
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise Invalid("index", "a log index counts from 0")
    if not isinstance(record, Mapping):
        raise Invalid("record", "an act's record is an object")
    return Opening(index, bytes.fromhex(blinder), record)


def digest(data: bytes) -> str:
    """SHA-256 in hex, as the manifest and the statement spell it."""
    return sha256(data).hexdigest()
