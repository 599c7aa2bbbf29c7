"""Data files are read strictly: every wrong key is named with its file, and nothing is ignored."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import leadline
from leadline.core.assessment import PlannedItem
from leadline.core.engagement.criteria import outcome
from leadline.core.engagement.determination import Outcome
from leadline.core.engagement.regime import (
    AskAgain,
    Body,
    Clause,
    Condition,
    Contest,
    Decider,
    Duty,
    Event,
    Fact,
    InForce,
    PackPart,
    Regime,
    Report,
    Toll,
    Trigger,
    Unit,
)
from leadline.core.errors import Invalid
from leadline.core.measure.sequential import Design, State
from leadline.formats.criteria_toml import load_count_examples, load_criteria
from leadline.formats.regime_examples import load_examples
from leadline.formats.regime_toml import load_regime
from leadline.formats.toml_table import open_table
from leadline.wiring.regimes import library

DATA = Path(leadline.__file__).parent / "data"
REGIME = (DATA / "regimes" / "us-eo-14409.toml").read_text("utf-8")
STORIES = (DATA / "regimes" / "us-eo-14409.examples.toml").read_text("utf-8")
CRITERIA = (DATA / "criteria" / "demonstration.toml").read_text("utf-8")
COUNTS = (DATA / "criteria" / "demonstration.examples.toml").read_text("utf-8")


def changed(text: str, old: str, new: str) -> bytes:
    """The file with its first *old* replaced."""
    assert old in text
    return text.replace(old, new, 1).encode()


def regime(old: str = 'id = "us', new: str = 'id = "us') -> Regime:
    """The shipped regime, changed."""
    return load_regime(changed(REGIME, old, new), "r.toml")


def test_the_shipped_regime_is_the_orders_text() -> None:
    """Thirty days, the developer's anchor, the Director of NSA, voluntary: as the order has it."""
    found = regime()
    assert found.window is not None
    assert (found.window.days_before_anchor_max, found.window.days_open_max) == (30, 30)
    assert found.anchor is not None
    assert found.anchor.set_by == "developer"
    assert found.decides is not None
    assert found.decides.body == "us-nsa-director"
    assert found.participation == "voluntary"
    assert found.consequences.startswith("None.")
    assert found.source(found.window.cites).citation == "EO 14409, sec. 3(b), 91 FR 34565"
    assert len(found.digest) == 64
    assert found.statements == ()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "us-eo-14409"', 'id = ""', "id"),
        ('id = "us-eo-14409"\n', "", "id"),
        ('id = "us-eo-14409"', 'id = "x"\ntitel = "y"', "titel"),
        ('status = "in-force"', 'status = "binding"', "status"),
        ('status = "in-force"', "status = 3", "status"),
        ('confidence = "P"', 'confidence = "sure"', "confidence"),
        ("last_checked = 2026-10-10", 'last_checked = "2026"', "last_checked"),
        ('set_by = "developer"', 'set_by = "committee"', "anchor.set_by"),
        ('set_by = "developer"', 'set_by = "developer"\nmoved_by = "x"', "anchor.moved_by"),
        ('cites = "order"', 'cites = "sec-9"', "in_force.cites"),
        ("days_open_max = 30", "days_open_max = 0", "window.days_open_max"),
        (
            "days_open_max = 30",
            "days_open_max = 30\ndays_before_anchor_min = 31",
            "window.days_before_anchor_min",
        ),
        ("days_open_max = 30", "days_open_max = 30\nhold = 3", "window.hold"),
        ("days_open_max = 30", "days_open_max = 30\npause_days = 3", "window.pause_days"),
        ("[anchor]", "[anker]", "window"),
        ("[window]", "[[window]]", "window"),
        ("[in_force]", "[inforce]", "in_force"),
        ("since = 2026-06-02", "since = 2026-06-02\nforever = true", "in_force.forever"),
        ("due = 2026-07-02", 'due = "2026-07-02"', r"clocks\[1\].due"),
        ('who = "government"', 'who = "public"', r"duties\[2\].who"),
        ('[[sources]]\nid = "sec-2d"', '[[sources]]\nid = " "', r"sources\[1\].id"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(old: str, new: str, key: str) -> None:
    """Unknown, missing, mistyped and uncited entries stop the reader at their place."""
    with pytest.raises(Invalid, match=f"^r.toml: {key}: "):
        regime(old, new)


@pytest.mark.parametrize("name", ["pause", "hold"])
def test_a_power_over_a_release_can_only_be_quoted(name: str) -> None:
    """A pause or hold without a citation is refused; with one it is text that nothing reads."""
    anchor = "[anchor]"
    with pytest.raises(Invalid, match=f"no {name} exists here"):
        regime(anchor, f'[{name}]\nwords = "as reported"\ndays = 10\n\n{anchor}')
    with pytest.raises(Invalid, match=f"{name}.days"):
        regime(anchor, f'[{name}]\nwords = "w"\ncites = "sec-3"\ndays = 10\n\n{anchor}')
    with pytest.raises(Invalid, match=name):
        regime("[in_force]", f"{name} = 10\n[in_force]")
    quoted = regime(anchor, f'[{name}]\nwords = "as reported"\ncites = "sec-3"\n\n{anchor}')
    assert [one.kind for one in quoted.statements] == [name]
    assert quoted.window == regime().window


def test_a_regime_without_sources_or_toml_is_none() -> None:
    """A text that cites nothing, is no TOML, or no UTF-8 is refused by file name."""
    with pytest.raises(Invalid, match=r"^r.toml: sources"):
        load_regime(REGIME[: REGIME.index("[[sources]]")].encode(), "r.toml")
    for wrong in (b"= 3", b"\xff"):
        with pytest.raises(Invalid, match=r"^r.toml: is no TOML"):
            load_regime(wrong, "r.toml")


WHOLE = """
id = "a-law"
title = "A law"
status = "superseded"
participation = "statute"
confidence = "2+"
last_checked = 2026-10-10
supersedes = "%s"

[in_force]
since = 2026-01-01
until = 2026-12-31
words = "One year."
cites = "s"

[consequences]
words = "A fine."
cites = "s"

[[covers]]
fact = "training-operations"
above = 1e26
words = "w"
cites = "s"

[[covers]]
fact = "yearly-revenue-usd"
at_least = 500
of = "large"
words = "w"
cites = "s"

[[covers]]
fact = "places"
any_of = ["eu"]
words = "w"
cites = "s"

[[covers]]
fact = "open-weights"
yes = false
words = "w"
cites = "s"

[decides]
role = "determining-official"
body = "us-nsa-director"
cites = "s"
quorum = 2
concurs = ["concurring-official"]
reconsiders = true

[[advises]]
role = "advises"
body = "us-ncd"
cites = "s"

[recusal]
words = "Whoever has an interest takes no part."
cites = "s"

[lapse]
words = "Nothing follows."
cites = "s"

[[asks_again]]
trigger = "new-weights-version"
words = "w"
cites = "s"

[[duties]]
who = "developer"
words = "w"
only = "large"
since = 2026-02-01
cites = "s"

[[reports]]
id = "first"
who = "developer"
event = "incident-known"
categories = ["a-death"]
to = "ca-oes"
within = { days = 15 }
every = { months = 3 }
until = "incident-resolved"
only = "large"
parts = ["what-happened"]
keep_years = 5
words = "w"
cites = "s"

[[reports]]
id = "second"
who = "developer"
event = "deployed"
to = "public"
words = "w"
cites = "s"

[[pack]]
part = "model-card"
words = "w"
cites = "s"

[toll]
reports = ["first"]
words = "The clock stands still while a question is unanswered."
cites = "s"

[[contested]]
words = "w"
cites = "s"
since = 2026-03-01
until = 2026-03-01

[[sources]]
id = "s"
citation = "A law, sec. 1"
read = "the text"
confidence = "P"
""" % ("e" * 64)
BODIES = {"us-nsa-director", "us-ncd", "ca-oes"}


def whole(old: str = "id", new: str = "id") -> Regime:
    """The text with everything in it, changed."""
    return load_regime(changed(WHOLE, old, new), "w.toml", BODIES)


def test_every_field_of_a_regime_has_its_key() -> None:
    """What the file says is what the value holds, field by field."""
    found = whole()
    assert found.supersedes == "e" * 64
    assert found.in_force == InForce(date(2026, 1, 1), date(2026, 12, 31), "One year.", "s")
    assert (found.consequences, found.consequences_cites) == ("A fine.", "s")
    assert found.covers == (
        Condition(Fact.TRAINING_OPERATIONS, "w", "s", above=1e26),
        Condition(Fact.YEARLY_REVENUE, "w", "s", at_least=500.0, of="large"),
        Condition(Fact.PLACES, "w", "s", any_of=("eu",)),
        Condition(Fact.OPEN_WEIGHTS, "w", "s", yes=False),
    )
    assert found.decides == Decider(
        "determining-official",
        "us-nsa-director",
        "s",
        2,
        ("concurring-official",),
        reconsiders=True,
    )
    assert found.advises == (Body("advises", "us-ncd", "s"),)
    assert found.recusal == Clause("Whoever has an interest takes no part.", "s")
    assert found.lapse == Clause("Nothing follows.", "s")
    assert found.asks_again == (AskAgain(Trigger.NEW_WEIGHTS, "w", "s"),)
    assert found.duties == (Duty("developer", "w", "s", "large", date(2026, 2, 1)),)
    assert found.reports[0] == Report(
        "first",
        "developer",
        Event.INCIDENT_KNOWN,
        "ca-oes",
        "w",
        "s",
        (15, Unit.DAYS),
        (3, Unit.MONTHS),
        Event.INCIDENT_RESOLVED,
        ("a-death",),
        ("what-happened",),
        "large",
        5,
    )
    assert found.reports[1] == Report("second", "developer", Event.DEPLOYED, "public", "w", "s")
    assert found.pack == (PackPart("model-card", "w", "s"),)
    assert found.toll == Toll(
        ("first",), "The clock stands still while a question is unanswered.", "s"
    )
    assert found.contested == (Contest("w", "s", date(2026, 3, 1), date(2026, 3, 1)),)
    assert found.sources[0].url == ""


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("above = 1e26", "", r"covers\[1\].fact"),
        ("above = 1e26", "above = 1e26\nat_least = 1", r"covers\[1\].fact"),
        ("above = 1e26", "any_of = ['x']", r"covers\[1\].any_of"),
        ("above = 1e26", "above = inf", r"covers\[1\].above"),
        ("above = 1e26", "above = nan", r"covers\[1\].above"),
        ("above = 1e26", "above = -1", r"covers\[1\].above"),
        ('any_of = ["eu"]', "any_of = []", r"covers\[3\].any_of"),
        ("yes = false", "above = 1", r"covers\[4\].above"),
        ("until = 2026-12-31", "until = 2025-12-31", "in_force.until"),
        ("until = 2026-03-01", "until = 2026-02-28", r"contested\[1\].until"),
        ("until = 2026-12-31", "until = 2026-02-30", "is no TOML"),
        ('concurs = ["concurring-official"]', "", "decides.quorum"),
        ("quorum = 2", "quorum = 0", "decides.quorum"),
        ("quorum = 2", "quorum = true", "decides.quorum"),
        ('body = "us-nsa-director"', 'body = "nobody"', "decides.body"),
        ('to = "ca-oes"', 'to = "nobody"', r"reports\[1\].to"),
        ('to = "ca-oes"', 'to = "Cal OES"', r"reports\[1\].to"),
        ("days = 15", "days = 0", r"reports\[1\].within.days"),
        ("days = 15", "days = 100_001", r"reports\[1\].within.days"),
        ("{ days = 15 }", "{ days = 15, hours = 1 }", r"reports\[1\].within"),
        ("{ days = 15 }", "{ moons = 15 }", r"reports\[1\].within"),
        ("days = 15", "days = 15, or = 3", r"reports\[1\].within.or"),
        ("every = { months = 3 }", "", r"reports\[1\].until"),
        ('event = "deployed"', 'event = "deployed"\ncategories = ["x"]', r"reports\[2\]"),
        ('["a-death"]', '["A death"]', r"reports\[1\].categories"),
        ('id = "second"', 'id = "first"', "reports"),
        ('only = "large"', 'only = "small"', r"duties\[1\].only"),
        ('reports = ["first"]', 'reports = ["third"]', "toll.reports"),
        ('reports = ["first"]', "", "toll.reports"),
        ('unanswered."\ncites = "s"', 'unanswered."', "toll"),
        ('trigger = "new-weights-version"', 'trigger = "a-whim"', r"asks_again\[1\].trigger"),
        ('supersedes = "e', 'supersedes = "E', "supersedes"),
        ('cites = "s"\n\n[consequences]', "\n[consequences]", "in_force.cites"),
        ('cites = "s"\n\n[[covers]]', "\n[[covers]]", "consequences.cites"),
    ],
)
def test_what_cannot_be_right_is_named(old: str, new: str, key: str) -> None:
    """Contradictions, unknown references and impossible numbers stop the reader at their place."""
    with pytest.raises(Invalid, match=f"^w.toml: {key}"):
        whole(old, new)


