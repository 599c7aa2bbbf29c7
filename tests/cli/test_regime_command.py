"""`leadline regime` as a person uses it: read, explain, compare, check; no installation, no server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from leadline.cli.main import app
from leadline.wiring.regimes import DATA, library

ORDER = DATA / "regimes" / "us-eo-14409.toml"


def run(*argv: str, home: Path | None = None) -> Result:
    """One call of the command, with an installation's folder that has nothing in it."""
    return CliRunner().invoke(app, ["regime", *argv], env={"LEADLINE_HOME": str(home or "nowhere")})


def test_list_says_what_standing_each_text_has() -> None:
    """All of them; a text never in force says so; JSON has the dates."""
    told = run("list", "--on", "2026-11-21")
    assert told.exit_code == 0
    for id_ in library().ids():
        assert f"{id_}  (" in told.stdout
    assert "us-draft-2026-05-90  (never-in-force, voluntary)" in told.stdout
    found = json.loads(run("list", "--json", "--on", "2026-11-21").stdout)["regimes"]
    order = next(one for one in found if one["id"] == "us-eo-14409")
    assert (order["since"], order["until"], order["stale"]) == ("2026-06-02", None, False)
    assert order["last_checked"] == "2026-10-10"


def test_list_marks_what_was_not_checked_for_long() -> None:
    """A quarter of a year after the sources were read."""
    found = json.loads(run("list", "--json", "--on", "2027-02-01").stdout)["regimes"]
    assert all(one["stale"] for one in found)
    assert "read the sources again" in run("list", "--on", "2027-02-01").stdout


def test_show_has_each_entry_with_its_citation() -> None:
    """As a table for people, and as the file's content for machines."""
    told = " ".join(run("show", "us-eo-14409").stdout.split())
    assert "30 days before that time" in told
    assert "EO 14409, sec. 3(b), 91 FR 34565" in told
    found = json.loads(run("show", "us-eo-14409", "--json").stdout)
    assert found["window"]["days_open_max"] == 30
    assert found["in_force"]["since"] == "2026-06-02"


def test_explain_is_a_page(tmp_path: Path) -> None:
    """At the terminal, or as one HTML file that asks for nothing."""
    told = " ".join(run("explain", "us-eo-14409").stdout.split())
    assert "Nothing follows: taking part is voluntary." in told
    out = tmp_path / "page.html"
    done = run("explain", "us-eo-14409", "--out", str(out))
    assert (done.exit_code, done.stdout) == (0, "")
    assert "<script" not in out.read_text()
    assert "taking part is voluntary" in out.read_text()


def test_compare_has_the_contracts_shape(tmp_path: Path) -> None:
    """Rows with values and citations by regime; the picture is a file of its own."""
    ids = ["us-eo-14409", "us-draft-2026-05-90", "eu-ai-act-gpai"]
    plot = tmp_path / "c.svg"
    done = run("compare", *ids, "--json", "--plot", str(plot), "--anchor", "2026-12-01T09:00Z")
    found = json.loads(done.stdout)
    assert found["regimes"] == ids
    assert all(set(row) == {"what", "values", "cites"} for row in found["rows"])
    assert all(list(row["values"]) == ids for row in found["rows"])
    assert plot.read_text().startswith("<svg")
    assert "24 November 2026" in plot.read_text()
    assert "CEILING" in run("compare", *ids).stdout


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["show", "us-eo-1"], 4, "no regime 'us-eo-1'; there are ca-sb53"),
        (["list", "--on", "2026-02-30"], 2, "--on: '2026-02-30' is no day"),
        (["compare", "us-eo-14409"], 2, "two regimes or more"),
        (["compare", "us-eo-14409", "us-eo-14409"], 2, "each once"),
        (["compare", "us-eo-14409", "ca-sb53", "--anchor", "2026-12-01T09:00Z"], 2, "--plot"),
        (
            [
                "compare",
                "us-eo-14409",
                "ca-sb53",
                "--plot",
                "x.svg",
                "--anchor",
                "2026-12-01T09:00",
            ],
            2,
            "a time needs its zone",
        ),
        (
            [
                "compare",
                "us-eo-14409",
                "ca-sb53",
                "--plot",
                "x.svg",
                "--anchor",
                "2026-02-29T09:00Z",
            ],
            2,
            "is no time such as",
        ),
        (["explain", "us-eo-14409", "--out", "/nowhere/page.html"], 2, "cannot be written"),
        (["check", "/nowhere"], 4, "is no folder"),
    ],
)
def test_what_cannot_be_is_one_line(argv: list[str], code: int, says: str, tmp_path: Path) -> None:
    """Field and cure, and an exit code by kind; no file is left behind."""
    done = run(*argv)
    assert done.exit_code == code, done.output
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not Path("x.svg").exists()


