"""A determining official's pages: the queue, one sheet before deciding, the determination, and its evidence."""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Response

from leadline.app import assessed, briefing, determinations, engagement, listing
from leadline.app.briefing import Brief, Given, Wording
from leadline.app.engagement import Dealings
from leadline.core.access import Action
from leadline.core.engagement.determination import Determination, Variant
from leadline.core.engagement.engagement import over
from leadline.core.errors import Invalid, NotFound
from leadline.http.pages import deed
from leadline.http.pages.evaluator import families_figure, path_figure
from leadline.http.pages.frame import SAID, WAYS, Me, Posted, Visit, Way, again
from leadline.http.pages.start import CARDS, Card
from leadline.render import brief_page, pdf
from leadline.wiring import assessments

ROUTES = APIRouter()
ROLES = frozenset({"determining-official", "concurring-official"})
HERE = "/engagements/{which}/determination"
PROPOSED = "Propose this determination. Others then state a position on exactly this."
RECORDED = "Record this determination. Nothing that the developer may do depends on it."
CORRECTED = "Put these words in place of the old ones. The answer stays, and so does the old act."
CONCURS = "Agree to exactly this proposal."
DISSENTS = "Disagree with this proposal. Your reasons stand wherever it is shown."
WORDS_MAX, CAVEATS_MAX = 2_000, 20
WAYS.append(Way("Determinations", "/determinations", ROLES))
SAID["determination-proposed"] = (
    "Proposed, with your signature. Others can now state a position on exactly this."
)
SAID["recorded"] = "Recorded, with your signature. Nothing that the developer may do depends on it."
SAID["concurred"] = "Your concurrence stands in the record."
SAID["dissented"] = (
    "Your dissent stands in the record, and beside the determination wherever it is shown."
)
SAID["recused"] = (
    "You are recused here. The engagement goes on; another person answers in your stead."
)
SAID["corrected"] = "Corrected. What was recorded before stays in the record."
SAID["reconsideration-answered"] = "Answered. A changed answer would be a determination of its own."


def waiting(visit: Visit) -> Iterable[Card]:
    """Proposals that nobody recorded yet, and engagements whose access ends."""
    if not visit.roles & ROLES:
        return
    for one in assessed.queue(visit.ctx, visit.portal.library):
        where = f"/engagements/{one.engagement.id}"
        if one.proposals > one.determinations:
            words = "A determination is proposed. Your position on it, if you wish to state one, is due."
            yield Card(f"Proposed about {one.engagement.model}", words, f"{where}/determination", 1)
        elif one.open and not one.determinations:
            words = f"The assessment is {one.run}. Silence decides nothing."
            yield Card(f"Brief on {one.engagement.model}", words, f"{where}/brief")


CARDS.append(waiting)


@ROUTES.get("/determinations")
def queue(me: Me) -> Response:
    """Every engagement that this official is named for, with what is proposed and recorded."""
    rows = assessed.queue(me.ctx, me.portal.library)
    unread = len(listing.engagements(me.ctx)) - len(rows)
    return me.page("official/queue.html.j2", rows=rows, unread=unread)


@ROUTES.get("/engagements/{which}/brief")
def brief(which: str, me: Me) -> Response:
    """One engagement on one sheet; each claim leads to the act behind it."""
    found = _brief(me, which)
    return me.page(
        "official/brief.html.j2",
        found=found,
        figure=path_figure(found.decision) if found.decision else None,
        families=families_figure(found.suites) if found.suites else None,
    )


@ROUTES.get("/engagements/{which}/brief.pdf")
def brief_pdf(which: str, me: Me) -> Response:
    """The same as an official paper."""
    content = pdf.pdf(brief_page.brief_document(_brief(me, which), me.ctx.now))
    name = f'attachment; filename="brief-{which}.pdf"' if which.isascii() else "attachment"
    return Response(content, media_type="application/pdf", headers={"content-disposition": name})


@ROUTES.get(HERE)
def determination(which: str, me: Me) -> Response:
    """What is proposed and recorded, who stands behind it, who dissents, and what one may do about it."""
    found = _brief(me, which)
    facts = engagement.standing(me.ctx, found.on)
    return me.page(
        "official/determination.html.j2",
        found=found,
        variants=[(one.value, one.value.replace("-", " ")) for one in Variant],
        regimes=[(text.id, text.title) for text in facts.regimes],
        asked=[(one, act) for one in found.given for act in _open_questions(one)],
        decides=found.regime.decides,
        criteria=assessments.decided(me.desk, found.read)[0] if found.read else None,
        over=over(facts.acts),
    )


