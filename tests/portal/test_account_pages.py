"""Accounts and administration, route by route: what is wrong is named beside its field, codes stand once."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from identity.people import application, house
from identity.provider import consented, providing
from inline import TestClient
from leadline.app import approval
from leadline.app.sign_in import csrf_of
from leadline.core.account import Credential
from leadline.http.api.caller import COOKIE
from leadline.wiring import administration
from leadline.wiring.home import clock
from portal.world import Model, World, model

ORIGIN = "https://localhost:8443"
THUMBPRINT = "jkt:" + "A" * 43


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return model(tmp_path_factory)


@pytest.fixture
def at(made: Model, tmp_path: Path) -> Iterator[World]:
    """A world of a test's own."""
    with made.copied(tmp_path / "copy") as found:
        yield found


class Person:
    """One person's browser, which sends the token with every form."""

    def __init__(self, at: World, person: str) -> None:
        self.token = at.tokens.get(person, "")
        headers = {"origin": ORIGIN}
        app = application(at.at.portal)
        self.client = TestClient(app, base_url=ORIGIN, headers=headers, follow_redirects=False)
        if self.token:
            self.client.cookies.set(COOKIE, self.token)

    def get(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, path: str, status: int = 303, **form: Any) -> str:
        """Where a form leads, or the text of its page."""
        sent: dict[str, str | list[str]] = {"_csrf": csrf_of(self.token), **form}
        answer = self.client.post(path, data=sent)
        assert answer.status_code == status, (answer.status_code, answer.text[-800:])
        return answer.headers["location"] if status == 303 else answer.text


def test_a_person_is_entered_or_the_form_comes_back(at: World) -> None:
    """What is missing, too late or excluded is named, and what was typed is kept."""
    ada = Person(at, "administrator")
    good: dict[str, Any] = {
        "id": "bo",
        "name": "Bo",
        "org": "an-org",
        "until": "2027-05-01",
        "clearance": "0",
    }
    for changed, words in (
        ({"until": "tomorrow"}, "write a day"),
        ({"until": "2040-01-01"}, "within 366 days"),
        ({"name": "an-org"}, "name the person"),
        ({"clearance": "x"}, "a whole number"),
    ):
        form = {**good, "roles": ["auditor"], **changed}
        page = ada.post("/admin/people", 422, **form)
        assert words in page
        assert 'value="bo"' in page
    both = {**good, "roles": ["auditor", "evaluator"]}
    assert "exclude each other" in ada.post("/admin/people", 422, **both)
    to = ada.post("/admin/people", **{**good, "roles": ["auditor"]})
    assert to == "/admin/people/bo?said=person-enrolled"
    assert "nothing to sign in with yet" in ada.get(to)
    assert ada.post("/admin/people", 409, **{**good, "roles": ["auditor"]})


def test_a_code_stands_once(at: World) -> None:
    """On the page that made it; the person begins with it, and it is used up."""
    at.at.enrol("newcomer", "auditor", org="an-auditor", engagements=frozenset())
    page = Person(at, "administrator").post("/admin/people/newcomer/invitation", 200)
    found = re.search(r"<pre>([\w-]{43})</pre>", page)
    assert found
    assert found[1] not in Person(at, "administrator").get("/admin/people/newcomer")
    nobody = Person(at, "")
    assert nobody.post("/invitation", code=found[1]) == "/account?said=invited"
    assert "One way" not in nobody.get("/account")
    assert "You have no way to sign in yet" in nobody.get("/account")
    assert Person(at, "").post("/invitation", 409, code=found[1])


def test_grants_are_given_renewed_and_ended(at: World) -> None:
    """For 30 days at most; the first page of administrators tells of those that end soon."""
    ada, path = Person(at, "administrator"), "/admin/people/finder/grants"
    form: dict[str, Any] = {
        "scope": "engagement",
        "name": at.ids["engagement"],
        "until": "2027-03-13",
    }
    assert "within 30 days" in ada.post(path, 422, **{**form, "until": "2027-05-20"})
    ada.post(path, **form)
    assert at.ids["engagement"] in ada.get("/admin/people/finder")
    assert "Grants that end within a week" in ada.get("/")
    assert "finder" in ada.get("/admin/people?due=yes")
    ada.post(f"{path}/end", scope="engagement", name=at.ids["engagement"])
    assert at.ids["engagement"] not in ada.get("/admin/people/finder")


def test_people_and_organisations_are_stopped_and_go_on(at: World) -> None:
    """At the next request, with the reason on record."""
    ada, finder = Person(at, "administrator"), Person(at, "finder")
    assert "is missing" in ada.post("/admin/people/finder/suspension", 422, reason="")
    ada.post("/admin/people/finder/suspension", reason="asked for it")
    assert finder.client.get("/account").status_code in {303, 403}
    ada.post("/admin/people/finder/restoration", reason="asked again")
    assert finder.client.get("/account").status_code == 200
    assert "write org:NAME" in ada.post("/admin/suspensions", 422, what="finder", reason="x")
    ada.post("/admin/suspensions", what="org:a-finder", reason="left the programme")
    assert "left the programme" in ada.get("/admin/suspensions")
    assert finder.client.get("/account").status_code == 403
    ada.post("/admin/suspensions/end", what="org:a-finder", reason="came back")
    assert "Nothing is suspended" in ada.get("/admin/suspensions")


