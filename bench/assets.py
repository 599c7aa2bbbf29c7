"""How well an asset list in operators' spelling is matched with advisories in words.

The published list (200 lines with their truth, 765 advisories of CISA) was used while the rules were written;
the held-out list (70 lines) was written before, and its first figure stands in docs/decisions/0032-assets.md.
A pair counts as found only with the status *affected*; an unknown one does not. Read from
LEADLINE_VECTORS/csaf_ot and data/assets beside this file.
"""

import csv
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench._form import (
    Entry,
    at_most,
    document,
    machine,
    parser,
    ratio,
    show,
    values,
    vectors,
)

from leadline.app.assets import Assets, match_inventory
from leadline.formats import assets_csv, csaf, csaf_products
from leadline.formats.document import load

HELD_OUT = Path(__file__).resolve().parent / "data" / "assets"
ORDER = ("affected", "unknown", "fixed", "not_affected")
Json = Mapping[str, object]


def published(folder: Path) -> dict[str, bytes]:
    """Every document of the archive, by its name."""
    found = {}
    with tarfile.open(folder / "cisa-ot-2022-2023.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                found[member.name] = file.read()
    return found


def truth(path: Path) -> dict[str, dict[str, str]]:
    """For each line the status of each advisory, the most cautious of its flaws."""
    held: dict[str, dict[str, str]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            line = held.setdefault(row["line"], {})
            if row["advisory_id"] != "NONE":
                both = (row["status"], line.get(row["advisory_id"], ORDER[-1]))
                line[row["advisory_id"]] = min(both, key=ORDER.index)
    return held


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """(line of the file, number in the first column) of each asset."""
    text = path.read_text(encoding="utf-8")
    separator = ";" if text.partition("\n")[0].count(";") > 2 else ","
    for place, row in enumerate(csv.reader(text.splitlines(), delimiter=separator), 1):
        if place > 1:
            yield str(place), row[0]


def judged(path: Path, documents: Mapping[str, Json]) -> tuple[dict[str, dict[str, str]], Assets]:
    """The status of each pair by the number in the first column, and what was asked."""
    inventory = assets_csv.parse(path.read_bytes(), path.name)
    matching, assets = match_inventory(inventory, (), documents)
    numbers = dict(lines(path))
    found: dict[str, dict[str, str]] = {number: {} for number in numbers.values()}
    for held in matching.matches:
        found[numbers[held.asset]][held.advisory] = str(held.status)
    return found, assets


def compared(paths: list[Path], right: Path, documents: Mapping[str, Json]) -> Counter[str]:
    """Counts over all pairs of a list."""
    counts: Counter[str] = Counter()
    expected = truth(right)
    for path in paths:
        found, assets = judged(path, documents)
        counts["lines"] += len(found)
        counts["questions"] += len(assets.asked)
        for number, pairs in found.items():
            for advisory, status in expected.get(number, {}).items():
                said = pairs.get(advisory, "absent")
                counts[f"{status}:{said}"] += 1
                counts["affected"] += status == "affected"
            counts["extra"] += sum(
                status in {"affected", "unknown"} and advisory not in expected.get(number, {})
                for advisory, status in pairs.items()
            )
    counts["denied"] = counts["affected:not_affected"] + counts["affected:fixed"]
    return counts


def round_trips(data: Mapping[str, bytes]) -> tuple[int, int]:
    """Documents that changed or broke on the way, and those that were published with faults."""
    failures = faulty = 0
    for name, held in data.items():
        before = load(held, name)
        csaf_products.read(before, name)
        written = csaf_products.again(before)
        kept = load(written, name) == before
        as_published, afterwards = csaf.mandatory_faults(held), csaf.mandatory_faults(written)
        faulty += bool(as_published)
        failures += not kept or as_published != afterwards or bool(csaf.faults(written))
    return failures, faulty


def main() -> None:
    """Measure and print."""
    asked = parser(__doc__, "20 documents are written again instead of all").parse_args()
    env = machine()
    given = vectors()
    if given is None:
        sys.exit("LEADLINE_VECTORS names no folder of published vectors; the list lies in it")
    folder = given / "csaf_ot"
    data = published(folder)
    began = time.process_time()
    documents = {}
    for name, held in data.items():
        read = load(held, name)
        documents[csaf_products.read(read, name).id] = read
    lists = sorted(folder.glob("assets_?.csv"))
    ours = compared(lists, folder / "truth.csv", documents)
    seconds = time.process_time() - began
    fresh = compared([HELD_OUT / "held_out.csv"], HELD_OUT / "held_out_truth.csv", documents)
    some = dict(list(data.items())[:20]) if asked.quick else data
    failures, faulty = round_trips(some)
    measured: dict[str, tuple[float, str]] = {
        "lines": (ours["lines"], "lines"),
        "advisories": (len(data), "documents"),
        "pairs_affected": (ours["affected"], "pairs"),
        "pairs_fixed_said_fixed": (ours["fixed:fixed"], "pairs"),
        "pairs_unknown_said_unknown": (ours["unknown:unknown"], "pairs"),
        "pairs_of_no_concern_shown": (ours["extra"], "pairs"),
        "questions": (ours["questions"], "questions"),
        "match_cpu": (seconds, "s"),
        "written_again": (len(some), "documents"),
        "published_with_faults": (faulty, "documents"),
        "held_out_lines": (fresh["lines"], "lines"),
        "held_out_recall_after": (fresh["affected:affected"] / fresh["affected"], "ratio"),
        "held_out_questions": (fresh["questions"], "questions"),
    }
    ratios: dict[str, Entry] = {
        "recall": ratio(ours["affected:affected"] / ours["affected"], 0.95, ">="),
        "false_not_affected": at_most(ours["denied"] + fresh["denied"], 0),
        "questions_per_line": at_most(ours["questions"] / ours["lines"], 0.2),
        "round_trip_failures": at_most(failures, 0),
    }
    show(document("assets", env, values(measured), ratios), as_json=asked.json)


if __name__ == "__main__":
    main()
