"""What an operator runs and what an advisory speaks of: packages, releases, components.

Identity is a Package-URL without version, normalised by the rules of its type, so that two spellings
of one package are one value and two packages never are. A component without such an identity is kept:
what is not understood stays visible and ends as unknown.
Sources: Package-URL specification (ECMA-427); PEP 503 for PyPI names.
"""

from dataclasses import dataclass
from typing import Literal

from packageurl import PackageURL
from packaging.utils import canonicalize_name

from leadline.core.errors import Invalid


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package apart from its releases: type, namespace and name, normalised."""

    type: str
    namespace: str
    name: str

    @property
    def scheme(self) -> str:
        """The version scheme of this type; schemes are named after the types that use them."""
        return self.type

    def purl(self, version: str = "") -> str:
        """The canonical Package-URL of this package, or of one release."""
        return PackageURL(self.type, self.namespace or None, self.name, version or None).to_string()


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a package; *version* is empty where the purl gives none."""

    package: Package
    version: str


def parse_purl(text: str) -> Release:
    """Read a Package-URL.

    Raises: Invalid, naming what the specification asks for.
    """
    try:
        parsed = PackageURL.from_string(text)
    except ValueError as error:
        raise Invalid("purl", f"{text[:200]!r} is no Package-URL: {error}") from None
    return Release(package(parsed.type, parsed.namespace or "", parsed.name), parsed.version or "")


def package(kind: str, namespace: str, name: str) -> Package:
    """A package with the spelling its type prescribes.

    Raises: Invalid, if the type or the name cannot stand in a Package-URL.
    """
    try:
        parsed = PackageURL(kind, namespace or None, name)
    except ValueError as error:
        raise Invalid("purl", f"type {kind!r}, name {name[:200]!r}: {error}") from None
    spelled = canonicalize_name(parsed.name) if parsed.type == "pypi" else parsed.name
    return Package(parsed.type, parsed.namespace or "", spelled)


@dataclass(frozen=True, slots=True)
class Interval:
    """Versions between two ends; an empty end is open, so `Interval()` holds every version."""

    low: str = ""
    high: str = ""
    low_included: bool = True
    high_included: bool = False


@dataclass(frozen=True, slots=True)
class Releases:
    """A set of versions: those in any of *intervals*, and those *listed* one by one."""

    intervals: tuple[Interval, ...] = ()
    listed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.intervals or self.listed)


NONE = Releases()


@dataclass(frozen=True, slots=True)
class Component:
    """One line of an inventory.

    *ref* is the asset's id in its document: bom-ref, or line number with the header as line 1.
    *kind* ``device`` is a product whose contents the inventory does not list.
    """

    ref: str
    name: str
    version: str = ""
    package: Package | None = None
    kind: Literal["software", "device"] = "software"
    maker: str = ""
    site: str = ""
    comment: str = ""

    @property
    def label(self) -> str:
        """What people call it: maker and name, without the release."""
        return " ".join(part for part in (self.maker, self.name) if part) or f"asset {self.ref}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in an input: where (JSON pointer or line), and what would be right."""

    place: str
    problem: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """All components of one document, in its order, and what was wrong with it."""

    components: tuple[Component, ...]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever runs the components of one inventory. *sample* marks the invented ones."""

    id: str
    name: str
    sector: str
    contact: str
    sample: bool
