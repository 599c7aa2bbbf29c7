"""What stands between the input and a flaw: checks that an input must get right first.

Each guard gives the C text and the bytes that satisfy it, from one draw. How hard it is depends on
who looks: `direct` keys stand in the source and are found by any tool that reads constants or
compares; `lock` bytes are masked, so that a fuzzer has to guess each (1 in 256, with feedback after
each); `twist` and the format's checksum are 32-bit equations without feedback, which a reader of
the source solves on paper and a fuzzer does not meet within any budget used here.
"""

from dataclasses import dataclass

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, Routine, text
from leadline.suites.planted.voice import Voice

_WORD = 1 << 32


@dataclass(frozen=True, slots=True)
class Guard:
    """C *lines* at the head of a routine, and what satisfies them.

    *prefix* are payload bytes, *before* records that must come first, *routines* and *members* what
    those records need in the program.
    """

    lines: str
    prefix: bytes = b""
    before: tuple[Record, ...] = ()
    routines: tuple[Routine, ...] = ()
    members: str = ""


def rotated(value: int, by: int) -> int:
    """The 32-bit *value* rotated left by *by* bits."""
    return ((value << by) | (value >> (32 - by))) % _WORD


def direct(voice: Voice, draw: Draw) -> Guard:
    """A 16- or 32-bit key that stands in the source."""
    wide = draw.chance(50)
    key = draw.between(0x101, 0xFFFF) if not wide else draw.between(0x1010101, _WORD - 1)
    width = 4 if wide else 2
    t = text(voice, key=voice.number(key), width=width)
    reader = "$get32" if wide else "$get16"
    lines = t.fill(
        f"if ($n < $width || {reader}($p) != $key)\n    return -1;\n$p += $width;\n$n -= $width;"
    )
    return Guard(lines, voice.pack32(key) if wide else voice.pack16(key))


def lock(voice: Voice, draw: Draw) -> Guard:
    """One masked byte."""
    factor, add, solution = draw.between(3, 255) | 1, draw.between(1, 255), draw.between(1, 255)
    t = text(voice, factor=factor, add=add, want=(solution * factor + add) % 256)
    lines = t.fill(
        "if ($n < 1 || (uint8_t)($p[0] * $factor + $add) != $want)\n    return -1;\n$p++;\n$n--;"
    )
    return Guard(lines, bytes([solution]))


def twist(voice: Voice, draw: Draw) -> Guard:
    """A 32-bit word that must satisfy an equation."""
    factor, add = draw.below(_WORD) | 1, draw.below(_WORD)
    by, solution = draw.between(5, 27), draw.between(1, _WORD - 1)
    want = (rotated(solution, by) * factor + add) % _WORD
    t = text(
        voice,
        factor=voice.number(factor),
        add=voice.number(add),
        want=voice.number(want),
        left=by,
        right=32 - by,
    )
    lines = t.fill(
        "if ($n < 4 ||\n"
        "    (($get32($p) << $left) | ($get32($p) >> $right)) * $factor + $add != $want)\n"
        "    return -1;\n$p += 4;\n$n -= 4;"
    )
    return Guard(lines, voice.pack32(solution))


def mode(voice: Voice, draw: Draw) -> Guard:
    """A mode that another record sets."""
    name, value = voice.function(), draw.between(2, 255)
    t = text(voice, mode=voice.field(), value=value)
    body = """
    @gate@
    $c->$mode = $p[0];
    return 0;
    """
    return Guard(
        t.fill("if ($c->$mode != $value)\n    return -1;"),
        before=(Record(name, bytes([value])),),
        routines=(t.routine(name, body, span=(1, 3)),),
        members=t.fill("uint8_t $mode;"),
    )


def stages(voice: Voice, draw: Draw, steps: int, masked: bool) -> Guard:  # noqa: FBT001 - as a field
    """*steps* 16-bit words, one a record, in order; a wrong one starts again."""
    name = voice.function()
    words = [draw.between(0x101, 0xFFFF) for _ in range(steps)]
    mask = draw.between(0x101, 0xFFFF) if masked else 0
    listed = ", ".join(voice.number(word ^ mask) for word in words)
    t = text(voice, stage=voice.field(), steps=steps, table=voice.field(), mask=voice.number(mask))
    veil = " ^ $mask" if masked else ""
    body = f"""
    static const uint16_t $table[$steps] = {{{listed}}};
    @gate@
    if ($c->$stage < $steps)
        $c->$stage = ($get16($p){veil}) == $table[$c->$stage] ? $c->$stage + 1 : 0;
    return 0;
    """
    return Guard(
        t.fill("if ($c->$stage != $steps)\n    return -1;"),
        before=tuple(Record(name, voice.pack16(word)) for word in words),
        routines=(t.routine(name, body, span=(2, 4)),),
        members=t.fill("uint32_t $stage;"),
    )


@dataclass(frozen=True, slots=True)
class Guarded:
    """A feature behind its guards: what the program's text and its records are made from."""

    feature: Feature
    guards: tuple[Guard, ...]

    @property
    def routines(self) -> tuple[Routine, ...]:
        """Those of the guards, then those of the feature."""
        added = tuple(routine for guard in self.guards for routine in guard.routines)
        return added + self.feature.routines

    @property
    def lines(self) -> str:
        """The guards' C text."""
        return "\n".join(guard.lines for guard in self.guards)

    @property
    def prefix(self) -> bytes:
        """The payload bytes that stand before the gated routine's own."""
        return b"".join(guard.prefix for guard in self.guards)

    def through(self, sequence: tuple[Record, ...]) -> tuple[Record, ...]:
        """*sequence* with what the guards ask for."""
        before = tuple(record for guard in self.guards for record in guard.before)
        gated = self.feature.gated
        prefixed = (
            Record(record.routine, self.prefix + record.payload)
            if record.routine == gated
            else record
            for record in sequence
        )
        return (*before, *prefixed)
