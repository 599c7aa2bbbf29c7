"""Other ways to decide against a threshold, for comparison in the same run.

Each takes answers in the order in which they come, walks x items, and tells where it stops and what it
says; at the last item the full row speaks. None of them is part of the product.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.vq import kmeans2
from scipy.special import expit, log_expit, ndtr, ndtri

from leadline.core.measure.irt import theta_at
from leadline.core.measure.without_replacement import Table

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]

PEEK_MIN = 10  # items before Wilson's interval is looked at
NODES = np.linspace(-6, 6, 49)
PRIOR_SD = 2.0


@dataclass(frozen=True, slots=True)
class Stops:
    """Items used and what was said, by walk."""

    n: npt.NDArray[np.int64]
    above: BoolArray


def _stopped(answers: FloatArray, threshold: float, up: BoolArray, down: BoolArray) -> Stops:
    """The first place where either holds; the whole row's mean where none does."""
    either = up | down
    first = either.argmax(axis=1)
    some = either.any(axis=1)
    above = np.where(some, up[np.arange(len(up)), first], answers.mean(axis=1) >= threshold - 1e-12)
    return Stops(np.where(some, first + 1, answers.shape[1]).astype(np.int64), above)


def wilson_peeking(answers: FloatArray, threshold: float, alpha: float) -> Stops:
    """Wilson's interval at 1 - *alpha*, looked at after every item from the tenth on: no valid rule."""
    z = float(ndtri(1 - alpha / 2))
    n = np.arange(1, answers.shape[1] + 1)
    share = answers.cumsum(axis=1) / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    ready = n >= PEEK_MIN
    return _stopped(
        answers, threshold, (centre - half > threshold) & ready, (centre + half < threshold) & ready
    )


def without_replacement(answers: FloatArray, threshold: float, table: Table) -> Stops:
    """The exact sequence for simple random order, by its decision table."""
    solved = answers.cumsum(axis=1)
    above_from, below_to = np.array(table.above_from[1:]), np.array(table.below_to[1:])
    return _stopped(answers, threshold, solved >= above_from, solved <= below_to)


def sprt(answers: FloatArray, threshold: float, against: FloatArray, alpha: float) -> Stops:
    """Wald's test of each row's own true share against *against*, which is given for each row.

    It knows the share that it is to find out, and takes items for alike. Where *against* is the threshold
    itself it can only be right or see everything; where it lies on the other side, as far away, either
    may win, and the error is bounded at these two points alone.
    """
    true = np.clip(answers.mean(axis=1), 1e-6, 1 - 1e-6)[:, None]
    other = np.clip(against, 1e-6, 1 - 1e-6)[:, None]
    gain = answers * np.log(true / other) + (1 - answers) * np.log((1 - true) / (1 - other))
    ratio = gain.cumsum(axis=1)
    own, far = ratio >= -np.log(alpha), ratio <= np.log(alpha)
    if np.allclose(against, threshold):
        far = np.zeros_like(far)
    is_above = true >= threshold - 1e-12
    return _stopped(answers, threshold, np.where(is_above, own, far), np.where(is_above, far, own))


def anchor_items(
    a: FloatArray, b: FloatArray, count: int, seed: int
) -> tuple[IntArray, FloatArray]:
    """The items nearest to *count* centres of (log a, b), and the share of items that each stands for."""
    points = np.stack([np.log(a), b], axis=1)
    points = (points - points.mean(axis=0)) / np.maximum(points.std(axis=0), 1e-12)
    centres, label = kmeans2(points, count, minit="++", rng=np.random.default_rng(seed))
    taken, share = [], []
    for at in range(count):
        members = np.flatnonzero(label == at)
        if len(members):
            nearest = ((points[members] - centres[at]) ** 2).sum(axis=1).argmin()
            taken.append(members[nearest])
            share.append(len(members) / len(a))
    return np.array(taken), np.array(share)


def anchored(
    answers: FloatArray, a: FloatArray, b: FloatArray, anchors: IntArray, share: FloatArray
) -> FloatArray:
    """The score by anchors alone: half the weighted share, half the model's completion of the row.

    Source: Polo et al., tinyBenchmarks (arXiv 2402.14992), gp-IRT with weight one half.
    """
    z = a[:, None] * (NODES[None, :] - b[:, None])
    seen = answers[:, anchors]
    log_p = seen @ log_expit(z[anchors]) + (1 - seen) @ log_expit(-z[anchors])
    log_p = log_p - NODES**2 / (2 * PRIOR_SD**2)
    weight = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    expected = (weight / weight.sum(axis=1, keepdims=True)) @ expit(z).T
    expected[:, anchors] = seen
    told: FloatArray = 0.5 * (seen @ share) + 0.5 * expected.mean(axis=1)
    return told


def most_telling(a: FloatArray, b: FloatArray, threshold: float) -> IntArray:
    """Items by Fisher information at the ability whose expected score is the threshold, most first."""
    p = expit(a * (theta_at(a, b, threshold) - b))
    return np.argsort(-(a * a * p * (1 - p)), kind="stable")


def by_information(
    answers: FloatArray, a: FloatArray, b: FloatArray, threshold: float, tau: float, alpha: float
) -> Stops:
    """The most telling items first, stopped by the tempered model's own belief, from five items on."""
    order, items = most_telling(a, b, threshold), answers.shape[1]
    z = a[:, None] * (NODES[None, :] - b[:, None])
    p, won, lost = expit(z), tau * log_expit(z), tau * log_expit(-z)
    log_p = np.tile(
        -((NODES - theta_at(a, b, threshold)) ** 2) / (2 * PRIOR_SD**2), (len(answers), 1)
    )
    mean, var = p.sum(axis=0), (p * (1 - p)).sum(axis=0)
    solved = np.zeros(len(answers))
    up, down = (np.zeros(answers.shape, dtype=bool) for _ in range(2))
    for step, item in enumerate(order.tolist()):
        y = answers[:, item]
        log_p += np.where(y[:, None] > 0, won[item], lost[item])
        solved, mean, var = solved + y, mean - p[item], var - p[item] * (1 - p[item])
        weight = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        rest = (solved[:, None] + mean - threshold * items + 0.5) / np.sqrt(
            np.maximum(var, 1e-6) / tau
        )
        chance = (weight * ndtr(rest)).sum(axis=1) / weight.sum(axis=1)
        if step >= 4:
            up[:, step], down[:, step] = chance > 1 - alpha, chance < alpha
    return _stopped(answers, threshold, up, down)
