"""What the samples of an assessment say, as the report shows it: suites, families, steps, losses."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from leadline.core import report as shown
from leadline.core.assessment import Plan, PlannedSuite, SampleResult, ShardResult
from leadline.core.measure.assessed import (
    by_level,
    estimates,
    in_suite,
    of_subject,
    several_attempts,
)
from leadline.core.measure.beside import beside
from leadline.core.measure.comparison import McNemar
from leadline.core.measure.effort import success_curve
from leadline.core.measure.family import Conditions, FamilyEstimate, runs_by_item, share_of
from leadline.core.measure.infra import Lost, flags
from leadline.core.measure.milestones import Spent, by_step, curve, mean_steps
from leadline.core.measure.out_of_scope import SourceCount, scope_counts
from leadline.core.measure.power import holm

BASELINE = "baseline"  # who is measured beside a model, on the same items


def suite_report(
    plan: Plan, results: Sequence[ShardResult], suite: PlannedSuite, conditions: Conditions
) -> shown.SuiteReport:
    """One suite of *plan* as the samples of *results* show it, under *conditions*."""
    if suite.unavailable:
        return shown.SuiteReport(
            suite.name, suite.title, shown.SuiteState.UNAVAILABLE, reason=suite.unavailable
        )
    own = of_subject(results, plan.subject.name)
    levels = {id_: item.level for id_, (_, item) in plan.items.items()}
    tried = in_suite(own, suite)
    epochs, chains = plan.epochs, list(_chains(suite, own))
    families = estimates(suite, own, conditions, epochs)
    baseline: tuple[FamilyEstimate, ...] = ()
    floor: list[SampleResult] = []
    if plan.subject.kind == "model":
        floor = of_subject(results, BASELINE)
        baseline = estimates(suite, floor, conditions, epochs)
    return shown.SuiteReport(
        suite.name,
        suite.title,
        shown.SuiteState.RAN,
        tuple(_family(family) for family in families),
        baseline=tuple(
            shown.Share(f.family, f.attempted, f.solved, (f.share.low, f.share.high))
            for f in baseline
        ),
        levels=tuple(
            _share(f"level {one.level}", (s for s in tried if levels.get(s.item) == one.level))
            for one in by_level(tried, levels)
        ),
        outcomes=_outcomes(tried),
        attack=_attack(plan, suite, own),
        milestones=tuple(step for chain in chains for step in _steps(*chain)),
        reached=" ".join(_reached(*chain) for chain in chains),
        drawn=_drawn(suite, tried),
        climbs=tuple(climb for chain in chains for climb in _climbs(*chain)),
        total=_share("all families", tried),
        baseline_total=_share("all families", in_suite(floor, suite)) if baseline else None,
        uplift=_uplift(plan, tried, in_suite(floor, suite)),
    )


def adjusted(suites: Sequence[shown.SuiteReport]) -> tuple[shown.SuiteReport, ...]:
    """*suites* with the p-values of their uplifts adjusted for there being several, by Holm's rule."""
    p_values = {one.name: one.uplift.p for one in suites if one.uplift}
    if len(p_values) <= 1:
        return tuple(suites)
    found = {one.name: one.adjusted for one in holm(p_values, list(p_values)).declared}
    return tuple(
        replace(one, uplift=replace(one.uplift, p_adjusted=found[one.name])) if one.uplift else one
        for one in suites
    )


def _drawn(suite: PlannedSuite, tried: Sequence[SampleResult]) -> str:
    """What to know of shares where the decision was reached before every item of *suite* ran."""
    ran = len({sample.item for sample in tried})
    if ran == len(suite.items):
        return ""
    return (
        f"{ran} of {len(suite.items)} items ran: those that the decision asked for until it was reached, "
        "telling ones more often than others. The shares here are of these items alone; the decision's "
        "own estimate and bounds are of the whole suite. --estimate runs the rest as well."
    )


def _uplift(
    plan: Plan, own: Sequence[SampleResult], floor: Sequence[SampleResult]
) -> shown.Uplift | None:
    """The subject beside the tool baseline, item by item; None where they have no item in common."""
    told = beside(own, floor, rng=np.random.default_rng(int(plan.seed_commitment, 16)))
    if told is None:
        return None
    paired, single = told.paired, told.test if isinstance(told.test, McNemar) else None
    return shown.Uplift(
        items=paired.n_items,
        unshared=len(paired.only_first) + len(paired.only_second),
        subject=paired.first,
        baseline=paired.second,
        point=paired.point,
        interval=(paired.low, paired.high),
        test=told.test.method,
        p=told.p,
        subject_alone=single.first_only if single else None,
        baseline_alone=single.second_only if single else None,
    )


