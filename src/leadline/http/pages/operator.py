"""Pages of an operator with an account: what waits, one notice, lists, where it is touched, and the end."""

from collections.abc import Iterator, Mapping

from fastapi import APIRouter, Response

from leadline.app import exposure, notices, operators
from leadline.app.exposure import BANDS
from leadline.app.operators import Stated
from leadline.core.clearing.operator import CHANGES_MAX, SERVES_MAX, Exposure, Mode
from leadline.core.clearing.receipt import Answer, Proof, Shown
from leadline.core.errors import Invalid, NotFound
from leadline.core.marking import Tlp
from leadline.http.api import shell
from leadline.http.pages.filters import moment
from leadline.http.pages.form import Form
from leadline.http.pages.frame import SAID, WAYS, Me, Posted, Visit, Way, again
from leadline.http.pages.start import CARDS, Card
from leadline.wiring import check

ROUTES = APIRouter()
WAYS.append(Way("My systems", "/operator", frozenset({"operator"})))
WAYS.append(Way("Notices", "/operator/notices", frozenset({"operator"})))
shell.LARGER["/operator/inventories"] = operators.INVENTORY_BYTES_MAX + (1 << 20)
shell.LARGER["/operator/notices"] = 2 << 20
CARDS_MAX = 5
LINES_SHOWN = 500
FAULTS_SHOWN = 50
STATES: Mapping[str, str] = {
    "no-answer": "no answer yet",
    "acknowledged": "acknowledged",
    "acting": "being worked on",
    "not-applicable": "does not apply here",
    "applied": "applied, as you said",
    "verified-applied": "applied, and shown",
    "reverted": "affected again",
}
REACHED: Mapping[Exposure, str] = {Exposure.PUBLIC: "yes", Exposure.INTERNAL: "no"}
SHOWN: Mapping[Shown, str] = {
    Shown.FIXED: "proof-given",
    Shown.AFFECTED: "proof-affected",
    Shown.UNKNOWN: "proof-unclear",
}
SHARING: Mapping[Tlp, str] = {
    Tlp.RED: "for you alone",
    Tlp.AMBER_STRICT: "for your organisation alone",
    Tlp.AMBER: "for your organisation and whoever it works for",
    Tlp.GREEN: "not for the public",
    Tlp.CLEAR: "for anybody",
}
STAGES: Mapping[str, str] = {
    "mitigation": "before publication: what you can do",
    "advance": "before publication: a repaired release is coming",
    "published": "published",
}
SAID.update(
    {
        "enrolled": "Enrolled. A coordinator of another organisation vets you; nothing is due from you.",
        "enrolment-ended": "The enrolment has ended. What you gave stays sealed.",
        "answered": "Your answer is on record.",
        "inventory-given": "The list is accepted. What is public was compared with it.",
        "proof-given": "What you showed counts: the notice is settled by it.",
        "proof-affected": "What you showed is still affected. It is on record, and the notice stays open.",
        "proof-unclear": "What you showed does not tell whether it is repaired. It is on record, and the"
        " notice stays open: give a newer list, or what the check printed with its line “Version: …”.",
    }
)


def waiting(me: Visit) -> Iterator[Card]:
    """Notices that wait for the operator's answer, and an enrolment that is still to be made."""
    if "operator" not in me.roles:
        return
    own = exposure.desk(me.ctx)
    if own.enrolment is None:
        told = "Enrol your organisation and give a list; then you are told of what touches it."
        yield Card("My systems", told, "/operator/enrolment")
    for one in own.waiting[:CARDS_MAX]:
        state = STATES[one.receipt.state.value]
        told = f"Sent {moment(one.receipt.sent)}; {state}."
        yield Card(
            "A notice about what you run", told, f"/operator/notices/{one.receipt.notice}", 1
        )


CARDS.append(waiting)


@ROUTES.get("/operator")
def home(me: Me) -> Response:
    """What waits for an answer, first; then how one stands."""
    return me.page("operator/home.html.j2", desk=exposure.desk(me.ctx), states=STATES)


@ROUTES.get("/operator/enrolment")
def enrolment_page(me: Me) -> Response:
    """How the organisation is enrolled, or the form to ask for it."""
    return me.page(
        "operator/enrolment.html.j2",
        desk=exposure.desk(me.ctx),
        sectors=[(one.id, one.title) for one in notices.sectors().values()],
        terms={mode.value: operators.terms(mode) for mode in Mode},
    )


@ROUTES.post("/operator/enrolment")
@again(enrolment_page)
def enrol(me: Posted) -> Response:
    """Enrol one's own organisation."""
    form = me.form
    stated = Stated(
        form.text("name"),
        form.many("sectors"),
        form.number("serves", 0, SERVES_MAX),
        form.one("exposure", Exposure),
        form.number("changes", 0, CHANGES_MAX),
        form.text("contact"),
        form.one("mode", Mode),
        tuple(form.text("competes", "").split("\n")) if form.text("competes", "") else (),
    )
    operators.enrol(me.ctx, stated, tuple(notices.sectors()))
    return me.go("/operator", said="enrolled")


@ROUTES.post("/operator/enrolment/end")
@again(enrolment_page)
def end(me: Posted) -> Response:
    """End it."""
    reason = me.form.text("reason")
    held = exposure.desk(me.ctx).enrolment
    if held is None:
        raise NotFound(operators.UNKNOWN_THING)
    operators.end(me.ctx, held.enrolment.id, reason)
    return me.go("/operator", said="enrolment-ended")


