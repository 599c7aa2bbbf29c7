"""Active sampling with a betting e-process: the certificate behind a decision from few samples.

At each step an item is drawn with known chances that may depend on everything seen before; the score is
estimated without bias whatever the model behind the chances says, and wealth grows by fair bets against
the threshold. By Ville's inequality the chance that wealth ever reaches 1 / alpha under the other
conclusion is at most alpha, however often one looks and even where the model is nonsense.

Sources: Waudby-Smith and Ramdas, arXiv 2010.09686 (betting); Shekhar, Xu, Lipton, Liu and Ramdas 2023
(weighted sampling without replacement); design, statistics 5.1, 5.3, 5.5 and 5.6.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from math import exp, log

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, ndtr

from leadline.core.errors import Invalid
from leadline.core.measure.interval import check_alpha
from leadline.core.measure.irt import theta_at

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

KAPPAS = np.array([0.5, 1.0])  # strengths of betting, averaged; chosen on SWE-bench Verified
NODES, REACH, PRIOR_SD = 49, 6.0, 2.0
UNIT = 1 << 20  # probabilities and log-likelihoods are multiples of 1 / UNIT
INSIDE_ONE = 1 << 30  # chances within a family are multiples of 1 / INSIDE_ONE
VALUE_ONE = 1 << 24  # items' and families' values, where whole numbers are wanted
P_LOW, P_HIGH = 0.01, 0.99
BET_LOW, BET_HIGH = 0.02, 0.97  # of the largest bet that cannot lose everything
PLANNER_MIN, PLANNER_SURE = 5, 0.95
LOG_MAX = 690.0  # of a wealth that is told as a number


@dataclass(frozen=True, slots=True)
class Bank:
    """Items with known difficulty: discrimination *a*, difficulty *b*, *family* and the family's weight.

    *weights* are of the families, by name, and sum to 1; empty for the plain mean over items.
    """

    items: tuple[str, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    family: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = len(self.items)
        if not size or len(set(self.items)) != size:
            raise Invalid("items", "at least one, and none twice")
        for name, values in (("a", self.a), ("b", self.b)):
            if len(values) != size or not np.isfinite(values).all():
                raise Invalid(name, "one finite number for each item")
        if min(self.a) <= 0:
            raise Invalid("a", "discriminations are positive")
        if self.family and len(self.family) != size:
            raise Invalid("family", "one for each item, or none at all")
        if self.weights and (
            set(self.weights) != set(self.family)
            or min(self.weights.values()) <= 0
            or abs(sum(self.weights.values()) - 1) > 1e-9  # noqa: PLR2004 -- rounding
        ):
            raise Invalid("weights", "a positive one for each family, with sum 1")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is decided, and how strongly the model is trusted when items are chosen.

    *tau* tempers the model, *floor* keeps every chance from nought, *family_share* is the part of the
    chances that families have by weight alone.
    """

    threshold: float
    alpha_above: float
    alpha_below: float
    zone: float = 0.0
    tau: float = 0.5
    floor: float = 0.15
    family_share: float = 0.5

    def __post_init__(self) -> None:
        check_alpha(self.alpha_above, "alpha_above")
        check_alpha(self.alpha_below, "alpha_below")
        if not 0 < self.threshold < 1 or not 0 <= self.zone < min(
            self.threshold, 1 - self.threshold
        ):
            raise Invalid(
                "threshold, zone", "the threshold and both ends of its zone lie within 0 and 1"
            )
        for name in ("tau", "floor", "family_share"):
            if not 0 < getattr(self, name) <= 1:
                raise Invalid(name, "lies above 0 and at most at 1")


