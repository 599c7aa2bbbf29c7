"""What running over worker processes costs and gains, and what 10,000 samples take to join.

    python bench/shards.py --json [--quick]

Plain Inspect, one worker and two workers run the same agentic mock samples with the same options, each in
processes of its own, timed from start to end with everything that a process costs. Runs of the three kinds
alternate, and a ratio is the median over rounds, so that a change in the machine's load falls on all.
Plain Inspect runs without any of Leadline's hooks, and without the watch that every sample of ours is
under; what that watch costs is part of our rate.

An agent waits for its model and for its commands: each command takes *COMMAND_SECONDS* and its own work.
Without any waiting one process and its boxes fill a core and a half, so that on two cores no second worker
could add 1.7 of it; what a sample costs in processor time is told beside the rates, ours over Inspect's.
"""

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench import _form as form

ONE_MIN, TWO_MIN = 0.95, 1.7
OPEN_SECONDS_MAX, MERGE_SECONDS_MAX, MERGE_BYTES_MAX = 1.0, 60.0, 1 << 30
RUN_SECONDS, QUICK_SECONDS = 60.0, 12.0
MANY, MANY_QUICK, MANY_LOG, MANY_WORKERS = 10_000, 1_000, 1_000, 4
PARALLEL = 10
COMMAND_SECONDS = 0.4
KINDS = ("plain", "one", "two")
# No machine runs these samples faster on one core; keeps a noisy calibration from endless runs
CALIBRATION, LEAST_EACH_SECONDS = 60, 0.04


