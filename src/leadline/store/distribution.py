"""What programs fetch: versions of objects, public or of the case whose draft they are.

The rows are written in the transaction of the act that they come with. What is public only grows, because the
state holds the last revision of an advisory alone; what is of a case goes when the draft is another, or public.

Each row's moment of being added is later than that of any before it in the same collection, and writers are
one after the other: whoever has read up to a moment has read all up to it, however many rows one clock's time
would have. Conditions and moments are those of one collection; rows of others cost nobody time.
"""

# ruff: noqa: S608 -- names of our own columns stand in these questions, values are bound

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import sqlalchemy as sa

from leadline.app.ports import Shared, Sought, Which
from leadline.core.marking import Tlp
from leadline.store.instants import instant, microseconds
from leadline.store.tables import SHARED
from leadline.store.visible import Given

_ROW = f"SELECT {', '.join(f'shared.{name}' for name in SHARED.c.keys())} FROM shared"  # noqa: SIM118 -- columns
_OTHER = (
    "SELECT 1 FROM shared other WHERE other.case_id = shared.case_id AND other.id = shared.id "
    "AND other.version"
)
_LAST = f"NOT EXISTS ({_OTHER} > shared.version)"
_FIRST = f"NOT EXISTS ({_OTHER} < shared.version)"
_LATEST = sa.select(sa.func.max(SHARED.c.added)).where(SHARED.c.case_id == sa.bindparam("of_case"))
_RETRACT = SHARED.delete().where(SHARED.c.about == sa.bindparam("of"), SHARED.c.case_id != "")


def give(connection: sa.Connection, about: str, objects: Sequence[Shared], at: datetime) -> None:
    """Add objects of an advisory at *at*, or as soon after as what was added before allows."""
    connection.execute(_RETRACT, {"of": about})
    if objects:
        latest = connection.scalar(_LATEST, {"of_case": objects[0].case})
        first = max(microseconds(at), 0 if latest is None else latest + 1)
        rows = [_values(one, first + place) for place, one in enumerate(objects)]
        connection.execute(SHARED.insert(), rows)


def _values(one: Shared, added: int) -> dict[str, object]:
    return {
        "case_id": one.case,
        "added": added,
        "tlp": one.label.value,
        "about": one.about,
        "id": one.id,
        "type": one.type,
        "body": one.body,
        "version": microseconds(one.version),
    }


def part(connection: sa.Connection, sought: Sought) -> Sequence[Shared]:
    """See `leadline.app.ports.Reading.shared`."""
    given = Given(connection.dialect.name)
    where = [
        f"shared.case_id = {given.one(sought.case)}",
        f"shared.added > {given.one(microseconds(sought.after))}",
    ]
    if sought.ids:
        where.append(given.among("shared.id", sought.ids))
    if sought.types:
        where.append(given.among("shared.type", sought.types))
    if Which.ALL not in sought.versions:
        where.append(f"({' OR '.join(_versions(sought.versions, given))})")
    asked = (
        f"{_ROW} WHERE {' AND '.join(where)} ORDER BY shared.added LIMIT {given.one(sought.limit)}"
    )
    return _rows(connection, asked, given)


def _versions(wanted: AbstractSet[Which | datetime], given: Given) -> Iterator[str]:
    for one in sorted(wanted, key=str):
        if isinstance(one, datetime):
            yield f"shared.version = {given.one(microseconds(one))}"
        else:
            yield _LAST if one is Which.LAST else _FIRST


def standing(connection: sa.Connection, about: str, ids: AbstractSet[str]) -> Sequence[Shared]:
    """See `leadline.app.ports.Reading.shared_with`."""
    given = Given(connection.dialect.name)
    mine = f"shared.about = {given.one(about)}"
    named = f" OR {given.among('shared.id', frozenset(ids))}" if ids else ""
    public = f"shared.case_id = {given.one('')}"
    asked = f"{_ROW} WHERE {public} AND ({mine}{named}) AND {_LAST} ORDER BY shared.added"
    return _rows(connection, asked, given)


def _rows(connection: sa.Connection, asked: str, given: Given) -> Sequence[Shared]:
    return [
        Shared(
            Tlp(row.tlp),
            row.case_id,
            row.about,
            row.id,
            row.type,
            instant(row.version),
            row.body,
            instant(row.added),
        )
        for row in connection.execute(sa.text(asked), given.values)
    ]
