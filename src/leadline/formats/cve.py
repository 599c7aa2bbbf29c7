"""CVE JSON 5.1 out: the record of one CVE id, for whoever reserved it to submit.

Reserving an id and submitting a record are a person's acts; without a CVE id there is no record. CVE has one
word, `unaffected`, for fixed and for not affected. Entries stand in the order of caution, because readers take
the first that holds a release. What no entry can say is left to `defaultStatus: unknown`.
Source: CVE record format 5.1.1, definitions/product (the algorithm stands in `versions`).
"""

from collections.abc import Mapping

from leadline.core.clearing.advisory import Advisory, Flaw, Statement
from leadline.core.clearing.product import Fault, Interval, Releases
from leadline.core.clearing.weakness import NAMES
from leadline.formats import schemas, scoring
from leadline.formats.csaf_out import dump, stamp
from leadline.formats.document import load
from leadline.formats.osv_out import package_name
from leadline.formats.saying import Loss, all_sayable, groups, sayable

FORMAT = "cve"
SCHEMA = "cve-5.1.1.json"
NOBODY = "00000000-0000-4000-8000-000000000000"  # no CVE numbering authority has submitted this
# Names of collections as the record format writes them (CVE Record Format 5.1.1, `collectionURL`): identifiers
# that other readers compare, never addresses that anything here asks.
_COLLECTIONS = {
    "pypi": "https://pypi.python.org",
    "npm": "https://registry.npmjs.org",
    "maven": "https://repo.maven.apache.org/maven2",
    "cargo": "https://crates.io",
    "gem": "https://rubygems.org",
    "nuget": "https://nuget.org/packages",
    "composer": "https://packagist.org",
    "golang": "https://golang.org/pkg",
}
_FIELDS = {"2.0": "cvssV2_0", "3.0": "cvssV3_0", "3.1": "cvssV3_1", "4.0": "cvssV4_0"}
_TITLE_MAX = 256
Json = dict[str, object]


def faults(data: bytes) -> tuple[Fault, ...]:
    """What the published schema finds wrong.

    Raises: Invalid, if the bytes are no JSON object.
    """
    return tuple(schemas.faults(SCHEMA, load(data, "CVE")))


def render(advisory: Advisory, authority: str = NOBODY) -> Mapping[str, bytes]:
    """The records by CVE id. *authority* is the UUID of the numbering authority that reserved the ids.

    Raises: Invalid, for a CVSS vector that is none.
    """
    return {
        flaw.cve: dump(
            _rejected(advisory, flaw, authority)
            if advisory.withdrawn
            else _published(advisory, flaw, authority)
        )
        for flaw in advisory.flaws
        if flaw.cve and flaw.statements
    }


def losses(advisory: Advisory) -> tuple[Loss, ...]:
    """What the records cannot say."""
    if advisory.withdrawn:
        return (Loss(FORMAT, "*", "a withdrawn record names no product"),)
    found: list[Loss] = []
    for flaw in advisory.flaws:
        for name, held in groups(flaw):
            if not flaw.cve:
                why = "no record: no CVE id; a person asks a numbering authority to reserve one"
                found.append(Loss(FORMAT, name, why))
                continue
            found.append(Loss(FORMAT, name, "one word, unaffected, for fixed and not affected"))
            if not all(map(_whole, held)):
                found.append(Loss(FORMAT, name, "a range has an open beginning or no order"))
    return tuple(dict.fromkeys(found))


def collection(kind: str) -> str:
    """Where CVE says that packages of a type are; nothing where it has no place for them."""
    return _COLLECTIONS.get(kind, "")


def _whole(statement: Statement) -> bool:
    """Whether every part of the statement can be said as a range that begins with a release in it."""
    parts = (statement.affected, statement.fixed, statement.not_affected, statement.untested)
    return all(all_sayable(statement.order, part) for part in parts)


def _metadata(flaw: Flaw, authority: str, state: str) -> Json:
    return {"cveId": flaw.cve, "assignerOrgId": authority, "state": state}


