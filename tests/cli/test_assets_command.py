"""``leadline match`` for an asset list: questions, kept answers, pages."""

import io
import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner
from typing_extensions import override

from leadline.cli import match

app = typer.Typer()
app.command(name="match")(match.match)
TABLE = "Vendor;Device;Firmware;Building\nAcme;Flowmaster;;Mill\nAcme;Flowmaster;0.9;North/South\nAcme;Valve;1;North South\n"
LEAF = {"category": "product_version_range", "name": "<= 1.0", "product": {"name": "Flowmaster: 1.0 and prior", "product_id": "P"}}  # fmt: skip
NAME = {"category": "product_name", "name": "Flowmaster", "branches": [LEAF]}
DOCUMENT = {
    "document": {
        "csaf_version": "2.0",
        "title": "Acme Flowmaster",
        "tracking": {"id": "ADV-9"},
        "publisher": {"name": "CISA", "contact_details": "1-888"},
    },
    "product_tree": {"branches": [{"category": "vendor", "name": "Acme", "branches": [NAME]}]},
    "vulnerabilities": [{"cve": "CVE-2026-0001", "product_status": {"known_affected": ["P"]}}],
}
KEV = {
    "catalogVersion": "1",
    "dateReleased": "2026-11-03T15:00:00Z",
    "count": 1,
    "vulnerabilities": [{"cveID": "CVE-2026-0001", "dateAdded": "2026-11-03"}],
}


class Terminal(io.StringIO):
    """Standard input of a person."""

    @override
    def isatty(self) -> bool:
        """Somebody sits there."""
        return True


@pytest.fixture
def case(tmp_path: Path) -> list[str]:
    """A list and a folder of one advisory, as arguments."""
    (tmp_path / "list.csv").write_text(TABLE)
    folder = tmp_path / "advisories"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(DOCUMENT))
    return [str(tmp_path / "list.csv"), "--advisories", str(folder)]


def test_the_contract_holds_for_devices(case: list[str]) -> None:
    """One JSON document with a question for the line without a version."""
    told = json.loads(CliRunner().invoke(app, [*case, "--json"]).stdout)
    assert told["assets"] == 3
    assert [(m["asset"], m["advisory"], m["status"]) for m in told["matches"]] == [
        ("2", "ADV-9", "unknown"),
        ("3", "ADV-9", "affected"),
    ]
    assert [q["asset"] for q in told["questions"]] == ["2"]


def test_a_page_for_each_site(case: list[str], tmp_path: Path) -> None:
    """Two sites that would share a file name keep two; the list of exploited flaws marks them."""
    kev = tmp_path / "kev.json"
    kev.write_text(json.dumps(KEV))
    out = tmp_path / "pages"
    ran = CliRunner().invoke(
        app, [*case, "--pages", str(out), "--kev", str(kev), "--call", "Duty 555"]
    )
    assert ran.exit_code == 0, ran.output
    assert sorted(path.name for path in out.glob("*.html")) == [
        "mill.html",
        "north-south-2.html",
        "north-south.html",
    ]
    page = (out / "north-south.html").read_text()
    assert "Known to be used in attacks" in page
    assert "Duty 555" in page
    assert (out / "mill.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("wrong", ["pages", "kev"])
def test_what_cannot_be_written_or_read_is_named(
    case: list[str], tmp_path: Path, wrong: str
) -> None:
    """With its option, and exit code 2."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    more = {
        "pages": ["--pages", str(blocked)],
        "kev": ["--pages", str(tmp_path / "p"), "--kev", str(tmp_path)],
    }
    ran = CliRunner().invoke(app, [*case, *more[wrong]])
    assert ran.exit_code == 2
    assert f"--{wrong}" in ran.stderr


def test_asking_needs_a_file_and_a_terminal(case: list[str], tmp_path: Path) -> None:
    """Without them the error says what to do."""
    assert "--answers" in CliRunner().invoke(app, [*case, "--ask"]).stderr
    answers = ["--answers", str(tmp_path / "answers.toml")]
    assert "by hand" in CliRunner().invoke(app, [*case, "--ask", *answers]).stderr


def asked(monkeypatch: pytest.MonkeyPatch, case: list[str], answers: Path, said: str) -> None:
    """Answer at the terminal."""
    from leadline.app.match import match_files
    from leadline.cli.assets_work import ask

    monkeypatch.setattr(sys, "stdin", Terminal(said))
    held = match_files(Path(case[0]), Path(case[2]), answers=answers)
    ask(held.assets, answers)


def test_answers_at_the_terminal_are_kept(
    case: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They count from then on; nothing said, or the end of input, leaves the question open."""
    answers = tmp_path / "answers.toml"
    asked(monkeypatch, case, answers, "\n")
    asked(monkeypatch, case, answers, "")
    assert not answers.exists()
    asked(monkeypatch, case, answers, "no\n")
    told = json.loads(CliRunner().invoke(app, [*case, "--json", "--answers", str(answers)]).stdout)
    assert told["matches"][0]["status"] == "not_affected"
    assert told["questions"] == []


def test_answers_that_cannot_be_kept_are_an_error(
    case: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person is told, instead of losing what was typed in silence."""
    from leadline.cli.assets_work import add
    from leadline.core.errors import Invalid

    with pytest.raises(Invalid, match="cannot be written"):
        add(tmp_path, "x")
