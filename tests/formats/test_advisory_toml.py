"""advisory.toml, as a person writes it."""

import pytest

from leadline.core.clearing.product import Interval, Releases
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp
from leadline.formats import advisory_toml

FULL = """
id = "EXAMPLE-2027-1"
title = "Overflow in ujson"
publisher = "A coordinator"
namespace = "https://coordinator.example"
found_by = "a model"
notes = ["Nothing else is known."]
[[revision]]
at = 2026-03-01T09:00:00-05:00
summary = "First."
[[reference]]
url = "https://x.example/1"
summary = "Page"
[[credit]]
name = "A. Finder"
[[credit]]
name = "B"
kind = "remediation developer"
organisation = "A project"
[[flaw]]
ids = ["CVE-2021-45958"]
title = "Overflow"
description = "A crafted object overruns a buffer."
cwe = "CWE-787"
remedy = "Install 5.2.0."
workaround = "Read none."
[[flaw.score]]
vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
by = "NVD"
[[flaw.package]]
purl = "pkg:pypi/ujson"
affected = [">=2.0 <5.2.0", "1.9", "<= 1.0", "> 6"]
fixed = ["5.2.0"]
not_affected = ["1.5"]
untested = ["*"]
because = "vulnerable_code_not_present"
[[flaw.package]]
purl = "pkg:deb/debian/ujson"
branch = "12"
affected = ["1.0-1"]
complete = true
"""


def test_every_key_is_read() -> None:
    """A draft, as strict as a case's content, with revisions numbered in their order."""
    made = advisory_toml.parse(FULL.encode())
    assert (made.tlp, made.status, made.revisions[0].number) == (Tlp.AMBER_STRICT, "draft", "1")
    assert made.revisions[0].at.isoformat() == "2026-03-01T14:00:00+00:00"
    one, two = made.flaws[0].statements
    assert one.affected == Releases(
        (Interval("2.0", "5.2.0"), Interval("", "1.0", high_included=True),
         Interval("6", low_included=False)), ("1.9",),
    )  # fmt: skip
    assert one.untested == Releases((Interval(),))
    assert (two.branch, two.complete, one.complete) == ("12", True, False)
    assert [held.kind for held in made.credits] == ["finder", "remediation developer"]
    assert made.flaws[0].scores[0].by == "NVD"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('title = "Overflow in', 'titel = "x"\ntitle = "Overflow in', "titel"),
        ('kind = "remediation developer"', 'kind = "hero"', "kind"),
        ('cwe = "CWE-787"', 'cwe = "overflow"', "CWE-787"),
        ("C:H/I:H/A:H", "C:H", "vector"),
        ('"pkg:pypi/ujson"', '"ujson"', "purl"),
        ('"pkg:pypi/ujson"', '"pkg:pypi/ujson@1"', "alone"),
        ("vulnerable_code_not_present", "we_say_so", "because"),
        ('"1.9"', '" "', "no release"),
        ('">=2.0 <5.2.0"', '"<5.2.0 >=2.0"', "no range"),
        ('">=2.0 <5.2.0"', '">=2.0 and more"', "no range"),
        ("at = 2026-03-01T09:00:00-05:00", "at = 2026-03-01T09:00:00", "offset"),
        ("[[revision]]", "[[reference]]", "url"),
    ],
)
def test_every_error_names_the_key(old: str, new: str, problem: str) -> None:
    """And what would be right."""
    assert old in FULL
    with pytest.raises(Invalid, match=problem):
        advisory_toml.parse(FULL.replace(old, new, 1).encode())


def test_bounds() -> None:
    """At least one flaw and one revision; at most a mebibyte."""
    with pytest.raises(Invalid, match="at least one"):
        advisory_toml.parse(b'id = "x"\ntitle = "y"\n')
    with pytest.raises(Invalid, match="longer"):
        advisory_toml.parse(b"#" * (advisory_toml.FILE_BYTES_MAX + 1))