@dataclass(frozen=True)
class Design:
    """Bank and rule with the tables that every step needs; equal inputs give equal tables."""

    bank: Bank
    rule: Rule

    @cached_property
    def value(self) -> FloatArray:
        """What solving each item adds to the score."""
        size = len(self.bank.items)
        if not self.bank.weights:
            return np.full(size, 1 / size)
        counts = {name: self.bank.family.count(name) for name in self.bank.weights}
        return np.array([self.bank.weights[name] / counts[name] for name in self.bank.family])

    @cached_property
    def shares(self) -> tuple[IntArray, tuple[int, ...], IntArray]:
        """Each item's family as a number, the families' weights and the items' values, in whole units."""
        names = sorted(set(self.bank.family)) or [""]
        own = self.bank.family or ("",) * len(self.bank.items)
        place = np.array([names.index(name) for name in own], dtype=np.int64)
        value = np.maximum(1, np.rint(self.value * VALUE_ONE)).astype(np.int64)
        return place, tuple(_sums(place, value, len(names))), value

    @cached_property
    def curves(self) -> FloatArray:
        """P(solved) of each item at each node of the ability, items x nodes."""
        a, b = np.array(self.bank.a), np.array(self.bank.b)
        told: FloatArray = expit(a[:, None] * (self.nodes[None, :] - b[:, None]))
        return told

    @cached_property
    def nodes(self) -> FloatArray:
        """Abilities around the one at which the threshold is expected."""
        return np.linspace(-REACH, REACH, NODES)

    @cached_property
    def middle(self) -> float:
        """The ability whose expected score is the threshold, within the nodes."""
        a, b = np.array(self.bank.a), np.array(self.bank.b)
        return float(np.clip(theta_at(a, b, self.rule.threshold), -REACH, REACH))

    @cached_property
    def prior(self) -> IntArray:
        """Log prior of the nodes, in whole units."""
        return _whole(-((self.nodes - self.middle) ** 2) / (2 * PRIOR_SD**2))

    @cached_property
    def gains(self) -> tuple[IntArray, IntArray]:
        """Tempered log-likelihood of success and of failure, items x nodes, in whole units."""
        a, b = np.array(self.bank.a), np.array(self.bank.b)
        z = a[:, None] * (self.nodes[None, :] - b[:, None])
        return _whole(self.rule.tau * log_expit(z)), _whole(self.rule.tau * log_expit(-z))


def _whole(values: FloatArray) -> IntArray:
    return np.rint(values * UNIT).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Walk:
    """Where an active decision stands: a value; `advance` answers the next one.

    *left* marks items not drawn yet. *up* and *down* are log wealth by strength of betting.
    """

    left: BoolArray
    log_posterior: IntArray
    scored: float
    up: FloatArray
    down: FloatArray
    n: int = 0

    @property
    def log_above(self) -> float:
        """Natural logarithm of the wealth against "not above"."""
        return _log_mean(self.up)

    @property
    def log_below(self) -> float:
        """Natural logarithm of the wealth against "not below"."""
        return _log_mean(self.down)

    @property
    def e_above(self) -> float:
        """Wealth against "not above", capped where a float ends."""
        return exp(min(self.log_above, LOG_MAX))

    @property
    def e_below(self) -> float:
        """Wealth against "not below", capped where a float ends."""
        return exp(min(self.log_below, LOG_MAX))


def _log_mean(logs: FloatArray) -> float:
    """The logarithm of the mean of what has these logarithms."""
    return float(np.logaddexp.reduce(logs)) - log(len(logs))


def begin(design: Design) -> Walk:
    """Nothing drawn yet."""
    size = len(design.bank.items)
    nought = np.zeros(len(KAPPAS))
    return Walk(np.ones(size, dtype=bool), design.prior.copy(), 0.0, nought, nought.copy())


def predictions(design: Design, walk: Walk) -> IntArray:
    """What the model expects of each item, in whole units; it decides chances and bets, never errors."""
    shifted = (walk.log_posterior - walk.log_posterior.max()) / UNIT
    weight = np.exp(shifted)
    p = design.curves @ (weight / weight.sum())
    told: IntArray = np.rint(np.clip(p, P_LOW, P_HIGH) * UNIT).astype(np.int64)
    return told


