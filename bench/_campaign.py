"""Many walks of one active decision at a time, for campaigns that count its errors.

Each row of a block is a walk of its own, with its own seed and answers; a row that ends makes place for
the next. Every step draws and bets as `leadline.core.measure.active` does: the same whole-number chances,
the same items, wealth alike to 1e-9 (sums are taken in another order). `tests/core/test_decision_errors.py`
holds both beside each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from leadline.core.measure.active import (
    BET_HIGH,
    BET_LOW,
    INSIDE_ONE,
    KAPPAS,
    P_HIGH,
    P_LOW,
    PLANNER_MIN,
    PLANNER_SURE,
    UNIT,
    Design,
    uniform,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Bend = Callable[[FloatArray], FloatArray]

BLOCK = 128  # walks at a time: their arrays stay in a processor's own memory
ABOVE, BELOW, INSIDE = 1, -1, 2
STATES = {ABOVE: "above", BELOW: "below", INSIDE: "inside_zone"}


@dataclass(frozen=True, slots=True)
class Ends:
    """How each walk ended: *state* (`ABOVE`, `BELOW`, `INSIDE`), items used, wealth, misfit, and the order.

    *order* holds item numbers, -1 after the last one drawn.
    """

    state: IntArray
    n: IntArray
    e_above: FloatArray
    e_below: FloatArray
    misfit: npt.NDArray[np.bool_]
    order: IntArray


def seeds_of(name: str, count: int) -> list[bytes]:
    """As many seeds as wanted, of their own for each *name*."""
    return [sha256(f"leadline/campaign/v1\0{name}\0{n}".encode()).digest() for n in range(count)]


def constant(p: FloatArray) -> FloatArray:
    """Predictions that know nothing: one half for every item."""
    return np.full_like(p, UNIT / 2)


def turned(p: FloatArray) -> FloatArray:
    """Predictions turned round, 1 - p: an adversary's."""
    turned_round: FloatArray = UNIT - p
    return turned_round


def walks(
    design: Design,
    answers: FloatArray,
    seeds: Sequence[bytes],
    *,
    batch: int = 1,
    bend: Bend | None = None,
    alarm: bool = False,
) -> Ends:
    """Walk once for each seed; *answers* is one row for all walks, or one for each.

    Predictions and chances are those of the start of each *batch*, less what was drawn, as in
    `leadline.core.measure.adaptive`; a walk ends where it concludes, also within a batch. *bend* replaces
    what the model predicts, in whole units, before anything is drawn. The planner is asked only with
    *alarm*; without it no misfit is told.
    """
    rows = np.broadcast_to(np.atleast_2d(answers), (len(seeds), len(design.bank.items)))
    told = _empty(*rows.shape)
    block = _Block(design, rows, seeds, told, batch=batch, bend=bend, alarm=alarm)
    while block.size:
        block.step()
    return told


def _empty(count: int, items: int) -> Ends:
    return Ends(
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count, dtype=bool),
        np.full((count, items), -1, dtype=np.int64),
    )


