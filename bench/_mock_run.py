"""A run of mock samples in worker processes of its own: for `bench/shards.py` and the tests of scale.

    python bench/_mock_run.py FOLDER JOB NAME

Samples cost what a framework costs and nothing else: no build, no flaw. What each comes to follows from
its id and repeat alone, so that two runs can be compared byte by byte.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from inspect_ai.agent import Agent, react
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, Model, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import bash
from inspect_ai.util import SandboxEnvironmentSpec
from pydantic import TypeAdapter
from typing_extensions import override

from leadline import settings, worker
from leadline.app.ports import Shard
from leadline.core.assessment import Budget, ShardResult, Subject
from leadline.core.isolation import Tier
from leadline.core.measure.budget import Amount
from leadline.runner.capped import Capped
from leadline.runner.provenance import code_version
from leadline.runner.shard import ShardJob, run_shard
from leadline.runner.subject import Runnable
from leadline.sandbox.config import BoxConfig
from leadline.store.purse import open_purse
from leadline.store.shards import ShardTable, open_executor
from leadline.suites.item import Item, Oracle, Qualification, Run
from leadline.wiring.assess import WorkerParts

JOB = "mock"
TURNS = 4
RESULT = TypeAdapter(ShardResult)
TOKENS_A_CALL = 120


@dataclass(frozen=True, slots=True)
class Setting:
    """What a mock run is made of, kept beside it as ``setting.json``.

    *agentic* samples talk to a mock model and run commands in a box of their own; the others do nothing
    for *sleep_ms*. *faults* is the share of samples that our own side fails, in a hundred. *cap_tokens*
    is the cap on the whole run, *limit_tokens* that of one attempt.
    """

    items: int
    epochs: int = 1
    shard_items: int = 100
    agentic: bool = False
    sleep_ms: int = 0
    faults: int = 0
    parallel: int = 10
    cap_tokens: int = 0
    limit_tokens: int = 0
    lease_seconds: int = 30


def ids(count: int) -> list[str]:
    """The ids of the items, in order."""
    return [f"t-{number:06d}" for number in range(count)]


def drawn(item: str, use: str, below: int) -> int:
    """A number below *below* that follows from item and use."""
    return int.from_bytes(hashlib.sha256(f"{item}/{use}".encode()).digest()[:4], "big") % below


@solver
def idle(setting: Setting) -> Solver:
    """A subject that does nothing, and now and then meets a failure of our own side."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        if drawn(str(state.sample_id), "fault", 100) < setting.faults:
            raise ConnectionError("injected: our own side failed")
        if setting.sleep_ms:
            time.sleep(setting.sleep_ms / 1000)  # noqa: ASYNC251 -- work that keeps the process busy
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def by_id() -> Scorer:
    """Solved by one item in three, whatever the subject did."""

    async def score(state: TaskState, target: Target) -> Score:
        del target
        item = str(state.sample_id)
        solved = drawn(item, "solved", 3) == 0
        outcome = "solved" if solved else "not_solved"
        told = {"item": item, "family": str(state.metadata["family"]), "outcome": outcome}
        return Score(value=int(solved), answer=outcome, metadata=told | {"reason": "", "box": {}})

    return score


class Mock:
    """The suite of mock items."""

    name, title, version, domain = "mock", "Mock", "1", "cyber"
    construct, isolation, licence, citation = "nothing", "shared-kernel", "Apache-2.0", "none"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def items(self, seed: bytes) -> Sequence[Item]:
        """As many as the setting says."""
        del seed
        run, oracle = Run(("true",)), Oracle("canary")
        return [
            Item(
                *(name, "mock", f"family-{drawn(name, 'family', 5)}", "CWE-0", "Mock"),
                digest=hashlib.sha256(name.encode()).hexdigest(),
                oracle=oracle,
                run=run,
                input_bytes_max=0,
            )
            for name in ids(self.setting.items)
        ]

    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:
        """Nothing is built."""
        del seed
        (folder / "subject").mkdir(parents=True, exist_ok=True)
        return Qualification(item.id, item.digest, ok=True, checks={})

    def sample(self, item: Item, folder: Path, tier: Tier) -> Sample:
        """A sample, in a box where the run is agentic."""
        del folder
        box = SandboxEnvironmentSpec("bwrap", BoxConfig(tier=tier.value))
        return Sample(
            id=item.id,
            input="Look around.",
            metadata={"family": item.family},
            sandbox=box if self.setting.agentic else None,
        )

    def scorer(self) -> Scorer:
        """The judge."""
        return by_id()


