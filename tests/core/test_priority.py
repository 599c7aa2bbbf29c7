"""The order of cases: lexicographic, monotone, explained; overrides with a reason; CVSS by library."""

import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.priority import (
    Attacks,
    Case,
    Criticality,
    Exposure,
    Override,
    cvss,
    order,
)
from leadline.core.errors import Invalid, Unavailable
from priority_world import EXPOSED, IMPACT, KEV, LEVELS, POINTS, directive, tables

TABLE = directive().table
AT = datetime(2027, 1, 5, 9, tzinfo=UTC)
SCALES: dict[str, Sequence[Any]] = {
    "attacks": [*Attacks],
    "criticality": [*Criticality],
    "exposure": [*Exposure],
}
DAY = date(2027, 1, 1)


def case(id_: str = "a", known: Mapping[str, str] | None = None, **signals: Any) -> Case:
    """A case by its known inputs, everything else unknown."""
    made = Case(id_, TABLE.decide(known or {}))
    return replace(made, **signals)


def ids(cases: Sequence[Case], overrides: Sequence[Override] = ()) -> list[str]:
    """The queue by ids."""
    return [place.case.id for place in order(cases, overrides)]


def first(one: Case, two: Case) -> bool:
    """Whether *one* does not come after *two*, names aside."""
    return ids([replace(one, id="a"), replace(two, id="b")]) == ["a", "b"]


def drawn(draw: random.Random, id_: str) -> Case:
    """Any case, unknowns included."""
    known = {point: draw.choice(values) for point, values in LEVELS.items() if draw.random() < 0.7}
    graded: dict[str, Any] = {name: draw.choice([None, *scale]) for name, scale in SCALES.items()}
    return case(
        id_,
        known,
        **graded,
        operators=draw.randrange(3),
        dependents=draw.choice([None, 0, 1, 5]),
        earliest=draw.choice([None, DAY, DAY + timedelta(days=3)]),
        capacity=draw.choice([None, 0, 2]),
    )


def raised(draw: random.Random, one: Case) -> Case:
    """*one* with a single signal raised, or an unknown one turned into its worst value."""
    name = draw.choice(["input", *SCALES, "operators", "dependents", "earliest"])
    if name == "input":
        point = draw.choice(POINTS)
        known = dict(one.decision.known) | {point: LEVELS[point][1]}
        return replace(one, decision=TABLE.decide(known))
    if name in SCALES:
        scale, value = list(SCALES[name]), getattr(one, name)
        above = scale[scale.index(value) :] if value is not None else scale[-1:]
        return replace(one, **{name: draw.choice(above)})
    if name == "earliest":
        return replace(one, earliest=(one.earliest or DAY) - timedelta(days=draw.randrange(2)))
    count = getattr(one, name)
    return one if count is None else replace(one, **{name: count + draw.randrange(1, 9)})


def check_pair(draw: random.Random) -> None:
    """Raising a signal never puts a case further back, with an override or without."""
    one, other = drawn(draw, "x"), drawn(draw, "y")
    keys = [value.key for value in TABLE.outcome.values]
    seen = (one.decision.least.key, one.decision.most.key)
    told = [Override("x", draw.choice(keys), seen, "p", AT, "r")] if draw.random() < 0.5 else []
    more = raised(draw, one)
    before, after = ids([one, other], told), ids([more, other], told)
    assert after.index("x") <= before.index("x"), (one, more, other, told)


@given(st.integers(0))
@unhurried
def test_raising_a_signal_never_puts_a_case_back(seed: int) -> None:
    """A sample of the campaign below."""
    draw = random.Random(seed)  # noqa: S311 -- a sample
    for _ in range(20):
        check_pair(draw)


@pytest.mark.soak
def test_raising_a_signal_never_puts_a_case_back_in_100_000_pairs() -> None:
    """No violation."""
    draw = random.Random(26_04)  # noqa: S311 -- a campaign from a seed
    for _ in range(100_000):
        check_pair(draw)


