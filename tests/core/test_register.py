"""The public register: what it names, what it only counts, and that all adds up to the log."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from leadline.core.errors import Tampered
from leadline.core.record.act import Act, Kind
from leadline.core.record.register import register, shown

ACTS = st.builds(
    Act,
    id=st.just("act"),
    kind=st.sampled_from(Kind),
    at=st.datetimes(timezones=st.just(UTC)),
    actor=st.just("a"),
    about=st.just("b"),
    engagement=st.just(""),
)


@given(acts=st.lists(ACTS, max_size=40))
def test_every_leaf_is_counted_once(acts: list[Act]) -> None:
    """Named, withheld and cover add up to the leaves, in all and over the months."""
    found = register(acts, len(acts))
    assert found.opened + found.withheld + found.cover == found.size == len(acts)
    assert sum(month.total for month in found.months) == len(acts)
    assert found.cover == sum(act.kind is Kind.COVER for act in acts)


@given(acts=st.lists(ACTS, max_size=10), off=st.integers(-3, 3).filter(bool))
def test_a_missing_or_surplus_act_is_refused(acts: list[Act], off: int) -> None:
    """Acts and leaves that do not add up are tampering, not a rounding error."""
    with pytest.raises(Tampered, match="stand in the store"):
        register(acts, len(acts) + off)


def test_kinds_of_sealed_things_are_counted_but_not_named() -> None:
    """That a pack or an artefact exists cannot be read from the register."""
    acts = [make.act(n, kind) for n, kind in enumerate(Kind)]
    (month,) = register(acts, len(acts)).months
    private = ("incident.", "report.", "partner.", "result.", "message.", "concern.", "entry.")
    sealed = ("pack.", "artefact.", "item.", "key.", "verdict.")
    assert not any(name.startswith((*sealed, *private)) for name in month.acts)
    assert month.withheld == sum(not shown(kind) for kind in Kind) - 1
    assert "determination.recorded" in month.acts
    assert Kind.COVER.value not in month.acts


def test_months_are_those_of_utc() -> None:
    """An act late on the last evening of a month west of Greenwich belongs to the next month."""
    west = timezone(timedelta(hours=-5))
    act = Act("a", Kind.TERMS_AGREED, datetime(2027, 1, 31, 23, tzinfo=west), "p", "x", "")
    assert [month.month for month in register([act], 1).months] == ["2027-02"]
