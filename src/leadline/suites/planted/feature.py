"""A feature of a program: the functions that serve one purpose, and records that exercise them.

Every feature can be written sound or flawed; the two differ in one place. A program has one flawed
feature, and sound ones beside it that may look just as doubtful (distractors).
"""

from dataclasses import dataclass
from string import Template

from leadline.suites.planted.voice import Voice

GATE = "@gate@"  # the line of a routine's body where the guards before it are written


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the format: the routine it goes to, and its payload without guard bytes."""

    routine: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Routine:
    """One function that takes a payload; *flawed* and *sound* are its bodies."""

    name: str
    flawed: str
    sound: str
    least: int  # fewest payload bytes the dispatcher lets through
    most: int  # most payload bytes


@dataclass(frozen=True, slots=True)
class Feature:
    """*members* of the context, *tables* at file level, *routines*, and what the end must release.

    *closing* are the lines for that, *closer* a function that they call.
    *plain* are record sequences of ordinary use; *edge* one that goes to the bounds and stays
    within; *proof* one that shows the flaw where it is present. *gated* names the routine in which
    guards are placed. *functions* are those in which the flaw shows.

    Programs in Python may need more: *imports*, *placing* (lines that lay out files once, before
    any run) and *captures* (messages made with the judge's key, which every reader may have).
    """

    kind: str
    routines: tuple[Routine, ...]
    gated: str
    plain: tuple[tuple[Record, ...], ...]
    edge: tuple[Record, ...]
    proof: tuple[Record, ...]
    classes: tuple[str, ...]
    functions: tuple[str, ...]
    members: str = ""
    tables: str = ""
    closer: str = ""
    closing: str = ""
    imports: tuple[str, ...] = ()
    placing: str = ""
    captures: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """Fills templates in one program's voice and language."""

    voice: Voice
    names: dict[str, str]

    def fill(self, template: str, **more: str) -> str:
        """*template* with ``$name`` replaced; *more* adds to the names of this text."""
        voice = self.voice
        own = {
            "c": voice.c,
            "p": voice.p,
            "n": voice.n,
            "total": f"{voice.c}{'->' if voice.language == 'c' else '.'}{voice.total}",
            "say": f"{voice.c}.{voice.out}.append" if voice.language == "python" else "",
            "get16": voice.get16,
            "get32": voice.get32,
        }
        return Template(template.strip("\n")).substitute(own | self.names | more)

    def routine(
        self, name: str, template: str, *, flaw: tuple[str, str] = ("", ""), span: tuple[int, int]
    ) -> Routine:
        """The routine *name*: ``$flaw`` stands for the first of *flaw* or, sound, the second.

        A line that holds nothing but an empty ``$flaw`` disappears.
        """
        bodies = [
            "\n".join(
                line
                for line in self.fill(template, flaw=self.fill(part)).splitlines()
                if line.strip()
            )
            for part in flaw
        ]
        return Routine(name, bodies[0], bodies[1], *span)


def text(voice: Voice, **names: str | int) -> Text:
    """A filler with *names* beside those of *voice*."""
    return Text(voice, {name: str(value) for name, value in names.items()})
