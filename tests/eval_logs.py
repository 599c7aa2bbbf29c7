"""Eval logs as Inspect writes them, made of values, without a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalError,
    EvalLog,
    EvalSample,
    EvalSpec,
    write_eval_log,
)
from inspect_ai.model import ModelUsage
from inspect_ai.scorer import Score

FAILED = object()  # the sample ended in an error of the harness


@dataclass(frozen=True)
class Told:
    """What a log says: values by (item, repeat), by one scorer unless the value is a mapping of them."""

    values: Mapping[tuple[str | int, int], Any]
    model: str = "made/one"
    task: str = "letters"
    scorer: str = "match"
    uuids: Mapping[tuple[str | int, int], str] = field(default_factory=dict)
    named: Sequence[str | int] = ()  # items in the header beyond those that have a sample
    spec: Mapping[str, Any] = field(default_factory=dict)
    invalidated: bool = False


def answers(bits: str, start: int = 0) -> dict[tuple[str | int, int], Any]:
    """One repeat of each item, solved where the bit is 1."""
    return {(f"i{start + n}", 1): "CI"[bit == "0"] for n, bit in enumerate(bits)}


def write(path: Path, told: Told) -> Path:
    """The log *told* at *path*, in the form that its suffix names."""
    items = list(dict.fromkeys([item for item, _ in told.values] + list(told.named)))
    spec: dict[str, Any] = {
        "created": "2026-11-01T00:00:00+00:00",
        "task": told.task,
        "dataset": EvalDataset(name="made", samples=len(items), sample_ids=items),
        "model": told.model,
        "config": EvalConfig(epochs=max((epoch for _, epoch in told.values), default=1)),
        **told.spec,
    }
    samples = [_sample(told, place, value) for place, value in told.values.items()]
    log = EvalLog(
        status="success", eval=EvalSpec(**spec), samples=samples, invalidated=told.invalidated
    )
    write_eval_log(log, str(path), format="json" if path.suffix == ".json" else "eval")
    return path


def _sample(told: Told, place: tuple[str | int, int], value: Any) -> EvalSample:
    item, epoch = place
    sample = EvalSample(id=item, epoch=epoch, input="w", target="w", uuid=told.uuids.get(place))
    sample.model_usage = {told.model: ModelUsage(total_tokens=100)}
    if value is FAILED:
        sample.error = EvalError(message="the endpoint went away", traceback="", traceback_ansi="")
    elif value is not None:
        scores = value if isinstance(value, dict) else {told.scorer: value}
        sample.scores = {
            name: one if isinstance(one, Score) else Score(value=one)
            for name, one in scores.items()
        }
    return sample
