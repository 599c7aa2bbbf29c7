"""A tar archive by a stranger stays in its folder, on every Python."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.runner.replay.unpacking import unpack


def packed(*members: tuple[str, str, bytes | str, int]) -> tarfile.TarFile:
    """Members by name, kind, content or target, and mode."""
    kinds = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "sym": tarfile.SYMTYPE,
             "link": tarfile.LNKTYPE, "fifo": tarfile.FIFOTYPE}  # fmt: skip
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, kind, told, mode in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kinds[kind], mode
            if isinstance(told, str):
                info.linkname = told
                archive.addfile(info)
            else:
                info.size = len(told)
                archive.addfile(info, io.BytesIO(told))
    return tarfile.open(fileobj=io.BytesIO(held.getvalue()))


def test_what_is_plain_is_laid_out(tmp_path: Path) -> None:
    """Files with their right to run, folders, links inside, another name of a file."""
    archive = packed(
        (".", "dir", "", 0o755),
        ("bin/prog", "file", b"x", 0o6777),
        ("inside", "sym", "bin/prog", 0o777),
        ("bin/up", "sym", "../bin", 0o777),
        ("twice", "link", "bin/prog", 0o644),
        ("empty", "dir", "", 0o700),
        ("dangling", "sym", "nothing", 0o777),
        ("bin/prog2", "file", b"", 0o644),
        ("bin/prog2", "file", b"again", 0o644),
    )
    assert unpack(archive, tmp_path) == ()
    assert (tmp_path / "bin/prog").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "inside").read_bytes() == (tmp_path / "twice").read_bytes() == b"x"
    assert (tmp_path / "bin/prog2").read_bytes() == b"again"


@pytest.mark.parametrize(
    ("members", "left"),
    [
        ([("/etc/x", "file", b"x", 0o644)], ["/etc/x"]),
        ([("../x", "file", b"x", 0o644)], ["../x"]),
        ([("a/../../x", "file", b"x", 0o644)], ["a/../../x"]),
        ([("out", "sym", "/etc/passwd", 0o777)], ["out"]),
        ([("up", "sym", "../../x", 0o777)], ["up"]),
        ([("pipe", "fifo", "", 0o644)], ["pipe"]),
        ([("hard", "link", "../x", 0o644)], ["hard"]),
        ([("hard", "link", "nothing", 0o644)], ["hard"]),
        ([("here", "sym", "there", 0o777), ("there", "sym", "here", 0o777)], []),
        ([("d/f", "file", b"", 0o644), ("d", "file", b"x", 0o644)], ["d"]),
        ([("d", "file", b"x", 0o644), ("d/f", "file", b"", 0o644)], ["d/f"]),
        ([("f", "file", b"x", 0o644), ("f", "dir", "", 0o755)], ["f"]),
        ([("l", "link", "l", 0o644)], ["l"]),
        ([(".", "file", b"x", 0o644)], ["."]),
        # a later folder link turns an earlier link round
        (
            [("a", "sym", "b/../../../../x", 0o777), ("c/d/e", "dir", "", 0o755), ("b", "sym", "c/d/e", 0o777)],
            ["a"],
        ),
        ([("late", "sym", "b/../x", 0o777), ("b", "sym", ".", 0o777)], ["late"]),
        ([("w", "sym", "d", 0o777), ("d", "sym", "..", 0o777), ("w/x", "file", b"x", 0o644)], ["d", "w", "w/x"]),
    ],
)  # fmt: skip
def test_what_would_leave_is_left_out(
    tmp_path: Path, members: list[tuple[str, str, bytes | str, int]], left: list[str]
) -> None:
    """Named, and nothing beside the folder changes."""
    root = tmp_path / "root"
    root.mkdir()
    assert sorted(unpack(packed(*members), root)) == left
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


NAMES = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=4).map("/".join)
MEMBERS = st.tuples(NAMES, st.sampled_from(["file", "dir", "sym", "link", "fifo"]), NAMES)


@given(st.lists(MEMBERS, max_size=8))
def test_nothing_leads_out_whatever_the_order(members: list[tuple[str, str, str]]) -> None:
    """Every link of the result ends inside, and nothing lies beside it."""
    import tempfile

    made = [
        (name, kind, target.encode() if kind == "file" else target, 0o777)
        for name, kind, target in members
    ]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "root"
        root.mkdir()
        unpack(packed(*made), root)
        assert [path.name for path in Path(scratch).iterdir()] == ["root"]
        for path in root.rglob("*"):
            if path.is_symlink() and path.exists():
                assert path.resolve().is_relative_to(root.resolve())
