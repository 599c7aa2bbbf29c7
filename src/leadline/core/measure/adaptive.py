"""A decision by bets on items that a model of their difficulty proposes: batches, void steps, the log.

The certificate of `active`, one batch after the other. The chances of a batch are fixed at its start;
later draws of it are made among the items that the earlier ones left. Bets apply in the order of steps,
with what was expected at the start of the batch.

A void step has an outcome that nobody knows yet. Until it is run again a conclusion counts only if it
is reached whatever the void steps would have shown: every way in which they may come out is followed,
as long as there are few of them.

Source: design, statistics 5.1, 5.5 and 5.6.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from leadline.core.errors import Invalid, LeadlineError, Refused, Tampered
from leadline.core.measure import active
from leadline.core.measure.active import Design as Sampling
from leadline.core.measure.active import IntArray, Walk, chances, drawn, predictions, uniform
from leadline.core.measure.bet_sequence import BetSequence
from leadline.core.measure.estimate import Code
from leadline.core.measure.order import SEED_BYTES_MIN
from leadline.core.measure.sequential import (
    Draw,
    Plan,
    Point,
    Record,
    Result,
    State,
    Status,
    check_result,
    head,
    spent,
    state_of,
)

METHOD = "bets on actively drawn items, without replacement"
VOID_MAX = 6  # 64 ways in which void steps may come out; with more of them bets conclude nothing
MILLION = 1_000_000
WEALTH_SLACK = 2  # millionths by which logarithms may differ between processors
_P_BYTES = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One draw: *item* by number, what was expected of all items, and the weights it was drawn by."""

    item: int
    p: IntArray = field(compare=False, repr=False)
    weights: IntArray = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Followed:
    """The bets up to some step; *above* and *below* are the steps that first concluded so, 0 if none."""

    walk: Walk = field(compare=False, repr=False)
    above: int = 0
    below: int = 0


@dataclass(frozen=True, slots=True)
class Adaptive:
    """A decision of the design ``active``, as `sequential.Decision`; made by `start`.

    *steps* are the draws up to the end of the batch that is open; *firm* follows the results up to the
    first void step, *posterior* holds what the model learned from every valid result. *leaning* is the
    side that the planner has been sure of.
    """

    plan: Plan
    seed: bytes = field(repr=False)
    sampling: Sampling = field(repr=False, compare=False)
    firm: Followed = field(repr=False)
    posterior: IntArray = field(repr=False, compare=False)
    steps: tuple[Step, ...] = field(default=(), repr=False)
    log: tuple[Record, ...] = ()
    seen: tuple[int | None, ...] = ()
    state: State = State.UNDECIDED
    decided_at: int = 0
    overturned: bool = False
    leaning: str = ""

    @classmethod
    def start(cls, plan: Plan, seed: bytes) -> "Adaptive":
        """Nothing run yet.

        Raises: Invalid, if the seed is shorter than 128 bits.
        """
        if len(seed) < SEED_BYTES_MIN:
            raise Invalid(
                "seed", f"at least {SEED_BYTES_MIN} random bytes are due, not {len(seed)}"
            )
        sampling = plan.sampling()
        walk = active.begin(sampling)
        return _opened(cls(plan, seed, sampling, Followed(walk), sampling.prior))

    def next_items(self, batch: int) -> tuple[Draw, ...]:
        """As `sequential.Decision`; new draws only of the batch that is open."""
        if batch < 1:
            raise Invalid("batch", f"{batch} is no number of draws")
        if _current(self) is not State.UNDECIDED:
            return ()
        if self.plan.max_runs is not None:
            batch = min(batch, self.plan.max_runs - len(self.log))
        again = [step for step, y in enumerate(self.seen, 1) if y is None]
        fresh = range(len(self.seen) + 1, len(self.steps) + 1)
        return tuple(_draw(self, step) for step in [*again, *fresh][:batch])

    def update(self, results: Iterable[Result]) -> "Adaptive":
        """As `sequential.Decision`."""
        decision = self
        for result in sorted(results, key=lambda one: one.step):
            decision = _logged(decision, result)
        return decision

    def follow(self, record: Record, place: str) -> "Adaptive":
        """As `sequential.Decision`; what was expected may differ by one unit, wealth by two millionths."""
        try:
            told = _believing(self, record, place) if record.p is not None else self
            result = Result(record.step, record.y, record.cost, record.sample)
            decision = _logged(told, result, record)
        except Tampered:
            raise
        except LeadlineError as error:
            raise Tampered(place, str(error)) from error
        if decision.log[-1] != record:
            raise Tampered(place, "the draw, the bets or the hash chain do not recompute")
        return decision

    def status(self) -> Status:
        """Where the decision stands after the last result; of several outcomes, the least favourable."""
        ends = [one.walk for one in _ends(self)]
        rest = float(self.sampling.value[self.firm.walk.left].sum())
        low, high = _bounds(self)
        alarms = (
            (Code.VOID_RESULTS,) if any(line.y is None for line in self.log) else (),
            (Code.ENUMERATION_OVERTURNED,) if self.overturned else (),
            (Code.MISFIT,) if _misfit(self) else (),
        )
        sure_above, sure_below = active.certain(self.sampling, self.firm.walk) if rest else (0, 0)
        return Status(
            state=_current(self),
            decided_at=self.decided_at,
            e_above=None if sure_above else min((one.e_above for one in ends), default=1.0),
            e_below=None if sure_below else min((one.e_below for one in ends), default=1.0),
            score_bounds=(low, high),
            n=len(self.seen),
            successes=sum(y == 1 for y in self.seen),
            void=sum(y is None for y in self.seen),
            runs=len(self.log),
            tokens=sum(line.cost for line in self.log),
            n_items=len(self.plan.items),
            method=METHOD,
            planner=active.planner(self.sampling, _known(self)),
            alarms=sum(alarms, ()),
        )