@pytest.mark.parametrize(
    ("option", "field"),
    [
        (("--anchor", "9999-12-31T09:00Z"), "--anchor"),
        (("--anchor", "0001-01-01T09:00Z"), "--anchor"),
        (("--on", "9999-12-31"), "--on"),
    ],
)
def test_a_picture_at_the_end_of_the_calendar_is_one_line(
    option: tuple[str, str], field: str, tmp_path: Path
) -> None:
    """Every date of the story lies in the calendar, or nothing is drawn."""
    plot = tmp_path / "x.svg"
    done = run("compare", "ca-sb53", "us-eo-14409", "--plot", str(plot), *option)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1), done.output
    assert f"{field}: the year {option[1][:4].lstrip('0')} is not from" in done.stderr
    assert not plot.exists()


def test_a_folder_is_named_also_from_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`check .` names files after the folder."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    Path("x.toml").write_text("id = 1\n")
    assert "mine/x.toml" in run("check", ".").stderr


def test_check_runs_the_examples_of_every_text() -> None:
    """What comes with Leadline holds."""
    done = run("check")
    assert done.exit_code == 0, done.output
    assert "ok  us-eo-14409.toml: " in done.stdout
    found = json.loads(run("check", "--json").stdout)["files"]
    assert {one["regime"] for one in found} == set(library().ids())
    assert all(one["examples"] for one in found)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('cites = "sec-3b"', 'cites = "nowhere"'), "cites"),
        (('status = "in-force"', 'status = "in-force"\ngate = 1'), "gate"),
        (("since = 2026-06-02", "since = 2026-06-31"), "TOML"),
        (("\n[window]\n", "\n[window]\ndays_before_anchor_min = 31\n"), "days_before_anchor_min"),
    ],
)
def test_check_names_file_and_key(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    """A wrong citation, an unknown key, a day that no calendar has, a floor above the ceiling."""
    content = ORDER.read_text("utf-8").replace("us-eo-14409", "my-law").replace(*change)
    assert content != ORDER.read_text("utf-8").replace("us-eo-14409", "my-law")
    (tmp_path / "my-law.toml").write_text(content)
    done = run("check", str(tmp_path))
    assert done.exit_code == 2
    assert "my-law.toml" in done.stderr
    assert says in done.stderr
    assert "ok  us-eo-14409.toml" in done.stdout


def test_an_installations_own_text_counts_from_the_next_command(tmp_path: Path) -> None:
    """A file under regimes/ of the installation is listed and explained; nothing else is needed."""
    (tmp_path / "regimes").mkdir()
    content = ORDER.read_text("utf-8").replace("us-eo-14409", "my-law")
    (tmp_path / "regimes" / "my-law.toml").write_text(content)
    assert "my-law  (" in run("list", home=tmp_path).stdout
    assert run("explain", "my-law", home=tmp_path).exit_code == 0


# Typer brings pydantic by itself.
SERVER = ["sqlalchemy", "jinja2", "fastapi", "vl_convert", "typst", "cedarpy", "alembic"]
BARE = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {SERVER!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from leadline.cli.main import app
app(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["regime", "list"], 0),
        (["regime", "explain", "ca-sb53"], 0),
        (["regime", "compare", "ca-sb53", "ny-raise"], 0),
        (["regime", "check"], 0),
        (["applies", "--answer", "training-operations=3e24"], 0),
        (["regime", "explain", "ca-sb53", "--out", "page.html"], 7),
        (["regime", "compare", "ca-sb53", "ny-raise", "--plot", "x.svg"], 7),
    ],
)
def test_the_base_install_reads_the_law(argv: list[str], code: int, tmp_path: Path) -> None:
    """Without the server's packages; only pages and pictures need them, and say what to install."""
    command = [sys.executable, "-c", BARE, *argv]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert ("pip install 'leadline[server]'" in done.stderr) is (code == 7)
