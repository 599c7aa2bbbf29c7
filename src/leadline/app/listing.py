"""What a person may see of the installation, filtered where it is read, by the rules that also decide."""

from collections.abc import Mapping, Sequence

from leadline.app.context import Context
from leadline.app.ports import Stored
from leadline.core.access import Action, Circumstances, Resource
from leadline.core.engagement.engagement import Engagement
from leadline.core.errors import Denied, NotFound
from leadline.core.record.act import Act


def engagements(ctx: Context) -> list[Engagement]:
    """The engagements this person may read; of others not even the number shows."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    visible = ctx.access.visible(ctx.principal, Action.ENGAGEMENT_READ, "engagement", given)
    with ctx.store.read() as view:
        return [row.value for row in view.find(Engagement, visible=visible)]


def engagement(ctx: Context, id_: str) -> Engagement:
    """One engagement.

    Raises: NotFound, in the same words where there is none and where it is not this person's to know.
    """
    return _readable(ctx, id_).value


def resource(ctx: Context, id_: str) -> Resource:
    """The engagement as a thing that access rules know; raises NotFound, as `engagement`."""
    return _readable(ctx, id_).thing("engagement")


def acts(ctx: Context, engagement_id: str) -> Sequence[Act]:
    """The acts of one engagement, in the order of the log; raises NotFound, as `engagement`."""
    row = _readable(ctx, engagement_id)
    with ctx.store.read() as view:
        return [opened.act for opened in view.acts(engagement=row.id)]


def places(ctx: Context, engagement_id: str) -> Mapping[str, int]:
    """The place in the log, from 0, of each act of one engagement, by the act's id; raises as `engagement`."""
    row = _readable(ctx, engagement_id)
    with ctx.store.read() as view:
        return {opened.act.id: opened.index for opened in view.acts(engagement=row.id)}


def _readable(ctx: Context, id_: str) -> Stored[Engagement]:
    row: Stored[Engagement] | None = None
    with ctx.store.read() as view:
        rows = view.find(Engagement, engagement=id_)
    row = next((one for one in rows if one.id == id_), None)
    # Asked about an absent thing as well, so that both ways take the same steps and leave an act.
    thing = row.thing("engagement") if row else Resource("engagement", id_, id_)
    try:
        ctx.require(Action.ENGAGEMENT_READ, thing)
    except Denied:
        raise NotFound("there is no such thing, or you may not know of it") from None
    if row is None:
        raise NotFound("there is no such thing, or you may not know of it")
    return row
