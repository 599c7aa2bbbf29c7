"""EO 14409 section 3(c) as invariants: nothing here bears on what a developer does with its model.

One test per row of the list: the words for a state, who moves the anchor, silence, withdrawal, and what
"covered" changes. The words that never occur are looked for by `words/test_words.py`.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from inspect import getmembers, isfunction, signature
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leadline
from leadline.core.access import Principal
from leadline.core.engagement import deciding
from leadline.core.engagement import engagement as rules
from leadline.core.engagement.determination import (
    Answer,
    Determination,
    Outcome,
    Scope,
    Variant,
)
from leadline.core.engagement.engagement import Deed, Engagement, Standing, State, state
from leadline.core.engagement.regime import Decider
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.record.act import Act, Kind
from leadline.formats.regime_toml import load_regime

ROOT = Path(leadline.__file__).parent
FILE = ROOT / "data" / "regimes" / "us-eo-14409.toml"
SHIPPED = load_regime(FILE.read_bytes(), FILE.name)
# Those who concur stand in no shipped text; here two roles do, so that their acts are tried as well.
REGIME = replace(
    SHIPPED,
    decides=Decider(
        "determining-official", "body", "sec-3a", 1, ("auditor", "coordinator"), reconsiders=True
    ),
)
FURTHER = replace(SHIPPED, id="further", digest="ff", supersedes="")
START = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FACTS = Engagement("e", REGIME.id, REGIME.digest, "maker", "model-x", "dd", START)

ROLES = frozenset({"developer", "evaluator", "determining-official", "coordinator", "auditor"})
DEVELOPER = Principal("dev", "Dev", "maker", frozenset({"developer"}))
OTHERS = [Principal(role, role, "office", frozenset({role})) for role in sorted(ROLES)] + [
    Principal("all", "All", "office", ROLES),
    Principal("rival", "Rival", "other-maker", frozenset({"developer"})),
]
TERMS = [
    Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, START + days * 24 * HOUR)
    for days in (20, 45, 90)
]


def about(answer: Answer, *, days: int = 400) -> Determination:
    """A determination with this answer about the model of the engagement."""
    return Determination(
        Scope("model-x", "w1", "dd"),
        answer,
        Outcome.ABOVE,
        "bb",
        "cc",
        0.05,
        0.05,
        "demonstration official",
        START + days * 24 * HOUR,
        "new weights",
        demonstration=True,
    )


PROPOSAL = deciding.digest(about(Answer.COVERED))


def last_of(on: Standing, kind: Kind) -> str:
    """The id of the last act of this kind."""
    return next((act.id for act in reversed(on.recorded(kind))), "none")


def corrected(on: Standing, by: Principal, now: datetime) -> Deed:
    """The last determination with other caveats, back and forth."""
    one, other = about(Answer.COVERED), replace(about(Answer.COVERED), caveats=("new words",))
    of = last_of(on, Kind.DETERMINATION_RECORDED)
    if len(on.recorded(Kind.DETERMINATION_CORRECTED)) % 2:
        one, other = other, one
    return deciding.correct(on, by, now, of=of, old=one, new=other)


def answers(on: Standing, by: Principal, now: datetime, hour: int) -> dict[str, Deed | str]:
    """What each rule says to *by* at *now*: the deed, or the words of its refusal."""
    time = START + hour * HOUR
    told = last_of(on, Kind.DETERMINATION_RECORDED)
    again = last_of(on, Kind.RECONSIDERATION_ASKED)
    tries = {
        "lodge": partial(rules.lodge_inquiry, on, by, now, question="q"),
        "answer": partial(deciding.answer_inquiry, on, by, now, answer=Answer.COVERED, basis="b"),
        "anchor": partial(rules.set_anchor, on, by, anchor=time),
        "terms": partial(rules.agree_terms, on, by, now, terms=TERMS[hour % 3]),
        "open": partial(rules.open_access, on, by, now),
        "extend": partial(rules.extend, on, by, now, until=time),
        "end access": partial(rules.end_access, on, by, now),
        "determine": partial(
            deciding.record_determination, on, by, now, determination=about(Answer.COVERED)
        ),
        "ask": partial(rules.ask_information, on, by, now, question="q"),
        "tell": partial(
            rules.answer_information, on, by, asked=last_of(on, Kind.INFORMATION_ASKED), answer="a"
        ),
        "message": partial(rules.send_message, on, by, to=("developer",), content="c"),
        "propose": partial(deciding.propose, on, by, now, determination=about(Answer.COVERED)),
        "concur": partial(deciding.concur, on, by, now, proposal=PROPOSAL),
        "dissent": partial(deciding.dissent, on, by, now, proposal=PROPOSAL, reasons="r"),
        "recuse": partial(deciding.recuse, on, by, now),
        "correct": partial(corrected, on, by, now),
        "respond": partial(deciding.respond, on, by, determination=told, response="r"),
        "reconsider": partial(
            deciding.ask_reconsideration, on, by, determination=told, reasons="r"
        ),
        "look again": partial(
            deciding.answer_reconsideration, on, by, now, asked=again, answer="a"
        ),
        "regime": partial(rules.add_regime, on, by, regime=FURTHER),
        "weights": partial(
            rules.register_weights, on, by, digest="ee" * 32, name="w2", variant=Variant.NOT_STATED
        ),
        "end": partial(rules.end, on, by),
        "withdraw": partial(rules.withdraw, on, by),
    }
    found: dict[str, Deed | str] = {}
    for name, attempt in tries.items():
        try:
            found[name] = attempt()
        except (Refused, Invalid, NotFound) as refusal:
            found[name] = str(refusal)
    return found


RULES = (
    *("lodge", "answer", "anchor", "terms", "open", "extend", "end access", "determine"),
    *("ask", "tell", "message", "propose", "concur", "dissent", "recuse", "regime", "weights"),
    *("correct", "respond", "reconsider", "look again"),
)
steps = st.tuples(
    st.sampled_from([*RULES * 3, "end", "withdraw"]),
    st.sampled_from([DEVELOPER] * 4 + OTHERS),
    st.integers(0, 24 * 4),
    st.integers(0, 24 * 60),
)


def grown(plan: list[tuple[str, Principal, int, int]]) -> Iterator[tuple[Standing, Act, Standing]]:
    """Standing before, act, standing after, for every attempt that the rules record."""
    on, now = Standing(FACTS, REGIME), START
    for name, by, pause, hour in plan:
        now += pause * HOUR
        found = answers(on, by, now, hour)[name]
        if isinstance(found, Deed):
            act = Act(f"a{len(on.acts)}", found.kind, now, by.id, "e", "e", found.detail)
            added = (*on.added, FURTHER) if act.kind is Kind.REGIME_ADDED else on.added
            after = replace(on, acts=(*on.acts, act), added=added)
            yield on, act, after
            on = after


def last(plan: list[tuple[str, Principal, int, int]]) -> Standing:
    """The standing at the end of a story."""
    return [Standing(FACTS, REGIME), *(after for _, _, after in grown(plan))][-1]


def opening(anchor: int = 24 * 25) -> list[tuple[str, Principal, int, int]]:
    """The story up to open access."""
    return [
        ("lodge", DEVELOPER, 0, 0),
        ("anchor", DEVELOPER, 1, anchor),
        ("terms", DEVELOPER, 1, 2),
        ("terms", OTHERS[0], 1, 2),
        ("open", DEVELOPER, 1, 0),
    ]


stories = st.builds(
    lambda begun, rest: (opening() if begun else []) + rest,
    st.booleans(),
    st.lists(steps, max_size=14),
)


def test_every_rule_is_tried() -> None:
    """Each function of the desk that answers a deed; `leave` is what `withdraw` does."""
    functions = {
        one.__name__
        for module in (rules, deciding)
        for _, one in getmembers(module, isfunction)
        if signature(one).return_annotation is Deed and one.__module__ == module.__name__
    }
    assert len(functions - {"deed_of", "leave"}) == len(RULES) + len(("end", "withdraw"))
    on = Standing(FACTS, REGIME)
    assert set(answers(on, DEVELOPER, START, 0)) == {*RULES, "end", "withdraw"}


def test_the_words_for_a_state_are_six() -> None:
    """No further word can be shown, and none of the six bears on a release."""
    assert [str(word) for word in State] == [
        "draft",
        "inquiry",
        "access-open",
        "access-closed",
        "determination-recorded",
        "withdrawn",
    ]


@settings(max_examples=150, deadline=None)
@given(stories, st.integers(0, 24 * 100))
def test_only_the_developer_moves_the_anchor(
    plan: list[tuple[str, Principal, int, int]], hour: int
) -> None:
    """All rules, all roles, any order: another's act leaves anchor, earliest day and opening alone."""
    for before, act, after in grown(plan):
        assert state(REGIME, after.acts, START + hour * HOUR) in State
        if act.detail["party"] != "developer":
            for name in ("anchor", "zone", "opens_not_before", "opened"):
                assert getattr(after.window, name) == getattr(before.window, name)
            assert act.kind not in {
                Kind.ANCHOR_SET,
                Kind.ACCESS_OPENED,
                Kind.ACCESS_EXTENDED,
                Kind.ENGAGEMENT_WITHDRAWN,
                Kind.REGIME_ADDED,
                Kind.WEIGHTS_REGISTERED,
                Kind.INFORMATION_ANSWERED,
                Kind.RESPONSE_MADE,
                Kind.RECONSIDERATION_ASKED,
            }


