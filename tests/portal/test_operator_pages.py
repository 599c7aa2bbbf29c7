"""Pages of an operator with an account: enrolled, told, answering, proving; and nobody else's things."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response

import clearing_values as values
from identity.people import application
from inline import TestClient
from leadline.core.marking import Marking, Tlp
from leadline.http.api.caller import COOKIE
from operator_world import bom
from portal.examples import world
from portal.world import Model, World

ORIGIN = "https://localhost:8443"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return world(tmp_path_factory)


@pytest.fixture
def at(model: Model, tmp_path: Path) -> Iterator[World]:
    """A world of a test's own."""
    with model.copied(tmp_path / "copy") as found:
        with found.at.door.parts.store.write() as tx:
            tx.put("ADV-1", values.advisory(), marking=Marking(Tlp.CLEAR))
        yield found


def browser(at: World, person: str) -> TestClient:
    """A browser in which that person is signed in."""
    client = TestClient(
        application(at.at.portal),
        base_url=ORIGIN,
        headers={"origin": ORIGIN},
        follow_redirects=False,
    )
    client.cookies.set(COOKIE, at.tokens[person])
    return client


def send(client: TestClient, path: str, shown: str, **form: str | list[str]) -> Response:
    """A form of the page *shown*, sent with its token."""
    found = re.search(r'name="_csrf" value="([0-9a-f]{64})"', client.get(shown).text)
    assert found
    return client.post(path, data={"_csrf": found[1], **form})


def plain(page: str) -> str:
    """What stands on a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_what_waits_stands_first(at: World) -> None:
    """A notice, opened, answered, and shown to be repaired by a newer list."""
    client, notice = browser(at, "operator"), at.ids["notice"]
    assert "1 notice waits for you" in plain(client.get("/operator").text)
    page = client.get(f"/operator/notices/{notice}")
    assert "What to do" in page.text
    assert "no answer yet" in page.text
    path = f"/operator/notices/{notice}"
    wrong = send(client, f"{path}/answers", path, said="not-applicable")
    assert wrong.status_code == 422
    assert "say why it does not apply to you" in wrong.text
    odd = send(client, f"{path}/answers", path, said="no")
    assert odd.status_code == 422
    done = send(client, f"{path}/answers", path, said="acting")
    assert done.headers["location"] == f"{path}?said=answered"
    assert "being worked on" in client.get(path).text
    at.at.clock.forward(hours=1)
    data = bom("pkg:pypi/ujson@5.4.0").decode()
    given = send(client, "/operator/inventories", "/operator/inventories", list=data)
    assert given.status_code == 303
    assert "applied, and shown" in client.get(path).text
    shown = plain(client.get(given.headers["location"]).text)
    assert "fixed" in shown
    told = plain(client.get("/operator/history").text)
    for words in (": received", ": answered", ": proof given", "List given", "Enrolled"):
        assert words in told


def test_a_proof_by_words(at: World) -> None:
    """What a check printed; wrong input names its own field."""
    client, path = browser(at, "operator"), f"/operator/notices/{at.ids['notice']}"
    cases: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("check", "output", {}),
        ("artefact", "sha256", {"sha256": "x"}),
    )
    for how, field, more in cases:
        wrong = send(client, f"{path}/proofs", path, how=how, **more)
        assert wrong.status_code == 422
        assert f'href="#field-{field}"' in wrong.text
    old = send(client, f"{path}/proofs", path, how="inventory")
    assert old.status_code == 409
    done = send(client, f"{path}/proofs", path, how="check", output="Name: ujson\nVersion: 5.4.0\n")
    assert done.headers["location"] == f"{path}?said=proof-given"
    settled = plain(client.get(path).text)
    assert "applied, and shown" in settled
    assert "It is shown as repaired Nothing waits for you here." in settled
    assert "What was to be done" in settled
    assert "for your organisation alone" in settled


@pytest.mark.parametrize(
    ("output", "said", "told"),
    [
        ("Name: ujson\nVersion: 5.1.0\n", "proof-affected", "What you showed is still affected."),
        ("ujson 5.10.0 installed", "proof-unclear", "does not tell whether it is repaired"),
    ],
)
def test_a_proof_that_does_not_count_says_so(at: World, output: str, said: str, told: str) -> None:
    """It is on record, and nobody takes it for the end of the matter."""
    client, path = browser(at, "operator"), f"/operator/notices/{at.ids['notice']}"
    done = send(client, f"{path}/proofs", path, how="check", output=output)
    assert done.headers["location"] == f"{path}?said={said}"
    page = plain(client.get(done.headers["location"]).text)
    assert told in page
    assert "the notice stays open" in page
    assert "shown as repaired" not in page


def test_a_list_that_was_given_can_be_printed(at: World) -> None:
    """By place, with one's own contact; without notices, nothing reads as if nothing were wrong."""
    client = browser(at, "operator")
    listed = "name,version,source,site\nujson,5.1.0,PyPI,Ward A\nujson,5.0.0,PyPI,Ward B\n"
    given = send(client, "/operator/inventories", "/operator/inventories", list=listed)
    path = given.headers["location"].partition("?")[0]
    shown = plain(client.get(path).text)
    assert "2 lines of pasted.txt are affected" in shown
    assert "Held against 1 public advisory (1 of" in shown
    page = client.get(f"{path}/sheets")
    text = plain(page.text)
    for words in (
        "All places: 2 devices need work tonight",
        "Ward A: 1 device",
        "Ward B: 1 device",
    ):
        assert words in text
    assert "was not kept" not in text
    assert "Replace ujson by 5.2.0 or a later release." in text
    home = plain(client.get("/operator").text)
    assert "Pages to print" in home
    assert "nothing known here" not in home


