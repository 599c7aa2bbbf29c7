"""No page says a word that would mean a release was allowed or refused."""

import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from leadline.core.engagement.regime import Participation
from leadline.core.report import DecisionState
from leadline.render.pages import report_document
from leadline.render.pdf import pdf
from leadline.render.regime_page import compared, comparison_document, regime_document, regime_table
from leadline.wiring.regimes import library
from render.pages_sample import documents
from render.sample import report
from words.surfaces import shown
from words.wordlist import said

LAW = library()
DAY = date(2026, 11, 21)


def place_of(id_: str) -> str:
    """Where a law's page counts: a statute may say what a developer must do, a programme may not."""
    statute = LAW.newest(id_).participation is Participation.STATUTE
    return f"pages {'statute' if statute else 'programme'} {id_}"


@pytest.mark.parametrize("name", list(documents()))
def test_no_page_says_a_never_word(name: str) -> None:
    """The text and the attributes that are read aloud, on every page."""
    assert list(said(shown(documents()[name]), f"pages {name}")) == []


@pytest.mark.parametrize("state", DecisionState)
def test_no_decision_says_a_never_word(state: DecisionState) -> None:
    """Each of the three answers, and a log that was not verified."""
    made = replace(
        report(),
        decision=replace(report().decision, state=state),
        log=replace(report().log, verified=False),
    )
    assert list(said(shown(report_document(made)), f"pages {state}")) == []


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils")
@pytest.mark.parametrize("name", list(documents()))
def test_no_pdf_says_a_never_word(tmp_path: Path, name: str) -> None:
    """The text that a reader copies out of the PDF."""
    (tmp_path / "made.pdf").write_bytes(pdf(documents()[name]))
    argv = ["pdftotext", "-raw", str(tmp_path / "made.pdf"), "-"]
    words = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert list(said(words.replace("\u200b", ""), f"pdf {name}")) == []


@pytest.mark.parametrize("id_", LAW.ids())
def test_no_page_of_a_law_says_a_never_word(id_: str) -> None:
    """Explained, and as a table; made from the file alone."""
    law = LAW.newest(id_)
    for document in (regime_document(law, LAW, DAY), regime_table(law, LAW, DAY)):
        assert list(said(shown(document), place_of(id_))) == []


def test_no_comparison_says_a_never_word() -> None:
    """All texts side by side."""
    rows = compared([LAW.newest(id_) for id_ in LAW.ids()], LAW, DAY)
    assert list(said(shown(comparison_document(rows, DAY)), "pages statute comparison")) == []
