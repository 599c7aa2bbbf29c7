"""Bytes of someone else's JSON into plain values, within limits.

The limits hold whatever the bytes are: at most about a second and 250 MiB. What JSON leaves to the reader
is refused here, because two readers may differ on it: a key that stands twice, NaN and Infinity, and
integers beyond 2^53. Sources: RFC 8259 section 4 and 6, RFC 7493 (I-JSON).
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from leadline.core.errors import Invalid

DOCUMENT_BYTES_MAX = 16 << 20
SIGNS_MAX = 1_000_000  # commas, colons and opening brackets; no document has more values
DEPTH_MAX = 64
INTEGER_MAX = 1 << 53
LONG_TEXT = 512
KEYS_MAX = 10_000
_LARGE_BYTES = 1 << 20
_KEY = re.compile(rb'"([^"\\]{0,80})"\s{0,9}:')
_NARROW = bytes(range(0xC4))  # bytes of UTF-8 that begin or continue signs up to U+00FF
_NESTED = (dict, list)


def load(
    data: bytes,
    name: str,
    bytes_max: int = DOCUMENT_BYTES_MAX,
    *,
    signs_max: int = SIGNS_MAX,
) -> Mapping[str, object]:
    """The JSON object in *data*; *name* stands in the error.

    Raises: Invalid, as `value`, or if it is no object.
    """
    found = value(data, name, bytes_max, signs_max=signs_max)
    if not isinstance(found, dict):
        raise Invalid(name, "expected a JSON object")
    return found


def value(
    data: bytes,
    name: str,
    bytes_max: int = DOCUMENT_BYTES_MAX,
    *,
    depth_max: int = DEPTH_MAX,
    signs_max: int = SIGNS_MAX,
) -> object:
    """The JSON value in *data*; *name* stands in the error.

    Raises: Invalid, if it is too large, has too many values or is too deep, is no UTF-8 or no JSON,
    repeats a key, or holds NaN, Infinity or an integer beyond 2^53.
    """
    if len(data) > bytes_max:
        raise Invalid(name, f"longer than {bytes_max} bytes")
    if sum(data.count(sign) for sign in (b",", b":", b"[", b"{")) > signs_max:
        raise Invalid(name, f"more than {signs_max} commas, colons and brackets; divide it")
    try:
        found = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise Invalid(name, "nested too deeply") from None
    except ValueError as error:
        raise Invalid(name, f"no JSON: {error}") from None
    _check_depth(found, name, depth_max)
    return found


def check_shape(data: bytes, name: str, bytes_max: int, objects_max: int) -> None:
    """Return if a long document has the shape of a list of things, not of something to fill a memory.

    Counted before anything is built: objects, letters that make every other one four bytes wide, and
    texts that are longer on average than names and addresses are, and keys that are all different.

    Raises: Invalid, naming what is too much.
    """
    if len(data) > bytes_max:
        raise Invalid(name, f"longer than {bytes_max} bytes")
    if data.count(b"{") > objects_max:
        raise Invalid(name, f"more than {objects_max} objects; divide it")
    if len(data) > DOCUMENT_BYTES_MAX:
        signs = sum(data.count(sign) for sign in (b",", b":", b"[", b"{"))
        if len(data) > LONG_TEXT * signs:
            raise Invalid(name, f"texts of more than {LONG_TEXT} bytes on average; leave them out")
        if data.translate(None, _NARROW):
            raise Invalid(
                name, f"signs beyond Latin in more than {DOCUMENT_BYTES_MAX} bytes; divide it"
            )
    if len(data) > _LARGE_BYTES:
        keys = set[bytes]()
        for found in _KEY.finditer(data):
            keys.add(found[1])
            if len(keys) > KEYS_MAX:
                raise Invalid(
                    name, f"more than {KEYS_MAX} different keys; a list of things has few"
                )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise ValueError(
            f"the key {repeated(key for key, _ in pairs)!r} stands twice in one object"
        )
    return held


def repeated(keys: Iterable[str]) -> str:
    """The first of *keys* that stood before; empty text if each stands once."""
    seen = set[str]()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return ""


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) <= 20 else INTEGER_MAX + 1  # noqa: PLR2004 -- 2^53 has 16
    if abs(number) > INTEGER_MAX:
        raise ValueError(
            "an integer beyond 2^53, which readers round differently; write it as text"
        )
    return number


def _fraction(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def _no_number(word: str) -> float:
    raise ValueError(f"{word[:20]} is no number in JSON")


def _check_depth(found: object, name: str, depth_max: int) -> None:
    level: list[object] = [found]
    for _ in range(depth_max + 1):
        if not level:
            return
        deeper: list[object] = []
        for one in level:
            inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
            deeper += [held for held in inner if isinstance(held, _NESTED)]
        level = deeper
    raise Invalid(name, f"nested too deeply; {depth_max} levels are taken")


def record(value: object) -> Mapping[str, object]:
    """*value* if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def records(value: object) -> list[Mapping[str, object]]:
    """The objects of an array; nothing if *value* is none."""
    return [item for item in items(value) if isinstance(item, Mapping)]


def items(value: object) -> Sequence[object]:
    """*value* if it is an array, else an empty one."""
    return value if isinstance(value, list) else ()


def texts(value: object) -> tuple[str, ...]:
    """The texts of an array; nothing if *value* is none."""
    return tuple(item for item in items(value) if isinstance(item, str))


def moment(value: object) -> datetime | None:
    """The moment, in UTC, that a text with an offset names (RFC 3339); None where it names none."""
    try:
        found = datetime.fromisoformat(text(value))
        named = found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):  # no date of the calendar, or none in UTC
        named = None
    return named


def text(value: object) -> str:
    """*value* if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""
