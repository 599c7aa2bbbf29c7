"""Shares of a pack's key: what opens it, and all that does not."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sealed_world as sw
from leadline.core.errors import Invalid, LeadlineError, Refused, Tampered
from leadline.core.sealed.pack import Scheme
from leadline.runner import custody
from leadline.runner.custody import Channel, HolderKey

PACK, OTHER = "pack-1", "pack-2"
HOLDERS = tuple(custody.new_key() for _ in range(3))
CONTENT = sw.CANARY * 3
RUNNER = custody.new_key()
CHANNEL = Channel("session-1", "nonce-1", RUNNER.public)
SCHEMES = [Scheme(), Scheme("xor", 2, 2), Scheme("xor", 3, 3), Scheme("slip39", 3, 3)]


def made(scheme: Scheme, pack: str = PACK) -> custody.Sealing:
    """A sealed pack."""
    public = [holder.public for holder in HOLDERS[: scheme.count]]
    return custody.seal_pack(pack, CONTENT, scheme, public)


def arrived(
    sealing: custody.Sealing, places: tuple[int, ...], pack: str = PACK
) -> dict[int, bytes]:
    """The shares at *places* as the runner receives them."""
    passed = {
        place: custody.pass_on(HOLDERS[place], pack, sealing.digest, sealing.shares[place], CHANNEL)
        for place in places
    }
    return custody.receive(RUNNER, pack, sealing.digest, passed, CHANNEL)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_any_threshold_of_shares_opens_a_pack_and_fewer_open_nothing(scheme: Scheme) -> None:
    """Every subset of the holders is tried; the canary is nowhere in the ciphertext."""
    sealing = made(scheme)
    assert sw.CANARY not in sealing.ciphertext
    for size in range(scheme.count + 1):
        for places in combinations(range(scheme.count), size):
            shares = arrived(sealing, places)
            if size < scheme.threshold:
                with pytest.raises(Refused, match="of the"):
                    custody.assemble(shares, scheme)
                continue
            key = custody.assemble(shares, scheme)
            assert custody.decrypt(key, PACK, sealing.ciphertext) == CONTENT


@pytest.mark.parametrize("scheme", [Scheme(), Scheme("xor", 2, 2)], ids=str)
def test_shares_of_two_packs_open_neither(scheme: Scheme) -> None:
    """SLIP-39 notices itself; an XOR of foreign shares gives a key that opens nothing."""
    first, second = made(scheme), made(scheme, OTHER)
    mixed = {**arrived(first, (0,)), **arrived(second, (1,), OTHER)}
    with pytest.raises(Tampered):
        custody.decrypt(custody.assemble(mixed, scheme), PACK, first.ciphertext)
    with pytest.raises(Tampered, match="not shares of one key"):
        custody.assemble({0: b"\xff", 1: b"some words"}, scheme)


def test_one_share_twice_is_one_share() -> None:
    """At two places, it is still no threshold."""
    share = arrived(made(Scheme()), (0,))[0]
    with pytest.raises(Tampered):
        custody.assemble({0: share, 1: share}, Scheme())


def test_a_share_is_bound_to_holder_pack_ciphertext_and_place() -> None:
    """Moved, it does not open: each is tried alone."""
    sealing, other = made(Scheme()), made(Scheme())
    share = sealing.shares[0]
    wrong: list[tuple[HolderKey, str, str, int]] = [
        (HOLDERS[1], PACK, sealing.digest, 0),
        (HOLDERS[0], OTHER, sealing.digest, 0),
        (HOLDERS[0], PACK, other.digest, 0),
        (HOLDERS[0], PACK, sealing.digest, 1),
    ]
    for holder, pack, digest, number in wrong:
        with pytest.raises(Tampered, match="not sealed to this key for this use"):
            custody.pass_on(holder, pack, digest, replace(share, number=number), CHANNEL)


def test_what_was_passed_on_opens_in_its_channel_and_session_only() -> None:
    """Replayed into another session, nonce, place or runner it does not open."""
    sealing = made(Scheme())
    sealed = custody.pass_on(HOLDERS[0], PACK, sealing.digest, sealing.shares[0], CHANNEL)
    for channel in (replace(CHANNEL, session="session-2"), replace(CHANNEL, nonce="nonce-2")):
        with pytest.raises(Tampered):
            custody.receive(RUNNER, PACK, sealing.digest, {0: sealed}, channel)
    with pytest.raises(Tampered):
        custody.receive(RUNNER, PACK, sealing.digest, {1: sealed}, CHANNEL)
    with pytest.raises(Tampered):
        custody.receive(custody.new_key(), PACK, sealing.digest, {0: sealed}, CHANNEL)


@settings(max_examples=60)
@given(data=st.data())
def test_a_flipped_bit_of_ciphertext_or_share_is_refused(data: st.DataObject) -> None:
    """Anywhere."""
    sealing = made(Scheme("xor", 2, 2))
    key = custody.assemble(arrived(sealing, (0, 1)), Scheme("xor", 2, 2))
    for whole, opens in (
        (sealing.ciphertext, lambda c: custody.decrypt(key, PACK, c)),
        (
            bytes.fromhex(sealing.shares[0].sealed),
            lambda c: custody.pass_on(
                HOLDERS[0],
                PACK,
                sealing.digest,
                replace(sealing.shares[0], sealed=c.hex()),
                CHANNEL,
            ),
        ),
    ):
        flipped = bytearray(whole)
        flipped[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(LeadlineError):
            opens(bytes(flipped))
        with pytest.raises(LeadlineError):
            opens(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_a_pack_needs_one_holder_for_each_share() -> None:
    """Fewer, more, or one twice is refused; so is what is no key."""
    public = [holder.public for holder in HOLDERS]
    for wrong in (public[:2], [*public, custody.new_key().public], [public[0]] * 3):
        with pytest.raises(Invalid, match="custodians"):
            custody.seal_pack(PACK, CONTENT, Scheme(), wrong)
    with pytest.raises(Invalid, match="public key"):
        custody.seal(b"x", bytes(32), b"")


def test_a_custodians_key_is_kept_for_its_owner(tmp_path: Path) -> None:
    """It reads back, is never replaced, and is refused where others may read it."""
    file = tmp_path / "key"
    custody.write_key(file, HOLDERS[0])
    assert custody.read_key(file).id == HOLDERS[0].id
    with pytest.raises(Refused, match="never replaced"):
        custody.write_key(file, HOLDERS[1])
    file.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        custody.read_key(file)


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    """Absent, of another format, or with a half that is none."""
    file = tmp_path / "key"
    with pytest.raises(Invalid, match="cannot be read"):
        custody.read_key(file)
    for text in ('"x"', '{"format":"other"}', f'{{"format":"{custody.FORMAT}"}}'):
        file.write_text(text)
        file.chmod(0o600)
        with pytest.raises(Invalid, match="no custodian's key"):
            custody.read_key(file)
