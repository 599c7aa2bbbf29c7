"""CycloneDX JSON 1.4 to 1.7, read into an inventory.

A document that breaks its schema is refused with every fault by JSON pointer. Within a valid one every
component is kept, nested ones too: what lacks an identity, repeats a bom-ref or has a purl that cannot
be read is listed as a fault, and matching answers unknown for it. Vulnerabilities in the document are
claims of its author and are not read here.
Source: CycloneDX specification (ECMA-424), JSON schemas 1.4 to 1.7.
"""

from collections.abc import Iterator, Mapping

from leadline.core.clearing.product import Component, Fault, Inventory, Package, Release, parse_purl
from leadline.core.errors import Invalid
from leadline.formats import schemas
from leadline.formats.document import load, record, records, text

FORMAT = "cyclonedx"
VERSIONS = ("1.4", "1.5", "1.6", "1.7")
_DEVICES = frozenset({"device", "firmware"})


def recognises(data: bytes) -> bool:
    """Whether *data* looks like a CycloneDX JSON document."""
    return b'"bomFormat"' in data and data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def parse(data: bytes, name: str = "CycloneDX") -> Inventory:
    """Read an inventory.

    Raises: Invalid, naming each place that breaks the schema, or a version this reader does not know.
    """
    document = load(data, name)
    version = document.get("specVersion")
    if version not in VERSIONS:
        raise Invalid(name, f"specVersion {version!r}; this reader knows {', '.join(VERSIONS)}")
    broken = list(schemas.faults(f"bom-{version}.SNAPSHOT.schema.json", document))
    if broken:
        listed = "; ".join(f"{fault.place}: {fault.problem}" for fault in broken)
        raise Invalid(name, f"breaks the CycloneDX {version} schema: {listed}")
    faults: list[Fault] = []
    components: list[Component] = []
    for pointer, outer, entry in _entries(document):
        components.append(_component(pointer, outer, entry, faults))
    return Inventory(tuple(components), (*faults, *_repeated(components)))


def _entries(document: Mapping[str, object]) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Every component with its JSON pointer and the name of the outer one, in document order.

    The component that the document is about counts where it has a purl, so that it can be affected.
    """
    subject = record(record(document.get("metadata")).get("component"))
    if subject.get("purl"):
        yield "/metadata/component", "", subject
    pending = [("/components", "", entry) for entry in reversed(_numbered(document))]
    while pending:
        place, outer, (number, entry) = pending.pop()
        pointer = f"{place}/{number}"
        yield pointer, outer, entry
        inner = reversed(_numbered(entry))
        pending.extend((f"{pointer}/components", text(entry.get("name")), child) for child in inner)


def _numbered(holder: Mapping[str, object]) -> list[tuple[int, Mapping[str, object]]]:
    return list(enumerate(records(holder.get("components"))))


def _component(
    pointer: str, outer: str, entry: Mapping[str, object], faults: list[Fault]
) -> Component:
    release = _identity(pointer, entry, faults)
    stated = text(entry.get("version")).strip()
    maker = text(record(entry.get("supplier")).get("name")) or text(entry.get("publisher"))
    return Component(
        ref=text(entry.get("bom-ref")) or pointer,
        name=text(entry.get("name")),
        version=(release.version if release else "") or stated,
        package=release.package if release else None,
        kind="device" if entry.get("type") in _DEVICES else "software",
        maker=maker,
        site=f"inside {outer}" if outer else "",
        comment=text(entry.get("description")),
    )


def _identity(pointer: str, entry: Mapping[str, object], faults: list[Fault]) -> Release | None:
    purl = text(entry.get("purl"))
    if not purl:
        return None
    try:
        release = parse_purl(purl)
    except Invalid as error:
        faults.append(Fault(f"{pointer}/purl", error.problem))
        return None
    stated = text(entry.get("version")).strip()
    if release.version and stated and release.version != stated:
        problem = f"version {stated!r} differs from the purl's {release.version!r}, which is used"
        faults.append(Fault(f"{pointer}/version", problem))
    return release


def _repeated(components: list[Component]) -> Iterator[Fault]:
    seen: dict[str, Package | None] = {}
    for component in components:
        if component.ref in seen:
            problem = f"bom-ref {component.ref!r} stands twice; both components are kept under it"
            yield Fault(component.ref, problem)
        seen[component.ref] = component.package
