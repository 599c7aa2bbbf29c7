"""Workbooks: cells as they show themselves, and nothing that costs more than a list is worth."""

import io
import zipfile
from typing import Any

import pytest

from leadline.app.match import read_inventory
from leadline.core.errors import Invalid
from leadline.formats import assets_csv, workbook
from leadline.formats.workbook import Doubtful, Workbook
from workbooks import Cell, packed, parts, sheet

HEAD: list[Cell] = ["Maker", "Model", "Firmware", "Site"]
CODES = [
    '"V"0.00',
    "0.00;[Red]-0.00",
    "000",
    "#,##0.00",
    "0%",
    "d/m/yyyy",
    "General",
    "h:mm",
    r"\v0.0\b",
    "0.0_)",
    "",
]


def held(rows: dict[int, list[Cell]], **how: Any) -> list[workbook.Row]:
    """The rows of a workbook of one sheet."""
    (found,) = Workbook(packed(parts({"List": sheet(rows)}, **how)), "list.xlsx").sheets()
    return list(found.rows)


@pytest.mark.parametrize(
    ("stored", "style", "shown", "doubtful"),
    [
        ("4.6", 1, "4.60", False),
        ("4.5999999999999996", 1, "4.60", False),
        ("4.6", 2, "V4.60", False),
        ("4.6", 3, "4.60", False),
        ("7", 4, "007", False),
        ("4.6", 5, "4.60", False),
        ("1234.5", 5, "1234.5", True),
        ("4.6", 10, "v4.6b", False),
        ("4.6", 11, "4.6", False),
        ("4.605", 1, "4.605", True),
        ("-4.6", 1, "-4.6", True),
        ("4.6", 0, "4.6", True),
        ("4.6", 8, "4.6", True),
        ("4.6", 12, "4.6", True),
        ("4.6", 99, "4.6", True),
        ("20230112001", 0, "20230112001", True),
        ("0.5", 6, "0.5", True),
        ("45047", 7, "2023-05-01", True),
        ("45047.5", 9, "2023-05-01 12:00:00", True),
        ("45047", 13, "2023-05-01", True),
        ("9999999", 7, "9999999", True),
        ("odd", 1, "odd", True),
        ("inf", 1, "inf", True),
        ("nan", 7, "nan", True),
    ],
)
def test_numbers_are_shown_by_their_format(
    stored: str,
    style: int,
    shown: str,
    doubtful: bool,  # noqa: FBT001 -- the expected value
) -> None:
    """Where the format does not fix the digits, or hides some, the text is doubtful."""
    styles = [0, 2, *range(164, 164 + len(CODES)), 14]
    ((number, (found,)),) = held({1: [(stored, "n", style)]}, formats=CODES, styles=styles)
    assert (number, found, isinstance(found, Doubtful)) == (1, shown, doubtful)


def test_days_may_be_counted_from_1904() -> None:
    """As old programs of one maker do."""
    for stored, shown in (("0", "1904-01-01"), ("2957003", "9999-12-31"), ("2957004", "2957004")):
        ((_, (found,)),) = held({1: [(stored, "n", 0)]}, styles=[14], since_1904=True)
        assert found == shown


def test_a_code_that_no_program_writes_fixes_no_digits() -> None:
    """Longer than any spreadsheet program takes; as long as that, it counts."""
    for code, shown in (('"V"0.00', "V4.60"), (f'"{"V" * 249}"0.00', f"{'V' * 249}4.60")):
        ((_, (found,)),) = held({1: [("4.6", "n", 0)]}, formats=[code], styles=[164])
        assert (found, isinstance(found, Doubtful)) == (shown, False)
    ((_, (found,)),) = held({1: [("4.6", "n", 0)]}, formats=[f'"{"V" * 250}"0.00'], styles=[164])
    assert (found, isinstance(found, Doubtful)) == ("4.6", True)


def test_texts_errors_and_stored_values() -> None:
    """Shared texts without their reading aloud, formulas by what is stored, errors as blanks."""
    texts = (
        "<x:si><x:r><x:t>Flow</x:t></x:r><x:r><x:t>Master\n300 </x:t></x:r>"
        "<x:rPh><x:t>read aloud</x:t></x:rPh></x:si><x:si><x:t/></x:si>"
    )
    row: list[Cell] = [
        ("0", "s", 0), ("1", "b", 0), ("0", "b", 0), ("#N/A", "e", 0), ("4.60", "str", 0),
        ("2023-05-01", "d", 0), ("1", "s", 0), ("", "n", 0), "end",
    ]  # fmt: skip
    ((_, found),) = held({3: row}, texts=texts)
    assert found == ["FlowMaster 300", "TRUE", "FALSE", "", "4.60", "2023-05-01", "", "", "end"]
    assert isinstance(found[5], Doubtful)
    with pytest.raises(Invalid, match="row 1 names a text"):
        held({1: [("7", "s", 0)]})


