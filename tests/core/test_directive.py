"""BOD 26-04 as data: every example, calendar days in the operator's zone, and what is outside."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.directive import Due, Facts, Standing, Start, Term, due, end_of
from leadline.core.errors import Invalid
from leadline.formats.directive_toml import Example, load_examples
from priority_world import LEVELS, directive, inputs, shipped, tables

BOD = directive()
EXAMPLES = load_examples(shipped("directives", "us-bod-26-04.examples.toml"), "examples")
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2027, 1, 12, 14, tzinfo=UTC)
CVE = "CVE-2027-0001"


def days(letters: str, now: datetime = NOW, **facts: Any) -> Due:
    """What follows at *now*, in New York, for the inputs *letters* and *facts*."""
    held = replace(Facts(cve=CVE, bound=True), **facts)
    return due(BOD, BOD.table.decide(inputs(letters)), held, now, NEW_YORK)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.words)
def test_examples_hold(example: Example) -> None:
    """Each row, each determined incomplete set, ranges, and days, by hand."""
    decision = BOD.table.decide(example.known)
    assert (decision.least.key, decision.most.key) == (example.least, example.most)
    assert tuple(point.id for point in decision.needed) == example.needed
    if example.now is not None:
        found = due(BOD, decision, example.facts, example.now, NEW_YORK)
        assert (found.standing, found.owed, found.sorts) == (
            example.standing,
            example.owed,
            example.sorts,
        )


def test_the_examples_hold_every_row_and_every_determined_set() -> None:
    """16 rows and seven incomplete sets, each once; the rows were transcribed apart from the table."""
    sets = [frozenset(example.known.items()) for example in EXAMPLES if example.now is None]
    whole = [one for one in sets if len(one) == 4]
    assert len(whole) == len(set(whole)) == 16
    assert sum(len(one) == 3 for one in sets) == 7


def test_both_dates_are_kept_and_the_earlier_sorts() -> None:
    """From listing or detection, and from the release of the fix to this operator."""
    found = days(
        "YYYP",
        listed=date(2027, 1, 10),
        detected=datetime(2027, 1, 8, 4, tzinfo=UTC),
        fix=datetime(2027, 1, 4, 12, tzinfo=UTC),
    )
    assert (found.started, found.owed) == (date(2027, 1, 7), date(2027, 1, 10))
    assert (found.from_fix, found.sorts) == (date(2027, 1, 7), date(2027, 1, 7))
    assert not found.forensics
    assert days("YYYT", listed=date(2027, 1, 10)).forensics
    assert found.words == (
        f"CISA BOD 26-04: binds {BOD.binds} since 2026-12-07 (confidence 1)",
        "within 3 calendar days",
        "calendar days from 2027-01-07 (earlier of listing and detection, confidence 1)",
    )


def test_undetermined_owes_nothing_and_says_what_would_settle_it() -> None:
    """The earliest possible day only sorts; forensics are not owed either."""
    found = days("?YYT", listed=date(2027, 1, 10))
    assert found.owed == date(2027, 1, 13)
    found = days("YY??", listed=date(2027, 1, 10))
    assert (found.owed, found.from_fix, found.forensics) == (None, None, False)
    assert found.sorts == date(2027, 1, 13)
    assert found.words[1] == (
        "undetermined: earliest possible within 3 calendar days, with a forensic investigation of the "
        "asset; latest possible within 14 calendar days; no date is owed yet; to settle it, find out: "
        "Automatable and Technical Impact"
    )


def test_on_system_upgrade_has_no_date() -> None:
    """Not even an invented one, whatever is known of days."""
    found = days("NNNP", detected=NOW, fix=NOW, listed=date(2027, 1, 1))
    assert (found.owed, found.from_fix, found.sorts) == (None, None, None)
    assert found.words[1:] == ("at the next scheduled major upgrade or rebuild; no date",)


def test_nothing_begins_before_listing_or_detection() -> None:
    """A fix alone starts no day of the directive; it is counted apart."""
    found = days("YNYT", fix=NOW)
    assert (found.started, found.owed, found.from_fix) == (None, None, date(2027, 1, 15))
    assert found.words[2] == "the days have not begun: no listing or detection is known"


@pytest.mark.parametrize(("cve", "embargoed"), [("", False), (CVE, True)])
def test_outside_has_its_own_clock_under_its_own_name(cve: str, *, embargoed: bool) -> None:
    """It starts with the fix, and nothing it says names the directive."""
    facts: dict[str, Any] = {
        "cve": cve,
        "embargoed": embargoed,
        "listed": date(2027, 1, 1),
        "detected": NOW,
    }
    waiting = days("YNYT", **facts)
    assert (waiting.standing, waiting.started, waiting.owed) == (Standing.OUTSIDE, None, None)
    assert waiting.sorts is None
    ready = days("YNYT", **facts, fix=NOW)
    assert (ready.started, ready.owed) == (date(2027, 1, 12), date(2027, 1, 15))
    for found in (waiting, ready, days("YN??", **facts)):
        assert found.clock == "Leadline notice clock"
        assert "26-04" not in " ".join((found.clock, *found.words))


def test_what_the_directive_is_for_whom_and_when() -> None:
    """The first day in effect is one in the operator's zone."""
    eve = datetime(2026, 12, 7, 4, 59, tzinfo=UTC)
    assert days("YYYT", eve).standing is Standing.NOT_YET
    assert "until then it is advice" in days("YYYT", eve).words[0]
    assert days("YYYT", eve + timedelta(minutes=1)).standing is Standing.BINDS
    told = days("YYYT", bound=False)
    assert told.standing is Standing.ADVICE
    assert told.words[0].startswith("CISA BOD 26-04: advice here")


