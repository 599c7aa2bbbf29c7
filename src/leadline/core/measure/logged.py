"""Decisions replayed over runs that were already made elsewhere, and what the full set of runs says.

The order of the items is drawn after the runs, so that nothing here is evidence of how they were chosen:
it shows what sampling would have cost. An item's score is the mean over its repeats that have one; an item
without any is missing, never a failure.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadline.core.errors import Invalid
from leadline.core.measure.active import Bank, Design, Rule, decide
from leadline.core.measure.held_out import Decided, HeldOut
from leadline.core.measure.irt import ITEMS_MIN, MODELS_MIN, Fit, Responses, fit_irt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """One run of one item; *score* from 0 to 1, None where the log gives none (the run failed, say)."""

    model: str
    task: str
    item: str
    epoch: int
    score: float | None
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class OtherRows:
    """Rows of other models, from which difficulties are learned: models x items, nan is missing."""

    models: tuple[str, ...]
    items: tuple[str, ...]
    scores: FloatArray

    def __post_init__(self) -> None:
        shape = (len(self.models), len(self.items))
        if self.scores.shape != shape:
            raise Invalid("difficulties", f"scores have shape {self.scores.shape}, not {shape}")


@dataclass(frozen=True, slots=True)
class Replayed:
    """One model: its decision beside its full row, and what the row rests on.

    *reaches*: the full row's mean is at the threshold or above. *families* are items by task. *lowest* and *highest* are the mean if every missing item had been failed,
    or solved. *fractional* items have a score between 0 and 1. *known* items have a difficulty from other
    models. *tokens* are those of the items used, and of all of them.
    """

    decided: Decided
    reaches: bool
    families: Mapping[str, int]
    runs: int
    runs_missing: int
    items_missing: int
    lowest: float
    highest: float
    fractional: int
    repeats: tuple[int, int]
    known: int
    tokens: tuple[int, int]


@dataclass(frozen=True, slots=True)
class FromLogs:
    """All decisions; *summary* counts them as a replay of a table does."""

    replayed: tuple[Replayed, ...]
    threshold: float
    zone: float

    @property
    def items(self) -> Mapping[str, int]:
        """Items with a score by task, the most that one model has."""
        tasks = dict.fromkeys(task for one in self.replayed for task in one.families)
        return {task: max(one.families.get(task, 0) for one in self.replayed) for task in tasks}

    @property
    def summary(self) -> HeldOut:
        """Fractions of items used, and how many decisions the full rows contradict."""
        told = tuple(one.decided for one in self.replayed)
        return HeldOut(told, self.threshold, self.zone)


Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Row:
    """One model's items: means over repeats in a fixed order of items, and what is missing."""

    places: tuple[Place, ...]
    scores: tuple[float, ...]
    tokens: tuple[int, ...]
    repeats: tuple[int, int]
    runs: int
    runs_missing: int
    items_missing: int

    @property
    def families(self) -> tuple[str, ...]:
        """Each item's task."""
        return tuple(task for task, _ in self.places)

    @property
    def names(self) -> tuple[str, ...]:
        """Each item's name, no two alike."""
        return tuple(f"{len(task)}:{task}/{item}" for task, item in self.places)


def from_logs(
    runs: Iterable[LoggedRun], rule: Rule, *, others: OtherRows | None = None, seed: int = 0
) -> FromLogs:
    """Decide about the mean item score of each model in *runs* by *rule*, over all its tasks' items.

    Tasks are the families of the items. Without *others* every item is taken to be alike: then items are
    drawn evenly, and what is expected of one follows the scores seen.

    Raises: Invalid, for no runs, a repeat given twice, a score outside [0, 1], a model with fewer than ten
    items that have a score, or *others* that are too few or share no item with a model's runs.
    """
    held = _by_model(runs)
    if not held:
        raise Invalid("logs", "they hold no sample")
    fits: dict[tuple[int, ...], Fit] = {}
    told = []
    for model, own in held.items():
        row = _row(model, own)
        a, b, known = _difficulties(model, row.places, others, fits)
        bank = Bank(row.names, tuple(a.tolist()), tuple(b.tolist()), row.families)
        told.append(_replayed(model, row, Design(bank, rule), known, seed))
    return FromLogs(tuple(told), rule.threshold, rule.zone)


