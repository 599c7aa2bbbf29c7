"""Workbooks of spreadsheet programs (.xlsx): the rows of their sheets, each cell as it shows itself.

Formulas count by the value stored beside them; hidden rows and sheets are read; of cells that are merged
downwards each row has the value. A number is shown by its format, so 4.6 under ``0.00`` is ``4.60``. Where the
format does not fix the digits, nobody can tell whether 4.6 was typed as 4.60: such text is `Doubtful`. Dates are
shown as ISO 8601, and are doubtful as well; an error is blank.

Nothing is unpacked to a disk. Parts are inflated up to a limit and their markup is counted before it is
parsed; a document type, and so every entity, is refused. What one text or one format costs does not grow
with its square, and what is merged counts wherever it is shown.
Source: ECMA-376-1:2016 (SpreadsheetML), 18.3 (worksheets), 18.4 (shared strings), 18.8.30 (number formats),
18.17.4.1 (dates); ECMA-376-2 (packages). The bounds of a cell's text and of a format's code are those of the
usual spreadsheet program.
"""

import io
import math
import posixpath
import re
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from xml.parsers import expat

from leadline.core.errors import Invalid

FORMAT = "workbook"
WORKBOOK_BYTES_MAX = 64 << 20
INFLATED_BYTES_MAX = 48 << 20  # of all parts that are read
MARKUP_MAX = 1_200_000  # tags of them
TAG_BYTES_MAX = 1 << 20
GRID_MAX = 4_000_000  # fields of the sheets that are read, blank ones before others included
TEXT_MAX = 32 << 20  # characters of them, a shared text counted wherever it stands
CELL_MAX = 32_767  # characters of one cell, or of one shared text
FORMATS_MAX, CODE_MAX = 5_000, 255  # formats of numbers, and characters of one
COLUMNS_MAX = 1_000
ROWS_MAX = 1_048_576
PARTS_MAX = 5_000
RELATED_MAX = 2 * PARTS_MAX  # parts that one part names
SHEETS_MAX = 250
_CURE = "save the sheet as CSV; on a page, copying its cells and pasting them does as well"
_SIGN, _END, _END_64 = b"PK\3\4", b"PK\5\6", b"PK\6\7"
_ENDING = struct.Struct("<4s4H2LH")
_PIECE_BYTES = 1 << 18
_ENCODINGS = ("UTF-8", "UTF-16", "US-ASCII")
_CENTRAL_BYTES_MAX = 1 << 20
_ENCRYPTED = 0x1 | 0x40
_LOCATOR_BYTES = 20  # of zip64, before the end
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_MERGED = re.compile(r"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})")
_BUILT_IN: Mapping[int, str] = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00",
    **dict.fromkeys((*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)), "yyyy-mm-dd"),
}  # fmt: skip
_PADDING = re.compile(r"\[[^\[\]]*\]|[_*].")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
_NUMBER = re.compile(r'((?:"[^"]*"|\\.|[ vV])*)([#,]*)(0+)(?:\.(0+))?((?:"[^"]*"|\\.|[ ])*)')
_DATE = re.compile(r"[dmyhs]", re.IGNORECASE)
# A cell's date has no zone.
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001
_LAST = datetime(9999, 12, 31)  # noqa: DTZ001
_GROUPED = 1_000  # from here on a format with groups writes a sign between them

