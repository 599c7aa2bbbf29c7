"""Claims about reading eval logs that nobody vouches for."""

import json
import struct
import zipfile
from pathlib import Path

import pytest
import zstandard

from eval_logs import FAILED, Told, answers, write
from leadline.core.errors import Invalid, NotFound
from leadline.runner import eval_log, imported
from leadline.runner.eval_log import Bounds

BOMB = b"[" + b" " * (3 << 20) + b"]"


def members(path: Path) -> dict[str, bytes]:
    """What an archive holds, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(path: Path, held: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive with these members."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of twelve samples, one of which failed."""
    return write(tmp_path / "a.eval", Told(answers("110100110101") | {("i3", 1): FAILED}))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, 93])
@pytest.mark.parametrize("indexed", [True, False])
def test_every_form_of_archive_says_the_same(log: Path, method: int, *, indexed: bool) -> None:
    """Stored, deflated or Zstandard, with an index of samples or without: the same samples."""
    held = members(log)
    if not indexed:
        held = {name: data for name, data in held.items() if "summaries" not in name}
    other = archive_of(log.with_name("b.eval"), held, method)
    expected, found = eval_log.read(log), eval_log.read(other)
    assert found.settings == expected.settings
    assert [(one.id, one.epoch, one.scores) for one in found.samples] == [
        (one.id, one.epoch, one.scores) for one in expected.samples
    ]
    assert sum(one.error is not None for one in found.samples) == 1


def test_a_json_log_says_the_same(log: Path, tmp_path: Path) -> None:
    """The other form of Inspect's."""
    other = write(tmp_path / "b.json", Told(answers("110100110101") | {("i3", 1): FAILED}))
    assert len(eval_log.read(other).samples) == len(eval_log.read(log).samples) == 12


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, 93])
@pytest.mark.parametrize("member", ["header.json", "summaries.json", "samples/i0_epoch_1.json"])
def test_a_member_that_unfolds_too_far_is_refused(log: Path, method: int, member: str) -> None:
    """A few kilobytes that become megabytes are stopped at the bound, whatever length they announce."""
    held = members(log)
    if member.startswith("samples"):
        held = {name: data for name, data in held.items() if "summaries" not in name}
    bomb = archive_of(log.with_name("b.eval"), held | {member: BOMB}, method)
    assert bomb.stat().st_size < 1 << 16
    data = bomb.read_bytes().replace(struct.pack("<L", len(BOMB)), struct.pack("<L", 3))
    bomb.write_bytes(data)
    with pytest.raises(Invalid, match="unfolds to more than"):
        eval_log.read(bomb, Bounds(member=1 << 20))


def test_the_members_together_are_bounded(log: Path) -> None:
    """Many members of a lawful size do not add up to more than the bound."""
    held = members(log) | {f"_journal/config_updates/{n}.json": b" " * 900 for n in range(40)}
    full = archive_of(log.with_name("b.eval"), held, zipfile.ZIP_STORED)
    with pytest.raises(Invalid, match="unfolds to more than"):
        eval_log.read(full, Bounds(members=20_000))


@pytest.mark.parametrize("comment", [b"", b"a comment"])
@pytest.mark.parametrize("zip64", ["", "right", "elsewhere"])
def test_a_long_list_of_members_is_refused(log: Path, comment: bytes, zip64: str) -> None:
    """The index is bounded before it is read, in both forms of its end record.

    Where the record stands elsewhere than told, newer releases of Python take it for no archive at all.
    """
    path = archive_of(log.with_name("b.eval"), members(log))
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = comment
    if zip64:
        data = path.read_bytes()
        at = data.rfind(b"PK\5\6")
        size, start = struct.unpack_from("<2L", data, at + 12)
        record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, start)
        locator = struct.pack("<4sLQL", b"PK\6\7", 0, at if zip64 == "right" else 0, 1)
        end = data[at : at + 12] + struct.pack("<2L", 0xFFFFFFFF, 0xFFFFFFFF) + data[at + 20 :]
        path.write_bytes(data[:at] + record + locator + end)
    with (
        pytest.raises(Invalid, match="lists its members")
        if zip64 != "elsewhere"
        else pytest.raises(Invalid)
    ):
        eval_log.read(path, Bounds(index=100))


def test_what_a_reader_of_names_would_take_first_is_not_taken(log: Path) -> None:
    """Of two members with one name the last counts, as for Inspect; others are not looked at."""
    held = members(log)
    other = json.dumps([])
    with zipfile.ZipFile(log.with_name("b.eval"), "w") as archive:
        archive.writestr("summaries.json", other)
        archive.writestr("../../outside.json", BOMB)
        for name, data in held.items() - {("summaries.json", held["summaries.json"])}:
            archive.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("summaries.json", held["summaries.json"])
    found = eval_log.read(log.with_name("b.eval"), Bounds(member=1 << 20))
    assert len(found.samples) == 12


def test_damage_is_named(log: Path, tmp_path: Path) -> None:
    """A flipped bit, a cut file, another method, deep nesting, no archive: refused with the file's name."""
    whole = archive_of(tmp_path / "s.eval", members(log), zipfile.ZIP_STORED).read_bytes()
    index = members(log)["summaries.json"]
    flipped = whole.replace(index, index.replace(b'"i0"', b'"j0"', 1))
    assert flipped != whole
    deep = members(log) | {"summaries.json": b"[" * 200_000 + b"]" * 200_000}
    cases = {
        "flipped.eval": flipped,
        "cut.eval": whole[: len(whole) // 2],
        "end.eval": whole[:-5],
        "deep.eval": archive_of(tmp_path / "d.eval", deep).read_bytes(),
        "bzip.eval": archive_of(tmp_path / "z.eval", members(log), zipfile.ZIP_BZIP2).read_bytes(),
        "frame.eval": whole.replace(index, b"\x28\xb5\x2f\xfd" + index[4:]),
        "empty.eval": b"",
        "text.json": b"[1, 2",
        "deep.json": b'{"version":' + b"[" * 200_000,
    }
    for name, data in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(Invalid) as caught:
            eval_log.read(path)
        assert caught.value.field.startswith(str(path)), name
    with pytest.raises(NotFound):
        eval_log.read(tmp_path / "absent.eval")
    with pytest.raises(NotFound):
        eval_log.read(tmp_path)


def test_a_large_json_log_is_to_be_converted(tmp_path: Path) -> None:
    """Without an index a reader takes several times the file's size."""
    path = write(tmp_path / "b.json", Told(answers("1" * 10)))
    with pytest.raises(Invalid, match="inspect log convert"):
        eval_log.read(path, Bounds(json=10))


def test_several_frames_are_one_member(log: Path, tmp_path: Path) -> None:
    """Inspect's writer cuts large members into frames of Zstandard; all of them are read."""
    data = b"x" * 1000
    packed = b"".join(zstandard.ZstdCompressor().compress(part) for part in (data, data))
    assert eval_log._unpacked(packed, 93, 5000) == data + data
    assert len(eval_log._unpacked(packed, 93, 1500)) == 1500


def test_import_log_reads_within_the_same_bounds(log: Path) -> None:
    """A log that is described is read as one that is decided on."""
    spaces = b"[" + b" " * Bounds().member + b"]"
    bomb = archive_of(log.with_name("b.eval"), members(log) | {"header.json": spaces}, 93)
    with pytest.raises(Invalid, match="unfolds to more than"):
        imported.read_log(bomb)
    assert imported.read_log(log).samples == eval_log.read(log).samples
