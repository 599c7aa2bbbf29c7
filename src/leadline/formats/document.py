"""Bytes of someone else's JSON into plain values, within limits."""

import json
from collections.abc import Mapping, Sequence

from leadline.core.errors import Invalid

DOCUMENT_BYTES_MAX = 64 << 20


def load(data: bytes, name: str, bytes_max: int = DOCUMENT_BYTES_MAX) -> Mapping[str, object]:
    """The JSON object in *data*; *name* stands in the error.

    Raises: Invalid, if it is too large or too deep, no UTF-8, no JSON, repeats a key, or no object.
    """
    if len(data) > bytes_max:
        raise Invalid(name, f"longer than {bytes_max} bytes")
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique)
    except RecursionError:
        raise Invalid(name, "nested too deeply") from None
    except ValueError as error:
        raise Invalid(name, f"no JSON: {error}") from None
    if not isinstance(value, dict):
        raise Invalid(name, "expected a JSON object")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    held = dict(pairs)
    if len(held) != len(pairs):
        twice = sorted({key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1})
        raise ValueError(f"the key {twice[0]!r} stands twice in one object")
    return held


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


def text(value: object) -> str:
    """*value* if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""
