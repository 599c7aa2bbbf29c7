"""Weights and submissions that come by a page: what is taken, what is not, and what an upload cannot do."""

import io
import zipfile
from pathlib import Path

import pytest

import make
from app.test_weights import MODEL, Delivery
from identity.people import House
from leadline.app import engagement
from leadline.app.engagement import Dealings
from leadline.core.record.act import Kind
from leadline.wiring import handed, intake, record
from portal.assessed_world import SUBJECT, open_engagement
from portal.visits import Visitor, visitor

WEIGHTS = f"/engagements/{make.ENGAGEMENT}/weights"
DELIVERIES = WEIGHTS + "/deliveries"
SUBMISSION = f"/engagements/{make.ENGAGEMENT}/submission"
NAMES = ["../../../../etc/cron.d/x", "..\\..\\x.bat", "/etc/passwd", "a/b/../c", "x\u202egpj.exe"]


@pytest.fixture
def dev(at: House) -> Visitor:
    """The developer, signed in, with access open."""
    open_engagement(at)
    return visitor(at, "developer")


@pytest.fixture
def delivery(at: House, tmp_path: Path) -> Delivery:
    """Signed weights, whose key the administrators have put down."""
    place = tmp_path / "theirs"
    place.mkdir()
    made = Delivery(place)
    keys = at.folder / intake.KEYS
    keys.mkdir()
    (keys / f"{make.DEVELOPER}.pem").write_bytes(made.public.read_bytes())
    return made


def parts(one: Delivery, files: dict[str, bytes] = MODEL) -> dict[str, tuple[str, bytes]]:
    """The fields of the form."""
    found = {f"file-{n}": (name, data) for n, (name, data) in enumerate(files.items(), 1)}
    return found | {"signature": ("model.sig", one.signature.read_bytes())}


def test_signed_weights_are_taken_in_and_told_of(
    at: House, dev: Visitor, delivery: Delivery
) -> None:
    """Sealed, with each movement on the page; others do not hand in, strangers know of nothing."""
    assert "No weights were given" in dev.get(WEIGHTS).text
    done = dev.post(DELIVERIES, files=parts(delivery))
    assert done.status_code == 303, done.text
    page = dev.get(WEIGHTS).text
    assert page.count("kept sealed") == len(MODEL)
    assert "received" in page
    assert Kind.CUSTODY_ENTERED in at.kinds()
    at.enrol("stranger", "developer", org="another", engagements=frozenset())
    assert visitor(at, "stranger").get(WEIGHTS).status_code == 404
    other = visitor(at, "official").post(DELIVERIES, files=parts(delivery))
    assert other.status_code in {403, 404}


def test_what_was_not_signed_does_not_enter(at: House, dev: Visitor, delivery: Delivery) -> None:
    """A changed, a missing and a further file, another key, no signature: nothing enters custody."""
    changed = parts(delivery, MODEL | {"config.json": b"{}"})
    fewer = parts(delivery, {"config.json": MODEL["config.json"]})
    more = parts(delivery, MODEL | {"more.json": b"{}"})
    for given in (changed, fewer, more, parts(delivery) | {"signature": ("s", b"{}")}):
        answer = dev.post(DELIVERIES, files=given)
        assert answer.status_code == 422, answer.text
    unsigned = {name: one for name, one in parts(delivery).items() if name != "signature"}
    assert dev.post(DELIVERIES, files=unsigned).status_code == 422
    twice = parts(delivery) | {"file-7": ("config.json", b"{}")}
    assert "chosen twice" in dev.post(DELIVERIES, files=twice).text
    assert Kind.CUSTODY_ENTERED not in at.kinds()
    (at.folder / intake.KEYS / f"{make.DEVELOPER}.pem").unlink()
    assert "No key of yours is agreed" in dev.get(WEIGHTS).text
    assert dev.post(DELIVERIES, files=parts(delivery)).status_code == 409


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_path(at: House, dev: Visitor, delivery: Delivery, name: str) -> None:
    """Whatever a file is called, nothing is written but in a folder that is gone."""
    before = {str(one) for one in at.folder.parent.rglob("*") if one.is_file()}
    given = {"file-1": (name, b"{}"), "signature": ("s", b"{}")}
    assert dev.post(DELIVERIES, files=given).status_code == 422
    dev.post(SUBMISSION, data={"model": "m"}, files={"file-1": (name, b"words")})
    fresh = {str(one) for one in at.folder.parent.rglob("*") if one.is_file()} - before
    assert not [one for one in fresh if "vault" not in one and "leadline.db" not in one], fresh
    assert not Path("/etc/cron.d/x").exists()


def test_an_upload_is_bounded_before_it_is_read(dev: Visitor) -> None:
    """By its told length and by its true one; and by how many files come."""
    told = {"content-length": str(handed.BYTES_MAX * 4), "content-type": "multipart/form-data; boundary=x"}  # fmt: skip
    for path in (DELIVERIES, SUBMISSION):
        assert dev.request("POST", path, content=b"", headers=told).status_code == 413
    many = [("file-1", (f"{n}", b"x")) for n in range(40)]
    assert dev.post(DELIVERIES, files=many).status_code in {400, 413, 422}


