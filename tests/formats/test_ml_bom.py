"""CycloneDX ML-BOMs: the specification's own documents, and what is written read back equal."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats import ml_bom
from leadline.formats.ml_bom import Metric, MlModel

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
MODEL = MlModel(
    "demonstration-model",
    "1",
    "A model of the demonstration.",
    "demonstration-developer",
    ("Apache-2.0",),
    "cyber",
    "transformer",
    ("one", "two"),
    (Metric("solved", "0.25", "planted", "0.1", "0.4"), Metric("steps", "12")),
    (("users", "analysts"), ("useCases", "code"), ("technicalLimitations", "few")),
)


@pytest.mark.parametrize(
    "file",
    [
        "1.5/valid-machine-learning-1.5.json",
        "1.6/valid-machine-learning-1.6.json",
        "1.6/valid-machine-learning-considerations-env-1.6.json",
    ],
)
def test_published_documents_are_read(vectors: Path, file: str) -> None:
    """The specification's own documents with a model give that model."""
    data = (vectors / "cyclonedx" / file).read_bytes()
    assert ml_bom.recognises(data)
    (model,) = ml_bom.parse(data)
    (stated,) = (one for one in json.loads(data)["components"] if "modelCard" in one)
    assert (model.name, model.version) == (stated["name"], stated.get("version", ""))
    parameters = stated["modelCard"].get("modelParameters", {})
    assert model.task == parameters.get("task", "")
    metrics = stated["modelCard"].get("quantitativeAnalysis", {}).get("performanceMetrics", [])
    assert [one.value for one in model.metrics] == [one["value"] for one in metrics]


def test_what_is_written_reads_back_equal() -> None:
    """A model with everything, and one with a name alone."""
    assert ml_bom.recognises(ml_bom.encode(MODEL))
    assert not ml_bom.recognises(b'{"bomFormat": "CycloneDX"}')
    assert ml_bom.parse(ml_bom.encode(MODEL)) == (MODEL,)
    assert ml_bom.parse(ml_bom.encode(MlModel("m"))) == (MlModel("m"),)


@settings(max_examples=60)
@given(WORDS, WORDS, st.lists(WORDS.filter(bool), max_size=3))
def test_any_words_read_back_equal(name: str, task: str, datasets: list[str]) -> None:
    """Whatever a developer's words are."""
    model = MlModel(name, task=task, datasets=tuple(datasets))
    assert ml_bom.parse(ml_bom.encode(model)) == (model,)


def test_models_are_found_wherever_they_stand() -> None:
    """The component that the document is about first, then each with those inside it."""
    inner = {"type": ml_bom.TYPE, "name": "inner", "licenses": [{"expression": "MIT OR ISC"}]}
    outer = {"type": "application", "name": "outer", "components": [inner]}
    card = {"modelParameters": {"datasets": [{"ref": "set-1"}]}}
    licences = [{"license": {"id": "MIT"}}]
    last = {"type": ml_bom.TYPE, "name": "last", "licenses": licences, "modelCard": card}
    about = {"component": {"type": ml_bom.TYPE, "name": "first"}}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [outer, last]}
    found = ml_bom.parse(json.dumps({**document, "metadata": about}).encode())
    assert [one.name for one in found] == ["first", "inner", "last"]
    assert [one.licences for one in found] == [(), ("MIT OR ISC",), ("MIT",)]
    assert found[2].datasets == ("set-1",)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"specVersion": "1.4"}, "knows 1.5"),
        ({"components": [{"type": "application", "name": "a"}]}, "no component of the type"),
        ({"components": [{"type": ml_bom.TYPE}]}, "/components/0"),
        ({"components": 7}, "/components"),
    ],
)
def test_what_is_no_ml_bom_is_refused(change: dict[str, object], problem: str) -> None:
    """Another version, no model, a broken schema: the file and the place are named."""
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}
    with pytest.raises(Invalid, match=problem) as told:
        ml_bom.parse(json.dumps({**document, **change}).encode(), "bom.json")
    assert told.value.field == "bom.json"


def test_what_no_document_can_say_is_refused() -> None:
    """A consideration of another kind than the schema has."""
    with pytest.raises(Invalid, match="is none of users"):
        ml_bom.encode(MlModel("m", considered=(("secrets", "none"),)))