def chances(design: Design, walk: Walk, p: IntArray) -> IntArray:
    """The whole-number weight of each item's draw: nought for those drawn, at least 1 for the rest.

    Whole numbers throughout, so that equal *p* give equal weights on every machine.
    """
    floor, part = round(design.rule.floor * UNIT), round(design.rule.family_share * UNIT)
    spread = _roots(p * (UNIT - p))
    inside = np.where(walk.left, np.maximum(spread, floor), 0)
    place, weights, value = design.shares
    if len(weights) == 1:
        return inside
    held = [int(one) for one in np.bincount(place, walk.left, len(weights))]
    need = _sums(place, np.where(walk.left, value * spread, 0), len(weights))
    total = _sums(place, inside, len(weights))
    open_ = sum(weight for weight, count in zip(weights, held, strict=True) if count)
    of_family = np.array(
        [
            (UNIT - part) * one // max(sum(need), 1) + part * weight // open_ if count else 0
            for one, weight, count in zip(need, weights, held, strict=True)
        ],
        dtype=np.int64,
    )
    near = inside * INSIDE_ONE // np.array([max(one, 1) for one in total])[place]
    even = INSIDE_ONE // np.array([max(one, 1) for one in held])[place]
    mixed = (7 * near + 3 * even) // 10
    told: IntArray = np.where(walk.left, np.maximum(1, of_family[place] * mixed >> 10), 0)
    return told


def _roots(values: IntArray) -> IntArray:
    """Whole square roots, rounded down; exact for values below 2^52."""
    told: IntArray = np.sqrt(values.astype(np.float64)).astype(np.int64)
    told -= told * told > values
    return told


def _sums(place: IntArray, values: IntArray, count: int) -> list[int]:
    """Whole sums of *values* by *place*."""
    told = np.zeros(count, dtype=np.int64)
    np.add.at(told, place, values)
    return [int(one) for one in told]


def uniform(seed: bytes, step: int) -> int:
    """The first 53 bits of SHA-256 over seed and step: the same everywhere and in every release."""
    return int.from_bytes(sha256(seed + step.to_bytes(8, "big")).digest()[:8], "big") >> 11


def drawn(weights: IntArray, bits: int) -> int:
    """The item that 53 random *bits* pick among whole-number *weights*."""
    ends = np.cumsum(weights)
    target = (int(ends[-1]) * bits) >> 53
    return int(np.searchsorted(ends, target, side="right"))


@dataclass(frozen=True, slots=True)
class Estimated:
    """What one draw says of the score: *expected* before it, *seen* what its outcome adds.

    *expected* + *seen* has the score as its mean, whatever the model says. *spread* is the variance by the
    model, *lowest* and *highest* are what could have been added.
    """

    expected: float
    seen: float
    spread: float
    lowest: float
    highest: float


def estimated(
    design: Design, walk: Walk, item: int, y: float, p: IntArray, weights: IntArray
) -> Estimated:
    """What drawing *item*, by *weights* and predicted by *p*, with the score *y*, says of the score."""
    q = weights / int(weights.sum())
    share, value = p / UNIT, design.value
    expected = walk.scored + float((value * share)[walk.left].sum())
    inverse = np.where(walk.left, value / np.where(walk.left, q, 1.0), 0.0)
    gain, loss = (1 - share) * inverse, -share * inverse
    seen = float((y - share[item]) * inverse[item])
    spread = float((q * (share * gain**2 + (1 - share) * loss**2)).sum())
    return Estimated(expected, seen, spread, float(loss.min()), float(gain.max()))


def bets(found: Estimated, thresholds: FloatArray, side: int) -> FloatArray:
    """Log growth of each bettor's wealth against each of *thresholds*, bettors x thresholds.

    *side* 1 bets on more, -1 on less. A stake is fixed by what was known before the draw.
    """
    base = found.expected - thresholds
    worst = -(base + found.lowest) if side > 0 else base + found.highest
    most = 1 / np.maximum(worst, 1e-9)
    best = side * base / (base * base + found.spread)
    stake = np.clip(best, BET_LOW * most, BET_HIGH * most)
    told: FloatArray = np.log1p(np.outer(KAPPAS, side * stake * (base + found.seen)))
    return told


