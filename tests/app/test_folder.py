"""Reading a folder that nobody vouches for."""

from pathlib import Path

import pytest

from leadline.app import folder
from leadline.core.errors import Tampered, Unavailable


def test_lines_are_whole_and_in_order(tmp_path: Path) -> None:
    """Lines come back as they are, however they lie across the pieces that are read."""
    lines = [b"x" * length + b"\n" for length in (0, 5, folder.CHUNK_BYTES, 3, 700_000, 700_000)]
    (tmp_path / "file").write_bytes(b"".join(lines) + b"rest")
    found = list(folder.lines(tmp_path, "file", bytes_max=2 * folder.CHUNK_BYTES))
    assert [*lines, b"rest"] == found


def test_a_line_without_end_is_named(tmp_path: Path) -> None:
    """A line above the limit is refused before the whole file is in memory."""
    (tmp_path / "file").write_bytes(b"x" * (3 * folder.CHUNK_BYTES))
    with pytest.raises(Tampered, match="file: a line is longer"):
        list(folder.lines(tmp_path, "file", bytes_max=folder.CHUNK_BYTES))


def test_what_is_gone_is_told_apart_from_what_fails(tmp_path: Path) -> None:
    """A folder that cannot be listed is a failure; a folder in place of a file is tampering."""
    with pytest.raises(Unavailable, match="cannot be read"):
        folder.scan(tmp_path / "absent")
    (tmp_path / "sub").mkdir()
    with pytest.raises(Tampered, match="sub: missing"):
        folder.digest(tmp_path, "sub")


def test_a_link_put_in_later_is_not_followed(tmp_path: Path) -> None:
    """Even after the scan, a link is not read through."""
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(Unavailable, match="link cannot be read"):
        folder.read(tmp_path, "link", bytes_max=100)
