"""The abuse battery: hostile programs, each first without the control that stops it, then with it.

A row is a story told to a `Stage`: it shows the attack with its control removed, then the same attack
in a box as it is. What a row may touch: boxes, loopback listeners of its own, processes of its own.
An AF_VSOCK socket is created only, never connected to anything.

    python -m sandbox.battery             prints the table of this process's mode
    python -m sandbox.battery FILE...     joins printed tables into the one of docs/reference/abuse.md
"""

import asyncio
import ctypes
import dataclasses
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from inspect_ai.util import OutputLimitExceededError

from leadline.sandbox.box import Box, Completed, planned
from leadline.sandbox.config import BoxConfig
from leadline.sandbox.kernel import KernelPlan
from leadline.sandbox.plan import Plan
from leadline.sandbox.survey import own_mode
from leadline.sandbox.watchdog import tree
from sandbox.boxes import answers

SHARED, OWN = "shared-kernel", "own-kernel"
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Seen:
    """What a row showed: the control, the attack without it, and the attack with it."""

    control: str
    without: str
    held: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a row plays: one tier, in the mode of this process."""

    tier: str

    def config(self, **fields: object) -> BoxConfig:
        """A configuration of this tier."""
        return BoxConfig.model_validate({"tier": self.tier, **fields})

    def box(self, **fields: object) -> "BoxScene":
        """A box as it is; its end is looked at."""
        return BoxScene(planned(self.config(**fields)))

    def broken(
        self,
        *,
        arguments: Sequence[tuple[str, ...]] = (),
        stage: Mapping[str, str] | None = None,
        document: Mapping[str, str] | None = None,
        flags: Mapping[str, str] | None = None,
        **fields: object,
    ) -> "BoxScene":
        """A box with a control taken out of its start, which no configuration can do.

        *arguments* are stretches of bubblewrap's words to leave out and *stage* replacements in the
        words of root's stage; *document* and *flags* are replacements in gVisor's.
        """
        plan = planned(self.config(**fields))
        if isinstance(plan, KernelPlan):
            text = _replaced(plan.document, document or {})
            words = tuple(_replaced(word, flags or {}, every=False) for word in plan.arguments)
            return BoxScene(dataclasses.replace(plan, document=text, arguments=words))
        left = list(plan.arguments)
        for words in arguments:
            at = _stretch(left, words)
            del left[at : at + len(words)]
        staged = tuple(_replaced(word, stage or {}, every=False) for word in plan.stage)
        return BoxScene(dataclasses.replace(plan, arguments=tuple(left), stage=staged))


def _stretch(words: Sequence[str], wanted: Sequence[str]) -> int:
    for at in range(len(words)):
        if list(words[at : at + len(wanted)]) == list(wanted):
            return at
    raise AssertionError(f"{wanted} is not among the words of the start")


def _replaced(text: str, changes: Mapping[str, str], *, every: bool = True) -> str:
    for old, new in changes.items():
        assert not every or old in text, old
        text = text.replace(old, new)
    return text


class BoxScene:
    """A box that must answer at the end of the scene and leave nothing behind."""

    def __init__(self, plan: Plan | KernelPlan) -> None:
        self._plan = plan
        self._box: Box | None = None
        self.may_end = False

    async def __aenter__(self) -> Box:
        self._mounts = _mounts()
        self._box = await Box.start_plan(self._plan)
        return self._box

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        box = self._box
        assert box is not None
        pids, netns, folder = list(tree(box.pid)), _netns(box.inner_pid), _folder(box.pid)
        try:
            if kind is None:
                assert await answers(box), "the box does not answer any more"
                pids = list(tree(box.pid))
        finally:
            await box.stop()
        assert [pid for pid in pids if alive(pid)] == []
        assert _mounts() == self._mounts
        assert netns not in _all_netns() - {_netns(os.getpid())}
        assert folder is None or not folder.exists()


def _mounts() -> str:
    return Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def _folder(pid: int) -> Path | None:
    """The bundle that gVisor was started on, by its own words; None for bubblewrap."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    found = [word.removeprefix("--bundle=") for word in words if word.startswith("--bundle=")]
    return Path(found[0]) if found else None


