"""security.txt by RFC 9116: order, expiry, what is missing, and what a signature surrounds."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.clearing.directory import Channel
from leadline.core.errors import Invalid
from leadline.formats.security_txt import BYTES_MAX, LINES_MAX, addresses, load_security_txt

SEEN = datetime(2027, 3, 1, tzinfo=UTC)
# After the example of RFC 9116, section 2.6.
WHOLE = b"""\
# Our security address
Contact: mailto:security@example.com?subject=hello
Contact: https://example.com/security-contact.html
Contact: tel:+1-201-555-0123
Expires: 2027-12-31T18:37:07z
Encryption: https://example.com/pgp-key.txt
Acknowledgments: https://example.com/hall-of-fame.html
Preferred-Languages: en, es,
Canonical: https://example.com/.well-known/security.txt
Policy: https://example.com/security-policy.html
Hiring: https://example.com/jobs.html
"""


def test_the_whole_of_it() -> None:
    """Every field, in its order; a form and a mail can be written to, a telephone cannot."""
    read = load_security_txt(WHOLE)
    assert read.faults == ()
    assert read.contacts[0].startswith("mailto:security@")
    assert read.expires == datetime(2027, 12, 31, 18, 37, 7, tzinfo=UTC)
    assert read.languages == ("en", "es")
    assert read.policy == ("https://example.com/security-policy.html",)
    assert (read.expired(SEEN), read.expired(datetime(2028, 1, 1, tzinfo=UTC))) == (False, True)
    found = addresses(read, "example.com", SEEN)
    assert [(one.channel, one.to) for one in found] == [
        (Channel.MAIL, "security@example.com"),
        (Channel.WEB, "https://example.com/security-contact.html"),
    ]
    assert found[0].key == "https://example.com/pgp-key.txt"
    assert found[0].expires == read.expires


def test_line_ends_and_a_signature_make_no_difference() -> None:
    """CRLF as the standard has it; of a signed file what is signed, with dashes taken off."""
    assert load_security_txt(WHOLE.replace(b"\n", b"\r\n")) == load_security_txt(WHOLE)
    signed = (
        b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n- "
        + WHOLE
        + b"-----BEGIN PGP SIGNATURE-----\n\nnonsense\n-----END PGP SIGNATURE-----\n"
    )
    read = load_security_txt(signed)
    assert read.signed
    assert read.contacts == load_security_txt(WHOLE).contacts


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        (b"Contact: mailto:a@b.example\n", "Expires", "is missing"),
        (b"Contact: mailto:a@b.example\nExpires: tomorrow\n", "Expires", "no time"),
        (b"Contact: mailto:a@b.example\nExpires: 2027-01-01\n", "Expires", "no time"),
        (b"Contact: mailto:a@b.example\nnonsense\n", "line 2", "no `Field: value`"),
        (b"Contact: mailto:a@b.example\nContact: a@b.example\n", "line 2", "with its scheme"),
        (
            b"Contact: mailto:a@b.example\n" + 2 * b"Expires: 2027-01-01T00:00:00Z\n",
            "line 3",
            "stands once",
        ),
    ],
)
def test_faults_are_listed_with_their_place(text: bytes, place: str, problem: str) -> None:
    """What is wrong does not hide what is right."""
    read = load_security_txt(text)
    assert read.contacts == ("mailto:a@b.example",)
    assert any(one.place == place and problem in one.problem for one in read.faults)
    if place == "Expires":
        assert read.expired(SEEN) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "names no Contact"),
        (b"Contact: nobody\n", "names no Contact"),
        (b"\xff", "no UTF-8"),
        (b"#" * (BYTES_MAX + 1), "longer than"),
        (b"#\n" * (LINES_MAX + 1), "more than"),
    ],
)
def test_what_is_no_such_file_is_refused(text: bytes, problem: str) -> None:
    """Named with what would be right."""
    with pytest.raises(Invalid, match=problem):
        load_security_txt(text)


def test_contacts_that_are_no_address_are_left_out() -> None:
    """A mailto: with nothing that looks like an address."""
    read = load_security_txt(b"Contact: mailto:nobody\nExpires: 2027-12-31T00:00:00Z\n")
    assert addresses(read, "s", SEEN) == ()


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    """Read, or refused by name."""
    try:
        found = addresses(load_security_txt(data), "s", SEEN)
    except Invalid as error:
        found = ()
        told = str(error)
        assert told.startswith("security.txt: ")
    assert all(one.seen == SEEN for one in found)
