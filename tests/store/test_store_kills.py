"""The write path under kill -9: no acknowledged act lost, none doubled, one log.

A writer is killed between statements, in place of an acknowledgement, and on SQLite before, halfway
through and after a write, a sync or a truncation of the disk; PostgreSQL itself is killed, too. After
each kill the database is opened anew and compared with all that was ever told.
"""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import postgres
from conformance.sightings import KINDS
from conftest import absent
from leadline.store.sql import open_store
from store.campaigns import Told, Writers, compare
from store.disks import Fate, Op
from store.writers import Round

DATABASE_ROUNDS = 25  # kills that one database goes through
KILLED = f"ended {-signal.SIGKILL}"


def somewhere(chance: random.Random, library: str) -> dict[str, object]:
    """A point of the write path to die at."""
    where = chance.choice(
        ["statement", "acknowledgement", "disk", "disk"]
        if library
        else ["statement", "statement", "acknowledgement"]
    )
    if where == "disk":
        ops = chance.choice([Op.ANY, Op.ANY, Op.SYNC, Op.WRITE])
        fate = chance.choice([Fate.KILL_BEFORE, Fate.KILL_HALFWAY, Fate.KILL_AFTER])
        most = 30 if ops is Op.SYNC else 250
        return {"library": library, "disk": (int(ops), chance.randint(1, most), int(fate))}
    return {where: chance.randint(1, 30 if where == "acknowledgement" else 250)}


def campaign(writers: Writers, urls: Iterator[str], kills: int, library: str = "") -> Told:
    """Kill writers one after the other, each at another point, and compare after each."""
    told, url, killed = Told(), "", 0
    chance = random.Random(f"kills {kills}")  # noqa: S311 -- repeats from run to run
    while killed < kills:
        if killed % DATABASE_ROUNDS == 0:
            told, url = Told(), next(urls)
            open_store(url, kinds=KINDS).close()
        point = somewhere(chance, library)
        plan = Round(url, f"r{killed}", again=told.to_try_again(), **point)  # type: ignore[arg-type]
        writers.begin(plan)
        lines = list(writers.lines())
        assert lines[-1] == KILLED, (plan, lines[-5:])
        for line in lines[:-1]:
            told.take(line)
        killed += 1
        compare(url, told)
    return told


def files(folder: Path) -> Iterator[str]:
    """SQLite databases that do not exist yet."""
    number = 0
    while True:
        number += 1
        yield f"sqlite:///{folder / f'{number}.db'}"


def sqlite_kills(writers: Writers, folder: Path, kills: int, library: str) -> None:
    """The campaign on SQLite."""
    told = campaign(writers, files(folder), kills, library)
    assert told.acts


def test_killed_anywhere_sqlite_keeps_what_was_acknowledged(
    writers: Writers, tmp_path: Path, library: str
) -> None:
    """Twenty kills: each act told of stands once, at its place, in a log that only grew."""
    sqlite_kills(writers, tmp_path, 20, library)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_500_kills_on_sqlite(writers: Writers, tmp_path: Path, library: str) -> None:
    """As above, 500 times."""
    sqlite_kills(writers, tmp_path, 500, library)


@contextmanager
def durable_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server that syncs, as one in use does."""
    programs = postgres.binaries()
    if programs is None:
        absent("no PostgreSQL server below /usr/lib/postgresql: install postgresql")
    assert programs is not None
    with postgres.serving(programs, postgres.DURABLE) as server:
        yield server


def fresh(server: postgres.Server) -> Iterator[str]:
    """Empty databases on a server; they are left to the end of the server."""
    number = 0
    while True:
        number += 1
        yield server.create(f"kills_{number}")


def server_kills(writers: Writers, server: postgres.Server, url: str, kills: int) -> None:
    """Kill the server under a writer, by SIGKILL and by an immediate stop in turn; compare after each."""
    chance = random.Random(f"server {kills}")  # noqa: S311 -- repeats from run to run
    told = Told()
    open_store(url, kinds=KINDS).close()
    for number in range(kills):
        writers.begin(Round(url, f"s{number}", again=told.to_try_again()))
        acknowledged = 0
        last = chance.randint(1, 60)
        for line in writers.lines():
            if not line.startswith("ended"):
                told.take(line)
            acknowledged += line.startswith("ack")
            if acknowledged == last:
                acknowledged += 1000  # only once
                time.sleep(chance.random() / 200)
                server.kill() if number % 2 else server.stop()
        assert acknowledged > 1000, line
        server.start()
        compare(url, told)


@pytest.mark.postgres
def test_killed_anywhere_postgresql_keeps_what_was_acknowledged(writers: Writers) -> None:
    """Eighteen kills of the writer and two of the server: as on SQLite."""
    with durable_server() as server:
        told = campaign(writers, fresh(server), 18)
        assert told.acts
        server_kills(writers, server, server.create("server_killed"), 2)


@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.timeout(3600)
def test_500_kills_on_postgresql(writers: Writers) -> None:
    """As above, 450 and 50 times."""
    with durable_server() as server:
        campaign(writers, fresh(server), 450)
        server_kills(writers, server, server.create("server_killed"), 50)
