"""Each act is recorded or refused with its cure, and facts of an engagement never change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from leadline.core.access import Principal
from leadline.core.engagement import deciding
from leadline.core.engagement import engagement as rules
from leadline.core.engagement.clock import EndedBy, Window, time_in, window
from leadline.core.engagement.determination import Answer, Determination, Outcome, Scope
from leadline.core.engagement.engagement import Deed, Engagement, Standing, State, state
from leadline.core.engagement.regime import (
    AccessRule,
    Anchor,
    Decider,
    InForce,
    Participation,
    Regime,
    Source,
    Status,
    require_effect,
)
from leadline.core.engagement.terms import WORDS, Terms
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DEVELOPER = Principal("dev", "Dev", "maker", frozenset({"developer"}))
OFFICIAL = Principal("off", "Off", "office", frozenset({"determining-official"}))
EVALUATOR = Principal("eva", "Eva", "lab", frozenset({"evaluator"}))


def regime(**fields: object) -> Regime:
    """A voluntary regime with a window of 30 days."""
    made = Regime(
        id="r",
        title="R",
        digest="aa",
        status=Status.IN_FORCE,
        in_force=InForce(date(2026, 6, 2)),
        participation=Participation.VOLUNTARY,
        consequences="none",
        confidence="P",
        last_checked=date(2026, 10, 1),
        sources=(Source("s", "S", "https://example.org", "read", "P"),),
        anchor=Anchor("a", "planned release to a partner", "developer", "s"),
        window=AccessRule(30, 30, "up to 30 days", "s"),
        decides=Decider("determining-official", "Director", "s"),
    )
    return replace(made, **fields)  # type: ignore[arg-type] # fields of a regime by name


def engagement() -> Engagement:
    """The engagement of every test."""
    return Engagement("e-1", "r", "aa", "maker", "model-x", "dd" * 32, START)


def terms(days: float = 60, **fields: object) -> Terms:
    """Terms that expire *days* after the start."""
    made = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, START + days * DAY)
    return replace(made, **fields)  # type: ignore[arg-type] # fields of terms by name


def determination(**fields: object) -> Determination:
    """An undetermined answer about the engagement's model."""
    made = Determination(
        scope=Scope("model-x", "w1", "dd" * 32),
        answer=Answer.UNDETERMINED,
        outcome=Outcome.UNDETERMINED,
        basis="bb",
        criteria="cc",
        alpha_above=0.05,
        alpha_below=0.05,
        official="demonstration official",
        expires=START + 200 * DAY,
        trigger="new weights",
        demonstration=True,
    )
    return replace(made, **fields)  # type: ignore[arg-type] # fields of a determination by name


def after(on: Standing, deed: Deed, by: Principal, at: datetime) -> Standing:
    """The standing once *deed* is recorded."""
    act = Act(f"a{len(on.acts)}", deed.kind, at, by.id, deed.about, "e-1", deed.detail)
    return replace(on, acts=(*on.acts, act))


def ready(anchor_days: float = 20, terms_days: float = 60, **fields: object) -> Standing:
    """Anchor set, terms agreed by both: access may be opened."""
    on = Standing(engagement(), regime(**fields))
    anchored = rules.set_anchor(on, DEVELOPER, anchor=START + anchor_days * DAY)
    on = after(on, anchored, DEVELOPER, START)
    for by in (DEVELOPER, EVALUATOR):
        deed = rules.agree_terms(on, by, START, terms=terms(terms_days))
        on = after(on, deed, by, START)
    return on


def opened(anchor_days: float = 20, terms_days: float = 60) -> Standing:
    """As `ready`, with access open since the start."""
    on = ready(anchor_days, terms_days)
    return after(on, rules.open_access(on, DEVELOPER, START), DEVELOPER, START)


