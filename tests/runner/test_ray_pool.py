"""Workers on a Ray cluster of two nodes on this machine, one of which is killed in the middle.

The nodes share one database file, for they are on one disk; nodes on several machines need PostgreSQL.
"""

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from bench._mock_run import JOB, Yard
from bench._mock_samples import Setting

import make
from fakes import MemoryExecutor
from leadline.app.ports import Shard
from leadline.core.errors import Unavailable
from leadline.runner import cluster as clusters
from leadline.runner.cluster import RayPool, run_worker
from leadline.runner.pool import STARTS_EACH
from runner import scale
from runner.scale import held, timeless, until

pytestmark = [
    pytest.mark.timeout(900),
    # Ray leaves sockets and streams of its own to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
ray = pytest.importorskip("ray", reason="Ray is not installed: install leadline[cluster]")
NODE: dict[str, Any] = {
    "num_cpus": 1,
    "include_dashboard": False,
    "object_store_memory": 80 << 20,
}


class Nodes:
    """Two nodes with one place for a worker each; loopback only, nothing reported to anybody."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args=dict(NODE))
        self.second = self.cluster.add_node(**NODE)

    @property
    def address(self) -> str:
        """Where workers join."""
        return str(self.cluster.address)

    def lose_one(self) -> None:
        """End the second node at once, with whatever runs on it."""
        self.cluster.remove_node(self.second, allow_graceful=False)

    def replace_one(self) -> None:
        """Another node takes the lost one's place."""
        self.second = self.cluster.add_node(**NODE)


def started(attempts: int = 3) -> Nodes:
    """The cluster; Ray gives a node thirty seconds to appear, which a busy machine may miss."""
    while True:
        attempts -= 1
        try:
            return Nodes()
        except Exception as error:  # Ray raises nothing narrower
            ray.shutdown()
            if "timed out" not in str(error) or not attempts:
                raise


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A cluster for the tests of this module."""
    os.environ.update(clusters.QUIET)  # noqa: TID251 -- read by Ray as it is imported
    made = started()
    yield made
    ray.shutdown()
    made.cluster.shutdown()  # type: ignore[no-untyped-call]


def let_go(shards: list[Shard], worked: Mapping[str, Shard]) -> list[Shard]:
    """Those of *worked* that no longer belong to whom they belonged to."""
    return [
        one
        for one in shards
        if one.id in worked and (one.state == "queued" or one.token > worked[one.id].token)
    ]


def run_with_a_node_lost(nodes: Nodes, folder: Path, setting: Setting) -> Yard:
    """A run over both nodes; one is killed while each node's worker is in the middle of a shard.

    Until then no sample goes on, so that however late a worker comes up, there is something left for it.
    """
    gate = Path(setting.gate)
    gate.touch()
    yard = Yard(scale.fresh(folder))
    table = yard.begin(setting)
    pool = RayPool(table, yard.command, nodes.address, 2)
    pool.start(JOB)
    try:
        before = until(table, lambda shards: len(held(shards)) == 2, pool.alive)
        worked = {shard.id: shard for shard in held(before)}
        nodes.lose_one()
        # A worker may outlive its node for a moment: nothing goes on before its shard was taken from it
        until(table, lambda shards: bool(let_go(shards, worked)), pool.alive)
        gate.unlink()
        after = until(
            table,
            lambda shards: any(s.token > worked[s.id].token for s in shards if s.id in worked),
            pool.alive,
        )
        [lost] = [s for s in after if s.id in worked and s.token > worked[s.id].token]
        assert worked[lost.id].worker not in pool.tasks
        nodes.replace_one()
        scale.finish(pool)
    finally:
        pool.stop()
    assert {shard.state for shard in table.shards(JOB)} == {"done"}
    return yard


def assert_same(yard: Yard, folder: Path, setting: Setting) -> None:
    """Results and metrics are those of an undisturbed run of the local pool."""
    results, metrics = scale.whole(folder, setting)
    table = yard.begin(setting)
    assert timeless(yard.results(table)) == results
    assert scale.same_numbers(scale.merged(yard, table), metrics)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_node_killed_in_the_middle_changes_no_result(nodes: Nodes, tmp_path: Path) -> None:
    """Its worker's shard goes to another worker, and the run says what an undisturbed one says."""
    setting = Setting(items=12, shard_items=3, parallel=1, gate=str(tmp_path / "gate"))
    yard = run_with_a_node_lost(nodes, tmp_path / "lost", setting)
    assert_same(yard, tmp_path / "whole", setting)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_node_killed_in_a_long_run_changes_no_result(nodes: Nodes, tmp_path: Path) -> None:
    """The same over forty shards."""
    gate = str(tmp_path / "gate")
    setting = Setting(items=400, shard_items=10, sleep_ms=200, parallel=1, gate=gate)
    yard = run_with_a_node_lost(nodes, tmp_path / "lost", setting)
    assert_same(yard, tmp_path / "whole", setting)


@pytest.mark.soak
def test_workers_that_keep_dying_end_the_run_with_their_last_words(nodes: Nodes) -> None:
    """What they said on the node is told here."""
    executor = MemoryExecutor()
    shard = executor.submit("job", "eval", {"n": "1"}, total=1)

    def dies(job: str, name: str) -> list[str]:
        assert executor.claim(name, now=make.NOW, lease_seconds=9) is not None
        return [sys.executable, "-c", "import sys; sys.exit('no such folder')"]

    pool = RayPool(executor, dies, nodes.address, 1)
    pool.start("job")
    try:
        pool.started = STARTS_EACH
        with pytest.raises(Unavailable, match="no such folder"):
            scale.finish(pool)
        assert executor.shards("job")[0].id == shard.id
    finally:
        pool.stop()
    assert executor.shards("job")[0].state == "queued"
    assert pool.alive() == 0


def test_a_node_runs_a_worker_to_its_end() -> None:
    """Its status and last words come back; what the task adds to the environment reaches it."""
    code = "import os, sys; sys.stderr.write(os.environ['TOLD']); sys.exit(3)"
    told: Mapping[str, str] = {"TOLD": "as said"}
    assert run_worker([sys.executable, "-c", code], told) == (3, "as said")


def test_a_cluster_that_does_not_answer_is_named() -> None:
    """Unavailable, with the address."""
    pool = RayPool(MemoryExecutor(), lambda job, name: [], "127.0.0.1:1", 1, start_seconds=0)
    with pytest.raises(Unavailable, match=r"no Ray cluster answers at 127\.0\.0\.1:1"):
        pool.start("job")


def test_a_listener_that_says_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and never answers: an end within the time given, no waiting for ever."""
    monkeypatch.setattr(clusters, "TRY_SECONDS", 4)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        pool = RayPool(MemoryExecutor(), lambda job, name: [], address, 1, start_seconds=0)
        with pytest.raises(Unavailable, match="is no Ray cluster that answers within 4 s"):
            pool.start("job")
