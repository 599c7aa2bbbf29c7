"""Signing in: each way, what each shows, and what attempts that fail leave behind."""

from dataclasses import replace
from datetime import timedelta

import pytest

import make
from identity.people import HERE, PASSWORD, House
from identity.software_passkey import SoftwarePasskey
from leadline.app import approval, sign_in
from leadline.app.assertion import Signed
from leadline.app.sign_in import Caller, NotSignedIn, SignedIn, TooSoon
from leadline.core import account
from leadline.core.account import Password, Session, assurance
from leadline.core.errors import Denied, NotFound, Refused
from leadline.core.record.act import Kind
from leadline.identity.password import Cost, Passwords


@pytest.fixture
def ann(at: House) -> str:
    """An official with a password."""
    at.enrol("ann", "determining-official")
    at.password("ann")
    return "ann"


def by_passkey(at: House, device: SoftwarePasskey, present: Session | None = None) -> SignedIn:
    """A session begun, or stepped up, with a passkey."""
    made, _, options = at.door.challenge()
    return at.door.by_passkey(made.id, device.get(dict(options)), HERE, present)


def with_passkey(at: House, who: str) -> SoftwarePasskey:
    """A device with a passkey, registered in a session of two factors."""
    device, me = SoftwarePasskey(), replace(at.acting(at.signed_in(who)), ctx=at.ctx(who))
    made, options = at.door.ask_passkey(me)
    at.door.add_passkey(me, made.id, device.create(dict(options)))
    return device


def test_a_password_begins_a_session_of_one_factor(at: House, ann: str) -> None:
    """The person, what is shown, and an act; the token itself is stored nowhere."""
    begun = at.signed_in(ann)
    me = at.acting(begun)
    assert (me.ctx.principal.id, me.ctx.assurance) == (ann, 1)
    assert Kind.SIGNED_IN in at.kinds()
    content = (at.folder / "leadline.db").read_bytes() + (
        at.folder / "leadline.db-wal"
    ).read_bytes()
    assert begun.token.partition(".")[2].encode() not in content
    assert begun.csrf.encode() not in content
    assert PASSWORD.encode() not in content


def test_a_passkey_is_phishing_resistant_and_steps_a_session_up(at: House, ann: str) -> None:
    """Stepping up ends the old session; its token is worth nothing from then on."""
    device = with_passkey(at, ann)
    assert at.acting(by_passkey(at, device)).ctx.assurance == 3
    first = at.signed_in(ann)
    second = by_passkey(at, device, first.session)
    assert assurance(second.session.methods) == 3
    assert second.session.methods == {"password", "webauthn"}
    with pytest.raises(NotSignedIn):
        at.acting(first)
    assert second.token != first.token


def test_stepping_up_does_not_make_a_session_younger(at: House, ann: str) -> None:
    """Eight hours count from the first factor."""
    device, first = with_passkey(at, ann), at.signed_in(ann)
    at.clock.forward(hours=1)
    second = by_passkey(at, device, first.session)
    assert second.session.started == first.session.started


def test_nobody_steps_up_anothers_session(at: House, ann: str) -> None:
    """A second factor of another person is an alert, and begins nothing."""
    at.enrol("ben", "determining-official")
    at.password("ben")
    device = with_passkey(at, "ben")
    with pytest.raises(NotSignedIn):
        by_passkey(at, device, at.signed_in(ann).session)
    assert ("sign-in", "principal/ben") in at.alerts()


def test_a_wrong_password_and_an_unknown_name_are_told_alike(at: House, ann: str) -> None:
    """The same words; the unknown name is an alert, because nobody types it by mistake for long."""
    told = []
    for name in (ann, "nobody-here"):
        with pytest.raises(NotSignedIn) as refused:
            at.door.by_password(name, "something quite else", HERE)
        told.append(str(refused.value))
    assert told[0] == told[1]
    assert at.alerts() == [("sign-in", "principal/unknown")]
    assert at.kinds().count(Kind.SIGN_IN_REFUSED) == 2


def test_a_challenge_is_answered_once_soon_and_for_its_purpose(at: House, ann: str) -> None:
    """Replayed, late, made up, or of a registration: refused."""
    device = with_passkey(at, ann)
    made, _, options = at.door.challenge()
    answer = device.get(dict(options))
    at.door.by_passkey(made.id, answer, HERE)
    with pytest.raises(Refused, match="answered already"):
        at.door.by_passkey(made.id, answer, HERE)
    made, _, options = at.door.challenge()
    at.clock.forward(seconds=120)
    with pytest.raises(Refused, match="run out"):
        at.door.by_passkey(made.id, device.get(dict(options)), HERE)
    other, options = at.door.ask_passkey(at.acting(at.signed_in(ann)))
    with pytest.raises(Refused, match="something else"):
        at.door.by_passkey(other.id, device.get(dict(options)), HERE)


