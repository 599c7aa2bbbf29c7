"""The search and the lists: what each may know of, narrowed, sorted, in parts, as CSV; nothing runs."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import make
from identity.people import application
from leadline.app import cases
from leadline.core.access import Bounds
from leadline.core.clearing.finding import Finding
from leadline.http.api.caller import COOKIE
from portal.web import browsing
from portal.world import Model, World, model

ORIGIN = "https://localhost:8443"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return model(tmp_path_factory)


@pytest.fixture
def world(made: Model, tmp_path: Path) -> Iterator[World]:
    """A world of one's own."""
    with made.copied(tmp_path / "world") as found:
        yield found


def client(world: World, person: str) -> TestClient:
    """That person's browser, which follows nothing by itself."""
    found = TestClient(application(world.at.portal), base_url=ORIGIN, follow_redirects=False)
    found.cookies.set(COOKIE, world.tokens[person])
    return found


def more(world: World, number: int, title: str = "Overflow in a parser") -> None:
    """Further reports at intake."""
    with world.at.door.parts.store.write() as tx:
        one = tx.get(Finding, world.ids["loose"])
        for n in range(number):
            value = replace(one.value, item=f"more-{n}", title=f"{title} {n:03}")
            bounds = Bounds(case="intake", owner=one.bounds.owner)
            tx.put(f"{n:064x}", value, marking=one.marking, org=one.org, bounds=bounds)


def test_the_search_finds_what_one_may_know_of(world: World) -> None:
    """By the beginning of a word, of every kind; what another may not know of is as if it were not there."""
    found = client(world, "coordinator").get("/search?words=BUFF").text
    assert "<h2>Reports</h2>" in found
    assert "<mark>buffer</mark>" in found
    assert f"/reports/{world.ids['loose']}" in found
    assert "Nothing found" in client(world, "rival").get("/search?words=buffer").text
    nobody = client(world, "rival")
    nobody.cookies.clear()
    assert nobody.get("/search?words=buffer").headers["location"].startswith("/sign-in?next=")


def test_without_words_it_says_what_can_be_looked_for(world: World) -> None:
    """And which lists there are; signs alone are no words."""
    for path in ("/search", "/search?words=%2A%22%20%28"):
        page = client(world, "coordinator").get(path)
        assert "From three letters on" in page.text
        assert 'href="/search?kind=case"' in page.text


@pytest.mark.parametrize(
    "words",
    ['"', "a OR b", "NEAR(x)", "buffer*", "-x", "'; DROP TABLE listing", "%", "\0", "ü" * 900],
)
def test_no_words_can_be_wrong(world: World, words: str) -> None:
    """Whatever is typed is looked for; nothing of it is a language."""
    browser = client(world, "coordinator")
    for more_ in ({}, {"kind": "finding"}):
        assert browser.get("/search", params={"words": words, **more_}).status_code == 200


def test_what_was_typed_and_what_is_stored_is_text(world: World) -> None:
    """In titles, marks, fields and links."""
    more(world, 1, SCRIPT)
    page = client(world, "coordinator").get("/search", params={"words": SCRIPT}).text
    assert "<script>alert" not in page
    assert "<mark>alert</mark>" in page
    listed = client(world, "coordinator").get("/search?kind=finding&words=alert&x=<b>").text
    assert "<b>" not in listed.replace("<br>", "")
    assert "<mark>alert</mark>" in listed


def test_a_list_is_walked_in_parts(world: World) -> None:
    """25 rows, then the next; sorted by what a heading says; each row once."""
    more(world, 60)
    browser = client(world, "coordinator")
    seen, path = list[str](), "/search?kind=finding&order=title&words=overflow"
    page = ""
    while path:
        page = browser.get(path).text
        seen += re.findall(r"/reports/([0-9a-f]{64})", page)
        onward = re.search(r'<p class="ll-more"><a [^>]*href="(\?[^"]*)"', page)
        path = f"/search{unescape(onward[1])}" if onward else ""
    assert seen == [f"{n:064x}" for n in range(60)]
    assert 'aria-sort="ascending"' in page
    assert "order=changed" in page


def test_a_list_is_narrowed_by_state(world: World) -> None:
    """What is left out is said, with the way back; an empty list says what it means."""
    browser = client(world, "coordinator")
    page = browser.get("/search?kind=case&state=open").text
    assert f"/cases/{world.ids['case']}" in page
    assert "Show all" in page
    assert "Nothing found" in browser.get("/search?kind=case&state=closed").text
    assert "Nothing here for you" in client(world, "rival").get("/search?kind=case").text
    assert "vetted" in browser.get("/search?kind=operator&state=vetted").text
    assert make.ENGAGEMENT in client(world, "developer").get("/search?kind=engagement").text


@pytest.mark.parametrize(
    ("query", "status"),
    [("kind=secret", 404), ("kind=case&order=size", 422), ("kind=case&limit=7", 422), ("kind=case&after=x", 422),
     ("kind=case&after=WzEsMl0", 422), ("kind=case&order=title&after=WyJ0aXRsZSIsMSwieCJd", 422)],
)  # fmt: skip
def test_an_address_that_no_page_gave_out(world: World, query: str, status: int) -> None:
    """Is refused, with what is wrong."""
    assert client(world, "coordinator").get(f"/search?{query}").status_code == status


def test_a_list_as_csv_runs_nothing(world: World) -> None:
    """The whole list; a cell that a spreadsheet would run begins with an apostrophe."""
    more(world, 230, "=HYPERLINK(1)")
    answer = client(world, "coordinator").get("/search/rows.csv?kind=finding&words=hyperlink")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    first, *rows = csv.reader(io.StringIO(answer.text))
    assert first[:3] == ["id", "title", "state"]
    assert len(rows) == 230
    assert all(row[1].startswith("'=HYPERLINK") for row in rows)
    nothing = client(world, "rival").get("/search/rows.csv?kind=finding").text
    assert nothing.count("\n") == 1


def test_a_case_is_listed_as_it_stands(world: World) -> None:
    """Published is public, and its list says so from that moment on."""
    coordinator = world.ctx("coordinator")
    browser = client(world, "coordinator")
    page = browser.get("/search?kind=case&state=public").text
    assert f"/cases/{world.ids['public_case']}" in page
    case = world.ids["case"]
    assert cases.standing(coordinator, case).closed_at is None
    assert f"/cases/{case}" not in page


@pytest.mark.browser
def test_somebody_searches_by_keyboard(made: Model, tmp_path: Path) -> None:
    """Words, a kind, a heading, and on to the thing itself."""
    with made.copied(tmp_path / "world") as world:
        more(world, 30)
        with browsing(world.at) as web:
            web.sign_in("coordinator")
            page = web.goto("/search")
            web.check("search-empty")
            page.get_by_label("A name, an id").focus()
            page.keyboard.type("overflow pars")
            page.keyboard.press("Enter")
            page.wait_for_url("**/search?words=overflow+pars")
            web.check("search-found")
            page.get_by_role("link", name="All reports with these words").focus()
            page.keyboard.press("Enter")
            page.wait_for_url("**kind=finding**")
            page.get_by_role("link", name="Title").focus()
            page.keyboard.press("Enter")
            page.wait_for_url("**order=title**")
            web.check("search-list")
            page.get_by_role("link", name="Further entries").focus()
            page.keyboard.press("Enter")
            page.wait_for_url("**after=**")
            web.check("search-list-end")
