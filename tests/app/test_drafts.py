"""Drafts to owners: written for all at once, merged, queued by the recipient's pace, sent by a person."""

import json
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes

import pytest

from case_world import CaseWorld
from leadline.app import cases, contacts, contracts, drafts
from leadline.app.cases import NewParty
from leadline.app.drafts import Asked
from leadline.core.clearing.case_words import Clock, Move, Role
from leadline.core.clearing.contract import Contract, Exclusion
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.directory import Address, Channel, Project
from leadline.core.clearing.message import Post
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.record.act import Kind


def project(world: CaseWorld, name: str, to: str, channel: Channel = Channel.MAIL) -> None:
    """A project in the directory."""
    address = Address(channel, to, "its site", world.now)
    contacts.add(world.at("screener"), [Project(name, (), (), (address,))])


def owned(world: CaseWorld, case: str, name: str, project_name: str = "") -> str:
    """An owner without an account."""
    new = NewParty(Role.OWNER, name, f"{name}@owner.example", (), "", project_name)
    return cases.add_party(world.at("screener"), case, new)


def test_a_message_says_what_maintainers_asked_for() -> None:
    """AI named as such, the model not; replays, where, dates, a person; the proof only by its digest."""
    world = CaseWorld()
    case = world.open()
    party = owned(world, case, "owner")
    made = drafts.write(world.at("screener"), case, Asked((party,))).messages[0]
    shown = drafts.shown(world.at("screener"), made.id)
    assert shown.placed.post is Post.READY
    mail = message_from_bytes(shown.text)
    assert mail["To"] == "owner@owner.example"
    assert mail["Subject"] == f"Confidential: security report {case}"
    text = mail.get_payload()
    assert isinstance(text, str)
    for told in (
        "Found by: an AI system (a model that is not named)",
        "5 of 5 runs on an unmodified build",
        "canary-file-0.c, in canary-function-0",
        "Reproducer: handed over apart from this text; SHA-256 " + "0" * 64,
        "Score: none",
        "- 90 days from the day you get this, and up to 14 more on request",
        "a person, has read this report and sends it",
        "We know of no terms of yours",
    ):
        assert told in text, told
    assert "canary-model" not in text


def test_forms_of_github_and_gitlab() -> None:
    """Bodies as their APIs take them; a confidential issue says so."""
    world = CaseWorld()
    case = world.open()
    party = owned(world, case, "owner")
    to = Address(Channel.GITHUB, "owner/repository", "by hand", world.now)
    made = drafts.write(world.at("screener"), case, Asked((party,), to)).messages[0]
    body = json.loads(drafts.shown(world.at("screener"), made.id).text)
    assert body["summary"] == "canary-title-0"
    assert body["cwe_ids"] == ["CWE-9100"]
    assert body["vulnerabilities"] == [
        {
            "package": {"ecosystem": "other", "name": "canary-package-0"},
            "vulnerable_version_range": "= 1.0",
        }
    ]
    lab = Address(Channel.GITLAB, "https://gitlab.example/group/project", "by hand", world.now)
    made = drafts.write(world.at("screener"), case, Asked((party,), lab)).messages[0]
    assert json.loads(drafts.shown(world.at("screener"), made.id).text)["confidential"] is True


def test_121_vendors_in_one_command() -> None:
    """One draft each; whoever has no address is named with the reason, and a finder gets none."""
    world = CaseWorld()
    case = world.open()
    for number in range(121):
        owned(world, case, f"vendor-{number}")
    cases.add_party(world.at("screener"), case, NewParty(Role.OWNER, "unreachable"))
    made = drafts.write(world.at("screener"), case, Asked())
    assert len(made.messages) == 121
    assert [why for _, why in made.left_out] == [
        "no address is known; add one with `leadline project add`, or give it with --to"
    ]
    assert all(one.post is Post.READY for one in drafts.listed(world.at("screener"), case))
    finder = cases.standing(world.at("screener"), case).of_person("finder")[0].id
    with pytest.raises(Refused, match="gets no report"):
        drafts.write(world.at("screener"), case, Asked((finder,)))


