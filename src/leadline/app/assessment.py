"""What an evaluator does with an assessment: plan, prove isolation, start, seal evidence, finish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from leadline.app.context import Context
from leadline.core.access import Action, Resource
from leadline.core.assessment import Plan, ShardResult
from leadline.core.errors import Refused
from leadline.core.identity import Identified, shift
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, Value
from leadline.core.record.commitment import seed_commitment
from leadline.formats.canonical import encode
from leadline.formats.values import plain

if TYPE_CHECKING:  # the statistics behind it take long to import, and a worker needs none of them
    from leadline.core.measure.assessed import Course

EVIDENCE = Marking(Tlp.AMBER_STRICT)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A record of isolation that is kept by digest: an egress proof or a kill drill."""

    about: str  # what it covers, such as "before" or "after"
    ok: bool
    record: Mapping[str, Value]


def resource(plan: Plan) -> Resource:
    """The thing that access rules are asked about."""
    return Resource("assessment", plan.id, plan.engagement, marking=EVIDENCE)


def plan_assessment(ctx: Context, plan: Plan) -> Plan:
    """Fix what will be run, and commit to the seed, before the subject is touched."""
    ctx.require(Action.ASSESSMENT_PLAN, resource(plan))
    digest = ctx.vault.put(encode(plain(plan)), marking=EVIDENCE, engagement=plan.engagement)
    with ctx.store.write() as tx:
        tx.put(plan.id, plan, marking=EVIDENCE, engagement=plan.engagement)
        tx.record(
            ctx.act(
                Kind.ASSESSMENT_PLANNED,
                plan.id,
                plan.engagement,
                plan=digest,
                seed_commitment=plan.seed_commitment,
                criteria=plan.criteria_digest,
                subject=plan.subject.digest,
                items=sum(len(suite.items) for suite in plan.suites),
            )
        )
    return plan


def record_isolation(ctx: Context, plan: Plan, kind: Kind, evidence: Evidence) -> str:
    """Enter an egress proof or a kill drill; answers the digest of the record.

    A record that does not hold is entered too, and then refused: no proof, no run.

    Raises: Refused, if the evidence says that isolation did not hold.
    """
    ctx.require(Action.ASSESSMENT_RUN, resource(plan))
    digest = ctx.vault.put(
        encode(dict(evidence.record)), marking=EVIDENCE, engagement=plan.engagement
    )
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                kind,
                f"{plan.id}/{evidence.about}",
                plan.engagement,
                evidence=digest,
                held=evidence.ok,
            )
        )
    if not evidence.ok:
        raise Refused(
            f"isolation did not hold ({kind.value}, {evidence.about}); no sample is run without "
            "it. `leadline doctor` names the cause"
        )
    return digest


def start_assessment(ctx: Context, plan: Plan) -> None:
    """Enter the start."""
    ctx.require(Action.ASSESSMENT_RUN, resource(plan))
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.ASSESSMENT_STARTED, plan.id, plan.engagement))


def record_canaries(ctx: Context, plan: Plan, evidence: Evidence) -> None:
    """Enter what the canaries of an official run showed on one host; held or not, nothing is refused here."""
    ctx.require(Action.ASSESSMENT_RUN, resource(plan))
    digest = ctx.vault.put(
        encode(dict(evidence.record)), marking=EVIDENCE, engagement=plan.engagement
    )
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.CANARIES_JUDGED,
                f"{plan.id}/{evidence.about}",
                plan.engagement,
                evidence=digest,
                held=evidence.ok,
            )
        )


