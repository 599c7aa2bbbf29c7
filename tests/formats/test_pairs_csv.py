"""Small tables of two columns: what is read, and what is refused by row."""

from datetime import date

import pytest

from leadline.core.errors import Invalid
from leadline.formats import pairs_csv
from leadline.formats.pairs_csv import families_by_name, read_dates, read_families, read_pairs


def test_pairs_are_read_by_name() -> None:
    """Spaces around cells and empty lines do not count."""
    assert read_pairs("item, family\n a , x \n\nb,y\n", ("item", "family")) == {"a": "x", "b": "y"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "heading"),
        ("family,item\na,x\n", "is not item,family"),
        ("item,family\na\n", "row 2"),
        ("item,family\na,\n", "row 2: needs both item and family"),
        ("item,family\na,x,y\n", "row 2"),
        ("item,family\na,x\na,y\n", "row 3: 'a' is given twice"),
        ('item,family\n"a,x\n', "row 2"),
    ],
)
def test_what_is_no_pair_is_refused_by_row(text: str, words: str) -> None:
    """Every error names the row or the heading."""
    with pytest.raises(Invalid, match=words):
        read_pairs(text, ("item", "family"))


def test_a_table_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are bounded."""
    monkeypatch.setattr(pairs_csv, "ROWS_MAX", 2)
    with pytest.raises(Invalid, match="more than 2 rows"):
        read_pairs("item,family\na,x\nb,x\nc,x\n", ("item", "family"))


def test_dates_of_known_models_are_kept() -> None:
    """A date of a model without runs is left out."""
    text = "model,date\nold,2024-01-31\nstranger,2020-02-02\n"
    assert read_dates(text, ("old", "new")) == {"old": date(2024, 1, 31)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model,date\nold,31 January\n", "date of old"),
        ("model,date\nold,2024-02-30\n", "date of old"),
        ("model,date\nold,0001-01-01\n", "not within 1950 and 2200"),
        ("model,date\nold,9999-12-31\n", "not within 1950 and 2200"),
        ("model,date\nOLD,2024-02-03\n", "spelled alike"),
    ],
)
def test_dates_that_cannot_be_are_refused(text: str, words: str) -> None:
    """The model is named, and a table of strangers is no table."""
    with pytest.raises(Invalid, match=words):
        read_dates(text, ("old",))


def test_every_item_needs_a_family() -> None:
    """Families of other items are left out; a missing one is named."""
    text = "item,family\na,x\nb,y\nc,y\n"
    assert read_families(text, ("b", "a")) == {"b": "y", "a": "x"}
    with pytest.raises(Invalid, match="'d' has none"):
        read_families(text, ("a", "d"))


@pytest.mark.parametrize(
    ("items", "families"),
    [
        (("django__1", "flask__2", "flask__x/3"), ("django", "flask", "flask")),
        (("web/a", "pwn/b"), ("web", "pwn")),
        (("web:a", "pwn:b/c"), ("web", "pwn")),
        (("web/a", "b"), ("all items", "all items")),
        (("/a", "b/"), ("all items", "all items")),
    ],
)
def test_families_are_read_off_names(items: tuple[str, ...], families: tuple[str, ...]) -> None:
    """The first separator that every name has within it; without one, all items are one family."""
    assert tuple(families_by_name(items)[item] for item in items) == families


def test_names_that_make_too_many_families_make_one() -> None:
    """A separator before a running number is no family."""
    items = [f"{n}/x" for n in range(61)]
    assert set(families_by_name(items).values()) == {"all items"}