def answer(messages: list[ChatMessage], *_: object) -> ModelOutput:
    """The mock model's next step: a few commands, then an answer; with usage, or Inspect would count."""
    done = sum(message.role == "assistant" for message in messages)
    tool, arguments = (
        ("submit", {"answer": "done"})
        if done == TURNS
        else ("bash", {"command": f"echo {done} > file{done}; ls -la; cat file{done}"})
    )
    output = ModelOutput.for_tool_call("mockllm/model", tool, arguments)
    output.usage = ModelUsage(
        input_tokens=TOKENS_A_CALL - 20, output_tokens=20, total_tokens=TOKENS_A_CALL
    )
    return output


class MockSubject(Runnable):
    """A subject whose model is in the process."""

    @override
    def open(self) -> Model | None:
        return get_model("mockllm/model", custom_outputs=answer) if self.model else None


def subject(setting: Setting) -> Runnable:
    """Who is measured."""
    budget = Budget(tokens=setting.limit_tokens)
    named = Subject("model" if setting.agentic else "tool-agent", "mock", "0" * 64)
    if setting.agentic:
        agent: Callable[[int], Agent] = lambda _: react(tools=[bash(timeout=30)])  # noqa: E731
        return MockSubject(named, "mockllm/model", agent, budget, setting.parallel, retries=0)
    # a task takes a solver wherever it takes an agent; only a solver is told which item it is
    made = idle(setting)
    return MockSubject(
        named, None, lambda _: cast("Agent", made), budget, setting.parallel, retries=0
    )


@dataclass(frozen=True, slots=True)
class Yard:
    """The folder of a mock run: shard table, logs, results by their digest."""

    folder: Path

    @property
    def logs(self) -> Path:
        """Eval logs."""
        return self.folder / "logs"

    @property
    def url(self) -> str:
        """The shard table's database."""
        return f"sqlite:///{self.folder / 'shards.db'}"

    def setting(self) -> Setting:
        """What the run is made of."""
        return Setting(**json.loads((self.folder / "setting.json").read_text()))

    def begin(self, setting: Setting) -> ShardTable:
        """Write the setting down and submit every shard; a second time changes nothing."""
        for name in ("logs", "items", "results"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "setting.json").write_text(json.dumps(asdict(setting)))
        table, all_ids = open_executor(self.url), ids(setting.items)
        for epoch in range(1, setting.epochs + 1):
            for start in range(0, setting.items, setting.shard_items):
                part = all_ids[start : start + setting.shard_items]
                more = {"name": f"mock-{epoch}-{start:06d}", "subject": "mock"}
                more |= {"items": ",".join(part), "epoch": str(epoch)}
                table.submit(JOB, "mock", more, total=len(part))
        return table

    def put(self, result: ShardResult) -> str:
        """Keep a result under its digest."""
        content = RESULT.dump_json(result)
        digest = hashlib.sha256(content).hexdigest()
        new = self.folder / "results" / f".{digest}.new"
        new.write_bytes(content)
        new.replace(self.folder / "results" / digest)
        return digest

    def results(self, table: ShardTable) -> list[ShardResult]:
        """What the ended shards produced, in the order of the shards."""
        digests = [shard.result for shard in table.shards(JOB) if shard.state == "done"]
        return [
            RESULT.validate_json((self.folder / "results" / one).read_bytes()) for one in digests
        ]

    def command(self, job: str, name: str) -> list[str]:
        """A worker process."""
        return [sys.executable, str(Path(__file__).absolute()), str(self.folder), job, name]

    def parts(self) -> WorkerParts:
        """What a worker of this run works with."""
        setting = self.setting()
        suite, runnable = Mock(setting), subject(setting)
        purse, cap = open_purse(self.url), Amount(setting.cap_tokens)
        if cap:
            purse.cap(JOB, cap)

        def run(shard: Shard, report: Callable[[int, str], None]) -> str:
            job = ShardJob(
                shard=shard.input["name"],
                token=shard.token,
                suite=suite,
                items=tuple(shard.input["items"].split(",")),
                seed=bytes(32),
                epoch=int(shard.input["epoch"]),
                folders=self.folder / "items",
                logs=self.logs,
                plan="mock",
            )
            if cap:
                job = replace(job, capped=Capped(purse, shard, Amount(setting.limit_tokens)))
            return self.put(run_shard(job, runnable, report))

        own = settings.Settings(self.folder, 1, setting.lease_seconds)
        return WorkerParts(open_executor(self.url), own, code_version(), run)


def main(argv: list[str]) -> int:
    """A worker."""
    folder, job, name = argv
    worker.settle_in()
    return worker.work(Yard(Path(folder)).parts(), job, name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
