"""Sealed packs: sealed, committed to, run once their unsealing is logged, released in bands, revealed.

Upheld here: a pack whose existence is restricted answers whoever may not know of it exactly as an id
that never was; nothing is shown before the commitment to it is logged and proved; every showing stands
in the ledger, with its act, before the item is shown; every score that leaves debits the budget in the
transaction of its act. A lost log or witness stops keys, never a removal.

Approvals and proofs are `leadline.app.approval` and `leadline.app.log`; a runner verifies the proof by
itself as well.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from leadline.app import approval, log, weights
from leadline.app.context import Context
from leadline.app.ports import Bounded, Material, Reading, SealedRunner, Stored, Writing
from leadline.core.access import Action, Resource
from leadline.core.approval import Granted, Request
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, instant
from leadline.core.record.commitment import seed_commitment
from leadline.core.sealed import budget
from leadline.core.sealed.budget import Account, Band
from leadline.core.sealed.exposure import (
    Limits,
    Mode,
    Showing,
    cycle_ends,
    retired,
    rotated,
    seen,
)
from leadline.core.sealed.pack import Commitment, Pack, Reveal, Scheme, SealedShare, root
from leadline.core.sealed.session import (
    Draw,
    Driver,
    Measurement,
    Quote,
    RunSession,
    SealedReport,
    Stage,
    check_quote,
    statements,
)
from leadline.formats import canonical
from leadline.formats.pack import Committed, commitment_digest
from leadline.formats.sealed_report import read_report
from leadline.formats.tlog_proof import ActProof

ID = re.compile(r"[a-z]{1,16}-[0-9a-f]{4,64}", re.ASCII)
NOBODY = Marking(Tlp.AMBER_STRICT, frozenset({"held by nobody"}))


@dataclass(frozen=True, slots=True)
class Intake:
    """A pack as it comes from whoever sealed it; nothing in it opens the ciphertext."""

    id: str
    ciphertext: bytes
    items: tuple[str, ...]
    code: str
    scheme: Scheme
    shares: tuple[SealedShare, ...]
    marking: Marking
    engagement: str
    hidden: bool = False
    once: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is to be. *seed* and *salt* are fresh random bytes, 32 each."""

    model: str
    family: str
    mode: Mode
    driver: Driver
    terms: str
    seed: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Released:
    """What may be told of a score. The interval is of the value that the Ladder let out."""

    score: Band
    interval: Band
    items: int
    left: int


KINDS: Mapping[type, str] = {
    Pack: "pack",
    Commitment: "pack-commitment",
    RunSession: "run-session",
    Draw: "run-draw",
    Showing: "showing",
    Account: "release-account",
    SealedReport: "sealed-report",
    Released: "released-score",
}


def seal(ctx: Context, intake: Intake) -> Pack:
    """Take in a sealed pack. Its ciphertext is working content: only custodians' shares open it.

    Raises: Invalid, if shares or items do not fit; Stale, if the id is taken.
    """
    resource = Resource("pack", intake.id, intake.engagement, marking=intake.marking)
    ctx.require(Action.PACK_SEAL, resource)
    if not ID.fullmatch(intake.id):
        raise Invalid("pack", "a random id is due")
    if [share.number for share in intake.shares] != list(range(intake.scheme.count)):
        raise Invalid("shares", f"{intake.scheme.count} are due, numbered from 0")
    digest = ctx.vault.put(intake.ciphertext, marking=intake.marking, engagement=intake.engagement)
    pack = Pack(
        id=intake.id,
        pseudonym=ctx.new_id("thing"),
        artefact=digest,
        items=intake.items,
        code=intake.code,
        scheme=intake.scheme,
        shares=intake.shares,
        hidden=intake.hidden,
        once=intake.once,
        cycle_began=instant(ctx.now),
    )
    with ctx.store.write() as tx:
        tx.put(pack.id, pack, marking=intake.marking, engagement=intake.engagement)
        tx.record(
            ctx.act(
                Kind.PACK_SEALED,
                pack.name,
                intake.engagement,
                artefact=digest,
                root=pack.root,
                code=pack.code,
                custodians=tuple(share.custodian for share in pack.shares),
                threshold=pack.scheme.threshold,
            )
        )
    return pack


