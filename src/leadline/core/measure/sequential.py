"""What is decided against a threshold, and the log that lets anyone work it out again.

Invariants: items are drawn by chances that follow from the seed, the plan and the results before, and
the seed was fixed before the first run; a step, once drawn, is never dropped: a void result (our own
infrastructure failed) keeps its step, counts against both conclusions until the item was run again, and
stays in the log beside the later result; the chance of a wrong ``above`` is at most alpha_above and of a
wrong ``below`` at most alpha_below, however often the state is read. A stop for any reason is valid, and
so is resuming; starting over with a new seed is not. All statements hold for this suite under this
elicitation.

The model plans, the design certifies: `Plan.design` names the sampling design whose randomness alone
supports the decision. ``active`` is betting on items drawn by chances that a model of their difficulty
proposes (`adaptive`, the certificate); ``srswor`` is simple random sampling without replacement
(`in_order`, the check: a table that anybody can follow by hand).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol, Self

from leadline.core.errors import Invalid, Tampered
from leadline.core.measure.active import KAPPAS, Bank, Rule
from leadline.core.measure.active import Design as Sampling
from leadline.core.measure.estimate import Code, Estimand, Json
from leadline.core.measure.interval import in_100
from leadline.core.measure.without_replacement import Table, wor_table

_GENESIS = b"leadline/decision/v1\x00"
_BETS = ("p", "up", "down")  # fields of the design `active` alone


class Design(StrEnum):
    """How items are drawn, which alone supports the decision."""

    ACTIVE = "active"
    SRSWOR = "srswor"


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

    *families* names the family of each item, in step with *items*. *zone* is half the width of the
    indifference zone, as a fraction of 1. *max_runs* counts void runs too.

    Of the design ``active`` alone: *weights* are of the families and sum to 1 (none: the plain share);
    *discriminations* and *difficulties* are of the items, in logits (none: 1 and 0 for all), *tau*,
    *floor* and *family_share* as in `active.Rule`; draws are made *batch* at a time, by chances fixed
    at the start of each batch. ``srswor`` makes no use of them and refuses weights and difficulties.
    """

    suite_digest: str
    items: tuple[str, ...]
    families: tuple[str, ...]
    threshold: float
    alpha_above: float
    alpha_below: float
    seed_commitment: str
    zone: float = 0.0
    weights: Mapping[str, float] | None = None
    estimand: Estimand = "realised"
    design: Design = Design.SRSWOR
    discriminations: tuple[float, ...] = ()
    difficulties: tuple[float, ...] = ()
    tau: float = 0.5
    floor: float = 0.15
    family_share: float = 0.5
    batch: int = 1
    max_runs: int | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.design, Design):
            raise Invalid("design", f"{self.design!r} is neither 'active' nor 'srswor'")
        if self.estimand != "realised":
            problem = "the decision is about the realised share of a fixed suite only"
            raise Invalid("estimand", f"{problem}; use 'realised'")
        if len(set(self.items)) != len(self.items) or len(self.families) != len(self.items):
            raise Invalid("items", "every item must differ and have one family")
        for name, value in (("max_runs", self.max_runs), ("max_tokens", self.max_tokens)):
            if value is not None and value < 1:
                raise Invalid(name, "a budget is at least 1; leave it out for none")
        if self.batch < 1:
            raise Invalid("batch", f"{self.batch} is no number of draws")
        if self.design is Design.ACTIVE:
            self.sampling()
            return
        if self.weights is not None:
            raise Invalid(
                "weights", "'srswor' is exact for the unweighted share only; leave them out"
            )
        if self.discriminations or self.difficulties:
            raise Invalid("difficulties", "'srswor' makes no use of them; leave them out")
        self.table()

    def sampling(self) -> Sampling:
        """The tables of the design ``active``.

        Raises: Invalid, for difficulties or weights that do not fit the items.
        """
        size = len(self.items)
        bank = Bank(
            self.items,
            self.discriminations or (1.0,) * size,
            self.difficulties or (0.0,) * size,
            self.families,
            self.weights or {},
        )
        alphas = (self.alpha_above, self.alpha_below)
        rule = Rule(self.threshold, *alphas, self.zone, self.tau, self.floor, self.family_share)
        return Sampling(bank, rule)

    def table(self) -> Table:
        """The table of the design ``srswor``; anyone can check a decision with it by hand."""
        return wor_table(
            len(self.items), self.threshold, self.alpha_above, self.alpha_below, self.zone
        )

    def to_dict(self) -> dict[str, Json]:
        """Every field; numbers that are not whole are decimals in text, so that they digest alike."""
        told: dict[str, Json] = {
            "suite_digest": self.suite_digest,
            "items": list(self.items),
            "families": list(self.families),
            "threshold": repr(self.threshold),
            "alpha_above": repr(self.alpha_above),
            "alpha_below": repr(self.alpha_below),
            "zone": repr(self.zone),
            "estimand": self.estimand,
            "design": str(self.design),
            "max_runs": self.max_runs,
            "max_tokens": self.max_tokens,
            "seed_commitment": self.seed_commitment,
        }
        if self.design is Design.ACTIVE:
            weights = {name: repr(value) for name, value in (self.weights or {}).items()}
            told |= {
                "weights": weights,
                "discriminations": [repr(float(value)) for value in self.discriminations],
                "difficulties": [repr(float(value)) for value in self.difficulties],
                "kappas": [repr(float(value)) for value in KAPPAS],
                "tau": repr(self.tau),
                "floor": repr(self.floor),
                "family_share": repr(self.family_share),
                "batch": self.batch,
            }
        return told

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
    """One line of the log: the draw, what it showed, and the hash of the line before.

    Of the design ``active`` alone: *p*, with the first draw of a batch, is what was expected of every item
    (base64 of three bytes each, in 1 / 2^20); *up* and *down* are the logarithms of the wealth on both
    sides, in millionths, none while a step before is void.
    """

    previous: str
    step: int
    item: str
    epoch: int
    weight: int
    total: int
    y: int | None
    cost: int
    sample: str
    p: str | None = None
    up: int | None = None
    down: int | None = None

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical JSON of all fields; the next record's *previous*."""
        return _digest(self.to_dict())

    def to_dict(self) -> dict[str, Json]:
        """JSON-safe, whole numbers and text only."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: value for name, value in told.items() if name not in _BETS or value is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where the decision stands.

    *decided_at* is the step at which *state* was reached, 0 while there is none. *e_above* and
    *e_below* are the evidence against the other side: how many times less plausible the nearest share
    there has become, or the wealth of the bets (None: impossible by arithmetic). *score_bounds* are the
    shares that cannot be ruled out yet. *void* steps have no valid result yet and count against both
    conclusions. *planner* is the model's chance that the share reaches the threshold, which decides
    nothing; None where no model takes part.
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
    planner: float | None = None
    alarms: tuple[Code, ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """JSON-safe."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"score_bounds": list(self.score_bounds), "alarms": list(self.alarms)}


