"""What the host offers: its mode, architecture, root folders and our native parts, read once.

Two modes. `root`: the process may mount and change to any of the reserved uids, so every running
box has a uid of its own and mounts with an inode bound. `user`: everything else, including root
inside a container without these powers; boxes share the caller's uid and are told apart by their
user namespaces.
"""

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from leadline.sandbox.config import Bind

Mode = Literal["root", "user"]
UID_FIRST, UID_COUNT = 200_000, 4_096
CAP_SETUID, CAP_SETGID, CAP_SYS_ADMIN = 7, 6, 21
PYTHON = "/opt/python"

ROOT_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
ETC = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"),
    *(
        "/etc/ssl",
        "/etc/ca-certificates",
        "/etc/debian_version",
        "/etc/localtime",
        "/etc/os-release",
    ),
)
COVERED = ("/proc/cmdline", "/proc/kallsyms", "/proc/modules", "/proc/meminfo")


class Unusable(RuntimeError):
    """This host cannot run a box as it is; the message names the cause and the cure."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the box's root: a read-only bind of *source*, or a link that reads *source*."""

    kind: Literal["bind", "link"]
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Survey:
    """The host's part in what a box is; equal surveys and configurations give equal boxes."""

    mode: Mode
    architecture: str
    kernel: str
    bwrap: str
    bwrap_version: str
    init: bytes
    probe: bytes
    seccomp: bytes
    root: tuple[Entry, ...]
    covered: tuple[str, ...]

    @property
    def init_digest(self) -> str:
        """SHA-256 of the first process's bytes, in hexadecimal."""
        return hashlib.sha256(self.init).hexdigest()

    @property
    def seccomp_digest(self) -> str:
        """SHA-256 of the system-call filter's bytes, in hexadecimal."""
        return hashlib.sha256(self.seccomp).hexdigest()


def mode_of(euid: int, capabilities: int, uid_map: str) -> Mode:
    """Which mode a process may use, from its effective uid, CapEff bits and /proc/self/uid_map."""
    needed = sum(1 << cap for cap in (CAP_SETUID, CAP_SETGID, CAP_SYS_ADMIN))
    if euid != 0 or capabilities & needed != needed:
        return "user"
    spans = [[int(field) for field in line.split()] for line in uid_map.splitlines()]
    last = UID_FIRST + UID_COUNT
    mapped = any(inside <= UID_FIRST and last <= inside + count for inside, _, count in spans)
    return "root" if mapped else "user"


def own_mode() -> Mode:
    """The mode of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    caps = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return mode_of(
        os.geteuid(), int(caps, 16), Path("/proc/self/uid_map").read_text(encoding="ascii")
    )


@functools.cache
def native(name: str) -> bytes:
    """The shipped file *name*, compared with its recorded digest, as `verified` does."""
    return verified(files("leadline.sandbox.native"), name)


def verified(folder: Traversable, name: str) -> bytes:
    """The bytes of *name* in *folder*, whose DIGESTS.json records what they are.

    Raises: Unusable if none is recorded for this machine, or if the bytes are others.
    """
    recorded: dict[str, str] = json.loads((folder / "DIGESTS.json").read_text())["sha256"]
    if name not in recorded:
        raise Unusable(f"no {name} is shipped: boxes run on {', '.join(sorted(recorded))}")
    data = (folder / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != recorded[name]:
        raise Unusable(f"{name} differs from its recorded digest: install the package again")
    return data


def host_root() -> tuple[Entry, ...]:
    """The default root: the host's /usr, the links into it, and the short list of /etc."""
    entries = [Entry("bind", "/usr", "/usr")]
    for name in ROOT_LINKS:
        path = Path("/", name)
        if path.is_symlink():
            entries.append(Entry("link", str(path.readlink()), str(path)))
        elif path.is_dir():
            entries.append(Entry("bind", str(path), str(path)))
    entries += [Entry("bind", path, path) for path in ETC if Path(path).exists()]
    return tuple(entries)


def image_root(rootfs: str, workdir: str) -> tuple[Entry, ...]:
    """An unpacked image, entry by entry, leaving out what every box lays out itself.

    Entry by entry because mount points cannot be made inside a read-only bind. `var` is opened one
    level for /var/tmp; `etc` too where the image has no os-release, which Inspect's tools need.
    """
    own = {"proc", "dev", "sys", "tmp", "run", workdir.split("/")[1]}
    opened = {"var"} if (Path(rootfs) / "etc/os-release").exists() else {"var", "etc"}
    entries: list[Entry] = []
    for path in sorted(Path(rootfs).iterdir()):
        if path.name in own:
            continue
        if path.name in opened and path.is_dir() and not path.is_symlink():
            inner = (below for below in sorted(path.iterdir()) if below.name not in ("tmp", "run"))
            entries += [_entry(below, f"/{path.name}/{below.name}") for below in inner]
        else:
            entries.append(_entry(path, f"/{path.name}"))
    return tuple(entries)


def _entry(path: Path, target: str) -> Entry:
    if path.is_symlink():
        return Entry("link", str(path.readlink()), target)
    return Entry("bind", str(path), target)


def python_binds(prefix: str = sys.base_prefix) -> tuple[Bind, ...]:
    """Binds that make the running interpreter usable in a box, at a path that tells nothing.

    Empty where it lives under /usr, which every box of the default root sees anyway. Otherwise the
    interpreter is `/opt/python/bin/python3` in the box; it needs the variables of `python_env`.
    """
    real = Path(prefix).resolve()
    return () if real.is_relative_to("/usr") else (Bind(source=str(real), target=PYTHON),)


def python_env(prefix: str = sys.base_prefix) -> dict[str, str]:
    """Variables for `BoxConfig.env` with which `python3` in the box is the one of `python_binds`.

    The library path comes first because an interpreter with a shared library would otherwise load
    the distribution's, of another version.
    """
    if not python_binds(prefix):
        return {}
    path = f"{PYTHON}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    return {"PATH": path, "LD_LIBRARY_PATH": f"{PYTHON}/lib"}


@functools.cache
def survey() -> Survey:
    """Look at this host, once per process.

    Raises: Unusable without bubblewrap, or on an architecture without native parts.
    """
    bwrap = shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")
    if bwrap is None:
        raise Unusable("bubblewrap is not installed: install the system package `bubblewrap`")
    host = os.uname()
    version = subprocess.run(
        [bwrap, "--version"], check=True, capture_output=True, text=True
    ).stdout
    return Survey(
        mode=own_mode(),
        architecture=host.machine,
        kernel=host.release,
        bwrap=bwrap,
        bwrap_version=version.split()[-1],
        init=native(f"sbxinit-{host.machine}"),
        probe=native(f"sbxprobe-{host.machine}"),
        seccomp=native(f"seccomp-{host.machine}.bpf"),
        root=host_root(),
        covered=tuple(path for path in COVERED if Path(path).exists()),
    )
