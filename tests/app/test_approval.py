"""Approvals: a signature over exactly one act, by the right persons, in time, once."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from identity.people import House, house
from leadline.app import approval
from leadline.app.assertion import Signed
from leadline.core.access import Action, Bounds, Resource
from leadline.core.account import RegisteredKey
from leadline.core.approval import Approval, Detail, Request
from leadline.core.errors import Denied, NotFound, Refused, Tampered
from leadline.core.grant import Grant, Scope
from leadline.core.record.act import Kind
from leadline.identity.software_key import SoftwareKey
from leadline.wiring.home import clock

CUSTODIAN, OFFICIAL, LEAD, OUTSIDER = "custodian-1", "official-1", "lead-1", "operator-1"
THING = make.resource("artefact")
DETAIL: dict[str, Detail] = {
    "digest": "ab" * 32,
    "persons": ("ann", "ben"),
    "copies": 2,
    "whole": True,
}


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation with a custodian, two approvers and somebody who is none."""
    with house(tmp_path) as found:
        found.enrol(CUSTODIAN, "custodian")
        found.enrol(OFFICIAL, "determining-official")
        found.enrol(LEAD, "evaluation-lead")
        found.enrol(OUTSIDER, "operator", org="hospital", engagements=frozenset())
        yield found


@pytest.fixture
def keys(at: House) -> dict[str, SoftwareKey]:
    """A registered key each."""
    return {who: at.key(who) for who in (CUSTODIAN, OFFICIAL, LEAD, OUTSIDER)}


def asked(at: House, thing: Resource = THING) -> Request:
    """A request by the custodian."""
    return approval.ask(at.ctx(CUSTODIAN), Action.ARTEFACT_UNSEAL, thing, DETAIL)


def signed(at: House, who: str, request: Request, key: SoftwareKey) -> Approval:
    """One signature, given."""
    return approval.approve(at.ctx(who), request.id, key.sign(approval.challenge(request)))


def test_who_reaches_a_thing_by_a_grant_signs_for_it_until_the_grant_ends(at: House) -> None:
    """The requester is named for the engagement by a grant alone."""
    at.clock.now = clock()
    keys = {who: at.key(who) for who in (CUSTODIAN, OFFICIAL, LEAD)}
    at.enrol(CUSTODIAN, "custodian", engagements=frozenset())
    until = at.clock.now + timedelta(minutes=10)
    grant = Grant(CUSTODIAN, Scope.ENGAGEMENT, make.ENGAGEMENT, until, "admin", at.clock.now)
    with at.door.parts.store.write() as tx:
        tx.put(grant.id, grant, marking=make.marking(), bounds=Bounds(owner=grant.principal))
    request = asked(at)
    for who in (CUSTODIAN, OFFICIAL, LEAD):
        signed(at, who, request, keys[who])
    given = approval.granted(at.ctx(CUSTODIAN), request.id)
    assert (given.approvers, given.asserted) == (frozenset({OFFICIAL, LEAD}), True)
    at.clock.forward(minutes=10)
    assert not approval.granted(at.ctx(CUSTODIAN), request.id).asserted


def test_two_others_and_the_requester_sign_and_the_act_uses_it_once(
    at: House, keys: dict[str, SoftwareKey]
) -> None:
    """Two approvers and an assertion make the act possible; the signatures serve it alone."""
    request = asked(at)
    for who in (CUSTODIAN, OFFICIAL, LEAD):
        signed(at, who, request, keys[who])
    given = approval.granted(at.ctx(CUSTODIAN), request.id)
    assert (given.approvers, given.asserted) == (frozenset({OFFICIAL, LEAD}), True)
    at.ctx(CUSTODIAN).require(Action.ARTEFACT_UNSEAL, THING, given, proved=True)
    with at.door.parts.store.write() as tx:
        approval.use(tx, given)
    with pytest.raises(Refused, match="used already"), at.door.parts.store.write() as tx:
        approval.use(tx, given)
    assert ("approval", "artefact/thing-0001") not in at.alerts()
    with pytest.raises(Refused, match="used already"):
        approval.granted(at.ctx(CUSTODIAN), request.id)
    assert ("approval", "artefact/thing-0001") in at.alerts()
    assert at.kinds().count(Kind.APPROVAL_GIVEN) == 3


