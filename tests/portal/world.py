"""One installation with a person of every role and something of every kind, for the tests of pages.

It is built once and copied: a test that changes it takes a copy of its own (`copied`). Everybody is
called as the role is and signs in with `identity.people.PASSWORD`; a developer's rival and an operator of elsewhere
stand beside them, to whom nothing here belongs.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

import make
from clearing_world import INTAKE
from identity.people import HERE, House, house
from leadline.app import cases, engagement, notices, operators, sign_in
from leadline.app.cases import NewParty
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.operators import Stated
from leadline.core.access import Bounds
from leadline.core.assessment import Subject
from leadline.core.clearing.case import Answer, FixState
from leadline.core.clearing.case import Report as Told
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.coordination import Stated as Status
from leadline.core.clearing.disclosure import Move, Role
from leadline.core.clearing.finding import Evidence, Finding, Location, ReplayResult, Severity
from leadline.core.clearing.operator import Exposure, Mode
from leadline.core.clearing.tiers import Stage
from leadline.core.engagement.terms import Terms
from leadline.core.marking import Marking, Tlp
from leadline.wiring.desk import library
from once import once
from operator_world import TIERS, bom, ujson

OTHER_DEVELOPER, HOSPITAL, OTHER_HOSPITAL = "another-developer", "a-hospital", "another-hospital"
# Whose person each role is, and whether it is named for the engagement.
SEATS: Mapping[str, tuple[str, bool]] = {
    "account-administrator": (make.DEVELOPER, False),
    "administrator": ("installation", False),
    "auditor": ("an-auditor", False),
    "concurring-official": (make.PROGRAMME, True),
    "coordinator": (make.PROGRAMME, True),
    "custodian": (make.PROGRAMME, True),
    "determining-official": (make.PROGRAMME, True),
    "developer": (make.DEVELOPER, False),
    "developer-security-contact": (make.DEVELOPER, False),
    "evaluation-lead": (make.PROGRAMME, True),
    "evaluator": (make.PROGRAMME, True),
    "finder": ("a-finder", False),
    "maintainer": ("a-project", False),
    "operator": (HOSPITAL, False),
    "programme-officer": (make.PROGRAMME, True),
    "trusted-partner": ("a-utility", True),
}
# Beside them: the same roles elsewhere, to whom nothing of this belongs.
STRANGERS: Mapping[str, tuple[str, str]] = {
    "rival": (OTHER_DEVELOPER, "developer"),
    "other-operator": (OTHER_HOSPITAL, "operator"),
    "other-maintainer": ("another-project", "maintainer"),
    "other-evaluator": ("another-programme", "evaluator"),
    "second-administrator": ("installation", "administrator"),
    "second-keeper": (make.DEVELOPER, "account-administrator"),
    "other-keeper": (OTHER_DEVELOPER, "account-administrator"),
}
ROLES = tuple(SEATS)
EVERYONE = (*SEATS, *STRANGERS)


@dataclass
class World:
    """The house, and what stands in it by the names that paths of examples use."""

    at: House
    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def ctx(self, person: str) -> Context:
        """That person now, signed in as strongly as there is."""
        return self.at.ctx(person)

    @property
    def dealings(self) -> Dealings:
        """The engagement, under the regime it was opened with."""
        texts = library()
        return Dealings(make.ENGAGEMENT, make.DEVELOPER, texts.newest("us-eo-14409"), texts)

    def sign_in(self, person: str) -> str:
        """A session's token, by password and key: two factors."""
        if person not in self.tokens:
            at = self.at
            at.password(person)
            key = at.key(person)
            first = at.signed_in(person).session
            made, to_sign, _ = at.door.challenge()
            begun = sign_in.by_key(at.door.nobody(), made.id, key.sign(to_sign), HERE, first)
            self.tokens[person] = begun.token
        return self.tokens[person]


def _people(world: World) -> None:
    for role, (org, named) in SEATS.items():
        world.at.enrol(
            role,
            role,
            org=org,
            engagements=frozenset({make.ENGAGEMENT} if named else ()),
            cases=frozenset({INTAKE} if role == "coordinator" else ()),
            clearance=2 if named else 0,
        )
    for person, (org, role) in STRANGERS.items():
        world.at.enrol(person, role, org=org, engagements=frozenset())
    world.ids["person"] = "evaluator"


def _engagement(world: World) -> None:
    on, at = world.dealings, world.at
    subject = Subject("model", "a model", "d" * 64)
    engagement.open_draft(world.ctx("developer"), on, "a model nobody heard of", subject)
    engagement.set_anchor(world.ctx("developer"), on, at.clock.now + timedelta(days=20), "UTC")
    until = at.clock.now + timedelta(days=60)
    terms = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, until)
    for person in ("developer", "determining-official"):
        engagement.agree_terms(world.ctx(person), on, terms)
    engagement.open_access(world.ctx("developer"), on)
    world.ids["engagement"] = on.id


def _finding(world: World, number: int) -> str:
    """A finding of the finder's at intake, which a replay set off."""
    made = Finding(
        "ai",
        "a model nobody heard of",
        "planted",
        f"item-{number}",
        "run-1",
        "memory-safety",
        f"Reads past the end of a buffer, {number}",
        f"pkg:pypi/ujson@5.1.{number}",
        "d" * 64,
        f"{number:064x}",
        "AddressSanitizer: heap-buffer-overflow",
        world.at.clock.now,
        "CWE-125",
        severity=Severity.HIGH,
        locations=(Location("encode.c", "encode"),),
        evidence=Evidence(oracle="address-sanitizer"),
    )
    marking, bounds = Marking(Tlp.RED), Bounds(case=INTAKE, owner="finder")
    with world.at.door.parts.store.write() as tx:
        tx.put(made.id, made, marking=marking, bounds=bounds)
        result = ReplayResult(made.id, (True,) * 5, (), "a" * 64)
        tx.put(f"{made.id}/replay", result, marking=marking, bounds=bounds)
    return made.id


