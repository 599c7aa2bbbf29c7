"""Working stand-ins for every port, in memory, each under the same conformance suite as the real one.

`Faulty` wraps any store and makes its next write fail, with or without having become durable.
"""

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import BinaryIO, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from leadline.app.ports import (
    SHARING,
    Ask,
    Deposit,
    Executor,
    Holding,
    KeyStore,
    Late,
    Line,
    Lines,
    Listed,
    Opened,
    Order,
    Place,
    Reading,
    Recipient,
    Release,
    Shard,
    ShardState,
    Shared,
    SignedHead,
    Sought,
    Store,
    Stored,
    Wanted,
    Which,
    Writing,
)
from leadline.core.access import UNBOUND, Bounds, Principal, Tenancy, microseconds
from leadline.core.clause import EVERYTHING, Clause, admits
from leadline.core.clearing import evidence
from leadline.core.clearing.act_names import names
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.pairs import Pair, pairs, seen
from leadline.core.clearing.queue import Entry, Lanes, again, changes
from leadline.core.clearing.queue import entry as entry_of
from leadline.core.clearing.report import Stage
from leadline.core.errors import Invalid, NotFound, Refused, Stale, Tampered, Unavailable
from leadline.core.marking import Marking
from leadline.core.measure.budget import NOTHING, Amount, Answer, Ledger, total
from leadline.core.record.act import Act, Kind, to_record
from leadline.core.record.commitment import commit, entry
from leadline.core.searching import found as sought
from leadline.core.searching import plain
from leadline.core.vaulting import Bound, Owner, Protection, Wrapped
from leadline.formats import canonical, note, tiles

T = TypeVar("T")

INSTANT = timedelta(microseconds=1)


@dataclass
class State:
    """All that a `MemoryStore` holds; copied whole at the beginning of a write."""

    values: dict[tuple[type, str], Stored[object]] = field(default_factory=dict)
    principals: dict[str, Principal] = field(default_factory=dict)
    opened: list[Opened] = field(default_factory=list)
    signed: SignedHead | None = None
    shared: list[Shared] = field(default_factory=list)

    def copied(self) -> "State":
        """A state whose changes do not reach this one."""
        held = copy(self.values), copy(self.principals), copy(self.opened)
        return State(*held, self.signed, copy(self.shared))


