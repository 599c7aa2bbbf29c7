"""`leadline inquiry`, `submission` and `result` at the command line, in an installation with people."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import make
from eval_logs import Told, answers
from eval_logs import write as write_log
from identity.people import HERE, House, house
from leadline.app import engagement as desk
from leadline.cli.main import app
from leadline.cli.session import keep
from leadline.core.engagement.terms import Terms
from leadline.core.record.act import Kind
from leadline.identity import software_key
from leadline.wiring.home import clock
from leadline.wiring.regimes import library
from leadline.wiring.sign_in import register_file, sign_in_with_file

PEOPLE = (
    ("dana", make.DEVELOPER, "developer"),
    ("olga", make.PROGRAMME, "determining-official"),
    ("eve", make.PROGRAMME, "evaluator"),
    ("rita", "a-rival", "developer"),
)
SOON = (clock() + timedelta(days=5)).isoformat()


@dataclass
class Room:
    """An installation with everybody signed in at one terminal each."""

    house: House
    folder: Path
    keys: dict[str, Path] = field(default_factory=dict)

    def seat(self, id_: str, org: str, role: str) -> None:
        """Enrol and sign in with two factors."""
        until = clock() + timedelta(days=30)
        self.house.enrol(id_, role, org=org, engagements=frozenset(), access_until=until)
        self.house.password(id_)
        self.keys[id_] = self.folder / f"{id_}.key"
        software_key.make(self.keys[id_])
        first = self.house.acting(self.house.signed_in(id_))
        register_file(first, self.keys[id_], "a test")
        begun = sign_in_with_file(self.house.door, self.keys[id_], HERE, first.session)
        keep(self.folder / f"{id_}.session", begun.token)

    def run(self, who: str, *arguments: str, input_: str | None = None) -> Result:
        """One command by that person."""
        place = ["--home", str(self.house.folder)] if who else []
        place += ["--session", str(self.folder / f"{who}.session")] if who else []
        return CliRunner().invoke(app, [*arguments, *place], input=input_)

    def ok(self, who: str, *arguments: str, input_: str | None = None) -> str:
        """What a command prints that ends well."""
        done = self.run(who, *arguments, input_=input_)
        assert done.exit_code == 0, done.output
        return done.output

    def named(self, *who: str, engagement: str) -> None:
        """Name persons of the programme for an engagement."""
        with self.house.door.parts.store.write() as tx:
            for one in who:
                tx.put_principal(replace(tx.principal(one), engagements=frozenset({engagement})))

    def kinds(self) -> list[Kind]:
        """The acts so far."""
        return self.house.kinds()

    def lodged(self) -> str:
        """Dana's inquiry, sent; answers its engagement."""
        mine = str(self.folder / "mine")
        self.ok("", "inquiry", "new", mine, "--answer", "model=small-model")
        sent = self.ok("dana", "inquiry", "lodge", mine, "--yes", "--json")
        return str(json.loads(sent)["engagement"])

    def agreed(self, engagement: str) -> None:
        """Terms that both sides signed."""
        until = clock() + timedelta(days=40)
        terms = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, until)
        self.named("olga", "eve", engagement=engagement)
        held = library()
        for one in ("dana", "olga"):
            ctx = self.house.ctx(one)
            desk.agree_terms(ctx, desk.dealings(ctx, held, engagement), terms)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """Everybody at a seat."""
    with house(tmp_path / "home") as made:
        made.clock.now = clock()
        found = Room(made, tmp_path)
        for one in PEOPLE:
            found.seat(*one)
        yield found


