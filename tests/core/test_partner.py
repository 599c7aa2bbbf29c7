"""A partner uses what two parties agreed, what the developer opened, and never more than there is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.access import Principal
from leadline.core.engagement import partner as rules
from leadline.core.engagement.engagement import Deed, Engagement, Standing
from leadline.core.engagement.partner import Partner, Position, Rest, Stage, TargetUse
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value
from leadline.wiring.regimes import library

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
DEVELOPER = Principal("dev", "Dev", "maker", frozenset({"developer"}))
OFFICIAL = Principal("off", "Off", "office", frozenset({"determining-official"}))
REGIME = library().newest("us-eo-14409")
FACTS = Engagement("e-1", REGIME.id, REGIME.digest, "maker", "model-x", "dd" * 32, START)
STAGES = (Stage(("api",), 10, 3), Stage(("api", "weights-free-tuning"), 5, 4))
WATER = Partner("a-utility", "early access", ("t-1", "t-2"), STAGES, START + 9 * DAY, "government")
BANK = replace(WATER, organisation="a-bank")
USE = TargetUse("t-1", "api", 1)
TERMS = "ab" * 32


def act(deed: Deed, at: datetime = START, by: str = "x") -> Act:
    """The act a deed becomes."""
    return Act("a", deed.kind, at, by, deed.about, "e-1", deed.detail)


def standing(*acts: Act) -> Standing:
    """The engagement with these acts."""
    return Standing(FACTS, REGIME, acts)


def proposed(partner: Partner = WATER) -> list[Act]:
    """A proposal by the government."""
    deed = rules.propose(standing(), OFFICIAL, START, partner=partner, reason="rr")
    return [act(deed)]


def agreed(partner: Partner = WATER) -> list[Act]:
    """The developer agrees."""
    acts = proposed(partner)
    found = rules.position(partner, acts)
    return [*acts, act(rules.agree(standing(*acts), DEVELOPER, found, START, reason="rr"))]


def opened(stages: int = 1, partner: Partner = WATER) -> list[Act]:
    """Terms signed by the partner, and stages open."""
    acts = agreed(partner)
    acts.append(act(rules.sign(rules.position(partner, acts), TERMS, START)))
    for stage in range(stages):
        found = rules.position(partner, acts)
        deed = rules.open_stage(standing(*acts), DEVELOPER, found, START, stage=stage)
        acts.append(act(deed))
    return acts


def used(acts: list[Act], spent: int, at: datetime = START, partner: Partner = WATER) -> list[Act]:
    """With one more use."""
    deed = rules.used(rules.position(partner, acts), replace(USE, credits=spent), "defence", TERMS)
    return [*acts, act(deed, at)]


def resting(acts: list[Act], since: datetime, until: datetime | None) -> list[Act]:
    """With an end, or a restriction."""
    rest = Rest(since, until, "letter of 1 October, sec. 2")
    return [*acts, act(rules.end("developer", rules.position(WATER, acts), rest, START))]


def why(acts: list[Act], use: TargetUse = USE, at: datetime = START, terms: str = TERMS) -> str:
    """What stands against a use."""
    return rules.against(rules.position(WATER, acts), use, terms, at)


def test_a_partner_uses_nothing_before_every_side_has_done_its_part() -> None:
    """Proposal, agreement, the partner's signature, a stage: each is named while it is missing."""
    assert "other party has not agreed" in why(proposed())
    assert "has not signed the terms" in why(agreed())
    assert "no stage that is open opens 'api'" in why(opened(0))
    assert why(opened()) == ""
    assert "has not signed the terms" in why(opened(), terms="newer terms")


def test_a_use_outside_what_was_agreed_is_named() -> None:
    """Another target, a capability of a later stage, more credits than are left, too many a day."""
    assert "'t-9' is none of the targets" in why(opened(), replace(USE, target="t-9"))
    tuned = replace(USE, capability="weights-free-tuning")
    assert "no stage that is open" in why(opened(), tuned)
    assert why(opened(2), tuned) == ""
    assert "10 credits are left, 11 were asked for" in why(opened(), replace(USE, credits=11))
    spent = used(opened(), 10)
    assert "0 credits are left" in why(spent)
    often = used(used(used(opened(), 1), 1), 1, START + SECOND)
    assert "3 uses in 24 hours" in why(often, at=START + DAY - SECOND)
    assert why(often, at=START + DAY) == ""


