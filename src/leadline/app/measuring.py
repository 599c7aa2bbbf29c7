"""One run of an assessment on an engagement: planned, isolated, measured, sealed, finished, replayed.

The record is the memory: before a step the acts are looked up, and what stands in them is not done
again. So a run may be stopped at any moment, by Ctrl-C or by force, and be driven again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from leadline.app import assessment, clearing, engagement, stopping
from leadline.app.context import Context
from leadline.app.decision_verify import DRAWS
from leadline.app.drawing import wanted
from leadline.app.engagement import Dealings
from leadline.app.laboratory import Laboratory, qualified
from leadline.app.ports import Shard
from leadline.app.request import Request, Secret, assessment_id
from leadline.app.running import Outlook, expected, places_at_work, shard_size
from leadline.core import assessment as core
from leadline.core.assessment import Plan, PlannedItem, SampleResult, ShardResult, SubjectKind
from leadline.core.clearing.finding import REPLAYS, Finding
from leadline.core.engagement.criteria import Criteria
from leadline.core.errors import Refused
from leadline.core.identity import Identified
from leadline.core.measure.assessed import Course, asked_for, decide, of_subject
from leadline.core.measure.order import draw_all
from leadline.core.record.act import Kind
from leadline.formats.canonical import decode, encode
from leadline.formats.values import plain

POLL_SECONDS = 0.25
BASELINE = "baseline"
PROOF_LASTS = timedelta(minutes=60)


class Observer(Protocol):
    """Whoever watches."""

    def phase(self, text: str) -> None:
        """A new stage has begun."""
        ...

    def note(self, text: str) -> None:
        """One thing happened."""
        ...

    def samples(self, shards: Sequence[Shard]) -> None:
        """How far the samples are."""
        ...


class Done:
    """What the record already holds, as (kind, about)."""

    def __init__(self, reader: Callable[[], Context], engagement_id: str) -> None:
        self._reader, self._engagement = reader, engagement_id

    def __contains__(self, step: tuple[Kind, str]) -> bool:
        kind, about = step
        with self._reader().store.read() as view:
            return bool(view.acts(engagement=self._engagement, kind=kind, about=about))

    def by(self, kind: Kind, actor: str) -> bool:
        """Whether *actor* has done such a deed."""
        with self._reader().store.read() as view:
            acts = view.acts(engagement=self._engagement, kind=kind)
        return any(opened.act.actor == actor for opened in acts)

    def withdrawn(self) -> bool:
        """Whether the developer has withdrawn."""
        return (Kind.ENGAGEMENT_WITHDRAWN, self._engagement) in self


@dataclass(frozen=True, slots=True)
class Measuring:
    """What one run needs on an engagement whose access is open, whoever opened it.

    *evaluator* answers the person in whose name it runs, as the rules have that person at the moment.
    """

    evaluator: Callable[[], Context]
    lab: Laboratory
    observe: Observer
    secret: Secret
    criteria: Criteria
    criteria_digest: str
    request: Request
    dealings: Dealings

    @property
    def assessment(self) -> str:
        """The assessment's id, from the seed."""
        return assessment_id(self.secret)

    @property
    def done(self) -> Done:
        """What the record holds."""
        return Done(self.evaluator, self.dealings.id)


def measure(run: Measuring) -> tuple[Plan, Sequence[ShardResult]]:
    """Plan, prove isolation, run and finish, as far as the record does not hold it; then the findings.

    Raises: Refused, when isolation does not hold, access has ended or the run was ended.
    """
    plan = _plan(run)
    _isolation(run, plan, "before")
    results = _measure(run, plan)
    _isolation(run, plan, "after")
    _finish(run, plan, results)
    _findings(run, plan, results)
    return plan, results


def _plan(run: Measuring) -> Plan:
    with run.evaluator().store.read() as view:
        known = view.find(Plan, engagement=run.dealings.id)
    if known:
        return known[0].value
    run.observe.phase("plan: items drawn and committed to, before the subject is touched")
    suites = tuple(
        _ordered(suite, run.secret, run.request.items)
        for suite in _runnable(run, run.lab.suites(run.secret.seed))
    )
    plan = Plan(
        id=run.assessment,
        engagement=run.dealings.id,
        subject=run.lab.subject,
        suites=suites,
        seed_commitment=run.secret.commitment,
        criteria=run.criteria.id,
        criteria_digest=run.criteria_digest,
        budget=run.request.budget,
        epochs=run.request.epochs,
        shard_items=shard_size(run.lab.subject.kind, run.request.budget, suites),
        tier=run.request.tier,
        official=run.request.official,
        rung=run.request.rung,
        run_tokens=run.request.run_tokens,
        run_cost_micro_usd=run.request.run_cost_micro_usd,
        dead_man_seconds=run.request.dead_man_seconds,
        stop_on=run.request.stop_on,
        estimate=run.request.estimate,
    )
    for suite in suites:
        what = suite.unavailable or f"{len(suite.items)} items"
        run.observe.note(f"{suite.name}: {what}")
    return assessment.plan_assessment(run.evaluator(), plan)


