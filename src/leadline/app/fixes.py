"""Fixes: a subject drafts one in a sandbox, people read it, a person sends it, acts say how far it came.

Nothing here sends anything. A draft that shows less than is due is no candidate: it is recorded with what
happened, and the flaw stays where it was.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from leadline.app import evidence
from leadline.app.context import Context
from leadline.app.ports import Reading, Stored
from leadline.core.access import Action, Resource
from leadline.core.clause import Fact, one_of
from leadline.core.clearing.finding import UNNAMED_MODEL, Finding
from leadline.core.clearing.fix import (
    FIRST,
    MOVES,
    RECALLED,
    Board,
    Drafted,
    Fix,
    FixStanding,
    FixState,
    Instead,
    Place,
    check_proposal,
    place,
    standings,
)
from leadline.core.clearing.replaying import Bundle, plain_record
from leadline.core.errors import Invalid, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind

INTAKE = "intake"
ROW, PATCH = Marking(Tlp.AMBER_STRICT), Marking(Tlp.RED)
_KINDS = frozenset({Kind.FIX_PROPOSED, Kind.FIX_TESTED, Kind.FIX_MOVED})


class Workshop(Protocol):
    """Has a subject draft a patch in a sandbox and tries it; one subject, one repository."""

    def draft(self, bundle: Bundle) -> Drafted:
        """What came of it; a failure is an answer.

        Raises: Unavailable, if no box could be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Proposed:
    """What came of one attempt: a candidate, or every reason why there is none."""

    fix: str
    shortfalls: tuple[str, ...]
    drafted: Drafted

    @property
    def candidate(self) -> bool:
        """Whether people have something to read now."""
        return not self.shortfalls


def propose(
    ctx: Context,
    finding_id: str,
    bundle: Bundle,
    workshop: Workshop,
    instead: Instead = FIRST,
    *,
    consent: str = "",
) -> Proposed:
    """Have a patch drafted for a finding and tried; only one that holds becomes its candidate.

    *consent* says how a model's developer agreed that its name is shown; without it no name is kept.
    Findings that evidence proves to be one flaw share one candidate.

    Raises: NotFound; Denied; Invalid, if the bundle's proof is another than was reported; Refused, if a
    candidate stands for this flaw and is not superseded; Unavailable, if no box could be had.
    """
    held = _finding(ctx, finding_id)
    if bundle.proof_sha256 != held.value.proof_sha256:
        raise Invalid("proof", "is not the one that was reported; draft against that one")
    with ctx.store.read() as view:
        _check(view, finding_id, instead)
    drafted = workshop.draft(bundle)
    shortfalls = drafted.shortfalls()
    case, id_ = held.bounds.case, ctx.new_id("fix")
    shown = _evidence(ctx, drafted, shortfalls)
    named = drafted.made_by if drafted.origin != "ai" or consent.strip() else UNNAMED_MODEL
    patch = "" if shortfalls else ctx.vault.put(drafted.patch, marking=PATCH)
    fix = Fix(
        id_,
        finding_id,
        case,
        patch,
        drafted.origin,
        named,
        drafted.subject,
        drafted.base,
        drafted.touches,
        ctx.now,
        instead.fix,
    )
    about = {"finding": finding_id, "case": case}
    with ctx.store.write() as tx:
        if not shortfalls:
            _check(tx, finding_id, instead)
            tx.put(id_, fix, marking=ROW, bounds=held.bounds, org=held.org)
            made = {"patch": patch, "origin": fix.origin, "subject": fix.subject, "base": fix.base}
            why = {"supersedes": instead.fix, "reason": instead.reason}
            tx.record(ctx.act(Kind.FIX_PROPOSED, id_, held.engagement, **about, **made, **why))
        tx.record(
            ctx.act(
                Kind.FIX_TESTED,
                id_,
                held.engagement,
                **about,
                candidate=not shortfalls,
                verdict=drafted.replay.verdict.value if drafted.replay else "not run",
                variants_silent=drafted.variants[0],
                variants=drafted.variants[1],
                samples_alike=drafted.samples[0],
                samples=drafted.samples[1],
                tests_pass=drafted.tests[1],
                evidence=shown,
            )
        )
    return Proposed(id_, shortfalls, drafted)


def _evidence(ctx: Context, drafted: Drafted, shortfalls: Sequence[str]) -> str:
    """The digest of what was measured and, where it is no candidate, of what was handed in."""
    told = [f"subject {drafted.subject}", f"base {drafted.base}", *shortfalls]
    if drafted.replay:
        told.append(plain_record(drafted.replay))
    text = "\n".join(told).encode() + b"\n\n" + drafted.patch
    return ctx.vault.put(text, marking=PATCH)


def move(ctx: Context, fix_id: str, to: str, where: str) -> None:
    """Put on record that a person sent a fix, or that it was merged, released, applied or recalled.

    Raises: NotFound; Denied; Refused, if it ended or would go back; Invalid, if *to* is no such word or
    *where* says nothing.
    """
    row = _fix(ctx, fix_id)
    with ctx.store.read() as view:
        stands = _standings(view, [row.value.finding])[fix_id]
    if to == RECALLED:
        if not stands.stands:
            raise Refused(f"this fix {stands.ended} already")
        if not where.strip():
            raise Invalid("where", "say why it is recalled; whoever received it is told")
    else:
        if to not in set(MOVES):
            raise Invalid("state", f"{to!r} is none of {', '.join([*MOVES, RECALLED])}")
        stands.check_move(FixState(to), where)
    about = {"finding": row.value.finding, "case": row.bounds.case}
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(Kind.FIX_MOVED, fix_id, row.engagement, **about, state=to, where=where.strip())
        )


