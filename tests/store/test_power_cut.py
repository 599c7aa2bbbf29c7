"""The write path when the power is cut: unsynced writes are lost, in part, and torn.

Real power is not cut here. SQLite runs on a file system that records every operation, and the test
builds from the record what a disk may hold at a moment; `power.py` says what it may. The second test
shows that this finds a store that does not sync. For PostgreSQL there is no such record: what is tested
there is a server with `fsync` on whose processes are killed (`test_store_kills.py`).
"""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from leadline.core.errors import LeadlineError
from leadline.store.database import open_database
from store import power
from store.campaigns import Told, Writers, compare
from store.writers import Round

SMALL_CHECKPOINTS = "wal_autocheckpoint = 40"  # pages, so that the main file is written, too


# What a comparison may meet in a file of which pages are missing.
DAMAGE = (AssertionError, LeadlineError, SQLAlchemyError, LookupError, TypeError, ValueError)


class Recorded:
    """A run of writers to its end, every operation of the disk, and what was told when."""

    def __init__(
        self, writers: Writers, folder: Path, library: str, *, blocks: int, pragmas: list[str]
    ) -> None:
        folder.mkdir()
        record = folder / "record"
        url = f"sqlite:///{folder / 'leadline.db'}"
        plan = Round(url, "p", 3, blocks, library, str(record), pragmas=pragmas)
        writers.begin(plan)
        *self.lines, last = writers.lines()
        assert last == "ended 0", self.lines[-5:]
        self.entries = power.read_record(record)
        self.told = {int(words[-1]): words for words in self._acknowledged()}
        shutil.rmtree(folder)

    def _acknowledged(self) -> Iterator[list[str]]:
        for line in self.lines:
            words = line.split()
            if words[0] in {"ack", "head"}:
                yield words

    def losses(self, folder: Path, cuts: int, seed: str) -> list[str]:
        """What is lost or spoilt after each of *cuts* cuts of the power, at moments of all kinds."""
        chance = random.Random(seed)  # noqa: S311 -- repeats from run to run
        # Half of the moments right after an acknowledgement, where least may be missing.
        marks = [at for at, entry in enumerate(self.entries) if entry.kind == "M"]
        moments = [chance.choice(marks) for _ in range(cuts // 2)]
        moments += [chance.randrange(len(self.entries)) for _ in range(cuts - len(moments))]
        platter, found, played = power.Platter(), list[str](), 0
        for moment in sorted(moments):
            for entry in self.entries[played : moment + 1]:
                platter.play(entry)
            played = moment + 1
            place = folder / f"cut-{moment}-{chance.randrange(10**9)}"
            place.mkdir(parents=True)
            platter.cut(chance, place)
            found += self._problem(place, platter.marks)
            shutil.rmtree(place)
        return found

    def _problem(self, place: Path, marks: set[int]) -> list[str]:
        told = Told()
        for number in sorted(marks):
            told.take(" ".join(self.told[number]))
        url = f"sqlite:///{place / 'leadline.db'}"
        try:
            compare(url, told)
            engine = open_database(url)
            with engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            engine.dispose()
        except DAMAGE as error:
            return [f"{place.name}: {type(error).__name__}: {str(error).partition(chr(10))[0]}"]
        return []


def test_power_cuts_lose_nothing_acknowledged(
    writers: Writers, tmp_path: Path, library: str
) -> None:
    """A hundred cuts, while the schema is made and after: each act told of stands, once, in one log."""
    run = Recorded(writers, tmp_path / "w", library, blocks=40, pragmas=[SMALL_CHECKPOINTS])
    kinds = {entry.kind for entry in run.entries}
    assert kinds >= set("OWSM")
    assert len([entry for entry in run.entries if entry.kind == "M"]) >= 80
    assert run.losses(tmp_path, 100, "cuts") == []


def test_a_store_that_does_not_sync_is_found_out(
    writers: Writers, tmp_path: Path, library: str
) -> None:
    """The same with `synchronous = OFF`: the cuts do lose what was told, so the test can see it."""
    pragmas = [SMALL_CHECKPOINTS, "synchronous = OFF"]
    run = Recorded(writers, tmp_path / "w", library, blocks=20, pragmas=pragmas)
    assert len(run.losses(tmp_path, 30, "unsynced")) >= 10


def test_no_act_is_acknowledged_before_a_sync(
    writers: Writers, tmp_path: Path, library: str
) -> None:
    """`synchronous = FULL` does lead to a sync between an act's first write and its acknowledgement."""
    run = Recorded(writers, tmp_path / "w", library, blocks=10, pragmas=[])
    unsynced, dirty_at = power.Platter(), list[int]()
    for entry in run.entries:
        unsynced.play(entry)
        if entry.kind == "M" and len(run.told) > 1 and run.told[entry.place][0] == "ack":
            dirty_at.append(unsynced.unsynced())
    # Another thread may already be writing the next batch, so some of the moments are not clean.
    assert dirty_at
    assert min(dirty_at) == 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_1000_power_cuts(writers: Writers, tmp_path: Path, library: str) -> None:
    """Ten runs with a hundred cuts each."""
    for number in range(10):
        pragmas = [SMALL_CHECKPOINTS] if number % 2 else []
        run = Recorded(writers, tmp_path / "w", library, blocks=60 + 10 * number, pragmas=pragmas)
        assert run.losses(tmp_path, 100, f"soak {number}") == []
