"""Who takes part, in which tier, at which stage; and that the rules written twice say the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.fairness import History, Turn, in_turn
from leadline.core.clearing.operator import (
    Bar,
    Enrolment,
    Exposure,
    Mode,
    Roll,
    Setting,
    Snapshot,
    check_newer,
    participation,
    roll,
)
from leadline.core.clearing.tiers import K_MIN, Moment, Stage, Tier, Tiers, due, suppressed
from leadline.core.errors import Invalid, Refused, Stale
from leadline.core.record.act import Act, Kind

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ONE = Enrolment(
    "operator-1", "a-hospital", "Hospital", ("health",), 10, Exposure.PUBLIC, 1, "Ask.",
    Mode.HOSTED, ("a-rival",), NOON,
)  # fmt: skip
ALL = Tier("3", "everybody", (), 0, 0)
TIERS = Tiers(
    "t", 90, 45, (Tier("1", "health", ("health",), 0, 3), Tier("2", "large", (), 100, 1), ALL)
)
QUIET = Moment(embargoed=True, consented=False, attacked=False, public_at=None, published=None)


def snapshot(accepted: datetime, id_: str = "inventory-1") -> Snapshot:
    """An inventory accepted then."""
    return Snapshot(id_, ONE.id, accepted, accepted, "a" * 64, "b" * 64, "x.json", 1, 0, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("contact", "two\nlines"),
        ("sectors", ()),
        ("sectors", ("health", "health")),
        ("serves", -1),
        ("changes", 10**6),
        ("competes", ("a-hospital",)),
    ],
)
def test_what_an_operator_states_is_checked(field: str, value: object) -> None:
    """The error names the field."""
    with pytest.raises(Invalid) as error:
        replace(ONE, **{field: value})  # type: ignore[arg-type] # wrong on purpose
    assert error.value.field == field


def test_an_older_inventory_never_takes_the_place_of_a_newer() -> None:
    """Equal is not newer; a moment to come is no moment at all."""
    check_newer([], NOON, NOON)
    check_newer([snapshot(NOON)], NOON + DAY, NOON + DAY)
    with pytest.raises(Stale, match="was accepted already"):
        check_newer([snapshot(NOON)], NOON, NOON + DAY)
    with pytest.raises(Invalid):
        check_newer([], NOON + DAY, NOON)


def test_the_roll_keeps_the_first_vetting_and_the_last_end() -> None:
    """Other acts change nothing."""

    def act(kind: Kind, days: int) -> Act:
        return Act(f"act-{kind}-{days}", kind, NOON + days * DAY, "p", ONE.id, "")

    told = roll(
        [
            act(Kind.OPERATOR_VETTED, 1),
            act(Kind.OPERATOR_VETTED, 2),
            act(Kind.OPERATOR_ENDED, 3),
            act(Kind.OPERATOR_ENDED, 4),
            act(Kind.NOTICE_SENT, 5),
        ]
    )
    assert told.vetted == {ONE.id: NOON + DAY}
    assert told.ended == {ONE.id: NOON + 4 * DAY}
    assert told.takes_part(ONE.id, NOON + 3 * DAY)
    assert not told.takes_part(ONE.id, NOON + 4 * DAY)


days = st.integers(-200, 200)


HERE = {"local": False, "vetted": -9, "ended": None, "rival": False, "now": 5}


@unhurried
@example(**{**HERE, "early": True, "accepted": [-100, -5, 3]})
@example(**{**HERE, "early": True, "accepted": [-100]})
@example(**{**HERE, "early": True, "accepted": [3]})
@example(**{**HERE, "early": True, "accepted": [-5], "rival": True})
@example(**{**HERE, "early": True, "accepted": [-5], "vetted": 0})
@example(**{**HERE, "early": True, "accepted": [-5], "vetted": None})
@example(**{**HERE, "early": True, "accepted": [-5], "ended": 5})
@example(**{**HERE, "early": True, "accepted": [-5], "local": True})
@example(**{**HERE, "early": False, "accepted": [-150, 3], "vetted": None})
@example(**{**HERE, "early": False, "accepted": []})
@given(
    early=st.booleans(),
    local=st.booleans(),
    vetted=st.none() | days,
    ended=st.none() | days,
    rival=st.booleans(),
    accepted=st.lists(days, max_size=4, unique=True),
    now=st.integers(0, 200),
)
def test_the_two_ways_of_saying_who_takes_part_agree(
    *, early: bool, local: bool, vetted: int | None, ended: int | None, rival: bool,
    accepted: list[int], now: int,
) -> None:  # fmt: skip
    """The sender's rule and the one of the fairness report, written apart, for every history."""
    at = NOON + now * DAY
    held = [snapshot(NOON + day * DAY, f"inventory-{day}") for day in accepted]
    held = [one for one in held if one.accepted <= at]
    owners = frozenset({"a-rival"} if rival else ())
    known = Roll(
        {} if vetted is None else {ONE.id: NOON + vetted * DAY},
        {} if ended is None else {ONE.id: NOON + ended * DAY},
    )
    one = replace(ONE, mode=Mode.LOCAL if local else Mode.HOSTED)
    sender = participation(one, held, known, Setting(NOON, early, owners, 90 * DAY), at)
    history = History(
        NOON - 300 * DAY, local, known.vetted.get(ONE.id), known.ended.get(ONE.id),
        frozenset(ONE.competes), {one.id: one.accepted for one in held},
    )  # fmt: skip
    apart, why = in_turn(history, Turn(early, NOON, at, owners, 90))
    if isinstance(sender, Bar):
        assert (apart, why) == ("", sender.value)
    else:
        assert (apart, why) == (sender.id, "")
        if early:
            assert known.vetted[ONE.id] < NOON
            assert sender.accepted < NOON


