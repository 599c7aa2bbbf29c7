"""What an organisation owes under the texts that apply to it: listed, drafted, and put on record as sent.

Leadline computes and drafts; a human sends. Nothing of another organisation is read, and a list leaves
no act behind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from leadline.app import engagement, incidents, listing
from leadline.app.context import Context
from leadline.app.engagement import PARTIES, Dealings
from leadline.core.access import Action, Resource
from leadline.core.engagement.coverage import Answers, Applies, Verdict, applies, classes_of
from leadline.core.engagement.engagement import Standing, sound
from leadline.core.engagement.incident import began_occurrences, occurrences, sendings
from leadline.core.engagement.library import Library
from leadline.core.engagement.obligation import Asked, Obligation, obligations
from leadline.core.engagement.regime import Regime
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.record.act import Act, Kind, instant
from leadline.formats.report_draft import Draft, Filled, drafted, named

REFERENCE_MAX = 200


@dataclass(frozen=True, slots=True)
class Law:
    """The library of texts, and the clocks of one's own choice, which apply to everybody here."""

    library: Library
    own: tuple[Regime, ...] = ()

    def texts(self) -> tuple[Regime, ...]:
        """Every text with its own days."""
        ids = self.library.ids()
        return (*(one for id_ in ids for one in self.library.each(id_)), *self.own)

    def text(self, digest: str) -> Regime:
        """The text with this SHA-256; raises NotFound."""
        own = [one for one in self.own if one.digest == digest]
        return own[0] if own else self.library.text(digest)


def follow(ctx: Context, law: Law, regime: str, classes: Sequence[str] | None) -> None:
    """Say that a text applies to one's own organisation, from now on, and in which of its classes.

    *classes* None says that the class is not known yet: what only a class owes is then listed as
    presumed.

    Raises: NotFound, for an unknown regime; Invalid, for a class that its text does not have.
    """
    thing = incidents.place(ctx, None)
    ctx.require(Action.REPORT_SEND, thing)
    text = law.library.on(regime, _today(ctx))
    there = {report.only for report in text.reports} | {one.of for one in text.covers}
    strange = set(classes or ()) - (there - {""})
    if strange:
        known = ", ".join(sorted(there - {""})) or "none"
        raise Invalid("class", f"{regime} has no {', '.join(sorted(strange))}; it has {known}")
    said = None if classes is None else tuple(sorted(classes))
    detail = {"id": regime, "regime": text.digest, "classes": said}
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.REGIME_ADDED, thing.org, "", **detail))


@dataclass(frozen=True, slots=True)
class Answered:
    """An organisation's own six answers, which say what texts apply to it."""

    org: str
    answers: Answers
    at: datetime


def answer(ctx: Context, answers: Answers) -> None:
    """Keep the answers of one's own organisation: what is owed is computed with them from now on."""
    thing = incidents.place(ctx, None, f"answers/{ctx.principal.org}")
    ctx.require(Action.REPORT_SEND, thing)
    kept = Answered(thing.org, answers, ctx.now)
    with ctx.store.write() as tx:
        rows = [row for row in tx.find(Answered) if row.id == thing.id]
        version = rows[0].version if rows else None
        tx.put(thing.id, kept, marking=PARTIES, org=thing.org, expect=version)
        tx.record(ctx.act(Kind.REGIME_ADDED, thing.org, "", answers=True))


def _answers(ctx: Context) -> Answers | None:
    with ctx.store.read() as view:
        found = [row.value for row in view.find(Answered) if row.value.org == ctx.principal.org]
    return found[0].answers if found else None


def followed(ctx: Context) -> dict[str, frozenset[str] | None]:
    """The regimes that one's own organisation said apply to it, with its classes; None: unknown."""
    with ctx.store.read() as view:
        acts = [one.act for one in view.acts(kind=Kind.REGIME_ADDED, about=ctx.principal.org)]
    found = dict[str, frozenset[str] | None]()
    for act in acts:
        if "id" in act.detail:
            said = act.detail.get("classes")
            some = frozenset(map(str, said)) if isinstance(said, tuple | list) else None
            found[str(act.detail["id"])] = some
    return found


