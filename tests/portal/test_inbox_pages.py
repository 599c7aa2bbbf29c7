"""Acts become items, items go out, and nobody is told of what may not be known; the pages of it."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import make
from identity.people import House, house
from inline import TestClient
from leadline.app import outbox, subscriptions
from leadline.cli.main import app
from leadline.core.attention import Item, Rhythm, Sending
from leadline.core.engagement.engagement import Engagement
from leadline.core.errors import Invalid, NotFound
from leadline.core.record.act import Kind, Value
from leadline.wiring import notify
from leadline.wiring.notify import Notifier, Told
from notify.test_drivers import receiver, smtp
from portal.test_frame import csrf
from portal.test_public_pages import client_of, signed_in

ORIGIN = "https://localhost:8443"


def filled(at: House) -> House:
    """An engagement with its developer, an evaluator who is named for it, one who is not, an auditor."""
    at.engagement()
    at.enrol("dora", "developer", org=make.DEVELOPER, engagements=frozenset())
    at.enrol("eva", "evaluator", engagements=frozenset({make.ENGAGEMENT}))
    at.enrol("ewan", "evaluator", engagements=frozenset())
    at.enrol("ann", "auditor", engagements=frozenset())
    return at


@pytest.fixture
def here(at: House) -> House:
    """An installation whose database is a file."""
    return filled(at)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[House]:
    """One on each database: what is told, and to whom, is the store's to keep."""
    with house(tmp_path, database_url) as found:
        yield filled(found)


def happened(at: House, number: int = 1, kind: Kind = Kind.MESSAGE_SENT, **more: str) -> None:
    """One act by somebody else."""
    with at.door.parts.store.write() as tx:
        tx.record(replace(make.act(number, kind), actor="somebody", **more))  # type: ignore[arg-type]


def notifier(at: House) -> Notifier:
    """What tells people, with nothing set up."""
    return Notifier(at.door.parts, at.home, ORIGIN)


def people_told(at: House) -> list[str]:
    """Whose inbox has something."""
    with at.door.parts.store.read() as view:
        return sorted(row.value.person for row in view.find(Item))


def test_those_are_told_whose_business_it_is(desk: House) -> None:
    """The developer's people and whoever is named; not every reader, not strangers, not who did it."""
    happened(desk)
    assert notifier(desk).once() == Told(1, 0, 0)
    assert people_told(desk) == ["dora", "eva"]
    assert notifier(desk).once() == Told(0, 0, 0)
    with desk.door.parts.store.write() as tx:
        tx.record(replace(make.act(2, Kind.MESSAGE_SENT), actor="eva"))
    notifier(desk).once()
    assert people_told(desk) == ["dora", "dora", "eva"]


def test_what_is_nobodys_business_is_passed_at_once(
    desk: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a long log only the acts that are events are read, in parts; all others are behind afterwards."""
    monkeypatch.setattr(outbox, "ACTS_MAX", 2)
    for number in range(1, 4):
        happened(desk, number)
    for number in range(4, 30):
        happened(desk, number, Kind.EVIDENCE_SEALED)
    happened(desk, 30, Kind.RUN_STOPPED)
    own, context = notify.own_eyes(desk.door.parts), desk.door.parts.context
    assert [outbox.gather(own, context) for _ in range(4)] == [2, 28, 0, 0]
    assert people_told(desk) == ["dora"] * 4 + ["eva"] * 4
    happened(desk, 31, Kind.EVIDENCE_SEALED)
    assert [outbox.gather(own, context) for _ in range(2)] == [1, 0]


def test_two_rounds_at_once_tell_nobody_twice(desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds that the first has come further."""
    happened(desk)
    own, context = notify.own_eyes(desk.door.parts), desk.door.parts.context
    real, entered = outbox._recipients, [False]

    def meanwhile(*args: object) -> Iterator[str]:
        if not entered[0]:
            entered[0] = True
            assert outbox.gather(own, context) == 1
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "_recipients", meanwhile)
    assert outbox.gather(own, context) == 0
    assert people_told(desk) == ["dora", "eva"]


