"""Every page can be reached by links from the first page, by somebody who may see it.

Each kind of person is followed from the first page through every link and picture; a form that only
looks leads to its page. A page
that nobody gets to that way stands below with the way that leads to it.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from fastapi.testclient import TestClient
from typing_extensions import override

from identity.people import application
from leadline.http.api.caller import COOKIE
from leadline.http.application import API
from leadline.http.taxii import DISCOVERY
from portal.examples import NOBODY, examples, world
from portal.test_route_matrix import routes
from portal.world import EVERYONE, World

ORIGIN = "https://localhost:8443"
EACH = 3  # addresses of one route that one person tries
# Routes without a link to them, and how people get there.
PUBLISHED = "the world published no advisory; the list of advisories leads to each"
SHOWN = "the log of the world was never shown; the page of an act offers it from then on"
RUN = "no run of the world has a log; the page of a sample leads there"
LINK = "a secret address, which is sent or shown once"
OTHERWISE: dict[str, str] = {
    "/advisories/{advisory}": PUBLISHED,
    "/calendars/{token}": LINK,
    "/engagements/{which}/assessment/events": "a script of the page of a run follows it",
    "/feed/{path:path}": PUBLISHED,
    "/fixes/{fix}/patch": "no repair was drafted in the world; the page of a case's repairs offers it",
    "/inbox/{item}": "a mail leads there; nobody of the world was told of anything",
    "/log/acts/{act}/opening": SHOWN,
    "/log/acts/{act}/proof": SHOWN,
    "/log/consistency": "a script of the page of the log asks for it",
    "/log/tile/{path:path}": "programs know the address from the standard",
    "/operator/exposure.svg": "no line of the world's operators is exposed; then the page has a table alone",
    "/report/{token}": LINK,
    "/report/{token}/patches/{fix}": LINK,
    "/sealed/{pack}/sessions/{session}/proof.json": "the page of a sealed run offers it once two signed",
    "/sign-in/provider": "the provider sends people back there",
    "/viewer/{which}/assets/{name}": RUN,
    "/viewer/{which}/index.html": RUN,
    "/viewer/{which}/logs/log.eval": RUN,
    "/viewer/{which}/storage.js": RUN,
}


class Links(HTMLParser):
    """Where a page leads without changing anything."""

    def __init__(self) -> None:
        super().__init__()
        self.found, self.forms = list[str](), list[str]()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form" and told.get("method", "get").lower() == "get":
            self.forms.append(told.get("action", ""))
        self.found += [
            told[name]
            for name in ("href", "src", "data-hx-get", "data-source", "data-script")
            if name in told and tag != "form"
        ]


def pattern(path: str) -> re.Pattern[str]:
    """What addresses a route has."""
    parts = re.split(r"(\{[^}]+\})", path)
    texts = [
        (".+" if one.endswith(":path}") else "[^/]+") if one[:1] == "{" else re.escape(one)
        for one in parts
    ]
    return re.compile("".join(texts))


def known(paths: list[str], place: str) -> str:
    """The route of an address: the most particular one that fits."""
    fitting = [one for one in paths if pattern(one).fullmatch(place)]
    return min(fitting, key=lambda one: (one.count("{"), -len(one)), default="")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world; nothing is changed in it."""
    folder = tmp_path_factory.mktemp("reachable")
    with world(tmp_path_factory).copied(folder / "copy") as found:
        yield found


def reached(client: TestClient, paths: list[str]) -> set[str]:
    """The routes that one person gets an answer of, from the first page on."""
    open_, seen, count, got = ["/"], {"/"}, dict[str, int](), set[str]()
    while open_:
        place = open_.pop(0)
        route = known(paths, urlsplit(place).path)
        if not route or count.get(route, 0) >= EACH:
            continue
        count[route] = count.get(route, 0) + 1
        answer = client.get(place)
        assert answer.status_code < 500, (place, answer.text)
        if answer.status_code == 303:
            further = [answer.headers["location"]]
        elif answer.status_code != 200:
            continue
        else:
            got.add(route)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            page = Links()
            page.feed(answer.text)
            further = page.found
            got |= {known(paths, urlsplit(urljoin(ORIGIN + place, one)).path) for one in page.forms}
        for link in further:
            there = urldefrag(urljoin(ORIGIN + place, link)).url
            if there.startswith(f"{ORIGIN}/") and there.removeprefix(ORIGIN) not in seen:
                seen.add(there.removeprefix(ORIGIN))
                open_.append(there.removeprefix(ORIGIN))
    return got


def test_every_page_is_reached_by_somebody(at: World) -> None:
    """And what is listed as an exception is one."""
    app = application(at.at.portal)
    paths = [
        key.removeprefix("GET ")
        for key in routes(app)
        if key.startswith("GET ") and not key.startswith((f"GET {API}", f"GET {DISCOVERY}"))
    ]
    found = set[str]()
    for person in (*EVERYONE, NOBODY):
        client = TestClient(app, base_url=ORIGIN, follow_redirects=False)
        if person in at.tokens:
            client.cookies.set(COOKIE, at.tokens[person])
        found |= reached(client, paths)
    missing = {path for path in paths if path not in found}
    assert not missing - set(OTHERWISE), "\n".join(sorted(missing - set(OTHERWISE)))
    assert not set(OTHERWISE) - missing, "\n".join(sorted(set(OTHERWISE) - missing))
    assert all(OTHERWISE.values())
    assert {key.removeprefix("GET ") for key in examples() if key.startswith("GET /")} >= missing
