"""Real processes, killed and suspended while they provably hold work, on both databases."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import fakes
import make
from conformance.sightings import KINDS, Remark
from leadline.core.errors import Tampered
from leadline.core.record.act import to_record
from leadline.core.record.commitment import commit, entry
from leadline.formats import canonical, tiles
from leadline.store.connections import engine_for, writing
from leadline.store.records import Records
from leadline.store.shards import open_executor
from leadline.store.sql import SqlStore, open_store

PROGRAM = Path(__file__).with_name("processes.py")
Running = subprocess.Popen[str]


@contextmanager
def started(what: str, url: str, name: str) -> Iterator[Running]:
    """One of the programs, ended in any case."""
    command = [sys.executable, str(PROGRAM), what, url, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: Running, first: str) -> list[str]:
    """The next line; it must begin with *first*."""
    assert process.stdout is not None
    words = process.stdout.readline().split()
    assert words[:1] == [first], words
    return words[1:]


def test_killed_and_suspended_workers_lose_nothing_and_spoil_nothing(database_url: str) -> None:
    """Every shard ends with one right result; the killed one is taken over, the woken one refused."""
    with closing(open_executor(database_url)) as table:
        ids = [table.submit("job", "eval", {"n": str(n)}, total=1).id for n in range(10)]
        with started("hold", database_url, "killed") as killed:
            line(killed, "ready")
            lost, lost_token = line(killed, "claimed")
            killed.send_signal(signal.SIGKILL)
            assert killed.wait() == -signal.SIGKILL
        held = {shard.id: shard for shard in table.shards("job")}[lost]
        assert (held.state, held.worker, held.token) == ("running", "killed", int(lost_token))
        with (
            started("hold", database_url, "asleep") as asleep,
            started("work", database_url, "one") as one,
            started("work", database_url, "two") as two,
        ):
            line(asleep, "ready")
            late = line(asleep, "claimed")
            asleep.send_signal(signal.SIGSTOP)
            said = [
                words.split()
                for process in (one, two)
                for words in process.communicate()[0].splitlines()
            ]
            asleep.send_signal(signal.SIGCONT)
            assert line(asleep, "stopped") == late
        ended = {shard.id: shard for shard in table.shards("job")}
    claims = [tuple(words[1:]) for words in said if words[0] == "claimed"]
    claims += [(lost, lost_token), (late[0], late[1])]
    # a worker that a busy machine held up past its lease is taken over like any other
    assert len(set(claims)) == len(claims) >= len(ids) + 2
    assert list(ended) == ids
    assert {shard.state for shard in ended.values()} == {"done"}
    assert all(shard.result == f"{shard.id} {shard.token}" for shard in ended.values())
    newest = {id_: max(int(token) for one, token in claims if one == id_) for id_ in ids}
    assert {id_: shard.token for id_, shard in ended.items()} == newest
    assert {ended[lost].worker, ended[late[0]].worker} <= {"one", "two"}


def test_a_killed_writer_loses_no_act_it_was_told_of(database_url: str) -> None:
    """Twice: of two writers one is killed while both are writing; the log is whole in the end."""
    told: dict[int, str] = {}
    with started("record", database_url, "other") as other:
        for round_ in range(2):
            with started("record", database_url, f"killed-{round_}") as killed:
                for process in (killed, other, killed, other, killed):
                    index, id_ = line(process, "recorded")
                    told[int(index)] = id_
                killed.send_signal(signal.SIGKILL)
                killed.wait()
            index, id_ = line(other, "recorded")
            told[int(index)] = id_
    with closing(open_store(database_url, kinds={})) as store, store.read() as view:
        acts = view.acts()
        present = {one.index: one.act.id for one in acts}
        assert told.items() <= present.items()
        assert list(present) == list(range(view.log_size()))
        records = [(one.blinder, canonical.encode(to_record(one.act))) for one in acts]
        entries = [entry(commit(blinder, record)) for blinder, record in records]
        assert view.log_root() == fakes.naive_root(entries)
        assert dict(view.log_files()) == dict(tiles.tree_files(entries))


def test_two_stores_on_one_database_share_one_log(database_url: str) -> None:
    """Each reloads the tree's edge when the other has appended."""
    with closed_store(database_url) as one, closed_store(database_url) as two:
        for number in range(6):
            with (one, two)[number % 2].write() as tx:
                assert tx.record(make.act(number)) == number
        with one.read() as view:
            assert [each.act.id for each in view.acts()] == [f"act-{n:04d}" for n in range(6)]


def closed_store(url: str) -> closing[SqlStore]:
    """A store that is closed at the end of the block."""
    return closing(open_store(url, kinds={}))


DAMAGE = {
    "the act's record": ("act", "UPDATE act SET record = blinder"),
    "the act's columns": ("act", "UPDATE act SET kind = 'anchor.set'"),
    "the entry": ("entry", "DELETE FROM entry"),
    "the head's root": ("head", "UPDATE head SET root = (SELECT blinder FROM act)"),
    "the head": ("head", "DELETE FROM head"),
    "a tile": ("tile", "DELETE FROM tile"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_behind_the_guards_is_noticed(sqlite_url: str, what: str) -> None:
    """Whoever drops the triggers and changes a row is found out by the next who reads or writes."""
    with closed_store(sqlite_url) as store, store.write() as tx:
        tx.record(make.act(1))
    engine = engine_for(sqlite_url)
    table, statement = DAMAGE[what]
    with writing(engine) as connection:
        found = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        for (name,) in connection.exec_driver_sql(found, (table,)).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql(statement)
    store = SqlStore(engine, blinder=make.blinders(), records=Records({}))
    with pytest.raises(Tampered):
        look_and_write(store)
    store.close()


def look_and_write(store: SqlStore) -> None:
    """Read all there is, then record."""
    with store.read() as view:
        view.acts()
        view.log_files()
    with store.write() as tx:
        tx.record(make.act(2))


def test_a_damaged_state_row_is_noticed(sqlite_url: str) -> None:
    """Text that is no such record names the row and the field, not the content."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        with store.write() as tx:
            tx.put("r", Remark("secret"), marking=make.marking())
        engine = engine_for(sqlite_url)
        with writing(engine) as connection:
            connection.exec_driver_sql('UPDATE state SET body = \'{"text": ["secret"]}\'')
        engine.dispose()
        with store.read() as view, pytest.raises(Tampered, match=r"remark r: .*text") as caught:
            view.get(Remark, "r")
    assert "secret" not in str(caught.value)
