"""Matching files on the operator's own host."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from clearing_values import AT, advisory, finding
from leadline.app.match import match_files, read_inventory, read_sample, samples
from leadline.core.clearing.advisory import draft
from leadline.core.clearing.match import EVERY, Status, match
from leadline.core.clearing.notice import notice, questions
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp
from leadline.formats import csaf

OSV = {
    "id": "PYSEC-1",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "ujson"}, "versions": ["5.1.0"]}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One CSAF and one OSV document, one that is neither, and one twice."""
    held = tmp_path / "advisories"
    (held / "deep").mkdir(parents=True)
    (held / "a.json").write_bytes(csaf.render(advisory()))
    (held / "deep" / "b.json").write_text(json.dumps(OSV))
    (held / "deep" / "c.json").write_text(json.dumps(OSV))
    (held / "odd.json").write_text("{}")
    (held / "notes.txt").write_text("no document")
    return held


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of one affected line."""
    held = tmp_path / "inventory.csv"
    held.write_text("Software,Version,Registry\nujson,5.1.0,PyPI\n")
    return held


def test_both_forms_of_advisory_are_read_and_odd_ones_listed(folder: Path, table: Path) -> None:
    """Nothing that cannot be read is passed over in silence."""
    answer = match_files(table, folder)
    assert [(m.asset, m.advisory, m.status) for m in answer.matching.matches] == [
        ("2", "ADV-1", Status.AFFECTED),
        ("2", "PYSEC-1", Status.AFFECTED),
    ]
    assert [fault.place for fault in answer.faults] == ["deep/c.json", "odd.json"]


@pytest.mark.parametrize("form", ["toml", "json"])
def test_a_map_of_headings_may_be_toml_or_json(folder: Path, tmp_path: Path, form: str) -> None:
    """It names the heading of a meaning."""
    table = tmp_path / "odd.csv"
    table.write_text("Ding,Stand,Registry\nujson,5.1.0,PyPI\n")
    held = tmp_path / f"map.{form}"
    held.write_text(
        'name = "Ding"\nversion = "Stand"\n'
        if form == "toml"
        else '{"name": "Ding", "version": "Stand"}'
    )
    assert match_files(table, folder, held).matching.matches[0].status is Status.AFFECTED


@pytest.mark.parametrize("text", ["name = 1", "name = ", "\udcff"])
def test_a_map_that_is_none_is_refused(
    folder: Path, table: Path, tmp_path: Path, text: str
) -> None:
    """The error names the option."""
    held = tmp_path / "map.toml"
    held.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Invalid, match="--map"):
        match_files(table, folder, held)


def test_without_advisories_the_cure_is_named(table: Path, tmp_path: Path) -> None:
    """None ship; an empty folder, a missing one, and a folder of other things are told apart."""
    with pytest.raises(Invalid, match="none ship"):
        match_files(table, None)
    with pytest.raises(Invalid, match="is no folder"):
        match_files(table, tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Invalid, match=r"holds no CSAF or OSV document$"):
        match_files(table, tmp_path / "empty")
    (tmp_path / "empty" / "x.json").write_text("[]")
    with pytest.raises(Invalid, match=r"first problem: x\.json"):
        match_files(table, tmp_path / "empty")


@pytest.mark.parametrize("data", [b'{"spdxVersion": "SPDX-2.3"}', b"<bom/>"])
def test_forms_that_are_not_read_are_refused(data: bytes) -> None:
    """Rather than taken for a table."""
    with pytest.raises(Invalid, match="CycloneDX"):
        read_inventory(data, "x", {})


def test_a_missing_inventory_is_named(folder: Path, tmp_path: Path) -> None:
    """The error holds the path and the reason."""
    with pytest.raises(Invalid, match="No such file"):
        match_files(tmp_path / "none.csv", folder)


def test_an_endless_inventory_is_refused(folder: Path, tmp_path: Path) -> None:
    """Before it is read into memory."""
    held = tmp_path / "big.csv"
    with held.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(Invalid, match="longer"):
        match_files(held, folder)


def test_the_sample_operators_are_invented_and_read_whole() -> None:
    """Hospital, bank and water utility; none has a fault, each says that it is a sample."""
    held = {sample.operator.id: sample for sample in samples()}
    assert set(held) == {"rural-hospital", "community-bank", "water-utility"}
    for sample in held.values():
        assert sample.operator.sample
        assert "sample, fictional" in sample.operator.name
        assert sample.inventory.faults == ()
        assert sample.sector.id == sample.operator.sector
    assert len(held["rural-hospital"].inventory.components) >= 25
    assert all(c.kind == "device" for c in held["water-utility"].inventory.components)


def test_an_operator_of_an_unknown_sector_is_refused(tmp_path: Path) -> None:
    """Its words would be missing on every page."""
    with pytest.raises(Invalid, match="'water' has no file in sectors/"):
        read_sample(files("leadline").joinpath("data/operators/water-utility"), {})


def test_a_finding_reaches_the_operators_it_concerns() -> None:
    """Hospital and bank run the release and get a notice; the utility gets questions per line."""
    about = draft(
        [finding(purl="pkg:pypi/ujson@5.1.0")],
        fixed_purl="pkg:pypi/ujson@5.2.0",
        at=AT,
        tlp=Tlp.CLEAR,
    )
    told = {}
    for sample in samples():
        matching = match(sample.inventory, [about])
        told[sample.operator.id] = notice(
            sample.operator, sample.sector, sample.inventory, matching, about
        )
        if sample.operator.id == "water-utility":
            assert {pair.advisory for pair in matching.matches} == {EVERY}
            assert {pair.status for pair in matching.matches} == {Status.UNKNOWN}
            page = questions(sample.operator, sample.sector, sample.inventory)
            assert page is not None
            assert len(page.lines) == len(sample.inventory.components)
    assert {operator for operator, page in told.items() if page} == {
        "rural-hospital",
        "community-bank",
    }


def test_matching_needs_the_base_install_only() -> None:
    """No server, no evaluation side, no numbers package is imported."""
    code = (
        "import sys, leadline.cli.match, leadline.app.match, leadline.cli.findings\n"
        "heavy = {'sqlalchemy', 'inspect_ai', 'csaf', 'jinja2', 'numpy', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    run = [sys.executable, "-c", code]
    ran = subprocess.run(
        run, check=False, env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True
    )
    assert ran.stderr == b""
    assert ran.returncode == 0