def test_one_text_for_a_project_with_two_cases_and_what_was_sent_is_followed_up() -> None:
    """Unsent drafts to one recipient become one; findings that join later follow up on what was sent."""
    world = CaseWorld()
    project(world, "libcanary", "security@libcanary.example")
    first, second = world.open(0), world.open(1)
    one, two = (owned(world, case, "lib", "libcanary") for case in (first, second))
    ctx = world.at("screener")
    before = drafts.write(ctx, first, Asked((one,))).messages[0]
    merged = drafts.write(ctx, second, Asked((two,))).messages[0]
    assert merged.findings == (world.findings[0], world.findings[1])
    text = drafts.shown(ctx, merged.id).text.decode()
    assert "one message with 2 security reports" in text
    posts = {held.message.id: held.post for held in drafts.listed(ctx)}
    assert posts == {before.id: Post.MERGED, merged.id: Post.READY}
    with pytest.raises(Refused, match="merged into another"):
        drafts.sent(ctx, before.id, "mail", world.now)
    drafts.sent(ctx, merged.id, "mail <1@canary.example>", world.now)
    stands = cases.standing(ctx, first)
    assert {due.clock for due in stands.clocks(world.now)} >= {Clock.DISCLOSURE, Clock.SILENCE}
    with pytest.raises(Refused, match="was sent everything"):
        drafts.write(ctx, first, Asked((one,)))
    third = world.finding(3, "finder")
    cases.join(ctx, first, [third])
    follow = drafts.write(ctx, first, Asked((one,))).messages[0]
    assert (follow.findings, follow.follows) == ((third,), merged.id)
    assert f"In-Reply-To: {merged.id}" in drafts.shown(ctx, follow.id).text.decode()
    assert drafts.listed(ctx, first)[-1].post is Post.READY


def test_no_recipient_gets_more_than_it_takes() -> None:
    """One a week: the second waits with place and date; a person who sent it all the same says why."""
    world = CaseWorld()
    project(world, "libcanary", "security@libcanary.example")
    terms = Contract(
        "libcanary", "security@libcanary.example", exclusions=(Exclusion("2.1", "no root"),)
    )
    contracts.add(world.at("screener"), terms, b"project = 'libcanary'")
    first = world.open(0)
    made = drafts.write(
        world.at("screener"), first, Asked((owned(world, first, "lib", "libcanary"),))
    ).messages[0]
    assert (
        "Your threat model, 2.1: no root"
        in drafts.shown(world.at("screener"), made.id).text.decode()
    )
    drafts.sent(world.at("screener"), made.id, "mail", world.now)
    second = world.open(1)
    other = drafts.write(
        world.at("screener"), second, Asked((owned(world, second, "lib", "libcanary"),))
    ).messages[0]
    placed = drafts.shown(world.at("screener"), other.id).placed
    assert placed.post is Post.QUEUED
    assert placed.slot is not None
    assert placed.slot.at == world.now + timedelta(days=7)
    count = len(world.world.acts())
    with pytest.raises(Refused, match="it waits from"):
        drafts.sent(world.at("screener"), other.id, "mail", world.now)
    assert len(world.world.acts()) == count
    drafts.sent(
        world.at("screener"), other.id, "mail", world.now, over_pace="their own wish, by telephone"
    )
    act = world.world.acts(Kind.DRAFT_SENT)[-1]
    assert act.detail["over_pace"] == "their own wish, by telephone"
    with pytest.raises(Refused, match="is sent"):
        drafts.sent(world.at("screener"), other.id, "mail", world.now)


