"""Organisations that look after their own accounts: what two may, what one may not, and every way around it.

Each test that tries a way around says so in its first words.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import make
from identity.people import HERE, PASSWORD, House, house
from leadline.app import (
    approval,
    credentials,
    delegation,
    organisation,
    outbox,
    people,
    sign_in,
)
from leadline.app.context import Context
from leadline.app.delegation import DelegatedAccess
from leadline.app.organisation import Begun, Named
from leadline.app.sign_in import NotSignedIn
from leadline.core.access import Action, Bounds, Circumstances, Principal, Resource
from leadline.core.account import Identity, Invitation
from leadline.core.approval import Granted, Request
from leadline.core.attention import Channel, Rhythm, Wish
from leadline.core.clause import Always
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.grant import Scope
from leadline.core.organisation import Organisation, Task
from leadline.core.record.act import Act, Kind
from leadline.wiring import notify
from leadline.wiring.people import roles

ORG, OTHER = make.DEVELOPER, "another-developer"
ALL = tuple(Task)
DAY = timedelta(days=1)
REASON = "left the organisation"
Attempt = Callable[[], object]


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """Two organisations with two account administrators each, and a developer each."""
    with house(tmp_path) as found:
        for keeper in ("kim", "kay"):
            found.enrol(keeper, "administrator", org="installation", engagements=frozenset())
        for org, first in ((ORG, ("ann", "abe")), (OTHER, ("bea", "bob"))):
            begun(found, org, first)
        for id_, org in (("dev", ORG), ("rival", OTHER)):
            found.enrol(id_, "developer", org=org, engagements=frozenset())
            found.password(id_)
        yield found


def signed(at: House, by: Context, request: Request, second: str) -> Granted:
    """The request with another's signature."""
    key = at.key(second)
    approval.approve(at.ctx(second), request.id, key.sign(approval.challenge(request)))
    return approval.granted(by, request.id)


def begun(at: House, org: str, first: tuple[str, ...]) -> tuple[Begun, ...]:
    """An organisation founded by two administrators of the installation."""
    named = [Named(one, one.title()) for one in first]
    may = ("developer", "developer-security-contact")
    request = organisation.ask_founding(at.ctx("kim"), roles(), org, may, 0, named)
    return organisation.found(
        at.ctx("kim"), roles(), signed(at, at.ctx("kim"), request, "kay")
    )  # fmt: skip


def newcomer(at: House, id_: str = "new", org: str = ORG, *held: str) -> Principal:
    """Somebody to be entered."""
    until = at.clock.now + timedelta(days=100)
    return Principal(id_, "New", org, frozenset(held or ("developer",)), access_until=until)


def recovered(at: House, by: str, whom: str, second: str) -> str:
    """A recovery that two persons begin; answers its code."""
    request = sign_in.ask_recovery(at.ctx(by), whom)
    return sign_in.recover(at.ctx(by), whom, signed(at, at.ctx(by), request, second))


def given(at: House, of: str, to: str, *tasks: Task, days: int = 7) -> str:
    """A delegation from now on."""
    made = organisation.delegate(
        at.ctx(of), to, tasks, at.clock.now, at.clock.now + timedelta(days=days)
    )
    return made.id


def acts(at: House, kind: Kind) -> list[Act]:
    """Every act of a kind."""
    with at.door.parts.store.read() as view:
        return [one.act for one in view.acts(kind=kind)]


def held(at: House, id_: str) -> Principal:
    """The person as the store has it."""
    with at.door.parts.store.read() as view:
        return view.principal(id_)


def test_two_found_and_the_first_administrators_begin_the_rest(at: House) -> None:
    """Each gets a code of its own; what the organisation's people may be stands in the log."""
    first = begun(at, "a-vendor", ("vic", "val"))
    assert [one.principal for one in first] == ["vic", "val"]
    assert held(at, "vic").roles == {"account-administrator"}
    sign_in.accept(at.door.nobody(), first[0].code, HERE)
    told = acts(at, Kind.ORGANISATION_FOUNDED)[-1]
    assert told.detail["roles"] == ("developer", "developer-security-contact")
    assert len(acts(at, Kind.PRINCIPAL_APPOINTED)) == 6
    with pytest.raises(Refused, match="founded already"):
        begun(at, "a-vendor", ("vix", "vox"))


def test_people_who_are_there_become_the_first(at: House) -> None:
    """They keep their roles, and who signs in already gets no code."""
    for id_ in ("old", "older"):
        at.enrol(id_, "developer", org="a-vendor", engagements=frozenset())
    at.password("old")
    first = begun(at, "a-vendor", ("old", "older"))
    assert [bool(one.code) for one in first] == [False, True]
    assert held(at, "old").roles == {"developer", "account-administrator"}


