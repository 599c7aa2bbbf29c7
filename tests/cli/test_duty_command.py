"""`leadline incident`, `duty` and `calendar` at the command line, and the sweep with its outbox."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import make
from identity.people import House, house
from leadline.app import engagement as desk
from leadline.app import incidents, obligations
from leadline.app.engagement import Dealings
from leadline.app.incidents import Told
from leadline.cli.main import app
from leadline.cli.session import keep
from leadline.core.assessment import Subject
from leadline.core.engagement.engagement import Engagement
from leadline.core.errors import Stale, Tampered
from leadline.core.record.act import Kind
from leadline.settings import Home
from leadline.wiring import duties
from leadline.wiring.desk import library
from leadline.wiring.home import clock

DAY = timedelta(days=1)


@dataclass
class Terminal:
    """A terminal at which one of the developer's people is signed in."""

    house: House
    session: Path

    def run(self, *arguments: str) -> Result:
        """One command."""
        place = ["--home", str(self.house.folder)]
        if arguments[:2] != ("duty", "sweep"):
            place += ["--session", str(self.session)]
        return CliRunner().invoke(app, [*arguments, *place])

    def ok(self, *arguments: str) -> str:
        """What a command prints that ends well."""
        done = self.run(*arguments)
        assert done.exit_code == 0, done.output
        return done.stdout


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminal]:
    """An installation with two of the developer's people and an official, and one engagement."""
    with house(tmp_path / "home") as made:
        made.clock.now = clock()
        until = made.clock.now + 300 * DAY
        for id_ in ("ann", "bob"):
            made.enrol(
                id_, "developer", org=make.DEVELOPER, engagements=frozenset(), access_until=until
            )
        made.enrol("official", "determining-official", access_until=until)
        regime = library().newest("us-eo-14409")
        on = Dealings(make.ENGAGEMENT, make.DEVELOPER, regime)
        desk.open_draft(made.ctx("ann"), on, "m", Subject("model", "m", "d" * 64))
        made.password("ann")
        keep(tmp_path / "session", made.signed_in("ann").token)
        yield Terminal(made, tmp_path / "session")


def ago(at: Terminal, **back: float) -> str:
    """A moment before now, as people write it."""
    return (at.house.clock.now - timedelta(**back)).isoformat(timespec="seconds")


def report(at: Terminal, *more: str, known: float = 1) -> str:
    """An incident on record; its id."""
    said = at.ok(
        "incident", "report", "--happened", ago(at, hours=known + 1), "--known",
        ago(at, hours=known), "--who", "on-call", "--text", "Weights were copied.",
        "--notifies", "bob", *more,
    )  # fmt: skip
    return said.split()[0]


def test_from_an_incident_to_a_report_on_record_as_sent(at: Terminal, tmp_path: Path) -> None:
    """Reported, found to be of a kind, owed under three laws, drafted, sent by a human, resolved."""
    id_ = report(at, "--engagement", make.ENGAGEMENT)
    at.ok("duty", "follow", "ca-sb53", "--class", "large")
    at.ok("duty", "follow", "eu-ai-act-gpai", "--no-class")
    at.ok(
        "incident", "known", id_, "--at", ago(at, minutes=5), "--who", "lead",
        "--text", "A breach.", "--category", "critical-safety-incident",
        "--category", "serious-cybersecurity-breach",
    )  # fmt: skip
    rows = json.loads(at.ok("duty", "list", make.ENGAGEMENT, "--json"))["duties"]
    by = {(row["regime"], row["to"]): row for row in rows}
    owed = next(row for row in rows if row["regime"] == "ca-sb53")
    assert owed["to"] == "California Office of Emergency Services (Cal OES)"
    assert ("third-party-notice", "third parties") in by
    assert any(row["regime"] == "eu-ai-act-gpai" for row in rows)
    out = tmp_path / "report.md"
    at.ok("duty", "draft", owed["id"], str(out))
    assert "Weights were copied." in out.read_text()
    assert at.run("duty", "draft", owed["id"], str(out)).exit_code == 2
    at.ok(
        "duty", "sent", owed["id"], "--at", ago(at, minutes=1), "--to", "Cal OES",
        "--reference", "no. 7", "--copy", str(out),
    )  # fmt: skip
    assert f"sent     {owed['due']}" in at.ok("duty", "list")
    at.ok("incident", "resolve", id_, "--at", ago(at, seconds=30), "--text", "Keys changed.")
    shown = json.loads(at.ok("incident", "show", id_, "--json"))
    assert shown["ended"].startswith("incident-resolved ")
    assert {one["who"] for one in shown["told"]} == {"on-call", "lead", ""}
    assert "Keys changed." in at.ok("incident", "show", id_)
    assert id_ in at.ok("incident", "list")
    assert json.loads(at.ok("incident", "list", "--json"))["incidents"][0]["id"] == id_


