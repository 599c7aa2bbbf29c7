"""The proof of an act, checked as an outsider does: with a policy and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

import make
from fake_log import ORIGIN, context, cosigner, grow, policy, witnessed
from fakes import MemorySigner
from leadline.app import log
from leadline.app.log import ActProof, check
from leadline.core.errors import Invalid, Tampered
from leadline.formats import note, tlog_policy, tlog_proof
from leadline.formats.manifest import Opening
from leadline.formats.note import Note
from leadline.formats.tlog_policy import NOT_WITNESSED, Policy
from leadline.formats.tlog_proof import Proof
from leadline.vault.keys import open_signer


@pytest.fixture(scope="module")
def proved() -> tuple[ActProof, Policy]:
    """The proof of the 100th of 300 acts, cosigned by three witnesses."""
    ctx, _ = witnessed()
    grow(ctx, 300)
    return log.require_proof(ctx, "act-9099"), log.policy_of(ctx)


def changed(proof: ActProof, **parts: object) -> ActProof:
    """The proof with other parts in its text."""
    return replace(proof, text=replace(proof.proof, **parts).document)  # type: ignore[arg-type]


def refused(proof: ActProof, known: Policy) -> str:
    """What the check says."""
    with pytest.raises(Tampered) as caught:
        check(proof, known)
    return str(caught.value)


def test_a_proof_says_what_it_found(proved: tuple[ActProof, Policy]) -> None:
    """Place, head, and who cosigned."""
    found = check(*proved)
    assert (found.index, found.head.size, found.head.origin) == (99, 300, ORIGIN)
    assert found.witnesses == ("w0", "w1", "w2")
    assert found.words.startswith("cosigned by body0.example/witness, ")


def test_the_same_act_at_another_place_is_refused(proved: tuple[ActProof, Policy]) -> None:
    """Index in the proof, in the opening, or in both."""
    proof, known = proved
    elsewhere = replace(proof, opening=replace(proof.opening, index=98))
    assert "said to stand at 98" in refused(elsewhere, known)
    assert "said to stand" in refused(changed(proof, index=98), known)
    assert "does not lead" in refused(replace(changed(elsewhere, index=98)), known)


def test_another_record_or_blinder_is_refused(proved: tuple[ActProof, Policy]) -> None:
    """The leaf is of that very record under that very blinder."""
    proof, known = proved
    assert isinstance(proof.opening.record, dict)
    for opening in (
        replace(proof.opening, blinder=bytes(32)),
        replace(proof.opening, record={**proof.opening.record, "actor": "person-0002"}),
        replace(proof.opening, record={**proof.opening.record, "at": 1 << 60}),
        Opening(99, b"short", proof.opening.record),
    ):
        refused(replace(proof, opening=opening), known)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 10, 63])
def test_a_proof_of_another_length_is_refused(proved: tuple[ActProof, Policy], count: int) -> None:
    """Too short and too long, before anything is hashed."""
    proof, known = proved
    hashes = (proof.proof.hashes * 8)[:count]
    assert count != len(proof.proof.hashes)
    refused(changed(proof, hashes=hashes), known)


def test_an_index_beyond_the_tree_is_refused(proved: tuple[ActProof, Policy]) -> None:
    """A leaf that the checkpoint does not cover."""
    proof, known = proved
    beyond = replace(changed(proof, index=300), opening=replace(proof.opening, index=300))
    assert "not in a tree of 300" in refused(beyond, known)


def test_without_enough_witnesses_it_is_refused(proved: tuple[ActProof, Policy]) -> None:
    """Two of three are enough, one is not; a line taken out is a cosignature missing."""
    proof, known = proved
    signed = proof.proof.note

    def without(*names: str) -> ActProof:
        lines = tuple(line for line in signed.signatures if line.name not in names)
        return changed(proof, checkpoint=Note(signed.text, lines).document)

    assert check(without("body1.example/witness"), known).witnesses == ("w0", "w2")
    message = refused(without("body1.example/witness", "body2.example/witness"), known)
    assert "quorum enough is not met" in message
    alone = known.at(log.Quorum.NONE)
    nobody = without(*(f"body{n}.example/witness" for n in range(3)))
    assert check(nobody, alone).words == NOT_WITNESSED
    assert f"no signature by the key {ORIGIN}" in refused(without(ORIGIN), known)


def test_a_false_line_of_a_known_key_rejects_the_whole(proved: tuple[ActProof, Policy]) -> None:
    """Even where the quorum would hold without it; a line of an unknown key is ignored."""
    proof, known = proved
    signed = proof.proof.note
    other = cosigner("body2.example/witness").cosign(signed.text.replace("300", "301"), make.NOW)
    kept = tuple(line for line in signed.signatures if line.name != "body2.example/witness")
    bad = changed(proof, checkpoint=Note(signed.text, (*kept, other[0])).document)
    assert "body2.example/witness" in refused(bad, known)
    stranger = cosigner("stranger.example/w").cosign(signed.text, make.NOW)
    more = changed(proof, checkpoint=Note(signed.text, (*signed.signatures, *stranger)).document)
    assert check(more, known).witnesses == ("w0", "w1", "w2")


def test_logs_that_the_policy_does_not_name_prove_nothing() -> None:
    """One of its logs must be meant; a policy that names none believes nobody."""
    ctx = context()
    grow(ctx, 3)
    proof = log.require_proof(ctx, "act-9001")
    other = MemorySigner("other.example/log")
    both = tlog_policy.alone(ctx.signer.vkeys() + other.vkeys())
    assert check(proof, both).head.origin == ORIGIN
    assert "names no log" in refused(proof, tlog_policy.alone(other.vkeys()))
    with pytest.raises(Invalid, match="names no log"):
        check(proof, tlog_policy.parse(b"quorum none\n"))


def test_a_log_with_two_keys_signs_with_both(tmp_path: Path) -> None:
    """Neither the classical nor the post-quantum signature can be taken off."""
    ctx = context(signer=open_signer(tmp_path / "log.key", ORIGIN))
    grow(ctx, 3)
    proof, known = log.require_proof(ctx, "act-9001"), log.policy_of(ctx)
    check(proof, known)
    signed = proof.proof.note
    for line in signed.signatures:
        single = changed(proof, checkpoint=Note(signed.text, (line,)).document)
        assert "no signature by the key" in refused(single, known)
        own = [log_ for log_ in known.logs if line.by(log_.key)]
        check(single, replace(known, logs=tuple(own)))


def test_a_text_that_is_no_proof_or_no_checkpoint_is_tampering(
    proved: tuple[ActProof, Policy],
) -> None:
    """Malformed evidence is a failed verification."""
    proof, known = proved
    refused(replace(proof, text="nothing"), known)
    signer = MemorySigner(ORIGIN)
    text = signer.sign("something else\n")
    assert "origin, size and root" in refused(changed(proof, checkpoint=text), known)


@pytest.mark.parametrize("kind", [0, 1])
def test_both_kinds_of_cosignature_are_believed(kind: int) -> None:
    """Ed25519 (0x04) and ML-DSA-44 (0x06)."""
    ctx, outlet = witnessed()
    names = [f"body{n}.example/witness" for n in range(3)]
    outlet.text = policy(ctx.signer.vkeys(), names, "all", kind=kind)
    grow(ctx, 5)
    known = log.policy_of(ctx)
    proof = log.require_proof(ctx, "act-9004")
    assert check(proof, known).witnesses == ("w0", "w1", "w2")
    again = tlog_proof.parse(proof.text.encode())
    assert isinstance(again, Proof)
    assert [line.name for line in note.parse(again.checkpoint.encode()).signatures][1:] == names
