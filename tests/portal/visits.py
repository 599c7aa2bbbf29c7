"""Somebody with a session, as strong as a key makes it, who sends the session's token with every form."""

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi.testclient import TestClient
from typing_extensions import override

from identity.people import HERE, House, application
from identity.software_passkey import SoftwarePasskey
from leadline.app import sign_in
from leadline.app.sign_in import csrf_of
from leadline.http.api import caller

ORIGIN = "https://localhost:8443"


def in_words(page: str, sent: Mapping[str, object]) -> None:
    """What is to be signed stands there for people: the words that they sent, and no digest first."""
    seen = re.sub(r'<input type="hidden"[^>]*>', "", page)
    for text in sent.values():
        for line in text.splitlines() if isinstance(text, str) and " " in text else ():
            assert html.escape(line) in seen, line
    above = seen.partition("<form")[2].partition("What you sign")[2].partition("<details")[0]
    assert above
    assert not re.search(r"\b[0-9a-f]{64}\b", above)


class Visitor(TestClient):
    """A browser that follows nothing by itself."""

    csrf = ""
    device: SoftwarePasskey

    def signs(self, url: str, data: Mapping[str, str]) -> Any:
        """A form whose act needs a signature: what is asked for is signed with the passkey, and sent again."""
        asked = self.post(url, data=dict(data))
        assert asked.status_code == 200, asked.text
        assert "Sign what will be done" in asked.text, asked.text
        in_words(asked.text, {} if data.get("written") else data)
        options = re.findall(r'data-passkey="([^"]+)"', asked.text)[0]
        request = re.findall(r'name="_request" value="([^"]+)"', asked.text)[0]
        answer = self.device.get(json.loads(html.unescape(options)))
        return self.post(url, data={**data, "_request": request, "_answer": answer})

    @override
    def post(self, url: Any, **more: Any) -> Any:  # the client's own types are its library's
        data = {"_csrf": self.csrf, **(more.pop("data", None) or {})}
        return super().post(url, data=data, **more)


def visitor(at: House, person: str) -> Visitor:
    """That person, signed in with password and key."""
    at.password(person)
    key = at.key(person)
    first = at.signed_in(person).session
    made, to_sign, _ = at.door.challenge()
    begun = sign_in.by_key(at.door.nobody(), made.id, key.sign(to_sign), HERE, first)
    found = Visitor(
        application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False
    )
    found.cookies.set(caller.COOKIE, begun.token)
    found.csrf = csrf_of(begun.token)
    found.device = SoftwarePasskey()
    acting = at.acting(begun)
    asked, options = at.door.ask_passkey(acting)
    at.door.add_passkey(acting, asked.id, found.device.create(dict(options)))
    return found
