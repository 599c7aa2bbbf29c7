"""One complete assessment, step by step, each step a use case by the person whose deed it is.

The record is the memory: before a step the acts are looked up, and what stands in them is not done
again. So the script may be stopped at any moment, by Ctrl-C or by force, and run again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from leadline.app import approval, assessment, clearing, engagement, measuring
from leadline.app.assertion import Signed
from leadline.app.engagement import Cast, Dealings, Desk
from leadline.app.laboratory import Laboratory
from leadline.app.match import Sample
from leadline.app.measuring import Done, Measuring, Observer, decided
from leadline.app.request import Request, Secret, assessment_id, engagement_id
from leadline.core.access import Action
from leadline.core.assessment import (
    Plan,
    ShardResult,
)
from leadline.core.clearing.advisory import draft
from leadline.core.clearing.finding import Finding, ReplayVerdict
from leadline.core.clearing.group import group
from leadline.core.engagement.criteria import Criteria, outcome
from leadline.core.engagement.determination import Determination, Outcome, Scope
from leadline.core.engagement.regime import Regime
from leadline.core.marking import Tlp
from leadline.core.record.act import Kind
from leadline.formats.canonical import encode
from leadline.formats.values import plain


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
        return Done(self.desk.evaluator, self.engagement)

    @property
    def measuring(self) -> Measuring:
        """The part of it that is the evaluator's."""
        return Measuring(
            self.desk.evaluator,
            self.lab,
            self.observe,
            self.secret,
            self.criteria,
            self.criteria_digest,
            self.request,
            self.dealings,
        )


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
    plan, results = measuring.measure(script.measuring)
    _clearinghouse(script, plan)
    _determine(script, plan, results)
    return plan


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
        verdicts = {one.id: case.replays[one.id].verdict for one in found}
        advisory = draft(
            found,
            fixed_purl=fixed,
            at=at,
            tlp=Tlp.AMBER_STRICT,
            replays=verdicts,
            fix_tried=True,
        )
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


def _determine(script: Script, plan: Plan, results: Sequence[ShardResult]) -> None:
    """The official's answer, with both errors; and the end of the engagement."""
    done, cast = script.done, script.cast
    if not done.by(Kind.DETERMINATION_RECORDED, cast.people["official"]):
        script.observe.phase("determination, by the demonstration's official")
        ctx, criteria = script.desk.official(), script.criteria
        course = decided(script.measuring, plan, results)
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