def _draw(decision: Adaptive, step: int) -> Draw:
    one = decision.steps[step - 1]
    weight, total = int(one.weights[one.item]), int(one.weights.sum())
    return Draw(step, decision.plan.items[one.item], 1, weight, total)


def _known(decision: Adaptive) -> Walk:
    """The items left and what the model learned, from every step seen."""
    left = np.ones(len(decision.plan.items), dtype=bool)
    left[[one.item for one in decision.steps[: len(decision.seen)]]] = False
    value = decision.sampling.value
    solved = [one.item for one, y in zip(decision.steps, decision.seen, strict=False) if y]
    return replace(
        decision.firm.walk,
        left=left,
        log_posterior=decision.posterior,
        scored=float(value[solved].sum()),
    )


def _current(decision: Adaptive) -> State:
    """The state, `EXHAUSTED` where the plan's budget ended without one."""
    over = decision.state is State.UNDECIDED and spent(decision.plan, decision.log)
    return State.EXHAUSTED if over else decision.state


def _opened(decision: Adaptive, p: IntArray | None = None) -> Adaptive:
    """The next batch drawn, once every step of the last one was logged; *p* where a log tells it."""
    if len(decision.seen) < len(decision.steps) or len(decision.steps) == len(decision.plan.items):
        return decision
    walk = _known(decision)
    p = predictions(decision.sampling, walk) if p is None else p
    weights, steps = chances(decision.sampling, walk, p), list(decision.steps)
    for _ in range(min(decision.plan.batch, len(decision.plan.items) - len(decision.steps))):
        item = drawn(weights, uniform(decision.seed, len(steps) + 1))
        steps.append(Step(item, p, weights))
        weights = weights.copy()
        weights[item] = 0
    return replace(decision, steps=tuple(steps))


def _believing(decision: Adaptive, record: Record, place: str) -> Adaptive:
    """The open batch drawn anew with what *record* says was expected, if that is ours within a unit."""
    begun = len(decision.seen)
    own = decision.steps[begun].p if begun < len(decision.steps) else None
    told = _read_p(record.p or "", len(decision.plan.items), place)
    first = begun == 0 or (own is not None and own is not decision.steps[begun - 1].p)
    if own is None or not first or record.step != begun + 1:
        raise Tampered(place, "what was expected is told where no batch begins")
    if np.abs(own - told).max() > 1:
        raise Tampered(place, "what was expected of the items does not recompute")
    return _opened(replace(decision, steps=decision.steps[:begun]), told)