def test_one_administrator_alone_founds_nothing(at: House) -> None:
    """An attack: without a second signature, or with one person twice."""
    two = [Named("vic", "Vic"), Named("val", "Val")]
    ask = organisation.ask_founding
    request = ask(at.ctx("kim"), roles(), "a-vendor", ("developer",), 0, two)
    with pytest.raises(Refused, match="second administrator"):
        organisation.found(at.ctx("kim"), roles(), approval.granted(at.ctx("kim"), request.id))
    for wrong, field in (
        ((two[0], two[0]), "ids"),
        ((two[0],), "ids"),
        ((two[0], Named("ann", "Ann")), "ids"),
        ((two[0], Named("", "")), "id"),
    ):
        with pytest.raises(Invalid) as caught:
            ask(at.ctx("kim"), roles(), "a-vendor", ("developer",), 0, wrong)
        assert caught.value.field == field
    for may in ((), ("administrator",), ("account-administrator",), ("king",)):
        with pytest.raises(Invalid, match="role"):
            ask(at.ctx("kim"), roles(), "a-vendor", may, 0, two)
    for name in ("", " x", "a/b", "installation"):
        with pytest.raises(Invalid):
            ask(at.ctx("kim"), roles(), name, ("developer",), 0, two)
    with pytest.raises(Invalid, match="below"):
        ask(at.ctx("kim"), roles(), "a-vendor", ("developer",), -1, two)
    at.enrol("vic", "developer", org="a-vendor", engagements=frozenset(), suspended=True)
    with pytest.raises(Invalid, match="suspended"):
        ask(at.ctx("kim"), roles(), "a-vendor", ("developer",), 0, two)
    with pytest.raises(Denied):
        ask(at.ctx("ann"), roles(), "a-vendor", ("developer",), 0, two)


def test_administrators_enter_and_invite_their_own(at: House) -> None:
    """And see them; the code begins the account."""
    people.enrol(at.ctx("ann"), roles(), newcomer(at))
    code = sign_in.invite(at.ctx("ann"), "new")
    assert at.acting(sign_in.accept(at.door.nobody(), code, HERE)).ctx.principal.id == "new"
    shown = organisation.of(at.ctx("abe"))
    assert {one.person.id for one in shown.people} == {"ann", "abe", "dev", "new"}
    assert not shown.watch.words
    until = at.clock.now + timedelta(days=300)
    organisation.renew(at.ctx("abe"), "new", until)
    assert held(at, "new").access_until == until
    people.give(
        at.ctx("ann"),
        roles(),
        "new",
        Scope.ROLE,
        "developer-security-contact",
        at.clock.now + timedelta(days=9),
    )
    people.end(at.ctx("ann"), "new", Scope.ROLE, "developer-security-contact")


@pytest.mark.parametrize("id_", ["rival", "bea", "kim", "nobody-at-all"])
def test_people_of_other_organisations_are_not_there(at: House, id_: str) -> None:
    """An attack: whatever A's administrator tries on people of B answers as if they did not exist."""
    ann, soon = at.ctx("ann"), at.clock.now + timedelta(days=3)
    session = at.signed_in("rival").session.id
    tries = (
        lambda: people.one(ann, id_),
        lambda: sign_in.invite(ann, id_),
        lambda: sign_in.ask_recovery(ann, id_),
        lambda: sign_in.sessions(ann, id_),
        lambda: sign_in.call_off(ann, id_),
        lambda: people.suspend(ann, id_, REASON),
        lambda: people.restore(ann, id_, REASON),
        lambda: people.give(ann, roles(), id_, Scope.ROLE, "developer", soon),
        lambda: people.end(ann, id_, Scope.ROLE, "developer"),
        lambda: organisation.renew(ann, id_, soon),
        lambda: organisation.end_account(ann, id_, REASON),
        lambda: organisation.ask_appointment(ann, id_),
        lambda: organisation.dismiss(ann, id_),
        lambda: organisation.delegate(ann, id_, ALL, at.clock.now, soon),
    )
    for attempt in tries:
        with pytest.raises(NotFound, match=f"no person {id_}"):
            attempt()
    with pytest.raises(NotFound):
        sign_in.revoke(ann, session)
    assert not {"rival", "bea", "kim"} & {one.person.id for one in people.listed(ann)}
    with pytest.raises(Denied):
        people.enrol(ann, roles(), newcomer(at, "spy", OTHER))
    for what in (f"org:{ORG}", "engagement:engagement-0001"):
        with pytest.raises(Denied):
            people.suspend(ann, what, REASON)
    with pytest.raises(Denied):
        people.administered(ann)


