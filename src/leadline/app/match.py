"""Matching an inventory on the operator's own host: reads files, writes nothing, asks no network."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from leadline.app.advisory_files import documents
from leadline.app.assets import Assets, match_inventory, read_answers
from leadline.app.given import content
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.match import Matching
from leadline.core.clearing.notice import Sector
from leadline.core.clearing.product import Fault, Inventory, Operator
from leadline.core.errors import Invalid
from leadline.formats import assets_csv, csaf, cyclonedx, operator_toml, osv, spdx
from leadline.formats.bounded_yaml import load_texts
from leadline.formats.document import load

INVENTORY_BYTES_MAX = 64 << 20
_ADVISORY_BYTES_MAX = 16 << 20
_CYCLONEDX_XML = (b"cyclonedx.org/schema/bom", "CycloneDX XML")
Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was matched: the inventory, the advisories that could be read, the pairs, the faults.

    *csaf* holds the CSAF documents as they were read, by advisory id; *assets* what was found for devices.
    """

    inventory: Inventory
    advisories: tuple[Advisory, ...]
    matching: Matching
    faults: tuple[Fault, ...]
    csaf: Mapping[str, Document]
    assets: Assets


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the invented operators that ship with Leadline."""

    operator: Operator
    sector: Sector
    inventory: Inventory


@dataclass(frozen=True, slots=True)
class Feed:
    """Advisories that were read, their CSAF documents by id, and what could not be read."""

    advisories: tuple[Advisory, ...] = ()
    csaf: Mapping[str, Document] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def _quiet(read: int) -> None:
    """Tell nobody how far it is."""


def match_files(
    inventory: Path,
    advisories: Path | None,
    mapping: Path | None = None,
    tell: Callable[[int], None] = _quiet,
    answers: Path | None = None,
) -> Answer:
    """Match the inventory in one file against all CSAF and OSV documents of a folder or archive.

    Documents are JSON, or YAML where they are OSV; archives (tar, zip) are read where they lie. *tell* is
    given the number of documents read so far, *answers* is the file of what the operator answered about
    devices. A document that cannot be read is listed as a fault and matches nothing.

    Raises: Invalid, if the inventory cannot be read, no folder is given, or it holds no advisory.
    """
    if advisories is None:
        raise Invalid(
            "--advisories", "none ship with Leadline; name a folder of CSAF or OSV documents"
        )
    held = read_inventory(
        content(inventory, INVENTORY_BYTES_MAX), inventory.name, _headings(mapping)
    )
    feed = read_feed(advisories, tell)
    if not feed.advisories:
        first = feed.faults[0] if feed.faults else None
        problem = f"; the first problem: {first.place}: {first.problem}" if first else ""
        raise Invalid("--advisories", f"{advisories} holds no CSAF or OSV document{problem}")
    answered = read_answers(answers) if answers else ()
    matching, assets = match_inventory(held, feed.advisories, feed.csaf, answered)
    faults = (*held.faults, *assets.faults, *feed.faults)
    return Answer(held, feed.advisories, matching, faults, feed.csaf, assets)


def read_feed(folder: Path, tell: Callable[[int], None] = _quiet) -> Feed:
    """Every readable advisory of a folder or archive, in order of path; the same id is read once."""
    advisories, held = list[Advisory](), dict[str, Document]()
    faults, places = list[Fault](), dict[str, str]()
    for number, (place, data) in enumerate(documents(folder, _ADVISORY_BYTES_MAX), 1):
        tell(number)
        try:
            if isinstance(data, Invalid):
                raise data
            document = read_document(data, place)
            advisory = _advisory(document, place)
        except Invalid as error:
            faults.append(Fault(place, error.problem))
            continue
        if advisory.id in places:
            problem = f"{advisory.id} was already read from {places[advisory.id]}"
            faults.append(Fault(place, problem))
            continue
        places[advisory.id] = place
        advisories.append(advisory)
        if csaf.recognises(document):
            held[advisory.id] = document
    return Feed(tuple(advisories), held, tuple(faults))


def read_inventory(data: bytes, name: str, headings: Mapping[str, str]) -> Inventory:
    """An inventory of any form that is known: CycloneDX JSON, SPDX 2, or a table (CSV or workbook).

    Raises: Invalid, if it is none of them, with the form to export instead where that is known.
    """
    if cyclonedx.recognises(data):
        return cyclonedx.parse(data, name)
    if spdx.recognises(data):
        return spdx.parse(data, name)
    begin = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin[:1] == b"<":
        sign, form = _CYCLONEDX_XML
        found = form if sign in begin else "XML"
        raise Invalid(name, f"{found} is not read; export the inventory as CycloneDX JSON")
    if begin[:1] == b"{":
        raise Invalid(
            name,
            "expected CycloneDX JSON, SPDX 2 or a table (CSV, .xlsx); other forms are not read",
        )
    return assets_csv.parse(data, name, headings)


def read_document(data: bytes, name: str) -> Document:
    """The object in JSON or, by the ending of *name*, in YAML, whose scalars are all texts.

    Raises: Invalid, if it is neither.
    """
    if not name.endswith((".yaml", ".yml")):
        return load(data, name, _ADVISORY_BYTES_MAX)
    held = load_texts(data, name)
    if not isinstance(held, dict):
        raise Invalid(name, "expected a YAML mapping")
    return held


def read_advisory(data: bytes, name: str) -> Advisory:
    """An advisory of any form that is known: CSAF 2.0 or OSV.

    Raises: Invalid, if it is neither.
    """
    return _advisory(read_document(data, name), name)


def _advisory(document: Document, name: str) -> Advisory:
    return csaf.read(document, name) if csaf.recognises(document) else osv.read(document, name)


def samples() -> tuple[Sample, ...]:
    """The invented operators, by id, with their sectors and inventories.

    Raises: Invalid, naming the file, if shipped data cannot be read.
    """
    data = files("leadline").joinpath("data")
    sectors = {
        held.id: held
        for file in _sorted(data.joinpath("sectors"))
        for held in [operator_toml.load_sector(file.read_bytes(), file.name)]
    }
    return tuple(read_sample(folder, sectors) for folder in _sorted(data.joinpath("operators")))


def _sorted(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda held: held.name)


def read_sample(folder: Traversable, sectors: Mapping[str, Sector]) -> Sample:
    """One operator's folder: operator.toml and its inventory.

    Raises: Invalid, naming the file, if either cannot be read or its sector is not in *sectors*.
    """
    place = f"operators/{folder.name}"
    operator = operator_toml.load_operator(folder.joinpath("operator.toml").read_bytes(), place)
    if operator.sector not in sectors:
        raise Invalid(place, f"sector {operator.sector!r} has no file in sectors/")
    inventory = next(file for file in _sorted(folder) if file.name.startswith("inventory."))
    held = read_inventory(inventory.read_bytes(), f"{place}/{inventory.name}", {})
    return Sample(operator, sectors[operator.sector], held)


def _headings(mapping: Path | None) -> Mapping[str, str]:
    """The map of meanings to headings: a TOML or JSON table of texts."""
    if mapping is None:
        return {}
    data = content(mapping, _ADVISORY_BYTES_MAX)
    try:
        if data.lstrip()[:1] == b"{":
            table: Mapping[str, object] = load(data, "--map")
        else:
            table = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("--map", f"no TOML: {error}") from None
    wrong = [meaning for meaning, title in table.items() if not isinstance(title, str)]
    if wrong:
        raise Invalid("--map", f"{wrong[0]!r} must name a heading, as text")
    return {meaning: str(title) for meaning, title in table.items()}
