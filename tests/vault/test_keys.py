"""The log's keys in a file."""

import stat
import threading
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from bundles import ORIGIN
from leadline.app.signature import check, ml_dsa_required
from leadline.core.errors import Invalid, Refused, Unavailable
from leadline.core.record.tlog import EMPTY_ROOT
from leadline.formats import canonical, cosignature, note
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.note import Kind
from leadline.vault.keys import open_signer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the keys shall stand; neither file nor folder exists."""
    return tmp_path / "state" / "signer.key"


def test_a_checkpoint_is_signed_with_both_algorithms(file: Path) -> None:
    """Both exported keys verify a checkpoint: Ed25519 as a note, ML-DSA-44 as a cosignature."""
    signer = open_signer(file, ORIGIN)
    signed = note.parse(signer.sign(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text).encode())
    keys = note.parse_vkeys(signer.vkeys())
    assert [key.kind for key in keys] == [Kind.ED25519, Kind.ML_DSA_44_COSIGNATURE]
    assert [key.name for key in keys] == [ORIGIN, ORIGIN]
    cosignature.require("checkpoint", signed, keys, check)
    assert len(signed.signatures) == 2


def test_another_text_is_signed_with_both_algorithms(file: Path) -> None:
    """Any other text carries both signatures too, the second of them over the text itself."""
    signer = open_signer(file, ORIGIN)
    signed = note.parse(signer.sign("a text\nof two lines\n").encode())
    keys = [cosignature.text_key(key) for key in note.parse_vkeys(signer.vkeys())]
    cosignature.require("text", signed, [key for key in keys if key is not None], check)
    assert [key.kind for key in keys if key is not None] == [Kind.ED25519, Kind.ML_DSA_44_TEXT]


@pytest.mark.parametrize(
    "text",
    [
        "no newline",
        Checkpoint("another.example", 0, EMPTY_ROOT).text,
        Checkpoint(ORIGIN, 0, EMPTY_ROOT, ("extension",)).text,
        f"{ORIGIN}\n1\nno root\n",
    ],
)
def test_what_the_log_does_not_sign(file: Path, text: str) -> None:
    """No other log's checkpoint, no extension line, nothing that nearly is a checkpoint."""
    with pytest.raises(Invalid):
        open_signer(file, ORIGIN).sign(text)


def test_keys_are_made_once(file: Path) -> None:
    """A second call gives the same keys, of the same file, which its owner alone may read."""
    first = open_signer(file, ORIGIN).vkeys()
    written = file.read_bytes()
    assert first == open_signer(file, ORIGIN).vkeys()
    assert written == file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [file] == list(file.parent.iterdir())


def test_two_makers_at_once_get_the_same_keys(file: Path) -> None:
    """Whoever comes second takes the keys of the first."""
    found = list[str]()
    start = threading.Barrier(6)

    def make() -> None:
        start.wait()
        found.append(open_signer(file, ORIGIN).vkeys())

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert [file] == list(file.parent.iterdir())


def test_a_file_that_others_may_read_is_refused(file: Path) -> None:
    """Keys open to others are not used; the cure is named."""
    open_signer(file, ORIGIN)
    file.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        open_signer(file, ORIGIN)


def test_the_keys_of_another_log_are_refused(file: Path) -> None:
    """A key signs under one name only."""
    open_signer(file, ORIGIN)
    with pytest.raises(Refused, match="not of other"):
        open_signer(file, "other.example")


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_name_that_no_key_can_have_is_refused(file: Path, name: str) -> None:
    """Before anything is written."""
    with pytest.raises(Invalid, match="origin"):
        open_signer(file, name)
    assert not file.exists()


@pytest.mark.parametrize(
    "change",
    [{"format": "other"}, {"name": 1}, {"more": "x"}, {"ed25519": "00"}, {"ml_dsa_44": "Z" * 64}],
)
def test_a_damaged_key_file_is_refused(file: Path, change: dict[str, str | int]) -> None:
    """No key is made up in place of a damaged one."""
    seeds = {"ed25519": "0" * 64, "format": "leadline/signer/v1", "ml_dsa_44": "0" * 64}
    file.parent.mkdir()
    file.write_bytes(canonical.encode({**seeds, "name": ORIGIN, **change}))
    file.chmod(0o600)
    with pytest.raises(Invalid, match="key file"):
        open_signer(file, ORIGIN)


def test_secrets_do_not_show(file: Path) -> None:
    """Neither seed appears in the signer's representation or in what it exports."""
    signer = open_signer(file, ORIGIN)
    members = canonical.decode(file.read_bytes())
    assert isinstance(members, dict)
    for name in ("ed25519", "ml_dsa_44"):
        assert str(members[name]) not in f"{signer!r} {vars(signer)} {signer.vkeys()}"


def test_a_missing_algorithm_is_said() -> None:
    """Without ML-DSA-44 the cure is named, and nothing goes on with Ed25519 alone."""
    with pytest.raises(Unavailable, match="version 50"), ml_dsa_required():
        raise UnsupportedAlgorithm("ML-DSA")
