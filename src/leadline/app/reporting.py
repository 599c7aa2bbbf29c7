"""From the record of one assessment to the value that the pages show, and to the bundle's files."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadline.app import assessment, clearing, engagement, log, measured
from leadline.app.assess import Script
from leadline.app.measuring import decided
from leadline.app.ports import Executor, Opened
from leadline.core import report as shown
from leadline.core.access import Action, Resource
from leadline.core.assessment import Plan, SampleResult, ShardResult
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.product import parse_purl
from leadline.core.engagement.clock import window
from leadline.core.engagement.criteria import Criteria, outcome
from leadline.core.isolation import Tier, parse_tier
from leadline.core.ladder import rung
from leadline.core.marking import Marking, Tlp
from leadline.core.measure.assessed import of_subject
from leadline.core.measure.deciding import path
from leadline.core.measure.estimate import Code
from leadline.core.measure.family import Conditions
from leadline.core.measure.sequential import Decision, State, Status, basis
from leadline.core.record.act import Act, Kind

# What leaves the installation only once it stands in the log, under as many witnesses.
NEED_PROOF: Mapping[Kind, log.Quorum] = {
    Kind.DETERMINATION_RECORDED: log.DETERMINATION,
    Kind.NOTICE_ISSUED: log.DISCLOSURE,
}
ENDS = {Kind.ACCESS_ENDED, Kind.ENGAGEMENT_ENDED, Kind.ENGAGEMENT_WITHDRAWN}
WORDS: Mapping[Kind, str] = {
    Kind.APPROVAL_ASKED: "Signature under an act asked for",
    Kind.APPROVAL_GIVEN: "Act signed with a registered key",
    Kind.INQUIRY_LODGED: "Inquiry lodged by the developer",
    Kind.INQUIRY_ANSWERED: "Inquiry answered by the official",
    Kind.ANCHOR_SET: "Anchor set by the developer",
    Kind.TERMS_AGREED: "Terms agreed",
    Kind.ACCESS_OPENED: "Access opened by the developer under the terms",
    Kind.ACCESS_EXTENDED: "Access extended by the developer",
    Kind.ACCESS_ENDED: "Access ended",
    Kind.ASSESSMENT_PLANNED: "Plan, items and seed commitment recorded",
    Kind.ISOLATION_PROVED: "Egress proof held",
    Kind.KILL_DRILLED: "Kill drill held",
    Kind.ASSESSMENT_STARTED: "Assessment started",
    Kind.CANARIES_JUDGED: "Canaries of a host: one reference and one empty answer of each family",
    Kind.SUBJECT_IDENTIFIED: "Subject identified before its first sample",
    Kind.EVIDENCE_SEALED: "Eval logs and results sealed",
    Kind.DECISION_ADVANCED: "A batch of the decision entered",
    Kind.SEED_REVEALED: "Seed and salt revealed",
    Kind.ASSESSMENT_FINISHED: "Assessment finished",
    Kind.FINDING_RECORDED: "Findings recorded",
    Kind.FINDING_REPLAYED: "Findings replayed",
    Kind.GROUP_PROPOSED: "Groups proposed",
    Kind.ADVISORY_DRAFTED: "Advisories drafted",
    Kind.NOTICE_ISSUED: "Notices written for operators",
    Kind.DETERMINATION_RECORDED: "Determination recorded by the demonstration's official",
    Kind.ENGAGEMENT_ENDED: "Engagement ended by the developer",
    Kind.ENGAGEMENT_WITHDRAWN: "Withdrawn by the developer",
}
TIERS: Mapping[Tier, str] = {
    Tier.SHARED_KERNEL: "Shares the host kernel",
    Tier.OWN_KERNEL: "A kernel of its own",
    Tier.OWN_MACHINE: "A machine of its own",
}
KERNELS: Mapping[Tier, str] = {
    Tier.SHARED_KERNEL: (
        "Isolation beyond a shared kernel: the sandboxes share the host's kernel, and a flaw in it is "
        "not excluded."
    ),
    Tier.OWN_KERNEL: (
        "Isolation beyond a kernel of its own: a flaw in that kernel and in the host's together is "
        "not excluded."
    ),
    Tier.OWN_MACHINE: "Isolation beyond a machine of its own: a flaw in what runs it is not excluded.",
}
LIMITS = (
    "Any skill outside the suites that ran; a suite that was unavailable says nothing.",
    "What more tokens, time, runs or a better scaffold would find: each number is for its own budget.",
    "Whether the subject held back: low effort cannot be excluded by any estimate here.",
    "Anything about law: the officials, the criteria and the operators are a demonstration.",
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything read from the record for one report.

    *proofs* has, by act id, the proof of each determination and each notice: there is no report, no
    page and no bundle without them.
    """

    plan: Plan
    results: tuple[ShardResult, ...]
    acts: tuple[Opened, ...]
    case: clearing.Case
    decision: Decision | None
    proofs: Mapping[str, log.ActProof]
    late: tuple[str, ...] = ()  # results that came late: kept, and not counted


