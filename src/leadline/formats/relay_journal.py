"""A relay's journal: one line an entry, each a leaf of a Merkle tree through a blinded commitment.

A line is the canonical encoding of ``{"blinder", "record"}`` and a newline. A record holds its number,
its time, its kind and short words, sizes and digests: never a body, never a credential. The leaf is the
same 33-byte blinded commitment that an installation's own log keeps, so that a signed head can leave
the developer's boundary and tell nothing but how many entries there are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from leadline.core.errors import Invalid, Tampered
from leadline.core.record import commitment, tlog
from leadline.core.record.act import Value, instant
from leadline.formats import canonical

FORMAT = "leadline/relay-journal/v1"
STATEMENT = "leadline/relay-commitments/v1"
LINE_BYTES_MAX = 64 * 1024
KINDS = (
    "relay.started",
    "relay.stopped",
    "journal.recovered",
    "credential.issued",
    "credential.revoked",
    "exchange.begun",
    "exchange.ended",
    "request.refused",
    "requests.refused",
    "subject.changed",
)
COUNTS = ("exchanges", "refused", "changed", "tokens", "request_bytes", "response_bytes")
_HEX = re.compile(r"[0-9a-f]{64}")
_OWN = ("n", "at", "kind")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. *detail* holds short words, whole numbers, digests and times."""

    number: int
    at: datetime
    kind: str
    detail: Mapping[str, Value]
    blinder: bytes = field(repr=False)

    @property
    def line(self) -> bytes:
        """The entry as the file holds it, newline included.

        Raises: Invalid, if the detail has no canonical form or is too long.
        """
        return self.encoded[0]

    @property
    def leaf(self) -> bytes:
        """The hash of its leaf."""
        return self.encoded[1]

    @property
    def encoded(self) -> tuple[bytes, bytes]:
        """Line and leaf; raises as `line`."""
        told = canonical.encode(self._record, bytes_max=LINE_BYTES_MAX - 128)
        # what `canonical.encode` gives for the two members, without encoding the record twice
        line = b'{"blinder":"%s","record":%s}\n' % (self.blinder.hex().encode(), told)
        return line, tlog.leaf_hash(commitment.entry(commitment.commit(self.blinder, told)))

    @property
    def _record(self) -> dict[str, Value]:
        own: dict[str, Value] = {"n": self.number, "at": instant(self.at), "kind": self.kind}
        return {**self.detail, **own}


def entry_of(line: bytes, number: int) -> Entry:
    """The entry in a line of the file, without its newline; *number* is its place, from 0.

    Raises: Tampered, naming the line, if it is not exactly what was written there.
    """
    try:
        found = _entry(line, number)
    except (Invalid, ValueError) as error:
        raise Tampered(f"journal line {number + 1}", str(error)) from error
    return found


def _entry(line: bytes, number: int) -> Entry:
    shown = canonical.decode(line, bytes_max=LINE_BYTES_MAX)
    if not isinstance(shown, Mapping) or set(shown) != {"blinder", "record"}:
        raise Invalid("line", "a blinder and a record are due")
    blinder, record = shown["blinder"], shown["record"]
    if not isinstance(blinder, str) or not _HEX.fullmatch(blinder):
        raise Invalid("blinder", "32 bytes in hex are due")
    if not isinstance(record, Mapping) or type(record.get("n")) is not int or record["n"] != number:
        raise Invalid("n", f"the entry numbered {number} is due")
    at, kind = record.get("at"), record.get("kind")
    if not isinstance(at, str) or not isinstance(kind, str) or kind not in KINDS:
        raise Invalid("kind", "a time and a known kind are due")
    detail = {name: value for name, value in record.items() if name not in _OWN}
    return Entry(number, _time(at), kind, detail, bytes.fromhex(blinder))


def entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """The entries of whole lines, newlines included; raises as `entry_of`."""
    return (entry_of(line.removesuffix(b"\n"), number) for number, line in enumerate(lines))


@dataclass(frozen=True, slots=True)
class Statement:
    """What leaves the boundary: the head of a journal and sums over it, and no entry.

    *size* and *root* are of the tree, *counts* the sums named in `COUNTS`, *credentials* how many
    were issued, *keeps_bodies* whether bodies were kept at any time.
    """

    origin: str
    size: int
    root: str
    at: datetime
    engagements: tuple[str, ...]
    counts: Mapping[str, int]
    keeps_bodies: bool

    @property
    def text(self) -> str:
        """The text that is signed: the format, and one line of canonical JSON."""
        told: dict[str, Value] = {
            "at": instant(self.at),
            "counts": dict(self.counts),
            "engagements": self.engagements,
            "keeps_bodies": self.keeps_bodies,
            "origin": self.origin,
            "root": self.root,
            "size": self.size,
        }
        return f"{STATEMENT}\n{canonical.encode(told).decode()}\n"


def statement_of(text: str) -> Statement:
    """The statement in the text of a signed note.

    Raises: Invalid, naming the part.
    """
    first, _, rest = text.partition("\n")
    if first != STATEMENT or not rest.endswith("\n"):
        raise Invalid("commitments", f"the line {STATEMENT} and one line of JSON are due")
    told = canonical.decode(rest[:-1].encode())
    due = {"at", "counts", "engagements", "keeps_bodies", "origin", "root", "size"}
    if not isinstance(told, Mapping) or set(told) != due:
        raise Invalid("commitments", f"exactly {', '.join(sorted(due))} are due")
    origin, root, size, at = told["origin"], told["root"], told["size"], told["at"]
    keeps, engagements = told["keeps_bodies"], told["engagements"]
    if not isinstance(origin, str) or not isinstance(root, str) or not _HEX.fullmatch(root):
        raise Invalid("root", "an origin, and 32 bytes in hex, are due")
    if type(size) is not int or not 0 <= size <= tlog.SIZE_MAX:
        raise Invalid("size", "a whole number from 0 on is due")
    if not isinstance(keeps, bool) or not isinstance(at, str):
        raise Invalid("at", "a time, and whether bodies are kept, are due")
    if not isinstance(engagements, tuple):
        raise Invalid("engagements", "a list is due")
    return Statement(
        origin,
        size,
        root,
        _time(at),
        tuple(_word(one) for one in engagements),
        _counts(told["counts"]),
        keeps,
    )


def _counts(found: Value) -> dict[str, int]:
    if not isinstance(found, Mapping) or set(found) != set(COUNTS):
        raise Invalid("counts", f"exactly {', '.join(COUNTS)} are due")
    counts = {name: value for name, value in found.items() if type(value) is int and value >= 0}
    if len(counts) != len(COUNTS):
        raise Invalid("counts", "whole numbers from 0 on are due")
    return counts


def _word(found: Value) -> str:
    if not isinstance(found, str) or not found:
        raise Invalid("engagements", "ids are due")
    return found


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("at", f"{text!r} is no time") from None
    if at.tzinfo is None or instant(at) != text:
        raise Invalid("at", "a time is written with microseconds, in UTC")
    return at
