"""Reports in other people's forms: SARIF, CSAF, VINCE-style cases, crash reports, relay blocks."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from clearing_values import advisory
from leadline.core.clearing.finding import UNNAMED_MODEL, Hop, Location, Severity
from leadline.core.clearing.report import Draft, Faulty, nothing_beside
from leadline.formats import csaf, report_forms, sarif
from leadline.formats.report_forms import Form
from reporting import TOLD, as_bytes

BY_TOOL = replace(TOLD, origin="tool")
BY_PERSON = replace(TOLD, origin="person")
CRASH = b"""=================================================================
==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011
    #0 0x4f in patch /src/patch.c:12:3
    #1 0x50 in main /src/main.c:4:1
"""
CASR = json.dumps(
    {
        "CrashSeverity": {"Type": "EXPLOITABLE", "ShortDescription": "DestAv(write)"},
        "Stacktrace": ["    #0 0x4f in patch /src/patch.c:12:3"],
        "ExecutablePath": "/bin/bspatch",
    }
).encode()


def result(**fields: Any) -> dict[str, Any]:
    """One result of a SARIF log."""
    return {"ruleId": "r", "message": {"text": "a flaw"}, **fields}


def log(*results: Any, run: Mapping[str, Any] | None = None, **driver: Any) -> bytes:
    """A SARIF log of one run."""
    tool = {"driver": {"name": "scanner", **driver}}
    return json.dumps(
        {"version": "2.1.0", "runs": [{"tool": tool, "results": list(results), **(run or {})}]}
    ).encode()


def read(
    data: bytes, told: Any = BY_TOOL, files: Mapping[str, bytes] | None = None, name: str = "r.json"
) -> tuple[Draft, ...]:
    """The reports in one file, its form told by its content."""
    return report_forms.read(data, name, told, (files or {}).get)


def faults(data: bytes, told: Any = BY_TOOL, **more: Any) -> dict[str, str]:
    """What is wrong, by place."""
    with pytest.raises(Faulty) as refused:
        read(data, told, **more)
    return {one.place: one.problem for one in refused.value.faults}


def test_a_result_of_sarif_is_a_finding() -> None:
    """Tool, rule, place, function, weakness and severity, each from where the standard puts it."""
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": "src/a.c"},
            "region": {"startLine": 3, "endLine": 5},
        },
        "logicalLocations": [{"fullyQualifiedName": "a::b"}],
    }
    rule = {
        "id": "r",
        "properties": {"security-severity": "9.1", "tags": ["security", "external/cwe/cwe-079"]},
    }
    source = [{"repositoryUri": "https://e.org/p", "revisionId": "abc"}]
    data = log(
        result(locations=[place, {}]),
        run={"versionControlProvenance": source, "automationDetails": {"id": "nightly"}},
        rules=[rule],
    )
    (draft,) = read(data)
    made = draft.finding
    assert (made.origin, made.found_by, made.run) == ("tool", "scanner", "nightly")
    assert (made.title, made.family, made.cwe) == ("a flaw", "r", "CWE-79")
    assert (made.severity, made.assessor) == (Severity.CRITICAL, "scanner")
    assert made.locations == (Location("src/a.c", "a::b", 3, 5, "https://e.org/p", "abc"),)
    assert made.report == hashlib.sha256(draft.raw).hexdigest()
    assert json.loads(draft.raw)["ruleId"] == "r"


@pytest.mark.parametrize(
    ("score", "severity"),
    [
        ("7.0", "high"),
        (4, "medium"),
        ("0.1", "low"),
        ("0", "unknown"),
        ("x", "unknown"),
        (11, "unknown"),
    ],
)
def test_a_score_is_read_in_words(score: object, severity: str) -> None:
    """What is no score of CVSS is unknown."""
    (draft,) = read(log(result(properties={"security-severity": score})))
    assert draft.finding.severity.value == severity


@pytest.mark.parametrize(
    ("fields", "driver", "cwe"),
    [
        ({"taxa": [{"id": "CWE-20"}]}, {}, "CWE-20"),
        ({"ruleIndex": 0}, {"rules": [{"id": "CWE-22"}]}, "CWE-22"),
        ({"rule": {"index": 0}}, {"rules": [{"id": "CWE-22"}]}, "CWE-22"),
        ({"ruleIndex": 7}, {"rules": [{"id": "CWE-22"}]}, ""),
        (
            {},
            {"rules": [{"id": "r", "relationships": [{"target": {"id": "CWE-1"}}]}]},
            "CWE-1",
        ),
        ({"properties": {"tags": [5, "x"]}}, {}, ""),
    ],
)
def test_a_weakness_is_looked_for_where_tools_put_it(
    fields: dict[str, Any], driver: dict[str, Any], cwe: str
) -> None:
    """Taxa, tags, relationships, the rule's own id."""
    (draft,) = read(log(result(**fields), **driver))
    assert draft.finding.cwe == cwe


