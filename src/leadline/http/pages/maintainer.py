"""A maintainer's one page by a link, the answer to it, links of a case, and help with a contract."""

from fastapi import APIRouter, Response

from leadline.app import case_view, cases, maintainer_link
from leadline.app.maintainer_link import Choice, Given, Holder
from leadline.core.clearing.contract import PER_WEEK_MAX, Contract, Embargo, Wanted, explain
from leadline.core.clearing.finding import Severity
from leadline.core.clearing.report import Faulty
from leadline.core.errors import Invalid
from leadline.formats import contract_toml
from leadline.http.pages.coordinator_shared import coordinates
from leadline.http.pages.form import Form
from leadline.http.pages.frame import SAID, WAYS, Anyone, Me, Posted, Sent, Visit, Way, again

ROUTES = APIRouter()
WAYS.append(Way("Intake contract", "/contracts/draft", frozenset({"maintainer"})))
ANSWERS: tuple[tuple[str, str, str], ...] = (
    ("confirmed", "It is real", "You confirm that your software is affected."),
    ("not-reproducible", "I cannot reproduce it", "Say on what you tried."),
    ("out-of-scope", "It is outside what we take", "Say which of your terms says so."),
    ("known-already", "We know it already", "Say since when, or by which report."),
    ("fixed-already", "It is fixed", "Already, or because of this report. Say in which release."),
    ("more-time", "We need more time", "Say until when; everybody concerned is asked."),
    ("declined", "We will not work on it", "A coordinator goes on with it."),
    ("pause", "Send us nothing for now", "A coordinator stops our messages and the clocks."),
)
CLOCKS: dict[str, str] = {
    "acknowledge": "a first word is hoped for",
    "silence": "without an answer, a coordinator tries other ways",
    "disclosure": "it is published, with or without a fix",
    "exploited": "it is published, because it is used in attacks",
    "stage": "distributions may know",
    "existence": "it may be said that there is a report",
    "details": "technical details are published",
    "agreed": "the date that was agreed",
}
WANTED = [("required", "Required"), ("welcome", "Welcome"), ("unwanted", "Please do not send")]
SEVERITIES = [(one.value, one.value) for one in Severity]
EMBARGOES: tuple[tuple[str, str], ...] = (
    ("private", "Private until a fix is out"),
    ("ai-found-is-public", "What a model found is public once confirmed"),
    ("public", "Public once confirmed"),
)
SAID.update(
    {
        "link-answer": "Thank you. Your answer is on record, and a person reads what you wrote.",
        "link-ended": "The link has ended; whoever has it reads nothing any more.",
    }
)


def _held(visit: Visit, token: str) -> Holder:
    return maintainer_link.holder(visit.portal.door.nobody(), token)


@ROUTES.get("/report/{token}")
def report(token: str, visit: Anyone) -> Response:
    """The report in plain words with what is known of it, and the answer."""
    page = maintainer_link.page(_held(visit, token))
    others = [one for one in page.seen.parties if one.id != page.party]
    return visit.page(
        "maintainer/report.html.j2",
        page=page,
        token=token,
        mine=next(one for one in page.seen.parties if one.id == page.party),
        others=others,
        answers=ANSWERS,
        clocks=CLOCKS,
        labels={key: label for key, label, _ in ANSWERS},
    )


@ROUTES.post("/report/{token}/answers")
@again(report)
def answer(token: str, visit: Sent) -> Response:
    """Take the answer, as the party that the link stands for."""
    form, held = visit.form, _held(visit, token)
    choice = form.one("choice", Choice)
    until = form.moment("until") if choice is Choice.MORE_TIME else None
    words = form.text("words", "", longest=maintainer_link.WORDS_MAX)
    maintainer_link.answer(held, Given(choice, words, until))
    return visit.go(f"/report/{token}", said="link-answer")