def test_what_began_is_summed_up_in_time(at: Terminal) -> None:
    """Internal use of a model, every three months, of a large developer."""
    at.ok("duty", "began", "internal-use-begun", "a model", "--at", ago(at, days=1))
    at.ok("duty", "follow", "ca-sb53")
    file = at.session.with_name("answers.toml")
    file.write_text("training-operations = 3e26\n")
    at.ok("duty", "answers", str(file))
    rows = json.loads(at.ok("duty", "list", "--json"))["duties"]
    assert {row["regime"] for row in rows} == {"ca-sb53"}
    assert {(row["about"].split("-")[0], row["number"]) for row in rows} >= {("a model", 1)}
    assert all(row["stage"] == "due" for row in rows)


@pytest.mark.parametrize(
    ("known", "zone", "problem"),
    [
        ("2026-02-30T09:00Z", "", "2026-02-30"),
        ("2026-11-01T01:30", "America/New_York", "comes twice"),
        ("2026-03-08T02:30", "America/New_York", "does not exist"),
        ("2026-03-08T02:30", "Europe/Nowhere", "is no time zone"),
        ("2026-03-08T02:30", "", "has no offset"),
        ("2025-03-08T02:30Z", "", "is before the event"),
    ],
)
def test_times_that_cannot_be_are_refused(
    at: Terminal, known: str, zone: str, problem: str
) -> None:
    """The calendar, zones, the nights in which clocks change; nothing is on record afterwards."""
    before = len(at.house.kinds())
    done = at.run(
        "incident", "report", "--happened", "2026-03-01T00:00Z", "--known", known, "--who", "w",
        "--text", "t", "--notifies", "bob", "--zone", zone,
    )  # fmt: skip
    assert done.exit_code == 2, done.output
    assert problem in done.stderr
    assert len(at.house.kinds()) == before


def test_the_calendar_as_list_file_and_page(at: Terminal, tmp_path: Path) -> None:
    """What stands out has a mark; the page has a picture with a text alternative."""
    report(at, known=80)
    assert "! " in at.ok("calendar")
    ics, page = tmp_path / "dates.ics", tmp_path / "dates.html"
    found = json.loads(at.ok("calendar", "--json", "--ics", str(ics), "--page", str(page)))["dates"]
    assert any(one["overdue"] and one["due"] for one in found)
    assert ics.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    text = page.read_text()
    assert "<img" in text
    assert "overdue: not on record as sent" in text
    assert json.loads(at.ok("calendar", make.ENGAGEMENT, "--json"))["dates"] == []
    at.house.clock.now += DAY
    assert at.run("calendar", "engagement-9").exit_code == 4


def outbox(at: Terminal) -> dict[str, list[dict[str, str]]]:
    """Every reminder that is there, by person."""
    files = sorted((at.house.folder / "outbox").glob("*.json"))
    held = [json.loads(file.read_text()) for file in files]
    assert all(set(one) == {"to", "day", "reminders"} for one in held)
    return {one["to"]: one["reminders"] for one in held}


def test_a_sweep_reminds_each_person_once_and_says_nothing_of_what(at: Terminal) -> None:
    """Both of the developer's people, not the official; a second sweep tells nothing again."""
    report(at, "--engagement", make.ENGAGEMENT)
    before = at.house.kinds()
    first = json.loads(at.ok("duty", "sweep", "--json"))
    assert {one["person"] for one in first["due"]} == {"ann", "bob"}
    assert len(first["written"]) == 2
    for (one,) in outbox(at).values():
        assert one["text"].startswith(f"Something of engagement {make.ENGAGEMENT} is due on ")
        assert set(one) == {"ref", "text"}
    assert json.loads(at.ok("duty", "sweep", "--json"))["written"] == []
    assert "0 reminders written" in at.ok("duty", "sweep")
    assert at.house.kinds() == before


def home(at: Terminal) -> Home:
    """The installation."""
    return Home(at.house.folder)


def swept(at: Terminal, now: datetime, link: duties.Link = os.link) -> tuple[Path, ...]:
    """A sweep at another time; *link* puts files in place."""
    found = duties.reminders(at.house.door.parts, home(at), 7 * DAY, now)
    return duties.write(at.house.folder / "outbox", found.found, now, link)


def test_what_is_past_is_told_once_more_also_after_the_files_were_taken_away(
    at: Terminal,
) -> None:
    """On a later day, as overdue; what was sent away counts as told."""
    report(at)
    now = at.house.clock.now
    (first, _) = swept(at, now)
    sent = at.house.folder / "outbox" / "sent"
    sent.mkdir()
    first.rename(sent / first.name)
    assert swept(at, now) == ()
    assert swept(at, now + DAY) == ()
    late = swept(at, now + 4 * DAY)
    assert len(late) == 2
    told = json.loads(late[0].read_text())["reminders"]
    assert [one["text"].split(":")[0][:39] for one in told] == [
        "Something of your organisation was due "
    ]
    assert swept(at, now + 5 * DAY) == ()


