"""Item response: how hard items are and how able models are, on one scale with its uncertainty.

P(solved) = sigmoid(a (theta - b)); Rasch fixes a = 1. Fitted by marginal maximum likelihood over a standard
normal ability, with priors on a and b (Bock and Aitkin 1981; Mislevy 1986), by EM with Newton steps.
The model plans and describes; no recorded decision rests on it (`sequential` decides).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, logsumexp

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

NODES, REACH = 41, 5.0  # of the ability, from -REACH to REACH
AROUND = 21  # nodes of one ability around its mode, to REACH sds on either side
ROUNDS_MAX, SETTLED = 200, 1e-6
NEWTON_STEPS = 4
ABILITY_SETTLED = 1e-9
LOG_A_STEP, B_STEP = 0.5, 1.0
LOG_A_SD, LOG_A_SD_FEW, B_SD = 0.4, 0.3, 2.0
FEW_MODELS = 30  # below, discriminations are mostly prior: Rasch is the default
MINUTES_SD_MIN = 0.5
MODELS_MIN, ITEMS_MIN = 2, 10
CELLS_MAX = 20_000_000
TRIALS_MAX, MINUTES_MAX = 1e6, 1e9  # of one model at one item; of one item
A_MAX, B_MAX = 1e3, 1e4  # beyond, the arithmetic ends before any answer could tell


@dataclass(frozen=True, slots=True)
class Responses:
    """Successes and trials, models x items; no trials are missing, never failures.

    *minutes* are human working times by item, nan where unknown, or None. *family* names each item's, or is
    None; it moves the prior of difficulties with the minutes, and nothing else.
    """

    models: tuple[str, ...]
    items: tuple[str, ...]
    solved: FloatArray
    trials: FloatArray
    minutes: FloatArray | None = None
    family: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """Items' discrimination *a* and difficulty *b* in logits, and models' ability with its sd.

    *by_minutes* is how much harder an item is, in logits, when its human time doubles, by the prior; nan
    where no prior came from times. *prior_driven* items were solved by nobody or by everybody, so that their *a* and the size of their *b*
    come from the prior. *converged* False means that EM was cut off.
    """

    items: tuple[str, ...]
    models: tuple[str, ...]
    a: FloatArray
    b: FloatArray
    theta: FloatArray
    theta_sd: FloatArray
    rasch: bool
    log_likelihood: float
    rounds: int
    converged: bool
    prior_driven: BoolArray
    warnings: tuple[Code, ...] = ()
    by_minutes: float = nan


def check_responses(given: Responses) -> None:
    """Raises: Invalid, naming what cannot be: shapes, names given twice, numbers out of range."""
    shape = (len(given.models), len(given.items))
    if shape[0] < MODELS_MIN or shape[1] < ITEMS_MIN:
        problem = f"{shape[0]} models and {shape[1]} items; needs {MODELS_MIN} and {ITEMS_MIN}"
        raise Invalid("responses", problem)
    if shape[0] * shape[1] > CELLS_MAX:
        raise Invalid("responses", f"{shape[0]} x {shape[1]} cells; at most {CELLS_MAX:,}")
    for name, names in (("models", given.models), ("items", given.items)):
        if len(set(names)) != len(names):
            twice = next(one for one in names if names.count(one) > 1)
            raise Invalid(name, f"{twice!r} is given twice")
    for name, values in (("solved", given.solved), ("trials", given.trials)):
        if values.shape != shape:
            raise Invalid(name, f"has shape {values.shape}, not {shape}")
        wrong = ~((values >= 0) & (values <= TRIALS_MAX))
        if wrong.any():
            row, column = (int(n) for n in np.argwhere(wrong)[0])
            raise Invalid(
                f"{name}, {given.models[row]}, {given.items[column]}",
                f"{values[row, column]} is no count within {TRIALS_MAX:,.0f}",
            )
    over = given.solved > given.trials
    if over.any():
        row, column = (int(n) for n in np.argwhere(over)[0])
        place = f"solved, {given.models[row]}, {given.items[column]}"
        raise Invalid(place, "more successes than trials")
    _check_seen(given)


def _check_seen(given: Responses) -> None:
    for name, names, seen in (
        ("models", given.models, given.trials.sum(axis=1)),
        ("items", given.items, given.trials.sum(axis=0)),
    ):
        if (seen == 0).any():
            raise Invalid(name, f"{names[int(np.flatnonzero(seen == 0)[0])]!r} has no trials")
    if given.family is not None and len(given.family) != len(given.items):
        raise Invalid("family", "one for each item, or none at all")
    if given.minutes is not None:
        if given.minutes.shape != (len(given.items),):
            raise Invalid("minutes", "one time for each item, nan where unknown")
        wrong = ~(np.isnan(given.minutes) | ((given.minutes > 0) & (given.minutes < MINUTES_MAX)))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise Invalid(f"minutes, {given.items[at]}", f"{given.minutes[at]} is no working time")


@dataclass(frozen=True, slots=True)
class _Priors:
    """Normal priors of the difficulties, and the sd of log a around nought."""

    b_mean: FloatArray
    b_sd: FloatArray
    log_a_sd: float
    slope: float = nan


def fit_irt(given: Responses, *, rasch: bool | None = None, start: Fit | None = None) -> Fit:
    """Fit difficulties, discriminations (unless *rasch*) and abilities.

    None takes Rasch below `FEW_MODELS` models. Human minutes, where given for two items or more, move the
    prior of a difficulty with log2 of its minutes and with its family, both learnt in the same fit. *start*
    is a fit of the same items to begin at, which saves rounds and moves the result by no more than the
    tolerance.

    Raises: Invalid, as `check_responses`; if *start* has other items.
    """
    check_responses(given)
    solved, trials = given.solved, given.trials
    plain = len(given.models) < FEW_MODELS if rasch is None else rasch
    nodes, log_weight = _nodes()
    share = (solved.sum(axis=0) + 0.5) / (trials.sum(axis=0) + 1)
    b, log_a = -np.log(share / (1 - share)), np.zeros(len(given.items))
    if start is not None:
        if start.items != given.items:
            raise Invalid("start", "is a fit of other items")
        b, log_a = start.b.copy(), np.zeros_like(start.a) if plain else np.log(start.a)
    times = _times(given)
    priors = _priors(given, times, b, np.zeros_like(b))
    counts = np.concatenate([solved, trials], axis=1).T
    last, rounds, settled = -np.inf, 0, False
    while rounds < ROUNDS_MAX and not settled:
        posterior, likelihood = _posterior(log_a, b, given, nodes, log_weight)
        settled = abs(likelihood - last) < SETTLED * abs(likelihood)
        last, rounds = likelihood, rounds + 1
        expected = counts @ posterior
        wins, tries = expected[: len(b)], expected[len(b) :]
        for _ in range(0 if settled else NEWTON_STEPS):
            log_a, b, spread = _newton((log_a, b), (wins, tries), nodes, priors, rasch=plain)
            if times is not None:
                priors = _priors(given, times, b, spread)
    theta, theta_sd = abilities(np.exp(log_a), b, solved, trials)
    total, won = trials.sum(axis=0), solved.sum(axis=0)
    driven = (won == 0) | (won == total)
    warnings = [Code.PRIOR_DRIVEN] * bool(driven.any()) + [Code.UNSETTLED] * (not settled)
    arrays = (np.exp(log_a), b, theta, theta_sd, driven)
    for array in arrays:
        array.flags.writeable = False
    return Fit(
        given.items,
        given.models,
        *arrays[:4],
        rasch=plain,
        log_likelihood=float(last),
        rounds=rounds,
        converged=settled,
        prior_driven=driven,
        warnings=tuple(warnings),
        by_minutes=priors.slope,
    )


def _nodes() -> tuple[FloatArray, FloatArray]:
    nodes = np.linspace(-REACH, REACH, NODES)
    weight = -(nodes**2) / 2
    return nodes, weight - logsumexp(weight)


def _times(given: Responses) -> FloatArray | None:
    """What a difficulty is regressed on, items x columns: 1, log2 of minutes, families; nan where unknown.

    None where fewer than two items have a time, or all have one.
    """
    if given.minutes is None:
        return None
    x = np.log2(given.minutes)
    known = x[~np.isnan(x)]
    if len(known) < MODELS_MIN or not np.ptp(known) > 0:
        return None
    columns = [np.ones_like(x), x - known.mean()]
    names = sorted(set(given.family or ()))
    family = np.array(given.family or ())
    columns += [(family == name).astype(float) for name in names if len(names) > 1]
    return np.stack(columns, axis=1)


def _priors(
    given: Responses, times: FloatArray | None, b: FloatArray, spread: FloatArray
) -> _Priors:
    """The difficulties' priors where they are *b*, each known to its *spread* (a variance).

    Effects of families are held as one imagined item each would hold them at nought. An item without a time
    has the mean and the spread of those that have one.
    """
    sd = LOG_A_SD_FEW if len(given.models) < FEW_MODELS else LOG_A_SD
    if times is None:
        return _Priors(np.zeros(len(b)), np.full(len(b), B_SD), sd)
    known = ~np.isnan(times[:, 1])
    x = times[known]
    ridge = np.diag([0.0, 0.0] + [1.0] * (x.shape[1] - 2))
    at = np.linalg.solve(x.T @ x + ridge, x.T @ b[known])
    left = (b[known] - x @ at) ** 2 + spread[known]
    mean, width = np.empty(len(b)), np.empty(len(b))
    mean[known] = x @ at
    width[known] = max(float(np.sqrt(left.mean())), MINUTES_SD_MIN)
    mean[~known] = float(mean[known].mean())
    width[~known] = float(np.hypot(width[known][0], mean[known].std()))
    return _Priors(mean, width, sd, float(at[1]))


def _posterior(
    log_a: FloatArray, b: FloatArray, given: Responses, nodes: FloatArray, log_weight: FloatArray
) -> tuple[FloatArray, float]:
    """Each model's posterior over the nodes (models x nodes), and the marginal log-likelihood."""
    z = np.exp(log_a)[:, None] * (nodes[None, :] - b[:, None])
    # solved log p + (trials - solved) log (1 - p), where log p - log (1 - p) is z
    log_p = given.solved @ z - given.trials @ _softplus(z) + log_weight
    top = log_p.max(axis=1, keepdims=True)
    posterior = np.exp(log_p - top)
    total = posterior.sum(axis=1, keepdims=True)
    return posterior / total, float((top + np.log(total)).sum())


