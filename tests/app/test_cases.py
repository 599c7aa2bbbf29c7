"""Cases: opened, joined, with parties that speak for themselves, an embargo, moves and an end."""

import sys
import time
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from case_world import CaseWorld
from leadline.app import case_view, cases
from leadline.app.cases import NewParty
from leadline.core.clearing.case import standing
from leadline.core.clearing.case_file import CaseFile, credit_commitment
from leadline.core.clearing.case_words import (
    Affected,
    Answer,
    Clock,
    Embargo,
    FixState,
    Move,
    Report,
    Role,
)
from leadline.core.clearing.coordination import Moved, Stated
from leadline.core.clearing.finding import Finding
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.record.act import Act, Kind, instant

EVIDENCE = "e" * 64


def test_open_names_the_opener_and_the_finders_and_moves_the_findings() -> None:
    """Whoever opens a case is in it in the same transaction; the finder sees its outer part alone."""
    world = CaseWorld()
    case = world.open()
    stands = cases.standing(world.at("screener"), case)
    assert stands.policy == "leadline-default"
    assert [(one.role, one.person) for one in stands.present] == [
        (Role.COORDINATOR, "screener"),
        (Role.FINDER, "finder"),
    ]
    assert stands.findings == (world.findings[0],)
    assert stands.embargoed(world.now)
    assert stands.public_at is None
    with world.store.read() as view:
        assert view.get(Finding, world.findings[0]).bounds.case == case
    with pytest.raises(Denied):
        cases.standing(world.at("finder"), case)
    with pytest.raises(Refused, match="in a case already"):
        world.open()


def test_what_is_refused_at_opening_leaves_nothing() -> None:
    """An unknown disclosure policy is never another one; no act and no row is left behind."""
    world = CaseWorld()
    before = len(world.world.acts())
    with pytest.raises(Invalid, match="no disclosure policy 'cvd-90'; there are anthropic"):
        world.open(policy="cvd-90")
    with pytest.raises(Invalid, match="title"):
        cases.open_case(
            world.at("screener"), world.findings[:1], title=" ", policy="leadline-default"
        )
    with pytest.raises(NotFound):
        cases.open_case(world.at("screener"), ["0" * 64], title="t", policy="leadline-default")
    assert len(world.world.acts()) == before
    for person in ("finder", "maintainer", "hospital", "clearing-auditor", "second-screener"):
        if person != "second-screener":
            with pytest.raises(Denied):
                cases.open_case(
                    world.at(person), world.findings[:1], title="t", policy="leadline-default"
                )


def test_a_second_finder_joins_and_a_stranger_may_nothing() -> None:
    """Further findings of the root cause bring their finder; those not named are refused alike."""
    world = CaseWorld()
    case = world.open()
    cases.join(world.at("screener"), case, world.findings[1:])
    stands = cases.standing(world.at("screener"), case)
    assert stands.findings == tuple(world.findings)
    assert [one.person for one in stands.present if one.role is Role.FINDER] == [
        "finder",
        "other-finder",
    ]
    for person in ("stranger", "second-screener", "hospital", "clearing-auditor"):
        ctx = world.at(person)
        told = set()
        for id_ in (case, "case-that-is-not-there"):
            for ask in (cases.standing, case_view.view):
                with pytest.raises(Denied) as refused:
                    ask(ctx, id_)
                told.add(str(refused.value).replace(id_, ""))
        assert len(told) == 1
        assert case_view.listed(ctx) == ()
    with pytest.raises(Invalid, match="at least one"):
        cases.join(world.at("screener"), case, [])


