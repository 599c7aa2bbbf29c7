"""Who decides: quorum, concurrence, dissent, recusal, correction, and what asks again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from leadline.core.engagement.engagement import Deed, Engagement, Standing, standing
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import (
    AskAgain,
    Decider,
    InForce,
    Participation,
    Regime,
    Source,
    Status,
    Trigger,
)
from leadline.core.errors import Invalid, LeadlineError, NotFound, Refused
from leadline.core.record.act import Act, Kind

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Attempt = Callable[[], Deed]
By = Callable[[Principal], Deed]
DEVELOPER = Principal("dev", "Dev", "maker", frozenset({"developer"}))
DECIDER = frozenset({"determining-official"})
OFFICIAL = Principal("off", "Off", "office", DECIDER)
DEPUTY = Principal("dep", "Dep", "office", DECIDER)
CONCURRING = [Principal(f"c{n}", f"C{n}", "office", frozenset({"c"})) for n in range(3)]
REGIME = Regime(
    id="r",
    title="R",
    digest="r1",
    status=Status.IN_FORCE,
    in_force=InForce(date(2026, 6, 2)),
    participation=Participation.VOLUNTARY,
    consequences="none",
    confidence="P",
    last_checked=date(2026, 10, 1),
    sources=(Source("s", "S", "https://example.org", "read", "P"),),
    decides=Decider("determining-official", "body", "s", 3, ("c",), reconsiders=True),
)
ALONE = replace(REGIME, decides=Decider("determining-official", "body", "s"))
NEWER = replace(
    REGIME,
    digest="r2",
    supersedes="r1",
    decides=Decider("another-role", "another-body", "s", 1),
    asks_again=(AskAgain(Trigger.NEW_TEXT, "a new text asks again", "s"),),
)
OTHER = replace(REGIME, id="other", digest="o1")
FACTS = Engagement("e", "r", "r1", "maker", "model-x", "dd" * 32, START)
FOUND = Determination(
    Scope("model-x", "w1", "dd" * 32, Variant.WITH_SAFEGUARDS),
    Answer.COVERED,
    Outcome.ABOVE,
    "b",
    "c",
    0.05,
    0.05,
    "the director",
    START + 100 * DAY,
    "new weights",
)
DIGEST = deciding.digest(FOUND)


def after(on: Standing, deed: Deed, by: Principal, at: datetime = START) -> Standing:
    """The standing once *deed* is recorded."""
    act = Act(f"a{len(on.acts)}", deed.kind, at, by.id, deed.about, "e", deed.detail)
    library = Library((on.regime, replace(NEWER, supersedes=on.regime.digest), OTHER))
    return standing(on.engagement, library, (*on.acts, act))


def proposed(regime: Regime = REGIME, found: Determination = FOUND) -> Standing:
    """Proposed by the official, nothing said of it yet."""
    on = Standing(FACTS, regime)
    return after(on, deciding.propose(on, OFFICIAL, START, determination=found), OFFICIAL)


def recorded(regime: Regime = ALONE, found: Determination = FOUND) -> Standing:
    """Recorded by the official alone."""
    on = Standing(FACTS, regime)
    deed = deciding.record_determination(on, OFFICIAL, START, determination=found)
    return after(on, deed, OFFICIAL)


def test_the_quorum_counts_persons_about_this_very_determination() -> None:
    """Three persons: the decider and two who concur; other words are another determination."""
    on = proposed()
    for number, by in enumerate(CONCURRING[:2]):
        with pytest.raises(Refused, match=f"{number + 1} of 3 persons"):
            deciding.record_determination(on, OFFICIAL, START, determination=FOUND)
        on = after(on, deciding.concur(on, by, START, proposal=DIGEST), by)
    other = replace(FOUND, caveats=("one more",))
    with pytest.raises(Refused, match="propose this determination"):
        deciding.record_determination(on, OFFICIAL, START, determination=other)
    deed = deciding.record_determination(on, DEPUTY, START, determination=FOUND)
    assert deed.detail["concurring"] == ("c0", "c1")
    assert deed.detail["until"] == deed.detail["expires"]


def test_a_dissent_stands_beside_what_is_recorded() -> None:
    """Its reasons are named in the act; a later position of the same person takes its place."""
    on = proposed()
    for by in CONCURRING:
        on = after(on, deciding.concur(on, by, START, proposal=DIGEST), by)
    deed = deciding.dissent(on, CONCURRING[2], START, proposal=DIGEST, reasons="why")
    on = after(on, deed, CONCURRING[2])
    (found,) = deciding.proposals(on)
    assert found.concurring() == {"c0", "c1"}
    assert [(one.person, one.reasons) for one in found.dissenting()] == [("c2", "why")]
    deed = deciding.record_determination(on, OFFICIAL, START, determination=FOUND)
    assert deed.detail["dissenting"] == ("why",)


def test_a_recused_person_counts_no_longer_and_stops_nobody() -> None:
    """Of the decider as well: another with the role proposes and records."""
    on = proposed()
    for by in CONCURRING[:2]:
        on = after(on, deciding.concur(on, by, START, proposal=DIGEST), by)
    fewer = after(on, deciding.recuse(on, CONCURRING[0], START), CONCURRING[0])
    with pytest.raises(Refused, match="2 of 3"):
        deciding.record_determination(fewer, OFFICIAL, START, determination=FOUND)
    gone = after(on, deciding.recuse(on, OFFICIAL, START), OFFICIAL)
    assert deciding.proposals(gone) == ()
    again = after(gone, deciding.propose(gone, DEPUTY, START, determination=FOUND), DEPUTY)
    deed = deciding.record_determination(again, DEPUTY, START, determination=FOUND)
    assert deed.detail["concurring"] == ("c0", "c1")
    told = after(again, deed, DEPUTY)
    late = after(told, deciding.recuse(told, CONCURRING[0], START), CONCURRING[0])
    assert deciding.determinations(late)[0].act.detail["concurring"] == ("c0", "c1")


def test_whoever_proposed_it_is_counted_as_the_decider() -> None:
    """One person with both roles is one person."""
    both = replace(OFFICIAL, roles=frozenset({"determining-official", "c"}))
    on = proposed()
    with pytest.raises(Refused, match="another person is due"):
        deciding.concur(on, both, START, proposal=DIGEST)
    with pytest.raises(NotFound, match="no proposal ff"):
        deciding.concur(on, CONCURRING[0], START, proposal="ff")
    alone = proposed(ALONE)
    with pytest.raises(Refused, match="nobody concurs"):
        deciding.concur(alone, CONCURRING[0], START, proposal=DIGEST)
    theirs = replace(CONCURRING[0], org="maker")
    with pytest.raises(Refused, match="the roles c concurs"):
        deciding.concur(on, theirs, START, proposal=DIGEST)


def test_a_newer_text_swaps_who_decides_and_history_stays() -> None:
    """What was recorded under the old text keeps its body; what is new is the new one's."""
    on = recorded()
    new = replace(NEWER, supersedes="r1")
    swapped = after(on, rules.add_regime(on, DEVELOPER, regime=new), DEVELOPER)
    again = replace(FOUND, caveats=("again",))
    with pytest.raises(Refused, match="only the role another-role \\(another-body\\)"):
        deciding.record_determination(swapped, OFFICIAL, START, determination=again)
    successor = replace(DEPUTY, roles=frozenset({"another-role"}))
    deed = deciding.record_determination(swapped, successor, START, determination=again)
    assert deed.detail["regime"] == "r2"
    told = after(swapped, deed, successor)
    first, second = deciding.determinations(told)
    response = deciding.respond(told, DEVELOPER, determination=second.act.id, response="r")
    assert response.detail["determination"] == second.act.id
    assert (first.act.detail["regime"], second.act.detail["regime"]) == ("r1", "r2")


