"""`leadline run kill | settle | drill | scope` on an assessment that has ended, and on none."""

import json
import shutil
from pathlib import Path

import pytest

from journeys import assessments
from leadline.core import scope as rules

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]


@pytest.fixture
def out(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of an assessment that nobody disturbed."""
    copy = tmp_path / "out"
    shutil.copytree(undisturbed, copy, symlinks=True)
    return copy


def told(out: Path, *words: str, status: int = 0) -> str:
    """What `leadline run` prints, with the exit status that is due."""
    done = assessments.here(out.parent, "run", *words)
    assert done.exit_code == status, done.stderr[-2000:]
    return done.stdout if status == 0 else done.stderr


def test_the_tool_baseline_stays_in_scope(out: Path) -> None:
    """Not one entry, every source counted, and each sample names what was not observed."""
    document = json.loads(told(out, "scope", str(out), "--json"))
    assert document["samples"]
    assert all(sample["scope"] == [] for sample in document["samples"])
    ran = [sample for sample in document["samples"] if sample["unobserved"]]
    assert ran
    assert all(any("flow: not observed" in why for why in one["unobserved"]) for one in ran)
    counts = {one["source"]: one for one in document["counts"]}
    assert set(counts) == set(rules.SOURCES)
    assert counts["decoy"]["watched"] > 0
    assert "decoy: in 0 of" in told(out, "scope", str(out))


def test_scope_logs_are_sealed_in_the_bundle(out: Path) -> None:
    """The files stand beside the eval logs, under the digests of the results."""
    results = json.loads((out / "bundle" / "results.json").read_bytes())
    named = {name for shard in results for name in shard["logs"] if name.endswith(".scope.jsonl")}
    assert named
    assert named == {path.name for path in (out / "bundle" / "logs").glob("*.scope.jsonl")}


def test_nothing_runs_so_nothing_is_ended(out: Path) -> None:
    """No warden answers: said, and the run is kept from going on until the file is taken away."""
    assert "no warden answers" in told(out, "kill", str(out), "--reason", "late", status=7)
    assert (out / ".state" / "orders" / "stop").exists()
    assert told(out, "settle", str(out)) == "0 entered\n"
    assert "holds no assessment" in told(out, "kill", str(out.parent), status=4)


def test_a_drill_enters_the_record(out: Path) -> None:
    """As a further act of the assessment; printed without a folder, it enters none."""
    before = len(assessments.look(out).kinds("kill.drilled"))
    document = json.loads(told(out, "drill", "--out", str(out), "--json"))
    assert document["ok"]
    assert len(assessments.look(out).kinds("kill.drilled")) == before + 1
    words = told(out, "drill")
    assert "processes gone in" in words
    assert "key: refused in" in words
