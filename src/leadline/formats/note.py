"""Signed notes and verifier keys: C2SP signed-note, text and names only.

Upheld here: what is not exactly the form of the specification is refused; base64 has one spelling;
the last empty line divides text from signatures. What a signature of each kind covers stands in
`cosignature`; whether it verifies is asked of a callable from outside.

Source: C2SP signed-note v1.0.0, with the limits that it leaves to verifiers.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256

from leadline.core.errors import Invalid, Tampered

NOTE_BYTES_MAX = 128 * 1024
SIGNATURES_MAX = 64
KEYS_MAX = 64
KEY_ID_BYTES = 4
NAME_BYTES_MAX = 255

_DASH = "\u2014 "
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Kind(Enum):
    """How a key signs; the value is what a key ID is derived with.

    ``ML_DSA_44_TEXT`` signs any note text. C2SP assigns no such kind (its ML-DSA-44 form covers
    tree heads only), so the value takes the form it reserves for others: 0xff and a long name.
    """

    ED25519 = b"\x01"
    ED25519_COSIGNATURE = b"\x04"
    ML_DSA_44_COSIGNATURE = b"\x06"
    ML_DSA_44_TEXT = b"\xffleadline/ml-dsa-44-text/v1"

    @property
    def post_quantum(self) -> bool:
        """Whether the algorithm is ML-DSA-44 rather than Ed25519."""
        return self in (Kind.ML_DSA_44_COSIGNATURE, Kind.ML_DSA_44_TEXT)

    @property
    def timestamped(self) -> bool:
        """Whether the signature begins with eight bytes of POSIX time."""
        return self in (Kind.ED25519_COSIGNATURE, Kind.ML_DSA_44_COSIGNATURE)

    @property
    def key_bytes(self) -> int:
        """The length of a public key."""
        return 1312 if self.post_quantum else 32

    @property
    def signature_bytes(self) -> int:
        """The length of a signature, without its timestamp."""
        return 2420 if self.post_quantum else 64


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name and the kind of signature it is known by."""

    name: str
    kind: Kind
    public_key: bytes

    def __post_init__(self) -> None:
        check_name("key name", self.name)
        if len(self.public_key) != self.kind.key_bytes:
            due = self.kind.key_bytes
            raise Invalid("public key", f"{due} bytes are due, not {len(self.public_key)}")

    @property
    def id(self) -> bytes:
        """The four bytes that a signature line begins with."""
        data = self.name.encode() + b"\n" + self.kind.value + self.public_key
        return sha256(data).digest()[:KEY_ID_BYTES]

    @property
    def line(self) -> str:
        """The key as a line of a key file spells it, without the newline."""
        material = b64encode(self.kind.value + self.public_key).decode()
        return f"{self.name}+{self.id.hex()}+{material}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who claims to have signed, and the bytes after the key ID."""

    name: str
    key_id: bytes
    signature: bytes

    def by(self, key: VerifierKey) -> bool:
        """Whether this line claims to be made with *key*; says nothing about its truth."""
        return self.name == key.name and self.key_id == key.id


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signature lines in order."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def document(self) -> str:
        """The note as it is stored and sent."""
        lines = (
            f"{_DASH}{one.name} {b64encode(one.key_id + one.signature).decode()}\n"
            for one in self.signatures
        )
        return f"{self.text}\n{''.join(lines)}"


def parse(data: bytes) -> Note:
    """The note in *data*.

    Raises: Invalid, if the bytes are not exactly in the form of the specification.
    """
    if len(data) > NOTE_BYTES_MAX:
        raise Invalid("note", f"{len(data)} bytes; at most {NOTE_BYTES_MAX} are taken")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("note", f"not UTF-8: {error.reason} at byte {error.start}") from None
    if _CONTROL.search(whole):
        raise Invalid("note", "a control character other than newline")
    text, divider, signed = whole.rpartition("\n\n")
    if not divider or not signed.endswith("\n"):
        raise Invalid("note", "no empty line before the signatures, or no newline at the end")
    lines = signed[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise Invalid("note", f"{len(lines)} signatures; at most {SIGNATURES_MAX} are taken")
    return Note(f"{text}\n", tuple(_signature(line) for line in lines))


def _signature(line: str) -> Signature:
    name, space, blob = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise Invalid("signature line", "an em dash, a key name and base64 are due")
    check_name("key name", name)
    signed = decode_base64("signature", blob)
    if len(signed) <= KEY_ID_BYTES:
        raise Invalid("signature", "no bytes after the key ID")
    return Signature(name, signed[:KEY_ID_BYTES], signed[KEY_ID_BYTES:])


def check_text(text: str) -> None:
    """Return if *text* can be signed as a note.

    Raises: Invalid.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise Invalid("note text", "it ends in a newline and holds no other control character")


def check_name(field: str, name: str) -> None:
    """Return if *name* can name a key: text without spaces and without a plus sign.

    Raises: Invalid, naming *field*.
    """
    spaced = any(character.isspace() for character in name)
    if not name or spaced or "+" in name or _CONTROL.search(name):
        raise Invalid(field, f"{name!r}: give a name without spaces, plus or control characters")
    if len(name.encode("utf-8", "surrogatepass")) > NAME_BYTES_MAX:
        raise Invalid(field, f"at most {NAME_BYTES_MAX} bytes are taken")


def decode_base64(field: str, text: str) -> bytes:
    """The bytes that *text* spells in standard base64 with padding, in its one canonical form.

    Raises: Invalid, naming *field*.
    """
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise Invalid(field, "not standard base64") from None
    if b64encode(data).decode() != text:
        raise Invalid(field, "base64 in another than its canonical spelling")
    return data


def parse_vkey(line: str) -> VerifierKey:
    """The verifier key that *line* spells: name, key ID in hex, and base64, joined by plus signs.

    Raises: Invalid, if the line is not in that form or of a kind not known here; Tampered, if the
    key ID is not the one of this name and key.
    """
    name, _, rest = line.partition("+")
    key_id, plus, material = rest.partition("+")
    if not plus or not _KEY_ID.fullmatch(key_id):
        raise Invalid("verifier key", "NAME+ID+KEY is due, as in `example.org/log+0a1b2c3d+AS4...`")
    data = decode_base64("verifier key", material)
    signing = {kind.value: kind for kind in Kind if len(kind.value) == 1}
    kind = signing.get(data[:1])
    if kind is None:
        raise Invalid("verifier key", f"kind 0x{data[:1].hex()} is not known; 01, 04 and 06 are")
    key = VerifierKey(name, kind, data[1:])
    if key.id.hex() != key_id:
        raise Tampered("verifier key", f"{key_id} is not the ID of this key named {name}")
    return key


def parse_vkeys(text: str) -> tuple[VerifierKey, ...]:
    """The keys of a key file, one a line; empty lines are skipped.

    Raises: Invalid, naming the line, for a line that is no verifier key, one that stands twice, or
    a file without any; Tampered, as `parse_vkey`.
    """
    keys = list[VerifierKey]()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line:
            continue
        try:
            key = parse_vkey(line)
        except Invalid as error:
            raise Invalid(f"key file line {number}", error.problem) from error
        except Tampered as error:
            raise Tampered(f"key file line {number}", error.problem) from error
        if key in keys or len(keys) == KEYS_MAX:
            raise Invalid(f"key file line {number}", f"a key twice, or more than {KEYS_MAX} keys")
        keys.append(key)
    if not keys:
        raise Invalid("key file", "no verifier key in it; give the log's, one a line")
    return tuple(keys)
