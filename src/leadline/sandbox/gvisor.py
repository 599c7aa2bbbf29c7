"""gVisor on this host: which `runsc` there is, which platform it runs on here, and its processes.

A box of tier own-kernel is one `runsc` sandbox. Three kinds of process make it up: `runsc` itself,
the sandbox (a kernel in a process, which runs everything in the box) and the gofer (which opens the
files that the box may read). The kernel ends the other two when `runsc` ends.
"""

import asyncio
import contextlib
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from leadline.sandbox.survey import Mode, Unusable, own_mode
from leadline.sandbox.watchdog import tree

PLATFORMS = ("systrap", "kvm", "ptrace")  # the quickest first
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
RUN = Path("/run/leadline-sandbox")
TRIAL_SECONDS_MAX = 2.5
GONE_SECONDS_MAX = 2.0
_MEMORY_FILE = "/memfd:runsc-memory (deleted)"


@dataclass(frozen=True, slots=True)
class Runtime:
    """One installed gVisor: where, which release, which bytes (SHA-256), and the platform used."""

    program: str
    version: str
    digest: str
    platform: str

    @property
    def words(self) -> str:
        """Release, platform and bytes, as the evidence names them."""
        return f"runsc {self.version} {self.platform} {self.digest}"


def read_version(text: str) -> str:
    """The release in what `runsc --version` prints, such as `20221219.0`; empty if there is none."""
    found = re.search(r"\d{8}(\.\d+)*", text)
    return found.group() if found else ""


def read_platforms(text: str) -> tuple[str, ...]:
    """The platforms that `runsc flags` offers, the quickest first."""
    found = re.search(r"-platform \w+\s+specifies which platform to use: ([^\n]*)", text)
    offered = set(re.findall(r"\w+", found.group(1))) if found else set()
    return tuple(name for name in PLATFORMS if name in offered)


def choose(offered: tuple[str, ...], *, kvm: Callable[[], bool]) -> str:
    """The platform to use; KVM only where *kvm* says that a sandbox on it ran here.

    Raises: Unusable if none is left.
    """
    for name in offered:
        if name != "kvm" or kvm():
            return name
    raise Unusable(f"runsc offers no platform that works here (it lists: {', '.join(offered)})")


@functools.cache
def runtime() -> Runtime:
    """This host's gVisor, looked at once per process; raises as `look_at`."""
    return look_at(shutil.which("runsc", path=PATH))


def look_at(program: str | None) -> Runtime:
    """What the `runsc` at *program* is, and the platform it is used with here.

    Raises: Unusable where there is none, or where it does not say what it is.
    """
    if program is None:
        raise Unusable(
            "gVisor is not installed, so no box can have a kernel of its own: install the system "
            "package `runsc`"
        )
    version = read_version(_words(program, "--version"))
    offered = read_platforms(_words(program, "flags"))
    if not version or not offered:
        raise Unusable(f"{program} does not say its release or platforms: install `runsc` again")
    with Path(program).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Runtime(program, version, digest, choose(offered, kvm=lambda: kvm_runs(program, digest)))


def _words(program: str, argument: str) -> str:
    done = subprocess.run(
        [program, argument], check=False, capture_output=True, text=True, env={"PATH": PATH}
    )
    return done.stdout + done.stderr


def kvm_runs(
    program: str, digest: str, device: str = "/dev/kvm", seconds: float = TRIAL_SECONDS_MAX
) -> bool:
    """Whether a sandbox on KVM runs here; tried once per start of the host and release.

    A host may offer the device and still not carry a sandbox (nested virtual machines), which shows
    only by trying: it then spins without answering.
    """
    if not os.access(device, os.R_OK | os.W_OK):
        return False
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    noted = notes() / f"kvm-{boot}-{digest[:16]}"
    if not noted.exists():
        noted.write_text("yes" if _kvm_tried(program, seconds) else "no", encoding="ascii")
    return noted.read_text(encoding="ascii") == "yes"


def notes() -> Path:
    """Where trials are noted: a folder of this user's, emptied when the host starts."""
    if own_mode() == "root":
        return private(RUN)
    return private(Path(tempfile.gettempdir()) / f"leadline-sandbox-{os.geteuid()}")


def private(folder: Path) -> Path:
    """*folder*, made if it is not there, which only this user can write.

    Raises: Unusable if it is someone else's, or a link.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise Unusable(f"{folder} is not this user's own folder: remove it")
    return folder


def _kvm_tried(program: str, seconds: float) -> bool:
    with tempfile.TemporaryDirectory(prefix="leadline-kvm-") as state:
        argv = [program, f"--root={state}", "--platform=kvm", "--network=none"]
        argv += ["--ignore-cgroups", *rootless(own_mode()), "do", "true"]
        with subprocess.Popen(
            argv,
            env={"PATH": PATH},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as tried:
            try:
                return tried.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                end_tree(tried.pid)
                return False


def rootless(mode: Mode) -> tuple[str, ...]:
    """What an ordinary user's `runsc` is told besides."""
    return () if mode == "root" else ("--rootless",)


def end_tree(pid: int) -> None:
    """End *pid* and every process below it, the topmost first."""
    for process in list(tree(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, 9)


async def ended(pids: Iterable[int], seconds: float = GONE_SECONDS_MAX) -> bool:
    """Wait until none of *pids* runs any more; whether that was so within *seconds*.

    `runsc` ends with its sandbox, while the kernel is still ending what the sandbox held.
    """
    left, deadline = list(pids), time.monotonic() + seconds
    while left := [pid for pid in left if _runs(pid)]:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(
            0.002
        )  # nothing announces the end of a process that is no child of ours
    return True


def _runs(pid: int) -> bool:
    """Whether *pid* is there and is more than a name waiting to be collected."""
    text = ") X"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    return text.rpartition(")")[2].split()[0] not in "ZX"


class Scales:
    """What one box weighs: the pages its kernel gives out, and that kernel's own books.

    All memory of the box (processes, files in its writable mounts, buffers) comes from one memory
    file of the sandbox process, so nothing is counted twice and nothing missed. Empty files and
    other entries without pages show in the sandbox's own anonymous memory.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._sandbox = 0
        self._file = ""

    @property
    def sandbox(self) -> int:
        """The sandbox process as the host numbers it, 0 until it has been seen."""
        return self._sandbox

    def weigh(self) -> int:
        """Bytes held now; 0 before the sandbox is up and after it ended."""
        weight = 0
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if self._file or self._found():
                weight = os.stat(self._file).st_blocks * 512  # noqa: PTH116 - hot
                weight += _anonymous(self._sandbox)
        return weight

    def processes(self) -> list[int]:
        """`runsc` first, then the sandbox, the gofer and what stands between.

        What the sandbox itself holds are tracees of it, which the kernel ends with it.
        """
        self.weigh()
        below = set(tree(self._sandbox)) - {self._sandbox} if self._sandbox else set()
        return [pid for pid in tree(self._pid) if pid not in below]

    def _found(self) -> bool:
        for pid in tree(self._pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 - hot
                    path = f"/proc/{pid}/fd/{name}"
                    if os.readlink(path) == _MEMORY_FILE:  # noqa: PTH115 - hot
                        self._sandbox, self._file = pid, path
                        return True
        return False


def _anonymous(pid: int) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - hot
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0
