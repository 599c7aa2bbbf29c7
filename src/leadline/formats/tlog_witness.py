"""What log and witness say to one another: C2SP tlog-witness, ``add-checkpoint``.

Source: C2SP tlog-witness.
"""

from base64 import b64encode
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.core.record.tlog import HASH_BYTES, PROOF_HASHES_MAX
from leadline.formats import checkpoint, note
from leadline.formats.note import Note, Signature

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
REQUEST_BYTES_MAX = note.NOTE_BYTES_MAX + 8 * 1024
SIZE_BYTES_MAX = 32

_OLD = "old "


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A log's request: *signed* continues the tree of *old* leaves, as *proof* is to show."""

    old: int
    proof: tuple[bytes, ...]
    signed: Note

    @property
    def body(self) -> bytes:
        """The request as it is sent."""
        hashes = (b64encode(hash_).decode() for hash_ in self.proof)
        lines = (f"{_OLD}{self.old}", *hashes, "")
        return ("".join(f"{line}\n" for line in lines) + self.signed.document).encode()


def parse_request(body: bytes) -> AddCheckpoint:
    """The request in *body*.

    Raises: Invalid, if it is not exactly in the form of the specification, which is 400 on the wire.
    """
    if len(body) > REQUEST_BYTES_MAX:
        raise Invalid("request", f"{len(body)} bytes; at most {REQUEST_BYTES_MAX} are taken")
    head, divider, signed = body.partition(b"\n\n")
    if not divider:
        raise Invalid("request", "an old size, a proof, an empty line and a checkpoint are due")
    try:
        old, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Invalid("request", "before the checkpoint there is nothing but ASCII") from None
    if not old.startswith(_OLD):
        raise Invalid("old", "the first line is `old N`")
    if len(lines) > PROOF_HASHES_MAX:
        raise Invalid("proof", f"{len(lines)} hashes; {PROOF_HASHES_MAX} are the most")
    proof = tuple(note.decode_base64("proof", line) for line in lines)
    if any(len(hash_) != HASH_BYTES for hash_ in proof):
        raise Invalid("proof", f"a hash is {HASH_BYTES} bytes")
    return AddCheckpoint(checkpoint.parse_size(old.removeprefix(_OLD)), proof, note.parse(signed))


def parse_size(body: bytes) -> int:
    """The size that a witness tells with 409.

    Raises: Invalid, if it is not a number and a newline.
    """
    text = body.decode("ascii", "replace")
    if not text.endswith("\n"):
        raise Invalid("size", "a number and a newline are due")
    return checkpoint.parse_size(text[:-1])


def cosignature_lines(signatures: tuple[Signature, ...]) -> bytes:
    """The body of a witness's 200."""
    return Note("", signatures).document.removeprefix("\n").encode()


def parse_cosignatures(signed: Note, body: bytes) -> tuple[Signature, ...]:
    """The signature lines that a witness answered about *signed*; none is verified yet.

    Raises: Invalid, if they are no signature lines.
    """
    return note.parse(signed.document.encode() + body).signatures[len(signed.signatures) :]
