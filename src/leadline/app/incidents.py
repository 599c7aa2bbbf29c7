"""Incidents as people report them: what happened, who knew when, who tells third parties, how it ended.

An organisation keeps its incidents with or without an engagement. Reporting one tells nobody and
changes nothing else: what a text then asks for is computed (`leadline.app.obligations`), and a human
sends it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from unicodedata import normalize

from leadline.app.context import Context
from leadline.app.engagement import PARTIES, Dealings
from leadline.core.access import Action, Circumstances, Resource
from leadline.core.engagement import incident as core
from leadline.core.engagement.incident import Began, Incident
from leadline.core.engagement.regime import Event, Party, Regime
from leadline.core.errors import Invalid, NotFound
from leadline.core.record.act import Act, Kind, instant
from leadline.formats import canonical

TEXT_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody tells of an incident. *who* knew is a name or a role; it goes to the vault."""

    text: str
    who: str
    known: datetime
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """An incident with its acts, in the order of the record."""

    incident: Incident
    acts: tuple[Act, ...]


def place(ctx: Context, on: Dealings | None, id_: str = "") -> Resource:
    """The thing that access rules are asked about: an incident of an engagement, or of one's own."""
    engagement, org = (on.id, on.developer) if on else ("", ctx.principal.org)
    return Resource("incident", id_, engagement, org, PARTIES)


def report(
    ctx: Context,
    texts: Iterable[Regime],
    told: Told,
    *,
    happened: datetime,
    notifies: str,
    on: Dealings | None = None,
) -> Incident:
    """Put an incident on record. *notifies* owns telling third parties; *texts* name the categories.

    Raises: Invalid, naming the field, for times that cannot be, an unknown category, no text, or an
    owner who is no person of the organisation that reports.
    """
    thing = place(ctx, on, ctx.new_id("incident"))
    ctx.require(Action.INCIDENT_REPORT, thing)
    detail = core.knowledge(
        happened, told.known, ctx.now, told.categories, core.categories_of(texts)
    )
    _own_person(ctx, notifies)
    made = Incident(
        thing.id, thing.org, thing.engagement, happened, notifies, "", ctx.now, ctx.principal.id
    )
    detail = core.reported(made, detail, _party(ctx, thing.org))
    digest = _kept(ctx, told, thing.engagement)
    made, detail = replace(made, content=digest), detail | {"content": digest}
    with ctx.store.write() as tx:
        tx.put(made.id, made, marking=PARTIES, engagement=made.engagement, org=made.org)
        tx.record(ctx.act(Kind.INCIDENT_REPORTED, made.id, made.engagement, **detail))
    return made


def add_knowledge(ctx: Context, texts: Iterable[Regime], id_: str, told: Told) -> None:
    """Add who knew of an incident and when, or what kind it was found to be.

    Raises: NotFound; Invalid, as `report`.
    """
    found = _reportable(ctx, id_)
    detail = core.knowledge(
        found.happened, told.known, ctx.now, told.categories, core.categories_of(texts)
    )
    digest = _kept(ctx, told, found.engagement)
    detail |= {"party": _party(ctx, found.org), "content": digest}
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.INCIDENT_REPORTED, id_, found.engagement, **detail))


def resolve(
    ctx: Context, id_: str, at: datetime, text: str, event: Event = Event.INCIDENT_RESOLVED
) -> None:
    """Put on record that an incident was resolved, or that a fix is available, and how.

    Raises: NotFound; Invalid or Refused, as `core.engagement.incident.ended`.
    """
    found = _reportable(ctx, id_)
    detail = core.ended(_acts(ctx, id_), event, at, ctx.now)
    digest = _kept(ctx, Told(text, "", at), found.engagement)
    detail |= {"party": _party(ctx, found.org), "content": digest}
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.INCIDENT_RESOLVED, id_, found.engagement, **detail))