def test_the_requester_is_never_an_approver(at: House, keys: dict[str, SoftwareKey]) -> None:
    """His own signature is an assertion, and two persons are still due."""
    request = asked(at)
    signed(at, CUSTODIAN, request, keys[CUSTODIAN])
    signed(at, OFFICIAL, request, keys[OFFICIAL])
    given = approval.granted(at.ctx(CUSTODIAN), request.id)
    assert (given.approvers, given.asserted) == (frozenset({OFFICIAL}), True)
    with pytest.raises(Denied) as refused:
        at.ctx(CUSTODIAN).require(Action.ARTEFACT_UNSEAL, THING, given, proved=True)
    assert "two-persons" in refused.value.rules


def test_one_person_signs_once_whatever_keys_he_has(
    at: House, keys: dict[str, SoftwareKey]
) -> None:
    """A second key of the first approver makes no second approver."""
    request, second = asked(at), at.key(OFFICIAL)
    signed(at, OFFICIAL, request, keys[OFFICIAL])
    with pytest.raises(Refused, match="already"):
        signed(at, OFFICIAL, request, second)


def test_who_is_no_approver_learns_nothing_or_is_denied(
    at: House, keys: dict[str, SoftwareKey]
) -> None:
    """An operator, and a made-up request: neither is told apart by whoever asks about it."""
    request = asked(at)
    with pytest.raises((Denied, NotFound)):
        signed(at, OUTSIDER, request, keys[OUTSIDER])
    with pytest.raises(NotFound) as absent:
        approval.shown(at.ctx(OUTSIDER), "request-0")
    assert str(absent.value) == "no request request-0"
    assert approval.waiting(at.ctx(OUTSIDER)) == []
    assert [one.request.id for one in approval.waiting(at.ctx(OFFICIAL))] == [request.id]


def test_a_rule_against_a_person_stands_against_the_signature(
    at: House, keys: dict[str, SoftwareKey]
) -> None:
    """Whoever does not hold the thing's compartment cannot sign that it be opened."""
    at.enrol(CUSTODIAN, "custodian", compartments=frozenset({"alpha"}))
    request = asked(at, make.resource("artefact", compartments=("alpha",)))
    with pytest.raises(Denied) as refused:
        signed(at, OFFICIAL, request, keys[OFFICIAL])
    assert refused.value.rules == ("compartments",)


def test_who_may_not_do_an_act_may_not_ask_for_it(at: House) -> None:
    """Asking is denied as the act would be, and the denial is an act."""
    with pytest.raises(Denied):
        approval.ask(at.ctx(OFFICIAL), Action.ARTEFACT_UNSEAL, THING)
    assert at.kinds() == [Kind.ACCESS_DENIED, Kind.ALERT_RAISED]


def test_a_suspended_approvers_signature_counts_no_more(
    at: House, keys: dict[str, SoftwareKey]
) -> None:
    """What was signed before the suspension is worth nothing after it."""
    request = asked(at)
    signed(at, OFFICIAL, request, keys[OFFICIAL])
    at.enrol(OFFICIAL, "determining-official", suspended=True)
    assert approval.granted(at.ctx(CUSTODIAN), request.id).approvers == frozenset()


