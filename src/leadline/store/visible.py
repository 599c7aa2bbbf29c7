"""A clause of the access rules as a condition in SQL, the same on SQLite and PostgreSQL.

Every column read here is NOT NULL, so that no comparison is unknown, and every set is bound as
parameters and never empty, because `IN ()` is no SQL everywhere.
"""

from typing import assert_never

import sqlalchemy as sa

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
from leadline.store.tables import STATE, STATE_COMPARTMENT

_TEXT = {
    Fact.ENGAGEMENT: STATE.c.engagement,
    Fact.ORG: STATE.c.org,
    Fact.CASE: STATE.c.case_id,
    Fact.OWNER: STATE.c.owner,
    Fact.TLP: STATE.c.tlp,
}
_NUMBER = {Measure.LEVEL: STATE.c.level, Measure.EMBARGO_UNTIL: STATE.c.embargo_until}


def condition(clause: Clause) -> sa.ColumnElement[bool]:  # noqa: PLR0911 -- one for each case
    """What `leadline.core.clause.admits` says, on the rows of `state`."""
    match clause:
        case Always(answer):
            return sa.true() if answer else sa.false()
        case OneOf(fact, texts):
            return _TEXT[fact].in_(sorted(texts))
        case Above(measure, bound):
            return _NUMBER[measure] > bound
        case Within(compartments):
            held = STATE_COMPARTMENT.c.compartment
            outside = held.not_in(sorted(compartments)) if compartments else sa.true()
            return ~_held(outside)
        case Touches(compartments):
            return _held(STATE_COMPARTMENT.c.compartment.in_(sorted(compartments)))
        case Not(inner):
            return sa.not_(condition(inner))
        case All(clauses):
            return sa.and_(*(condition(one) for one in clauses))
        case Some(clauses):
            return sa.or_(*(condition(one) for one in clauses))
        case _ as never:
            assert_never(never)


def _held(which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether the row has a compartment of which *which* holds."""
    beside = STATE_COMPARTMENT.c
    here = (beside.kind == STATE.c.kind) & (beside.id == STATE.c.id)
    return sa.exists().where(here, which).correlate(STATE)
