"""Pages in a real browser: Debian's Chromium, driven by Playwright, with nothing from elsewhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Request, sync_playwright

from identity.people import PASSWORD, House, served

CHROMIUM = Path("/usr/bin/chromium")
WORDS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
AXE = {
    "runOnly": [
        "wcag2a",
        "wcag2aa",
        "wcag21a",
        "wcag21aa",
        "wcag22aa",
        "section508",
        "best-practice",
    ]
}
NARROW, WIDE = {"width": 320, "height": 800}, {"width": 1280, "height": 900}
# What axe cannot decide by itself, each looked at by a person and with the reason why it is right here.
LOOKED_AT: dict[str, str] = {}


@dataclass
class Web:
    """One browser at one installation. *outside* are requests that left it; there may be none."""

    at: House
    origin: str
    context: BrowserContext
    page: Page
    outside: list[str] = field(default_factory=list)

    def goto(self, path: str) -> Page:
        """Open a page of the portal."""
        self.page.goto(self.origin + path)
        return self.page

    def sign_in(self, person: str, password: str = PASSWORD) -> None:
        """By the form, as a person does. The person and the password must be there."""
        page = self.goto("/sign-in")
        page.get_by_label("Name", exact=True).fill(person)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_load_state()

    def authenticator(self) -> None:
        """A virtual passkey device in this browser, whose holder is there and verified."""
        session = self.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def _audited(self) -> dict[str, Any]:
        """What axe finds on a page that stood still: it is asked anew if the live part was replaced meanwhile."""
        for _ in range(5):
            self.page.evaluate("window.stood = document.querySelector('#live > *')")
            found: dict[str, Any] = Axe().run(self.page, options=AXE).response
            if self.page.evaluate("!window.stood || window.stood.isConnected"):
                return found
        raise AssertionError("the page never stood still long enough to be read")

    def check(self, name: str) -> None:
        """The page as it stands: axe finds nothing, it fits 320 pixels, it prints, nothing came from elsewhere.

        A screenshot goes to the folder that LEADLINE_SCREENS names, if it does.
        """
        folder = os.environ.get("LEADLINE_SCREENS")  # noqa: TID251 -- the suite is an edge of its own
        if folder:
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)
        found = self._audited()
        assert not found["violations"], [
            (one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]
        ]
        unsure = {one["id"] for one in found["incomplete"]} - LOOKED_AT.keys()
        assert not unsure, [
            (one["id"], [(node["html"], node["any"]) for node in one["nodes"]])
            for one in found["incomplete"]
        ]
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], f"{name} is {width} pixels wide"
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        assert self.page.pdf(format="A4").startswith(b"%PDF")
        assert not self.outside


@contextmanager
def browsing(at: House, *, scripts: bool = True) -> Iterator[Web]:
    """A browser at the installation, served on a port of its own; closed at the end."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install chromium", pytrace=False)
    words = [*WORDS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with served(at, None, "localhost") as url, sync_playwright() as driver:
        origin = url.replace("127.0.0.1", "localhost")
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=words)
        context = browser.new_context(java_script_enabled=scripts, viewport=WIDE)  # type: ignore[arg-type]
        web = Web(at, origin, context, context.new_page())

        def seen(request: Request) -> None:
            if not request.url.startswith((origin, "data:", "blob:")):
                web.outside.append(request.url)

        context.on("request", seen)
        try:
            yield web
        finally:
            browser.close()