def record_course(ctx: Context, plan: Plan, course: "Course") -> None:
    """Enter the head of the decision's log after each batch that ran whole; what stands already stays.

    The sealed log then holds every draw and result as it was before the next one was known.
    """
    ctx.require(Action.ASSESSMENT_RUN, resource(plan))
    log, ends = course.decision.log, accumulate(len(batch) for batch in course.batches)
    with ctx.store.read() as view:
        held = view.acts(engagement=plan.engagement, kind=Kind.DECISION_ADVANCED)
    known = {opened.act.about for opened in held}
    for number, end in enumerate(ends, 1):
        about = f"{plan.id}/decision/{number:03d}"
        if end > len(log) or about in known:
            continue
        with ctx.store.write() as tx:
            tx.record(
                ctx.act(
                    Kind.DECISION_ADVANCED,
                    about,
                    plan.engagement,
                    head=log[end - 1].digest,
                    plan=course.decision.plan.digest,
                    runs=end,
                )
            )


def identify_subject(ctx: Context, plan: Plan, identity: Identified) -> Identified:
    """Enter who answered before the first sample, or compare with who was entered before.

    Answers the identity that stands in the record: the reference for every shard.

    Raises: Refused, if another subject answers now than the one measured so far.
    """
    ctx.require(Action.ASSESSMENT_RUN, resource(plan))
    with ctx.store.read() as view:
        held = [row.value for row in view.find(Identified, engagement=plan.engagement)]
    if held:
        _require_same(held[0], identity)
        return held[0]
    digest = ctx.vault.put(encode(plain(identity)), marking=EVIDENCE, engagement=plan.engagement)
    with ctx.store.write() as tx:
        tx.put(f"{plan.id}/identity", identity, marking=EVIDENCE, engagement=plan.engagement)
        tx.record(
            ctx.act(
                Kind.SUBJECT_IDENTIFIED,
                plan.id,
                plan.engagement,
                identity=digest,
                subject=identity.declared.digest,
                reported=tuple(identity.reported),
            )
        )
    return identity


def _require_same(held: Identified, now: Identified) -> None:
    why = ""
    if held.declared != now.declared:
        why = "what is declared of it, or its scaffold, is another"
    elif held.fingerprint and now.fingerprint:
        why = shift(held.fingerprint, now.fingerprint).why
    if why:
        raise Refused(
            f"another subject answers than the one measured so far ({why}); what was measured stays "
            "as it is: begin a new assessment for this one"
        )


def seal_evidence(ctx: Context, plan: Plan, result: ShardResult) -> None:
    """Enter a shard's eval logs and results by digest."""
    ctx.require(Action.EVIDENCE_SEAL, resource(plan))
    digest = ctx.vault.put(encode(plain(result)), marking=EVIDENCE, engagement=plan.engagement)
    with ctx.store.write() as tx:
        tx.put(f"{plan.id}/{result.shard}", result, marking=EVIDENCE, engagement=plan.engagement)
        tx.record(
            ctx.act(
                Kind.EVIDENCE_SEALED,
                f"{plan.id}/{result.shard}",
                plan.engagement,
                results=digest,
                logs=dict(result.logs),
            )
        )


def reveal_seed(ctx: Context, plan: Plan, seed: bytes, salt: bytes) -> None:
    """Open the commitment of the plan, so that anyone can make the same items again.

    Raises: Refused, if seed and salt do not open it.
    """
    ctx.require(Action.ASSESSMENT_RUN, resource(plan))
    if seed_commitment(salt, seed).hex() != plan.seed_commitment:
        raise Refused("this seed and salt do not open the plan's commitment; nothing is revealed")
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(Kind.SEED_REVEALED, plan.id, plan.engagement, seed=seed.hex(), salt=salt.hex())
        )


def finish_assessment(ctx: Context, plan: Plan, counts: Mapping[str, int]) -> None:
    """Enter the end with the counts of samples by state."""
    ctx.require(Action.ASSESSMENT_RUN, resource(plan))
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.ASSESSMENT_FINISHED, plan.id, plan.engagement, samples=dict(counts)))


def shard_results(ctx: Context, plan: Plan) -> Sequence[ShardResult]:
    """All sealed results of the assessment, in the order of their shards."""
    ctx.require(Action.ASSESSMENT_READ, resource(plan))
    with ctx.store.read() as view:
        return [row.value for row in view.find(ShardResult, engagement=plan.engagement)]
