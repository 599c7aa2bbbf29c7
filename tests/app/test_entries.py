"""The dated register in use: who writes, who reads, what is refused, and what acts tell of it."""

from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256

import pytest

import make
from desk_world import DeskWorld
from leadline.app import entries
from leadline.app.entries import Kinds
from leadline.core.engagement.register import Entry, Mark, Proof, Relation
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Stale
from leadline.core.record.act import Act, Kind
from leadline.wiring.register import kinds

KINDS: Kinds = kinds()
TODAY = make.NOW.date()
TASK = Entry(
    "task",
    "ordered-task",
    "Harden the systems",
    TODAY,
    "an order",
    "all systems",
    due=TODAY + timedelta(days=30),
    cites="the order",
)
DESIGNATION = replace(TASK, id="designation", kind="supply-chain-designation", due=None)
CALL = Entry("call", "government-contact", "A call", TODAY, "an agency", "the framework")
SEEN = (Kind.ENTRY_WRITTEN, Kind.ENTRY_EVIDENCED, Kind.ENTRY_ENDED)


@pytest.fixture
def world() -> DeskWorld:
    """Everybody at the desk."""
    return DeskWorld()


def ids(world: DeskWorld, person: str, *, own: bool = False) -> list[str]:
    """What a person's list shows."""
    return [one.id for one in entries.listed(world.at(person), KINDS, own=own).entries]


def acts(world: DeskWorld) -> list[Act]:
    """The acts about entries."""
    return world.acts(*SEEN)


def test_an_entry_is_written_proved_and_ended_each_as_an_act(world: DeskWorld) -> None:
    """An entry is written proved and ended each as an act."""
    officer = world.at("officer")
    assert entries.written(officer, KINDS, TASK) == 1
    world.after(days=40)
    register = entries.listed(world.at("officer"), KINDS)
    assert register.marks(register.entry("task"), world.now.date()) == (Mark.OVERDUE,)
    done = TODAY + timedelta(days=20)
    proof = entries.evidenced(world.at("officer"), KINDS, "task", b"text", "the text", done=done)
    assert proof.digest == sha256(b"text").hexdigest()
    assert entries.content(world.at("auditor"), "task", proof.digest) == b"text"
    with pytest.raises(NotFound, match="no evidence other"):
        entries.content(world.at("auditor"), "task", "other")
    with pytest.raises(NotFound, match="no entry task"):
        entries.content(world.at("operator"), "task", proof.digest)
    found = entries.kept(world.at("officer"), "task")
    assert (found.revision, found.entry.done, found.entry.evidence) == (2, done, (proof,))
    register = entries.listed(world.at("officer"), KINDS)
    assert register.standing_out(world.now.date()) == ()
    day = world.now.date()
    assert entries.ended(world.at("officer"), KINDS, "task", day, "revoked").ended == "revoked"
    told = [(one.kind, one.about, one.detail["due"]) for one in acts(world)]
    assert told == [(kind, "entry/task", "2027-03-31T00:00:00.000000Z") for kind in SEEN]
    assert acts(world)[-1].detail["until"] == "2027-04-10T00:00:00.000000Z"


def test_only_the_programme_officer_writes_and_with_two_factors(world: DeskWorld) -> None:
    """Only the programme officer writes and with two factors."""
    for person in ("developer", "official", "evaluator", "auditor", "operator", "coordinator"):
        with pytest.raises(Denied):
            entries.written(world.at(person), KINDS, TASK)
    with pytest.raises(Denied, match="two factors"):
        entries.written(world.at("officer", assurance=1), KINDS, TASK)
    assert acts(world) == []


def test_everybody_reads_what_is_public_and_the_installation_the_rest(world: DeskWorld) -> None:
    """Everybody reads what is public and the installation the rest."""
    for one in (TASK, DESIGNATION):
        entries.written(world.at("officer"), KINDS, one)
    for person in ("developer", "rival", "operator", "partner"):
        assert ids(world, person) == ["designation"]
    for person in ("officer", "auditor", "coordinator", "evaluator", "official"):
        assert ids(world, person) == ["designation", "task"]
    with pytest.raises(NotFound, match="no entry task"):
        entries.kept(world.at("operator"), "task")


