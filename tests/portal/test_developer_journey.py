"""The developer's whole job in a real browser, by keyboard alone: asked early, received, told, left."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page

import make
from identity.people import PASSWORD
from leadline.app import engagement as desk
from leadline.app import exchange
from leadline.core.engagement.terms import Terms
from leadline.wiring import record
from leadline.wiring.desk import AtDesk
from portal.web import Web

pytestmark = pytest.mark.browser
TABS_MAX = 120


def at_(page: Page, name: str, role: str = "") -> None:
    """Move by the Tab key until what is focused is called *name*."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const one = document.activeElement;
                const labels = one.labels ? [...one.labels].map(l => l.textContent) : [];
                const text = (labels[0] || one.getAttribute('aria-label') || one.textContent || '');
                return [text.replace(/\\s+/g, ' ').trim(), one.tagName.toLowerCase()]; }"""
        )
        if found[0].startswith(name) and role in {"", found[1]}:
            return
    pytest.fail(f"{name!r} cannot be reached by the Tab key on {page.url}")


def press(page: Page, name: str, role: str = "") -> None:
    """Reach a link or button by keyboard and press it; wait for the page that follows."""
    at_(page, name, role)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def answered(page: Page, text: str) -> None:
    """Type an answer into the field of the question, and go on."""
    at_(page, "Your answer" if "Your answer" in page.inner_text("main") else "A")
    page.keyboard.type(text)
    press(page, "Next", "button")


def signed_in(web: Web) -> Page:
    """The developer, from the first page, by keyboard."""
    page = web.goto("/")
    press(page, "Sign in", "a")
    at_(page, "Name", "input")
    page.keyboard.type("dev")
    at_(page, "Password", "input")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    return page


def asked(web: Web, page: Page) -> None:
    """From nothing to the receipt of an early question."""
    press(page, "Early question", "a")
    web.check("developer-early-question")
    press(page, "Begin a question", "button")
    web.check("developer-question-number")
    at_(page, "A number")
    page.keyboard.type("3e25")
    press(page, "Next", "button")
    press(page, "I don", "button")
    web.check("developer-question-boxes")
    at_(page, "United States", "input")
    page.keyboard.press("Space")
    press(page, "Next", "button")
    web.check("developer-question-radios")
    at_(page, "Yes", "input")
    page.keyboard.press("ArrowDown")
    press(page, "Next", "button")
    press(page, "Skip", "button")
    press(page, "I don", "button")
    assert "What applies to you" in page.inner_text("h1")
    web.check("developer-what-applies")
    press(page, "Go on: ask", "a")
    for text in ("", "Ann, ann@developer.example", "Harbour 2", "It writes and reads code."):
        if text:
            at_(page, "Your answer")
            page.keyboard.type(text)
        press(page, "Next", "button")
    for _ in range(6):
        if page.url.endswith("/preview"):
            break
        press(page, "Skip", "button")
    assert "Who would see it" in page.inner_text("h1")
    web.check("developer-preview")
    press(page, "Ask now", "button")
    assert "Receipt" in page.inner_text("h1")
    web.check("developer-receipt-before-its-proof")


def test_the_developers_job_by_keyboard(web: Web) -> None:
    """Sign in, ask early, keep the proof, see the dates, write, and withdraw."""
    at = web.at
    at.enrol("dev", "developer", org=make.DEVELOPER, engagements=frozenset(), name="Ann Harbour")
    at.enrol("official", "determining-official", engagements=frozenset())
    at.password("dev")
    page = signed_in(web)
    asked(web, page)
    engagement = page.url.split("/engagements/")[1].split("/")[0]
    record.publish(at.home)
    _goes_on(web, engagement)
    page.reload()
    web.check("developer-receipt")
    with page.expect_download() as got:
        at_(page, "Proof", "a")
        page.keyboard.press("Enter")
    assert got.value.suggested_filename.endswith(".tlog-proof")
    press(page, "Engagements", "a")
    web.check("developer-engagements")
    press(page, "Harbour 2", "a")
    web.check("developer-question-waiting")
    press(page, "Overview", "a")
    web.check("developer-engagement")
    press(page, "Messages", "a")
    at_(page, "Message", "textarea")
    page.keyboard.type("We would rather meet in April.")
    press(page, "Send", "button")
    assert "We would rather meet in April." in page.inner_text("main")
    web.check("developer-messages")
    press(page, "Withdraw", "a")
    web.check("developer-withdrawal")
    press(page, "Withdraw now", "button")
    assert "Everything of yours ended" in page.inner_text("main")
    web.check("developer-withdrawn")


def _goes_on(web: Web, engagement: str) -> None:
    """What others and the developer did meanwhile: terms, access, a question, a determination's day."""
    at = web.at
    at.enrol("official", "determining-official", engagements=frozenset({engagement}))
    me = AtDesk(at.ctx("dev"), at.door.parts, at.home, at.portal.library)
    on, now = me.dealings(engagement), at.clock.now
    desk.set_anchor(at.ctx("dev"), on, now + timedelta(days=20), "America/New_York")
    words = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, now + timedelta(days=60))
    for person in ("dev", "official"):
        desk.agree_terms(at.ctx(person), on, words)
    desk.open_access(at.ctx("dev"), on)
    exchange.ask(at.ctx("official"), on, "On which data was it trained?")


def test_every_other_page_of_an_engagement(web: Web) -> None:
    """Each opens, says what an empty one means, and stands axe, 320 pixels and print."""
    at = web.at
    at.enrol("dev", "developer", org=make.DEVELOPER, engagements=frozenset(), name="Ann Harbour")
    at.password("dev")
    me = AtDesk(at.ctx("dev"), at.door.parts, at.home, at.portal.library)
    engagement = me.open("Harbour 2", "d" * 64, "us-eo-14409")
    web.sign_in("dev")
    for path in (
        "access",
        "terms",
        "terms/draft",
        "submission",
        "partners",
        "partners/proposal",
        "questions",
        "determinations",
        "exports",
        "receipts",
        "record",
        "inquiries",
    ):
        web.goto(f"/engagements/{engagement}/{path}")
        web.check(f"developer-{path.replace('/', '-')}")
    for path in (
        "coverage",
        "open-weights",
        "calendar",
        "duties",
        "incidents",
        "incidents/report",
        "results",
    ):
        web.goto(f"/{path}")
        web.check(f"developer-{path.replace('/', '-')}")
