"""Workbooks made for tests, part by part, as a spreadsheet program writes them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
Cell = str | tuple[str, str, int]  # a text, or what is stored, its kind, and its style


def place(row: int, column: int) -> str:
    """The name of a cell, such as B3; both count from 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def sheet(rows: Mapping[int, Sequence[Cell]], *, merged: Sequence[str] = (), hidden: Sequence[int] = ()) -> str:  # fmt: skip
    """One sheet; texts stand in their cells."""
    told = []
    for number, cells in rows.items():
        made = "".join(_cell(place(number, at), one) for at, one in enumerate(cells, 1) if one)
        mark = ' hidden="1"' if number in hidden else ""
        told.append(f'<row r="{number}"{mark}>{made}</row>')
    joined = "".join(f'<mergeCell ref="{one}"/>' for one in merged)
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(told)}</sheetData><mergeCells>{joined}</mergeCells></worksheet>'


def _cell(name: str, cell: Cell) -> str:
    if isinstance(cell, str):
        return f'<c r="{name}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    stored, kind, style = cell
    return f'<c r="{name}" t="{kind}" s="{style}"><f>1+1</f><v>{escape(stored)}</v></c>'


def parts(
    sheets: Mapping[str, str],
    *,
    formats: Sequence[str] = (),
    styles: Sequence[int] = (0,),
    texts: str = "",
    since_1904: bool = False,
) -> dict[str, str]:
    """The parts of a workbook by path. *formats* are numbered from 164."""
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(sheets, 1)
    )
    related = [(f"rId{number}", "worksheet", f"worksheets/sheet{number}.xml") for number in range(1, len(sheets) + 1)]  # fmt: skip
    related += [("s", "styles", "styles.xml"), ("t", "sharedStrings", "/xl/sharedStrings.xml")]
    codes = "".join(
        f'<numFmt numFmtId="{number}" formatCode={quoteattr(code)}/>'
        for number, code in enumerate(formats, 164)
    )
    cells = "".join(f'<xf numFmtId="{one}"/>' for one in styles)
    found = {
        "_rels/.rels": _rels([("rId1", "officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr date1904="{int(since_1904)}"/><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _rels(related),
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts>{codes}</numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs>{cells}</cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'<x:sst xmlns:x="{_MAIN}">{texts}</x:sst>',
    }
    return found | {
        f"xl/worksheets/sheet{number}.xml": data for number, data in enumerate(sheets.values(), 1)
    }


def _rels(related: Sequence[tuple[str, str, str]]) -> str:
    told = "".join(
        f'<Relationship Id="{ident}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for ident, kind, target in related
    )
    return f'<Relationships xmlns="{_PACKAGE}">{told}</Relationships>'


def packed(found: Mapping[str, str | bytes]) -> bytes:
    """The workbook as a file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in found.items():
            archive.writestr(path, data)
    return out.getvalue()
