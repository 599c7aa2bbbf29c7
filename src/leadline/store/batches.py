"""Group commit: blocks of many threads share one transaction, and each hears of success after it.

The blocks run one after the other, each inside a savepoint, in the thread that wrote them; the open
transaction is handed from thread to thread in order of arrival. Who finds nobody waiting, or the batch
full, writes the leaves and commits for all. So a lone writer commits at once, and under load many share
one sync to disk.

Upheld here: a block that raises is undone alone; nobody returns before the commit that holds his block;
a commit that fails fails everybody in it; the log's edge in memory is that of a committed tree. A block
that begins another in its own thread is a mistake of the caller, told at once.

Left to the database: order among processes (`connections.writing`).
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from leadline.core.errors import Unavailable
from leadline.core.record import tlog
from leadline.store.connections import available, writing
from leadline.store.tail import LogTail


@dataclass(frozen=True, slots=True)
class Limits:
    """What keeps one thread from waiting on the others for ever."""

    blocks: int = 256  # in one transaction
    open_seconds: float = 0.1  # after which a transaction takes no further block
    turn_seconds: float = 10.0  # waiting to begin; as long as SQLite waits for another process
    outcome_seconds: float = 60.0  # waiting for the commit, once the own block has ended


class Turns:
    """One thread at a time, in order of arrival. `_mutex` guards the other two."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._holder = 0  # a thread's identifier, which is never 0
        self._waiting: deque[tuple[int, threading.Lock]] = deque()

    def mine(self) -> bool:
        """Whether the calling thread has the turn."""
        return self._holder == threading.get_ident()

    def take(self, seconds: float) -> None:
        """Wait for the turn; raises Unavailable, if *seconds* were not enough."""
        with self._mutex:
            if not self._holder:
                self._holder = threading.get_ident()
                return
            place = (threading.get_ident(), threading.Lock())
            place[1].acquire()
            self._waiting.append(place)
        try:
            place[1].acquire(timeout=seconds)
        finally:
            with self._mutex:
                if place in self._waiting:
                    self._waiting.remove(place)
        if not self.mine():
            raise Unavailable(
                f"other writers of this process have held the store for {seconds:g} s; try again"
            )

    def hand_on(self) -> bool:
        """Give the turn to who has waited longest; False, and the turn kept, if nobody waits."""
        with self._mutex:
            return self._pass()

    def give_up(self) -> None:
        """Give the turn to who has waited longest, or to nobody."""
        with self._mutex:
            if not self._pass():
                self._holder = 0

    def _pass(self) -> bool:
        if not self._waiting:
            return False
        self._holder, gate = self._waiting.popleft()
        gate.release()
        return True


class Batch:
    """One open transaction; only the thread that has the turn touches it, until it is over.

    Raises: Unavailable, if the database cannot serve; Tampered, as `LogTail`.
    """

    def __init__(self, engine: sa.Engine, edge: tlog.Edge, limits: Limits) -> None:
        with ExitStack() as opening:
            self.connection = opening.enter_context(writing(engine))
            self.tail = LogTail(self.connection, edge)
            self._transaction = opening.pop_all()
        self._limits, self._blocks, self._begun = limits, 0, time.monotonic()
        self._waiting: list[threading.Lock] = []
        self._error: BaseException | None = None

    @contextmanager
    def block(self) -> Iterator[None]:
        """What is written here is undone alone when it raises."""
        mark = self.tail.mark()
        with available():
            self._begin()
            try:
                yield
                self.connection.exec_driver_sql("RELEASE SAVEPOINT block")
            except BaseException as error:
                self.tail.back(mark)
                self._undo(error)
                raise
        self._blocks += 1

    def _begin(self) -> None:
        try:
            self.connection.exec_driver_sql("SAVEPOINT block")
        except SQLAlchemyError as error:
            self._error = error
            raise

    def _undo(self, cause: BaseException) -> None:
        try:
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT block")
            self.connection.exec_driver_sql("RELEASE SAVEPOINT block")
        except SQLAlchemyError:
            # SQLite ends a transaction by itself on some errors, a full disk for one, and PostgreSQL
            # with its connection. Then what was in the transaction is lost to everybody.
            self._error = cause

    def full(self) -> bool:
        """Whether it is to end although others wait."""
        if self._error is not None or self._blocks >= self._limits.blocks:
            return True
        return time.monotonic() - self._begun >= self._limits.open_seconds

    def end(self) -> None:
        """Make what the blocks wrote durable, and let those who wait in `outcome` go on.

        Raises: Unavailable, if that cannot be; whatever a guard of the database says.
        """
        try:
            with self._transaction:
                self._write()
        except BaseException as error:
            self._error = error
            raise
        finally:
            for gate in self._waiting:
                gate.release()

    def _write(self) -> None:
        if self._error is not None:
            raise self._error
        self.tail.flush()

    def wait_for_end(self) -> Callable[[], None]:
        """Take part in the outcome; to be asked while having the turn, and the answer called without.

        The answer returns once the batch is durable. It raises Unavailable, if the batch is not, or if
        that is not known in time.
        """
        # A gate for each thread: all of them behind one condition would wake to wait for its lock.
        gate = threading.Lock()
        gate.acquire()
        self._waiting.append(gate)

        def outcome() -> None:
            if not gate.acquire(timeout=self._limits.outcome_seconds):
                raise Unavailable(
                    "a later write has not ended; whether this one is durable is open"
                )
            if self._error is not None:
                said = "the transaction that this write shared with others was not committed"
                raise Unavailable(f"{said}: {self._error}") from self._error

        return outcome


class Commits:
    """The one way to write to a database from this process; threads share it."""

    def __init__(self, engine: sa.Engine, limits: Limits = Limits()) -> None:
        self._engine, self._limits, self._turns = engine, limits, Turns()
        # The rest belongs to the thread that has the turn.
        self._batch: Batch | None = None
        self._edge = tlog.Edge()

    @contextmanager
    def block(self) -> Iterator[Batch]:
        """A share in a transaction; durable when this returns.

        Raises: RuntimeError, inside another block of the same thread; Unavailable, if the database
        cannot serve, or if other writers hold the store too long.
        """
        if self._turns.mine():
            raise RuntimeError("a write inside a write of the same thread: end the outer one first")
        try:
            self._turns.take(self._limits.turn_seconds)
            if self._batch is None:
                self._batch = Batch(self._engine, self._edge, self._limits)
            batch = self._batch
            with batch.block():
                yield batch
        except BaseException:
            if self._turns.mine():
                self._leave()
            raise
        outcome = batch.wait_for_end()
        self._leave()
        outcome()

    def _leave(self) -> None:
        """Hand the transaction on, or end it."""
        batch = self._batch
        if batch is None:
            self._turns.give_up()
            return
        if not batch.full() and self._turns.hand_on():
            return
        try:
            batch.end()
            # Only a committed edge may serve the next transaction.
            self._edge = batch.tail.edge
        finally:
            self._batch = None
            self._turns.give_up()