def test_messages_by_id_and_with_arguments() -> None:
    """As the standard composes them; a rule's short description stands in."""
    rules = [
        {
            "id": "r",
            "messageStrings": {"m": {"text": "bad {0} in {1}"}},
            "shortDescription": {"text": "short"},
        }
    ]
    (one,) = read(log(result(message={"id": "m", "arguments": ["read", "a.c"]}), rules=rules))
    assert one.finding.title == "bad read in a.c"
    (two,) = read(log(result(message={}), rules=rules))
    assert two.finding.title == "short"
    assert "says nothing" in faults(log(result(message={})))["/runs/0/results/0/message"]


def test_what_does_not_fail_is_no_report() -> None:
    """Passed, informational, gone or suppressed."""
    others = [
        result(kind="pass"),
        result(kind="informational"),
        result(baselineState="absent"),
        result(suppressions=[{"kind": "inSource"}]),
    ]
    assert len(read(log(*others, result(kind="open")))) == 1
    assert "nothing to report" in faults(log(*others))["/runs"]


def test_a_log_labels_itself_or_its_sender_does() -> None:
    """An unlabelled one is refused; the log's own word stands before its sender's."""
    place = "/runs/0/results/0/properties/leadline/by"
    assert "labelled `ai`" in faults(log(result()), TOLD)[place]
    bag = {"leadline": {"by": "ai", "confirmed_by": "Ada", "component": "pkg:pypi/a@1"}}
    (draft,) = read(log(result(), run={"properties": bag}))
    made = draft.finding
    assert (made.origin, made.found_by, made.confirmed_by) == ("ai", UNNAMED_MODEL, "Ada")
    assert made.purl == "pkg:pypi/a@1"


def test_a_result_may_come_with_its_proof() -> None:
    """Beside the log; what is named and not there is a fault."""
    bag = {"leadline": {"reproducer": "poc", "oracle": "SEGV"}}
    (draft,) = read(log(result(properties=bag)), files={"poc": b"boom"})
    assert draft.proof == b"boom"
    assert draft.finding.evidence.oracle == "SEGV"
    assert (
        "no file 'poc'"
        in faults(log(result(properties=bag)))["/runs/0/results/0/properties/leadline/reproducer"]
    )


