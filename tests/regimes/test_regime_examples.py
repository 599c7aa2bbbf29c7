"""Every regime and criteria file does what its examples file says; a new file needs no new test."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from leadline.app.regimes import Checked
from leadline.core.assessment import PlannedItem
from leadline.core.engagement.criteria import outcome
from leadline.core.measure.deciding import start
from leadline.core.measure.sequential import Design, Result, state_of
from leadline.formats.criteria_toml import CountExample, load_count_examples, load_criteria
from leadline.wiring.regimes import DATA, EXAMPLES, checked


def files(folder: str) -> list[Path]:
    """The data files of a folder, without the examples beside them."""
    return sorted(
        path for path in (DATA / folder).glob("*.toml") if not path.name.endswith(EXAMPLES)
    )


def beside(path: Path) -> Path:
    """The examples file of a data file."""
    return path.with_name(path.stem + EXAMPLES)


@pytest.mark.parametrize("one", checked(), ids=lambda one: one.file)
def test_every_text_does_what_its_examples_say(one: Checked) -> None:
    """Each file loads, has examples, and each of them holds."""
    assert one.faults == ()
    assert one.examples > 0


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
