"""Markings as text: what was written is read back, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.marking import Marking, Tlp, parse_marking

NAMES = st.text(st.characters(exclude_characters="/", codec="utf-8"), min_size=1)


@given(st.sampled_from(Tlp), st.frozensets(NAMES, max_size=3))
def test_a_marking_is_read_back(tlp: Tlp, compartments: frozenset[str]) -> None:
    """Label and compartments survive, whatever the compartments are called."""
    marking = Marking(tlp, compartments)
    assert parse_marking(str(marking)) == marking


@pytest.mark.parametrize("text", ["", "TLP:WHITE", "tlp:red", "RED", "//TLP:RED"])
def test_another_label_is_refused_with_those_there_are(text: str) -> None:
    """TLP 1's WHITE and other spellings are no label of TLP 2.0."""
    with pytest.raises(Invalid, match=r"marking.*TLP:CLEAR"):
        parse_marking(text)
