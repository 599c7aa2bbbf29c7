"""The terms of an engagement: what is in effect, what waits for a signature, what was refused under them."""

from dataclasses import replace

from fastapi import APIRouter, Response

from leadline.app import engagement as desk
from leadline.app import terms as use
from leadline.core.access import Action
from leadline.core.engagement import terms as core
from leadline.core.engagement.purpose import PRIORITY
from leadline.core.engagement.terms import WORDS, Terms
from leadline.core.errors import Stale
from leadline.core.record.act import Kind
from leadline.formats.terms_toml import NOTES
from leadline.http.pages import deed
from leadline.http.pages.developer_place import place, shown
from leadline.http.pages.form import Form
from leadline.http.pages.frame import SAID, Me, Posted, again

ROUTES = APIRouter()
SAID["terms-signed"] = "You signed. The terms have effect once both parties signed the same text."
DAYS = 60
YEARS_MAX = 36_500


@ROUTES.get("/engagements/{engagement}/terms")
def terms(me: Me, engagement: str) -> Response:
    """What is in effect, what the other party signed, and who tried what outside of it."""
    at = place(me, engagement)
    held = use.held(me.ctx, at.on)
    party = use.party(me.ctx, at.on)
    offered = held.offered(party)
    return shown(
        me,
        at,
        "terms",
        held=held,
        party=party,
        mine=held.signed.get(party),
        offered=offered,
        changes=core.diff(held.effective, offered) if offered else (),
        refusals=use.refusals(me.ctx, at.on),
        receipts=[act for act in at.stands.acts if act.kind is Kind.MATERIAL_SHREDDED],
        words=WORDS,
    )


@ROUTES.get("/engagements/{engagement}/terms/draft")
def draft(me: Me, engagement: str) -> Response:
    """A text to write and sign: the next version of what is in effect, or a first one."""
    at = place(me, engagement)
    first, text = use.held(me.ctx, at.on).effective is None, use.draft(me.ctx, at.on, DAYS)
    return shown(
        me,
        at,
        "terms_draft",
        text=text,
        first=first,
        notes=[(name, NOTES[name].replace("`", "")) for name in WORDS],
        purposes=_purposes(text),
        party=use.party(me.ctx, at.on),
    )


def _purposes(text: Terms) -> list[tuple[str, str]]:
    """The words that a text can name; use with priority only where its scope was signed before."""
    return [
        (one.id, f"{one.id}: {one.words}")
        for one in use.purposes().all
        if not one.never and (one.id != PRIORITY or text.priority)
    ]


@ROUTES.post("/engagements/{engagement}/terms")
@again(draft)
def agree(me: Posted, engagement: str) -> Response:
    """Sign a text for one's own party, by one's own fresh signature under its digest."""
    on = me.desk.dealings(engagement)
    offered, held = me.form.text("offered", ""), use.held(me.ctx, on)
    text = (
        held.offered(use.party(me.ctx, on))
        if offered
        else _text(me.form, use.draft(me.ctx, on, DAYS))
    )
    if text is None or (offered and text.digest != offered):
        raise Stale("another text waits for your signature now; read it first")
    check = use.ready(me.ctx, on, text)
    told = f"Sign this text for {use.party(me.ctx, on)}. It has effect once both parties signed it."
    granted = me.signed(Action.TERMS_AGREE, on.resource(), use.facts(text), deed.agreed(text, told))
    desk.agree_terms(me.ctx, on, text, granted, check)
    return me.go(f"/engagements/{on.id}/terms", said="terms-signed")


def _text(form: Form, begin: Terms) -> Terms:
    """The text that the form says; what it does not ask for stays as it was."""
    return replace(
        begin,
        confidentiality=form.text("confidentiality"),
        cybersecurity=form.text("cybersecurity"),
        insider_risk=form.text("insider_risk"),
        intellectual_property=form.text("intellectual_property"),
        use=form.text("use"),
        nondisclosure=form.text("nondisclosure"),
        purposes=form.many("purposes"),
        retention_days=form.number("retention_days", 0, YEARS_MAX),
        expires=form.moment("expires"),
        organisations=_lines(form, "organisations"),
        roles=_lines(form, "roles"),
        export_rules=_lines(form, "export_rules"),
    )


def _lines(form: Form, name: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in form.text(name, "").splitlines() if line.strip())
