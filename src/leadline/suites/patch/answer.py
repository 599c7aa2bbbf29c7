"""A repair as a subject hands it in: the files it changed, and what may be changed. Pure.

Only files of the original tree are ever asked for, so that nothing a subject adds reaches the build,
and no listing of its making is read. A file it left out is unchanged.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from leadline.core.errors import Invalid

FILE_BYTES_MAX = 1 << 20
FILES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree that a subject was given: every file by path, and which of them it may change."""

    files: Mapping[str, bytes]
    patchable: frozenset[str]

    def refused(self, answer: Mapping[str, bytes]) -> str:
        """Why *answer* may not be built; empty if it may."""
        for path in sorted(answer):
            if path not in self.files:
                return f"{path} is no file of the tree"
            if path not in self.patchable and answer[path] != self.files[path]:
                return f"{path} may not be changed"
            if len(answer[path]) > FILE_BYTES_MAX:
                return f"{path} has over {FILE_BYTES_MAX} bytes"
        return ""

    def with_(self, answer: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files with those of *answer* in their places, as far as they may be changed."""
        taken = {path: data for path, data in answer.items() if path in self.patchable}
        return {**self.files, **taken}

    def changed(self, answer: Mapping[str, bytes]) -> tuple[str, ...]:
        """The paths whose content *answer* changes."""
        return tuple(sorted(p for p, data in answer.items() if self.files.get(p) != data))


def encode(answer: Mapping[str, bytes]) -> bytes:
    """*answer* as bytes that a log can hold: JSON of base64, by path."""
    members = {path: base64.b64encode(data).decode("ascii") for path, data in answer.items()}
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")


def decode(data: bytes) -> dict[str, bytes]:
    """Read back what `encode` wrote.

    Raises: Invalid, if *data* is anything else.
    """
    try:
        members = json.loads(data)
        if len(members) > FILES_MAX:
            raise Invalid("patch", f"{len(members)} files; at most {FILES_MAX} are taken")
        return {str(path): base64.b64decode(text, validate=True) for path, text in members.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid("patch", f"an object of base64 texts is due: {error!r}") from error


def digest(answer: Mapping[str, bytes]) -> str:
    """SHA-256 in hex over the encoded answer."""
    return hashlib.sha256(encode(answer)).hexdigest()
