"""The API of every use case: one table that nothing is missing from, and the rules of its routes."""

import importlib
import inspect
import json
import pkgutil
import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from scripts.openapi import PLACE, text

import leadline.app
import make
from identity.people import PASSWORD, House, application, house
from leadline.app import inquiry
from leadline.app.engagement import open_draft
from leadline.client.shape import shapes
from leadline.client.uses import ELSEWHERE, NOT_OVER_HTTP, PREFIX, USES
from leadline.core.assessment import Subject
from leadline.core.record.act import Kind
from leadline.http.api import naming, uses
from leadline.wiring.desk import library

ORIGIN = "https://localhost:8443"
# What answers may hold although its name sounds like a secret, and why.
TOLD = {
    "share": "of attempts that were solved",
    "blinder": "of the one act that is proved; nobody can check the proof without it",
    "seed_commitment": "a commitment",
    "seeds": "what a reported proof is replayed with",
    "seed": "of a commitment, after it was opened",
    "salt": "of a commitment, after it was opened",
}


def functions() -> set[str]:
    """Every public use case: what an actor can do, given the context first."""
    found = set[str]()
    for module in pkgutil.iter_modules(leadline.app.__path__):
        made = importlib.import_module(f"leadline.app.{module.name}")
        for name, one in vars(made).items():
            if inspect.isfunction(one) and one.__module__ == made.__name__ and name[0] != "_":
                first = next(iter(inspect.signature(one).parameters), "")
                if first == "ctx":
                    found.add(f"{module.name}.{name}")
    return found


def test_every_use_case_is_reached_or_says_why_not() -> None:
    """In one list each, and none of them names what there is not."""
    table = {f"{one.case.__module__.rpartition('.')[2]}.{one.case.__name__}" for one in USES}
    lists = (table, set(ELSEWHERE), set(NOT_OVER_HTTP))
    known = set().union(*lists)
    assert sorted(functions() - known) == []
    assert sorted(known - functions()) == []
    assert sum(map(len, lists)) == len(known)
    assert all(NOT_OVER_HTTP.values())


def test_each_line_is_a_route_of_its_own() -> None:
    """No path twice, no name twice; each is read and written."""
    places = [(one.method, one.path) for one in USES]
    assert len(set(places)) == len(places)
    names = [one.name for one in USES]
    assert len(set(names)) == len(names)
    assert len(shapes()) == len(USES)
    for one in shapes():
        mentioned = {*one.place.values(), *(("engagement", "owner") if one.stands else ())}
        for part in one.use.path.split("/"):
            assert not part.startswith("{") or part[1:-1] in mentioned, one.use.path


def test_the_contract_is_the_committed_one() -> None:
    """Renew it with `python scripts/openapi.py`, and look at what changed."""
    assert PLACE.read_text(encoding="utf-8") == text()


def test_types_have_plain_names() -> None:
    """Each its own, none a module's path, all of them in use: whoever generates a client reads them."""
    text_ = PLACE.read_text(encoding="utf-8")
    made = json.loads(text_)["components"]["schemas"]
    assert all(re.fullmatch("[A-Z][A-Za-z]+", name) for name in made)
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text_)) == set(made)
    assert "leadline__" not in text_


def test_a_name_follows_from_the_type_alone() -> None:
    """Of its module's noun and its own word; twice the same noun counts once; what it is of follows."""
    assert naming.name("leadline.app.assessed.Evidence:140") == "AssessedEvidence"
    assert naming.name("leadline.core.clearing.case_words.Answer:1") == "CaseWordsAnswer"
    assert naming.name("leadline.app.notices.Notice:1") == "Notice"
    assert naming.name("leadline.app.ports.Stored:1[leadline.core.intake.Taken:2]") == (
        "StoredIntakeTaken"
    )


def test_one_name_is_not_given_twice() -> None:
    """Neither to two types of the table nor to one of a route made by hand; the contract is not made."""
    naming.require_plain({"CaseStanding"}, {"BackupOut"})
    with pytest.raises(TypeError, match="Begun"):
        naming.require_plain({"Begun"}, {"Begun"})
    with pytest.raises(TypeError, match="leadline__"):
        naming.require_plain({"leadline__app__x__Y-Output__1"}, ())


def test_a_sign_in_answers_as_the_contract_says() -> None:
    """The session and its token: the type of a route made by hand, no other one of its name."""
    made = json.loads(PLACE.read_text(encoding="utf-8"))
    answer = made["paths"][f"{PREFIX}/sign-in/password"]["post"]["responses"]["200"]
    name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(made["components"]["schemas"][name]["properties"]) == {"session", "csrf"}


