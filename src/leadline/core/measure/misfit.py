"""Whether a subject's answers fit the items' known parameters: leads to look at, never proofs.

`person_fit` asks whether the pattern of answers is a likely one for the subject's ability, `dif` whether
public items went better than sealed ones of the same difficulty. Item parameters are held fixed.

Sources: Drasgow, Levine and Williams 1985 (l_z); Snijders 2001 (why its normal reference is wrong once the
ability is estimated); Rotnitzky and Jewell 1990 (likelihood ratios scaled by the clusters' variance).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, log_expit, stdtrit

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code
from leadline.core.measure.interval import check_alpha
from leadline.core.measure.irt import (
    Fit,
    Responses,
    abilities,
    ability,
    check_row,
    fit_irt,
)

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

REPLICATES_MIN = 20  # fewer say nothing at 5 %
FAMILIES_MIN, FAMILIES_FEW = 2, 6
FAR = 1e9  # degrees of freedom without clusters
REACH_MAX = 1e6  # logits; no interval is looked for beyond


@dataclass(frozen=True, slots=True)
class PersonFit:
    """The standardised log-likelihood l_z of one subject's answers, and how rare one so low is.

    Low is a pattern that contradicts the difficulties. A subject that feigns a lower ability by failing what
    is hard for it looks more regular, not less, and is seen by nothing here.

    *p* is the share of subjects of that ability, drawn from the model, whose l_z is as low; *rank* the share
    of calibration subjects, None without them. A small one is a lead to look at, not a proof: with hundreds
    of items *p* alone is small for many honest subjects (`bench/irt.py` counts them), *rank* is not.
    """

    lz: float
    p: float
    replicates: int
    theta: float
    rank: float | None = None


def person_fit(
    a: FloatArray,
    b: FloatArray,
    solved: FloatArray,
    trials: FloatArray,
    *,
    seed: int,
    replicates: int = 500,
    calibration: FloatArray | None = None,
) -> PersonFit:
    """l_z at the estimated ability, calibrated by parametric bootstrap, ability estimated anew each time.

    *calibration* are l_z of subjects taken for honest, as `calibration_lz` gives them at the same items:
    real answers fit a model worse than its own draws.

    Raises: Invalid, as `irt.ability`, for fewer than 20 *replicates*, or for *calibration* that is empty or
    not finite.
    """
    if replicates < REPLICATES_MIN:
        raise Invalid("replicates", f"at least {REPLICATES_MIN}")
    if calibration is not None and not (len(calibration) and np.isfinite(calibration).all()):
        raise Invalid("calibration", "finite numbers, one a subject")
    found = ability(a, b, solved, trials)
    own = float(lz(a, b, solved[None], trials[None], np.array([found.theta]))[0])
    p = expit(a * (found.theta - b))
    rng = np.random.default_rng(seed)
    drawn = rng.binomial(trials.astype(np.int64), p, (replicates, len(a))).astype(float)
    tried = np.broadcast_to(trials, drawn.shape)
    others = lz(a, b, drawn, tried, abilities(a, b, drawn, tried)[0])
    rank = None
    if calibration is not None:
        rank = float(((calibration <= own).sum() + 1) / (len(calibration) + 1))
    below = float(((others <= own).sum() + 1) / (replicates + 1))
    return PersonFit(own, below, replicates, found.theta, rank)


def lz(
    a: FloatArray, b: FloatArray, solved: FloatArray, trials: FloatArray, theta: FloatArray
) -> FloatArray:
    """(log-likelihood - its mean) / its sd of every row at its *theta*; 0 where nothing is open."""
    z = a * (theta[:, None] - b)
    won, lost, p = log_expit(z), log_expit(-z), expit(z)
    seen = (solved * won + (trials - solved) * lost).sum(axis=1)
    mean = (trials * (p * won + (1 - p) * lost)).sum(axis=1)
    var = (trials * p * (1 - p) * (won - lost) ** 2).sum(axis=1)
    told: FloatArray = np.where(var > 0, (seen - mean) / np.sqrt(np.where(var > 0, var, 1)), 0.0)
    return told


def calibration_lz(given: Responses, fit: Fit) -> FloatArray:
    """l_z of every model of *given*, each by items that were fitted without it.

    Raises: Invalid, if an item was tried by one model alone, or two models are all there are.
    """
    told = []
    for row in range(len(given.models)):
        others = np.arange(len(given.models)) != row
        rest = replace(
            given,
            models=tuple(name for n, name in enumerate(given.models) if n != row),
            solved=given.solved[others],
            trials=given.trials[others],
        )
        own = fit_irt(rest, rasch=fit.rasch, start=fit)
        answers = given.solved[[row]], given.trials[[row]]
        theta, _ = abilities(own.a, own.b, *answers)
        told.append(float(lz(own.a, own.b, *answers, theta)[0]))
    return np.array(told)


@dataclass(frozen=True, slots=True)
class FamilyDif:
    """As `Dif`, within one family of items, with the family's own ability."""

    family: str
    gamma: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Dif:
    """How much better, in logits, a subject does on public items than their difficulty explains.

    *low* and *high* end the profile-likelihood interval of total error *alpha*, widened by *inflation*, the
    ratio of the variance between families to the one of independent items, where that is above 1. Above 0 by
    its whole interval is a sign of contamination where public and sealed items are twins. *by_family* holds
    the families in which both sides have solved and unsolved items.
    """

    gamma: float
    low: float
    high: float
    theta: float
    alpha: float
    inflation: float = 1.0
    n_families: int = 0
    by_family: tuple[FamilyDif, ...] = ()
    warnings: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answers:
    """One subject's answers, with which items are public."""

    a: FloatArray
    b: FloatArray
    solved: FloatArray
    trials: FloatArray
    public: FloatArray

    def of(self, held: BoolArray) -> "_Answers":
        """Those at the items *held*."""
        return _Answers(
            *(part[held] for part in (self.a, self.b, self.solved, self.trials, self.public))
        )

    def mixed(self) -> bool:
        """Whether both sides have solved and unsolved answers: then the likelihood has an optimum."""
        return all(
            0 < float(self.solved[side].sum()) < float(self.trials[side].sum())
            for side in (self.public > 0, self.public == 0)
        )

    def left(self, theta: float, gamma: float) -> FloatArray:
        """Observed less expected."""
        p = expit(self.a * (theta - self.b) + gamma * self.public)
        told: FloatArray = self.solved - self.trials * p
        return told

    def theta(self, gamma: float) -> float:
        """The best ability at *gamma*."""
        reach = 800 / float(self.a.min()) + abs(gamma) / float(self.a.min())
        ends = float(self.b.min()) - reach, float(self.b.max()) + reach
        return float(brentq(lambda t: float(self.a @ self.left(t, gamma)), *ends, xtol=1e-11))

    def fit(self, gamma: float) -> float:
        """The log-likelihood at *gamma* and its best ability."""
        z = self.a * (self.theta(gamma) - self.b) + gamma * self.public
        return float(
            (self.solved * log_expit(z) + (self.trials - self.solved) * log_expit(-z)).sum()
        )