def test_bad_logs_are_refused_with_every_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version, no runs, a text that cannot be shown, too many, too large."""
    told = faults(b'{"version": "2.0.0", "runs": 3}')
    assert set(told) == {"/version", "/runs"}
    assert "NUL" in faults(log(result(message={"text": "\0"})))["/runs/0/results/0/message/text"]
    monkeypatch.setattr(sarif, "RESULTS_MAX", 1)
    assert "more than 1 results" in faults(log(result(), result()))["/runs/0/results/1"]
    monkeypatch.setattr(sarif, "REPORT_BYTES_MAX", 10)
    assert "longer than 10 bytes" in faults(log(result()))["/runs/0/results/0"]


def test_lines_that_are_none_are_left_out() -> None:
    """And several sources name no one repository."""
    place = {
        "physicalLocation": {"artifactLocation": {"uri": "a"}, "region": {"startLine": "x"}},
    }
    sources = [{"repositoryUri": "a"}, {"repositoryUri": "b"}]
    (draft,) = read(log(result(locations=[place]), run={"versionControlProvenance": sources}))
    assert draft.finding.locations == (Location("a"),)


def csaf_document(**changed: Any) -> dict[str, Any]:
    """A valid advisory with one flaw."""
    made: dict[str, Any] = json.loads(csaf.render(advisory()))
    return made | changed


def test_a_flaw_of_csaf_is_a_finding() -> None:
    """Ids, weakness, package, severity and thanks; thanks stay as they stand."""
    made = csaf_document()
    made["document"]["acknowledgments"] = [{"names": ["Zoë", "Ada"]}, {"organization": "A lab"}]
    made["vulnerabilities"][0]["acknowledgments"] = [{"names": ["Bob"]}]
    made["vulnerabilities"][0]["ids"] = [{"system_name": "x", "text": "VRF#1"}]
    (draft,) = read(json.dumps(made).encode(), BY_PERSON)
    found = draft.finding
    assert found.credits == ("Bob", "Zoë", "Ada", "A lab")
    assert found.ids == ("CVE-2021-45958", "VRF#1")
    assert (found.cwe, found.purl) == ("CWE-787", "pkg:pypi/ujson")
    assert found.title == "Overflow in ujson"
    assert found.run == "ADV-1"
    del made["vulnerabilities"][0]["cve"]
    assert read(json.dumps(made).encode(), BY_PERSON)[0].finding.ids == ("VRF#1",)


def test_bad_csaf_is_refused_with_every_fault() -> None:
    """What the schema finds, no flaw, no label, no package."""
    made = csaf_document()
    del made["document"]["title"]
    del made["document"]["publisher"]
    assert len(faults(json.dumps(made).encode(), BY_PERSON)) >= 1
    bare = csaf_document()
    del bare["vulnerabilities"]
    told = faults(json.dumps(bare).encode(), replace(TOLD, purl="x"))
    assert set(told) == {"/origin", "/component", "/vulnerabilities"}
    assert "NUL" in faults(json.dumps(csaf_document(x="\0")).encode(), BY_PERSON)["/x"]


def vince_case(**fields: Any) -> bytes:
    """A case of another desk."""
    held = {
        "vuid": "VU#123456",
        "reports": ["VRF#26-01-ABCDE"],
        "title": "Overflow",
        "summary": "s",
    }
    return json.dumps(held | fields).encode()


def test_a_case_of_another_desk_is_a_finding_for_each_flaw() -> None:
    """Its ids stay; a flaw that says a model found it keeps that label."""
    flaws = [
        {
            "description": "d",
            "cve": "CVE-2027-1",
            "package": "pkg:pypi/a@1",
            "cwe": "CWE-1",
            "origin": "ai",
        },
        {"description": "e"},
    ]
    one, two = (draft.finding for draft in read(vince_case(vuls=flaws), BY_PERSON))
    assert (one.origin, one.found_by, two.origin) == ("ai", UNNAMED_MODEL, "person")
    assert one.ids == ("CVE-2027-1", "VU#123456", "VRF#26-01-ABCDE")
    assert (one.purl, one.cwe, one.title) == ("pkg:pypi/a@1", "CWE-1", "Overflow")
    assert one.id != two.id
    assert len(read(vince_case(), BY_PERSON)) == 1


def test_a_bad_case_is_refused_with_every_fault() -> None:
    """Each with its place."""
    told = faults(vince_case(title="", vendors=[{"vendor": "a", "status": "perhaps"}]), BY_PERSON)
    assert {"/title", "/vendors/0/status"} <= set(told)
    assert set(faults(vince_case(vuls=[{"package": "x"}]), TOLD)) == {
        "/vuls/0/origin",
        "/vuls/0/package",
    }
    assert "/summary" in faults(vince_case(summary="\0"), BY_PERSON)


def test_a_crash_report_is_a_finding() -> None:
    """Its input lies beside it under the same name without the ending."""
    (draft,) = read(CRASH, files={"crash-1": b"boom"}, name="d/crash-1.asan.txt")
    made = draft.finding
    assert made.title == "heap-buffer-overflow in patch patch.c:12"
    assert made.locations == (Location("patch.c", "patch", 12, 12),)
    assert (draft.proof, made.found_by, made.severity) == (b"boom", "a fuzzer", Severity.UNKNOWN)
    (casr,) = read(CASR, files={"id:1": b"x"}, name="id:1.casrep")
    assert (casr.finding.severity, casr.finding.assessor) == (Severity.HIGH, "CASR")
    assert casr.finding.title == "DestAv(write) in patch patch.c:12"
    assert (read(CASR)[0].proof, casr.proof) == (None, b"x")


def test_a_crash_report_of_odd_letters_can_be_shown() -> None:
    """Control characters become blanks; a report without frames says so by its kind alone."""
    (draft,) = read(b"==1==ERROR: AddressSanitizer: SEGV on unknown\n #0 0x1 in a\x1b[31m x.c:1\n")
    assert "\x1b" not in repr(draft.finding)
    (bare,) = read(b"==1==ERROR: AddressSanitizer: SEGV on unknown address\n")
    assert bare.finding.title == "SEGV"


def test_bad_crash_reports_are_refused() -> None:
    """No report, no label, too large."""
    assert "no report" in faults(b"hello")[""]
    assert set(faults(CRASH, replace(TOLD, purl="x"))) == {"/origin", "/component"}
    assert "longer than" in faults(CRASH + b" " * (256 << 10))[""]


def block(**fields: Any) -> bytes:
    """A relay block of two stations."""
    held = {
        "relay": "magpie/rfc-ai-0008-draft",
        "id": "relay-1",
        "finder_credits": ["Zoë", {"name": "Ada"}],
        "reporter_chain": [
            {"party": "finder", "role": "finder", "at": "2027-01-01T00:00:00Z"},
            {
                "party": "a desk",
                "role": "coordinator",
                "at": "2027-01-02T00:00:00Z",
                "handling_id": "7",
            },
        ],
        "unknown": {"kept": True},
    }
    return json.dumps(held | fields, ensure_ascii=False).encode()


def test_a_relay_block_gives_credits_and_stations_and_is_kept_to_the_byte() -> None:
    """Whatever the form of the report beside it."""
    files = {"r.json.relay.json": block()}
    (draft,) = read(as_bytes(hops=[{"name": "before"}]), TOLD, files)
    made = draft.finding
    assert made.credits == ("Zoë", '{"name": "Ada"}')
    assert made.hops == (
        Hop("before"),
        Hop("finder", "", "2027-01-01T00:00:00Z"),
        Hop("a desk", "7", "2027-01-02T00:00:00Z"),
    )
    assert made.ids == ("relay-1",)
    assert draft.files == {"relay.json": block()}
    assert made.attachments[-1].digest == hashlib.sha256(block()).hexdigest()
    assert read(log(result()), files=files)[0].finding.credits == made.credits


def test_a_relay_block_that_says_otherwise_is_refused() -> None:
    """Neither credit is changed here; a block that is none takes the report with it."""
    files = {"r.json.relay.json": block()}
    assert "agree" in faults(as_bytes(credits=["Bob"]), files=files)[".relay.json/finder_credits"]
    assert ".relay.json" in faults(as_bytes(), files={"r.json.relay.json": b"{}"})
    odd = block(finder_credits=["\0"])
    assert ".relay.json/0/0" in faults(as_bytes(), files={"r.json.relay.json": odd})
    same = block(finder_credits=["Bob"])
    (draft,) = read(as_bytes(credits=["Bob"]), TOLD, {"r.json.relay.json": same})
    assert draft.finding.credits == ("Bob",)


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (as_bytes(), Form.FINDING),
        (b"\xef\xbb\xbf" + as_bytes(), Form.FINDING),
        (log(), Form.SARIF),
        (b'{"$schema": "https://e.org/sarif-2.1.0.json", "runs": []}', Form.SARIF),
        (json.dumps(csaf_document()).encode(), Form.CSAF),
        (vince_case(), Form.VINCE),
        (CASR, Form.CRASH),
        (CRASH, Form.CRASH),
    ],
)
def test_a_form_is_told_by_its_content(data: bytes, form: Form) -> None:
    """Names and endings count for nothing."""
    assert report_forms.form_of(data, "x") is form


def test_what_has_no_known_form_says_which_there_are() -> None:
    """And JSON that is none says why."""
    assert "none of finding, sarif" in faults(b'{"a": 1}')["/schema"]
    assert "no JSON" in faults(b"{")[""]
    with pytest.raises(Faulty):
        report_forms.read(as_bytes(), "r", TOLD, nothing_beside, Form.SARIF)
