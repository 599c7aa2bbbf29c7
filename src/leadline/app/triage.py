"""One report as whoever decides on it needs it: where it stands, what it says, what replaying it showed.

Only what is asked about it elsewhere is put together here; nothing is decided.
"""

from dataclasses import dataclass

from leadline.app import contracts, evidence, reports
from leadline.app.context import Context
from leadline.app.evidence import Explained
from leadline.app.ports import maybe
from leadline.app.reports import FindingState
from leadline.core.access import Action
from leadline.core.clearing.contract import Contract
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.errors import NotFound, Refused
from leadline.core.record.act import Kind


@dataclass(frozen=True, slots=True)
class Sheet:
    """A report; *state* is None for what an assessment recorded, which nobody handed in. *contract* is None where no project's terms claim it, *replay* where nobody replayed it.

    *said* is what its finder wrote; *kept_back* says why that is not shown, if it is not. *decides*: the
    reader may move it on; *mine*: the reader handed it in.
    """

    state: FindingState | None
    finding: Finding
    replay: ReplayResult | None
    contract: Contract | None
    said: str
    kept_back: str
    explained: Explained
    decides: bool
    mine: bool


def sheet(ctx: Context, finding_id: str) -> Sheet:
    """Everything about one report that this person may read.

    Raises: NotFound, in the same words where it is not this person's to know; Denied.
    """
    explained = evidence.explain(ctx, finding_id)
    with ctx.store.read() as view:
        row = view.get(Finding, finding_id)
        replayed = maybe(view, ReplayResult, f"{finding_id}/replay")
        terms = contracts.on_file(view)
        handed = bool(view.acts(about=finding_id, kind=Kind.FINDING_SUBMITTED))
    # what replaying showed is told to whoever decides, and in its state to its finder
    decides = ctx.decision(Action.FINDING_ANSWER, row.thing("finding")).allowed
    said, kept_back = "", ""
    try:
        said = reports.description(ctx, finding_id) or row.value.observation
    except (Refused, NotFound) as error:
        kept_back = str(error)
    named = (one for one in terms if one.project == row.value.project)
    return Sheet(
        reports.state(ctx, finding_id) if handed else None,
        row.value,
        replayed.value if replayed and decides else None,
        next(named, None),
        said,
        kept_back,
        explained,
        decides,
        row.bounds.owner == ctx.principal.id,
    )
