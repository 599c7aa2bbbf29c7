"""Imports of the self-written collections below ``tests/imports``, as tests need them."""

from collections.abc import Callable
from pathlib import Path

from leadline.core.qualification import QUICK, Extent
from leadline.suites.imported.collection import Imported, Kind, Manifest
from leadline.suites.imported.importer import Import, run

SOURCES = Path(__file__).parent / "imports"


def take(
    kind: Kind,
    source: str | Path,
    out: Path,
    *,
    name: str = "",
    extent: Extent = QUICK,
    server: str = "",
    server_key: str = "",
    images: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Import *source*, tried a little."""
    wanted = Import(
        kind,
        str(source),
        out,
        name or kind,
        extent=extent,
        server=server,
        server_key=server_key,
        images=images,
    )
    return run(wanted, say)


def suite(out: Path, name: str) -> Imported:
    """The imported collection *name* below *out*."""
    return Imported.at(out / name)


def told(manifest: Manifest) -> dict[str, str]:
    """By the source's own ids, what came of each entry: "", a failed check, or "skipped"."""
    found = {one.id: one.check for one in manifest.items}
    for one in manifest.refused:
        found.setdefault(one.id, one.check or "skipped")
    return found


def reason(manifest: Manifest, id_: str) -> str:
    """Why the entry *id_* is no qualified item."""
    reasons = [(one.id, one.reason) for one in manifest.items]
    reasons += [(one.id, one.reason) for one in manifest.refused]
    return dict(reversed(reasons))[id_]