def test_concurrence_under_another_text_counts_for_none() -> None:
    """A proposal made under the text before is proposed anew."""
    on = proposed()
    for by in CONCURRING[:2]:
        on = after(on, deciding.concur(on, by, START, proposal=DIGEST), by)
    new = replace(NEWER, decides=REGIME.decides)
    acts = (
        *on.acts,
        Act("n", Kind.REGIME_ADDED, START, "dev", "e", "e", {"id": "r", "regime": "r2"}),
    )
    swapped = Standing(FACTS, REGIME, acts, (new,))
    with pytest.raises(Refused, match="under this text first"):
        deciding.record_determination(swapped, OFFICIAL, START, determination=FOUND)


def test_a_correction_leaves_the_substance_and_the_old_act() -> None:
    """Another answer is another determination; a correction names what changed."""
    on = recorded()
    of = on.acts[-1].id
    for wrong in (
        replace(FOUND, answer=Answer.NOT_COVERED),
        replace(FOUND, expires=START + 300 * DAY),
        replace(FOUND, scope=replace(FOUND.scope, variant=Variant.WITHOUT_SAFEGUARDS)),
    ):
        with pytest.raises(Invalid, match="another determination"):
            deciding.correct(on, OFFICIAL, START, of=of, old=FOUND, new=wrong)
    new = replace(FOUND, caveats=("a caveat",), trigger="new weights, or a new variant")
    deed = deciding.correct(on, OFFICIAL, START, of=of, old=FOUND, new=new)
    assert deed.detail["changed"] == ("caveats", "trigger")
    told = after(on, deed, OFFICIAL)
    assert [act.id for act in deciding.determinations(told)[0].corrections] == [told.acts[-1].id]
    with pytest.raises(Refused, match="corrected meanwhile"):
        deciding.correct(told, OFFICIAL, START, of=of, old=FOUND, new=replace(new, caveats=()))
    with pytest.raises(Refused, match="nobody offers to look again"):
        deciding.ask_reconsideration(told, DEVELOPER, determination=of, reasons="r")


