"""Hostile programs in a box: what must hold, row by row of the abuse battery.

After every row the box still answers, and after its end no process of it is left.
"""

import asyncio
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from inspect_ai.util import OutputLimitExceededError

from leadline.sandbox.box import Box, Completed
from leadline.sandbox.config import BoxConfig
from leadline.sandbox.slots import process_uid
from leadline.sandbox.survey import own_mode
from leadline.sandbox.watchdog import tree
from sandbox.boxes import answers

pytestmark = pytest.mark.sandbox


def abuse(story: Callable[[Box], Awaitable[None]], config: BoxConfig | None = None) -> None:
    """Run *story*, then see that the box answers and that its end leaves nothing."""

    async def whole() -> None:
        async with await Box.start(config or BoxConfig()) as box:
            await story(box)
            assert await answers(box)
            pids = list(tree(box.pid))
        assert [pid for pid in pids if process_uid(pid) is not None] == []

    asyncio.run(whole())


async def python(box: Box, script: str) -> Completed:
    """Run a Python program in the box."""
    return await box.exec(["python3", "-c", script], timeout=20)


def test_a_fork_bomb_stays_within_its_processes() -> None:
    """At most 256 processes, ended by the timeout, while another box answers."""

    async def story(box: Box) -> None:
        async with await Box.start(BoxConfig()) as other:
            bomb = asyncio.create_task(
                box.exec(["sh", "-c", "b() { b | b & }; b; sleep 30"], timeout=1.5)
            )
            await asyncio.sleep(0.8)
            assert len(list(tree(box.pid))) <= 256 + 3
            assert await answers(other)
            with pytest.raises(TimeoutError):
                await bomb
        box.kill_all()

    abuse(story)


def test_hundreds_of_sleepers_meet_the_process_bound() -> None:
    """Forking past the bound fails inside; the box is unharmed."""

    async def story(box: Box) -> None:
        script = "import os,time\nn=0\ntry:\n while n<400:\n  if os.fork()==0: time.sleep(60)\n  n+=1\nexcept BlockingIOError: pass\nprint(n)"
        done = await python(box, script)
        assert 200 <= int(done.stdout.split()[-1]) <= 256

    abuse(story)


@pytest.mark.parametrize("forks", [0, 3], ids=["one", "eight"])
def test_a_memory_bomb_is_ended_and_named(forks: int) -> None:
    """Ended soon after its bound, at no more than 1.5 times of it, and recorded as a limit."""

    async def story(box: Box) -> None:
        step = 16 << 20 if forks == 0 else 1 << 20
        script = f"import os\nfor i in range({forks}): os.fork()\nb=[]\nwhile 1: b.append(bytearray(b'x')*{step})"
        done = await python(box, script)
        assert (done.returncode, done.limit) == (137, "memory")
        assert box.limits_hit[0] == "memory"
        assert box.peak_memory_bytes <= 1.5 * (256 << 20)

    abuse(story, BoxConfig(memory_mb=256))


def test_shared_pages_are_not_counted_once_per_process() -> None:
    """Twenty processes over one 40 MB heap are far below a 256 MB bound and are left alone."""

    async def story(box: Box) -> None:
        script = "import os,time\nb=bytearray(b'x')*(40<<20)\nfor i in range(20):\n if os.fork()==0: time.sleep(1); os._exit(0)\ntime.sleep(1.2); print('whole')"
        done = await python(box, script)
        assert done == Completed(0, b"whole\n", b"")

    abuse(story, BoxConfig(memory_mb=256))


def test_memory_that_nobody_holds_cannot_be_made() -> None:
    """Pages outside every process and every sized mount: the calls do not exist in a box."""

    async def story(box: Box) -> None:
        script = """
import ctypes, os
c = ctypes.CDLL(None, use_errno=True)
for call in (lambda: c.shmget(0, 4096, 0o1600), lambda: c.memfd_create(b"x", 0)):
    print(call(), ctypes.get_errno())
"""
        assert (await python(box, script)).stdout == b"-1 38\n-1 38\n"

    abuse(story)


