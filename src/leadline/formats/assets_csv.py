"""Inventories kept as tables: software (name, version) and devices (maker, model, firmware, site).

Headings are recognised by what they mean, in the usual spellings of several languages; a map names them
where they are not. Fields are text whatever they begin with, so a formula stays what it is. An asset's
id is the number of the line on which its record begins, the heading being line 1.
Source for quoting: RFC 4180, with ``;`` and tab as further separators.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from leadline.core.clearing.product import Component, Fault, Inventory, Package, package, parse_purl
from leadline.core.errors import Invalid

FORMAT = "assets_csv"
TABLE_BYTES_MAX = 64 << 20
_REPLACEMENT = "\ufffd"  # what stands for bytes that are not of the encoding
_SEPARATORS = (",", ";", "\t", "|")

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
    text = _decoded(data, name)
    records = _records(text, name)
    first = next((held for held in records if any(held[1])), None)
    if first is None:
        raise Invalid(name, "the table is empty; its first line must hold the headings")
    columns = _columns(first[1], name, headings)
    faults: list[Fault] = []
    components: list[Component] = []
    for line, values in records:
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(first[1]):
            extra = f"{len(values)} fields under {len(first[1])} headings; the surplus is left out"
            faults.append(Fault(f"line {line}", extra))
        fields = {
            meaning: values[column].strip()
            for meaning, column in columns.items()
            if column < len(values)
        }
        components.append(_component(_Row(line, fields, "model" in columns), faults))
    return Inventory(tuple(components), tuple(faults))


def _decoded(data: bytes, name: str) -> str:
    """UTF-8, UTF-16 by its mark, or the Windows code page that older spreadsheets write."""
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = data.decode("utf-16" if marked else "utf-8-sig", errors="replace")
    if _REPLACEMENT not in text or _REPLACEMENT.encode() in data:
        return text
    try:
        return data.decode("utf-16" if marked else "cp1252")
    except UnicodeDecodeError as error:
        raise Invalid(name, f"{error.reason}; save the table as UTF-8") from None


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line; quoted fields may span lines.

    A field longer than the csv module's own limit (131,072 characters) is an error.
    """
    heading = text.lstrip("\r\n").partition("\n")[0]
    separator = max(_SEPARATORS, key=lambda sign: (_outside_quotes(heading, sign), sign == ","))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    begins = 1
    try:
        for values in reader:
            yield begins, values
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(f"{name} line {begins}", f"cannot be read as a table: {error}") from None


def _outside_quotes(line: str, sign: str) -> int:
    return "".join(line.split('"')[::2]).count(sign)


def _plain(heading: str) -> str:
    """Letters and digits alone, in lower case and without accents."""
    bare = unicodedata.normalize("NFKD", heading)
    return re.sub(r"[\W_]+", "", bare).lower()


def _columns(titles: Sequence[str], name: str, headings: Mapping[str, str]) -> dict[str, int]:
    """The column of each meaning; one heading has one meaning, the map's choice first."""
    plain = [_plain(title) for title in titles]
    columns: dict[str, int] = {}
    for meaning, title in headings.items():
        if meaning not in MEANINGS:
            raise Invalid("map", f"{meaning!r} is no meaning; use {', '.join(MEANINGS)}")
        if _plain(title) not in plain:
            raise Invalid("map", f"{name} has no heading {title!r}; it has {', '.join(titles)}")
        columns[meaning] = plain.index(_plain(title))
    for meaning, spellings in MEANINGS.items():
        taken = set(columns.values())
        found = [
            plain.index(spelling)
            for spelling in spellings
            if spelling in plain and plain.index(spelling) not in taken
        ]
        if found:
            columns.setdefault(meaning, found[0])
    if not {"name", "model", "purl"} & set(columns):
        shown = ", ".join(titles)
        raise Invalid(
            name, f"no heading means a product or a model; found {shown}; name one in a map"
        )
    return columns


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
