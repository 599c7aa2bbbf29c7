"""Reports that a person hands in: one file, a folder, JSON lines, or a tar archive.

A file that a report names (its proof, a patch) is no report of its own. Archives are read entry by
entry; nothing of them reaches a disk.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from leadline.app.given import content
from leadline.core.clearing.product import Fault
from leadline.core.clearing.report import Draft, Faulty, Told, nothing_beside
from leadline.core.errors import Invalid, NotFound
from leadline.core.intake import DEFAULT
from leadline.formats import archive
from leadline.formats.finding_json import ATTACHMENT_BYTES_MAX, REPORT_BYTES_MAX
from leadline.formats.report_forms import Form, read

FILES_MAX = 100_000
REPORT_ENDINGS = (".json", ".jsonl", ".sarif", ".casrep", ".txt", ".log", ".report")
ARCHIVES = (".tar.gz", ".tgz", ".tar")
Fetch = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Offered:
    """What one file held: its reports, or every fault of it."""

    name: str
    drafts: tuple[Draft, ...] = ()
    faulty: Faulty | None = None


def offered(path: Path, told: Told, form: Form | None = None) -> Iterator[Offered]:
    """Every report at *path*, in order of name; faults stand beside what is right.

    Raises: NotFound; Invalid, if there are too many files, or an archive that is not taken.
    """
    if path.is_dir():
        yield from _folder(path, told, form)
    elif path.name.endswith(".jsonl"):
        yield from _lines(path, told, form)
    elif path.name.endswith(ARCHIVES):
        files = _archived(content(path, DEFAULT.archive_bytes))
        yield from _all(sorted(files), files.__getitem__, told, form)
    else:
        data = content(path, ATTACHMENT_BYTES_MAX)
        beside = _Beside(path.name, _on_disk(path.parent))
        yield _one(path.name, data, told, form, beside)


def uploaded(name: str, data: bytes, told: Told, form: Form | None = None) -> Iterator[Offered]:
    """Every report in one uploaded file, which has nothing beside it; as `offered`.

    Raises: NotFound; Invalid, for an archive that is not taken.
    """
    if name.endswith(ARCHIVES):
        files = _archived(data)
        yield from _all(sorted(files), files.__getitem__, told, form)
        return
    lines = data.splitlines() if name.endswith(".jsonl") else [data]
    for number, line in enumerate(lines, 1):
        place = f"{name}:{number}" if len(lines) > 1 else name
        if line.strip():
            yield _one(place, line, told, form, _Beside(name, nothing_beside))


def only(path: Path, told: Told) -> Draft:
    """The one report at *path*.

    Raises: NotFound; Faulty, with every fault; Invalid, if there are several.
    """
    found = list(offered(path, told))
    faulty = next((one.faulty for one in found if one.faulty is not None), None)
    if faulty is not None:
        raise faulty
    drafts = [draft for one in found for draft in one.drafts]
    if len(drafts) != 1:
        raise Invalid(str(path), f"has {len(drafts)} findings; one is due here")
    return drafts[0]


@dataclass
class _Beside:
    """The files beside a report, below its own folder; remembers which were asked for."""

    report: str
    fetch: Callable[[str], bytes | None]

    def __post_init__(self) -> None:
        self.used = set[str]()

    def __call__(self, name: str) -> bytes | None:
        """The bytes of a file; None for what is not there or lies elsewhere."""
        plain = PurePosixPath(name)
        if plain.is_absolute() or ".." in plain.parts or not plain.parts:
            return None
        path = (PurePosixPath(self.report).parent / plain).as_posix()
        if path == self.report:
            return None
        found = self.fetch(path)
        if found is not None:
            self.used.add(path)
        return found


def _on_disk(folder: Path) -> Callable[[str], bytes | None]:
    root = folder.resolve()

    def fetch(path: str) -> bytes | None:
        place = root / path
        inside = place.resolve().is_relative_to(root)  # a link that leads elsewhere is not followed
        if not inside or not place.is_file() or place.stat().st_size > ATTACHMENT_BYTES_MAX:
            return None
        return content(place, ATTACHMENT_BYTES_MAX)

    return fetch


def _folder(folder: Path, told: Told, form: Form | None) -> Iterator[Offered]:
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )
    if len(names) > FILES_MAX:
        raise Invalid(str(folder), f"more than {FILES_MAX} files; hand them in in parts")
    fetch = _on_disk(folder)

    def held(name: str) -> bytes:
        found = fetch(name)
        if found is None:
            raise Faulty(name, [Fault("", "cannot be read, or is too large")])
        return found

    yield from _all(names, held, told, form)


def _archived(data: bytes) -> Mapping[str, bytes]:
    files = dict[str, bytes]()
    packed = data.startswith(b"\x1f\x8b")
    archive.read_tar(BytesIO(data), gzipped=packed, visit=files.__setitem__)
    return files


def _all(names: list[str], held: Fetch, told: Told, form: Form | None) -> Iterator[Offered]:
    """The reports among many files; what a report used is no report, whatever it is called."""
    known, used = set(names), set[str]()
    doubtful = list[Offered]()
    count = 0

    def fetch(path: str) -> bytes | None:
        return held(path) if path in known else None

    for name in names:
        if not name.endswith(REPORT_ENDINGS):
            continue
        beside = _Beside(name, fetch)
        try:
            found = _one(name, held(name), told, form, beside)
        except Faulty as error:
            found = Offered(name, faulty=error)
        used |= beside.used
        if found.faulty is None:
            count += len(found.drafts)
            yield found
        else:
            doubtful.append(found)
    faulty = [one for one in doubtful if one.name not in used]
    yield from faulty
    if not count and not faulty:
        raise NotFound(f"no report here; reports end in {', '.join(REPORT_ENDINGS)}")


def _one(
    name: str, data: bytes, told: Told, form: Form | None, beside: Callable[[str], bytes | None]
) -> Offered:
    try:
        return Offered(name, read(data, name, told, beside, form))
    except Faulty as error:
        return Offered(name, faulty=error)


def _lines(path: Path, told: Told, form: Form | None) -> Iterator[Offered]:
    """One report a line; blank lines say nothing."""
    fetch = _on_disk(path.parent)
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(REPORT_BYTES_MAX + 2):
                number += 1
                name = f"{path.name}:{number}"
                if len(line) > REPORT_BYTES_MAX + 1:
                    raise Invalid(name, f"a line of more than {REPORT_BYTES_MAX} bytes")
                if line.strip():
                    yield _one(name, line.strip(), told, form, _Beside(path.name, fetch))
    except FileNotFoundError:
        raise NotFound(f"{path} is not there") from None
    except OSError as error:
        raise Invalid(str(path), f"cannot be read: {error.strerror}") from error