def _logged(decision: Adaptive, result: Result, told: Record | None = None) -> Adaptive:
    """The decision after *result*; *told* is the line of a log that is being followed."""
    check_result(result, decision.seen, len(decision.steps))
    if decision.plan.max_runs is not None and len(decision.log) >= decision.plan.max_runs:
        raise Refused(f"the plan allows {decision.plan.max_runs} runs, and all were made")
    place, draw = result.step - 1, _draw(decision, result.step)
    one, fresh = decision.steps[place], result.step > len(decision.seen)
    begins = fresh and (place == 0 or one.p is not decision.steps[place - 1].p)
    seen = (*decision.seen[:place], result.y, *decision.seen[place + 1 :])
    won, lost = decision.sampling.gains
    gain = 0 if result.y is None else won[one.item] if result.y else lost[one.item]
    moved = _firmed(replace(decision, seen=seen, posterior=decision.posterior + gain))
    wealth = _wealth(moved, told)
    record = Record(
        head(decision.plan, decision.seed, decision.log),
        draw.step,
        draw.item,
        draw.epoch,
        draw.weight,
        draw.total,
        result.y,
        result.cost,
        result.sample,
        _write_p(one.p) if begins else None,
        *wealth,
    )
    return _opened(_judged(replace(moved, log=(*decision.log, record))))


def _firmed(decision: Adaptive) -> Adaptive:
    """The bets followed up to the first void step."""
    known: list[int] = []
    for y in decision.seen[decision.firm.walk.n :]:
        if y is None:
            break
        known.append(y)
    return replace(decision, firm=_followed(decision, decision.firm, known))


def _followed(decision: Adaptive, begun: Followed, outcomes: Iterable[int]) -> Followed:
    """The bets after *begun*, on the *outcomes* of the steps from there on."""
    walk, above, below = begun.walk, begun.above, begun.below
    rule = decision.sampling.rule
    for y in outcomes:
        one = decision.steps[walk.n]
        walk = active.advance(decision.sampling, walk, one.item, y, one.p, one.weights)
        sure_above, sure_below = active.certain(decision.sampling, walk)
        if not above and (sure_above or walk.e_above >= 1 / rule.alpha_above):
            above = walk.n
        if not below and (sure_below or walk.e_below >= 1 / rule.alpha_below):
            below = walk.n
    return Followed(walk, above, below)


def _outcomes(decision: Adaptive) -> Iterator[list[int]]:
    """Every way in which the steps from the first void one on may have come out."""
    rest = decision.seen[decision.firm.walk.n :]
    void = [place for place, y in enumerate(rest) if y is None]
    if len(void) > VOID_MAX:
        return
    for assumed in product((0, 1), repeat=len(void)):
        whole = [y or 0 for y in rest]
        for place, y in zip(void, assumed, strict=True):
            whole[place] = y
        yield whole


def _ends(decision: Adaptive) -> list[Followed]:
    """Where the bets stand in each of those ways; empty with too many void steps."""
    return [_followed(decision, decision.firm, outcomes) for outcomes in _outcomes(decision)]


def _wealth(decision: Adaptive, told: Record | None) -> tuple[int | None, int | None]:
    """Logarithms of the wealth in millionths, while no step is void; those *told* if they are ours."""
    if decision.firm.walk.n < len(decision.seen):
        return None, None
    walk = decision.firm.walk
    own = tuple(round(told * MILLION) for told in (walk.log_above, walk.log_below))
    if told is not None and told.up is not None and told.down is not None:
        pair = (told.up, told.down)
        if all(abs(a - b) <= WEALTH_SLACK for a, b in zip(own, pair, strict=True)):
            return pair
    return own[0], own[1]


def _judged(decision: Adaptive) -> Adaptive:
    """The state after the last record.

    The first state reached stands, until every item has a valid result: then the full table
    speaks, without error.
    """
    void = any(y is None for y in decision.seen)
    if len(decision.seen) == len(decision.plan.items) and not void:
        found = state_of(*active.certain(decision.sampling, decision.firm.walk))
        if found is decision.state:
            return decision
        overturned = decision.state is not State.UNDECIDED
        return replace(decision, state=found, decided_at=len(decision.seen), overturned=overturned)
    led = _leaning(decision)
    if decision.state is not State.UNDECIDED:
        return led
    ends = [_first(one, decision.plan.zone) for one in _ends(decision)]
    above = bool(ends) and all(one.above for one in ends)
    below = bool(ends) and all(one.below for one in ends)
    found = state_of(above, below)
    if found is State.UNDECIDED:
        return led
    at = max(max(one.above if above else 0, one.below if below else 0) for one in ends)
    return replace(led, state=found, decided_at=at)