def show(ctx: Context, fix_id: str) -> tuple[Fix, FixStanding]:
    """One fix and where it stands, without its patch.

    Raises: NotFound; Denied.
    """
    row = _fix(ctx, fix_id)
    with ctx.store.read() as view:
        return row.value, _standings(view, [row.value.finding])[fix_id]


def patch(ctx: Context, fix_id: str) -> bytes:
    """The patch itself, under the label that says who wrote it; for a person to read and to send.

    Raises: NotFound; Denied.
    """
    row = _fix(ctx, fix_id)
    head = f"{row.value.label}\napplies to {row.value.base}\n\n"
    return head.encode() + ctx.vault.get(row.value.patch)


def listed(ctx: Context, case_id: str) -> tuple[FixStanding, ...]:
    """Every attempt at the findings of a case, candidates or not, in the order of the record.

    Raises: Denied.
    """
    return board(ctx, case_id).fixes


def board(ctx: Context, case_id: str) -> Board:
    """How far the flaws of a case have come, from reported to applied.

    Raises: Denied.
    """
    ctx.require(Action.CASE_READ, _case(case_id))
    with ctx.store.read() as view:
        rows = view.find(Finding, visible=one_of(Fact.CASE, [case_id]))
        findings = [row.id for row in rows]
        fixes = tuple(_standings(view, findings).values())
        acts = _acts(view, findings)
    return Board(tuple(place(id_, case_id, acts[id_], fixes) for id_ in findings), fixes)


def boards(ctx: Context) -> dict[str, Board]:
    """The boards of every case that this person is named for all of, by case."""
    named = sorted(one for one in ctx.principal.cases if one != INTAKE)
    mine = [one.id for one in ctx.allowed(Action.CASE_READ, [_case(one) for one in named])]
    with ctx.store.read() as view:
        rows = view.find(Finding, visible=one_of(Fact.CASE, mine))
        acts = _acts(view, [row.id for row in rows])
        of = dict[str, list[FixStanding]]((row.id, []) for row in rows)
        for one in _standings(view, of).values():
            of[one.finding].append(one)
        held = dict[str, list[Place]]((case, []) for case in mine)
        for row in rows:
            held[row.bounds.case].append(place(row.id, row.bounds.case, acts[row.id], of[row.id]))
    return {
        case: Board(tuple(places), tuple(fix for one in places for fix in of[one.finding]))
        for case, places in held.items()
        if places
    }


def standing_of(view: Reading, finding_id: str) -> tuple[Fix, FixStanding] | None:
    """The candidate that stands for a finding, for a use case that asked the rules already."""
    for one in _standings(view, [finding_id]).values():
        if one.stands:
            return view.get(Fix, one.id).value, one
    return None


def _case(case_id: str) -> Resource:
    return Resource("case", case_id, marking=ROW, case=case_id)


def _finding(ctx: Context, finding_id: str) -> Stored[Finding]:
    """The finding's row, once the caller may propose fixes for it."""
    with ctx.store.read() as view:
        row = view.get(Finding, finding_id)
    in_case = row.bounds.case not in {"", INTAKE}
    ctx.require(Action.FIX_PROPOSE, _case(row.bounds.case) if in_case else row.thing("finding"))
    return row


def _fix(ctx: Context, fix_id: str) -> Stored[Fix]:
    """The fix's row, once the caller may work on it. Its case is its finding's, now."""
    with ctx.store.read() as view:
        row = view.get(Fix, fix_id)
    _finding(ctx, row.value.finding)
    return row


def _check(view: Reading, finding_id: str, instead: Instead) -> None:
    same = evidence.together(view, finding_id)
    check_proposal(_standings(view, {finding_id, *same}).values(), finding_id, same, instead)


def _acts(view: Reading, findings: Collection[str]) -> dict[str, list[Act]]:
    """The acts about each of these findings, in the order of the record."""
    found = dict[str, list[Act]]((one, []) for one in findings)
    for one in view.acts(about=frozenset(findings)):
        found[one.act.about].append(one.act)
    return found


def _standings(view: Reading, findings: Collection[str]) -> dict[str, FixStanding]:
    """Where every fix for these findings stands, in the order of the record.

    A fix is of the finding that its first act names; what took its place may be for another, the same
    flaw.
    """
    wanted = frozenset(findings)
    named = {one.act.about for one in view.acts(naming=wanted, kind=_KINDS)}
    own = {one.index: one.act for one in view.acts(about=named, kind=_KINDS)}
    later = view.acts(kind=Kind.FIX_PROPOSED, naming=named)
    every = own | {one.index: one.act for one in later}
    found = standings([act for _, act in sorted(every.items())])
    return {id_: one for id_, one in found.items() if id_ in named and one.finding in wanted}
