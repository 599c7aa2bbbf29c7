"""The leak scan finds a secret in every common veil, and nothing where nothing is told."""

import base64
import codecs
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.suites.leak import SECRET_BYTES_MIN, Leak, scan

SECRET = b"Ferry:9f2c//rope"
ROT = codecs.encode(SECRET.decode(), "rot13").encode()
LISTED = ", ".join(f"0x{byte:02X}" for byte in SECRET).encode()
ESCAPED = "".join(f"\\x{byte:02x}" for byte in SECRET).encode()


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (SECRET, "plain"),
        (SECRET[::-1], "reversed"),
        (ROT, "rot13"),
        (SECRET.hex().encode(), "hex"),
        (SECRET.hex().upper().encode(), "hex"),
        (SECRET.hex(" ").encode(), "hex"),
        (LISTED, "hex"),
        (ESCAPED, "hex"),
        (SECRET.hex()[::-1].encode(), "reversed hex"),
        (SECRET[::-1].hex().encode(), "reversed hex"),
        (ROT.hex().encode(), "rot13 hex"),
        (base64.b64encode(SECRET), "base64"),
        (base64.urlsafe_b64encode(b"?" + SECRET + b"tail"), "base64"),
        (base64.b64encode(b"??" + SECRET), "base64"),
        (base64.encodebytes(b"x" * 50 + SECRET + b"x" * 50), "base64"),
        (base64.b64encode(SECRET[::-1]), "reversed base64"),
        (base64.b64encode(ROT), "rot13 base64"),
    ],
)
def test_a_told_secret_is_found_and_its_form_named(text: bytes, form: str) -> None:
    """Each veil is found amid other text, in the right file and for the right secret."""
    files = {"clean": b"nothing here", "told": b"before " + text + b" after"}
    found = scan(files, [b"another secret", SECRET])
    assert Leak("told", 1, form) in found
    assert {(leak.file, leak.secret) for leak in found} == {("told", 1)}


@given(
    st.binary(min_size=6, max_size=40),
    st.binary(max_size=20),
    st.binary(max_size=20),
    st.sampled_from(
        [bytes, base64.b64encode, base64.urlsafe_b64encode, lambda d: d.hex().encode()]
    ),
)
def test_no_surroundings_hide_a_secret(
    secret: bytes, before: bytes, after: bytes, veil: Callable[[bytes], bytes]
) -> None:
    """Whatever is encoded together with it, a secret is found."""
    assert scan({"f": veil(before + secret + after)}, [secret])


@given(st.binary(min_size=8, max_size=30))
def test_part_of_a_secret_is_no_leak(secret: bytes) -> None:
    """A file that lacks the secret's last byte, in every form, tells nothing."""
    cut = secret[:-1]
    told = cut + b" " + cut.hex().encode() + b" " + base64.b64encode(cut)
    assert Leak("f", 0, "plain") not in scan({"f": told}, [b"\x01" + secret])
    assert scan({"f": bytes(300)}, [b"\x01" + secret]) == []


def test_a_secret_is_named_once_for_each_form() -> None:
    """Many occurrences are one leak, and files are answered in their order."""
    files = {"b": SECRET * 3, "a": SECRET}
    assert scan(files, [SECRET]) == [Leak("b", 0, "plain"), Leak("a", 0, "plain")]
    assert scan({}, [SECRET]) == scan(files, []) == []


def test_too_short_a_secret_is_refused() -> None:
    """Few bytes stand anywhere, so a finding would say nothing."""
    with pytest.raises(Invalid, match="secret 1"):
        scan({"f": b"x"}, [SECRET, bytes(SECRET_BYTES_MIN - 1)])
