"""Matching an inventory on the operator's own host: reads files, writes nothing, asks no network."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.match import Matching, match
from leadline.core.clearing.notice import Sector
from leadline.core.clearing.product import Fault, Inventory, Operator
from leadline.core.errors import Invalid
from leadline.formats import assets_csv, csaf, cyclonedx, operator_toml, osv
from leadline.formats.document import load

_INVENTORY_BYTES_MAX = 64 << 20
_ADVISORY_BYTES_MAX = 16 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What was matched: the inventory, the advisories that could be read, the pairs, the faults."""

    inventory: Inventory
    advisories: tuple[Advisory, ...]
    matching: Matching
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the invented operators that ship with Leadline."""

    operator: Operator
    sector: Sector
    inventory: Inventory


def match_files(inventory: Path, advisories: Path | None, mapping: Path | None = None) -> Answer:
    """Match the inventory in one file against all CSAF and OSV documents below a folder.

    A document that cannot be read is listed as a fault and matches nothing.

    Raises: Invalid, if the inventory cannot be read, no folder is given, or it holds no advisory.
    """
    if advisories is None:
        raise Invalid(
            "--advisories", "none ship with Leadline; name a folder of CSAF or OSV documents"
        )
    held = read_inventory(
        _bytes(inventory, _INVENTORY_BYTES_MAX), inventory.name, _headings(mapping)
    )
    faults: list[Fault] = []
    known = tuple(_advisories(advisories, faults))
    if not known:
        problem = f"; the first problem: {faults[0].place}: {faults[0].problem}" if faults else ""
        raise Invalid("--advisories", f"{advisories} holds no CSAF or OSV document{problem}")
    return Answer(held, known, match(held, known), (*held.faults, *faults))


def read_inventory(data: bytes, name: str, headings: Mapping[str, str]) -> Inventory:
    """An inventory of any form that is known: CycloneDX JSON, or a table.

    Raises: Invalid, if it is neither.
    """
    if cyclonedx.recognises(data):
        return cyclonedx.parse(data, name)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"<"}:
        raise Invalid(name, "expected CycloneDX JSON or a table (CSV); other forms are not read")
    return assets_csv.parse(data, name, headings)


def read_advisory(data: bytes, name: str) -> Advisory:
    """An advisory of any form that is known: CSAF 2.0 or OSV.

    Raises: Invalid, if it is neither.
    """
    document = load(data, name, _ADVISORY_BYTES_MAX)
    if csaf.recognises(document):
        return csaf.read(document, name)
    return osv.read(document, name)


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


def _advisories(folder: Path, faults: list[Fault]) -> Iterator[Advisory]:
    """Every readable advisory below *folder*, in order of path; the same id is read once."""
    if not folder.is_dir():
        raise Invalid("--advisories", f"{folder} is no folder")
    seen: dict[str, str] = {}
    paths = sorted(path for path in folder.rglob("*.json") if path.is_file())
    for path in paths:
        place = str(path.relative_to(folder))
        try:
            advisory = read_advisory(_bytes(path, _ADVISORY_BYTES_MAX), place)
        except Invalid as error:
            faults.append(Fault(place, error.problem))
            continue
        if advisory.id in seen:
            faults.append(Fault(place, f"{advisory.id} was already read from {seen[advisory.id]}"))
            continue
        seen[advisory.id] = place
        yield advisory


def _bytes(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise Invalid(str(path), f"cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise Invalid(str(path), f"longer than {limit} bytes")
    return data


def _headings(mapping: Path | None) -> Mapping[str, str]:
    """The map of meanings to headings: a TOML or JSON table of texts."""
    if mapping is None:
        return {}
    data = _bytes(mapping, _ADVISORY_BYTES_MAX)
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
