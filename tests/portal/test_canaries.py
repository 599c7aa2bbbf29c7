"""A canary in each field that an embargo covers: nobody outside meets one, by whatever way they look.

Each field has a canary of its own, so that a failure names the field. Fields are taken from the types
themselves: one that is added later is covered too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from fastapi.testclient import TestClient

from clearing_world import INTAKE
from cli.test_embargo_canaries import TEXT
from identity.people import application
from leadline.app import cases, drafts, publishing, sharing, subscriptions
from leadline.app.cases import NewParty
from leadline.client.uses import PREFIX, USES
from leadline.core.access import Bounds
from leadline.core.attention import Rhythm
from leadline.core.clearing.disclosure import Role
from leadline.core.clearing.finding import Evidence, Finding, Location, ReplayResult
from leadline.core.errors import LeadlineError
from leadline.core.marking import Marking, Tlp
from leadline.formats import advisory_toml
from leadline.http.api.caller import COOKIE
from leadline.http.application import API
from leadline.wiring import notify
from leadline.wiring.notify import Notifier, Told
from notify.test_drivers import receiver, smtp
from portal.examples import examples, filled, world
from portal.world import World

T = TypeVar("T")
ORIGIN = "https://localhost:8443"
INSIDE = ("coordinator", "finder", "maintainer")
# One of each kind of those who have no part in it; what differs between others is who they are.
OUTSIDE = (
    "administrator",
    "auditor",
    "developer",
    "evaluator",
    "other-maintainer",
    "other-operator",
    "rival",
    "nobody",
)
SOUGHT = ("canary", "canary-package", "canary-title", "CVE-2026-77777", "7.7.1")
WORDS = (b"canary-", b"CVE-2026-77777", b"7.7.1", b"AV:N/AC:L/PR:N/UI:N/S:U/C:H")


def canaried(made: T, kind: str) -> T:
    """The same with a canary in each text that may say anything."""
    for one in fields(made):  # type: ignore[arg-type]
        if type(getattr(made, one.name)) is str and one.name not in {"id", "origin"}:
            made = told(made, one.name, f"canary-{kind}-{one.name}")
    return made


def told(made: T, field: str, word: str) -> T:
    """The same with that word in that field; a field of a shape of its own stays as it is."""
    try:
        changed = replace(made, **{field: word})  # type: ignore[type-var]
    except (LeadlineError, ValueError):
        changed = made
    return changed


def embargoed(at: World) -> Mapping[str, str]:
    """A case full of canaries; answers its ids."""
    plain = Finding(
        "ai", "m", "planted", "i", "run-9", "f", "t", "pkg:pypi/canary-package@7.7.1", "d" * 64,
        "e" * 64, "o", at.at.clock.now, "CWE-787",
        locations=(canaried(Location("a.c", "b"), "location"),),
        evidence=canaried(Evidence(oracle="o"), "evidence"),
    )  # fmt: skip
    kept = ("purl", "target_digest", "proof_sha256", "cwe", "vector", "consent")
    held = canaried(plain, "finding")
    held = replace(held, **{name: getattr(plain, name) for name in kept})
    bounds = Bounds(case=INTAKE, owner="finder")
    with at.at.door.parts.store.write() as tx:
        tx.put(held.id, held, marking=Marking(Tlp.RED), bounds=bounds)
        replayed = ReplayResult(held.id, (True,) * 5, (), "a" * 64)
        tx.put(f"{held.id}/replay", replayed, marking=Marking(Tlp.RED), bounds=bounds)
    case = cases.open_case(
        at.ctx("coordinator"), [held.id], title="canary-case-title", policy="leadline-default"
    )
    new = NewParty(
        Role.OWNER, "canary-party-name", "canary-party-contact@x.example",
        ("pkg:pypi/canary-package",), need="canary-party-need",
    )  # fmt: skip
    party = cases.add_party(at.ctx("coordinator"), case, new)
    publishing.draft(at.ctx("coordinator"), case, advisory_toml.parse(TEXT.encode()))
    written = drafts.write(at.ctx("coordinator"), case, drafts.Asked((party,)))
    return {
        "case": case,
        "finding": held.id,
        "party": party,
        "draft": written.messages[0].id,
        "advisory": "EXAMPLE-2026-9",
        "public_case": case,
        "drafts": sharing.Collection(case, "", "").id,
        "loose": held.id,
        "report": held.id,
    }


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world with that case, whose ids stand in every example."""
    folder = tmp_path_factory.mktemp("canaries")
    with world(tmp_path_factory).copied(folder / "copy") as found:
        found.ids.update(embargoed(found))
        yield found