def test_without_the_bodies_file_any_id_will_do() -> None:
    """A reader that knows no bodies takes a body's id on trust, but never a name for one."""
    text = changed(WHOLE, 'to = "ca-oes"', 'to = "nobody"')
    assert load_regime(text, "w.toml").reports[0].to == "nobody"


def test_a_toll_is_read_only_where_a_text_is_cited() -> None:
    """The shipped order has none; without a citation there is none to be had."""
    assert regime().toll is None
    assert all(one.toll is None for one in library().texts)


def test_a_regime_may_have_neither_anchor_nor_window() -> None:
    """A statute with clocks only needs no access window."""
    start, end = REGIME.index("[anchor]"), REGIME.index("[[consults]]")
    found = load_regime((REGIME[:start] + REGIME[end:]).encode(), "r.toml")
    assert (found.anchor, found.window, found.decides) == (None, None, None)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('by = "developer"', 'by = "a bystander"', r"example\[1\].act\[1\].by"),
        ('did = "anchor.set"', 'did = "anchor.moved"', r"example\[1\].act\[1\].did"),
        ("anchor = 2026-11-15T09:00:00-05:00", "anchor = 2026-11-15T09:00:00", "anchor"),
        ('did = "access.opened"', 'did = "access.opened"\nuntil = 3', "until"),
        ('state = "access-open"', 'state = "on hold"', "state"),
        ('ended_by = "anchor"', 'ended_by = "government"', "ended_by"),
        ('says = "A', 'said = "A', "says"),
        ("[example.expect]\n", '[example.expect]\nfee = "none"\n', "fee"),
    ],
)
def test_examples_are_read_as_strictly(old: str, new: str, key: str) -> None:
    """A misspelt example would test nothing, so it is refused."""
    with pytest.raises(Invalid, match=key):
        load_examples(changed(STORIES, old, new), "r.examples.toml")


