"""Two officials in real browsers: from the brief to its evidence, a dissent, and a signed record."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

import make
from identity.people import House, house
from leadline.core.record.act import Kind
from portal.assessed_world import MODEL, REASONS, TWO, assess, open_engagement, two_sign
from portal.test_account_journey import another, press
from portal.web import Web

pytestmark = pytest.mark.browser
ON = f"/engagements/{make.ENGAGEMENT}"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """A finished assessment under a regime of two persons."""
    with house(tmp_path / "out" / ".state") as found:
        two_sign(found)
        assess(found, open_engagement(found, TWO))
        found.enrol("second", "concurring-official")
        found.enrol("third", "concurring-official")
        yield found


def arrive(web: Web, person: str) -> Page:
    """Somebody with a password adds a passkey, and shows it as a second factor."""
    web.at.password(person)
    web.sign_in(person)
    page = web.goto("/account")
    press(page, "Add a passkey")
    page.get_by_text("It is registered.").wait_for()
    web.goto("/sign-in")
    press(page, "Sign in with a passkey")
    page.get_by_role("heading", name="What waits for you").wait_for()
    return page


def sheets(page: Page) -> int:
    """How many A4 sheets the page prints on."""
    made = page.pdf(format="A4", prefer_css_page_size=True)
    return len(re.findall(rb"/Type\s*/Page[^s]", made))


def test_an_official_decides_with_a_dissent_beside(web: Web) -> None:
    """The brief prints on one sheet; a claim is two clicks from its evidence; the record has the dissent."""
    web.authenticator()
    page = arrive(web, "official")
    page.get_by_role("link", name="Determinations", exact=True).first.click()
    web.check("official-queue")
    page.get_by_role("main").get_by_role("link", name=MODEL, exact=True).click()
    assert page.inner_text("main").count("5 in 100") >= 2
    assert sheets(page) == 1
    web.check("official-brief")
    page.get_by_role("link", name="an egress proof").click()
    web.check("official-act")
    page.get_by_role("link", name="Evidence", exact=True).first.click()
    assert "checks" in page.inner_text("pre")
    web.check("official-evidence")
    web.goto(f"{ON}/criteria/demonstration")
    web.check("official-criteria")
    web.goto(f"{ON}/determination")
    page.get_by_label("It speaks until").fill("2027-09-01T12:00")
    web.check("official-form")
    press(page, "Sign and propose")
    page.get_by_role("heading", name="Sign what will be done").wait_for()
    press(page, "Sign with a passkey, and do it")
    page.get_by_text("Proposed, with your signature").wait_for()
    with another(web) as other:
        dissent(other)
    with another(web) as other:
        concur(other)
    web.goto(f"{ON}/determination")
    press(page, "Sign and record it")
    press(page, "Sign with a passkey, and do it")
    page.get_by_text("Recorded, with your signature").wait_for()
    assert REASONS in page.inner_text("main")
    web.check("official-recorded")
    web.goto(f"{ON}/brief")
    assert REASONS in page.inner_text("main")
    assert sheets(page) == 1
    web.check("official-brief-recorded")
    assert Kind.DETERMINATION_RECORDED in web.at.kinds()


def concur(web: Web) -> None:
    """A third official agrees to exactly what was proposed."""
    page = arrive(web, "third")
    web.goto(f"{ON}/determination")
    press(page, "Concur, with a signature")
    press(page, "Sign with a passkey, and do it")
    page.get_by_text("Your concurrence stands").wait_for()


def dissent(web: Web) -> None:
    """A second official reads the proposal and dissents with reasons."""
    page = arrive(web, "second")
    page.get_by_role("link", name=f"Proposed about {MODEL}").click()
    page.get_by_text("Dissent, with reasons").click()
    page.get_by_label("Your reasons").fill(REASONS)
    press(page, "Sign the dissent")
    page.get_by_role("heading", name="Sign what will be done").wait_for()
    web.check("official-sign")
    press(page, "Sign with a passkey, and do it")
    page.get_by_text("Your dissent stands").wait_for()
    web.check("official-dissent")
