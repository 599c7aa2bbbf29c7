"""Device lists against published operational-technology advisories."""

import csv
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from leadline.core.clearing.match import Status, match
from leadline.formats import assets_csv, csaf


def test_a_device_is_never_called_not_affected(
    vectors: Path, record_property: Callable[[str, object], None]
) -> None:
    """By maker and model alone a pair is a question; pairs that were not noticed are counted."""
    folder = vectors / "csaf_ot"
    with tarfile.open(folder / "cisa-ot-2022-2023.tar.gz") as archive:
        files = [file.read() for member in archive if (file := archive.extractfile(member))]
    advisories = [csaf.parse(data) for data in files]
    truth: dict[str, set[tuple[str, str]]] = defaultdict(set)
    with (folder / "truth.csv").open() as rows:
        for row in csv.DictReader(rows):
            truth[row["line"]].add((row["advisory_id"], row["status"]))
    counts: Counter[str] = Counter()
    for name in "abc":
        data = (folder / f"assets_{name}.csv").read_bytes()
        numbers = [row[0] for row in csv.reader(data.decode().splitlines())]
        found: dict[str, dict[str, Status]] = defaultdict(dict)
        for pair in match(assets_csv.parse(data), advisories).matches:
            found[numbers[int(pair.asset) - 1]][pair.advisory] = pair.status
        for number in numbers[1:]:
            held = found[number]
            assert set(held.values()) <= {Status.UNKNOWN}
            concerned = {advisory for advisory, _ in truth[number]} - {"NONE"}
            counts["asked"] += len(concerned & set(held))
            counts["not noticed"] += len(concerned - set(held))
            counts["asked in vain"] += len(set(held) - concerned)
    record_property("pairs", str(dict(counts)))
    assert counts["asked"] > 3 * counts["not noticed"]
    assert counts["asked in vain"] < counts["asked"] / 2
