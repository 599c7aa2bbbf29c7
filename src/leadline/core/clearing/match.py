"""Which components of an inventory known advisories touch, and how sure the name is.

Status and naming are two things: a component whose name is only *possible* (a CPE, a changed or vendored
copy) is never called affected or not affected by that name. What is not understood is unknown with its
reason, and a question says what would settle it.
Source: clearinghouse reference, sections 9.1 and 9.3.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.judge import Index
from leadline.core.clearing.naming import DISTRIBUTED
from leadline.core.clearing.product import Component, Inventory, Name, Naming, Package
from leadline.core.clearing.reading import CAUTION, Judgement, Status, read
from leadline.core.clearing.resemblance import REPACKAGED, may_be, plain

__all__ = [
    "EVERY",
    "Judgement",
    "Match",
    "Matching",
    "Question",
    "Status",
    "match",
    "read",
]

Key = TypeVar("Key", bound=Hashable)

EVERY = "*"  # stands for every advisory that is not named otherwise for the asset
CPE = "cpe"


@dataclass(frozen=True, slots=True)
class Match:
    """One component and one advisory that concerns it, or may."""

    asset: str
    advisory: str
    status: Status
    why: str
    naming: Naming = Naming.EXACT


@dataclass(frozen=True, slots=True)
class Question:
    """What to find out about an asset before *advisory* can be judged."""

    asset: str
    advisory: str
    ask: str


@dataclass(frozen=True, slots=True)
class Matching:
    """All pairs that concern an inventory; a pair that is not listed names another product."""

    assets: int
    matches: tuple[Match, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One answer, and how sure the name is by which it was found."""

    judgement: Judgement
    naming: Naming = Naming.EXACT

    @property
    def order(self) -> tuple[int, int]:
        """Less is more cautious; of equal statuses the surer name stands."""
        return CAUTION.index(self.judgement.status), tuple(Naming).index(self.naming)


def match(inventory: Inventory, advisories: Sequence[Advisory]) -> Matching:
    """Judge every component against every advisory, in the inventory's order.

    Withdrawn advisories match nothing. An asset that cannot be identified gets one pair with the
    advisory `EVERY`, so that it is never taken for not affected.
    """
    index = _Names([advisory for advisory in advisories if not advisory.withdrawn])
    found: dict[tuple[str, str], _Reading] = {}
    for component in inventory.components:
        for advisory, reading in index.readings(component):
            _keep(found, (component.ref, advisory), reading)
    matches = [
        Match(asset, advisory, held.judgement.status, held.judgement.why, held.naming)
        for (asset, advisory), held in found.items()
    ]
    questions = [
        Question(asset, advisory, held.judgement.ask)
        for (asset, advisory), held in found.items()
        if held.judgement.ask
    ]
    return Matching(len(inventory.components), tuple(matches), tuple(questions))


