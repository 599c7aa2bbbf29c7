"""`leadline applies`: six questions, asked or given, each of which may stay unknown."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from leadline.cli.main import app


def run(*argv: str) -> Result:
    """One call, without a terminal."""
    env = {"LEADLINE_HOME": "nowhere"}
    return CliRunner().invoke(app, ["applies", "--on", "2026-11-21", *argv], env=env)


def verdicts(done: Result) -> dict[str, str]:
    """The answer for each regime of a JSON document."""
    assert done.exit_code == 0, done.output
    return {one["id"]: one["verdict"] for one in json.loads(done.stdout)["regimes"]}


def test_the_numbers_are_told() -> None:
    """Below 10^26 operations California's text does not apply, and it is said so."""
    told = " ".join(run("--answer", "training-operations=3e24").stdout.split())
    assert "no: 3e24 is not above 10^26 operations" in told
    assert "nothing is stored, and nothing is sent" in told


@pytest.mark.parametrize("typed", ["3e26", "3*10^26", "3 x 10^26", "300000000000000000000000000"])
def test_a_number_is_read_as_people_write_it(typed: str) -> None:
    """Powers of ten in every form give one answer."""
    assert verdicts(run("--answer", f"training-operations={typed}", "--json"))["ca-sb53"] == "yes"


@pytest.mark.parametrize("typed", ["600 million", "600,000,000", "$0.6bn", "6e8", "600m"])
def test_revenue_is_read_as_people_write_it(typed: str) -> None:
    """A large developer, however it is written."""
    done = run(
        "--answer", "training-operations=3e26", "--answer", f"yearly-revenue-usd={typed}", "--json"
    )
    found = {one["id"]: one for one in json.loads(done.stdout)["regimes"]}
    assert found["ca-sb53"]["classes"] == ["large"]


def test_a_file_of_answers_gives_the_same(tmp_path: Path) -> None:
    """What a file says and what options say is one thing; an absent answer is unknown."""
    file = tmp_path / "answers.toml"
    file.write_text('training-operations = 3e25\nplaces = ["eu"]\nagreements = []\n')
    options = ("training-operations=3e25", "places=eu", "agreements=none")
    given = [part for one in options for part in ("--answer", one)]
    by_file, by_option = run("--answers", str(file), "--json"), run(*given, "--json")
    assert json.loads(by_file.stdout) == json.loads(by_option.stdout)
    assert verdicts(by_file)["eu-ai-act-gpai"] == "yes"
    assert json.loads(by_file.stdout)["answers"]["open_weights"] is None
    assert json.loads(by_file.stdout)["stored"] is False


def test_without_answers_and_terminal_everything_is_open() -> None:
    """A pipe is not asked; what would settle it is said."""
    found = verdicts(run("--json"))
    assert found["ca-sb53"] == "unknown"
    assert found["us-eo-14409"] == "open-to-you"


def test_the_page_is_the_same_as_one_file(tmp_path: Path) -> None:
    """With --out nothing is printed."""
    out = tmp_path / "page.html"
    done = run("--answer", "training-operations=3e24", "--out", str(out))
    assert (done.exit_code, done.stdout) == (0, "")
    assert "3e24 is not above 10^26 operations" in out.read_text()


def test_a_person_is_asked_six_times_and_again_where_it_is_no_answer() -> None:
    """Enter is "I don't know"; a slip is told and asked again; questions go to standard error."""
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"lots\n3e24\n\nmars\nus,eu\nmaybe\nno\n\nnone\n")
    argv = [sys.executable, "-m", "leadline", "applies", "--json", "--on", "2026-11-21"]
    done = subprocess.run(argv, stdin=terminal, capture_output=True, text=True, check=True)
    os.close(keyboard)
    os.close(terminal)
    found = json.loads(done.stdout)["answers"]
    assert found == {
        "training_operations": 3e24,
        "yearly_revenue_usd": None,
        "places": ["us", "eu"],
        "open_weights": False,
        "stage": None,
        "agreements": [],
    }
    assert "6. What has the developer signed or joined?" in done.stderr
    assert "'lots' is no number" in done.stderr
    assert "'mars' is none of elsewhere, eu, uk, us" in done.stderr
    assert "'maybe' is neither yes nor no" in done.stderr


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--answer", "training-operations=-1"], "is no amount"),
        (["--answer", "training-operations=nan"], "is no amount"),
        (["--answer", "training-operations=inf"], "is no amount"),
        (["--answer", "training-operations=many"], "is no number such as 3e24"),
        (["--answer", "flops=3"], "is no NAME=VALUE"),
        (["--answer", "places"], "is no NAME=VALUE"),
        (["--answer", "places=eu", "--answer", "places=us"], "once for each of"),
        (["--answer", "places=mars"], "is none of elsewhere, eu, uk, us"),
        (["--answer", "stage=done"], "stage"),
        (["--answer", "open-weights=perhaps"], "neither yes nor no"),
        (["--answers", "a.toml", "--answer", "places=eu"], "not both"),
    ],
)
def test_what_cannot_be_is_one_line(argv: list[str], says: str) -> None:
    """Field and cure; nothing is printed on standard output."""
    done = run(*argv)
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_a_file_with_an_unknown_key_is_named(tmp_path: Path) -> None:
    """The file, the key; and a file that is not there."""
    file = tmp_path / "answers.toml"
    file.write_text("flops = 3e24\n")
    done = run("--answers", str(file))
    assert done.exit_code == 2
    assert "answers.toml" in done.stderr
    assert "flops" in done.stderr
    assert run("--answers", str(tmp_path / "none.toml")).exit_code == 4


def test_nothing_is_written_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file appears, in the folder or in the installation."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        app,
        ["applies", "--answer", "training-operations=3e24"],
        env={"LEADLINE_HOME": str(tmp_path / "home")},
    )
    assert done.exit_code == 0
    assert list(tmp_path.iterdir()) == []
