"""The custody of weights: what follows from what, and how much may leave."""

from datetime import timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from leadline.core import custody
from leadline.core.custody import Entry, Movement, Standing, after, irregular, told

NUMBERS = count(1)
USUAL = [
    (Movement.OFFERED, ""),
    (Movement.RECEIVED, ""),
    (Movement.STORED, ""),
    (Movement.KEY_RELEASED, "run-1"),
    (Movement.MOUNTED, "run-1"),
    (Movement.COPIED, "host-2"),
    (Movement.REWRAPPED, ""),
    (Movement.RESULT_EMITTED, "run-1"),
    (Movement.UNMOUNTED, "run-1"),
    (Movement.SHREDDED, ""),
]


def entry(movement: Movement, place: str = "", *, digest: str = "d", sent: int = 0) -> Entry:
    """One movement, now."""
    return Entry(f"act-{next(NUMBERS)}", movement, make.NOW, "person", digest, place, sent)


def test_the_usual_course_is_regular() -> None:
    """From the offer to the end, with a copy that stays known."""
    (file,) = told([entry(*step) for step in USUAL])
    assert file.irregular == {}
    assert file.standing == Standing(received=True, shredded=True, copies=frozenset({"host-2"}))


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([(Movement.STORED, "")], "before the file was received"),
        ([(Movement.RECEIVED, ""), (Movement.RECEIVED, "")], "received already"),
        ([(Movement.RECEIVED, ""), (Movement.REWRAPPED, "")], "before the file was stored"),
        ([(Movement.RECEIVED, ""), (Movement.KEY_RELEASED, "r")], "before the file was stored"),
        ([*USUAL[:3], (Movement.KEY_RELEASED, "")], "without the run or host"),
        ([*USUAL[:3], (Movement.MOUNTED, "run-1")], "without a key released"),
        ([*USUAL[:5], (Movement.MOUNTED, "run-1")], "without a key released"),
        ([*USUAL[:5], (Movement.RESULT_EMITTED, "run-2")], "has not mounted"),
        ([*USUAL[:4], (Movement.UNMOUNTED, "run-1")], "has not mounted"),
        ([*USUAL, (Movement.KEY_RELEASED, "run-3")], "after the file was shredded"),
    ],
)
def test_what_does_not_follow_is_named_and_kept(
    steps: list[tuple[Movement, str]], why: str
) -> None:
    """The last step is irregular, for one reason; it stands in the statement all the same."""
    entries = [entry(*step) for step in steps]
    (file,) = told(entries)
    assert list(file.irregular) == [entries[-1].act]
    assert why in file.irregular[entries[-1].act]
    assert file.entries == tuple(entries)


@given(st.lists(st.tuples(st.sampled_from(Movement), st.sampled_from(["", "a", "b"])), max_size=25))
def test_no_order_of_movements_loses_one(steps: list[tuple[Movement, str]]) -> None:
    """Every movement is told; a file that is mounted had a key released for that very place."""
    entries = [entry(*step, digest="de"[number % 2]) for number, step in enumerate(steps)]
    files = told(entries)
    assert sorted(e.act for file in files for e in file.entries) == sorted(e.act for e in entries)
    for file in files:
        standing = Standing()
        for one in file.entries:
            if one.movement is Movement.MOUNTED and not irregular(standing, one):
                assert one.place in standing.released
            standing = after(standing, one)
        assert standing == file.standing


@pytest.mark.parametrize(
    ("size", "allowed"),
    [(0, 65_536), (10**9, 200_000), (5 * 10**11, 10**8), (10**13, 10**8)],
)
def test_the_allowance_follows_the_size(size: int, allowed: int) -> None:
    """Half a terabyte takes 5,000 days at 100 MB a day; nothing is allowed more."""
    assert custody.daily_allowance(size) == allowed


def test_what_left_is_counted_over_a_moving_day() -> None:
    """A byte sent exactly 24 hours ago counts no more; only results count."""
    day = timedelta(days=1)
    sent = [
        Entry("a", Movement.RESULT_EMITTED, make.NOW - day, "p", "d", "run", 1),
        Entry(
            "b", Movement.RESULT_EMITTED, make.NOW - day + timedelta(seconds=1), "p", "d", "run", 20
        ),
        Entry("c", Movement.RESULT_EMITTED, make.NOW, "p", "e", "other", 300),
        Entry("d", Movement.COPIED, make.NOW, "p", "e", "other", 4000),
        Entry("e", Movement.RESULT_EMITTED, make.NOW + day, "p", "e", "other", 50_000),
    ]
    assert custody.emitted(sent, make.NOW) == 320
    assert not custody.exceeds(sent, make.NOW, 80, 400)
    assert custody.exceeds(sent, make.NOW, 81, 400)
