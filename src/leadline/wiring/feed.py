"""The public feed on disk: every rendering of every advisory changes at one moment.

``feed`` in the installation's folder is a link to the files of one state; a new state is written beside it, then
the link is replaced, so that a reader never sees two states at once. The state before stays for readers in flight.
"""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from leadline.app import publishing
from leadline.app.context import Context
from leadline.core.clearing.advisory import DEMONSTRATION_NAMESPACE
from leadline.core.errors import Invalid, Unavailable
from leadline.formats import feed, manifest
from leadline.settings import Home
from leadline.wiring.log import locked, write

FEED, STATES, SITE = "feed", "feed.states", "feed.site"
STATES_KEPT = 2


def build(ctx: Context, home: Home, site: str = "") -> Path:
    """Write the feed of everything published so far and switch to it; answers where it is.

    *site* is the address at which it will be served, kept for the next time.

    Raises: Denied; Invalid, for a site that is no https address; Unavailable, if it cannot be written.
    """
    place = home.folder / FEED
    try:
        with locked(home.folder / "feed.lock"):
            kept = home.folder / SITE
            told = site or (kept.read_text().strip() if kept.exists() else DEMONSTRATION_NAMESPACE)
            feed.check_site(told)
            signed = place / manifest.STATEMENT
            before = signed.read_bytes() if signed.exists() else b""
            files = publishing.files(ctx, told, before)
            write(kept, f"{told}\n".encode())
            _switch(home.folder, files)
    except OSError as error:
        raise Unavailable(f"the feed cannot be written: {error.strerror}") from error
    return place


def file(home: Home, path: str) -> bytes | None:
    """One file of the feed as it stands now; None, if it has none of that name."""
    place: Path | None = home.folder / FEED / path
    try:
        manifest.check_path(path)
    except Invalid:  # no file of a feed has such a name
        place = None
    return place.read_bytes() if place is not None and place.is_file() else None


def _switch(folder: Path, files: Mapping[str, bytes]) -> None:
    name = manifest.digest(files[manifest.MANIFEST] + files[manifest.STATEMENT])[:32]
    states = folder / STATES
    if not (states / name).exists():
        new = states / f".{secrets.token_hex(8)}.new"
        try:
            for path, data in files.items():
                place, old = new / path, folder / FEED / path
                place.parent.mkdir(parents=True, exist_ok=True)
                if old.is_file() and old.read_bytes() == data:
                    place.hardlink_to(old.resolve())
                else:
                    write(place, data)
            new.rename(states / name)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    link = folder / f".{FEED}.{secrets.token_hex(8)}"
    link.symlink_to(Path(STATES) / name)
    link.replace(folder / FEED)
    _prune(states, name)


def _prune(states: Path, now: str) -> None:
    """Keep the newest states and the one that is shown."""
    found = [one for one in states.iterdir() if one.is_dir() and one.name != now]
    found.sort(key=lambda one: one.stat().st_mtime_ns, reverse=True)
    for old in found[STATES_KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
