"""Item response on SWE-bench Verified: what a fit costs, what it recovers, and how well it predicts.

    LEADLINE_VECTORS=FOLDER python bench/irt.py --json [--quick]

Costs are processor time of one thread. Predicted is the score on all 500 items from a random sample, by
items fitted on other agents: ten-fold, and later agents by earlier ones; the sample's plain mean stands
beside as the baseline. The strategic agent fails the 50 items that tell most; how often person fit sees it
is a lead and has no target.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Waiting threads of the linear algebra would be counted as processor time.
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # noqa: TID251 - a script is an edge of its own

import numpy as np
import numpy.typing as npt
from scipy.special import expit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from bench import _form as form

from leadline.core.measure.active import (
    Bank,
    Design,
    Rule,
    advance,
    begin,
    chances,
    drawn,
    predictions,
    uniform,
)
from leadline.core.measure.irt import Fit, Responses, abilities, fit_irt, theta_at
from leadline.core.measure.misfit import calibration_lz, lz, person_fit
from leadline.core.measure.predicted import Rehearsal, rehearse
from vectors.stats import published_1pl, swe_bench

FloatArray = npt.NDArray[np.float64]

FIT_MAX, NEXT_MS_MAX, MAE_FOLDS_MAX, MAE_LATER_MAX = 0.5, 5.0, 2.2, 2.4
B_MIN, LOG_A_MIN, ABILITY_MIN, DIFFICULTY_MIN = 0.99, 0.97, 0.997, 0.997
SEEN, DRAWS, SEEDS, SEEDS_QUICK = 100, 50, 10, 3
FAILED = 50
SIZE, SIZE_QUICK = (2_000, 1_000), (1_000, 400)
STEPS = 200


def told(text: str) -> None:
    """A line of progress."""
    sys.stderr.write(f"{text}\n")


def seconds(action: Callable[[], object], repeats: int) -> float:
    """Processor seconds of *action*, the median."""
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        action()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def correlation(one: FloatArray, other: FloatArray) -> float:
    """Pearson's."""
    return float(np.corrcoef(one, other)[0, 1])


def recovery(size: tuple[int, int]) -> dict[str, float]:
    """How simulated parameters come back: correlations of b and of log a, and the fit's seconds."""
    rng = np.random.default_rng(20)
    models, items = size
    theta, b = rng.normal(size=models), rng.normal(size=items)
    a = np.exp(rng.normal(0, 0.4, items))
    solved = (rng.random(size) < expit(a * (theta[:, None] - b))).astype(float)
    names = tuple(f"m{n}" for n in range(models)), tuple(f"i{n}" for n in range(items))
    begun = time.process_time()
    fit = fit_irt(Responses(*names, solved, np.ones(size)))
    taken = time.process_time() - begun
    assert fit.converged
    return {
        "b": correlation(fit.b, b),
        "log_a": correlation(np.log(fit.a), np.log(a)),
        "theta": correlation(fit.theta, theta),
        "seconds": taken,
    }


def published(folder: Path, given: Responses) -> dict[str, float]:
    """Correlations of Rasch abilities and difficulties with the source's own estimates."""
    fit = fit_irt(given, rasch=True)
    theta, b = published_1pl(folder, "abilities", "theta"), published_1pl(folder, "items", "b")
    known = ~fit.prior_driven
    return {
        "abilities": correlation(fit.theta, np.array([theta[name] for name in fit.models])),
        "difficulties": correlation(fit.b[known], np.array([b[name] for name in fit.items])[known]),
        "items": int(known.sum()),
    }


def next_item_ms(given: Responses, fit: Fit) -> float:
    """Processor milliseconds to choose the next of 500 items, the median over a walk."""
    bank = Bank(given.items, tuple(fit.a.tolist()), tuple(fit.b.tolist()))
    design = Design(bank, Rule(0.5, 0.05, 0.05))
    walk, taken = begin(design), []
    for step in range(STEPS):
        begun = time.process_time()
        p = predictions(design, walk)
        weights = chances(design, walk, p)
        item = drawn(weights, uniform(b"bench", step + 1))
        taken.append(time.process_time() - begun)
        walk = advance(design, walk, item, float(given.solved[-1, item]), p, weights)
    return statistics.median(taken) * 1000


@dataclass(frozen=True)
class Seen:
    """How person fit tells the strategic agent from honest ones, from so many random items."""

    items: int
    auc: float
    power: float
    honest: float


def person_fit_power(given: Responses, fit: Fit, items: int, draws: int) -> Seen:
    """Later agents above half of the items, by *fit* of the earlier ones, honest and strategic."""
    half = len(given.models) // 2
    rows = [n for n in range(half, len(given.models)) if given.solved[n].mean() >= 0.5]
    p = expit(fit.a * (theta_at(fit.a, fit.b, 0.5) - fit.b))
    telling = np.argsort(-(fit.a**2) * p * (1 - p), kind="stable")[:FAILED]
    rng = np.random.default_rng(items)
    honest: list[FloatArray] = []
    strategic: list[FloatArray] = []
    for row in rows:
        picked = rng.random((draws, len(given.items))).argsort(axis=1) < items
        trials = picked.astype(float)
        feigned = given.solved[row].copy()
        feigned[telling] = 0
        for answers, kept in ((given.solved[row], honest), (feigned, strategic)):
            solved = trials * answers
            theta, _ = abilities(fit.a, fit.b, solved, trials)
            kept.append(lz(fit.a, fit.b, solved, trials, theta))
    fair, feint = np.concatenate(honest), np.concatenate(strategic)
    below = np.searchsorted(np.sort(feint), fair) / len(feint)
    return Seen(
        items,
        float(below.mean()),
        float((feint < np.quantile(fair, 0.05)).mean()),
        float(fair.mean()),
    )


