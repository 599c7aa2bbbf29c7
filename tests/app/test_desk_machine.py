"""Any people, any acts, any times, through the functions of the desk: what holds after each step.

A sample runs with every change; `--soak` runs ten thousand sequences.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from typing_extensions import override

import make
from desk_world import MODEL, PEOPLE, SHIPPED, SUBJECT, DeskWorld
from leadline.access.cedar import CedarAccess
from leadline.app import determinations, exchange
from leadline.app import engagement as desk
from leadline.core.access import Action, Circumstances, Decision, Principal, Resource
from leadline.core.approval import Granted
from leadline.core.engagement import deciding
from leadline.core.engagement import engagement as rules
from leadline.core.engagement.determination import (
    Answer,
    Determination,
    Outcome,
    Scope,
    Variant,
)
from leadline.core.engagement.engagement import Standing, State, standing
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import AccessRule, Decider
from leadline.core.errors import LeadlineError
from leadline.core.record.act import Act, Kind, from_record, to_record
from leadline.wiring.desk import library

FIRST = library().newest("us-eo-14409")
NEWER = replace(FIRST, digest="e" * 64, supersedes=FIRST.digest)
QUORUM = replace(
    FIRST,
    id="quorum",
    digest="f" * 64,
    supersedes="",
    window=AccessRule(40, 10, "ten days", FIRST.sources[0].id),
    decides=Decider("determining-official", "body", "s", 2, ("concurring-official",), True),  # noqa: FBT003 -- in the order of the fields
)
TEXTS = Library((FIRST, NEWER, QUORUM))
# What stands in the record beside the desk's own acts: the asking for a signature, and refusals.
BESIDE = frozenset(
    {
        Kind.APPROVAL_ASKED,
        Kind.APPROVAL_GIVEN,
        Kind.ACCESS_DENIED,
        Kind.ALERT_RAISED,
        Kind.USE_REFUSED,
    }
)
ENDS = make.NOW + timedelta(days=80)  # before anybody's own access ends
DEVELOPERS = frozenset({"developer", "colleague"})
OF_DEVELOPER = (
    Action.INQUIRY_LODGE,
    Action.ANCHOR_SET,
    Action.TERMS_AGREE,
    Action.ACCESS_OPEN,
    Action.ACCESS_END,
    Action.ENGAGEMENT_READ,
    Action.ENGAGEMENT_END,
    Action.ENGAGEMENT_WITHDRAW,
    Action.REGIME_ADD,
    Action.WEIGHTS_REGISTER,
    Action.INFORMATION_ANSWER,
    Action.MESSAGE_SEND,
    Action.RESPONSE_MAKE,
)


class Remembered(CedarAccess):
    """The shipped rules; an answer to the same question is remembered, since only *now* may change."""

    @override
    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        ended = principal.access_until is not None and given.now >= principal.access_until
        key = (principal, action, resource, replace(given, now=make.NOW), ended)
        if key not in KNOWN:
            KNOWN[key] = super().decide(principal, action, resource, given)
        return KNOWN[key]


KNOWN: dict[object, Decision] = {}
ACCESS = Remembered(SHIPPED.rules, SHIPPED.roles)


def found(number: int, ends: datetime) -> Determination:
    """One of a few determinations about the engagement's model."""
    return Determination(
        Scope(MODEL, "w1", SUBJECT.digest, list(Variant)[number % 3]),
        list(Answer)[number % 3],
        Outcome.UNDETERMINED,
        "b",
        "c",
        0.05,
        0.05,
        "the director",
        ends,
        "new weights",
    )


