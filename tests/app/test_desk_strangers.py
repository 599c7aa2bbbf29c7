"""Each party tries to cheat the others: guessed ids, other engagements, signatures used elsewhere.

What a stranger is told is the same whether there is something or nothing, and costs the same steps; the
attempt is on record, and the developer sees it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from typing_extensions import override

import make
from desk_world import MODEL, SHIPPED, SUBJECT, DeskWorld
from leadline.access.cedar import CedarAccess
from leadline.app import determinations, exchange, exports, listing, partners, results, terms
from leadline.app import engagement as desk
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.core.access import Action, Circumstances, Decision, Principal, Resource
from leadline.core.engagement.determination import (
    Answer,
    Determination,
    Outcome,
    Scope,
)
from leadline.core.engagement.partner import Rest, TargetUse
from leadline.core.errors import Denied, NotFound, Refused
from leadline.core.record.act import Kind

OTHER = "engagement-0002"
FOUND = Determination(
    Scope(MODEL, "w1", SUBJECT.digest),
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


class Counted(CedarAccess):
    """The shipped rules, which keep what they are asked."""

    def __init__(self) -> None:
        super().__init__(SHIPPED.rules, SHIPPED.roles)
        self.asked: list[Action] = []

    @override
    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        self.asked.append(action)
        return super().decide(principal, action, resource, given)


def second(world: DeskWorld) -> Dealings:
    """The same developer's other engagement, with an official of its own."""
    on = replace(world.on, id=OTHER)
    desk.open_draft(world.at("developer"), on, MODEL, SUBJECT)
    world.enrol(
        make.principal(
            "determining-official",
            id_="other-official",
            org=make.PROGRAMME,
            engagements=(OTHER,),
        )
    )
    return on


@pytest.mark.parametrize("person", ["rival", "operator", "partner", "other-official"])
@pytest.mark.parametrize(
    "look",
    [
        lambda ctx, on, id_: desk.dealings(ctx, on.library, id_),
        lambda ctx, on, id_: desk.leave(ctx, id_),
        lambda ctx, on, id_: listing.engagement(ctx, id_),
        lambda ctx, on, id_: listing.acts(ctx, id_),
    ],
)
def test_a_guessed_id_tells_nothing_and_is_on_record(
    person: str, look: Callable[[Context, Dealings, str], object]
) -> None:
    """The same words, the same questions to the rules, an act for each, an alert for each."""
    access = Counted()
    world = DeskWorld(access=access)
    second(world)
    world.change("partner", access_until=world.now)  # its time ended
    told, asked, acts = set[str](), [], []
    for id_ in (make.ENGAGEMENT, "engagement-9999"):
        access.asked.clear()
        before = len(world.acts())
        with pytest.raises(NotFound) as refused:
            look(world.at(person), world.on, id_)
        told.add(str(refused.value).replace(id_, "X"))
        asked.append(list(access.asked))
        acts.append([act.kind for act in world.acts()[before:]])
    assert len(told) == 1
    assert asked[0] == asked[1]
    assert acts[0] == acts[1]
    assert acts[0][0] is Kind.ACCESS_DENIED
    seen = listing.acts(world.at("developer"), make.ENGAGEMENT)
    assert [act.actor for act in seen if act.kind is Kind.ACCESS_DENIED] == [person]


def deeds(world: DeskWorld, on: Dealings, who: str) -> dict[str, Callable[[], object]]:
    """What a person may try on an engagement."""
    ctx, text = world.at(who), world.terms()
    rest, use = Rest(world.now, None, "a letter"), TargetUse("target-1", "api", 1)
    return {
        "standing": lambda: desk.standing(ctx, on),
        "inquiry": lambda: desk.lodge_inquiry(ctx, on, {"model": MODEL}),
        "anchor": lambda: desk.set_anchor(ctx, on, world.now, "UTC"),
        "terms": lambda: desk.agree_terms(ctx, on, text),
        "held": lambda: terms.held(ctx, on),
        "refusals": lambda: terms.refusals(ctx, on),
        "open": lambda: desk.open_access(ctx, on),
        "extend": lambda: desk.extend(ctx, on, world.now),
        "end access": lambda: desk.end_access(ctx, on),
        "end": lambda: desk.end(ctx, on),
        "withdraw": lambda: desk.withdraw(ctx, on),
        "regime": lambda: desk.add_regime(ctx, on, on.regime),
        "ask": lambda: exchange.ask(ctx, on, "q"),
        "answer": lambda: exchange.answer(ctx, on, "none", "a"),
        "questions": lambda: exchange.questions(ctx, on),
        "send": lambda: exchange.send(ctx, on, ["developer"], "m"),
        "messages": lambda: exchange.messages(ctx, on),
        "page": lambda: determinations.page(ctx, on),
        "recuse": lambda: determinations.recuse(ctx, on),
        "respond": lambda: determinations.respond(ctx, on, "none", "r"),
        "reconsider": lambda: determinations.ask_reconsideration(ctx, on, "none", "r"),
        "look again": lambda: determinations.answer_reconsideration(ctx, on, "none", "r"),
        "statement": lambda: determinations.keep_statement(ctx, on, "s", on.resource().marking),
        "written": lambda: determinations.written(ctx, on, "none"),
        "partners": lambda: partners.listed(ctx, on),
        "scope": lambda: partners.scope(ctx, on),
        "use": lambda: partners.use_target(ctx, on, "a-utility", use, purpose="defence"),
        "end partner": lambda: partners.end(ctx, on, "a-utility", rest),
        "receipts": lambda: results.receipts(ctx, on),
        "recall": lambda: results.recall(ctx, on, "result-1"),
        "around": lambda: exports.around(ctx, on),
    }


