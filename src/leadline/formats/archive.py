"""Evidence archives (zip, tar, tar.gz), read entry by entry without unpacking anything to a disk.

An archive is taken only if every reader sees the same entries in it: plain files and folders with names
that mean one place everywhere, each byte owned by one entry, lengths that are true, no encryption, no
archive or pickle inside. Totals are counted while inflating; no announced length is relied upon.

Sources: APPNOTE.TXT 6.3.10 (zip), POSIX.1-2017 pax (ustar), RFC 1952 (gzip); trust.md 10.
"""

import hashlib
import re
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from leadline.core.errors import Invalid
from leadline.core.intake import DEFAULT, Hostile, Limits

CHUNK_BYTES = 1 << 18
BLOCK = 512
RATIO_SLACK_BYTES = 1 << 20  # short runs of zeros are no bomb
_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")
_END_SIGN, _LOCAL_SIGN = b"PK\5\6", b"PK\3\4"
_CENTRAL_BYTES_MAX = 4 << 20
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1 | 0x40 | 0x2000, 0x8, 0x800
_UNICODE_PATH = 0x7075
_DRIVE = re.compile(r"[A-Za-z]:")
_NESTED = (
    b"PK\3\4", b"PK\5\6", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\7",
    b"\x28\xb5\x2f\xfd", b"MSCF", b"\x04\x22\x4d\x18", b"!<arch>\n", b"\x1f\x9d", b"070701", b"070707",
)  # fmt: skip
_PICKLE = re.compile(rb"\x80[\x02-\x05][^\x00-\x1f]")
_MAGIC_AT, _MAGIC = 257, b"ustar"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive; *digest* is the SHA-256 of its content, in hex."""

    path: str
    bytes: int
    digest: str


def nested(head: bytes) -> bool:
    """Whether content that begins with *head* is an archive or compressed itself."""
    tar = head[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC
    return tar or head.startswith(_NESTED)


def pickled(head: bytes) -> bool:
    """Whether content that begins with *head* is a binary pickle, which runs code when loaded."""
    return _PICKLE.match(head) is not None


def check_names(names: Iterable[str], limits: Limits = DEFAULT) -> None:
    """Return if *names* of files mean one place each, below one root, on every file system.

    Raises: Hostile, naming the entry.
    """
    files, folders = dict[str, str](), dict[str, str]()
    for name in names:
        _check_name(name, limits)
        parts = unicodedata.normalize("NFC", name.casefold()).split("/")
        for upto in range(1, len(parts)):
            spelled = "/".join(name.split("/")[:upto])
            if folders.setdefault("/".join(parts[:upto]), spelled) != spelled:
                raise Hostile(
                    _shown(name), "its folder differs from another by case or accents only"
                )
        key = "/".join(parts)
        if key in files:
            raise Hostile(_shown(name), "the same name as another entry, or the same but for case")
        files[key] = name
    if both := files.keys() & folders.keys():
        raise Hostile(_shown(min(both)), "a file and a folder at once")


def _check_name(name: str, limits: Limits) -> None:
    if len(name.encode("utf-8", "surrogatepass")) > limits.path_bytes:
        raise Hostile(_shown(name), f"longer than {limits.path_bytes} bytes")
    if name.startswith("/") or "\\" in name or _DRIVE.match(name):
        raise Hostile(_shown(name), "an absolute path, a drive or a backslash; use relative names")
    if not name.isprintable() or not unicodedata.is_normalized("NFC", name):
        raise Hostile(_shown(name), "control characters, or accents not in normal form C")
    for part in name.split("/"):
        if part in {"", ".", ".."} or part.endswith((".", " ")):
            raise Hostile(
                _shown(name), "it leads out of its folder, or its parts end in dot or space"
            )


def _shown(name: str) -> str:
    return ascii(name[:80])


class _Count:
    """Inflated bytes so far, of all entries, against what they were inflated from."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._total = 0

    def add(self, name: str, inflated: int, own: int, packed: int) -> None:
        """Count *inflated* more bytes; the entry now has *own*, made from *packed*."""
        self._total += inflated
        if self._total > self._limits.inflated_bytes:
            most = self._limits.inflated_bytes
            raise Hostile(_shown(name), f"the archive inflates to more than {most} bytes")
        if own > self._limits.ratio * packed + RATIO_SLACK_BYTES:
            raise Hostile(
                _shown(name), f"it inflates to more than {self._limits.ratio} times its size"
            )


Visit = Callable[[str, bytes], None]


