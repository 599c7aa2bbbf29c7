"""Observed success by the length of tasks, to lay beside a fitted logistic.

A bin holds tasks of similar human working time, the same ones for every model. Runs weigh as in the fit
(`horizon`), so that curve and bins speak of one quantity; the interval is Wilson's at the effective
number of tasks (Kish, Survey Sampling, 1965: squared sum of weights over sum of their squares). Tasks
count as independent: where a family stands or falls together, its interval is too narrow.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Estimate
from leadline.core.measure.horizon import Runs, check_runs
from leadline.core.measure.interval import FloatArray, check_alpha, wilson

BINS, BINS_MAX = 8, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin(Estimate):
    """One model at the tasks between *shortest* and *longest* minutes; *middle* is their weighted mean in log."""

    model: str
    shortest: float
    longest: float
    middle: float
    share: float
    low: float
    high: float


def binned(runs: Runs, *, bins: int = BINS, alpha: float = 0.05) -> tuple[Bin, ...]:
    """At most *bins* bins of about equally many tasks, by model in order of name, shortest tasks first.

    Tasks of one time stay together, and a model that was tried at no task of a bin has none there.

    Raises: Invalid, as `horizon.check_runs`, or for *bins* or *alpha* out of range.
    """
    check_runs(runs)
    check_alpha(alpha)
    if not 1 <= bins <= BINS_MAX:
        raise Invalid("bins", f"{bins} is not within 1 and {BINS_MAX}")
    times = np.log2(runs.minutes[np.unique(runs.task, return_index=True)[1]])
    inner = np.quantile(times, np.linspace(0, 1, bins + 1)[1:-1])
    place = np.searchsorted(np.unique(inner), np.log2(runs.minutes), side="right")
    told = []
    for name in sorted(set(runs.model.tolist())):
        own = runs.model == name
        weight = _weights(runs, own)
        for number in sorted(set(place[own].tolist())):
            inside = place[own] == number
            told.append(_bin(name, runs, np.flatnonzero(own)[inside], weight[inside], alpha))
    return tuple(told)


def _weights(runs: Runs, own: npt.NDArray[np.bool_]) -> FloatArray:
    """The weight of each of a model's runs, as the fit has it, up to a common factor."""
    if runs.weight is not None:
        return runs.weight[own]
    _, task, count = np.unique(runs.task[own], return_inverse=True, return_counts=True)
    first = np.unique(runs.task[own], return_index=True)[1]
    _, family, tasks = np.unique(runs.family[own][first], return_inverse=True, return_counts=True)
    told: FloatArray = (1 / (count * np.sqrt(tasks[family])))[task]
    return told


def _bin(
    model: str, runs: Runs, rows: npt.NDArray[np.intp], weight: FloatArray, alpha: float
) -> Bin:
    minutes, tasks = runs.minutes[rows], runs.task[rows]
    _, place = np.unique(tasks, return_inverse=True)
    by_task = np.bincount(place, weight)
    size = float(by_task.sum() ** 2 / (by_task**2).sum())
    share = float(weight @ runs.score[rows] / weight.sum())
    low, high = (float(end) for end in wilson(share * size, size, alpha=alpha))
    return Bin(
        method="wilson, effective number of tasks",
        n_items=len(by_task),
        n_runs=len(rows),
        n_clusters=len(by_task),
        alpha=alpha,
        estimand="rate",
        model=model,
        shortest=float(minutes.min()),
        longest=float(minutes.max()),
        middle=float(np.exp2(weight @ np.log2(minutes) / weight.sum())),
        share=share,
        low=min(low, share),
        high=max(high, share),
    )
