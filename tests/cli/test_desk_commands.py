"""The engagement desk at the command line: everybody's own session and key, from a draft to withdrawal."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import leadline
from identity.people import HERE, House, house
from leadline.app import engagement as desk
from leadline.cli import determination, engagement, information, message
from leadline.cli.session import keep
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid, Refused
from leadline.core.marking import Marking, Tlp
from leadline.identity import software_key
from leadline.wiring.desk import at_desk, criteria_packs
from leadline.wiring.home import clock
from leadline.wiring.regimes import library
from leadline.wiring.sign_in import register_file, sign_in_with_file

NOUNS = {
    "engagement": engagement.app,
    "determination": determination.app,
    "information": information.app,
    "message": message.app,
}
PEOPLE = (
    ("dev", "maker", "developer"),
    ("off", "office", "determining-official"),
    ("sec", "office", "concurring-official"),
    ("eva", "office", "evaluator"),
    ("aud", "auditors", "auditor"),
)
DIGEST = "ab" * 32
DRAFT = f"""answer = "undetermined"
outcome = "undetermined"
basis = "{"cd" * 32}"
criteria = "demonstration"
pack = "demonstration"
official = "The director of the demonstration"
demonstration = true
expires = 2099-09-01T00:00:00Z
trigger = "another weights version"
caveats = ["nothing was measured yet"]
[scope]
model = "our model"
weights_version = "w1"
subject = "{DIGEST}"
variant = "with-safeguards"
[errors]
above = 0.05
below = 0.05
"""


@dataclass
class Terminals:
    """A terminal for each person, signed in."""

    house: House
    folder: Path

    def run(self, who: str, noun: str, *arguments: str, text: str = "") -> Result:
        """One command; a key file is named where the command takes one."""
        place = ["--home", str(self.house.folder), "--session", str(self.folder / who)]
        return CliRunner().invoke(NOUNS[noun], [*arguments, *place], input=text)

    def ok(self, who: str, noun: str, *arguments: str, text: str = "") -> str:
        """What a command prints that ends well."""
        done = self.run(who, noun, *arguments, text=text)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def key(self, who: str) -> str:
        """The person's key file."""
        return f"--key={self.folder / who}.key"

    def agreed(self, id_: str) -> None:
        """Terms that both parties agreed to."""
        terms = Terms(
            "c", "s", "i", "p", "u", "n", ("assessment",), 90, clock() + timedelta(days=60)
        )
        for who in ("dev", "off"):
            ctx = self.house.ctx(who)
            texts = library(self.house.folder / "regimes")
            desk.agree_terms(ctx, desk.dealings(ctx, texts, id_), terms)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminals]:
    """An installation with a regime of its own, whose quorum is two, and people with keys."""
    shipped = Path(leadline.__file__).parent / "data" / "regimes" / "us-eo-14409.toml"
    text = shipped.read_text().replace('id = "us-eo-14409"', 'id = "two-persons"', 1)
    two = 'quorum = 2\nconcurs = ["concurring-official"]\nreconsiders = true\n\n[[consults]]'
    text = text.replace("[[consults]]", two, 1)
    with house(tmp_path / "home") as made:
        made.clock.now = clock()
        (made.folder / "regimes").mkdir()
        (made.folder / "regimes" / "two-persons.toml").write_text(text)
        until = made.clock.now + timedelta(days=50)
        for id_, org, role in PEOPLE:
            made.enrol(id_, role, org=org, engagements=frozenset(), access_until=until)
            made.password(id_)
            first = made.acting(made.signed_in(id_))
            key = tmp_path / f"{id_}.key"
            software_key.make(key)
            register_file(first, key, "a test")
            keep(tmp_path / id_, sign_in_with_file(made.door, key, HERE, first.session).token)
        yield Terminals(made, tmp_path)


def named(at: Terminals, id_: str) -> None:
    """The officials and the evaluator are named for the engagement."""
    until = clock() + timedelta(days=50)
    for who, org, role in PEOPLE[1:4]:
        at.house.enrol(who, role, org=org, engagements=frozenset({id_}), access_until=until)


def opened(at: Terminals) -> str:
    """An engagement under the regime of the quorum, with access open."""
    id_ = at.ok(
        "dev", "engagement", "open", "our model", "--digest", DIGEST, "--regime", "two-persons"
    )
    named(at, id_)
    anchor = (datetime.now(UTC) + timedelta(days=20)).isoformat(timespec="minutes")  # noqa: TID251 -- what a person types
    at.ok("dev", "engagement", "anchor", id_, anchor, "--zone", "Europe/Berlin")
    at.agreed(id_)
    told = at.ok("dev", "engagement", "open-access", id_)
    assert "access lasts until" in told
    return id_