def test_answers_hold_no_secret() -> None:
    """No field of an answer has the name of one."""
    words = ("secret", "phc", "csrf", "salt", "seed", "blinder", "password", "share", "token")
    made = json.loads(PLACE.read_text(encoding="utf-8"))["components"]["schemas"]
    found = {
        name
        for schema, one in made.items()
        if not schema.endswith("In") and schema not in {"Begun", "IssuedOut"}
        for name in one.get("properties", {})
        if any(name == word or name.startswith(f"{word}_") for word in words)
    }
    assert found <= {*TOLD, "shares", "tokens", "shared"}, found


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation with a developer and a draft."""
    with house(tmp_path) as found:
        found.enrol("dev", "developer", org=make.DEVELOPER)
        found.password("dev")
        on = inquiry.fresh(found.ctx("dev"), library(), "us-eo-14409")
        open_draft(found.ctx("dev"), on, "our model", Subject("model", "our model", "ab" * 32))
        yield found


@pytest.fixture
def client(at: House) -> TestClient:
    """The developer's."""
    found = TestClient(application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN})
    given = {"name": "dev", "password": PASSWORD}
    answer = found.post(f"{PREFIX}/sign-in/password", json=given)
    found.headers["x-csrf-token"] = answer.json()["csrf"]
    return found


def first(client: TestClient) -> str:
    """The path of the one engagement."""
    found = client.get(f"{PREFIX}/engagements").json()["items"]
    return f"{PREFIX}/engagements/{found[0]['id']}"


KEY = {"idempotency-key": "k-1"}


def test_a_thing_has_the_tag_of_its_bytes(client: TestClient) -> None:
    """Read again only if it changed; changed only as it was read."""
    path = first(client)
    read = client.get(path)
    tag = {"if-none-match": read.headers["etag"]}
    assert client.get(path, headers=tag).status_code == 304
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    body = {"anchor": "2027-03-01T09:00:00Z", "zone": "UTC"}
    assert client.put(f"{path}/anchor", json=body, headers=KEY).status_code == 428
    wrong = {**KEY, "if-match": '"other"'}
    assert client.put(f"{path}/anchor", json=body, headers=wrong).status_code == 412
    right = {**KEY, "if-match": read.headers["etag"]}
    done = client.put(f"{path}/anchor", json=body, headers=right)
    assert done.status_code == 200, done.text
    assert client.get(path, headers=tag).status_code == 200
    later = {"idempotency-key": "k-2", "if-match": "*"}
    assert client.put(f"{path}/anchor", json=body, headers=later).status_code in {200, 409}


