"""How one program speaks: its names, its constants' spelling, its indentation.

No name here tells a flawed function from a sound one: all come from the same two lists.
"""

import re

from leadline.suites.planted.draw import Draw

_NOUNS = tuple(
    re.findall(
        r"[a-z]+",
        """
    anchor badge beacon berth bolt buoy cable cargo cask cell chart clasp coil column
    crane crate deck dial dock drum echo ferry flag flume frame gauge glyph grain gully
    harbor hatch hinge index inlet jetty kernel keel knot ladder lamp latch ledger lever
    lock marker mast meter mill notch oar patch pier plank pulley quay rack rail reef
    rivet rope rudder sail scale shelf shoal signal sluice spool staff strand tally tank
    tide tile timber track tray trunk valve vane vessel wedge weir wharf winch yard
        """,
    )
)
_VERBS = tuple(
    re.findall(
        r"[a-z]+",
        """
    absorb adopt apply arrange attach balance bind bring carry catch collect combine
    convey copy couple deliver enter expand extend feed fetch file fit gather handle
    import insert join keep load lodge merge mount move note order pack pass pick place
    post pull push put raise read receive render scan select set settle shape shift sort
    splice stack step store take trace turn unpack update use weigh wind write
        """,
    )
)
# Words of C and of libc that a drawn name must not hide.
_TAKEN = frozenset({"index", "read", "write", "main", "signal", "raise", "rename", "select"})
# What the text around the routines calls its own.
_LOCALS = frozenset({"view", "tag", "len", "done", "took", "total", "data", "size", "read_file"})
_CONTEXTS = ("ctx", "self", "st", "state", "env", "job", "view")
_INPUTS = (("p", "n"), ("src", "len"), ("buf", "size"), ("in", "left"), ("data", "count"))
_PLACE = ("at", "pos", "here", "off", "cursor")


class Voice:
    """The names of one program. Every name that a method gives is given once."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._used = set(_TAKEN)
        self.style = draw.below(3)
        self.c = draw.choice(_CONTEXTS)
        self.p, self.n = draw.choice(_INPUTS)
        self.at = draw.choice(_PLACE)
        self.module = self._fresh(draw.choice(_NOUNS))
        self.record = self._fresh(draw.choice(_NOUNS))
        self.context = f"{self.module}_{draw.choice(('ctx', 'state', 'run', 'view'))}"
        self.reader, self.table = f"{self.module}_read", f"{self.record}_table"
        self.dispatcher = f"{self.module}_{self.record}"
        self._used |= {self.reader, self.table, self.dispatcher, self.context, *_LOCALS}
        self.total = self.field()
        self.get16 = draw.choice(("get16", "rd16", "u16_at", "load16", "half"))
        self.get32 = draw.choice(("get32", "rd32", "u32_at", "load32", "word"))
        self.big_endian = draw.chance(50)
        self.indent = draw.choice(("    ", "  ", "\t"))

    def pack16(self, value: int) -> bytes:
        """*value* in the two bytes that the program's reader of 16 bits takes."""
        return value.to_bytes(2, "big" if self.big_endian else "little")

    def pack32(self, value: int) -> bytes:
        """*value* in the four bytes that the program's reader of 32 bits takes."""
        return value.to_bytes(4, "big" if self.big_endian else "little")

    def _fresh(self, name: str) -> str:
        while name in self._used:
            name = f"{self._draw.choice(_NOUNS)}_{self._draw.choice(_NOUNS)}"
        self._used.add(name)
        return name

    def function(self) -> str:
        """A function's name."""
        verb, noun = self._draw.choice(_VERBS), self._draw.choice(_NOUNS)
        shapes = (f"{verb}_{noun}", f"{noun}_{verb}", f"{self.module}_{verb}_{noun}")
        return self._fresh(shapes[self.style])

    def field(self) -> str:
        """A member's, table's or local array's name."""
        return self._fresh(self._draw.choice(_NOUNS))

    def number(self, value: int) -> str:
        """*value* as a C constant, in hexadecimal where it is large."""
        return str(value) if value < 256 else f"0x{value:x}u"  # noqa: PLR2004
