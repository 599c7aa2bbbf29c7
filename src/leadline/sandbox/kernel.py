"""How a box of tier own-kernel is started: an OCI bundle for gVisor, decided without looking around.

The layout is the one of every box: the same root, the same sized mounts, the same first process with
the same limits and the same system call filter, which here gVisor's kernel applies. What differs:

- The first process is user 0 of the box's own kernel, which there means nothing outside; jobs give
  up that user before they begin. gVisor does not shield a first process from its own user's signals.
- Sizes of mounts are gVisor's own; it counts no inodes, so entries count as the memory they take.
- The control socket is standard input. Descriptors of each job arrive over it as elsewhere.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from leadline.sandbox.config import BoxConfig, canonical
from leadline.sandbox.gvisor import Runtime, rootless
from leadline.sandbox.plan import (
    INIT,
    PROBE,
    RLIMIT_CORE,
    RLIMIT_FSIZE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    VAR_TMP_MB,
    files_of,
    meminfo,
    root_of,
)
from leadline.sandbox.survey import Survey, Unusable, native

FILTER = "/run/sbx/filter"
PLAIN_STATX = "/run/sbx/plainstatx.so"
REAL = "/run/sbx/real"
MEMINFO = "meminfo"
WRAPPED = ("ls", "stat", "dir", "vdir")  # coreutils that ask by a flag of statx unknown there
CAPABILITIES = ("CAP_KILL", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")  # of the first process
NAMESPACES = ("pid", "network", "ipc", "uts", "mount")
FOLDERS = ("/proc", "/dev", "/tmp", "/var/tmp", "/etc", REAL)  # noqa: S108 - inside the box


@dataclass(frozen=True, slots=True)
class KernelPlan:
    """The start of one box: *document* is OCI's config.json with `{folder}` for the bundle's place.

    *files* are bytes by their path in the root, with their mode; *links* what they read by their
    path; *points* the paths that something is mounted on, with the source where it is a bind.
    """

    config: BoxConfig
    host: Survey
    runtime: Runtime
    document: str
    arguments: tuple[str, ...]
    files: Mapping[str, tuple[int, bytes]]
    links: Mapping[str, str]
    points: Mapping[str, str]

    @property
    def driver(self) -> str:
        """The program that starts the box: its release, its platform and its bytes."""
        return self.runtime.words

    @property
    def joined(self) -> bool:
        """Never: the box's own kernel keeps a network of its own, with nothing but loopback."""
        return False

    @property
    def template_digest(self) -> str:
        """SHA-256 of everything that decides the box apart from the native parts, hexadecimal."""
        return self._digest(json.loads(self.document))

    @property
    def seal_digest(self) -> str:
        """SHA-256 of what shuts the box off: all of the above but the configuration's own binds."""
        document = json.loads(self.document)
        own = {bind.target for bind in self.config.binds}
        kept = [mount for mount in document["mounts"] if mount["destination"] not in own]
        return self._digest({**document, "mounts": kept})

    def _digest(self, document: object) -> str:
        contents = {
            path: [mode, hashlib.sha256(data).hexdigest()]
            for path, (mode, data) in self.files.items()
        }
        config = self.config.model_dump(mode="json", exclude={"warm", "binds", "network"})
        whole = {
            "config": config,
            "document": document,
            "argv": self.arguments,
            "files": contents,
            "links": dict(self.links),
        }
        return hashlib.sha256(canonical(whole)).hexdigest()


