"""Whole assessments in processes of their own, watched from outside through the files they keep."""

import contextlib
import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from inspect_ai.log import EvalSample, read_eval_log
from typer.testing import CliRunner, Result

from leadline.app.request import Secret
from leadline.cli import main
from leadline.core.measure.order import draw_all
from leadline.suites.item import Item
from leadline.suites.planted import SUITE

ITEMS, EPOCHS, RUNS = 2, 2, 200_000
SEEDS = 400
FIRST = 26  # the first that was easy when this was written: looking begins there
SOON_FOUND = {
    "double-free",
    "integer-overflow",
    "out-of-bounds-read",
}  # by a fuzzer, at easy levels
POLL_SECONDS = 0.002
NETWORK = "network"  # beside OUT: the interfaces that the undisturbed assessment had


@cache
def seed() -> str:
    """A seed in hex whose first items, in the order that it commits to, are easy to solve."""
    for number in range(FIRST, SEEDS):
        value = number.to_bytes(32, "big")
        items = chosen(value.hex())
        easy = [item for item in items if item.features["level"] <= 1]
        if len(easy) == len(items) and {item.family for item in easy} <= SOON_FOUND:
            return value.hex()
    raise AssertionError(f"no seed from {FIRST} to {SEEDS} begins with easy items")


def chosen(seed_hex: str, count: int = ITEMS) -> list[Item]:
    """The items that an assessment with this seed takes, in its order."""
    value = bytes.fromhex(seed_hex)
    secret = Secret(value, hashlib.sha256(b"leadline/salt/v1\0" + value).digest())
    by_id = {item.id: item for item in SUITE.items(value)}
    return [by_id[id_] for id_ in draw_all(secret.derived("order"), tuple(sorted(by_id)))[:count]]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of the test's own environment but where programs are; no registry cache."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "LEADLINE_REGISTRY_CACHE": str(home / "no-registry"),
        "LEADLINE_WORKERS": "2",
        **more,
    }


def command(out: Path, *options: str, items: int = ITEMS, epochs: int = EPOCHS) -> list[str]:
    """`leadline assess` on few and easy items of two suites, repeatable."""
    return leadline(*words(out, *options, items=items, epochs=epochs))


def words(out: Path, *options: str, items: int = ITEMS, epochs: int = EPOCHS) -> list[str]:
    """The same without the program."""
    size = ["--suite", "planted", "--suite", "registry"]
    size += ["--items", str(items), "--epochs", str(epochs), "--runs", str(RUNS)]
    return ["assess", "--out", str(out), "--seed", seed(), "--plain", *size, *options]


def leadline(*arguments: str) -> list[str]:
    """A command of the checkout under test."""
    return [sys.executable, "-m", "leadline", *arguments]


