"""What a determining official reads before deciding: one engagement on one sheet, each claim with its act.

Nothing here is computed for the official that the record does not hold; a claim without an act behind it
is not made.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from leadline.app import assessed, determinations, engagement, marks, measured, reporting
from leadline.app.assessed import Evidence, Read
from leadline.app.context import Context
from leadline.app.determinations import Page
from leadline.app.engagement import Dealings
from leadline.app.marks import Mark
from leadline.core import report as shown
from leadline.core.engagement.clock import Window
from leadline.core.engagement.deciding import Asked, Position, Proposal, Recorded, digest_of
from leadline.core.engagement.determination import Determination, Outcome, Scope, Variant
from leadline.core.engagement.engagement import Standing, State
from leadline.core.engagement.regime import Regime
from leadline.core.errors import Invalid
from leadline.core.measure.family import Conditions
from leadline.core.record.act import Kind
from leadline.formats.canonical import decode
from leadline.formats.values import plain

if TYPE_CHECKING:
    from leadline.core.engagement.criteria import Criteria
    from leadline.core.measure.sequential import Decision


@dataclass(frozen=True, slots=True)
class Dissent:
    """One person's disagreement with a proposal, in its own words."""

    person: str
    at: datetime
    reasons: str


@dataclass(frozen=True, slots=True)
class Stands:
    """A proposal with what it says and what was said of it."""

    proposal: Proposal
    determination: Determination
    dissents: tuple[Dissent, ...]
    recorded: bool


