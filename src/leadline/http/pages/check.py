"""A list of what somebody runs, held against everything public: without an account, and kept nowhere.

The list goes back into the form where it is small enough, so that questions can be answered; a longer
one is chosen again. No row, no file and no act comes of it.
"""

from base64 import b64decode, b64encode
from binascii import Error

from fastapi import APIRouter, Response

from leadline.core.errors import Invalid
from leadline.http.api import shell
from leadline.http.pages.form import File, Form
from leadline.http.pages.frame import WAYS, Anyone, Sent, Visit, Way, again
from leadline.wiring import check as wiring

ROUTES = APIRouter()
WAYS.append(Way("Check a list", "/check"))
shell.LARGER["/check"] = wiring.BYTES_MAX + (1 << 20)
CARRIED_MAX = 512 << 10
QUESTIONS_SHOWN = 60
UNNAMED_SHOWN = 200
LINES_READ = 3
SAID_MAX = 100
EXPOSED = ("yes", "no", "unknown")


@ROUTES.get("/check")
def check_page(visit: Anyone) -> Response:
    """Where a list is pasted or chosen."""
    return visit.page("check/form.html.j2")


@ROUTES.post("/check")
@again(check_page)
def check(visit: Sent) -> Response:
    """What the list means, at once; or the question what its columns mean."""
    given, wanted = _list(visit.form), _wanted(visit.form)
    everybody = visit.portal.door.nobody()  # an account changes nothing about what is public
    try:
        found = wiring.result(everybody, visit.portal.home, given.data, given.name, wanted)
    except wiring.Unclear as error:
        return _columns(visit, error, given, wanted)
    except Invalid as error:
        field = error.field if error.field in {"list", "call"} else "list"
        raise Invalid(field, f"{error.problem} ({error.field})") from None
    posed = found.found.posed
    still = [one for one in posed if not one.answer]
    return visit.page(
        "check/result.html.j2",
        result=found,
        counts=found.found.counts(),
        posed=still[:QUESTIONS_SHOWN],
        answered=[one for one in posed if one.answer],
        left=max(len(still) - QUESTIONS_SHOWN, 0),
        read=found.found.inventory.components[:LINES_READ],
        unnamed=found.unnamed[:UNNAMED_SHOWN],
        name=given.name,
        carried=_carried(given),
        wanted=wanted,
        meanings=wiring.MEANINGS,
    )


def _columns(visit: Visit, error: wiring.Unclear, given: File, wanted: wiring.Wanted) -> Response:
    """The question what the columns mean; a fault only where it was answered before."""
    visit.fault = error if visit.form.ticked("columns") else None
    return visit.page(
        "check/columns.html.j2",
        titles=error.titles,
        name=given.name,
        carried=_carried(given),
        wanted=wanted,
        meanings=wiring.MEANINGS,
    )


def _carried(given: File) -> str:
    """The list as a form carries it; empty for one that is too long to travel."""
    return b64encode(given.data).decode() if len(given.data) <= CARRIED_MAX else ""


def _list(form: Form) -> File:
    """The list: a file, what was pasted, or what the form carries from the page before.

    Raises: Invalid, naming the field.
    """
    chosen, carried = form.files.get("file"), form.text("carried", "", longest=CARRIED_MAX * 2)
    if chosen is not None and chosen.data and form.text("list", "", longest=8 << 20):
        raise Invalid(
            "list", "is here twice, pasted and as a file; give one, or press again for this one"
        )
    if carried and (chosen is None or not chosen.data):
        try:
            return File(form.text("name", "list", longest=200), b64decode(carried, validate=True))
        except (Error, ValueError):
            raise Invalid("list", "did not come back whole; give it again") from None
    return form.file_or_text("file", "list")


def _wanted(form: Form) -> wiring.Wanted:
    headings = {one: form.text(f"column-{one}", "", longest=1_000) for one in wiring.MEANINGS}
    answers = {
        name.removeprefix("answer-"): said
        for name in form.fields
        if name.startswith("answer-") and (said := _answer(form, name))
    }
    exposed = form.text("exposed", "unknown", longest=SAID_MAX)
    if exposed not in EXPOSED:
        raise Invalid("exposed", f"is one of: {', '.join(EXPOSED)}")
    call = " ".join(form.text("call", "", longest=200).split())
    meant = {meaning: title for meaning, title in headings.items() if title}
    return wiring.Wanted(meant, answers, exposed, call, form.ticked("headless"))


def _answer(form: Form, name: str) -> str:
    """Yes, no, or a release that was typed beside; a release says more."""
    key = name.removeprefix("answer-")
    release = form.text(f"release-{key}", "", longest=SAID_MAX)
    return release or form.text(name, "", longest=SAID_MAX)