def test_approvals_run_out_after_fifteen_minutes(at: House, keys: dict[str, SoftwareKey]) -> None:
    """At the last instant they count, at the next they do not."""
    request = asked(at)
    signed(at, OFFICIAL, request, keys[OFFICIAL])
    at.clock.now = request.expires - timedelta(microseconds=1)
    assert approval.granted(at.ctx(CUSTODIAN), request.id).approvers == {OFFICIAL}
    at.clock.now = request.expires
    with pytest.raises(Refused, match="ran out"):
        approval.granted(at.ctx(CUSTODIAN), request.id)
    with pytest.raises(Refused, match="ran out"):
        signed(at, LEAD, request, keys[LEAD])
    assert approval.waiting(at.ctx(OFFICIAL)) == []


def test_a_clock_set_back_is_refused(at: House, keys: dict[str, SoftwareKey]) -> None:
    """Neither a request nor an approval of the future counts."""
    request = asked(at)
    at.clock.forward(minutes=5)
    signed(at, OFFICIAL, request, keys[OFFICIAL])
    at.clock.forward(minutes=-1)
    with pytest.raises(Refused, match="set back"):
        approval.granted(at.ctx(CUSTODIAN), request.id)
    at.clock.forward(minutes=-10)
    with pytest.raises(Refused, match="set back"):
        approval.granted(at.ctx(CUSTODIAN), request.id)


def test_a_replayed_signature_is_refused_and_is_an_alert(
    at: House, keys: dict[str, SoftwareKey]
) -> None:
    """The approval of one request, sent for another of the very same act, does not verify."""
    first, second = asked(at), asked(at)
    old = signed(at, OFFICIAL, first, keys[OFFICIAL])
    again = Signed(old.key, old.method, old.evidence)
    with pytest.raises(Tampered):
        approval.approve(at.ctx(OFFICIAL), second.id, again)
    assert ("approval", "artefact/thing-0001") in at.alerts()
    assert approval.granted(at.ctx(CUSTODIAN), second.id).approvers == frozenset()


def test_nobody_signs_with_anothers_key(at: House, keys: dict[str, SoftwareKey]) -> None:
    """The lead cannot sign with the official's key, and granted is the requester's alone."""
    request = asked(at)
    with pytest.raises(NotFound, match="no key"):
        signed(at, LEAD, request, keys[OFFICIAL])
    with pytest.raises(NotFound):
        approval.granted(at.ctx(OFFICIAL), request.id)


def test_a_changed_request_is_not_used(at: House, keys: dict[str, SoftwareKey]) -> None:
    """What is marked used must be what was approved, to the letter."""
    request = asked(at)
    given = approval.granted(at.ctx(CUSTODIAN), request.id)
    other = replace(given, request=replace(given.request, resource="thing-0002"))
    with pytest.raises(Refused, match="not the one"), at.door.parts.store.write() as tx:
        approval.use(tx, other)


def test_an_assertion_alone_is_one_call(at: House, keys: dict[str, SoftwareKey]) -> None:
    """An act that needs nobody else: ask, sign, and have it in hand."""
    given = approval.asserted(
        at.ctx(CUSTODIAN), Action.ARTEFACT_UNSEAL, THING, DETAIL, keys[CUSTODIAN].sign
    )
    assert (given.asserted, given.approvers) == (True, frozenset())


def test_a_key_is_registered_once_by_its_holder_and_a_further_one_with_two_factors(
    at: House, keys: dict[str, SoftwareKey]
) -> None:
    """Again the same: nothing happens. Another's: refused. One factor: refused."""
    key = keys[OFFICIAL].registered(OFFICIAL, at.clock.now)
    before = at.kinds()
    approval.register(at.ctx(OFFICIAL, 1), key)
    assert at.kinds() == before
    with pytest.raises(Refused, match="holds it"):
        approval.register(at.ctx(LEAD), key)
    with pytest.raises(Refused, match="two factors"):
        approval.register(at.ctx(OFFICIAL, 1), replace(key, id="key-2", public="AA=="))