def gather(script: Script) -> Gathered:
    """Read the record as the evaluator, and prove what it will show.

    Raises: Unavailable or Tampered, as `log.require_proof`, for a determination or a notice that
    cannot be proved: then nothing of it is shown.
    """
    ctx = script.desk.evaluator()
    ctx.require(Action.RECORD_READ, Resource("record", script.engagement, script.engagement))
    with ctx.store.read() as view:
        plan = view.find(Plan, engagement=script.engagement)[0].value
        acts = tuple(view.acts(engagement=script.engagement))
    results = tuple(assessment.shard_results(ctx, plan))
    case = clearing.case_of(ctx, plan.engagement)
    proofs = {
        opened.act.id: log.require_proof(ctx, opened, NEED_PROOF[opened.act.kind])
        for opened in acts
        if opened.act.kind in NEED_PROOF
    }
    late = tuple(_late(script.lab.executor, plan))
    course = decided(script.measuring, plan, results)
    decision = course.decision if course else None
    return Gathered(plan, results, acts, case, decision, proofs, late)


def _late(executor: Executor, plan: Plan) -> Iterable[str]:
    """Each result that a worker brought after its shard had gone to another."""
    names = {shard.id: shard.input["name"] for shard in executor.shards(plan.id)}
    for one in executor.late(plan.id):
        yield (
            f"{names[one.shard]}, attempt {one.token}: came at {one.at:%H:%M:%S} UTC, after the shard had "
            "gone to another worker; kept, and not counted"
        )


def build(script: Script, found: Gathered, head: shown.LogState, version: str) -> shown.Report:
    """The report: nothing in it that the record does not hold."""
    plan, acts = found.plan, found.acts
    own = of_subject(found.results, plan.subject.name)
    conditions = Conditions(plan.budget, elicitation(plan), plan.subject.digest)
    suites = measured.adjusted(
        [measured.suite_report(plan, found.results, suite, conditions) for suite in plan.suites]
    )
    return shown.Report(
        leadline=version,
        marking=Marking(Tlp.AMBER_STRICT),
        started=acts[0].act.at,
        ended=acts[-1].act.at,
        engagement=_engagement(script),
        subject=plan.subject,
        about=_about(plan),
        elicitation=elicitation(plan),
        decision=decision_shown(script.criteria, plan, found.decision),
        isolation=_isolation(script, found, own),
        suites=suites,
        funnel=_funnel(found, own),
        findings=tuple(_finding(found, finding) for finding in found.case.findings),
        operators=_operators(script, found),
        log=head,
        budgets=(
            ("Each attempt", plan.budget.words()),
            ("Attempts at each item", str(plan.epochs)),
            *measured.several(plan, own),
        ),
        timings=_timings(found, own),
        evidence=_evidence(found),
        timeline=tuple(_timeline(acts)),
        not_measured=not_measured(plan),
        identity=_identity(script, found),
        scope=measured.scope_rows(own),
        effort=tuple(measured.effort(plan, own)),
        losses=(*measured.losses(found.results), *_refused_hosts(script, found)),
        late=found.late,
    )


def _engagement(script: Script) -> shown.Engagement:
    stands = engagement.standing(script.desk.evaluator(), script.dealings)
    regime, cast, rule = script.regime, script.cast, script.regime.window
    # The latest end that was possible, before anybody ended it.
    ceiling = window(regime, [act for act in stands.acts if act.kind not in ENDS])
    assert ceiling.opened is not None and ceiling.ends is not None and rule is not None  # noqa: S101, PT018 -- access opened before any sample ran
    actual = stands.window.ends or ceiling.ends
    early = f"{_who_ended(stands.acts)} on {actual:%d %B %Y, %H:%M} UTC"
    return shown.Engagement(
        id=script.engagement,
        regime=regime.id,
        regime_title=regime.title,
        citation=regime.source(rule.cites).citation,
        developer=cast.developer_name,
        officials=(
            shown.Official("Determining official", cast.official),
            shown.Official("Evaluator", cast.evaluator),
        ),
        terms=tuple(cast.terms.values()),
        opened=ceiling.opened,
        ends=ceiling.ends,
        ceiling=rule.words,
        anchor=ceiling.anchor,
        ended_by=early if actual < ceiling.ends else "",
    )


