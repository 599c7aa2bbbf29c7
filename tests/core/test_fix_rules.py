"""When a draft is a candidate, how a fix moves on, and where a flaw stands on the board."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.clearing.fix import (
    FIRST,
    MOVES,
    RECALLED,
    VARIANTS_MIN,
    Board,
    Drafted,
    Fix,
    FixState,
    Instead,
    Place,
    check_proposal,
    place,
    standings,
    touched_tests,
)
from leadline.core.clearing.replaying import Basis, Replay, Shown
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value
from make import NOW

FIRED, SILENT = Shown(fired=True, kind="x"), Shown(fired=False)
HELD = Replay("0" * 64, Basis.RUN, (FIRED,) * 5, (SILENT,) * 5)
SOUND = Drafted(
    base="c" * 40,
    subject="d" * 64,
    origin="tool",
    made_by="baseline",
    outcome="fixed",
    patch=b"--- a\n",
    touches=("src/a.c",),
    replay=HELD,
    variants=(24, 24),
    samples=(5, 5),
    tests=(True, True),
)


def act(kind: Kind, about: str, after: int = 0, **detail: Value) -> Act:
    """An act, some minutes after the first."""
    return Act(f"act-{after}", kind, NOW + timedelta(minutes=after), "p", about, "", detail)


def proposed(fix: str = "fix-1", after: int = 1, **more: Value) -> Act:
    """A candidate for the finding f."""
    return act(Kind.FIX_PROPOSED, fix, after, finding="f", case="case-1", **more)


def moved(to: str, fix: str = "fix-1", after: int = 5) -> Act:
    """A step of it."""
    return act(Kind.FIX_MOVED, fix, after, finding="f", state=to, where="there")


def test_what_holds_is_a_candidate() -> None:
    """Everything that is due, and nothing else."""
    assert SOUND.shortfalls() == ()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"problem": "no compiler"}, "no compiler"),
        ({"patch": b""}, "handed in nothing"),
        ({"outcome": "masked", "reason": "a variant shows x"}, "the judge: masked: a variant"),
        ({"outcome": ""}, "the judge: no word"),
        ({"replay": None}, "it was not run"),
        ({"replay": replace(HELD, fixed=(FIRED,))}, "confirmed, fix ineffective"),
        ({"replay": replace(HELD, fixed=())}, "on a clean rebuild: confirmed"),
        ({"variants": (19, 19)}, f"{VARIANTS_MIN} are due"),
        ({"variants": (23, 24)}, "1 of 24 held-out variants still"),
        ({"samples": (4, 5)}, "1 ordinary inputs"),
        ({"tests": (None, True)}, "do not succeed without the patch"),
        ({"tests": (False, True)}, "do not succeed without the patch"),
        ({"tests": (True, False)}, "do not succeed with the patch"),
        ({"tests": (True, None)}, "do not succeed with the patch"),
        ({"removed": ("shelf_read",)}, "shelf_read is gone"),
        ({"touches": ("tests/run.sh",)}, "belongs to the tests"),
    ],
)
def test_what_does_not_hold_is_none(changed: dict[str, Any], words: str) -> None:
    """And every reason is said."""
    short = replace(SOUND, **changed).shortfalls()
    assert any(words in one for one in short), short


def test_more_than_one_shortfall_is_told() -> None:
    """None hides another."""
    short = replace(SOUND, variants=(3, 4), removed=("a",), tests=(True, False)).shortfalls()
    assert len(short) == 4


def test_what_looks_like_a_test() -> None:
    """By its folder or its name, and not by a syllable."""
    paths = ("tests/a.c", "src/test_a.c", "a_test.c", "test.sh", "src/a-test.c", "spec/x")
    assert touched_tests((*paths, "src/contest.c", "latest/a.c")) == paths


def test_a_label_says_who_wrote_it() -> None:
    """A model or a tool, and that a person has to read it."""
    fix = Fix("fix-1", "f", "", "d", "ai", "M", "s", "c", ("a",), NOW)
    assert "AI system (M)" in fix.label
    assert "without a model" in replace(fix, origin="tool").label


def test_a_fix_goes_on_and_never_back() -> None:
    """Each move says what it rests on; what was left out may be left out."""
    (one,) = standings([proposed(), act(Kind.FIX_TESTED, "fix-1", 1), moved("sent")]).values()
    assert (one.state, one.stands, one.ended) == (FixState.SENT, True, "")
    one.check_move(FixState.RELEASED, "1.2.0")
    with pytest.raises(Refused):
        one.check_move(FixState.SENT, "again")
    with pytest.raises(Invalid):
        one.check_move(FixState.CANDIDATE, "x")
    for where in (" ", "x" * 501):
        with pytest.raises(Invalid):
            one.check_move(FixState.MERGED, where)


def test_what_ended_does_not_move() -> None:
    """Recalled, superseded, or never a candidate."""
    acts = [
        proposed(),
        proposed("fix-2", 2, supersedes="fix-1"),
        proposed("fix-3", 3),
        moved(RECALLED, "fix-3"),
        act(Kind.FIX_TESTED, "fix-4", 4, finding="f", candidate=False),
        act(Kind.FINDING_REPLAYED, "f", 4),
    ]
    held = standings(acts)
    assert [one.stands for one in held.values()] == [False, True, False, False]
    words = ("superseded by fix-2", "", "recalled: there", "never became")
    for one, told in zip(held.values(), words, strict=True):
        assert told in one.ended
        if told:
            with pytest.raises(Refused):
                one.check_move(FixState.SENT, "x")


def test_one_candidate_for_one_flaw() -> None:
    """A second only in its place, with a reason; findings that are one flaw share it."""
    held = standings([proposed()]).values()
    nobody = frozenset[str]()
    check_proposal(held, "g", nobody, FIRST)
    check_proposal(held, "f", nobody, Instead("fix-1", "it broke a build"))
    for finding, same in (("f", nobody), ("g", frozenset({"f"}))):
        with pytest.raises(Refused):
            check_proposal(held, finding, same, FIRST)
    for instead in (Instead("fix-9", "x"), Instead("fix-1", " "), Instead("fix-1", "x" * 501)):
        with pytest.raises(Invalid):
            check_proposal(held, "f", nobody, instead)


def replayed(verdict: str, after: int) -> Act:
    """What a replay of f showed."""
    return act(Kind.FINDING_REPLAYED, "f", after, verdict=verdict)


def test_where_a_flaw_stands() -> None:
    """Reported, reproduced, and then as far as its fix."""
    reported = act(Kind.FINDING_SUBMITTED, "f")
    assert place("f", "c", [reported], ()) == Place("f", "c", FixState.CANDIDATE, NOW)
    seen = [reported, replayed("environment-fault", 1), replayed("confirmed", 2)]
    seen += [replayed("confirmed-by-person", 3)]
    found = place("f", "c", seen, ())
    assert (found.state, found.since) == (FixState.REPRODUCED, NOW + timedelta(minutes=2))
    assert place("f", "c", [*seen, replayed("not-reproduced", 4)], ()).state is FixState.CANDIDATE
    patched = place("f", "c", seen, standings([proposed()]).values())
    assert (patched.state, patched.fix) == (FixState.PATCHED, "fix-1")
    assert patched.since == NOW + timedelta(minutes=1)
    merged = place(
        "f", "c", seen, standings([proposed(), moved("sent"), moved("merged", after=9)]).values()
    )
    assert (merged.state, merged.since) == (FixState.MERGED, NOW + timedelta(minutes=9))
    gone = place("f", "c", seen, standings([proposed(), moved(RECALLED)]).values())
    assert (gone.state, gone.fix) == (FixState.REPRODUCED, "")
    with pytest.raises(Invalid):
        place("f", "c", [], ())


@given(st.lists(st.sampled_from(FixState), max_size=20))
def test_counts_never_grow_along_the_board(states: list[FixState]) -> None:
    """What reached a state passed those before it."""
    board = Board(tuple(Place("f", "c", one, NOW) for one in states), ())
    counts = list(board.counts.values())
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == len(states)


@given(st.lists(st.tuples(st.sampled_from([*MOVES, RECALLED]), st.integers(0, 9)), max_size=9))
def test_more_acts_never_take_a_fix_back(steps: list[tuple[str, int]]) -> None:
    """Whatever is recorded, in whatever order: the state is the farthest that was reached."""
    acts, before = [proposed()], 0
    for to, after in steps:
        acts.append(moved(to, after=after))
        rank = standings(acts)["fix-1"].state.rank
        assert rank >= before
        before = rank
