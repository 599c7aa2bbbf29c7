"""A shard whose every sample is bound to who was measured, with a look before and after it."""

import json
from dataclasses import replace
from hashlib import sha256

from leadline.core.assessment import ShardResult
from leadline.core.errors import Unavailable
from leadline.core.identity import Fingerprint, Identified, apart, bound, closed, shift
from leadline.runner import endpoint
from leadline.runner.shard import Report, ShardJob, run_shard
from leadline.runner.subject import Runnable


def identify(runnable: Runnable) -> Identified:
    """What is declared of the subject, the key of its endpoint, and its answers to fixed questions.

    Raises: Unavailable, if the endpoint does not answer.
    """
    if runnable.model is None:
        return Identified(runnable.declared)
    declared = replace(runnable.declared, endpoint_key=endpoint.endpoint_key(runnable.model))
    bounded = endpoint.is_bounded(endpoint.open_model(runnable.model))
    return Identified(declared, endpoint.fingerprint(runnable.model), bounded)


def run_identified(
    job: ShardJob, runnable: Runnable, identity: Identified | None, report: Report
) -> ShardResult:
    """Run a shard, unless another subject than *identity* answers; set apart what another answered.

    None stands for a subject that was not identified beforehand, as the tool baseline beside a model.

    Raises: as `run_shard`; Unavailable, if the endpoint does not answer before the shard.
    """
    known = identity or Identified(runnable.declared)
    before = _shift(runnable, known)
    if before:
        subject, suite = runnable.subject.name, job.suite.name
        return closed(job.shard, subject, suite, job.epoch, job.items, before)
    relay = endpoint.relay_state(runnable.model) if runnable.model else {}
    result = bound(run_shard(job, runnable, report), known)
    if relay and runnable.model:
        result = _relayed(job, result, relay, endpoint.relay_state(runnable.model))
    try:
        after = _shift(runnable, known)
    except Unavailable:
        after = ""
    return apart(result, after) if after else result


def _relayed(
    job: ShardJob, result: ShardResult, start: dict[str, str], end: dict[str, str]
) -> ShardResult:
    """*result* with the relay's journal at start and end as one of its logs.

    What the relay saw another model answer is set apart, whichever sample it fell on.
    """
    name = f"{job.shard}-{job.token}.relay.json"
    told = json.dumps({"start": start, "end": end}, indent=1, sort_keys=True).encode()
    (job.logs / name).write_bytes(told)
    kept = replace(result, logs={**result.logs, name: sha256(told).hexdigest()})
    changed = end["subject_changed"]
    if not changed or changed == start["subject_changed"]:
        return kept
    return apart(kept, f"the relay saw another model answer: {changed}")


def _shift(runnable: Runnable, identity: Identified) -> str:
    """Why another subject answers now; empty where the same one does, or there is none to ask."""
    first: Fingerprint | None = identity.fingerprint
    if first is None or runnable.model is None:
        return ""
    return shift(first, endpoint.fingerprint(runnable.model)).why
