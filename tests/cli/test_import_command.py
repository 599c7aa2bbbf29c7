"""``leadline suite import``, ``run import-log`` and ``run import-scores`` as other programs call them."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from imported_world import SOURCES
from leadline import settings
from leadline.cli.main import app
from leadline.core.errors import Invalid
from leadline.wiring import imports
from leadline.wiring.working import installed_suites


def call(*words: str | Path) -> Result:
    """The command with *words*."""
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three challenges of the self-written collection: one qualifies, one is short, one is served."""
    for name in ("wheel", "short", "served"):
        shutil.copytree(SOURCES / "cybench" / "challenges" / name, tmp_path / "source" / name)
    return tmp_path / "source"


@pytest.mark.sandbox
def test_import_prints_the_contract_and_progress_apart(source: Path, tmp_path: Path) -> None:
    """One JSON document on standard output, a line for each entry on standard error."""
    ran = call("suite", "import", "cybench", source, "--out", tmp_path, "--quick", "--json")
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told == {
        "items": 2,
        "qualified": 1,
        "unqualified": [
            {"id": "short", "check": "flag_entropy", "reason": "at most 18 bits, 128 are due"}
        ],
        "skipped": [
            {
                "id": "served",
                "reason": "2 services (default, victim): needs Inspect's Docker provider",
            }
        ],
    }
    assert len([line for line in ran.stderr.splitlines() if line.startswith("[")]) == 3


@pytest.mark.sandbox
def test_an_imported_suite_is_found_and_not_run_unless_named(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands among the suites where LEADLINE_SUITES says; a second of its name is refused."""
    out = tmp_path / "held"
    plain = call("suite", "import", "cybench", source, "--out", out, "--name", "mine", "--quick")
    assert plain.exit_code == 0
    assert "1 of 2 items qualified" in plain.stdout
    assert "unqualified short: flag_entropy" in plain.stdout
    monkeypatch.setenv("LEADLINE_SUITES", str(out))
    rows = json.loads(call("suite", "list", "--json").stdout)["suites"]
    (mine,) = [row for row in rows if row["name"] == "mine"]
    assert (mine["items"], len(mine["missing"])) == (1, 2)
    found = settings.load({"LEADLINE_SUITES": f"{out}:{tmp_path / 'absent'}"})
    assert [suite.name for suite in imports.imported_suites(found)] == ["mine"]
    assert "mine" in {suite.name for suite in installed_suites(found)}
    with pytest.raises(Invalid, match="another --name"):
        imports.imported_suites(found, frozenset({"mine"}))
    assert imports.imported_suites(settings.load({"LEADLINE_SUITES": str(out / "mine")}))


def test_a_kind_a_name_and_a_folder_that_are_none_are_told(tmp_path: Path) -> None:
    """Each exits with its own code and names the cure."""
    unknown = call("suite", "import", "other", tmp_path)
    assert unknown.exit_code == 2
    assert "use one of cybench" in unknown.stderr
    assert call("suite", "import", "cybench", tmp_path / "absent").exit_code == 4
    named = call("suite", "import", "cybench", tmp_path, "--name", "Not This")
    assert named.exit_code == 2
    assert "small letters" in named.stderr


@pytest.mark.parametrize("name", ["planted", "registry", ""])
def test_the_name_of_an_installed_suite_and_none_are_refused(source: Path, name: str) -> None:
    """A collection of such a name would make every command refuse the whole list of suites."""
    ran = call("suite", "import", "cybench", source, "--out", source.parent / "o", "--name", name)
    assert ran.exit_code == 2
    assert "--name" in ran.stderr
    assert not (source.parent / "o").exists()


def test_an_interrupt_is_told_and_can_be_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends with 130 and says that the same command goes on."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(imports, "import_collection", stopped)
    ran = call("suite", "import", "cybench", tmp_path)
    assert ran.exit_code == 130
    assert "the same command goes on from here" in ran.stderr


def test_import_log_refuses_what_is_no_log(tmp_path: Path) -> None:
    """A foreign file exits with 2; among several it is named and the exit is 0."""
    (tmp_path / "a.eval").write_bytes(b"no log")
    alone = call("run", "import-log", tmp_path / "a.eval", "--json")
    assert alone.exit_code == 2
    assert "a.eval" in alone.stderr
    several = call("run", "import-log", tmp_path / "a.eval", tmp_path / "b.eval")
    assert several.exit_code == 0
    assert several.stderr.count("not read") == 2


def test_import_scores_prints_counts_and_whose_word_it_is(tmp_path: Path) -> None:
    """Counts and an interval, in words and as JSON; a document with text exits with 2 unquoted."""
    report = tmp_path / "report.json"
    report.write_text(
        json.dumps({"suite_digest": "0f" * 32, "count": 3, "scores": [1, 0, 1]}), encoding="utf-8"
    )
    options = ("--domain", "chemistry", "--holder", "H")
    words = call("run", "import-scores", report, *options)
    assert words.exit_code == 0
    assert "chemistry: 2 of 3 solved in full" in words.stdout
    assert "reported by H, not run here" in words.stdout
    told = json.loads(call("run", "import-scores", report, *options, "--json").stdout)
    assert (told["count"], told["solved"], told["domain"]) == (3, 2, "chemistry")
    report.write_text('{"items": ["a secret recipe"]}', encoding="utf-8")
    refused = call("run", "import-scores", report, *options)
    assert refused.exit_code == 2
    assert "recipe" not in refused.output