def test_a_startup_asks_and_is_answered(room: Room) -> None:
    """New, check, preview, lodge, status, an answer that is signed, status again, withdraw."""
    mine = str(room.folder / "mine")
    typed = "acme\nunknown\nsmall-model\n\nsoon\nunder-development\n1e26ish\n3e25\n\n\n\n\n\n\n"
    told = room.ok("", "inquiry", "new", mine, input_=typed)
    assert "'soon' is none of under-development" in told
    assert "'1e26ish' is no number" in told
    assert "5 of 12 questions answered" in told
    assert "contact (unknown)" in room.ok("", "inquiry", "check", mine)
    shown = room.ok("dana", "inquiry", "preview", mine)
    assert "model: small-model" in shown
    assert "TLP:AMBER+STRICT" in shown
    assert "Demonstration developer (demonstration-developer; developer), until 20" in shown
    assert "determining official, once named for it" in shown
    before = room.kinds()
    assert room.run("dana", "inquiry", "lodge", mine, input_="n\n").exit_code == 1
    assert room.kinds() == before
    told = room.ok("dana", "inquiry", "lodge", mine, input_="y\n")
    assert "asked at 20" in told
    engagement = told.split("under ")[-1].split()[0]
    assert "nothing was sent twice" in room.ok("dana", "inquiry", "lodge", mine, "--yes")
    assert room.kinds().count(Kind.INQUIRY_LODGED) == 1
    assert "no answer; that changes nothing" in room.ok("dana", "inquiry", "status", mine)
    assert room.run("rita", "inquiry", "status", engagement).exit_code == 4
    answer = ("inquiry", "answer", engagement, "undetermined", "--reason", "nothing measured")
    signed = (*answer, "--key", str(room.keys["olga"]))
    assert room.run("olga", *signed).exit_code == 4
    room.named("olga", engagement=engagement)
    assert "answered 20" in room.ok("olga", *signed)
    told = room.ok("dana", "inquiry", "status", engagement)
    assert "  undetermined\n  nothing measured\n  signed: " in told
    (one,) = json.loads(room.ok("dana", "inquiry", "status", mine, "--json"))["inquiries"]
    assert one["answers"][0]["by"] == "olga"
    room.ok("", "inquiry", "new", mine, "--answer", "purpose=code")
    assert "asked at" in room.ok("dana", "inquiry", "lodge", mine, "--yes")
    assert room.kinds().count(Kind.INQUIRY_LODGED) == 2


def test_every_answer_is_kept_at_once_and_not_asked_again(tmp_path: Path) -> None:
    """Interrupted after two answers; begun again, it goes on with what is open."""
    mine = str(tmp_path / "mine")
    run = CliRunner()
    told = run.invoke(app, ["inquiry", "new", mine], input="acme\n\nsmall-model\n")
    assert told.exit_code == 1
    assert "organisation: acme" in run.invoke(app, ["inquiry", "check", mine]).output
    told = run.invoke(app, ["inquiry", "new", mine], input="Dana\n" + "\n" * 12)
    assert "Which organisation" not in told.output
    assert "3 of 12 questions answered" in told.output
    found = json.loads(run.invoke(app, ["inquiry", "check", mine, "--json"]).output)
    assert found["answers"] == {"organisation": "acme", "contact": "Dana", "model": "small-model"}
    assert {note["question"] for note in found["notes"]} >= {"stage", "variant"}
    assert (tmp_path / "mine" / "inquiry.toml").stat().st_mode & 0o077 == 0


def test_what_cannot_be_is_refused_and_changes_nothing(room: Room) -> None:
    """No folder, an unknown question, an unknown answer, a regime that there is not, too large a file."""
    mine = room.folder / "mine"
    before = room.kinds()
    assert room.run("", "inquiry", "check", str(mine)).exit_code == 4
    assert room.run("", "inquiry", "new", str(mine), "--answer", "weights=x").exit_code == 2
    assert room.run("", "inquiry", "new", str(mine), "--answer", "partner_date=soon").exit_code == 2
    assert not (mine / "inquiry.toml").exists()
    mine.mkdir(exist_ok=True)
    (mine / "inquiry.toml").write_bytes(b"#" * (10 << 20))
    assert "is larger" in room.run("", "inquiry", "check", str(mine)).output
    (mine / "inquiry.toml").write_bytes(b"")
    done = room.run("dana", "inquiry", "lodge", str(mine), "--yes")
    assert done.exit_code == 2
    told = room.run("dana", "inquiry", "status", str(mine))
    assert (told.exit_code, "was not sent yet" in told.output) == (2, True)
    (mine / "inquiry.toml").write_bytes(b"model = 'm'")
    done = room.run("dana", "inquiry", "lodge", str(mine), "--yes", "--regime", "nowhere")
    assert done.exit_code == 4
    told = room.run("olga", "inquiry", "answer", "x", "maybe", "--reason", "r", "--key", "k")
    assert told.exit_code == 2
    assert room.kinds() == before
    told = room.run("olga", "inquiry", "answer", "x", "undetermined", "--reason", "r", "--key", "k")
    assert (told.exit_code, "no engagement x" in told.output) == (4, True)
    assert room.kinds()[len(before) :] == [Kind.ACCESS_DENIED, Kind.ALERT_RAISED]


