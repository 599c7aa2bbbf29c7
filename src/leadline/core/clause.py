"""What a person may see of one kind of thing, as a condition on the facts that stand in columns.

The access rules give a clause for a person, an action and a kind of thing; the store turns it into
SQL, so that a list is filtered where it is read. `admits` is its meaning, in plain Python.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from leadline.core.access import Resource, microseconds


class Fact(StrEnum):
    """A column with text that rules compare."""

    ENGAGEMENT = "engagement"
    ORG = "org"
    CASE = "case"
    OWNER = "owner"
    TLP = "tlp"


class Measure(StrEnum):
    """A column with a whole number that rules compare; an embargo counts microseconds since 1970."""

    LEVEL = "level"
    EMBARGO_UNTIL = "embargo_until"


@dataclass(frozen=True, slots=True)
class Always:
    """Everything, or nothing."""

    answer: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """The fact is one of these texts, of which there is at least one."""

    fact: Fact
    texts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Above:
    """The number is greater than *bound*."""

    measure: Measure
    bound: int


@dataclass(frozen=True, slots=True)
class Within:
    """Every compartment of the thing is among these."""

    compartments: frozenset[str]


@dataclass(frozen=True, slots=True)
class Touches:
    """Some compartment of the thing is among these, of which there is at least one."""

    compartments: frozenset[str]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    clause: "Clause"


@dataclass(frozen=True, slots=True)
class All:
    """Each of two or more."""

    clauses: "tuple[Clause, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of two or more."""

    clauses: "tuple[Clause, ...]"


Clause = Always | OneOf | Above | Within | Touches | Not | All | Some

NOTHING, EVERYTHING = Always(answer=False), Always(answer=True)


def one_of(fact: Fact, texts: Iterable[str]) -> Clause:
    """The fact is one of *texts*; of none of them is nothing."""
    given = frozenset(texts)
    return OneOf(fact, given) if given else NOTHING


def touches(compartments: Iterable[str]) -> Clause:
    """Some compartment is among these; of none of them is nothing."""
    given = frozenset(compartments)
    return Touches(given) if given else NOTHING


def negation(clause: Clause) -> Clause:
    """The opposite, without doubled negation."""
    if isinstance(clause, Always):
        return Always(not clause.answer)
    return clause.clause if isinstance(clause, Not) else Not(clause)


def every(clauses: Iterable[Clause]) -> Clause:
    """All of them; constants are folded, and of none of them is everything."""
    return _joined(clauses, decisive=NOTHING, idle=EVERYTHING)


def some(clauses: Iterable[Clause]) -> Clause:
    """At least one of them; constants are folded, and of none of them is nothing."""
    return _joined(clauses, decisive=EVERYTHING, idle=NOTHING)


def _joined(clauses: Iterable[Clause], *, decisive: Always, idle: Always) -> Clause:
    kept = [clause for clause in clauses if clause != idle]
    if decisive in kept or not kept:
        return decisive if kept else idle
    if len(kept) == 1:
        return kept[0]
    return Some(tuple(kept)) if idle is NOTHING else All(tuple(kept))


def admits(clause: Clause, thing: Resource) -> bool:  # noqa: PLR0911 -- one for each case
    """Whether *thing* is among what the clause describes."""
    match clause:
        case Always(answer):
            return answer
        case OneOf(fact, texts):
            return _text(fact, thing) in texts
        case Above(measure, bound):
            return _number(measure, thing) > bound
        case Within(compartments):
            return thing.marking.compartments <= compartments
        case Touches(compartments):
            return bool(thing.marking.compartments & compartments)
        case Not(inner):
            return not admits(inner, thing)
        case All(clauses):
            return all(admits(one, thing) for one in clauses)
        case Some(clauses):
            return any(admits(one, thing) for one in clauses)
        case _ as never:
            assert_never(never)


def _text(fact: Fact, thing: Resource) -> str:
    match fact:
        case Fact.ENGAGEMENT:
            return thing.engagement
        case Fact.ORG:
            return thing.org
        case Fact.CASE:
            return thing.case
        case Fact.OWNER:
            return thing.owner
        case Fact.TLP:
            return thing.marking.tlp.value
        case _ as never:
            assert_never(never)


def _number(measure: Measure, thing: Resource) -> int:
    if measure is Measure.LEVEL:
        return thing.level
    return 0 if thing.embargo_until is None else microseconds(thing.embargo_until)
