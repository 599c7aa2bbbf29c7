"""A link for a maintainer without an account: what it shows, what it takes, and when it counts no more."""

from datetime import timedelta

import pytest

from case_world import CaseWorld
from leadline.app import cases, drafts, maintainer_link
from leadline.app.cases import NewParty
from leadline.app.context import Context
from leadline.app.drafts import Asked
from leadline.app.maintainer_link import Choice, Given, Holder
from leadline.app.sign_in import NOBODY
from leadline.core.clearing.case_words import Affected, FixState, Report, Role
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.record.act import Kind

WHO = "screener"


def nobody(world: CaseWorld) -> Context:
    """A request of somebody who is not signed in."""
    from dataclasses import replace

    return replace(world.at(WHO), principal=NOBODY)


def open_case(world: CaseWorld, role: Role = Role.OWNER) -> tuple[str, str]:
    """A case with a party that has no account."""
    case = world.open()
    new = NewParty(role, "the project", "owner@project.example", (), "", "the-project")
    return case, cases.add_party(world.at(WHO), case, new)


def linked(world: CaseWorld, role: Role = Role.OWNER) -> tuple[str, str, str]:
    """The same, with a link; answers case, party and secret."""
    case, party = open_case(world, role)
    return case, party, maintainer_link.make(world.at(WHO), case, party)


def held(world: CaseWorld, token: str) -> Holder:
    """Whoever shows it."""
    return maintainer_link.holder(nobody(world), token)


def test_an_owner_reads_everything_that_owners_read() -> None:
    """The report, its label without the model's name, replays, the clock, who else knows; and it is an act."""
    world = CaseWorld()
    _, party, token = linked(world)
    page = maintainer_link.page(held(world, token))
    (told,) = page.told
    assert told.said == "canary-observation-0"
    assert told.label == (
        "found by an AI system (which one is not named, because its maker has not agreed)"
    )
    assert told.fired == (5, 5)
    assert told.repaired is None
    assert told.patch is None
    assert told.scope == "no terms of yours are on file here"
    assert {one.id for one in page.seen.parties} > {party}
    assert page.until > world.now
    assert world.world.acts()[-1].kind is Kind.ARTEFACT_READ
    assert token not in "".join(map(str, world.world.acts()))


def test_others_read_less() -> None:
    """A party downstream sees no content before a date is agreed, by a link too."""
    world = CaseWorld()
    _, party, token = linked(world, Role.DOWNSTREAM)
    page = maintainer_link.page(held(world, token))
    assert page.told == ()
    assert [one.id for one in page.seen.parties] == [party]
    assert "canary-observation" not in str(page)


@pytest.mark.parametrize(
    ("choice", "report", "affected", "fix"),
    [
        (Choice.CONFIRMED, Report.VALID, Affected.AFFECTED, FixState.NONE),
        (Choice.NOT_REPRODUCED, Report.INVALID, Affected.UNSAID, FixState.NONE),
        (Choice.OUT_OF_SCOPE, Report.INVALID, Affected.UNSAID, FixState.NONE),
        (Choice.KNOWN, Report.VALID, Affected.UNSAID, FixState.NONE),
        (Choice.FIXED, Report.VALID, Affected.UNSAID, FixState.DEPLOYED),
        (Choice.DECLINED, Report.RECEIVED, Affected.UNSAID, FixState.NONE),
        (Choice.PAUSE, Report.RECEIVED, Affected.UNSAID, FixState.NONE),
    ],
)
def test_each_answer_is_stated_as_that_party(
    choice: Choice, report: Report, affected: Affected, fix: FixState
) -> None:
    """In the words that a case has; the words themselves are sealed and reach a coordinator."""
    world = CaseWorld()
    case, party, token = linked(world)
    maintainer_link.answer(held(world, token), Given(choice, "canary-words"))
    stands = cases.standing(world.at(WHO), case).participants[party]
    assert (stands.report, stands.affected, stands.fix) == (report, affected, fix)
    assert stands.answered == world.now
    ((said, words),) = maintainer_link.answers(world.at(WHO), case)
    assert (said.choice, words) == (choice.value, "canary-words")
    assert "canary-words" not in "".join(map(str, world.world.acts()))
    page = maintainer_link.page(held(world, token))
    assert page.answers == ((said, "canary-words"),)


def test_whoever_works_on_it_declines_by_putting_it_off() -> None:
    """Confirmed, then declined: deferred; and taken up again."""
    world = CaseWorld()
    case, party, token = linked(world)
    for choice, report in (
        (Choice.CONFIRMED, Report.VALID),
        (Choice.CONFIRMED, Report.VALID),
        (Choice.DECLINED, Report.DEFERRED),
    ):
        maintainer_link.answer(held(world, token), Given(choice, "why"))
        assert cases.standing(world.at(WHO), case).participants[party].report is report
    with pytest.raises(Invalid, match="choice: after deferred comes"):
        maintainer_link.answer(held(world, token), Given(Choice.NOT_REPRODUCED, "why"))


