"""Commands at a server: the same commands, over HTTP, with the same answers and the same errors."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

import make
from desk_terminal import SEATS
from identity.people import HERE, House, house, served
from leadline.app import backup
from leadline.app import engagement as engagement_use
from leadline.app.engagement import Dealings
from leadline.cli import (
    artefact,
    calendar,
    case,
    concern,
    engagement,
    finding,
    information,
    inquiry,
    lease,
    message,
    notice,
    operator,
    partner,
    register,
    run,
    submission,
    terms,
)
from leadline.cli.session import driven_there, keep, kept
from leadline.client import remote
from leadline.client.terminal import Place
from leadline.core.engagement.terms import Terms
from leadline.core.errors import (
    Denied,
    Invalid,
    LeadlineError,
    NotFound,
    Refused,
    Stale,
    Tampered,
    Unavailable,
)
from leadline.core.record.act import Kind
from leadline.identity import software_key
from leadline.sandbox.ward import Warded
from leadline.wiring.desk import library
from leadline.wiring.home import clock
from leadline.wiring.sign_in import register_file, sign_in_with_file
from portal.assessed_world import assess, open_engagement
from program import program

NOUNS = {
    "artefact": artefact.app,
    "case": case.app,
    "concern": concern.app,
    "engagement": engagement.app,
    "finding": finding.app,
    "information": information.app,
    "inquiry": inquiry.app,
    "lease": lease.app,
    "message": message.app,
    "notice": notice.app,
    "operator": operator.app,
    "partner": partner.app,
    "register": register.app,
    "run": run.app,
    "submission": submission.app,
    "terms": terms.app,
}
CALENDAR = typer.Typer()
CALENDAR.command()(calendar.calendar)


@dataclass
class There:
    """A server, and terminals elsewhere that know nothing but its address."""

    at: House
    url: str
    folder: Path
    seated: set[str] = field(default_factory=set)

    def run(self, person: str, noun: str, *arguments: str, session: bool = True) -> Result:
        """One command by that person; without *session*, one that has no such option."""
        held = self.folder / f"{person}.session"
        if person not in self.seated:
            self.at.password(person)
            software_key.make(self.folder / f"{person}.key")
            first = self.at.acting(self.at.signed_in(person))
            register_file(first, self.folder / f"{person}.key", "a test")
            key = self.folder / f"{person}.key"
            keep(held, sign_in_with_file(self.at.door, key, HERE, first.session).token)
            self.seated.add(person)
        app = CALENDAR if noun == "calendar" else NOUNS[noun]
        told = {"LEADLINE_SERVER": self.url}
        last = ["--session", str(held)] if session and self.signs(noun, arguments) else []
        return CliRunner().invoke(app, [*arguments, *last], env=told)

    @staticmethod
    def signs(noun: str, arguments: tuple[str, ...]) -> bool:
        """Whether a command is done by somebody who signed in."""
        return (noun, arguments[:1]) not in {("submission", ("new",)), ("submission", ("add",))}

    def ok(self, person: str, noun: str, *arguments: str) -> str:
        """What a command prints that ends well."""
        done = self.run(person, noun, *arguments)
        assert done.exit_code == 0, done.output
        return done.output.strip()


@pytest.fixture
def there(tmp_path: Path) -> Iterator[There]:
    """A server with people of the desk."""
    with house(tmp_path / "home") as at:
        for id_, org, role, _ in SEATS:
            at.enrol(id_, role, org=org, engagements=frozenset())
        with served(at, None) as url:
            yield There(at, url, tmp_path)


def words(there: There, text: str) -> str:
    """A file with that text."""
    file = there.folder / "words.txt"
    file.write_text(text)
    return str(file)


def test_an_engagement_from_afar(there: There) -> None:
    """Opened, listed, shown, its anchor named and moved, weights registered, withdrawn."""
    made = there.ok("developer", "engagement", "open", "our model")
    assert made.startswith("engagement-")
    assert made in there.ok("developer", "engagement", "list")
    for day in ("2027-03-01T09:00", "2027-03-02T09:00"):
        there.ok("developer", "engagement", "anchor", made, day, "--zone", "UTC")
    shown = json.loads(there.ok("developer", "engagement", "show", made, "--json"))
    assert [one["kind"] for one in shown["acts"]].count("anchor.set") == 2
    weights = ("weights", made, "ab" * 32, "--name", "w1", "--variant", "with-safeguards")
    there.ok("developer", "engagement", *weights)
    told = there.ok(
        "developer", "message", "send", made, words(there, "hello"), "--to", "developer"
    )
    assert there.ok("developer", "message", "read", made, told) == "hello"
    assert told in there.ok("developer", "message", "list", made)
    assert json.loads(there.ok("developer", "information", "list", made, "--json"))
    assert json.loads(there.ok("developer", "terms", "show", made, "--json"))
    assert json.loads(there.ok("developer", "partner", "list", made, "--json")) is not None
    assert there.ok("developer", "calendar", "--json")
    assert "withdrawn" in there.ok("developer", "engagement", "withdraw", made, "--yes")


def test_terms_are_signed_from_afar(there: There, tmp_path: Path) -> None:
    """Asked for at the server, signed with the key here, agreed under that signature."""
    made = there.ok("developer", "engagement", "open", "our model")
    out = tmp_path / "terms.toml"
    there.ok("developer", "terms", "draft", made, str(out))
    key = ("--key", str(tmp_path / "developer.key"), "--yes")
    told = there.ok("developer", "terms", "agree", made, str(out), *key)
    assert "waits for the other party" in told
    again = there.run("developer", "terms", "agree", made, str(out), *key)
    assert again.exit_code == 5


def test_the_same_errors_come_back(there: There) -> None:
    """With the same exit codes; what is not yours is not there."""
    made = there.ok("developer", "engagement", "open", "our model")
    assert there.run("rival", "engagement", "show", made).exit_code == 4
    assert there.run("developer", "engagement", "open-access", made).exit_code == 5
    assert there.run("operator", "case", "sweep").exit_code in {0, 3}
    bad = there.run("developer", "engagement", "open", "m", "--regime", "no-such")
    assert bad.exit_code == 4
    refused = there.run("operator", "concern", "raise", words(there, "x"), "--sector", "nonsense")
    assert refused.exit_code == 2


def test_other_nouns_from_afar(there: There) -> None:
    """Lists and small acts of the clearinghouse's nouns."""
    there.at.enrol("finder", "finder", org="finders")
    told = there.ok("operator", "concern", "raise", words(there, "a worry"), "--sector", "health")
    assert told.startswith("concern-")
    assert "a worry" in there.ok("operator", "concern", "list")
    for noun in ("finding", "case", "lease", "notice", "operator"):
        done = there.run("operator", noun, "list", "--json")
        assert done.exit_code in {0, 3}, (noun, done.output)
    assert there.ok("official", "register", "list", "--json")


