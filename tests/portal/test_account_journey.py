"""Accounts in a real browser: from an invitation to a passkey, and a recovery that takes two."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from identity.people import PASSWORD
from portal.web import Web

pytestmark = pytest.mark.browser


def press(page: Page, name: str) -> None:
    """Press the button of that name in what the page says."""
    page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()
    page.wait_for_load_state()


def said(page: Page, words: str) -> None:
    """The page says so."""
    expect(page.get_by_role("main")).to_contain_text(words)


@contextmanager
def another(web: Web) -> Iterator[Web]:
    """The browser of somebody else, with a device of its own."""
    assert web.context.browser is not None
    context = web.context.browser.new_context()
    other = Web(web.at, web.origin, context, context.new_page(), web.outside)
    other.authenticator()
    yield other
    context.close()


def keeper(web: Web, person: str) -> None:
    """An administrator who signs in, adds a passkey, and shows it as a second factor."""
    web.at.enrol(person, "administrator", org="installation")
    web.at.password(person)
    web.sign_in(person)
    page = web.goto("/account")
    press(page, "Add a passkey")
    said(page, "It is registered.")
    web.goto("/sign-in?next=/admin/people")
    press(page, "Sign in with a passkey")
    page.wait_for_url(f"{web.origin}/admin/people")


def test_from_invitation_to_passkey(web: Web) -> None:
    """An administrator enters somebody; that person begins with the code and signs in with a passkey."""
    web.authenticator()
    keeper(web, "ada")
    web.check("admin-people")
    page = web.goto("/admin/people/new")
    web.check("admin-enrol")
    for label, words in (("Full name", "Bo Example"), ("Id", "bo"), ("Organisation", "an-auditor")):
        page.get_by_label(label, exact=True).fill(words)
    page.get_by_label("Access ends on").fill("2027-05-01")
    page.get_by_text("Auditor: Reads the record").click()
    press(page, "Enter")
    said(page, "The person is entered.")
    web.check("admin-person")
    press(page, "Make an invitation")
    web.check("admin-invitation")
    code = page.locator("pre").inner_text()
    with another(web) as other:
        invited(other, code)


def invited(web: Web, code: str) -> None:
    """The person's own side of it."""
    page = web.goto("/invitation")
    web.check("invitation")
    page.get_by_label("The code").fill(code)
    press(page, "Begin")
    said(page, "You have no way to sign in yet")
    web.check("account-new")
    press(page, "Add a passkey")
    said(page, "One way to sign in is not enough")
    page.get_by_label("New password").fill(PASSWORD)
    press(page, "Set it")
    said(page, "Your password is set.")
    web.check("account")
    press(page, "End")
    page.goto(f"{web.origin}/sign-in?next=/account")
    web.check("sign-in-ways")
    press(page, "Sign in with a passkey")
    page.wait_for_url(f"{web.origin}/account")
    assert "Bo Example" in page.inner_text("main")


def test_a_recovery_takes_two(web: Web) -> None:
    """One administrator asks, another signs, the first begins it; the person sees it and calls it off."""
    web.authenticator()
    web.at.enrol("cy", "auditor", org="an-auditor")
    web.at.password("cy")
    keeper(web, "ada")
    page = web.goto("/admin/people/cy")
    press(page, "Ask for a recovery")
    said(page, "nobody has signed it yet")
    with another(web) as other:
        keeper(other, "bea")
        other.goto("/")
        other.check("start-signature-waits")
        other.page.get_by_role("link", name="Sign: let a person sign in again").click()
        other.check("approval")
        press(other.page, "Sign with a passkey")
        said(other.page, "You have signed this request.")
        other.goto("/approvals")
        other.check("approvals")
    page = web.goto("/admin/people/cy")
    press(page, "Begin the recovery")
    assert "It counts a day from now" in page.inner_text("main")
    for name in ("alerts", "system", "machine", "suspensions", "why"):
        web.goto(f"/admin/{name}")
        web.check(f"admin-{name}")
    with another(web) as other:
        other.sign_in("cy")
        other.goto("/account")
        assert "Somebody can begin your account anew" in other.page.inner_text("main")
        other.check("account-recovery")
        press(other.page, "Call it off")
        assert "called off" in other.page.inner_text("main")
