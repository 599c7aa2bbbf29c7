"""Every regime and criteria file does what its examples file says; a new file needs no new test."""

import random
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

import leadline
from leadline.core.access import Principal
from leadline.core.assessment import PlannedItem
from leadline.core.engagement import engagement as rules
from leadline.core.engagement.clock import window
from leadline.core.engagement.criteria import outcome
from leadline.core.engagement.engagement import Deed, Engagement, Standing, state
from leadline.core.engagement.regime import Regime
from leadline.core.engagement.terms import Terms
from leadline.core.errors import LeadlineError
from leadline.core.measure.deciding import start
from leadline.core.measure.sequential import Design, Result, state_of
from leadline.core.record.act import Act
from leadline.formats.criteria_toml import CountExample, load_count_examples, load_criteria
from leadline.formats.regime_examples import Did, Example, Step, load_examples
from leadline.formats.regime_toml import load_regime

DATA = Path(leadline.__file__).parent / "data"
EXAMPLES = ".examples.toml"


def files(folder: str) -> list[Path]:
    """The data files of a folder, without the examples beside them."""
    return sorted(
        path for path in (DATA / folder).glob("*.toml") if not path.name.endswith(EXAMPLES)
    )


def beside(path: Path) -> Path:
    """The examples file of a data file."""
    return path.with_name(path.stem + EXAMPLES)


@dataclass(frozen=True)
class Story:
    """One example of one regime."""

    regime: Regime
    example: Example


def stories() -> list[Story]:
    """All examples of all regimes."""
    found = []
    for path in files("regimes"):
        regime = load_regime(path.read_bytes(), path.name)
        about, examples = load_examples(beside(path).read_bytes(), beside(path).name)
        assert about == regime.id == path.stem
        found += [Story(regime, example) for example in examples]
    return found


def terms(expires: datetime) -> Terms:
    """Terms that differ only in when they expire."""
    return Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, expires)


def decide(on: Standing, step: Step) -> Deed:
    """What the rules answer to one step of an example."""
    org = "a-developer" if step.by == "developer" else "a-body"
    by, now = Principal(step.by, step.by, org, frozenset({"determining-official"})), step.at
    time = step.time or now
    answers = {
        Did.INQUIRY_LODGED: lambda: rules.lodge_inquiry(on, by, now, question="q"),
        Did.ANCHOR_SET: lambda: rules.set_anchor(on, by, anchor=time),
        Did.TERMS_AGREED: lambda: rules.agree_terms(on, by, now, terms=terms(time)),
        Did.ACCESS_OPENED: lambda: rules.open_access(on, by, now),
        Did.ACCESS_EXTENDED: lambda: rules.extend(on, by, now, until=time),
        Did.ACCESS_ENDED: lambda: rules.end_access(on, by, now),
        Did.ENGAGEMENT_ENDED: lambda: rules.end(on, by),
        Did.ENGAGEMENT_WITHDRAWN: lambda: rules.withdraw(on, by),
    }
    return answers[step.did]()


def play(story: Story) -> tuple[Act, ...]:
    """The acts that an example records; its refusals are checked on the way."""
    first = story.example.steps[0].at
    engagement = Engagement(
        "e", story.regime.id, story.regime.digest, "a-developer", "m", "d", first
    )
    acts: tuple[Act, ...] = ()
    for number, step in enumerate(story.example.steps):
        on = Standing(engagement, story.regime, acts)
        if step.refused:
            with pytest.raises(LeadlineError) as refusal:
                decide(on, step)
            assert step.refused in str(refusal.value)
            continue
        deed = decide(on, step)
        acts += (Act(f"a{number}", deed.kind, step.at, step.by, deed.about, "e", deed.detail),)
    return acts


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.example.says[:60])
def test_the_dates_are_those_of_the_example(story: Story) -> None:
    """The acts of the story give its dates, its cause of the end and its word."""
    acts, expected = play(story), story.example.expected
    found = window(story.regime, acts)
    assert (found.opens_not_before, found.ends, found.ended_by) == (
        expected.opens_not_before,
        expected.ends,
        expected.ended_by,
    )
    assert state(story.regime, acts, expected.asked_at) is expected.state


def counts() -> list[tuple[Path, CountExample]]:
    """All examples of all criteria packs."""
    found = []
    for path in files("criteria"):
        about, examples = load_count_examples(beside(path).read_bytes(), beside(path).name)
        assert about == load_criteria(path.read_bytes(), path.name).id == path.stem
        found += [(path, example) for example in examples]
    return found


def alike(count: int) -> list[PlannedItem]:
    """Items that differ in nothing but their ids."""
    return [PlannedItem(f"item-{n:03d}", "f", f"{n:064d}") for n in range(count)]


def orders(example: CountExample) -> list[list[int]]:
    """The outcomes of an example in several orders: solved ones first, last, and mixed."""
    first = [1] * example.solved + [0] * (example.seen - example.solved)
    mixed = [random.Random(seed).sample(first, len(first)) for seed in range(4)]  # noqa: S311 -- orders
    return [first, first[::-1], *mixed]


@pytest.mark.parametrize(("path", "example"), counts(), ids=lambda one: getattr(one, "says", ""))
def test_the_answer_is_that_of_the_example(path: Path, example: CountExample) -> None:
    """The counts give the example's outcome, and the pack its answer.

    By the published table where the pack has one; by bets in whatever order the results came.
    """
    criteria = load_criteria(path.read_bytes(), path.name)
    plan = replace(criteria.plan("d", alike(example.items), "c"), batch=1)
    if plan.design is Design.SRSWOR:
        seen, table = (example.seen, example.solved), plan.table()
        assert outcome(state_of(table.above(*seen), table.below(*seen))) == example.outcome
    else:
        for outcomes in orders(example):
            decision = start(plan, bytes(32))
            for step, y in enumerate(outcomes, 1):
                decision = decision.update([Result(step, y)])
            assert outcome(decision.status().state) == example.outcome
    assert criteria.answers[example.outcome] == example.answer


@pytest.mark.parametrize("path", files("criteria"), ids=lambda path: path.stem)
def test_a_pack_decides_a_half_solved_suite_before_its_end(path: Path) -> None:
    """With every second of 60 items solved the decision is reached with items to spare."""
    criteria = load_criteria(path.read_bytes(), path.name)
    plan = criteria.plan("d", alike(60), "c")
    used = []
    for seed in range(20):
        decision = start(plan, seed.to_bytes(32, "big"))
        while draws := decision.next_items(plan.batch):
            decision = decision.update(Result(one.step, int(one.item[-1]) % 2) for one in draws)
        status = decision.status()
        assert outcome(status.state) == "below"
        used.append(status.decided_at)
    assert sorted(used)[10] < 40
