"""Reports in files, folders, lines and archives; what lies beside them is no report."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from leadline.app import offered
from leadline.app.offered import Offered
from leadline.core.errors import Invalid, NotFound
from reporting import TOLD, as_bytes

WITH_PROOF = as_bytes(reproducer={"file": "poc.txt"})


def found(path: Path) -> dict[str, Offered]:
    """What is at a path, by name."""
    return {one.name: one for one in offered.offered(path, TOLD)}


def laid(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Files in a folder."""
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return folder


def archive(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    """The same in an archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.USTAR_FORMAT) as made:  # type: ignore[call-overload] # the mode is one
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return out.getvalue()


FILES = {
    "a.json": as_bytes(),
    "b/c.json": WITH_PROOF,
    "b/poc.txt": b"boom",
    "b/bad.json": as_bytes(title=None),
    "note.md": b"not a report",
}


@pytest.mark.parametrize("kind", ["folder", "gz", "tar"])
def test_a_folder_or_an_archive_gives_each_report_and_every_fault(
    tmp_path: Path, kind: str
) -> None:
    """The proof that a report names is none, though it ends like one."""
    place = laid(tmp_path / "d", FILES)
    if kind != "folder":
        place = tmp_path / ("x.tar.gz" if kind == "gz" else "x.tar")
        place.write_bytes(archive(FILES, "w:gz" if kind == "gz" else "w"))
    read = found(place)
    assert set(read) == {"a.json", "b/c.json", "b/bad.json"}
    assert read["b/c.json"].drafts[0].proof == b"boom"
    faulty = read["b/bad.json"].faulty
    assert faulty is not None
    assert "title" in faulty.faults[0].problem


def test_one_file_with_what_lies_beside_it(tmp_path: Path) -> None:
    """Whatever it is called."""
    laid(tmp_path, {"report": WITH_PROOF, "poc.txt": b"boom"})
    read = found(tmp_path / "report")
    assert read["report"].drafts[0].proof == b"boom"


@pytest.mark.parametrize(
    "name", ["../poc.txt", "/etc/passwd", "link", "", ".", "none", "r.json", "d"]
)
def test_only_files_in_the_reports_own_folder_are_read(tmp_path: Path, name: str) -> None:
    """No way up, no absolute path, no link out, not the report itself, no folder."""
    laid(tmp_path, {"poc.txt": b"boom", "in/r.json": as_bytes(reproducer={"file": name or "x"})})
    (tmp_path / "in/link").symlink_to(tmp_path / "poc.txt")
    (tmp_path / "in/d").mkdir()
    faulty = found(tmp_path / "in/r.json")["r.json"].faulty
    assert faulty is not None
    assert faulty.faults[0].place == "/reproducer"


def test_a_report_a_line(tmp_path: Path) -> None:
    """Blank lines say nothing; a fault names its line."""
    lines = [as_bytes(), b"", as_bytes(title=None), WITH_PROOF]
    laid(tmp_path, {"all.jsonl": b"\n".join(lines), "poc.txt": b"boom"})
    read = found(tmp_path / "all.jsonl")
    assert [one.faulty is None for one in read.values()] == [True, False, True]
    assert list(read) == ["all.jsonl:1", "all.jsonl:3", "all.jsonl:4"]
    assert read["all.jsonl:4"].drafts[0].proof == b"boom"
    laid(tmp_path, {"long.jsonl": as_bytes() + b"\n" + b" " * (257 << 10)})
    with pytest.raises(Invalid, match=r"long\.jsonl:2"):
        found(tmp_path / "long.jsonl")


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    """A file, lines, a folder without reports, one that cannot be read."""
    for name in ("none.json", "none.jsonl", "none.tar.gz"):
        with pytest.raises(NotFound):
            found(tmp_path / name)
    laid(tmp_path / "empty", {"note.md": b"x"})
    with pytest.raises(NotFound, match="no report here"):
        found(tmp_path / "empty")
    (tmp_path / "dir.jsonl").mkdir()
    with pytest.raises(NotFound, match="no report here"):
        found(tmp_path / "dir.jsonl")


def test_the_one_report_where_one_is_due(tmp_path: Path) -> None:
    """Several, or one with a fault, are told."""
    laid(
        tmp_path,
        {"a/r.json": as_bytes(), "b.jsonl": as_bytes() + b"\n" + as_bytes(), "c.json": b"{}"},
    )
    assert offered.only(tmp_path / "a", TOLD).raw == as_bytes()
    with pytest.raises(Invalid, match="has 2 findings"):
        offered.only(tmp_path / "b.jsonl", TOLD)
    with pytest.raises(Invalid, match="none of finding"):
        offered.only(tmp_path / "c.json", TOLD)


def test_too_many_and_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits hold before anything is read; a file beyond them is one that is not there."""
    laid(tmp_path, {"r.json": WITH_PROOF, "poc.txt": b"boom" * 400})
    monkeypatch.setattr(offered, "ATTACHMENT_BYTES_MAX", 1000)
    faulty = found(tmp_path / "r.json")["r.json"].faulty
    assert faulty is not None
    told = found(tmp_path)
    assert told["poc.txt"].faulty is not None
    assert told["r.json"].faulty is not None
    monkeypatch.setattr(offered, "FILES_MAX", 1)
    with pytest.raises(Invalid, match="more than 1 files"):
        found(tmp_path)


def test_an_archive_that_serves_an_attack_is_refused(tmp_path: Path) -> None:
    """Entries that leave the folder take the whole archive with them."""
    (tmp_path / "x.tar").write_bytes(archive({"../r.json": as_bytes()}, "w"))
    with pytest.raises(Invalid):
        found(tmp_path / "x.tar")
    (tmp_path / "y.tar").write_bytes(archive({"r.json": json.dumps(["x"]).encode()}, "w"))
    assert found(tmp_path / "y.tar")["r.json"].faulty is not None
