"""The shard table: work that outlasts a process, done at least once, counted once.

A claim raises the fencing token; every later write names it, and changes nothing when a newer token
holds the shard. So a worker that was suspended past its lease wakes up to `Stale`, never to a result
overwritten. A shard whose worker is gone is taken over when its lease has run out, or at once by
`release`. A shard that was asked to stop is never handed out again, a frozen one not before a person
thaws it.

Time is the caller's `now` in every case, on PostgreSQL too: workers of several hosts need clocks that
agree to well within the lease.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from leadline.app.ports import Late, Shard
from leadline.core.errors import Invalid, Stale
from leadline.formats import canonical
from leadline.store.connections import reading, writing
from leadline.store.database import open_database
from leadline.store.instants import instant, microseconds
from leadline.store.tables import LATE, SHARD

TEXT_MAX = 4000  # characters kept of a note or an error


def shard_id(kind: str, input_: Mapping[str, str]) -> str:
    """The id that makes submission idempotent: a digest of kind and input."""
    named = canonical.encode((kind, dict(input_)))
    return f"shard-{sha256(named).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class ShardTable:
    """`leadline.app.ports.Executor` on a database. Threads and processes may share it."""

    engine: sa.Engine

    def submit(self, job: str, kind: str, input_: Mapping[str, str], *, total: int) -> Shard:
        """Add a shard, or answer the one with this kind and input (idempotent).

        A shard that ended, in whatever way, stays ended: a deliberate repeat says so in its input.

        Raises: Invalid, if the input has no canonical form or *total* is negative.
        """
        if total < 0:
            raise Invalid("total", f"a number of steps from 0 on, not {total}")
        id_ = shard_id(kind, input_)
        row = {
            "id": id_,
            "job": job,
            "kind": kind,
            "input": canonical.encode(dict(input_)).decode("utf-8"),
            "state": "queued",
            "token": 0,
            "worker": "",
            "seen_at": 0,
            "attempts": 0,
            "done": 0,
            "total": total,
            "note": "",
            "result": "",
            "error": "",
            "cancel_asked": False,
        }
        insert = sqlite.insert if self.engine.dialect.name == "sqlite" else postgresql.insert
        with writing(self.engine, exclusive=False) as connection:
            connection.execute(insert(SHARD).values(row).on_conflict_do_nothing())
            return _only(connection, SHARD.c.id == id_)

    def claim(
        self, worker: str, *, now: datetime, lease_seconds: float, job: str = "", code: str = ""
    ) -> Shard | None:
        """Take the oldest queued shard, or one whose worker's lease has run out; token + 1.

        *job* narrows the claim to that job; *code* is the version of the claimer's code.

        Raises: Invalid, if *worker* is empty.
        """
        if not worker:
            raise Invalid("worker", "a worker needs an id, new for each start of its process")
        lost_before = microseconds(now - timedelta(seconds=lease_seconds))
        ours = SHARD.c.job == job if job else sa.true()
        lost = (SHARD.c.state == "running") & (SHARD.c.seen_at < lost_before) & ours
        with writing(self.engine, exclusive=False) as connection:
            _end_cancelled(connection, lost)
            free = ((SHARD.c.state == "queued") & ours) | lost
            oldest = sa.select(SHARD.c.seq).where(free).order_by(SHARD.c.seq).limit(1)
            seq = connection.scalar(oldest.with_for_update(skip_locked=True))
            if seq is None:
                return None
            connection.execute(
                SHARD.update()
                .where(SHARD.c.seq == seq)
                .values(
                    state="running",
                    worker=worker,
                    token=SHARD.c.token + 1,
                    attempts=SHARD.c.attempts + 1,
                    seen_at=microseconds(now),
                    done=0,
                    note="",
                    code=code,
                )
            )
            return _only(connection, SHARD.c.seq == seq)

    def heartbeat(self, shard: Shard, *, now: datetime, done: int, note: str) -> bool:
        """Report progress; False means a newer token holds the shard or a stop was asked: stop."""
        seen = {"seen_at": microseconds(now), "done": done, "note": _text(note)}
        with writing(self.engine, exclusive=False) as connection:
            held = connection.execute(SHARD.update().where(_held(shard)).values(seen)).rowcount
            asked = connection.scalar(sa.select(SHARD.c.cancel_asked).where(SHARD.c.id == shard.id))
            return bool(held) and not asked

    def finish(self, shard: Shard, *, now: datetime, result: str) -> None:
        """Raises Stale, if a newer token holds the shard: the late result must be discarded."""
        ended = {"state": "done", "seen_at": microseconds(now), "result": result, "error": ""}
        with writing(self.engine, exclusive=False) as connection:
            values = {**ended, "done": SHARD.c.total}
            _fence(connection.execute(SHARD.update().where(_held(shard)).values(values)), shard)

    def fail(self, shard: Shard, *, now: datetime, error: str, attempts_max: int) -> None:
        """Queue again, or mark failed once *attempts_max* is reached. Raises Stale as `finish`.

        A shard that was asked to stop becomes cancelled instead.
        """
        state = sa.case(
            (SHARD.c.cancel_asked, "cancelled"),
            (SHARD.c.attempts >= attempts_max, "failed"),
            else_="queued",
        )
        ended = {"state": state, "seen_at": microseconds(now), "error": _text(error), "worker": ""}
        with writing(self.engine, exclusive=False) as connection:
            _fence(connection.execute(SHARD.update().where(_held(shard)).values(ended)), shard)

    def release(self, worker: str) -> int:
        """Queue again what a worker known to be dead holds; answers how many.

        What was asked to stop ends as cancelled and is not counted.
        """
        held = (SHARD.c.state == "running") & (SHARD.c.worker == worker)
        with writing(self.engine, exclusive=False) as connection:
            _end_cancelled(connection, held)
            freed = SHARD.update().where(held).values(state="queued", worker="")
            return connection.execute(freed).rowcount

    def cancel(self, job: str) -> int:
        """Ask every unfinished shard of a job to stop; queued and frozen ones end at once."""
        unfinished = (SHARD.c.job == job) & SHARD.c.state.in_(("queued", "running", "frozen"))
        asked = SHARD.update().where(unfinished, ~SHARD.c.cancel_asked).values(cancel_asked=True)
        with writing(self.engine, exclusive=False) as connection:
            count = connection.execute(asked).rowcount
            idle = SHARD.c.state.in_(("queued", "frozen"))
            _end_cancelled(connection, (SHARD.c.job == job) & idle)
            return count

    def freeze(self, job: str) -> int:
        """Fence every unfinished shard of a job off and hand none out; answers how many.

        The state alone is the fence: every write of a holder asks for a running shard.
        """
        unfinished = (SHARD.c.job == job) & SHARD.c.state.in_(("queued", "running"))
        frozen = SHARD.update().where(unfinished).values(state="frozen", worker="")
        with writing(self.engine, exclusive=False) as connection:
            return connection.execute(frozen).rowcount

    def thaw(self, job: str) -> int:
        """Queue the frozen shards of a job again; those that were asked to stop end as cancelled."""
        frozen = (SHARD.c.job == job) & (SHARD.c.state == "frozen")
        with writing(self.engine, exclusive=False) as connection:
            _end_cancelled(connection, frozen)
            return connection.execute(SHARD.update().where(frozen).values(state="queued")).rowcount

    def shards(self, job: str) -> Sequence[Shard]:
        """All shards of a job, in the order of submission."""
        query = sa.select(SHARD).where(SHARD.c.job == job).order_by(SHARD.c.seq)
        with reading(self.engine) as connection:
            return [_shard(row) for row in connection.execute(query)]

    def keep_late(self, shard: Shard, *, now: datetime, result: str) -> None:
        """Keep what was refused by `finish`, as a duplicate; the first under one token stands."""
        row = {"shard": shard.id, "token": shard.token, "result": result, "at": microseconds(now)}
        insert = sqlite.insert if self.engine.dialect.name == "sqlite" else postgresql.insert
        with writing(self.engine, exclusive=False) as connection:
            connection.execute(insert(LATE).values(row).on_conflict_do_nothing())

    def late(self, job: str) -> Sequence[Late]:
        """What came late for a job, in the order of shard and token."""
        own = sa.select(LATE).join(SHARD, SHARD.c.id == LATE.c.shard).where(SHARD.c.job == job)
        with reading(self.engine) as connection:
            rows = connection.execute(own.order_by(SHARD.c.seq, LATE.c.token))
            return [Late(row.shard, row.token, row.result, instant(row.at)) for row in rows]

    def close(self) -> None:
        """Give the connections back; the table cannot be used afterwards."""
        self.engine.dispose()


def open_executor(url: str) -> ShardTable:
    """The shard table of the database at *url*; raises as `open_database`."""
    return ShardTable(open_database(url))


def _held(shard: Shard) -> sa.ColumnElement[bool]:
    here = (SHARD.c.id == shard.id) & (SHARD.c.token == shard.token)
    return here & (SHARD.c.state == "running")


def _fence(changed: sa.CursorResult[object], shard: Shard) -> None:
    if not changed.rowcount:
        raise Stale(f"{shard.id} is no longer held under token {shard.token}; discard the result")


def _end_cancelled(connection: sa.Connection, where: sa.ColumnElement[bool]) -> None:
    stopped = SHARD.update().where(where, SHARD.c.cancel_asked)
    connection.execute(stopped.values(state="cancelled", worker=""))


def _only(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Shard:
    return _shard(connection.execute(sa.select(SHARD).where(where)).one())


def _shard(row: sa.Row[tuple[object, ...]]) -> Shard:
    return Shard(
        id=row.id,
        job=row.job,
        kind=row.kind,
        input=json.loads(row.input),
        state=row.state,
        token=row.token,
        worker=row.worker,
        attempts=row.attempts,
        done=row.done,
        total=row.total,
        note=row.note,
        result=row.result,
        error=row.error,
        code=row.code,
    )


def _text(said: str) -> str:
    """What a database can hold of text that may come from anywhere: no NUL, no lone surrogate."""
    plain = (
        said.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
    )
    return plain[:TEXT_MAX]
