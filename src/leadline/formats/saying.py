"""What every published format needs to say of a statement, and what each of them cannot say.

A format that has no word for something leaves it at unknown, and the loss is written down beside the
document. No loss ever turns unknown into not affected.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from packageurl import PackageURL

from leadline.core.clearing.advisory import Advisory, Flaw, Statement
from leadline.core.clearing.product import Interval, Releases
from leadline.core.clearing.versions.ranges import order


@dataclass(frozen=True, slots=True)
class Loss:
    """Something the advisory says and one format cannot. *package* is a Package-URL, or ``*``."""

    format: str
    package: str
    why: str


def purl(statement: Statement, version: str = "") -> str:
    """The Package-URL of the package or of one release, with the distribution's release if one is meant."""
    held = statement.package
    distro = {"distro": f"{held.namespace}-{statement.branch}"} if statement.branch else None
    return PackageURL(
        held.type, held.namespace or None, held.name, version or None, distro
    ).to_string()


def settled(statement: Statement) -> bool:
    """Whether every release is either affected or not: nothing untested, in doubt or left open."""
    return statement.complete and not statement.doubts and not statement.untested


def sayable(scheme: str, interval: Interval) -> bool:
    """Whether a format whose ranges begin with a release that is inside can say this interval.

    A beginning at release ``0`` would be read as the beginning of time.
    """
    if interval.low == "0" or (interval.low and not interval.low_included):
        return False
    for end in (interval.low, interval.high):
        if end and isinstance(order(scheme, end, end), str):
            return False
    if not interval.low or not interval.high:
        return True
    place = order(scheme, interval.low, interval.high)
    return place == -1 or (place == 0 and interval.high_included)


def all_sayable(scheme: str, releases: Releases) -> bool:
    """Whether every interval is `sayable` and every listed release has a place in the order."""
    return all(sayable(scheme, held) for held in releases.intervals) and all(
        held != "0" and not isinstance(order(scheme, held, held), str) for held in releases.listed
    )


def groups(flaw: Flaw) -> Iterator[tuple[str, list[Statement]]]:
    """The statements of a flaw by the package they are about, in order of first mention."""
    found: dict[str, list[Statement]] = {}
    for statement in flaw.statements:
        found.setdefault(purl(statement), []).append(statement)
    yield from found.items()


def doubled(advisory: Advisory) -> tuple[str, ...]:
    """The packages that one flaw has two statements about; formats would contradict themselves."""
    return tuple(name for flaw in advisory.flaws for name, held in groups(flaw) if len(held) > 1)


def losses_of_csaf(advisory: Advisory) -> tuple[Loss, ...]:
    """What CSAF 2.0 cannot say: it names releases, and nothing follows from their order."""
    if advisory.withdrawn:
        return (Loss("csaf", "*", "a withdrawn advisory names no product"),)
    return tuple(
        Loss("csaf", name, "only releases that are named have a status; the others are left open")
        for flaw in advisory.flaws
        for name, _ in groups(flaw)
    )