def read(ctx: Context, id_: str) -> Pack:
    """One pack, without its content.

    Raises: NotFound, in the same words for one that is not there and one not to be known of.
    """
    return known(ctx, Action.PACK_READ, id_).value


def listed(ctx: Context) -> list[Pack]:
    """The packs that this person may know of. What is left out leaves no gap and no number."""
    with ctx.store.read() as view:
        rows = view.find(Pack)
    return [row.value for row in rows if ctx.decision(Action.PACK_READ, thing(row)).allowed]


def commit(ctx: Context, id_: str, plan: Plan, limits: Limits) -> RunSession:
    """Log what will be shown, in which order, and what scores it, before anybody is asked anything.

    Raises: Refused, if terms let an item be shown once only and it was shown, which is an alert; if
    no item is left; or if the budget is spent, naming when rotation restores it.
    """
    row = known(ctx, Action.PACK_RUN, id_)
    pack = row.value
    with ctx.store.read() as view:
        showings = _showings(view, row)
        account = _account(view, pack, plan.family)
    budget.require_left(account, limits, _restored(pack, limits))
    gone = retired(showings, limits)
    shown = tuple(item for item in pack.shown if item not in gone)
    if pack.once and seen(showings, plan.family) & set(shown):
        raise _asked_twice(ctx, row)
    if not shown:
        raise Refused(f"no item of this set is left; rotation is due on {_restored(pack, limits)}")
    commitment, committed, session = _agreed(ctx, row, plan, shown)
    draw = Draw(session.id, plan.seed.hex(), plan.salt.hex())
    with ctx.store.write() as tx:
        named = ((session.commitment, commitment), (session.id, session), (draw.id, draw))
        for name, value in named:
            tx.put(name, value, marking=row.marking, engagement=row.engagement)
        tx.record(committed)
        tx.record(
            ctx.act(
                Kind.SESSION_PREPARED,
                pack.name,
                row.engagement,
                session=session.id,
                commitment=session.commitment,
                driver=plan.driver,
                mode=plan.mode,
                nonce=session.nonce,
            )
        )
    return session


def _agreed(
    ctx: Context, row: Stored[Pack], plan: Plan, shown: tuple[str, ...]
) -> tuple[Commitment, Act, RunSession]:
    """The commitment to a run, the act that logs it, and the session that rests on it."""
    pack = row.value
    commitment = Commitment(
        id=ctx.new_id("commitment"),
        pack=pack.name,
        root=root([bytes.fromhex(item) for item in shown]).hex(),
        items=len(shown),
        seed=seed_commitment(plan.salt, plan.seed).hex(),
        code=pack.code,
        model=plan.model,
        terms=plan.terms,
    )
    digest = commitment_digest(commitment)
    committed = ctx.act(
        Kind.PACK_COMMITTED,
        pack.name,
        row.engagement,
        commitment=digest,
        code=pack.code,
        model=plan.model,
    )
    session = RunSession(
        id=ctx.new_id("session"),
        pack=pack.id,
        commitment=digest,
        root=commitment.root,
        model=plan.model,
        family=plan.family,
        code=pack.code,
        terms=plan.terms,
        mode=plan.mode,
        driver=plan.driver,
        nonce=sha256(f"{ctx.new_id('nonce')}/{digest}".encode()).hexdigest(),
        asked=ctx.now,
        committed=committed.id,
        shown=shown,
        stage=Stage.PREPARED,
    )
    return commitment, committed, session


def prepared(ctx: Context, session_id: str) -> tuple[RunSession, Pack]:
    """A session that has not been unsealed yet, with its pack; raises as `read`, and Refused."""
    session, row = standing(ctx, Action.PACK_RUN, session_id)
    session.value.stage.require(Stage.PREPARED, "a runner")
    return session.value, row.value


