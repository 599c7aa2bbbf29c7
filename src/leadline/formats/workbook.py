"""Workbooks of spreadsheet programs (.xlsx): the rows of their sheets, each cell as it shows itself.

Formulas count by the value stored beside them; hidden rows and sheets are read; of cells that are merged
downwards each row has the value. A number is shown by its format, so 4.6 under ``0.00`` is ``4.60``. Where the
format does not fix the digits, nobody can tell whether 4.6 was typed as 4.60: such text is `Doubtful`. Dates are
shown as ISO 8601, and are doubtful as well; an error is blank.

Nothing is unpacked to a disk. Parts are inflated up to a limit and their markup is counted before it is
parsed; a document type, and so every entity, is refused.
Source: ECMA-376-1:2016 (SpreadsheetML), 18.3 (worksheets), 18.4 (shared strings), 18.8.30 (number formats),
18.17.4.1 (dates); ECMA-376-2 (packages).
"""

import io
import posixpath
import re
import struct
import zipfile
import zlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.parsers import expat

from leadline.core.errors import Invalid

FORMAT = "workbook"
WORKBOOK_BYTES_MAX = 64 << 20
INFLATED_BYTES_MAX = 48 << 20  # of all parts that are read
MARKUP_MAX = 1_200_000  # tags of them
TAG_BYTES_MAX = 1 << 20
GRID_MAX = 4_000_000  # fields of one sheet, blank ones before others included
TEXT_MAX = 32 << 20  # characters of one sheet, a shared text counted wherever it stands
COLUMNS_MAX = 1_000
ROWS_MAX = 1_048_576
PARTS_MAX = 5_000
SHEETS_MAX = 250
_CURE = "save the sheet as CSV; on a page, copying its cells and pasting them does as well"
_SIGN, _END, _END_64 = b"PK\3\4", b"PK\5\6", b"PK\6\7"
_ENDING = struct.Struct("<4s4H2LH")
_PIECE_BYTES = 1 << 18
_CENTRAL_BYTES_MAX = 1 << 20
_ENCRYPTED = 0x1 | 0x40
_LOCATOR_BYTES = 20  # of zip64, before the end
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_MERGED = re.compile(r"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})")
_BUILT_IN: Mapping[int, str] = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00",
    **dict.fromkeys((*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)), "yyyy-mm-dd"),
}  # fmt: skip
_PADDING = re.compile(r"\[[^\]]*\]|[_*].")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
_NUMBER = re.compile(r'((?:"[^"]*"|\\.|[ vV])*)([#,]*)(0+)(?:\.(0+))?((?:"[^"]*"|\\.|[ ])*)')
_DATE = re.compile(r"[dmyhs]", re.IGNORECASE)
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 -- a cell's date has no zone
_DAYS_MAX = 2_958_466  # the year 9999
_GROUPED = 1_000  # from here on a format with groups writes a sign between them

Row = tuple[int, list[str]]
Attributes = Mapping[str, str]


class Doubtful(str):
    """A cell's text of which it is not sure that it has all the digits that somebody typed."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, and its rows that have something in them with their numbers, from 1."""

    name: str
    rows: tuple[Row, ...]


def recognises(data: bytes) -> bool:
    """Whether *data* begins as an archive, which every newer workbook is."""
    return data.startswith(_SIGN)


