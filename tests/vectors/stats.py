"""Loaders of the published response sets; the data stays outside the repository."""

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leadline.core.measure.horizon import Runs
from leadline.core.measure.irt import Responses


def cyber_runs(folder: Path) -> Runs:
    """The runs of Lyptus Research (2026) whose task has a human time."""
    path = folder / "stats" / "cyber_task_horizons" / "lyptus_cyber_runs_16x631.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["best_available_minutes"]]
    return Runs(
        np.array([row["alias"] for row in rows]),
        np.array([row["task_id"] for row in rows]),
        np.array([row["task_family"] for row in rows]),
        np.array([float(row["best_available_minutes"]) for row in rows]),
        np.array([float(row["score_binarized"]) for row in rows]),
    )


def published_horizons(folder: Path) -> dict[str, dict[str, str]]:
    """The published table, by model."""
    path = folder / "stats" / "cyber_task_horizons" / "published_fits_human_2M.csv"
    with path.open(encoding="utf-8") as file:
        return {row["agent"]: row for row in csv.DictReader(file)}


def swe_bench(folder: Path) -> Responses:
    """The 134 x 500 matrix of SWE-bench Verified, agents in order of submission."""
    place = folder / "stats" / "swebench_verified"
    with (place / "swebench_verified_134x500.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    items = (place / "swebench_verified_134x500_items.txt").read_text(encoding="utf-8").split()
    solved = np.array([[float(bit) for bit in row["bits"]] for row in rows])
    agents = tuple(row["agent"] for row in rows)
    return Responses(agents, tuple(items), solved, np.ones_like(solved))


def published_1pl(folder: Path, what: str, column: str) -> dict[str, float]:
    """The source's own one-parameter estimates of *what* ("abilities" or "items"), by name."""
    path = folder / "stats" / "swebench_verified" / f"published_1pl_{what}.csv"
    with path.open(encoding="utf-8") as file:
        return {row[""]: float(row[column]) for row in csv.DictReader(file)}


@dataclass(frozen=True, slots=True)
class CyberGrid:
    """Scores and tokens, models x tasks, nan where a model was not run; the tasks' families."""

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    families: tuple[str, ...]
    scores: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.float64]


def cyber_grid(folder: Path) -> CyberGrid:
    """Every run of Lyptus Research (2026): 16 models x 631 tasks of 7 families, with gaps."""
    path = folder / "stats" / "cyber_task_horizons" / "lyptus_cyber_runs_16x631.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    models = sorted({row["alias"] for row in rows})
    tasks = sorted({(row["task_family"], row["task_id"]) for row in rows})
    scores = np.full((len(models), len(tasks)), np.nan)
    tokens = scores.copy()
    line = {name: at for at, name in enumerate(models)}
    column = {name: at for at, name in enumerate(tasks)}
    for row in rows:
        at = line[row["alias"]], column[row["task_family"], row["task_id"]]
        scores[at], tokens[at] = float(row["score_binarized"]), float(row["total_tokens"] or "nan")
    return CyberGrid(
        tuple(models),
        tuple(task for _, task in tasks),
        tuple(family for family, _ in tasks),
        scores,
        tokens,
    )
