"""NUL in an address: no text that a database holds, and no fault of the program on either."""

import base64
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import make
from identity.people import PASSWORD, House, house
from leadline.client.uses import PREFIX
from leadline.http.application import create

ORIGIN = "https://localhost:8443"
BODY = b"{}"
HEADERS = {
    "content-type": "application/json",
    "content-digest": f"sha-256=:{base64.b64encode(sha256(BODY).digest()).decode()}:",
}
ASKED = (
    "GET /lists/rows.csv?thing=case&case=%00",
    "GET /lists/rows.csv?thing=engagement&engagement=%00&org=%00&words=%00&state=%00&group=%00",
    "GET /why?person=%00&action=case:read&thing=case/%00",
    "GET /why?person=dev&action=case:read&thing=case/%00",
    "POST /uploads?engagement=%00&purpose=document",
    "POST /submissions?engagement=%00",
    "POST /weights?engagement=%00",
    "GET /uploads/%00",
    "GET /published/%00",
    "POST /engagements/%00/exports",
    "POST /engagements/%00/assessment",
    "POST /packs/%00/sessions",
    "POST /backups/%00/checks",
    "DELETE /session/%00",
    "DELETE /credentials/%00",
    "GET /approvals/%00",
)
PAGES = ("/engagements/%00", "/cases/%00", "/sealed/%00", "/reports/%00", "/operator/notices/%00", "/admin/people/%00", "/search?words=%00", "/report/%00")  # fmt: skip


@pytest.fixture
def at(tmp_path: Path, database_url: str) -> Iterator[House]:
    """A developer and an administrator, on each database."""
    with house(tmp_path, database_url) as found:
        found.enrol("dev", "developer", org=make.DEVELOPER)
        found.enrol("admin", "administrator", engagements=frozenset())
        for person in ("dev", "admin"):
            found.password(person)
        yield found


def test_nul_is_no_fault(at: House) -> None:
    """Refused or absent, whoever asks."""
    wrong = []
    for person in ("dev", "admin"):
        client = TestClient(
            create(at.portal),
            base_url=ORIGIN,
            headers={"origin": ORIGIN},
            raise_server_exceptions=False,
        )
        told = {"name": person, "password": PASSWORD}
        begun = client.post(f"{PREFIX}/sign-in/password", json=told)
        client.headers["x-csrf-token"] = begun.json()["csrf"]
        for key in ASKED:
            method, _, path = key.partition(" ")
            headers = {"idempotency-key": f"{person} {path}", **HEADERS}
            answer = client.request(method, PREFIX + path, content=BODY, headers=headers)
            if answer.status_code >= 500:
                wrong.append((person, key, answer.status_code))
        pages = ((path, client.get(path).status_code) for path in PAGES)
        wrong += [(person, path, status) for path, status in pages if status >= 500]
    assert not wrong
