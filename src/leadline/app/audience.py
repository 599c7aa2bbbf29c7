"""Who would see what of an engagement, and until when: asked of the access rules before anything is sent.

Nothing about roles stands here. Each person of the installation, and a stand-in for each role, is put
to the rules that will be asked when somebody reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadline.app import people
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.ports import Reading
from leadline.core.access import Action, Circumstances, Principal, Resource
from leadline.core.grant import Grant
from leadline.formats.roles_toml import Role, Side

# What a deed lets somebody see or do, in words.
DEEDS: Mapping[tuple[Action, str], str] = {
    (Action.ENGAGEMENT_READ, "engagement"): "reads what you say",
    (Action.RECORD_READ, "engagement"): "reads that you said it, and when",
    (Action.INQUIRY_ANSWER, "engagement"): "may answer",
}
FILES: Mapping[tuple[Action, str], str] = {(Action.ARTEFACT_READ, "artefact"): "reads the files"}
_MOMENT = timedelta(minutes=1)


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
    deeds = {**DEEDS, **(FILES if files else {})}
    with ctx.store.read() as view:
        persons = [people.present(view, one, ctx.now) for one in view.principals()]
        found = [
            Viewer(one.id, one.name, one.org, tuple(sorted(one.roles)), may, _end(view, one, on))
            for one in persons
            if (may := _may(ctx, one, on, deeds))
        ]
    kinds = [_role(ctx, role, on, deeds) for role in roles.values() if role.side != Side.DEVELOPER]
    listed = tuple(one for one in kinds if one.named or one.anyway)
    return Audience(str(on.resource().marking), tuple(found), listed)


def _may(
    ctx: Context, person: Principal, on: Dealings, deeds: Mapping[tuple[Action, str], str]
) -> tuple[str, ...]:
    """In words, what the rules let *person* do, signed in as strictly as there is."""
    given = Circumstances(ctx.now, asserted=True, assurance=3, suspended=ctx.suspended)
    base = on.resource()
    found = []
    for (action, kind), words in deeds.items():
        thing = Resource(kind, on.id, on.id, base.org, base.marking)
        if ctx.access.decide(person, action, thing, given).allowed:
            found.append(words)
    return tuple(found)


def _role(
    ctx: Context, role: Role, on: Dealings, deeds: Mapping[tuple[Action, str], str]
) -> RoleView:
    """The role as a person of no organisation holds it, named for the engagement and not."""
    end = ctx.now + _MOMENT
    held = frozenset({role.id})
    stranger = Principal("", role.title, "", held, access_until=end)
    named = Principal("", role.title, "", held, frozenset({on.id}), access_until=end)
    return RoleView(
        role.id, role.title, _may(ctx, named, on, deeds), _may(ctx, stranger, on, deeds)
    )


def _end(view: Reading, person: Principal, on: Dealings) -> datetime | None:
    """The earlier of the person's own end and of its grant on this engagement."""
    grants = [
        row.value.until
        for row in view.find(Grant)
        if row.value.principal == person.id and row.value.name == on.id
    ]
    ends = [*grants, *([person.access_until] if person.access_until else [])]
    return min(ends, default=None)
