"""`leadline export` at the command line: made, verified without an installation, listed, referred."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import make
from desk_terminal import Terminal, opened, terminal
from leadline.app import vaulting
from leadline.app.vaulting import Material, Offer
from leadline.cli import export
from leadline.core.vaulting import Basis, Hold


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminal]:
    """An engagement with one piece of evidence and a hold."""
    with terminal(tmp_path, export.app) as made:
        on = opened(made.house, "evidence")
        material = Material(on.id, on.developer, "agency")
        offer = Offer(material, make.marking(), sealed=False, bytes_max=100)
        vaulting.deposit(made.house.ctx("evaluator"), offer, [b"a transcript"])
        now = made.house.clock.now
        hold = Hold("", on.id, None, Basis.LEGAL_HOLD, "a court's order", now, "")
        vaulting.place_hold(made.house.ctx("official"), material, hold)
        keys = made.house.door.parts.signer.vkeys()
        (tmp_path / "log.vkey").write_text(keys)
        yield made


def verified(folder: Path, *more: str) -> Result:
    """What the verifier says, without an installation."""
    key = str(folder.parent / "log.vkey")
    return CliRunner().invoke(export.app, ["verify", str(folder), "--key", key, *more])


def test_evidence_leaves_is_verified_and_referred(at: Terminal, tmp_path: Path) -> None:
    """From the vault to a prosecutor's desk, each step by a person."""
    out, words = tmp_path / "out", tmp_path / "context.txt"
    made = at.ok("official", "make", make.ENGAGEMENT, str(out), "--to", "a court", "--json")
    told = json.loads(made)
    assert (len(told["items"]), told["withheld"]) == (1, 0)
    assert "1 pieces of evidence, 0 withheld" in verified(out).output
    assert json.loads(verified(out, "--json").output)["to"] == "a court"
    words.write_text("Nothing is known of it.")
    facts = ("--to", "a prosecutor", "--authority", "18 USC 1030", "--context", str(words))
    place = (make.ENGAGEMENT, told["id"], *facts, "--key", str(at.key("official")))
    at.ok("official", "refer", *place)
    shown = at.ok("developer", "list", make.ENGAGEMENT)
    assert "official to a prosecutor under 18 USC 1030" in shown
    assert "kept under a court's order" in shown
    plain = json.loads(at.ok("official", "list", make.ENGAGEMENT, "--json"))
    assert [len(plain[name]) for name in ("exports", "referrals", "holds")] == [1, 1, 1]


def test_refusals_have_their_exit_codes(at: Terminal, tmp_path: Path) -> None:
    """And leave no folder behind."""
    out = tmp_path / "out"
    for person, more, code in (
        ("evaluator", (), 3),
        ("rival", (), 4),
        ("official", ("--purpose", "surveillance"), 5),
        ("official", ("--item", "nothing"), 4),
    ):
        done = at.run(person, "make", make.ENGAGEMENT, str(out), "--to", "a court", *more)
        assert done.exit_code == code, done.output
    assert not out.exists()
    assert "pieces of evidence in" in at.ok(
        "official", "make", make.ENGAGEMENT, str(out), "--to", "a court"
    )
    acts = out / "acts.jsonl"
    acts.write_bytes(acts.read_bytes().replace(b"a court", b"a fiend"))
    assert verified(out).exit_code == 8