@ROUTES.post(HERE + "/proposals")
@again(determination)
def propose(which: str, me: Posted) -> Response:
    """Propose a determination, or record it at once where one person decides; signed."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    made, under = _drafted(me, which), me.form.text("under", "")
    now, facts = me.form.text("deed", "propose") == "record", engagement.signed_facts(made)
    told = deed.determination(made, RECORDED if now else PROPOSED, _handed(me, on, made))
    granted = me.signed(Action.DETERMINATION_RECORD, on.resource(), facts, told)
    if now:
        engagement.record_determination(me.ctx, on, made, granted, under=under)
        return me.go(f"/engagements/{which}/determination", said="recorded")
    determinations.propose(me.ctx, on, made, granted, under=under)
    return me.go(f"/engagements/{which}/determination", said="determination-proposed")


@ROUTES.post(HERE + "/records")
def record(which: str, me: Posted) -> Response:
    """Record what was proposed, once enough persons stand behind it; signed."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    made = determinations.proposed(me.ctx, on, me.form.text("proposal", longest=64))
    facts = engagement.signed_facts(made)
    told = deed.determination(made, RECORDED, _handed(me, on, made))
    granted = me.signed(Action.DETERMINATION_RECORD, on.resource(), facts, told)
    under = me.form.text("under", "")
    engagement.record_determination(me.ctx, on, made, granted, under=under)
    return me.go(f"/engagements/{which}/determination", said="recorded")


@ROUTES.post(HERE + "/concurrences")
def concur(which: str, me: Posted) -> Response:
    """Agree to exactly what was proposed; signed."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    proposal = me.form.text("proposal", longest=64)
    made = determinations.proposed(me.ctx, on, proposal)
    told = deed.position(made, CONCURS, _handed(me, on, made))
    facts = determinations.concurrence(proposal)
    granted = me.signed(Action.DETERMINATION_CONCUR, on.resource(), facts, told)
    determinations.concur(me.ctx, on, proposal, granted)
    return me.go(f"/engagements/{which}/determination", said="concurred")


@ROUTES.post(HERE + "/dissents")
@again(determination)
def dissent(which: str, me: Posted) -> Response:
    """Disagree with reasons; signed. They stand wherever the determination is shown."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    proposal, reasons = me.form.text("proposal", longest=64), me.form.text("reasons")
    facts = determinations.dissenting(proposal, reasons)
    made = determinations.proposed(me.ctx, on, proposal)
    told = deed.position(made, DISSENTS, _handed(me, on, made), reasons)
    granted = me.signed(Action.DETERMINATION_CONCUR, on.resource(), facts, told)
    determinations.dissent(me.ctx, on, proposal, reasons, granted)
    return me.go(f"/engagements/{which}/determination", said="dissented")


@ROUTES.post(HERE + "/recusals")
def recuse(which: str, me: Posted) -> Response:
    """Step aside from this determination."""
    determinations.recuse(me.ctx, assessed.readable(me.ctx, me.portal.library, which))
    return me.go(f"/engagements/{which}/determination", said="recused")


@ROUTES.post(HERE + "/corrections")
@again(determination)
def correct(which: str, me: Posted) -> Response:
    """Correct the words of a determination; its substance stays, and so does the old act."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    of = me.form.text("of", longest=200)
    trigger, caveats = me.form.text("new_trigger", longest=WORDS_MAX), _lines(me, "new_caveats")
    made = replace(determinations.current(me.ctx, on, of), trigger=trigger, caveats=caveats)
    facts = engagement.signed_facts(made)
    told = deed.determination(made, CORRECTED, _handed(me, on, made))
    granted = me.signed(Action.DETERMINATION_RECORD, on.resource(), facts, told)
    determinations.correct(me.ctx, on, of, made, granted)
    return me.go(f"/engagements/{which}/determination", said="corrected")


@ROUTES.post(HERE + "/answers")
@again(determination)
def answer(which: str, me: Posted) -> Response:
    """Answer a developer that asked to look again."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    asked, words = me.form.text("asked", longest=200), me.form.text("answer")
    determinations.answer_reconsideration(me.ctx, on, asked, words)
    return me.go(f"/engagements/{which}/determination", said="reconsideration-answered")


