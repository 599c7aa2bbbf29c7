"""What is handed in and taken out over HTTP, to its end: weights, reports, evidence, a sealed run.

Each by whose it is, with the second party that it needs; under one key once; what comes back is checked with
the program's own verifiers.
"""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import make
import sealed_world as sw
from app.test_offered import archive
from app.test_weights import MODEL, Delivery
from file_world import NOTE, ON, agreed, client_of, digest, furnished, strong
from identity.people import House
from leadline.app import exports, sealed_sessions
from leadline.client.uses import PREFIX
from leadline.core.record.act import Kind
from leadline.wiring import intake
from portal.sealed_packs import seal
from reporting import as_bytes

PATH = f"{PREFIX}/engagements/{make.ENGAGEMENT}"


def key(name: str = "k1") -> dict[str, str]:
    """The header that makes a request count once."""
    return {"idempotency-key": name}


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """Two developers, an official, terms that both parties signed."""
    with furnished(tmp_path / "house") as found:
        agreed(found)
        yield found


@pytest.fixture
def delivery(at: House, tmp_path: Path) -> Delivery:
    """Signed weights, whose key the administrators put down."""
    (tmp_path / "theirs").mkdir()
    made = Delivery(tmp_path / "theirs")
    (at.folder / intake.KEYS).mkdir()
    (at.folder / intake.KEYS / f"{make.DEVELOPER}.pem").write_bytes(made.public.read_bytes())
    return made


def weights_parts(one: Delivery) -> list[tuple[str, tuple[str, bytes]]]:
    """The form."""
    files = [("file", (name, data)) for name, data in MODEL.items()]
    return [("signature", ("model.sig", one.signature.read_bytes())), *files]


def test_weights_are_delivered_once(at: House, delivery: Delivery) -> None:
    """Each file with its digest; the other party reads the movements; strangers read nothing."""
    dev, rival = client_of(at, "dev"), client_of(at, "rival")
    to = f"{PREFIX}/weights?{ON}"
    one, two = (dev.post(to, files=weights_parts(delivery), headers=key()) for _ in range(2))
    assert (one.status_code, one.content) == (two.status_code, two.content) == (201, one.content)
    came = {file["name"]: file["digest"] for file in one.json()["files"]}
    assert came == {name: sha256(data).hexdigest() for name, data in MODEL.items()}
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == len(MODEL)
    told = client_of(at, "official").get(f"{PATH}/weights")
    assert told.status_code == 200, told.text
    assert {file["digest"] for file in told.json()["files"]} == set(came.values())
    assert rival.get(f"{PATH}/weights").status_code == 404
    assert rival.post(to, files=weights_parts(delivery), headers=key()).status_code == 404


def test_weights_that_were_not_signed_do_not_enter(at: House, delivery: Delivery) -> None:
    """A changed file, a missing one: said with the field, and nothing enters custody."""
    dev, to = client_of(at, "dev"), f"{PREFIX}/weights?{ON}"
    whole = weights_parts(delivery)
    changed = [*whole[:-1], ("file", ("README.md", b"# Another\n"))]
    for given in (changed, whole[:-1]):
        answer = dev.post(to, files=given, headers=key())
        assert (answer.status_code, answer.json()["field"]) == (422, "signature"), answer.text
    assert Kind.CUSTODY_ENTERED not in at.kinds()
    assert dev.post(to, files=whole, headers=key()).status_code == 201


def reports_to(
    client: TestClient, name: str, data: bytes, more: str = ""
) -> dict[str, list[dict[str, object]]]:
    """What became of the reports of one file."""
    path = f"{PREFIX}/findings/files?name={name}{more}"
    answer = client.post(path, content=data, headers=key(f"{name}{more}"))
    assert answer.status_code == 200, answer.text
    found: dict[str, list[dict[str, object]]] = answer.json()
    return found


@pytest.fixture
def finder(at: House) -> TestClient:
    """Somebody who hands reports in."""
    at.enrol("finder", "finder", org="finders")
    at.password("finder")
    return client_of(at, "finder")


def test_a_report_is_handed_in_and_read_back(finder: TestClient) -> None:
    """One receipt; the same file again adds nothing; the finding has what the query said."""
    said = "&origin=person&found_by=Ada&component=pkg:pypi/bsdiff4"
    (one,) = reports_to(finder, "report.json", as_bytes(), said)["taken"]
    shown = finder.get(f"{PREFIX}/findings/{one['finding']}")
    assert shown.status_code == 200, shown.text
    assert "Overflow in patch()" in shown.text
    assert reports_to(finder, "report.json", as_bytes(), said)["taken"] == [one]
    (again,) = reports_to(finder, "again.json", as_bytes(), said)["taken"]
    assert (again["finding"], again["known"]) == (one["finding"], True)


