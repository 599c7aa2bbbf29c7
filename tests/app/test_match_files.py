"""Matching files on the operator's own host."""

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from clearing_values import AT, advisory, finding
from leadline.app import advisory_files, operators
from leadline.app.match import match_files, read_advisory, read_inventory, read_sample, samples
from leadline.core.clearing.advisory import draft
from leadline.core.clearing.match import EVERY, Status, match
from leadline.core.clearing.notice import notice, questions
from leadline.core.errors import Invalid, NotFound
from leadline.core.marking import Marking, Tlp
from leadline.formats import csaf
from operator_world import OperatorWorld, bom

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


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"other": 1}', "CycloneDX JSON, SPDX 2 or a table"),
        (b"<bom/>", "^x: XML is not read; export the inventory as CycloneDX JSON"),
        (b'<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>', "^x: CycloneDX XML is not read"),
    ],
)
def test_forms_that_are_not_read_are_refused(data: bytes, problem: str) -> None:
    """Rather than taken for a table; the form to export is named."""
    with pytest.raises(Invalid, match=problem):
        read_inventory(data, "x", {})


def test_spdx_is_read_as_json_and_as_text() -> None:
    """The same package either way."""
    tags = b"SPDXVersion: SPDX-2.3\nPackageName: u\nSPDXID: u\n"
    tags += b"ExternalRef: PACKAGE-MANAGER purl pkg:pypi/ujson@5.1.0\n"
    where = {"referenceType": "purl", "referenceLocator": "pkg:pypi/ujson@5.1.0"}
    package = {"name": "u", "SPDXID": "u", "externalRefs": [where]}
    document = json.dumps({"spdxVersion": "SPDX-2.3", "packages": [package]}).encode()
    one, two = read_inventory(tags, "x", {}), read_inventory(document, "x", {})
    assert one.components == two.components
    assert match(one, [advisory()]).matches[0].status is Status.AFFECTED


YAML = """id: PYSEC-7
modified: 2026-01-01T00:00:00Z
affected:
- package: {ecosystem: PyPI, name: ujson}
  versions:
  - 5.10
  - 5.1.0
"""


def test_yaml_is_read_with_every_scalar_as_text(table: Path, tmp_path: Path) -> None:
    """A version 5.10 is not 5.1, and odd documents are faults."""
    held = tmp_path / "yaml"
    held.mkdir()
    (held / "a.yaml").write_text(YAML)
    (held / "b.yml").write_text("- 1")
    (held / "c.yaml").write_text("a: &x 1")
    answer = match_files(table, held)
    assert answer.advisories[0].flaws[0].statements[0].affected.listed == ("5.10", "5.1.0")
    assert [fault.place for fault in answer.faults] == ["b.yml", "c.yaml"]
    assert [(m.advisory, m.status) for m in answer.matching.matches] == [
        ("PYSEC-7", Status.AFFECTED)
    ]


def packed(folder: Path, kind: str) -> Path:
    """The folder's files as an archive of this kind."""
    path = folder.parent / f"all.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*.*")):
                archive.write(file, file.relative_to(folder))
    else:
        with tarfile.open(path, "w:gz" if kind.endswith("gz") else "w") as tar:
            tar.add(folder, "held")
    return path


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tgz", "zip"])
def test_archives_are_read_where_they_lie(folder: Path, table: Path, kind: str) -> None:
    """Named themselves or found in a folder; the answers are those of the folder."""
    path = packed(folder, kind)
    told: list[int] = []
    answer = match_files(table, path, tell=told.append)
    assert answer.matching == match_files(table, folder).matching
    assert told == [1, 2, 3, 4]
    assert set(answer.csaf) == {"ADV-1"}
    assert all(fault.place.startswith(f"all.{kind}/") for fault in answer.faults)
    above = folder.parent / "above"
    above.mkdir()
    path.rename(above / path.name)
    assert match_files(table, above).matching == answer.matching


