"""A person's Ed25519 key in a file: the least that can sign an act.

Whoever can read the file can sign as its holder, and no signature shows that the holder was there.
Where that matters, people use passkeys or cards.
"""

import base64
import os
import stat
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from leadline.app.assertion import Signed
from leadline.core.account import Method, RegisteredKey
from leadline.core.errors import Invalid, NotFound, Refused

OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class SoftwareKey:
    """An open private key; its id is taken from its public half."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The public half in base64."""
        return base64.b64encode(self.private.public_key().public_bytes_raw()).decode()

    @property
    def id(self) -> str:
        """The id it is registered under."""
        return f"key-{sha256(self.public.encode()).hexdigest()[:32]}"

    def registered(self, principal: str, at: datetime, note: str = "") -> RegisteredKey:
        """What the installation keeps of it."""
        return RegisteredKey(self.id, principal, Method.KEY.value, self.public, at, note=note)

    def sign(self, challenge: bytes) -> Signed:
        """The answer to a challenge."""
        signature = base64.b64encode(self.private.sign(challenge)).decode()
        return Signed(self.id, Method.KEY.value, {"signature": signature})


def make(path: Path) -> SoftwareKey:
    """A new key in a new file of mode 0600.

    Raises: Refused, if the file exists.
    """
    key = SoftwareKey(Ed25519PrivateKey.generate())
    text = key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(f"{path} exists; a key is never overwritten") from None
    with os.fdopen(handle, "wb") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    return key


def read(path: Path) -> SoftwareKey:
    """The key in a file.

    Raises: NotFound; Refused, if others can read the file; Invalid, if it holds no such key.
    """
    try:
        mode, text = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"no key file {path}") from None
    if mode & OTHERS:
        raise Refused(f"{path} can be read by others; set its mode to 0600")
    try:
        private = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError) as error:
        raise Invalid(str(path), "no private key in PEM without a passphrase") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Invalid(str(path), "the key is no Ed25519 key")
    return SoftwareKey(private)


def opened(path: Path) -> SoftwareKey:
    """The key in a file, made where there is none."""
    return read(path) if path.exists() else make(path)
