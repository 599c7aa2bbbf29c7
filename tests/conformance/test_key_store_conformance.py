"""What every key service promises; see `leadline.app.ports.KeyStore`.

Each condition of an opening has its own refusal here, on every driver: in memory, with wrapping keys in
files (hybrid and X25519 alone), and with wrapping keys in a PKCS#11 token.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import make
import vault_world
from fake_vault import FaultyKeyStore
from leadline.app.ports import KeyStore, Release
from leadline.core.access import Action
from leadline.core.errors import Invalid, NotFound, Refused, Tampered, Unavailable
from leadline.core.record.act import Kind
from leadline.core.vaulting import Bound, Owner, Protection, Wrapped
from leadline.vault.keks import WrappingKeys
from vault_world import CUSTODIAN, FIRST, SECOND, SOFTHSM, World, without

KEYS = [bytes([number]) * 32 for number in range(3)]
DIGEST = sha256(b"weights").hexdigest()
DRIVERS = [
    "memory",
    "file",
    "classic",
    pytest.param("pkcs11", marks=pytest.mark.skipif(not SOFTHSM.exists(), reason="no SoftHSM")),
]


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> WrappingKeys:
    """One software token for all tests: the library reads its place once."""
    return vault_world.token(tmp_path_factory.mktemp("token"))


@pytest.fixture
def world() -> World:
    """Persons, clock and log."""
    return World()


@pytest.fixture(params=DRIVERS)
def keys(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> KeyStore:
    """An empty key service of each kind."""
    token = request.getfixturevalue("token") if request.param == "pkcs11" else None
    return vault_world.key_store(request.param, world, tmp_path, token)


def bound(keys: KeyStore, shard: int = 0, shards: int = 1, owner: Owner = "developer") -> Bound:
    """What a data key of the developer's sealed artefact is bound to."""
    to = keys.ensure(make.ENGAGEMENT, owner)
    return Bound(
        make.ENGAGEMENT,
        owner,
        to.compartment,
        to.epoch,
        DIGEST,
        7,
        Protection.SEALED,
        "terms",
        shard,
        shards,
    )


def sealed(keys: KeyStore) -> list[Wrapped]:
    """Three data keys of one sealed artefact."""
    return [keys.wrap(key, bound(keys, n, 3)) for n, key in enumerate(KEYS)]


def test_two_others_the_requester_and_a_proof_open_all_shards(keys: KeyStore, world: World) -> None:
    """In their order."""
    assert keys.unwrap(sealed(keys), world.release(DIGEST)) == KEYS


def test_no_sealed_key_stands_in_the_clear(keys: KeyStore) -> None:
    """Neither as it is nor twice alike."""
    once, again = keys.wrap(KEYS[1], bound(keys)), keys.wrap(KEYS[1], bound(keys))
    assert KEYS[1] not in once.sealed
    assert once.sealed != again.sealed


def other_act(world: World, release: Release) -> Release:
    """The proof is of the authorisation of another request."""
    act = world.act(world.request(DIGEST))
    return replace(release, proof=world.proof(act))


def changed_act(**changes: object) -> Callable[[World, Release], Release]:
    """The proved act is as due but for *changes*."""

    def change(world: World, release: Release) -> Release:
        act = replace(world.act(release.request), **changes)  # type: ignore[arg-type]
        return replace(release, proof=world.proof(act))

    return change


def unsigned_proof(world: World, release: Release) -> Release:
    """The checkpoint is signed by another log's key under the same name."""
    stranger = World()
    stranger.signer = type(world.signer)("stranger.example/log")
    return replace(release, proof=stranger.proof(stranger.act(release.request)))


def cut_proof(_world: World, release: Release) -> Release:
    """One hash is missing."""
    lines = release.proof.text.split("\n")
    return replace(release, proof=replace(release.proof, text="\n".join(lines[:2] + lines[3:])))


def another_person_signs_twice(world: World, release: Release) -> Release:
    """Two approvals, one person."""
    again = replace(world.sign(release.request, FIRST), id="approval-again")
    return replace(without(release, SECOND), approvals=(*without(release, SECOND).approvals, again))


def requester_for_second(world: World, release: Release) -> Release:
    """The requester signs as the second approver."""
    own = world.sign(release.request, CUSTODIAN)
    claimed = replace(own, id="approval-claimed", principal=SECOND)
    return replace(release, approvals=(*without(release, SECOND).approvals, claimed))