@given(st.integers(0), st.integers(2, 6))
@unhurried
def test_the_queue_is_one_order_whoever_else_is_in_it(seed: int, count: int) -> None:
    """Input order, and a case that comes or goes, never swap two others; nobody is lost."""
    draw = random.Random(seed)  # noqa: S311 -- a sample
    cases = [drawn(draw, f"c{number}") for number in range(count)]
    queue = ids(cases)
    assert sorted(queue) == [f"c{number}" for number in range(count)]
    draw.shuffle(cases)
    assert ids(cases) == queue
    gone = cases.pop()
    assert ids(cases) == [one for one in queue if one != gone.id]


def test_an_unknown_signal_is_never_taken_for_harmless() -> None:
    """It stands just below the worst, before all that is better."""
    for name, scale in SCALES.items():
        unknown, worst = case(), case(**{name: scale[-1]})
        assert first(worst, unknown)
        assert not first(unknown, worst)
        for better in scale[:-1]:
            assert not first(case(**{name: better}), unknown)
    assert not first(case(dependents=10**9), case())
    assert not first(case(known={KEV: "N"}), case())


def test_each_signal_decides_only_where_the_earlier_ones_are_equal() -> None:
    """The order of the signals, and the reason in words."""
    ladder = [
        case("k", {EXPOSED: "Y"}),
        case("j", {}, attacks=Attacks.SEEN),
        case("i", {KEV: "N"}, attacks=Attacks.SEEN, criticality=Criticality.ORDINARY),
        case("h", {KEV: "N"}, attacks=Attacks.NONE, criticality=Criticality.VITAL),
        case(
            "g",
            {KEV: "N"},
            attacks=Attacks.NONE,
            criticality=Criticality.IMPORTANT,
            exposure=Exposure.OPEN,
        ),
    ]
    base = replace(ladder[-1], exposure=Exposure.SMALL, operators=1)
    ladder += [
        replace(base, id="f", operators=2, dependents=0),
        replace(base, id="e", dependents=7),
        replace(base, id="d", dependents=6, earliest=DAY),
        replace(base, id="c", dependents=6, earliest=DAY + timedelta(days=1)),
        replace(base, id="b2", dependents=6, capacity=3),
        replace(base, id="b3", dependents=6),
        replace(base, id="b4", dependents=6),
    ]
    queue = order(reversed(ladder))
    assert [place.case.id for place in queue] == [one.id for one in ladder]
    assert [place.why for place in queue] == [
        "latest possible outcome: 60 days, before Fix on system upgrade",
        "earliest possible outcome: 3 days & forensic investigation, before 3 days",
        "attacks: seen, before none",
        "criticality of the operator: vital, before important",
        "exposure: open, before small",
        "operators touched: 2, before 1",
        "dependents: 7, before 6",
        "earliest possible day: 2027-01-01, before 2027-01-02",
        "earliest possible day: 2027-01-02, before none",
        "capacity to apply: 3, before unknown",
        "equal in every signal; b3 comes before b4 by name",
        "",
    ]


def test_nothing_is_weighed_and_no_score_is_a_signal() -> None:
    """CVSS and EPSS have no place among the signals."""
    assert {field.name for field in fields(Case)}.isdisjoint({"cvss", "epss", "score", "weight"})


def override(outcome: str, least: str, most: str, at: datetime = AT) -> Override:
    """An override of case a by an officer who saw the two ends."""
    return Override("a", outcome, (least, most), "officer", at, "backup plant is off")