def test_a_bomb_is_named_and_not_unpacked(dev: Visitor) -> None:
    """An eval log is a zip file: one that would be huge is refused beside its field."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("header.json", b" " * (200 << 20))
    given = {"file-1": ("log.eval", packed.getvalue())}
    answer = dev.post(SUBMISSION, data={"model": "m"}, files=given)
    assert answer.status_code == 422, answer.text
    assert "log.eval" in answer.text


@pytest.mark.parametrize(
    "data", [b"---\n" + b"a: &a [" + b"*a," * 50 + b"]\n---\n", b"{" * 100_000, b"PK\x03\x04"]
)
def test_what_begins_as_a_known_form_and_breaks_it_is_named(dev: Visitor, data: bytes) -> None:
    """Or is kept as the bytes that it is; no error of the program."""
    given = {"file-1": ("card.eval" if data.startswith(b"PK") else "card.md", data)}
    answer = dev.post(SUBMISSION + "/check", data={"model": "m"}, files=given)
    assert answer.status_code in {200, 422}


LOOKS = WEIGHTS + "/looks"


def test_a_signature_is_looked_at_first(at: House, dev: Visitor, delivery: Delivery) -> None:
    """Which files it names, and who could learn of them or have them opened; nothing is kept."""
    before = at.kinds()
    given = {"signature": ("model.sig", delivery.signature.read_bytes())}
    page = dev.post(LOOKS, files=given)
    assert page.status_code == 200, page.text
    assert f"{len(MODEL)} files in the signature" in page.text
    assert all(name in page.text for name in MODEL)
    told = page.text.partition("Who would see what")[2]
    assert "may have a file opened, once two others have signed" in told
    assert at.kinds() == before
    key = intake.fingerprint(at.folder / intake.KEYS / f"{make.DEVELOPER}.pem")
    assert key in dev.get(WEIGHTS).text
    wrong = dev.post(LOOKS, files={"signature": ("s", b"{}")})
    assert wrong.status_code == 422
    assert 'id="fault-signature"' in wrong.text
    assert "is none over a folder of weights" in wrong.text
    missing = dev.post(LOOKS)
    assert "no file was chosen" in missing.text
    for person in ("official", "auditor"):
        at.enrol(person, "determining-official" if person == "official" else person)
        assert visitor(at, person).post(LOOKS, files=given).status_code in {403, 404}


def test_each_movement_is_a_receipt(at: House, dev: Visitor, delivery: Delivery) -> None:
    """Its place in the log; once the log is signed again, its proof and what opens it."""
    assert dev.post(DELIVERIES, files=parts(delivery)).status_code == 303
    with at.door.parts.store.read() as view:
        last = view.acts(kind=Kind.CUSTODY_ENTERED)[-1]
    page = dev.get(WEIGHTS).text
    assert f"entry {last.index} of the log, whose proof comes with" in page
    record.publish(at.home)
    page = dev.get(WEIGHTS).text
    assert f"entry {last.index} of the log (<a" in page
    for kind in ("tlog-proof", "json"):
        answer = dev.get(f"/engagements/{make.ENGAGEMENT}/proofs/{last.act.id}.{kind}")
        assert answer.status_code == 200


def test_without_terms_nobody_hands_in(at: House, delivery: Delivery) -> None:
    """The page leads to the terms; the form is refused; no file enters."""
    at.enrol("developer", "developer", org=make.DEVELOPER, engagements=frozenset())
    texts = at.portal.library
    on = Dealings(make.ENGAGEMENT, make.DEVELOPER, texts.newest("us-eo-14409"), texts)
    engagement.open_draft(at.ctx("developer"), on, "a model", SUBJECT)
    client = visitor(at, "developer")
    assert "No terms are in effect" in client.get(WEIGHTS).text
    answer = client.post(DELIVERIES, files=parts(delivery))
    assert answer.status_code == 409
    assert "both parties sign the same text first" in answer.text
    assert Kind.CUSTODY_ENTERED not in at.kinds()


def test_terms_that_ended_bind_nobody(at: House, dev: Visitor, delivery: Delivery) -> None:
    """Past their day a form is refused, and says what to do."""
    at.clock.forward(days=61)
    answer = visitor(at, "developer").post(DELIVERIES, files=parts(delivery))
    assert answer.status_code == 409
    assert "agree new ones" in answer.text


def test_a_key_that_is_none_is_named(at: House, dev: Visitor, delivery: Delivery) -> None:
    """What administrators put down is no key: the page says so by its name."""
    (at.folder / intake.KEYS / f"{make.DEVELOPER}.pem").write_text("nothing")
    assert "holds no public key in PEM" in dev.get(WEIGHTS).text
