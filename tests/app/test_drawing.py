"""Which shards a run has: what the decision asks for, and nothing of its suite beyond that."""

from collections.abc import Sequence
from dataclasses import replace

from leadline.app.drawing import Wanted, wanted
from leadline.core.assessment import (
    Budget,
    Plan,
    PlannedItem,
    PlannedSuite,
    SampleResult,
    Subject,
    SubjectKind,
)
from leadline.core.engagement.criteria import Criteria
from leadline.core.engagement.determination import Answer, Outcome
from leadline.core.measure.assessed import Course, decide

WORDS = dict.fromkeys(Outcome, "demonstration")
CRITERIA = Criteria(
    "demonstration", "Demonstration", "d" * 64, bool(1), "A demonstration.", "planted", ("a", "b"), 0.5, 0.05,
    0.05, 0.0, dict.fromkeys(Outcome, Answer.UNDETERMINED), WORDS,
)  # fmt: skip
SEED = b"draws" * 8
MODEL: tuple[tuple[str, SubjectKind], ...] = (("m/one", "model"), ("baseline", "tool-agent"))


def suite(name: str, items: int, families: str = "ab") -> PlannedSuite:
    """A suite of numbered items."""
    members = tuple(
        PlannedItem(f"{name}-{n:02d}", families[n % len(families)], f"{n:064d}")
        for n in range(items)
    )
    return PlannedSuite(name, name, "1", "cyber", "finds", "shared-kernel", members)


def plan(**fields: object) -> Plan:
    """Thirty items that are decided on, six of a family that does not count, and another suite."""
    decided = suite("planted", 36, "abababababac")
    others = (decided, suite("registry", 5), replace(suite("models", 2), subjects=("model",)))
    told = Plan("asm", "eng", Subject("model", "m/one", "s"), others, "c" * 64, "demonstration",
                "d" * 64, Budget(10), 1, 4)  # fmt: skip
    return replace(told, **fields)  # type: ignore[arg-type] # fields of a plan by name


def sample(item: str, *, solved: bool = False, lost: bool = False) -> SampleResult:
    """One attempt."""
    return SampleResult(
        item, 1, "infra" if lost else "scored", solved=solved, outcome="solved" if solved else "no"
    )


def after(told: Plan, samples: Sequence[SampleResult]) -> tuple[Course, tuple[Wanted, ...]]:
    """The decision and the shards after *samples*."""
    course = decide(CRITERIA, told, samples, SEED)
    assert course is not None
    return course, wanted(told, CRITERIA, MODEL, course)


def ids(shards: Sequence[Wanted], arm: str, name: str, epoch: int = 1) -> list[str]:
    """The items of one arm and suite."""
    return [
        item
        for one in shards
        if (one.arm, one.suite, one.epoch) == (arm, name, epoch)
        for item in one.items
    ]


def played(told: Plan, solved: Sequence[str] = ()) -> tuple[Course, tuple[Wanted, ...], list[str]]:
    """Run whatever is wanted of the subject until nothing new is; also the names of shards in turn."""
    samples: list[SampleResult] = []
    seen: dict[str, None] = {}
    while True:
        course, shards = after(told, samples)
        fresh = [one for one in shards if one.name not in seen]
        if not fresh:
            return course, shards, list(seen)
        seen.update(dict.fromkeys(one.name for one in fresh))
        samples += [
            sample(item, solved=item in solved)
            for one in fresh
            if one.arm == "m/one" and one.suite == "planted" and one.epoch == 1
            for item in one.items
        ]


def test_before_any_result_the_first_batch_is_wanted_and_all_else() -> None:
    """Other suites and families that do not count are there at once; of the rest one batch, for both arms."""
    course, shards = after(plan(), [])
    (batch,) = course.batches
    rest = [f"planted-{n}" for n in (11, 23, 35)]
    assert ids(shards, "m/one", "planted") == [*rest, *batch]
    assert ids(shards, "baseline", "planted") == [*rest, *batch]
    assert len(ids(shards, "m/one", "registry")) == 5
    assert len(ids(shards, "m/one", "models")) == 2
    assert ids(shards, "baseline", "models") == []
    assert max(len(one.items) for one in shards) <= 4
    assert len({one.name for one in shards}) == len(shards)


def test_a_batch_is_shared_by_the_workers() -> None:
    """Nothing else can run until it is whole, so that no shard holds all of it."""
    course, shards = after(plan(), [])
    parts = [
        one for one in shards if one.arm == "m/one" and set(one.items) <= set(course.batches[0])
    ]
    assert [len(one.items) for one in parts] == [2, 2]


def test_it_stops_where_the_decision_does_and_goes_on_only_if_asked() -> None:
    """Nothing solved: below from a few items. With the estimate every item runs once, the others last."""
    course, shards, _ = played(plan())
    asked = [item for batch in course.batches for item in batch]
    assert len(asked) < 30
    assert sorted(ids(shards, "m/one", "planted")) == sorted(
        [*asked, "planted-11", "planted-23", "planted-35"]
    )
    course, shards, _ = played(plan(estimate=True))
    every = ids(shards, "m/one", "planted")
    assert sorted(every) == [f"planted-{n:02d}" for n in range(36)]
    assert every[3 : 3 + len(asked)] == asked


def test_shards_that_were_wanted_stay_as_they_were() -> None:
    """With every further batch the list grows at names that are new; none changes what it holds."""
    told, samples = plan(), list[SampleResult]()
    held: dict[str, tuple[str, ...]] = {}
    for _ in range(12):
        course, shards = after(told, samples)
        for one in shards:
            assert held.setdefault(one.name, one.items) == one.items
        samples = [
            sample(item, solved=n % 2 == 0) for b in course.batches for n, item in enumerate(b)
        ]
    assert len(held) > 10


def test_repeats_wait_until_it_is_known_what_to_repeat() -> None:
    """The second attempts of the decided suite are of what was drawn; the other suites' are there at once."""
    told = plan(epochs=2)
    _, shards = after(told, [])
    assert ids(shards, "m/one", "planted", 2) == []
    assert len(ids(shards, "m/one", "registry", 2)) == 5
    course, shards, _ = played(told)
    asked = {item for batch in course.batches for item in batch}
    again = ids(shards, "m/one", "planted", 2)
    assert set(again) == asked | {"planted-11", "planted-23", "planted-35"}
    assert len(again) == len(set(again))


def test_what_was_lost_runs_once_more_for_the_subject_alone() -> None:
    """A shard of its own, whose name comes after those of first runs; the other arm needs none."""
    course, _ = after(plan(), [])
    first = course.batches[0]
    samples = [sample(item, lost=item == first[1]) for item in first]
    course, shards = after(plan(), samples)
    (again,) = [one for one in shards if "again" in one.name]
    assert (again.arm, again.items, course.batches[1]) == ("m/one", (first[1],), (first[1],))
    names = [one.name for one in shards if one.arm == "m/one" and one.suite == "planted"]
    assert max(names) == again.name


def test_without_a_decision_every_item_is_wanted() -> None:
    """The suite that the criteria name could not run here: the others run whole."""
    told = plan(suites=(suite("registry", 5),))
    assert decide(CRITERIA, told, [], SEED) is None
    shards = wanted(told, CRITERIA, MODEL[1:], None)
    assert [one.items for one in shards] == [
        ("registry-00", "registry-01", "registry-02", "registry-03"),
        ("registry-04",),
    ]
