"""A determination's draft says everything, and nothing that has no place in it."""

import re

import pytest

from leadline.core.engagement.determination import Answer, Outcome, Variant
from leadline.core.errors import Invalid
from leadline.formats.determination_toml import load_determination

DRAFT = """answer = "covered"
outcome = "above"
basis = "b"
criteria = "c"
official = "The director"
expires = 2027-09-01T00:00:00-05:00
trigger = "another weights version"
[scope]
model = "m"
weights_version = "w"
subject = "d"
[errors]
above = 0.05
below = 0.1
"""


def test_a_draft_becomes_a_determination() -> None:
    """Each key has its place; what may be left out is."""
    made = load_determination(DRAFT.encode(), "d.toml")
    assert (made.answer, made.outcome) == (Answer.COVERED, Outcome.ABOVE)
    assert (made.alpha_above, made.alpha_below) == (0.05, 0.1)
    assert made.scope.variant is Variant.NOT_STATED
    assert made.to_record()["expires"] == "2027-09-01T05:00:00.000000Z"
    assert (made.caveats, made.pack, made.demonstration) == ((), "", False)
    more = f'demonstration = true\npack = "p"\n{DRAFT}'.replace("The director", "A demonstration")
    more = more.replace('subject = "d"', 'subject = "d"\nvariant = "without-safeguards"')
    told = load_determination(more.encode(), "d.toml")
    assert told.scope.variant is Variant.WITHOUT_SAFEGUARDS
    assert (told.pack, told.demonstration) == ("p", True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2027-09-01T00:00:00-05:00", "2027-02-29T00:00:00Z", "d.toml: is no TOML"),
        ("2027-09-01T00:00:00-05:00", "2027-09-01T00:00:00", "expires: a time needs an offset"),
        ("2027-09-01T00:00:00-05:00", "2027-09-01", "expires: is date"),
        ('"covered"', '"approved"', "answer: 'approved' is none of covered"),
        ("above = 0.05", "above = 0", "errors.above: 0.0 is no error rate"),
        ("above = 0.05", "above = nan", "errors.above: nan is no error rate"),
        ("[errors]", "colour = 1\n[errors]", "scope.colour: is no key"),
        ("[errors]\nabove = 0.05\nbelow = 0.1", "", "errors: is missing"),
        ('basis = "b"', 'basis = " "', "basis: is empty"),
        ('basis = "b"', 'basis = "b"\nstatement = "s"', "statement: a SHA-256"),
    ],
)
def test_what_cannot_be_right_is_named(old: str, new: str, words: str) -> None:
    """Impossible dates, unknown words and keys: the file and the key are named."""
    with pytest.raises(Invalid, match=re.escape(words)):
        load_determination(DRAFT.replace(old, new).encode(), "d.toml")
