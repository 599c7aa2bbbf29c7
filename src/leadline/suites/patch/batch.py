"""Runs many inputs against one of our own builds in one box, to find out which are variants.

Only for builds that we made from our own sources: nothing in them tries to influence a later run.
A repaired program, which is a subject's, gets a fresh box for every input (`judge`).
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from leadline.core.isolation import Tier
from leadline.sandbox.box import Bind, Box, BoxConfig
from leadline.suites.crash import CrashReport, SymbolTable, parse_report, read_symbols
from leadline.suites.differential import TIMED_OUT
from leadline.suites.item import REPORT, TARGET, Item, Observation
from leadline.suites.patch.py_tree import PyTree
from leadline.suites.patch.recipe import Recipe

_SECONDS = 240.0
_LOG_BYTES_MAX = 16_384
_ASAN = f"detect_leaks=0:allocator_may_return_null=1:symbolize=0:print_legend=0:log_path={REPORT}"
# /box/input is a link to a file that each run's input replaces, so that the run is the item's own.
_SCRIPT = """\
export TMPDIR=/tmp
for file in /inputs/*; do
  name=${file##*/}
  cat "$file" > /tmp/input
  ASAN_OPTIONS="$BASE/$name" timeout "$SECONDS_MAX" "$@" </dev/null >/dev/null 2>&1
  echo "$?" > "/report/$name.ended"
done
cd /report
for file in /inputs/*; do
  name=${file##*/}
  echo "@@@@ $name $(cat "$name.ended")"
  for log in "$name".[0-9]*; do [ -f "$log" ] && head -c "$LOG_MAX" "$log"; done
done
"""
_RUN = re.compile(r"^@@@@ (\d+) (\d+)$", re.MULTILINE)
_STOPPED = 124  # what `timeout` ends with


async def trials(
    item: Item, recipe: Recipe, build: Path, inputs: Sequence[bytes], tier: Tier
) -> list[Observation]:
    """What each of *inputs* shows on the program in folder *build*.

    A process for each in C; in Python, whose start takes longer than its run, one for all, since a
    program there keeps nothing between files and tells of each whether it gave the secret away.

    Raises: SandboxUnavailableError, Unusable or OSError, if no box could be had.
    """
    with tempfile.TemporaryDirectory(prefix="leadline-batch-") as scratch:
        folder = Path(scratch)
        _shelve(inputs, folder)
        shown = {"/box": folder / "box", "/inputs": folder / "inputs", TARGET: build}
        binds = [Bind(source=str(path), target=target) for target, path in shown.items()]
        binds += [Bind(source=one.source, target=one.target) for one in item.run.binds]
        config = BoxConfig(workdir=REPORT, binds=tuple(binds), tier=tier.value)
        env = {
            **item.run.env,
            "BASE": _ASAN,
            "SECONDS_MAX": f"{item.run.seconds:g}",
            "LOG_MAX": str(_LOG_BYTES_MAX),
        }
        one = ["/bin/sh", "-c", _SCRIPT, "sh", *item.run.argv]
        names = [f"/inputs/{number:04d}" for number in range(len(inputs))]
        python = isinstance(recipe, PyTree)
        argv = [*recipe.asking(item.run.argv)[:-1], *names] if python else one
        async with await Box.start(config) as box:
            done = await box.exec(argv, cwd=TARGET, env=env, timeout=_SECONDS)
    said = done.stdout.decode("utf-8", "replace")
    return _told(said, len(inputs)) if python else _read(said, len(inputs), build)


def _told(said: str, count: int) -> list[Observation]:
    """The driver's word on each file; those that it did not come to did not end."""
    found = [
        Observation(fired=line.endswith(" secret"), kind="canary" if "secret" in line else "")
        for line in said.splitlines()[:count]
    ]
    return found + [Observation(fired=False, kind=TIMED_OUT)] * (count - len(found))


def _shelve(inputs: Sequence[bytes], folder: Path) -> None:
    folder.chmod(0o755)
    for name in ("box", "inputs"):
        (folder / name).mkdir(mode=0o755)
    (folder / "box" / "input").symlink_to("/tmp/input")  # noqa: S108 -- inside the box
    for number, data in enumerate(inputs):
        (folder / "inputs" / f"{number:04d}").write_bytes(data)
        (folder / "inputs" / f"{number:04d}").chmod(0o644)


def _read(said: str, count: int, build: Path) -> list[Observation]:
    """The observations in order; a run that the box did not come to shows that it did not end."""
    parts = _RUN.split(said)[1:]
    found = [Observation(fired=False, kind=TIMED_OUT)] * count
    tables: dict[str, SymbolTable] = {}
    for name, status, log in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        report = parse_report(log)
        if report is None:
            stopped = int(status) == _STOPPED
            found[int(name)] = Observation(fired=False, kind=TIMED_OUT if stopped else "")
        else:
            frames = _frames(report, build, tables)
            found[int(name)] = replace(Observation(fired=True, kind=report.kind), frames=frames)
    return found


def _frames(report: CrashReport, build: Path, tables: dict[str, SymbolTable]) -> tuple[str, ...]:
    """The program's own functions on the crashing stack; each module's symbols are read once."""
    names = []
    for frame in report.frames:
        path = PurePosixPath(frame.module)
        if not path.is_relative_to(TARGET):
            continue
        if frame.module not in tables:
            data = (build / path.relative_to(TARGET)).read_bytes()
            tables[frame.module] = read_symbols(data)
        names.append(tables[frame.module].function(frame.offset))
    return tuple(name for name in names if name)
