"""Two subjects beside each other: what neither side lost is compared, item by item."""

import numpy as np

from leadline.core.assessment import SampleResult, SampleState
from leadline.core.measure.beside import beside
from leadline.core.measure.comparison import McNemar, paired_diff
from leadline.core.measure.family import runs_by_item
from leadline.core.measure.means import ClusterTest


def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(1)


def sample(
    item: int, *, solved: bool, epoch: int = 1, state: SampleState = "scored"
) -> SampleResult:
    """One attempt at item ``i<item>``."""
    return SampleResult(f"i{item}", epoch, state, solved, "solved" if solved else "not_solved")


def runs(count: int, solved: int, epoch: int = 1) -> list[SampleResult]:
    """*count* items tried once, of which the first *solved* were solved."""
    return [sample(item, solved=item < solved, epoch=epoch) for item in range(count)]


def test_single_runs_are_mcnemars() -> None:
    """One run an item: McNemar's test over the items that both have a result for."""
    mine = [*runs(20, 9), sample(30, solved=True)]
    told = beside(mine, runs(20, 3), rng=rng())
    assert told is not None
    assert isinstance(told.test, McNemar)
    assert (told.test.first_only, told.test.second_only) == (6, 0)
    assert told.p == 2 / 2**6
    assert told.paired.only_first == ("i30",)
    assert (told.paired.n_items, told.paired.n_runs) == (20, 40)
    assert told.to_dict()["paired"] == told.paired.to_dict()


def test_what_was_lost_is_no_result() -> None:
    """Infra and missing samples are no failures; a limit is one, whatever it claims."""
    mine = [
        sample(1, solved=True),
        sample(2, solved=True, state="infra"),
        sample(3, solved=True, state="missing"),
        sample(4, solved=True, state="limit"),
    ]
    assert runs_by_item(mine) == {"i1": [True], "i4": [False]}
    assert beside(mine[1:3], mine, rng=rng()) is None
    assert beside([], mine, rng=rng()) is None


def test_several_runs_are_averaged_and_tested_over_items() -> None:
    """Two runs an item: means of items, the cluster test with items as clusters, all runs counted."""
    mine = [*runs(12, 9), *runs(12, 6, epoch=2)]
    floor = [*runs(12, 2), *runs(12, 1, epoch=2)]
    told = beside(mine, floor, rng=rng())
    assert told is not None
    assert isinstance(told.test, ClusterTest)
    means = [{f"i{n}": ((n < a) + (n < b)) / 2 for n in range(12)} for a, b in ((9, 6), (2, 1))]
    assert told.paired == paired_diff(means[0], means[1], n_runs=48)
    assert told.p is not None
    assert told.p < 0.05
    few = beside(mine[:3] + mine[12:15], floor[:3], rng=rng())
    assert few is not None
    assert few.p is None
