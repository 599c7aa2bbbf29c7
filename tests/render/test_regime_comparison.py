"""One engagement under several texts: the dates of the picture, worked out by hand."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadline.render.comparison import Story, regimes_compared, story
from leadline.render.document import Figure
from leadline.wiring.regimes import library

LAW = library()
DOCS = Path(__file__).resolve().parents[2] / "docs"
# Texts drawn twice, once as a white edge: three of each text of the programme's, five of the Act's.
LINES = range(2 * (3 + 3 + 5))
ANCHOR = datetime(2026, 12, 1, 9, tzinfo=UTC)


def drawn(*ids: str, told: Story | None = None) -> Figure:
    """The picture of these regimes."""
    return regimes_compared([LAW.newest(id_) for id_ in ids], LAW, told or story(ANCHOR))


def rows(*ids: str, told: Story | None = None) -> dict[tuple[str, str], tuple[str, str]]:
    """From and until, by regime and what."""
    found = drawn(*ids, told=told).data.rows
    return {(row[0], row[1]): (row[2], row[3]) for row in found}


def test_the_same_acts_under_the_order_the_draft_and_the_act() -> None:
    """Thirty days, ninety days, and no window but reports: every date counted by hand."""
    found = rows("us-eo-14409", "us-draft-2026-05-90", "eu-ai-act-gpai")
    at = "09:00 UTC"
    may, is_open = "access may open", "access is open"
    ends = f"24 November 2026, {at}, by withdrawal"
    office = "European AI Office"
    assert found == {
        ("us-eo-14409", may): (f"1 November 2026, {at}", f"1 December 2026, {at}"),
        ("us-eo-14409", is_open): (f"5 November 2026, {at}", ends),
        ("us-eo-14409", "reports"): ("", "no report in this text"),
        ("us-draft-2026-05-90", may): (f"2 September 2026, {at}", f"1 December 2026, {at}"),
        ("us-draft-2026-05-90", is_open): (f"5 November 2026, {at}", ends),
        ("us-draft-2026-05-90", "reports"): ("", "no report in this text"),
        ("eu-ai-act-gpai", "access"): ("", "no access window in this text"),
        ("eu-ai-act-gpai", f"art-55, to {office}"): (
            f"12 November 2026, {at}",
            "no number of days stated",
        ),
        ("eu-ai-act-gpai", f"code-9-3-cybersecurity, to {office}"): (
            f"12 November 2026, {at}",
            f"due 17 November 2026, {at}",
        ),
        ("eu-ai-act-gpai", f"code-9-3-interim, to {office}"): (
            f"12 November 2026, {at}",
            f"due 10 December 2026, {at}",
        ),
        ("eu-ai-act-gpai", f"code-9-3-final, to {office}"): (
            f"22 December 2026, {at}",
            f"due 20 February 2027, {at}",
        ),
    }


def test_the_picture_of_the_docs_is_of_todays_texts() -> None:
    """Every date of the committed picture is one that today's files give, and none is missing."""
    shown = (DOCS / "images" / "regimes-compared.svg").read_text("utf-8")
    today = drawn("us-eo-14409", "us-draft-2026-05-90", "eu-ai-act-gpai").svg
    dated = re.compile(r">((?:due|ends|from|no number|this text)[^<]*)<")
    assert dated.findall(shown) == dated.findall(today)
    assert len(dated.findall(shown)) == len(LINES)


def test_the_picture_says_in_words_what_it_shows() -> None:
    """The text alternative has the acts and each date; the SVG has the words, and asks for nothing."""
    figure = drawn("us-eo-14409", "eu-ai-act-gpai")
    for words in ("anchor 1 December 2026", "24 November 2026", "due 17 November 2026"):
        assert words in figure.alt
    for words in ("us-eo-14409", "(in force)", "due 20 February 2027", "withdrawal"):
        assert words in figure.svg
    assert "http" not in figure.svg.replace("http://www.w3.org/", "")
    assert figure == drawn("us-eo-14409", "eu-ai-act-gpai")


def test_a_text_that_never_had_effect_says_so_beside_its_name() -> None:
    """A reader of the picture alone is not misled."""
    assert "us-draft-2026-05-90 (never in force)" in " ".join(
        drawn("us-draft-2026-05-90").svg.replace("  ", " ").split()
    )


def test_without_the_withdrawal_access_ends_with_the_anchor() -> None:
    """A withdrawal after the end changes nothing; the anchor comes first."""
    late = replace(story(ANCHOR), withdrawn=datetime(2026, 12, 15, tzinfo=UTC))
    found = rows("us-eo-14409", told=late)
    assert found["us-eo-14409", "access is open"][1] == "1 December 2026, 09:00 UTC, by the anchor"


@pytest.mark.parametrize("id_", LAW.ids())
def test_every_text_can_be_drawn(id_: str) -> None:
    """With a window, with reports, with both or neither."""
    figure = drawn(id_)
    assert figure.svg.startswith("<svg")
    assert all(len(row) == len(figure.data.columns) for row in figure.data.rows)