def test_more_time_is_a_date_that_is_proposed() -> None:
    """Everybody concerned is asked; a date beyond the policy is refused, with the last one there is."""
    world = CaseWorld()
    case, party, token = linked(world)
    given = Given(Choice.MORE_TIME, "we are two", world.now + timedelta(days=20))
    maintainer_link.answer(held(world, token), given)
    proposal = cases.standing(world.at(WHO), case).terms.proposal
    assert proposal is not None
    assert (proposal.by, proposal.until) == (party, given.until)
    with pytest.raises(Invalid, match="until: say until when"):
        maintainer_link.answer(held(world, token), Given(Choice.MORE_TIME, "x"))


def test_what_is_missing_is_named() -> None:
    """Words, where a person has to know why; not too many."""
    world = CaseWorld()
    *_, token = linked(world)
    for words in ("", "x" * 4_001):
        with pytest.raises(Invalid, match="words: "):
            maintainer_link.answer(held(world, token), Given(Choice.DECLINED, words))


def test_a_link_counts_no_more() -> None:
    """Ended, beyond the clocks, its party gone or with an account, the case closed: as if it never was."""
    for change in range(5):
        world = CaseWorld()
        case, party, token = linked(world)
        ctx = world.at(WHO)
        if change == 0:
            ((link, until),) = maintainer_link.listed(ctx, case)
            assert until is not None
            maintainer_link.end(ctx, case, link.id)
            with pytest.raises(Refused, match="has ended already"):
                maintainer_link.end(ctx, case, link.id)
        elif change == 1:
            world.world.after(days=400)
        elif change == 2:
            cases.remove_party(ctx, case, party, "left")
        elif change == 3:
            cases.add_party(ctx, case, NewParty(Role.OWNER, "the project", person="maintainer"))
        else:
            maintainer_link.answer(held(world, token), Given(Choice.NOT_REPRODUCED, "no"))
            cases.close(world.at(WHO), case, "it is none")
        with pytest.raises(NotFound) as ended:
            held(world, token)
        with pytest.raises(NotFound) as unknown:
            held(world, maintainer_link.new_token())
        assert str(ended.value) == str(unknown.value)
        assert world.world.acts()[-1].kind is Kind.CREDENTIAL_REFUSED
        if change != 1:  # by then the coordinator's own access has ended as well
            assert maintainer_link.listed(world.at(WHO), case)[0][1] is None


def test_a_link_reaches_nothing_else() -> None:
    """Neither another case nor what a coordinator does in its own."""
    world = CaseWorld()
    case, _, token = linked(world)
    other = world.open(1)
    ctx = held(world, token).ctx
    for refused in (
        lambda: cases.standing(ctx, other),
        lambda: cases.close(ctx, case, "x"),
        lambda: maintainer_link.make(ctx, case, "party"),
        lambda: maintainer_link.answers(ctx, case),
        lambda: drafts.listed(ctx, case),
    ):
        with pytest.raises(Denied):
            refused()


def test_who_makes_a_link_and_for_whom() -> None:
    """A coordinator of the case, for somebody who makes something and has no account."""
    world = CaseWorld()
    case, party = open_case(world)
    with pytest.raises(Denied):
        maintainer_link.make(world.at("maintainer"), case, party)
    person = world.add(case, "upstreamer", Role.UPSTREAM)
    finder = next(
        one.id for one in cases.standing(world.at(WHO), case).present if one.role is Role.FINDER
    )
    for nobody_ in (person, finder):
        with pytest.raises(Refused, match="gets no link"):
            maintainer_link.make(world.at(WHO), case, nobody_)
    with pytest.raises(NotFound):
        maintainer_link.end(world.at(WHO), case, "none")


def test_a_draft_brings_its_link_and_the_one_before_ends() -> None:
    """The text names it; a text that takes its place has another; without an address there is none."""
    from dataclasses import replace

    world = CaseWorld()
    case, party = open_case(world)
    ctx = replace(world.at(WHO), site="https://portal.example")
    first = drafts.write(ctx, case, Asked((party,))).messages[0]
    text = drafts.shown(ctx, first.id).text.decode()
    token = text.partition("https://portal.example/report/")[2].split()[0]
    assert maintainer_link.page(held(world, token)).party == party
    drafts.write(ctx, case, Asked((party,)))
    with pytest.raises(NotFound):
        held(world, token)
    plain = drafts.write(world.at(WHO), case, Asked((party,))).messages[0]
    assert b"/report/" not in drafts.shown(world.at(WHO), plain.id).text
    assert all(until is None for _, until in maintainer_link.listed(world.at(WHO), case))
