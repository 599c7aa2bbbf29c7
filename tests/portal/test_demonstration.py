"""The demonstration: people of each role who can sign in, and never in somebody's own installation."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from identity.people import application
from inline import TestClient
from leadline.cli.main import app
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.delivery import Delivery
from leadline.core.engagement.engagement import Engagement
from leadline.settings import Home
from leadline.wiring import demonstration
from leadline.wiring.home import opened
from leadline.wiring.portal import at_portal

ORIGIN = "http://localhost:8443"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A demonstration, seeded by the command."""
    home = Home(tmp_path_factory.mktemp("demonstration") / "out" / ".state")
    done = CliRunner().invoke(app, ["demonstration", "--home", str(home.folder), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["file"] == str(home.folder / demonstration.FILE)
    return home


def passwords(home: Home) -> Iterator[tuple[str, str]]:
    """Names and passwords, as the file has them."""
    for line in (home.folder / demonstration.FILE).read_text().splitlines():
        if line.startswith("  demo-"):
            name, password, *_ = line.split()
            yield name, password


def test_everybody_signs_in_and_sees_a_first_page(home: Home) -> None:
    """With the name and the password that stand in the file, at the origin it is served at."""
    with at_portal(home, ORIGIN) as portal:
        assert portal.door.site.origin == ORIGIN
        for name, password in passwords(home):
            client = TestClient(
                application(portal), base_url="https://localhost", headers={"origin": ORIGIN}
            )
            sent = {"name": name, "password": password, "next": "/"}
            page = client.post("/sign-in", data=sent)
            assert page.status_code == 200, name
            assert "Signed in as" in page.text


def test_there_is_something_to_do(home: Home) -> None:
    """An engagement with access open, public cases with their notices, and a case under embargo."""
    with opened(home) as parts, parts.store.read() as view:
        assert len(view.find(Engagement)) == 1
        assert len(view.find(Delivery)) == 2
        titles = {row.value.title for row in view.find(CaseFile)}
    assert titles == {demonstration.PUBLIC, demonstration.SECOND, demonstration.EMBARGOED}


def test_a_second_run_changes_nothing(home: Home) -> None:
    """The same names and passwords are printed; nothing is added to the record."""
    with opened(home) as parts, parts.store.read() as view:
        before = view.log_size()
    done = CliRunner().invoke(app, ["demonstration", "--home", str(home.folder)])
    assert (home.folder / demonstration.FILE).read_text() in done.output
    with opened(home) as parts, parts.store.read() as view:
        assert view.log_size() == before


def test_what_was_interrupted_is_finished(home: Home) -> None:
    """Without the file of passwords, people get new ones, and nothing is there twice."""
    (home.folder / demonstration.FILE).unlink()
    made = demonstration.seed(home, "out")
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert "No assessment is in out yet" in made.text
    test_there_is_something_to_do(home)


def test_an_installation_is_refused(tmp_path: Path) -> None:
    """Whatever has a log of its own name is somebody's."""
    folder = str(tmp_path / "own")
    people = ["--administrator", "Ada", "--administrator", "Bea"]
    begun = ["init", "--home", folder, "--log", "leadline.example.org/log", *people]
    assert CliRunner().invoke(app, begun).exit_code == 0
    done = CliRunner().invoke(app, ["demonstration", "--home", folder])
    assert done.exit_code == 5
    assert not (tmp_path / "own" / demonstration.FILE).exists()


def test_the_words_say_what_is_there() -> None:
    """With an assessment, and without."""
    seated = (demonstration.Seated("demo-auditor", "a-password", "the log"),)
    assert "result of `make assess`" in demonstration.words(seated, "out", assessed=True)
    assert "a-password" not in repr(seated)


def test_there_is_something_to_check(home: Home) -> None:
    """The log is signed, the register counts, and a list is held against something."""
    with at_portal(home, ORIGIN) as portal:
        client = TestClient(
            application(portal), base_url="https://localhost", headers={"origin": ORIGIN}
        )
        assert "Nothing is signed yet" not in client.get("/register").text
        assert "The head signed last" in client.get("/log").text
        listed = "name,version,source\nujson,5.1.0,PyPI\nujson,5.4.0,PyPI\n"
        found = client.post("/check", data={"list": listed}).text
        assert "1 line of your list is affected" in found
        assert "held against 2 advisories" in found


def test_the_public_reads_its_advisories(home: Home) -> None:
    """Two of its own cases, each with a page and its forms, and a feed that programs read."""
    with at_portal(home, ORIGIN) as portal:
        client = TestClient(
            application(portal), base_url="https://localhost", headers={"origin": ORIGIN}
        )
        page = client.get("/advisories").text
        for number in (1, 2):
            path = f"/advisories/LEADLINE-DEMONSTRATION-{number}"
            assert f'href="{path}"' in page
            one = client.get(path)
            assert one.status_code == 200
            links = re.findall(r'href="(/feed/[^"]+)"', one.text)
            assert len(links) >= 4
            assert all(client.get(link).status_code == 200 for link in links)
        assert client.get("/feed/index.html").status_code == 200