def test_a_partner_whose_time_ended_a_second_ago_uses_nothing() -> None:
    """At its end it is over; a microsecond before it is not."""
    end = START + 9 * DAY
    assert why(opened(), at=end - timedelta(microseconds=1)) == ""
    for late in (timedelta(0), SECOND):
        assert "ended at 2026-10-10" in why(opened(), at=end + late)


def test_a_restriction_has_a_first_and_a_last_moment_and_an_end_has_none() -> None:
    """It counts from its effective date and for this partner alone."""
    acts = resting(opened(), START + DAY, START + 2 * DAY)
    assert why(acts) == ""
    told = why(acts, at=START + DAY)
    assert "rests from 2026-10-02T12:00:00.000000Z until 2026-10-03" in told
    assert "letter of 1 October" in told
    assert why(acts, at=START + 2 * DAY) == ""
    ended = resting(acts, START + DAY, None)
    assert "for good" in why(ended, at=START + DAY)
    assert "for good" in why(ended, at=START + 5 * DAY)
    other = [*ended, *opened(1, BANK)]
    assert rules.against(rules.position(BANK, other), USE, TERMS, START + DAY) == ""


def test_use_is_over_at_the_expiry_or_at_an_end_before_it() -> None:
    """A rest after which it goes on moves nothing, nor does an end after the expiry."""
    ends = WATER.expires
    assert rules.position(WATER, opened()).ends == ends
    assert rules.position(WATER, resting(opened(), START, START + SECOND)).ends == ends
    assert rules.position(WATER, resting(opened(), START + SECOND, None)).ends == START + SECOND
    assert rules.position(WATER, resting(opened(), ends + SECOND, None)).ends == ends


def test_no_party_agrees_to_its_own_proposal() -> None:
    """Nor twice, nor to what has ended; both parties may be the one that proposes."""
    found = rules.position(WATER, proposed())
    with pytest.raises(Refused, match="the government proposed this partner"):
        rules.agree(standing(), OFFICIAL, found, START, reason="r")
    theirs = replace(WATER, proposed_by="developer")
    first = [act(rules.propose(standing(), DEVELOPER, START, partner=theirs, reason="r"))]
    both = rules.position(theirs, first)
    with pytest.raises(Refused, match="the developer proposed this partner"):
        rules.agree(standing(), DEVELOPER, both, START, reason="r")
    done = [*first, act(rules.agree(standing(), OFFICIAL, both, START, reason="r"))]
    assert rules.position(theirs, done).agreed
    with pytest.raises(Refused, match="agreed to a-utility already"):
        rules.agree(standing(), DEVELOPER, rules.position(WATER, agreed()), START, reason="r")
    with pytest.raises(Refused, match="propose it anew"):
        rules.agree(standing(), DEVELOPER, found, START + 9 * DAY, reason="r")
    over = rules.position(WATER, resting(proposed(), START, None))
    with pytest.raises(Refused, match="ended at 2026-10-01"):
        rules.agree(standing(), DEVELOPER, over, START, reason="r")


def test_an_agreement_to_another_text_is_none() -> None:
    """What was agreed is the proposal of that digest."""
    changed = replace(WATER, targets=("t-1", "t-2", "t-3"))
    assert rules.position(WATER, agreed()).agreed
    assert not rules.position(changed, agreed()).agreed


def test_a_proposal_that_cannot_be_is_refused() -> None:
    """In the past, of the developer itself, in the other party's name."""
    propose = partial(rules.propose, standing(), OFFICIAL, START, reason="r")
    for wrong, field in (
        (replace(WATER, expires=START), "past"),
        (replace(WATER, organisation="maker"), "a party and no partner"),
        (replace(WATER, proposed_by="developer"), "proposed_by"),
    ):
        with pytest.raises(Invalid, match=field):
            propose(partner=wrong)


