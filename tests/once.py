"""What every process of a test run needs alike, and one of them makes."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that *make* filled, for whichever process of the run asked first. Nobody changes it."""
    own = temporary.getbasetemp()
    alone = "PYTEST_XDIST_WORKER" not in os.environ  # noqa: TID251 -- the suite is an edge of its own
    place = (own if alone else own.parent) / name
    with place.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = place.with_suffix(".done")
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)  # of a process that failed here
            place.mkdir()
            make(place)
            done.touch()
    return place