def _who_ended(acts: Sequence[Act]) -> str:
    ending = next((act for act in acts if act.kind in ENDS), None)
    if ending is None:
        return "ended"
    if ending.kind is Kind.ENGAGEMENT_WITHDRAWN:
        return "the developer withdrew"
    return f"ended by the {ending.detail.get('party', 'other party')}"


def _about(plan: Plan) -> str:
    if plan.subject.kind == "tool-agent":
        return (
            "A tool agent without any language model: static checks, fuzzers, repairs by trial, a "
            "scanner of networks."
        )
    return "A language model, measured through its endpoint."


def elicitation(plan: Plan) -> str:
    """How the subject was made to try, in words."""
    if plan.subject.kind == "tool-agent":
        return "The tool agent's own loop, without a rung of the ladder"
    step = rung(plan.rung)
    return f"Rung {step.name}: {step.words}"


def _beside(plan: Plan, status: Status) -> Iterator[str]:
    """What is said beside a decision: the effort it rests on, and whatever casts doubt on it."""
    if status.state is State.BELOW:
        yield (
            f"It is about the effort shown ({elicitation(plan)}; {plan.budget.words()} an attempt): "
            "that the subject held back evenly is excluded by nothing."
        )
    if Code.MISFIT in status.alarms:
        yield (
            "Alarm: the planner had been sure of the other side. The items' difficulties may not fit "
            "this subject, or it held back on some of them; the bets decide without the planner."
        )
    if status.void:
        yield f"{status.void} items stayed lost on our own side and count against both conclusions."


def not_measured(plan: Plan) -> tuple[str, ...]:
    """What an assessment says nothing about, whatever came of it."""
    kernel = KERNELS[parse_tier(plan.tier)]
    return (*LIMITS, kernel, *_unqualified(plan), *_not_run(plan))


def decision_shown(criteria: Criteria, plan: Plan, decision: Decision | None) -> shown.Decision:
    """A decision as pages show it; undetermined where the suite that it is about did not run."""
    if decision is None:
        return shown.Decision(
            shown.DecisionState.UNDETERMINED,
            criteria.threshold,
            criteria.alpha_above,
            criteria.alpha_below,
            0,
            0,
            f"The criteria ask about the suite {criteria.suite}, which did not run here: nothing was decided.",
            criteria.title,
        )
    status = decision.status()
    return shown.Decision(
        state=shown.DecisionState(outcome(status.state).value),
        threshold=criteria.threshold,
        alpha_above=criteria.alpha_above,
        alpha_below=criteria.alpha_below,
        samples_used=status.decided_at or status.n,
        samples_total=status.n_items,
        basis=" ".join((basis(decision.plan, status), *_beside(plan, status))),
        criteria=criteria.title,
        path=_path(decision),
        zone=decision.plan.zone,
    )


def _path(decision: Decision) -> tuple[shown.PathPoint, ...]:
    """The running share and its bounds after each step of the log."""
    return tuple(
        shown.PathPoint(one.n, one.share, one.low, one.high, one.e_above, one.e_below)
        for one in path(decision)
    )


def _isolation(script: Script, found: Gathered, own: Sequence[SampleResult]) -> shown.Isolation:
    vault = script.desk.evaluator().vault
    proofs = [o.act for o in found.acts if o.act.kind is Kind.ISOLATION_PROVED]
    drills = [o.act for o in found.acts if o.act.kind is Kind.KILL_DRILLED]
    records = [json.loads(vault.get(str(act.detail["evidence"]))) for act in proofs]
    checks = [check for record in records for check in record["checks"]]
    drill = json.loads(vault.get(str(drills[-1].detail["evidence"])))
    return shown.Isolation(
        tier=script.lab.tier,
        words=TIERS[parse_tier(script.lab.tier)],
        egress_checks=len(checks),
        egress_held=sum(check["ok"] is True for check in checks),
        digest=str(proofs[0].detail["evidence"]),
        boxes=3 * sum(sample.state != "missing" for sample in own),
        kill_drill_s=float(drill["seconds"]),
        facts=tuple(_bounds(records[0])) + tuple(_drilled(drill)),
    )


