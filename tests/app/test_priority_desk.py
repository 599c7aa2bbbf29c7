"""The queue of an installation's cases, and one flaw weighed on an operator's own host."""

from datetime import UTC, date, timedelta

import pytest

import make
from clearing_world import clearing_world, name_for
from desk_world import DeskWorld
from leadline.app import priority
from leadline.app.priority import Lists
from leadline.core.access import Bounds
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.directive import Facts, Standing
from leadline.core.clearing.exploited import Answer, Epss, Kev, Listing
from leadline.core.clearing.priority import Attacks
from leadline.core.errors import Denied, Invalid, NotFound
from leadline.core.record.act import Kind
from priority_world import AUTOMATABLE, EXPOSED, IMPACT, KEV

CVE = "CVE-2026-12345"
CASES = ("case-a", "case-b", "case-c")


def kev(*listed: str, age: timedelta = timedelta(days=1)) -> Kev:
    """A list of that age."""
    return Kev(
        "1",
        make.NOW - age,
        {one: Listing(one, date(2027, 2, 1), ransomware=False) for one in listed},
    )


def answer(point: str, value: str, by: str = "a") -> Answer:
    """Somebody's word."""
    return Answer(point, value, by, "")


@pytest.fixture
def world() -> DeskWorld:
    """Three cases, for which the screener is named; nothing is known of any."""
    world = clearing_world()
    for case in CASES:
        name_for(world, "screener", case)
        ctx = world.at("screener")
        with ctx.store.write() as tx:
            file = CaseFile(case, case)
            tx.put(case, file, marking=priority.CASE, bounds=Bounds(case=case))
            tx.record(ctx.act(Kind.CASE_OPENED, case, ""))
    return world


def queued(world: DeskWorld, lists: Lists = Lists()) -> list[str]:  # noqa: B008 -- a frozen value
    """The ids in their order."""
    rows = priority.queue(world.at("screener"), dict.fromkeys(CASES, 0), lists, UTC)
    return [row.place.case.id for row in rows]


def test_one_flaw_is_weighed_without_anybody_else() -> None:
    """The list, the record and the asker's own word, each with its source; nothing is guessed."""
    epss = Epss("v4", make.NOW, {CVE: (0.25, 0.9)})
    lists = Lists(kev(CVE), epss, {CVE: (answer(AUTOMATABLE, "Y"), answer(IMPACT, "T"))})
    facts = Facts(cve=CVE, detected=make.NOW)
    found = priority.weigh(lists, facts, [answer(EXPOSED, "Y", "you")], make.NOW, UTC)
    assert [one.value for one in found.answers] == ["Y", "Y", "Y", "T"]
    assert found.due.standing is Standing.ADVICE
    assert found.due.decision.determined
    assert found.due.owed == make.NOW.date() + timedelta(days=3)
    assert found.likelihood is not None
    assert found.likelihood.probability == pytest.approx(0.25)


def test_without_lists_nothing_is_owed() -> None:
    """No list, no record, no word: undetermined, from the latest to the earliest outcome."""
    found = priority.weigh(Lists(), Facts(cve=CVE, detected=make.NOW), [], make.NOW, UTC)
    assert not found.due.decision.determined
    assert found.due.owed is None
    assert found.due.decision.least.key == "FSU"
    assert found.due.decision.most.key == "3DF"


def test_assessors_who_differ_leave_it_unknown() -> None:
    """Both are named."""
    lists = Lists(records={CVE: (answer(AUTOMATABLE, "Y", "CISA"), answer(AUTOMATABLE, "N", "b"))})
    found = priority.weigh(lists, Facts(cve=CVE), [], make.NOW, UTC)
    row = {one.point: one for one in found.answers}[AUTOMATABLE]
    assert row.value is None
    assert "CISA says Y" in row.why
    assert "b says N" in row.why


def test_an_input_that_the_table_does_not_have_is_refused() -> None:
    """Named, before anything is decided."""
    with pytest.raises(Invalid, match="is no input"):
        priority.weigh(Lists(), Facts(), [answer("x:y:1", "Y")], make.NOW, UTC)