@ROUTES.get("/report/{token}/patches/{fix}")
def patch(token: str, fix: str, visit: Anyone) -> Response:
    """The drafted repair as a file."""
    data = maintainer_link.patch(_held(visit, token), fix)
    named = {"content-disposition": 'attachment; filename="leadline.patch"'}
    return Response(data, media_type="text/x-diff; charset=utf-8", headers=named)


@ROUTES.get("/cases/{case}/links")
def links(case: str, me: Me) -> Response:
    """The links of a case and what came by them, for whoever sends its messages."""
    return _links(me, case, "")


def _links(me: Visit, case: str, made: str) -> Response:
    found = maintainer_link.listed(me.ctx, case)
    answered = maintainer_link.answers(me.ctx, case)
    stands = cases.standing(me.ctx, case)
    seen = case_view.view(me.ctx, case)
    names = {one.id: one.name for one in seen.parties}
    wanting = [one.id for one in stands.present if one.vendor and not one.person]
    return me.page(
        "maintainer/links.html.j2",
        case=case,
        seen=seen,
        coordinates=coordinates(me, case),
        links=found,
        answered=answered,
        wanting=wanting,
        names=names,
        made=f"{me.portal.door.site.origin}/report/{made}" if made else "",
        labels={key: label for key, label, _ in ANSWERS},
    )


@ROUTES.post("/cases/{case}/links")
def make(case: str, me: Posted) -> Response:
    """A link for a party without an account; it is shown once."""
    return _links(me, case, maintainer_link.make(me.ctx, case, me.form.text("party")))


@ROUTES.post("/cases/{case}/links/{link}/end")
def end(case: str, link: str, me: Posted) -> Response:
    """End a link at once."""
    maintainer_link.end(me.ctx, case, link)
    return me.go(f"/cases/{case}/links", said="link-ended")


@ROUTES.get("/contracts/draft")
def contract_page(visit: Anyone) -> Response:
    """A form that writes an intake contract."""
    return _contract_page(visit, "", ())


@ROUTES.post("/contracts/draft")
@again(contract_page)
def contract(visit: Sent) -> Response:
    """The contract as a file, explained in plain words; or the file itself."""
    text = _contract(visit.form)
    if visit.form.ticked("download"):
        named = {"content-disposition": f'attachment; filename="{contract_toml.FILE}"'}
        return Response(text, media_type="application/toml", headers=named)
    told = explain(contract_toml.load_contract(text.encode()), visit.ctx.now)
    return _contract_page(visit, text, told)


def _contract_page(visit: Visit, written: str, told: tuple[str, ...]) -> Response:
    return visit.page(
        "maintainer/contract.html.j2",
        wanted=WANTED,
        severities=SEVERITIES,
        embargoes=EMBARGOES,
        written=written,
        told=told,
    )


def _contract(form: Form) -> str:
    """The file that a form describes, read once more as a project would have it read.

    Raises: Invalid, naming the field.
    """
    text = contract_toml.render(
        Contract(
            project=form.text("project", longest=200),
            contact=form.text("contact", longest=1_000),
            packages=tuple(form.text("packages", "").split()),
            include=tuple(form.text("include", "").split()),
            exclude=tuple(form.text("exclude", "").split()),
            releases=tuple(form.text("releases", "").split()),
            reproducer=form.one("reproducer", Wanted),
            patch=form.one("patch", Wanted),
            test=form.one("test", Wanted),
            human_confirmer=form.one("human_confirmer", Wanted),
            per_week=form.number("per_week", 1, PER_WEEK_MAX),
            max_open=form.number("max_open", 1, PER_WEEK_MAX),
            paused=form.ticked("paused"),
            embargo=form.one("embargo", Embargo),
            minimum_severity=form.one("minimum_severity", Severity),
        )
    )
    try:
        contract_toml.load_contract(text.encode())
    except Faulty as error:
        field = error.faults[0].place.rpartition(" ")[2].rpartition(".")[2]
        raise Invalid(field, error.faults[0].problem) from None
    return text
