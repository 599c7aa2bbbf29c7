"""Checking a proof with nothing but a policy: no store, no network, no clock.

Reads with `core`, `formats` and pyca/cryptography only. The key service calls it before it opens
anything, a report before it shows a determination, an auditor whenever he likes.
"""

from dataclasses import dataclass

from leadline.app.signature import check as check_signature
from leadline.core.errors import Invalid, Tampered
from leadline.core.record import commitment, tlog
from leadline.formats import checkpoint, cosignature
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.note import Note, VerifierKey
from leadline.formats.tlog_policy import Policy
from leadline.formats.tlog_proof import ActProof

PROOF, CHECKPOINT = "proof", "checkpoint"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found true. *witnesses* are the policy's names of those whose cosignature verified."""

    head: Checkpoint
    index: int
    witnesses: tuple[str, ...]
    words: str


def check(proof: ActProof, policy: Policy) -> Checked:
    """Return if the act stands in a log of *policy* and enough of its witnesses saw that log.

    Raises: Tampered, naming the place, for anything that does not verify, a proof that is not in
    its form included; Invalid, if the policy names no log; Unavailable, if an algorithm is missing.
    """
    try:
        found, entry = proof.proof, proof.opening.entry
    except Invalid as error:
        raise Tampered(PROOF, str(error)) from error
    if found.index != proof.opening.index:
        told = f"for entry {found.index}, while the act is said to stand at {proof.opening.index}"
        raise Tampered(PROOF, told)
    head, cosigned = check_head(found.note, policy)
    commitment.check_entry(f"entry {found.index}", entry)
    try:
        tlog.verify_inclusion(
            found.index, head.size, tlog.leaf_hash(entry), found.hashes, head.root
        )
    except Invalid as error:
        raise Tampered(PROOF, str(error)) from error
    return Checked(head, found.index, cosigned, policy.words(cosigned))


def check_head(signed: Note, policy: Policy) -> tuple[Checkpoint, tuple[str, ...]]:
    """The tree head in *signed*, and the witnesses of the policy that cosigned it.

    No signature by a known key is bad, signatures by unknown keys are ignored, and the quorum holds.
    Stricter than C2SP tlog-policy, where one key is enough: every key that the policy lists for that
    origin has signed, so that nobody strips the post-quantum signature from a log that makes two.

    Raises: as `check`.
    """
    if not policy.logs:
        raise Invalid("policy", "it names no log; add a line `log VKEY`")
    try:
        head = checkpoint.parse(signed.text)
    except Invalid as error:
        raise Tampered(CHECKPOINT, str(error)) from error
    own = [log.key for log in policy.logs if log.key.name == head.origin]
    if not own:
        raise Tampered(CHECKPOINT, f"the policy names no log {head.origin}")
    present = [witness for witness in policy.witnesses if _claims(signed, witness.key)]
    keys = [*own, *(witness.key for witness in present)]
    cosignature.require(CHECKPOINT, signed, keys, check_signature)
    cosigned = [witness.name for witness in present]
    if not policy.met(cosigned):
        told = f"the quorum {policy.quorum} is not met; {policy.words(cosigned)}"
        raise Tampered(CHECKPOINT, told)
    return head, tuple(cosigned)


def _claims(signed: Note, key: VerifierKey) -> bool:
    """Whether a line of the note claims to be by *key*; whether it is, is checked next."""
    return any(line.by(key) for line in signed.signatures)
