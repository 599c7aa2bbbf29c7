"""What administrators look after: jobs, backups, keys and this machine, as pages and commands show it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from leadline.access import cedar
from leadline.app import backup, machinery, organisation
from leadline.app.backup import Source
from leadline.app.context import Context
from leadline.app.ports import Shard
from leadline.core.access import Action
from leadline.core.assessment import Plan
from leadline.core.errors import LeadlineError, NotFound, Refused
from leadline.core.organisation import ADMINISTRATORS_MIN, KEEPER, administers
from leadline.formats import manifest
from leadline.settings import Home
from leadline.store import copies
from leadline.store.shards import open_executor
from leadline.wiring import jobs as own
from leadline.wiring.assess import Check
from leadline.wiring.backup import SIGNING, check_backup
from leadline.wiring.home import Parts, clock

BACKUPS = "backups"
BY_NAME = "%Y%m%d-%H%M%S"
UNCHECKED = "not checked yet; a backup counts once its check passed"
UNFINISHED = "not finished: it is being made at this moment, or was cut short and is none; delete its folder then"


@dataclass(frozen=True, slots=True)
class Job:
    """One assessment's shards by state. *errors* are the last words of those that failed."""

    id: str
    counts: Mapping[str, int]
    done: int
    total: int
    errors: Sequence[str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup in the installation's own folder, and what its last check came to."""

    name: str
    checked: datetime | None
    told: str


def accounts(parts: Parts) -> tuple[Check, ...]:
    """How many look after accounts: those of the installation, and of each organisation that has its own."""
    now = clock()
    with parts.store.read() as view:
        persons = view.principals()
        found = organisation.standing(view, now)
    keepers = [one for one in persons if administers(one, now, KEEPER)]
    told = f"{len(keepers)} of the installation"
    cure = (
        "" if len(keepers) >= ADMINISTRATORS_MIN else "enrol a second: one alone begins no recovery"
    )
    checks = [Check("account administrators", not cure, told, cure, needed=False)]
    for one, watch in found:
        name = f"account administrators of {one.name}"
        checks.append(Check(name, not watch.words, f"{watch.now} of it", watch.words, needed=False))
    return tuple(checks)


def jobs(ctx: Context, home: Home) -> tuple[Job, ...]:
    """Every assessment whose shards this installation holds.

    Raises: Denied.
    """
    machinery.look(ctx)
    with ctx.store.read() as view:
        plans = [row.value.id for row in view.find(Plan)]
    table = open_executor(home.database)
    try:
        return tuple(_job(id_, table.shards(id_)) for id_ in plans)
    finally:
        table.close()


def by_itself(ctx: Context, home: Home) -> tuple[own.Last, ...]:
    """What the installation's own jobs last came to.

    Raises: Denied.
    """
    machinery.look(ctx)
    return own.last(home)


def _job(id_: str, shards: Sequence[Shard]) -> Job:
    counts = dict(Counter(str(one.state) for one in shards))
    errors = [one.error for one in shards if one.state == "failed"]
    done, total = sum(one.done for one in shards), sum(one.total for one in shards)
    return Job(id_, counts, done, total, errors[:5])


def backups(ctx: Context, home: Home) -> tuple[Kept, ...]:
    """The backups that pages made, the latest first, each with its last check.

    Raises: Denied.
    """
    checks = machinery.backup_checks(ctx)
    folder = home.folder / BACKUPS
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    found = []
    for name in sorted(names, reverse=True):
        unchecked = UNCHECKED if _whole(folder / name) else UNFINISHED
        at, told = checks.get(name, (None, unchecked))
        found.append(Kept(name, at, told))
    return tuple(found)


def _whole(place: Path) -> bool:
    """Whether a backup was written to its end: the signed statement over it comes last."""
    return (place / manifest.STATEMENT).is_file()


def make_backup(ctx: Context, parts: Parts, home: Home) -> str:
    """Write a backup beside the installation and answer its name, that of its moment; copy it elsewhere afterwards.

    Raises: as `leadline.app.backup.make`.
    """
    ctx.require(Action.BACKUP_MAKE, backup.INSTALLATION)
    source = Source(home.vault, lambda folder: copies.copy(home.database, folder))
    out = _claimed((home.folder / BACKUPS).absolute(), ctx.now.strftime(BY_NAME))
    try:
        backup.make(ctx, parts.context(SIGNING), out, source)
    except LeadlineError:
        if not any(out.iterdir()):
            out.rmdir()
        raise
    return out.name


def _claimed(folder: Path, name: str) -> Path:
    """A new folder of that name, or of the first one after it that nobody else has: each has its own."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made, number = folder / name, 1
    while True:
        try:
            made.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
            made = folder / f"{name}-{number}"
        else:
            return made


def check(ctx: Context, home: Home, name: str) -> str:
    """Check one backup, write down what it came to, and answer that.

    Raises: Denied; NotFound; Refused, for one that was not written to its end.
    """
    machinery.look(ctx)
    if name not in {one.name for one in backups(ctx, home)}:
        raise NotFound(f"no backup {name}")
    if not _whole(home.folder / BACKUPS / name):
        raise Refused(f"{name} is {UNFINISHED}")
    try:
        looked = check_backup(home, home.folder / BACKUPS / name, None)
        told, good = f"whole: {looked.checked.verified.files} files; {looked.checked.words}", True
    except LeadlineError as error:
        told, good = f"it does not hold: {error}", False
    digest = sha256((home.folder / BACKUPS / name / manifest.CHECKPOINT).read_bytes()).hexdigest()
    machinery.backup_checked(ctx, name, told, digest, good=good)
    return told


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys of the log, and where the private ones lie. No secret is in it."""

    vkeys: Sequence[str]
    origin: str
    folder: Path
    rules: str


def keys(ctx: Context, parts: Parts, home: Home, origin: str) -> Keys:
    """What the installation signs with.

    Raises: Denied.
    """
    machinery.look(ctx)
    digest = cedar.shipped().rules.digest
    return Keys(parts.signer.vkeys().split(), origin, home.keys, digest)
