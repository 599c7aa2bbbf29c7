"""Whether a release lies in what an advisory names: OSV ranges, `vers` ranges, and lists.

Ranges and lists are a union. Whatever cannot be read or ordered, and whatever contradicts itself, leaves
the answer at unknown unless another part holds the release; so nothing that nobody understood ever
reads as not affected.
Sources: OSV schema 1.7, "Evaluation"; VERS, package-url/vers-spec, "Using version range specifiers".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from operator import itemgetter
from typing import Literal, TypeVar

from leadline.core.clearing.product import Interval, Releases
from leadline.core.clearing.versions import Unparseable, Unsupported, compare, range_key

Held = TypeVar("Held")


class Answer(StrEnum):
    """What the ranges and lists say of one release."""

    AFFECTED = "affected"
    NOT_AFFECTED = "not_affected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an OSV range; ``introduced`` *version* ``0`` is the beginning of time."""

    kind: Literal["introduced", "fixed", "last_affected", "limit"]
    version: str


@dataclass(frozen=True, slots=True)
class OsvRange:
    """One range of an OSV document. A range in commits (``GIT``) cannot be judged here."""

    events: tuple[Event, ...]
    commits: bool = False


@dataclass(frozen=True, slots=True)
class Constraint:
    """One part of a `vers` range; ``*`` stands for every version and has none of its own."""

    comparator: Literal["=", "!=", "<", "<=", ">", ">=", "*"]
    version: str = ""


@dataclass(frozen=True, slots=True)
class Vers:
    """A `vers` range in its own scheme; without constraints it holds nothing."""

    scheme: str
    constraints: tuple[Constraint, ...]


def judge(
    scheme: str,
    version: str,
    *,
    ranges: Sequence[OsvRange | Vers] = (),
    listed: Sequence[str] = (),
) -> Answer:
    """What *ranges* and *listed* together say of *version*; unknown if they say nothing at all."""
    answers = [
        _vers(held, version) if isinstance(held, Vers) else _osv(scheme, version, held)
        for held in ranges
    ]
    if listed:
        answers.append(contains(Releases(listed=tuple(listed)), scheme, version))
    if True in answers:
        return Answer.AFFECTED
    if None in answers or not answers or isinstance(order(scheme, version, version), str):
        return Answer.UNKNOWN
    return Answer.NOT_AFFECTED


def order(scheme: str, a: str, b: str) -> int | str:
    """The order of two versions in a range: -1, 0 or 1, or why they have none."""
    try:
        if scheme != "composer":
            return compare(scheme, a, b)
        left, right = range_key(scheme, a), range_key(scheme, b)
    except (Unparseable, Unsupported) as error:
        return error.problem
    return (left > right) - (left < right)


def contains(releases: Releases, scheme: str, version: str) -> bool | None:
    """Whether *version* is in the set; None where that cannot be told."""
    answers = [_equals(scheme, version, listed) for listed in releases.listed]
    answers += [within(interval, scheme, version) for interval in releases.intervals]
    if True in answers:
        return True
    return None if None in answers else False


def within(interval: Interval, scheme: str, version: str) -> bool | None:
    """Whether *version* lies in *interval*; None where that cannot be told."""
    if interval == Interval():
        return True
    low = order(scheme, version, interval.low) if interval.low else 1
    high = order(scheme, version, interval.high) if interval.high else -1
    if isinstance(low, str) or isinstance(high, str) or _inverted(interval, scheme):
        return None
    above = low > 0 or (low == 0 and interval.low_included)
    below = high < 0 or (high == 0 and interval.high_included)
    return above and below


def osv_intervals(scheme: str, events: Sequence[Event]) -> tuple[Interval, ...] | None:
    """The intervals that one range's events mark, limits aside; None where that cannot be told.

    As OSV evaluates them, a second beginning in a row and an end before any beginning say nothing. A
    range without beginning, and a release that is both a beginning and an end, are not understood.
    """
    turns = _sorted(scheme, [event for event in events if event.kind != "limit"])
    if turns is None or all(event.kind != "introduced" for event in turns):
        return None
    intervals: list[Interval] = []
    begun: str | None = None
    for event in turns:
        if event.kind == "introduced":
            begun = event.version if begun is None else begun
        elif begun is not None:
            intervals.append(_interval(begun, event))
            begun = None
    if begun is not None:
        intervals.append(_interval(begun, None))
    return tuple(intervals)


def _sorted(scheme: str, events: list[Event]) -> list[Event] | None:
    """In the order of their versions; None where one has no place, or turns both ways at once."""
    beginning = Event("introduced", "0")
    first = [event for event in events if event == beginning]
    later = _arranged(scheme, [(event.version, event) for event in events if event != beginning])
    if later is None:
        return None
    both = any(
        order(scheme, one.version, other.version) == 0
        and (one.kind == "introduced") != (other.kind == "introduced")
        for one, other in pairwise(later)
    )
    return None if both else first + later