def test_access_that_ends_ends_what_is_told(desk: House) -> None:
    """Nothing goes out after it, and the inbox no longer says what it was."""
    subscriptions.chosen(desk.ctx("eva"), "eva@x.example", Rhythm.EACH, "")
    happened(desk)
    outbox.gather(notify.own_eyes(desk.door.parts), desk.door.parts.context)
    desk.enrol("eva", "evaluator", engagements=frozenset())
    assert notifier(desk).once() == Told(0, 0, 0)
    entry = outbox.inbox(desk.ctx("eva"))[0]
    assert not entry.known
    assert "not yours to know any more" in signed_in(desk, "eva").get("/inbox").text
    with desk.door.parts.store.read() as view:
        assert not view.find(Sending)


def mail_set_up(at: House, port: int) -> None:
    """Mail is handed in on this machine."""
    (at.folder / "mail.toml").write_text(
        f'host = "127.0.0.1"\nport = {port}\nsender = "leadline@x.example"\nstarttls = false\n'
    )


def test_mail_at_once_or_once_a_day(desk: House) -> None:
    """One mail for everything that came; the daily one in the morning; each only once."""
    subscriptions.chosen(desk.ctx("eva"), "eva@x.example", Rhythm.EACH, "")
    subscriptions.chosen(desk.ctx("dora"), "dora@x.example", Rhythm.DAILY, "")
    with smtp() as (kept, port):
        mail_set_up(desk, port)
        happened(desk, 1)
        happened(desk, 2, Kind.ACCESS_OPENED)
        assert notifier(desk).once() == Told(2, 1, 0)
        assert notifier(desk).once() == Told(0, 0, 0)
        desk.clock.forward(days=1)
        assert notifier(desk).once() == Told(0, 1, 0)
    assert [one.rcpt_tos for one in kept.mails] == [["eva@x.example"], ["dora@x.example"]]
    assert {len(one.item.told) for one in outbox.inbox(desk.ctx("eva"))} == {1}


def test_what_does_not_get_through_is_tried_for_a_day_then_set_aside(desk: House) -> None:
    """Later and later; then it is shown, and tried again when asked."""
    subscriptions.chosen(desk.ctx("eva"), "eva@x.example", Rhythm.EACH, "")
    happened(desk)
    assert notifier(desk).once() == Told(1, 0, 1)
    assert notifier(desk).once() == Told(0, 0, 0)
    (late,) = outbox.late(desk.ctx("eva"))
    assert (late.attempts, late.parked) == (1, False)
    assert late.due > desk.clock.now
    assert outbox.late(desk.ctx("dora")) == ()
    for _ in range(40):
        desk.clock.forward(hours=1)
        notifier(desk).once()
    assert len(outbox.parked(desk.ctx("eva"))) == 1
    client = signed_in(desk, "eva")
    page = client.get("/inbox").text
    assert "did not get through" in page
    listed = client.get("/inbox/settings").text.partition("What did not get through")[2]
    assert "no mail is set up at this installation" in listed
    assert "set aside" in listed.partition("<tbody>")[2].partition("</table>")[0]
    assert client.post("/inbox/parked", data={"_csrf": csrf(page)}).status_code == 303
    with smtp() as (kept, port):
        mail_set_up(desk, port)
        notifier(desk).once()
    assert len(kept.mails) == 1


def test_a_webhook_is_told_in_order(desk: House, tmp_path: Path) -> None:
    """What comes later about a thing waits behind what did not get through."""
    with receiver(tmp_path) as (told, url, authority):
        subscriptions.chosen(desk.ctx("eva"), "", Rhythm.NEVER, url)
        hooks = replace(notify.egress(desk.home), allowed=frozenset({"localhost"}), trusted=authority,
                        resolve=lambda _h, _p: ["127.0.0.1"])  # fmt: skip
        at = replace(notifier(desk), hooks=hooks)
        told.status = 500
        happened(desk, 1)
        assert at.once() == Told(1, 0, 1)
        happened(desk, 2, Kind.ACCESS_OPENED)
        assert at.once() == Told(1, 0, 0)
        told.status = 200
        desk.clock.forward(minutes=5)
        assert at.once() == Told(0, 2, 0)
        sent = [json.loads(body)["id"] for _, body in told.seen]
    items = [one.item.id for one in outbox.inbox(desk.ctx("eva"))]
    assert sent == [items[1], items[1], items[0]]