@pytest.mark.parametrize("person", ["rival", "operator", "other-official", "nobody"])
def test_who_is_of_no_engagement_does_nothing_in_it(person: str) -> None:
    """With the dealings in hand, as no command gives them: denied, each time, and nothing changes."""
    world = DeskWorld()
    second(world)
    world.enrol(make.principal("developer", id_="nobody", org=""))
    kept = set(world.vault.content)
    for name, deed in deeds(world, world.on, person).items():
        with pytest.raises((Denied, NotFound)):
            deed()
        assert world.acts()[-1].kind in {Kind.ACCESS_DENIED, Kind.ALERT_RAISED}, name
    kinds = {act.kind for act in world.acts() if act.engagement == world.on.id}
    assert kinds == {Kind.ACCESS_DENIED, Kind.ALERT_RAISED}
    assert set(world.vault.content) == kept


def test_a_colleague_does_what_the_developer_does() -> None:
    """The dealings are the organisation's: another of its people goes on with them."""
    world = DeskWorld()
    world.open_access()
    desk.lodge_inquiry(world.at("colleague"), world.on, {"model": MODEL})
    desk.withdraw(world.at("colleague"), world.on)
    world.change("colleague", org="another-developer")
    with pytest.raises(Denied):
        desk.standing(world.at("colleague"), world.on)


def test_a_signature_of_one_engagement_is_none_for_another() -> None:
    """Nor one for another kind of act, nor used twice, nor somebody else's."""
    world = DeskWorld()
    other = second(world)
    world.change("official", engagements=frozenset({make.ENGAGEMENT, OTHER}))
    world.change("second-official", roles=frozenset({"determining-official"}))
    for on in (world.on, other):
        desk.lodge_inquiry(world.at("developer"), on, {"model": MODEL})
    thing, ctx = world.on.resource(), world.at("official")
    found = desk.signed_facts(FOUND)
    mine = world.signed("official", Action.DETERMINATION_RECORD, thing, found)
    answered = desk.inquiry_facts(Answer.COVERED, "why")
    answer = world.signed("official", Action.INQUIRY_ANSWER, thing, answered)
    before = len(world.acts(Kind.DETERMINATION_RECORDED, Kind.INQUIRY_ANSWERED))
    tries: list[Callable[[], object]] = [
        lambda: desk.record_determination(ctx, other, FOUND, mine),
        lambda: desk.record_determination(ctx, world.on, FOUND, answer),
        lambda: desk.record_determination(ctx, world.on, replace(FOUND, caveats=("x",)), mine),
        lambda: desk.record_determination(world.at("second-official"), world.on, FOUND, mine),
        lambda: determinations.propose(ctx, other, FOUND, mine),
        lambda: desk.answer_inquiry(ctx, other, Answer.COVERED, "why", answer),
        lambda: desk.answer_inquiry(ctx, world.on, Answer.COVERED, "why", mine),
        lambda: desk.answer_inquiry(ctx, world.on, Answer.NOT_COVERED, "why", answer),
    ]
    for attempt in tries:
        with pytest.raises((Denied, Refused)):
            attempt()
    assert len(world.acts(Kind.DETERMINATION_RECORDED, Kind.INQUIRY_ANSWERED)) == before
    desk.record_determination(ctx, world.on, FOUND, mine)
    with pytest.raises(Refused):
        determinations.propose(ctx, world.on, FOUND, mine)
    desk.answer_inquiry(ctx, world.on, Answer.COVERED, "why", answer)
    with pytest.raises(Refused, match="used already"):
        desk.answer_inquiry(ctx, world.on, Answer.COVERED, "why", answer)


def test_after_a_withdrawal_nothing_is_recorded_by_anybody_else() -> None:
    """Every deed of the other side, each by somebody who otherwise may: refused, nothing kept."""
    world = DeskWorld()
    world.open_access()
    desk.withdraw(world.at("developer"), world.on)
    before, kept = len(world.acts()), set(world.vault.content)
    writes = (
        *("terms", "end access", "end", "ask", "send", "recuse", "look again", "statement"),
        *("respond", "reconsider", "anchor", "open", "extend", "inquiry", "regime"),
    )
    for name in writes:
        for who in ("official", "developer"):
            with pytest.raises((Denied, Refused)) as refused:
                deeds(world, world.on, who)[name]()
            denied = isinstance(refused.value, Denied)
            assert denied or "was withdrawn" in str(refused.value), (name, who)
    new = world.acts()[before:]
    assert {act.kind for act in new} <= {Kind.ACCESS_DENIED, Kind.ALERT_RAISED}
    assert set(world.vault.content) == kept
