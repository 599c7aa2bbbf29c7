"""Releases as trees of files: unpacked, cut for the subject, searched for leaks, linked.

The judge's tree is the release as published. The subject's copy lacks what tells the answer: change
logs, advisories, tests; and is then searched for the identifiers and the trigger themselves.
"""

import fnmatch
import os
import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from leadline.core.errors import Invalid, Unavailable

UNPACKED_BYTES_MAX = 200 << 20
PROOF_BYTES_MIN = 20  # a shorter trigger may stand in any text by chance
_TELLING = re.compile(
    r"(changes?|changelog|history|news|security|releases?|release[-_]?notes?)(\.[a-z]+)?",
    re.IGNORECASE,
)
_TESTS = re.compile(
    r"(tests?|testing|docs?|examples?|test_.*\.py|.*_test\.py|conftest\.py|__tests__|tests?\.js"
    r"|.*\.(test|spec)\.[cm]?[jt]s)"
)
_CODE = frozenset({".py", ".c", ".h", ".so", ".js", ".cjs", ".mjs", ".ts", ".json"})
_HEADERS = ("Metadata-Version", "Name", "Version", "License", "License-Expression")


def unpack(archive: Path, target: Path, omit: Sequence[str] = ()) -> None:
    """Unpack a wheel, a source archive or npm's package below *target*.

    The one folder in which a source archive and npm's package keep their files is dropped, and so is
    what lies in the folders *omit* (glob patterns).

    Raises: Invalid, if it is no archive, or holds a path that leads outside, a link or more than
    `UNPACKED_BYTES_MAX`.
    """
    target.mkdir(parents=True, exist_ok=True)
    try:
        members = _wheel(archive) if archive.suffix == ".whl" else _sdist(archive)
        for path, data in members:
            if path.is_absolute() or ".." in path.parts:
                raise Invalid(archive.name, f"holds the path {path}, which leads outside")
            if any(fnmatch.fnmatchcase(str(path), f"{folder}/*") for folder in omit):
                continue
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise Invalid(archive.name, f"no archive: {error}") from error


def _wheel(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    with zipfile.ZipFile(archive) as file:
        _bounded(archive, sum(info.file_size for info in file.infolist()))
        for info in file.infolist():
            if not info.is_dir():
                yield PurePosixPath(info.filename), file.read(info)


def _sdist(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    with tarfile.open(archive) as file:
        members = file.getmembers()
        _bounded(archive, sum(member.size for member in members))
        for member in members:
            if member.isdir():
                continue
            source = file.extractfile(member) if member.isfile() else None
            if source is None:
                raise Invalid(archive.name, f"holds {member.name}, which is no ordinary file")
            path = PurePosixPath(member.name)
            yield path.relative_to(path.parts[0]), source.read()


def _bounded(archive: Path, size: int) -> None:
    if size > UNPACKED_BYTES_MAX:
        raise Invalid(archive.name, f"unpacks to {size} bytes, more than {UNPACKED_BYTES_MAX}")


def take(source: Path, patterns: Iterable[str], target: Path) -> None:
    """Copy what the glob *patterns* find below *source* into *target*, each under its last name.

    Raises: Unavailable, if a pattern finds nothing: the build left out what it promised.
    """
    target.mkdir(parents=True, exist_ok=True)
    for pattern in patterns:
        found = sorted(source.glob(pattern))
        if not found:
            raise Unavailable(f"{pattern} is not in {source.name}; nothing was built there")
        for path in found:
            if path.is_dir():
                shutil.copytree(path, target / path.name, dirs_exist_ok=True)
            else:
                shutil.copy2(path, target / path.name)


def files(folder: Path) -> Iterator[Path]:
    """Every file below *folder*, in a fixed order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def strip(folder: Path) -> None:
    """Remove change logs, security notes and tests below *folder*, and long descriptions."""
    for path in sorted(folder.rglob("*")):
        code = path.suffix in _CODE or path.is_dir()
        telling = not code and _TELLING.fullmatch(path.name) is not None
        if telling or _TESTS.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for path in [*folder.rglob("METADATA"), *folder.rglob("PKG-INFO")]:
        head = path.read_text(encoding="utf-8", errors="replace").split("\n\n", 1)[0]
        kept = [line for line in head.splitlines() if line.split(":")[0] in _HEADERS]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def leaks(folder: Path, ids: Sequence[str], proof: bytes) -> tuple[str, ...]:
    """Files below *folder* that hold one of *ids* or the trigger *proof*, with what they hold.

    The trigger counts in its own bytes and in hexadecimal; one shorter than `PROOF_BYTES_MIN` may
    be an ordinary word and is not looked for.
    """
    needles = [(one, one.lower().encode()) for one in ids]
    if len(proof) >= PROOF_BYTES_MIN:
        needles += [("the trigger", proof.lower()), ("the trigger", proof.hex().encode())]
    found = []
    for path in files(folder):
        data = path.read_bytes().lower()
        found += [f"{path.relative_to(folder)}: {word}" for word, raw in needles if raw in data]
    return tuple(found)


def seal(folder: Path) -> None:
    """Make every file below *folder* read-only; folders stay so that `make clean` can remove them."""
    for path in files(folder):
        path.chmod(0o555 if os.access(path, os.X_OK) else 0o444)


def link(source: Path, target: Path) -> None:
    """Give *target* the tree of *source*, by hard links where the file system allows."""

    def place(old: str, new: str) -> str:
        try:
            os.link(old, new)
        except OSError:  # another file system, or one without links
            shutil.copy2(old, new)
        return new

    shutil.copytree(source, target, copy_function=place)
