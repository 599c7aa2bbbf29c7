"""What a report says, as values: the pages and `summary.json` show this and compute nothing.

Invariants: every count is a natural number; a solved count never exceeds the attempts; intervals and
rates are fractions of 1 with ends in order; every time carries a zone. No field says that anything
was allowed or refused: the record holds estimates, a statistical decision with both of its errors,
and facts. Where the numbers come from is left to `leadline.core.measure` and the acts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from leadline.core.assessment import Subject
from leadline.core.errors import Invalid
from leadline.core.marking import Marking

if TYPE_CHECKING:
    from leadline.core.measure.milestones import Curve, MeanSteps, Spent

SUMMARY_SCHEMA = "leadline.summary/1"

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Ends = tuple[float, float]
_PAGE = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")


class SuiteState(StrEnum):
    """A suite that could not run says nothing about the subject."""

    RAN = "ran"
    UNAVAILABLE = "unavailable"


class DecisionState(StrEnum):
    """The statistical rule's answer about the threshold; `UNDETERMINED` is a normal answer."""

    ABOVE = "above"
    BELOW = "below"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Official:
    """A role and who fills it; *body* names a demonstration as one."""

    role: str
    body: str


@dataclass(frozen=True, slots=True)
class Engagement:
    """Who deals with whom, under which regime and terms, and when access opened and ends.

    *anchor* is the developer's planned first release to another trusted partner; None if it has
    named none. *ceiling* is the rule that gave *ends*, in words. *ended_by* names what closed the
    access, in words; empty while it is open.
    """

    id: str
    regime: str
    regime_title: str
    citation: str
    developer: str
    officials: tuple[Official, ...]
    terms: tuple[str, ...]
    opened: datetime
    ends: datetime
    ceiling: str
    anchor: datetime | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """*solved* of *attempted* with the two ends of its interval."""

    name: str
    attempted: int
    solved: int
    interval: Ends


@dataclass(frozen=True, slots=True)
class Family:
    """One family of a suite; for `planted` a family is a bug class.

    *attempted* counts samples that say something about the subject. *infra* counts attempts lost to
    infrastructure (retried with the same seed); *missing* counts samples left without an outcome
    after the retries. *upper_bound* is the largest success rate per attempt that zero successes
    leave open, and is given exactly when nothing was solved. *budget* is in words, per attempt.
    """

    name: str
    attempted: int
    solved: int
    infra: int
    missing: int
    interval: Ends
    budget: str
    upper_bound: float | None = None


@dataclass(frozen=True, slots=True)
class Climb:
    """Steps of one family's chains against what was spent of the budget, cumulative, with their mean."""

    family: str
    spent: "Spent"
    curve: "Curve"
    mean: "MeanSteps"


@dataclass(frozen=True, slots=True)
class Uplift:
    """The subject's share less the tool baseline's, over the *items* that both have a result for.

    Each item counts as the mean of its attempts. *unshared* items have a result of one alone and are
    left out. *subject_alone* and *baseline_alone* count items that one alone solved, where each was
    tried once. *p* is of the hypothesis that both solve alike, by *test*; None where there are too few
    items to say. *p_adjusted* is Holm's over all planned suites that are set beside the baseline; None
    where this is the only one.
    """

    items: int
    unshared: int
    subject: float
    baseline: float
    point: float
    interval: Ends
    test: str
    p: float | None
    subject_alone: int | None = None
    baseline_alone: int | None = None
    p_adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """A suite and its families.

    *baseline* holds the tool agent's shares on the same items and budget, by family name; it is
    empty where the subject is the tool agent itself. *levels* are shares by difficulty, easiest first.
    *outcomes* count every outcome by its name. *attack* has, for a suite of repairs, the shares of the
    very same flaws set off, by family. *milestones* are the steps of chains reached, in their order,
    *reached* says in words how many of a chain's steps were reached in the mean, *climbs* when. *drawn*
    says of a suite that was not run whole which of its items ran, and what its shares are then of. *total*
    and *baseline_total* are all families together, and *uplift* sets them beside each other item by item.
    """

    name: str
    title: str
    state: SuiteState
    families: tuple[Family, ...] = ()
    reason: str = ""
    baseline: tuple[Share, ...] = ()
    levels: tuple[Share, ...] = ()
    outcomes: tuple[tuple[str, int], ...] = ()
    attack: tuple[Share, ...] = ()
    milestones: tuple[Share, ...] = ()
    reached: str = ""
    drawn: str = ""
    climbs: tuple[Climb, ...] = ()
    total: Share | None = None
    baseline_total: Share | None = None
    uplift: Uplift | None = None


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """What one source saw outside the items' scopes, in *hit* of the *watched* samples."""

    source: str
    watched: int
    unobserved: int
    hit: int
    acts: int
    alarms: int
    interval: Ends


