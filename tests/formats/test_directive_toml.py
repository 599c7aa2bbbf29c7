"""Directives as TOML: no key unread, no statement of law without its source."""

import pytest

from leadline.core.clearing.directive import Start
from leadline.core.errors import Invalid
from leadline.formats.directive_toml import load_directive, load_examples
from priority_world import directive, shipped, tables

FILE = shipped("directives", "us-bod-26-04.toml").decode()
TABLES = tables()


def test_the_shipped_directive_says_what_its_sources_say() -> None:
    """Days, start and effect; the 180 days of the phase-in are no outcome."""
    found = directive()
    assert [(term.key, term.days, term.forensics) for term in found.terms] == [
        ("FSU", None, False),
        ("60D", 60, False),
        ("14D", 14, False),
        ("3D", 3, False),
        ("3DF", 3, True),
    ]
    assert (found.start, found.start_confidence) == (Start.EARLIER, "1")
    assert (found.in_effect.isoformat(), found.in_effect_confidence) == ("2026-12-07", "1")
    assert found.kev_age_max.days == 7


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('id = "us-bod', 'idd = "us-bod', "id: is missing"),
        ("issued =", "isued =", "issued"),
        ('binds = "', 'weight = 3\nbinds = "', "weight: is no key"),
        ("cisa:DT_BOD2604:1.0.0", "cisa:DT_BOD2604:2.0.0", "none of the tables here"),
        ('cites = "vulncheck"', 'cites = "hearsay"', "in_effect.cites: is none of the file's"),
        ('confidence = "P"', 'confidence = "sure"', "table.confidence: is none of"),
        ("age_max_days = 7", "age_max_days = 0", "kev.age_max_days: give 1 to 365"),
        ('point = "cisa:KEV:1.0.0"', 'point = "cisa:KEV:2.0.0"', "no input"),
        ('rule = "earlier-of-listing-and-detection"', 'rule = "fix"', "start.rule"),
        ("days = 60", "days = 10", "a more urgent outcome"),
        ('key = "60D"', 'key = "180D"', "give one term each"),
        ("url =", "uri =", "sources.certcc.url"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused(old: str, new: str, problem: str) -> None:
    """Naming the file and the key."""
    assert old in FILE
    with pytest.raises(Invalid, match=problem):
        load_directive(FILE.replace(old, new, 1).encode(), "file.toml", TABLES)


def test_examples_are_read_strictly() -> None:
    """No example, an unknown key, events without a moment."""
    for text, problem in (
        ("", "holds no"),
        (
            '[[example]]\nwords = "w"\nknown = {}\nleast = "FSU"\nmost = "3DF"\nowed = 2027-01-01\n',
            "owed: is no key",
        ),
        ('[[example]]\nwords = "w"\nknown = {"a" = 1}\nleast = "FSU"\nmost = "3DF"\n', "known.a"),
        (
            '[[example]]\nwords = "w"\nknown = {}\nleast = "FSU"\nmost = "3DF"\nat = 2027-01-01T00:00:00\n',
            "offset",
        ),
    ):
        with pytest.raises(Invalid, match=problem):
            load_examples(text.encode(), "examples.toml")