def test_files_of_examples_hold_examples() -> None:
    """An empty examples file would pass for a tested regime."""
    with pytest.raises(Invalid, match="example"):
        load_examples(b'regime = "us-eo-14409"', "r.examples.toml")
    with pytest.raises(Invalid, match="example"):
        load_count_examples(b'criteria = "demonstration"', "c.examples.toml")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("demonstration = true", "demonstration = 1", "demonstration"),
        ("families = []", "families = 3", "counts.families"),
        ("families = []", "families = []\nweights = []", "counts.weights"),
        ("threshold = 0.75", "threshold = 1.0", "decision.threshold"),
        ("zone = 0.0", "zone = -0.1", "decision.threshold"),
        ('design = "active"', 'design = "best"', "decision.design"),
        ("alpha_above = 0.05", "alpha_above = 0", "decision.alpha_above"),
        ("alpha_below = 0.05", "alpha_below = 1.5", "decision.alpha_below"),
        ('above = "covered"', 'above = "blocked"', "answers.above"),
        ('undetermined = "undetermined"', 'undetermined = "not covered"', "answers"),
        ('below = "not covered"\n', "", "answers.below"),
        ('title = "Demonstration criteria', 'title = "Criteria', "title"),
        ('notice = "Demonstration only', 'notice = "Only', "notice"),
        ('above = "Demonstration answer: covered', 'above = "Covered', "words.above"),
    ],
)
def test_a_criteria_pack_says_what_it_is_everywhere(old: str, new: str, key: str) -> None:
    """Wrong numbers, unknown keys, and a demonstration that hides it are refused by name."""
    with pytest.raises(Invalid, match=key):
        load_criteria(changed(CRITERIA, old, new), "c.toml")


