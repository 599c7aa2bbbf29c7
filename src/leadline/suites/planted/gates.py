"""The guards of `guards`, written in Python: the same bytes satisfy the same checks."""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Record, text
from leadline.suites.planted.guards import Guard, rotated
from leadline.suites.planted.voice import Voice

_WORD = 1 << 32


def direct(voice: Voice, draw: Draw) -> Guard:
    """A 16- or 32-bit key that stands in the source."""
    wide = draw.chance(50)
    key = draw.between(0x101, 0xFFFF) if not wide else draw.between(0x1010101, _WORD - 1)
    reader, width = ("$get32", 4) if wide else ("$get16", 2)
    t = text(voice, key=voice.number(key), width=width)
    lines = t.fill(f"if {reader}($p) != $key:\n    return False\n$p = $p[$width:]")
    return Guard(lines, voice.pack32(key) if wide else voice.pack16(key))


def lock(voice: Voice, draw: Draw) -> Guard:
    """One masked byte."""
    factor, add, solution = draw.between(3, 255) | 1, draw.between(1, 255), draw.between(1, 255)
    t = text(voice, factor=factor, add=add, want=(solution * factor + add) % 256)
    lines = t.fill(
        "if not $p or ($p[0] * $factor + $add) % 256 != $want:\n    return False\n$p = $p[1:]"
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
        twisted=voice.field(),
    )
    lines = t.fill(
        "$twisted = ($get32($p) << $left | $get32($p) >> $right) & 0xFFFFFFFF\n"
        "if len($p) < 4 or ($twisted * $factor + $add) & 0xFFFFFFFF != $want:\n"
        "    return False\n"
        "$p = $p[4:]"
    )
    return Guard(lines, voice.pack32(solution))


def mode(voice: Voice, draw: Draw) -> Guard:
    """A mode that another record sets."""
    name, value = voice.function(), draw.between(2, 255)
    t = text(voice, mode=voice.field(), value=value)
    body = """
    @gate@
    $c.$mode = $p[0]
    return True
    """
    return Guard(
        t.fill("if $c.$mode != $value:\n    return False"),
        before=(Record(name, bytes([value])),),
        routines=(t.routine(name, body, span=(1, 3)),),
        members=t.fill("self.$mode = 0"),
    )


def stages(voice: Voice, draw: Draw, steps: int, masked: bool) -> Guard:  # noqa: FBT001 - as in C
    """*steps* 16-bit words, one a record, in order; a wrong one starts again."""
    name = voice.function()
    words = [draw.between(0x101, 0xFFFF) for _ in range(steps)]
    mask = draw.between(0x101, 0xFFFF) if masked else 0
    listed = ", ".join(voice.number(word ^ mask) for word in words)
    t = text(
        voice,
        stage=voice.field(),
        steps=steps,
        table=voice.field(),
        mask=voice.number(mask),
        listed=listed,
    )
    veil = " ^ $mask" if masked else ""
    body = f"""
    $table = ($listed,)
    @gate@
    if $c.$stage < $steps:
        fits = $get16($p){veil} == $table[$c.$stage]
        $c.$stage = $c.$stage + 1 if fits else 0
    return True
    """
    return Guard(
        t.fill("if $c.$stage != $steps:\n    return False"),
        before=tuple(Record(name, voice.pack16(word)) for word in words),
        routines=(t.routine(name, body, span=(2, 4)),),
        members=t.fill("self.$stage = 0"),
    )