def test_nobody_gives_himself_a_role_of_content(at: House) -> None:
    """An attack: not to oneself, nor a role beyond what the organisation's people may hold."""
    soon = at.clock.now + timedelta(days=3)
    give = people.give
    with pytest.raises(Denied, match="himself"):
        give(at.ctx("ann"), roles(), "ann", Scope.ROLE, "developer", soon)
    for role in ("evaluator", "determining-official", "auditor"):
        with pytest.raises(Invalid, match="and not"):
            give(at.ctx("ann"), roles(), "abe", Scope.ROLE, role, soon)
        with pytest.raises(Invalid, match="and not"):
            people.enrol(at.ctx("ann"), roles(), newcomer(at, "new", ORG, role))
    with pytest.raises(Refused, match="appointment"):
        give(at.ctx("ann"), roles(), "dev", Scope.ROLE, "account-administrator", soon)
    for scope in (Scope.ENGAGEMENT, Scope.CASE, Scope.COMPARTMENT):
        with pytest.raises(Invalid, match="roles"):
            give(at.ctx("ann"), roles(), "dev", scope, "engagement-0001", soon)
    with pytest.raises(Invalid, match="level"):
        people.enrol(at.ctx("ann"), roles(), replace(newcomer(at), clearance=1))


def test_an_administrator_reads_nothing_of_what_people_work_on(at: House) -> None:
    """Unless by a role of his own, which is then his."""
    thing = Resource("engagement", "e", "e", ORG)
    for action in (Action.ENGAGEMENT_READ, Action.ENGAGEMENT_WITHDRAW, Action.ACCESS_OPEN):
        assert not at.ctx("ann").decision(action, thing).allowed
    given(at, "ann", "dev", *ALL)
    entry = Resource("engagement", "e", "e", OTHER)
    assert not at.ctx("dev").decision(Action.ENGAGEMENT_READ, entry).allowed
    people.give(
        at.ctx("abe"), roles(), "ann", Scope.ROLE, "developer", at.clock.now + timedelta(days=3)
    )
    assert at.ctx("ann").decision(Action.ENGAGEMENT_READ, thing).allowed


def test_the_installation_enters_nobody_into_a_founded_organisation(at: House) -> None:
    """An attack: the installation's administrator makes an account of his own there, to read by it."""
    kim, soon = at.ctx("kim"), at.clock.now + timedelta(days=3)
    for attempt in (
        lambda: people.enrol(kim, roles(), newcomer(at)),
        lambda: people.give(kim, roles(), "dev", Scope.ROLE, "developer", soon),
        lambda: organisation.renew(kim, "dev", soon),
        lambda: organisation.end_account(kim, "dev", REASON),
    ):
        with pytest.raises(Refused, match=r"its own|own accounts"):
            attempt()
    people.enrol(at.ctx("ann"), roles(), newcomer(at))
    with pytest.raises(Refused, match="of its own"):
        sign_in.invite(kim, "new")
    people.give(kim, roles(), "dev", Scope.ENGAGEMENT, "engagement-0001", soon)
    people.suspend(kim, "dev", "seen elsewhere")
    with pytest.raises(Refused, match="installation's administrators"):
        people.restore(at.ctx("ann"), "dev", "he is fine")
    people.restore(kim, "dev", "looked at")
    people.suspend(at.ctx("ann"), "dev", "on leave")
    people.restore(at.ctx("abe"), "dev", "back")


def test_nobody_is_named_for_an_engagement_that_is_suspended(at: House) -> None:
    """The rules are asked of a grant with the engagement that it names."""
    soon = at.clock.now + timedelta(days=3)
    people.suspend(at.ctx("kim"), "engagement:engagement-0001", REASON)
    with pytest.raises(Denied, match="suspended"):
        people.give(at.ctx("kim"), roles(), "dev", Scope.ENGAGEMENT, "engagement-0001", soon)
    people.give(at.ctx("kim"), roles(), "dev", Scope.ENGAGEMENT, "engagement-0002", soon)


def test_without_a_founding_the_installation_does_it(at: House) -> None:
    """Nobody enters an account administrator by the way, and nobody of an organisation unfounded."""
    people.enrol(at.ctx("kim"), roles(), newcomer(at, "new", "a-vendor"))
    with pytest.raises(Refused, match="found the organisation"):
        people.enrol(
            at.ctx("kim"), roles(), newcomer(at, "val", "a-vendor", "account-administrator")
        )
    at.enrol("odd", "account-administrator", org="a-vendor", engagements=frozenset())
    with pytest.raises(Refused, match="founded by"):
        people.enrol(at.ctx("odd"), roles(), newcomer(at, "val", "a-vendor"))


