"""Worker processes on this host: the default way to run shards."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from leadline.app.ports import Executor
from leadline.core.errors import Unavailable

STARTS_EACH = 50  # of one worker's place, before the host and not the shard is taken to be at fault
STOP_SECONDS = 20.0
# A file of the run's state while its driver may still put shards into the table
MORE = "more-to-come"

Command = Callable[[str, str], Sequence[str]]  # given job and worker, the process to start


def worker_command(out: Path) -> Command:
    """A worker of the assessment in *out*."""
    return lambda job, name: [sys.executable, "-m", "leadline.worker", str(out), job, name]


@dataclass
class LocalPool:
    """*count* processes; see `leadline.app.ports.Workers`.

    Each claims shard after shard, so that what a process costs to start is paid once. Workers end with
    the process that started them. What they print is kept in *errors*, one file each.
    """

    executor: Executor
    command: Command
    count: int
    errors: Path
    stop_seconds: float = STOP_SECONDS
    called: str = "worker"  # what begins their names, which are those of one shard table
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    started: int = 0
    job: str = ""

    def start(self, job: str) -> None:
        """Start the workers.

        What one of an earlier process holds is queued again at once, without waiting for its lease.
        """
        self.job = job
        shards = self.executor.shards(job)
        for worker in sorted({shard.worker for shard in shards if shard.state == "running"}):
            self.executor.release(worker)
        for _ in range(self.count):
            self._start()

    def _start(self) -> None:
        self.started += 1
        name = f"{self.called}-{self.started}"
        told = (self.errors / f"{name}.err").open("ab")
        with told:
            self.processes[name] = subprocess.Popen(
                list(self.command(self.job, name)),
                stdin=subprocess.PIPE,  # it ends with this process; see `worker.settle_in`
                stdout=told,
                stderr=told,
            )

    def alive(self) -> int:
        """How many run; a dead one's shards are queued again and another worker is started."""
        for name, process in list(self.processes.items()):
            status = process.poll()
            if status is None:
                continue
            _let_go(self.processes.pop(name))
            self.executor.release(name)
            if status != 0:
                self._start()
        if self.started > STARTS_EACH * self.count:
            raise Unavailable(f"workers keep ending; {self.errors}/worker-*.err says why")
        return len(self.processes)

    def stop(self) -> None:
        """End every worker; what one held is queued again."""
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            try:
                process.wait(timeout=self.stop_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _let_go(process)
            self.executor.release(name)
        self.processes.clear()


def _let_go(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
