"""Inventories kept as tables: software (name, version) and devices (maker, model, firmware, site).

Headings are recognised by what they mean, in the usual spellings of several languages and by their telling
words; a map names them where they are not. Rows above the headings (a title, a date) are passed over.
Fields are text whatever they begin with, so a formula stays what it is. An asset's id is the number of the
line on which its record begins, the first line of the file being 1.
Source for quoting: RFC 4180, with ``;`` and tab as further separators.
"""

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from types import MappingProxyType

from leadline.core.clearing.product import Component, Fault, Inventory, Package, package, parse_purl
from leadline.core.errors import Invalid
from leadline.formats import workbook
from leadline.formats.workbook import Doubtful

FORMAT = "assets_csv"
TABLE_BYTES_MAX = 64 << 20
COLUMNS_MAX = 1_000
LINES_MAX = 200_000
LINE_MAX = 4 << 20
HEADING_MAX, WORDS_MAX = 120, 20  # characters of a heading that are read, and words
LOOKED_MAX = 30_000  # fields of a workbook's sheets among which headings are looked for
_TOLD_MAX = 2_000  # characters of headings in a refusal
_TITLE_ROWS_MAX = 15  # rows above the headings that are looked at
_HEADINGS_MIN = 2  # meanings that make a row one of headings
_TITLE_THINNER = 2  # how many times the fields of a title the headings below it have
_DIGIT = re.compile(r"\d")
_REPLACEMENT = "\ufffd"  # what stands for bytes that are not of the encoding
_OLDER_WORKBOOK = b"\xd0\xcf\x11\xe0"  # of a form before .xlsx, or encrypted
_SEPARATORS = (",", ";", "\t", "|")
_LINE_LOOK = 20_000
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

