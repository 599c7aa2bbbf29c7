"""The API: who may, what comes back, and what a page of another origin cannot do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import make
from identity.people import PASSWORD, House, application, house
from identity.prover import Prover
from identity.software_passkey import SoftwarePasskey
from leadline.app import approval, sign_in
from leadline.client.uses import PREFIX, USES
from leadline.core.access import Action
from leadline.core.record.act import Kind
from leadline.http.api import problem
from leadline.identity.dpop import Sent

ORIGIN = "https://localhost:8443"
COOKIE = "__Host-leadline"


@contextmanager
def furnished(folder: Path, url: str = "") -> Iterator[House]:
    """An installation with an official and an engagement."""
    with house(folder, url) as found:
        found.enrol("ann", "determining-official")
        found.password("ann")
        found.engagement()
        yield found


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """On SQLite."""
    with furnished(tmp_path) as found:
        yield found


@pytest.fixture
def each(tmp_path: Path, database_url: str) -> Iterator[House]:
    """On each database."""
    with furnished(tmp_path, database_url) as found:
        yield found


def browser(at: House) -> TestClient:
    """A browser on a page of this origin."""
    return TestClient(application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN})


def signed_in(
    at: House, name: str = "ann", *, passkey: SoftwarePasskey | None = None
) -> TestClient:
    """A browser with a session and its CSRF token, with a passkey if there is one."""
    client = browser(at)
    given = {"name": name, "password": PASSWORD}
    answer = client.post("/api/v1/sign-in/password", json=given)
    assert answer.status_code == 200, answer.text
    client.headers["x-csrf-token"] = answer.json()["csrf"]
    if passkey:
        stepped_up(client, passkey)
    return client


def stepped_up(client: TestClient, passkey: SoftwarePasskey) -> None:
    """The session steps up with the passkey, and gets another token."""
    before = client.cookies[COOKIE]
    made = client.post("/api/v1/sign-in/challenge").json()
    given = {"challenge": made["challenge"], "answer": passkey.get(made["options"])}
    answer = client.post("/api/v1/sign-in/passkey", json=given)
    assert answer.status_code == 200, answer.text
    assert answer.json()["session"]["assurance"] == 3
    assert client.cookies[COOKIE] != before
    client.headers["x-csrf-token"] = answer.json()["csrf"]


def registered(client: TestClient) -> SoftwarePasskey:
    """A passkey registered in the browser's session."""
    device = SoftwarePasskey()
    made = client.post("/api/v1/sign-in/register/challenge").json()
    given = {"challenge": made["challenge"], "answer": device.create(made["options"])}
    answer = client.post("/api/v1/sign-in/register/passkey", json=given)
    assert answer.status_code == 201, answer.text
    return device


def test_a_whole_day(each: House) -> None:
    """In by password, a passkey, stepped up, a credential, sessions listed and ended, out."""
    at = each
    client = signed_in(at)
    device = registered(client)
    stepped_up(client, device)
    prover = Prover()
    wanted = {
        "scopes": ["engagement:read"],
        "engagement": make.ENGAGEMENT,
        "binding": f"jkt:{prover.jkt}",
        "expires": (at.clock.now + timedelta(days=1)).isoformat(),
        "note": "a program",
    }
    made = client.post("/api/v1/credentials", json=wanted)
    assert made.status_code == 201, made.text
    assert [one["note"] for one in client.get("/api/v1/credentials").json()] == ["a program"]
    secret = made.json()["secret"]
    program = TestClient(application(at.portal), base_url=ORIGIN)

    def asked(path: str) -> int:
        sent = Sent("GET", ORIGIN + path, secret)
        headers = {
            "authorization": f"DPoP {secret}",
            "dpop": prover.proof(sent, at.clock.now),
        }
        return program.get(path, headers=headers).status_code

    assert asked("/api/v1/engagements") == 200
    assert asked(f"/api/v1/engagements/{make.ENGAGEMENT}/facts") == 200
    assert asked("/api/v1/session") == 403
    assert program.get("/api/v1/engagements", headers={"authorization": f"Bearer {secret}"}).json()[
        "rules"
    ] == ["credential-binding"]
    assert (
        client.delete(f"/api/v1/credentials/{made.json()['credential']['id']}").status_code == 204
    )
    assert asked("/api/v1/engagements") == 401
    other = signed_in(at, passkey=device)
    assert len(client.get("/api/v1/session").json()) == 2
    mine = other.get("/api/v1/session").json()
    there = next(one["id"] for one in mine if one["methods"] == ["password", "webauthn"])
    assert client.post("/api/v1/sign-in/recovery/call-off").json() == 0
    assert client.delete(f"/api/v1/session/{there}").status_code == 204
    codes = [one.get("/api/v1/session").status_code for one in (client, other)]
    assert sorted(codes) == [200, 401]
    assert Kind.SESSION_REVOKED in at.kinds()


