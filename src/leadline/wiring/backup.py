"""Backing up and restoring an installation, as whoever runs its host.

Who can run this can copy the files anyway: the operating system's own sign-in stands before it. It acts
as an administrator, who has no content, and leaves an act.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from leadline.app import backup
from leadline.app.backup import Checked, Made, Source
from leadline.core.access import Principal
from leadline.core.errors import Invalid, NotFound
from leadline.settings import Home
from leadline.store import copies
from leadline.store.sql import open_store
from leadline.vault.keys import open_signer
from leadline.wiring.home import KINDS, LOG_KEY, clock, make, opened, origin
from leadline.wiring.log import FolderOutlet

HOST = "host"
LIFE = timedelta(minutes=15)
SIGNING = Principal("log", "the log's own worker", "", frozenset({"worker"}))


@dataclass(frozen=True, slots=True)
class Looked:
    """A checked backup. *acts* is the number of acts of its state, each opened; None for a dump."""

    checked: Checked
    acts: int | None


def host() -> Principal:
    """Whoever runs this host, as an administrator, for the length of one command."""
    return Principal(
        HOST,
        "whoever runs this host",
        "",
        frozenset({"administrator"}),
        access_until=clock() + LIFE,
    )


def make_backup(home: Home, out: Path) -> Made:
    """A backup of the installation in the new folder *out*."""
    with opened(home) as parts:
        ctx = replace(parts.context(host()), assurance=2)
        source = Source(home.vault, lambda folder: copies.copy(home.database, folder))
        return backup.make(ctx, parts.context(SIGNING), out.absolute(), source)


def check_backup(home: Home, folder: Path, key: Path | None) -> Looked:
    """What a backup is, without writing into it or into the installation.

    The public keys come from *key*, else from the installation's own signing key.
    """
    outlet = FolderOutlet(home)
    checked = backup.check(folder, _vkeys(home, key), outlet.last(), home.log)
    copies.check(folder / backup.STATE)
    acts = None
    if (folder / backup.STATE / copies.SQLITE).is_file():
        with (
            _opened_copy(folder) as url,
            closing(open_store(url, kinds=KINDS)) as store,
            store.read() as view,
        ):
            acts = backup.state_matches(view, checked.verified)
    return Looked(checked, acts)


def restore(folder: Path, to: Home, key: Path | None) -> Looked:
    """Put a backup into a new installation, once it was checked.

    The keys are no part of it: put the folder ``keys`` that was kept apart into *to* before or after.

    Raises: Refused, if state or vault are there already.
    """
    looked = check_backup(to, folder, key)
    make(to)
    copies.restore(folder / backup.STATE, to.database)
    backup.put_vault(folder, to.vault)
    return looked


def _vkeys(home: Home, key: Path | None) -> str:
    if key is not None:
        try:
            return key.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid("--key", f"{key} cannot be read; give C2SP verifier keys") from error
    if not (home.keys / LOG_KEY).is_file():
        raise NotFound(
            f"no keys at {home.keys} to verify it with; give the log's public keys with --key"
        )
    return open_signer(home.keys / LOG_KEY, origin(home)).vkeys()


@contextmanager
def _opened_copy(folder: Path) -> Iterator[str]:
    """The URL of a throw-away copy of a SQLite state, which opening may bring to the newest schema."""
    with tempfile.TemporaryDirectory(prefix="leadline-check-") as place:
        copy = Path(place) / copies.SQLITE
        shutil.copyfile(folder / backup.STATE / copies.SQLITE, copy)
        copy.chmod(0o600)
        yield f"sqlite:///{copy}"
