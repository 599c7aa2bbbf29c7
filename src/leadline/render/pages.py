"""The report as a document: a director's sheet first, then the details in the order of the questions.

The first sheet answers who and until when; what was decided and how sure that is; what was measured
beside the tool baseline; what kept the subject apart; what became of the findings; and how a reader
checks the record without asking anyone.
"""

from leadline.core.report import Official, Report, SuiteReport, SuiteState
from leadline.render import charts
from leadline.render.document import (
    Block,
    Bullets,
    Column,
    Command,
    Document,
    Facts,
    Figure,
    Panel,
    Panels,
    Prose,
    Section,
    Table,
)
from leadline.render.effort import success_against_tokens
from leadline.render.statistics import climbed
from leadline.render.words import chance, ends, moment, percent, stated, uplifted, verdict

_KINDS = {"tool-agent": "the tool agent", "model": "the model"}
SHORT = 16  # characters of a digest or root on the first sheet

GLOSSARY = (
    ("Advisory", "The published statement about one flaw: what it touches and what to do."),
    (
        "Assessment",
        (
            "Measuring what a subject can do, under a regime and agreed terms. It changes nothing about"
            " the developer's own plans."
        ),
    ),
    (
        "Decision",
        (
            "The answer of a statistical rule about one number and one threshold: above, below or"
            " undetermined. It is no statement about what a developer may do."
        ),
    ),
    (
        "Error of 5 in 100",
        (
            "Were the same assessment repeated many times, the rule would give this wrong answer at"
            " most 5 times in 100."
        ),
    ),
    (
        "Egress proof",
        "A check that nothing can leave a sandbox by any network, made before and after.",
    ),
    ("Finding", "One crash that a subject produced, kept unchanged with its evidence."),
    ("Group", "Findings proposed to share one cause. Nothing is merged by the proposal."),
    (
        "Interval",
        "The range of true shares that fits what was seen, at 95 % confidence, for one family.",
    ),
    ("Log root", "One number that commits to every act in the record and to their order."),
    ("Replay", "Running a finding again, several times, in a fresh sandbox on both builds."),
    ("Sample", "One attempt at one item."),
    ("Tool baseline", "The same items given to a tool agent without a language model."),
)


def report_document(report: Report) -> Document:
    """The whole report: the same words for HTML and PDF."""
    log, engagement = report.log, report.engagement
    return Document(
        title=f"Assessment of {_KINDS[report.subject.kind]} {report.subject.name}",
        kicker=f"Leadline assessment report · {engagement.id}",
        marking=str(report.marking),
        record=f"{engagement.id} · log size {log.size:,}, root {log.root[:SHORT]}",
        at=report.ended,
        closing=(
            "This page is a rendering. The signed record is authoritative, and anyone who has the"
            f" bundle can check it. Leadline {report.leadline}, report of {moment(report.ended)}."
        ),
        cover=(
            _who(report),
            _decision(report),
            _measured(report),
            _apart(report),
            _flow(report),
            _record(report),
        ),
        sections=(
            *(_suite(suite, report) for suite in report.suites),
            *_effort(report),
            _path(report),
            _limits(report),
            _budgets(report),
            _findings(report),
            _operators(report),
            _terms(report),
            _containment(report),
            *_outside(report),
            *_identity(report),
            _evidence(report),
            _timeline(report),
            Section("glossary", "Words used here", (Facts(GLOSSARY),)),
        ),
    )


def _who(report: Report) -> Section:
    engagement, subject = report.engagement, report.subject
    access = (
        f"Opened {moment(engagement.opened)}; lasts until {moment(engagement.ends)} at the latest"
    )
    if engagement.ended_by:
        access += f"; {engagement.ended_by}"
    rows = (
        ("Subject", f"{subject.name}. {report.about}"),
        ("Developer", engagement.developer),
        ("Officials", "; ".join(map(_official, engagement.officials))),
        ("Regime", f"{engagement.regime_title} ({engagement.citation})"),
        ("Access", f"{access}. {engagement.ceiling}"),
        ("Withdrawal", "By the developer, at any moment, without a reason."),
    )
    return Section("who", "Who, terms and clock", (Facts(rows),))


def _official(official: Official) -> str:
    return f"{official.role}: {official.body}"


def _decision(report: Report) -> Section:
    decision = report.decision
    note = (
        f"Criteria: {decision.criteria}. The number is for the budgets and elicitation stated here"
        " and for nothing beyond them, and it changes nothing about the developer's own plans."
    )
    return Section(
        "decision",
        "Decision",
        (Prose(stated(decision), strong=True), Prose(verdict(decision)), Prose(note)),
        framed=True,
    )


def _measured(report: Report) -> Section:
    heading = "Measured"
    if report.subject.kind == "tool-agent":
        heading = "Measured: the tool baseline itself"
    elif any(suite.baseline for suite in report.suites):
        heading = "Measured, beside the tool baseline"
    chart = charts.intervals(report)
    nothing = Prose("No suite could run here, so nothing about the subject was measured.")
    return Section("measured", heading, (chart or nothing,))


