"""Decisions about models whose full rows are known, to see what deciding early costs and risks.

Items' difficulties come from other models only: all but the one decided on (``loo``), or the first half in
the table's order (``temporal``). The truth is the mean of the full row, or its mean by family where
families have weights. Source: design, statistics 7.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from leadline.core.errors import Invalid
from leadline.core.measure.active import Bank, Design, Outcome, Rule, decide
from leadline.core.measure.irt import ITEMS_MIN, MODELS_MIN, Fit, Responses, fit_irt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Holdout = Literal["loo", "temporal"]


@dataclass(frozen=True, slots=True)
class Table:
    """What was tried: *scores* are models x items in [0, 1], nan where missing.

    *families* names each item's family, or is empty; *weights* are of the families, by name, and sum to 1,
    or are empty for the plain mean over items.

    Raises: Invalid, for fewer than three models or ten items, a name given twice, a score that is none, or
    a model that was tried at fewer than two items.
    """

    models: tuple[str, ...]
    items: tuple[str, ...]
    scores: FloatArray
    families: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        models, items = len(self.models), len(self.items)
        if models <= MODELS_MIN or items < ITEMS_MIN:
            problem = f"{models} models and {items} items; needs {MODELS_MIN + 1} and {ITEMS_MIN}"
            raise Invalid("matrix", problem)
        if self.scores.shape != (models, items):
            raise Invalid("scores", f"has shape {self.scores.shape}, not {(models, items)}")
        for name, names in (("models", self.models), ("items", self.items)):
            if len(set(names)) != len(names):
                twice = next(one for one in names if names.count(one) > 1)
                raise Invalid(name, f"{twice!r} is given twice")
        known = ~np.isnan(self.scores)
        wrong = known & ~((self.scores >= 0) & (self.scores <= 1))
        if wrong.any():
            row, column = (int(n) for n in np.argwhere(wrong)[0])
            place = f"score, {self.models[row]}, {self.items[column]}"
            raise Invalid(place, f"{self.scores[row, column]} does not lie between 0 and 1")
        few = known.sum(axis=1) < MODELS_MIN
        if few.any():
            name = self.models[int(np.flatnonzero(few)[0])]
            raise Invalid(f"model {name}", "was tried at fewer than two items")
        if self.families and len(self.families) != items:
            raise Invalid("families", "one for each item, or none at all")


@dataclass(frozen=True, slots=True)
class Subject:
    """One model to decide about: its *row* in the table, the items it *held*, and their bank.

    *mean* is what the full row says.
    """

    row: int
    held: IntArray
    bank: Bank
    mean: float


@dataclass(frozen=True, slots=True)
class Decided:
    """One model: its conclusion, the items used of those it has, and its full row's mean.

    *drawn* are the items used, in their order, as places in the table.
    """

    model: str
    outcome: Outcome
    items: int
    mean: float
    drawn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """All decisions of one replay, with the three counts that the contract names."""

    decided: tuple[Decided, ...]
    threshold: float
    zone: float

    @property
    def fractions(self) -> FloatArray:
        """Items used over items, by decision."""
        return np.array([one.outcome.n / one.items for one in self.decided])

    @property
    def false_above(self) -> int:
        """Called above though the full row lies below the zone's lower end."""
        low = self.threshold - self.zone - 1e-12
        return sum(one.outcome.state == "above" and one.mean < low for one in self.decided)

    @property
    def false_below(self) -> int:
        """Called below though the full row reaches the zone's upper end."""
        high = self.threshold + self.zone - 1e-12
        return sum(one.outcome.state == "below" and one.mean >= high for one in self.decided)

    @property
    def undetermined(self) -> int:
        """Neither called above nor below."""
        return sum(one.outcome.state not in {"above", "below"} for one in self.decided)


def decide_all(table: Table, rule: Rule, *, holdout: Holdout = "loo", seed: int = 0) -> HeldOut:
    """Decide about each held-out model of *table* by *rule*.

    Raises: Invalid, if too few models or items are left to learn difficulties from, or if the weights are
    none (`active.Bank`).
    """
    told = tuple(_decided(table, one, rule, seed) for one in subjects(table, holdout))
    return HeldOut(told, rule.threshold, rule.zone)


def subjects(
    table: Table, holdout: Holdout, rows: Collection[int] | None = None
) -> Iterator[Subject]:
    """Each model to decide about, with difficulties from the rows that may be known.

    *rows* are those to decide about, all that *holdout* allows if None; the others teach all the same.

    Raises: Invalid, as `decide_all`, or if a model was tried at no item of a family that has a weight.
    """
    for row, (a, b) in _others(table, holdout, rows):
        held = np.flatnonzero(~np.isnan(table.scores[row]))
        own = tuple(table.families[n] for n in held) if table.families else ()
        without = set(table.weights) - set(own)
        if without:
            problem = f"was tried at no item of {min(without)}, which has a weight"
            raise Invalid(f"model {table.models[row]}", problem)
        bank = Bank(
            tuple(table.items[n] for n in held),
            tuple(a[held].tolist()),
            tuple(b[held].tolist()),
            own,
            dict(table.weights),
        )
        yield Subject(row, held, bank, _mean(bank, table.scores[row, held]))


def _mean(bank: Bank, scores: FloatArray) -> float:
    """The full row's mean, by family where families have weights."""
    if not bank.weights:
        return float(scores.mean())
    own = np.array(bank.family)
    return float(sum(part * scores[own == name].mean() for name, part in bank.weights.items()))


def _others(
    table: Table, holdout: Holdout, rows: Collection[int] | None
) -> Iterator[tuple[int, tuple[FloatArray, FloatArray]]]:
    """Each row to decide about, with a and b of every item by the rows that may be known."""
    count = len(table.models)
    if holdout == "temporal":
        early = _difficulties(table, list(range(count // 2)), None)[0]
        later = range(count // 2, count)
        yield from ((row, early) for row in later if rows is None or row in rows)
        return
    whole = _difficulties(table, list(range(count)), None)[1]
    for row in range(count) if rows is None else rows:
        yield row, _difficulties(table, [n for n in range(count) if n != row], whole)[0]


def _difficulties(
    table: Table, rows: list[int], start: Fit | None
) -> tuple[tuple[FloatArray, FloatArray], Fit]:
    """A and b of every item; an item that none of *rows* was tried at is taken for a middling one."""
    scores = table.scores[rows]
    trials = (~np.isnan(scores)).astype(float)
    seen = trials.sum(axis=0) > 0
    if len(rows) < MODELS_MIN or seen.sum() < ITEMS_MIN:
        raise Invalid("matrix", "too few models or items are left to learn difficulties from")
    names = tuple(item for item, is_seen in zip(table.items, seen, strict=True) if is_seen)
    models = tuple(table.models[n] for n in rows)
    given = Responses(models, names, np.nan_to_num(scores[:, seen]), trials[:, seen])
    fit = fit_irt(given, start=start if start and start.items == names else None)
    a, b = np.ones(len(seen)), np.full(len(seen), float(fit.b.mean()))
    a[seen], b[seen] = fit.a, fit.b
    return (a, b), fit


def _decided(table: Table, subject: Subject, rule: Rule, seed: int) -> Decided:
    model, own = table.models[subject.row], table.scores[subject.row, subject.held].tolist()
    words = f"leadline/held-out/v1\0{seed}\0{model}".encode()
    outcome = decide(Design(subject.bank, rule), own.__getitem__, hashlib.sha256(words).digest())
    drawn = tuple(int(subject.held[n]) for n in outcome.order)
    return Decided(model, outcome, len(own), subject.mean, drawn)
