"""What anybody may read: register, counts, method, access, the law, advisories; and concerns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.test_advisory_commands import Office, drafted, office
from identity.people import PASSWORD, House, application
from inline import TestClient
from leadline.http.pages import advisories, every, public
from leadline.wiring import record
from portal.test_frame import ORIGIN, csrf

OPEN = ("/register", "/counts", "/about/method", "/about/access", "/regimes", "/advisories")


def client_of(at: House) -> TestClient:
    """A browser that follows nothing by itself."""
    return TestClient(
        application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False
    )


def signed_in(at: House, person: str) -> TestClient:
    """The browser of somebody who is signed in."""
    at.password(person)
    client = client_of(at)
    client.post("/sign-in", data={"name": person, "password": PASSWORD, "next": "/"})
    return client


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    """An installation with a published advisory whose words try to be markup."""
    for made in office(tmp_path / "one"):
        drafted(made, tmp_path)
        made.over()
        made.ok("advisory", "publish", made.case, "EXAMPLE-2027-1", made.key())
        yield made


@pytest.mark.parametrize("path", OPEN)
def test_each_page_stands_empty_too(at: House, path: str) -> None:
    """Nobody signed in, nothing in the installation: each page says what it means."""
    answer = client_of(at).get(path)
    assert answer.status_code == 200
    assert "<h1>" in answer.text
    assert "Traceback" not in answer.text


def test_the_register_counts_what_is_signed(at: House) -> None:
    """Before a signed head it says so; afterwards kinds and months, and the same as data."""
    client = client_of(at)
    assert "Nothing is signed yet" in client.get("/register").text
    at.enrol("ann", "auditor")
    at.password("ann")
    at.signed_in("ann")
    record_publish(at)
    page = client.get("/register").text
    assert "person signed in" in page
    assert client.get("/register.json").json()["format"] == "leadline/register/v1"


def record_publish(at: House) -> None:
    """Sign the log as the installation's worker does."""
    from leadline.app import log

    log.publish(at.door.parts.context(record.worker()))


def test_counts_show_no_few(at: House) -> None:
    """A picture, a table, a file; fewer than five are not shown anywhere."""
    client = client_of(at)
    page = client.get("/counts").text
    assert "not shown" in page
    assert "What the columns mean" in page
    lines = client.get("/counts.csv").text.splitlines()
    assert lines[0] == "measure,what,age,count,median_days"
    assert "days,inquiry,,not shown,not shown" in lines
    picture = client.get("/counts.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<svg")


def test_every_rule_that_a_refusal_names_can_be_looked_up(at: House) -> None:
    """By its id as an anchor; and every role stands there."""
    from leadline.wiring import people

    page = client_of(at).get("/about/access").text
    assert all(f'id="{rule}"' in page for rule in people.rules())
    assert all(f'id="role-{role}"' in page for role in people.roles())


def test_the_law_is_explained_and_compared(at: House) -> None:
    """One text; two side by side; one alone cannot be compared; an unknown one is not there."""
    client = client_of(at)
    assert "What it is" in client.get("/regimes/us-eo-14409").text
    ids = at.portal.library.ids()[:2]
    side = client.get("/regimes/compared", params={"id": list(ids)})
    assert side.status_code == 200
    assert all(one in side.text for one in ids)
    assert client.get("/regimes/compared?id=us-eo-14409").status_code == 422
    assert client.get("/regimes/no-such").status_code == 404


def test_an_advisory_has_a_page_and_its_files(desk: Office) -> None:
    """The list, the page, each form for programs, the feed; nothing of a draft; no way out of the feed."""
    client = client_of(desk.terminal.house)
    assert "/advisories/EXAMPLE-2027-1" in client.get("/advisories").text
    page = client.get("/advisories/EXAMPLE-2027-1")
    assert "What to do" in page.text
    links = [
        part.split('"')[0] for part in page.text.split('href="')[1:] if part.startswith("/feed/")
    ]
    assert len(links) >= 4
    assert all(client.get(link).status_code == 200 for link in links)
    assert client.get("/feed/atom.xml").headers["content-type"].startswith("application/atom+xml")
    assert client.get("/advisories/NO-SUCH").status_code == 404
    for path in ("/feed/..%2fkeys%2flog.key", "/feed/none.json", "/feed/.hidden", "/feed/csaf"):
        assert client.get(path).status_code == 404


def test_a_withdrawn_advisory_says_so(desk: Office, tmp_path: Path) -> None:
    """Visible in the list and on the page; what it said matches nothing any more."""
    reason = tmp_path / "why.txt"
    reason.write_text("Another flaw than was thought.")
    desk.ok("advisory", "withdraw", desk.case, "EXAMPLE-2027-1", f"--reason={reason}", desk.key())
    client = client_of(desk.terminal.house)
    assert "withdrawn" in client.get("/advisories").text
    assert "Withdrawn: " in client.get("/advisories/EXAMPLE-2027-1").text


def test_a_draft_shows_to_nobody(tmp_path: Path) -> None:
    """Its id is as unknown as any other."""
    for made in office(tmp_path / "one"):
        drafted(made, tmp_path)
        client = client_of(made.terminal.house)
        assert client.get("/advisories/EXAMPLE-2027-1").status_code == 404
        assert "EXAMPLE-2027-1" not in client.get("/advisories").text


def test_a_concern_is_raised_and_answered(at: House) -> None:
    """Fields are named and kept; script text stays text; the answer stands once; others do not read it."""
    at.enrol("olga", "operator", org="a-hospital")
    at.enrol("oscar", "operator", org="another")
    at.enrol("cora", "coordinator")
    olga, cora = signed_in(at, "olga"), signed_in(at, "cora")
    page = olga.get("/concerns")
    assert "No concern yet" in page.text
    token = csrf(page.text)
    bad = olga.post(
        "/concerns", data={"_csrf": token, "sector": "", "text": "It <script>x</script>"}
    )
    assert bad.status_code == 422
    assert "It &lt;script&gt;x" in bad.text
    told = {"_csrf": token, "sector": "health", "text": "It <script>x</script>"}
    assert olga.post("/concerns", data=told).status_code == 303
    assert "&lt;script&gt;" in olga.get("/concerns").text
    assert "No concern yet" in signed_in(at, "oscar").get("/concerns").text
    shown = cora.get("/concerns").text
    assert "no answer yet" in shown
    ident = shown.split('action="/concerns/')[1].split("/")[0]
    empty = cora.post(f"/concerns/{ident}/answer", data={"_csrf": csrf(shown)})
    assert empty.status_code == 422
    answer = {"_csrf": csrf(shown), "answer": "We look into it."}
    assert cora.post(f"/concerns/{ident}/answer", data=answer).status_code == 303
    assert cora.post(f"/concerns/{ident}/answer", data=answer).status_code == 409
    assert "We look into it." in olga.get("/concerns").text
    assert client_of(at).get("/concerns").status_code == 303


def test_these_pages_are_served(at: House) -> None:
    """A module that is not in the list is not served."""
    assert client_of(at).get("/register").status_code == 200
    assert all(one.ROUTES in every.ROUTES for one in (public, advisories))
