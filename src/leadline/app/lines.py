"""What lists show of what the store holds, each from the value and from what is recorded of it.

Nothing here is content that a reader of the row itself would not be given: a line stands under the access
facts of its row. A finding's model and words, a case's contacts and an inventory's parts are in no line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadline.app import sharing
from leadline.app.ports import SHARING, Line, Reading, Shared, Stored, Wanted
from leadline.core.clause import EVERYTHING, Fact, one_of
from leadline.core.clearing import report
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.case import Standing, in_log_order
from leadline.core.clearing.case import standing as computed
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.case_words import Running
from leadline.core.clearing.directory import Project
from leadline.core.clearing.disclosure import Disclosure, text
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.fix import Fix
from leadline.core.clearing.operator import Enrolment, Snapshot, roll
from leadline.core.clearing.published import Issued
from leadline.core.engagement.engagement import Engagement, State
from leadline.core.engagement.engagement import standing as standing_under
from leadline.core.engagement.library import Library
from leadline.core.errors import Invalid, NotFound
from leadline.core.record.act import Act, Kind

OPEN, PUBLIC, CLOSED = "open", "public", "closed"
PUBLISHED, WITHDRAWN = "published", "withdrawn"
ENROLLED, VETTED, ENDED = "enrolled", "vetted", "ended"
# What an engagement's word and the end of its access follow from.
DATED = (
    Kind.INQUIRY_LODGED,
    Kind.ANCHOR_SET,
    Kind.TERMS_AGREED,
    Kind.ACCESS_OPENED,
    Kind.ACCESS_EXTENDED,
    Kind.ACCESS_ENDED,
    Kind.DETERMINATION_RECORDED,
    Kind.ENGAGEMENT_ENDED,
    Kind.ENGAGEMENT_WITHDRAWN,
    Kind.REGIME_ADDED,
)
STEPS = (
    Kind.FINDING_SUBMITTED,
    Kind.FINDING_RECORDED,
    Kind.FINDING_MOVED,
    Kind.FINDING_REPLAYED,
    Kind.FINDING_WITHDRAWN,
)
OF_CASE = (
    "case.",
    "participant.",
    "status.",
    "disclosure.",
    "embargo.",
    "clock.",
    "fix.",
    "advisory.",
)
OF_OPERATOR = (Kind.OPERATOR_VETTED, Kind.OPERATOR_ENDED)


@dataclass(frozen=True, slots=True)
class Shown:
    """`leadline.app.ports.Lines` of this installation. *library* is asked when an engagement is shown."""

    library: Callable[[], Library]
    version: str = "1"
    # Advisories before cases: whether a case is public is read from the list of them.
    kinds: tuple[type, ...] = (
        Engagement,
        Issued,
        CaseFile,
        Finding,
        Enrolment,
        Snapshot,
        Project,
    )

    def line(  # noqa: PLR0911 -- one for each kind
        self, view: Reading, row: Stored[object]
    ) -> Line:
        """What is shown of it."""
        match row.value:
            case Engagement() as value:
                return _engagement(view, value, self.library)
            case CaseFile() as value:
                return _case(view, value)
            case Finding() as value:
                return _finding(view, row.id, value)
            case Issued() as value:
                return _advisory(view, value)
            case Enrolment() as value:
                return _operator(view, value)
            case Snapshot() as value:
                return Line(value.name, opened=value.accepted, changed=value.taken)
            case Project() as value:
                words = " ".join((*value.packages, *value.owners))
                return Line(value.name, words, changed=value.answered)
            case _:
                raise TypeError(type(row.value).__name__)

    def changed_by(self, act: Act) -> Sequence[tuple[type, str]]:
        """Whose line it changes."""
        if act.kind in DATED and act.engagement:
            return [(Engagement, act.engagement)]
        if act.kind in STEPS:
            return [(Finding, act.about)]
        if act.kind in OF_OPERATOR:
            return [(Enrolment, act.about)]
        if act.kind.startswith(OF_CASE):
            case = text(act, "case") or act.about
            return [(CaseFile, case)] if case.startswith("case-") else []
        return []

    def shared(self, view: Reading, act: Act) -> Sequence[Shared] | None:
        """What programs fetch of the advisory that the act is about."""
        return sharing.given(view, act) if act.kind in SHARING else None


def _engagement(view: Reading, value: Engagement, library: Callable[[], Library]) -> Line:
    opened = [one for kind in DATED for one in view.acts(engagement=value.id, kind=kind)]
    acts = in_log_order((one.index, one.act) for one in opened)
    last = acts[-1].at if acts else value.opened_at
    words = f"{value.developer} {value.regime}"
    word, later, ends = _word(value, acts, library, last)
    return Line(value.model, words, word, later, value.regime, value.opened_at, last, ends)


def _word(
    value: Engagement, acts: Sequence[Act], library: Callable[[], Library], last: datetime
) -> tuple[str, str, datetime | None]:
    """The word that is shown, the one from the end of access on, and that end."""
    try:
        stands = standing_under(value, library(), acts)
        word = stands.word(last)
    except (NotFound, Invalid):
        # Its regime's text is gone, or an act cannot be read: the list still has it, without a word that
        # might be wrong, and what is written now is not refused for it.
        return "", "", None
    if word is not State.ACCESS_OPEN:
        return word, "", None
    ends = max(one.ends for one in stands.open_windows(last).values() if one.ends)
    return word, stands.word(ends), ends


def _case(view: Reading, value: CaseFile) -> Line:
    stands = _standing(view, value.id)
    products = [purl for party in value.parties for purl in party.products]
    words = " ".join((*value.foreign, *products, *(party.name for party in value.parties)))
    if stands is None:
        return Line(value.title, words, OPEN)
    last = stands.acts[-1].at
    published = Wanted(EVERYTHING, last, groups=frozenset({value.id}), limit=1)
    public = stands.public is not None or bool(view.page(Issued, published))
    state = CLOSED if stands.closed_at else PUBLIC if public else OPEN
    due = None if stands.closed_at else _due(stands, last)
    return Line(value.title, words, state, "", stands.disclosure.id, stands.opened_at, last, due)


def _due(stands: Standing, now: datetime) -> datetime | None:
    """The next date that nothing has met yet, or that passed without."""
    over = {Running.MET, Running.PAUSED}
    dates = [one.at for one in stands.clocks(now) if one.at is not None and one.state not in over]
    return min(dates, default=None)


def _standing(view: Reading, case_id: str) -> Standing | None:
    """What the case's own acts and those of its fixes amount to; None where it was never opened here."""
    fixes = view.find(Fix, visible=one_of(Fact.CASE, [case_id]))
    opened = [
        *view.acts(about=case_id),
        *(one for fix in fixes for one in view.acts(about=fix.id, kind=Kind.FIX_MOVED)),
    ]
    acts = in_log_order((one.index, one.act) for one in opened)
    chosen = [text(act, "digest") for act in acts if act.kind is Kind.DISCLOSURE_CHOSEN]
    if not chosen:
        return None
    found: Standing | None
    try:
        found = computed(acts, {one: view.get(Disclosure, one).value for one in chosen})
    except (NotFound, Invalid):  # as for an engagement
        found = None
    return found


