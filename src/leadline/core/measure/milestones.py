"""Steps of chains: how many were climbed, with an interval, and how they add up with budget.

A chain is one item; its attempts are clustered. Small numbers of chains are usual, so the interval of
the mean is Wilson's at the effective number of items (Student's over the items' own means was measured
to cover less than it says), and where these are all alike (or there is one only) Hoeffding's bound,
which holds for any values between 0 and the number of steps. An attempt that our own side failed says
nothing and is left out, counted apart.

Sources: Korn and Graubard, Survey Methodology 24 (1998) 193-201; Hoeffding, JASA 58 (1963) 13-30.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import fmean, median
from typing import Literal

from leadline.core.assessment import SampleResult
from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code, Estimate
from leadline.core.measure.interval import CLUSTERS_MIN, check_alpha, clopper_pearson
from leadline.core.measure.means import mean_se

Spent = Literal["seconds", "tokens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanSteps(Estimate):
    """The mean number of steps climbed, of *steps* there are, and the ends of its interval.

    *whole* attempts of *n_runs* climbed every step; *left_out* were no evidence.
    """

    steps: int
    mean: float
    low: float
    high: float
    whole: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step over attempts: how many reached it, the interval of that share, and the median cost.

    *seconds* and *tokens* are medians over the attempts that reached it; 0 where none did.
    """

    name: str
    reached: int
    attempts: int
    low: float
    high: float
    seconds: float
    tokens: float


@dataclass(frozen=True, slots=True)
class Point:
    """After *spent* of the budget an attempt had climbed *steps* steps, on average."""

    spent: int
    steps: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Steps against budget, from (0, 0). From *censored* on, some attempt had been ended by its limit.

    Beyond that budget the curve says what was climbed, not what could have been; None if no attempt
    was ended so.
    """

    points: tuple[Point, ...]
    censored: int | None


def _evidence(results: Sequence[SampleResult]) -> list[SampleResult]:
    return [one for one in results if one.state in {"scored", "limit"} and one.milestones]


def _count(result: SampleResult) -> int:
    return sum(step.reached for step in result.milestones)


def mean_steps(results: Sequence[SampleResult], *, alpha: float = 0.05) -> MeanSteps:
    """The mean number of steps over the items of one family, each item the mean of its attempts.

    Raises: Invalid, if the chains differ in length or *alpha* is not between 0 and 1.
    """
    check_alpha(alpha)
    known = _evidence(results)
    lengths = {len(one.milestones) for one in known}
    if len(lengths) > 1:
        raise Invalid("milestones", f"chains of {sorted(lengths)} steps have no common mean")
    steps = max(lengths, default=0)
    counts: dict[str, list[int]] = {}
    for one in known:
        counts.setdefault(one.item, []).append(_count(one))
    means = [fmean(of_item) for of_item in counts.values()]
    method, mean, (low, high), warnings = _spread(means, steps, alpha)
    left_out = len(results) - len(known)
    return MeanSteps(
        method=method,
        n_items=len(means),
        n_runs=len(known),
        n_clusters=len(means),
        alpha=alpha,
        estimand="rate",
        warnings=(*warnings, *((Code.VOID_RESULTS,) if left_out else ())),
        steps=steps,
        mean=mean,
        low=low,
        high=high,
        whole=sum(_count(one) == steps for one in known),
        left_out=left_out,
    )


def _spread(
    means: Sequence[float], steps: int, alpha: float
) -> tuple[str, float, tuple[float, float], tuple[Code, ...]]:
    """Method, mean, ends, and warnings."""
    if not means:
        return "none", 0.0, (0.0, float(steps)), (Code.NO_RUNS,)
    few = (Code.FEW_CLUSTERS,) if len(means) < CLUSTERS_MIN else ()
    count, mean = len(means), fmean(means)
    if len(set(means)) == 1:
        half = steps * sqrt(log(2 / alpha) / (2 * count))
        ends = max(0.0, mean - half), min(float(steps), mean + half)
        return "hoeffding", mean, ends, (*few, Code.DEGENERATE)
    # Each step is worth at most one trial of its own; how much less, the items' spread says.
    share = mean_se([one / steps for one in means], alpha=alpha, n_runs=steps * count)
    ends = min(mean, steps * share.low), max(mean, steps * share.high)
    return "wilson at effective size", mean, ends, few


def by_step(results: Sequence[SampleResult], *, alpha: float = 0.05) -> tuple[Step, ...]:
    """Every step in the chain's order, over all attempts that are evidence.

    The share's interval is Clopper and Pearson's over attempts; with several attempts at one item it
    is for that item alone.

    Raises: Invalid, if the chains' steps differ.
    """
    check_alpha(alpha)
    known = _evidence(results)
    names = {tuple(step.name for step in one.milestones) for one in known}
    if len(names) > 1:
        raise Invalid("milestones", "chains of different steps are counted apart")
    found = []
    for number, name in enumerate(next(iter(names), ())):
        there = [one.milestones[number] for one in known if one.milestones[number].reached]
        low, high = clopper_pearson(len(there), len(known), alpha=alpha)
        found.append(
            Step(
                name=name,
                reached=len(there),
                attempts=len(known),
                low=float(low),
                high=float(high),
                seconds=float(median([one.seconds for one in there] or [0])),
                tokens=float(median([one.tokens for one in there] or [0])),
            )
        )
    return tuple(found)


def curve(results: Sequence[SampleResult], spent: Spent) -> Curve:
    """Steps climbed against seconds or tokens spent, as a mean over attempts that are evidence."""
    known = _evidence(results)
    costs = sorted(
        int(getattr(step, spent)) for one in known for step in one.milestones if step.reached
    )
    points = [Point(0, 0.0)]
    for number, cost in enumerate(costs, start=1):
        if points[-1].spent == cost:
            points.pop()
        points.append(Point(cost, number / len(known)))
    ended = [int(getattr(one, spent)) for one in known if one.state == "limit"]
    return Curve(tuple(points), min(ended, default=None))