REQUEST = Request(
    "request-1",
    Action.ARTEFACT_UNSEAL,
    "artefact",
    "thing-0001",
    make.ENGAGEMENT,
    CUSTODIAN,
    make.NOW,
    "00" * 32,
    DETAIL,
)
OTHERS = {
    "id": st.text(min_size=1, max_size=8),
    "action": st.sampled_from(Action),
    "kind": st.sampled_from(["pack", "engagement", "item"]),
    "resource": st.text(max_size=8),
    "engagement": st.text(max_size=8),
    "requester": st.text(max_size=8),
    "at": st.datetimes().map(lambda one: one.replace(tzinfo=make.NOW.tzinfo)),
    "nonce": st.binary(min_size=32, max_size=32).map(bytes.hex),
    "detail": st.dictionaries(st.sampled_from(["digest", "to"]), st.text(max_size=4)),
}


def key_of(number: int = 1) -> SoftwareKey:
    """A key that repeats from run to run."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return SoftwareKey(Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big")))


def approved(request: Request, key: SoftwareKey) -> tuple[Approval, RegisteredKey]:
    """A signature and the key that made it."""
    made = key.sign(approval.challenge(request))
    held = key.registered(OFFICIAL, make.NOW)
    given = Approval("a-1", request.id, OFFICIAL, make.NOW, "key", key.id, made.evidence)
    return given, held


def test_every_field_of_a_request_is_covered_by_the_property() -> None:
    """A new field must be signed, or stated here as not: only *used* changes after signing."""
    assert {one.name for one in fields(Request)} - set(OTHERS) == {"used"}


@given(data=st.data(), name=st.sampled_from(sorted(OTHERS)))
def test_an_approval_of_one_act_is_refused_for_every_other(data: st.DataObject, name: str) -> None:
    """Whatever field of the request differs, the signature does not hold for it."""
    from unicodedata import normalize

    value = data.draw(OTHERS[name])
    value = normalize("NFC", value) if isinstance(value, str) and name != "nonce" else value
    if value == getattr(REQUEST, name):
        return
    given_, held = approved(REQUEST, key_of())
    approval.verify(REQUEST, given_, held)
    other = replace(REQUEST, **{name: value})  # type: ignore[arg-type]
    with pytest.raises((Refused, Tampered)):
        approval.verify(other, replace(given_, request=other.id), held)


@pytest.mark.parametrize(
    "changed",
    [
        {"request": "request-2"},
        {"principal": LEAD},
        {"method": "webauthn"},
        {"key": "key-2"},
        {"at": make.NOW - timedelta(seconds=1)},
        {"at": make.NOW + timedelta(minutes=15)},
    ],
)
def test_an_approval_with_another_field_is_refused(changed: dict[str, object]) -> None:
    """Another request, person, method, key or time is another approval."""
    given_, held = approved(REQUEST, key_of())
    with pytest.raises(Refused):
        approval.verify(REQUEST, replace(given_, **changed), held)  # type: ignore[arg-type]


def test_a_key_that_had_ended_signs_nothing() -> None:
    """Even where the signature itself is good."""
    given_, held = approved(REQUEST, key_of())
    with pytest.raises(Refused, match="not registered"):
        approval.verify(REQUEST, given_, replace(held, ended=make.NOW))


@given(place=st.integers(0, 63), bit=st.integers(0, 7))
def test_a_signature_with_one_bit_changed_is_tampered_with(place: int, bit: int) -> None:
    """Each of its 512 bits counts."""
    import base64

    given_, held = approved(REQUEST, key_of())
    raw = bytearray(base64.b64decode(given_.evidence["signature"]))
    raw[place] ^= 1 << bit
    bad = replace(given_, evidence={"signature": base64.b64encode(raw).decode()})
    with pytest.raises(Tampered):
        approval.verify(REQUEST, bad, held)


def test_the_challenge_is_what_the_design_says() -> None:
    """SHA-256 of the context, a NUL, the digest of the canonical request, and the nonce."""
    from hashlib import sha256

    whole = b"leadline/assert/v1\0" + approval.digest(REQUEST) + bytes(32)
    assert approval.challenge(REQUEST) == sha256(whole).digest()
