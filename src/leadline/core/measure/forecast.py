"""When a run will have finished, what it will cost, and what is left out first where time is short.

The cost of an attempt is taken as known for a family of items only as far as it was measured: a prior
mean counts like *weight* attempts, and what was measured is added to it, so that early forecasts are wide
and become narrow as samples end. The total over the attempts that are left has the mean and variance of
that predictive distribution, and is taken to be log-normal (costs are positive and skewed; matching of
moments after Fenton, "The sum of log-normal probability distributions", 1960).

Left out first are repeats, the last repeat first, so that every item is tried once before any is tried
again; then first attempts, one family after the other, that with most left first, down to the minimum of
each. Cost decides nothing between families: leaving out the dear ones would be a verdict on cheap tasks.
What did not run is undetermined, never a zero (design, evaluation 6).
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from leadline.core.errors import Invalid

PRIOR_WEIGHT = 2.0  # attempts that a prior counts for
PRIOR_CV = 1.0  # standard deviation of an attempt's cost over its mean, until measured
INTERVAL = 0.9
ENOUGH = 0.8  # a plan fits when it finishes in time with at least this chance
SHARD_SECONDS, SHARD_SECONDS_MIN = (
    300.0,
    30.0,
)  # aim of one shard (2 to 15 minutes), and never below
SHARD_SAMPLES_MAX = 1_000  # retrying and reading longer logs takes hours
HOUR, DAY = 60, 1440  # minutes
SHARDS_EACH = 4  # of one worker, where the least length allows, so that none waits long at the end


@dataclass(frozen=True, slots=True)
class Sums:
    """Attempts measured so far in one quantity: their number, sum and sum of squares."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def plus(self, value: float) -> "Sums":
        """With one more attempt."""
        return Sums(self.count + 1, self.total + value, self.squares + value * value)


NONE_YET = Sums()


@dataclass(frozen=True, slots=True)
class Cost:
    """One quantity of an attempt: a prior mean, and what was measured."""

    prior: float
    measured: Sums = NONE_YET

    def mean(self) -> float:
        """The expected cost of one attempt."""
        weight = PRIOR_WEIGHT + self.measured.count
        return (PRIOR_WEIGHT * self.prior + self.measured.total) / weight

    def variance_of_total(self, attempts: int) -> float:
        """The variance of the cost of so many more attempts, uncertainty of the mean included."""
        mean, seen = self.mean(), self.measured
        prior_squares = PRIOR_WEIGHT * self.prior**2 * (1 + PRIOR_CV**2)
        weight = PRIOR_WEIGHT + seen.count
        spread = max(0.0, (prior_squares + seen.squares) / weight - mean**2)
        return attempts * spread + attempts**2 * spread / weight


