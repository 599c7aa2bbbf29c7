"""``leadline match`` and ``leadline findings group`` as other programs call them."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from clearing_values import advisory
from leadline.cli import findings, match
from leadline.formats import csaf

REPORT = "==1==ERROR: AddressSanitizer: SEGV on unknown address\n    #0 0x1 in take /a.c:7:1\n"
app = typer.Typer()
app.command(name="match")(match.match)
app.add_typer(findings.app, name="findings")


@pytest.fixture
def case(tmp_path: Path) -> tuple[str, str]:
    """An inventory with an affected and an unidentified line, and a folder with one advisory."""
    table = tmp_path / "inventory.csv"
    table.write_text("Software,Version,Registry\nujson,5.1.0,PyPI\nLedger,3,\n")
    folder = tmp_path / "advisories"
    folder.mkdir()
    (folder / "a.json").write_bytes(csaf.render(advisory()))
    (folder / "odd.json").write_text("{}")
    return str(table), str(folder)


def test_match_prints_the_contract(case: tuple[str, str]) -> None:
    """One JSON document: assets, matches, questions; the faults beside them."""
    table, folder = case
    ran = CliRunner().invoke(app, ["match", table, "--advisories", folder, "--json"])
    assert ran.exit_code == 0
    told = json.loads(ran.stdout)
    assert told["assets"] == 2
    assert [(m["asset"], m["advisory"], m["status"]) for m in told["matches"]] == [
        ("2", "ADV-1", "affected"),
        ("3", "*", "unknown"),
    ]
    assert all(m["why"] for m in told["matches"])
    assert [(q["asset"], q["advisory"]) for q in told["questions"]] == [("3", "*")]
    assert told["faults"][0]["place"] == "odd.json"


def test_match_tells_people_as_well(case: tuple[str, str]) -> None:
    """A line per open pair and question, and a line of counts; faults on standard error."""
    table, folder = case
    ran = CliRunner().invoke(app, ["match", table, "--advisories", folder])
    assert "affected" in ran.stdout
    assert "2 assets, 1 advisories: 1 affected, 1 unknown; 1 questions, 1 faults" in ran.stdout
    assert "odd.json" in ran.stderr
    assert "question  3  Which package is Ledger?" in ran.stdout
    assert "(" not in ran.stdout.splitlines()[0]


def test_match_says_how_sure_a_name_is(case: tuple[str, str], tmp_path: Path) -> None:
    """A possible name stands beside the status, in words and in JSON."""
    part = {"type": "library", "name": "fork", "version": "1", "purl": "pkg:generic/fork@1"}
    ancestors = [{"type": "library", "name": "u", "purl": "pkg:pypi/ujson@5.1.0"}]
    part["pedigree"] = {"ancestors": ancestors}  # type: ignore[assignment]
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [part]}
    path = tmp_path / "bom.json"
    path.write_text(json.dumps(bom))
    arguments = ["match", str(path), "--advisories", case[1]]
    ran = CliRunner().invoke(app, arguments)
    assert "(possible name)" in ran.stdout
    (pair,) = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["matches"]
    assert (pair["status"], pair["naming"]) == ("unknown", "possible")


def test_long_reading_is_told_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, every so many documents, and only where somebody looks."""
    match._reading(2_000)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    match._reading(1_999)
    match._reading(2_000)
    assert capsys.readouterr().err == "2000 documents read\n"


@pytest.mark.parametrize("more", [[], ["--advisories", "/nonexistent"]])
def test_match_without_advisories_is_invalid_input(case: tuple[str, str], more: list[str]) -> None:
    """Exit code 2 and one line that names the option."""
    ran = CliRunner().invoke(app, ["match", case[0], "--json", *more])
    assert ran.exit_code == 2
    assert "--advisories" in ran.stderr
    assert ran.stdout == ""


def test_group_prints_the_contract(tmp_path: Path) -> None:
    """Reports, groups with members below the folder, and what could not be read."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(REPORT)
    (tmp_path / "c.md").write_text("no report")
    ran = CliRunner().invoke(app, ["findings", "group", str(tmp_path), "--json"])
    told = json.loads(ran.stdout)
    assert (ran.exit_code, told["reports"], told["unparsed"]) == (0, 2, ["c.md"])
    (only,) = told["groups"]
    assert only["members"] == ["a.txt", "b.txt"]
    assert set(only) == {"id", "rung", "members", "why"}
    plain = CliRunner().invoke(app, ["findings", "group", str(tmp_path)])
    assert "rung 3  2 reports" in plain.stdout
    assert "c.md" in plain.stderr


def test_group_of_a_missing_folder_is_not_found(tmp_path: Path) -> None:
    """Exit code 4."""
    ran = CliRunner().invoke(app, ["findings", "group", str(tmp_path / "none")])
    assert ran.exit_code == 4
