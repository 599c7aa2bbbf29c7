"""Key files: made once, for their owner alone."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from leadline.core.errors import Invalid, NotFound, Refused
from leadline.identity import software_key


def test_a_key_file_is_made_once_and_read_again(tmp_path: Path) -> None:
    """Mode 0600, the same key each time, never overwritten."""
    path = tmp_path / "key.pem"
    made = software_key.opened(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert software_key.opened(path).id == made.id
    with pytest.raises(Refused, match="never overwritten"):
        software_key.make(path)


def test_a_file_that_others_read_or_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    """Missing, readable by others, noise, or a key of another kind: each in its own words."""
    path = tmp_path / "key.pem"
    with pytest.raises(NotFound):
        software_key.read(path)
    path.write_bytes(b"noise")
    with pytest.raises(Refused, match="0600"):
        software_key.read(path)
    path.chmod(0o600)
    with pytest.raises(Invalid, match="no private key"):
        software_key.read(path)
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(other)
    with pytest.raises(Invalid, match="no Ed25519"):
        software_key.read(path)