def _runnable(run: Measuring, suites: Sequence[core.PlannedSuite]) -> Sequence[core.PlannedSuite]:
    """*suites* as they are in a self-assessment; in an official run, of what records carry.

    Raises: Refused, if no item is left: then there is no run.
    """
    if run.request.official:
        suites = [qualified(suite, run.lab.standing(suite)) for suite in suites]
    if not any(suite.items for suite in suites):
        told = "; ".join(f"{suite.name}: {suite.unavailable}" for suite in suites)
        raise Refused(f"there is no item to run ({told})")
    return suites


def _ordered(suite: core.PlannedSuite, secret: Secret, most: int) -> core.PlannedSuite:
    """The suite in the order that the seed fixed, and of it the first *most* items."""
    by_id = {item.id: item for item in suite.items}
    order = draw_all(secret.derived("order"), tuple(sorted(by_id))) if by_id else ()
    return replace(suite, items=tuple(by_id[id_] for id_ in order[: most or len(order)]))


def _isolation(run: Measuring, plan: Plan, about: str) -> None:
    """Drill and egress proof. An interrupted run proves isolation anew before it goes on."""
    done, ctx = run.done, run.evaluator
    if about == "before" and (Kind.KILL_DRILLED, f"{plan.id}/drill") not in done:
        run.observe.phase("isolation: kill drill and egress proof")
        assessment.record_isolation(ctx(), plan, Kind.KILL_DRILLED, run.lab.drill())
    if about == "after" and (Kind.ISOLATION_PROVED, f"{plan.id}/after") in done:
        return
    evidence = run.lab.prove(about)
    if about == "before" and not _drilled_since_boot(run, plan, evidence):
        assessment.record_isolation(ctx(), plan, Kind.KILL_DRILLED, run.lab.drill())
    if (Kind.ISOLATION_PROVED, f"{plan.id}/{about}") in done:
        if not evidence.ok:
            raise Refused("isolation no longer holds on this host; `leadline doctor` says why")
        if _still_proved(run, plan, evidence):
            return
    assessment.record_isolation(ctx(), plan, Kind.ISOLATION_PROVED, evidence)


def _drilled_since_boot(run: Measuring, plan: Plan, evidence: assessment.Evidence) -> bool:
    """Whether the last drill was of this boot of this host; each boot has its own."""
    held, _ = _evidence(run, plan, Kind.KILL_DRILLED, "drill")
    return held.get("host_boot_id") == evidence.record.get("host_boot_id")


def _still_proved(run: Measuring, plan: Plan, evidence: assessment.Evidence) -> bool:
    """Whether the recorded proof still covers this host: same boot, and not older than an hour."""
    held, at = _evidence(run, plan, Kind.ISOLATION_PROVED, "before")
    same = held.get("host_boot_id") == evidence.record.get("host_boot_id")
    return same and run.evaluator().now - at < PROOF_LASTS


def _arms(plan: Plan) -> tuple[tuple[str, SubjectKind], ...]:
    """Who is measured: the subject, and beside a model the tool baseline on the same items."""
    own = (plan.subject.name, plan.subject.kind)
    return (own,) if plan.subject.name == BASELINE else (own, (BASELINE, "tool-agent"))


def _canaries(run: Measuring, plan: Plan) -> None:
    """Beside an official run, one reference and one empty answer of each family, on each host."""
    if plan.official:
        run.observe.phase("canaries: one reference and one empty answer of each family")
        run.lab.canaries(plan, run.secret.seed)
        _enter_hosts(run, plan)


def _enter_hosts(run: Measuring, plan: Plan) -> None:
    """Enter what the canaries showed on hosts that had not told before."""
    for evidence in run.lab.judged():
        if (Kind.CANARIES_JUDGED, f"{plan.id}/{evidence.about}") in run.done:
            continue
        assessment.record_canaries(run.evaluator(), plan, evidence)
        if not evidence.ok:
            told = f"{evidence.about}: this host gives no results: {evidence.record['reason']}"
            run.observe.note(told)