def test_an_interruption_before_sending_is_gone_on_from(room: Room) -> None:
    """The id was kept, nothing was written: the same id is used."""
    mine = room.folder / "mine"
    room.ok("", "inquiry", "new", str(mine), "--answer", "model=m")
    (mine / "engagement").write_text("engagement-kept\n")
    assert "under engagement-kept" in room.ok("dana", "inquiry", "lodge", str(mine), "--yes")


CARD = "---\nlicense: mit\nx-ours: 1\n---\n# small-model\n"


def built(room: Room) -> str:
    """A pack with a card, a protocol and a log of the very model."""
    pack = str(room.folder / "pack")
    room.ok("", "submission", "new", pack, "--say", "model=small-model", "--say", "variant=both")
    card, protocol = room.folder / "README.md", room.folder / "protocol.txt"
    card.write_text(CARD)
    protocol.write_text("kept in one region, for 30 days")
    assert "model-card (hugging-face-card)" in room.ok("", "submission", "add", pack, str(card))
    assert room.run("", "submission", "add", pack, str(protocol)).exit_code == 2
    room.ok("", "submission", "add", pack, str(protocol), "--as", "data-handling-protocol")
    log = write_log(room.folder / "own.eval", Told(answers("10"), "provider/small-model"))
    assert "model provider/small-model" in room.ok("", "submission", "add", pack, str(log))
    return pack


def assessed(room: Room) -> Path:
    """What `leadline assess` leaves, as far as a pack reads it."""
    out = room.folder / "out"
    out.mkdir()
    family = {"name": "easy", "solved": 1, "attempted": 2, "interval": [0.1, 0.9]}
    summary = {
        "schema": "leadline.summary/1",
        "subject": {"name": "baseline"},
        "suites": [{"name": "planted", "families": [family, {"name": "odd"}]}],
        "log": {"root": "r"},
    }
    (out / "summary.json").write_text(json.dumps(summary))
    return out


def test_a_pack_is_built_from_what_is_there_and_exported(room: Room) -> None:
    """Card, log, assessment, protocol; another model is refused; absent parts are named."""
    pack, out = built(room), str(assessed(room))
    other = write_log(room.folder / "other.json", Told(answers("1"), "provider/large"))
    refused = room.run("", "submission", "add", pack, str(other))
    assert (refused.exit_code, "--same-model" in refused.output) == (5, True)
    assert room.run("", "submission", "add", pack, out).exit_code == 5
    assert "1 of 2" in room.ok("", "submission", "add", pack, out, "--same-model")
    room.ok("", "submission", "new", pack, "--unknown", "system-card")
    checked = room.ok("", "submission", "check", pack, "--regime", "us-eo-14409")
    assert "unknown  system-card" in checked
    assert "nothing here is due" in checked
    whole = json.loads(room.ok("", "submission", "check", pack, "--json"))
    assert {row["presence"] for row in whole["parts"]} >= {"present", "unknown"}
    made = room.ok("", "submission", "export", pack, str(room.folder / "export")).split()
    assert {"manifest.json", "model.cdx.json", "README.md"} <= set(made)
    exported = (room.folder / "export" / "README.md").read_text()
    assert exported.startswith("---\nlicense: mit\nx-ours: 1\nmodel-index: ")
    bom = room.folder / "export" / "model.cdx.json"
    assert "cyclonedx" in room.ok("", "submission", "add", pack, str(bom))
    assert room.run("", "submission", "export", pack, str(room.folder / "export")).exit_code == 5
    (room.folder / "pack" / "protocol.txt").write_text("changed")
    assert room.run("", "submission", "export", pack, str(room.folder / "e2")).exit_code == 2
    assert not (room.folder / "e2").exists()


