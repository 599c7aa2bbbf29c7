"""SSVC tables: all published ones read, CSV and JSON say the same, the shipped bytes are unchanged."""

import json
import random
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest
from cvss import CVSS4  # type: ignore[import-untyped]

from leadline.core.clearing.ssvc import Point, Table
from leadline.core.errors import Invalid
from leadline.formats import ssvc
from priority_world import manifest, shipped, tables

BOD = "cisa_bod_26_04_1_0_0.json"
UTILITY = json.loads(shipped("ssvc", "utility_1_0_0.json"))
CSV = b"""row,Automatable v2.0.0,Value Density v1.0.0,Utility v1.0.1
0,no,diffuse,laborious
1,no,concentrated,efficient
2,yes,diffuse,efficient
3,yes,concentrated,super effective
"""


def utility_points() -> list[Point]:
    """The decision points of the utility table."""
    (table,) = (table for table in tables().values() if table.name == "Utility")
    return [*table.inputs, table.outcome]


def as_sets(table: Table) -> Mapping[frozenset[tuple[str, str]], str]:
    """The rows without regard to the order of inputs."""
    ids = [point.id for point in table.inputs]
    return {frozenset(zip(ids, keys, strict=True)): out for keys, out in table.rows.items()}


def test_all_sixteen_tables_read_and_csv_equals_json(vectors: Path) -> None:
    """Row by row, through the decision points; the count of rows is the product of the values."""
    folder = vectors / "ssvc"
    points = [
        ssvc.read_point(path.read_bytes(), path.name)
        for path in folder.glob("json/decision_points/*/*.json")
    ]
    read = 0
    for path in sorted(folder.glob("json/decision_tables/*/*.json")):
        table = ssvc.read_table(path.read_bytes(), path.name)
        beside = folder / "csv" / path.parent.name / f"{path.stem}.csv"
        assert as_sets(ssvc.read_csv(beside.read_bytes(), path.stem, points)) == as_sets(table)
        assert set(table.inputs) <= set(points)
        read += 1
    assert read == 16


def test_shipped_tables_are_listed_unchanged_and_licensed(vectors: Path) -> None:
    """Each file has an entry with its digest and id, equals the vector, and the licence stands beside."""
    held = {one.name for one in files("leadline").joinpath("data", "ssvc").iterdir()}
    assert held == {*(entry["file"] for entry in manifest()), "MANIFEST.toml", "LICENSE.txt"}
    for entry in manifest():
        content = shipped("ssvc", entry["file"])
        assert sha256(content).hexdigest() == entry["sha256"]
        assert ssvc.read_table(content, entry["file"]).id == entry["id"]
        (origin,) = (vectors / "ssvc" / "json" / "decision_tables").glob(f"*/{entry['file']}")
        assert origin.read_bytes() == content
    assert shipped("ssvc", "LICENSE.txt") == (vectors / "ssvc" / "LICENSE.txt").read_bytes()


def test_cvss_4_macrovectors_agree_with_the_published_sets(vectors: Path) -> None:
    """The six equivalence sets of the CVSS library, on base vectors drawn from a seed."""
    folder = vectors / "ssvc" / "json" / "decision_tables" / "cvss"
    sets = [
        ssvc.read_table((folder / f"cvss_v4_equivalence_set_{n}_1_0_0.json").read_bytes(), str(n))
        for n in range(1, 7)
    ]
    draw = random.Random(7)  # noqa: S311 -- a sample
    metrics = {"AV": "NALP", "AC": "LH", "AT": "NP", "PR": "NLH", "UI": "NPA"}
    metrics |= dict.fromkeys(("VC", "VI", "VA", "SC", "SI", "SA"), "HLN")
    metrics |= dict.fromkeys(("CR", "IR", "AR"), "HML") | {"E": "APU"}
    for _ in range(400):
        chosen = {name: draw.choice(values) for name, values in metrics.items()}
        vector = "/".join(("CVSS:4.0", *(f"{name}:{value}" for name, value in chosen.items())))
        chosen |= {"MSI": chosen["SI"], "MSA": chosen["SA"]}
        told = ""
        for table in sets:
            names = {point.id: point.id.split(":")[1].split("_")[0] for point in table.inputs}
            decision = table.decide({id_: chosen[name] for id_, name in names.items()})
            told += str(len(table.outcome.values) - 1 - decision.levels[0])
        assert told == CVSS4(vector).macroVector(), vector


def test_csv_needs_points_and_complete_rows() -> None:
    """The small table reads; each fault names its row."""
    points = utility_points()
    assert as_sets(ssvc.read_csv(CSV, "utility", points)) == as_sets(
        ssvc.read_table(json.dumps(UTILITY).encode(), "utility")
    )
    faults = {
        CSV.replace(b"2,yes,diffuse,efficient\n", b""): "3 rows; its inputs have 4",
        CSV.replace(b"2,yes,diffuse", b"2,no,diffuse"): "row 3.*earlier row",
        CSV.replace(b"2,yes", b"2,perhaps"): "row 3.*no value of Automatable",
        CSV.replace(b"2,yes,", b"2,"): "row 3.*3 cells of 4",
        CSV.replace(b"Density v1.0.0", b"Density v9.0.0"): "no known decision point",
        CSV.replace(b"row,", b"id,"): "expected row",
        b"": "expected row",
        b"\xff": "no CSV",
        b'row,"': "no CSV",
        b"row,a,b\n" * (ssvc.ROWS_MAX + 1): "more than",
        b" " * (ssvc.BYTES_MAX + 1): "longer than",
    }
    for data, problem in faults.items():
        with pytest.raises(Invalid, match=problem):
            ssvc.read_csv(data, "utility", points)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schemaVersion": "3.0.0"}, "schemaVersion: is 3.0.0; 2.0.0 is read"),
        ({"schemaVersion": None}, "schemaVersion: is none"),
        ({"outcome": "ssvc:X:1.0.0"}, "none of its decision points"),
        ({"name": ""}, "name: give a text"),
        ({"mapping": []}, "0 rows"),
        ({"mapping": UTILITY["mapping"] + UTILITY["mapping"][:1]}, "row 5: its combination"),
        ({"mapping": [{}]}, "row 1: names other points"),
        ({"mapping": [{}] * (ssvc.ROWS_MAX + 1)}, "more than"),
        (
            {"decision_points": {"ssvc:Z:1.0.0": UTILITY["decision_points"]["ssvc:A:2.0.0"]}},
            "calls itself",
        ),
    ],
)
def test_json_that_is_no_whole_table_is_refused(change: dict[str, object], problem: str) -> None:
    """Nothing is filled in."""
    with pytest.raises(Invalid, match=problem):
        ssvc.read_table(json.dumps({**UTILITY, **change}).encode(), "table")


def test_a_point_is_read_strictly() -> None:
    """Its values are bounded, each with key and name."""
    point = UTILITY["decision_points"]["ssvc:A:2.0.0"]
    assert ssvc.read_point(json.dumps(point).encode(), "point").id == "ssvc:A:2.0.0"
    for values, problem in (
        ([{"key": str(n), "name": "n"} for n in range(101)], "values: more than 100"),
        ([{"key": "Y"}], "name: give a text"),
        ([], "needs values"),
    ):
        with pytest.raises(Invalid, match=problem):
            ssvc.read_point(json.dumps({**point, "values": values}).encode(), "point")