class MemoryReading:
    """One state that nothing changes any more."""

    def __init__(self, state: State, lines: Lines | None = None) -> None:
        self._state, self._lines = state, lines

    def page(self, kind: type, wanted: Wanted) -> Sequence[Listed]:
        """As the port."""
        assert self._lines is not None
        return page_of(self, self._lines, kind, wanted)

    def pages(self, wanted: Mapping[type, Wanted]) -> Mapping[type, Sequence[Listed]]:
        """As the port."""
        return {kind: self.page(kind, one) for kind, one in wanted.items()}

    def get(self, kind: type[T], id_: str) -> Stored[T]:
        """As the port."""
        found = [one for one in self.find(kind) if one.id == id_]
        if not found:
            raise NotFound(f"no {kind.__name__} {id_}")
        return found[0]

    def find(
        self, kind: type[T], *, engagement: str | None = None, visible: Clause = EVERYTHING
    ) -> Sequence[Stored[T]]:
        """As the port."""
        found: list[Stored[T]] = []
        for (one, _), stored in sorted(self._state.values.items(), key=lambda item: item[0][1]):
            asked = one is kind and engagement in {None, stored.engagement}
            if asked and admits(visible, stored.thing("")):
                assert isinstance(stored.value, kind)
                found.append(replace(stored, value=stored.value))  # type: ignore[arg-type]
        return found

    def among(self, kind: type[T], ids: AbstractSet[str]) -> Sequence[Stored[T]]:
        """As the port."""
        return [one for one in self.find(kind) if one.id in ids]

    def principals(self) -> Sequence[Principal]:
        """As the port."""
        return [person for _, person in sorted(self._state.principals.items())]

    def principal(self, id_: str) -> Principal:
        """As the port."""
        if id_ not in self._state.principals:
            raise NotFound(f"no principal {id_}")
        return self._state.principals[id_]

    def act(self, id_: str) -> Opened:
        """As the port."""
        found = [one for one in self._state.opened if one.act.id == id_]
        if not found:
            raise NotFound(f"no act {id_}")
        return found[0]

    def acts(
        self,
        *,
        engagement: str | None = None,
        kind: Kind | AbstractSet[Kind] | None = None,
        about: str | AbstractSet[str] | None = None,
        naming: AbstractSet[str] | None = None,
        since: int = 0,
        most: int | None = None,
    ) -> Sequence[Opened]:
        """As the port."""
        among = {about} if isinstance(about, str) else about
        kinds = {kind} if isinstance(kind, Kind) else kind
        return [
            one
            for one in self._state.opened
            if engagement in {None, one.act.engagement}
            and (kinds is None or one.act.kind in kinds)
            and (among is None or one.act.about in among)
            and (naming is None or names(one.act) & naming)
            and one.index >= since
        ][:most]

    def _entries(self) -> list[Entry]:
        """Every entry of the queue, from all acts."""
        held = dict[str, list[Act]]()
        for one in self._state.opened:
            held.setdefault(one.act.about, []).append(one.act)
        early = {about for about, acts in held.items() if not any(map(changes, acts))}
        found = [entry_of(acts) for about, acts in held.items() if about not in early]
        return [one for one in found if one is not None]

    def queued(self, findings: AbstractSet[str]) -> Sequence[Entry]:
        """As the port."""
        return [one for one in self._entries() if one.finding in findings]

    def lanes(self, which: AbstractSet[str], since: datetime) -> Lanes:
        """As the port."""
        mine = [one for one in self._entries() if one.lane in which]
        closed = {one.act.about for one in self.acts(kind=Kind.CASE_CLOSED)}
        cases = [one for one in mine if one.stage is Stage.CASE]
        return Lanes(
            tuple(one for one in mine if one.stage.waits),
            tuple((one.lane, one.reached) for one in cases if one.reached > since),
            dict(Counter(one.lane for one in cases if one.case not in closed)),
        )

    def pairs(self, ask: Ask, visible: Clause, after: Pair, limit: int) -> Sequence[Pair]:
        """As the port."""
        rows: Sequence[Stored[Finding]] = self.find(Finding)
        known = {row.id: seen(row.value, row.thing("finding")) for row in rows}
        of_evidence = {Kind.EVIDENCE_ADDED, Kind.EVIDENCE_RETRACTED}
        acts = [one.act for one in self._state.opened if one.act.kind in of_evidence]
        made = pairs(known, evidence.standing(acts))
        readable = {row.id for row in rows if admits(visible, row.thing("finding"))}
        found = sorted(one for one in getattr(made, ask.value) if readable.issuperset(one))
        if ask is Ask.JOINED:
            first, later = dict(reversed(found)), {two for _, two in found}
            found = [one for one in found if first[one[0]] == one[1] and one[0] not in later]
        return [one for one in found if one > after][:limit]

    def claimed(
        self, person: str, stages: AbstractSet[Stage], after: str, limit: int
    ) -> Sequence[str]:
        """As the port."""
        held = [one.finding for one in self._entries() if one.stage in stages]
        mine = [one for one in held if person in again(o.act for o in self.acts(about=one))]
        return sorted(one for one in mine if one > after)[:limit]

    def _last(self) -> set[tuple[str, str, datetime]]:
        """The last version of each object."""
        found = dict[tuple[str, str], datetime]()
        for one in self._state.shared:
            at = found.setdefault((one.case, one.id), one.version)
            found[one.case, one.id] = max(at, one.version)
        return {(*key, at) for key, at in found.items()}

    def shared(self, sought: Sought) -> Sequence[Shared]:
        """As the port."""
        last, first = self._last(), dict[str, datetime]()
        here = [one for one in self._state.shared if one.case == sought.case]
        for one in here:
            first[one.id] = min(first.get(one.id, one.version), one.version)

        def wanted(one: Shared) -> bool:
            places = {Which.ALL, one.version}
            places |= {Which.LAST} if (one.case, one.id, one.version) in last else set()
            places |= {Which.FIRST} if first[one.id] == one.version else set()
            return bool(places & sought.versions)

        found = [
            one
            for one in here
            if one.added > sought.after
            and (not sought.ids or one.id in sought.ids)
            and (not sought.types or one.type in sought.types)
            and wanted(one)
        ]
        return sorted(found, key=lambda one: one.added)[: sought.limit]

    def shared_with(self, about: str, ids: AbstractSet[str]) -> Sequence[Shared]:
        """As the port."""
        last = self._last()
        found = [
            one
            for one in self._state.shared
            if not one.case
            and (one.about == about or one.id in ids)
            and (one.case, one.id, one.version) in last
        ]
        return sorted(found, key=lambda one: one.added)

    def entries(self) -> list[bytes]:
        """What the leaves hold, recomputed from the acts."""
        records = (
            (one.blinder, canonical.encode(to_record(one.act))) for one in self._state.opened
        )
        return [entry(commit(blinder, record)) for blinder, record in records]

    def log_size(self) -> int:
        """As the port."""
        return len(self._state.opened)

    def log_files(self, since: int = 0) -> Mapping[str, bytes]:
        """As the port."""
        entries = self.entries()
        had = dict(tiles.tree_files(entries[:since]))
        return {p: held for p, held in tiles.tree_files(entries) if p not in had}

    def log_root(self) -> bytes:
        """RFC 6962 as the text defines it, by recursion, so that it can tell on the fast one."""
        return naive_root(self.entries())

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """As the port, by RFC 6962 section 2.1.1, word for word."""
        if not 0 <= index < size <= self.log_size():
            raise Invalid("index", f"leaf {index} of {size} is not in the log")
        return naive_path(index, self.entries()[:size])

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """As the port, by RFC 6962 section 2.1.2, word for word."""
        if not 0 <= old <= new <= self.log_size():
            raise Invalid("old", f"{old} and {new} are no sizes of the log")
        return naive_subproof(old, self.entries()[:new], known=True) if old else ()

    def signed(self) -> SignedHead | None:
        """As the port."""
        return self._state.signed


