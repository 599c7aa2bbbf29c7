"""Reports in Leadline's own JSON: taken whole, or every fault with its place."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadline.core.clearing.finding import (
    UNNAMED_MODEL,
    Attachment,
    Hop,
    Location,
    Severity,
)
from leadline.core.clearing.report import Draft, Faulty, nothing_beside
from leadline.formats import finding_json, schemas
from reporting import TOLD, as_bytes, document

HERE = {"poc.bin": b"boom", "fix.patch": b"diff", "t.c": b"test"}
SHA = hashlib.sha256(b"boom").hexdigest()
FULL: dict[str, Any] = {
    "found": {
        "by": "ai",
        "name": "A model",
        "consent": "by contract, 2027-01-02",
        "confirmed_by": "Ada",
        "run": "r-1",
        "at": "2027-02-01T10:00:00+01:00",
    },
    "project": "bsdiff4",
    "component": "pkg:pypi/bsdiff4@1.1.9",
    "weakness": "CWE-787",
    "ids": ["CVE-2020-15904", "VRF#26-01-ABCDE"],
    "severity": {"level": "high", "vector": "CVSS:4.0/AV:N/AC:L", "assessor": "Ada"},
    "locations": [
        {
            "file": "src/patch.c",
            "function": "patch",
            "lines": [10, 12],
            "repository": "https://example.org/p",
            "commit": "abcdef0",
        },
        {"file": "b.c"},
    ],
    "reproducer": {
        "file": "poc.bin",
        "sha256": SHA,
        "oracle": "heap-buffer-overflow",
        "command": ["bspatch", "{proof}"],
        "image": "sha256:00",
    },
    "patch": {"file": "fix.patch"},
    "test": {"file": "t.c"},
    "attachments": [{"name": "note", "base64": base64.b64encode(b"hello").decode()}],
    "links": {
        "needs_all": ["1" * 64, "2" * 64],
        "needs_any": ["3" * 64, "4" * 64],
        "related": ["5" * 64],
    },
    "credits": ["Zoë", "Ada"],
    "hops": [
        {"name": "a desk", "handle": "VRF#1", "at": "2027-02-02T00:00:00Z", "url": "https://e.org"}
    ],
    "exploited": "seen in logs",
    "x-mine": {"any": [1, None]},
}


def read(data: bytes) -> Draft:
    """One report with the files beside it."""
    (draft,) = finding_json.read(data, "r.json", TOLD, HERE.get)
    return draft


def faults(data: bytes) -> dict[str, str]:
    """What is wrong, by place."""
    with pytest.raises(Faulty) as refused:
        finding_json.read(data, "r.json", TOLD, HERE.get)
    return {one.place: one.problem for one in refused.value.faults}


def test_the_smallest_report() -> None:
    """A title, words and a label are enough."""
    draft = read(as_bytes())
    made = draft.finding
    assert (made.origin, made.found_by, made.title) == ("person", "Ada", "Overflow in patch()")
    assert (made.at, made.proof_sha256, draft.proof) == (TOLD.at, "", None)
    assert made.report == hashlib.sha256(as_bytes()).hexdigest()
    assert draft.raw == as_bytes()


def test_everything_that_a_report_can_say() -> None:
    """Each field arrives; the sender's own stay in the bytes."""
    draft = read(as_bytes(**FULL))
    made = draft.finding
    assert (made.origin, made.found_by, made.consent) == (
        "ai",
        "A model",
        "by contract, 2027-01-02",
    )
    assert (made.confirmed_by, made.run) == ("Ada", "r-1")
    assert made.at == datetime(2027, 2, 1, 9, tzinfo=UTC)
    assert (made.purl, made.cwe, made.project) == ("pkg:pypi/bsdiff4@1.1.9", "CWE-787", "bsdiff4")
    assert made.ids == ("CVE-2020-15904", "VRF#26-01-ABCDE")
    assert (made.severity, made.assessor) == (Severity.HIGH, "Ada")
    assert made.vector == "CVSS:4.0/AV:N/AC:L"
    assert made.locations == (
        Location("src/patch.c", "patch", 10, 12, "https://example.org/p", "abcdef0"),
        Location("b.c"),
    )
    assert (made.proof_sha256, draft.proof, made.observation) == (
        SHA,
        b"boom",
        "heap-buffer-overflow",
    )
    assert made.evidence.command == ("bspatch", "{proof}")
    assert made.evidence.patch == hashlib.sha256(b"diff").hexdigest()
    assert made.evidence.test == hashlib.sha256(b"test").hexdigest()
    assert made.attachments == (Attachment("note", hashlib.sha256(b"hello").hexdigest()),)
    assert draft.files == {"patch": b"diff", "test": b"test", "note": b"hello"}
    assert made.needs == (("1" * 64,), ("2" * 64,), ("3" * 64, "4" * 64))
    assert made.related == ("5" * 64,)
    assert made.credits == ("Zoë", "Ada")
    assert made.hops == (Hop("a desk", "VRF#1", "2027-02-02T00:00:00Z", "https://e.org"),)
    assert made.exploited == "seen in logs"
    assert b"x-mine" in draft.raw


