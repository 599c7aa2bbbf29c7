"""The vendored schemas are what their manifest says."""

from hashlib import sha256
from importlib.resources import files

import pytest

from leadline.formats import schemas


def test_every_schema_is_listed_and_unchanged() -> None:
    """Name, licence, origin and digest stand for each file, and no file stands without them."""
    entries = schemas.manifest()
    for entry in entries:
        assert sha256(schemas.content(entry["file"])).hexdigest() == entry["sha256"], entry["file"]
        assert all(entry[key] for key in ("name", "version", "licence", "origin", "uri"))
    folder = files("leadline.formats.schemas")
    held = {file.name for file in folder.iterdir() if file.name.endswith(".json")}
    assert held == {entry["file"] for entry in entries}


@pytest.mark.parametrize("file", [entry["file"] for entry in schemas.manifest()])
def test_every_schema_compiles_offline(file: str) -> None:
    """All references resolve inside the folder."""
    assert schemas.validator(file).is_valid({}) in {True, False}


def test_faults_are_bounded() -> None:
    """A document wrong in ten thousand places gives a list that ends."""
    held = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{}] * 10_000}
    found = list(schemas.faults("bom-1.5.SNAPSHOT.schema.json", held))
    assert len(found) == schemas.FAULTS_MAX + 1
    assert "not listed" in found[-1].problem


def test_the_whole_document_has_a_place() -> None:
    """A fault of the document itself is at the root."""
    (fault,) = schemas.faults("bom-1.5.SNAPSHOT.schema.json", [])
    assert fault.place == "/"
