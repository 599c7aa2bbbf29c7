"""A clause of the access rules as a condition in SQL, the same on SQLite and PostgreSQL.

It is text, because a list asks it anew for each person and time, and making expressions of it costs more
than the question. No value stands in the text: each is bound as a parameter, and a set, which is never
empty, as one. Every column read here is NOT NULL, so that no comparison is unknown.
"""

# ruff: noqa: S608 -- names of our own columns stand in these questions, values are bound

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import assert_never

from leadline.core.clause import (
    Above,
    All,
    Always,
    Clause,
    Fact,
    Measure,
    Not,
    OneOf,
    Some,
    Touches,
    Within,
)

COLUMNS = {
    Fact.ENGAGEMENT: "engagement",
    Fact.ORG: "org",
    Fact.CASE: "case_id",
    Fact.OWNER: "owner",
    Fact.TLP: "tlp",
}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table that rules read. *unindexed* keeps the database from looking rows up by them."""

    table: str
    unindexed: bool = False

    def text(self, fact: Fact) -> str:
        """The column of a fact."""
        column = f"{self.table}.{COLUMNS[fact]}"
        return f"({column} || '')" if self.unindexed else column

    def number(self, measure: Measure) -> str:
        """The column of a measure."""
        return f"{self.table}.{measure.value}"

    def held(self, which: str) -> str:
        """Whether the row has a compartment of which *which* holds."""
        same = f"beside.kind = {self.table}.kind AND beside.id = {self.table}.id"
        return f"EXISTS (SELECT 1 FROM state_compartment beside WHERE {same} AND {which})"


OF_STATE = Columns("state")


@dataclass(frozen=True, slots=True)
class Given:
    """The values of one question, by the names of their parameters."""

    dialect: str
    values: dict[str, object] = field(default_factory=dict)
    _names: dict[object, str] = field(default_factory=dict)

    def one(self, value: str | int) -> str:
        """The parameter that *value* is bound as."""
        return self._bound(value, value)

    def among(self, column: str, texts: AbstractSet[str]) -> str:
        """Whether *column* is among *texts*, of which there is at least one."""
        if len(texts) == 1:
            return f"{column} = {self.one(next(iter(texts)))}"
        if self.dialect == "sqlite":
            name = self._bound(texts, json.dumps(sorted(texts)))
            return f"{column} IN (SELECT value FROM json_each({name}))"
        return f"{column} = ANY(CAST({self._bound(texts, _array(texts))} AS text[]))"

    def rows(self, numbers: str | None) -> str:
        """What gives these numbers as rows; they come as text, as the dialect gathers them: JSON or an array."""
        name = self._bound(("rows", numbers), numbers)
        if self.dialect == "sqlite":
            return f"SELECT value FROM json_each({name})"
        return f"SELECT unnest(CAST({name} AS bigint[]))"

    def _bound(self, value: object, shown: object) -> str:
        if value not in self._names:
            self._names[value] = f"given_{len(self._names)}"
            self.values[self._names[value]] = shown
        return f":{self._names[value]}"


def _array(texts: AbstractSet[str]) -> str:
    """*texts* as PostgreSQL reads an array (manual, 8.15.6); the driver takes four times as long to say it."""
    quoted = (one.replace("\\", "\\\\").replace('"', '\\"') for one in sorted(texts))
    return "{" + ",".join(f'"{one}"' for one in quoted) + "}"


def condition(  # noqa: PLR0911 -- one for each case
    clause: Clause, given: Given, columns: Columns = OF_STATE
) -> str:
    """What `leadline.core.clause.admits` says, on the rows of `state`, or of a table with its columns."""
    match clause:
        case Always(answer):
            return "1 = 1" if answer else "1 = 0"
        case OneOf(fact, texts):
            return given.among(columns.text(fact), texts)
        case Above(measure, bound):
            return f"{columns.number(measure)} > {given.one(bound)}"
        case Within(compartments):
            inside = given.among("beside.compartment", compartments) if compartments else "1 = 0"
            return f"NOT {columns.held(f'NOT ({inside})')}"
        case Touches(compartments):
            return columns.held(given.among("beside.compartment", compartments))
        case Not(inner):
            return f"NOT ({condition(inner, given, columns)})"
        case All(clauses):
            return f"({' AND '.join(condition(one, given, columns) for one in clauses)})"
        case Some(clauses):
            return f"({' OR '.join(condition(one, given, columns) for one in clauses)})"
        case _ as never:
            assert_never(never)


def reach(clause: Clause) -> Mapping[Fact, frozenset[str]] | None:
    """Facts of which every row that *clause* admits has one; None, where it tells of no such facts."""
    match clause:
        case OneOf(fact, texts):
            return {fact: texts} if fact is not Fact.TLP and "" not in texts else None
        case Always(answer=False):
            return {}
        case All(clauses):
            known = [one for one in map(reach, clauses) if one is not None]
            return min(known, key=_breadth, default=None)
        case Some(clauses):
            parts = [reach(one) for one in clauses]
            found = dict[Fact, frozenset[str]]()
            for part in parts:
                if part is None:
                    return None
                for fact, texts in part.items():
                    found[fact] = found.get(fact, frozenset()) | texts
            return found
        case _:
            return None


def _breadth(facts: Mapping[Fact, frozenset[str]]) -> int:
    return sum(map(len, facts.values()))
