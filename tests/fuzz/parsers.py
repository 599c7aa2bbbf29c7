"""Every parser that reads bytes from outside, with a few small inputs to start from.

The property is the same for all: only Leadline's own errors come out, within two seconds and 256 MiB.
"""

import gzip
import io
import json
import tarfile
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from urllib.parse import parse_qsl

from leadline.core.clearing.report import Told
from leadline.core.marking import Tlp
from leadline.core.qualification import QUICK, Check, Record
from leadline.core.record.act import from_record
from leadline.core.sealed.pack import Scheme, SealedShare
from leadline.formats import (
    advisory_toml,
    answers_toml,
    approvers_toml,
    archive,
    assets_csv,
    bodies_toml,
    bounded_yaml,
    c_conditional,
    canonical,
    casr,
    cast_toml,
    checkpoint,
    compose,
    contacts_toml,
    content,
    contract_toml,
    cosignature,
    criteria_toml,
    csaf,
    csaf_products,
    csaf_report,
    ctf_json,
    cve,
    cyber_eval,
    cyclonedx,
    decision_log,
    determination_toml,
    dialect_toml,
    directive_toml,
    disclosure_toml,
    document,
    embedded,
    epss,
    event_stream,
    exchange,
    feed,
    finding_json,
    http1,
    inquiry_toml,
    kev,
    magpie,
    makers_toml,
    manifest,
    matrix_toml,
    ml_bom,
    model_card,
    model_signature,
    note,
    openvex,
    operator_toml,
    osv,
    osv_out,
    pack,
    pairs_csv,
    parties_csv,
    partner_toml,
    purposes_toml,
    qualification,
    questions_toml,
    regime_examples,
    regime_toml,
    register_toml,
    relay_journal,
    replay_toml,
    replay_xml,
    report_forms,
    roles_toml,
    run_manifest,
    runs_table,
    safetensors,
    sanitizer,
    sarif,
    scope_toml,
    score_matrix,
    score_vector,
    scoring,
    sealed_pack,
    sealed_report,
    sealed_toml,
    security_txt,
    spdx,
    ssvc,
    taxii,
    terms_toml,
    tiers_toml,
    tiles,
    tlog_policy,
    tlog_proof,
    tlog_witness,
    verdict,
    vers,
    vince,
    vince_report,
    vulnrichment,
)
from workbooks import packed, parts, sheet


@dataclass(frozen=True, slots=True)
class Parser:
    """What is called with any bytes, and where the search begins."""

    run: Callable[[bytes], object]
    seeds: Sequence[bytes]


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(data.decode("utf-8", "replace"))


