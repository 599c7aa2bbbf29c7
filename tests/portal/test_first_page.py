"""The first page and signing in, in a real browser."""

import pytest

from portal.web import Web

pytestmark = pytest.mark.browser


def test_the_first_page_and_signing_in(web: Web) -> None:
    """By keyboard; the skip link comes first."""
    web.at.enrol("ann", "auditor")
    web.at.password("ann")
    page = web.goto("/")
    web.check("start")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "usa-skipnav"
    web.goto("/sign-in")
    web.check("sign-in")
    web.sign_in("ann")
    assert "Signed in as" in page.inner_text("main")
    web.check("start-signed-in")