@ROUTES.get("/engagements/{which}/evidence/acts/{act}")
def evidence(which: str, act: str, me: Me) -> Response:
    """One act behind a claim, with its place in the log and what it names."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    one = assessed.evidence(me.ctx, on, act)
    return me.page("official/act.html.j2", which=which, one=one, named=briefing.named(one))


@ROUTES.get("/engagements/{which}/evidence/{digest}")
def content(which: str, digest: str, me: Me) -> Response:
    """What an act names by its digest, as text."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    found = assessed.read(me.ctx, on)
    decision = assessments.decided(me.desk, found)[1] if found else None
    text = briefing.content(me.ctx, on, digest, decision)
    return me.page("official/content.html.j2", which=which, digest=digest, text=text)


@ROUTES.get("/engagements/{which}/statements/{digest}")
def statement(which: str, digest: str, me: Me) -> Response:
    """A text about a determination: reasons, a response, an answer, or what the developer may hand on."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    text = determinations.written(me.ctx, on, digest)
    return me.page("official/content.html.j2", which=which, digest=digest, text=text)


@ROUTES.get("/engagements/{which}/criteria/{pack}")
def criteria(which: str, pack: str, me: Me) -> Response:
    """A criteria pack: the threshold, both errors and the words of each answer."""
    assessed.readable(me.ctx, me.portal.library, which)
    return me.page("official/criteria.html.j2", which=which, one=me.desk.criteria(pack))


def _brief(me: Visit, which: str) -> Brief:
    """The engagement as its official reads it.

    Raises: NotFound; Denied.
    """
    on: Dealings = assessed.readable(me.ctx, me.portal.library, which)
    return briefing.brief(me.ctx, on, assessments.told(me.desk, on))


def _open_questions(one: Given) -> list[tuple[str, str]]:
    """Requests to look again that have no answer yet: act and the digest of their reasons."""
    answered = {str(act.detail.get("asked")) for act in one.recorded.reconsiderations}
    return [
        (act.id, str(act.detail.get("reasons")))
        for act in one.recorded.reconsiderations
        if "asked" not in act.detail and act.id not in answered
    ]


def _drafted(me: Visit, which: str) -> Determination:
    """The determination that a form states: as TOML, or in words beside what was decided.

    Raises: Invalid, naming the field; NotFound, without an assessment to rest it on.
    """
    if text := me.form.text("written", ""):
        try:
            return me.desk.draft(Path("determination.toml"), text.encode())
        except Invalid as error:
            raise Invalid("written", str(error)) from error
    found = _brief(me, which)
    wording = _wording(me, found.on)
    told = assessments.decided(me.desk, found.read) if found.read else (None, None)
    made = briefing.drafted(me.ctx, found, told, wording)
    if made is None:
        raise Invalid("written", "no decision stands here to rest it on; write it out as TOML")
    return made


def _handed(me: Visit, on: Dealings, made: Determination) -> str:
    """What the developer may hand on by this determination, as it was written."""
    typed = me.form.text("statement", "")
    if sha256(typed.encode()).hexdigest() == made.statement:
        return typed
    try:
        return determinations.written(me.ctx, on, made.statement) if made.statement else ""
    except NotFound:  # kept at a desk, and named by no act yet
        return f"the text that was kept with the digest {made.statement[:16]}…; read it first"


def _wording(me: Visit, on: Dealings) -> Wording:
    form, text = me.form, me.form.text("statement", "")
    expires = form.moment("expires")
    official, trigger = form.text("official", longest=200), form.text("trigger", longest=WORDS_MAX)
    caveats, variant = _lines(me, "caveats"), form.one("variant", Variant)
    kept = determinations.keep_statement(me.ctx, on, text, engagement.PARTIES) if text else ""
    return Wording(official, expires, trigger, caveats, variant, kept)


def _lines(me: Visit, name: str) -> tuple[str, ...]:
    """A text field with one entry a line."""
    lines = [line.strip() for line in me.form.text(name, "").splitlines() if line.strip()]
    if len(lines) > CAVEATS_MAX:
        raise Invalid(name, f"at most {CAVEATS_MAX} lines")
    return tuple(lines)
