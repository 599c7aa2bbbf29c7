"""One complete assessment, step by step, each step a use case by the person whose deed it is.

The record is the memory: before a step the acts are looked up, and what stands in them is not done
again. So the script may be stopped at any moment, by Ctrl-C or by force, and run again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from leadline.app import approval, assessment, clearing, engagement, stopping
from leadline.app.assertion import Signed
from leadline.app.decision_verify import DRAWS
from leadline.app.drawing import wanted
from leadline.app.engagement import Cast, Dealings, Desk
from leadline.app.laboratory import Laboratory, qualified
from leadline.app.match import Sample
from leadline.app.ports import Shard
from leadline.app.running import Outlook, expected, places_at_work, shard_size
from leadline.core import assessment as core
from leadline.core.access import Action
from leadline.core.assessment import (
    Budget,
    Plan,
    PlannedItem,
    SampleResult,
    ShardResult,
    SubjectKind,
)
from leadline.core.clearing.advisory import draft
from leadline.core.clearing.finding import REPLAYS, Finding, ReplayVerdict
from leadline.core.clearing.group import group
from leadline.core.engagement.criteria import Criteria, outcome
from leadline.core.engagement.determination import Determination, Outcome, Scope
from leadline.core.engagement.regime import Regime
from leadline.core.errors import Refused
from leadline.core.identity import Identified
from leadline.core.isolation import Tier
from leadline.core.marking import Tlp
from leadline.core.measure.assessed import Course, decide, of_subject
from leadline.core.measure.order import draw_all
from leadline.core.record.act import Kind
from leadline.core.record.commitment import derived_seed, seed_commitment
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


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for on the command line.

    *seed_hex* None means fresh random bits. *items* is the most items to take of each suite, the
    first of the committed order; 0 takes all. *suites* names those to run, none meaning every one
    that is installed. *tier* is the isolation tier, *official* that the run is for a programme and
    not self-assessment, *rung* the declared configuration of the elicitation ladder, *declared* what
    else is said of a model (version, variant, weights). *run_tokens* and
    *run_cost_micro_usd* are what all attempts may use together; 0 is no cap. After *dead_man_seconds*
    without a heartbeat of driver or store the warden ends the run; so does an alarm of a source in
    *stop_on* (`core.scope`). *home* is the folder of the installation whose records of qualification
    an official run rests on; empty in a self-assessment. With *estimate* what the decision did not ask
    for runs too, once it is reached. *criteria* is the pack: the name of one that is installed, or a
    file; empty for the demonstration's.
    """

    subject: str
    epochs: int
    budget: Budget
    seed_hex: str | None = None
    items: int = 0
    suites: tuple[str, ...] = ()
    tier: str = Tier.SHARED_KERNEL
    official: bool = False
    rung: str = ""
    declared: Mapping[str, str] = field(default_factory=dict)
    run_tokens: int = 0
    run_cost_micro_usd: int = 0
    dead_man_seconds: int = 30
    stop_on: tuple[str, ...] = ()
    home: str = ""
    estimate: bool = False
    criteria: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """Seed and salt of one assessment; private until they are revealed."""

    seed: bytes
    salt: bytes

    @property
    def commitment(self) -> str:
        """What the log holds of them beforehand, in hex."""
        return seed_commitment(self.salt, self.seed).hex()

    def derived(self, use: str) -> bytes:
        """A seed of its own for each use, so that none tells anything of another."""
        return derived_seed(self.seed, use)


class Done:
    """What the record already holds, as (kind, about)."""

    def __init__(self, desk: Desk, engagement_id: str) -> None:
        self._desk, self._engagement = desk, engagement_id

    def __contains__(self, step: tuple[Kind, str]) -> bool:
        kind, about = step
        with self._desk.evaluator().store.read() as view:
            return bool(view.acts(engagement=self._engagement, kind=kind, about=about))

    def by(self, kind: Kind, actor: str) -> bool:
        """Whether *actor* has done such a deed."""
        with self._desk.evaluator().store.read() as view:
            acts = view.acts(engagement=self._engagement, kind=kind)
        return any(opened.act.actor == actor for opened in acts)

    def withdrawn(self) -> bool:
        """Whether the developer has withdrawn."""
        return (Kind.ENGAGEMENT_WITHDRAWN, self._engagement) in self


