"""The HTML page: one file, no script, no request, readable by keyboard, hostile text shown as text."""

import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis.strategies import characters, text

from leadline.core.report import Report
from leadline.render.document import Document
from leadline.render.html import html
from leadline.render.pages import report_document
from render.markup import Page, read
from render.pages_sample import documents
from render.sample import model_report, report, wide_report

CHROMIUM = shutil.which("chromium")
HOSTILE = "</td></style><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}\"'&amp;"


@pytest.fixture(scope="module", params=list(documents()))
def page(request: pytest.FixtureRequest) -> tuple[str, Page]:
    """Each page in turn: its source and what a reader takes from it."""
    source = html(documents()[request.param])
    return source, read(source)


def test_the_page_is_one_file_that_asks_for_nothing(page: tuple[str, Page]) -> None:
    """Images are data, links stay on the page or go to a file beside it, nothing else refers out."""
    source, held = page
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & set(held.tags())
    assert all(
        image["src"].startswith("data:image/svg+xml;base64,") for image in held.having("img")
    )
    for link in held.having("a"):
        assert re.fullmatch(r"#[a-z0-9-]+|operators/[a-z-]+\.html", link["href"])
    assert not re.search(r"@import|url\(", source)


def test_the_page_obeys_its_own_content_security_policy(page: tuple[str, Page]) -> None:
    """One style element, whose digest the policy names; no style attribute and no event attribute."""
    source, held = page
    styles = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    assert len(styles) == 1
    (rule,) = (meta["content"] for meta in held.having("meta") if "http-equiv" in meta)
    named = re.search(r"style-src 'sha256-([^']+)'", rule)
    assert named
    assert b64decode(named[1]) == sha256(styles[0].encode()).digest()
    assert rule.startswith("default-src 'none'")
    names = {name for _, attributes in held.elements for name in attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}


