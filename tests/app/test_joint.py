"""Joint packs: made under terms, verified by the receiver, and pooled with nothing."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from desk_world import DeskWorld
from leadline.app import bundle, joint, leaving
from leadline.app import engagement as desk
from leadline.app.joint import Pack, Run
from leadline.app.seal import seal
from leadline.core.assessment import ShardResult
from leadline.core.errors import Denied, Invalid, Refused, Tampered
from leadline.core.record.act import Kind
from leadline.formats import exchange
from leadline.wiring.exchange import profile, profiles

PROFILE, KNOWN = profile("uk-aisi"), profiles()
REPORT = b"<!doctype html>"


def measured(world: DeskWorld) -> None:
    """The acts that an assessment leaves."""
    ctx, on = world.at("evaluator"), world.on
    with ctx.store.write() as tx:
        for kind, detail in (
            (Kind.ASSESSMENT_PLANNED, {}),
            (Kind.EVIDENCE_SEALED, {"results": "b" * 64}),
            (Kind.EVIDENCE_SEALED, {"results": "a" * 64}),
            (Kind.ASSESSMENT_FINISHED, {}),
        ):
            tx.record(ctx.act(kind, "plan", on.id, **detail))


@pytest.fixture
def world() -> DeskWorld:
    """An engagement with a finished run, under terms that cover exchanging it."""
    made = DeskWorld()
    agreed(made, "assessment", "joint-assessment")
    measured(made)
    return made


def agreed(world: DeskWorld, *purposes: str, to: tuple[str, ...] = ()) -> None:
    """Terms that both sides sign."""
    terms = replace(world.terms(purposes=purposes), organisations=to)
    for person in ("developer", "official"):
        desk.agree_terms(world.at(person), world.on, terms)


def run(world: DeskWorld) -> Run:
    """A run as `leadline assess` leaves it."""
    summary: dict[str, object] = {
        "schema": "s",
        "engagement": world.on.id,
        "subject": {"kind": "model", "name": "m", "digest": "d" * 64},
        "suites": [
            {
                "name": "suite",
                "state": "ran",
                "families": [
                    {"name": "f", "attempted": 40, "interval": [0.1, 0.30000000000000004]}
                ],
            }
        ],
        "findings": [{"id": "finding-under-embargo"}],
    }
    return Run(summary, {"report.html": REPORT})


def made(world: DeskWorld, out: Path) -> Pack:
    """A pack for the institute, by the evaluator."""
    return joint.make(world.at("evaluator"), world.on, run(world), PROFILE, out)


def resealed(world: DeskWorld, folder: Path) -> None:
    """Sign whatever stands in the folder now."""
    seal(folder, world.signer, world.signer.vkeys().split("+")[0])


def test_a_pack_has_both_forms_the_report_and_the_runs_acts_alone(
    world: DeskWorld, tmp_path: Path
) -> None:
    """A pack has both forms the report and the runs acts alone."""
    pack = made(world, tmp_path / "pack")
    folder = tmp_path / "pack"
    theirs = json.loads((folder / "exchange.json").read_text())
    family = theirs["task_suites"][0]["task_families"][0]
    assert (family["attempts"], family["success_rate_interval"]) == (40, [0.1, 0.30000000000000004])
    assert (folder / "report.html").read_bytes() == REPORT
    told = b"".join(file.read_bytes() for file in folder.rglob("*.json*"))
    assert b"embargo" not in told
    lines = (folder / "acts.jsonl").read_text().splitlines()
    kinds = {json.loads(line)["record"]["kind"] for line in lines}
    assert kinds == {
        "assessment.planned",
        "evidence.sealed",
        "assessment.finished",
        "joint_pack.made",
    }
    (act,) = world.acts(Kind.JOINT_PACK_MADE)
    assert (act.detail["to"], act.detail["terms"]) == ("uk-aisi", pack.terms)
    assert pack.left_out == 2  # the engagement's id, and the finding


def test_the_receiver_verifies_and_keeps_where_it_came_from_and_pools_nothing(
    world: DeskWorld, tmp_path: Path
) -> None:
    """The receiver verifies and keeps where it came from and pools nothing."""
    pack = made(world, tmp_path / "pack")
    other = DeskWorld()
    got = joint.receive(
        other.at("evaluator"), other.on, tmp_path / "pack", world.signer.vkeys(), KNOWN
    )
    assert (got.pack, got.numbers) == (pack, 10)
    (act,) = other.acts(Kind.JOINT_PACK_RECEIVED)
    assert (act.about, act.detail["run"], act.detail["terms"]) == (pack.id, pack.run, pack.terms)
    forms = act.detail["forms"]
    assert isinstance(forms, Mapping)
    assert b'"attempts": 40' in other.vault.get(str(forms["exchange.json"]))
    with other.store.read() as view:
        assert view.find(ShardResult) == []
    assert other.acts(Kind.EVIDENCE_SEALED) == []
    with pytest.raises(Refused, match="received before"):
        joint.receive(
            other.at("evaluator"), other.on, tmp_path / "pack", world.signer.vkeys(), KNOWN
        )


def test_nothing_is_received_once_the_engagement_is_over(world: DeskWorld, tmp_path: Path) -> None:
    """After a withdrawal nothing comes to stand beside it, and nothing is kept."""
    made(world, tmp_path / "pack")
    other = DeskWorld()
    desk.withdraw(other.at("developer"), other.on)
    before = other.acts()
    with pytest.raises(Refused, match="was withdrawn"):
        joint.receive(
            other.at("evaluator"), other.on, tmp_path / "pack", world.signer.vkeys(), KNOWN
        )
    assert other.acts() == before
    assert not other.vault.content


def test_only_evaluators_exchange(world: DeskWorld, tmp_path: Path) -> None:
    """Only evaluators exchange."""
    for person in ("developer", "official", "officer", "partner", "rival", "auditor"):
        ctx = world.at(person)
        with pytest.raises(Denied):
            joint.make(ctx, world.on, run(world), PROFILE, tmp_path / "pack")
        with pytest.raises(Denied):
            joint.receive(ctx, world.on, tmp_path / "pack", "", KNOWN)
    assert not (tmp_path / "pack").exists()


def test_what_may_be_shared_comes_from_the_terms(tmp_path: Path) -> None:
    """Not before terms, not without the purpose, not to whom they do not name, not a day too late."""
    world = DeskWorld()
    measured(world)
    with pytest.raises(Refused):
        made(world, tmp_path / "pack")
    agreed(world, "assessment")
    with pytest.raises(Refused):
        made(world, tmp_path / "pack")
    agreed(world, "joint-assessment", to=("demonstration-programme",))
    with pytest.raises(Refused, match="uk-aisi is not among them"):
        made(world, tmp_path / "pack")
    agreed(world, "joint-assessment", to=("demonstration-programme", "uk-aisi"))
    made(world, tmp_path / "pack")
    world.after(days=60)
    with pytest.raises(Refused, match="expired"):
        made(world, tmp_path / "second")
    assert len(world.acts(Kind.USE_REFUSED)) == 4
    assert [one.name for one in tmp_path.iterdir()] == ["pack"]


def test_there_is_a_finished_run_of_this_engagement_and_a_new_folder(
    world: DeskWorld, tmp_path: Path
) -> None:
    """There is a finished run of this engagement and a new folder."""
    fresh = DeskWorld()
    agreed(fresh, "joint-assessment")
    with pytest.raises(Refused, match="no finished assessment"):
        made(fresh, tmp_path / "pack")
    with pytest.raises(Invalid, match="exists"):
        made(world, tmp_path)
    wrong = Run({**run(world).summary, "engagement": "another"}, {})
    with pytest.raises(Invalid, match="another engagement"):
        joint.make(world.at("evaluator"), world.on, wrong, PROFILE, tmp_path / "pack")
    assert world.acts(Kind.JOINT_PACK_MADE) == []


def test_one_altered_byte_is_refused_recorded_and_an_alert(
    world: DeskWorld, tmp_path: Path
) -> None:
    """One altered byte is refused recorded and an alert."""
    made(world, tmp_path / "pack")
    keys, other = world.signer.vkeys(), DeskWorld()
    for file in sorted((tmp_path / "pack").rglob("*")):
        if file.is_file():
            copy = tmp_path / "copy"
            shutil.copytree(tmp_path / "pack", copy)
            content = bytearray(file.read_bytes())
            content[len(content) // 3] ^= 1
            (copy / file.relative_to(tmp_path / "pack")).write_bytes(content)
            before = len(other.acts(Kind.BUNDLE_REFUSED))
            with pytest.raises(Tampered):
                joint.receive(other.at("evaluator"), other.on, copy, keys, KNOWN)
            assert len(other.acts(Kind.BUNDLE_REFUSED)) == before + 1
            shutil.rmtree(copy)
    assert other.acts(Kind.JOINT_PACK_RECEIVED) == []
    assert other.acts(Kind.ALERT_RAISED)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("exchange.json", b'"attempts": 40', b'"attempts": 41', "41 where ours has 40"),
        ("exchange.json", b'"attempts": 40', b'"attempts": 40.0', "40.0 where ours has 40"),
        ("exchange.json", b'"attempts"', b'"tries"', "differ"),
        ("exchange.json", b"{", b"[", "no JSON"),
        ("ours.json", b'"attempted": 40', b'"attempted": 40, "more": 1', "does not name it"),
    ],
)
def test_forms_that_do_not_agree_are_refused_by_the_place(
    world: DeskWorld, tmp_path: Path, name: str, old: bytes, new: bytes, told: str
) -> None:
    """Even where whoever made the pack signed the difference."""
    forged(world, tmp_path / "pack", name, old, new)
    with pytest.raises(Tampered, match=told):
        joint.verify(tmp_path / "pack", world.signer.vkeys(), KNOWN)


def forged(world: DeskWorld, out: Path, name: str, old: bytes, new: bytes) -> None:
    """A pack in which one form was changed before its act was written and the folder signed."""
    ctx, ours = world.at("evaluator"), exchange.shared(PROFILE, run(world).summary)
    theirs = exchange.exchanged(PROFILE, ours)
    parts = {"ours.json": exchange.dump(ours), "exchange.json": exchange.dump(theirs)}
    assert old in parts[name]
    parts[name] = parts[name].replace(old, new, 1)
    act = ctx.act(
        Kind.JOINT_PACK_MADE,
        "pack-forged",
        world.on.id,
        to=PROFILE.body,
        run=joint.run_digest(world.acts()),
        profile=PROFILE.digest,
        files={path: sha256(content).hexdigest() for path, content in parts.items()},
    )
    with ctx.store.write() as tx:
        tx.record(act)
    log = joint._log_parts(world.on, bundle.snapshot(ctx), act)
    leaving.write(ctx, out, {**parts, **log})


def test_a_signed_pack_of_other_files_than_its_act_names_is_refused(
    world: DeskWorld, tmp_path: Path
) -> None:
    """A signed pack of other files than its act names is refused."""
    folder = tmp_path / "pack"
    made(world, folder)
    report = folder / "report.html"
    for content, told in ((b"other", "not the file"), (None, "other files")):
        report.write_bytes(content) if content else report.unlink()
        resealed(world, folder)
        with pytest.raises(Tampered, match=told):
            joint.verify(folder, world.signer.vkeys(), KNOWN)


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ("joint_pack.made", "no joint pack"),
        ("assessment.finished", "no finished assessment"),
        ("a" * 64, "another run"),
    ],
)
def test_a_signed_pack_of_other_acts_is_refused(
    world: DeskWorld, tmp_path: Path, gone: str, told: str
) -> None:
    """A signed pack of other acts is refused."""
    folder = tmp_path / "pack"
    made(world, folder)
    acts = folder / "acts.jsonl"
    kept = [
        line for line in acts.read_bytes().splitlines(keepends=True) if gone.encode() not in line
    ]
    acts.write_bytes(b"".join(kept))
    resealed(world, folder)
    with pytest.raises(Tampered, match=told):
        joint.verify(folder, world.signer.vkeys(), KNOWN)


def test_a_bare_log_is_no_pack_and_a_strange_profile_is_refused(
    world: DeskWorld, tmp_path: Path
) -> None:
    """A bare log is no pack and a strange profile is refused."""
    folder = tmp_path / "pack"
    made(world, folder)
    with pytest.raises(Refused, match="not installed here"):
        joint.verify(folder, world.signer.vkeys(), ())
    shutil.copytree(folder / "tile", tmp_path / "bare" / "tile")
    shutil.copy(folder / "checkpoint", tmp_path / "bare" / "checkpoint")
    with pytest.raises(Tampered, match="no joint pack"):
        joint.verify(tmp_path / "bare", world.signer.vkeys(), KNOWN)


def test_the_run_is_known_by_its_results_whatever_their_order(world: DeskWorld) -> None:
    """The run is known by its results whatever their order."""
    acts = world.acts()
    assert joint.run_digest(acts) == joint.run_digest(reversed(acts))
    later = [replace(one, at=one.at + timedelta(days=1)) for one in acts]
    assert joint.run_digest(later) == joint.run_digest(acts)