@dataclass(frozen=True, slots=True)
class Script:
    """Everything one run of the script needs."""

    desk: Desk
    lab: Laboratory
    observe: Observer
    secret: Secret
    criteria: Criteria
    criteria_digest: str
    request: Request
    cast: Cast
    regime: Regime
    operators: Sequence[Sample]
    sign: Callable[[bytes], Signed]  # with the demonstration official's own key

    @property
    def engagement(self) -> str:
        """The engagement's id, from the seed: unguessable, and the same when a run is repeated."""
        return engagement_id(self.secret)

    @property
    def dealings(self) -> Dealings:
        """The engagement under its regime."""
        return Dealings(self.engagement, self.cast.developer, self.regime)

    @property
    def assessment(self) -> str:
        """The assessment's id."""
        return assessment_id(self.secret)

    @property
    def done(self) -> Done:
        """What the record holds."""
        return Done(self.desk, self.engagement)


def engagement_id(secret: Secret) -> str:
    """The engagement's id, from the seed: unguessable, and the same when a run is repeated."""
    return f"eng-{secret.derived('engagement').hex()[:16]}"


def assessment_id(secret: Secret) -> str:
    """The assessment's id, likewise."""
    return f"asm-{secret.derived('assessment').hex()[:16]}"


def run(script: Script) -> Plan:
    """Run every step that the record does not hold yet; answers the plan.

    Raises: Refused, when isolation does not hold or the developer has withdrawn.
    """
    script.observe.phase("engagement: inquiry, terms, access")
    engagement.open_engagement(
        script.desk,
        script.dealings,
        script.cast,
        script.lab.subject,
        script.done.by,
        script.sign,
    )
    plan = _plan(script)
    _isolation(script, plan, "before")
    results = _measure(script, plan)
    _isolation(script, plan, "after")
    _finish(script, plan, results)
    _findings(script, plan, results)
    _clearinghouse(script, plan)
    _determine(script, plan, results)
    return plan


def _plan(script: Script) -> Plan:
    with script.desk.evaluator().store.read() as view:
        known = view.find(Plan, engagement=script.engagement)
    if known:
        return known[0].value
    script.observe.phase("plan: items drawn and committed to, before the subject is touched")
    suites = tuple(
        _ordered(suite, script.secret, script.request.items)
        for suite in _runnable(script, script.lab.suites(script.secret.seed))
    )
    plan = Plan(
        id=script.assessment,
        engagement=script.engagement,
        subject=script.lab.subject,
        suites=suites,
        seed_commitment=script.secret.commitment,
        criteria=script.criteria.id,
        criteria_digest=script.criteria_digest,
        budget=script.request.budget,
        epochs=script.request.epochs,
        shard_items=shard_size(script.lab.subject.kind, script.request.budget, suites),
        tier=script.request.tier,
        official=script.request.official,
        rung=script.request.rung,
        run_tokens=script.request.run_tokens,
        run_cost_micro_usd=script.request.run_cost_micro_usd,
        dead_man_seconds=script.request.dead_man_seconds,
        stop_on=script.request.stop_on,
        estimate=script.request.estimate,
    )
    for suite in suites:
        what = suite.unavailable or f"{len(suite.items)} items"
        script.observe.note(f"{suite.name}: {what}")
    return assessment.plan_assessment(script.desk.evaluator(), plan)


