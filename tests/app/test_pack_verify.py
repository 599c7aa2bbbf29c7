"""Verifying a commitment and its reveal with nothing but a key."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

import sealed_world as sw
from fakes import MemorySigner
from leadline.app import sealed
from leadline.app.pack_verify import verify
from leadline.core.errors import Invalid, LeadlineError, Tampered
from leadline.core.sealed.pack import Opening, Reveal, opened, outcome_commitment, root
from leadline.formats import canonical, pack, tlog_policy
from leadline.formats.pack import Committed
from leadline.formats.sealed_report import read_report
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from sealed_world import Measure, World

COUNT = 6


@dataclass(frozen=True)
class Papers:
    """What was handed out about one run."""

    world: World
    committed: Committed
    reveal: Reveal
    outcomes: str

    def sign(self, text: str) -> bytes:
        """As the installation signs."""
        return self.world.signer.sign(text).encode()

    @property
    def commitment(self) -> bytes:
        """The signed commitment."""
        return self.sign(pack.encode_commitment(self.committed))

    @property
    def revealed(self) -> bytes:
        """The signed reveal."""
        return self.sign(pack.encode_reveal(self.reveal))

    @property
    def keys(self) -> str:
        """The installation's."""
        return self.world.signer.vkeys()


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Papers]:
    """One run, from commitment to reveal."""
    url = f"sqlite:///{tmp_path_factory.mktemp('papers') / 'leadline.db'}"
    with closing(open_store(url, kinds=KINDS)) as store:
        world = World(store)
        session, told = world.ran(world.pack(COUNT), Measure(3))
        sealed.release_score(world.ctx("lead"), session.id, sw.limits())
        committed = sealed.prove_commitment(world.ctx("lead"), session.id)
        reveal = sealed.reveal(world.ctx("lead"), session.id)
        yield Papers(world, committed, reveal, read_report(told.text).outcomes)


def item_openings() -> list[Opening]:
    """Every item opened."""
    items = sw.items(COUNT)
    leaves = [item.commitment for item in items]
    return [
        opened("item", leaves, place, item.salt, item.record) for place, item in enumerate(items)
    ]


def test_what_was_handed_out_verifies_offline(papers: Papers) -> None:
    """With the installation's key alone, or with a quorum file; the answer says who vouches."""
    found = verify(papers.commitment, papers.revealed, papers.keys)
    assert (found.items, found.index, found.opened) == (COUNT, papers.reveal.committed, 0)
    assert "this operator alone" in found.log
    assert found.chance == 0
    policy = tlog_policy.alone(papers.keys)
    assert verify(papers.commitment, papers.revealed, papers.keys, policy) == found


def test_opened_items_are_those_committed_to(papers: Papers) -> None:
    """Every item opens under the root; a changed one does not."""
    openings = item_openings()
    found = verify(papers.commitment, papers.revealed, papers.keys, openings=openings)
    assert (found.opened, found.solved) == (COUNT, None)
    changed = [*openings[:-1], replace(openings[-1], record=b"{}".hex())]
    with pytest.raises(Tampered):
        verify(papers.commitment, papers.revealed, papers.keys, openings=changed)


def test_opened_outcomes_are_counted(papers: Papers) -> None:
    """Under the root of the reveal, as many as say so are solved."""
    records = [
        canonical.encode({"item": str(n), "outcome": "solved" if n < 2 else "not_solved"})
        for n in range(COUNT)
    ]
    leaves = [outcome_commitment(bytes([n]) * 32, record) for n, record in enumerate(records)]
    openings = [
        opened("outcome", leaves, n, bytes([n]) * 32, record) for n, record in enumerate(records)
    ]
    fixed = root(leaves).hex()
    own = papers.sign(pack.encode_reveal(replace(papers.reveal, outcomes=fixed)))
    assert verify(papers.commitment, own, papers.keys, openings=openings).solved == 2
    with pytest.raises(Tampered):
        verify(papers.commitment, papers.revealed, papers.keys, openings=openings)
    assert papers.outcomes == papers.reveal.outcomes


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": "00" * 32},
        {"salt": "01" * 32},
        {"committed": 0},
        {"items": 5},
        {"commitment": "0" * 64},
    ],
)
def test_a_reveal_that_does_not_answer_the_commitment_is_refused(
    papers: Papers, changed: dict[str, object]
) -> None:
    """Each part, even under the installation's own signature."""
    reveal = replace(papers.reveal, **changed)  # type: ignore[arg-type]
    with pytest.raises(Tampered):
        verify(papers.commitment, papers.sign(pack.encode_reveal(reveal)), papers.keys)


def test_another_key_or_a_changed_byte_is_refused(papers: Papers) -> None:
    """In either text, at every fiftieth byte."""
    other = MemorySigner("other.example/log").vkeys()
    with pytest.raises(LeadlineError):
        verify(papers.commitment, papers.revealed, other)
    for place in range(0, len(papers.revealed), 50):
        changed = bytearray(papers.revealed)
        changed[place] ^= 1
        with pytest.raises((Tampered, Invalid)):
            verify(papers.commitment, bytes(changed), papers.keys)
    for place in range(0, len(papers.commitment), 200):
        changed = bytearray(papers.commitment)
        changed[place] ^= 1
        with pytest.raises((Tampered, Invalid)):
            verify(bytes(changed), papers.revealed, papers.keys)


def test_a_commitment_that_no_log_holds_is_refused(papers: Papers) -> None:
    """Signed by the installation, with the proof of another place in the log."""
    proof = papers.committed.proof
    moved = replace(proof, opening=replace(proof.opening, index=proof.opening.index + 1))
    text = papers.sign(pack.encode_commitment(replace(papers.committed, proof=moved)))
    own = papers.sign(pack.encode_reveal(replace(papers.reveal, committed=moved.opening.index)))
    with pytest.raises(Tampered):
        verify(text, own, papers.keys)