def _operators(world: World) -> None:
    ids = world.ids
    operators.publish_tiers(world.ctx("coordinator"), TIERS)
    world.at.clock.forward(hours=1)
    for person, name, key in (
        ("operator", "The hospital", "operator"),
        ("other-operator", "The other hospital", "other_operator"),
    ):
        stated = Stated(
            name, ("health",), 9_000, Exposure.UNKNOWN, 2, "Ask the IT on call.", Mode.HOSTED
        )
        made = operators.enrol(world.ctx(person), stated, tuple(notices.sectors()))
        operators.vet(world.ctx("coordinator"), made.id, "spoke to its head of IT")
        ids[key] = made.id
    world.at.clock.forward(minutes=1)
    operators.give(world.ctx("operator"), bom("pkg:pypi/ujson@5.1.0"), "inventory.cdx.json")


def _opened(world: World, finding: str, title: str) -> tuple[str, str]:
    """A case of the maintainer's, opened by the coordinator; answers its id and the owner's."""
    world.at.clock.forward(hours=1)
    coordinator = world.ctx("coordinator")
    case = cases.open_case(coordinator, [finding], title=title, policy="leadline-default")
    new = NewParty(Role.OWNER, "The owner", "owner@project.example", person="maintainer")
    owner = cases.add_party(world.ctx("coordinator"), case, new)
    maintainer = world.ctx("maintainer")
    for report in (Told.RECEIVED, Told.VALID, Told.ACCEPTED):
        cases.state(maintainer, case, owner, Status(report=report))
    return case, owner


def _published(world: World) -> None:
    """A case that became public, and the notice that the hospital was sent about it."""
    case, owner = _opened(world, _finding(world, 0), "A case that became public")
    cases.state(world.ctx("maintainer"), case, owner, Status(fix=FixState.READY))
    until = world.at.clock.now + timedelta(days=7)
    stands = cases.propose(world.ctx("coordinator"), case, until)
    assert stands.terms.proposal is not None
    for one in stands.terms.proposal.asked:
        person = stands.participants[one].person
        if person != "coordinator":
            cases.answer(world.ctx(person), case, Answer.ACCEPT)
    world.at.clock.forward(days=7)
    cases.move(world.ctx("coordinator"), case, Moved(Move.PUBLIC, evidence="e" * 64))
    sent = notices.release(world.ctx("coordinator"), case, ujson(), Stage.PUBLISHED)
    world.ids.update({"public_case": case, "notice": sent[0].id})


def _embargoed(world: World) -> None:
    """A case under embargo, and a finding that is still at intake."""
    finding = _finding(world, 1)
    case, owner = _opened(world, finding, "A case under embargo")
    until = world.at.clock.now + timedelta(days=40)
    cases.propose(world.ctx("coordinator"), case, until)
    world.ids.update(
        {"case": case, "party": owner, "finding": finding, "loose": _finding(world, 2)}
    )


def _keys(world: World) -> None:
    for person in EVERYONE:
        world.sign_in(person)
    for session in ("evaluator", "administrator"):
        world.ids[f"{session}_session"] = world.tokens[session].partition(".")[0]
    world.ids["session"] = world.ids["evaluator_session"]


def build(at: House) -> World:
    """Everything, in an empty house."""
    world = World(at)
    _people(world)
    _engagement(world)
    _operators(world)
    _published(world)
    _embargoed(world)
    _keys(world)
    return world


@dataclass(frozen=True)
class Model:
    """A world on disk, closed, from which others are copied."""

    folder: Path
    forward: timedelta
    ids: Mapping[str, str]
    tokens: Mapping[str, str]

    @contextmanager
    def copied(self, folder: Path) -> Iterator[World]:
        """A world of one's own; what an earlier one changed in *folder* is put back."""
        put_back(self.folder, folder)
        with house(folder) as at:
            at.clock.now += self.forward
            yield World(at, dict(self.ids), dict(self.tokens))


def put_back(of: Path, folder: Path) -> None:
    """*folder* is as *of* again; what is as it was is left there, so that this is quicker than to copy."""
    if not folder.exists():
        folder.mkdir()
        shutil.copystat(of, folder)
    there = {one.name: one for one in os.scandir(folder)}
    for one in os.scandir(of):
        mine = there.pop(one.name, None)
        if one.is_dir():
            put_back(Path(one), folder / one.name)
        elif mine is None or _seen(mine) != _seen(one):
            shutil.copy2(one, folder / one.name)
    for more in there.values():
        if more.is_dir():
            shutil.rmtree(more)
        else:
            Path(more).unlink()


def _seen(file: os.DirEntry[str]) -> tuple[int, int]:
    """What changes with a file; a copy keeps it."""
    return file.stat().st_size, file.stat().st_mtime_ns


def model(
    temporary: pytest.TempPathFactory,
    whole: Callable[[House], World] = build,
    name: str = "world",
) -> Model:
    """The world of that *name*, built once in a run of the tests."""

    def made(place: Path) -> None:
        with house(place / "model") as at:
            world = whole(at)
            forward = (at.clock.now - make.NOW).total_seconds()
        told = {"forward": forward, "ids": world.ids, "tokens": world.tokens}
        (place / "told.json").write_text(json.dumps(told))

    place = once(temporary, name, made)
    told = json.loads((place / "told.json").read_text())
    return Model(place / "model", timedelta(seconds=told["forward"]), told["ids"], told["tokens"])