def _runnable(script: Script, suites: Sequence[core.PlannedSuite]) -> Sequence[core.PlannedSuite]:
    """*suites* as they are in a self-assessment; in an official run, of what records carry.

    Raises: Refused, if no item is left: then there is no run.
    """
    if script.request.official:
        suites = [qualified(suite, script.lab.standing(suite)) for suite in suites]
    if not any(suite.items for suite in suites):
        told = "; ".join(f"{suite.name}: {suite.unavailable}" for suite in suites)
        raise Refused(f"there is no item to run ({told})")
    return suites


def _ordered(suite: core.PlannedSuite, secret: Secret, most: int) -> core.PlannedSuite:
    """The suite in the order that the seed fixed, and of it the first *most* items."""
    by_id = {item.id: item for item in suite.items}
    order = draw_all(secret.derived("order"), tuple(sorted(by_id))) if by_id else ()
    return replace(suite, items=tuple(by_id[id_] for id_ in order[: most or len(order)]))


def _isolation(script: Script, plan: Plan, about: str) -> None:
    """Drill and egress proof. An interrupted run proves isolation anew before it goes on."""
    done, ctx = script.done, script.desk.evaluator
    if about == "before" and (Kind.KILL_DRILLED, f"{plan.id}/drill") not in done:
        script.observe.phase("isolation: kill drill and egress proof")
        assessment.record_isolation(ctx(), plan, Kind.KILL_DRILLED, script.lab.drill())
    if about == "after" and (Kind.ISOLATION_PROVED, f"{plan.id}/after") in done:
        return
    evidence = script.lab.prove(about)
    if about == "before" and not _drilled_since_boot(script, plan, evidence):
        assessment.record_isolation(ctx(), plan, Kind.KILL_DRILLED, script.lab.drill())
    if (Kind.ISOLATION_PROVED, f"{plan.id}/{about}") in done:
        if not evidence.ok:
            raise Refused("isolation no longer holds on this host; `leadline doctor` says why")
        if _still_proved(script, plan, evidence):
            return
    assessment.record_isolation(ctx(), plan, Kind.ISOLATION_PROVED, evidence)


def _drilled_since_boot(script: Script, plan: Plan, evidence: assessment.Evidence) -> bool:
    """Whether the last drill was of this boot of this host; each boot has its own."""
    held, _ = _evidence(script, plan, Kind.KILL_DRILLED, "drill")
    return held.get("host_boot_id") == evidence.record.get("host_boot_id")


def _still_proved(script: Script, plan: Plan, evidence: assessment.Evidence) -> bool:
    """Whether the recorded proof still covers this host: same boot, and not older than an hour."""
    held, at = _evidence(script, plan, Kind.ISOLATION_PROVED, "before")
    same = held.get("host_boot_id") == evidence.record.get("host_boot_id")
    return same and script.desk.evaluator().now - at < PROOF_LASTS


def _arms(plan: Plan) -> tuple[tuple[str, SubjectKind], ...]:
    """Who is measured: the subject, and beside a model the tool baseline on the same items."""
    own = (plan.subject.name, plan.subject.kind)
    return (own,) if plan.subject.name == BASELINE else (own, (BASELINE, "tool-agent"))


def _canaries(script: Script, plan: Plan) -> None:
    """Beside an official run, one reference and one empty answer of each family, on each host."""
    if plan.official:
        script.observe.phase("canaries: one reference and one empty answer of each family")
        script.lab.canaries(plan, script.secret.seed)
        _enter_hosts(script, plan)


def _enter_hosts(script: Script, plan: Plan) -> None:
    """Enter what the canaries showed on hosts that had not told before."""
    for evidence in script.lab.judged():
        if (Kind.CANARIES_JUDGED, f"{plan.id}/{evidence.about}") in script.done:
            continue
        assessment.record_canaries(script.desk.evaluator(), plan, evidence)
        if not evidence.ok:
            told = f"{evidence.about}: this host gives no results: {evidence.record['reason']}"
            script.observe.note(told)


