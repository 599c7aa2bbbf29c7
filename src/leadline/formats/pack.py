"""A pack of items as one file, and the signed texts about it.

A pack: a line of magic, the length of an index in eight bytes, the index in canonical JSON, then the
files' bytes in the order of the index. What is not exactly that is refused: a path that could leave a
folder, a size that lies, a byte too many. The texts are signed notes of two lines: what it is, and
canonical JSON.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TypeVar, get_args, get_origin, get_type_hints

from leadline.core.errors import Invalid, Tampered
from leadline.core.record.act import Kind, Value, from_record
from leadline.core.sealed.pack import (
    ITEMS_MAX,
    Commitment,
    Reveal,
    commitment_record,
    item_commitment,
)
from leadline.core.sealed.pack import (
    Opening as LeafOpening,
)
from leadline.formats import canonical
from leadline.formats.manifest import Opening
from leadline.formats.tlog_proof import ActProof
from leadline.formats.values import plain

MAGIC = b"leadline/pack/v1\n"
LENGTH_BYTES = 8
INDEX_BYTES_MAX = 16 << 20
PACK_BYTES_MAX = 256 << 20
FILES_MAX = 10_000
SALT_BYTES = 32
COMMITMENT = "leadline/pack-commitment/v1"
REVEAL = "leadline/pack-reveal/v1"
OPENINGS = "leadline/pack-openings/v1"
LIST_BYTES_MAX = 64 << 20
HEX = frozenset("0123456789abcdef")

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file of an item. *runs*: it is a program."""

    content: bytes
    runs: bool = False


@dataclass(frozen=True, slots=True)
class PackedItem:
    """One item as it lies in a pack: its files by path, and the salt of its commitment."""

    id: str
    salt: bytes
    files: Mapping[str, PackedFile]

    @property
    def record(self) -> bytes:
        """What the item's commitment is over: the digest of every file."""
        files = {path: [_digest(one), one.runs] for path, one in self.files.items()}
        return canonical.encode({"id": self.id, "files": plain(files)}, bytes_max=INDEX_BYTES_MAX)

    @property
    def commitment(self) -> bytes:
        """What is logged of the item before anybody is shown it."""
        return item_commitment(self.salt, self.record)


def encode(items: Sequence[PackedItem], bytes_max: int = PACK_BYTES_MAX) -> bytes:
    """The pack of *items*, in their order.

    Raises: Invalid, naming the path, for one that may not stand in a pack, or if it grows too large.
    """
    index = list[Value]()
    blobs = list[bytes]()
    for item in items:
        listed = list[Value]()
        for path, one in sorted(item.files.items()):
            _check_path(path)
            listed.append((path, len(one.content), _digest(one), one.runs))
            blobs.append(one.content)
        index.append({"id": item.id, "salt": item.salt.hex(), "files": tuple(listed)})
    head = canonical.encode({"items": tuple(index)}, bytes_max=INDEX_BYTES_MAX)
    data = b"".join((MAGIC, len(head).to_bytes(LENGTH_BYTES, "big"), head, *blobs))
    if len(data) > bytes_max:
        raise Invalid("pack", f"{len(data)} bytes; at most {bytes_max} are taken")
    decode(data)
    return data


def decode(data: bytes) -> tuple[PackedItem, ...]:
    """The items of a pack.

    Raises: Invalid, if it is not exactly one; Tampered, if a file has another digest than listed.
    """
    if len(data) > PACK_BYTES_MAX or not data.startswith(MAGIC):
        raise Invalid("pack", "no pack of this version, or a larger one than is taken")
    start = len(MAGIC) + LENGTH_BYTES
    length = int.from_bytes(data[len(MAGIC) : start], "big")
    if length > INDEX_BYTES_MAX or start + length > len(data):
        raise Invalid("pack", "its index is longer than the pack or than is taken")
    head = canonical.decode(data[start : start + length], bytes_max=INDEX_BYTES_MAX)
    at, files, items = start + length, 0, list[PackedItem]()
    for one in _entries(head):
        held = dict[str, PackedFile]()
        for path, size, digest, runs in _files(one):
            content = data[at : at + size]
            at, files = at + size, files + 1
            if len(content) != size or files > FILES_MAX:
                raise Invalid("pack", "a file is longer than the pack, or there are too many")
            if path in held:
                raise Invalid("pack", "one path twice in an item")
            held[path] = PackedFile(content, runs)
            if _digest(held[path]) != digest:
                raise Tampered(f"pack file {len(held)}", "its digest is not the one listed")
        items.append(PackedItem(_text(one, "id"), _bytes(one, "salt"), held))
    if at != len(data):
        raise Invalid("pack", "bytes stand after the last file")
    if not items or len({item.id for item in items}) != len(items):
        raise Invalid("pack", "no item, or one id twice")
    return tuple(items)