# How zipfile says that an archive is none, or one that it does not read.
_DAMAGE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, struct.error)

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
        texts, formats = _Texts(name), _Formats(name)
        for kind, reader in (("sharedStrings", texts), ("styles", formats)):
            for target in islice(_targets(related, kind), 1):
                part = self._part(target)
                self._parse(part, target, reader.start, reader.end, reader.text)
        self._texts, self._left = texts.found, _Left()
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
            grid = _Grid(self._texts, self._shown, self._left, place)
            self._parse(self._part(target), target, grid.start, grid.end, grid.text)
            yield Sheet(sheet, grid.rows())

    def _related(self, part: str) -> Mapping[str, tuple[str, str]]:
        """The parts that *part* names, by its ids for them: kind, and path."""
        folder, _, file = part.rpartition("/")
        path = posixpath.join(folder, "_rels", f"{file}.rels")
        data = self._optional(path)
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, held: Attributes) -> None:
            if len(found) == RELATED_MAX:
                raise Invalid(self._name, f"names more than {RELATED_MAX} parts; {_CURE}")
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
        except (*_DAMAGE, zlib.error, EOFError) as error:
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
        parser.XmlDeclHandler = lambda _version, encoding, _alone: _require_read(encoding, place)
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


def _require_read(encoding: str | None, place: str) -> None:
    """Raises: Invalid, for an encoding that expat would ask Python's codecs for."""
    if (encoding or _ENCODINGS[0]).upper() not in _ENCODINGS:
        raise Invalid(place, f"is in the encoding {encoding:.40}, and not in UTF-8 or UTF-16")


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
    except _DAMAGE as error:
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


class _Said:
    """A text as it is told piece by piece."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._pieces, self._length = list[str](), 0

    def more(self, piece: str) -> None:
        """Raises: Invalid, beyond what a cell can hold."""
        self._length += len(piece)
        if self._length > CELL_MAX:
            raise Invalid(self._place, f"has a text of more than {CELL_MAX} characters in one cell")
        self._pieces.append(piece)

    def taken(self) -> str:
        """What was told since it was last taken."""
        if not self._pieces:
            return ""
        whole, self._pieces, self._length = "".join(self._pieces), [], 0
        return whole


class _Texts:
    """The texts that cells share. How they are read aloud (``rPh``) is no part of them."""

    def __init__(self, place: str) -> None:
        self.found: list[str] = []
        self._said = _Said(place)
        self._inside = self._aloud = False

    def start(self, tag: str, _: Attributes) -> None:
        if tag == "rPh":
            self._aloud = True
        self._inside = tag == "t" and not self._aloud

    def end(self, tag: str) -> None:
        self._inside = False
        if tag == "si":
            self.found.append(_tidy(self._said.taken()))
        elif tag == "rPh":
            self._aloud = False

    def text(self, piece: str) -> None:
        if self._inside:
            self._said.more(piece)


class _Formats:
    """How each style shows a number. A code that no program writes is none, and fixes no digits."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._codes: dict[int, str] = dict(_BUILT_IN)
        self._styles: list[int] = []
        self._of_cells = False

    def start(self, tag: str, held: Attributes) -> None:
        if tag == "numFmt":
            code = held.get("formatCode", "")
            self._codes[_whole(held.get("numFmtId", ""))] = code if len(code) <= CODE_MAX else ""
            if len(self._codes) > FORMATS_MAX:
                told = f"has more than {FORMATS_MAX} formats of numbers; {_CURE}"
                raise Invalid(self._place, told)
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


@dataclass(frozen=True, slots=True)
class _Way:
    """How a format shows a number: what stands before and after, its digits, or that it is a date."""

    before: str = ""
    grouped: bool = False
    whole: int = 0  # digits before the point, at least; 0 where the format does not fix them
    places: int = 0
    after: str = ""
    date: bool = False


@lru_cache(maxsize=2 * FORMATS_MAX)
def _way(code: str) -> _Way:
    shown = _PADDING.sub("", code.split(";", maxsplit=1)[0])
    fixed = _NUMBER.fullmatch(shown)
    if fixed:
        before, grouped, whole, places, after = fixed.groups()
        edges = _LITERAL.sub(_spelled, before), _LITERAL.sub(_spelled, after)
        return _Way(edges[0], bool(grouped), len(whole), len(places or ""), edges[1])
    return _Way(date=bool(_DATE.search(_LITERAL.sub("", shown)) and shown.lower() != "general"))