def test_a_further_administrator_stands_on_two_signatures(at: House) -> None:
    """The other administrator's, or one of the installation's; the asker's alone is none."""
    request = organisation.ask_appointment(at.ctx("ann"), "dev")
    with pytest.raises(Refused, match="second person"):
        organisation.appoint(at.ctx("ann"), "dev", approval.granted(at.ctx("ann"), request.id))
    both = signed(at, at.ctx("ann"), request, "abe")
    wrong = replace(both, request=replace(both.request, detail={"appoint": "new"}))
    with pytest.raises(Refused, match="another act"):
        organisation.appoint(at.ctx("ann"), "dev", wrong)
    organisation.appoint(at.ctx("ann"), "dev", both)
    assert "account-administrator" in held(at, "dev").roles
    with pytest.raises(Refused, match="already"):
        organisation.ask_appointment(at.ctx("ann"), "dev")
    organisation.dismiss(at.ctx("dev"), "dev")
    assert held(at, "dev").roles == {"developer"}
    with pytest.raises(Refused, match="no account administrator"):
        organisation.dismiss(at.ctx("ann"), "dev")
    at.enrol("dev", "developer", org=ORG, suspended=True)
    with pytest.raises(Refused, match="suspended"):
        organisation.ask_appointment(at.ctx("ann"), "dev")


@pytest.mark.parametrize("stranger", ["bea", "rival", "dev"])
def test_strangers_sign_nothing_of_it(at: House, stranger: str) -> None:
    """An attack: the second signature comes from another organisation, or from whom it would make one."""
    request = organisation.ask_appointment(at.ctx("ann"), "dev")
    with pytest.raises((Denied, NotFound)):
        signed(at, at.ctx("ann"), request, stranger)


def test_the_last_administrator_stays_until_there_is_a_successor(at: House) -> None:
    """Neither ended, dismissed nor suspended by the own organisation; the warning says what to do."""
    organisation.end_account(at.ctx("ann"), "abe", REASON)
    assert organisation.of(at.ctx("ann")).watch.short
    founded, warning = organisation.watched(at.ctx("kim"))[0]
    assert founded.name == ORG
    assert "second" in warning.words
    tries: tuple[Attempt, ...] = (
        lambda: organisation.end_account(at.ctx("ann"), "ann", REASON),
        lambda: organisation.dismiss(at.ctx("ann"), "ann"),
        lambda: people.suspend(at.ctx("ann"), "ann", REASON),
    )
    for attempt in tries:
        with pytest.raises(Refused, match="successor"):
            attempt()
    request = organisation.ask_appointment(at.ctx("ann"), "dev")
    organisation.appoint(at.ctx("ann"), "dev", signed(at, at.ctx("ann"), request, "kay"))
    organisation.end_account(at.ctx("ann"), "ann", REASON)
    people.suspend(at.ctx("kim"), "dev", "seen elsewhere")
    assert "Nobody" in {o.name: w for o, w in organisation.watched(at.ctx("kim"))}[ORG].words


def test_the_last_of_the_installation_stays_as_well(at: House) -> None:
    """One ends the other, and nobody ends the last."""
    organisation.end_account(at.ctx("kim"), "kay", REASON)
    with pytest.raises(Refused, match="last administrator"):
        organisation.end_account(at.ctx("kim"), "kim", REASON)


def test_who_ends_soon_is_warned_of_before(at: House) -> None:
    """Thirty days ahead, while somebody can still renew."""
    at.clock.forward(days=340)
    at.enrol("ann", "account-administrator", org=ORG, access_until=at.clock.now + 99 * DAY)
    assert "thirty days" in organisation.of(at.ctx("ann")).watch.words
    organisation.renew(at.ctx("ann"), "abe", at.clock.now + 300 * DAY)
    assert not organisation.of(at.ctx("ann")).watch.words
    with pytest.raises(Invalid, match="366"):
        organisation.renew(at.ctx("ann"), "abe", at.clock.now + 400 * DAY)
    with pytest.raises(Denied, match="himself"):
        organisation.renew(at.ctx("ann"), "ann", at.clock.now + 300 * DAY)