def test_every_writable_mount_has_its_size() -> None:
    """Writing stops at the size everywhere; nothing else can be written at all."""

    async def story(box: Box) -> None:
        for path, size_mb in (("/box", 16), ("/tmp", 8), ("/var/tmp", 8), ("/dev/shm", 4)):
            done = await box.exec(
                [
                    "sh",
                    "-c",
                    f"head -c 200M /dev/zero > {path}/fill; stat -c %s {path}/fill; rm {path}/fill",
                ]
            )
            assert int(done.stdout) <= size_mb << 20, path
        for path in ("/", "/dev", "/run", "/var", "/etc", "/usr", "/proc", "/run/sbx", "/dev/pts"):
            assert (await box.exec(["touch", f"{path}/x"])).returncode != 0, path
        writable = await python(
            box,
            "import os\nfor l in open('/proc/self/mountinfo'):\n m=l.split()[4]\n"
            " if os.path.isdir(m) and os.access(m, os.W_OK): print(m)",
        )
        allowed = {"/box", "/tmp", "/var/tmp", "/dev/shm"}
        assert set(writable.stdout.decode().split()) - {"/dev/pts"} == allowed

    abuse(story, BoxConfig(disk_mb=16, tmp_mb=8, shm_mb=4))


def test_a_flood_of_files_meets_a_bound() -> None:
    """Root mode: the file system refuses. Otherwise the watchdog ends the flood and names it."""

    async def story(box: Box) -> None:
        script = (
            "i=0\nwhile i<30000:\n open(f'/box/{i}','w').close(); i+=1\nimport time; time.sleep(3)"
        )
        done = await python(box, script)
        if own_mode() == "root":
            assert b"No space left" in done.stderr
        else:
            assert done.limit == "inodes"
        left = await box.exec(["sh", "-c", "ls /box | wc -l"])
        assert int(left.stdout) <= 30_000

    abuse(story, BoxConfig(inodes=2000))


def test_floods_of_output_leave_the_host_flat() -> None:
    """500 MB on one output, then both outputs at once, end at the bound."""

    async def story(box: Box) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for script in ("head -c 500M /dev/zero", "yes & yes >&2"):
            with pytest.raises(OutputLimitExceededError):
                await box.exec(["sh", "-c", script], timeout=20)
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown_kb < 80_000

    abuse(story)


def test_links_and_devices_resolve_inside() -> None:
    """Through links the host's files are out of reach, and reading never waits."""

    async def story(box: Box) -> None:
        await box.exec(
            [
                "sh",
                "-c",
                "ln -s /etc/shadow shadow; ln -s / root; ln -s /proc/1/mem mem; ln -s /proc/1/root/etc/passwd p",
            ]
        )
        for path in (
            "shadow",
            "root/etc/shadow",
            "../../../../etc/shadow",
            "mem",
            "/proc/1/environ",
        ):
            with pytest.raises(OSError, match=re.escape(path)):
                await asyncio.wait_for(box.read(path), 5)
        for path in ("root/x", "../x", "mem", "/proc/1/oom_score_adj", "/etc/passwd"):
            with pytest.raises(OSError, match=re.escape(path)):
                await asyncio.wait_for(box.write(path, b"x"), 5)
        assert b"agent" in await box.read("root/etc/passwd")

    abuse(story)


def test_the_first_process_cannot_be_harmed() -> None:
    """Signals from inside, ptrace and its memory are out of reach."""

    async def story(box: Box) -> None:
        for script in ("kill -9 1", "kill -STOP 1", "kill -SEGV 1"):
            await box.exec(["sh", "-c", script])
            assert await answers(box)
        killed = await box.exec(["sh", "-c", "kill -9 -1; echo survived"])
        assert killed.returncode in (0, 137)
        traced = await python(box, "import ctypes; print(ctypes.CDLL(None).ptrace(16, 1, 0, 0))")
        assert traced.stdout == b"-1\n"
        with pytest.raises(PermissionError):
            await box.read("/proc/1/maps")

    abuse(story)