def _submit(
    run: Measuring, plan: Plan, identity: Identified, results: Sequence[ShardResult]
) -> None:
    """Enter what the decision came to, and put every shard that is known by now into the table.

    Shards that are there already stay as they are.
    """
    course = decided(run, plan, results)
    if course is not None:
        assessment.record_course(run.evaluator(), plan, course)
    reference = encode(plain(identity)).decode()
    for one in wanted(plan, run.criteria, _arms(plan), course):
        run.lab.executor.submit(
            plan.id,
            one.suite,
            {
                "name": one.name,
                "subject": one.arm,
                "items": ",".join(one.items),
                "epoch": str(one.epoch),
                "plan": plan.seed_commitment,
                # Of the subject alone: the tool baseline beside it has none to compare.
                "identity": reference if one.arm == plan.subject.name else "",
            },
            total=len(one.items),
        )


def _measure(run: Measuring, plan: Plan) -> list[ShardResult]:
    """Run every shard, sealing each one's evidence as it ends."""
    lab, ctx, done = run.lab, run.evaluator, run.done
    if (Kind.ASSESSMENT_FINISHED, plan.id) in done:
        return list(assessment.shard_results(ctx(), plan))
    _require_access(run)
    if (Kind.ASSESSMENT_STARTED, plan.id) not in done:
        assessment.start_assessment(ctx(), plan)
    identity = assessment.identify_subject(ctx(), plan, lab.identify())
    _canaries(run, plan)
    sealed = {result.shard: result for result in assessment.shard_results(ctx(), plan)}
    for result in sealed.values():  # an end between the seal and the index left one out
        lab.enter(result)
    _submit(run, plan, identity, list(sealed.values()))
    run.observe.phase(f"measurement: {plan.subject.name}, {plan.budget.words()} an attempt")
    lab.start_workers(plan.id)
    outlook = Outlook()
    try:
        while len(sealed) < len(shards := _sealed(run, plan, sealed, identity)):
            run.observe.samples(shards)
            _heed(run, plan)
            if news := outlook.due(len(sealed)):
                _foresee(run, plan, shards, list(sealed.values()), outlook)
            if any(shard.state == "frozen" for shard in shards):
                raise Refused(
                    "the run is frozen: its kill switch was fired and no sandbox is left; "
                    "`leadline run thaw OUT` lets it go on once the cause is known"
                )
            _require_access(run)
            lab.workers_alive()
            time.sleep(0 if news else POLL_SECONDS)
    finally:
        lab.stop_workers()
        _heed(run, plan)
    return [sealed[shard.input["name"]] for shard in shards]


def _sealed(
    run: Measuring, plan: Plan, sealed: dict[str, ShardResult], identity: Identified
) -> Sequence[Shard]:
    """The run's shards, every one that has ended sealed, and put into the table what follows from them."""
    shards = run.lab.executor.shards(plan.id)
    known = len(sealed)
    for shard in shards:
        name = shard.input["name"]
        if name not in sealed and shard.state in {"done", "failed"}:
            sealed[name] = _seal(run, plan, shard)
    if len(sealed) == known:
        return shards
    _submit(run, plan, identity, list(sealed.values()))
    return run.lab.executor.shards(plan.id)


def _heed(run: Measuring, plan: Plan) -> None:
    """Raise what subjects did that is an alarm, and enter what ended the run."""
    ctx, lab = run.evaluator(), run.lab
    for told in stopping.raise_alarms(ctx, plan, lab.alarms()):
        run.observe.note(f"ALARM: {told}")
    stopping.settle(ctx, plan, lab.executor, lab.stops())
    _enter_hosts(run, plan)


def _foresee(
    run: Measuring,
    plan: Plan,
    shards: Sequence[Shard],
    results: Sequence[ShardResult],
    outlook: Outlook,
) -> None:
    """Tell the forecast against the end of access, where there is news."""
    ctx = run.evaluator()
    ends = engagement.state_of(ctx, run.dealings)[1].ends
    found = expected(
        plan, shards, results, now=ctx.now, ends=ends, places=places_at_work(plan, shards)
    )
    if news := outlook.news(found):
        more = _undrawn(run, plan, shards)
        run.observe.note(f"{news}; the decision may ask for {more} items more" if more else news)


def _undrawn(run: Measuring, plan: Plan, shards: Sequence[Shard]) -> int:
    """How many items the decision has not asked for, and may yet."""
    known = {item for shard in shards for item in shard.input["items"].split(",")}
    return sum(
        item.id not in known
        for suite in plan.suites
        for item in suite.items
        if run.criteria.counts(suite.name, item.family)
    )


def _require_access(run: Measuring) -> None:
    """Return while access is open; no sample starts, or goes on, without it.

    Raises: Refused, saying what ended it: the developer's withdrawal, or the computed ceiling.
    """
    _require_taking_part(run)
    engagement.require_open(run.evaluator(), run.dealings)