def test_parties_get_what_their_part_needs_for_as_long_as_a_grant_lasts() -> None:
    """An owner is named for all of it, a downstream for its outer part; adding again renews."""
    world = CaseWorld()
    case = world.peopled()
    assert case in world.at("maintainer").principal.cases
    assert world.at("downstream").principal.cases == {case + cases.OUTER}
    world.world.after(days=29)
    first = world.parties["downstream"]
    assert world.add(case, "downstream", Role.DOWNSTREAM, need="builds the fix") == first
    assert world.at("downstream").principal.cases == {case + cases.OUTER, case}
    world.world.after(days=2)
    assert world.at("maintainer").principal.cases == frozenset()
    assert world.at("downstream").principal.cases == {case}


def test_a_need_that_is_taken_back_leaves_the_outer_part() -> None:
    """Written down anew without a need, or with its part that had one gone, nobody reads the content."""
    world = CaseWorld()
    case = world.peopled()
    world.add(case, "downstream", Role.DOWNSTREAM, need="builds the fix")
    cases.standing(world.at("downstream"), case)
    world.add(case, "downstream", Role.DOWNSTREAM)
    assert world.at("downstream").principal.cases == {case + cases.OUTER}
    owner = world.parties["maintainer"]
    world.add(case, "maintainer", Role.DOWNSTREAM)
    cases.standing(world.at("maintainer"), case)
    cases.remove_party(world.at("screener"), case, owner, "hands the project over")
    assert world.at("maintainer").principal.cases == {case + cases.OUTER}
    with pytest.raises(Denied):
        cases.standing(world.at("maintainer"), case)


def test_a_party_that_leaves_is_named_no_more() -> None:
    """Its grants end with the act; the last coordinator stays."""
    world = CaseWorld()
    case = world.peopled()
    cases.remove_party(world.at("screener"), case, world.parties["maintainer"], "sold the project")
    with pytest.raises(Denied):
        cases.standing(world.at("maintainer"), case)
    with pytest.raises(Refused, match="last coordinator"):
        cases.remove_party(world.at("screener"), case, world.parties["screener"], "tired")
    with pytest.raises(Invalid, match="no other party"):
        world.add(case, "screener", Role.OWNER)
    with pytest.raises(NotFound):
        cases.remove_party(world.at("screener"), case, world.parties["maintainer"], "again")


def test_each_party_speaks_for_itself() -> None:
    """A coordinator writes down only for a party without an account, and says where it answered."""
    world = CaseWorld()
    case = world.peopled()
    owner = world.parties["maintainer"]
    stands = cases.state(world.at("maintainer"), case, owner, Stated(Report.VALID))
    assert stands.participants[owner].word == "valid"
    with pytest.raises(Refused, match="speaks for itself"):
        cases.state(world.at("screener"), case, owner, Stated(Report.ACCEPTED), "a mail")
    with pytest.raises(Denied):
        cases.state(world.at("downstream"), case, owner, Stated(Report.ACCEPTED))
    silent = cases.add_party(world.at("screener"), case, NewParty(Role.OWNER, "no account"))
    with pytest.raises(Invalid, match="reference"):
        cases.state(world.at("screener"), case, silent, Stated(Report.VALID))
    stands = cases.state(
        world.at("screener"), case, silent, Stated(affected=Affected.NOT_AFFECTED), "mail of 1 May"
    )
    assert stands.participants[silent].affected is Affected.CLAIMED
    assert cases.own_party(world.at("maintainer"), case) == owner


def test_an_embargo_is_agreed_revised_and_ended_by_all() -> None:
    """The shortest date governs; a change has a reason; the end needs everybody."""
    world = CaseWorld()
    case = world.peopled()
    until = world.now + timedelta(days=30)
    stands = cases.propose(world.at("maintainer"), case, until)
    held = stands.terms.proposal
    assert held is not None
    assert held.asked == (world.parties["finder"],)
    early = until - timedelta(days=5)
    stands = cases.answer(world.at("finder"), case, Answer.ACCEPT, until=early)
    assert stands.embargo(world.now) is Embargo.ACTIVE
    assert stands.public_at == early
    with pytest.raises(Invalid, match="with a reason"):
        cases.propose(world.at("maintainer"), case, until)
    cases.propose(world.at("finder"), case, until, reason="a holiday")
    stands = cases.answer(world.at("maintainer"), case, Answer.DECLINE)
    assert (stands.embargo(world.now), stands.public_at) == (Embargo.ACTIVE, early)
    with pytest.raises(Refused, match="did not agree"):
        cases.end_embargo(world.at("screener"), case, [world.parties["finder"]])
    both = [world.parties["finder"], world.parties["maintainer"]]
    stands = cases.end_embargo(world.at("screener"), case, both)
    assert not stands.embargoed(world.now)
    with pytest.raises(Refused, match="the embargo ended"):
        cases.propose(world.at("maintainer"), case, until, reason="again")


