"""A maintainer's one page by a link: read, answered, ended; and a contract written by a form."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from identity.people import application
from inline import TestClient
from leadline.app import cases, fixes, maintainer_link
from leadline.app.cases import NewParty
from leadline.core.clearing.case_words import Report, Role
from leadline.core.clearing.finding import Finding
from leadline.formats.contract_toml import load_contract
from portal.examples import world
from portal.test_operator_pages import ORIGIN, browser, plain, send
from portal.world import Model, World
from replay_values import FakeWorkshop, a_bundle, sound_draft

FORM = {
    "project": "the-project",
    "contact": "security@project.example",
    "packages": "pkg:pypi/ujson",
    "per_week": "2",
    "max_open": "3",
    "reproducer": "required",
    "patch": "welcome",
    "test": "welcome",
    "human_confirmer": "required",
    "embargo": "private",
    "minimum_severity": "medium",
    "include": "src/** lib/**",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return world(tmp_path_factory)


@pytest.fixture
def at(model: Model, tmp_path: Path) -> Iterator[World]:
    """A world of a test's own."""
    with model.copied(tmp_path / "copy") as found:
        yield found


def linked(at: World) -> tuple[str, str]:
    """A party of the embargoed case without an account, and its link."""
    new = NewParty(Role.OWNER, "Project <b>", "o@project.example", (), "", "the-project")
    party = cases.add_party(at.ctx("coordinator"), at.ids["case"], new)
    return party, maintainer_link.make(at.ctx("coordinator"), at.ids["case"], party)


def anybody(at: World) -> TestClient:
    """A browser in which nobody is signed in."""
    return TestClient(
        application(at.at.portal),
        base_url=ORIGIN,
        headers={"origin": ORIGIN},
        follow_redirects=False,
    )


def test_the_report_on_one_page(at: World) -> None:
    """In plain words, by whom it was found, replays, scope, duplicate, clock, who else knows."""
    _, token = linked(at)
    page = anybody(at).get(f"/report/{token}")
    assert page.status_code == 200
    text = plain(page.text)
    for words in (
        "Found by an AI system",
        "5 of 5 runs showed it",
        "leadline replay BUNDLE --repo . --commit HEAD",
        "no terms of yours are on file here",
        "no report with the same proof is known here",
        "None was drafted",
        "The owner, owner",
        "To your answer",
        "A report for you: ",
        "There is no answer yet",
    ):
        assert words in text, words
    assert "a model nobody heard of" not in text
    assert "Project &lt;b&gt;" in page.text


def test_a_wrong_link_is_no_link(at: World) -> None:
    """The same bytes for one that ended, one that never was, and their answers and patches."""
    party, token = linked(at)
    client, ctx = anybody(at), at.ctx("coordinator")
    known = maintainer_link.listed(ctx, at.ids["case"])
    (mine,) = [one.id for one, _ in known if one.party == party]
    maintainer_link.end(ctx, at.ids["case"], mine)
    never = maintainer_link.new_token()
    pages = [client.get(f"/report/{one}") for one in (token, never, "x", "%00")]
    assert {one.status_code for one in pages} == {404}
    assert len({sha256(one.content).digest() for one in pages}) == 1
    for one in (token, never):
        assert client.post(f"/report/{one}/answers", data={"choice": "pause"}).status_code == 404
        assert client.get(f"/report/{one}/patches/fix").status_code == 404


