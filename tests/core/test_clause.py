"""What a clause admits, and that folding constants never changes it."""

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from leadline.core.access import Resource, microseconds
from leadline.core.clause import (
    EVERYTHING,
    NOTHING,
    Above,
    All,
    Clause,
    Fact,
    Measure,
    Not,
    Some,
    Touches,
    Within,
    admits,
    every,
    negation,
    one_of,
    some,
    touches,
)
from leadline.core.marking import Tlp

WORDS = ("", "a", "b")


def clauses() -> st.SearchStrategy[Clause]:
    """Small trees over small vocabularies."""
    words = st.frozensets(st.sampled_from(WORDS))
    leaves = st.one_of(
        st.sampled_from((EVERYTHING, NOTHING)),
        st.builds(one_of, st.sampled_from(Fact), words),
        st.builds(Above, st.sampled_from(Measure), st.integers(-1, 2)),
        st.builds(Within, words),
        st.builds(touches, words),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(negation, inner),
            st.builds(every, st.lists(inner, max_size=3)),
            st.builds(some, st.lists(inner, max_size=3)),
        ),
        max_leaves=8,
    )


THINGS = [
    make.resource(
        engagement=word, org=other, case=word, owner=other, level=level, compartments=held
    )
    for word, other, level, held in product(WORDS, WORDS, (0, 2), ((), ("a",), ("a", "b")))
]


@given(st.lists(clauses(), max_size=4))
def test_joining_means_what_it_says(parts: list[Clause]) -> None:
    """Constants are folded away without changing what is admitted."""
    for thing in THINGS:
        each = [admits(one, thing) for one in parts]
        assert admits(every(parts), thing) == all(each)
        assert admits(some(parts), thing) == any(each)


@given(clauses())
def test_negation_is_the_opposite(clause: Clause) -> None:
    """And twice is nothing at all."""
    assert negation(negation(clause)) == clause
    for thing in THINGS:
        assert admits(negation(clause), thing) is not admits(clause, thing)


@given(clauses())
def test_no_constant_is_left_inside(clause: Clause) -> None:
    """So that the database is never asked about an empty set or a constant within a condition."""

    def walk(one: Clause, *, top: bool) -> None:
        assert top or one not in (EVERYTHING, NOTHING)
        if isinstance(one, All | Some):
            assert len(one.clauses) > 1
            for inner in one.clauses:
                walk(inner, top=False)
        if isinstance(one, Not):
            walk(one.clause, top=False)

    walk(clause, top=True)


@pytest.mark.parametrize(
    ("fact", "thing"),
    [
        (Fact.ENGAGEMENT, make.resource(engagement="x")),
        (Fact.ORG, make.resource(org="x")),
        (Fact.CASE, make.resource(case="x")),
        (Fact.OWNER, make.resource(owner="x")),
    ],
)
def test_a_text_is_one_of_those_named(fact: Fact, thing: Resource) -> None:
    """Each fact reads its own field."""
    assert admits(one_of(fact, ["x", "y"]), thing)
    assert not admits(one_of(fact, ["y"]), thing)
    assert not admits(one_of(fact, ["x"]), make.resource())


def test_a_label_is_compared_as_the_standard_spells_it() -> None:
    """`TLP:RED` and nothing looser."""
    red = one_of(Fact.TLP, ["TLP:RED"])
    assert admits(red, make.resource(tlp=Tlp.RED))
    assert not admits(red, make.resource())


def test_an_embargo_is_compared_by_the_microsecond() -> None:
    """None of it counts as zero."""
    clause = Above(Measure.EMBARGO_UNTIL, microseconds(make.NOW))
    assert not admits(clause, make.resource(embargo_until=make.NOW))
    assert admits(clause, make.resource(embargo_until=make.UNTIL))
    assert not admits(clause, make.resource())


@pytest.mark.parametrize("of", [Within, Touches])
def test_compartments_are_compared_as_sets(of: Callable[[frozenset[str]], Clause]) -> None:
    """All of them for `Within`, one of them for `Touches`."""
    thing = make.resource(compartments=("a", "b"))
    assert admits(of(frozenset("ab")), thing)
    assert admits(of(frozenset("a")), thing) is (of is Touches)