def page_of(view: Reading, lines: Lines, kind: type, wanted: Wanted) -> Sequence[Listed]:
    """A part of a list as its words say: everything is read, and all is done here."""
    found = list[Listed]()
    rows: Sequence[Stored[object]] = view.find(kind, visible=wanted.visible)
    for row in rows:
        line = lines.line(view, row)
        words = (*plain(line.title), *plain(row.id), *plain(line.words))
        if (
            sought(words, wanted.words)
            and (not wanted.states or line.said(wanted.now) in wanted.states)
            and (not wanted.groups or line.group in wanted.groups)
            and (wanted.order is not Order.DUE or (line.due and not line.turned(wanted.now)))
        ):
            place = _place(row.id, line, wanted.order)
            found.append(Listed(row.id, line, row.engagement, row.org, row.bounds.case, place))
    falling = wanted.order in {Order.CHANGED, Order.OPENED}
    found.sort(key=lambda one: one.place, reverse=falling)
    if wanted.after is not None:
        after = wanted.after
        found = [o for o in found if (o.place < after if falling else o.place > after)]
    return found[: wanted.limit]


def _place(id_: str, line: Line, order: Order) -> Place:
    at = {
        Order.CHANGED: line.changed,
        Order.OPENED: line.opened,
        Order.OLDEST: line.opened,
        Order.DUE: line.due,
    }.get(order)
    by: int | str = microseconds(at) if at else 0
    return (" ".join(plain(line.title))[:80] if order is Order.TITLE else by), id_


