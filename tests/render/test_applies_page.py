"""What applies, for people: every text stands in one place, with numbers, days and a citation."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.coverage import Answers, Stage, applies
from leadline.render.applies_page import NOTHING_KEPT, applies_document
from leadline.render.document import Bullets, Document
from leadline.render.text import text
from leadline.wiring.regimes import library, questions

LAW, ASKED = library(), questions()
TODAY = date(2026, 11, 21)


def page(answers: Answers, day: date = TODAY) -> Document:
    """The page for these answers."""
    now = datetime.combine(day, time(), UTC)
    found = [applies(LAW.on(id_, day), answers, now) for id_ in LAW.ids()]
    return applies_document(found, answers, ASKED, day)


def section(document: Document, id_: str) -> str:
    """The words of one section, empty if it is not there."""
    return " ".join(
        item
        for one in document.cover
        if one.id == id_
        for block in one.blocks
        if isinstance(block, Bullets)
        for item in block.items
    )


def test_a_small_model_is_told_the_numbers() -> None:
    """SB 53 does not apply below 10^26 operations, nor do the texts of 2027, and it is said why."""
    found = page(Answers(training_operations=3e24, places=("us",), agreements=()))
    said = section(found, "not")
    assert "California SB 53" in said
    assert "3e24 is not above 10^26 operations" in said
    assert "New York RAISE Act" in said
    assert "From 1 January 2027" in said
    assert "3e24 is not above 10^25 operations" in said
    assert not section(found, "applies")


def test_a_large_developer_is_told_what_it_owes_and_from_when() -> None:
    """What applies today comes first; what applies from a later day is named with the day."""
    answers = Answers(3e26, 6e8, ("us", "eu"), open_weights=False, agreements=())
    found = page(answers)
    assert "California SB 53" in section(found, "applies")
    assert "As a “large” developer." in section(found, "applies")
    assert "EU AI Act" in section(found, "applies")
    assert "Illinois SB 315" in section(found, "later")
    assert "From 1 January 2027." in section(found, "later")
    assert "Contested in" in section(found, "applies")
    later = page(answers, date(2027, 1, 1))
    assert "Illinois SB 315" in section(later, "applies")
    assert not section(later, "later")


def test_each_citation_has_its_own_confidence() -> None:
    """Not the text's as a whole: one source of a text can be surer than another."""
    said = section(page(Answers(2e25, places=("eu",))), "applies")
    assert "EU AI Act, scope: background, not checked" in said
    assert "since 2026-08-02: two independent secondary sources agree" in said
    outside = section(page(Answers(open_weights=True)), "not")
    assert "Report of 5 August 2026 on what open-weight developers were told: one source" in outside


def test_what_a_text_says_beside_its_number_is_told() -> None:
    """New York's Act has a test of place that the six questions do not ask."""
    said = section(page(Answers(3e26), date(2027, 1, 1)), "applies")
    assert "operating in New York State" in said
    assert "3e26 is above 10^26 operations" in said


def test_an_open_class_is_named_with_what_would_settle_it() -> None:
    """A developer who does not know its revenue learns that large ones owe more."""
    said = section(page(Answers(3e26)), "applies")
    assert (
        "frontier artificial intelligence, whether you are a “large” developer, who owes more, is settled by"
        in said
    )
    assert "yearly gross revenue" in said
    assert "whether you are" not in section(page(Answers(3e26, 0.0)), "applies")


def test_a_text_to_come_has_the_answer_of_its_first_day() -> None:
    """Not "no effect": it may apply, and from when is said beside it."""
    said = section(page(Answers(3e26, 6e8)), "later")
    assert "large frontier developers: yes: in force from 2027-01-01" in said
    assert "not known yet: in force from 2027-01-01" in section(page(Answers()), "later")


def test_answers_are_read_in_the_words_that_were_offered() -> None:
    """A place is a place's name, and no word of the file stands in the page."""
    given = Answers(3e26, 6e8, ("us",), open_weights=True, stage=Stage.PUBLIC)
    said = " ".join(section(page(given), name) for name in ("applies", "not", "unknown", "open"))
    assert "(you answered United States; the text speaks to European Union)" in said
    assert "(your answer is yes)" in said
    assert "one answer is open: What has the developer signed or joined?" in said
    for word in (
        "answered us",
        "speaks to eu",
        "speaks to no",
        "not known: ",
        "[[covers]]",
        "-2026 ",
    ):
        assert word not in said


def test_who_knows_nothing_is_told_what_would_settle_it() -> None:
    """No answer at all is an answer; the questions that count are named."""
    found = page(Answers())
    said = section(found, "unknown")
    assert "California SB 53" in said
    assert "frontier artificial intelligence: How many operations" in said
    assert not section(found, "applies")
    assert " ".join(text(found).split()).count("I don't know") == len(ASKED)


def test_the_order_is_open_to_who_wants_it_and_binds_nobody() -> None:
    """Voluntary: never under what applies, whatever the answers."""
    found = page(Answers(1e30, 1e12, ("us",), open_weights=False, stage=Stage.UNDER_DEVELOPMENT))
    assert "Executive Order 14409" in section(found, "open")
    assert "Executive Order 14409" not in section(found, "applies")
    outside = page(Answers(open_weights=True))
    assert "it does not reach you" in section(outside, "not")


def test_nothing_is_kept_and_the_page_says_so() -> None:
    """The last words of the page."""
    assert page(Answers()).closing == NOTHING_KEPT
    assert "nothing is stored" in NOTHING_KEPT


@given(
    st.builds(
        Answers,
        st.none() | st.floats(0, 1e30),
        st.none() | st.floats(0, 1e13),
        st.none() | st.lists(st.sampled_from(["us", "eu", "uk"]), unique=True).map(tuple),
        st.none() | st.booleans(),
        st.none() | st.sampled_from(Stage),
        st.none() | st.sampled_from([(), ("eu-code-of-practice",), ("glasswing",)]),
    ),
    st.dates(date(2023, 1, 1), date(2030, 1, 1)),
)
def test_every_text_stands_once_whatever_the_answers(answers: Answers, day: date) -> None:
    """No text is lost or told twice, and each line has its citation."""
    document = page(answers, day)
    items = [
        item
        for one in document.cover
        for block in one.blocks
        if isinstance(block, Bullets)
        for item in block.items
    ]
    for id_ in LAW.ids():
        title = LAW.on(id_, day).title
        heads = [item for item in items if item.startswith(title)]
        assert len(heads) == 1, title
        assert heads[0].endswith("]")


@pytest.mark.parametrize("day", [date(2024, 2, 29), date(2026, 8, 2), date(2027, 1, 1)])
def test_a_page_is_about_one_day(day: date) -> None:
    """The day stands on it, leap day or not."""
    assert f"{day.day} " in page(Answers(), day).kicker
    assert str(day.year) in page(Answers(), day).record
