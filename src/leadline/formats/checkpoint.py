"""Checkpoints: the text of a signed tree head, C2SP tlog-checkpoint v1.0.0."""

import re
from base64 import b64encode
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.core.record.tlog import EMPTY_ROOT, HASH_BYTES, SIZE_MAX
from leadline.formats import note

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_LINES_MIN = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many leaves, and the root hash over them.

    *extensions* are further lines of a foreign log; this program writes none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin:
            raise Invalid("origin", "one non-empty line names the log")
        if not 0 <= self.size <= SIZE_MAX:
            raise Invalid("size", f"a log has 0 to 2^63 - 1 leaves, not {self.size}")
        if len(self.root) != HASH_BYTES:
            raise Invalid("root", f"{HASH_BYTES} bytes are due, not {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise Invalid("root", "the root of an empty log is SHA-256 of nothing")
        if any(not line or "\n" in line for line in self.extensions):
            raise Invalid("extension", "extension lines are single and not empty")

    @property
    def text(self) -> str:
        """The note text."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> Checkpoint:
    """The checkpoint that a note's *text* spells.

    Raises: Invalid, naming the line, if it is not exactly in the form of the specification.
    """
    lines = text.split("\n")
    if lines.pop() or len(lines) < _LINES_MIN:
        raise Invalid("checkpoint", "origin, size and root are due, each ending in a newline")
    origin, size, root, *extensions = lines
    hash_ = note.decode_base64("root", root)
    return Checkpoint(origin, parse_size(size), hash_, tuple(extensions))


def parse_size(text: str) -> int:
    """A tree size in ASCII decimal without leading zeros.

    Raises: Invalid.
    """
    if not _DECIMAL.fullmatch(text):
        raise Invalid("size", "a decimal number without leading zeros is due")
    return int(text)
