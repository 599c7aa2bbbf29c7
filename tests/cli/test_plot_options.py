"""`--plot FOLDER`: pictures, their data and a page of them, and nothing else in the folder touched."""

import csv
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from typer.testing import CliRunner

from leadline.cli.main import app
from leadline.cli.pictures import folder_for, table_csv
from leadline.core.errors import Invalid
from leadline.render.document import Column, Table

REPLAY = ("--threshold", "0.5", "--alpha", "0.1", "--holdout", "temporal")


def matrix(folder: Path, *, part: float = 0.0) -> Path:
    """Twelve models at thirty items of two families, with shares and a gap where *part* is given."""
    rng = np.random.default_rng(4)
    chance = expit(rng.normal(0, 2, 12)[:, None] - rng.normal(size=30))
    scores = (rng.random((12, 30)) < chance).astype(float)
    cells = [[f"{score:g}" for score in row] for row in scores]
    if part:
        cells[-1][0], cells[-1][1] = f"{part}", ""
    names = [f"{'web' if n % 2 else 'pwn'}/{n}" for n in range(30)]
    lines = [",".join(["model", *names])]
    lines += [",".join([f"m{n}", *row]) for n, row in enumerate(cells)]
    path = folder / "table.csv"
    path.write_text("\n".join(lines))
    return path


def runs(folder: Path) -> Path:
    """Three models at forty tasks of ever longer times."""
    rng = np.random.default_rng(1)
    rows = ["model,task,family,score,human_minutes"]
    for n in range(40):
        minutes = 2 ** (n / 4)
        for name, at in (("old", 4), ("new", 40), ("next", 150)):
            won = int(rng.random() < 1 / (1 + minutes / at))
            rows.append(f"{name},t{n},f{n % 3},{won},{minutes}")
    path = folder / "runs.csv"
    path.write_text("\n".join(rows))
    return path


def rows_of(path: Path) -> list[list[str]]:
    """A data file's rows."""
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_a_replay_draws_four_pictures_and_their_page(tmp_path: Path) -> None:
    """Each with its data; the page shows all of them, in a language, with words and without a script."""
    folder = tmp_path / "a" / "pictures"
    argv = ["decide", "replay", str(matrix(tmp_path)), *REPLAY, "--plot", str(folder), "--json"]
    done = CliRunner().invoke(app, argv)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    names = {"cost", "wealth", "wright", "families"}
    assert {path.name for path in folder.iterdir()} == {
        "index.html",
        *(f"{name}.{end}" for name in names for end in ("svg", "csv")),
    }
    page = (folder / "index.html").read_text()
    assert '<html lang="en">' in page
    assert "<script" not in page
    assert (
        len(re.findall(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="[^"]{40,}"', page)) == 4
    )
    assert all(f'href="{name}.svg"' in page and f'href="{name}.csv"' in page for name in names)
    assert "effort is excluded by nothing" in page
    most = max(told["per_model"], key=lambda one: one["used"])
    assert len(rows_of(folder / "wealth.csv")) == most["used"] + 2
    assert len(rows_of(folder / "cost.csv")) == told["decisions"] + 1
    assert [row[0] for row in rows_of(folder / "families.csv")[1:]] == [
        "pwn",
        "web",
        "all of table",
    ]


def test_a_model_and_families_may_be_chosen(tmp_path: Path) -> None:
    """The path of that model; the families of that table; a share between 0 and 1 and a gap are no bother."""
    source = matrix(tmp_path, part=0.5)
    given = tmp_path / "families.csv"
    lines = [f"{'web' if n % 2 else 'pwn'}/{n},{'easy' if n < 10 else 'hard'}" for n in range(30)]
    given.write_text("item,family\n" + "\n".join(lines))
    argv = ["decide", "replay", str(source), *REPLAY, "--plot", str(tmp_path / "p")]
    done = CliRunner().invoke(app, [*argv, "--model", "m11", "--families", str(given)])
    assert done.exit_code == 0, done.output
    assert "Path of one decision: m11" in (tmp_path / "p" / "index.html").read_text()
    rows = rows_of(tmp_path / "p" / "families.csv")
    assert [(row[0], row[1]) for row in rows[1:]] == [
        ("easy", "9"),
        ("hard", "20"),
        ("all of table", "29"),
    ]
    assert "Korn-Graubard" in rows[1][-1]
    assert rows[2][-1] == "wilson"


def test_horizons_draw_two_pictures(tmp_path: Path) -> None:
    """With dates the trend is told; without enough of them, why there is none."""
    source, folder = runs(tmp_path), tmp_path / "h"
    dates = tmp_path / "dates.csv"
    argv = ["horizon", "fit", str(source), "--replicates", "50", "--plot", str(folder)]
    dates.write_text("model,date\nold,2024-01-01\nnew,2025-01-01\nnext,2026-01-01\n")
    done = CliRunner().invoke(app, [*argv, "--released", str(dates)])
    assert done.exit_code == 0, done.output
    assert {path.name for path in folder.iterdir()} == {
        "index.html",
        *(f"{name}.{end}" for name in ("horizons", "logistic-grid") for end in ("svg", "csv")),
    }
    page = (folder / "index.html").read_text()
    assert re.search(r"Horizons double in \d+ days", page)
    assert (
        page.count('<figure class="tall">') == 1
    )  # more than a strip of a printed sheet: the trend
    assert rows_of(folder / "horizons.csv")[1][-1].startswith("202")
    dates.write_text("model,date\nold,2024-01-01\n")
    done = CliRunner().invoke(app, [*argv, "--released", str(dates)])
    assert "There is no trend: a trend needs three models" in (folder / "index.html").read_text()
    done = CliRunner().invoke(app, argv)
    assert "Released" not in rows_of(folder / "horizons.csv")[0]


def test_nothing_else_in_the_folder_is_touched(tmp_path: Path) -> None:
    """Other files stay; files of the same name are replaced, and a link is not written through."""
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("other")
    (folder / "index.html").symlink_to(elsewhere)
    argv = ["decide", "replay", str(matrix(tmp_path)), *REPLAY, "--plot", str(folder)]
    assert CliRunner().invoke(app, argv).exit_code == 0
    assert (folder / "mine.txt").read_text() == "mine"
    assert elsewhere.read_text() == "other"
    assert not (folder / "index.html").is_symlink()
    assert not list(folder.glob(".new-*"))


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--model", "m11"), 2, "--model: says what to draw; give --plot"),
        (("--plot", "{folder}/p", "--model", "m0"), 2, "'m0' was not decided about"),
        (("--plot", "{folder}/p", "--families", "{folder}/table.csv"), 2, "heading"),
        (("--plot", "{folder}/p", "--families", "{folder}/none"), 4, "is not there"),
        (("--plot", "{folder}/table.csv"), 2, "cannot be a folder"),
    ],
)
def test_what_cannot_be_drawn_is_named(
    tmp_path: Path, options: tuple[str, ...], status: int, words: str
) -> None:
    """One line of error with the option and the exit status of its kind."""
    source = matrix(tmp_path)
    given = [option.replace("{folder}", str(tmp_path)) for option in options]
    done = CliRunner().invoke(app, ["decide", "replay", str(source), *REPLAY, *given])
    assert done.exit_code == status, done.output
    assert words in done.output


