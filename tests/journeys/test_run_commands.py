"""`leadline run` on a real assessment: index, merge, forecast, and going on once frozen."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from journeys.assessments import EPOCHS, ITEMS
from leadline.app.request import assessment_id
from leadline.cli.run import app
from leadline.settings import Workspace
from leadline.store.shards import open_executor
from leadline.wiring import working

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.timeout(600),
    # Inspect leaves memory streams of its own to the garbage collector
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
]


@pytest.fixture
def out(undisturbed: Path, tmp_path: Path) -> Path:
    """An assessment of one's own."""
    return shutil.copytree(undisturbed, tmp_path / "out", symlinks=True)


def asked(*words: str) -> Result:
    """What `leadline run` answers."""
    return CliRunner().invoke(app, list(words))


def told(*words: str) -> dict[str, object]:
    """Its one JSON document."""
    done = asked(*words, "--json")
    assert done.exit_code == 0, done.output
    document: dict[str, object] = json.loads(done.stdout)
    return document


def test_index_and_merge_agree_with_the_report(out: Path) -> None:
    """Samples and solves of the summary are those of the index, and the metrics' are theirs too."""
    summary = json.loads((out / "summary.json").read_text())
    [suite] = [one for one in summary["suites"] if one["name"] == "planted"]
    solved = sum(family["solved"] for family in suite["families"])
    index = told("index", str(out))
    [counts] = [one for one in index["counts"] if one["suite"] == "planted"]  # type: ignore[attr-defined]
    assert counts["samples"] == ITEMS * EPOCHS
    assert counts["solved"] == solved
    assert (index["duplicates"], index["flags"], index["new_duplicates"]) == ([], [], 0)
    merged = told("merge", str(out))
    [group] = [one for one in merged["groups"] if one["suite"].startswith("planted ")]  # type: ignore[attr-defined]
    assert group["samples"] == ITEMS * EPOCHS
    [metrics] = group["metrics"].values()
    assert metrics["accuracy"] == pytest.approx(solved / (ITEMS * EPOCHS))
    words = asked("merge", str(out)).stdout
    assert "accuracy" in words
    assert "0 duplicates, not counted" in words
    assert "planted, baseline" in asked("index", str(out)).stdout


def test_an_assessment_does_not_differ_from_itself(out: Path) -> None:
    """Compared with itself: every item of its subject in common, no difference, and what is not excluded."""
    document = told("compare", str(out), str(out))
    assert document["kind"] == "one subject twice"
    [planted] = [one for one in document["suites"] if one["suite"] == "planted"]  # type: ignore[attr-defined]
    assert planted["paired"]["n_items"] == ITEMS
    assert planted["paired"]["point"] == 0
    assert planted["paired"]["low"] < 0 < planted["paired"]["high"]
    assert "uniform low effort" in asked("compare", str(out), str(out)).stdout


def test_a_log_that_is_gone_is_missed_by_name(out: Path) -> None:
    """A folder whose index names samples that no log holds is not merged."""
    next(iter((out / "logs").glob("*.eval"))).unlink()
    done = asked("merge", str(out), "--json")
    assert done.exit_code == 5
    assert "samples are missing" in done.stderr


def test_a_copy_of_a_log_is_a_duplicate(out: Path) -> None:
    """Found once, shown by name, counted in nothing."""
    log = next(iter((out / "logs").glob("*.eval")))
    before = told("index", str(out))["counts"]
    shutil.copy(log, log.with_name("9999-01-01T00-00-00-00-00_planted_copy.eval"))
    index = told("index", str(out))
    assert index["counts"] == before
    assert index["new_duplicates"]
    assert "duplicate: " in asked("index", str(out)).stdout
    merged = told("merge", str(out))
    assert len(merged["duplicates"]) == index["new_duplicates"]  # type: ignore[arg-type]


def test_a_finished_run_has_nothing_left_to_forecast(out: Path) -> None:
    """The document says so in numbers, the sentence in words."""
    document = told("forecast", str(out))
    assert document["attempts"] == 0
    assert document["fits"] is True
    assert document["budget"] == "no cap on the run"
    assert asked("forecast", str(out)).stdout.startswith("0 attempts left")


def test_a_frozen_run_goes_on_by_a_reason(out: Path) -> None:
    """Nothing is frozen at first; frozen shards are queued again, and left ones are forecast."""
    assert asked("thaw", str(out), "--reason", "a test").exit_code == 5
    place = Workspace(out.absolute())
    with closing(sqlite3.connect(place.state / "leadline.db")) as database, database:
        # one shard that nobody has begun: what a shard says is done is not left
        database.execute(
            "UPDATE shard SET state = 'queued', done = 0 WHERE seq = (SELECT max(seq) FROM shard)"
        )
    job = assessment_id(working.secret_of(place))
    with closing(open_executor(place.database)) as table:
        assert table.freeze(job) == 1
        assert told("forecast", str(out))["attempts"] == ITEMS
        done = asked("thaw", str(out), "--reason", "the alarm was our own check")
        assert done.stdout == "1 shards queued again\n", done.output
        assert [one.state for one in table.shards(job)].count("queued") == 1


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    """Each command says that nothing is there."""
    for words in (
        ["index", str(tmp_path)],
        ["compare", str(tmp_path), str(tmp_path)],
        ["forecast", str(tmp_path)],
        ["thaw", str(tmp_path), "--reason", "x"],
        ["merge", str(tmp_path)],
        ["merge", str(tmp_path / "a.eval"), str(tmp_path / "b.eval")],
    ):
        assert asked(*words).exit_code == 4, words
