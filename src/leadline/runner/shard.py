"""Runs one shard: builds its items, measures the subject on them in one eval, reads the log.

A shard is a pure function of suite, seed, item ids, subject and budget. It may run twice; samples that
an earlier attempt finished are read from that attempt's log and not run again.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.hooks import Hooks, SampleEnd, SampleStart, hooks
from typing_extensions import override

from leadline.core.assessment import SampleResult, ShardResult
from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.runner import provenance, results, scope
from leadline.runner.capped import USED_UP, Capped
from leadline.runner.subject import Runnable
from leadline.sandbox.config import Bind, BoxConfig
from leadline.sandbox.egress import sockets_under
from leadline.suites.item import TASK, Item, Qualification, Suite

Report = Callable[[int, str], None]
# Each flush writes the whole log anew: a kill loses one sample, or a hundredth of a long shard
BUFFERS = 100


@dataclass(frozen=True, slots=True)
class ShardJob:
    """What to run. *token* is the fencing token of this attempt; it names the attempt's log."""

    shard: str
    token: int
    suite: Suite
    items: tuple[str, ...]
    seed: bytes
    epoch: (
        int  # which repeat of the items this shard is; the whole order runs once before any repeat
    )
    folders: Path  # prepared items, one folder each
    logs: Path
    tier: Tier = Tier.SHARED_KERNEL
    rung: str = ""
    plan: str = ""  # the plan's commitment
    capped: Capped | None = None  # the run's budget, where it has one
    alarm: scope.Alarm = scope.no_alarm  # what follows an act out of scope that is an alarm


class _Progress:
    """What the running eval tells of itself; one shard runs at a time in a process."""

    report: Report | None = None
    done: int = 0
    ended: ClassVar[dict[str, SampleResult]] = {}  # by item, of the running eval

    @classmethod
    def say(cls, note: str, *, finished: int = 0) -> None:
        cls.done += finished
        if cls.report is not None:
            cls.report(cls.done, note)


@hooks(name="leadline_progress", description="Tells the shard table what runs and what is done")
class ShardHooks(Hooks):
    """Sample starts and ends become progress of the shard."""

    @override
    async def on_sample_start(self, data: SampleStart) -> None:
        _Progress.say(f"running {data.summary.id}")

    @override
    async def on_sample_end(self, data: SampleEnd) -> None:
        # what it came to is told here, so that no log has to be read back
        result = results.sample_result(data.sample, "", 0)
        _Progress.ended[result.item] = result
        _Progress.say(f"finished {result.item}", finished=1)


def run_shard(job: ShardJob, runnable: Runnable, report: Report) -> ShardResult:
    """Run what no earlier attempt finished, and answer the results of the whole shard.

    Raises: whatever *report* raises to stop; Unavailable, if the suite cannot run here.
    """
    known = {item.id: item for item in job.suite.items(job.seed)}
    gone = [id_ for id_ in job.items if id_ not in known]
    if gone:
        raise Unavailable(
            f"suite {job.suite.name} has no item {', '.join(gone)} any more: it changed since the "
            "plan was made; put it back as it was, or begin a new assessment"
        )
    earlier = {one.item: one for one in results.finished(job.logs, job.shard, job.epoch)}
    wanted = [known[id_] for id_ in job.items if id_ not in earlier]
    _Progress.report, _Progress.done = report, len(earlier)
    _Progress.say("preparing")
    if job.capped is not None and job.capped.used_up:
        job.capped.refused.update(item.id for item in wanted)
        return _collect(job, runnable, earlier, {})
    folders, unqualified = _prepare(job, wanted)
    todo = [item for item in wanted if item.id in folders]
    fresh: dict[str, SampleResult] = {}
    if todo:
        attempt = f"{job.shard}-{job.token}"
        with (
            job.capped.watching() if job.capped else nullcontext(),
            scope.watching(
                job.logs, attempt, job.seed, scope.of_suite(job.suite, known), job.alarm
            ),
        ):
            fresh = _evaluate(job, runnable, todo, folders)
    return _collect(job, runnable, fresh | earlier, unqualified)


def _prepare(
    job: ShardJob, items: Sequence[Item]
) -> tuple[dict[str, Path], dict[str, Qualification]]:
    folders: dict[str, Path] = {}
    unqualified: dict[str, Qualification] = {}
    for item in items:
        _Progress.say(f"building {item.id}")
        folder = job.folders / item.id
        checked = job.suite.prepare(item, job.seed, folder)
        # What a subject is shown was no part of the egress proof: no way out may lie in it.
        shown = BoxConfig(binds=(Bind(source=str(folder / "subject"), target=TASK),))
        ways_out = sockets_under(shown) if checked.ok else []
        if ways_out:
            checked = replace(checked, ok=False, reason=f"a socket in what is shown: {ways_out[0]}")
        if checked.ok:
            folders[item.id] = folder
        else:
            unqualified[item.id] = checked
    return folders, unqualified