def test_an_organisation_is_proposed_anew_once_its_time_is_over() -> None:
    """And begins from nothing: no stage, no credit, no signature of before."""
    found = rules.position(WATER, used(opened(), 3))
    with pytest.raises(Refused, match="proposed already"):
        rules.replaceable(found, START)
    rules.replaceable(found, START + 9 * DAY)
    rested = rules.position(WATER, resting(opened(), START, START + DAY))
    with pytest.raises(Refused, match="proposed already"):
        rules.replaceable(rested, START)
    ended = resting(opened(), START, None)
    rules.replaceable(rules.position(WATER, ended), START)
    again = rules.position(WATER, [*ended, *proposed()])
    assert again == Position(WATER)


def test_stages_open_one_after_the_other_by_the_developer() -> None:
    """Not by the government, not before both agreed, not out of order, not beyond the last."""
    found = rules.position(WATER, agreed())
    open_ = partial(rules.open_stage, standing(), now=START)
    with pytest.raises(Refused, match="only the developer, maker"):
        open_(OFFICIAL, found, stage=0)
    with pytest.raises(Refused, match="has not agreed"):
        open_(DEVELOPER, rules.position(WATER, proposed()), stage=0)
    with pytest.raises(Refused, match="stage 0 comes next"):
        open_(DEVELOPER, found, stage=1)
    with pytest.raises(Refused, match="every stage is open"):
        open_(DEVELOPER, rules.position(WATER, opened(2)), stage=2)
    with pytest.raises(Refused, match="ended"):
        rules.open_stage(standing(), DEVELOPER, found, START + 9 * DAY, stage=0)
    assert rules.position(WATER, opened(2)).left == 15
    assert rules.position(WATER, opened(2)).capabilities == ("api", "weights-free-tuning")


def test_a_partner_signs_once_and_only_what_it_was_offered() -> None:
    """Not before both agreed, not after its end, not the same text twice."""
    with pytest.raises(Refused, match="has not agreed"):
        rules.sign(rules.position(WATER, proposed()), TERMS, START)
    with pytest.raises(Refused, match="signed these terms already"):
        rules.sign(rules.position(WATER, opened()), TERMS, START)
    with pytest.raises(Refused, match="ended"):
        rules.sign(rules.position(WATER, agreed()), TERMS, START + 9 * DAY)


def test_an_end_counts_from_now_at_earliest_and_once() -> None:
    """What is past is not rewritten."""
    found = rules.position(WATER, opened())
    with pytest.raises(Invalid, match="since"):
        rules.end("developer", found, Rest(START - SECOND, None, "a"), START)
    ended = rules.position(WATER, resting(opened(), START, None))
    with pytest.raises(Refused, match="ended at"):
        rules.end("developer", ended, Rest(START, None, "a"), START)


