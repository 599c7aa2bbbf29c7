"""Every route of the API as strangers: nothing of others is answered, and hidden is as absent.

The routes are those the application has; names in their paths are filled in with what the world holds.
"""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from identity.people import application
from leadline.app.sign_in import csrf_of
from leadline.http.api.caller import COOKIE, CSRF
from leadline.http.application import API
from portal.examples import NOBODY, world
from portal.test_route_matrix import routes
from portal.world import World

ORIGIN = "https://localhost:8443"
STRANGERS = ("rival", "other-operator", "other-maintainer", NOBODY)
# What the world holds and strangers may know nothing of, by the names that paths have for it.
HELD = ("engagement", "case", "finding", "operator", "notice", "session")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world, which strangers cannot change."""
    folder = tmp_path_factory.mktemp("doors")
    with world(tmp_path_factory).copied(folder / "copy") as found:
        yield found


def sent(client: TestClient, at: World, person: str, key: str, path: str) -> Response:
    """One request by one person, with nothing in it."""
    token = at.tokens.get(person, "")
    client.cookies.clear()
    if token:
        client.cookies.set(COOKIE, token)
    headers = {CSRF: csrf_of(token), "idempotency-key": f"{person} {path}", "if-match": "*"}
    method = key.partition(" ")[0]
    body: dict[str, str] | None = None if method in {"GET", "DELETE"} else {}
    return client.request(method, path, headers=headers, json=body)


def filled(path: str, names: dict[str, str]) -> str:
    """The path with *names* in it; what the world does not hold is some word."""
    return re.sub(r"\{(\w+)(?::path)?\}", lambda found: names.get(found[1], "nothing-1"), path)


def test_strangers_learn_nothing_over_the_api(at: World) -> None:
    """No answer that holds something, none that differs for what is there, and no fault of the program."""
    app = application(at.at.portal)
    client = TestClient(
        app, base_url=ORIGIN, headers={"origin": ORIGIN}, raise_server_exceptions=False
    )
    held = {name: at.ids[name] for name in HELD}
    absent = {name: value[:-1] + ("1" if value[-1] == "0" else "0") for name, value in held.items()}
    wrong = list[tuple[object, ...]]()
    for key in routes(app):
        path = key.partition(" ")[2]
        if not path.startswith(f"{API}v1/") or key == f"DELETE {API}v1/session":
            continue  # signing out is a stranger's own to do
        named = any(f"{{{name}}}" in path for name in HELD)
        for person in STRANGERS:
            answer = sent(client, at, person, key, filled(path, held))
            if answer.status_code >= 500 and answer.status_code != 503:
                wrong.append((key, person, answer.status_code, answer.text[:300]))
            if not named:
                continue
            if answer.is_success and answer.content not in {b"", b"[]"} and at_stake(answer, held):
                wrong.append((key, person, answer.status_code, answer.text[:200]))
            other = sent(client, at, person, key, filled(path, absent))
            one, two = told(answer, held), told(other, absent)
            if one != two:
                wrong.append((key, person, one[:200], two[:200]))
    assert not wrong, (len(wrong), wrong[:20])


def at_stake(answer: Response, held: dict[str, str]) -> bool:
    """Whether an answer tells more than that nothing is there."""
    return bool(answer.json() if "json" in answer.headers.get("content-type", "") else held)


def told(answer: Response, names: dict[str, str]) -> str:
    """An answer without the ids that were asked for."""
    number = r'"request_id":"[0-9a-f]*"'
    text = f"{answer.status_code} {re.sub(number, '', answer.text)}"
    for value in names.values():
        text = text.replace(value, "ID")
    return text