class _Shown:
    """What numbers look like, by the numbers of the styles."""

    def __init__(self, codes: Sequence[str], epoch: datetime) -> None:
        self._codes, self._epoch = codes, epoch
        self._days = (_LAST - epoch).days + 1

    def number(self, stored: str, style: int) -> str:
        """*stored* under a style; `Doubtful` where the digits are not those that the style fixes."""
        try:
            value = float(stored)
        except ValueError:
            value = math.inf
        if not math.isfinite(value):
            return Doubtful(_tidy(stored))
        plain = f"{value:.0f}" if value.is_integer() else f"{value:.15g}"
        way = _way(self._codes[style] if 0 <= style < len(self._codes) else "")
        if way.whole and value >= 0 and not (way.grouped and value >= _GROUPED):
            digits = f"{value:.{way.places}f}"
            if float(digits) == float(plain):
                padded = digits.zfill(way.whole + len(digits) - len(digits.partition(".")[0]))
                return f"{way.before}{padded}{way.after}".strip()
        if way.date and 0 <= value < self._days:
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


@dataclass
class _Left:
    """What the sheets that are not read yet may still hold."""

    fields: int = field(default_factory=lambda: GRID_MAX)
    characters: int = field(default_factory=lambda: TEXT_MAX)


class _Grid:
    """One sheet as it is told: cells by row and column, and what is merged."""

    def __init__(self, texts: Sequence[str], shown: _Shown, left: _Left, place: str) -> None:
        self._texts, self._shown, self._left, self._at = texts, shown, left, place
        self._cells: dict[int, dict[int, str]] = defaultdict(dict)
        self._merged: dict[tuple[int, int], int] = {}  # the last row, by the first and its column
        self._row = self._column = 0
        self._kind, self._style = "", -1
        self._said = _Said(place)
        self._inside = self._aloud = False

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
        self._said.taken()

    def end(self, tag: str) -> None:
        if tag == "c":
            value = self._value(self._said.taken())
            if value:
                self._keep(value)
            self._column += 1
        elif tag in {"v", "t"}:
            self._inside = False
        elif tag == "rPh":
            self._aloud = False

    def text(self, piece: str) -> None:
        if self._inside:
            self._said.more(piece)

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
        self._count(value)
        self._cells[self._row][self._column] = value

    def _count(self, value: str) -> None:
        self._left.characters -= len(value)
        if self._left.characters < 0:
            raise Invalid(self._at, f"more than {TEXT_MAX} characters; divide the list")

    def _merge(self, ref: str) -> None:
        hit = _MERGED.fullmatch(ref)
        if hit is None:
            return
        column, first, last = _column(hit[1]), int(hit[2]), int(hit[4])
        # Merges stand behind the rows.
        if first < last and first in self._cells and column in self._cells[first]:
            self._merged[first, column] = last

    def rows(self) -> tuple[Row, ...]:
        """The rows with something in them, each as wide as its last field that has something.

        Raises: Invalid, if they would be more fields or characters than a list needs.
        """
        found = list[Row]()
        lasting: dict[int, tuple[int, str]] = {}  # down to which row what is shown, by column
        for number in sorted(self._cells):
            own = self._cells[number]
            lasting = {column: held for column, held in lasting.items() if number <= held[0]}
            for _, value in lasting.values():
                self._count(value)
            shown = own | {column: value for column, (_, value) in lasting.items()}
            self._left.fields -= max(shown) + 1
            if self._left.fields < 0:
                raise Invalid(self._at, f"more than {GRID_MAX} fields; leave blank columns out")
            found.append((number, _listed(shown)))
            for column in own:
                if last := self._merged.get((number, column), 0):
                    lasting[column] = last, own[column]
        return tuple(found)


def _listed(cells: Mapping[int, str]) -> list[str]:
    found = [""] * (max(cells) + 1)
    for column, value in cells.items():
        found[column] = value
    return found
