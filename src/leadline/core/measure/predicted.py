"""A model's score on the whole suite, predicted from a random sample of its items.

What was run counts as it is; what was not is expected by the item response model at the ability that the
sample shows (p-IRT: Polo et al., tinyBenchmarks, arXiv 2402.14992). The model's own interval takes the
model for true. `rehearse` asks how far such predictions were off for models whose full rows are known, each
by items fitted without it, and gives the factor by which the interval is to be widened. It describes and
forecasts; no recorded decision rests on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp, ndtri

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code, Estimate
from leadline.core.measure.interval import check_alpha
from leadline.core.measure.irt import (
    ITEMS_MIN,
    MODELS_MIN,
    Fit,
    Responses,
    check_responses,
    check_row,
    fit_irt,
)

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Holdout = Literal["folds", "temporal"]

NODES, REACH = 81, 6.0
FOLDS_MIN, DRAWS_MIN = 2, 1
WIDENING_MAX = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted(Estimate):
    """The score of all items, from those seen. *n_items* are all of the suite's, *seen* those that were run.

    *sd* is the model's own; *low* and *high* lie *widening* times as far from *point* as it would put them.
    *shown* is the plain mean of what was seen, for comparison.
    """

    point: float
    low: float
    high: float
    sd: float
    seen: int
    shown: float
    widening: float


def predict(
    a: FloatArray,
    b: FloatArray,
    solved: FloatArray,
    trials: FloatArray,
    *,
    alpha: float = 0.05,
    widening: float = 1.0,
) -> Predicted:
    """The mean score over all items of known *a* and *b*; items without trials are the ones to predict.

    The items tried must be a random sample of all of them: chosen otherwise, the answer leans as the choice
    does. *widening* comes from `rehearse`.

    Raises: Invalid, as `irt.ability`; for fewer than ten items, or a *widening* outside 1 to 100.
    """
    check_row(a, b, solved, trials)
    check_alpha(alpha)
    if len(a) < ITEMS_MIN:
        raise Invalid("items", f"{len(a)} items; a prediction needs {ITEMS_MIN}")
    if not 1 <= widening <= WIDENING_MAX:
        raise Invalid("widening", f"{widening} is not within 1 and {WIDENING_MAX:.0f}")
    seen = trials > 0
    share = np.where(seen, solved / np.where(seen, trials, 1.0), 0.0)
    points, sds = _completed(a, b, solved[None], trials[None], share[None])
    point, sd = float(points[0]), float(sds[0])
    half = float(ndtri(1 - alpha / 2)) * sd * widening
    least = float(share.sum()) / len(a)
    most = least + float((~seen).sum()) / len(a)
    return Predicted(
        method="p-irt",
        n_items=len(a),
        n_runs=int(trials.sum()),
        n_clusters=len(a),
        alpha=alpha,
        estimand="realised",
        warnings=(Code.FEW_ITEMS,) if int(seen.sum()) < ITEMS_MIN else (),
        point=point,
        low=max(point - half, least),
        high=min(point + half, most),
        sd=sd,
        seen=int(seen.sum()),
        shown=float(share[seen].mean()),
        widening=widening,
    )


def _completed(
    a: FloatArray, b: FloatArray, solved: FloatArray, trials: FloatArray, share: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mean and sd of the whole score, a row each; *share* is what was seen of each item, else 0."""
    nodes = np.linspace(-REACH, REACH, NODES)
    z = a[:, None] * (nodes - b[:, None])
    p = expit(z)
    log_p = solved @ z - trials @ np.logaddexp(0.0, z) - nodes**2 / 2
    weight = np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True))
    open_ = (trials == 0).astype(float)
    expected, scatter = open_ @ p, open_ @ (p * (1 - p))  # rows x nodes
    mean = (weight * expected).sum(axis=1)
    var = (weight * (scatter + (expected - mean[:, None]) ** 2)).sum(axis=1)
    size = len(a)
    return (share.sum(axis=1) + mean) / size, np.sqrt(var) / size


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How far predictions from *seen* items were off, for models whose full rows are known.

    *errors* are models x draws: predicted less true score. *plain* are those of the sample's mean alone.
    *covered* is the share of the model's own intervals that held the truth, *widening* the factor at which
    the share aimed at would have.
    """

    models: tuple[str, ...]
    seen: int
    errors: FloatArray
    plain: FloatArray
    covered: float
    widening: float

    @property
    def mae(self) -> float:
        """Mean absolute error of the predictions."""
        return float(np.abs(self.errors).mean())

    @property
    def plain_mae(self) -> float:
        """Mean absolute error of the sample's mean."""
        return float(np.abs(self.plain).mean())


