"""Texts of `vers` ranges: read, or refused with what was expected."""

import pytest

from leadline.core.clearing.versions.ranges import Constraint, Vers
from leadline.core.errors import Invalid
from leadline.formats import vers


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (
            "vers:npm/1.2.3|>=2.0.0|<5.0.0",
            Vers("npm", (Constraint("=", "1.2.3"), Constraint(">=", "2.0.0"), Constraint("<", "5.0.0"))),
        ),
        ("vers:gem/ >= 2.2.0 | != 2.2.1", Vers("gem", (Constraint(">=", "2.2.0"), Constraint("!=", "2.2.1")))),
        ("vers:alpine/<1.0-r1|", Vers("apk", (Constraint("<", "1.0-r1"),))),
        ("vers:deb/=1%3A1.0%2Bb1", Vers("deb", (Constraint("=", "1:1.0+b1"),))),
        ("vers:deb/*", Vers("deb", (Constraint("*"),))),
        ("vers:none/*", Vers("none", ())),
    ],
)  # fmt: skip
def test_ranges_are_read(text: str, held: Vers) -> None:
    """Blanks and empty ends do not count; quoting is undone; distributions name their schemes."""
    assert vers.parse(text) == held


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected vers:SCHEME"),
        ("npm/1.2.3", "expected vers:SCHEME"),
        ("vers:NPM/1.2.3", "expected vers:SCHEME"),
        ("vers:npm/", "expected vers:SCHEME"),
        ("vers:npm/|", "no constraint"),
        ("vers:npm/1||2", "no constraint"),
        ("vers:npm/>=", "no constraint"),
        ("vers:npm/~1.2", None),
        ("vers:npm/1|*", "no constraint"),
        ("vers:npm/>%20", "no constraint"),
        ("vers:npm/1.0\N{LATIN SMALL LETTER E WITH ACUTE}", "outside ASCII"),
        ("vers:npm/" + "1|" * 2_001 + "1", "split the range"),
        ("vers:npm/" + "1" * 70_000, "split the range"),
    ],
)
def test_what_is_no_range_is_refused(text: str, problem: str | None) -> None:
    """Each refusal names the field and what was expected; a version is judged later, by its scheme."""
    if problem is None:
        assert vers.parse(text).constraints == (Constraint("=", "~1.2"),)
        return
    with pytest.raises(Invalid, match=problem) as refusal:
        vers.parse(text, "affected.range")
    assert refusal.value.field == "affected.range"
