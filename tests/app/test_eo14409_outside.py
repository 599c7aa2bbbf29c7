"""EO 14409 section 3(c) seen from outside: silence, refusal and non-participation change nothing there.

Two worlds differ in what one developer and the programme did, or left, with one another. For everybody
who is not a party both look alike, byte for byte; and for the developer nothing hangs on what others did.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import make
from desk_world import MODEL, PEOPLE, SUBJECT, DeskWorld
from leadline.app import (
    approval,
    concerns,
    dates,
    determinations,
    exchange,
    listing,
    obligations,
    results,
)
from leadline.app import engagement as desk
from leadline.app.obligations import Law
from leadline.core.access import Action
from leadline.core.engagement.determination import (
    Answer,
    Determination,
    Outcome,
    Scope,
    Variant,
)
from leadline.core.engagement.engagement import Engagement, State
from leadline.core.errors import LeadlineError
from leadline.core.record.act import Kind
from leadline.formats.canonical import encode
from leadline.formats.values import plain
from leadline.wiring.desk import library

TEXTS = library()
LAW = Law(TEXTS)
# Nobody named for the engagement and nobody of the developer. An auditor is left out: reading the record
# of every engagement is its task, so that what was done shows there, and there alone.
OUTSIDE = ("rival", "operator")
FOUND = Determination(
    Scope(MODEL, "w1", SUBJECT.digest, Variant.WITH_SAFEGUARDS),
    Answer.COVERED,
    Outcome.ABOVE,
    "b",
    "c",
    0.05,
    0.05,
    "the director",
    make.NOW + timedelta(days=60),
    "new weights",
)
DEEDS = (Action.ANCHOR_SET, Action.ACCESS_OPEN, Action.ENGAGEMENT_WITHDRAW, Action.WEIGHTS_REGISTER)
Step = Callable[[DeskWorld], object]


def answer(world: DeskWorld) -> None:
    """The official answers the inquiry."""
    facts = desk.inquiry_facts(Answer.COVERED, "reason")
    granted = world.signed("official", Action.INQUIRY_ANSWER, world.on.resource(), facts)
    desk.answer_inquiry(world.at("official"), world.on, Answer.COVERED, "reason", granted)


def record(world: DeskWorld) -> None:
    """The official determines."""
    facts = desk.signed_facts(FOUND)
    granted = world.signed("official", Action.DETERMINATION_RECORD, world.on.resource(), facts)
    desk.record_determination(world.at("official"), world.on, FOUND, granted)


THEIRS: tuple[Step, ...] = (
    answer,
    record,
    lambda world: exchange.ask(world.at("evaluator"), world.on, "what is the scaffold?"),
    lambda world: exchange.send(world.at("official"), world.on, ["developer"], "an invitation"),
    lambda world: determinations.recuse(world.at("second-official"), world.on),
    lambda world: desk.end_access(world.at("official"), world.on),
)
OURS: tuple[Step, ...] = (
    lambda world: desk.lodge_inquiry(world.at("developer"), world.on, {"model": MODEL}),
    lambda world: world.open_access(),
    lambda world: desk.register_weights(
        world.at("developer"), world.on, digest="ee" * 32, name="w2", variant=Variant.NOT_STATED
    ),
    lambda world: desk.set_anchor(
        world.at("developer"), world.on, make.NOW + timedelta(days=25), "UTC"
    ),
)


def seen(world: DeskWorld, who: str) -> bytes:
    """Everything that a person outside can ask for: lists, dates, duties, and what of this one thing."""
    ctx = world.at(who)
    asks: dict[str, Callable[[], object]] = {
        "engagements": lambda: listing.engagements(ctx),
        "one": lambda: listing.engagement(ctx, make.ENGAGEMENT),
        "acts": lambda: listing.acts(ctx, make.ENGAGEMENT),
        "dealings": lambda: desk.dealings(ctx, TEXTS, make.ENGAGEMENT),
        "absent": lambda: desk.dealings(ctx, TEXTS, "engagement-9999"),
        "dates": lambda: dates.mine(ctx, LAW),
        "duties": lambda: obligations.owed(ctx, LAW),
        "results": lambda: results.listed(ctx),
        "concerns": lambda: concerns.listed(ctx),
        "waiting": lambda: approval.waiting(ctx),
    }
    told = {name: answered(ask) for name, ask in asks.items()}
    return (
        encode({name: text for name, text in told.items() if name != "absent"})
        + told["absent"].replace("9999", "0001").encode()
    )


def answered(ask: Callable[[], object]) -> str:
    """What comes back, or the words of the refusal."""
    try:
        found = ask()
    except LeadlineError as error:
        return f"{error.code}: {error}"
    return str(plain(found) if not isinstance(found, (list, tuple)) else list(map(plain, found)))


def test_silence_and_refusal_are_invisible_outside_and_hold_nothing_up() -> None:
    """Every subset of the government's acts: the developer's dates, permissions and others' pages."""
    base: list[object] = []
    for chosen in range(1 << len(THEIRS)):
        world = DeskWorld(library=TEXTS)
        for ours in OURS:
            ours(world)
        world.after(hours=1)
        for number, theirs in enumerate(THEIRS):
            if chosen >> number & 1:
                theirs(world)
        stands = desk.standing(world.at("developer"), world.on)
        window, ctx = stands.window, world.at("developer")
        thing = world.on.resource()
        found = (
            (window.anchor, window.zone, window.opens_not_before, window.opened),
            [ctx.decision(action, thing).allowed for action in DEEDS],
            [seen(world, who) for who in OUTSIDE],
        )
        base = base or [found]
        assert found == base[0], f"{chosen:b}"
        assert stands.word(world.now) in {State.ACCESS_OPEN, State.ACCESS_CLOSED} | (
            {State.DETERMINATION_RECORDED} if chosen & 2 else set()
        )