def _softplus(z: FloatArray) -> FloatArray:
    """log(1 + e^z), in place of no temporary more than it needs."""
    told = np.abs(z)
    np.negative(told, out=told)
    np.exp(told, out=told)
    np.log1p(told, out=told)
    told += np.maximum(z, 0.0)
    return told


def _newton(
    at: tuple[FloatArray, FloatArray],
    counts: tuple[FloatArray, FloatArray],
    nodes: FloatArray,
    priors: _Priors,
    *,
    rasch: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """One Newton step in (log a, b) for every item at once, clipped; and how well b is known, a variance.

    Sums over nodes of (theta - b)^k are those of theta^k, turned: one product with a matrix.
    """
    (log_a, b), (wins, tries) = at, counts
    a = np.exp(log_a)
    p = expit(a[:, None] * (nodes[None, :] - b[:, None]))
    v = tries * p
    left = wins - v
    v -= v * p
    powers = np.stack([np.ones_like(nodes), nodes, nodes * nodes], axis=1)
    r, w = left @ powers[:, :2], v @ powers
    gb = -a * r[:, 0] - (b - priors.b_mean) / priors.b_sd**2
    hbb = a * a * w[:, 0] + 1 / priors.b_sd**2
    if rasch:
        return log_a, b + np.clip(gb / hbb, -B_STEP, B_STEP), 1 / hbb
    ga = a * (r[:, 1] - b * r[:, 0]) - log_a / priors.log_a_sd**2
    haa = a * a * (w[:, 2] - 2 * b * w[:, 1] + b * b * w[:, 0]) + 1 / priors.log_a_sd**2
    hab = -a * a * (w[:, 1] - b * w[:, 0])
    det = haa * hbb - hab * hab
    good = det > 1e-9 * haa * hbb
    safe = np.where(good, det, 1.0)
    da = np.where(good, (hbb * ga - hab * gb) / safe, ga / haa)
    db = np.where(good, (haa * gb - hab * ga) / safe, gb / hbb)
    return (
        log_a + np.clip(da, -LOG_A_STEP, LOG_A_STEP),
        b + np.clip(db, -B_STEP, B_STEP),
        1 / hbb,
    )


@dataclass(frozen=True, slots=True)
class Ability:
    """Posterior mean and sd of one subject's ability, in logits."""

    theta: float
    sd: float


def ability(a: FloatArray, b: FloatArray, solved: FloatArray, trials: FloatArray) -> Ability:
    """The ability of a subject with *solved* of *trials* at items of known *a* and *b*.

    Raises: Invalid, if shapes differ, a number is out of range or nothing was tried.
    """
    check_row(a, b, solved, trials)
    theta, spread = abilities(a, b, solved[None], trials[None])
    return Ability(float(theta[0]), float(spread[0]))


def abilities(
    a: FloatArray, b: FloatArray, solved: FloatArray, trials: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Posterior mean and sd of every row's ability, by quadrature around its own mode.

    *solved* and *trials* are subjects x items and not looked at again. A grid over the whole scale would be
    coarser than the posterior of a few hundred items.
    """
    theta, curve = modes(a, b, solved, trials)
    around = np.linspace(-REACH, REACH, AROUND)
    at = theta[:, None] + around[None, :] / np.sqrt(curve)[:, None]
    log_p = -(at**2) / 2 + at * (solved @ a)[:, None]  # less a term that is the same at every node
    for number in range(AROUND):
        z = a * (at[:, number, None] - b)
        log_p[:, number] -= np.einsum("mi,mi->m", trials, _softplus(z))
    p = np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True))
    mean = (p * at).sum(axis=1)
    return mean, np.sqrt(np.maximum((p * (at - mean[:, None]) ** 2).sum(axis=1), 0.0))


def modes(
    a: FloatArray, b: FloatArray, solved: FloatArray, trials: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The most likely ability of every row a posteriori, and the curvature there."""
    theta, curve = np.zeros(len(solved)), np.ones(len(solved))
    steps, moved, won = 0, np.inf, solved @ a
    while moved > ABILITY_SETTLED and steps < ROUNDS_MAX:
        p = expit(a * (theta[:, None] - b))
        v = trials * p
        slope = won - v @ a - theta
        v -= v * p
        curve = v @ (a * a) + 1
        step = np.clip(slope / curve, -1, 1)
        theta, moved, steps = theta + step, float(np.abs(step).max()), steps + 1
    return theta, curve


def check_row(*arrays: FloatArray) -> None:
    """Raises: Invalid, naming the array, for a, b, solved and trials of one subject that cannot be."""
    names = ("a", "b", "solved", "trials")
    for name, array in zip(names, arrays, strict=True):
        if array.shape != arrays[0].shape or array.ndim != 1:
            raise Invalid(name, "one number for each item")
        if not np.isfinite(array).all():
            raise Invalid(name, "holds a number that is not finite")
    a, b, solved, trials = arrays
    if (a <= 0).any() or (a > A_MAX).any():
        raise Invalid("a", f"discriminations are positive, and {A_MAX:,.0f} at most")
    if (np.abs(b) > B_MAX).any():
        raise Invalid("b", f"difficulties lie within {B_MAX:,.0f} logits")
    if (trials > TRIALS_MAX).any():
        raise Invalid("trials", f"{TRIALS_MAX:,.0f} at an item at most")
    if (solved < 0).any() or (solved > trials).any() or not trials.sum() > 0:
        raise Invalid(
            "solved", "between none and all of the trials, of which there is one at least"
        )


def expected_score(a: FloatArray, b: FloatArray, theta: npt.ArrayLike) -> FloatArray:
    """The test characteristic curve: expected share solved of all items, at each *theta*."""
    at = np.atleast_1d(np.asarray(theta, dtype=float))
    told: FloatArray = expit(a[None, :] * (at[:, None] - b[None, :])).mean(axis=1)
    return told


def theta_at(a: FloatArray, b: FloatArray, score: float) -> float:
    """The ability whose expected score is *score*.

    Raises: Invalid, if no ability within 30 logits of the items has it.
    """
    low, high = float(b.min()) - 30, float(b.max()) + 30
    ends = expected_score(a, b, [low, high])
    if not ends[0] < score < ends[1]:
        raise Invalid("score", f"{score} is expected at no ability")
    return float(brentq(lambda t: float(expected_score(a, b, t)[0]) - score, low, high))


def information(a: FloatArray, b: FloatArray, theta: npt.ArrayLike) -> FloatArray:
    """Fisher information of the whole test at each *theta*: a^2 p (1 - p) over items."""
    at = np.atleast_1d(np.asarray(theta, dtype=float))
    p = expit(a[None, :] * (at[:, None] - b[None, :]))
    told: FloatArray = (a[None, :] ** 2 * p * (1 - p)).sum(axis=1)
    return told


@dataclass(frozen=True, slots=True)
class ItemFit:
    """How observed shares lie around the curve: the mean squared standardised residual over bins.

    *discrimination* is the correlation of scores with ability; a negative one is *flagged*.
    """

    item: str
    residual: float
    discrimination: float
    flagged: bool


def item_fit(given: Responses, fit: Fit, bins: int = 5) -> tuple[ItemFit, ...]:
    """The fit of every item, models in *bins* of equal number by ability.

    Raises: Invalid, if *bins* is below 2 or above the number of models.
    """
    if not MODELS_MIN <= bins <= len(given.models):
        raise Invalid("bins", f"between {MODELS_MIN} and the {len(given.models)} models")
    order = np.argsort(fit.theta, kind="stable")
    told = []
    p = expit(fit.a[None, :] * (fit.theta[:, None] - fit.b[None, :]))
    for at, name in enumerate(given.items):
        squares = []
        for rows in np.array_split(order, bins):
            tries = given.trials[rows, at]
            var = float((tries * p[rows, at] * (1 - p[rows, at])).sum())
            if var > 0:
                left = float((given.solved[rows, at] - tries * p[rows, at]).sum())
                squares.append(left * left / var)
        seen = given.trials[:, at] > 0
        share = given.solved[seen, at] / given.trials[seen, at]
        spread = float(np.std(share) * np.std(fit.theta[seen]))
        r = float(np.mean((share - share.mean()) * (fit.theta[seen] - fit.theta[seen].mean())))
        r = r / spread if spread > 0 else 0.0
        told.append(ItemFit(name, float(np.mean(squares)) if squares else 0.0, r, r < 0))
    return tuple(told)


@dataclass(frozen=True, slots=True)
class WrightMap:
    """Items and models on one scale, and what the test tells at each place of it.

    *at_threshold* is the information at the ability whose expected score is the threshold.
    """

    theta: tuple[float, ...]
    information: tuple[float, ...]
    items: tuple[tuple[str, float], ...]
    models: tuple[tuple[str, float, float], ...]
    threshold: float | None
    at_threshold: float | None = None


def wright_map(fit: Fit, score: float | None = None, points: Sequence[float] = ()) -> WrightMap:
    """The map of *fit*, with the ability at which *score* is expected, where one is given."""
    middle = None if score is None else theta_at(fit.a, fit.b, score)
    at = tuple(points) or tuple(float(t) for t in np.linspace(-REACH, REACH, 2 * NODES - 1))
    return WrightMap(
        theta=at,
        information=tuple(float(i) for i in information(fit.a, fit.b, at)),
        items=tuple(zip(fit.items, (float(b) for b in fit.b), strict=True)),
        models=tuple(
            (name, float(t), float(sd))
            for name, t, sd in zip(fit.models, fit.theta, fit.theta_sd, strict=True)
        ),
        threshold=middle,
        at_threshold=None if middle is None else float(information(fit.a, fit.b, middle)[0]),
    )
