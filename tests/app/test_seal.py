"""Sealing a folder."""

from pathlib import Path

import pytest

from bundles import ORIGIN, openings, write_bundle
from leadline.app.seal import seal
from leadline.app.verify import verify_bundle
from leadline.core.errors import Invalid, Tampered
from leadline.formats import manifest
from leadline.vault.keys import FileSigner, open_signer


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    """The log's signer."""
    return open_signer(tmp_path / "signer.key", ORIGIN)


@pytest.fixture
def bundle(tmp_path: Path, signer: FileSigner) -> Path:
    """A sealed bundle."""
    folder = tmp_path / "bundle"
    write_bundle(folder, openings(3), signer)
    return folder


def test_the_manifest_names_every_other_file(bundle: Path, signer: FileSigner) -> None:
    """And nothing else; the statement carries its digest and the tree head."""
    statement = seal(bundle, signer, ORIGIN)
    listing = (bundle / manifest.MANIFEST).read_bytes()
    present = {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}
    assert present == manifest.decode(listing).keys() | {manifest.MANIFEST, manifest.STATEMENT}
    assert (manifest.digest(listing), 3) == (statement.manifest, statement.head.size)


def test_sealing_again_covers_what_was_added(bundle: Path, signer: FileSigner) -> None:
    """A folder that was finished after a first seal verifies after the second."""
    (bundle / "report.json").write_bytes(b"{}")
    with pytest.raises(Tampered, match=r"report\.json: not in the manifest"):
        verify_bundle(bundle, signer.vkeys())
    seal(bundle, signer, ORIGIN)
    verify_bundle(bundle, signer.vkeys())


def test_empty_folders_are_removed(bundle: Path, signer: FileSigner) -> None:
    """A folder that stayed empty, and one that held only such, do not outlast the seal."""
    (bundle / "logs" / "later").mkdir(parents=True)
    seal(bundle, signer, ORIGIN)
    assert not (bundle / "logs").exists()
    verify_bundle(bundle, signer.vkeys())


class Crash(RuntimeError):
    """The process ends here."""


class Crashing:
    """A signer at whose call the process ends."""

    def vkeys(self) -> str:
        """No keys."""
        return ""

    def sign(self, text: str) -> str:
        """Never comes back."""
        raise Crash(text)


def test_a_crash_in_the_middle_needs_no_clean_up(bundle: Path, signer: FileSigner) -> None:
    """Whatever half-written files a crash left, sealing again gives a bundle that verifies."""
    (bundle / "late.json").write_bytes(b"{}")
    with pytest.raises(Crash):
        seal(bundle, Crashing(), ORIGIN)
    for name in (manifest.MANIFEST, manifest.STATEMENT):
        (bundle / f"{name}.new").write_bytes(b"half")
    (bundle / manifest.STATEMENT).unlink()
    seal(bundle, signer, ORIGIN)
    verify_bundle(bundle, signer.vkeys())
    assert not list(bundle.glob("*.new"))


def test_what_cannot_be_sealed_is_named(bundle: Path, signer: FileSigner) -> None:
    """A link, an odd name, another log's checkpoint, no checkpoint, no acts: refused by place."""
    link = bundle / "link"
    link.symlink_to("/etc/hostname")
    with pytest.raises(Invalid, match="link: neither a plain file"):
        seal(bundle, signer, ORIGIN)
    link.unlink()
    odd = bundle / "two words"
    odd.write_bytes(b"")
    with pytest.raises(Invalid, match="two words: not a name"):
        seal(bundle, signer, ORIGIN)
    odd.unlink()
    with pytest.raises(Invalid, match=f"checkpoint: it is of the log {ORIGIN}"):
        seal(bundle, signer, "other.example")
    acts = (bundle / manifest.ACTS).read_bytes()
    (bundle / manifest.ACTS).unlink()
    with pytest.raises(Invalid, match=r"acts\.jsonl: missing"):
        seal(bundle, signer, ORIGIN)
    (bundle / manifest.ACTS).write_bytes(acts)
    (bundle / manifest.CHECKPOINT).unlink()
    with pytest.raises(Invalid, match="checkpoint: missing"):
        seal(bundle, signer, ORIGIN)
