"""The contract under schemathesis: no error of ours, and no answer that the contract does not know."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core import NotSet

from identity.people import PASSWORD, House, application, house
from leadline.client.uses import PREFIX, USES
from leadline.http.api import check, handing, machinery, packs, resuming, runs, uploads

ROLES = ("developer", "coordinator", "auditor", "administrator", "operator")
ORIGIN = "https://localhost:8443"
# Beside the table: what is made by hand, but for signing in and out, which would end what is tried.
BY_HAND = (handing, machinery, packs, resuming, runs, uploads, check)
NAMES = {(one.method, PREFIX + one.path) for one in USES} | {
    (method, PREFIX + one.path)
    for module in BY_HAND
    for one in module.ROUTES.routes
    if isinstance(one, APIRoute)
    for method in one.methods or ()
}
BYTES = ("application/octet-stream", resuming.PARTIAL)
schemathesis.serializer.alias(BYTES[1], BYTES[0])


@pytest.fixture
def at(tmp_path: Path, database_url: str) -> Iterator[House]:
    """An installation on each database, with somebody of each role and an engagement."""
    with house(tmp_path, database_url) as found:
        for role in ROLES:
            found.enrol(role, role)
            found.password(role)
        found.engagement()
        yield found


def client_of(at: House, role: str) -> TestClient:
    """Somebody signed in."""
    found = TestClient(
        application(at.portal),
        base_url=ORIGIN,
        headers={"origin": ORIGIN},
        raise_server_exceptions=True,
    )
    told = {"name": role, "password": PASSWORD}
    found.headers["x-csrf-token"] = found.post(f"{PREFIX}/sign-in/password", json=told).json()[
        "csrf"
    ]
    return found


def operations(client: TestClient) -> list[Any]:
    """The operations of the table, as schemathesis reads them from the contract that is served."""
    schema = schemathesis.openapi.from_dict(client.get(f"{PREFIX}/openapi.json").json())
    found: list[Any] = [one.ok() for one in schema.get_all_operations()]  # type: ignore[union-attr]
    return [one for one in found if (one.method.upper(), one.path) in NAMES]


def tried(client: TestClient, operation: Any, examples: int, number: int) -> None:
    """Some requests to one operation; a status or a body that it does not document is a failure."""

    def one(case: Any) -> None:
        headers: dict[str, Any] = dict(case.headers or {})
        more: dict[str, Any] = {}
        if case.media_type == "application/json" and not isinstance(case.body, NotSet):
            more = {"json": case.body}
        elif case.media_type in BYTES and isinstance(case.body, bytes):
            more, headers["content-type"] = {"content": case.body}, case.media_type
        answer = client.request(
            case.method,
            case.formatted_path,
            headers={name: str(value) for name, value in headers.items()},
            params=case.query or None,
            **more,
        )
        told = f"{case.method} {case.formatted_path} {answer.status_code} {answer.text[:300]}"
        assert answer.status_code != 500, told
        documented = operation.definition.raw["responses"]
        assert str(answer.status_code) in documented, told
        if case.method.upper() == "HEAD":
            return  # it has no body
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", told
            assert answer.json()["type"].startswith(f"{PREFIX}/problems/"), told
        elif answer.status_code == 200 and "json" in answer.headers["content-type"]:
            json.loads(answer.content)
            case.validate_response(answer)

    checked = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(seed(number)(given(operation.as_strategy())(one)))  # type: ignore[no-untyped-call]
    try:
        checked()
    except Unsatisfiable:
        pytest.skip(f"nothing fits {operation.label}")


def test_a_sample_of_the_contract(at: House) -> None:
    """Some operations as people of some roles, the same ones each time."""
    pick = Random(8)  # noqa: S311 -- which to try is no secret
    for number, role in enumerate(("developer", "coordinator")):
        client = client_of(at, role)
        for operation in pick.sample(operations(client), 12):
            tried(client, operation, 3, number)


@pytest.mark.parametrize("role", ["developer", "administrator"])
def test_what_is_made_by_hand(at: House, role: str) -> None:
    """Each route beside the table, as people who may do some of it."""
    client = client_of(at, role)
    table = {(one.method, PREFIX + one.path) for one in USES}
    own = [one for one in operations(client) if (one.method.upper(), one.path) not in table]
    assert len(own) == len(NAMES - table) > len(BY_HAND)
    for operation in own:
        tried(client, operation, 5, 8)


@pytest.mark.soak
def test_the_whole_contract(at: House) -> None:
    """Every operation as everybody."""
    for number, role in enumerate(ROLES):
        client = client_of(at, role)
        for operation in operations(client):
            tried(client, operation, 20, number)
