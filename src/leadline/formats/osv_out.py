"""OSV 1.7 out: one record for each flaw.

OSV reads a release that lies in no range as not affected, so a package of which any release is untested or in
doubt is left out, and a flaw without any package that can be said has no record. A record is named by an id of
a database that OSV knows, CVE first; an advisory's own id stands among `database_specific`.
Source: OSV schema 1.7, https://ossf.github.io/osv-schema/.
"""

import re
from collections.abc import Iterator, Mapping

from leadline.core.clearing.advisory import Advisory, Flaw, Statement
from leadline.core.clearing.product import Fault, Interval, Package
from leadline.core.clearing.weakness import NAMES
from leadline.formats import schemas, scoring
from leadline.formats.csaf_out import dump, stamp
from leadline.formats.document import load
from leadline.formats.osv import ECOSYSTEMS
from leadline.formats.saying import Loss, all_sayable, groups, purl, settled

FORMAT = "osv"
SCHEMA = "osv-1.7.0.json"
VERSION = "1.7.0"
_KNOWN = {held: name for name, held in ECOSYSTEMS.items()}
_PLAIN = {kind: name for name, (kind, namespace) in ECOSYSTEMS.items() if not namespace}
# The prefixes of the schema, for ids that a public database gave.
_ID = re.compile(
    r"(CVE-\d{4}-\d{4,19}|GHSA-[0-9a-z-]{4,}|(PYSEC|GO|RUSTSEC|DSA|DLA|USN|RHSA|ALSA|RLSA|PSF|HSEC)-.+)"
)
_ONE_WORD = "one word for fixed and not affected, and none for a release without an order"
Json = dict[str, object]


def faults(data: bytes) -> tuple[Fault, ...]:
    """What the published schema finds wrong.

    Raises: Invalid, if the bytes are no JSON object.
    """
    return tuple(schemas.faults(SCHEMA, load(data, "OSV")))


def ident(flaw: Flaw) -> str:
    """The id a record of this flaw has; nothing where no database that OSV knows has given one."""
    return next((name for name in (flaw.cve, *flaw.ids) if _ID.fullmatch(name)), "")


def render(advisory: Advisory) -> Mapping[str, bytes]:
    """The records by id; the same advisory gives the same bytes.

    Raises: Invalid, for a CVSS vector that is none.
    """
    found = {}
    for flaw in advisory.flaws:
        name, affected = ident(flaw), list(_affected(flaw))
        if name and affected:
            found[name] = dump(_record(advisory, flaw, name, affected))
    return found


def losses(advisory: Advisory) -> tuple[Loss, ...]:
    """What the records leave out."""
    found: list[Loss] = []
    for flaw in advisory.flaws:
        if not ident(flaw):
            why = "no record: no database that OSV knows has given an id, such as a CVE id"
            found += [Loss(FORMAT, name, why) for name, _ in groups(flaw)]
            continue
        for name, held in groups(flaw):
            reasons = [why for why in map(_unsayable, held) if why]
            found += [Loss(FORMAT, name, why) for why in reasons or (_ONE_WORD,)]
    if advisory.withdrawn:
        found.append(Loss(FORMAT, "*", "a withdrawn record is kept and matches nothing"))
    return tuple(dict.fromkeys(found))


def ecosystem(package: Package, branch: str = "") -> str:
    """OSV's word for a registry or distribution; nothing where it has none."""
    name = _KNOWN.get((package.type, package.namespace)) or _PLAIN.get(package.type, "")
    if not branch or not name:
        return name
    return f"{name}:{'v' if name == 'Alpine' else ''}{branch}"


def package_name(package: Package) -> str:
    """How OSV spells a package's name, with the namespace that belongs to it."""
    if not package.namespace or (package.type, package.namespace) in _KNOWN:
        return package.name
    return f"{package.namespace}{':' if package.type == 'maven' else '/'}{package.name}"


def _unsayable(statement: Statement) -> str:
    """Why OSV cannot say a statement; nothing if it can."""
    if not ecosystem(statement.package):
        return f"OSV has no ecosystem for packages of type {statement.package.type}"
    if not settled(statement):
        return "OSV cannot say that releases are untested or in doubt"
    if statement.scheme not in {"", "semver", statement.package.scheme}:
        return "the ranges use an order that is not the registry's own"
    if not statement.affected:
        return "no affected release is named"
    if not all_sayable(statement.order, statement.affected):
        return "a range has an open beginning or no order"
    return ""


def _affected(flaw: Flaw) -> Iterator[Json]:
    """A package is left out whole if any statement about it cannot be said."""
    for _, held in groups(flaw):
        if not any(map(_unsayable, held)):
            yield from map(_entry, held)


def _entry(statement: Statement) -> Json:
    semver = statement.order == "semver" and statement.package.scheme != "semver"
    spans = [*statement.affected.intervals]
    # As a range as well: two spellings of one release are one release.
    spans += [Interval(held, held, high_included=True) for held in statement.affected.listed]
    fixes = set(statement.fixed.listed)
    entry: Json = {
        "package": {
            "ecosystem": ecosystem(statement.package, statement.branch),
            "name": package_name(statement.package),
            "purl": purl(statement),
        },
        "ranges": [
            {"type": "SEMVER" if semver else "ECOSYSTEM", "events": _events(held, fixes)}
            for held in spans
        ],
    }
    if statement.affected.listed:
        entry["versions"] = list(statement.affected.listed)
    return entry


def _events(interval: Interval, fixes: set[str]) -> list[Json]:
    events: list[Json] = [{"introduced": interval.low or "0"}]
    if interval.high:
        end = "fixed" if interval.high in fixes else "limit"
        events.append({"last_affected" if interval.high_included else end: interval.high})
    return events


def _record(advisory: Advisory, flaw: Flaw, name: str, affected: list[Json]) -> Json:
    last = stamp(advisory.revisions[-1].at)
    own: Json = {"advisory": advisory.id, "publisher": advisory.publisher}
    if flaw.cwe in NAMES:
        own["cwe_ids"] = [flaw.cwe]
    held: Json = {
        "schema_version": VERSION,
        "id": name,
        "modified": last,
        "published": stamp(advisory.revisions[0].at),
        "summary": flaw.title,
        "details": "\n\n".join(filter(None, (flaw.description, flaw.remedy, flaw.workaround))),
        "affected": affected,
        "references": [{"type": "WEB", "url": one.url} for one in advisory.references],
        "database_specific": own,
    }
    if advisory.withdrawn:
        held["withdrawn"] = last
    aliases = [other for other in flaw.ids if other != name]
    if aliases:
        held["aliases"] = aliases
    if advisory.credits:
        held["credits"] = [
            {"name": one.name, "type": one.kind.replace(" ", "_").upper()}
            for one in advisory.credits
        ]
    scores = {one.field: one.vector for one in (scoring.read(s.vector) for s in flaw.scores)}
    if scores:
        held["severity"] = [
            {"type": field.upper(), "score": vector} for field, vector in sorted(scores.items())
        ]
    return held
