"""Asset lists as people keep them: any headings, title rows, encodings; and as attackers send them."""

import pytest

from leadline.core.errors import Invalid
from leadline.formats import assets_csv


@pytest.mark.parametrize(
    "heading",
    [
        "line,maker,model,version,site,comment",
        "No.,Manufacturer,Model / Type,Firmware,Location,Remarks",
        "ID,Vendor,Equipment,FW/SW version,Facility,Notes",
        "Pos,Hersteller / Brand,Type designation,Software level,Building,Comment",
        "#,Device manufacturer,Device type,Firmware level,Where installed,Comments",
        "Nr,Fabricant,Mod\u00e8le,Micrologiciel,Emplacement,Bemerkung",
        "Asset no.,Make,Product name,Installed software version,Ward,Remark (free)",
        "x,OEM name,Catalog part,SW release,Plant area,Info",
        "lfd. Nr.,Lieferant,Ger\u00e4tebezeichnung,Softwarestand,Raum,Anmerkung",
    ],
)
def test_headings_are_recognised_by_their_telling_words(heading: str) -> None:
    """Maker, model, version, site and comment, in any wording; numbering columns are none of them."""
    (held,) = assets_csv.parse(f"{heading}\n7,Acme,RTU-210,4.60,North,old\n".encode()).components
    assert (held.maker, held.name, held.version) == ("Acme", "RTU-210", "4.60")
    assert (held.site, held.comment, held.kind) == ("North", "old", "device")


def test_rows_above_the_headings_are_passed_over() -> None:
    """A title, a date, blank lines; the asset's number stays that of its line in the file."""
    data = b"Asset list 2026;;;\nStand: 3.11.;;;\n;;;\nHersteller;Modell;Firmware;Ort\nAcme;X1;2;Keller\n"
    (held,) = assets_csv.parse(data).components
    assert (held.ref, held.maker, held.name, held.site) == ("5", "Acme", "X1", "Keller")


def test_a_heading_that_stands_twice_is_a_fault() -> None:
    """The first is read, and the fault says so."""
    held = assets_csv.parse(b"Maker,Model,Version,Version\nAcme,X1,1,2\n")
    assert held.components[0].version == "1"
    assert "stands twice" in held.faults[0].problem


def test_blank_headings_are_columns_without_meaning() -> None:
    """Their fields are left alone."""
    (held,) = assets_csv.parse(b"Maker,,Model,,Version\nAcme,a,X1,b,1\n,,,,\n").components
    assert (held.maker, held.name, held.version) == ("Acme", "X1", "1")


def test_blank_rows_anywhere_are_no_assets() -> None:
    """Also far below the headings; the lines keep their numbers."""
    data = b"Maker,Model\n" + b"Acme,X1\n" * 20 + b",\nAcme,X2\n"
    held = assets_csv.parse(data).components
    assert (len(held), held[-1].ref) == (21, "23")


def test_lines_of_two_encodings_stand_in_one_file() -> None:
    """Each line is read in its own; a byte of none is named with its line."""
    data = "Maker,Model\nS\u00e9cheron,A\n".encode() + "Z\u00fcrich,B\n".encode("cp1252")
    assert [held.maker for held in assets_csv.parse(data).components] == [
        "S\u00e9cheron",
        "Z\u00fcrich",
    ]
    with pytest.raises(Invalid, match=r"line 3.*UTF-8"):
        assets_csv.parse(b"Maker,Model\nA,B\n\x81,\x8d\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_wide_characters_with_and_without_their_mark(encoding: str) -> None:
    """As spreadsheets export them."""
    text = "Maker;Model\n" + "Acme;X1\n" * 40
    assert len(assets_csv.parse(text.encode(encoding)).components) == 40


def test_a_million_columns_are_refused() -> None:
    """In the headings with the line; in a row as a fault, the row being kept."""
    with pytest.raises(Invalid, match=r"line 1.*more than 1000 columns"):
        assets_csv.parse(b"Maker,Model" + b",x" * 1_000_000)
    held = assets_csv.parse(b"Maker,Model\nAcme,X1" + b",x" * 1_000_000)
    assert held.components[0].name == "X1"
    assert "surplus" in held.faults[0].problem


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line from which on the table would have to be divided."""
    monkeypatch.setattr(assets_csv, "LINES_MAX", 2)
    with pytest.raises(Invalid, match=r"line 4.*divide the table"):
        assets_csv.parse(b"Maker,Model\na,1\nb,2\nc,3\n")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"Maker,Model\n" + b"\n" * (2 * assets_csv.LINES_MAX), "lines; divide"),
        (b"Maker,Model\r" + b"\r" * (2 * assets_csv.LINES_MAX), "lines; divide"),
        (b"Maker,Model\n" + b",x" * assets_csv.LINE_MAX, "no line of a list"),
        (b"Maker,Model\n" + b"\xe9,b\n" * (assets_csv.LINES_MAX + 1), "divide the table"),
    ],
)
def test_a_table_made_to_be_too_much_is_refused(data: bytes, problem: str) -> None:
    """Before it costs time or memory."""
    with pytest.raises(Invalid, match=problem):
        assets_csv.parse(data)


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "@x", "-2+3"])
def test_a_formula_stays_text(cell: str) -> None:
    """Nothing of it is evaluated or cut off."""
    (held,) = assets_csv.parse(f'Maker,Model\nAcme,"{cell}"\n'.encode()).components
    assert held.name == cell


def test_a_zero_byte_never_ends_a_table() -> None:
    """It is a sign of the text as any other."""
    held = assets_csv.parse(b"Maker,Model\nAcme,X\x001\nB,Y\n")
    assert [component.name for component in held.components] == ["X\x001", "Y"]


def test_a_table_of_makers_and_products_is_one_of_devices() -> None:
    """A registry's column makes it one of packages."""
    (device,) = assets_csv.parse(b"Vendor,Product,Version\nAcme,Flowmaster,1\n").components
    assert device.kind == "device"
    (package,) = assets_csv.parse(
        b"Vendor,Product,Version,Registry\nAcme,ujson,1,PyPI\n"
    ).components
    assert package.kind == "software"