class _Judge:
    """Takes the content of one entry in pieces: its digest, and what it must not begin with."""

    def __init__(self, name: str, visit: Visit | None) -> None:
        self._name, self._head = name, b""
        self._visit, self._pieces = visit, list[bytes]()
        self._digest = hashlib.sha256()
        self.length = 0

    def take(self, piece: bytes) -> None:
        if len(self._head) < BLOCK:
            self._head += piece[:BLOCK]
        self._digest.update(piece)
        self.length += len(piece)
        if self._visit:
            self._pieces.append(piece)

    def entry(self) -> Entry:
        if nested(self._head):
            raise Hostile(
                _shown(self._name), "an archive inside; put its files in this one, or hex"
            )
        if pickled(self._head):
            raise Hostile(_shown(self._name), "a pickle, which runs code when loaded")
        if self._visit:
            self._visit(self._name, b"".join(self._pieces))
        return Entry(self._name, self.length, self._digest.hexdigest())


def read_zip(
    file: BinaryIO, size: int, limits: Limits = DEFAULT, *, visit: Visit | None = None
) -> tuple[Entry, ...]:
    """Every file in a zip archive of *size* bytes, in the order of their places.

    *visit* is called with name and content of each, once it was judged.

    Raises: Hostile, naming the entry, for what can only mislead; Invalid, for damage and for what this
    reader does not take (zip64, methods other than stored and deflate).
    """
    listed, begins = _zip_end(file, size, limits)
    try:
        with zipfile.ZipFile(file) as archive:
            infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
            if len(infos) != listed:
                raise Hostile("zip", f"{listed} entries announced, {len(infos)} listed")
            check_names(_zip_files(infos), limits)
            _zip_places(file, infos, begins)
            count = _Count(limits)
            return tuple(_zip_entry(archive, i, count, visit) for i in infos if not i.is_dir())
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError) as error:
        raise Invalid("zip", f"damaged: {error}") from None
    except UnicodeDecodeError:
        raise Hostile("zip", "a name that is not in the encoding it announces") from None


def _zip_end(file: BinaryIO, size: int, limits: Limits) -> tuple[int, int]:
    """The number of entries and where their list begins; the end record is the end of the file."""
    if size < _END.size:
        raise Invalid("zip", "shorter than the smallest archive")
    file.seek(size - _END.size)
    sign, disk, first, here, entries, length, offset, comment = _END.unpack(file.read(_END.size))
    if sign != _END_SIGN or comment:
        raise Invalid("zip", "no end record at its end, or a comment; write it again without")
    if (disk, first, here) != (0, 0, entries) or entries > limits.entries:
        raise Hostile("zip", f"several disks, or more than {limits.entries} entries")
    if length > _CENTRAL_BYTES_MAX or offset + length != size - _END.size:
        raise Hostile("zip", "the list of entries is not where it is said to be, or too long")
    return entries, offset


def _zip_files(infos: Iterable[zipfile.ZipInfo]) -> Iterator[str]:
    for info in infos:
        name = info.orig_filename
        if not name or "\0" in name:
            raise Hostile(_shown(name), "no name, or one with a NUL in it")
        if not name.isascii() and not info.flag_bits & _UTF8:
            raise Hostile(_shown(name), "a name in an unknown encoding; write names in UTF-8")
        if info.flag_bits & _ENCRYPTED:
            raise Hostile(_shown(name), "encrypted; put it in readable")
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise Invalid(_shown(name), "packed by another method than deflate")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or (kind == stat.S_IFDIR) > info.is_dir():
            raise Hostile(_shown(name), "a link or a device")
        if _UNICODE_PATH in _extra_fields(info.extra):
            raise Hostile(_shown(name), "a second name beside its first")
        if info.is_dir():
            if info.file_size or info.compress_size > 2:  # noqa: PLR2004 -- deflated nothing
                raise Hostile(_shown(name), "a folder with content of its own")
            _check_name(name.removesuffix("/"), DEFAULT)
        else:
            yield name


def _extra_fields(extra: bytes) -> Iterator[int]:
    while len(extra) >= 4:  # noqa: PLR2004 -- id and length
        field, length = struct.unpack("<HH", extra[:4])
        yield field
        extra = extra[4 + length :]


def _zip_places(file: BinaryIO, infos: list[zipfile.ZipInfo], ends: int) -> None:
    """Each byte belongs to one entry, and its two headers agree."""
    reached = 0
    for info in infos:
        if info.header_offset < reached or (not reached and info.header_offset):
            raise Hostile(
                _shown(info.orig_filename), "overlaps another entry, or follows other data"
            )
        file.seek(info.header_offset)
        raw = file.read(_LOCAL.size)
        if len(raw) < _LOCAL.size:
            raise Hostile(_shown(info.orig_filename), "reaches beyond the archive")
        sign, _, flags, method, _, _, crc, packed, whole, name, extra = _LOCAL.unpack(raw)
        told = (info.CRC, info.compress_size, info.file_size)
        same = (crc, packed, whole) == told or (flags & _DESCRIPTOR and not crc | packed | whole)
        if (
            sign != _LOCAL_SIGN
            or (flags, method) != (info.flag_bits, info.compress_type)
            or not same
        ):
            raise Hostile(_shown(info.orig_filename), "its two headers contradict each other")
        reached = info.header_offset + _LOCAL.size + name + extra + info.compress_size
    if reached > ends:
        raise Hostile("zip", "the last entry reaches into the list of entries")