class _Block:
    """The walks under way, a row each."""

    def __init__(
        self,
        design: Design,
        answers: FloatArray,
        seeds: Sequence[bytes],
        told: Ends,
        *,
        batch: int,
        bend: Bend | None,
        alarm: bool,
    ) -> None:
        self.design, self.answers, self.seeds, self.told = design, answers, seeds, told
        self.batch, self.bend, self.alarm = batch, bend, alarm
        self.curves = np.ascontiguousarray(design.curves.T)
        self.chances = _Chances(design)
        self.size = min(BLOCK, len(seeds))
        self.waiting = self.size
        items = len(design.bank.items)
        self.id = np.arange(self.size)
        self.n = np.zeros(self.size, dtype=np.int64)
        self.left = np.ones((self.size, items))
        self.p, self.weights = (np.zeros((self.size, items)) for _ in range(2))
        self.posterior = np.tile(design.prior, (self.size, 1))
        self.scored = np.zeros(self.size)
        self.up, self.down = (np.zeros((self.size, len(KAPPAS))) for _ in range(2))
        self.sure = np.zeros(self.size, dtype=np.int64)

    def step(self) -> None:
        """One more item for every walk, and fresh walks in place of those that ended."""
        self._expect()
        ends = np.cumsum(self.weights, axis=1)
        total, items = ends[:, -1].copy(), self._drawn(ends)
        y = self.answers[self.id, items]
        self._bet(total, items, y)
        self._move(items, y)
        if self.alarm:
            self._plan()
        self._end()

    def _expect(self) -> None:
        """Predictions and chances anew where a batch begins, and without what was drawn elsewhere."""
        if self.batch == 1:
            begun: slice | npt.NDArray[np.intp] = slice(None)
        else:
            begun = np.flatnonzero(self.n % self.batch == 0)
            self.weights *= self.left
        p = np.rint(np.clip(self._belief()[begun] @ self.curves, P_LOW, P_HIGH) * UNIT)
        p = p if self.bend is None else self.bend(p)
        self.p[begun] = p
        self.weights[begun] = self.chances.of(p * (UNIT - p), self.left[begun])

    def _belief(self) -> FloatArray:
        """The weight of each ability, walks x nodes."""
        shifted = (self.posterior - self.posterior.max(axis=1, keepdims=True)) / UNIT
        weight = np.exp(shifted)
        told: FloatArray = weight / weight.sum(axis=1, keepdims=True)
        return told

    def _drawn(self, ends: FloatArray) -> IntArray:
        bits = [
            uniform(self.seeds[at], step + 1)
            for at, step in zip(self.id.tolist(), self.n.tolist(), strict=True)
        ]
        totals = ends[:, -1].astype(np.int64).tolist()
        targets = [(total * one) >> 53 for total, one in zip(totals, bits, strict=True)]
        told: IntArray = (ends <= np.array(targets, dtype=np.float64)[:, None]).sum(axis=1)
        return told

    def _bet(self, total: FloatArray, items: IntArray, y: FloatArray) -> None:
        p, weights = self.p, self.weights
        value, rule, at = self.design.value, self.design.rule, np.arange(self.size)
        expected = self.scored + (self.left * p) @ value / UNIT
        inverse = (self.left * value) / np.maximum(weights, 1.0)  # value / q, but for the total
        loss = p * inverse
        lowest = -loss.max(axis=1) * (total / UNIT)
        highest = (UNIT * inverse - loss).max(axis=1) * (total / UNIT)
        spread = (loss * (UNIT - p)) @ value * (total / UNIT**2)
        seen = (y - p[at, items] / UNIT) * inverse[at, items] * total
        self.up += _bets(
            expected - (rule.threshold - rule.zone), spread, (lowest, highest), seen, 1
        )
        self.down += _bets(
            expected - (rule.threshold + rule.zone), spread, (lowest, highest), seen, -1
        )

    def _move(self, items: IntArray, y: FloatArray) -> None:
        won, lost = self.design.gains
        share = y[:, None]
        self.posterior += np.rint(share * won[items] + (1 - share) * lost[items]).astype(np.int64)
        self.scored += self.design.value[items] * y
        self.left[np.arange(self.size), items] = 0.0
        self.told.order[self.id, self.n] = items
        self.n += 1

    def _plan(self) -> None:
        """Note what the planner is sure of first, as `active.planner` tells."""
        design = self.design
        asked = (self.sure == 0) & (self.n >= PLANNER_MIN)
        if not asked.any():
            return
        value, left = design.value, self.left[asked]
        mean = self.scored[asked, None] + (left * value) @ design.curves
        var = (left * value**2) @ (design.curves * (1 - design.curves))
        half = 0.5 / len(value)
        spread = np.sqrt(np.maximum(var, 1e-12) / design.rule.tau)
        z = (mean - design.rule.threshold + half) / spread
        chance = (self._belief()[asked] * ndtr(z)).sum(axis=1)
        sure = np.where(chance > PLANNER_SURE, ABOVE, np.where(chance < 1 - PLANNER_SURE, BELOW, 0))
        self.sure[asked] = sure

    def _end(self) -> None:
        """Tell of the walks that ended, and begin others in their place."""
        rule = self.design.rule
        e_above, e_below = np.exp(self.up).mean(axis=1), np.exp(self.down).mean(axis=1)
        sure_above = self.scored >= rule.threshold - rule.zone - 1e-12
        sure_below = (
            self.scored + self.left @ self.design.value < rule.threshold + rule.zone - 1e-12
        )
        above = sure_above | (e_above >= 1 / rule.alpha_above)
        below = sure_below | (e_below >= 1 / rule.alpha_below)
        both = INSIDE if rule.zone > 0 else np.where(sure_above, ABOVE, BELOW)
        state = np.where(above & below, both, np.where(above, ABOVE, np.where(below, BELOW, 0)))
        ended = np.flatnonzero(state)
        if not len(ended):
            return
        told, which = self.told, self.id[ended]
        told.state[which], told.n[which] = state[ended], self.n[ended]
        told.e_above[which], told.e_below[which] = e_above[ended], e_below[ended]
        opposed = (self.sure[ended] != 0) & (self.sure[ended] != state[ended])
        told.misfit[which] = opposed & (state[ended] != INSIDE)
        self._renew(ended)

    def _renew(self, ended: npt.NDArray[np.intp]) -> None:
        fresh = ended[: len(self.seeds) - self.waiting]
        self.id[fresh] = np.arange(self.waiting, self.waiting + len(fresh))
        self.waiting += len(fresh)
        for array in (self.n, self.scored, self.up, self.down, self.sure):
            array[fresh] = 0
        self.left[fresh], self.posterior[fresh] = 1.0, self.design.prior
        gone = ended[len(fresh) :]
        if len(gone):
            for name in (
                "id",
                "n",
                "left",
                "p",
                "weights",
                "posterior",
                "scored",
                "up",
                "down",
                "sure",
            ):
                setattr(self, name, np.delete(getattr(self, name), gone, axis=0))
            self.size -= len(gone)