def _arranged(scheme: str, held: Sequence[tuple[str, Held]]) -> list[Held] | None:
    """What stands beside each version, in the order of the versions; None where two have no order."""
    placed = [(_place(scheme, version), version, beside) for version, beside in held]
    known = [(place, version, beside) for place, version, beside in placed if place is not None]
    known.sort(key=itemgetter(0))
    orders = (order(scheme, one[1], other[1]) for one, other in pairwise(known))
    if len(known) < len(placed) or any(isinstance(found, str) for found in orders):
        return None
    return [beside for _, _, beside in known]


def _place(scheme: str, version: str) -> bytes | None:
    return None if isinstance(order(scheme, version, version), str) else range_key(scheme, version)


def _interval(begun: str, end: Event | None) -> Interval:
    low = "" if begun == "0" else begun
    if end is None:
        return Interval(low)
    return Interval(low, end.version, high_included=end.kind == "last_affected")


def _osv(scheme: str, version: str, held: OsvRange) -> bool | None:
    intervals = None if held.commits else osv_intervals(scheme, held.events)
    if intervals is None:
        return None
    inside = contains(Releases(intervals), scheme, version)
    limits = [event.version for event in held.events if event.kind == "limit"]
    if inside is False or not limits or "*" in limits:
        return inside
    places = [order(scheme, version, limit) for limit in limits]
    if any(isinstance(place, int) and place < 0 for place in places):
        return inside
    return None if any(isinstance(place, str) for place in places) else False


def _equals(scheme: str, version: str, listed: str) -> bool | None:
    if version == listed:
        return True
    place = order(scheme, version, listed)
    if isinstance(place, str):
        # A listed release that has no order is another text than one that has; else nothing is known.
        unordered = isinstance(order(scheme, version, version), str)
        paired = not isinstance(order(scheme, listed, listed), str)
        return None if unordered or paired else False
    return place == 0


def _inverted(interval: Interval, scheme: str) -> bool:
    """Whether the ends contradict each other, so that nobody knows which releases are meant."""
    if not interval.low or not interval.high:
        return False
    place = order(scheme, interval.low, interval.high)
    return isinstance(place, str) or place > 0


def releases(held: Vers) -> Releases | str:
    """The set of releases that *held* means, or why nobody can tell, naming the constraint.

    ``!=`` makes a hole in the interval around it, or, where it stands alone, in every release.
    Each version must have an order in the scheme and stand in one constraint, and no bound may be needless.
    """
    if held.constraints == (Constraint("*"),):
        return Releases((Interval(),))
    found = _in_order(held)
    if isinstance(found, str):
        return found
    listed = tuple(one.version for one in held.constraints if one.comparator == "=")
    edges = [one for one in found if one.comparator != "="]
    intervals = _pieces(edges, endless=not listed)
    return intervals if isinstance(intervals, str) else Releases(intervals, listed)


def _in_order(held: Vers) -> list[Constraint] | str:
    """The constraints by their versions; or why they have no order, naming the first that has none."""
    if any(one.comparator == "*" for one in held.constraints):
        return "* stands beside other constraints"
    for one in held.constraints:
        problem = order(held.scheme, one.version, one.version)
        if isinstance(problem, str):
            return f"{_written(one)!r}: {problem}"
    found = _arranged(held.scheme, [(one.version, one) for one in held.constraints])
    if found is None:
        return "two of its versions have no order between them"
    for one, other in pairwise(found):
        listed = one.comparator == other.comparator == "="
        if not listed and order(held.scheme, one.version, other.version) == 0:
            return f"{_written(one)!r} and {_written(other)!r} name one version"
    bounds = [one for one in held.constraints if one.comparator[0] in "<>"]
    if bounds != [one for one in found if one in bounds]:
        # As written, ">2|<1" may be meant to hold both ways at once, which nothing does.
        return "its bounds do not stand in the order of their versions"
    return found


def _pieces(edges: Sequence[Constraint], *, endless: bool) -> tuple[Interval, ...] | str:
    """The intervals between bounds, cut at the holes; a bound that changes nothing was not understood.

    Holes without bounds are in every release if *endless*, and change nothing otherwise.
    """
    bounds = [one for one in edges if one.comparator != "!="]
    before = bounds[0].comparator[0] == "<" if bounds else endless and bool(edges)
    begun: Constraint | None = Constraint(">=") if before else None
    found: list[Interval] = []
    for one in edges:
        if one.comparator == "!=":
            if begun is not None:
                found.append(_between(begun, one))
                begun = replace(one, comparator=">")
        elif (one.comparator[0] == ">") == (begun is not None):
            return f"{_written(one)!r} changes nothing"
        elif begun is None:
            begun = one
        else:
            found.append(_between(begun, one))
            begun = None
    if begun is not None:
        found.append(_between(begun, Constraint("<")))
    return tuple(found)


def _between(low: Constraint, high: Constraint) -> Interval:
    return Interval(
        low.version,
        high.version,
        low_included=low.comparator == ">=",
        high_included=high.comparator == "<=",
    )


def _written(one: Constraint) -> str:
    return f"{one.comparator}{one.version[:80]}"


def _vers(held: Vers, version: str) -> bool | None:
    found = releases(held)
    if not isinstance(found, str):
        return contains(found, held.scheme, version)
    named = [one.version for one in held.constraints if one.comparator == "="]
    return True if any(_equals(held.scheme, version, one) is True for one in named) else None
