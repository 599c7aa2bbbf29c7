"""Runs of an installation: begun from a page, driven by a process of their own, and driven on after an end.

Each lies in ``runs/ENGAGEMENT`` of the installation's folder as `leadline assess` leaves one in its own:
seed, items, logs and the warden's socket are there, while store, vault and keys are the installation's.
The driver is in nobody's process group: it goes on when the server ends, it acts as the person who began
the run, and what that person may no longer do ends it. Its warden ends every sandbox when it is silent.
"""

import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import IO

from leadline.app import engagement, measuring, running
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.measuring import Measuring, Observer
from leadline.app.request import Request
from leadline.core.assessment import Plan
from leadline.core.errors import LeadlineError, NotFound, Refused
from leadline.core.isolation import parse_tier
from leadline.core.record.act import instant
from leadline.formats.criteria_toml import load_criteria
from leadline.runner.isolation import require as require_tier
from leadline.settings import WITHIN, Home, Workspace, environment, load
from leadline.store.shards import open_executor
from leadline.store.sql import open_store
from leadline.wiring import assess
from leadline.wiring.desk import AtDesk, library
from leadline.wiring.home import KINDS, Parts, clock, lines_of, open_parts
from leadline.wiring.working import request_of, secret_of

RUNS, BY, ENDED, WORDS = "runs", "by.json", "ended.json", "driver.log"
STOP = "stop"
WORDS_SHOWN = 2_000


@dataclass(frozen=True, slots=True)
class Driver:
    """What drives a run. *alive*: at this moment. *why*: what ended the last one, empty for its end."""

    alive: bool
    why: str = ""
    at: str = ""


def place_of(home: Home, engagement_id: str) -> Workspace:
    """Where a run of the installation lies, there or not."""
    return Workspace(home.folder / RUNS / engagement_id, home)


def known(home: Home, engagement_id: str) -> Workspace | None:
    """Where a run that was begun here lies; None where none was."""
    place = place_of(home, engagement_id)
    return place if (place.state / "request.json").exists() else None


def driver(home: Home, engagement_id: str) -> Driver | None:
    """What drives the run of an engagement; None where none was begun here."""
    place = known(home, engagement_id)
    if place is None:
        return None
    if _held(place):
        return Driver(alive=True)
    try:
        told = json.loads((place.state / ENDED).read_text("utf-8"))
    except FileNotFoundError:
        return Driver(alive=False, why="its process ended without a word")
    return Driver(alive=False, why=str(told["why"]), at=str(told["at"]))


def _held(place: Workspace) -> bool:
    """Whether a process holds the run's lock, which ends with it."""
    try:
        _locked(place).close()
        held = False
    except BlockingIOError:
        held = True
    return held