def dif(
    a: FloatArray,
    b: FloatArray,
    solved: FloatArray,
    trials: FloatArray,
    public: BoolArray,
    *,
    family: Sequence[str] | None = None,
    alpha: float = 0.05,
) -> Dif:
    """Differential functioning of public against sealed items, item parameters held fixed.

    logit P = a (theta - b) + gamma public; gamma by maximum likelihood, its interval by the profile. With
    *family*, one name an item, items of a family are not taken for independent: the likelihood ratio is
    scaled by the families' variance and referred to t of one less than the families.

    Raises: Invalid, as `irt.ability`; if either side has no trials, all its items solved or none of both;
    if *family* has other items or fewer than two families.
    """
    check_row(a, b, solved, trials)
    check_alpha(alpha)
    if public.shape != a.shape or any(not trials[side].sum() > 0 for side in (public, ~public)):
        raise Invalid("public", "marks each item; both sides need trials")
    own = _Answers(a, b, solved, trials, public.astype(float))
    if not own.mixed():
        raise Invalid("solved", "a side that is all solved or all unsolved bounds nothing")
    names = sorted(set(family or ()))
    if family is not None and (len(family) != len(a) or len(names) < FAMILIES_MIN):
        raise Invalid("family", "names each item's family, two of them or more")
    gamma = _best(own)
    freedom, inflation = FAR, 1.0
    by_family: list[FamilyDif] = []
    if family is not None:
        place = np.array([names.index(name) for name in family])
        freedom, inflation = float(len(names) - 1), _inflation(own, gamma, place)
        for number, name in enumerate(names):
            part = own.of(place == number)
            if part.mixed():
                at = _best(part)
                by_family.append(FamilyDif(name, at, *_ends(part, at, _need(FAR, alpha))))
    low, high = _ends(own, gamma, inflation * _need(freedom, alpha))
    few = 0 < len(names) < FAMILIES_FEW
    return Dif(
        gamma,
        low,
        high,
        own.theta(gamma),
        alpha,
        inflation,
        len(names),
        tuple(by_family),
        (Code.FEW_CLUSTERS,) if few else (),
    )


def _need(freedom: float, alpha: float) -> float:
    """By how much the log-likelihood falls to the interval's ends."""
    return float(stdtrit(freedom, 1 - alpha / 2)) ** 2 / 2


def _best(own: _Answers) -> float:
    def rise(gamma: float) -> float:
        return float(own.public @ own.left(own.theta(gamma), gamma))

    reach = 1.0
    while (rise(-reach) < 0 or rise(reach) > 0) and reach < REACH_MAX:
        reach *= 2
    return float(brentq(rise, -reach, reach, xtol=1e-10))


def _ends(own: _Answers, gamma: float, need: float) -> tuple[float, float]:
    """Where the profile has fallen by *need* on either side: it is concave, so once on each."""
    top = own.fit(gamma)

    def over(at: float) -> float:
        return top - own.fit(at) - need

    ends = []
    for side in (-1, 1):
        reach = 1.0
        while over(gamma + side * reach) < 0 and reach < REACH_MAX:
            reach *= 2
        ends.append(float(brentq(over, *sorted((gamma, gamma + side * reach)), xtol=1e-9)))
    return ends[0], ends[1]


def _inflation(own: _Answers, gamma: float, place: npt.NDArray[np.int64]) -> float:
    """The variance of gamma with items in families, over the one with independent items; 1 at least."""
    theta = own.theta(gamma)
    p = expit(own.a * (theta - own.b) + gamma * own.public)
    toward = np.stack([own.a, own.public], axis=1)
    curve = toward.T @ (toward * (own.trials * p * (1 - p))[:, None])
    scores = toward * own.left(theta, gamma)[:, None]
    families = int(place.max()) + 1
    of_family = np.stack([np.bincount(place, scores[:, k], families) for k in (0, 1)], axis=1)
    between = of_family.T @ of_family * families / (families - 1)
    inverse = np.linalg.inv(curve)
    return max(1.0, float((inverse @ between @ inverse)[1, 1] / inverse[1, 1]))
