"""Applies a unified diff exactly: no fuzz, no offsets, every context line as it says. Pure."""

import re
from collections.abc import Mapping

from leadline.core.errors import Invalid

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


def apply(patch: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that *patch* changes, as they are after it; paths as ``patch -p1`` takes them.

    Raises: Invalid, if the patch names a file that is not there, or does not fit it.
    """
    changed: dict[str, list[str]] = {}
    path, taken, out = "", 0, list[str]()
    old: list[str] = []
    for line in [*patch.splitlines(keepends=True), "--- \n"]:
        hunk = _HUNK.match(line)
        if line.startswith("--- "):
            if path:
                changed[path] = out + old[taken:]
            path = line[4:].strip().partition("/")[2]
            old = _lines(path, files) if path else []
            taken, out = 0, []
        elif hunk:
            start = int(hunk[1]) - (0 if hunk[2] == "0" else 1)
            out += old[taken:start]
            taken = start
        elif line.startswith((" ", "-")):
            if old[taken : taken + 1] != [line[1:]]:
                raise Invalid("patch", f"line {taken + 1} of {path} is not what the patch says")
            taken += 1
            out += [line[1:]] if line[0] == " " else []
        elif line.startswith("+") and not line.startswith("+++ "):
            out.append(line[1:])
    return {name: "".join(lines).encode("utf-8") for name, lines in changed.items()}


def _lines(path: str, files: Mapping[str, bytes]) -> list[str]:
    if path not in files:
        raise Invalid("patch", f"it changes {path}, which is not there")
    return files[path].decode("utf-8").splitlines(keepends=True)
