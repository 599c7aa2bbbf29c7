"""Every route as every kind of person: who may gets an answer, everybody else learns nothing.

The routes are those the application has; one without an example fails. Everybody who may not is tried at every
route. Of those who may, some are; `--soak` tries them all. Each change that somebody may make goes to a fresh copy of
the world, so that it does not change what the next one finds.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx2 import Response
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from identity.people import application
from inline import TestClient
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
READERS = 3  # of those who may read a page, in the sample


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
def front() -> Front:
    """One browser for everybody, with nothing kept from one person to the next."""
    return Front()


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


def some(key: str) -> Sequence[str]:
    """Of the people who may go there, one who makes a change and three who read, other ones at the next route."""
    may, number = sorted(EXAMPLES[key].roles), sorted(EXAMPLES).index(key)
    turned = [may[(number + at) % len(may)] for at in range(len(may))]
    apart = len(may) // READERS or 1
    return turned[::apart][:READERS] if key.startswith("GET ") else turned[:1]


def test_everybody_is_among_some() -> None:
    """Every person goes somewhere, and every route that is open to anybody has somebody who goes there."""
    assert {person for key in EXAMPLES for person in some(key)} == EVERYBODY
    assert {key for key, one in EXAMPLES.items() if one.roles} == {
        key for key in EXAMPLES if some(key)
    }


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_who_may_not_learns_nothing(made: Model, places: Path, front: Front, key: str) -> None:
    """A locked door for each; where it says that there is nothing, it is byte for byte as where there is nothing."""
    one = EXAMPLES[key]
    assert one.roles <= EVERYBODY, sorted(one.roles - EVERYBODY)
    with made.copied(places / "shared") as at:
        for person in sorted(EVERYBODY - one.roles):
            answer = front.asked(at, key, one, person)
            assert locked(answer, one.path), (person, answer.status_code)
            if answer.status_code == 404 and person != NOBODY and "{" in one.path:
                other = front.asked(
                    at, key, one, person, filled(one.path, elsewhere(at, key, person))
                )
                assert other.status_code == 404, (person, other.status_code)
                assert neutral(other.text) == neutral(answer.text), person


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_who_may_gets_an_answer(made: Model, places: Path, front: Front, key: str) -> None:
    """Some of those who may."""
    answered(made, places, front, key, some(key))


@pytest.mark.soak
@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_everybody_who_may_gets_an_answer(
    made: Model, places: Path, front: Front, key: str
) -> None:
    """All of those who may."""
    answered(made, places, front, key, sorted(EXAMPLES[key].roles))


def answered(made: Model, places: Path, front: Front, key: str, people: Sequence[str]) -> None:
    """Each of *people* gets an answer that the example names; a change is made in a world of its own."""
    one, answers = EXAMPLES[key], dict[str, Response]()
    for group in [people] if key.startswith("GET ") else [[person] for person in people]:
        with made.copied(places / "answered") as at:
            answers |= {person: front.asked(at, key, one, person) for person in group}
    assert not [
        (person, answer.status_code)
        for person, answer in answers.items()
        if answer.status_code not in one.answers
        or (answer.status_code == 303 and locked(answer, one.path))
    ]


def neutral(text: str) -> str:
    """A page, or a problem, without what is random in each."""
    return re.sub(r'(?<=name="_once" value=")[^"]*|(?<="request_id":")[0-9a-f]*', "", text)


def elsewhere(at: World, key: str, person: str) -> Mapping[str, str]:
    """Ids that nothing has. Whoever knows of the thing above is told apart by what is below it alone."""
    nowhere = {name: absent(value) for name, value in at.ids.items()}
    above = key.rpartition("/{")[0].rpartition("/")[0]
    last = key.rpartition("{")[2].partition("}")[0]
    knows = EXAMPLES[above].roles if above in EXAMPLES else frozenset[str]()
    return {**at.ids, last: nowhere[last]} if person in knows and last in nowhere else nowhere


def absent(id_: str) -> str:
    """An id of the same shape that nothing has."""
    last = id_[-1]
    return id_[:-1] + ("1" if last == "0" else "0")
