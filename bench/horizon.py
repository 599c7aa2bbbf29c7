"""The published cyber horizons again, and what the count bootstrap costs beside the straightforward one.

    LEADLINE_VECTORS=FOLDER python bench/horizon.py --json [--quick]

The straightforward procedure is METR's, plainly written: families are drawn, then tasks, then runs, as rows;
one logistic fit a model and replicate by L-BFGS, at the tolerance of the published runs. It is measured on
few replicates, ours with everything around them (point estimates, one-sided bounds) on all; both in
processor time of this process with one thread, and per replicate.
"""

import os
import statistics
import sys
import time
from pathlib import Path

# Waiting threads of the linear algebra would be counted as processor time, mostly the baseline's.
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # noqa: TID251 - a script is an edge of its own

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from bench import _form as form

from leadline.core.measure.horizon import Horizons, Runs, horizon_trend, time_horizon
from vectors.stats import cyber_runs, published_horizons

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

P50_MAX, P80_MAX, ENDS_MAX, FASTER_MIN, OPTIMUM_MAX = 0.002, 0.004, 0.05, 50.0, 1e-9
PENALTY, LOOSE = 1e-5, 1e-4  # METR's C is 1e5; scikit-learn's own tolerance is 1e-4
REPLICATES, SLOW, SLOW_QUICK = 1_000, 30, 8
TURNS = 7


def told(text: str) -> None:
    """A line of progress."""
    sys.stderr.write(f"{text}\n")


def fit_rows(x: FloatArray, y: FloatArray, weight: FloatArray, tolerance: float) -> FloatArray:
    """Slope and intercept by L-BFGS over rows."""

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        z = at[0] * x + at[1]
        left = weight * (expit(z) - y)
        value = float(weight @ (np.logaddexp(0.0, z) - y * z)) + PENALTY / 2 * float(at[0]) ** 2
        return value, np.array([left @ x + PENALTY * at[0], left.sum()])

    options = {"gtol": tolerance, "ftol": 64 * np.finfo(float).eps}
    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", options=options)
    answer: FloatArray = found.x
    return answer


def row_weights(runs: Runs) -> FloatArray:
    """1 / (runs at the task x square root of the tasks in the family), of the model's own, with sum 1."""
    weight = np.empty(len(runs.model))
    for model in np.unique(runs.model):
        own = runs.model == model
        _, task, count = np.unique(runs.task[own], return_inverse=True, return_counts=True)
        families = runs.family[own]
        held = {name: len(set(runs.task[own][families == name])) for name in np.unique(families)}
        each = 1 / (count[task] * np.sqrt([held[name] for name in families]))
        weight[own] = each / each.sum()
    return weight


def tree_of(runs: Runs) -> list[list[list[IntArray]]]:
    """Families, their tasks, and each task's rows by model."""
    places: dict[str, dict[str, dict[str, list[int]]]] = {}
    names = zip(runs.family.tolist(), runs.task.tolist(), runs.model.tolist(), strict=True)
    for row, (family, task, model) in enumerate(names):
        places.setdefault(family, {}).setdefault(task, {}).setdefault(model, []).append(row)
    return [
        [[np.array(rows) for rows in models.values()] for models in tasks.values()]
        for tasks in places.values()
    ]


def drawn_rows(tree: list[list[list[IntArray]]], rng: np.random.Generator) -> IntArray:
    """Rows of one replicate: families, then tasks, then runs."""
    rows: list[IntArray] = []
    for family in rng.integers(len(tree), size=len(tree)):
        tasks = tree[family]
        for task in rng.integers(len(tasks), size=len(tasks)):
            rows.extend(
                runs if len(runs) == 1 else rng.choice(runs, len(runs)) for runs in tasks[task]
            )
    return np.concatenate(rows)


def straightforward(runs: Runs, replicates: int) -> float:
    """Processor seconds a replicate of the plain procedure, all models."""
    tree, weight, x = tree_of(runs), row_weights(runs), np.log2(runs.minutes)
    models = np.unique(runs.model)
    rng = np.random.default_rng(1)
    begun = time.process_time()
    for _ in range(replicates):
        rows = drawn_rows(tree, rng)
        of_row = runs.model[rows]
        for model in models:
            own = rows[of_row == model]
            if 0 < runs.score[own].sum() < len(own):
                fit_rows(x[own], runs.score[own], weight[own], LOOSE)
    return (time.process_time() - begun) / replicates