def test_old_challenges_are_forgotten(at: House, ann: str) -> None:
    """A row per visit would grow for ever."""
    for _ in range(3):
        at.door.challenge()
    at.clock.forward(minutes=5)
    at.door.challenge()
    with at.door.parts.store.read() as view:
        assert len(view.find(account.Challenge)) == 1


def test_a_copied_passkey_is_found_by_its_counter(at: House, ann: str) -> None:
    """A counter that does not grow is an alert, at sign-in and at an approval."""
    device = with_passkey(at, ann)
    by_passkey(at, device)
    device.count -= 1
    with pytest.raises(NotSignedIn):
        by_passkey(at, device)
    assert ("sign-in", "principal/ann") in at.alerts()


def test_a_key_that_is_unknown_ended_or_of_another_method_begins_nothing(
    at: House, ann: str
) -> None:
    """Whatever its signature is worth."""
    key = at.key(ann)
    for name, method in ((key.id, "webauthn"), ("key-0", "key"), ("", "key")):
        made, to_sign, _ = at.door.challenge()
        signed = replace(key.sign(to_sign), key=name, method=method)
        with pytest.raises(NotSignedIn):
            sign_in.by_key(at.door.nobody(), made.id, signed, HERE)
    made, to_sign, _ = at.door.challenge()
    assert sign_in.by_key(at.door.nobody(), made.id, key.sign(to_sign), HERE).session.methods == {
        "key"
    }
    made, to_sign, _ = at.door.challenge()
    bad = Signed(key.id, "key", {"signature": "AAAA"})
    with pytest.raises(NotSignedIn):
        sign_in.by_key(at.door.nobody(), made.id, bad, HERE)


@pytest.mark.parametrize("changed", [{"suspended": True}, {"access_until": make.NOW}])
def test_who_is_suspended_or_whose_access_ended_begins_nothing(
    at: House, ann: str, changed: dict[str, object]
) -> None:
    """With the right password, which is an alert."""
    at.enrol(ann, "determining-official", **changed)
    with pytest.raises(NotSignedIn):
        at.signed_in(ann)
    assert ("sign-in", "principal/ann") in at.alerts()


def test_suspension_bites_on_the_next_request(at: House, ann: str) -> None:
    """The session is there, and everything it asks for is denied."""
    begun = at.signed_in(ann)
    at.enrol(ann, "determining-official", suspended=True)
    with pytest.raises(Denied) as refused:
        sign_in.sessions(at.acting(begun).ctx)
    assert refused.value.rules == ("suspended",)


def test_failures_cost_time_and_never_lock_for_good(at: House, ann: str) -> None:
    """After five the right password has to wait; after the wait it is taken, and all is forgotten."""
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            at.door.by_password(ann, "something quite else", HERE)
    with pytest.raises(TooSoon) as wait:
        at.signed_in(ann)
    assert wait.value.seconds == 1
    at.clock.forward(seconds=wait.value.seconds)
    at.signed_in(ann)
    at.signed_in(ann)


def test_a_hundred_failures_do_not_keep_the_owner_out(at: House, ann: str) -> None:
    """Whoever fails in another's name delays the other by a quarter of an hour at most."""
    for _ in range(100):
        with pytest.raises((NotSignedIn, TooSoon)):
            at.door.by_password(ann, "something quite else", HERE)
        at.clock.forward(minutes=15)
    at.signed_in(ann)
    assert ("sign-in", "principal/ann") in at.alerts()


def test_a_network_waits_for_all_its_names(at: House, ann: str) -> None:
    """Fifty failures under different names from one prefix; another prefix is not touched."""
    for number in range(51):
        caller = Caller(f"192.0.2.{number}", "a test")
        with pytest.raises(NotSignedIn):
            at.door.by_password(f"name-{number}", "something quite else", caller)
        at.clock.forward(seconds=1)
    with pytest.raises(TooSoon):
        at.door.by_password(ann, PASSWORD, Caller("192.0.2.77"))
    at.door.by_password(ann, PASSWORD, Caller("198.51.100.1"))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.9", "192.0.2.0/24"),
        ("2001:db8:0:1ff::9", "2001:db8:0:100::/56"),
        ("", "name "),
        ("a socket", "name a socket"),
    ],
)
def test_addresses_are_counted_by_prefix(address: str, network: str) -> None:
    """/24 of IPv4, /56 of IPv6."""
    assert Caller(address).network == network


