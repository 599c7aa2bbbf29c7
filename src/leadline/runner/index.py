"""The index of a run: one row a sample and one a log, so that no log is read to see how it went.

Rows are written as shards end, from the results themselves. What else lies in the folder of logs, such as
what a worker finished after another had taken its shard over, is found by `Index.sweep`, which reads the
summaries of new logs only. A sample that does not count stays in the index as a duplicate.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from leadline.core.assessment import SampleResult, ShardResult
from leadline.core.measure.infra import Flag, Lost, flags

NAME = "index.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
  name TEXT PRIMARY KEY, size INTEGER NOT NULL, digest TEXT NOT NULL, shard TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sample (
  suite TEXT NOT NULL, subject TEXT NOT NULL, rung TEXT NOT NULL, item TEXT NOT NULL,
  epoch INTEGER NOT NULL, identity TEXT NOT NULL, log TEXT NOT NULL, shard TEXT NOT NULL,
  state TEXT NOT NULL, outcome TEXT NOT NULL, solved INTEGER NOT NULL, seconds INTEGER NOT NULL,
  tokens INTEGER NOT NULL, micro_usd INTEGER NOT NULL, ended TEXT NOT NULL, counted INTEGER NOT NULL,
  PRIMARY KEY (suite, subject, rung, item, epoch, identity, log)
) STRICT, WITHOUT ROWID;
"""
ADD_SAMPLE = "INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_LOG = "INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?)"
COUNTED_IN = """
SELECT log FROM sample
WHERE suite = ? AND subject = ? AND rung = ? AND item = ? AND epoch = ? AND counted
"""
ROWS = """
SELECT suite, subject, rung, count(*), sum(solved), sum(state = 'scored'), sum(state = 'limit'),
       sum(state = 'infra'), sum(state = 'missing'), sum(seconds), sum(tokens), sum(micro_usd)
FROM sample WHERE counted GROUP BY suite, subject, rung ORDER BY suite, subject, rung
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """The samples of one suite, subject and rung that count."""

    suite: str
    subject: str
    rung: str
    samples: int
    solved: int
    scored: int
    limit: int
    infra: int
    missing: int
    seconds: int
    tokens: int
    micro_usd: int


@dataclass(frozen=True, slots=True)
class Found:
    """A sample in a log that no result named: *digest* is of its identity, *ended* RFC 3339."""

    suite: str
    subject: str
    rung: str
    item: str
    epoch: int
    identity: str
    shard: str
    state: str
    ended: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What the index says of a run."""

    logs: int
    counts: tuple[Counts, ...]
    duplicates: tuple[tuple[str, int, str, str], ...]  # item, repeat, subject, log
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """The index in *path*; made when first written. One process writes, any number read."""

    path: Path

    def add(self, result: ShardResult, logs: Path) -> None:
        """Enter what a shard produced; a second time changes nothing."""
        rung = next((sample.rung for sample in result.samples if sample.rung), "")
        rows = [_row(result, sample, rung) for sample in result.samples]
        with self._writing() as connection:
            connection.executemany(ADD_SAMPLE, rows)
            for name, digest in result.logs.items():
                size = (logs / name).stat().st_size if (logs / name).exists() else -1
                known = (name, size, digest, result.shard)
                connection.execute(ADD_LOG, known)

    def unread(self, logs: Path) -> list[Path]:
        """The logs that are new, or longer than when their shard ended, in order of name."""
        with self._reading() as connection:
            known = dict(connection.execute("SELECT name, size FROM log"))
        return [
            path
            for path in sorted(logs.glob("*.eval"))
            if known.get(path.name) != path.stat().st_size
        ]

    def sweep(self, path: Path, digest: str, found: Iterable[Found]) -> int:
        """Enter the samples *found* in a log that no result, or an older state of it, named.

        A sample whose key counts in another log is a duplicate; one that counts nowhere, of a shard
        that has not ended, is not entered. Answers the number of duplicates.
        """
        count, shard = 0, ""
        with self._writing() as connection:
            for one in found:
                shard = one.shard
                key = (one.suite, one.subject, one.rung, one.item, one.epoch, one.identity)
                held = connection.execute(COUNTED_IN, key[:5]).fetchone()
                if held is None or held[0] == path.name:
                    continue
                row = (*key, path.name, one.shard, one.state, "duplicate", 0, 0, 0, 0, one.ended, 0)
                connection.execute(ADD_SAMPLE, row)
                count += 1
            known = (path.name, path.stat().st_size, digest, shard)
            connection.execute(ADD_LOG, known)
        return count

    def overview(self) -> Overview:
        """Counts, duplicates and flags; no log is touched."""
        with self._reading() as connection:
            counts = tuple(Counts(*row) for row in connection.execute(ROWS))
            repeated = "SELECT item, epoch, subject, log FROM sample WHERE NOT counted"
            duplicates = tuple(connection.execute(f"{repeated} ORDER BY item, epoch, log"))
            [(logs,)] = connection.execute("SELECT count(*) FROM log")
        arms: dict[str, Lost] = {}
        for one in counts:
            before = arms.get(one.subject, Lost(0, 0))
            begun = one.samples - one.missing
            arms[one.subject] = Lost(before.lost + one.infra, before.total + begun)
        return Overview(logs, counts, duplicates, flags(arms))

    def ran(self) -> Mapping[tuple[str, int, str, str, str], tuple[str, bool]]:
        """Each sample that counts and has a log, by item, repeat, subject, rung and suite.

        Told are the log, and whether the sample was lost to our own side.
        """
        query = """
        SELECT item, epoch, subject, rung, suite, log, state = 'infra' FROM sample
        WHERE counted AND log <> ''
        """
        with self._reading() as connection:
            return {row[:5]: (row[5], bool(row[6])) for row in connection.execute(query)}

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            connection.executescript(SCHEMA)
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A run in which no shard has ended yet has an empty index."""
        place = f"file:{self.path}?mode=ro" if self.path.exists() else ":memory:"
        with closing(sqlite3.connect(place, uri=True, timeout=30)) as connection:
            if not self.path.exists():
                connection.executescript(SCHEMA)
            yield connection


def _row(result: ShardResult, sample: SampleResult, rung: str) -> tuple[str | int, ...]:
    return (
        *(result.suite, result.subject, rung, sample.item, sample.epoch, sample.subject),
        *(sample.log, result.shard, sample.state, sample.outcome, int(sample.solved)),
        *(sample.seconds, sample.tokens, sample.cost_micro_usd, sample.ended, 1),
    )
