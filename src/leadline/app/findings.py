"""Reports in a folder, grouped for a person to look at."""

from dataclasses import dataclass
from pathlib import Path

from leadline.core.clearing.group import Crash, Group, group
from leadline.core.clearing.product import Fault
from leadline.core.errors import Invalid, NotFound
from leadline.formats import sanitizer

REPORTS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Proposed:
    """*reports* counts the files that were read; *unparsed* lists those that are no report."""

    reports: int
    groups: tuple[Group, ...]
    unparsed: tuple[Fault, ...]


def group_folder(folder: Path, files_max: int = REPORTS_MAX) -> Proposed:
    """Read every file below *folder* and propose groups; members are paths relative to it.

    Raises: NotFound, if there is no such folder; Invalid, if it holds too many files.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder; name one that holds reports")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(paths) > files_max:
        raise Invalid(str(folder), f"more than {files_max} files; group them in parts")
    crashes: list[Crash] = []
    unparsed: list[Fault] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            with path.open("rb") as file:
                data = file.read(sanitizer.REPORT_BYTES_MAX + 1)
            crashes.append(sanitizer.parse(data, name))
        except Invalid as error:
            unparsed.append(Fault(name, error.problem))
        except OSError as error:
            unparsed.append(Fault(name, f"cannot be read: {error.strerror}"))
    return Proposed(len(crashes), group(crashes), tuple(unparsed))