def test_a_model_is_named_only_with_its_developers_consent() -> None:
    """That a model is under review is confidential; without a name it is one that is not named."""
    assert read(as_bytes(found={"by": "ai"})).finding.found_by == UNNAMED_MODEL
    assert "consent" in faults(as_bytes(found={"by": "ai", "name": "X"}))["/found/name"]
    assert read(as_bytes(found={"by": "tool"})).finding.found_by == "a tool that is not named"
    assert read(as_bytes(found={"by": "person"})).finding.found_by == "a person"


@pytest.mark.parametrize("found", [None, {}, {"by": "machine"}, {"name": "X"}, "ai"])
def test_an_unlabelled_report_is_refused_with_the_cure(found: object) -> None:
    """The first fault says what to do."""
    told = faults(as_bytes(found=found))
    assert next(iter(told)) == "/found/by"
    assert "labelled `ai`" in told["/found/by"]


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"titel": "x"}, "/", "titel"),
        ({"title": ""}, "/title", "shorter"),
        ({"schema": "leadline-finding-2"}, "/schema", "leadline-finding-1"),
        ({"component": "pkg:"}, "/component", "Package-URL"),
        ({"weakness": "787"}, "/weakness", "match"),
        ({"locations": [{"file": "a", "lines": [3]}]}, "/locations/0/lines", "less than 2"),
        ({"reproducer": {"sha256": SHA}}, "/reproducer", "valid"),
        ({"reproducer": {"file": "none"}}, "/reproducer", "no file 'none'"),
        ({"reproducer": {"base64": "%"}}, "/reproducer", "base64"),
        ({"reproducer": {"file": "poc.bin", "sha256": "0" * 64}}, "/reproducer/sha256", "digest"),
        ({"attachments": [{"name": "a", "base64": ""}] * 2}, "/attachments/1/name", "taken"),
        ({"attachments": [{"name": "a", "file": "b"}]}, "/attachments/0", "no file 'b'"),
        ({"found": {"by": "person", "at": "yesterday"}}, "/found/at", "date-time"),
        ({"title": "a\0b"}, "/title", "NUL"),
        ({"credits": ["\ud800"]}, "/credits/0", "surrogate"),
        ({"x-a": [{"\ud800": 1}]}, "/x-a/0", "surrogate"),
        ({"x-\u00e9": "\0"}, "/x-\\xe9", "NUL"),
    ],
)
def test_every_fault_has_its_place_and_cure(fields: dict[str, Any], place: str, words: str) -> None:
    """A JSON pointer, and what would be right."""
    assert words in faults(as_bytes(**fields))[place]


def test_all_faults_are_listed_at_once() -> None:
    """Not only the first."""
    told = faults(as_bytes(weakness="x", ids=["?"], component="x", severity={}))
    assert {"/weakness", "/ids/0", "/component", "/severity"} <= set(told)


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"{",
        b"\xff",
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b'{"a":1,"a":2}',
        as_bytes(description="x" * finding_json.REPORT_BYTES_MAX),
    ],
)
def test_what_is_no_report_at_all_is_refused_at_its_root(data: bytes) -> None:
    """Too deep, too large, no JSON, a key twice."""
    assert set(faults(data)) == {"/"}


def test_an_attachment_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MiB; here with a smaller limit."""
    monkeypatch.setattr(finding_json, "ATTACHMENT_BYTES_MAX", 3)
    assert "longer than 3 bytes" in faults(as_bytes(reproducer={"file": "poc.bin"}))["/reproducer"]


def test_text_is_taken_in_normal_form_and_kept_as_it_came() -> None:
    """Digests need one spelling; the bytes that are carried on are the sender's."""
    data = json.dumps(document(credits=["Zoe\u0308"]), ensure_ascii=False).encode()
    draft = read(data)
    assert draft.finding.credits == ("Zo\u00eb",)
    assert "Zoe\u0308".encode() in draft.raw


def test_moments_and_links_that_say_nothing() -> None:
    """A moment without an offset is none; links without members need nothing."""
    found = list[Any]()
    assert finding_json.moment("", "/x", found) is None
    assert finding_json.moment("2027-01-01T00:00:00", "/x", found) is None
    assert finding_json.moment("soon", "/x", found) is None
    assert len(found) == 2
    assert read(as_bytes(links={"needs_all": [], "needs_any": []})).finding.needs == ()
    assert finding_json.recognises(document())
    assert not finding_json.recognises({})
    assert nothing_beside("x") is None


def test_the_reference_page_tells_every_field_and_its_example_is_taken() -> None:
    """What the page says, the schema says."""
    page = (Path(__file__).parents[2] / "docs/reference/finding-json.md").read_text()
    schema = json.loads(schemas.content("finding-1.json"))
    names = set(schema["properties"])
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        for name, held in one.get("properties", {}).items():
            names.add(name)
            waiting += [held, held.get("items", {})]
    missing = sorted(name for name in names if f"`{name}`" not in page)
    assert not missing
    example = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert example is not None
    files = {"poc.bin": b"boom", "fix.patch": b"diff"}
    assert finding_json.read(example[1].encode(), "example", TOLD, files.get)
