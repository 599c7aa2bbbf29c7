"""What the planted suite costs, whether it repeats, and what the tool baseline solves of it.

    python bench/planted.py --json [--quick] [--plot FILE.svg] [--suites N]

The picture and table of docs/explanation/planted.md are those of ``--plot docs/images/planted.svg``.

Built and checked: items of every class and level, two processes, as an assessment does it. Solved:
one attempt of the tool baseline an item, with the largest budget; the runs at which it found its
input tell what every smaller budget would have solved, for equal seeds do the same. Intervals are
Clopper-Pearson, 95 %.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.core.measure.interval import clopper_pearson
from leadline.suites.item import Item
from leadline.suites.planted import SUITE
from leadline.suites.planted.params import LEVELS
from leadline.suites.planted.program import FAMILIES

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import _form as form

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample

WANTED, SECONDS_MAX, DRAWN = 200, 300.0, 500
BUDGETS = (10_000, 100_000, 1_000_000)
QUICK = (10_000, 100_000)
TLV_SECONDS_MAX, TLV_SEEDS = 10.0, 5
LOCKS = (0, 1, 2, 3)
_FOUND = re.compile(r"after ([\d,]+) runs")
_SEED = bytes(range(64, 96))


@dataclass(frozen=True)
class Attempt:
    """One attempt of the baseline: the runs after which it solved the item, or None."""

    item: Item
    runs: int | None
    seconds: float
    outcome: str


def seeds(count: int) -> list[bytes]:
    """The seeds of *count* suites."""
    return [bytes([number]) * 32 for number in range(1, count + 1)]


def tell(text: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def _prepare(task: tuple[Item, bytes, str]) -> tuple[bool, str]:
    item, seed, folder = task
    checked = SUITE.prepare(item, seed, Path(folder) / item.id)
    return checked.ok, checked.reason


def build(items: Sequence[Item], seed: bytes, folder: Path) -> tuple[float, list[str]]:
    """Seconds for building and checking *items* in two processes, and the reasons of those that fail."""
    begun = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(_prepare, [(item, seed, str(folder)) for item in items], chunksize=2))
    return time.perf_counter() - begun, [reason for ok, reason in found if not ok]


def nulls(items: Sequence[Item], folder: Path) -> int:
    """How many of *items* the judge calls solved for nothing, an empty file, zeros and a guess."""
    import asyncio

    from leadline.suites.differential import judge

    async def solved(item: Item) -> int:
        answers = (None, b"", bytes(64), b"flag{temp}")
        verdicts = [await judge(item, folder / item.id, answer) for answer in answers]
        return sum(verdict.outcome == "solved" for verdict in verdicts)

    async def all_of_them() -> int:
        return sum([await solved(item) for item in items])

    return asyncio.run(all_of_them())


def differing(count: int) -> int:
    """How many of *count* items another process draws otherwise; that one has other hash seeds."""
    code = (
        "import json; from leadline.suites.planted import SUITE\n"
        f"print(json.dumps([i.digest for i in SUITE.draw(bytes.fromhex('{_SEED.hex()}'), {count})]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77"}  # noqa: TID251 - a script is an edge
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    own = [item.digest for item in SUITE.draw(_SEED, count)]
    return sum(one != other for one, other in zip(own, json.loads(done.stdout), strict=True))


def attempts(
    items: Sequence[Item], folder: Path, budget: int, *, seed: int = 1, at_once: int = 2
) -> list[Attempt]:
    """One attempt of the baseline at each of the prepared *items*."""
    from inspect_ai import Task
    from inspect_ai import eval as evaluation

    import leadline.sandbox.provider  # noqa: F401 - registers `bwrap`
    from leadline.subjects.baseline import baseline
    from leadline.suites.differential import differential, sample_for

    task = Task(
        dataset=[sample_for(item, folder / item.id) for item in items],
        solver=baseline(runs=budget, seed=seed),
        scorer=differential(),
        name="planted",
    )
    with tempfile.TemporaryDirectory() as logs:
        (log,) = evaluation(
            task, model=None, log_dir=logs, display="none", max_samples=at_once, log_realtime=False
        )
        assert log.status == "success", log.error
        by_id = {item.id: item for item in items}
        # Read while the log is still there: samples are only fetched when asked for.
        return [_attempt(sample, by_id[str(sample.id)]) for sample in log.samples or ()]


def _attempt(sample: "EvalSample", item: Item) -> Attempt:
    """What the log says of one attempt at *item*."""
    assert sample.scores is not None
    outcome = str(sample.scores["differential"].answer)
    text = "\n".join(message.text for message in sample.messages)
    found = _FOUND.search(text) if outcome == "solved" else None
    runs = int(found[1].replace(",", "")) if found else None
    return Attempt(item, runs, sample.working_time or 0.0, outcome)


def counted(made: Sequence[Attempt], share: int, budget: int) -> int:
    """How many of *made* a *budget* suffices for; the agent's own fuzzer gets one run of *share*."""

    def enough(one: Attempt) -> bool:
        granted = budget if one.item.oracle.kind == "sanitizer" else -(-budget // share)
        return one.runs is not None and one.runs <= granted

    return sum(enough(one) for one in made)


def row(group: str, label: str, made: Sequence[Attempt], budget: int) -> dict[str, object]:
    """The share that *budget* solves of *made*, with its interval."""
    from leadline.subjects.baseline import BARE_SHARE

    solved = counted(made, BARE_SHARE, budget)
    low, high = (float(end) for end in clopper_pearson(solved, len(made)))
    return {
        "group": group,
        "label": label,
        "budget": budget,
        "solved": solved,
        "of": len(made),
        "share": solved / len(made),
        "low": low,
        "high": high,
    }


def table(
    made: Sequence[Attempt], swept: Sequence[Attempt], budgets: Sequence[int]
) -> list[dict[str, object]]:
    """Rows by level, by class and by number of masked bytes, for each budget."""
    rows = []
    for budget in budgets:
        for level in range(len(LEVELS)):
            some = [one for one in made if one.item.features["level"] == level]
            rows.append(row("level", str(level), some, budget))
        for family in FAMILIES:
            some = [one for one in made if one.item.family == family.name]
            rows.append(row("class", family.name, some, budget))
        for locks in sorted({one.item.features["locks"] for one in swept}):
            some = [one for one in swept if one.item.features["locks"] == locks]
            rows.append(row("masked bytes", str(locks), some, budget))
    return rows


def falls(rows: Sequence[dict[str, object]], group: str, budget: int) -> bool:
    """Whether the share solved falls from the first label of *group* to its last.

    Between neighbours it may rise by one item.
    """
    shown = [one for one in rows if one["group"] == group and one["budget"] == budget]
    shares = [float(str(one["share"])) for one in shown]
    slack = 1.0 / min(int(str(one["of"])) for one in shown)
    steps = pairwise(shares)
    return shares[0] > shares[-1] and all(two <= one + slack + 1e-9 for one, two in steps)


def plot(rows: Sequence[dict[str, object]], file: Path) -> None:
    """The shares by level and by masked bytes, with their intervals, as a static SVG."""
    from leadline.render.vega import svg

    shown = [
        {**one, "runs": f"{int(str(one['budget'])):,} runs"}
        for one in rows
        if one["group"] in {"level", "masked bytes"}
    ]
    names = [f"{budget:,} runs" for budget in sorted({int(str(one["budget"])) for one in rows})]
    shape = {
        "field": "runs",
        "type": "nominal",
        "sort": names,
        "title": "Budget",
        "legend": {"orient": "bottom"},
        "scale": {"range": ["#8a5a00", "#5b7fa6", "#17263c"]},
    }
    shape_only = {key: value for key, value in shape.items() if key != "scale"}
    across = {"field": "label", "type": "ordinal", "axis": {"labelAngle": 0, "title": None}}
    up = {"title": "Share solved", "scale": {"domain": [0, 1]}, "axis": {"format": "%"}}
    offset = {"field": "runs", "type": "nominal", "sort": names}
    layers = [
        {
            "mark": {"type": "rule", "strokeWidth": 1.5},
            "encoding": {
                "x": across,
                "xOffset": offset,
                "y": {"field": "low", "type": "quantitative", **up},
                "y2": {"field": "high"},
                "color": {**shape, "legend": None},
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 60},
            "encoding": {
                "x": across,
                "xOffset": offset,
                "y": {"field": "share", "type": "quantitative", **up},
                "color": shape,
                "shape": shape_only,
            },
        },
    ]
    charts = [
        {
            "title": title,
            "width": width,
            "height": 220,
            "data": {"values": [one for one in shown if one["group"] == group]},
            "layer": layers,
        }
        for group, title, width in (
            ("level", "Solved by level", 420),
            ("masked bytes", "Solved by masked bytes before the flaw", 280),
        )
    ]
    file.write_text(svg({"hconcat": charts}), encoding="utf-8")  # type: ignore[dict-item]


def markdown(rows: Sequence[dict[str, object]]) -> str:
    """*rows* as the table of the explanation: a line a group and label, a column a budget."""
    budgets = sorted({int(str(one["budget"])) for one in rows})
    lines = ["| | " + " | ".join(f"{budget:,} runs" for budget in budgets) + " |"]
    lines.append("|---" * (len(budgets) + 1) + "|")
    for group, label in dict.fromkeys((one["group"], one["label"]) for one in rows):
        shown = [one for one in rows if (one["group"], one["label"]) == (group, label)]
        cells = [
            f"{one['solved']} of {one['of']} [{one['low']:.2f}, {one['high']:.2f}]" for one in shown
        ]
        lines.append(f"| {group} {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def curve(
    folder: Path, budgets: Sequence[int], suites: int
) -> tuple[list[Attempt], list[Attempt], list[str]]:
    """Attempts at whole suites and at a sweep of one parameter, and items that did not qualify."""
    made, swept, bad = [], [], []
    for number, seed in enumerate(seeds(suites), 1):
        tell(f"the tool baseline: suite {number} of {suites}")
        items = SUITE.items(seed)
        bad += build(items, seed, folder)[1]
        made += attempts(items, folder, max(budgets))
    tell("the tool baseline: masked bytes")
    sweep = [replace(LEVELS[0], locks=locks) for locks in LOCKS]
    items = SUITE.draw(_SEED, len(sweep) * len(FAMILIES), params=sweep)
    bad += build(items, _SEED, folder)[1]
    swept += attempts(items, folder, max(budgets))
    return made, swept, bad


def tlv(folder: Path, *, quick: bool) -> tuple[int, int, float]:
    """The easiest stack overflow: how many seeds of the agent solve it, of how many, the slowest."""
    (item,) = SUITE.draw(_SEED, 1, families=FAMILIES[:1], params=LEVELS[:1])
    SUITE.prepare(item, _SEED, folder / item.id)
    tried = range(1, (2 if quick else TLV_SEEDS) + 1)
    made = [attempts([item], folder, BUDGETS[-1], seed=seed, at_once=1)[0] for seed in tried]
    return sum(one.outcome == "solved" for one in made), len(made), max(one.seconds for one in made)


def measure(*, quick: bool, suites: int, picture: Path | None) -> dict[str, object]:
    """The whole benchmark as the document that is printed; *picture* gets a table beside it."""
    env = form.machine()
    count, budgets = (28, QUICK) if quick else (WANTED, BUDGETS)
    with tempfile.TemporaryDirectory(prefix="planted-") as scratch:
        folder = Path(scratch)
        items = SUITE.draw(_SEED, count)
        seconds, bad = build(items, _SEED, folder)
        tell(f"{count} items built and checked in {seconds:.1f} s, {len(bad)} unqualified")
        null = nulls(items[:28], folder)
        differ = differing(DRAWN)
        solved, tried, slowest = tlv(folder, quick=quick)
        made, swept, more = curve(folder, budgets, suites)
    rows = table(made, swept, budgets)
    if picture:
        plot(rows, picture)
        picture.with_suffix(".md").write_text(markdown(rows), encoding="utf-8")
    times = {
        "sanitizer": [one.seconds for one in made if one.item.oracle.kind == "sanitizer"],
        "canary": [one.seconds for one in made if one.item.oracle.kind == "canary"],
    }
    ratios = {
        "build_200_items_s": form.ratio(seconds / count * WANTED, SECONDS_MAX, "<="),
        "unqualified": form.ratio(len(bad) + len(more), 0, "<="),
        "null_solves": form.ratio(null, 0, "<="),
        "digests_differing_of_500": form.ratio(differ, 0, "<="),
        "tlv_solved_share": form.ratio(solved / tried, 1.0, ">="),
        "tlv_slowest_s": form.ratio(slowest, TLV_SECONDS_MAX, "<="),
        "falls_by_level": form.ratio(
            sum(falls(rows, "level", budget) for budget in budgets) / len(budgets), 1.0, ">="
        ),
    }
    values = {
        "items_built": {"value": count, "unit": "items"},
        "build_s": {"value": round(seconds, 1), "unit": "s"},
        "attempt_c_s": {"value": _mean(times["sanitizer"]), "unit": "s"},
        "attempt_python_s": {"value": _mean(times["canary"]), "unit": "s"},
    }
    return form.document("planted", env, values | solved_values(rows), ratios)


def solved_values(rows: Sequence[dict[str, object]]) -> dict[str, dict[str, object]]:
    """Each row under a name of its own, as the shares and intervals they are."""
    return {
        f"solved {one['group']} {one['label']} at {one['budget']}": {
            "value": round(float(str(one["share"])), 4),
            "unit": "share",
            **{name: one[name] for name in ("solved", "of", "low", "high")},
        }
        for one in rows
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 2) if values else 0.0


def main() -> None:
    """Measure and print: a table for people, one line for programs."""
    parser = form.parser(__doc__, "fewer items and smaller budgets")
    parser.add_argument(
        "--plot", type=Path, help="write the solve rates to this SVG file, and a table beside it"
    )
    parser.add_argument("--suites", type=int, help="how many suites of sixty items to attempt")
    options = parser.parse_args()
    suites = options.suites or (1 if options.quick else 4)
    document = measure(quick=options.quick, suites=suites, picture=options.plot)
    form.show(document, as_json=options.json)


if __name__ == "__main__":
    main()