def test_where_it_touches(at: World) -> None:
    """A picture by place with its numbers beside."""
    client = browser(at, "operator")
    page = client.get("/operator/exposure")
    assert "Lines by place" in page.text
    picture = client.get("/operator/exposure.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<svg")


def test_a_list_that_is_none(at: World) -> None:
    """The field is named, and what was pasted is kept."""
    client = browser(at, "operator")
    for form, told in (
        ({}, "is missing"),
        ({"list": "{<b>"}, "CycloneDX JSON"),
        ({"list": "name,version\nujson,1\n", "taken": "soon"}, "taken"),
        ({"list": "name,version\nujson,1\n", "taken": "2099-01-01 10:00"}, "is to come"),
    ):
        page = send(client, "/operator/inventories", "/operator/inventories", **form)
        assert page.status_code == 422, page.text
        assert told in page.text
        assert "<b>" not in page.text.partition("<main")[2].replace("<br>", "")


def test_enrolling_and_ending(at: World) -> None:
    """Ended, and enrolled anew by the form; each wrong field is named."""
    client = browser(at, "operator")
    end = "/operator/enrolment/end"
    assert send(client, end, "/operator/enrolment", reason="").status_code == 422
    assert send(client, end, "/operator/enrolment", reason="we moved").status_code == 303
    for place in ("/operator", "/operator/inventories", "/operator/enrolment"):
        told = client.get(place).text
        assert "Your enrolment ended" in told
        assert "What still stands" in told
        assert "1 list that you gave" in told.replace("List", "list")
    assert "Your enrolment has ended" in client.get("/operator/exposure").text
    assert send(client, end, "/operator/enrolment", reason="again").status_code == 404
    listed = send(
        client, "/operator/inventories", "/operator/enrolment", list="name,version\nujson,1\n"
    )
    assert listed.status_code == 409
    assert "lists of yours count no more" in listed.text
    notice = f"/operator/notices/{at.ids['notice']}"
    shown = send(client, f"{notice}/proofs", notice, how="inventory")
    assert shown.status_code == 409
    assert "what you gave and answered stays readable to you" in shown.text
    assert client.get(notice).status_code == 200
    form: dict[str, str | list[str]] = {
        "name": "<script>",
        "sectors": ["health", "water"],
        "serves": "90.000",
        "exposure": "internal",
        "changes": "2",
        "contact": "IT on call",
        "mode": "hosted",
        "competes": "a-rival\nanother-rival",
    }
    for field, value in (("name", ""), ("serves", "many"), ("changes", "-1"), ("mode", "x")):
        wrong = send(client, "/operator/enrolment", "/operator/enrolment", **{**form, field: value})
        assert wrong.status_code == 422
        assert f'href="#field-{field}"' in wrong.text
    done = send(client, "/operator/enrolment", "/operator/enrolment", **form)
    assert done.headers["location"] == "/operator?said=enrolled"
    page = client.get("/operator/enrolment")
    assert "&lt;script&gt;" in page.text
    assert "a-rival, another-rival" in page.text
    assert "90,000" in page.text


def test_history_says_which_notice_and_which_answer(at: World) -> None:
    """Each step names its notice; an answer says what it was, a proof what it came to."""
    client = browser(at, "operator")
    notice = f"/operator/notices/{at.ids['notice']}"
    for said in ("acting", "applied"):
        assert send(client, f"{notice}/answers", notice, said=said).status_code == 303
    proof = {"how": "check", "output": "Name: ujson\nVersion: 5.1.0\n"}
    assert send(client, f"{notice}/proofs", notice, **proof).status_code == 303
    page = client.get("/operator/history").text
    assert re.search(
        r"Notice of \d{4}-\d\d-\d\d \d\d:\d\d UTC[^:]*: answered, “being worked on”", page
    )
    assert "answered, “applied, as you said”" in page
    assert "proof given; it shows that the flaw is still there" in page


def test_nobody_elses_things(at: World) -> None:
    """404 for another operator's notice and list, 403 for who is none."""
    other, rival = browser(at, "other-operator"), browser(at, "rival")
    inventory = re.search(
        r"/operator/inventories/(inventory-\w+)",
        browser(at, "operator").get("/operator/inventories").text,
    )
    assert inventory
    for path in (f"/operator/notices/{at.ids['notice']}", f"/operator/inventories/{inventory[1]}"):
        assert other.get(path).status_code == 404
        assert rival.get(path).status_code in {403, 404}
    for path in (
        "/operator",
        "/operator/notices",
        "/operator/exposure",
        "/operator/history",
        "/operator/inventories",
        "/operator/enrolment",
    ):
        assert rival.get(path).status_code == 403
        assert other.get(path).status_code == 200
    for path in ("/operator/exposure", "/operator/notices"):
        assert "No " in plain(other.get(path).text)