@dataclass(frozen=True, slots=True)
class Family:
    """Attempts of one family that are left.

    *first* are first attempts, *repeats* those of each later round in order; *minimum* is the number of
    first attempts that are never left out.
    """

    name: str
    first: int
    repeats: tuple[int, ...]
    seconds: Cost
    tokens: Cost
    micro_usd: Cost
    minimum: int = 0

    @property
    def attempts(self) -> int:
        """All that are left."""
        return self.first + sum(self.repeats)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What works at the attempts: *parallel* at a time, and an endpoint's limit, 0 for none known.

    Raises: Invalid, without a single place.
    """

    parallel: int
    tokens_per_second: float = 0.0

    def __post_init__(self) -> None:
        if self.parallel < 1:
            raise Invalid("parallel", "at least one attempt runs at a time")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Attempts of a family that time does not reach; *what* is ``repeats`` or ``first attempts``."""

    family: str
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of the attempts that are left.

    *low* and *high* bound the time with the chance `INTERVAL`. *chance* is that of finishing within
    *available* seconds, None where no end is set. *left_out* is what would have to go for a chance of
    `ENOUGH`, and *reaches* whether that chance is reached with the minimum of each family alone.
    """

    attempts: int
    seconds: float
    low: float
    high: float
    tokens: float
    micro_usd: float
    available: float | None
    chance: float | None
    left_out: tuple[LeftOut, ...]
    reaches: bool

    @property
    def fits(self) -> bool:
        """Whether the plan finishes in time with a chance of at least `ENOUGH`."""
        return self.chance is None or self.chance >= ENOUGH

    def words(self) -> str:
        """The forecast in one sentence, with what does not fit."""
        told = f"{self.attempts:,} attempts left, about {clock(self.seconds)}"
        told += f" ({clock(self.low)} to {clock(self.high)})"
        if self.micro_usd >= 1:
            told += f", about ${self.micro_usd / 1e6:,.2f}"
        if self.chance is None or self.available is None:
            return told
        told += f"; access ends in {clock(self.available)}, chance of finishing {self.chance:.0%}"
        if self.fits:
            return told
        gone = ", ".join(f"{one.count} {one.what} of {one.family}" for one in self.left_out)
        told += f". The plan does not fit: left out first would be {gone or 'nothing that may go'}"
        return told if self.reaches else told + "; even the minimum of each family does not fit"


def clock(seconds: float) -> str:
    """A length of time as people read it: minutes and hours, days from two on."""
    minutes = max(0, round(seconds / 60))
    if minutes >= 2 * DAY:
        return f"{minutes / DAY:.1f} days"
    return f"{minutes // HOUR} h {minutes % HOUR:02d} min" if minutes >= HOUR else f"{minutes} min"


def forecast(
    families: Sequence[Family], capacity: Capacity, available: float | None = None
) -> Forecast:
    """What is to be expected of *families*, and what is left out first if it does not fit.

    *available* are the seconds until access ends.
    """
    seconds, low, high = _time(families, capacity)
    chance = None if available is None else _chance(families, capacity, available)
    left_out: tuple[LeftOut, ...] = ()
    reaches = True
    if available is not None and chance is not None and chance < ENOUGH:
        kept = _cut(families, capacity, available)
        left_out = tuple(_gone(families, kept))
        reaches = _chance(kept, capacity, available) >= ENOUGH
    return Forecast(
        attempts=sum(one.attempts for one in families),
        seconds=seconds,
        low=low,
        high=high,
        tokens=sum(one.attempts * one.tokens.mean() for one in families),
        micro_usd=sum(one.attempts * one.micro_usd.mean() for one in families),
        available=available,
        chance=chance,
        left_out=left_out,
        reaches=reaches,
    )


def _moments(families: Sequence[Family], capacity: Capacity) -> tuple[float, float]:
    """Mean and variance of the time: of the work over the places, or of what the endpoint allows."""
    work = _total((one.attempts, one.seconds) for one in families)
    mean, variance = work[0] / capacity.parallel, work[1] / capacity.parallel**2
    if capacity.tokens_per_second:
        used = _total((one.attempts, one.tokens) for one in families)
        if used[0] / capacity.tokens_per_second > mean:
            mean = used[0] / capacity.tokens_per_second
            variance = used[1] / capacity.tokens_per_second**2
    return mean, variance


def _total(parts: Iterable[tuple[int, Cost]]) -> tuple[float, float]:
    counted = list(parts)
    return (
        sum(count * cost.mean() for count, cost in counted),
        sum(cost.variance_of_total(count) for count, cost in counted),
    )


def _log_normal(families: Sequence[Family], capacity: Capacity) -> NormalDist | None:
    """The logarithm of the time; None where nothing is left."""
    mean, variance = _moments(families, capacity)
    if mean <= 0:
        return None
    spread = math.log1p(variance / mean**2)
    return NormalDist(math.log(mean) - spread / 2, max(math.sqrt(spread), 1e-9))


def _time(families: Sequence[Family], capacity: Capacity) -> tuple[float, float, float]:
    """Mean, and the bounds of the interval."""
    told = _log_normal(families, capacity)
    if told is None:
        return 0.0, 0.0, 0.0
    tail = (1 - INTERVAL) / 2
    low, high = (math.exp(told.inv_cdf(p)) for p in (tail, 1 - tail))
    return _moments(families, capacity)[0], low, high


def _chance(families: Sequence[Family], capacity: Capacity, available: float) -> float:
    told = _log_normal(families, capacity)
    if told is None:
        return 1.0
    return told.cdf(math.log(available)) if available > 0 else 0.0


def _cut(families: Sequence[Family], capacity: Capacity, available: float) -> list[Family]:
    """*families* less what goes first, until the rest fits or nothing more may go.

    What may go is in one order, and the chance grows with each that goes: the least number that is
    enough is found by halving.
    """
    order = _order(families)
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        if _chance(_without(families, order[:middle]), capacity, available) >= ENOUGH:
            high = middle
        else:
            low = middle + 1
    return _without(families, order[:low])


def _order(families: Sequence[Family]) -> list[tuple[int, int]]:
    """Single attempts in the order in which they go, as (family, round); round 0 is the first."""
    order: list[tuple[int, int]] = []
    rounds = max((len(one.repeats) for one in families), default=0)
    for number in range(rounds, 0, -1):
        left = [one.repeats[number - 1] if len(one.repeats) >= number else 0 for one in families]
        order += [(index, number) for index in _largest_first(left, [0] * len(left))]
    least = [min(one.minimum, one.first) for one in families]
    order += [(index, 0) for index in _largest_first([one.first for one in families], least)]
    return order


def _largest_first(counts: Sequence[int], least: Sequence[int]) -> list[int]:
    """Places one by one, always of the largest count that is above its least; ties by place."""
    order = [
        (-count, place)
        for place, full in enumerate(counts)
        for count in range(full, least[place], -1)
    ]
    return [place for _, place in sorted(order)]


def _without(families: Sequence[Family], gone: Sequence[tuple[int, int]]) -> list[Family]:
    kept = [[one.first, *one.repeats] for one in families]
    for place, number in gone:
        kept[place][number] -= 1
    return [
        replace(one, first=left[0], repeats=tuple(left[1:]))
        for one, left in zip(families, kept, strict=True)
    ]


def _gone(families: Sequence[Family], kept: Sequence[Family]) -> Iterator[LeftOut]:
    pairs = list(zip(families, kept, strict=True))
    for before, after in pairs:
        if count := sum(before.repeats) - sum(after.repeats):
            yield LeftOut(before.name, "repeats", count)
    for before, after in pairs:
        if count := before.first - after.first:
            yield LeftOut(before.name, "first attempts", count)


def shard_items(seconds: float, *, items: int, workers: int, parallel: int) -> int:
    """How many samples of *seconds* each make one shard, *parallel* running at a time.

    A shard aims at `SHARD_SECONDS`, is shorter where *workers* would otherwise have less than
    `SHARDS_EACH` shards each, and is not made shorter than `SHARD_SECONDS_MIN`.

    Raises: Invalid, if *seconds* is not positive.
    """
    if seconds <= 0:
        raise Invalid("seconds", "an attempt takes time")
    aim = SHARD_SECONDS * parallel / seconds
    shortest = math.ceil(SHARD_SECONDS_MIN * parallel / seconds)
    spread = math.ceil(items / (SHARDS_EACH * workers))
    return max(1, min(SHARD_SAMPLES_MAX, max(shortest, min(round(aim), spread))))


def prior_tokens(suite: str, limit: int, known: Mapping[str, float]) -> float:
    """Mean tokens of an attempt before any was measured: *known* for the suite, else half of *limit*.

    Never above *limit*, where there is one.
    """
    told = known.get(suite, limit / 2)
    return min(told, limit) if limit else told
