"""Examples of the law are read as strictly as the law: a misspelt one would test nothing."""

from datetime import UTC, date, datetime

import pytest

from leadline.core.engagement.coverage import Answers, Stage, Verdict
from leadline.core.engagement.obligation import Asked, Occurrence
from leadline.core.engagement.regime import Event
from leadline.core.errors import Invalid
from leadline.formats.regime_examples import Due, load_examples

TEXT = """
regime = "a-law"

[[window]]
says = "w"
anchor = 2026-12-01T00:00:00Z
earliest = 2026-11-01T00:00:00Z

[[coverage]]
says = "c"
on = 2026-11-21
verdict = "not-in-force"
otherwise = "yes"
because = ["why"]
classes = []
[coverage.answers]
training-operations = 3e25
yearly-revenue-usd = 7
places = ["eu"]
open-weights = true
stage = "public"
agreements = []

[[report]]
says = "r"
asked_at = 2026-11-21T00:00:00Z
[[report.event]]
event = "deployed"
at = 2026-11-20T00:00:00Z
known_at = 2026-11-20T01:00:00Z
about = "m"
who = "government"
[[report.asked]]
regime = "a-law"
asked = 2026-11-20T00:00:00Z
answered = 2026-11-21T00:00:00Z
[[report.due]]
rule = "first"
to = "public"
due = 2026-11-22T00:00:00Z
number = 2
keep_until = 2031-11-22T00:00:00Z

[[task]]
says = "t"
task = "one"
begins = 2026-01-01
due = 2026-01-31

[[duty]]
says = "d"
on = 2026-01-01
begun = ["a"]
not_yet = ["b"]

[[words]]
of = "title"
has = ["law"]
"""


def at(day: int, hour: int = 0) -> datetime:
    """A moment of November 2026."""
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_every_kind_of_example_is_read() -> None:
    """One of each, field by field where a default could hide."""
    found = load_examples(TEXT.encode(), "x.toml")
    assert (found.regime, found.count) == ("a-law", 6)
    assert found.windows[0].latest is found.windows[0].opened is None
    coverage = found.coverage[0]
    assert coverage.answers == Answers(
        3e25, 7.0, ("eu",), open_weights=True, stage=Stage.PUBLIC, agreements=()
    )
    assert (coverage.verdict, coverage.otherwise) == (Verdict.NOT_IN_FORCE, Verdict.YES)
    assert (coverage.classes, coverage.because) == (frozenset(), ("why",))
    report = found.reports[0]
    assert report.classes is None
    event = Occurrence(
        "e1", Event.DEPLOYED, at(20), at(20, 1), frozenset(), about="m", party="government"
    )
    assert report.events == (event,)
    assert report.asked == (Asked("a-law", at(20), at(21)),)
    kept = datetime(2031, 11, 22, tzinfo=UTC)
    assert report.due == (Due("first", "public", at(22), 2, kept),)
    assert (found.tasks[0].begins, found.tasks[0].due) == (date(2026, 1, 1), date(2026, 1, 31))
    assert (found.duties[0].begun, found.duties[0].not_yet) == (("a",), ("b",))
    assert (found.words[0].of, found.words[0].has) == ("title", ("law",))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (
            "known_at = 2026-11-20T01",
            "known_at = 2026-11-19T01",
            r"report\[1\].event\[1\].known_at",
        ),
        ("answered = 2026-11-21", "answered = 2026-11-19", r"report\[1\].asked\[1\].answered"),
        ('has = ["law"]', "has = []", r"words\[1\].has"),
        ('verdict = "not-in-force"', 'verdict = "barred"', r"coverage\[1\].verdict"),
        ("training-operations = 3e25", "flops = 3e25", r"coverage\[1\].answers.flops"),
        ("open-weights = true", "open-weights = 1", r"coverage\[1\].answers.open-weights"),
        ("[[task]]", '[[example]]\nsays = "e"\n[example.expect]\n[[task]]', r"example\[1\]"),
        ("begins = 2026-01-01", "begins = 2026-02-30", "is no TOML"),
        ("begins = 2026-01-01", "begins = 3000-01-01", r"task\[1\].begins: the year 3000"),
        ("anchor = 2026-12-01", "anchor = 0001-01-01", r"window\[1\].anchor: the year 1 "),
        ("earliest = 2026-11-01T00:00:00Z", "earliest = 2027-02-29T00:00:00Z", "is no TOML"),
        ("at = 2026-11-20T00:00:00Z", "at = 2026-11-20T00:00:00", r"report\[1\].event\[1\].at"),
        ("asked_at = 2026-11-21T00:00:00Z", "asked_at = 2026-11-21", r"report\[1\].asked_at"),
        ('rule = "first"', 'rule = "first"\ncopy = "x"', r"report\[1\].due\[1\].copy"),
    ],
)
def test_a_wrong_example_is_named(old: str, new: str, key: str) -> None:
    """Unknown keys, times without offset, knowledge before the event, a story without an act."""
    assert old in TEXT
    with pytest.raises(Invalid, match=f"^x.toml: {key}"):
        load_examples(TEXT.replace(old, new, 1).encode(), "x.toml")


def test_a_story_has_an_act() -> None:
    """A story in which nothing is done would hold of every law."""
    text = """
regime = "a-law"
[[example]]
says = "nothing"
[example.expect]
asked_at = 2026-11-21T00:00:00Z
state = "draft"
"""
    with pytest.raises(Invalid, match=r"^x.toml: example\[1\].act"):
        load_examples(text.encode(), "x.toml")