def _locked(place: Workspace) -> IO[bytes]:
    """The run's lock, taken. Raises: BlockingIOError, where a process holds it."""
    handle = os.open(place.state / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    lock = os.fdopen(handle, "r+b", buffering=0)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise
    return lock


@contextmanager
def _alone(place: Workspace) -> Iterator[IO[bytes]]:
    """Nobody else begins or drives the run. Raises: Refused."""
    try:
        lock = _locked(place)
    except BlockingIOError:
        raise Refused("a process drives this run; look at its page") from None
    with lock:
        yield lock


def begin(me: AtDesk, on: Dealings, request: Request) -> None:
    """Begin a run on an engagement: what is asked for is written down, and a driver started.

    Raises: Denied; Refused, where access is not open, or a run was begun; Invalid, naming what is
    wrong; Unavailable, for a tier that this host does not give: then there is no run.
    """
    running.require_begin(me.ctx, on)
    wanted = replace(request, engagement=on.id, home=str(me.home.folder))
    assess.check(wanted, load())
    require_tier(parse_tier(wanted.tier))
    place = place_of(me.home, on.id)
    _open_to_boxes(me.home, place)
    with _alone(place) as lock:
        (place.state / WITHIN).write_text(str(me.home.folder), "utf-8")
        assess.begin(place, wanted)
        _drive_as(me.ctx, place, lock)


def go_on(me: AtDesk, found: Plan, reason: str) -> None:
    """Let a run go on after a stop or a crash: its frozen shards are queued again, a driver started.

    Raises: Denied; Invalid, without a reason; Refused, where it is driven, is over or was begun elsewhere.
    """
    place = known(me.home, found.engagement)
    if place is None:
        raise Refused("this run was begun elsewhere; `leadline assess --resume` goes on there")
    with _alone(place) as lock:
        with closing(open_executor(me.home.database)) as executor:
            running.go_on(me.ctx, found, executor, reason)
        (place.state / "orders" / STOP).unlink(missing_ok=True)
        _drive_as(me.ctx, place, lock)


def _open_to_boxes(home: Home, place: Workspace) -> None:
    """The run's folders; users of boxes pass through to the items, list nothing and read no database."""
    for file in home.folder.glob("leadline.db*"):
        file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    place.state.mkdir(parents=True, exist_ok=True)
    for folder in (home.folder, home.folder / RUNS, place.out):
        folder.chmod(0o711)


def _drive_as(ctx: Context, place: Workspace, lock: IO[bytes]) -> None:
    told = {"person": ctx.principal.id, "assurance": ctx.assurance}
    assess.write(place.state / BY, json.dumps(told).encode(), 0o600)
    (place.state / ENDED).unlink(missing_ok=True)
    spawn(place, lock)


def spawn(place: Workspace, lock: IO[bytes]) -> None:
    """Start the driver of a run in a session of its own, so that it outlives whoever starts it.

    It inherits the run's *lock*: from this moment until its end nobody else drives the run.
    """
    argv = [sys.executable, "-m", "leadline", "run", "drive", str(place.out)]
    argv = ["setsid", "--fork", *argv, "--lock", str(lock.fileno())]
    handle = os.open(place.state / WORDS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as told:
        subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            env=environment(place.home),
            pass_fds=[lock.fileno()],
            check=True,
        )


def drive(place: Workspace, observe: Observer, lock: int = -1) -> Plan:
    """Drive a run to its end, in this process; what ended it stands beside it, whatever it was.

    *lock* is the run's lock where whoever started this process took it.

    Raises: NotFound, where none was begun; Refused, if another process drives it; otherwise as
    `measuring.measure`.
    """
    if place.within is None or not (place.state / BY).exists():
        raise NotFound(f"{place.out} holds no run of an installation")
    with _alone(place) if lock < 0 else os.fdopen(lock, "r+b", buffering=0):
        try:
            plan = _driven(place, observe)
        except (LeadlineError, OSError) as error:
            _say(place, str(error))
            raise
        except KeyboardInterrupt:
            _say(place, "its process was told to stop")
            raise
        _say(place, "")
        return plan


def _say(place: Workspace, why: str) -> None:
    told = {"at": instant(clock()), "why": why[:WORDS_SHOWN]}
    assess.write(place.state / ENDED, json.dumps(told).encode(), 0o600)


def _driven(place: Workspace, observe: Observer) -> Plan:
    settings, request, home = load(), request_of(place), place.home
    store = open_store(assess.made(place).database, kinds=KINDS, lines=lines_of(home))
    try:
        parts = open_parts(home, store)
        laboratory, full = assess.host_laboratory(place, settings, parts.vault, request)
        pack, content = assess.criteria_pack(request.criteria or assess.CRITERIA, str(home.folder))
        person = _person(place, parts)
        on = engagement.dealings(person(), library(home.folder / "regimes"), request.engagement)
        run = Measuring(
            evaluator=person,
            lab=laboratory,
            observe=observe,
            secret=secret_of(place),
            criteria=load_criteria(content, pack),
            criteria_digest=sha256(content).hexdigest(),
            request=full,
            dealings=on,
        )
        return measuring.measure(run)[0]
    finally:
        store.close()


def _person(place: Workspace, parts: Parts) -> Callable[[], Context]:
    """Whoever began the run or let it go on, read again from the store each time."""
    told = json.loads((place.state / BY).read_text("utf-8"))

    def now() -> Context:
        with parts.store.read() as view:
            one = view.principal(str(told["person"]))
        return replace(parts.context(one), assurance=int(told["assurance"]))

    return now
