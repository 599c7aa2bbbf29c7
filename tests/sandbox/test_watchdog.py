"""The watchdog's rules on numbers, and its thread on ordinary processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.sandbox import watchdog
from leadline.sandbox.watchdog import Bounds, Watchdog, Watched, account, look, next_look, tree

GROWING = "b=[]\nwhile len(b) < 60: b.append(bytearray(b'x')*(1<<20))\nprint(1, flush=True)\nimport time; time.sleep(60)"
ROOMY = Bounds(memory_bytes=1 << 40, inodes=1 << 40, mounts=("/tmp",))


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    """A process with one child that holds 60 MB, as bubblewrap has the first process."""
    script = f"import subprocess,sys\nsubprocess.run([sys.executable,'-c',{GROWING!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        os.killpg(process.pid, signal.SIGKILL)


def watched(process: subprocess.Popen[str], bounds: Bounds, orders: list[str]) -> Watched:
    """A watched box made of ordinary processes; what it is told is kept in *orders*."""
    pidfd = os.pidfd_open(process.pid)
    return Watched(process.pid, pidfd, bounds, lambda: orders.append("end"))


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40), st.integers(1, 1 << 40))
def test_fuller_boxes_are_looked_at_sooner(one: int, two: int, bound: int) -> None:
    """Never sooner than 20 ms, never later than half a second, and monotone in between."""
    less, more = sorted((one, two))
    assert 0.02 <= next_look(more, bound) <= next_look(less, bound) <= 0.5


@given(st.integers(0, 1 << 36), st.integers(1 << 24, 1 << 36))
def test_a_bomb_cannot_pass_the_bound_between_two_looks(memory: int, bound: int) -> None:
    """At the assumed speed of filling, the next look comes before the bound or within 20 ms."""
    wait = next_look(memory, bound)
    assert memory + wait * watchdog.GROWTH_BYTES_PER_SECOND <= max(
        bound, memory + 0.021 * (4 << 30)
    )


def test_an_account_covers_the_whole_tree(parent: subprocess.Popen[str]) -> None:
    """The child's memory is in it, by whichever of the two measures."""
    assert len(list(tree(parent.pid))) == 2
    exact, quick = account(parent.pid, 0), account(parent.pid, 1 << 40)
    assert 60 << 20 < exact <= quick < 200 << 20


def test_a_box_within_its_bounds_is_left_alone(parent: subprocess.Popen[str]) -> None:
    """Nothing is ordered, and the peak is remembered."""
    orders: list[str] = []
    box = watched(parent, ROOMY, orders)
    assert look(box, 0.0) == 0.5
    assert (orders, box.hits) == ([], ())
    assert box.peak_bytes > 60 << 20
    os.close(box.pidfd)


def test_a_box_over_its_memory_is_told_once_more_and_then_ended(
    parent: subprocess.Popen[str],
) -> None:
    """One hit however often it is told; after five seconds the whole box goes."""
    orders: list[str] = []
    box = watched(parent, Bounds(1 << 20, 1, ()), orders)
    for now in (0.0, 2.0, 5.0):
        assert look(box, now) == 0.02
        assert parent.poll() is None
    assert (box.hits, orders) == (("memory",), ["end"] * 3)
    look(box, 5.1)
    assert parent.wait(5) == -signal.SIGKILL
    os.close(box.pidfd)


def test_too_many_files_are_a_hit_of_their_own_until_they_stop_growing(
    parent: subprocess.Popen[str], tmp_path: Path
) -> None:
    """What runs is ended when files were added, not because they are still there."""
    orders: list[str] = []
    box = watched(parent, Bounds(1 << 40, -1, (str(tmp_path),)), orders)
    box.first = parent.pid
    for _ in range(3):
        box.files = -2  # as if there had been fewer at the last look
        look(box, 0.0)
        look(box, 0.1)
    assert box.hits == ("inodes",) * 3
    assert len(orders) == 3
    box.first, box.files = watchdog.children(parent.pid)[0], -2
    look(box, 1.0)
    assert len(orders) == 3  # nothing runs below this one
    assert parent.poll() is None
    os.close(box.pidfd)


def test_what_is_gone_measures_nothing() -> None:
    """Processes end between two reads."""
    gone = 1 << 30
    assert watchdog.children(gone) == []
    assert watchdog.resident_bytes(gone) == 0
    assert watchdog.proportional_bytes(gone) == 0
    assert watchdog.files_used(gone, "/tmp") == 0
    box = Watched(gone, -1, ROOMY, lambda: None)
    assert look(box, 0.0) == 0.5


def test_the_thread_watches_until_the_last_box_is_forgotten(
    parent: subprocess.Popen[str],
) -> None:
    """It starts with the first box, acts, and ends with the last."""
    dog = Watchdog()
    orders: list[str] = []
    roomy, tight = watched(parent, ROOMY, []), watched(parent, Bounds(1 << 20, 1, ()), orders)
    dog.watch(roomy)
    dog.watch(tight)
    deadline = time.monotonic() + 60
    while not orders and time.monotonic() < deadline:
        time.sleep(0.01)
    assert orders
    assert tight.hits == ("memory",)
    dog.forget(tight)
    dog.forget(roomy)
    told = len(orders)
    thread = dog.thread
    if thread:
        thread.join(60)
    assert dog.thread is None
    assert len(orders) == told
    dog.watch(roomy)
    dog.forget(roomy)
    for box in (roomy, tight):
        os.close(box.pidfd)


def test_a_box_that_cannot_be_measured_is_ended(parent: subprocess.Popen[str]) -> None:
    """Nothing would bound it; the hit says why."""
    dog = Watchdog()
    box = watched(parent, Bounds(1 << 40, 1 << 40, ("/" + "x" * 5000,)), [])
    dog.watch(box)
    assert parent.wait(10) == -signal.SIGKILL
    dog.forget(box)
    assert box.hits[0] == "unmeasured"
    os.close(box.pidfd)


def weighed(weights: list[int], step: float) -> tuple[Watched, int]:
    """A box of bound 100 that weighs so, looked at every *step* seconds; how often it was ended."""
    left, kills = iter(weights), 0

    def kill() -> None:
        nonlocal kills
        kills += 1

    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        watched = Watched(
            pid=process.pid,
            pidfd=os.pidfd_open(process.pid),
            bounds=Bounds(100, 10, (), 1000),
            kill_all=kill,
            weigh=lambda: next(left),
        )
        for number in range(len(weights)):
            look(watched, number * step)
        os.close(watched.pidfd)
        process.kill()
    return watched, kills


def test_files_and_processes_that_weigh_together_are_told_apart_by_what_stays() -> None:
    """Over the bound everything is ended; the least seen after it counts as kept from then on."""
    watched, kills = weighed([50, 150, 40, 60, 60, 139, 141], 0.6)
    assert watched.hits == ("memory", "memory")
    assert watched.kept_bytes == 40
    assert kills == 2
    assert watched.peak_bytes == 150


def test_a_box_whose_rest_is_more_than_files_may_be_is_ended() -> None:
    """It does not obey, or its own kernel holds what nothing bounds."""
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        watched = Watched(
            pid=process.pid,
            pidfd=os.pidfd_open(process.pid),
            bounds=Bounds(100, 10, (), 120),
            kill_all=lambda: None,
            weigh=lambda: 150,
        )
        look(watched, 0.0)
        look(watched, 2.0)
        assert process.wait(5) == -signal.SIGKILL
        os.close(watched.pidfd)
