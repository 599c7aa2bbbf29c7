"""Can this host run boxes, and if not, why and what helps: for `leadline doctor`.

`gather` looks, `judge` decides from what was seen; every failed check names one cause and its cure.
"""

import asyncio
import platform
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from leadline.sandbox.box import Box, BoxConfig
from leadline.sandbox.gvisor import runtime
from leadline.sandbox.survey import Mode, Unusable, own_mode

BWRAP_OLDEST = (0, 8)  # the first with --disable-userns
START_SECONDS_MAX = 1.0
ARCHITECTURES = ("x86_64", "aarch64")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a box needs. *cause* and *cure* are empty when it is there."""

    name: str
    ok: bool
    cause: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of the host.

    Kernel settings are None where the kernel has no such setting. *container* names the kind of
    container this runs in, empty for none. *failure* holds the words of a box that did not start,
    *seconds* how long one that did took.
    """

    architecture: str
    bwrap_version: tuple[int, ...] | None
    mode: Mode
    userns_clone: int | None
    userns_max: int | None
    apparmor_restricts: int | None
    container: str
    filtered: bool
    proc_covered: tuple[str, ...]
    seccomp_actions: tuple[str, ...]
    failure: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TierFacts:
    """What was seen of the tiers here: empty *shared* or *own* where such a box started, else words.

    *driver* names gVisor's release and platform where it is installed.
    """

    shared: str
    own: str
    driver: str
    container: str


def judge_tiers(facts: TierFacts) -> tuple[Check, ...]:
    """Each isolation tier: whether this host gives it, and what would help where it does not."""
    return (_shared_kernel(facts), _own_kernel(facts), _own_machine())


def _shared_kernel(facts: TierFacts) -> Check:
    name = "tier shared-kernel"
    if not facts.shared:
        return Check(name, ok=True, cause="bubblewrap, on the host's kernel")
    cure = "see the checks of boxes: leadline doctor"
    return Check(name, ok=False, cause=f"a box did not start: {facts.shared}", cure=cure)


def _own_kernel(facts: TierFacts) -> Check:
    name = "tier own-kernel"
    if not facts.driver:
        return Check(
            name,
            ok=False,
            cause="gVisor's runsc is not installed",
            cure="install the system package: apt-get install runsc",
        )
    if not facts.own:
        return Check(name, ok=True, cause=f"gVisor: {facts.driver}")
    if facts.container and re.search(r"ptrace|not permitted|unshare|clone", facts.own):
        return Check(
            name,
            ok=False,
            cause=f"the {facts.container} container does not let gVisor work: {facts.own}",
            cure="start the container with --cap-add SYS_PTRACE --cap-add SYS_ADMIN "
            "--security-opt seccomp=unconfined, or run on the host",
        )
    return Check(
        name,
        ok=False,
        cause=f"a box on gVisor ({facts.driver}) did not start: {facts.own}",
        cure="run `runsc --network=none do true` by hand, and report what it says",
    )


def _own_machine() -> Check:
    return Check(
        "tier own-machine",
        ok=False,
        cause="boxes are made on this host, and no provider of machines is set up for them",
        cure="run an Inspect task whose own sandbox is a machine (its Kubernetes, Proxmox or cloud "
        "provider), with the proof of leadline.sandbox.foreign, or ask for tier own-kernel",
    )


def judge(facts: Facts) -> tuple[Check, ...]:
    """Every check, in the order in which a cure helps."""
    return (
        _architecture(facts),
        _bubblewrap(facts),
        _seccomp(facts),
        _user_namespaces(facts),
        _proc(facts),
        _box(facts),
    )


def _architecture(facts: Facts) -> Check:
    if facts.architecture in ARCHITECTURES:
        return Check("architecture", ok=True)
    return Check(
        "architecture",
        ok=False,
        cause=f"no system-call filter exists for {facts.architecture}",
        cure=f"use a machine with {' or '.join(ARCHITECTURES)}",
    )


def _bubblewrap(facts: Facts) -> Check:
    if facts.bwrap_version is None:
        return Check(
            "bubblewrap",
            ok=False,
            cause="the program bwrap is not installed",
            cure="install the system package: apt-get install bubblewrap",
        )
    if facts.bwrap_version < BWRAP_OLDEST:
        shown = ".".join(map(str, facts.bwrap_version))
        return Check(
            "bubblewrap",
            ok=False,
            cause=f"bubblewrap {shown} cannot shut off further user namespaces",
            cure="install bubblewrap 0.8 or later (Debian 12, Ubuntu 24.04)",
        )
    return Check("bubblewrap", ok=True)


def _seccomp(facts: Facts) -> Check:
    if {"errno", "kill_process"} <= set(facts.seccomp_actions):
        return Check("seccomp", ok=True)
    return Check(
        "seccomp",
        ok=False,
        cause="the kernel filters no system calls (CONFIG_SECCOMP_FILTER)",
        cure="use a distribution kernel, 4.14 or later",
    )


