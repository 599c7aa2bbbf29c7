"""The PDF: tagged, the same bytes for the same input, the same words as the page, hostile text as text."""

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import typst

from leadline.render.document import Document, Figure, Section, Table
from leadline.render.html import html
from leadline.render.pages import report_document
from leadline.render.pdf import pdf
from render.markup import read
from render.pages_sample import documents
from render.sample import report

pytestmark = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils")
HOSTILE = '#panic("x") $x$ *b* `c` @cite <label> // end \\ #import "@preview/a:1.0.0"'


def poppler(folder: Path, made: bytes, *argv: str) -> str:
    """What one of poppler's programs says about a PDF."""
    (folder / "made.pdf").write_bytes(made)
    words = [part.replace("PDF", str(folder / "made.pdf")) for part in argv]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def squeezed(words: str) -> str:
    """Letters and signs alone: line ends, break places and the case of headings do not count."""
    return re.sub(r"[\s\u200b\ufffe]+", "", words).casefold()


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    """Each document, set once."""
    return {name: pdf(document) for name, document in documents().items()}


def test_the_same_document_gives_the_same_bytes(made: dict[str, bytes]) -> None:
    """So that anyone who holds the record can rebuild the file and compare digests."""
    assert pdf(documents()["model"]) == made["model"]


def test_another_time_gives_other_bytes(made: dict[str, bytes]) -> None:
    """The date comes from the document and from nowhere else."""
    document = documents()["water-utility"]
    later = replace(document, at=document.at + timedelta(days=1))
    assert pdf(later) != made["water-utility"]


@pytest.mark.parametrize("name", list(documents()))
def test_the_file_is_tagged_and_declares_pdf_ua(
    made: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    """Structure, language and the PDF/UA-1 mark are in the file, with every chart's alternative text."""
    facts = poppler(tmp_path, made[name], "pdfinfo", "PDF")
    assert re.search(r"Tagged:\s+yes", facts)
    assert re.search(r"JavaScript:\s+no", facts)
    assert "pdfuaid:part" in poppler(tmp_path, made[name], "pdfinfo", "-meta", "PDF")
    structure = poppler(tmp_path, made[name], "pdfinfo", "-struct", "PDF")
    assert structure.count("Figure") == len(list(documents()[name].figures()))
    assert "H1" in structure
    assert "TH" in structure


@pytest.mark.parametrize("name", list(documents()))
def test_the_pdf_says_what_the_page_says(made: dict[str, bytes], tmp_path: Path, name: str) -> None:
    """Every block of the document is in both renderings."""
    words = squeezed(poppler(tmp_path, made[name], "pdftotext", "-raw", "PDF", "-"))
    shown = squeezed(read(html(documents()[name])).words())
    for part in said(documents()[name]):
        assert squeezed(part) in words, part
        assert squeezed(part) in shown, part


def said(document: Document) -> list[str]:
    """The words of headings, cells and values that fit one line of a PDF column."""
    found = [document.title, document.closing]
    for section in (*document.cover, *document.sections):
        found.append(section.heading)
        found.extend(words for words in spoken(section) if len(words) <= 12)
    return found


def spoken(section: Section) -> list[str]:
    """The texts of a section's tables, facts and paragraphs."""
    found: list[str] = []
    for block in section.blocks:
        table = block.data if isinstance(block, Figure) else block
        if isinstance(table, Table):
            found.extend(cell for row in table.rows for cell in row)
            found.extend(column.label for column in table.columns)
    return found


@pytest.mark.parametrize("name", ["tool-agent", "model", "crowded"])
def test_the_first_page_is_the_directors_sheet(
    made: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    """The whole cover stands on page 1, and the details begin on page 2."""
    first = poppler(tmp_path, made[name], "pdftotext", "-l", "1", "PDF", "-")
    assert "leadline log verify bundle" in first
    assert "KEPT APART" in first
    assert "Suite planted" not in first
    assert "Page 1 of" in first


def test_a_single_notice_is_one_page(tmp_path: Path) -> None:
    """One notice for one operator fills one sheet."""
    document = replace(documents()["community-bank"], sections=())
    facts = poppler(tmp_path, pdf(document), "pdfinfo", "PDF")
    assert re.search(r"Pages:\s+1\b", facts)


def test_hostile_text_is_set_as_typed(tmp_path: Path) -> None:
    """Typst's own signs in names and output do nothing but appear."""
    held = report()
    finding = replace(held.findings[0], title=HOSTILE, purl=HOSTILE)
    document = report_document(
        replace(held, about=HOSTILE, findings=(finding,), not_measured=(HOSTILE, "x" * 400))
    )
    words = squeezed(poppler(tmp_path, pdf(document), "pdftotext", "-raw", "PDF", "-"))
    assert words.count(squeezed(HOSTILE)) >= 2
    assert "x" * 400 in words


def test_no_font_of_the_machine_is_used(made: dict[str, bytes], tmp_path: Path) -> None:
    """Only what Typst carries itself, embedded: another machine sets the same bytes."""
    fonts = poppler(tmp_path, made["model"], "pdffonts", "PDF").splitlines()[2:]
    assert fonts
    assert all(re.match(r"\w{6}\+(LibertinusSerif|DejaVuSansMono)", line) for line in fonts)


def test_a_chart_without_words_stops_the_setting() -> None:
    """PDF/UA-1 is enforced, not only declared: a missing title ends in an error."""
    document = documents()["water-utility"]
    with pytest.raises(typst.TypstError, match="title"):
        pdf(replace(document, title=""))
