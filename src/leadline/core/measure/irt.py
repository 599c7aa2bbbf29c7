"""Item response: how hard items are and how able models are, on one scale with its uncertainty.

P(solved) = sigmoid(a (theta - b)); Rasch fixes a = 1. Fitted by marginal maximum likelihood over a standard
normal ability, with priors on a and b (Bock and Aitkin 1981; Mislevy 1986), by EM with Newton steps.
The model plans and describes; no recorded decision rests on it (`sequential` decides).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, log_expit, logsumexp

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
POINTS_PER_LOGIT = 200 / log(3)  # 200 points are three times the odds
MODELS_MIN, ITEMS_MIN = 2, 10
CELLS_MAX = 20_000_000


@dataclass(frozen=True, slots=True)
class Responses:
    """Successes and trials, models x items; no trials are missing, never failures.

    *minutes* are human working times by item, nan where unknown, or None.
    """

    models: tuple[str, ...]
    items: tuple[str, ...]
    solved: FloatArray
    trials: FloatArray
    minutes: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """Items' discrimination *a* and difficulty *b* in logits, and models' ability with its sd.

    *prior_driven* items were solved by nobody or by everybody, so that their *a* and the size of their *b*
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
        wrong = ~np.isfinite(values) | (values < 0)
        if wrong.any():
            row, column = (int(n) for n in np.argwhere(wrong)[0])
            raise Invalid(
                f"{name}, {given.models[row]}, {given.items[column]}",
                f"{values[row, column]} is no count",
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
    if given.minutes is not None:
        if given.minutes.shape != (len(given.items),):
            raise Invalid("minutes", "one time for each item, nan where unknown")
        wrong = ~(np.isnan(given.minutes) | ((given.minutes > 0) & np.isfinite(given.minutes)))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise Invalid(f"minutes, {given.items[at]}", f"{given.minutes[at]} is no working time")


@dataclass(frozen=True, slots=True)
class _Priors:
    b_mean: FloatArray
    b_sd: float
    log_a_sd: float


def fit_irt(given: Responses, *, rasch: bool | None = None, start: Fit | None = None) -> Fit:
    """Fit difficulties, discriminations (unless *rasch*) and abilities.

    None takes Rasch below `FEW_MODELS` models. Human minutes, where given for two items or more, move the
    prior of a difficulty with log2 of its minutes. *start* is a fit of the same items to begin at, which
    saves rounds and moves the result by no more than the tolerance.

    Raises: Invalid, as `check_responses`; if *start* has other items.
    """
    check_responses(given)
    solved, trials = given.solved, given.trials
    plain = len(given.models) < FEW_MODELS if rasch is None else rasch
    nodes, log_weight = _nodes()
    share = (solved.sum(axis=0) + 0.5) / (trials.sum(axis=0) + 1)
    plainly = -np.log(share / (1 - share))
    priors = _priors(given, plainly)
    b, log_a = plainly.copy(), np.zeros(len(given.items))
    if start is not None:
        if start.items != given.items:
            raise Invalid("start", "is a fit of other items")
        b, log_a = start.b.copy(), np.zeros_like(start.a) if plain else np.log(start.a)
    last, rounds, settled = -np.inf, 0, False
    while rounds < ROUNDS_MAX and not settled:
        posterior, likelihood = _posterior(log_a, b, given, nodes, log_weight)
        settled = abs(likelihood - last) < SETTLED * abs(likelihood)
        last, rounds = likelihood, rounds + 1
        wins, tries = solved.T @ posterior, trials.T @ posterior
        for _ in range(0 if settled else NEWTON_STEPS):
            log_a, b = _newton((log_a, b), (wins, tries), nodes, priors, rasch=plain)
    theta, spread = _abilities(np.exp(log_a), b, solved, trials)
    total, won = trials.sum(axis=0), solved.sum(axis=0)
    driven = (won == 0) | (won == total)
    warnings = ((Code.PRIOR_DRIVEN,) if driven.any() else ()) + (
        () if settled else (Code.UNSETTLED,)
    )
    arrays = (np.exp(log_a), b, theta, spread, driven)
    for array in arrays:
        array.flags.writeable = False
    return Fit(
        given.items,
        given.models,
        arrays[0],
        arrays[1],
        arrays[2],
        arrays[3],
        plain,
        float(last),
        rounds,
        settled,
        driven,
        warnings,
    )


def _nodes() -> tuple[FloatArray, FloatArray]:
    nodes = np.linspace(-REACH, REACH, NODES)
    weight = -(nodes**2) / 2
    return nodes, weight - logsumexp(weight)


def _priors(given: Responses, start: FloatArray) -> _Priors:
    sd = LOG_A_SD_FEW if len(given.models) < FEW_MODELS else LOG_A_SD
    flat = _Priors(np.zeros(len(given.items)), B_SD, sd)
    if given.minutes is None:
        return flat
    known = ~np.isnan(given.minutes)
    x = np.log2(given.minutes[known])
    if known.sum() < MODELS_MIN or np.ptp(x) == 0:
        return flat
    slope, intercept = np.polyfit(x, start[known], 1)
    mean = np.full(len(given.items), float(start.mean()))
    mean[known] = intercept + slope * x
    residual = float(np.std(start[known] - mean[known]))
    return _Priors(mean, max(residual, MINUTES_SD_MIN), sd)


def _posterior(
    log_a: FloatArray, b: FloatArray, given: Responses, nodes: FloatArray, log_weight: FloatArray
) -> tuple[FloatArray, float]:
    """Each model's posterior over the nodes (models x nodes), and the marginal log-likelihood."""
    z = np.exp(log_a)[:, None] * (nodes[None, :] - b[:, None])
    won, lost = log_expit(z), log_expit(-z)
    log_p = given.solved @ won + (given.trials - given.solved) @ lost + log_weight
    total = logsumexp(log_p, axis=1, keepdims=True)
    return np.exp(log_p - total), float(total.sum())


def _newton(
    at: tuple[FloatArray, FloatArray],
    counts: tuple[FloatArray, FloatArray],
    nodes: FloatArray,
    priors: _Priors,
    *,
    rasch: bool,
) -> tuple[FloatArray, FloatArray]:
    """One Newton step in (log a, b) for every item at once, clipped."""
    (log_a, b), (wins, tries) = at, counts
    a, d = np.exp(log_a), nodes[None, :] - b[:, None]
    p = expit(a[:, None] * d)
    left, v = wins - tries * p, tries * p * (1 - p)
    gb = -a * left.sum(axis=1) - (b - priors.b_mean) / priors.b_sd**2
    hbb = a * a * v.sum(axis=1) + 1 / priors.b_sd**2
    if rasch:
        return log_a, b + np.clip(gb / hbb, -B_STEP, B_STEP)
    ga = a * (left * d).sum(axis=1) - log_a / priors.log_a_sd**2
    haa = a * a * (v * d * d).sum(axis=1) + 1 / priors.log_a_sd**2
    hab = -a * a * (v * d).sum(axis=1)
    det = haa * hbb - hab * hab
    good = det > 1e-9 * haa * hbb
    safe = np.where(good, det, 1.0)
    da = np.where(good, (hbb * ga - hab * gb) / safe, ga / haa)
    db = np.where(good, (haa * gb - hab * ga) / safe, gb / hbb)
    return (
        log_a + np.clip(da, -LOG_A_STEP, LOG_A_STEP),
        b + np.clip(db, -B_STEP, B_STEP),
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
    _check_row(a, b, solved, trials)
    theta, spread = _abilities(a, b, solved[None], trials[None])
    return Ability(float(theta[0]), float(spread[0]))


def _abilities(
    a: FloatArray, b: FloatArray, solved: FloatArray, trials: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Posterior mean and sd of every row's ability, by quadrature around its own mode.

    A grid over the whole scale is coarser than the posterior of a few hundred items.
    """
    theta, curve = np.zeros(len(solved)), np.ones(len(solved))
    steps, moved = 0, np.inf
    while moved > ABILITY_SETTLED and steps < ROUNDS_MAX:
        p = expit(a * (theta[:, None] - b))
        slope = ((solved - trials * p) * a).sum(axis=1) - theta
        curve = (trials * p * (1 - p) * a * a).sum(axis=1) + 1
        step = np.clip(slope / curve, -1, 1)
        theta, moved, steps = theta + step, float(np.abs(step).max()), steps + 1
    around = np.linspace(-REACH, REACH, AROUND)
    at = theta[:, None] + around[None, :] / np.sqrt(curve)[:, None]
    log_p = -(at**2) / 2
    for number in range(AROUND):
        z = a * (at[:, number, None] - b)
        log_p[:, number] += (solved * log_expit(z) + (trials - solved) * log_expit(-z)).sum(axis=1)
    p = np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True))
    mean = (p * at).sum(axis=1)
    return mean, np.sqrt(np.maximum((p * (at - mean[:, None]) ** 2).sum(axis=1), 0.0))


def _check_row(*arrays: FloatArray) -> None:
    names = ("a", "b", "solved", "trials")
    for name, array in zip(names, arrays, strict=True):
        if array.shape != arrays[0].shape or array.ndim != 1:
            raise Invalid(name, "one number for each item")
        if not np.isfinite(array).all():
            raise Invalid(name, "holds a number that is not finite")
    a, _, solved, trials = arrays
    if (a <= 0).any():
        raise Invalid("a", "discriminations are positive")
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


def scale_points(theta: npt.ArrayLike, reference: float, reference_points: float) -> FloatArray:
    """Abilities in points, 200 to three times the odds of an item with a = 1.

    *reference* is the ability of the model that anchors the scale, at *reference_points*. Use Rasch, or a
    2PL whose mean log a is 0; an anchor of one's own is no other institute's scale.
    """
    at = np.asarray(theta, dtype=float)
    told: FloatArray = reference_points + POINTS_PER_LOGIT * (at - reference)
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
class PersonFit:
    """The standardised log-likelihood l_z of one subject's answers, and its bootstrap p-value.

    A small *p* says that such answers are rare for that ability: a lead to look at, not a proof.
    """

    lz: float
    p: float
    replicates: int


def person_fit(
    a: FloatArray,
    b: FloatArray,
    solved: FloatArray,
    trials: FloatArray,
    *,
    seed: int,
    replicates: int = 500,
) -> PersonFit:
    """l_z at the estimated ability, calibrated by parametric bootstrap, ability estimated anew each time.

    Source: Drasgow, Levine and Williams 1985; with an estimated ability l_z is not standard normal.

    Raises: Invalid, as `ability`, or for fewer than 20 *replicates*.
    """
    if replicates < 20:  # noqa: PLR2004 -- fewer say nothing at 5 %
        raise Invalid("replicates", "at least 20")
    found = ability(a, b, solved, trials)
    own = _lz(a, b, solved, trials, found.theta)
    rng = np.random.default_rng(seed)
    p = expit(a * (found.theta - b))
    below = 0
    for _ in range(replicates):
        drawn = rng.binomial(trials.astype(np.int64), p).astype(float)
        below += _lz(a, b, drawn, trials, ability(a, b, drawn, trials).theta) <= own
    return PersonFit(own, (below + 1) / (replicates + 1), replicates)


def _lz(
    a: FloatArray, b: FloatArray, solved: FloatArray, trials: FloatArray, theta: float
) -> float:
    z = a * (theta - b)
    won, lost, p = log_expit(z), log_expit(-z), expit(z)
    seen = float((solved * won + (trials - solved) * lost).sum())
    mean = float((trials * (p * won + (1 - p) * lost)).sum())
    var = float((trials * p * (1 - p) * (won - lost) ** 2).sum())
    return (seen - mean) / np.sqrt(var) if var > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Dif:
    """How much better, in logits, a subject does on public items than their difficulty explains.

    *low* and *high* end the 95 % profile-likelihood interval. Above 0 by its whole interval is a sign of
    contamination where public and sealed items are twins.
    """

    gamma: float
    low: float
    high: float
    theta: float


def dif(
    a: FloatArray, b: FloatArray, solved: FloatArray, trials: FloatArray, public: BoolArray
) -> Dif:
    """Differential functioning of public against sealed items, item parameters held fixed.

    logit P = a (theta - b) + gamma public; gamma by maximum likelihood, its interval by the profile.

    Raises: Invalid, as `ability`; if either side has no trials, all its items solved or none of both.
    """
    _check_row(a, b, solved, trials)
    sides = (public, ~public)
    if public.shape != a.shape or any(not trials[side].sum() > 0 for side in sides):
        raise Invalid("public", "marks each item; both sides need trials")
    if any(not 0 < solved[side].sum() < trials[side].sum() for side in sides):
        raise Invalid("solved", "a side that is all solved or all unsolved bounds nothing")

    def profile(gamma: float) -> tuple[float, float]:
        """The best ability at *gamma*, and the log-likelihood there."""
        shift = gamma * public

        def slope(theta: float) -> float:
            return float((a * (solved - trials * expit(a * (theta - b) + shift))).sum())

        theta = brentq(slope, -60.0, 60.0)
        z = a * (theta - b) + shift
        return theta, float((solved * log_expit(z) + (trials - solved) * log_expit(-z)).sum())

    def rise(gamma: float) -> float:
        theta, _ = profile(gamma)
        p = expit(a * (theta - b) + gamma * public)
        return float((public * (solved - trials * p)).sum())

    gamma = float(brentq(rise, -20.0, 20.0))
    theta, top = profile(gamma)
    need = 3.841458820694124 / 2

    def over(at: float) -> float:
        return top - profile(at)[1] - need

    return Dif(
        gamma, float(brentq(over, gamma - 40, gamma)), float(brentq(over, gamma, gamma + 40)), theta
    )


@dataclass(frozen=True, slots=True)
class WrightMap:
    """Items and models on one scale, and what the test tells at each place of it."""

    theta: tuple[float, ...]
    information: tuple[float, ...]
    items: tuple[tuple[str, float], ...]
    models: tuple[tuple[str, float, float], ...]
    threshold: float | None


def wright_map(fit: Fit, score: float | None = None, points: Sequence[float] = ()) -> WrightMap:
    """The map of *fit*, with the ability at which *score* is expected, where one is given."""
    at = tuple(points) or tuple(float(t) for t in np.linspace(-REACH, REACH, 2 * NODES - 1))
    return WrightMap(
        theta=at,
        information=tuple(float(i) for i in information(fit.a, fit.b, at)),
        items=tuple(zip(fit.items, (float(b) for b in fit.b), strict=True)),
        models=tuple(
            (name, float(t), float(sd))
            for name, t, sd in zip(fit.models, fit.theta, fit.theta_sd, strict=True)
        ),
        threshold=None if score is None else theta_at(fit.a, fit.b, score),
    )