def test_nothing_opens_after_a_withdrawal_or_an_end() -> None:
    """Proposing, agreeing and opening are refused; ending a partner's use is not."""
    for kind, word in (
        (Kind.ENGAGEMENT_WITHDRAWN, "was withdrawn"),
        (Kind.ENGAGEMENT_ENDED, "ended"),
    ):
        over = standing(act(Deed(kind, "e-1", {})))
        found = rules.position(WATER, agreed())
        with pytest.raises(Refused, match=word):
            rules.propose(over, OFFICIAL, START, partner=WATER, reason="r")
        with pytest.raises(Refused, match=word):
            rules.agree(over, DEVELOPER, found, START, reason="r")
        with pytest.raises(Refused, match=word):
            rules.open_stage(over, DEVELOPER, found, START, stage=0)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda: replace(WATER, organisation=""), "organisation"),
        (lambda: replace(WATER, tier="a\nb"), "tier"),
        (lambda: replace(WATER, targets=()), "targets"),
        (lambda: replace(WATER, targets=("t", "t")), "targets"),
        (lambda: replace(WATER, targets=("t" * 301,)), "targets"),
        (lambda: replace(WATER, stages=()), "stages"),
        (lambda: replace(WATER, expires=datetime(2027, 1, 1)), "offset"),  # noqa: DTZ001 -- no offset
        (lambda: Stage((), 1, 1), "capabilities"),
        (lambda: Stage(("a",), -1, 1), "credits"),
        (lambda: Stage(("a",), 10**13, 1), "credits"),
        (lambda: Stage(("a",), 1, 0), "uses_a_day"),
        (lambda: replace(USE, credits=0), "credits"),
        (lambda: replace(USE, target=" "), "target"),
        (lambda: replace(USE, capability=""), "capability"),
        (lambda: Rest(START, START, "a"), "until"),
        (lambda: Rest(START, None, " "), "authority"),
        (lambda: Rest(datetime(2027, 1, 1), None, "a"), "offset"),  # noqa: DTZ001 -- no offset
        (
            lambda: rules.position(
                WATER, [act(Deed(Kind.PARTNER_USED, "p", {"partner": "a-utility"}))]
            ),
            "credits",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(wrong: object, field: str) -> None:
    """Each with the field that is wrong."""
    with pytest.raises(Invalid, match=field):
        wrong()  # type: ignore[operator] # each is a function without parameters


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["stage", "use", "rest", "end", "propose"]),
            st.integers(1, 8),
            st.integers(0, 30),
        ),
        max_size=30,
    )
)
def test_credits_are_never_negative_in_any_order(steps: list[tuple[str, int, int]]) -> None:
    """Whatever is tried, in whatever order; what is spent is what the uses took."""
    acts, now, spent, refused = agreed(), START, 0, 0
    acts.append(act(rules.sign(rules.position(WATER, acts), TERMS, START)))
    for what, number, hours in steps:
        now += timedelta(hours=hours)
        found = rules.position(WATER, acts)
        try:
            match what:
                case "stage":
                    deed = rules.open_stage(
                        standing(*acts), DEVELOPER, found, now, stage=found.opened
                    )
                case "use":
                    use = replace(USE, credits=number)
                    if rules.against(found, use, TERMS, now):
                        continue
                    deed = rules.used(found, use, "defence", TERMS)
                    spent += number
                case "propose":
                    rules.replaceable(found, now)
                    renewed = replace(WATER, expires=WATER.expires)
                    deed = rules.propose(
                        standing(*acts), OFFICIAL, now, partner=renewed, reason="r"
                    )
                    spent = 0
                case _:
                    until = now + timedelta(hours=number) if what == "rest" else None
                    deed = rules.end("developer", found, Rest(now, until, "a"), now)
        except (Refused, Invalid):
            refused += 1
        else:
            acts.append(act(deed, now))
        after = rules.position(WATER, acts)
        assert after.left >= 0
        assert after.spent == spent
    assert refused <= len(steps)


@given(
    st.lists(
        st.tuples(st.sampled_from(["propose", "agree", "open", "end", "forged"]), st.booleans()),
        max_size=12,
    )
)
def test_no_act_of_the_government_alone_opens_a_stage(steps: list[tuple[str, bool]]) -> None:
    """Nor one that carries its party's name and the kind of an opened stage."""
    acts: list[Act] = []
    refused = 0
    for what, lasting in steps:
        found = rules.position(WATER, acts)
        try:
            match what:
                case "propose":
                    deed = rules.propose(
                        standing(*acts), OFFICIAL, START, partner=WATER, reason="r"
                    )
                case "agree":
                    deed = rules.agree(standing(*acts), OFFICIAL, found, START, reason="r")
                case "open":
                    deed = rules.open_stage(standing(*acts), OFFICIAL, found, START, stage=0)
                case "end":
                    until = None if lasting else START + DAY
                    deed = rules.end("government", found, Rest(START, until, "a"), START)
                case _:
                    whose: dict[str, Value] = {
                        "party": "government",
                        "partner": "a-utility",
                        "stage": 0,
                    }
                    deed = Deed(Kind.PARTNER_STAGE_OPENED, "partner/a-utility", whose)
        except Refused:
            refused += 1
        else:
            acts.append(act(deed))
        assert rules.position(WATER, acts).opened == 0
        assert not rules.position(WATER, acts).agreed
    assert refused + len(acts) == len(steps)
