"""Proposed groups of crash reports: false merges, recall and time on planted flaws.

    python bench/group.py --json [--quick]

Two corpora lie in `bench/data`, made by `bench/_corpus_crashes.py`: the reports of 500 planted flaws, and
those of programs of another seed (`held-out`), on which no rule was tuned. Which flaw crashed is known;
the reader gets the text alone. A near-duplicate pair is two reports of different flaws that share the
program's skeleton, the innermost own function and the sanitizer's class. Recall is the share of pairs of
one flaw that stand in one group. With LEADLINE_VECTORS the published CASR reports are grouped as well.
"""

import gc
import json
import lzma
import sys
import tarfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench import _form as form

from leadline.core.clearing.crash import Crash
from leadline.core.clearing.group import Group, group
from leadline.formats import sanitizer

DATA = Path(__file__).resolve().parent / "data"
MAIN, HELD_OUT = DATA / "crashes.jsonl.xz", DATA / "crashes-held-out.jsonl.xz"
RECALL_MIN, SECONDS_MAX, NEAR_MIN, CASR_MIN, CASR_MAX = 0.9, 60.0, 10_000, 11, 13
QUICK = 1500
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one corpus showed."""

    reports: int
    flaws: int
    groups: int
    false_merges: int
    near: int
    recall: float
    precision: float
    by_nest: Mapping[str, float]
    read_seconds: float
    group_seconds: float


def pairs(count: int) -> int:
    """How many pairs *count* things make."""
    return count * (count - 1) // 2


def rows_of(path: Path, most: int | None) -> list[Row]:
    """The reports of a corpus; the first *most* in the order of its programs."""
    with lzma.open(path, "rt") as file:
        rows: list[Row] = [json.loads(line) for line in file]
    if most is None:
        return rows
    return sorted(rows, key=lambda row: row["program"])[:most]


def measured(rows: Sequence[Row]) -> Measured:
    """Read and group all reports, then look at what they are."""
    texts = [row["text"].encode() for row in rows]
    gc.disable()
    begun = time.perf_counter()
    crashes = [sanitizer.parse(text, f"{n:05}") for n, text in enumerate(texts)]
    read = time.perf_counter()
    groups = group(crashes)
    ended = time.perf_counter()
    gc.enable()
    flaw = {f"{n:05}": row["flaw"] for n, row in enumerate(rows)}
    nest = {row["flaw"]: row["nest"] for row in rows}
    together, alike = of_one_flaw(groups, flaw)
    wrong = sum(pairs(len(one.members)) for one in groups) - sum(together.values())
    by_nest = {
        kind: ratio_of(
            sum(together[name] for name in nest if nest[name] == kind),
            sum(alike[name] for name in nest if nest[name] == kind),
        )
        for kind in sorted(set(nest.values()))
    }
    return Measured(
        len(rows),
        len(nest),
        len(groups),
        wrong,
        near(rows, crashes),
        ratio_of(sum(together.values()), sum(alike.values())),
        ratio_of(sum(together.values()), sum(pairs(len(one.members)) for one in groups)),
        by_nest,
        read - begun,
        ended - read,
    )


def ratio_of(part: int, whole: int) -> float:
    """A share; 1 of nothing."""
    return part / whole if whole else 1.0


def of_one_flaw(
    groups: Iterable[Group], flaw: Mapping[str, str]
) -> tuple[Counter[str], Counter[str]]:
    """By flaw: how many pairs of its reports stand in one group, and how many there are."""
    together: Counter[str] = Counter()
    for one in groups:
        for name, count in Counter(flaw[member] for member in one.members).items():
            together[name] += pairs(count)
    return together, Counter({name: pairs(count) for name, count in Counter(flaw.values()).items()})


def near(rows: Sequence[Row], crashes: Sequence[Crash]) -> int:
    """Pairs of different flaws with one skeleton, one innermost own function and one class."""
    held: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for row, crash in zip(rows, crashes, strict=True):
        if crash.frames:
            held[row["skeleton"], crash.frames[0].function, crash.kind][row["flaw"]] += 1
    return sum(
        pairs(sum(flaws.values())) - sum(map(pairs, flaws.values())) for flaws in held.values()
    )


def casr_groups(vectors: Path) -> int:
    """How many groups the published CASR reports give."""
    with tarfile.open(vectors / "crashes" / "asan_reports.tar.gz") as archive:
        files = ((member.name, archive.extractfile(member)) for member in archive)
        read = [(name, file.read()) for name, file in files if file]
    return len(group([sanitizer.parse(data, name) for name, data in read]))


def main() -> None:
    """Measure and print."""
    asked = form.parser(__doc__, f"only {QUICK} reports of each corpus").parse_args()
    env, most = form.machine(), QUICK if asked.quick else None
    main_, held = measured(rows_of(MAIN, most)), measured(rows_of(HELD_OUT, most))
    seconds = main_.read_seconds + main_.group_seconds
    values: dict[str, tuple[float, str]] = {}
    for name, one in (("", main_), ("held_out_", held)):
        values |= {
            f"{name}reports": (one.reports, "reports"),
            f"{name}flaws": (one.flaws, "flaws"),
            f"{name}groups": (one.groups, "groups"),
            f"{name}false_merges": (one.false_merges, "pairs"),
            f"{name}near_duplicate_pairs": (one.near, "pairs"),
            f"{name}recall": (one.recall, "share"),
            f"{name}precision": (one.precision, "share"),
        }
        values |= {f"{name}recall_{kind}": (got, "share") for kind, got in one.by_nest.items()}
    values |= {"read": (main_.read_seconds, "s"), "group": (main_.group_seconds, "s")}
    ratios = {
        "false_merges": form.at_most(main_.false_merges + held.false_merges, 0),
        "recall": form.ratio(main_.recall, RECALL_MIN, ">="),
        "seconds": form.at_most(seconds, SECONDS_MAX),
    }
    if not asked.quick:
        ratios["near_duplicate_pairs"] = form.ratio(main_.near, NEAR_MIN, ">=")
    vectors, unavailable = form.vectors(), []
    if vectors:
        count = casr_groups(vectors)
        ratios["casr_groups_least"] = form.ratio(count, CASR_MIN, ">=")
        ratios["casr_groups_most"] = form.at_most(count, CASR_MAX)
    else:
        unavailable.append("CASR reports: LEADLINE_VECTORS names no folder")
    told = form.document("group", env, form.values(values), ratios, unavailable)
    form.show(told, as_json=asked.json)


if __name__ == "__main__":
    main()