class _Names:
    """The statements of all advisories, found by package, by plain name, and by likeness."""

    def __init__(self, advisories: Sequence[Advisory]) -> None:
        self._ids = [advisory.id for advisory in advisories]
        self._index = Index(advisories)
        self._owners: dict[Package, dict[str, None]] = defaultdict(dict)
        self._by_name: dict[str, set[Package]] = defaultdict(set)
        self._unidentified: set[Package] = set()
        self._distributions: set[tuple[str, str]] = set()
        for advisory in advisories:
            for package in advisory.packages:
                self._take(package, advisory.id)

    def _take(self, package: Package, advisory: str) -> None:
        self._owners[package][advisory] = None
        if not package.type:
            self._unidentified.add(package)
            return
        self._by_name[plain(package.name)].add(package)
        if package.type in DISTRIBUTED:
            self._distributions.add((package.type, package.namespace))

    def readings(self, component: Component) -> Iterator[tuple[str, _Reading]]:
        """The answer for each advisory that concerns *component*, in order of advisory id."""
        found: dict[str, _Reading] = {}
        own = component.package
        if own is not None:
            for advisory, judgement in self._judged(own, component.version, component.branch):
                _keep(found, advisory, _Reading(judgement))
        for name in component.names:
            for advisory, reading in self._by_other_name(component, name):
                _keep(found, advisory, reading)
        for package in self._lookalikes(component):
            for advisory in self._owners[package]:
                reading = _Reading(_resembles(component, package), Naming.POSSIBLE)
                _keep(found, advisory, reading)
        yield from sorted(found.items(), key=lambda held: held[0])
        if own is None and (component.kind == "software" or self._by_name):
            yield EVERY, _Reading(_unidentified(component))
        elif own is not None and self._lacks_source(own, component):
            yield EVERY, _Reading(_without_source(own), Naming.POSSIBLE)

    def _judged(
        self, package: Package, version: str, branch: str
    ) -> Iterator[tuple[str, Judgement]]:
        table = self._index.table(package)
        if table is not None:
            for owner, judgement in table.judgements(version, branch):
                yield self._ids[owner], judgement

    def _by_other_name(self, component: Component, name: Name) -> Iterator[tuple[str, _Reading]]:
        if name.naming is Naming.MAPPED:
            for advisory, judged in self._judged(name.package, name.version, component.branch):
                told = Judgement(judged.status, f"{judged.why} ({name.ground})", judged.ask)
                yield advisory, _Reading(told, Naming.MAPPED)
            return
        if name.package.type == CPE:
            packages = sorted(self._by_name.get(plain(name.package.name), ()))
        else:
            packages = [name.package] if name.package in self._owners else []
        for package in packages:
            if package != component.package:
                for advisory in self._owners[package]:
                    yield advisory, _Reading(_possibly(component, package, name), Naming.POSSIBLE)

    def _lookalikes(self, component: Component) -> list[Package]:
        own = component.package
        if own is not None and own.type not in REPACKAGED:
            return []
        named = self._by_name.get(plain(component.name), set())
        products = {
            product for product in self._unidentified if own is None and may_be(component, product)
        }
        known = {own, *(name.package for name in component.names)}
        return sorted((named | products) - known)

    def _lacks_source(self, own: Package, component: Component) -> bool:
        """Whether advisories may speak of it by a source package that the inventory does not state."""
        return (
            (own.type, own.namespace) in self._distributions
            and own not in self._owners
            and not any(name.naming is Naming.MAPPED for name in component.names)
        )


def _keep(found: dict[Key, _Reading], key: Key, reading: _Reading) -> None:
    """Keep the more cautious of two answers, so that an asset named twice is never played down."""
    held = found.get(key)
    if held is None or reading.order < held.order:
        found[key] = reading


def _shown(package: Package) -> str:
    return package.purl() if package.type else f"{package.namespace} {package.name}"


def _resembles(component: Component, package: Package) -> Judgement:
    other = _shown(package)
    ask = (
        f"Is {component.label!r} the same product as {other}, and which release of it is installed?"
    )
    return Judgement(Status.UNKNOWN, f"the name resembles {other}; its identity is not stated", ask)


def _possibly(component: Component, package: Package, name: Name) -> Judgement:
    other = _shown(package)
    ask = f"Does {component.label!r} contain {other}, and which release of it?"
    return Judgement(Status.UNKNOWN, f"it may be {other}: {name.ground}", ask)


def _unidentified(component: Component) -> Judgement:
    if component.kind == "device":
        why = "the inventory does not list what software is inside this device"
        ask = f"Ask the maker of {component.label} for a list of the software inside it (an SBOM)."
    else:
        why = "the inventory does not say which package this is"
        ask = f"Which package is {component.label}? Add its Package-URL, or its registry, name and release."
    return Judgement(Status.UNKNOWN, why, ask)


def _without_source(own: Package) -> Judgement:
    why = (
        "the inventory does not say from which source package it was built; advisories name sources"
    )
    ask = (
        f"From which source package does {own.namespace or own.type} build {own.name}? "
        "Export the inventory again with sources (the purl qualifier upstream)."
    )
    return Judgement(Status.UNKNOWN, why, ask)
