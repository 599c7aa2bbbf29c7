"""Words that are found: cut, folded, marked; nothing of what is typed is a language."""

from hypothesis import given
from hypothesis import strategies as st

from leadline.core.searching import ASKED_MAX, asked, found, marked, plain


def test_case_accents_and_signs_make_no_difference() -> None:
    """The same words, however they are written."""
    assert plain("Café-Überlauf_im  PARSER (CVE-2026-1)") == (
        "cafe", "uberlauf", "im", "parser", "cve", "2026", "1",
    )  # fmt: skip
    assert plain("STRASSE straße") == ("strasse", "strasse")
    assert plain("“—”") == ()


def test_three_letters_find_what_begins_so() -> None:
    """Two only what is just that; every word must be there."""
    words = plain("log4j core overflow")
    assert found(words, asked("log over"))
    assert found(words, ())
    assert not found(words, asked("lo"))
    assert not found(words, asked("log heap"))
    assert not found(words, asked("flow"))


def test_what_was_looked_for_is_marked() -> None:
    """In the text as it is written, next to each other in one part."""
    assert marked("A Café, overflowing", asked("cafe over")) == (
        ("A ", False), ("Café", True), (", ", False), ("overflowing", True),
    )  # fmt: skip
    assert marked("", ("x",)) == ()
    assert marked("plain", ()) == (("plain", False),)


@given(st.text(), st.text())
def test_nothing_typed_is_wrong(text: str, typed: str) -> None:
    """The parts are the text; what is asked for is bounded, each once; what is there is found."""
    sought = asked(typed)
    assert "".join(part for part, _ in marked(text, sought)) == text
    assert len(set(sought)) == len(sought) <= ASKED_MAX
    assert found(plain(text), asked(text))
    assert all(word.isalnum() for word in plain(text))