@dataclass(frozen=True)
class Attempt:
    """One person tries one thing; *number* chooses what a date, a text or a proposal is."""

    world: DeskWorld
    who: str
    number: int

    @property
    def under(self) -> str:
        """Now and then the second regime."""
        return "quorum" if self.number % 3 == 0 else ""

    @property
    def days(self) -> timedelta:
        """Some days from now; now and then none, or some ago."""
        return timedelta(days=self.number % 45 - 3)

    def last(self, *kinds: Kind) -> str:
        """The id of the last act of these kinds."""
        acts = self.world.acts(*kinds)
        return acts[-1].id if acts else "none"

    def signed(self, action: Action, facts: Mapping[str, str]) -> Granted:
        """The person's own signature under this act."""
        return self.world.signed(self.who, action, self.world.on.resource(), facts)

    def answer(self) -> Act:
        """Answer the inquiry."""
        answer = list(Answer)[self.number % 3]
        granted = self.signed(Action.INQUIRY_ANSWER, desk.inquiry_facts(answer, "a reason"))
        ctx, on = self.world.at(self.who), self.world.on
        return desk.answer_inquiry(ctx, on, answer, "a reason", granted)

    def until(self) -> datetime:
        """The anchor as it is now, or some days from now."""
        on, ctx = self.world.on, self.world.at("developer")
        anchor = desk.standing(ctx, on).window.anchor
        return anchor if anchor and self.number % 2 else self.world.now + self.days

    def terms(self) -> None:
        """Agree to one of two texts."""
        ends = make.NOW + timedelta(days=(40, 70)[self.number % 2])
        made = replace(self.world.terms(), expires=ends)
        desk.agree_terms(self.world.at(self.who), self.world.on, made)

    def decide(self, act: Callable[..., Act]) -> Act:
        """Propose or record a determination."""
        made = found(self.number, ENDS)
        granted = self.signed(Action.DETERMINATION_RECORD, desk.signed_facts(made))
        return act(self.world.at(self.who), self.world.on, made, granted, under=self.under)

    def position(self) -> Act:
        """Concur with, or dissent from, the last proposal."""
        acts = self.world.acts(Kind.DETERMINATION_PROPOSED)
        digest = deciding.digest_of(acts[-1]) if acts else "none"
        ctx, on = self.world.at(self.who), self.world.on
        if self.number % 2:
            granted = self.signed(Action.DETERMINATION_CONCUR, determinations.concurrence(digest))
            return determinations.concur(ctx, on, digest, granted)
        facts = determinations.dissenting(digest, "reasons")
        granted = self.signed(Action.DETERMINATION_CONCUR, facts)
        return determinations.dissent(ctx, on, digest, "reasons", granted)

    def correct(self) -> Act:
        """Correct the caveats of the last determination."""
        ctx, on, of = self.world.at(self.who), self.world.on, self.last(Kind.DETERMINATION_RECORDED)
        old = determinations.current(ctx, on, of)
        new = replace(old, caveats=(f"corrected {self.number % 4}",))
        granted = self.signed(Action.DETERMINATION_RECORD, desk.signed_facts(new))
        return determinations.correct(ctx, on, of, new, granted)


def commands(at: Attempt) -> dict[str, Callable[[], object]]:
    """Everything that somebody can try at the desk."""
    ctx, on, now = at.world.at(at.who), at.world.on, at.world.now
    digest = sha256(str(at.number % 3).encode()).hexdigest()
    regime = (NEWER, QUORUM, FIRST)[at.number % 3]
    variant = list(Variant)[at.number % 3]
    recorded = at.last(Kind.DETERMINATION_RECORDED)
    to = (("developer",), ("government",), ("official", "developer"))[at.number % 3]
    return {
        "lodge": lambda: desk.lodge_inquiry(ctx, on, {"model": MODEL}, under=at.under),
        "answer": at.answer,
        "anchor": lambda: desk.set_anchor(ctx, on, now + at.days, "UTC", under=at.under),
        "terms": at.terms,
        "open": lambda: desk.open_access(ctx, on, under=at.under),
        "extend": lambda: desk.extend(ctx, on, at.until(), under=at.under),
        "end access": lambda: desk.end_access(ctx, on, under=at.under),
        "end": lambda: desk.end(ctx, on),
        "withdraw": lambda: desk.withdraw(ctx, on),
        "ask": lambda: exchange.ask(ctx, on, "a question"),
        "tell": lambda: exchange.answer(ctx, on, at.last(Kind.INFORMATION_ASKED), "an answer"),
        "message": lambda: exchange.send(ctx, on, to, "some words"),
        "propose": lambda: at.decide(determinations.propose),
        "position": at.position,
        "record": lambda: at.decide(desk.record_determination),
        "recuse": lambda: determinations.recuse(ctx, on),
        "respond": lambda: determinations.respond(ctx, on, recorded, "our view"),
        "correct": at.correct,
        "reconsider": lambda: determinations.ask_reconsideration(ctx, on, recorded, "reasons"),
        "look again": lambda: determinations.answer_reconsideration(
            ctx, on, at.last(Kind.RECONSIDERATION_ASKED), "it stands"
        ),
        "regime": lambda: desk.add_regime(ctx, on, regime),
        "weights": lambda: desk.register_weights(ctx, on, digest=digest, name="w", variant=variant),
    }


