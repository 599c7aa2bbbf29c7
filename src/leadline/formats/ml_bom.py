"""CycloneDX ML-BOM: components of the type `machine-learning-model` with their model cards.

Read from 1.5, which brought the type, to 1.7; written as 1.6. A document that breaks its schema is
refused with its faults by JSON pointer.
Source: CycloneDX specification (ECMA-424), `modelCard`; JSON schemas 1.5 to 1.7.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.formats import schemas
from leadline.formats.document import load, record, records, text, texts

VERSIONS = ("1.5", "1.6", "1.7")
WRITTEN = "1.6"
TYPE = "machine-learning-model"
_CONSIDERED = ("users", "useCases", "technicalLimitations", "performanceTradeoffs")


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured value, as text. *part* is what it was computed on; *lower* and *upper* an interval."""

    type: str
    value: str
    part: str = ""
    lower: str = ""
    upper: str = ""


@dataclass(frozen=True, slots=True)
class MlModel:
    """One model. *considered* are the texts on users, uses, limits and trade-offs, by their key."""

    name: str
    version: str = ""
    description: str = ""
    publisher: str = ""
    licences: tuple[str, ...] = ()
    task: str = ""
    architecture: str = ""
    datasets: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    considered: tuple[tuple[str, str], ...] = ()


def recognises(data: bytes) -> bool:
    """Whether *data* looks like a CycloneDX document that has a model."""
    return b'"bomFormat"' in data and TYPE.encode() in data


def parse(data: bytes, name: str = "ML-BOM") -> tuple[MlModel, ...]:
    """The models of a document, in its order, nested ones too.

    Raises: Invalid, naming each place that breaks the schema, a version this reader does not know,
    or a document without a model.
    """
    document = load(data, name)
    version = document.get("specVersion")
    if version not in VERSIONS:
        raise Invalid(name, f"specVersion {version!r}; this reader knows {', '.join(VERSIONS)}")
    _require(document, version, name)
    found = tuple(_model(entry) for entry in _entries(document) if entry.get("type") == TYPE)
    if not found:
        raise Invalid(name, f"has no component of the type {TYPE}")
    return found


def encode(model: MlModel, name: str = "ML-BOM") -> bytes:
    """A document about one model, which `parse` reads back equal.

    Raises: Invalid, if a value does not fit the schema.
    """
    parameters: dict[str, object] = {
        "task": model.task,
        "modelArchitecture": model.architecture,
        "datasets": [{"type": "dataset", "name": one} for one in model.datasets],
    }
    considered: dict[str, list[str]] = {}
    for key, said in model.considered:
        if key not in _CONSIDERED:
            raise Invalid(name, f"{key!r} is none of {', '.join(_CONSIDERED)}")
        considered.setdefault(key, []).append(said)
    card = {
        "modelParameters": _filled(parameters),
        "quantitativeAnalysis": _filled({"performanceMetrics": [*map(_measured, model.metrics)]}),
        "considerations": _filled(considered),
    }
    component = {
        "type": TYPE,
        "version": model.version,
        "description": model.description,
        "publisher": model.publisher,
        "licenses": [{"license": {"name": one}} for one in model.licences],
        "modelCard": _filled(card),
    }
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": WRITTEN,
        "version": 1,
        "components": [{**_filled(component), "name": model.name}],
    }
    _require(document, WRITTEN, name)
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _require(document: Mapping[str, object], version: object, name: str) -> None:
    broken = list(schemas.faults(f"bom-{version}.SNAPSHOT.schema.json", document))
    if broken:
        listed = "; ".join(f"{fault.place}: {fault.problem}" for fault in broken)
        raise Invalid(name, f"breaks the CycloneDX {version} schema: {listed}")


def _filled(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value}


def _measured(metric: Metric) -> dict[str, object]:
    interval = _filled({"lowerBound": metric.lower, "upperBound": metric.upper})
    told = {"type": metric.type, "value": metric.value, "slice": metric.part}
    return _filled({**told, "confidenceInterval": interval})


def _entries(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Every component in document order; the one that the document is about comes first."""
    subject = record(document.get("metadata")).get("component")
    pending = [*reversed(records(document.get("components"))), *records([subject])]
    while pending:
        entry = pending.pop()
        yield entry
        pending.extend(reversed(records(entry.get("components"))))


def _model(entry: Mapping[str, object]) -> MlModel:
    card = record(entry.get("modelCard"))
    parameters = record(card.get("modelParameters"))
    analysis = record(card.get("quantitativeAnalysis"))
    told = record(card.get("considerations"))
    return MlModel(
        name=text(entry.get("name")),
        version=text(entry.get("version")),
        description=text(entry.get("description")),
        publisher=text(entry.get("publisher")),
        licences=tuple(_licences(entry)),
        task=text(parameters.get("task")),
        architecture=text(parameters.get("modelArchitecture")),
        datasets=tuple(_datasets(parameters)),
        metrics=tuple(_metric(one) for one in records(analysis.get("performanceMetrics"))),
        considered=tuple((key, said) for key in _CONSIDERED for said in texts(told.get(key))),
    )


def _licences(entry: Mapping[str, object]) -> Iterator[str]:
    for one in records(entry.get("licenses")):
        licence = record(one.get("license"))
        yield text(licence.get("id")) or text(licence.get("name")) or text(one.get("expression"))


def _datasets(parameters: Mapping[str, object]) -> Iterator[str]:
    for one in records(parameters.get("datasets")):
        yield text(one.get("name")) or text(one.get("ref"))


def _metric(entry: Mapping[str, object]) -> Metric:
    interval = record(entry.get("confidenceInterval"))
    return Metric(
        text(entry.get("type")),
        text(entry.get("value")),
        text(entry.get("slice")),
        text(interval.get("lowerBound")),
        text(interval.get("upperBound")),
    )
