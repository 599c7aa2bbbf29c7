"""Success against tokens: the share of attempts that had solved by so many tokens, right-censored.

An attempt that was ended by something else than its tokens (time, money, memory) had not solved by the
tokens it used, and nothing is known of it beyond: it is censored there. One that ended by itself
without a solution had its chance of the whole budget. So "not found" is always "not found up to this
budget".

Attempts at one item are no independent attempts: where items repeat, the interval counts them for what
they are worth together.

Sources: Kaplan and Meier 1958 (product limit); interval by Wilson's method on the effective number of
attempts, as Dorey and Korn 1987 do for binomial limits, and Korn and Graubard 1998 for repeats.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from leadline.core.assessment import SampleResult
from leadline.core.errors import Invalid
from leadline.core.measure.interval import effective_size, wilson


@dataclass(frozen=True, slots=True)
class Step:
    """From *tokens* on: the share solved, with its 95 % interval; *at_risk* attempts were left."""

    tokens: int
    at_risk: int
    solved: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The share solved by tokens, up to *budget*.

    *attempts* say something about the subject; *cut_at* are the tokens at which some of them were cut off
    before the budget by something else than tokens. *steps* begins at 0 tokens, with nothing solved.
    """

    budget: int
    attempts: int
    steps: tuple[Step, ...]
    cut_at: tuple[int, ...]


def success_curve(samples: Iterable[SampleResult], budget: int) -> Curve:
    """The curve of all attempts that our own side did not lose.

    Raises: Invalid, if *budget* is not positive or a solved attempt used more than it by half again
    (an overshoot of one answer is ordinary).
    """
    if budget <= 0:
        raise Invalid("budget", "success against tokens needs a budget in tokens")
    kept = [one for one in samples if one.state in {"scored", "limit"}]
    over = next((one for one in kept if one.solved and one.tokens > 1.5 * budget), None)
    if over is not None:
        raise Invalid("samples", f"{over.item} was solved with {over.tokens} tokens of {budget}")
    ends = [_end(one, budget) for one in kept]
    events = sorted({tokens for tokens, event in ends if event})
    _, items = np.unique([one.item for one in kept], return_inverse=True)
    left, varied = 1.0, 0.0
    steps = [_step(0, len(kept), 0, 1.0, 0.0, _worth(ends, items, 0))]
    for tokens in events:
        at_risk = sum(end >= tokens for end, _ in ends)
        solved = sum(event and end == tokens for end, event in ends)
        if at_risk > solved:
            varied += solved / (at_risk * (at_risk - solved))
        left *= 1 - solved / at_risk
        steps.append(_step(tokens, at_risk, solved, left, varied, _worth(ends, items, tokens)))
    cut = tuple(sorted(int(end) for end, event in ends if not event and end < budget))
    return Curve(budget, len(kept), tuple(steps), cut)


def _end(sample: SampleResult, budget: int) -> tuple[float, bool]:
    """Until where an attempt was followed, and whether it solved there."""
    if sample.solved:
        return min(sample.tokens, budget), True
    cut = sample.state == "limit" and not sample.reason.startswith("token limit")
    return (sample.tokens if cut else inf), False


def _worth(ends: Sequence[tuple[float, bool]], items: npt.NDArray[np.intp], tokens: float) -> float:
    """What an attempt is worth of an independent one, by who had solved by *tokens*: 1 without repeats."""
    if not items.size or int(items.max()) + 1 == items.size:
        return 1.0
    solved = [float(event and end <= tokens) for end, event in ends]
    return min(1.0, effective_size(solved, items, n_runs=items.size) / items.size)


def _step(
    tokens: float, at_risk: int, solved: int, left: float, varied: float, worth: float
) -> Step:
    share = 1 - left
    # Greenwood's variance of `left`; where it is nought the attempts at risk are what is known.
    variance = left * left * varied
    effective = worth * (share * left / variance if variance > 0 else at_risk)
    low, high = (float(end) for end in wilson(share * effective, effective))
    return Step(int(tokens), at_risk, solved, share, min(low, share), max(high, share))
