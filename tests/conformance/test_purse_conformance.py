"""What every budget of a run promises; see `leadline.app.ports.Purse`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import make
from leadline.app.ports import Executor, Purse, Shard
from leadline.core.measure.budget import NOTHING, Amount, Ledger

Both = tuple[Executor, Purse]


@pytest.fixture
def held(purse: Both) -> Callable[[str], Shard]:
    """A maker of shards that a worker holds."""

    def make_one(worker: str = "w1", job: str = "job") -> Shard:
        executor, _ = purse
        executor.submit(job, "eval", {"worker": worker, "job": job}, total=3)
        shard = executor.claim(worker, now=make.NOW, lease_seconds=60, job=job)
        assert shard is not None
        return shard

    return make_one


def test_a_job_without_a_cap_grants_everything(purse: Both, held: Callable[[str], Shard]) -> None:
    """Nothing is reserved, counted or limited."""
    _, budget = purse
    shard = held("w1")
    assert budget.reserve(shard, "a", Amount(10**12)) == "granted"
    budget.settle(shard, "a", Amount(10**12))
    assert budget.ledger("job") == Ledger(NOTHING)


def test_reserve_wait_settle_refuse(purse: Both, held: Callable[[str], Shard]) -> None:
    """What fits starts, what may fit later waits, what fits no more is refused and counted."""
    _, budget = purse
    budget.cap("job", Amount(100, 1000))
    budget.cap("job", Amount(10**9))  # the first stands
    shard = held("w1")
    assert budget.reserve(shard, "a#1", Amount(60, 400)) == "granted"
    assert budget.reserve(shard, "b#1", Amount(60, 400)) == "wait"
    assert budget.ledger("job").reserved == Amount(60, 400)
    budget.settle(shard, "a#1", Amount(30, 100))
    budget.settle(shard, "a#1", Amount(30, 100))  # once
    assert budget.ledger("job") == Ledger(Amount(100, 1000), Amount(30, 100))
    assert budget.reserve(shard, "b#1", Amount(60, 400)) == "granted"
    budget.settle(shard, "b#1", Amount(65, 400))
    assert budget.reserve(shard, "c#1", Amount(60, 400)) == "refused"
    spent = Ledger(Amount(100, 1000), Amount(95, 500), NOTHING, 1)
    assert budget.ledger("job") == spent
    assert budget.ledger("other") == Ledger(NOTHING)


def test_what_a_lost_worker_reserved_counts_as_spent(
    purse: Both, held: Callable[[str], Shard]
) -> None:
    """Its own settling comes too late, and it gets no more; another run is not touched."""
    executor, budget = purse
    budget.cap("job", Amount(100))
    budget.cap("other", Amount(100))
    lost, beside = held("w1"), held("w2")
    apart = executor.submit("other", "eval", {"n": "1"}, total=1)
    claimed = executor.claim("w3", now=make.NOW, lease_seconds=60, job="other")
    assert claimed is not None
    assert claimed.id == apart.id
    assert budget.reserve(claimed, "x#1", Amount(70)) == "granted"
    assert budget.reserve(lost, "a#1", Amount(40)) == "granted"
    assert executor.release("w1") == 1
    assert budget.reserve(lost, "a#2", Amount(1)) == "refused"
    assert budget.reserve(beside, "b#1", Amount(60)) == "granted"
    assert budget.ledger("job") == Ledger(Amount(100), Amount(40), Amount(60))
    budget.settle(lost, "a#1", Amount(5))
    assert budget.ledger("job").spent == Amount(40)
    assert budget.ledger("other").reserved == Amount(70)
    again = executor.claim("w4", now=make.NOW + timedelta(seconds=1), lease_seconds=60, job="job")
    assert again is not None
    assert budget.reserve(again, "a#1", Amount(40)) == "wait"


def test_workers_at_once_never_reserve_more_than_the_cap(
    purse: Both, held: Callable[[str], Shard]
) -> None:
    """Forty attempts of one tenth each, from four threads: ten are granted."""
    _, budget = purse
    budget.cap("job", Amount(100))
    shard = held("w1")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda n: budget.reserve(shard, f"s{n}", Amount(10)), range(40)))
    assert answers.count("granted") == 10
    assert set(answers) == {"granted", "wait"}
    assert budget.ledger("job").reserved == Amount(100)
