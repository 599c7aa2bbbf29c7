"""The relay block: what a report carries from hop to hop, and what no hop may change.

Credits, origins, embargo terms and every field that is not known here stay as they are, to the byte: a hop inserts
its own entry at the end of ``reporter_chain`` and touches nothing else. An entry may carry a seal, a signed note
over all other bytes of the block and the chain before it, so that a later hop that has the key sees a change.
Claims that reports were consolidated upstream are hints and never merge anything here.

    {"relay": "magpie/rfc-ai-0008-draft", "id": "relay-…", "finder_credits": [...], "reporter_chain":
     [{"party": "…", "role": "coordinator", "at": "…Z", "handling_id": "…", "seal": "…"}],
     "origin_references": ["https://…"], "embargo": {"until": "…Z", "tlp": "TLP:RED", "terms": "…"},
     "dedup_claims": [...]}

Source: RFC-AI-0008 (draft), which names the fields in prose; their spelling is Leadline's until it names one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from leadline.core.errors import Invalid
from leadline.core.marking import Tlp, read_tlp
from leadline.core.record.act import instant
from leadline.formats.document import items, load, moment, record, records, text, texts

FORMAT = "magpie"
RELAY = "magpie/rfc-ai-0008-draft"
SEAL = "leadline/hop/v1"
BLOCK_BYTES_MAX = 1 << 20
CHAIN_MAX = 64
CHAIN = "reporter_chain"
ROLES = frozenset({"finder", "reporter", "coordinator", "vendor"})
_BLANKS = " \t\r\n"
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Hop:
    """One entry of the chain. *seal* is a signed note, empty where the party gave none."""

    party: str
    role: str
    at: str
    handling_id: str = ""
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A relay block as it came. *raw* is kept; the rest is read from it.

    *until* is None where the terms name no moment, *tlp* is RED where they name no label.
    """

    raw: str
    id: str
    credits: tuple[str, ...]
    hops: tuple[Hop, ...]
    origins: tuple[str, ...]
    until: datetime | None
    tlp: Tlp
    terms: str
    claims: int
    ends: tuple[int, ...]  # where each entry of the chain ends in *raw*
    start: int  # of the chain's array in *raw*
    end: int

    @property
    def data(self) -> bytes:
        """The very bytes."""
        return self.raw.encode()

    @property
    def frozen(self) -> str:
        """SHA-256 in hex of every byte but the chain."""
        return _digest(f"{self.raw[: self.start]}\0{self.raw[self.end :]}")

    @property
    def chain(self) -> tuple[str, ...]:
        """SHA-256 in hex of the chain up to the end of each entry; each binds those before it."""
        return tuple(_digest(self.raw[self.start : end]) for end in self.ends)

    def sealed(self, place: int) -> str:
        """What the seal of the entry at *place* is over: the rest of the block, the chain before, the entry."""
        hop = self.hops[place]
        before = self.chain[place - 1] if place else _digest("")
        return seal_text(self.frozen, before, hop)


