"""Obligations: every clock by hand, the days on which texts begin and end, and what moves a date."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.obligation import (
    UNKNOWN,
    Asked,
    Obligation,
    Occurrence,
    Sent,
    Stage,
    after,
    obligations,
)
from leadline.core.engagement.regime import (
    Contest,
    Event,
    InForce,
    Participation,
    Regime,
    Report,
    Status,
    Toll,
    Unit,
)
from leadline.core.errors import Invalid

NONE = dict[str, frozenset[str]]()
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def text(
    id_: str,
    *reports: Report,
    since: date | None = date(2026, 1, 1),
    until: date | None = None,
    toll: Toll | None = None,
    contested: tuple[Contest, ...] = (),
) -> Regime:
    """A text in force since 2026 with these reports."""
    return Regime(
        id=id_,
        title=id_,
        digest=id_[0] * 64,
        status=Status.IN_FORCE,
        in_force=InForce(since, until),
        participation=Participation.STATUTE,
        consequences="none",
        confidence="P",
        last_checked=date(2026, 10, 10),
        sources=(),
        reports=reports,
        toll=toll,
        contested=contested,
    )


def report(
    id_: str,
    event: Event = Event.INCIDENT_KNOWN,
    *,
    within: tuple[int, Unit] | None = None,
    every: tuple[int, Unit] | None = None,
    until: Event | None = None,
    categories: tuple[str, ...] = (),
    only: str = "",
    keep_years: int = 0,
) -> Report:
    """A report of the developer."""
    return Report(
        id=id_,
        who="developer",
        event=event,
        to="a-body",
        words=f"report {id_}",
        cites="sec-1",
        within=within,
        every=every,
        until=until,
        categories=categories,
        only=only,
        keep_years=keep_years,
    )


SB53 = text(
    "ca-sb53",
    report("incident", within=(15, Unit.DAYS), categories=("critical-safety-incident",)),
    report("imminent", within=(24, Unit.HOURS), categories=("imminent-harm",)),
    report("internal-use", Event.INTERNAL_USE_BEGUN, every=(3, Unit.MONTHS), only="large"),
)
RAISE = text(
    "ny-raise",
    report("incident", within=(72, Unit.HOURS), categories=("safety-incident",)),
    report("imminent", within=(24, Unit.HOURS), categories=("imminent-harm",)),
    report("internal-use", Event.INTERNAL_USE_BEGUN, every=(3, Unit.MONTHS)),
    report("statement", Event.IN_FORCE, every=(2, Unit.YEARS)),
    since=date(2027, 1, 1),
)
ILLINOIS = text(
    "il-sb315",
    report("incident", within=(72, Unit.HOURS), categories=("safety-incident",)),
    report("imminent", within=(24, Unit.HOURS), categories=("imminent-harm",)),
    since=date(2027, 1, 1),
)
SERIOUS = ("infrastructure", "breach", "death", "serious-harm")
CODE = text(
    "eu-ai-act-gpai",
    report("art-55"),
    report("infrastructure", within=(2, Unit.DAYS), categories=("infrastructure",), keep_years=5),
    report("breach", within=(5, Unit.DAYS), categories=("breach",)),
    report("death", within=(10, Unit.DAYS), categories=("death",)),
    report("serious-harm", within=(15, Unit.DAYS), categories=("serious-harm",)),
    report(
        "interim",
        every=(4, Unit.WEEKS),
        until=Event.INCIDENT_RESOLVED,
        categories=SERIOUS,
    ),
    report("final", Event.INCIDENT_RESOLVED, within=(60, Unit.DAYS), categories=SERIOUS),
    report("model-report", Event.DEPLOYED, every=(6, Unit.MONTHS)),
)
CRA = text(
    "eu-cra-art14",
    report("early-warning", within=(24, Unit.HOURS), categories=("exploited-vulnerability",)),
    report("notification", within=(72, Unit.HOURS), categories=("exploited-vulnerability",)),
    report(
        "final",
        Event.FIX_AVAILABLE,
        within=(14, Unit.DAYS),
        categories=("exploited-vulnerability",),
    ),
    since=date(2026, 9, 11),
)


def incident(
    known: str, *categories: str, happened: str = "2026-01-01", id_: str = "incident-1"
) -> Occurrence:
    """Something that happened, and when the developer first knew."""
    return Occurrence(
        id_, Event.INCIDENT_KNOWN, at(happened), at(known), frozenset(categories), about=id_
    )


def event(kind: Event, when: str, about: str = "incident-1") -> Occurrence:
    """Another event of that thing."""
    return Occurrence(f"{kind}-{about}", kind, at(when), about=about)


def dues(found: tuple[Obligation, ...]) -> dict[str, str]:
    """Due times by regime, rule and number."""
    return {
        f"{one.regime} {one.rule} {one.number}": one.due.isoformat() if one.due else ""
        for one in found
    }


def owed(
    regime: Regime, *facts: Occurrence, now: datetime = LATER, large: bool = False
) -> dict[str, str]:
    """What one text asks for, by rule and number."""
    classes = {regime.id: frozenset({"large"} if large else set())}
    found = obligations([regime], facts, classes=classes, now=now)
    return {
        f"{one.rule} {one.number}": one.due.isoformat(" ", "minutes").removesuffix("+00:00")
        if one.due
        else ""
        for one in found
    }


@pytest.mark.parametrize(
    ("regime", "category", "rule", "due"),
    [
        (SB53, "critical-safety-incident", "incident 1", "2027-03-25 09:30"),
        (SB53, "imminent-harm", "imminent 1", "2027-03-11 09:30"),
        (RAISE, "safety-incident", "incident 1", "2027-03-13 09:30"),
        (RAISE, "imminent-harm", "imminent 1", "2027-03-11 09:30"),
        (ILLINOIS, "safety-incident", "incident 1", "2027-03-13 09:30"),
        (ILLINOIS, "imminent-harm", "imminent 1", "2027-03-11 09:30"),
        (CODE, "infrastructure", "infrastructure 1", "2027-03-12 09:30"),
        (CODE, "breach", "breach 1", "2027-03-15 09:30"),
        (CODE, "death", "death 1", "2027-03-20 09:30"),
        (CODE, "serious-harm", "serious-harm 1", "2027-03-25 09:30"),
        (CODE, "death", "art-55 1", ""),
        (CRA, "exploited-vulnerability", "early-warning 1", "2027-03-11 09:30"),
        (CRA, "exploited-vulnerability", "notification 1", "2027-03-13 09:30"),
    ],
)
def test_a_clock_runs_from_when_the_party_knew(
    regime: Regime, category: str, rule: str, due: str
) -> None:
    """Known on 10 March at 09:30, two days after it happened: hours and days are exact."""
    known = incident("2027-03-10T09:30", category, happened="2027-03-08T01:00")
    assert owed(regime, known)[rule] == due


def test_only_the_categories_of_a_report_start_it() -> None:
    """A death asks for the ten-day report and none of the other three."""
    found = owed(CODE, incident("2027-03-10", "death"), now=at("2027-03-11"))
    assert list(found) == ["art-55 1", "death 1", "interim 1"]


def test_interim_reports_end_with_the_resolution_and_the_final_one_follows_it() -> None:
    """Every four weeks until resolved; the final report 60 days after."""
    facts = incident("2027-03-01", "breach"), event(Event.INCIDENT_RESOLVED, "2027-05-10T12:00")
    assert owed(CODE, *facts) == {
        "art-55 1": "",
        "breach 1": "2027-03-06 00:00",
        "interim 1": "2027-03-29 00:00",
        "interim 2": "2027-04-26 00:00",
        "final 1": "2027-07-09 12:00",
    }


def test_what_is_resolved_at_the_moment_of_an_interim_report_owes_none() -> None:
    """The series ends with the event, its own moment included."""
    known = incident("2027-03-01", "breach")
    for resolved, left in (("2027-03-29T00:00", 0), ("2027-03-29T00:01", 1)):
        found = owed(CODE, known, event(Event.INCIDENT_RESOLVED, resolved))
        assert sum(rule.startswith("interim") for rule in found) == left


def test_a_final_report_after_a_fix_is_about_the_same_vulnerability() -> None:
    """Fourteen days after the fix of what was known; another thing's fix starts nothing for it."""
    known = incident("2027-03-01", "exploited-vulnerability")
    fixed = event(Event.FIX_AVAILABLE, "2027-04-01")
    assert owed(CRA, known, fixed)["final 1"] == "2027-04-15 00:00"
    other = replace(fixed, categories=frozenset({"something-else"}), about="other", id="f2")
    assert "final 1" not in owed(CRA, known, other)


