"""What developer, evaluator and official do with an engagement; the rules are in `core.engagement`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from leadline.app import approval
from leadline.app.assertion import Signed
from leadline.app.context import Context
from leadline.app.moment import known_zone
from leadline.app.ports import KeyStore, Reading
from leadline.core.access import Action, Resource
from leadline.core.approval import Granted
from leadline.core.assessment import Subject
from leadline.core.engagement import deciding
from leadline.core.engagement import engagement as core
from leadline.core.engagement.clock import Window
from leadline.core.engagement.determination import Answer, Determination, Variant
from leadline.core.engagement.engagement import Deed, Engagement, Standing, State
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import Regime
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Denied, NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, Value
from leadline.formats.canonical import encode

PARTIES = Marking(Tlp.AMBER_STRICT)


@dataclass(frozen=True, slots=True)
class Dealings:
    """One engagement as its parties see it, bound to the regime text it was opened under.

    *library* holds the texts that the developer added since, as far as it added any.
    """

    id: str
    developer: str
    regime: Regime
    library: Library = field(default_factory=lambda: Library(()))

    def resource(self) -> Resource:
        """The thing that access rules are asked about."""
        return Resource("engagement", self.id, self.id, org=self.developer, marking=PARTIES)


def dealings(ctx: Context, library: Library, id_: str) -> Dealings:
    """An engagement that this person may know of, with the text it was opened under.

    Raises: NotFound, if there is none, or none for this person to know; the two are not told apart.
    """
    facts = _known(ctx, id_, Action.ENGAGEMENT_READ, Action.PARTNER_USE)
    return Dealings(facts.id, facts.developer, library.text(facts.regime_digest), library)


def standing(ctx: Context, on: Dealings) -> Standing:
    """The engagement with its acts so far."""
    ctx.require(Action.ENGAGEMENT_READ, on.resource())
    with ctx.store.read() as view:
        return _standing(view, on)


def enact(
    ctx: Context,
    on: Dealings,
    rule: Callable[[Standing], Deed],
    granted: Granted | None = None,
    keep: Mapping[str, object] | None = None,
) -> Act:
    """Record what *rule* decides about the engagement as it stands at that very moment.

    The rule is asked inside the transaction, so that of two persons at once the second meets what the
    first recorded. *granted* is used up by it; *keep* is stored with it, where it is new.

    Raises: as *rule*; then nothing is changed.
    """
    with ctx.store.write() as tx:
        deed = rule(_standing(tx, on))
        signed = {}
        if granted is not None:
            approval.use(tx, granted)
            signed = {"request": granted.request.id}
        for id_, value in (keep or {}).items():
            if all(row.id != id_ for row in tx.find(type(value), engagement=on.id)):
                tx.put(id_, value, marking=PARTIES, engagement=on.id, org=on.developer)
        act = ctx.act(deed.kind, deed.about, on.id, **deed.detail, **signed)
        tx.record(act)
    return act


def enact_with(
    ctx: Context,
    on: Dealings,
    content: bytes,
    rule: Callable[[Standing, str], Deed],
    granted: Granted | None = None,
    keep: Mapping[str, object] | None = None,
) -> Act:
    """As `enact`, for an act that names the digest of *content*, which goes to the vault.

    The caller has required its own action. The rule is asked before anything is kept, so that what it
    refuses leaves nothing.
    """
    digest = sha256(content).hexdigest()
    with ctx.store.read() as view:
        rule(_standing(view, on), digest)
    ctx.vault.put(content, marking=PARTIES, engagement=on.id)
    return enact(ctx, on, lambda now: rule(now, digest), granted, keep)


def require_signed(
    ctx: Context, on: Dealings, action: Action, granted: Granted, facts: Mapping[str, str]
) -> None:
    """Return if the person itself signed this very act, with exactly *facts*.

    Raises: Refused.
    """
    asked = granted.request
    about = (asked.action, asked.kind, asked.resource, asked.requester)
    if about != (action, "engagement", on.id, ctx.principal.id) or not granted.asserted:
        raise Refused("this person signed another act than this one; sign this one")
    if asked.detail != facts:
        raise Refused("this person signed other words than these; sign these")


def _standing(view: Reading, on: Dealings) -> Standing:
    facts = view.get(Engagement, on.id).value
    acts = tuple(opened.act for opened in view.acts(engagement=on.id))
    if all(act.kind is not Kind.REGIME_ADDED for act in acts):
        return Standing(facts, on.regime, acts)
    return core.standing(facts, on.library, acts)


def _known(ctx: Context, id_: str, *deeds: Action) -> Engagement:
    """The facts of an engagement of which this person may do one of *deeds*.

    Asked about an absent one as well, so that both ways take the same steps and leave an act.

    Raises: NotFound, in the same words where there is none and where it is not this person's to know.
    """
    with ctx.store.read() as view:
        rows = view.find(Engagement, engagement=id_)
    facts = next((row.value for row in rows if row.id == id_), None)
    thing = _resource(facts) if facts else Resource("engagement", id_, id_, marking=PARTIES)
    if not any(ctx.decision(deed, thing).allowed for deed in deeds):
        try:
            ctx.require(deeds[0], thing)
        except Denied:
            raise NotFound(f"no engagement {id_}") from None
    if facts is None:
        raise NotFound(f"no engagement {id_}")
    return facts


def _resource(facts: Engagement) -> Resource:
    return Resource("engagement", facts.id, facts.id, org=facts.developer, marking=PARTIES)


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


def add_regime(ctx: Context, on: Dealings, regime: Regime) -> Act:
    """Put the engagement under a further regime, or a newer text of one. The developer's alone.

    Raises: NotFound, if *regime* is no text of the installation; Refused, if it is not the one of today.
    """
    ctx.require(Action.REGIME_ADD, on.resource())
    today = ctx.now.astimezone(UTC).date()
    if on.library.text(regime.digest) != on.library.on(regime.id, today):
        raise Refused(f"another text of {regime.id} has effect on {today}; add that one")
    return enact(ctx, on, lambda now: core.add_regime(now, ctx.principal, regime=regime))


def register_weights(
    ctx: Context, on: Dealings, *, digest: str, name: str, variant: Variant
) -> Act:
    """Name a further weights version, in one variant; it asks again what was answered."""
    ctx.require(Action.WEIGHTS_REGISTER, on.resource())
    return enact(
        ctx,
        on,
        lambda now: core.register_weights(
            now, ctx.principal, digest=digest, name=name, variant=variant
        ),
    )


def lodge_inquiry(
    ctx: Context, on: Dealings, question: Mapping[str, Value], *, under: str = ""
) -> Act:
    """Ask whether a model under development would be covered; *question* goes to the vault."""
    ctx.require(Action.INQUIRY_LODGE, on.resource())
    return enact_with(
        ctx,
        on,
        encode(dict(question)),
        lambda now, digest: core.lodge_inquiry(
            now, ctx.principal, ctx.now, question=digest, under=under
        ),
    )


def inquiry_facts(answer: Answer, reason: str) -> Mapping[str, str]:
    """What the official's own signature under an answer covers."""
    return {"answer": answer.value, "reason": sha256(_reason(reason)).hexdigest()}


