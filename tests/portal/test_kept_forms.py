"""A form that a second factor is asked for comes back filled in; nothing is carried out on the way, or twice."""

import html
import json
import re
from pathlib import Path

import pytest

from identity.people import PASSWORD, House, application
from identity.software_passkey import SoftwarePasskey
from inline import TestClient
from leadline.app.sign_in import csrf_of
from leadline.core.record.act import Kind
from leadline.http.api.caller import COOKIE
from portal.visits import visitor

ORIGIN = "https://localhost:8443"
PERSON = {
    "id": "nina",
    "name": "Nina <b>of</b> the agency",
    "org": "an agency",
    "roles": ["coordinator", "finder"],
    "until": "2027-05-01",
    "clearance": "1",
}


class Half(TestClient):
    """An administrator with one factor."""

    device: SoftwarePasskey

    def sends(self, path: str, data: dict[str, object]) -> object:
        """A form with the session's token."""
        token = csrf_of(self.cookies[COOKIE])
        return self.post(path, data={"_csrf": token, **data})


@pytest.fixture
def half(at: House) -> Half:
    """Signed in by a password alone; a passkey is registered."""
    at.enrol("root", "administrator", org="installation")
    whole = visitor(at, "root")
    found = Half(
        application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False
    )
    found.device = whole.device
    found.post("/sign-in", data={"name": "root", "password": PASSWORD, "next": "/"})
    return found


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    return html.unescape(re.findall(rf'name="{name}" value="([^"]*)"', page)[0])


def fields(page: str) -> list[tuple[str, str]]:
    """Every hidden field of the page's first own form."""
    form = page.partition("<main")[2].partition("<form")[2].partition("</form>")[0]
    found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return [(name, html.unescape(value)) for name, value in found]


def step_up(half: Half, kept: str) -> str:
    """Through the page of factors, with the passkey; answers the page that follows."""
    page = half.post("/sign-in/kept", data={"_kept": kept})
    assert page.status_code == 200
    assert "you come back to it from here" in page.text
    assert hidden(page.text, "_kept") == kept
    token = csrf_of(half.cookies[COOKIE])
    place = re.findall(r'data-challenge="([^"]+)"', page.text)[0]
    asked = half.post(place, headers={"X-CSRF-Token": token}).json()
    answer = half.device.get(asked["options"])
    sent = {"challenge": asked["challenge"], "answer": answer, "_kept": kept, "next": "/"}
    done = half.post("/sign-in/passkey", data=sent)
    assert done.status_code == 200, done.text
    return str(done.text)


def test_the_form_comes_back_and_is_sent_once(at: House, half: Half) -> None:
    """Every word, choice and tick is there again; only the form itself carries it out."""
    refused = half.sends("/admin/people", dict(PERSON))
    assert refused.status_code == 403  # type: ignore[attr-defined]
    text = refused.text  # type: ignore[attr-defined]
    assert "Nothing is carried out before you send it there" in text
    enrolled = at.kinds().count(Kind.PRINCIPAL_ENROLLED)
    back = step_up(half, hidden(text, "_kept"))
    assert "with two factors" in back
    assert at.kinds().count(Kind.PRINCIPAL_ENROLLED) == enrolled
    data: dict[str, list[str]] = {}
    for name, value in fields(back):
        data.setdefault(name, []).append(value)
    form = half.post("/admin/people", data=data)
    assert form.status_code == 200, form.text
    assert "Here is the form as you filled it in" in form.text
    for value in ("nina", html.escape(str(PERSON["name"])), "2027-05-01"):
        assert f'value="{value}"' in form.text
    for role in ("coordinator", "finder"):
        assert re.search(rf'name="roles" value="{role}" checked', form.text)
    assert at.kinds().count(Kind.PRINCIPAL_ENROLLED) == enrolled
    once = hidden(form.text, "_once")
    for _ in range(2):
        done = half.sends("/admin/people", {**PERSON, "_once": once})
        assert done.status_code == 303, done.text  # type: ignore[attr-defined]
    assert at.kinds().count(Kind.PRINCIPAL_ENROLLED) == enrolled + 1