def test_summaries_of_internal_use_come_every_three_months() -> None:
    """By the calendar, each counted from the start: the 30th again after the end of February."""
    begun = event(Event.INTERNAL_USE_BEGUN, "2026-11-30T08:00", "m")
    found = owed(SB53, begun, now=at("2027-07-01"), large=True)
    assert found == {
        "internal-use 1": "2027-02-28 08:00",
        "internal-use 2": "2027-05-30 08:00",
        "internal-use 3": "2027-08-30 08:00",
    }


def test_a_disclosure_statement_comes_every_two_years_from_the_first_day() -> None:
    """It needs no event but the text's own beginning; before that day there is none."""
    assert owed(RAISE, now=at("2029-01-02")) == {
        "statement 1": "2029-01-01 00:00",
        "statement 2": "2031-01-01 00:00",
    }
    assert owed(RAISE, now=at("2026-12-31T23:59")) == {}
    assert owed(replace(RAISE, in_force=InForce())) == {}


def test_a_model_report_comes_every_six_months() -> None:
    """From the day the model is deployed."""
    deployed = event(Event.DEPLOYED, "2027-08-31", "m")
    assert owed(CODE, deployed, now=at("2027-09-01")) == {"model-report 1": "2028-02-29 00:00"}


@pytest.mark.parametrize(
    ("known", "fires"),
    [
        ("2026-12-31T23:59:59", False),
        ("2027-01-01T00:00:00", True),
        ("2028-02-29T12:00:00", True),
        ("2028-12-31T23:59:59", True),
        ("2029-01-01T00:00:00", False),
    ],
)
def test_only_what_is_known_while_the_text_has_effect_starts_a_clock(
    known: str, *, fires: bool
) -> None:
    """First and last day included, the day before and the day after not."""
    while_ = replace(ILLINOIS, in_force=InForce(date(2027, 1, 1), date(2028, 12, 31)))
    assert bool(owed(while_, incident(known, "safety-incident"))) is fires