def test_a_file_is_handed_over_from_afar(there: There, tmp_path: Path) -> None:
    """As at the installation: the same words and errors; what lies there is listed."""
    made = there.ok("developer", "engagement", "open", "our model")
    note = tmp_path / "note.md"
    note.write_text("# What was measured")
    told = json.loads(
        there.ok("developer", "artefact", "deposit", str(note), "--engagement", made, "--json")
    )
    assert (told["content"], told["bytes"]) == ("text", 19)
    assert told["digest"] == sha256(note.read_bytes()).hexdigest()
    assert told["id"] in there.ok("developer", "artefact", "list")
    note.write_bytes(b"\0" * 9)
    refused = there.run("developer", "artefact", "deposit", str(note), "--engagement", made)
    assert refused.exit_code == 2, refused.output
    absent = there.run("rival", "artefact", "deposit", str(note), "--engagement", made)
    assert absent.exit_code == 4, absent.output
    nothing = there.run("developer", "artefact", "deposit", str(tmp_path), "--engagement", made)
    assert nothing.exit_code == 2


def test_a_submission_is_offered_from_afar(there: There, tmp_path: Path) -> None:
    """Looked at, checked against the texts, refused without terms, offered under them."""
    made = there.ok("developer", "engagement", "open", "our model")
    card, pack = tmp_path / "card.md", str(tmp_path / "pack")
    card.write_text("# A model card")
    there.ok("developer", "submission", "new", pack, "--say", "model=our model")
    there.ok("developer", "submission", "add", pack, str(card), "--as", "model-card")
    on = (pack, "--engagement", made)
    assert "Who could see it now" in there.ok("developer", "submission", "preview", *on)
    assert "present" in there.ok("developer", "submission", "check", *on)
    refused = there.run("developer", "submission", "offer", *on, "--yes")
    assert refused.exit_code == 5
    assert "no terms are in effect" in refused.output
    texts = library()
    dealings = Dealings(made, make.DEVELOPER, texts.newest("us-eo-14409"), texts)
    until = there.at.clock.now.replace(year=there.at.clock.now.year + 1)
    agreed = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, until)
    there.at.enrol(
        "official", "determining-official", org=make.PROGRAMME, engagements=frozenset({made})
    )
    for person in ("developer", "official"):
        engagement_use.agree_terms(there.at.ctx(person), dealings, agreed)
    told = json.loads(there.ok("developer", "submission", "offer", *on, "--yes", "--json"))
    assert len(told["files"]) == 1
    assert there.at.kinds().count(Kind.SUBMISSION_OFFERED) == 1
    card.write_text("# Another one")
    (tmp_path / "pack" / "card.md").write_text("# Another one")
    changed = there.run("developer", "submission", "offer", *on, "--yes")
    assert changed.exit_code == 2, changed.output


