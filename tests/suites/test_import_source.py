"""Claims about reading someone else's folder: nothing outside it, nothing but ordinary files."""

import os
import socket
from pathlib import Path

import pytest

from leadline.core.errors import Invalid, NotFound
from leadline.suites.imported import source as limits
from leadline.suites.imported.make import copy
from leadline.suites.imported.setting import Setting, load_setting, refused
from leadline.suites.imported.source import Root, place


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A folder with an ordinary file, and a secret beside it."""
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "plain.txt").write_text("plain")
    (folder / ".hidden").mkdir()
    return Root(folder)


def test_an_ordinary_file_is_read(root: Root) -> None:
    """A file, a folder's files and a link that stays inside are taken."""
    (root.folder / "link").symlink_to("sub/plain.txt")
    assert root.bytes("sub/plain.txt") == b"plain"
    assert root.bytes("link") == b"plain"
    assert root.tree("sub") == [(root.folder / "sub/plain.txt", "plain.txt")]
    assert root.folders() == ["sub"]
    assert root.folders("absent") == []


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "sub/../../outside", "", "a\0b"])
def test_a_path_never_leads_outside(root: Root, path: str) -> None:
    """Absolute and upward paths are refused before anything is opened."""
    with pytest.raises(Invalid):
        root.bytes(path)


def test_links_out_and_onto_themselves_are_refused(root: Root) -> None:
    """A link is followed, and what it leads to must lie inside; a folder of links as well."""
    (root.folder / "sub/out").symlink_to("/etc/passwd")
    (root.folder / "loop").symlink_to("loop")
    (root.folder / "gone").symlink_to("nowhere")
    with pytest.raises(Invalid, match="leads outside the collection by a link"):
        root.bytes("sub/out")
    with pytest.raises(Invalid, match="leads outside"):
        root.tree("sub")
    with pytest.raises(Invalid, match="cannot be followed"):
        root.bytes("loop")
    with pytest.raises(NotFound):
        root.bytes("gone")
    (root.folder / "sub/out").unlink()
    (root.folder / "sub/folder").symlink_to("/etc")
    with pytest.raises(Invalid, match="leads outside"):
        root.tree("sub")


def test_what_is_no_ordinary_file_is_refused(root: Root) -> None:
    """A pipe, a socket, a device and a folder are named for what they are, and never opened."""
    os.mkfifo(root.folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root.folder / "socket"))
        for name, sort in (("pipe", "a pipe"), ("socket", "a socket"), ("sub", "a folder")):
            with pytest.raises(Invalid, match=f"is no ordinary file \\({sort}\\)"):
                root.file(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_refused(root: Root) -> None:
    """A device file is refused without being read."""
    os.mknod(root.folder / "zero", 0o666 | 0o020000, os.makedev(1, 5))
    with pytest.raises(Invalid, match="a device"):
        root.file("zero")


def test_large_files_and_large_trees_are_refused(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file over the limit is refused by its size alone; so is a folder with too many files."""
    with (root.folder / "sparse").open("wb") as file:
        file.truncate(limits.FILE_BYTES_MAX + 1)
    with pytest.raises(Invalid, match="more than"):
        root.file("sparse")
    (root.folder / "sub/more.txt").write_text("more")
    monkeypatch.setattr(limits, "FILES_MAX", 1)
    with pytest.raises(Invalid, match="over 1 files"):
        root.tree("sub")


def test_what_is_absent_is_not_found(root: Root, tmp_path: Path) -> None:
    """An absent file or folder is not found, which a reader may expect."""
    assert not root.has("absent")
    assert root.has("sub")
    for look in (root.file, root.tree):
        with pytest.raises(NotFound):
            look("absent")
    with pytest.raises(NotFound):
        Root(tmp_path / "absent")


@pytest.mark.parametrize("path", ["/a", "../a", "a/../b", "", "a\nb"])
def test_a_place_stays_below_the_task(path: str) -> None:
    """What a source calls a file's place is taken only if it stays below /task."""
    with pytest.raises(Invalid):
        place(path)
    assert place("a b/c") == "a b/c"


def test_no_file_takes_another_ones_place(tmp_path: Path) -> None:
    """Two files of one place, or a file below another, are refused."""
    (tmp_path / "a").write_text("a")
    copy(tmp_path / "a", tmp_path / "b" / "c")
    for target in (tmp_path / "b" / "c", tmp_path / "b" / "c" / "d"):
        with pytest.raises(Invalid, match="stands where another file"):
            copy(tmp_path / "a", target)


def test_places_that_the_sandbox_lays_out_are_refused(tmp_path: Path) -> None:
    """A source's file below /etc or /usr cannot be had here, and is named."""
    assert refused(Setting({"/root/a": "a"}, home="/root")) == ""
    assert "/etc/passwd is laid out" in refused(Setting({"/etc/passwd": "a"}))
    assert "/usr is laid out" in refused(Setting(home="/usr"))
    assert "/task/x is laid out" in refused(Setting({"/task/x": "a"}))
    with pytest.raises(Invalid, match="import the collection again"):
        load_setting(tmp_path)