def test_a_determination_from_proposal_to_response(at: Terminals) -> None:
    """Proposed, concurred, dissented, recorded, corrected, responded to, asked and answered again."""
    id_ = opened(at)
    draft = at.folder / "draft.toml"
    draft.write_text(DRAFT)
    off, sec = at.key("off"), at.key("sec")
    assert "no determination is proposed" in at.ok("dev", "determination", "show", id_)
    early = at.run("off", "determination", "record", id_, str(draft), off)
    assert (early.exit_code, "propose this determination" in early.output) == (5, True)
    proposal = at.ok("off", "determination", "propose", id_, str(draft), off)
    one = at.run("off", "determination", "record", id_, proposal, off)
    assert "1 of 2 persons" in one.output
    at.ok("sec", "determination", "dissent", id_, proposal, "-", sec, text="too little evidence")
    at.ok("sec", "determination", "concur", id_, proposal, sec)
    act = at.ok("off", "determination", "record", id_, proposal, off)
    draft.write_text(DRAFT.replace("measured yet", "measured at all"))
    at.ok("off", "determination", "correct", id_, act, str(draft), off)
    at.ok("dev", "determination", "respond", id_, act, "-", text="we see it otherwise")
    asked = at.ok("dev", "determination", "reconsider", id_, act, "-", text="please look again")
    at.ok("off", "determination", "reconsider", id_, asked, "-", text="it stands as recorded")
    at.ok("dev", "engagement", "weights", id_, "ef" * 32, "--name", "w2")
    page = json.loads(at.ok("dev", "determination", "show", id_, "--json"))
    (recorded,) = page["recorded"]
    assert recorded["act"]["detail"]["concurring"] == ["sec"]
    assert recorded["corrections"][0]["detail"]["changed"] == ["caveats"]
    response = recorded["responses"][0]["detail"]["response"]
    assert at.ok("off", "determination", "show", id_, "--text", response) == "we see it otherwise"
    assert [one["trigger"] for one in page["asks_again"]] == ["new-weights-version"]
    told = at.ok("dev", "determination", "show", id_)
    assert "asks again since" in told
    other = at.run("dev", "determination", "show", id_, "--text", DIGEST)
    assert other.exit_code == 4
    at.ok("sec", "determination", "recuse", id_)
    again = at.run("sec", "determination", "recuse", id_)
    assert (again.exit_code, "recused already" in again.output) == (5, True)


def test_access_under_a_further_regime_has_an_end_of_its_own(at: Terminals) -> None:
    """What `open-access` prints is the end under the regime that it named."""
    id_, under = opened(at), ("--regime", "us-eo-14409")
    at.ok("dev", "engagement", "add-regime", id_, "us-eo-14409")
    anchor = (datetime.now(UTC) + timedelta(days=25)).replace(microsecond=0)  # noqa: TID251 -- what a person types
    at.ok("dev", "engagement", "anchor", id_, anchor.isoformat(), *under)
    told = at.ok("dev", "engagement", "open-access", id_, *under)
    assert f"access lasts until {anchor.isoformat()} at most" in told
    at.ok("off", "engagement", "end-access", id_)
    shown = json.loads(at.ok("dev", "engagement", "show", id_, "--json"))
    assert "ended-by-a-party" in shown["access"]


def test_a_dissent_alone_stands_and_its_reasons_are_read(at: Terminals) -> None:
    """It does not keep the others from anything, and the developer reads it as well."""
    id_ = opened(at)
    draft = at.folder / "draft.toml"
    words = at.ok("off", "determination", "statement", id_, "-", text="you may hand this on")
    draft.write_text(DRAFT.replace("trigger", f'statement = "{words}"\ntrigger', 1))
    proposal = at.ok("off", "determination", "propose", id_, str(draft), at.key("off"))
    at.ok("sec", "determination", "dissent", id_, proposal, "-", at.key("sec"), text="too early")
    page = json.loads(at.ok("dev", "determination", "show", id_, "--json"))
    reasons = page["proposals"][0]["dissenting"][0]["reasons"]
    assert at.ok("dev", "determination", "show", id_, "--text", reasons) == "too early"
    assert "dissents: sec" in at.ok("dev", "determination", "show", id_)


