"""Dataclasses as plain values: every kind that a record may hold, and none that it may not."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

import pytest

from leadline.core.errors import Invalid
from leadline.core.marking import Marking, Tlp
from leadline.formats.canonical import decode, encode
from leadline.formats.values import plain

if TYPE_CHECKING:
    from leadline.core.record.act import Value


class Colour(Enum):
    """An enumeration whose values are no texts."""

    RED = 1


@dataclass(frozen=True)
class Whole:
    """One field of each kind."""

    text: str
    share: float
    at: datetime
    colour: Colour
    marking: Marking
    parts: tuple[int, ...]
    names: frozenset[str]
    more: dict[str, bool | None]


WHOLE = Whole(
    "a",
    0.1,
    datetime(2027, 1, 2, tzinfo=UTC),
    Colour.RED,
    Marking(Tlp.RED, frozenset({"b", "a"})),
    (1, 2),
    frozenset({"z", "y"}),
    {"x": True, "w": None},
)


def test_every_kind_has_its_plain_form() -> None:
    """No floats, sets in order, times as RFC 3339: the value has one canonical encoding."""
    expected: dict[str, Value] = {
        "text": "a",
        "share": "0.1",
        "at": "2027-01-02T00:00:00.000000Z",
        "colour": 1,
        "marking": {"tlp": "TLP:RED", "compartments": ("a", "b")},
        "parts": (1, 2),
        "names": ("y", "z"),
        "more": {"x": True, "w": None},
    }
    assert expected == plain(WHOLE)
    assert decode(encode(plain(WHOLE))) == decode(encode(expected))


@pytest.mark.parametrize("value", [b"bytes", object(), Whole, 1j])
def test_what_no_record_may_hold_is_refused(value: object) -> None:
    """Bytes, classes and foreign objects are named by their type."""
    with pytest.raises(Invalid, match=type(value).__name__):
        plain(value)
