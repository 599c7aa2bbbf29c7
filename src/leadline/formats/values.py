"""Frozen dataclasses as plain values for canonical records: no floats, times as RFC 3339 text."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum

from leadline.core.errors import Invalid
from leadline.core.record.act import Value, instant


def plain(value: object) -> Value:  # noqa: PLR0911 -- one answer per kind of value
    """*value* as mappings, sequences, text, whole numbers and truth values.

    Sets are sorted; a float becomes the shortest text that reads back as the same number.

    Raises: Invalid, naming the type, for anything else.
    """
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | str():
            return value
        case float():
            return repr(value)
        case datetime():
            return instant(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case AbstractSet():
            return tuple(sorted(str(item) for item in value))
        case list() | tuple():
            return tuple(plain(item) for item in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
        case _:
            raise Invalid("value", f"{type(value).__name__} has no place in a record")