def test_asking_to_look_again_implies_no_right() -> None:
    """The sentence stands in the act itself."""
    on = proposed()
    for by in CONCURRING[:2]:
        on = after(on, deciding.concur(on, by, START, proposal=DIGEST), by)
    on = after(
        on, deciding.record_determination(on, OFFICIAL, START, determination=FOUND), OFFICIAL
    )
    of = on.acts[-1].id
    deed = deciding.ask_reconsideration(on, DEVELOPER, determination=of, reasons="r")
    assert "no right" in str(deed.detail["note"])
    on = after(on, deed, DEVELOPER)
    deed = deciding.answer_reconsideration(on, DEPUTY, START, asked=on.acts[-1].id, answer="a")
    told = deciding.determinations(after(on, deed, DEPUTY))[0]
    assert len(told.reconsiderations) == 2


def test_a_determination_is_about_weights_that_the_developer_named() -> None:
    """A digest or a variant that was not registered has no determination."""
    on = Standing(FACTS, ALONE)
    deed = rules.register_weights(
        on, DEVELOPER, digest="ee" * 32, name="w2", variant=Variant.WITHOUT_SAFEGUARDS
    )
    on = after(on, deed, DEVELOPER)
    for scope, words in (
        (Scope("model-x", "w3", "ff" * 32), "registered no such weights version"),
        (Scope("model-x", "w2", "ee" * 32), "no variant not-stated"),
        (Scope("model-x", "w2", "ee" * 32, Variant.WITH_SAFEGUARDS), "no variant with-safeguards"),
        (Scope("model-y", "w2", "ee" * 32), "about model-x"),
    ):
        wrong = replace(FOUND, scope=scope)
        with pytest.raises(Invalid, match=words):
            deciding.record_determination(on, OFFICIAL, START, determination=wrong)
    right = replace(FOUND, scope=Scope("model-x", "w2", "ee" * 32, Variant.WITHOUT_SAFEGUARDS))
    deed = deciding.record_determination(on, OFFICIAL, START, determination=right)
    assert deed.detail["variant"] == "without-safeguards"


def test_new_weights_a_new_variant_expiry_and_a_new_text_ask_again() -> None:
    """Each with its own moment and words; before a determination nothing is asked again."""
    text = replace(
        ALONE,
        asks_again=(
            AskAgain(Trigger.NEW_WEIGHTS, "the law's words on new weights", "s"),
            AskAgain(Trigger.NEW_TEXT, "the law's words on a new text", "s"),
        ),
    )
    on = Standing(FACTS, text)
    assert deciding.questions_open(on, START) == ()
    on = recorded(text)
    assert deciding.questions_open(on, START) == ()
    for hour, (digest, variant) in enumerate(
        [("dd" * 32, Variant.WITHOUT_SAFEGUARDS), ("ee" * 32, Variant.WITH_SAFEGUARDS)], 1
    ):
        at = START + timedelta(hours=hour)
        deed = rules.register_weights(on, DEVELOPER, digest=digest, name="w", variant=variant)
        on = after(on, deed, DEVELOPER, at)
    for regime in (OTHER, replace(NEWER, supersedes="r1")):
        added = rules.add_regime(on, DEVELOPER, regime=regime)
        on = after(on, added, DEVELOPER, START + DAY)
    further = Act("f", Kind.REGIME_ADDED, START, "d", "e", "e", {"id": "x", "regime": "x"})
    with pytest.raises(Invalid, match="added"):
        replace(on, acts=(*on.acts, further))
    found = deciding.questions_open(on, START + 100 * DAY)
    assert [one.trigger for one in found] == [
        Trigger.NEW_VARIANT,
        Trigger.NEW_WEIGHTS,
        Trigger.NEW_TEXT,
        Trigger.EXPIRY,
    ]
    assert found[1].words == "the law's words on new weights"
    assert (found[0].cites, found[1].cites) == ("", "s")
    assert found[3].since == FOUND.expires
    assert len(deciding.questions_open(on, START + 100 * DAY - timedelta(microseconds=1))) == 3
    for over in (rules.withdraw(on, DEVELOPER), rules.end(on, OFFICIAL)):
        gone = after(on, over, DEVELOPER, START + 2 * DAY)
        assert deciding.questions_open(gone, START + 100 * DAY) == ()
    plain = recorded(ALONE)
    plain = after(plain, rules.add_regime(plain, DEVELOPER, regime=NEWER), DEVELOPER)
    assert deciding.questions_open(plain, START) == ()