def read_record(record: Mapping[str, object], place: str = "decision log") -> Record:
    """Read back what `Record.to_dict` made.

    Raises: Tampered at *place*, for a missing, further or wrongly typed field.
    """
    texts, numbers = ("previous", "item", "sample"), ("step", "epoch", "weight", "total", "cost")
    right = all(isinstance(record.get(name), str) for name in texts) and all(
        type(record.get(name)) is int for name in numbers
    )
    bets = isinstance(record.get("p", ""), str) and all(
        type(record.get(name, 0)) is int for name in ("up", "down")
    )
    y, names = record.get("y"), set(Record.__slots__)
    named = names - set(_BETS) <= set(record) <= names
    if not named or not right or not bets or not (y is None or type(y) is int):
        raise Tampered(place, f"a record holds {', '.join(Record.__slots__)} and nothing else")
    values: dict[str, object] = dict(record)
    return Record(**values)  # type: ignore[arg-type] # every field was checked above


@dataclass(frozen=True, slots=True)
class Point:
    """After *n* steps: the share as estimated so far, its sequential bounds, and the wealth of the bets.

    The wealth is there for the design ``active`` alone.
    """

    n: int
    share: float
    low: float
    high: float
    e_above: float | None = None
    e_below: float | None = None


class Decision(Protocol):
    """A decision under way: a value; `update` answers a new one.

    *seen* holds the last result of every step drawn so far, in step order.
    """

    @property
    def plan(self) -> Plan:
        """What was fixed before the first run."""

    @property
    def log(self) -> tuple[Record, ...]:
        """Every result, in the order in which they were logged."""

    @property
    def seen(self) -> tuple[int | None, ...]:
        """The last result of every step."""

    def next_items(self, batch: int) -> tuple[Draw, ...]:
        """Up to *batch* draws to run next: void steps again first, then new ones.

        Empty once a state is reached. A pure question: asking twice gives the same draws.
        """

    def update(self, results: Iterable[Result]) -> Self:
        """The decision with *results* logged, in order of step.

        Raises: Invalid, for a score other than 0 or 1, a step that leaves a gap, was not drawn or
        already has a valid result; Refused, past the plan's *max_runs*.
        """

    def follow(self, record: Record, place: str) -> Self:
        """The decision with *record* of a log entered, recomputed.

        Raises: Tampered at *place*, where it does not recompute.
        """

    def status(self) -> Status:
        """Where the decision stands after the last result."""