@pytest.mark.timeout(600)
def test_a_run_is_ended_from_afar(tmp_path: Path) -> None:
    """At a server in a process of its own: its warden is ordered, and what it did is told; without one, frozen."""
    out = tmp_path / "out"
    with house(out / ".state") as at:
        at.clock.now = clock()
        on = open_engagement(at)
        assess(at, on, ran=2)
        with program(at.folder) as server:
            there = There(at, server.url, tmp_path)
            shown = json.loads(there.ok("evaluator", "run", "scope", on.id, "--json"))
            assert {one["source"] for one in shown["counts"]}
            assert "reads-elsewhere" in there.ok("evaluator", "run", "scope", on.id)
            with Warded.start(at.folder, own_uid=False):
                told = there.ok("evaluator", "run", "kill", on.id, "--reason", "it is enough")
                assert "0 processes gone in" in told
            with at.door.parts.store.read() as view:
                (act,) = (one.act for one in view.acts(kind=Kind.RUN_STOPPED))
            assert (act.actor, act.detail["cause"]) == ("evaluator", "it is enough")
            assert (
                there.ok("evaluator", "run", "thaw", on.id, "--reason", "looked at") == "it goes on"
            )
            late = there.run("evaluator", "run", "kill", on.id, "--json")
            assert (late.exit_code, "no warden answered" in late.output) == (7, True)
            assert there.run("developer", "run", "kill", on.id).exit_code in {3, 4}
            assert there.run("evaluator", "run", "kill", "engagement-none").exit_code == 4
            for words in (("settle", on.id), ("drill",), ("drill", "--out", on.id)):
                done = there.run("evaluator", "run", *words, session=False)
                assert done.exit_code == 2, done.output
                assert "--server" in done.output
    assert at.kinds().count(Kind.RUN_STOPPED) == 2


def test_a_folder_is_always_a_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever server is named: to end what runs on this machine asks no other one."""
    monkeypatch.setenv("LEADLINE_SERVER", "https://there.example:8443")
    assert not driven_there(tmp_path)
    assert driven_there(tmp_path / "engagement-1")
    monkeypatch.delenv("LEADLINE_SERVER")
    assert not driven_there(tmp_path / "engagement-1")


def test_what_cannot_be_done_from_afar_says_so(there: There, tmp_path: Path) -> None:
    """Exit 2, with the way out."""
    done = there.run("operator", "finding", "submit", words(there, "a report"))
    assert (done.exit_code, "at the installation itself" in done.output) == (2, True)
    there.ok("operator", "finding", "list")
    token = kept(tmp_path / "operator.session")
    with remote.opened(Place(there.url), token) as found, pytest.raises(Invalid):
        found.call(backup.make, None, tmp_path, None)  # type: ignore[arg-type]


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """Unavailable; and without TLS nothing is sent to others."""
    with (
        remote.opened(Place("http://127.0.0.1:1"), "session-x") as found,
        pytest.raises(Unavailable),
    ):
        found.me()
    with pytest.raises(Invalid), remote.opened(Place("http://example.com"), "session-x"):
        pass


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, {"code": "denied", "detail": "no", "rules": ["r"]}, Denied),
        (401, {"code": "not-signed-in", "detail": "no"}, Denied),
        (404, {"code": "not-found", "detail": "no"}, NotFound),
        (409, {"code": "refused", "detail": "no"}, Refused),
        (412, {"code": "stale", "detail": "no"}, Stale),
        (500, {"code": "tampered", "detail": "no"}, Tampered),
        (503, {"code": "unavailable", "detail": "no"}, Unavailable),
        (422, {"code": "invalid", "detail": "f: no", "field": "f"}, Invalid),
        (413, {"code": "http", "detail": "no"}, Invalid),
        (502, {"code": "http", "detail": "no"}, Unavailable),
        (502, ["not one"], Unavailable),
    ],
)
def test_a_problem_is_the_error_it_stands_for(
    status: int, body: object, kind: type[LeadlineError]
) -> None:
    """Each of the seven; anything else is a server that does not answer as it should."""
    found = remote.problem(httpx.Response(status, json=body))
    assert type(found) is kind
    if isinstance(found, Invalid) and status == 422:
        assert (found.field, found.problem) == ("f", "no")
