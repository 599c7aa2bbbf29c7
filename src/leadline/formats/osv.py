"""OSV documents (JSON), read into advisories.

Ranges and listed versions are a union. ``introduced: "0"`` is the beginning of time, ``last_affected`` is
included, ``fixed`` and ``limit`` are not; only ``fixed`` names a remedy. A range given in commits alone
cannot be judged without the repository and stays a doubt. Aliases are names, never merges. Withdrawn
documents are read and match nothing.
Source: OSV schema 1.7, https://ossf.github.io/osv-schema/.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cmp_to_key

from leadline.core.clearing.advisory import Advisory, Flaw, Reference, Revision, Statement
from leadline.core.clearing.product import Interval, Package, Releases, package, parse_purl
from leadline.core.clearing.versions import Unparseable, Unsupported, compare
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp
from leadline.formats.document import load, record, records, text, texts

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
    "Red Hat": ("rpm", "redhat"),
    "Rocky Linux": ("rpm", "rocky-linux"),
    "AlmaLinux": ("rpm", "almalinux"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDS = ("fixed", "last_affected", "limit")


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
    held = record(entry.get("package"))
    versions = texts(entry.get("versions"))
    ranges = records(entry.get("ranges"))
    kinds = [kind for kind in ("ECOSYSTEM", "SEMVER") if any(r.get("type") == kind for r in ranges)]
    named = _package(held)
    if named is None:
        return []
    if not kinds:
        doubt = (
            () if versions else ("the affected releases are given in commits only, or not at all",)
        )
        return [Statement(named, Releases(listed=versions), complete=not doubt, doubts=doubt)]
    return [
        _ranged(named, kind, [r for r in ranges if r.get("type") == kind], versions)
        for kind in kinds
    ]


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


def _ranged(
    named: Package, kind: str, ranges: Sequence[Mapping[str, object]], versions: tuple[str, ...]
) -> Statement:
    scheme = "semver" if kind == "SEMVER" else named.scheme
    intervals: list[Interval] = []
    fixes: list[str] = []
    for held in ranges:
        events = _events(held, scheme)
        intervals += _intervals(events)
        fixes += [version for event, version in events if event == "fixed"]
    return Statement(
        package=named,
        affected=Releases(tuple(intervals), versions),
        fixed=Releases(listed=tuple(dict.fromkeys(fixes))),
        complete=True,
        scheme=scheme if scheme != named.scheme else "",
    )


def _events(held: Mapping[str, object], scheme: str) -> list[tuple[str, str]]:
    """The events of one range in the order of their versions; as written where that has no order."""
    events = [
        (kind, text(event[kind]))
        for event in records(held.get("events"))
        for kind in ("introduced", *_ENDS)
        if kind in event
    ]

    def order(a: tuple[str, str], b: tuple[str, str]) -> int:
        if "0" in {a[1], b[1]}:
            return (a[1] != "0") - (b[1] != "0")
        return compare(scheme, a[1], b[1])

    try:
        return sorted(events, key=cmp_to_key(order))
    except (Unparseable, Unsupported):
        return events


def _intervals(events: Sequence[tuple[str, str]]) -> list[Interval]:
    """Pairs of a beginning and the next end; a beginning without end stays open."""
    intervals: list[Interval] = []
    low: str | None = None
    for kind, version in events:
        if kind == "introduced":
            beginning = "" if version == "0" else version
            low = beginning if low is None else low
        elif low is not None and version != "*":
            intervals.append(Interval(low, version, high_included=kind == "last_affected"))
            low = None
    if low is not None:
        intervals.append(Interval(low))
    return intervals
