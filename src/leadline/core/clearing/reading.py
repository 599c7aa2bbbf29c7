"""What one statement says of one release: the slow judge, by which all others are measured.

The order of the answers is the order of caution: affected wins over unknown, unknown over fixed, fixed
over not_affected. *not_affected* is said only where the release and every bound of the statement could be
ordered and the statement names all affected releases; what is not understood is unknown with its reason.
Source: clearinghouse reference, section 9.1; OSV schema 1.7 (ranges and listed versions are a union).
"""

from dataclasses import dataclass
from enum import StrEnum

from leadline.core.clearing.advisory import Statement
from leadline.core.clearing.product import Interval
from leadline.core.clearing.versions.ranges import contains, order


class Status(StrEnum):
    """What is known about one component and one advisory."""

    AFFECTED = "affected"
    UNKNOWN = "unknown"
    FIXED = "fixed"
    NOT_AFFECTED = "not_affected"


CAUTION = (Status.AFFECTED, Status.UNKNOWN, Status.FIXED, Status.NOT_AFFECTED)


class Cause(StrEnum):
    """Why a statement gives its status; with the fixed release it makes the words."""

    INSIDE = "affected"
    NAMED_FIXED = "named as fixed"
    NAMED_UNTOUCHED = "named as not affected"
    DOUBT = "a part cannot be read"
    UNORDERED = "the release has no order"
    BOUND = "a bound has no order"
    UNTRIED = "not tried"
    AFTER_FIX = "after the fix"
    OUTSIDE = "outside"
    SILENT = "not spoken of"


STATUS = {
    Cause.INSIDE: Status.AFFECTED,
    Cause.NAMED_FIXED: Status.FIXED,
    Cause.NAMED_UNTOUCHED: Status.NOT_AFFECTED,
    Cause.DOUBT: Status.UNKNOWN,
    Cause.UNORDERED: Status.UNKNOWN,
    Cause.BOUND: Status.UNKNOWN,
    Cause.UNTRIED: Status.UNKNOWN,
    Cause.AFTER_FIX: Status.FIXED,
    Cause.OUTSIDE: Status.NOT_AFFECTED,
    Cause.SILENT: Status.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """A status, the reason in words, and for unknown the question that would settle it."""

    status: Status
    why: str
    ask: str = ""


def read(statement: Statement, version: str) -> Judgement:
    """What *statement* says about release *version* of its own package."""
    if not version.strip():
        return without_version(statement)
    return words(statement, version, cause(statement, version))


def cause(statement: Statement, version: str) -> Cause:  # noqa: PLR0911 -- one answer per rule, in order
    """Why *statement* gives its status for *version*, which is not blank."""
    scheme = statement.order
    if contains(statement.affected, scheme, version) is True:
        return Cause.INSIDE
    if contains(statement.fixed, scheme, version) is True:
        return Cause.NAMED_FIXED
    if contains(statement.not_affected, scheme, version) is True:
        return Cause.NAMED_UNTOUCHED
    if statement.doubts:
        return Cause.DOUBT
    if isinstance(order(scheme, version, version), str):
        return Cause.UNORDERED
    if contains(statement.affected, scheme, version) is None:
        return Cause.BOUND
    if contains(statement.untested, scheme, version) is not False:
        return Cause.UNTRIED
    if _fix(statement, version):
        return Cause.AFTER_FIX
    return Cause.OUTSIDE if statement.complete else Cause.SILENT


def _fix(statement: Statement, version: str) -> str:
    """The first fixed release that *version* has reached."""
    scheme = statement.order
    return next((fix for fix in statement.fixed.listed if _reaches(scheme, version, fix)), "")


def _reaches(scheme: str, version: str, fix: str) -> bool:
    place = order(scheme, version, fix)
    return isinstance(place, int) and place >= 0


def words(statement: Statement, version: str, why: Cause) -> Judgement:  # noqa: PLR0911 -- one sentence each
    """The judgement that *why* stands for."""
    name = statement.package.name
    match why:
        case Cause.INSIDE:
            return Judgement(Status.AFFECTED, f"{name} {version} is among the affected releases")
        case Cause.NAMED_FIXED:
            return Judgement(Status.FIXED, f"{name} {version} is named as a fixed release")
        case Cause.NAMED_UNTOUCHED:
            told = f"the publisher names {name} {version} as not affected"
            return Judgement(Status.NOT_AFFECTED, told)
        case Cause.DOUBT:
            told = f"part of the advisory cannot be read: {statement.doubts[0]}"
            return _open(name, version, told)
        case Cause.UNORDERED:
            return _open(name, version, str(order(statement.order, version, version)))
        case Cause.BOUND:
            return _open(name, version, "a bound of the advisory cannot be ordered")
        case Cause.UNTRIED:
            return _open(name, version, "this release was not tried")
        case Cause.AFTER_FIX:
            fix = _fix(statement, version)
            return Judgement(Status.FIXED, f"{name} {version} comes after the fixed release {fix}")
        case Cause.OUTSIDE:
            told = f"{name} {version} lies outside every affected range"
            return Judgement(Status.NOT_AFFECTED, told)
        case _:
            return _open(name, version, "the advisory does not speak of this release")


def without_version(statement: Statement) -> Judgement:
    """What *statement* says about a copy of its package whose release is not given."""
    name = statement.package.name
    if Interval() in statement.affected.intervals:
        return Judgement(Status.AFFECTED, f"every release of {name} is affected")
    ask = f"Which release of {name} is installed?"
    return Judgement(Status.UNKNOWN, f"the installed release of {name} is not given", ask)


def _open(name: str, version: str, reason: str) -> Judgement:
    ask = f"Ask whoever supplies {name}: is release {version} affected?"
    return Judgement(Status.UNKNOWN, f"{name} {version}: {reason}", ask)