def test_a_sweep_that_ends_anywhere_tells_nothing_twice_and_nothing_is_lost(
    at: Terminal,
) -> None:
    """Ended before and after each file appears; the next sweep tells the rest."""
    report(at)
    now = at.house.clock.now

    def before(_source: str, _target: Path) -> None:
        raise KeyboardInterrupt

    def behind(source: str, target: Path) -> None:
        os.link(source, target)
        raise KeyboardInterrupt

    for link, there in ((before, 0), (behind, 1)):
        with pytest.raises(KeyboardInterrupt):
            swept(at, now, link)
        assert len(outbox(at)) == there
    assert len(swept(at, now)) == 1
    assert set(outbox(at)) == {"ann", "bob"}
    assert all(len(told) == 1 for told in outbox(at).values())
    assert not list((at.house.folder / "outbox").glob(".new-*"))


def test_of_two_sweeps_at_once_one_writes(at: Terminal) -> None:
    """Whoever comes second finds the file there and leaves it."""
    report(at)

    def raced(source: str, target: Path) -> None:
        os.link(source, target)
        os.link(source, target)

    assert swept(at, at.house.clock.now, raced) == ()
    assert len(outbox(at)) == 2


def test_a_file_that_is_taken_away_meanwhile_stops_the_sweep(at: Terminal) -> None:
    """Nothing is told on a guess; the next sweep reads both folders again."""
    report(at)
    now = at.house.clock.now
    (first, _) = swept(at, now)
    first.unlink()
    first.symlink_to("nowhere")  # what a listing shows and a reader no longer finds
    with pytest.raises(Stale, match="sweep again"):
        swept(at, now + DAY)


def test_nobody_whose_access_ended_is_reminded_and_no_odd_file_is_read_over(
    at: Terminal,
) -> None:
    """Suspended, or past the last day; a file that is no reminder is said to be none."""
    report(at)
    with at.house.door.parts.store.write() as tx:
        tx.put_principal(replace(tx.principal("ann"), suspended=True))
        tx.put_principal(replace(tx.principal("bob"), access_until=at.house.clock.now))
    assert swept(at, at.house.clock.now) == ()
    with at.house.door.parts.store.write() as tx:
        tx.put_principal(replace(tx.principal("ann"), suspended=False))
    odd = at.house.folder / "outbox" / "ann.2026-01-01.json"
    odd.write_text("[]")
    with pytest.raises(Tampered, match=r"is no file of reminders"):
        swept(at, at.house.clock.now)


def test_one_whose_dates_cannot_be_read_keeps_no_other_from_being_told(at: Terminal) -> None:
    """An engagement under a text that is gone: its people are named, the others told."""
    report(at)
    at.house.enrol("official-2", "determining-official", engagements=frozenset({"engagement-2"}))
    facts = Engagement("engagement-2", "r", "0" * 64, "other", "m", "0" * 64, at.house.clock.now)
    with at.house.door.parts.store.write() as tx:
        tx.put("engagement-2", facts, marking=make.marking(), engagement="engagement-2")
    done = at.run("duty", "sweep", "--json")
    assert done.exit_code == 7
    told = json.loads(done.stdout)
    assert len(told["written"]) == 2
    assert told["unread"][0].startswith("official-2: no regime file has the digest 000")


def test_a_file_in_no_folder_is_refused_before_anything_is_recorded(at: Terminal) -> None:
    """A draft, a calendar file, a page."""
    report(at)
    (row,) = json.loads(at.ok("duty", "list", "--json"))["duties"]
    before = at.house.kinds()
    for arguments in (
        ("duty", "draft", row["id"], "/no/such/folder/x.md"),
        ("calendar", "--ics", "/no/such/folder/x.ics"),
        ("calendar", "--page", "/no/such/folder/x.html"),
    ):
        assert at.run(*arguments).exit_code == 2
    assert at.house.kinds() == before


def test_a_dispute_about_a_text_is_told_with_what_follows_from_it(at: Terminal) -> None:
    """Federal pre-emption of a state law stands beside its reports."""
    report(at, "--category", "critical-safety-incident")
    at.ok("duty", "follow", "ca-sb53", "--class", "large")
    assert "contested: " in at.ok("duty", "list")


def test_the_same_in_an_installation_as_through_the_functions(at: Terminal) -> None:
    """The command line adds nothing: what it lists is what the functions answer."""
    report(at)
    ctx = at.house.ctx("bob")
    texts = duties.law(home(at))
    (one,) = obligations.owed(ctx, texts)
    rows = json.loads(at.ok("duty", "list", "--json"))["duties"]
    assert [row["id"] for row in rows] == [one.id]
    (found,) = incidents.incidents(ctx)
    assert incidents.told(ctx, found.acts[0])["who"] == "on-call"
    told = Told("more", "bob", ctx.now, ())
    incidents.add_knowledge(ctx, texts.texts(), found.incident.id, told)
    assert at.house.kinds().count(Kind.INCIDENT_REPORTED) == 2