def test_daemons_end_with_the_box() -> None:
    """However they leave their session, the call returns at once and the box's end ends them."""

    async def story(box: Box) -> None:
        for script in (
            "setsid sleep 600 >/dev/null 2>&1 &",
            "nohup sleep 600 >/dev/null 2>&1 &",
            "(setsid sh -c 'sleep 600 & sleep 600' &) >/dev/null 2>&1",
            "trap '' TERM HUP INT; (while :; do sleep 600; done) &",
        ):
            begun = time.monotonic()
            await box.exec(["sh", "-c", script])
            assert time.monotonic() - begun < 0.6
        assert len(list(tree(box.pid))) >= 6

    abuse(story)


def test_nothing_gains_power() -> None:
    """Namespaces, mounts, devices, priorities, set-uid programs: refused or without effect."""
    attempts = (
        "unshare -U true",
        "unshare -n true",
        "mount -t tmpfs x /box",
        "umount /tmp",
        "mknod /box/d c 1 1",
        "chroot / true",
        "nice -n -20 sh -c 'test $(nice) -lt 0'",
        "chrt -f 1 true",
        "su -c true root",
        "date -s 2001-01-01",
        "hostname other",
        "ip link add d type dummy",
        "sysctl -w kernel.randomize_va_space=0",
        "cp /bin/sh s && chmod u+s s && ./s -p -c 'test $(id -u) = 0'",
        "echo 1 > /proc/sys/kernel/panic",
        "echo -1000 > /proc/self/oom_score_adj",
        "dmesg",
    )

    async def story(box: Box) -> None:
        for attempt in attempts:
            done = await box.exec(["sh", "-c", attempt], timeout=10)
            assert done.returncode != 0, attempt
        identity = await box.exec(["id", "-u"])
        assert identity.stdout == b"1000\n"

    abuse(story)


def test_a_job_has_only_its_three_descriptors_and_no_powers() -> None:
    """Filter on, no new privileges, no capabilities, limits set, nothing inherited."""

    async def story(box: Box) -> None:
        status = (await box.exec(["cat", "/proc/self/status"])).stdout.decode()
        fields = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
        assert (fields["Seccomp"], fields["NoNewPrivs"]) == ("2", "1")
        assert {
            fields[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
        } == {""}
        fds = await python(
            box, "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:4])"
        )
        assert fds.stdout == b"[0, 1, 2, 3]\n"  # 3 is the listing itself
        limits = (await box.exec(["cat", "/proc/self/limits"])).stdout.decode()
        for name, value in (
            ("Max processes", 256),
            ("Max open files", 1024),
            ("Max core file size", 0),
            ("Max file size", 512 << 20),
        ):
            assert re.search(rf"{name}\s+{value}\s+{value}\s", limits), name
        raised = await box.exec(["sh", "-c", "ulimit -u 1000"])
        assert raised.returncode != 0

    abuse(story)


def test_the_host_cannot_be_read_through_proc() -> None:
    """Boot arguments, kernel symbols and the host's memory do not show."""

    async def story(box: Box) -> None:
        assert await box.read("/proc/cmdline") == b""
        assert await box.read("/proc/kallsyms") == b""
        meminfo = (await box.read("/proc/meminfo")).decode()
        assert f"MemTotal: {2048 * 1024:>14} kB" in meminfo
        hostname = await box.exec(["cat", "/proc/sys/kernel/hostname"])
        assert hostname.stdout == b"box\n"
        outside = set(map(str, range(2, 1 << 15))) - set(map(str, tree(box.pid)))
        inside = set((await box.exec(["ls", "/proc"])).stdout.decode().split())
        assert len(inside & outside) <= 2
        assert b"sandbox" not in (await box.exec(["cat", "/proc/1/cmdline"])).stdout

    abuse(story)


def test_listeners_of_the_host_are_out_of_reach() -> None:
    """Loopback and abstract UNIX sockets answer outside and refuse inside."""
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        name = f"leadline-test-{os.getpid()}"
        unix.bind("\0" + name)
        unix.listen()
        port = tcp.getsockname()[1]
        script = f"""
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", {port})), (socket.AF_UNIX, "\\0{name}")):
    try:
        socket.socket(family).connect(address); print("reached")
    except OSError as error:
        print("refused")
"""
        outside = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True
        )
        assert outside.stdout.split() == ["reached", "reached"]

        async def story(box: Box) -> None:
            assert (await python(box, script)).stdout.split() == [b"refused", b"refused"]

        abuse(story)


