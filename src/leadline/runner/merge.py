"""Eval logs of many shards as one result: every metric computed anew from the joined samples.

Averages of the shards' own metrics would be wrong: a standard error, a clustered or grouped metric and
pass@k are not averages. So the samples are joined under the header of one of the logs, and Inspect's own
path from scores to metrics runs over all of them (design, evaluation 6).
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from inspect_ai.log import (
    EvalLog,
    EvalMetric,
    EvalSample,
    read_eval_log,
    read_eval_log_sample_summaries,
    recompute_metrics,
)

from leadline.core.errors import NotFound, Refused, Tampered
from leadline.runner import provenance, results
from leadline.runner.index import Found, Index

# what a metric cannot read: transcripts, and the submission that a score carries for replay
UNREAD = {"messages", "events", "store", "attachments", "output", "timelines", "events_data"}
SUBMISSION = "proof_base64"
IDENTITY = "subject_digest"
SHOWN = 20  # keys named in a refusal


class Key(NamedTuple):
    """What makes a sample one of a kind in a run."""

    item: str
    epoch: int
    subject: str
    rung: str
    suite: str  # or the task, where the log is not ours


@dataclass(frozen=True, slots=True, order=True)
class Duplicate:
    """A sample that was measured again: kept in its log, never counted."""

    key: Key
    log: str
    counted: str  # the log whose sample counts


@dataclass(frozen=True, slots=True)
class Group:
    """One suite, one subject, one rung. *metrics* are by scorer, then by name and reducer."""

    suite: str
    subject: str
    rung: str
    identity: str
    samples: int
    scored: int
    lost: int  # to our own side: without a score, and in no metric
    metrics: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Merged:
    """What the logs say together."""

    plan: str
    code: str
    logs: int
    groups: tuple[Group, ...]
    duplicates: tuple[Duplicate, ...]


class Name(NamedTuple):
    """What the samples of one group share."""

    suite: str
    subject: str
    rung: str
    identity: str  # digest of who was measured: a subject that changed is another, never pooled


@dataclass
class _Part:
    """The joined samples of one group while logs are read; *header* is that of its log *first*."""

    header: EvalLog
    first: str
    facts: dict[str, tuple[str, str]] = field(default_factory=dict)
    samples: dict[Key, tuple[EvalSample, str]] = field(default_factory=dict)
    duplicates: list[Duplicate] = field(default_factory=list)

    def take(self, key: Key, sample: EvalSample, log: str, counted: Mapping[Key, str]) -> None:
        """Add a sample; of two with one key, `_before` says which counts."""
        if key not in self.samples:
            self.samples[key] = (sample, log)
            return
        held = self.samples[key]
        better, other = sorted(
            (held, (sample, log)), key=lambda one: _before(one, counted.get(key))
        )
        self.samples[key] = better
        if other[0].error is None:  # an attempt that failed and was repeated is no second result
            self.duplicates.append(Duplicate(key, other[1], better[1]))


def _before(one: tuple[EvalSample, str], counted: str | None) -> tuple[bool, bool, str, str]:
    """Sorts first what was committed; then what ended well, what was completed first, by log."""
    sample, log = one
    return (log != counted, sample.error is not None, sample.completed_at or "~", log)


def merge(
    paths: Sequence[Path],
    *,
    counted: Mapping[Key, str] | None = None,
    expected: Collection[Key] = (),
    apart: Collection[Key] = (),
    reducers: Sequence[str] = (),
) -> Merged:
    """The logs at *paths* as one result.

    Of several samples with one key the one in the log that *counted* names counts, else the one that was
    completed first. *expected* are the keys that must be there, no more and no less, where it is given,
    and *apart* those whose scores are no evidence (another subject answered, or the sandbox is not the
    proved one): they are lost, whatever their logs say.
    *reducers* are Inspect's names of how repeats become one score (``mean``, ``pass_at_2``); without
    them those of the logs hold.

    Raises: NotFound, without a log; Tampered, for one that cannot be read; Refused, naming the difference,
    where logs are of different plans, code, environments or scorers, an item is not the same everywhere,
    or a key is missing or too many.
    """
    if not paths:
        raise NotFound("no eval log to merge; name files, or the folder of an assessment")
    facts: dict[
        str, tuple[str, str]
    ] = {}  # each fact that all logs share, and the log that said it
    parts: dict[Name, _Part] = {}
    for path in sorted(paths):
        header = _read(path, header_only=True)
        _agree(facts, _shared(header), path.name)
        part = parts.setdefault(_name(header), _Part(header, path.name))
        _agree(part.facts, _facts(header), path.name)
        for sample in _samples(path):
            key = _key(header, sample)
            if key in apart:
                sample.scores = None
            part.take(key, sample, path.name, counted or {})
    _complete(parts, expected)
    return Merged(
        plan=facts["plan"][0],
        code=facts["code"][0],
        logs=len(paths),
        groups=tuple(_group(name, part, reducers) for name, part in sorted(parts.items())),
        duplicates=tuple(sorted(one for part in parts.values() for one in part.duplicates)),
    )


def sweep(index: Index, logs: Path) -> int:
    """Enter into *index* what lies in *logs* beside what results named; answers new duplicates.

    Only logs that are new or have grown are read, and of those the summaries.
    """
    return sum(index.sweep(path, results.digest(path), _found(path)) for path in index.unread(logs))


def _found(path: Path) -> list[Found]:
    """The samples of a log that came to an end; none of one that a kill left half written."""
    try:
        header = read_eval_log(str(path), header_only=True)
        summaries = read_eval_log_sample_summaries(str(path))
    # house: allow swallowed-exception -- half a log is no evidence, and says nothing of its samples
    except results.DAMAGE:
        return []
    name = _name(header)
    epoch = _told(header, provenance.EPOCH)
    return [
        Found(
            suite=name.suite.partition(" ")[0],
            subject=name.subject,
            rung=name.rung,
            item=str(one.id),
            epoch=int(epoch) if epoch else one.epoch,
            identity=name.identity,
            shard=_told(header, results.SHARD),
            state="limit" if one.limit else "scored",
            ended=one.completed_at or "",
        )
        for one in summaries
        if one.completed and not one.error
    ]


def _read(path: Path, *, header_only: bool) -> EvalLog:
    try:
        return read_eval_log(str(path), header_only=header_only, exclude_fields=UNREAD)
    except FileNotFoundError:
        raise NotFound(f"{path} is not there") from None
    except results.DAMAGE as error:
        raise Tampered(path.name, f"cannot be read as an eval log ({error})") from error


def _samples(path: Path) -> Iterator[EvalSample]:
    """The samples that came to an end, without what no metric reads."""
    for sample in _read(path, header_only=False).samples or []:
        if not (sample.completed_at or sample.scores or sample.error):
            continue
        for score in (sample.scores or {}).values():
            if score.metadata:
                score.metadata.pop(SUBMISSION, None)
        yield sample


def _told(header: EvalLog, name: str) -> str:
    return str((header.eval.metadata or {}).get(name, ""))


def _name(header: EvalLog) -> Name:
    """Suite, subject and rung; a log that is not ours has its task and model."""
    subject = _told(header, provenance.SUBJECT) or header.eval.model
    suite = _told(header, provenance.SUITE) or f"{header.eval.task} {header.eval.task_version}"
    return Name(suite, subject, _told(header, provenance.RUNG), _told(header, IDENTITY))


def _key(header: EvalLog, sample: EvalSample) -> Key:
    name, told = _name(header), _told(header, provenance.EPOCH)
    sample.epoch = int(told) if told else sample.epoch
    suite = name.suite.partition(" ")[0]
    return Key(str(sample.id), sample.epoch, name.subject, name.rung, suite)


def _shared(header: EvalLog) -> dict[str, str]:
    """What must be equal in every log of a run."""
    packages = header.eval.packages
    items = (header.eval.metadata or {}).get(provenance.ITEMS, {})
    return {
        "plan": _told(header, provenance.PLAN),
        "code": _told(header, provenance.CODE),
        "isolation tier": _told(header, provenance.TIER),
        "packages": json.dumps(packages, sort_keys=True),
        **{f"item {id_}": str(digest) for id_, digest in items.items()},
    }


def _facts(header: EvalLog) -> dict[str, str]:
    """What must be equal in every log of one suite, subject and rung."""
    scorers = [one.model_dump(mode="json") for one in header.eval.scorers or []]
    return {
        "scorers": json.dumps(scorers, sort_keys=True),
        "metrics": json.dumps(header.eval.model_dump(mode="json")["metrics"], sort_keys=True),
    }


def _agree(known: dict[str, tuple[str, str]], facts: Mapping[str, str], log: str) -> None:
    """Add *facts* to what is known; raises Refused where one differs."""
    for name, value in facts.items():
        before, first = known.setdefault(name, (value, log))
        if before != value:
            raise Refused(
                f"{log} and {first} do not belong together: {name} is {value or 'not told'!r} in "
                f"one and {before or 'not told'!r} in the other; merge them apart"
            )


def _complete(parts: Mapping[Name, _Part], expected: Collection[Key]) -> None:
    """Raises: Refused, naming keys, unless the samples are exactly those expected, where any are."""
    found = {key for part in parts.values() for key in part.samples}
    for word, wrong in (
        ("missing", set(expected) - found),
        ("not expected", found - set(expected)),
    ):
        if expected and wrong:
            named = ", ".join(f"{key.item} (repeat {key.epoch})" for key in sorted(wrong)[:SHOWN])
            raise Refused(f"{len(wrong)} samples are {word}: {named}")


def _require_repeats(part: _Part, reducers: Sequence[str]) -> None:
    """Raises: Refused, where a reducer over k repeats meets an item with fewer."""
    repeats = Counter(key.item for key in part.samples)
    item, least = min(repeats.items(), key=lambda one: (one[1], one[0]))
    for reducer in reducers:
        last = reducer.rpartition("_")[2]
        if last.isdecimal() and int(last) > least:
            raise Refused(f"{reducer} needs {last} repeats; {item} has {least}")


def _group(name: Name, part: _Part, reducers: Sequence[str]) -> Group:
    _require_repeats(part, reducers)
    log = part.header.model_copy(deep=True)
    log.samples = [part.samples[key][0] for key in sorted(part.samples)]
    if reducers:
        log.eval.config.epochs_reducer = list(reducers)
    recompute_metrics(log)
    metrics: dict[str, dict[str, float]] = {}
    for score in log.results.scores if log.results else []:
        own = metrics.setdefault(score.name, {})
        for metric in score.metrics.values():
            own[_metric_name(metric, score.reducer, reducers)] = float(metric.value)
    return Group(
        *name,
        samples=len(log.samples),
        scored=sum(bool(sample.scores) for sample in log.samples),
        lost=sum(not sample.scores for sample in log.samples),
        metrics=metrics,
    )


def _metric_name(metric: EvalMetric, reducer: str | None, reducers: Sequence[str]) -> str:
    return f"{metric.name} ({reducer})" if reducer and len(reducers) > 1 else metric.name