def test_what_cannot_be_said_is_refused_and_changes_nothing(at: Terminals) -> None:
    """Impossible dates and zones, a gap of the clocks, wrong people, wrong drafts: exit code and cure."""
    id_ = opened(at)
    before = at.ok("dev", "engagement", "show", id_, "--json")
    draft = at.folder / "draft.toml"
    draft.write_text(DRAFT.replace('criteria = "demonstration"', 'criteria = "c"'))
    for who, arguments, code, words in (
        ("dev", ("engagement", "anchor", id_, "2027-02-29"), 2, "is no moment"),
        (
            "dev",
            ("engagement", "anchor", id_, "2027-03-28T02:30", "--zone", "Europe/Berlin"),
            2,
            "does not exist",
        ),
        (
            "dev",
            ("engagement", "anchor", id_, "2026-10-25T02:30", "--zone", "Europe/Berlin"),
            2,
            "comes twice",
        ),
        (
            "dev",
            ("engagement", "anchor", id_, "2027-03-01", "--zone", "Mars/Base"),
            2,
            "no time zone",
        ),
        ("off", ("engagement", "anchor", id_, "2027-03-01"), 3, "only the developer"),
        ("dev", ("engagement", "extend", id_, "2099-01-01"), 5, "at most"),
        ("dev", ("engagement", "add-regime", id_, "two-persons"), 5, "already"),
        ("dev", ("engagement", "add-regime", id_, "none"), 4, "no regime"),
        ("off", ("engagement", "weights", id_, DIGEST, "--name", "w"), 3, "denied"),
        ("dev", ("engagement", "weights", id_, "AB", "--name", "w"), 2, "digest"),
        ("off", ("determination", "propose", id_, str(draft), at.key("off")), 2, "criteria"),
        ("off", ("determination", "propose", id_, "absent", at.key("off")), 4, "not there"),
        ("aud", ("message", "list", id_), 3, "denied"),
        ("dev", ("engagement", "show", "nothing"), 4, "no engagement"),
        ("eva", ("engagement", "withdraw", id_, "--yes"), 3, "denied"),
    ):
        done = at.run(who, *arguments)
        assert (done.exit_code, words in done.output) == (code, True), (arguments, done.output)
    after = json.loads(at.ok("dev", "engagement", "show", id_, "--json"))
    assert [
        act for act in after["acts"] if act["kind"] not in {"access.denied", "alert.raised"}
    ] == (json.loads(before)["acts"])


def test_questions_and_messages_are_for_those_they_name(at: Terminals) -> None:
    """What is unanswered is counted; an auditor reads neither question nor message."""
    id_ = opened(at)
    asked = at.ok("eva", "information", "ask", id_, "-", text="which scaffold?")
    assert "without an answer: 1" in at.ok("dev", "engagement", "show", id_)
    at.ok("dev", "information", "answer", id_, asked, "-", text="none")
    rows = json.loads(at.ok("off", "information", "list", id_, "--json"))["questions"]
    assert (rows[0]["question"], rows[0]["answers"]) == ("which scaffold?", ["none"])
    assert "none" in at.ok("dev", "information", "list", id_)
    sent = at.ok("eva", "message", "send", id_, "-", "--to", "developer", text="good morning")
    own = at.ok("eva", "message", "send", id_, "-", "--to", "off", text="among us")
    assert at.ok("dev", "message", "read", id_, sent) == "good morning"
    assert sent in at.ok("dev", "message", "list", id_)
    assert [
        one["id"] for one in json.loads(at.ok("off", "message", "list", id_, "--json"))["messages"]
    ] == [own]
    for who, what in (("off", sent), ("dev", own), ("dev", "absent")):
        done = at.run(who, "message", "read", id_, what)
        assert (done.exit_code, f"no message {what}" in done.output) == (4, True)
    nobody = at.run("dev", "message", "send", id_, "-", "--to", "aud", text="hello")
    assert (nobody.exit_code, "nobody called aud" in nobody.output) == (4, True)
    empty = at.run("dev", "message", "send", id_, "-", "--to", "off", text=" ")
    assert (empty.exit_code, "message: is empty" in empty.output) == (2, True)


