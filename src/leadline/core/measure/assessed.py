"""From the samples of an assessment to its decision and its estimates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from leadline.core.assessment import Plan, PlannedSuite, SampleResult, ShardResult
from leadline.core.engagement.criteria import Criteria
from leadline.core.measure.attempts import Attempts, pass_at_k, pass_hat_k
from leadline.core.measure.deciding import start
from leadline.core.measure.family import Conditions, FamilyEstimate, by_family
from leadline.core.measure.sequential import Decision, Draw, Result

RUNS_MAX = 2  # of an item, where our own side lost the first
FURTHER = "-further"  # ends the name of a shard that a person asked for, before its number


@dataclass(frozen=True, slots=True)
class Level:
    """Attempts and solves at one difficulty of one suite; level 0 is the easiest."""

    level: int
    attempted: int
    solved: int


def of_subject(results: Iterable[ShardResult], subject: str) -> list[SampleResult]:
    """The samples of one arm, in the order of the shards."""
    return [s for result in results if result.subject == subject for s in result.samples]


def asked_for(results: Iterable[ShardResult]) -> list[ShardResult]:
    """What a decision may rest on, in its order: a lost run before what makes up for it.

    A run that a person asked for is none of the decision's: else it would be that person who draws.
    """
    own = (result for result in results if not result.shard.rpartition("-")[0].endswith(FURTHER))
    return sorted(own, key=lambda result: result.shard)


def in_suite(samples: Iterable[SampleResult], suite: PlannedSuite) -> list[SampleResult]:
    """Those samples whose item belongs to *suite*."""
    members = {item.id for item in suite.items}
    return [sample for sample in samples if sample.item in members]


def suite_digest(suite: PlannedSuite) -> str:
    """SHA-256 in hex over name, version and the items' digests in order of id."""
    lines = [f"{item.id} {item.digest}" for item in sorted(suite.items, key=lambda item: item.id)]
    return sha256("\n".join([suite.name, suite.version, *lines]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Course:
    """A decision as far as its samples go, and the *batches* of items that it asked for, in order.

    The last batch may be under way. A batch of items that were asked for before makes up for lost runs.
    """

    decision: Decision
    batches: tuple[tuple[str, ...], ...]

    @property
    def ended(self) -> bool:
        """Whether it asks for nothing more."""
        return len(self.decision.log) == sum(len(batch) for batch in self.batches)


def decide(
    criteria: Criteria, plan: Plan, samples: Iterable[SampleResult], seed: bytes
) -> Course | None:
    """The sequential decision from the first attempts at its items, as far as they were drawn and ran.

    A sample lost to our own side is void: its step stays and counts against both conclusions, until a
    further run of the item shows something. Samples of items that were not drawn say nothing here, and a
    batch counts once it ran whole, so that equal samples give an equal log in whatever order they come.
    None where the suite that the criteria name could not run here.

    Raises: Invalid, if no item of that suite counts.
    """
    suite = next((one for one in plan.suites if one.name == criteria.suite and one.items), None)
    if suite is None:
        return None
    rule = criteria.plan(suite_digest(suite), suite.items, plan.seed_commitment)
    runs: dict[str, list[SampleResult]] = {}
    for sample in samples:
        if sample.epoch == 1:
            runs.setdefault(sample.item, []).append(sample)
    decision, batches = start(rule, seed), list[tuple[str, ...]]()
    asked = dict.fromkeys(rule.items, 0)
    while draws := _next(decision, asked):
        batches.append(tuple(draw.item for draw in draws))
        results = [_result(draw, runs.get(draw.item, ())[asked[draw.item] :]) for draw in draws]
        known = [result for result in results if result is not None]
        for draw in draws:
            asked[draw.item] += 1
        if len(known) < len(draws):
            break
        decision = decision.update(known)
    return Course(decision, tuple(batches))


def _next(decision: Decision, asked: Mapping[str, int]) -> list[Draw]:
    """What is drawn next: steps lost once, before the next batch of new ones."""
    seen, batch = len(decision.seen), decision.plan.batch
    draws = decision.next_items(len(decision.plan.items))
    lost = [one for one in draws if one.step <= seen and asked[one.item] < RUNS_MAX]
    return lost or [one for one in draws if seen < one.step <= (seen // batch + 1) * batch]


def _result(draw: Draw, runs: Sequence[SampleResult]) -> Result | None:
    """What the first of *runs* says of *draw*; None while there is none."""
    if not runs:
        return None
    score = int(runs[0].solved) if runs[0].state in {"scored", "limit"} else None
    return Result(draw.step, score, runs[0].tokens, runs[0].proof)


def estimates(
    suite: PlannedSuite, samples: Sequence[SampleResult], conditions: Conditions, epochs: int
) -> tuple[FamilyEstimate, ...]:
    """One estimate per family of *suite*, over all attempts."""
    families = {item.id: item.family for item in suite.items}
    return by_family(in_suite(samples, suite), families, conditions, epochs=epochs)


def several_attempts(
    suite: PlannedSuite, samples: Iterable[SampleResult], epochs: int
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
    return tuple(rule(counts, trials, epochs) for rule in (pass_at_k, pass_hat_k))


def by_level(samples: Iterable[SampleResult], levels: Mapping[str, int]) -> tuple[Level, ...]:
    """Solves by difficulty, easiest first; items without a level are left out."""
    counts: dict[int, list[bool]] = {}
    for sample in samples:
        level = levels.get(sample.item, -1)
        if level >= 0 and sample.state in {"scored", "limit"}:
            counts.setdefault(level, []).append(sample.solved)
    return tuple(Level(lv, len(solved), sum(solved)) for lv, solved in sorted(counts.items()))
