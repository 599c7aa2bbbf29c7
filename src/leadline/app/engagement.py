"""What developer, evaluator and official do with an engagement; the rules are in `core.engagement`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from leadline.app import approval
from leadline.app.context import Context
from leadline.app.ports import KeyStore
from leadline.core.access import Action, Resource
from leadline.core.approval import Granted
from leadline.core.assessment import Subject
from leadline.core.engagement import engagement as core
from leadline.core.engagement.clock import Window
from leadline.core.engagement.determination import Answer, Determination
from leadline.core.engagement.engagement import Deed, Engagement, Standing, State
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import Regime
from leadline.core.engagement.terms import Terms
from leadline.core.errors import NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.formats.canonical import encode

PARTIES = Marking(Tlp.AMBER_STRICT)


@dataclass(frozen=True, slots=True)
class Dealings:
    """One engagement as its parties see it, bound to the regime text it was opened under."""

    id: str
    developer: str
    regime: Regime

    def resource(self) -> Resource:
        """The thing that access rules are asked about."""
        return Resource("engagement", self.id, self.id, org=self.developer, marking=PARTIES)


def dealings(ctx: Context, library: Library, id_: str) -> Dealings:
    """An engagement that this person may know of, with the text it was opened under.

    Raises: NotFound, if there is none, or none for this person to know; the two are not told apart.
    """
    with ctx.store.read() as view:
        facts = view.get(Engagement, id_).value
    on = Dealings(facts.id, facts.developer, library.text(facts.regime_digest))
    known = (Action.ENGAGEMENT_READ, Action.PARTNER_USE)
    if not any(ctx.decision(action, on.resource()).allowed for action in known):
        raise NotFound(f"no engagement {id_}")
    return on


def standing(ctx: Context, on: Dealings) -> Standing:
    """The engagement with its acts so far."""
    ctx.require(Action.ENGAGEMENT_READ, on.resource())
    with ctx.store.read() as view:
        facts = view.get(Engagement, on.id).value
        acts = tuple(opened.act for opened in view.acts(engagement=on.id))
    return Standing(facts, on.regime, acts)


def open_draft(ctx: Context, on: Dealings, model: str, subject: Subject) -> Engagement:
    """Write down the facts of an engagement. A draft is nobody's business but the developer's."""
    ctx.require(Action.INQUIRY_LODGE, on.resource())
    facts = Engagement(
        id=on.id,
        regime=on.regime.id,
        regime_digest=on.regime.digest,
        developer=on.developer,
        model=model,
        subject_digest=subject.digest,
        opened_at=ctx.now,
    )
    with ctx.store.write() as tx:
        tx.put(on.id, facts, marking=PARTIES, engagement=on.id, org=on.developer)
    return facts


def lodge_inquiry(ctx: Context, on: Dealings, question: Mapping[str, str]) -> None:
    """Ask whether a model under development would be covered; *question* goes to the vault."""
    ctx.require(Action.INQUIRY_LODGE, on.resource())
    digest = ctx.vault.put(encode(dict(question)), marking=PARTIES, engagement=on.id)
    _record(ctx, core.lodge_inquiry(standing(ctx, on), ctx.principal, ctx.now, question=digest))


def answer_inquiry(ctx: Context, on: Dealings, answer: Answer, reason: str) -> None:
    """Answer the latest inquiry, dated, by the role that the regime says decides."""
    ctx.require(Action.INQUIRY_ANSWER, on.resource())
    basis = ctx.vault.put(encode({"reason": reason}), marking=PARTIES, engagement=on.id)
    deed = core.answer_inquiry(
        standing(ctx, on), ctx.principal, answer=answer, basis=basis, caveats=(reason,)
    )
    _record(ctx, deed)


def set_anchor(ctx: Context, on: Dealings, anchor: datetime, zone: str) -> None:
    """Name or move the planned first release to another trusted partner. The developer's alone."""
    ctx.require(Action.ANCHOR_SET, on.resource())
    _record(ctx, core.set_anchor(standing(ctx, on), ctx.principal, anchor=anchor, zone=zone))


def agree_terms(ctx: Context, on: Dealings, terms: Terms, granted: Granted | None = None) -> None:
    """Agree to terms; they have effect once both parties agreed to the same text.

    *granted* is the person's own signature under the digest, where there is one.

    Raises: Refused, if what was signed is another text, or the signature was used.
    """
    ctx.require(Action.TERMS_AGREE, on.resource(), granted)
    if granted is not None and granted.request.detail != {"terms": terms.digest}:
        raise Refused("the person signed other terms than these")
    deed = core.agree_terms(standing(ctx, on), ctx.principal, ctx.now, terms=terms)
    ctx.vault.put(encode(terms.to_record()), marking=PARTIES, engagement=on.id)
    kept = f"{on.id}/{terms.digest}"
    with ctx.store.write() as tx:
        signed = {"request": granted.request.id} if granted else {}
        if granted is not None:
            approval.use(tx, granted)
        if all(row.id != kept for row in tx.find(Terms, engagement=on.id)):
            tx.put(kept, terms, marking=PARTIES, engagement=on.id, org=on.developer)
        tx.record(ctx.act(deed.kind, deed.about, on.id, **deed.detail, **signed))


def open_access(ctx: Context, on: Dealings) -> None:
    """Give access under the agreed terms; its end is computed from acts."""
    ctx.require(Action.ACCESS_OPEN, on.resource())
    _record(ctx, core.open_access(standing(ctx, on), ctx.principal, ctx.now))


def end_access(ctx: Context, on: Dealings) -> None:
    """End open access, at once."""
    ctx.require(Action.ACCESS_END, on.resource())
    _record(ctx, core.end_access(standing(ctx, on), ctx.principal, ctx.now))


