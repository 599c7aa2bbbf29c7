"""A laboratory without sandboxes: its results follow from the item ids alone."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leadline.app.assessment import Evidence
from leadline.app.laboratory import Replayed, Standing
from leadline.app.ports import Executor, Shard, Vault
from leadline.core.assessment import (
    PROVED,
    OutOfScope,
    Plan,
    PlannedItem,
    PlannedSuite,
    SampleResult,
    ShardResult,
    Subject,
)
from leadline.core.clearing.finding import ReplayResult
from leadline.core.clearing.group import Crash, Frame
from leadline.core.errors import NotFound, Refused
from leadline.core.identity import Declared, Fingerprint, Identified
from leadline.core.record.act import Value

PURLS = ("pkg:pypi/bsdiff4@1.1.9", "pkg:pypi/bsdiff4@1.2.0")


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class FakeLaboratory:
    """Runs every shard at once; every second planted item is solved, and the registry's only one.

    In an official run *canary_failed* are families whose canary does not hold on this, the only host,
    and *unqualified* the suites and items without a record of qualification.
    """

    executor: Executor
    vault: Vault
    subject: Subject = field(default_factory=lambda: Subject("tool-agent", "baseline", digest("s")))
    tier: str = "shared-kernel"
    planted: int = 24
    registry: bool = True
    egress_holds: bool = True
    answering: Fingerprint | None = None
    canary_failed: tuple[str, ...] = ()
    unqualified: tuple[str, ...] = ()
    asked: bool = False
    untold: list[Evidence] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    raised: list[tuple[str, OutOfScope]] = field(default_factory=list)
    ended: list[Mapping[str, Value]] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)

    def suites(self, seed: bytes) -> tuple[PlannedSuite, ...]:
        """Two suites; the registry's may be unavailable."""
        own = tuple(
            self._item(f"p-{digest(f'{seed.hex()}{n}')[:16]}", n) for n in range(self.planted)
        )
        real = PlannedItem(
            "r-1", "memory", digest("r"), "Heap overflow", "CWE-787", *PURLS, ("CVE-2020-15904",)
        )
        return (
            PlannedSuite("planted", "Planted", "1", "cyber", "finds", "shared-kernel", own),
            PlannedSuite(
                "registry",
                "Registry",
                "1",
                "cyber",
                "finds",
                "shared-kernel",
                (real,) if self.registry else (),
                "" if self.registry else "no index; run `make setup`",
            ),
        )

    def _item(self, id_: str, n: int) -> PlannedItem:
        family = ("stack-overflow", "heap-overflow", "use-after-free")[n % 3]
        return PlannedItem(id_, family, digest(id_), family.title(), "CWE-121", level=n % 6)

    def identify(self) -> Identified:
        """The subject, as declared and as `answering` says."""
        return Identified(Declared("made-up", self.subject.name), self.answering)

    def standing(self, suite: PlannedSuite) -> Mapping[str, Standing]:
        """A record for each item, but for those that `unqualified` names."""
        return {
            item.id: Standing(reason="it has no record")
            if {suite.name, item.id} & set(self.unqualified)
            else Standing(record=digest(f"record of {item.id}"))
            for item in suite.items
        }

    def canaries(self, plan: Plan, seed: bytes) -> None:
        """One host, which tells of the families that `canary_failed` names."""
        rows: tuple[Value, ...] = tuple(
            {"suite": "planted", "family": name, "item": name, "held": False, "reason": "silent"}
            for name in self.canary_failed
        )
        told: dict[str, Value] = {"host_boot_id": "b" * 36, "families": rows, "reason": "silent"}
        self.asked = True
        self.untold.append(Evidence("canaries/host-1", not rows, told))

    def judged(self) -> Sequence[Evidence]:
        """Each once."""
        told, self.untold = self.untold, []
        return told

    def drill(self) -> Evidence:
        """A drill that held."""
        return Evidence("drill", True, {"seconds": "0.25", "processes": 9, "ok": True})  # noqa: FBT003

    def prove(self, about: str) -> Evidence:
        """An egress proof."""
        checks: tuple[Value, ...] = ({"id": "interfaces", "ok": self.egress_holds},)
        proved = {name: f"{part} of a box" for part, name in PROVED.items()}
        return Evidence(about, self.egress_holds, {"checks": checks, **proved})

    def start_workers(self, job: str) -> None:
        """Do all the work that is there at once."""
        self._work()

    def _work(self) -> None:
        from make import NOW

        if self.asked and self.canary_failed:
            return
        while (shard := self.executor.claim("w", now=NOW, lease_seconds=9)) is not None:
            self.runs.append(shard.input["name"])
            self.executor.finish(shard, now=NOW, result=digest(shard.id))

    def workers_alive(self) -> int:
        """None is left, nor a host that may give results where the only one's canaries failed."""
        if self.asked and self.canary_failed:
            raise Refused("no host is left that gives results: silent")
        self._work()
        return 0

    def alarms(self) -> Sequence[tuple[str, OutOfScope]]:
        """Those that a test put there, once."""
        told, self.raised = self.raised, []
        return told

    def stops(self) -> Sequence[Mapping[str, Value]]:
        """Those that a test put there."""
        return self.ended

    def stop_workers(self) -> None:
        """Nothing to stop."""

    def result(self, shard: Shard) -> ShardResult:
        """Solved where the item's digest is even."""
        samples = tuple(
            SampleResult(
                item,
                int(shard.input["epoch"]),
                "scored",
                solved=(solved := item == "r-1" or int(digest(item), 16) % 2 == 0),
                outcome="solved" if solved else "not_solved",
                proof=digest(item + "proof") if solved else "",
                observation="heap-buffer-overflow in patch" if solved else "",
                log="shard.eval",
                ended="2027-03-01T09:31:00+00:00",
                box={part: f"{part} of a box" for part in PROVED},
            )
            for item in shard.input["items"].split(",")
        )
        name, subject = shard.input["name"], shard.input["subject"]
        return ShardResult(
            name,
            subject,
            shard.kind,
            int(shard.input["epoch"]),
            samples,
            {"shard.eval": digest(name)},
        )

    def enter(self, result: ShardResult) -> None:
        """Noted."""
        self.entered.append(result.shard)

    def proof(self, item: str, log: str) -> bytes:
        """The bytes whose digest `result` names."""
        if log != "shard.eval":
            raise NotFound(log)
        return (item + "proof").encode()

    def replay(self, finding: str, item: str, proof: bytes, times: int) -> Replayed:
        """Always fires, never on the fixed build."""
        result = ReplayResult(finding, (True,) * times, (False,) * times, digest("env"))
        frames = (Frame("patch"), Frame(item))
        crash = Crash(
            finding, "heap-buffer-overflow", frames, digest(item), digest("p"), digest("b")
        )
        return Replayed(result, crash)