def test_publication_ends_the_embargo_and_names_the_act() -> None:
    """A proposal after it is refused with the act that made it public."""
    world = CaseWorld()
    case = world.peopled()
    stands = cases.move(world.at("screener"), case, Moved(Move.ELSEWHERE, EVIDENCE))
    act = next(one for one in stands.acts if one.kind is Kind.CASE_MOVED)
    with pytest.raises(Refused, match=f"by {act.id}: nothing keeps it secret"):
        cases.propose(world.at("maintainer"), case, world.now + timedelta(days=3))
    assert not stands.embargoed(world.now)
    with pytest.raises(Denied):
        cases.move(world.at("maintainer"), case, Moved(Move.PUBLIC))


def test_attacks_end_an_agreed_embargo_in_the_same_transaction() -> None:
    """The act that ends it is followed by the one that says so."""
    world = CaseWorld()
    case = world.peopled()
    cases.propose(world.at("maintainer"), case, world.now + timedelta(days=30))
    cases.answer(world.at("finder"), case, Answer.ACCEPT)
    stands = cases.move(world.at("screener"), case, Moved(Move.ATTACKS, EVIDENCE))
    assert [act.kind for act in stands.acts[-2:]] == [Kind.CASE_MOVED, Kind.EMBARGO_ENDED]
    assert stands.embargo(world.now) is Embargo.EXITED


def test_rediscovery_proposes_and_never_releases() -> None:
    """Found again by another: an earlier date is proposed to everybody; it stays secret."""
    world = CaseWorld()
    case = world.peopled()
    cases.propose(world.at("maintainer"), case, world.now + timedelta(days=60))
    cases.answer(world.at("finder"), case, Answer.ACCEPT)
    stands = cases.move(world.at("screener"), case, Moved(Move.REDISCOVERED, EVIDENCE))
    assert stands.terms.proposal is not None
    assert stands.terms.proposal.until == world.now + timedelta(days=14)
    assert stands.embargo(world.now) is Embargo.REVISE
    assert stands.embargoed(world.now + timedelta(days=20))
    alone = CaseWorld()
    lonely = cases.open_case(
        alone.at("screener"), [], title="nobody else", policy="leadline-default"
    )
    stands = cases.move(alone.at("screener"), lonely, Moved(Move.REDISCOVERED, EVIDENCE))
    assert stands.terms.proposal is None


def test_no_embargo_under_a_text_without_one() -> None:
    """What it governs is public; a proposal is refused."""
    world = CaseWorld()
    case = world.peopled("linux-kernel-ai-found")
    stands = cases.standing(world.at("screener"), case)
    assert not stands.embargoed(world.now)
    with pytest.raises(Refused, match="has no embargo"):
        cases.propose(world.at("maintainer"), case, world.now + timedelta(days=3))