def advance(
    design: Design, walk: Walk, item: int, y: float, p: IntArray, weights: IntArray
) -> Walk:
    """*walk* after *item*, drawn by *weights* and predicted by *p*, showed the score *y* in [0, 1].

    *p* and *weights* are those of before the draw: what enters a bet is fixed before *y* is seen.

    Raises: Invalid, if *y* is no score or the item was drawn before.
    """
    if not 0 <= y <= 1:
        raise Invalid("y", f"{y} is no score; give a number from 0 to 1")
    if not walk.left[item]:
        raise Invalid("item", f"{design.bank.items[item]} was drawn before")
    found, rule = estimated(design, walk, item, y, p, weights), design.rule
    up = bets(found, np.array([rule.threshold - rule.zone]), 1)[:, 0]
    down = bets(found, np.array([rule.threshold + rule.zone]), -1)[:, 0]
    left = walk.left.copy()
    left[item] = False
    won, lost = design.gains
    moved = won[item] if y == 1 else lost[item] if y == 0 else _mixed(won[item], lost[item], y)
    return Walk(
        left,
        walk.log_posterior + moved,
        walk.scored + float(design.value[item]) * y,
        walk.up + up,
        walk.down + down,
        walk.n + 1,
    )


def _mixed(won: IntArray, lost: IntArray, y: float) -> IntArray:
    return np.rint(y * won + (1 - y) * lost).astype(np.int64)


def certain(design: Design, walk: Walk) -> tuple[bool, bool]:
    """Whether the items left can no longer change it: (above, below)."""
    rest = float(design.value[walk.left].sum())
    rule = design.rule
    return (
        walk.scored >= rule.threshold - rule.zone - 1e-12,
        walk.scored + rest < rule.threshold + rule.zone - 1e-12,
    )


def concluded(design: Design, walk: Walk) -> str:
    """``above``, ``below``, ``inside_zone`` (both, with a zone), or empty while nothing is."""
    sure_above, sure_below = certain(design, walk)
    above = sure_above or walk.e_above >= 1 / design.rule.alpha_above
    below = sure_below or walk.e_below >= 1 / design.rule.alpha_below
    if above and below:
        return "inside_zone" if design.rule.zone > 0 else ("above" if sure_above else "below")
    return "above" if above else "below" if below else ""


def planner(design: Design, walk: Walk) -> float:
    """P(score >= threshold) by the tempered model: for batches, forecast and alarm, never for a decision."""
    shifted = (walk.log_posterior - walk.log_posterior.max()) / UNIT
    weight = np.exp(shifted)
    curves, value = design.curves[walk.left], design.value[walk.left]
    mean = walk.scored + value @ curves
    var = (value**2) @ (curves * (1 - curves))
    half = 0.5 / len(design.bank.items)
    z = (mean - design.rule.threshold + half) / np.sqrt(np.maximum(var, 1e-12) / design.rule.tau)
    return float((weight / weight.sum()) @ ndtr(z))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a decision ended: the conclusion, the items used in their order, and the wealth on each side.

    *misfit*: the planner was sure of the other conclusion before; a sign that the items' difficulties do
    not fit this subject. It changes no conclusion.
    """

    state: str
    n: int
    e_above: float
    e_below: float
    misfit: bool
    order: tuple[int, ...] = ()


def decide(
    design: Design, answer: Callable[[int], float], seed: bytes, *, most: int | None = None
) -> Outcome:
    """Draw, ask *answer* for each item's score, and stop at a conclusion or after *most* items."""
    walk, order, told, sure = begin(design), [], "", ""
    limit = len(design.bank.items) if most is None else most
    while not told and walk.n < limit:
        p = predictions(design, walk)
        weights = chances(design, walk, p)
        item = drawn(weights, uniform(seed, walk.n + 1))
        walk = advance(design, walk, item, answer(item), p, weights)
        order.append(item)
        told = concluded(design, walk)
        if not sure and walk.n >= PLANNER_MIN:
            chance = planner(design, walk)
            sure = (
                "above" if chance > PLANNER_SURE else "below" if chance < 1 - PLANNER_SURE else ""
            )
    misfit = bool(told and sure and told not in {sure, "inside_zone"})
    return Outcome(told or "exhausted", walk.n, walk.e_above, walk.e_below, misfit, tuple(order))
