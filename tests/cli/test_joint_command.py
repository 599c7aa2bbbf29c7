"""`leadline joint` at the command line: made here, received at another institute."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import make
from desk_terminal import Terminal, opened, terminal
from leadline.cli import joint
from leadline.core.record.act import Kind


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminal]:
    """An installation with a finished run."""
    (tmp_path / "ours").mkdir()
    with terminal(tmp_path / "ours", joint.app) as made:
        on = opened(made.house, "joint-assessment")
        ctx = made.house.ctx("evaluator")
        with ctx.store.write() as tx:
            tx.record(ctx.act(Kind.EVIDENCE_SEALED, "plan", on.id, results="a" * 64))
            tx.record(ctx.act(Kind.ASSESSMENT_FINISHED, "plan", on.id))
        run = tmp_path / "run"
        run.mkdir()
        summary = {"engagement": on.id, "subject": {"name": "m"}, "decision": {"samples_used": 4}}
        (run / "summary.json").write_text(json.dumps(summary))
        (run / "report.html").write_text("<!doctype html>")
        (tmp_path / "log.vkey").write_text(made.house.door.parts.signer.vkeys())
        yield made


def test_a_pack_goes_from_one_institute_to_the_other(at: Terminal, tmp_path: Path) -> None:
    """The receiver has an installation, people and an engagement of its own."""
    pack, key = tmp_path / "pack", str(tmp_path / "log.vkey")
    told = at.ok(
        "evaluator",
        "make",
        make.ENGAGEMENT,
        str(pack),
        *("--for", "uk-aisi", "--run", str(tmp_path / "run"), "--json"),
    )
    assert json.loads(told)["body"] == "uk-aisi"
    (tmp_path / "theirs").mkdir()
    with terminal(tmp_path / "theirs", joint.app) as other:
        opened(other.house)
        place = ("receive", make.ENGAGEMENT, str(pack), "--key", key)
        assert "agree in all 2 values" in other.ok("evaluator", *place)
        assert other.run("evaluator", *place).exit_code == 5
        (pack / "ours.json").write_text("{}")
        assert other.run("evaluator", *place, "--json").exit_code == 8


def test_refusals_have_their_exit_codes(at: Terminal, tmp_path: Path) -> None:
    """A profile there is not, a folder without a run, a person without the role."""
    pack, run = str(tmp_path / "pack"), str(tmp_path / "run")
    nowhere = str(tmp_path / "none")
    for person, more, code in (
        ("evaluator", ("--for", "nobody", "--run", run), 4),
        ("evaluator", ("--for", "uk-aisi", "--run", nowhere), 4),
        ("official", ("--for", "uk-aisi", "--run", run), 3),
        ("rival", ("--for", "uk-aisi", "--run", run), 4),
    ):
        done = at.run(person, "make", make.ENGAGEMENT, pack, *more)
        assert done.exit_code == code, done.output
    assert not Path(pack).exists()


def test_profiles_are_listed_field_by_field() -> None:
    """For people and for programs."""
    shown = CliRunner().invoke(joint.app, ["profiles"]).output
    assert "task_suites[].task_families[].attempts  <- suites[].families[].attempted" in shown
    told = json.loads(CliRunner().invoke(joint.app, ["profiles", "--json"]).output)
    assert told["profiles"][0]["id"] == "uk-aisi"