def test_attacks_pass_at_once() -> None:
    """What is exploited waits for nobody."""
    world = CaseWorld()
    project(world, "libcanary", "security@libcanary.example")
    for number in (0, 1):
        case = world.open(number)
        if number:
            cases.move(world.at("screener"), case, Moved(Move.ATTACKS, "e" * 64))
        made = drafts.write(
            world.at("screener"), case, Asked((owned(world, case, "lib", "libcanary"),))
        ).messages[0]
        assert drafts.shown(world.at("screener"), made.id).placed.post is Post.READY
        drafts.sent(world.at("screener"), made.id, "mail", world.now)


def test_nothing_that_nobody_replayed_goes_out_unsaid() -> None:
    """Refused, unless somebody says why; then the text says it."""
    world = CaseWorld()
    raw = world.finding(5, "finder", replayed=False)
    case = cases.open_case(world.at("screener"), [raw], title="canary", policy="leadline-default")
    party, ctx = owned(world, case, "owner"), world.at("screener")
    with pytest.raises(Refused, match="was not replayed"):
        drafts.write(ctx, case, Asked((party,)))
    made = drafts.write(ctx, case, Asked((party,), unreplayed="needs their hardware")).messages[0]
    assert "not by us: needs their hardware" in drafts.shown(ctx, made.id).text.decode()


def test_who_may_not_send_sees_no_draft() -> None:
    """Owners, finders and other coordinators neither list nor show nor send; a draft is as if not there."""
    world = CaseWorld()
    case = world.peopled()
    ctx = world.at("screener")
    made = drafts.write(ctx, case, Asked((world.parties["maintainer"],))).messages[0]
    for person in ("maintainer", "finder", "second-screener", "hospital"):
        with pytest.raises(Denied):
            drafts.listed(world.at(person), case)
        with pytest.raises(Denied):
            drafts.write(world.at(person), case, Asked())
        assert drafts.listed(world.at(person)) == ()
        for id_ in (made.id, "draft-nobody"):
            with pytest.raises(NotFound):
                drafts.shown(world.at(person), id_)
            with pytest.raises(NotFound):
                drafts.sent(world.at(person), id_, "mail", world.now)
    with pytest.raises(Invalid, match="has been"):
        drafts.sent(ctx, made.id, "mail", world.now + timedelta(days=1))


def test_a_stranger_to_one_of_two_cases_gets_no_merged_text() -> None:
    """Cases are merged only by whoever sends messages for both."""
    world = CaseWorld()
    project(world, "libcanary", "security@libcanary.example")
    first, second = world.open(0), world.open(1)
    drafts.write(world.at("screener"), first, Asked((owned(world, first, "lib", "libcanary"),)))
    party = owned(world, second, "lib", "libcanary")
    world.add(second, "second-screener", Role.COORDINATOR, need="carries it on")
    made = drafts.write(world.at("second-screener"), second, Asked((party,))).messages[0]
    assert made.findings == (world.findings[1],)
    assert len(drafts.listed(world.at("second-screener"))) == 1


def limited(world: CaseWorld, *, paused: bool = False) -> Contract:
    """The terms of libcanary, one report a week, entered; and its address in the directory."""
    project(world, "libcanary", "security@libcanary.example")
    terms = Contract("libcanary", "security@libcanary.example", ("pkg:generic/libcanary",))
    made = replace(terms, paused=paused)
    contracts.add(world.at("screener"), made, b"project = 'libcanary'")
    return made


def test_a_follow_up_takes_no_new_case_past_the_pace() -> None:
    """What waits goes on waiting, whatever is found about a case that was sent already."""
    world = CaseWorld()
    limited(world)
    first, second = world.open(0), world.open(1)
    one, two = (owned(world, case, "lib", "libcanary") for case in (first, second))
    drafts.sent(
        world.at("screener"),
        drafts.write(world.at("screener"), first, Asked((one,))).messages[0].id,
        "mail",
        world.now,
    )
    waits = drafts.write(world.at("screener"), second, Asked((two,))).messages[0]
    cases.join(world.at("screener"), first, [world.finding(3, "finder")])
    follow = drafts.write(world.at("screener"), first, Asked((one,))).messages[0]
    posts = {held.message.id: held.post for held in drafts.listed(world.at("screener"))}
    assert (posts[waits.id], posts[follow.id]) == (Post.QUEUED, Post.READY)
    assert {piece.case for piece in follow.pieces} == {first}


