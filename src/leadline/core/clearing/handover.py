"""A case that goes from one coordinator to another: what each keeps of it, and what may never change.

Everything of a relayed block but its chain of reporters stays as the first hop wrote it, to the byte; the chain
only grows. Whoever handled a case before sees whether that held when it comes back.
Source: RFC-AI-0008 (draft), "Provenance fields" and "The handling-identifier exchange".
"""

from dataclasses import dataclass
from datetime import datetime

from leadline.core.errors import Tampered
from leadline.core.marking import Tlp


@dataclass(frozen=True, slots=True)
class Handover:
    """One passing of a case, in or out. *relay* is the block's own id, the same at every hop.

    *frozen* is the SHA-256 of everything but the chain, *chain* the digests of its entries in order,
    *block* and *content* name the bytes in the vault. *until* and *tlp* are the terms it came with, *ids*
    the names it has elsewhere. *received* says that it came in.
    """

    id: str
    case: str
    relay: str
    received: bool
    frozen: str
    chain: tuple[str, ...]
    block: str
    content: str
    tlp: Tlp
    at: datetime
    until: datetime | None = None
    ids: tuple[str, ...] = ()


def continues(before: Handover, frozen: str, chain: tuple[str, ...]) -> None:
    """Return if a block with these digests is the one of *before*, with a chain that at most grew.

    Raises: Tampered, naming what changed.
    """
    if before.frozen != frozen:
        told = "credit, origin, embargo terms or another field changed since it was here"
        raise Tampered(f"relay {before.relay}", told)
    if chain[: len(before.chain)] != before.chain:
        told = "the chain of reporters lost or changed an entry that was here before"
        raise Tampered(f"relay {before.relay}: reporter_chain", told)
