"""Blocks of many threads in one transaction: told after the commit, undone alone, failed together."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, exc

import fakes
import make
from conformance.sightings import KINDS, Remark
from leadline.core.errors import Refused, Unavailable
from leadline.core.record import tlog
from leadline.formats import tiles
from leadline.store.batches import Batch, Commits, Limits, Turns
from leadline.store.connections import engine_for, writing
from leadline.store.database import open_database
from leadline.store.records import Records
from leadline.store.sql import SqlStore, SqlWriting

SOON = 10.0  # seconds; only reached when something is broken
PATIENT = Limits(open_seconds=SOON)  # a busy machine ends no batch early


class Rig:
    """A store whose commits are counted and can be made to fail."""

    def __init__(self, url: str, limits: Limits = PATIENT) -> None:
        self.engine = open_database(url)
        self.commits, self.fail = 0, False
        self.store = SqlStore(self.engine, blinder=make.blinders(), records=Records(KINDS))
        self.store._commits = Commits(self.engine, limits)
        event.listen(self.engine, "commit", self._commit)
        self.told: list[tuple[str, str]] = []

    def _commit(self, connection: sa.Connection) -> None:
        if not connection.get_execution_options().get("leadline_write"):
            return
        self.commits += 1
        self.told.append(("commit", ""))
        if self.fail:
            raise exc.OperationalError("COMMIT", None, Exception("the disk is gone"))

    def write(self, id_: str, during: Callable[[SqlWriting], object] | None = None) -> None:
        """One block; what becomes of it is told."""
        try:
            with self.store.write() as tx:
                tx.put(id_, Remark(id_), marking=make.marking())
                tx.record(make.act(int(id_)))
                if during:
                    during(tx)
        except (Unavailable, Refused, RuntimeError) as error:
            self.told.append((type(error).__name__, id_))
        else:
            self.told.append(("done", id_))

    @contextmanager
    def crowd(self, number: int) -> Iterator[threading.Event]:
        """One block that waits for the event, and *number* - 1 threads that wait for their turn."""
        go, inside = threading.Event(), threading.Event()

        def hold(_: SqlWriting) -> None:
            inside.set()
            assert go.wait(SOON)

        threads = [threading.Thread(target=self.write, args=("0", hold))]
        threads[0].start()
        assert inside.wait(SOON)
        for one in range(1, number):
            threads.append(threading.Thread(target=self.write, args=(str(one),)))
            threads[-1].start()
            self.until_waiting(one)
        yield go
        go.set()
        for thread in threads:
            thread.join(SOON)
            assert not thread.is_alive()

    def until_waiting(self, number: int) -> None:
        """Return once so many threads wait for their turn."""
        last = time.monotonic() + SOON
        while len(self.store._commits._turns._waiting) < number:
            assert time.monotonic() < last
            time.sleep(0.001)

    def ids(self) -> list[str]:
        """The acts in the log, whose root is checked with them."""
        with self.store.read() as view:
            acts = [one.act.id for one in view.acts()]
            assert {one.id for one in view.find(Remark)} == {str(int(id_[4:])) for id_ in acts}
            assert len(view.log_files()) >= bool(acts)
            return acts


@pytest.fixture
def rig(database_url: str) -> Iterator[Rig]:
    """A store on each database."""
    made = Rig(database_url)
    with closing(made.store):
        yield made


def test_those_who_wait_share_one_commit(rig: Rig) -> None:
    """Twenty blocks, one commit; nobody hears of success before it."""
    with rig.crowd(20) as go:
        go.set()
    assert rig.commits == 1
    assert rig.told[0] == ("commit", "")
    assert sorted(rig.told[1:]) == sorted(("done", str(n)) for n in range(20))
    assert rig.ids() == [f"act-{n:04d}" for n in range(20)]


def test_a_lone_writer_commits_at_once(rig: Rig) -> None:
    """Each block its own commit, when nobody else is there."""
    for number in range(5):
        rig.write(str(number))
    assert rig.told == [one for n in range(5) for one in (("commit", ""), ("done", str(n)))]


def test_a_failed_commit_fails_everybody_and_nothing_is_kept(rig: Rig) -> None:
    """All hear Unavailable; the next write begins from what was committed before."""
    rig.write("99")
    rig.told.clear()
    with rig.crowd(6) as go:
        rig.fail = True
        go.set()
    assert sorted(rig.told[1:]) == sorted(("Unavailable", str(n)) for n in range(6))
    rig.fail = False
    rig.write("7")
    assert rig.ids() == ["act-0099", "act-0007"]


def test_a_transaction_takes_no_more_than_its_share(sqlite_url: str) -> None:
    """With room for four, ten blocks need three commits; a spent time ends it as well."""
    small = Rig(sqlite_url, Limits(blocks=4, open_seconds=SOON))
    with closing(small.store), small.crowd(10) as go:
        go.set()
    assert small.commits == 3
    slow = Rig(sqlite_url, Limits(open_seconds=0.0))
    with closing(slow.store):
        slow.write("20")
        assert slow.told == [("commit", ""), ("done", "20")]


def test_a_block_that_fails_at_the_end_of_a_batch_still_ends_it(rig: Rig) -> None:
    """The last block raises: the others become durable without it."""
    with rig.crowd(3) as go:
        last = threading.Thread(target=rig.write, args=("3", fail))
        last.start()
        rig.until_waiting(3)
        go.set()
        last.join(SOON)
    assert ("RuntimeError", "3") in rig.told
    assert rig.ids() == [f"act-{n:04d}" for n in range(3)]


def fail(tx: SqlWriting) -> None:
    """Raise after the leaves were written."""
    assert tx.log_size()
    raise RuntimeError("in the middle")


def test_one_act_twice_in_a_batch_is_refused(rig: Rig) -> None:
    """Though the first is not yet among the rows."""
    with rig.crowd(2) as go:
        twice = threading.Thread(target=rig.write, args=("5", record_zero))
        twice.start()
        rig.until_waiting(2)
        go.set()
        twice.join(SOON)
    assert ("Refused", "5") in rig.told
    assert rig.ids() == ["act-0000", "act-0001"]


def record_zero(tx: SqlWriting) -> None:
    """Record the first block's act again."""
    tx.record(make.act(0))