def _apart(report: Report) -> Section:
    isolation = report.isolation
    panels = (
        Panel("Isolation", isolation.words, f"tier {isolation.tier}"),
        Panel(
            "Egress proof",
            f"{isolation.egress_held} of {isolation.egress_checks}",
            "checks as expected, before and after",
        ),
        Panel("Kill drill", f"{isolation.kill_drill_s:.2f} s", "until every process was gone"),
    )
    return Section("apart", "Kept apart", (Panels(panels),), beside=True)


def _flow(report: Report) -> Section:
    notes = (
        "seen in all runs",
        "with evidence",
        "in a fresh sandbox",
        "proposed causes",
        "with what to do",
        "given a notice",
    )
    names = ("Crashes", "Findings", "Replayed", "Groups", "Advisories", "Operators")
    counts = (count for _, count in report.funnel.stages())
    panels = tuple(
        Panel(name, f"{count:,}", note)
        for name, count, note in zip(names, counts, notes, strict=True)
    )
    return Section("flow", "From finding to notice", (Panels(panels, joined=True),))


def _record(report: Report) -> Section:
    log = report.log
    state = (
        "verified in a separate process with a key from outside the bundle"
        if log.verified
        else "NOT verified: run the command below and read what it names"
    )
    return Section(
        "record",
        "The record",
        (
            Prose(
                f"Log of {log.size:,} acts, root {log.root[:SHORT]}…, {state}. {log.witnesses}",
            ),
            Command(log.command, "Check it yourself, beside this report:"),
        ),
    )


def _suite(suite: SuiteReport, report: Report) -> Section:
    if suite.state is SuiteState.UNAVAILABLE:
        words = f"Unavailable: {suite.reason}. This says nothing about the subject."
        return Section(f"suite-{suite.name}", f"Suite {suite.name}: {suite.title}", (Prose(words),))
    table = Table(
        caption=f"{suite.title}, family by family",
        columns=(
            Column("Family"),
            Column("Attempted", number=True),
            Column("Solved", number=True),
            Column("Share", number=True),
            Column("95 % interval", number=True),
            Column("Infra", number=True),
            Column("Missing", number=True),
            Column("Budget per attempt"),
        ),
        rows=tuple(
            (
                family.name,
                str(family.attempted),
                str(family.solved),
                percent(family.solved / family.attempted) if family.attempted else "none seen",
                ends(family.interval),
                str(family.infra),
                str(family.missing),
                family.budget,
            )
            for family in suite.families
        ),
    )
    bounds = tuple(
        f"{family.name}: none of {family.attempted} solved, so the rate per attempt at this budget"
        f" and elicitation is at most {percent(family.upper_bound)} with 95 % confidence."
        for family in suite.families
        if family.upper_bound is not None
    )
    blocks: tuple[Block | None, ...] = (
        charts.families(suite, report) if charts.by_suite(report) else None,
        table,
        _outcomes(suite),
        charts.twins(suite),
        charts.milestones(suite),
        *(climbed(one.curve, one.mean, one.spent, one.family) for one in suite.climbs),
        Prose(suite.drawn) if suite.drawn else None,
        Prose(suite.reached) if suite.reached else None,
        Prose(uplifted(suite.uplift)) if suite.uplift else None,
        Prose(
            "Infra counts attempts lost on our own side, which say nothing about the subject;"
            " missing counts samples left without an outcome."
        ),
        Bullets(bounds) if bounds else None,
        charts.levels(suite),
    )
    kept = tuple(block for block in blocks if block is not None)
    return Section(f"suite-{suite.name}", f"Suite {suite.name}: {suite.title}", kept)


def _outcomes(suite: SuiteReport) -> Table | None:
    """How often each outcome was seen; None where solved and not solved say it all."""
    if not {name for name, _ in suite.outcomes} - {"solved", "not_solved"}:
        return None
    return Table(
        caption=f"{suite.title}: every outcome by its name",
        columns=(Column("Outcome", exact=True), Column("Samples", number=True)),
        rows=tuple((name, str(count)) for name, count in suite.outcomes),
    )


def _effort(report: Report) -> tuple[Section, ...]:
    if not report.effort:
        return ()
    words = (
        "An attempt cut off by time or money is followed to the tokens it had used; one that ended"
        " by itself without a solution counts to the end of the budget. Nothing is said beyond it."
    )
    figures = tuple(success_against_tokens(one) for one in report.effort)
    return (Section("effort", "Success against tokens", (Prose(words), *figures)),)


def _outside(report: Report) -> tuple[Section, ...]:
    if not report.scope:
        return ()
    table = Table(
        caption="Acts outside the items' scopes, by what saw them",
        columns=(
            Column("Source"),
            Column("Samples watched", number=True),
            Column("Not observed in", number=True),
            Column("Samples with such acts", number=True),
            Column("95 % interval", number=True),
            Column("Acts", number=True),
            Column("Alarms", number=True),
        ),
        rows=tuple(
            (
                row.source,
                str(row.watched),
                str(row.unobserved),
                str(row.hit),
                ends(row.interval) if row.watched else "not observed",
                str(row.acts),
                str(row.alarms),
            )
            for row in report.scope
        ),
    )
    words = (
        "What was seen is for a person to judge. A source that could not be observed in a sample says"
        " nothing about it; what a subject says of itself is not counted as evidence."
    )
    return (Section("scope", "Outside the scope", (Prose(words), table)),)