class _Chances:
    """`active.chances` over a block of walks; whole numbers below 2^52, which floats hold exactly."""

    def __init__(self, design: Design) -> None:
        rule = design.rule
        self.floor = float(round(rule.floor * UNIT))
        self.part = round(rule.family_share * UNIT)
        self.place, weights, value = design.shares
        self.weights = np.array(weights, dtype=np.int64)
        self.value = value.astype(np.float64)
        self.member = (self.place[:, None] == np.arange(len(weights))).astype(np.float64)

    def of(self, product: FloatArray, left: FloatArray) -> FloatArray:
        """The weight of each item's draw; *product* is p (UNIT - p)."""
        spread = np.floor(np.sqrt(product))
        inside: FloatArray = np.maximum(spread, self.floor) * left
        if len(self.weights) == 1:
            return inside
        held, total = left @ self.member, inside @ self.member
        need = ((left * self.value * spread) @ self.member).astype(np.int64)
        open_ = held > 0
        by_weight = self.part * self.weights // (open_ @ self.weights)[:, None]
        by_need = (UNIT - self.part) * need // np.maximum(need.sum(axis=1), 1)[:, None]
        of_family = np.where(open_, by_need + by_weight, 0).astype(np.float64)
        near = np.floor(inside * INSIDE_ONE / np.maximum(total, 1.0)[:, self.place])
        even = np.floor(INSIDE_ONE / np.maximum(held, 1.0))[:, self.place]
        mixed = np.floor((7 * near + 3 * even) / 10)
        whole = np.floor(of_family[:, self.place] * mixed / 1024)
        told: FloatArray = np.maximum(1.0, whole) * left
        return told


def _bets(
    base: FloatArray,
    spread: FloatArray,
    extremes: tuple[FloatArray, FloatArray],
    seen: FloatArray,
    side: int,
) -> FloatArray:
    """Growth of each bettor's log wealth, walks x strengths, as `active` bets."""
    worst = -(base + extremes[0]) if side > 0 else base + extremes[1]
    most = 1 / np.maximum(worst, 1e-9)
    best = side * base / (base * base + spread)
    stake = np.clip(best, BET_LOW * most, BET_HIGH * most)
    told: FloatArray = np.log1p(side * KAPPAS * (stake * (base + seen))[:, None])
    return told
