"""The page of a law is made from its file: each sentence has its clause, each number shows."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import Regime
from leadline.core.errors import LeadlineError
from leadline.formats.regime_toml import load_regime
from leadline.render.document import Bullets, Document
from leadline.render.regime_page import (
    compared,
    comparison_document,
    regime_document,
    regime_table,
)
from leadline.render.regime_words import STALE_DAYS, is_stale
from leadline.render.text import text
from leadline.wiring.regimes import DATA, library

LAW = library()
DAY = date(2026, 11, 21)
FILES = {id_: DATA / "regimes" / f"{id_}.toml" for id_ in LAW.ids()}


def lines(document: Document) -> list[str]:
    """Every sentence of the page that says law."""
    return [
        item
        for section in (*document.cover, *document.sections)
        for block in section.blocks
        if isinstance(block, Bullets)
        for item in block.items
    ]


def told(content: bytes, id_: str) -> str:
    """What page and table say of a file, but for the digest of its bytes."""
    law = load_regime(content, "x.toml", LAW.bodies)
    both = (regime_document(law, LAW, DAY), regime_table(law, LAW, DAY))
    return "".join(map(text, both)).replace(law.digest, "")


@pytest.mark.parametrize("id_", LAW.ids())
def test_each_sentence_cites_a_clause(id_: str) -> None:
    """A source of the file by its citation, or the file's own key."""
    law = LAW.newest(id_)
    cited = {source.citation for source in law.sources}
    found = lines(regime_document(law, LAW, DAY))
    assert len(found) > len(("what", "whom", "do", "who", "ends", "silence", "nothing"))
    for line in found:
        assert line.endswith("]")
        assert line.endswith(tuple(f" [{one}]" for one in cited)) or " [regime file, " in line, line
        assert re.search(r"[.!?] \[", line), line


def changed(content: str) -> list[tuple[str, str]]:
    """The file with one number or date changed, each in turn, outside comments, words and sources."""
    found = []
    for match in re.finditer(r"(?m)^(?!#)(\w+) = (.*)$", content[: content.index("[[sources]]")]):
        if match[1] in {"last_checked", "supersedes"} or match[2].startswith('"'):
            continue
        for one in re.finditer(r"\d{4}-\d\d-\d\d|[\d.]+e\d+|\d[\d_]*", match[2]):
            if "-" in one[0]:
                new = (date.fromisoformat(one[0]) + timedelta(days=1)).isoformat()
            elif "e" in one[0]:
                new = f"2{one[0]}"
            else:
                new = str(int(one[0].replace("_", "")) + 1)
            at = match.start(2) + one.start()
            found.append((f"{match[0]} -> {new}", content[:at] + new + content[at + len(one[0]) :]))
    return found


@pytest.mark.parametrize("id_", LAW.ids())
def test_a_changed_number_or_date_changes_the_page(id_: str) -> None:
    """Whatever number or date of a file is changed, the page is another."""
    content = FILES[id_].read_text("utf-8")
    before = told(content.encode(), id_)
    for what, new in changed(content):
        try:
            after = told(new.encode(), id_)
        except LeadlineError as refusal:
            after = str(refusal)  # a file that contradicts itself has no page
        assert after != before, what


def test_some_numbers_were_tried() -> None:
    """The check above is not empty."""
    assert sum(len(changed(file.read_text("utf-8"))) for file in FILES.values()) > len(FILES)


def test_the_orders_page_answers_the_publics_doubts() -> None:
    """Whether somebody decides on a release, whether it looks into training, and why these days."""
    page = text(regime_document(LAW.newest("us-eo-14409"), LAW, DAY))
    flat = " ".join(page.split())
    assert "no rule of the file makes a release wait for it" in flat
    assert "No report of the file begins with training." in flat
    assert "30 days are the most that access may last, and no number is the least." in flat
    assert "Nothing follows: taking part is voluntary." in flat
    assert "Nothing follows when the access window ends" in flat
    assert "Not the public release." in flat


def test_a_body_has_the_part_that_the_file_gives_it() -> None:
    """Who evaluates or may restrict is not said to advise."""

    def people(id_: str) -> str:
        page = regime_document(LAW.newest(id_), LAW, DAY)
        return " ".join(" ".join(lines(page)).split())

    assert "May ask, evaluate and restrict: European AI Office." in people("eu-ai-act-gpai")
    assert "Evaluates: CAISSI." in people("caisi-agreement-2026")
    assert "Supervises, as reported: Office of the" in people("us-reported-mandatory-2026-05")
    assert "Advises: " not in people("uk-aisi")


def test_what_the_file_alone_says_cites_no_source() -> None:
    """Who names the anchor is no press report's word; a programme's decision is not about a model."""
    found = lines(regime_document(LAW.newest("us-reported-mandatory-2026-05"), LAW, DAY))
    (one,) = [line for line in found if line.startswith("Only the developer names")]
    assert one.endswith("[regime file, [anchor] set_by]")
    private = lines(regime_document(LAW.newest("glasswing-partner-programme"), LAW, DAY))
    assert not [line for line in private if line.startswith("There is an answer to record")]
    assert [line for line in private if line.startswith("Decided is who takes part")]