def test_a_follow_up_waits_for_a_project_that_stands_still() -> None:
    """A pause holds back all that is sent but attacks; the follow-up goes when it ends."""
    world = CaseWorld()
    terms = limited(world)
    case = world.open(0)
    party = owned(world, case, "lib", "libcanary")
    drafts.sent(
        world.at("screener"),
        drafts.write(world.at("screener"), case, Asked((party,))).messages[0].id,
        "mail",
        world.now,
    )
    cases.join(world.at("screener"), case, [world.finding(3, "finder")])
    follow = drafts.write(world.at("screener"), case, Asked((party,))).messages[0]
    until = world.now + timedelta(days=3)
    contracts.add(world.at("screener"), replace(terms, paused=True, paused_until=until), b"paused")
    placed = drafts.shown(world.at("screener"), follow.id).placed
    assert placed.post is Post.QUEUED
    assert placed.slot is not None
    assert placed.slot.at == until
    world.world.after(days=3)
    assert drafts.shown(world.at("screener"), follow.id).placed.post is Post.READY


def test_attacks_that_become_known_let_a_waiting_draft_go() -> None:
    """Also where it tells of another case besides, whichever was drafted last."""
    world = CaseWorld()
    limited(world)
    taken = world.open(0)
    party = owned(world, taken, "lib", "libcanary")
    drafts.sent(
        world.at("screener"),
        drafts.write(world.at("screener"), taken, Asked((party,))).messages[0].id,
        "mail",
        world.now,
    )
    attacked = world.open(1)
    party = owned(world, attacked, "lib", "libcanary")
    waits = drafts.write(world.at("screener"), attacked, Asked((party,))).messages[0]
    assert drafts.shown(world.at("screener"), waits.id).placed.post is Post.QUEUED
    cases.move(world.at("screener"), attacked, Moved(Move.ATTACKS, "e" * 64))
    assert drafts.shown(world.at("screener"), waits.id).placed.post is Post.READY
    third = cases.open_case(
        world.at("screener"),
        [world.finding(3, "finder")],
        title="canary",
        policy="leadline-default",
    )
    other = owned(world, third, "lib", "libcanary")
    merged = drafts.write(world.at("screener"), third, Asked((other,))).messages[0]
    assert {piece.case for piece in merged.pieces} == {attacked, third}
    assert drafts.shown(world.at("screener"), merged.id).placed.post is Post.READY


def test_the_terms_of_whose_product_it_is_hold_without_its_name() -> None:
    """A party that was added by its product, or by the address of the terms, has their pace."""
    world = CaseWorld()
    limited(world, paused=True)
    by_product = NewParty(Role.OWNER, "lib", "", ("pkg:generic/libcanary@1.0",))
    by_address = NewParty(Role.OWNER, "people", "Security@libcanary.example")
    for number, new in enumerate((by_product, by_address)):
        case = world.open(number)
        party = cases.add_party(world.at("screener"), case, new)
        made = drafts.write(world.at("screener"), case, Asked((party,))).messages[0]
        assert made.lane == "".join({one.lane for one in contracts.listed(world.at("screener"))})
        assert drafts.shown(world.at("screener"), made.id).placed.post is Post.QUEUED


def test_nothing_was_sent_before_it_was_written() -> None:
    """Else a date in the past would give back a place, and let a clock fall due at once."""
    world = CaseWorld()
    case = world.open()
    made = drafts.write(world.at("screener"), case, Asked((owned(world, case, "owner"),))).messages[
        0
    ]
    with pytest.raises(Invalid, match="written"):
        drafts.sent(world.at("screener"), made.id, "mail", world.now - timedelta(days=91))
