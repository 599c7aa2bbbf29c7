"""Trees of releases: unpacking, stripping, the search for leaks, links."""

import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from leadline.core.errors import Invalid, Unavailable
from leadline.suites.registry import tree


def make_sdist(path: Path, *members: tarfile.TarInfo | tuple[str, bytes]) -> Path:
    """A source archive of *members*."""
    with tarfile.open(path, "w:gz") as file:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                file.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                file.addfile(info, io.BytesIO(member[1]))
    return path


def make_link(name: str) -> tarfile.TarInfo:
    """A symbolic link to the password file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


def test_a_source_archive_loses_its_own_folder(tmp_path: Path) -> None:
    """``toy-1.0/toy/x.py`` becomes ``toy/x.py``; folders are made as needed."""
    folder = tarfile.TarInfo("toy-1.0/toy")
    folder.type = tarfile.DIRTYPE
    archive = make_sdist(tmp_path / "toy-1.0.tar.gz", folder, ("toy-1.0/toy/x.py", b"x = 1\n"))
    tree.unpack(archive, tmp_path / "out")
    assert (tmp_path / "out" / "toy" / "x.py").read_bytes() == b"x = 1\n"


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "toy/../../evil.py"])
def test_a_path_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    """Archives are other people's: a wheel may not write beside its tree."""
    archive = tmp_path / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, "x")
    with pytest.raises(Invalid, match="leads outside"):
        tree.unpack(archive, tmp_path / "a" / "b")
    assert not list(tmp_path.rglob("evil.py"))


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Links could show files of this host to a subject."""
    archive = make_sdist(tmp_path / "toy-1.0.tar.gz", make_link("toy-1.0/link"))
    with pytest.raises(Invalid, match="no ordinary file"):
        tree.unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("name", ["toy.whl", "toy.tar.gz"])
def test_what_is_no_archive_is_refused(tmp_path: Path, name: str) -> None:
    """Damage is an error with the file's name."""
    (tmp_path / name).write_bytes(b"not an archive at all")
    with pytest.raises(Invalid, match=name):
        tree.unpack(tmp_path / name, tmp_path / "out")


def test_an_archive_that_unpacks_too_large_is_refused(tmp_path: Path) -> None:
    """The bound holds before a byte is written."""
    archive = tmp_path / "toy.whl"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(tree.UNPACKED_BYTES_MAX + 1))
    with pytest.raises(Invalid, match="more than"):
        tree.unpack(archive, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_build_that_left_something_out_is_unavailable(tmp_path: Path) -> None:
    """Installing once lost extension modules silently; here nothing is silent."""
    with pytest.raises(Unavailable, match=r"core\.\*\.so"):
        tree.take(tmp_path, ["core.*.so"], tmp_path / "out")


def test_the_subject_gets_code_and_licence_but_no_change_log_and_no_tests(tmp_path: Path) -> None:
    """What names the flaw goes; a module that is only called history stays."""
    kept = ["toy/history.py", "LICENSE", "toy/testament.py", "toy/data.txt"]
    gone = ["CHANGES.rst", "NEWS", "SECURITY.md", "tests/a.txt", "toy/test_x.py", "docs/a.rst"]
    for name in kept + gone:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    (tmp_path / "METADATA").write_text("Name: toy\nAuthor: A\n\nFixes CVE-1.\n", encoding="utf-8")
    tree.strip(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tree.files(tmp_path)}
    assert left == {*kept, "METADATA"}
    assert (tmp_path / "METADATA").read_text(encoding="utf-8") == "Name: toy\n"


def test_a_leak_is_found_in_any_case_and_in_hexadecimal(tmp_path: Path) -> None:
    """Identifiers and the trigger are found wherever they stand, and the file is named."""
    proof = b"a trigger of some length"
    (tmp_path / "a.py").write_text("# see cve-2020-15904", encoding="utf-8")
    (tmp_path / "b.bin").write_bytes(b"\0" + proof + b"\0")
    (tmp_path / "c.txt").write_text(proof.hex(), encoding="utf-8")
    (tmp_path / "d.txt").write_text("nothing", encoding="utf-8")
    found = tree.leaks(tmp_path, ["CVE-2020-15904"], proof)
    assert [line.split(":")[0] for line in found] == ["a.py", "b.bin", "c.txt"]


def test_a_short_trigger_is_not_looked_for(tmp_path: Path) -> None:
    """A trigger that is one ordinary word stands in the package by right."""
    (tmp_path / "a.py").write_text("exception", encoding="utf-8")
    assert tree.leaks(tmp_path, [], b"exception") == ()


def test_sealed_files_are_read_only_and_linked_trees_cost_nothing(tmp_path: Path) -> None:
    """Prepared folders are shared by hard links, so their files must not change."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").write_text("x", encoding="utf-8")
    (tmp_path / "a" / "run").write_text("x", encoding="utf-8")
    (tmp_path / "a" / "run").chmod(0o755)
    tree.seal(tmp_path / "a")
    assert (tmp_path / "a" / "b" / "x").stat().st_mode & 0o777 == 0o444
    assert (tmp_path / "a" / "run").stat().st_mode & 0o777 == 0o555
    tree.link(tmp_path / "a", tmp_path / "copy")
    assert (tmp_path / "copy" / "b" / "x").samefile(tmp_path / "a" / "b" / "x")


def test_another_file_system_gets_copies(tmp_path: Path) -> None:
    """Where no hard link can be made, the tree is copied."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("x", encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=memory) as other:
        tree.link(tmp_path / "a", Path(other) / "copy")
        assert (Path(other) / "copy" / "x").read_text(encoding="utf-8") == "x"
