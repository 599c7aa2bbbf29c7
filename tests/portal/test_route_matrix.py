"""Every route as every kind of person: who may gets an answer, everybody else learns nothing.

The routes are those the application has; one without an example fails. Each change that somebody may make
goes to a fresh copy of the world, so that it does not change what the next one finds.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx2 import Response

from leadline.app.sign_in import csrf_of
from leadline.http.api import uses
from leadline.http.api.caller import COOKIE, CSRF
from leadline.http.application import API, create
from portal.examples import EVERYBODY, NOBODY, Example, examples, filled, world
from portal.world import Model, World

ORIGIN = "https://localhost:8443"
PEOPLE = sorted(EVERYBODY)
EXAMPLES = examples()
LOCKED = {401, 403, 404}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return world(tmp_path_factory.mktemp("world") / "model")


@pytest.fixture
def copy(made: Model, tmp_path: Path) -> Iterator[World]:
    """A world of a test's own."""
    with made.copied(tmp_path / "copy") as found:
        yield found


def routes(app: FastAPI) -> list[str]:
    """Every route by method and path, of included routers too; HEAD goes with GET."""
    found = list[str]()
    for one in app.routes:
        within = getattr(one, "effective_route_contexts", None)
        for each in within() if within else [one]:
            methods = getattr(each, "methods", None) or ()  # what is mounted has none
            path = getattr(each, "path", "")
            found += [f"{method} {path}" for method in methods if method != "HEAD"]
    return sorted(found)


_APPS: list[FastAPI] = []


def application(at: World) -> FastAPI:
    """One application for all worlds: making it takes longer than asking it."""
    if not _APPS:
        _APPS.append(create(at.at.portal))
    _APPS[0].state.portal = at.at.portal
    return _APPS[0]


def asked(at: World, key: str, one: Example, person: str, path: str = "") -> Response:
    """The answer to one example by one person."""
    method = key.partition(" ")[0]
    app = application(at)
    client = TestClient(
        app,
        base_url=ORIGIN,
        headers={"origin": ORIGIN, **one.headers},
        follow_redirects=False,
        raise_server_exceptions=True,
    )
    token = at.tokens.get(person, "")
    if token:
        client.cookies.set(COOKIE, token)
    path = path or filled(one.path, at.ids)
    if method == "GET":
        return client.get(path)
    if path.startswith(API):
        return client.request(method, path, json=one.json, headers={CSRF: csrf_of(token)})
    form: dict[str, str | Sequence[str]] = {"_csrf": csrf_of(token)}
    for name, value in one.form.items():
        form[name] = filled(value, at.ids) if isinstance(value, str) else value
    return client.request(method, path, data=form, files=dict(one.files) or None)


def locked(answer: Response, path: str) -> bool:
    """Whether the answer is one of those who may not."""
    to = answer.headers.get("location", "")
    return answer.status_code in LOCKED or (
        answer.status_code == 303 and to.startswith("/sign-in?next=") and "/sign-in" not in path
    )


def test_every_route_has_an_example(copy: World) -> None:
    """And every example a route."""
    # Those of the API's table are tried in `portal.test_api_matrix`.
    table = [one for one in uses.ROUTES.routes if isinstance(one, APIRoute)]
    tabled = {f"{method} {one.path}" for one in table for method in one.methods or ()}
    there = set(routes(create(copy.at.portal))) - tabled
    assert sorted(there - set(EXAMPLES)) == []
    assert sorted(set(EXAMPLES) - there) == []


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_only_who_may(made: Model, tmp_path: Path, key: str) -> None:
    """For each person: an answer, or a locked door."""
    one = EXAMPLES[key]
    assert one.roles <= EVERYBODY, sorted(one.roles - EVERYBODY)
    wrong = []
    alone = one.roles if not key.startswith("GET ") else frozenset[str]()
    with made.copied(tmp_path / "shared") as shared:
        for person in PEOPLE:
            if person not in alone:
                answer = asked(shared, key, one, person)
            else:
                with made.copied(tmp_path / person) as at:
                    answer = asked(at, key, one, person)
            shut = locked(answer, one.path)
            may = answer.status_code in one.answers and not (shut and answer.status_code == 303)
            if not (may if person in one.roles else shut):
                wrong.append((person, answer.status_code))
    assert not wrong


def neutral(text: str) -> str:
    """A page without what is random in each."""
    return re.sub(r'(?<=name="_once" value=")[^"]*', "", text)


@pytest.mark.parametrize("key", sorted(key for key, one in EXAMPLES.items() if "{" in one.path))
def test_hidden_is_as_absent(made: Model, tmp_path: Path, key: str) -> None:
    """What one may not know of answers byte for byte as what there is not."""
    one = EXAMPLES[key]
    with made.copied(tmp_path / "shared") as at:
        nowhere = {name: absent(value) for name, value in at.ids.items()}
        above = key.rpartition("/{")[0].rpartition("/")[0]
        last = key.rpartition("{")[2].partition("}")[0]
        knows = EXAMPLES[above].roles if above in EXAMPLES else frozenset[str]()
        for person in sorted(EVERYBODY - one.roles - {NOBODY}):
            # Whoever knows of the thing above is not told apart by it, but by what is below.
            away = (
                {**at.ids, last: nowhere[last]} if person in knows and last in nowhere else nowhere
            )
            answer = asked(at, key, one, person)
            if answer.status_code != 404:
                continue
            other = asked(at, key, one, person, filled(one.path, away))
            assert other.status_code == 404, (person, other.status_code)
            assert neutral(other.text) == neutral(answer.text), person


def absent(id_: str) -> str:
    """An id of the same shape that nothing has."""
    last = id_[-1]
    return id_[:-1] + ("1" if last == "0" else "0")
