"""A build of a tree, and what of a repaired one is not as it was.

A repair must repair, not silence: what a language's builder counts as a mark may not become more, and
what it counts as the frame stays as it is.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Built:
    """A build: its files by path under /target, and what can be compared with the original's.

    *exports* are the names of its interface. *marks* are words that may not become more by a
    repair, as often as they stand there; *frame* parts that may not change at all.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    exports: frozenset[str] = frozenset()
    marks: tuple[str, ...] = ()
    frame: frozenset[str] = frozenset()
    problem: str = ""  # why there is no build


def silencing(original: Built, repaired: Built) -> str:
    """What *repaired* does that might silence the oracle and that no repair needs; empty if nothing."""
    changed = sorted(part.partition(" ")[0] for part in original.frame ^ repaired.frame)
    if changed:
        return f"changes {changed[0]}, which stays as it is"
    before, after = Counter(original.marks), Counter(repaired.marks)
    more = sorted(word for word in after if after[word] > before[word])
    return f"uses {more[0]}, which the original does not, or less often" if more else ""


def removed(original: Built, repaired: Built) -> tuple[str, ...]:
    """Names of the interface that *repaired* no longer has."""
    return tuple(sorted(original.exports - repaired.exports))


def lay_out(tree: Mapping[str, bytes], folder: Path) -> None:
    """Write *tree* below *folder*, readable by a box's user."""
    folder.chmod(0o755)
    for path, data in tree.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o755 if place.name == "program" else 0o644)
    for place in folder.rglob("*"):
        if place.is_dir():
            place.chmod(0o755)
