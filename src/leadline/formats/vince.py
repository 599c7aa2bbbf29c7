"""A case as other coordinators' desks write it (VINCE style), out and in.

Their ids (``VRF#``, ``VU#``) are kept as foreign ids. A vendor's status has a word of its own for no answer, which
is never read as "not affected"; and "not affected" without a justification is read as a claim. A finding that a
model made keeps that label.

    {"vuid": "VU#123456", "reports": ["VRF#26-01-ABCDE"], "title": "…", "summary": "…", "tlp": "TLP:RED",
     "due_date": "2027-03-01T00:00:00Z", "vuls": [{"cve": "…", "description": "…", "package": "pkg:…",
     "cwe": "…", "origin": "ai"}], "vendors": [{"vendor": "…", "status": "No answer", "justification": "",
     "statement": "…"}], "origin_ids": ["case-…"]}

Source: field names of the CERT/CC VINCE API (github.com/CERTCC/VINCE); the rest is Leadline's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.core.clearing.advisory import BECAUSE
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp, read_tlp
from leadline.core.record.act import instant
from leadline.formats.csaf_out import dump
from leadline.formats.document import items, load, moment, records, text, texts

FORMAT = "vince"
CASE_BYTES_MAX = 4 << 20
_FOREIGN = re.compile(r"(VU#\d{1,12}|VRF#[0-9A-Z-]{1,32}|INFO#\d{1,12})")


class VendorStatus(StrEnum):
    """What a vendor says of its products, in the words of these desks."""

    AFFECTED = "Affected"
    NOT_AFFECTED = "Not Affected"
    CLAIMED = "Not Affected (claimed without justification)"
    UNKNOWN = "Unknown"
    NO_ANSWER = "No answer"


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor and what it said."""

    name: str
    status: VendorStatus = VendorStatus.NO_ANSWER
    justification: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One flaw of the case. *origin* is ``ai``, ``tool`` or empty, and never the name of a model."""

    description: str
    cve: str = ""
    package: str = ""
    cwe: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class ForeignCase:
    """A case on its way. *ids* are the names it has at other desks."""

    title: str
    summary: str = ""
    ids: tuple[str, ...] = ()
    tlp: Tlp = Tlp.RED
    due: datetime | None = None
    vulnerabilities: tuple[Vulnerability, ...] = ()
    vendors: tuple[Vendor, ...] = ()


def foreign(ident: str) -> bool:
    """Whether an id has the form of another desk's."""
    return _FOREIGN.fullmatch(ident) is not None


def render(case: ForeignCase) -> bytes:
    """The case as JSON; the same case gives the same bytes."""
    vuid = next((one for one in case.ids if one.startswith("VU#")), "")
    reports = [one for one in case.ids if one.startswith("VRF#")]
    held: dict[str, object] = {
        "title": case.title,
        "summary": case.summary,
        "tlp": case.tlp.value,
        "vuls": [
            {
                key: value
                for key, value in {
                    "cve": one.cve,
                    "description": one.description,
                    "package": one.package,
                    "cwe": one.cwe,
                    "origin": one.origin,
                }.items()
                if value
            }
            for one in case.vulnerabilities
        ],
        "vendors": [
            {
                "vendor": one.name,
                "status": one.status.value,
                "justification": one.justification,
                "statement": one.statement,
            }
            for one in case.vendors
        ],
        "reports": reports,
        "origin_ids": [one for one in case.ids if one != vuid and one not in reports],
    }
    if vuid:
        held["vuid"] = vuid
    if case.due is not None:
        held["due_date"] = instant(case.due)
    return dump(held)


def parse(data: bytes, name: str = "case") -> ForeignCase:
    """Read a case.

    Raises: Invalid, with every fault and its place: no title, a status that there is not, a time without zone.
    """
    document = load(data, name, CASE_BYTES_MAX)
    faults: list[str] = []
    title = text(document.get("title")).strip()
    if not title:
        faults.append("/title is due")
    vendors = tuple(
        _vendor(held, f"/vendors/{number}", faults)
        for number, held in enumerate(records(document.get("vendors")))
    )
    faults += [
        f"/{field} holds objects only"
        for field in ("vendors", "vuls")
        if len(records(document.get(field))) != len(items(document.get(field)))
    ]
    due = _due(document.get("due_date"), faults)
    vuid = text(document.get("vuid"))
    if vuid and not foreign(vuid):
        faults.append(f"/vuid {vuid[:40]!r}: VU# and digits are due")
    if faults:
        raise Invalid(name, "; ".join(faults))
    own = (*texts(document.get("reports")), *texts(document.get("origin_ids")))
    return ForeignCase(
        title=title,
        summary=text(document.get("summary")),
        ids=tuple(dict.fromkeys((*((vuid,) if vuid else ()), *own))),
        tlp=read_tlp(text(document.get("tlp"))),
        due=due,
        vulnerabilities=tuple(map(_vulnerability, records(document.get("vuls")))),
        vendors=vendors,
    )


def _vulnerability(held: Mapping[str, object]) -> Vulnerability:
    origin = text(held.get("origin"))
    return Vulnerability(
        text(held.get("description")),
        text(held.get("cve")),
        text(held.get("package")),
        text(held.get("cwe")),
        origin if origin in {"ai", "tool"} else "",
    )


def _vendor(held: Mapping[str, object], place: str, faults: list[str]) -> Vendor:
    name, why = text(held.get("vendor")).strip(), text(held.get("justification"))
    if not name:
        faults.append(f"{place}/vendor is due")
    said = " ".join(text(held.get("status")).casefold().replace("_", " ").split())
    known = {one.value.casefold(): one for one in VendorStatus} | {"": VendorStatus.NO_ANSWER}
    status = known.get(said)
    if status is None:
        faults.append(f"{place}/status {said[:40]!r}: one of {', '.join(VendorStatus)} is due")
        status = VendorStatus.UNKNOWN
    if status is VendorStatus.NOT_AFFECTED and why not in BECAUSE:
        status = VendorStatus.CLAIMED
    return Vendor(name, status, why, text(held.get("statement")))


def _due(held: object, faults: list[str]) -> datetime | None:
    if held is None:
        return None
    found = moment(held)
    if found is None:
        faults.append("/due_date: a moment with a zone is due, such as 2027-03-01T00:00:00Z")
    return found
