"""A run of mock samples in worker processes of its own: for `bench/shards.py` and the tests of scale.

A worker is this module's `main`, given folder, job and name.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bench._mock_samples import (
    Setting,
    by_id,
    family_of,
    idle,
    ids,
    mock_agent,
    mock_model,
    mock_sample,
)
from inspect_ai.dataset import Sample
from inspect_ai.model import Model
from inspect_ai.scorer import Scorer
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
from leadline.store.purse import open_purse
from leadline.store.shards import ShardTable, open_executor
from leadline.suites.item import Item, Oracle, Qualification, Run
from leadline.wiring.working import WorkerParts

if TYPE_CHECKING:
    from inspect_ai.agent import Agent

ROOT = Path(__file__).parents[1]
WORKER = """
import sys
sys.path.insert(0, sys.argv[1])
from bench._mock_run import main
sys.exit(main(sys.argv[2:]))
"""
JOB = "mock"
RESULT = TypeAdapter(ShardResult)


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
                *(name, "mock", family_of(name), "CWE-0", "Mock"),
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
        return mock_sample(item.id, item.family, tier.value, agentic=self.setting.agentic)

    def scorer(self) -> Scorer:
        """The judge."""
        return by_id()


@dataclass(frozen=True)
class MockSubject(Runnable):
    """A subject whose model is in the process, and whose commands take *command_seconds*."""

    command_seconds: float = 0.0

    @override
    def open(self) -> Model | None:
        return mock_model(self.command_seconds) if self.model else None


def subject(setting: Setting) -> Runnable:
    """Who is measured."""
    budget = Budget(tokens=setting.limit_tokens)
    named = Subject("model" if setting.agentic else "tool-agent", "mock", "0" * 64)
    if setting.agentic:
        return MockSubject(
            *(named, "mockllm/model", lambda _: mock_agent(), budget, setting.parallel),
            retries=0,
            command_seconds=setting.command_seconds,
        )
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
        return [sys.executable, "-c", WORKER, str(ROOT), str(self.folder), job, name]

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
