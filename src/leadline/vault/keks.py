"""Keys that wrap the private halves of compartments, each for one compartment, kept apart from them.

Destroying such a key makes every copy of the compartment useless, in whatever backup it lies, as long
as no copy of the key itself was taken.
"""

import os
import secrets
import stat
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from leadline.core.errors import NotFound, Refused, Tampered
from leadline.vault import disk

KEY_BYTES, NONCE_BYTES, TAG_BITS = 32, 12, 128
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class WrappingKeys(Protocol):
    """Where wrapping keys live. *name* is a compartment's id, *context* is bound in."""

    driver: str
    words: str

    def make(self, name: str) -> None:
        """A fresh key of 256 bits. Raises: Refused, if there is one of that name."""
        ...

    def wrap(self, name: str, secret: bytes, context: bytes) -> bytes:
        """Raises: NotFound, if there is no such key."""
        ...

    def unwrap(self, name: str, wrapped: bytes, context: bytes) -> bytes:
        """Raises: NotFound, if there is no such key; Tampered, if it does not open."""
        ...

    def destroy(self, name: str) -> None:
        """Take the key away; one that is gone already is no error."""
        ...

    def exists(self, name: str) -> bool:
        """Whether the key is there."""
        ...


class FileWrappingKeys:
    """`WrappingKeys` as files of mode 0600: no protection from whoever runs this host."""

    driver = "file"
    words = (
        "kept in a file on this host (mode 0600): gives no protection from the operator, and a copy "
        "of the file, or of the disk blocks it stood on, opens what it wrapped"
    )

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, name: str) -> None:
        """As the port."""
        with disk.writable("the keys"):
            disk.private(self._folder)
            if not disk.write_once(self._folder / name, secrets.token_bytes(KEY_BYTES)):
                raise Refused(f"the key {name} exists already")

    def wrap(self, name: str, secret: bytes, context: bytes) -> bytes:
        """As the port."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._key(name)).encrypt(nonce, secret, context)

    def unwrap(self, name: str, wrapped: bytes, context: bytes) -> bytes:
        """As the port."""
        key = AESGCM(self._key(name))
        try:
            return key.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            told = "the private half does not open under its key"
            raise Tampered(f"compartment {name}", told) from None

    def destroy(self, name: str) -> None:
        """As the port."""
        with disk.writable("the keys"):
            disk.overwritten(self._folder / name)

    def exists(self, name: str) -> bool:
        """As the port."""
        return (self._folder / name).is_file()

    def _key(self, name: str) -> bytes:
        place = self._folder / name
        key = disk.read(place, KEY_BYTES)
        if key is None:
            raise NotFound(f"the key of compartment {name} is not here; what it wrapped stays shut")
        if place.stat().st_mode & OTHERS:
            raise Refused(f"{place} may be used by others than its owner; run `chmod 600 {place}`")
        if len(key) != KEY_BYTES:
            raise Tampered(f"key {name}", f"{len(key)} bytes where {KEY_BYTES} are due")
        return key
