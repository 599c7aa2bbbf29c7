"""Proposed groups of crash reports: which may be one flaw, and why.

Nothing is merged: a group is a proposal made of edges, each with its rung of the evidence ladder, and
the reports stay as they are. A false merge loses a flaw while a false split costs a mail, so only two
rungs propose here: identical evidence (rung 1); and, within one program (rung 3), one place: the same
class, calls and object in one image, one instruction reached under another class, and corresponding
places of several images. Equal own stacks of one image and class are never split unless the reports
differ in what was overrun or given back. The result does not depend on the order of the input.
Source: clearinghouse reference, section 6.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from leadline.core.clearing import sites
from leadline.core.clearing.crash import UNKNOWN, Crash, Frame
from leadline.core.clearing.sites import Site
from leadline.core.errors import Invalid

__all__ = ["RULE", "Crash", "Frame", "Group", "group"]

RULE = "crash-places/2"  # names the rule that proposed an edge; changes whenever its answers may


@dataclass(frozen=True, slots=True)
class Group:
    """Reports proposed as one flaw. *rung* is the weakest evidence used; 0 for a single report."""

    id: str
    rung: int
    members: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class _Edge:
    """Reports that one piece of evidence makes one proposal."""

    rung: int
    members: tuple[str, ...]
    why: str


def group(crashes: Sequence[Crash]) -> tuple[Group, ...]:
    """Put every crash into exactly one proposed group; ordered by first member.

    Raises: Invalid, if two crashes have the same id.
    """
    by_id = {crash.id: crash for crash in sorted(crashes, key=lambda crash: crash.id)}
    if len(by_id) != len(crashes):
        raise Invalid("id", "two reports have the same id")
    programs: dict[str, list[Crash]] = defaultdict(list)
    whose = _whose(by_id.values())
    for crash in by_id.values():
        programs[crash.program or whose.get(crash.folder, crash.folder)].append(crash)
    edges = list(_identical(by_id.values()))
    for held in programs.values():
        edges.extend(_of_program(held))
    roots = sites.unite(by_id, (edge.members for edge in edges))
    clusters: dict[str, list[str]] = defaultdict(list)
    for member in by_id:
        clusters[roots[member]].append(member)
    used: dict[str, list[_Edge]] = defaultdict(list)
    for edge in edges:
        used[roots[edge.members[0]]].append(edge)
    return tuple(
        _proposal([by_id[member] for member in members], used[root])
        for root, members in sorted(clusters.items(), key=lambda pair: pair[1][0])
    )


def _whose(crashes: Iterable[Crash]) -> Mapping[str, str]:
    """The program of each folder of sources, where reports name exactly one."""
    named: dict[str, set[str]] = defaultdict(set)
    for crash in crashes:
        if crash.program:
            named[crash.folder].add(crash.program)
    return {folder: next(iter(found)) for folder, found in named.items() if len(found) == 1}


def _identical(crashes: Iterable[Crash]) -> Iterator[_Edge]:
    sharing: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for crash in crashes:
        if crash.proof and crash.build:
            sharing[crash.proof, crash.build, crash.text].append(crash.id)
    for members in sharing.values():
        if len(members) > 1:
            yield _Edge(1, tuple(members), "identical proof, build and report")


@dataclass(frozen=True, slots=True)
class _Place:
    """One place of one image, and the reports that went wrong there."""

    site: Site
    members: tuple[str, ...]


def _of_program(crashes: Sequence[Crash]) -> Iterator[_Edge]:
    """The edges between reports of one program."""
    found = sites.sites(crashes)
    sharing: dict[sites.Key, list[str]] = defaultdict(list)
    for id_, site in found.items():
        sharing[site.place].append(id_)
    places = [_Place(found[members[0]], tuple(members)) for members in sharing.values()]
    yield from (_Edge(3, one.members, one.site.shown) for one in places if len(one.members) > 1)
    yield from _other_class(places)
    yield from _traps(places)
    yield from _one_block(places)
    yield from _one_code(places)
    yield from _one_function(places)
    yield from _one_stack(found, crashes)
    yield from _one_source(places)
    yield from _across(places)
    yield from _by_thing(places)


def _by_spot(places: Iterable[_Place]) -> dict[sites.Key, list[_Place]]:
    """Places by image and calls; one that the compiler made of several lines is no place."""
    sharing: dict[sites.Key, list[_Place]] = defaultdict(list)
    for one in places:
        if not one.site.merged:
            sharing[one.site.image, one.site.spots].append(one)
    return sharing


def _other_class(places: Sequence[_Place]) -> Iterator[_Edge]:
    """One line of one image, reported as another class or of another object.

    How far out of bounds an access goes decides what the sanitizer says it ran over, if it can say so.
    """
    known = _by_spot(one for one in places if one.site.of_an_object)
    for held in known.values():
        yield from _together(held, "over several objects")
    twins = _twins(one for held in known.values() for one in held)
    for one in places:
        if one.site.wild and not one.site.merged:
            depths = range(1, len(one.site.calls) + 1)
            ends = [known.get((one.site.image, one.site.spots[:depth])) for depth in depths]
            fitting = [held[0] for held in ends if held]
            if len(fitting) == 1 and (
                fitting[0].site.functions not in twins or one.site.beside(fitting[0].site)
            ):
                yield from _together([one, fitting[0]], f"as {fitting[0].site.kind}")


def _twins(places: Iterable[_Place]) -> set[tuple[str, ...]]:
    """The calls that one image shows on several lines: a wild access there may be of either."""
    lines: dict[tuple[str, tuple[str, ...]], set[tuple[int, ...]]] = defaultdict(set)
    for one in places:
        lines[one.site.image, one.site.functions].add(tuple(call.line for call in one.site.calls))
    return {functions for (_, functions), found in lines.items() if len(found) > 1}


def _traps(places: Sequence[_Place]) -> Iterator[_Edge]:
    """Any address that one line of one image ran into.

    A wild access may land in a block that was given back. Such a block says something only where no
    access at this line was wild.
    """
    trapped = _by_spot(one for one in places if one.site.kind in sites.TRAPS)
    freed = _by_spot(one for one in places if one.site.after_free)
    for spot, held in trapped.items():
        also = freed.get(spot, []) if any(one.site.wild for one in held) else []
        yield from _together([*held, *also], "of any address")


def _one_function(places: Sequence[_Place]) -> Iterator[_Edge]:
    """One line that runs over what several functions of its own file made: what it shares is the line."""
    sharing: dict[sites.Key, list[_Place]] = defaultdict(list)
    for one in places:
        site = one.site
        if site.of_an_object and not site.merged and len({call.file for call in site.calls}) == 1:
            sharing[site.image, site.kind, site.thing[0], site.calls[0]].append(one)
    for held in sharing.values():
        yield from _together(held, "whoever called")


def _one_code(places: Sequence[_Place]) -> Iterator[_Edge]:
    """Calls of one line at one address: where builds agree in that, their code is the same."""
    sharing: dict[sites.Key, list[_Place]] = defaultdict(list)
    for one in places:
        if all(call.at != UNKNOWN for call in one.site.calls):
            sharing[one.site.instructions].append(one)
    for held in sharing.values():
        yield from _together(held, "at one address")


def _one_stack(found: Mapping[str, Site], crashes: Sequence[Crash]) -> Iterator[_Edge]:
    """Every own call on the same line: the class says only how far the program got."""
    sharing: dict[sites.Key, list[str]] = defaultdict(list)
    for crash in crashes:
        site = found.get(crash.id)
        if site and site.lines and all(frame.line for frame in crash.frames):
            stack = tuple((one.function, one.file, one.line, one.column) for one in crash.frames)
            sharing[stack, site.thing[1:], site.evidence].append(crash.id)
    for members in sharing.values():
        if len(members) > 1:
            yield _Edge(
                3, tuple(members), f"identical stack of own calls, {found[members[0]].shown}"
            )


def _one_block(places: Sequence[_Place]) -> Iterator[_Edge]:
    """One line of one function runs over blocks made at one place, whichever line of it called.

    A block that the program made as it began is what all of it works on, and says nothing.
    """
    sharing: dict[sites.Key, list[_Place]] = defaultdict(list)
    for one in places:
        if one.site.of_an_object and len(one.site.made) > 1 and not one.site.merged:
            key = (one.site.image, one.site.names, one.site.calls[0], one.site.made)
            sharing[key].append(one)
    for held in sharing.values():
        yield from _together(held, "over one block")


def _together(held: Sequence[_Place], how: str, rung: int = 3) -> Iterator[_Edge]:
    if len(held) > 1:
        yield _Edge(rung, tuple(one.members[0] for one in held), f"{held[0].site.shown}, {how}")


def _one_source(places: Sequence[_Place]) -> Iterator[_Edge]:
    """One line of one source, in several builds of it."""
    sharing: dict[sites.Key, list[_Place]] = defaultdict(list)
    for one in places:
        if one.site.source:
            sharing[one.site.source].append(one)
    for held in sharing.values():
        yield from _together(held, f"in {len(held)} builds of one source")


def _across(places: Sequence[_Place]) -> Iterator[_Edge]:
    """Corresponding places of several sources.

    Edits move lines and seldom change their order. Where sources have equally many places that are
    called alike, and none has more, these correspond in order. A source with fewer says nothing: which
    of them it lacks is not known. A place without a line corresponds where no source has more than one.
    """
    alike: dict[sites.Key, list[_Place]] = defaultdict(list)
    for one in places:
        if one.site.wild or one.site.astray:
            continue  # too seldom seen, or too little of its way, to know how many such places there are
        if one.site.image and (one.site.lines or (one.site.merged and one.site.calls[0].file)):
            alike[one.site.names].append(one)
    for held in alike.values():
        told = [one for one in held if not one.site.merged]
        sources = _sources(told or held)
        most = max(map(len, sources))
        full = [rows for rows in sources if len(rows) == most]
        blurred = [one for one in held if one.site.merged] if told and most == 1 else []
        for row in zip(*full, strict=True):
            yield from _together([*row, *blurred], f"in {len(full)} versions", 4)


def _by_thing(places: Sequence[_Place]) -> Iterator[_Edge]:
    """Places without a line that ran over a named thing which only one place is known to run over.

    The name of a variable, or the words with which the program stopped, outlive what an optimiser or
    the lack of debug information takes from the calls.
    """
    held: dict[sites.Key, list[_Place]] = defaultdict(list)
    for one in places:
        if one.site.image and one.site.thing[1] not in {"", sites.ZERO_PAGE}:
            held[one.site.kind, one.site.thing[:2]].append(one)
    for sharing in held.values():
        told = [one for one in sharing if one.site.lines]
        blurred = [one for one in sharing if one.site.merged]
        spots = {(one.site.image, one.site.calls[0].at) for one in blurred}
        alone = len({one.site.names for one in told}) == 1 and max(map(len, _sources(told))) == 1
        if alone and len(spots) == len({image for image, _ in spots}):
            yield from _together([*told, *blurred], "over the same thing", 4)


def _sources(places: Sequence[_Place]) -> list[list[_Place]]:
    """The places of each source in order of line, one for each; builds that share a line are of one."""
    first: dict[sites.Key, str] = {}
    images = {one.site.image for one in places}
    linked = [
        (first.setdefault(one.site.source, one.site.image), one.site.image)
        for one in places
        if one.site.source
    ]
    roots = sites.unite(images, linked)
    rows: dict[str, dict[sites.Key, _Place]] = defaultdict(dict)
    for one in sorted(places, key=lambda one: (one.site.lines, one.members)):
        rows[roots[one.site.image]].setdefault(one.site.source or one.site.place, one)
    return [list(held.values()) for _, held in sorted(rows.items())]


def _proposal(members: Sequence[Crash], edges: Sequence[_Edge]) -> Group:
    digest = hashlib.sha256("\0".join(crash.id for crash in members).encode()).hexdigest()
    if len(members) == 1:
        only = members[0]
        shown = only.frames[0].shown if only.frames else "no own frame"
        why = f"alone: no other report is {only.kind or 'of its kind'} in {shown}"
        return Group(digest[:16], 0, (only.id,), why)
    ordered = sorted(edges, key=lambda edge: (edge.rung, edge.why))
    why = "; ".join(dict.fromkeys(edge.why for edge in ordered))
    rung = max(edge.rung for edge in ordered)
    return Group(digest[:16], rung, tuple(crash.id for crash in members), why)