def _zip_entry(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, count: _Count, visit: Visit | None
) -> Entry:
    judge = _Judge(info.orig_filename, visit)
    with archive.open(info) as content:
        while piece := content.read(CHUNK_BYTES):
            judge.take(piece)
            count.add(info.orig_filename, len(piece), judge.length, info.compress_size)
    if judge.length != info.file_size:
        raise Hostile(_shown(info.orig_filename), "shorter than it announces")
    return judge.entry()


class _Plain:
    """Bytes of a file as they are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, length: int) -> bytes:
        return self._file.read(length)


class _Inflated:
    """Bytes of one gzip member; what follows it must be nothing."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._file, self._count = file, _Count(limits)
        self._inflate = zlib.decompressobj(wbits=31)
        self._packed = self._whole = 0
        self._rest = b""

    def read(self, length: int) -> bytes:
        parts, due = list[bytes](), length
        while due and not self._inflate.eof:
            fed = self._inflate.unconsumed_tail or self._file.read(CHUNK_BYTES)
            self._packed += 0 if self._inflate.unconsumed_tail else len(fed)
            try:
                piece = self._inflate.decompress(fed, due)
            except zlib.error as error:
                raise Invalid("gzip", f"damaged: {error}") from None
            if not fed and not piece:
                raise Invalid("gzip", "cut off")
            self._whole += len(piece)
            self._count.add("gzip", len(piece), self._whole, self._packed)
            parts.append(piece)
            due -= len(piece)
        if self._inflate.eof and (self._inflate.unused_data or self._file.read(1)):
            raise Hostile("gzip", "something follows the archive")
        return b"".join(parts)


def read_tar(
    file: BinaryIO,
    limits: Limits = DEFAULT,
    *,
    gzipped: bool = False,
    visit: Visit | None = None,
) -> tuple[Entry, ...]:
    """Every file in a tar archive (POSIX ustar, plain files and folders), from where *file* stands.

    *visit* as in `read_zip`.

    Raises: Hostile, naming the entry, for links, devices, names that mislead, lengths that lie, bombs
    and nested archives; Invalid, for damage and for extensions of the format that this reader does not
    take.
    """
    source = _Inflated(file, limits) if gzipped else _Plain(file)
    count, entries, folders = _Count(limits), list[Entry](), 0
    while True:
        block = source.read(BLOCK)
        if not block.strip(b"\0"):
            break
        info = _tar_header(block)
        _check_name(info.name.removesuffix("/"), limits)
        if len(entries) + folders == limits.entries:
            raise Hostile("tar", f"more than {limits.entries} entries")
        if info.isdir():
            folders += 1
        else:
            entries.append(_tar_entry(source, info, count, visit))
    check_names((entry.path for entry in entries), limits)
    while rest := source.read(CHUNK_BYTES):
        count.add("tar", len(rest), 0, 0)
        if rest.strip(b"\0"):
            raise Hostile("tar", "something follows the end of the archive")
    return tuple(entries)


def _tar_header(block: bytes) -> tarfile.TarInfo:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.TarError, ValueError) as error:
        raise Invalid("tar", f"damaged header: {error}") from None
    if info.type in {tarfile.LNKTYPE, tarfile.SYMTYPE} or info.isdev():
        raise Hostile(_shown(info.name), "a link or a device")
    if info.type not in {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE}:
        told = "an extension of tar; write it with `tar --format=ustar`, with names up to 100 bytes"
        raise Invalid(_shown(info.name), told)
    if info.size < 0 or (info.isdir() and info.size):
        raise Hostile(_shown(info.name), "a length that cannot be")
    return info


def _tar_entry(
    source: _Plain | _Inflated, info: tarfile.TarInfo, count: _Count, visit: Visit | None
) -> Entry:
    judge, due = _Judge(info.name, visit), info.size
    while due:
        piece = source.read(min(due, CHUNK_BYTES))
        if not piece:
            raise Hostile(_shown(info.name), "longer than the archive it is in")
        judge.take(piece)
        count.add(info.name, len(piece), judge.length, judge.length)
        due -= len(piece)
    if source.read(-info.size % BLOCK).strip(b"\0"):
        raise Hostile(_shown(info.name), "something hidden behind its end")
    return judge.entry()
