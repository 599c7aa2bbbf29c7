"""Small regressions, fitted for thousands of replicates at once.

`logistic` takes one column a replicate, `censored_line` one row. Every objective here is convex, so
that a row that settles is at its only optimum; a row that does not settle is nan, never a number that looks
like one.

Sources: Kwa et al., arXiv 2503.14499 (the penalised logistic); Tobin 1958 and Olsen 1978 (the censored
normal regression, and the parameters in which it is concave).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PENALTY = 1e-5  # their C is 1 / PENALTY; the weights of a model sum to 1
EQUAL = 1e-12
STEPS_MAX, STEP_CAP = 100, 8.0
TOLERANCE = 1e-7  # of a Newton step that was still taken: what is left is its square
OVERSHOT = 0.5  # a step is halved while the slope at its end has turned and is more than this part
THINNED = 0.8  # of the columns must still move, or those that do are copied
FLOOR = 0.05  # sd in log2 units that one imagined observation has: three points may lie on a line
LINE_STEPS_MAX, LINE_TOLERANCE = 200, 1e-9
SHRUNK = 0.9  # of 1 / sd, the most that one step takes away
BISECTIONS = 24  # a slope's error enters the loss by its square
TINY = 1e-300


def logistic(
    x: FloatArray,
    solved: FloatArray,
    weight: FloatArray,
    *,
    start: tuple[float, float] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Slopes and intercepts of weighted logistic fits, one a column of *solved* and *weight*.

    Minimises sum(weight * softplus(z) - solved * z) + PENALTY / 2 * slope^2, z = slope * x + intercept, by
    Newton steps for all columns together; *x* has one value a row, *weight* what is solved and what is
    not. Every column needs both, *x* at least two values. *start* is a slope and an intercept to begin at;
    it moves no optimum. A column that does not settle within `STEPS_MAX` steps is nan.
    """
    pooled = weight.sum(axis=1)
    total = float(pooled.sum())
    centre = float(pooled @ x) / total
    spread = float(np.sqrt(pooled @ (x - centre) ** 2 / total))
    scaled = (x - centre) / spread
    basis = np.stack([np.ones_like(scaled), scaled, scaled * scaled])
    at = np.empty((2, weight.shape[1]))
    won = basis[:2] @ solved
    if start is None:
        share = won[0] / weight.sum(axis=0)
        at[0], at[1] = np.log(share / (1 - share)), 0.0
    else:
        at[0], at[1] = start[1] + start[0] * centre, start[0] * spread
    with np.errstate(over="ignore"):  # of exp far below: then p is nought
        _settle(at, won, weight, basis, PENALTY / (spread * spread))
    slope = at[1] / spread
    return slope, at[0] - slope * centre


def _settle(
    at: FloatArray, won: FloatArray, weight: FloatArray, basis: FloatArray, held: float
) -> None:
    """Moves every column of *at* (intercept, slope) to its optimum, in place; *won* is (1, x) @ solved."""
    open_, here, step = np.arange(at.shape[1]), at, np.zeros_like(at)
    rise = np.zeros(at.shape[1])  # of the objective along the last step, at its start
    going = np.ones(at.shape[1], dtype=bool)
    for _ in range(STEPS_MAX):
        gradient, newton = _newton(here, won, weight, basis, held)
        over = (gradient * step).sum(axis=0) < -OVERSHOT * rise
        ahead = (gradient * newton).sum(axis=0)
        if over.any():
            here = here + np.where(over, -step / 2, newton)
            step, rise = np.where(over, step / 2, newton), np.where(over, rise / 2, ahead)
        else:
            here, step, rise = here + newton, newton, ahead
        going = (np.abs(step).max(axis=0) > TOLERANCE) | over
        at[:, open_] = here
        left = int(np.count_nonzero(going))
        if not left:
            return
        if left < THINNED * len(open_):  # those that settled are left alone; copying has its price
            open_, here, step, rise = open_[going], here[:, going], step[:, going], rise[going]
            won, weight, going = won[:, going], weight[:, going], going[going]
    at[:, open_[going]] = np.nan


def _newton(
    here: FloatArray, won: FloatArray, weight: FloatArray, basis: FloatArray, held: float
) -> tuple[FloatArray, FloatArray]:
    """Gradient of the log-likelihood and the capped Newton step, a column each."""
    over = basis[:2].T @ -here
    np.exp(over, out=over)
    over += 1  # 1 / p
    wp = weight / over
    gradient = won - basis[:2] @ wp
    gradient[1] -= held * here[1]
    wp -= np.divide(wp, over, out=over)
    haa, hab, hbb = basis @ wp
    haa += TINY
    hbb += held
    det = np.maximum(haa * hbb - hab * hab, TINY)
    ga, gb = gradient
    step = np.empty_like(gradient)
    step[0], step[1] = (hbb * ga - hab * gb) / det, (haa * gb - hab * ga) / det
    size = np.abs(step).max(axis=0)
    if size.max() > STEP_CAP:
        step *= np.minimum(1.0, STEP_CAP / np.maximum(size, EQUAL))
    return gradient, step


