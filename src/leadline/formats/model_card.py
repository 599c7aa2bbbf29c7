"""Hugging Face model cards: Markdown below YAML between two lines of three hyphens.

A card is read for what a submission says: licence, base models, data sets, tags and the results of
`model-index`. It is kept as bytes, and `revised` changes single top-level keys only, so that everything
else, a key that nobody here knows included, stays as it was byte for byte.

Source: the metadata of model cards as the hub documents it (`modelcard.md`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.formats import bounded_yaml
from leadline.formats.document import record, records, text

BYTES_MAX = 4 << 20
FENCE = "---"
_KEY = re.compile(r"(?P<key>[A-Za-z0-9_-]+)[ \t]*:(?=[ \t\r\n]|$)")

Plain = str | int | bool | Sequence["Plain"] | Mapping[str, "Plain"]


@dataclass(frozen=True, slots=True)
class Result:
    """One entry of `model-index`: a metric on a data set. *value* is text, as it was written."""

    task: str
    dataset: str
    metric: str
    value: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a card says. *content* is all of it; *front* are the lines between the fences."""

    content: bytes
    front: str
    body: str
    licence: str
    base_models: tuple[str, ...]
    datasets: tuple[str, ...]
    tags: tuple[str, ...]
    results: tuple[Result, ...]


def recognises(data: bytes) -> bool:
    """Whether *data* begins as a card does."""
    return re.match(rb"(\xef\xbb\xbf)?---[ \t]*\r?\n", data) is not None


def load(data: bytes, name: str) -> ModelCard:
    """The card in *data*; *name* stands in the error. A card may have no metadata.

    Raises: Invalid, if it is too large, is no UTF-8, has a fence without its end, or metadata that
    `bounded_yaml` refuses or that is no mapping.
    """
    if len(data) > BYTES_MAX:
        raise Invalid(name, f"longer than {BYTES_MAX} bytes; a card is text, not the model")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(name, f"no UTF-8: {error}") from None
    front, body = _parted(whole, name)
    meta = bounded_yaml.load(front.encode(), name)
    if meta is not None and not isinstance(meta, Mapping):
        raise Invalid(name, "the metadata is no mapping of keys to values")
    told = record(meta)
    return ModelCard(
        content=data,
        front=front,
        body=body,
        licence=_one(told.get("license")),
        base_models=_many(told.get("base_model")),
        datasets=_many(told.get("datasets")),
        tags=_many(told.get("tags")),
        results=tuple(_results(told)),
    )


def revised(card: ModelCard, changes: Mapping[str, Plain], name: str) -> ModelCard:
    """The card with these top-level keys set and everything else as it was.

    Raises: Invalid, if the card cannot be changed so: metadata in another style than one key a line,
    or a value that YAML reads back as another one.
    """
    front = card.front
    for key, value in changes.items():
        front = _set(front, key, value)
    start = card.content.decode("utf-8")
    if recognises(card.content):
        opening = start.index("\n") + 1
        whole = start[:opening] + front + start[opening + len(card.front) :]
    else:
        whole = f"{FENCE}\n{front}{FENCE}\n{start}"
    before, after = (record(_meta(one, name)) for one in (card.front, front))
    wanted = {**before, **json.loads(json.dumps(changes))}
    if after != wanted:
        raise Invalid(
            name, "its metadata is written in a way that cannot be changed; edit it by hand"
        )
    return load(whole.encode(), name)


def index(model: str, results: Sequence[Result]) -> Plain:
    """The value of `model-index` for these results."""
    entries: list[Plain] = [
        {
            "task": {"type": one.task},
            "dataset": {"name": one.dataset, "type": one.dataset},
            "metrics": [{"type": one.metric, "value": one.value}],
        }
        for one in results
    ]
    return [{"name": model, "results": entries}]


def _meta(front: str, name: str) -> object:
    return bounded_yaml.load(front.encode(), name)


def _parted(whole: str, name: str) -> tuple[str, str]:
    """The lines between the fences, and what follows them."""
    lines = _lines(whole.removeprefix("\ufeff"))
    if lines[0].rstrip() != FENCE:
        return "", whole
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == FENCE:
            return "".join(lines[1:number]), "".join(lines[number + 1 :])
    raise Invalid(name, f"its metadata begins with {FENCE} and has no second such line")


def _lines(whole: str) -> list[str]:
    """The lines with their ends; what other signs YAML takes for an end stays inside them."""
    return re.split(r"(?<=\n)", whole)


def _set(front: str, key: str, value: Plain) -> str:
    """The lines with *key* set: in its place, or at the end."""
    lines = _lines(front)
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    # JSON's flow style is YAML's as well, in all that `revised` then finds to read back equal.
    new = f"{key}: {json.dumps(value, ensure_ascii=False)}{end}"
    heads = [at for at, line in enumerate(lines) if _KEY.match(line)]
    for place, at in enumerate(heads):
        found = _KEY.match(lines[at])
        if found is not None and found["key"] == key:
            below = heads[place + 1] if place + 1 < len(heads) else len(lines)
            while below > at + 1 and lines[below - 1].startswith(("#", "\n", "\r")):
                below -= 1  # comments and empty lines before the next key are that key's
            return "".join((*lines[:at], new, *lines[below:]))
    return "".join(lines) + new


def _results(meta: Mapping[str, object]) -> list[Result]:
    found = []
    for model in records(meta.get("model-index")):
        for result in records(model.get("results")):
            task, data = record(result.get("task")), record(result.get("dataset"))
            found += [
                Result(
                    text(task.get("type")),
                    text(data.get("name")) or text(data.get("type")),
                    text(metric.get("type")),
                    _one(metric.get("value")),
                )
                for metric in records(result.get("metrics"))
            ]
    return found


def _one(value: object) -> str:
    """A scalar as text; empty for what is none."""
    return str(value) if isinstance(value, str | int | float) else ""


def _many(value: object) -> tuple[str, ...]:
    """One text or several."""
    if isinstance(value, list):
        return tuple(one for one in map(_one, value) if one)
    return tuple(one for one in (_one(value),) if one)