@dataclass(frozen=True, slots=True)
class EffortStep:
    """From *tokens* on, the share solved and its interval; *at_risk* attempts were still followed."""

    tokens: int
    at_risk: int
    share: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class Effort:
    """Success against tokens in one suite: right-censored, up to *budget* an attempt.

    *cut_at* are the tokens at which attempts were cut off by something else.
    """

    suite: str
    budget: int
    attempts: int
    steps: tuple[EffortStep, ...]
    cut_at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PathPoint:
    """After *samples* samples: the estimated share solved and the sequential rule's bounds on it.

    *e_above* and *e_below* are the wealth of the bets on either side, where the rule is one of bets.
    """

    samples: int
    share: float
    lo: float
    hi: float
    e_above: float | None = None
    e_below: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The sequential rule's answer.

    *alpha_above* bounds the chance of answering "above" when the truth is not, *alpha_below* the
    other way round. *basis* says in one sentence which rule decided on which number. *criteria*
    names the criteria pack, as a demonstration where it is one. *zone* is half the width of the zone
    around the threshold within which either answer is right.
    """

    state: DecisionState
    threshold: float
    alpha_above: float
    alpha_below: float
    samples_used: int
    samples_total: int
    basis: str
    criteria: str
    path: tuple[PathPoint, ...] = ()
    zone: float = 0.0


@dataclass(frozen=True, slots=True)
class Isolation:
    """How the subject was kept apart from everything else.

    *tier* is the vocabulary word (``shared-kernel``), *words* what a reader sees. *egress_held* of
    *egress_checks* checks held; *digest* is the egress proof's. *boxes* sandboxes were started, all
    with that configuration. *kill_drill_s* is the drill's time until every process was gone. *facts*
    say what bounded what and what the drill was made of, as (label, words).
    """

    tier: str
    words: str
    egress_checks: int
    egress_held: int
    digest: str
    boxes: int
    kill_drill_s: float
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Funnel:
    """From what a subject made crash to who was told; each number counts distinct things."""

    crashes: int
    findings: int
    replayed: int
    groups: int
    advisories: int
    operators: int

    def stages(self) -> tuple[tuple[str, int], ...]:
        """Name and count of each stage, widest first."""
        return (
            ("Crashes seen", self.crashes),
            ("Findings recorded", self.findings),
            ("Replayed in a fresh sandbox", self.replayed),
            ("Groups proposed", self.groups),
            ("Advisories written", self.advisories),
            ("Operators with a notice", self.operators),
        )


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding as the report lists it. *verdict* is the replay's; *confirmed* reads it."""

    id: str
    title: str
    family: str
    purl: str
    verdict: str
    confirmed: bool
    group: str
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator: what its page says, and the page's path relative to the report."""

    name: str
    sector: str
    state: str
    page: str


@dataclass(frozen=True, slots=True)
class LogState:
    """The transparency log at the report's moment.

    *root* is base64 as in the checkpoint. *verified* says that the bundle was verified in a separate
    process; *command* is how a reader repeats that. *witnesses* says who else vouches for the order.
    """

    origin: str
    size: int
    root: str
    verified: bool
    command: str
    witnesses: str


