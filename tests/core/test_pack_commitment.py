"""Commitments to items and outcomes, what they show, and what a sample of openings notices."""

from dataclasses import replace
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid, Tampered
from leadline.core.record import commitment as record_commitment
from leadline.core.sealed import pack
from leadline.core.sealed.pack import Commitment, Pack, Reveal, Scheme, SealedShare

DIGEST = sha256(b"digest").hexdigest()


def leaves(count: int) -> list[tuple[bytes, bytes]]:
    """Salts and records."""
    return [(bytes([number]) * 32, b"record %d" % number) for number in range(count)]


def made(count: int) -> list[bytes]:
    """Their commitments as items."""
    return [pack.item_commitment(salt, record) for salt, record in leaves(count)]


@given(count=st.integers(1, 40), data=st.data())
def test_an_opening_shows_the_leaf_that_the_root_fixed(count: int, data: st.DataObject) -> None:
    """Its own place and record verify; another place, record, salt or root does not."""
    index = data.draw(st.integers(0, count - 1))
    salt, record = leaves(count)[index]
    commitments = made(count)
    root = pack.root(commitments)
    opening = pack.opened("item", commitments, index, salt, record)
    assert pack.check_opening(opening, count, root) == record
    altered = [
        replace(opening, record=b"another".hex()),
        replace(opening, salt=bytes(32).hex() if salt != bytes(32) else (b"\1" * 32).hex()),
        replace(opening, kind="outcome"),
        replace(opening, index=index + 1),
    ]
    for one in altered:
        with pytest.raises((Tampered, Invalid)):
            pack.check_opening(one, count, root)
    with pytest.raises(Tampered):
        pack.check_opening(opening, count, bytes(32))


def test_items_outcomes_and_acts_cannot_be_taken_for_one_another() -> None:
    """The same salt and record give three different commitments."""
    salt, record = bytes(32), b"{}"
    three = {
        pack.item_commitment(salt, record),
        pack.outcome_commitment(salt, record),
        record_commitment.commit(salt, record),
    }
    assert len(three) == 3


def test_a_root_needs_different_commitments() -> None:
    """None, or one twice, is refused."""
    for wrong in ([], [bytes(32)] * 2):
        with pytest.raises(Invalid, match="items"):
            pack.root(wrong)


@pytest.mark.parametrize(
    ("altered", "confidence", "due"), [(0.05, 0.95, 59), (0.01, 0.95, 299), (0.5, 0.5, 1)]
)
def test_how_many_openings_notice_alterations(altered: float, confidence: float, due: int) -> None:
    """59 openings notice 5 % altered items with 95 %; one fewer does not."""
    assert pack.openings_needed(altered, confidence) == due
    assert pack.found_chance(altered, due) >= confidence
    assert due == 1 or pack.found_chance(altered, due - 1) < confidence


def test_the_chance_of_noticing_is_what_drawing_shows() -> None:
    """59 of 1,000 items with 50 altered: the formula without replacement agrees with 4,000 draws."""
    rng = Random(7)  # noqa: S311 -- a simulation
    altered = set(range(50))
    hits = 0
    for _ in range(4000):
        picked = pack.chosen(rng.randbytes(16), 1000, 59)
        assert len(set(picked)) == 59
        hits += bool(altered & set(picked))
    exact = pack.found_chance_exactly(50, 1000, 59)
    assert abs(hits / 4000 - exact) < 0.02
    assert exact > pack.found_chance(0.05, 59) >= 0.95


def test_a_choice_follows_from_its_randomness_alone() -> None:
    """Equal randomness gives equal indices, all of them when all are asked for."""
    first = pack.chosen(bytes(16), 12, 12)
    assert first == pack.chosen(bytes(16), 12, 12) != pack.chosen(b"\1" * 16, 12, 12)
    assert sorted(first) == list(range(12))


def test_numbers_that_cannot_be_are_refused() -> None:
    """Fractions outside 0 to 1, negative counts, too little randomness, more openings than items."""
    with pytest.raises(Invalid, match="altered"):
        pack.found_chance(1.5, 1)
    with pytest.raises(Invalid, match="openings"):
        pack.found_chance(0.5, -1)
    with pytest.raises(Invalid, match="openings"):
        pack.found_chance_exactly(3, 2, 1)
    with pytest.raises(Invalid, match="confidence"):
        pack.openings_needed(0.5, 1.0)
    with pytest.raises(Invalid, match="randomness"):
        pack.chosen(bytes(15), 2, 1)
    with pytest.raises(Invalid, match="openings"):
        pack.chosen(bytes(16), 2, 3)


def reveal(**changed: object) -> Reveal:
    """A reveal of `commitment`."""
    base = Reveal(DIGEST, 4, 6, DIGEST, 40, 50, 10, 90, "00", "00")
    return replace(base, **changed)  # type: ignore[arg-type]


COMMITMENT = Commitment("commitment-1", "pack-1", DIGEST, 6, DIGEST, DIGEST, DIGEST, DIGEST)


def test_a_reveal_answers_the_commitment_it_names() -> None:
    """Another commitment, another number of items, or a range that is none is refused."""
    pack.check_reveal(COMMITMENT, DIGEST, reveal())
    with pytest.raises(Tampered, match="another commitment"):
        pack.check_reveal(COMMITMENT, "0" * 64, reveal())
    with pytest.raises(Tampered, match="7 items"):
        pack.check_reveal(COMMITMENT, DIGEST, reveal(items=7))
    for wrong in ({"low": 50}, {"high": 101}, {"interval_low": -1}, {"interval_high": 10}):
        with pytest.raises(Invalid, match="range"):
            pack.check_reveal(COMMITMENT, DIGEST, reveal(**wrong))
    assert set(pack.commitment_record(COMMITMENT)) == set(Commitment.__slots__)


@pytest.mark.parametrize(
    ("method", "threshold", "count"),
    [("slip39", 1, 3), ("slip39", 4, 3), ("slip39", 2, 17), ("xor", 2, 3)],
)
def test_a_threshold_of_one_is_no_threshold(method: str, threshold: int, count: int) -> None:
    """Nor is one above the count, or an XOR of which one share may be missing."""
    with pytest.raises(Invalid, match="scheme"):
        Scheme(method, threshold, count)  # type: ignore[arg-type]


def test_a_pack_goes_by_its_pseudonym_where_it_is_hidden() -> None:
    """Acts never name a hidden pack by its id; retired items are not shown."""
    items = tuple(one.hex() for one in made(3))
    share = SealedShare(DIGEST, 0, "00")
    open_ = Pack("pack-1", "thing-1", DIGEST, items, DIGEST, Scheme(), (share,))
    assert (open_.name, replace(open_, hidden=True).name) == ("pack-1", "thing-1")
    assert open_.shown == items
    assert replace(open_, out=items[:1]).shown == items[1:]
    assert bytes.fromhex(open_.root) == pack.root(made(3))