def test_an_ended_account_opens_nothing_any_more(at: House) -> None:
    """Session, password, keys, account elsewhere, credential, code, grant and delegation end together."""
    begun_ = at.signed_in("dev")
    at.key("dev")
    sign_in.link(at.ctx("dev"), "https://provider.example", "dev")
    made = credentials.issue(
        at.ctx("dev"),
        [Action.ENGAGEMENT_READ],
        "engagement-0001",
        "jkt:" + "a" * 43,
        at.clock.now + timedelta(days=3),
    )
    given(at, "ann", "dev", *ALL)
    people.give(at.ctx("kim"), roles(), "dev", Scope.CASE, "c", at.clock.now + timedelta(days=3))
    recovered(at, "ann", "dev", "abe")
    with pytest.raises(Invalid, match="why"):
        organisation.end_account(at.ctx("ann"), "dev", " ")
    organisation.end_account(at.ctx("ann"), "dev", REASON)
    with pytest.raises(NotSignedIn):
        at.acting(begun_)
    with pytest.raises(NotSignedIn):
        at.signed_in("dev")
    with pytest.raises(NotSignedIn):
        sign_in.by_identity(at.door.nobody(), "https://provider.example", "dev", HERE)
    with pytest.raises(NotSignedIn):
        credentials.used(at.door.nobody(), credentials.Shown(made.secret, jkt="a" * 43))
    with at.door.parts.store.read() as view:
        assert all(row.value.ended for row in view.find(Invitation) if row.value.principal == "dev")
        assert not [row for row in view.find(Identity) if row.value.principal == "dev"]
        assert not delegation.standing(view, "dev", at.clock.now)
    assert people.one(at.ctx("ann"), "dev").grants == ()
    again_: tuple[Attempt, ...] = (
        lambda: organisation.end_account(at.ctx("ann"), "dev", REASON),
        lambda: organisation.renew(at.ctx("ann"), "dev", at.clock.now + DAY),
    )
    for again in again_:
        with pytest.raises(Refused, match="ended"):
            again()


def test_administrators_end_sessions_and_credentials_of_their_people(at: House) -> None:
    """And of nobody else; the person is told by the act."""
    session = at.signed_in("dev").session
    assert [one.id for one in sign_in.sessions(at.ctx("ann"), "dev")] == [session.id]
    sign_in.revoke(at.ctx("ann"), session.id)
    assert not sign_in.sessions(at.ctx("ann"), "dev")
    made = credentials.issue(
        at.ctx("dev"),
        [Action.ENGAGEMENT_READ],
        "engagement-0001",
        "jkt:" + "a" * 43,
        at.clock.now + timedelta(days=3),
    ).credential
    with pytest.raises(NotFound):
        credentials.revoke(at.ctx("bea"), made.id)
    at.enrol("eve", "developer", org=ORG)
    given(at, "ann", "eve", *ALL)
    credentials.revoke(at.ctx("eve"), made.id)
    assert acts(at, Kind.CREDENTIAL_REVOKED)[-1].detail["on_behalf_of"] == "ann"


# Recovery


def test_a_recovery_takes_the_second_administrator_a_day_and_leaves_a_trace(at: House) -> None:
    """It kills every session and key, and the holder can call it off until then."""
    old = at.signed_in("dev")
    code = recovered(at, "ann", "dev", "abe")
    with pytest.raises(Refused, match="counts from"):
        sign_in.accept(at.door.nobody(), code, HERE)
    at.acting(old)
    assert [one.principal for one in organisation.of(at.ctx("abe")).recoveries] == ["dev"]
    at.clock.forward(hours=24)
    sign_in.accept(at.door.nobody(), code, HERE)
    with pytest.raises(NotSignedIn):
        at.acting(old)
    assert len(acts(at, Kind.RECOVERY_BEGUN)) == len(acts(at, Kind.RECOVERY_USED)) == 1
    assert ("recovery", "principal/dev") in at.alerts()


def test_whom_a_recovery_concerns_is_told_at_once(at: House) -> None:
    """The person, though it wishes for no mail, and the account administrators; nobody elsewhere."""
    mail = Wish("dev", "dev@developer.example", Rhythm.NEVER)
    with at.door.parts.store.write() as tx:
        tx.put("dev", mail, marking=make.marking(), bounds=Bounds(owner="dev"))
    own, context = notify.own_eyes(at.door.parts), at.door.parts.context
    while outbox.gather(own, context):
        pass
    recovered(at, "ann", "dev", "abe")
    while outbox.gather(own, context):
        pass
    told = {
        who: [one.item.words for one in outbox.inbox(at.ctx(who)) if "recover" in one.item.words]
        for who in ("dev", "abe", "bea", "rival", "kim")
    }
    assert [len(told[who]) for who in ("dev", "abe", "bea", "rival", "kim")] == [1, 1, 0, 0, 0]
    assert "your account" in told["dev"][0]
    assert "of your organisation" in told["abe"][0]
    later = notify.own_eyes(at.door.parts)
    assert [(one.wish.person, one.channel) for one in outbox.due(later, context)] == [
        ("dev", Channel.MAIL)
    ]


