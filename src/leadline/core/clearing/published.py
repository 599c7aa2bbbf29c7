"""When an advisory may become public, and how it changes afterwards: by a further revision, never silently."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from leadline.core.clearing.advisory import Advisory, Revision
from leadline.core.errors import Invalid, Refused
from leadline.core.marking import Tlp

REASON_MAX = 2000


@dataclass(frozen=True, slots=True)
class Issued:
    """That an advisory is public. *digests* are of its renderings: path in the feed, SHA-256 in hex.

    *revision* is the number of the last revision, *act* the act that published it, *withdrawn* whether it
    says so.
    """

    advisory: str
    case: str
    at: datetime
    revision: str
    act: str
    digests: tuple[tuple[str, str], ...]
    withdrawn: bool = False


def public(advisory: Advisory) -> Advisory:
    """The form in which it is published: for everybody, and final.

    Raises: Invalid, naming what is missing.
    """
    if not advisory.flaws or any(not flaw.statements for flaw in advisory.flaws):
        raise Invalid(advisory.id, "each flaw names at least one package")
    if not advisory.revisions:
        raise Invalid(advisory.id, "a document has at least one revision")
    numbers = [held.number for held in advisory.revisions]
    if numbers != [str(number) for number in range(1, len(numbers) + 1)]:
        raise Invalid(f"{advisory.id}: revisions", "number them 1, 2, 3 and so on")
    moments = [held.at for held in advisory.revisions]
    if any(at.tzinfo is None for at in moments) or moments != sorted(moments):
        raise Invalid(f"{advisory.id}: revisions", "each has a moment with a zone, in order")
    return replace(advisory, tlp=Tlp.CLEAR, status="final")


def check_embargo(case: str, until: datetime | None, *, secret: bool) -> None:
    """Return if what a case is about is secret no more.

    Raises: Refused, naming the moment; an early end is an act of its own, which ends secrecy.
    """
    if not secret:
        return
    when = (
        f"until {until.astimezone(UTC).strftime('%Y-%m-%d %H:%M UTC')}"
        if until
        else "and no date is agreed"
    )
    raise Refused(f"{case} is under embargo {when}; end the embargo first, with its reason")


def check_revision(before: Advisory, now: Advisory) -> None:
    """Return if *now* continues the published *before*: same history, at least one revision more.

    Raises: Invalid; Refused, if *before* is withdrawn.
    """
    if before.withdrawn:
        raise Refused(f"{before.id} is withdrawn; publish another advisory under another id")
    known = len(before.revisions)
    if now.revisions[:known] != before.revisions or len(now.revisions) <= known:
        problem = f"keep the {known} published ones as they are and add one that says what changed"
        raise Invalid(f"{now.id}: revisions", problem)
    if now.withdrawn:
        raise Invalid(now.id, "withdraw it by `leadline advisory withdraw`, with the reason")


def withdrawn(advisory: Advisory, at: datetime, reason: str) -> Advisory:
    """The advisory with a last revision that withdraws it.

    Raises: Invalid, without a reason; Refused, if it is withdrawn already.
    """
    told = " ".join(reason.split())
    if not told or len(told) > REASON_MAX:
        raise Invalid("reason", f"say why, in at most {REASON_MAX} characters")
    if advisory.withdrawn:
        raise Refused(f"{advisory.id} is withdrawn already")
    last = Revision(str(len(advisory.revisions) + 1), at.astimezone(UTC), f"Withdrawn: {told}")
    return replace(advisory, withdrawn=True, revisions=(*advisory.revisions, last))
