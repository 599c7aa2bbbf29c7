"""How a box is started: the arguments of bubblewrap, decided from configuration and survey alone.

Arguments that differ from box to box (descriptors, the uid) are written as names in braces and
filled in when the box starts; what is left is the same for every box of one configuration, and its
digest is what an egress proof and each sample are compared by.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leadline.sandbox.config import BoxConfig, canonical
from leadline.sandbox.survey import Entry, Survey, Unusable, image_root, survey

INIT = "/run/sbx/init"
PROBE = "/run/sbx/probe"
STAGE = "/tmp"  # noqa: S108 - covered in the stage's own mount namespace; bubblewrap needs it to exist
UNSHARED = ("user", "ipc", "pid", "uts", "cgroup-try")
OWN_NET, JOINED_NET = "--unshare-net", "--share-net"
RLIMIT_FSIZE, RLIMIT_CORE, RLIMIT_NPROC, RLIMIT_NOFILE = 1, 4, 6, 7
VAR_TMP_MB = 64

PASSWD = b"root:x:0:0:root:/:/usr/sbin/nologin\nagent:x:1000:1000:agent:/box:/bin/bash\n"
GROUP = b"root:x:0:\nagent:x:1000:\n"
HOSTS = b"127.0.0.1 localhost box\n::1 localhost\n"
NSSWITCH = b"passwd: files\ngroup: files\nhosts: files\n"
OS_RELEASE = b'ID=linux\nNAME="Linux"\nPRETTY_NAME="Linux"\n'


@dataclass(frozen=True, slots=True)
class Plan:
    """The start of a box: arguments, and the bytes that bubblewrap copies in by name."""

    config: BoxConfig
    host: Survey
    stage: tuple[str, ...]
    arguments: tuple[str, ...]
    data: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def driver(self) -> str:
        """The program that starts the box, with its release."""
        return f"bubblewrap {self.host.bwrap_version}"

    @property
    def joined(self) -> bool:
        """Whether the box must be started in a private network: it has no namespace of its own."""
        return JOINED_NET in self.arguments

    @property
    def template_digest(self) -> str:
        """SHA-256 of everything that decides the box apart from the native parts, hexadecimal."""
        contents = {name: hashlib.sha256(data).hexdigest() for name, data in self.data.items()}
        document = {"argv": self.arguments, "stage": self.stage, "data": contents}
        return hashlib.sha256(canonical(document)).hexdigest()

    @property
    def seal_digest(self) -> str:
        """SHA-256 of what shuts the box off: all of the above but its own binds and private network.

        Boxes of one seal differ in the read-only folders they are given, and in the private network
        they are joined to, which `hosts.Hosts` proves for each sample; in nothing else.
        """
        config = self.config.model_dump(mode="json", exclude={"warm", "binds", "network"})
        contents = {name: hashlib.sha256(data).hexdigest() for name, data in self.data.items()}
        targets = {bind.target for bind in self.config.binds}
        sources = {bind.source for bind in self.config.binds}
        apart = [OWN_NET if word == JOINED_NET else word for word in self.arguments]
        document = {
            "config": config,
            "argv": _without("--ro-bind", 2, targets, apart),
            "stage": _without("bind", 1, sources, self.stage),
            "data": contents,
        }
        return hashlib.sha256(canonical(document)).hexdigest()

    def fill(self, values: Mapping[str, int]) -> list[str]:
        """The arguments with every `{name}` replaced."""
        return [_filled(argument, values) for argument in self.arguments]

    def fill_stage(self, values: Mapping[str, int]) -> list[str]:
        """The stage's operations with every `{name}` replaced."""
        return [_filled(argument, values) for argument in self.stage]


def _without(word: str, at: int, named: set[str], words: Sequence[str]) -> list[str]:
    """*words* less each `word A B` of which the element *at* is among *named*."""
    kept: list[str] = []
    skip = 0
    for index, one in enumerate(words):
        if not skip and one == word and words[index + at] in named:
            skip = 3
        if skip:
            skip -= 1
        else:
            kept.append(one)
    return kept


def _filled(argument: str, values: Mapping[str, int]) -> str:
    if "{" not in argument:
        return argument
    for name, value in values.items():
        argument = argument.replace(f"{{{name}}}", str(value))
    return argument


def root_of(config: BoxConfig, host: Survey) -> tuple[Entry, ...]:
    """What the box's root is made of: the image's entries, or the host's short list."""
    return image_root(config.rootfs, config.workdir) if config.rootfs else host.root


