"""What the parties of an engagement say to one another: messages, questions, and words on determinations."""

from fastapi import APIRouter, Response

from leadline.app import determinations as deciding
from leadline.app import exchange
from leadline.core.engagement.determination import HEX
from leadline.core.record.act import Act, Value
from leadline.http.pages.developer_place import Place, place, shown
from leadline.http.pages.frame import SAID, Me, Posted, Visit, again

ROUTES = APIRouter()
SAID["message-sent"] = "Sent to those it names, and to nobody else."
SAID["answer-given"] = "Your answer is on record, for whoever asked."
SAID["response-made"] = "Your words stand beside the determination."
SAID["asked-again"] = "You asked to look again. No answer is owed, and nothing waits for one."
SIDES = (
    ("government", "Everybody of the programme who is named here"),
    ("developer", "Your own people"),
)


@ROUTES.get("/engagements/{engagement}/messages")
def messages(me: Me, engagement: str) -> Response:
    """The messages that are this person's to read, with their words, the newest first."""
    at = place(me, engagement)
    found = [
        (one, exchange.read(me.ctx, at.on, one.id)) for one in exchange.messages(me.ctx, at.on)
    ]
    return shown(me, at, "messages", found=found[::-1], sides=SIDES)


@ROUTES.post("/engagements/{engagement}/messages")
@again(messages)
def send(me: Posted, engagement: str) -> Response:
    """Send a message to a side, to persons by id, or to both."""
    on = me.desk.dealings(engagement)
    to = (
        *me.form.many("to"),
        *(name.strip() for name in me.form.text("persons", "").split(",") if name.strip()),
    )
    exchange.send(me.ctx, on, to, me.form.text("message"))
    return me.go(f"/engagements/{on.id}/messages", said="message-sent")


@ROUTES.get("/engagements/{engagement}/questions")
def asked(me: Me, engagement: str) -> Response:
    """What the programme asked, with the answers."""
    at = place(me, engagement)
    return shown(me, at, "questions", found=exchange.questions(me.ctx, at.on))


@ROUTES.post("/engagements/{engagement}/questions")
@again(asked)
def answer(me: Posted, engagement: str) -> Response:
    """Answer what was asked, or add to an answer; whether to is the developer's choice."""
    on = me.desk.dealings(engagement)
    exchange.answer(me.ctx, on, me.form.text("asked"), me.form.text("answer"))
    return me.go(f"/engagements/{on.id}/questions", said="answer-given")


@ROUTES.get("/engagements/{engagement}/determinations")
def determinations(me: Me, engagement: str) -> Response:
    """What was recorded, with dissents, corrections, responses, and what asks again."""
    at = place(me, engagement)
    page = deciding.page(me.ctx, at.on)
    words = {digest: _words(me, at, digest) for act in at.stands.acts for digest in _digests(act)}
    return shown(me, at, "determinations", found=page, words=words, reconsiders=_reconsiders(at))


def _reconsiders(at: Place) -> bool:
    """Whether a regime of the engagement says that its body offers to look again."""
    return any(text.decides and text.decides.reconsiders for text in at.stands.regimes)


def _digests(act: Act) -> list[str]:
    """The digests of texts that an act about a determination names."""
    if not act.kind.value.startswith(("determination.", "response.", "reconsideration.")):
        return []
    named = [act.detail.get(name) for name in ("reasons", "response", "answer", "statement")]
    return [
        one
        for one in (*named, *_texts(act.detail.get("dissenting")))
        if isinstance(one, str) and HEX.fullmatch(one)
    ]


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()


def _words(me: Visit, at: Place, digest: str) -> str:
    """The words behind a digest."""
    return deciding.written(me.ctx, at.on, digest)


@ROUTES.post("/engagements/{engagement}/responses")
@again(determinations)
def respond(me: Posted, engagement: str) -> Response:
    """Put one's own words beside a determination."""
    on = me.desk.dealings(engagement)
    deciding.respond(me.ctx, on, me.form.text("determination"), me.form.text("response"))
    return me.go(f"/engagements/{on.id}/determinations", said="response-made")


@ROUTES.post("/engagements/{engagement}/reconsiderations")
@again(determinations)
def reconsider(me: Posted, engagement: str) -> Response:
    """Ask the deciding body to look again."""
    on = me.desk.dealings(engagement)
    deciding.ask_reconsideration(me.ctx, on, me.form.text("determination"), me.form.text("reasons"))
    return me.go(f"/engagements/{on.id}/determinations", said="asked-again")