# What a heading may mean, most telling first; each spelling is compared without signs and case.
MEANINGS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "purl": ("purl", "packageurl", "packageurlpurl"),
    "ecosystem": (
        "ecosystem", "registry", "packagemanager", "packagetype", "repository", "installedfrom",
        "source", "type", "paketquelle", "kind", "language", "platform", "origin", "channel",
    ),
    "version": (
        "version", "firmware", "firmwareversion", "fwversion", "fw", "fwswversion", "swversion",
        "softwareversion", "installedversion", "release", "ver", "rev", "revision", "versionsnr",
        "versionnumber", "firmwarestand", "firmwarerelease", "installedrelease", "build", "softwarerelease",
        "versioninstalled", "currentversion", "packageversion", "fwsw", "fwrev", "os", "osversion",
        "versione", "versao", "versioninstallee", "softwarestand", "patchlevel", "micrologiciel",
    ),
    "maker": (
        "maker", "manufacturer", "vendor", "make", "brand", "hersteller", "supplier", "fabricant",
        "fabricante", "produttore", "oem", "manufacturername", "vendorname", "mfr", "mfg", "producer",
        "marque", "lieferant", "publisher", "company", "developer",
    ),
    "model": (
        "model", "modeltype", "equipment", "device", "modelnumber", "modelname", "modell", "typ", "modele",
        "modelo", "modello", "devicetype", "devicemodel", "equipmenttype", "partnumber", "hardware", "asset",
        "gerat", "geraet", "appareil", "productmodel", "typemodel", "makemodel", "modelno", "unit",
    ),
    "name": (
        "name", "software", "package", "packagename", "softwarename", "application", "app", "program",
        "component", "product", "productname", "title", "library", "module", "softwarepackage", "programm",
        "componentname", "item", "tool", "anwendung", "produkt", "logiciel", "componente", "description",
        "programname", "applicationname", "assetname",
    ),
    "site": (
        "site", "location", "facility", "where", "plant", "place", "building", "standort", "host", "room",
        "server", "system", "installedon", "machine", "hostname", "area", "station", "ort", "emplacement",
        "department", "usedby", "usedin",
    ),
    "comment": ("comment", "comments", "remarks", "notes", "note", "remark", "bemerkung", "info"),
})  # fmt: skip
# Beginnings of words by which a heading of several words is recognised; the first that fits counts most.
_STEMS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "version": (
        "firmware", "version", "fw", "release", "rev", "software", "sw", "level", "stand", "build", "patch",
        "softwarestand", "micrologiciel", "ver",
    ),
    "maker": (
        "manufact", "maker", "vendor", "hersteller", "brand", "make", "oem", "mfr", "mfg", "supplier",
        "fabric", "produ", "marque", "lieferant", "company",
    ),
    "model": (
        "model", "modell", "type", "typ", "device", "gerat", "geraet", "equipment", "designation", "hardware",
        "article", "part", "catalog", "asset", "apparat", "bezeichnung", "unit", "machine", "anlage",
    ),
    "name": ("product", "software", "application", "package", "component", "program", "name", "item"),
    "site": (
        "site", "location", "building", "facility", "room", "plant", "standort", "ort", "place", "where",
        "area", "zone", "ward", "station", "department", "install", "gebaude", "raum", "floor", "lieu",
    ),
    "comment": ("comment", "remark", "note", "bemerk", "info", "hint", "anmerk", "observ", "detail"),
})  # fmt: skip
# Where a stem stands in its meaning's row.
_PLACES: Mapping[str, Sequence[tuple[str, int]]] = MappingProxyType({
    stem: [(meaning, stems.index(stem)) for meaning, stems in _STEMS.items() if stem in stems]
    for stem in chain(*_STEMS.values())
})  # fmt: skip
_STEM_MIN, _STEM_MAX = 4, max(map(len, _PLACES))  # shorter ones begin no word: "ort" begins others
_NUMBERING = frozenset({"no", "nr", "id", "pos", "line", "number", "num", "lfd", "row", "index", "tag", "ip", "mac", "serial", "date"})  # fmt: skip
_ECOSYSTEMS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "pypi": ("pypi", ""), "python": ("pypi", ""), "pip": ("pypi", ""), "pythonpackage": ("pypi", ""),
    "pythonlibrary": ("pypi", ""), "pythonpypi": ("pypi", ""), "pypiorg": ("pypi", ""),
    "pippackage": ("pypi", ""), "python3": ("pypi", ""), "pythonmodule": ("pypi", ""),
    "npm": ("npm", ""), "node": ("npm", ""), "nodejs": ("npm", ""), "javascript": ("npm", ""),
    "npmjs": ("npm", ""), "debian": ("deb", "debian"), "deb": ("deb", "debian"),
    "apt": ("deb", "debian"), "ubuntu": ("deb", "ubuntu"), "go": ("golang", ""),
    "golang": ("golang", ""), "cargo": ("cargo", ""), "rust": ("cargo", ""), "cratesio": ("cargo", ""),
    "nuget": ("nuget", ""), "gem": ("gem", ""), "rubygems": ("gem", ""), "ruby": ("gem", ""),
    "packagist": ("composer", ""), "composer": ("composer", ""), "php": ("composer", ""),
})  # fmt: skip
_NO_VERSION = frozenset(
    {"", "-", "--", "?", "n/a", "na", "none", "unknown", "tbd", "unbekannt", "k.a."}
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One record: the line it begins on, its fields by meaning, and whether the table has models."""

    line: int
    fields: Mapping[str, str]
    of_devices: bool

    def get(self, meaning: str) -> str:
        return self.fields.get(meaning, "")


def parse(
    data: bytes, name: str = "CSV", headings: Mapping[str, str] = MappingProxyType({})
) -> Inventory:
    """Read a table; *headings* gives the heading of a meaning (`MEANINGS`) where it is unusual.

    Raises: Invalid, naming the headings found, if none means a product, or a mapped one is missing.
    """
    if len(data) > TABLE_BYTES_MAX:
        raise Invalid(name, f"longer than {TABLE_BYTES_MAX} bytes")
    faults: list[Fault] = []
    records = _rows(data, name, headings, faults)
    above = _above(records, name)
    start = _heading_row(above, name, headings)
    titles = above[start][1]
    columns = _columns(titles, name, headings)
    records = chain(above[start + 1 :], records)
    of_devices = "model" in columns or (
        "maker" in columns and not {"purl", "ecosystem"} & set(columns)
    )
    faults += _twice(titles, columns, above[start][0])
    components: list[Component] = []
    for line, values in records:
        if len(components) == LINES_MAX:
            raise Invalid(f"{name} line {line}", f"more than {LINES_MAX} assets; divide the table")
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(titles):
            extra = f"{len(values)} fields under {len(titles)} headings; the surplus is left out"
            faults.append(Fault(f"line {line}", extra))
        fields = {
            meaning: values[column].strip()
            for meaning, column in columns.items()
            if column < len(values)
        }
        doubtful = "version" in fields and isinstance(values[columns["version"]], Doubtful)
        if doubtful:
            faults.append(Fault(f"line {line}", _number_in_place_of(fields.pop("version"))))
        components.append(_component(_Row(line, fields, of_devices), faults))
    return Inventory(tuple(components), tuple(faults))


def titles(data: bytes, name: str = "CSV") -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The headings of a table by what they are taken to mean, and all of them as they stand.

    Raises: Invalid, if it is no table or has more columns than are read.
    """
    above = _above(_rows(data, name, {}, []), name)
    found = above[_heading_row(above, name, {})][1]
    columns, _ = _meant(found, name, {})
    meant = {meaning: _short(found[column]) for meaning, column in columns.items()}
    return meant, tuple(dict.fromkeys(filter(None, map(_short, found))))


def _rows(
    data: bytes, name: str, headings: Mapping[str, str], faults: list[Fault]
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table, or of the first sheet of a workbook that has headings, or else something."""
    if not workbook.recognises(data):
        if max(data.count(b"\n"), data.count(b"\r")) > 2 * LINES_MAX:
            raise Invalid(name, f"more than {2 * LINES_MAX} lines; divide the table")
        return _records(_decoded(data, name), name)
    book = workbook.Workbook(data, name)
    chosen: workbook.Sheet | None = None
    looked = 0
    for sheet in book.sheets():
        above = [values for _, values in sheet.rows[:_TITLE_ROWS_MAX] if len(values) <= COLUMNS_MAX]
        looked += sum(map(len, above))
        if looked <= LOOKED_MAX and _headed(above, name, headings):
            chosen = sheet
            break
        chosen = chosen if chosen is not None or not sheet.rows else sheet
    if chosen is None:
        raise Invalid(name, "the workbook is empty; a sheet must hold headings and lines")
    others = [one for one in book.names if one != chosen.name]
    if others:
        told = f"was read; the other sheets were not: {', '.join(others)[:400]}"
        faults.append(Fault(f"sheet {chosen.name!r}", told))
    return iter(chosen.rows)


def _headed(above: Sequence[list[str]], name: str, headings: Mapping[str, str]) -> bool:
    meant = (_meant(values, name, headings) for values in above)
    return any(wrong is None and len(found) >= _HEADINGS_MIN for found, wrong in meant)


def _number_in_place_of(version: str) -> str:
    return (
        f"the version {version!r} is a number or date in the workbook, which may have lost what was typed, as"
        " 4.60 becomes 4.6; it is taken as not given. Store it as text, or answer the question about the line"
    )


def _above(records: Iterator[tuple[int, list[str]]], name: str) -> list[tuple[int, list[str]]]:
    """The first rows that have something in them, among which the headings are."""
    above = [held for held in islice(records, _TITLE_ROWS_MAX) if any(map(str.strip, held[1]))]
    if not above:
        raise Invalid(name, "the table is empty; its first line must hold the headings")
    return above


def _heading_row(
    above: Sequence[tuple[int, list[str]]], name: str, headings: Mapping[str, str]
) -> int:
    """Which of the first rows holds the headings: the first that has two meanings, else the first.

    A title may have two by chance ("List of devices", "Release of 3 May"). It gives way to a row below it
    that has more meanings, and either twice its fields or no fewer and no digit, as rows of a list have.
    """
    held: tuple[int, int, int] | None = None  # place, meanings, fields
    for place, (line, values) in enumerate(above):
        if len(values) > COLUMNS_MAX:
            if held is not None:
                break
            raise Invalid(
                f"{name} line {line}", f"more than {COLUMNS_MAX} columns; leave the others out"
            )
        found, wrong = _meant(values, name, headings)
        if wrong is not None or len(found) < _HEADINGS_MIN:
            continue
        filled = sum(bool(value.strip()) for value in values)
        plain = not _DIGIT.search("".join(values))
        if held is None or (
            len(found) > held[1]
            and (filled > _TITLE_THINNER * held[2] or (filled >= held[2] and plain))
        ):
            held = place, len(found), filled
    return held[0] if held else 0


def headed(data: bytes, name: str = "CSV") -> bytes:
    """A table without headings, with its first line doubled: the first of the two serves as headings.

    Raises: Invalid, if it is no table, or a workbook, in which a row of headings can be added.
    """
    if workbook.recognises(data):
        raise Invalid(name, "is a workbook without headings; put a row with them above the list")
    text = _decoded(data, name)
    records = _records(text, name)
    begin = next((line for line, values in records if any(map(str.strip, values))), None)
    if begin is None:
        raise Invalid(name, "the table is empty")
    lines = [hit[0] for hit in _LINE.finditer(text)]
    after = next(records, (len(lines) + 1, []))[0]
    first = "".join(lines[begin - 1 : after - 1]).rstrip("\r\n") + "\n"
    return (first + "".join(lines[begin - 1 :])).encode()


def _twice(titles: Sequence[str], columns: Mapping[str, int], line: int) -> Iterator[Fault]:
    """Headings that stand twice, of which the first is read."""
    plain = [_plain(title) for title in titles]
    for column in columns.values():
        if plain.count(plain[column]) > 1:
            told = f"the heading {_short(titles[column])!r} stands twice; the first is read"
            yield Fault(f"line {line}", told)


def _decoded(data: bytes, name: str) -> str:
    """UTF-8, UTF-16 by its mark or its zeros, or line by line the code page that older spreadsheets write."""
    if data.startswith(_OLDER_WORKBOOK):
        cure = "save it as .xlsx or CSV; on a page, copying its cells and pasting them does as well"
        raise Invalid(name, f"is an encrypted workbook, or one of an old form, not read; {cure}")
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not marked and data[1:400:2].count(0) > len(data[1:400:2]) // 2:
        data, marked = b"\xff\xfe" + data, True
    try:
        return data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        if marked:
            raise Invalid(name, f"{error.reason}; save the table as UTF-8") from None
    return "".join(
        _line(line, place, name) for place, line in enumerate(data.splitlines(keepends=True), 1)
    )


def _line(line: bytes, place: int, name: str) -> str:
    """One line of a file of mixed origin."""
    # What UTF-8 cannot read comes out as lone surrogates, what the code page cannot as U+FFFD.
    read = line.decode("utf-8-sig", "surrogateescape")
    if read.isascii() or not any("\udc80" <= sign <= "\udcff" for sign in read):
        return read
    told = line.decode("cp1252", "replace")
    if "\ufffd" in told:
        raise Invalid(f"{name} line {place}", "is of no known encoding; save the table as UTF-8")
    return told


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line; quoted fields may span lines.

    A field longer than the csv module's own limit (131,072 characters) is an error.
    """
    begin = text.lstrip("\r\n").split("\n", _TITLE_ROWS_MAX)[:_TITLE_ROWS_MAX]
    counts = {
        sign: max(_outside_quotes(line[:_LINE_LOOK], sign) for line in begin)
        for sign in _SEPARATORS
    }
    first = begin[0][:_LINE_LOOK]
    separator = max(
        _SEPARATORS, key=lambda sign: (_outside_quotes(first, sign), counts[sign], sign == ",")
    )
    reader = csv.reader(_lines(text, name), delimiter=separator)
    begins = 1
    try:
        for values in reader:
            yield begins, values
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(f"{name} line {begins}", f"cannot be read as a table: {error}") from None


def _lines(text: str, name: str) -> Iterator[str]:
    """Each line with its end, found when it is read: a copy of a large table would cost four times its size."""
    for place, hit in enumerate(_LINE.finditer(text), 1):
        if hit.end() - hit.start() > LINE_MAX:
            raise Invalid(
                f"{name} line {place}",
                f"longer than {LINE_MAX} characters; it is no line of a list",
            )
        yield hit[0]


def _outside_quotes(line: str, sign: str) -> int:
    return "".join(line.split('"')[::2]).count(sign)


def _short(heading: str) -> str:
    """As much of a heading as is read: a field may be as long as a book."""
    return heading.strip()[:HEADING_MAX]


def _told(titles: Sequence[str]) -> str:
    """The headings, in a refusal."""
    return ", ".join(map(_short, titles))[:_TOLD_MAX]


def _bare(heading: str) -> str:
    """Without accents, signs of several letters as those."""
    return unicodedata.normalize("NFKD", _short(heading))[:HEADING_MAX]


def _plain(heading: str) -> str:
    """Letters and digits alone, in lower case and without accents."""
    return _joined(_bare(heading))


def _joined(bare: str) -> str:
    return re.sub(r"[\W_]+", "", bare).lower()


def _columns(titles: Sequence[str], name: str, headings: Mapping[str, str]) -> dict[str, int]:
    """The column of each meaning; one heading has one meaning, the map's choice first."""
    columns, wrong = _meant(titles, name, headings)
    if wrong is not None:
        raise wrong
    return columns


def _meant(
    titles: Sequence[str], name: str, headings: Mapping[str, str]
) -> tuple[dict[str, int], Invalid | None]:
    """The columns as far as they are understood, and why the row is no heading, if it is none."""
    bare, first = [_bare(title) for title in titles], dict[str, int]()
    for column, title in enumerate(bare):
        first.setdefault(_joined(title), column)
    columns: dict[str, int] = {}
    for meaning, title in headings.items():
        if meaning not in MEANINGS:
            problem = f"{meaning!r} is no meaning; use {', '.join(MEANINGS)}"
            return columns, Invalid("map", problem)
        if _plain(title) not in first:
            problem = f"{name} has no heading {title!r}; it has {_told(titles)}"
            return columns, Invalid("map", problem)
        columns[meaning] = first[_plain(title)]
    for meaning, spellings in MEANINGS.items():
        taken = set(columns.values())
        found = [first[one] for one in spellings if one in first and first[one] not in taken]
        if found:
            columns.setdefault(meaning, found[0])
    _by_words(bare, columns)
    if not {"name", "model", "purl"} & set(columns):
        problem = f"no heading means a product or a model; found {_told(titles)}; name one in a map"
        return columns, Invalid(name, problem)
    return columns, None


def _by_words(bare: Sequence[str], columns: dict[str, int]) -> None:
    """Meanings of headings of several words, the most telling heading for each."""
    ranked: list[tuple[int, int, str]] = []
    for column, title in enumerate(bare):
        letters = title.encode("ascii", "ignore").decode().lower()
        words = re.findall(r"[a-z]+", letters)[:WORDS_MAX]
        held = defaultdict[str, list[int]](list)
        for meaning, place in chain.from_iterable(map(_stems_of, words)):
            held[meaning].append(place)
        for meaning, places in held.items():
            if not (_NUMBERING & set(words) and min(places) > 1):
                ranked.append((min(places) - 20 * (len(places) > 1), column, meaning))
    for _, column, meaning in sorted(ranked):
        if meaning not in columns and column not in columns.values():
            columns[meaning] = column


def _stems_of(word: str) -> Iterator[tuple[str, int]]:
    """What a word is, or begins with."""
    yield from _PLACES.get(word, ())
    for end in range(_STEM_MIN, min(len(word), _STEM_MAX + 1)):
        yield from _PLACES.get(word[:end], ())


def _component(row: _Row, faults: list[Fault]) -> Component:
    name = row.get("model") or row.get("name")
    version = row.get("version")
    identity, purl_version = _identity(row, faults)
    device = row.of_devices and not row.get("purl") and identity is None
    return Component(
        ref=str(row.line),
        name=name or (identity.name if identity else ""),
        version=purl_version or ("" if version.lower() in _NO_VERSION else version),
        package=identity,
        kind="device" if device else "software",
        maker=row.get("maker"),
        site=row.get("site"),
        comment=row.get("comment"),
    )


def _identity(row: _Row, faults: list[Fault]) -> tuple[Package | None, str]:
    """The package and, where a purl names one, its release."""
    purl, name = row.get("purl"), row.get("name")
    try:
        if purl:
            release = parse_purl(purl)
            return release.package, release.version
        kind, namespace = _ECOSYSTEMS.get(_plain(row.get("ecosystem")), ("", ""))
        if not kind or not name:
            return None, ""
        if "/" in name and not namespace:
            namespace, _, name = name.rpartition("/")
        return package(kind, namespace, name), ""
    except Invalid as error:
        faults.append(Fault(f"line {row.line}", error.problem))
        return None, ""
