"""Bodies kept inside the boundary, where terms say so: sealed to a key whose private half lies elsewhere.

A file is a row of pieces, each a length of four bytes and an HPKE message (RFC 9180: X25519,
HKDF-SHA-256, AES-256-GCM) whose info names the body, the piece's number and whether it is the last, so
that pieces cannot be taken away, exchanged or put into another body unseen.
"""

import struct
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from leadline.core.errors import Invalid, NotFound, Tampered, Unavailable

PIECE_BYTES = 64 * 1024
SUFFIX = ".sealed"
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_LENGTH = struct.Struct(">I")


class SealedBodies:
    """A folder of sealed bodies; a body appears in it once it is complete or broken off."""

    def __init__(self, folder: Path, key: X25519PublicKey) -> None:
        self._folder, self._key = folder, key
        self._held = dict[str, bytearray]()
        self._number = dict[str, int]()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def recipient(self) -> str:
        """SHA-256 of the public key in hex: whom bodies are sealed to, as the journal says it."""
        return sha256(self._key.public_bytes_raw()).hexdigest()

    def piece(self, name: str, data: bytes) -> None:
        """Add to the body called *name*.

        Raises: Unavailable, if it cannot be kept.
        """
        held = self._held.setdefault(name, bytearray())
        held += data
        while len(held) > PIECE_BYTES:
            self._write(name, bytes(held[:PIECE_BYTES]), last=False)
            del held[:PIECE_BYTES]

    def end(self, name: str) -> None:
        """The body ended, whole or not; what of it came is in the journal.

        Raises: Unavailable, if it cannot be kept.
        """
        try:
            self._write(name, bytes(self._held.pop(name, b"")), last=True)
        finally:
            self._number.pop(name, None)

    def _write(self, name: str, data: bytes, *, last: bool) -> None:
        number = self._number.get(name, 0)
        sealed = _SUITE.encrypt(data, self._key, info=_info(name, number, last=last))
        self._number[name] = number + 1
        path = self._folder / f"{name}{SUFFIX}"
        try:
            with path.open("ab" if number else "xb") as out:
                out.write(_LENGTH.pack(len(sealed)) + sealed)
        except OSError as error:
            raise Unavailable(f"a body cannot be kept in {self._folder} ({error})") from error


def _info(name: str, number: int, *, last: bool) -> bytes:
    return f"leadline/relay-body/v1\0{name}\0{number}\0{'last' if last else 'more'}".encode()


def public_key(path: Path) -> X25519PublicKey:
    """The key that bodies are sealed to.

    Raises: NotFound; Invalid, if the file holds none.
    """
    key = _loaded(path, private=False)
    if not isinstance(key, X25519PublicKey):
        raise Invalid(str(path), "an X25519 public key in PEM is due")
    return key


def opened(path: Path, key_file: Path) -> bytes:
    """A sealed body, by the private key in PEM.

    Raises: NotFound; Invalid, if the file holds no such key; Tampered, if the body is not whole.
    """
    key = _loaded(key_file, private=True)
    if not isinstance(key, X25519PrivateKey):
        raise Invalid(str(key_file), "an X25519 private key in PEM is due")
    name, data = path.name.removesuffix(SUFFIX), _content(path)
    pieces, at, number = list[bytes](), 0, 0
    while at < len(data):
        head = data[at : at + _LENGTH.size]
        size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
        sealed = data[at + _LENGTH.size : at + _LENGTH.size + size]
        at += _LENGTH.size + size
        info = _info(name, number, last=at >= len(data))
        try:
            pieces.append(_SUITE.decrypt(sealed, key, info=info))
        except InvalidTag as error:
            raise Tampered(path.name, f"piece {number + 1} does not open") from error
        number += 1
    if not pieces:
        raise Tampered(path.name, "it is empty")
    return b"".join(pieces)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"no file {path}") from None


def _loaded(path: Path, *, private: bool) -> object:
    data = _content(path)
    try:
        if private:
            return serialization.load_pem_private_key(data, password=None)
        return serialization.load_pem_public_key(data)
    except (ValueError, TypeError) as error:
        raise Invalid(str(path), "no key in PEM") from error
