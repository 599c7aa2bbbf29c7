"""Client certificates as government cards carry them (PIV, CAC): chain, use, validity, revocation.

A chain is built to the authorities of this installation only. A revocation list that is missing,
out of date or not signed by the issuer refuses every certificate of that issuer.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from leadline.core.account import Method, RegisteredKey
from leadline.core.errors import Invalid, Refused

CHAIN_MAX = 5


@dataclass(frozen=True, slots=True)
class Authorities:
    """Who may vouch: root certificates, lists of what they revoked, and policies asked for."""

    roots: Sequence[x509.Certificate]
    intermediates: Sequence[x509.Certificate] = ()
    revoked: Sequence[x509.CertificateRevocationList] = ()
    policies: frozenset[str] = field(default_factory=frozenset)


def authorities(roots: Path, revoked: Path | None, policies: frozenset[str]) -> Authorities:
    """Read the authorities: PEM certificates of *roots*, PEM revocation lists of *revoked*.

    Raises: Invalid, naming the file.
    """
    try:
        found = x509.load_pem_x509_certificates(roots.read_bytes())
    except (OSError, ValueError) as error:
        raise Invalid(str(roots), "no certificates in PEM") from error
    try:
        lists = [] if revoked is None else _lists(revoked.read_bytes())
    except (OSError, ValueError) as error:
        raise Invalid(str(revoked), "no revocation lists in PEM") from error
    own = [one for one in found if one.subject == one.issuer]
    if not own:
        raise Invalid(str(roots), "it holds no root certificate")
    others = [one for one in found if one.subject != one.issuer]
    return Authorities(own, others, lists, policies)


def check(der: bytes, trusted: Authorities, now: datetime) -> str:
    """The certificate's SHA-256 in hex, if it may serve to sign in now.

    Raises: Refused, saying what does not hold.
    """
    try:
        leaf = x509.load_der_x509_certificate(der)
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store(list(trusted.roots)))
            .time(now.astimezone(UTC).replace(tzinfo=None))
            .max_chain_depth(CHAIN_MAX)
            .extension_policies(
                ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(), ee_policy=_card()
            )
            .build_client_verifier()
        )
        chain = verifier.verify(leaf, list(trusted.intermediates)).chain
    except (verification.VerificationError, ValueError, UnsupportedAlgorithm) as error:
        raise Refused("no authority of this installation vouches for this certificate") from error
    _check_policy(leaf, trusted.policies)
    for one, issuer in pairwise(chain):
        _check_revoked(one, issuer, trusted, now)
    return sha256(der).hexdigest()


def registered(id_: str, principal: str, der: bytes, handle: str, at: datetime) -> RegisteredKey:
    """What the installation keeps of a card."""
    public = base64.b64encode(der).decode()
    return RegisteredKey(id_, principal, Method.CERTIFICATE.value, public, at, handle=handle)


def _card() -> verification.ExtensionPolicy:
    """Cards name people, not hosts: the use must be clientAuth, an alternative name need not be."""
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, _client_use)
        .may_be_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, _no_authority)
        .may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _signs)
    )


def _client_use(_: verification.Policy, __: x509.Certificate, uses: x509.ExtendedKeyUsage) -> None:
    if ExtendedKeyUsageOID.CLIENT_AUTH not in uses:
        raise ValueError("the certificate is not for client authentication")


def _no_authority(
    _: verification.Policy, __: x509.Certificate, constraints: x509.BasicConstraints | None
) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("the certificate is an authority's")


def _signs(_: verification.Policy, __: x509.Certificate, use: x509.KeyUsage | None) -> None:
    if use is not None and not use.digital_signature:
        raise ValueError("the certificate's key is not for signatures")


def _check_policy(leaf: x509.Certificate, wanted: frozenset[str]) -> None:
    if not wanted:
        return
    try:
        found = leaf.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        raise Refused("the certificate names no policy, and one is asked for") from None
    if wanted.isdisjoint(one.policy_identifier.dotted_string for one in found):
        raise Refused("the certificate was not issued under a policy that is asked for")


def _check_revoked(
    one: x509.Certificate, issuer: x509.Certificate, trusted: Authorities, now: datetime
) -> None:
    if not trusted.revoked:
        return
    lists = [found for found in trusted.revoked if found.issuer == issuer.subject]
    public = issuer.public_key()
    current = [
        found
        for found in lists
        if found.is_signature_valid(public)  # type: ignore[arg-type]
        and found.last_update_utc <= now
        and found.next_update_utc is not None
        and now < found.next_update_utc
    ]
    if not current:
        raise Refused("the issuer's revocation list is missing or out of date; fetch the new one")
    if any(found.get_revoked_certificate_by_serial_number(one.serial_number) for found in current):
        raise Refused("the certificate was revoked")


def _lists(pem: bytes) -> list[x509.CertificateRevocationList]:
    end = b"-----END X509 CRL-----"
    return [
        x509.load_pem_x509_crl(part.strip() + b"\n" + end + b"\n")
        for part in pem.split(end)
        if part.strip()
    ]