def test_one_person_recovers_nobody_alone(at: House) -> None:
    """An attack: no signature, one's own, the recovered person's, another organisation's, an official's."""
    request = sign_in.ask_recovery(at.ctx("ann"), "dev")
    at.enrol("official", "determining-official", org=make.PROGRAMME)
    with pytest.raises(Refused, match="second person"):
        sign_in.recover(at.ctx("ann"), "dev", approval.granted(at.ctx("ann"), request.id))
    for wrong in ("ann", "official"):
        both = signed(at, at.ctx("ann"), request, wrong)
        with pytest.raises(Refused, match="second person"):
            sign_in.recover(at.ctx("ann"), "dev", both)
    for stranger in ("bea", "dev"):
        with pytest.raises((Denied, NotFound)):
            signed(at, at.ctx("ann"), request, stranger)
    with pytest.raises(Denied, match="himself"):
        sign_in.ask_recovery(at.ctx("ann"), "ann")


def test_the_installation_alone_recovers_no_person_of_an_organisation(at: House) -> None:
    """An attack: two of the installation's take over an account; they bring back administrators only."""
    with pytest.raises(Refused, match="looks after these accounts"):
        recovered(at, "kim", "dev", "kay")
    recovered(at, "kim", "dev", "ann")
    recovered(at, "kim", "ann", "kay")
    assert sign_in.call_off(at.ctx("abe"), "ann") == 2  # the invitation that nobody used as well
    assert sign_in.call_off(at.ctx("dev")) == 1


def test_a_session_from_before_is_not_carried_through_a_recovery(at: House) -> None:
    """An attack (fixation): what somebody planted before opens nothing, and the new session is another.

    Also an account elsewhere that was linked, a credential that was issued, and a second code.
    """
    at.password("dev", PASSWORD)
    planted = at.signed_in("dev")
    sign_in.link(at.ctx("dev"), "https://provider.example", "thief")
    made = credentials.issue(
        at.ctx("dev"),
        [Action.ENGAGEMENT_READ],
        "engagement-0001",
        "jkt:" + "a" * 43,
        at.clock.now + timedelta(days=9),
    )
    first, second = recovered(at, "ann", "dev", "abe"), recovered(at, "abe", "dev", "ann")
    at.clock.forward(hours=24)
    fresh = sign_in.accept(at.door.nobody(), first, HERE)
    assert fresh.session.id != planted.session.id
    assert fresh.token != planted.token
    assert fresh.session.methods == {"invitation"}
    with pytest.raises(NotSignedIn):
        at.acting(planted)
    with pytest.raises(NotSignedIn):
        sign_in.by_identity(at.door.nobody(), "https://provider.example", "thief", HERE)
    with pytest.raises(NotSignedIn):
        credentials.used(at.door.nobody(), credentials.Shown(made.secret, jkt="a" * 43))
    with pytest.raises(Refused, match="called off"):
        sign_in.accept(at.door.nobody(), second, HERE)
    with pytest.raises(Refused, match="called off"):
        sign_in.accept(at.door.nobody(), first, HERE)


# Delegation


def test_a_delegate_does_it_for_somebody_and_says_so(at: House) -> None:
    """Within the tasks and the time; each act names the delegate, whom he acts for, and by what."""
    id_ = given(at, "ann", "dev", Task.ENTER, Task.STOP)
    people.enrol(at.ctx("dev"), roles(), newcomer(at))
    told = acts(at, Kind.PRINCIPAL_ENROLLED)[-1]
    assert (told.actor, told.detail["on_behalf_of"], told.detail["delegation"]) == (
        "dev",
        "ann",
        id_,
    )
    sign_in.invite(at.ctx("dev"), "new")
    assert acts(at, Kind.PERSON_INVITED)[-1].detail["on_behalf_of"] == "ann"
    seen = organisation.of(at.ctx("dev"))
    assert {one.person.id for one in seen.people} == {"ann", "abe", "dev", "new"}
    assert [one.id for one in seen.standing_in] == [id_]
    with pytest.raises(Denied):
        organisation.end_account(at.ctx("dev"), "new", REASON)
    people.suspend(at.ctx("dev"), "new", REASON)
    organisation.end_delegation(at.ctx("dev"), id_)
    with pytest.raises(Denied):
        people.restore(at.ctx("dev"), "new", REASON)
    with pytest.raises(Refused, match="already"):
        organisation.end_delegation(at.ctx("ann"), id_)


