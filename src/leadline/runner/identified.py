"""A shard whose every sample is bound to who was measured, with a look before and after it."""

from dataclasses import replace

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
    result = bound(run_shard(job, runnable, report), known)
    try:
        after = _shift(runnable, known)
    except Unavailable:
        after = ""
    return apart(result, after) if after else result


def _shift(runnable: Runnable, identity: Identified) -> str:
    """Why another subject answers now; empty where the same one does, or there is none to ask."""
    first: Fingerprint | None = identity.fingerprint
    if first is None or runnable.model is None:
        return ""
    return shift(first, endpoint.fingerprint(runnable.model)).why