def test_a_pack_is_looked_at_and_offered_under_the_terms(room: Room) -> None:
    """Terms first; nothing leaves before it was confirmed; then the vault, and one act."""
    pack, engagement = built(room), room.lodged()
    room.ok("", "submission", "new", pack, "--say", "retention_days=30")
    offer = ("submission", "offer", pack, "--engagement", engagement)
    refused = room.run("dana", *offer, "--yes")
    assert (refused.exit_code, "no terms are in effect" in refused.output) == (5, True)
    room.agreed(engagement)
    told = room.ok("dana", "submission", "check", pack, "--engagement", engagement)
    assert "retention: the pack says 30 days of retention, the terms 90" in told
    shown = room.ok("dana", "submission", "preview", pack, "--engagement", engagement)
    assert "protocol.txt: data-handling-protocol" in shown
    assert "reads the files" in shown
    assert room.run("dana", *offer, input_="n\n").exit_code == 1
    assert Kind.ARTEFACT_RECEIVED not in room.kinds()
    assert "offered: 3 files" in room.ok("dana", *offer, input_="y\n")
    assert room.kinds().count(Kind.ARTEFACT_RECEIVED) == 4
    assert room.kinds().count(Kind.SUBMISSION_OFFERED) == 1
    (room.folder / "pack" / "protocol.txt").write_text("changed")
    before = room.kinds()
    changed = room.run("dana", *offer, "--yes")
    assert (changed.exit_code, "changed since" in changed.output) == (2, True)
    assert room.run("rita", *offer, "--yes").exit_code == 4
    assert room.run("olga", *offer, "--yes").exit_code == 3
    assert Kind.SUBMISSION_OFFERED not in room.kinds()[len(before) :]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.md", b"---\na: 1\na: 2\n---\n"),
        ("b.json", b'{"bomFormat": "CycloneDX", "type": "machine-learning-model"}'),
        ("c.eval", b"PK nothing"),
        ("d.md", b"---\n" + b"x" * (10 << 20)),
        ("submission.toml", b"x"),
        (".hidden", b"x"),
    ],
)
def test_what_is_damaged_is_not_added(tmp_path: Path, name: str, data: bytes) -> None:
    """The pack is as it was."""
    pack, file = tmp_path / "pack", tmp_path / name
    file.write_bytes(data)
    add = ["submission", "add", str(pack), str(file), "--as", "model-card"]
    done = CliRunner().invoke(app, add)
    assert done.exit_code == 2, done.output
    assert not pack.exists()
    (tmp_path / "summary.json").write_text("{}")
    done = CliRunner().invoke(app, ["submission", "add", str(pack), str(tmp_path)])
    assert done.exit_code == 2
    assert CliRunner().invoke(app, ["submission", "new", str(pack), "--say", "x"]).exit_code == 2


def test_a_result_reaches_its_reader_and_leaves_a_receipt(room: Room) -> None:
    """Sent, listed, read, refused to another, recalled; the developer sees all of it."""
    engagement = room.lodged()
    room.agreed(engagement)
    file = room.folder / "figures.txt"
    file.write_text("1 of 2")
    send = ("result", "send", engagement, str(file), "--to", "dana", "--until", SOON)
    id_ = room.ok("eve", *send).split()[0]
    assert id_ in room.ok("dana", "result", "list")
    assert json.loads(room.ok("olga", "result", "list", "--json")) == {"results": []}
    out = room.folder / "got.txt"
    assert room.run("olga", "result", "read", id_, "--out", str(out)).exit_code == 4
    assert not out.exists()
    room.ok("dana", "result", "read", id_, "--out", str(out))
    assert out.read_text() == "1 of 2"
    assert room.run("dana", "result", "recall", engagement, id_).exit_code == 5
    room.ok("eve", "result", "recall", engagement, id_)
    assert room.run("dana", "result", "read", id_, "--out", str(out)).exit_code == 5
    told = room.ok("dana", "result", "receipts", engagement)
    assert "by dana for assessment" in told
    assert "to olga: no recipient" in told
    assert "to dana: it was recalled" in told
    assert len(json.loads(room.ok("dana", "result", "receipts", engagement, "--json"))) == 1
    assert room.run("eve", *send[:-1], "2027-02-30").exit_code == 2