def earlier_signature(world: World, release: Release) -> Release:
    """A signature over another request of the same thing is claimed for this one."""
    old = world.sign(world.request(DIGEST), SECOND)
    moved = replace(old, request=release.request.id)
    return replace(release, approvals=(*without(release, SECOND).approvals, moved))


def ended_key(world: World, release: Release) -> Release:
    """The key of one approver was ended before."""
    world.registered[FIRST] = replace(world.registered[FIRST], ended=make.NOW)
    return release


def unknown_key(world: World, release: Release) -> Release:
    """One signature is by a key that nobody registered."""
    del world.registered[FIRST]
    return release


def later_signature(world: World, release: Release) -> Release:
    """One signature carries a time that has not come."""
    late = world.sign(release.request, SECOND, at=world.now + timedelta(minutes=5))
    return replace(release, approvals=(*without(release, SECOND).approvals, late))


def expired(world: World, release: Release) -> Release:
    """Fifteen minutes have gone by."""
    world.now += timedelta(minutes=15)
    return release


def from_tomorrow(world: World, release: Release) -> Release:
    """The clock was set back after the request was made."""
    world.now -= timedelta(days=1)
    return release


def changed_request(**changes: object) -> Callable[[World, Release], Release]:
    """What was signed was another request: the one shown differs in *changes*."""

    def change(_world: World, release: Release) -> Release:
        return replace(release, request=replace(release.request, **changes))  # type: ignore[arg-type]

    return change


def signed_for(**changes: object) -> Callable[[World, Release], Release]:
    """Everything signed and proved, but for a request with *changes*."""

    def change(world: World, release: Release) -> Release:
        request = replace(release.request, **changes)  # type: ignore[arg-type]
        signed = tuple(world.sign(request, one) for one in (CUSTODIAN, FIRST, SECOND))
        return Release(request, signed, world.proof(world.act(request)))

    return change


FAULTS: dict[str, Callable[[World, Release], Release]] = {
    "no first approver": lambda _, release: without(release, FIRST),
    "no second approver": lambda _, release: without(release, SECOND),
    "no approval at all": lambda _, release: replace(release, approvals=()),
    "requester has not signed": lambda _, release: without(release, CUSTODIAN),
    "one person signs twice": another_person_signs_twice,
    "requester as approver": requester_for_second,
    "signature of an earlier request": earlier_signature,
    "key ended": ended_key,
    "key unknown": unknown_key,
    "signature from the future": later_signature,
    "expired": expired,
    "clock set back": from_tomorrow,
    "proof of another request's act": other_act,
    "proof of another kind of act": changed_act(kind=Kind.ARTEFACT_READ),
    "proof of another artefact's act": changed_act(about="artefact-0002"),
    "proof of another engagement's act": changed_act(engagement="another"),
    "proof of another person's act": changed_act(actor=FIRST),
    "proof of an act without the challenge": changed_act(detail={"request": "request-0001"}),
    "proof under another log's key": unsigned_proof,
    "proof cut": cut_proof,
    "request's purpose changed": changed_request(
        detail={"digest": DIGEST, "purpose": "something else"}
    ),
    "request's time changed": changed_request(at=make.NOW + timedelta(seconds=1)),
    "request's nonce changed": changed_request(nonce="f" * 64),
    "request for reading": signed_for(action=Action.ARTEFACT_READ),
    "request for shredding": signed_for(action=Action.ARTEFACT_SHRED),
    "request for another thing": signed_for(detail={"digest": "0" * 64}),
    "request of another engagement": signed_for(engagement="another"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_opening_that_lacks_one_thing_is_refused(
    keys: KeyStore, world: World, fault: str
) -> None:
    """And what was refused did not use the request up: with everything it opens."""
    wrapped, release = sealed(keys), world.release(DIGEST)
    registered, now = dict(world.registered), world.now
    with pytest.raises((Refused, Tampered, NotFound)):
        keys.unwrap(wrapped, FAULTS[fault](world, release))
    world.registered, world.now = registered, now
    if fault not in {"expired", "clock set back"}:
        assert keys.unwrap(wrapped, release) == KEYS


def test_a_release_serves_once(keys: KeyStore, world: World) -> None:
    """Not even for the same artefact."""
    wrapped, release = sealed(keys), world.release(DIGEST)
    keys.unwrap(wrapped, release)
    with pytest.raises(Refused):
        keys.unwrap(wrapped, release)


def test_the_clock_never_goes_back_for_a_key_store(keys: KeyStore, world: World) -> None:
    """What expired stays expired, however the clock is set afterwards."""
    wrapped, old = sealed(keys), world.release(DIGEST)
    world.now += timedelta(hours=1)
    keys.unwrap(wrapped, world.release(DIGEST))
    world.now -= timedelta(hours=1)
    with pytest.raises(Refused):
        keys.unwrap(wrapped, old)
    with pytest.raises(Refused):
        keys.rotate(make.ENGAGEMENT, "developer")


def test_only_all_shards_of_one_artefact_open_in_their_order(keys: KeyStore, world: World) -> None:
    """Fewer, swapped, doubled or mixed are no artefact."""
    first, second, third = sealed(keys)
    alien = keys.wrap(KEYS[0], replace(bound(keys, 0, 3), digest="0" * 64))
    for some in (
        [],
        [first, second],
        [second, first, third],
        [first, first, third],
        [alien, second, third],
    ):
        with pytest.raises((Invalid, Tampered, Refused)):
            keys.unwrap(some, world.release(DIGEST))


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "engagement": st.sampled_from(["another", ""]),
        "owner": st.just("agency"),
        "compartment": st.just("key-" + "0" * 32),
        "epoch": st.sampled_from([0, 2, 99]),
        "digest": st.just("0" * 64),
        "size": st.sampled_from([0, 6, 8]),
        "terms": st.sampled_from(["", "other"]),
        "shard": st.sampled_from([1, 2]),
        "shards": st.sampled_from([2, 3]),
    },
).filter(bool)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=CHANGES)
def test_a_key_opens_under_its_own_words_only(keys: KeyStore, changes: dict[str, object]) -> None:
    """A wrapped key moved to another engagement, owner, epoch, digest, place or terms does not open."""
    working = replace(bound(keys), protection=Protection.WORKING)
    wrapped = keys.wrap(KEYS[1], working)
    assert keys.open_working(wrapped) == KEYS[1]
    moved = replace(working, **changes)  # type: ignore[arg-type]
    with pytest.raises((Tampered, NotFound, Refused)):
        keys.open_working(replace(wrapped, bound=moved))


