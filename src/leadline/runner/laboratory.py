"""The evaluation side of one host: suites, isolation, worker processes, replay."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from inspect_ai.log import read_eval_log_sample
from pydantic import TypeAdapter

from leadline.app.assessment import Evidence
from leadline.app.laboratory import Replayed, Standing
from leadline.app.ports import Executor, Shard, Vault, Workers
from leadline.core.assessment import (
    OutOfScope,
    Plan,
    PlannedItem,
    PlannedSuite,
    ShardResult,
    Subject,
)
from leadline.core.clearing.finding import ReplayResult
from leadline.core.clearing.group import Crash, Frame
from leadline.core.errors import Refused, Tampered, Unavailable
from leadline.core.identity import Declared, Identified
from leadline.core.isolation import Tier, parse_tier
from leadline.core.record.act import Value
from leadline.formats.qualification import environment_digest
from leadline.formats.values import plain
from leadline.runner import canaries, identified, scope
from leadline.runner.guard import Guard
from leadline.runner.index import NAME, Index
from leadline.runner.pool import MORE
from leadline.runner.qualified import Records
from leadline.runner.subject import Runnable
from leadline.sandbox import drill, egress
from leadline.sandbox.config import BoxConfig
from leadline.sandbox.ward import DEAD_MAN_SECONDS, stops
from leadline.suites.differential import judge, load_item
from leadline.suites.item import Item, Observation, Suite, Verdict

TIER = "shared-kernel"
REPLAYS_AT_ONCE = 2
RESULT = TypeAdapter(ShardResult)


@dataclass(frozen=True, slots=True)
class Places:
    """Where this laboratory keeps things."""

    out: Path
    items: Path
    logs: Path


@dataclass
class HostLaboratory:
    """One host's laboratory; see `leadline.app.laboratory.Laboratory`."""

    subject: Subject
    executor: Executor
    vault: Vault
    installed: Sequence[Suite]
    places: Places
    workers: Workers
    tier: str = TIER
    runnable: Runnable | None = None  # the subject, where it can be asked who it is
    dead_man: float = DEAD_MAN_SECONDS
    revoke: tuple[str, ...] = ()  # the command that has the model's key revoked when a run is ended
    guard: Guard | None = None
    told: dict[str, int] = field(default_factory=dict)  # how far each scope log was read for alarms
    records: Records | None = None  # those that an official run rests on
    hosts: set[str] = field(default_factory=set)  # whose canaries were told
    job: str = ""

    @property
    def _state(self) -> Path:
        return self.places.items.parent

    def suites(self, seed: bytes) -> tuple[PlannedSuite, ...]:
        """Every installed suite, as planned."""
        return tuple(planned(suite, seed, self.subject.kind, self.tier) for suite in self.installed)

    def drill(self) -> Evidence:
        """Fire the kill switch at a box that resists."""
        done = drill.drill(tier=self.tier)
        return Evidence("drill", done.ok, _record(asdict(done)))

    def prove(self, about: str) -> Evidence:
        """The egress proof of the configuration that samples use."""
        proof = asyncio.run(egress.prove(BoxConfig(tier=self.tier)))
        return Evidence(about, proof.ok, _record(proof.to_dict()))

    def standing(self, suite: PlannedSuite) -> Mapping[str, Standing]:
        """Whether an official run may rest on each item; without records it may on none."""
        if self.records is None:
            return {item.id: Standing(reason="no installation was named") for item in suite.items}
        return {item.id: self.records.standing(item) for item in suite.items}

    def canaries(self, plan: Plan, seed: bytes) -> None:
        """Ask every host of the run for canaries, and judge them on this one."""
        around = environment_digest(self.records.environment) if self.records else ""
        canaries.ask(self._state, canaries.wanted(plan, around))
        canaries.here(
            self._state,
            lambda what: canaries.judged(self.installed, seed, self.places.items, what),
        )

    def judged(self) -> Sequence[Evidence]:
        """What the canaries showed on hosts that had not told before."""
        new = [one for one in canaries.told(self._state) if one.about not in self.hosts]
        self.hosts.update(one.about for one in new)
        return new

    def identify(self) -> Identified:
        """What is declared of the subject, and who answers at its endpoint."""
        if self.runnable is None:
            return Identified(Declared("", self.subject.name, scaffold=self.subject.digest))
        return identified.identify(self.runnable)

    def start_workers(self, job: str) -> None:
        """Start what claims the job's shards, under a warden; it waits for further ones until stopped."""
        self.job = job
        (self._state / MORE).touch()
        self.guard = self._guarded()
        self.workers.start(job)

    def workers_alive(self) -> int:
        """How many run; a dead one's shards are queued again and another worker is started.

        Raises: Refused, once no host is left that may give results.
        """
        if self.guard is not None:
            self.guard.alive()
        count = self.workers.alive()
        if not count:
            self._require_hosts()
        return count

    def _require_hosts(self) -> None:
        """Raises: Refused, where work is left and a host's canaries keep its workers from it."""
        failed = [one.record["reason"] for one in canaries.told(self._state) if not one.ok]
        left = [one for one in self.executor.shards(self.job) if one.state in {"queued", "running"}]
        if failed and left:
            raise Refused(
                f"no host is left that gives results: {'; '.join(map(str, failed))}. Put the cause "
                "right, and `leadline assess --resume` goes on"
            )

    def alarms(self) -> Sequence[tuple[str, OutOfScope]]:
        """Acts out of scope that are alarms and were not told before, by item."""
        return tuple(scope.alarms(self.places.logs, self.told))

    def stops(self) -> Sequence[Mapping[str, Value]]:
        """Every order by which this run was ended, from its warden's journal."""
        return [_record(one) for one in stops(self._state)]

    def stop_workers(self) -> None:
        """End every worker; what one held is queued again."""
        if self.guard is not None:
            self.guard.rest()
        (self._state / MORE).unlink(missing_ok=True)
        self.workers.stop()
        if self.guard is not None:
            self.guard.stop()

    def _guarded(self) -> Guard:
        """This run's warden, started; what beats for the store waits for the right to write."""
        guard = Guard(
            self._state,
            lambda: self.executor.release("nobody"),
            dead_man=self.dead_man,
            revoke=self.revoke,
        )
        guard.start()
        return guard

    def result(self, shard: Shard) -> ShardResult:
        """The stored result of a finished shard."""
        return RESULT.validate_json(self.vault.get(shard.result))

    def enter(self, result: ShardResult) -> None:
        """Enter a sealed result in the run's index."""
        Index(self._state / NAME).add(result, self.places.logs)

    def proof(self, item: str, log: str) -> bytes:
        """The submission for *item*, from its eval log."""
        sample = read_eval_log_sample(str(self.places.logs / log), id=item)
        for score in (sample.scores or {}).values():
            encoded = (score.metadata or {}).get("proof_base64")
            if isinstance(encoded, str):
                return base64.b64decode(encoded, validate=True)
        raise Tampered(log, f"holds no submission for {item}")

    def replay(self, finding: str, item: str, proof: bytes, times: int) -> Replayed:
        """Both builds, *times* each, in fresh sandboxes."""
        folder = self.places.items / item
        prepared = load_item(folder)
        tier = parse_tier(self.tier)
        guard = self._guarded()
        try:
            verdicts = asyncio.run(_judged(prepared, folder, proof, tier, times))
            guard.alive()
        finally:
            guard.stop()
        ran = [verdict if verdict.outcome != "infra" else None for verdict in verdicts]
        result = ReplayResult(
            finding,
            tuple(verdict.vulnerable.fired if verdict else None for verdict in ran),
            tuple(verdict.fixed.fired if verdict else None for verdict in ran),
            prepared.digest,
        )
        return Replayed(result, _crash(finding, prepared, proof, verdicts))