def meminfo(memory_mb: int) -> bytes:
    """What /proc/meminfo says in a box: its own bound, and nothing of the host."""
    total = memory_mb * 1024
    rows = (("MemTotal", total), ("MemFree", total), ("MemAvailable", total), ("Buffers", 0))
    more = (
        ("Cached", 0),
        ("Shmem", 0),
        ("Slab", 0),
        ("SReclaimable", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
    )
    return "".join(f"{name + ':':<15} {value:>8} kB\n" for name, value in (*rows, *more)).encode()


def _writable(config: BoxConfig, mode: str) -> tuple[list[str], list[str]]:
    """Stage operations and arguments for the sized mounts; only the stage can bound inodes."""
    mounts = (
        ("/tmp", config.tmp_mb, 0o1777),  # noqa: S108 - inside the box
        ("/var/tmp", min(config.tmp_mb, VAR_TMP_MB), 0o1777),  # noqa: S108 - inside the box
        (config.workdir, config.disk_mb, 0o755),
        ("/dev/shm", config.shm_mb, 0o1777),  # noqa: S108 - inside the box
    )
    staged: list[str] = []
    arguments: list[str] = []
    for index, (target, size_mb, perms) in enumerate(mounts):
        if mode == "root":
            options = (
                f"size={size_mb}m,nr_inodes={config.inodes},mode={perms:o},uid={{uid}},gid={{uid}}"
            )
            staged += ["tmpfs", options, f"writable{index}"]
            arguments += ["--bind", f"{STAGE}/writable{index}", target]
        else:
            arguments += [
                "--size",
                str(size_mb << 20),
                "--perms",
                f"{perms:04o}",
                "--tmpfs",
                target,
            ]
    return staged, arguments


def _readable(config: BoxConfig, host: Survey) -> tuple[list[str], list[str]]:
    """Stage operations and arguments for everything the box may read."""
    staged: list[str] = []
    arguments: list[str] = []
    root = root_of(config, host)
    own = tuple(Entry("bind", bind.source, bind.target) for bind in config.binds)
    seen_by_all = 0 if config.rootfs else len(root)
    for index, entry in enumerate((*root, *own)):
        if entry.kind == "link":
            arguments += ["--symlink", entry.source, entry.target]
        elif host.mode == "root" and index >= seen_by_all:
            staged += ["bind", entry.source, f"readable{index}"]
            arguments += ["--ro-bind", f"{STAGE}/readable{index}", entry.target]
        else:
            arguments += ["--ro-bind", entry.source, entry.target]
    return staged, arguments


def files_of(config: BoxConfig, host: Survey) -> dict[str, bytes]:
    """Files that every box gets from us, by path in the box."""
    home = PASSWD.replace(b":/box:", f":{config.workdir}:".encode())
    own = {
        "/etc/passwd": home,
        "/etc/group": GROUP,
        "/etc/hosts": HOSTS,
        "/etc/nsswitch.conf": NSSWITCH,
    }
    root = root_of(config, host)
    targets = {entry.target for entry in root}
    if "/etc" in targets:
        return {}
    own["/etc/os-release"] = OS_RELEASE
    return {path: data for path, data in own.items() if path not in targets}


def _copied(config: BoxConfig, host: Survey) -> tuple[list[str], dict[str, bytes]]:
    """Arguments that copy bytes in, each by a descriptor named after its place in the list."""
    arguments: list[str] = []
    data: dict[str, bytes] = {}
    for path, content in files_of(config, host).items():
        data[f"file{len(data)}"] = content
        arguments += ["--perms", "0444", "--file", f"{{file{len(data) - 1}}}", path]
    for path in host.covered:
        data[f"file{len(data)}"] = meminfo(config.memory_mb) if path.endswith("meminfo") else b""
        arguments += ["--perms", "0444", "--ro-bind-data", f"{{file{len(data) - 1}}}", path]
    return arguments, data


def make_plan(config: BoxConfig, host: Survey | None = None) -> Plan:
    """Decide how a box of *config* is started on *host* (this one unless given).

    Raises: Unusable where the host cannot run a box at all; FileNotFoundError for a missing rootfs.
    """
    host = host or survey()
    if config.tier != "shared-kernel":
        raise Unusable(f"bubblewrap cannot start boxes of tier {config.tier}")
    staged_reads, reads = _readable(config, host)
    staged_writes, writes = _writable(config, host.mode)
    copied, data = _copied(config, host)
    limits = {
        RLIMIT_CORE: 0,
        RLIMIT_NPROC: config.nproc,
        RLIMIT_NOFILE: config.nofile,
        RLIMIT_FSIZE: config.fsize_mb << 20,
    }
    # Made by us so that everyone in the box may enter them; bubblewrap's own would be 0700.
    folders = [
        word
        for path in ("/etc", "/var", "/run")
        if path not in {entry.target for entry in root_of(config, host)}
        for word in ("--perms", "0755", "--dir", path)
    ]
    arguments = [
        *(f"--unshare-{name}" for name in UNSHARED),
        OWN_NET if config.network is None else JOINED_NET,
        *("--disable-userns", "--uid", "1000", "--gid", "1000", "--hostname", "box"),
        *("--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"),
        *("--seccomp", "{seccomp}"),
        *folders,
        *reads,
        *("--proc", "/proc", "--dev", "/dev"),
        *copied,
        *writes,
        *("--perms", "0555", "--file", "{init}", INIT),
        *("--perms", "0555", "--file", "{probe}", PROBE),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", config.workdir),
        *("--", INIT, "init", "{control}"),
        *(f"{resource}={bound}" for resource, bound in limits.items()),
    ]
    return Plan(
        config=config,
        host=host,
        stage=(*staged_reads, *staged_writes),
        arguments=tuple(arguments),
        data={**data, "probe": host.probe},
    )


def exec_environment(config: BoxConfig, extra: Mapping[str, str] | None) -> dict[str, str]:
    """Variables of a job: ours, then the configuration's, then the call's."""
    ours = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": config.workdir,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "USER": "agent",
    }
    return {**ours, **config.env, **(extra or {})}


def inside(config: BoxConfig, path: str | os.PathLike[str] | None) -> str:
    """*path* as seen in the box, relative ones from the working folder."""
    return os.path.join(config.workdir, os.fspath(path or ""))  # noqa: PTH118 - no normalising: links decide