def test_approvals_by_passkey_over_the_api(each: House) -> None:
    """Asked for, seen with all that will be done, signed by the person with the device."""
    at = each
    at.enrol("ben", "determining-official")
    at.password("ben")
    first = signed_in(at)
    one = registered(first)
    stepped_up(first, one)
    second = signed_in(at, "ben")
    two = registered(second)
    stepped_up(second, two)
    given = {
        "action": "determination:record",
        "engagement": make.ENGAGEMENT,
        "detail": {"outcome": "undetermined"},
    }
    asked = first.post("/api/v1/approvals", json=given)
    assert asked.status_code == 201, asked.text
    name = asked.json()["id"]
    assert [row["id"] for row in second.get("/api/v1/approvals").json()] == [name]
    assert second.get(f"/api/v1/approvals/{name}").json()["detail"] == {"outcome": "undetermined"}
    made, answer = {}, asked
    for client, device in ((first, one), (second, two)):
        made = client.get(f"/api/v1/approvals/{name}/challenge").json()
        answer = client.post(
            f"/api/v1/approvals/{name}", json={"answer": device.get(made["options"])}
        )
        assert answer.status_code == 201, answer.text
    assert answer.json()["approvers"] == ["ben"]
    assert answer.json()["asserted"]
    found = approval.granted(at.ctx("ann"), name)
    assert (found.approvers, found.asserted) == (frozenset({"ben"}), True)
    foreign = SoftwarePasskey().get(made["options"])
    assert second.post(f"/api/v1/approvals/{name}", json={"answer": foreign}).status_code == 404


def test_a_key_file_signs_in_and_approves(at: House) -> None:
    """Over the same routes as a terminal uses."""
    key = at.key("ann")
    client = browser(at)
    made = client.post("/api/v1/sign-in/challenge").json()
    signed = key.sign(bytes.fromhex(made["to_sign"]))
    given = {"challenge": made["challenge"], "key": key.id, **signed.evidence}
    begun = client.post("/api/v1/sign-in/key", json=given)
    assert begun.json()["session"]["methods"] == ["key"]
    client.headers["x-csrf-token"] = begun.json()["csrf"]
    asked = approval.ask(at.ctx("ann"), Action.DETERMINATION_RECORD, make.resource(id_="e-1"))
    body = {"key": key.id, "method": "key", **key.sign(approval.challenge(asked)).evidence}
    assert client.post(f"/api/v1/approvals/{asked.id}", json=body).status_code == 201


def test_the_cookie_is_of_this_host_and_no_script_reads_it(at: House) -> None:
    """``__Host-``, Secure, HttpOnly, SameSite, no domain, no lifetime of its own."""
    answer = browser(at).post(
        "/api/v1/sign-in/password", json={"name": "ann", "password": PASSWORD}
    )
    text = answer.headers["set-cookie"]
    assert text.startswith(f"{COOKIE}=session-")
    parts = {part.strip().lower() for part in text.split(";")[1:]}
    assert parts == {"httponly", "path=/", "samesite=lax", "secure"}


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"origin": "https://evil.example"}, "same-origin"),
        ({"origin": "null"}, "same-origin"),
        ({"x-csrf-token": ""}, "csrf"),
        ({"x-csrf-token": "another"}, "csrf"),
    ],
)
def test_a_page_of_another_origin_does_nothing(
    at: House, headers: dict[str, str], rule: str
) -> None:
    """Neither with the cookie that the browser adds, nor at sign-in."""
    client = signed_in(at)
    answer = client.delete("/api/v1/session", headers=headers)
    assert (answer.status_code, answer.json()["rules"]) == (403, [rule])
    assert client.get("/api/v1/session").status_code == 200
    if "origin" in headers:
        given = {"name": "ann", "password": PASSWORD}
        refused = browser(at).post("/api/v1/sign-in/password", json=given, headers=headers)
        assert refused.status_code == 403


def test_without_an_origin_a_cookie_changes_nothing(at: House) -> None:
    """Browsers send one with every unsafe request; what sends none is no browser's page."""
    client = signed_in(at)
    del client.headers["origin"]
    assert client.delete("/api/v1/session").status_code == 403


