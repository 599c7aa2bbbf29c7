"""Keys and codes of an account: ended by their person, registered once, and no second code left over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from identity.people import HERE, House
from identity.software_passkey import SoftwarePasskey
from leadline.app import approval, sign_in
from leadline.app.sign_in import NotSignedIn
from leadline.core.access import Bounds
from leadline.core.account import Method, RegisteredKey
from leadline.core.errors import NotFound, Refused
from leadline.core.grant import Grant, Scope
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind


@pytest.fixture
def ann(at: House) -> str:
    """Somebody with a password and a passkey."""
    at.enrol("ann", "evaluator")
    at.password("ann")
    return "ann"


def passkey(at: House, who: str) -> RegisteredKey:
    """A passkey of that person."""
    acting = replace(at.acting(at.signed_in(who)), ctx=at.ctx(who))
    asked, options = at.door.ask_passkey(acting)
    return at.door.add_passkey(acting, asked.id, SoftwarePasskey().create(dict(options)))


def test_a_lost_key_is_ended_by_its_person(at: House, ann: str) -> None:
    """With two factors; another person's is not told from none."""
    key = passkey(at, ann)
    with pytest.raises(Refused, match="two factors"):
        approval.retire(at.ctx(ann, level=1), key.id)
    at.enrol("ben", "evaluator")
    for who, name in (("ben", key.id), (ann, "key-0")):
        with pytest.raises(NotFound, match=f"no key {name}"):
            approval.retire(at.ctx(who), name)
    approval.retire(at.ctx(ann), key.id)
    assert at.kinds()[-1] is Kind.KEY_ENDED
    with pytest.raises(NotFound):
        approval.retire(at.ctx(ann), key.id)


def test_the_last_way_to_sign_in_is_not_ended(at: House) -> None:
    """Whoever ended all could otherwise register one of his own with one factor."""
    at.enrol("ben", "evaluator")
    at.key("ben")
    with at.door.parts.store.read() as view:
        (row,) = approval.keys_of(view, "ben")
    with pytest.raises(Refused, match="another first"):
        approval.retire(at.ctx("ben"), row.id)
    sign_in.link(at.ctx("ben"), "https://provider.example", "ben")
    approval.retire(at.ctx("ben"), row.id)


def test_a_key_that_somebody_has_is_registered_by_nobody_else(at: House, ann: str) -> None:
    """An attack: under the same name at the device, Ann's own sign-in would find the wrong one."""
    key = passkey(at, ann)
    at.enrol("ben", "evaluator")
    theirs = replace(key, id="key-x", principal="ben")
    with pytest.raises(Refused, match="registered already"):
        approval.register(at.ctx("ben"), theirs)
    approval.retire(at.ctx(ann), key.id)
    again = replace(key, id="key-y", added=at.clock.now)
    approval.register(at.ctx(ann), again)
    with at.door.parts.store.read() as view:
        rows = approval.keys_of(view, ann)
    assert {row.value.method for row in rows} == {Method.WEBAUTHN.value}
    assert sum(row.value.held(at.clock.now) for row in rows) == 1


def test_a_card_that_was_ended_and_registered_again_signs_in(at: House) -> None:
    """The one that stands is found, not the first that ever was."""
    at.enrol("ben", "evaluator")
    at.key("ben")
    now = at.clock.now
    old = RegisteredKey("key-a", "ben", "certificate", "A", now, ended=now, handle="f" * 64)
    with at.door.parts.store.write() as tx:
        tx.put(old.id, old, marking=Marking(Tlp.AMBER_STRICT))
    with pytest.raises(NotSignedIn):
        sign_in.by_certificate(at.door.nobody(), "f" * 64, HERE)
    approval.register(at.ctx("ben"), replace(old, id="key-b", ended=None))
    assert sign_in.by_certificate(at.door.nobody(), "f" * 64, HERE).session.principal == "ben"


def test_one_invitation_counts_at_a_time_and_none_after_the_first_use(at: House) -> None:
    """An attack: an administrator keeps a second code, to sign in as that person later."""
    at.enrol("adm", "administrator")
    at.enrol("new", "evaluator")
    first = sign_in.invite(at.ctx("adm"), "new")
    second = sign_in.invite(at.ctx("adm"), "new")
    with pytest.raises(Refused, match="called off"):
        sign_in.accept(at.door.nobody(), first, HERE)
    sign_in.accept(at.door.nobody(), second, HERE)
    with pytest.raises(Refused, match="called off"):
        sign_in.accept(at.door.nobody(), second, HERE)


def test_a_compartment_that_was_granted_makes_a_session_short(at: House, ann: str) -> None:
    """Also one that began before; compartments come by grants."""
    begun = at.signed_in(ann)
    grant = Grant(
        ann,
        Scope.COMPARTMENT,
        "alpha",
        at.clock.now + timedelta(days=9),
        "adm",
        at.clock.now,
    )
    at.clock.forward(minutes=16)
    at.acting(begun)
    with at.door.parts.store.write() as tx:
        tx.put(grant.id, grant, marking=Marking(Tlp.AMBER_STRICT), bounds=Bounds(owner=ann))
    at.clock.forward(minutes=16)
    with pytest.raises(NotSignedIn, match="idle"):
        at.acting(begun)
    assert at.signed_in(ann).session.confined
