"""Claims about domains whose items never enter."""

import base64
import json
import logging
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from leadline.core.errors import Invalid, NotFound, Tampered
from leadline.formats import score_vector
from leadline.suites.imported.opaque import read_report

SECRET = "an item of a biology suite, in words"
SCORES = [1, 0, 0.5, 1]


def write(folder: Path, **more: object) -> Path:
    """A report in *folder*."""
    held = {"suite_digest": "cd" * 32, "count": len(SCORES), "scores": SCORES, **more}
    path = folder / "report.json"
    path.write_text(json.dumps(held))
    return path


def test_counts_and_an_interval_are_kept_and_no_item(tmp_path: Path) -> None:
    """The result says domain, holder, counts and interval, and whose word it is."""
    found = read_report(write(tmp_path), "biology", "Institute of Examples")
    assert (found.domain, found.count, found.solved) == ("biology", 4, 2)
    assert found.estimate.point == pytest.approx(0.625)
    assert found.estimate.low < 0.625 < found.estimate.high
    answer = found.answer()
    assert answer["provenance"] == "reported by Institute of Examples, not run here"
    assert (answer["containment"], answer["signature"]) == ("not evidenced", "none")
    assert not {"scores", "items"} & answer.keys()


def test_a_document_with_text_is_refused_and_nothing_of_it_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No word of it is in the error, in a log, or in a file that was not there before."""
    path = write(tmp_path, items=[SECRET])
    before = sorted(tmp_path.rglob("*"))
    with caplog.at_level(logging.DEBUG), pytest.raises(Invalid) as caught:
        read_report(path, "biology", "Institute")
    assert SECRET not in str(caught.value) + caplog.text + str(caught.value.__cause__)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_signature_is_checked_with_the_holders_key(tmp_path: Path) -> None:
    """The holder's key verifies; another's, an absent signature and changed scores do not."""
    private = Ed25519PrivateKey.generate()
    vector = score_vector.read(write(tmp_path).read_bytes(), "d")
    signature = base64.b64encode(private.sign(vector.signed)).decode()
    key, other = tmp_path / "key.pem", tmp_path / "other.pem"
    for place, one in ((key, private), (other, Ed25519PrivateKey.generate())):
        pem = one.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        place.write_bytes(pem)
    signed = write(tmp_path, signature=signature)
    assert read_report(signed, "chemistry", "H", key).signature.startswith("verified, key ")
    assert read_report(signed, "chemistry", "H").signature.startswith("there, not checked")
    with pytest.raises(Tampered):
        read_report(signed, "chemistry", "H", other)
    with pytest.raises(Tampered):
        read_report(write(tmp_path, signature=signature, scores=[1, 1, 1, 1]), "other", "H", key)
    with pytest.raises(Tampered, match="is absent"):
        read_report(write(tmp_path), "other", "H", key)


def test_what_is_no_key_no_domain_no_name_and_no_file_is_told(tmp_path: Path) -> None:
    """Each names the option and the cure; a name can carry no item."""
    path = write(tmp_path, signature=base64.b64encode(bytes(64)).decode())
    (tmp_path / "no.pem").write_text("no key")
    pem = X25519PrivateKey.generate().public_key()
    (tmp_path / "x.pem").write_bytes(
        pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    for key, said in (("no.pem", "no public key"), ("x.pem", "no Ed25519 key")):
        with pytest.raises(Invalid, match=said):
            read_report(path, "biology", "H", tmp_path / key)
    with pytest.raises(Invalid, match="--domain"):
        read_report(path, "physics", "H")
    for holder in ("", "a" * 81, "two\nlines"):
        with pytest.raises(Invalid, match="--holder"):
            read_report(path, "biology", holder)
    with pytest.raises(NotFound):
        read_report(tmp_path / "absent", "biology", "H")