def test_another_sessions_token_is_not_this_ones(at: House) -> None:
    """The CSRF token belongs to one session."""
    client, other = signed_in(at), signed_in(at)
    headers = {"x-csrf-token": other.headers["x-csrf-token"]}
    assert client.delete("/api/v1/session", headers=headers).status_code == 403


def test_what_is_hidden_is_answered_as_what_is_absent(each: House) -> None:
    """Same status, same bytes, same headers; the denial is recorded and the list says nothing."""
    at = each
    at.enrol("far", "operator", org="hospital", engagements=frozenset())
    at.password("far")
    client = signed_in(at, "far")
    told = [
        client.get(f"/api/v1/{path}")
        for path in (
            f"engagements/{make.ENGAGEMENT}",
            "engagements/engagement-0009",
            f"engagements/{make.ENGAGEMENT}/facts",
            f"engagements/{make.ENGAGEMENT}/acts",
            "engagements/engagement-0009/acts",
            "nothing/like/this",
            "approvals/request-0",
            "approvals/request-0/challenge",
        )
    ]
    assert {one.status_code for one in told} == {404}
    bodies = [{**one.json(), "request_id": len(one.json()["request_id"])} for one in told]
    assert all(one == bodies[0] for one in bodies)
    assert len({json.dumps(sorted(one.headers.items())) for one in told}) == 1
    assert client.get("/api/v1/engagements").json() == {"items": [], "next": None}
    assert Kind.ACCESS_DENIED in at.kinds()


def test_acts_and_engagements_are_shown_to_whom_they_concern(each: House) -> None:
    """The facts, and the acts in the order of the log."""
    at = each
    client = signed_in(at)
    found = client.get("/api/v1/engagements").json()["items"]
    assert [one["id"] for one in found] == [make.ENGAGEMENT]
    with at.door.parts.store.write() as tx:
        tx.record(make.act(7))
    acts = client.get(f"/api/v1/engagements/{make.ENGAGEMENT}/acts").json()["items"]
    assert [one["id"] for one in acts] == ["act-0007"]


def test_errors_are_problem_documents_without_secrets(at: House) -> None:
    """RFC 9457; a password that was typed into the wrong field does not come back."""
    client = browser(at)
    wrong = client.post(
        "/api/v1/sign-in/password", json={"name": "ann", "password": "not it at all"}
    )
    assert wrong.status_code == 401
    assert wrong.headers["content-type"] == "application/problem+json"
    assert wrong.headers["www-authenticate"].startswith("DPoP")
    assert wrong.json()["code"] == "not-signed-in"
    misspelt = client.post(
        "/api/v1/sign-in/password", json={"name": "ann", "pasword": "s3cret-typed"}
    )
    assert misspelt.status_code == 422
    assert "s3cret-typed" not in misspelt.text
    assert client.put("/api/v1/session").status_code == 405
    assert client.get("/api/v1/session").status_code == 401


