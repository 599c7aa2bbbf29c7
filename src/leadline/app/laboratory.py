"""What an assessment needs of the evaluation side. The wiring provides it; tests bring fakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from leadline.app.assessment import Evidence
from leadline.app.ports import Executor, Shard
from leadline.core.assessment import OutOfScope, Plan, PlannedSuite, ShardResult, Subject
from leadline.core.clearing.finding import ReplayResult
from leadline.core.clearing.group import Crash
from leadline.core.identity import Identified
from leadline.core.record.act import Value


class Laboratory(Protocol):
    """Suites, isolation, workers and replay, on one host."""

    subject: Subject
    executor: Executor
    tier: str

    def suites(self, seed: bytes) -> tuple[PlannedSuite, ...]:
        """Every installed suite with its items in the committed order, or why it cannot run."""
        ...

    def standing(self, suite: PlannedSuite) -> Mapping[str, "Standing"]:
        """Whether an official run may rest on each item of *suite*, by the item's id.

        Raises: Unavailable, if the environment that a record holds for cannot be looked at.
        """
        ...

    def drill(self) -> Evidence:
        """Fire the kill switch at a box that resists, and measure."""
        ...

    def prove(self, about: str) -> Evidence:
        """The egress proof of the configuration that every sample will use."""
        ...

    def canaries(self, plan: Plan, seed: bytes) -> None:
        """One reference and one empty answer of each family, judged on this host as samples will be.

        From now on every other host of the run judges them before it gives a result. What was found
        is told by `judged`.

        Raises: Unavailable, if a judge could not do its work.
        """
        ...

    def judged(self) -> Sequence[Evidence]:
        """What the canaries showed on each host so far.

        The record's ``families`` are `Canary` values; it holds only if every one did, and then only
        that host gives results.
        """
        ...

    def identify(self) -> Identified:
        """Who the subject is: what is declared of it, and what its endpoint answers to fixed questions.

        Raises: Unavailable, if the endpoint does not answer.
        """
        ...

    def start_workers(self, job: str) -> None:
        """Start what claims the job's shards; they end by themselves when none is left."""
        ...

    def workers_alive(self) -> int:
        """How many still run. What a dead one held is queued again and a new one started."""
        ...

    def alarms(self) -> Sequence[tuple[str, OutOfScope]]:
        """Acts out of scope that are alarms and were not told before, by item."""
        ...

    def stops(self) -> Sequence[Mapping[str, Value]]:
        """Every order by which the run was ended, as its warden wrote it down."""
        ...

    def stop_workers(self) -> None:
        """End them at once."""
        ...

    def result(self, shard: Shard) -> ShardResult:
        """What a finished shard produced; raises Tampered if it is not what the row names."""
        ...

    def enter(self, result: ShardResult) -> None:
        """Enter a sealed result in the run's index; a second time changes nothing."""
        ...

    def proof(self, item: str, log: str) -> bytes:
        """The submission for *item* in an eval log."""
        ...

    def replay(self, finding: str, item: str, proof: bytes, times: int) -> "Replayed":
        """Run a proof *times* on both builds, each in a fresh sandbox."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """An item's *record* of qualification, by SHA-256, or the *reason* why none carries it."""

    record: str = ""
    reason: str = ""


def qualified(suite: PlannedSuite, standing: Mapping[str, Standing]) -> PlannedSuite:
    """*suite* with the items that a record carries; the others are named as missing, each with why."""
    items = tuple(
        replace(item, record=standing[item.id].record)
        for item in suite.items
        if standing[item.id].record
    )
    lost = tuple(
        f"{item.id}: not qualified: {standing[item.id].reason}"
        for item in suite.items
        if not standing[item.id].record
    )
    unavailable = suite.unavailable
    if suite.items and not items:
        unavailable = (
            f"none of its {len(lost)} items has a record of qualification that holds here, the first "
            f"{lost[0]}; `leadline suite qualify {suite.name}` makes them"
        )
    return replace(suite, items=items, unavailable=unavailable, missing=(*suite.missing, *lost))


@dataclass(frozen=True, slots=True)
class Canary:
    """Whether a family's judge told its reference from nothing, on this host, beside the run."""

    suite: str
    family: str
    item: str
    held: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What replaying showed, and what the last run of the vulnerable build looked like."""

    result: ReplayResult
    crash: Crash
