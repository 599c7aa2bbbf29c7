"""A real browser with a virtual authenticator: registered, signed in, stepped up, an act signed."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

import make
from identity.people import PASSWORD, House, house, served
from leadline.app import approval
from leadline.core.access import Action
from leadline.wiring.home import clock

pytestmark = pytest.mark.browser

PAGE = """
const state = {csrf: ""};
const send = async (path, body) => {
  const headers = {"Content-Type": "application/json", "X-CSRF-Token": state.csrf};
  const made = await fetch("/api/v1/" + path, {method: "POST", headers, body: JSON.stringify(body || {})});
  const told = made.status === 204 ? {} : await made.json();
  if (!made.ok) throw new Error(path + ": " + JSON.stringify(told));
  if (told.csrf) state.csrf = told.csrf;
  return told;
};
const options = (json) => PublicKeyCredential.parseRequestOptionsFromJSON(json);
const signed = async (json) =>
  JSON.stringify((await navigator.credentials.get({publicKey: options(json)})).toJSON());
"""
JOURNEY = """
await send("sign-in/password", {name: "ann", password: %(password)s});
const asked = await send("sign-in/register/challenge");
const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.options);
const made = JSON.stringify((await navigator.credentials.create({publicKey})).toJSON());
await send("sign-in/register/passkey", {challenge: asked.challenge, answer: made});
const again = await send("sign-in/challenge");
const begun = await send("sign-in/passkey",
  {challenge: again.challenge, answer: await signed(again.options)});
const request = %(request)s;
const due = await (await fetch("/api/v1/approvals/" + request + "/challenge")).json();
const given = await send("approvals/" + request, {answer: await signed(due.options)});
return JSON.stringify({assurance: begun.session.assurance, asserted: given.asserted,
  cookie: document.cookie});
"""


class Browser:
    """Chromium over its debugging pipe: one JSON message, one NUL."""

    def __init__(self, asked: int, told: int) -> None:
        self._asked, self._told, self._number, self._rest = asked, told, 0, b""
        self._events = list[dict[str, object]]()

    def call(self, method: str, session: str = "", **parameters: object) -> dict[str, object]:
        """One command and its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._asked, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result = answer["result"]
                assert isinstance(result, dict)
                return result
            self._events.append(answer)

    def arrived(self, session: str, url: str) -> None:
        """Go there, and return once the page is that page: until then scripts run in the one before."""
        self.call("Page.navigate", session, url=url)
        while not any(shows(event, url) for event in self._events):
            self._events.append(self._next())

    def _next(self) -> dict[str, object]:
        while b"\0" not in self._rest:
            piece = os.read(self._told, 65_536)
            assert piece, "the browser ended"
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, object] = json.loads(text)
        return found


def shows(event: Mapping[str, object], url: str) -> bool:
    """Whether a page has become the one at *url*."""
    match event:
        case {"method": "Page.frameNavigated", "params": {"frame": {"url": str(place)}}}:
            return place == url
        case _:
            return False


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser with an empty profile; ends with the block."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium: install it by name")
    ours, theirs = os.pipe(), os.pipe()
    # The browser reads descriptor 3 and writes descriptor 4.
    shell = f'exec 3<&{ours[0]} 4>&{theirs[1]}; exec "$0" "$@"'
    argv = [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
    running = subprocess.Popen(
        ["/bin/bash", "-c", shell, *argv, f"--user-data-dir={folder}", "about:blank"],
        pass_fds=(ours[0], theirs[1]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(ours[0])
    os.close(theirs[1])
    try:
        yield Browser(ours[1], theirs[0])
    finally:
        running.terminate()
        running.wait()
        os.close(ours[1])
        os.close(theirs[0])


def evaluated(browser: Browser, session: str, script: str) -> str:
    """What an asynchronous script gives back."""
    answer = browser.call(
        "Runtime.evaluate",
        session,
        expression=f"(async () => {{ {script} }})()",
        awaitPromise=True,
        returnByValue=True,
    )
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    found = answer["result"]
    assert isinstance(found, dict)
    return str(found["value"])


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation at the present time with Ann."""
    with house(tmp_path / "home") as found:
        found.clock.now = clock()
        found.enrol("ann", "determining-official", access_until=clock().replace(year=2100))
        found.password("ann")
        found.engagement()
        yield found


def test_a_browser_registers_signs_in_and_signs_an_act(at: House, tmp_path: Path) -> None:
    """By the pages' own functions; no script can read the cookie."""
    request = approval.ask(at.ctx("ann"), Action.DETERMINATION_RECORD, make.resource())
    with served(at, None, "localhost"), browsing(tmp_path / "profile") as browser:
        origin = at.door.site.origin
        page = browser.call("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=page, flatten=True)
        session = str(attached["sessionId"])
        browser.call("Page.enable", session)
        browser.call("Page.setBypassCSP", session, enabled=True)
        # Navigated only now: a page on its way to an address cannot be reloaded yet.
        browser.arrived(session, f"{origin}/api/v1/health")
        browser.call("WebAuthn.enable", session)
        device = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        browser.call("WebAuthn.addVirtualAuthenticator", session, options=device)
        told = {"password": json.dumps(PASSWORD), "request": json.dumps(request.id)}
        found = json.loads(evaluated(browser, session, PAGE + JOURNEY % told))
    assert found == {"assurance": 3, "asserted": True, "cookie": ""}
    assert approval.granted(at.ctx("ann"), request.id).asserted