def profile(
    x: FloatArray, solved: FloatArray, weight: FloatArray, at: FloatArray, shift: float
) -> FloatArray:
    """The least loss of `logistic` at each place of *at*, among falling curves of height *shift* there.

    z = shift + slope (x - at), slope at most 0; *solved* and *weight* are of one fit. The loss is convex in
    the slope, so that a rising optimum is replaced by the flat curve.
    """
    away = x[None, :] - at[:, None]
    low, high = np.full(len(at), -1.0), np.zeros(len(at))

    def turn(slope: FloatArray) -> FloatArray:
        """The loss's derivative by the slope."""
        z = shift + slope[:, None] * away
        with np.errstate(over="ignore"):
            p = 1 / (1 + np.exp(-z))
        told: FloatArray = ((weight * p - solved) * away).sum(axis=1) + PENALTY * slope
        return told

    while (wide := turn(low) > 0).any():
        low = np.where(wide, low * 2, low)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        up = turn(middle) > 0
        low, high = np.where(up, low, middle), np.where(up, middle, high)
    slope = np.where(turn(np.zeros(len(at))) < 0, 0.0, (low + high) / 2)
    z = shift + slope[:, None] * away
    loss = weight * np.logaddexp(0.0, z) - solved * z
    told: FloatArray = loss.sum(axis=1) + PENALTY / 2 * slope * slope
    return told


def censored_line(
    x: FloatArray, y: FloatArray, side: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Intercept, slope and sd of a normal regression of each row of *y* on *x*, some values only bounds.

    *side*, of the shape of *y*, is 0 where the value was seen, 1 where it is at least *y*, -1 where it is at
    most *y*; *y* is nan where there is none. Each row needs values seen at two places of *x* or more. One
    imagined observation of residual `FLOOR` keeps the sd from nought where the values lie on a line.
    """
    middle, spread = float(x.mean()), float(x.std())
    table = _Table((x - middle) / spread, np.nan_to_num(y), side, ~np.isnan(y))
    at = _least_squares(table)
    open_ = np.ones(len(y), dtype=bool)
    for _ in range(LINE_STEPS_MAX):
        step = _olsen(at, table)
        size = np.minimum(1.0, SHRUNK * at[:, 2] / np.maximum(-step[:, 2], TINY))
        at += size[:, None] * step
        open_ = ~(np.abs(step).max(axis=1) <= LINE_TOLERANCE * np.abs(at).max(axis=1))
        if not open_.any():
            break
    at[open_] = np.nan
    sd = 1 / at[:, 2]
    slope = at[:, 1] * sd / spread
    return at[:, 0] * sd - slope * middle, slope, sd


@dataclass(frozen=True, slots=True)
class _Table:
    """What a censored line is fitted to: *x* by column, the rest rows x columns."""

    x: FloatArray
    y: FloatArray
    side: IntArray
    known: BoolArray

    def left(self, at: FloatArray) -> FloatArray:
        """Residuals over the sd, in Olsen's parameters: intercept / sd, slope / sd, 1 / sd."""
        told: FloatArray = at[:, 2:] * self.y - at[:, :1] - at[:, 1:2] * self.x
        return told


def _least_squares(table: _Table) -> FloatArray:
    """Where Newton begins: bounds taken for values."""
    known, x, y = table.known, table.x, table.y
    count = known.sum(axis=1)
    mx, my = (known * x).sum(axis=1) / count, (known * y).sum(axis=1) / count
    dx, dy = known * (x - mx[:, None]), known * (y - my[:, None])
    slope = (dx * dy).sum(axis=1) / (dx * dx).sum(axis=1)
    sd = np.sqrt(((dy - slope[:, None] * dx) ** 2).sum(axis=1) / count + FLOOR**2)
    return np.stack([(my - slope * mx) / sd, slope / sd, 1 / sd], axis=1)


def _olsen(at: FloatArray, table: _Table) -> FloatArray:
    """One Newton step a row; the log-likelihood is concave in these parameters."""
    left, side, known = table.left(at), table.side, table.known
    inside = -side * left
    mills = np.exp(-(inside**2) / 2 - log_ndtr(inside)) / np.sqrt(2 * np.pi)
    first = np.where(side == 0, -left, -side * mills) * known  # by the residual
    second = np.where(side == 0, -1.0, -mills * (inside + mills)) * known
    x = np.broadcast_to(table.x, left.shape)
    toward = np.stack([-np.ones_like(left), -x, table.y], axis=2)
    gradient = np.einsum("rm,rmk->rk", first, toward)
    curve = np.einsum("rm,rmk,rml->rkl", second, toward, toward)
    seen = ((side == 0) & known).sum(axis=1)
    gradient[:, 2] += seen / at[:, 2] - FLOOR**2 * at[:, 2]
    curve[:, 2, 2] -= seen / at[:, 2] ** 2 + FLOOR**2
    told: FloatArray = -np.linalg.solve(curve, gradient[:, :, None])[:, :, 0]
    return told