def test_a_day_of_force_is_a_day_in_utc() -> None:
    """What is known in the evening of the last day of the year in New York is known in the new."""
    east = timezone(timedelta(hours=-5))
    known = datetime(2026, 12, 31, 20, tzinfo=east)
    fact = replace(incident("2027-01-01", "safety-incident"), known_at=known)
    assert owed(RAISE, fact, now=at("2027-02-01"))["incident 1"] == "2027-01-04 01:00"


def test_what_was_known_before_the_first_day_asks_for_no_final_report_either() -> None:
    """Its resolution under the text starts nothing; without a known start it stands for itself."""
    resolved = event(Event.INCIDENT_RESOLVED, "2026-03-01")
    early = incident("2025-12-31", "death", happened="2025-12-01")
    assert owed(CODE, early, resolved) == {}
    alone = replace(resolved, categories=frozenset({"death"}), about="")
    assert owed(CODE, alone) == {"final 1": "2026-04-30 00:00"}


def test_what_goes_on_counts_from_the_first_day_of_the_text() -> None:
    """Internal use that began before the text did is summed up three months after its first day."""
    begun = event(Event.INTERNAL_USE_BEGUN, "2026-06-01", "m")
    found = owed(RAISE, begun, now=at("2027-02-01"))
    assert found["internal-use 1"] == "2027-04-01 00:00"
    assert "internal-use 1" not in owed(RAISE, begun, now=at("2026-12-31"))
    assert owed(replace(RAISE, in_force=InForce()), begun, now=at("2026-07-01")) == {
        "internal-use 1": "2026-09-01 00:00"
    }