@pytest.mark.parametrize(
    "change",
    [
        {"inventory_days": 0},
        {"details_days": 367},
        {"tiers": ()},
        {"tiers": (Tier("1", "x", ("health",), 0, 0),)},
        {"tiers": (Tier("3", "x", (), 5, 0),)},
        {"tiers": (ALL, ALL)},
        {"tiers": (replace(ALL, advance_days=15),)},
    ],
)
def test_an_order_of_tiers_is_checked(change: dict[str, object]) -> None:
    """The last tier takes everybody, ids are unique, days are bounded."""
    with pytest.raises(Invalid):
        replace(TIERS, **change)  # type: ignore[arg-type] # wrong on purpose


def test_the_first_tier_whose_rule_is_met_counts() -> None:
    """By sector, then by people served, then everybody; the digest is of all of it."""
    assert TIERS.of(ONE).id == "1"
    assert TIERS.of(replace(ONE, sectors=("finance",), serves=100)).id == "2"
    assert TIERS.of(replace(ONE, sectors=("finance",))).id == "3"
    assert TIERS.digest != replace(TIERS, inventory_days=91).digest
    assert TIERS.inventory_age == 90 * DAY


def test_stages_and_tiers_that_are_due() -> None:
    """Each tier at its own days, all of it at once, nothing before its time."""
    agreed = replace(QUIET, public_at=NOON + 10 * DAY)
    with pytest.raises(Refused, match="neither is on record"):
        due(Stage.MITIGATION, TIERS, QUIET, NOON)
    for held in (replace(QUIET, consented=True), replace(QUIET, attacked=True)):
        assert [one.id for one in due(Stage.MITIGATION, TIERS, held, NOON)] == ["1", "2"]
    with pytest.raises(Refused, match="no moment of publication"):
        due(Stage.ADVANCE, TIERS, QUIET, NOON)
    with pytest.raises(Refused, match="the first from 2027-03-08"):
        due(Stage.ADVANCE, TIERS, agreed, NOON + 6 * DAY)
    assert [one.id for one in due(Stage.ADVANCE, TIERS, agreed, NOON + 7 * DAY)] == ["1"]
    assert [one.id for one in due(Stage.ADVANCE, TIERS, agreed, NOON + 9 * DAY)] == ["1", "2"]
    with pytest.raises(Refused, match="they have no tier for it"):
        due(Stage.ADVANCE, replace(TIERS, tiers=(ALL,)), agreed, NOON)
    with pytest.raises(Refused, match="nothing is published yet"):
        due(Stage.PUBLISHED, TIERS, QUIET, NOON)
    public = replace(QUIET, embargoed=False, published=NOON)
    with pytest.raises(Refused, match="the case is public"):
        due(Stage.ADVANCE, TIERS, public, NOON)
    assert due(Stage.PUBLISHED, TIERS, public, NOON) == TIERS.tiers
    with pytest.raises(Refused, match="details follow from 2027-04-15"):
        due(Stage.DETAILS, TIERS, public, NOON + 44 * DAY)
    assert due(Stage.DETAILS, TIERS, public, NOON + 45 * DAY) == TIERS.tiers


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_no_small_count_can_be_found(cells: list[int]) -> None:
    """What is shown is zero or at least k; what is hidden together is at least k, or all there is."""
    shown = suppressed(cells)
    assert all(one is None or one == count for one, count in zip(shown, cells, strict=True))
    assert all(one is None or one == 0 or one >= K_MIN for one in shown)
    hidden = [count for one, count in zip(shown, cells, strict=True) if one is None]
    if hidden:
        left = [one for one in shown if one]
        assert (len(hidden) > 1 and sum(hidden) >= K_MIN) or not left
