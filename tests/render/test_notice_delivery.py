"""A notice as its reader gets it, burn-down and fairness report as pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import clearing_values as values
from leadline.core.clearing.delivery import Delivery, Evidence, Words, early
from leadline.core.clearing.fairness import Difference, Fault, Numbering, fairness
from leadline.core.clearing.receipt import Point, State
from leadline.core.clearing.tiers import Stage
from leadline.render.fairness_page import fairness_document
from leadline.render.html import html
from leadline.render.notice_delivery import (
    SPANS,
    burn_down,
    burn_down_row,
    delivery_document,
    thinned,
)

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def delivery() -> Delivery:
    """An advance notice."""
    words = Words("", Evidence.REPLAYED, NOON + timedelta(days=3))
    held = values.inventory(values.ujson("5.1.0"))
    made = early(values.OPERATOR, values.SECTOR, held, values.advisory(), Stage.ADVANCE, words)
    assert made is not None
    return Delivery(
        "notice-1", "case-1", "o", Stage.ADVANCE, "1", NOON, made.page, made.why, words.evidence,
        words.public_at, made.told, "d" * 64, "signed",
    )  # fmt: skip


def point(**counts: int) -> Point:
    """A moment with these counts."""
    states = {state: counts.get(state.name, 0) for state in State}
    return Point(NOON, states)


def test_a_notice_says_why_and_how_to_answer() -> None:
    """With hour and zone; a page without an agreed day says that."""
    page = html(delivery_document(delivery()))
    for words in (
        "is among the affected releases",
        "set off in a sandbox",
        "4 March 2027, 12:00 UTC",
        "leadline notice answer notice-1 acting",
    ):
        assert words in page
    assert "no day is agreed yet" in html(delivery_document(replace(delivery(), public_at=None)))
    bare = replace(delivery(), why=(), page=replace(delivery().page, affected=()))
    assert "None of your lines is known to be affected." in html(delivery_document(bare))


def test_of_many_moments_the_last_of_each_span_is_drawn() -> None:
    """Of 20,000 operators that answer through a week nobody can tell the moments apart; what is shown stays exact."""
    week = [
        replace(point(NO_ANSWER=20_000 - n, APPLIED=n), at=NOON + timedelta(seconds=30 * n))
        for n in range(20_000)
    ]
    some, span = thinned(week)
    assert (len(some), span) == (167, timedelta(hours=1))
    assert all(one in week for one in some[:5])
    assert some[-1] == week[-1]
    figure = burn_down(week, exact=True)
    assert figure is not None
    assert figure.data.caption == "What operators did, by moment, the last of each hour"
    assert len(figure.data.rows) == 167
    assert len(figure.svg) < 100_000
    assert "19,999 of 20,000 operators" in figure.alt
    assert thinned(week[:200]) == (week[:200], None)
    ages = [replace(one, at=NOON + timedelta(days=30 * n)) for n, one in enumerate(week[:300])]
    assert thinned(ages) == (tuple(ages), max(SPANS))  # no span is longer; nothing is left out


def test_small_counts_are_shown_to_nobody_else() -> None:
    """Neither by a state nor by the whole; large ones are, and all of them to the case's own people."""
    few = point(NO_ANSWER=2, APPLIED=1)
    assert burn_down_row(few, exact=True)["applied"] == 1
    hidden = burn_down_row(few, exact=False)
    assert (hidden["told"], hidden["applied"], hidden["no-answer"]) == (None, None, None)
    many = point(NO_ANSWER=50, APPLIED=20, VERIFIED=30)
    assert burn_down_row(many, exact=False)["applied"] == 50
    mixed = burn_down_row(point(NO_ANSWER=50, ACTING=1, APPLIED=20, VERIFIED=30), exact=False)
    assert (mixed["acting"], mixed["applied"], mixed["told"]) == (None, None, None)


def test_the_picture_of_a_burn_down() -> None:
    """Words beside it, data below it; nothing before anybody was told."""
    assert burn_down([], exact=True) is None
    figure = burn_down([point(NO_ANSWER=7, VERIFIED=5)], exact=False)
    assert figure is not None
    assert "5 of 12 operators had applied the remedy" in figure.alt
    few = burn_down([point(NO_ANSWER=1)], exact=False)
    assert few is not None
    assert "Too few operators" in few.alt
    assert "fewer than 5" in few.data.rows[0]


def test_the_page_of_a_report_without_anything() -> None:
    """It says so in words, and prints its limits all the same."""
    found = fairness("case-1", (), 0, (), NOON)
    counts = {"told": 0, "no-answer": 0, "explained": 0, "unexplained": 0}
    page = html(fairness_document(found, counts, public=True))
    for words in ("Nobody was told.", "word of mouth", "Every operator with a match was told"):
        assert words in page


def test_faults_stand_on_the_page() -> None:
    """Differences without a reason and gaps in the numbers are said aloud."""
    empty = fairness("case-1", (), 0, (), NOON)
    found = replace(
        empty,
        differences=(Difference(Fault.NOT_TOLD, "a", "advance", ""),),
        numbering=Numbering(3, 2, 1, 2, ("act 2 of the case says that it is number 9",)),
    )
    counts = {"told": None, "no-answer": None, "explained": 0, "unexplained": 1}
    page = html(fairness_document(found, counts, public=False))
    for words in ("not explained", "says that it is number 9", "under 5"):
        assert words in page
