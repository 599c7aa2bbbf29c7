"""Keys of sealed packs: one per pack, divided among custodians, assembled only where a pack runs.

Upheld here: a share opens only for the custodian it was sealed to, and only as the share of this pack,
with this ciphertext, at this place; what a custodian passes on opens only in the one channel and
session it was sealed to; fewer shares than the threshold give nothing. Sealing is HPKE (RFC 9180) with
ML-KEM-768 and X25519 together; a pack is AES-256-GCM under a key of its own.

Shares of a threshold are SLIP-39 (`shamir-mnemonic`, the reference implementation): it is not
constant-time, so it serves ceremonies on hosts that nobody else uses. XOR shares have no such limit.
"""

import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from shamir_mnemonic import (  # type: ignore[import-untyped]  # it ships no types
    MnemonicError,
    combine_mnemonics,
    generate_mnemonics,
)

from leadline.core.errors import Invalid, Refused, Tampered
from leadline.core.sealed.pack import Scheme, SealedShare
from leadline.formats import canonical

FORMAT = "leadline/custodian-key/v1"
KEY_BYTES = 32
NONCE_BYTES = 12
_ML_KEM_PUBLIC, _X25519 = 1184, 32
_ML_KEM_SEED = 64
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class HolderKey:
    """A private key that shares are sealed to: a custodian's, or a running channel's."""

    ml_kem: MLKEM768PrivateKey
    x25519: X25519PrivateKey

    @property
    def public(self) -> bytes:
        """The public half: ML-KEM-768, then X25519."""
        return (
            self.ml_kem.public_key().public_bytes_raw()
            + self.x25519.public_key().public_bytes_raw()
        )

    @property
    def id(self) -> str:
        """SHA-256 of the public half, in hex."""
        return key_id(self.public)

    def open(self, sealed: bytes, info: bytes, place: str) -> bytes:
        """What was sealed to this key under *info*.

        Raises: Tampered, naming *place*, if it was sealed to another key, for another use, or changed.
        """
        private = hpke.MLKEM768X25519PrivateKey(self.ml_kem, self.x25519)
        try:
            return _SUITE.decrypt(sealed, private, info)
        except InvalidTag:
            raise Tampered(place, "not sealed to this key for this use, or changed since") from None


def new_key() -> HolderKey:
    """A fresh key."""
    return HolderKey(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())


def key_id(public: bytes) -> str:
    """SHA-256 of a public key, in hex: what a custodian is called."""
    return sha256(public).hexdigest()


def seal(content: bytes, public: bytes, info: bytes) -> bytes:
    """*content* sealed to *public* for the use that *info* names.

    Raises: Invalid, if *public* is no key.
    """
    if len(public) != _ML_KEM_PUBLIC + _X25519:
        raise Invalid("public key", "ML-KEM-768 and X25519 together are due")
    key = hpke.MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_ML_KEM_PUBLIC]),
        X25519PublicKey.from_public_bytes(public[_ML_KEM_PUBLIC:]),
    )
    return _SUITE.encrypt(content, key, info)


@dataclass(frozen=True, slots=True)
class Sealing:
    """A pack's ciphertext with the shares of its key."""

    ciphertext: bytes
    shares: tuple[SealedShare, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the ciphertext, in hex."""
        return sha256(self.ciphertext).hexdigest()


def seal_pack(pack: str, content: bytes, scheme: Scheme, custodians: Sequence[bytes]) -> Sealing:
    """Encrypt *content* as pack *pack* and divide its key among *custodians*, one share each.

    Raises: Invalid, if there are not as many different custodians as shares.
    """
    if len(set(custodians)) != len(custodians) or len(custodians) != scheme.count:
        raise Invalid("custodians", f"{scheme.count} different keys are due, one for each share")
    key = secrets.token_bytes(KEY_BYTES)
    ciphertext = encrypt(key, pack, content)
    digest = sha256(ciphertext).hexdigest()
    shares = tuple(
        SealedShare(
            key_id(public), number, seal(share, public, _share_info(pack, digest, number)).hex()
        )
        for number, (public, share) in enumerate(zip(custodians, split(key, scheme), strict=True))
    )
    return Sealing(ciphertext, shares)


def encrypt(key: bytes, pack: str, content: bytes) -> bytes:
    """*content* under *key*, bound to the pack's id; the nonce stands first."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, pack.encode())


def decrypt(key: bytes, pack: str, ciphertext: bytes) -> bytes:
    """What `encrypt` was given; raises Tampered, if key, pack or a byte is another."""
    try:
        return AESGCM(key).decrypt(
            ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], pack.encode()
        )
    except (InvalidTag, ValueError):
        raise Tampered("pack", "the assembled key does not open it") from None


