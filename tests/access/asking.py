"""Random requests that are mostly near the line: a deed some role grants, most facts as they must be.

Purely random requests are nearly all refused for want of a grant, so that no other rule ever decides.
Here each fact is spoilt on its own with a small chance, and a third of the requests ask anything.
"""

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import make
from leadline.access import cedar
from leadline.core.access import Action, Circumstances, Principal, Resource
from leadline.core.marking import Marking, Tlp
from leadline.formats.roles_toml import RESOURCE_KINDS, Reach, deed

SECOND = timedelta(seconds=1)
SPOILT = 0.05
ORGS = ("dev-a", "dev-b", "programme", "")
RARE = (
    Action.PACK_REVEAL,
    Action.PACK_UNSEAL,
    Action.ARTEFACT_UNSEAL,
    Action.ARTEFACT_PUBLISH,
    Action.ARTEFACT_SHRED,
    Action.GRANT_GIVE,
    Action.PRINCIPAL_ENROL,
    Action.PRINCIPAL_RESTORE,
    Action.PRINCIPAL_RECOVER,
    Action.PRINCIPAL_APPOINT,
    Action.ORGANISATION_FOUND,
    Action.DELEGATION_GIVE,
    Action.ITEM_READ,
    Action.INQUIRY_ANSWER,
    Action.DETERMINATION_RECORD,
)
DEEDS = {deed(action, kind): (action, kind) for action in Action for kind in RESOURCE_KINDS}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    person: Principal
    action: Action
    thing: Resource
    given: Circumstances


def some(chance: random.Random, words: tuple[str, ...]) -> frozenset[str]:
    """Each word or not."""
    return frozenset(word for word in words if chance.random() < 0.5)


def anything(chance: random.Random) -> Asked:
    """Few organisations, engagements and compartments, so that they often meet."""
    roles = tuple(sorted(cedar.shipped().roles))
    held = frozenset(chance.choices(roles, k=chance.choice((1, 1, 1, 1, 2, 3))))
    if chance.random() < SPOILT:
        held |= {"unknown"}
    person = Principal(
        "p",
        "p",
        chance.choice(ORGS),
        held,
        some(chance, ("e1", "e2", "")),
        some(chance, ("alpha", "beta")) | some(chance, ("alpha", "beta")),
        suspended=chance.random() < SPOILT,
        access_until=chance.choice((None, *4 * (make.NOW + SECOND,), make.NOW)),
        cases=some(chance, ("c1", "")),
        clearance=chance.choice((0, 1, 2)),
    )
    compartments = some(chance, ("alpha", "beta")) if chance.random() < 0.4 else frozenset()
    thing = Resource(
        chance.choice((*sorted(RESOURCE_KINDS), "engagement", "assessment", "finding", "odd")),
        "thing",
        chance.choice(("e1", "e1", "e2", "")),
        chance.choice(ORGS),
        Marking(chance.choice(tuple(Tlp)), compartments),
        chance.choice(("c1", "c2", "")),
        chance.choice((0, 0, 1, 2)),
        chance.choice((None, None, make.NOW, make.NOW + SECOND)),
        chance.choice(("p", "q", "", "")),
    )
    given = Circumstances(
        make.NOW,
        some(chance, ("p", "q", "r")),
        chance.random() < 0.5,
        chance.random() < 0.5,
        chance.choice((1, 2, 3)),
        frozenset(
            one
            for one in ("org:dev-a", "org:programme", "compartment:alpha", "engagement:e1")
            if chance.random() < SPOILT
        ),
    )
    action = chance.choice(tuple(Action))
    if chance.random() < 0.8:
        action, kind = chance.choice(applicable())
        thing = replace(thing, kind=kind)
    return Asked(person, action, thing, given)


@cache
def applicable() -> tuple[tuple[Action, str], ...]:
    """What roles grant to somebody; what few roles may, or few kinds take, comes up as often."""
    roles = cedar.shipped().roles.values()
    granted = {one for role in roles for reach in Reach for one in role.deeds(reach)}
    pairs = [DEEDS[one] for one in sorted(granted)]
    return tuple(pairs + 4 * [pair for pair in pairs if pair[0] in RARE])


@cache
def holders(action: Action) -> tuple[tuple[str, Reach, str], ...]:
    """Role, reach and deed of every grant of *action*."""
    return tuple(
        (role.id, reach, one)
        for role in cedar.shipped().roles.values()
        for reach in Reach
        for one in sorted(role.deeds(reach))
        if DEEDS[one][0] is action
    )


def near(chance: random.Random) -> Asked:
    """A deed that a role grants, everything in its favour, and then each fact spoilt by chance."""
    asked = anything(chance)
    rare = chance.random() < 0.4
    role, reach, wanted = chance.choice(holders(chance.choice(RARE if rare else tuple(Action))))
    action, kind = DEEDS[wanted]
    org = chance.choice(("dev-a", "programme"))
    person = replace(
        asked.person,
        org=org,
        roles=frozenset({role}),
        engagements=frozenset({"e1"}) if reach is Reach.NAMED else frozenset({"e2"}),
        compartments=frozenset({"alpha", "beta"}),
        suspended=False,
        access_until=make.NOW + SECOND,
        cases=frozenset({"c1"}),
        clearance=2,
    )
    thing = replace(
        asked.thing,
        kind=kind,
        engagement="e1",
        org=org if reach is Reach.OWN else "dev-b",
        case=chance.choice(("", "c2", "c1")) if reach is Reach.NAMED else "",
        owner="p" if reach is Reach.SELF else "q",
        embargo_until=None,
    )
    if reach is Reach.ANY and chance.random() < 0.5:
        thing = replace(thing, marking=Marking(Tlp.CLEAR))
    given = Circumstances(make.NOW, frozenset({"q", "r"}), asserted=True, proved=True, assurance=2)
    if rare:
        given = replace(
            given,
            **{
                name: getattr(asked.given, name)
                for name in ("approvers", "asserted", "proved", "assurance")
                if chance.random() < 3 * SPOILT
            },
        )
    return spoilt(chance, asked, Asked(person, action, thing, given))


def spoilt(chance: random.Random, other: Asked, asked: Asked) -> Asked:
    """Each fact is that of *other* with a small chance."""

    def facts(names: str, source: object) -> dict[str, object]:
        return {name: getattr(source, name) for name in names.split() if chance.random() < SPOILT}

    of_person = "org roles engagements compartments suspended access_until cases clearance"
    of_thing = "kind engagement org marking case level embargo_until owner"
    of_moment = "approvers asserted proved assurance suspended"
    return Asked(
        replace(asked.person, **facts(of_person, other.person)),  # type: ignore[arg-type]
        other.action if chance.random() < SPOILT else asked.action,
        replace(asked.thing, **facts(of_thing, other.thing)),  # type: ignore[arg-type]
        replace(asked.given, **facts(of_moment, other.given)),  # type: ignore[arg-type]
    )


def request(chance: random.Random) -> Asked:
    """Two in three near the line, the third anywhere."""
    return anything(chance) if chance.random() < 1 / 3 else near(chance)


def known(action: Action, kind: str) -> bool:
    """Whether any role grants the action on that kind, so that the schema knows it."""
    return (action, kind) in applicable()


def things(chance: random.Random, kind: str, count: int) -> list[Resource]:
    """*count* things of one kind with random facts."""
    return [replace(request(chance).thing, kind=kind, id=f"t{n:05}") for n in range(count)]