def test_silence_shows_at_once_and_is_recorded_once() -> None:
    """After the disclosure policy's days it goes to a coordinator, with or without a sweep."""
    world = CaseWorld()
    case = world.peopled()
    owner = world.parties["maintainer"]
    with world.store.write() as tx:
        sent = world.at("screener").act(
            Kind.DRAFT_SENT, case, "", party=owner, draft="d", sent=instant(world.now)
        )
        tx.record(sent)
    world.world.after(days=29)
    world.add(case, "maintainer", Role.OWNER)  # the grant is renewed; nothing is said
    cases.add_party(
        world.at("screener"),
        case,
        NewParty(Role.COORDINATOR, "the screener", person="screener", need="goes on"),
    )
    world.world.after(days=1)
    ctx = world.at("screener")
    assert cases.standing(ctx, case).silent(world.now) == (owner,)
    found = cases.sweep(ctx)
    assert {(one.clock, one.goes_to) for one in found} == {
        (Clock.ACKNOWLEDGE, "coordinator"),
        (Clock.SILENCE, "coordinator"),
        (Clock.EXISTENCE, "coordinator"),
    }
    assert cases.sweep(ctx) == ()
    assert cases.listed(ctx)[0].participants[owner].affected is Affected.UNSAID
    assert cases.sweep(world.at("maintainer")) == ()


def test_credit_is_decided_once() -> None:
    """Recorded, and unchanged afterwards."""
    world = CaseWorld()
    case = world.peopled()
    finder = world.parties["finder"]
    stands = cases.credit(world.at("screener"), case, finder, "A. Finder")
    assert [one.party for one in stands.credits] == [finder]
    with world.store.read() as view:
        (made,) = [one.act for one in view.acts(about=case) if one.act.kind is Kind.CREDIT_DECIDED]
        held = view.get(CaseFile, case).value.party(finder)
    assert made.detail["name"] == credit_commitment(bytes.fromhex(held.blinder), "A. Finder")
    assert made.detail["name"] != sha256(b"A. Finder").hexdigest()  # which anybody could guess
    with pytest.raises(Refused, match="not changed afterwards"):
        cases.credit(world.at("screener"), case, finder, "B. Finder")
    with pytest.raises(Refused, match="goes to a finder"):
        cases.credit(world.at("screener"), case, world.parties["maintainer"], "M")


def test_a_party_that_is_added_again_keeps_its_credit() -> None:
    """With what opens the act's commitment to it; the rest is as it was written down last."""
    world = CaseWorld()
    case = world.peopled()
    finder = world.parties["finder"]
    cases.credit(world.at("screener"), case, finder, "A. Finder")
    with world.store.read() as view:
        before = view.get(CaseFile, case).value.party(finder)
    again = NewParty(Role.FINDER, before.name, "finder@new.example", person="finder")
    assert cases.add_party(world.at("screener"), case, again) == finder
    with world.store.read() as view:
        held = view.get(CaseFile, case).value.party(finder)
    assert held == replace(before, contact="finder@new.example")
    assert held.credit == "A. Finder"


def test_another_disclosure_policy_counts_from_the_act() -> None:
    """A change has a reason and is refused once nothing is secret."""
    world = CaseWorld()
    case = world.peopled()
    with pytest.raises(Invalid, match="reason"):
        cases.choose(world.at("screener"), case, "cert-cc-45", "")
    stands = cases.choose(world.at("screener"), case, "cert-cc-45", "the finder asks for it")
    assert stands.policy == "cert-cc-45"
    with pytest.raises(Refused, match="governs already"):
        cases.choose(world.at("screener"), case, "cert-cc-45", "again")
    cases.move(world.at("screener"), case, Moved(Move.PUBLIC))
    with pytest.raises(Refused, match="secret no more"):
        cases.choose(world.at("screener"), case, "leadline-default", "too late")


def test_closing() -> None:
    """Secret and with vendors at work it stays open; once public it closes, and takes nothing more."""
    world = CaseWorld()
    case = world.peopled()
    with pytest.raises(Refused, match="not done"):
        cases.close(world.at("screener"), case, "tired")
    cases.move(world.at("screener"), case, Moved(Move.PUBLIC))
    cases.close(world.at("screener"), case, "published")
    with pytest.raises(Refused, match="was closed"):
        world.add(case, "stranger", Role.OWNER)
    with pytest.raises(Refused, match="was closed"):
        cases.join(world.at("screener"), case, world.findings[1:])
    assert cases.fallen(cases.standing(world.at("screener"), case), world.now) == ()