def test_dates_without_a_folder_are_refused(tmp_path: Path) -> None:
    """They say what to draw, and there is nowhere to draw it."""
    argv = ["horizon", "fit", str(runs(tmp_path)), "--released", "dates.csv"]
    done = CliRunner().invoke(app, argv)
    assert done.exit_code == 2
    assert "--released: says what to draw" in done.output


def test_a_file_that_cannot_be_replaced_is_named(tmp_path: Path) -> None:
    """A folder stands where a picture should: the error names it, and no half-written file stays."""
    argv = ["decide", "replay", str(matrix(tmp_path)), *REPLAY, "--plot", str(tmp_path / "p")]
    (tmp_path / "p" / "cost.csv").mkdir(parents=True)
    done = CliRunner().invoke(app, argv)
    assert done.exit_code == 2
    assert "cost.csv cannot be written" in done.output
    assert not list((tmp_path / "p").glob(".new-*"))
    with pytest.raises(Invalid, match="cannot be a folder"):
        folder_for(tmp_path / "table.csv" / "deeper")


def test_data_with_commas_and_quotes_is_read_back_alike() -> None:
    """Names come back as they were."""
    table = Table("t", (Column("Name"), Column("Share")), (('a,"b"', "0.5"), ("c\nd", "1")))
    rows = list(csv.reader(table_csv(table).splitlines(keepends=True)))
    assert rows == [["Name", "Share"], ['a,"b"', "0.5"], ["c\nd", "1"]]


@pytest.mark.parametrize("missing", ["vl_convert", "jinja2"])
def test_a_base_install_is_told_what_pictures_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Before anything is worked out, with the command that installs it; without --plot it is not needed."""
    monkeypatch.setitem(sys.modules, missing, None)
    argv = ["decide", "replay", str(matrix(tmp_path)), *REPLAY]
    drawn = CliRunner().invoke(app, [*argv, "--plot", str(tmp_path / "p")])
    assert drawn.exit_code == 7
    assert f"pictures need {missing}; install it with: pip install" in drawn.output
    assert not (tmp_path / "p").exists()
    assert CliRunner().invoke(app, argv).exit_code == 0
