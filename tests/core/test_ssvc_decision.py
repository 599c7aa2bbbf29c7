"""Decision tables: every row, every set of unknowns, and what settles an open one."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.clearing.ssvc import Point, Table, Value
from leadline.core.errors import Invalid
from priority_world import LEVELS, POINTS, directive, inputs, tables

BOD = directive().table
ALL = tables()
SETS = ["".join(letters) for letters in product("NY?", "NY?", "NY?", "PT?")]
# The seven incomplete sets that are determined, by the programme reference, section 3.1.
DETERMINED = {
    "NNN?": "FSU",
    "NNY?": "60D",
    "NYN?": "14D",
    "NY?P": "14D",
    "?YNP": "14D",
    "YY?T": "3DF",
    "?YYT": "3DF",
}


def completions(letters: str) -> list[str]:
    """Every complete set that *letters* may turn out to be."""
    choices = [
        LEVELS[point] if letter == "?" else letter
        for point, letter in zip(POINTS, letters, strict=True)
    ]
    return ["".join(one) for one in product(*choices)]


def row(letters: str) -> str:
    """The outcome of a complete set, looked up in the table by hand."""
    known = inputs(letters)
    return BOD.rows[tuple(known[point.id] for point in BOD.inputs)]


@pytest.mark.parametrize("letters", SETS)
def test_all_81_input_sets_equal_every_completion(letters: str) -> None:
    """Determined iff one outcome is left; else both ends, and never a value for what is unknown."""
    found = BOD.decide(inputs(letters))
    outcomes = {row(one) for one in completions(letters)}
    order = [value.key for value in BOD.outcome.values]
    assert {value.key for value in found.possible} == outcomes
    assert found.determined == (len(outcomes) == 1)
    levels = sorted(order.index(one) for one in outcomes)
    assert (found.least.key, found.most.key) == (order[levels[0]], order[levels[-1]])
    assert found.levels == (levels[-1], levels[0])
    assert dict(found.known) == inputs(letters)
    assert found.words().startswith("undetermined") != found.determined


@pytest.mark.parametrize("letters", SETS)
def test_what_is_needed_settles_it_and_none_of_it_can_be_spared(letters: str) -> None:
    """Whatever the needed inputs turn out to be, one outcome is left; without one of them not always."""
    found = BOD.decide(inputs(letters))
    needed = [point.id for point in found.needed]

    def always(asked: list[str]) -> bool:
        answers = product(*(LEVELS[point] for point in asked))
        return all(
            BOD.decide(inputs(letters) | dict(zip(asked, one, strict=True))).determined
            for one in answers
        )

    assert always(needed)
    assert not any(always([one for one in needed if one != spared]) for spared in needed)
    unknown = {point for point, letter in zip(POINTS, letters, strict=True) if letter == "?"}
    assert unknown == {*needed, *(point.id for point in found.immaterial)}


def test_exactly_seven_incomplete_sets_are_determined() -> None:
    """And none with two or more inputs missing; each says which input did not matter."""
    incomplete = [letters for letters in SETS if "?" in letters]
    found = {
        letters: BOD.decide(inputs(letters)).most.key
        for letters in incomplete
        if BOD.decide(inputs(letters)).determined
    }
    assert len(incomplete) == 65
    assert found == DETERMINED
    spared = BOD.decide(inputs("YY?T"))
    assert [point.name for point in spared.immaterial] == ["Automatable"]
    assert spared.words() == (
        "3 days & forensic investigation; unknown, and without effect here: Automatable"
    )


def test_an_open_decision_says_between_what_and_what_settles_it() -> None:
    """In words, for people."""
    found = BOD.decide(inputs("YN?T"))
    assert found.words() == (
        "undetermined: between 14 days and 3 days; to settle it, find out: Automatable"
    )
    assert BOD.decide(inputs("YYYP")).words() == "3 days"


def test_the_directive_is_monotone_and_has_no_180_days() -> None:
    """One input raised never gives a later outcome, in all rows."""
    for letters in completions("????"):
        for place, point in enumerate(POINTS):
            raised = letters[:place] + LEVELS[point][1] + letters[place + 1 :]
            assert BOD.outcome.level(row(raised)) >= BOD.outcome.level(row(letters))
    assert [value.key for value in BOD.outcome.values] == ["FSU", "60D", "14D", "3D", "3DF"]


@given(st.data())
def test_learning_more_never_widens_what_is_possible(data: st.DataObject) -> None:
    """In any published table: one more known input leaves a part of what was possible."""
    table = data.draw(st.sampled_from(list(ALL.values())), label="table")
    known = {
        point.id: data.draw(st.sampled_from(point.values)).key
        for point in table.inputs
        if data.draw(st.booleans())
    }
    found = table.decide(known)
    for point in (*found.needed, *found.immaterial):
        for value in point.values:
            more = table.decide(known | {point.id: value.key})
            assert set(more.possible) <= set(found.possible)
            if point in found.immaterial:
                assert more.possible == found.possible


@pytest.mark.parametrize(
    ("known", "problem"),
    [
        ({"cisa:KEV:2.0.0": "Y"}, "no input of cisa:DT_BOD2604:1.0.0"),
        ({"cisa:KEV:1.0.0": "yes"}, "none of N, Y; leave out what is unknown"),
        ({"cisa:KEV:1.0.0": ""}, "leave out what is unknown"),
    ],
)
def test_an_input_that_cannot_be_is_refused(known: dict[str, str], problem: str) -> None:
    """Neither a point nor a value is guessed at."""
    with pytest.raises(Invalid, match=problem):
        BOD.decide(known)


def test_an_incomplete_or_foreign_table_is_refused() -> None:
    """A combination that is missing, a key of nobody, a point that stands twice."""
    rows = dict(BOD.rows)
    first = next(iter(rows))
    wrong: list[Table | None] = []
    for changed in (
        {key: value for key, value in rows.items() if key != first},
        {**rows, first: "180D"},
        {**{key: value for key, value in rows.items() if key != first}, ("N",): "FSU"},
        {
            **{key: value for key, value in rows.items() if key != first},
            ("N", "N", "N", "X"): "FSU",
        },
    ):
        with pytest.raises(Invalid):
            wrong.append(replace(BOD, rows=changed))
    for points in ((), (*BOD.inputs[:3], BOD.inputs[0]), (*BOD.inputs[:3], BOD.outcome)):
        with pytest.raises(Invalid, match="each point once"):
            wrong.append(replace(BOD, inputs=points))
    for values in ((), (Value("a", "A", ""), Value("a", "B", ""))):
        with pytest.raises(Invalid, match="each with a key"):
            Point("x:y:1.0.0", "y", "", values)
    assert wrong == []
