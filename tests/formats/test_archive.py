"""Evidence archives: what is taken, and every shape that can only mislead."""

import gzip
import io
import stat
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from leadline.core.errors import Invalid
from leadline.core.intake import DEFAULT, Hostile, Limits
from leadline.formats.archive import Entry, check_names, nested, pickled, read_tar, read_zip
from refusal import answer

FILES = {"report.txt": b"a crash", "inputs/one.bin": bytes(range(256))}
EXPECTED = [Entry(name, len(data), sha256(data).hexdigest()) for name, data in FILES.items()]
SMALL = Limits(entries=3, inflated_bytes=3 << 20, path_bytes=40)


def zipped(
    files: dict[str, bytes] = FILES,
    change: Callable[[zipfile.ZipInfo], None] = lambda info: None,
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A zip archive of *files*; *change* edits each entry's record before it is written."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            change(info)
            archive.writestr(info, data)
    return out.getvalue()


def tarred(*members: tuple[str, bytes, bytes], size: int | None = None) -> bytes:
    """A ustar archive of (name, type, content)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, kind, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(data)
            info.linkname = "report.txt" if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""
            archive.addfile(info, io.BytesIO(data))
    raw = out.getvalue()
    return raw if size is None else resized(raw, size)


def resized(raw: bytes, size: int) -> bytes:
    """The first member's announced length replaced, its checksum made to fit."""
    head = bytearray(raw[:512])
    head[124:136] = (
        b"%011o\0" % size if size >= 0 else b"\xff" * 4 + size.to_bytes(8, "big", signed=True)
    )
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + raw[512:]


def zip_entries(raw: bytes, limits: Limits = DEFAULT) -> list[Entry]:
    """Read from bytes."""
    return list(read_zip(io.BytesIO(raw), len(raw), limits))


def tar_entries(raw: bytes, limits: Limits = DEFAULT, *, gzipped: bool = False) -> list[Entry]:
    """Read from bytes."""
    return list(read_tar(io.BytesIO(raw), limits, gzipped=gzipped))


PLAIN_TAR = tarred(*((name, tarfile.REGTYPE, data) for name, data in FILES.items()))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_plain_zip_is_read(method: int) -> None:
    """Each file with length and digest; folders are only names."""
    raw = zipped({"inputs/": b""} | FILES, method=method)
    assert zip_entries(raw) == EXPECTED


def test_a_zip_written_to_a_pipe_is_read() -> None:
    """There the lengths stand behind the content."""

    class Pipe(io.BytesIO):
        @override
        def seekable(self) -> bool:
            return False

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    assert zip_entries(out.getvalue()) == EXPECTED


def test_a_plain_tar_is_read() -> None:
    """Whether or not it is gzipped, with folders."""
    assert tar_entries(PLAIN_TAR) == EXPECTED
    assert tar_entries(gzip.compress(PLAIN_TAR), gzipped=True) == EXPECTED
    assert tar_entries(tarred(("inputs/", tarfile.DIRTYPE, b""))) == []


NAMES = {
    "absolute": ["/etc/passwd"],
    "out of the folder": ["a/../../b"],
    "a dot part": ["a/./b"],
    "an empty part": ["a//b"],
    "a backslash": ["a\\b"],
    "a drive": ["C:a"],
    "a control character": ["a\nb"],
    "a NUL": ["a\0b"],
    "a right-to-left override": ["a\u202eb"],
    "accents apart": ["e\u0301"],
    "a dot at the end": ["a."],
    "a space at the end": ["a /b"],
    "too long": ["a" * 513],
    "twice": ["a", "a"],
    "case": ["Readme", "README"],
    "case of a folder": ["A/x", "a/y"],
    "sharp s": ["stra\u00dfe", "STRASSE"],
    "file and folder": ["a", "a/b"],
    "folder and file": ["a/b", "a"],
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_names_that_mislead_are_hostile(names: list[str]) -> None:
    """Whatever two file systems would read differently, or outside the folder."""
    with pytest.raises(Hostile):
        check_names(names)


@given(
    st.lists(st.from_regex(r"[a-z0-9_]{1,8}(/[a-z0-9_]{1,8}){0,3}\.x", fullmatch=True), unique=True)
)
def test_plain_names_pass(names: list[str]) -> None:
    """Lower-case names with an ending that no folder has."""
    check_names(names)


def _linked(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def _device(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFCHR | 0o666) << 16


def _folder_bit(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFDIR | 0o777) << 16


def _second_name(info: zipfile.ZipInfo) -> None:
    info.extra = struct.pack("<HH", 0x5455, 1) + b"x" + struct.pack("<HH", 0x7075, 6) + b"\1abcdx"


def patched(raw: bytes, sign: bytes, at: int, value: bytes) -> bytes:
    """The bytes at *at* after the first *sign* replaced."""
    where = raw.index(sign) + at
    return raw[:where] + value + raw[where + len(value) :]


ONE = {"a.txt": b"x" * 5000}
CENTRAL, LOCAL, END = b"PK\1\2", b"PK\3\4", b"PK\5\6"
ZIPS: dict[str, tuple[bytes, str]] = {
    "a symbolic link": (zipped(change=_linked), "a link or a device"),
    "a device": (zipped(change=_device), "a link or a device"),
    "a file that is a folder": (zipped(change=_folder_bit), "a link or a device"),
    "a second name": (zipped(change=_second_name), "a second name"),
    "traversal": (zipped({"../../etc/cron.d/x": b"x"}), "leads out"),
    "a NUL in a name": (zipped(ONE).replace(b"a.txt", b"\0.txt"), "with a NUL"),
    "no name": (
        zipped({"a": b""}).replace(b"\1\0\0\0a", b"\0\0\0\0").replace(b"a", b""),
        "damaged|no name|not where",
    ),
    "encryption": (patched(zipped(ONE), CENTRAL, 8, b"\1\0"), "encrypted"),
    "a folder with content": (
        patched(zipped({"a/": b""}, method=zipfile.ZIP_STORED), CENTRAL, 24, b"\5"),
        "content of its own",
    ),
    "an archive inside": (zipped({"x": zipped()}), "an archive inside"),
    "a tar inside": (zipped({"x": PLAIN_TAR}), "an archive inside"),
    "a pickle inside": (zipped({"x": b"\x80\x04\x95\x01\0"}), "a pickle"),
    "several disks": (patched(zipped(ONE), END, 4, b"\1\0"), "several disks"),
    "a list that is elsewhere": (patched(zipped(ONE), END, 16, b"\0\0\0\0"), "not where"),
    "a count that lies": (patched(zipped(ONE), END, 8, b"\0\0\0\0"), "0 entries announced, 1"),
    "data before": (b"MZ" + zipped(ONE), "not where"),
    "two methods": (patched(zipped(ONE), LOCAL, 8, b"\0\0"), "contradict"),
    "two lengths": (patched(zipped(ONE), LOCAL, 22, b"\0\0\0\1"), "contradict"),
    "two names": (patched(zipped(ONE), LOCAL, 30, b"b"), "damaged"),
    "no local header": (patched(zipped(ONE), LOCAL, 0, b"PK\7\7"), "contradict"),
    "an entry that begins late": (patched(zipped(ONE), CENTRAL, 42, b"\1\0"), "follows other data"),
    "an unknown encoding": (
        patched(zipped({"\u00e9": b"x"}), CENTRAL, 8, b"\0\0"),
        "unknown encoding",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "problem"), ZIPS.values(), ids=ZIPS)
def test_a_misleading_zip_is_refused(raw: bytes, problem: str) -> None:
    """One shape each, and the error says which."""
    with pytest.raises(Invalid, match=problem) as refusal:
        zip_entries(raw)
    assert isinstance(refusal.value, Hostile) or problem == "damaged"


def overlapped(copies: int) -> bytes:
    """Entries whose records all point to the same content, as in the zip bomb of Fifield (2019)."""
    raw = zipped({"a00": bytes(900_000)})
    central = raw[raw.index(CENTRAL) : raw.index(END)]
    records = b"".join(patched(central, CENTRAL, 46, b"a%02d" % number) for number in range(copies))
    begins = raw.index(CENTRAL)
    end = struct.pack("<4s4H2LH", END, 0, 0, copies, copies, len(records), begins, 0)
    return raw[:begins] + records + end


def test_entries_that_share_bytes_are_hostile() -> None:
    """Overlap is how a small file inflates without a large ratio of any one entry."""
    with pytest.raises(Hostile, match="overlaps"):
        zip_entries(overlapped(40))


def test_an_entry_that_reaches_into_the_list_is_hostile() -> None:
    """The list of entries is nobody's content."""
    raw = zipped({"a": b"x" * 50}, method=zipfile.ZIP_STORED)
    longer = struct.pack("<LL", 60, 60)
    with pytest.raises(Hostile, match="reaches into"):
        zip_entries(patched(patched(raw, CENTRAL, 20, longer), LOCAL, 18, longer))


def test_a_local_header_beyond_the_end_is_hostile() -> None:
    """The second entry is said to lie in the last bytes of the file."""
    raw = zipped({"a": b"x", "b": b"y"})
    second = raw.rindex(CENTRAL)
    late = raw[: second + 42] + struct.pack("<L", len(raw) - 5) + raw[second + 46 :]
    with pytest.raises(Hostile, match="beyond the archive"):
        zip_entries(late)


def test_an_entry_shorter_than_announced_is_hostile() -> None:
    """Only counting finds it: the packed content ends by itself."""
    raw = zipped(ONE)
    longer = struct.pack("<L", 6000)
    with pytest.raises(Hostile, match="shorter than it announces"):
        zip_entries(patched(patched(raw, CENTRAL, 24, longer), LOCAL, 22, longer))


DAMAGED_ZIPS = {
    "empty": (b"", "shorter"),
    "no end": (bytes(100), "no end record"),
    "a comment": (zipped()[:-2] + b"\1\0x", "no end record"),
    "another method": (zipped(method=zipfile.ZIP_BZIP2), "another method"),
    "a flipped bit": (patched(zipped(ONE), b"a.txt", 12, b"\xff"), "damaged"),
    "a wrong sum": (patched(patched(zipped(ONE), CENTRAL, 16, b"\0"), LOCAL, 14, b"\0"), "damaged"),
    "a broken list": (patched(zipped(ONE), CENTRAL, 0, b"PK\0\0"), "damaged"),
}


@pytest.mark.parametrize(("raw", "problem"), DAMAGED_ZIPS.values(), ids=DAMAGED_ZIPS)
def test_a_damaged_zip_is_refused(raw: bytes, problem: str) -> None:
    """No attack, and no crash either."""
    with pytest.raises(Invalid, match=problem) as refusal:
        zip_entries(raw)
    assert not isinstance(refusal.value, Hostile)


def test_a_name_that_is_no_utf8_is_hostile() -> None:
    """It says UTF-8 and is not."""
    raw = zipped({"\u00e9": b"x"}).replace("\u00e9".encode(), b"\xff\xff")
    with pytest.raises(Hostile, match="encoding it announces"):
        zip_entries(raw)


TARS: dict[str, tuple[bytes, str]] = {
    "a symbolic link": (tarred(("a", tarfile.SYMTYPE, b"")), "a link or a device"),
    "a hard link": (tarred(("a", tarfile.LNKTYPE, b"")), "a link or a device"),
    "a character device": (tarred(("a", tarfile.CHRTYPE, b"")), "a link or a device"),
    "a block device": (tarred(("a", tarfile.BLKTYPE, b"")), "a link or a device"),
    "a pipe": (tarred(("a", tarfile.FIFOTYPE, b"")), "a link or a device"),
    "traversal": (tarred(("../a", tarfile.REGTYPE, b"x")), "leads out"),
    "absolute": (tarred(("/a", tarfile.REGTYPE, b"x")), "absolute"),
    "a length beyond the end": (tarred(("a", tarfile.REGTYPE, b"x"), size=1 << 30), "longer than"),
    "a length below zero": (tarred(("a", tarfile.REGTYPE, b"x"), size=-512), "cannot be"),
    "a folder with content": (tarred(("a", tarfile.DIRTYPE, b""), size=512), "cannot be"),
    "a second tar behind": (PLAIN_TAR + PLAIN_TAR, "something follows"),
    "something behind an entry": (patched(PLAIN_TAR, b"a crash", 7, b"!"), "behind its end"),
    "an archive inside": (tarred(("a", tarfile.REGTYPE, zipped())), "an archive inside"),
    "twice": (tarred(("a", tarfile.REGTYPE, b""), ("A", tarfile.REGTYPE, b"")), "but for case"),
}


@pytest.mark.parametrize(("raw", "problem"), TARS.values(), ids=TARS)
@pytest.mark.parametrize("gzipped", [False, True])
def test_a_misleading_tar_is_hostile(raw: bytes, problem: str, *, gzipped: bool) -> None:
    """One shape each, gzipped or not."""
    with pytest.raises(Hostile, match=problem):
        tar_entries(gzip.compress(raw) if gzipped else raw, gzipped=gzipped)


def test_extensions_of_tar_are_refused_with_the_cure() -> None:
    """A long name of GNU tar or pax could say one name to one reader and another to the next."""
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE):
        with pytest.raises(Invalid, match="--format=ustar"):
            tar_entries(tarred(("a", kind, b"x")))


def test_damage_is_refused() -> None:
    """A header whose sum is wrong, one cut off, gzip cut off or broken, something behind it."""
    for raw in (patched(PLAIN_TAR, b"report", 0, b"x"), PLAIN_TAR[:100], b"x" * 512):
        with pytest.raises(Invalid, match="damaged header"):
            tar_entries(raw)
    packed = gzip.compress(PLAIN_TAR)
    with pytest.raises(Invalid, match="cut off"):
        tar_entries(packed[:-12], gzipped=True)
    with pytest.raises(Invalid, match="gzip: damaged"):
        tar_entries(b"\x1f\x8b\x08" + b"\xff" * 50, gzipped=True)
    for more in (b"x", packed):
        with pytest.raises(Hostile, match="something follows"):
            tar_entries(packed + more, gzipped=True)


def test_counts_hold_while_inflating() -> None:
    """Entries, the total, the ratio of one entry, and names."""
    four = {f"f{number}": b"x" for number in range(4)}
    with pytest.raises(Hostile, match="more than 3 entries"):
        zip_entries(zipped(four), SMALL)
    with pytest.raises(Hostile, match="more than 3 entries"):
        tar_entries(tarred(*((name, tarfile.REGTYPE, b"x") for name in four)), SMALL)
    with pytest.raises(Hostile, match="100 times its size"):
        zip_entries(zipped({"a": bytes(2 << 20)}), SMALL)
    with pytest.raises(Hostile, match="more than 3145728 bytes"):
        zip_entries(zipped({"a": bytes(4 << 20)}, method=zipfile.ZIP_STORED), SMALL)
    with pytest.raises(Hostile, match="more than 3145728 bytes"):
        tar_entries(PLAIN_TAR + bytes(4 << 20), SMALL)
    with pytest.raises(Hostile, match="100 times its size"):
        tar_entries(gzip.compress(PLAIN_TAR + bytes(2 << 20)), SMALL, gzipped=True)
    with pytest.raises(Hostile, match="longer than 40 bytes"):
        zip_entries(zipped({"a" * 41: b"x"}), SMALL)


def test_a_bomb_ends_in_time() -> None:
    """A gibibyte in a megabyte, as zip and as gzip, is refused within two seconds."""
    began = time.process_time()
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a", "w") as entry,
    ):
        for _ in range(256):
            entry.write(bytes(1 << 20))
    made = time.process_time() - began
    with pytest.raises(Hostile):
        zip_entries(out.getvalue())
    assert time.process_time() - began - made < 2


@pytest.mark.parametrize(
    ("head", "packed", "runs"),
    [
        (b"PK\3\4", True, False),
        (b"\x1f\x8b\x08", True, False),
        (PLAIN_TAR[:512], True, False),
        (b"\x80\x02}q\0.", False, True),
        (b"\x80\x04\x95", False, True),
        (b"\x80\x04\0\0", False, False),
        (b"text", False, False),
        (b"", False, False),
    ],
)
def test_what_content_begins_with(head: bytes, *, packed: bool, runs: bool) -> None:
    """Archives and pickles are told by their first bytes."""
    assert (nested(head), pickled(head)) == (packed, runs)


@given(st.binary(max_size=600), st.integers(0, 400))
def test_any_change_of_an_archive_is_read_or_refused(junk: bytes, at: int) -> None:
    """Only our own errors come out, whatever stands where."""
    for raw in (zipped(), PLAIN_TAR):
        for damaged in (raw[:at] + junk + raw[at + len(junk) :], raw[:at] + junk + raw[at:], junk):
            for read in (zip_entries, tar_entries):
                answer(read, damaged)