def test_cells_without_names_stand_one_after_the_other() -> None:
    """Rows as well; a text read aloud inside a cell is left out."""
    data = "<worksheet><row><c t='str'><v>a</v></c><c/><c t='inlineStr'><is><t>b</t><rPh><t>x</t></rPh></is></c></row><row/><row><c t='str'><v>c</v></c></row></worksheet>"
    for declared in ("", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-8"?>'):
        (found,) = Workbook(packed(parts({"List": declared + data})), "x").sheets()
        assert found.rows == ((1, ["a", "", "b"]), (3, ["c"]))


def test_what_is_merged_downwards_stands_in_every_row() -> None:
    """That has something else; sideways, as a title is, it stands once."""
    rows: dict[int, list[Cell]] = {1: ["Title"], 2: HEAD, 3: ["Acme", "PX-1"], 4: ["", "PX-2"], 6: ["", "PX-3"]}  # fmt: skip
    data = sheet(rows, merged=["A1:D1", "A3:A6", "B9:B10", "D3:D6", "nonsense"], hidden=[4])
    (found,) = Workbook(packed(parts({"List": data})), "x").sheets()
    assert [(number, row[0]) for number, row in found.rows] == [
        (1, "Title"), (2, "Maker"), (3, "Acme"), (4, "Acme"), (6, "Acme"),
    ]  # fmt: skip


def test_merges_of_one_column_follow_one_another() -> None:
    """The later one begins where it begins; one of a blank field shows nothing; all count as characters."""
    rows: dict[int, list[Cell]] = {1: ["a", "1"], 2: ["", "2"], 3: ["b", "3"], 4: ["", "4"], 6: ["", "6"]}  # fmt: skip
    data = sheet(rows, merged=["A1:A2", "A3:A9", "C1:C9"])
    (found,) = Workbook(packed(parts({"List": data})), "x").sheets()
    assert [row for _, row in found.rows] == [["a", "1"], ["a", "2"], ["b", "3"], ["b", "4"], ["b", "6"]]  # fmt: skip


def test_what_is_merged_counts_wherever_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """As characters, and as fields."""
    rows: dict[int, list[Cell]] = {1: ["x" * 20, "x"], **{n: ["", "x"] for n in range(2, 9)}}
    data = packed(parts({"List": sheet(rows, merged=["A1:A9"]), "More": sheet({1: ["x" * 60]})}))
    for most, problem in ((100, "'List': more than 100 char"), (200, "'More': more than 200 char")):
        monkeypatch.setattr(workbook, "TEXT_MAX", most)
        with pytest.raises(Invalid, match=problem):
            list(Workbook(data, "x").sheets())


def test_headings_are_looked_for_in_so_many_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sheets with more stand before the list, the first is read, and says what it lacks."""
    data = packed(parts({"Odd": sheet({1: ["one", "two"]}), "List": sheet({1: HEAD, 2: ["Acme", "PX"]})}))  # fmt: skip
    assert len(read_inventory(data, "list.xlsx", {}).components) == 1
    monkeypatch.setattr(assets_csv, "LOOKED_MAX", 5)
    with pytest.raises(Invalid, match="found one, two"):
        read_inventory(data, "list.xlsx", {})


def test_a_workbook_is_an_inventory() -> None:
    """Lines are numbered as the sheet numbers them, and a version that is a bare number is not believed."""
    rows: dict[int, list[Cell]] = {
        2: ["Devices of ward 3"],
        4: HEAD,
        5: ["Acme", "PX-300", "4.60", "Ward 3"],
        6: ["Acme", "PX-300", ("4.6", "n", 1), "Ward 3"],
        7: ["Acme", "PX-300", ("4.6", "n", 0)],
        9: ["Acme", ("5110", "n", 0)],
    }
    book = {"Read me": sheet({1: ["What this is"]}), "List": sheet(rows), "2024": sheet({})}
    data = packed(parts(book, styles=[0, 2]))
    found = read_inventory(data, "list.xlsx", {})
    assert [(one.ref, one.maker, one.name, one.version, one.site) for one in found.components] == [
        ("5", "Acme", "PX-300", "4.60", "Ward 3"),
        ("6", "Acme", "PX-300", "4.60", "Ward 3"),
        ("7", "Acme", "PX-300", "", ""),
        ("9", "Acme", "5110", "", ""),
    ]
    places = {one.place: one.problem for one in found.faults}
    assert "Read me, 2024" in places["sheet 'List'"]
    assert "'4.6' is a number" in places["line 7"]
    assert set(places) == {"sheet 'List'", "line 7"}
    assert (
        read_inventory(packed(parts({"List": book["List"]}, styles=[0, 2])), "x", {}).faults
        == found.faults[1:]
    )
    meant, titles = assets_csv.titles(data, "list.xlsx")
    assert (meant["maker"], titles) == ("Maker", tuple(HEAD))
    with pytest.raises(Invalid, match="put a row"):
        assets_csv.headed(data, "list.xlsx")


def test_a_sheet_without_headings_is_the_first_with_rows() -> None:
    """Which then says what it holds; an empty workbook says that."""
    data = packed(
        parts({"Empty": sheet({}), "Odd": sheet({1: ["one", "two"]}), "More": sheet({1: ["x"]})})
    )
    with pytest.raises(Invalid, match="no heading means a product or a model; found one, two"):
        read_inventory(data, "list.xlsx", {})
    with pytest.raises(Invalid, match="the workbook is empty"):
        read_inventory(packed(parts({"Empty": sheet({})})), "list.xlsx", {})


def changed(path: str, data: str | bytes | None, **how: Any) -> bytes:
    """A workbook with one part that is other than usual, or missing."""
    found: dict[str, str | bytes] = dict(parts({"List": sheet({1: HEAD})}, **how))
    found |= {path: data} if data is not None else {}
    if data is None:
        del found[path]
    return packed(found)


SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (changed(SHEET, None), "is missing"),
        (changed(BOOK, None), "no workbook in the form .xlsx"),
        (packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "no workbook"),
        (changed(SHEET, "<worksheet><row>"), "is no XML"),
        (changed(SHEET, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "document type"),
        (changed(BOOK, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "document type"),
        (changed(SHEET, '<a><row r="0"/></a>'), "a row numbered '0'"),
        (changed(SHEET, '<a><row r="1048577"/></a>'), "a row numbered"),
        (changed(SHEET, '<a><row r="x"/></a>'), "a row numbered 'x'"),
        (changed(SHEET, '<a><row><c r="ZZZ1" t="str"><v>x</v></c></row></a>'), "1000 columns"),
        (changed(SHEET, '<?xml version="1.0" encoding="big5"?><a/>'), "in the encoding big5"),
        (changed(SHEET, '<?xml version="1.0" encoding="none-such"?><a/>'), "in the encoding none"),
        (changed(SHEET, f"<a><row><c t='str'><v>{'x' * 32_768}</v></c></row></a>"), "32767 characters"),
        (changed("xl/sharedStrings.xml", f"<a><si><t>{'x' * 32_768}</t></si></a>"), "32767 characters"),
        (changed("xl/styles.xml", "<a>" + "".join(f"<numFmt numFmtId='{n}'/>" for n in range(5_001)) + "</a>"), "5000 formats"),
        (changed("_rels/.rels", "<a>" + "".join(f"<Relationship Id='{n}'/>" for n in range(10_001)) + "</a>"), "names more than 10000 parts"),
        (changed(SHEET, b"\0" * (49 << 20)), "inflates to more than"),
        (changed(SHEET, "<a>" + "<c/>" * 1_200_001 + "</a>"), "tags"),
        (changed(SHEET, "<a " + "".join(f"b{n}='>' " for n in range(200_000)) + "/>"), "a tag longer"),
        (packed({"a" * 100 + str(n): "" for n in range(6_000)}), "parts"),
        (packed(parts({"List": sheet({1: HEAD})}))[:-30], "breaks off"),
        (b"PK\3\4" + b"PK\5\6" + bytes(18), "no workbook"),
        (changed(SHEET, "").replace(b"PK\1\2", b"PK\1\3"), "damaged archive"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_or_too_large_is_refused(data: bytes, problem: str) -> None:
    """With what would be right."""
    with pytest.raises(Invalid, match=problem):
        read_inventory(data, "list.xlsx", {})


def test_parts_that_are_packed_oddly_or_damaged_are_refused() -> None:
    """Encrypted, in another compression, or with another checksum."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in parts({"List": sheet({1: HEAD})}).items():
            kind = zipfile.ZIP_BZIP2 if path == SHEET else zipfile.ZIP_STORED
            archive.writestr(path, data, kind)
    with pytest.raises(Invalid, match="packed in an unusual way"):
        read_inventory(out.getvalue(), "x", {})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path, data in parts({"List": sheet({1: HEAD})}).items():
            archive.writestr(path, data)
    with pytest.raises(Invalid, match="is damaged"):
        read_inventory(out.getvalue().replace(b"<t>Maker", b"<t>Moker"), "x", {})


def test_texts_and_fields_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that many cells share counts wherever it stands, and so do blank fields before one."""
    monkeypatch.setattr(workbook, "TEXT_MAX", 100)
    with pytest.raises(Invalid, match="characters"):
        held({1: ["x" * 60, "y" * 60]})
    monkeypatch.setattr(workbook, "GRID_MAX", 5)
    with pytest.raises(Invalid, match="fields"):
        held({1: ["", "", "x"], 2: ["", "", "x"]})


def test_a_sheet_that_names_no_part_is_left_out() -> None:
    """Such as a chart; parts beside the workbook are never fetched."""
    rels = '<Relationships><Relationship Id="rId1" TargetMode="External" Target="http://x.example"/></Relationships>'
    assert Workbook(changed("xl/_rels/workbook.xml.rels", rels), "x").names == ()
    assert Workbook(changed("xl/_rels/workbook.xml.rels", None), "x").names == ()
    with pytest.raises(Invalid, match="longer than"):
        Workbook(b"PK\3\4" + bytes(workbook.WORKBOOK_BYTES_MAX), "x")