def _netns(pid: int | None) -> str:
    """The network namespace of a process, or why it does not show: it is gone, or another user's."""
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except (FileNotFoundError, ProcessLookupError, PermissionError) as error:
        return f"unknown: {error.strerror}"


def _all_netns() -> set[str]:
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return {_netns(pid) for pid in pids}


Story = Callable[[Stage], Coroutine[None, None, Seen]]
ROWS: dict[str, Story] = {}


def row(name: str) -> Callable[[Story], Story]:
    """Enter a story into the battery under *name*."""

    def entered(story: Story) -> Story:
        ROWS[name] = story
        return story

    return entered


async def python(box: Box, script: str, seconds: float = 40) -> Completed:
    """Run a Python program in the box."""
    return await box.exec(["python3", "-c", script], timeout=seconds)


def outside(script: str) -> str:
    """Run a Python program on the host; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


_FORKS = """
import os, time
n = 0
try:
    while n < 120:
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
        n += 1
except BlockingIOError:
    pass
print(n)
"""


@row("120 sleeping processes")
async def processes(stage: Stage) -> Seen:
    """A process bound that no job can raise."""
    async with stage.broken(arguments=[("6=48",)], document={', "6=48"': ""}, nproc=48) as box:
        free = int((await python(box, _FORKS)).stdout)
        box.kill_all()
    async with stage.box(nproc=48) as box:
        bound = int((await python(box, _FORKS)).stdout)
        box.kill_all()
    assert free == 120
    assert 40 <= bound <= 48
    return Seen("RLIMIT_NPROC 48", f"{free} processes", f"{bound} processes")


@row("fork bomb")
async def fork_bomb(stage: Stage) -> Seen:
    """Ended by the call's deadline, within the process bound, while another box answers."""
    bomb = ["sh", "-c", "b() { b | b & }; b; sleep 30"]
    begun = time.monotonic()
    outside("import time; time.sleep(1.2)")
    waited = time.monotonic() - begun
    async with stage.box(nproc=64) as box, stage.box() as other:
        call = asyncio.create_task(box.exec(bomb, timeout=1.0))
        await asyncio.sleep(0.6)
        count = len(list(tree(box.inner_pid or 0)))
        answered = await answers(other)
        ended = isinstance((await asyncio.gather(call, return_exceptions=True))[0], TimeoutError)
        box.kill_all()
    assert waited > 1
    assert answered
    assert ended
    assert stage.tier == OWN or count <= 64 + 1
    return Seen(
        "deadline, RLIMIT_NPROC 64",
        "a program without a deadline runs to its own end",
        "ended at 1.0 s; the other box answered meanwhile",
    )


@row("memory bomb, one process")
async def one_bomb(stage: Stage) -> Seen:
    """Ended soon after its bound, at 1.5 times of it at most, and recorded as a limit."""
    return await _memory(stage, forks=0)


@row("memory bomb, eight processes")
async def eight_bombs(stage: Stage) -> Seen:
    """Each below the bound, all together over it."""
    return await _memory(stage, forks=3)


