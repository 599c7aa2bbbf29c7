"""A full disk, a broken disk, a lost connection, a clock set back: reported, and nothing half done."""

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, exc

import make
from conformance.sightings import KINDS, Remark
from leadline.app.ports import Executor
from leadline.core.errors import Stale, Unavailable
from leadline.store.shards import open_executor
from leadline.store.sql import SqlStore, open_store
from store.campaigns import TESTS


def test_each_operation_of_the_disk_may_fail(tmp_path: Path, library: str) -> None:
    """On every write path: Unavailable, nothing acknowledged, state as before, and it goes on after."""
    url = f"sqlite:///{tmp_path / 'leadline.db'}"
    command = [sys.executable, "-m", "store.faults", library, url]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    for path in ("alone", "together", "swallow", "shards", "opening"):
        assert found["injected"][path] >= 4, found
        assert found["reported"][path] >= 4, found


def test_a_full_database_is_reported_and_changes_nothing(sqlite_url: str) -> None:
    """No page is left: Unavailable with the database's own words; with room again it goes on."""
    pages = [2**30]
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        event.listen(
            store._engine,
            "connect",
            lambda raw, _: raw.execute(f"PRAGMA max_page_count = {pages[0]}").close(),
        )
        store.close()
        with store.write() as tx:
            tx.record(make.act(1))
            pages[0] = tx._connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 2
        store.close()
        with pytest.raises(Unavailable, match="full"):
            put_much(store)
        with store.read() as view:
            assert [one.act.id for one in view.acts()] == ["act-0001"]
            assert list(view.find(Remark)) == []
        pages[0] = 2**30
        store.close()
        with store.write() as tx:
            assert tx.record(make.act(2)) == 1


def put_much(store: SqlStore) -> None:
    """An act, and more than two pages hold."""
    with store.write() as tx:
        tx.record(make.act(2))
        tx.put("r", Remark("x" * 100_000), marking=make.marking())


def go_on_after_the_end(store: SqlStore) -> None:
    """A block that takes no notice of an error with which SQLite ended the transaction."""
    with store.write() as tx:
        tx.record(make.act(1))
        raw = tx._connection.connection.driver_connection
        assert raw is not None
        raw.rollback()  # as SQLite does by itself when the disk fails
        with pytest.raises(exc.OperationalError):
            tx._connection.exec_driver_sql("SELECT * FROM nothing")
        tx.put("r", Remark("1"), marking=make.marking())


def test_nothing_is_written_after_sqlite_gave_the_transaction_up(sqlite_url: str) -> None:
    """What a block writes after such an error does not become durable without its act."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        with pytest.raises(Unavailable):
            go_on_after_the_end(store)
        with store.read() as view:
            assert (view.log_size(), list(view.find(Remark))) == (0, [])
        with store.write() as tx:
            assert tx.record(make.act(1)) == 0


def test_a_clock_set_back_changes_no_order(database_url: str) -> None:
    """Acts stand in the order of recording, whatever their times say, and each comes back with its own."""
    back = [make.NOW - timedelta(days=number) for number in range(3)]
    with closing(open_store(database_url, kinds=KINDS)) as store:
        for number, at in enumerate(back):
            with store.write() as tx:
                assert tx.record(replace(make.act(number), at=at)) == number
        with store.read() as view:
            assert [one.act.at for one in view.acts()] == back


def test_a_clock_set_back_gives_no_shard_to_two(database_url: str) -> None:
    """Who is behind takes over nothing; whose clock was set back may lose early, and is refused."""
    hour = timedelta(hours=1)
    with closing(open_executor(database_url)) as table:
        worker_with_a_wandering_clock(table, hour)


def worker_with_a_wandering_clock(table: Executor, hour: timedelta) -> None:
    """Claim, beat an hour in the past, and lose the shard to a worker whose clock is right."""
    table.submit("job", "eval", {"n": "1"}, total=1)
    held = table.claim("first", now=make.NOW, lease_seconds=60)
    assert held is not None
    assert table.claim("behind", now=make.NOW - hour, lease_seconds=60) is None
    assert table.heartbeat(held, now=make.NOW - hour, done=0, note="")
    taken = table.claim("second", now=make.NOW, lease_seconds=60)
    assert taken is not None
    assert taken.token == held.token + 1
    with pytest.raises(Stale):
        table.finish(held, now=make.NOW, result="late")
    table.finish(taken, now=make.NOW, result="right")
    assert [one.result for one in table.shards("job")] == ["right"]