def _user_namespaces(facts: Facts) -> Check:
    """The reasons a kernel refuses a user namespace; a setting counts only if a box failed."""
    name = "user namespaces"
    if not facts.failure or _about_proc(facts.failure):
        return Check(name, ok=True)
    if facts.userns_max == 0:
        return Check(
            name,
            ok=False,
            cause="user.max_user_namespaces is 0",
            cure="as root: sysctl -w user.max_user_namespaces=15000",
        )
    if facts.mode == "user" and facts.userns_clone == 0:
        return Check(
            name,
            ok=False,
            cause="kernel.unprivileged_userns_clone is 0: only root may make user namespaces",
            cure="as root: sysctl -w kernel.unprivileged_userns_clone=1",
        )
    if facts.mode == "user" and facts.apparmor_restricts:
        return Check(
            name,
            ok=False,
            cause="AppArmor restricts user namespaces of ordinary programs (Ubuntu 23.10 and later)",
            cure="as root, either load a profile that grants bwrap `userns` "
            "(/etc/apparmor.d/bwrap: `profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }`, then "
            "apparmor_parser -r), or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        )
    if facts.container and facts.filtered and _about_namespaces(facts.failure):
        return Check(
            name,
            ok=False,
            cause=f"the {facts.container} container's own system-call filter forbids namespaces",
            cure="start the container with --security-opt seccomp=unconfined "
            "--security-opt systempaths=unconfined, or run on the host",
        )
    return Check(name, ok=True)


def _proc(facts: Facts) -> Check:
    if not _about_proc(facts.failure):
        return Check("/proc", ok=True)
    shown = ", ".join(facts.proc_covered) or "parts of it"
    return Check(
        "/proc",
        ok=False,
        cause=f"/proc is covered ({shown}), so the kernel refuses a new one in a box",
        cure="start the container with --security-opt systempaths=unconfined, or run on the host",
    )


def _box(facts: Facts) -> Check:
    if facts.failure:
        return Check(
            "box",
            ok=False,
            cause=f"a box did not start: {facts.failure}",
            cure="follow the checks above; if all hold, report this message",
        )
    if facts.seconds > START_SECONDS_MAX:
        return Check(
            "box",
            ok=True,
            cause=f"a box took {facts.seconds:.1f} s to start: this host is slow or busy",
        )
    return Check("box", ok=True)


def _about_proc(failure: str) -> bool:
    return bool(re.search(r"mount proc|/newroot/proc", failure))


def _about_namespaces(failure: str) -> bool:
    return bool(re.search(r"namespace|uid map|clone|unshare|Operation not permitted", failure))


def read_version(text: str) -> tuple[int, ...]:
    """`bubblewrap 0.8.0` as (0, 8, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def read_container(*, docker: bool, podman: bool, cgroup: str) -> str:
    """The kind of container, from its marker files and /proc/1/cgroup."""
    if podman:
        return "podman"
    if docker or "docker" in cgroup:
        return "docker"
    if "kubepods" in cgroup:
        return "kubernetes"
    return "lxc" if "lxc" in cgroup else ""


def read_covered(mountinfo: str) -> tuple[str, ...]:
    """Paths under /proc that something is mounted over, from /proc/self/mountinfo."""
    points = (line.split()[4] for line in mountinfo.splitlines())
    harmless = "/proc/sys/fs/binfmt_misc"
    return tuple(point for point in points if point.startswith("/proc/") and point != harmless)


def _setting(name: str, folder: Path = Path("/proc/sys")) -> int | None:
    path = folder / name
    return int(path.read_text(encoding="ascii")) if path.exists() else None


def _text(path: str) -> str:
    there = Path(path)
    return there.read_text(encoding="utf-8", errors="replace") if there.exists() else ""


def gather() -> Facts:
    """Look at this host; starts one box. Not for use inside a running event loop."""
    bwrap = shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")
    version: tuple[int, ...] | None = None
    if bwrap:
        done = subprocess.run([bwrap, "--version"], check=True, capture_output=True, text=True)
        version = read_version(done.stdout)
    status = _text("/proc/self/status")
    failure, seconds = _one_box()
    return Facts(
        architecture=platform.machine(),
        bwrap_version=version,
        mode=own_mode(),
        userns_clone=_setting("kernel/unprivileged_userns_clone"),
        userns_max=_setting("user/max_user_namespaces"),
        apparmor_restricts=_setting("kernel/apparmor_restrict_unprivileged_userns"),
        container=_container(),
        filtered="Seccomp:\t2" in status,
        proc_covered=read_covered(_text("/proc/self/mountinfo")),
        seccomp_actions=tuple(_text("/proc/sys/kernel/seccomp/actions_avail").split()),
        failure=failure,
        seconds=seconds,
    )


def _container() -> str:
    return read_container(
        docker=Path("/.dockerenv").exists(),
        podman=Path("/run/.containerenv").exists(),
        cgroup=_text("/proc/1/cgroup"),
    )


async def _start_and_stop(tier: str) -> float:
    begun = time.monotonic()
    async with await Box.start(BoxConfig(tier=tier)):
        return time.monotonic() - begun


def _one_box(tier: str = "shared-kernel") -> tuple[str, float]:
    """What a box says that does not start, empty if it does, and how long it took."""
    from inspect_ai.util import SandboxUnavailableError

    try:
        return "", asyncio.run(_start_and_stop(tier))
    except (SandboxUnavailableError, Unusable, OSError) as error:
        return str(error), 0.0


def probe() -> tuple[Check, ...]:
    """Every check on this host."""
    return judge(gather())


def gather_tiers() -> TierFacts:
    """Look at this host; starts a box of each tier. Not for use inside a running event loop."""
    try:
        found = runtime()
        driver = f"runsc {found.version} on {found.platform}"
    except Unusable:
        driver = ""
    own = _one_box("own-kernel")[0] if driver else ""
    return TierFacts(_one_box()[0], own, driver, _container())


def tiers() -> tuple[Check, ...]:
    """Every isolation tier on this host."""
    return judge_tiers(gather_tiers())