@ROUTES.get("/operator/inventories")
def inventories(me: Me) -> Response:
    """The lists that were given, and the form for a newer one."""
    return me.page("operator/inventories.html.j2", desk=exposure.desk(me.ctx))


@ROUTES.post("/operator/inventories")
@again(inventories)
def give(me: Posted) -> Response:
    """Give a list; notices of what is public are held against it at once."""
    form = me.form
    given = form.file_or_text("file", "list")
    taken = form.moment("taken") if form.text("taken", "") else None
    try:
        made = operators.give(me.ctx, given.data, given.name, taken)
    except Invalid as error:
        field = "taken" if error.field == "taken" else "list"
        raise Invalid(field, f"{error.problem}") from None
    notices.recheck(me.ctx, made.snapshot.id)
    return me.go(f"/operator/inventories/{made.snapshot.id}", said="inventory-given")


@ROUTES.get("/operator/inventories/{inventory}")
def inventory(inventory: str, me: Me) -> Response:
    """One list as it was understood, and what public advisories mean for it."""
    found = exposure.exposure(me.ctx, check.imported(me.portal.home), inventory)
    assert found is not None  # noqa: S101 -- one was named
    lines = found.found.inventory.components
    return me.page(
        "operator/inventory.html.j2",
        snapshot=found.snapshot,
        counts=found.found.counts(),
        faults=found.found.faults[:FAULTS_SHOWN],
        lines=lines[:LINES_SHOWN],
        left=max(len(lines) - LINES_SHOWN, 0),
        verdicts=_by_line(found),
        advisories=found.found.advisories,
        against=check.against(found.found),
    )


@ROUTES.get("/operator/inventories/{inventory}/sheets")
def sheets(inventory: str, me: Me) -> Response:
    """What a list means, to print: all places on one sheet, and one sheet for each."""
    found = exposure.exposure(me.ctx, check.imported(me.portal.home), inventory)
    assert found is not None  # noqa: S101 -- one was named
    held = exposure.desk(me.ctx).enrolment
    wanted = check.Wanted(
        exposed=REACHED.get(held.enrolment.exposure, "unknown") if held else "unknown",
        call=held.enrolment.contact if held else "",
    )
    made = check.sheets(me.ctx, me.portal.home, found.found, wanted)
    return me.page("operator/sheets.html.j2", snapshot=found.snapshot, sheets=made)


def _by_line(found: exposure.Exposure) -> Mapping[str, tuple[str, ...]]:
    told: dict[str, tuple[str, ...]] = {}
    for one in found.found.verdicts:
        name = "" if one.advisory == "*" else f"{one.advisory}: "
        said = f"{name}{one.status.value.replace('_', ' ')}. {one.ask or one.why}"
        told[one.asset] = (*told.get(one.asset, ()), said)
    return told


@ROUTES.get("/operator/exposure")
def exposed(me: Me) -> Response:
    """Where what is public touches what one runs: a picture by place, and its numbers."""
    found = exposure.exposure(me.ctx, check.imported(me.portal.home))
    rows = found.rows if found else {}
    table = [("Place", *BANDS), *((place, *one.values()) for place, one in rows.items())]
    own = exposure.desk(me.ctx)
    return me.page("operator/exposure.html.j2", found=found, table=table, desk=own)


@ROUTES.get("/operator/exposure.svg")
def exposed_picture(me: Me) -> Response:
    """The picture alone."""
    from leadline.render.exposure import exposure_map

    found = exposure.exposure(me.ctx, check.imported(me.portal.home))
    drawn = exposure_map(found.rows if found else {}, BANDS)
    return Response(drawn, media_type="image/svg+xml")


@ROUTES.get("/operator/history")
def history(me: Me) -> Response:
    """What was given, told and answered, newest first."""
    return me.page("operator/history.html.j2", steps=exposure.history(me.ctx))


@ROUTES.get("/operator/notices")
def listed(me: Me) -> Response:
    """Every notice: those that wait for an answer first."""
    return me.page(
        "operator/notices.html.j2", desk=exposure.desk(me.ctx), states=STATES, stages=STAGES
    )


@ROUTES.get("/operator/notices/{notice}")
def notice(notice: str, me: Me) -> Response:
    """One notice; that it was opened is put on record."""
    told = notices.show(me.ctx, notice)
    if told.row is None:
        raise NotFound(operators.UNKNOWN_THING)
    return me.page(
        "operator/notice.html.j2",
        told=told,
        row=told.row,
        states=STATES,
        stages=STAGES,
        sharing=SHARING,
    )


@ROUTES.post("/operator/notices/{notice}/answers")
@again(notice)
def answer(notice: str, me: Posted) -> Response:
    """Say what one does about it."""
    said = me.form.one("said", Answer)
    notices.answer(me.ctx, notice, said, me.form.text("why", ""))
    return me.go(f"/operator/notices/{notice}", said="answered")


@ROUTES.post("/operator/notices/{notice}/proofs")
@again(notice)
def prove(notice: str, me: Posted) -> Response:
    """Show that it is repaired: by a newer list, by words of a check, or by an artefact's digest."""
    how, evidence = _evidence(me.form)
    try:
        _, shown, _ = notices.prove(me.ctx, notice, how, evidence)
    except Invalid as error:
        raise Invalid("sha256" if how is Proof.ARTEFACT else "output", error.problem) from None
    return me.go(f"/operator/notices/{notice}", said=SHOWN[shown])


def _evidence(form: Form) -> tuple[Proof, str]:
    how = form.one("how", Proof)
    if how is Proof.INVENTORY:
        return how, ""
    field = "output" if how is Proof.CHECK else "sha256"
    return how, form.text(field)