def _applying(ctx: Context, law: Law) -> dict[str, Applies]:
    """The texts that may apply by the organisation's answers, today or on another day."""
    given = _answers(ctx)
    if given is None:
        return {}
    day = _today(ctx)
    judged = (applies(law.library.on(id_, day), given, ctx.now) for id_ in law.library.ids())
    wanted = {Verdict.YES, Verdict.UNKNOWN}
    return {one.regime.id: one for one in judged if one.otherwise in wanted}


def owed(ctx: Context, law: Law, on: Dealings | None = None) -> tuple[Obligation, ...]:
    """What the organisation owes as of now: of one engagement, or of everything that it has on record.

    The texts are those that it follows, those that its answers say may apply, those of the
    engagements, and the clocks of one's own choice. Where the answers leave it open, what is owed is
    presumed.
    """
    org = on.developer if on else ctx.principal.org
    known = [one for one in incidents.incidents(ctx) if one.incident.org == org]
    facts = [each for one in known for each in occurrences(one.incident, one.acts)]
    facts += began_occurrences(one for one in incidents.beginnings(ctx) if one.org == org)
    own = org == ctx.principal.org
    follows, judged = (followed(ctx), _applying(ctx, law)) if own else ({}, {})
    standings = _standings(ctx, law, on, org)
    under = {text.id: text for one in standings for text in one.regimes}
    others = dict.fromkeys(id_ for id_ in (*judged, *follows) if id_ not in under)
    texts = (*under.values(), *(one for id_ in others for one in law.library.each(id_)))
    said = {id_: some for id_, some in follows.items() if some is not None}
    found = obligations(
        (*texts, *law.own),
        facts,
        classes={**classes_of(judged.values()), **said},
        now=ctx.now,
        requests=[each for one in standings for each in _asked(one)],
        sent=sendings(_reports(ctx, org)),
    )
    open_ = {id_ for id_, one in judged.items() if one.otherwise is Verdict.UNKNOWN}
    open_ -= set(follows) | set(under)
    found = tuple(replace(one, presumed=one.presumed or one.regime in open_) for one in found)
    return tuple(one for one in found if on is None or one.engagement == on.id)


def _today(ctx: Context) -> date:
    return ctx.now.astimezone(UTC).date()


def draft(ctx: Context, law: Law, id_: str) -> bytes:
    """The draft of one report as a text file for a human to finish and send; kept, with its digest.

    Every part that the text asks for stands in it. What is not on record stands as unknown, with whom
    to ask.

    Raises: NotFound, if nothing of this id is owed.
    """
    one = _one(ctx, law, id_)
    ctx.require(Action.REPORT_SEND, _thing(ctx, one))
    page = drafted(_filled(ctx, law, one))
    digest = ctx.vault.put(page, marking=PARTIES, engagement=one.engagement)
    detail = {"org": ctx.principal.org, "obligation": one.id, "regime": one.digest, "draft": digest}
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.REPORT_DRAFTED, one.about, one.engagement, **detail))
    return page


def sent(
    ctx: Context, law: Law, id_: str, *, at: datetime, to: str, reference: str, copy: bytes = b""
) -> None:
    """Put on record that a human sent a report: when, to whom, under which reference.

    *copy* is what was sent, if it is kept here; the act holds its digest.

    Raises: NotFound, if nothing of this id is owed; Refused, if it is on record as sent; Invalid, for
    a time before its clock began or in the future, or no recipient or reference.
    """
    one = _one(ctx, law, id_)
    ctx.require(Action.REPORT_SEND, _thing(ctx, one))
    if one.sent is not None:
        raise Refused(f"{id_} is on record as sent at {instant(one.sent.at)}")
    sound("at", at)
    if not one.started <= at <= ctx.now:
        between = f"from {instant(one.started)} to now"
        raise Invalid("at", f"a moment {between} is due")
    for name, text in (("to", to), ("reference", reference)):
        if not text.strip() or len(text) > REFERENCE_MAX or not text.isprintable():
            raise Invalid(name, f"write 1 to {REFERENCE_MAX} characters on one line")
    kept = {"copy": ctx.vault.put(copy, marking=PARTIES, engagement=one.engagement)} if copy else {}
    detail = {"org": ctx.principal.org, "obligation": one.id, "regime": one.digest}
    detail |= {"at": instant(at), "to": to.strip(), "reference": reference.strip(), **kept}
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.REPORT_SENT, one.about, one.engagement, **detail))


