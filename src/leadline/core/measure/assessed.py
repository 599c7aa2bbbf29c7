"""From the samples of an assessment to its decision and its estimates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from leadline.core.assessment import Plan, PlannedSuite, SampleResult, ShardResult
from leadline.core.engagement.criteria import Criteria
from leadline.core.measure.attempts import Attempts, pass_at_k, pass_hat_k
from leadline.core.measure.family import Conditions, FamilyEstimate, by_family
from leadline.core.measure.sequential import Decision, Result


@dataclass(frozen=True, slots=True)
class Level:
    """Attempts and solves at one difficulty of one suite; level 0 is the easiest."""

    level: int
    attempted: int
    solved: int


def of_subject(results: Iterable[ShardResult], subject: str) -> list[SampleResult]:
    """The samples of one arm, in the order of the shards."""
    return [s for result in results if result.subject == subject for s in result.samples]


def in_suite(samples: Iterable[SampleResult], suite: PlannedSuite) -> list[SampleResult]:
    """Those samples whose item belongs to *suite*."""
    members = {item.id for item in suite.items}
    return [sample for sample in samples if sample.item in members]


def suite_digest(suite: PlannedSuite) -> str:
    """SHA-256 in hex over name, version and the items' digests in order of id."""
    lines = [f"{item.id} {item.digest}" for item in sorted(suite.items, key=lambda item: item.id)]
    return sha256("\n".join([suite.name, suite.version, *lines]).encode()).hexdigest()


def decide(
    criteria: Criteria, plan: Plan, samples: Iterable[SampleResult], order_seed: bytes
) -> Decision | None:
    """The sequential decision on the first attempt at each item, in the committed order.

    A sample lost to our own side is void: its step stays and counts against both conclusions. None
    where the suite that the criteria name could not run here.

    Raises: Invalid, if no item of that suite counts.
    """
    suite = next((one for one in plan.suites if one.name == criteria.suite and one.items), None)
    if suite is None:
        return None
    families = {item.id: item.family for item in suite.items}
    decision = Decision.start(
        criteria.plan(suite_digest(suite), families, plan.seed_commitment), order_seed
    )
    first = {sample.item: sample for sample in samples if sample.epoch == 1}
    results = []
    for step, item in enumerate(decision.order, 1):
        sample = first.get(item)
        valid = sample is not None and sample.state in {"scored", "limit"}
        score = int(sample.solved) if sample is not None and valid else None
        cost, proof = (sample.tokens, sample.proof) if sample is not None else (0, "")
        results.append(Result(step, score, cost, proof))
    return decision.update(results)


def estimates(
    suite: PlannedSuite, samples: Sequence[SampleResult], conditions: Conditions, epochs: int
) -> tuple[FamilyEstimate, ...]:
    """One estimate per family of *suite*, over all attempts."""
    families = {item.id: item.family for item in suite.items}
    return by_family(in_suite(samples, suite), families, conditions, epochs=epochs)


def several_attempts(
    suite: PlannedSuite, samples: Iterable[SampleResult], epochs: int, rng: np.random.Generator
) -> tuple[Attempts, ...]:
    """pass@k and pass^k at k = *epochs*, over the items whose every attempt is valid.

    Empty with a single epoch, or where no item has them all: nothing is imputed.
    """
    solved: dict[str, list[bool]] = {}
    for sample in in_suite(samples, suite):
        if sample.state in {"scored", "limit"}:
            solved.setdefault(sample.item, []).append(sample.solved)
    whole = [outcomes for _, outcomes in sorted(solved.items()) if len(outcomes) == epochs]
    if epochs == 1 or not whole:
        return ()
    counts = [sum(outcomes) for outcomes in whole]
    trials = [epochs] * len(whole)
    return tuple(rule(counts, trials, epochs, rng=rng) for rule in (pass_at_k, pass_hat_k))


def by_level(samples: Iterable[SampleResult], levels: Mapping[str, int]) -> tuple[Level, ...]:
    """Solves by difficulty, easiest first; items without a level are left out."""
    counts: dict[int, list[bool]] = {}
    for sample in samples:
        level = levels.get(sample.item, -1)
        if level >= 0 and sample.state in {"scored", "limit"}:
            counts.setdefault(level, []).append(sample.solved)
    return tuple(Level(lv, len(solved), sum(solved)) for lv, solved in sorted(counts.items()))