def test_a_sealed_key_does_not_open_as_working(keys: KeyStore) -> None:
    """Neither by asking nor by lying about its protection."""
    wrapped = keys.wrap(KEYS[1], bound(keys))
    with pytest.raises(Refused):
        keys.open_working(wrapped)
    with pytest.raises(Tampered):
        keys.open_working(
            replace(wrapped, bound=replace(wrapped.bound, protection=Protection.WORKING))
        )


def test_a_working_key_is_not_unsealed(keys: KeyStore, world: World) -> None:
    """There is nothing to unseal."""
    wrapped = keys.wrap(KEYS[1], replace(bound(keys), protection=Protection.WORKING))
    with pytest.raises(Refused):
        keys.unwrap([wrapped], world.release(DIGEST))


@pytest.mark.parametrize("at", [0, -1, 40])
def test_a_changed_byte_is_tampered(keys: KeyStore, world: World, at: int) -> None:
    """Anywhere in the wrapped key."""
    wrapped = keys.wrap(KEYS[1], bound(keys))
    content = bytearray(wrapped.sealed)
    content[at % len(content)] ^= 1
    with pytest.raises(Tampered):
        keys.unwrap([replace(wrapped, sealed=bytes(content))], world.release(DIGEST))


@pytest.mark.parametrize("cut", [0, 1, 31])
def test_a_truncated_key_is_tampered(keys: KeyStore, world: World, cut: int) -> None:
    """Down to nothing."""
    wrapped = keys.wrap(KEYS[1], bound(keys))
    with pytest.raises(Tampered):
        keys.unwrap([replace(wrapped, sealed=wrapped.sealed[:cut])], world.release(DIGEST))


def test_two_owners_have_two_compartments(keys: KeyStore) -> None:
    """And one engagement none of another's; the second call answers the same."""
    ids = {
        keys.ensure(engagement, owner).compartment
        for engagement in ("one", "two")
        for owner in ("agency", "developer")
    }
    assert len(ids) == 4
    assert keys.ensure("one", "agency").compartment in ids


def test_a_key_is_sealed_to_compartments_that_exist(keys: KeyStore) -> None:
    """Not to one that nobody made, nor to another's, nor to an epoch to come."""
    known = bound(keys)
    for wrong in (
        replace(known, engagement="nobody's"),
        replace(known, compartment="key-" + "0" * 32),
        replace(known, epoch=2),
    ):
        with pytest.raises((NotFound, Tampered)):
            keys.wrap(KEYS[0], wrong)