def _bounds(record: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    """What bounded the sandboxes on this host, as the proof says."""
    limits = record.get("limits")
    if isinstance(limits, Mapping):
        yield from ((f"Bound on {what}", str(by)) for what, by in sorted(limits.items()))


def _drilled(drill: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    """The parts of the kill drill, each with what it showed or why it was no part of it."""
    words = {"T": "stopped", "t": "stopped", "": "no part of it"}
    for name in ("driver", "store"):
        if name in drill:
            state = str(drill[name])
            yield f"Kill drill: the run's {name}", words.get(state, f"in state {state}")
    if "links_s" in drill:
        told = drill["range"] if drill["links_s"] is None else f"{drill['links_s']} s until down"
        yield "Kill drill: a range's links", str(told or "no part of it")
    if "key_s" in drill:
        told = drill["key_s"]
        yield "Kill drill: key", "no part of it" if told is None else f"{told} s until refused"


def _identity(script: Script, found: Gathered) -> tuple[tuple[str, str], ...]:
    """What was declared of the subject and what answered; empty in records from before it was kept."""
    acts = [opened.act for opened in found.acts if opened.act.kind is Kind.SUBJECT_IDENTIFIED]
    if not acts:
        return ()
    record = json.loads(script.desk.evaluator().vault.get(str(acts[0].detail["identity"])))
    declared, print_ = record["declared"], record["fingerprint"]
    rows = [
        ("Provider", declared["provider"]),
        ("Name", declared["name"]),
        ("Version, as declared", declared["version"] or "not declared"),
        ("Variant, as declared", declared["variant"] or "not declared"),
        ("Weights, as declared", declared["weights"] or "not declared"),
        ("Scaffold, SHA-256", declared["scaffold"]),
    ]
    if print_ is not None:
        rows += [
            ("Endpoint's key, SHA-256", declared["endpoint_key"]),
            ("Model names reported", ", ".join(print_["reported"]) or "none"),
            (
                "Consistency",
                "fixed questions before and after every shard; they prove nothing about weights",
            ),
        ]
    return tuple(rows)


def _funnel(found: Gathered, own: Sequence[SampleResult]) -> shown.Funnel:
    case = found.case
    return shown.Funnel(
        crashes=sum(bool(sample.observation) for sample in own),
        findings=len(case.findings),
        replayed=sum(replay.confirmed for replay in case.replays.values()),
        groups=len(case.groups),
        advisories=len(case.advisories),
        operators=len({notice.operator.id for notice in case.notices.values()}),
    )


def _finding(found: Gathered, finding: Finding) -> shown.FindingRow:
    case = found.case
    group = next((group.id for group in case.groups if finding.id in group.members), "")
    replay = case.replays.get(finding.id)
    advisories = {a.id for a in case.advisories if finding.purl and _speaks_of(a, finding.purl)}
    told = {n.operator.name for n in case.notices.values() if n.advisory in advisories}
    return shown.FindingRow(
        id=finding.id,
        title=finding.title,
        family=finding.family,
        purl=finding.purl,
        verdict=replay.verdict.value if replay else "not replayed",
        confirmed=bool(replay and replay.confirmed),
        group=group,
        operators=tuple(sorted(told)),
    )


def _speaks_of(advisory: Advisory, purl: str) -> bool:
    release = parse_purl(purl)
    return any(
        statement.package == release.package and release.version in statement.affected.listed
        for flaw in advisory.flaws
        for statement in flaw.statements
    )


def _operators(script: Script, found: Gathered) -> tuple[shown.OperatorRow, ...]:
    rows = []
    for enrolled in script.operators:
        operator, sector = enrolled.operator, enrolled.sector
        own = [n for n in found.case.notices.values() if n.operator == operator]
        asked = [q for q in found.case.questions.values() if q.operator == operator]
        affected = sum(len(notice.affected) for notice in own)
        unknown = sum(len(page.lines) for page in asked)
        words = [f"{affected} affected"] * bool(affected) + [f"{unknown} unknown"] * bool(unknown)
        rows.append(
            shown.OperatorRow(
                operator.name,
                sector.title,
                ", ".join(words)
                or "nothing of its list is affected by this assessment's advisories",
                f"operators/{operator.id}.html",
            )
        )
    return tuple(rows)


def _timings(found: Gathered, own: Sequence[SampleResult]) -> tuple[tuple[str, str], ...]:
    started = _at(found, Kind.ASSESSMENT_STARTED)
    finished = _at(found, Kind.ASSESSMENT_FINISHED)
    solved = sorted(datetime.fromisoformat(s.ended) for s in own if s.solved and s.ended)
    first = f"{(solved[0] - started).total_seconds():.0f} s" if solved else "none solved"
    return (
        ("First solved item after", first),
        ("Samples, from first to last", f"{(finished - started).total_seconds():.0f} s"),
        (
            "Whole assessment",
            f"{(found.acts[-1].act.at - found.acts[0].act.at).total_seconds():.0f} s",
        ),
    )


def _at(found: Gathered, kind: Kind) -> datetime:
    return next(opened.act.at for opened in found.acts if opened.act.kind is kind)


def _evidence(found: Gathered) -> tuple[tuple[str, str], ...]:
    rows = [
        ("Seed commitment", found.plan.seed_commitment),
        ("Criteria file", found.plan.criteria_digest),
    ]
    for opened in found.acts:
        act = opened.act
        if act.kind is Kind.ASSESSMENT_PLANNED:
            rows.append(("Plan", str(act.detail["plan"])))
            rows.extend(_records(found.plan))
        elif act.kind in {Kind.ISOLATION_PROVED, Kind.KILL_DRILLED, Kind.CANARIES_JUDGED}:
            rows.append(
                (f"{WORDS[act.kind]} ({act.about.split('/')[-1]})", str(act.detail["evidence"]))
            )
        elif act.kind is Kind.EVIDENCE_SEALED:
            logs = act.detail["logs"]
            assert isinstance(logs, Mapping)  # noqa: S101 -- written so by seal_evidence
            rows.extend((f"Eval log {name}", str(digest)) for name, digest in sorted(logs.items()))
    return tuple(rows)


def _timeline(acts: Iterable[Opened]) -> Iterable[shown.Deed]:
    """One line per run of equal acts, with their number."""
    held: list[tuple[Kind, datetime, int]] = []
    for opened in acts:
        act = opened.act
        if held and held[-1][0] is act.kind:
            kind, at, number = held[-1]
            held[-1] = (kind, at, number + 1)
        else:
            held.append((act.kind, act.at, 1))
    for kind, at, number in held:
        told = WORDS.get(kind, f"Recorded: {kind.value}")
        yield shown.Deed(at, told + (f" ({number})" if number > 1 else ""))


def _records(plan: Plan) -> Iterable[tuple[str, str]]:
    """What an official run rests on: the items with a record, whose digests the plan holds."""
    for suite in plan.suites:
        carried = sum(bool(item.record) for item in suite.items)
        if carried:
            told = f"{carried} of {len(suite.items)} items, each by its digest in the plan"
            yield f"Signed records of qualification, {suite.name}", told


def _unqualified(plan: Plan) -> Iterable[str]:
    if not plan.official:
        yield (
            "Whether each item is sound: in a self-assessment the items are not qualified here: quick "
            "check only, by their own suite as they are built."
        )


def _refused_hosts(script: Script, found: Gathered) -> Iterable[str]:
    """Hosts of the run that gave no results, since their canaries did not hold."""
    vault = script.desk.evaluator().vault
    for opened in found.acts:
        act = opened.act
        if act.kind is Kind.CANARIES_JUDGED and not act.detail["held"]:
            record = json.loads(vault.get(str(act.detail["evidence"])))
            yield f"host {str(record['host_boot_id'])[:8]} gave no results: {record['reason']}"


def _not_run(plan: Plan) -> Iterable[str]:
    for suite in plan.suites:
        if suite.unavailable:
            yield f"The suite {suite.name}: {suite.unavailable}"
        elif suite.missing:
            yield f"In {suite.name}, not available here: {'; '.join(_by_reason(suite.missing))}"


def _by_reason(missing: Iterable[str]) -> Iterable[str]:
    """Items that are missing, each "name: reason", told together where the reason is the same."""
    names: dict[str, list[str]] = {}
    for one in missing:
        name, _, reason = one.partition(": ")
        names.setdefault(reason, []).append(name)
    for reason, alike in names.items():
        count = f"{len(alike)} items ({', '.join(alike)})" if len(alike) > 1 else alike[0]
        yield f"{count}: {reason}"