def _submit(
    script: Script, plan: Plan, identity: Identified, results: Sequence[ShardResult]
) -> None:
    """Enter what the decision came to, and put every shard that is known by now into the table.

    Shards that are there already stay as they are.
    """
    course = decided(script, plan, results)
    if course is not None:
        assessment.record_course(script.desk.evaluator(), plan, course)
    reference = encode(plain(identity)).decode()
    for one in wanted(plan, script.criteria, _arms(plan), course):
        script.lab.executor.submit(
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


def _measure(script: Script, plan: Plan) -> list[ShardResult]:
    """Run every shard, sealing each one's evidence as it ends."""
    lab, ctx, done = script.lab, script.desk.evaluator, script.done
    if (Kind.ASSESSMENT_FINISHED, plan.id) in done:
        return list(assessment.shard_results(ctx(), plan))
    _require_access(script)
    if (Kind.ASSESSMENT_STARTED, plan.id) not in done:
        assessment.start_assessment(ctx(), plan)
    identity = assessment.identify_subject(ctx(), plan, lab.identify())
    _canaries(script, plan)
    sealed = {result.shard: result for result in assessment.shard_results(ctx(), plan)}
    for result in sealed.values():  # an end between the seal and the index left one out
        lab.enter(result)
    _submit(script, plan, identity, list(sealed.values()))
    script.observe.phase(f"measurement: {plan.subject.name}, {plan.budget.words()} an attempt")
    lab.start_workers(plan.id)
    outlook = Outlook()
    try:
        while len(sealed) < len(shards := _sealed(script, plan, sealed, identity)):
            script.observe.samples(shards)
            _heed(script, plan)
            if news := outlook.due(len(sealed)):
                _foresee(script, plan, shards, list(sealed.values()), outlook)
            if any(shard.state == "frozen" for shard in shards):
                raise Refused(
                    "the run is frozen: its kill switch was fired and no sandbox is left; "
                    "`leadline run thaw OUT` lets it go on once the cause is known"
                )
            _require_access(script)
            lab.workers_alive()
            time.sleep(0 if news else POLL_SECONDS)
    finally:
        lab.stop_workers()
        _heed(script, plan)
    return [sealed[shard.input["name"]] for shard in shards]


def _sealed(
    script: Script, plan: Plan, sealed: dict[str, ShardResult], identity: Identified
) -> Sequence[Shard]:
    """The run's shards, every one that has ended sealed, and put into the table what follows from them."""
    shards = script.lab.executor.shards(plan.id)
    known = len(sealed)
    for shard in shards:
        name = shard.input["name"]
        if name not in sealed and shard.state in {"done", "failed"}:
            sealed[name] = _seal(script, plan, shard)
    if len(sealed) == known:
        return shards
    _submit(script, plan, identity, list(sealed.values()))
    return script.lab.executor.shards(plan.id)


def _heed(script: Script, plan: Plan) -> None:
    """Raise what subjects did that is an alarm, and enter what ended the run."""
    ctx, lab = script.desk.evaluator(), script.lab
    for told in stopping.raise_alarms(ctx, plan, lab.alarms()):
        script.observe.note(f"ALARM: {told}")
    stopping.settle(ctx, plan, lab.executor, lab.stops())
    _enter_hosts(script, plan)


def _foresee(
    script: Script,
    plan: Plan,
    shards: Sequence[Shard],
    results: Sequence[ShardResult],
    outlook: Outlook,
) -> None:
    """Tell the forecast against the end of access, where there is news."""
    ctx = script.desk.evaluator()
    ends = engagement.state_of(ctx, script.dealings)[1].ends
    found = expected(
        plan, shards, results, now=ctx.now, ends=ends, places=places_at_work(plan, shards)
    )
    if news := outlook.news(found):
        more = _undrawn(script, plan, shards)
        script.observe.note(f"{news}; the decision may ask for {more} items more" if more else news)


def _undrawn(script: Script, plan: Plan, shards: Sequence[Shard]) -> int:
    """How many items the decision has not asked for, and may yet."""
    known = {item for shard in shards for item in shard.input["items"].split(",")}
    return sum(
        item.id not in known
        for suite in plan.suites
        for item in suite.items
        if script.criteria.counts(suite.name, item.family)
    )


def _require_access(script: Script) -> None:
    """Return while access is open; no sample starts, or goes on, without it.

    Raises: Refused, saying what ended it: the developer's withdrawal, or the computed ceiling.
    """
    _require_taking_part(script)
    engagement.require_open(script.desk.evaluator(), script.dealings)


def _require_taking_part(script: Script) -> None:
    """Raises: Refused, once the developer has withdrawn, even where every sample was measured before."""
    if script.done.withdrawn():
        raise Refused("the developer has withdrawn: access has ended and every sample stopped")


def _evidence(
    script: Script, plan: Plan, kind: Kind, what: str
) -> tuple[Mapping[str, object], datetime]:
    """The last drill, or the egress proof that the samples rest on, and when it was entered."""
    ctx, about = script.desk.evaluator(), f"{plan.id}/{what}"
    with ctx.store.read() as view:
        acts = view.acts(engagement=plan.engagement, kind=kind, about=about)
    record = decode(ctx.vault.get(str(acts[-1].act.detail["evidence"])))
    assert isinstance(record, Mapping)  # noqa: S101 -- written by record_isolation
    return record, acts[-1].act.at


def _seal(script: Script, plan: Plan, shard: Shard) -> ShardResult:
    if shard.state == "done":
        result = core.in_proved_boxes(
            script.lab.result(shard), _evidence(script, plan, Kind.ISOLATION_PROVED, "before")[0]
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
        script.observe.note(f"{result.shard}: no result ({shard.error})")
    assessment.seal_evidence(script.desk.evaluator(), plan, result)
    script.lab.enter(result)
    solved = sum(sample.solved for sample in result.samples)
    script.observe.note(f"{result.shard}: {solved} of {len(result.samples)} solved")
    return result


def _finish(script: Script, plan: Plan, results: Sequence[ShardResult]) -> None:
    ctx, done = script.desk.evaluator, script.done
    if (Kind.ASSESSMENT_FINISHED, plan.id) not in done:
        states = [sample.state for result in results for sample in result.samples]
        counts = {str(state): states.count(state) for state in sorted(set(states))}
        _require_taking_part(script)
        assessment.finish_assessment(ctx(), plan, counts)
    if (Kind.SEED_REVEALED, plan.id) not in done:
        assessment.reveal_seed(ctx(), plan, script.secret.seed, script.secret.salt)


def _findings(script: Script, plan: Plan, results: Sequence[ShardResult]) -> None:
    """Each crash that the judge confirmed is a finding, replayed in fresh sandboxes."""
    script.observe.phase("findings: each confirmed crash replayed in fresh sandboxes")
    items = plan.items
    done = script.done
    for result in results:
        if result.subject != plan.subject.name:
            continue
        for sample in result.samples:
            # A chain that was climbed, or a flag that was stated, leaves no input to be replayed.
            if not sample.proof or sample.outcome not in {"solved", "other_bug", "both_misbehave"}:
                continue
            finding = _finding(plan, *items[sample.item], sample)
            proof = script.lab.proof(sample.item, sample.log)
            if (Kind.FINDING_RECORDED, finding.id) not in done:
                ctx = script.desk.evaluator()
                clearing.record_finding(ctx, plan.engagement, finding, proof)
            if (Kind.FINDING_REPLAYED, finding.id) not in done:
                replayed = script.lab.replay(finding.id, sample.item, proof, REPLAYS)
                ctx = script.desk.evaluator()
                clearing.record_replay(ctx, plan.engagement, replayed.result, replayed.crash)
                script.observe.note(f"{finding.title}: {replayed.result.verdict.value}")


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


def _clearinghouse(script: Script, plan: Plan) -> None:
    """Groups, advisories for real packages, and each operator's notice."""
    script.observe.phase("clearinghouse: groups, advisories, operators")
    ctx, done = script.desk.coordinator, script.done
    case = clearing.case_of(ctx(), plan.engagement)
    for proposal in group(case.crashes):
        if (Kind.GROUP_PROPOSED, proposal.id) not in done:
            clearing.propose_group(ctx(), plan.engagement, proposal)
    items = plan.items
    for found in _by_release(case):
        fixed, at = items[found[0].item][1].fixed_purl, max(finding.at for finding in found)
        advisory = draft(found, fixed_purl=fixed, at=at, tlp=Tlp.AMBER_STRICT)
        if (Kind.ADVISORY_DRAFTED, advisory.id) not in done:
            clearing.draft_advisory(ctx(), plan.engagement, advisory)
    advisories = clearing.case_of(ctx(), plan.engagement).advisories
    for enrolled in script.operators:
        for about, page in clearing.pages_for(enrolled, advisories).items():
            if (Kind.NOTICE_ISSUED, about) not in done:
                clearing.issue_page(ctx(), plan.engagement, about, page)
                script.observe.note(f"{enrolled.operator.name}: {page.heading}")


def _by_release(case: clearing.Case) -> list[list[Finding]]:
    """The findings in real packages whose fix was seen to help, by release, in order."""
    owned: dict[str, list[Finding]] = {}
    for finding in case.findings:
        replayed = case.replays.get(finding.id)
        if finding.purl and replayed and replayed.verdict is ReplayVerdict.FIX_EFFECTIVE:
            owned.setdefault(finding.purl, []).append(finding)
    return [owned[purl] for purl in sorted(owned)]


def decided(script: Script, plan: Plan, results: Sequence[ShardResult]) -> Course | None:
    """The sequential decision about the subject, from the sealed results alone."""
    in_turn = sorted(
        results, key=lambda result: result.shard
    )  # a lost run before what makes up for it
    samples = of_subject(in_turn, plan.subject.name)
    return decide(script.criteria, plan, samples, script.secret.derived(DRAWS))


def _determine(script: Script, plan: Plan, results: Sequence[ShardResult]) -> None:
    """The official's answer, with both errors; and the end of the engagement."""
    done, cast = script.done, script.cast
    if not done.by(Kind.DETERMINATION_RECORDED, cast.people["official"]):
        script.observe.phase("determination, by the demonstration's official")
        ctx, criteria = script.desk.official(), script.criteria
        course = decided(script, plan, results)
        decision = course.decision if course else None
        found = outcome(decision.status().state) if decision else Outcome.UNDETERMINED
        log = [record.to_dict() for record in decision.log] if decision else []
        basis = ctx.vault.put(
            encode(plain(log)), marking=assessment.EVIDENCE, engagement=script.dealings.id
        )
        determination = Determination(
            scope=Scope(cast.model, plan.subject.name, plan.subject.digest),
            answer=criteria.answers[found],
            outcome=found,
            basis=basis,
            criteria=criteria.digest,
            alpha_above=criteria.alpha_above,
            alpha_below=criteria.alpha_below,
            official=cast.official,
            expires=ctx.now + timedelta(days=cast.determination_days),
            trigger="another weights version, or another scaffold",
            caveats=(
                criteria.notice,
                "Holds for this suite, this budget and the effort shown.",
            ),
            demonstration=criteria.demonstration,
        )
        facts, about = engagement.signed_facts(determination), script.dealings.resource()
        granted = approval.asserted(ctx, Action.DETERMINATION_RECORD, about, facts, script.sign)
        engagement.record_determination(ctx, script.dealings, determination, granted)
    if not done.by(Kind.ENGAGEMENT_ENDED, cast.people["developer"]):
        engagement.end(script.desk.developer(), script.dealings)
