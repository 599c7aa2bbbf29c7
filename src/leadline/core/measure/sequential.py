"""One decision against a threshold, valid whenever one stops, and its replayable log.

Invariants: items are drawn in an order that the seed fixed before the first run; a step, once drawn,
is never dropped: a void result (our own infrastructure failed) keeps its step, counts against both
conclusions until the item was run again, and stays in the log beside the later result; the chance of
a wrong ``above`` is at most alpha_above and of a wrong ``below`` at most alpha_below, however often
the state is read. A stop for any reason is valid, and so is resuming; starting over with a new seed
is not. All statements hold for this suite under this elicitation.

The model plans, the design certifies: `Plan.design` names the sampling design whose randomness alone
supports the decision. This version has ``srswor``, simple random sampling without replacement.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from typing import Literal

from leadline.core.errors import Invalid, Refused, Tampered
from leadline.core.measure.estimate import Code, Estimand, Json
from leadline.core.measure.interval import in_100
from leadline.core.measure.order import draw_all
from leadline.core.measure.without_replacement import Table, bounds, evidence, wor_table

Design = Literal["srswor", "active"]
_GENESIS = b"leadline/decision/v1\x00"
_RATIO_MAX = 10**300


class State(StrEnum):
    """What the runs so far say about the share of the suite; a statistical statement, no more."""

    UNDECIDED = "undecided"
    ABOVE = "above"
    BELOW = "below"
    INSIDE_ZONE = "inside_zone"
    EXHAUSTED = "exhausted"  # the budget of the plan ended first; there is no tie-break


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is fixed before the first run; its digest opens the log.

    *families* names the family of each item, in step with *items*; *weights* must be None for
    ``srswor``, whose statement is about the unweighted share. *zone* is half the width of the
    indifference zone, as a fraction of 1. *max_runs* counts void runs too.
    """

    suite_digest: str
    items: tuple[str, ...]
    families: tuple[str, ...]
    threshold: float
    alpha_above: float
    alpha_below: float
    seed_commitment: str
    zone: float = 0.0
    weights: tuple[float, ...] | None = None
    estimand: Estimand = "realised"
    design: Design = "srswor"
    max_runs: int | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.design != "srswor":
            problem = f"this version decides by 'srswor' only, not by {self.design!r}"
            raise Invalid("design", f"{problem}: it has no item response fit to choose items with")
        if self.estimand != "realised":
            problem = "'srswor' decides about the realised share of a fixed suite only"
            raise Invalid("estimand", f"{problem}; use 'realised'")
        if self.weights is not None:
            raise Invalid(
                "weights", "'srswor' is exact for the unweighted share only; leave them out"
            )
        if len(set(self.items)) != len(self.items) or len(self.families) != len(self.items):
            raise Invalid("items", "every item must differ and have one family")
        for name, value in (("max_runs", self.max_runs), ("max_tokens", self.max_tokens)):
            if value is not None and value < 1:
                raise Invalid(name, "a budget is at least 1; leave it out for none")
        self.table()

    def table(self) -> Table:
        """The decision table; anyone can check a decision with it by hand."""
        return wor_table(
            len(self.items), self.threshold, self.alpha_above, self.alpha_below, self.zone
        )

    def to_dict(self) -> dict[str, Json]:
        """Every field; numbers that are not whole are decimals in text, so that they digest alike."""
        return {
            "suite_digest": self.suite_digest,
            "items": list(self.items),
            "families": list(self.families),
            "threshold": repr(self.threshold),
            "alpha_above": repr(self.alpha_above),
            "alpha_below": repr(self.alpha_below),
            "zone": repr(self.zone),
            "estimand": self.estimand,
            "design": self.design,
            "max_runs": self.max_runs,
            "max_tokens": self.max_tokens,
            "seed_commitment": self.seed_commitment,
        }

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical JSON of `to_dict`."""
        return _digest(self.to_dict())


@dataclass(frozen=True, slots=True)
class Draw:
    """Run *item* as step *step* (from 1). It was drawn with chance *weight* / *total*."""

    step: int
    item: str
    epoch: int
    weight: int
    total: int

    @property
    def q(self) -> float:
        """The chance of this draw, given the ones before it."""
        return self.weight / self.total


@dataclass(frozen=True, slots=True)
class Result:
    """What the run of a draw showed: *y* is 1 or 0, None when void. *cost* is in tokens.

    *sample* is the digest of the sample's log.
    """

    step: int
    y: int | None
    cost: int = 0
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log: the draw, what it showed, and the hash of the line before."""

    previous: str
    step: int
    item: str
    epoch: int
    weight: int
    total: int
    y: int | None
    cost: int
    sample: str

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical JSON of all fields; the next record's *previous*."""
        return _digest(self.to_dict())

    def to_dict(self) -> dict[str, Json]:
        """JSON-safe, whole numbers and text only."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where the decision stands.

    *decided_at* is the step at which *state* was reached, 0 while there is none. *e_above* and
    *e_below* say how many times less plausible the nearest share on the other side has become (None:
    impossible by arithmetic). *score_bounds* are the shares that the exact sequence still holds.
    *void* steps have no valid result yet and count against both conclusions. *planner* is empty: no
    model takes part in this design.
    """

    state: State
    decided_at: int
    e_above: float | None
    e_below: float | None
    score_bounds: tuple[float, float]
    n: int
    successes: int
    void: int
    runs: int
    tokens: int
    n_items: int
    method: str = "exact confidence sequence, simple random order without replacement"
    estimand: Estimand = "realised"
    planner: str = ""
    alarms: tuple[Code, ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """JSON-safe."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"score_bounds": list(self.score_bounds), "alarms": list(self.alarms)}


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision under way: a value; `update` answers a new one. Made by `start` or `resume`.

    *seen* holds the last result of every step drawn so far, in step order.
    """

    plan: Plan
    seed: bytes = field(repr=False)
    order: tuple[str, ...] = field(repr=False)
    table: Table = field(repr=False)
    log: tuple[Record, ...] = ()
    seen: tuple[int | None, ...] = ()
    state: State = State.UNDECIDED
    decided_at: int = 0
    overturned: bool = False

    @classmethod
    def start(cls, plan: Plan, seed: bytes) -> "Decision":
        """Nothing run yet.

        Raises: Invalid, if the seed is shorter than 128 bits.
        """
        return cls(plan, seed, draw_all(seed, plan.items), plan.table())

    @property
    def head(self) -> str:
        """The digest that the next record must name."""
        if self.log:
            return self.log[-1].digest
        message = bytes.fromhex(self.plan.digest) + sha256(self.seed).digest()
        return sha256(_GENESIS + message).hexdigest()

    def next_items(self, batch: int) -> tuple[Draw, ...]:
        """Up to *batch* draws to run next: void steps again first, then new ones.

        Empty once a state is reached. A pure question: asking twice gives the same draws.
        """
        if batch < 1:
            raise Invalid("batch", f"{batch} is no number of draws")
        if self._current() is not State.UNDECIDED:
            return ()
        if self.plan.max_runs is not None:
            batch = min(batch, self.plan.max_runs - len(self.log))
        again = [step for step, y in enumerate(self.seen, 1) if y is None]
        fresh = range(len(self.seen) + 1, len(self.order) + 1)
        return tuple(self._draw(step) for step in [*again, *fresh][:batch])

    def update(self, results: Iterable[Result]) -> "Decision":
        """The decision with *results* logged, in order of step.

        Raises: Invalid, for a score other than 0 or 1, a step that leaves a gap or already has a
        valid result; Refused, past the plan's *max_runs*.
        """
        decision = self
        for result in sorted(results, key=lambda one: one.step):
            decision = decision._logged(result)
        return decision

    def status(self) -> Status:
        """Where the decision stands after the last result."""
        n_items, seen = len(self.order), len(self.seen)
        solved, void = self._counts()
        low, high = self.table.low_total, self.table.high_total
        against = evidence(n_items, low, seen, solved) if low * seen < solved * n_items else 1
        favour = solved + void
        beyond = evidence(n_items, high, seen, favour) if high * seen > favour * n_items else 1
        alphas = (self.plan.alpha_above, self.plan.alpha_below)
        alarms = ((Code.VOID_RESULTS,) if any(line.y is None for line in self.log) else ()) + (
            (Code.ENUMERATION_OVERTURNED,) if self.overturned else ()
        )
        return Status(
            state=self._current(),
            decided_at=self.decided_at,
            e_above=_times(against),
            e_below=_times(beyond),
            score_bounds=(
                bounds(n_items, seen, solved, *alphas)[0],
                bounds(n_items, seen, favour, *alphas)[1],
            ),
            n=seen,
            successes=solved,
            void=void,
            runs=len(self.log),
            tokens=sum(line.cost for line in self.log),
            n_items=n_items,
            alarms=alarms,
        )

    def _counts(self) -> tuple[int, int]:
        """Successes, and steps without a valid result."""
        return sum(y == 1 for y in self.seen), sum(y is None for y in self.seen)

    def _current(self) -> State:
        """The state, `EXHAUSTED` where the plan's budget ended without one."""
        plan, tokens = self.plan, sum(line.cost for line in self.log)
        spent = (plan.max_runs is not None and len(self.log) >= plan.max_runs) or (
            plan.max_tokens is not None and tokens >= plan.max_tokens
        )
        return State.EXHAUSTED if spent and self.state is State.UNDECIDED else self.state

    def _draw(self, step: int) -> Draw:
        return Draw(step, self.order[step - 1], 1, 1, len(self.order) - step + 1)

    def _logged(self, result: Result) -> "Decision":
        if not (result.y is None or type(result.y) is int) or result.y not in {0, 1, None}:
            raise Invalid("results", f"step {result.step}: y is 0, 1 or None, not {result.y!r}")
        if result.cost < 0:
            raise Invalid(
                "results", f"step {result.step}: a cost of {result.cost} tokens cannot be"
            )
        new = result.step == len(self.seen) + 1 <= len(self.order)
        again = 1 <= result.step <= len(self.seen) and self.seen[result.step - 1] is None
        if not new and not again:
            problem = f"step {result.step} has a valid result already, leaves a gap or is no step"
            raise Invalid("results", f"{problem}; the next new step is {len(self.seen) + 1}")
        if self.plan.max_runs is not None and len(self.log) >= self.plan.max_runs:
            raise Refused(f"the plan allows {self.plan.max_runs} runs, and all were made")
        draw = self._draw(result.step)
        record = Record(
            self.head,
            draw.step,
            draw.item,
            draw.epoch,
            draw.weight,
            draw.total,
            result.y,
            result.cost,
            result.sample,
        )
        seen = (*self.seen[: result.step - 1], result.y, *self.seen[result.step :])
        return replace(self, log=(*self.log, record), seen=seen)._judged()  # noqa: SLF001 -- its own class

    def _judged(self) -> "Decision":
        """The state after the last record.

        The first state reached stands, until every item has a valid result: then the full table
        speaks, without error.
        """
        seen, (solved, void) = len(self.seen), self._counts()
        found = _state(self.table.above(seen, solved), self.table.below(seen, solved + void))
        if seen == len(self.order) and not void:
            if found is self.state:
                return self
            return replace(
                self, state=found, decided_at=seen, overturned=self.state is not State.UNDECIDED
            )
        if self.state is State.UNDECIDED and found is not State.UNDECIDED:
            return replace(self, state=found, decided_at=seen)
        return self


def _state(above: bool, below: bool) -> State:  # noqa: FBT001 -- the two rejections
    if above and below:
        return State.INSIDE_ZONE
    return State.ABOVE if above else State.BELOW if below else State.UNDECIDED


def resume(plan: Plan, seed: bytes, log: Sequence[Record]) -> Decision:
    """The decision that *log* led to, every draw and hash recomputed.

    Raises: Tampered, at the first record that does not recompute from plan, seed and the ones before.
    """
    decision = Decision.start(plan, seed)
    for number, line in enumerate(log, 1):
        place = f"decision log, record {number}"
        try:
            decision = decision.update([Result(line.step, line.y, line.cost, line.sample)])
        except (Invalid, Refused) as error:
            raise Tampered(place, str(error)) from error
        if decision.log[-1] != line:
            raise Tampered(place, "the draw or the hash chain does not recompute")
    return decision


def replay(plan: Plan, seed: bytes, log: Sequence[Record]) -> Status:
    """Where *log* led. Raises: Tampered, as `resume`."""
    return resume(plan, seed, log).status()


def path(plan: Plan, log: Sequence[Record]) -> tuple[tuple[int, float, float, float], ...]:
    """(steps, share solved, lower, upper bound) after each step, from the last result of each.

    A step that stayed void counts as unsolved in the share and the lower bound, as solved in the
    upper one.
    """
    final = {line.step: line.y for line in log}
    points, solved, void = [], 0, 0
    alphas = (plan.alpha_above, plan.alpha_below)
    for seen in sorted(final):
        solved, void = solved + (final[seen] == 1), void + (final[seen] is None)
        low, _ = bounds(len(plan.items), seen, solved, *alphas)
        _, high = bounds(len(plan.items), seen, solved + void, *alphas)
        points.append((seen, solved / seen, low, high))
    return tuple(points)


def read_record(record: Mapping[str, object], place: str = "decision log") -> Record:
    """Read back what `Record.to_dict` made.

    Raises: Tampered at *place*, for a missing, further or wrongly typed field.
    """
    texts, numbers = ("previous", "item", "sample"), ("step", "epoch", "weight", "total", "cost")
    right = all(isinstance(record.get(name), str) for name in texts) and all(
        type(record.get(name)) is int for name in numbers
    )
    y = record.get("y")
    if set(record) != set(Record.__slots__) or not right or not (y is None or type(y) is int):
        raise Tampered(place, f"a record holds {', '.join(Record.__slots__)} and nothing else")
    values: dict[str, object] = dict(record)
    return Record(**values)  # type: ignore[arg-type] # every field was checked above


def basis(plan: Plan, status: Status) -> str:
    """What was decided, on what and with which errors, in a sentence for the record."""
    settled = f"; settled at step {status.decided_at}" if status.decided_at else ""
    return (
        f"{status.successes} of {status.n} items solved, of {status.n_items} in the suite, drawn in a"
        f" committed random order{settled}: {_claim(plan, status.state)} ({status.method})."
    )


def _claim(plan: Plan, state: State) -> str:
    """What a state says about the share, with its error."""
    low, high = plan.threshold - plan.zone, plan.threshold + plan.zone
    above, below = in_100(plan.alpha_above), in_100(plan.alpha_below)
    match state:
        case State.ABOVE:
            return f"the suite's share solved is {low:.6g} or more, with error at most {above}"
        case State.BELOW:
            return f"the suite's share solved is below {high:.6g}, with error at most {below}"
        case State.INSIDE_ZONE:
            span = f"the suite's share solved lies from {low:.6g} to {high:.6g}"
            return f"{span}, with errors at most {above} and {below}"
        case _:
            return f"the runs do not settle on which side of {plan.threshold:.6g} the share lies"


def _times(ratio: Fraction | int | None) -> float | None:
    """A ratio as a float, capped where a float ends."""
    return None if ratio is None else float(min(ratio, _RATIO_MAX))


def _digest(value: Mapping[str, Json]) -> str:
    """SHA-256 over RFC 8785 JSON; the values hold no floats, which is where encodings part."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
