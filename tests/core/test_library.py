"""A library of texts: by id, by day, by digest; names of bodies by day."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.library import Body, Library, Name
from leadline.core.engagement.regime import (
    InForce,
    Participation,
    Regime,
    Status,
    require_effect,
)
from leadline.core.errors import Invalid, NotFound, Refused

FIRST = Regime(
    "r",
    "R",
    "1" * 64,
    Status.IN_FORCE,
    InForce(date(2026, 1, 1)),
    Participation.STATUTE,
    "none",
    "P",
    date(2026, 10, 10),
    (),
)
SECOND = replace(
    FIRST, digest="2" * 64, supersedes=FIRST.digest, in_force=InForce(date(2027, 1, 1))
)
THIRD = replace(FIRST, digest="3" * 64, supersedes=SECOND.digest, in_force=InForce())
OTHER = replace(FIRST, id="o", digest="4" * 64)
NAMES = (Name("Old", None, date(2026, 2, 1), "s"), Name("New", date(2026, 2, 1), None, "s"))


@given(st.permutations([FIRST, SECOND, THIRD, OTHER]))
def test_the_order_of_the_files_does_not_matter(texts: list[Regime]) -> None:
    """The chain of one id is in its texts, whatever order they are read in."""
    held = Library(tuple(texts))
    assert held.ids() == ("o", "r")
    assert held.newest("r") == THIRD
    assert Library((FIRST, SECOND)).on("r", date(2026, 12, 31)) == FIRST
    assert Library((FIRST, SECOND)).on("r", date(2027, 1, 1)) == SECOND
    assert Library((FIRST, SECOND)).on("r", date(2025, 1, 1)) == FIRST
    assert held.text(SECOND.digest) == SECOND


@pytest.mark.parametrize(
    "texts",
    [
        (FIRST, FIRST),
        (FIRST, replace(SECOND, supersedes="")),
        (FIRST, replace(SECOND, supersedes="9" * 64)),
        (FIRST, SECOND, replace(THIRD, supersedes=FIRST.digest)),
        (replace(FIRST, supersedes=SECOND.digest), SECOND),
    ],
)
def test_a_chain_that_does_not_hold_is_refused(texts: tuple[Regime, ...]) -> None:
    """One text twice, two first ones, a successor of nothing, two successors, a circle."""
    with pytest.raises(Invalid):
        Library(texts)


def days(*texts: Regime) -> list[tuple[str, date | None, date | None]]:
    """Each text of *r* with its days."""
    found = Library(texts).each("r")
    return [(one.digest[0], one.in_force.since, one.in_force.until) for one in found]


def test_each_text_has_effect_until_a_later_one_begins() -> None:
    """A text to come takes nothing away before its day; one that begins no later replaces it whole."""
    day, last = date(2026, 1, 1), date(2026, 12, 31)
    assert days(FIRST) == [("1", day, None)]
    assert days(FIRST, SECOND) == [("1", day, last), ("2", date(2027, 1, 1), None)]
    assert days(FIRST, SECOND, THIRD) == [("3", None, None)]
    corrected = replace(SECOND, in_force=FIRST.in_force)
    assert days(FIRST, corrected) == [("2", day, None)]
    short = replace(FIRST, in_force=InForce(day, date(2026, 6, 30)))
    assert days(short, SECOND)[0] == ("1", day, date(2026, 6, 30))
    long = replace(FIRST, in_force=InForce(None, date(2027, 6, 30)))
    assert days(long, SECOND)[0] == ("1", None, last)
    with pytest.raises(NotFound):
        Library((FIRST,)).each("x")


def test_what_is_not_there_is_named() -> None:
    """An unknown id, digest or body, each with what to do."""
    held = Library((FIRST,), {"b": Body("b", NAMES)})
    with pytest.raises(NotFound, match="there are r"):
        held.newest("x")
    with pytest.raises(NotFound, match="put the file back"):
        held.text("0" * 64)
    with pytest.raises(NotFound, match=r"add it to bodies\.toml"):
        held.body("x", date(2026, 1, 1))


def test_a_body_is_called_by_the_name_of_the_day() -> None:
    """The old name to its last day, the new one from its first; before a first name the first."""
    held = Library((), {"b": Body("b", NAMES), "c": Body("c", NAMES[1:])})
    assert held.body("b", date(2026, 1, 31)) == "Old"
    assert held.body("b", date(2026, 2, 1)) == "New"
    assert held.body("c", date(2020, 1, 1)) == "New"


@pytest.mark.parametrize(
    ("status", "days", "effect"),
    [
        (Status.IN_FORCE, InForce(), True),
        (Status.IN_FORCE, InForce(date(2026, 2, 28), date(2026, 3, 1)), True),
        (Status.IN_FORCE, InForce(date(2026, 3, 2)), False),
        (Status.IN_FORCE, InForce(None, date(2026, 2, 28)), False),
        (Status.NOT_YET_IN_FORCE, InForce(), False),
        (Status.NOT_YET_IN_FORCE, InForce(date(2026, 3, 1)), True),
        (Status.REVOKED, InForce(), False),
        (Status.SUPERSEDED, InForce(None, date(2026, 3, 1)), True),
        (Status.NEVER_IN_FORCE, InForce(), False),
        (Status.PRIVATE_PROGRAMME, InForce(), True),
    ],
)
def test_a_text_has_effect_by_its_days(status: Status, days: InForce, effect: bool) -> None:  # noqa: FBT001 -- a row of the table
    """On 1 March 2026, in UTC; a text to come begins on its day without anybody's doing."""
    text, now = replace(FIRST, status=status, in_force=days), datetime(2026, 3, 1, tzinfo=UTC)
    assert text.applies(now) is effect
    if effect:
        require_effect(text, now)
    else:
        with pytest.raises(Refused, match="2026-03-01"):
            require_effect(text, now)
