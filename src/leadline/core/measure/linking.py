"""One scale for several suites: linking by common items, and points in the manner of CAISI.

Sources: Haebara 1980 (linking by characteristic curves); Kolen and Brennan, Test Equating, Scaling, and
Linking, 3rd edition, chapter 6. That 200 points are three times the odds is CAISI's convention as reported
of its evaluation of May 2026; its anchor is its own, and a scale anchored here is no other institute's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from leadline.core.errors import Invalid
from leadline.core.measure.interval import check_alpha
from leadline.core.measure.irt import Fit, Responses, modes

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

POINTS_PER_LOGIT = 200 / log(3)  # 200 points are three times the odds
ANCHORS_MIN, FAMILIES_MIN = 10, 2
NODES, REACH = 21, 4.0
STEPS, STEP_MAX, SETTLED = 50, 0.5, 1e-10
MOVED_SDS, MOVED_LOGITS = 3.0, 0.5  # robust sds, and logits, that an anchor lies off the line
ROBUST_SD = 1.4826  # a normal sd over its median absolute deviation
REPLICATES, REPLICATES_MIN = 200, 20
POINTS_MAX = 1e9


@dataclass(frozen=True, slots=True)
class Link:
    """From a new suite's scale to the old one: ability = *slope* x ability + *shift*, in logits.

    *covariance* is of (log slope, shift), from drawing anchors (by family, where there are any) anew.
    *moved* anchors lie far off the line: their difficulty is not what it was, and they are worth a look.
    """

    slope: float
    shift: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    anchors: int
    families: int
    moved: tuple[str, ...]

    def abilities(self, theta: npt.ArrayLike, sd: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Abilities of the new scale on the old one, and their sd with the linking's error in it."""
        at, spread = np.asarray(theta, dtype=float), np.asarray(sd, dtype=float)
        (a, ab), (_, b) = self.covariance
        by_log = self.slope * at
        linking = by_log**2 * a + 2 * by_log * ab + b
        return self.slope * at + self.shift, np.sqrt((self.slope * spread) ** 2 + linking)

    def items(self, fit: Fit) -> tuple[FloatArray, FloatArray]:
        """Discriminations and difficulties of *fit*, a fit of the new suite, on the old scale."""
        return fit.a / self.slope, self.slope * fit.b + self.shift


def link(
    old: Fit,
    new: Fit,
    *,
    seed: int,
    family: Mapping[str, str] | None = None,
    replicates: int = REPLICATES,
) -> Link:
    """Put *new* on the scale of *old* by the items that both have, the old parameters held fixed.

    Slope and shift make the anchors' curves agree, squared differences averaged over a normal ability. Two
    Rasch fits have one slope, 1. Anchors whose parameters are the prior's are left out. About a hundred
    anchors are wanted (arXiv 2604.12843); with fewer the error says so.

    Raises: Invalid, for fewer than ten anchors, an anchor without a *family*, or fewer than 20 *replicates*.
    """
    if replicates < REPLICATES_MIN:
        raise Invalid("replicates", f"at least {REPLICATES_MIN}")
    at_old = {name: n for n, name in enumerate(old.items) if not old.prior_driven[n]}
    at_new = {name: n for n, name in enumerate(new.items) if not new.prior_driven[n]}
    names = sorted(set(at_old) & set(at_new))
    if len(names) < ANCHORS_MIN:
        raise Invalid("anchors", f"{len(names)} items are common; a link needs {ANCHORS_MIN}")
    if family is not None and not set(names) <= set(family):
        missing = min(set(names) - set(family))
        raise Invalid("family", f"{missing!r} has none")
    here, there = [at_old[name] for name in names], [at_new[name] for name in names]
    anchors = _Anchors(
        old.a[here], old.b[here], new.a[there], new.b[there], old.rasch and new.rasch
    )
    of_family = names if family is None else [family[name] for name in names]
    counts = drawn_items(of_family, replicates, np.random.default_rng(seed))
    line = _lines(anchors, np.ones((1, len(names))))[0]
    spread = np.cov(_lines(anchors, counts).T)
    slope, shift = float(np.exp(line[0])), float(line[1])
    off = slope * anchors.b_new + shift - anchors.b_old
    left = np.abs(off - np.median(off))
    wide = np.maximum(MOVED_SDS * ROBUST_SD * float(np.median(left)), MOVED_LOGITS)
    return Link(
        slope,
        shift,
        ((float(spread[0, 0]), float(spread[0, 1])), (float(spread[1, 0]), float(spread[1, 1]))),
        len(names),
        len(set(of_family)) if family is not None else 0,
        tuple(name for name, far in zip(names, left > wide, strict=True) if far),
    )


@dataclass(frozen=True, slots=True)
class _Anchors:
    """Parameters of the common items on both scales; *plain*: the slope is 1."""

    a_old: FloatArray
    b_old: FloatArray
    a_new: FloatArray
    b_new: FloatArray
    plain: bool


