"""Clocks of texts that none of the shipped ones has, and laws of the dates as properties."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from case_acts import CASE, Acted
from leadline.core.clearing.case import standing
from leadline.core.clearing.case_words import Clock, End, Move, Role, Running, Start
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.disclosure import Disclosure, Term, due
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind, instant

DAY = timedelta(days=1)


def text(*terms: Term, digest: str = "a" * 64) -> Disclosure:
    """A text of these terms."""
    return Disclosure("t", "t", digest, True, "own proposal", terms, frozenset({End.ALL_AGREE}))  # noqa: FBT003 -- its field


def acted(digest: str = "a" * 64, *more: tuple[int, Kind, dict[str, str]]) -> list[Act]:
    """A case under that text with one owner, and acts on days after."""
    first = [
        (0, Kind.CASE_OPENED, {}),
        (0, Kind.DISCLOSURE_CHOSEN, {"disclosure": "t", "digest": digest}),
        (0, Kind.PARTICIPANT_ADDED, {"party": "owner", "role": "owner"}),
        *more,
    ]
    return [
        Act(f"act-{number}", kind, make.NOW + day * DAY, "p", CASE, "", detail)
        for number, (day, kind, detail) in enumerate(first)
    ]


def test_clocks_that_count_from_the_opening() -> None:
    """For each vendor, and for the case, told or not."""
    policy = text(Term(Clock.SILENCE, 10, Start.CASE), Term(Clock.STAGE, 20, Start.CASE))
    found = due(acted(), {policy.digest: policy}, make.NOW)
    assert [(one.clock, one.party, one.at) for one in found] == [
        (Clock.SILENCE, "owner", make.NOW + 10 * DAY),
        (Clock.STAGE, "", make.NOW + 20 * DAY),
    ]


def test_a_case_without_a_text_has_no_clocks_and_an_unknown_text_is_refused() -> None:
    """Never a default."""
    assert due(acted()[:1], {}, make.NOW) == ()
    with pytest.raises(Invalid, match="no disclosure policy with digest aaaa"):
        due(acted(), {}, make.NOW)


def test_a_text_that_begins_to_fall_due_with_a_fix() -> None:
    """From the act that chose it, not from the fix before it."""
    from leadline.core.clearing.case_words import OnFix

    one = text(Term(Clock.DISCLOSURE, 90, Start.REPORT))
    two = text(Term(Clock.DISCLOSURE, 90, Start.REPORT, on_fix=OnFix.DUE), digest="b" * 64)
    acts = acted(
        one.digest,
        (0, Kind.DRAFT_SENT, {"party": "owner"}),
        (5, Kind.CASE_MOVED, {"move": "fix-released"}),
        (9, Kind.DISCLOSURE_CHOSEN, {"disclosure": "t", "digest": two.digest}),
    )
    (found,) = due(acts, {one.digest: one, two.digest: two}, make.NOW)
    assert found.at == make.NOW + 9 * DAY


def test_an_extension_without_a_term_then_in_force_counts_for_nothing() -> None:
    """A clock that another text brings is not longer by what was asked before."""
    one, two = text(), text(Term(Clock.EXPLOITED, 7, Start.EXPLOITATION, 7), digest="b" * 64)
    acts = acted(
        one.digest,
        (1, Kind.CASE_MOVED, {"move": "attacks"}),
        (
            2,
            Kind.CASE_MOVED,
            {"move": "extended", "clock": "exploited", "until": instant(make.NOW + 30 * DAY)},
        ),
        (3, Kind.DISCLOSURE_CHOSEN, {"disclosure": "t", "digest": two.digest}),
    )
    (found,) = due(acts, {one.digest: one, two.digest: two}, make.NOW + 4 * DAY)
    assert (found.at, found.extended) == (make.NOW + 10 * DAY, ())


def test_an_embargo_text_whose_agreed_date_nobody_began() -> None:
    """An agreed date without its beginning in the record is no clock."""
    policy = text(Term(Clock.DISCLOSURE, 90, Start.REPORT))
    stands = standing(acted(), {policy.digest: policy})
    assert stands.clocks(make.NOW) == ()
    assert stands.public_at is None
    assert stands.embargoed(make.NOW + 9999 * DAY)


spans = st.lists(
    st.tuples(st.integers(0, 60), st.one_of(st.none(), st.integers(0, 30))), max_size=5
)


@given(spans, st.integers(0, 120))
def test_a_pause_never_makes_a_date_earlier_and_never_touches_the_exploited(
    pauses: list[tuple[int, int | None]], days: int
) -> None:
    """Each pause adds at most its own days; an open one has no date."""
    case = Acted("leadline-default")
    case.add("owner", Role.OWNER)
    case.send("owner")
    case.move(Move.ATTACKS)
    before = {(one.clock, one.party): one.at for one in case.stands.clocks(case.now)}
    total, open_ = timedelta(0), False
    for after, much in sorted(pauses, key=lambda one: one[0]):
        case.now = make.NOW + after * DAY
        until = None if much is None else case.now + much * DAY
        case.move(Moved(Move.PAUSED, "", None, "r", "owner", until=until))
        total += timedelta(days=much or 0)
        open_ = open_ or much is None
    case.now = make.NOW + days * DAY + 61 * DAY
    for one in case.stands.clocks(case.now):
        was: datetime | None = before[one.clock, one.party]
        assert was is not None
        if one.clock is Clock.EXPLOITED or not one.party:
            assert one.at == was
        elif one.at is None:
            assert open_
            assert one.state is Running.PAUSED
        elif not open_:
            assert was <= one.at <= was + total
        else:
            assert one.at >= was
