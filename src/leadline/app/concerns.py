"""The sector-concern channel: raising, reading and answering concerns, and counting them in public."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from leadline.app.context import Context
from leadline.app.ports import Stored
from leadline.core.access import Action, Bounds, Circumstances, Resource
from leadline.core.engagement import concern as core
from leadline.core.engagement.concern import Concern, Count
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind

PARTIES, PUBLIC = Marking(Tlp.AMBER_STRICT), Marking(Tlp.CLEAR)


@dataclass(frozen=True, slots=True)
class Shown:
    """A concern with its words and, if there is one, those of its answer."""

    concern: Concern
    text: str
    answer: str


def raised(ctx: Context, sectors: Collection[str], sector: str, text: str) -> Concern:
    """Raise a concern to the clearinghouse lead, for the own organisation.

    Raises: Denied; Invalid, naming the field.
    """
    id_ = ctx.new_id("concern")
    ctx.require(Action.CONCERN_RAISE, _thing(ctx, id_))
    if sector not in sectors:
        raise Invalid("sector", f"{sector!r:.40} is none of {', '.join(sorted(sectors))}")
    digest = ctx.vault.put(core.checked(text, "text"), marking=PARTIES)
    person = ctx.principal
    concern = Concern(id_, sector, person.org, person.id, ctx.now, digest)
    with ctx.store.write() as tx:
        tx.put(id_, concern, marking=PARTIES, org=person.org, bounds=Bounds(owner=person.id))
        tx.record(ctx.act(Kind.CONCERN_RAISED, id_, "", sector=sector, text=digest))
    return concern


def answered(ctx: Context, id_: str, text: str) -> Concern:
    """Answer a concern, once.

    Raises: Denied; NotFound; Invalid, for no words; Refused, if it was answered before.
    """
    row = _readable(ctx, id_)
    ctx.require(Action.CONCERN_ANSWER, row.thing("concern"))
    said = core.checked(text, "text")
    if row.value.answered is not None:
        raise Refused(f"{id_} was answered on {row.value.answered:%Y-%m-%d}; raise a new one")
    digest = ctx.vault.put(said, marking=PARTIES)
    done = replace(row.value, answered=ctx.now, answered_by=ctx.principal.id, answer=digest)
    with ctx.store.write() as tx:
        tx.put(
            id_,
            done,
            marking=row.marking,
            org=row.org,
            bounds=row.bounds,
            expect=row.version,
        )
        told = {"sector": done.sector, "answer": digest}
        tx.record(ctx.act(Kind.CONCERN_ANSWERED, id_, "", **told))
    return done


def listed(ctx: Context) -> tuple[Shown, ...]:
    """The concerns this person may read with their words: first the unanswered, the oldest first."""
    rows = sorted(_visible(ctx), key=lambda row: (row.value.answered is not None, row.value.raised))
    return tuple(
        Shown(
            row.value,
            ctx.vault.get(row.value.text).decode(),
            ctx.vault.get(row.value.answer).decode() if row.value.answer else "",
        )
        for row in rows
    )


def may_raise(ctx: Context) -> bool:
    """Whether this person could raise one, for a page to offer it."""
    return ctx.decision(Action.CONCERN_RAISE, _thing(ctx, "concern")).allowed


def may_answer(ctx: Context) -> bool:
    """Whether this person could answer one."""
    return ctx.decision(
        Action.CONCERN_ANSWER, Resource("concern", "concern", marking=PARTIES)
    ).allowed


def counts(ctx: Context, sectors: Collection[str]) -> tuple[Count, ...]:
    """What anybody may know: how many concerns each sector raised, and none where fewer than five."""
    ctx.require(Action.ENTRY_READ, Resource("entry", "concern-counts", marking=PUBLIC))
    with ctx.store.read() as view:
        return core.counts((row.value for row in view.find(Concern)), sectors)


def _thing(ctx: Context, id_: str) -> Resource:
    person = ctx.principal
    return Resource("concern", id_, org=person.org, marking=PARTIES, owner=person.id)


def _visible(ctx: Context) -> list[Stored[Concern]]:
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    clause = ctx.access.visible(ctx.principal, Action.CONCERN_READ, "concern", given)
    with ctx.store.read() as view:
        return list(view.find(Concern, visible=clause))


def _readable(ctx: Context, id_: str) -> Stored[Concern]:
    for row in _visible(ctx):
        if row.id == id_:
            return row
    raise NotFound(f"no concern {id_}; see `leadline concern list`")