def test_keys_of_webhooks_overlap(here: House) -> None:
    """The newest and the one before; nobody else's; a file that others cannot read."""
    wish = subscriptions.chosen(here.ctx("eva"), "", Rhythm.NEVER, "https://x.example/h")
    first = notify.keys(here.home, wish)
    assert len(first) == 1
    second = notify.keys(here.home, subscriptions.rotated(here.ctx("eva")))
    assert second[1] == first[0]
    assert len(set(second)) == 2
    assert notify.keys(here.home, replace(wish, person="dora")) != first
    assert (here.home.keys / "webhook.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("mail", "rhythm", "hook", "field"),
    [
        ("no address", Rhythm.EACH, "", "mail"),
        ("", Rhythm.DAILY, "", "mail"),
        ("a@b.example\r\nBcc: x@y.example", Rhythm.EACH, "", "mail"),
        ("", Rhythm.NEVER, "http://x.example/", "webhook"),
        ("", Rhythm.NEVER, "https://u@x.example/", "webhook"),
        ("", Rhythm.NEVER, "https://x.example:0/", "webhook"),
        ("", Rhythm.NEVER, "https://x.example:y/", "webhook"),
        ("", Rhythm.NEVER, "https://x.example/#a", "webhook"),
    ],
)
def test_what_is_no_address_is_named(
    here: House, mail: str, rhythm: Rhythm, hook: str, field: str
) -> None:
    """By its field, before anything is kept."""
    with pytest.raises(Invalid) as told:
        subscriptions.chosen(here.ctx("eva"), mail, rhythm, hook)
    assert told.value.field == field
    assert subscriptions.wish(here.ctx("eva")).channels() == ()


def test_the_pages_of_it(here: House) -> None:
    """Empty; with items; one item; read; another's is not there; settings keep what was typed."""
    client = signed_in(here, "eva")
    notifier(here).once()
    client.post("/inbox/read", data={"_csrf": csrf(client.get("/inbox").text),
                                     "item": [one.item.id for one in outbox.inbox(here.ctx("eva"))]})  # fmt: skip
    happened(here)
    notifier(here).once()
    page = client.get("/inbox").text
    assert "A message came" in page
    assert f'href="/engagements/{make.ENGAGEMENT}"' in page
    item = outbox.inbox(here.ctx("eva"))[0].item.id
    assert "A message came" in client.get(f"/inbox/{item}").text
    assert signed_in(here, "dora").get(f"/inbox/{item}").status_code == 404
    assert client.post("/inbox/read", data={"_csrf": csrf(page), "item": item}).status_code == 303
    assert outbox.inbox(here.ctx("eva"))[0].item.read is not None
    form = client.get("/inbox/settings").text
    bad = {"_csrf": csrf(form), "rhythm": "each", "mail": "<no>", "webhook": ""}
    answer = client.post("/inbox/settings", data=bad)
    assert answer.status_code == 422
    assert "&lt;no&gt;" in answer.text
    good = bad | {"mail": "eva@x.example", "webhook": "https://x.example/h"}
    assert client.post("/inbox/settings", data=good).status_code == 303
    shown = client.get("/inbox/settings").text
    assert "Keys of your webhook" in shown
    assert client.post("/inbox/settings/key", data={"_csrf": csrf(shown)}).status_code == 303
    assert "The one before" in client.get("/inbox/settings").text
    assert client_of(here).get("/inbox").status_code == 303


def fed(client: TestClient) -> str:
    """The path of a new calendar address."""
    token = csrf(client.get("/inbox/settings").text)
    page = client.post("/inbox/settings/feeds", data={"_csrf": token}).text
    found = re.search(r"/calendars/[\w-]+\.ics", page)
    assert found
    return found[0]


def test_a_calendar_elsewhere_tells_when_and_never_what(desk: House) -> None:
    """By an address alone; stable ids; what vanishes is called off; a revoked address opens nothing."""
    from leadline.app import people
    from leadline.core.grant import Scope
    from leadline.wiring.people import roles

    desk.enrol("ada", "administrator", org="installation")
    until = desk.clock.now + timedelta(days=10)
    people.give(desk.ctx("ada"), roles(), "ewan", Scope.ENGAGEMENT, "canary-engagement", until)
    client = signed_in(desk, "ewan")
    path, anybody = fed(client), client_of(desk)
    told = anybody.get(path)
    assert told.headers["content-type"].startswith("text/calendar")
    assert "canary" not in told.text
    assert re.search(r"SUMMARY:Item(?: due)?\r\n", told.text)
    assert len(re.findall(r"BEGIN:VEVENT", told.text)) >= 1
    people.end(desk.ctx("ada"), "ewan", Scope.ENGAGEMENT, "canary-engagement")
    after = anybody.get(path).text
    assert "STATUS:CANCELLED" in after
    assert set(re.findall(r"UID:\S+", told.text)) <= set(re.findall(r"UID:\S+", after))
    feed = subscriptions.feeds(desk.ctx("ewan"))[0].id
    token = csrf(client.get("/inbox/settings").text)
    assert signed_in(desk, "dora").post(
        f"/inbox/settings/feeds/{feed}/end", data={"_csrf": token}
    ).status_code in {403, 404}
    assert (
        client.post(f"/inbox/settings/feeds/{feed}/end", data={"_csrf": token}).status_code == 303
    )
    assert anybody.get(path).status_code == 404
    with pytest.raises(NotFound):
        subscriptions.revoke_feed(desk.ctx("dora"), feed)