def _published(advisory: Advisory, flaw: Flaw, authority: str) -> Json:
    last = stamp(advisory.revisions[-1].at)
    page = {"url": advisory.namespace, "name": advisory.id}
    cna: Json = {
        "providerMetadata": {"orgId": authority, "dateUpdated": last},
        "title": flaw.title[:_TITLE_MAX],
        "datePublic": stamp(advisory.revisions[0].at),
        "descriptions": [{"lang": "en", "value": flaw.description}],
        "affected": [_product(held) for held in flaw.statements],
        "references": list(
            {
                held["url"]: held
                for held in (
                    *({"url": one.url, "name": one.summary[:512]} for one in advisory.references),
                    page,
                )
            }.values()
        ),
    }
    if flaw.cwe in NAMES:
        told = {"lang": "en", "type": "CWE", "cweId": flaw.cwe, "description": NAMES[flaw.cwe]}
        cna["problemTypes"] = [{"descriptions": [told]}]
    for field, words in (("solutions", flaw.remedy), ("workarounds", flaw.workaround)):
        if words:
            cna[field] = [{"lang": "en", "value": words}]
    if flaw.scores:
        cna["metrics"] = [_metric(one.vector, one.by) for one in dict.fromkeys(flaw.scores)]
    if advisory.credits:
        cna["credits"] = [
            {"lang": "en", "value": one.name, "type": one.kind} for one in advisory.credits
        ]
    return {
        "dataType": "CVE_RECORD",
        "dataVersion": "5.1",
        "cveMetadata": _metadata(flaw, authority, "PUBLISHED"),
        "containers": {"cna": cna},
    }


def _rejected(advisory: Advisory, flaw: Flaw, authority: str) -> Json:
    return {
        "dataType": "CVE_RECORD",
        "dataVersion": "5.1",
        "cveMetadata": _metadata(flaw, authority, "REJECTED"),
        "containers": {
            "cna": {
                "providerMetadata": {"orgId": authority},
                "rejectedReasons": [{"lang": "en", "value": advisory.revisions[-1].summary}],
            }
        },
    }


def _metric(vector: str, by: str) -> Json:
    held = scoring.read(vector)
    told = [{"lang": "en", "value": f"Assessed by {by}."}]
    return {"format": "CVSS", _FIELDS[held.version]: dict(held.document), "scenarios": told}


def _product(statement: Statement) -> Json:
    package, url = statement.package, collection(statement.package.type)
    held: Json = {
        "vendor": package.namespace or package.name,
        "product": package.name,
        "defaultStatus": "unknown",
    }
    if url:
        held |= {"collectionURL": url, "packageName": package_name(package)}
    if statement.branch:
        held["platforms"] = [f"{package.namespace} {statement.branch}"]
    if _whole(statement):
        versions = _entries(statement)
        if statement.complete and not statement.doubts:
            held["defaultStatus"] = "unaffected"
    else:
        # The rest could contradict what is left out, so it stays at unknown.
        versions = _ranges(statement, statement.affected, "affected")
    if versions:
        unique = {tuple(sorted(one.items())): one for one in versions}  # the schema asks for it
        held["versions"] = list(unique.values())
    return held


def _entries(statement: Statement) -> list[Json]:
    """In the order in which `match.read` asks: the first entry that holds a release decides."""
    found = _ranges(statement, statement.affected, "affected")
    found += _ranges(statement, statement.fixed, "unaffected")
    found += _ranges(statement, statement.not_affected, "unaffected")
    found += _ranges(statement, statement.untested, "unknown")
    if not statement.doubts:
        after = Releases(tuple(Interval(held) for held in statement.fixed.listed))
        found += _ranges(statement, after, "unaffected")
    return found


def _ranges(statement: Statement, releases: Releases, status: str) -> list[Json]:
    spans = [held for held in releases.intervals if sayable(statement.order, held)]
    # A single release is a range as well, so that two spellings of it are one release.
    listed = [Interval(held, held, high_included=True) for held in releases.listed]
    spans += [held for held in listed if sayable(statement.order, held)]
    kind = {"pypi": "python"}.get(statement.order, statement.order)
    return [
        {
            "version": held.low or "0",
            "lessThanOrEqual" if held.high_included and held.high else "lessThan": held.high or "*",
            "status": status,
            "versionType": kind,
        }
        for held in spans
    ]