def test_a_developers_own_log_is_its_own(world: DeskWorld) -> None:
    """A developers own log is its own."""
    entries.written(world.at("developer"), KINDS, CALL, own=True)
    entries.written(world.at("rival"), KINDS, CALL, own=True)  # the same id, and nobody collides
    entries.evidenced(world.at("developer"), KINDS, "call", b"notes", "my notes", own=True)
    assert ids(world, "colleague", own=True) == ["call"]
    for person in ("officer", "auditor", "operator", "partner", "official", "rival"):
        assert ids(world, person) == []
    for person in ("officer", "auditor", "operator", "partner", "official"):
        assert ids(world, person, own=True) == []
    with pytest.raises(NotFound):  # its evidence stays with the developer
        world.vault.get(sha256(b"notes").hexdigest())
    with pytest.raises(Refused, match="stays with you"):
        entries.content(world.at("colleague"), "call", sha256(b"notes").hexdigest(), own=True)
    assert {one.about for one in acts(world)} == {"entry/own"}
    assert all(set(one.detail) <= {"digest", "evidence"} for one in acts(world))
    with pytest.raises(Invalid, match="kept by the developer"):
        entries.written(world.at("officer"), KINDS, CALL)
    with pytest.raises(Denied):
        entries.written(world.at("official"), KINDS, CALL, own=True)
    with pytest.raises(Denied, match="two factors"):
        entries.written(world.at("developer", assurance=1), KINDS, CALL, own=True)


def test_an_own_entry_relates_to_own_ones_and_learns_nothing_of_hidden_ones(
    world: DeskWorld,
) -> None:
    """An own entry relates to own ones and learns nothing of hidden ones."""
    entries.written(world.at("officer"), KINDS, TASK)
    entries.written(world.at("developer"), KINDS, CALL, own=True)
    follows = replace(CALL, id="next", relates=(Relation("follows", "call"),))
    entries.written(world.at("developer"), KINDS, follows, own=True)
    for hidden in ("task", "nothing"):
        wrong = replace(follows, id="other", relates=(Relation("follows", hidden),))
        with pytest.raises(Invalid, match=f"there is no entry '{hidden}'"):
            entries.written(world.at("developer"), KINDS, wrong, own=True)


def test_of_two_writers_the_second_is_told(world: DeskWorld) -> None:
    """Of two writers the second is told."""
    entries.written(world.at("officer"), KINDS, TASK)
    with pytest.raises(Stale, match="at revision 1"):
        entries.written(world.at("officer"), KINDS, TASK)
    corrected = replace(TASK, title="Harden all systems")
    assert entries.written(world.at("officer"), KINDS, corrected, revision=1) == 2
    with pytest.raises(Stale, match="at revision 2"):
        entries.written(world.at("officer"), KINDS, TASK, revision=1)
    with pytest.raises(Stale, match="there is none"):
        entries.written(world.at("officer"), KINDS, DESIGNATION, revision=1)
    assert entries.kept(world.at("officer"), "task").entry == corrected
    assert len(acts(world)) == 2


def test_a_correction_keeps_the_evidence(world: DeskWorld) -> None:
    """A correction keeps the evidence."""
    entries.written(world.at("officer"), KINDS, TASK)
    proof = entries.evidenced(world.at("officer"), KINDS, "task", b"text", "the text")
    entries.written(world.at("officer"), KINDS, replace(TASK, note="n"), revision=2)
    assert entries.kept(world.at("officer"), "task").entry.evidence == (proof,)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"until": TODAY - timedelta(days=1)}, "until"),
        ({"due": TODAY - timedelta(days=1)}, "due"),
        ({"done": TODAY + timedelta(days=1)}, "done"),
        ({"kind": "unheard-of"}, "kind"),
        ({"relates": (Relation("follows", "nothing"),)}, "relates"),
        ({"relates": (Relation("follows", "task"),)}, "relates"),
        ({"evidence": (Proof("aa", "w", make.NOW, "me"),)}, "evidence"),
        ({"ended": "why"}, "ended"),
    ],
)
def test_what_cannot_be_changes_nothing(
    world: DeskWorld, changed: dict[str, object], field: str
) -> None:
    """What cannot be changes nothing."""
    with pytest.raises(Invalid) as refused:
        entries.written(world.at("officer"), KINDS, replace(TASK, **changed))  # type: ignore[arg-type] # real fields
    assert refused.value.field == field
    assert (ids(world, "officer"), acts(world)) == ([], [])


