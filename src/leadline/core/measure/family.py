"""Estimates per family of a suite, from sample results.

Only samples that say something about the subject count as attempts: scored ones, and ones that used
up their budget. What our own side lost (`infra`) or never ran (`missing`) is counted apart and is
never a failure of the subject.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from leadline.core.assessment import Budget, SampleResult
from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Json
from leadline.core.measure.interval import (
    Interval,
    Method,
    RareEventBound,
    clustered,
    interval,
    rare_event_bound,
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what every attempt of a run was made."""

    budget: Budget
    elicitation: str
    scaffold_digest: str


@dataclass(frozen=True, slots=True)
class FamilyEstimate:
    """One family. *solved* counts runs; *share* is over items; *bound* is set when solved is 0."""

    family: str
    attempted: int
    solved: int
    infra: int
    missing: int
    share: Interval
    bound: RareEventBound | None
    conditions: Conditions

    def to_dict(self) -> dict[str, Json]:
        """As `summary.json` spells a family: name, counts, interval, upper bound, budget."""
        return {
            "name": self.family,
            "attempted": self.attempted,
            "solved": self.solved,
            "infra": self.infra,
            "missing": self.missing,
            "interval": [self.share.low, self.share.high],
            "upper_bound": self.bound.upper if self.bound else None,
            "budget": self.conditions.budget.words(),
            "estimate": self.share.to_dict(),
        }


def runs_by_item(samples: Iterable[SampleResult]) -> dict[str, list[bool]]:
    """Whether each run that says something about the subject solved its item."""
    runs: dict[str, list[bool]] = {}
    for one in samples:
        if one.state in {"scored", "limit"}:
            runs.setdefault(one.item, []).append(one.state == "scored" and one.solved)
    return runs


def share_of(
    runs: Mapping[str, Sequence[bool]], *, alpha: float = 0.05, method: Method = "wilson"
) -> Interval:
    """The share of runs that solved, by item; an item's several runs are one cluster.

    Raises: Invalid, if *alpha* is no error rate.
    """
    tried, hits = sum(map(len, runs.values())), sum(map(sum, runs.values()))
    if tried == len(runs):
        return interval(hits, tried, alpha=alpha, method=method)
    solved = [float(one) for own in runs.values() for one in own]
    items = [item for item, own in runs.items() for _ in own]
    return clustered(solved, items, n_runs=tried, alpha=alpha, method=method)


def by_family(
    samples: Sequence[SampleResult],
    families: Mapping[str, str],
    conditions: Conditions,
    *,
    epochs: int = 1,
    alpha: float = 0.05,
    method: Method = "wilson",
) -> tuple[FamilyEstimate, ...]:
    """One estimate per family, by name. *families* maps every planned item to its family.

    An item and epoch without a sample counts as missing. With several epochs an item's runs form a
    cluster, as repeats of one item are not independent.

    Raises: Invalid, for a sample of an unplanned item or a repeated (item, epoch).
    """
    seen: set[tuple[str, int]] = set()
    for sample in samples:
        if sample.item not in families or not 1 <= sample.epoch <= epochs:
            raise Invalid("samples", f"{sample.item}, epoch {sample.epoch}, was not planned")
        if (sample.item, sample.epoch) in seen:
            raise Invalid("samples", f"{sample.item}, epoch {sample.epoch}, occurs twice")
        seen.add((sample.item, sample.epoch))
    ordered = sorted(families, key=lambda item: (families[item], item))
    estimates = []
    for family, items in groupby(ordered, key=lambda item: families[item]):
        members = set(items)
        own = [sample for sample in samples if sample.item in members]
        estimates.append(_family(family, own, len(members) * epochs, conditions, alpha, method))
    return tuple(estimates)


def _family(
    family: str,
    samples: list[SampleResult],
    planned: int,
    conditions: Conditions,
    alpha: float,
    method: Method,
) -> FamilyEstimate:
    runs = runs_by_item(samples)
    tried, hits = sum(map(len, runs.values())), sum(map(sum, runs.values()))
    bound = None
    if not hits:
        bound = rare_event_bound(
            tried,
            0,
            budget=conditions.budget,
            elicitation=conditions.elicitation,
            scaffold_digest=conditions.scaffold_digest,
            alpha=alpha,
            clusters=len(runs),
        )
    infra = sum(sample.state == "infra" for sample in samples)
    return FamilyEstimate(
        family=family,
        attempted=tried,
        solved=hits,
        infra=infra,
        missing=planned - tried - infra,
        share=share_of(runs, alpha=alpha, method=method),
        bound=bound,
        conditions=conditions,
    )
