"""Proposed groups of crash reports: which may be one flaw, and why.

Nothing is merged: a group is a proposal made of edges, each with its rung of the evidence ladder, and
the reports stay as they are. A false merge loses a flaw while a false split costs a mail, so only two
rungs propose here: identical evidence (rung 1); and, within one program (rung 3), one sanitizer class
with the same three innermost own functions, or a memory error on the same line of own code. Where the
program stopped itself (an assertion, an uncaught exception, a limit), the innermost line is only the
messenger, so that line alone proposes nothing. Equal own stacks are never split. The result does not
depend on the order of the input.
Source: clearinghouse reference, section 6.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from leadline.core.errors import Invalid

FRAMES_COMPARED = 3
# Errors that a sanitizer reports at the very access that went wrong.
_AT_THE_ACCESS = re.compile(
    r"SEGV|BUS|FPE|ILL|use-of-uninitialized-value|(?!stack-overflow).*-(?:overflow|underflow|overlap)"
    r"|.*use-after-\w+|double-free|allocation-size-too-big"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One call, innermost first in a stack. *line* is 0 where the report gives none."""

    function: str
    file: str = ""
    line: int = 0

    @property
    def shown(self) -> str:
        """The call as a report would print it, without addresses."""
        place = f" {self.file}:{self.line}" if self.line else ""
        return f"{self.function or '?'}{place}"


@dataclass(frozen=True, slots=True)
class Crash:
    """What one report says, without what changes from run to run.

    *kind* is the sanitizer's class of error, *frames* the program's own frames, *program* what
    crashed, across its builds. *proof* and *build* are digests where the report comes with them,
    *text* the digest of the report itself.
    """

    id: str
    kind: str
    frames: tuple[Frame, ...]
    text: str
    program: str = ""
    proof: str = ""
    build: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Reports proposed as one flaw. *rung* is the weakest evidence used; 0 for a single report."""

    id: str
    rung: int
    members: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class _Clue:
    """A property that makes reports which share it one proposal."""

    rung: int
    key: Hashable
    why: str


def group(crashes: Sequence[Crash]) -> tuple[Group, ...]:
    """Put every crash into exactly one proposed group; ordered by first member.

    Raises: Invalid, if two crashes have the same id.
    """
    by_id = {crash.id: crash for crash in crashes}
    if len(by_id) != len(crashes):
        raise Invalid("id", "two reports have the same id")
    sharing: dict[_Clue, list[str]] = defaultdict(list)
    for crash in sorted(crashes, key=lambda crash: crash.id):
        for clue in _clues(crash):
            sharing[clue].append(crash.id)
    edges = {clue: members for clue, members in sharing.items() if len(members) > 1}
    roots = _unite(by_id, edges.values())
    clusters: dict[str, list[str]] = defaultdict(list)
    for member in sorted(by_id):
        clusters[roots[member]].append(member)
    used: dict[str, list[_Clue]] = defaultdict(list)
    for clue, members in edges.items():
        used[roots[members[0]]].append(clue)
    return tuple(
        _proposal([by_id[member] for member in members], used[root])
        for root, members in sorted(clusters.items(), key=lambda pair: pair[1][0])
    )


def _clues(crash: Crash) -> Iterator[_Clue]:
    if crash.proof and crash.build:
        evidence = (crash.proof, crash.build, crash.text)
        yield _Clue(1, evidence, "identical proof, build and report")
    if not crash.frames:
        return
    yield _Clue(3, ("stack", crash.program, crash.frames), "identical stack of own frames")
    top = crash.frames[:FRAMES_COMPARED]
    functions = tuple(frame.function for frame in top)
    if all(functions):
        shown = " < ".join(functions)
        yield _Clue(3, ("top", crash.program, crash.kind, functions), f"{crash.kind} in {shown}")
    if top[0].line and _AT_THE_ACCESS.fullmatch(crash.kind):
        site = (top[0].file, top[0].line)
        yield _Clue(3, ("site", crash.program, site), f"memory error at {top[0].shown}")


def _unite(ids: Iterable[str], sets: Iterable[Sequence[str]]) -> Mapping[str, str]:
    """Union-find: the representative of each id, which is the smallest id of its set."""
    parent = {name: name for name in ids}

    def find(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for members in sets:
        for other in members[1:]:
            low, high = sorted((find(members[0]), find(other)))
            parent[high] = low
    return {name: find(name) for name in parent}


def _proposal(members: Sequence[Crash], clues: Sequence[_Clue]) -> Group:
    digest = hashlib.sha256("\0".join(crash.id for crash in members).encode()).hexdigest()
    if len(members) == 1:
        only = members[0]
        shown = only.frames[0].shown if only.frames else "no own frame"
        why = f"alone: no other report is {only.kind or 'of its kind'} in {shown}"
        return Group(digest[:16], 0, (only.id,), why)
    ordered = sorted(clues, key=lambda clue: (clue.rung, clue.why))
    why = "; ".join(dict.fromkeys(clue.why for clue in ordered))
    rung = max(clue.rung for clue in ordered)
    return Group(digest[:16], rung, tuple(crash.id for crash in members), why)
