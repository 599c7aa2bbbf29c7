"""The documents of a folder of advisories, and of the archives in it, one after the other.

Archives are read as a stream and never unpacked. What is too large, too many or no file is passed over
with its reason, so that one bad entry does not hide the others.
"""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from leadline.core.errors import Invalid

DOCUMENTS_MAX = 1_000_000
ARCHIVE_BYTES_MAX = 8 << 30  # inflated, of one archive
_ENDINGS = (".json", ".yaml", ".yml")
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
Found = tuple[str, bytes | Invalid]


def documents(folder: Path, bytes_max: int) -> Iterator[Found]:
    """Place and bytes of each document in order of path, or why it was passed over.

    *folder* may be an archive itself. Other files than JSON, YAML and archives are no documents.

    Raises: Invalid, if there is no such folder or archive.
    """
    if folder.is_dir():
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
    elif folder.is_file():
        paths, folder = [folder], folder.parent
    else:
        raise Invalid("--advisories", f"{folder} is no folder and no archive")
    for path in paths:
        place = path.relative_to(folder).as_posix()
        if place.endswith(_ENDINGS):
            yield place, _file(path, place, bytes_max)
        elif place.endswith(_TARS):
            yield from _archived(place, _tar(path, place, bytes_max))
        elif place.endswith(".zip"):
            yield from _archived(place, _zip(path, place, bytes_max))


def _file(path: Path, place: str, bytes_max: int) -> bytes | Invalid:
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        return Invalid(place, f"cannot be read: {error.strerror}")
    return data if len(data) <= bytes_max else _longer(place, bytes_max)


def _longer(place: str, bytes_max: int) -> Invalid:
    return Invalid(place, f"longer than {bytes_max} bytes")


def _archived(place: str, entries: Iterator[Found]) -> Iterator[Found]:
    """The entries, until the archive ends or breaks."""
    try:
        yield from entries
    except (
        OSError,
        EOFError,
        ValueError,
        zlib.error,
        tarfile.TarError,
        zipfile.BadZipFile,
    ) as error:
        yield place, Invalid(place, f"the archive breaks off here: {str(error)[:200]}")


def _tar(path: Path, place: str, bytes_max: int) -> Iterator[Found]:
    inflated = 0
    with tarfile.open(path, "r|*") as archive:
        for number, member in enumerate(archive):
            inflated += member.size
            if number >= DOCUMENTS_MAX or inflated > ARCHIVE_BYTES_MAX:
                raise ValueError("more than anybody's advisories; divide it")
            inside = f"{place}/{member.name}"
            if not member.isfile() or not member.name.endswith(_ENDINGS):
                continue
            if member.size > bytes_max:
                yield inside, _longer(inside, bytes_max)
                continue
            file = archive.extractfile(member)
            yield inside, file.read() if file else b""


def _zip(path: Path, place: str, bytes_max: int) -> Iterator[Found]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > DOCUMENTS_MAX:
            raise ValueError("more than anybody's advisories; divide it")
        for entry in entries:
            inside = f"{place}/{entry.filename}"
            if not entry.filename.endswith(_ENDINGS):
                continue
            if entry.flag_bits & 1:
                yield inside, Invalid(inside, "it is encrypted")
                continue
            with archive.open(entry) as file:
                data = file.read(bytes_max + 1)
            yield inside, data if len(data) <= bytes_max else _longer(inside, bytes_max)
