"""`leadline decide from-log` as a person uses it, and what the stand-alone commands need."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner
from typer.testing import Result as Ran

from eval_logs import FAILED, Told, answers, write
from leadline.cli.main import app
from leadline.core.measure.deciding import start
from leadline.core.measure.sequential import Design, Plan, Result
from leadline.formats.decision_log import DecisionLog, write_decision

KEYS = {
    *("models", "items", "threshold", "alpha", "beta", "indifference", "decisions", "seed"),
    *("median_fraction", "mean_fraction", "false_above", "false_below", "undetermined"),
    *("files", "families", "scorers", "copies", "difficulties", "per_model", "note", "misfit"),
}
EXTRAS = (
    *(
        "fastapi",
        "sqlalchemy",
        "psycopg",
        "uvicorn",
        "httpx",
        "jinja2",
        "cedarpy",
        "tink",
        "authlib",
    ),
    *("ray", "webauthn", "typst", "vl_convert", "joserfc", "alembic", "openai", "anthropic"),
)
OF_INSPECT = ("inspect_ai", "zstandard")
INSPECTS_OWN = {"fastapi", "uvicorn", "httpx", "jinja2"}  # what Inspect itself depends on
OUTER = tuple(
    f"leadline.{part}" for part in ("http", "store", "sandbox", "vault", "access", "suites")
)
ABSENT = """
import sys
from importlib.machinery import PathFinder

class Without:
    find_distributions = staticmethod(PathFinder.find_distributions)
    def __init__(self, names, finders):
        self.names, self.finders = names, finders
    def find_spec(self, name, path=None, target=None):
        if name in self.names or name.startswith(tuple(f"{one}." for one in self.names)):
            return None
        found = (one.find_spec(name, path, target) for one in self.finders)
        return next((spec for spec in found if spec is not None), None)