def test_each_report_of_a_file_stands_for_itself(finder: TestClient) -> None:
    """Of lines and of an archive the good ones are taken, the bad ones refused with their places."""
    lines = as_bytes(title="One") + b"\n" + as_bytes(title=None) + b"\n" + as_bytes(title="Two")
    came = reports_to(finder, "many.jsonl", lines)
    assert (len(came["taken"]), len(came["refused"])) == (2, 1)
    assert "title" in json.dumps(came["refused"])
    packed = archive({"a.json": as_bytes(title="Three"), "b.json": as_bytes(title=None)})
    came = reports_to(finder, "many.tar.gz", packed)
    assert (len(came["taken"]), len(came["refused"])) == (1, 1)
    held = finder.get(f"{PREFIX}/findings").json()["items"]
    assert len(held) == 3


SARIF = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "scanner", "rules": [{"id": "CWE-787"}]}},
            "results": [
                {
                    "ruleId": "CWE-787",
                    "level": "error",
                    "message": {"text": "Write past the buffer"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": "src/patch.c"},
                                "region": {"startLine": 12},
                            }
                        }
                    ],
                }
            ],
        }
    ],
}


def test_a_scanners_file_is_taken_under_what_was_said(finder: TestClient) -> None:
    """SARIF says neither who found it nor of what component: the query does."""
    said = "&origin=tool&found_by=scanner&component=pkg:pypi/bsdiff4"
    came = reports_to(finder, "found.sarif", json.dumps(SARIF).encode(), said)
    assert (len(came["taken"]), came["refused"]) == (1, []), came


def test_evidence_is_taken_out_and_verifies(at: House, tmp_path: Path) -> None:
    """The developer's own file in it, byte for byte; the other party sees that it left, and to whom."""
    dev = strong(at, "dev")
    sent = dev.post(
        f"{PREFIX}/uploads?{ON}&purpose=document&name=note.md",
        content=NOTE,
        headers={**key(), **digest(NOTE)},
    )
    assert sent.status_code == 201, sent.text
    wanted = {"to": "An authority", "purpose": "assessment"}
    out = dev.post(f"{PATH}/exports", json=wanted, headers=key("k2"))
    assert (out.status_code, out.headers["content-type"]) == (200, "application/zip"), out.text
    with zipfile.ZipFile(io.BytesIO(out.content)) as found:
        found.extractall(tmp_path)
    told = exports.verify(tmp_path / "evidence", at.door.parts.signer.vkeys())
    assert (told.to, told.purpose) == ("An authority", "assessment")
    held = [one.read_bytes() for one in (tmp_path / "evidence" / "evidence").iterdir()]
    assert NOTE in held
    again = dev.post(f"{PATH}/exports", json=wanted, headers=key("k2"))
    assert again.status_code == 409
    assert "/around" in again.json()["detail"]
    assert at.kinds().count(Kind.EXPORT_MADE) == 1
    seen = client_of(at, "official").get(f"{PATH}/around").json()["exports"]
    assert [one["detail"]["to"] for one in seen] == ["An authority"]
    assert (
        client_of(at, "rival").post(f"{PATH}/exports", json=wanted, headers=key()).status_code
        == 404
    )


def test_evidence_does_not_leave_for_what_the_terms_leave_out(at: House) -> None:
    """Refused on record; no ZIP, and the key is free."""
    dev = strong(at, "dev")
    answer = dev.post(
        f"{PATH}/exports", json={"to": "a court", "purpose": "training"}, headers=key()
    )
    assert answer.status_code in {409, 422}, answer.text
    assert Kind.EXPORT_MADE not in at.kinds()
    wanted = {"to": "a court", "purpose": "assessment"}
    assert dev.post(f"{PATH}/exports", json=wanted, headers=key()).status_code == 200


def test_a_sealed_run_is_committed_to(at: House) -> None:
    """By who runs it, of a pack that a custodian sealed; the proof is there, and nobody was shown anything."""
    at.enrol("keeper", "custodian")
    at.enrol("lead", "evaluation-lead")
    at.password("lead")
    pack, lead = seal(at, "keeper"), strong(at, "lead")
    terms = base64.b64encode(b"one showing each").decode()
    wanted = {"subject": "baseline", "family": "tool-agents", "terms": terms}
    to = f"{PREFIX}/packs/{pack.id}/sessions"
    one, two = (lead.post(to, json=wanted, headers=key()) for _ in range(2))
    assert (one.status_code, one.content) == (two.status_code, two.content) == (201, one.content)
    made = one.json()
    session = sealed_sessions.session(at.ctx("lead"), made["session"])
    assert (session.commitment, session.terms) == (
        made["commitment"],
        sha256(b"one showing each").hexdigest(),
    )
    assert at.kinds().count(Kind.PACK_COMMITTED) == 1
    listed = lead.get(f"{PREFIX}/packs/{pack.id}/sessions").json()["items"]
    assert [each["id"] for each in listed] == [made["session"]]
    proved = lead.get(f"{PREFIX}/sealed-sessions/{made['session']}/commitment")
    assert proved.status_code == 200, proved.text
    assert sw.CANARY.decode() not in one.text + proved.text
    assert client_of(at, "rival").post(to, json=wanted, headers=key()).status_code in {403, 404}
