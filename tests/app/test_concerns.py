"""The sector-concern channel: who raises, who reads, who answers, and what the public counts."""

import pytest

import make
from desk_world import DeskWorld
from leadline.app import concerns
from leadline.app.sign_in import NOBODY
from leadline.core.engagement.concern import Concern
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.record.act import Kind

SECTORS = ("finance", "health", "water")


@pytest.fixture
def world() -> DeskWorld:
    """Everybody at the desk, and an operator of another hospital."""
    made = DeskWorld()
    other = make.principal("operator", id_="other-operator", org="another-hospital", engagements=())
    made.enrol(other)
    return made


def told(world: DeskWorld, person: str) -> list[tuple[str, str]]:
    """Words and answer of what a person's list shows."""
    return [(one.text, one.answer) for one in concerns.listed(world.at(person))]


def test_a_concern_is_raised_stays_openly_unanswered_and_is_answered(world: DeskWorld) -> None:
    """A concern is raised stays openly unanswered and is answered."""
    one = concerns.raised(world.at("operator"), SECTORS, "health", "patches come too slowly")
    world.after(days=12)
    assert concerns.listed(world.at("operator"))[0].concern.age(world.now).days == 12
    done = concerns.answered(world.at("officer"), one.id, "we hear you")
    assert done.age(world.now).days == 12
    for person in ("operator", "officer", "coordinator", "auditor"):
        assert told(world, person) == [("patches come too slowly", "we hear you")]
    acts = world.acts(Kind.CONCERN_RAISED, Kind.CONCERN_ANSWERED)
    assert [(act.about, act.detail["sector"]) for act in acts] == [(one.id, "health")] * 2
    assert "slowly" not in str(acts)


def test_who_raised_it_and_the_clearinghouse_read_it_and_nobody_else(world: DeskWorld) -> None:
    """Who raised it and the clearinghouse read it and nobody else."""
    one = concerns.raised(world.at("operator"), SECTORS, "health", "too slow")
    for person in ("other-operator", "developer", "rival", "partner", "evaluator", "official"):
        assert told(world, person) == []
        with pytest.raises(NotFound, match=f"no concern {one.id}"):
            concerns.answered(world.at(person), one.id, "text")
    for person in ("operator", "auditor"):
        with pytest.raises(Denied):
            concerns.answered(world.at(person), one.id, "text")
    with pytest.raises(NotFound, match="no concern nothing"):
        concerns.answered(world.at("officer"), "nothing", "text")


def test_unanswered_ones_come_first_and_the_oldest_of_them(world: DeskWorld) -> None:
    """Unanswered ones come first and the oldest of them."""
    made = []
    for text in ("first", "second", "third"):
        made.append(concerns.raised(world.at("operator"), SECTORS, "water", text))
        world.after(days=1)
    concerns.answered(world.at("coordinator"), made[0].id, "done")
    assert [text for text, _ in told(world, "officer")] == ["second", "third", "first"]


def test_what_cannot_be_changes_nothing(world: DeskWorld) -> None:
    """What cannot be changes nothing."""
    for sector, text in (("weather", "x"), ("health", " "), ("health", "x" * 20_001)):
        with pytest.raises(Invalid):
            concerns.raised(world.at("operator"), SECTORS, sector, text)
    with pytest.raises(Denied):
        concerns.raised(world.at("developer"), SECTORS, "health", "x")
    assert world.acts(Kind.CONCERN_RAISED) == []
    one = concerns.raised(world.at("operator"), SECTORS, "health", "x")
    with pytest.raises(Invalid):
        concerns.answered(world.at("officer"), one.id, "")
    concerns.answered(world.at("officer"), one.id, "y")
    with pytest.raises(Refused, match="was answered on"):
        concerns.answered(world.at("coordinator"), one.id, "z")
    assert told(world, "operator") == [("x", "y")]


def test_the_public_counts_by_sector_and_never_a_few(world: DeskWorld) -> None:
    """The public counts by sector and never a few."""
    with world.store.write() as tx:
        tx.put_principal(NOBODY)
    for number in range(5):
        concerns.raised(world.at("operator"), SECTORS, "health", f"concern {number}")
    concerns.raised(world.at("operator"), SECTORS, "water", "one alone")
    found = concerns.counts(world.at(NOBODY.id, assurance=1), SECTORS)
    assert [(one.sector, one.raised) for one in found] == [
        ("finance", None),
        ("health", 5),
        ("water", None),
    ]
    with world.store.read() as view:
        assert len(view.find(Concern)) == 6
