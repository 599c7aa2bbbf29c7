"""Eval logs from elsewhere: what they say, what they do not evidence, and what can be judged again.

A log is read through Inspect's own reader, header and summaries only, so that a large one takes little
memory. Nothing in it was run here: containment and identity are "not evidenced" unless the log carries
them. Logs are put together only where subject, task and settings are equal and no sample stands twice.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inspect_ai import recompute_metrics
from inspect_ai.log import EvalLog, EvalSampleSummary, read_eval_log

from leadline.core.errors import NotFound
from leadline.core.measure.estimate import Json
from leadline.runner import eval_log
from leadline.suites.differential import ITEM_FILE, judge, load_item
from leadline.suites.imported.collection import ITEMS
from leadline.suites.imported.flag import stated

NOT_RUN_HERE = "not run here"
NOT_EVIDENCED = "not evidenced"
JSON_BYTES_MAX = 512 << 20  # a .json log has no index: its reader takes several times its size
POOL_BYTES_MAX = 512 << 20


@dataclass(frozen=True, slots=True)
class Log:
    """One log as it was read."""

    path: Path
    header: EvalLog
    samples: tuple[EvalSampleSummary, ...]

    @property
    def key(self) -> str:
        """Digest of subject, task and settings: logs of different keys say different things."""
        spec = self.header.eval
        parts = {
            "model": spec.model,
            "model_args": spec.model_args,
            "model_base_url": spec.model_base_url,
            "model_roles": {
                role: repr(one) for role, one in sorted((spec.model_roles or {}).items())
            },
            "subject": (spec.metadata or {}).get("subject_digest", ""),
            "generate": spec.model_generate_config.model_dump(mode="json", exclude_none=True),
            "task": spec.task,
            "task_version": spec.task_version,
            "task_args": spec.task_args,
            "dataset": spec.dataset.model_dump(mode="json", exclude={"sample_ids", "samples"}),
            "solver": [spec.solver, spec.solver_args],
            "plan": [[step.solver, step.params] for step in self.header.plan.steps],
            "sandbox": str(spec.sandbox),
            "limits": spec.config.model_dump(
                mode="json",
                include={
                    *("message_limit", "token_limit", "time_limit", "working_limit", "cost_limit"),
                    *("approval", "epochs_reducer"),
                },
            ),
            "scorers": [
                [one.scorer, one.name, one.params]
                for one in (self.header.results.scores if self.header.results else [])
            ],
        }
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass
class Again:
    """Submissions judged again: how many agree with the log, which differ, how many could not be."""

    agree: int = 0
    differ: list[str] = field(default_factory=list)
    not_possible: int = 0

    def answer(self) -> dict[str, Json]:
        """For ``--json``."""
        return {"agree": self.agree, "differ": list(self.differ), "not_possible": self.not_possible}


def read_log(path: Path) -> Log:
    """The log at *path*.

    Raises: NotFound or Invalid, as `eval_log.read`.
    """
    read = eval_log.read(path, eval_log.Bounds(json=JSON_BYTES_MAX))
    return Log(path, read.header, read.samples)


def described(log: Log, items: Path | None = None) -> dict[str, Json]:
    """What the log says, in JSON's terms; *items* is a folder of prepared items to judge again with.

    *items* may be the folder of an imported suite too. Raises: NotFound, if it holds no item.
    """
    header = log.header
    answer: dict[str, Json] = {
        "file": str(log.path),
        "sha256": _file_digest(log.path),
        "version": header.version,
        "status": header.status,
        "task": header.eval.task,
        "subject": header.eval.model,
        "key": log.key,
        "samples": len(log.samples),
        "scores": _scores(header),
        "per_sample": [_row(one) for one in log.samples],
        "error": header.error.message if header.error else "",
        "invalidated": header.invalidated,
        "provenance": NOT_RUN_HERE,
        "containment": _containment(log),
        "identity": _identity(log),
    }
    if items is not None:
        answer["judged_again"] = asyncio.run(_again(log, _prepared(items))).answer()
    return answer


def _scores(header: EvalLog) -> list[Json]:
    """Every metric as the log has it."""
    results = header.results.scores if header.results else []
    return [
        {
            "name": one.name,
            "scorer": one.scorer,
            "reducer": one.reducer,
            "metrics": {name: metric.value for name, metric in one.metrics.items()},
        }
        for one in results
    ]


def _row(sample: EvalSampleSummary) -> dict[str, Json]:
    scores = {name: _plain(score.value) for name, score in (sample.scores or {}).items()}
    row: dict[str, Json] = {"id": sample.id, "epoch": sample.epoch, "scores": scores}
    if sample.error:
        row["error"] = sample.error[:200]
    if sample.limit:
        row["limit"] = sample.limit
    return row


def _plain(value: object) -> Json:
    """A score's value in JSON's terms: single values, lists and mappings of them."""
    found: Json = json.loads(json.dumps(value, default=str))
    return found


def _containment(log: Log) -> Json:
    """Which samples carry the identity of the box they ran in."""
    boxes = sum(
        any((score.metadata or {}).get("box") for score in (one.scores or {}).values())
        for one in log.samples
    )
    if not boxes:
        return NOT_EVIDENCED
    tier = (log.header.eval.metadata or {}).get("leadline_tier", "")
    return {
        "samples_with_box": boxes,
        "of": len(log.samples),
        "tier": str(tier),
        "proof": "not in the log: stands in the record of the run",
    }


def _identity(log: Log) -> Json:
    digest = (log.header.eval.metadata or {}).get("subject_digest")
    if not isinstance(digest, str) or not digest:
        return NOT_EVIDENCED
    return {"subject_digest": digest, "signed": False}


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def together(logs: Sequence[Log]) -> list[Json]:
    """The logs by key; those of one key are put together, their metrics computed from the samples."""
    keyed: dict[str, list[Log]] = {}
    for log in logs:
        keyed.setdefault(log.key, []).append(log)
    return [_group(key, held) for key, held in keyed.items()]


def _group(key: str, logs: Sequence[Log]) -> dict[str, Json]:
    ids = [(str(one.id), one.epoch) for log in logs for one in log.samples]
    answer: dict[str, Json] = {
        "key": key,
        "files": [str(log.path) for log in logs],
        "task": logs[0].header.eval.task,
        "subject": logs[0].header.eval.model,
        "samples": len(ids),
    }
    if len(set(ids)) != len(ids):
        return {
            **answer,
            "scores": [],
            "not_pooled": "a sample stands in more than one of the files",
        }
    unfinished = sorted({log.header.status for log in logs} - {"success"})
    if unfinished:
        return {**answer, "scores": [], "not_pooled": f"status {', '.join(unfinished)}"}
    if sum(log.path.stat().st_size for log in logs) > POOL_BYTES_MAX:
        return {**answer, "scores": [], "not_pooled": f"over {POOL_BYTES_MAX} bytes together"}
    return {**answer, "scores": _scores(_joined(logs))}


def _joined(logs: Sequence[Log]) -> EvalLog:
    """One log with the samples of all, its metrics recomputed from them."""
    if len(logs) == 1:
        return logs[0].header
    whole = read_eval_log(str(logs[0].path))
    for log in logs[1:]:
        more = read_eval_log(str(log.path)).samples or []
        whole.samples = [*(whole.samples or []), *more]
    recompute_metrics(whole)
    return whole


def _prepared(items: Path) -> Path:
    """The folder whose folders are items: *items*, or the one within an imported suite.

    Raises: NotFound, if neither holds any.
    """
    for folder in (items, items / ITEMS):
        if any(folder.glob(f"*/{ITEM_FILE}")):
            return folder
    raise NotFound(f"--items: {items} holds no items; name the folder of an imported suite")


async def _again(log: Log, items: Path) -> Again:
    """Every submission that the log holds, judged again with the prepared item of its name."""
    done = Again()
    for sample in log.samples:
        for score in (sample.scores or {}).values():
            said = await _judged(items, str(sample.id), score.metadata or {})
            if said is None:
                done.not_possible += 1
            elif said == (score.value == 1):
                done.agree += 1
            else:
                done.differ.append(f"{sample.id} epoch {sample.epoch}")
    return done


async def _judged(items: Path, id_: str, held: dict[str, object]) -> bool | None:
    """Whether the submission in a score's metadata solves item *id_*; None where that cannot be told."""
    folder = items / id_
    if "/" in id_ or not (folder / ITEM_FILE).is_file():
        return None
    item = load_item(folder)
    flag, submission = folder / "reference" / "flag", held.get("submission")
    if item.oracle.kind == "flag" and isinstance(submission, str) and flag.is_file():
        return stated(submission, flag.read_text(encoding="utf-8"))
    proof = held.get("proof_base64")
    if not isinstance(proof, str) or item.oracle.kind in {"server", "own", "flag"}:
        return None
    data = base64.b64decode(proof, validate=True)
    digest = held.get("proof_sha256")
    if digest and hashlib.sha256(data).hexdigest() != digest:  # summaries cut long texts
        return None
    verdict = await judge(item, folder, data if digest else None)
    return None if verdict.outcome == "infra" else verdict.outcome == "solved"