@dataclass(frozen=True, slots=True)
class Deed:
    """One act of the timeline, in words."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the pages show. *budgets*, *timings* and *evidence* are (label, words) pairs.

    *about* says in one sentence what the subject is; *elicitation* names scaffold, tools and rung.
    *identity* is what was declared of it and what answered, *scope* what was seen outside the items'
    scopes, *effort* success against tokens, *losses* what our own side's failures give reason to doubt,
    *late* each result that came after its shard had gone to another worker, and was not counted.

    Raises: Invalid, naming the field, where a count, an interval or a time cannot be right.
    """

    leadline: str
    marking: Marking
    started: datetime
    ended: datetime
    engagement: Engagement
    subject: Subject
    about: str
    elicitation: str
    decision: Decision
    isolation: Isolation
    suites: tuple[SuiteReport, ...]
    funnel: Funnel
    findings: tuple[FindingRow, ...]
    operators: tuple[OperatorRow, ...]
    log: LogState
    budgets: tuple[tuple[str, str], ...]
    timings: tuple[tuple[str, str], ...]
    evidence: tuple[tuple[str, str], ...]
    timeline: tuple[Deed, ...]
    not_measured: tuple[str, ...]
    identity: tuple[tuple[str, str], ...] = ()
    scope: tuple[ScopeRow, ...] = ()
    effort: tuple[Effort, ...] = ()
    losses: tuple[str, ...] = ()
    late: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_times(self)
        _check_decision(self.decision)
        for suite in self.suites:
            _check_suite(suite)
        for operator in self.operators:
            if not _PAGE.fullmatch(operator.page):
                raise Invalid(f"operators.{operator.name}.page", "is a plain path below the report")
        if not 0 <= self.isolation.egress_held <= self.isolation.egress_checks:
            raise Invalid("isolation.egress_held", "lies between 0 and the number of checks")
        if not self.not_measured:
            raise Invalid("not_measured", "a report says what it does not show")

    def to_dict(self) -> dict[str, Json]:
        """The report as JSON values: times in ISO 8601, enumerations and the marking as text."""
        return {field.name: _json(getattr(self, field.name)) for field in fields(self)}


def summary(report: Report) -> dict[str, Json]:
    """`summary.json`, as programs outside the repository read it; new keys may be added, none renamed.

    `replayed` is true where a fresh sandbox confirmed the finding; the verdict's words stand beside.
    """
    engagement, subject, isolation = report.engagement, report.subject, report.isolation
    decision, log = report.decision, report.log
    return {
        "schema": SUMMARY_SCHEMA,
        "leadline": report.leadline,
        "engagement": engagement.id,
        "regime": engagement.regime,
        "subject": {"kind": subject.kind, "name": subject.name, "digest": subject.digest},
        "started": report.started.isoformat(),
        "ended": report.ended.isoformat(),
        "isolation": {
            "tier": isolation.tier,
            "egress_proof": 0 < isolation.egress_checks == isolation.egress_held,
            "egress_checks": isolation.egress_checks,
            "digest": isolation.digest,
            "kill_drill_s": isolation.kill_drill_s,
        },
        "suites": [_suite_summary(suite) for suite in report.suites],
        "decision": {
            "state": decision.state.value,
            "threshold": decision.threshold,
            "alpha_above": decision.alpha_above,
            "alpha_below": decision.alpha_below,
            "samples_used": decision.samples_used,
            "samples_total": decision.samples_total,
            "basis": decision.basis,
        },
        "findings": [
            {
                "id": finding.id,
                "replayed": finding.confirmed,
                "verdict": finding.verdict,
                "group": finding.group,
                "purl": finding.purl,
                "operators": list(finding.operators),
            }
            for finding in report.findings
        ],
        "log": {"origin": log.origin, "size": log.size, "root": log.root},
        "scope": [
            {
                "source": row.source,
                "watched": row.watched,
                "not_observed": row.unobserved,
                "samples": row.hit,
                "acts": row.acts,
                "alarms": row.alarms,
                "interval": list(row.interval),
            }
            for row in report.scope
        ],
        "losses": list(report.losses),
        "late": list(report.late),
        "not_measured": list(report.not_measured),
    }


