"""Drafts of reports: every part in the text's order, unknown ones with whom to ask."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from leadline.core.engagement.library import Body, Library, Name
from leadline.core.engagement.obligation import Obligation, Stage
from leadline.core.engagement.regime import (
    Contest,
    Event,
    InForce,
    Participation,
    Regime,
    Source,
    Status,
)
from leadline.formats.report_draft import Draft, Filled, drafted, named

AT = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
TEXT = Regime(
    id="a-law",
    title="A law",
    digest="a" * 64,
    status=Status.IN_FORCE,
    in_force=InForce(),
    participation=Participation.STATUTE,
    consequences="none",
    confidence="P",
    last_checked=date(2026, 10, 10),
    sources=(Source("s", "A law, sec. 1", "https://example.org", "whole", "2+"),),
)
OWED = Obligation(
    "a-law/r/i/1",
    "a-law",
    "a" * 64,
    "r",
    "developer",
    "a-body",
    Event.INCIDENT_KNOWN,
    "i",
    "",
    AT,
    AT,
    "tell it",
    "s",
    Stage.DUE,
    parts=("date-of-the-incident", "numbers", "contact"),
)
PAGE = Filled(OWED, TEXT, "A body", "Ann", {Draft.WHEN: "at nine", Draft.CONTACT: "Ann, d"}, AT)


def test_parts_stand_in_the_order_of_the_text_and_none_is_left_out() -> None:
    """Under the words of the text; what is not on record names whom to ask."""
    text = drafted(PAGE).decode()
    assert text.partition("\n## ")[2] == (
        "Date of the incident\n\nat nine\n\n## Numbers\n\nunknown: ask Ann\n\n"
        "## Contact\n\nAnn, d\n"
    )
    assert "- From: unknown: ask Ann" in text
    assert "- To: A body" in text
    assert "Contested" not in text
    assert "Presumed" not in text
    assert "Keep until" not in text
    assert drafted(PAGE) == drafted(PAGE)


def test_without_parts_everything_that_can_be_on_record_is_asked_for() -> None:
    """A text that names none gets the whole list."""
    text = drafted(replace(PAGE, owed=replace(OWED, parts=()))).decode()
    assert text.count("\n## ") == len(Draft)


def test_what_qualifies_a_duty_stands_at_its_top() -> None:
    """No number, presumed, contested with its source, and how long it is kept."""
    owed = replace(
        OWED, due=None, presumed=True, contested=(Contest("in court", "s"),), keep_until=AT
    )
    text = drafted(replace(PAGE, owed=owed)).decode()
    assert "- Due: without undue delay" in text
    assert "- Presumed: " in text
    assert "- Contested: in court (A law, sec. 1 <https://example.org>, confidence 2+)" in text
    assert "- Keep until: 2027-03-01T09:30:00" in text


def test_a_source_without_an_address_has_no_empty_one() -> None:
    """Its citation and how sure it is stand alone."""
    text = replace(TEXT, sources=(replace(TEXT.sources[0], url=""),))
    page = drafted(replace(PAGE, text=text)).decode()
    assert "- Asked for by: A law, sec. 1, confidence 2+" in page
    assert "<>" not in page


@pytest.mark.parametrize(
    ("id_", "name"),
    [("public", "the public"), ("a-body", "New name"), ("third-parties", "third parties")],
)
def test_a_recipient_is_called_what_it_is_called_on_that_day(id_: str, name: str) -> None:
    """Bodies have dated names; what is no body is named by its id."""
    names = (Name("Old name", None, None, "s"), Name("New name", date(2027, 1, 1), None, "s"))
    library = Library((), {"a-body": Body("a-body", names)})
    assert named(library, id_, AT.date()) == name
