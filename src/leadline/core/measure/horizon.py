"""Time horizon: the human working time of the tasks that a model solves half of the time.

METR's estimator: a logistic of success on log2(minutes), tasks of a family sharing its weight, a light
penalty on the slope, and a bootstrap over families, then tasks, then runs. The bootstrap is drawn as
counts, which has the law of drawing rows, and all replicates of a model are fitted together.

Sources: Kwa et al., Measuring AI Ability to Complete Long Tasks, arXiv 2503.14499 (TH1.1); reproduction
of Lyptus Research, Offensive Cyber Task Horizons, 2026.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, log

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize
from scipy.special import expit, log_ndtr

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code, Estimate
from leadline.core.measure.interval import check_alpha

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PENALTY = 1e-5  # their C is 1 / PENALTY; the weights of a model sum to 1
REPLICATES, REPLICATES_MIN, REPLICATES_MAX = 1_000, 2, 100_000
EQUAL = 1e-12  # shares nearer to 0 or 1 than this have only one outcome
TREND_MIN = 3
STEPS_MAX, STEP_CAP, TOLERANCE = 60, 8.0, 1e-11
HALVINGS_MAX = 30
FAILURES_MIN = 5  # above the point estimate; with fewer the suite is exhausted
ONE_SIDED = 2.706  # chi-square of one degree at 90 %: a one-sided 95 % bound by profile likelihood
LEVELS = (0.5, 0.8)
TASKS_MIN = 10
MINUTES_MAX = 1e9


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs as parallel columns, one entry a run.

    *minutes* are human working times of the run's task, *score* lies in [0, 1]. *weight* is given by
    the data or None: then a run weighs 1 over (the model's runs at the task times the square root of
    the model's tasks in the family).
    """

    model: npt.NDArray[np.str_]
    task: npt.NDArray[np.str_]
    family: npt.NDArray[np.str_]
    minutes: FloatArray
    score: FloatArray
    weight: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon(Estimate):
    """One model's horizon at one success rate, in minutes.

    *saturated*: the suite holds too few tasks that the model fails, so that *high* is infinite and
    *low* a one-sided bound, "at least". *point* is 0 for a model that solved nothing, infinite for one
    that solved everything.
    """

    model: str
    level: float
    point: float
    low: float
    high: float
    saturated: bool
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Horizons:
    """All models of one table, with the replicates that comparisons and trends need.

    *replicates* is models x levels x replicates, in minutes: 0 where every run failed, infinite where
    every one succeeded. The same families and tasks were drawn for every model, so that differences
    between models are paired.
    """

    estimates: tuple[Horizon, ...]
    models: tuple[str, ...]
    levels: tuple[float, ...]
    replicates: FloatArray
    longest: float

    def of(self, model: str, level: float = 0.5) -> Horizon:
        """The estimate of *model* at *level*.

        Raises: KeyError, if there is none.
        """
        for one in self.estimates:
            if (one.model, one.level) == (model, level):
                return one
        raise KeyError((model, level))


def check_runs(runs: Runs) -> None:
    """Raises: Invalid, naming column and row, for what cannot be fitted."""
    size = len(runs.model)
    columns = {"task": runs.task, "family": runs.family, "minutes": runs.minutes}
    for name, column in {**columns, "score": runs.score, "weight": runs.weight}.items():
        if column is not None and len(column) != size:
            raise Invalid(name, f"has {len(column)} rows where model has {size}")
    if size == 0:
        raise Invalid("runs", "the table has no rows")
    for name, values, low, high in (
        ("minutes", runs.minutes, 0.0, MINUTES_MAX),
        ("score", runs.score, 0.0, 1.0),
        ("weight", runs.weight, 0.0, inf),
    ):
        if values is None:
            continue
        wrong = ~np.isfinite(values) | (values < low) | (values > high)
        if name != "score":
            wrong |= values <= 0
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise Invalid(f"{name}, row {row + 1}", f"{values[row]} is not within {low} and {high}")
    _one_per_task("minutes", runs.task, runs.minutes)
    _one_per_task("family", runs.task, runs.family)


def _one_per_task(name: str, task: npt.NDArray[np.str_], values: npt.NDArray[np.generic]) -> None:
    seen: dict[str, object] = {}
    for row, (one, value) in enumerate(zip(task.tolist(), values.tolist(), strict=True)):
        if seen.setdefault(one, value) != value:
            raise Invalid(f"{name}, row {row + 1}", f"task {one} has another {name} elsewhere")