def test_a_case_of_500_parties_and_2000_acts_is_seen_in_time() -> None:
    """Within 300 ms of processor time, view and all (clearinghouse reference, B7)."""
    world = CaseWorld()
    case = world.open()
    ctx = world.at("screener")
    for number in range(500):
        new = NewParty(Role.OWNER, f"vendor {number}", products=(f"pkg:generic/p{number}@1",))
        party = f"party-of-{number:04d}"
        with world.store.write() as tx:
            row = tx.get(CaseFile, case)
            file = cases._add(ctx, tx, row.value, party, new)
            cases._put(tx, row, file)
            for kind in (Kind.DRAFT_SENT, Kind.STATUS_STATED, Kind.STATUS_STATED):
                tx.record(ctx.act(kind, case, "", party=party, report="valid", sent=""))
    started = time.process_time()
    seen = case_view.view(ctx, case)
    took = time.process_time() - started
    assert len(seen.parties) == 502
    assert len(seen.timeline) > 2000
    traced = "coverage" in sys.modules  # whose counting takes longer than what is counted
    assert took < (3 if traced else 0.3)


def test_what_acts_say_counts_even_where_they_are_odd() -> None:
    """An act that a later version wrote, or a wrong one, changes nothing that it should not."""
    world = CaseWorld()
    case = world.peopled()
    good = cases.standing(world.at("screener"), case)
    odd = [
        Act("odd-1", Kind.PARTICIPANT_ADDED, world.now, "p", case, "", {"role": "king"}),
        Act("odd-2", Kind.PARTICIPANT_REMOVED, world.now, "p", case, "", {"party": "nobody"}),
        Act("odd-3", Kind.STATUS_STATED, world.now, "p", case, "", {"party": "nobody"}),
        Act("odd-4", Kind.EMBARGO_PROPOSED, world.now, "p", case, "", {"until": "soon"}),
        Act("odd-5", Kind.EMBARGO_ANSWERED, world.now, "p", case, "", {"proposal": "none"}),
        Act("odd-6", Kind.EMBARGO_BEGUN, world.now, "p", case, "", {"until": "2027-01-01"}),
        Act("odd-7", Kind.CASE_MOVED, world.now, "p", case, "", {"move": "sideways"}),
        Act("odd-8", Kind.DRAFT_SENT, world.now, "p", case, "", {"party": "nobody"}),
        Act("odd-9", Kind.CASE_MOVED, world.now, "p", case, "", {"move": "extended"}),
        Act("odd-10", Kind.FIX_MOVED, world.now, "p", "fix", "", {"state": "sent"}),
    ]
    found = standing((*good.acts, *odd), good.policies)
    assert found.participants == good.participants
    assert found.terms == good.terms
    assert found.clocks(world.now) == good.clocks(world.now)
    with pytest.raises(NotFound):
        standing(odd, good.policies)
    with pytest.raises(Invalid, match="no disclosure policy with digest"):
        standing(good.acts, {})


def test_a_fix_that_is_stated_and_deployed() -> None:
    """F before D; a finder has neither fix nor products."""
    world = CaseWorld()
    case = world.peopled()
    owner = world.parties["maintainer"]
    with pytest.raises(Refused, match="ready before it is deployed"):
        cases.state(world.at("maintainer"), case, owner, Stated(fix=FixState.DEPLOYED))
    cases.state(world.at("maintainer"), case, owner, Stated(fix=FixState.READY))
    stands = cases.state(world.at("maintainer"), case, owner, Stated(fix=FixState.DEPLOYED))
    assert stands.participants[owner].aware
    finder = world.parties["finder"]
    for said in (Stated(fix=FixState.READY), Stated(affected=Affected.AFFECTED)):
        with pytest.raises(Refused):
            cases.state(world.at("finder"), case, finder, said)
