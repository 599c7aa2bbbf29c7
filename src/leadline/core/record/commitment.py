"""Blinded commitments: what the public log holds in place of the record itself.

Without its blinder a commitment tells nothing, even about a yes or no; once record and blinder are
destroyed, every proof about the log still verifies. Blinders and salts come from outside: 32 fresh
random bytes each, never used twice.

Sources: RFC 2104 (HMAC), FIPS 180-4 (SHA-256).
"""

import hmac
from hashlib import sha256

from leadline.core.errors import Invalid, Tampered

BLINDER_BYTES = 32
COMMITMENT_BYTES = 32
ENTRY_BYTES = 1 + COMMITMENT_BYTES
ENTRY_VERSION = b"\x01"
SEED_BYTES_MIN = 16  # 128 bits

_ACT = b"leadline/act/v1\x00"
_FINDING = b"leadline/finding/v1"
_SEED = b"leadline/seed/v1"


def commit(blinder: bytes, record: bytes) -> bytes:
    """The commitment to the canonical bytes of an act: HMAC-SHA-256 under *blinder*, 32 bytes.

    Raises: Invalid, if the blinder is not exactly 32 bytes.
    """
    _sized("blinder", blinder)
    return hmac.digest(blinder, _ACT + record, "sha256")


def commit_finding(blinder: bytes, record: bytes) -> bytes:
    """The commitment to the canonical JSON of a finding: HMAC-SHA-256 under *blinder*, 32 bytes.

    Raises: Invalid, if the blinder is not exactly 32 bytes.
    """
    _sized("blinder", blinder)
    return hmac.digest(blinder, _FINDING + record, "sha256")


def entry(commitment: bytes) -> bytes:
    """The 33 bytes that the log keeps as the leaf's data: a version byte and the commitment.

    Raises: Invalid, if the commitment is not 32 bytes.
    """
    if len(commitment) != COMMITMENT_BYTES:
        raise Invalid("commitment", f"{COMMITMENT_BYTES} bytes are due, not {len(commitment)}")
    return ENTRY_VERSION + commitment


def check_entry(place: str, data: bytes) -> None:
    """Return if *data* has the form of an entry; *place* is what the error names.

    Raises: Tampered.
    """
    if len(data) != ENTRY_BYTES or not data.startswith(ENTRY_VERSION):
        raise Tampered(place, "an entry of this log is the byte 01 and a 32-byte commitment")


def seed_commitment(salt: bytes, seed: bytes) -> bytes:
    """The commitment to a seed that is revealed later: SHA-256, 32 bytes.

    *salt* is exactly 32 bytes, so that salt and seed cannot be divided otherwise.

    Raises: Invalid, if the salt is not 32 bytes or the seed is shorter than 128 bits.
    """
    _sized("salt", salt)
    if len(seed) < SEED_BYTES_MIN:
        raise Invalid("seed", f"at least {SEED_BYTES_MIN} random bytes are due, not {len(seed)}")
    return sha256(_SEED + salt + seed).digest()


def _sized(field: str, value: bytes) -> None:
    if len(value) != BLINDER_BYTES:
        raise Invalid(field, f"exactly {BLINDER_BYTES} random bytes are due, not {len(value)}")


def derived_seed(seed: bytes, use: str) -> bytes:
    """The 32 bytes that *seed* gives for one *use*, so that none of them tells anything of another."""
    return sha256(f"leadline/seed/{use}/v1".encode() + b"\0" + seed).digest()