def test_ending_lists_and_regimes(at: Terminals) -> None:
    """A further regime has a window of its own; access and engagement end at anybody's word."""
    id_ = opened(at)
    at.ok("dev", "engagement", "add-regime", id_, "us-eo-14409")
    shown = json.loads(at.ok("dev", "engagement", "show", id_, "--json"))
    assert set(shown["windows"]) == {"two-persons", "us-eo-14409"}
    assert shown["windows"]["two-persons"]["zone"] == "Europe/Berlin"
    listed = json.loads(at.ok("off", "engagement", "list", "--json"))["engagements"]
    assert [one["engagement"] for one in listed] == [id_]
    assert id_ in at.ok("dev", "engagement", "list")
    at.ok("off", "engagement", "end-access", id_)
    assert "access-closed" in at.ok("dev", "engagement", "show", id_)
    at.ok("off", "engagement", "end", id_)
    over = at.run("dev", "engagement", "anchor", id_, "2027-03-01")
    assert (over.exit_code, "this engagement ended" in over.output) == (5, True)


def test_withdrawal_ends_access_at_once_and_needs_no_regime_file(at: Terminals) -> None:
    """Within five seconds another process's handles have ended; a lost regime file keeps nobody in.

    That a stream which is open then stops reading is the vault's own test.
    """
    id_ = opened(at)
    parts = at.house.door.parts
    assert parts.keys is not None
    kept = parts.vault.receive(
        (b"weights " * 100_000,),
        marking=Marking(Tlp.AMBER_STRICT),
        engagement=id_,
        owner="developer",
        sealed=False,
        bytes_max=1 << 24,
    )
    (at.house.folder / "regimes" / "two-persons.toml").unlink()
    assert not parts.keys.ended(id_, "developer")
    began = time.monotonic()
    told = at.ok("dev", "engagement", "withdraw", id_, "--yes")
    assert parts.keys.ended(id_, "developer")
    with pytest.raises(Refused), parts.vault.open(kept.digest):
        pass
    assert time.monotonic() - began < 5
    assert told.startswith("withdrawn; access ended at")
    assert told.endswith("if you run a relay, it is told by you: leadline relay revoke --all")
    again = at.ok("dev", "engagement", "withdraw", id_, "--yes")
    assert again.startswith("withdrawn")
    missing = at.run("dev", "engagement", "show", id_)
    assert (missing.exit_code, "put the file back" in missing.output) == (4, True)
    for who, where in (("aud", id_), ("dev", "nothing")):
        done = at.run(who, "engagement", "withdraw", where, "--yes")
        assert done.exit_code in {3, 4}


def test_criteria_of_an_installation_are_loaded_when_they_are_needed(at: Terminals) -> None:
    """A pack in its folder counts from the next command; what ships is synthetic, and says so."""
    folder = at.house.folder / "criteria"
    folder.mkdir()
    shipped = criteria_packs()
    assert all("demonstration" in name for name in shipped)
    text = shipped["demonstration"].read_text().replace('id = "demonstration"', 'id = "own"', 1)
    (folder / "own.toml").write_text(text)
    from leadline.cli.session import kept
    from leadline.settings import Home

    with at_desk(Home(at.house.folder), kept(at.folder / "off")) as me:
        pack = me.criteria("own")
        made = me.draft(Path("d.toml"), DRAFT.replace('"demonstration"', '"own"').encode())
        with pytest.raises(Invalid, match="write `demonstration = true`"):
            me.draft(Path("d.toml"), DRAFT.replace("demonstration = true\n", "").encode())
    assert made.criteria == pack.digest
    id_ = opened(at)
    draft = at.folder / "draft.toml"
    draft.write_text(DRAFT.replace('"demonstration"', '"absent"'))
    done = at.run("off", "determination", "propose", id_, str(draft), at.key("off"))
    assert (done.exit_code, "no criteria pack 'absent'" in done.output) == (4, True)


def test_a_text_to_come_leaves_the_text_of_today_for_new_engagements(at: Terminals) -> None:
    """An amendment whose day has not come is no reason to turn a new engagement away."""
    folder = at.house.folder / "regimes"
    now = library(folder).newest("two-persons")
    begins = (clock() + timedelta(days=300)).date()
    later = (
        (folder / "two-persons.toml").read_text().replace("since = 2026-06-02", f"since = {begins}")
    )
    later = later.replace("\nstatus", f'\nsupersedes = "{now.digest}"\nstatus', 1)
    (folder / "two-persons.later.toml").write_text(later)
    assert library(folder).newest("two-persons").in_force.since == begins
    id_ = at.ok(
        "dev", "engagement", "open", "our model", "--digest", DIGEST, "--regime", "two-persons"
    ).split()[0]
    found = desk.dealings(at.house.ctx("dev"), library(folder), id_)
    assert found.regime.digest == now.digest
    anchor = (clock() + timedelta(days=20)).isoformat()
    at.ok("dev", "engagement", "anchor", id_, anchor)
