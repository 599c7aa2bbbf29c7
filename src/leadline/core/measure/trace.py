"""An active decision step by step: what it cost, what it stood at, what was still open.

Follows the order that was drawn and recomputes each bet, so that a picture or a table shows the very
path the conclusion came from. Beside the wealth at the threshold it keeps the wealth at other shares by
the same draws: a share stays in the sequence until it and every share below it (above it) have been
rejected at 1 / alpha, which bounds the chance that the true share ever leaves by alpha on each side.

Source: design, statistics 5.1; Waudby-Smith and Ramdas, arXiv 2010.09686, for sequences from bets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import numpy.typing as npt

from leadline.core.errors import Invalid
from leadline.core.measure.active import (
    KAPPAS,
    UNIT,
    Bank,
    Design,
    Estimated,
    Rule,
    Walk,
    advance,
    begin,
    bets,
    chances,
    concluded,
    estimated,
    planner,
    predictions,
)
from leadline.core.measure.held_out import Holdout, Subject, Table, subjects

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
GRID = 400  # other shares are multiples of 1 / GRID: the sequence is as coarse as that


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
    walk, rivals = begin(design), _Rivals.of(rule)
    p = predictions(design, walk)
    steps = [_step(design, walk, p, rivals, ("", 0.0, (0.0, 1.0)))]
    for item, y in zip(order, scores, strict=True):
        weights = chances(design, walk, p)
        after = advance(design, walk, item, y, p, weights)
        rivals = rivals.after(estimated(design, walk, item, y, p, weights), rule)
        walk, p = after, predictions(design, after)
        held = (steps[-1].low, steps[-1].high)
        steps.append(_step(design, walk, p, rivals, (bank.items[item], y, held)))
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


@dataclass(frozen=True, slots=True)
class _Rivals:
    """Other shares, ascending, tested by the same draws: log wealth by bettor, and which were rejected."""

    shares: FloatArray
    up: FloatArray
    down: FloatArray
    too_low: BoolArray
    too_high: BoolArray

    @classmethod
    def of(cls, rule: Rule) -> "_Rivals":
        """None rejected yet; the ends of the zone are among them."""
        ends = [rule.threshold - rule.zone, rule.threshold + rule.zone]
        shares = np.unique([*np.linspace(0, 1, GRID + 1), *ends])
        nothing, none = np.zeros((len(KAPPAS), len(shares))), np.zeros(len(shares), dtype=bool)
        return cls(shares, nothing, nothing, none, none)

    def after(self, found: Estimated, rule: Rule) -> "_Rivals":
        """One draw later; a share once rejected stays so."""
        up = self.up + bets(found, self.shares, 1)
        down = self.down + bets(found, self.shares, -1)
        goals = (log(len(KAPPAS) / rule.alpha_above), log(len(KAPPAS) / rule.alpha_below))
        return _Rivals(
            self.shares,
            up,
            down,
            self.too_low | (np.logaddexp.reduce(up, axis=0) >= goals[0]),
            self.too_high | (np.logaddexp.reduce(down, axis=0) >= goals[1]),
        )

    @property
    def ends(self) -> tuple[float, float]:
        """The shares that, with all beyond them, were not rejected: lower and upper end."""
        low = int(np.argmin(self.too_low)) if not self.too_low.all() else len(self.shares)
        high = int(np.argmin(self.too_high[::-1])) if not self.too_high.all() else len(self.shares)
        return (
            float(self.shares[low - 1]) if low else 0.0,
            float(self.shares[len(self.shares) - high]) if high else 1.0,
        )


def _step(
    design: Design,
    walk: Walk,
    p: npt.NDArray[np.int64],
    rivals: _Rivals,
    seen: tuple[str, float, tuple[float, float]],
) -> TraceStep:
    """*seen*: the item, its score, and the ends of the sequence so far."""
    value = design.value
    item, y, held = seen
    rest = float(value[walk.left].sum())
    low, high = rivals.ends
    return TraceStep(
        n=walk.n,
        item=item,
        y=y,
        log10_above=_log10_mean(walk.up),
        log10_below=_log10_mean(walk.down),
        chance=planner(design, walk),
        expected=walk.scored + float((value * p / UNIT)[walk.left].sum()),
        low=max(low, walk.scored, held[0]),
        high=min(high, walk.scored + rest, held[1]),
    )


def _log10_mean(logs: FloatArray) -> float:
    """The decimal logarithm of the mean of wealths given by their natural logarithms."""
    return float((np.logaddexp.reduce(logs) - log(len(logs))) / log(10))