def test_an_answer_from_elsewhere_is_none(at: World) -> None:
    """Another origin is refused; a field that is wrong is named and the words are kept."""
    party, token = linked(at)
    client, path = anybody(at), f"/report/{token}/answers"
    foreign = client.post(
        path, data={"choice": "confirmed"}, headers={"origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    cases_: list[tuple[dict[str, str], str]] = [
        ({"choice": ""}, "choice"),
        ({"choice": "approved"}, "choice"),
        ({"choice": "declined"}, "words"),
        ({"choice": "more-time", "words": "<i>two of us"}, "until"),
        ({"choice": "more-time", "words": "x", "until": "2001-01-01 10:00"}, "choice"),
    ]
    for form, field in cases_[:4]:
        page = client.post(path, data=form)
        assert page.status_code == 422
        assert f'href="#field-{field}"' in page.text
        assert "<i>" not in page.text
    done = client.post(path, data={"choice": "declined", "words": "<i>we are tired"})
    assert done.headers["location"] == f"/report/{token}?said=link-answer"
    shown = client.get(f"/report/{token}").text
    assert "We will not work on it" in shown
    assert "&lt;i&gt;we are tired" in shown
    stands = cases.standing(at.ctx("coordinator"), at.ids["case"])
    assert stands.participants[party].report is Report.RECEIVED
    board = browser(at, "coordinator").get(f"/cases/{at.ids['case']}/links").text
    assert "&lt;i&gt;we are tired" in board


def test_more_time_asks_for_a_date(at: World) -> None:
    """With the hour and the zone."""
    _, token = linked(at)
    when = (at.at.clock.now.replace(microsecond=0)).strftime("%Y-%m-%d")
    form = {"choice": "more-time", "words": "x", "until": f"{when} 23:59", "zone": "Europe/Berlin"}
    page = anybody(at).post(f"/report/{token}/answers", data=form)
    assert page.status_code == 303, plain(page.text)


def test_the_patch_is_shown_and_handed_out(at: World) -> None:
    """With its label; another fix's id is nothing."""
    _, token = linked(at)
    ctx, finding = at.ctx("coordinator"), at.ids["finding"]
    bundle = a_bundle()
    with at.at.door.parts.store.write() as tx:
        row = tx.get(Finding, finding)
        held = replace(row.value, proof_sha256=bundle.proof_sha256)
        tx.put(finding, held, marking=row.marking, bounds=row.bounds, expect=row.version)
    made = fixes.propose(ctx, finding, bundle, FakeWorkshop(sound_draft()))
    assert made.candidate
    client = anybody(at)
    page = client.get(f"/report/{token}").text
    assert f"/report/{token}/patches/{made.fix}" in page
    patch = client.get(f"/report/{token}/patches/{made.fix}")
    assert patch.headers["content-disposition"] == 'attachment; filename="leadline.patch"'
    assert b"a person has to read it before it is used" in patch.content
    assert client.get(f"/report/{token}/patches/other").status_code == 404


def test_a_coordinator_makes_and_ends_links(at: World) -> None:
    """The secret is shown once; nobody else reaches the page."""
    party, _ = linked(at)
    client, path = browser(at, "coordinator"), f"/cases/{at.ids['case']}/links"
    made = send(client, path, path, party=party)
    found = re.search(r"https://localhost:8443/report/([\w-]{43})", made.text)
    assert found
    assert found[1] not in client.get(path).text
    assert anybody(at).get(f"/report/{found[1]}").status_code == 200
    end = re.findall(rf"{path}/[0-9a-f]+/end", client.get(path).text)[0]
    assert send(client, end, path).status_code == 303
    assert send(client, f"{path}/none/end", path).status_code == 404
    for person in ("maintainer", "other-maintainer", "operator"):
        assert browser(at, person).get(path).status_code in {403, 404}


def test_a_contract_by_a_form(at: World) -> None:
    """Shown in plain words, downloaded as a file that reads back; a wrong field is named."""
    client = anybody(at)
    shown = client.post("/contracts/draft", data=FORM)
    assert "At most 2 reports in any 7 days" in shown.text
    file = client.post("/contracts/draft", data=FORM | {"download": "yes"})
    assert "attachment" in file.headers["content-disposition"]
    read = load_contract(file.content)
    assert (read.project, read.per_week, read.include) == ("the-project", 2, ("src/**", "lib/**"))
    assert tomllib.loads(file.text)["evidence"]["human_confirmer"] == "required"
    for field, value in (
        ("project", "<b>"),
        ("packages", "ujson"),
        ("per_week", "0"),
        ("patch", "no"),
    ):
        wrong = client.post("/contracts/draft", data=FORM | {field: value})
        assert wrong.status_code == 422
        assert f'href="#field-{field.replace("_", "-")}"' in wrong.text
