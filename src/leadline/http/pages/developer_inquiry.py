"""The early question: which texts apply, and would this model be covered? One question a page, each kept at once."""

from collections.abc import Mapping
from datetime import UTC, datetime, time

from fastapi import APIRouter, Response

from leadline.app import browse, log, obligations
from leadline.app import inquiry as use
from leadline.app import inquiry_draft as drafts
from leadline.app.browse import Filters, Thing
from leadline.app.inquiry_draft import FURTHER, InquiryDraft
from leadline.core.engagement.coverage import Answers, applies
from leadline.core.engagement.engagement import State
from leadline.core.engagement.inquiry import QUESTIONS, UNKNOWN, WORDS, gaps
from leadline.core.engagement.inquiry import Question as Asked
from leadline.core.errors import NotFound, Refused
from leadline.formats.manifest import encode_opening
from leadline.formats.questions_toml import NONE_OF_THEM, Question, answers_in_words
from leadline.http.pages.developer_place import place, shown
from leadline.http.pages.filters import words
from leadline.http.pages.frame import SAID, WAYS, Anyone, Me, Posted, Sent, Visit, Way, again
from leadline.render.applies_page import applies_document
from leadline.render.document import Document
from leadline.wiring import inquiry as wiring
from leadline.wiring.regimes import questions

ROUTES = APIRouter()
WAYS.append(Way("Early question", "/inquiries", frozenset({"developer"})))
SAID["draft-kept"] = "Kept. Only you can see it; go on whenever you like."
SAID["draft-discarded"] = "Deleted. Nobody was told of it, and nothing of it is left here."
SAID["answers-kept"] = (
    "Kept for your organisation. What texts ask of it is counted by these answers."
)
SAID["inquiry-lodged"] = (
    "Asked. You can withdraw at any moment; nothing of yours waits for the answer."
)

ASKED_MAX = 100
SIX = tuple(one.fact.value for one in questions())
NAMES = (*SIX, *(one.value for one in FURTHER))
STEPS = ("Which texts apply", "What applies", "About the model", "Who will see it", "Receipt")


def _document(me: Visit, answers: Answers) -> Document:
    """What each text says to *answers* today."""
    now, held = me.ctx.now, me.portal.library
    day = now.astimezone(UTC).date()
    at = datetime.combine(day, time(), UTC)
    found = [applies(held.on(id_, day), answers, at) for id_ in held.ids()]
    return applies_document(found, answers, questions(), day)


@ROUTES.get("/coverage")
def coverage(visit: Anyone) -> Response:
    """The six questions on one page, for anybody; nothing is kept."""
    asked = [(one, _offered(one)) for one in questions()]
    return visit.page("developer/coverage.html.j2", asked=asked, nothing=NONE_OF_THEM)


def _offered(one: Question) -> list[tuple[str, str]]:
    return [(option.word, option.text) for option in one.options]


@ROUTES.post("/coverage")
@again(coverage)
def covered(visit: Sent) -> Response:
    """What applies by these answers, which are forgotten with the page."""
    given = {name: ",".join(visit.form.many(name)) for name in SIX}
    document = _document(visit, answers_in_words(given, questions()))
    return visit.page("developer/coverage_result.html.j2", document=document)


@ROUTES.get("/open-weights")
def open_weights(visit: Anyone) -> Response:
    """How a developer of open weights assesses its model by itself, outside every programme."""
    return visit.page("developer/open_weights.html.j2")


@ROUTES.get("/inquiries")
def inquiries(me: Me) -> Response:
    """The person's drafts, and what the organisation asked."""
    filters = Filters(states=frozenset({State.INQUIRY.value}))
    asked = browse.browse(me.ctx, Thing.ENGAGEMENT, filters, limit=ASKED_MAX).rows
    return me.page(
        "developer/inquiries.html.j2", drafts=drafts.mine(me.ctx), asked=asked, names=NAMES
    )


@ROUTES.post("/inquiries")
def begin(me: Posted) -> Response:
    """A new draft."""
    made = drafts.begin(me.ctx)
    return me.go(f"/inquiries/{made.id}/questions/{SIX[0]}")


