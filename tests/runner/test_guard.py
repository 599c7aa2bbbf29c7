"""Driver and workers under their run's warden: heartbeats, the end of a run, an alarm that ends it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadline.core.assessment import OutOfScope
from leadline.core.errors import Refused, Unavailable
from leadline.runner.guard import Guard, join
from leadline.sandbox.ward import ADMISSION, Ward, Warded, stops

ALARM = OutOfScope("decoy", "token used in exec", "curl", "alarm")


def answers() -> int:
    """A store at work."""
    return 0


def away() -> int:
    """A store that cannot serve."""
    raise Unavailable("the database cannot serve this; try again")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A run's folder; whatever this process was put under is lifted."""
    yield tmp_path
    if ADMISSION.ward is not None:
        ADMISSION.ward.close()
    ADMISSION.ward = None


def guarded(folder: Path, store: Callable[[], object] = answers, dead_man: float = 30) -> Guard:
    """A driver's guard, not yet started."""
    return Guard(folder, store, dead_man=dead_man, own_uid=False, beat_seconds=0.05)


def then_wait(deed: Callable[[], object]) -> None:
    """Do it, and be interrupted."""
    deed()
    time.sleep(60)


def told(guard: Guard, seconds: float = 60) -> str:
    """What `alive` raises, sooner or later."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            guard.alive()
        except Refused as error:
            return str(error)
        time.sleep(0.05)
    raise AssertionError("the run goes on")


def test_a_driver_hears_who_ended_its_run(folder: Path) -> None:
    """The person, the cause and what was left; the journal keeps it after the warden is gone."""
    guard = guarded(folder)
    guard.alive()
    guard.start()
    guard.alive()
    with Ward(folder, "visitor") as person:
        person.order("person", "p-1", "seen enough")
    with pytest.raises(Refused, match=r"\(person, p-1\): seen enough; 0 processes gone"):
        guard.alive()
    guard.stop()
    guard.stop()
    assert ADMISSION.ward is None
    assert [one["cause"] for one in stops(folder)] == ["seen enough"]


def test_a_driver_without_its_warden_stops(folder: Path) -> None:
    """A dead warden ends nothing; the driver does not go on without it."""
    guard = guarded(folder)
    guard.start()
    assert guard._warded is not None
    guard._warded.process.kill()
    guard._warded.process.wait()
    with pytest.raises(Unavailable, match="the run stops: the run's warden is gone"):
        guard.alive()
    guard.stop()


def test_a_store_that_cannot_serve_is_silent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However lively the driver, the dead man ends the run; nothing is frozen by it."""
    guard = guarded(folder, away, dead_man=0.5)
    guard.start()
    try:
        ending = told(guard)
    finally:
        guard.stop()
    assert "no heartbeat of the store" in ending
    assert ending.endswith("the store does not serve: the database cannot serve this; try again")


def test_a_lost_heartbeat_is_told(folder: Path) -> None:
    """Between the driver's own beats it is a thread that finds the warden gone; `alive` says so."""
    guard = guarded(folder)
    guard.start()
    assert guard._warded is not None
    assert guard._beats is not None
    guard._warded.process.kill()
    guard._warded.process.wait()
    guard._beats.join(60)
    assert guard._lost
    with pytest.raises(Unavailable, match=f"the run stops: {guard._lost}"):
        guard.alive()
    guard.stop()


def test_starting_and_ending_workers_is_no_silence(folder: Path) -> None:
    """It may take longer than the dead man waits; a loop that hangs in between is silent."""
    guard = guarded(folder, dead_man=1.2)
    guard.start()
    try:
        assert guard._warded is not None
        time.sleep(1.5)
        guard.alive()
        guard.rest()
        time.sleep(1.5)
        guard.alive()
        time.sleep(2)
        with pytest.raises(Refused, match="no heartbeat of the driver"):
            guard.alive()
    finally:
        guard.stop()


def test_a_folder_without_a_warden_asks_nothing(folder: Path) -> None:
    """A worker started by hand, in a folder where no run is at work."""
    joined = join(folder)
    joined.check()
    joined.alarm(["decoy"])("p-1", ALARM)
    assert ADMISSION.ward is None


def test_a_warden_that_does_not_answer_lets_no_worker_begin(folder: Path) -> None:
    """Its socket is there and nobody behind it."""
    with Warded.start(folder, own_uid=False) as warded:
        warded.process.kill()
        warded.process.wait()
        with pytest.raises(Unavailable, match="no warden answers"):
            join(folder)


def test_the_end_of_a_run_interrupts_its_workers(folder: Path) -> None:
    """And what they found is not counted."""
    with Warded.start(folder, own_uid=False) as warded:
        joined = join(folder)
        joined.check()
        with pytest.raises(KeyboardInterrupt):
            then_wait(lambda: warded.ward.order("person", "p-1", "seen enough"))
        with pytest.raises(KeyboardInterrupt, match="seen enough"):
            joined.check()


def test_an_alarm_ends_the_run_by_rule(folder: Path) -> None:
    """Of a source that the plan names, and of no other."""
    with Warded.start(folder, own_uid=False) as warded:
        joined = join(folder)
        joined.alarm(["canary-file"])("p-1", ALARM)
        assert warded.ward.ended() is None
        alarm = joined.alarm(["canary-file", "decoy"])
        with pytest.raises(KeyboardInterrupt):
            then_wait(lambda: alarm("p-1", ALARM))
        ended = warded.ward.ended()
    assert ended is not None
    assert (ended["by"], ended["who"]) == ("alarm", "decoy")
    assert ended["cause"] == "token used in exec, in sample p-1"