def test_the_whole_way_shows_each_word_once() -> None:
    """Draft, inquiry, access open, closed, determination: the words come from acts and time alone."""
    on, now = Standing(engagement(), regime()), START
    words = [state(on.regime, on.acts, now)]
    on = after(on, rules.lodge_inquiry(on, DEVELOPER, now, question="q"), DEVELOPER, now)
    words.append(state(on.regime, on.acts, now))
    answered = deciding.answer_inquiry(on, OFFICIAL, now, answer=Answer.UNDETERMINED, basis="b")
    on = after(on, answered, OFFICIAL, now)
    assert on.acts[-1].detail["inquiry"] == on.acts[0].id
    on = after(on, rules.set_anchor(on, DEVELOPER, anchor=START + 20 * DAY), DEVELOPER, now)
    for by in (DEVELOPER, EVALUATOR):
        on = after(on, rules.agree_terms(on, by, now, terms=terms()), by, now)
    on = after(on, rules.open_access(on, DEVELOPER, now), DEVELOPER, now)
    words.append(state(on.regime, on.acts, now))
    words.append(state(on.regime, on.acts, START + 20 * DAY))
    found = deciding.record_determination(on, OFFICIAL, now, determination=determination())
    on = after(on, found, OFFICIAL, now)
    assert state(on.regime, on.acts, now) is State.ACCESS_OPEN
    words.append(state(on.regime, on.acts, START + 20 * DAY))
    on = after(on, rules.withdraw(on, DEVELOPER), DEVELOPER, now)
    words.append(state(on.regime, on.acts, now))
    assert words == list(State)


def test_a_determination_records_its_scope_errors_and_regime() -> None:
    """The act's detail holds what the answer rests on, as text that the log can commit to."""
    deed = deciding.record_determination(opened(), OFFICIAL, START, determination=determination())
    assert deed.detail["alpha_above"] == "0.05"
    assert deed.detail["weights_version"] == "w1"
    assert deed.detail["regime"] == "aa"
    assert deed.detail["expires"] == "2027-04-19T12:00:00.000000Z"


def test_an_engagement_keeps_the_text_it_was_opened_under() -> None:
    """Another text of the regime does not fit an engagement."""
    with pytest.raises(Invalid, match="regime"):
        Standing(engagement(), regime(digest="bb"))


def test_only_the_developer_does_what_is_the_developers() -> None:
    """Inquiry, anchor, opening, extension and withdrawal by anyone else are refused by name."""
    on = ready()
    for refused in (
        partial(rules.lodge_inquiry, on, EVALUATOR, START, question="q"),
        partial(rules.set_anchor, on, OFFICIAL, anchor=START),
        partial(rules.open_access, on, EVALUATOR, START),
        partial(rules.extend, opened(), EVALUATOR, START, until=START),
        partial(rules.withdraw, on, OFFICIAL),
    ):
        with pytest.raises(Refused, match="only the developer, maker"):
            refused()


def test_only_the_deciding_role_answers() -> None:
    """An evaluator, and the developer whatever its roles, record no answer; nor where nobody decides."""
    on = after(
        ready(), rules.lodge_inquiry(ready(), DEVELOPER, START, question="q"), DEVELOPER, START
    )
    pretender = replace(DEVELOPER, roles=OFFICIAL.roles)
    for by in (EVALUATOR, pretender):
        with pytest.raises(Refused, match="only the role determining-official"):
            deciding.record_determination(on, by, START, determination=determination())
        with pytest.raises(Refused, match="only the role determining-official"):
            deciding.answer_inquiry(on, by, START, answer=Answer.COVERED, basis="b")
    with pytest.raises(Refused, match="nobody"):
        deciding.record_determination(
            ready(decides=None), OFFICIAL, START, determination=determination()
        )
    with pytest.raises(Refused, match="no inquiry"):
        deciding.answer_inquiry(ready(), OFFICIAL, START, answer=Answer.COVERED, basis="b")


def test_a_determination_is_about_this_model_and_lasts() -> None:
    """Another model, other weights or an expiry in the past cannot be recorded."""
    on = opened()
    for wrong, field in (
        ({"scope": Scope("model-y", "w1", "dd" * 32)}, "scope"),
        ({"scope": Scope("model-x", "w2", "ee" * 32)}, "scope"),
        ({"expires": START}, "expires"),
    ):
        with pytest.raises(Invalid, match=field):
            deciding.record_determination(on, OFFICIAL, START, determination=determination(**wrong))


