"""The store on SQLAlchemy Core: one transaction holds state, act, and log leaf.

Upheld here: what a block wrote becomes durable together or not at all; acts stand in the log in the
order of their leaves; an act read back opens its own leaf; the log grows from the head that is
committed, whoever committed it. Left to the database: that nothing once recorded changes (`guards`).
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from typing_extensions import override

from leadline.app.ports import (
    SHARING,
    Ask,
    Lines,
    Listed,
    Opened,
    Shared,
    SignedHead,
    Sought,
    Stored,
    Wanted,
)
from leadline.core.access import UNBOUND, Bounds, Principal, Tenancy
from leadline.core.clause import EVERYTHING, Clause, Fact, OneOf
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.pairs import Pair
from leadline.core.clearing.queue import Entry, Lanes, changes
from leadline.core.clearing.report import Stage
from leadline.core.errors import Invalid, NotFound, Refused, Stale, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record import tlog
from leadline.core.record.act import Act, Kind, Value, from_record, to_record
from leadline.core.record.commitment import commit, entry
from leadline.formats import canonical, tiles
from leadline.store import distribution, listing, pairs, projections, wall
from leadline.store.batches import Commits
from leadline.store.connections import reading, writing
from leadline.store.database import open_database
from leadline.store.instants import instant, microseconds
from leadline.store.records import PRINCIPALS, Records
from leadline.store.tables import (
    ACT,
    ENTRY,
    PRINCIPAL,
    SIGNED,
    STATE,
    STATE_COMPARTMENT,
)
from leadline.store.tail import LogTail, head, tile_bytes
from leadline.store.visible import Given, condition

T = TypeVar("T")

Where = sa.ColumnElement[bool] | sa.TextClause
BLINDER_BYTES = 32
NONE = frozenset[str]()
_FEW = frozenset({Fact.CASE, Fact.OWNER})  # facts that have an index and that few rows share

# Built once: what every write runs.
_HERE = (STATE.c.kind == sa.bindparam("of_kind")) & (STATE.c.id == sa.bindparam("of_id"))
_VERSION = sa.select(STATE.c.version).where(_HERE)
_BESIDE = STATE_COMPARTMENT.c
# Each row with its compartments, as JSON or NULL, so that no second question has to be asked.
_ROWS = {
    dialect: sa.select(
        STATE,
        sa.select(listed(_BESIDE.compartment))
        .where(_BESIDE.kind == STATE.c.kind, _BESIDE.id == STATE.c.id)
        .correlate(STATE)
        .scalar_subquery()
        .label("compartments"),
    )
    for dialect, listed in (
        ("sqlite", sa.func.json_group_array),
        ("postgresql", lambda column: sa.cast(sa.func.json_agg(column), sa.Text)),
    )
}
_ROW = {dialect: rows.where(_HERE) for dialect, rows in _ROWS.items()}
_INSERT = {
    dialect: insert(STATE).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_REPLACED = [name for name in STATE.c.keys() if name not in {"kind", "id"}]  # noqa: SIM118 -- columns
_REPLACE = (
    STATE.update()
    .where(_HERE, STATE.c.version == sa.bindparam("of_version"))
    .values({n: sa.bindparam(n) for n in _REPLACED})
)
_UNMARK = STATE_COMPARTMENT.delete().where(
    STATE_COMPARTMENT.c.kind == sa.bindparam("of_kind"),
    STATE_COMPARTMENT.c.id == sa.bindparam("of_id"),
)
_LEAF_OF = sa.select(ACT.c.leaf).where(ACT.c.id == sa.bindparam("of_id"))


# leaf, id, kind, about, engagement, record, blinder, entry: a row of `_OPENED`
_OpenedRow = sa.Row[int, str, str, str, str, bytes, bytes, bytes]
_OPENED = sa.select(ACT, ENTRY.c.data).join(ENTRY, ENTRY.c.leaf == ACT.c.leaf, isouter=True)


class SqlReading:
    """One snapshot of the state, on one connection."""

    def __init__(self, connection: sa.Connection, records: Records) -> None:
        self._connection, self._records = connection, records

    def get(self, kind: type[T], id_: str) -> Stored[T]:
        """The state value; raises NotFound."""
        name = self._records.kind(kind)
        place = {"of_kind": name, "of_id": id_}
        one = _ROW[self._connection.dialect.name]
        row = self._connection.execute(one, place).one_or_none()
        if row is None:
            raise NotFound(f"no {name} {id_}")
        return self._stored(kind, row)

    def find(
        self, kind: type[T], *, engagement: str | None = None, visible: Clause = EVERYTHING
    ) -> Sequence[Stored[T]]:
        """All values of one kind, in order of id, of one engagement and those *visible* if told."""
        # SQLite without statistics walks all of a kind, which stand in order, where few are of these cases, or
        # of one engagement.
        few = engagement is not None or (isinstance(visible, OneOf) and visible.fact in _FEW)
        column = STATE.c.kind.concat("") if few else STATE.c.kind
        where: list[Where] = [column == self._records.kind(kind)]
        if visible != EVERYTHING:
            given = Given(self._connection.dialect.name)
            where.append(sa.text(condition(visible, given)).bindparams(**given.values))
        if engagement is not None:
            where.append(STATE.c.engagement == engagement)
        return self._state(kind, *where)

    def among(self, kind: type[T], ids: AbstractSet[str]) -> Sequence[Stored[T]]:
        """Those of these values of one kind that are there, in order of id."""
        if not ids:
            return []
        given = Given(self._connection.dialect.name)
        among = sa.text(given.among("state.id", frozenset(ids))).bindparams(**given.values)
        return self._state(kind, STATE.c.kind == self._records.kind(kind), among)

    def _state(self, kind: type[T], *where: Where) -> Sequence[Stored[T]]:
        rows = _ROWS[self._connection.dialect.name].where(*where).order_by(STATE.c.id)
        return [self._stored(kind, row) for row in self._connection.execute(rows)]

    def _stored(self, kind: type[T], row: sa.Row[tuple[object, ...]]) -> Stored[T]:
        compartments = frozenset(json.loads(row.compartments)) if row.compartments else NONE
        return Stored(
            row.id,
            self._records.load(kind, f"{row.kind} {row.id}", row.body),
            row.version,
            row.engagement,
            row.org,
            Marking(Tlp(row.tlp), compartments),
            _bounds(row),
        )

    def page(self, kind: type, wanted: Wanted) -> Sequence[Listed]:
        """A part of the list of one kind; see `leadline.store.listing`."""
        return listing.page(self._connection, self._records.kind(kind), wanted)

    def pages(self, wanted: Mapping[type, Wanted]) -> Mapping[type, Sequence[Listed]]:
        """Parts of several lists at once; see `leadline.store.listing`."""
        named = {self._records.kind(kind): one for kind, one in wanted.items()}
        found = listing.pages(self._connection, named)
        return {kind: found[self._records.kind(kind)] for kind in wanted}

    def principals(self) -> Sequence[Principal]:
        """Everybody, in order of id."""
        rows = self._connection.execute(sa.select(PRINCIPAL).order_by(PRINCIPAL.c.id))
        return [PRINCIPALS.load(Principal, f"principal {row.id}", row.body) for row in rows]

    def principal(self, id_: str) -> Principal:
        """Raises NotFound."""
        query = sa.select(PRINCIPAL.c.body).where(PRINCIPAL.c.id == id_)
        body: str | None = self._connection.scalar(query)
        if body is None:
            raise NotFound(f"no principal {id_}")
        return PRINCIPALS.load(Principal, f"principal {id_}", body)

    def act(self, id_: str) -> Opened:
        """One act.

        Raises: NotFound; Tampered, naming the leaf, if it does not open it.
        """
        row = self._connection.execute(_OPENED.where(ACT.c.id == id_)).one_or_none()
        if row is None:
            raise NotFound(f"no act {id_}")
        return _opened(row)

    def acts(
        self,
        *,
        engagement: str | None = None,
        kind: Kind | AbstractSet[Kind] | None = None,
        about: str | AbstractSet[str] | None = None,
        naming: AbstractSet[str] | None = None,
        since: int = 0,
        most: int | None = None,
    ) -> Sequence[Opened]:
        """Acts in log order, filtered: from leaf *since* on, and at most *most* of them.

        Raises: Tampered, naming the leaf, if an act does not open it.
        """
        among = frozenset([about]) if isinstance(about, str) else about
        kinds = frozenset([kind]) if isinstance(kind, Kind) else kind
        if NONE in (among, naming, kinds):
            return []
        given = Given(self._connection.dialect.name)
        where = list[str]()
        if engagement is not None:
            where.append(f"act.engagement = {given.one(engagement)}")
        if among is not None:
            where.append(given.among("act.about", frozenset(among)))
        if naming is not None:
            where.append(f"act.leaf IN ({projections.naming(given, naming)})")
        if kinds is not None:
            # Among acts of one kind there are many: whatever else is asked for finds fewer.
            narrow = "(act.kind || '')" if where else "act.kind"
            where.append(given.among(narrow, frozenset(one.value for one in kinds)))
        if since:
            where.append(f"act.leaf >= {given.one(since)}")
        query = _OPENED.order_by(ACT.c.leaf).limit(most)
        if where:
            query = query.where(sa.text(" AND ".join(where)).bindparams(**given.values))
        return [_opened(row) for row in self._connection.execute(query)]

    def queued(self, findings: AbstractSet[str]) -> Sequence[Entry]:
        """What the queue has of these reports; see `leadline.store.projections`."""
        return projections.entries(self._connection, findings)

    def lanes(self, which: AbstractSet[str], since: datetime) -> Lanes:
        """The queues of these lanes; see `leadline.store.projections`."""
        return projections.lanes(self._connection, which, since)

    def pairs(self, ask: Ask, visible: Clause, after: Pair, limit: int) -> Sequence[Pair]:
        """Pairs that groups are listed by; see `leadline.store.pairs`."""
        kind = self._records.kind(Finding)
        return pairs.page(self._connection, kind, ask, visible, after, limit)

    def claimed(
        self, person: str, stages: AbstractSet[Stage], after: str, limit: int
    ) -> Sequence[str]:
        """What somebody handed in after somebody else had; see `leadline.store.projections`."""
        return projections.claimed(self._connection, person, stages, after, limit)

    def findings(self, which: AbstractSet[str]) -> Sequence[Stored[Finding]]:
        """Those of these findings that are there; none where the store takes no findings."""
        return self.among(Finding, which) if self._records.takes(Finding) else []

    def shared(self, sought: Sought) -> Sequence[Shared]:
        """A part of what programs fetch; see `leadline.store.distribution`."""
        return distribution.part(self._connection, sought)

    def shared_with(self, about: str, ids: AbstractSet[str]) -> Sequence[Shared]:
        """The last versions of what came with an advisory; see `leadline.store.distribution`."""
        return distribution.standing(self._connection, about, ids)

    def log_size(self) -> int:
        """The number of leaves committed."""
        return head(self._connection)[0]

    def log_root(self) -> bytes:
        """The root hash of the committed tree."""
        return head(self._connection)[1]

    def log_files(self, since: int = 0) -> Mapping[str, bytes]:
        """The log as C2SP tlog-tiles files (`tile/...`), without a checkpoint.

        Only those that the log of *since* leaves did not have; all of them by default.

        Raises: Tampered, if an entry or tile is missing or has another length than it must.
        """
        size = self.log_size()
        begin = min(since, size) // tlog.TILE_WIDTH * tlog.TILE_WIDTH
        query = sa.select(ENTRY.c.data).where(ENTRY.c.leaf >= begin, ENTRY.c.leaf < size)
        entries = self._connection.scalars(query.order_by(ENTRY.c.leaf)).all()
        if len(entries) != size - begin:
            raise Tampered(
                "log", f"{len(entries) + begin} entries stand under a head of size {size}"
            )
        files = dict[str, bytes]()
        for start in range(begin, size, tlog.TILE_WIDTH):
            some = entries[start - begin : start - begin + tlog.TILE_WIDTH]
            if start + len(some) > since:
                resource = tiles.Resource(None, start // tlog.TILE_WIDTH, len(some))
                files[resource.path] = tiles.encode_bundle(some)
        had = {tile.path for tile in tlog.tiles_of(min(since, size))}
        for tile in tlog.tiles_of(size):
            if tile.path not in had:
                files[tile.path] = self._tile(tile)
        return files

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The hashes that lead from leaf *index* to the root of the first *size* leaves.

        Raises: Invalid, unless 0 <= index < size <= `log_size()`; Tampered, if a tile is cut short.
        """
        self._within("size", size)
        return tlog.inclusion_proof(index, size, self._tile)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The hashes that show the first *old* leaves to be a prefix of the first *new*.

        Raises: Invalid, unless 0 <= old <= new <= `log_size()`; Tampered, if a tile is cut short.
        """
        self._within("new", new)
        return tlog.consistency_proof(old, new, self._tile)

    def _within(self, field: str, size: int) -> None:
        present = self.log_size()
        if size > present:
            raise Invalid(field, f"the log has {present} leaves, not {size}; ask for fewer")

    def signed(self) -> SignedHead | None:
        """The largest head that was ever handed to a signature; None before the first."""
        row = self._connection.execute(sa.select(SIGNED)).one_or_none()
        return None if row is None else SignedHead(row.size, row.root, instant(row.at))

    def _tile(self, tile: tlog.Tile) -> bytes:
        return tile_bytes(self._connection, tile)


def _bounds(row: sa.Row[tuple[object, ...]]) -> Bounds:
    until = instant(row.embargo_until) if row.embargo_until else None
    return Bounds(row.case_id, row.level, until, row.owner)


def _opened(row: _OpenedRow) -> Opened:
    leaf, id_, kind, about, engagement, held, blinder, data = row
    if data != entry(commit(blinder, held)):
        raise Tampered(f"log leaf {leaf}", "the act and blinder beside it do not open it")
    record = canonical.committed(held)
    if not isinstance(record, dict):
        raise Tampered(f"log leaf {leaf}", "its record is no act")
    act = from_record(record)
    if (act.id, act.kind, act.about, act.engagement) != (id_, kind, about, engagement):
        raise Tampered(f"log leaf {leaf}", "the columns beside the record differ from it")
    return Opened(act, leaf, blinder)


class SqlWriting(SqlReading):
    """One block of a transaction; its leaves are written at the end, or when the log is asked for."""

    def __init__(
        self,
        connection: sa.Connection,
        records: Records,
        blinder: Callable[[], bytes],
        tail: LogTail,
        lines: Lines | None = None,
    ) -> None:
        super().__init__(connection, records)
        self._blinder, self._tail, self._lines = blinder, tail, lines
        # What lists show otherwise than they did; with the value, where this block wrote it.
        self._changed = dict[tuple[type, str], Stored[object] | None]()
        self._moved = set[str]()  # reports whose entry in the queue may be another
        self._evidence = set[str]()  # what is added or taken back
        self._bound = set[str]()  # findings that other people may read from now on
        self._sharing = list[Act]()  # acts that may add to what programs fetch
        self._insert = _INSERT[connection.dialect.name]

    def put(
        self,
        id_: str,
        value: object,
        *,
        marking: Marking,
        engagement: str = "",
        org: str = "",
        bounds: Bounds = UNBOUND,
        expect: int | None = None,
    ) -> int:
        """Insert (*expect* None) or replace version *expect*; answers the new version.

        Raises: Stale, if the row is not at *expect* (or exists, when *expect* is None).
        """
        kind, body = self._records.kind(type(value)), self._records.dump(value)
        beside = {"engagement": engagement, "org": org, "case": bounds.case, "owner": bounds.owner}
        for field, text in {"id": id_, **beside}.items():
            _storable(field, text)
        place = {"of_kind": kind, "of_id": id_, "of_version": expect}
        row = {"version": (expect or 0) + 1, "tlp": marking.tlp.value, "body": body}
        until = microseconds(bounds.embargo_until) if bounds.embargo_until else 0
        row |= {"engagement": engagement, "org": org, "case_id": bounds.case}
        row |= {"owner": bounds.owner, "level": bounds.level, "embargo_until": until}
        if expect is None:
            done = self._connection.execute(self._insert, {"kind": kind, "id": id_, **row}).rowcount
        else:
            done = self._connection.execute(_REPLACE, {**place, **row}).rowcount
        if not done:
            present = self._connection.scalar(_VERSION, place)
            at = "is not there" if present is None else f"is at version {present}"
            raise Stale(f"{kind} {id_} {at}, not {expect or 'new'}; reload and try again")
        if expect is not None:
            self._connection.execute(_UNMARK, place)
        marks = [{"kind": kind, "id": id_, "compartment": c} for c in sorted(marking.compartments)]
        if marks:
            self._connection.execute(STATE_COMPARTMENT.insert(), marks)
        version = (expect or 0) + 1
        if isinstance(value, Finding):
            self._bound.add(id_)
        if self._lines is not None and type(value) in self._lines.kinds:
            stored: Stored[object] = Stored(id_, value, version, engagement, org, marking, bounds)
            self._changed[type(value), id_] = stored
        return version

    def remove(self, kind: type, id_: str) -> None:
        """Delete a state value; raises NotFound."""
        name = self._records.kind(kind)
        here = (STATE.c.kind == name) & (STATE.c.id == id_)
        if not self._connection.execute(STATE.delete().where(here)).rowcount:
            raise NotFound(f"no {name} {id_}")
        if self._lines is not None and kind in self._lines.kinds:
            self._changed[kind, id_] = None

    def put_principal(self, principal: Principal) -> None:
        """Insert or replace."""
        _storable("id", principal.id)
        body = PRINCIPALS.dump(principal)
        self._connection.execute(PRINCIPAL.delete().where(PRINCIPAL.c.id == principal.id))
        self._connection.execute(PRINCIPAL.insert().values(id=principal.id, body=body))

    def record(self, act: Act) -> int:
        """Append the act and its log leaf (a 33-byte blinded commitment); answers the log index.

        Raises: Refused, if an act with this id exists; Invalid, if its record has no canonical form.
        """
        fields: dict[str, Value] = to_record(act)
        record, blinder = canonical.encode(fields), self._blinder()
        for field in ("id", "about", "engagement"):
            _storable(field, str(fields[field]))
        if len(blinder) != BLINDER_BYTES:
            raise Invalid("blinder", f"{BLINDER_BYTES} random bytes are due, not {len(blinder)}")
        recorded = self._connection.scalar(_LEAF_OF, {"of_id": act.id})
        if recorded is not None or self._tail.waits(act.id):
            raise Refused(f"an act {act.id} is recorded already; a correction is a further act")
        for place in self._lines.changed_by(act) if self._lines is not None else ():
            self._changed.setdefault(place, None)
        if moved := changes(act):
            self._moved.add(moved)
        self._evidence |= pairs.edges_of(act)
        if act.kind in SHARING:
            self._sharing.append(act)
        return self._tail.add(act, record, blinder)

    def set_signed(self, size: int, root: bytes, at: datetime) -> None:
        """Keep the head that is about to be signed, before it is; the same one again is allowed.

        Raises: Refused, if a larger head, or another root of this size, was signed before, or if
        *root* is not that of the first *size* leaves; Invalid, as `inclusion`.
        """
        self._within("size", size)
        if tlog.root(tlog.edge_at(size, self._tile)) != root:
            raise Refused(f"this log of size {size} has another root than the one to be signed")
        before = self.signed()
        values = {"size": size, "root": root, "at": microseconds(at)}
        if before is None:
            self._connection.execute(SIGNED.insert().values(id=0, **values))
            return
        if size < before.size or (size == before.size and root != before.root):
            raise Refused(
                f"a head of size {before.size} was signed already and size {size} does not "
                "continue it: the log was set back; do not sign"
            )
        if size > before.size:
            self._connection.execute(SIGNED.update().values(values))

    def project(self) -> None:
        """Write what the queue has, and what lists show, of what this block changed, at its end."""
        if self._moved:
            moved = sorted(self._moved)
            projections.enqueue(self._connection, moved, self.acts(about=frozenset(moved)))
            self._moved.clear()
        if self._evidence or self._bound:
            # Whose transaction it is does not matter to what is one flaw with what.
            wall.identify(self._connection, wall.INSTALLATION)
            changed = frozenset(self._evidence), frozenset(self._bound)
            pairs.enter(self._connection, self, self.findings, *changed)
            self._evidence.clear()
            self._bound.clear()
        self._list_changed()
        if self._lines is not None and self._sharing:
            wall.identify(self._connection, wall.INSTALLATION)
            for act in self._sharing:
                _share(self._connection, self, self._lines, act)
        self._sharing.clear()

    def _list_changed(self) -> None:
        lines = self._lines
        if lines is None or not self._changed:
            return
        # Whose transaction it is does not matter to what a list shows of a row.
        wall.identify(self._connection, wall.INSTALLATION)
        order = list(lines.kinds)
        for (kind, id_), written in sorted(
            self._changed.items(), key=lambda one: order.index(one[0][0])
        ):
            name = self._records.kind(kind)
            here = (STATE.c.kind == name, STATE.c.id == id_)
            stored = written or next(iter(self._state(kind, *here)), None)
            if stored is None:
                listing.erase(self._connection, name, id_)
            else:
                row = listing.row_of(name, stored, lines.line(self, stored))
                listing.write(self._connection, row)
        self._changed.clear()

    @override
    def act(self, id_: str) -> Opened:
        """One act, of this transaction too."""
        self._tail.flush()
        return super().act(id_)

    @override
    def acts(
        self,
        *,
        engagement: str | None = None,
        kind: Kind | AbstractSet[Kind] | None = None,
        about: str | AbstractSet[str] | None = None,
        naming: AbstractSet[str] | None = None,
        since: int = 0,
        most: int | None = None,
    ) -> Sequence[Opened]:
        """Acts in log order, those of this transaction included."""
        self._tail.flush()
        return super().acts(
            engagement=engagement, kind=kind, about=about, naming=naming, since=since, most=most
        )

    @override
    def log_size(self) -> int:
        """The number of leaves, those of this transaction included."""
        self._tail.flush()
        return super().log_size()

    @override
    def log_root(self) -> bytes:
        """The root, leaves of this transaction included."""
        self._tail.flush()
        return super().log_root()


def _share(connection: sa.Connection, view: SqlReading, lines: Lines, act: Act) -> None:
    objects = lines.shared(view, act)
    if objects is not None:
        distribution.give(connection, act.about, objects, act.at)


def _storable(field: str, text: str) -> None:
    """PostgreSQL holds no NUL in text; SQLite would cut it there."""
    if "\0" in text:
        raise Invalid(field, "a NUL character cannot be stored; leave it out")


class SqlStore:
    """Durable state on one database; see `leadline.app.ports.Store`. Threads may share it."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        blinder: Callable[[], bytes],
        records: Records,
        lines: Lines | None = None,
    ) -> None:
        self._engine, self._blinder, self._records = engine, blinder, records
        self._lines = lines
        self._commits = Commits(engine)
        self._tenancy = wall.INSTALLATION

    def acting(self, tenancy: Tenancy) -> "SqlStore":
        """The same store, walled to what *tenancy* reaches, where the database has such a wall."""
        walled = copy(self)
        walled._tenancy = tenancy  # noqa: SLF001 -- another of this class
        return walled

    @contextmanager
    def read(self) -> Iterator[SqlReading]:
        """A consistent snapshot, from the first look on.

        Raises: Unavailable, if the database cannot serve.
        """
        with reading(self._engine) as connection:
            wall.identify(connection, self._tenancy)
            yield SqlReading(connection, self._records)

    @contextmanager
    def write(self) -> Iterator[SqlWriting]:
        """A transaction, durable when the block has ended without an error; see `store.batches`.

        Raises: Unavailable, if the database cannot serve. An error while committing leaves open
        whether the transaction became durable: look before trying again. RuntimeError, inside another
        write of the same thread.
        """
        with self._commits.block() as batch:
            wall.identify(batch.connection, self._tenancy)
            block = SqlWriting(
                batch.connection, self._records, self._blinder, batch.tail, self._lines
            )
            yield block
            block.project()

    def restate(self) -> None:
        """Write anew what is projected, if another version of Leadline wrote it, or none did."""
        with reading(self._engine) as connection:
            known = projections.stands(connection)
        if not known:
            with writing(self._engine) as connection:
                wall.identify(connection, self._tenancy)
                view = SqlReading(connection, self._records)
                projections.restate(connection, view, view.findings)
        self._relist()

    def _relist(self) -> None:
        lines = self._lines
        if lines is None:
            return
        with reading(self._engine) as connection:
            if listing.stands(connection, lines):
                return
        with writing(self._engine) as connection:
            wall.identify(connection, self._tenancy)
            view = SqlReading(connection, self._records)

            def rows(kind: type) -> Iterator[Mapping[str, object]]:
                name = self._records.kind(kind)
                held: Sequence[Stored[object]] = view.find(kind)
                for stored in held:
                    yield listing.row_of(name, stored, lines.line(view, stored))

            listing.restate(connection, lines, rows)
            # Earlier states are not kept: the last act about each tells of the one that is.
            last = {one.act.about: one for one in view.acts(kind=SHARING)}
            for one in sorted(last.values(), key=lambda one: one.index):
                _share(connection, view, lines, one.act)

    def close(self) -> None:
        """Give the connections back; the store cannot be used afterwards."""
        self._engine.dispose()


def fresh_blinder() -> bytes:
    """32 bytes from the system's source of randomness."""
    return secrets.token_bytes(BLINDER_BYTES)


def open_store(
    url: str,
    *,
    kinds: Mapping[type, str],
    blinder: Callable[[], bytes] = fresh_blinder,
    lines: Lines | None = None,
) -> SqlStore:
    """The store at *url*, brought to the newest schema; *kinds* are the records it takes.

    *lines* says what lists show of them; whoever opens a store without it may read, and must not write.

    Raises: Invalid, if two records share a name; otherwise as `open_database`.
    """
    store = SqlStore(open_database(url), blinder=blinder, records=Records(kinds), lines=lines)
    store.restate()
    return store
