"""One planted program: a parser with one flaw, and everything that is known about it.

`plant` is a function of its arguments alone. Source, repair, proof and test inputs come from the
same draw, so that no proof was ever searched for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from leadline.suites.planted import bounds, lifetimes, sizes
from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import GATE, Feature, Record, Routine
from leadline.suites.planted.fillers import FILLERS
from leadline.suites.planted.guards import Guard, Guarded, direct, lock, mode, stages, twist
from leadline.suites.planted.layout import Layout, draw_layout
from leadline.suites.planted.voice import Voice

GENERATOR = "planted/1"  # part of every draw: a changed generator gives changed items
INPUT_BYTES_MAX = 1024
ENTRY = "LLVMFuzzerTestOneInput"

_Make = Callable[[Voice, Draw], Feature]


@dataclass(frozen=True, slots=True)
class Family:
    """A bug class: its weakness and the ways in which it is planted."""

    name: str
    cwe: str
    shapes: tuple[_Make, ...]


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
)


@dataclass(frozen=True, slots=True)
class Level:
    """How deep a flaw stands, and how much stands around it.

    *shown* items have a public sample that reaches the flawed code. *direct*, *locks*, *twists* and
    *stages* count guards (`guards`); *sized* and *summed* are checks of the whole file.
    """

    fillers: int
    distractors: int
    shown: bool
    direct: int = 0
    modes: int = 0
    locks: int = 0
    twists: int = 0
    stages: int = 0
    sized: bool = False
    summed: bool = False

    @property
    def depth(self) -> int:
        """The number of checks between the input and the flaw, header excluded."""
        counted = self.direct + self.modes + self.locks + self.twists + self.stages
        return counted + self.sized + self.summed


LEVELS = (
    Level(fillers=2, distractors=1, shown=True),
    Level(fillers=3, distractors=1, shown=True, modes=1),
    Level(fillers=4, distractors=2, shown=False),
    Level(fillers=5, distractors=2, shown=False, direct=1),
    Level(fillers=6, distractors=3, shown=False, modes=1, locks=1, twists=1, sized=True),
    Level(fillers=7, distractors=3, shown=False, stages=3, locks=1, twists=1, summed=True),
)


@dataclass(frozen=True, slots=True)
class Program:
    """A planted program; *flawed* and *sound* are the two texts of its one source file."""

    family: Family
    level: int
    module: str
    header: str
    flawed: str
    sound: str
    main: str
    proof: bytes
    samples: tuple[bytes, ...]  # ordinary files that the subject sees
    held_out: tuple[bytes, ...]  # ordinary files that it does not see
    edges: tuple[bytes, ...]  # files at the bounds of the flaw and of every distractor
    classes: tuple[str, ...]
    functions: tuple[str, ...]
    routines: int


def plant(seed: bytes, family: Family, level: int) -> Program:
    """The program that *seed* gives for *family* at *level*, an index of `LEVELS`."""
    draw = Draw(seed, f"{GENERATOR}/{family.name}/{level}")
    spec, voice = LEVELS[level], Voice(draw)
    layout = draw_layout(voice, draw, sized=spec.sized, summed=spec.summed)
    flaw = Guarded(draw.choice(family.shapes)(voice, draw), _guards(voice, draw, spec))
    around = _surroundings(voice, draw, spec, flaw.feature.kind)
    parts = draw.shuffled([flaw, *around])
    tags = _tags(draw, layout, parts)
    frame = _Frame(voice, layout, draw.below(3), draw.chance(50), draw.chance(50))
    routines = draw.shuffled([routine for part in parts for routine in part.routines])
    files = _files(draw, spec, flaw, around)
    encoded = [tuple(layout.encode(one, tags) for one in group) for group in files]
    return Program(
        family=family,
        level=level,
        module=voice.module,
        header=frame.header(),
        flawed=frame.source(parts, routines, tags, flawed=flaw),
        sound=frame.source(parts, routines, tags, flawed=None),
        main=_MAIN.replace("MODULE", voice.module).replace("MAX", str(INPUT_BYTES_MAX)),
        proof=encoded[0][0],
        samples=encoded[1],
        held_out=encoded[2],
        edges=encoded[3],
        classes=flaw.feature.classes,
        functions=flaw.feature.functions,
        routines=len(routines),
    )


def _guards(voice: Voice, draw: Draw, spec: Level) -> tuple[Guard, ...]:
    """The guards of the flaw, cheap ones first so that each step can be seen to succeed."""
    made = [mode(voice, draw) for _ in range(spec.modes)]
    if spec.stages:
        made.append(stages(voice, draw, spec.stages, masked=spec.twists > 0))
    made += [direct(voice, draw) for _ in range(spec.direct)]
    made += [lock(voice, draw) for _ in range(spec.locks)]
    return tuple(made + [twist(voice, draw) for _ in range(spec.twists)])


def _surroundings(voice: Voice, draw: Draw, spec: Level, kind: str) -> list[Guarded]:
    """Sound features: distractors of the flaw's own kind or another's, and fillers."""
    shapes = [shape for family in FAMILIES for shape in family.shapes]
    own = [shape for family in FAMILIES if family.name == kind for shape in family.shapes]
    chosen = [draw.choice(own)] + [draw.choice(shapes) for _ in range(spec.distractors - 1)]
    chosen += [draw.choice(FILLERS) for _ in range(spec.fillers)]
    made = []
    for shape in chosen:
        guards = (lock(voice, draw),) if spec.locks and draw.chance(40) else ()
        made.append(Guarded(shape(voice, draw), guards))
    return made


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


def _files(draw: Draw, spec: Level, flaw: Guarded, around: Sequence[Guarded]) -> list[_Files]:
    """The record sequences of the proof, the samples, the held-out files and the edge files."""

    def mixed(parts: Sequence[Guarded], count: int) -> tuple[Record, ...]:
        chosen = draw.shuffled(parts)[:count]
        return tuple(chain(*(part.through(draw.choice(part.feature.plain)) for part in chosen)))

    def ordinary(part: Guarded) -> tuple[Record, ...]:
        return part.through(draw.choice(part.feature.plain))

    samples = [mixed(around, 1), mixed(around, 2)]
    if spec.shown:
        samples += [flaw.through(plain) for plain in flaw.feature.plain]
    held_out = [ordinary(flaw), mixed(around, 1) + ordinary(flaw), mixed(around, 2)]
    held_out += [flaw.through(plain) for plain in flaw.feature.plain]
    edges = [part.through(part.feature.edge) for part in (flaw, *around)]
    edges += [part.through(part.feature.proof) for part in around if part.feature.proof]
    return [[flaw.through(flaw.feature.proof)], samples, held_out, edges]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Writes the C text around the routines."""

    voice: Voice
    layout: Layout
    dispatch: int
    strict: bool  # a record that its routine refuses makes the file refused
    known_only: bool  # so does an unknown tag

    def header(self) -> str:
        """The header file."""
        guard = f"{self.voice.module.upper()}_H"
        return (
            f"#ifndef {guard}\n#define {guard}\n\n#include <stddef.h>\n#include <stdint.h>\n\n"
            f"int {self.voice.reader}(const uint8_t *data, size_t size, uint32_t *total);\n\n"
            "#endif\n"
        )

    def source(
        self,
        parts: Sequence[Guarded],
        routines: Sequence[Routine],
        tags: dict[str, int],
        *,
        flawed: Guarded | None,
    ) -> str:
        """The source file; every feature is sound but *flawed*."""
        gates = {part.feature.gated: part.lines for part in parts}
        unsound = flawed.feature.routines if flawed else ()
        blocks = [
            f'#include <stdlib.h>\n#include <string.h>\n\n#include "{self.voice.module}.h"\n',
            "",
            *(part.feature.tables + "\n" for part in parts if part.feature.tables),
            self._context(parts),
            *(part.feature.closer + "\n" for part in parts if part.feature.closer),
            *(self._routine(routine, gates, flawed=routine in unsound) for routine in routines),
            self._dispatcher(routines, tags, parts),
            self.layout.sum_source(),
            self._reader(parts),
            _ENTRY.replace("MODULE", self.voice.module),
        ]
        blocks[1] = self._readers("".join(blocks))
        text = "\n".join(block for block in blocks if block)
        return "\n".join(_indented(line, self.voice.indent) for line in text.splitlines()) + "\n"

    def _readers(self, rest: str) -> str:
        """The functions that read 16 and 32 bits, as far as *rest* calls them."""
        shifts16, shifts32 = ((8, 0), (24, 16, 8, 0))
        if not self.voice.big_endian:
            shifts16, shifts32 = shifts16[::-1], shifts32[::-1]

        def one(name: str, shifts: tuple[int, ...]) -> str:
            terms = [f"(uint32_t)p[{n}] << {shift}" for n, shift in enumerate(shifts)]
            joined = " | ".join(f"({term})" if " << 0" not in term else term[:-5] for term in terms)
            return f"static uint32_t {name}(const uint8_t *p)\n{{\n    return {joined};\n}}\n"

        both = ((self.voice.get16, shifts16), (self.voice.get32, shifts32))
        return "\n".join(one(name, shifts) for name, shifts in both if f"{name}(" in rest)

    def _context(self, parts: Sequence[Guarded]) -> str:
        members = [f"uint32_t {self.voice.total};"]
        for part in parts:
            members += [guard.members for guard in part.guards] + [part.feature.members]
        body = "\n".join(_shifted(member) for member in members if member)
        return f"struct {self.voice.context} {{\n{body}\n}};\n"

    def _signature(self, name: str) -> str:
        voice = self.voice
        return (
            f"static int {name}(struct {voice.context} *{voice.c}, "
            f"const uint8_t *{voice.p}, size_t {voice.n})"
        )

    def _routine(self, routine: Routine, gates: dict[str, str], *, flawed: bool) -> str:
        body = routine.flawed if flawed else routine.sound
        lines: list[str] = []
        for line in body.splitlines():
            if line.strip() == GATE:
                gate = gates.get(routine.name, "")
                lines += [_shifted(gate)] if gate else []
            else:
                lines.append(line)
        return "\n".join([self._signature(routine.name), "{", *lines, "}\n"])

    def _dispatcher(
        self,
        routines: Sequence[Routine],
        tags: dict[str, int],
        parts: Sequence[Guarded],
    ) -> str:
        voice = self.voice
        extra = {part.feature.gated: len(part.prefix) for part in parts}
        rows = []
        for routine in routines:
            more = extra.get(routine.name, 0)
            rows.append(
                (voice.number(tags[routine.name]), routine.least + more, routine.most + more)
            )
        named = list(zip(rows, (routine.name for routine in routines), strict=True))
        miss = "-1" if self.known_only else "0"
        args = f"({voice.c}, {voice.p}, {voice.n})"
        head = (
            f"static int {voice.dispatcher}(struct {voice.context} *{voice.c}, "
            f"uint32_t tag, const uint8_t *{voice.p}, size_t {voice.n})\n{{\n"
        )
        if self.dispatch == 0:
            cases = "".join(
                f"    case {tag}:\n"
                f"        return {voice.n} >= {least} && {voice.n} <= {most} ? {name}{args} : -1;\n"
                for (tag, least, most), name in named
            )
            return f"{head}    switch (tag) {{\n{cases}    }}\n    return {miss};\n}}\n"
        if self.dispatch == 1:
            tests = "".join(
                f"    if (tag == {tag} && {voice.n} >= {least} && {voice.n} <= {most})\n"
                f"        return {name}{args};\n"
                for (tag, least, most), name in named
            )
            return f"{head}{tests}    return {miss};\n}}\n"
        return self._table_dispatcher(head, named, miss, args)

    def _table_dispatcher(
        self, head: str, named: Sequence[tuple[tuple[str, int, int], str]], miss: str, args: str
    ) -> str:
        voice = self.voice
        entries = "".join(
            f"    {{{tag}, {least}, {most}, {name}}},\n" for (tag, least, most), name in named
        )
        return (
            f"static const struct {{\n    uint32_t tag;\n    size_t least, most;\n"
            f"    int (*take)(struct {voice.context} *, const uint8_t *, size_t);\n"
            f"}} {voice.table}[] = {{\n{entries}}};\n\n{head}"
            f"    for (size_t i = 0; i < {len(named)}; i++) {{\n"
            f"        if ({voice.table}[i].tag != tag)\n            continue;\n"
            f"        if ({voice.n} < {voice.table}[i].least || "
            f"{voice.n} > {voice.table}[i].most)\n            return -1;\n"
            f"        return {voice.table}[i].take{args};\n    }}\n    return {miss};\n}}\n"
        )

    def _reader(self, parts: Sequence[Guarded]) -> str:
        """The function that reads a whole file."""
        voice, layout = self.voice, self.layout
        step = layout.tag_bytes + layout.length_bytes
        closing = "\n".join(part.feature.closing for part in parts if part.feature.closing)
        closing = closing.replace(f"{voice.c}->", "view.").replace(f"({voice.c})", "(&view)")
        refuse = (
            "        if (took < 0)\n            break;\n        done++;\n"
            if self.strict
            else "        if (took >= 0)\n            done++;\n        took = 0;\n"
        )
        return (
            f"int {voice.reader}(const uint8_t *data, size_t size, uint32_t *total)\n{{\n"
            f"    struct {voice.context} view;\n"
            f"    size_t {voice.at} = {layout.head_bytes}, len;\n"
            "    uint32_t tag;\n    int done = 0, took = 0;\n"
            "    memset(&view, 0, sizeof(view));\n"
            f"{_shifted(layout.head_source())}\n"
            f"    while (size - {voice.at} >= {step}) {{\n"
            f"{_shifted(layout.record_source(), 2)}\n"
            f"        if (len > size - {voice.at}) {{\n            took = -1;\n"
            "            break;\n        }\n"
            f"        took = {voice.dispatcher}(&view, tag, data + {voice.at}, len);\n"
            f"        {voice.at} += len;\n{refuse}    }}\n"
            f"    *total = view.{voice.total};\n"
            + (f"{_shifted(closing)}\n" if closing else "")
            + "    return took < 0 ? -1 : done;\n}\n"
        )


def _shifted(text: str, by: int = 1) -> str:
    """*text* with every line *by* steps further in."""
    return "\n".join("    " * by + line for line in text.splitlines())


def _indented(line: str, unit: str) -> str:
    """*line* with each leading four spaces as *unit*."""
    bare = line.lstrip(" ")
    steps = (len(line) - len(bare)) // 4
    return unit * steps + bare


_ENTRY = f"""\
int {ENTRY}(const uint8_t *data, size_t size)
{{
    uint32_t total = 0;

    MODULE_read(data, size, &total);
    return 0;
}}
"""

_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "MODULE.h"

static int read_file(const char *name)
{
    static uint8_t bytes[MAX];
    uint32_t total = 0;
    size_t size;
    uint8_t *data;
    int records;
    FILE *file = fopen(name, "rb");

    if (!file) {
        perror(name);
        return 1;
    }
    size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    data = malloc(size ? size : 1);
    if (!data)
        return 1;
    memcpy(data, bytes, size);
    records = MODULE_read(data, size, &total);
    free(data);
    if (records < 0)
        printf("refused\\n");
    else
        printf("accepted %d %08x\\n", records, (unsigned)total);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    for (int i = 1; i < argc; i++)
        status |= read_file(argv[i]);
    return status;
}
"""
