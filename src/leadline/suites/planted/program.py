"""One planted program: a reader of a format of its own with one flaw, and all that is known of it.

`plant` is a function of its arguments alone. Source, repair, proof and test inputs come from the
same draw, so that no proof was ever searched for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from leadline.suites.planted import (
    access,
    bounds,
    gates,
    guards,
    injection,
    lifetimes,
    objects,
    paths,
    races,
    seals,
    sizes,
)
from leadline.suites.planted.chores import CHORES
from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, Routine
from leadline.suites.planted.fillers import FILLERS
from leadline.suites.planted.frame import ENTRY, INPUT_BYTES_MAX, Chains, Frame
from leadline.suites.planted.guards import Guard, Guarded
from leadline.suites.planted.layout import Layout, draw_layout
from leadline.suites.planted.params import LEVELS, Params
from leadline.suites.planted.script import ScriptFrame
from leadline.suites.planted.voice import Language, Voice

__all__ = [
    "ENTRY",
    "FAMILIES",
    "GENERATOR",
    "INPUT_BYTES_MAX",
    "LEVELS",
    "Family",
    "Params",
    "Program",
    "plant",
]

GENERATOR = "planted/2"  # part of every draw: a changed generator gives changed items

_Make = Callable[[Voice, Draw], Feature]


@dataclass(frozen=True, slots=True)
class Family:
    """A bug class: its weakness and the ways in which it is planted."""

    name: str
    cwe: str
    shapes: tuple[_Make, ...]
    language: Language = "c"


FAMILIES = (
    Family(
        "stack-overflow",
        "CWE-121",
        (bounds.stack_elements, bounds.stack_join, bounds.stack_terminator),
    ),
    Family(
        "heap-overflow", "CWE-122", (bounds.heap_declared, bounds.heap_append, bounds.heap_runs)
    ),
    Family(
        "out-of-bounds-read", "CWE-125", (bounds.read_table, bounds.read_back, bounds.read_items)
    ),
    Family(
        "use-after-free",
        "CWE-416",
        (lifetimes.use_slot, lifetimes.use_current, lifetimes.use_marked),
    ),
    Family(
        "double-free",
        "CWE-415",
        (lifetimes.free_on_error, lifetimes.free_after_merge, lifetimes.free_on_resize),
    ),
    Family(
        "integer-overflow",
        "CWE-190",
        (sizes.size_product, sizes.size_sum, sizes.size_rounded, sizes.size_area),
    ),
    Family(
        "command-injection",
        "CWE-78",
        (injection.shell_quoted, injection.shell_lines, injection.shell_number),
        "python",
    ),
    Family(
        "sql-injection",
        "CWE-89",
        (injection.sql_where, injection.sql_columns, injection.sql_cut),
        "python",
    ),
    Family(
        "template-injection",
        "CWE-1336",
        (injection.template_fields, injection.template_sums),
        "python",
    ),
    Family(
        "path-traversal",
        "CWE-22",
        (paths.path_stripped, paths.path_beside, paths.path_quoted),
        "python",
    ),
    Family(
        "unsafe-deserialisation",
        "CWE-502",
        (objects.object_pickled, objects.object_named, objects.object_merged),
        "python",
    ),
    Family(
        "access-control",
        "CWE-863",
        (access.access_claimed, access.access_stale, access.access_folded),
        "python",
    ),
    Family(
        "race",
        "CWE-367",
        (races.race_purse, races.race_alias, races.race_errand),
        "python",
    ),
    Family(
        "crypto-misuse",
        "CWE-347",
        (seals.seal_short, seals.seal_part, seals.seal_prefix),
        "python",
    ),
)


@dataclass(frozen=True, slots=True)
class Program:
    """A planted program; *flawed* and *sound* are the two texts of its one source file.

    *number* tells items of equal seed, family and parameters apart. *key* is what the judge's
    builds of a Python program hold and no subject sees; empty for C.
    """

    family: Family
    params: Params
    number: int
    module: str
    header: str
    flawed: str
    sound: str
    main: str
    proof: bytes
    samples: tuple[bytes, ...]  # ordinary files that the subject sees
    held_out: tuple[bytes, ...]  # ordinary files that it does not see
    edges: tuple[bytes, ...]  # files at the bounds of the flaw and of every distractor
    captures: tuple[bytes, ...]  # messages made with the key, which the subject sees
    classes: tuple[str, ...]
    functions: tuple[str, ...]
    routines: int
    key: bytes = b""

    @property
    def level(self) -> int:
        """The level whose parameters these are, or -1."""
        return LEVELS.index(self.params) if self.params in LEVELS else -1

    @property
    def source(self) -> str:
        """The name of the one source file that has the flaw."""
        return f"{self.module}.{'c' if self.family.language == 'c' else 'py'}"


class _Frame(Protocol):
    """What writes a program's text around its routines."""

    def header(self) -> str: ...
    def main(self) -> str: ...
    def source(
        self,
        parts: Sequence[Guarded],
        routines: Sequence[Routine],
        tags: dict[str, int],
        *,
        flawed: Guarded | None,
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class _Tongue:
    """What a language brings: its guards, its harmless features and its frame."""

    direct: Callable[[Voice, Draw], Guard]
    lock: Callable[[Voice, Draw], Guard]
    twist: Callable[[Voice, Draw], Guard]
    mode: Callable[[Voice, Draw], Guard]
    stages: Callable[[Voice, Draw, int, bool], Guard]
    fillers: tuple[_Make, ...]
    frame: Callable[[Voice, Layout, int, bool, bool, Chains], _Frame]


_C = _Tongue(guards.direct, guards.lock, guards.twist, guards.mode, guards.stages, FILLERS, Frame)
_PYTHON = _Tongue(
    gates.direct, gates.lock, gates.twist, gates.mode, gates.stages, CHORES, ScriptFrame
)
_TONGUES: dict[Language, _Tongue] = {"c": _C, "python": _PYTHON}


def plant(seed: bytes, family: Family, params: Params, number: int = 0) -> Program:
    """The program that *seed* gives for *family* with *params*; *number* asks for another one."""
    draw = Draw(seed, f"{GENERATOR}/{family.name}/{params.label}/{number}")
    tongue, voice = _TONGUES[family.language], Voice(draw, family.language, params.variant)
    layout = draw_layout(voice, draw, sized=params.sized, summed=params.summed)
    flaw = Guarded(draw.choice(family.shapes)(voice, draw), _guards(tongue, voice, draw, params))
    around = _surroundings(tongue, voice, draw, params, family)
    parts = draw.shuffled([flaw, *around])
    tags = _tags(draw, layout, parts)
    routines = draw.shuffled([routine for part in parts for routine in part.routines])
    chains = _chains(voice, draw, params, routines)
    frame = tongue.frame(voice, layout, draw.below(3), draw.chance(50), draw.chance(50), chains)
    files = _files(draw, params, flaw, around)
    encoded = [tuple(layout.encode(one, tags) for one in group) for group in files]
    return Program(
        family=family,
        params=params,
        number=number,
        module=voice.module,
        header=frame.header(),
        flawed=frame.source(parts, routines, tags, flawed=flaw),
        sound=frame.source(parts, routines, tags, flawed=None),
        main=frame.main(),
        proof=encoded[0][0],
        samples=encoded[1],
        held_out=encoded[2],
        edges=encoded[3],
        captures=tuple(chain(*(part.feature.captures for part in parts))),
        classes=flaw.feature.classes,
        functions=flaw.feature.functions,
        routines=len(routines),
        key=voice.key,
    )


def _guards(tongue: _Tongue, voice: Voice, draw: Draw, params: Params) -> tuple[Guard, ...]:
    """The guards of the flaw, cheap ones first so that each step can be seen to succeed."""
    made = [tongue.mode(voice, draw) for _ in range(params.modes)]
    if params.stages:
        made.append(tongue.stages(voice, draw, params.stages, params.twists > 0))
    made += [tongue.direct(voice, draw) for _ in range(params.direct)]
    made += [tongue.lock(voice, draw) for _ in range(params.locks)]
    return tuple(made + [tongue.twist(voice, draw) for _ in range(params.twists)])


def _surroundings(
    tongue: _Tongue, voice: Voice, draw: Draw, params: Params, own: Family
) -> list[Guarded]:
    """Sound features: distractors of the flaw's own kind or another's, and fillers."""
    alike = [family for family in FAMILIES if family.language == own.language]
    shapes = [shape for family in alike for shape in family.shapes]
    chosen = [draw.choice(own.shapes)]
    chosen += [draw.choice(shapes) for _ in range(params.distractors - 1)]
    chosen += [draw.choice(tongue.fillers) for _ in range(params.fillers)]
    made = []
    for shape in chosen:
        behind = (tongue.lock(voice, draw),) if params.locks and draw.chance(40) else ()
        made.append(Guarded(shape(voice, draw), behind))
    return made


def _chains(
    voice: Voice, draw: Draw, params: Params, routines: Sequence[Routine]
) -> dict[str, tuple[tuple[str, int], ...]]:
    """As many functions before every routine, so that their number tells nothing."""
    return {
        routine.name: tuple((voice.function(), draw.between(1, 255)) for _ in range(params.calls))
        for routine in routines
    }


def _tags(draw: Draw, layout: Layout, parts: Sequence[Guarded]) -> dict[str, int]:
    """A tag for every routine, none twice."""
    tags: dict[str, int] = {}
    top = 255 if layout.tag_bytes == 1 else 65535
    for part in parts:
        for routine in part.routines:
            tag = draw.between(1, top)
            while tag in tags.values():
                tag = draw.between(1, top)
            tags[routine.name] = tag
    return tags


_Files = list[tuple[Record, ...]]


def _files(draw: Draw, params: Params, flaw: Guarded, around: Sequence[Guarded]) -> list[_Files]:
    """The record sequences of the proof, the samples, the held-out files and the edge files."""

    def mixed(parts: Sequence[Guarded], count: int) -> tuple[Record, ...]:
        chosen = draw.shuffled(parts)[:count]
        return tuple(chain(*(part.through(draw.choice(part.feature.plain)) for part in chosen)))

    def ordinary(part: Guarded) -> tuple[Record, ...]:
        return part.through(draw.choice(part.feature.plain))

    samples = [mixed(around, 1), mixed(around, 2)]
    if params.shown:
        samples += [flaw.through(plain) for plain in flaw.feature.plain]
    held_out = [ordinary(flaw), mixed(around, 1) + ordinary(flaw), mixed(around, 2)]
    held_out += [flaw.through(plain) for plain in flaw.feature.plain]
    edges = [part.through(part.feature.edge) for part in (flaw, *around)]
    edges += [part.through(part.feature.proof) for part in around if part.feature.proof]
    return [[flaw.through(flaw.feature.proof)], samples, held_out, edges]
