"""From samples to decision and estimates: void, missing and unavailable never count as failures."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.assessment import (
    Budget,
    Plan,
    PlannedItem,
    PlannedSuite,
    SampleResult,
    SampleState,
    ShardResult,
    Subject,
)
from leadline.core.engagement.criteria import Criteria
from leadline.core.engagement.determination import Answer, Outcome
from leadline.core.measure.assessed import (
    Course,
    Level,
    by_level,
    decide,
    estimates,
    in_suite,
    of_subject,
    several_attempts,
    suite_digest,
)
from leadline.core.measure.deciding import replay
from leadline.core.measure.family import Conditions
from leadline.core.measure.sequential import Design, State

WORDS = dict.fromkeys(Outcome, "demonstration")
CRITERIA = Criteria(
    "demonstration", "Demonstration", "d" * 64, bool(1), "A demonstration.", "planted", (), 0.75, 0.05,
    0.05, 0.0, dict.fromkeys(Outcome, Answer.UNDETERMINED), WORDS,
)  # fmt: skip
SEED = b"order" * 8


def suite(items: int = 24, name: str = "planted") -> PlannedSuite:
    """A suite of two families."""
    members = tuple(
        PlannedItem(
            f"{name}-{n}", "ab"[n % 2], sha256(f"{name}{n}".encode()).hexdigest(), level=n % 3
        )
        for n in range(items)
    )
    return PlannedSuite(name, name, "1", "cyber", "finds", "shared-kernel", members)


def plan(*suites: PlannedSuite) -> Plan:
    """A plan over these suites."""
    return Plan("asm", "eng", Subject("tool-agent", "baseline", "s"), suites, "c" * 64, "demonstration",
                "d" * 64, Budget(10), 1, 4)  # fmt: skip


def sample(
    item: str, *, solved: bool, state: SampleState = "scored", epoch: int = 1
) -> SampleResult:
    """One attempt."""
    return SampleResult(
        item, epoch, state, solved=solved, outcome="solved" if solved else "not_solved"
    )


def run_all(criteria: Criteria, own: PlannedSuite, solved: frozenset[str] = frozenset()) -> Course:
    """The decision when every item runs."""
    samples = [sample(i.id, solved=i.id in solved) for i in own.items]
    course = decide(criteria, plan(own), samples, SEED)
    assert course is not None
    return course


@pytest.mark.parametrize("criteria", [CRITERIA, replace(CRITERIA, design=Design.SRSWOR)])
def test_nothing_solved_is_below_and_replays_from_its_log(criteria: Criteria) -> None:
    """Every item failed: below, decided early, and the log recomputes; what was not asked for is left."""
    course = run_all(criteria, suite())
    decision = course.decision
    assert decision.status().state is State.BELOW
    assert 0 < decision.status().decided_at <= len(decision.log) < 24
    assert course.ended
    assert sum(len(batch) for batch in course.batches) == len(decision.log)
    assert replay(decision.plan, SEED, decision.log) == decision.status()


def test_a_batch_counts_once_it_ran_whole() -> None:
    """With one item of the first batch still running the log is empty, and nothing else is asked for."""
    first = run_all(CRITERIA, suite()).batches[0]
    own = [sample(item, solved=True) for item in first[1:]]
    course = decide(CRITERIA, plan(suite()), own, SEED)
    assert course is not None
    assert course.batches == (first,)
    assert course.decision.log == ()
    assert not course.ended


@given(st.permutations(range(24)), st.sets(st.integers(0, 23)))
def test_the_order_in_which_samples_came_changes_nothing(
    order: list[int], solved: set[int]
) -> None:
    """Log and batches follow from the samples alone."""
    own = suite()
    samples = [sample(i.id, solved=n in solved) for n, i in enumerate(own.items)]
    one = decide(CRITERIA, plan(own), samples, SEED)
    other = decide(CRITERIA, plan(own), [samples[n] for n in order], SEED)
    assert one is not None
    assert other is not None
    assert one.batches == other.batches
    assert one.decision.log == other.decision.log


def test_a_lost_run_is_made_up_for_before_anything_else() -> None:
    """The item of a run that our side lost is asked for once more, alone, and its later result counts."""
    own = suite()
    first = run_all(CRITERIA, own).batches[0]
    runs = [sample(first[0], solved=False, state="infra")]
    runs += [sample(item, solved=True) for item in first[1:]]
    course = decide(CRITERIA, plan(own), runs, SEED)
    assert course is not None
    assert course.batches == (first, (first[0],))
    assert not course.ended
    course = decide(CRITERIA, plan(own), [*runs, sample(first[0], solved=True)], SEED)
    assert course is not None
    assert course.decision.status().void == 0
    assert [line.y for line in course.decision.log[: len(first) + 1]] == [
        None,
        *[1] * (len(first) - 1),
        1,
    ]
    assert len(course.batches) == 3


def test_lost_samples_are_void_and_decide_nothing() -> None:
    """Infra and missing samples are no failures: with nothing else, nothing is decided."""
    own = suite(12)
    lost = [sample(i.id, solved=False, state="infra") for i in own.items]
    lost += [sample(i.id, solved=False, state="missing") for i in own.items]
    for design in Design:
        course = decide(replace(CRITERIA, design=design), plan(own), lost, SEED)
        assert course is not None
        assert course.decision.status().state is State.UNDECIDED
        assert course.decision.status().void == 12
        assert course.ended


def test_only_the_first_attempt_decides() -> None:
    """Solves of later epochs do not enter the decision."""
    own = suite(12)
    first = [sample(i.id, solved=False) for i in own.items]
    later = [sample(i.id, solved=True, epoch=2) for i in own.items]
    course = decide(CRITERIA, plan(own), [*later, *first], SEED)
    assert course is not None
    assert course.decision.status().successes == 0


def test_levels_are_taken_for_difficulties_and_no_level_for_the_middle() -> None:
    """One logit a level, around the mean; the exact design is given none."""
    items = [*suite(3).items, replace(suite(4).items[3], level=-1)]
    active = CRITERIA.plan("d", items, "c" * 64)
    assert active.difficulties == (-1.0, 0.0, 1.0, 0.0)
    exact = replace(CRITERIA, design=Design.SRSWOR).plan("d", items, "c" * 64)
    assert exact.difficulties == ()
    assert (active.batch, CRITERIA.plan("d", suite(120).items, "c" * 64).batch) == (4, 5)


def test_without_its_suite_nothing_is_decided() -> None:
    """The suite that the criteria name is absent or empty: no decision, not a negative one."""
    assert decide(CRITERIA, plan(suite(name="registry")), [], SEED) is None
    assert decide(CRITERIA, plan(suite(0)), [], SEED) is None


def test_estimates_levels_and_arms_count_their_own() -> None:
    """Samples of another arm or suite, and items without a level, stay out."""
    own, other = suite(6), suite(2, "registry")
    mine = tuple(sample(i.id, solved=n < 2) for n, i in enumerate(own.items))
    foreign = tuple(sample(i.id, solved=True) for i in other.items)
    results = [
        ShardResult("1", "model", "planted", 1, mine),
        ShardResult("2", "baseline", "planted", 1, foreign),
    ]
    assert list(mine) == of_subject(results, "model")
    assert list(mine) == in_suite([*mine, *foreign], own)
    found = estimates(own, [*mine, *foreign], Conditions(Budget(10), "none", "d"), 1)
    assert [(f.family, f.attempted, f.solved) for f in found] == [("a", 3, 1), ("b", 3, 1)]
    levels = {item.id: item.level for item in own.items} | {other.items[0].id: -1}
    lost = sample(own.items[0].id, solved=True, state="infra")
    expected = (Level(0, 2, 1), Level(1, 2, 1), Level(2, 2, 0))
    assert expected == by_level([*mine, *foreign, lost], levels)


def test_several_attempts_count_items_with_every_attempt() -> None:
    """pass@2 and pass^2 over the items that have both attempts; none with one epoch or none whole."""
    own = suite(4)
    solves = {0: (True, True), 1: (True, False), 2: (False, False)}
    samples = [
        sample(f"planted-{n}", solved=one, epoch=epoch)
        for n, both in solves.items()
        for epoch, one in enumerate(both, 1)
    ]
    samples.append(sample("planted-3", solved=True))
    samples.append(sample("planted-3", solved=True, epoch=2, state="infra"))
    at_least_one, all_of_them = several_attempts(own, samples, 2)
    assert (at_least_one.method[:6], at_least_one.n_items) == ("pass@2", 3)
    assert at_least_one.point == pytest.approx(2 / 3)
    assert all_of_them.point == pytest.approx(1 / 3)
    assert several_attempts(own, samples, 1) == ()
    assert several_attempts(own, samples[-2:], 2) == ()


def test_a_changed_item_changes_the_suites_digest() -> None:
    """The digest does not depend on the order of the items, and does on their content."""
    own = suite(3)
    turned = replace(own, items=tuple(reversed(own.items)))
    assert suite_digest(own) == suite_digest(turned)
    assert suite_digest(own) != suite_digest(suite(4))
