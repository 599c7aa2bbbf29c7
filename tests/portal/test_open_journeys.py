"""In a real browser: an auditor checks an act and takes the proof away; anybody reads, and raises a concern."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import make
from identity.people import PASSWORD
from leadline.cli.main import app
from leadline.core.record.act import Kind
from leadline.wiring.notify import Notifier
from portal.test_frame import ORIGIN
from portal.test_public_pages import record_publish
from portal.web import Web

pytestmark = pytest.mark.browser


def done(web: Web, selector: str) -> str:
    """What the check in the browser came to."""
    web.page.wait_for_selector(f"{selector} [data-done]", timeout=10_000)
    return web.page.get_attribute(f"{selector} [data-done]", "data-done") or ""


def test_an_auditor_checks_an_act_here_and_elsewhere(web: Web, tmp_path: Path) -> None:
    """From the list to a proof that verifies in the browser, and by the command on the files taken away."""
    at = web.at
    at.enrol("ann", "auditor")
    at.password("ann")
    with at.door.parts.store.write() as tx:
        for n in range(7):
            tx.record(make.act(7000 + n, Kind.ACCESS_DENIED if n % 2 else Kind.RESULT_READ,
                               action="case:read", rules=("need-to-know",)))  # fmt: skip
    record_publish(at)
    kept = (at.home.log / "checkpoint").read_text()
    web.sign_in("ann")
    with at.door.parts.store.write() as tx:
        tx.record(make.act(7100))
    record_publish(at)
    page = web.goto("/log")
    assert done(web, "#verify") == "yes"
    page.get_by_label("The head you kept").fill(kept)
    page.get_by_role("button", name="Check in this browser").click()
    assert done(web, "#continues") == "yes"
    web.check("log")
    page.get_by_role("link", name="Read acts").click()
    page.get_by_role("link", name="What the rules denied").click()
    web.check("acts-denied")
    page.get_by_role("link", name="access denied").first.click()
    assert done(web, "#verify") == "yes"
    web.check("act-verified")
    files = {}
    for name in ("Proof", "What opens it", "Quorum file"):
        with page.expect_download() as got:
            page.get_by_role("link", name=name, exact=True).click()
        files[name] = tmp_path / got.value.suggested_filename
        got.value.save_as(files[name])
    told = CliRunner().invoke(app, [
        "log", "verify", str(files["Proof"]), "--opening", str(files["What opens it"]),
        "--policy", str(files["Quorum file"]), "--json"])  # fmt: skip
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["act_kind"] == "access.denied"
    page.get_by_label("Verifier keys").fill("another+0a1b2c3d+AQ==")
    page.get_by_role("button", name="Check", exact=True).click()
    page.wait_for_selector("#verify [data-done=no]")
    web.goto("/log/agreement")
    web.check("agreement")
    web.goto("/log/fairness")
    web.check("fairness-none")


def test_what_was_changed_does_not_verify(web: Web) -> None:
    """A record with one letter changed on its way leads to no root that was signed."""
    at = web.at
    at.enrol("ann", "auditor")
    at.password("ann")
    with at.door.parts.store.write() as tx:
        tx.record(make.act(7000))
    record_publish(at)
    web.sign_in("ann")

    def forged(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        body = answer.text().replace('"actor":"', '"actor":"x')
        route.fulfill(response=answer, body=body)  # type: ignore[attr-defined]

    web.page.route("**/opening", forged)
    web.goto(f"/log/acts/{make.act(7000).id}")
    assert done(web, "#verify") == "no"
    assert "Does not hold: Through" in web.page.inner_text("#verify")


@pytest.mark.parametrize(
    "paths",
    [
        ("/register", "/counts", "/advisories"),
        ("/about/method", "/about/access"),
        ("/regimes", "/regimes/us-eo-14409"),
    ],
)
def test_anybody_reads_what_is_public(web: Web, paths: tuple[str, ...]) -> None:
    """Register, counts, advisories, method, access, law, without a sign-in."""
    record_publish(web.at)
    for path in paths:
        web.goto(path)
        web.check(path.strip("/").replace("/", "-"))


def test_an_operator_compares_the_law_and_raises_a_concern(web: Web) -> None:
    """By ticking two texts; then, signed in, in a few words."""
    at = web.at
    at.enrol("olga", "operator", org="a-hospital")
    at.password("olga")
    ids = at.portal.library.ids()[:2]
    page = web.goto("/regimes")
    for one in ids:
        page.get_by_label(f"Compare {one}").check()
    page.get_by_role("button", name="Compare what is ticked").click()
    web.check("regimes-compared")
    web.sign_in("olga", PASSWORD)
    page = web.goto("/concerns")
    web.check("concerns-empty")
    page.get_by_label("Your sector").select_option("health")
    page.get_by_label("Your concern").fill("Notices come at night.")
    page.get_by_role("button", name="Raise it").click()
    assert "no answer yet" in page.inner_text("main")
    web.check("concerns")


def test_somebody_is_told_and_chooses_how(web: Web) -> None:
    """An empty inbox, an item, how to be told, a calendar address; each page as the others are."""
    at = web.at
    at.engagement()
    at.enrol("eva", "evaluator", engagements=frozenset({make.ENGAGEMENT}))
    at.password("eva")
    Notifier(at.door.parts, at.home, ORIGIN).once()
    web.sign_in("eva")
    with at.door.parts.store.write() as tx:
        tx.record(make.act(8000, Kind.MESSAGE_SENT))
    Notifier(at.door.parts, at.home, ORIGIN).once()
    page = web.goto("/inbox")
    assert "A message came" in page.inner_text("main")
    web.check("inbox")
    page.get_by_role("link", name="How you are told").click()
    page.locator("label", has_text="Once a day").click()
    page.get_by_label("Address").fill("eva@x.example")
    page.get_by_label("Webhook").fill("https://x.example/hook")
    page.get_by_role("button", name="Choose").click()
    assert "Keys of your webhook" in page.inner_text("main")
    page.get_by_role("button", name="Make a calendar address").click()
    assert "/calendars/" in page.inner_text("main")
    web.check("inbox-settings")
