"""A sealed suite as a file: it reads back as it was, and what is not exactly one is refused by name."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid, LeadlineError
from leadline.core.record.act import Value
from leadline.core.sealed.pack import Scheme, SealedShare
from leadline.formats import canonical, sealed_pack
from leadline.formats.sealed_pack import HEAD_BYTES_MAX, MAGIC, SealedPack


def digest(number: int) -> str:
    """A digest, in hex."""
    return sha256(bytes([number])).hexdigest()


SHARES = tuple(SealedShare(digest(n), n, f"{n:02x}" * 8) for n in range(3))
ONE = SealedPack("pack-abcd", Scheme(), SHARES, (digest(8), digest(9)), digest(7), b"ciphertext")
HEAD: dict[str, Any] = {
    "code": ONE.code,
    "id": ONE.id,
    "items": ONE.items,
    "scheme": {"method": "slip39", "threshold": 2, "count": 3},
    "shares": tuple(
        {"custodian": one.custodian, "number": one.number, "sealed": one.sealed} for one in SHARES
    ),
}


def crafted(head: Value, rest: bytes = b"c") -> bytes:
    """A file whose head says *head*."""
    told = canonical.encode(head)
    return MAGIC + len(told).to_bytes(8, "big") + told + rest


@given(ciphertext=st.binary(min_size=1, max_size=200), items=st.integers(1, 9))
def test_it_reads_back_as_it_was(ciphertext: bytes, items: int) -> None:
    """Whatever the ciphertext is, down to its last byte."""
    one = replace(ONE, ciphertext=ciphertext, items=tuple(digest(n) for n in range(items)))
    assert sealed_pack.decode(sealed_pack.encode(one)) == one
    assert sealed_pack.decode(crafted(HEAD, b"ciphertext")) == ONE


@given(data=st.binary(max_size=300), cut=st.integers(0, 600))
def test_what_is_none_is_refused(data: bytes, cut: int) -> None:
    """Noise, noise behind the magic, and a file that was cut in its head."""
    whole = sealed_pack.encode(ONE)
    begun = whole[: min(cut, len(whole) - len(ONE.ciphertext))]
    for one in (data, MAGIC + data, begun):
        with pytest.raises(LeadlineError):
            sealed_pack.decode(one)


def without(name: str) -> Value:
    """The head without one field."""
    return {key: value for key, value in HEAD.items() if key != name}


SHARE: dict[str, Any] = {"custodian": digest(0), "number": 0, "sealed": "00"}
WRONG: list[tuple[Value, str]] = [
    ("text", "exactly these fields"),
    (without("code"), "exactly these fields"),
    (HEAD | {"more": 1}, "exactly these fields"),
    (HEAD | {"items": "text"}, "are lists"),
    (HEAD | {"shares": {}}, "are lists"),
    (HEAD | {"items": ()}, "different items"),
    (HEAD | {"items": (digest(1), digest(1))}, "different items"),
    (HEAD | {"items": (1,)}, "hexadecimal digits"),
    (HEAD | {"items": ("ab",)}, "hexadecimal digits"),
    (HEAD | {"items": ("z" * 64,)}, "hexadecimal digits"),
    (HEAD | {"code": None}, "hexadecimal digits"),
    (HEAD | {"id": 7}, "text is due"),
    (HEAD | {"scheme": {"method": "slip39", "threshold": 1, "count": 3}}, "threshold of 2"),
    (HEAD | {"scheme": {"method": "own", "threshold": 2, "count": 3}}, "another type"),
    (HEAD | {"shares": (SHARE,)}, "numbered from 0"),
    (HEAD | {"shares": tuple(SHARE | {"number": n} for n in range(3))}, "one custodian has two"),
    (HEAD | {"shares": (SHARE | {"sealed": "zz"},)}, "hexadecimal digits"),
    (HEAD | {"shares": (SHARE | {"custodian": "me"},)}, "hexadecimal digits"),
]


@pytest.mark.parametrize(("head", "told"), WRONG)
def test_a_head_that_says_something_else_is_named(head: Value, told: str) -> None:
    """In words, by the field."""
    with pytest.raises(Invalid, match=told):
        sealed_pack.decode(crafted(head))


def test_a_head_ends_before_its_file() -> None:
    """No ciphertext, or a length that lies, is a file that was not copied as a whole."""
    for one in (crafted(HEAD, b""), MAGIC + (HEAD_BYTES_MAX + 1).to_bytes(8, "big") + b"{}"):
        with pytest.raises(Invalid, match="ends too early"):
            sealed_pack.decode(one)
