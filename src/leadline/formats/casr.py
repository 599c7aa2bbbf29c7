"""Crash reports as reports of findings: sanitizer text and CASR JSON.

The crash itself is read by `sanitizer`; the input that crashed lies beside the report under its name
without the ending, as fuzzers and CASR leave it (``crash-1`` and ``crash-1.casrep``). A crash report
cannot say who found it: whoever hands it in does.
Source: CASR's `.casrep` (github.com/ispras/casr, 2.13).
"""

import hashlib
import json

from leadline.core.clearing.finding import Evidence, Finding, Location, Severity
from leadline.core.clearing.group import Crash
from leadline.core.clearing.product import Fault
from leadline.core.clearing.report import Beside, Draft, Faulty, Told
from leadline.core.errors import Invalid
from leadline.formats import sanitizer
from leadline.formats.document import record, text
from leadline.formats.finding_json import REPORT_BYTES_MAX, label, nfc, one_line, purl

FORMAT = "casr"
PLACES_MAX = 3
ENDINGS = (".casrep", ".asan.txt", ".ubsan.txt", ".txt", ".log", ".report")
_SEVERITIES = {
    "EXPLOITABLE": Severity.HIGH,
    "PROBABLY_EXPLOITABLE": Severity.MEDIUM,
    "NOT_EXPLOITABLE": Severity.LOW,
}


def read(data: bytes, name: str, told: Told, beside: Beside) -> tuple[Draft, ...]:
    """One crash report.

    Raises: Faulty, with every fault.
    """
    faults = list[Fault]()
    if len(data) > REPORT_BYTES_MAX:
        raise Faulty(name, [Fault("", f"longer than {REPORT_BYTES_MAX} bytes; shorten the trace")])
    try:
        crash = sanitizer.parse(data, name)
    except Invalid as error:
        raise Faulty(name, [Fault("", error.problem)]) from None
    named = label(told, "/origin", faults, "a fuzzer")
    component = purl(told.purl, "/component", faults)
    if faults:
        raise Faulty(name, faults)
    proof = next((held for held in map(beside, _inputs(name)) if held is not None), None)
    finding = Finding(
        origin=named.origin,
        found_by=named.found_by,
        consent=named.consent,
        suite="report",
        item=FORMAT,
        run="",
        family="crash",
        title=one_line(_title(crash)),
        purl=component,
        target_digest="",
        proof_sha256=hashlib.sha256(proof).hexdigest() if proof is not None else "",
        observation=one_line(crash.kind),
        at=told.at,
        severity=_severity(data),
        assessor="CASR" if _severity(data) is not Severity.UNKNOWN else "",
        confirmed_by=nfc(told.confirmed_by),
        locations=tuple(
            Location(_sound(one.file), _sound(one.function), one.line, one.line)
            for one in crash.frames[:PLACES_MAX]
        ),
        evidence=Evidence(oracle=one_line(crash.kind)),
        project=nfc(told.project),
        report=hashlib.sha256(data).hexdigest(),
    )
    return (Draft(finding, data, proof),)


def _title(crash: Crash) -> str:
    where = f" in {_sound(crash.frames[0].shown)}" if crash.frames else ""
    return _sound(f"{crash.kind or 'crash'}{where}")


def _sound(value: str) -> str:
    """Text that acts and pages can show; the report's own bytes stay as they are."""
    return nfc("".join(sign if sign.isprintable() else " " for sign in value))


def _inputs(name: str) -> list[str]:
    """The names under which the crashing input may lie beside a report called *name*."""
    last = name.rpartition("/")[2]
    return [last.removesuffix(end) for end in ENDINGS if last.endswith(end) and last != end]


def _severity(data: bytes) -> Severity:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return Severity.UNKNOWN
    said = text(record(record(document).get("CrashSeverity")).get("Type"))
    return _SEVERITIES.get(said, Severity.UNKNOWN)
