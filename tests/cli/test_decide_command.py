"""`leadline decide replay` as a person uses it: one table in, one document out."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from typer.testing import CliRunner

from leadline.cli.main import app

KEYS = {
    *("models", "items", "threshold", "alpha", "beta", "indifference", "holdout", "decisions"),
    *("median_fraction", "mean_fraction", "false_above", "false_below", "undetermined"),
}


def table(tmp_path: Path) -> Path:
    """Twenty models by forty items as bits, with the list of items beside it."""
    rng = np.random.default_rng(4)
    chance = expit(rng.normal(0, 2, 20)[:, None] - rng.normal(size=40))
    rows = ["".join("01"[int(x)] for x in line) for line in rng.random((20, 40)) < chance]
    path = tmp_path / "runs.csv"
    path.write_text("agent,bits\n" + "\n".join(f"m{n},{bits}" for n, bits in enumerate(rows)))
    (tmp_path / "runs_items.txt").write_text("\n".join(f"i{n}" for n in range(40)))
    return path


@pytest.mark.parametrize(("holdout", "count"), [("loo", 20), ("temporal", 10)])
def test_one_document_has_the_contracts_keys(tmp_path: Path, holdout: str, count: int) -> None:
    """Every key is there; the three outcomes are counts, fractions are of the items."""
    argv = ["--threshold", "0.5", "--alpha", "0.05", "--holdout", holdout, "--json"]
    done = CliRunner().invoke(app, ["decide", "replay", str(table(tmp_path)), *argv])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert set(told) >= KEYS
    assert (told["decisions"], told["items"], told["beta"]) == (count, 40, 0.05)
    assert 0 < told["median_fraction"] <= 1
    assert told["false_above"] + told["false_below"] <= 1
    assert len(told["per_model"]) == count


def test_people_get_a_line(tmp_path: Path) -> None:
    """Counts and shares in words."""
    argv = ["--threshold", "0.4", "--alpha", "0.1", "--beta", "0.2", "--indifference", "0.05"]
    argv += ["--holdout", "temporal"]
    done = CliRunner().invoke(app, ["decide", "replay", str(table(tmp_path)), *argv])
    assert "10 decisions" in done.stdout
    assert "in median" in done.stdout


@pytest.mark.parametrize(
    ("content", "options", "status", "words"),
    [
        (None, (), 4, "is not there"),
        (b"model,i\na,1\n", (), 2, "1 models and 1 items"),
        (b"agent,bits\na,01\n", (), 2, "list of items"),
        (b"\xff", (), 2, "no UTF-8"),
        (b"model,i\na,1\n", ("--holdout", "half"), 2, "neither loo nor temporal"),
        (b"model,i\na,1\n", ("--indifference", "0.5"), 2, "zone"),
    ],
)
def test_what_cannot_be_is_named(
    tmp_path: Path, content: bytes | None, options: tuple[str, ...], status: int, words: str
) -> None:
    """One line of error and the exit status of the contract."""
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_bytes(content)
    argv = ["decide", "replay", str(path), "--threshold", "0.5", "--alpha", "0.05", *options]
    done = CliRunner().invoke(app, argv)
    assert done.exit_code == status, done.output
    assert words in done.output