def test_access_needs_an_anchor_terms_and_a_regime_that_gives_it() -> None:
    """Each thing that is missing is named with its cure."""
    bare = Standing(engagement(), regime())
    anchored = after(
        bare, rules.set_anchor(bare, DEVELOPER, anchor=START + 20 * DAY), DEVELOPER, START
    )
    theirs = rules.agree_terms(anchored, EVALUATOR, START, terms=terms())
    half = after(anchored, theirs, EVALUATOR, START)
    other = rules.agree_terms(half, DEVELOPER, START, terms=terms(retention_days=1))
    differing = after(half, other, DEVELOPER, START)
    for on, now, words in (
        (bare, START, "no anchor"),
        (anchored, START, "developer has agreed to no terms"),
        (half, START, "developer has agreed to no terms"),
        (differing, START, "different terms"),
        (ready(), START + 20 * DAY, "anchor is in the past"),
        (ready(31), START, "no earlier than 2026-10-02T12"),
        (ready(window=None), START, "gives no access"),
        (ready(status=Status.REVOKED), START, "no effect"),
        (opened(), START, "opened at"),
    ):
        with pytest.raises(Refused, match=words):
            rules.open_access(on, DEVELOPER, now)
    with pytest.raises(Invalid, match="expires"):
        rules.agree_terms(bare, DEVELOPER, START, terms=terms(0))


def test_the_developer_extends_up_to_its_anchor_and_the_ceiling() -> None:
    """After a slip access lasts longer only by the developer's act, and never past 30 days."""
    on = opened(20)
    slipped = after(on, rules.set_anchor(on, DEVELOPER, anchor=START + 25 * DAY), DEVELOPER, START)
    assert slipped.window.ends == START + 20 * DAY
    longer = rules.extend(slipped, DEVELOPER, START + DAY, until=START + 25 * DAY)
    assert after(slipped, longer, DEVELOPER, START + DAY).window.ends == START + 25 * DAY
    for until, words in ((26, "at most"), (20, "as it is"), (5, "as it is")):
        with pytest.raises(Refused, match=words):
            rules.extend(slipped, DEVELOPER, START + DAY, until=START + until * DAY)
    with pytest.raises(Refused, match="not open"):
        rules.extend(slipped, DEVELOPER, START + 20 * DAY, until=START + 24 * DAY)


def test_either_party_ends_access_and_the_engagement() -> None:
    """An end takes effect at its instant; afterwards nothing but a withdrawal is recorded."""
    for by in (DEVELOPER, EVALUATOR):
        on, at = opened(), START + DAY
        on = after(on, rules.end_access(on, by, at), by, at)
        assert (on.window.ends, on.window.ended_by) == (at, EndedBy.PARTY)
        with pytest.raises(Refused, match="not open"):
            rules.end_access(on, by, at)
        over = after(on, rules.end(on, by), by, at)
        with pytest.raises(Refused, match="this engagement ended"):
            rules.set_anchor(over, DEVELOPER, anchor=START)
        assert rules.withdraw(over, DEVELOPER).kind is Kind.ENGAGEMENT_WITHDRAWN
    gone = after(opened(), rules.withdraw(opened(), DEVELOPER), DEVELOPER, START)
    with pytest.raises(Refused, match="was withdrawn"):
        deciding.record_determination(gone, OFFICIAL, START, determination=determination())


def test_a_regime_without_effect_starts_nothing() -> None:
    """Before its first day, after its last, or never in force: no inquiry is recorded under it."""
    for fields in (
        {"in_force": InForce(since=date(2026, 10, 2))},
        {"in_force": InForce(until=date(2026, 9, 30))},
        {"status": Status.NEVER_IN_FORCE},
    ):
        on = Standing(engagement(), regime(**fields))
        with pytest.raises(Refused, match="no effect"):
            rules.lodge_inquiry(on, DEVELOPER, START, question="q")
    require_effect(regime(in_force=InForce(), status=Status.PRIVATE_PROGRAMME), START)
    assert regime().source("s").citation == "S"