def logistic(
    x: FloatArray, solved: FloatArray, failed: FloatArray, penalty: float = PENALTY
) -> tuple[FloatArray, FloatArray]:
    """Slopes and intercepts of weighted logistic fits, one a row of *solved* and *failed*.

    Minimises sum(solved * softplus(-z) + failed * softplus(z)) + penalty / 2 * slope^2, z = slope * x +
    intercept, by damped Newton steps for all rows together; *x* has one value a column. Every row needs
    weight on both sides. A row that does not settle within `STEPS_MAX` steps is nan.
    """
    weight = solved + failed
    total = weight.sum(axis=1)
    centre = (weight @ x) / total
    spread = np.sqrt((weight @ (x * x)) / total - centre * centre)
    spread = np.where(spread > EQUAL, spread, 1.0)
    scaled = (x[None, :] - centre[:, None]) / spread[:, None]
    held = penalty / (spread * spread)
    share = solved.sum(axis=1) / total
    a, b = np.log(share / (1 - share)), np.zeros(len(solved))
    open_ = np.arange(len(solved))
    steps = 0
    while len(open_) and steps < STEPS_MAX:
        steps += 1
        rows = (scaled[open_], solved[open_], weight[open_], held[open_])
        da, db = _step(a[open_], b[open_], *rows)
        a[open_] += da
        b[open_] += db
        open_ = open_[np.maximum(np.abs(da), np.abs(db)) > TOLERANCE]
    b[open_] = np.nan  # not settled: unknown, and never a number that looks like one
    slope = b / spread
    return slope, a - slope * centre