def test_a_turn_that_does_not_come_is_unavailable() -> None:
    """Whoever waited in vain no longer stands in the queue."""
    turns = Turns()
    holder = threading.Thread(target=turns.take, args=(SOON,))
    holder.start()
    holder.join(SOON)
    with pytest.raises(Unavailable, match="other writers"):
        turns.take(0.02)
    assert not turns.hand_on()
    turns.give_up()
    turns.take(0.02)
    assert turns.mine()


def test_waiting_for_a_thread_of_the_same_batch_ends(sqlite_url: str) -> None:
    """A block that waits for one that has ended is not waited for without end; the outcome is open."""
    rig = Rig(sqlite_url, Limits(open_seconds=SOON, outcome_seconds=0.05))
    with closing(rig.store):
        with rig.crowd(1) as go:
            first = threading.Thread(target=rig.write, args=("1",))
            first.start()
            rig.until_waiting(1)
            second = threading.Thread(target=rig.write, args=("2", lambda _: first.join(SOON)))
            second.start()
            rig.until_waiting(2)
            go.set()
            second.join(SOON)
        assert ("Unavailable", "1") in rig.told
        assert ("done", "2") in rig.told
        assert rig.ids() == ["act-0000", "act-0001", "act-0002"]


def test_who_cannot_open_a_transaction_hears_it_alone(sqlite_url: str) -> None:
    """Another process holds the lock: Unavailable; once it is free, writing goes on."""
    rig = Rig(sqlite_url)
    event.listen(rig.engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 20"))
    rig.store.close()
    other = engine_for(sqlite_url)
    with writing(other):
        rig.write("1")
    rig.write("2")
    other.dispose()
    assert rig.told == [("Unavailable", "1"), ("commit", ""), ("done", "2")]
    rig.store.close()


@pytest.mark.postgres
def test_a_lost_connection_fails_the_batch(postgres_url: str) -> None:
    """The server ends the session inside a block: everybody in it hears so, and the next gets a new one."""
    rig = Rig(postgres_url)

    def cut(_: SqlWriting) -> None:
        with rig.engine.connect() as other:
            other.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with closing(rig.store):
        with rig.crowd(1) as go:
            last = threading.Thread(target=rig.write, args=("1", cut))
            last.start()
            rig.until_waiting(1)
            go.set()
            last.join(SOON)
        assert sorted(rig.told) == [("Unavailable", "0"), ("Unavailable", "1")]
        rig.write("2")
        assert rig.ids() == ["act-0002"]


STEPS = st.tuples(st.lists(st.sampled_from(["record", "look"]), max_size=4), st.booleans())
UNIQUE = count()


class Undone(Exception):
    """What a block raises that is to leave nothing."""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blocks=st.lists(STEPS, max_size=8), before=st.sampled_from([0, 1, 254, 255, 256]))
def test_whatever_is_undone_the_log_is_that_of_the_rest(
    tmp_path: Path, blocks: list[tuple[list[str], bool]], before: int
) -> None:
    """Any mixture of blocks that stand and blocks that raise, having looked at the log or not."""
    engine = open_database(f"sqlite:///{tmp_path / f'{next(UNIQUE)}.db'}")
    batch, numbers, kept = Batch(engine, tlog.Edge(), Limits()), count(), list[str]()
    blinder = make.blinders()

    def run(steps: list[str], *, raises: bool) -> None:
        """One block of the batch."""
        mine = list[str]()
        with batch.block():
            tx = SqlWriting(batch.connection, Records(KINDS), blinder, batch.tail)
            for step in steps:
                if step == "look":
                    assert tx.log_size() == len(kept) + len(mine)
                else:
                    mine.append(f"act-{next(numbers):04d}")
                    assert tx.record(make.act(int(mine[-1][4:]))) == len(kept) + len(mine) - 1
            if raises:
                raise Undone
        kept.extend(mine)

    run(["record"] * before, raises=False)
    for steps, raises in blocks:
        with pytest.raises(Undone) if raises else nullcontext():
            run(steps, raises=raises)
    batch.end()
    store = SqlStore(engine, blinder=blinder, records=Records(KINDS))
    with closing(store), store.read() as view:
        assert [one.act.id for one in view.acts()] == kept
        assert dict(view.log_files()) == dict(tiles.tree_files(entries(engine)))
        assert view.log_root() == fakes.naive_root(entries(engine))


def entries(engine: sa.Engine) -> list[bytes]:
    """What the leaves hold, from the rows."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT data FROM entry ORDER BY leaf")
        return list(rows.scalars())
