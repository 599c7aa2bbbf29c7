"""Fixes on record: candidates and attempts, moves by people, the board, and who may do what."""

from dataclasses import replace

import pytest

from case_world import CaseWorld
from clearing_world import acts_about
from leadline.app import evidence, fixes
from leadline.core.clearing.evidence import Claim
from leadline.core.clearing.finding import UNNAMED_MODEL, Finding
from leadline.core.clearing.fix import Fix, FixState, Instead
from leadline.core.clearing.replaying import Bundle
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.marking import Tlp
from leadline.core.record.act import Kind
from replay_values import FakeWorkshop, a_bundle, sound_draft


@pytest.fixture
def house() -> CaseWorld:
    """Two findings, in one case that the screener opened."""
    return CaseWorld()


def opened(house: CaseWorld) -> tuple[str, str]:
    """A case of the first finding, and that finding."""
    from leadline.app import cases

    finding = house.findings[0]
    return cases.open_case(
        house.at("screener"), [finding], title="c", policy="leadline-default"
    ), finding


def fitting(house: CaseWorld, finding: str) -> Bundle:
    """A bundle whose proof is the one reported: the finding's row is made to name it."""
    bundle = a_bundle()
    with house.store.write() as tx:
        row = tx.get(Finding, finding)
        tx.put(
            finding,
            replace(row.value, proof_sha256=bundle.proof_sha256),
            marking=row.marking,
            bounds=row.bounds,
            expect=row.version,
        )
    return bundle


def test_a_candidate_is_labelled_and_kept_apart(house: CaseWorld) -> None:
    """Its patch in the vault, digests in the acts, its row bound to the case."""
    case, finding = opened(house)
    bundle = fitting(house, finding)
    done = fixes.propose(house.at("screener"), finding, bundle, FakeWorkshop(sound_draft()))
    assert done.candidate
    made, tested = acts_about(house.world, done.fix)
    assert (made.kind, tested.kind) == (Kind.FIX_PROPOSED, Kind.FIX_TESTED)
    assert (made.detail["case"], made.detail["finding"]) == (case, finding)
    assert (tested.detail["candidate"], tested.detail["variants_silent"]) == (True, 24)
    assert "src/a.c" not in repr((made, tested))
    with house.store.read() as view:
        row = view.get(Fix, done.fix)
    assert (row.bounds.case, row.marking.tlp) == (case, Tlp.AMBER_STRICT)
    assert house.world.vault.marking(row.value.patch).tlp is Tlp.RED
    text = fixes.patch(house.at("screener"), done.fix)
    assert b"written by a tool without a model (baseline); a person has to read it" in text
    assert text.endswith(b"+++ b/src/a.c\n")
    fix, stands = fixes.show(house.at("screener"), done.fix)
    assert (fix.made_by, stands.state) == ("baseline", FixState.PATCHED)


def test_a_draft_that_falls_short_is_on_record_and_no_candidate(house: CaseWorld) -> None:
    """With what happened, and the flaw stays where it was."""
    case, finding = opened(house)
    bundle = fitting(house, finding)
    short = sound_draft(outcome="masked", reason="a variant shows it", replay=None)
    done = fixes.propose(house.at("screener"), finding, bundle, FakeWorkshop(short))
    assert done.shortfalls == ("the judge: masked: a variant shows it",)
    (tested,) = acts_about(house.world, done.fix)
    assert (tested.detail["candidate"], tested.detail["verdict"]) == (False, "not run")
    assert b"a variant shows it" in house.world.vault.get(str(tested.detail["evidence"]))
    board = fixes.board(house.at("screener"), case)
    assert board.places[0].state is FixState.CANDIDATE
    assert [one.ended for one in fixes.listed(house.at("screener"), case)] == [
        "never became a candidate"
    ]
    with pytest.raises(NotFound):
        fixes.show(house.at("screener"), done.fix)


def test_a_model_is_named_with_consent_alone(house: CaseWorld) -> None:
    """Its digest stands in the record in either case."""
    _, finding = opened(house)
    bundle, ctx = fitting(house, finding), house.at("screener")
    by_model = sound_draft(origin="ai", made_by="maker/secret-model")
    first = fixes.propose(ctx, finding, bundle, FakeWorkshop(by_model))
    assert fixes.show(ctx, first.fix)[0].made_by == UNNAMED_MODEL
    assert b"secret-model" not in fixes.patch(ctx, first.fix)
    instead = Instead(first.fix, "better words")
    second = fixes.propose(
        ctx, finding, bundle, FakeWorkshop(by_model), instead, consent="by letter of 1 March"
    )
    assert fixes.show(ctx, second.fix)[0].made_by == "maker/secret-model"