def _step(
    a: FloatArray,
    b: FloatArray,
    x: FloatArray,
    solved: FloatArray,
    weight: FloatArray,
    held: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """One Newton step a row, capped, and halved until the objective does not rise."""
    p = expit(a[:, None] + b[:, None] * x)
    left, v = solved - weight * p, weight * p * (1 - p)
    vx = v * x
    ga, gb = left.sum(axis=1), (left * x).sum(axis=1) - held * b
    haa, hab, hbb = v.sum(axis=1) + 1e-300, vx.sum(axis=1), (vx * x).sum(axis=1) + held
    det = np.maximum(haa * hbb - hab * hab, 1e-300)
    da, db = (hbb * ga - hab * gb) / det, (haa * gb - hab * ga) / det
    size = np.minimum(1.0, STEP_CAP / np.maximum(np.maximum(np.abs(da), np.abs(db)), 1e-12))
    start = _loss(a, b, x, solved, weight, held)
    worse, halved = np.ones(len(a), dtype=bool), 0
    while worse.any() and halved < HALVINGS_MAX:
        loss = _loss(a + size * da, b + size * db, x, solved, weight, held)
        worse = loss > start + 1e-13 * np.abs(start) + 1e-15
        size, halved = np.where(worse, size / 2, size), halved + 1
    return size * da, size * db


def _loss(
    a: FloatArray,
    b: FloatArray,
    x: FloatArray,
    solved: FloatArray,
    weight: FloatArray,
    held: FloatArray,
) -> FloatArray:
    z = a[:, None] + b[:, None] * x
    each = weight * np.logaddexp(0.0, z) - solved * z
    total: FloatArray = each.sum(axis=1) + 0.5 * held * b * b
    return total


@dataclass(frozen=True, slots=True)
class _Tasks:
    """Every task once: its x, its family as a number, and their names."""

    names: npt.NDArray[np.str_]
    x: FloatArray
    family: IntArray
    families: int


@dataclass(frozen=True, slots=True)
class _Model:
    """One model's runs by task: *at* are the tasks' numbers, *runs* a list of scores each."""

    name: str
    at: IntArray
    count: IntArray
    share: FloatArray  # mean score of a task's runs
    each: FloatArray  # weight of one run, scaled so that all runs sum to 1
    scores: tuple[FloatArray, ...]


def time_horizon(
    runs: Runs,
    *,
    levels: Sequence[float] = LEVELS,
    replicates: int = REPLICATES,
    seed: int = 0,
    alpha: float = 0.05,
) -> Horizons:
    """The horizon of every model in *runs*, at every success rate in *levels*.

    *seed* fixes the bootstrap. Fewer than `TASKS_MIN` tasks of a model are fitted and warned of.

    Raises: Invalid, as `check_runs`, or for *levels*, *replicates* or *alpha* out of range.
    """
    check_runs(runs)
    check_alpha(alpha)
    if not levels or any(not 0 < level < 1 for level in levels):
        raise Invalid("levels", "success rates strictly between 0 and 1")
    if not REPLICATES_MIN <= replicates <= REPLICATES_MAX:
        problem = f"{replicates} is not within {REPLICATES_MIN} and {REPLICATES_MAX:,}"
        raise Invalid("replicates", problem)
    tasks = _tasks(runs)
    rng = np.random.default_rng(seed)
    drawn = _multiplicities(tasks, replicates, rng)
    models = [_model(runs, name, tasks) for name in sorted(set(runs.model.tolist()))]
    kept = np.empty((len(models), len(levels), replicates))
    found: list[Horizon] = []
    longest = float(np.exp2(tasks.x.max()))
    for number, model in enumerate(models):
        slope, intercept = _point(model, tasks)
        kept[number] = _replicated(model, tasks, drawn, levels, rng)
        for place, level in enumerate(levels):
            about = (level, slope, intercept, longest)
            found.append(_horizon(model, tasks, kept[number, place], about, alpha))
    kept.flags.writeable = False
    return Horizons(tuple(found), tuple(m.name for m in models), tuple(levels), kept, longest)


def _tasks(runs: Runs) -> _Tasks:
    names, first = np.unique(runs.task, return_index=True)
    families, family = np.unique(runs.family[first], return_inverse=True)
    return _Tasks(names, np.log2(runs.minutes[first]), family.astype(np.int64), len(families))


def _model(runs: Runs, name: str, tasks: _Tasks) -> _Model:
    own = runs.model == name
    at = np.searchsorted(tasks.names, runs.task[own])
    score = runs.score[own]
    held, place, count = np.unique(at, return_inverse=True, return_counts=True)
    share = np.bincount(place, score) / count
    if runs.weight is None:
        of_family = np.bincount(tasks.family[held], minlength=tasks.families)
        each = 1 / (count * np.sqrt(of_family[tasks.family[held]]))
    else:
        each = np.bincount(place, runs.weight[own]) / count
    each = each / (each * count).sum()
    scores = tuple(score[place == number] for number in range(len(held)))
    return _Model(name, held, count, share, each, scores)


def _point(model: _Model, tasks: _Tasks) -> tuple[float, float]:
    """Slope and intercept; (nan, -inf) where nothing was solved, (nan, inf) where everything was."""
    weight = model.each * model.count
    solved = weight * model.share
    if not 0 < solved.sum() < weight.sum() * (1 - 1e-15):
        return float("nan"), inf if solved.sum() > 0 else -inf
    slope, intercept = logistic(tasks.x[model.at], solved[None], (weight - solved)[None])
    return float(slope[0]), float(intercept[0])


def _multiplicities(tasks: _Tasks, replicates: int, rng: np.random.Generator) -> IntArray:
    """How often each task was drawn, replicates x tasks: families first, then tasks within them."""
    times = rng.multinomial(tasks.families, np.full(tasks.families, 1 / tasks.families), replicates)
    drawn = np.zeros((replicates, len(tasks.x)), dtype=np.int64)
    for number in range(tasks.families):
        held = np.flatnonzero(tasks.family == number)
        equal = np.full(len(held), 1 / len(held))
        drawn[:, held] = rng.multinomial(times[:, number] * len(held), equal)
    return drawn


def _replicated(
    model: _Model,
    tasks: _Tasks,
    drawn: IntArray,
    levels: Sequence[float],
    rng: np.random.Generator,
) -> FloatArray:
    """Horizons of every replicate, levels x replicates. Weights are not scaled anew."""
    times = drawn[:, model.at]
    solved = _successes(model, times, rng) * model.each
    weight = times * model.count * model.each
    x, place = np.unique(tasks.x[model.at], return_inverse=True)
    onto = np.zeros((len(model.at), len(x)))
    onto[np.arange(len(model.at)), place] = 1.0
    solved, weight = solved @ onto, weight @ onto
    won, all_ = solved.sum(axis=1), weight.sum(axis=1)
    mixed = (won > EQUAL * all_) & (won < all_ * (1 - EQUAL))
    told = np.where(won >= all_ * (1 - EQUAL), inf, 0.0)[None].repeat(len(levels), axis=0)
    told[:, all_ == 0] = np.nan  # no task of this model was drawn
    if mixed.any():
        slope, intercept = logistic(x, solved[mixed], (weight - solved)[mixed])
        for number, level in enumerate(levels):
            told[number, mixed] = _minutes(slope, intercept, level)
    return told


def _successes(model: _Model, times: IntArray, rng: np.random.Generator) -> FloatArray:
    """Sums of scores over the runs drawn, replicates x tasks."""
    sums = times * model.share  # exact where a task has one run
    for number in np.flatnonzero(model.count > 1):
        scores, count = model.scores[number], int(model.count[number])
        picked = rng.multinomial(times[:, number] * count, np.full(count, 1 / count))
        sums[:, number] = picked @ scores
    return sums


def _minutes(slope: FloatArray, intercept: FloatArray, level: float) -> FloatArray:
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        told: FloatArray = np.exp2((log(level / (1 - level)) - intercept) / slope)
    return told


def _horizon(
    model: _Model,
    tasks: _Tasks,
    replicates: FloatArray,
    about: tuple[float, float, float, float],
    alpha: float,
) -> Horizon:
    level, slope, intercept, longest = about
    warnings = [Code.FEW_ITEMS] if len(model.at) < TASKS_MIN else []
    if np.isinf(intercept):
        point = inf if intercept > 0 else 0.0
    else:
        point = float(_minutes(np.array([slope]), np.array([intercept]), level)[0])
        warnings += [Code.SLOPE_POSITIVE] * (slope > 0) + [Code.UNSETTLED] * bool(np.isnan(slope))
    known = replicates[~np.isnan(replicates)]
    low, high = (float(end) for end in _ends(known, alpha))
    x, failed = tasks.x[model.at], model.count * (1 - model.share)
    beyond = float(failed[x > np.log2(point)].sum()) if 0 < point < inf else 0.0
    saturated = point > 0 and (high > longest or beyond < FAILURES_MIN)
    if saturated:
        low, high = _at_least(model, tasks, level, known), inf
        warnings.append(Code.SATURATED)
    if 0 < point < inf and not np.exp2(x.min()) <= point <= np.exp2(x.max()):
        warnings.append(Code.EXTRAPOLATED)
    return Horizon(
        method="metr-th1.1",
        n_items=len(model.at),
        n_runs=int(model.count.sum()),
        n_clusters=len(set(tasks.family[model.at].tolist())),
        alpha=alpha,
        estimand="rate",
        warnings=tuple(warnings),
        model=model.name,
        level=level,
        point=point,
        low=low,
        high=high,
        saturated=saturated,
        slope=slope,
        intercept=intercept,
    )


def _ends(known: FloatArray, alpha: float) -> FloatArray:
    """Quantiles by linear interpolation that carry infinities; everything where nothing is known."""
    if not len(known):
        return np.array([0.0, inf])
    ordered = np.sort(known)
    ends = []
    for q in (alpha / 2, 1 - alpha / 2):
        place = q * (len(ordered) - 1)
        under, over = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
        part = place - np.floor(place)
        ends.append(under if part == 0 or under == over else under + part * (over - under))
    return np.array(ends)


def _at_least(model: _Model, tasks: _Tasks, level: float, known: FloatArray) -> float:
    """The one-sided 95 % bound: the smaller of the bootstrap's 5 % quantile and the profile's end."""
    quantile = float(np.sort(known)[int(0.05 * (len(known) - 1))])
    profile = _profile_end(model, tasks, level)
    return min(quantile, profile) if isfinite(profile) else quantile


def _profile_end(model: _Model, tasks: _Tasks, level: float) -> float:
    """The lower end of the horizon by profile likelihood, at effective size 1 / sum of weights^2.

    Infinite where the profile does not fall far enough within a minute and the longest task.
    """
    weight = model.each * model.count
    size = 1 / float((model.each**2 * model.count).sum())
    x, solved = tasks.x[model.at], weight * model.share
    shift = log(level / (1 - level))

    def loss(at: float) -> float:
        """The least loss of all slopes whose horizon is 2^*at*: slope * (x - at) + shift."""
        found = minimize(
            lambda b: (
                float(np.sum(weight * np.logaddexp(0, z := shift + b[0] * (x - at)) - solved * z))
                + 0.5 * PENALTY * float(b[0]) ** 2
            ),
            x0=[-1.0],
            method="Nelder-Mead",
            options={"xatol": 1e-8, "fatol": 1e-12},
        )
        return float(found.fun)

    grid = np.linspace(min(0.0, float(x.min())), float(x.max()) + 3, 40)
    losses = np.array([loss(float(at)) for at in grid])
    best = int(losses.argmin())
    need = ONE_SIDED / (2 * size)
    under = [n for n in range(best) if losses[n] - losses[best] > need]
    if not under:
        return inf
    edge = under[-1]
    return float(
        np.exp2(brentq(lambda at: loss(at) - losses[best] - need, grid[edge], grid[edge + 1]))
    )


@dataclass(frozen=True, slots=True)
class Trend:
    """log2 of the horizon on time: how many days it takes to double, with its interval.

    *censored* models entered by their lower bound alone.
    """

    doubling_days: float
    low: float
    high: float
    slope: float
    intercept: float
    models: tuple[str, ...]
    censored: tuple[str, ...]


def horizon_trend(
    horizons: Horizons, days: Mapping[str, float], level: float = 0.5, *, alpha: float = 0.05
) -> Trend:
    """The trend over the models in *days* (day of release, any origin).

    A saturated model says only that its horizon is at least its bound: it enters as right-censored in a
    normal regression (Tobin 1958). The interval comes from the joint bootstrap.

    Raises: Invalid, if fewer than three models have a horizon, or all have one day.
    """
    place = horizons.levels.index(level)
    usable = [m for m in horizons.models if m in days and horizons.of(m, level).point > 0]
    if not _spans(np.array([days[m] for m in usable], dtype=float)):
        raise Invalid("models", "a trend needs three models with a horizon, of two days or more")
    at = np.array([days[m] for m in usable], dtype=float)
    told = [horizons.of(m, level) for m in usable]
    cut = np.array([one.saturated for one in told])
    values = np.log2([one.low if one.saturated else one.point for one in told])
    intercept, slope = _censored_line(at, values, cut)
    rows = [horizons.models.index(m) for m in usable]
    drawn = horizons.replicates[rows, place]
    ceiling = np.array([one.low if one.saturated else horizons.longest for one in told])
    slopes = []
    for column in drawn.T:
        good = (column > 0) & ~np.isnan(column)
        if not _spans(at[good]):
            continue
        held = np.where(cut[good], ceiling[good], np.minimum(column[good], ceiling[good]))
        slopes.append(_line(at[good], np.log2(held))[1])
    ends = np.quantile(slopes, [alpha / 2, 1 - alpha / 2])
    return Trend(
        doubling_days=1 / slope,
        low=float(1 / ends[1]) if ends[1] > 0 else inf,
        high=float(1 / ends[0]) if ends[0] > 0 else inf,
        slope=slope,
        intercept=intercept,
        models=tuple(usable),
        censored=tuple(m for m, is_cut in zip(usable, cut, strict=True) if is_cut),
    )


def _spans(at: FloatArray) -> bool:
    """Whether a line can be drawn: three models, not all of one day."""
    return len(at) >= TREND_MIN and bool(np.ptp(at) > 0)


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    slope, intercept = np.polyfit(x, y, 1)
    return float(intercept), float(slope)


def _censored_line(x: FloatArray, y: FloatArray, cut: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Intercept and slope of a normal regression in which *cut* values are lower bounds."""
    start = _line(x, y)
    if not cut.any() or cut.all():
        return start
    middle, spread = float(x.mean()), float(x.std())
    scaled = (x - middle) / spread
    first = _line(scaled, y)
    sd = max(float(np.std(y - first[0] - first[1] * scaled)), 0.05)

    def loss(at: FloatArray) -> float:
        sigma = float(np.exp(at[2]))
        left = (y - at[0] - at[1] * scaled) / sigma
        seen = 0.5 * left[~cut] ** 2 + np.log(sigma)
        return float(seen.sum() - log_ndtr(-left[cut]).sum() + 1e-6 * at[2] ** 2)

    found = minimize(loss, x0=[*first, log(sd)], method="Nelder-Mead", options={"maxiter": 4_000})
    slope = float(found.x[1]) / spread
    return float(found.x[0]) - slope * middle, slope


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The longest human first-solve time among solved tasks, with the two next and the attempts.

    A maximum: it grows with attempts, so that models of unequal attempts are not compared by it.
    """

    minutes: float
    task: str
    next_minutes: tuple[float, ...]
    attempts: int


def first_solve_ceiling(tasks: Mapping[str, tuple[float, bool]], attempts: int) -> Ceiling | None:
    """The ceiling over *tasks* (minutes and whether it was solved); None where nothing was solved.

    Raises: Invalid, if *attempts* is not positive or a time is not.
    """
    if attempts < 1:
        raise Invalid("attempts", "at least one attempt was made at each task")
    for name, (minutes, _) in tasks.items():
        if not 0 < minutes < inf:
            raise Invalid(name, f"{minutes} minutes is no working time")
    solved = sorted(
        ((minutes, name) for name, (minutes, won) in tasks.items() if won), reverse=True
    )
    if not solved:
        return None
    rest = tuple(minutes for minutes, _ in solved[1:3])
    return Ceiling(solved[0][0], solved[0][1], rest, attempts)
