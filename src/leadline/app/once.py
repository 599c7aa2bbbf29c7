"""A request that is sent twice counts once: its key is written down with the first thing that it writes.

Whoever sends a request again under the same key is told what was answered the first time. A request that
was refused frees its key; one whose answer was lost says so, and nothing is done twice.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from leadline.app.context import Context
from leadline.app.ports import Reading, Store, Writing, maybe
from leadline.core.access import Tenancy
from leadline.core.errors import Invalid, Refused, Stale
from leadline.core.marking import Marking, Tlp

T = TypeVar("T")
KEPT = timedelta(days=7)
UNDER_WAY = timedelta(seconds=60)
ANSWER_MAX = 256 * 1024
OWN = Marking(Tlp.AMBER_STRICT)
KEY = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Carried:
    """A request that wrote something. *status* 0: its answer is not known; *answer* None: not kept."""

    digest: str
    at: datetime
    where: str
    status: int = 0
    kind: str = ""
    answer: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Within:
    """The store as one open transaction has it: what is read there cannot change before it ends."""

    tx: Writing

    def acting(self, _tenancy: Tenancy) -> "Within":
        """The transaction is one person's already."""
        return self

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """As the store, with what the transaction itself wrote."""
        yield self.tx

    @contextmanager
    def write(self) -> Iterator[Writing]:
        """As the store; it ends with the transaction."""
        yield self.tx


@dataclass
class Once:
    """The store of one request; its first write takes the key with it, or changes nothing.

    *still* looks, in the transaction of that write, whether what the request is meant for is as it was,
    and raises what stands against it.
    """

    inner: Store
    id: str
    row: Carried
    before: int | None = None
    version: int | None = None
    still: Callable[[Store], None] | None = None

    def acting(self, tenancy: Tenancy) -> "Once":
        """The same for one person; only the store of that person takes the key."""
        return replace(self, inner=self.inner.acting(tenancy))

    def read(self) -> AbstractContextManager[Reading]:
        """As the store."""
        return self.inner.read()

    @contextmanager
    def write(self) -> Iterator[Writing]:
        """As the store; raises Refused, if another request took the key at this moment."""
        with self.inner.write() as tx:
            taken = self.version
            if taken is None:
                try:
                    taken = tx.put(self.id, self.row, marking=OWN, expect=self.before)
                except Stale:
                    raise Refused(_under_way(self.row)) from None
                if self.still is not None:
                    self.still(Within(tx))
            yield tx
        self.version = taken

    def finish(self, status: int, kind: str = "", answer: str | None = None) -> None:
        """Keep what was answered, where anything was written."""
        if self.version is None:
            return
        text = answer if answer is not None and len(answer) <= ANSWER_MAX else None
        done = replace(self.row, status=status, kind=kind, answer=text)
        with self.inner.write() as tx:
            tx.put(self.id, done, marking=OWN, expect=self.version)

    def free(self) -> None:
        """Let the key go: the request was refused."""
        if self.version is not None:
            with self.inner.write() as tx:
                tx.remove(Carried, self.id)
            self.version = None


def _under_way(row: Carried) -> str:
    return f"this was sent before and is being carried out; look at {row.where}, then send it again"


def begin(ctx: Context, key: str, digest: str, where: str) -> Once | Carried:
    """What a request under *key* writes through, or what was answered to it before.

    *digest* is of the whole request, *where* says where its outcome can be seen.

    Raises: Invalid, if the key was another request's; Refused, while that is carried out, or if it was
    and its answer was lost.
    """
    name = sha256(f"{ctx.principal.id}\0{key}".encode()).hexdigest()
    fresh = Once(ctx.store, f"once-{name}", Carried(digest, ctx.now, where))
    with ctx.store.read() as view:
        row = maybe(view, Carried, fresh.id)
    if row is None:
        return fresh
    found = row.value
    if ctx.now - found.at >= KEPT:
        return replace(fresh, before=row.version)
    if found.digest != digest:
        raise Invalid(KEY, "was the key of another request; take a new one")
    if not found.status:
        if ctx.now - found.at < UNDER_WAY:
            raise Refused(_under_way(found))
        raise Refused(
            f"this was sent and carried out before, and its answer was lost; look at {found.where}"
        )
    return found


def forget(store: Store, now: datetime) -> int:
    """Remove what is older than seven days; answers how much."""
    with store.write() as tx:
        old = [row.id for row in tx.find(Carried) if now - row.value.at >= KEPT]
        for id_ in old:
            tx.remove(Carried, id_)
    return len(old)
