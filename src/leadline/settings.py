"""Where things are and how much may run at once. The environment is read here and nowhere else."""

import gc
import os
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from leadline.core.errors import Invalid, Refused


@dataclass(frozen=True, slots=True)
class Settings:
    """Installation-wide settings, each from ``LEADLINE_<NAME>``.

    *registry_cache* holds the fetched old releases; *workers* is the number of processes that run
    samples (0: one per core); *lease_seconds* is how long a silent worker keeps its shard; *suites*
    are the folders of imported collections.
    """

    registry_cache: Path
    workers: int
    lease_seconds: int
    suites: tuple[Path, ...] = ()
    cluster: str = ""

    @property
    def worker_count(self) -> int:
        """The number of worker processes to start."""
        return self.workers or len(os.sched_getaffinity(0))


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises: Invalid, naming the variable, if a number is no number or out of range.
    """
    source = os.environ if environ is None else environ  # noqa: TID251 -- the one place
    cache = source.get("LEADLINE_REGISTRY_CACHE", ".cache/registry")
    return Settings(
        registry_cache=Path(cache).absolute(),
        workers=_number(source, "LEADLINE_WORKERS", default=0, low=0, high=256),
        lease_seconds=_number(source, "LEADLINE_LEASE_SECONDS", default=30, low=2, high=3600),
        suites=tuple(
            Path(one).absolute()
            for one in source.get("LEADLINE_SUITES", ".cache/imported").split(os.pathsep)
            if one
        ),
        cluster=source.get("LEADLINE_CLUSTER", ""),
    )


def _number(source: Mapping[str, str], name: str, *, default: int, low: int, high: int) -> int:
    text = source.get(name)
    if text is None:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise Invalid(name, f"{text!r} is no whole number from {low} to {high}")
    return int(text)


@dataclass(frozen=True, slots=True)
class Home:
    """One installation: state, vault and keys. *url* overrides the database beside them."""

    folder: Path
    url: str = ""

    @property
    def database(self) -> str:
        """The store's URL."""
        return self.url or f"sqlite:///{self.folder / 'leadline.db'}"

    @property
    def vault(self) -> Path:
        """Sealed content."""
        return self.folder / "vault"

    @property
    def keys(self) -> Path:
        """Keys of the log and of the vault; never part of a backup of state."""
        return self.folder / "keys"

    @property
    def log(self) -> Path:
        """The published log: C2SP tlog-tiles as static files."""
        return self.folder / "log"

    def exists(self) -> bool:
        """Whether an installation was made here."""
        return self.keys.is_dir()


@dataclass(frozen=True, slots=True)
class Server:
    """Where an installation is served: *authority* vouches for it, *certificate* is one's own (PEM)."""

    url: str
    authority: Path | None = None
    certificate: Path | None = None


def start_quickly() -> None:
    """Have this process look for garbage seventy times more seldom than Python does by itself.

    Nearly all that a command makes are modules and classes, which stay; to look through them again and again
    took a sixth of the time until it began its work.
    """
    gc.set_threshold(50_000, 20, 20)


def stay() -> None:
    """Have this process look for garbage only among what it makes from now on.

    What a server has made before it answers stays. Half a million objects took 0.3 s to look through, in which
    nobody was answered. A page leaves some 350 objects in circles: 50,000 took 0.1 s, so it looks more often
    than a command does.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 20, 20)


NAMED: ContextVar[str] = ContextVar("server", default="")


def server(environ: Mapping[str, str] | None = None) -> Server | None:
    """The server that ``--server`` or ``LEADLINE_SERVER`` names, if one does.

    ``LEADLINE_SERVER_AUTHORITY`` and ``LEADLINE_SERVER_CERTIFICATE`` are files that go with it.
    """
    source = os.environ if environ is None else environ  # noqa: TID251 -- the one place
    url = NAMED.get() or source.get("LEADLINE_SERVER", "")
    files = [source.get(f"LEADLINE_SERVER_{name}", "") for name in ("AUTHORITY", "CERTIFICATE")]
    return Server(url, *(Path(file) if file else None for file in files)) if url else None


def home(folder: Path | None, environ: Mapping[str, str] | None = None) -> Home:
    """The installation in *folder*, else in ``LEADLINE_HOME``, else what `make assess` leaves.

    ``LEADLINE_DATABASE`` names a PostgreSQL database to use instead of SQLite in the folder.

    Raises: Invalid, where a server is named instead of a folder of this machine.
    """
    source = os.environ if environ is None else environ  # noqa: TID251 -- the one place
    if folder is None and server(source) is not None:
        told = "this is done at the installation itself; name its folder with --home, and no server"
        raise Invalid("--server", told)
    chosen = folder or Path(source.get("LEADLINE_HOME", "out/.state"))
    return Home(chosen.absolute(), source.get("LEADLINE_DATABASE", ""))


WITHIN = "installation"  # a file of a run's state: the folder of the installation that it is of


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of one assessment. Only `state` is private; the rest is meant to be handed on."""

    out: Path
    within: Home | None = None  # the installation that it is a run of; None for one of its own

    @property
    def state(self) -> Path:
        """Store, vault, keys, built items: never part of the bundle."""
        return self.out / ".state"

    @property
    def home(self) -> Home:
        """The installation of this one assessment, or that which it is a run of."""
        return self.within or Home(self.state)

    @property
    def database(self) -> str:
        """The store's URL."""
        return self.home.database

    @property
    def vault(self) -> Path:
        """Sealed content."""
        return self.home.vault

    @property
    def keys(self) -> Path:
        """The log's and the vault's keys."""
        return self.home.keys

    @property
    def items(self) -> Path:
        """Prepared items, a folder each."""
        return self.state / "items"

    @property
    def seed(self) -> Path:
        """Seed and salt, private until they are revealed."""
        return self.state / "seed.json"

    @property
    def logs(self) -> Path:
        """Inspect's eval logs."""
        return self.out / "logs"

    @property
    def bundle(self) -> Path:
        """The signed record."""
        return self.out / "bundle"


def secret(name: str, file: Path | None, environ: Mapping[str, str] | None = None) -> str:
    """A secret word from a file, else from the environment; never from a command line.

    Raises: Invalid, naming both, if neither holds one; Refused, if others can read the file.
    """
    source = os.environ if environ is None else environ  # noqa: TID251 -- the one place
    if file is not None and file.exists() and file.stat().st_mode & 0o077:
        raise Refused(f"{file} can be read by others than its owner; run `chmod 600 {file}`")
    text = file.read_text(errors="replace") if file is not None and file.exists() else ""
    found = text.strip() if file is not None else source.get(name, "").strip()
    if not found:
        problem = f"{file} is not there or empty" if file is not None else "is not set"
        raise Invalid(name, f"{problem}; set it, or give a file that holds it")
    return found


def workspace(out: Path, environ: Mapping[str, str] | None = None) -> Workspace:
    """The assessment in *out*, as a process of its own finds it: with its installation, or of its own."""
    found = Workspace(out)
    named = found.state / WITHIN
    return (
        Workspace(out, home(Path(named.read_text("utf-8")), environ)) if named.exists() else found
    )


def environment(at: Home, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that works on an installation: this one's, with its database."""
    source = os.environ if environ is None else environ  # noqa: TID251 -- the one place
    return {**source, "LEADLINE_DATABASE": at.url}
