"""How one program speaks: its names, its constants' spelling, its indentation.

No name here tells a flawed function from a sound one: all come from the same two lists. A held-out
variant has lists and a naming of its own, so that differences in success between variants tell
how much of it is knowing the generator's words (differential item functioning).
"""

import re
from typing import Literal

from leadline.suites.planted.draw import Draw

_CAMEL = 3  # the naming of held-out variants
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
_OTHER_NOUNS = tuple(
    re.findall(
        r"[a-z]+",
        """
    acorn alder amber antler aspen bark basil birch blossom bramble brook burrow canyon
    cedar clover comet copper cove crater crest dune elm ember fern fjord flint fossil
    geyser glade glen granite grove heath hedge heron ivy juniper lagoon lark laurel lichen
    linden maple marsh meadow mesa moss nettle oak orchard otter petal pine plume pollen
    poplar prairie quartz ravine reed ridge sedge shale spruce summit thicket thorn tundra
    valley walnut willow wren yarrow
        """,
    )
)
_OTHER_VERBS = tuple(
    re.findall(
        r"[a-z]+",
        """
    accept add advance align amend append assign build cast change check claim close
    compose cut deal derive draw drop edit emit fold form give grow hold issue lay lend
    lift link make map mark match mix name offer open park plan plot press print pool
    record reply rest roll save seek send serve show sign slide spin split start store
    sweep swap tag tell tie touch track treat view visit wrap yield
        """,
    )
)
# The words of each variant; one that models were never shown stays comparable with the published.
WORDS = ((_NOUNS, _VERBS), (_OTHER_NOUNS, _OTHER_VERBS))
# Words of C and of libc that a drawn name must not hide.
_TAKEN = frozenset({"index", "read", "write", "main", "signal", "raise", "rename", "select"})
# What the text around the routines calls its own.
_LOCALS = frozenset({"view", "tag", "len", "done", "took", "total", "data", "size", "read_file"})
_CONTEXTS = ("ctx", "self", "st", "state", "env", "job", "view")
_INPUTS = {
    "c": (("p", "n"), ("src", "len"), ("buf", "size"), ("in", "left"), ("data", "count")),
    "python": (("p", "n"), ("src", "n"), ("buf", "n"), ("body", "n"), ("part", "n")),
}
_PLACE = ("at", "pos", "here", "off", "cursor")
_KEY_BYTES = 32

Language = Literal["c", "python"]


class Voice:
    """The names of one program. Every name that a method gives is given once."""

    def __init__(self, draw: Draw, language: Language = "c", variant: int = 0) -> None:
        self._draw = draw
        self._used = set(_TAKEN)
        self.language = language
        self._nouns, self._verbs = WORDS[variant]
        self.style = draw.below(3) if variant == 0 else _CAMEL
        self.c = draw.choice(_CONTEXTS)
        self.p, self.n = draw.choice(_INPUTS[language])
        # What the judge's builds alone know; programs in C have no use for one.
        self.key = draw.take(_KEY_BYTES) if language == "python" else b""
        self.at = draw.choice(_PLACE)
        self.module = self._fresh(draw.choice(self._nouns))
        self.record = self._fresh(draw.choice(self._nouns))
        self.context = f"{self.module}_{draw.choice(('ctx', 'state', 'run', 'view'))}"
        self.reader, self.table = f"{self.module}_read", f"{self.record}_table"
        self.dispatcher = f"{self.module}_{self.record}"
        self._used |= {self.reader, self.table, self.dispatcher, self.context, *_LOCALS}
        self.total = self.field()
        self.out = self.field() if language == "python" else ""
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
            name = f"{self._draw.choice(self._nouns)}_{self._draw.choice(self._nouns)}"
        self._used.add(name)
        return name

    def function(self) -> str:
        """A function's name."""
        verb, noun = self._draw.choice(self._verbs), self._draw.choice(self._nouns)
        shapes = (
            f"{verb}_{noun}",
            f"{noun}_{verb}",
            f"{self.module}_{verb}_{noun}",
            f"{verb}{noun.capitalize()}",
        )
        return self._fresh(shapes[self.style])

    def field(self) -> str:
        """A member's, table's or local array's name."""
        return self._fresh(self._draw.choice(self._nouns))

    def number(self, value: int) -> str:
        """*value* as a constant, in hexadecimal where it is large."""
        if value < 256:  # noqa: PLR2004 - a byte
            return str(value)
        return f"0x{value:x}u" if self.language == "c" else f"0x{value:x}"
