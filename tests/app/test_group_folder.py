"""Grouping the reports of a folder."""

from pathlib import Path

import pytest

from leadline.app.findings import group_folder
from leadline.core.errors import Invalid, NotFound

REPORT = "==1==ERROR: AddressSanitizer: SEGV on unknown address\n    #0 0x1 in take /a.c:7:1\n"


def test_every_file_is_in_a_group_or_listed(tmp_path: Path) -> None:
    """Members are paths below the folder; what is no report is named with its problem."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text(REPORT)
    (tmp_path / "deep" / "b.txt").write_text(REPORT.replace("==1==", "==2=="))
    (tmp_path / "notes.md").write_text("no report")
    (tmp_path / "gone").symlink_to(tmp_path / "missing")
    held = group_folder(tmp_path)
    assert held.reports == 2
    assert [group.members for group in held.groups] == [("a.txt", "deep/b.txt")]
    assert [fault.place for fault in held.unparsed] == ["notes.md"]


def test_what_cannot_be_opened_is_listed(tmp_path: Path) -> None:
    """One such file does not cost the others; too many files are refused, not cut."""
    (tmp_path / "a.txt").write_text(REPORT)
    (tmp_path / ("b" * 200)).write_text("x")
    with pytest.raises(Invalid, match="more than 1 files"):
        group_folder(tmp_path, files_max=1)
    assert len(group_folder(tmp_path).unparsed) == 1


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Rather than read as empty."""
    with pytest.raises(NotFound, match="no folder"):
        group_folder(tmp_path / "none")
