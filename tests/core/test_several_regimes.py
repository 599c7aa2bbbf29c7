"""One engagement under several regimes: each has its own window, and history keeps its text."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.access import Principal
from leadline.core.engagement import engagement as rules
from leadline.core.engagement.clock import EndedBy
from leadline.core.engagement.determination import Variant
from leadline.core.engagement.engagement import Deed, Engagement, Standing, State, standing
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import (
    AccessRule,
    InForce,
    Participation,
    Regime,
    Source,
    Status,
)
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid, LeadlineError, NotFound, Refused
from leadline.core.record.act import Act, Kind, instant

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Attempt = Callable[[], Deed]
DEVELOPER = Principal("dev", "Dev", "maker", frozenset({"developer"}))
OFFICIAL = Principal("off", "Off", "office", frozenset({"determining-official"}))
FIRST = Regime(
    id="r",
    title="R",
    digest="r1",
    status=Status.IN_FORCE,
    in_force=InForce(date(2026, 6, 2)),
    participation=Participation.VOLUNTARY,
    consequences="none",
    confidence="P",
    last_checked=date(2026, 10, 1),
    sources=(Source("s", "S", "https://example.org", "read", "P"),),
    window=AccessRule(30, 30, "up to 30 days", "s"),
)
NEWER = replace(FIRST, digest="r2", supersedes="r1", window=AccessRule(10, 10, "ten", "s"))
OTHER = replace(FIRST, id="other", digest="o1", window=AccessRule(60, 40, "forty", "s"))
LIBRARY = Library((FIRST, NEWER, OTHER))
FACTS = Engagement("e", "r", "r1", "maker", "model-x", "dd" * 32, START)
TERMS = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, START + 80 * DAY)


def after(on: Standing, deed: Deed, at: datetime, by: Principal = DEVELOPER) -> Standing:
    """The standing once *deed* is recorded."""
    act = Act(f"a{len(on.acts)}", deed.kind, at, by.id, deed.about, "e", deed.detail)
    return standing(on.engagement, LIBRARY, (*on.acts, act))


def under_both(anchor: int = 20, other: int = 50) -> Standing:
    """Under both regimes, each with its own anchor, and terms of both parties."""
    on = Standing(FACTS, FIRST)
    on = after(on, rules.add_regime(on, DEVELOPER, regime=OTHER), START)
    for days, id_ in ((anchor, ""), (other, "other")):
        deed = rules.set_anchor(on, DEVELOPER, anchor=START + days * DAY, under=id_)
        on = after(on, deed, START)
    for by in (DEVELOPER, OFFICIAL):
        on = after(on, rules.agree_terms(on, by, START, terms=TERMS), START, by)
    return on


def test_each_regime_has_its_own_anchor_window_and_end() -> None:
    """Nothing merges: anchors, openings, extensions and ends are of one regime."""
    on, now = under_both(), START
    on = after(on, rules.open_access(on, DEVELOPER, now), now)
    assert on.window.ends == START + 20 * DAY
    assert on.windows["other"].opened is None
    later = START + 15 * DAY
    on = after(on, rules.open_access(on, DEVELOPER, later, under="other"), later)
    assert on.window.ends == START + 20 * DAY
    assert on.windows["other"].ends == START + 50 * DAY
    assert set(on.open_windows(later)) == {"r", "other"}
    assert on.word(START + 30 * DAY) is State.ACCESS_OPEN
    with pytest.raises(Refused, match="access under other was opened"):
        rules.open_access(on, DEVELOPER, later, under="other")
    over = after(on, rules.end_access(on, OFFICIAL, later, under="other"), later, OFFICIAL)
    assert set(over.open_windows(later)) == {"r"}
    with pytest.raises(Refused, match="not open"):
        rules.end_access(over, OFFICIAL, later, under="other")
    none = after(on, rules.end_access(on, OFFICIAL, later), later, OFFICIAL)
    assert not none.open_windows(later)
    gone = after(on, rules.withdraw(on, DEVELOPER), later)
    assert not gone.open_windows(later)
    assert gone.word(later) is State.WITHDRAWN


def test_the_window_shown_is_one_that_was_open() -> None:
    """What was opened under a further regime, and has ended, is not shown as never opened."""
    on = under_both()
    assert on.shown(START) == on.window
    on = after(on, rules.open_access(on, DEVELOPER, START, under="other"), START)
    assert on.shown(START) == on.windows["other"] != on.window
    on = after(on, rules.end_access(on, OFFICIAL, START + DAY), START + DAY, OFFICIAL)
    assert on.shown(START + DAY).ends == START + DAY
    assert on.shown(START + DAY).ended_by is EndedBy.PARTY


def test_a_newer_text_counts_for_what_is_new_and_history_keeps_its_own() -> None:
    """Access that was opened under thirty days keeps them; what is opened under ten has ten."""
    on = under_both()
    opened = after(on, rules.open_access(on, DEVELOPER, START), START)
    both = after(opened, rules.add_regime(opened, DEVELOPER, regime=NEWER), START)
    assert both.window == opened.window
    assert both.text() is NEWER
    assert both.acts[-1].detail["regime"] == "r2"
    first = after(on, rules.add_regime(on, DEVELOPER, regime=NEWER), START)
    assert first.window.opens_not_before == START + 10 * DAY
    with pytest.raises(Refused, match="no earlier"):
        rules.open_access(first, DEVELOPER, START)
    found = rules.open_access(first, DEVELOPER, START + 10 * DAY)
    assert found.detail["regime"] == "r2"
    asked = rules.lodge_inquiry(first, DEVELOPER, START, question="q")
    assert asked.detail["regime"] == "r2"


def test_access_is_not_opened_under_terms_that_have_expired() -> None:
    """A window that would end before it opens is refused, with the cure; at the very end as well."""
    on = under_both(85)
    for late in (START + 80 * DAY, START + 81 * DAY):
        with pytest.raises(Refused, match="the agreed terms have expired"):
            rules.open_access(on, DEVELOPER, late)


@pytest.mark.parametrize(
    ("regime", "words"),
    [
        (FIRST, "under this text of r already"),
        (replace(FIRST, digest="r0"), "older than the one"),
        (replace(OTHER, status=Status.NEVER_IN_FORCE), "has no effect (never-in-force)"),
        (replace(OTHER, status=Status.REVOKED), "has no effect (revoked)"),
    ],
)
def test_a_text_that_cannot_be_added_is_refused(regime: Regime, words: str) -> None:
    """The same text, an older one, and one without effect; a text that begins later can be added."""
    on = Standing(FACTS, FIRST)
    with pytest.raises(Refused) as refused:
        rules.add_regime(on, DEVELOPER, regime=regime)
    assert words in str(refused.value)
    coming = replace(OTHER, status=Status.NOT_YET_IN_FORCE)
    assert rules.add_regime(on, DEVELOPER, regime=coming).kind is Kind.REGIME_ADDED
    newer = after(on, rules.add_regime(on, DEVELOPER, regime=NEWER), START)
    with pytest.raises(Refused, match="already"):
        rules.add_regime(newer, DEVELOPER, regime=FIRST)
    between = replace(NEWER, digest="r3", supersedes="r2")
    held = Standing(FACTS, FIRST, newer.acts[:0])
    act = Act("a", Kind.REGIME_ADDED, START, "dev", "e", "e", {"id": "r", "regime": "r3"})
    latest = replace(held, acts=(act,), added=(between,))
    with pytest.raises(Refused, match="older"):
        rules.add_regime(latest, DEVELOPER, regime=NEWER)


def test_an_act_under_no_regime_of_the_engagement_is_refused() -> None:
    """A regime that was not added is named, with the cure."""
    on = Standing(FACTS, FIRST)
    deeds: tuple[Attempt, ...] = (
        lambda: rules.set_anchor(on, DEVELOPER, anchor=START, under="other"),
        lambda: rules.lodge_inquiry(on, DEVELOPER, START, question="q", under="other"),
        lambda: rules.open_access(on, DEVELOPER, START, under="other"),
        lambda: rules.extend(on, DEVELOPER, START, until=START, under="other"),
    )
    for deed in deeds:
        with pytest.raises(Refused, match="not under other; the developer may add"):
            deed()


def test_the_texts_stand_as_the_acts_say() -> None:
    """A standing with texts that no act added is refused, and so is a text that is in no file."""
    with pytest.raises(Invalid, match="added"):
        Standing(FACTS, FIRST, added=(OTHER,))
    on = Standing(FACTS, FIRST)
    deed = rules.add_regime(on, DEVELOPER, regime=OTHER)
    act = Act("a", deed.kind, START, "dev", "e", "e", deed.detail)
    with pytest.raises(NotFound, match="o1"):
        standing(FACTS, Library((FIRST,)), (act,))


def test_weights_are_named_once_by_their_digest_and_form() -> None:
    """A digest that is none, a name that is none, the same again: refused. Nothing known: no weights."""
    on = Standing(FACTS, FIRST)
    again = {"digest": "ee" * 32, "name": "w2", "variant": Variant.WITHOUT_SAFEGUARDS}
    for wrong, field in (
        ({"digest": "EE" * 32}, "digest"),
        ({"digest": "ee"}, "digest"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "n" * 201}, "name"),
    ):
        with pytest.raises(Invalid, match=field):
            rules.register_weights(on, DEVELOPER, **(again | wrong))  # type: ignore[arg-type] # one field wrong
    on = after(on, rules.register_weights(on, DEVELOPER, **again), START)  # type: ignore[arg-type] # fields by name
    assert ("ee" * 32, Variant.WITHOUT_SAFEGUARDS) in rules.weights(on)
    unknown = Standing(replace(FACTS, subject_digest=""), FIRST)
    assert rules.weights(unknown) == frozenset()


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (datetime(2026, 10, 20), "a time needs an offset"),  # noqa: DTZ001 -- the missing offset is the point
        (datetime(1, 1, 1, tzinfo=UTC), "the year 1 is not"),
        (datetime(9999, 12, 31, 23, tzinfo=UTC), "the year 9999 is not"),
    ],
)
def test_a_date_beyond_the_calendar_is_refused(at: datetime, words: str) -> None:
    """No date follows from it that a record could not spell."""
    on = Standing(FACTS, FIRST)
    with pytest.raises(Invalid, match=words):
        rules.set_anchor(on, DEVELOPER, anchor=at)


def test_an_act_of_the_government_before_what_is_recorded_is_refused() -> None:
    """A clock that was set back leaves no act out of order; the developer's own waits for no clock."""
    on = under_both()
    early = START - DAY
    deeds: tuple[Attempt, ...] = (
        lambda: rules.agree_terms(on, OFFICIAL, early, terms=TERMS),
        lambda: rules.ask_information(on, OFFICIAL, early, question="q"),
    )
    for deed in deeds:
        with pytest.raises(Refused, match="set the clock"):
            deed()
    assert rules.agree_terms(on, DEVELOPER, early, terms=TERMS).kind is Kind.TERMS_AGREED
    skewed = START - timedelta(minutes=1)
    assert rules.agree_terms(on, OFFICIAL, skewed, terms=TERMS).kind is Kind.TERMS_AGREED


