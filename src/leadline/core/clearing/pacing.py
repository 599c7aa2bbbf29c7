"""How fast reports reach maintainers: never faster than they said they can take them.

Every project, and every person who reads reports, has a bucket of as many tokens as it takes reports in
seven days. A report that goes to them takes one token of each; a token comes back exactly seven days
after it was taken. So in any seven days, whenever they begin, no more reports arrive than were asked
for. A person who looks after several projects has one bucket, as large as the largest of theirs: what
they said they can take at one place is not to be had once more at the next. What is exploited already
passes at once; it takes its tokens all the same, so that what comes after waits longer.

Moments and places are computed from acts whenever asked, never stored.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from leadline.core.clearing.contract import DEFAULT_OPEN, DEFAULT_PER_WEEK, Contract, lane_of
from leadline.core.clearing.sites import unite

WEEK = timedelta(days=7)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report that has not reached its maintainers. *rank* orders the queue, larger is more urgent.

    *urgent* says why it waits for nobody; empty for all others. *ready* is false while it is still to be
    confirmed: it has a place, and is not handed out.
    """

    finding: str
    lane: str
    since: datetime
    rank: int = 0
    urgent: str = ""
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Delivered:
    """A report that reached the maintainers of a lane, and whether it is still open there."""

    lane: str
    at: datetime
    open: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a queue, from 1, and the first moment at which the pace lets this report go.

    *at* is None where no moment can be told; *free* is false where more than time is missing. *why*
    says what it waits for.
    """

    finding: str
    place: int
    at: datetime | None
    why: str
    free: bool = True

    def due(self, now: datetime) -> bool:
        """Whether it may go now."""
        return self.free and self.at is not None and self.at <= now


@dataclass(frozen=True, slots=True)
class _Lane:
    """One queue: who reads it, and what it takes. *opens* is None while it is paused without an end."""

    project: str = "this software"
    readers: tuple[str, ...] = ()
    per_week: int = DEFAULT_PER_WEEK
    max_open: int = DEFAULT_OPEN
    opens: datetime | None = _LONG_AGO


_UNASKED = _Lane()


class _Bucket:
    """The moments at which the last tokens were taken, in order; the oldest comes back first."""

    def __init__(self, tokens: int) -> None:
        self._taken = deque[datetime](maxlen=tokens)

    def free(self) -> datetime:
        """When a token is there, never before the last was taken."""
        if not self._taken:
            return _LONG_AGO
        back = self._taken[0] + WEEK if len(self._taken) == self._taken.maxlen else _LONG_AGO
        return max(back, self._taken[-1])

    def take(self, at: datetime) -> None:
        """Take a token at a moment that is no earlier than the last."""
        self._taken.append(max(at, self._taken[-1]) if self._taken else at)


class _Pace:
    """All buckets of one schedule, by the names of lanes and people."""

    def __init__(
        self, contracts: Iterable[Contract], now: datetime, opened: Mapping[str, int]
    ) -> None:
        self._lanes = {one.lane: _lane(one, now) for one in contracts}
        sizes = defaultdict[str, int](int)
        for name, lane in self._lanes.items():
            for reader in lane.readers:
                sizes[reader] = max(sizes[reader], lane.per_week)
            sizes[name] = lane.per_week
        self._sizes, self._buckets = sizes, dict[str, _Bucket]()
        self._open = defaultdict[str, int](int, opened)

    def lane(self, name: str) -> _Lane:
        """The queue of that name, with the pace of the unasked where no contract is on file."""
        return self._lanes.get(name, _UNASKED)

    def _of(self, name: str) -> list[_Bucket]:
        for one in (names := (name, *self.lane(name).readers)):
            if one not in self._buckets:
                self._buckets[one] = _Bucket(self._sizes.get(one, DEFAULT_PER_WEEK))
        return [self._buckets[one] for one in names]

    def deliver(self, name: str, at: datetime, *, stays: bool = True) -> None:
        """One report reaches the readers of a lane."""
        self._open[name] += stays
        for bucket in self._of(name):
            bucket.take(at)

    def free(self, name: str, now: datetime) -> datetime | None:
        """When the next report may reach them; None while no moment can be told."""
        opens = self.lane(name).opens
        return opens and max(now, opens, *(bucket.free() for bucket in self._of(name)))

    def full(self, name: str) -> bool:
        """Whether as many reports are open there as are taken."""
        return self._open[name] >= self.lane(name).max_open


def connected(contracts: Iterable[Contract], lanes: Collection[str]) -> frozenset[str]:
    """Those lanes, and all that share a reader with them, or with one that does: their paces hang together."""
    of = [(one.lane, *_readers(one)) for one in contracts]
    roots = unite({*lanes, *(name for names in of for name in names)}, of)
    wanted = {roots[one] for one in lanes}
    return frozenset(one for one, root in roots.items() if root in wanted)


def _readers(contract: Contract) -> tuple[str, ...]:
    return tuple(lane_of(f"person {name}") for name in sorted(set(contract.maintainers)))


def _lane(contract: Contract, now: datetime) -> _Lane:
    opens = contract.paused_until if contract.stands_still(now) else _LONG_AGO
    return _Lane(contract.project, _readers(contract), contract.per_week, contract.max_open, opens)


def schedule(
    contracts: Iterable[Contract],
    waiting: Sequence[Waiting],
    delivered: Sequence[Delivered],
    now: datetime,
    opened: Mapping[str, int] = MappingProxyType({}),
) -> Mapping[str, Slot]:
    """The slot of every waiting report, by finding.

    *opened* counts, by lane, reports that are open there beside those of *delivered*. What was delivered
    a week ago or before has given its tokens back: left out, or counted there alone, it changes nothing.

    Most urgent first, then whoever came first; in one queue nothing overtakes what is before it. The
    answer does not depend on the order of *waiting* and *delivered*.
    """
    pace = _Pace(contracts, now, opened)
    for past in sorted(delivered, key=lambda one: (one.at, one.lane)):
        pace.deliver(past.lane, past.at, stays=past.open)
    found: dict[str, Slot] = {}
    places = defaultdict[str, int](int)
    for one in sorted(waiting, key=lambda one: (not one.urgent, -one.rank, one.since, one.finding)):
        places[one.lane] += 1
        found[one.finding] = _slot(one, places[one.lane], pace, now)
    return found


def _slot(one: Waiting, place: int, pace: _Pace, now: datetime) -> Slot:
    if one.urgent:
        pace.deliver(one.lane, now)
        return Slot(one.finding, place, now, f"at once: {one.urgent}", one.ready)
    lane, at, full = pace.lane(one.lane), pace.free(one.lane, now), pace.full(one.lane)
    if at is None:
        told = f"{lane.project} is paused and has not said until when"
        return Slot(one.finding, place, None, told, free=False)
    pace.deliver(one.lane, at)
    reasons = [_waits(lane, at)] if at > now else []
    if full:
        reasons.append(
            f"it goes once one of the {lane.max_open} reports that are open there is closed"
        )
    if not one.ready:
        reasons.append("a replay, or a person, has to confirm first that it is real")
    why = "; ".join(reasons) or "it may go to the maintainers now"
    return Slot(one.finding, place, at, why, free=one.ready and not full)


def _waits(lane: _Lane, at: datetime) -> str:
    if lane.opens is not None and at == lane.opens:
        return f"{lane.project} is paused until then"
    many = "report" if lane.per_week == 1 else "reports"
    return (
        f"{lane.project} takes {lane.per_week} {many} in 7 days, and each reader one pace over all"
    )
