"""The runs of a sealed pack as people follow them: which there are, who presented a runner, what is handed on.

A runner says of itself what it is before its unsealing is asked for; that stands beside the request, so that
whoever carries the unsealing out later does it for the very runner that was signed for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leadline.app import log, sealed
from leadline.app.context import Context
from leadline.core.access import Action
from leadline.core.approval import Granted, Request
from leadline.core.errors import NotFound, Refused
from leadline.core.record.act import Kind
from leadline.core.sealed.exposure import Limits
from leadline.core.sealed.session import Quote, RunSession
from leadline.formats.sealed_report import measured
from leadline.formats.tlog_proof import ActProof


@dataclass(frozen=True, slots=True)
class Presented:
    """What a runner said of itself when its unsealing was asked for. *id* is that of the request."""

    id: str
    session: str
    quote: Quote


@dataclass(frozen=True, slots=True)
class Sealed:
    """That a pack was sealed: the act, its place in the log, when, by whom, the ciphertext's digest."""

    act: str
    index: int
    at: datetime
    by: str
    artefact: str


KINDS: Mapping[type, str] = {Presented: "presented-runner"}


def sessions(ctx: Context, id_: str) -> list[RunSession]:
    """The runs of one pack that were committed to, the latest first; raises as `read`."""
    row = sealed.known(ctx, Action.PACK_READ, id_)
    with ctx.store.read() as view:
        found = [one.value for one in view.find(RunSession, engagement=row.engagement)]
    own = [one for one in found if one.pack == row.id]
    return sorted(own, key=lambda one: (one.asked, one.id), reverse=True)


def sealing(ctx: Context, id_: str) -> Sealed:
    """The receipt of one pack's sealing; raises as `read`."""
    row = sealed.known(ctx, Action.PACK_READ, id_)
    with ctx.store.read() as view:
        [made] = view.acts(about=row.value.name, kind=Kind.PACK_SEALED)
    act = made.act
    return Sealed(act.id, made.index, act.at, act.actor, row.value.artefact)


def session(ctx: Context, session_id: str) -> RunSession:
    """One run of a pack; raises NotFound, also for whoever may not know of the pack."""
    return sealed.standing(ctx, Action.PACK_READ, session_id)[0].value


def prove_unsealing(ctx: Context, session_id: str) -> ActProof:
    """The proof that the unsealing of a session is logged: what its runner and custodians verify.

    Raises: NotFound; Refused, before it was signed for; as `log.require_proof`.
    """
    _, row = sealed.standing(ctx, Action.PACK_READ, session_id)
    with ctx.store.read() as view:
        acts = view.acts(engagement=row.engagement, kind=Kind.UNSEALING_AUTHORISED)
    own = [one.act for one in acts if one.act.detail.get("session") == session_id]
    if not own:
        raise Refused("nobody has signed for the unsealing of this session yet")
    return log.require_proof(ctx, own[-1].id, log.UNSEALING)


def present(ctx: Context, session_id: str, quote: Quote) -> Request:
    """Ask two others to sign that the runner which says this of itself may have the pack's key.

    Raises: Invalid, for a quote that is none; otherwise as `sealed.ask_unsealing`.
    """
    session, row = sealed.standing(ctx, Action.PACK_READ, session_id)
    request = sealed.ask_unsealing(ctx, session_id, measured(quote))
    told = Presented(request.id, session.id, quote)
    with ctx.store.write() as tx:
        tx.put(told.id, told, marking=row.marking, engagement=row.engagement)
    return request


def presented(ctx: Context, session_id: str) -> list[Presented]:
    """Every runner that a session's unsealing was asked for, in no order; raises as `read`."""
    session, row = sealed.standing(ctx, Action.PACK_READ, session_id)
    with ctx.store.read() as view:
        found = view.find(Presented, engagement=row.engagement)
    return [one.value for one in found if one.value.session == session.id]


def unseal(ctx: Context, session_id: str, granted: Granted, limits: Limits) -> ActProof:
    """Have it unsealed for the runner that was presented; answers the proof to hand on.

    Raises: NotFound, where no runner of this session was presented under that request; otherwise as
    `sealed.authorise`.
    """
    told = next((one for one in presented(ctx, session_id) if one.id == granted.request.id), None)
    if told is None:
        raise NotFound("no unsealing of this session was asked for under that request")
    return sealed.authorise(ctx, session_id, measured(told.quote), granted, limits)
