"""The frame of pages: headers, sign-in and back, forms that are shown again, and nobody led elsewhere."""

import re

import pytest

from identity.people import PASSWORD, House, application
from inline import TestClient
from leadline.http.pages.frame import Way, current, local

ORIGIN = "https://localhost:8443"


@pytest.fixture
def client(at: House) -> TestClient:
    """A browser that follows nothing by itself."""
    return TestClient(
        application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False
    )


def csrf(page: str) -> str:
    """The token that a page's first form carries."""
    found = re.search(r'name="_csrf" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def test_somebody_signs_in_and_out(at: House, client: TestClient) -> None:
    """By a form; the next page knows the name; the form to leave carries the session's token."""
    at.enrol("ann", "auditor")
    at.password("ann")
    answer = client.post("/sign-in", data={"name": "ann", "password": PASSWORD, "next": "/?x=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?x=1")
    page = client.get("/")
    assert "Signed in as" in page.text
    assert client.post("/sign-out", data={"_csrf": "0" * 64}).status_code == 403
    left = client.post("/sign-out", data={"_csrf": csrf(page.text)})
    assert left.headers["location"] == "/?said=signed-out"
    assert "You are signed out" in client.get("/?said=signed-out").text


def test_a_missing_field_is_named_and_the_rest_is_kept(client: TestClient) -> None:
    """422, with the field's own message and what was typed."""
    answer = client.post("/sign-in", data={"name": "<b>ann", "password": ""})
    assert answer.status_code == 422
    assert "Password: is missing; fill it in" in answer.text
    assert 'value="&lt;b&gt;ann"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_pages_ask_for_nothing_elsewhere(client: TestClient) -> None:
    """The policy that was tried in a browser; no cache; no inline script or style."""
    page = client.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    styles = re.findall(r'href="(/static/portal.css[^"]*)', page.text)[0]
    assert "immutable" in client.get(styles).headers["cache-control"]
    assert client.get("/static/portal.css").headers["cache-control"] == "public, max-age=86400"
    assert not re.search(r"<style|style=| on\w+=\"|<script>", page.text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.text)


def test_one_place_is_marked_as_current(at: House, client: TestClient) -> None:
    """The nearest above a page, and no other beside it; the page itself is told from what lies in it."""
    at.enrol("ada", "auditor")
    at.password("ada")
    client.post("/sign-in", data={"name": "ada", "password": PASSWORD, "next": "/"})

    def marked(path: str) -> list[str]:
        places = client.get(path).text.partition('aria-label="Places"')[2].partition("</nav>")[0]
        return re.findall(r'href="([^"]+)" aria-current="(?:page|true)"', places)

    assert marked("/log") == ["/log"]
    assert marked("/log/acts") == ["/log/acts"]
    assert marked("/log/agreement") == ["/log"]
    assert marked("/account") == []
    assert current([Way("a", "/log"), Way("b", "/lo")], "/logs") is None


def test_what_there_is_not_is_a_page(client: TestClient) -> None:
    """For people; a program gets its problem document."""
    assert "<h1>Not found</h1>" in client.get("/nowhere").text
    assert client.get("/api/v1/nowhere").headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "\\/evil", "javascript:x", "/a\nb", ""],
)  # fmt: skip
def test_nobody_is_led_elsewhere(path: str) -> None:
    """A place to go to lies within this portal."""
    assert local(path) == "/"
