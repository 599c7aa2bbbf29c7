"""What an operator runs and what an advisory speaks of: packages, releases, components.

Identity is a Package-URL without version, normalised by the rules of its type, so that two spellings
of one package are one value and two packages never are. A component without such an identity is kept:
what is not understood stays visible and ends as unknown.
Sources: Package-URL specification (ECMA-427); PEP 503 for PyPI names.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from packaging.utils import canonicalize_name

from leadline.core.clearing import purl as purls
from leadline.core.clearing.purl import Purl


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
        return str(Purl(self.type, self.namespace, self.name, version))


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a package; *version* is empty where the purl gives none."""

    package: Package
    version: str


def parse_purl(text: str) -> Release:
    """Read a Package-URL; the epoch that rpm keeps in a qualifier is put before the version.

    Raises: Invalid, naming what the specification asks for.
    """
    return release_of(purls.parse(text))


def release_of(parsed: Purl) -> Release:
    """The package and the release that a Package-URL names."""
    version = parsed.version
    if parsed.type == "rpm" and version and parsed.qualifiers and ":" not in version:
        epoch = parsed.qualifier("epoch")
        version = f"{epoch}:{version}" if epoch else version
    return Release(_spelled(parsed.type, parsed.namespace, parsed.name), version)


def package(kind: str, namespace: str, name: str) -> Package:
    """A package with the spelling its type prescribes.

    Raises: Invalid, if the type or the name cannot stand in a Package-URL.
    """
    # Whoever names a registry and a name need not know what else its Package-URLs ask for.
    asked = {"uuid": "-"} if kind == "julia" else {}
    parsed = purls.make(kind, namespace, name, qualifiers=asked)
    return _spelled(parsed.type, parsed.namespace, parsed.name)


# What inventories and advisories call one distribution: the id of os-release, and other spellings.
_DISTRIBUTIONS = {"rhel": "redhat", "rocky-linux": "rocky", "sles": "suse", "alma": "almalinux"}


@lru_cache(maxsize=65_536)
def _spelled(kind: str, namespace: str, name: str) -> Package:
    if kind == "rpm":
        namespace = _DISTRIBUTIONS.get(namespace, namespace)
    return Package(kind, namespace, canonicalize_name(name) if kind == "pypi" else name)


class Naming(StrEnum):
    """How sure it is that a component is the package that an advisory names.

    ``mapped``: the distribution or a registry says so. ``possible``: somebody may think so (a CPE, a
    changed copy); it alone makes nothing affected and nothing not affected.
    """

    EXACT = "exact"
    MAPPED = "mapped"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class Name:
    """Another package that a component is, or may be; *ground* says in words why.

    An empty *version* is not known. A CPE is a package of type ``cpe``: vendor and product.
    """

    package: Package
    version: str
    naming: Naming
    ground: str


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
    *kind* ``device`` is a product whose contents the inventory does not list. *branch* is the release
    of the distribution it is installed on, as `naming.branch` writes it; *names* are other packages
    that it is or may be.
    """

    ref: str
    name: str
    version: str = ""
    package: Package | None = None
    kind: Literal["software", "device"] = "software"
    maker: str = ""
    site: str = ""
    comment: str = ""
    branch: str = ""
    names: tuple[Name, ...] = ()

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
