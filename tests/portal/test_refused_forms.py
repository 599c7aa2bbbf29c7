"""A form that cannot be carried out now comes back with its reason and everything that was typed."""

from html import escape

from fastapi import APIRouter
from fastapi.responses import Response

from identity.people import HERE, PASSWORD, House
from inline import TestClient
from leadline.app.sign_in import csrf_of
from leadline.core.errors import LeadlineError, NotFound, Refused, Stale, Unavailable
from leadline.http.api.caller import COOKIE
from leadline.http.application import create
from leadline.http.pages.frame import Anyone, Posted, again

ORIGIN = "https://localhost:8443"
TYPED = "Several <b>words</b> of mine\r\non two lines"
ERRORS: dict[str, tuple[LeadlineError, int]] = {
    "refused": (Refused("not in this state"), 409),
    "stale": (Stale("another was quicker"), 412),
    "away": (Unavailable("nobody answers"), 503),
}
ROUTES = APIRouter()


def form_page(visit: Anyone) -> Response:
    """A page with a field, or without, or one that there is no more."""
    if visit.query("gone"):
        raise NotFound("gone")
    there = "admin/enrol.html.j2" if visit.query("form") else "provider.html.j2"
    return visit.page(there, roles=[], url="", returned="", at="")


@again(form_page)
def carried(visit: Posted) -> Response:
    """An act that cannot be done."""
    raise ERRORS[visit.form.text("how")][0]


ROUTES.add_api_route("/made-up", carried, methods=["POST"], response_model=None)


def test_what_was_typed_is_there(at: House) -> None:
    """In its field; without such a field, on the fault's own page; the reason stands above."""
    at.enrol("ann", "auditor")
    at.password("ann")
    app = create(at.portal)  # of its own: the routes of `application` are everybody's
    app.include_router(ROUTES)
    client = TestClient(app, base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False)
    client.cookies.set(COOKIE, at.door.by_password("ann", PASSWORD, HERE).token)
    token = csrf_of(client.cookies[COOKIE])
    for place in ("?form=yes", "", "?gone=yes"):
        for how, (error, status) in ERRORS.items():
            sent = {"_csrf": token, "how": how, "name": TYPED, "password": "never shown again"}
            answer = client.post(f"/made-up{place}", data=sent)
            assert answer.status_code == status
            assert str(error) in answer.text
            assert escape(TYPED) in answer.text, (place, how)
            assert "never shown again" not in answer.text
            assert ('role="alert"' in answer.text) == (place == "?form=yes")
            assert "one field needs another look" not in answer.text