def test_a_law_to_come_says_from_when_something_follows() -> None:
    """Until its first day nothing follows yet; a text that is over or never came has no such day."""
    before = " ".join(lines(regime_document(LAW.newest("ny-raise"), LAW, date(2026, 12, 31))))
    assert "Nothing follows yet: the text has no effect before 1 January 2027." in before
    since = " ".join(lines(regime_document(LAW.newest("ny-raise"), LAW, date(2027, 1, 1))))
    assert "Nothing follows" not in since
    over = " ".join(lines(regime_document(LAW.newest("eo-14110"), LAW, DAY)))
    assert "Nothing follows: on 21 November 2026 the text has no effect." in over


def test_only_a_statute_says_must() -> None:
    """The heading over what a developer does."""
    for id_ in LAW.ids():
        page = regime_document(LAW.newest(id_), LAW, DAY)
        headings = [one.heading for one in (*page.cover, *page.sections)]
        says = any("must" in one for one in headings)
        assert says is (
            id_ in {"ca-sb53", "ny-raise", "il-sb315", "eu-ai-act-gpai", "eu-cra-art14"}
        )


def test_what_was_never_in_force_says_so_on_every_sheet() -> None:
    """Kicker and record stand on each printed page."""
    page = regime_document(LAW.newest("us-reported-mandatory-2026-05"), LAW, DAY)
    assert "never in force" in page.kicker
    assert "never in force" in page.record
    assert "Nothing follows: on 21 November 2026 the text has no effect." in " ".join(
        text(page).split()
    )


def test_a_body_is_called_by_its_name_of_the_day() -> None:
    """A renamed body has another name on a later page; the file is the same."""
    law = LAW.newest("caisi-agreement-2026")
    early, late = (
        text(regime_document(law, LAW, day)) for day in (date(2026, 9, 1), date(2026, 11, 1))
    )
    assert "CAISSI" not in early
    assert "CAISSI" in late


def test_a_page_says_when_its_sources_are_old() -> None:
    """After 90 days without a look at the sources."""
    law = LAW.newest("us-eo-14409")
    last = law.last_checked + timedelta(days=STALE_DAYS)
    assert not is_stale(law, last)
    assert is_stale(law, last + timedelta(days=1))
    old = text(regime_document(law, LAW, last + timedelta(days=1)))
    assert "long ago" in old
    assert "long ago" not in text(regime_document(law, LAW, last))


def test_texts_side_by_side_fill_every_cell() -> None:
    """All regimes, all rows, each with its citation."""
    laws = [LAW.newest(id_) for id_ in LAW.ids()]
    rows = compared(laws, LAW, DAY)
    for row in rows:
        assert list(row.values) == list(row.cites) == list(LAW.ids())
        assert all(row.values.values()), row.what
        assert all(row.cites.values()), row.what
    ceiling = next(row for row in rows if row.what == "ceiling")
    assert ceiling.values["us-eo-14409"] == "From 30 days before the anchor, for 30 days."
    assert ceiling.values["us-draft-2026-05-90"] == "From 90 days before the anchor, for 90 days."
    assert ceiling.values["eu-ai-act-gpai"] == "None."
    assert "2 days" in next(row for row in rows if row.what == "reports").values["eu-ai-act-gpai"]
    assert "Ceiling" in [one.heading for one in comparison_document(rows, DAY).cover]


def toll_and_more(law: Regime) -> Regime:
    """The order's text with what few texts have: a quorum, a class, a toll, a superseded text."""
    content = FILES["ca-sb53"].read_text("utf-8")
    assert law.id == "us-eo-14409"
    more = content.replace(
        "[[sources]]",
        '[toll]\nreports = ["critical-incident"]\nwords = "The clock stands still."\n'
        f'cites = "{LAW.newest("ca-sb53").reports[0].cites}"\n\n[[sources]]',
        1,
    )
    return load_regime(more.encode(), "x.toml", LAW.bodies)


def test_what_few_texts_have_is_said_too() -> None:
    """A quorum with concurring roles, looking again, recusal, and a toll with the reports it moves."""
    order = LAW.newest("us-eo-14409")
    assert order.decides
    decides = replace(order.decides, quorum=3, concurs=("concurring-official",), reconsiders=True)
    clause = order.lapse
    law = replace(order, decides=decides, recusal=clause, supersedes="0" * 64)
    flat = " ".join(text(regime_document(law, LAW, DAY)).split())
    assert "; 3 officials together, with concurring official concurring." in flat
    assert "The deciding body offers to look again." in flat
    assert len(Library((order,), LAW.bodies).ids()) == 1
    tolled = " ".join(text(regime_document(toll_and_more(order), LAW, DAY)).split())
    assert "that moves the due times of critical-incident and nothing else." in tolled