def test_a_series_ends_with_the_text() -> None:
    """After the last day nothing falls due any more."""
    ended = replace(SB53, in_force=InForce(date(2026, 1, 1), date(2026, 6, 30)))
    begun = event(Event.INTERNAL_USE_BEGUN, "2026-03-30", "m")
    assert owed(ended, begun, large=True) == {"internal-use 1": "2026-06-30 00:00"}
    assert owed(ended, replace(begun, at=at("2026-04-01")), large=True) == {}


def test_a_series_may_begin_with_a_span_of_its_own() -> None:
    """First within ten days, then every month, counted from the first."""
    first = report("r", Event.DEPLOYED, within=(10, Unit.DAYS), every=(1, Unit.MONTHS))
    found = owed(text("one", first), event(Event.DEPLOYED, "2027-01-21", "m"), now=at("2027-03-15"))
    assert list(found.values()) == ["2027-01-31 00:00", "2027-02-28 00:00", "2027-03-31 00:00"]


def test_a_series_without_a_span_is_refused() -> None:
    """It would never end."""
    bad = report("r", Event.DEPLOYED, every=(0, Unit.DAYS))
    with pytest.raises(Invalid, match="r: a series needs a span"):
        owed(text("one", bad), event(Event.DEPLOYED, "2027-01-21", "m"))


@pytest.mark.parametrize(
    ("start", "span", "times", "end"),
    [
        ("2027-01-31", (1, Unit.MONTHS), 1, "2027-02-28"),
        ("2028-01-31", (1, Unit.MONTHS), 1, "2028-02-29"),
        ("2028-02-29", (1, Unit.YEARS), 1, "2029-02-28"),
        ("2028-02-29", (1, Unit.YEARS), 4, "2032-02-29"),
        ("2027-12-31", (2, Unit.MONTHS), 1, "2028-02-29"),
        ("2027-11-30", (1, Unit.MONTHS), 1, "2027-12-30"),
        ("2027-01-31", (1, Unit.MONTHS), 2, "2027-03-31"),
        ("2027-03-27T23:30", (24, Unit.HOURS), 1, "2027-03-28T23:30"),
        ("2028-02-28", (2, Unit.DAYS), 1, "2028-03-01"),
        ("2027-02-22", (1, Unit.WEEKS), 2, "2027-03-08"),
        ("2027-02-22", (0, Unit.DAYS), 1, "2027-02-22"),
    ],
)
def test_months_and_years_go_by_the_calendar(
    start: str, span: tuple[int, Unit], times: int, end: str
) -> None:
    """Leap days, ends of months and a night in which clocks change."""
    assert after(at(start), span, times) == at(end)


def test_a_span_beyond_the_calendar_or_below_nothing_is_refused() -> None:
    """With the moment it was to be counted from."""
    for span in ((9000, Unit.YEARS), (9_999_999_999, Unit.HOURS)):
        with pytest.raises(Invalid, match=r"2027-03-01T.*beyond the calendar"):
            after(at("2027-03-01"), span)
    with pytest.raises(Invalid, match="back in time"):
        after(at("2027-03-01"), (-1, Unit.DAYS))