def _entries(head: Value) -> Iterator[Mapping[str, Value]]:
    listed = head.get("items") if isinstance(head, Mapping) and set(head) == {"items"} else None
    if not isinstance(listed, tuple) or len(listed) > ITEMS_MAX:
        raise Invalid("pack", "its index lists no items, or too many")
    for one in listed:
        if not isinstance(one, Mapping) or set(one) != {"id", "salt", "files"}:
            raise Invalid("pack", "an entry of its index is no item")
        yield one


def _files(item: Mapping[str, Value]) -> Iterator[tuple[str, int, str, bool]]:
    listed = item["files"]
    if not isinstance(listed, tuple) or not listed:
        raise Invalid("pack", "an item without files")
    for one in listed:
        if not isinstance(one, tuple) or tuple(type(part) for part in one) != (str, int, str, bool):
            raise Invalid("pack", "a file is listed by path, size, digest and whether it runs")
        path, size, digest, runs = one
        assert isinstance(path, str)  # noqa: S101 -- told apart just above
        assert isinstance(size, int)  # noqa: S101
        assert isinstance(digest, str)  # noqa: S101
        _check_path(path)
        if size < 0:
            raise Invalid("pack", "a file of negative size")
        yield path, size, digest, bool(runs)


def _check_path(path: str) -> None:
    pure = PurePosixPath(path)
    sound = path == str(pure) and not pure.is_absolute() and ".." not in pure.parts
    if not sound or not path.isprintable() or "\\" in path or path == ".":
        raise Invalid("pack", "a path that is not plainly inside its item")


def _text(one: Mapping[str, Value], name: str) -> str:
    value = one[name]
    if not isinstance(value, str) or not value:
        raise Invalid(name, "text is due")
    return value


def _bytes(one: Mapping[str, Value], name: str) -> bytes:
    spelled = _text(one, name)
    if len(spelled) != 2 * SALT_BYTES or not HEX.issuperset(spelled):
        raise Invalid(name, f"{SALT_BYTES} bytes in hex are due")
    return bytes.fromhex(spelled)


def _digest(file: PackedFile) -> str:
    return sha256(file.content).hexdigest()


def flat(kind: type[F], name: str, value: Value) -> F:
    """A flat record (text, whole numbers, truth values, times, texts) as the *kind* it spells.

    Raises: Invalid, naming the field, for a missing or further one or another type.
    """
    hints = get_type_hints(kind)
    names = {part.name for part in fields(kind)}  # type: ignore[arg-type]  # a dataclass
    if not isinstance(value, Mapping) or set(value) != names:
        raise Invalid(name, f"exactly these fields are due: {', '.join(sorted(names))}")
    return kind(**{field: _typed(f"{name}.{field}", hints[field], value[field]) for field in names})


def _typed(place: str, due: object, value: Value) -> object:
    """*value*, if it is of the declared type."""
    if due is datetime:
        return _moment(place, value)
    if isinstance(due, type) and issubclass(due, StrEnum) and value in set(due):
        return due(value)
    if get_origin(due) is tuple:
        sound = isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    elif get_args(due):
        sound = value in get_args(due)
    else:
        sound = type(value) is due
    if not sound:
        raise Invalid(place, "another type than is due")
    return value


def _moment(place: str, value: Value) -> datetime:
    try:
        read = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise Invalid(place, "an RFC 3339 time is due") from None
    if plain(read) != value:
        raise Invalid(place, "a time in UTC with microseconds is due")
    return read


