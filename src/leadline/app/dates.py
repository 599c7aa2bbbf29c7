"""The calendar of whoever asks: every date that this person may know of, and no other.

A list leaves no act behind, and what a person may not read shows in it not even as a gap.
"""

from collections.abc import Iterable, Iterator

from leadline.app import engagement, listing, obligations, partners
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.obligations import Law
from leadline.core.access import Action, Circumstances
from leadline.core.engagement.calendar import (
    Dated,
    dates,
    of_party,
    of_person,
    partner_ends,
    reading_ends,
)
from leadline.core.engagement.partner import Partner
from leadline.core.engagement.register import Entry
from leadline.core.engagement.result import Result
from leadline.core.grant import Grant
from leadline.core.record.act import Kind
from leadline.formats.report_draft import named


def mine(
    ctx: Context, law: Law, on: Dealings | None = None, *, party: bool = False
) -> tuple[Dated, ...]:
    """The caller's dates, in order of time: of one engagement, or of everything.

    *party* widens those of engagements to everybody of the caller's organisation.

    Everything adds the caller's own grants and the entries of the dated register to the engagements
    and duties. What a party owes is its people's; another person's grant or result is that person's.
    """
    facts = [listing.engagement(ctx, on.id)] if on else listing.engagements(ctx)
    with ctx.store.read() as view:
        house = {one.id for one in view.principals() if one.org == ctx.principal.org}
    found = list[Dated]()
    for one in facts:
        dealings = on or engagement.dealings(ctx, law.library, one.id)
        stands = engagement.standing(ctx, dealings)
        side, all_ = stands.party(ctx.principal), dates(ctx.now, [stands])
        found += of_party(all_, house, side) if party else of_person(all_, ctx.principal.id, side)
    owed = obligations.owed(ctx, law, on)
    names = {one.to: named(law.library, one.to, ctx.now.date()) for one in owed}
    found += dates(ctx.now, (), owed, names=names)
    if on is None:
        found += _own(ctx)
        found += _elsewhere(ctx, law, (one.id for one in facts))
    return tuple(sorted(found, key=lambda one: (one.at, one.id)))


def _own(ctx: Context) -> Iterator[Dated]:
    """What belongs to no engagement: the caller's grants, and entries of the register."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    visible = ctx.access.visible(ctx.principal, Action.ENTRY_READ, "entry", given)
    with ctx.store.read() as view:
        grants = [row.value for row in view.find(Grant)]
        rows = view.find(Entry, visible=visible)
    own, theirs = list[Entry](), list[Entry]()
    for row in rows:
        keeps = ctx.decision(Action.ENTRY_WRITE, row.thing("entry")).allowed
        if row.org == ctx.principal.org or (not row.org and keeps):
            own.append(row.value)
        elif not row.org:
            theirs.append(row.value)
    mine = [one for one in grants if one.principal == ctx.principal.id]
    yield from dates(ctx.now, (), (), own, mine, theirs=theirs)


def _elsewhere(ctx: Context, law: Law, read: Iterable[str]) -> Iterator[Dated]:
    """Ends of the caller's own in engagements other than *read*, of which it knows nothing else."""
    known = frozenset(read)
    with ctx.store.read() as view:
        for row in view.find(Result):
            one = row.value
            recalled = view.acts(kind=Kind.RESULT_RECALLED, about=one.id)
            if one.recipient == ctx.principal.id and one.engagement not in known and not recalled:
                yield reading_ends(one.id, one.engagement, one.until, one.recipient)
        ours = [row for row in view.find(Partner) if row.value.organisation == ctx.principal.org]
    named = ctx.principal.engagements - known
    for each in (one for one in ours if one.engagement in named):
        on = engagement.dealings(ctx, law.library, each.engagement)
        if ctx.decision(Action.PARTNER_USE, on.resource()).allowed:
            found = partners.scope(ctx, on).position
            if found.agreed and (ctx.now < found.ends or found.ends == found.partner.expires):
                yield partner_ends(found.partner.organisation, on.id, found.ends)
