"""What a request names beside its path: for strangers, what there is answers as what there is not.

`portal.test_api_doors` asks every route about the names in its path, with nothing in the body. Here are the routes
that take names in a query or in a body, each with a body that is right but for who sends it. Ids of artefacts and
drafts are random and long; a sealed suite is as absent only where its existence is restricted (`app.test_sealed`).
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256

import pytest
from fastapi.testclient import TestClient

from identity.people import application
from leadline.app.sign_in import csrf_of
from leadline.client.uses import PREFIX
from leadline.http.api.caller import COOKIE, CSRF
from portal.examples import filled, world
from portal.world import World

ORIGIN = "https://localhost:8443"
STRANGERS = ("rival", "other-operator", "other-maintainer", "operator", "evaluator")
# Those that know of neither: `evaluator` is named for the engagement, `operator` has its own desk.
UNTOLD = {"evaluator": {"engagement", "person"}, "operator": {"operator", "notice"}}
WHEN = "2027-03-01T12:00:00Z"
SENT = b"{}"
PROOF = {"content-digest": f"sha-256=:{base64.b64encode(sha256(SENT).digest()).decode()}:"}
# Each with what it asks about, by the names of the world.
ASKED: Mapping[str, object] = {
    "GET /why?person={person}&action=principal:read&thing=principal/{person}": None,
    "GET /why?person=rival&action=engagement:read&thing=engagement/{engagement}": None,
    "GET /why?person=rival&action=case:read&thing=case/{case}": None,
    "GET /why?person=rival&action=finding:read&thing=finding/{finding}": None,
    "GET /why?person=rival&action=operator:read&thing=operator/{operator}": None,
    "GET /why?person=rival&action=pack:read&thing=pack/{pack}": None,
    "GET /lists?thing=case&case={case}": None,
    "GET /lists?thing=engagement&engagement={engagement}": None,
    "GET /lists?thing=finding&words={finding}": None,
    "GET /lists/rows.csv?thing=finding&case={case}": None,
    "GET /lists/rows.csv?thing=engagement&engagement={engagement}": None,
    "GET /drafts?case_id={case}": None,
    "GET /notices?case={case}": None,
    "GET /calendar?engagement={engagement}": None,
    "GET /duties?engagement={engagement}": None,
    "POST /uploads?engagement={engagement}&purpose=document": SENT,
    "POST /submissions?engagement={engagement}": {},
    "POST /weights?engagement={engagement}": {},
    "POST /engagements/{engagement}/exports": {"to": "a court", "purpose": "assessment"},
    "POST /engagements/{engagement}/assessment": {"suites": ["ranges"]},
    "POST /pack-audiences": {"engagement": "{engagement}"},
    "POST /approvals": {"action": "determination:record", "engagement": "{engagement}"},
    "POST /findings/credits": {"findings": ["{finding}"]},
    "POST /findings/{finding}/stage": {"to": "case", "reason": "x"},
    "POST /findings/{finding}/answers": {"words": "x"},
    "POST /findings/{finding}/haste": {"reason": "x"},
    "POST /evidence": {"a": "{finding}", "b": "{loose}", "claim": "same", "words": "x"},
    "POST /findings/{finding}/project": {"project": "x", "reason": "x"},
    "POST /cases": {"findings": ["{finding}"], "title": "x", "policy": "leadline-default"},
    "POST /cases/{case}/findings": {"findings": ["{finding}"]},
    "POST /cases/{case}/closing": {"reason": "x"},
    "POST /cases/{case}/parties/{party}/removal": {"reason": "x"},
    "POST /cases/{case}/credits": {"party": "{party}", "name": "x"},
    "POST /operators/{operator}/end": {"reason": "x"},
    "POST /notices/{notice}/answers": {"said": "applied"},
    "POST /grants/end": {"of": "{person}", "scope": "engagement", "named": "{engagement}"},
    "POST /grants": {
        "to": "{person}",
        "scope": "engagement",
        "named": "{engagement}",
        "until": WHEN,
    },
    "POST /suspensions": {"what": "{person}", "reason": "x"},
    "POST /suspensions/end": {"what": "{person}", "reason": "x"},
    "POST /people/{person}/endings": {"reason": "x"},
    "POST /people/{person}/renewals": {"until": WHEN},
    "POST /inbox/readings": {"item_ids": ["{notice}"]},
    "POST /beginnings": {"event": "knew-or-should-have", "about": "{engagement}", "at": WHEN},
}


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world, which strangers cannot change."""
    folder = tmp_path_factory.mktemp("named")
    with world(tmp_path_factory).copied(folder / "copy") as found:
        yield found


def size(at: World) -> int:
    """How many acts there are."""
    with at.at.door.parts.store.read() as view:
        return view.log_size()


def answered(at: World, client: TestClient, person: str, key: str, ids: Mapping[str, str]) -> str:
    """The answer without what was asked, and how many acts it left."""
    method, _, path = key.partition(" ")
    body = ASKED[key]
    token = at.tokens[person]
    client.cookies.set(COOKIE, token)
    told = filled(json.dumps(body), ids).encode() if isinstance(body, Mapping) else body
    headers = {
        CSRF: csrf_of(token),
        "idempotency-key": f"{person} {key} {sorted(ids.items())}"[:200],
    }
    headers |= PROOF if body is SENT else {"content-type": "application/json"}
    headers["idempotency-key"] = sha256(headers["idempotency-key"].encode()).hexdigest()
    before = size(at)
    answer = client.request(method, PREFIX + filled(path, ids), content=told, headers=headers)  # type: ignore[arg-type]
    text = re.sub(r'"request_id":"[0-9a-f]*"', "", answer.text)
    for value in ids.values():
        text = text.replace(value, "ID")
    kept = sorted((k, v) for k, v in answer.headers.items() if k not in {"etag", "date"})
    return f"{answer.status_code} {text} {kept} {size(at) - before} acts"


@pytest.mark.parametrize("key", ASKED)
def test_what_is_named_is_not_found_out(at: World, key: str) -> None:
    """The same status, bytes and headers, and as many acts, whether it is there or not."""
    client = TestClient(
        application(at.at.portal),
        base_url=ORIGIN,
        headers={"origin": ORIGIN},
        raise_server_exceptions=False,
    )
    absent = {n: v[:-1] + ("1" if v[-1] == "0" else "0") for n, v in at.ids.items()}
    named = set(re.findall(r"\{(\w+)\}", key + json.dumps(ASKED[key], default=str)))
    assert named <= set(at.ids), named - set(at.ids)
    for person in STRANGERS:
        if named & UNTOLD.get(person, set()):
            continue
        here, there = (answered(at, client, person, key, ids) for ids in (at.ids, absent))
        assert not here.startswith("5"), (person, here)
        assert here == there, person