def began(ctx: Context, event: Event, about: str, at: datetime) -> Began:
    """Put on record that training, internal use or deployment of the model *about* began.

    Raises: Invalid, for another event, a time in the future or no name.
    """
    thing = place(ctx, None, ctx.new_id("began"))
    ctx.require(Action.INCIDENT_REPORT, thing)
    core.began(event, at, ctx.now)
    _text("about", about, 200)
    made = Began(thing.id, thing.org, event, about.strip(), at)
    with ctx.store.write() as tx:
        tx.put(made.id, made, marking=PARTIES, org=made.org)
        detail = {"event": event.value, "model": made.about, "at": instant(at)}
        tx.record(ctx.act(Kind.EVENT_RECORDED, made.id, "", **detail))
    return made


def incidents(ctx: Context) -> Sequence[Record]:
    """The incidents that this person may read, with their acts."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    visible = ctx.access.visible(ctx.principal, Action.INCIDENT_READ, "incident", given)
    with ctx.store.read() as view:
        found = [row.value for row in view.find(Incident, visible=visible)]
        return [Record(one, tuple(each.act for each in view.acts(about=one.id))) for one in found]


def incident(ctx: Context, id_: str) -> Record:
    """One incident.

    Raises: NotFound, in the same words where there is none and where it is not this person's to know.
    """
    found = _found(ctx, id_)
    return Record(found, tuple(_acts(ctx, id_)))


def beginnings(ctx: Context) -> Sequence[Began]:
    """What is on record as begun, of those this person may read."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    visible = ctx.access.visible(ctx.principal, Action.INCIDENT_READ, "incident", given)
    with ctx.store.read() as view:
        return [row.value for row in view.find(Began, visible=visible)]


def told(ctx: Context, act: Act) -> Mapping[str, str]:
    """What was told with one act: ``text`` and ``who``.

    Raises: NotFound, for an act of another kind, or if its content is gone.
    """
    digest = act.detail.get("content")
    if not isinstance(digest, str):
        raise NotFound(f"no words were kept with act {act.id}")
    found = canonical.decode(ctx.vault.get(digest))
    given = found if isinstance(found, Mapping) else {}
    return {name: str(given.get(name, "")) for name in ("text", "who")}


def _found(ctx: Context, id_: str) -> Incident:
    try:
        with ctx.store.read() as view:
            row = view.get(Incident, id_)
    except NotFound:
        raise NotFound(f"no incident {id_}") from None
    if not ctx.decision(Action.INCIDENT_READ, row.thing("incident")).allowed:
        raise NotFound(f"no incident {id_}")
    return row.value


def _reportable(ctx: Context, id_: str) -> Incident:
    """An incident that this person may add to."""
    found = _found(ctx, id_)
    ctx.require(
        Action.INCIDENT_REPORT, Resource("incident", id_, found.engagement, found.org, PARTIES)
    )
    return found


def _acts(ctx: Context, id_: str) -> list[Act]:
    with ctx.store.read() as view:
        return [opened.act for opened in view.acts(about=id_)]


def _party(ctx: Context, org: str) -> Party:
    return "developer" if ctx.principal.org == org else "government"


def _own_person(ctx: Context, id_: str) -> None:
    with ctx.store.read() as view:
        known = {one.id for one in view.principals() if one.org == ctx.principal.org}
    if id_ not in known:
        problem = f"{id_!r} is no person of {ctx.principal.org}"
        raise Invalid("notifies", f"{problem}; name who owns telling third parties")


def _text(field: str, text: str, most: int) -> None:
    if not text.strip() or len(text) > most:
        raise Invalid(field, f"write 1 to {most:,} characters")


def _kept(ctx: Context, told: Told, engagement: str) -> str:
    """Put what was told into the vault; answers its digest."""
    _text("text", told.text, TEXT_MAX)
    said = {"text": normalize("NFC", told.text.strip()), "who": normalize("NFC", told.who.strip())}
    return ctx.vault.put(canonical.encode(said), marking=PARTIES, engagement=engagement)
