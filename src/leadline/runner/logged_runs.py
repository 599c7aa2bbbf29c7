"""Eval logs as runs to decide on: one score for each repeat of each item, or none where the log has none.

A score is what Inspect's own scale says: ``C`` 1, ``P`` a half, ``I`` and ``N`` 0, true and false, numbers
from 0 to 1. A sample that ended in an error, was not scored (NaN), or never ran though the log names it
has none. Everything else is refused: a guess would be a number that nobody gave.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inspect_ai.log import EvalLog, EvalSampleSummary
from inspect_ai.scorer import CORRECT, INCORRECT, NOANSWER, PARTIAL

from leadline.core.errors import Invalid
from leadline.core.measure.logged import LoggedRun
from leadline.runner import eval_log, provenance
from leadline.runner.eval_log import EvalLogRead

GRADES = {CORRECT: 1.0, PARTIAL: 0.5, INCORRECT: 0.0, NOANSWER: 0.0}
SAMPLES_MAX = 5_000_000
SHOWN = 10  # names in a message


@dataclass(frozen=True, slots=True)
class Logged:
    """The runs of several logs, the scorers that gave their scores, by task, and copies left out."""

    runs: tuple[LoggedRun, ...]
    scorers: Mapping[str, tuple[str, ...]]
    copies: int


@dataclass(frozen=True, slots=True)
class _Found:
    run: LoggedRun
    uuid: str
    file: str


def read_runs(paths: Sequence[Path], scorers: Iterable[str] = ()) -> Logged:
    """The runs in the logs at *paths*. *scorers* say which score counts where a log has several.

    A sample that stands in two logs because a later log took it over counts once.

    Raises: NotFound or Invalid, as `eval_log.read`; Invalid, naming the files, where a repeat of an item
    was run twice, logs of one model and task differ in their settings, a log has several scores and
    *scorers* do not single one out, or a score is none.
    """
    held: dict[tuple[str, str, str, int], _Found] = {}
    seen: dict[tuple[str, str], tuple[str, EvalLogRead]] = {}
    used: dict[str, set[str]] = {}
    copies = 0
    for path in paths:
        log = eval_log.read(path)
        model, task = _names(log.header, path)
        _agree(*seen.setdefault((model, task), (path.name, log)), log, path)
        name = _scorer(log.samples, frozenset(scorers), path)
        used.setdefault(task, set()).update({name} - {""})
        for found in _found(log, name, path):
            run = found.run
            key = (run.model, run.task, run.item, run.epoch)
            before = held.setdefault(key, found)
            if before is not found:
                copies += before.run.score is not None and run.score is not None
                held[key] = _one_of(before, found)
    runs = tuple(one.run for one in held.values())
    return Logged(runs, {task: tuple(sorted(names)) for task, names in used.items()}, copies)


def _names(header: EvalLog, path: Path) -> tuple[str, str]:
    """Model and task; of a log of our own, the subject with its rung, and the suite."""
    told = header.eval.metadata or {}
    subject, rung, suite = (
        str(told.get(name) or "")
        for name in (provenance.SUBJECT, provenance.RUNG, provenance.SUITE)
    )
    model = " ".join(part for part in (subject or header.eval.model, rung) if part)
    task = suite.partition(" ")[0] or header.eval.task
    if not model or not task:
        raise Invalid(str(path), "names no model or no task")
    return model, task


def _agree(first: str, other: EvalLogRead, log: EvalLogRead, path: Path) -> None:
    """Raises: Invalid, unless *log* can be counted together with *other*, which is in the file *first*."""
    different = [name for name, told in log.settings.items() if told != other.settings[name]]
    if different:
        problem = (
            f"differs from {first} in {', '.join(different)}, though model and task are the same"
        )
        raise Invalid(str(path), f"{problem}; decide about them apart")
    if log.header.invalidated:
        problem = "holds samples that somebody marked invalid, and its summaries do not say which"
        raise Invalid(str(path), f"{problem}; run them again (inspect eval-retry)")


def _scorer(samples: Sequence[EvalSampleSummary], asked: frozenset[str], path: Path) -> str:
    """The one scorer whose values count; empty where no sample of the log has a score."""
    names = {name for one in samples for name in one.scores or {}}
    if not names:
        return ""
    fitting = names & asked if asked else names
    if len(fitting) != 1:
        told = ", ".join(sorted(names)[:SHOWN])
        raise Invalid(str(path), f"has scores by {told}; name one of them with --scorer")
    return fitting.pop()


def _found(log: EvalLogRead, scorer: str, path: Path) -> Iterator[_Found]:
    """Every sample of a log, and those that it names but does not hold."""
    spec = log.header.eval
    model, task = _names(log.header, path)
    told = str((spec.metadata or {}).get(provenance.EPOCH) or "")
    ran = set()
    for one in log.samples:
        item, epoch = str(one.id), _epoch(told, path) if told else one.epoch
        ran.add((item, epoch))
        tokens = sum(use.total_tokens for use in one.model_usage.values())
        run = LoggedRun(model, task, item, epoch, _score(one, scorer, path), tokens)
        yield _Found(run, one.uuid or "", path.name)
    repeats = [_epoch(told, path)] if told else range(1, (spec.config.epochs or 1) + 1)
    named = dict.fromkeys(str(id_) for id_ in spec.dataset.sample_ids or ())
    if len(named) * len(repeats) > SAMPLES_MAX:
        raise Invalid(str(path), f"names more than {SAMPLES_MAX:,} samples")
    for item in named:
        for epoch in repeats:
            if (item, epoch) not in ran:
                yield _Found(LoggedRun(model, task, item, epoch, None), "", path.name)


def _epoch(told: str, path: Path) -> int:
    if not (told.isascii() and told.isdigit() and len(told) < len("1000000")):
        raise Invalid(str(path), f"{provenance.EPOCH} is {told!r:.40}, which is no repeat")
    return int(told)


def _score(sample: EvalSampleSummary, scorer: str, path: Path) -> float | None:
    given = (sample.scores or {}).get(scorer)
    if given is None or sample.error or (given.metadata or {}).get("outcome") == "infra":
        return None
    value = given.value
    if isinstance(value, str) and value in GRADES:
        return GRADES[value]
    if isinstance(value, float) and math.isnan(value):
        return None  # Inspect's mark of a sample that its scorer did not score
    if isinstance(value, bool | int | float) and 0 <= value <= 1:
        return float(value)
    raise Invalid(
        f"{path}, sample {str(sample.id)[:80]}, repeat {sample.epoch}",
        f"{scorer} gave {value!r:.60}; a score is C, P, I or N, true or false, or from 0 to 1",
    )


def _one_of(first: _Found, other: _Found) -> _Found:
    """The one that has a score; a copy that a later log took over, once."""
    if other.run.score is None or first.run.score is None:
        return first if other.run.score is None else other
    if first.uuid and first.uuid == other.uuid and first.run.score == other.run.score:
        return first
    run = first.run
    raise Invalid(
        f"{run.task}, {run.item[:80]}, repeat {run.epoch} of {run.model}",
        f"was run in {first.file} and again in {other.file}; name one of the two files",
    )