async def _memory(stage: Stage, forks: int) -> Seen:
    total, step = 400, 16 if forks == 0 else 5
    each = total // (1 << forks)
    script = (
        f"import os, time\nfor i in range({forks}): os.fork()\nb = []\n"
        f"while len(b) < {each // step}: b.append(bytearray(b'x') * ({step} << 20))\n"
        "print(len(b), flush=True); time.sleep(0.3)\n"
        "try:\n    while True: os.wait()\nexcept ChildProcessError: pass\n"
    )
    async with stage.box(memory_mb=4096) as box:
        free = await python(box, script)
    async with stage.box(memory_mb=256) as box:
        begun = time.monotonic()
        held = await python(box, script)
        taken = time.monotonic() - begun
        peak = box.peak_memory_bytes / MIB
    assert free.returncode == 0
    assert free.stdout.split() == [str(each // step).encode()] * (1 << forks)
    assert (held.returncode, held.limit) == (137, "memory")
    assert peak <= 1.5 * 256
    return Seen("watchdog, 256 MB", f"{total} MB taken", f"ended in {taken:.1f} s at {peak:.0f} MB")


@row("pages that no process holds")
async def loose_pages(stage: Stage) -> Seen:
    """memfd_create and System V shared memory do not exist in a box."""
    script = """
import ctypes
c = ctypes.CDLL(None, use_errno=True)
print(c.memfd_create(b"x", 0) >= 0, ctypes.get_errno())
print(c.shmget(0, 4096, 0o1600) >= 0, ctypes.get_errno())
"""
    async with _no_filter(stage) as box:
        free = (await python(box, script)).stdout.decode().split()
    async with stage.box() as box:
        held = (await python(box, script)).stdout.decode().split()
    assert free[0] == free[2] == "True"
    assert held == ["False", "38", "False", "38"]
    return Seen("system call filter", "memfd and shared memory made", "ENOSYS, ENOSYS")


def _no_filter(stage: Stage) -> BoxScene:
    return stage.broken(
        arguments=[("--seccomp", "{seccomp}")], document={'"filter=/run/sbx/filter", ': ""}
    )


_WRITABLE = (("/box", 16), ("/tmp", 8), ("/var/tmp", 8), ("/dev/shm", 4))
_READ_ONLY = ("/", "/dev", "/run", "/var", "/etc", "/usr", "/proc", "/run/sbx", "/dev/pts", "/sys")


@row("fill every writable mount")
async def fill(stage: Stage) -> Seen:
    """Writing stops at the size of each; nothing else can be written at all."""
    mode = own_mode()
    words = [("--size", str(size << 20)) for _, size in _WRITABLE] if mode == "user" else []
    scene = stage.broken(
        arguments=words,
        stage={f"size={size}m,": "" for size in (16, 8, 4)},
        document={f'"size={size}m", ': "" for size in (16, 8, 4)},
        disk_mb=16,
        tmp_mb=8,
        shm_mb=4,
    )
    async with scene as box:
        free = [await _filled(box, path) for path, _ in _WRITABLE]
    async with stage.box(disk_mb=16, tmp_mb=8, shm_mb=4) as box:
        held = [await _filled(box, path) for path, _ in _WRITABLE]
        for path in _READ_ONLY:
            assert (await box.exec(["touch", f"{path}/x"])).returncode != 0, path
    assert free == [24 * MIB] * 4
    assert all(got <= size << 20 for got, (_, size) in zip(held, _WRITABLE, strict=True))
    shown = ", ".join(
        f"{path} {got >> 20} MB" for got, (path, _) in zip(held, _WRITABLE, strict=True)
    )
    return Seen("size of each mount", "24 MB on each", f"{shown}; all else read-only")


async def _filled(box: Box, path: str) -> int:
    script = f"head -c 24M /dev/zero > {path}/fill; wc -c < {path}/fill; rm {path}/fill"
    return int((await box.exec(["sh", "-c", script], timeout=30)).stdout)


@row("flood of empty files")
async def files(stage: Stage) -> Seen:
    """A bound on entries: the file system's in root mode, else the watchdog's."""
    if stage.tier == OWN:
        return await _heavy_files(stage)
    free_config, config = {"inodes": 1 << 20}, {"inodes": 2000}
    async with stage.box(**free_config) as box:
        free = await _flood(box, 6000)
    async with stage.box(**config) as box:
        held = await _flood(box, 6000)
        left = int((await box.exec(["sh", "-c", "ls /box | wc -l"])).stdout)
    assert (free.returncode, free.limit) == (0, "")
    if own_mode() == "root":
        assert b"No space left" in held.stderr
        return Seen("nr_inodes 2000", "6000 files", f"refused after {left} files")
    assert held.limit == "inodes"
    return Seen("watchdog, 2000 entries", "6000 files", f"ended after {left} files")


async def _heavy_files(stage: Stage) -> Seen:
    async with stage.box(memory_mb=2048) as box:
        free = await _flood(box, 6_000)
    async with stage.box(memory_mb=24) as box:
        held = await _flood(box, 30_000)
    assert (free.returncode, free.limit) == (0, "")
    assert held.limit == "memory"
    return Seen(
        "watchdog, entries count as the memory they take",
        "6000 files",
        "ended at 24 MB of files and processes",
    )


async def _flood(box: Box, count: int) -> Completed:
    script = (
        f"for i in range({count}): open(f'/box/{{i}}', 'w').close()\nimport time; time.sleep(1.5)"
    )
    return await python(box, script)


@row("flood of output")
async def output(stage: Stage) -> Seen:
    """Output past the bound ends the job; the host keeps no more than the bound."""
    async with stage.box() as box:
        free = await box.exec(["head", "-c", "20M", "/dev/zero"], output_bytes_max=1 << 30)
        for script in ("head -c 500M /dev/zero", "yes & yes >&2"):
            with pytest.raises(OutputLimitExceededError):
                await box.exec(["sh", "-c", script], timeout=20)
    assert len(free.stdout) == 20 * MIB
    return Seen("10 MiB per output", "20 MiB collected", "OutputLimitExceededError, job ended")


@row("links, devices and FIFOs under file operations")
async def links(stage: Stage) -> Seen:
    """Files are opened inside, as the box's user, and never waited for."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "shadow"
        link.symlink_to("/etc/passwd")
        free = len(link.read_bytes())
    script = (
        "ln -s /etc/shadow shadow; ln -s /etc etc; ln -s /proc/1/mem mem; mkfifo fifo; "
        "ln -s /dev/zero zero"
    )
    refused = 0
    async with stage.box() as box:
        await box.exec(["sh", "-c", script])
        for path in ("shadow", "etc/shadow", "../../../../etc/shadow", "mem", "zero", "fifo"):
            refused += await _refused(box.read(path))
        for path in ("etc/x", "../x", "mem", "/etc/passwd", "zero", "fifo"):
            refused += await _refused(box.write(path, b"x"))
        own = await box.read("etc/passwd")
    assert free > 0
    assert refused == 12
    assert b"agent" in own
    return Seen(
        "file operations run inside, as the box's user",
        "a link to /etc/passwd read on the host gives the host's file",
        f"{refused} of 12 refused at once; the box's own file otherwise",
    )


async def _refused(operation: Awaitable[object]) -> int:
    try:
        await asyncio.wait_for(operation, 5)
    except OSError:
        return 1
    return 0


@row("signals and ptrace at the first process")
async def first_process(stage: Stage) -> Seen:
    """Nothing in a box harms its first process."""
    if stage.tier == OWN:
        free = await _killed_first(stage)
    else:
        async with stage.box() as box:
            done = await box.exec(["sh", "-c", "sleep 50 & kill -9 $!; wait $!; echo $?"])
            free = f"another process ends with {done.stdout.decode().strip()}"
            assert "137" in free
    async with stage.box() as box:
        for script in ("kill -9 1", "kill -STOP 1", "kill -SEGV 1", "kill -9 -1"):
            await box.exec(["sh", "-c", script], timeout=10)
            assert await answers(box), script
        trace = "import ctypes; print(ctypes.CDLL(None).ptrace(16, 1, 0, 0))"
        traced = await python(box, trace)
        memory = await _refused(box.read("/proc/1/mem"))
    assert traced.stdout == b"-1\n"
    assert memory == 1
    control = "user of its own" if stage.tier == OWN else "init of a pid namespace"
    return Seen(control, free, "unharmed by KILL, STOP, SEGV, kill -1, ptrace")


async def _killed_first(stage: Stage) -> str:
    """Where jobs have the first process's own user, gVisor lets them end it, and the box with it."""
    changes = {'"as=1000", ': "", '"gid": 0, "uid": 0': '"gid": 1000, "uid": 1000'}
    scene = stage.broken(document=changes)
    box = await scene.__aenter__()
    try:
        await asyncio.gather(
            box.exec(["sh", "-c", "kill -9 1; sleep 5"], timeout=10), return_exceptions=True
        )
        ended = not box.running
    finally:
        await box.stop()
    assert ended
    return "kill -9 1 ends the box"


def _outlives_its_parent() -> bool:
    """Whether an ordinary process of the host is there after the one that started it; ended then."""
    script = (
        "import subprocess as s; "
        "print(s.Popen(['sleep', '60'], start_new_session=True, stdout=-3, stderr=-3).pid)"
    )
    survivor = int(outside(script))
    there = alive(survivor)
    os.kill(survivor, signal.SIGKILL)
    return there


@row("daemons that leave their session")
async def daemons(stage: Stage) -> Seen:
    """The call returns at once and the box's end ends them all."""
    survived = _outlives_its_parent()
    async with stage.box() as box:
        slowest = 0.0
        for line in (
            "setsid sleep 600 >/dev/null 2>&1 &",
            "nohup sleep 600 >/dev/null 2>&1 &",
            "(setsid sh -c 'sleep 600 & sleep 600' &) >/dev/null 2>&1",
            "trap '' TERM HUP INT; (while :; do sleep 600; done) &",
        ):
            begun = time.monotonic()
            await box.exec(["sh", "-c", line])
            slowest = max(slowest, time.monotonic() - begun)
    assert survived
    assert slowest < 1.5
    return Seen(
        "pid namespace, or kernel of the box's own",
        "on the host it outlives what started it",
        f"calls returned within {slowest:.1f} s; none left after the end",
    )


_ATTEMPTS = (
    "unshare -U true",
    "unshare -n true",
    "mount -t tmpfs x /box",
    "umount /tmp",
    "mknod /box/d c 1 1 && head -c 1 /box/d",
    "chroot / true",
    "chrt -f 1 true",
    "su -c true root",
    "date -s 2001-01-01 >/dev/null",
    "hostname other",
    "ip link add d type dummy",
    "sysctl -w kernel.randomize_va_space=0",
    "cp /bin/sh s && chmod u+s s && ./s -p -c 'test $(id -u) = 0'",
    "echo 1 > /proc/sys/kernel/panic",
    "dmesg",
)


@row("namespaces, mounts, devices, clock, set-uid programs")
async def powers(stage: Stage) -> Seen:
    """Refused or without effect."""
    scene = stage.broken(
        arguments=[("--seccomp", "{seccomp}"), ("--disable-userns",)],
        document={'"filter=/run/sbx/filter", ': ""},
    )
    async with scene as box:
        free = await box.exec(["unshare", "-U", "true"])
    async with stage.box() as box:
        for attempt in _ATTEMPTS:
            done = await box.exec(["sh", "-c", attempt], timeout=10)
            assert done.returncode != 0, attempt
        # A kernel of the box's own may say yes to what reaches nothing outside it.
        await box.exec(["sh", "-c", "echo -1000 > /proc/self/oom_score_adj; nice -n -20 true"])
        scores = {_score(pid) for pid in tree(box.inner_pid or 0)}
        identity = await box.exec(["id", "-u"])
    assert free.returncode == 0, free.stderr
    assert identity.stdout == b"1000\n"
    assert stage.tier == OWN or scores == {1000}
    return Seen(
        "system call filter, no user namespaces",
        "a user namespace is made",
        f"{len(_ATTEMPTS)} of {len(_ATTEMPTS)} attempts refused",
    )


def _score(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii"))


_CALLS = """
import ctypes, os
c = ctypes.CDLL(None, use_errno=True)
refused = []
for name, number in CALLS.items():
    c.syscall(number, 0, 0, 0, 0, 0)
    refused.append(f"{name}={ctypes.get_errno()}")
print(" ".join(refused))
"""
_KERNEL_CALLS = {
    "x86_64": {"io_uring_setup": 425, "bpf": 321, "keyctl": 250, "userfaultfd": 323},
    "aarch64": {"io_uring_setup": 425, "bpf": 280, "keyctl": 219, "userfaultfd": 282},
}


@row("io_uring, bpf, keyctl, userfaultfd")
async def kernel_surface(stage: Stage) -> Seen:
    """EPERM from the filter, before a kernel looks at the call."""
    calls = _KERNEL_CALLS[os.uname().machine]
    script = _CALLS.replace("CALLS", repr(calls))
    async with _no_filter(stage) as box:
        free = (await python(box, script)).stdout.decode().split()
    async with stage.box() as box:
        held = (await python(box, script)).stdout.decode().split()
    assert [word for word in free if not word.endswith("=1")] != []
    assert all(word.endswith("=1") for word in held), held
    return Seen("system call filter", f"errors of the kernel itself: {' '.join(free)}", "all EPERM")


_FAMILIES = """
import socket
for family in range(46):
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind).close()
        except OSError as error:
            if error.errno == 97:
                continue
        print(family); break
"""


@row("sockets of every family (created, never connected)")
async def families(stage: Stage) -> Seen:
    """Only UNIX, IPv4, IPv6 and netlink are known in a box."""
    async with _no_filter(stage) as box:
        free = {int(word) for word in (await python(box, _FAMILIES)).stdout.split()}
    async with stage.box() as box:
        held = {int(word) for word in (await python(box, _FAMILIES)).stdout.split()}
    assert free - {1, 2, 10, 16} != set()
    assert held <= {1, 2, 10, 16}
    beyond = " ".join(map(str, sorted(free - {1, 2, 10, 16})))
    return Seen(
        "system call filter",
        f"known besides: {beyond}",
        f"known: {' '.join(map(str, sorted(held)))}",
    )


@row("system calls by another entry (i386, x32)")
async def entries(stage: Stage) -> Seen:
    """No entry leads past the filter."""
    if os.uname().machine != "x86_64":
        return Seen("system call filter", "not run: this machine has one entry", "not run")
    async with _no_filter(stage) as box:
        free = [await _entered(box, name) for name in _ENTRIES]
    async with stage.box() as box:
        held = [await _entered(box, name) for name in _ENTRIES]
    ended = ("ended by SIGSYS", "ended by SIGSYS")
    if stage.tier == SHARED:
        assert tuple(held[:2]) == ended
    else:
        # That kernel reads the number of an i386 entry in its one table, and so does the filter.
        assert tuple(held[1:]) == ("ended by SIGSYS", "answered -1")
        assert free[2] == "answered -22"
    assert "ended by SIGSYS" not in free
    return Seen("system call filter", "; ".join(free), "; ".join(held))


# getpid by `int 0x80` (20), getpid by the x32 table (0x40000000 + 39), and io_uring_setup, whose
# number is the same in every table, by `int 0x80`.
_ENTRIES = {
    "getpid by int 0x80": "b814000000cd80c3",
    "getpid by x32": "b8270000400f05c3",
    "io_uring_setup by int 0x80": "b8a901000031db31c9cd80c3",
}


async def _entered(box: Box, name: str) -> str:
    script = f"""
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex("{_ENTRIES[name]}"))
run = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print(run())
"""
    done = await python(box, script)
    if done.returncode == 128 + signal.SIGSYS:
        return "ended by SIGSYS"
    if done.returncode != 0:
        return f"ended with {done.returncode}"
    answer = int(done.stdout)
    return "answered" if answer > 0 else f"answered {ctypes.c_int32(answer).value}"


@row("typing into another's terminal")
async def terminal(stage: Stage) -> Seen:
    """TIOCSTI and TIOCLINUX are refused, with any high bits of the argument."""
    script = """
import ctypes, os, pty
c = ctypes.CDLL(None, use_errno=True)
main, sub = pty.openpty()
for request in (0x5412, 0x541C):
    for high in (0, 1 << 32, 0xFFFFFFFF << 32):
        ctypes.set_errno(0)
        c.syscall(NUMBER, sub, ctypes.c_ulong(request | high), ctypes.c_char_p(b"x"))
        print(ctypes.get_errno())
os.write(main, b"hello\\n"); print(os.read(sub, 6).decode().strip())
""".replace("NUMBER", "16" if os.uname().machine == "x86_64" else "29")
    async with _no_filter(stage) as box:
        free = (await python(box, script)).stdout.decode().split()
    async with stage.box() as box:
        held = (await python(box, script)).stdout.decode().split()
    assert free[-1] == held[-1] == "hello"
    assert free[:6] != ["1"] * 6
    assert held[:6] == ["1"] * 6
    return Seen(
        "system call filter",
        f"answers of the terminal itself: {' '.join(free[:6])}",
        "EPERM, 6 of 6",
    )


@contextmanager
def _listeners() -> Iterator[tuple[int, str]]:
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        name = f"leadline-battery-{os.getpid()}-{time.monotonic_ns()}"
        unix.bind("\0" + name)
        for listener in (tcp, unix):
            listener.listen()
        yield tcp.getsockname()[1], name


def _connects(port: int, name: str) -> str:
    return f"""
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", {port})), (socket.AF_UNIX, "\\0{name}")):
    try:
        socket.socket(family).connect(address); print("reached")
    except OSError as error:
        print("refused")
"""


@row("listeners on the host: loopback and abstract UNIX socket")
async def listeners(stage: Stage) -> Seen:
    """Out of reach, while a process outside reaches both."""
    with _listeners() as (port, name):
        script = _connects(port, name)
        control = outside(script).split()
        scene = stage.broken(
            arguments=[("--unshare-net",)],
            document={'{"type": "network"}, ': ""},
            flags={"--network=none": "--network=host"},
        )
        async with scene as box:
            free = (await python(box, script)).stdout.decode().split()
        async with stage.box() as box:
            held = (await python(box, script)).stdout.decode().split()
    assert control == ["reached", "reached"]
    assert free[0] == "reached"
    assert held == ["refused", "refused"]
    return Seen("network namespace of its own", f"reached: {' '.join(free)}", "refused, refused")


@row("what a job is born with")
async def born_with(stage: Stage) -> Seen:
    """Filter on, no capability, no new privileges, three descriptors, every limit."""
    async with _no_filter(stage) as box:
        free = _fields(await box.exec(["cat", "/proc/self/status"]))["Seccomp"]
    async with stage.box() as box:
        fields = _fields(await box.exec(["cat", "/proc/self/status"]))
        fds = await python(
            box, "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:4])"
        )
        nnp = await python(box, "import ctypes; print(ctypes.CDLL(None).prctl(39, 0, 0, 0, 0))")
        limits = await python(
            box, "import resource as r; print([r.getrlimit(n)[1] for n in (6, 7, 4, 1)])"
        )
        raised = await box.exec(["sh", "-c", "ulimit -u 1000"])
    powers_left = {fields.get(name, "0").strip("0") for name in ("CapPrm", "CapEff", "CapBnd")}
    assert free == "0"
    assert fields["Seccomp"] == "2"
    assert powers_left == {""}
    assert nnp.stdout == b"1\n"
    assert fds.stdout == b"[0, 1, 2, 3]\n"  # 3 is the listing itself
    assert limits.stdout.decode().strip() == str([256, 1024, 0, 512 << 20])
    assert raised.returncode != 0
    return Seen(
        "first process of ours", f"Seccomp {free}", "Seccomp 2, NoNewPrivs 1, CapEff 0, fds 0-2"
    )


def _fields(done: Completed) -> dict[str, str]:
    lines = done.stdout.decode().splitlines()
    return dict(line.split(":\t") for line in lines if ":\t" in line)


@row("the host through /proc")
async def host_facts(stage: Stage) -> Seen:
    """Boot line, kernel symbols, memory, processes and name of the host do not show."""
    boot = outside("print(open('/proc/cmdline').read())")
    async with stage.box() as box:
        seen = await box.read("/proc/cmdline")
        meminfo = (await box.read("/proc/meminfo")).decode()
        hostname = await box.exec(["cat", "/proc/sys/kernel/hostname"])
        listed = await box.exec(["sh", "-c", "cd /proc; echo [0-9]*"])
        symbols = await box.exec(["sh", "-c", "cat /proc/kallsyms | head -c 100 | wc -c"])
    assert boot
    assert boot not in seen.decode()
    assert f"MemTotal: {2048 * 1024:>14} kB" in meminfo
    assert hostname.stdout == b"box\n"
    assert symbols.stdout.split()[-1:] == [b"0"]
    assert len(listed.stdout.split()) <= 4
    return Seen("files bound over", f"host: {len(boot)} bytes of boot line", "none of the host's")


@row("32 spinning processes")
async def spinning(stage: Stage) -> Seen:
    """Another box still answers; without a CPU group nothing but the scheduler holds this."""
    async with stage.box() as other:
        idle = await _p90(other)
        async with stage.box() as box:
            await box.exec(["sh", "-c", "for i in $(seq 32); do (while :; do :; done) & done"])
            busy = await _p90(other)
            box.kill_all()
    assert busy <= max(10 * idle, 1.0)
    return Seen(
        "the host's scheduler (CPU group: not run, none delegated)",
        f"idle p90 {idle * 1000:.0f} ms",
        f"p90 {busy * 1000:.0f} ms beside 32 spinning",
    )


async def _p90(box: Box) -> float:
    taken = []
    for _ in range(10):
        begun = time.monotonic()
        assert await answers(box)
        taken.append(time.monotonic() - begun)
    return statistics.quantiles(taken, n=10)[-1]


_DRIVER = """
import asyncio, sys
sys.path[:] = {path!r}
from leadline.sandbox.box import Box, BoxConfig
from leadline.sandbox.watchdog import tree
async def main():
    boxes = [await Box.start(BoxConfig(tier={tier!r})) for _ in range(2)]
    calls = [asyncio.create_task(b.exec(["sh", "-c", "trap '' TERM; setsid sleep 600 & sleep 600"])) for b in boxes]
    await asyncio.sleep(0.7)
    print(" ".join(str(p) for b in boxes for p in tree(b.pid)), flush=True)
    await asyncio.gather(*calls)
asyncio.run(main())
"""


@row("kill -9 of the host process in the middle of calls")
async def killed_host(stage: Stage) -> Seen:
    """Every process of every box is gone within two seconds."""
    assert _outlives_its_parent()
    count, taken = await asyncio.to_thread(_host_killed, stage.tier)
    assert taken < 2
    return Seen(
        "control socket, order of the kernel at the parent's death",
        "an ordinary child outlives its parent",
        f"{count} processes gone in {taken * 1000:.0f} ms",
    )


def _host_killed(tier: str) -> tuple[int, float]:
    """How many processes the boxes of a killed host process had, and the seconds until all were gone."""
    with subprocess.Popen(
        [sys.executable, "-c", _DRIVER.format(path=sys.path, tier=tier)],
        stdout=subprocess.PIPE,
        text=True,
    ) as driver:
        assert driver.stdout
        pids = [int(pid) for pid in driver.stdout.readline().split()]
        assert len(pids) >= 8
        driver.send_signal(signal.SIGKILL)
        begun = time.monotonic()
        while time.monotonic() - begun < 5 and any(alive(pid) for pid in pids):
            time.sleep(0.005)
        return len(pids), time.monotonic() - begun


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


NOT_RUN = (
    ("memory.max of a cgroup over a box", "no cgroup v2 subtree is delegated to us here"),
    ("pids.max of a cgroup over a box", "no cgroup v2 subtree is delegated to us here"),
    ("cpu.max of a cgroup over a box", "no cgroup v2 subtree is delegated to us here"),
)


HEAD = "| Row | Tier, mode | Control | Without it | With it |\n|---|---|---|---|---|\n"


def table() -> Iterator[str]:
    """Play every row in both tiers, in the mode of this process."""
    for name, story in ROWS.items():
        for tier in (SHARED, OWN):
            seen = asyncio.run(story(Stage(tier)))
            yield f"| {name} | {tier}, {own_mode()} | {seen.control} | {seen.without} | {seen.held} |\n"


def document(tables: Sequence[str]) -> str:
    """The rows of several runs in one table, by row and then in the order of the runs."""
    lines = [line for text in tables for line in text.splitlines()]
    ordered = [line for name in ROWS for line in lines if line.startswith(f"| {name} |")]
    missing = "".join(
        f"| {name} | all | cgroup v2 | not run: {why} | not run |\n" for name, why in NOT_RUN
    )
    return HEAD + "".join(f"{line}\n" for line in ordered) + missing


def main() -> None:
    """Print the table of this run, or with files named, the one of the runs whose output they hold."""
    if sys.argv[1:]:
        sys.stdout.write(
            document([Path(name).read_text(encoding="utf-8") for name in sys.argv[1:]])
        )
        return
    sys.stdout.write(HEAD)
    for line in table():
        sys.stdout.write(line)


if __name__ == "__main__":
    main()
