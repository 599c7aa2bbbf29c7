"""OSV documents (JSON), read into advisories.

Ranges and listed versions are a union. ``introduced: "0"`` is the beginning of time, ``last_affected`` is
included, ``fixed`` and ``limit`` are not; only ``fixed`` names a remedy. A range given in commits alone
cannot be judged without the repository and stays a doubt, and so does whatever has not OSV's form or no
order: its absence from what was understood proves nothing. Aliases are names, never merges. Withdrawn
documents are read and match nothing.
Source: OSV schema 1.7, https://ossf.github.io/osv-schema/.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from leadline.core.clearing.advisory import Advisory, Flaw, Reference, Revision, Statement
from leadline.core.clearing.naming import branch
from leadline.core.clearing.product import Interval, Package, Releases, package, parse_purl
from leadline.core.clearing.versions import Unparseable, Unsupported, range_key
from leadline.core.clearing.versions.ranges import Event, order, osv_intervals, within
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp
from leadline.formats.document import items, load, record, records, text, texts

FORMAT = "osv"
ECOSYSTEMS: Mapping[str, tuple[str, str]] = {
    "PyPI": ("pypi", ""),
    "npm": ("npm", ""),
    "Go": ("golang", ""),
    "crates.io": ("cargo", ""),
    "NuGet": ("nuget", ""),
    "RubyGems": ("gem", ""),
    "Packagist": ("composer", ""),
    "Maven": ("maven", ""),
    "Debian": ("deb", "debian"),
    "Ubuntu": ("deb", "ubuntu"),
    "Alpine": ("apk", "alpine"),
    "Wolfi": ("apk", "wolfi"),
    "Chainguard": ("apk", "chainguard"),
    "Red Hat": ("rpm", "redhat"),
    "Rocky Linux": ("rpm", "rocky"),
    "AlmaLinux": ("rpm", "almalinux"),
    "SUSE": ("rpm", "suse"),
    "openSUSE": ("rpm", "opensuse"),
    "openEuler": ("rpm", "openeuler"),
    "GitHub Actions": ("github", ""),
    "ConanCenter": ("conan", ""),
    "SwiftURL": ("swift", ""),
}
_TIES_MAX = 50  # contradictions in one range; more are no slip of the pen
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Kind = Literal["introduced", "fixed", "last_affected", "limit"]
_KINDS: tuple[_Kind, ...] = ("introduced", "fixed", "last_affected", "limit")
_RANGE_KINDS = frozenset({"ECOSYSTEM", "SEMVER", "GIT"})


def recognises(document: Mapping[str, object]) -> bool:
    """Whether *document* has the fields every OSV document has."""
    return bool(text(document.get("id"))) and "affected" in document and "document" not in document


def parse(data: bytes, name: str = "OSV") -> Advisory:
    """Read one document.

    Raises: Invalid, if it is no JSON or has no id or no affected packages.
    """
    return read(load(data, name), name)


def read(document: Mapping[str, object], name: str = "OSV") -> Advisory:
    """Read one document that is already loaded.

    Raises: Invalid, if it has no id or no list of affected packages.
    """
    if not recognises(document):
        raise Invalid(name, "no OSV document: expected id and affected")
    ident = text(document["id"])
    aliases = texts(document.get("aliases"))
    statements = tuple(
        statement for entry in records(document["affected"]) for statement in _statements(entry)
    )
    if not statements:
        raise Invalid(name, "affected names no package")
    title = text(document.get("summary")) or ident
    flaw = Flaw(
        ids=tuple(sorted((ident, *aliases), key=lambda held: (not held.startswith("CVE-"), held))),
        title=title,
        description=text(document.get("details")) or title,
        statements=statements,
    )
    return Advisory(
        id=ident,
        title=title,
        flaws=(flaw,),
        revisions=(Revision("1", _moment(document.get("modified")), "As published."),),
        tlp=Tlp.CLEAR,
        status="final",
        publisher="OSV",
        namespace="https://osv.dev",
        references=tuple(
            Reference(text(held.get("url")), text(held.get("type")))
            for held in records(document.get("references"))
        ),
        withdrawn=bool(document.get("withdrawn")),
    )


def _moment(value: object) -> datetime:
    """The moment an RFC 3339 text names; the epoch where it names none."""
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        return _EPOCH
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _statements(entry: Mapping[str, object]) -> list[Statement]:
    """One statement per way of ordering: a package's own, and SemVer where ranges use it."""
    stated = record(entry.get("package"))
    named = _package(stated)
    if named is None:
        return []
    versions, ranges = texts(entry.get("versions")), records(entry.get("ranges"))
    kinds = [kind for kind in ("ECOSYSTEM", "SEMVER") if any(r.get("type") == kind for r in ranges)]
    odd = _odd(entry, ranges)
    if not kinds and not versions:
        odd = (*odd, "the affected releases are given in commits only, or not at all")
    blank = Statement(
        named,
        Releases(listed=versions),
        complete=True,
        doubts=odd,
        branch=branch(named.namespace, text(stated.get("ecosystem")).partition(":")[2]),
    )
    if not kinds:
        return [blank]
    return [_ranged(blank, kind, [r for r in ranges if r.get("type") == kind]) for kind in kinds]


