"""The budget of a run: reserve before an attempt, settle after it, and never start what does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure.budget import NOTHING, Amount, Ledger, reserve_of, total


def test_an_attempt_starts_only_where_its_reserve_fits() -> None:
    """Spent, reserved and the new reserve together stay at or under the cap."""
    ledger = Ledger(Amount(1000), Amount(500), Amount(300))
    assert ledger.decide(Amount(200)) == "granted"
    assert ledger.decide(Amount(201)) == "wait"
    assert ledger.decide(Amount(500)) == "wait"
    assert ledger.decide(Amount(501)) == "refused"
    assert Ledger(Amount(1000), Amount(900)).decide(Amount(200)) == "refused"


def test_either_measure_stops_a_run() -> None:
    """Tokens that fit do not help where the money does not; a cap of 0 limits nothing."""
    ledger = Ledger(Amount(1000, 50), Amount(0, 45))
    assert ledger.decide(Amount(10, 6)) == "refused"
    assert Ledger(Amount(0, 50), Amount(10**12, 0)).decide(Amount(10**9, 50)) == "granted"
    assert Ledger(NOTHING, Amount(5, 5)).decide(Amount(10, 10)) == "granted"


def test_the_overshoot_is_stated() -> None:
    """What was spent above the cap, by measure, in numbers and in words."""
    over = Ledger(Amount(1000, 2_000_000), Amount(1040, 1_500_000), refused=7)
    assert over.overshoot == Amount(40, 0)
    assert over.words() == (
        "1,040 of 1,000 tokens, $1.50 of $2.00, overshoot 40 tokens and $0.00, "
        "7 attempts not started for want of budget"
    )
    assert Ledger(NOTHING).words() == "no cap on the run"
    assert Ledger(Amount(10)).words().startswith("0 of 10 tokens, overshoot 0")


def test_a_cap_needs_a_limit_that_fits_under_it() -> None:
    """Without a limit of the attempt in the capped measure nothing bounds it."""
    assert reserve_of(Amount(1000), Amount(100, 7)) == Amount(100)
    assert reserve_of(Amount(0, 9), Amount(100, 7)) == Amount(0, 7)
    assert reserve_of(NOTHING, Amount(100, 7)) == NOTHING
    with pytest.raises(Invalid, match="limit of tokens"):
        reserve_of(Amount(1000), Amount(0, 7))
    with pytest.raises(Invalid, match="limit of cost"):
        reserve_of(Amount(0, 5), Amount(10, 0))
    with pytest.raises(Invalid, match="one attempt may use"):
        reserve_of(Amount(99), Amount(100))


def test_an_amount_is_never_negative() -> None:
    """A negative part is Invalid."""
    with pytest.raises(Invalid):
        Amount(-1)
    with pytest.raises(Invalid):
        Amount(0, -1)


@given(
    cap=st.integers(1, 1000),
    runs=st.lists(st.tuples(st.integers(1, 400), st.integers(0, 60)), max_size=40),
    ends=st.randoms(use_true_random=False),
)
def test_the_overshoot_never_exceeds_what_ran_beyond_its_reserve(
    cap: int, runs: list[tuple[int, int]], ends: object
) -> None:
    """Whatever the order of ends: overshoot <= the sum of last calls, and 0 where none was over."""
    choose = ends.randrange  # type: ignore[attr-defined]
    ledger, beyond = Ledger(Amount(cap)), 0
    running: list[tuple[int, int]] = []
    for reserve, extra in runs:
        while ledger.decide(Amount(reserve)) == "wait":
            held, used = running.pop(choose(len(running)))
            ledger = settled(ledger, held, used)
        if ledger.decide(Amount(reserve)) == "granted":
            running.append((reserve, reserve + extra))
            beyond += extra
            ledger = Ledger(ledger.cap, ledger.spent, ledger.reserved + Amount(reserve))
    for held, used in running:
        ledger = settled(ledger, held, used)
    assert ledger.overshoot.tokens <= beyond
    assert ledger.reserved == NOTHING


def settled(ledger: Ledger, reserve: int, used: int) -> Ledger:
    """The ledger after one attempt ended."""
    left = Amount(ledger.reserved.tokens - reserve)
    return Ledger(ledger.cap, total([ledger.spent, Amount(used)]), left)
