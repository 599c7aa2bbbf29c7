"""Verifying a commitment and its reveal offline: with `core`, `formats` and pyca/cryptography only."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadline.app.proof import check
from leadline.app.signature import check as check_signature
from leadline.core.errors import Tampered
from leadline.core.record.commitment import seed_commitment
from leadline.core.sealed.pack import Opening, check_opening, check_reveal, found_chance
from leadline.formats import canonical, cosignature, note, tlog_policy
from leadline.formats import pack as packs
from leadline.formats.tlog_policy import Policy

ALTERED = 0.05


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found true. *chance* is that of noticing 5 % altered leaves with so many openings.

    *solved* counts the opened outcomes that say so; None where none was opened.
    """

    pack: str
    items: int
    index: int
    log: str  # who vouches for the log, in words
    low: int
    high: int
    opened: int
    solved: int | None
    chance: float


def verify(
    commitment: bytes,
    reveal: bytes,
    keys: str,
    policy: Policy | None = None,
    openings: Sequence[Opening] = (),
) -> Verified:
    """Verify signed texts by the installation's *keys*, the log by *policy* or those keys alone.

    Raises: Tampered, naming the place, if anything does not verify; Invalid, if a text is none.
    """
    committed = packs.decode_commitment(_signed("commitment", commitment, keys))
    revealed = packs.decode_reveal(_signed("reveal", reveal, keys))
    made = committed.commitment
    check_reveal(made, packs.commitment_digest(made), revealed)
    if revealed.committed != committed.proof.opening.index:
        raise Tampered("reveal", "it names another log index than that of the commitment")
    seed, salt = (packs.hexadecimal("reveal", one) for one in (revealed.seed, revealed.salt))
    if seed_commitment(salt, seed).hex() != made.seed:
        raise Tampered("reveal", "the seed is not the one committed to")
    logged = check(committed.proof, policy or tlog_policy.alone(keys))
    roots = {
        "item": packs.hexadecimal("commitment", made.root),
        "outcome": packs.hexadecimal("reveal", revealed.outcomes),
    }
    outcomes = list[bytes]()
    for one in openings:
        record = check_opening(one, made.items, roots[one.kind])
        if one.kind == "outcome":
            outcomes.append(record)
    return Verified(
        pack=made.pack,
        items=made.items,
        index=revealed.committed,
        log=logged.words,
        low=revealed.low,
        high=revealed.high,
        opened=len({(one.kind, one.index) for one in openings}),
        solved=sum(_solved(record) for record in outcomes) if outcomes else None,
        chance=found_chance(ALTERED, len({one.index for one in openings})),
    )


def _solved(record: bytes) -> bool:
    told = canonical.decode(record)
    return isinstance(told, dict) and told.get("outcome") == "solved"


def _signed(place: str, data: bytes, keys: str) -> str:
    signed = note.parse(data)
    known = [cosignature.text_key(key) for key in note.parse_vkeys(keys)]
    cosignature.require(place, signed, [key for key in known if key is not None], check_signature)
    return signed.text