sys.meta_path = [Without(%r, list(sys.meta_path))]
from leadline.cli.main import app
app(%r)
"""


def call(*argv: object) -> Ran:
    """The command with a threshold of a half and an error of 5 in 100."""
    told = [str(one) for one in argv]
    return CliRunner().invoke(
        app, ["decide", "from-log", *told, "--threshold", "0.5", "--alpha", "0.05"]
    )


def without(names: Sequence[str], *argv: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own in which the modules *names* are not to be found."""
    script = ABSENT % (tuple(names), list(argv))
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Thirty-two items of which 28 were solved and one failed."""
    bits = "1" * 16 + "000" + "1" * 12
    return write(tmp_path / "a.eval", Told(answers(bits) | {("i31", 1): FAILED}))


def test_one_document_says_decision_row_and_what_a_replay_is(log: Path, tmp_path: Path) -> None:
    """Counts as `decide replay` has them, and for each model what was used, missing and would have cost."""
    other = write(tmp_path / "b.eval", Told(answers("0" * 20), model="made/two"))
    done = call(log, other, "--beta", "0.1", "--indifference", "0.02", "--seed", "7", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert set(told) >= KEYS
    assert (told["files"], told["models"], told["decisions"], told["items"]) == (2, 2, 2, 31)
    assert (told["alpha"], told["beta"], told["indifference"], told["seed"]) == (0.05, 0.1, 0.02, 7)
    assert told["scorers"] == {"letters": ["match"]}
    assert told["note"].endswith("the order was drawn afterwards")
    first, second = told["per_model"]
    assert (first["state"], second["state"]) == ("above", "below")
    assert (first["full"], second["full"]) == ("at or above", "short of")
    assert first["e_above"] >= 20 or first["used"] == 31
    assert (first["items"], first["items_missing"], first["runs_missing"]) == (31, 1, 1)
    assert first["mean"] == pytest.approx(28 / 31)
    assert first["mean_if_missing"] == pytest.approx([28 / 32, 29 / 32])
    assert (first["tokens_used"], first["tokens"]) == (100 * first["used"], 3100)
    assert 0 < told["median_fraction"] < 1


def test_people_get_a_line_a_model_and_the_caveat(log: Path, tmp_path: Path) -> None:
    """The table ends in what a replay is not; only what is missing somewhere is told."""
    whole = write(tmp_path / "b.eval", Told(answers("0" * 20), model="made/two"))
    done = call(log, whole)
    assert "made/one" in done.stdout
    assert "made/two" in done.stdout
    assert done.stdout.count("have no score") == 1
    assert "1 of 32 runs and 1 whole items have no score" in done.stdout
    assert "it shows what sampling would have cost" in done.stdout


def test_rows_of_other_models_give_difficulties(log: Path, tmp_path: Path) -> None:
    """A matrix in any form that `decide replay` reads; the items found in it are counted."""
    names = [f"i{n}" for n in range(31)]
    rows = [f"o{n}," + ",".join("01"[(n + item) % 3 > 0] for item in range(31)) for n in range(8)]
    matrix = tmp_path / "others.csv"
    matrix.write_text("model," + ",".join(names) + "\n" + "\n".join(rows))
    told = json.loads(call(log, "--difficulties", matrix, "--json").stdout)
    assert told["difficulties"] == {"models": 8, "items": 31}
    assert told["per_model"][0]["known_difficulties"] == 31


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        (["absent.eval"], 4, "is no file"),
        (["."], 4, "is no file"),
        (["few.eval"], 2, "9 items have a score"),
        (["text.eval"], 2, "no readable eval log"),
        (["few.eval", "--scorer", "judge"], 2, "name one of them with --scorer"),
        (["few.eval", "--indifference", "0.5"], 2, "zone"),
        (["few.eval", "--difficulties", "absent.csv"], 4, "is not there"),
    ],
)
def test_what_cannot_be_is_named(
    tmp_path: Path, argv: list[str], status: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line of error and the exit status of the contract."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "few.eval", Told(answers("1" * 9)))
    (tmp_path / "text.eval").write_text("no log")
    done = call(*argv)
    assert done.exit_code == status, done.output
    assert words in done.output


def test_it_needs_inspect_and_says_so(log: Path) -> None:
    """Without the extra: unavailable, with the command that installs it, and no trace."""
    argv = ["decide", "from-log", str(log), "--threshold", "0.5", "--alpha", "0.05"]
    done = without([*EXTRAS, *OF_INSPECT], *argv)
    assert done.returncode == 7, done.stderr
    assert "pip install 'leadline[inspect]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_needs_nothing_but_inspect(log: Path) -> None:
    """No server, store, sandbox or suite is imported on the way, nor any package of another extra."""
    argv = ["decide", "from-log", str(log), "--threshold", "0.5", "--alpha", "0.05", "--json"]
    forbidden = [one for one in EXTRAS if one not in INSPECTS_OWN]
    done = without([*forbidden, *OUTER], *argv)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decisions"] == 1


def test_a_decision_is_checked_by_the_base_install(tmp_path: Path) -> None:
    """Whoever is handed a decision needs no extra, store or sandbox to compute it again."""
    plan = Plan(
        suite_digest="s",
        items=tuple(f"i{n}" for n in range(12)),
        families=("f",) * 12,
        threshold=0.5,
        alpha_above=0.05,
        alpha_below=0.05,
        seed_commitment="c",
        design=Design.ACTIVE,
    )
    decision = start(plan, bytes(16)).update(Result(step, 1) for step in range(1, 6))
    path = tmp_path / "decision.json"
    path.write_bytes(write_decision(DecisionLog(plan, bytes(16), decision.log)))
    argv = ["decide", "verify", str(path), "--json"]
    done = without([*EXTRAS, *OF_INSPECT, *OUTER, "leadline.runner"], *argv)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["ok"], told["n"], told["successes"]) == (True, 5, 5)


def test_replay_and_horizon_need_the_base_install_only(tmp_path: Path) -> None:
    """No package of any extra, and no outer layer, is imported by the two that read tables."""
    matrix = tmp_path / "m.csv"
    rows = [f"m{n}," + ",".join("01"[(n * item) % 7 < n] for item in range(12)) for n in range(5)]
    matrix.write_text("model," + ",".join(f"i{n}" for n in range(12)) + "\n" + "\n".join(rows))
    runs = tmp_path / "r.csv"
    lines = [f"a,t{n},{int(n < 9)},{n + 1}" for n in range(14)] + ["a,t9,1,10"]
    runs.write_text("model,task,score,human_minutes\n" + "\n".join(lines))
    forbidden = [*EXTRAS, *OF_INSPECT, *OUTER, "leadline.runner"]
    replay = ["decide", "replay", str(matrix), "--threshold", "0.5", "--alpha", "0.05", "--json"]
    horizon = ["horizon", "fit", str(runs), "--replicates", "50", "--json"]
    for argv in (replay, horizon):
        done = without(forbidden, *argv)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["models"]


@pytest.mark.parametrize("noun", [("decide", "replay"), ("decide", "from-log"), ("horizon", "fit")])
def test_help_imports_no_numbers(noun: tuple[str, str]) -> None:
    """Help is quick: neither numpy nor scipy is imported for it."""
    done = without(["numpy", "scipy", *OF_INSPECT], *noun, "--help")
    assert done.returncode == 0, done.stderr
    assert "--json" in done.stdout
