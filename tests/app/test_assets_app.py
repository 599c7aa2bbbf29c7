"""Devices and packages of one list, each matched in its own way, with the answers that were kept."""

import json
from datetime import date
from pathlib import Path

import pytest

from clearing_values import advisory
from leadline.app.assets import match_inventory, read_answers
from leadline.core.clearing.assets import content
from leadline.core.clearing.match import EVERY
from leadline.core.clearing.product import Component, Inventory
from leadline.core.errors import Invalid
from leadline.formats import answers_toml


def document(said: str = "<= 1.0", ident: str = "ADV-9") -> dict[str, object]:
    """A CSAF document about one device in words."""
    leaf = {
        "category": "product_version_range",
        "name": said,
        "product": {"name": f"Flowmaster: {said}", "product_id": "P"},
    }
    name = {"category": "product_name", "name": "Flowmaster", "branches": [leaf]}
    return {
        "document": {"csaf_version": "2.0", "tracking": {"id": ident}, "title": "Acme Flowmaster"},
        "product_tree": {"branches": [{"category": "vendor", "name": "Acme", "branches": [name]}]},
        "vulnerabilities": [{"cve": "CVE-2026-0001", "product_status": {"known_affected": ["P"]}}],
    }


DEVICE = Component("2", "Flowmaster", "", maker="Acme", kind="device", site="Mill")


def test_devices_are_matched_in_words_and_packages_by_identity() -> None:
    """Both in one answer; a device is not compared with the packages of CSAF documents twice."""
    package = Component("3", "ujson", "5.1.0", advisory().packages[0])
    matching, assets = match_inventory(
        Inventory((DEVICE, package)), [advisory()], {"ADV-9": document()}
    )
    assert matching.assets == 2
    told = {(held.asset, held.advisory): str(held.status) for held in matching.matches}
    assert told["2", "ADV-9"] == "unknown"
    assert told["3", "ADV-1"] == "affected"
    assert told["2", EVERY] == "unknown"
    assert [held.ref for held in assets.components] == ["2"]


def test_one_question_tells_what_else_it_settles() -> None:
    """The first advisory carries it, the others are named in its words."""
    found, _ = match_inventory(
        Inventory((DEVICE,)), (), {"A-1": document(ident="A-1"), "A-2": document(ident="A-2")}
    )
    (asked,) = found.questions
    assert asked.advisory == "A-1"
    assert asked.ask.endswith("(The answer also settles A-2.)")


def test_a_line_without_a_model_is_asked_about() -> None:
    """It is unknown to every advisory, never silently safe."""
    bare = Component("5", "", "", maker="Acme", kind="device")
    found, _ = match_inventory(Inventory((bare,)), (), {"ADV-9": document()})
    assert [(held.advisory, str(held.status)) for held in found.matches] == [(EVERY, "unknown")]
    assert "Give its model" in found.questions[0].ask


def test_without_advisories_in_words_nothing_is_said() -> None:
    """The table of makers is not even read."""
    found, assets = match_inventory(Inventory((DEVICE,)), (), {})
    assert found.matches == ()
    assert assets.verdicts == ()


def test_answers_are_kept_and_go_stale_aloud(tmp_path: Path) -> None:
    """An answer for a line that has changed is a fault, and the question comes again."""
    found, assets = match_inventory(Inventory((DEVICE,)), (), {"ADV-9": document()})
    assert len(found.questions) == 1
    path = tmp_path / "answers.toml"
    assert read_answers(path) == ()
    path.write_text(
        answers_toml.render([(content(DEVICE), assets.asked[0], "no")], date(2026, 11, 3))
    )
    settled, _ = match_inventory(
        Inventory((DEVICE,)), (), {"ADV-9": document()}, read_answers(path)
    )
    assert [str(held.status) for held in settled.matches] == ["not_affected"]
    moved = Component("2", "Flowmaster", "", maker="Acme", kind="device", site="Other mill")
    again, stale = match_inventory(
        Inventory((moved,)), (), {"ADV-9": document()}, read_answers(path)
    )
    assert [str(held.status) for held in again.matches] == ["unknown"]
    assert "answer again" in stale.faults[0].problem


def test_an_answer_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(Invalid, match="cannot be read"):
        read_answers(tmp_path)


def test_a_document_survives_json() -> None:
    """The helper above is a document as it would be read."""
    assert json.loads(json.dumps(document())) == document()
