"""SPDX 2.2 and 2.3, as JSON and as tag-value text, read into an inventory.

A package's identity is the purl among its external references; ``NOASSERTION`` and ``NONE`` mean that
nothing is known. Every package is kept: what lacks an identity or a release, repeats an id or has a purl
that cannot be read is listed as a fault, and matching answers unknown for it. A document without the
fields that every package must have is refused, each place named. SPDX 3 is another format and is refused.
Source: SPDX specification 2.3, clauses 6, 7 and 11.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leadline.core.clearing.naming import Identity, cpe_name, identify
from leadline.core.clearing.product import Component, Fault, Inventory, Name, Naming
from leadline.core.clearing.resemblance import REPACKAGED
from leadline.core.errors import Invalid
from leadline.formats.document import (
    DOCUMENT_BYTES_MAX,
    check_shape,
    load,
    record,
    records,
    text,
)

FORMAT = "spdx"
BYTES_MAX = 64 << 20
PACKAGES_MAX = 200_000
SIGNS_MAX = 15 * PACKAGES_MAX
OBJECTS_MAX = 3 * PACKAGES_MAX
LINES_MAX = 2_000_000
FAULTS_MAX = 100
VERSIONS = ("SPDX-2.2", "SPDX-2.3")
_NOTHING = frozenset({"", "NOASSERTION", "NONE"})
_DEVICES = frozenset({"DEVICE", "FIRMWARE"})
_SUPPLIER = re.compile(r"(?:Organization|Person): *([^()]*)")
_GENERATED = re.compile(r"^(\S+)\s+GENERATED_FROM\s+(\S+)$")
_TAG = re.compile(r"([A-Za-z0-9]+): ?(.*)", re.DOTALL)
_OTHER_SECTIONS = frozenset({"FileName", "SnippetSPDXID", "LicenseID"})
_SPDX_3 = "SPDX 3 is not read; export the inventory as SPDX 2.3 or CycloneDX"


@dataclass(slots=True)
class _Package:
    """One package as it stands in either form."""

    place: str
    name: str = ""
    id: str = ""
    version: str = ""
    supplier: str = ""
    purpose: str = ""
    comment: str = ""
    refs: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Document:
    """What either form holds; *sources* are pairs of a package and what it was generated from."""

    version: str = ""
    packages: list[_Package] = field(default_factory=list)
    sources: list[tuple[str, str]] = field(default_factory=list)


def recognises(data: bytes) -> bool:
    """Whether *data* looks like SPDX, of any version, as JSON or as tag-value text."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"{"):
        return b'"spdxVersion"' in data or b"spdx.org/rdf/3" in data
    return re.search(rb"^SPDXVersion:", head, re.MULTILINE) is not None


def parse(data: bytes, name: str = "SPDX") -> Inventory:
    """Read an inventory.

    Raises: Invalid, naming each place that lacks what every package must have, or another version.
    """
    as_json = data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    held = _from_json(data, name) if as_json else _from_tags(data, name)
    if held.version not in VERSIONS:
        known = " and ".join(VERSIONS)
        raise Invalid(name, f"spdxVersion {held.version[:40]!r}; this reader knows {known}")
    missing = [
        f"{one.place}: {what} is missing"
        for one in held.packages
        for what, stated in (("its name", one.name), ("SPDXID", one.id))
        if not stated
    ]
    if missing:
        raise Invalid(name, "breaks SPDX 2.3: " + _listed(missing))
    return _inventory(held)


def _check_count(packages: int, name: str) -> None:
    if packages > PACKAGES_MAX:
        raise Invalid(name, f"more than {PACKAGES_MAX} packages; divide the inventory")


def _listed(problems: list[str]) -> str:
    rest = f"; and {len(problems) - FAULTS_MAX} more" if len(problems) > FAULTS_MAX else ""
    return "; ".join(problems[:FAULTS_MAX]) + rest


def _from_json(data: bytes, name: str) -> _Document:
    check_shape(data, name, BYTES_MAX, OBJECTS_MAX)
    document = load(data, name, BYTES_MAX, signs_max=SIGNS_MAX)
    if "spdxVersion" not in document and "@context" in document:
        raise Invalid(name, _SPDX_3)
    stated = document.get("packages")
    if not isinstance(stated, list):
        raise Invalid(name, "breaks SPDX 2.3: /packages: expected an array of packages")
    _check_count(len(stated), name)
    held = _Document(text(document.get("spdxVersion")))
    for number, entry in enumerate(stated):
        held.packages.append(_of_json(f"/packages/{number}", record(entry)))
    for link in records(document.get("relationships")):
        if link.get("relationshipType") == "GENERATED_FROM":
            ends = (text(link.get("spdxElementId")), text(link.get("relatedSpdxElement")))
            held.sources.append(ends)
    return held


def _of_json(place: str, entry: Mapping[str, object]) -> _Package:
    refs = [
        (text(ref.get("referenceType")), text(ref.get("referenceLocator")))
        for ref in records(entry.get("externalRefs"))
    ]
    return _Package(
        place,
        text(entry.get("name")),
        text(entry.get("SPDXID")),
        text(entry.get("versionInfo")),
        text(entry.get("supplier")),
        text(entry.get("primaryPackagePurpose")),
        text(entry.get("comment")),
        refs,
    )


def _from_tags(data: bytes, name: str) -> _Document:
    _check_count(data.count(b"\nPackageName:"), name)
    body = _decoded(data, name)
    held, odd = _Document(), list[str]()
    package: _Package | None = None
    for line, tag, value in _tags(body, odd):
        if tag == "PackageName":
            package = _Package(f"line {line}", value)
            held.packages.append(package)
        elif tag in _OTHER_SECTIONS:
            package = None
        elif tag == "SPDXVersion":
            held.version = value
        elif tag == "Relationship":
            held.sources += _GENERATED.findall(value)
        elif package is not None:
            _tagged(package, tag, value)
    if held.version.startswith("SPDX-3"):
        raise Invalid(name, _SPDX_3)
    if odd:
        raise Invalid(name, "no tag-value text: " + _listed(odd))
    return held


def _decoded(data: bytes, name: str) -> str:
    if data.count(b"\n") > LINES_MAX:
        raise Invalid(name, f"more than {LINES_MAX} lines; divide the inventory")
    if len(data) > DOCUMENT_BYTES_MAX:
        raise Invalid(name, f"longer than {DOCUMENT_BYTES_MAX} bytes; export it as JSON")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(name, f"no UTF-8: {error.reason} at byte {error.start}") from None


def _tagged(package: _Package, tag: str, value: str) -> None:
    match tag:
        case "SPDXID":
            package.id = value
        case "PackageVersion":
            package.version = value
        case "PackageSupplier":
            package.supplier = value
        case "PrimaryPackagePurpose":
            package.purpose = value
        case "PackageComment":
            package.comment = value
        case "ExternalRef":
            parts = value.split(maxsplit=2)
            if len(parts) == 3:  # noqa: PLR2004 -- category, type, locator
                package.refs.append((parts[1], parts[2]))
        case _:
            pass  # everything else says nothing of identity


def _lines(body: str) -> Iterator[str]:
    begin = 0
    while begin < len(body):
        end = body.find("\n", begin)
        end = len(body) if end < 0 else end
        yield body[begin:end].rstrip("\r")
        begin = end + 1


def _tags(body: str, odd: list[str]) -> Iterator[tuple[int, str, str]]:
    """Line, tag and value; a value in ``<text>`` may span lines. What has no tag goes to *odd*."""
    lines = enumerate(_lines(body), 1)
    for number, line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        found = _TAG.fullmatch(line)
        if found is None:
            odd.append(f"line {number}: expected a tag, a colon and a value")
            if len(odd) > FAULTS_MAX:
                return
            continue
        value = found[2].strip()
        if value.startswith("<text>"):
            parts = [value.removeprefix("<text>")]
            while "</text>" not in parts[-1]:
                further = next(lines, None)
                if further is None:
                    odd.append(f"line {number}: <text> is not closed")
                    break
                parts.append(further[1])
            value = "\n".join(parts).partition("</text>")[0]
        yield number, found[1], value


def _inventory(held: _Document) -> Inventory:
    faults: list[Fault] = []
    identities = [_identity(one, faults) for one in held.packages]
    by_id = {
        one.id: identity
        for one, identity in zip(held.packages, identities, strict=True)
        if identity is not None
    }
    sources: dict[str, list[Identity]] = {}
    for built, source in held.sources:
        if source in by_id:
            sources.setdefault(built, []).append(by_id[source])
    components: list[Component] = []
    seen: set[str] = set()
    for one, identity in zip(held.packages, identities, strict=True):
        components.append(_component(one, identity, sources.get(one.id, []), faults))
        if one.id in seen:
            problem = f"SPDXID {one.id!r} stands twice; both packages are kept under it"
            faults.append(Fault(one.place, problem))
        seen.add(one.id)
    return Inventory(tuple(components), tuple(faults))


def _identity(one: _Package, faults: list[Fault]) -> Identity | None:
    """The first purl that can be read; faults for those that cannot, and where there is none."""
    stated = [locator for kind, locator in one.refs if kind == "purl" and locator not in _NOTHING]
    found: Identity | None = None
    for purl in stated:
        try:
            found = found or identify(purl)
        except Invalid as error:
            faults.append(Fault(one.place, error.problem))
    if not stated:
        faults.append(Fault(one.place, "no purl is given; which package this is stays unknown"))
    return found


def _component(
    one: _Package, identity: Identity | None, sources: list[Identity], faults: list[Fault]
) -> Component:
    release = identity.release if identity else None
    stated = "" if one.version in _NOTHING else one.version.strip()
    version = (release.version if release else "") or stated
    if not version:
        problem = "no version is given; whether it is affected stays unknown"
        faults.append(Fault(one.place, problem))
    elif (
        release
        and stated
        and release.version
        and stated not in {version, version.partition(":")[2]}
    ):
        problem = f"version {stated!r} differs from the purl's {version!r}, which is used"
        faults.append(Fault(one.place, problem))
    own = release.package if release else None
    names = list(identity.names) if identity else []
    for source in sources:
        if source.release.package != own:
            ground = "the document says that it was generated from there"
            built = Name(source.release.package, source.release.version, Naming.MAPPED, ground)
            names.append(built)
    if own is None or own.type in REPACKAGED:
        named = (cpe_name(where) for kind, where in one.refs if kind in {"cpe22Type", "cpe23Type"})
        names += filter(None, named)
    supplier = _SUPPLIER.match(one.supplier)
    return Component(
        ref=one.id,
        name=one.name,
        version=version,
        package=own,
        kind="device" if one.purpose in _DEVICES else "software",
        maker=supplier[1].strip() if supplier else "",
        comment=one.comment,
        branch=identity.branch if identity else "",
        names=tuple(names),
    )
