"""The one form in which every benchmark prints what it measured.

The last line is one JSON document: what was measured, beside what, with which target, on what machine
under which load. *value* is what is compared with *target*, divided by *baseline* already where the
target is a ratio. *ok* is true only if every ratio is met.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

Entry = dict[str, object]


def fsync_ms(folder: Path | None = None) -> float:
    """What making 4 kB durable takes, in *folder* or where temporary files lie: the median of 21."""
    with tempfile.TemporaryFile(dir=folder) as file:
        taken = []
        for _ in range(21):
            file.write(b"x" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def machine(folder: Path | None = None) -> Entry:
    """Processors of this process, load now, cost of a sync: taken before the benchmark loads them."""
    load, cpus = os.getloadavg()[0], len(os.sched_getaffinity(0))
    return {"cpus": cpus, "load": round(load, 2), "fsync_ms": round(fsync_ms(folder), 3)}


def ratio(value: float, target: float, sense: str, baseline: float | None = None) -> Entry:
    """One comparison with its target; *sense* is ``<=`` or ``>=``."""
    met = value <= target if sense == "<=" else value >= target
    told: Entry = {"value": round(float(value), 4), "baseline": baseline}
    return told | {"target": round(float(target), 4), "sense": sense, "met": bool(met)}


def at_most(value: float, target: float) -> Entry:
    """One comparison with an absolute ceiling."""
    return ratio(value, target, "<=")


def values(found: Mapping[str, tuple[float, str]]) -> dict[str, Entry]:
    """Values with their units."""
    return {name: {"value": round(value, 4), "unit": unit} for name, (value, unit) in found.items()}


def document(
    bench: str,
    env: Entry,
    measured: Mapping[str, Entry],
    ratios: Mapping[str, Entry],
    unavailable: Sequence[str] = (),
) -> Entry:
    """The document that is printed."""
    return {
        "bench": bench,
        "ok": all(one["met"] for one in ratios.values()),
        "env": env,
        "values": dict(measured),
        "ratios": dict(ratios),
        "unavailable": list(unavailable),
    }


def parser(page: str | None, quick: str) -> argparse.ArgumentParser:
    """``--json`` and ``--quick``, described by the first line of the script's own page."""
    made = argparse.ArgumentParser(description=page.splitlines()[0] if page else None)
    made.add_argument("--json", action="store_true", help="print only the JSON line")
    made.add_argument("--quick", action="store_true", help=quick)
    return made


def vectors() -> Path | None:
    """The folder of published vectors, if LEADLINE_VECTORS names one."""
    named = os.environ.get("LEADLINE_VECTORS")  # noqa: TID251 -- a script is an edge of its own
    folder = Path(named) if named else None
    return folder if folder and folder.is_dir() else None


def show(told: Entry, *, as_json: bool) -> None:
    """A table for people unless told otherwise, and the line for programs."""
    if not as_json:
        for name, one in dict(told["values"]).items():  # type: ignore[call-overload]
            between = (
                f" [{one['low']:.2f}, {one['high']:.2f}] of {one['of']}" if "of" in one else ""
            )
            sys.stdout.write(f"{name:48} {one['value']:>12} {one['unit']}{between}\n")
        for name, one in dict(told["ratios"]).items():  # type: ignore[call-overload]
            met = "" if one["met"] else "  NOT met"
            sys.stdout.write(f"{name:48} {one['value']:>12} {one['sense']} {one['target']}{met}\n")
    sys.stdout.write(json.dumps(told) + "\n")