def _outcomes(samples: Sequence[SampleResult]) -> tuple[tuple[str, int], ...]:
    """Every outcome and how often, the most frequent first."""
    counted = Counter(sample.outcome for sample in samples)
    return tuple(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _attack(
    plan: Plan, suite: PlannedSuite, own: Sequence[SampleResult]
) -> tuple[shown.Share, ...]:
    """For items that are the other side of another suite's: those set off, by family."""
    twins = {item.twin: item.family for item in suite.items if item.twin in plan.items}
    counted: dict[str, list[SampleResult]] = {}
    for sample in own:
        if sample.item in twins and sample.state in {"scored", "limit"}:
            counted.setdefault(twins[sample.item], []).append(sample)
    return tuple(_share(name, seen) for name, seen in sorted(counted.items()))


def _chains(
    suite: PlannedSuite, own: Sequence[SampleResult]
) -> Iterable[tuple[str, list[SampleResult]]]:
    """The samples of chains, family by family: chains of one family have the same steps."""
    families = {item.id: item.family for item in suite.items}
    chained = [sample for sample in in_suite(own, suite) if sample.milestones]
    for family in sorted({families[sample.item] for sample in chained}):
        yield family, [sample for sample in chained if families[sample.item] == family]


def _steps(family: str, samples: Sequence[SampleResult]) -> Iterable[shown.Share]:
    """How often each step of a family's chain was reached, in the order of the chain."""
    for step in by_step(samples):
        ends = (step.low, step.high)
        yield shown.Share(f"{family}: {step.name}", step.attempts, step.reached, ends)


def _reached(family: str, samples: Sequence[SampleResult]) -> str:
    """The mean number of steps in words, with its interval."""
    told = mean_steps(samples)
    return (
        f"{family}: in the mean {told.mean:.1f} of {told.steps} steps were reached "
        f"({told.low:.1f} to {told.high:.1f}), the whole chain {told.whole} of {told.n_runs} times."
    )


def _climbs(family: str, samples: Sequence[SampleResult]) -> Iterable[shown.Climb]:
    """When the steps were reached, where any was: against tokens, or seconds where none were used."""
    spent: Spent = "tokens" if any(sample.tokens for sample in samples) else "seconds"
    climbed = curve(samples, spent)
    if len(climbed.points) > 1:
        yield shown.Climb(family, spent, climbed, mean_steps(samples))


def scope_rows(own: Sequence[SampleResult]) -> tuple[shown.ScopeRow, ...]:
    """What each source saw outside the items' scopes; none for a source that no sample had."""
    counted = scope_counts(own)
    return tuple(_scope_row(one) for one in counted if one.watched or one.entries)


def _scope_row(count: SourceCount) -> shown.ScopeRow:
    share = count.share
    ends = (share.low, share.high) if share else (0.0, 1.0)
    return shown.ScopeRow(
        count.source,
        count.watched,
        count.unobserved,
        count.samples,
        count.entries,
        count.alarms,
        ends,
    )


def effort(plan: Plan, own: Sequence[SampleResult]) -> Iterable[shown.Effort]:
    """Success against tokens, suite by suite, where attempts have a budget in tokens."""
    for suite in plan.suites if plan.budget.tokens else ():
        found = success_curve(in_suite(own, suite), plan.budget.tokens)
        if found.attempts:
            steps = tuple(
                shown.EffortStep(step.tokens, step.at_risk, step.share, step.low, step.high)
                for step in found.steps
            )
            yield shown.Effort(suite.name, found.budget, found.attempts, steps, found.cut_at)


def losses(results: Sequence[ShardResult]) -> tuple[str, ...]:
    """What the failures of our own side give reason to look at, and their causes by name."""
    arms: dict[str, list[SampleResult]] = {}
    for result in results:
        arms.setdefault(result.subject, []).extend(result.samples)
    lost = {
        name: Lost(sum(one.state == "infra" for one in samples), len(samples))
        for name, samples in arms.items()
    }
    causes = Counter(
        one.outcome for samples in arms.values() for one in samples if one.state == "infra"
    )
    named = tuple(f"{cause}: {count}" for cause, count in sorted(causes.items()))
    return tuple(flag.text for flag in flags(lost)) + named


def _family(family: FamilyEstimate) -> shown.Family:
    return shown.Family(
        name=family.family,
        attempted=family.attempted,
        solved=family.solved,
        infra=family.infra,
        missing=family.missing,
        interval=(family.share.low, family.share.high),
        budget=family.conditions.budget.words(),
        upper_bound=family.bound.upper if family.bound and family.attempted else None,
    )


def _share(name: str, samples: Iterable[SampleResult]) -> shown.Share:
    """The share solved, with an interval over items: several attempts at one are one cluster."""
    runs = runs_by_item(samples)
    attempted, solved = sum(map(len, runs.values())), sum(map(sum, runs.values()))
    told = share_of(runs)
    return shown.Share(name, attempted, solved, (told.low, told.high))


def several(plan: Plan, own: Sequence[SampleResult]) -> Iterable[tuple[str, str]]:
    """What several attempts at an item come to, where the plan has them."""
    words = ("pass@{k}, at least one of {k} attempts", "pass^{k}, all of {k} attempts")
    for suite in plan.suites:
        for told, found in zip(words, several_attempts(suite, own, plan.epochs), strict=False):
            yield (
                f"{suite.name}: {told.format(k=found.k)}",
                f"{found.point:.0%} of {found.n_items} items, {found.low:.0%} to {found.high:.0%}",
            )