def _named(parse: Callable[[bytes, str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(data, "file")


def _turned(parse: Callable[[str, bytes], object]) -> Callable[[bytes], object]:
    return lambda data: parse("file", data)


def _reported(read: report_forms.Reader) -> Callable[[bytes], object]:
    told = Told(datetime(2027, 1, 1, tzinfo=UTC), "tool")
    return lambda data: read(data, "file", told, {"poc": b"x"}.get)


def _related(data: bytes) -> object:
    told = Told(datetime(2027, 1, 1, tzinfo=UTC), "tool")
    return report_forms.read(_REPORT, "file", told, {"file.relay.json": data}.get)


def _record(data: bytes) -> object:
    value = canonical.decode(data)
    return from_record(value) if isinstance(value, Mapping) else None


def _header(data: bytes) -> object:
    length = safetensors.header_length(data[: safetensors.LENGTH_BYTES], len(data))
    start = safetensors.LENGTH_BYTES
    return safetensors.parse_header(data[start : start + length], len(data) - start - length)


def _witnessed(data: bytes) -> object:
    return tlog_witness.parse_cosignatures(note.Note("text\n", ()), data)


def _claimed(data: bytes) -> object:
    """The first line as a key, the rest as a note whose lines claim to be by it."""
    line, _, rest = data.partition(b"\n")
    key = note.parse_vkey(line.decode("utf-8", "replace"))
    signed = note.parse(rest)
    return [cosignature.claim(key, signed.text, one.signature) for one in signed.signatures]


def _container(data: bytes) -> object:
    try:
        return compose.read(data, "file")
    except compose.NeedsEngine as answer:
        return answer


def _listed(
    entries: Callable[[bytes, str], Iterator[ctf_json.Entry]],
) -> Callable[[bytes], object]:
    return lambda data: list(entries(data, "file"))


def _replay(data: bytes) -> object:
    return replay_xml.is_replay(data), replay_xml.read(data, "file")


def _cut(data: bytes) -> object:
    """As challenges are read: one character for each byte."""
    shown = c_conditional.without(data.decode("latin-1"), "PATCHED")
    return c_conditional.mentions(shown, "PATCHED")


def _scores(data: bytes) -> object:
    return score_vector.read(data, "file").signed


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a/b.txt", b"text")
        made.writestr("docProps/core.xml", b"<dc:creator>x</dc:creator>")
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as made:
        info = tarfile.TarInfo("a/b.txt")
        info.size = 4
        made.addfile(info, io.BytesIO(b"text"))
    return out.getvalue()[:2048]


def _data(*names: str) -> bytes:
    return files("leadline").joinpath("data", *names).read_bytes()


def _json(**value: object) -> bytes:
    return json.dumps(value).encode()


_ED = b64encode(b"\x01" + bytes(32)).decode()
_KEY = note.VerifierKey("example.org/log", note.Kind.ED25519, bytes(32)).line
_SIGNATURE = "\u2014 example.org/log " + b64encode(bytes(4 + 64)).decode()
_HASH = b64encode(bytes(32)).decode()
_HEAD = f"example.org/log\n2\n{_HASH}\n"
_NOTE = f"{_HEAD}\n{_SIGNATURE}\n".encode()
_WEIGHTS = _json(
    a={"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, __metadata__={"format": "pt"}
)
_WEIGHTS = len(_WEIGHTS).to_bytes(8, "little") + _WEIGHTS + bytes(4)
_PDF = b"%PDF-1.7\n1 0 obj<</Author(x)>>stream\n" + zlib.compress(b"text") + b"\nendstream\n%%EOF\n"
_PNG = b"\x89PNG\r\n\x1a\n" + bytes(3) + b"\1tEXtx" + bytes(8) + b"IEND" + bytes(4)
_JPEG = b"\xff\xd8\xff\xe1\0\4xx\xff\xda\0\2\xff\xd9"
_PURL = "pkg:pypi/jinja2@3.1.2"
_SBOM = _json(
    bomFormat="CycloneDX",
    specVersion="1.6",
    version=1,
    components=[
        {"type": "library", "bom-ref": "a", "name": "jinja2", "version": "3.1.2", "purl": _PURL}
    ],
)
_SPDX = _json(
    spdxVersion="SPDX-2.3",
    packages=[
        {
            "SPDXID": "a",
            "name": "jinja2",
            "versionInfo": "3.1.2",
            "externalRefs": [{"referenceType": "purl", "referenceLocator": _PURL}],
        }
    ],
)
_SPDX_TAGS = f"""SPDXVersion: SPDX-2.3
PackageName: jinja2
SPDXID: SPDXRef-a
PackageComment: <text>two
lines</text>
ExternalRef: PACKAGE-MANAGER purl {_PURL}
Relationship: SPDXRef-a GENERATED_FROM SPDXRef-a
""".encode()
_OSV = _json(
    id="GHSA-1",
    modified="2024-01-01T00:00:00Z",
    aliases=["CVE-2024-1"],
    affected=[
        {
            "package": {"ecosystem": "PyPI", "name": "jinja2"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.3"}]}],
            "versions": ["3.1.2"],
        }
    ],
)
_ANSWERS = (
    b'[[answer]]\nline = "a | b"\nadvisories = ["X"]\nask = "?"\nanswer = "no"\non = 2026-11-03\n'
)
_MAKERS = b'[[maker]]\nid = "abb"\nnames = ["ABB", "Asea Brown Boveri"]\nsource = "own name"\n'
_CSAF = _json(
    document={
        "category": "csaf_security_advisory",
        "csaf_version": "2.0",
        "title": "t",
        "publisher": {"category": "vendor", "name": "n", "namespace": "https://e.org"},
        "tracking": {
            "id": "A-1",
            "status": "final",
            "version": "1",
            "revision_history": [{"number": "1", "date": "2024-01-01T00:00:00Z", "summary": "s"}],
        },
    },
    product_tree={
        "branches": [
            {
                "category": "vendor",
                "name": "v",
                "branches": [
                    {
                        "category": "product_version_range",
                        "name": "vers:pypi/<3.1.3",
                        "product": {
                            "product_id": "P",
                            "name": "p",
                            "product_identification_helper": {"purl": _PURL},
                        },
                    }
                ],
            }
        ]
    },
    vulnerabilities=[
        {
            "cve": "CVE-2024-1",
            "product_status": {"known_affected": ["P"]},
            "scores": [{"products": ["P"], "cvss_v3": {"vectorString": "CVSS:3.1/AV:N"}}],
        }
    ],
)
_MANIFEST_OF_A_RUN = (
    b'{"commit": "b", "paths": ["src"], "tool": "t", "effort_hours": 3, "findings": 0, "log": "c"}'
)
_ASAN = b"""=================================================================
==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602 at pc 0x4 bp 0x7 sp 0x7
READ of size 1 at 0x602 thread T0
    #0 0x4f in parse_header /src/a.c:10:3
    #1 0x50 in main (/bin/x+0x50)
SUMMARY: AddressSanitizer: heap-buffer-overflow /src/a.c:10:3 in parse_header
"""
_CASR = _json(
    CrashSeverity={"Type": "NOT_EXPLOITABLE", "ShortDescription": "AbortSignal"},
    Stacktrace=["#0 0x1 in f /a.c:1:1"],
    AsanReport=["==1==ERROR: AddressSanitizer: SEGV"],
)
_PROOF = f"c2sp.org/tlog-proof@v1\nindex 1\n{_HASH}\n\n".encode() + _NOTE
_ACT = canonical.encode(
    {
        "v": 1,
        "id": "a",
        "kind": "cover",
        "at": "2027-01-01T00:00:00.000000Z",
        "actor": "p",
        "about": "x",
        "engagement": "e",
        "detail": {},
    }
)
_OPENING = manifest.encode_opening(manifest.Opening(0, bytes(32), canonical.decode(_ACT)))
_SIGNED = b64encode(
    _json(
        predicateType=model_signature.PREDICATE,
        predicate={
            "serialization": {"method": "files", "hash_type": "sha256"},
            "resources": [{"name": "a", "digest": "ab" * 32}],
        },
    )
).decode()
_DETERMINATION = b"""answer = "undetermined"
outcome = "undetermined"
basis = "b"
criteria = "c"
official = "o"
expires = 2027-09-01T00:00:00Z
trigger = "t"
caveats = ["one"]
[scope]
model = "m"
weights_version = "w"
subject = "d"
variant = "with-safeguards"
[errors]
above = 0.05
below = 0.1
"""
_YAML = b"""# settings
a: &a {x: 1, y: [0x1F, 0o7, 1_000, 190:20:30, -1.5e+3, .inf, 190:20:30.15]}
b: {<<: *a, z: [~, yes, "\\u00e9\\x41\\U0001F600", 'it''s', 2001-12-14t21:59:43.10-05:00, 2001-12-14]}
? !!str 7
: !!set {p, q}
c: !!omap [k: v]
d: !!binary aGVsbG8=
e: |-
  text
f: >+
  folded

g: [!!int "3", !!float "1", !!bool "no", !!timestamp "2001-01-01", !!null "", !!pairs [k: v]]
"""
_COMPOSE = b"""services:
  default:
    image: &i "registry/x:1"
    working_dir: /root
    init: true
    environment: [A=1, B]
    deploy: {resources: {limits: {cpus: "1", memory: 1g}}}
    command: tail -f /dev/null
"""
_BUILT = b"services: {a: {image: x, build: .}}"
_PARTNER = b"""organisation = "a"
tier = "t"
targets = ["x"]
expires = 2027-01-01T00:00:00Z
[[stages]]
capabilities = ["api"]
credits = 1
uses_a_day = 1
"""
_REPLAY = b"""format = "leadline-replay/1"
title = "a flaw"
[build]
with = "command"
[[build.steps]]
argv = ["cc", "a.c"]
[run]
command = ["./prog", "{proof}"]
proof = "proof"
[oracle]
kind = "script"
script = "judge.py"
"""
_TERMS = b"""confidentiality = "c"
cybersecurity = "c"
insider_risk = "i"
intellectual_property = "i"
use = "u"
nondisclosure = "n"
purposes = ["assessment"]
retention_days = 9
expires = 2027-01-01T00:00:00Z
[records]
schedule = "s"
authority = "a"
"""
_OTHER = b"services: {a: {image: x, 1: 2, environment: {A: 1, B: null}}}"
_SEVERAL = b"services: {a: {image: x}, b: {image: y}}"
_EVAL = b"""name: wheel
flag: CTF{abc}
sandbox: {type: docker, config: compose.yaml}
files: {/root/a: resources/a}
prompt: &p Find it.
setup: setup.sh
variants:
  hard: {}
  other: {prompt: *p, flag: 7, files: {/root/b: resources/b}}
  solution: {files: {/root/s.sh: solution/s.sh}}
metadata: {category: crypto, first_solve_time: 9}
"""
_CHALLENGE = _json(
    name="n",
    category="web",
    description="See {box}:{port}.",
    flag="f{x}",
    files=["a"],
    box="h",
    internal_port=80,
    compose=True,
)
_POV = b"""<?xml version="1.0" standalone="no" ?>
<!DOCTYPE pov SYSTEM "/usr/share/cgc-docs/replay.dtd">
<pov><cbid>x</cbid><replay><decl><var>v</var></decl>
<write echo="no"><data format="asciic">a\\n\\x41\\101\\\\&amp;</data><data format="hex">00 ff
0a</data></write><read><delim>\\n</delim><match><data>yes</data></match></read><delay>5</delay>
</replay></pov>
"""
_C_SOURCE = b"""#ifndef A_H
#if defined(PATCHED) || !defined PATCHED_2 && (!PATCHED || PATCHED) /* x */
a
#elif PATCHED_1 // y
b
#else
c
#endif
# if B > 2
#ifdef PATCHED
d
#endif
#endif
#endif
"""
_QUALIFIED = qualification.encode(
    Record(
        suite="planted",
        item="p-1",
        digest="aa",
        environment={"kernel": "6"},
        environment_digest=qualification.environment_digest({"kernel": "6"}),
        extent=QUICK,
        checks=(Check("a", held=True), Check("b", held=None, reason="does not apply")),
        counts={"reference": (1, 1)},
        shown={"reference": "solved"},
        at=datetime(2026, 11, 1, tzinfo=UTC),
        milliseconds=12,
    )
)
_RUNS = b"""alias,task_id,task_family,score_binarized,best_available_minutes,invsqrt_task_weight
a,t1,f,1,2.5,0.5
"b, c",t1,f,,2.5,1
b,t2,g,1,,1
"""
_RUN = _json(model="a", task="t", score=0.5, human_minutes="3", family="f", weight=0.2)
_SCOPE = b"""hosts = ["a.test", "*.b.test"]
ports = ["502", "65535"]
paths = ["/a"]
closed_paths = ["/"]
accounts = ["me"]
programs = ["ssh"]
[[forbidden]]
name = "x"
words = ["one two", "three"]
severity = "alarm"
"""
_SCORES = _json(
    suite_digest="ab" * 32,
    count=3,
    scores=[1, 0.125, 0],
    signature=b64encode(bytes(64)).decode(),
)

_DECISION = (
    b'{"log":[{"cost":0,"down":0,"epoch":1,"item":"a","p":"AAAAAAAA","previous":"00","sample":"","step":1,'
    b'"total":2,"up":0,"weight":1,"y":1}],"plan":{"alpha_above":"0.05","alpha_below":"0.05","batch":1,'
    b'"design":"active","difficulties":[],"discriminations":[],"estimand":"realised","families":["f","f"],'
    b'"family_share":"0.5","floor":"0.15","items":["a","b"],"kappas":["0.5","1.0"],"max_runs":null,'
    b'"max_tokens":null,"seed_commitment":"c","suite_digest":"d","tau":"0.5","threshold":"0.5",'
    b'"weights":{},"zone":"0.0"},"seed":"00"}'
)

_DIALECT = dialect_toml.load_dialect(_data("relay", "openai-chat.toml"), "openai-chat.toml")
_RELAY_LINE = relay_journal.Entry(
    0, datetime(2026, 1, 1, tzinfo=UTC), "relay.stopped", {}, bytes(32)
).line[:-1]


_TABLE = _data("ssvc", "utility_1_0_0.json")
_SEEN = datetime(2027, 1, 1, tzinfo=UTC)
_SECURITY_TXT = (
    b"Contact: mailto:a@b.example\nExpires: 2027-01-01T00:00:00Z\nPolicy: https://b.example/"
)
_CONTACTS = b"""[[project]]
name = "a"
packages = ["pkg:pypi/a"]
[[project.address]]
channel = "mail"
to = "a@b.example"
source = "s"
seen = 2027-01-01T00:00:00Z
"""
_UTILITY = ssvc.read_table(_TABLE, "utility")
_UTILITY_CSV = b"""row,Automatable v2.0.0,Value Density v1.0.0,Utility v1.0.1
0,no,diffuse,laborious
1,no,concentrated,efficient
2,yes,diffuse,efficient
3,yes,concentrated,super effective
"""
_BOD = _data("ssvc", "cisa_bod_26_04_1_0_0.json")
_BOD_TABLES = {one.id: one for one in [ssvc.read_table(_BOD, "table")]}
_KEV = _json(
    catalogVersion="1",
    dateReleased="2026-11-01T15:00:00.1234Z",
    count=1,
    vulnerabilities=[{"cveID": "CVE-2026-0001", "dateAdded": "2026-10-02"}],
)
_EPSS = b"""#model_version:v1,score_date:2026-11-18T00:00:00+0000
cve,epss,percentile
CVE-2026-0001,0.5,0.9
"""
_ASSESSED = _json(
    cveMetadata={"cveId": "CVE-2026-0001"},
    containers={
        "adp": [
            {
                "providerMetadata": {"shortName": "a"},
                "metrics": [
                    {"other": {"type": "ssvc", "content": {"options": [{"Automatable": "no"}]}}}
                ],
            }
        ]
    },
)


_CONTRACT = b"""project = "p"
contact = "c"
packages = ["pkg:pypi/p"]
per_week = 2
paused_until = 2027-04-01T00:00:00Z
[scope]
exclude = ["tests/"]
[[exclusion]]
clause = "1"
says = "x"
weaknesses = ["CWE-400"]
[evidence]
reproducer = "required"
"""
_REPORT = json.dumps(
    {
        "schema": "leadline-finding-1",
        "title": "t",
        "description": "d",
        "found": {"by": "ai", "at": "2027-01-01T00:00:00Z"},
        "component": "pkg:pypi/p@1",
        "severity": {"level": "high"},
        "locations": [{"file": "a.c", "lines": [1, 2]}],
        "reproducer": {"file": "poc"},
        "attachments": [{"name": "n", "base64": "QQ=="}],
        "links": {"needs_any": ["0" * 64]},
        "hops": [{"name": "h"}],
    }
).encode()
_SARIF = json.dumps(
    {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "s", "rules": [{"id": "CWE-79"}]}},
                "results": [
                    {
                        "ruleIndex": 0,
                        "message": {"text": "a {0}", "arguments": ["b"]},
                        "properties": {
                            "security-severity": "7.5",
                            "leadline": {"reproducer": "poc"},
                        },
                        "locations": [{"physicalLocation": {"region": {"startLine": 3}}}],
                    }
                ],
            }
        ],
    }
).encode()
_SEALED = sealed_pack.encode(
    sealed_pack.SealedPack(
        "pack-ab",
        Scheme(),
        tuple(SealedShare(f"{n:02x}" * 32, n, "ab" * 8) for n in range(3)),
        ("cd" * 32,),
        "ef" * 32,
        b"ciphertext",
    )
)
_BOOK = packed(
    parts(
        {
            "L": sheet(
                {1: ["Maker", "Model", "Version"], 2: ["Acme", "PX-3", ("4.6", "n", 1)]},
                merged=["A2:A3"],
            )
        },
        styles=[0, 2],
    )
)
_VINCE = (
    b'{"vuid": "VU#1", "title": "t", "vuls": [{"description": "d", "package": "pkg:pypi/p@1"}]}'
)
_ASAN = b"==1==ERROR: AddressSanitizer: SEGV on unknown address\n    #0 0x1 in f /a.c:1:2\n"
_RELATED = (
    b'{"relay": "magpie/rfc-ai-0008-draft", "id": "r", "finder_credits": ["a"],'
    b' "reporter_chain": [{"party": "p", "role": "finder", "at": "2027-01-01T00:00:00Z"}]}'
)


def _taxii(data: bytes) -> None:
    """A query, a place and an ``Accept`` header, all of the same bytes."""
    text = data.decode("utf-8", "replace")
    taxii.acceptable(text)
    known = ("added_after", "limit", "next", "match[id]", "match[version]", "match[spec_version]")
    sent = parse_qsl(text, keep_blank_values=True)
    asked = taxii.asked(sent, known)
    taxii.read_place(asked.next, (), lambda told: sha256(told).digest())


PARSERS: Mapping[str, Parser] = {
    "act": Parser(_record, [_ACT]),
    "approvers_toml": Parser(_turned(approvers_toml.parse), [_data("approvals", "approvers.toml")]),
    "archive_tar": Parser(lambda data: archive.read_tar(io.BytesIO(data)), [_tar()]),
    "archive_tar_gzip": Parser(
        lambda data: archive.read_tar(io.BytesIO(data), gzipped=True), [gzip.compress(_tar())]
    ),
    "archive_zip": Parser(lambda data: archive.read_zip(io.BytesIO(data), len(data)), [_zip()]),
    "assets_csv": Parser(
        assets_csv.parse, [b"name;version\nopenssl;1.0\n", b'vendor,model,firmware\na,b,"c\nd"\n']
    ),
    "assets_workbook": Parser(assets_csv.parse, [_BOOK]),
    "bodies_toml": Parser(_named(bodies_toml.load_bodies), [_data("bodies.toml")]),
    "bodies_toml_examples": Parser(
        _named(bodies_toml.load_name_examples), [_data("bodies.examples.toml")]
    ),
    "bounded_yaml": Parser(_named(bounded_yaml.load), [_YAML, _COMPOSE]),
    "bounded_yaml texts": Parser(_named(bounded_yaml.load_texts), [_YAML]),
    "c_conditional": Parser(_cut, [_C_SOURCE]),
    "canonical": Parser(canonical.decode, [b'{"a":[1,"b",null,true]}']),
    "cast_toml": Parser(_named(cast_toml.load_cast), [_data("demonstration", "cast.toml")]),
    "checkpoint": Parser(_text(checkpoint.parse), [_HEAD.encode()]),
    "compose": Parser(_container, [_COMPOSE, _BUILT, _OTHER, _SEVERAL]),
    "content": Parser(
        lambda data: content.judge(io.BytesIO(data), len(data)),
        [_WEIGHTS, _PDF, _zip(), _tar(), gzip.compress(_tar()), b"{}", b"# text\n", b"c\na\n."],
    ),
    "contract_toml": Parser(_named(contract_toml.load_contract), [_CONTRACT]),
    "contract_toml_inferred": Parser(
        lambda data: contract_toml.infer_contract(data, "p"), [b"Write to security@example.org."]
    ),
    "cosignature": Parser(_claimed, [f"{_KEY}\n".encode() + _NOTE]),
    "contacts_csaf": Parser(
        lambda data: contacts_toml.from_csaf(data, "file", _SEEN),
        [b'{"document": {"publisher": {"name": "A", "contact_details": "a@b.example"}}}'],
    ),
    "contacts_osv": Parser(
        lambda data: contacts_toml.from_osv(data, "file", _SEEN),
        [b'{"affected": [{"ranges": [{"repo": "https://github.com/a/b"}]}]}'],
    ),
    "contacts_toml": Parser(_named(contacts_toml.load_contacts), [_CONTACTS]),
    "criteria_toml": Parser(
        _named(criteria_toml.load_criteria), [_data("criteria", "demonstration.toml")]
    ),
    "csaf": Parser(csaf.parse, [_CSAF]),
    "csaf_products": Parser(csaf_products.parse, [_CSAF]),
    "answers_toml": Parser(answers_toml.load, [_ANSWERS]),
    "makers_toml": Parser(makers_toml.load, [_MAKERS]),
    "decision_log": Parser(decision_log.read_decision, [_DECISION]),
    "csaf_faults": Parser(csaf.faults, [_CSAF]),
    "determination_toml": Parser(_named(determination_toml.load_determination), [_DETERMINATION]),
    "ctf_json_challenge": Parser(_named(ctf_json.nyu_challenge), [_CHALLENGE]),
    "ctf_json_cybergym": Parser(
        _listed(ctf_json.cybergym), [b'[{"task_id": "arvo:1"}, {"task_id": 1}, {}]']
    ),
    "ctf_json_intercode": Parser(
        _listed(ctf_json.intercode), [b'[{"task_id": 0, "query": "q", "gold": "g"}, {}, 1]']
    ),
    "ctf_json_nyu": Parser(_listed(ctf_json.nyu), [b'{"a": {"path": "p"}, "b": {}, "c": 1}']),
    "cyber_eval": Parser(_named(cyber_eval.read), [_EVAL]),
    "cyclonedx": Parser(cyclonedx.parse, [_SBOM]),
    "dialect_toml": Parser(
        _named(dialect_toml.load_dialect), [_data("relay", "anthropic-messages.toml")]
    ),
    "dialect_toml_answer": Parser(
        lambda data: dialect_toml.Told(_DIALECT).take(data),
        [b'[{"model":"m","usage":{"prompt_tokens":1}}]'],
    ),
    "dialect_toml_request": Parser(_DIALECT.requested, [b'{"model":"m","messages":[]}']),
    "directive_toml": Parser(
        lambda data: directive_toml.load_directive(data, "file", _BOD_TABLES),
        [_data("directives", "us-bod-26-04.toml")],
    ),
    "disclosure_toml": Parser(
        _named(disclosure_toml.load_disclosure), [_data("disclosure", "leadline-default.toml")]
    ),
    "disclosure_toml_examples": Parser(
        lambda data: disclosure_toml.load_examples(data, "file", "d" * 64, "id"),
        [_data("disclosure", "leadline-default.examples.toml")],
    ),
    "directive_toml_examples": Parser(
        _named(directive_toml.load_examples), [_data("directives", "us-bod-26-04.examples.toml")]
    ),
    "document": Parser(_named(document.value), [b'{"a": [1, 2.5e3, "b", {}]}', b"[[[[]]]]"]),
    "embedded": Parser(
        lambda data: embedded.inspect("file", data, [b"CANARY-12345678"]),
        [_PDF, _PNG, _JPEG, _zip(), b"//# sourceMappingURL=x"],
    ),
    "http1_chunks": Parser(
        lambda data: http1.Body(http1.Framing.CHUNKED, 0).feed(data),
        [b"3;a=b\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"],
    ),
    "http1_request": Parser(
        http1.parse_request, [b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n"]
    ),
    "http1_response": Parser(
        http1.parse_response, [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
    ),
    "inquiry_toml": Parser(
        _named(inquiry_toml.load_inquiry), [b'model = "m"\ntraining_operations = 3e25\n']
    ),
    "inquiry_toml_pack": Parser(
        _named(inquiry_toml.load_submission),
        [b'model = "m"\nunknown = ["contact"]\n[[piece]]\npart = "model-card"\n'],
    ),
    "epss": Parser(epss.parse, [_EPSS, gzip.compress(_EPSS)]),
    "event_stream": Parser(
        lambda data: event_stream.EventStream().feed(data), [b": a\n\ndata: b\r\n\r\ndata: c\r\r"]
    ),
    "exchange_profile": Parser(_named(exchange.load_profile), [_data("exchange", "uk-aisi.toml")]),
    "kev": Parser(kev.parse, [_KEV]),
    "manifest": Parser(manifest.decode, [manifest.encode({"a.txt": manifest.File("ab" * 32, 4)})]),
    "manifest_opening": Parser(manifest.decode_opening, [_OPENING]),
    "manifest_statement": Parser(
        _text(manifest.parse_statement),
        [f"{manifest.HEADER}\n{_HEAD}sha256 {'ab' * 32}\n".encode()],
    ),
    "matrix_toml": Parser(_turned(matrix_toml.parse), [_data("roles", "public.examples.toml")]),
    "ml_bom": Parser(ml_bom.parse, [ml_bom.encode(ml_bom.MlModel("m", task="t"))]),
    "model_card": Parser(_named(model_card.load), [b"---\nlicense: mit\ntags: [a]\n---\n# m\n"]),
    "model_signature": Parser(model_signature.parse, [_json(dsseEnvelope={"payload": _SIGNED})]),
    "note": Parser(note.parse, [_NOTE]),
    "operator_toml": Parser(
        _named(operator_toml.load_operator), [b'id = "a"\nname = "b"\nsample = true\n']
    ),
    "osv": Parser(osv.parse, [_OSV]),
    "advisory_toml": Parser(
        advisory_toml.parse,
        [
            b'id = "x"\ntitle = "y"\n[[revision]]\nat = 2027-03-01T09:00:00Z\nsummary = "s"\n',
            b'id = "x"\ntitle = "y"\n[[flaw]]\ntitle = "t"\ndescription = "d"\n[[flaw.package]]\n',
            b'[[flaw]]\n[[flaw.package]]\npurl = "pkg:pypi/a"\naffected = [">=1 <2", "*"]\n',
        ],
    ),
    "cve": Parser(cve.faults, [_json(dataType="CVE_RECORD", dataVersion="5.1", containers={})]),
    "feed": Parser(
        _text(feed.parse_head),
        [f"{feed.HEADER}\nhttps://x.example\n1\n2027-03-01T00:00:00Z\n{'ab' * 32}\n".encode()],
    ),
    "magpie": Parser(
        magpie.parse,
        [magpie.first("r", [{"name": "A"}], [], magpie.Terms(None, Tlp.RED)).data],
    ),
    "openvex": Parser(openvex.faults, [_json(statements=[{"status": "affected"}])]),
    "osv_out": Parser(osv_out.faults, [_OSV]),
    "scoring": Parser(_text(scoring.read), [b"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]),
    "vince": Parser(
        vince.parse, [_json(title="t", vuid="VU#1", vendors=[{"vendor": "A", "status": "Unknown"}])]
    ),
    "spdx": Parser(spdx.parse, [_SPDX, _SPDX_TAGS]),
    "pack": Parser(
        pack.decode,
        [pack.encode([pack.PackedItem("item-1", bytes(32), {"a": pack.PackedFile(b"x")})])],
    ),
    "pack_commitment": Parser(
        _text(pack.decode_commitment), [f"{pack.COMMITMENT}\n{{}}\n".encode()]
    ),
    "pack_openings": Parser(pack.decode_openings, [f"{pack.OPENINGS}\n[]\n".encode()]),
    "pack_reveal": Parser(_text(pack.decode_reveal), [f"{pack.REVEAL}\n{{}}\n".encode()]),
    "pairs_csv_dates": Parser(
        _text(lambda text: pairs_csv.read_dates(text, ("m-1", "m-2"))),
        [b"model,date\nm-1,2024-05-01\nm-2,2025-06-02\n"],
    ),
    "pairs_csv_families": Parser(
        _text(lambda text: pairs_csv.read_families(text, ("a", "b"))),
        [b"item,family\na,one\nb,two\n"],
    ),
    "parties_csv": Parser(
        _text(parties_csv.load_parties),
        [b"name,contact\nA,a@b.example\n", b'A;"a;b@c.example";pkg:npm/a\n'],
    ),
    "qualification": Parser(
        lambda data: qualification.statement(data, "example.org/log"), [_QUALIFIED]
    ),
    "partner_toml": Parser(
        lambda data: partner_toml.load_partner(data, "fuzz", "developer"), [_PARTNER]
    ),
    "purposes_toml": Parser(_named(purposes_toml.load_purposes), [_data("purposes.toml")]),
    "questions_toml": Parser(_named(questions_toml.load_questions), [_data("questions.toml")]),
    "questions_toml_answers": Parser(
        lambda data: questions_toml.load_answers(
            data, "f", questions_toml.load_questions(_data("questions.toml"), "q")
        ),
        [b'training-operations = 3e25\nplaces = ["eu"]\nopen-weights = false\nstage = "public"\n'],
    ),
    "regime_examples": Parser(
        _named(regime_examples.load_examples), [_data("regimes", "ca-sb53.examples.toml")]
    ),
    "regime_toml": Parser(
        _named(regime_toml.load_regime),
        [_data("regimes", "us-eo-14409.toml"), _data("regimes", "eu-ai-act-gpai.toml")],
    ),
    "register_toml_entries": Parser(
        _named(register_toml.load_entries), [_data("demonstration", "register.toml")]
    ),
    "register_toml_examples": Parser(
        _named(register_toml.load_examples), [_data("register", "waiver.examples.toml")]
    ),
    "register_toml_kind": Parser(
        _named(register_toml.load_kind), [_data("register", "waiver.toml")]
    ),
    "relay_journal_line": Parser(lambda data: relay_journal.entry_of(data, 0), [_RELAY_LINE]),
    "relay_journal_statement": Parser(
        _text(relay_journal.statement_of), [f"{relay_journal.STATEMENT}\n{{}}\n".encode()]
    ),
    "replay_xml": Parser(_replay, [_POV, _POV.replace(b"pov", b"cfepoll")]),
    "report": Parser(_reported(report_forms.read), [_REPORT, _SARIF, _VINCE, _CSAF, _ASAN]),
    "report_casr": Parser(_reported(casr.read), [_ASAN]),
    "report_csaf": Parser(_reported(csaf_report.read), [_CSAF]),
    "report_finding": Parser(_reported(finding_json.read), [_REPORT]),
    "report_related": Parser(_related, [_RELATED]),
    "report_sarif": Parser(_reported(sarif.read), [_SARIF]),
    "report_vince": Parser(_reported(vince_report.read), [_VINCE]),
    "roles_toml": Parser(_turned(roles_toml.parse), [_data("roles", "public.toml")]),
    "runs_table": Parser(_text(runs_table.read_runs), [_RUNS, _RUN + b"\n\n" + _RUN]),
    "safetensors": Parser(_header, [_WEIGHTS]),
    "sealed_pack": Parser(sealed_pack.decode, [_SEALED]),
    "run_manifest": Parser(_named(run_manifest.load_run_manifest), [_MANIFEST_OF_A_RUN]),
    "sanitizer": Parser(_named(sanitizer.parse), [_ASAN, _CASR]),
    "scope_toml": Parser(_named(scope_toml.load_scope), [_SCOPE]),
    "score_matrix": Parser(
        _text(lambda text: score_matrix.read_matrix(text, ("x", "y"))),
        [
            b"model,i1,i2\na,1,\nb,0.5,0\n",
            b"agent,bits\na,01\n",
            b"agent,task,successes,trials\na,x,1,2\n",
        ],
    ),
    "score_vector": Parser(_scores, [_SCORES]),
    "sealed_report": Parser(sealed_report.read_report, [b'{"v":1}']),
    "sealed_toml": Parser(_named(sealed_toml.load_limits), [_data("sealed", "limits.toml")]),
    "replay_toml": Parser(
        lambda data: replay_toml.load_bundle(data, {"proof": b"x", "judge.py": b""}), [_REPLAY]
    ),
    "security_txt": Parser(_named(security_txt.load_security_txt), [_SECURITY_TXT]),
    "taxii": Parser(_taxii, [b"limit=5&match[id]=a,b&match[version]=last", b"application/*;q=0.1"]),
    "terms_toml": Parser(_named(terms_toml.load_terms), [_TERMS]),
    "tiers_toml": Parser(_named(tiers_toml.load_tiers), [_data("tiers", "leadline-default.toml")]),
    "tiles": Parser(tiles.decode_bundle, [tiles.encode_bundle([b"entry", b""])]),
    "tiles_path": Parser(_text(tiles.parse_path), [b"tile/0/x001/067.p/3", b"tile/entries/000"]),
    "ssvc": Parser(_named(ssvc.read_table), [_TABLE]),
    "ssvc_csv": Parser(
        lambda data: ssvc.read_csv(data, "file", [*_UTILITY.inputs, _UTILITY.outcome]),
        [_UTILITY_CSV],
    ),
    "ssvc_point": Parser(
        _named(ssvc.read_point),
        [json.dumps(json.loads(_TABLE)["decision_points"]["ssvc:A:2.0.0"]).encode()],
    ),
    "tlog_policy": Parser(
        tlog_policy.parse, [f"log {_KEY}\nwitness w {_KEY}\ngroup g 1 w\nquorum g\n".encode()]
    ),
    "tlog_proof": Parser(tlog_proof.parse, [_PROOF]),
    "tlog_witness_request": Parser(
        tlog_witness.parse_request, [f"old 1\n{_HASH}\n\n".encode() + _NOTE]
    ),
    "tlog_witness_answer": Parser(_witnessed, [f"{_SIGNATURE}\n".encode()]),
    "vers": Parser(_text(vers.parse), [b"vers:npm/1.2.3|>=2.0.0|<5.0.0", b"vers:deb/*"]),
    "verdict": Parser(_text(verdict.decode_verdict), [f"{verdict.VERDICT}\n{{}}\n".encode()]),
    "verdict_request": Parser(
        _text(verdict.decode_request), [f"{verdict.REQUEST}\n{{}}\n".encode()]
    ),
    "vkeys": Parser(_text(note.parse_vkeys), [f"{_KEY}\n".encode(), _ED.encode()]),
    "vulnrichment": Parser(vulnrichment.parse, [_ASSESSED]),
}
