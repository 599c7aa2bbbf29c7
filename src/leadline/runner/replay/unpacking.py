"""Laying out a tar archive that a stranger's build made: nothing of it leaves the folder.

Python's own filters for this came in 3.11.4 and 3.12; the Python of Debian 12 is older, so the rules are here,
the same for every version: plain files, folders, and links that stay inside (PEP 706, its filter "data").
"""

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath


def unpack(archive: tarfile.TarFile, root: Path) -> tuple[str, ...]:
    """Write the members below the empty folder *root*; answers the names of those that were left out.

    Left out is what would lie or lead outside, what contradicts an earlier member, and what is no file,
    folder or link. Nothing is written through a link; where links lead is looked at when all are there.
    """
    left_out = [member.name for member in archive if not _laid_out(archive, member, root)]
    while led := [
        path for path in root.rglob("*") if path.is_symlink() and not _inside(path, root)
    ]:
        for path in led:
            path.unlink()
            left_out.append(str(path.relative_to(root)))
    return tuple(left_out)


def _laid_out(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> bool:
    """Whether the member is there now."""
    place = _place(member.name, root)
    if place is None or (place.is_dir() and not place.is_symlink()):
        return place is not None and member.isdir()
    if member.isreg() or member.issym() or member.islnk():
        return _file(archive, member, place, root)
    if member.isdir() and not place.is_symlink() and not place.exists():
        place.mkdir()
        return True
    return False


def _file(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path, root: Path) -> bool:
    """Put a file or a link in the place of what an earlier member put there."""
    of = _place(member.linkname, root) if member.islnk() else None
    if member.islnk() and (of is None or of == place or of.is_symlink() or not of.is_file()):
        return False
    place.unlink(missing_ok=True)
    if of is not None:
        place.hardlink_to(of)
    elif member.issym():
        place.symlink_to(member.linkname)
    else:
        content = archive.extractfile(member)
        assert content is not None  # noqa: S101 -- a plain file has one
        with content, place.open("wb") as file:
            shutil.copyfileobj(content, file)
        # Nobody else may write it, and no bit but these is taken over.
        place.chmod(0o600 | member.mode & 0o755)
    return True


def _place(name: str, root: Path) -> Path | None:
    """Where *name* lies below *root*, in real folders, which are made; None if it cannot lie there."""
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts or "\0" in name:
        return None
    place = root
    for part in parts.parent.parts:
        place /= part
        if place.is_symlink() or place.is_file():
            return None
        place.mkdir(exist_ok=True)
    return root / parts


def _inside(path: Path, root: Path) -> bool:
    """Whether a link leads to a place below *root*, there or not; a circle of links leads nowhere."""
    return Path(os.path.realpath(path)).is_relative_to(root.resolve())
