"""Whether a note signature verifies: the one place that hands bytes to the primitives.

Reads with `core`, `formats` and pyca/cryptography only, so that an auditor can read all of the
offline verifier.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from leadline.core.errors import Tampered, Unavailable
from leadline.formats.cosignature import Claim


def check(claim: Claim) -> None:
    """Return if the claim is true; a `leadline.formats.cosignature.Check`.

    Raises: Tampered, if the key did not make the signature; Unavailable, if the installed
    cryptography offers no ML-DSA-44.
    """
    try:
        if claim.key.kind.post_quantum:
            with ml_dsa_required():
                key = MLDSA44PublicKey.from_public_bytes(claim.key.public_key)
                key.verify(claim.signature, claim.message, claim.context)
        else:
            classic = Ed25519PublicKey.from_public_bytes(claim.key.public_key)
            classic.verify(claim.signature, claim.message)
    except InvalidSignature as error:
        raise Tampered(claim.key.name, "the key did not make this signature") from error


@contextmanager
def ml_dsa_required() -> Iterator[None]:
    """Around every use of ML-DSA-44: where it is missing, no other algorithm stands in for it.

    Raises: Unavailable, with the cure.
    """
    try:
        yield
    except UnsupportedAlgorithm as error:
        raise Unavailable(
            "the cryptographic library found offers no ML-DSA-44; install the `cryptography` wheel"
            " of version 50 or later, which brings its own OpenSSL"
        ) from error