def test_a_suspended_person_has_no_calendar(desk: House) -> None:
    """The address stays and opens nothing."""
    path = fed(signed_in(desk, "eva"))
    desk.enrol("eva", "evaluator", suspended=True)
    assert client_of(desk).get(path).status_code == 404


def test_where_mail_is_handed_in_is_checked(here: House) -> None:
    """File and key are named; without a file there is no mail, and the delivery waits."""
    assert notify.server(here.home) is None
    for text in ("host =", 'host = 1\nsender = "a@b.example"', 'host = "h"\nsender = "no"',
                 'host = "h"\nsender = "a@b.example"\nport = "x"'):  # fmt: skip
        (here.folder / "mail.toml").write_text(text)
        with pytest.raises(Invalid):
            notify.server(here.home)
    (here.folder / "webhook.toml").write_text("allowed = 1")
    with pytest.raises(Invalid):
        notify.egress(here.home)
    (here.folder / "webhook.toml").write_text('allowed = ["inside.example"]')
    assert notify.egress(here.home).allowed == {"inside.example"}
    assert tomllib.loads('x = "y"')


def test_the_command_tells_people_once(here: House) -> None:
    """Acts, deliveries, and what is to be tried again."""
    happened(here)
    told = CliRunner().invoke(app, ["notify", "once", f"--home={here.folder}", "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout) == {"acts": 1, "sent": 0, "later": 0}
    again = CliRunner().invoke(app, ["notify", "once", f"--home={here.folder}"])
    assert "0 acts looked at" in again.stdout


def test_nothing_of_what_happened_leaves(here: House, tmp_path: Path) -> None:
    """Every kind of act about things full of canaries: no outgoing byte holds one."""
    canary = "canary-engagement"
    facts = Engagement(canary, "us-eo-14409", "00" * 32, make.DEVELOPER, "canary-model", "00" * 32,
                       here.clock.now)  # fmt: skip
    with here.door.parts.store.write() as tx:
        tx.put(canary, facts, marking=make.marking(), engagement=canary, org=make.DEVELOPER)
    here.enrol("eva", "evaluator", engagements=frozenset({canary}))
    pair: dict[str, Value] = {name: f"canary-{name}" for name in ("a", "b", "evidence", "rule")}
    # Its pairs are entered as it is recorded.
    more = {Kind.EVIDENCE_ADDED: {**pair, "rung": 3, "claim": "possible", "judged": True}}
    with here.door.parts.store.write() as tx:
        for number, kind in enumerate(Kind):
            act = make.act(
                number,
                kind,
                engagement=canary,
                about="canary-about",
                text="canary-text",
                **more.get(kind, {}),
            )
            tx.record(replace(act, id=f"canary-act-{number}", actor="canary-actor"))
    out = list[bytes]()
    with smtp() as (kept, port), receiver(tmp_path) as (told, url, authority):
        mail_set_up(here, port)
        for person in ("eva", "dora"):
            subscriptions.chosen(here.ctx(person), f"{person}@x.example", Rhythm.EACH, url)
        hooks = replace(notify.egress(here.home), allowed=frozenset({"localhost"}), trusted=authority,
                        resolve=lambda _h, _p: ["127.0.0.1"])  # fmt: skip
        at = replace(notifier(here), hooks=hooks)
        for _ in range(60):
            if at.once() == Told(0, 0, 0):
                break
        out += kept.texts
        out += [str(headers).encode() + body for headers, body in told.seen]
    out.append(client_of(here).get(fed(signed_in(here, "eva"))).content)
    assert len(outbox.inbox(here.ctx("eva"))) > 20
    assert len(out) > 40
    assert not [one for one in out if b"canary" in one]
