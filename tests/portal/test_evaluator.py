"""The evaluator's pages: who may see them, what they say, and that a run can be ended from one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import make
from identity.people import House, application, house
from leadline.core.record.act import Kind
from leadline.store.shards import open_executor
from portal.assessed_world import HOSTILE, MODEL, SUBJECT, Assessed, assess, open_engagement
from portal.visits import visitor

RUN = f"/engagements/{make.ENGAGEMENT}/assessment"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation in the folder of its own run, with open access."""
    with house(tmp_path / "out" / ".state") as found:
        yield found


@pytest.fixture
def run(at: House) -> Assessed:
    """One shard of three has run."""
    return assess(at, open_engagement(at), ran=1)


def test_the_queue_names_what_is_due(at: House, run: Assessed) -> None:
    """The engagement with its run; nothing for whoever is named for none."""
    page = visitor(at, "evaluator").get("/assessments").text
    assert MODEL in page
    assert "running, 25 items" in page
    at.enrol("other", "evaluator", engagements=frozenset())
    assert "You are named for no engagement" in visitor(at, "other").get("/assessments").text


def test_a_run_shows_what_contains_it_before_its_path(at: House, run: Assessed) -> None:
    """Containment, path, spending, shards, out of scope, in that order."""
    page = visitor(at, "evaluator").get(RUN).text
    places = [
        page.index(f'id="{name}"') for name in ("contained", "path", "spend", "shards", "scope")
    ]
    assert places == sorted(places)
    assert "Held" in page
    assert "12 of 25 attempts ended" in page
    assert "cat /etc/passwd" in page
    assert 'data-events="' in page


def test_others_do_not_see_a_run(at: House, run: Assessed) -> None:
    """It is not there for whoever may not know of it, and refused to its developer."""
    at.enrol("other", "evaluator", engagements=frozenset())
    stranger, developer = visitor(at, "other"), visitor(at, "developer")
    for path in ("", "/plan", "/results", "/events", "/path.svg", "/families.svg"):
        assert stranger.get(RUN + path).status_code == 404
        assert developer.get(RUN + path).status_code == 403


def test_a_run_is_ended_from_its_page(at: House, run: Assessed) -> None:
    """Frozen and on record, with who and why; it goes on with a reason. Without one the field is named."""
    client = visitor(at, "evaluator")
    assert client.post(RUN + "/stops", data={}).status_code == 422
    done = client.post(RUN + "/stops", data={"reason": "it left its box"})
    assert done.status_code == 303
    executor = open_executor(at.home.database)
    assert {one.state for one in executor.shards(run.plan.id)} == {"done", "frozen"}
    page = client.get(RUN).text
    assert "it left its box" in page
    assert Kind.RUN_STOPPED in at.kinds()
    assert client.post(RUN + "/resumptions", data={"why": "a false alarm"}).status_code == 303
    assert "queued" in {one.state for one in executor.shards(run.plan.id)}
    at.enrol("official", "determining-official")
    assert visitor(at, "official").post(RUN + "/stops", data={"reason": "x"}).status_code == 403


def test_results_have_intervals_and_say_what_was_lost(at: House, run: Assessed) -> None:
    """Shares by family; the picture with its data; what was not measured."""
    client = visitor(at, "evaluator")
    page = client.get(RUN + "/results").text
    assert "95 % interval" in page
    assert "Not measured" in page
    assert client.get(RUN + "/families.svg").headers["content-type"] == "image/svg+xml"
    assert client.get(RUN + "/path.svg").status_code in {200, 404}


def test_a_transcript_is_text_and_its_opening_is_on_record(at: House, run: Assessed) -> None:
    """What a model wrote is escaped; the log is checked against its seal before it is read."""
    client = visitor(at, "evaluator")
    item = next(iter(re.findall(r"/samples/([^/]+)/1\?", client.get(RUN + "/results").text)))
    path = f"{RUN}/samples/{item}/1"
    page = client.get(path).text
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert Kind.ARTEFACT_READ in at.kinds()
    (log,) = (at.folder.parent / "logs").glob("planted-000.eval")
    log.write_bytes(log.read_bytes() + b"x")
    assert client.get(path).status_code == 500
    log.unlink()
    assert "The transcript is not here" in client.get(path).text
    assert client.get(f"{RUN}/samples/nothing/1").status_code == 404


def test_the_viewer_is_in_a_sandbox_and_its_address_ends(at: House, run: Assessed) -> None:
    """No origin, no cookie; a ticket of another log, or an old one, opens nothing."""
    client = visitor(at, "evaluator")
    item = next(iter(re.findall(r"/samples/([^/]+)/1\?", client.get(RUN + "/results").text)))
    page = client.get(f"{RUN}/samples/{item}/1").text
    ticket = next(iter(re.findall(r"/viewer/([^/]+)/index", page)))
    nobody = TestClient(application(at.portal), base_url="https://localhost:8443")
    shown = nobody.get(f"/viewer/{ticket}/index.html")
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in policy
    assert nobody.get(f"/viewer/{ticket}/storage.js").status_code == 200
    assert nobody.get(f"/viewer/{ticket}/assets/index.js").status_code == 200
    assert nobody.get(f"/viewer/{ticket}/assets/nothing.js").status_code == 404
    part = nobody.get(f"/viewer/{ticket}/logs/log.eval", headers={"range": "bytes=0-1"})
    assert part.content == b"PK"
    for wrong in (ticket[:-2] + "AA", "x", "..", "a.b"):
        assert nobody.get(f"/viewer/{wrong}/logs/log.eval").status_code == 404
    at.clock.forward(minutes=11)
    assert nobody.get(f"/viewer/{ticket}/logs/log.eval").status_code == 404


def test_a_plan_is_shown_before_it_is_one(at: House) -> None:
    """The forecast against the end of access, the rule, what would be found; nothing is written down."""
    open_engagement(at)
    client = visitor(at, "evaluator")
    before = at.kinds()
    assert client.get(RUN).headers["location"] == f"{RUN}/plan"
    assert "What would run" in client.get(RUN + "/plan").text
    asked = {"suites": ["planted"], "subject": SUBJECT.name, "tokens": "20000", "items": "10"}
    page = client.get(RUN + "/plan", params=asked).text
    assert "attempts left, about" in page
    assert "wrongly at most 5 in 100" in page
    assert "Start this run" in page
    wrong = client.get(RUN + "/plan", params=asked | {"items": "many"})
    assert wrong.status_code == 422
    assert 'value="many"' in wrong.text
    assert client.get(RUN + "/plan", params=asked | {"suites": "<b>"}).status_code == 422
    slow = asked | {"items": "", "epochs": "100", "seconds": "100000", "tokens": ""}
    assert "It does not fit" in client.get(RUN + "/plan", params=slow).text
    assert at.kinds() == before


def test_the_committed_plan_is_shown(at: House, run: Assessed) -> None:
    """With its budgets, its rule and the commitment to its seed."""
    page = visitor(at, "evaluator").get(RUN + "/plan").text
    assert "10,000 tokens" in page
    assert run.plan.seed_commitment in page
    assert "telling ones first" in page


def test_a_finished_run_tells_the_end_of_its_events(at: House) -> None:
    """One line for how it stands, one for the end; then the stream closes."""
    assess(at, open_engagement(at))
    told = visitor(at, "evaluator").get(RUN + "/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    assert "event: run" in told.text
    assert told.text.rstrip().endswith("data: nothing of this run goes on")
