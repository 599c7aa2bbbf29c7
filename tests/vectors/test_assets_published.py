"""Asset lists in operators' spelling against the published advisories: found, never denied, few questions."""

import csv
import io
import random
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from leadline.app.assets import Assets, match_inventory
from leadline.core.clearing.match import Matching
from leadline.core.clearing.product import Inventory
from leadline.formats import assets_csv, csaf_products
from leadline.formats.document import load

HELD_OUT = Path(__file__).parents[2] / "bench" / "data" / "assets"
ORDER = ("affected", "unknown", "fixed", "not_affected")
Documents = Mapping[str, Mapping[str, object]]


@pytest.fixture(scope="module")
def documents(vectors: Path) -> Documents:
    """Every published advisory by its id."""
    found = {}
    with tarfile.open(vectors / "csaf_ot" / "cisa-ot-2022-2023.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                read = load(file.read(), member.name)
                found[csaf_products.read(read, member.name).id] = read
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


def matched(data: bytes, documents: Documents) -> tuple[Matching, Assets]:
    """One list against all advisories."""
    return match_inventory(assets_csv.parse(data, "list"), (), documents)


def tally(
    found: Matching, numbers: Mapping[str, str], expected: Mapping[str, Mapping[str, str]]
) -> tuple[int, int, int]:
    """Affected pairs, those found, and those called fixed or not affected."""
    said = {(numbers[held.asset], held.advisory): str(held.status) for held in found.matches}
    pairs = [
        said.get((line, advisory), "absent")
        for line in numbers.values()
        for advisory, status in expected.get(line, {}).items()
        if status == "affected"
    ]
    denied = sum(status in {"fixed", "not_affected"} for status in pairs)
    return len(pairs), pairs.count("affected"), denied


def numbered(rows: list[list[str]]) -> dict[str, str]:
    """The first column by line of the file."""
    return {str(place): row[0] for place, row in enumerate(rows, 1) if place > 1}


def test_the_published_list(vectors: Path, documents: Documents) -> None:
    """Recall of 95 %, nothing denied, at most one question for five lines."""
    pairs = hits = denied = asked = lines = 0
    expected = truth(vectors / "csaf_ot" / "truth.csv")
    for path in sorted((vectors / "csaf_ot").glob("assets_?.csv")):
        data = path.read_bytes()
        found, assets = matched(data, documents)
        numbers = numbered(list(csv.reader(data.decode().splitlines())))
        one, two, three = tally(found, numbers, expected)
        pairs, hits, denied = pairs + one, hits + two, denied + three
        asked, lines = asked + len(assets.asked), lines + len(numbers)
    assert (lines, denied) == (200, 0)
    assert hits / pairs >= 0.95
    assert asked <= lines / 5


@pytest.mark.parametrize("cell", ["", "unknown"])
def test_the_published_list_without_makers(vectors: Path, documents: Documents, cell: str) -> None:
    """Nothing is denied; what is not found by the model alone is asked, at most one question a line."""
    pairs = settled = denied = asked = lines = 0
    expected = truth(vectors / "csaf_ot" / "truth.csv")
    for path in sorted((vectors / "csaf_ot").glob("assets_?.csv")):
        rows = list(csv.reader(path.read_text().splitlines()))
        numbers = numbered(rows)
        for row in rows[1:]:
            row[1] = cell
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        found, assets = matched(out.getvalue().encode(), documents)
        one, _, three = tally(found, numbers, expected)
        open_ = {(held.asset, held.advisory) for held in found.matches if held.status != "fixed"}
        settled += sum(
            (place, advisory) in open_
            for place, line in numbers.items()
            for advisory, status in expected.get(line, {}).items()
            if status == "affected"
        )
        pairs, denied = pairs + one, denied + three
        asked, lines = asked + len(assets.asked), lines + len(numbers)
    assert (lines, denied) == (200, 0)
    assert settled / pairs >= 0.95
    assert asked <= lines / 2


@pytest.mark.parametrize("change", ["as it is", "shouted", "shuffled", "hyphens", "swapped"])
def test_the_held_out_list_however_it_is_typed(documents: Documents, change: str) -> None:
    """Case, order of columns, hyphens and swapped columns cost little and never deny."""
    rows = [line.split(";") for line in (HELD_OUT / "held_out.csv").read_text().splitlines()]
    numbers = numbered(rows)
    if change == "shouted":
        rows = [rows[0], *([cell.upper() for cell in row] for row in rows[1:])]
    elif change == "hyphens":
        rows = [rows[0], *([*row[:2], row[2].replace("-", " "), *row[3:]] for row in rows[1:])]
    elif change == "swapped":
        rows = [rows[0], *([row[0], row[2], row[1], *row[3:]] for row in rows[1:])]
    elif change == "shuffled":
        order = list(range(len(rows[0])))
        random.Random(7).shuffle(order)  # noqa: S311 -- an order of columns, not a secret
        rows = [[row[column] for column in order] for row in rows]
    found, _ = matched("\n".join(";".join(row) for row in rows).encode(), documents)
    pairs, hits, denied = tally(found, numbers, truth(HELD_OUT / "held_out_truth.csv"))
    assert denied == 0
    assert hits / pairs >= (0.8 if change == "swapped" else 0.95)


def test_what_cannot_be_read_is_never_denied(documents: Documents) -> None:
    """A version or a range made unreadable never turns an affected pair into a denied one."""
    inventory = assets_csv.parse((HELD_OUT / "held_out.csv").read_bytes())
    spoiled = Inventory(
        tuple(replace(held, version="\u2021\u2021") for held in inventory.components)
    )
    found, _ = match_inventory(spoiled, (), documents)
    assert {str(held.status) for held in found.matches} <= {"affected", "unknown"}


def test_every_document_is_written_again_without_loss(documents: Documents) -> None:
    """Value for value."""
    assert len(documents) == 765
    assert all(load(csaf_products.again(held), ident) == held for ident, held in documents.items())