def head(plan: Plan, seed: bytes, log: tuple[Record, ...]) -> str:
    """The digest that the next record must name."""
    if log:
        return log[-1].digest
    message = bytes.fromhex(plan.digest) + sha256(seed).digest()
    return sha256(_GENESIS + message).hexdigest()


def spent(plan: Plan, log: tuple[Record, ...]) -> bool:
    """Whether the plan's budget has ended."""
    tokens = sum(line.cost for line in log)
    return (plan.max_runs is not None and len(log) >= plan.max_runs) or (
        plan.max_tokens is not None and tokens >= plan.max_tokens
    )


def check_result(result: Result, seen: tuple[int | None, ...], drawn: int) -> None:
    """Whether *result* may be logged after *seen*, when *drawn* steps have been drawn.

    Raises: Invalid.
    """
    if not (result.y is None or type(result.y) is int) or result.y not in {0, 1, None}:
        raise Invalid("results", f"step {result.step}: y is 0, 1 or None, not {result.y!r}")
    if result.cost < 0:
        raise Invalid("results", f"step {result.step}: a cost of {result.cost} tokens cannot be")
    new = result.step == len(seen) + 1 <= drawn
    again = 1 <= result.step <= len(seen) and seen[result.step - 1] is None
    if not new and not again:
        problem = f"step {result.step} has a valid result already, leaves a gap or was not drawn"
        raise Invalid("results", f"{problem}; the next new step is {len(seen) + 1}")


def state_of(above: bool, below: bool) -> State:  # noqa: FBT001 -- the two rejections
    """The state that follows from what is rejected on either side."""
    if above and below:
        return State.INSIDE_ZONE
    return State.ABOVE if above else State.BELOW if below else State.UNDECIDED


def basis(plan: Plan, status: Status) -> str:
    """What was decided, on what and with which errors, in a sentence for the record."""
    settled = f"; settled at step {status.decided_at}" if status.decided_at else ""
    how = (
        "drawn by committed chances that favour telling items"
        if plan.design is Design.ACTIVE
        else "drawn in a committed random order"
    )
    return (
        f"{status.successes} of {status.n} items solved, of {status.n_items} in the suite, {how}"
        f"{settled}: {_claim(plan, status.state)} ({status.method})."
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


def _digest(value: Mapping[str, Json]) -> str:
    """SHA-256 over RFC 8785 JSON; the values hold no floats, which is where encodings part."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