def test_impossible_times_are_refused() -> None:
    """Knowledge before the event, times without an offset, an answer before its question."""
    with pytest.raises(Invalid, match=r"known_at: 2027-01-01.* is before the event"):
        incident("2027-01-01", happened="2027-01-02")
    with pytest.raises(Invalid, match="known_at: a time needs an offset"):
        replace(incident("2027-01-01"), known_at=datetime(2027, 1, 1))  # noqa: DTZ001
    with pytest.raises(Invalid, match="offset"):
        Occurrence("x", Event.DEPLOYED, datetime(2027, 1, 1))  # noqa: DTZ001
    with pytest.raises(Invalid, match="answered: is before"):
        Asked("one", at("2027-01-02"), at("2027-01-01"))
    with pytest.raises(Invalid, match="offset"):
        obligations([], [], classes=NONE, now=datetime(2027, 1, 1))  # noqa: DTZ001


def test_of_several_who_knew_the_earliest_counts_and_only_of_that_party() -> None:
    """Two of the developer knew on different days, the programme earlier than both."""
    late = incident("2027-03-10", "critical-safety-incident", happened="2027-03-01")
    early = replace(late, known_at=at("2027-03-08"), categories=frozenset({UNKNOWN}))
    theirs = replace(late, known_at=at("2027-03-02"), party="government")
    found = owed(SB53, late, theirs, early)
    assert found == {"incident 1": "2027-03-23 00:00"}
    assert owed(SB53, theirs) == {}


def test_two_texts_that_speak_of_one_fact_give_two_obligations() -> None:
    """Never one for both, even with one recipient and one due time."""
    found = obligations(
        [RAISE, ILLINOIS],
        [incident("2027-03-10", "safety-incident")],
        classes=NONE,
        now=at("2027-03-10"),
    )
    assert dues(found) == {
        "il-sb315 incident 1": "2027-03-13T00:00:00+00:00",
        "ny-raise incident 1": "2027-03-13T00:00:00+00:00",
        "ny-raise statement 1": "2029-01-01T00:00:00+00:00",
    }
    assert {one.id for one in found} == {
        "ny-raise/incident/incident-1/1",
        "il-sb315/incident/incident-1/1",
        "ny-raise/statement/in-force/1",
    }


def test_a_class_limits_a_report_and_an_unknown_one_is_presumed() -> None:
    """Large: owed; not large: not; nobody knows: listed, and marked as presumed."""
    begun = event(Event.INTERNAL_USE_BEGUN, "2027-01-01", "m")
    now = at("2027-02-01")
    assert owed(SB53, begun, now=now, large=True) == {"internal-use 1": "2027-04-01 00:00"}
    assert owed(SB53, begun, now=now) == {}
    (one,) = obligations([SB53], [begun], classes=NONE, now=now)
    assert one.presumed


def test_an_unknown_category_is_presumed_to_be_each_until_more_is_known() -> None:
    """Unknown is never "none of them"."""
    known = incident("2027-03-10", UNKNOWN)
    found = obligations([SB53], [known], classes=NONE, now=at("2027-03-10"))
    assert [(one.rule, one.presumed) for one in found] == [("imminent", True), ("incident", True)]
    more = replace(known, categories=frozenset({"imminent-harm"}))
    found = obligations([SB53], [known, more], classes=NONE, now=at("2027-03-10"))
    assert [(one.rule, one.presumed) for one in found] == [("imminent", False)]


def test_a_stage_is_computed_from_now_and_from_what_was_sent() -> None:
    """Due up to its last moment, overdue after, sent from when somebody says so; late stays seen."""
    known = incident("2027-03-10", "safety-incident")

    def one(now: str, *sent: Sent) -> Obligation:
        found = obligations([ILLINOIS], [known], classes=NONE, now=at(now), sent=sent)
        return found[0]

    def said(when: str) -> Sent:
        return Sent("il-sb315/incident/incident-1/1", at(when), "a-body", when, "p")

    assert one("2027-03-13").stage is Stage.DUE
    assert one("2027-03-13T00:00:01").stage is Stage.OVERDUE
    assert one("2027-03-20", said("2027-03-12")).stage is Stage.SENT
    assert not one("2027-03-20", said("2027-03-12")).late
    assert one("2027-03-20", said("2027-03-14")).late
    assert not one("2027-03-20").late
    first = one("2027-03-20", said("2027-03-14"), said("2027-03-12")).sent
    assert first is not None
    assert first.reference == "2027-03-12"
    assert one("2027-03-11", said("2027-03-12")).stage is Stage.DUE


