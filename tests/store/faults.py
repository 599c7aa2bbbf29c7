"""A program in which every operation of the disk fails once: `python -m store.faults LIBRARY URL`.

It writes one block after the other; before the n-th it arranges that the n-th operation of the disk from
there fails. What it finds it prints as one JSON document.
"""

import json
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from conformance.sightings import KINDS, Remark
from leadline.core.errors import Unavailable
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind
from leadline.store.connections import engine_for
from leadline.store.shards import open_executor
from leadline.store.sql import SqlStore, open_store
from store.disks import Disk, Fate, Op

NOW = datetime(2027, 3, 1, tzinfo=UTC)
MARKING = Marking(Tlp.RED, frozenset({"alpha"}))
OPS = (Op.WRITE, Op.SYNC, Op.TRUNCATE)
THREADS = 4
QUIET = 3  # countdowns in a row that nothing reached: the path has no further operation


@dataclass
class Findings:
    """What happened, by name of the path."""

    injected: dict[str, int] = field(default_factory=dict)  # operations that failed
    reported: dict[str, int] = field(default_factory=dict)  # blocks that heard of it
    wrong: list[str] = field(default_factory=list)  # what must be empty

    def check(self, path: str, *, right: bool, what: str) -> None:
        """Note what is not as it must be."""
        if not right:
            self.wrong.append(f"{path}: {what}")


def tighten(raw: DBAPIConnection, _: object) -> None:
    """A cache of few pages and early checkpoints, so that a block meets the disk before its end."""
    for pragma in ("cache_size = 4", "wal_autocheckpoint = 20"):
        raw.cursor().execute(f"PRAGMA {pragma}")


class Faults:
    """The paths, each tried with every operation failing in turn."""

    def __init__(self, library: str, url: str) -> None:
        self.disk, self.url, self.found = Disk(library), url, Findings()
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self.swallowed: set[str] = set()
        self.number = 0

    def each(self, path: str, action: Callable[[], None], *, step: int = 1) -> None:
        """Run *action* until it has met a fault at each *step*-th of its operations, of each kind."""
        self.found.injected[path] = self.found.reported[path] = 0
        for op in OPS:
            for fate in (Fate.FULL, Fate.BROKEN) if step == 1 else (Fate.BROKEN,):
                quiet, countdown = 0, 0
                while quiet < QUIET and countdown < 60:
                    countdown += step
                    self.disk.arm(op, countdown, fate)
                    try:
                        action()
                    except Unavailable:
                        self.found.reported[path] += 1
                    failed = self.disk.failed()
                    self.disk.disarm()
                    self.found.injected[path] += failed
                    quiet = 0 if failed else quiet + 1

    def write(self, store: SqlStore) -> None:
        """One block, which is acknowledged or refused and nothing between."""
        self.number += 1
        id_ = f"{threading.get_ident()}-{self.number}"
        try:
            with store.write() as tx:
                tx.put(id_, Remark(id_), marking=MARKING)
                tx.record(Act(id_, Kind.EVIDENCE_SEALED, NOW, "writer", "about", "engagement"))
        except Unavailable:
            self.refused.add(id_)
            raise
        self.acknowledged.add(id_)

    def together(self, store: SqlStore) -> None:
        """Several blocks at once, so that they share a transaction."""
        heard = list[Unavailable]()

        def one() -> None:
            try:
                self.write(store)
            except Unavailable as error:
                heard.append(error)

        threads = [threading.Thread(target=one) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if heard:
            raise heard[0]

    def swallow(self, store: SqlStore) -> None:
        """A block that goes on after an error: what it writes then must not become durable alone."""
        self.number += 1
        id_ = f"swallowed-{self.number}"
        with store.write() as tx:
            try:
                for piece in range(
                    300
                ):  # more than the cache holds, so that it is written out early
                    tx.put(f"{id_}-{piece}", Remark("x" * 20_000), marking=MARKING)
            except (sa.exc.DatabaseError, Unavailable) as error:
                self.swallowed.add(type(error).__name__)
            tx.put(id_, Remark(id_), marking=MARKING)
            tx.record(Act(id_, Kind.EVIDENCE_SEALED, NOW, "writer", "about", "engagement"))
        self.acknowledged.add(id_)

    def compare(self, path: str, store: SqlStore) -> None:
        """What was acknowledged is there, what was refused is not, states and acts agree."""
        with store.read() as view:
            acts = {one.act.id for one in view.acts()}
            states = {one.id for one in view.find(Remark) if one.id == one.value.text}
            size = view.log_size()
        check = self.found.check
        check(path, right=acts == states, what=f"acts and states differ: {acts ^ states}")
        check(path, right=acts >= self.acknowledged, what="an acknowledged act is lost")
        check(
            path, right=not acts & self.refused, what=f"refused, yet there: {acts & self.refused}"
        )
        check(path, right=len(acts) == size, what=f"{len(acts)} acts, {size} leaves")

    def stored(self) -> None:
        """The store's write path, alone and with others, and after a swallowed error."""
        with closing(open_store(self.url, kinds=KINDS)) as store:
            event.listen(store._engine, "connect", tighten)
            store.close()  # so that every connection from here on is a new one
            paths = {"alone": self.write, "together": self.together, "swallow": self.swallow}
            for path, action in paths.items():
                self.each(path, lambda action=action: action(store))  # type: ignore[misc]
                self.compare(path, store)
            self.write(store)  # the store serves on
            self.found.check("swallow", right=bool(self.swallowed), what="no error in the middle")
        with closing(open_store(self.url, kinds=KINDS)) as store:
            self.compare("reopened", store)

    def shards(self) -> None:
        """The shard table: a claim that failed holds nothing."""
        with closing(open_executor(self.url)) as table:
            table.submit("job", "eval", {"n": "0"}, total=1)

            def claim() -> None:
                shard = table.claim("worker", now=NOW, lease_seconds=1e9)
                if shard is not None:
                    table.release("worker")

            self.each("shards", claim)
            table.release("worker")
            (shard,) = table.shards("job")
            self.found.check("shards", right=shard.state == "queued", what=shard.state)

    def opened(self, fresh: str) -> None:
        """The making of the schema: it is there whole, or made by the next who opens."""
        self.number = 0

        def make() -> None:
            self.number += 1
            open_store(f"{fresh}-{self.number}.db", kinds=KINDS).close()

        self.each("opening", make, step=4)  # each makes a whole schema
        for number in range(1, self.number + 1):
            with closing(open_store(f"{fresh}-{number}.db", kinds=KINDS)) as store:
                with store.write() as tx:
                    tx.record(Act("act", Kind.EVIDENCE_SEALED, NOW, "writer", "about", "e"))
                with store.read() as view:
                    self.found.check("opening", right=view.log_size() == 1, what="no log")


def main() -> None:
    """All paths; the findings as one line."""
    library, url = sys.argv[1:]
    faults = Faults(library, url)
    faults.stored()
    faults.shards()
    faults.opened(url.removesuffix(".db"))
    integrity = engine_for(url).connect().exec_driver_sql("PRAGMA integrity_check").scalar()
    faults.found.check("database", right=integrity == "ok", what=str(integrity))
    sys.stdout.write(json.dumps(asdict(faults.found)) + "\n")


if __name__ == "__main__":
    main()