def answer_inquiry(
    ctx: Context, on: Dealings, answer: Answer, reason: str, granted: Granted
) -> Act:
    """Answer the latest inquiry, dated and signed, by the role that the regime says decides.

    Raises: Refused, if the person signed another answer or reason than these.
    """
    ctx.require(Action.INQUIRY_ANSWER, on.resource(), granted)
    require_signed(ctx, on, Action.INQUIRY_ANSWER, granted, inquiry_facts(answer, reason))
    return enact_with(
        ctx,
        on,
        _reason(reason),
        lambda now, digest: deciding.answer_inquiry(
            now, ctx.principal, ctx.now, answer=answer, basis=digest, caveats=(reason,)
        ),
        granted,
    )


def _reason(reason: str) -> bytes:
    return encode({"reason": reason})


def set_anchor(ctx: Context, on: Dealings, anchor: datetime, zone: str, *, under: str = "") -> Act:
    """Name or move the planned first release to another trusted partner. The developer's alone.

    Raises: Invalid, for a zone that is not known.
    """
    ctx.require(Action.ANCHOR_SET, on.resource())
    known_zone("zone", zone)
    return enact(
        ctx,
        on,
        lambda now: core.set_anchor(now, ctx.principal, anchor=anchor, zone=zone, under=under),
    )


def agree_terms(
    ctx: Context,
    on: Dealings,
    terms: Terms,
    granted: Granted | None = None,
    check: Callable[[Standing], None] = lambda _now: None,
) -> Act:
    """Agree to terms; they have effect once both parties agreed to the same text.

    *granted* is the person's own signature under the digest, where there is one. *check* may refuse
    them, as the engagement stands at that very moment.

    Raises: Refused, if what was signed is another text or of another engagement, or was used.
    """
    ctx.require(Action.TERMS_AGREE, on.resource(), granted)
    if granted is not None:
        require_signed(ctx, on, Action.TERMS_AGREE, granted, {"terms": terms.digest})

    def rule(now: Standing, _digest: str) -> Deed:
        check(now)
        return core.agree_terms(now, ctx.principal, ctx.now, terms=terms)

    text, kept_ = encode(terms.to_record()), {f"{on.id}/{terms.digest}": terms}
    return enact_with(ctx, on, text, rule, granted, kept_)


def open_access(ctx: Context, on: Dealings, *, under: str = "") -> Act:
    """Give access under the agreed terms; its end is computed from acts."""
    ctx.require(Action.ACCESS_OPEN, on.resource())
    return enact(ctx, on, lambda now: core.open_access(now, ctx.principal, ctx.now, under=under))