def _finding(view: Reading, id_: str, value: Finding) -> Line:
    opened = view.acts(about=id_)
    stands = report.standing(one.act for one in opened)
    words = " ".join((value.purl, value.cwe, *value.ids, value.project, value.family))
    if stands is None:
        return Line(value.title, words, "", "", value.severity, value.at, value.at)
    return Line(
        value.title,
        words,
        stands.stage,
        "",
        value.severity,
        stands.at,
        stands.steps[-1].at,
    )


def _advisory(view: Reading, value: Issued) -> Line:
    advisory = view.get(Advisory, value.advisory).value
    names = [name for flaw in advisory.flaws for name in (*flaw.ids, flaw.cwe, flaw.title)]
    packages = [package.purl() for package in advisory.packages]
    words = " ".join((advisory.id, *names, *packages))
    state = WITHDRAWN if value.withdrawn else PUBLISHED
    last = advisory.revisions[-1].at
    return Line(advisory.title, words, state, "", value.case, value.at, last)


def _operator(view: Reading, value: Enrolment) -> Line:
    acts = [one.act for kind in OF_OPERATOR for one in view.acts(about=value.id, kind=kind)]
    known = roll(acts)
    ended, vetted = known.ended.get(value.id), known.vetted.get(value.id)
    state = ENDED if ended else VETTED if vetted else ENROLLED
    words = " ".join((value.org, *value.sectors))
    last = max(one for one in (value.at, vetted, ended) if one)
    return Line(value.name, words, state, "", value.sectors[0], value.at, last)
