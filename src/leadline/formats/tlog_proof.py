"""Portable evidence that an entry stands in a log: C2SP tlog-proof, ``.tlog-proof`` files.

A proof is an index, the hashes from the leaf's sibling up to the root's child, and a checkpoint with
whatever cosignatures it carries. Nothing in it is believed because it stands there: `leadline.app.proof`
checks it against a policy. The optional ``extra`` line is not authenticated by anything.

Source: C2SP tlog-proof.
"""

import re
from base64 import b64encode
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.core.record.tlog import HASH_BYTES, PROOF_HASHES_MAX, SIZE_MAX
from leadline.formats import note
from leadline.formats.manifest import Opening

HEADER = "c2sp.org/tlog-proof@v1"
EXTENSION = ".tlog-proof"
EXTRA_BYTES_MAX = 64 * 1024
PROOF_BYTES_MAX = 2 * note.NOTE_BYTES_MAX
HASH_LINES_BYTES_MAX = PROOF_BYTES_MAX - note.NOTE_BYTES_MAX

_EXTRA, _INDEX = "extra ", "index "
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """The content of one ``.tlog-proof``. *checkpoint* is the signed note, verbatim."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.index < SIZE_MAX:
            raise Invalid("index", f"a leaf's index is 0 to 2^63 - 2, not {self.index}")
        if len(self.hashes) > PROOF_HASHES_MAX:
            raise Invalid("proof", f"{len(self.hashes)} hashes; {PROOF_HASHES_MAX} are the most")
        if any(len(hash_) != HASH_BYTES for hash_ in self.hashes):
            raise Invalid("proof", f"a hash is {HASH_BYTES} bytes")
        if len(self.extra) > EXTRA_BYTES_MAX:
            raise Invalid("extra", f"at most {EXTRA_BYTES_MAX} bytes are taken")
        note.parse(self.checkpoint.encode())

    @property
    def document(self) -> str:
        """The proof as it is stored and sent."""
        extra = [f"{_EXTRA}{b64encode(self.extra).decode()}"] if self.extra else []
        hashes = (b64encode(hash_).decode() for hash_ in self.hashes)
        lines = (HEADER, *extra, f"{_INDEX}{self.index}", *hashes, "")
        return "".join(f"{line}\n" for line in lines) + self.checkpoint

    @property
    def note(self) -> note.Note:
        """The checkpoint taken apart into text and signature lines."""
        return note.parse(self.checkpoint.encode())


def parse(data: bytes) -> Proof:
    """The proof in *data*.

    Raises: Invalid, if the bytes are not exactly in the form of the specification.
    """
    if len(data) > PROOF_BYTES_MAX:
        raise Invalid("proof", f"{len(data)} bytes; at most {PROOF_BYTES_MAX} are taken")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("proof", f"not UTF-8: {error.reason} at byte {error.start}") from None
    head, divider, signed = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != HEADER or not divider:
        raise Invalid("proof", f"the first line is `{HEADER}`, and an empty line ends the hashes")
    extra = b""
    if lines and lines[0].startswith(_EXTRA):
        extra = note.decode_base64("extra", lines.pop(0).removeprefix(_EXTRA))
        if not extra:
            raise Invalid("extra", "without data the line is left out")
    if not lines or not lines[0].startswith(_INDEX):
        raise Invalid("index", "a line `index N` is due")
    index = lines.pop(0).removeprefix(_INDEX)
    if not _DECIMAL.fullmatch(index):
        raise Invalid("index", "a decimal number without leading zeros is due")
    if len(lines) > PROOF_HASHES_MAX:
        raise Invalid("proof", f"{len(lines)} hashes; {PROOF_HASHES_MAX} are the most")
    hashes = tuple(note.decode_base64("proof", line) for line in lines)
    return Proof(int(index), hashes, signed, extra)


@dataclass(frozen=True, slots=True)
class ActProof:
    """All that an outsider needs about one act: its record, its blinder, and its proof.

    Whoever holds it can read the act; the log itself shows 33 bytes that say nothing.
    """

    opening: Opening
    text: str

    @property
    def proof(self) -> Proof:
        """The text taken apart.

        Raises: Invalid, as `parse`.
        """
        return parse(self.text.encode())
