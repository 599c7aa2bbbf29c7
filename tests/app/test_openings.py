"""A third party draws a sample of a finished run, and verifies it with nothing but a key."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

import sealed_world as sw
from leadline.app import approval, openings, sealed
from leadline.app.openings import Unlocked
from leadline.app.pack_verify import verify
from leadline.core.approval import Granted
from leadline.core.errors import Denied, Refused, Tampered
from leadline.core.record.act import Kind
from leadline.core.sealed.pack import Pack, chosen
from leadline.formats import pack as packs
from leadline.runner.sealed import unlocker
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from sealed_world import Measure, World

RANDOM = bytes(range(16)).hex()
COUNT = 12


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """An installation."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        yield World(store)


def finished(world: World) -> tuple[Pack, str]:
    """A pack, and a session whose score was released."""
    pack = world.pack(COUNT)
    session, _ = world.ran(pack, Measure(7))
    sealed.release_score(world.ctx("lead"), session.id, sw.limits())
    return pack, session.id


def granted(world: World, session: str, count: int = 5) -> Granted:
    """Signed by two officials and the keeper."""
    request = openings.ask(world.ctx("keeper"), session, RANDOM, count)
    for person in ("keeper", "official", "second"):
        signed = world.signed(person, approval.challenge(request))
        approval.approve(world.ctx(person), request.id, signed)
    return approval.granted(world.ctx("keeper"), request.id)


def test_a_sample_verifies_and_stands_in_the_ledger(world: World) -> None:
    """Five items and their outcomes, chosen by the third party's randomness; each an exposure."""
    pack, session = finished(world)
    signed = granted(world, session)
    unlock = unlocker(world.holders[1:])
    found = openings.open_sample(world.ctx("keeper"), session, RANDOM, 5, signed, unlock)
    places = chosen(bytes.fromhex(RANDOM), COUNT, 5)
    assert [one.index for one in found if one.kind == "item"] == list(places)
    sign = world.signer.sign
    committed = packs.encode_commitment(sealed.prove_commitment(world.ctx("lead"), session))
    reveal = packs.encode_reveal(sealed.reveal(world.ctx("lead"), session))
    read = packs.decode_openings(packs.encode_openings(found))
    told = verify(sign(committed).encode(), sign(reveal).encode(), world.signer.vkeys(), None, read)
    opened = {sw.items(COUNT)[place].id for place in places}
    solved = {item.id for item in sw.items(COUNT)[:7]}
    assert (told.opened, told.solved) == (10, len(opened & solved))
    assert pack.items
    exposed = [one for one in world.acts(Kind.ITEM_EXPOSED) if one["mode"] == "opened"]
    assert [one["item"] for one in exposed] == [pack.items[place] for place in places]


def test_an_opening_needs_its_own_approvals_and_enough_custodians(world: World) -> None:
    """Of another sample, used again, without two others, with one custodian: nothing is opened."""
    _, session = finished(world)
    keeper, unlock = world.ctx("keeper"), unlocker(world.holders)
    request = openings.ask(keeper, session, RANDOM, 5)
    none = Granted(request, frozenset(), asserted=False)
    with pytest.raises(Denied, match="two-persons"):
        openings.open_sample(keeper, session, RANDOM, 5, none, unlock)
    good = granted(world, session)
    with pytest.raises(Refused, match="another sample"):
        openings.open_sample(keeper, session, RANDOM, 6, good, unlock)
    with pytest.raises(Refused, match="1 of the 2"):
        openings.open_sample(keeper, session, RANDOM, 5, good, unlocker(world.holders[:1]))
    with pytest.raises(Refused, match="used already"):
        openings.open_sample(keeper, session, RANDOM, 5, good, unlock)


def test_nothing_is_opened_before_the_score_was_released(world: World) -> None:
    """The sample is drawn after what it checks is fixed."""
    session, _ = world.ran(world.pack(COUNT), Measure(7))
    signed = granted(world, session.id)
    unlock = unlocker(world.holders)
    with pytest.raises(Refused, match="an opening comes after"):
        openings.open_sample(world.ctx("keeper"), session.id, RANDOM, 5, signed, unlock)


@pytest.mark.parametrize("what", ["items", "outcomes"])
def test_what_was_exchanged_afterwards_is_tampering(world: World, what: str) -> None:
    """An item left out, or outcomes in another order."""
    _, session = finished(world)

    def lying(pack: Pack, id_: str, ciphertext: bytes, evidence: bytes) -> Unlocked:
        found = unlocker(world.holders)(pack, id_, ciphertext, evidence)
        if what == "items":
            return replace(found, items=found.items[1:])
        return replace(found, outcomes=found.outcomes[::-1])

    signed = granted(world, session)
    with pytest.raises(Tampered):
        openings.open_sample(world.ctx("keeper"), session, RANDOM, 5, signed, lying)
