"""CycloneDX JSON 1.4 to 1.7, read into an inventory.

A document that breaks its schema is refused with every fault by JSON pointer. Within a valid one every
component is kept, nested ones too: what lacks an identity, repeats a bom-ref or has a purl that cannot
be read is listed as a fault, and matching answers unknown for it. Vulnerabilities in the document are
claims of its author and are not read here.
Source: CycloneDX specification (ECMA-424), JSON schemas 1.4 to 1.7.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from leadline.core.clearing.naming import DISTRIBUTED, Identity, cpe_name, identify
from leadline.core.clearing.product import (
    Component,
    Fault,
    Inventory,
    Name,
    Naming,
    Package,
    package,
)
from leadline.core.clearing.resemblance import REPACKAGED
from leadline.core.errors import Invalid
from leadline.formats import schemas
from leadline.formats.document import check_shape, items, load, record, records, text

FORMAT = "cyclonedx"
VERSIONS = ("1.4", "1.5", "1.6", "1.7")
BYTES_MAX = 64 << 20
COMPONENTS_MAX = 200_000
SIGNS_MAX = 15 * COMPONENTS_MAX
OBJECTS_MAX = 3 * COMPONENTS_MAX
SMALL_BYTES = 1 << 18
FIELDS_MAX = 50  # at the top; CycloneDX 1.7 has 17
_DEVICES = frozenset({"device", "firmware"})
_SOFTWARE = frozenset({"application", "container", "framework", "library", "platform"})
_NAMING = frozenset({"cpe", "evidence", "pedigree", "properties"})
_TRIVY = "aquasecurity:trivy:"


def recognises(data: bytes) -> bool:
    """Whether *data* looks like a CycloneDX JSON document."""
    return b'"bomFormat"' in data and data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def parse(data: bytes, name: str = "CycloneDX") -> Inventory:
    """Read an inventory.

    Raises: Invalid, naming each place that breaks the schema, or a version this reader does not know.
    """
    check_shape(data, name, BYTES_MAX, OBJECTS_MAX)
    document = load(data, name, BYTES_MAX, signs_max=SIGNS_MAX)
    version = document.get("specVersion")
    if version not in VERSIONS:
        raise Invalid(name, f"specVersion {version!r}; this reader knows {', '.join(VERSIONS)}")
    count = len(items(document.get("components")))
    entries = (
        list(islice(_entries(document), COMPONENTS_MAX + 1)) if count <= COMPONENTS_MAX else []
    )
    if max(count, len(entries)) > COMPONENTS_MAX:
        raise Invalid(name, f"more than {COMPONENTS_MAX} components; divide the inventory")
    # The schema's checker copies what it complains of; in a large document it may not get there.
    broken = _grossly_broken(document, entries) if len(data) > SMALL_BYTES else []
    broken = broken or list(schemas.faults(f"bom-{version}.SNAPSHOT.schema.json", document))
    if broken:
        listed = "; ".join(f"{fault.place}: {fault.problem}" for fault in broken)
        raise Invalid(name, f"breaks the CycloneDX {version} schema: {listed}")
    faults: list[Fault] = []
    components: list[Component] = []
    for pointer, outer, entry in entries:
        components.append(_component(pointer, outer, entry, faults))
    return Inventory(tuple(components), (*faults, *_repeated(components)))


def _grossly_broken(
    document: Mapping[str, object], entries: Sequence[tuple[str, str, Mapping[str, object]]]
) -> list[Fault]:
    """What breaks the schema in a way that fills a whole document: the first hundred such faults."""
    if len(document) > FIELDS_MAX:
        return [Fault("/", f"{len(document)} fields where CycloneDX has fewer than {FIELDS_MAX}")]
    return list(islice(_gross(document, entries), schemas.FAULTS_MAX))


def _gross(
    document: Mapping[str, object], entries: Sequence[tuple[str, str, Mapping[str, object]]]
) -> Iterator[Fault]:
    seen: dict[tuple[object, ...], Mapping[str, object]] = {}
    for pointer, holder in [("", document), *((place, entry) for place, _, entry in entries)]:
        stated = holder.get("components", [])
        if not isinstance(stated, list) or len(records(stated)) < len(stated):
            yield Fault(f"{pointer}/components", "expected an array of objects")
    for pointer, _, entry in entries:
        for field in ("type", "name"):
            if not isinstance(entry.get(field), str):
                yield Fault(pointer, f'"{field}" is a required property, a text')
        above = pointer.rpartition("/")[0]
        key = (above, *(text(entry.get(one)) for one in ("bom-ref", "name", "version", "purl")))
        if seen.get(key) == entry:
            yield Fault(pointer, "the same component stands twice")
        seen[key] = entry


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
        if "components" in entry:
            name = text(entry.get("name"))
            inner = reversed(_numbered(entry))
            pending.extend((f"{pointer}/components", name, child) for child in inner)


def _numbered(holder: Mapping[str, object]) -> list[tuple[int, Mapping[str, object]]]:
    stated = enumerate(items(holder.get("components")))
    return [(number, entry) for number, entry in stated if isinstance(entry, dict)]


def _component(
    pointer: str, outer: str, entry: Mapping[str, object], faults: list[Fault]
) -> Component:
    found = _identity(pointer, entry, faults)
    release = found.release if found else None
    stated = text(entry.get("version")).strip()
    version = (release.version if release else "") or stated
    kind = entry.get("type")
    if not version and kind in _SOFTWARE:
        faults.append(Fault(pointer, "no version is given; whether it is affected stays unknown"))
    own = release.package if release else None
    names = found.names if found else ()
    if not _NAMING.isdisjoint(entry):
        names = (*names, *_names(entry, own, version))
    supplier = text(record(entry["supplier"]).get("name")) if "supplier" in entry else ""
    return Component(
        ref=text(entry.get("bom-ref")) or pointer,
        name=text(entry.get("name")),
        version=version,
        package=own,
        kind="device" if kind in _DEVICES else "software",
        maker=supplier or text(entry.get("publisher")),
        site=f"inside {outer}" if outer else "",
        comment=text(entry.get("description")),
        branch=found.branch if found else "",
        names=names,
    )


def _identity(pointer: str, entry: Mapping[str, object], faults: list[Fault]) -> Identity | None:
    purl = text(entry.get("purl"))
    if not purl:
        if entry.get("type") in _SOFTWARE:
            problem = "no purl is given; which package this is stays unknown"
            faults.append(Fault(pointer, problem))
        return None
    try:
        found = identify(purl)
    except Invalid as error:
        faults.append(Fault(f"{pointer}/purl", error.problem))
        return None
    stated, version = text(entry.get("version")).strip(), found.release.version
    if version and stated and version != stated and version.partition(":")[2] != stated:
        problem = f"version {stated!r} differs from the purl's {version!r}, which is used"
        faults.append(Fault(f"{pointer}/version", problem))
    return found


def _names(entry: Mapping[str, object], own: Package | None, version: str) -> Iterator[Name]:
    """What else the component may be, and the source that a scanner says it was built from."""
    if "pedigree" in entry:
        pedigree = record(entry["pedigree"])
        for relation in ("ancestors", "descendants", "variants"):
            for other in records(pedigree.get(relation)):
                yield from _possible(text(other.get("purl")), f"it is listed among its {relation}")
    if "evidence" in entry and own is None:
        stated = record(entry["evidence"]).get("identity")
        for held in [stated] if isinstance(stated, Mapping) else records(stated):
            concluded = text(record(held).get("concludedValue"))
            yield from _possible(concluded, "evidence in the document suggests it")
    if "cpe" in entry and (own is None or own.type in REPACKAGED):
        named = cpe_name(text(entry["cpe"]))
        if named is not None:
            yield named
    if "properties" in entry and own is not None and own.type in DISTRIBUTED:
        yield from _scanned_source(entry, own, version)


def _possible(purl: str, ground: str) -> Iterator[Name]:
    """A name by purl; one that cannot be read names nothing, as the component has its own pair."""
    try:
        found = [identify(purl).release] if purl else []
    except Invalid:
        found = []
    yield from (Name(one.package, one.version, Naming.POSSIBLE, ground) for one in found)


def _scanned_source(entry: Mapping[str, object], own: Package, version: str) -> Iterator[Name]:
    """The source package as Trivy writes it, in properties."""
    told = {
        text(held.get("name")): text(held.get("value")) for held in records(entry["properties"])
    }
    source = told.get(f"{_TRIVY}SrcName", "")
    try:
        named = package(own.type, own.namespace, source)
    except Invalid:
        named = own  # no source is stated
    parts = [told.get(f"{_TRIVY}Src{part}", "") for part in ("Version", "Release", "Epoch")]
    built = f"{parts[0]}-{parts[1]}" if parts[1] else parts[0]
    built = f"{parts[2]}:{built}" if parts[2] and built else built
    if named != own:
        ground = f"{own.namespace or own.type} builds {own.name} from {source}"
        yield Name(named, built or version, Naming.MAPPED, ground)


def _repeated(components: list[Component]) -> Iterator[Fault]:
    seen: dict[str, Package | None] = {}
    for component in components:
        if component.ref in seen:
            problem = f"bom-ref {component.ref!r} stands twice; both components are kept under it"
            yield Fault(component.ref, problem)
        seen[component.ref] = component.package
