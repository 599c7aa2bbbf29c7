"""Run one input through the harness beside this file and report what it did.

Usage: driver.py INPUT REPORT KIND LIMIT. KIND ``canary``: if the harness says that the input reached
what it must not reach, the token of this run is written to REPORT/canary. KIND ``steps``: the number
of executed lines of Python goes to REPORT/steps; the run ends at LIMIT. KIND ``sanitizer``: the
sanitizer itself reports. The exit status means nothing.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

from __future__ import annotations

import os
import sys
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
    if kind == "steps":
        _count_steps(harness.one_input, data, Path(report) / "steps", int(limit))
        return
    fired = False
    try:
        fired = harness.one_input(data)
    finally:
        # A call that must not happen counts even if the library fails right after it.
        if kind == "canary" and (fired or getattr(harness, "calls", None)):
            (Path(report) / "canary").write_text(token, encoding="ascii")


def _count_steps(run: Callable[[bytes], bool], data: bytes, report: Path, limit: int) -> None:
    def stop(count: int) -> NoReturn:
        report.write_text(str(count), encoding="ascii")
        os._exit(0)

    counter = StepCounter(limit, stop)
    sys.settrace(counter)
    try:
        run(data)
    finally:
        sys.settrace(None)
        report.write_text(str(counter.count), encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:5])