def test_a_wrong_factor_keeps_it_too(half: Half) -> None:
    """A password that is wrong leads to the same page, with the form still waiting."""
    kept = json.dumps({"path": "/admin/people", "fields": [["name", "Some words of mine"]]})
    sent = {"name": "root", "password": "not the one", "_kept": kept}
    page = half.post("/sign-in", data=sent)
    assert page.status_code >= 400
    empty = half.post("/sign-in", data={"name": "", "password": "x", "_kept": kept})
    assert empty.status_code == 422
    assert hidden(empty.text, "_kept") == kept


def test_what_is_no_form_of_ours_is_refused(half: Half) -> None:
    """Noise, another place, the fields of our own: nothing leads elsewhere or carries a token along."""
    for told in ("", "[", "[]", '{"path": "/"}', '{"path": "/", "fields": [1]}', "[" * 5_000):
        assert half.post("/sign-in/kept", data={"_kept": told}).status_code == 422, told[:20]
    fields_ = [["_csrf", "x"], ["_request", "x"], ["name", "<script>"]]
    for path in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"):
        page = step_up(half, json.dumps({"path": path, "fields": fields_}))
        assert "elsewhere.example" not in page.partition("<main")[2]
        assert 'name="_request"' not in page
        assert "<script>" not in page.partition("<main")[2].partition("</form>")[0]
    outside = {"origin": "https://elsewhere.example"}
    kept = json.dumps({"path": "/", "fields": []})
    assert half.post("/sign-in/kept", data={"_kept": kept}, headers=outside).status_code == 403


def test_looking_carries_nothing_out(at: House, half: Half) -> None:
    """A button without a form of its own is refused, not pressed; a password is never kept."""
    at.enrol("ann", "auditor")
    before = at.kinds()
    for path in ("/admin/people/ann/invitation", "/admin/backups"):
        answer = half.sends(path, {"_look": "yes"})
        assert answer.status_code == 409  # type: ignore[attr-defined]
    assert at.kinds() == before
    alone = half.sends("/admin/people/ann/invitation", {})
    assert alone.status_code == 403  # type: ignore[attr-defined]
    assert 'name="_kept"' not in alone.text  # type: ignore[attr-defined]
    long = half.sends("/admin/people", {**PERSON, "name": "a word " * 12_000})
    assert 'name="_kept"' not in long.text  # type: ignore[attr-defined]
    kept = half.sends("/admin/people", {**PERSON, "password": "a secret of mine"})
    assert "a secret of mine" not in kept.text  # type: ignore[attr-defined]


def test_a_session_that_ended_keeps_the_form_as_well(at: House, half: Half, tmp_path: Path) -> None:
    """Whoever wrote for longer than a session lasts signs in and finds it filled in."""
    at.clock.forward(hours=9)
    refused = half.sends("/admin/people", dict(PERSON))
    assert refused.status_code == 401  # type: ignore[attr-defined]
    text = refused.text  # type: ignore[attr-defined]
    assert "Sign in, and go on" in text
    sent = {"name": "root", "password": PASSWORD, "_kept": hidden(text, "_kept"), "next": "/"}
    done = half.post("/sign-in", data=sent)
    assert done.status_code == 200
    assert "What you filled in before is still here" in done.text


def test_a_form_from_elsewhere_waits_for_nobody(at: House, half: Half) -> None:
    """What another site sends is neither shown nor carried through a sign-in."""
    outside = {"origin": "https://elsewhere.example"}
    for token in (half.cookies[COOKIE], "session-none.none"):
        half.cookies.set(COOKIE, token)
        answer = half.post("/admin/people", data=dict(PERSON), headers=outside)
        assert answer.status_code == 403
        assert "Nina" not in answer.text
        assert 'name="_kept"' not in answer.text
