"""Clocks of one's own choice do what their examples say, and no number in them changes unnoticed."""

from pathlib import Path

import pytest

from law_mutants import mutants
from leadline.app.regimes import Checked, Known, check
from leadline.core.engagement.library import Body, Name
from leadline.wiring.duties import OWN
from leadline.wiring.regimes import EXAMPLES, library, questions

BODIES = {
    **library().bodies,
    "third-parties": Body("third-parties", (Name("third parties", None, None, ""),)),
}
KNOWN = Known(BODIES, frozenset(), questions())
FILES = [one for one in sorted(OWN.glob("*.toml")) if not one.name.endswith(EXAMPLES)]


def checked(file: Path, text: str) -> Checked:
    """The file with this text, beside its examples."""
    beside = file.with_name(file.stem + EXAMPLES)
    (found,) = check({file.name: text.encode(), beside.name: beside.read_bytes()}, KNOWN)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_clock_of_ones_own_choice_does_what_its_examples_say(file: Path) -> None:
    """It says that it is no law, and every number and date in it is noticed when it changes."""
    text = file.read_text("utf-8")
    found = checked(file, text)
    assert (found.faults, found.examples > 0) == ((), True)
    assert "own choice" in text
    some = list(mutants(text))
    assert some
    assert [one.where for one in some if not checked(file, one.text).faults] == []
