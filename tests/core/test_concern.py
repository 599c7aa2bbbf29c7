"""Concerns: their age, and counts from which nobody works out a small one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.concern import Concern, Count, checked, counts
from leadline.core.errors import Invalid

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def concern(sector: str = "health", *, answered: bool = False) -> Concern:
    """One concern of a sector."""
    day = timedelta(days=1)
    return Concern("c", sector, "o", "p", NOW, "d", NOW + 2 * day if answered else None)


def test_its_age_grows_until_it_is_answered() -> None:
    """Its age grows until it is answered."""
    later = NOW + timedelta(days=9)
    assert concern().age(later).days == 9
    assert concern(answered=True).age(later).days == 2


@pytest.mark.parametrize(
    ("answered", "waiting", "told"),
    [
        (0, 0, (None, None, None)),
        (2, 2, (None, None, None)),
        (0, 5, (5, None, None)),
        (4, 9, (13, None, None)),
        (5, 4, (9, None, None)),
        (5, 5, (10, 5, 5)),
    ],
)
def test_counts_below_five_are_not_shown_nor_worked_out(
    answered: int, waiting: int, told: tuple[int | None, ...]
) -> None:
    """Counts below five are not shown nor worked out."""
    found = [concern(answered=True)] * answered + [concern()] * waiting
    assert counts(found, ["health"]) == (Count("health", *told),)


def test_each_sector_is_told_and_unknown_ones_are_not() -> None:
    """Each sector is told and unknown ones are not."""
    found = counts([concern("weather")] * 7, ["water", "health"])
    assert [one.sector for one in found] == ["health", "water"]


@given(a=st.integers(0, 9), b=st.integers(0, 9), more=st.integers(0, 30))
def test_one_sector_tells_nothing_of_another(a: int, b: int, more: int) -> None:
    """One sector tells nothing of another."""
    own = [concern(answered=True)] * a + [concern()] * b
    alone = counts(own, ["health", "water"])[0]
    assert counts([*own, *[concern("water")] * more], ["health", "water"])[0] == alone


def test_words_are_said_and_bounded() -> None:
    """Words are said and bounded."""
    assert checked("  slow\n", "text") == b"slow"
    for wrong in (" \n", "x" * 20_001):
        with pytest.raises(Invalid, match="text: "):
            checked(wrong, "text")