def _odd(entry: Mapping[str, object], ranges: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """What in an entry has not the form of OSV, so that nothing can be told from its absence."""
    found = []
    if len(texts(entry.get("versions"))) != _count(entry.get("versions")):
        found.append("a listed version is no text")
    if len(ranges) != _count(entry.get("ranges")):
        found.append("a range is no object")
    strange = sorted({text(held.get("type"))[:40] for held in ranges} - _RANGE_KINDS)
    found += [f"ranges of the kind {kind!r} are not known" for kind in strange]
    return tuple(found)


def _count(value: object) -> int:
    """How many there should be: one where something else stands in place of an array."""
    return len(items(value)) if isinstance(value, list) or value is None else 1


def _package(held: Mapping[str, object]) -> Package | None:
    purl, name = text(held.get("purl")), text(held.get("name"))
    ecosystem = text(held.get("ecosystem")).partition(":")[0]
    kind, namespace = ECOSYSTEMS.get(ecosystem, (ecosystem.lower(), ""))
    try:
        if purl:
            return parse_purl(purl).package
        if kind == "maven":
            namespace, _, name = name.partition(":")
        elif "/" in name and not namespace:
            namespace, _, name = name.rpartition("/")
        return package(kind, namespace, name)
    except Invalid:
        return Package(kind, namespace, name) if name else None


def _ranged(blank: Statement, kind: str, ranges: Sequence[Mapping[str, object]]) -> Statement:
    """*blank* with what these ranges say; one that cannot be understood becomes a doubt."""
    scheme = "semver" if kind == "SEMVER" else blank.package.scheme
    intervals: list[Interval] = []
    fixes: list[str] = []
    doubts = list(blank.doubts)
    contradicted: list[str] = []
    for held in ranges:
        events, ties = _events(held) or [], list[str]()
        found = _intervals(scheme, events)
        if found is None:
            events, ties = _untied(scheme, events)
            found = _intervals(scheme, events)
        if found is None:
            doubts.append(f"a range cannot be put in order as {scheme}")
            continue
        intervals += [part for one in found for part in _parted(scheme, one, ties)]
        contradicted += ties
        fixes += [event.version for event in events if event.kind == "fixed"]
    return replace(
        blank,
        affected=Releases(tuple(intervals), blank.affected.listed),
        fixed=Releases(listed=tuple(dict.fromkeys(fixes))),
        untested=Releases(listed=tuple(contradicted)),
        doubts=tuple(dict.fromkeys(doubts)),
        scheme=scheme if scheme != blank.package.scheme else "",
    )


def _events(held: Mapping[str, object]) -> list[Event] | None:
    """The events of one range; None if one is not of a known form."""
    found: list[Event] = []
    for one in items(held.get("events")):
        stated = [(kind, record(one)[kind]) for kind in _KINDS if kind in record(one)]
        if len(stated) != 1 or not text(stated[0][1]).strip():
            return None
        found.append(Event(stated[0][0], text(stated[0][1])))
    return found


def _untied(scheme: str, events: list[Event]) -> tuple[list[Event], list[str]]:
    """The events without those that end and begin at one release, and these releases.

    Published ranges join two stretches so; whether the release itself is affected they do not say.
    """
    places = [(_place(scheme, event.version), event) for event in events if event.kind != "limit"]
    begins = {place for place, event in places if event.kind == "introduced"}
    ends = {place for place, event in places if event.kind != "introduced"}
    tied = (begins & ends) - {None}
    gone = {event: None for place, event in places if place in tied}
    if len(tied) > _TIES_MAX:
        return [], []
    ties = [event.version for event in gone if event.kind == "introduced"]
    return [event for event in events if event not in gone], ties


def _place(scheme: str, version: str) -> bytes | None:
    try:
        place = None if version == "0" else range_key(scheme, version)
    except (Unparseable, Unsupported):
        place = None  # a value: the range is not understood then
    return place


def _parted(scheme: str, interval: Interval, ties: Sequence[str]) -> Iterator[Interval]:
    """*interval* without the releases *ties*."""
    for tie in ties:
        if within(interval, scheme, tie) is True:
            before = replace(interval, high=tie, high_included=False)
            after = replace(interval, low=tie, low_included=False)
            yield from _parted(scheme, before, ties)
            yield from _parted(scheme, after, ties)
            return
    yield interval


def _intervals(scheme: str, events: Sequence[Event]) -> list[Interval] | None:
    """The intervals that hold releases before a limit; None where that cannot be told."""
    found = osv_intervals(scheme, events)
    limits = [event.version for event in events if event.kind == "limit"]
    if found is None or not limits or "*" in limits:
        return None if found is None else list(found)
    last = limits[0]
    for limit in limits[1:]:
        place = order(scheme, limit, last)
        if isinstance(place, str):
            return None
        last = limit if place > 0 else last
    clipped = [_clipped(scheme, interval, last) for interval in found]
    return None if None in clipped else [one for part in clipped for one in part or ()]


def _clipped(scheme: str, interval: Interval, limit: str) -> tuple[Interval, ...] | None:
    """The part of *interval* before *limit*; None where that cannot be told."""
    low = order(scheme, interval.low, limit) if interval.low else -1
    high = order(scheme, interval.high, limit) if interval.high else 1
    if isinstance(low, str) or isinstance(high, str):
        return None
    if low >= 0:
        return ()
    return (interval if high < 0 else replace(interval, high=limit, high_included=False),)