@dataclass(frozen=True, slots=True)
class Given:
    """A recorded determination, as it reads now, with the dissents from it and what followed."""

    recorded: Recorded
    determination: Determination
    dissents: tuple[Dissent, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """Attempts marked as invalid that count so, in order of time, and every figure without them.

    *suites* are in the order of those of the brief; *decision* is None where none can be computed.
    *back* is how many marks were taken back.
    """

    marks: tuple[Mark, ...]
    back: int
    suites: tuple[shown.SuiteReport, ...]
    decision: shown.Decision | None

    @property
    def by(self) -> Mapping[str, int]:
        """How many each person marked."""
        return Counter(one.said.person for one in self.marks)

    @property
    def disputed(self) -> tuple[Mark, ...]:
        """Those from which somebody dissents."""
        return tuple(one for one in self.marks if one.dissents)


@dataclass(frozen=True, slots=True)
class Brief:
    """One engagement before, and after, its determination.

    *acts* are the acts that claims rest on, by the name that pages use. *marked* is None where no
    attempt is marked as invalid.
    """

    on: Dealings
    regime: Regime
    model: str
    word: State
    window: Window
    read: Read | None
    suites: tuple[shown.SuiteReport, ...]
    decision: shown.Decision | None
    not_measured: tuple[str, ...]
    page: Page
    proposals: tuple[Stands, ...]
    given: tuple[Given, ...]
    acts: tuple[tuple[str, str], ...]
    people: tuple[str, ...]
    marked: Marked | None = None

    def act(self, name: str) -> str:
        """The id of the act behind a claim; empty where there is none."""
        return dict(self.acts).get(name, "")

    def sealed(self, suite: str, family: str) -> Sequence[str]:
        """The acts that sealed the subject's attempts of one family; none while nothing is sealed."""
        if self.read is None:
            return ()
        plan, acts = self.read.plan, list[str]()
        items = {
            id_
            for id_, (name, item) in plan.items.items()
            if (name, item.family) == (suite, family)
        }
        for result in self.read.results:
            if result.subject == plan.subject.name and items & {one.item for one in result.samples}:
                act = assessed.sealing(self.read, result.shard)
                acts += [act.id] if act else []
        return acts


def brief(ctx: Context, on: Dealings, told: "Told", under: str = "") -> Brief:
    """An engagement as its official reads it; *told* is what the installation has of its assessment."""
    stands = engagement.standing(ctx, on)
    page = determinations.page(ctx, on)
    read = told.read
    return Brief(
        on=on,
        regime=stands.text(under),
        model=stands.engagement.model,
        word=stands.word(ctx.now),
        window=stands.shown(ctx.now),
        read=read,
        suites=suites(read) if read else (),
        decision=_decision(told, told.decision),
        not_measured=reporting.not_measured(read.plan) if read else reporting.LIMITS,
        page=page,
        proposals=tuple(_stands(ctx, on, one, page) for one in page.proposals),
        given=tuple(_given(ctx, on, one, page.proposals) for one in page.recorded),
        acts=tuple(_acts(stands)),
        people=tuple(sorted({one.by for one in page.proposals})),
        marked=_marked(ctx, on, told),
    )


def _decision(told: "Told", decision: "Decision | None") -> shown.Decision | None:
    if told.read is None or told.criteria is None:
        return None
    return reporting.decision_shown(told.criteria, told.read.plan, decision)


def _marked(ctx: Context, on: Dealings, told: "Told") -> Marked | None:
    if told.read is None:
        return None
    every = marks.listed(ctx, on)
    counting = tuple(one for one in every if one.counts)
    if not counting:
        return None
    without = _decision(told, told.without) if told.without else None
    left = suites(marks.without(told.read, counting))
    return Marked(counting, len(every) - len(counting), left, without)


@dataclass(frozen=True, slots=True)
class Told:
    """What an installation has of an assessment, as `brief` takes it: None is what it does not have.

    *without* is the decision without the attempts that are marked as invalid.
    """

    read: Read | None = None
    criteria: "Criteria | None" = None
    decision: "Decision | None" = None
    without: "Decision | None" = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One suite of a brief by family. *reason* says why it did not run, where it did not."""

    name: str
    title: str
    reason: str
    families: tuple[shown.Family, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """An act that a claim rests on: its place in the log, and what it names by digest, each with its name.

    `assessed.evidence` shows the act, `content` what stands under a digest.
    """

    act: str
    kind: Kind
    at: datetime
    index: int
    named: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Claimed:
    """Something that a brief says, in words, with every act behind it; without one it is not made."""

    words: str
    grounds: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class MarkedSheet:
    """As `Marked`, for a program."""

    marks: tuple[Mark, ...]
    back: int
    suites: tuple[Measured, ...]
    decision: shown.Decision | None


@dataclass(frozen=True, slots=True)
class Briefed:
    """A brief as it is read by a program: the same facts, and each claim with its acts and their digests.

    *access_ends* is None until access was opened; *run* says in words how far the run is, and is empty
    where none is planned. *decision* is None where none can be shown yet, and *marked* where no attempt is
    marked as invalid; otherwise every figure stands there once more, without the marked ones.
    """

    engagement: str
    regime: str
    model: str
    state: State
    access_ends: datetime | None
    run: str
    decision: shown.Decision | None
    suites: tuple[Measured, ...]
    not_measured: tuple[str, ...]
    claims: tuple[Claimed, ...]
    proposals: tuple[Stands, ...]
    given: tuple[Given, ...]
    asked: tuple[Asked, ...]
    recused: tuple[str, ...]
    marked: MarkedSheet | None = None


def sheet(ctx: Context, on: Dealings, told: Told, under: str = "") -> Briefed:
    """The brief of an engagement with the acts behind each claim.

    Raises: Denied.
    """
    found, marked = brief(ctx, on, told, under), None
    if held := found.marked:
        marked = MarkedSheet(held.marks, held.back, _measured(held.suites), held.decision)
    return Briefed(
        engagement=on.id,
        regime=found.regime.id,
        model=found.model,
        state=found.word,
        access_ends=found.window.ends,
        run=told.read.stage if told.read else "",
        decision=found.decision,
        suites=_measured(found.suites),
        not_measured=found.not_measured,
        claims=tuple(_claims(ctx, found)),
        proposals=found.proposals,
        given=found.given,
        asked=found.page.asked,
        recused=tuple(sorted(found.page.recused)),
        marked=marked,
    )


def _measured(found: Sequence[shown.SuiteReport]) -> tuple[Measured, ...]:
    return tuple(Measured(one.name, one.title, one.reason, one.families) for one in found)


# What a brief says that rests on the latest act of one kind, in the order of the page.
_RESTS: Sequence[tuple[Kind, str]] = (
    (Kind.INQUIRY_LODGED, "the developer asked"),
    (Kind.SUBJECT_IDENTIFIED, "the subject was identified before it was measured"),
    (Kind.ASSESSMENT_PLANNED, "the plan was fixed before"),
    (Kind.ISOLATION_PROVED, "the subject was contained, by an egress proof"),
    (Kind.KILL_DRILLED, "the subject could be ended, by a kill drill"),
    (Kind.DECISION_ADVANCED, "the decision stands where it is said to stand"),
)


def _claims(ctx: Context, found: Brief) -> Iterator[Claimed]:
    on = found.on
    for kind, words in _RESTS:
        if act := found.act(kind.value):
            yield Claimed(words, (_ground(ctx, on, act),))
    for suite in found.suites:
        for one in suite.families:
            if acts := found.sealed(suite.name, one.name):
                words = f"{suite.name}, {one.name}: {one.solved} of {one.attempted} solved"
                yield Claimed(words, tuple(_ground(ctx, on, act) for act in acts))
    for given in found.given:
        words = f"recorded: {given.determination.answer.value}"
        yield Claimed(words, (_ground(ctx, on, given.recorded.act.id),))


def _ground(ctx: Context, on: Dealings, act: str) -> Ground:
    one = assessed.evidence(ctx, on, act)
    return Ground(act, one.act.kind, one.act.at, one.index, tuple(named(one)))


def suites(read: Read) -> tuple[shown.SuiteReport, ...]:
    """Every suite as the sealed results show it so far."""
    plan = read.plan
    conditions = Conditions(plan.budget, reporting.elicitation(plan), plan.subject.digest)
    return measured.adjusted(
        [measured.suite_report(plan, read.results, suite, conditions) for suite in plan.suites]
    )


def _acts(stands: Standing) -> Sequence[tuple[str, str]]:
    """The latest act of each kind, by the kind's word."""
    return [(act.kind.value, act.id) for act in stands.acts]


def _stands(ctx: Context, on: Dealings, one: Proposal, page: Page) -> Stands:
    made = determinations.proposed(ctx, on, one.digest)
    recorded = any(digest_of(found.act) == one.digest for found in page.recorded)
    return Stands(one, made, _dissents(ctx, on, one.dissenting()), recorded)


def _dissents(ctx: Context, on: Dealings, said: Sequence[Position]) -> tuple[Dissent, ...]:
    return tuple(
        Dissent(one.person, one.at, determinations.written(ctx, on, one.reasons)) for one in said
    )


def _given(ctx: Context, on: Dealings, recorded: Recorded, proposals: Sequence[Proposal]) -> Given:
    known = digest_of(recorded.act)
    said = next((one.dissenting() for one in proposals if one.digest == known), ())
    made = determinations.current(ctx, on, recorded.act.id)
    return Given(recorded, made, _dissents(ctx, on, said))


def named(one: Evidence) -> Sequence[tuple[str, str]]:
    """What an act names that can be shown: a step of the decision names its log, by the log's head."""
    if one.act.kind is Kind.DECISION_ADVANCED:
        return [("log of the decision up to here", str(one.act.detail["head"]))]
    return one.named


def content(ctx: Context, on: Dealings, digest: str, decision: "Decision | None") -> str:
    """What an act names by its digest, laid out in lines; the log of *decision* by the head of it.

    Raises: Denied; NotFound, for a digest that no act here names.
    """
    log = decision.log if decision else ()
    upto = next((n for n, record in enumerate(log, 1) if record.digest == digest), 0)
    if upto:
        return _lines(plain([record.to_dict() for record in log[:upto]]))
    text = assessed.content(ctx, on, digest)
    try:
        return _lines(decode(text.encode()))
    except Invalid:  # no JSON, or cut at what is shown
        return text


def ground(ctx: Context, on: Dealings, digest: str, told: Told) -> str:
    """As `content`, with the decision that the installation has."""
    return content(ctx, on, digest, told.decision)


def _lines(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Wording:
    """What an official writes into a determination; all else follows from the record."""

    official: str
    expires: datetime
    trigger: str
    caveats: tuple[str, ...]
    variant: Variant = Variant.NOT_STATED
    statement: str = ""


def drafted(
    ctx: Context,
    found: Brief,
    told: "tuple[Criteria | None, Decision | None]",
    wording: Wording,
) -> Determination | None:
    """The determination that the decision supports, in the official's wording; None without a decision.

    Its basis, the log of the decision, is kept so that the determination leads to it.
    """
    criteria, decision = told
    if criteria is None or found.decision is None or found.read is None:
        return None
    outcome, subject = Outcome(found.decision.state.value), found.read.plan.subject
    _, log = assessed.basis(decision)
    return Determination(
        scope=Scope(found.model, subject.name, subject.digest, wording.variant),
        answer=criteria.answers[outcome],
        outcome=outcome,
        basis=assessed.keep_basis(ctx, found.on, log),
        criteria=criteria.digest,
        alpha_above=criteria.alpha_above,
        alpha_below=criteria.alpha_below,
        official=wording.official,
        expires=wording.expires,
        trigger=wording.trigger,
        caveats=wording.caveats,
        demonstration=criteria.demonstration,
        statement=wording.statement,
        pack=criteria.id,
    )