def _one(ctx: Context, law: Law, id_: str) -> Obligation:
    for one in owed(ctx, law):
        if one.id == id_:
            return one
    raise NotFound(f"nothing is owed as {id_}; `leadline duty list` shows what is")


def _thing(ctx: Context, one: Obligation) -> Resource:
    return Resource("incident", one.about, one.engagement, ctx.principal.org, PARTIES)


def _standings(ctx: Context, law: Law, on: Dealings | None, org: str) -> list[Standing]:
    """The engagements whose texts count: the one, or all of the organisation."""
    if on:
        return [engagement.standing(ctx, on)]
    mine = [one.id for one in listing.engagements(ctx) if one.developer == org]
    return [engagement.standing(ctx, engagement.dealings(ctx, law.library, one)) for one in mine]


def _asked(on: Standing) -> Iterable[Asked]:
    """The organisation's inquiries and their first answers, for texts that have a toll."""
    answers = {
        act.detail.get("inquiry"): act.at for act in reversed(on.recorded(Kind.INQUIRY_ANSWERED))
    }
    ids = {text.digest: text.id for text in on.regimes}
    for act in on.recorded(Kind.INQUIRY_LODGED):
        yield Asked(ids.get(str(act.detail.get("regime")), ""), act.at, answers.get(act.id))


def _reports(ctx: Context, org: str) -> list[Act]:
    """The organisation's acts that say what was sent."""
    with ctx.store.read() as view:
        acts = [one.act for one in view.acts(kind=Kind.REPORT_SENT)]
    return [one for one in acts if one.detail.get("org") == org]


def _filled(ctx: Context, law: Law, one: Obligation) -> Filled:
    """What is on record for the parts of one report."""
    text, ask = law.text(one.digest), ctx.principal.name
    known: dict[Draft, str] = {Draft.CONTACT: f"{ctx.principal.name}, {ctx.principal.org}"}
    if one.engagement:
        facts = listing.engagement(ctx, one.engagement)
        known |= {Draft.MODEL: facts.model, Draft.WEIGHTS: facts.subject_digest}
        known |= {Draft.DEVELOPER: facts.developer}
    if one.about.startswith("incident-"):
        record = incidents.incident(ctx, one.about)
        with ctx.store.read() as view:
            ask = view.principal(record.incident.notifies).name
        known |= _of_incident(ctx, record)
    else:
        known |= {Draft.MODEL: one.about, Draft.DEVELOPER: ctx.principal.org}
    recipient = named(law.library, one.to, ctx.now.date())
    return Filled(one, text, recipient, ask, known, ctx.now)


def _of_incident(ctx: Context, record: incidents.Record) -> dict[Draft, str]:
    """What an incident's acts and content say."""
    said = [(act, incidents.told(ctx, act)) for act in record.acts if "content" in act.detail]
    knew = [(act, words) for act, words in said if act.kind is Kind.INCIDENT_REPORTED]
    ends = [(act, words) for act, words in said if act.kind is Kind.INCIDENT_RESOLVED]
    latest = occurrences(record.incident, record.acts)
    words = sorted({word for one in latest for word in one.categories})
    found = {
        Draft.DEVELOPER: record.incident.org,
        Draft.WHAT: "\n\n".join(words["text"] for _, words in knew),
        Draft.WHEN: instant(record.incident.happened),
        Draft.KNOWN: "\n".join(
            f"{act.detail.get('known')}: {words['who'] or 'unnamed'}" for act, words in knew
        ),
        Draft.CATEGORIES: ", ".join(words),
    }
    if ends:
        found[Draft.RESOLVED] = "\n".join(
            f"{act.detail.get('at')}: {words['text']}" for act, words in ends
        )
    return found