def test_a_hash_of_an_older_cost_is_made_anew_at_sign_in(at: House, ann: str) -> None:
    """Nobody is asked to do anything."""
    dearer = replace(at.door, passwords=Passwords(Cost(128, 1, 1)))
    dearer.by_password(ann, PASSWORD, HERE)
    with at.door.parts.store.read() as view:
        assert "m=128" in view.get(Password, ann).value.phc


def test_sessions_are_listed_and_revoked_by_their_person(at: House, ann: str) -> None:
    """At whatever device; from then on the token opens nothing."""
    here, there = at.signed_in(ann), at.signed_in(ann)
    me = at.acting(here)
    assert {one.id for one in sign_in.sessions(me.ctx)} == {here.session.id, there.session.id}
    sign_in.revoke(me.ctx, there.session.id)
    with pytest.raises(NotSignedIn, match="ended"):
        at.acting(there)
    sign_in.sign_out(me.ctx, here.session)
    with pytest.raises(NotSignedIn):
        at.acting(here)
    assert at.kinds().count(Kind.SESSION_REVOKED) == 2


def test_a_session_of_another_person_is_not_told_from_none(at: House, ann: str) -> None:
    """The same words for both; an administrator ends it."""
    at.enrol("ben", "evaluator")
    at.enrol("adm", "administrator")
    begun = at.signed_in(ann)
    told = []
    for name in (begun.session.id, "session-0"):
        with pytest.raises(NotFound) as refused:
            sign_in.revoke(at.ctx("ben"), name)
        told.append(str(refused.value).replace(name, "it"))
    assert told[0] == told[1]
    with pytest.raises(Denied):
        sign_in.sessions(at.ctx("ben"), ann)
    assert len(sign_in.sessions(at.ctx("adm"), ann)) == 1
    sign_in.revoke(at.ctx("adm"), begun.session.id)
    with pytest.raises(NotSignedIn):
        at.acting(begun)
    with pytest.raises(NotFound):
        sign_in.revoke(at.ctx("adm"), "session-0")


@pytest.mark.parametrize("token", ["", ".", "session-0.", "session-0.secret", "no session at all"])
def test_a_made_up_token_is_nobodys(at: House, token: str) -> None:
    """In whatever form."""
    with pytest.raises(NotSignedIn):
        at.door.acting(token)


def test_a_token_with_one_letter_changed_is_nobodys(at: House, ann: str) -> None:
    """The right session, another secret."""
    token = at.signed_in(ann).token
    with pytest.raises(NotSignedIn):
        at.door.acting(token[:-1] + ("A" if token[-1] != "A" else "B"))


def test_a_session_lives_by_being_used(at: House, ann: str) -> None:
    """Idle for two hours it ends; seen in between it goes on, for eight hours at most."""
    idle, used = at.signed_in(ann), at.signed_in(ann)
    for _ in range(4):
        at.clock.forward(minutes=110)
        at.acting(used)
    with pytest.raises(NotSignedIn, match="idle"):
        at.acting(idle)
    at.clock.forward(minutes=41)
    with pytest.raises(NotSignedIn, match="eight hours"):
        at.acting(used)


def test_compartments_make_a_session_short(at: House) -> None:
    """Fifteen minutes without a request."""
    at.enrol("eve", "evaluator", compartments=frozenset({"alpha"}))
    at.password("eve")
    begun = at.signed_in("eve")
    at.clock.forward(minutes=15)
    with pytest.raises(NotSignedIn, match="idle"):
        at.acting(begun)


def test_a_person_who_is_gone_is_not_signed_in(at: House) -> None:
    """Whoever opens a context of a name that the store does not know."""
    with pytest.raises(NotSignedIn):
        at.door.opened("nobody-here", 1)


def test_an_invitation_begins_everything_and_serves_once(at: House) -> None:
    """Invited, in; a passkey registered; stepped up with it; a second passkey registered."""
    at.enrol("adm", "administrator")
    at.enrol("new", "evaluator")
    code = sign_in.invite(at.ctx("adm"), "new")
    begun = sign_in.accept(at.door.nobody(), code, HERE)
    me = at.acting(begun)
    assert me.ctx.assurance == 1
    device, second = SoftwarePasskey(), SoftwarePasskey()
    made, options = at.door.ask_passkey(me)
    at.door.add_passkey(me, made.id, device.create(dict(options)))
    made, options = at.door.ask_passkey(me)
    with pytest.raises(Refused, match="two factors"):
        at.door.add_passkey(me, made.id, second.create(dict(options)))
    me = at.acting(by_passkey(at, device, begun.session))
    made, options = at.door.ask_passkey(me)
    at.door.add_passkey(me, made.id, second.create(dict(options)))
    with at.door.parts.store.read() as view:
        assert len(approval.keys_of(view, "new")) == 2
    with pytest.raises(Refused, match="used"):
        sign_in.accept(at.door.nobody(), code, HERE)
    with pytest.raises(Refused, match="recovery"):
        sign_in.invite(at.ctx("adm"), "new")
    with pytest.raises(NotSignedIn):
        sign_in.accept(at.door.nobody(), "made up", HERE)
    with pytest.raises(Denied):
        sign_in.invite(at.ctx("new"), "adm")


