"""Workers on the nodes of a Ray cluster, behind the same port as the local pool.

Ray holds no truth. A task of Ray gets the words of a worker's command line, which name the folder, the
job and the worker, and never material; it claims from the shard table like any worker. Ray's own retries
are off, so that there is one retry policy, that of the table: when a node is lost, its workers' leases
run out, or their shards are released here as soon as Ray tells, and others are started.

The shard table decides how far a cluster may reach: a database file serves the nodes of one machine, and
several machines need PostgreSQL and a folder of the run that all of them see.
"""

import logging
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leadline.app.ports import Executor
from leadline.core.errors import Unavailable
from leadline.runner.pool import STARTS_EACH, STOP_SECONDS, Command

if TYPE_CHECKING:
    from ray import ObjectRef

START_SECONDS = 120  # a busy machine takes its time
TRY_SECONDS = 20  # at least, for a process that imports Ray and joins
TRY = "import sys, ray; ray.init(address=sys.argv[1], log_to_driver=False); ray.shutdown()"
# Nothing is reported to anybody, and no task is ever run again by Ray itself
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_TASK_MAX_RETRIES": "0"}
Task = tuple[int, str]


def run_worker(argv: Sequence[str], environment: Mapping[str, str]) -> Task:
    """On a node: one worker process, ended with the task. Answers its status and last words."""
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | dict(environment),  # noqa: TID251 -- a node's own, for what programs it finds
    )
    try:
        _, told = process.communicate()
    finally:
        process.kill()
        process.wait()
    return process.returncode, told.decode("utf-8", "replace")[-2000:]


@dataclass
class RayPool:
    """*count* workers on the cluster at *address*; see `leadline.app.ports.Workers`.

    *address* is what Ray takes: ``host:port`` of a running cluster's head. *environment* is added to
    that of the nodes.
    """

    executor: Executor
    command: Command
    address: str
    count: int
    environment: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = START_SECONDS
    tasks: dict[str, "ObjectRef[Task]"] = field(default_factory=dict)
    started: int = 0
    job: str = ""
    last_words: str = ""

    def start(self, job: str) -> None:
        """Join the cluster and start the workers.

        Raises: Unavailable, if Ray is not installed or the cluster cannot be reached.
        """
        self.job = job
        _join(self.address, self.start_seconds)
        for _ in range(self.count):
            self._start()

    def _start(self) -> None:
        import ray

        self.started += 1
        # new at each start, also of the driver: what an earlier one's worker holds is its own
        name = f"ray-{uuid.uuid4().hex[:12]}"
        task = ray.remote(max_retries=0, num_cpus=1)(run_worker)
        self.tasks[name] = task.remote(list(self.command(self.job, name)), dict(self.environment))

    def alive(self) -> int:
        """How many run; what one that failed, or was lost with its node, held is queued again."""
        import ray
        from ray.exceptions import RayError

        if not self.tasks:
            return 0
        ended, _ = ray.wait(list(self.tasks.values()), num_returns=len(self.tasks), timeout=0)
        for name, task in list(self.tasks.items()):
            if task not in ended:
                continue
            del self.tasks[name]
            try:
                status, told = ray.get(task)
            except RayError as error:  # the node is gone, and whatever ran there
                status, told = -1, str(error)
            self.executor.release(name)
            if status != 0:
                self.last_words = told
                self._start()
        if self.started > STARTS_EACH * self.count:
            raise Unavailable(f"workers keep ending on the cluster: {self.last_words[-300:]}")
        return len(self.tasks)

    def stop(self) -> None:
        """End every worker and leave the cluster; what one held is queued again."""
        import ray

        for task in self.tasks.values():
            ray.cancel(task, force=True)
        if self.tasks:
            ray.wait(list(self.tasks.values()), num_returns=len(self.tasks), timeout=STOP_SECONDS)
        for name in self.tasks:
            self.executor.release(name)
        self.tasks.clear()
        ray.shutdown()


def _join(address: str, seconds: float) -> None:
    """Raises: Unavailable, naming the cause and the cure."""
    os.environ.update(QUIET)  # noqa: TID251 -- read by Ray as it is imported
    try:
        import ray
    except ImportError as error:
        raise Unavailable("Ray is not installed; install leadline[cluster]") from error
    begun = time.monotonic()
    _reach(address, seconds)
    _try_out(address, max(seconds - (time.monotonic() - begun), TRY_SECONDS))
    ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)


def _reach(address: str, seconds: float) -> None:
    """Wait until the cluster's head takes connections; Ray itself would wait for it without end."""
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except (OSError, ValueError) as error:
            if time.monotonic() >= deadline:
                raise Unavailable(f"no Ray cluster answers at {address}: {error}") from error
            time.sleep(1)
        else:
            return


def _try_out(address: str, seconds: float) -> None:
    """Join and leave in a process of its own: Ray waits without end for a head that says nothing."""
    words = [sys.executable, "-c", TRY, address]
    try:
        subprocess.run(words, timeout=seconds, capture_output=True, check=True)
    except subprocess.TimeoutExpired as error:
        problem = f"something takes connections at {address} and is no Ray cluster that answers"
        raise Unavailable(f"{problem} within {seconds:.0f} s") from error
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode("utf-8", "replace").strip()[-300:]
        raise Unavailable(f"the cluster at {address} cannot be joined: {told}") from error