def run(
    argv: Sequence[str], home: Path, *, seconds: float = 240, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        argv,
        env=environment(home, **more),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def here(home: Path, *arguments: str) -> Result:
    """As `run`, in this process: for what a command says, where how it starts and ends is not asked."""
    done = CliRunner(env=environment(home)).invoke(main.app, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def acts(bundle: Path) -> Counter[tuple[str, str]]:
    """Every act of a bundle as (kind, about).

    Ids come from the seed and from content, never from the time: they are compared as they stand.
    """
    lines = (bundle / "acts.jsonl").read_bytes().splitlines()
    records = [json.loads(line)["record"] for line in lines]
    return Counter((record["kind"], record["about"]) for record in records)


def finished(logs: Path) -> list[tuple[str, int, str]]:
    """Every finished sample of every eval log: item, repeat and shard."""
    found = []
    for path in sorted(logs.glob("*.eval")):
        log = read_eval_log(str(path))
        shard = str((log.eval.metadata or {})["leadline_shard"])
        found += [(str(s.id), s.epoch, shard) for s in log.samples or [] if ended(s)]
    return found


def ended(sample: EvalSample) -> bool:
    """Whether the judge gave this sample a score."""
    return bool(sample.scores)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a running assessment's files shows."""

    out: Path
    acts: tuple[tuple[str, str], ...]
    shards: tuple[dict[str, object], ...]

    def kinds(self, kind: str) -> list[str]:
        """What the acts of one kind are about."""
        return [about for one, about in self.acts if one == kind]

    def notes(self, beginning: str) -> list[str]:
        """What running shards say they are at, where it begins so."""
        notes = [str(shard["note"]) for shard in self.shards if shard["state"] == "running"]
        return [note for note in notes if note.startswith(beginning)]


def look(out: Path) -> Look:
    """Read acts and shard table without taking part; nothing yet where there is no database."""
    place = out / ".state" / "leadline.db"
    try:
        with contextlib.closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as database:
            acts_ = database.execute("SELECT kind, about FROM act ORDER BY leaf").fetchall()
            names = ("state", "note", "done", "total", "worker", "attempts")
            rows = database.execute(f"SELECT {', '.join(names)} FROM shard ORDER BY seq").fetchall()  # noqa: S608 -- names of ours
    except sqlite3.OperationalError:
        return Look(out, (), ())
    return Look(out, tuple(acts_), tuple(dict(zip(names, row, strict=True)) for row in rows))


Moment = Callable[[Look], bool]


class NeverCameError(AssertionError):
    """The assessment ended without the moment that a test was waiting for."""


@dataclass
class Assessment:
    """One `leadline assess` in a process of its own."""

    out: Path
    process: "subprocess.Popen[bytes]"
    told: Path

    @classmethod
    def start(cls, out: Path, *options: str, **more: str) -> "Assessment":
        """Start it; what it says goes to a file beside OUT."""
        home = out.parent
        told = home / "told"
        with told.open("ab") as stream:
            process = subprocess.Popen(
                command(out, *options),
                env=environment(home, **more),
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        return cls(out, process, told)

    def workers(self) -> list[int]:
        """The processes that it started."""
        return children(self.process.pid)

    def stopped_at(self, moment: Moment, *, seconds: float = 150) -> Look:
        """Stop the main process while *moment* holds; it still holds once the process stands.

        Raises: NeverCameError, if the process ends or the time is up first.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            if moment(look(self.out)):
                self.process.send_signal(signal.SIGSTOP)
                while state_of(self.process.pid) not in {"T", "Z", "X"}:
                    time.sleep(POLL_SECONDS)
                seen = look(self.out)
                if moment(seen):
                    return seen
                self.process.send_signal(signal.SIGCONT)
            time.sleep(POLL_SECONDS)
        raise NeverCameError(f"the moment never came: {self.told.read_text()[-2000:]}")

    def kill(self) -> Look:
        """End the main process by force; its workers must follow by themselves."""
        workers = self.workers()
        self.process.kill()
        self.process.wait()
        gone(workers)
        return look(self.out)

    def interrupt(self) -> None:
        """Ctrl-C for the main process; one that stands is let go on."""
        self.process.send_signal(signal.SIGINT)
        self.goes_on()

    def goes_on(self) -> None:
        """Let a stopped process continue."""
        self.process.send_signal(signal.SIGCONT)

    def end(self, *, seconds: float = 240) -> int:
        """Wait for the end; answers the exit status."""
        return self.process.wait(timeout=seconds)


def children(pid: int) -> list[int]:
    """The processes that *pid*'s main thread started and that still are."""
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []


def state_of(pid: int) -> str:
    """The letter by which the kernel names a process's state; X where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _words_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:300]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def gone(pids: Sequence[int], *, seconds: float = 10) -> None:
    """Return once none of *pids* runs; fail if one still does after *seconds*."""
    until = time.monotonic() + seconds
    while left := [pid for pid in pids if state_of(pid) not in {"X", "Z"}]:
        told = [f"{pid} {state_of(pid)} {_words_of(pid)}" for pid in left]
        assert time.monotonic() < until, f"still there after {seconds} s: {told}"
        time.sleep(0.02)