def test_an_override_moves_the_case_and_changes_no_decision() -> None:
    """The reason and the person stand with the place."""
    low = case("a", {EXPOSED: "N", KEV: "N", "ssvc:A:2.0.0": "N"})
    high = case("b", dict.fromkeys((*POINTS[:3],), "Y") | {IMPACT: "P"})
    assert ids([low, high]) == ["b", "a"]
    up = override("3DF", "FSU", "FSU")
    place = order([low, high], [up])[0]
    assert (place.case, place.override, place.aside) == (low, up, None)
    assert place.case.decision.most.key == "FSU"
    assert place.why == (
        "earliest possible outcome: 3 days & forensic investigation (by officer), before 3 days"
    )


def test_an_override_that_lowers_ends_with_what_its_author_saw() -> None:
    """A later listing is not hidden; the override is shown as put aside. The newest counts."""
    seen = case("a", {EXPOSED: "Y"})
    down = override("FSU", seen.decision.least.key, seen.decision.most.key)
    other = case("b", {EXPOSED: "N"})
    assert ids([seen, other], [down]) == ["b", "a"]
    learned = case("a", {EXPOSED: "Y", KEV: "Y"})
    places = order([learned, other], [down])
    assert [(place.case.id, place.override, place.aside) for place in places] == [
        ("a", None, down),
        ("b", None, None),
    ]
    newer = override("FSU", "14D", "3DF", AT + timedelta(seconds=1))
    assert ids([learned, other], [newer, down]) == ["b", "a"]


def test_an_override_to_the_worst_that_is_possible_counts_whatever_was_seen() -> None:
    """It raises the case above one that is as open: the least possible is raised too."""
    open_, other = case("a", {EXPOSED: "Y"}), case("0", {EXPOSED: "Y"})
    assert ids([open_, other]) == ["0", "a"]
    assert ids([open_, other], [override("3DF", "FSU", "14D")]) == ["a", "0"]


def test_what_cannot_be_ordered_is_refused() -> None:
    """Two cases of one id, two tables, an override of nobody, without reason, person, offset."""
    with pytest.raises(Invalid, match="same id"):
        order([case(), case()])
    other = tables()["cisa:DT_CO:2.0.3"]
    with pytest.raises(Invalid, match="different tables"):
        order([case("a"), Case("b", other.decide({}))])
    with pytest.raises(Invalid, match="'a' is no case"):
        order([case("b")], [override("3D", "FSU", "3DF")])
    with pytest.raises(Invalid, match="none of FSU"):
        order([case("a")], [override("180D", "FSU", "3DF")])
    for wrong in ({"reason": " "}, {"by": ""}, {"at": AT.replace(tzinfo=None)}):
        with pytest.raises(Invalid):
            replace(override("3D", "FSU", "3DF"), **wrong)
    for signals in ({"operators": -1}, {"dependents": 1 << 62}, {"capacity": -1}, {"id_": ""}):
        with pytest.raises(Invalid):
            case(**signals)


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        # Worked examples of the standards: v2.0 guide 3.3.1 and 3.3.3, v3.1 examples, v4.0 examples.
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8),
        ("(AV:L/AC:H/Au:N/C:C/I:C/A:C)", 6.2),
        (" CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P ", 7.5),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O", 9.8),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10.0),
        ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0.0),
    ],
)
def test_cvss_scores(vector: str, score: float) -> None:
    """The base score; of 4.0 the one score it has."""
    assert cvss(vector) == score


@pytest.mark.parametrize(
    "vector",
    [
        "",
        "9.8",
        "CVSS:5.0/AV:N",
        "CVSS:3.1/AV:N",
        "CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "AV:N/AC:L/Au:N/C:P/I:P/A:Q",
        "CVSS:4.0/AV:N" + "/AC:L" * 100,
    ],
)
def test_what_is_no_vector_is_refused(vector: str) -> None:
    """Never a score of nothing."""
    with pytest.raises(Invalid, match="vector"):
        cvss(vector)


def test_without_the_library_there_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unavailable, with the cure, and never zero."""
    monkeypatch.setitem(sys.modules, "cvss", None)
    with pytest.raises(Unavailable, match="package cvss is not installed"):
        cvss("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
