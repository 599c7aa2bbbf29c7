"""The record as an auditor reads it: acts from the newest back, one act with its proof, and what does not agree.

Looking leaves nothing behind. Acts hold digests and short words, never what the vault keeps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from leadline.app import log
from leadline.app.context import Context
from leadline.app.ports import Opened, Reading
from leadline.core.access import Action, Resource
from leadline.core.errors import Invalid, LeadlineError, NotFound, Refused, Tampered
from leadline.core.record import commitment, tlog
from leadline.core.record.act import Kind, to_record
from leadline.formats.canonical import encode
from leadline.formats.tlog_proof import ActProof

PAGE = 50
WINDOW = 1_000  # acts that one look reads
WINDOWS_MAX = 20  # looks for one page; further back is the next page


class View(StrEnum):
    """Which acts; each name is a question that an auditor asks."""

    ALL = "all"
    OPENED = "opened"
    REFUSED = "denied"
    DECISIONS = "decisions"
    LEFT = "left"
    PEOPLE = "people"


KINDS: dict[View, frozenset[Kind]] = {
    View.OPENED: frozenset(
        {
            Kind.ARTEFACT_READ,
            Kind.ARTEFACT_UNSEALED,
            Kind.UNSEALING_AUTHORISED,
            Kind.PACK_UNSEALED,
            Kind.ITEM_EXPOSED,
            Kind.RESULT_READ,
            Kind.USE_RECORDED,
            Kind.PARTNER_USED,
            Kind.NOTICE_OPENED,
        }
    ),
    View.REFUSED: frozenset(
        {
            Kind.ACCESS_DENIED,
            Kind.SIGN_IN_REFUSED,
            Kind.CREDENTIAL_REFUSED,
            Kind.USE_REFUSED,
            Kind.ARTEFACT_REFUSED,
            Kind.PUBLICATION_REFUSED,
            Kind.SHREDDING_REFUSED,
            Kind.SCORE_REFUSED,
            Kind.VERDICT_REFUSED,
            Kind.LOG_SIGNING_REFUSED,
            Kind.BUNDLE_REFUSED,
        }
    ),
    View.DECISIONS: frozenset(
        {
            Kind.DECISION_ADVANCED,
            Kind.DETERMINATION_PROPOSED,
            Kind.DETERMINATION_CONCURRED,
            Kind.DETERMINATION_DISSENTED,
            Kind.DETERMINATION_RECORDED,
            Kind.DETERMINATION_CORRECTED,
            Kind.OFFICIAL_RECUSED,
            Kind.APPROVAL_ASKED,
            Kind.APPROVAL_GIVEN,
        }
    ),
    View.LEFT: frozenset(
        {
            Kind.EXPORT_MADE,
            Kind.REFERRAL_MADE,
            Kind.RESULT_SENT,
            Kind.REPORT_SENT,
            Kind.JOINT_PACK_MADE,
            Kind.CASE_RELAYED,
            Kind.ARTEFACT_PUBLISHED,
            Kind.ADVISORY_PUBLISHED,
            Kind.NOTICE_SENT,
        }
    ),
    View.PEOPLE: frozenset(
        {
            Kind.PRINCIPAL_ENROLLED,
            Kind.PRINCIPAL_SUSPENDED,
            Kind.PRINCIPAL_RESTORED,
            Kind.PRINCIPAL_RENEWED,
            Kind.PRINCIPAL_ENDED,
            Kind.PRINCIPAL_APPOINTED,
            Kind.PRINCIPAL_DISMISSED,
            Kind.ORGANISATION_FOUNDED,
            Kind.DELEGATION_GIVEN,
            Kind.DELEGATION_ENDED,
            Kind.GRANT_GIVEN,
            Kind.GRANT_ENDED,
            Kind.PERSON_INVITED,
            Kind.RECOVERY_BEGUN,
            Kind.RECOVERY_USED,
            Kind.RECOVERY_CALLED_OFF,
            Kind.KEY_REGISTERED,
            Kind.KEY_ENDED,
            Kind.CREDENTIAL_ISSUED,
            Kind.CREDENTIAL_REVOKED,
            Kind.SESSION_REVOKED,
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; an empty text asks for nothing. *before* is the leaf to go back from."""

    view: View = View.ALL
    kind: str = ""
    actor: str = ""
    about: str = ""
    engagement: str = ""
    before: int | None = None

    def admits(self, one: Opened) -> bool:
        """Whether this act is one of them."""
        act = one.act
        return (
            (self.view is View.ALL or act.kind in KINDS[self.view])
            and self.kind in {"", act.kind.value}
            and self.actor in {"", act.actor}
            and self.about in {"", act.about}
            and self.engagement in {"", act.engagement}
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Acts, the newest first. *further* is the leaf to go on from, None at the beginning of the log."""

    acts: tuple[Opened, ...]
    further: int | None
    size: int


def acts(ctx: Context, wanted: Wanted) -> Page:
    """The newest acts that are looked for.

    A page may hold fewer than there is room for, where what is looked for is rare; it then says from
    where to go on.

    Raises: Denied; Invalid, for a kind that there is not.
    """
    ctx.require(Action.RECORD_READ, log.LOG)
    if wanted.kind and wanted.kind not in set(Kind):
        raise Invalid("kind", f"{wanted.kind!r:.60} is no kind of act")
    found = list[Opened]()
    with ctx.store.read() as view:
        size = view.log_size()
        end = size if wanted.before is None else min(max(wanted.before, 0), size)
        for _ in range(WINDOWS_MAX):
            if end <= 0:
                break
            start = max(0, end - WINDOW)
            for one in reversed(view.acts(since=start, most=end - start)):
                if wanted.admits(one):
                    found.append(one)
                    if len(found) == PAGE:
                        return Page(tuple(found), one.index or None, size)
            end = start
    return Page(tuple(found), end or None, size)


@dataclass(frozen=True, slots=True)
class Shown:
    """One act. *proof* is None while no signed head covers it, which *why* then says."""

    opened: Opened
    proof: ActProof | None
    why: str = ""


def one(ctx: Context, act_id: str) -> Shown:
    """One act with its proof.

    Raises: Denied; NotFound.
    """
    ctx.require(Action.RECORD_READ, log.LOG)
    with ctx.store.read() as view:
        opened = view.act(act_id)
    about = opened.act.engagement
    ctx.require(Action.RECORD_READ, Resource("record", about or "log", about))
    try:
        return Shown(opened, log.prove(ctx, act_id))
    except Refused as error:
        return Shown(opened, None, str(error))


@dataclass(frozen=True, slots=True)
class Consistency:
    """The hashes that show one head of the log to be a beginning of another."""

    old: int
    new: int
    hashes: tuple[bytes, ...]


def consistency(ctx: Context, old: int, new: int) -> Consistency:
    """A proof between two sizes of the log, of which the larger was signed. Anybody may have it.

    Raises: Invalid; NotFound, for a size that was never signed.
    """
    last = log.latest(ctx)
    if last is None or new > last.head.size:
        raise NotFound("no signed head is that large")
    if not 1 <= old <= new:
        raise Invalid("old", "give two sizes, the smaller one first, from 1 on")
    with ctx.store.read() as view:
        return Consistency(old, new, view.consistency(old, new))


@dataclass(frozen=True, slots=True)
class Agreement:
    """One thing that must agree between record, log and what is published: whether it does, in words."""

    what: str
    holds: bool
    told: str


def agreements(ctx: Context) -> tuple[Agreement, ...]:
    """Whether record, log, signed head and published folder agree. Nothing is mended here.

    Raises: Denied.
    """
    ctx.require(Action.RECORD_READ, log.LOG)
    with ctx.store.read() as view:
        found = [_leaves(view), *_signed(ctx, view)]
    shown = ctx.outlet.shown() if ctx.outlet else b""
    kept = ctx.outlet.last() if ctx.outlet else b""
    told = "the published folder shows the head signed last" if shown == kept else _PUBLISH
    return (*found, Agreement("Published folder", shown == kept, told))


_PUBLISH = "the published folder shows another head than the one signed last; publish the log again"


def _leaves(view: Reading) -> Agreement:
    what = "Acts and entries"
    try:
        held = view.acts()
        for each in held:
            record = encode(to_record(each.act))
            commitment.entry(commitment.commit(each.blinder, record))
    except Tampered as error:
        return Agreement(what, holds=False, told=str(error))
    size = view.log_size()
    told = f"{len(held)} acts open {size} entries of the log"
    return Agreement(what, len(held) == size, told)


def _signed(ctx: Context, view: Reading) -> Iterator[Agreement]:
    what = "Signed head"
    try:
        last = log.latest(ctx)
        if last is None:
            yield Agreement(what, holds=True, told="nothing was signed yet")
            return
        size = view.log_size()
        if last.head.size > size:
            raise Tampered("log", f"{last.head.size} entries were signed and {size} stand here")
        hashes = view.consistency(last.head.size, size)
        if last.head.size:
            tlog.verify_consistency(last.head.size, size, hashes, last.head.root, view.log_root())
    except LeadlineError as error:
        yield Agreement(what, holds=False, told=str(error))
        return
    behind = size - last.head.size
    yield Agreement(what, holds=True, told=f"the log continues it; {behind} entries came since")
