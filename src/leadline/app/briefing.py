"""What a determining official reads before deciding: one engagement on one sheet, each claim with its act.

Nothing here is computed for the official that the record does not hold; a claim without an act behind it
is not made.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from leadline.app import assessed, determinations, engagement, measured, reporting
from leadline.app.assessed import Evidence, Read
from leadline.app.context import Context
from leadline.app.determinations import Page
from leadline.app.engagement import Dealings
from leadline.core import report as shown
from leadline.core.engagement.clock import Window
from leadline.core.engagement.deciding import Position, Proposal, Recorded, digest_of
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
class Brief:
    """One engagement before, and after, its determination.

    *acts* are the acts that claims rest on, by the name that pages use.
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


def brief(
    ctx: Context,
    on: Dealings,
    read: Read | None,
    told: "tuple[Criteria | None, Decision | None]",
    under: str = "",
) -> Brief:
    """An engagement as its official reads it; *told* are criteria and decision, where they are known."""
    stands = engagement.standing(ctx, on)
    page = determinations.page(ctx, on)
    criteria, decision = told
    return Brief(
        on=on,
        regime=stands.text(under),
        model=stands.engagement.model,
        word=stands.word(ctx.now),
        window=stands.shown(ctx.now),
        read=read,
        suites=suites(read) if read else (),
        decision=reporting.decision_shown(criteria, read.plan, decision)
        if read and criteria
        else None,
        not_measured=reporting.not_measured(read.plan) if read else reporting.LIMITS,
        page=page,
        proposals=tuple(_stands(ctx, on, one, page) for one in page.proposals),
        given=tuple(_given(ctx, on, one, page.proposals) for one in page.recorded),
        acts=tuple(_acts(stands)),
        people=tuple(sorted({one.by for one in page.proposals})),
    )


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