def test_a_count_is_all_that_an_unanswered_request_changes() -> None:
    """Neither asking nor silence moves a date or a word."""
    on = under_both()
    before = (on.windows, on.word(START))
    asked = after(on, rules.ask_information(on, OFFICIAL, START, question="q"), START, OFFICIAL)
    asked = after(
        asked, rules.ask_information(asked, OFFICIAL, START, question="p"), START, OFFICIAL
    )
    assert rules.unanswered(asked) == 2
    assert (asked.windows, asked.word(START)) == before
    told = rules.answer_information(asked, DEVELOPER, asked=asked.acts[-1].id, answer="a")
    assert rules.unanswered(after(asked, told, START)) == 1
    for to in ((), ("",), ("developer", "developer")):
        with pytest.raises(Invalid, match="to"):
            rules.send_message(on, OFFICIAL, to=to, content="c")


hours = st.integers(0, 24 * 70)


@given(st.lists(st.tuples(st.sampled_from(["r", "other"]), hours), max_size=8), hours)
def test_what_happens_under_one_regime_moves_nothing_of_the_other(
    plan: list[tuple[str, int]], opened: int
) -> None:
    """Anchors and openings under one leave the other's window as it was."""
    on = under_both()
    now = START + timedelta(hours=opened)
    for id_, hour in plan:
        now += timedelta(hours=hour // 8)
        untouched = "other" if id_ == "r" else "r"
        before = on.windows[untouched]
        anchor = now + timedelta(hours=hour)
        on = after(on, rules.set_anchor(on, DEVELOPER, anchor=anchor, under=id_), now)
        on = tried(on, id_, now)
        assert on.windows[untouched] == before
        for one, text in (("r", FIRST), ("other", OTHER)):
            found, rule = on.windows[one], text.window
            if found.opened and found.ends and rule:
                longest = timedelta(days=rule.days_open_max)
                assert found.opened <= found.ends <= found.opened + longest
                assert found.ended_by in set(EndedBy)


def tried(on: Standing, id_: str, now: datetime) -> Standing:
    """With access opened, where the rules record that; else as it was."""
    try:
        deed: Deed | str = rules.open_access(on, DEVELOPER, now, under=id_)
    except LeadlineError as error:
        deed = str(error)
    return on if isinstance(deed, str) else after(on, deed, now)


def test_an_older_record_counts_for_every_regime() -> None:
    """Acts from before an engagement could have several name none, and mean the one there was."""
    act = Act(
        "a",
        Kind.ANCHOR_SET,
        START,
        "dev",
        "e",
        "e",
        {"party": "developer", "anchor": instant(START + DAY)},
    )
    assert Standing(FACTS, FIRST, (act,)).window.anchor == START + DAY