def rehearse(
    given: Responses,
    seen: int,
    *,
    seed: int,
    holdout: Holdout = "folds",
    folds: int = 10,
    draws: int = 50,
    alpha: float = 0.05,
) -> Rehearsal:
    """Predict known models from *draws* random samples of *seen* items each, by items fitted without them.

    ``folds`` leaves a part of the models out in turn; ``temporal`` fits the first half in the table's order
    and predicts the second, the harder case: later models beat all that went before. Items that a model was
    not tried at are no part of its score.

    Raises: Invalid, as `irt.check_responses`; for *seen*, *folds* or *draws* out of range; if what is left
    to fit has an item that none of its models was tried at.
    """
    check_responses(given)
    check_alpha(alpha)
    if not ITEMS_MIN <= seen < int((given.trials > 0).sum(axis=1).min()):
        raise Invalid("seen", f"at least {ITEMS_MIN}, and fewer than any model has items")
    wrong = holdout == "folds" and not FOLDS_MIN <= folds <= len(given.models)
    if wrong or draws < DRAWS_MIN:
        raise Invalid(
            "folds, draws", f"{FOLDS_MIN} to {len(given.models)} folds, and one draw or more"
        )
    rng = np.random.default_rng(seed)
    names: list[str] = []
    errors, plain, sds = [], [], []
    for row, fit in _held_out(given, holdout, folds, rng):
        held = np.flatnonzero(given.trials[row] > 0)
        share = given.solved[row, held] / given.trials[row, held]
        picked = rng.random((draws, len(held))).argsort(axis=1) < seen
        point, sd = _completed(
            fit.a[held],
            fit.b[held],
            picked * given.solved[row, held],
            picked * given.trials[row, held],
            picked * share,
        )
        truth = float(share.mean())
        names.append(given.models[row])
        errors.append(point - truth)
        plain.append((picked @ share) / seen - truth)
        sds.append(sd)
    off = np.stack(errors)
    far = np.abs(off) / np.maximum(np.stack(sds), 1e-12) / float(ndtri(1 - alpha / 2))
    return Rehearsal(
        tuple(names),
        seen,
        off,
        np.stack(plain),
        float((far <= 1).mean()),
        float(np.clip(np.quantile(far, 1 - alpha), 1.0, WIDENING_MAX)),
    )


def _held_out(
    given: Responses, holdout: Holdout, folds: int, rng: np.random.Generator
) -> Iterator[tuple[int, Fit]]:
    """Each model to predict, with a fit of items by others."""
    size = len(given.models)
    if holdout == "temporal":
        half = size // 2
        early = _fit_of(given, np.arange(half))
        yield from ((row, early) for row in range(half, size))
        return
    for out in np.array_split(rng.permutation(size), folds):
        fit = _fit_of(given, np.setdiff1d(np.arange(size), out))
        yield from ((int(row), fit) for row in out)


def _fit_of(given: Responses, rows: npt.NDArray[np.int64]) -> Fit:
    if len(rows) < MODELS_MIN:
        raise Invalid("models", f"{len(rows)} are left to fit; needs {MODELS_MIN}")
    return fit_irt(
        Responses(
            tuple(given.models[row] for row in rows),
            given.items,
            given.solved[rows],
            given.trials[rows],
            given.minutes,
            given.family,
        )
    )
