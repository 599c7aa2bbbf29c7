"""How long things take, for everybody: medians and counts that tell of nobody."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

import make
from leadline.core.clearing.report import Stage
from leadline.core.clearing.tiers import K_MIN
from leadline.core.record.act import Act, Kind
from leadline.core.record.days import AGES, OLDER, SPANS, counts


def pair(number: int, days: float, begins: Kind, ends: Kind | None) -> list[Act]:
    """One thing that begins, and ends *days* later if it does."""
    about = f"thing-{number}"
    first = Act(f"a{number}", begins, make.NOW, "x", about, "")
    if ends is None:
        return [first]
    return [first, Act(f"b{number}", ends, make.NOW + timedelta(days=days), "x", about, "")]


def test_a_median_counts_what_has_ended() -> None:
    """Whole spans; what has not ended, or ended before it began, is not in it; a second opening neither."""
    acts = [act for n in range(5) for act in pair(n, n, Kind.ACCESS_OPENED, Kind.ACCESS_ENDED)]
    acts += pair(9, 0, Kind.ACCESS_OPENED, None)
    acts += pair(10, -3, Kind.ACCESS_OPENED, Kind.ACCESS_ENDED)
    acts += pair(0, 50, Kind.ACCESS_OPENED, Kind.ACCESS_ENDED)
    found = {one.span.id: one for one in counts(acts, make.NOW).days}
    assert (found["access"].count, found["access"].median) == (5, 2)
    assert (found["inquiry"].count, found["inquiry"].median) == (None, None)
    assert tuple(found) == tuple(span.id for span in SPANS)


@given(st.lists(st.integers(0, 200), max_size=40))
def test_no_cell_tells_of_fewer_than_five(ages: list[int]) -> None:
    """Reports by state and age: each shown number is none or at least five, and never too many."""
    acts = [
        Act(f"f{n}", Kind.FINDING_SUBMITTED, make.NOW - timedelta(days=days), "x", f"f{n}", "")
        for n, days in enumerate(ages)
    ]
    cells = counts(acts, make.NOW).reports
    assert len(cells) == len(Stage) * (len(AGES) + 1)
    assert all(one.count is None or one.count == 0 or one.count >= K_MIN for one in cells)
    assert sum(one.count or 0 for one in cells) <= len(ages)


def test_ages_end_where_they_say() -> None:
    """Seven days are up to seven days; a minute more is the next; the last has no end."""
    held = [(7, 0), (7, 1), (30, 0), (90, 0), (90, 1)]
    acts = [
        Act(f"f{n}-{m}", Kind.FINDING_SUBMITTED, make.NOW - timedelta(days=days, minutes=minutes), "x",
            f"f{n}-{m}", "")
        for n, (days, minutes) in enumerate(held)
        for m in range(K_MIN)
    ]  # fmt: skip
    found = {
        one.age: one.count for one in counts(acts, make.NOW).reports if one.state == "received"
    }
    assert found == {AGES[0][1]: 5, AGES[1][1]: 10, AGES[2][1]: 5, OLDER: 5}
