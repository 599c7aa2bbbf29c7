"""The forms in which reports are taken, told apart by their content; names and endings count for nothing.

Beside a report of whatever form may lie a relay block, ``NAME.relay.json``: the stations that the report
came through. Its credits and its chain are taken as they stand, and its bytes are kept to be carried on.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum

from leadline.core.clearing.finding import Attachment, Hop
from leadline.core.clearing.product import Fault
from leadline.core.clearing.report import Beside, Draft, Faulty, Told
from leadline.core.errors import Invalid
from leadline.formats import casr, csaf, csaf_report, finding_json, magpie, sarif, vince_report
from leadline.formats.document import load

FORMAT = "report"
RELAY = "relay.json"
Reader = Callable[[bytes, str, Told, Beside], tuple[Draft, ...]]


class Form(StrEnum):
    """One form of report."""

    FINDING = "finding"
    SARIF = "sarif"
    CSAF = "csaf"
    VINCE = "vince"
    CRASH = "crash"


_READERS: Mapping[Form, Reader] = {
    Form.FINDING: finding_json.read,
    Form.SARIF: sarif.read,
    Form.CSAF: csaf_report.read,
    Form.VINCE: vince_report.read,
    Form.CRASH: casr.read,
}
_RECOGNISED: tuple[tuple[Form, Callable[[Mapping[str, object]], bool]], ...] = (
    (Form.FINDING, finding_json.recognises),
    (Form.SARIF, sarif.recognises),
    (Form.CSAF, csaf.recognises),
    (Form.VINCE, vince_report.recognises),
    (Form.CRASH, lambda document: "Stacktrace" in document),
)


def form_of(data: bytes, name: str) -> Form:
    """The form that *data* is in; what is no JSON object may be a sanitizer's text.

    Raises: Faulty, for JSON of no form that is known here.
    """
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return Form.CRASH
    try:
        document = load(data, name)
    except Invalid as error:
        raise Faulty(name, [Fault("", error.problem)]) from None
    for form, recognises in _RECOGNISED:
        if recognises(document):
            return form
    known = ", ".join(Form)
    problem = (
        f'is none of {known}; begin it with "schema": "{finding_json.VERSION}", or name its form'
    )
    raise Faulty(name, [Fault("/schema", problem)])


def read(
    data: bytes, name: str, told: Told, beside: Beside, form: Form | None = None
) -> tuple[Draft, ...]:
    """The reports in one file, with the relay block beside it, if there is one.

    Raises: Faulty, with every fault.
    """
    drafts = _READERS[form or form_of(data, name)](data, name, told, beside)
    block = beside(f"{name.rpartition('/')[2]}.{RELAY}")
    return drafts if block is None else tuple(_relayed(one, block, name) for one in drafts)


def _relayed(draft: Draft, data: bytes, name: str) -> Draft:
    """The report with the credits and stations of its relay block, in their order and unchanged."""
    place = f".{RELAY}"
    try:
        block = magpie.parse(data, name)
    except Invalid as error:
        raise Faulty(name, [Fault(place, one) for one in error.problem.split("; ")]) from None
    credited = tuple(finding_json.nfc(one) for one in block.credits)
    if draft.finding.credits and draft.finding.credits != credited:
        problem = "credits others than the report does; neither is changed here, so let them agree"
        raise Faulty(name, [Fault(f"{place}/finder_credits", problem)])
    faults = list[Fault]()
    finding_json.sound((credited, block.origins), place, faults)
    if faults:
        raise Faulty(name, faults)
    own = finding_json.nfc
    hops = tuple(Hop(own(one.party), own(one.handling_id), own(one.at)) for one in block.hops)
    kept = Attachment(RELAY, hashlib.sha256(data).hexdigest())
    finding = replace(
        draft.finding,
        credits=credited,
        hops=(*draft.finding.hops, *hops),
        ids=tuple(dict.fromkeys((*draft.finding.ids, own(block.id)))),
        attachments=(*draft.finding.attachments, kept),
    )
    return replace(draft, finding=finding, files={**(draft.files or {}), RELAY: data})