async def _judged(
    item: Item, folder: Path, proof: bytes, tier: Tier, times: int
) -> Sequence[Verdict]:
    """The judge's verdicts on *proof*, *times* over, `REPLAYS_AT_ONCE` of them at a time."""
    places = asyncio.Semaphore(REPLAYS_AT_ONCE)

    async def once() -> Verdict:
        async with places:
            return await judge(item, folder, proof, tier)

    return await asyncio.gather(*(once() for _ in range(times)))


def planned(suite: Suite, seed: bytes, kind: str = "", tier: str = "") -> PlannedSuite:
    """A suite as a plan lists it; one that cannot run here, or not with such a subject, says why."""
    kinds: tuple[str, ...] = getattr(suite, "subjects", ())
    items, unavailable = available(suite, seed)
    if kind and kinds and kind not in kinds:
        items, unavailable = (), f"made for subjects of another kind: {', '.join(kinds)}"
    tiers: tuple[str, ...] = getattr(suite, "tiers", ())
    if tier and tiers and tier not in tiers:
        items, unavailable = (
            (),
            f"its boxes cannot be had in tier {tier}, in {', '.join(tiers)} only",
        )
    missing: Callable[[], Sequence[tuple[str, str]]] | None = getattr(suite, "missing", None)
    unproved: Callable[[Item], str] | None = getattr(suite, "unproved", None)
    apart = {item.id: unproved(item) for item in items} if unproved else {}
    lost = [*(missing() if missing else ()), *((id_, why) for id_, why in apart.items() if why)]
    items = [item for item in items if not apart.get(item.id)]
    if apart and not items:
        unavailable = f"no item of it can run here, the first {next(iter(apart.values()))}"
    return PlannedSuite(
        name=suite.name,
        title=suite.title,
        version=suite.version,
        domain=suite.domain,
        construct=suite.construct,
        isolation=suite.isolation,
        items=tuple(_planned_item(item) for item in items),
        unavailable=unavailable,
        missing=tuple(f"{name}: {reason}" for name, reason in lost),
        subjects=kinds,
    )


def _planned_item(item: Item) -> PlannedItem:
    return PlannedItem(
        item.id,
        item.family,
        item.digest,
        item.title,
        item.cwe,
        item.purl,
        item.fixed_purl,
        item.ids,
        item.features.get("level", -1),
        item.twin,
    )


def available(suite: Suite, seed: bytes) -> tuple[Sequence[Item], str]:
    """The items of a suite, or why there are none."""
    try:
        return suite.items(seed), ""
    except Unavailable as error:
        return (), str(error)


def _crash(finding: str, item: Item, proof: bytes, seen: Sequence[Verdict]) -> Crash:
    fired = (one.vulnerable for one in seen if one.vulnerable.fired)
    shown = next(fired, Observation(fired=False))
    text = hashlib.sha256("\n".join((shown.kind, *shown.frames)).encode()).hexdigest()
    return Crash(
        id=finding,
        kind=shown.kind,
        frames=tuple(Frame(name) for name in shown.frames),
        text=text,
        proof=hashlib.sha256(proof).hexdigest(),
        build=item.digest,
    )


def _record(document: object) -> Mapping[str, Value]:
    """Evidence as a record may hold it: the sandbox speaks JSON, records have no floats."""
    record = plain(json.loads(json.dumps(document)))
    assert isinstance(record, Mapping)  # noqa: S101 -- a document of ours is a mapping
    return record
