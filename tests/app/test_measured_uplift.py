"""The report sets a model beside the tool baseline, item by item, and counts items where attempts repeat."""

from dataclasses import replace

from leadline.app.measured import adjusted, suite_report
from leadline.core.assessment import (
    Budget,
    Plan,
    PlannedItem,
    PlannedSuite,
    SampleResult,
    ShardResult,
    Subject,
)
from leadline.core.measure.family import Conditions


def runs(count: int, solved: int) -> tuple[SampleResult, ...]:
    """*count* items tried once, of which the first *solved* were solved."""
    return tuple(
        SampleResult(f"i{n}", 1, "scored", n < solved, "solved" if n < solved else "not_solved")
        for n in range(count)
    )


def test_the_report_shows_a_model_beside_the_tool_baseline_and_not_the_baseline_itself() -> None:
    """A model's suite carries the paired uplift on common items; the tool agent's has none."""
    items = tuple(PlannedItem(f"i{n}", "ab"[n % 2], f"{n:064x}") for n in range(20))
    suite = PlannedSuite("planted", "Planted", "1", "cyber", "finds", "shared-kernel", items)
    results = (
        ShardResult("s-1", "made-up", "planted", 1, tuple(runs(20, 9))),
        ShardResult("s-2", "baseline", "planted", 1, tuple(runs(18, 3))),
    )
    conditions = Conditions(Budget(tokens=1000), "tools", "d" * 64)
    plans = [
        Plan("asm", "eng", subject, (suite,), "c" * 64, "demonstration", "d" * 64,
             Budget(tokens=1000), 1, 4)
        for subject in (Subject("model", "made-up", "s"), Subject("tool-agent", "baseline", "s"))
    ]  # fmt: skip
    told = suite_report(plans[0], results, suite, conditions).uplift
    assert told is not None
    assert (told.items, told.unshared, told.subject_alone, told.baseline_alone) == (18, 2, 6, 0)
    assert told.point == (9 - 3) / 18
    assert told.test == "mcnemar, exact"
    assert told.interval[0] > 0
    assert suite_report(plans[1], results, suite, conditions).uplift is None


def test_several_suites_share_their_error() -> None:
    """Holm over the suites that have an uplift; a single one, and suites without, stay as they are."""
    items = {
        name: tuple(PlannedItem(f"{name}{n}", "a", f"{n:064x}") for n in range(12)) for name in "pq"
    }
    suites = [
        PlannedSuite(name, name, "1", "cyber", "finds", "shared-kernel", items[name])
        for name in "pq"
    ]
    gone = PlannedSuite("r", "r", "1", "cyber", "finds", "shared-kernel", unavailable="no compiler")
    results = tuple(
        ShardResult(f"{name}{who}", who, name, 1, tuple(
            SampleResult(item.id, 1, "scored", n < solved, "x") for n, item in enumerate(items[name])
        ))
        for name, who, solved in (("p", "m", 9), ("p", "baseline", 1), ("q", "m", 3), ("q", "baseline", 2))
    )  # fmt: skip
    plan = Plan("asm", "eng", Subject("model", "m", "s"), (*suites, gone), "c" * 64, "demonstration",
                "d" * 64, Budget(tokens=1000), 1, 4)  # fmt: skip
    conditions = Conditions(Budget(tokens=1000), "tools", "d" * 64)
    told = [suite_report(plan, results, one, conditions) for one in plan.suites]
    both = adjusted(told)
    assert [one.uplift and (one.uplift.p, one.uplift.p_adjusted) for one in both] == [
        (2 / 2**8, 4 / 2**8),
        (1.0, 1.0),
        None,
    ]
    assert adjusted([told[0], told[2]]) == (told[0], told[2])


def test_several_attempts_at_an_item_do_not_narrow_totals_and_levels() -> None:
    """Three equal attempts an item leave the intervals that one attempt left, or wider ones."""
    items = tuple(PlannedItem(f"i{n}", "ab"[n % 2], f"{n:064x}", level=n % 2) for n in range(20))
    suite = PlannedSuite("planted", "Planted", "1", "cyber", "finds", "shared-kernel", items)
    conditions = Conditions(Budget(tokens=1000), "tools", "d" * 64)
    once = Plan("asm", "eng", Subject("tool-agent", "baseline", "s"), (suite,), "c" * 64,
                "demonstration", "d" * 64, Budget(tokens=1000), 1, 4)  # fmt: skip
    single = runs(20, 9)
    again = tuple(replace(one, epoch=epoch) for one in single for epoch in (1, 2, 3))
    told, thrice = (
        suite_report(
            replace(once, epochs=epochs),
            (ShardResult("s", "baseline", "planted", 1, samples),),
            suite,
            conditions,
        )
        for epochs, samples in ((1, single), (3, again))
    )
    assert told.total is not None
    assert thrice.total is not None
    assert (thrice.total.attempted, thrice.total.solved) == (60, 27)
    pairs = zip((told.total, *told.levels), (thrice.total, *thrice.levels), strict=True)
    for one, repeated in pairs:
        assert repeated.solved == 3 * one.solved
        width = one.interval[1] - one.interval[0]
        assert repeated.interval[1] - repeated.interval[0] >= 0.95 * width
