"""Whether a registered key signed a challenge: the one place that hands those bytes to the primitives.

Needs no store and no clock, so that the key service and an auditor can ask it as well. What it
upholds for a passkey: user verification, the exact origin and the exact relying party.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from leadline.core.account import Method, RegisteredKey
from leadline.core.errors import Tampered, Unavailable

RSA_BITS_MIN = 2048
EVIDENCE_BYTES_MAX = 16_384


@dataclass(frozen=True, slots=True)
class Signed:
    """What a person's device answered to a challenge. *key* is the id of the registered key."""

    key: str
    method: str
    evidence: Mapping[str, str]


def verify(key: RegisteredKey, challenge: bytes, evidence: Mapping[str, str]) -> int:
    """Return the passkey's new signature counter, 0 for other methods, if *key* signed *challenge*.

    *evidence* is base64 text by name: ``signature``, and for a passkey ``client_data`` and
    ``authenticator_data`` as well. A certificate signs with ECDSA, RSA PKCS #1 v1.5 (what cards
    have) or Ed25519, over SHA-256 except for the last.

    Raises: Tampered, naming the key, if it did not; Unavailable, if passkeys need what is not
    installed.
    """
    try:
        method = Method(key.method)
    except ValueError:
        raise Tampered(f"key {key.id}", f"{key.method!r} is no method of signing") from None
    checks: Mapping[Method, Callable[[RegisteredKey, bytes, Mapping[str, str]], int]] = {
        Method.KEY: _ed25519,
        Method.CERTIFICATE: _certificate,
        Method.WEBAUTHN: _passkey,
    }
    if sum(len(text) for text in evidence.values()) > EVIDENCE_BYTES_MAX:
        raise Tampered(f"key {key.id}", "the evidence is larger than any signature")
    try:
        return checks[method](key, challenge, evidence)
    except InvalidSignature as error:
        raise Tampered(f"key {key.id}", "it did not make this signature") from error


def _bytes(key: RegisteredKey, evidence: Mapping[str, str], name: str) -> bytes:
    try:
        return base64.b64decode(evidence[name], validate=True)
    except KeyError:
        raise Tampered(f"key {key.id}", f"the evidence has no {name}") from None
    except (binascii.Error, ValueError):
        raise Tampered(f"key {key.id}", f"the {name} is no base64") from None


def _public(key: RegisteredKey) -> bytes:
    return _bytes(key, {"public half": key.public}, "public half")


def _ed25519(key: RegisteredKey, challenge: bytes, evidence: Mapping[str, str]) -> int:
    try:
        public = Ed25519PublicKey.from_public_bytes(_public(key))
    except ValueError as error:
        raise Tampered(f"key {key.id}", "the public half is no Ed25519 key") from error
    public.verify(_bytes(key, evidence, "signature"), challenge)
    return 0


def _certificate(key: RegisteredKey, challenge: bytes, evidence: Mapping[str, str]) -> int:
    der = _public(key)
    if sha256(der).hexdigest() != key.handle:
        raise Tampered(f"key {key.id}", "the certificate is not the one registered")
    try:
        public = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Tampered(f"key {key.id}", "the public half is no certificate") from error
    signature = _bytes(key, evidence, "signature")
    match public:
        case ec.EllipticCurvePublicKey():
            public.verify(signature, challenge, ec.ECDSA(hashes.SHA256()))
        case rsa.RSAPublicKey() if public.key_size >= RSA_BITS_MIN:
            public.verify(signature, challenge, padding.PKCS1v15(), hashes.SHA256())
        case Ed25519PublicKey():
            public.verify(signature, challenge)
        case _:
            raise Tampered(f"key {key.id}", "its algorithm or length is not taken")
    return 0


def _passkey(key: RegisteredKey, challenge: bytes, evidence: Mapping[str, str]) -> int:
    try:
        import webauthn
        from webauthn.helpers import base64url_to_bytes, structs
        from webauthn.helpers.exceptions import WebAuthnException
    except ImportError as error:
        raise Unavailable("passkeys need the package webauthn: install leadline[server]") from error
    raw = base64url_to_bytes(key.handle)
    credential = structs.AuthenticationCredential(
        id=key.handle,
        raw_id=raw,
        response=structs.AuthenticatorAssertionResponse(
            client_data_json=_bytes(key, evidence, "client_data"),
            authenticator_data=_bytes(key, evidence, "authenticator_data"),
            signature=_bytes(key, evidence, "signature"),
        ),
    )
    try:
        found = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=key.rp_id,
            expected_origin=key.origin,
            credential_public_key=_public(key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise Tampered(f"key {key.id}", "the passkey's answer does not verify") from error
    return found.new_sign_count