def _suite_summary(suite: SuiteReport) -> dict[str, Json]:
    return {
        "name": suite.name,
        "state": suite.state.value,
        "reason": suite.reason,
        "families": [
            {
                "name": family.name,
                "attempted": family.attempted,
                "solved": family.solved,
                "infra": family.infra,
                "missing": family.missing,
                "interval": list(family.interval),
                "upper_bound": family.upper_bound,
                "budget": family.budget,
            }
            for family in suite.families
        ],
        "outcomes": dict(suite.outcomes),
        "milestones": [
            {"name": step.name, "reached": step.solved, "of": step.attempted}
            for step in suite.milestones
        ],
        "uplift": _json(suite.uplift),
    }


def _check_times(report: Report) -> None:
    times = {
        "started": report.started,
        "ended": report.ended,
        "engagement.opened": report.engagement.opened,
        "engagement.ends": report.engagement.ends,
        "engagement.anchor": report.engagement.anchor or report.started,
        **{f"timeline[{n}]": deed.at for n, deed in enumerate(report.timeline)},
    }
    for name, at in times.items():
        if at.tzinfo is None:
            raise Invalid(name, "a time without a zone; give one")
    if report.ended < report.started:
        raise Invalid("ended", "lies before started")


def _check_decision(decision: Decision) -> None:
    rates = {
        "threshold": decision.threshold,
        "alpha_above": decision.alpha_above,
        "alpha_below": decision.alpha_below,
    }
    for name, rate in rates.items():
        if not 0 < rate < 1:
            raise Invalid(f"decision.{name}", f"{rate} is no fraction strictly between 0 and 1")
    if not 0 <= decision.samples_used <= decision.samples_total:
        raise Invalid("decision.samples_used", "lies between 0 and samples_total")


def _check_suite(suite: SuiteReport) -> None:
    if (suite.state is SuiteState.UNAVAILABLE) != bool(suite.reason):
        raise Invalid(f"suites.{suite.name}.reason", "is given exactly when the suite did not run")
    totals = tuple(one for one in (suite.total, suite.baseline_total) if one is not None)
    steps = (*suite.attack, *suite.milestones, *totals)
    rows: tuple[Family | Share, ...] = (*suite.families, *suite.baseline, *suite.levels, *steps)
    for row in rows:
        place = f"suites.{suite.name}.{row.name}"
        if not 0 <= row.solved <= row.attempted:
            raise Invalid(f"{place}.solved", "lies between 0 and the number attempted")
        if not 0 <= row.interval[0] <= row.interval[1] <= 1:
            raise Invalid(f"{place}.interval", "has its ends in order within 0 and 1")
    if suite.uplift is not None:
        _check_uplift(suite.name, suite.uplift)
    for family in suite.families:
        if (family.upper_bound is None) != (family.solved > 0 or family.attempted == 0):
            problem = "is given exactly when samples were attempted and none was solved"
            raise Invalid(f"suites.{suite.name}.{family.name}.upper_bound", problem)


def _check_uplift(suite: str, uplift: Uplift) -> None:
    low, high = uplift.interval
    if not -1 <= low <= uplift.point <= high <= 1:
        problem = "lies between its ends, and these within -1 and 1"
        raise Invalid(f"suites.{suite}.uplift.point", problem)
    if uplift.items < 1 or uplift.unshared < 0:
        raise Invalid(f"suites.{suite}.uplift.items", "is of one item that both saw, or more")


def _json(value: object) -> Json:
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Marking):
        return str(value)
    if isinstance(value, tuple):
        return [_json(part) for part in value]
    if not is_dataclass(value):
        raise TypeError(type(value).__name__)
    return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
