"""A sealed suite as one file, as it leaves the host that sealed it; nothing in it opens the ciphertext.

A line of magic, the length of a head in eight bytes, the head in canonical JSON, then the ciphertext. The
head has the pack's id, how its key is divided, each custodian's sealed share, the commitments to the items
in their order, and the digest of the code that runs and scores. What is not exactly that is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.core.record.act import Value
from leadline.core.sealed.pack import ITEMS_MAX, Scheme, SealedShare
from leadline.formats import canonical
from leadline.formats.pack import LENGTH_BYTES, PACK_BYTES_MAX, flat, hexadecimal
from leadline.formats.values import plain

MAGIC = b"leadline/sealed-pack/v1\n"
HEAD_BYTES_MAX = 16 << 20
DIGEST_DIGITS = 64
PLACE = "sealed pack"
FIELDS = frozenset({"code", "id", "items", "scheme", "shares"})


@dataclass(frozen=True, slots=True)
class SealedPack:
    """What a sealing made. *items* are commitments and *code* a digest, in hex."""

    id: str
    scheme: Scheme
    shares: tuple[SealedShare, ...]
    items: tuple[str, ...]
    code: str
    ciphertext: bytes


def encode(one: SealedPack) -> bytes:
    """The file.

    Raises: as `decode`, for what it would not take.
    """
    told: dict[str, Value] = {
        "code": one.code,
        "id": one.id,
        "items": one.items,
        "scheme": plain(one.scheme),
        "shares": plain(list(one.shares)),
    }
    head = canonical.encode(told, bytes_max=HEAD_BYTES_MAX)
    data = b"".join((MAGIC, len(head).to_bytes(LENGTH_BYTES, "big"), head, one.ciphertext))
    decode(data)
    return data


def decode(data: bytes) -> SealedPack:
    """What `encode` wrote. Whether the shares open anything is for their custodians to see.

    Raises: Invalid, naming what is no part of such a file.
    """
    start = len(MAGIC) + LENGTH_BYTES
    if not data.startswith(MAGIC) or len(data) > PACK_BYTES_MAX + HEAD_BYTES_MAX:
        raise Invalid(PLACE, "this is no sealed suite: take the file that the sealing wrote")
    end = start + int.from_bytes(data[len(MAGIC) : start], "big")
    if end - start > HEAD_BYTES_MAX or end >= len(data):
        raise Invalid(PLACE, "the file ends too early: it was not copied as a whole")
    head = canonical.decode(data[start:end], bytes_max=HEAD_BYTES_MAX)
    if not isinstance(head, Mapping) or set(head) != FIELDS:
        raise Invalid(PLACE, f"exactly these fields are due: {', '.join(sorted(FIELDS))}")
    scheme = flat(Scheme, "scheme", head["scheme"])
    shares = tuple(flat(SealedShare, "share", one) for one in _listed(head["shares"]))
    for share in shares:
        _digest("share", share.custodian)
        hexadecimal("share", share.sealed)
    if [share.number for share in shares] != list(range(scheme.count)):
        raise Invalid("shares", f"{scheme.count} are due, numbered from 0")
    if len({share.custodian for share in shares}) != len(shares):
        raise Invalid("shares", "one custodian has two of them")
    items = tuple(_digest("items", one) for one in _listed(head["items"]))
    if not 0 < len(set(items)) == len(items) <= ITEMS_MAX:
        raise Invalid("items", f"1 to {ITEMS_MAX} different items are due")
    code, id_ = _digest("code", head["code"]), head["id"]
    if not isinstance(id_, str):
        raise Invalid("id", "text is due")
    return SealedPack(id_, scheme, shares, items, code, data[end:])


def _listed(value: Value) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        raise Invalid(PLACE, "its items and shares are lists")
    return value


def _digest(name: str, value: Value) -> str:
    if not isinstance(value, str) or len(value) != DIGEST_DIGITS:
        raise Invalid(name, f"{DIGEST_DIGITS} hexadecimal digits are due")
    hexadecimal(name, value)
    return value