def test_one_candidate_and_another_only_in_its_place(house: CaseWorld) -> None:
    """No subject is even asked while one stands; findings that are one flaw share it."""
    _, finding = opened(house)
    bundle, ctx = fitting(house, finding), house.at("screener")
    first = fixes.propose(ctx, finding, bundle, FakeWorkshop(sound_draft()))
    idle = FakeWorkshop(sound_draft())
    with pytest.raises(Refused):
        fixes.propose(ctx, finding, bundle, idle)
    other = house.findings[1]
    again = fitting(house, other)
    evidence.confirm(ctx, finding, other, Claim.SAME, "the same line, seen by a person")
    with pytest.raises(Refused):
        fixes.propose(ctx, other, again, idle)
    with pytest.raises(Invalid):
        fixes.propose(ctx, finding, bundle, idle, Instead(first.fix, ""))
    assert idle.asked == []
    second = fixes.propose(ctx, finding, bundle, idle, Instead(first.fix, "it broke a build"))
    assert fixes.show(ctx, first.fix)[1].superseded_by == second.fix
    with pytest.raises(Refused):
        fixes.move(ctx, first.fix, "sent", "security@example.org")


def test_a_person_sends_and_the_board_follows(house: CaseWorld) -> None:
    """Each move says what it rests on; none goes back; a recall ends it."""
    case, finding = opened(house)
    bundle, ctx = fitting(house, finding), house.at("screener")
    fix = fixes.propose(ctx, finding, bundle, FakeWorkshop(sound_draft())).fix
    steps = {
        "sent": "security@example.org",
        "merged": "c" * 40,
        "released": "1.2.0",
        "applied": "ward 3",
    }
    for to, where in steps.items():
        fixes.move(ctx, fix, to, f" {where} ")
        (place,) = fixes.board(ctx, case).places
        assert (place.state.value, place.fix) == (to, fix)
    moved = acts_about(house.world, fix, Kind.FIX_MOVED)
    assert [act.detail["where"] for act in moved] == list(steps.values())
    assert {act.detail["case"] for act in moved} == {case}
    for to, where, error in (
        ("sent", "again", Refused),
        ("approved", "x", Invalid),
        ("recalled", " ", Invalid),
    ):
        with pytest.raises(error):
            fixes.move(ctx, fix, to, where)
    fixes.move(ctx, fix, "recalled", "it loses data")
    with pytest.raises(Refused):
        fixes.move(ctx, fix, "recalled", "again")
    assert fixes.board(ctx, case).places[0].state is FixState.CANDIDATE
    assert len(acts_about(house.world, fix, Kind.FIX_MOVED)) == 5


def test_a_changed_proof_is_not_drafted_against(house: CaseWorld) -> None:
    """The fix would be for something else."""
    _, finding = opened(house)
    idle = FakeWorkshop(sound_draft())
    with pytest.raises(Invalid):
        fixes.propose(house.at("screener"), finding, a_bundle(), idle)
    assert idle.asked == []


def test_who_is_not_named_for_the_case_does_nothing(house: CaseWorld) -> None:
    """Nor learns anything of it."""
    case, finding = opened(house)
    bundle, ctx = fitting(house, finding), house.at("screener")
    fix = fixes.propose(ctx, finding, bundle, FakeWorkshop(sound_draft())).fix
    for who in ("other-finder", "hospital", "maintainer", "second-screener"):
        stranger = house.at(who)
        for deed in (
            lambda ctx=stranger: fixes.propose(ctx, finding, bundle, FakeWorkshop(sound_draft())),
            lambda ctx=stranger: fixes.move(ctx, fix, "sent", "x"),
            lambda ctx=stranger: fixes.show(ctx, fix),
            lambda ctx=stranger: fixes.patch(ctx, fix),
            lambda ctx=stranger: fixes.board(ctx, case),
            lambda ctx=stranger: fixes.listed(ctx, case),
        ):
            with pytest.raises((Denied, NotFound)):
                deed()
    assert [act.kind for act in acts_about(house.world, fix)] == [
        Kind.FIX_PROPOSED,
        Kind.FIX_TESTED,
    ]


def test_a_finding_that_is_in_no_case_yet(house: CaseWorld) -> None:
    """A screener may have a repair drafted for it; nobody else."""
    finding = house.findings[1]
    bundle = fitting(house, finding)
    done = fixes.propose(house.at("screener"), finding, bundle, FakeWorkshop(sound_draft()))
    assert done.candidate
    with pytest.raises((Denied, NotFound)):
        fixes.propose(house.at("other-finder"), finding, bundle, FakeWorkshop(sound_draft()))
