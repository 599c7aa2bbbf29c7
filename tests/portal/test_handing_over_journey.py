"""Handing over in a real browser, by keyboard: a suite, weights, a form that waited, a sheet with marks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page

import make
from app.test_weights import MODEL, Delivery
from identity.people import HERE, House, house
from leadline.app import marks, sign_in
from leadline.core.record.act import Kind
from leadline.formats import sealed_pack
from leadline.http.api.caller import COOKIE
from leadline.wiring import intake, record
from portal.assessed_world import assess, open_engagement
from portal.sealed_packs import prepared
from portal.test_marked_brief import LONG, Marking
from portal.test_official_journey import sheets
from portal.web import Web, browsing
from sealed_world import COMPARTMENT

pytestmark = pytest.mark.browser
WEIGHTS = f"/engagements/{make.ENGAGEMENT}/weights"


@contextmanager
def sitting(at: House, person: str) -> Iterator[Web]:
    """Somebody signed in with two factors, in a browser of their own."""
    at.password(person)
    key, first = at.key(person), at.signed_in(person).session
    made, to_sign, _ = at.door.challenge()
    begun = sign_in.by_key(at.door.nobody(), made.id, key.sign(to_sign), HERE, first)
    with browsing(at) as web:
        url = web.origin.replace(
            "http:", "https:"
        )  # a browser takes the name over a safe scheme alone
        cookie = {"name": COOKIE, "value": begun.token, "url": url, "secure": True}
        web.context.add_cookies([cookie])  # type: ignore[list-item]
        yield web


def reach(page: Page, label: str) -> None:
    """Go on by the tabulator until the field, link or button with this name has the focus."""
    name = "e => (e.labels && e.labels.length ? e.labels[0].innerText : e.innerText || '').trim()"
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(f"({name})(document.activeElement)").startswith(label):
            return
    pytest.fail(f"{label} cannot be reached by keyboard")


def press(page: Page, label: str) -> None:
    """Reach it, and press it."""
    reach(page, label)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_custodian_seals_a_suite(at: House, tmp_path: Path) -> None:
    """Looked at first, with who would know; sealed; the receipt stands on the suite's page."""
    at.enrol("keeper", "custodian", compartments=frozenset({COMPARTMENT}))
    at.enrol("runner", "evaluator", compartments=frozenset({COMPARTMENT}))
    file = tmp_path / "suite.sealed"
    file.write_bytes(sealed_pack.encode(prepared()))
    with sitting(at, "keeper") as web:
        page = web.goto("/sealed")
        press(page, "Seal a suite")
        web.check("seal-empty")
        page.get_by_label("The sealed suite", exact=True).set_input_files(file)
        reach(page, "Engagement")
        page.keyboard.type(make.ENGAGEMENT)
        reach(page, COMPARTMENT)
        page.keyboard.press("Space")
        press(page, "Look at it first")
        assert "What you would seal" in page.inner_text("main")
        assert page.get_by_label(COMPARTMENT).is_checked()
        web.check("seal-looked")
        page.get_by_label("The sealed suite", exact=True).set_input_files(file)
        press(page, "Seal it")
        assert "Receipt of its sealing" in page.inner_text("main")
        assert at.kinds().count(Kind.PACK_SEALED) == 1
        web.check("seal-receipt")


def test_a_developer_hands_weights_in(at: House, tmp_path: Path) -> None:
    """The signature alone is looked at; then every file goes in, and each movement is a receipt."""
    open_engagement(at)
    place = tmp_path / "theirs"
    place.mkdir()
    made = Delivery(place)
    (at.folder / intake.KEYS).mkdir()
    key = at.folder / intake.KEYS / f"{make.DEVELOPER}.pem"
    key.write_bytes(made.public.read_bytes())
    with sitting(at, "developer") as web:
        page = web.goto(WEIGHTS)
        web.check("weights-empty")
        page.get_by_label("Signature over the folder").set_input_files(made.signature)
        press(page, "Look at it first")
        assert "What you would hand in" in page.inner_text("main")
        web.check("weights-looked")
        page.get_by_label("Signature over the folder").set_input_files(made.signature)
        for number, (name, data) in enumerate(MODEL.items(), 1):
            one = FilePayload(name=name, mimeType="application/octet-stream", buffer=data)
            page.locator(f"#field-file-{number}").set_input_files([one])
        press(page, "Hand these weights in")
        assert "which is your receipt" in page.inner_text("main")
        record.publish(at.home)
        web.goto(WEIGHTS)
        web.check("weights-receipt")
        press(page, "Withdraw")


def test_a_form_waits_for_its_second_factor(web: Web) -> None:
    """An administrator with one factor writes, shows the passkey, and finds everything filled in."""
    at = web.at
    at.enrol("root", "administrator", org="installation")
    at.password("root")
    web.authenticator()
    web.sign_in("root")
    page = web.goto("/account")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("It is registered.").wait_for()
    web.goto("/admin/people/new")
    page.get_by_label("Id", exact=True).fill("nina")
    page.locator("#field-name").fill("Nina of the agency")
    page.locator("#field-org").fill("an agency")
    page.locator("#field-until").fill("2027-05-01")
    page.get_by_label("Finder of flaws").check(force=True)
    page.get_by_role("button", name="Enter", exact=True).click()
    page.get_by_role("button", name="Show a second factor, and go on").wait_for()
    web.check("kept-refused")
    page.get_by_role("button", name="Show a second factor, and go on").click()
    web.check("kept-factor")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("button", name="Back to the form, as you filled it in").wait_for()
    web.check("kept-back")
    page.get_by_role("button", name="Back to the form, as you filled it in").click()
    page.get_by_text("Here is the form as you filled it in").wait_for()
    assert page.locator("#field-name").input_value() == "Nina of the agency"
    web.check("kept-form")
    page.get_by_role("button", name="Enter", exact=True).click()
    page.get_by_text("The person is entered").wait_for()


def test_a_brief_with_marks_is_one_sheet(tmp_path: Path) -> None:
    """With many marks and long dissents, on the page and as the official paper."""
    with house(tmp_path / "out" / ".state") as at:
        made = Marking(at, assess(at, open_engagement(at)))
        at.enrol("lead", "evaluation-lead")
        for number in range(6):
            mark = made.mark(number, "lead" if number % 2 else "evaluator")
            for person in ("official", "lead"):
                marks.dissent(at.ctx(person), made.run.on, mark, LONG)
        with sitting(at, "official") as web:
            page = web.goto(f"/engagements/{make.ENGAGEMENT}/brief")
            assert "6 attempts marked as invalid" in page.inner_text("main")
            assert sheets(page) == 1
            web.check("brief-marked")
            paper = web.context.request.get(f"{web.origin}/engagements/{make.ENGAGEMENT}/brief.pdf")
            (tmp_path / "brief.pdf").write_bytes(paper.body())
            assert paper.body().startswith(b"%PDF")
