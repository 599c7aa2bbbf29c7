"""A program that writes acts until it is killed: `python writers.py`, a round a line on standard input.

It forks for each round, so that a round costs no start of Python; the child writes, tells each
acknowledgement on standard output, and dies where the round says. The parent then says how.
"""

import json
import os
import random
import signal
import sys
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import count

import sqlalchemy as sa
from sqlalchemy import event

from conformance.sightings import KINDS, Remark
from leadline.core.errors import Refused, Stale, Unavailable
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind
from leadline.store.sql import open_store
from store.disks import Disk, Fate, Op

NOW = datetime(2027, 3, 1, tzinfo=UTC)
MARKING = Marking(Tlp.RED, frozenset({"alpha"}))


@dataclass
class Round:
    """What one child does; it goes on for ever if *blocks* is 0 and nothing kills it."""

    url: str
    name: str
    threads: int = 3
    blocks: int = 0
    library: str = ""
    record: str = ""
    statement: int = 0  # the point between statements at which it kills itself
    acknowledgement: int = 0  # the acknowledgement instead of which it kills itself
    disk: tuple[int, int, int] = (0, 0, 0)  # operations, countdown, fate
    pragmas: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)  # acts of an open outcome, to be tried again

    def line(self) -> str:
        """As the program reads it."""
        return json.dumps(asdict(self)) + "\n"


class Undone(Exception):
    """What a block raises that is to leave nothing."""


def die() -> None:
    """As `kill -9` does it."""
    os.kill(os.getpid(), signal.SIGKILL)


def tell(*words: object) -> None:
    """One line in one write, which is atomic on a pipe."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Writer:
    """The child: *threads* threads that write to one store."""

    def __init__(self, plan: Round) -> None:
        self.plan, self.told, self.points = plan, count(1), count(1)
        self.marking = threading.Lock()
        self.disk = Disk(plan.library, plan.record or None) if plan.library else None
        self.store = open_store(plan.url, kinds=KINDS)
        self.engine: sa.Engine = self.store._engine
        if plan.pragmas:
            event.listen(self.engine, "connect", self._settle)
            self.engine.dispose()
        if plan.statement:
            for name in ("before_cursor_execute", "after_cursor_execute", "commit", "rollback"):
                event.listen(self.engine, name, self._point)
        if self.disk and plan.disk[0]:
            self.disk.arm(Op(plan.disk[0]), plan.disk[1], Fate(plan.disk[2]))

    def _settle(self, raw: "sa.engine.interfaces.DBAPIConnection", _: object) -> None:
        for pragma in self.plan.pragmas:
            raw.cursor().execute(f"PRAGMA {pragma}")

    def _point(self, *_: object) -> None:
        if next(self.points) == self.plan.statement:
            die()

    def write(self, id_: str, number: int) -> None:
        """One block: a state row and an act, now and then undone or looking at the log."""
        tell("begin", id_)
        with self.store.write() as tx:
            tx.put(id_, Remark(id_), marking=MARKING)
            index = tx.record(Act(id_, Kind.EVIDENCE_SEALED, NOW, "writer", "about", "engagement"))
            if number % 7 == 3:
                tx.log_root()
            if id_.startswith("undone"):
                raise Undone
        self.acknowledge("ack", id_, index)

    def acknowledge(self, *words: object) -> None:
        """Tell of something durable; the record gets its mark no earlier than that."""
        with self.marking:
            number = next(self.told)
            if number == self.plan.acknowledgement:
                die()
            tell(*words, number)
            if self.disk and self.plan.record:
                self.disk.mark(number)

    def run(self, thread: int) -> None:
        """Blocks without end, or as many as planned; ends when the store does not answer."""
        chance = random.Random(f"{self.plan.name} {thread}")  # noqa: S311 -- repeats
        for number in count() if not self.plan.blocks else range(self.plan.blocks):
            undone = "undone." if chance.random() < 0.2 else ""
            id_ = f"{undone}{self.plan.name}.{thread}.{number}"
            try:
                self.write(id_, number)
                if chance.random() < 0.2:
                    with self.store.read() as view:
                        size, root = view.log_size(), view.log_root().hex()
                    self.acknowledge("head", size, root)
            except Undone:
                tell("undone", id_)
            except Unavailable as error:
                tell("unavailable", error)
                return

    def try_again(self) -> None:
        """Acts of an open outcome stand once, whether they stood already or not."""
        for id_ in self.plan.again:
            try:
                self.write(id_, 0)
            except (Stale, Refused):
                tell("stood", id_)

    def start(self) -> None:
        """Everything, until the threads end."""
        self.try_again()
        threads = [threading.Thread(target=self.run, args=(n,)) for n in range(self.plan.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def main() -> None:
    """Round after round, a child for each."""
    for line in sys.stdin:
        values = json.loads(line)
        plan = Round(**{**values, "disk": tuple(values["disk"])})
        child = os.fork()
        if not child:
            try:
                Writer(plan).start()
            except Unavailable as error:
                tell("unavailable", error)
            os._exit(0)
        tell("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