def browser(at: World, person: str) -> TestClient:
    """That person's."""
    client = TestClient(application(at.at.portal), base_url=ORIGIN, follow_redirects=False)
    if person != "nobody":
        client.cookies.set(COOKIE, at.tokens[person])
    return client


def places(at: World) -> Iterator[str]:
    """Every page, list and search, and every reading route of the API."""
    for key, one in examples().items():
        if key.startswith("GET ") and not key.startswith(f"GET {API}"):
            path = filled(one.path, at.ids)
            yield path
            if "{" not in one.path:  # a list, which may be searched
                yield f"{path.partition('?')[0]}?q={SOUGHT[0]}"
    for word in SOUGHT:
        yield from (
            f"/{name}?q={word}" for name in ("search", "advisories", "log/acts", "projects")
        )
    for use in USES:
        if use.method == "GET":
            yield PREFIX + re.sub(
                r"\{(\w+)\}", lambda found: at.ids.get(found[1], "none"), use.path
            )


def test_insiders_read_them(at: World) -> None:
    """The canaries are where they are looked for."""
    case, finding = at.ids["case"], at.ids["finding"]
    fetched = f"/taxii2/leadline/collections/{at.ids['drafts']}/objects/"
    assert "canary-description" in browser(at, "coordinator").get(fetched).text
    page = browser(at, "coordinator").get(f"/cases/{case}").text
    assert "canary-case-title" in page
    page += browser(at, "coordinator").get(f"/reports/{finding}").text
    assert len(set(re.findall(r"canary-finding-\w+", page))) > 2
    assert (
        "canary-flaw"
        in browser(at, "coordinator").get(f"/cases/{case}/advisories/{at.ids['advisory']}").text
    )


@pytest.mark.parametrize("person", OUTSIDE)
def test_nobody_outside_meets_a_canary(at: World, person: str) -> None:
    """On no page, in no list or search, by no route of the API, in no header."""
    client, wrong = browser(at, person), set[tuple[str, str]]()
    seen, answered = set[str](), 0
    for path in places(at):
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path)
        answered += answer.status_code == 200
        told = str(answer.headers).encode() + answer.content
        query = path.partition("?q=")[2]
        for found in re.findall(rb"canary-[\w-]+|" + b"|".join(map(re.escape, WORDS[1:])), told):
            if found.decode() != query and found.decode() not in path:
                wrong.add((path, found.decode()))
    assert not wrong
    assert answered > 20


def test_nothing_that_is_sent_holds_a_canary(at: World, tmp_path: Path) -> None:
    """Mails, calls of webhooks, calendars and feeds: not even to those who may read it here."""
    people = (*INSIDE, *(one for one in OUTSIDE if one != "nobody"))
    out = list[bytes]()
    with smtp() as (kept, port), receiver(tmp_path) as (told, url, authority):
        (at.at.folder / "mail.toml").write_text(
            f'host = "127.0.0.1"\nport = {port}\nsender = "leadline@x.example"\nstarttls = false\n'
        )
        for person in people:
            subscriptions.chosen(at.ctx(person), f"{person}@x.example", Rhythm.EACH, url)
        hooks = replace(notify.egress(at.at.home), allowed=frozenset({"localhost"}), trusted=authority,
                        resolve=lambda _h, _p: ["127.0.0.1"])  # fmt: skip
        cases.propose(at.ctx("coordinator"), at.ids["case"], at.at.clock.now + timedelta(days=30))
        sender = Notifier(at.at.door.parts, at.at.home, ORIGIN, hooks)
        for _ in range(60):
            if sender.once() == Told(0, 0, 0):
                break
        out += kept.texts
        out += [str(headers).encode() + body for headers, body in told.seen]
    assert len(out) > 3
    nobody = browser(at, "nobody")
    for person in people:
        token = subscriptions.new_feed(at.ctx(person))
        answer = nobody.get(f"/calendars/{token}.ics")
        assert answer.status_code == 200
        out.append(answer.content)
    feeds = ("/feed/index.json", "/feed/changes.csv", "/feed/feed.xml", "/advisories", "/register")
    out += [nobody.get(path).content for path in feeds]
    assert not [one for one in out if any(word in one for word in WORDS)]
