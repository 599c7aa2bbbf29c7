"""Disclosure policies as files: read strictly, every fault named by key."""

from datetime import UTC, datetime

import pytest

from leadline.core.errors import Invalid
from leadline.formats.disclosure_toml import faults, load_disclosure, load_examples

GOOD = b"""
id = "ours"
title = "Ours"
embargo = true
confirmed = "own proposal"
last_checked = 2026-10-10
ends_on = ["exploited"]
[rediscovery]
finders = 2
shorten_days = 7
confidence = "own"
[[clock]]
name = "disclosure"
days = 30
starts_at = "report"
confidence = "own"
cites = "here"
[[sources]]
id = "here"
title = "t"
url = "u"
"""
EXAMPLES = b"""
[[example]]
words = "reported"
opened = 2027-01-01T00:00:00Z
acts = [{ at = 2027-01-01T00:00:00Z, kind = "draft.sent", party = "owner", sent = 2027-01-01T00:00:00Z, x = true }]
now = 2027-01-02T00:00:00Z
clocks = [{ clock = "disclosure", party = "owner", at = 2027-01-31T00:00:00Z, state = "running" }]
public_at = 2027-01-31T00:00:00Z
embargoed = true
rediscovered = 2
shorten_days = 7
"""


def test_a_file_and_its_examples() -> None:
    """A digest of the very bytes; an example that does not hold says what was found."""
    made = load_disclosure(GOOD, "ours.toml")
    assert (made.id, made.rediscovered, made.shorten_days) == ("ours", 2, 7)
    (one,) = load_examples(EXAMPLES, "ours.examples.toml", made.digest, made.id)
    assert one.now == datetime(2027, 1, 2, tzinfo=UTC)
    assert faults(made, one) == ()
    other = load_disclosure(GOOD.replace(b"days = 30", b"days = 31"), "ours.toml")
    (two,) = load_examples(EXAMPLES, "ours.examples.toml", other.digest, other.id)
    assert [fault.partition(": expected")[0] for fault in faults(other, two)] == [
        "reported: clocks",
        "reported: public_at",
    ]


@pytest.mark.parametrize(
    ("was", "now", "problem"),
    [
        (b'name = "disclosure"', b'name = "agreed"', "is agreed in each case"),
        (b'name = "disclosure"', b'name = "silence"', "an embargo needs an end"),
        (b"embargo = true", b"embargo = false", "nothing that ends it"),
        (b'["exploited"]', b'["boredom"]', "is none of"),
        (b"finders = 2", b"finders = 1", "one finder is no rediscovery"),
        (b"days = 30", b"days = -1", "give 0 to"),
        (b'cites = "here"', b'cites = "there"', "none of the file's sources"),
        (b'confidence = "own"\ncites', b'confidence = "sure"\ncites', "is none of"),
        (b'title = "Ours"', b'title = "Ours"\nmood = "good"', "is no key"),
        (
            b"[[sources]]",
            GOOD[GOOD.index(b"[[clock]]") : GOOD.index(b"[[sources]]")] + b"[[sources]]",
            "stands twice",
        ),
    ],
)
def test_wrong_files_are_refused(was: bytes, now: bytes, problem: str) -> None:
    """Each by its key."""
    assert was in GOOD
    with pytest.raises(Invalid, match=problem):
        load_disclosure(GOOD.replace(was, now, 1), "ours.toml")


def test_a_file_without_rediscovery_or_examples() -> None:
    """The one is optional; the other is not."""
    start, end = GOOD.index(b"[rediscovery]"), GOOD.index(b"[[clock]]")
    assert load_disclosure(GOOD[:start] + GOOD[end:], "ours.toml").rediscovered == 0
    with pytest.raises(Invalid, match="holds no"):
        load_examples(b"", "ours.examples.toml", "d", "ours")