def seal_text(frozen: str, before: str, hop: Hop) -> str:
    """The text of a seal."""
    told = json.dumps([hop.party, hop.role, hop.at, hop.handling_id], ensure_ascii=True)
    return f"{SEAL}\n{frozen}\n{before}\n{told}\n"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the first hop sets, and no other renegotiates."""

    until: datetime | None
    tlp: Tlp
    words: str = ""


def first(ident: str, credits_: Sequence[Json], origins: Sequence[str], terms: Terms) -> Block:
    """A new block, with a chain that is still empty."""
    embargo: Json = {"tlp": terms.tlp.value}
    if terms.until is not None:
        embargo["until"] = instant(terms.until)
    if terms.words:
        embargo["terms"] = terms.words
    held: Json = {
        "relay": RELAY,
        "id": ident,
        "finder_credits": list(credits_),
        "origin_references": list(origins),
        "embargo": embargo,
        "dedup_claims": [],
        CHAIN: [],
    }
    return parse((json.dumps(held, indent=1, ensure_ascii=False) + "\n").encode())


def appended(block: Block, hop: Hop) -> Block:
    """The block with one more entry at the end of its chain, and no other byte changed.

    Raises: Invalid, if the chain is full.
    """
    if len(block.hops) >= CHAIN_MAX:
        raise Invalid(CHAIN, f"more than {CHAIN_MAX} hops")
    held = {"party": hop.party, "role": hop.role, "at": hop.at}
    held |= {"handling_id": hop.handling_id} if hop.handling_id else {}
    held |= {"seal": hop.seal} if hop.seal else {}
    entry = json.dumps(held, ensure_ascii=False)
    at = block.ends[-1] if block.ends else block.start + 1
    comma = ", " if block.ends else ""
    return parse(f"{block.raw[:at]}{comma}{entry}{block.raw[at:]}".encode())


def parse(data: bytes, name: str = "relay.json") -> Block:
    """Read a block.

    Raises: Invalid, naming the field: no JSON object, no chain or credits, a time without a zone.
    """
    document = load(data, name, BLOCK_BYTES_MAX)
    if not data.lstrip().startswith(b"{"):
        raise Invalid(name, "no byte order mark stands before it")
    raw = data.decode("utf-8")
    spans = _members(raw)
    faults = [
        f"{field} is due as an array"
        for field in ("finder_credits", CHAIN)
        if not isinstance(document.get(field), list)
    ]
    faults += [] if text(document.get("relay")) == RELAY else [f"relay {RELAY!r} is due"]
    faults += [] if text(document.get("id")) else ["id is due"]
    hops = tuple(_hop(one) for one in records(document.get(CHAIN)))
    if len(hops) != len(items(document.get(CHAIN))) or len(hops) > CHAIN_MAX:
        faults.append(f"{CHAIN} holds at most {CHAIN_MAX} objects")
    faults += [f"{CHAIN}/{n}: a party is due" for n, hop in enumerate(hops) if not hop.party]
    told = (text(document.get("id")), *(part for hop in hops for part in _parts(hop)))
    faults += ["half a character (a lone surrogate)"] if not all(map(_whole, told)) else []
    if faults:
        raise Invalid(name, "; ".join(faults))
    embargo = record(document.get("embargo"))
    start, end = spans[CHAIN]
    return Block(
        raw=raw,
        id=text(document["id"]),
        credits=tuple(_credit(one) for one in items(document["finder_credits"])),
        hops=hops,
        origins=texts(document.get("origin_references")),
        until=_moment(name, embargo.get("until")),
        tlp=read_tlp(text(embargo.get("tlp"))),
        terms=text(embargo.get("terms")),
        claims=len(items(document.get("dedup_claims"))),
        ends=_elements(raw, start),
        start=start,
        end=end,
    )


def _digest(words: str) -> str:
    return sha256(words.encode()).hexdigest()


def _hop(held: Mapping[str, object]) -> Hop:
    return Hop(
        text(held.get("party")),
        text(held.get("role")),
        text(held.get("at")),
        text(held.get("handling_id")),
        text(held.get("seal")),
    )


def _parts(hop: Hop) -> tuple[str, ...]:
    return (hop.party, hop.role, hop.at, hop.handling_id, hop.seal)


def _whole(words: str) -> bool:
    return words.encode("utf-8", "ignore").decode() == words


def _credit(held: object) -> str:
    """How a finder is named, verbatim: a text, or the object that stands there."""
    return held if isinstance(held, str) else json.dumps(held, ensure_ascii=False, sort_keys=True)


def _moment(name: str, held: object) -> datetime | None:
    if held is None:
        return None
    found = moment(held)
    if found is None:
        raise Invalid(
            f"{name}: embargo/until", "a moment with a zone is due, such as 2027-03-01T09:00Z"
        )
    return found


def _members(raw: str) -> dict[str, tuple[int, int]]:
    """Where the value of each member of the outermost object stands. *raw* is known to be such an object."""
    decoder, found = json.JSONDecoder(), dict[str, tuple[int, int]]()
    at = _skip(raw, _skip(raw, 0) + 1)
    while raw[at] != "}":
        key, at = decoder.raw_decode(raw, at)
        start = _skip(raw, _skip(raw, at) + 1)
        _, end = decoder.raw_decode(raw, start)
        found[str(key)] = (start, end)
        at = _skip(raw, end)
        at = _skip(raw, at + 1) if raw[at] == "," else at
    return found


def _elements(raw: str, start: int) -> tuple[int, ...]:
    """Where each element of the array at *start* ends."""
    decoder, found = json.JSONDecoder(), list[int]()
    at = _skip(raw, start + 1)
    while raw[at] != "]":
        _, end = decoder.raw_decode(raw, at)
        found.append(end)
        at = _skip(raw, end)
        at = _skip(raw, at + 1) if raw[at] == "," else at
    return tuple(found)


def _skip(raw: str, at: int) -> int:
    while raw[at] in _BLANKS:
        at += 1
    return at
