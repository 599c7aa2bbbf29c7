"""The shipped table of makers, and the file in which an operator keeps answers."""

from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.assets import Asked
from leadline.core.errors import Invalid
from leadline.formats import answers_toml, makers_toml


def test_the_shipped_makers_have_sources() -> None:
    """Every maker has an id, names and from where they are known."""
    data = files("leadline").joinpath("data", "makers.toml").read_bytes()
    held = makers_toml.load(data)
    assert len(held) > 50
    assert all(maker.source.strip() and all(maker.names) for maker in held)
    assert {"Tyco", "Software House"} <= set(
        next(maker.names for maker in held if maker.id == "johnson-controls")
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff", "no TOML"),
        (b"maker = [", "no TOML"),
        (b"[[maker]]\nid = 'a'\n", "needs an id, names and a source"),
        (b"[[maker]]\nid='a'\nnames=['A']\nsource='s'\n[[maker]]\nid='a'\nnames=['B']\nsource='s'\n", "twice"),
    ],
)  # fmt: skip
def test_a_wrong_table_of_makers_is_refused(data: bytes, problem: str) -> None:
    """Naming the entry."""
    with pytest.raises(Invalid, match=problem):
        makers_toml.load(data)


ASKED = Asked("31", "Fernhill SCADA Server", "Is it 3.77 or earlier?", ("ICSA-22-006-02",))


def entry(answer: str) -> bytes:
    """One answer as it is written."""
    return answers_toml.render(
        [("Fernhill | Server", ASKED, answer)], date(2026, 11, 3), "J. Doe"
    ).encode()


@pytest.mark.parametrize(
    ("answer", "yes", "release"),
    [
        ("yes", True, ""),
        ("Ja", True, ""),
        ("no", False, ""),
        ("NEIN", False, ""),
        ("3.78", None, "3.78"),
    ],
)
def test_an_answer_is_yes_no_or_the_version(answer: str, yes: bool | None, release: str) -> None:  # noqa: FBT001 -- value under test
    """With the line and the advisories that it was given for, and who gave it."""
    (held,) = answers_toml.load(entry(answer))
    assert (held.yes, held.release) == (yes, release)
    assert (held.line, held.ask, held.product) == ("Fernhill | Server", ASKED.ask, ASKED.product)
    assert held.advisories == {"ICSA-22-006-02"}
    assert held.by == "J. Doe on 2026-11-03"


def test_an_open_question_is_no_answer() -> None:
    """It may wait in the file; a file without entries is none either."""
    assert answers_toml.load(entry("")) == ()
    assert answers_toml.load(b"") == ()
    (held,) = answers_toml.load(b'[[answer]]\nline = "x"\nanswer = "no"\n')
    assert held.by == ""


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff", "no TOML"),
        (b"answer = 1", "entries"),
        (b"[other]\nx = 1", "entries"),
        (b"answer = [1]", "entries"),
        (b"[[answer]]\nline = 'x'\nanswer = true", "give it as text"),
        (b"[[answer]]\nanswer = 'yes'", "copy the content"),
        (b"#" * (answers_toml.ANSWERS_BYTES_MAX + 1), "longer"),
    ],
)
def test_a_wrong_answer_is_refused(data: bytes, problem: str) -> None:
    """With what would be right; nothing of the file is taken."""
    with pytest.raises(Invalid, match=problem):
        answers_toml.load(data)


@unhurried
@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
def test_any_line_and_question_survive_the_file(line: str, ask: str) -> None:
    """Quotes, line ends and control signs included."""
    text = answers_toml.render([(line, Asked("1", "", ask, ("A",)), "no")], date(2026, 1, 1))
    (held,) = answers_toml.load(text.encode())
    assert (held.line, held.ask) == (line, ask)
