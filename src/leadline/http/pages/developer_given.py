"""What is handed over: a submission, checked first without a trace; results with receipts; evidence for others."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Response

from leadline.app import exports, results, terms
from leadline.app import submission as use
from leadline.core.engagement.inquiry import UNKNOWN, WORDS, Form
from leadline.core.engagement.submission import FORMS, Fact, Part
from leadline.core.record.act import Kind
from leadline.http.api import shell
from leadline.http.pages.developer_place import place, shown
from leadline.http.pages.form import Form as Sent
from leadline.http.pages.frame import SAID, WAYS, Me, Posted, Visit, Way, again
from leadline.wiring import handed

ROUTES = APIRouter()
SAID["submission-offered"] = "Offered. Each file has its receipt in the record."
SAID["result-recalled"] = "Recalled. Whoever read it before keeps what was read."
shell.LARGER["/engagements/"] = handed.BYTES_MAX + (1 << 20)
FILES = 8
PURPOSE = "assessment"
LABELS: Mapping[Fact, tuple[str, str]] = {
    Fact.MODEL: ("What is the model called?", ""),
    Fact.WEIGHTS_VERSION: ("Which weights version?", "Your own name for it."),
    Fact.VARIANT: ("In which form?", ""),
    Fact.CONTACT: ("Who can be asked?", "A name and an address."),
    Fact.PARTNER_DATE: (
        "When do you plan the first release to another trusted partner?",
        "Such as 2027-01-15.",
    ),
    Fact.PUBLIC_DATE: (
        "When do you plan the public release?",
        "Such as 2027-01-15. It is no date of the order.",
    ),
    Fact.TRAINING_OPERATIONS: ("About how many operations did its training take?", "Such as 3e25."),
    Fact.DATA_LOCATION: ("Where may what you give be kept?", ""),
    Fact.RETENTION_DAYS: ("For how many days after the end of access?", "A whole number."),
}


@ROUTES.get("/engagements/{engagement}/submission")
def submission(me: Me, engagement: str) -> Response:
    """The form of a submission, and what was offered so far."""
    return _submission(me, engagement, ())


def _submission(me: Visit, engagement: str, rows: Sequence[object], note: str = "") -> Response:
    at = place(me, engagement)
    return shown(
        me,
        at,
        "submission",
        rows=rows,
        note=note,
        facts=[(fact.value, *LABELS[fact], _words(fact)) for fact in Fact],
        parts_of=[(part.value, part.value.replace("-", " ")) for part in Part],
        numbers=range(1, FILES + 1),
        terms=terms.held(me.ctx, at.on).effective,
        offered=[act for act in at.stands.acts if act.kind is Kind.SUBMISSION_OFFERED],
    )


def _words(fact: Fact) -> list[tuple[str, str]]:
    """The words that a fact is one of; none, where it is said freely."""
    offered = WORDS.get(FORMS.get(fact, Form.TEXT), ())
    return [(one, one.replace("-", " ")) for one in (*offered, UNKNOWN)] if offered else []


@ROUTES.post("/engagements/{engagement}/submission/check")
@again(submission)
def check(me: Posted, engagement: str) -> Response:
    """A test: what each text speaks of and whether it is there. It leaves no record."""
    on = me.desk.dealings(engagement)
    with handed.gathered(_facts(me.form), _files(me.form)) as folder:
        rows, note = use.checked(me.ctx, on, folder.pack())
    return _submission(me, engagement, rows, note)


@ROUTES.post("/engagements/{engagement}/submission")
@again(submission)
def offer(me: Posted, engagement: str) -> Response:
    """Deposit what was chosen under the terms in effect."""
    on = me.desk.dealings(engagement)
    with handed.gathered(_facts(me.form), _files(me.form)) as folder:
        use.offer(me.ctx, on, folder.pack(), folder.content)
    return me.go(f"/engagements/{on.id}/submission", said="submission-offered")


def _facts(form: Sent) -> Mapping[Fact, str]:
    return {fact: form.text(fact.value, "") for fact in Fact if form.text(fact.value, "")}


def _files(form: Sent) -> list[handed.Given]:
    """The files that were chosen, each with the field it came by and the part it was said to be."""
    found = list[handed.Given]()
    for number in range(1, FILES + 1):
        file = form.files.get(f"file-{number}")
        if file is not None and file.data:
            said = form.text(f"part-{number}", "")
            part = form.one(f"part-{number}", Part) if said else None
            found.append(handed.Given(f"file-{number}", file.name, file.data, part))
    return found


@ROUTES.get("/engagements/{engagement}/receipts")
def receipts(me: Me, engagement: str) -> Response:
    """Every result of an engagement, who read it when, and who was refused."""
    at = place(me, engagement)
    return shown(me, at, "receipts", found=results.receipts(me.ctx, at.on))


@ROUTES.post("/engagements/{engagement}/recalls")
def recall(me: Posted, engagement: str) -> Response:
    """Take back what one's own side sent."""
    on = me.desk.dealings(engagement)
    results.recall(me.ctx, on, me.form.text("result"))
    return me.go(f"/engagements/{on.id}/receipts", said="result-recalled")


@ROUTES.get("/results")
def received(me: Me) -> Response:
    """What was sent to this person."""
    purposes = [(one.id, one.id) for one in terms.purposes().all if not one.never]
    return me.page(
        "developer/results.html.j2",
        found=results.listed(me.ctx),
        now=me.ctx.now,
        purposes=purposes,
        purpose=PURPOSE,
    )


@ROUTES.post("/results/{result}/reading")
@again(received)
def read(me: Posted, result: str) -> Response:
    """Read a result; that it was read, and for what, is on record before a byte is handed out."""
    one, data = results.read(me.ctx, result, me.form.text("purpose"))
    return handed_out(data, one.name)


@ROUTES.get("/engagements/{engagement}/exports")
def around(me: Me, engagement: str) -> Response:
    """What left the engagement as evidence, and a form to take evidence out."""
    at = place(me, engagement)
    purposes = [(one.id, one.id) for one in terms.purposes().all if not one.never]
    return shown(me, at, "exports", found=exports.around(me.ctx, at.on), purposes=purposes)


@ROUTES.post("/engagements/{engagement}/exports")
@again(around)
def export(me: Posted, engagement: str) -> Response:
    """Evidence of the engagement as one signed folder, in a ZIP file."""
    on, form = me.desk.dealings(engagement), me.form
    data = handed.exported(
        me.ctx, on, to=form.text("recipient", longest=200), purpose=form.text("purpose")
    )
    return handed_out(data, f"evidence-{on.id}.zip")


def handed_out(data: bytes, name: str) -> Response:
    """A file to keep, never one to show: what is in it came from elsewhere."""
    plain = "".join(
        one if one.isascii() and (one.isalnum() or one in "-._") else "_" for one in name
    )
    headers = {"content-disposition": f'attachment; filename="{plain or "file"}"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


WAYS.append(Way("Results", "/results", frozenset({"trusted-partner"})))
