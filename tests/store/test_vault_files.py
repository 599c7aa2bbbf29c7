"""The vault on files: modes, links, odd names, two writers at once, a folder that cannot be written."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

import make
from leadline.core.errors import Invalid, NotFound, Tampered, Unavailable
from leadline.core.marking import Marking, Tlp
from leadline.vault.files import FileVault


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the vault will be."""
    return tmp_path / "deep" / "vault"


def test_nobody_else_may_read(folder: Path) -> None:
    """Files 0600 in folders 0700."""
    FileVault(folder).put(b"evidence", marking=make.marking())
    modes = {
        stat.S_IMODE(path.stat().st_mode): path.is_dir()
        for path in (folder, *folder.rglob("*"))
        if path.name != ".lock"
    }
    assert modes == {0o700: True, 0o600: False}


def test_nothing_half_written_is_left(folder: Path) -> None:
    """One content file and its marking, no temporary name."""
    digest = FileVault(folder).put(b"evidence", marking=make.marking())
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert names == {digest, f"{digest}.marking", ".lock"}


def test_what_is_there_is_not_written_again(folder: Path) -> None:
    """The second put leaves the first file as it is."""
    vault = FileVault(folder)
    digest = vault.put(b"evidence", marking=make.marking())
    before = (folder / digest[:2] / digest).stat()
    assert vault.put(b"evidence", marking=make.marking()) == digest
    after = (folder / digest[:2] / digest).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_what_is_no_digest_is_invalid(folder: Path, digest: str) -> None:
    """No name from outside becomes a path."""
    with pytest.raises(Invalid):
        FileVault(folder).get(digest)
    with pytest.raises(Invalid):
        FileVault(folder).marking(digest)


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """Even to a file with the right bytes."""
    vault = FileVault(folder)
    digest = vault.put(b"evidence", marking=make.marking())
    place = folder / digest[:2] / digest
    place.unlink()
    (tmp_path / "elsewhere").write_bytes(b"evidence")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        vault.get(digest)


@pytest.mark.parametrize("text", [b"TLP:NONE", b"\xff", b""])
def test_a_damaged_marking_is_tampered(folder: Path, text: bytes) -> None:
    """On reading and on the next put; it is never taken for a loose one."""
    vault = FileVault(folder)
    digest = vault.put(b"evidence", marking=make.marking())
    (folder / digest[:2] / f"{digest}.marking").write_bytes(text)
    with pytest.raises(Tampered):
        vault.marking(digest)
    with pytest.raises(Tampered):
        vault.put(b"evidence", marking=make.marking())


def test_a_marking_alone_is_nothing(folder: Path) -> None:
    """As a crash between the two writes leaves it; the next put completes it."""
    vault = FileVault(folder)
    digest = vault.put(b"evidence", marking=make.marking(Tlp.RED))
    (folder / digest[:2] / digest).unlink()
    for look in (vault.get, vault.marking):
        with pytest.raises(NotFound):
            look(digest)
    vault.put(b"evidence", marking=make.marking(Tlp.CLEAR))
    assert vault.get(digest) == b"evidence"
    assert vault.marking(digest) == make.marking(Tlp.RED)


@pytest.mark.parametrize("name", ["a//b", "//"])
def test_a_compartment_the_text_cannot_hold_is_invalid(folder: Path, name: str) -> None:
    """It would come back as other compartments."""
    with pytest.raises(Invalid):
        FileVault(folder).put(b"x", marking=Marking(Tlp.RED, frozenset({name})))


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable):
        FileVault(tmp_path / "file" / "vault").put(b"x", marking=make.marking())


def test_a_full_disk_leaves_nothing(folder: Path) -> None:
    """When the write fails in the middle, no temporary file stays and the content is absent."""
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from leadline.vault.files import FileVault; from leadline.core.marking import *\n"
        "from leadline.core.errors import Unavailable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: FileVault(Path(sys.argv[1])).put(b'x' * 100_000, marking=Marking(Tlp.RED))\n"
        "except Unavailable as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    )
    assert "File too large" in run.stdout
    left = [path.suffix for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    assert left == [".marking"]


def test_two_processes_lose_no_marking(folder: Path) -> None:
    """Each puts the same bytes under its own compartments; all of them are kept."""
    program = (
        "import sys; from pathlib import Path\n"
        "from leadline.vault.files import FileVault; from leadline.core.marking import *\n"
        "vault = FileVault(Path(sys.argv[1]))\n"
        "for n in range(20):\n"
        "    name = frozenset({f'{sys.argv[2]}-{n}'})\n"
        "    digest = vault.put(b'evidence', marking=Marking(Tlp.GREEN, name))\n"
        "print(digest)\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder), name], stdout=subprocess.PIPE, text=True
        )
        for name in ("a", "b")
    ]
    (digest,) = {process.communicate()[0].strip() for process in running}
    kept = FileVault(folder).marking(digest).compartments
    assert kept == {f"{name}-{n}" for name in ("a", "b") for n in range(20)}


def test_nothing_is_inherited_by_children(folder: Path) -> None:
    """Descriptors are closed again after every call."""
    vault = FileVault(folder)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(20):
        vault.get(vault.put(str(number).encode(), marking=make.marking()))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