def false_alarms(given: Responses, fit: Fit, subjects: int) -> tuple[float, float]:
    """Shares of honest later agents called rare at 5 %: by the bootstrap alone, and among earlier agents."""
    half = len(given.models) // 2
    early = Responses(given.models[:half], given.items, given.solved[:half], given.trials[:half])
    honest = calibration_lz(early, fit)
    rows = np.linspace(half, len(given.models) - 1, subjects).astype(int)
    found = [
        person_fit(fit.a, fit.b, given.solved[row], given.trials[row], seed=1, calibration=honest)
        for row in rows
    ]
    alone = statistics.mean(one.p <= 0.05 for one in found)
    return alone, statistics.mean((one.rank or 0.0) <= 0.05 for one in found)


def rehearsed(given: Responses, *, quick: bool) -> dict[str, list[Rehearsal]]:
    """Predictions from `SEEN` items, `DRAWS` draws an agent, by several splits of the agents."""
    seeds = SEEDS_QUICK if quick else SEEDS
    answer: dict[str, list[Rehearsal]] = {"folds": [], "later": []}
    for seed in range(seeds):
        told(f"predictions, split {seed + 1} of {seeds}")
        answer["folds"].append(rehearse(given, SEEN, seed=seed, draws=DRAWS))
    answer["later"].append(rehearse(given, SEEN, seed=0, draws=DRAWS, holdout="temporal"))
    return answer


def points(rehearsals: list[Rehearsal]) -> tuple[float, float]:
    """Mean absolute error in points of the predictions and of the plain mean."""
    return (
        100 * statistics.mean(one.mae for one in rehearsals),
        100 * statistics.mean(one.plain_mae for one in rehearsals),
    )


def measure(folder: Path, *, quick: bool) -> dict[str, object]:
    """The whole benchmark as the document that is printed."""
    env = form.machine()
    given = swe_bench(folder)
    half = len(given.models) // 2
    early = fit_irt(
        Responses(given.models[:half], given.items, given.solved[:half], given.trials[:half])
    )
    told("fits")
    repeats = 5 if quick else 15
    rasch = seconds(lambda: fit_irt(given, rasch=True), repeats)
    twopl = seconds(lambda: fit_irt(given, rasch=False), repeats)
    size = SIZE_QUICK if quick else SIZE
    told(f"recovery of {size[0]} x {size[1]}")
    back, source = recovery(size), published(folder, given)
    predicted = rehearsed(given, quick=quick)
    folds, later = points(predicted["folds"]), points(predicted["later"])
    told("person fit")
    seen = [person_fit_power(given, early, n, 20 if n < 500 else 1) for n in (60, 120, 500)]
    values: dict[str, dict[str, object]] = {
        "recovery_models": {"value": size[0], "unit": "simulated"},
        "recovery_items": {"value": size[1], "unit": "simulated"},
        "recovery_theta": {"value": round(back["theta"], 4), "unit": "correlation"},
        "recovery_s": {"value": round(back["seconds"], 2), "unit": "cpu s"},
        "published_items": {"value": source["items"], "unit": "neither all nor none"},
        "covered_folds": {
            "value": round(statistics.mean(r.covered for r in predicted["folds"]), 4),
            "unit": "of nominal 0.95, unwidened",
        },
        "covered_later": {
            "value": round(predicted["later"][0].covered, 4),
            "unit": "of nominal 0.95, unwidened",
        },
        "widening_later": {
            "value": round(predicted["later"][0].widening, 3),
            "unit": "times the model's own interval",
        },
    }
    alarms = false_alarms(given, early, 12 if quick else half)
    for name, share in zip(("bootstrap", "rank"), alarms, strict=True):
        values[f"honest_flagged_{name}"] = {"value": round(share, 3), "unit": "at 5 %, 500 items"}
    for one in seen:
        values[f"person_fit_auc_{one.items}"] = {"value": round(one.auc, 3), "unit": "a lead"}
        values[f"person_fit_power_{one.items}"] = {"value": round(one.power, 3), "unit": "at 5 %"}
        values[f"honest_lz_{one.items}"] = {"value": round(one.honest, 3), "unit": "mean"}
    ratios = {
        "rasch_s": form.ratio(rasch, FIT_MAX, "<="),
        "twopl_s": form.ratio(twopl, FIT_MAX, "<="),
        "next_item_ms": form.ratio(next_item_ms(given, early), NEXT_MS_MAX, "<="),
        "recovery_b": form.ratio(back["b"], B_MIN, ">="),
        "recovery_log_a": form.ratio(back["log_a"], LOG_A_MIN, ">="),
        "published_abilities": form.ratio(source["abilities"], ABILITY_MIN, ">="),
        "published_difficulties": form.ratio(source["difficulties"], DIFFICULTY_MIN, ">="),
        "mae_folds": form.ratio(folds[0], MAE_FOLDS_MAX, "<=", folds[1]),
        "mae_later": form.ratio(later[0], MAE_LATER_MAX, "<=", later[1]),
    }
    return form.document("irt", env, values, ratios)


def main() -> None:
    """Measure and print: one line for programs, a short table for people."""
    parser = form.parser(__doc__, "fewer splits, a smaller simulation")
    options = parser.parse_args()
    folder = form.vectors()
    if folder is None:
        parser.error("LEADLINE_VECTORS names the folder of published vectors; it is not set")
    form.show(measure(folder, quick=options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