def prove_commitment(ctx: Context, session_id: str) -> Committed:
    """The commitment with the proof that it was logged: what is handed out before the run."""
    session, _ = standing(ctx, Action.PACK_RUN, session_id)
    proof = log.require_proof(ctx, session.value.committed, log.UNSEALING)
    with ctx.store.read() as view:
        return Committed(view.get(Commitment, session.value.commitment).value, proof)


def ask_unsealing(ctx: Context, session_id: str, measured: Measurement) -> Request:
    """Ask two others to sign that this runner may have this pack's key; raises as `read`."""
    session, row = standing(ctx, Action.PACK_READ, session_id)
    detail = asked(session.value, measured)
    return approval.ask(ctx, Action.PACK_UNSEAL, thing(row), detail)


def asked(session: RunSession, measured: Measurement) -> dict[str, str]:
    """The detail of the request that approvers of an unsealing sign: in words, and by digests."""
    return {
        "shown": f"{len(session.shown)} items of a sealed set, to {session.family}",
        "by": f"a runner of the kind {measured.quote.driver}; {measured.quote.label}",
        "told": "; ".join(statements(session.driver, session.mode)),
        "session": session.id,
        "quote": measured.digest,
        "commitment": session.commitment,
    }


def authorise(
    ctx: Context,
    session_id: str,
    measured: Measurement,
    granted: Granted,
    limits: Limits,
) -> ActProof:
    """Log that this very runner may have this pack's key; answers the proof of it.

    *measured* is the runner's quote with its digests, its signature verified by the caller.

    Raises: Denied without two approvals and an assertion; Refused, if the quote does not hold, or
    the approvals were given for something else; Tampered or Unavailable, if the log gives no proof.
    """
    session, row = standing(ctx, Action.PACK_UNSEAL, session_id, granted)
    session.value.stage.require(Stage.PREPARED, "unsealing")
    if dict(granted.request.detail) != asked(session.value, measured):
        raise Refused("these approvals were given for another session or another runner")
    with ctx.store.read() as view:
        logged = frozenset(
            str(one.act.detail["code"]) for one in view.acts(kind=Kind.PACK_COMMITTED)
        )
    with _alarmed(ctx, row, "a runner was not what it should be"):
        check_quote(measured, session.value, logged, ctx.now, limits)
    log.require_proof(ctx, session.value.committed, log.UNSEALING)
    act = ctx.act(
        Kind.UNSEALING_AUTHORISED,
        row.value.name,
        row.engagement,
        session=session.id,
        quote=measured.digest,
        request=granted.request.id,
        approvers=tuple(sorted(granted.approvers)),
    )
    with ctx.store.write() as tx:
        approval.use(tx, granted)
        _advance(tx, session, Stage.QUOTED)
        tx.record(act)
    return log.require_proof(ctx, act.id, log.UNSEALING)


def release(
    ctx: Context,
    session_id: str,
    runner: SealedRunner,
    quote: Quote,
    proof: ActProof,
    passed: Mapping[int, str],
) -> None:
    """Hand the pack, and what custodians passed on, to the runner.

    Raises: what `SealedRunner.release_keys` raises; then nothing was opened.
    """
    session, row = standing(ctx, Action.PACK_RUN, session_id)
    session.value.stage.require(Stage.QUOTED, "the release of keys")
    with ctx.store.read() as view:
        draw = view.get(Draw, session.id).value
    material = Material(
        pack=row.value.id,
        ciphertext=ctx.vault.get(row.value.artefact),
        scheme=row.value.scheme,
        shares=passed,
        shown=session.value.shown,
        seed=draw.seed,
    )
    with _alarmed(ctx, row, "a runner was given what does not open this pack"):
        runner.release_keys(quote, proof, material)
    with ctx.store.write() as tx:
        _advance(tx, session, Stage.KEYED)
        tx.record(
            ctx.act(
                Kind.PACK_UNSEALED,
                row.value.name,
                row.engagement,
                session=session.id,
                runner=quote.driver,
                measurement=quote.measurement,
            )
        )