def kernel_plan(config: BoxConfig, host: Survey, runtime: Runtime) -> KernelPlan:
    """Decide how a box of *config* is started by *runtime* on *host*.

    Raises: FileNotFoundError for a missing rootfs; Unusable for a private network.
    """
    if config.network is not None:
        raise Unusable(
            "private networks join boxes on the host's kernel: ask for tier shared-kernel"
        )
    root = root_of(config, host)
    binds = {entry.target: entry.source for entry in root if entry.kind == "bind"}
    links = {entry.target: entry.source for entry in root if entry.kind == "link"}
    binds |= {bind.target: bind.source for bind in config.binds}
    wrapped = dict(_wrapped(config))
    binds |= {f"{REAL}/{Path(path).name}": source for path, source in wrapped.items()}
    binds |= {path: f"{{folder}}/{Path(path).name}" for path in wrapped}
    binds["/proc/meminfo"] = f"{{folder}}/{MEMINFO}"
    document = {
        "ociVersion": "1.0.2",
        "hostname": "box",
        "root": {"path": "{folder}/root", "readonly": True},
        "process": _first_process(config),
        "mounts": [*_mounts(config), *(_bind(source, path) for path, source in binds.items())],
        "linux": {"namespaces": [{"type": name} for name in NAMESPACES]},
    }
    return KernelPlan(
        config=config,
        host=host,
        runtime=runtime,
        document=json.dumps(document, sort_keys=True),
        arguments=(
            runtime.program,
            *("--root={folder}/state", "--network=none", f"--platform={runtime.platform}"),
            *("--ignore-cgroups", *rootless(host.mode), "run", "--bundle={folder}", "{id}"),
        ),
        files=_contents(config, host),
        links=links,
        points=binds,
    )


def beside(config: BoxConfig) -> dict[str, bytes]:
    """Files that lie in the bundle beside the root, to be bound over others, by name."""
    script = f'#!/bin/sh\nLD_PRELOAD={PLAIN_STATX} exec {REAL}/%s "$@"\n'
    found = {Path(path).name: (script % Path(path).name).encode() for path, _ in _wrapped(config)}
    return {**found, MEMINFO: meminfo(config.memory_mb)}


def _wrapped(config: BoxConfig) -> Iterator[tuple[str, str]]:
    """Path in the box and source of each program to be told of `PLAIN_STATX`."""
    for folder in ("usr/bin", "bin"):
        source = Path(config.rootfs or "/") / folder
        for name in () if source.is_symlink() else WRAPPED:
            program = source / name
            if program.is_file() and not program.is_symlink():
                yield f"/{folder}/{name}", str(program)


def _first_process(config: BoxConfig) -> dict[str, object]:
    limits = {
        RLIMIT_CORE: 0,
        RLIMIT_NPROC: config.nproc,
        RLIMIT_NOFILE: config.nofile,
        RLIMIT_FSIZE: config.fsize_mb << 20,
    }
    words = [f"{resource}={bound}" for resource, bound in limits.items()]
    sets = ("bounding", "effective", "permitted")
    return {
        "user": {"uid": 0, "gid": 0},
        "args": [INIT, "init", "0", "as=1000", f"filter={FILTER}", *words],
        "env": [],
        "cwd": config.workdir,
        "noNewPrivileges": True,
        "capabilities": {name: list(CAPABILITIES) for name in sets},
    }


def _mounts(config: BoxConfig) -> list[dict[str, object]]:
    sized: tuple[tuple[str, int, str], ...] = (
        ("/tmp", config.tmp_mb, "mode=1777"),  # noqa: S108 - inside the box
        ("/var/tmp", min(config.tmp_mb, VAR_TMP_MB), "mode=1777"),  # noqa: S108 - inside the box
        ("/dev/shm", config.shm_mb, "mode=1777"),  # noqa: S108 - inside the box
        (config.workdir, config.disk_mb, "mode=755,uid=1000,gid=1000"),
    )
    mounts: list[dict[str, object]] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
    ]
    for path, size_mb, mode in sized:
        options = [f"size={size_mb}m", *mode.split(",")]
        mounts.append({"destination": path, "type": "tmpfs", "source": "tmpfs", "options": options})
    return mounts


def _bind(source: str, target: str) -> dict[str, object]:
    return {"destination": target, "type": "bind", "source": source, "options": ["ro", "rbind"]}


def _contents(config: BoxConfig, host: Survey) -> dict[str, tuple[int, bytes]]:
    files = {path: (0o444, data) for path, data in files_of(config, host).items()}
    return files | {
        INIT: (0o555, host.init),
        PROBE: (0o555, host.probe),
        FILTER: (0o444, host.seccomp),
        PLAIN_STATX: (0o444, native(f"plainstatx-{host.architecture}")),
    }