def test_the_start_rule_is_data() -> None:
    """A directive whose days count from one of the two only."""
    facts = Facts(CVE, listed=date(2027, 1, 1), detected=NOW)
    decision = BOD.table.decide(inputs("YYYP"))
    for rule, day in ((Start.LISTING, 4), (Start.DETECTION, 15), (Start.EARLIER, 4)):
        found = due(replace(BOD, start=rule), decision, facts, NOW, NEW_YORK)
        assert found.owed == date(2027, 1, day)


@pytest.mark.parametrize(
    ("day", "zone", "ends"),
    [
        (date(2027, 1, 10), "America/New_York", "2027-01-11T05:00+00:00"),
        (date(2027, 3, 14), "America/New_York", "2027-03-15T04:00+00:00"),  # clocks go forward
        (date(2028, 2, 28), "UTC", "2028-02-29T00:00+00:00"),  # leap year
        (date(2027, 1, 10), "Pacific/Kiritimati", "2027-01-10T10:00+00:00"),
    ],
)
def test_a_day_ends_at_midnight_of_the_zone(day: date, zone: str, ends: str) -> None:
    """Also across a change of the clock."""
    assert end_of(day, ZoneInfo(zone)) == datetime.fromisoformat(ends)


def test_days_that_no_calendar_has_are_refused() -> None:
    """And moments without an offset, and foreign decisions and ids."""
    with pytest.raises(Invalid, match="end of the calendar"):
        end_of(date.max, NEW_YORK)
    with pytest.raises(Invalid, match="end of the calendar"):
        days("YYYP", listed=date.max)
    with pytest.raises(Invalid, match=r"detected: .*end of the calendar"):
        days("YYYP", detected=datetime.min.replace(tzinfo=UTC))
    with pytest.raises(Invalid, match="detected: a moment without an offset"):
        days("YYYP", detected=NOW.replace(tzinfo=None))
    with pytest.raises(Invalid, match="no CVE id"):
        Facts("GHSA-1")
    other = tables()["cisa:DT_CO:2.0.3"]
    with pytest.raises(Invalid, match=r"decided by cisa:DT_CO:2\.0\.3"):
        due(BOD, other.decide({}), Facts(), NOW, NEW_YORK)


def test_terms_must_fit_the_table() -> None:
    """One for each outcome in its order; never more days for what is more urgent."""
    none, *dated = BOD.terms
    wrong: list[tuple[Term, ...]] = [
        tuple(dated),
        (*dated, none),
        (replace(none, days=180), none, *dated[1:]),
        (none, replace(dated[0], days=10), *dated[1:]),
        (none, *dated[:2], replace(dated[2], days=0), replace(dated[3], days=0)),
        (none, *dated[:3], replace(dated[3], days=None)),
    ]
    for terms in wrong:
        with pytest.raises(Invalid, match="outcomes"):
            replace(BOD, terms=terms)
    with pytest.raises(Invalid, match="no input"):
        replace(BOD, kev="cisa:KEV:9.0.0")


letters = st.tuples(*(st.sampled_from([*both, "?"]) for both in LEVELS.values())).map("".join)
moments = st.integers(0, 2 * 365 * 24).map(lambda hours: NOW - timedelta(hours=hours))


@unhurried
@given(
    letters, st.integers(0, 3), moments, st.none() | st.dates(date(2026, 1, 1), date(2028, 1, 1))
)
def test_raising_an_input_never_gives_a_later_day(
    told: str, place: int, detected: datetime, listed: date | None
) -> None:
    """Neither the owed day nor the sorting one, whatever is unknown besides."""
    raised = told[:place] + list(LEVELS.values())[place][1] + told[place + 1 :]
    before = days(told, detected=detected, listed=listed)
    after = days(raised, detected=detected, listed=listed)
    assert (after.sorts or date.max) <= (before.sorts or date.max)
    if before.owed is not None and after.decision.determined:
        assert after.owed is not None
        assert after.owed <= before.owed
