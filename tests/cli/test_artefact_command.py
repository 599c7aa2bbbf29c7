"""`leadline artefact` and `leadline weights`, each person with a session and a key file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner, Result

import make
from intake_world import World
from leadline.app import sign_in
from leadline.app.proof import check
from leadline.app.sign_in import Caller
from leadline.cli import main
from leadline.cli.session import keep
from leadline.core.engagement.engagement import Engagement
from leadline.formats import tlog_policy
from leadline.formats.manifest import decode_opening
from leadline.formats.tlog_proof import ActProof
from leadline.identity.password import Cost, Passwords
from leadline.settings import Home
from leadline.wiring import home as wiring
from leadline.wiring import sign_in as doors

PEOPLE = ("keeper", "official", "second", "developer")
TEXT = "# Findings\n\nWhat was measured.\n"
WORDS = Passwords(Cost(memory=64, passes=1, lanes=1))


class House:
    """An installation with everybody signed in, and an engagement."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, Home(folder / "home")
        wiring.make(self.home)
        with wiring.opened(self.home) as parts:
            now = wiring.clock()
            facts = Engagement(
                make.ENGAGEMENT, "us-eo-14409", "00" * 32, make.DEVELOPER, "a model", "00" * 32, now
            )
            with parts.store.write() as tx:
                tx.put(
                    facts.id, facts, marking=make.marking(), engagement=facts.id, org=make.DEVELOPER
                )
                for id_ in PEOPLE:
                    until = now + (make.UNTIL - make.NOW)
                    tx.put_principal(replace(World.person(id_), access_until=until))
            at = replace(doors.door(self.home, parts), passwords=WORDS)
            for id_ in PEOPLE:
                self.seat(at, id_)

    def seat(self, at: doors.Door, id_: str) -> None:
        """Two factors: a password, then a key in a file."""
        here = Caller("127.0.0.1", "a test")
        sign_in.set_password(at.opened(id_, 3), WORDS.new("a quiet sentence of words"))
        acting = at.acting(at.by_password(id_, "a quiet sentence of words", here).token)
        doors.register_file(acting, self.folder / f"{id_}.key", "a test's")
        both = doors.sign_in_with_file(at, self.folder / f"{id_}.key", here, acting.session)
        keep(self.folder / f"{id_}.session", both.token)

    def run(self, person: str, *words: object) -> Result:
        """What a command answers to *person*."""
        seat = ("--home", self.home.folder, "--session", self.folder / f"{person}.session")
        return CliRunner().invoke(main.app, [str(word) for word in (*words, *seat)])

    def good(self, person: str, *words: object) -> str:
        """Standard output of a command that ends well."""
        result = self.run(person, *words)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    def file(self, name: str, content: bytes | str) -> Path:
        """A file beside the installation."""
        place = self.folder / name
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An installation with people."""
    return House(tmp_path)


def test_an_artefact_is_private_until_three_signed(house: House) -> None:
    """Deposited, listed to its parties, asked for, signed, published, and found by the scan."""
    report = house.file("report.md", TEXT)
    deposit = ("artefact", "deposit", report, "--engagement", make.ENGAGEMENT)
    taken = json.loads(house.good("keeper", *deposit, "--json"))
    assert taken["content"] == "text"
    listed = json.loads(house.good("official", "artefact", "list", "--json"))["artefacts"]
    assert taken["id"] in {one["id"] for one in listed}
    assert taken["id"] in house.good("keeper", "artefact", "list")
    before = json.loads(house.good("keeper", "artefact", "scan", "--json"))
    assert before == {"listed": [], "published": [], "unlisted": []}
    publish = ("artefact", "publish", taken["id"], "--allow", "report.md=1000")
    request = house.good("keeper", *publish)
    early = house.run("keeper", *publish, "--request", request)
    assert early.exit_code == 3
    for person in ("keeper", "official", "second"):
        house.good(person, "approval", "approve", request, "--key", house.folder / f"{person}.key")
    told = house.good("keeper", *publish, "--request", request)
    assert told.startswith(taken["digest"])
    assert (house.home.folder / "published" / taken["digest"]).read_text() == TEXT
    assert house.good("keeper", "artefact", "scan") == "published: 1"


def test_a_file_that_nobody_published_is_found(house: House) -> None:
    """Something lies in the public folder that no publication accounts for: exit 5."""
    stray = house.home.folder / "published" / "notes.txt"
    stray.parent.mkdir()
    stray.write_text("x")
    result = house.run("keeper", "artefact", "scan")
    assert result.exit_code == 5
    assert "unlisted): notes.txt" in result.stdout


def test_refusals_have_their_exit_codes(house: House) -> None:
    """A pickle, a link, an unknown engagement, a wrong list: 2, 2, 4, 2."""
    pickle = house.file("model.bin", b"\x80\x04\x95\0")
    on = ("--engagement", make.ENGAGEMENT)
    refused = house.run("keeper", "artefact", "deposit", pickle, *on, "--as", "weights")
    assert refused.exit_code == 2
    assert "convert it to safetensors" in refused.stderr
    link = house.folder / "link"
    link.symlink_to(pickle)
    assert house.run("keeper", "artefact", "deposit", link, *on).exit_code == 2
    note = house.file("a.md", TEXT)
    unknown = ("--engagement", "engagement-9999")
    assert house.run("keeper", "artefact", "deposit", note, *unknown).exit_code == 4
    for allow in ("report.md", "=3", "a=b"):
        result = house.run("keeper", "artefact", "publish", "artefact-1", "--allow", allow)
        assert result.exit_code == 2
    gone = ("--canaries", house.folder / "absent", "--allow", "a=1")
    assert house.run("keeper", "artefact", "publish", "artefact-1", *gone).exit_code == 2


def test_a_check_needs_no_installation(tmp_path: Path) -> None:
    """`artefact check` looks into a file as a publication would: exit 0, or 5 with what it found."""
    page = tmp_path / "page.js"
    page.write_text("code()\n//# sourceMappingURL=page.js.map\n")
    canaries = tmp_path / "canaries"
    canaries.write_text("CANARY-0011223344\n\n")
    run = CliRunner()
    found = run.invoke(main.app, ["artefact", "check", str(page), "--json"])
    assert found.exit_code == 5
    assert [flaw["rule"] for flaw in json.loads(found.stdout)["flaws"]] == ["source map"]
    page.write_text("code(); CANARY-0011223344\n")
    told = run.invoke(main.app, ["artefact", "check", str(page), "--canaries", str(canaries)])
    assert "page.js: canary: holds a canary string" in told.stdout
    page.write_text("code()\n")
    clean = ["artefact", "check", str(page), "--allow", "page.js=100"]
    assert run.invoke(main.app, clean).stdout == "1 files, 0 findings\n"
    assert run.invoke(main.app, [*clean[:3], "--allow", "page.js=3"]).exit_code == 5
    assert run.invoke(main.app, ["artefact", "check", str(tmp_path)]).exit_code == 2


def delivery(house: House) -> tuple[Path, Path, Path]:
    """A folder of weights, a private key, and its public half."""
    folder = house.folder / "model"
    folder.mkdir()
    header = json.dumps({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
    raw = len(header).to_bytes(8, "little") + header + b"data"
    (folder / "model.safetensors").write_bytes(raw)
    key = ec.generate_private_key(ec.SECP384R1())
    private = house.file(
        "ec.key",
        key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption()),
    )
    spki = pem.PublicFormat.SubjectPublicKeyInfo
    return (
        folder,
        private,
        house.file("ec.pub", key.public_key().public_bytes(pem.Encoding.PEM, spki)),
    )


def test_weights_are_signed_received_and_accounted_for(house: House) -> None:
    """From the developer's signature to a custody statement with a proof per movement."""
    folder, private, public = delivery(house)
    signature = house.folder / "model.sig"
    signed = ["weights", "sign", folder, "--key", private, "--signature", signature]
    assert CliRunner().invoke(main.app, [str(word) for word in signed]).exit_code == 0
    on = ("--engagement", make.ENGAGEMENT, "--signature", signature)
    receive = ("weights", "receive", folder, *on)
    assert house.run("keeper", *receive).exit_code == 2
    got = json.loads(house.good("keeper", *receive, "--key", public, "--json"))["received"]
    assert [one["name"] for one in got] == ["model.safetensors"]
    custody = ("weights", "custody", make.ENGAGEMENT)
    proofs = ("--proofs", house.folder / "proofs")
    assert house.run("keeper", *custody, *proofs).exit_code == 5
    published = CliRunner().invoke(main.app, ["log", "publish", "--home", str(house.home.folder)])
    assert published.exit_code == 0, published.output
    assert "3 proofs in" in house.good("keeper", *custody, *proofs)
    with wiring.opened(house.home) as parts:
        policy = tlog_policy.alone(parts.signer.vkeys())
    for proof in (house.folder / "proofs").glob("*.tlog-proof"):
        opening = decode_opening(proof.with_suffix(".json").read_bytes())
        check(ActProof(opening, proof.read_text()), policy)
    told = json.loads(house.good("keeper", *custody, "--json"))
    moved = [one["movement"] for one in told["files"][0]["movements"]]
    assert moved == ["offered", "received", "stored"]
    text = house.good("keeper", *custody)
    assert got[0]["digest"] in text
    assert "Copies not known to us may exist" in text
    assert house.good("keeper", *receive, "--key", public).endswith("model.safetensors")
    assert "IRREGULAR: received already" in house.good("keeper", *custody)
    assert house.run("keeper", *receive, "--key", private).exit_code == 8
    (folder / "model.safetensors").write_bytes(b"other")
    assert house.run("keeper", *receive, "--key", public).exit_code == 8
    inside = ("--engagement", make.ENGAGEMENT, "--signature", folder / "model.safetensors")
    assert (
        house.run("keeper", "weights", "receive", folder, *inside, "--key", public).exit_code == 2
    )
