"""How a data key and a shard are bound to what they belong to, and what lies beside a sealed copy.

Each shard of an artefact is encrypted under a fresh data key, and that key is sealed by HPKE (RFC
9180) to the public key of a compartment, with everything in `Bound` as HPKE's info. The shard itself is
bound to what is known before its last byte came; digest, size and number of shards are bound through
its data key, which serves for nothing else. Re-wrapping changes the epoch and leaves ciphertext alone.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from leadline.app.ports import Holding, Recipient
from leadline.core.errors import Invalid, Tampered
from leadline.core.marking import Marking, parse_marking
from leadline.core.record.act import Value
from leadline.core.vaulting import OWNERS, Bound, Protection, Wrapped
from leadline.formats import canonical

INFO, SHARD, COPY = "leadline/data-key/v1", "leadline/shard/v1", "leadline/sealed-copy/v1"
HYBRID, CLASSIC = "MLKEM768-X25519", "X25519"
KEMS = (HYBRID, CLASSIC)
ML_KEM_SEED, ML_KEM_PUBLIC = 64, 1184
HEADER_BYTES_MAX = 16 << 20
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def info(bound: Bound) -> bytes:
    """The canonical bytes that a data key is sealed under.

    Raises: Invalid, for an engagement or terms that have no canonical form.
    """
    return canonical.encode(
        {
            "format": INFO,
            "engagement": bound.engagement,
            "owner": bound.owner,
            "compartment": bound.compartment,
            "epoch": bound.epoch,
            "digest": bound.digest,
            "size": bound.size,
            "protection": bound.protection.value,
            "terms": bound.terms,
            "shard": bound.shard,
            "shards": bound.shards,
        }
    )


def shard_data(bound: Bound) -> bytes:
    """The associated data of one shard: what is known while it is being written.

    Raises: as `info`.
    """
    return canonical.encode(
        {
            "format": SHARD,
            "engagement": bound.engagement,
            "owner": bound.owner,
            "compartment": bound.compartment,
            "protection": bound.protection.value,
            "terms": bound.terms,
            "shard": bound.shard,
        }
    )


def _suite(kem: str) -> hpke.Suite:
    known = {HYBRID: hpke.KEM.MLKEM768_X25519, CLASSIC: hpke.KEM.X25519}
    if kem not in known:
        raise Invalid("kem", f"{kem!r} is not served; use one of {', '.join(KEMS)}")
    return hpke.Suite(known[kem], hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def generate(kem: str) -> tuple[bytes, bytes]:
    """A fresh pair for *kem*: private half, public half.

    Raises: Invalid, for a KEM that is not served.
    """
    _suite(kem)
    classic = X25519PrivateKey.generate()
    private, public = classic.private_bytes_raw(), classic.public_key().public_bytes_raw()
    if kem == HYBRID:
        quantum = MLKEM768PrivateKey.generate()
        private = quantum.private_bytes_raw() + private
        public = quantum.public_key().public_bytes_raw() + public
    return private, public


def seal(kem: str, public: bytes, key: bytes, bound: Bound) -> Wrapped:
    """*key* for whoever has the private half, bound to *bound*.

    Raises: Invalid, if *public* is no public key of *kem*.
    """
    suite = _suite(kem)
    try:
        if kem == HYBRID:
            quantum = MLKEM768PublicKey.from_public_bytes(public[:ML_KEM_PUBLIC])
            classic = X25519PublicKey.from_public_bytes(public[ML_KEM_PUBLIC:])
            pair = hpke.MLKEM768X25519PublicKey(quantum, classic)
            return Wrapped(suite.encrypt(key, pair, info(bound)), bound)
        only = X25519PublicKey.from_public_bytes(public)
    except ValueError as error:
        raise Invalid("public key", f"no {kem} key: {error}") from None
    return Wrapped(suite.encrypt(key, only, info(bound)), bound)


def unseal(kem: str, private: bytes, wrapped: Wrapped) -> bytes:
    """The key inside.

    Raises: Tampered, if it was sealed to another key, under other words, or was changed.
    """
    suite, words = _suite(kem), info(wrapped.bound)
    classic = X25519PrivateKey.from_private_bytes(private[-32:])
    try:
        if kem == HYBRID:
            quantum = MLKEM768PrivateKey.from_seed_bytes(private[:ML_KEM_SEED])
            pair = hpke.MLKEM768X25519PrivateKey(quantum, classic)
            return suite.decrypt(wrapped.sealed, pair, words)
        return suite.decrypt(wrapped.sealed, classic, words)
    except InvalidTag:
        place = f"data key of shard {wrapped.bound.shard} of {wrapped.bound.digest}"
        raise Tampered(place, "it does not open under what it is bound to") from None


@dataclass(frozen=True, slots=True)
class Copy:
    """The header of one sealed copy: its holding and one wrapped key a shard."""

    holding: Holding
    keys: tuple[bytes, ...]

    def wrapped(self) -> tuple[Wrapped, ...]:
        """The data keys with all that they are bound to."""
        held = self.holding
        return tuple(
            Wrapped(
                sealed,
                Bound(
                    held.engagement,
                    held.owner,
                    held.recipient.compartment,
                    held.recipient.epoch,
                    held.digest,
                    held.size,
                    held.protection,
                    held.terms,
                    number,
                    held.shards,
                ),
            )
            for number, sealed in enumerate(self.keys)
        )

    def under(self, marking: Marking) -> "Copy":
        """The same copy under the strictest of both markings."""
        return replace(
            self, holding=replace(self.holding, marking=self.holding.marking.join(marking))
        )


def encode(copy: Copy) -> bytes:
    """The header as it is stored."""
    held = copy.holding
    return canonical.encode(
        {
            "format": COPY,
            "digest": held.digest,
            "size": held.size,
            "engagement": held.engagement,
            "owner": held.owner,
            "protection": held.protection.value,
            "compartment": held.recipient.compartment,
            "epoch": held.recipient.epoch,
            "terms": held.terms,
            "marking": str(held.marking),
            "keys": tuple(b64encode(key).decode() for key in copy.keys),
        },
        bytes_max=HEADER_BYTES_MAX,
    )


TEXTS = (
    "format",
    "digest",
    "engagement",
    "owner",
    "protection",
    "compartment",
    "terms",
    "marking",
)


def decode(place: str, data: bytes) -> Copy:
    """Read what `encode` wrote.

    Raises: Tampered, naming *place*, for anything else.
    """
    try:
        return _copy(canonical.decode(data, bytes_max=HEADER_BYTES_MAX))
    except (Invalid, ValueError) as error:
        raise Tampered(place, f"its header cannot be read: {error}") from None


def _copy(members: Value) -> Copy:
    if not isinstance(members, Mapping) or set(members) != {*TEXTS, "size", "epoch", "keys"}:
        raise Invalid("header", "it has not the members of a sealed copy")
    texts = {name: value for name in TEXTS if isinstance(value := members[name], str)}
    size, epoch, keys = members["size"], members["epoch"], members["keys"]
    numbers = [
        n for n in (size, epoch) if isinstance(n, int) and not isinstance(n, bool) and n >= 0
    ]
    if len(texts) != len(TEXTS) or len(numbers) != 2 or texts["format"] != COPY:  # noqa: PLR2004
        raise Invalid("header", "a member has another type or format")
    if not isinstance(keys, tuple) or not keys or texts["owner"] not in OWNERS:
        raise Invalid("header", "owner or keys are none")
    if not DIGEST.fullmatch(texts["digest"]):
        raise Invalid("digest", "64 lower-case hexadecimal digits are due")
    holding = Holding(
        digest=texts["digest"],
        size=numbers[0],
        engagement=texts["engagement"],
        owner=texts["owner"],
        protection=Protection(texts["protection"]),
        recipient=Recipient(texts["compartment"], numbers[1]),
        shards=len(keys),
        terms=texts["terms"],
        marking=parse_marking(texts["marking"]),
    )
    return Copy(holding, tuple(b64decode(str(key), validate=True) for key in keys))
