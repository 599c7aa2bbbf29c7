"""A decision is verified against the record that speaks of it, and every disagreement is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.test_assess import prepared, workspace
from fakes import MemoryStore
from leadline.app import assess, bundle, reporting
from leadline.app.decision_verify import DECISION, verify_decision
from leadline.cli.main import app
from leadline.core.errors import NotFound, Tampered
from leadline.formats.canonical import encode
from leadline.formats.values import plain
from leadline.vault.keys import open_signer
from leadline.wiring import home


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of one assessment."""
    place = workspace(tmp_path_factory.mktemp("decided"))
    signer = open_signer(place.keys / "log.key", home.ORIGIN)
    store = MemoryStore(lambda: bytes(32), home.KINDS)
    script = prepared(place, store, signer=signer)
    assess.run(script)
    found = reporting.gather(script)
    contents = bundle.contents(script, found)
    bundle.write(place.bundle, place.logs, signer, home.ORIGIN, contents)
    return place.bundle


def test_the_bundle_of_a_run_agrees_in_everything(sealed: Path) -> None:
    """Draws, seed, heads and determination; the log alone recomputes too and says that it stood alone."""
    found = verify_decision(sealed)
    assert len(found.checked) == 4
    assert not found.apart
    assert found.status.n > 0
    alone = verify_decision(sealed / DECISION)
    assert alone.apart
    assert alone.status == found.status
    assert len(alone.checked) == 1


Change = Callable[[dict[str, Any]], object]


def changed(sealed: Path, folder: Path, name: str, change: Change) -> Path:
    """The bundle with one change, to its decision or to its acts of one kind."""
    there = folder / "bundle"
    shutil.copytree(sealed, there)
    if name == DECISION:
        root = json.loads((there / name).read_bytes())
        change(root)
        (there / name).write_bytes(encode(plain(root)))
        return there
    lines = []
    for line in (there / "acts.jsonl").read_bytes().splitlines():
        opening = json.loads(line)
        if opening["record"]["kind"] == name and change(opening["record"]["detail"]) is None:
            continue
        lines.append(encode(plain(opening)) + b"\n")
    (there / "acts.jsonl").write_bytes(b"".join(lines))
    return there


def setting(field: str, value: object) -> Change:
    """A change of one field of an act's detail."""

    def change(detail: dict[str, Any]) -> object:
        detail[field] = value
        return detail

    return change


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        (DECISION, lambda root: root["log"][1].__setitem__("y", 1 - root["log"][1]["y"]), "record"),
        (DECISION, lambda root: root["log"].pop(), "whole log|another log"),
        (DECISION, lambda root: root.__setitem__("seed", "11" * 32), "record 1"),
        (DECISION, lambda root: root["plan"].__setitem__("threshold", "0.7"), "record 1"),
        ("seed.revealed", lambda _: None, "reveals no seed"),
        ("seed.revealed", setting("seed", "zz"), "no seed and salt"),
        ("seed.revealed", setting("seed", "22" * 32), "not the one committed to"),
        ("decision.advanced", lambda _: None, "whole log"),
        ("decision.advanced", setting("head", "00" * 32), "head of another log"),
        ("decision.advanced", setting("runs", 10_000), "head of another log"),
        ("decision.advanced", setting("runs", "3"), "head of another log"),
        ("decision.advanced", setting("plan", "00" * 32), "plan of another"),
        ("determination.recorded", setting("basis", "00" * 32), "rests on another log"),
    ],
)
def test_what_does_not_agree_is_named(
    sealed: Path, tmp_path: Path, name: str, change: Change, problem: str
) -> None:
    """A changed result, a shortened log, another seed or plan, heads and a basis that are others'."""
    with pytest.raises(Tampered, match=problem):
        verify_decision(changed(sealed, tmp_path, name, change))


def test_draws_of_another_seed_are_found_out(sealed: Path, tmp_path: Path) -> None:
    """A log that recomputes from a seed of one's own choice is not the one committed to."""
    from leadline.core.measure.deciding import start
    from leadline.core.measure.sequential import Result
    from leadline.formats.decision_log import DecisionLog, read_decision, write_decision

    there = tmp_path / "bundle"
    shutil.copytree(sealed, there)
    told = read_decision((there / DECISION).read_bytes())
    decision = start(told.plan, bytes(32))
    decision = decision.update(Result(one.step, 1) for one in decision.next_items(4))
    (there / DECISION).write_bytes(write_decision(DecisionLog(told.plan, bytes(32), decision.log)))
    with pytest.raises(Tampered, match="another seed"):
        verify_decision(there)


def test_without_a_determination_the_rest_is_verified(sealed: Path, tmp_path: Path) -> None:
    """A self-assessment needs none."""
    there = changed(sealed, tmp_path, "determination.recorded", lambda _: None)
    assert len(verify_decision(there).checked) == 3


def test_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    """A folder without a decision, and a path where nothing is."""
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(NotFound):
            verify_decision(path)


def test_the_command_tells_people_and_programs(sealed: Path, tmp_path: Path) -> None:
    """Exit 0 with what agrees; exit 8 with the place; a log alone says that it stood alone."""
    done = CliRunner().invoke(app, ["decide", "verify", str(sealed)])
    assert done.exit_code == 0
    assert done.stdout.count("agrees:") == 4
    alone = CliRunner().invoke(app, ["decide", "verify", str(sealed / DECISION)])
    assert "alone:" in alone.stdout
    told = CliRunner().invoke(app, ["decide", "verify", str(sealed), "--json"])
    assert json.loads(told.stdout)["ok"] is True
    wrong = changed(sealed, tmp_path, "seed.revealed", lambda _: None)
    done = CliRunner().invoke(app, ["decide", "verify", str(wrong), "--json"])
    assert done.exit_code == 8
    assert json.loads(done.stdout)["place"] == DECISION
