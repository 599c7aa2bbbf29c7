"""The few things the outside must provide. Each has a conformance suite in `tests/conformance`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, Protocol, TypeVar

from leadline.core.access import Action, Circumstances, Decision, Principal, Resource
from leadline.core.marking import Marking
from leadline.core.record.act import Act, Kind

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A state value with what the store keeps beside it. *version* counts from 1."""

    id: str
    value: T
    version: int
    engagement: str
    org: str
    marking: Marking


@dataclass(frozen=True, slots=True)
class Opened:
    """An act with what proves it: its place in the log and the blinder of its commitment."""

    act: Act
    index: int
    blinder: bytes


ShardState = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Shard:
    """One independently restartable part of a job; see `Executor`."""

    id: str
    job: str
    kind: str
    input: Mapping[str, str]
    state: ShardState
    token: int
    worker: str
    attempts: int
    done: int
    total: int
    note: str
    result: str  # digest of the result, set when done
    error: str


class Reading(Protocol):
    """One consistent view of the state."""

    def get(self, kind: type[T], id_: str) -> Stored[T]:
        """The state value; raises NotFound."""
        ...

    def find(self, kind: type[T], *, engagement: str | None = None) -> Sequence[Stored[T]]:
        """All values of one kind, in order of id, optionally of one engagement."""
        ...

    def principal(self, id_: str) -> Principal:
        """Raises NotFound."""
        ...

    def acts(
        self, *, engagement: str | None = None, kind: Kind | None = None, about: str | None = None
    ) -> Sequence[Opened]:
        """Acts in log order, filtered."""
        ...

    def log_size(self) -> int:
        """The number of leaves committed."""
        ...

    def log_files(self) -> Mapping[str, bytes]:
        """The log as C2SP tlog-tiles files (`tile/...`), without a checkpoint."""
        ...

    def log_root(self) -> bytes:
        """The root hash of the committed tree."""
        ...


class Writing(Reading, Protocol):
    """One transaction: everything in it becomes durable together, or nothing does."""

    def put(
        self,
        id_: str,
        value: object,
        *,
        marking: Marking,
        engagement: str = "",
        org: str = "",
        expect: int | None = None,
    ) -> int:
        """Insert (*expect* None) or replace version *expect*; answers the new version.

        Raises: Stale, if the row is not at *expect* (or exists, when *expect* is None).
        """
        ...

    def remove(self, kind: type, id_: str) -> None:
        """Delete a state value; what must not be lost has no business here. Raises NotFound."""
        ...

    def put_principal(self, principal: Principal) -> None:
        """Insert or replace."""
        ...

    def record(self, act: Act) -> int:
        """Append the act and its log leaf (a 33-byte blinded commitment); answers the log index.

        Raises: Refused, if an act with this id exists.
        """
        ...


class Store(Protocol):
    """Durable state. `read` is deferred, `write` takes the write lock at once."""

    def read(self) -> AbstractContextManager[Reading]:
        """A consistent snapshot."""
        ...

    def write(self) -> AbstractContextManager[Writing]:
        """A transaction, committed when the block ends without an error."""
        ...


class Executor(Protocol):
    """The shard table: at-least-once work with leases and fencing tokens."""

    def submit(self, job: str, kind: str, input_: Mapping[str, str], *, total: int) -> Shard:
        """Add a shard, or answer the one with this kind and input (idempotent)."""
        ...

    def claim(self, worker: str, *, now: datetime, lease_seconds: float) -> Shard | None:
        """Take the oldest queued shard, or one whose worker's lease has run out; token + 1."""
        ...

    def heartbeat(self, shard: Shard, *, now: datetime, done: int, note: str) -> bool:
        """Report progress; False means a newer token holds the shard or a stop was asked: stop."""
        ...

    def finish(self, shard: Shard, *, now: datetime, result: str) -> None:
        """Raises Stale, if a newer token holds the shard: the late result must be discarded."""
        ...

    def fail(self, shard: Shard, *, now: datetime, error: str, attempts_max: int) -> None:
        """Queue again, or mark failed once *attempts_max* is reached. Raises Stale as `finish`."""
        ...

    def release(self, worker: str) -> int:
        """Queue again what a worker known to be dead holds; answers how many."""
        ...

    def cancel(self, job: str) -> int:
        """Ask every unfinished shard of a job to stop; queued ones end at once."""
        ...

    def shards(self, job: str) -> Sequence[Shard]:
        """All shards of a job, in the order of submission."""
        ...


class Access(Protocol):
    """The rules. Default deny; an error in a rule is a denial."""

    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        """Never raises for a denial; the decision carries rule ids and a reason."""
        ...


class Signer(Protocol):
    """Signs notes under the log's name."""

    def vkeys(self) -> str:
        """The C2SP verifier keys, one a line."""
        ...

    def sign(self, text: str) -> str:
        """The signed note: *text*, an empty line, one signature line per key."""
        ...


class Vault(Protocol):
    """Content by digest. Written once; a second write of the same bytes is the same object."""

    def put(self, content: bytes, *, marking: Marking) -> str:
        """Store and answer the SHA-256 in hex."""
        ...

    def get(self, digest: str) -> bytes:
        """Raises NotFound, or Tampered if the bytes no longer match their digest."""
        ...

    def marking(self, digest: str) -> Marking:
        """The marking the content was stored under; raises NotFound."""
        ...