def test_of_two_at_once_one_was_meant_for_what_is_there(
    at: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read the same, both were looked at before either wrote: the second finds another version."""
    path, both, run = first(client), threading.Barrier(2, timeout=20), uses._run
    tag = client.get(path).headers["etag"]

    def together(call: uses.Call, texts: Mapping[str, bytes]) -> object:
        both.wait()
        return run(call, texts)

    monkeypatch.setattr(uses, "_run", together)

    def moved(day: int) -> int:
        body = {"anchor": f"2027-03-{day:02}T09:00:00Z", "zone": "UTC"}
        own = {"idempotency-key": f"k-{day}", "if-match": tag}
        return client.put(f"{path}/anchor", json=body, headers=own).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(moved, (1, 2))) == [200, 412]
    assert at.kinds().count(Kind.ANCHOR_SET) == 1
    monkeypatch.undo()
    # Whoever came too late has not used up the key.
    tag = client.get(path).headers["etag"]
    assert {moved(1), moved(2)} == {200}


def test_a_key_counts_once(at: House, client: TestClient) -> None:
    """The same request has the same answer; another one needs another key."""
    path = f"{first(client)}/messages"
    body = {"to": ["developer"], "words": "hello"}
    assert client.post(path, json=body).json()["errors"] == [
        {
            "pointer": "#/Idempotency-Key",
            "detail": client.post(path, json=body).json()["errors"][0]["detail"],
        }
    ]
    one, two = (client.post(path, json=body, headers=KEY) for _ in range(2))
    assert (one.status_code, one.content) == (two.status_code, two.content) == (200, one.content)
    assert one.headers["content-type"] == two.headers["content-type"]
    assert at.kinds().count(Kind.MESSAGE_SENT) == 1
    other = client.post(path, json={**body, "words": "another"}, headers=KEY)
    assert other.status_code == 422
    assert client.post(path, json=body, headers={"idempotency-key": "x" * 201}).status_code == 422


def test_what_was_refused_frees_its_key(client: TestClient) -> None:
    """Nothing was carried out; the same key may come with something else."""
    path = first(client)
    assert client.post(f"{path}/access", json={}, headers=KEY).status_code == 409
    body = {"to": ["developer"], "words": "hello"}
    assert client.post(f"{path}/messages", json=body, headers=KEY).status_code == 200


def test_what_is_shown_once_is_not_kept(at: House, client: TestClient) -> None:
    """The code of an invitation; a repetition is told where to look."""
    at.enrol("adm", "administrator")
    at.password("adm")
    at.enrol("new", "evaluator")
    found = TestClient(application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN})
    given = {"name": "adm", "password": PASSWORD}
    begun = found.post(f"{PREFIX}/sign-in/password", json=given).json()
    headers = {**KEY, "x-csrf-token": begun["csrf"]}
    path = f"{PREFIX}/people/new/invitations"
    first_ = found.post(path, headers=headers)
    assert first_.status_code in {200, 403}, first_.text
    if first_.status_code == 200:
        again = found.post(path, headers=headers)
        assert again.status_code == 409
        assert first_.json() not in again.text


def test_lists_come_in_parts(at: House, client: TestClient) -> None:
    """A cursor leads on after what was shown last, and stands for nothing else."""
    path = f"{first(client)}/messages"
    for number in range(5):
        body = {"to": ["developer"], "words": f"hello {number}"}
        key = {"idempotency-key": f"k{number}"}
        assert client.post(path, json=body, headers=key).status_code == 200
    seen, cursor = list[str](), ""
    while True:
        page = client.get(
            path, params={"limit": 2, **({"cursor": cursor} if cursor else {})}
        ).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert client.get(path, params={"limit": 201}).status_code == 422
    assert client.get(path, params={"limit": "x"}).status_code == 422
    assert client.get(path, params={"cursor": "x"}).status_code == 422
    gone = uses._cursor("no such thing", 3)
    assert client.get(path, params={"cursor": gone}).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"anchor": "2027-03-01T09:00:00Z", "zone": "UTC", "moer": 1}', 422),
        (b'{"anchor": "2027-03-01T09:00:00", "zone": "UTC"}', 422),
        (b'{"anchor": 5, "zone": "UTC"}', 422),
        (b'{"zone": "UTC"}', 422),
        (b'{"anchor": "2027-03-01T09:00:00Z", "zone": "no such"}', 422),
        (b'{"anchor": "2027-03-01T09:00:00Z", "zone": "a\\u0000b"}', 422),
        (b'{"anchor": "2027-03-01T09:00:00Z", "zone": "a\\ud800b"}', 422),
        (b'{"anchor": "2027-03-01T09:00:00Z", "zone": "UTC", "zone": "UTC"}', 422),
        (b'{"anchor": NaN}', 422),
        (b"[]", 422),
        (b"no json", 422),
    ],
)
def test_what_comes_is_read_strictly(client: TestClient, body: bytes, status: int) -> None:
    """Each with the place of the problem as a JSON pointer, never with the value."""
    headers = {**KEY, "content-type": "application/json", "if-match": "*"}
    answer = client.put(f"{first(client)}/anchor", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told["type"] == f"{PREFIX}/problems/invalid"
    assert all(one["pointer"].startswith("#/") for one in told["errors"])
    assert client.get(told["type"]).json()["code"] == "invalid"


def test_other_kinds_of_bodies_and_queries(client: TestClient) -> None:
    """Only JSON; no field that there is not; problems have a place that explains them."""
    path = first(client)
    form = client.put(f"{path}/anchor", data={"zone": "UTC"}, headers={**KEY, "if-match": "*"})
    assert form.status_code == 415
    assert client.get(path, params={"more": "x"}).status_code == 422
    assert client.get(f"{path}/terms/draft").status_code == 422
    assert client.get(f"{path}/terms/draft", params={"days": "many"}).status_code == 422
    assert client.get(f"{path}/terms/draft", params={"days": "90"}).status_code == 200
    assert client.get(f"{PREFIX}/problems/none").status_code == 404
    assert client.get(f"{PREFIX}/me").json()["id"] == "dev"


def test_everybody_reads_what_is_public(at: House) -> None:
    """Without a session; what is not public asks who it is."""
    nobody = TestClient(application(at.portal), base_url=ORIGIN)
    assert nobody.get(f"{PREFIX}/register/entries").status_code == 200
    assert nobody.get(f"{PREFIX}/leases/months").status_code == 200
    assert nobody.get(f"{PREFIX}/engagements").status_code == 401
    assert nobody.get(f"{PREFIX}/cases/case-1/public").status_code == 404
    bad = {"authorization": "Bearer fwn_x"}
    assert nobody.get(f"{PREFIX}/register", headers=bad).status_code == 401