@settings(max_examples=150, deadline=None)
@given(stories, st.data())
def test_silence_changes_nothing(
    plan: list[tuple[str, Principal, int, int]], data: st.DataObject
) -> None:
    """Drop any of the government's acts: the developer's dates are identical."""
    on = last(plan)
    kept = tuple(
        act for act in on.acts if act.detail["party"] == "developer" or data.draw(st.booleans())
    )
    fewer = replace(on, acts=kept)
    for name in ("anchor", "zone", "opens_not_before", "opened"):
        assert getattr(fewer.window, name) == getattr(on.window, name)


@settings(max_examples=100, deadline=None)
@given(stories, st.integers(0, 48))
def test_time_alone_holds_nothing_up(
    plan: list[tuple[str, Principal, int, int]], hour: int
) -> None:
    """However long the government leaves an inquiry open, the developer's anchor can be moved."""
    on = last(plan)
    over = on.recorded(Kind.ENGAGEMENT_WITHDRAWN, Kind.ENGAGEMENT_ENDED)
    late = START + (10**5 + hour) * HOUR
    assert isinstance(answers(on, DEVELOPER, late, hour)["anchor"], Deed) is not bool(over)


@settings(max_examples=150, deadline=None)
@given(stories)
def test_withdrawal_works_in_every_state_at_once(
    plan: list[tuple[str, Principal, int, int]],
) -> None:
    """At every point of every story: recorded, shown, and access over at its very instant."""
    for before, act, after in [*grown(plan)]:
        for on in (before, after):
            deed = rules.withdraw(on, DEVELOPER)
            assert set(deed.detail) == {"party"}
            gone = Act("w", deed.kind, act.at, "dev", "e", "e", deed.detail)
            acts = (*on.acts, gone)
            assert state(REGIME, acts, act.at) is State.WITHDRAWN
            assert not replace(on, acts=acts).window.is_open(act.at)


