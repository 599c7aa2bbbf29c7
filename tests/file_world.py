"""Developers, an official and their terms, as tests of files over HTTP need them."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from fastapi.testclient import TestClient

import make
from identity.people import PASSWORD, House, house
from identity.software_passkey import SoftwarePasskey
from leadline.app import engagement
from leadline.app.engagement import Dealings
from leadline.client.uses import PREFIX
from leadline.core.assessment import Subject
from leadline.core.engagement.terms import Terms
from leadline.http.application import create
from leadline.wiring.desk import library

ORIGIN = "https://localhost:8443"
ON = f"engagement={make.ENGAGEMENT}"
NOTE = b"# What was measured\n\nNothing was.\n"


def digest(data: bytes) -> dict[str, str]:
    """The header that announces it."""
    told = base64.b64encode(sha256(data).digest()).decode()
    return {"content-digest": f"sha-256=:{told}:"}


def dealings() -> Dealings:
    """The engagement, under the regime it was opened with."""
    texts = library()
    return Dealings(make.ENGAGEMENT, make.DEVELOPER, texts.newest("us-eo-14409"), texts)


@contextmanager
def furnished(folder: Path) -> Iterator[House]:
    """A developer with an engagement, another developer, an official; those who sign in have passwords."""
    with house(folder) as found:
        found.enrol("dev", "developer", org=make.DEVELOPER)
        found.enrol("rival", "developer", org="another-developer", engagements=frozenset())
        found.enrol("official", "determining-official", org=make.PROGRAMME)
        subject = Subject("model", "our model", "d" * 64)
        engagement.open_draft(found.ctx("dev"), dealings(), "our model", subject)
        for person in ("dev", "rival", "official"):
            found.password(person)
        yield found


def agreed(at: House) -> None:
    """Terms that both parties signed."""
    on = dealings()
    until_ = at.clock.now.replace(year=at.clock.now.year + 1)
    terms = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, until_)
    for person in ("dev", "official"):
        engagement.agree_terms(at.ctx(person), on, terms)


def strong(at: House, person: str) -> TestClient:
    """That person, signed in with a password and a passkey."""
    found, device = client_of(at, person), SoftwarePasskey()
    token = ""
    for way, made_by in (("register/passkey", device.create), ("passkey", device.get)):
        asked = "register/challenge" if way == "register/passkey" else "challenge"
        made = found.post(f"{PREFIX}/sign-in/{asked}").json()
        given = {"challenge": made["challenge"], "answer": made_by(made["options"])}
        answer = found.post(f"{PREFIX}/sign-in/{way}", json=given)
        assert answer.is_success, answer.text
        token = answer.json().get("csrf", "")
    found.headers["x-csrf-token"] = token
    return found


def client_of(at: House, person: str) -> TestClient:
    """That person, signed in with a password."""
    found = TestClient(create(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN})
    told = {"name": person, "password": PASSWORD}
    answer = found.post(f"{PREFIX}/sign-in/password", json=told)
    found.headers["x-csrf-token"] = answer.json()["csrf"]
    return found