def text(title: str, value: Value, *, bytes_max: int = canonical.BYTES_MAX) -> str:
    """The two lines of a signed text."""
    return f"{title}\n{canonical.encode(value, bytes_max=bytes_max).decode()}\n"


def read_text(title: str, whole: str, *, bytes_max: int = canonical.BYTES_MAX) -> Value:
    """What `text` spelled.

    Raises: Invalid, if it is another text.
    """
    lines = whole.split("\n")
    if len(lines) != 3 or lines[0] != title or lines[2]:  # noqa: PLR2004 -- two lines and an end
        raise Invalid("text", f"a line {title}, one of canonical JSON, and no more are due")
    return canonical.decode(lines[1].encode(), bytes_max=bytes_max)


def commitment_digest(one: Commitment) -> str:
    """SHA-256 of the canonical bytes, in hex: what a reveal and a session name."""
    return sha256(canonical.encode(commitment_record(one))).hexdigest()


@dataclass(frozen=True, slots=True)
class Committed:
    """A commitment with the proof of the act that logged it."""

    commitment: Commitment
    proof: ActProof


def encode_commitment(one: Committed) -> str:
    """The text to sign and hand out before the run."""
    opening = one.proof.opening
    return text(
        COMMITMENT,
        {
            "commitment": commitment_record(one.commitment),
            "act": opening.record,
            "blinder": opening.blinder.hex(),
            "index": opening.index,
            "proof": one.proof.text,
        },
    )


def decode_commitment(whole: str) -> Committed:
    """What `encode_commitment` wrote; whether the proof holds is for its reader to check.

    Raises: Invalid, naming the field; Tampered, if the act is about another commitment.
    """
    value = read_text(COMMITMENT, whole)
    due = {"commitment", "act", "blinder", "index", "proof"}
    if not isinstance(value, Mapping) or set(value) != due:
        raise Invalid("commitment", f"exactly these fields are due: {', '.join(sorted(due))}")
    commitment = flat(Commitment, "commitment", value["commitment"])
    record, index, proof = value["act"], value["index"], value["proof"]
    if not isinstance(record, Mapping) or type(index) is not int or not isinstance(proof, str):
        raise Invalid("act", "the act that logged it, its index and its proof are due")
    act = from_record(record)
    told = (act.kind, act.detail.get("commitment"))
    if told != (Kind.PACK_COMMITTED, commitment_digest(commitment)):
        raise Tampered("act", "it did not log this commitment")
    return Committed(commitment, ActProof(Opening(index, _bytes(value, "blinder"), record), proof))


def encode_reveal(one: Reveal) -> str:
    """The text to sign and hand out after the run."""
    return text(REVEAL, plain(one))


def decode_reveal(whole: str) -> Reveal:
    """What `encode_reveal` wrote; raises Invalid, naming the field."""
    return flat(Reveal, "reveal", read_text(REVEAL, whole))


def encode_openings(openings: Sequence[LeafOpening]) -> bytes:
    """Openings as a file."""
    return text(OPENINGS, plain(list(openings)), bytes_max=LIST_BYTES_MAX).encode()


def decode_openings(data: bytes) -> tuple[LeafOpening, ...]:
    """What `encode_openings` wrote; raises Invalid, naming the field."""
    if len(data) > LIST_BYTES_MAX:
        raise Invalid("openings", "a larger file than is taken")
    try:
        value = read_text(OPENINGS, data.decode("utf-8"), bytes_max=LIST_BYTES_MAX)
    except UnicodeDecodeError:
        raise Invalid("openings", "no text") from None
    if not isinstance(value, tuple):
        raise Invalid("openings", "a list is due")
    read = tuple(flat(LeafOpening, "opening", one) for one in value)
    for one in read:
        for part in (one.salt, one.record, *one.proof):
            hexadecimal("openings", part)
    return read


def hexadecimal(name: str, spelled: str) -> bytes:
    """The bytes that *spelled* says in hex; raises Invalid, naming the text."""
    if not HEX.issuperset(spelled) or len(spelled) % 2:
        raise Invalid(name, "hexadecimal digits are due")
    return bytes.fromhex(spelled)