def ours(runs: Runs, replicates: int) -> tuple[float, Horizons]:
    """Processor seconds a replicate, the median of a few turns, and the horizons."""
    taken, answer = [], None
    for turn in range(TURNS):
        begun = time.process_time()
        answer = time_horizon(runs, replicates=replicates)
        taken.append(time.process_time() - begun)
        told(f"count bootstrap, turn {turn + 1}: {taken[-1]:.2f} s of processor")
    assert answer is not None
    return statistics.median(taken) / replicates, answer


def optimum(runs: Runs, answer: Horizons) -> float:
    """The largest relative difference of p50 from an independent solver's, run until it rests."""
    weight, x, worst = row_weights(runs), np.log2(runs.minutes), 0.0
    for model in answer.models:
        own = runs.model == model
        at = fit_rows(x[own], runs.score[own], weight[own], 1e-12)
        at = polished(at, x[own], runs.score[own], weight[own])
        other = float(np.exp2(-at[1] / at[0]))
        worst = max(worst, abs(answer.of(model).point / other - 1))
    return worst


def polished(at: FloatArray, x: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """*at* after Newton steps over rows by a general linear solver."""
    table = np.stack([x, np.ones_like(x)], axis=1)
    held = np.diag([PENALTY, 0.0])
    for _ in range(20):
        p = expit(table @ at)
        gradient = table.T @ (weight * (p - y)) + held @ at
        at = at - np.linalg.solve(
            table.T @ (table * (weight * p * (1 - p))[:, None]) + held, gradient
        )
    return at


def interval_ends(answer: Horizons, table: dict[str, dict[str, str]]) -> float:
    """Median |log ratio| of the p50's interval ends to the published ones, single-class replicates dropped."""
    ratios = []
    for number, model in enumerate(answer.models):
        drawn = answer.replicates[number, 0]
        drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
        for q, column in ((0.025, "p50q0.025"), (0.975, "p50q0.975")):
            ratios.append(abs(np.log(np.quantile(drawn, q) / float(table[model][column]))))
    return float(np.median(ratios))


def worst_of(answer: Horizons, table: dict[str, dict[str, str]], level: float) -> float:
    """The largest relative distance from the published points."""
    column = "p50" if level == 0.5 else "p80"
    return max(
        abs(answer.of(model, level).point / float(row[column]) - 1) for model, row in table.items()
    )


def measure(folder: Path, *, quick: bool) -> dict[str, object]:
    """The whole benchmark as the document that is printed."""
    env = form.machine()
    runs, table = cyber_runs(folder), published_horizons(folder)
    assert len(table) == 16
    count, few = REPLICATES, SLOW_QUICK if quick else SLOW
    each, answer = ours(runs, count)
    assert set(answer.models) == set(table)
    told(f"straightforward bootstrap, {few} replicates")
    slow = straightforward(runs, few)
    days = {
        model: float(np.datetime64(row["release_date"]).astype("datetime64[D]").astype(int))
        for model, row in table.items()
    }
    trend = horizon_trend(answer, days)
    values = {
        "ours_ms": {"value": round(each * 1000, 4), "unit": "cpu ms/replicate"},
        "straightforward_ms": {"value": round(slow * 1000, 2), "unit": "cpu ms/replicate"},
        "replicates": {"value": count, "unit": "ours"},
        "replicates_straightforward": {"value": few, "unit": "straightforward"},
        "whole_s": {"value": round(each * count, 3), "unit": "cpu s"},
        "saturated": {
            "value": int(sum(answer.of(m).saturated for m in table)),
            "unit": "of 16 models",
        },
        "doubling_days": {"value": round(trend.doubling_days, 1), "unit": "days"},
        "doubling_low": {"value": round(trend.low, 1), "unit": "days"},
        "doubling_high": {"value": round(trend.high, 1), "unit": "days"},
    }
    ratios = {
        "p50_off": form.ratio(worst_of(answer, table, 0.5), P50_MAX, "<="),
        "p80_off": form.ratio(worst_of(answer, table, 0.8), P80_MAX, "<="),
        "interval_ends_off": form.ratio(interval_ends(answer, table), ENDS_MAX, "<="),
        "optimum_off": form.ratio(optimum(runs, answer), OPTIMUM_MAX, "<="),
        "times_faster": form.ratio(slow / each, FASTER_MIN, ">=", round(slow * 1000, 2)),
    }
    return form.document("horizon", env, values, ratios)


def main() -> None:
    """Measure and print: one line for programs, a short table for people."""
    parser = form.parser(__doc__, "fewer of the slow replicates")
    options = parser.parse_args()
    folder = form.vectors()
    if folder is None:
        parser.error("LEADLINE_VECTORS names the folder of published vectors; it is not set")
    form.show(measure(folder, quick=options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
