"""One document, two renderings: what a page says, block by block, before HTML or PDF shapes it.

A `Document` holds words and finished charts and nothing else; `html` and `pdf` walk the same blocks
in the same order, so that neither can say what the other does not. All text is plain: markup in it
stays visible as typed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph; *strong* sets it apart as the one to read first."""

    text: str
    strong: bool = False
    kind: str = "prose"


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value pairs; *exact* values are digests and commands, set in fixed width."""

    rows: tuple[tuple[str, str], ...]
    exact: bool = False
    kind: str = "facts"


@dataclass(frozen=True, slots=True)
class Panel:
    """A small statement with one figure or word at its centre."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Panels:
    """Panels side by side, wrapping where there is no room; *joined* ones lead into each other."""

    panels: tuple[Panel, ...]
    joined: bool = False
    kind: str = "panels"


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column; numbers stand flush right."""

    label: str
    number: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under named columns; the first cell of a row is its header.

    *links* maps a row header to the relative page it leads to.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    links: tuple[tuple[str, str], ...] = ()
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Figure:
    """A static SVG chart with what it shows in words (*alt*) and its data as a table."""

    caption: str
    alt: str
    svg: str
    data: Table
    kind: str = "figure"


@dataclass(frozen=True, slots=True)
class Bullets:
    """Short statements, one a line; *ordered* ones are steps."""

    items: tuple[str, ...]
    ordered: bool = False
    kind: str = "bullets"


@dataclass(frozen=True, slots=True)
class Command:
    """A line to type, and what it shows."""

    line: str
    about: str
    kind: str = "command"


Block = Prose | Facts | Panels | Table | Figure | Bullets | Command


@dataclass(frozen=True, slots=True)
class Section:
    """A headed run of blocks; *id* is the anchor.

    A *beside* section stands next to the one before it where the sheet is wide enough; a *framed* one
    is what the reader came for.
    """

    id: str
    heading: str
    blocks: tuple[Block, ...]
    beside: bool = False
    framed: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document. *cover* fills the first sheet, *sections* follow.

    *at* dates the PDF, so that the same document gives the same bytes. *marking* and *record* stand
    on every page; *closing* ends the document.
    """

    title: str
    kicker: str
    marking: str
    record: str
    at: datetime
    closing: str
    cover: tuple[Section, ...]
    sections: tuple[Section, ...] = ()

    def figures(self) -> Iterator[Figure]:
        """Every chart, in reading order."""
        for section in (*self.cover, *self.sections):
            for block in section.blocks:
                if isinstance(block, Figure):
                    yield block