def _by_model(runs: Iterable[LoggedRun]) -> dict[str, dict[Place, dict[int, LoggedRun]]]:
    held: dict[str, dict[Place, dict[int, LoggedRun]]] = {}
    for run in runs:
        place = f"{run.task}, {run.item}, repeat {run.epoch} of {run.model}"
        if run.score is not None and not 0 <= run.score <= 1:
            raise Invalid(place, f"{run.score} is no score from 0 to 1")
        repeats = held.setdefault(run.model, {}).setdefault((run.task, run.item), {})
        if run.epoch in repeats:
            raise Invalid(place, "is given twice")
        repeats[run.epoch] = run
    return held


def _row(model: str, held: Mapping[Place, Mapping[int, LoggedRun]]) -> _Row:
    """The items of *model* that have a score, in the order of their names."""
    places, means, tokens, counts = [], [], [], []
    runs = missing = 0
    for place in sorted(held):
        own = held[place].values()
        scores = [one.score for one in own if one.score is not None]
        runs, missing = runs + len(own), missing + len(own) - len(scores)
        if scores:
            places.append(place)
            means.append(math.fsum(scores) / len(scores))
            tokens.append(sum(one.tokens for one in own))
            counts.append(len(scores))
    if len(places) < ITEMS_MIN:
        problem = f"{len(places)} items have a score; at least {ITEMS_MIN} are due"
        raise Invalid(f"model {model}", problem)
    return _Row(
        tuple(places),
        tuple(means),
        tuple(tokens),
        (min(counts), max(counts)),
        runs,
        missing,
        len(held) - len(places),
    )


def _replayed(model: str, row: _Row, design: Design, known: int, seed: int) -> Replayed:
    text = f"leadline/from-log/v1\0{seed}\0{model}"
    drawn = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    outcome = decide(design, row.scores.__getitem__, drawn)
    size, total = len(row.scores), math.fsum(row.scores)
    whole, mean = size + row.items_missing, total / size
    return Replayed(
        decided=Decided(model, outcome, size, mean),
        reaches=mean >= design.rule.threshold - 1e-12,
        families=Counter(row.families),
        runs=row.runs,
        runs_missing=row.runs_missing,
        items_missing=row.items_missing,
        lowest=total / whole,
        highest=(total + row.items_missing) / whole,
        fractional=sum(0 < score < 1 for score in row.scores),
        repeats=row.repeats,
        known=known,
        tokens=(sum(row.tokens[item] for item in outcome.order), sum(row.tokens)),
    )


def _learned(others: OtherRows, rows: tuple[int, ...], model: str) -> Fit:
    """Items' parameters from *rows* of the table, for a decision about *model*."""
    scores = others.scores[list(rows)]
    trials = (~np.isnan(scores)).astype(float)
    tried = np.flatnonzero(trials.sum(axis=0) > 0)
    if len(rows) < MODELS_MIN or len(tried) < ITEMS_MIN:
        problem = f"{len(rows)} models other than {model} and {len(tried)} items they were tried at"
        raise Invalid("difficulties", f"{problem}; needs {MODELS_MIN} and {ITEMS_MIN}")
    names = tuple(others.items[at] for at in tried)
    models = tuple(others.models[at] for at in rows)
    return fit_irt(Responses(models, names, np.nan_to_num(scores[:, tried]), trials[:, tried]))


def _difficulties(
    model: str, places: Sequence[Place], others: OtherRows | None, fits: dict[tuple[int, ...], Fit]
) -> tuple[FloatArray, FloatArray, int]:
    """Discrimination and difficulty of each item, and how many items other models were tried at.

    A column is an item's where its heading is ``task/id``, or ``id`` if one task alone has that id. An item
    that none of them was tried at is taken for a middling one. *fits* by rows are shared between models.
    """
    a, b = np.ones(len(places)), np.zeros(len(places))
    if others is None:
        return a, b, 0
    rows = tuple(at for at, name in enumerate(others.models) if name != model)
    if rows not in fits:
        fits[rows] = _learned(others, rows, model)
    fit = fits[rows]
    column = {name: at for at, name in enumerate(fit.items)}
    tasks_with = Counter(item for _, item in places)
    found = [
        column.get(f"{task}/{item}", column.get(item) if tasks_with[item] == 1 else None)
        for task, item in places
    ]
    if all(at is None for at in found):
        raise Invalid(
            "difficulties", f"shares no item with the runs of {model}; items are named by id"
        )
    b[:] = float(fit.b.mean())
    for at, own in enumerate(found):
        if own is not None:
            a[at], b[at] = fit.a[own], fit.b[own]
    return a, b, sum(at is not None for at in found)