def test_too_many_attempts_are_told_when_to_come_again(at: House) -> None:
    """429 with Retry-After."""
    client = browser(at)
    given = {"name": "ann", "password": "something quite else"}
    codes = [client.post("/api/v1/sign-in/password", json=given).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    answer = client.post("/api/v1/sign-in/password", json=given)
    assert int(answer.headers["retry-after"]) >= 1


def test_every_answer_has_the_headers(at: House) -> None:
    """Also errors and the refusal of a large body."""
    client = browser(at)
    for answer in (
        client.get("/api/v1/health"),
        client.get("/api/v1/nothing"),
        client.post("/api/v1/sign-in/password", content=b"x" * 300_000),
    ):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_body_is_capped_whether_its_length_is_told_or_not(at: House) -> None:
    """Told, not told, or told wrongly."""
    client = browser(at)

    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    assert client.post("/api/v1/sign-in/password", content=b"x" * 300_000).status_code == 413
    assert client.post("/api/v1/sign-in/password", content=pieces()).status_code == 413
    lying = client.post("/api/v1/sign-in/password", content=b"{}", headers={"content-length": "-1"})
    assert lying.status_code == 413


def test_the_contract_names_no_outside_asset(at: House) -> None:
    """OpenAPI is served; interactive pages that would load scripts from elsewhere are not."""
    client = browser(at)
    contract = client.get("/api/v1/openapi.json")
    assert contract.json()["openapi"].startswith("3.1")
    assert "http://" not in contract.text
    assert "https://" not in contract.text
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


OPEN = {
    "/api/v1/health",
    "/api/v1/sign-in/password",
    "/api/v1/sign-in/challenge",
    "/api/v1/sign-in/passkey",
    "/api/v1/sign-in/key",
    "/api/v1/sign-in/certificate",
    "/api/v1/sign-in/invitation",
    "/api/v1/sign-in/oidc/begin",
    "/api/v1/sign-in/oidc",
    "/api/v1/problems/{name}",
    "/api/v1/check",
    "/api/v1/concerns/counts",
    "/api/v1/published/{digest}",
    *(PREFIX + use.path for use in USES if use.open),
}


def test_every_other_route_asks_who_it_is(at: House) -> None:
    """A new route without a caller is found here."""
    client = browser(at)
    routes = client.get("/api/v1/openapi.json").json()["paths"]
    assert set(routes) >= OPEN
    for path, methods in routes.items():
        # OPTIONS says the same of a route to everybody.
        for method in methods.keys() - {"options"} if path not in OPEN else ():
            place = path.replace("{", "").replace("}", "")
            answer = client.request(method.upper(), place, json={})
            assert answer.status_code == 401, (method, path, answer.text)


def test_who_may_read_everything_is_told_the_same_of_what_is_absent(at: House) -> None:
    """An auditor asks for an engagement that there is not."""
    at.enrol("aud", "auditor")
    at.password("aud")
    client = signed_in(at, "aud")
    assert client.get(f"/api/v1/engagements/{make.ENGAGEMENT}/facts").status_code == 200
    answer = client.get("/api/v1/engagements/engagement-0009/facts")
    assert (answer.status_code, answer.json()["detail"]) == (404, problem.NOT_FOUND)


def test_a_password_is_set_and_an_invitation_taken(each: House) -> None:
    """The way in of somebody new, over the API."""
    at = each
    at.enrol("adm", "administrator")
    at.enrol("new", "evaluator")
    code = sign_in.invite(at.ctx("adm"), "new")
    client = browser(at)
    begun = client.post("/api/v1/sign-in/invitation", json={"code": code})
    client.headers["x-csrf-token"] = begun.json()["csrf"]
    given = {"password": PASSWORD}
    assert client.post("/api/v1/sign-in/register/password", json=given).status_code == 204
    assert client.post("/api/v1/sign-in/register/password", json=given).status_code == 409
    assert signed_in(at, "new").delete("/api/v1/session").status_code == 204


def test_without_a_provider_or_a_certificate_those_ways_are_closed(at: House) -> None:
    """409 with what is missing."""
    client = signed_in(at)
    visit = {"visit": "v", "returned": "http://127.0.0.1/returned"}
    assert client.post("/api/v1/sign-in/oidc/begin", json={"redirect": "r"}).status_code == 409
    assert client.post("/api/v1/sign-in/oidc", json=visit).status_code == 409
    assert client.post("/api/v1/sign-in/oidc/link", json=visit).status_code == 409
    assert client.post("/api/v1/sign-in/certificate").status_code == 409
    assert client.post("/api/v1/sign-in/register/certificate").status_code == 409


def test_an_unknown_action_is_named(at: House) -> None:
    """422 with the field."""
    client = signed_in(at)
    given = {"action": "engagement:devour", "engagement": make.ENGAGEMENT}
    answer = client.post("/api/v1/approvals", json=given)
    assert (answer.status_code, answer.json()["field"]) == (422, "action")


def test_a_stale_cookie_does_not_stand_in_the_way_of_signing_in(at: House) -> None:
    """A session that ended is no session to step up."""
    client = signed_in(at)
    at.clock.forward(hours=9)
    given = {"name": "ann", "password": PASSWORD}
    assert client.post("/api/v1/sign-in/password", json=given).status_code == 200


def test_what_is_tampered_with_says_no_more_than_that() -> None:
    """No place, no digest."""
    from leadline.core.errors import Tampered

    assert "entry 7" not in problem.told(Tampered("entry 7", "another digest"))


def test_errors_of_others_are_not_taken_for_ours() -> None:
    """A bug is no problem document."""
    with pytest.raises(ZeroDivisionError):
        problem.ours(None, ZeroDivisionError())  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        problem.shape(None, ZeroDivisionError())  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        problem.foreign(None, ZeroDivisionError())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["organisations/foundings", "people/per/recoveries", "people/per/appointments"]
)
def test_an_act_that_nobody_signed_is_refused_in_words(at: House, path: str) -> None:
    """An empty request stands for no signature, also for who may do the act once it is signed."""
    at.enrol("adm", "administrator")
    at.enrol("per", "evaluator")
    at.password("adm")
    client = signed_in(at, "adm")
    answer = client.post(
        f"{PREFIX}/{path}", json={"approval": ""}, headers={"idempotency-key": "one"}
    )
    assert answer.status_code in {403, 409}, answer.text
    assert answer.json()["detail"]
