"""Applies a unified diff exactly: no fuzz, no offsets, every context line as it says. Pure."""

import re
from collections.abc import Mapping

from leadline.core.errors import Invalid

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def apply(patch: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that *patch* changes, as they are after it; paths as ``patch -p1`` takes them.

    Raises: Invalid, if the patch names a file that is not there, or does not fit it.
    """
    changed: dict[str, _File] = {}
    file, old, new = _File("", []), 0, 0  # lines that the hunk still has to come, of each side
    for line in patch.splitlines(keepends=True):
        hunk = None if old or new else _HUNK.match(line)
        if hunk:
            old, new = (int(hunk[2] or "1"), int(hunk[3] or "1"))
            file.go_to(int(hunk[1]) - (1 if old else 0))
        elif old or new:
            file.take(line)
            old, new = old - (line[0] in " -"), new - (line[0] in " +")
        elif line.startswith("--- "):
            path = line[4:].strip().partition("/")[2]
            file = changed[path] = _File(path, _lines(path, files))
    return {path: one.text().encode("utf-8") for path, one in changed.items()}


class _File:
    """One file while it is changed: its old lines, how far they were taken, and the new ones."""

    def __init__(self, path: str, old: list[str]) -> None:
        self._path, self._old = path, old
        self._at, self._new = 0, list[str]()

    def go_to(self, line: int) -> None:
        """Take the lines up to *line*, from 0, as they are."""
        self._new += self._old[self._at : line]
        self._at = line

    def take(self, line: str) -> None:
        """Take one line of a hunk."""
        if line[0] in " -":
            if self._old[self._at : self._at + 1] != [line[1:]]:
                problem = f"line {self._at + 1} of {self._path} is not what the patch says"
                raise Invalid("patch", problem)
            self._at += 1
        if line[0] in " +":
            self._new.append(line[1:])

    def text(self) -> str:
        """The whole file."""
        return "".join([*self._new, *self._old[self._at :]])


def _lines(path: str, files: Mapping[str, bytes]) -> list[str]:
    if path not in files:
        raise Invalid("patch", f"it changes {path}, which is not there")
    return files[path].decode("utf-8").splitlines(keepends=True)
