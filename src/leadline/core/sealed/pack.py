"""A sealed pack and what is committed to before, and revealed after, a run on its items.

Upheld here: an item's commitment tells nothing without its salt; a root fixes every item and its
place; a reveal names the commitment it answers; an opening verifies against a root without anything
else. Salts and ids come from outside. A commitment is the one of `leadline.core.record.commitment`,
told apart from those of acts by its first bytes; the tree is that of the log.

Source: trust.md 4.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import shake_256
from math import ceil, comb, log, log1p
from typing import Literal

from leadline.core.errors import Invalid, Tampered
from leadline.core.record import tlog
from leadline.core.record.act import Value
from leadline.core.record.commitment import commit, entry

ITEM = b"leadline/item/v1\x00"
OUTCOME = b"leadline/outcome/v1\x00"
CHOICE = b"leadline/choice/v1\x00"
ITEMS_MAX = 100_000

Method = Literal["slip39", "xor"]
OpeningKind = Literal["item", "outcome"]


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a pack's key is divided: any *threshold* of *count* shares assemble it."""

    method: Method = "slip39"
    threshold: int = 2
    count: int = 3

    def __post_init__(self) -> None:
        if not 2 <= self.threshold <= self.count <= 16:  # noqa: PLR2004 -- SLIP-39's own bound
            raise Invalid("scheme", "a threshold of 2 or more and at most 16 shares are due")
        if self.method == "xor" and self.threshold != self.count:
            raise Invalid("scheme", "XOR shares are needed all; use slip39 for a threshold below")


@dataclass(frozen=True, slots=True)
class SealedShare:
    """One share of a pack's key, sealed to one custodian's public key. All but numbers is hex."""

    custodian: str  # SHA-256 of the custodian's public key
    number: int  # from 0
    sealed: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A sealed set of items. *items* are their commitments in hex, in the committed order.

    *pseudonym* stands in acts where the existence of the pack is restricted (*hidden*). *once*: the
    terms let an item be shown to a model family one time only. *out* are items no longer shown.
    """

    id: str
    pseudonym: str
    artefact: str  # digest of the ciphertext in the vault
    items: tuple[str, ...]
    code: str  # digest of the code that runs and scores
    scheme: Scheme
    shares: tuple[SealedShare, ...]
    hidden: bool = False
    once: bool = False
    cycle: int = 0
    cycle_began: str = ""  # RFC 3339
    out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What acts call it."""
        return self.pseudonym if self.hidden else self.id

    @property
    def root(self) -> str:
        """The root over the commitments, in hex."""
        return root([bytes.fromhex(one) for one in self.items]).hex()

    @property
    def shown(self) -> tuple[str, ...]:
        """The items that a run shows now."""
        gone = set(self.out)
        return tuple(one for one in self.items if one not in gone)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is logged before any access to the model. *terms* is the digest of the agreed terms."""

    id: str
    pack: str  # the name that acts use
    root: str
    items: int
    seed: str  # `leadline.core.record.commitment.seed_commitment` of the plan's random seed
    code: str
    model: str  # digest of the subject
    terms: str


@dataclass(frozen=True, slots=True)
class Reveal:
    """What leaves after the run. *low* and *high*, *interval_low* and *interval_high* are percent.

    *outcomes* is the root over the salted outcomes, *committed* the log index of the commitment.
    The seed and its salt are given so that the plan can be checked.
    """

    commitment: str  # SHA-256 of the commitment's canonical bytes
    committed: int
    items: int
    outcomes: str
    low: int
    high: int
    interval_low: int
    interval_high: int
    seed: str
    salt: str


@dataclass(frozen=True, slots=True)
class Opening:
    """One leaf shown: with *salt* and *record* it is what the root fixed at *index*. Bytes in hex."""

    kind: OpeningKind
    index: int
    salt: str
    record: str
    proof: tuple[str, ...]


def item_commitment(salt: bytes, record: bytes) -> bytes:
    """The commitment to an item's canonical *record*, which holds the digest of every file of it."""
    return commit(salt, ITEM + record)


def outcome_commitment(salt: bytes, record: bytes) -> bytes:
    """The commitment to the canonical *record* of what one item showed."""
    return commit(salt, OUTCOME + record)


def root(commitments: Sequence[bytes]) -> bytes:
    """The Merkle root over *commitments*, in order.

    Raises: Invalid, if there are none, or more than `ITEMS_MAX`, or one stands twice.
    """
    if not 1 <= len(commitments) <= ITEMS_MAX or len(set(commitments)) != len(commitments):
        raise Invalid("items", f"1 to {ITEMS_MAX} different commitments are due")
    return tlog.root(_tree(commitments).edge)