def withdraw(ctx: Context, on: Dealings, keys: KeyStore | None = None) -> None:
    """Withdraw: in any state, at once, without a reason. It waits for nothing.

    From this instant nothing of the developer's that *keys* guard opens, and what is open stops
    reading. The handles end before the act is written, and the act is written whatever they say, so
    that neither a failing store nor a failing key store keeps anything open.
    """
    ctx.require(Action.ENGAGEMENT_WITHDRAW, on.resource())
    try:
        if keys is not None:
            keys.end(on.id, "developer")
    finally:
        _record(ctx, core.withdraw(standing(ctx, on), ctx.principal))


def end(ctx: Context, on: Dealings) -> None:
    """End the engagement; what is recorded stays."""
    ctx.require(Action.ENGAGEMENT_END, on.resource())
    _record(ctx, core.end(standing(ctx, on), ctx.principal))


def signed_facts(determination: Determination) -> Mapping[str, str]:
    """What the official's own signature covers: every word of the determination."""
    return {"determination": sha256(encode(determination.to_record())).hexdigest()}


def record_determination(
    ctx: Context, on: Dealings, determination: Determination, granted: Granted
) -> None:
    """Record an official's answer with its scope, basis and errors, under the official's signature.

    Raises: Denied, without the official's fresh assertion; Refused, if it is of another determination
    or was used.
    """
    ctx.require(Action.DETERMINATION_RECORD, on.resource(), granted)
    if granted.request.detail != signed_facts(determination):
        raise Refused("the official signed another determination than this one")
    deed = core.record_determination(
        standing(ctx, on), ctx.principal, ctx.now, determination=determination
    )
    with ctx.store.write() as tx:
        approval.use(tx, granted)
        tx.put(f"{on.id}/determination", determination, marking=PARTIES, engagement=on.id)
        signed = {"request": granted.request.id}
        tx.record(ctx.act(deed.kind, deed.about, on.id, **deed.detail, **signed))


def state_of(ctx: Context, on: Dealings) -> tuple[State, Window]:
    """The word and the access window at this moment."""
    stands = standing(ctx, on)
    return core.state(on.regime, stands.acts, ctx.now), stands.window


def require_open(ctx: Context, on: Dealings) -> None:
    """Return while government access is open.

    Raises: Refused, saying what ended it; nothing can hold it open, and nothing else follows.
    """
    stands = standing(ctx, on)
    if not stands.window.is_open(ctx.now):
        cause = stands.window.ended_by
        raise Refused(f"access is not open ({cause.value if cause else 'never opened'})")


def _record(ctx: Context, deed: Deed) -> None:
    with ctx.store.write() as tx:
        tx.record(ctx.act(deed.kind, deed.about, deed.about, **deed.detail))


@dataclass(frozen=True, slots=True)
class Desk:
    """The people of one assessment, each as a context that knows the moment it acts."""

    developer: Callable[[], Context]
    evaluator: Callable[[], Context]
    official: Callable[[], Context]
    coordinator: Callable[[], Context]


@dataclass(frozen=True, slots=True)
class Cast:
    """The demonstration's people, terms and words, from its data file."""

    title: str
    developer: str  # organisation id
    developer_name: str
    model: str
    anchor_days: int
    terms_days: int
    terms: Mapping[str, str]
    retention_days: int
    determination_days: int
    publisher: str
    namespace: str
    official: str
    evaluator: str
    people: Mapping[str, str]


def open_engagement(
    desk: Desk, on: Dealings, cast: Cast, subject: Subject, done: Callable[[Kind, str], bool]
) -> None:
    """The demonstration's way from inquiry to open access, each step by the person whose it is."""
    if not done(Kind.INQUIRY_LODGED, cast.people["developer"]):
        if not _drafted(desk.developer(), on):
            open_draft(desk.developer(), on, cast.model, subject)
        lodge_inquiry(desk.developer(), on, {"model": cast.model, "asked": "would it be covered?"})
    if not done(Kind.INQUIRY_ANSWERED, cast.people["official"]):
        reason = "nothing has been measured yet; an assessment would tell more (demonstration)"
        answer_inquiry(desk.official(), on, Answer.UNDETERMINED, reason)
    if not done(Kind.ANCHOR_SET, cast.people["developer"]):
        ctx = desk.developer()
        set_anchor(ctx, on, ctx.now + timedelta(days=cast.anchor_days), "UTC")
    for side in (desk.developer, desk.official):
        if not done(Kind.TERMS_AGREED, side().principal.id):
            agree_terms(side(), on, _terms(desk.developer(), on, cast))
    if not done(Kind.ACCESS_OPENED, cast.people["developer"]):
        open_access(desk.developer(), on)


def _drafted(ctx: Context, on: Dealings) -> bool:
    with ctx.store.read() as view:
        return bool(view.find(Engagement, engagement=on.id))


def _terms(ctx: Context, on: Dealings, cast: Cast) -> Terms:
    """The terms offered; the second party agrees to the very text of the first."""
    offered = standing(ctx, on).recorded(Kind.TERMS_AGREED)
    expires = (
        datetime.fromisoformat(str(offered[0].detail["expires"]))
        if offered
        else ctx.now + timedelta(days=cast.terms_days)
    )
    return Terms(
        confidentiality=cast.terms["confidentiality"],
        cybersecurity=cast.terms["cybersecurity"],
        insider_risk=cast.terms["insider_risk"],
        intellectual_property=cast.terms["intellectual_property"],
        use=cast.terms["use"],
        nondisclosure=cast.terms["nondisclosure"],
        purposes=("assessment",),
        retention_days=cast.retention_days,
        expires=expires,
    )