def _evaluate(
    job: ShardJob, runnable: Runnable, items: Sequence[Item], folders: Mapping[str, Path]
) -> dict[str, SampleResult]:
    """Run *items*; answers what each came to, by item, without reading the log back."""
    task = Task(
        dataset=[job.suite.sample(item, folders[item.id], job.tier) for item in items],
        solver=runnable.agent(job.epoch),
        scorer=job.suite.scorer(),
        name=job.suite.name,
        version=job.suite.version,
        early_stopping=job.capped,
        setup=scope.plant(),
        cleanup=scope.end,
    )
    budget = runnable.budget
    _Progress.ended.clear()
    logs = run_eval(
        task,
        model=runnable.open(),
        log_dir=str(job.logs),
        log_format="eval",
        log_buffer=max(1, len(items) // BUFFERS),
        log_realtime=False,
        display="none",
        max_samples=runnable.parallel,
        fail_on_error=False,
        retry_on_error=runnable.retries,
        token_limit=budget.tokens or None,
        # time that the subject works: waiting for an endpoint that is away is not the subject's
        working_limit=budget.seconds or None,
        timeout=runnable.patience_seconds,
        attempt_timeout=runnable.patience_seconds,
        cost_limit=budget.cost_micro_usd / 1e6 if budget.cost_micro_usd else None,
        metadata={
            results.SHARD: job.shard,
            results.TOKEN: job.token,
            "subject_digest": runnable.subject.digest,
            **_provenance(job, runnable, items),
        },
        tags=["leadline"],
    )
    if not logs or logs[0].status == "cancelled":  # interrupted before or after the first sample
        raise KeyboardInterrupt
    log = logs[0]
    if log.error is not None:
        raise Unavailable(f"the eval of shard {job.shard} ended early: {log.error.message}")
    name = Path(log.location).name
    return {item: replace(one, log=name, epoch=job.epoch) for item, one in _Progress.ended.items()}


def _provenance(
    job: ShardJob, runnable: Runnable, items: Sequence[Item]
) -> dict[str, str | int | dict[str, str]]:
    """What a merge needs to know of this log; see `leadline.runner.provenance`."""
    return {
        provenance.PLAN: job.plan,
        provenance.CODE: provenance.code_version(),
        provenance.SUITE: f"{job.suite.name} {job.suite.version}",
        provenance.SUBJECT: runnable.subject.name,
        provenance.RUNG: job.rung,
        provenance.TIER: job.tier.value,
        provenance.EPOCH: job.epoch,
        provenance.ITEMS: {item.id: item.digest for item in items},
    }


def _collect(
    job: ShardJob,
    runnable: Runnable,
    found: Mapping[str, SampleResult],
    unqualified: Mapping[str, Qualification],
) -> ShardResult:
    left_out = job.capped.refused if job.capped else set()
    samples = [
        found.get(id_)
        or (
            _unaffordable(id_, job.epoch)
            if id_ in left_out
            else _absent(id_, job.epoch, unqualified.get(id_))
        )
        for id_ in job.items
    ]
    digest = runnable.subject.digest
    named = tuple(
        replace(one, subject=one.subject or digest, rung=one.rung or job.rung) for one in samples
    )
    logs = {path.name: results.digest(path) for _, path in results.attempts(job.logs, job.shard)}
    logs |= scope.files_of(job.logs, job.shard)
    seen = scope.joined(job.logs, job.shard, named)
    return ShardResult(job.shard, runnable.subject.name, job.suite.name, job.epoch, seen, logs)


def _unaffordable(item: str, epoch: int) -> SampleResult:
    return SampleResult(item, epoch, "missing", solved=False, outcome="budget", reason=USED_UP)


def _absent(item: str, epoch: int, checked: Qualification | None) -> SampleResult:
    if checked is None:
        return SampleResult(item, epoch, "missing", solved=False, outcome="missing")
    reason = checked.reason or ", ".join(name for name, ok in checked.checks.items() if not ok)
    return SampleResult(
        item, epoch, "infra", solved=False, outcome="unqualified", reason=f"unqualified: {reason}"
    )
