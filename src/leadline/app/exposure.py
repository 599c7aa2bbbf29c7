"""What an operator with an account sees of its own: how it stands, and where what is public touches it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from leadline.app import check, notices, operators
from leadline.app.check import Checked, Shelved
from leadline.app.context import Context
from leadline.app.notices import Told
from leadline.app.operators import OWN, Listed
from leadline.core.access import Action, Resource
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.match import Status
from leadline.core.clearing.operator import Snapshot
from leadline.core.clearing.receipt import Answer, Shown
from leadline.core.errors import Invalid, Unavailable
from leadline.core.record.act import Act, Kind
from leadline.formats import csaf, scoring

NOWHERE = "Place not given"
UNRATED = "not rated"
BANDS = ("critical", "high", "medium", "low", UNRATED, "unknown")


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator's own: its enrolment, None before or after one; its notices and inventories, newest first."""

    enrolment: Listed | None
    ended: tuple[Listed, ...]
    notices: tuple[Told, ...]
    inventories: tuple[Snapshot, ...]

    @property
    def waiting(self) -> tuple[Told, ...]:
        """The notices that nobody has answered, in order of sending."""
        return tuple(
            one for one in reversed(self.notices) if one.receipt.state.value == "no-answer"
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, in words. *path* is where it is shown."""

    at: datetime
    what: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Lines by place and by how bad what affects them is; *unknown* where that cannot be told.

    *found* is everything that was found for the newest inventory.
    """

    snapshot: Snapshot
    sectors: tuple[str, ...]
    found: Checked
    rows: Mapping[str, Mapping[str, int]]


def desk(ctx: Context) -> Desk:
    """The caller's own operator with what concerns it.

    Raises: Denied, for whoever is no operator's person.
    """
    org = ctx.principal.org
    ctx.require(Action.INVENTORY_READ, Resource("inventory", "desk", org=org, marking=OWN))
    own = [one for one in operators.listed(ctx) if one.enrolment.org == org]
    standing = [one for one in own if one.ended is None]
    return Desk(
        standing[0] if standing else None,
        tuple(one for one in own if one.ended is not None),
        tuple(reversed(notices.listed(ctx))),
        tuple(reversed(operators.inventories(ctx))),
    )


def history(ctx: Context) -> tuple[Step, ...]:
    """What the caller's own operator gave, was told and answered, newest first. Raises: as `desk`."""
    own = desk(ctx)
    steps = list[Step]()
    for held in (*own.ended, *([own.enrolment] if own.enrolment else [])):
        steps.append(Step(held.enrolment.at, "Enrolled"))
        steps += [Step(at, "Vetted by a coordinator") for at in [held.vetted] if at]
        steps += [Step(at, "The enrolment ended") for at in [held.ended] if at]
    for one in own.inventories:
        told = f"List given: {one.name}, {one.components} lines"
        steps.append(Step(one.accepted, told, f"/operator/inventories/{one.id}"))
    with ctx.store.read() as view:
        for told_ in own.notices:
            path, which = f"/operator/notices/{told_.receipt.notice}", _which(told_)
            acts = [one.act for one in view.acts(about=told_.receipt.notice)]
            steps += [Step(act.at, _step(act, which), path) for act in acts if act.kind in _WORDS]
    return tuple(sorted(steps, key=lambda one: one.at, reverse=True))


_WORDS = {
    Kind.NOTICE_SENT: "received",
    Kind.NOTICE_OPENED: "opened",
    Kind.NOTICE_ANSWERED: "answered",
    Kind.NOTICE_CORRECTED: "corrected by a later one",
    Kind.REMEDY_PROVED: "proof given",
}
_SAID = {
    Answer.ACKNOWLEDGED: "acknowledged",
    Answer.ACTING: "being worked on",
    Answer.APPLIED: "applied, as you said",
    Answer.NOT_APPLICABLE: "does not apply here",
}
_SHOWN = {
    Shown.FIXED: "it shows the repair",
    Shown.AFFECTED: "it shows that the flaw is still there",
    Shown.UNKNOWN: "it does not tell whether it is repaired",
}


def _which(told: Told) -> str:
    """A notice by what it is about and when it was sent: two of one day may differ in hours alone."""
    sent = f"{told.receipt.sent:%Y-%m-%d %H:%M} UTC"
    return f"Notice of {sent}" + (f", {told.row.page.advisory}" if told.row else "")


def _step(act: Act, which: str) -> str:
    """What an act did, to which notice, and with which answer."""
    words = f"{which}: {_WORDS[act.kind]}"
    if act.kind is Kind.NOTICE_ANSWERED:
        words += f", “{_SAID[Answer(str(act.detail['answer']))]}”"
    if act.kind is Kind.REMEDY_PROVED:
        words += f"; {_SHOWN[Shown(str(act.detail['shown']))]}"
    return words


def exposure(ctx: Context, imported: Shelved, inventory: str = "") -> Exposure | None:
    """The newest inventory, or the one named, held against everything public; None without one.

    Raises: Denied; NotFound, for an inventory of another operator too.
    """
    own = desk(ctx)
    if not inventory and not own.inventories:
        return None
    snapshot, held = operators.inventory(ctx, inventory or own.inventories[0].id)
    found = check.check(ctx, held, imported, {})
    with ctx.store.read() as view:
        published = operators.public_advisories(view, ctx.now)
    documents = imported.feed.csaf
    rated = {
        one.id: rating(one, csaf.vectors(documents.get(one.id, {})))
        for one in imported.feed.advisories
    }
    rated |= {one.id: rating(one) for one in published}
    sectors = own.enrolment.enrolment.sectors if own.enrolment else ()
    return Exposure(snapshot, sectors, found, _rows(found, rated))


def _rows(found: Checked, rated: Mapping[str, str]) -> Mapping[str, Mapping[str, int]]:
    """By place how many lines are affected how badly, each line once; the worst places first."""
    worst = dict[str, str]()
    for one in found.verdicts:
        band = _band(one.status, rated.get(one.advisory, UNRATED))
        held = worst.get(one.asset)
        if band and (held is None or BANDS.index(band) < BANDS.index(held)):
            worst[one.asset] = band
    places = {one.ref: one.site.strip() or NOWHERE for one in found.inventory.components}
    counted = dict[str, Counter[str]]()
    for asset, band in worst.items():
        counted.setdefault(places[asset], Counter())[band] += 1
    order = sorted(counted, key=lambda place: ([-counted[place][band] for band in BANDS], place))
    return {place: {band: counted[place][band] for band in BANDS} for place in order}


def _band(status: Status, rated: str) -> str:
    """In which column a verdict counts; empty where nothing is to be done."""
    if status is Status.UNKNOWN:
        return BANDS[-1]
    return rated if status is Status.AFFECTED else ""


def rating(advisory: Advisory, vectors: Iterable[str] = ()) -> str:
    """The worst word that an assessor's score gives it; said to be not rated where there is none.

    *vectors* are those of the document it was read from.
    """
    words = [_word(one.vector) for flaw in advisory.flaws for one in flaw.scores]
    words += [_word(one) for one in vectors]
    return min(words, key=BANDS.index, default=UNRATED)


def _word(vector: str) -> str:
    """The severity of a score; one that cannot be read rates nothing."""
    try:
        word = scoring.read(vector).word.lower()
    except (Invalid, Unavailable):
        word = UNRATED
    return word if word in BANDS else "low"
