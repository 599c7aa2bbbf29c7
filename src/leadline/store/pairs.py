"""Pairs of findings that groups are listed by: written with the evidence, cut for one reader in the database.

Both ends of a pair that is given out are findings that the reader may read. See `leadline.core.clearing.pairs`.
"""

# ruff: noqa: S608 -- names of our own columns stand in these questions, values are bound

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice

import sqlalchemy as sa

from leadline.app.ports import Ask, Reading, Stored
from leadline.core.clause import Clause
from leadline.core.clearing.evidence import Claim, EvidenceEdge, read, standing
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.pairs import Pair, pairs, seen
from leadline.core.record.act import Act, Kind
from leadline.store import listing
from leadline.store.tables import ASKED, JOINED
from leadline.store.visible import Columns, Given, condition

SOME = 500  # findings of which the pairs are written at once while all is written anew
Rows = Callable[[AbstractSet[str]], Sequence[Stored[Finding]]]
_TABLES = {Ask.JOINED: JOINED, Ask.ASKED: ASKED}
_LISTED = Columns("listing", unindexed=True)


def edges_of(act: Act) -> frozenset[str]:
    """The evidence that stands, or stands no more, once *act* is recorded."""
    evidence = act.kind in {Kind.EVIDENCE_ADDED, Kind.EVIDENCE_RETRACTED}
    return frozenset({act.about} if evidence else ())


def enter(
    connection: sa.Connection,
    view: Reading,
    rows: Rows,
    evidence: AbstractSet[str],
    findings: AbstractSet[str],
) -> None:
    """Write the pairs that are others, now that this *evidence*, or who may read these findings, changed."""
    acts = view.acts(kind=Kind.EVIDENCE_ADDED, about=evidence) if evidence else ()
    changed = {(edge.a, edge.b) for edge in (read(one.act) for one in acts)}
    _write(connection, view, rows, {end for pair in changed for end in pair} | findings, changed)


def _write(
    connection: sa.Connection,
    view: Reading,
    rows: Rows,
    findings: AbstractSet[str],
    changed: AbstractSet[Pair] = frozenset(),
) -> frozenset[str]:
    """Write the pairs of these findings and of all that are one flaw with them; answers all of them."""
    ends, edges = _around(view, findings)
    if not edges and not changed:
        return ends
    made = pairs({row.id: seen(row.value, row.thing("finding")) for row in rows(ends)}, edges)
    stale = [{"of_a": a, "of_b": b} for a, b in changed | {(edge.a, edge.b) for edge in edges}]
    for table, due in ((JOINED, made.joined), (ASKED, made.asked)):
        here = (table.c.a == sa.bindparam("of_a")) & (table.c.b == sa.bindparam("of_b"))
        connection.execute(table.delete().where(here), stale)
        if due:
            connection.execute(table.insert(), [{"a": a, "b": b} for a, b in sorted(due)])
    return ends


def _around(
    view: Reading, findings: AbstractSet[str]
) -> tuple[frozenset[str], Sequence[EvidenceEdge]]:
    """These findings and all that evidence joins with them, and the evidence that stands about any of them."""
    ends, new, edges = set(findings), set(findings), dict[str, EvidenceEdge]()
    while new:
        named = {one.act.about for one in view.acts(kind=Kind.EVIDENCE_ADDED, naming=new)}
        stand = standing(one.act for one in view.acts(about=named - set(edges)))
        edges |= {edge.id: edge for edge in stand if not ends.isdisjoint((edge.a, edge.b))}
        joined = (edge for edge in stand if edge.claim is Claim.SAME)
        new = {end for edge in joined for end in (edge.a, edge.b)} - ends
        ends |= new
    return frozenset(ends), tuple(edges.values())


def restate(connection: sa.Connection, view: Reading, rows: Rows, acts: Iterable[Act]) -> None:
    """Write all pairs anew; *acts* are all there are."""
    for table in (JOINED, ASKED):
        connection.execute(table.delete())
    done, left = set[str](), _ends(acts)
    while some := frozenset(islice((end for end in left if end not in done), SOME)):
        done |= _write(connection, view, rows, some)


def _ends(acts: Iterable[Act]) -> Iterator[str]:
    for act in acts:
        if act.kind is Kind.EVIDENCE_ADDED:
            edge = read(act)
            yield from (edge.a, edge.b)


def page(
    connection: sa.Connection, kind: str, ask: Ask, visible: Clause, after: Pair, limit: int
) -> Sequence[Pair]:
    """See `leadline.app.ports.Reading.pairs`; *kind* is the one that findings are listed under."""
    given, table = Given(connection.dialect.name), _TABLES[ask].name

    def known(end: str) -> str:
        # A value, not a condition: no database makes a join of it, and looks all findings up to begin with.
        here = f"listing.kind = {given.one(kind)} AND listing.id = {end}"
        sight = f"SELECT 1 FROM listing WHERE {here} AND {condition(visible, given, _LISTED)}"
        return f"COALESCE(({sight}), 0) = 1"

    where = [f"(at.a, at.b) > ({given.one(after[0])}, {given.one(after[1])})"]
    where += [known("at.a"), known("at.b")]
    if ask is Ask.JOINED:
        before = f"SELECT 1 FROM {table} less WHERE less.b = at.a AND {known('less.a')}"
        nearer = f"SELECT 1 FROM {table} less WHERE less.a = at.a AND less.b < at.b"
        where += [f"NOT EXISTS ({before})", f"NOT EXISTS ({nearer} AND {known('less.b')})"]
    tables = f"{table} at"
    if few := listing.reached(connection, kind, visible, given):
        of_few = f"SELECT listing.id FROM listing WHERE listing.seq IN ({few})"
        tables = f"({of_few}) few CROSS JOIN {table} at"
        where.append("at.a = few.id")
    asked = (
        f"SELECT at.a, at.b FROM {tables} WHERE {' AND '.join(where)} "
        f"ORDER BY at.a, at.b LIMIT {given.one(limit)}"
    )
    return [(row.a, row.b) for row in connection.execute(sa.text(asked), given.values)]
