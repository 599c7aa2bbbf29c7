"""A form that is sent twice counts once, and says what it said the first time."""

import re

import pytest
from fastapi import APIRouter
from fastapi.responses import Response

from identity.people import PASSWORD, House
from inline import TestClient
from leadline.core.errors import Invalid
from leadline.core.record.act import Kind
from leadline.http.application import create
from leadline.http.pages.frame import Posted, again

ORIGIN = "https://localhost:8443"
ROUTES = APIRouter()


@again(lambda visit: visit.page("fault.html.j2", code=422, title="", told="", rules=(), field=""))
def acted(visit: Posted) -> Response:
    """An act by a form; what it answers follows from a field."""
    with visit.ctx.store.write() as tx:
        tx.record(visit.ctx.act(Kind.ALERT_RAISED, "a thing", ""))
    how = visit.form.text("how")
    if how == "wrong":
        raise Invalid("how", "is wrong")
    if how == "page":
        return visit.page("fault.html.j2", code=200, title="done", told="", rules=(), field="")
    if how == "crash":
        raise RuntimeError(how)
    return visit.go("/sent-twice?done=yes", said="signed-out")


ROUTES.add_api_route("/sent-twice", acted, methods=["POST"], response_model=None)


@pytest.fixture
def client(at: House) -> TestClient:
    """Somebody signed in at a portal with that form."""
    at.enrol("ann", "auditor")
    at.password("ann")
    app = create(at.portal)  # of its own: the routes of `application` are everybody's
    app.include_router(ROUTES)
    found = TestClient(
        app,
        base_url=ORIGIN,
        headers={"origin": ORIGIN},
        follow_redirects=False,
        raise_server_exceptions=False,
    )
    found.post("/sign-in", data={"name": "ann", "password": PASSWORD, "next": "/"})
    return found


def sent(client: TestClient, how: str, once: str = "t" * 22, **more: str) -> tuple[int, str]:
    """Status and place of one posting."""
    page = client.get("/").text
    token = re.search(r'name="_csrf" value="([0-9a-f]{64})"', page)
    assert token
    data = {"_csrf": token[1], "_once": once, "how": how, **more}
    answer = client.post("/sent-twice", data=data)
    return answer.status_code, answer.headers.get("location", "")


def alerts(at: House) -> int:
    """How often the form was carried out."""
    return at.kinds().count(Kind.ALERT_RAISED)


def test_twice_is_once(at: House, client: TestClient) -> None:
    """The same place follows; what was changed since is another form, and so is a fresh page's."""
    first = sent(client, "right")
    assert first == (303, "/sent-twice?done=yes&said=signed-out")
    assert sent(client, "right") == first
    assert alerts(at) == 1
    assert sent(client, "right", note="more")[0] == 303
    assert sent(client, "right", once="u" * 22)[0] == 303
    assert sent(client, "right", once="")[0] == 303
    assert alerts(at) == 4


def test_what_was_wrong_is_sent_again(at: House, client: TestClient) -> None:
    """A form that was refused has not counted."""
    assert sent(client, "wrong")[0] == 422
    assert sent(client, "wrong")[0] == 422


def test_what_was_answered_with_a_page_or_lost(at: House, client: TestClient) -> None:
    """It is not done again; the person is told so."""
    assert sent(client, "page")[0] == 200
    assert sent(client, "page")[0] == 409
    assert sent(client, "crash")[0] == 500
    assert sent(client, "crash")[0] == 409
    assert alerts(at) == 2