def _lines(anchors: _Anchors, counts: FloatArray) -> FloatArray:
    """(log slope, shift) for each row of *counts* (how often each anchor was drawn), by Gauss-Newton."""
    nodes = np.linspace(-REACH, REACH, NODES)
    weight = np.exp(-(nodes**2) / 2)
    target = expit(anchors.a_old[:, None] * (nodes - anchors.b_old[:, None]))
    at = np.zeros((len(counts), 2))
    moved, steps = np.inf, 0
    while moved > SETTLED and steps < STEPS:
        a = anchors.a_new / np.exp(at[:, :1])  # replicates x anchors
        away = nodes[None, None, :] - at[:, 1, None, None]
        p = expit(a[:, :, None] * away - (anchors.a_new * anchors.b_new)[None, :, None])
        part = weight * counts[:, :, None]
        by_shift = -p * (1 - p) * a[:, :, None]
        by_log = by_shift * away * (0.0 if anchors.plain else 1.0)
        left = target - p
        g = np.stack([(part * left * d).sum(axis=(1, 2)) for d in (by_log, by_shift)], axis=1)
        ll, ls, ss = (
            (part * one * other).sum(axis=(1, 2))
            for one, other in ((by_log, by_log), (by_log, by_shift), (by_shift, by_shift))
        )
        ll = ll + (1.0 if anchors.plain else 0.0)
        det = ll * ss - ls * ls
        step = np.stack([ss * g[:, 0] - ls * g[:, 1], ll * g[:, 1] - ls * g[:, 0]], axis=1)
        step = np.clip(step / det[:, None], -STEP_MAX, STEP_MAX)
        at, moved, steps = at + step, float(np.abs(step).max()), steps + 1
    return at


def drawn_items(family: Sequence[str], replicates: int, rng: np.random.Generator) -> FloatArray:
    """How often each item is drawn, replicates x items: families first, then items within them.

    With as many families as items, or one, items are drawn alone.
    """
    names = sorted(set(family))
    if len(names) in {1, len(family)}:
        even = np.full(len(family), 1 / len(family))
        return rng.multinomial(len(family), even, replicates).astype(np.float64)
    place = np.array([names.index(name) for name in family])
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), replicates)
    drawn = np.zeros((replicates, len(family)))
    for number in range(len(names)):
        held = np.flatnonzero(place == number)
        drawn[:, held] = rng.multinomial(
            times[:, number] * len(held), np.full(len(held), 1 / len(held))
        )
    return drawn


def scale_points(theta: npt.ArrayLike, reference: float, reference_points: float) -> FloatArray:
    """Abilities in points, 200 to three times the odds of an item with a = 1.

    *reference* is the ability of the model that anchors the scale, at *reference_points*. Use Rasch, or a
    2PL whose mean log a is 0, as `on_scale` makes it.
    """
    at = np.asarray(theta, dtype=float)
    told: FloatArray = reference_points + POINTS_PER_LOGIT * (at - reference)
    return told


@dataclass(frozen=True, slots=True)
class Placed:
    """One model in points; *low* and *high* end the interval of its distance from the reference."""

    model: str
    points: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scale:
    """All models of a fit in points. *reference* stands at *reference_points* by definition.

    *discrimination* is the geometric mean by which logits were multiplied, so that an item of that
    discrimination has the odds that the points speak of; 1 for Rasch.
    """

    reference: str
    reference_points: float
    discrimination: float
    alpha: float
    families: int
    models: tuple[Placed, ...]


def on_scale(
    given: Responses,
    fit: Fit,
    *,
    reference: str,
    reference_points: float,
    seed: int,
    replicates: int = REPLICATES,
    alpha: float = 0.05,
) -> Scale:
    """Every model of *fit* in points, 200 to three times the odds, with *reference* at *reference_points*.

    An interval is of the distance from the reference: both abilities drawn from their posteriors, and items
    drawn anew (families first, where *given* names them). Items are drawn once for all models. Answers vary
    in both parts, so that the interval is rather too wide than too narrow.

    Raises: Invalid, if *fit* is of other models or items, *reference* is not among the models,
    *reference_points* is no number, or there are fewer than 20 *replicates*.
    """
    check_alpha(alpha)
    if (given.models, given.items) != (fit.models, fit.items):
        raise Invalid("fit", "is of other models or items")
    if reference not in fit.models:
        raise Invalid("reference", f"{reference!r} is none of the models")
    if not abs(reference_points) <= POINTS_MAX:
        raise Invalid("reference_points", f"{reference_points} is not within {POINTS_MAX:,.0f}")
    if replicates < REPLICATES_MIN:
        raise Invalid("replicates", f"at least {REPLICATES_MIN}")
    rng = np.random.default_rng(seed)
    family = list(given.family or given.items)
    counts = drawn_items(family, replicates, rng)
    theta = np.stack(
        [
            modes(fit.a, fit.b, counts * given.solved[row], counts * given.trials[row])[0]
            for row in range(len(given.models))
        ]
    )
    centred = theta - theta.mean(axis=1, keepdims=True) + fit.theta[:, None]
    centred += fit.theta_sd[:, None] * rng.standard_normal(centred.shape)
    mean_a = float(np.exp(np.log(fit.a).mean()))
    anchor = fit.models.index(reference)
    per_logit = POINTS_PER_LOGIT * mean_a
    apart = np.quantile(centred - centred[anchor], [alpha / 2, 1 - alpha / 2], axis=1)
    points = reference_points + per_logit * (fit.theta - fit.theta[anchor])
    low, high = reference_points + per_logit * apart
    return Scale(
        reference,
        reference_points,
        mean_a,
        alpha,
        len(set(family)) if given.family else 0,
        tuple(
            Placed(name, float(p), float(lo), float(hi))
            for name, p, lo, hi in zip(fit.models, points, low, high, strict=True)
        ),
    )
