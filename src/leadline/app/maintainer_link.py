"""A link by which a maintainer without an account reads its report and answers it.

The link is a secret of 256 bits in a message that a person sends; here stands only its hash. It counts for
one party of one case, shows what that party may see and nothing else, and ends by itself with the case's
clocks, with the case, when the party gets an account, or when a coordinator ends it. A link that counts no
more answers as one that never was.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from leadline.app import case_view, cases, contracts, fixes, reports
from leadline.app.context import Context
from leadline.app.operators import UNKNOWN_THING
from leadline.app.ports import Reading, Stored, Writing, maybe
from leadline.core.access import Action, Bounds, Principal
from leadline.core.clearing.case import BY_LINK, Participant, Standing
from leadline.core.clearing.case_view import CaseView, Part
from leadline.core.clearing.case_words import Affected, FixState, Report, Role
from leadline.core.clearing.contract import Contract, judge
from leadline.core.clearing.coordination import Stated, check_open
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.clearing.fix import Fix
from leadline.core.clearing.report import Stage
from leadline.core.clearing.report import standing as report_standing
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind

SECRET_BYTES = 32
AFTER = timedelta(days=30)  # beyond the last clock of the case, for a late answer
WORDS_MAX = 4_000
OWN = Marking(Tlp.AMBER_STRICT)
SEALED = Marking(Tlp.RED)
Ended = tuple[datetime, str]


class Choice(StrEnum):
    """What a maintainer answers."""

    CONFIRMED = "confirmed"
    NOT_REPRODUCED = "not-reproducible"
    OUT_OF_SCOPE = "out-of-scope"
    KNOWN = "known-already"
    FIXED = "fixed-already"
    MORE_TIME = "more-time"
    DECLINED = "declined"
    PAUSE = "pause"


NEED_WORDS = frozenset(set(Choice) - {Choice.CONFIRMED})


@dataclass(frozen=True, slots=True)
class Link:
    """A link by the hash of its secret. *draft* is the message it stands in, empty for one made by hand."""

    id: str
    case: str
    party: str
    by: str
    at: datetime
    draft: str = ""
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One answer that came by a link; *words* is the digest of what was written, which is sealed."""

    id: str
    case: str
    party: str
    at: datetime
    choice: str
    words: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever shows a link, as the party that it stands for."""

    ctx: Context
    link: Link
    until: datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """One time that somebody replayed the proof."""

    at: datetime
    verdict: str
    runs: int


@dataclass(frozen=True, slots=True)
class Patch:
    """The drafted repair that stands, with its label."""

    fix: Fix
    text: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """One finding in words, and what is known of it. *fired* counts runs on the build as it was reported.

    *repaired* counts those on a repaired build; both are None where nothing was tried. *scope* is what the
    project's own terms say of it, *twin* whether the same proof was reported before.
    """

    finding: Finding
    said: str
    label: str
    tried: tuple[Tried, ...]
    fired: tuple[int, int] | None
    repaired: tuple[int, int] | None
    scope: str
    in_scope: bool | None
    twin: bool
    patch: Patch | None


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the party may see, and what it answered. *told* is empty while it sees no content."""

    seen: CaseView
    party: str
    told: tuple[Told, ...]
    contract: Contract | None
    answers: tuple[tuple[Said, str], ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as somebody writes it. *until* is the date that is asked for, where time is."""

    choice: Choice
    words: str = ""
    until: datetime | None = None


def make(ctx: Context, case_id: str, party: str) -> str:
    """A link for a party without an account; its secret is in the answer and nowhere else.

    Raises: Denied; NotFound; Refused, for a party with an account, or a closed case.
    """
    ctx.require(Action.DRAFT_SEND, cases.inner(case_id))
    token = new_token()
    with ctx.store.write() as tx:
        stands = cases.standing_in(tx, case_id)
        check_open(stands)
        if not wants(stands, party):
            raise Refused("this party has an account here, or makes nothing; it gets no link")
        enter(ctx, tx, token, case_id, party)
    return token


def new_token() -> str:
    """An unguessable secret of 256 bits."""
    return secrets.token_urlsafe(SECRET_BYTES)


def wants(stands: Standing, party: str) -> bool:
    """Whether a party is one to whom a link is of use. Raises: NotFound, if there is none."""
    held = stands.participant(party)
    return held.vendor and not held.person


def enter(ctx: Context, tx: Writing, token: str, case_id: str, party: str, draft: str = "") -> None:
    """Enter a link within a use case that asked the rules already."""
    link = Link(_row(token), case_id, party, ctx.principal.id, ctx.now, draft)
    tx.put(link.id, link, marking=OWN)
    tx.record(ctx.act(Kind.CREDENTIAL_ISSUED, link.id, "", case=case_id, party=party, draft=draft))


def forget(ctx: Context, tx: Writing, drafts: Sequence[str]) -> None:
    """End the links of messages that are not sent, because another took their place."""
    for row in tx.find(Link) if drafts else ():
        if row.value.draft in drafts and row.value.ended is None:
            _end(ctx, tx, row.value, row.version)


def listed(ctx: Context, case_id: str) -> tuple[tuple[Link, datetime | None], ...]:
    """The links of a case, each with until when it counts; None for one that counts no more.

    Raises: Denied; NotFound.
    """
    ctx.require(Action.DRAFT_SEND, cases.inner(case_id))
    with ctx.store.read() as view:
        stands = cases.standing_in(view, case_id)
        found = [row.value for row in view.find(Link) if row.value.case == case_id]
    ordered = sorted(found, key=lambda one: (one.at, one.id))
    return tuple((one, _until(one, stands, ctx.now)) for one in ordered)


def answers(ctx: Context, case_id: str) -> tuple[tuple[Said, str], ...]:
    """What came by links of a case, with the words, oldest first. Raises: Denied."""
    ctx.require(Action.DRAFT_SEND, cases.inner(case_id))
    return _answers(ctx, case_id, "")


def end(ctx: Context, case_id: str, link: str) -> None:
    """End a link at once.

    Raises: Denied; NotFound, for one of another case too; Refused, if it has ended.
    """
    ctx.require(Action.DRAFT_SEND, cases.inner(case_id))
    with ctx.store.write() as tx:
        row = maybe(tx, Link, link)
        if row is None or row.value.case != case_id:
            raise NotFound(UNKNOWN_THING)
        if row.value.ended is not None:
            raise Refused("this link has ended already")
        _end(ctx, tx, row.value, row.version)


def holder(nobody: Context, token: str) -> Holder:
    """Whoever shows the link, as its party, with that party's rights and none beside.

    Raises: NotFound, in the same words for a link that ended and for one that never was.
    """
    with nobody.store.read() as view:
        row = maybe(view, Link, _row(token))
        stands = cases.standing_in(view, row.value.case) if row else None
    if row is None or stands is None:
        raise NotFound(UNKNOWN_THING)
    link, until = row.value, _until(row.value, stands, nobody.now)
    if until is None:
        with nobody.store.write() as tx:
            told = {"case": link.case, "party": link.party}
            tx.record(nobody.act(Kind.CREDENTIAL_REFUSED, link.id, "", **told))
        raise NotFound(UNKNOWN_THING)
    party = stands.participant(link.party)
    whole = party.need or party.role is Role.OWNER
    me = Principal(
        BY_LINK + link.party,
        "a party by its link",
        "",
        frozenset({"maintainer"}),
        access_until=until,
        cases=frozenset({link.case if whole else link.case + cases.OUTER}),
    )
    acting = replace(nobody, principal=me, store=nobody.store.acting(nobody.access.tenancy(me)))
    return Holder(acting, link, until)


def page(by: Holder) -> Page:
    """The report with everything that its party may see; that it was opened is an act."""
    ctx, link = by.ctx, by.link
    seen = case_view.view(ctx, link.case)
    with ctx.store.read() as view:
        stands = cases.standing_in(view, link.case)
        contract = _contract(view, ctx, link)
        found = [view.get(Finding, one) for one in stands.findings]
    content = Part.CONTENT.value in seen.parts
    told = tuple(_told(ctx, one, contract) for one in found) if content else ()
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.ARTEFACT_READ, link.id, "", case=link.case, party=link.party))
    return Page(seen, link.party, told, contract, _answers(ctx, link.case, link.party), by.until)


def patch(by: Holder, fix_id: str) -> bytes:
    """The drafted repair, with its label. Raises: NotFound, for one that the page does not show."""
    for one in page(by).told:
        if one.patch is not None and one.patch.fix.id == fix_id:
            return one.patch.text
    raise NotFound(UNKNOWN_THING)


def answer(by: Holder, given: Given) -> Said:
    """Take an answer: what the case knows of is stated as that party; the words go to a coordinator.

    Raises: Invalid, naming the field, also where the case stands so that it cannot be stated.
    """
    ctx, link = by.ctx, by.link
    text = given.words.strip()
    if given.choice in NEED_WORDS and not text:
        raise Invalid("words", "say in a line or two why; a person reads it")
    if len(text) > WORDS_MAX:
        raise Invalid("words", f"at most {WORDS_MAX} characters")
    try:
        _stated(ctx, link, given)
    except Refused as error:
        raise Invalid("choice", str(error)) from None
    kept = ctx.vault.put(text.encode("utf-8", "replace"), marking=SEALED) if text else ""
    made = Said(
        ctx.new_id("answer"), link.case, link.party, ctx.now, given.choice.value, kept, given.until
    )
    with ctx.store.write() as tx:
        tx.put(made.id, made, marking=OWN, bounds=Bounds(case=_named(ctx, link.case)))
    return made


def _stated(ctx: Context, link: Link, given: Given) -> None:
    """State what the answer says of the party, in the words that a case has."""
    with ctx.store.read() as view:
        held = cases.standing_in(view, link.case).participant(link.party)
    if given.choice is Choice.MORE_TIME:
        if given.until is None:
            raise Invalid("until", "say until when, with the hour")
        reason = " ".join(given.words.split())[:200]
        cases.propose(ctx, link.case, given.until, party=link.party, reason=reason)
        return
    for said in _steps(held, given.choice):
        cases.state(ctx, link.case, link.party, said)


def _steps(held: Participant, choice: Choice) -> tuple[Stated, ...]:
    working = held.report in {Report.VALID, Report.ACCEPTED, Report.DEFERRED}
    seen = Stated(report=held.report if held.report is not Report.START else Report.RECEIVED)
    valid = seen if working else Stated(report=Report.VALID)
    if choice is Choice.CONFIRMED:
        return (replace(valid, affected=Affected.AFFECTED),)
    if choice is Choice.KNOWN:
        return (valid,)
    if choice is Choice.FIXED:
        return (replace(valid, fix=FixState.READY), Stated(fix=FixState.DEPLOYED))
    if choice in {Choice.NOT_REPRODUCED, Choice.OUT_OF_SCOPE}:
        return (Stated(report=Report.INVALID),)
    if choice is Choice.DECLINED and working:
        return (Stated(report=Report.DEFERRED),)
    return (seen,)


def _told(ctx: Context, found: Stored[Finding], contract: Contract | None) -> Told:
    finding = found.value
    with ctx.store.read() as view:
        acts = [one.act for one in view.acts(about=found.id)]
        row = maybe(view, ReplayResult, f"{found.id}/replay")
        stands = fixes.standing_of(view, found.id)
    judged = judge((contract,), replace(finding, project=contract.project)) if contract else None
    handed = report_standing(acts)
    return Told(
        finding,
        _description(ctx, found),
        _label(finding),
        tuple(_tried(act) for act in acts if act.kind is Kind.FINDING_REPLAYED),
        _count(row.value.vulnerable) if row else None,
        _count(row.value.fixed) if row else None,
        judged.reason if judged else "no terms of yours are on file here",
        judged.stage is not Stage.OUT_OF_THREAT_MODEL if judged else None,
        handed is not None and handed.stage is Stage.DUPLICATE,
        Patch(stands[0], fixes.patch(ctx, stands[0].id)) if stands else None,
    )


def _description(ctx: Context, found: Stored[Finding]) -> str:
    """What the finder wrote, if it stands by it; else the observation alone."""
    try:
        said = reports.description(ctx, found.id)
    except Refused:
        said = ""
    return said or found.value.observation


def _label(finding: Finding) -> str:
    if finding.origin == "person":
        return f"found by a person ({finding.found_by})"
    kind = "an AI system" if finding.origin == "ai" else "a tool"
    named = finding.origin == "tool" or bool(finding.consent)
    by = finding.found_by if named else "which one is not named, because its maker has not agreed"
    read = f"; confirmed by {finding.confirmed_by}" if finding.confirmed_by else ""
    return f"found by {kind} ({by}){read}"


def _tried(act: Act) -> Tried:
    runs = act.detail.get("runs")
    return Tried(act.at, str(act.detail.get("verdict", "")), runs if isinstance(runs, int) else 0)


def _count(runs: Sequence[bool | None]) -> tuple[int, int] | None:
    return (sum(one is True for one in runs), len(runs)) if runs else None


def _contract(view: Reading, ctx: Context, link: Link) -> Contract | None:
    project = case_view.project_of(view, ctx, link.case, link.party)
    return next((one for one in contracts.on_file(view) if one.project == project), None)


def _answers(ctx: Context, case_id: str, party: str) -> tuple[tuple[Said, str], ...]:
    with ctx.store.read() as view:
        found = [
            row.value
            for row in view.find(Said)
            if row.value.case == case_id and party in {"", row.value.party}
        ]
    ordered = sorted(found, key=lambda one: (one.at, one.id))
    return tuple((one, ctx.vault.get(one.words).decode() if one.words else "") for one in ordered)


def _until(link: Link, stands: Standing, now: datetime) -> datetime | None:
    """Until when a link counts; None if it counts no more."""
    present = {one.id for one in stands.present}
    if link.ended or stands.closed_at or link.party not in present:
        return None
    if not wants(stands, link.party):
        return None
    last = max([link.at, *(one.at for one in stands.clocks(now) if one.at is not None)])
    until = last + AFTER
    return until if now < until else None


def _named(ctx: Context, case_id: str) -> str:
    return case_id if case_id in ctx.principal.cases else case_id + cases.OUTER


def _end(ctx: Context, tx: Writing, link: Link, version: int) -> None:
    tx.put(link.id, replace(link, ended=ctx.now), marking=OWN, expect=version)
    told = {"case": link.case, "party": link.party}
    tx.record(ctx.act(Kind.CREDENTIAL_REVOKED, link.id, "", **told))


def _row(token: str) -> str:
    return sha256(f"leadline/link/v1\0{token}".encode()).hexdigest()
