"""The ledger of showings: retirement and rotation."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

import make
import sealed_world as sw
from leadline.core.sealed import exposure
from leadline.core.sealed.exposure import Showing

LIMITS = sw.limits()


def shown(item: str, family: str = "a", *, leak: bool = False) -> Showing:
    """One showing."""
    return Showing("s", item, "p", family, "m", "h", "api", make.NOW, "w", leak)


def test_three_showings_to_one_family_retire_an_item() -> None:
    """Two do not, and showings to different families are not added up."""
    twice = [shown("x"), shown("x"), shown("x", "b"), shown("x", "b")]
    assert exposure.retired(twice, LIMITS) == frozenset()
    assert exposure.retired([*twice, shown("x", "b")], LIMITS) == {"x"}


def test_one_suspected_leak_retires_an_item_at_once() -> None:
    """And is no showing to a family."""
    leak = shown("x", "", leak=True)
    assert exposure.retired([leak], LIMITS) == {"x"}
    assert exposure.seen([leak], "") == frozenset()
    assert exposure.seen([shown("y"), shown("z", "b")], "a") == {"y"}


@given(count=st.integers(1, 60), gone=st.sets(st.integers(0, 59)), percent=st.integers(0, 100))
def test_a_rotation_takes_a_share_retired_items_first(
    count: int, gone: set[int], percent: int
) -> None:
    """At least the share leaves, all retired ones do, and no more than both ask for."""
    items = [f"item-{number}" for number in range(count)]
    retired = frozenset(f"item-{number}" for number in gone if number < count)
    leaving = exposure.rotated(items, retired, 3, replace(LIMITS, rotated_percent=percent))
    share = -(-count * percent // 100)
    assert retired <= leaving <= set(items)
    assert len(leaving) == max(share, len(retired))


def test_nobody_chooses_what_a_rotation_takes() -> None:
    """It follows from item and cycle; another cycle takes others."""
    items = [f"item-{number}" for number in range(30)]
    first = exposure.rotated(items, frozenset(), 0, LIMITS)
    assert first == exposure.rotated(items[::-1], frozenset(), 0, LIMITS)
    assert first != exposure.rotated(items, frozenset(), 1, LIMITS)


def test_a_cycle_ends_after_its_days() -> None:
    """90 days as shipped."""
    assert exposure.cycle_ends(make.NOW, LIMITS) == make.NOW + timedelta(days=90)
