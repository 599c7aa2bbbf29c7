"""Lists of parties: what people keep, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats.parties_csv import ROWS_MAX, Listed, load_parties

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1).map(lambda one: f"v{one}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Name,Contact\nA Vendor,a@b.example\n", [Listed("A Vendor", "a@b.example")]),
        ("\ufeffA;x@y.example;pkg:npm/a\n\nB\n", [Listed("A", "x@y.example", "pkg:npm/a"), Listed("B")]),
        ('A\t"a, b"\n', [Listed("A", "a, b")]),
    ],
)  # fmt: skip
def test_lists_as_people_keep_them(text: str, found: list[Listed]) -> None:
    """With headings or without, parted by comma, semicolon or tab."""
    assert list(load_parties(text)) == found


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "line 1", "nobody is named"),
        ("name,contact\n", "line 1", "nobody is named"),
        ("A,a,b,c\n", "line 1", "has more than"),
        ("A,a\n,b\n", "line 2", "names nobody"),
        ("A,a\nA,b\n", "line 2", "again"),
        ('A,"a', "line 1", "unexpected end of data"),
        ("\n".join(f"v{one}" for one in range(ROWS_MAX + 1)), f"line {ROWS_MAX + 1}", "more than"),
    ],
)
def test_what_is_wrong_is_named(text: str, place: str, problem: str) -> None:
    """By its line."""
    with pytest.raises(Invalid, match=problem) as caught:
        load_parties(text)
    assert caught.value.field == place


@given(st.lists(WORDS, min_size=1, unique=True))
def test_every_name_is_kept(names: list[str]) -> None:
    """In its order."""
    assert [one.name for one in load_parties("\n".join(names))] == names
