"""The Python text around a program's routines: state, dispatcher, reader; and the file that runs it.

A Python program is one module with two entries: ``lay_out(folder, secret)`` writes its files once,
``read(data, secret, folder, key, replies)`` reads one input, adds to *replies*, and answers whether
it accepted all of it. The driver plants the secret and looks for it in the replies: that is the oracle.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from leadline.suites.planted.feature import GATE, Routine, text
from leadline.suites.planted.frame import Outline, entry, indented, shifted
from leadline.suites.planted.guards import Guarded


@cache
def _driver() -> str:
    return Path(__file__).with_name("driver.py").read_text(encoding="utf-8")


class ScriptFrame(Outline):
    """Writes the Python text around the routines."""

    __slots__ = ()

    def header(self) -> str:
        """A module has none."""
        return ""

    def main(self) -> str:
        """The driver of this module."""
        return _driver().replace('"SERVICE"', f'"{self.voice.module}"')

    def source(
        self,
        parts: Sequence[Guarded],
        routines: Sequence[Routine],
        tags: dict[str, int],
        *,
        flawed: Guarded | None,
    ) -> str:
        """The module; every feature is sound but *flawed*."""
        gates = {part.feature.gated: part.lines for part in parts}
        unsound = flawed.feature.routines if flawed else ()
        imports = sorted({name for part in parts for name in part.feature.imports})
        blocks = [
            "\n".join(imports),
            self._readers(),
            "\n".join(part.feature.tables for part in parts if part.feature.tables),
            *(part.feature.closer for part in parts if part.feature.closer),
            self._state(parts),
            *(
                self._routine(routine, gates, flawed=routine in unsound) + self._chain(routine.name)
                for routine in routines
            ),
            self._dispatcher(routines, tags, parts),
            self._sum(),
            self._placing(parts),
            self._reader(parts),
        ]
        whole = "\n\n\n".join(block.strip("\n") for block in blocks if block)
        return "\n".join(indented(line, self.voice.indent) for line in whole.splitlines()) + "\n"

    def _readers(self) -> str:
        order = "big" if self.voice.big_endian else "little"
        return "\n\n\n".join(
            f'def {name}(part):\n    return int.from_bytes(part[:{width}], "{order}")'
            for name, width in ((self.voice.get16, 2), (self.voice.get32, 4))
        )

    def _state(self, parts: Sequence[Guarded]) -> str:
        voice = self.voice
        members = [f"self.{voice.total} = 0", f"self.{voice.out} = replies"]
        for part in parts:
            members += [guard.members for guard in part.guards] + [part.feature.members]
        body = "\n".join(shifted(member, 2) for member in members if member)
        name = "".join(word.capitalize() for word in voice.context.split("_"))
        return f"class {name}:\n    def __init__(self, secret, folder, key, replies):\n{body}"

    def _signature(self, name: str) -> str:
        return f"def {name}({self.voice.c}, {self.voice.p}):"

    def _routine(self, routine: Routine, gates: dict[str, str], *, flawed: bool) -> str:
        body = routine.flawed if flawed else routine.sound
        lines: list[str] = []
        for line in body.splitlines():
            if line.strip() == GATE:
                gate = gates.get(routine.name, "")
                lines += [shifted(gate)] if gate else []
            else:
                lines.append(line)
        return "\n".join([self._signature(routine.name), *lines])

    def _chain(self, name: str) -> str:
        voice, blocks, inner = self.voice, "", name
        for outer, mask in self.chains.get(name, ()):
            blocks += (
                f"\n\n\n{self._signature(outer)}\n"
                f"    {voice.c}.{voice.total} += len({voice.p}) & {mask}\n"
                f"    return {inner}({voice.c}, {voice.p})"
            )
            inner = outer
        return blocks

    def _dispatcher(
        self, routines: Sequence[Routine], tags: dict[str, int], parts: Sequence[Guarded]
    ) -> str:
        voice = self.voice
        extra = {part.feature.gated: len(part.prefix) for part in parts}
        rows = [
            (
                voice.number(tags[routine.name]),
                routine.least + extra.get(routine.name, 0),
                routine.most + extra.get(routine.name, 0),
                entry(routine.name, self.chains),
            )
            for routine in routines
        ]
        head = f"def {voice.dispatcher}({voice.c}, tag, {voice.p}):\n"
        miss = "False" if self.known_only else "True"
        args, size = f"({voice.c}, {voice.p})", f"len({voice.p})"
        if self.dispatch == 0:
            tests = "".join(
                f"    if tag == {tag}:\n        return {least} <= {size} <= {most} and {name}{args}\n"
                for tag, least, most, name in rows
            )
            return f"{head}{tests}    return {miss}"
        if self.dispatch == 1:
            cases = "".join(
                f"        case {tag} if {least} <= {size} <= {most}:\n            return {name}{args}\n"
                for tag, least, most, name in rows
            )
            return f"{head}    match tag:\n{cases}    return {miss}"
        entries = "".join(
            f"    {tag}: ({least}, {most}, {name}),\n" for tag, least, most, name in rows
        )
        return (
            f"{voice.table.upper()} = {{\n{entries}}}\n\n\n{head}"
            f"    if tag not in {voice.table.upper()}:\n        return {miss}\n"
            f"    least, most, take = {voice.table.upper()}[tag]\n"
            f"    return least <= {size} <= most and take{args}"
        )

    def _sum(self) -> str:
        """The function of the checksum; empty without one."""
        checksum = self.layout.checksum
        if checksum is None:
            return ""
        factor = self.voice.number(checksum.factor)
        step = (
            f"mixed * {factor} + byte" if checksum.multiply_first else f"(mixed ^ byte) * {factor}"
        )
        return (
            f"def {checksum.name}(part):\n    mixed = {self.voice.number(checksum.start)}\n"
            f"    for byte in part:\n        mixed = ({step}) & 0xFFFFFFFF\n    return mixed"
        )

    def _placing(self, parts: Sequence[Guarded]) -> str:
        lines = [part.feature.placing for part in parts if part.feature.placing]
        body = "\n".join(shifted(line) for line in lines) or "    return None"
        return f"def lay_out(folder, secret):\n{body}"

    def _reader(self, parts: Sequence[Guarded]) -> str:
        """The function that reads a whole file."""
        del parts
        voice, layout = self.voice, self.layout
        step = layout.tag_bytes + layout.length_bytes
        name = "".join(word.capitalize() for word in voice.context.split("_"))
        taken, refuse = ("took = ", "        if not took:\n            return False\n")
        if not self.strict:
            taken = refuse = ""
        return (
            "def read(data, secret, folder, key, replies):\n"
            f"    view = {name}(secret, folder, key, replies)\n"
            f"{shifted(self._head())}\n"
            f"    {voice.at} = {layout.head_bytes}\n"
            f"    while len(data) - {voice.at} >= {step}:\n"
            f"{shifted(self._record(), 2)}\n"
            f"        if size > len(data) - {voice.at}:\n            return False\n"
            f"        {taken}{voice.dispatcher}(view, tag, data[{voice.at} : {voice.at} + size])\n"
            f"        {voice.at} += size\n{refuse}"
            f'    replies.append(f"{{view.{voice.total} & 0xFFFFFFFF:08x}}")\n'
            "    return True"
        )

    def _head(self) -> str:
        """Lines that refuse a file whose header is wrong."""
        layout = self.layout
        lines = [f"if len(data) < {layout.head_bytes}:", "    return False"]
        for name, at in layout.places():
            lines += [f"if {self._wrong(name, at)}:", "    return False"]
        return text(self.voice).fill("\n".join(lines))

    def _wrong(self, name: str, at: int) -> str:
        """The condition under which the header's field *name* at offset *at* is wrong."""
        layout, number = self.layout, self.voice.number
        head = layout.head_bytes
        match name:
            case "magic":
                magic = layout.magic if self.voice.big_endian else layout.magic[::-1]
                return f"$get32(data[{at}:]) != {number(int.from_bytes(magic, 'big'))}"
            case "version":
                return f"not {layout.version[0]} <= data[{at}] <= {layout.version[1]}"
            case "flags":
                return f"data[{at}] & {layout.flags[0]} != {layout.flags[1] & layout.flags[0]}"
            case "size":
                return f"$get16(data[{at}:]) != len(data) - {head}"
            case _:
                assert layout.checksum is not None  # noqa: S101 - the order names only what is there
                mask, by = number(layout.checksum.mask), layout.checksum.by
                word = f"($get32(data[{at}:]) ^ {mask})"
                turned = f"({word} << {by} | {word} >> {32 - by}) & 0xFFFFFFFF"
                return f"{turned} != {layout.checksum.name}(data[{head}:])"

    def _record(self) -> str:
        """Lines that read a record's ``tag`` and ``size`` and step over them."""
        layout, at = self.layout, self.voice.at
        first, second, names = layout.tag_bytes, layout.length_bytes, ["tag", "size"]
        if layout.length_first:
            first, second, names = second, first, ["size", "tag"]

        def read(start: str, width: int) -> str:
            return f"data[{start}]" if width == 1 else f"$get16(data[{start}:])"

        return text(self.voice).fill(
            f"{names[0]} = {read(at, first)}\n"
            f"{names[1]} = {read(f'{at} + {first}', second)}\n"
            f"{at} += {first + second}"
        )