def _first(one: Followed, zone: float) -> Followed:
    """Without a zone the first conclusion stands, as if one had looked after every step."""
    if zone or not (one.above and one.below):
        return one
    return replace(one, below=0) if one.above < one.below else replace(one, above=0)


def _leaning(decision: Adaptive) -> Adaptive:
    """The side that the planner is sure of, once it is and while it was not before."""
    if decision.leaning or len(decision.seen) < active.PLANNER_MIN:
        return decision
    chance = active.planner(decision.sampling, _known(decision))
    sure = active.PLANNER_SURE
    leaning = "above" if chance > sure else "below" if chance < 1 - sure else ""
    return replace(decision, leaning=leaning) if leaning else decision


def _misfit(decision: Adaptive) -> bool:
    """Whether the planner was sure of the other side."""
    sides = {State.ABOVE: "above", State.BELOW: "below"}
    return (
        bool(decision.leaning) and sides.get(decision.state, decision.leaning) != decision.leaning
    )


def _bounds(decision: Adaptive) -> tuple[float, float]:
    """The shares that cannot be ruled out, by bets against each of a grid, whatever is void."""
    points = path(decision)
    return (points[-1].low, points[-1].high) if points else (0.0, 1.0)


def path(decision: Adaptive) -> tuple[Point, ...]:
    """Share as estimated, bounds and wealth after each step.

    The share is the mean of the unbiased estimates so far. A bound is the last threshold of a grid that the
    bets have ruled out, or what arithmetic leaves. Of several ways in which void steps may come out, the
    least favourable; with too many of them, arithmetic alone.
    """
    firm, first = decision.firm.walk.n, decision.seen
    ways = list(_outcomes(decision))
    if not ways:
        arithmetic = _known(decision)
        rest = float(decision.sampling.value.sum()) - arithmetic.scored
        solved = float(
            sum(
                decision.sampling.value[one.item]
                for one, y in zip(decision.steps, first, strict=False)
                if y == 0
            )
        )
        return (
            Point(
                len(first), arithmetic.scored, arithmetic.scored, arithmetic.scored + rest - solved
            ),
        )
    known = [y or 0 for y in first[:firm]]
    paths = [_path(decision, [*known, *rest]) for rest in ways]
    return tuple(
        Point(
            points[0].n,
            min(point.share for point in points),
            min(point.low for point in points),
            max(point.high for point in points),
            min(point.e_above or 0.0 for point in points),
            min(point.e_below or 0.0 for point in points),
        )
        for points in zip(*paths, strict=True)
    )


def _path(decision: Adaptive, outcomes: list[int]) -> list[Point]:
    """The path under known *outcomes* of all steps."""
    sampling, rule = decision.sampling, decision.sampling.rule
    walk, sequence = active.begin(sampling), BetSequence.of(rule)
    low, high, estimates, told = 0.0, 1.0, 0.0, []
    for one, y in zip(decision.steps, outcomes, strict=False):
        found = active.estimated(sampling, walk, one.item, y, one.p, one.weights)
        estimates += found.expected + found.seen
        sequence = sequence.after(found, rule)
        walk = active.advance(sampling, walk, one.item, y, one.p, one.weights)
        rest = float(sampling.value[walk.left].sum())
        low = max(low, walk.scored, sequence.ends[0])
        high = min(high, walk.scored + rest, sequence.ends[1])
        share = float(np.clip(estimates / walk.n, walk.scored, walk.scored + rest))
        told.append(Point(walk.n, share, low, high, walk.e_above, walk.e_below))
    return told


def _write_p(p: IntArray) -> str:
    """Expectations in units of 2^-20 as base64 of three bytes each."""
    return b64encode(p.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()).decode()


def _read_p(text: str, count: int, place: str) -> IntArray:
    """What `_write_p` wrote for *count* items.

    Raises: Tampered at *place*, if it is no such text.
    """
    try:
        content = b64decode(text, validate=True)
    except NotBase64 as error:
        raise Tampered(place, f"what was expected of the items is not told ({error})") from error
    if len(content) != _P_BYTES * count:
        raise Tampered(place, f"what was expected is not told of all {count} items")
    parts = np.frombuffer(content, dtype=np.uint8).reshape(-1, _P_BYTES).astype(np.int64)
    told: IntArray = (parts[:, 0] << 16) + (parts[:, 1] << 8) + parts[:, 2]
    return told