def test_a_passkeys_challenge_is_the_persons_own(at: House, ann: str) -> None:
    """Nobody registers a device in answer to another's challenge."""
    at.enrol("ben", "evaluator")
    at.password("ben")
    made, options = at.door.ask_passkey(at.acting(at.signed_in(ann)))
    with pytest.raises(Refused, match="another person"):
        at.door.add_passkey(
            at.acting(at.signed_in("ben")), made.id, SoftwarePasskey().create(dict(options))
        )


def test_a_password_is_changed_with_two_factors(at: House, ann: str) -> None:
    """With the old one alone it is not; the new one then opens and the old one does not."""
    me = at.acting(at.signed_in(ann))
    with pytest.raises(Refused, match="two factors"):
        at.door.set_password(me, "quite another sentence")
    at.door.set_password(replace(me, ctx=at.ctx(ann, 2)), "quite another sentence")
    at.door.by_password(ann, "quite another sentence", HERE)
    with pytest.raises(NotSignedIn):
        at.signed_in(ann)


def recovering(at: House) -> tuple[str, str]:
    """Two administrators recover Ann; answers the code, and the request."""
    for who in ("adm-1", "adm-2"):
        at.enrol(who, "administrator")
    key = at.key("adm-2")
    request = sign_in.ask_recovery(at.ctx("adm-1"), "ann")
    signed = key.sign(approval.challenge(request))
    approval.approve(at.ctx("adm-2"), request.id, signed)
    given = approval.granted(at.ctx("adm-1"), request.id)
    return sign_in.recover(at.ctx("adm-1"), "ann", given), request.id


def test_a_recovery_takes_two_persons_and_a_day(at: House, ann: str) -> None:
    """Then everything that was lost opens nothing any more, and sessions have ended."""
    device, begun = with_passkey(at, ann), at.signed_in(ann)
    code, request = recovering(at)
    assert ("recovery", "principal/ann") in at.alerts()
    assert Kind.RECOVERY_BEGUN in at.kinds()
    with pytest.raises(Refused, match="counts from"):
        sign_in.accept(at.door.nobody(), code, HERE)
    at.acting(begun)
    with pytest.raises(Refused, match="used already"):
        approval.granted(at.ctx("adm-1"), request)
    at.clock.forward(hours=24)
    fresh = at.signed_in(ann)
    sign_in.accept(at.door.nobody(), code, HERE)
    for lost in (begun, fresh):
        with pytest.raises(NotSignedIn):
            at.acting(lost)
    with pytest.raises(NotSignedIn):
        by_passkey(at, device)
    with pytest.raises(NotSignedIn):
        at.signed_in(ann)


def test_one_administrator_alone_recovers_nobody(at: House, ann: str) -> None:
    """Not without a second signature, nor with signatures for somebody else."""
    at.enrol("ben", "evaluator")
    at.enrol("adm-1", "administrator")
    at.key("adm-1")
    request = sign_in.ask_recovery(at.ctx("adm-1"), ann)
    given = approval.granted(at.ctx("adm-1"), request.id)
    with pytest.raises(Refused, match="second person"):
        sign_in.recover(at.ctx("adm-1"), ann, given)
    with pytest.raises(Refused, match="another act"):
        sign_in.recover(at.ctx("adm-1"), "ben", given)


def test_whom_it_concerns_calls_a_recovery_off(at: House, ann: str) -> None:
    """With any key that is left; the code then opens nothing."""
    code, _ = recovering(at)
    assert sign_in.call_off(at.ctx(ann)) == 1
    at.clock.forward(hours=24)
    with pytest.raises(Refused, match="called off"):
        sign_in.accept(at.door.nobody(), code, HERE)
    assert Kind.RECOVERY_CALLED_OFF in at.kinds()


def test_the_second_of_two_uses_of_one_session_is_not_lost(at: House, ann: str) -> None:
    """Two requests at once both note that the session was seen; neither fails by the other."""
    begun = at.signed_in(ann)
    at.clock.forward(minutes=1)
    slow = at.door.nobody()
    at.acting(begun)
    assert sign_in.session_of(slow, begun.token).session.id == begun.session.id
    assert begun.session.started + timedelta(minutes=1) == at.clock.now
