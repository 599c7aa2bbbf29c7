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
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from identity.people import application
from leadline.app.sign_in import csrf_of
from leadline.http.api import uses
from leadline.http.api.caller import COOKIE, CSRF
from leadline.http.application import API
from portal.examples import EVERYBODY, NOBODY, Example, examples, filled, world
from portal.world import Model, World

ORIGIN = "https://localhost:8443"
PEOPLE = sorted(EVERYBODY)
EXAMPLES = examples()
LOCKED = {401, 403, 404}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return world(tmp_path_factory)


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


class Front:
    """The application of whichever world is asked, for one client: a client for each answer costs more than it."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()
        self.client = TestClient(self, base_url=ORIGIN, follow_redirects=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        await self.app(scope, receive, send)

    def asked(self, at: World, key: str, one: Example, person: str, path: str = "") -> Response:
        """The answer to one example by one person."""
        self.app, client = application(at.at.portal), self.client
        method, token = key.partition(" ")[0], at.tokens.get(person, "")
        client.cookies.clear()
        if token:
            client.cookies.set(COOKIE, token)
        headers = {"origin": ORIGIN, **one.headers}
        path = path or filled(one.path, at.ids)
        if method == "GET":
            return client.get(path, headers=headers)
        if path.startswith(API):
            headers[CSRF] = csrf_of(token)
            return client.request(method, path, json=one.json, headers=headers)
        form: dict[str, str | Sequence[str]] = {"_csrf": csrf_of(token)}
        for name, value in one.form.items():
            form[name] = filled(value, at.ids) if isinstance(value, str) else value
        files = dict(one.files) or None
        return client.request(method, path, data=form, files=files, headers=headers)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    """One browser for everybody, with nothing kept from one person to the next."""
    found = Front()
    with found.client:
        yield found


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the worlds are: one for all who change nothing in it, one for the person who may."""
    return tmp_path_factory.mktemp("matrix")


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
    there = set(routes(application(copy.at.portal))) - tabled
    assert sorted(there - set(EXAMPLES)) == []
    assert sorted(set(EXAMPLES) - there) == []


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_only_who_may(made: Model, places: Path, front: Front, key: str) -> None:
    """For each person: an answer, or a locked door."""
    one = EXAMPLES[key]
    assert one.roles <= EVERYBODY, sorted(one.roles - EVERYBODY)
    wrong = []
    alone = one.roles if not key.startswith("GET ") else frozenset[str]()
    with made.copied(places / "shared") as shared:
        for person in PEOPLE:
            if person not in alone:
                answer = front.asked(shared, key, one, person)
            else:
                with made.copied(places / "alone") as at:
                    answer = front.asked(at, key, one, person)
            shut = locked(answer, one.path)
            may = answer.status_code in one.answers and not (shut and answer.status_code == 303)
            if not (may if person in one.roles else shut):
                wrong.append((person, answer.status_code))
    assert not wrong


def neutral(text: str) -> str:
    """A page, or a problem, without what is random in each."""
    return re.sub(r'(?<=name="_once" value=")[^"]*|(?<="request_id":")[0-9a-f]*', "", text)


@pytest.mark.parametrize("key", sorted(key for key, one in EXAMPLES.items() if "{" in one.path))
def test_hidden_is_as_absent(made: Model, places: Path, front: Front, key: str) -> None:
    """What one may not know of answers byte for byte as what there is not."""
    one = EXAMPLES[key]
    with made.copied(places / "shared") as at:
        nowhere = {name: absent(value) for name, value in at.ids.items()}
        above = key.rpartition("/{")[0].rpartition("/")[0]
        last = key.rpartition("{")[2].partition("}")[0]
        knows = EXAMPLES[above].roles if above in EXAMPLES else frozenset[str]()
        for person in sorted(EVERYBODY - one.roles - {NOBODY}):
            # Whoever knows of the thing above is not told apart by it, but by what is below.
            away = (
                {**at.ids, last: nowhere[last]} if person in knows and last in nowhere else nowhere
            )
            answer = front.asked(at, key, one, person)
            if answer.status_code != 404:
                continue
            other = front.asked(at, key, one, person, filled(one.path, away))
            assert other.status_code == 404, (person, other.status_code)
            assert neutral(other.text) == neutral(answer.text), person


def absent(id_: str) -> str:
    """An id of the same shape that nothing has."""
    last = id_[-1]
    return id_[:-1] + ("1" if last == "0" else "0")
