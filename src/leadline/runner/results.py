"""Reads our own eval logs back into sample results: the boundary where Inspect's words end."""

import hashlib
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from zstandard import ZstdError

from leadline.core.assessment import Milestone, SampleResult, SampleState
from leadline.runner.causes import MALFORMED_CALLS, cause

MALFORMED_RUN = 3  # unreadable calls in a row, at the end, that name the outcome
SHARD, TOKEN = "leadline_shard", "leadline_token"
SUCCESS = frozenset({"solved", "fixed", "held"})  # of an attack, of a repair, of a safeguard
# What Inspect's reader raises, by where the damage is: in the archive, in its compression, in JSON.
DAMAGE = (
    *(ValueError, LookupError, TypeError, OSError, EOFError, NotImplementedError),
    *(struct.error, ZstdError),
)


def attempts(logs: Path, shard: str) -> list[tuple[int, Path]]:
    """The logs of every attempt at *shard*, as (fencing token, path), oldest first.

    A log that a kill left unreadable is no evidence and is not listed.
    """
    found = []
    for path in sorted(logs.glob("*.eval")):
        header = _readable(path, header_only=True)
        metadata = header.eval.metadata if header else None
        if metadata and metadata.get(SHARD) == shard:
            found.append((int(metadata.get(TOKEN, 0)), path))
    return sorted(found)


def finished(logs: Path, shard: str, epoch: int) -> list[SampleResult]:
    """The samples of *shard* that some attempt finished; the first attempt to finish one counts."""
    seen: dict[str, SampleResult] = {}
    for _, path in attempts(logs, shard):
        log = _readable(path, header_only=False)
        for sample in _completed(log) if log else ():
            result = sample_result(sample, path.name, epoch)
            if result.state != "infra":
                seen.setdefault(result.item, result)
    return list(seen.values())


def failed(logs: Path, shard: str, epoch: int) -> list[SampleResult]:
    """The samples of the last attempt that our own side failed, after all retries."""
    last = attempts(logs, shard)[-1:]
    logs_read = [(path, _readable(path, header_only=False)) for _, path in last]
    results = [
        sample_result(sample, path.name, epoch)
        for path, log in logs_read
        for sample in (_completed(log) if log else ())
    ]
    return [result for result in results if result.state == "infra"]


def digest(path: Path) -> str:
    """SHA-256 of a file in hex, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sample_result(sample: EvalSample, log: str, epoch: int) -> SampleResult:
    """One sample as Leadline records it.

    The state is told without reading the score: an error is our side's, a limit the subject's.
    """
    score = next(iter((sample.scores or {}).values()), None)
    details = dict(score.metadata or {}) if score else {}
    outcome = str(details.get("outcome", ""))
    state = _state(sample, scored=score is not None, outcome=outcome)
    used = (sample.model_usage or {}).values()
    return SampleResult(
        item=str(sample.id),
        epoch=epoch,
        state=state,
        solved=state in {"scored", "limit"} and outcome in SUCCESS,
        outcome=_outcome(sample, state, outcome),
        reason=_reason(sample, details),
        proof=str(details.get("proof_sha256", "")),
        observation=_observed(details),
        seconds=round(sample.total_time or 0),
        tokens=sum(use.total_tokens for use in used),
        cost_micro_usd=round(sum(use.total_cost or 0.0 for use in used) * 1e6),
        reported=", ".join(sorted(_reported(sample))),
        milestones=_milestones(details.get("milestones")),
        log=log,
        ended=sample.completed_at or "",
        box=_texts(details.get("box")),
    )


def _state(sample: EvalSample, *, scored: bool, outcome: str) -> SampleState:
    if sample.error is not None or not scored or outcome == "infra":
        return "infra"
    if sample.limit is not None and outcome not in SUCCESS:
        return "limit"
    return "scored"


def _outcome(sample: EvalSample, state: SampleState, judged: str) -> str:
    """The named outcome: the judge's, or what our side or the subject's own tool calls failed of."""
    if sample.error is not None:
        return cause(sample.error.message, sample.error.traceback)
    if judged not in SUCCESS and _ended_in_malformed_calls(sample):
        return MALFORMED_CALLS
    return judged or state


def _ended_in_malformed_calls(sample: EvalSample) -> bool:
    """Whether the subject's last calls of tools, `MALFORMED_RUN` or all of them, were unreadable."""
    errors = [message.error for message in sample.messages if message.role == "tool"]
    last = errors[-MALFORMED_RUN:]
    return bool(last) and all(error is not None and error.type == "parsing" for error in last)


def _reported(sample: EvalSample) -> set[str]:
    """The model names that the endpoint itself gave with its answers in this sample."""
    events = (event for event in sample.events if isinstance(event, ModelEvent))
    return {event.output.model for event in events if event.output.model and not event.error}


def _milestones(told: object) -> tuple[Milestone, ...]:
    """The steps of a chain from a score's metadata; none for any other suite."""
    if not isinstance(told, list):
        return ()
    return tuple(
        Milestone(
            str(one["name"]),
            bool(one["reached"]),
            int(one.get("seconds") or 0),
            int(one.get("tokens") or 0),
        )
        for one in told
        if isinstance(one, Mapping)
    )


def _reason(sample: EvalSample, details: Mapping[str, object]) -> str:
    if sample.error is not None:
        return sample.error.message[:500]
    if sample.limit is not None:
        return f"{sample.limit.type} limit of {sample.limit.limit:g} reached"
    return str(details.get("reason", ""))


def _texts(value: object) -> dict[str, str]:
    """A mapping of texts from a score's metadata; empty for anything else."""
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}


def _observed(details: Mapping[str, object]) -> str:
    """What the vulnerable build showed, in one line: the kind, and the innermost own function."""
    shown = details.get("vulnerable")
    if not isinstance(shown, Mapping) or not shown.get("fired"):
        return ""
    frames = shown.get("frames") or ()
    return " in ".join([str(shown.get("kind", "")), *(str(frame) for frame in tuple(frames)[:1])])


def _completed(log: EvalLog) -> Iterator[EvalSample]:
    for sample in log.samples or []:
        if sample.completed_at or sample.scores or sample.error:
            yield sample


def _readable(path: Path, *, header_only: bool) -> EvalLog | None:
    """The log, or nothing where a kill left half a file."""
    try:
        return read_eval_log(str(path), header_only=header_only)
    # house: allow swallowed-exception -- half a log is no evidence; the samples are run again
    except DAMAGE:
        return None