def test_a_delegates_rules_show_and_reach_no_more_than_their_own(at: House) -> None:
    """Lists of what was not delegated are empty; the second wall stays the delegate's own."""
    rules = at.door.parts.access
    given_ = frozenset({Action.PRINCIPAL_READ})
    access = DelegatedAccess(rules, held(at, "ann"), given_)
    dev, moment = held(at, "dev"), Circumstances(at.clock.now, assurance=3)
    empty = Always(answer=False)
    assert access.visible(dev, Action.SESSION_LIST, "session", moment) == empty
    stopped = replace(dev, suspended=True)
    assert access.visible(stopped, Action.PRINCIPAL_READ, "principal", moment) == empty
    assert access.visible(dev, Action.PRINCIPAL_READ, "principal", moment) != empty
    assert access.tenancy(dev) == rules.tenancy(dev)
    elsewhere = at.door.opened("rival", 3)
    assert not elsewhere.decision(Action.PRINCIPAL_READ, people.entry(dev)).allowed


def test_a_delegate_who_is_of_another_organisation_by_now_does_nothing(at: House) -> None:
    """An attack: the row stays, the person changed; the rules are asked as if there were no row."""
    given(at, "ann", "dev", *ALL)
    at.enrol("dev", "developer", org=OTHER, engagements=frozenset())
    with pytest.raises(NotFound):
        people.suspend(at.ctx("dev"), "abe", REASON)
    with pytest.raises(Denied):
        people.suspend(at.ctx("dev"), "rival", REASON)


def test_a_delegation_begins_and_ends_by_itself(at: House) -> None:
    """An attack: used before its first moment, or from its last on."""
    until = at.clock.now + timedelta(days=5)
    begins = at.clock.now + timedelta(days=1)
    organisation.delegate(at.ctx("ann"), "dev", ALL, begins, until)
    with pytest.raises(Denied):
        sign_in.sessions(at.ctx("dev"), "abe")
    at.clock.now = begins
    sign_in.sessions(at.ctx("dev"), "abe")
    at.clock.now = until - timedelta(microseconds=1)
    sign_in.sessions(at.ctx("dev"), "abe")
    at.clock.now = until
    with pytest.raises(Denied):
        sign_in.sessions(at.ctx("dev"), "abe")


def test_nobody_delegates_what_he_does_not_hold(at: House) -> None:
    """An attack: a developer, a delegate, and an administrator of elsewhere name one."""
    at.enrol("eve", "developer", org=ORG)
    now, soon = at.clock.now, at.clock.now + timedelta(days=3)
    given(at, "ann", "dev", *ALL)
    for who in ("eve", "dev"):
        with pytest.raises(Denied):
            organisation.delegate(at.ctx(who), "abe", ALL, now, soon)
        with pytest.raises(Denied):
            organisation.ask_appointment(at.ctx(who), "eve")
    with pytest.raises(Denied, match="himself"):
        organisation.delegate(at.ctx("ann"), "ann", ALL, now, soon)
    with pytest.raises(Denied):
        organisation.delegate(at.ctx("kim"), "dev", ALL, now, soon)


@pytest.mark.parametrize("fall", ["dismissed", "suspended", "ended"])
def test_a_delegation_falls_with_whoever_gave_it(at: House, fall: str) -> None:
    """Never wider than what the giver holds at that moment."""
    given(at, "ann", "dev", *ALL)
    if fall == "dismissed":
        organisation.dismiss(at.ctx("abe"), "ann")
    elif fall == "suspended":
        people.suspend(at.ctx("abe"), "ann", REASON)
    else:
        organisation.end_account(at.ctx("abe"), "ann", REASON)
    with pytest.raises(Denied):
        people.enrol(at.ctx("dev"), roles(), newcomer(at))


def test_nothing_goes_round_in_a_circle(at: House) -> None:
    """An attack: two administrators name each other; a delegate who becomes one hands it back."""
    now, soon = at.clock.now, at.clock.now + timedelta(days=3)
    with pytest.raises(Invalid, match="already"):
        organisation.delegate(at.ctx("ann"), "abe", ALL, now, soon)
    given(at, "ann", "dev", *ALL)
    request = organisation.ask_appointment(at.ctx("abe"), "dev")
    organisation.appoint(at.ctx("abe"), "dev", signed(at, at.ctx("abe"), request, "ann"))
    with at.door.parts.store.read() as view:
        assert not delegation.standing(view, "dev", at.clock.now)
    organisation.dismiss(at.ctx("abe"), "ann")
    given(at, "dev", "ann", *ALL)
    organisation.dismiss(at.ctx("abe"), "dev")
    for who in ("ann", "dev"):
        with pytest.raises(Denied):
            people.enrol(at.ctx(who), roles(), newcomer(at))


