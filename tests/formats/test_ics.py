"""iCalendar files: the RFC's own examples, lines, escapes, and reading them back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.calendar import Dated, What
from leadline.formats.ics import calendar, escaped, folded

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
AT = datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
ONE = Dated(
    "e/anchor", AT, What.ANCHOR, "Planned; first, release", "e-1", why="two\nlines", moved=2
)


def unfolded(data: bytes) -> list[str]:
    """The content lines of a file, as section 3.1 reads them."""
    return data.decode().replace("\r\n ", "").split("\r\n")


def unescaped(text: str) -> str:
    """TEXT as section 3.3.11 reads it."""
    out, rest = "", iter(text)
    for one in rest:
        follows = next(rest) if one == "\\" else ""
        out += ("\n" if follows in "nN" else follows) if follows else one
    return out


def events(data: bytes) -> list[dict[str, str]]:
    """The properties of each event, by a second reader written from the RFC alone."""
    found = list[dict[str, str]]()
    for line in unfolded(data):
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found and name != "END":
            found[-1][name] = value
    return found


def test_the_description_of_section_3_1_is_folded_and_read_back() -> None:
    """Section 3.1: a long line is split, each further piece begins with a space."""
    line = "DESCRIPTION:This is a long description that exists on a long line. " * 3
    pieces = folded(line).split("\r\n")
    assert len(pieces) == 3
    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert all(piece.startswith(" ") for piece in pieces[1:])
    assert "".join([pieces[0], *(piece[1:] for piece in pieces[1:])]) == line
    assert folded("x" * 75) == "x" * 75


def test_a_character_of_several_octets_is_never_cut() -> None:
    """The limit is in octets; a piece may be shorter than it."""
    pieces = folded("ä" * 80).split("\r\n ")
    assert [len(piece) for piece in pieces] == [37, 37, 6]


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        # The example of RFC 5545, section 3.3.11
        (
            "Project XYZ Final Review\nConference Room - 3B\nCome Prepared.",
            "Project XYZ Final Review\\nConference Room - 3B\\nCome Prepared.",
        ),
        ("a;b,c\\d:e", "a\\;b\\,c\\\\d:e"),
        ("a\r\nb\rc", "a\\nb\\nc"),
        ("bell\x07 end\u2028of\x85line\ud800", "bell endofline"),
    ],
)
def test_text_is_escaped_as_section_3_3_11_says(plain: str, text: str) -> None:
    """Colons stand as they are; what no reader shows is left out."""
    assert escaped(plain) == text


def test_an_event_has_a_stable_id_a_time_in_utc_and_no_alarm() -> None:
    """It is private, takes up no time, and counts how often it moved."""
    data = calendar([ONE], "Leadline: d", NOW)
    assert data.startswith(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert data.endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")
    (one,) = events(data)
    assert one["DTSTAMP"] == "20270301T093000Z"
    assert one["DTSTART"] == "20270328T013000Z"
    assert one["SEQUENCE"] == "2"
    assert unescaped(one["SUMMARY"]) == "Planned; first, release"
    assert unescaped(one["DESCRIPTION"]) == "two\nlines\nEngagement e-1"
    assert (one["CLASS"], one["TRANSP"]) == ("PRIVATE", "TRANSPARENT")
    assert b"VALARM" not in data
    moved = Dated(ONE.id, AT + timedelta(days=1), ONE.what, "other words", moved=3)
    assert events(calendar([moved], "d", NOW))[0]["UID"] == one["UID"]
    assert "DESCRIPTION" not in events(calendar([moved], "d", NOW))[0]


def test_a_whole_day_is_a_date_that_ends_before_the_next() -> None:
    """Section 3.6.1: DTEND is the first day after it. What is overdue says so."""
    day = datetime(2028, 2, 29, tzinfo=UTC)
    late = Dated("x", day, What.ENTRY_DUE, "due", whole_day=True, stands_out=True)
    (one,) = events(calendar([late], "d", NOW))
    assert one["DTSTART;VALUE=DATE"] == "20280229"
    assert one["DTEND;VALUE=DATE"] == "20280301"
    assert one["SUMMARY"] == "Overdue. due"


@given(st.lists(st.text(), max_size=4), st.text())
def test_whatever_the_words_no_line_is_added_and_all_are_short(words: list[str], name: str) -> None:
    """Words of people cannot begin a line of their own, and shown characters come back."""
    found = [Dated(text, AT, What.OTHER_ENDS, text, why=text) for text in words]
    data = calendar(found, name, NOW)
    lines = data.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert b"\n" not in data.replace(b"\r\n", b"")
    shown = events(data)
    assert len(shown) == len(words)
    for one, text in zip(shown, words, strict=True):
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        kept = "".join(c for c in plain if c == "\n" or c.isprintable())
        assert unescaped(one["SUMMARY"]) == kept
