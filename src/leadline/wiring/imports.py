"""Imported collections: made by `leadline suite import`, found again beside the installed suites."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from leadline.core.errors import Invalid, NotFound
from leadline.core.qualification import QUICK, Extent
from leadline.settings import Settings
from leadline.suites.imported.collection import Imported, collections
from leadline.suites.item import Suite


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; empty parts take their defaults."""

    kind: str
    source: str
    out: Path | None = None
    name: str | None = None
    quick: bool = False
    images: Path | None = None
    server: str = ""
    server_key: Path | None = None


def imported_suites(settings: Settings, taken: frozenset[str] = frozenset()) -> tuple[Suite, ...]:
    """Every collection in the folders of *settings*, by name; *taken* are names of other suites.

    Raises: Invalid, if one is spoilt, or has the name of another suite.
    """
    found: dict[str, Suite] = {}
    for folder in settings.suites:
        for one in collections(folder) if folder.is_dir() else ():
            suite = Imported.at(one)
            if suite.name in found or suite.name in taken:
                raise Invalid(
                    "LEADLINE_SUITES",
                    f"{one} has the name {suite.name}, which another suite has; "
                    "import it again with another --name",
                )
            found[suite.name] = suite
    return tuple(found[name] for name in sorted(found))


def import_collection(
    settings: Settings, request: Request, say: Callable[[str], None]
) -> tuple[dict[str, object], Path]:
    """Import a collection; answers what ``--json`` prints, and the folder that now holds it.

    Raises: NotFound or Invalid, if the source is not there or not of its kind, or the name is that of
    a suite of another origin; Unavailable, if no sandbox can run here.
    """
    from leadline.suites.imported import importer

    kind = importer.parse_kind(request.kind)
    name = kind if request.name is None else request.name
    if name in {point.name for point in entry_points(group="leadline.suites")}:
        raise Invalid("--name", f"{name} is a suite that comes installed; give another --name")
    out = (request.out or settings.suites[0]).absolute()
    wanted = importer.Import(
        kind=kind,
        source=request.source,
        out=out,
        name=name,
        extent=QUICK if request.quick else Extent(),
        images=request.images,
        server=request.server,
        server_key=str(request.server_key.absolute()) if request.server_key else "",
        at_once=settings.worker_count,
    )
    return importer.run(wanted, say).answer(), out / wanted.name


def import_logs(paths: Sequence[Path], items: Path | None) -> dict[str, Any]:
    """What eval logs from elsewhere say; of one log flat, of several by log and by group.

    A log that cannot be read costs no other: it is named with the reason.

    Raises: NotFound or Invalid, if there is only one and it cannot be read.
    """
    from leadline.runner import imported

    if len(paths) == 1:
        return imported.described(imported.read_log(paths[0]), items)
    logs, unread = [], []
    for path in paths:
        try:
            logs.append(imported.read_log(path))
        except (Invalid, NotFound) as error:
            unread.append({"file": str(path), "reason": str(error)})
    statuses = sorted({log.header.status for log in logs})
    return {
        "status": statuses[0] if len(statuses) == 1 else "mixed",
        "samples": sum(len(log.samples) for log in logs),
        "scores": [],  # never over logs of different subject, task or settings: see groups
        "provenance": imported.NOT_RUN_HERE,
        "files": [imported.described(log, items) for log in logs],
        "groups": imported.together(logs),
        "unread": unread,
    }


def import_scores(path: Path, domain: str, holder: str, key: Path | None) -> dict[str, Any]:
    """A holder's scores; raises as `suites.imported.opaque.read_report`."""
    from leadline.suites.imported import opaque

    return dict(opaque.read_report(path, domain, holder, key).answer())