def test_a_delegate_does_nothing_to_administrators_or_to_himself(at: House) -> None:
    """An attack: he stops those who could end the delegation, or gives himself a role."""
    given(at, "ann", "dev", *ALL)
    session = sign_in.accept(
        at.door.nobody(), begun(at, "a-vendor", ("vic", "val"))[0].code, HERE
    ).session
    dev, soon = at.ctx("dev"), at.clock.now + timedelta(days=3)
    for attempt in (
        lambda: people.suspend(dev, "abe", REASON),
        lambda: organisation.end_account(dev, "ann", REASON),
        lambda: sign_in.ask_recovery(dev, "abe"),
        lambda: people.give(dev, roles(), "ann", Scope.ROLE, "developer", soon),
        lambda: organisation.dismiss(dev, "abe"),
    ):
        with pytest.raises((Refused, Denied)):
            attempt()
    for own in (
        lambda: people.give(dev, roles(), "dev", Scope.ROLE, "developer-security-contact", soon),
        lambda: organisation.renew(dev, "dev", soon),
        lambda: sign_in.ask_recovery(dev, "dev"),
    ):
        with pytest.raises(Denied, match="himself"):
            own()
    with pytest.raises(NotFound):
        people.one(dev, "rival")
    with pytest.raises(NotFound):
        sign_in.revoke(dev, session.id)


def test_whom_a_delegate_acts_for_is_no_second_person(at: House) -> None:
    """An attack: Ann's delegate asks and Ann signs; both are Ann."""
    at.enrol("eve", "developer", org=ORG)
    given(at, "ann", "dev", Task.RECOVER)
    request = sign_in.ask_recovery(at.ctx("dev"), "eve")
    both = signed(at, at.ctx("dev"), request, "ann")
    with pytest.raises(Refused, match="second person"):
        sign_in.recover(at.ctx("dev"), "eve", both)
    assert recovered(at, "dev", "eve", "abe")
    assert acts(at, Kind.RECOVERY_BEGUN)[-1].detail["on_behalf_of"] == "ann"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"tasks": ()}, "tasks"),
        ({"days": 91}, "until"),
        ({"days": 0}, "until"),
        ({"days": 60, "access": 30}, "until"),
        ({"suspended": True}, "to"),
    ],
)
def test_a_delegation_that_cannot_be_says_why(
    at: House, changed: dict[str, object], field: str
) -> None:
    """Without a task, without an end in time, beyond either's access, to somebody suspended."""
    days, access = changed.get("days", 5), changed.get("access", 200)
    assert isinstance(days, int)
    assert isinstance(access, int)
    until = at.clock.now + timedelta(days=access)
    stopped = bool(changed.get("suspended", False))
    at.enrol("dev", "developer", org=ORG, access_until=until, suspended=stopped)
    tasks = changed.get("tasks", ALL)
    assert isinstance(tasks, tuple)
    with pytest.raises(Invalid) as caught:
        organisation.delegate(
            at.ctx("ann"), "dev", tasks, at.clock.now, at.clock.now + timedelta(days=days)
        )
    assert caught.value.field == field


def test_delegations_of_others_are_not_told_from_none(at: House) -> None:
    """Who may end one: the giver, the delegate, and an administrator of the same organisation."""
    id_ = given(at, "ann", "dev", *ALL)
    for who in ("bea", "rival"):
        with pytest.raises(NotFound, match=f"no delegation {id_}"):
            organisation.end_delegation(at.ctx(who), id_)
    with pytest.raises(NotFound, match="no delegation x"):
        organisation.end_delegation(at.ctx("ann"), "x")
    organisation.end_delegation(at.ctx("abe"), id_)


def test_what_takes_power_away_needs_one_factor_and_what_adds_it_two(at: House) -> None:
    """As everywhere."""
    weak = at.ctx("ann", level=1)
    people.suspend(weak, "dev", REASON)
    for attempt in (
        lambda: people.restore(weak, "dev", REASON),
        lambda: people.enrol(weak, roles(), newcomer(at)),
        lambda: organisation.ask_appointment(weak, "dev"),
        lambda: sign_in.ask_recovery(weak, "dev"),
    ):
        with pytest.raises(Denied, match="two factors"):
            attempt()
    organisation.end_account(weak, "dev", REASON)
    assert isinstance(organisation.watched(at.ctx("kim"))[0][0], Organisation)
