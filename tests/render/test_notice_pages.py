"""The operators' pages: the reader's own components, what to do, or unknown and what to ask."""

from dataclasses import replace

import pytest

from leadline.app.match import samples
from leadline.core.clearing.match import match
from leadline.core.clearing.notice import Notice, notice, questions
from leadline.core.clearing.product import Operator
from leadline.core.errors import Invalid
from leadline.render.document import Facts
from leadline.render.html import html
from leadline.render.notice_pages import (
    NOTHING,
    notice_document,
    operator_document,
    questions_document,
)
from render.markup import read
from render.pages_sample import ADVISORIES, operator_documents
from render.sample import START

SAMPLES = {sample.operator.id: sample for sample in samples()}
HOSPITAL = SAMPLES["rural-hospital"]


def hospital_notice() -> Notice:
    """The hospital's notice about the first advisory."""
    held = match(HOSPITAL.inventory, ADVISORIES)
    made = notice(HOSPITAL.operator, HOSPITAL.sector, HOSPITAL.inventory, held, ADVISORIES[0])
    assert made
    return made


def test_a_notice_says_where_what_and_how_to_see_that_it_worked() -> None:
    """Place, installed release, action, check, contact, advisory and marking stand on one page."""
    held = hospital_notice()
    document = notice_document(held, START)
    words = read(html(document)).words()
    assert document.sections == ()
    assert document.marking == "TLP:AMBER+STRICT"
    for part in (
        held.heading,
        held.touches,
        held.affected[0].where,
        held.affected[0].installed,
        *held.actions,
        *held.checks,
        held.whom,
        held.advisory,
        "3 November 2026, 09:00 UTC",
    ):
        assert part in words, part


def test_several_notices_fit_one_table_and_follow_at_length() -> None:
    """The first sheet holds one row for each advisory with what to do; the shared steps stand once."""
    document = operator_documents()["rural-hospital"]
    assert document.title == "3 advisories touch what you run"
    cover = read(html(replace(document, sections=()))).words()
    for name, fix in (("bsdiff4", "1.2.0"), ("ujson", "5.2.0"), ("cmarkgfm", "0.8.0")):
        assert f"Replace {name} by {fix}" in cover
    assert cover.count("If it cannot be replaced tonight") == 1
    headings = [section.heading.partition(":")[0] for section in document.sections]
    assert headings[:3] == ["bsdiff4", "ujson", "cmarkgfm"]


def test_the_water_utilitys_lines_are_unknown_with_a_question_each() -> None:
    """Every line is there, says unknown and why, and what to ask the maker; none says unaffected."""
    utility = SAMPLES["water-utility"]
    asked = questions(utility.operator, utility.sector, utility.inventory)
    assert asked
    document = questions_document(asked, START)
    words = read(html(document)).words()
    assert words.count("unknown: the list does not say") == len(asked.lines)
    assert all(line.ask in words for line in asked.lines)
    assert "not affected" not in words


def test_an_operator_is_shown_nothing_of_another() -> None:
    """A notice for somebody else is refused, and no page names another operator."""
    other = Operator("x", "Other", "health", "Nobody.", sample=False)
    with pytest.raises(Invalid, match="Other alone"):
        operator_document(other, (hospital_notice(),), (), START)
    for id_, document in operator_documents().items():
        words = read(html(document)).words()
        assert SAMPLES[id_].operator.name in words
        assert not [s for key, s in SAMPLES.items() if key != id_ and s.operator.name in words]


def test_a_list_that_no_advisory_names_gets_a_page_that_says_so() -> None:
    """Nothing named is no statement about other flaws."""
    document = operator_document(HOSPITAL.operator, (), (), START)
    assert document.title == "Nothing on your list is named"
    assert NOTHING in read(html(document)).words()


def test_a_sample_operator_is_called_one() -> None:
    """An invented operator is named as invented, once."""
    plain = replace(HOSPITAL.operator, name="Alder Creek")
    assert operator_document(plain, (), (), START).kicker == "For Alder Creek (sample, invented)"
    real = replace(plain, sample=False)
    assert operator_document(real, (), (), START).kicker == "For Alder Creek"
    assert operator_document(HOSPITAL.operator, (), (), START).kicker == (
        f"For {HOSPITAL.operator.name}"
    )


def test_a_due_date_is_shown_where_there_is_one() -> None:
    """The page never invents urgency, and never hides it."""
    rows = [
        block.rows
        for section in notice_document(replace(hospital_notice(), due="14 days"), START).cover
        for block in section.blocks
        if isinstance(block, Facts)
    ]
    assert ("Due", "14 days") in rows[0]
    assert "Due" not in read(html(notice_document(hospital_notice(), START))).words()
