"""Markings as text: what was written is read back, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.marking import Marking, Tlp, parse_marking, read_tlp

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


@pytest.mark.parametrize("tlp", list(Tlp))
def test_the_word_of_the_first_version_is_as_strict_or_stricter(tlp: Tlp) -> None:
    """And every spelling of a label is read; what is none is RED."""
    assert read_tlp(tlp.word_1).strictness >= tlp.strictness
    assert read_tlp(tlp.value) is read_tlp(f" {tlp.value.lower()} ") is tlp
    assert read_tlp("tlp: amber strict") is read_tlp("TLP:AMBER+STRICT") is Tlp.AMBER_STRICT
    assert read_tlp("") is read_tlp("PUBLIC") is Tlp.RED