def naive_root(entries: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962 section 2.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    split = naive_split(len(entries))
    return sha256(b"\x01" + naive_root(entries[:split]) + naive_root(entries[split:])).digest()


def naive_path(index: int, entries: Sequence[bytes]) -> tuple[bytes, ...]:
    """PATH(m, D[n]) of RFC 6962 section 2.1.1."""
    if len(entries) == 1:
        return ()
    split = naive_split(len(entries))
    if index < split:
        return (*naive_path(index, entries[:split]), naive_root(entries[split:]))
    return (*naive_path(index - split, entries[split:]), naive_root(entries[:split]))


def naive_subproof(old: int, entries: Sequence[bytes], *, known: bool) -> tuple[bytes, ...]:
    """SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2."""
    if old == len(entries):
        return () if known else (naive_root(entries),)
    split = naive_split(len(entries))
    if old <= split:
        below = naive_subproof(old, entries[:split], known=known)
        return (*below, naive_root(entries[split:]))
    above = naive_subproof(old - split, entries[split:], known=False)
    return (*above, naive_root(entries[:split]))


def naive_split(leaves: int) -> int:
    """The largest power of two below *leaves*."""
    split = 1
    while split * 2 < leaves:
        split *= 2
    return split


class MemoryWriting(MemoryReading):
    """A copy of the state that becomes the state when the block ends well."""

    def __init__(
        self,
        state: State,
        blinder: Callable[[], bytes],
        kinds: frozenset[type],
        lines: Lines | None = None,
    ) -> None:
        super().__init__(state, lines)
        self._blinder, self._kinds = blinder, kinds

    def put(
        self,
        id_: str,
        value: object,
        *,
        marking: Marking,
        engagement: str = "",
        org: str = "",
        bounds: Bounds = UNBOUND,
        expect: int | None = None,
    ) -> int:
        """As the port."""
        key = (type(value), id_)
        if key[0] not in self._kinds:
            raise Invalid("record", f"{key[0].__name__} has no stored kind")
        if "\0" in id_ + engagement + org + bounds.case + bounds.owner:
            raise Invalid("id", "a NUL character cannot be stored")
        present = self._state.values.get(key)
        if (present.version if present else None) != expect:
            raise Stale(f"{id_} is not at {expect}")
        version = (expect or 0) + 1
        self._state.values[key] = Stored(id_, value, version, engagement, org, marking, bounds)
        return version

    def remove(self, kind: type, id_: str) -> None:
        """As the port."""
        if self._state.values.pop((kind, id_), None) is None:
            raise NotFound(f"no {kind.__name__} {id_}")

    def put_principal(self, principal: Principal) -> None:
        """As the port."""
        self._state.principals[principal.id] = principal

    def record(self, act: Act) -> int:
        """As the port."""
        canonical.encode(to_record(act))
        if any(one.act.id == act.id for one in self._state.opened):
            raise Refused(f"an act {act.id} is recorded already")
        self._state.opened.append(Opened(act, len(self._state.opened), self._blinder()))
        return len(self._state.opened) - 1

    def share(self, acts: Sequence[Act]) -> None:
        """What the acts of this block add to what programs fetch."""
        for act in acts if self._lines is not None else ():
            assert self._lines is not None
            objects = self._lines.shared(self, act) if act.kind in SHARING else None
            if objects is not None:
                held = self._state.shared
                held[:] = [one for one in held if one.about != act.about or not one.case]
                for one in objects:
                    after = [each.added + INSTANT for each in held if each.case == one.case]
                    held.append(replace(one, added=max([act.at, *after])))

    def set_signed(self, size: int, root: bytes, at: datetime) -> None:
        """As the port."""
        if size > self.log_size():
            raise Invalid("size", f"the log has no {size} leaves")
        before = self._state.signed
        known = naive_root(self.entries()[:size]) == root
        if not known or (before is not None and size < before.size):
            raise Refused(f"size {size} is not to be signed")
        if before is None or size > before.size:
            self._state.signed = SignedHead(size, root, at)


class MemoryStore:
    """`leadline.app.ports.Store`; writers wait for one another, readers keep what they began with."""

    def __init__(
        self, blinder: Callable[[], bytes], kinds: Mapping[type, str], lines: Lines | None = None
    ) -> None:
        self._blinder, self._kinds, self._lines = blinder, frozenset(kinds), lines
        self._state, self._lock, self._writer = State(), threading.Lock(), 0

    def acting(self, tenancy: Tenancy) -> "MemoryStore":
        """As the port; there is no wall here."""
        del tenancy
        return self

    @contextmanager
    def read(self) -> Iterator[MemoryReading]:
        """As the port."""
        yield MemoryReading(self._state, self._lines)

    def _writing(self, state: State) -> MemoryWriting:
        return MemoryWriting(state, self._blinder, self._kinds, self._lines)

    @contextmanager
    def write(self) -> Iterator[MemoryWriting]:
        """As the port."""
        if self._writer == threading.get_ident():
            raise RuntimeError("a write inside a write of the same thread")
        with self._lock:
            self._writer, state = threading.get_ident(), self._state.copied()
            try:
                block, before = self._writing(state), len(state.opened)
                yield block
                block.share([one.act for one in state.opened[before:]])
                self._state = state
            finally:
                self._writer = 0


class Faulty:
    """A store whose next write ends in `Unavailable`, as `fail_next` says."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.read = store.read
        self._persisted: bool | None = None
        self._left = 0

    def acting(self, tenancy: Tenancy) -> "Faulty":
        """As the port, and faulty still."""
        del tenancy
        return self

    def fail_next(self, *, persisted: bool) -> None:
        """The next write fails; *persisted*: after the commit, so that the caller cannot know."""
        self.fail_after(0, persisted=persisted)

    def fail_after(self, writes: int, *, persisted: bool) -> None:
        """The write after *writes* more fails, as in `fail_next`."""
        self._persisted, self._left = persisted, writes

    @contextmanager
    def write(self) -> Iterator[Writing]:
        """As the port, until the fault."""
        persisted = None
        if self._persisted is not None and self._left == 0:
            persisted, self._persisted = self._persisted, None
        self._left -= 1
        with self._store.write() as transaction:
            yield transaction
            if persisted is False:
                raise Unavailable("the disk is full (injected before the commit)")
        if persisted:
            raise Unavailable("the connection was lost (injected after the commit)")


class MemoryExecutor:
    """`leadline.app.ports.Executor` in one process."""

    def __init__(self) -> None:
        self._shards: dict[str, Shard] = {}
        self._seen: dict[str, datetime] = {}
        self._asked: set[str] = set()
        self._lock = threading.Lock()
        self._late: dict[tuple[str, int], Late] = {}

    def submit(self, job: str, kind: str, input_: Mapping[str, str], *, total: int) -> Shard:
        """As the port."""
        if total < 0:
            raise Invalid("total", "negative")
        key = sha256(canonical.encode((kind, dict(input_)))).hexdigest()
        new = Shard(key, job, kind, dict(input_), "queued", 0, "", 0, 0, total, "", "", "")
        with self._lock:
            return self._shards.setdefault(key, new)

    def claim(
        self, worker: str, *, now: datetime, lease_seconds: float, job: str = "", code: str = ""
    ) -> Shard | None:
        """As the port."""
        if not worker:
            raise Invalid("worker", "empty")
        lease = timedelta(seconds=lease_seconds)
        with self._lock:
            for shard in self._shards.values():
                if job and shard.job != job:
                    continue
                lost = shard.state == "running" and self._seen[shard.id] < now - lease
                if lost and shard.id in self._asked:
                    self._shards[shard.id] = replace(shard, state="cancelled", worker="")
                elif lost or shard.state == "queued":
                    self._seen[shard.id] = now
                    again = replace(shard, token=shard.token + 1, attempts=shard.attempts + 1)
                    again = replace(again, state="running", worker=worker, code=code)
                    held = replace(again, done=0, note="")
                    self._shards[shard.id] = held
                    return held
            return None

    def _held(self, shard: Shard) -> Shard | None:
        present = self._shards[shard.id]
        same = present.token == shard.token and present.state == "running"
        return present if same else None

    def heartbeat(self, shard: Shard, *, now: datetime, done: int, note: str) -> bool:
        """As the port."""
        with self._lock:
            if (held := self._held(shard)) is None:
                return False
            self._seen[shard.id] = now
            self._shards[shard.id] = replace(held, done=done, note=note)
            return shard.id not in self._asked

    def finish(self, shard: Shard, *, now: datetime, result: str) -> None:
        """As the port."""
        with self._lock:
            if (held := self._held(shard)) is None:
                raise Stale(shard.id)
            ended = replace(held, state="done", done=held.total, result=result, error="")
            self._shards[shard.id] = ended

    def fail(self, shard: Shard, *, now: datetime, error: str, attempts_max: int) -> None:
        """As the port."""
        with self._lock:
            if (held := self._held(shard)) is None:
                raise Stale(shard.id)
            again = replace(held, error=error, worker="", state="queued")
            if held.attempts >= attempts_max:
                again = replace(again, state="failed")
            if shard.id in self._asked:
                again = replace(again, state="cancelled")
            self._shards[shard.id] = again

    def release(self, worker: str) -> int:
        """As the port."""
        count = 0
        with self._lock:
            for shard in list(self._shards.values()):
                if shard.state == "running" and shard.worker == worker:
                    asked = shard.id in self._asked
                    state = replace(shard, state="cancelled" if asked else "queued", worker="")
                    self._shards[shard.id] = state
                    count += not asked
        return count

    def cancel(self, job: str) -> int:
        """As the port."""
        count = 0
        with self._lock:
            for shard in list(self._shards.values()):
                unfinished = shard.state in {"queued", "running", "frozen"}
                if shard.job == job and unfinished and shard.id not in self._asked:
                    self._asked.add(shard.id)
                    count += 1
                    if shard.state != "running":
                        self._shards[shard.id] = replace(shard, state="cancelled")
        return count

    def freeze(self, job: str) -> int:
        """As the port."""
        return self._move(job, {"queued", "running"}, "frozen")

    def thaw(self, job: str) -> int:
        """As the port."""
        with self._lock:
            for shard in list(self._shards.values()):
                if shard.job == job and shard.state == "frozen" and shard.id in self._asked:
                    self._shards[shard.id] = replace(shard, state="cancelled")
        return self._move(job, {"frozen"}, "queued")

    def keep_late(self, shard: Shard, *, now: datetime, result: str) -> None:
        """As the port."""
        self._late.setdefault((shard.id, shard.token), Late(shard.id, shard.token, result, now))

    def late(self, job: str) -> Sequence[Late]:
        """As the port."""
        own = [shard.id for shard in self.shards(job)]
        kept = [one for one in self._late.values() if one.shard in own]
        return sorted(kept, key=lambda one: (own.index(one.shard), one.token))

    def _move(self, job: str, states: set[str], to: ShardState) -> int:
        with self._lock:
            moved = [s for s in self._shards.values() if s.job == job and s.state in states]
            for shard in moved:
                self._shards[shard.id] = replace(shard, state=to, worker="")
            return len(moved)

    def shards(self, job: str) -> Sequence[Shard]:
        """As the port."""
        return [shard for shard in self._shards.values() if shard.job == job]


class MemoryPurse:
    """`leadline.app.ports.Purse` in one process, beside a shard table."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._ledgers: dict[str, Ledger] = {}
        self._held: dict[tuple[str, int, str], tuple[str, Amount]] = {}

    def cap(self, job: str, cap: Amount) -> None:
        """As the port."""
        self._ledgers.setdefault(job, Ledger(cap))

    def reserve(self, shard: Shard, sample: str, amount: Amount) -> Answer:
        """As the port."""
        if shard.job not in self._ledgers:
            return "granted"
        running = {
            (s.id, s.token) for s in self._executor.shards(shard.job) if s.state == "running"
        }
        if (shard.id, shard.token) not in running:
            return "refused"
        for key, (job, held) in list(self._held.items()):
            if job == shard.job and key[:2] not in running:
                del self._held[key]
                self._spend(job, held)
        answer = self.ledger(shard.job).decide(amount)
        if answer == "granted":
            self._held[shard.id, shard.token, sample] = (shard.job, amount)
        if answer == "refused":
            ledger = self._ledgers[shard.job]
            self._ledgers[shard.job] = replace(ledger, refused=ledger.refused + 1)
        return answer

    def settle(self, shard: Shard, sample: str, used: Amount) -> None:
        """As the port."""
        if self._held.pop((shard.id, shard.token, sample), None):
            self._spend(shard.job, used)

    def ledger(self, job: str) -> Ledger:
        """As the port."""
        held = total(amount for of_job, amount in self._held.values() if of_job == job)
        return replace(self._ledgers.get(job, Ledger(NOTHING)), reserved=held)

    def _spend(self, job: str, amount: Amount) -> None:
        ledger = self._ledgers[job]
        self._ledgers[job] = replace(ledger, spent=ledger.spent + amount)


class MemoryVault:
    """`leadline.app.ports.Vault`; `content` may be damaged by a test.

    Without a key service it holds working content only.
    """

    def __init__(self, keys: KeyStore | None = None) -> None:
        self.content: dict[str, bytes] = {}
        self._keys = keys
        self._held: dict[tuple[str, str, str, Protection], tuple[Holding, Wrapped | None]] = {}

    def put(
        self, content: bytes, *, marking: Marking, engagement: str = "", owner: Owner = "agency"
    ) -> str:
        """As the port."""
        digest = self.receive(
            (content,),
            marking=marking,
            engagement=engagement,
            owner=owner,
            sealed=False,
            bytes_max=len(content),
        ).digest
        self._verified(digest)
        return digest

    def get(self, digest: str) -> bytes:
        """As the port."""
        with self.open(digest) as file:
            return file.read()

    def marking(self, digest: str) -> Marking:
        """As the port."""
        first, *more = (held.marking for held, _ in self._under(digest))
        for one in more:
            first = first.join(one)
        return first

    def receive(
        self,
        chunks: Iterable[bytes],
        *,
        marking: Marking,
        engagement: str,
        owner: Owner,
        sealed: bool,
        terms: str = "",
        bytes_max: int,
    ) -> Deposit:
        """As the port."""
        whole = b""
        for chunk in chunks:
            whole += chunk
            if len(whole) > bytes_max:
                raise Invalid("size", f"more than {bytes_max} bytes")
        digest = sha256(whole).hexdigest()
        protection = Protection.SEALED if sealed else Protection.WORKING
        name = (digest, engagement, owner, protection)
        to = self._keys.ensure(engagement, owner) if self._keys else Recipient("none", 1)
        present = self._held.get(name)
        if present is not None:
            joined = marking.join(present[0].marking)
            self._held[name] = (replace(present[0], marking=joined), present[1])
            return Deposit(digest, len(whole))
        bound = Bound(
            engagement,
            owner,
            to.compartment,
            to.epoch,
            digest,
            len(whole),
            protection,
            terms,
            0,
            1,
        )
        wrapped = self._keys.wrap(digest.encode(), bound) if self._keys else None
        held = Holding(
            digest,
            len(whole),
            engagement,
            owner,
            protection,
            to,
            1,
            terms,
            marking,
        )
        self._held[name] = (held, wrapped)
        self.content.setdefault(digest, whole)
        return Deposit(digest, len(whole))

    @contextmanager
    def open(self, digest: str, release: Release | None = None) -> Iterator[BinaryIO]:
        """As the port."""
        due = Protection.WORKING if release is None else Protection.SEALED
        where = None if release is None else release.request.engagement
        for held, wrapped in self._under(digest):
            if held.protection is not due or where not in {None, held.engagement}:
                continue
            if self._keys and wrapped:
                if release is None:
                    self._keys.open_working(wrapped)
                else:
                    self._keys.unwrap([wrapped], release)
            elif release is not None:
                raise Refused("no key service, so that nothing sealed opens")
            yield io.BytesIO(self._verified(digest))
            return
        if release is not None:
            raise NotFound(digest)
        raise Refused("sealed")

    def holdings(self, engagement: str | None = None) -> Sequence[Holding]:
        """As the port."""
        found = (held for held, _ in self._held.values())
        some = [held for held in found if engagement in {None, held.engagement}]
        return sorted(
            some, key=lambda held: (held.digest, held.recipient.compartment, held.protection)
        )

    def rewrap(self, engagement: str, owner: Owner) -> int:
        """As the port."""
        count = 0
        for name, (held, wrapped) in list(self._held.items()):
            if (held.engagement, held.owner) == (engagement, owner) and self._keys and wrapped:
                moved = self._keys.rewrap(wrapped)
                count += moved.bound.epoch != held.recipient.epoch
                to = replace(held.recipient, epoch=moved.bound.epoch)
                self._held[name] = (replace(held, recipient=to), moved)
        return count

    def erase(self, engagement: str, owner: Owner) -> Sequence[Holding]:
        """As the port."""
        gone = [
            name
            for name, (held, _) in self._held.items()
            if (held.engagement, held.owner) == (engagement, owner)
        ]
        erased = [self._held.pop(name)[0] for name in gone]
        for held in erased:
            if not any(name[0] == held.digest for name in self._held):
                self.content.pop(held.digest, None)
        return erased

    def _under(self, digest: str) -> Sequence[tuple[Holding, Wrapped | None]]:
        found = [one for name, one in self._held.items() if name[0] == digest]
        if not found:
            raise NotFound(digest)
        return found

    def _verified(self, digest: str) -> bytes:
        if sha256(self.content[digest]).hexdigest() != digest:
            raise Tampered(digest, "other bytes")
        return self.content[digest]


class MemorySigner:
    """`leadline.app.ports.Signer` with one Ed25519 key that repeats from run to run."""

    def __init__(self, name: str = "demonstration.example/log") -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
        public = self._key.public_key().public_bytes_raw()
        self._verifier = note.VerifierKey(name, note.Kind.ED25519, public)

    def vkeys(self) -> str:
        """As the port."""
        return f"{self._verifier.line}\n"

    def sign(self, text: str) -> str:
        """As the port."""
        note.check_text(text)
        blob = self._key.sign(text.encode())
        signature = note.Signature(self._verifier.name, self._verifier.id, blob)
        return note.Note(text, (signature,)).document