SELDOM = ("end", "withdraw", "recuse")
NAMES = list(commands(Attempt(DeskWorld(library=Library((FIRST,))), "developer", 0)))
people = st.sampled_from(["developer"] * 6 + ["official"] * 5 + ["second-official"] * 3)
anybody = st.sampled_from([one[0] for one in PEOPLE])
names = st.sampled_from([name for name in NAMES if name not in SELDOM] + ["open", "extend"] * 4)


weeks, ways = st.integers(5, 25), st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4, 5, 6])
WAY = (
    ("developer", "lodge"),
    ("official", "propose"),
    ("second-official", "position"),
    ("official", "record"),
    ("developer", "reconsider"),
)


def begun(regime: str) -> DeskWorld:
    """Everybody, and a draft under this regime, to which later texts can be added."""
    world = DeskWorld(library=Library((FIRST, QUORUM)), access=ACCESS, regime=regime)
    world.on = replace(world.on, library=TEXTS)
    return world


class Desk(RuleBasedStateMachine):
    """One engagement, everybody who may come to it, and time."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world = begun("us-eo-14409")

    @property
    def stands(self) -> Standing:
        """The engagement as the record has it."""
        with self.world.store.read() as view:
            facts = view.get(rules.Engagement, self.world.on.id).value
            acts = tuple(one.act for one in view.acts(engagement=self.world.on.id))
        return standing(facts, TEXTS, acts)

    @rule(who=people, name=names, number=st.integers(0, 89))
    def likely(self, who: str, name: str, number: int) -> None:
        """Somebody who may tries something."""
        self.tried(who, name, number)

    @rule(who=anybody, name=st.sampled_from(NAMES), number=st.integers(0, 89))
    def anything(self, who: str, name: str, number: int) -> None:
        """Anybody tries anything."""
        self.tried(who, name, number)

    @initialize(regime=st.sampled_from(["us-eo-14409", "quorum"]), steps=ways, days=weeks)
    def begin(self, regime: str, steps: int, days: int) -> None:
        """Where the sequence begins, so that long ways need no luck."""
        self.world = begun(regime)
        if steps:
            self.world.open_access(anchor_days=days)
        else:
            for who, name in (
                ("developer", "anchor"),
                ("developer", "terms"),
                ("official", "terms"),
            ):
                self.tried(who, name, days)
        for who, name in WAY[: max(0, steps - 1)]:
            self.tried(who, name, 1)
        if steps == 1:  # a slip of the release, which moves no end by itself
            self.tried("developer", "anchor", 31)
        self.holds()

    @rule(hours=st.integers(1, 200))
    def wait(self, hours: int) -> None:
        """Time goes on; nothing else does."""
        before = self.stands
        self.world.now = min(self.world.now + timedelta(hours=hours), ENDS)
        assert self.stands == before
        self.holds()

    def tried(self, who: str, name: str, number: int) -> None:
        """One attempt: a refusal changes nothing, and others' acts nothing of the developer's."""
        before = self.stands
        try:
            commands(Attempt(self.world, who, number))[name]()
        except LeadlineError:
            assert desks(self.stands) == desks(before)
            return
        after = self.stands
        self.reached[name] += 1
        new = desks(after)[len(desks(before)) :]
        assert [act.actor for act in new] == [who]
        if who not in DEVELOPERS:
            self.by_another(before, after, new[0])
        if before.recorded(Kind.ENGAGEMENT_WITHDRAWN):
            assert new[0].kind is Kind.ENGAGEMENT_WITHDRAWN
        if new[0].kind is Kind.ACCESS_OPENED:
            text = next(one for one in after.regimes if one.digest == new[0].detail["regime"])
            window = after.windows[text.id]
            assert text.window is not None
            assert window.anchor is not None
            earliest = window.anchor - timedelta(days=text.window.days_before_anchor_max)
            assert earliest <= self.world.now < window.anchor
        self.holds()

    def by_another(self, before: Standing, after: Standing, act: Act) -> None:
        """An act that is not the developer's moves none of its dates and none of its permissions."""
        assert act.kind not in {
            Kind.ANCHOR_SET,
            Kind.ACCESS_OPENED,
            Kind.ACCESS_EXTENDED,
            Kind.REGIME_ADDED,
            Kind.WEIGHTS_REGISTERED,
            Kind.ENGAGEMENT_WITHDRAWN,
        }
        assert after.regimes == before.regimes
        for id_, window in after.windows.items():
            for name in ("anchor", "zone", "opens_not_before", "opened"):
                assert getattr(window, name) == getattr(before.windows[id_], name)
        ctx, thing = self.world.at("developer"), self.world.on.resource()
        assert all(ctx.decision(action, thing).allowed for action in OF_DEVELOPER)
        if act.kind.value.startswith(("determination.", "reconsideration.", "official.")):
            assert after.windows == before.windows
            assert self.may(after) == self.may(before)

    def may(self, on: Standing) -> dict[str, bool]:
        """What the rules let the developer do here and now."""
        by, now = self.world.at("developer").principal, self.world.now
        tries: dict[str, Callable[[], object]] = {
            "anchor": lambda: rules.set_anchor(on, by, anchor=now),
            "lodge": lambda: rules.lodge_inquiry(on, by, now, question="q"),
            "open": lambda: rules.open_access(on, by, now),
            "extend": lambda: rules.extend(on, by, now, until=now + timedelta(hours=1)),
            "end access": lambda: rules.end_access(on, by, now),
            "end": lambda: rules.end(on, by),
            "withdraw": lambda: rules.withdraw(on, by),
        }
        answers = {}
        for name, attempt in tries.items():
            try:
                attempt()
                answers[name] = True
            except LeadlineError:
                answers[name] = False
        return answers

    def holds(self) -> None:
        """What is true of every state."""
        on, now = self.stands, self.world.now
        assert on.word(now) in set(State)
        gone = on.recorded(Kind.ENGAGEMENT_WITHDRAWN)
        if gone:
            later = desks(on)[desks(on).index(gone[0]) :]
            assert {act.kind for act in later} == {Kind.ENGAGEMENT_WITHDRAWN}
            assert on.word(now) is State.WITHDRAWN
            assert not on.open_windows(now)
        for id_, window in on.windows.items():
            text = on.opened_under(id_)
            if window.opened and window.ends and text and text.window:
                longest = timedelta(days=text.window.days_open_max)
                assert window.opened <= window.ends <= window.opened + longest
        read = tuple(from_record(to_record(act)) for act in on.acts)
        assert standing(on.engagement, TEXTS, read).windows == on.windows

    @override
    def teardown(self) -> None:
        """From wherever it has come to, the developer withdraws at once."""
        desk.withdraw(self.world.at("colleague"), self.world.on)
        assert self.stands.word(self.world.now) is State.WITHDRAWN
        self.holds()


def desks(on: Standing) -> list[Act]:
    """The desk's own acts."""
    return [act for act in on.acts if act.kind not in BESIDE]


def settings_for(sequences: int) -> settings:
    """So many sequences, none of them saved."""
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(
        max_examples=sequences,
        stateful_step_count=20,
        deadline=None,
        database=None,
        suppress_health_check=slow,
    )


def test_a_sample_of_sequences_reaches_no_impossible_state() -> None:
    """Some dozens with every change."""
    run_state_machine_as_test(Desk, settings=settings_for(40))


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_ten_thousand_sequences_reach_no_impossible_state() -> None:
    """All of them, and each thing that can be done was done in some."""
    Desk.reached.clear()
    run_state_machine_as_test(Desk, settings=settings_for(10_000))
    assert set(Desk.reached) == set(NAMES)