def test_facts_move_a_case_and_unknown_takes_them_back(world: DeskWorld) -> None:
    """The worst that is possible comes first; a harmless case goes to the end."""
    assert queued(world) == list(CASES)
    at = world.at("screener")
    for what, value in ((EXPOSED, "N"), (AUTOMATABLE, "N"), (IMPACT, "P")):
        priority.say(at, "case-a", what, value, "asked the owner")
    priority.say(at, "case-a", "cve", CVE, "assigned")
    priority.say(at, "case-c", "attacks", "seen", "a report")
    harmless = Lists(kev())
    assert queued(world, harmless) == ["case-c", "case-b", "case-a"]
    priority.say(at, "case-c", "attacks", "none", "it was another flaw")
    # an attack that is not known may have been seen: unknown stands above none
    assert queued(world, harmless) == ["case-b", "case-c", "case-a"]
    assert queued(world, Lists(kev(CVE)))[0] != "case-a"


def test_what_the_case_recorded_counts_whatever_is_said(world: DeskWorld) -> None:
    """Attacks that were seen stay seen."""
    ctx = world.at("screener")
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.CASE_MOVED, "case-b", "", move="attacks"))
    priority.say(ctx, "case-b", "attacks", "none", "nothing seen here")
    [first, *_] = priority.queue(ctx, dict.fromkeys(CASES, 0), Lists(), UTC)
    assert first.place.case.id == "case-b"
    assert first.told.attacks is Attacks.SEEN


def test_a_person_moves_a_case_with_a_reason(world: DeskWorld) -> None:
    """It stands in the record with what its author saw; dates are as they were."""
    at = world.at("screener")
    made = priority.put(at, "case-c", "3DF", "a plant depends on it", Lists(), UTC)
    assert made.seen == ("FSU", "3DF")
    rows = priority.queue(at, dict.fromkeys(CASES, 0), Lists(), UTC)
    assert rows[0].place.case.id == "case-c"
    assert rows[0].place.override is not None
    assert rows[0].weighed.due.owed is None
    [act] = world.acts(Kind.PRIORITY_SET)
    assert act.detail["reason"] == "a plant depends on it"


@pytest.mark.parametrize(
    ("what", "value", "reason", "field"),
    [
        (EXPOSED, "maybe", "r", EXPOSED),
        (KEV, "Y", "r", "signal"),
        ("mood", "bad", "r", "signal"),
        ("attacks", "many", "r", "attacks"),
        ("attacks", "seen", " \n ", "reason"),
        ("attacks", "seen", "x" * 501, "reason"),
    ],
)
def test_what_cannot_be_changes_nothing(
    world: DeskWorld, what: str, value: str, reason: str, field: str
) -> None:
    """Named, and no act."""
    with pytest.raises(Invalid) as caught:
        priority.say(world.at("screener"), "case-a", what, value, reason)
    assert caught.value.field == field
    assert not world.acts(Kind.PRIORITY_SET)


def test_an_outcome_that_there_is_not(world: DeskWorld) -> None:
    """The table's own keys are listed."""
    with pytest.raises(Invalid, match="FSU, 60D, 14D, 3D, 3DF"):
        priority.put(world.at("screener"), "case-a", "NOW", "r", Lists(), UTC)
    assert not world.acts(Kind.PRIORITY_SET)


@pytest.mark.parametrize("person", ["finder", "maintainer", "hospital", "clearing-auditor"])
def test_others_set_and_read_nothing(world: DeskWorld, person: str) -> None:
    """Whoever is not named for the case."""
    for deed in (
        lambda: priority.say(world.at(person), "case-a", "attacks", "seen", "r"),
        lambda: priority.put(world.at(person), "case-a", "3D", "r", Lists(), UTC),
        lambda: priority.queue(world.at(person), {"case-a": 0}, Lists(), UTC),
    ):
        with pytest.raises(Denied):
            deed()
    assert not world.acts(Kind.PRIORITY_SET)


def test_a_case_that_there_is_not(world: DeskWorld) -> None:
    """Even for somebody who is named for it."""
    name_for(world, "screener", "case-z")
    with pytest.raises(NotFound):
        priority.say(world.at("screener"), "case-z", "attacks", "seen", "r")


def test_the_shipped_tables_are_all_there() -> None:
    """Each under its own id, the directive's among them."""
    assert priority.directive().table.id in priority.tables()
