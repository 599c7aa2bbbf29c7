"""A case of another coordinator's desk (VINCE style) as a report: one finding for each flaw in it.

The desk's ids are kept as foreign ids. What it says of vendors stays in the report's bytes: it is the
desk's own, and no answer there is none here.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from leadline.core.clearing.finding import Finding, Origin
from leadline.core.clearing.product import Fault
from leadline.core.clearing.report import Beside, Draft, Faulty, Told
from leadline.core.errors import Invalid
from leadline.formats import vince
from leadline.formats.finding_json import label, loaded, nfc, one_line, purl, sound
from leadline.formats.vince import ForeignCase, Vulnerability

FORMAT = "vince"
_ORIGINS: Mapping[str, Origin] = {"ai": "ai", "tool": "tool"}


def recognises(document: Mapping[str, object]) -> bool:
    """Whether this is such a case."""
    return any(name in document for name in ("vuid", "vuls", "vendors"))


def read(data: bytes, name: str, told: Told, beside: Beside) -> tuple[Draft, ...]:
    """The findings of one case, in its order. Nothing *beside* it is read.

    Raises: Faulty, with every fault.
    """
    del beside
    faults = list[Fault]()
    sound(loaded(data, name), "", faults)
    if faults:
        raise Faulty(name, faults)
    try:
        case = vince.parse(data, name)
    except Invalid as error:
        parts = [one.partition(" ") for one in error.problem.split("; ")]
        raise Faulty(name, [Fault(place.rstrip(":"), said) for place, _, said in parts]) from None
    found = case.vulnerabilities or (Vulnerability(case.summary),)
    drafts = [_draft(case, one, number, data, told, faults) for number, one in enumerate(found)]
    if faults:
        raise Faulty(name, faults)
    return tuple(drafts)


def _draft(
    case: ForeignCase,
    flaw: Vulnerability,
    number: int,
    data: bytes,
    told: Told,
    faults: list[Fault],
) -> Draft:
    place = f"/vuls/{number}"
    own = _ORIGINS.get(flaw.origin)
    said = replace(told, origin=own, found_by="", consent="") if own else told
    named = label(said, f"{place}/origin", faults)
    finding = Finding(
        origin=named.origin,
        found_by=named.found_by,
        consent=named.consent,
        suite="report",
        item=FORMAT,
        run="",
        family=str(number),
        title=one_line(case.title),
        purl=purl(flaw.package or told.purl, f"{place}/package", faults),
        target_digest="",
        proof_sha256="",
        observation="",
        at=told.at,
        cwe=nfc(flaw.cwe),
        ids=tuple(dict.fromkeys(nfc(one) for one in (flaw.cve, *case.ids) if one)),
        confirmed_by=nfc(told.confirmed_by),
        project=nfc(told.project),
        report=hashlib.sha256(data).hexdigest(),
    )
    return Draft(finding, data)
