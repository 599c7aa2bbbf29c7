"""Cards: who vouches for them, for what, until when, and whether they were revoked."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import make
from identity.authority import CLIENT, POLICY, SERVER, Authority
from leadline.core.errors import Invalid, Refused
from leadline.identity import certificate
from leadline.identity.certificate import Authorities

ROOT = Authority()
PRIVATE = ec.generate_private_key(ec.SECP256R1())
CARD = ROOT.issued(PRIVATE, policies=(POLICY,))


def trusted(
    folder: Path, revoked: bytes | None = None, policies: frozenset[str] = frozenset()
) -> Authorities:
    """The root as an installation reads it."""
    roots, lists = folder / "roots.pem", folder / "revoked.pem"
    roots.write_bytes(ROOT.pem)
    if revoked is not None:
        lists.write_bytes(revoked)
    return certificate.authorities(roots, lists if revoked is not None else None, policies)


def test_a_card_of_the_own_authority_is_known_by_its_digest(tmp_path: Path) -> None:
    """Chain, use and validity hold; a policy that is asked for is there."""
    for asked in (frozenset[str](), frozenset({POLICY, "1.2.3"})):
        found = certificate.check(CARD, trusted(tmp_path, policies=asked), make.NOW)
        assert found == sha256(CARD).hexdigest()


@pytest.mark.parametrize(
    ("der", "told"),
    [
        (Authority("Another root").issued(PRIVATE), "vouches"),
        (Authority("Demonstration root").issued(PRIVATE), "vouches"),
        (ROOT.issued(PRIVATE, uses=(SERVER,)), "vouches"),
        (ROOT.issued(PRIVATE, uses=()), "vouches"),
        (ROOT.issued(PRIVATE, uses=(CLIENT,), authority=True), "vouches"),
        (ROOT.issued(PRIVATE, ends=make.NOW - timedelta(seconds=1)), "vouches"),
        (b"no certificate", "vouches"),
        (CARD[:-1] + bytes([CARD[-1] ^ 1]), "vouches"),
    ],
)
def test_a_card_that_is_not_as_it_should_be_is_refused(
    der: bytes, told: str, tmp_path: Path
) -> None:
    """Another root, one of the same name, no client use, an authority, run out, noise, one bit."""
    with pytest.raises(Refused, match=told):
        certificate.check(der, trusted(tmp_path), make.NOW)


def test_a_policy_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    """None, and another one, are refused."""
    asked = trusted(tmp_path, policies=frozenset({"1.2.3"}))
    with pytest.raises(Refused, match="not issued under a policy"):
        certificate.check(CARD, asked, make.NOW)
    with pytest.raises(Refused, match="names no policy"):
        certificate.check(ROOT.issued(PRIVATE), asked, make.NOW)


def test_a_revoked_card_is_refused_and_another_is_not(tmp_path: Path) -> None:
    """The list is the issuer's own, and fresh."""
    other = ROOT.issued(PRIVATE)
    found = trusted(tmp_path, ROOT.revoking(other))
    assert certificate.check(CARD, found, make.NOW)
    with pytest.raises(Refused, match="revoked"):
        certificate.check(other, found, make.NOW)


@pytest.mark.parametrize(
    "revoked",
    [
        ROOT.revoking(age=timedelta(days=8)),
        ROOT.revoking(age=timedelta(days=-1)),
        ROOT.revoking(by=ec.generate_private_key(ec.SECP256R1())),
        Authority("Another root").revoking(),
    ],
)
def test_a_list_that_is_old_forged_or_anothers_refuses_every_card(
    revoked: bytes, tmp_path: Path
) -> None:
    """Not knowing whether a card was revoked is no reason to take it."""
    with pytest.raises(Refused, match="missing or out of date"):
        certificate.check(CARD, trusted(tmp_path, revoked), make.NOW)


def test_files_that_hold_no_authority_are_invalid(tmp_path: Path) -> None:
    """Nothing there, nothing in it, a list that is none, a card instead of a root."""
    roots = tmp_path / "roots.pem"
    with pytest.raises(Invalid, match="no certificates"):
        certificate.authorities(roots, None, frozenset())
    roots.write_bytes(b"")
    with pytest.raises(Invalid, match="no "):
        certificate.authorities(roots, None, frozenset())
    with pytest.raises(Invalid, match="no revocation lists"):
        trusted(tmp_path, b"noise")
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    roots.write_bytes(x509.load_der_x509_certificate(CARD).public_bytes(Encoding.PEM))
    with pytest.raises(Invalid, match="no root"):
        certificate.authorities(roots, None, frozenset())