def run(ctx: Context, session_id: str, runner: SealedRunner, host: str, limits: Limits) -> Bounded:
    """Enter every item into the ledger, then show them all; the report stays in the compartment.

    Raises: Refused, out of order, or if an item was shown meanwhile where terms say once.
    """
    session, row = standing(ctx, Action.PACK_RUN, session_id)
    session.value.stage.require(Stage.KEYED, "the run")
    with ctx.store.read() as view:
        account = _account(view, row.value, session.value.family)
    budget.require_left(account, limits, _restored(row.value, limits))
    _expose(ctx, session, row, host)
    with weights.in_use(ctx, row.engagement, session.value.model, session.id) as meter:
        runner.run()
        told = runner.report()
        meter(len(told.text) + len(told.evidence))
    report = read_report(told.text)
    if (report.session, report.commitment) != (session.id, session.value.commitment):
        raise Tampered("sealed report", "it is about another session")
    digest = ctx.vault.put(told.evidence, marking=row.marking, engagement=row.engagement)
    if digest != report.evidence:
        raise Tampered("sealed report", "its evidence has another digest")
    with ctx.store.write() as tx:
        tx.put(session.id, report, marking=row.marking, engagement=row.engagement)
        tx.record(
            ctx.act(
                Kind.EVIDENCE_SEALED,
                row.value.name,
                row.engagement,
                session=session.id,
                report=sha256(told.text).hexdigest(),
                evidence=digest,
            )
        )
    return told


def release_score(ctx: Context, session_id: str, limits: Limits) -> Released:
    """Let a score out: by the Ladder, in bands, against the budget.

    The interval (Clopper-Pearson, 95 %) is of the value that the Ladder lets out, not of the score
    behind it, so that it tells no more than the band does.

    Raises: Refused, before the run, a second time, or if the budget is spent; the last is an act and
    names when rotation restores it.
    """
    session, row = standing(ctx, Action.SCORE_RELEASE, session_id)
    session.value.stage.require(Stage.RAN, "the release of a score")
    with ctx.store.read() as view:
        report = view.get(SealedReport, session.id).value
        account = _account(view, row.value, session.value.family)
    counted = report.items - report.ours
    try:
        after = budget.debit(account, report.solved, counted, limits, _restored(row.value, limits))
    except Refused:
        with ctx.store.write() as tx:
            tx.record(
                ctx.act(
                    Kind.SCORE_REFUSED,
                    row.value.name,
                    row.engagement,
                    session=session.id,
                    used=account.used,
                )
            )
        raise
    # Here, because every command knows the rows of sealed suites and few need the statistics.
    from leadline.core.measure.interval import clopper_pearson

    low, high = clopper_pearson([after.best], [counted])[0]
    released = Released(
        score=budget.band(after.best, counted, limits),
        interval=budget.widened(float(low), float(high), limits),
        items=report.items,
        left=limits.runs_max - after.used,
    )
    with ctx.store.write() as tx:
        version = account.used or None  # every debit is one write, so that the two count alike
        tx.put(account.id, after, marking=row.marking, engagement=row.engagement, expect=version)
        _advance(tx, session, Stage.REPORTED)
        tx.put(session.id, released, marking=row.marking, engagement=row.engagement)
        tx.record(
            ctx.act(
                Kind.SCORE_RELEASED,
                row.value.name,
                row.engagement,
                session=session.id,
                low=released.score.low,
                high=released.score.high,
                used=after.used,
                of=limits.runs_max,
            )
        )
    return released


