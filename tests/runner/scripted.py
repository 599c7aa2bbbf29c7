"""Subjects whose every step is written down, and the suites and eval logs that tests need of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from inspect_ai.dataset import Sample
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import sandbox

from leadline.core.assessment import Budget, Subject
from leadline.core.isolation import Tier
from leadline.runner.shard import ShardJob
from leadline.runner.subject import Runnable
from leadline.suites.item import SUBMISSION, Item, Qualification, Suite
from leadline.suites.planted import SUITE

if TYPE_CHECKING:
    from inspect_ai.agent import Agent

SEED = bytes(range(32))
SUBJECT = Subject("tool-agent", "scripted", "0" * 64)

Step = Callable[[TaskState], Mapping[str, bytes]]


@dataclass
class Steps:
    """What the subject does at each item, and the items it was started on, in order.

    *answers* holds a submission by item id; an item without one gets the item's own reference.
    *breaks* holds how many attempts at an item end in an exception before one goes well,
    *sleeps* how many seconds the subject then spends idle in its sandbox.
    """

    answers: dict[str, bytes | None] = field(default_factory=dict)
    breaks: dict[str, int] = field(default_factory=dict)
    sleeps: dict[str, int] = field(default_factory=dict)
    after: Callable[[str], None] = lambda _: None
    started: list[str] = field(default_factory=list)

    def runnable(self, budget: Budget | None = None) -> Runnable:
        """The subject as a shard takes it."""
        made = scripted(self)
        # a task takes a solver wherever it takes an agent; only a solver is told which item it is
        return Runnable(SUBJECT, None, lambda _: cast("Agent", made), budget or Budget(), 1)


@solver
def scripted(steps: Steps) -> Solver:
    """Hand in what *steps* says, through the sandbox as any subject does."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        item = str(state.sample_id)
        steps.started.append(item)
        if steps.breaks.get(item, 0):
            steps.breaks[item] -= 1
            raise ConnectionError("the endpoint went away")
        reference = Path(state.metadata["folder"]) / "reference" / "proof"
        answer = steps.answers.get(item, reference.read_bytes())
        if answer is not None:
            await sandbox().write_file(SUBMISSION, answer)
        steps.after(item)
        if item in steps.sleeps:
            await sandbox().exec(["sleep", str(steps.sleeps[item])])
        return state

    return solve


class Chosen:
    """The planted suite, with items that do not qualify where a test says so."""

    name, title, version, domain = SUITE.name, SUITE.title, SUITE.version, SUITE.domain
    construct, isolation = SUITE.construct, SUITE.isolation
    licence, citation = SUITE.licence, SUITE.citation

    def __init__(self, unqualified: Mapping[str, str] | None = None) -> None:
        self.unqualified = unqualified or {}

    def items(self, seed: bytes) -> Sequence[Item]:
        """As the planted suite."""
        return SUITE.items(seed)

    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:
        """As the planted suite, but for the items named."""
        if item.id in self.unqualified:
            checks = {"reference_solves": False, "builds_agree": True}
            reason = self.unqualified[item.id]
            return Qualification(item.id, item.digest, ok=False, checks=checks, reason=reason)
        return SUITE.prepare(item, seed, folder)

    def sample(self, item: Item, folder: Path, tier: Tier) -> Sample:
        """As the planted suite."""
        return SUITE.sample(item, folder, tier)

    def scorer(self) -> Scorer:
        """As the planted suite."""
        return SUITE.scorer()


@dataclass(frozen=True, slots=True)
class Bench:
    """Prepared items, shared by the session, and the folder of one test's logs."""

    items: tuple[str, ...]
    folders: Path
    logs: Path

    def job(self, *, token: int = 1, items: Sequence[str] = (), suite: Suite = SUITE) -> ShardJob:
        """A shard over some of the prepared items."""
        ids = tuple(items) or self.items
        return ShardJob("shard-1", token, suite, ids, SEED, 1, self.folders, self.logs)