class Workbook:
    """A workbook, whose sheets are read one by one."""

    def __init__(self, data: bytes, name: str) -> None:
        """Raises: Invalid, if it is none, is encrypted, or its list of parts is longer than anybody needs."""
        self._name = name
        self._bytes = self._tags = 0
        self._archive = _open(data, name)
        main = next(_targets(self._related(""), "officeDocument"), "")
        part = self._optional(main)
        if not part:
            raise Invalid(name, f"is an archive and no workbook in the form .xlsx; {_CURE}")
        related = self._related(main)
        held = _Main()
        self._parse(part, main, held.start)
        self._parts = [
            (sheet, related[ident][1]) for sheet, ident in held.sheets if ident in related
        ]
        texts, formats = _Texts(), _Formats()
        for kind, reader in (("sharedStrings", texts), ("styles", formats)):
            for target in _targets(related, kind):
                part = self._part(target)
                self._parse(part, target, reader.start, reader.end, reader.text)
        self._texts = texts.found
        self._shown = formats.shown(_EPOCH_1904 if held.since_1904 else _EPOCH)

    @property
    def names(self) -> tuple[str, ...]:
        """What the sheets are called, in their order."""
        return tuple(sheet for sheet, _ in self._parts)

    def sheets(self) -> Iterator[Sheet]:
        """The sheets, each read when it is asked for.

        Raises: Invalid, for a part that is damaged or larger than a list needs.
        """
        for sheet, target in self._parts:
            place = f"{self._name} sheet {sheet!r}"
            grid = _Grid(self._texts, self._shown, place)
            self._parse(self._part(target), target, grid.start, grid.end, grid.text)
            yield Sheet(sheet, grid.rows())

    def _related(self, part: str) -> Mapping[str, tuple[str, str]]:
        """The parts that *part* names, by its ids for them: kind, and path."""
        folder, _, file = part.rpartition("/")
        path = posixpath.join(folder, "_rels", f"{file}.rels")
        data = self._optional(path)
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, held: Attributes) -> None:
            if tag == "Relationship" and held.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, held.get("Target", "")))
                kind = held.get("Type", "").rpartition("/")[2]
                found[held.get("Id", "")] = kind, target.lstrip("/")

        if data:
            self._parse(data, path, start)
        return found

    def _optional(self, path: str) -> bytes:
        return self._part(path) if path in self._archive.NameToInfo else b""

    def _part(self, path: str) -> bytes:
        """One part, inflated no further than to the limit."""
        place = f"{self._name} part {path[:80]!r}"
        held = self._archive.NameToInfo.get(path)
        if held is None:
            raise Invalid(place, f"is missing; {_CURE}")
        if held.flag_bits & _ENCRYPTED or held.compress_type not in {0, zipfile.ZIP_DEFLATED}:
            raise Invalid(place, f"is encrypted or packed in an unusual way; {_CURE}")
        try:
            with self._archive.open(held) as file:
                data = file.read(INFLATED_BYTES_MAX + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            raise Invalid(place, f"is damaged: {error}") from None
        self._bytes += len(data)
        self._tags += data.count(b"<")
        if self._bytes > INFLATED_BYTES_MAX:
            raise Invalid(place, f"inflates to more than {INFLATED_BYTES_MAX} bytes; {_CURE}")
        if self._tags > MARKUP_MAX:
            raise Invalid(place, f"has more than {MARKUP_MAX} tags; divide the list, or {_CURE}")
        return data

    def _parse(
        self,
        data: bytes,
        path: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Tell what stands in a part of XML, tags without their prefixes."""
        place = f"{self._name} part {path[:80]!r}"

        def refuse(*_: object) -> None:
            raise Invalid(place, "has a document type, which no workbook needs")

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = refuse
        parser.StartElementHandler = lambda tag, held: start(tag.rpartition(":")[2], held)
        if end is not None and text is not None:
            parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
            parser.CharacterDataHandler = text
        try:
            for at in range(0, len(data), _PIECE_BYTES):
                parser.Parse(data[at : at + _PIECE_BYTES])
                if at - parser.CurrentByteIndex > TAG_BYTES_MAX:
                    raise Invalid(place, f"has a tag longer than {TAG_BYTES_MAX} bytes; {_CURE}")
            parser.Parse(b"", True)  # noqa: FBT003 -- expat's own argument: these were all the bytes
        except expat.ExpatError as error:
            raise Invalid(place, f"is no XML: {error}") from None


def _open(data: bytes, name: str) -> zipfile.ZipFile:
    """The archive, if the list of its parts is short enough to be read at all."""
    if len(data) > WORKBOOK_BYTES_MAX:
        raise Invalid(name, f"longer than {WORKBOOK_BYTES_MAX} bytes")
    at = data.rfind(_END)
    if at < 0 or len(data) - at < _ENDING.size:
        raise Invalid(name, f"is an archive that breaks off, no whole workbook; {_CURE}")
    _, _, _, _, parts, size, _, _ = _ENDING.unpack_from(data, at)
    if (
        parts > PARTS_MAX
        or size > _CENTRAL_BYTES_MAX
        or _END_64 in data[max(at - _LOCATOR_BYTES, 0) : at]
    ):
        raise Invalid(name, f"has more than {PARTS_MAX} parts; {_CURE}")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise Invalid(name, f"is a damaged archive: {error}") from None


def _targets(related: Mapping[str, tuple[str, str]], kind: str) -> Iterator[str]:
    return (target for found, target in related.values() if found == kind)


class _Main:
    """The part that lists the sheets, and says from when days are counted."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.since_1904 = False

    def start(self, tag: str, held: Attributes) -> None:
        if tag == "sheet" and len(self.sheets) < SHEETS_MAX:
            ident = next((held[key] for key in held if key.rpartition(":")[2] == "id"), "")
            self.sheets.append((held.get("name", ""), ident))
        elif tag == "workbookPr":
            self.since_1904 = held.get("date1904", "") in {"1", "true", "on"}


class _Texts:
    """The texts that cells share. How they are read aloud (``rPh``) is no part of them."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._held: list[str] = []
        self._inside = self._aloud = False

    def start(self, tag: str, _: Attributes) -> None:
        if tag == "si":
            self._held = []
        elif tag == "rPh":
            self._aloud = True
        self._inside = tag == "t" and not self._aloud

    def end(self, tag: str) -> None:
        self._inside = False
        if tag == "si":
            self.found.append(_tidy("".join(self._held)))
        elif tag == "rPh":
            self._aloud = False

    def text(self, piece: str) -> None:
        if self._inside:
            self._held.append(piece)


class _Formats:
    """How each style shows a number."""

    def __init__(self) -> None:
        self._codes: dict[int, str] = dict(_BUILT_IN)
        self._styles: list[int] = []
        self._of_cells = False

    def start(self, tag: str, held: Attributes) -> None:
        if tag == "numFmt":
            self._codes[_whole(held.get("numFmtId", ""))] = held.get("formatCode", "")
        elif tag == "cellXfs":
            self._of_cells = True
        elif tag == "xf" and self._of_cells:
            self._styles.append(_whole(held.get("numFmtId", "0")))

    def end(self, tag: str) -> None:
        self._of_cells = self._of_cells and tag != "cellXfs"

    def text(self, piece: str) -> None:
        """Styles hold no text that counts."""

    def shown(self, epoch: datetime) -> "_Shown":
        return _Shown([self._codes.get(one, "") for one in self._styles], epoch)


class _Shown:
    """What numbers look like, by the numbers of the styles."""

    def __init__(self, codes: Sequence[str], epoch: datetime) -> None:
        self._codes, self._epoch = codes, epoch

    def number(self, stored: str, style: int) -> str:
        """*stored* under a style; `Doubtful` where the digits are not those that the style fixes."""
        try:
            value = float(stored)
        except ValueError:
            return Doubtful(_tidy(stored))
        plain = f"{value:.0f}" if value.is_integer() else f"{value:.15g}"
        code = self._codes[style] if 0 <= style < len(self._codes) else ""
        code = _PADDING.sub("", code.split(";")[0])
        fixed = _NUMBER.fullmatch(code)
        if fixed:
            before, grouped, whole, places, after = fixed.groups()
            digits = f"{value:.{len(places or '')}f}"
            kept = float(digits) == float(plain) and value >= 0
            if kept and not (grouped and value >= _GROUPED):
                padded = digits.zfill(len(whole) + len(digits) - len(digits.partition(".")[0]))
                return f"{_LITERAL.sub(_spelled, before)}{padded}{_LITERAL.sub(_spelled, after)}".strip()
        if (
            _DATE.search(_LITERAL.sub("", code))
            and code.lower() != "general"
            and 0 <= value < _DAYS_MAX
        ):
            moment = self._epoch + timedelta(days=value)
            return Doubtful(
                moment.date() if value.is_integer() else moment.isoformat(" ", "seconds")
            )
        return Doubtful(plain)


def _spelled(literal: re.Match[str]) -> str:
    return literal[1] or literal[2] or ""


def _tidy(text: str) -> str:
    """On one line: a row of a sheet is one line of a list."""
    return " ".join(text.split())


def _whole(text: str) -> int:
    """A number of a style or row; -1 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < len("10000000") else -1


def _column(letters: str) -> int:
    """From 0 for A."""
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - ord("A") + 1
    return found - 1


class _Grid:
    """One sheet as it is told: cells by row and column, and what is merged."""

    def __init__(self, texts: Sequence[str], shown: _Shown, place: str) -> None:
        self._texts, self._shown, self._at = texts, shown, place
        self._cells: dict[int, dict[int, str]] = defaultdict(dict)
        self._merged: list[tuple[int, int, int]] = []  # column, first row, last row
        self._row = self._column = 0
        self._kind, self._style = "", -1
        self._stored: list[str] = []
        self._inside = self._aloud = False
        self._characters = 0

    def start(self, tag: str, held: Attributes) -> None:
        if tag == "c":
            self._begin(held)
        elif tag in {"v", "t"}:
            self._inside = not self._aloud
        elif tag == "row":
            self._row = _whole(held["r"]) if "r" in held else self._row + 1
            self._column = 0
            if not 0 < self._row <= ROWS_MAX:
                raise Invalid(self._at, f"has a row numbered {held.get('r', '')[:20]!r}")
        elif tag == "rPh":
            self._aloud = True
        elif tag == "mergeCell":
            self._merge(held.get("ref", ""))

    def _begin(self, held: Attributes) -> None:
        place = _PLACE.fullmatch(held.get("r", ""))
        if place is not None:
            self._column = _column(place[1])
        self._kind, self._style = held.get("t", "n"), _whole(held.get("s", "0"))
        self._stored = []

    def end(self, tag: str) -> None:
        if tag == "c":
            value = self._value("".join(self._stored))
            if value:
                self._keep(value)
            self._column += 1
        elif tag in {"v", "t"}:
            self._inside = False
        elif tag == "rPh":
            self._aloud = False

    def text(self, piece: str) -> None:
        if self._inside:
            self._stored.append(piece)

    def _value(self, stored: str) -> str:
        if not stored or self._kind == "e":
            return ""
        if self._kind == "s":
            place = _whole(stored.strip())
            if not 0 <= place < len(self._texts):
                raise Invalid(self._at, f"row {self._row} names a text that the workbook has not")
            return self._texts[place]
        if self._kind == "b":
            return "TRUE" if stored.strip() == "1" else "FALSE"
        if self._kind == "n":
            return self._shown.number(stored, self._style)
        return Doubtful(stored) if self._kind == "d" else _tidy(stored)

    def _keep(self, value: str) -> None:
        if self._column >= COLUMNS_MAX:
            raise Invalid(self._at, f"more than {COLUMNS_MAX} columns; leave the others out")
        self._characters += len(value)
        if self._characters > TEXT_MAX:
            raise Invalid(self._at, f"more than {TEXT_MAX} characters; divide the list")
        self._cells[self._row][self._column] = value

    def _merge(self, ref: str) -> None:
        hit = _MERGED.fullmatch(ref)
        if hit is not None and int(hit[2]) < int(hit[4]):
            self._merged.append((_column(hit[1]), int(hit[2]), int(hit[4])))

    def rows(self) -> tuple[Row, ...]:
        """The rows with something in them, each as wide as its last field that has something.

        Raises: Invalid, if they would be more fields than a list needs.
        """
        numbers = sorted(self._cells)
        self._fill(numbers)
        if sum(max(self._cells[number]) + 1 for number in numbers) > GRID_MAX:
            raise Invalid(self._at, f"more than {GRID_MAX} fields; leave blank columns out")
        return tuple((number, _listed(self._cells[number])) for number in numbers)

    def _fill(self, numbers: Sequence[int]) -> None:
        """What is merged downwards stands in each row that has something else, too."""
        for column, first, last in self._merged:
            value = self._cells[first].get(column, "") if first in self._cells else ""
            for number in numbers[bisect_right(numbers, first) : bisect_right(numbers, last)]:
                if not value:
                    break
                self._row, self._column = number, column
                self._keep(value)


def _listed(cells: Mapping[int, str]) -> list[str]:
    found = [""] * (max(cells) + 1)
    for column, value in cells.items():
        found[column] = value
    return found
