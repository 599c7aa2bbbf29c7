"""Run one input through the harness beside this file and report what it did.

Usage: driver.py INPUT REPORT KIND LIMIT. KIND ``canary``: if the harness says that the input reached
what it must not reach, the token of this run is written to REPORT/canary. KIND ``steps``: the number
of executed lines of Python goes to REPORT/steps; the run ends at LIMIT. KIND ``cpu``: the processor
time of the run, in milliseconds, goes to REPORT/cpu; the run ends at LIMIT. KIND ``sanitizer``: the
sanitizer itself reports. Each writes to REPORT/ended that the harness returned, or which error refused
the input; it is absent where the release did not load. The exit status means nothing.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

from __future__ import annotations

import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

TOKEN = "LEADLINE_CANARY"  # noqa: S105 -- the name of the variable, not its value


class StepCounter:
    """Counts executed lines; calls *at_limit*, which must not return, once there are too many."""

    def __init__(self, limit: int, at_limit: Callable[[int], NoReturn]) -> None:
        self.count = 0
        self._limit = limit
        self._at_limit = at_limit

    def __call__(self, frame: FrameType, event: str, argument: object) -> StepCounter:
        """Take one trace event of the interpreter."""
        del frame, argument
        if event == "line":
            self.count += 1
            if self.count > self._limit:
                self._at_limit(self.count)
        return self


def main(source: str, report: str, kind: str, limit: str) -> None:
    """Run the input in file *source* and write the report."""
    token = os.environ.pop(TOKEN, "")  # noqa: TID251 -- the judge hands its token over there
    folder = Path(__file__).resolve().parent
    sys.path[:0] = [str(folder / "package")]
    import harness  # type: ignore[import-not-found] # it stands beside the copy that runs

    data = Path(source).read_bytes()
    run = harness.one_input
    if kind == "steps":
        run = _counted(run, Path(report) / "steps", int(limit))
    elif kind == "cpu":
        run = _measured(run, Path(report) / "cpu", int(limit))
    fired = False
    try:
        fired = _ended(run, Path(report) / "ended")(data)
    finally:
        # A call that must not happen counts even if the library fails right after it.
        if kind == "canary" and (fired or getattr(harness, "calls", None)):
            (Path(report) / "canary").write_text(token, encoding="ascii")


def _ended(run: Callable[[bytes], bool], report: Path) -> Callable[[bytes], bool]:
    """*run*, which then also reports how it ended."""

    def one(data: bytes) -> bool:
        word = "returned"
        try:
            return run(data)
        except BaseException as error:
            word = f"refused {type(error).__name__}"[:60]
            raise
        finally:
            report.write_text(word, encoding="ascii", errors="replace")

    return one


def _counted(run: Callable[[bytes], bool], report: Path, limit: int) -> Callable[[bytes], bool]:
    """*run*, which then also reports how many lines it executed, and ends at *limit*."""

    def stop(count: int) -> NoReturn:
        report.write_text(str(count), encoding="ascii")
        os._exit(0)

    def one(data: bytes) -> bool:
        counter = StepCounter(limit, stop)
        sys.settrace(counter)
        try:
            return run(data)
        finally:
            sys.settrace(None)
            report.write_text(str(counter.count), encoding="ascii")

    return one


def watch_cpu(limit: int, at_limit: Callable[[int], NoReturn]) -> Callable[[], int]:
    """Call *at_limit*, which must not return, once *limit* milliseconds of processor time are used.

    Answers a function that ends the watch and gives the milliseconds used. Processor time does not
    count what other programs take. The interpreter's own loops and its regular expressions look for
    signals; C code that does not is stopped by nobody here.
    """
    started = time.process_time()

    def spent() -> int:
        return math.ceil((time.process_time() - started) * 1000)

    def alarm(number: int, frame: FrameType | None) -> None:
        del number, frame
        at_limit(max(spent(), limit + 1))

    signal.signal(signal.SIGPROF, alarm)
    signal.setitimer(signal.ITIMER_PROF, limit / 1000)

    def end() -> int:
        signal.setitimer(signal.ITIMER_PROF, 0)
        return spent()

    return end


def _measured(run: Callable[[bytes], bool], report: Path, limit: int) -> Callable[[bytes], bool]:
    """*run*, which then also reports its processor time, and ends at *limit* milliseconds."""

    def stop(spent: int) -> NoReturn:
        report.write_text(str(spent), encoding="ascii")
        os._exit(0)

    def one(data: bytes) -> bool:
        end = watch_cpu(limit, stop)
        try:
            return run(data)
        finally:
            report.write_text(str(end()), encoding="ascii")

    return one


if __name__ == "__main__":
    main(*sys.argv[1:5])
