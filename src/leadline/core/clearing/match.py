"""Which components an advisory touches: affected, fixed, not_affected or unknown.

The order of the answers is the order of caution: affected wins over unknown, unknown over fixed, fixed
over not_affected. *not_affected* is said only where the package is the same, its version and every
bound of the advisory could be ordered, and the advisory names all affected releases; everything that
is not understood is unknown with its reason, and a question says what would settle it.
Source: clearinghouse reference, section 9.1; OSV schema 1.7 (ranges and listed versions are a union).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from leadline.core.clearing.advisory import Advisory, Statement
from leadline.core.clearing.product import Component, Interval, Inventory, Package
from leadline.core.clearing.resemblance import REPACKAGED, may_be, plain
from leadline.core.clearing.versions.ranges import contains, order

Key = TypeVar("Key", bound=Hashable)

EVERY = "*"  # stands for every advisory that is not named otherwise for the asset


class Status(StrEnum):
    """What is known about one component and one advisory."""

    AFFECTED = "affected"
    UNKNOWN = "unknown"
    FIXED = "fixed"
    NOT_AFFECTED = "not_affected"


_CAUTION = (Status.AFFECTED, Status.UNKNOWN, Status.FIXED, Status.NOT_AFFECTED)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A status, the reason in words, and for unknown the question that would settle it."""

    status: Status
    why: str
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One component and one advisory that concerns it, or may."""

    asset: str
    advisory: str
    status: Status
    why: str


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


def match(inventory: Inventory, advisories: Sequence[Advisory]) -> Matching:
    """Judge every component against every advisory, in the inventory's order.

    Withdrawn advisories match nothing. An asset that cannot be identified gets one pair with the
    advisory `EVERY`, so that it is never taken for not affected.
    """
    index = _Index([advisory for advisory in advisories if not advisory.withdrawn])
    found: dict[tuple[str, str], Judgement] = {}
    for component in inventory.components:
        for advisory, reading in index.readings(component):
            _keep(found, (component.ref, advisory), reading)
    matches = [
        Match(asset, advisory, reading.status, reading.why)
        for (asset, advisory), reading in found.items()
    ]
    questions = [
        Question(asset, advisory, reading.ask)
        for (asset, advisory), reading in found.items()
        if reading.ask
    ]
    return Matching(len(inventory.components), tuple(matches), tuple(questions))


class _Index:
    """The statements of all advisories, found by package and by plain name."""

    def __init__(self, advisories: Iterable[Advisory]) -> None:
        self._by_package: dict[Package, list[tuple[str, Statement]]] = defaultdict(list)
        self._by_name: dict[str, set[Package]] = defaultdict(set)
        self._unidentified: set[Package] = set()
        for advisory in advisories:
            for flaw in advisory.flaws:
                for statement in flaw.statements:
                    package = statement.package
                    self._by_package[package].append((advisory.id, statement))
                    if package.type:
                        self._by_name[plain(package.name)].add(package)
                    else:
                        self._unidentified.add(package)

    def readings(self, component: Component) -> Iterator[tuple[str, Judgement]]:
        """The answer for each advisory that concerns *component*, in order of advisory id."""
        found: dict[str, Judgement] = {}
        for advisory, statement in (
            self._by_package.get(component.package, ()) if component.package else ()
        ):
            _keep(found, advisory, read(statement, component.version))
        for package in self._lookalikes(component):
            for advisory, statement in self._by_package[package]:
                _keep(found, advisory, _resembles(component, statement))
        yield from sorted(found.items())
        if component.package is None and (component.kind == "software" or self._by_name):
            yield EVERY, _unidentified(component)

    def _lookalikes(self, component: Component) -> list[Package]:
        own = component.package
        if own is not None and own.type not in REPACKAGED:
            return []
        named = self._by_name.get(plain(component.name), set())
        products = {
            product for product in self._unidentified if own is None and may_be(component, product)
        }
        return sorted((named | products) - {own})


def _keep(found: dict[Key, Judgement], key: Key, reading: Judgement) -> None:
    """Keep the more cautious of two answers, so that an asset named twice is never played down."""
    held = found.get(key)
    if held is None or _CAUTION.index(reading.status) < _CAUTION.index(held.status):
        found[key] = reading


def read(statement: Statement, version: str) -> Judgement:
    """What *statement* says about release *version* of its own package."""
    if not version.strip():
        return _without_version(statement)
    return (
        _stated(statement, version) or _doubtful(statement, version) or _outside(statement, version)
    )


def _stated(statement: Statement, version: str) -> Judgement | None:
    """The answer where the statement names the release or a range that holds it."""
    name, scheme = statement.package.name, statement.order
    if contains(statement.affected, scheme, version) is True:
        return Judgement(Status.AFFECTED, f"{name} {version} is among the affected releases")
    if contains(statement.fixed, scheme, version) is True:
        return Judgement(Status.FIXED, f"{name} {version} is named as a fixed release")
    if contains(statement.not_affected, scheme, version) is True:
        return Judgement(
            Status.NOT_AFFECTED, f"the publisher names {name} {version} as not affected"
        )
    return None


def _doubtful(statement: Statement, version: str) -> Judgement | None:
    """Unknown, where part of the statement or the release itself is not understood or not tried."""
    name, scheme = statement.package.name, statement.order
    if statement.doubts:
        return _open(name, version, f"part of the advisory cannot be read: {statement.doubts[0]}")
    itself = order(scheme, version, version)
    if isinstance(itself, str):
        return _open(name, version, itself)
    if contains(statement.affected, scheme, version) is None:
        return _open(name, version, "a bound of the advisory cannot be ordered")
    if contains(statement.untested, scheme, version) is not False:
        return _open(name, version, "this release was not tried")
    return None


def _outside(statement: Statement, version: str) -> Judgement:
    """The answer for a release that can be ordered and that no part of the statement names."""
    name, scheme = statement.package.name, statement.order
    fix = next((fix for fix in statement.fixed.listed if _reaches(scheme, version, fix)), None)
    if fix is not None:
        return Judgement(Status.FIXED, f"{name} {version} comes after the fixed release {fix}")
    if statement.complete:
        return Judgement(Status.NOT_AFFECTED, f"{name} {version} lies outside every affected range")
    return _open(name, version, "the advisory does not speak of this release")


def _reaches(scheme: str, version: str, fix: str) -> bool:
    place = order(scheme, version, fix)
    return isinstance(place, int) and place >= 0


def _without_version(statement: Statement) -> Judgement:
    name = statement.package.name
    if Interval() in statement.affected.intervals:
        return Judgement(Status.AFFECTED, f"every release of {name} is affected")
    ask = f"Which release of {name} is installed?"
    return Judgement(Status.UNKNOWN, f"the installed release of {name} is not given", ask)


def _open(name: str, version: str, reason: str) -> Judgement:
    ask = f"Ask whoever supplies {name}: is release {version} affected?"
    return Judgement(Status.UNKNOWN, f"{name} {version}: {reason}", ask)


def _resembles(component: Component, statement: Statement) -> Judgement:
    other = (
        statement.package.purl()
        if statement.package.type
        else f"{statement.package.namespace} {statement.package.name}"
    )
    ask = (
        f"Is {component.label!r} the same product as {other}, and which release of it is installed?"
    )
    return Judgement(Status.UNKNOWN, f"the name resembles {other}; its identity is not stated", ask)


def _unidentified(component: Component) -> Judgement:
    if component.kind == "device":
        why = "the inventory does not list what software is inside this device"
        ask = f"Ask the maker of {component.label} for a list of the software inside it (an SBOM)."
    else:
        why = "the inventory does not say which package this is"
        ask = f"Which package is {component.label}? Add its Package-URL, or its registry, name and release."
    return Judgement(Status.UNKNOWN, why, ask)