def test_why_is_explained_in_words(at: World) -> None:
    """Who asks for nothing gets the form; what cannot be asked says so."""
    ada = Person(at, "administrator")
    assert "Explain" in ada.get("/admin/why")
    asked = f"person=evaluator&action=engagement:read&thing=engagement/{at.ids['engagement']}"
    assert "Yes:" in ada.get(f"/admin/why?{asked}")
    assert "No:" in ada.get(f"/admin/why?{asked.replace('evaluator', 'rival')}")
    assert "cannot be asked" in ada.get("/admin/why?person=evaluator&action=fly&thing=engagement/x")
    ada.get("/admin/why?person=nobody&action=engagement:read&thing=engagement/x", 404)


def test_a_credential_is_shown_once_and_ended(at: World) -> None:
    """For an engagement that one may read, bound to a key."""
    eve = Person(at, "evaluator")
    form: dict[str, Any] = {
        "engagement": at.ids["engagement"],
        "binding": THUMBPRINT,
        "days": "7",
        "note": "night job",
        "scopes": ["engagement:read", "no:action"],
    }
    assert "thumbprint is due" in eve.post("/account/credentials", 422, **{**form, "binding": "x"})
    page = eve.post("/account/credentials", 200, **form)
    assert "fwn_" in page
    assert "fwn_" not in eve.get("/account")
    with at.at.door.parts.store.read() as view:
        (row,) = view.find(Credential)
    assert row.value.scopes == {"engagement:read"}
    eve.post(f"/account/credentials/{row.id}/end")
    assert "night job" not in eve.get("/account")
    assert "named for no engagement" in Person(at, "finder").get("/account/credentials")


def test_a_session_of_ones_own_is_ended(at: World) -> None:
    """From the next request on; another person's is not there."""
    eve = Person(at, "evaluator")
    eve.post(f"/account/sessions/{at.ids['administrator_session']}/end", 404)
    assert eve.post(f"/account/sessions/{at.ids['session']}/end")
    eve.get("/account", 303)


def test_a_backup_counts_once_it_was_checked(at: World) -> None:
    """Made, checked, changed, and found out."""
    ada = Person(at, "administrator")
    assert "No backup was made here" in ada.get("/admin/system")
    ada.post("/admin/backups")
    (folder,) = (at.at.folder / administration.BACKUPS).iterdir()
    assert "not checked yet" in ada.get("/admin/system")
    path = f"/admin/backups/{folder.name}/check"
    assert "whole:" in ada.post(path, 200)
    assert "whole:" in ada.get("/admin/system")
    damaged = next(one for one in folder.rglob("*") if one.is_file() and one.stat().st_size > 64)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\0")
    assert "it does not hold" in ada.post(path, 200)
    assert "a backup does not hold" in ada.get("/admin/alerts")
    ada.post("/admin/backups/../check", 404)
    Person(at, "auditor").post("/admin/backups", 403)


def test_one_factor_is_told_where_the_second_is_shown(at: World) -> None:
    """Alerts are read with two; the page that refuses leads to the way."""
    begun = at.at.signed_in("administrator")
    person = Person(at, "")
    person.client.cookies.set(COOKIE, begun.token)
    assert "/sign-in?next=%2Fadmin%2Falerts" in person.get("/admin/alerts", 403)


def test_the_provider_of_the_organisation(tmp_path: Path) -> None:
    """A real one: linked from the account page, then a way in; another browser's visit is none."""
    with house(tmp_path) as own, providing() as issuer:
        own.clock.now = clock()  # the provider's own clock counts
        own.enrol("evaluator", "evaluator")
        own.enrol("auditor", "auditor")
        own.door = replace(own.door, provider=issuer)
        at = World(own)
        at.sign_in("auditor"), at.sign_in("evaluator")
        eve, path = Person(at, "evaluator"), "/sign-in/provider/return"
        assert issuer.issuer in eve.get("/account")
        returned = came_back(eve)
        Person(at, "auditor").post(path, 409, returned=returned, act="link")
        assert eve.post(path, returned=returned, act="link") == "/account?said=linked"
        nobody = Person(at, "")
        assert nobody.post(path, returned=came_back(nobody)) == "/account"
        assert "Demonstration evaluator" in nobody.get("/account")


def came_back(person: Person) -> str:
    """Where the provider sends that browser, once somebody agreed there."""
    page = person.post("/sign-in/provider", 200, next="/account")
    found = re.search(r'class="usa-button" href="([^"]*)"', page)
    assert found
    returned = consented(found[1].replace("&amp;", "&"))
    parts = urlsplit(returned)
    assert parts.path == "/sign-in/provider"
    shown = person.get(f"{parts.path}?{parts.query}")
    assert "One step is left" in shown
    return returned


def test_who_asked_is_told_that_another_signs(at: World) -> None:
    """The requester sees no button; who may sign sees it all."""
    ada = Person(at, "administrator")
    ada.post("/admin/people/finder/recovery-request")
    (asked,) = approval.waiting(at.ctx("administrator"))
    path = f"/approvals/{asked.request.id}"
    assert "Another person signs this" in ada.get(path)
    assert "Sign with a passkey" in Person(at, "second-administrator").get(path)
    assert "let a person sign in again" in Person(at, "second-administrator").get("/")
    assert "nobody has signed it yet" in ada.get("/admin/people/finder")
    ada.post("/admin/people/finder/recovery", 409, request=asked.request.id)
    Person(at, "evaluator").get(path, 404)