def test_count_examples_fit_together() -> None:
    """More solved than seen cannot be an example."""
    with pytest.raises(Invalid, match="solved"):
        load_count_examples(changed(COUNTS, "solved = 0", "solved = 1"), "c.examples.toml")


def test_a_pack_plans_only_what_counts() -> None:
    """Items of other families stay out, order says nothing, and an empty choice is refused."""
    pack = load_criteria(changed(CRITERIA, "families = []", 'families = ["a"]'), "c.toml")
    items = [PlannedItem(name, family, "0" * 64) for name, family in ("za", "yb", "xa")]
    plan = pack.plan("d", items, "c")
    assert plan.items == ("x", "z")
    assert plan.families == ("a", "a")
    assert (plan.threshold, plan.alpha_above, plan.zone) == (0.75, 0.05, 0.0)
    assert not pack.counts("registry", "a")
    with pytest.raises(Invalid, match="families"):
        pack.plan("d", items[1:2], "c")


WEIGHTS = "\n[weights]\na = 0.25\nb = 0.75\n"


def test_a_pack_may_weigh_families_and_name_its_design() -> None:
    """Weights go into the plan of bets; the table of counts has no use for them and refuses them."""
    items = [PlannedItem(name, family, "0" * 64) for name, family in ("za", "yb", "xa")]
    pack = load_criteria((CRITERIA + WEIGHTS).encode(), "c.toml")
    assert pack.design is Design.ACTIVE
    assert pack.plan("d", items, "c").weights == {"a": 0.25, "b": 0.75}
    exact = load_criteria(changed(CRITERIA, 'design = "active"', 'design = "srswor"'), "c.toml")
    assert exact.plan("d", items, "c").design is Design.SRSWOR
    with pytest.raises(Invalid, match="weights"):
        replace(exact, weights=pack.weights).plan("d", items, "c")
    silent = load_criteria(changed(CRITERIA, 'design = "active"', ""), "c.toml")
    assert silent.design is Design.ACTIVE


