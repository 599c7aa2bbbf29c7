"""A collection as it lies in a folder, read within limits, and what its reader finds in it.

Everything below the folder was written by others. Invariant: what `Root` hands out is an ordinary
file that lies inside the folder also after every link is followed, and no larger than the limits.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from leadline.core.errors import Invalid, NotFound

FILE_BYTES_MAX = 512 << 20
TEXT_BYTES_MAX = 16 << 20
FILES_MAX = 20_000
ITEM_BYTES_MAX = 2 << 30


@dataclass(frozen=True, slots=True)
class Shown:
    """One file that a subject is shown, *place* below /task.

    *target* is where the source's own sandbox has it, absolute; empty where the source names none.
    """

    path: Path
    place: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Solution:
    """The source's own solution: shell *command*, run where its *files* lie beside the task's."""

    command: str
    files: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class FlagTask:
    """A task whose answer is a fixed flag. *image* is the environment that the source asks for."""

    id: str
    family: str
    prompt: str
    flag: str
    files: tuple[Shown, ...] = ()
    solution: Solution | None = None
    home: str = "/box"  # working folder that the source's own solution expects
    image: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BuildTask:
    """A challenge folder built twice by CMake; *root* is the collection's own build, where it has one."""

    id: str
    folder: Path
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class ServerTask:
    """A task whose submissions a server judges on a vulnerable and a fixed build."""

    id: str
    prompt: str
    files: tuple[Shown, ...]
    reference: Path | None = None


@dataclass(frozen=True, slots=True)
class OwnTask:
    """One sample of an Inspect task, judged by that task's own scorer; *number* is its place there."""

    id: str
    prompt: str
    number: int
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry that this host or this suite cannot take, for a *reason* that is no fault of it."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """An entry that is broken as it stands: *check* names what does not hold."""

    id: str
    check: str
    reason: str


Task = FlagTask | BuildTask | ServerTask | OwnTask
Found = Task | Skipped | Damaged


class Root:
    """A folder of someone else's files.

    Raises, when made: NotFound, if there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise NotFound(f"{folder} is no folder; name the collection's own folder")
        self.folder = folder.resolve()

    def has(self, path: str) -> bool:
        """Whether something of that name is here (it may still be refused)."""
        return os.path.lexists(self._joined(path))

    def file(self, path: str, bytes_max: int = FILE_BYTES_MAX) -> Path:
        """The ordinary file *path*, relative to the folder.

        Raises: NotFound, if it is absent; Invalid, if it leads outside, is no ordinary file or is
        larger than *bytes_max*.
        """
        place = self._joined(path)
        try:
            real = place.resolve(strict=True)
        except FileNotFoundError:
            if not place.resolve().is_relative_to(self.folder):
                raise Invalid(path, "leads outside the collection by a link") from None
            raise NotFound(f"{path} is not here") from None
        except (OSError, RuntimeError) as error:  # a link onto itself
            raise Invalid(path, f"cannot be followed: {error}") from None
        if not real.is_relative_to(self.folder):
            raise Invalid(path, "leads outside the collection by a link")
        found = real.stat()
        if not stat.S_ISREG(found.st_mode):
            raise Invalid(path, f"is no ordinary file ({_sort(found.st_mode)})")
        if found.st_size > bytes_max:
            raise Invalid(path, f"has {found.st_size} bytes, more than {bytes_max}")
        return real

    def bytes(self, path: str, bytes_max: int = TEXT_BYTES_MAX) -> bytes:
        """The content of the ordinary file *path*; raises as `file`."""
        return self.file(path, bytes_max).read_bytes()

    def tree(self, path: str) -> list[tuple[Path, str]]:
        """Every file below the folder *path*, with its place relative to it, in a fixed order.

        Raises: NotFound and Invalid as `file` for each of them, and Invalid for too many or too much.
        """
        top = self._joined(path)
        if not top.is_dir():
            raise NotFound(f"{path} is not here")
        found: list[tuple[Path, str]] = []
        total = 0
        for name in self._below(top):
            inner = name.relative_to(top).as_posix()
            real = self.file(f"{path}/{inner}")
            total += real.stat().st_size
            found.append((real, inner))
            if len(found) > FILES_MAX or total > ITEM_BYTES_MAX:
                raise Invalid(path, f"over {FILES_MAX} files or {ITEM_BYTES_MAX} bytes")
        return found

    def folders(self, path: str = ".") -> list[str]:
        """The names of the folders directly below *path*, sorted; links and hidden ones left out."""
        top = self._joined(path)
        entries = sorted(top.iterdir()) if top.is_dir() else []
        return [
            one.name
            for one in entries
            if one.is_dir() and not one.is_symlink() and not one.name.startswith(".")
        ]

    def links(self, path: str = ".") -> list[str]:
        """The names of the links to folders directly below *path*, sorted; none is followed."""
        top = self._joined(path)
        entries = sorted(top.iterdir()) if top.is_dir() else []
        return [one.name for one in entries if one.is_symlink() and one.is_dir()]

    def linked(self, path: str = ".") -> "list[Skipped]":
        """Those links as entries: nobody is to look in vain for one that is not taken."""
        why = "is a link to a folder, and none is followed; put the folder itself here"
        return [Skipped(name, why) for name in self.links(path)]

    def _below(self, top: Path) -> Iterator[Path]:
        for folder, inner, names in os.walk(top, followlinks=False):
            inner.sort()
            # A link to a folder stands among the folders: it is no file, so that `file` refuses it.
            linked = [name for name in inner if (Path(folder) / name).is_symlink()]
            for name in sorted([*names, *linked]):
                yield Path(folder) / name

    def _joined(self, path: str) -> Path:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or "\0" in path or not path:
            raise Invalid(path[:200] or "path", "is no path inside the collection")
        return self.folder / parts


def place(path: str) -> str:
    """*path* as a place below /task.

    Raises: Invalid, if it is absolute, leads upwards or holds control characters.
    """
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or not path.isprintable():
        raise Invalid(path[:200] or "path", "is no place below /task")
    return parts.as_posix()


def _sort(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((word for holds, word in kinds if holds(mode)), "of an unknown kind")
