"""The access window follows from acts alone, and no act but the developer's makes it longer."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.clock import EndedBy, window
from leadline.core.engagement.regime import (
    AccessRule,
    Anchor,
    InForce,
    Participation,
    Regime,
    Source,
    Status,
)
from leadline.core.record.act import Act, Kind, Value, instant

START = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
REGIME = Regime(
    id="r",
    title="R",
    digest="aa",
    status=Status.IN_FORCE,
    in_force=InForce(),
    participation=Participation.VOLUNTARY,
    consequences="none",
    confidence="P",
    last_checked=date(2026, 10, 1),
    sources=(Source("s", "S", "https://example.org", "read", "P"),),
    anchor=Anchor("a", "planned release", "developer", "s"),
    window=AccessRule(30, 30, "up to 30 days", "s"),
)
CEILING = timedelta(days=30)

hours = st.integers(0, 24 * 80)
kinds = st.sampled_from(
    [
        Kind.ANCHOR_SET,
        Kind.TERMS_AGREED,
        Kind.ACCESS_OPENED,
        Kind.ACCESS_EXTENDED,
        Kind.ACCESS_ENDED,
        Kind.ENGAGEMENT_ENDED,
        Kind.ENGAGEMENT_WITHDRAWN,
        Kind.INQUIRY_LODGED,
        Kind.DETERMINATION_RECORDED,
    ]
)


def act(kind: Kind, hour: int, party: str = "developer", about: int = 0) -> Act:
    """An act *hour* hours after the start whose time, if it has one, is at hour *about*."""
    time = instant(START + about * HOUR)
    detail: dict[str, Value] = {"party": party, "anchor": time, "expires": time, "until": time}
    return Act("a", kind, START + hour * HOUR, party, "e", "e", {**detail, "terms": time})


@st.composite
def stories(draw: st.DrawFn) -> list[Act]:
    """Acts of both parties in order of time, the rules for recording them left aside."""
    times = sorted(draw(st.lists(hours, max_size=12)))
    return [
        act(draw(kinds), hour, draw(st.sampled_from(["developer", "government"])), draw(hours))
        for hour in times
    ]


@given(stories())
def test_access_never_outlasts_any_of_its_bounds(acts: list[Act]) -> None:
    """Open access ends within 30 days and by the first withdrawal, whatever else is in the record."""
    found = window(REGIME, acts)
    if found.opened is None or found.ends is None:
        return
    assert found.ends <= found.opened + CEILING
    for one in acts:
        gone = one.kind is Kind.ENGAGEMENT_WITHDRAWN and one.detail["party"] == "developer"
        if gone and one.at >= found.opened:
            assert found.ends <= one.at


@given(stories())
def test_each_act_moves_the_end_only_as_the_rule_says(acts: list[Act]) -> None:
    """Once open, only an extension or new terms of the developer moves the end later; no end passed."""
    before = window(REGIME, [])
    offered = False
    for number, one in enumerate(acts, 1):
        found = window(REGIME, acts[:number])
        offered |= one.kind is Kind.TERMS_AGREED and one.detail["party"] == "developer"
        if before.ends is not None and found.ends is not None:
            if found.ends > before.ends:
                extended = one.kind is Kind.ACCESS_EXTENDED and one.detail["party"] == "developer"
                assert extended or (one.kind is Kind.TERMS_AGREED and offered)
            if found.ends < before.ends:
                assert found.ends >= one.at or found.opened == one.at
        before = found


@given(stories())
def test_without_government_acts_the_developers_dates_are_the_same(acts: list[Act]) -> None:
    """Anchor, earliest opening and the opening itself owe nothing to the government."""
    own = [one for one in acts if one.detail["party"] == "developer"]
    with_all, alone = window(REGIME, acts), window(REGIME, own)
    for name in ("anchor", "zone", "opens_not_before", "opened"):
        assert getattr(with_all, name) == getattr(alone, name)


@given(hours, st.integers(1, 24 * 40))
def test_a_move_of_the_anchor_only_shortens(first: int, later: int) -> None:
    """An anchor moved later leaves the end, moved earlier pulls it in, but not into the past."""
    anchor = 24 * 80 + first % 100
    acts = [act(Kind.ANCHOR_SET, 0, about=anchor), act(Kind.TERMS_AGREED, 0, about=10**4)]
    acts.append(act(Kind.ACCESS_OPENED, anchor - 24 * 10))
    ends = window(REGIME, acts).ends
    assert ends == START + anchor * HOUR
    at = anchor - 24 * 9
    assert window(REGIME, [*acts, act(Kind.ANCHOR_SET, at, about=anchor + later)]).ends == ends
    pulled = window(REGIME, [*acts, act(Kind.ANCHOR_SET, at, about=anchor - later)])
    assert pulled.ends == START + max(anchor - later, at) * HOUR
    assert pulled.ended_by is EndedBy.ANCHOR


def test_the_zone_is_kept_for_display_only() -> None:
    """The same instant under another zone's name gives the same dates."""
    set_ = act(Kind.ANCHOR_SET, 0, about=24 * 40)
    named = replace(set_, detail={**set_.detail, "zone": "America/New_York"})
    assert window(REGIME, [named]).zone == "America/New_York"
    assert replace(window(REGIME, [named]), zone="") == window(REGIME, [set_])
