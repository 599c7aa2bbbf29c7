"""Secrets and personal data are told by kind and line, never by themselves."""

import pytest

from leadline.core.clearing.sensitive import spotted


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----", "a private key"),
        ("id AKIAABCDEFGHIJKLMNOP here", "a cloud access key"),
        ("ghp_" + "a1B2" * 9, "a token of a forge"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJlMTIz", "a signed web token"),
        ("https://ada:correct-horse@example.org/x", "a password in an address"),
        ("SSN: 078-05-1120", "a social security number"),
        ("card 4111 1111 1111 1111", "a payment card number"),
    ],
)
def test_what_looks_secret_is_told_by_kind_and_line(text: str, kind: str) -> None:
    """And the thing itself does not stand in the answer."""
    found = spotted(f"first\n{text}\nlast")
    assert found == (f"{kind} (line 2)",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "write to security@example.org, or see https://example.org:8443/a@b",
        "#0 0x7f1234567890 in memcpy 4111-1111-1111-1112",
        "hash 4111111111111111",
        "-----BEGIN PUBLIC KEY-----",
        "at 1234-5678-9012-3456-7890",
    ],
)
def test_what_reports_are_full_of_is_none(text: str) -> None:
    """Addresses, digests and stack traces are no secrets."""
    assert spotted(text) == ()
