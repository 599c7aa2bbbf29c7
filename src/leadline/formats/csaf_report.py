"""A CSAF 2.0 document as a report: one finding for each vulnerability that it describes.

It must be valid under the published schema; every fault is listed. Thanks are carried on as they stand.
"""

import hashlib
from collections.abc import Iterator, Mapping

from leadline.core.clearing.finding import Finding, Severity
from leadline.core.clearing.product import Fault
from leadline.core.clearing.report import Beside, Draft, Faulty, Told
from leadline.formats import csaf
from leadline.formats.document import record, records, text, texts
from leadline.formats.finding_json import label, loaded, nfc, one_line, purl, sound

FORMAT = "csaf"
_BASE = {word.value: word for word in Severity}


def read(data: bytes, name: str, told: Told, beside: Beside) -> tuple[Draft, ...]:
    """The findings of one document, in its order. Nothing *beside* it is read.

    Raises: Faulty, with every fault.
    """
    del beside
    document = loaded(data, name)
    faults = list[Fault]()
    sound(document, "", faults)
    faults += [] if faults else csaf.faults(data)
    if faults:
        raise Faulty(name, faults)
    named = label(told, "/origin", faults)
    advisory = csaf.read(document, name)
    component = purl(told.purl, "/component", faults)
    found = records(document.get("vulnerabilities"))
    if not found:
        faults.append(Fault("/vulnerabilities", "there is none; there is nothing to report"))
    if faults:
        raise Faulty(name, faults)
    head, digest = record(document.get("document")), hashlib.sha256(data).hexdigest()
    drafts = list[Draft]()
    for number, one in enumerate(found):
        packages = [held.package for held in advisory.flaws[number].statements]
        finding = Finding(
            origin=named.origin,
            found_by=named.found_by,
            consent=named.consent,
            suite="report",
            item=FORMAT,
            run=nfc(text(record(head.get("tracking")).get("id"))),
            family=str(number),
            title=one_line(text(one.get("title")) or text(head.get("title"))),
            purl=component or (packages[0].purl() if len(packages) == 1 else ""),
            target_digest="",
            proof_sha256="",
            observation="",
            at=told.at,
            cwe=text(record(one.get("cwe")).get("id")),
            ids=tuple(dict.fromkeys(_ids(one))),
            severity=_severity(one),
            assessor=nfc(text(record(head.get("publisher")).get("name"))),
            confirmed_by=nfc(told.confirmed_by),
            credits=tuple(dict.fromkeys((*_thanks(one), *_thanks(head)))),
            project=nfc(told.project),
            report=digest,
        )
        drafts.append(Draft(finding, data))
    return tuple(drafts)


def _ids(flaw: Mapping[str, object]) -> Iterator[str]:
    if cve := text(flaw.get("cve")):
        yield cve
    yield from (nfc(text(one.get("text"))) for one in records(flaw.get("ids")))


def _thanks(holder: Mapping[str, object]) -> Iterator[str]:
    for one in records(holder.get("acknowledgments")):
        names = texts(one.get("names")) or (text(one.get("organization")),)
        yield from (nfc(name) for name in names if name)


def _severity(flaw: Mapping[str, object]) -> Severity:
    scores = (record(one.get("cvss_v3")) for one in records(flaw.get("scores")))
    words = [_BASE.get(text(one.get("baseSeverity")).lower()) for one in scores]
    known = [one for one in words if one is not None]
    return max(known, key=lambda one: one.rank, default=Severity.UNKNOWN)