def extend(ctx: Context, on: Dealings, until: datetime, *, under: str = "") -> Act:
    """Let open access last longer, within the regime's window. The developer's alone."""
    ctx.require(Action.ACCESS_OPEN, on.resource())
    return enact(
        ctx,
        on,
        lambda now: core.extend(now, ctx.principal, ctx.now, until=until, under=under),
    )


def end_access(ctx: Context, on: Dealings, *, under: str = "") -> Act:
    """End open access, at once; all of it, or that under one regime."""
    ctx.require(Action.ACCESS_END, on.resource())
    return enact(ctx, on, lambda now: core.end_access(now, ctx.principal, ctx.now, under=under))


def withdraw(ctx: Context, on: Dealings, keys: KeyStore | None = None) -> Act:
    """Withdraw: in any state, at once, without a reason. It waits for nothing.

    From this instant nothing of the developer's that *keys* guard opens, and what is open stops
    reading. The handles end before the act is written, and the act is written whatever they say, so
    that neither a failing store nor a failing key store keeps anything open.
    """
    return leave(ctx, on.id, keys)


def leave(ctx: Context, id_: str, keys: KeyStore | None = None) -> Act:
    """As `withdraw`, by the engagement's id alone: no file of a regime is read for it.

    Raises: NotFound, as `dealings`.
    """
    facts = _known(ctx, id_, Action.ENGAGEMENT_WITHDRAW, Action.ENGAGEMENT_READ)
    ctx.require(Action.ENGAGEMENT_WITHDRAW, _resource(facts))
    deed = core.leave(facts, ctx.principal)
    try:
        if keys is not None:
            keys.end(id_, "developer")
    finally:
        act = ctx.act(deed.kind, deed.about, id_, **deed.detail)
        with ctx.store.write() as tx:
            tx.record(act)
    return act


def end(ctx: Context, on: Dealings) -> Act:
    """End the engagement; what is recorded stays."""
    ctx.require(Action.ENGAGEMENT_END, on.resource())
    return enact(ctx, on, lambda now: core.end(now, ctx.principal))


def signed_facts(determination: Determination) -> Mapping[str, str]:
    """What the official's own signature covers: every word of the determination."""
    return {"determination": deciding.digest(determination)}


def kept(on: Dealings, determination: Determination) -> Mapping[str, object]:
    """The row that a determination is stored in, by its digest."""
    return {f"{on.id}/determination/{deciding.digest(determination)}": determination}


def record_determination(
    ctx: Context,
    on: Dealings,
    determination: Determination,
    granted: Granted,
    *,
    under: str = "",
) -> Act:
    """Record an official's answer with its scope, basis and errors, under the official's signature.

    Raises: Denied, without the official's fresh assertion; Refused, if it is of another determination
    or was used.
    """
    ctx.require(Action.DETERMINATION_RECORD, on.resource(), granted)
    if granted.request.detail != signed_facts(determination):
        raise Refused("the official signed another determination than this one")
    return enact(
        ctx,
        on,
        lambda now: deciding.record_determination(
            now, ctx.principal, ctx.now, determination=determination, under=under
        ),
        granted,
        kept(on, determination),
    )


def state_of(ctx: Context, on: Dealings) -> tuple[State, Window]:
    """The word and an access window at this moment, as `Standing.shown` chooses it."""
    stands = standing(ctx, on)
    return stands.word(ctx.now), stands.shown(ctx.now)


def require_open(ctx: Context, on: Dealings) -> None:
    """Return while government access is open.

    Raises: Refused, saying what ended it; nothing can hold it open, and nothing else follows.
    """
    stands = standing(ctx, on)
    if not stands.open_windows(ctx.now):
        cause = stands.shown(ctx.now).ended_by
        raise Refused(f"access is not open ({cause.value if cause else 'never opened'})")


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
    desk: Desk,
    on: Dealings,
    cast: Cast,
    subject: Subject,
    done: Callable[[Kind, str], bool],
    sign: Callable[[bytes], Signed],
) -> None:
    """The demonstration's way from inquiry to open access, each step by the person whose it is.

    *sign* signs with the official's own key.
    """
    if not done(Kind.INQUIRY_LODGED, cast.people["developer"]):
        if not _drafted(desk.developer(), on):
            open_draft(desk.developer(), on, cast.model, subject)
        lodge_inquiry(desk.developer(), on, {"model": cast.model, "asked": "would it be covered?"})
    if not done(Kind.INQUIRY_ANSWERED, cast.people["official"]):
        reason = "nothing has been measured yet; an assessment would tell more (demonstration)"
        ctx, answer = desk.official(), Answer.UNDETERMINED
        facts = inquiry_facts(answer, reason)
        granted = approval.asserted(ctx, Action.INQUIRY_ANSWER, on.resource(), facts, sign)
        answer_inquiry(ctx, on, answer, reason, granted)
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