def test_a_later_determination_answers_what_was_asked_again() -> None:
    """The question about new weights is gone once a determination speaks of them."""
    on = recorded()
    deed = rules.register_weights(
        on, DEVELOPER, digest="ee" * 32, name="w2", variant=Variant.WITH_SAFEGUARDS
    )
    on = after(on, deed, DEVELOPER)
    assert [one.trigger for one in deciding.questions_open(on, START)] == [Trigger.NEW_WEIGHTS]
    new = replace(FOUND, scope=Scope("model-x", "w2", "ee" * 32, Variant.WITH_SAFEGUARDS))
    deed = deciding.record_determination(on, OFFICIAL, START, determination=new)
    assert deciding.questions_open(after(on, deed, OFFICIAL), START) == ()


def test_an_official_whose_clock_was_set_back_records_nothing() -> None:
    """An act would stand before what is recorded already."""
    on = proposed()
    early = START - DAY
    attempts: tuple[Attempt, ...] = (
        lambda: deciding.record_determination(on, OFFICIAL, early, determination=FOUND),
        lambda: deciding.concur(on, CONCURRING[0], early, proposal=DIGEST),
        lambda: deciding.recuse(on, CONCURRING[0], early),
    )
    for attempt in attempts:
        with pytest.raises(Refused, match="set the clock"):
            attempt()


def test_a_certificate_or_statement_is_a_digest() -> None:
    """Text has no place where a digest is due."""
    for name in ("certificate", "statement"):
        with pytest.raises(Invalid, match=name):
            replace(FOUND, **{name: "the text itself"})  # type: ignore[arg-type] # one field wrong
        named = replace(FOUND, **{name: "ab" * 32})  # type: ignore[arg-type] # one field by name
        assert named.to_record()[name] == "ab" * 32


def told(attempt: By, by: Principal) -> Deed | str:
    """The deed, or the words of the refusal."""
    try:
        return attempt(by)
    except LeadlineError as error:
        return str(error)


people = st.sampled_from([OFFICIAL, DEPUTY, *CONCURRING])
deeds = st.sampled_from(["propose", "concur", "dissent", "recuse", "record"])


@given(st.lists(st.tuples(people, deeds), max_size=20))
def test_no_order_of_acts_records_without_a_quorum(plan: list[tuple[Principal, str]]) -> None:
    """Whatever happens: as many persons as the quorum, none of them recused, none counted twice."""
    on = Standing(FACTS, REGIME)
    tries: dict[str, By] = {
        "propose": lambda by: deciding.propose(on, by, START, determination=FOUND),
        "concur": lambda by: deciding.concur(on, by, START, proposal=DIGEST),
        "dissent": lambda by: deciding.dissent(on, by, START, proposal=DIGEST, reasons="r"),
        "recuse": lambda by: deciding.recuse(on, by, START),
        "record": lambda by: deciding.record_determination(on, by, START, determination=FOUND),
    }
    for by, name in plan:
        out = deciding.recused(on)
        deed = told(tries[name], by)
        if isinstance(deed, str):
            continue
        if name == "record":
            concurring = deed.detail["concurring"]
            assert isinstance(concurring, tuple)
            assert len({by.id, *concurring}) >= 3
            assert not {by.id, *concurring} & out
        assert by.id not in out
        on = after(on, deed, by)
