"""Decisions about models whose full rows are known, to see what deciding early costs and risks.

Items' difficulties come from other models only: all but the one decided on (``loo``), or the first half in
the table's order (``temporal``). The truth is the mean of the full row. Source: design, statistics 7.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from leadline.core.errors import Invalid
from leadline.core.measure.active import Bank, Design, Outcome, Rule, decide
from leadline.core.measure.irt import ITEMS_MIN, MODELS_MIN, Fit, Responses, fit_irt

FloatArray = npt.NDArray[np.float64]
Holdout = Literal["loo", "temporal"]


@dataclass(frozen=True, slots=True)
class Decided:
    """One model: its conclusion, the items used of those it has, and its full row's mean."""

    model: str
    outcome: Outcome
    items: int
    mean: float


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


def hold_out(
    models: tuple[str, ...],
    items: tuple[str, ...],
    scores: FloatArray,
    rule: Rule,
    *,
    holdout: Holdout = "loo",
    seed: int = 0,
) -> HeldOut:
    """Decide about each held-out model by *rule*; *scores* are models x items, nan where missing.

    Raises: Invalid, for fewer than three models or ten items, or a model that was tried at fewer than
    two items.
    """
    if len(models) <= MODELS_MIN or len(items) < ITEMS_MIN:
        problem = (
            f"{len(models)} models and {len(items)} items; needs {MODELS_MIN + 1} and {ITEMS_MIN}"
        )
        raise Invalid("matrix", problem)
    if scores.shape != (len(models), len(items)):
        raise Invalid("scores", f"has shape {scores.shape}, not {(len(models), len(items))}")
    known = (~np.isnan(scores)).sum(axis=1)
    if (known < MODELS_MIN).any():
        at = int(np.flatnonzero(known < MODELS_MIN)[0])
        raise Invalid(f"model {models[at]}", "was tried at fewer than two items")
    told = tuple(
        _decided(models[row], scores[row], bank, items, rule, seed)
        for row, bank in _banks(models, items, scores, holdout)
    )
    return HeldOut(told, rule.threshold, rule.zone)


def _banks(
    models: tuple[str, ...], items: tuple[str, ...], scores: FloatArray, holdout: Holdout
) -> Iterator[tuple[int, tuple[FloatArray, FloatArray]]]:
    """Each row to decide about, with difficulties from the rows that may be known."""
    if holdout == "temporal":
        half = len(models) // 2
        early = _difficulties(models[:half], items, scores[:half], None)[0]
        yield from ((row, early) for row in range(half, len(models)))
        return
    whole = _difficulties(models, items, scores, None)[1]
    for row in range(len(models)):
        others = [n for n in range(len(models)) if n != row]
        names = tuple(models[n] for n in others)
        yield row, _difficulties(names, items, scores[others], whole)[0]


def _difficulties(
    models: tuple[str, ...], items: tuple[str, ...], scores: FloatArray, start: Fit | None
) -> tuple[tuple[FloatArray, FloatArray], Fit | None]:
    """A and b of every item; an item that none of *models* was tried at is taken for a middling one."""
    trials = (~np.isnan(scores)).astype(float)
    seen = trials.sum(axis=0) > 0
    if len(models) < MODELS_MIN or seen.sum() < ITEMS_MIN:
        raise Invalid("matrix", "too few models or items are left to learn difficulties from")
    names = tuple(item for item, is_seen in zip(items, seen, strict=True) if is_seen)
    given = Responses(models, names, np.nan_to_num(scores[:, seen]), trials[:, seen])
    fit = fit_irt(given, start=start if start and start.items == names else None)
    a, b = np.ones(len(items)), np.full(len(items), float(fit.b.mean()))
    a[seen], b[seen] = fit.a, fit.b
    return (a, b), fit


def _decided(
    model: str,
    row: FloatArray,
    bank: tuple[FloatArray, FloatArray],
    items: tuple[str, ...],
    rule: Rule,
    seed: int,
) -> Decided:
    held = np.flatnonzero(~np.isnan(row))
    a, b = (values[held].tolist() for values in bank)
    design = Design(Bank(tuple(items[n] for n in held), tuple(a), tuple(b)), rule)
    drawn = hashlib.sha256(f"leadline/held-out/v1\0{seed}\0{model}".encode()).digest()
    own = row[held].tolist()
    return Decided(model, decide(design, own.__getitem__, drawn), len(held), float(np.mean(own)))