@pytest.mark.parametrize("weights", ["a = 0.5", "a = 1.5\nb = -0.5", "", 'a = "1"'])
def test_weights_that_do_not_add_up_are_refused(weights: str) -> None:
    """Not one together, a negative one, none at all, a text."""
    with pytest.raises(Invalid, match="weights"):
        load_criteria(f"{CRITERIA}\n[weights]\n{weights}\n".encode(), "c.toml")


def test_a_pack_answers_every_outcome() -> None:
    """A pack without a word for an outcome is refused; one that is no demonstration need not say so."""
    pack = load_criteria(CRITERIA.encode(), "c.toml")
    with pytest.raises(Invalid, match="answers"):
        replace(pack, words={})
    assert replace(pack, demonstration=False, title="T").title == "T"


def test_no_tie_is_broken() -> None:
    """Undecided, exhausted and inside the zone all give undetermined."""
    for state, expected in zip(
        (State.ABOVE, State.BELOW, State.UNDECIDED, State.EXHAUSTED, State.INSIDE_ZONE),
        (Outcome.ABOVE, Outcome.BELOW, *[Outcome.UNDETERMINED] * 3),
        strict=True,
    ):
        assert outcome(state) is expected


def test_tables_and_lists_are_told_apart() -> None:
    """A list of numbers is no list of texts, a list of texts no list of tables."""
    root = open_table(b"a = [1]\nb = ['x']\n[c]", "t.toml")
    assert root.keys() == {"a", "b", "c"}
    with pytest.raises(Invalid, match=r"t.toml: a"):
        root.texts("a")
    with pytest.raises(Invalid, match=r"t.toml: b"):
        root.tables("b")
    assert root.texts("absent") == ()