def test_terms_say_every_word_and_date_destruction() -> None:
    """An empty word, or an impossible limit, is refused by name."""
    agreed = terms()
    assert agreed.destroy_by(START) == START + 90 * DAY
    assert agreed.digest == terms().digest != terms(61).digest
    for name in WORDS:
        with pytest.raises(Invalid, match=name):
            terms(**{name: " "})  # type: ignore[arg-type] # one field of terms
    for wrong, field in (
        ({"purposes": ()}, "purposes"),
        ({"retention_days": -1}, "retention_days"),
        ({"expires": datetime(2027, 1, 1)}, "offset"),  # noqa: DTZ001 -- the missing offset is the point
    ):
        with pytest.raises(Invalid, match=field):
            terms(**wrong)


def test_new_terms_have_effect_once_both_agreed() -> None:
    """While access is open longer terms wait for the other party; shorter ones need nobody."""
    on, at = opened(25, terms_days=10), START + DAY
    longer = rules.agree_terms(on, DEVELOPER, at, terms=terms(15))
    offered = after(on, longer, DEVELOPER, at)
    assert offered.window.ends == START + 10 * DAY
    theirs = rules.agree_terms(offered, EVALUATOR, at, terms=terms(15))
    assert after(offered, theirs, EVALUATOR, at).window.ends == START + 15 * DAY
    shorter = rules.agree_terms(on, DEVELOPER, at, terms=terms(5))
    found = after(on, shorter, DEVELOPER, at).window
    assert (found.ends, found.ended_by) == (START + 5 * DAY, EndedBy.TERMS_EXPIRY)


def test_terms_of_one_party_alone_keep_nobody_from_opening_and_lengthen_nothing() -> None:
    """Those in effect count, for the opening and for its end, whatever one party signed since."""
    on = ready()
    for by in (EVALUATOR, DEVELOPER):
        newer = rules.agree_terms(on, by, START, terms=terms(59, retention_days=1))
        alone = after(on, newer, by, START)
        assert rules.open_access(alone, DEVELOPER, START).detail["terms"] == terms().digest
    on = opened(25, terms_days=10)
    for by, days, ends in (
        (EVALUATOR, 15, 10),
        (EVALUATOR, 16, 10),
        (DEVELOPER, 15, 10),  # the government signed these once, and others since
        (DEVELOPER, 16, 16),
        (DEVELOPER, 10, 10),
        (EVALUATOR, 10, 10),
        (DEVELOPER, 16, 10),
    ):
        deed = rules.agree_terms(on, by, START + DAY, terms=terms(days))
        on = after(on, deed, by, START + DAY)
        assert on.window.ends == START + ends * DAY, (by.id, days)


def test_access_that_ended_with_its_terms_does_not_begin_anew() -> None:
    """Terms that both sign afterwards cover what was received; they open nothing."""
    on, at = opened(25, terms_days=10), START + 11 * DAY
    for by in (DEVELOPER, EVALUATOR):
        on = after(on, rules.agree_terms(on, by, at, terms=terms(20)), by, at)
    assert rules.agreed_terms(on) == terms(20).digest
    assert on.window.ends == START + 10 * DAY
    assert on.word(at) is State.ACCESS_CLOSED


def test_determinations_name_their_grounds_and_their_end() -> None:
    """An unnamed basis is refused, a demonstration's official is called one, expiry ends the answer."""
    for name in ("basis", "criteria", "official", "trigger"):
        with pytest.raises(Invalid, match=name):
            determination(**{name: ""})
    with pytest.raises(Invalid, match="official"):
        determination(official="Director")
    made = determination()
    assert made.speaks_for(made.scope, START)
    assert not made.speaks_for(replace(made.scope, weights_version="w2"), START)
    assert not made.speaks_for(made.scope, made.expires)


def test_an_act_without_its_time_is_named() -> None:
    """A record whose detail lacks a readable time with an offset stops with act and field."""
    for anchor in (None, "soon", "2026-10-01T00:00:00"):
        act = Act(
            "a9",
            Kind.ANCHOR_SET,
            START,
            "dev",
            "e-1",
            "e-1",
            {"party": "developer", "anchor": anchor},
        )
        with pytest.raises(Invalid, match="act a9, anchor"):
            time_in(act, "anchor")


def test_a_window_without_a_rule_never_opens() -> None:
    """Under a regime that has no access window nothing is dated, whatever was recorded."""
    found = window(regime(window=None), opened().acts)
    assert found.ends is None
    assert not found.is_open(START)
    assert window(regime(), ()) == Window()
