"""Where a crash went wrong and on what, in a form that reports of other runs and builds can share.

Three calls are compared as a rule; fewer where fewer decide. A block, array or table that a function
on the stack made itself needs no caller to explain it, and above a function that leads everywhere
(a dispatcher) nothing tells one flaw from another. What stays is compared exactly within one image of
the program, and by function names alone between images; `aligned` says which places of two images are
one. Recursion counts once, however deep.
Source: clearinghouse reference, section 6 (rung 3; rung 4 for places across versions).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise, takewhile

from leadline.core.clearing.crash import UNKNOWN, Crash, Frame

FRAMES_COMPARED = 3
EVIDENCE_FRAMES = 4  # of where a block was made or given back
SHARED_WITHIN = 5  # calls within which a crash and the end of its block may share a function
BESIDE_BYTES = 64
CYCLE_FRAMES = 64
TRAPS = frozenset({"SEGV", "BUS"})
ZERO_PAGE = "zero page"  # what an access through a null pointer ran into
CYCLE_REPEATS = 3
LEADS_TO = 3  # a function above so many different innermost calls leads everywhere
LEADS_SHARE = 2  # if that is at least one in so many of the program's

# Functions that only carry the message that the program stops itself.
_MESSENGER = re.compile(
    r"(?:^|[_:.])(?:fatal|die|panic|abort|fail(?:ed|ure)?|assert\w*|bug|oops|throw\w*)(?:$|[_:.(])",
    re.IGNORECASE,
)
_STOPPED_ITSELF = re.compile(r"ABRT|deadly signal|abort\w*|AbortSignal|panic.*", re.IGNORECASE)
# Errors that a sanitizer reports at the very access that went wrong.
_AT_THE_ACCESS = re.compile(
    r"SEGV|BUS|use-of-uninitialized-value|(?!stack-overflow).*-(?:overflow|underflow)|.*use-after-\w+"
)
_HEADER = re.compile(r"\.(?:h|hh|hpp|hxx|inc|inl)$")

Calls = tuple[Frame, ...]
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """One report's place: what went wrong, in which calls, on what.

    *evidence* is where the block was made, innermost, and given back; *made* the whole way to the first.
    *inlined* says that an optimiser was at work, which may make one access of two.

    *anchor* is the line of the outermost call below the compared ones in their file, 0 if there is none:
    where it is the same in two builds, no line was added above it.
    """

    kind: str
    image: str
    calls: Calls
    thing: tuple[str, str, int]
    evidence: Calls
    anchor: int
    made: Calls
    inlined: bool

    @property
    def wild(self) -> bool:
        """Whether the access ended where there is nothing that the sanitizer could name."""
        return self.kind in TRAPS and self.thing[1] != ZERO_PAGE

    @property
    def after_free(self) -> bool:
        """Whether the access ran into a block that had been given back."""
        return "use-after" in self.kind

    @property
    def of_an_object(self) -> bool:
        """Whether the access ran over something that the sanitizer names."""
        return self.kind.endswith(("-overflow", "-underflow")) and self.kind != "stack-overflow"

    @property
    def shown(self) -> str:
        """Class and calls, as a person reads them; the innermost with its line."""
        outer = (call.function for call in self.calls[1:])
        return f"{self.kind} in {' < '.join((self.calls[0].shown, *outer))}"

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the compared calls."""
        return _names(self.calls)

    @property
    def astray(self) -> bool:
        """Whether a block's use and its end share no source, so that a call between them is missing."""
        sources = {call.file for call in self.evidence}
        return self.after_free and not self.anchor and self.calls[-1].file not in sources

    def beside(self, other: "Site") -> bool:
        """Whether an access is the one that the check of another guards: it follows, or stays as written."""
        near = 0 <= self.calls[0].at - other.calls[0].at <= BESIDE_BYTES
        return near or not (self.inlined or other.inlined)

    @property
    def names(self) -> Key:
        """What reports of any build say alike: class, functions and object."""
        if self.kind == "stack-overflow":
            return (self.kind, *_names(self.calls))
        return (self.kind, *self.thing[:2], *_names(self.calls))

    @property
    def spots(self) -> Calls:
        """The compared calls without the innermost address: a trap lies beside the check before it."""
        return (replace(self.calls[0], at=UNKNOWN), *self.calls[1:])

    @property
    def merged(self) -> bool:
        """Whether the compiler made one instruction of several lines, so that the report names none."""
        return self.calls[0].line == 0

    @property
    def _told(self) -> Calls:
        """The evidence that builds share: which calls lead to a block's end depends on the compiler."""
        return self.evidence if self.after_free else ()

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines that order the places of one source, the compared calls first; empty if one lacks."""
        if self.kind == "stack-overflow":
            return ()
        lines = tuple(call.line for call in (*self.calls, *self._told))
        return (*lines, self.thing[2]) if all(lines) else ()

    @property
    def place(self) -> Key:
        """What reports of one image say alike: the very instructions."""
        return (self.image, *self.instructions)

    @property
    def instructions(self) -> Key:
        """Calls at addresses and what they went wrong on: equal ones are of equal code."""
        return (self.names, self.calls, self.thing, self.evidence)

    @property
    def source(self) -> Key:
        """What reports of builds of one source say alike; empty where sources cannot be compared."""
        if self.kind == "stack-overflow":
            return self.names if self.calls[0].line else ()
        if not (self.anchor and self.lines):
            return ()
        files = tuple(call.file for call in (*self.calls, *self._told))
        return (self.names, files, self.lines, self.anchor)


def once(frames: Iterable[Frame]) -> Calls:
    """The calls without direct recursion: of a function that calls itself, the innermost."""
    return tuple(next(run) for _, run in groupby(frames, key=lambda frame: frame.function))


def leading(crashes: Iterable[Crash]) -> frozenset[str]:
    """The functions of a program that lead everywhere, as far as these reports show.

    Those are the ones above most of the places where it crashed, and those that call themselves on the
    way down: who called them says how an input was walked through.
    """
    below: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    every: set[tuple[str, ...]] = set()
    walking: set[str] = set()
    for crash in crashes:
        names = [frame.function for frame in once(crash.frames)]
        inner = tuple(names[:2])
        every.add(inner)
        for name in names[1:]:
            below[name].add(inner)
        walking.update(
            frame.function
            for frame, outer in pairwise(crash.frames)
            if frame.function == outer.function
        )
    least = max(LEADS_TO, -(-len(every) // LEADS_SHARE))
    return frozenset(name for name, inner in below.items() if len(inner) >= least) | walking


def sites(crashes: Sequence[Crash]) -> dict[str, Site]:
    """Where each report of one program went wrong; those without an own call with a name are left out."""
    leads = leading(crashes)
    found = {crash.id: (*_calls(crash, leads), crash) for crash in crashes}
    # A function that owns the object in one build owns it in all, though not all reports show it.
    owned = {(crash.kind, _names(calls)) for calls, owns, crash in found.values() if owns}
    made = {}
    for id_, (calls, _, crash) in found.items():
        prefixes = (calls[:depth] for depth in range(1, len(calls)))
        kept = next((one for one in prefixes if (crash.kind, _names(one)) in owned), calls)
        if kept and all(call.function for call in kept):
            made[id_] = _site(crash, kept, leads)
    return made


def _site(crash: Crash, calls: Calls, leads: Collection[str]) -> Site:
    through = {call.function for call in once(crash.frames)} | set(leads)
    made = () if crash.declared else _before(crash.made, through)
    freed = _before(crash.freed, through)
    outer = once(crash.freed)[len(freed) : len(freed) + 1]
    near = _names(once(crash.frames)[:SHARED_WITHIN])
    if (
        outer and outer[0].function in near
    ):  # the call that both stacks share: its line gave it back
        freed = (*freed, *outer)
    thing = (crash.access, crash.thing, crash.declared)
    evidence = (*made[:1], *freed)
    anchor = _anchor(crash, calls)
    inlined = len(crash.frames) > 1 and crash.frames[0].at == crash.frames[1].at
    return Site(crash.kind, crash.image, calls, thing, evidence, anchor, made, inlined)


def _anchor(crash: Crash, calls: Calls) -> int:
    """The line of the outermost call that stands below a compared call, further in, of the same file."""
    stack = once(crash.frames)
    first = next((n for n, call in enumerate(stack) if call == calls[0]), 0)
    lowest: dict[str, int] = {}
    found = 0
    for depth, call in enumerate(stack[first:]):
        if 0 < lowest.get(call.file, 0) < call.line:
            found = call.line
        if depth < len(calls):
            lowest[call.file] = max(lowest.get(call.file, 0), call.line)
    return found


def _names(calls: Iterable[Frame]) -> tuple[str, ...]:
    return tuple(call.function for call in calls)


def _calls(crash: Crash, leads: Collection[str]) -> tuple[Calls, bool]:
    """The calls that are compared, and whether the outermost is known to own what was overrun."""
    calls = _cycle(crash) if crash.kind == "stack-overflow" else ()
    if calls:
        return calls, False
    calls = once(crash.frames)
    if _STOPPED_ITSELF.fullmatch(crash.kind):
        while len(calls) > 1 and _MESSENGER.search(calls[0].function):
            calls = calls[1:]
    if crash.into and len(calls) > 1 and _service(calls[0], calls[1]):
        calls = calls[1:]  # a wrapper of the C library's function; some compilers jump past it
    if owner := _owner(crash, calls):
        return calls[:owner], True
    kept = _led(calls[:FRAMES_COMPARED], leads)
    return (_within(kept) if _AT_THE_ACCESS.fullmatch(crash.kind) else kept), False


def _service(call: Frame, caller: Frame) -> bool:
    """Whether a call is to a function that another file of the program provides."""
    return call.file != caller.file and not _HEADER.search(call.file)


def _led(calls: Calls, leads: Collection[str]) -> Calls:
    """The calls up to the first, other than the innermost, that leads everywhere."""
    for depth, call in enumerate(calls[1:], 2):
        if call.function in leads:
            return calls[:depth]
    return calls


def _within(calls: Calls) -> Calls:
    """The calls that matter to a wrong access: callers in its own file share the state it works on.

    What another file hands in may be what is wrong, so the calls count up to the first of another file.
    """
    for depth, call in enumerate(calls[1:], 2):
        if not call.file or call.file != calls[0].file:
            return calls[:depth]
    return calls[:1]


def _cycle(crash: Crash) -> Calls:
    """The functions that call each other without end, in order of name; the way into it is left out."""
    first = crash.frames[:CYCLE_FRAMES]
    counted: dict[str, list[Frame]] = defaultdict(list)
    for frame in first:
        counted[frame.function].append(frame)
    found = [frames for frames in counted.values() if len(frames) >= CYCLE_REPEATS]
    return tuple(sorted((frames[1] for frames in found), key=lambda call: call.function))


def _owner(crash: Crash, calls: Calls) -> int:
    """How many calls there are up to the function that made what was overrun; 0 if it is not known."""
    if crash.declared and crash.made:  # on the stack: the nearest call below the declaration
        distances = [
            (call.line - crash.declared, depth)
            for depth, call in enumerate(calls[: FRAMES_COMPARED + 1], 1)
            if call.file == crash.made[0].file and call.line > crash.declared
        ]
        return min(distances)[1] if distances else 0
    if crash.made and not crash.freed:
        makers = {frame.function for frame in crash.made[:FRAMES_COMPARED]}
        for depth, call in enumerate(calls[:FRAMES_COMPARED], 1):
            if call.function in makers:
                return depth
    return 0


def _before(frames: Calls, through: Collection[str]) -> Calls:
    """The inner calls of another stack, before it meets the one that crashed."""
    found = once(frames)[:EVIDENCE_FRAMES]
    return tuple(takewhile(lambda frame: frame.function not in through, found))


def unite(ids: Iterable[str], sets: Iterable[Sequence[str]]) -> Mapping[str, str]:
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
