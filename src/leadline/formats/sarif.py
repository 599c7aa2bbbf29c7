"""Reports in SARIF 2.1.0: one finding for each result that says something fails.

SARIF has no word for what a model found, so whoever hands it in says it, or the run (or a result) does,
in its property bag: ``"leadline": {"by": "ai", "confirmed_by": ..., "component": ..., "reproducer":
FILE}``. Results that pass, do not apply, are informational, were there before and are gone, or are
suppressed by the tool's user are no reports. Each finding keeps its own result's bytes.
Source: OASIS SARIF 2.1.0 (2020-03-27), sections 3.14, 3.27 and 3.28.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from leadline.core.clearing.finding import Evidence, Finding, Location, Severity
from leadline.core.clearing.product import Fault
from leadline.core.clearing.report import Beside, Draft, Faulty, Told
from leadline.formats.document import DOCUMENT_BYTES_MAX, items, record, records, text
from leadline.formats.finding_json import (
    REPORT_BYTES_MAX,
    label,
    loaded,
    nfc,
    one_line,
    purl,
    sound,
)

FORMAT = "sarif"
RESULTS_MAX = 10_000
FAULTS_MAX = 100
VERSION = "2.1.0"
_CWE = re.compile(r"(?i)\bcwe[-/ ]?0*([1-9][0-9]{0,4})\b")
_LEVELS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM))

Json = Mapping[str, object]


def recognises(document: Json) -> bool:
    """Whether this is SARIF of whatever version."""
    return "runs" in document and (
        "version" in document or "sarif" in text(document.get("$schema"))
    )


def read(data: bytes, name: str, told: Told, beside: Beside) -> tuple[Draft, ...]:
    """The findings of all runs, in their order.

    Raises: Faulty, with every fault, at most `FAULTS_MAX` of them.
    """
    document = loaded(data, name, DOCUMENT_BYTES_MAX)
    faults = list[Fault]()
    if document.get("version") != VERSION:
        faults.append(Fault("/version", f"is {document.get('version')!r}; {VERSION} is read here"))
    if not isinstance(document.get("runs"), list):
        faults.append(Fault("/runs", "is no array; a SARIF log has one"))
    sound(document.get("runs"), "/runs", faults)
    found = [] if faults else _drafts(document, told, beside, faults)
    if not found and not faults:
        faults.append(
            Fault("/runs", "no result says that something fails; there is nothing to report")
        )
    if faults:
        raise Faulty(name, faults[:FAULTS_MAX])
    return tuple(found)


def _drafts(document: Json, told: Told, beside: Beside, faults: list[Fault]) -> list[Draft]:
    found = list[Draft]()
    for at, run in enumerate(items(document.get("runs"))):
        for number, result in enumerate(items(record(run).get("results"))):
            place = f"/runs/{at}/results/{number}"
            if not _fails(record(result)):
                continue
            if len(found) == RESULTS_MAX:
                faults.append(Fault(place, f"more than {RESULTS_MAX} results; divide the log"))
                return found
            found.append(_draft(record(run), record(result), place, told, beside, faults))
    return found


def _fails(result: Json) -> bool:
    kind, gone = result.get("kind", "fail"), result.get("baselineState") == "absent"
    return kind in {"fail", "open", "review"} and not gone and not items(result.get("suppressions"))


def _draft(
    run: Json, result: Json, place: str, told: Told, beside: Beside, faults: list[Fault]
) -> Draft:
    driver = record(record(run.get("tool")).get("driver"))
    rule, bag = _rule(driver, result), _bag(run) | _bag(result)
    tool = text(driver.get("name"))
    named = label(_said(told, bag), f"{place}/properties/leadline/by", faults, tool)
    words = _message(result, rule)
    if not words:
        faults.append(Fault(f"{place}/message", "says nothing; give it a text"))
    raw = json.dumps(result, ensure_ascii=False, sort_keys=True).encode()
    if len(raw) > REPORT_BYTES_MAX:
        faults.append(Fault(place, f"longer than {REPORT_BYTES_MAX} bytes; shorten it"))
    path = text(bag.get("reproducer"))
    proof = beside(path) if path else None
    if path and proof is None:
        problem = f"no file {path!r} beside the report; hand it in with it"
        faults.append(Fault(f"{place}/properties/leadline/reproducer", problem))
    component = text(bag.get("component")) or told.purl
    return Draft(
        Finding(
            origin=named.origin,
            found_by=named.found_by,
            consent=named.consent,
            suite="report",
            item=FORMAT,
            run=nfc(text(record(run.get("automationDetails")).get("id"))),
            family=nfc(text(result.get("ruleId")) or text(rule.get("id"))),
            title=one_line(words, tool),
            purl=purl(component, f"{place}/properties/leadline/component", faults),
            target_digest="",
            proof_sha256=hashlib.sha256(proof).hexdigest() if proof is not None else "",
            observation=nfc(text(bag.get("oracle"))),
            at=told.at,
            cwe=_weakness(rule, result),
            severity=_severity(rule, result),
            assessor=tool,
            confirmed_by=nfc(text(bag.get("confirmed_by")) or told.confirmed_by),
            locations=tuple(_locations(run, result)),
            evidence=Evidence(nfc(text(bag.get("oracle")))),
            project=nfc(text(bag.get("project")) or told.project),
            report=hashlib.sha256(raw).hexdigest(),
        ),
        raw,
        proof,
    )


def _bag(holder: Json) -> dict[str, object]:
    return dict(record(record(holder.get("properties")).get("leadline")))


def _said(told: Told, bag: Json) -> Told:
    """What the log itself says of its origin stands before what its sender says."""
    by = bag.get("by")
    if by not in {"ai", "tool", "person"}:
        return told
    return replace(
        told,
        origin=by,
        found_by=text(bag.get("name")),
        consent=text(bag.get("consent")),
    )


def _rule(driver: Json, result: Json) -> Json:
    rules = [record(one) for one in items(driver.get("rules"))]
    number = result.get("ruleIndex", record(result.get("rule")).get("index"))
    if isinstance(number, int) and 0 <= number < len(rules):
        return rules[number]
    wanted = result.get("ruleId") or record(result.get("rule")).get("id")
    return next((one for one in rules if wanted and one.get("id") == wanted), {})


def _message(result: Json, rule: Json) -> str:
    message = record(result.get("message"))
    patterns = record(rule.get("messageStrings"))
    said = text(message.get("text")) or text(
        record(patterns.get(text(message.get("id")))).get("text")
    )
    for number, one in enumerate(items(message.get("arguments"))):
        said = said.replace(f"{{{number}}}", text(one))
    return said or text(record(rule.get("shortDescription")).get("text"))


def _weakness(rule: Json, result: Json) -> str:
    """The first weakness class that the result or its rule names, in taxa or tags."""
    said: list[object] = [text(one.get("id")) for one in records(result.get("taxa"))]
    for holder in (result, rule):
        said += items(record(holder.get("properties")).get("tags"))
    relations = [record(one.get("target")) for one in records(rule.get("relationships"))]
    said += [text(one.get("id")) for one in relations]
    said.append(text(rule.get("id")))
    found = (_CWE.search(one) for one in said if isinstance(one, str))
    return next((f"CWE-{one[1]}" for one in found if one), "")


def _severity(rule: Json, result: Json) -> Severity:
    """From ``security-severity``, a CVSS base score; the level of a result is no severity of a flaw."""
    for holder in (result, rule):
        said = record(holder.get("properties")).get("security-severity")
        try:
            score = float(said) if isinstance(said, str | int | float) else 0.0
        except (ValueError, OverflowError):
            score = 0.0
        if 0 < score <= 10:  # noqa: PLR2004 -- the scale of CVSS
            return next((word for floor, word in _LEVELS if score >= floor), Severity.LOW)
    return Severity.UNKNOWN


def _locations(run: Json, result: Json) -> Iterator[Location]:
    sources = [record(one) for one in items(run.get("versionControlProvenance"))]
    source: Json = sources[0] if len(sources) == 1 else {}
    for one in records(result.get("locations")):
        physical = record(one.get("physicalLocation"))
        region = record(physical.get("region"))
        logical = [record(held) for held in items(one.get("logicalLocations"))]
        function = next(
            (text(held.get("fullyQualifiedName")) or text(held.get("name")) for held in logical), ""
        )
        first = _line(region.get("startLine"))
        place = Location(
            nfc(text(record(physical.get("artifactLocation")).get("uri"))),
            nfc(function),
            first,
            _line(region.get("endLine")) or first,
            nfc(text(source.get("repositoryUri"))),
            text(source.get("revisionId")),
        )
        if place.file or place.function:
            yield place


def _line(value: object) -> int:
    return value if isinstance(value, int) and 0 < value <= 1 << 31 else 0
