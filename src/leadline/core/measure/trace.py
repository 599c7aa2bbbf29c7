"""An active decision step by step: what it cost, what it stood at, what was still open.

Follows the order that was drawn and recomputes each bet, so that a picture or a table shows the very
path the conclusion came from, with the confidence sequence of the same bets (`bet_sequence`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import numpy.typing as npt

from leadline.core.errors import Invalid
from leadline.core.measure.active import (
    UNIT,
    Bank,
    Design,
    Rule,
    Walk,
    advance,
    begin,
    chances,
    concluded,
    estimated,
    planner,
    predictions,
)
from leadline.core.measure.bet_sequence import BetSequence
from leadline.core.measure.held_out import Holdout, Subject, Table, subjects


@dataclass(frozen=True, slots=True)
class TraceStep:
    """After *n* items.

    *log10_above* and *log10_below* are the decimal logarithms of the wealth on each side; *chance* is the
    planner's P(score >= threshold); *expected* what the model expects of the whole; *low* and *high* end
    the shares that are still in the sequence. *item* scored *y*; both are empty and 0 at the beginning.
    """

    n: int
    item: str
    y: float
    log10_above: float
    log10_below: float
    chance: float
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole path of one decision; *state* is what `active.decide` says of it."""

    rule: Rule
    items: int
    state: str
    steps: tuple[TraceStep, ...]


def trace(bank: Bank, rule: Rule, order: Sequence[int], scores: Sequence[float]) -> Trace:
    """The path of a decision by *rule* that drew the items *order* of *bank* and saw *scores*.

    *order* holds places in the bank, in the order drawn one by one; *scores* has one entry for each.

    Raises: Invalid, if the two differ in length, a score lies outside [0, 1], or an item is not in the
    bank or comes twice.
    """
    if len(order) != len(scores):
        raise Invalid("scores", f"{len(scores)} for {len(order)} items; one each is due")
    wrong = next((one for one in order if not 0 <= one < len(bank.items)), None)
    if wrong is not None:
        raise Invalid("order", f"{wrong} is no place among {len(bank.items)} items")
    design = Design(bank, rule)
    walk, sequence = begin(design), BetSequence.of(rule)
    p = predictions(design, walk)
    steps = [_step(design, walk, p, sequence, ("", 0.0, (0.0, 1.0)))]
    for item, y in zip(order, scores, strict=True):
        weights = chances(design, walk, p)
        after = advance(design, walk, item, y, p, weights)
        sequence = sequence.after(estimated(design, walk, item, y, p, weights), rule)
        walk, p = after, predictions(design, after)
        held = (steps[-1].low, steps[-1].high)
        steps.append(_step(design, walk, p, sequence, (bank.items[item], y, held)))
    return Trace(rule, len(bank.items), concluded(design, walk) or "exhausted", tuple(steps))


def subject_of(table: Table, holdout: Holdout, model: str) -> Subject:
    """*model* as `held_out.subjects` gives it, without the fits for all others; *row* is not kept.

    Raises: Invalid, if *model* is not in the table or is one that difficulties come from.
    """
    if model not in table.models:
        raise Invalid("model", f"{model!r:.80} is not in the table")
    at = table.models.index(model)
    first = len(table.models) // 2 if holdout == "temporal" else 0
    if at < first:
        raise Invalid("model", f"{model!r:.80} is among those that difficulties come from")
    rest = [number for number in range(len(table.models)) if number != at]
    rows = [*rest[:first], at, *rest[first:]]
    moved = replace(
        table, models=tuple(table.models[row] for row in rows), scores=table.scores[rows]
    )
    return next(iter(subjects(moved, holdout)))


def _step(
    design: Design,
    walk: Walk,
    p: npt.NDArray[np.int64],
    sequence: BetSequence,
    seen: tuple[str, float, tuple[float, float]],
) -> TraceStep:
    """*seen*: the item, its score, and the ends of the sequence so far."""
    value = design.value
    item, y, held = seen
    rest = float(value[walk.left].sum())
    low, high = sequence.ends
    return TraceStep(
        n=walk.n,
        item=item,
        y=y,
        log10_above=walk.log_above / log(10),
        log10_below=walk.log_below / log(10),
        chance=planner(design, walk),
        expected=walk.scored + float((value * p / UNIT)[walk.left].sum()),
        low=max(low, walk.scored, held[0]),
        high=min(high, walk.scored + rest, held[1]),
    )