@pytest.mark.parametrize("word", State)
def test_every_state_is_reached_and_can_be_withdrawn_from(word: State) -> None:
    """A story for each word, so that the properties above are not about empty stories."""
    closed = [*opening(), ("end access", OTHERS[0], 1, 0)]
    reached = {
        State.DRAFT: [],
        State.INQUIRY: opening()[:1],
        State.ACCESS_OPEN: opening(),
        State.ACCESS_CLOSED: closed,
        State.DETERMINATION_RECORDED: [*closed, ("determine", OTHERS[-2], 1, 0)],
        State.WITHDRAWN: [*opening(), ("withdraw", DEVELOPER, 0, 0)],
    }
    on = last(reached[word])
    now = on.acts[-1].at if on.acts else START
    assert state(REGIME, on.acts, now) is word
    assert rules.withdraw(on, DEVELOPER).kind is Kind.ENGAGEMENT_WITHDRAWN


@settings(max_examples=100, deadline=None)
@given(stories, st.sampled_from(Answer), st.integers(0, 24 * 50))
def test_covered_changes_nothing_the_developer_may_do(
    plan: list[tuple[str, Principal, int, int]], answer: Answer, hour: int
) -> None:
    """With any determination recorded or none, every rule answers the developer the same.

    But for those that speak of the determination itself: to those it may respond once there is one.
    """
    on = last(plan)
    if on.recorded(Kind.ENGAGEMENT_WITHDRAWN, Kind.ENGAGEMENT_ENDED):
        return
    if OTHERS[-2].id in deciding.recused(on):
        return
    now = on.acts[-1].at if on.acts else START
    deed = deciding.record_determination(on, OTHERS[-2], now, determination=about(answer, days=401))
    act = Act("d", deed.kind, now, "all", "e", "e", deed.detail)
    told = replace(on, acts=(*on.acts, act))
    with_it, without = answers(told, DEVELOPER, now, hour), answers(on, DEVELOPER, now, hour)
    for name in set(with_it) - {"correct", "respond", "reconsider", "look again"}:
        assert with_it[name] == without[name], name
    assert told.window == on.window
