"""Trusted partners of an engagement: proposed, agreed, opened stage by stage, ended; and a partner's own page."""

from collections.abc import Iterator

from fastapi import APIRouter, Response

from leadline.app import partners as use
from leadline.app import terms
from leadline.app.engagement import Dealings
from leadline.core.access import Action
from leadline.core.engagement.partner import Partner, Rest, Stage
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.http.pages import deed
from leadline.http.pages.developer_place import place, shown
from leadline.http.pages.form import Form
from leadline.http.pages.frame import SAID, Me, Posted, Visit, again
from leadline.http.pages.start import CARDS, Card

ROUTES = APIRouter()
SAID["partner-proposed"] = "Proposed. It counts once the other party agrees."
SAID["partner-agreed"] = "Agreed. Its people sign the terms, then the developer opens stages."
SAID["stage-opened"] = "The stage is open."
SAID["partner-ended"] = "Its use has ended, or rests; no other partner is touched."
SAID["partner-signed"] = "You signed the terms for your organisation."
STAGES_MAX = 3
CREDITS_MAX = 10**9


@ROUTES.get("/engagements/{engagement}/partners")
def partners(me: Me, engagement: str) -> Response:
    """Every partner with its stages and what is left, for the two parties."""
    at = place(me, engagement)
    found = use.listed(me.ctx, at.on)
    party = terms.party(me.ctx, at.on)
    return shown(
        me, at, "partners", found=found, party=party, resting=[one.resting(at.now) for one in found]
    )


@ROUTES.get("/engagements/{engagement}/partners/proposal")
def proposal(me: Me, engagement: str) -> Response:
    """A partner to propose."""
    return shown(me, place(me, engagement), "partner_proposal", numbers=range(1, STAGES_MAX + 1))


@ROUTES.post("/engagements/{engagement}/partners")
@again(proposal)
def propose(me: Posted, engagement: str) -> Response:
    """Propose a partner for one's own party."""
    on, form = me.desk.dealings(engagement), me.form
    made = Partner(
        organisation=form.text("organisation", longest=200),
        tier=form.text("tier", longest=200),
        targets=_lines(form, "targets"),
        stages=_stages(form),
        expires=form.moment("expires"),
        proposed_by=terms.party(me.ctx, on),
    )
    use.propose(me.ctx, on, made, form.text("reason"))
    return me.go(f"/engagements/{on.id}/partners", said="partner-proposed")


def _stages(form: Form) -> tuple[Stage, ...]:
    """The stages that the form names, in order; one without capabilities is none.

    Raises: Invalid, naming the field.
    """
    found = list[Stage]()
    for number in range(1, STAGES_MAX + 1):
        words = _lines(form, f"capabilities-{number}")
        if words:
            credits_ = form.number(f"credits-{number}", 0, CREDITS_MAX)
            found.append(Stage(words, credits_, form.number(f"uses-{number}", 1, CREDITS_MAX)))
    if not found:
        raise Invalid("capabilities-1", "name what the first stage opens")
    return tuple(found)


def _lines(form: Form, name: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in form.text(name, "").splitlines() if line.strip())


@ROUTES.post("/engagements/{engagement}/partners/agreement")
@again(partners)
def agree(me: Posted, engagement: str) -> Response:
    """Agree to the partner that the other party proposed."""
    on = me.desk.dealings(engagement)
    use.agree(me.ctx, on, me.form.text("organisation"), me.form.text("reason"))
    return me.go(f"/engagements/{on.id}/partners", said="partner-agreed")


@ROUTES.post("/engagements/{engagement}/partners/stage")
@again(partners)
def stage(me: Posted, engagement: str) -> Response:
    """Open the next stage."""
    on = me.desk.dealings(engagement)
    use.open_stage(
        me.ctx, on, me.form.text("organisation"), me.form.number("stage", 0, CREDITS_MAX)
    )
    return me.go(f"/engagements/{on.id}/partners", said="stage-opened")


@ROUTES.post("/engagements/{engagement}/partners/end")
@again(partners)
def end(me: Posted, engagement: str) -> Response:
    """End a partner's use at once, or let it rest until a moment."""
    on, form = me.desk.dealings(engagement), me.form
    until = form.moment("until") if form.text("until", "") else None
    organisation, rest = form.text("organisation"), Rest(me.ctx.now, until, form.text("authority"))
    use.end(me.ctx, on, organisation, rest)
    page = "partnership" if me.ctx.principal.org == organisation else "partners"
    return me.go(f"/engagements/{on.id}/{page}", said="partner-ended")


@ROUTES.get("/engagements/{engagement}/partnership")
def own(me: Me, engagement: str) -> Response:
    """What a partner's own people may use, and the terms that they sign."""
    on = me.desk.dealings(engagement)
    return me.page(
        "developer/partnership.html.j2", on=on, found=use.scope(me.ctx, on), now=me.ctx.now
    )


@ROUTES.post("/engagements/{engagement}/partnership")
def sign(me: Posted, engagement: str) -> Response:
    """Sign the terms in effect, for the partner's own organisation."""
    on = me.desk.dealings(engagement)
    granted = me.signed(Action.PARTNER_USE, on.resource(), use.signing(me.ctx, on), _deed(me, on))
    use.signed(me.ctx, on, granted)
    return me.go(f"/engagements/{on.id}/partnership", said="partner-signed")


def waiting(visit: Visit) -> Iterator[Card]:
    """What a partner's own people may use, in each engagement that they are named for."""
    if "trusted-partner" not in visit.roles:
        return
    for engagement in sorted(visit.ctx.principal.engagements):
        on = visit.desk.dealings(engagement)
        if visit.ctx.decision(Action.PARTNER_USE, on.resource()).allowed:
            found = _scope(visit, on)
            if found is not None:
                yield _card(on, found)


def _scope(visit: Visit, on: Dealings) -> use.Scope | None:
    """What one may use there; None for somebody who is named for it, and no partner in it."""
    found: use.Scope | None
    try:
        found = use.scope(visit.ctx, on)
    except NotFound:
        found = None
    return found


def _card(on: Dealings, found: use.Scope) -> Card:
    unsigned = found.terms is not None and found.position.signed != found.terms.digest
    words = "Its terms wait for your signature." if unsigned else "Your scope, and what is left."
    return Card(
        "What you may use", words, f"/engagements/{on.id}/partnership", 1 if unsigned else 2
    )


CARDS.append(waiting)


def _deed(me: Visit, on: Dealings) -> deed.Deed:
    """What the partner's people sign, in words."""
    terms, who = use.scope(me.ctx, on).terms, me.ctx.principal.org
    if terms is None:
        raise Refused("no terms are in effect; both parties sign the same text first")
    return deed.agreed(terms, f"Sign these terms for {who}, as a trusted partner.")
