"""`leadline horizon fit` as a person uses it: one file in, one table or one document out."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from leadline.cli.main import app

HEAD = "model,task,family,score,human_minutes\n"


def table(tmp_path: Path, name: str = "runs.csv") -> Path:
    """A model that solves short tasks, and one that solves all of them."""
    rng = np.random.default_rng(1)
    rows = []
    for n in range(60):
        minutes = 2 ** (n / 6)
        won = int(rng.random() < 1 / (1 + minutes / 20))
        rows += [f"able,t{n},f{n % 3},{won},{minutes}", f"all,t{n},f{n % 3},1,{minutes}"]
    path = tmp_path / name
    text = HEAD + "\n".join(rows)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["runs.csv", "runs.csv.gz"])
def test_one_document_has_every_model(tmp_path: Path, name: str) -> None:
    """Points, intervals and what is exhausted; an infinite number is null."""
    argv = ["horizon", "fit", str(table(tmp_path, name)), "--replicates", "50", "--json"]
    done = CliRunner().invoke(app, argv)
    assert done.exit_code == 0, done.output
    able, all_ = json.loads(done.stdout)["models"]
    assert able["p50_ci"][0] < able["p50"] < able["p50_ci"][1]
    assert able["p80"] < able["p50"]
    assert not able["saturated"]
    assert (all_["p50"], all_["p50_ci"][1], all_["saturated"]) == (None, None, True)


def test_what_the_times_rest_on_is_told(tmp_path: Path) -> None:
    """Families present, how human times were got, and the longest solved task with its attempts."""
    rows = [
        f"a,t{n},f{n % 2},{int(n < 9)},{n + 1},{'measured' if n < 6 else ''}" for n in range(12)
    ]
    path = tmp_path / "runs.csv"
    path.write_text(HEAD.strip() + ",human_minutes_source\n" + "\n".join(rows), encoding="utf-8")
    argv = ["horizon", "fit", str(path), "--replicates", "20"]
    told = json.loads(CliRunner().invoke(app, [*argv, "--json"]).stdout)
    assert told["tasks_by_family"] == {"f0": 6, "f1": 6}
    assert told["tasks_by_source"] == {"measured": 0.5, "unstated": 0.5}
    (one,) = told["models"]
    assert one["ceiling"]["task"] == "t8"
    assert (one["ceiling"]["attempts"], one["ceiling"]["next_minutes"]) == (1, [8, 7])
    assert "human times of 50% of the tasks: measured" in CliRunner().invoke(app, argv).stdout


def test_a_table_is_for_people(tmp_path: Path) -> None:
    """An exhausted suite says "at least", never an upper limit."""
    done = CliRunner().invoke(app, ["horizon", "fit", str(table(tmp_path)), "--replicates", "50"])
    assert "at least" in done.stdout
    assert "SATURATED" in done.stdout


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (None, 4, "is not there"),
        (b"", 2, "heading"),
        (b"\xff\xfe", 2, "no UTF-8"),
        (b"\x1f\x8bnot gzip", 2, "cannot be read"),
        (f"{HEAD}m,t,f,2,1\n".encode(), 2, "score, row 1"),
    ],
)
def test_a_file_that_cannot_be_is_named(
    tmp_path: Path, content: bytes | None, status: int, words: str
) -> None:
    """One line of error, with the field, and the exit status of the contract."""
    path = tmp_path / "runs.csv"
    if content is not None:
        path.write_bytes(content)
    done = CliRunner().invoke(app, ["horizon", "fit", str(path), "--json"])
    assert done.exit_code == status
    assert words in done.output
