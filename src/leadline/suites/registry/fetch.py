"""Archives from the package indexes, by the ordinary clients and by hash.

pip is told the hash of every archive, resolves no dependencies and isolates no builds (an isolated
build would fetch unpinned tools). npm packs the very versions, runs no scripts and resolves nothing.
Which index either asks is the host's own configuration. Each file is hashed after it has arrived. What could not be had is a reason in words, never an exception: an
index that cannot be reached makes items unavailable, not failed.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from leadline.core.errors import Unavailable
from leadline.suites.registry.manifest import Archive

WAVE_SECONDS_MAX = 240.0
NPM_WAVE = 60  # packages in one call of npm
FAILURES_MAX = 3  # archives in a row that fail before the index is taken to be out of reach
_QUIET = ("--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1")
_ERROR = re.compile(r"^ *ERROR: (.+)$", re.MULTILINE)
_NPM_ERROR = re.compile(
    r"^npm (?:error|ERR!) (?!code |A complete log)(?:[a-z0-9]+ )?(.+)$", re.MULTILINE
)
_NPM_QUIET = (
    "--ignore-scripts",
    "--loglevel=error",
    "--no-update-notifier",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
)


class Downloader(Protocol):
    """A client of one index."""

    def groups(self, archives: Iterable[Archive]) -> list[list[Archive]]:
        """*archives* in the groups that one call takes each."""
        ...

    def download(self, wave: Sequence[Archive], incoming: Path) -> str:
        """Download *wave* into the folder; empty, or in words why it could not."""
        ...


@dataclass(frozen=True, slots=True)
class Client:
    """How pip is called.

    *options* are added to each call (an index of one's own); *path* is a folder with the build
    tools that reading a source archive's metadata needs; *seconds* bounds one call.
    """

    path: Path
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    seconds: float = WAVE_SECONDS_MAX

    def run(self, *arguments: str) -> str:
        """Run pip; empty if it succeeded, otherwise its own error in one line."""
        env = {**self.env, "PYTHONPATH": str(self.path.resolve()), "PYTHONDONTWRITEBYTECODE": "1"}
        command, *rest = arguments
        argv = [sys.executable, "-m", "pip", command, *_QUIET, *self.options, *rest]
        try:
            done = subprocess.run(
                argv, env=env, capture_output=True, text=True, timeout=self.seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return f"pip did not finish within {self.seconds:g} s"
        if done.returncode == 0:
            return ""
        errors = _ERROR.findall(done.stderr) or done.stderr.strip().splitlines()[-1:]
        return errors[-1].strip()[:300] if errors else f"pip ended with {done.returncode}"

    def groups(self, archives: Iterable[Archive]) -> list[list[Archive]]:
        """See `waves`: pip refuses two versions of a package at once."""
        return waves(archives)

    def download(self, wave: Sequence[Archive], incoming: Path) -> str:
        """Download *wave* into the folder; empty, or pip's words."""
        sources = [archive.package for archive in wave if not archive.is_wheel]
        pins = "".join(f"{one.package}=={one.version} --hash=sha256:{one.sha256}\n" for one in wave)
        (incoming / "pins.txt").write_text(pins, encoding="utf-8")
        choice = ["--only-binary", ":all:"]
        if sources:
            choice += ["--no-binary", ",".join(sources)]
        return self.run(
            "download",
            *("--no-deps", "--no-build-isolation", "--require-hashes", *choice),
            *("--dest", str(incoming), "--requirement", str(incoming / "pins.txt")),
        )


@dataclass(frozen=True, slots=True)
class Npm:
    """How npm is called: *program* is its path, empty where there is none; else as `Client`."""

    program: str
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    seconds: float = WAVE_SECONDS_MAX

    def groups(self, archives: Iterable[Archive]) -> list[list[Archive]]:
        """All in a few calls: starting npm takes longer than a package."""
        wanted = sorted(set(archives))
        return [wanted[n : n + NPM_WAVE] for n in range(0, len(wanted), NPM_WAVE)]

    def download(self, wave: Sequence[Archive], incoming: Path) -> str:
        """Pack *wave* into the folder; empty, or npm's words. Nothing stays in npm's own cache."""
        if not self.program:
            return "npm is not installed; install the system packages nodejs and npm"
        wanted = [f"{one.package}@{one.version}" for one in wave]
        place = ("--pack-destination", str(incoming), "--cache", str(incoming / "npm"))
        argv = [self.program, "pack", *_NPM_QUIET, *place, *self.options, *wanted]
        try:
            done = subprocess.run(
                argv,
                cwd=incoming,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"npm did not finish within {self.seconds:g} s"
        if done.returncode == 0:
            return ""
        errors = _NPM_ERROR.findall(done.stderr) or done.stderr.strip().splitlines()[-1:]
        return errors[0].strip()[:300] if errors else f"npm ended with {done.returncode}"


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def present(archive: Archive, folder: Path) -> bool:
    """Whether *folder* holds exactly that archive."""
    path = folder / archive.file
    return path.is_file() and sha256(path) == archive.sha256


def waves(archives: Iterable[Archive]) -> list[list[Archive]]:
    """*archives* in as few groups as can be, none with two versions of one package.

    One call of the client takes one group: it refuses two versions of a package at once.
    """
    groups: list[dict[str, Archive]] = []
    for archive in sorted(set(archives)):
        key = archive.package.lower()
        group = next((one for one in groups if key not in one), None)
        if group is None:
            groups.append(group := {})
        group[key] = archive
    return [list(group.values()) for group in groups]


def fetch(archives: Sequence[Archive], folder: Path, client: Downloader) -> dict[Archive, str]:
    """Bring *archives* into *folder*; answers those that are missing, with the reason.

    An archive arrives whole and with the right hash, or not at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [archive for archive in archives if not present(archive, folder)]
    missing: dict[Archive, str] = {}
    failures = 0
    for wave in client.groups(wanted):
        if failures >= FAILURES_MAX:
            missing |= dict.fromkeys(wave, next(iter(missing.values())))
            continue
        if not _download(wave, folder, client):
            continue
        # One bad archive ends a wave: the others deserve a call each.
        for archive in wave:
            reason = (
                next(reversed(missing.values()))
                if failures >= FAILURES_MAX
                else _download([archive], folder, client)
            )
            failures = failures + 1 if reason else 0
            if reason:
                missing[archive] = reason
    return missing


def _download(wave: Sequence[Archive], folder: Path, client: Downloader) -> str:
    """Download one wave; empty if all of it arrived, otherwise the reason."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="incoming-") as name:
        incoming = Path(name).resolve()
        reason = client.download(wave, incoming)
        if reason:
            return reason
        for archive in wave:
            arrived = incoming / archive.file
            if not present(archive, incoming):
                return f"{archive.file} arrived under another name or with another hash"
            arrived.replace(folder / archive.file)
    return ""


def read_lock(text: str) -> dict[str, str]:
    """The pins of a lock file by package name, each with its hashes as it stands."""
    pins: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        found = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)==", line)
        if found:
            current = pins.setdefault(found[1].lower(), [])
        if not line.lstrip().startswith("#"):
            current.append(line)
    return {name: "\n".join(lines) + "\n" for name, lines in pins.items()}


def install_tools(lock: Path, names: Sequence[str], target: Path, client: Client) -> None:
    """Install the tools *names* of *lock* into the folder *target*, whole or not at all.

    Raises: Unavailable, with pip's own words, or if the lock does not pin one of them.
    """
    pins = read_lock(lock.read_text(encoding="utf-8"))
    unpinned = [one for one in names if one not in pins]
    if unpinned:
        raise Unavailable(f"{lock.name} does not pin {', '.join(unpinned)}; renew it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="incoming-") as name:
        wanted = Path(name) / "pins.txt"
        wanted.write_text("".join(pins[one] for one in names), encoding="utf-8")
        site = Path(name) / "site"
        reason = client.run(
            "install",
            *("--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-compile"),
            *("--target", str(site), "--requirement", str(wanted)),
        )
        if reason or not site.is_dir() or not any(site.iterdir()):
            raise Unavailable(
                f"the build tools of the registry suite ({', '.join(names)}) could not be installed: {reason or 'not for this interpreter'}"
            )
        site.rename(target)
