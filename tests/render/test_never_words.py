"""No page says a word that would mean a release was allowed or refused."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from leadline.core.report import DecisionState
from leadline.render.html import html
from leadline.render.pages import report_document
from leadline.render.pdf import pdf
from render.markup import read
from render.never_words import ALLOWED, said
from render.pages_sample import documents
from render.sample import report


@pytest.mark.parametrize("name", list(documents()))
def test_no_page_says_a_never_word(name: str) -> None:
    """The text and the attributes that are read aloud, on every page."""
    held = read(html(documents()[name]))
    spoken = [
        value
        for tag, attributes in held.elements
        for key, value in attributes.items()
        if key in {"alt", "aria-label", "title"} or (tag == "meta" and key == "description")
    ]
    assert list(said(" ".join([held.words(), *spoken]))) == []


@pytest.mark.parametrize("state", DecisionState)
def test_no_decision_says_a_never_word(state: DecisionState) -> None:
    """Each of the three answers, and a log that was not verified."""
    made = replace(
        report(),
        decision=replace(report().decision, state=state),
        log=replace(report().log, verified=False),
    )
    assert list(said(read(html(report_document(made))).words())) == []


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils")
@pytest.mark.parametrize("name", list(documents()))
def test_no_pdf_says_a_never_word(tmp_path: Path, name: str) -> None:
    """The text that a reader copies out of the PDF."""
    (tmp_path / "made.pdf").write_bytes(pdf(documents()[name]))
    argv = ["pdftotext", "-raw", str(tmp_path / "made.pdf"), "-"]
    words = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert list(said(words.replace("\u200b", ""))) == []


@pytest.mark.parametrize(
    "word",
    ["approved", "Cleared", "licence", "blocked", "passed", "unsafe", "certified", "must", "Score"],
)
def test_the_word_check_finds_what_it_looks_for(word: str) -> None:
    """The check itself is not hollow."""
    assert list(said(f"The model was {word} yesterday."))


def test_the_allowed_places_are_few_and_have_reasons() -> None:
    """An exception names its whole context and says why."""
    assert all(" " in context or ":" in context for context in ALLOWED)
    assert all(ALLOWED.values())
    assert list(said("TLP:CLEAR, but the model was cleared")) != []
