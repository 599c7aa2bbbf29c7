"""Blinded commitments."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid, Tampered
from leadline.core.record import commitment


def test_commitment_is_the_documented_hmac() -> None:
    """C = HMAC-SHA-256(blinder, "leadline/act/v1" || 0x00 || record), spelled by another path."""
    blinder = bytes(range(32))
    reference = hmac.new(blinder, b"leadline/act/v1\0{}", "sha256").digest()
    assert reference == commitment.commit(blinder, b"{}")
    # Computed once with `openssl dgst -sha256 -mac HMAC`, so that a change of both is seen.
    assert commitment.commit(blinder, b"{}").hex() == FIXED


FIXED = "262822fcc3f489aba568cde6066e62e5abeca2855aedb9d828885c634fead235"


@given(
    blinders=st.tuples(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32)),
    records=st.tuples(st.binary(), st.binary()),
)
def test_only_record_and_blinder_together_open(
    blinders: tuple[bytes, bytes], records: tuple[bytes, bytes]
) -> None:
    """Two commitments agree exactly if blinder and record agree."""
    same = blinders[0] == blinders[1] and records[0] == records[1]
    first, second = (commitment.commit(b, r) for b, r in zip(blinders, records, strict=True))
    assert same == (first == second)
    assert len(first) == 32


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_blinders_and_salts_are_exactly_32_bytes(length: int) -> None:
    """A shorter one could be guessed, a longer one would be hashed down by HMAC: both are refused."""
    with pytest.raises(Invalid, match="exactly 32"):
        commitment.commit(bytes(length), b"")
    with pytest.raises(Invalid, match="exactly 32"):
        commitment.seed_commitment(bytes(length), bytes(16))


def test_entry_is_a_version_and_a_commitment() -> None:
    """A log entry is 33 bytes: 01 and the commitment; anything else is named as tampering."""
    entry = commitment.entry(bytes(32))
    assert b"\x01" + bytes(32) == entry
    commitment.check_entry("entry 0", entry)
    with pytest.raises(Invalid, match="commitment"):
        commitment.entry(bytes(31))
    for bad in (entry[:-1], b"\x02" + bytes(32), entry + b"\0", b""):
        with pytest.raises(Tampered, match="entry 7"):
            commitment.check_entry("entry 7", bad)


def test_seed_commitment_binds_salt_and_seed() -> None:
    """Another salt or seed is another commitment; a seed below 128 bits is refused."""
    salt, seed = bytes(32), bytes(16)
    made = commitment.seed_commitment(salt, seed)
    assert made != commitment.seed_commitment(b"\x01" * 32, seed)
    assert made != commitment.seed_commitment(salt, bytes(17))
    with pytest.raises(Invalid, match="seed"):
        commitment.seed_commitment(salt, bytes(15))