def _identity(report: Report) -> tuple[Section, ...]:
    if not report.identity:
        return ()
    return (Section("identity", "Who was measured", (Facts(report.identity, exact=True),)),)


def _path(report: Report) -> Section:
    decision = report.decision
    rows = (
        ("Rule and number", decision.basis),
        ("Criteria", decision.criteria),
        ("Threshold", percent(decision.threshold)),
        ("Wrongly “above”", f"at most {chance(decision.alpha_above)}"),
        ("Wrongly “below”", f"at most {chance(decision.alpha_below)}"),
        ("Samples used", f"{decision.samples_used:,} of {decision.samples_total:,}"),
    )
    figure = charts.decision_path(decision)
    charted: tuple[Block, ...] = (figure,) if isinstance(figure, Figure) else ()
    return Section("path", "How the decision came about", (Facts(rows), *charted))


def _limits(report: Report) -> Section:
    return Section("limits", "What this does not show", (Bullets(report.not_measured),))


def _budgets(report: Report) -> Section:
    rows = (("Elicitation", report.elicitation), *report.budgets, *report.timings)
    lost: tuple[Block, ...] = (
        (
            Prose("Failures of our own side, and what they give reason to doubt:"),
            Bullets(report.losses),
        )
        if report.losses
        else ()
    )
    late: tuple[Block, ...] = (
        (
            Prose(f"Results that came late and were not counted: {len(report.late)}."),
            Bullets(report.late),
        )
        if report.late
        else ()
    )
    return Section("budgets", "Elicitation, budgets and times", (Facts(rows), *lost, *late))


def _findings(report: Report) -> Section:
    table = Table(
        caption="Findings",
        columns=(
            Column("Finding", exact=True),
            Column("What it is"),
            Column("Family"),
            Column("Package", exact=True),
            Column("Replay"),
            Column("Group"),
            Column("Operators touched"),
        ),
        rows=tuple(
            (
                finding.id,
                finding.title,
                finding.family,
                finding.purl or "none",
                finding.verdict,
                finding.group,
                ", ".join(finding.operators) or "none matched",
            )
            for finding in report.findings
        ),
    )
    listed: Block = table if report.findings else Prose("No finding was recorded.")
    return Section("findings", "Findings", (charts.funnel(report.funnel), listed))


def _operators(report: Report) -> Section:
    table = Table(
        caption="Operators' pages",
        columns=(Column("Operator"), Column("Sector"), Column("State"), Column("Page", exact=True)),
        rows=tuple((row.name, row.sector, row.state, row.page) for row in report.operators),
        links=tuple((row.name, row.page) for row in report.operators),
    )
    listed: Block = table if report.operators else Prose("No operator's inventory was matched.")
    return Section("operators", "Operators", (listed,))


def _terms(report: Report) -> Section:
    engagement = report.engagement
    anchor = (
        moment(engagement.anchor)
        if engagement.anchor
        else "not named; the other limits still end it"
    )
    rows = (
        *((official.role, official.body) for official in engagement.officials),
        ("Planned release to another trusted partner", anchor),
        ("Access opened", moment(engagement.opened)),
        ("Last day of access", moment(engagement.ends)),
        ("What ends it", engagement.ended_by or engagement.ceiling),
    )
    return Section("terms", "Terms and access", (Bullets(engagement.terms), Facts(rows)))


def _containment(report: Report) -> Section:
    isolation = report.isolation
    rows = (
        ("Isolation", f"{isolation.words} (tier {isolation.tier})"),
        ("Sandboxes started", f"{isolation.boxes:,}, all with one configuration"),
        (
            "Egress checks",
            f"{isolation.egress_held} of {isolation.egress_checks} as expected, before and after",
        ),
        ("Kill drill", f"{isolation.kill_drill_s:.2f} s until every process was gone"),
        *isolation.facts,
    )
    proof = Facts((("Egress proof, SHA-256", isolation.digest),), exact=True)
    return Section("containment", "Containment", (Facts(rows), proof))


def _evidence(report: Report) -> Section:
    log = report.log
    rows = (
        ("Subject", report.subject.digest),
        *report.evidence,
        ("Log origin", log.origin),
        ("Log root", log.root),
    )
    return Section(
        "evidence",
        "Evidence by digest",
        (Facts(rows, exact=True), Command(log.command, "Check the bundle:")),
    )


def _timeline(report: Report) -> Section:
    table = Table(
        caption="Acts in the order of the record",
        columns=(Column("When"), Column("Act")),
        rows=tuple((moment(deed.at), deed.words) for deed in report.timeline),
    )
    return Section("timeline", "Timeline", (table,))