def test_terminal_input_cannot_be_typed_for_others() -> None:
    """TIOCSTI and TIOCLINUX are refused, with any high bits of the argument; pseudo-terminals work."""

    async def story(box: Box) -> None:
        script = """
import ctypes, os, pty
c = ctypes.CDLL(None, use_errno=True)
main, sub = pty.openpty()
for request in (0x5412, 0x541C):
    for high in (0, 1 << 32, 0xFFFFFFFF << 32):
        r = c.syscall(NUMBER, sub, ctypes.c_ulong(request | high), ctypes.c_char_p(b"x"))
        print(r, ctypes.get_errno())
os.write(main, b"hello\\n"); print(os.read(sub, 6))
""".replace("NUMBER", "16" if os.uname().machine == "x86_64" else "29")
        done = await python(box, script)
        assert done.stdout.decode().splitlines() == ["-1 1"] * 6 + ["b'hello\\n'"], done.stderr

    abuse(story)


def test_spinning_processes_do_not_stop_a_box_from_answering() -> None:
    """32 busy loops in one box; another still runs programs."""

    async def story(box: Box) -> None:
        await box.exec(["sh", "-c", "for i in $(seq 32); do (while :; do :; done) & done"])
        async with await Box.start(BoxConfig()) as other:
            begun = time.monotonic()
            assert await answers(other)
            assert time.monotonic() - begun < 3
        box.kill_all()

    abuse(story)


def test_a_killed_driver_takes_its_boxes_along() -> None:
    """After kill -9 of the host process in the middle of a call: everything is gone within 2 s."""
    script = f"""
import asyncio, sys
sys.path[:] = {sys.path!r}
from leadline.sandbox.box import Box, BoxConfig
from leadline.sandbox.watchdog import tree
async def main():
    boxes = [await Box.start(BoxConfig()) for _ in range(3)]
    calls = [asyncio.create_task(b.exec(["sh", "-c", "trap '' TERM; setsid sleep 600 & sleep 600"])) for b in boxes]
    await asyncio.sleep(0.5)
    print(" ".join(str(p) for b in boxes for p in tree(b.pid)), flush=True)
    await asyncio.gather(*calls)
asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as driver:
        assert driver.stdout
        pids = [int(pid) for pid in driver.stdout.readline().split()]
        assert len(pids) >= 3 * 5
        driver.send_signal(signal.SIGKILL)
        begun = time.monotonic()
        while time.monotonic() - begun < 5 and any(alive(pid) for pid in pids):
            time.sleep(0.01)
        assert time.monotonic() - begun < 2


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return (
            stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
            not in "ZX"
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_boxes_do_not_share_a_uid_when_root_starts_them() -> None:
    """Two live boxes have two uids; a stopped box's uid may be used again."""

    async def whole() -> None:
        async with await Box.start(BoxConfig()) as one, await Box.start(BoxConfig()) as two:
            if own_mode() == "root":
                assert one.uid is not None
                assert one.uid != two.uid
                assert process_uid(one.pid) == one.uid
            else:
                assert one.uid is None

    asyncio.run(whole())


def test_sanitizers_and_own_children_can_be_used() -> None:
    """What looking for flaws needs keeps working: ptrace of a child, personality, a core limit."""

    async def story(box: Box) -> None:
        script = """
import ctypes, os
c = ctypes.CDLL(None)
pid = os.fork()
if pid == 0:
    c.ptrace(0, 0, 0, 0); os.kill(os.getpid(), 19); os._exit(3)
os.waitpid(pid, 0)
assert c.ptrace(7, pid, 0, 0) == 0
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), c.personality(0x0040000))
"""
        done = await python(box, script)
        assert done.stdout == b"3 0\n", done.stderr

    abuse(story)