def reveal(ctx: Context, session_id: str) -> Reveal:
    """What leaves after the run: the released score, the root over outcomes, the seed.

    Raises: Denied or Tampered, without a proof that the commitment stands in the log; Refused,
    before the score was released.
    """
    with ctx.store.read() as view:
        known = _row(view, RunSession, session_id)
    proof = log.require_proof(ctx, known.value.committed) if known else None
    session, row = standing(ctx, Action.PACK_REVEAL, session_id, proved=proof is not None)
    session.value.stage.require(Stage.REPORTED, "the reveal")
    with ctx.store.read() as view:
        report = view.get(SealedReport, session.id).value
        released = view.get(Released, session.id).value
        draw = view.get(Draw, session.id).value
    assert proof is not None  # noqa: S101 -- a session that is known has one
    made = Reveal(
        commitment=session.value.commitment,
        committed=proof.opening.index,
        items=report.items,
        outcomes=report.outcomes,
        low=released.score.low,
        high=released.score.high,
        interval_low=released.interval.low,
        interval_high=released.interval.high,
        seed=draw.seed,
        salt=draw.salt,
    )
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.PACK_REVEALED,
                row.value.name,
                row.engagement,
                session=session.id,
                commitment=made.commitment,
                committed=made.committed,
                outcomes=made.outcomes,
                low=made.low,
                high=made.high,
            )
        )
    return made


def rotate(ctx: Context, id_: str, limits: Limits) -> Pack:
    """Begin a new cycle: a share of the items leaves, and budgets begin anew.

    Raises: Refused, before the cycle has ended, naming when it does.
    """
    row = known(ctx, Action.PACK_ROTATE, id_)
    pack = row.value
    if ctx.now < cycle_ends(datetime.fromisoformat(pack.cycle_began), limits):
        raise Refused(f"this cycle ends on {_restored(pack, limits)}; rotation comes then")
    with ctx.store.read() as view:
        gone = retired(_showings(view, row), limits)
    leaving = rotated(pack.shown, gone, pack.cycle, limits)
    after = replace(
        pack,
        cycle=pack.cycle + 1,
        cycle_began=instant(ctx.now),
        out=tuple(item for item in pack.items if item in leaving or item in pack.out),
    )
    with ctx.store.write() as tx:
        tx.put(id_, after, marking=row.marking, engagement=row.engagement, expect=row.version)
        tx.record(
            ctx.act(
                Kind.PACK_ROTATED,
                pack.name,
                row.engagement,
                cycle=after.cycle,
                left=len(after.shown),
            )
        )
    return after


def suspect(ctx: Context, id_: str, item: str) -> None:
    """Enter the suspicion that an item has leaked: it is retired at once, and it is an alert.

    Raises: NotFound, if the pack has no such item.
    """
    row = known(ctx, Action.PACK_ROTATE, id_)
    if item not in row.value.items:
        raise NotFound(f"no item {item}")
    one = Showing(
        id=ctx.new_id("showing"),
        item=item,
        pack=row.value.id,
        family="",
        model="",
        host="",
        mode="opened",
        at=ctx.now,
        who=ctx.principal.id,
        leak=True,
    )
    with ctx.store.write() as tx:
        tx.put(one.id, one, marking=row.marking, engagement=row.engagement)
        tx.record(ctx.act(Kind.ITEM_EXPOSED, row.value.name, row.engagement, item=item, leak=True))
    told = "an item of a sealed set is suspected to have leaked; it is retired"
    ctx.alarm("exposure", row.value.name, told, engagement=row.engagement)


def exposures(ctx: Context, id_: str) -> list[Showing]:
    """The ledger of one pack, in order of time."""
    row = known(ctx, Action.PACK_READ, id_)
    with ctx.store.read() as view:
        return sorted(_showings(view, row), key=lambda one: (one.at, one.id))


def _expose(ctx: Context, session: Stored[RunSession], row: Stored[Pack], host: str) -> None:
    """Every showing with its act, in one transaction, before the first item is shown."""
    told, pack = session.value, row.value
    with ctx.store.write() as tx:
        twice = pack.once and seen(_showings(tx, row), told.family) & set(told.shown)
        for item in () if twice else told.shown:
            one = Showing(
                id=ctx.new_id("showing"),
                item=item,
                pack=pack.id,
                family=told.family,
                model=told.model,
                host=host,
                mode=told.mode,
                at=ctx.now,
                who=ctx.principal.id,
            )
            tx.put(one.id, one, marking=row.marking, engagement=row.engagement)
            tx.record(
                ctx.act(
                    Kind.ITEM_EXPOSED,
                    pack.name,
                    row.engagement,
                    item=item,
                    model=told.model,
                    family=told.family,
                    host=host,
                    mode=told.mode,
                )
            )
        if not twice:
            _advance(tx, session, Stage.RAN)
    if twice:
        raise _asked_twice(ctx, row)