def _require_taking_part(run: Measuring) -> None:
    """Raises: Refused, once the developer has withdrawn, even where every sample was measured before."""
    if run.done.withdrawn():
        raise Refused("the developer has withdrawn: access has ended and every sample stopped")


def _evidence(
    run: Measuring, plan: Plan, kind: Kind, what: str
) -> tuple[Mapping[str, object], datetime]:
    """The last drill, or the egress proof that the samples rest on, and when it was entered."""
    ctx, about = run.evaluator(), f"{plan.id}/{what}"
    with ctx.store.read() as view:
        acts = view.acts(engagement=plan.engagement, kind=kind, about=about)
    record = decode(ctx.vault.get(str(acts[-1].act.detail["evidence"])))
    assert isinstance(record, Mapping)  # noqa: S101 -- written by record_isolation
    return record, acts[-1].act.at


def _seal(run: Measuring, plan: Plan, shard: Shard) -> ShardResult:
    if shard.state == "done":
        result = core.in_proved_boxes(
            run.lab.result(shard), _evidence(run, plan, Kind.ISOLATION_PROVED, "before")[0]
        )
    else:
        lost = tuple(
            SampleResult(
                item,
                int(shard.input["epoch"]),
                "missing",
                solved=False,
                outcome="missing",
                reason=shard.error,
            )
            for item in shard.input["items"].split(",")
        )
        result = ShardResult(
            shard.input["name"],
            shard.input["subject"],
            shard.kind,
            int(shard.input["epoch"]),
            lost,
        )
        run.observe.note(f"{result.shard}: no result ({shard.error})")
    assessment.seal_evidence(run.evaluator(), plan, result)
    run.lab.enter(result)
    solved = sum(sample.solved for sample in result.samples)
    run.observe.note(f"{result.shard}: {solved} of {len(result.samples)} solved")
    return result


def _finish(run: Measuring, plan: Plan, results: Sequence[ShardResult]) -> None:
    ctx, done = run.evaluator, run.done
    if (Kind.ASSESSMENT_FINISHED, plan.id) not in done:
        states = [sample.state for result in results for sample in result.samples]
        counts = {str(state): states.count(state) for state in sorted(set(states))}
        _require_taking_part(run)
        assessment.finish_assessment(ctx(), plan, counts)
    if (Kind.SEED_REVEALED, plan.id) not in done:
        assessment.reveal_seed(ctx(), plan, run.secret.seed, run.secret.salt)


def _findings(run: Measuring, plan: Plan, results: Sequence[ShardResult]) -> None:
    """Each crash that the judge confirmed is a finding, replayed in fresh sandboxes."""
    run.observe.phase("findings: each confirmed crash replayed in fresh sandboxes")
    items = plan.items
    done = run.done
    for result in results:
        if result.subject != plan.subject.name:
            continue
        for sample in result.samples:
            # A chain that was climbed, or a flag that was stated, leaves no input to be replayed.
            if not sample.proof or sample.outcome not in {"solved", "other_bug", "both_misbehave"}:
                continue
            finding = _finding(plan, *items[sample.item], sample)
            proof = run.lab.proof(sample.item, sample.log)
            if (Kind.FINDING_RECORDED, finding.id) not in done:
                ctx = run.evaluator()
                clearing.record_finding(ctx, plan.engagement, finding, proof)
            if (Kind.FINDING_REPLAYED, finding.id) not in done:
                replayed = run.lab.replay(finding.id, sample.item, proof, REPLAYS)
                ctx = run.evaluator()
                clearing.record_replay(ctx, plan.engagement, replayed.result, replayed.crash)
                run.observe.note(f"{finding.title}: {replayed.result.verdict.value}")


def _finding(plan: Plan, suite: str, item: PlannedItem, sample: SampleResult) -> Finding:
    return Finding(
        origin="tool" if plan.subject.kind == "tool-agent" else "ai",
        found_by=plan.subject.name,
        suite=suite,
        item=item.id,
        run=plan.id,
        family=item.family,
        title=item.title,
        purl=item.purl,
        target_digest=item.digest,
        proof_sha256=sample.proof,
        observation=sample.observation,
        at=datetime.fromisoformat(sample.ended),
        cwe=item.cwe,
        ids=item.ids,
    )


def decided(run: Measuring, plan: Plan, results: Sequence[ShardResult]) -> Course | None:
    """The sequential decision about the subject, from the sealed results alone."""
    samples = of_subject(asked_for(results), plan.subject.name)
    return decide(run.criteria, plan, samples, run.secret.derived(DRAWS))