def test_rotation_begins_an_epoch_and_rewrapping_moves_keys(keys: KeyStore, world: World) -> None:
    """The same key under epoch 2; what is there already stays; the old epoch opens what it wrapped."""
    before = sealed(keys)
    world.now += timedelta(minutes=1)
    assert keys.rotate(make.ENGAGEMENT, "developer") == 2
    after = [keys.rewrap(one) for one in before]
    assert [one.bound.epoch for one in after] == [2, 2, 2]
    assert [keys.rewrap(one) for one in after] == after
    assert keys.unwrap(after, world.release(DIGEST)) == KEYS
    assert keys.unwrap(before, world.release(DIGEST)) == KEYS
    with pytest.raises(NotFound):
        keys.rotate("nobody's", "agency")


def test_rotation_needs_a_clock_that_went_on(keys: KeyStore) -> None:
    """An epoch that began no later than the one before tells nothing."""
    bound(keys)
    with pytest.raises(Refused):
        keys.rotate(make.ENGAGEMENT, "developer")


def test_ended_access_opens_nothing_and_waits_for_nothing(keys: KeyStore, world: World) -> None:
    """Sealed or working; the other owner's is untouched; ending what never was is no error."""
    wrapped, working = sealed(keys), replace(bound(keys), protection=Protection.WORKING)
    readable = keys.wrap(KEYS[0], working)
    own = keys.wrap(KEYS[2], replace(bound(keys, owner="agency"), protection=Protection.WORKING))
    keys.end("nobody's", "developer")
    keys.end(make.ENGAGEMENT, "developer")
    assert keys.ended(make.ENGAGEMENT, "developer")
    assert not keys.ended(make.ENGAGEMENT, "agency")
    with pytest.raises(Refused):
        keys.unwrap(wrapped, world.release(DIGEST))
    with pytest.raises(Refused):
        keys.open_working(readable)
    assert keys.open_working(own) == KEYS[2]


def test_a_destroyed_key_is_gone_once_and_for_all(keys: KeyStore, world: World) -> None:
    """It opens and takes nothing, is reported again when destroyed again, and attested as destroyed."""
    wrapped = sealed(keys)
    assert "destroyed" not in keys.attest(make.ENGAGEMENT, "developer")
    (done,) = keys.destroy(make.ENGAGEMENT, "developer", authority="request-1")
    world.now += timedelta(minutes=1)
    assert keys.destroy(make.ENGAGEMENT, "developer", authority="request-2") == (done,)
    assert keys.destroy("nobody's", "developer", authority="request-3") == ()
    assert (done.compartment, done.at) == (wrapped[0].bound.compartment, make.NOW)
    assert "destroyed" in keys.attest(make.ENGAGEMENT, "developer")
    for refused in (
        lambda: keys.unwrap(wrapped, world.release(DIGEST)),
        lambda: keys.wrap(KEYS[0], wrapped[0].bound),
        lambda: keys.ensure(make.ENGAGEMENT, "developer"),
        lambda: keys.rotate(make.ENGAGEMENT, "developer"),
        lambda: keys.rewrap(wrapped[0]),
    ):
        with pytest.raises((Refused, Tampered)):
            refused()
    assert keys.ensure(make.ENGAGEMENT, "agency").epoch == 1


def test_an_attestation_names_the_key_and_never_protects_more_than_it_does(
    keys: KeyStore,
) -> None:
    """Where the key is, and whom it does not protect from."""
    with pytest.raises(NotFound):
        keys.attest(make.ENGAGEMENT, "developer")
    compartment = keys.ensure(make.ENGAGEMENT, "developer").compartment
    told = keys.attest(make.ENGAGEMENT, "developer")
    assert compartment in told
    assert any(word in told for word in ("no protection", "no better than a file", "gone with"))


@pytest.mark.parametrize("persisted", [True, False])
def test_a_fault_in_the_middle_never_opens_twice(world: World, *, persisted: bool) -> None:
    """Before the mark the same release serves; after it nothing does, and a new request is due."""
    keys = FaultyKeyStore(world.clock, world.roster, world.policy)
    wrapped, release = sealed(keys), world.release(DIGEST)
    keys.fail_next(persisted=persisted)
    with pytest.raises(Unavailable):
        keys.unwrap(wrapped, release)
    if persisted:
        with pytest.raises(Refused):
            keys.unwrap(wrapped, release)
        release = world.release(DIGEST)
    assert keys.unwrap(wrapped, release) == KEYS