@contextmanager
def _alarmed(ctx: Context, row: Stored[Pack], what: str) -> Iterator[None]:
    """A refusal or a sign of tampering inside is an alert before it is raised on."""
    try:
        yield
    except (Refused, Tampered) as error:
        told = f"{what} ({error.code})"
        ctx.alarm("unsealing", row.value.name, told, engagement=row.engagement)
        raise


def _asked_twice(ctx: Context, row: Stored[Pack]) -> Refused:
    """The alert, and the refusal to raise."""
    told = "an item was asked for a second time, where the terms allow one showing"
    ctx.alarm("exposure", row.value.name, told, engagement=row.engagement)
    return Refused(told)


def known(
    ctx: Context,
    action: Action,
    id_: str,
    granted: Granted | None = None,
    *,
    proved: bool = False,
) -> Stored[Pack]:
    """The pack, for whoever may do *action* with it.

    For all others a pack whose existence is restricted is a thing that does not exist: the same
    look-ups, the same denial on record, the same words.
    """
    with ctx.store.read() as view:
        row = _row(view, Pack, id_)
    absent = Resource("pack", id_ if ID.fullmatch(id_) else "malformed", marking=NOBODY)
    about = thing(row) if row else absent
    if row is not None and not row.value.hidden:
        ctx.require(action, about, granted, proved=proved)
        return row
    allowed = ctx.decision(action, about, granted, proved=proved).allowed
    if row is not None and allowed:
        ctx.require(action, about, granted, proved=proved)
        return row
    try:
        ctx.require(action, absent, granted, proved=proved)
    except Denied:
        raise NotFound(f"no pack {absent.id}") from None
    raise NotFound(f"no pack {absent.id}")


def standing(
    ctx: Context,
    action: Action,
    session_id: str,
    granted: Granted | None = None,
    *,
    proved: bool = False,
) -> tuple[Stored[RunSession], Stored[Pack]]:
    """A session and its pack, for whoever may do *action* with the pack."""
    with ctx.store.read() as view:
        session = _row(view, RunSession, session_id)
    try:
        row = known(ctx, action, session.value.pack if session else "", granted, proved=proved)
    except NotFound:
        raise NotFound(f"no session {session_id}") from None
    assert session is not None  # noqa: S101 -- no pack has an empty id
    return session, row


R = TypeVar("R")


def _row(view: Reading, kind: type[R], id_: str) -> Stored[R] | None:
    """The row with this id, if any; the work is the same whether there is one or not."""
    return next((row for row in view.find(kind) if row.id == id_), None)


def thing(row: Stored[Pack]) -> Resource:
    """The pack as access rules and approvals see it: by the name that acts use."""
    return Resource("pack", row.value.name, row.engagement, row.org, row.marking)


def _showings(view: Reading, row: Stored[Pack]) -> Sequence[Showing]:
    found = view.find(Showing, engagement=row.engagement)
    return [one.value for one in found if one.value.pack == row.id]


def _account(view: Reading, pack: Pack, family: str) -> Account:
    id_ = sha256(canonical.encode((pack.id, family, pack.cycle))).hexdigest()
    row = _row(view, Account, id_)
    return row.value if row else Account(id_, pack.id, family, pack.cycle)


def _restored(pack: Pack, limits: Limits) -> str:
    return instant(cycle_ends(datetime.fromisoformat(pack.cycle_began), limits))


def _advance(tx: Writing, session: Stored[RunSession], stage: Stage) -> None:
    tx.put(
        session.id,
        replace(session.value, stage=stage),
        marking=session.marking,
        engagement=session.engagement,
        expect=session.version,
    )