def split(key: bytes, scheme: Scheme) -> list[bytes]:
    """*key* in shares of which the scheme's threshold assembles it."""
    if scheme.method == "xor":
        pads = [secrets.token_bytes(len(key)) for _ in range(scheme.count - 1)]
        return [*pads, reduce(_xor, pads, key)]
    groups = [(scheme.threshold, scheme.count)]
    [made] = generate_mnemonics(1, groups, key, iteration_exponent=0)
    return [words.encode() for words in made]


def assemble(shares: Mapping[int, bytes], scheme: Scheme) -> bytes:
    """The key again, from exactly the threshold of different shares.

    Raises: Refused, for fewer; Tampered, if they are not shares of one key.
    """
    if len(shares) < scheme.threshold:
        raise Refused(f"{len(shares)} of the {scheme.threshold} shares that the key needs")
    some = [shares[number] for number in sorted(shares)[: scheme.threshold]]
    if scheme.method == "xor":
        if len({len(share) for share in some}) != 1:
            raise Tampered("shares", "they are not shares of one key")
        return reduce(_xor, some)
    try:
        return bytes(combine_mnemonics([share.decode() for share in some]))
    except (MnemonicError, UnicodeDecodeError):
        raise Tampered("shares", "they are not shares of one key") from None


@dataclass(frozen=True, slots=True)
class Channel:
    """Where shares may be sent for one session: a public key, and the session it serves."""

    session: str
    nonce: str
    public: bytes


def pass_on(holder: HolderKey, pack: str, digest: str, share: SealedShare, channel: Channel) -> str:
    """A custodian's share, sealed anew to the channel, in hex; the custodian's own step.

    Raises: Tampered, if the share is not this custodian's, of this pack, ciphertext and place.
    """
    info = _share_info(pack, digest, share.number)
    opened = holder.open(bytes.fromhex(share.sealed), info, f"share {share.number}")
    return seal(opened, channel.public, _channel_info(pack, digest, share.number, channel)).hex()


def ceremony(
    holders: Sequence[HolderKey],
    pack: str,
    ciphertext: bytes,
    scheme: Scheme,
    shares: Sequence[SealedShare],
) -> bytes:
    """The key, where enough custodians are together on one host.

    Raises: Refused, for fewer than the threshold; Tampered, as `pass_on`.
    """
    own = new_key()
    channel = Channel("ceremony", own.id, own.public)
    digest = sha256(ciphertext).hexdigest()
    passed = {
        share.number: pass_on(holder, pack, digest, share, channel)
        for holder in holders
        for share in shares
        if share.custodian == holder.id
    }
    return assemble(receive(own, pack, digest, passed, channel), scheme)


def receive(
    holder: HolderKey, pack: str, digest: str, passed: Mapping[int, str], channel: Channel
) -> dict[int, bytes]:
    """The shares that arrived in the channel, by place; raises Tampered, as `pass_on`."""
    return {
        number: holder.open(
            bytes.fromhex(sealed), _channel_info(pack, digest, number, channel), f"share {number}"
        )
        for number, sealed in passed.items()
    }


def _share_info(pack: str, digest: str, number: int) -> bytes:
    use = "leadline/pack-share/v1"
    return canonical.encode({"v": use, "pack": pack, "artefact": digest, "number": number})


def _channel_info(pack: str, digest: str, number: int, channel: Channel) -> bytes:
    return canonical.encode(
        {
            "v": "leadline/pack-release/v1",
            "pack": pack,
            "artefact": digest,
            "number": number,
            "session": channel.session,
            "nonce": channel.nonce,
        }
    )


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def write_key(file: Path, key: HolderKey) -> None:
    """Keep *key* in a new file that only its owner can read.

    Raises: Refused, if the file is there.
    """
    content = canonical.encode(
        {
            "format": FORMAT,
            "ml_kem_768": key.ml_kem.private_bytes_raw().hex(),
            "x25519": key.x25519.private_bytes_raw().hex(),
        }
    )
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(f"{file} is there already; a key is never replaced") from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)


def read_key(file: Path) -> HolderKey:
    """What `write_key` kept.

    Raises: Invalid, if it is no such file; Refused, if others may read it.
    """
    try:
        mode, data = file.stat().st_mode, file.read_bytes()
    except OSError as error:
        raise Invalid("key", f"{file} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(f"{file} may be used by others than its owner; run `chmod 600 {file}`")
    members = canonical.decode(data)
    if not isinstance(members, Mapping) or members.get("format") != FORMAT:
        raise Invalid("key", f"{file} is no custodian's key")
    try:
        ml_kem = bytes.fromhex(str(members.get("ml_kem_768")))
        x25519 = bytes.fromhex(str(members.get("x25519")))
        return HolderKey(
            MLKEM768PrivateKey.from_seed_bytes(ml_kem), X25519PrivateKey.from_private_bytes(x25519)
        )
    except ValueError:
        raise Invalid("key", f"{file} is no custodian's key") from None
