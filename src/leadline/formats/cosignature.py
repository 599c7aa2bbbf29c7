"""What a note signature of each kind covers, and the rule by which a note counts as signed.

| kind | covers |
|---|---|
| 0x01 Ed25519 | the note text |
| 0x04 Ed25519 cosignature | a time and the checkpoint's whole text; not the cosigner's name |
| 0x06 ML-DSA-44 cosignature | cosigner, time, origin, size and root; no extension lines |
| 0xff `leadline/ml-dsa-44-text/v1` | the note text, under a FIPS 204 context of its own |

The last is made with the key of a 0x06 line: the two can never be taken for each other, because
0x06 signs under the empty context.

Sources: C2SP signed-note and tlog-cosignature v1.0.0; FIPS 204 section 5.2 (context).
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leadline.core.errors import Invalid, Tampered
from leadline.formats import checkpoint
from leadline.formats.note import Kind, Note, VerifierKey

TIMESTAMP_BYTES = 8
TIMESTAMP_MAX = (1 << 63) - 1
TEXT_CONTEXT = b"leadline/note/v1"
_LABEL = b"subtree/v1\n\x00"


@dataclass(frozen=True, slots=True)
class Claim:
    """That *key* made *signature* over *message* under *context* (empty for Ed25519)."""

    key: VerifierKey
    message: bytes
    signature: bytes
    context: bytes = b""


Check = Callable[[Claim], None]
"""Returns if the claim is true; raises Tampered if it is not."""


def message(key: VerifierKey, text: str, timestamp: int = 0) -> bytes:
    """The bytes that *key* signs for the note text *text*.

    *timestamp* is POSIX seconds, used by the timestamped kinds only; 0 with ML-DSA-44 makes no
    statement about this being the largest tree.

    Raises: Invalid, if a cosignature is asked for on a text that is no checkpoint, or the time is
    out of range.
    """
    if not 0 <= timestamp <= TIMESTAMP_MAX:
        raise Invalid("timestamp", f"POSIX seconds up to 2^63 - 1 are due, not {timestamp}")
    if key.kind is Kind.ED25519_COSIGNATURE:
        checkpoint.parse(text)
        return f"cosignature/v1\ntime {timestamp}\n{text}".encode()
    if key.kind is Kind.ML_DSA_44_COSIGNATURE:
        head = checkpoint.parse(text)
        return (
            _LABEL
            + _opaque("key name", key.name)
            + struct.pack(">Q", timestamp)
            + _opaque("origin", head.origin)
            + struct.pack(">QQ", 0, head.size)
            + head.root
        )
    return text.encode()


def _opaque(field: str, text: str) -> bytes:
    data = text.encode()
    if len(data) > 0xFF:  # noqa: PLR2004 -- the length is one byte
        raise Invalid(field, "at most 255 bytes can be cosigned")
    return bytes([len(data)]) + data


def context(kind: Kind) -> bytes:
    """The FIPS 204 context string that *kind* signs under."""
    return TEXT_CONTEXT if kind is Kind.ML_DSA_44_TEXT else b""


def claim(key: VerifierKey, text: str, signature: bytes) -> Claim:
    """What a signature line by *key* under *text* claims; *signature* is as in the note.

    Raises: Invalid, if the signature has another length than its kind, or a cosignature stands
    under a text that is no checkpoint.
    """
    prefix = TIMESTAMP_BYTES if key.kind.timestamped else 0
    if len(signature) != prefix + key.kind.signature_bytes:
        due = prefix + key.kind.signature_bytes
        raise Invalid("signature", f"{due} bytes are due, not {len(signature)}")
    timestamp = int.from_bytes(signature[:prefix], "big")
    signed = message(key, text, timestamp)
    return Claim(key, signed, signature[prefix:], context(key.kind))


def text_key(key: VerifierKey) -> VerifierKey | None:
    """The key in the kind by which it signs any text; None for a witness's key."""
    if key.kind is Kind.ML_DSA_44_COSIGNATURE:
        return VerifierKey(key.name, Kind.ML_DSA_44_TEXT, key.public_key)
    return None if key.kind is Kind.ED25519_COSIGNATURE else key


def require(place: str, signed: Note, keys: Sequence[VerifierKey], check: Check) -> None:
    """Return if every one of *keys* signed the note, and no signature of theirs is bad.

    Signatures by other keys are ignored, as the specification demands.

    Raises: Tampered, naming *place*; Invalid, if there is no key to require.
    """
    if not keys:
        raise Invalid("keys", "no key to verify with")
    for key in keys:
        lines = [line for line in signed.signatures if line.by(key)]
        if not lines:
            raise Tampered(place, f"no signature by the key {key.name} ({key.id.hex()})")
        for line in lines:
            try:
                check(claim(key, signed.text, line.signature))
            except (Invalid, Tampered) as error:
                told = f"the signature by {key.name} ({key.id.hex()}): {error.problem}"
                raise Tampered(place, told) from error