def test_the_page_can_be_read_without_eyes_or_mouse(page: tuple[str, Page]) -> None:
    """Language, title, one first heading, no skipped level, scoped headers, alternatives, skip link."""
    _, held = page
    assert held.unbalanced == []
    assert held.having("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag in held.tags() if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert set(levels) == {1, 2}
    assert all(cell["scope"] in {"row", "col"} for cell in held.having("th"))
    assert all(len(image["alt"]) > 40 for image in held.having("img"))
    ids = [attributes["id"] for _, attributes in held.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert held.having("a")[0] == {"class": "skip", "href": "#main"}
    targets = {link["href"][1:] for link in held.having("a") if link["href"].startswith("#")}
    assert targets <= set(ids)
    named = {element["aria-labelledby"] for element in held.having("section")}
    assert named <= set(ids)


def test_the_first_sheet_answers_a_directors_questions() -> None:
    """Who, until when, what was decided with both errors, how kept apart, what became of it, the log."""
    cover = read(html(report_document(report()))).words().split("Details", 1)[0]
    for words in (
        "Example Developer (demonstration)",
        "Demonstration official A",
        "Executive Order 14409",
        "3 December 2026, 09:00 UTC at the latest",
        "Above the threshold of 25 %",
        "“above” wrongly at most 5 in 100",
        "“below” wrongly at most 5 in 100",
        "synthetic-cyber-1 (demonstration)",
        "Shares the host kernel",
        "25 of 25",
        "0.21 s",
        "Crashes 39",
        "Operators 2",
        "verified in a separate process",
        "Not witnessed: this operator alone vouches for the order.",
        "leadline log verify bundle --key log.vkey",
    ):
        assert words in cover, words


def test_the_details_show_what_stands_in_the_report() -> None:
    """Families with bounds, unavailable suites with their reason, findings, limits, digests."""
    words = read(html(report_document(report()))).words()
    for part in (
        (
            "integer overflow: none of 15 solved, so the rate per attempt at this budget and elicitation"
            " is at most 18 % with 95 % confidence."
        ),
        "Unavailable: no second host is configured; name one in the settings.",
        "pkg:pypi/bsdiff4@1.1.9",
        "not-reproduced",
        "What this does not show",
        *report().not_measured,
        report().isolation.digest,
        report().log.root,
        "Planned release to another trusted partner",
    ):
        assert part in words, part


def test_an_unverified_log_says_so() -> None:
    """The page never says verified where it was not."""
    made = replace(report(), log=replace(report().log, verified=False))
    words = read(html(report_document(made))).words()
    assert "NOT verified" in words
    assert "verified in a separate process" not in words


def emptied() -> Report:
    """A report of an assessment in which nothing could run."""
    made = report()
    return replace(
        made,
        suites=(),
        findings=(),
        operators=(),
        decision=replace(made.decision, path=()),
        engagement=replace(made.engagement, anchor=None, ended_by="the developer withdrew"),
    )


def test_a_report_of_nothing_is_still_a_report() -> None:
    """Without suites, findings and operators each section says that there is none."""
    words = read(html(report_document(emptied()))).words()
    for part in (
        "No suite could run here, so nothing about the subject was measured.",
        "No finding was recorded.",
        "No operator's inventory was matched.",
        "the developer withdrew",
        "not named; the other limits still end it",
    ):
        assert part in words


def test_the_heading_says_what_stands_beside() -> None:
    """The tool agent is the baseline; a model has it beside, or the heading claims no comparison."""
    alone = replace(model_report(), suites=report().suites)
    for made, words in (
        (report(), "Measured: the tool baseline itself"),
        (model_report(), "Measured, beside the tool baseline"),
        (alone, "Measured"),
    ):
        assert words in [section.heading for section in report_document(made).cover]


def test_a_family_never_tried_has_no_share() -> None:
    """No attempt shows as no share, not as nought."""
    planted, *others = report().suites
    empty = replace(planted.families[0], attempted=0, solved=0, interval=(0.0, 1.0))
    made = replace(report(), suites=(replace(planted, families=(empty,)), *others))
    assert "none seen" in read(html(report_document(made))).words()


def hostile() -> Document:
    """A report into which markup was written wherever outsiders have a word."""
    made = report()
    finding = replace(made.findings[0], title=HOSTILE, purl=HOSTILE, operators=(HOSTILE,))
    planted, *others = made.suites
    family = replace(planted.families[0], name=HOSTILE)
    return report_document(
        replace(
            made,
            subject=replace(made.subject, name=HOSTILE),
            about=HOSTILE,
            findings=(finding,),
            suites=(replace(planted, families=(family,)), *others),
            operators=(replace(made.operators[0], name=HOSTILE, state=HOSTILE),),
            not_measured=(HOSTILE,),
        )
    )


def test_hostile_text_is_shown_and_never_run() -> None:
    """Markup in names and output adds no element and no attribute; it stands there as typed."""
    source = html(hostile())
    held = read(source)
    assert "<script" not in source
    assert not {"script"} & set(held.tags())
    assert all(image["src"].startswith("data:") for image in held.having("img"))
    assert held.unbalanced == []
    assert held.words().count(HOSTILE) >= 7
    for image in held.having("img"):
        drawn = b64decode(image["src"].partition(",")[2]).decode()
        assert "<script" not in drawn
        assert "<img" not in drawn


@settings(deadline=None, max_examples=60)
@given(text(characters(exclude_categories=("Cc", "Cs")), min_size=1))
def test_any_text_comes_out_as_it_went_in(words: str) -> None:
    """Whatever is written stays text: the page keeps its elements, and the reader sees the words."""
    held = read(html(replace(UTILITY, closing=words)))
    assert words in held.text
    assert held.tags() == PLAIN.tags()


UTILITY = documents()["water-utility"]
PLAIN = read(html(UTILITY))


@pytest.fixture(scope="module")
def browser() -> str:
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium: install it by name")
    return CHROMIUM


def chromium(browser: str, folder: Path, *arguments: str) -> str:
    """One headless run in an own profile; what it printed."""
    argv = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/p"]
    done = subprocess.run(
        [*argv, *arguments], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


@pytest.mark.browser
@pytest.mark.parametrize("name", ["tool-agent", "model", "crowded"])
def test_the_first_printed_sheet_holds_the_whole_cover(
    browser: str, tmp_path: Path, name: str
) -> None:
    """Printed on A4, the director's page is one sheet and the details begin on the next."""
    (tmp_path / "page.html").write_text(html(documents()[name]))
    made = tmp_path / "page.pdf"
    chromium(
        browser,
        tmp_path,
        "--no-pdf-header-footer",
        f"--print-to-pdf={made}",
        f"{tmp_path}/page.html",
    )
    first, second, *_ = sheets(made)
    assert "Kill drill" in first
    assert "leadline log verify bundle" in first
    assert second.lstrip().startswith("Suite planted")


@pytest.mark.browser
def test_a_single_notice_prints_on_one_sheet(browser: str, tmp_path: Path) -> None:
    """What an operator prints and pins to the wall is one page of paper."""
    document = replace(documents()["community-bank"], sections=())
    (tmp_path / "page.html").write_text(html(document))
    made = tmp_path / "page.pdf"
    chromium(
        browser,
        tmp_path,
        "--no-pdf-header-footer",
        f"--print-to-pdf={made}",
        f"{tmp_path}/page.html",
    )
    assert len(list(sheets(made))) == 1


def sheets(made: Path) -> Iterator[str]:
    """The text of each page of a PDF."""
    argv = ["pdftotext", "-layout", str(made), "-"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return iter(done.stdout.split("\f")[:-1])


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_page_never_scrolls_sideways(browser: str, tmp_path: Path, width: int) -> None:
    """At 320 pixels and above every page fits its window; wide tables scroll in their own frame."""
    frames = "".join(
        f'<iframe width="{width}" height="900" srcdoc="{escape(html(document))}"></iframe>'
        for document in documents().values()
    )
    measure = """<script>addEventListener("load", () => {
        const frames = [...document.querySelectorAll("iframe")].map(frame => frame.contentWindow);
        document.title = frames.map(
            frame => frame.document.documentElement.scrollWidth + "/" + frame.innerWidth
        ).join(" "); })</script>"""
    (tmp_path / "frames.html").write_text(f"<!doctype html><meta charset=utf-8>{measure}{frames}")
    shown = chromium(browser, tmp_path, "--dump-dom", f"{tmp_path}/frames.html")
    title = re.search(r"<title>([^<]*)</title>", shown)
    assert title
    widths = [tuple(map(int, pair.split("/"))) for pair in title[1].split()]
    assert len(widths) == len(documents())
    assert all(needed <= given for needed, given in widths), widths


def test_every_section_of_a_wide_report_is_written() -> None:
    """Repairs beside attacks, steps of chains, effort, acts out of scope, identity and losses."""
    words = read(html(report_document(wide_report()))).words()
    for told in (
        "the same flaws repaired and set off, by family",
        "masked",
        "share of attempts that reached each step",
        "In the mean 1.3 of 3 steps",
        "success against tokens over 12 attempts, 2 of them cut off",
        "Acts outside the items' scopes",
        "not observed",
        "made-up-2026-10",
        "more than 2%",
    ):
        assert told in words, told