def nothing(world: DeskWorld) -> None:
    """The programme invites, and the developer does nothing."""
    exchange.send(world.at("official"), world.on, ["developer"], "would you take part?")


def declined(world: DeskWorld) -> None:
    """The developer says no, in a message, which is no state of anything."""
    nothing(world)
    exchange.send(world.at("developer"), world.on, ["official"], "no, thank you")


def unanswered(world: DeskWorld) -> None:
    """The developer asks, and nobody ever answers."""
    desk.lodge_inquiry(world.at("developer"), world.on, {"model": MODEL})


def withdrawn(world: DeskWorld) -> None:
    """The developer takes part, and leaves."""
    unanswered(world)
    world.open_access()
    desk.withdraw(world.at("developer"), world.on)


@pytest.mark.parametrize("story", [nothing, declined, unanswered, withdrawn, record])
def test_not_taking_part_leaves_no_trace_outside(story: Step) -> None:
    """For everybody else it is as if there had never been anything."""
    never, world = DeskWorld(library=TEXTS), DeskWorld(library=TEXTS)
    with never.store.write() as tx:
        tx.remove(Engagement, make.ENGAGEMENT)
    story(world)
    for later in (timedelta(0), timedelta(days=40)):
        never.now = world.now = make.NOW + later
        for who in OUTSIDE:
            assert seen(never, who) == seen(world, who)


def test_declining_is_no_state() -> None:
    """Neither word, window nor any act of a kind of its own tells it."""
    world = DeskWorld(library=TEXTS)
    declined(world)
    stands = desk.standing(world.at("developer"), world.on)
    assert stands.word(world.now) is State.DRAFT
    assert {act.kind for act in stands.acts} == {Kind.MESSAGE_SENT}


@settings(max_examples=15)
@given(st.lists(st.sampled_from(range(len(THEIRS))), max_size=6))
def test_no_order_of_others_acts_changes_what_the_developer_may_do(order: list[int]) -> None:
    """As many as they like, in any order: the developer's next acts are recorded all the same."""
    world = DeskWorld(library=TEXTS)
    for ours in OURS[:3]:
        ours(world)
    for number in order:
        world.after(hours=1)
        answered(lambda number=number: THEIRS[number](world))  # type: ignore[misc] # bound here
    desk.set_anchor(world.at("developer"), world.on, world.now + timedelta(days=9), "UTC")
    desk.lodge_inquiry(world.at("colleague"), world.on, {"model": "another question"})
    desk.withdraw(world.at("developer"), world.on)
    assert desk.state_of(world.at("developer"), world.on)[0] is State.WITHDRAWN


def test_everybody_has_a_side_in_these_worlds() -> None:
    """Who is outside is whoever is neither of the developer, nor named, nor the auditor."""
    neither = {id_ for id_, org, _, named in PEOPLE if org != make.DEVELOPER and not named}
    assert neither - {"auditor"} == set(OUTSIDE)


def test_out_of_order_and_repeated_acts_are_refused_and_change_nothing() -> None:
    """Answers before questions, ends before beginnings, a clock set back."""
    world = DeskWorld(library=TEXTS)
    before = len(desk.standing(world.at("developer"), world.on).acts)
    early: tuple[Step, ...] = (
        lambda one: desk.open_access(one.at("developer"), one.on),
        lambda one: desk.end_access(one.at("official"), one.on),
        lambda one: desk.extend(one.at("developer"), one.on, one.now),
        lambda one: exchange.answer(one.at("developer"), one.on, "none", "an answer"),
        lambda one: determinations.respond(one.at("developer"), one.on, "none", "words"),
        lambda one: desk.set_anchor(one.at("developer"), one.on, one.now, "Mars/Base"),
        lambda one: desk.set_anchor(
            one.at("developer"), one.on, one.now.replace(tzinfo=None), "UTC"
        ),
    )
    vault = set(world.vault.content)
    for step in early:
        assert answered(lambda step=step: step(world)).split(":")[0] in {  # type: ignore[misc] # bound here
            "refused",
            "not-found",
            "invalid",
        }
    assert len(desk.standing(world.at("developer"), world.on).acts) == before
    assert set(world.vault.content) == vault
    unanswered(world)
    world.after(days=-1)
    assert "set the clock" in answered(lambda: exchange.ask(world.at("evaluator"), world.on, "q"))
    moved = replace(world.on)
    assert desk.set_anchor(world.at("developer"), moved, world.now, "UTC").kind is Kind.ANCHOR_SET