@ROUTES.post("/engagements/{engagement}/inquiries")
def ask_again(me: Posted, engagement: str) -> Response:
    """A new draft within an engagement that exists."""
    made = drafts.begin(me.ctx, me.desk.dealings(engagement).id)
    return me.go(f"/inquiries/{made.id}/questions/{SIX[0]}")


@ROUTES.get("/inquiries/{draft}")
def overview(me: Me, draft: str) -> Response:
    """Every question with its answer so far."""
    found = drafts.draft(me.ctx, draft)
    return me.page(
        "developer/draft.html.j2", draft=found, rows=_rows(found), steps=STEPS, step=None
    )


def _rows(draft: InquiryDraft) -> list[tuple[str, str, str]]:
    """Name, question and answer in words, in order."""
    return [(name, _words(name), _shown(name, draft.said.get(name, ""))) for name in NAMES]


def _words(name: str) -> str:
    six = {one.fact.value: one.text for one in questions()}
    return six.get(name) or QUESTIONS[Asked(name)].words


def _shown(name: str, said: str) -> str:
    """An answer in the words that were offered."""
    if said in {"", UNKNOWN}:
        return said and "I don't know"
    offered = {
        option.word: option.text
        for one in questions()
        if one.fact.value == name
        for option in one.options
    }
    return (
        "; ".join(offered.get(word.strip(), word) for word in said.split(",")) if offered else said
    )


@ROUTES.get("/inquiries/{draft}/questions/{name}")
def question(me: Me, draft: str, name: str) -> Response:
    """One question."""
    found = drafts.draft(me.ctx, draft)
    if name not in NAMES:
        raise NotFound("there is no such thing, or you may not know of it")
    six = next((one for one in questions() if one.fact.value == name), None)
    asked = None if six else QUESTIONS[Asked(name)]
    number = (SIX.index(name), len(SIX)) if six else (NAMES.index(name) - len(SIX), len(FURTHER))
    return me.page(
        "developer/question.html.j2",
        draft=found,
        name=name,
        six=six,
        asked=asked,
        options=[(one, words(one), "") for one in WORDS.get(asked.form, ())] if asked else (),
        offered=_offered(six) if six else (),
        offered3=[(*one, "") for one in _offered(six)] if six else (),
        now=found.said.get(name, me.ctx.principal.org if name == Asked.ORGANISATION else ""),
        number=number,
        back=me.typed("back") or me.request.query_params.get("back", ""),
        before=_before(found, name),
        nothing=NONE_OF_THEM,
        steps=STEPS,
        step=0 if six else 2,
    )


@ROUTES.post("/inquiries/{draft}/questions/{name}")
@again(question)
def say(me: Posted, draft: str, name: str) -> Response:
    """Keep the answer and show the next question; to skip keeps what was there."""
    then = me.form.text("then", "next")
    if then == "unknown":
        drafts.say(me.ctx, draft, name, UNKNOWN, questions())
    elif then != "skip":
        drafts.say(me.ctx, draft, name, ",".join(me.form.many("answer")), questions())
    if then == "later":
        return me.go("/inquiries", said="draft-kept")
    if me.form.text("back", "") == "answers":
        return me.go(f"/inquiries/{draft}", said="draft-kept")
    return me.go(_after(drafts.draft(me.ctx, draft), name))


def _after(draft: InquiryDraft, name: str) -> str:
    """What comes after a question."""
    if name == SIX[-1]:
        return f"/inquiries/{draft.id}/texts"
    if name == NAMES[-1]:
        return f"/inquiries/{draft.id}/preview"
    return f"/inquiries/{draft.id}/questions/{NAMES[NAMES.index(name) + 1]}"


def _before(draft: InquiryDraft, name: str) -> str:
    at = NAMES.index(name)
    if at == len(SIX):
        return f"/inquiries/{draft.id}/texts"
    return f"/inquiries/{draft.id}/questions/{NAMES[at - 1]}" if at else f"/inquiries/{draft.id}"


@ROUTES.get("/inquiries/{draft}/texts")
def texts(me: Me, draft: str) -> Response:
    """Which texts apply by the answers so far; computed for this person alone."""
    found = drafts.draft(me.ctx, draft)
    document = _document(me, found.answers(questions()))
    first = FURTHER[0].value
    return me.page(
        "developer/texts.html.j2", draft=found, document=document, first=first, steps=STEPS, step=1
    )


