"""Who would see what of an engagement, and until when: asked of the access rules before anything is sent.

Nothing about roles stands here. Each person of the installation, and a stand-in for each role, is put
to the rules that will be asked when somebody reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadline.app import people
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.ports import Reading
from leadline.app.weights import Dealing
from leadline.core.access import Action, Circumstances, Principal, Resource
from leadline.core.grant import Grant
from leadline.core.marking import Marking, Tlp
from leadline.formats.roles_toml import Role, Side

# What a deed lets somebody see or do, in words.
DEEDS: Mapping[tuple[Action, str], str] = {
    (Action.ENGAGEMENT_READ, "engagement"): "reads what you say",
    (Action.RECORD_READ, "engagement"): "reads that you said it, and when",
    (Action.INQUIRY_ANSWER, "engagement"): "may answer",
}
FILES: Mapping[tuple[Action, str], str] = {(Action.ARTEFACT_READ, "artefact"): "reads the files"}
SEALED: Mapping[tuple[Action, str], str] = {
    (Action.RECORD_READ, "record"): "reads that they were given, their digests, and each movement",
    (Action.ARTEFACT_UNSEAL, "artefact"): "may have a file opened, once two others have signed",
}
PACK: Mapping[tuple[Action, str], str] = {
    (Action.PACK_READ, "pack"): "knows of it, and reads its digests and showings",
    (Action.PACK_RUN, "pack"): "may commit to a run, and run it",
    (Action.PACK_UNSEAL, "pack"): "may have it opened for a runner, once two others have signed",
    (Action.SCORE_RELEASE, "pack"): "may let a score out",
}
_MOMENT = timedelta(minutes=1)
# Stand-ins for the two other signers that some deeds need; ids begin with no such sign.
_OTHERS = frozenset({"~one", "~another"})


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who could, at this moment. *until* is the end of its access, as it stands now."""

    id: str
    name: str
    org: str
    roles: tuple[str, ...]
    may: tuple[str, ...]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class RoleView:
    """What anybody of a role could do: *named*, once named for this engagement; *anyway*, without."""

    role: str
    title: str
    named: tuple[str, ...]
    anyway: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who could see it, the marking it carries, and where the line is drawn."""

    marking: str
    viewers: tuple[Viewer, ...]
    kinds: tuple[RoleView, ...]


def audience(
    ctx: Context, roles: Mapping[str, Role], on: Dealings, *, files: bool = False
) -> Audience:
    """Who could see what is sent on *on*; with *files*, also who could read files deposited there.

    Of people with no access to it, not even the number shows.
    """
    ctx.require(Action.INQUIRY_LODGE, on.resource())
    return _of(ctx, roles, on.resource(), {**DEEDS, **(FILES if files else {})})


def of_weights(ctx: Context, roles: Mapping[str, Role], on: Dealing) -> Audience:
    """Who could learn of weights that are handed in on *on*, and who could have them opened."""
    ctx.require(Action.ARTEFACT_DEPOSIT, on.resource())
    return _of(ctx, roles, on.resource(), SEALED)


def of_pack(
    ctx: Context,
    roles: Mapping[str, Role],
    engagement: str,
    compartments: Sequence[str] = (),
) -> Audience:
    """Who would know of a pack that is sealed there, and who could run it or have it opened."""
    marking = Marking(Tlp.AMBER_STRICT, frozenset(compartments))
    base = Resource("pack", "new", engagement, marking=marking)
    ctx.require(Action.PACK_SEAL, base)
    return _of(ctx, roles, base, PACK)


def _of(
    ctx: Context,
    roles: Mapping[str, Role],
    base: Resource,
    deeds: Mapping[tuple[Action, str], str],
) -> Audience:
    with ctx.store.read() as view:
        persons = [people.present(view, one, ctx.now) for one in view.principals()]
        found = [
            Viewer(one.id, one.name, one.org, tuple(sorted(one.roles)), may, _end(view, one, base))
            for one in persons
            if (may := _may(ctx, one, base, deeds))
        ]
    kinds = [
        _role(ctx, role, base, deeds) for role in roles.values() if role.side != Side.DEVELOPER
    ]
    listed = tuple(one for one in kinds if one.named or one.anyway)
    return Audience(str(base.marking), tuple(found), listed)


def _may(
    ctx: Context, person: Principal, base: Resource, deeds: Mapping[tuple[Action, str], str]
) -> tuple[str, ...]:
    """In words, what the rules let *person* do, signed in as strictly as there is."""
    given = Circumstances(
        ctx.now, approvers=_OTHERS, asserted=True, assurance=3, suspended=ctx.suspended
    )
    found = []
    for (action, kind), words in deeds.items():
        thing = Resource(kind, base.id, base.engagement, base.org, base.marking)
        if ctx.access.decide(person, action, thing, given).allowed:
            found.append(words)
    return tuple(found)


def _role(
    ctx: Context, role: Role, base: Resource, deeds: Mapping[tuple[Action, str], str]
) -> RoleView:
    """The role as a person of no organisation holds it, named for the engagement and not.

    The person holds every compartment: which of them somebody holds is on no list of roles.
    """
    held, end = frozenset({role.id}), ctx.now + _MOMENT
    inside = base.marking.compartments
    stranger = Principal("", role.title, "", held, compartments=inside, access_until=end)
    named = replace(stranger, engagements=frozenset({base.engagement}))
    return RoleView(
        role.id, role.title, _may(ctx, named, base, deeds), _may(ctx, stranger, base, deeds)
    )


def _end(view: Reading, person: Principal, base: Resource) -> datetime | None:
    """The earlier of the person's own end and of its grant on this engagement."""
    grants = [
        row.value.until
        for row in view.find(Grant)
        if row.value.principal == person.id and row.value.name == base.engagement
    ]
    ends = [*grants, *([person.access_until] if person.access_until else [])]
    return min(ends, default=None)