def test_a_correction_never_closes_a_circle(world: DeskWorld) -> None:
    """A correction never closes a circle."""
    entries.written(world.at("officer"), KINDS, TASK)
    after = replace(TASK, id="after", relates=(Relation("follows", "task"),))
    entries.written(world.at("officer"), KINDS, after)
    before = replace(TASK, relates=(Relation("follows", "after"),))
    with pytest.raises(Invalid, match="bear on itself"):
        entries.written(world.at("officer"), KINDS, before, revision=1)
    assert entries.kept(world.at("officer"), "task").entry == TASK


def test_evidence_is_of_something_says_what_it_is_and_counts_once(world: DeskWorld) -> None:
    """Evidence is of something says what it is and counts once."""
    entries.written(world.at("officer"), KINDS, TASK)
    later = TODAY + timedelta(days=1)
    earlier = TODAY - timedelta(days=1)
    for id_, content, what, done, error in (
        ("nothing", b"x", "w", None, NotFound),
        ("task", b"", "w", None, Invalid),
        ("task", b"x", " ", None, Invalid),
        ("task", b"x", "w", later, Invalid),
        ("task", b"x", "w", earlier, Invalid),
    ):
        with pytest.raises(error):
            entries.evidenced(world.at("officer"), KINDS, id_, content, what, done=done)
    with pytest.raises(Denied):
        entries.evidenced(world.at("auditor"), KINDS, "task", b"x", "w")
    assert entries.kept(world.at("officer"), "task").revision == 1
    entries.evidenced(world.at("officer"), KINDS, "task", b"x", "w")
    with pytest.raises(Refused, match="already"):
        entries.evidenced(world.at("officer"), KINDS, "task", b"x", "again")


def test_an_end_is_after_the_beginning_and_once(world: DeskWorld) -> None:
    """An end is after the beginning and once."""
    waiver = replace(
        DESIGNATION,
        id="waiver",
        kind="waiver",
        until=TODAY + timedelta(days=10),
        relates=(Relation("waives", "designation"),),
    )
    for one in (DESIGNATION, waiver):
        entries.written(world.at("officer"), KINDS, one)
    for day, why in ((TODAY, "w"), (TODAY + timedelta(days=11), "w"), (TODAY, " ")):
        with pytest.raises(Invalid):
            entries.ended(world.at("officer"), KINDS, "waiver", day, why)
    day = TODAY + timedelta(days=5)
    entries.ended(world.at("officer"), KINDS, "waiver", day, "over")
    with pytest.raises(Refused, match="ended before: over"):
        entries.ended(world.at("officer"), KINDS, "waiver", day, "over")
    with pytest.raises(Refused, match="enter a new one"):
        entries.written(world.at("officer"), KINDS, waiver, revision=2)


def test_a_status_stops_having_effect_on_the_day_of_the_order(world: DeskWorld) -> None:
    """A status stops having effect on the day of the order."""
    order = replace(
        DESIGNATION,
        id="order",
        kind="injunction",
        since=TODAY + timedelta(days=3),
        relates=(Relation("enjoins", "designation"),),
    )
    for one in (DESIGNATION, order):
        entries.written(world.at("officer"), KINDS, one)
    register = entries.listed(world.at("operator"), KINDS)
    found = [register.in_effect("designation", TODAY + timedelta(days=n)) for n in range(5)]
    assert found == [True, True, True, False, False]


def test_nobody_keeps_an_own_log_without_an_organisation(world: DeskWorld) -> None:
    """Nobody keeps an own log without an organisation."""
    world.change("operator", org="")
    with pytest.raises(Invalid, match="no organisation"):
        entries.written(world.at("operator"), KINDS, CALL, own=True)


def test_other_developers_logs_change_nobodys_list(world: DeskWorld) -> None:
    """Other developers logs change nobodys list."""
    entries.written(world.at("officer"), KINDS, TASK)
    people = ("officer", "auditor", "operator", "partner", "developer")

    def seen() -> list[object]:
        return [
            (entries.listed(world.at(one), KINDS), entries.listed(world.at(one), KINDS, own=True))
            for one in people
        ]

    before = seen()
    entries.written(world.at("rival"), KINDS, CALL, own=True)
    assert seen() == before


def test_days_are_days(world: DeskWorld) -> None:
    """Days are days."""
    leap = replace(TASK, since=date(2028, 2, 28), due=date(2028, 2, 29))
    entries.written(world.at("officer"), KINDS, leap)
    register = entries.listed(world.at("officer"), KINDS)
    assert register.marks(leap, date(2028, 2, 29)) == ()
    assert register.marks(leap, date(2028, 3, 1)) == (Mark.OVERDUE,)