def tell(text: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def plain(folder: Path, count: int) -> None:
    """In a process of its own: plain Inspect over the samples."""
    from bench._mock_samples import by_id, family_of, ids, mock_agent, mock_model, mock_sample
    from inspect_ai import Task
    from inspect_ai import eval as evaluation

    import leadline.sandbox.provider  # noqa: F401 - registers `bwrap`

    dataset = [
        mock_sample(item, family_of(item), "shared-kernel", agentic=True) for item in ids(count)
    ]
    (log,) = evaluation(
        Task(dataset=dataset, solver=mock_agent(), scorer=by_id(), name="mock"),
        model=mock_model(COMMAND_SECONDS),
        log_dir=str(folder),
        log_format="eval",
        log_buffer=max(1, count // 100),
        log_realtime=False,
        display="none",
        max_samples=PARALLEL,
        fail_on_error=False,
    )
    assert log.status == "success", log.error
    assert log.results is not None
    assert log.results.completed_samples == count


def run_plain(folder: Path, count: int) -> float:
    """Seconds of plain Inspect's process."""
    begun = time.perf_counter()
    words = [sys.executable, __file__, "--plain", str(folder), "--count", str(count)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def run_workers(folder: Path, count: int, workers: int, *, agentic: bool, shard: int) -> float:
    """Seconds of a run over *workers* processes, from the first start to the last end."""
    from bench._mock_run import JOB, Yard
    from bench._mock_samples import Setting

    from leadline.runner.index import NAME, Index
    from leadline.runner.pool import LocalPool
    from leadline.settings import Workspace

    yard = Yard(folder)
    seconds = COMMAND_SECONDS if agentic else 0.0
    setting = Setting(
        count, shard_items=shard, agentic=agentic, parallel=PARALLEL, command_seconds=seconds
    )
    table = yard.begin(setting)
    pool = LocalPool(table, yard.command, workers, folder)
    begun = time.perf_counter()
    pool.start(JOB)
    try:
        while pool.alive():
            time.sleep(0.02)
    finally:
        pool.stop()
    taken = time.perf_counter() - begun
    results = yard.results(table)
    states = [one.state for result in results for one in result.samples]
    assert len(states) == count, f"{len(states)} of {count} samples ended"
    assert set(states) == {"scored"}, "a sample was lost"
    state = Workspace(folder).state
    state.mkdir()
    index = Index(state / NAME)
    for result in results:
        index.add(result, yard.logs)
    return taken


def rate(kind: str, folder: Path, count: int) -> tuple[float, float]:
    """Samples a second, *count* by plain Inspect or one worker, twice as many by two; and ms of CPU each."""
    workers = {"plain": 1, "one": 1, "two": 2}[kind]
    total, before = count * workers, processor_seconds()
    if kind == "plain":
        taken = run_plain(folder, count)
    else:
        shard = math.ceil(count / 2)  # half a minute and more
        taken = run_workers(folder, total, workers, agentic=True, shard=shard)
    return total / taken, 1000 * (processor_seconds() - before) / total


def processor_seconds() -> float:
    """What every process that this one started, and that has ended, has used so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rates(seconds: float, rounds: int) -> dict[str, float]:
    """Samples a second of the three kinds, and the medians of the rounds' ratios."""
    with tempfile.TemporaryDirectory() as scratch:
        places = (Path(scratch) / str(number) for number in range(10_000))
        start = min(run_plain(next(places), 1) for _ in range(2))
        each = (run_plain(next(places), CALIBRATION) - start) / (CALIBRATION - 1)
        each = max(each, LEAST_EACH_SECONDS)
        count = math.ceil(seconds / each)
        found: dict[str, list[float]] = {"plain": [], "one": [], "two": []}
        cpu: dict[str, list[float]] = {"plain": [], "one": [], "two": []}
        for number in range(rounds):
            order = ("plain", "one", "two") if number % 2 == 0 else ("two", "one", "plain")
            for name in order:
                made, used = rate(name, next(places), count)
                found[name].append(made)
                cpu[name].append(used)
                words = f"{made:.2f} samples/s, {used:.0f} ms of CPU each"
                load = os.getloadavg()[0]
                tell(f"round {number + 1} of {rounds}, {name}: {words}, load {load:.1f}")
    pairs = list(zip(found["plain"], found["one"], found["two"], strict=True))
    return {
        **{name: statistics.median(values) for name, values in found.items()},
        "one_over_plain": statistics.median(one / bare for bare, one, _ in pairs),
        "two_over_one": statistics.median(two / one for _, one, two in pairs),
        "samples": float(count),
        **{f"{name}_cpu": statistics.median(values) for name, values in cpu.items()},
    }


def joined(count: int) -> dict[str, float]:
    """A whole run of trivial samples: to run it, to open its index, to join its logs."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shard = min(MANY_LOG, count // MANY_WORKERS)
        ran = run_workers(folder, count, MANY_WORKERS, agentic=False, shard=shard)
        tell(f"{count} samples ran in {ran:.0f} s; opening their index, joining their logs")
        index, opened = command(["run", "index", str(folder), "--json"])
        assert sum(one["samples"] for one in index["counts"]) == count
        merge, took, peak = measured(["run", "merge", str(folder), "--json"])
        assert merge["groups"][0]["samples"] == count
        assert merge["duplicates"] == []
    return {"run": ran, "open": opened, "merge": took, "merge_bytes": float(peak)}


def command(words: Sequence[str]) -> tuple[dict[str, list[dict[str, int]]], float]:
    """What a command of ours prints, and how long its process took."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "leadline", *words], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout), time.perf_counter() - begun


def measured(words: Sequence[str]) -> tuple[dict[str, list[dict[str, int]]], float, int]:
    """As `command`, with the peak memory of that process alone, in bytes."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen([sys.executable, "-m", "leadline", *words], stdout=told)
        _, status, used = os.wait4(process.pid, 0)
        taken = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, words
        told.seek(0)
        return json.load(told), taken, used.ru_maxrss * 1024


def measure(*, quick: bool) -> dict[str, object]:
    """The whole benchmark as the document that is printed."""
    env = form.machine()
    pace = rates(QUICK_SECONDS if quick else RUN_SECONDS * 1.1, 1 if quick else 3)
    whole = joined(MANY_QUICK if quick else MANY)
    values = {f"{name}_rate": (pace[name], "samples/s") for name in KINDS}
    values |= {f"{name}_cpu": (pace[f"{name}_cpu"], "ms of CPU a sample") for name in KINDS}
    values["rate_samples"] = (pace["samples"], "samples a run of plain and one worker")
    values["many_samples"] = (float(MANY_QUICK if quick else MANY), "samples")
    values["many_run"] = (whole["run"], "s")
    ratios = {
        "one_worker_over_inspect": form.ratio(
            pace["one_over_plain"], ONE_MIN, ">=", round(pace["plain"], 3)
        ),
        "two_workers_over_one": form.ratio(
            pace["two_over_one"], TWO_MIN, ">=", round(pace["one"], 3)
        ),
        "index_open_s": form.ratio(whole["open"], OPEN_SECONDS_MAX, "<="),
        "merge_s": form.ratio(whole["merge"], MERGE_SECONDS_MAX, "<="),
        "merge_peak_bytes": form.ratio(whole["merge_bytes"], MERGE_BYTES_MAX, "<="),
    }
    return form.document("shards", env, form.values(values), ratios)


def main() -> None:
    """Measure and print: one line for programs, a short table for people."""
    parser = form.parser(__doc__, "shorter runs, fewer samples")
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        plain(options.plain, options.count)
        return
    form.show(measure(quick=options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
