"""What an installation does by itself while its portal is served, in one of its processes alone.

It tells people of what happened, shows the log as it grows, and forgets what is over. Whichever process
holds the lock beside the keys does all of it; when that process ends, another one takes its place. What a
job last came to stands in ``jobs.json`` of the installation, for administrators.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from leadline.app import arriving, forgetting, log
from leadline.core.errors import LeadlineError
from leadline.settings import Home
from leadline.wiring import intake, notify
from leadline.wiring.home import Parts
from leadline.wiring.log import write
from leadline.wiring.record import worker

LOCK, LAST = "jobs.lock", "jobs.json"
LOOK_SECONDS = 1.0
TELL_SECONDS, SHOW_SECONDS, FORGET_SECONDS = 5.0, 300.0, 3_600.0
SLOWER = 12  # how many turns a job rests after it broke down


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done every *seconds*. *do* answers in words what it came to, if it did anything."""

    name: str
    seconds: float
    do: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Last:
    """What a job came to when it last did something, or why it broke down."""

    name: str
    at: datetime
    told: str
    good: bool


def jobs(parts: Parts, home: Home, origin: str) -> tuple[Job, ...]:
    """Everything that is done by itself; raises as `notify.server` and `notify.egress`."""
    notify.server(home)
    notifier = notify.Notifier(parts, home, origin, notify.egress(home))
    return (
        Job("tell people", TELL_SECONDS, lambda: _told(notifier)),
        Job("show the log", SHOW_SECONDS, lambda: show(parts)),
        Job("forget what is over", FORGET_SECONDS, lambda: _forgotten(parts, home)),
    )


def _told(notifier: notify.Notifier) -> str:
    done = notifier.once()
    if not (done.sent or done.later):
        return ""
    return f"{done.sent} delivered, {done.later} to try again"


def show(parts: Parts) -> str:
    """Sign and show the log where it is shown already, or has witnesses, and grew since.

    The first time is an act of a person: ``leadline log publish``.

    Raises: as `leadline.app.log.announce`.
    """
    ctx = parts.context(worker())
    outlet = ctx.outlet
    if outlet is None or not (outlet.shown() or outlet.policy()):
        return ""
    before = log.latest(ctx)
    with parts.store.read() as view:
        size = view.log_size()
    if before is not None and before.head.size == size:
        return ""
    done = log.announce(ctx)
    silent = f"; no cosignature by {', '.join(sorted(done.silent))}" if done.silent else ""
    return f"{done.head.size} entries; {done.words}{silent}"


def _forgotten(parts: Parts, home: Home) -> str:
    now = parts.context(worker()).now
    done = dict(forgetting.forget(parts.store, now))
    done["uploads"] = arriving.sweep(parts.store, now, intake.arrivals(home))
    return ", ".join(f"{number} {name}" for name, number in done.items() if number)


@dataclass
class Keeper:
    """One process's turn at the jobs. *tick* is a clock that never goes back."""

    parts: Parts
    home: Home
    jobs: tuple[Job, ...]
    tick: Callable[[], float] = time.monotonic
    _due: dict[str, float] = field(default_factory=dict)

    def until(self, ended: threading.Event, seconds: float = LOOK_SECONDS) -> None:
        """Wait for the lock, then do what is due, again and again, until *ended*."""
        with alone(self.home, ended, seconds) as mine:
            while mine and not ended.wait(seconds):
                self.turn()

    def turn(self) -> None:
        """Do each job that is due. One that breaks down is tried again later, and is told of."""
        for job in self.jobs:
            if self.tick() < self._due.get(job.name, 0.0):
                continue
            rest = job.seconds
            try:
                told, good = job.do(), True
            except LeadlineError as error:
                told, good, rest = f"broke down: {error}", False, job.seconds * SLOWER
                own = notify.own_eyes(self.parts)
                own.alarm("job", job.name, f"a job broke down: {error.code}")
            if told:
                self._keep(job.name, told, good=good)
            self._due[job.name] = self.tick() + rest

    def _keep(self, name: str, told: str, *, good: bool) -> None:
        now = notify.own_eyes(self.parts).now
        lasts = {one.name: one for one in last(self.home)} | {name: Last(name, now, told, good)}
        rows = [
            {"name": one.name, "at": one.at.isoformat(), "told": one.told, "good": one.good}
            for one in lasts.values()
        ]
        write(self.home.folder / LAST, json.dumps(rows).encode(), 0o600)


def last(home: Home) -> tuple[Last, ...]:
    """What each job last came to; nothing before the first."""
    place = home.folder / LAST
    rows: list[Mapping[str, object]] = json.loads(place.read_bytes()) if place.exists() else []
    return tuple(
        Last(
            str(one["name"]),
            datetime.fromisoformat(str(one["at"])),
            str(one["told"]),
            one["good"] is True,
        )
        for one in rows
    )


@contextmanager
def alone(home: Home, ended: threading.Event, seconds: float) -> Iterator[bool]:
    """Hold the lock of the jobs, once nobody else does; without it, if *ended* comes first."""
    held = os.open(home.keys / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        mine = _taken(held)
        while not mine and not ended.wait(seconds):
            mine = _taken(held)
        yield mine
    finally:
        os.close(held)


def _taken(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine = True
    except BlockingIOError:
        mine = False
    return mine


@contextmanager
def running(parts: Parts, home: Home, origin: str) -> Iterator[None]:
    """A thread that does the jobs while the block runs; raises as `jobs`."""
    keeper, ended = Keeper(parts, home, jobs(parts, home, origin)), threading.Event()
    thread = threading.Thread(target=keeper.until, args=(ended,), name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)
