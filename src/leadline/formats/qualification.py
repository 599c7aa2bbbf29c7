"""A qualification record as canonical JSON, and the statement that is signed over it.

The record lies beside a note of four lines that names it by digest, so that whoever checks the
signature need not read the record, and nobody takes the note for another kind of note.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from leadline.core.errors import Invalid
from leadline.core.qualification import Check, Extent, Record
from leadline.core.record.act import Value, instant
from leadline.formats import canonical

HEADER = "leadline/qualification/v1"
_MEMBERS = {
    *("v", "suite", "item", "digest", "environment", "environment_digest", "extent", "checks"),
    *("counts", "shown", "at", "milliseconds", "qualified"),
}


def environment_digest(parts: Mapping[str, str]) -> str:
    """SHA-256 in hex of the canonical form of an environment's parts."""
    return sha256(canonical.encode(dict(parts))).hexdigest()


def encode(record: Record) -> bytes:
    """The record's one canonical form.

    Raises: Invalid, if a text in it has none.
    """
    extent = record.extent
    return canonical.encode(
        {
            "v": 1,
            "suite": record.suite,
            "item": record.item,
            "digest": record.digest,
            "environment": dict(record.environment),
            "environment_digest": record.environment_digest,
            "extent": (extent.references, extent.trivial, extent.repeats),
            "checks": tuple((one.name, one.held, one.reason) for one in record.checks),
            "counts": dict(record.counts),
            "shown": dict(record.shown),
            "at": instant(record.at),
            "milliseconds": record.milliseconds,
            "qualified": record.qualified,
        }
    )


def decode(data: bytes) -> Record:
    """Read back what `encode` wrote.

    Raises: Invalid, naming the field, if the bytes are anything else.
    """
    members = canonical.decode(data)
    if not isinstance(members, Mapping) or set(members) != _MEMBERS or members["v"] != 1:
        raise Invalid("qualification", "a record of version 1 with all its members is due")
    texts = {name: _text(name, members[name]) for name in ("suite", "item", "digest", "at")}
    extent = _integers("extent", members["extent"], 3)
    record = Record(
        suite=texts["suite"],
        item=texts["item"],
        digest=texts["digest"],
        environment=_texts("environment", members["environment"]),
        environment_digest=_text("environment_digest", members["environment_digest"]),
        extent=Extent(*extent),
        checks=tuple(_check(one) for one in _list("checks", members["checks"])),
        counts=_counts(members["counts"]),
        shown=_texts("shown", members["shown"]),
        at=_instant(texts["at"]),
        milliseconds=_integers("milliseconds", (members["milliseconds"],), 1)[0],
    )
    if encode(record) != data:
        raise Invalid(
            "qualification", "it contradicts itself: the answer is not what its checks say"
        )
    if environment_digest(record.environment) != record.environment_digest:
        raise Invalid("environment_digest", "it is not the digest of the environment beside it")
    return record


def statement(data: bytes, origin: str) -> str:
    """The text that is signed over the record in *data*; *origin* names the signing installation."""
    record = decode(data)
    return f"{HEADER}\n{origin}\n{record.item}\n{sha256(data).hexdigest()}\n"


def _text(name: str, value: Value) -> str:
    if not isinstance(value, str):
        raise Invalid(name, "text is due")
    return value


def _texts(name: str, value: Value) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Invalid(name, "an object of texts is due")
    return {key: _text(f"{name}.{key}", one) for key, one in value.items()}


def _list(name: str, value: Value) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        raise Invalid(name, "a list is due")
    return value


def _integers(name: str, value: Value, length: int) -> list[int]:
    numbers = [
        one for one in _list(name, value) if isinstance(one, int) and not isinstance(one, bool)
    ]
    if len(numbers) != length or len(_list(name, value)) != length or min(numbers) < 0:
        raise Invalid(name, f"{length} whole numbers from 0 are due")
    return numbers


def _check(value: Value) -> Check:
    parts: Sequence[Value] = _list("check", value)
    if len(parts) != 3:  # noqa: PLR2004 -- name, held, reason
        raise Invalid("check", "name, whether it held, and the reason are due")
    held = parts[1]
    if held is not None and not isinstance(held, bool):
        raise Invalid("check", "it held, did not, or does not apply")
    return Check(_text("check", parts[0]), held, _text("check", parts[2]))


def _counts(value: Value) -> dict[str, tuple[int, int]]:
    if not isinstance(value, Mapping):
        raise Invalid("counts", "an object is due")
    found = {}
    for name, pair in value.items():
        done, tried = _integers(f"counts.{name}", pair, 2)
        found[name] = (done, tried)
    return found


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        instant(at)  # fails for a time that lies outside the calendar in UTC
    except (ValueError, OverflowError):
        raise Invalid("at", f"{text!r} is no RFC 3339 time") from None
    return at
