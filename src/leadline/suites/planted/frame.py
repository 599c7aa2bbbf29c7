"""The C text around a program's routines: declarations, dispatcher, reader, ``main``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadline.suites.planted.feature import GATE, Routine
from leadline.suites.planted.guards import Guarded
from leadline.suites.planted.layout import Layout
from leadline.suites.planted.voice import Voice

INPUT_BYTES_MAX = 1024
ENTRY = "LLVMFuzzerTestOneInput"

Chains = Mapping[str, tuple[tuple[str, int], ...]]


def entry(name: str, chains: Chains) -> str:
    """The function that is called for routine *name*: the outermost of its chain."""
    chain = chains.get(name, ())
    return chain[-1][0] if chain else name


@dataclass(frozen=True, slots=True)
class Outline:
    """What a program's text around its routines depends on, in either language.

    *dispatch* is the form of the dispatcher, of three. *strict* programs refuse a file of which a
    routine refuses a record, *known_only* ones a file with an unknown tag. *chains* are the
    functions through which each routine is called, the innermost first, each with a number of its
    own.
    """

    voice: Voice
    layout: Layout
    dispatch: int
    strict: bool
    known_only: bool
    chains: Chains


class Frame(Outline):
    """Writes the C text around the routines."""

    __slots__ = ()

    def header(self) -> str:
        """The header file."""
        guard = f"{self.voice.module.upper()}_H"
        return (
            f"#ifndef {guard}\n#define {guard}\n\n#include <stddef.h>\n#include <stdint.h>\n\n"
            f"int {self.voice.reader}(const uint8_t *data, size_t size, uint32_t *total);\n\n"
            "#endif\n"
        )

    def main(self) -> str:
        """The file with the program's ``main``."""
        text = _MAIN.replace("MODULE", self.voice.module)
        return text.replace("MAX", str(INPUT_BYTES_MAX))

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
            *(
                self._routine(routine, gates, flawed=routine in unsound) + self._chain(routine.name)
                for routine in routines
            ),
            self._dispatcher(routines, tags, parts),
            self.layout.sum_source(),
            self._reader(parts),
            _ENTRY.replace("MODULE", self.voice.module),
        ]
        blocks[1] = self._readers("".join(blocks))
        text = "\n".join(block for block in blocks if block)
        return "\n".join(indented(line, self.voice.indent) for line in text.splitlines()) + "\n"

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
        body = "\n".join(shifted(member) for member in members if member)
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
                lines += [shifted(gate)] if gate else []
            else:
                lines.append(line)
        return "\n".join([self._signature(routine.name), "{", *lines, "}\n"])

    def _chain(self, name: str) -> str:
        """The functions through which routine *name* is called."""
        voice, blocks, inner = self.voice, "", name
        for outer, mask in self.chains.get(name, ()):
            blocks += (
                f"\n{self._signature(outer)}\n{{\n"
                f"    {voice.c}->{voice.total} += (uint32_t){voice.n} & {mask};\n"
                f"    return {inner}({voice.c}, {voice.p}, {voice.n});\n}}\n"
            )
            inner = outer
        return blocks

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
        entered = (entry(routine.name, self.chains) for routine in routines)
        named = list(zip(rows, entered, strict=True))
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
            f"{shifted(layout.head_source())}\n"
            f"    while (size - {voice.at} >= {step}) {{\n"
            f"{shifted(layout.record_source(), 2)}\n"
            f"        if (len > size - {voice.at}) {{\n            took = -1;\n"
            "            break;\n        }\n"
            f"        took = {voice.dispatcher}(&view, tag, data + {voice.at}, len);\n"
            f"        {voice.at} += len;\n{refuse}    }}\n"
            f"    *total = view.{voice.total};\n"
            + (f"{shifted(closing)}\n" if closing else "")
            + "    return took < 0 ? -1 : done;\n}\n"
        )


def shifted(text: str, by: int = 1) -> str:
    """*text* with every line *by* steps further in."""
    return "\n".join("    " * by + line for line in text.splitlines())


def indented(line: str, unit: str) -> str:
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