def test_how_long_a_report_is_kept_counts_from_its_sending() -> None:
    """Before that from when it is due, and without a due time from the start."""
    known = incident("2028-02-27", "infrastructure")
    (one,) = (
        each
        for each in obligations([CODE], [known], classes=NONE, now=at("2028-03-01"))
        if each.rule == "infrastructure"
    )
    assert one.keep_until == at("2033-02-28")
    sent = Sent(one.id, at("2028-02-28"))
    found = obligations([CODE], [known], classes=NONE, now=at("2028-03-01"), sent=[sent])
    assert [each.keep_until for each in found if each.id == one.id] == [at("2033-02-28")]
    unnumbered = text("one", report("r", keep_years=5))
    (other,) = obligations([unnumbered], [known], classes=NONE, now=at("2028-03-01"))
    assert (other.due, other.keep_until) == (None, at("2033-02-27"))


def test_a_dispute_about_the_text_stands_beside_what_follows_from_it() -> None:
    """While it lasts."""
    notes = (
        Contest("open", "c"),
        Contest("now", "c", date(2027, 3, 1), date(2027, 3, 31)),
        Contest("over", "c", None, date(2027, 2, 28)),
        Contest("to come", "c", date(2027, 4, 1)),
    )
    one = text("one", report("r", within=(1, Unit.DAYS)), contested=notes)
    (found,) = obligations([one], [incident("2027-03-10")], classes=NONE, now=at("2027-03-10"))
    assert [note.words for note in found.contested] == ["open", "now"]


TOLLED = text(
    "tolled",
    report("a", within=(10, Unit.DAYS)),
    report("b", within=(10, Unit.DAYS)),
    toll=Toll(("a",), "while the body owes an answer", "sec-1"),
)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ([], "2027-03-20 00:00"),
        ([("tolled", "2027-03-12", "2027-03-15")], "2027-03-23 00:00"),
        ([("other", "2027-03-12", "2027-03-15")], "2027-03-20 00:00"),
        ([("tolled", "2027-03-08", "2027-03-11")], "2027-03-21 00:00"),
        ([("tolled", "2027-03-12", "2027-03-15"), ("tolled", "2027-03-13", "2027-03-16")], "2027-03-24 00:00"),
        ([("tolled", "2027-03-12", "2027-03-16"), ("tolled", "2027-03-13", "2027-03-14")], "2027-03-24 00:00"),
        ([("tolled", "2027-03-12", "2027-03-22"), ("tolled", "2027-03-25", "2027-03-26")], "2027-03-31 00:00"),
        ([("tolled", "2027-03-20", "2027-03-25")], "2027-03-20 00:00"),
        ([("tolled", "2027-03-18", None)], "2027-04-03 00:00"),
        ([("tolled", "2027-03-18", "2027-05-01")], "2027-04-03 00:00"),
        ([("tolled", "2027-04-02", None)], "2027-03-20 00:00"),
    ],
)  # fmt: skip
def test_a_cited_toll_moves_its_reports_while_the_body_owes_an_answer(
    asked: list[tuple[str, str, str | None]], due: str
) -> None:
    """Overlaps count once, what came before the start not at all; the text's other report stays."""
    waits = [Asked(who, at(one), at(two) if two else None) for who, one, two in asked]
    found = obligations(
        [TOLLED], [incident("2027-03-10")], classes=NONE, now=at("2027-04-01"), requests=waits
    )
    shown = {one.rule: one.due for one in found}
    assert shown == {"a": at(due), "b": at("2027-03-20")}


