"""Which shards a run has: the decision asks for its items batch by batch, all else is known beforehand."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from leadline.app.running import WORKERS
from leadline.core.assessment import Plan, PlannedSuite, SubjectKind, slices
from leadline.core.engagement.criteria import Criteria
from leadline.core.measure.assessed import Course


@dataclass(frozen=True, slots=True)
class Wanted:
    """One shard: *items* of *suite*, for the *epoch*-th time, by the *arm*; *name* is its alone."""

    name: str
    arm: str
    suite: str
    epoch: int
    items: tuple[str, ...]


def wanted(
    plan: Plan, criteria: Criteria, arms: Sequence[tuple[str, SubjectKind]], course: Course | None
) -> tuple[Wanted, ...]:
    """Every shard of the run so far, in the order in which they are put into the table.

    *arms* are the subject and what is measured beside it. Equal results give equal shards, so that an
    interrupted run goes on as it would have. All items once before any repeat, and the suites in turn.
    The suite that is decided on comes in the batches that the decision asked for, for every arm alike;
    what it did not ask for runs only if the plan wants the estimate.
    """
    return tuple(_epochs(plan, criteria, arms, course))


def _epochs(
    plan: Plan, criteria: Criteria, arms: Sequence[tuple[str, SubjectKind]], course: Course | None
) -> Iterator[Wanted]:
    for epoch in range(1, plan.epochs + 1):
        for arm, kind in arms:
            for suite in (one for one in plan.suites if not one.subjects or kind in one.subjects):
                decided = course if suite.name == criteria.suite else None
                groups = _first(plan, criteria, suite, decided)
                if decided is not None and epoch > 1:
                    groups = _again(groups, decided)
                most = plan.shard_items if decided is None else _part(plan, decided)
                yield from _named(arm, suite.name, epoch, groups, most)
                if decided is not None and epoch == 1 and arm == arms[0][0]:
                    yield from _lost(arm, suite.name, decided)


def _first(
    plan: Plan, criteria: Criteria, suite: PlannedSuite, course: Course | None
) -> list[tuple[str, ...]]:
    """Groups of the items of *suite* that run once: one after the other, each sliced on its own."""
    if course is None:
        return [tuple(item.id for item in suite.items)]
    rest = tuple(i.id for i in suite.items if not criteria.counts(suite.name, i.family))
    seen: set[str] = set()
    groups = [rest]
    for batch in course.batches:
        groups.append(tuple(item for item in batch if item not in seen))
        seen.update(batch)
    if course.ended and plan.estimate:
        left = (item.id for item in suite.items if item.id not in seen and item.id not in rest)
        groups.append(tuple(left))
    return groups


def _part(plan: Plan, course: Course) -> int:
    """Items of one shard, so that the workers share a batch: nothing else can run until it is whole."""
    return max(1, min(plan.shard_items, -(-course.decision.plan.batch // WORKERS)))


def _again(groups: Sequence[tuple[str, ...]], course: Course) -> list[tuple[str, ...]]:
    """Repeats start once the decision asks for nothing more: only then is it known what to repeat."""
    return [tuple(item for group in groups for item in group)] if course.ended else []


def _named(
    arm: str, suite: str, epoch: int, groups: Iterable[tuple[str, ...]], most: int
) -> Iterator[Wanted]:
    number = 0
    for group in groups:
        for ids in slices(group, most):
            number += 1
            yield Wanted(_name(arm, suite, epoch, f"{number:02d}"), arm, suite, epoch, ids)


def _lost(arm: str, suite: str, course: Course) -> Iterator[Wanted]:
    """The items whose run was lost, once more; their shards come after the others by name."""
    seen: set[str] = set()
    for number, batch in enumerate(course.batches, 1):
        again = tuple(item for item in batch if item in seen)
        seen.update(batch)
        if again:
            yield Wanted(_name(arm, suite, 1, f"again-{number:02d}"), arm, suite, 1, again)


def _name(arm: str, suite: str, epoch: int, number: str) -> str:
    return f"{arm.replace('/', '_')}-{suite}-{epoch}-{number}"
