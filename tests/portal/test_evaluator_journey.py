"""An evaluator in a real browser: a plan that fits, a run that is watched, its results, one transcript."""

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest
from playwright.sync_api import Page

import make
from identity.people import House, house
from leadline.app.engagement import Dealings
from leadline.wiring import runs
from portal.assessed_world import MODEL, SUBJECT, assess, open_engagement, work
from portal.test_account_journey import press
from portal.test_begun_runs import Host
from portal.test_official_journey import arrive
from portal.test_sealed_ceremony import Ceremony
from portal.web import Web, browsing

pytestmark = pytest.mark.browser
RUN = f"/engagements/{make.ENGAGEMENT}/assessment"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An engagement with open access; nothing is planned."""
    with house(tmp_path / "out" / ".state") as found:
        open_engagement(found)
        yield found


@pytest.fixture
def host(at: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """This host, which starts no process: what a run does is made beside the browser."""
    made = Host(at)
    monkeypatch.setattr(runs, "spawn", made.spawn)
    monkeypatch.setattr(runs, "require_tier", made.tier)
    yield made
    for lock in made.locks:
        os.close(lock)


def dealings(at: House) -> Dealings:
    """The engagement of the fixture."""
    texts = at.portal.library
    return Dealings(make.ENGAGEMENT, make.DEVELOPER, texts.newest("us-eo-14409"), texts)


def test_an_evaluator_plans_watches_and_reads(web: Web, host: Host) -> None:
    """From the queue to a transcript; the run's page follows the run by itself."""
    web.authenticator()
    page = arrive(web, "evaluator")
    web.goto("/assessments")
    web.check("evaluator-queue")
    page.get_by_role("link", name=MODEL).click()
    page.get_by_label("Planted flaws in generated").check()
    page.get_by_label("Subject").fill(SUBJECT.name)
    page.get_by_label("Tokens of one attempt").fill("20000")
    press(page, "Show whether it fits")
    page.get_by_text("attempts left, about").wait_for()
    web.check("evaluator-plan")
    press(page, "Start this run")
    page.get_by_text("The run is being prepared").first.wait_for()
    assert host.started
    web.check("evaluator-begun")
    # What is shown from here on is made beside the browser, as the installation's own run
    rmtree(runs.place_of(web.at.home, make.ENGAGEMENT).out)
    made = assess(web.at, dealings(web.at), ran=1)
    web.goto(RUN)
    page.locator("label", has_text="12 of 25 attempts ended").wait_for()
    web.check("evaluator-run")
    work(web.at, made.plan, 1)
    page.locator("label", has_text="24 of 25 attempts ended").wait_for(timeout=10_000)
    ended_and_taken_up(page, web)
    work(web.at, made.plan)
    web.goto(RUN + "/plan")
    web.check("evaluator-planned")
    page.get_by_role("link", name="Results").click()
    web.check("evaluator-results")
    page.get_by_role("region", name="Attempts").get_by_role("link").first.click()
    assert "document.title='owned'" in page.inner_text("main")
    web.check("evaluator-transcript")
    in_sandbox(page)
    marked(web, page)
    assert not web.outside


def ended_and_taken_up(page: Page, web: Web) -> None:
    """Ended with a reason, frozen, and taken up again with another."""
    page.get_by_text("End this run now").click()
    page.get_by_label("Why").fill("it reached for a file that is not its own")
    press(page, "End every sandbox of this run")
    page.get_by_text("The run was ended.").wait_for()
    web.check("evaluator-frozen")
    page.get_by_text("Let the run go on").click()
    page.get_by_label("Why it may go on").fill("the file is one of the item's own")
    press(page, "Queue the frozen shards again")


def marked(web: Web, page: Page) -> None:
    """The attempt is marked as invalid; results stand with and without it."""
    page.get_by_label("Why it is no evidence").fill("the harness gave it the answer")
    press(page, "Mark this attempt as invalid")
    page.get_by_text("The attempt is marked.").wait_for()
    web.check("evaluator-marked")
    web.goto(RUN + "/results")
    page.get_by_role("heading", name="With and without what was marked").wait_for()
    web.check("evaluator-both-figures")


def in_sandbox(page: Page) -> None:
    """Inspect's viewer shows the sample, in a page that has no origin."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open in Inspect's viewer").click()
    viewer = opened.value
    viewer.get_by_text("(Epoch 1)").first.wait_for(timeout=15_000)
    assert viewer.evaluate("window.origin") == "null"
    assert "owned" not in {page.title(), viewer.title()}


def test_a_run_is_ended_without_a_script(at: House) -> None:
    """By a plain form, with one second press; the page says how to see the next moment."""
    assess(at, dealings(at), ran=1)
    at.password("evaluator")
    with browsing(at, scripts=False) as web:
        web.sign_in("evaluator")
        page = web.goto(RUN)
        assert "read it again" in page.inner_text("main")
        page.get_by_text("End this run now").click()
        page.get_by_label("Why").fill("enough was seen")
        press(page, "End every sandbox of this run")
        assert "The run was ended." in page.inner_text("main")


def test_a_sealed_suite_is_committed_to(web: Web, tmp_path: Path) -> None:
    """From the list to a run that waits for its unsealing, each step with whose it is."""
    ceremony = Ceremony(web.at)
    web.authenticator()
    page = arrive(web, "lead")
    web.goto(f"/sealed/{ceremony.pack.id}")
    page.get_by_label("Model family that showings").fill("tool-agents")
    terms = tmp_path / "terms.txt"
    terms.write_text("one showing each")
    page.get_by_label("The agreed terms").set_input_files(terms)
    web.check("sealed-pack")
    press(page, "Commit to this run")
    page.get_by_role("heading", name="Next: unseal").wait_for()
    web.check("sealed-session")
    assert not web.outside