TEXTS = (SB53, RAISE, ILLINOIS, CODE, CRA)
MOMENTS = st.datetimes(datetime(2025, 6, 1), datetime(2029, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001
WORDS = sorted({word for one in TEXTS for each in one.reports for word in each.categories})


@st.composite
def facts(draw: st.DrawFn) -> Occurrence:
    """Any event of one of three things, known at once or later."""
    kind, when = draw(st.sampled_from(Event)), draw(MOMENTS)
    about = draw(st.sampled_from(["a", "b", "c"]))
    known = draw(st.none() | st.timedeltas(timedelta(), timedelta(days=400)))
    return Occurrence(
        f"{kind}-{about}",
        kind,
        when,
        None if known is None else when + known,
        draw(st.frozensets(st.sampled_from([*WORDS, UNKNOWN]), max_size=3)),
        about=about,
        party=draw(st.sampled_from(("developer", "government"))),
    )


@given(st.lists(facts(), max_size=6), MOMENTS)
def test_no_clock_ends_before_it_starts(found: list[Occurrence], now: datetime) -> None:
    """Whatever happens in whatever order, and nothing starts after now."""
    for one in obligations(TEXTS, found, classes=NONE, now=now):
        assert one.started <= now
        assert one.due is None or one.due >= one.started
        assert one.keep_until is None or one.keep_until >= one.started


@given(st.lists(facts(), max_size=6).flatmap(lambda x: st.tuples(st.just(x), st.permutations(x))))
def test_the_order_of_what_is_told_does_not_matter(
    both: tuple[list[Occurrence], list[Occurrence]],
) -> None:
    """Acts may come in any order."""
    one, two = (obligations(TEXTS, each, classes=NONE, now=LATER) for each in both)
    assert one == two


@given(st.lists(facts(), max_size=6), MOMENTS, st.lists(st.tuples(MOMENTS, MOMENTS), max_size=3))
def test_the_silence_of_others_moves_nothing(
    found: list[Occurrence], now: datetime, pairs: list[tuple[datetime, datetime]]
) -> None:
    """No text here has a toll: questions, answered or not, and what others know, change no date."""
    asked = [Asked(one.id, min(pair), None) for one in TEXTS for pair in pairs]
    asked += [Asked(one.id, min(pair), max(pair)) for one in TEXTS for pair in pairs]
    ours = [one for one in found if one.party == "developer"]
    plain = obligations(TEXTS, ours, classes=NONE, now=now)
    assert plain == obligations(TEXTS, found, classes=NONE, now=now, requests=asked)


@given(st.lists(facts(), max_size=6), MOMENTS, st.sets(st.sampled_from(range(len(TEXTS)))))
def test_another_text_moves_no_date_of_the_first(
    found: list[Occurrence], now: datetime, others: set[int]
) -> None:
    """What one text asks for is the same alone and among any others."""
    among = obligations([TEXTS[one] for one in sorted(others)], found, classes=NONE, now=now)
    for number in others:
        alone = obligations([TEXTS[number]], found, classes=NONE, now=now)
        assert alone == tuple(one for one in among if one.regime == TEXTS[number].id)


@given(st.lists(facts(), max_size=6), MOMENTS, st.timedeltas(timedelta(), timedelta(days=900)))
def test_time_alone_moves_no_date(found: list[Occurrence], now: datetime, later: timedelta) -> None:
    """What was owed stays owed for the same moment, unless something happened meanwhile."""
    before = [one for one in found if one.moment <= now]
    first = obligations(TEXTS, before, classes=NONE, now=now)
    second = {one.id: one.due for one in obligations(TEXTS, before, classes=NONE, now=now + later)}
    assert all(second[one.id] == one.due for one in first)
