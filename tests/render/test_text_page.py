"""A page at a terminal: every kind of block, in words, no line wider than the screen."""

import pytest

from leadline.render.document import Figure
from leadline.render.html import html
from leadline.render.text import WIDTH, text
from render.markup import read
from render.pages_sample import documents


@pytest.mark.parametrize("name", list(documents()))
def test_the_terminal_says_what_the_page_says(name: str) -> None:
    """Panels, facts, tables, steps, commands; of a chart its words."""
    document = documents()[name]
    told = text(document)
    flat = " ".join(told.split())
    for section in (*document.cover, *document.sections):
        assert " ".join(section.heading.upper().split()) in flat
        for block in section.blocks:
            if isinstance(block, Figure):
                assert " ".join(block.alt.split()) in flat
    assert " ".join(document.closing.split()) in flat
    assert document.title in " ".join(read(html(document)).words().split())


def test_lines_fit_a_terminal() -> None:
    """Only a single long word, such as an address, is wider."""
    for document in documents().values():
        for line in text(document).splitlines():
            assert len(line) <= WIDTH or " " not in line.strip() or line.startswith("    "), line
