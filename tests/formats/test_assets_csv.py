"""Inventories kept as tables."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.product import package
from leadline.core.errors import Invalid
from leadline.formats import assets_csv


@pytest.mark.parametrize(
    "heading",
    [
        "Manufacturer,Model,Firmware,Location",
        "Vendor,Equipment,FW/SW version,Facility",
        "Maker;Device;Firmware version;Site",
        "Hersteller\tModell\tFirmware-Stand\tStandort",
        "BRAND | Model / Type | Rev. | Place",
        '"Make","Part Number","SW version","Building"',
        "Model,Vendor Name,Fw_Version,Where",
    ],
)
def test_devices_are_recognised_by_what_headings_mean(heading: str) -> None:
    """Any usual spelling, separator, order and case."""
    separator = max(",;\t|", key=heading.count)
    cells = ["Acme", "RTU-210", "4.60", "North"]
    if heading.startswith("Model"):
        cells[:2] = ["RTU-210", "Acme"]
    data = f"{heading}\n{separator.join(cells)}\n".encode()
    (held,) = assets_csv.parse(data).components
    assert (held.maker, held.name, held.version, held.site) == ("Acme", "RTU-210", "4.60", "North")
    assert (held.kind, held.package, held.ref) == ("device", None, "2")


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Software,Version,Ecosystem", "PyPI"),
        ("Package name;Installed version;Package manager", "pip"),
        ("Name\tRelease\tRegistry", "Python package"),
        ("Application,Ver.,Type", "python"),
    ],
)
def test_software_is_recognised_with_its_ecosystem(heading: str, kind: str) -> None:
    """The registry's name in usual wording gives a package identity."""
    separator = max(",;\t", key=heading.count)
    data = f"{heading}\n{separator.join(['PyYAML', '5.3.1', kind])}\n".encode()
    (held,) = assets_csv.parse(data).components
    assert held.package == package("pypi", "", "pyyaml")
    assert (held.kind, held.version) == ("software", "5.3.1")


def test_a_purl_wins_and_a_bad_one_is_a_fault() -> None:
    """The line stays, without identity, and the fault names it."""
    data = b"name,purl,version\nx,pkg:npm/%40a/y@1.0.0,9\nz,nope,1\n,pkg:pypi/w,2\n"
    held = assets_csv.parse(data)
    first, second, third = held.components
    assert (first.package, first.version) == (package("npm", "@a", "y"), "1.0.0")
    assert (second.package, second.name, second.version) == (None, "z", "1")
    assert (third.name, third.version) == ("w", "2")
    assert [fault.place for fault in held.faults] == ["line 3"]


def test_scoped_names_and_unknown_registries() -> None:
    """An npm scope is the namespace; an unknown registry gives no identity; nor does an empty name."""
    data = b"package,version,registry\n@a/y,1.0.0,npm\nx,1,Acme store\n,1,PyPI\ny,2,\n"
    held = [component.package for component in assets_csv.parse(data).components]
    assert held == [package("npm", "@a", "y"), None, None, None]


def test_quoted_line_breaks_keep_line_numbers() -> None:
    """An asset's id is the line on which its record begins; blank lines count and are no assets."""
    data = b'\xef\xbb\xbfSoftware;Version;Notes\r\nujson;5.1.0;"two\r\nlines"\r\n\r\n;;\r\nx;1;\r\n'
    held = assets_csv.parse(data)
    assert [(c.ref, c.name) for c in held.components] == [("2", "ujson"), ("6", "x")]
    assert held.components[0].comment == "two\r\nlines"


@pytest.mark.parametrize("formula", ['=HYPERLINK("http://x")', "+1+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_formula_stays_text(formula: str) -> None:
    """Nothing is evaluated, and nothing is cut off."""
    sink = io.StringIO()
    csv.writer(sink).writerows([["name", "version"], [formula, "1"]])
    (held,) = assets_csv.parse(sink.getvalue().encode()).components
    assert held.name == formula.strip()


@pytest.mark.parametrize("version", ["", "n/a", "N/A", "-", "unknown", "?"])
def test_words_for_no_version_are_no_version(version: str) -> None:
    """They are never compared with anything."""
    (held,) = assets_csv.parse(f"name,version\nx,{version}\n".encode()).components
    assert held.version == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_usual_encodings(encoding: str) -> None:
    """As spreadsheets save them."""
    (held,) = assets_csv.parse("Gerät;Hersteller\nMüller;Zürich\n".encode(encoding)).components
    assert (held.name, held.maker) == ("Müller", "Zürich")


def test_a_map_names_unusual_headings() -> None:
    """It overrides what the spelling would mean."""
    data = b"Ding,Stand,Name\nRTU,4,Pump room\n"
    (held,) = assets_csv.parse(data, headings={"model": "ding", "version": "Stand"}).components
    assert (held.name, held.version, held.kind) == ("RTU", "4", "device")


@pytest.mark.parametrize(
    ("data", "headings", "problem"),
    [
        (b"", {}, "empty"),
        (b"\n\n", {}, "empty"),
        (b"foo,bar\n1,2\n", {}, "found foo, bar"),
        (b"name\nx\n", {"colour": "name"}, "no meaning"),
        (b"name\nx\n", {"model": "Ding"}, "no heading 'Ding'"),
        (b'name\n"' + b"x" * 200_000 + b'"\n', {}, "field"),
        (b"\xff\xfe\x00", {}, "UTF-8"),
        (b"\x81\x8d", {}, "UTF-8"),
        (b"x" * ((64 << 20) + 1), {}, "longer"),
    ],
)
def test_what_is_no_inventory_is_refused(
    data: bytes, headings: dict[str, str], problem: str
) -> None:
    """The error says what was found and what helps."""
    with pytest.raises(Invalid, match=problem):
        assets_csv.parse(data, headings=headings)


def test_blank_lines_before_the_headings_count_as_lines() -> None:
    """The asset's number is the one an editor shows."""
    (held,) = assets_csv.parse(b"\n\nname,version\nx,1\n").components
    assert held.ref == "4"


def test_odd_rows_are_kept() -> None:
    """A short row lacks fields, a long one has a fault; neither stops the reader."""
    held = assets_csv.parse(b"name,version\nx\ny,1,2,3\n")
    assert [(c.name, c.version) for c in held.components] == [("x", ""), ("y", "1")]
    assert held.faults[0].place == "line 3"


cell = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=12)


@unhurried
@given(rows=st.lists(st.tuples(cell, cell), max_size=8), separator=st.sampled_from(",;\t"))
def test_every_row_with_content_is_an_asset(rows: list[tuple[str, str]], separator: str) -> None:
    """Whatever the cells hold, no asset is lost and none is made up."""
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=separator)
    writer.writerows([("Software", "Version"), *rows])
    held = assets_csv.parse(sink.getvalue().encode())
    assert len(held.components) == sum(bool(a.strip() or b.strip()) for a, b in rows)


@pytest.mark.parametrize(("name", "count"), [("a", 67), ("b", 67), ("c", 66)])
def test_published_lists_are_read_whole(vectors: Path, name: str, count: int) -> None:
    """Three spellings of the headings; every line has a maker or a model, and a site."""
    data = (vectors / "csaf_ot" / f"assets_{name}.csv").read_bytes()
    held = assets_csv.parse(data)
    assert (len(held.components), held.faults) == (count, ())
    assert all(c.kind == "device" and c.maker and c.name and c.site for c in held.components)
    assert [c.ref for c in held.components] == [str(line) for line in range(2, count + 2)]
