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
from scipy.sparse import csr_array
from scipy.special import ndtri

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code, Estimate
from leadline.core.measure.interval import check_alpha
from leadline.core.measure.regression import EQUAL, censored_line, logistic, profile

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

REPLICATES, REPLICATES_MIN, REPLICATES_MAX = 1_000, 2, 100_000
TREND_MIN, TREND_SEEN_MIN = 3, 2
NOISE_SDS = 2.0  # of the bootstrap's own noise, by which its upper end must stay within the tasks
FAILURES_MIN = 5  # above the point estimate; with fewer the suite is exhausted
LEVELS = (0.5, 0.8)
TASKS_MIN = 10
MINUTES_MAX = WEIGHT_MAX = 1e9
PROFILE_PLACES, PROFILE_ZOOMS, PROFILE_BEYOND = 32, 3, 3.0  # beyond the longest task, in doublings
SHORTEST = 2.0**-20  # minutes: no task is shorter
UNSTATED = "unstated"
KEPT_MAX = 50_000_000  # replicates of all models and levels together
BLOCK = 256  # replicates fitted together, so that their tables stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs as parallel columns, one entry a run.

    *minutes* are human working times of the run's task, *score* lies in [0, 1]. *weight* is given by
    the data, one for each model and task, or None: then a run weighs 1 over (the model's runs at the task
    times the square root of the model's tasks in the family). *source* says how a task's time was got
    (measured, estimated, censored, ...), in the data's own words, or is None.

    Several rows of one model and task are its attempts, whose number differs as it may; they never count
    as tasks of their own.
    """

    model: npt.NDArray[np.str_]
    task: npt.NDArray[np.str_]
    family: npt.NDArray[np.str_]
    minutes: FloatArray
    score: FloatArray
    weight: FloatArray | None = None
    source: npt.NDArray[np.str_] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon(Estimate):
    """One model's horizon at one success rate, in minutes.

    *saturated*: the suite holds too few tasks that the model fails, so that *high* is infinite and
    *low* a one-sided bound, "at least", of error alpha. *point* is 0 for a model that solved nothing,
    infinite for one that solved everything; the bound on the other side then comes from counting: so many
    of its shortest tasks failed, or of its longest were solved, that a horizon beyond them has error alpha.

    *sources* are the shares of the model's tasks by how their time was got. *unknown* counts replicates
    without a number: none of the model's tasks was drawn, or the fit did not settle.
    """

    model: str
    level: float
    point: float
    low: float
    high: float
    saturated: bool
    slope: float
    intercept: float
    sources: tuple[tuple[str, float], ...] = ()
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Horizons:
    """All models of one table, with the replicates that comparisons and trends need.

    *replicates* is models x levels x replicates, in minutes: 0 where every run failed, infinite where
    every one succeeded. The same families and tasks were drawn for every model, so that differences
    between models are paired. *families* are the families present and their tasks; *longest* and
    *shortest* are of all tasks, in minutes; *sources* the shares of all tasks by how their time was got.
    """

    estimates: tuple[Horizon, ...]
    models: tuple[str, ...]
    levels: tuple[float, ...]
    replicates: FloatArray
    longest: float
    families: tuple[tuple[str, int], ...] = ()
    shortest: float = SHORTEST
    sources: tuple[tuple[str, float], ...] = ()

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
    optional = {"score": runs.score, "weight": runs.weight, "source": runs.source}
    for name, column in {**columns, **optional}.items():
        if column is not None and len(column) != size:
            raise Invalid(name, f"has {len(column)} rows where model has {size}")
    if size == 0:
        raise Invalid("runs", "the table has no rows")
    for name, values, low, high in (
        ("minutes", runs.minutes, SHORTEST, MINUTES_MAX),
        ("score", runs.score, 0.0, 1.0),
        ("weight", runs.weight, 1 / WEIGHT_MAX, WEIGHT_MAX),
    ):
        if values is None:
            continue
        wrong = ~((values >= low) & (values <= high))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise Invalid(f"{name}, row {row + 1}", f"{values[row]} is not within {low} and {high}")
    tasks = runs.task.tolist()
    _one_each("minutes", tasks, runs.minutes.tolist())
    _one_each("family", tasks, runs.family.tolist())
    if runs.source is not None:
        _one_each("source", tasks, runs.source.tolist())
    if runs.weight is not None:
        own = list(zip(runs.model.tolist(), tasks, strict=True))
        _one_each("weight", own, runs.weight.tolist())


def _one_each(name: str, keys: Sequence[object], values: Sequence[object]) -> None:
    seen: dict[object, object] = {}
    for row, (one, value) in enumerate(zip(keys, values, strict=True)):
        if seen.setdefault(one, value) != value:
            raise Invalid(f"{name}, row {row + 1}", f"{one} has another {name} elsewhere")


@dataclass(frozen=True, slots=True)
class _Tasks:
    """Every task once: its name, its x, its family as a number, and how its time was got."""

    names: npt.NDArray[np.str_]
    x: FloatArray
    family: IntArray
    families: tuple[str, ...]
    source: npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class _Model:
    """One model's runs by task: *at* are the tasks' numbers.

    *scores* holds each task's, or nothing where every task was run once: then *share* says it.
    """

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
    names = sorted(set(runs.model.tolist()))
    if len(names) * len(levels) * replicates > KEPT_MAX:
        problem = f"with {len(names)} models, {KEPT_MAX // (len(names) * len(levels)):,} at most"
        raise Invalid("replicates", problem)
    models = [_model(runs, name, tasks) for name in names]
    lines = [_point(model, tasks) for model in models]
    lengths = [_lengths(model, tasks) for model in models]
    kept = np.empty((len(models), len(levels), replicates))
    for begin in range(0, replicates, BLOCK):
        drawn = _multiplicities(tasks, min(BLOCK, replicates - begin), rng)
        for number, model in enumerate(models):
            told = _replicated(model, lengths[number], drawn, levels, lines[number], rng)
            kept[number, :, begin : begin + BLOCK] = told
    found = [
        _horizon(model, tasks, kept[number, place], level, lines[number], alpha)
        for number, model in enumerate(models)
        for place, level in enumerate(levels)
    ]
    kept.flags.writeable = False
    return Horizons(
        tuple(found),
        tuple(names),
        tuple(levels),
        kept,
        float(np.exp2(tasks.x.max())),
        tuple(zip(tasks.families, np.bincount(tasks.family).tolist(), strict=True)),
        float(np.exp2(tasks.x.min())),
        _shares(tasks.source),
    )


def _tasks(runs: Runs) -> _Tasks:
    names, first = np.unique(runs.task, return_index=True)
    families, family = np.unique(runs.family[first], return_inverse=True)
    source = np.full(len(names), UNSTATED) if runs.source is None else runs.source[first]
    return _Tasks(
        names,
        np.log2(runs.minutes[first]),
        family.astype(np.int64),
        tuple(families.tolist()),
        np.where(source == "", UNSTATED, source),
    )


def _model(runs: Runs, name: str, tasks: _Tasks) -> _Model:
    own = runs.model == name
    at = np.searchsorted(tasks.names, runs.task[own])
    score = runs.score[own]
    held, place, count = np.unique(at, return_inverse=True, return_counts=True)
    share = np.bincount(place, score) / count
    if runs.weight is None:
        of_family = np.bincount(tasks.family[held], minlength=len(tasks.families))
        each = 1 / (count * np.sqrt(of_family[tasks.family[held]]))
    else:
        each = np.bincount(place, runs.weight[own]) / count
    each = each / (each * count).sum()
    scores: tuple[FloatArray, ...] = ()
    if count.max() > 1:
        in_order = score[np.argsort(place, kind="stable")]
        scores = tuple(np.split(in_order, np.cumsum(count)[:-1]))
    return _Model(name, held, count, share, each, scores)


def _point(model: _Model, tasks: _Tasks) -> tuple[float, float]:
    """Slope and intercept; (nan, -inf) where nothing was solved, (nan, inf) where everything was.

    Raises: Invalid, if the tasks all take the same time, so that no slope can be told.
    """
    weight = model.each * model.count
    solved = weight * model.share
    if not 0 < solved.sum() < weight.sum() * (1 - 1e-15):
        return float("nan"), inf if solved.sum() > 0 else -inf
    x = tasks.x[model.at]
    if not np.ptp(x) > EQUAL:
        raise Invalid(
            "minutes", f"all tasks of {model.name} take the same time; a horizon needs several"
        )
    slope, intercept = logistic(x, solved[:, None], weight[:, None])
    return float(slope[0]), float(intercept[0])


def _multiplicities(tasks: _Tasks, replicates: int, rng: np.random.Generator) -> FloatArray:
    """How often each task was drawn, tasks x replicates: families first, then tasks within them."""
    families = len(tasks.families)
    times = rng.multinomial(families, np.full(families, 1 / families), replicates)
    drawn = np.zeros((len(tasks.x), replicates))
    for number in range(families):
        held = np.flatnonzero(tasks.family == number)
        equal = np.full(len(held), 1 / len(held))
        drawn[held] = rng.multinomial(times[:, number] * len(held), equal).T
    return drawn


@dataclass(frozen=True, slots=True)
class _Lengths:
    """One model's tasks by length: the lengths, each task's place among them, and sums over all tasks.

    *by_weight* and *by_score*, lengths x all tasks, turn counts of tasks into weight run and weight solved;
    scores of tasks with several runs are drawn and are not in the latter.
    """

    x: FloatArray
    place: IntArray
    by_weight: csr_array
    by_score: csr_array


def _lengths(model: _Model, tasks: _Tasks) -> _Lengths:
    x, place = np.unique(tasks.x[model.at], return_inverse=True)
    runs, shape = model.count * model.each, (len(x), len(tasks.x))
    known = runs * model.share * (model.count == 1)
    by_weight = csr_array((runs, (place, model.at)), shape)
    return _Lengths(x, place, by_weight, csr_array((known, (place, model.at)), shape))


def _replicated(
    model: _Model,
    lengths: _Lengths,
    drawn: FloatArray,
    levels: Sequence[float],
    line: tuple[float, float],
    rng: np.random.Generator,
) -> FloatArray:
    """Horizons of a block of replicates, levels x replicates. Weights are not scaled anew."""
    weight, solved = lengths.by_weight @ drawn, lengths.by_score @ drawn
    if model.scores:
        solved += _successes(model, drawn, lengths.place, len(lengths.x), rng)
    return _block(lengths.x, solved, weight, levels, line)


def _block(
    x: FloatArray,
    solved: FloatArray,
    weight: FloatArray,
    levels: Sequence[float],
    line: tuple[float, float],
) -> FloatArray:
    """Horizons of one block of replicates, levels x replicates; the others are lengths x replicates."""
    won, all_ = solved.sum(axis=0), weight.sum(axis=0)
    told = np.where(won >= all_ * (1 - EQUAL), inf, 0.0)[None].repeat(len(levels), axis=0)
    told[:, all_ == 0] = np.nan  # no task of this model was drawn
    mixed = (won > EQUAL * all_) & (won < all_ * (1 - EQUAL))
    flat = mixed & (np.count_nonzero(weight, axis=0) == 1)
    for number, level in enumerate(levels):  # of tasks of one length: above or below the level
        told[number, flat] = np.where(won[flat] >= level * all_[flat], inf, 0.0)
    mixed &= ~flat
    if mixed.any():
        if not mixed.all():
            solved, weight = solved[:, mixed], weight[:, mixed]
        slope, intercept = logistic(x, solved, weight, start=line if isfinite(line[0]) else None)
        for number, level in enumerate(levels):
            told[number, mixed] = _minutes(slope, intercept, level)
    return told


def _successes(
    model: _Model, drawn: FloatArray, place: IntArray, lengths: int, rng: np.random.Generator
) -> FloatArray:
    """Weighted sums of scores over the runs drawn of tasks with several, lengths x replicates."""
    sums = np.zeros((lengths, drawn.shape[1]))
    for number in np.flatnonzero(model.count > 1):
        scores, count, share = model.scores[number], int(model.count[number]), model.share[number]
        tries = (drawn[model.at[number]] * count).astype(np.int64)
        if np.isin(scores, (0, 1)).all():
            won = rng.binomial(tries, share)
        else:
            won = rng.multinomial(tries, np.full(count, 1 / count)) @ scores
        sums[place[number]] += won * model.each[number]
    return sums


def _minutes(slope: FloatArray, intercept: FloatArray, level: float) -> FloatArray:
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        told: FloatArray = np.exp2((log(level / (1 - level)) - intercept) / slope)
    return told


def _horizon(
    model: _Model,
    tasks: _Tasks,
    replicates: FloatArray,
    level: float,
    line: tuple[float, float],
    alpha: float,
) -> Horizon:
    slope, intercept = line
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
    outside = _surely(known, 1 - alpha / 2) > float(np.exp2(x.max()))
    saturated = point > 0 and (outside or beyond < FAILURES_MIN)
    if not point:
        high = _by_counting(np.sort(x), 1 - level, alpha, inf)
        warnings.append(Code.NONE_SOLVED)
    if saturated:
        low, high = _at_least(model, tasks, level, known, alpha), inf
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
        sources=_shares(tasks.source[model.at]),
        unknown=len(replicates) - len(known),
    )


def _shares(names: npt.NDArray[np.str_]) -> tuple[tuple[str, float], ...]:
    """Each name with its share, in the order of the alphabet."""
    kinds, count = np.unique(names, return_counts=True)
    return tuple(zip(kinds.tolist(), (count / len(names)).tolist(), strict=True))


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


def _surely(known: FloatArray, q: float) -> float:
    """The *q* quantile's upper end for the noise of the draws: another seed would hardly exceed it.

    Whether an upper limit is told at all hangs on the seed less for it.
    """
    if not len(known):
        return inf
    rank = q * len(known) + NOISE_SDS * np.sqrt(q * (1 - q) * len(known))
    return float(np.sort(known)[min(int(np.ceil(rank)), len(known)) - 1])


def _at_least(model: _Model, tasks: _Tasks, level: float, known: FloatArray, alpha: float) -> float:
    """The one-sided bound: the smaller of the bootstrap's *alpha* quantile and the profile's end.

    Where hardly a replicate has a failure, the model's solved tasks are counted too.

    Nought where no replicate has a number.
    """
    quantile = float(np.sort(known)[int(alpha * (len(known) - 1))]) if len(known) else 0.0
    told = min(quantile, _profile_end(model, tasks, level, alpha))
    if quantile < inf:
        return told
    return min(told, _by_counting(np.sort(tasks.x[model.at])[::-1], level, alpha, 0.0))


def _by_counting(lengths: FloatArray, chance: float, alpha: float, none: float) -> float:
    """What a row of equal outcomes says alone: the task at which its chance falls to *alpha*, in minutes.

    Were the horizon short of that task, each of those before it in *lengths* (logarithms, in the order in
    which they speak most) would have had its outcome with a chance below *chance*. *none* with too few.
    """
    place = int(np.ceil(np.log(alpha) / np.log(chance)))
    return float(np.exp2(lengths[place - 1])) if place <= len(lengths) else none


def _profile_end(model: _Model, tasks: _Tasks, level: float, alpha: float) -> float:
    """The lower end of the horizon by profile likelihood, at effective size 1 / sum of weights^2.

    Infinite where the profile does not fall far enough within a minute and the longest task.
    """
    weight = model.each * model.count
    size = 1 / float((model.each**2 * model.count).sum())
    x, solved = tasks.x[model.at], weight * model.share
    shift = log(level / (1 - level))

    def losses(low: float, high: float) -> tuple[FloatArray, FloatArray]:
        places = np.linspace(low, high, PROFILE_PLACES)
        return places, profile(x, solved, weight, places, shift)

    need = float(ndtri(1 - alpha)) ** 2 / (2 * size)
    places, told = losses(min(0.0, float(x.min())), float(x.max()) + PROFILE_BEYOND)
    best, low, high = float(told.min()), -inf, 0.0
    for _ in range(PROFILE_ZOOMS):
        far = np.flatnonzero((told - best > need)[: int(told.argmin())])
        if not len(far):
            return inf
        low, high = float(places[far[-1]]), float(places[far[-1] + 1])
        places, told = losses(low, high)
    return float(np.exp2(low))


@dataclass(frozen=True, slots=True)
class Ratio:
    """One model's horizon over another's, with the interval of the paired bootstrap.

    An end that only an exhausted suite would set is 0 or infinite. *replicates* is how many told a ratio.
    """

    one: str
    other: str
    level: float
    point: float
    low: float
    high: float
    alpha: float
    replicates: int


def horizon_ratio(
    horizons: Horizons, one: str, other: str, level: float = 0.5, *, alpha: float = 0.05
) -> Ratio:
    """How many times the horizon of *other* the one of *one* is; the same tasks were drawn for both.

    Of a model that exhausted the suite only the lower end of its horizon is known: then the ratio has no
    upper end, or no lower one. Where both did, or both solved nothing, nothing is known of it.

    Raises: Invalid, for a model or a *level* that was not fitted, or one model twice.
    """
    check_alpha(alpha)
    if level not in horizons.levels:
        raise Invalid("level", f"{level} was not fitted; there are {horizons.levels}")
    for name in (one, other):
        if name not in horizons.models:
            raise Invalid("model", f"{name!r} was not fitted")
    if one == other:
        raise Invalid("model", f"{one!r} is compared with itself")
    above, below = horizons.of(one, level), horizons.of(other, level)
    place = horizons.levels.index(level)
    rows = [horizons.models.index(name) for name in (one, other)]
    top, bottom = np.minimum(horizons.replicates[rows, place], horizons.longest)
    known = ~np.isnan(top) & ~np.isnan(bottom) & ((top > 0) | (bottom > 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (float(end) for end in _ends(top[known] / bottom[known], alpha))
        point = float(np.float64(above.point) / np.float64(below.point))
    return Ratio(
        one,
        other,
        level,
        point,
        0.0 if below.saturated else low,
        inf if above.saturated else high,
        alpha,
        int(known.sum()),
    )


@dataclass(frozen=True, slots=True)
class Trend:
    """log2 of the horizon on time: how many days it takes to double, with its interval.

    Infinite where it does not grow.
    *censored* models entered by a bound alone; *left_out* ones have a day but solved nothing, or
    longer tasks more often, or their fit did not settle. *replicates* is how many of the bootstrap's held a line, *sd* how far horizons
    lie around it, in doublings.
    """

    doubling_days: float
    low: float
    high: float
    slope: float
    intercept: float
    models: tuple[str, ...]
    censored: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    sd: float = 0.0
    alpha: float = 0.05
    replicates: int = 0


def horizon_trend(
    horizons: Horizons, days: Mapping[str, float], level: float = 0.5, *, alpha: float = 0.05
) -> Trend:
    """The trend over the models in *days* (day of release, any origin).

    A normal regression with bounds (Tobin 1958): a saturated model says only that its horizon is at least
    its bound, one below the shortest task only that it is at most that. The interval comes from the joint
    bootstrap, by the same regression in every replicate; there a horizon beyond the longest or the shortest
    task is such a bound too.

    Raises: Invalid, if fewer than three models have a horizon, or fewer than two of two days have one that
    is no mere bound; for a *level* that was not fitted or a day that is no number.
    """
    check_alpha(alpha)
    if level not in horizons.levels:
        raise Invalid("level", f"{level} was not fitted; there are {horizons.levels}")
    for model, day in days.items():
        if not isfinite(day):
            raise Invalid(f"days, {model}", f"{day} is no day")
    dated = [m for m in horizons.models if m in days]
    usable = [m for m in dated if _falls(horizons.of(m, level))]
    at = np.array([days[m] for m in usable], dtype=float)
    told = [horizons.of(m, level) for m in usable]
    cut = np.array([one.saturated for one in told], dtype=bool)
    ends_of = (max(horizons.shortest, SHORTEST), horizons.longest)
    values, side = _bounded(
        np.array([one.low if one.saturated else one.point for one in told]), ends_of
    )
    side = np.where(cut, 1, side)
    if len(usable) < TREND_MIN or not _spans(at, side == 0):
        raise Invalid(
            "models",
            "a trend needs three models with a horizon, two of them of two days and no bound",
        )
    line = censored_line(at, values[None], side[None])
    intercept, slope, sd = (float(part[0]) for part in line)
    rows = [horizons.models.index(m) for m in usable]
    drawn = horizons.replicates[rows, horizons.levels.index(level)].T
    slopes = _slopes(at, np.where(cut, values, np.nan), *_bounded(drawn, ends_of))
    ends = np.quantile(slopes, [alpha / 2, 1 - alpha / 2]) if len(slopes) else np.array([-inf, inf])
    return Trend(
        doubling_days=1 / slope if slope > 0 else inf,
        low=float(1 / ends[1]) if ends[1] > 0 else inf,
        high=float(1 / ends[0]) if ends[0] > 0 else inf,
        slope=slope,
        intercept=intercept,
        models=tuple(usable),
        censored=tuple(m for m, bound in zip(usable, side, strict=True) if bound),
        left_out=tuple(m for m in dated if m not in usable),
        sd=sd,
        alpha=alpha,
        replicates=len(slopes),
    )


def _falls(one: Horizon) -> bool:
    """Whether something was solved, and longer tasks more rarely."""
    return one.point > 0 and not one.slope > 0


def _spans(at: FloatArray, seen: BoolArray) -> bool:
    """Whether values, and not bounds alone, lie on two days or more."""
    return int(seen.sum()) >= TREND_SEEN_MIN and bool(np.ptp(at[seen]) > 0)


def _bounded(minutes: FloatArray, ends: tuple[float, float]) -> tuple[FloatArray, IntArray]:
    """log2 of *minutes*, and 1 or -1 where they lie beyond the longest or shortest task and say only that."""
    side = np.where(minutes > ends[1], 1, np.where(minutes < ends[0], -1, 0))
    return np.log2(np.clip(minutes, *ends)), side.astype(np.int64)


def _slopes(at: FloatArray, bounds: FloatArray, y: FloatArray, side: IntArray) -> FloatArray:
    """Slopes of the replicates (rows of *y*) that hold a line; *bounds* of saturated models stay theirs."""
    cut = ~np.isnan(bounds)
    y, side = np.where(cut, bounds, y), np.where(cut, 1, side)
    held = np.array([_spans(at, (s == 0) & ~np.isnan(r)) for s, r in zip(side, y, strict=True)])
    if not held.any():
        return np.empty(0)
    slope = censored_line(at, y[held], side[held])[1]
    told: FloatArray = slope[~np.isnan(slope)]
    return told


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The longest human first-solve time among solved tasks, with the two next and the attempts.

    A maximum: it grows with attempts, so that models of unequal attempts are not compared by it.
    """

    minutes: float
    task: str
    next_minutes: tuple[float, ...]
    attempts: int
    next_tasks: tuple[str, ...] = ()


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
    next_ = solved[1:3]
    return Ceiling(
        solved[0][0],
        solved[0][1],
        tuple(minutes for minutes, _ in next_),
        attempts,
        tuple(name for _, name in next_),
    )


def ceilings(runs: Runs) -> dict[str, Ceiling | None]:
    """Each model's first-solve ceiling; *attempts* are the most that it made at any task.

    A task counts as solved by a full score in any attempt.

    Raises: Invalid, as `check_runs`.
    """
    check_runs(runs)
    told: dict[str, Ceiling | None] = {}
    for model in sorted(set(runs.model.tolist())):
        own = runs.model == model
        names, first, place = np.unique(runs.task[own], return_index=True, return_inverse=True)
        best = np.zeros(len(names))
        np.maximum.at(best, place, runs.score[own])
        minutes = runs.minutes[own][first].tolist()
        tasks = {
            name: (time, bool(score >= 1))
            for name, time, score in zip(names.tolist(), minutes, best, strict=True)
        }
        told[model] = first_solve_ceiling(tasks, int(np.bincount(place).max()))
    return told