@ROUTES.post("/inquiries/{draft}/answers")
def keep(me: Posted, draft: str) -> Response:
    """Keep the six answers for one's organisation: what it owes is counted by them from now on."""
    obligations.answer(me.ctx, drafts.draft(me.ctx, draft).answers(questions()))
    return me.go("/duties", said="answers-kept")


@ROUTES.get("/inquiries/{draft}/preview")
def preview(me: Me, draft: str) -> Response:
    """What would be sent, and who could see it until when."""
    found = drafts.draft(me.ctx, draft)
    inquiry = found.inquiry(questions())
    return me.page(
        "developer/preview.html.j2",
        draft=found,
        sending=[(QUESTIONS[one].words, _said(one, text)) for one, text in inquiry.answers.items()],
        notes=[(QUESTIONS[one.question].words, one) for one in gaps(inquiry)],
        audience=wiring.draft_audience(me.desk, found),
        regime=wiring.draft_dealings(me.desk, found).regime,
        steps=STEPS,
        step=3,
    )


@ROUTES.post("/inquiries/{draft}/lodging")
@again(preview)
def lodge(me: Posted, draft: str) -> Response:
    """Ask the official."""
    id_ = wiring.lodge_draft(me.desk, drafts.draft(me.ctx, draft))
    last = use.asked(me.ctx, me.desk.dealings(id_))[-1]
    return me.go(f"/engagements/{id_}/inquiries/{last.act}", said="inquiry-lodged")


@ROUTES.post("/inquiries/{draft}/removal")
def discard(me: Posted, draft: str) -> Response:
    """Delete a draft."""
    drafts.discard(me.ctx, draft)
    return me.go("/inquiries", said="draft-discarded")


@ROUTES.get("/engagements/{engagement}/inquiries")
def asked_list(me: Me, engagement: str) -> Response:
    """What was asked in an engagement, with the answers."""
    at = place(me, engagement)
    return shown(me, at, "asked", asked=use.asked(me.ctx, at.on), words=_question_words())


def _said(one: Asked, text: str) -> str:
    """An answer as it was offered: the words of a choice, a number without a sign that nobody types."""
    return words(text) if text in WORDS.get(QUESTIONS[one].form, ()) else text.replace("e+", "e")


def _in_order(said: Mapping[str, str]) -> list[tuple[str, str]]:
    """What was said, question by question in the order in which they were asked."""
    asked = [
        (QUESTIONS[one].words, _said(one, said[one.value])) for one in Asked if one.value in said
    ]
    known = {one.value for one in Asked} | {"asked"}
    return asked + [(name, text) for name, text in said.items() if name not in known]


def _question_words() -> Mapping[str, str]:
    return {one.value: told.words for one, told in QUESTIONS.items()}


@ROUTES.get("/engagements/{engagement}/inquiries/{act}")
def receipt(me: Me, engagement: str, act: str) -> Response:
    """One inquiry with its answers and the proof of its entry in the log."""
    at = place(me, engagement)
    one = next((one for one in use.asked(me.ctx, at.on) if one.act == act), None)
    if one is None:
        raise NotFound("there is no such thing, or you may not know of it")
    proof, waits = None, ""
    try:
        proof = log.prove(me.ctx, act)
    except Refused as error:
        waits = str(error)
    return shown(
        me, at, "receipt", one=one, proof=proof, waits=waits, told=_in_order(one.said), steps=STEPS
    )


@ROUTES.get("/engagements/{engagement}/proofs/{name}")
def proof(me: Me, engagement: str, name: str) -> Response:
    """The proof of one act (.tlog-proof), or the opening that goes with it (.json)."""
    at = place(me, engagement)
    act, dot, kind = name.rpartition(".")
    if (
        not dot
        or kind not in {"tlog-proof", "json"}
        or act not in {one.id for one in at.stands.acts}
    ):
        raise NotFound("there is no such thing, or you may not know of it")
    found = log.prove(me.ctx, act)
    data = found.text.encode() if kind == "tlog-proof" else encode_opening(found.opening)
    media = "text/plain; charset=utf-8" if kind == "tlog-proof" else "application/json"
    return Response(
        data,
        media_type=media,
        headers={"content-disposition": f'attachment; filename="{act}.{kind}"'},
    )
