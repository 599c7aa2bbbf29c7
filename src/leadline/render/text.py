"""A document as lines for a terminal: the same words as on its page, in the same order."""

import textwrap
from collections.abc import Iterator

from leadline.render.document import (
    Block,
    Bullets,
    Command,
    Document,
    Facts,
    Figure,
    Panels,
    Prose,
    Table,
)

WIDTH = 98


def text(document: Document) -> str:
    """The document's words; charts are told by their alternatives."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield document.title
    yield f"{document.kicker}   {document.marking}".rstrip()
    for section in (*document.cover, *document.sections):
        yield from ("", section.heading.upper())
        for block in section.blocks:
            yield from _block(block)
    yield from ("", *_folded(document.closing))


def _block(block: Block) -> Iterator[str]:
    match block:
        case Bullets(items, ordered):
            for at, item in enumerate(items, 1):
                yield from _folded(item, f"  {at}. " if ordered else "  - ")
        case Facts(rows) | Table(rows=rows):
            between = ": " if block.kind == "facts" else "; "
            for row in rows:
                yield from _folded(between.join(cell for cell in row if cell), "  ")
        case Panels(panels):
            for panel in panels:
                yield from _folded(f"{panel.label}: {panel.value}; {panel.note}", "  ")
        case Prose(text=words) | Figure(alt=words) | Command(about=words):
            yield from _folded(words)
            if isinstance(block, Command):
                yield f"    {block.line}"


def _folded(words: str, before: str = "") -> list[str]:
    rest = " " * len(before)
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=before,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