def test_a_broken_archive_does_not_hide_the_others(
    folder: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it breaks off is a fault; so is an entry too large, too many, or encrypted."""
    whole = packed(folder, "tgz").read_bytes()
    (folder / "broken.tgz").write_bytes(whole[: len(whole) // 2])
    (folder / "odd.zip").write_bytes(b"PK odd")
    (folder / "odd.tar.gz").write_bytes(b"")
    with zipfile.ZipFile(folder / "large.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large.json", b" " * ((16 << 20) + 1))
        archive.writestr("locked.json", b"{}")
        archive.infolist()[1].flag_bits |= 1
    with tarfile.open(folder / "large.tgz", "w:gz") as tar:
        held = tarfile.TarInfo("large.json")
        held.size = (16 << 20) + 1
        tar.addfile(held, io.BytesIO(b" " * held.size))
    (folder / "large.json").write_bytes(b" " * ((16 << 20) + 1))
    answer = match_files(table, folder)
    told = {fault.place: fault.problem for fault in answer.faults}
    assert {place for place, problem in told.items() if "breaks off" in problem} == {
        "broken.tgz",
        "odd.zip",
        "odd.tar.gz",
    }
    large = {place for place, problem in told.items() if "longer than" in problem}
    assert large == {"large.json", "large.zip/large.json", "large.tgz/large.json"}
    assert told["large.zip/locked.json"] == "it is encrypted"
    assert {"ADV-1", "PYSEC-1"} <= {pair.advisory for pair in answer.matching.matches}
    monkeypatch.setattr(advisory_files, "DOCUMENTS_MAX", 1)
    told = {fault.place: fault.problem for fault in match_files(table, folder).faults}
    assert "divide it" in told["large.zip"]
    with pytest.raises(Invalid, match="divide it"):
        match_files(table, packed(folder, "tar"))


def test_a_document_that_cannot_be_opened_is_a_fault(folder: Path, table: Path) -> None:
    """It may be gone by the time it is read."""
    found = advisory_files.documents(folder, 1 << 20)
    next(found)
    (folder / "odd.json").unlink()
    assert [str(data)[-17:] for place, data in found if place == "odd.json"] == [
        "No such file or directory"[-17:]
    ]


def test_a_missing_inventory_is_named(folder: Path, tmp_path: Path) -> None:
    """As whatever a person names that is not there."""
    with pytest.raises(NotFound, match=r"none\.csv is not there"):
        match_files(tmp_path / "none.csv", folder)


def test_an_endless_inventory_is_refused(folder: Path, tmp_path: Path) -> None:
    """Before it is read into memory."""
    held = tmp_path / "big.csv"
    with held.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(Invalid, match="larger"):
        match_files(held, folder)


def test_the_sample_operators_are_invented_and_read_whole() -> None:
    """Hospital, bank and water utility; each says that it is a sample, some lack identities."""
    held = {sample.operator.id: sample for sample in samples()}
    assert set(held) == {"rural-hospital", "community-bank", "water-utility"}
    for sample in held.values():
        assert sample.operator.sample
        assert "sample, fictional" in sample.operator.name
        assert {fault.problem.partition(";")[0] for fault in sample.inventory.faults} <= {
            "no purl is given",
            "no version is given",
        }
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


def test_an_upload_is_matched_as_the_same_file_is_offline(tmp_path: Path) -> None:
    """One engine: every pair, its words and its question, whatever is known of the component."""
    document = csaf.render(advisory())
    world = OperatorWorld()
    held = read_advisory(document, "a.json")
    with world.inner.store.write() as tx:
        tx.put(held.id, held, marking=Marking(Tlp.CLEAR))
    world.enrol("hospital")
    names = ("pypi/ujson", "deb/debian/python3-ujson", "generic/ujson", "pypi/else")
    data = bom(*(f"pkg:{one}@{version}" for one in names for version in ("5.1.0", "5.2.0", "odd")))
    online = operators.give(world.at("hospital"), data, "inventory.cdx.json")
    (tmp_path / "advisories").mkdir()
    (tmp_path / "advisories" / "a.json").write_bytes(document)
    file = tmp_path / "inventory.cdx.json"
    file.write_bytes(data)
    offline = match_files(file, tmp_path / "advisories")
    assert online.matching == offline.matching
    found = {one.status for one in online.matching.matches}
    assert {Status.AFFECTED, Status.FIXED, Status.UNKNOWN} <= found
    with world.inner.store.write() as tx:
        tx.put("W", replace(held, id="W", withdrawn=True), marking=Marking(Tlp.CLEAR))
    world.enrol("bank")
    again = operators.give(world.at("bank"), data, "inventory.cdx.json")
    assert again.matching == offline.matching, "what was withdrawn matches nothing"


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
