"""Tables of scores: three forms, and nothing missing taken for a failure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats import score_matrix
from leadline.formats.score_matrix import items_of, read_matrix
from refusal import answer

WIDE = "model,i1,i2,i3\na,1,0,\nb,0.5,1,1\n"
LONG = "agent,task,successes,trials\na,i1,1,2\na,i2,0,1\nb,i1,0,0\n"


def test_a_wide_table_keeps_what_is_missing() -> None:
    """Fractions are scores, an empty cell is none."""
    told = read_matrix(WIDE)
    assert (told.models, told.items) == (("a", "b"), ("i1", "i2", "i3"))
    assert np.array_equal(told.scores, [[1, 0, np.nan], [0.5, 1, 1]], equal_nan=True)


def test_bits_have_their_items_beside_them() -> None:
    """One sign an item, in the list's order."""
    told = read_matrix("agent,bits\na,010\n", items_of("x\n\ny \nz\n"))
    assert (told.items, told.scores.tolist()) == (("x", "y", "z"), [[0, 1, 0]])


def test_a_long_table_is_shares_of_trials() -> None:
    """No trials, and a pair that is not listed, are missing."""
    told = read_matrix(LONG)
    assert (told.models, told.items) == (("a", "b"), ("i1", "i2"))
    assert np.array_equal(told.scores, [[0.5, 0], [np.nan, np.nan]], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "models"),
        ("model\n", "models"),
        ("model,i\n", "models"),
        ("model,i,i\na,1,1\n", "items"),
        ("model,i,\na,1,1\n", "items"),
        ("model,i\na,1\na,0\n", "models"),
        ("model,i\na,1,1\n", "row 2"),
        ("model,i\na,x\n", "row 2, i"),
        ("model,i\na,1.5\n", "row 2, i"),
        ("model,i\na,nan\n", "row 2, i"),
        ('model,i\n"a,1\n', "row 2"),
        ("agent,bits\na,01\n", "items"),
        ("agent,task,successes,trials\na,i,2,1\n", "row 2"),
        ("agent,task,successes,trials\na,i,1\n", "row 2"),
        ("agent,task,successes,trials\na,i,-1,1\n", "row 2, successes"),
        ("agent,task,successes,trials\na,i,1,2\na,i,1,2\n", "row 3"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, field: str) -> None:
    """The error names the row and the column."""
    with pytest.raises(Invalid) as raised:
        read_matrix(text)
    assert raised.value.field == field


@pytest.mark.parametrize("row", ["a,0", "a,012", "a,0 1"])
def test_bits_that_do_not_fit_are_named(row: str) -> None:
    """Too few, too many, or other signs."""
    with pytest.raises(Invalid, match="row 2"):
        read_matrix(f"agent,bits\n{row}\n", ("x", "y"))
    with pytest.raises(Invalid, match="other signs"):
        read_matrix("agent,bits\na,0x\n", ("x", "y"))


def test_cells_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table beyond the bound is refused while it is read."""
    monkeypatch.setattr(score_matrix, "CELLS_MAX", 5)
    with pytest.raises(Invalid, match="more than 5 cells"):
        read_matrix(WIDE)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but Invalid comes of what is no table."""
    told = answer(lambda data: read_matrix(data.decode()), text.encode())
    assert isinstance(told, Invalid) or told.scores.shape == (len(told.models), len(told.items))


@pytest.mark.parametrize(("sign", "shown"), [(";", "';'"), ("\t", r"'\\t'")])
def test_another_sign_than_a_comma_is_named(sign: str, shown: str) -> None:
    """A table as other programs save it is told from one without items."""
    with pytest.raises(Invalid, match=f"divided by {shown}, and commas are due"):
        read_matrix(f"model{sign}a{sign}b\nx{sign}1{sign}0\n")
