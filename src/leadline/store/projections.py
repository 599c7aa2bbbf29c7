"""What is kept beside the acts so that none has to be read but those that are asked for.

`named` says which acts name a thing, `queue` where each report stands in the queue, `claimed` who else handed
it in; pairs of findings are in `leadline.store.pairs`. All are written in the transaction that records the acts,
and hold nothing that the acts do not; `restate` makes them again.
"""

# ruff: noqa: S608 -- names of our own columns stand in these questions, values are bound

import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from leadline.app.ports import Opened, Reading
from leadline.core.clearing.act_names import names
from leadline.core.clearing.queue import WAITING, Entry, Lanes, again, changes, entry
from leadline.core.clearing.report import Stage
from leadline.core.record.act import Act, Kind
from leadline.store import pairs
from leadline.store.instants import instant, microseconds
from leadline.store.tables import CLAIMED, NAMED, PROJECTED, QUEUE
from leadline.store.visible import Given

VERSION = "2"  # another once the same acts are projected otherwise; then all is written anew
SOME = 2_000  # acts, or reports, that are read at once while all is written anew
_COLUMNS = ", ".join(f"queue.{name}" for name in QUEUE.c.keys())  # noqa: SIM118 -- columns
_WAITING = ", ".join(f"'{stage.value}'" for stage in sorted(WAITING))
_CLOSED = (
    "SELECT 1 FROM act WHERE act.about = queue.case_id AND (act.kind || '') = '"
    f"{Kind.CASE_CLOSED.value}'"
)
_ERASE = [
    one.delete().where(one.c.finding == sa.bindparam("of_finding")) for one in (QUEUE, CLAIMED)
]


def name(connection: sa.Connection, leaves: Iterable[tuple[int, AbstractSet[str]]]) -> None:
    """Enter which things these acts name."""
    rows = [{"name": one, "leaf": leaf} for leaf, held in leaves for one in sorted(held)]
    if rows:
        connection.execute(NAMED.insert(), rows)


def naming(given: Given, which: AbstractSet[str]) -> str:
    """What gives the leaves of the acts that name one of *which*."""
    return f"SELECT leaf FROM named WHERE {given.among('named.name', frozenset(which))}"


def enqueue(connection: sa.Connection, findings: Iterable[str], opened: Iterable[Opened]) -> None:
    """Put the entries of these reports in the place of those that were there; *opened* is all about them."""
    held = dict[str, list[Act]]((finding, []) for finding in findings)
    for one in opened:
        held[one.act.about].append(one.act)
    rows = [_row(made) for acts in held.values() if (made := entry(acts)) is not None]
    late = [
        {"person": person, "finding": finding}
        for finding, acts in held.items()
        for person in sorted(again(acts))
    ]
    for erase in _ERASE if held else ():
        connection.execute(erase, [{"of_finding": finding} for finding in held])
    for table, new in ((QUEUE, rows), (CLAIMED, late)):
        if new:
            connection.execute(table.insert(), new)


def _row(made: Entry) -> dict[str, object]:
    return {
        "finding": made.finding,
        "lane": _kept(made.lane),
        "stage": made.stage.value,
        "since": microseconds(made.since),
        "reached": microseconds(made.reached),
        "severity": _kept(made.severity),
        "urgent": _kept(made.urgent),
        "needs": json.dumps(made.needs) if made.needs else "",
        "case_id": _kept(made.case),
    }


def _kept(text: str) -> str:
    """PostgreSQL holds no NUL in text."""
    return text.replace("\0", "")


def _entry(row: sa.Row[tuple[object, ...]]) -> Entry:
    needs = json.loads(row.needs) if row.needs else ()
    return Entry(
        row.finding,
        row.lane,
        Stage(row.stage),
        instant(row.since),
        instant(row.reached),
        row.severity,
        row.urgent,
        tuple(tuple(any_of) for any_of in needs),
        row.case_id,
    )


def entries(connection: sa.Connection, findings: AbstractSet[str]) -> Sequence[Entry]:
    """See `leadline.app.ports.Reading.queued`."""
    if not findings:
        return []
    given = Given(connection.dialect.name)
    where = given.among("queue.finding", frozenset(findings))
    return [_entry(row) for row in _asked(connection, _COLUMNS, where, given)]


def lanes(connection: sa.Connection, which: AbstractSet[str], since: datetime) -> Lanes:
    """See `leadline.app.ports.Reading.lanes`."""
    if not which:
        return Lanes((), (), {})
    given = Given(connection.dialect.name)
    here = f"{given.among('queue.lane', frozenset(which))} AND queue.stage"
    waits = _asked(connection, _COLUMNS, f"{here} IN ({_WAITING})", given)
    gone = f"{here} = '{Stage.CASE.value}'"
    still = f"{gone} AND NOT EXISTS ({_CLOSED}) GROUP BY queue.lane"
    many = _asked(connection, "queue.lane, count(*) AS many", still, given)
    found, held = tuple(map(_entry, waits)), {row.lane: row.many for row in many}
    late = f"{gone} AND queue.reached > {given.one(microseconds(since))}"
    left = _asked(connection, "queue.lane, queue.reached", late, given)
    return Lanes(found, tuple((row.lane, instant(row.reached)) for row in left), held)


def claimed(
    connection: sa.Connection, person: str, stages: AbstractSet[Stage], after: str, limit: int
) -> Sequence[str]:
    """See `leadline.app.ports.Reading.claimed`."""
    given = Given(connection.dialect.name)
    where = f"claimed.person = {given.one(person)} AND claimed.finding > {given.one(after)}"
    at = given.among("queue.stage", frozenset(one.value for one in stages))
    asked = (
        "SELECT claimed.finding FROM claimed JOIN queue ON queue.finding = claimed.finding "
        f"WHERE {where} AND {at} ORDER BY claimed.finding LIMIT {given.one(limit)}"
    )
    return connection.execute(sa.text(asked), given.values).scalars().all()


def _asked(
    connection: sa.Connection, columns: str, where: str, given: Given
) -> sa.CursorResult[tuple[object, ...]]:
    return connection.execute(sa.text(f"SELECT {columns} FROM queue WHERE {where}"), given.values)


def stands(connection: sa.Connection) -> bool:
    """Whether what is kept is of this version."""
    version: str | None = connection.scalar(sa.select(PROJECTED.c.version))
    return version == VERSION


def restate(connection: sa.Connection, view: Reading, rows: pairs.Rows) -> None:
    """Write everything anew from the acts, unless somebody else did in the meantime."""
    if stands(connection):
        return
    for table in (NAMED, QUEUE, CLAIMED, PROJECTED):
        connection.execute(table.delete())
    findings = dict[str, None]()
    for some in _all(view):
        name(connection, ((one.index, names(one.act)) for one in some))
        findings |= {changes(one.act): None for one in some if changes(one.act)}
    left = iter(findings)
    while batch := frozenset(islice(left, SOME)):
        enqueue(connection, sorted(batch), view.acts(about=batch))
    pairs.restate(connection, view, rows, (one.act for some in _all(view) for one in some))
    connection.execute(PROJECTED.insert().values(id=0, version=VERSION))


def _all(view: Reading) -> Iterator[Sequence[Opened]]:
    """Every act in log order, some at a time."""
    since = 0
    while some := view.acts(since=since, most=SOME):
        yield some
        since = some[-1].index + 1