def opened(
    kind: OpeningKind, commitments: Sequence[bytes], index: int, salt: bytes, record: bytes
) -> Opening:
    """The opening of leaf *index*; raises Invalid, if there is no such leaf."""
    tiles = _tree(commitments).tiles
    proof = tlog.inclusion_proof(index, len(commitments), tiles.__getitem__)
    return Opening(kind, index, salt.hex(), record.hex(), tuple(step.hex() for step in proof))


def check_opening(opening: Opening, size: int, root_hash: bytes) -> bytes:
    """The record that *opening* shows, if the root over *size* leaves fixed it.

    Raises: Tampered or Invalid, if it did not.
    """
    make = item_commitment if opening.kind == "item" else outcome_commitment
    record = bytes.fromhex(opening.record)
    leaf = tlog.leaf_hash(entry(make(bytes.fromhex(opening.salt), record)))
    proof = [bytes.fromhex(step) for step in opening.proof]
    tlog.verify_inclusion(opening.index, size, leaf, proof, root_hash)
    return record


def check_reveal(commitment: Commitment, digest: str, reveal: Reveal) -> None:
    """Return if *reveal* answers the commitment whose canonical bytes have *digest*.

    Raises: Tampered, naming what differs; Invalid, if a range is none.
    """
    if reveal.commitment != digest:
        raise Tampered("reveal", "it answers another commitment than the one given")
    if reveal.items != commitment.items:
        raise Tampered("reveal", f"{reveal.items} items, where {commitment.items} were committed")
    for low, high in ((reveal.low, reveal.high), (reveal.interval_low, reveal.interval_high)):
        if not 0 <= low < high <= 100:  # noqa: PLR2004 -- percent
            raise Invalid("reveal", "a range runs from 0 to 100 percent, low end first")


def found_chance(altered: float, openings: int) -> float:
    """The chance that *openings* drawn at random show at least one altered item.

    *altered* is the altered fraction of a large set; in a small one, drawn without replacement,
    the chance is higher (`found_chance_exactly`).

    Raises: Invalid, if *altered* is no fraction or *openings* is negative.
    """
    _fraction("altered", altered)
    if openings < 0:
        raise Invalid("openings", "a number from 0 on is due")
    return float(1 - (1 - altered) ** openings)


def found_chance_exactly(altered: int, items: int, openings: int) -> float:
    """As `found_chance`, for *altered* of *items*, each opened at most once (hypergeometric)."""
    if not 0 <= altered <= items or not 0 <= openings <= items:
        raise Invalid("openings", "altered and opened items are at most as many as there are")
    return 1 - comb(items - altered, openings) / comb(items, openings)


def openings_needed(altered: float, confidence: float) -> int:
    """The fewest openings that show an altered item with at least *confidence*: 59 for 5 %, 95 %.

    Raises: Invalid, if either is not strictly between 0 and 1.
    """
    for name, value in (("altered", altered), ("confidence", confidence)):
        _fraction(name, value)
        if value in {0.0, 1.0}:
            raise Invalid(name, "strictly between 0 and 1")
    return ceil(log1p(-confidence) / log(1 - altered))


def chosen(randomness: bytes, items: int, openings: int) -> tuple[int, ...]:
    """Which items a third party opens: *openings* different indices that follow from *randomness*.

    The randomness is the third party's, named only after the reveal. 128 bits are reduced modulo
    the number left, so that the bias is below 2**-111.

    Raises: Invalid, for fewer than 16 bytes, or more openings than items.
    """
    if len(randomness) < 16:  # noqa: PLR2004 -- 128 bits
        raise Invalid("randomness", "at least 16 bytes are due")
    if not 0 <= openings <= items <= ITEMS_MAX:
        raise Invalid("openings", f"0 to {items} of the items can be opened")
    left, picked = list(range(items)), list[int]()
    for number in range(openings):
        drawn = shake_256(CHOICE + number.to_bytes(8, "big") + randomness).digest(16)
        picked.append(left.pop(int.from_bytes(drawn, "big") % len(left)))
    return tuple(picked)


def commitment_record(one: Commitment) -> Mapping[str, Value]:
    """The mapping whose canonical bytes a reveal names."""
    return {
        "id": one.id,
        "pack": one.pack,
        "root": one.root,
        "items": one.items,
        "seed": one.seed,
        "code": one.code,
        "model": one.model,
        "terms": one.terms,
    }


def _tree(commitments: Sequence[bytes]) -> tlog.Growth:
    return tlog.append(tlog.Edge(), [tlog.leaf_hash(entry(one)) for one in commitments])


def _fraction(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise Invalid(name, f"{value} is no fraction of 1")
