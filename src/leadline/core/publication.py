"""What must be seen in the final artefact before it is shown to everyone.

The check looks at the bytes that would be published, because that is where leaks were: source maps in a
package, documents public by default, names and places in metadata. It can only find what it knows; two
persons look as well. Source: trust.md 0.1 and 12, programme.md 6.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

_HIDDEN = re.compile(r"(?:^|/)(?:\.[^/]|__MACOSX/|Thumbs\.db$|desktop\.ini$)")
_MAP = re.compile(r"\.(?:map|pdb|dSYM|orig|rej|bak|swp)$|~$")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that must not be published. *where* names a file, never its content."""

    rule: str
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Published:
    """An artefact that anyone may read: the copy lies under its digest in the public folder."""

    id: str
    artefact: str
    digest: str
    bytes: int
    name: str
    authorised: str  # id of the act
    at: datetime


def check_listing(found: Mapping[str, int], listed: Mapping[str, int]) -> tuple[Flaw, ...]:
    """Files by path and length against the allow-list: path and the most bytes each may have.

    What is listed and absent is a flaw too: the artefact is not the one that was meant.
    """
    flaws = []
    for path, length in sorted(found.items()):
        if path not in listed:
            flaws.append(Flaw("unlisted", path, "not on the list of files to publish"))
        elif length > listed[path]:
            flaws.append(Flaw("oversized", path, f"{length} bytes; the list allows {listed[path]}"))
    flaws += [
        Flaw("absent", path, "on the list, but not in the artefact")
        for path in sorted(listed.keys() - found.keys())
    ]
    return tuple(flaws)


def check_paths(paths: Iterable[str]) -> tuple[Flaw, ...]:
    """Names that tell of files nobody meant to publish."""
    flaws = []
    for path in paths:
        if _HIDDEN.search(path):
            flaws.append(Flaw("hidden", path, "a hidden file"))
        if _MAP.search(path):
            flaws.append(Flaw("source map", path, "a source map, debug file or leftover copy"))
    return tuple(flaws)
