"""sbxinit as a program: whatever comes over its socket, it does its work or ends.

It runs here outside a box, as an ordinary child, so the operation that ends everything is not used.
"""

import array
import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.sandbox.survey import native
from sandbox.battery import alive

FOLDER = files("leadline.sandbox.native") / f"sbxinit-{os.uname().machine}"
INIT = native(f"sbxinit-{os.uname().machine}")


@contextlib.contextmanager
def init(*limits: str) -> Iterator[tuple[socket.socket, subprocess.Popen[bytes]]]:
    """A running first process and its control socket, past the ready reply."""
    program = os.memfd_create("init", os.MFD_CLOEXEC)
    os.write(program, INIT)
    ours, theirs = socket.socketpair()
    argv = [f"/proc/self/fd/{program}", "init", str(theirs.fileno()), *limits]
    with subprocess.Popen(
        argv, pass_fds=(program, theirs.fileno()), stdin=subprocess.DEVNULL, env={}
    ) as child:
        theirs.close()
        os.close(program)
        ours.settimeout(10)
        with ours:
            assert reply(ours) == (0, 0)
            yield ours, child


def reply(sock: socket.socket) -> tuple[int, int]:
    """The next status."""
    data = sock.recv(8, socket.MSG_WAITALL)
    number, status = struct.unpack("<Ii", data)
    return number, status


def frame(op: bytes, number: int, payload: bytes) -> bytes:
    """One request as bytes."""
    return struct.pack("<IIc3x", len(payload), number, op) + payload


def program(*argv: str, cwd: str = "/") -> bytes:
    """The payload that runs *argv*."""
    words = b"".join(os.fsencode(word) + b"\0" for word in argv)
    return (
        os.fsencode(cwd)
        + b"\0"
        + struct.pack("<II", len(argv), 1)
        + words
        + b"PATH=/usr/bin:/bin\0"
    )


def ask(sock: socket.socket, op: bytes, payload: bytes, number: int = 1) -> bytes:
    """Send a request with three descriptors and answer what comes out of its stdout."""
    out, out_end = os.pipe()
    null = os.open("/dev/null", os.O_RDWR)
    rights = array.array("i", [null, out_end, null])
    sock.sendmsg([frame(op, number, payload)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    os.close(out_end)
    os.close(null)
    with os.fdopen(out, "rb") as pipe:
        return pipe.read()


def test_a_job_runs_and_its_status_comes_back() -> None:
    """Exit code, signal, and the negative numbers that no exit code can forge."""
    with init() as (sock, _):
        assert ask(sock, b"E", program("echo", "hello")) == b"hello\n"
        assert reply(sock) == (1, 0)
        for argv, cwd, status in (
            (("sh", "-c", "exit 9"), "/", 9),
            (("sh", "-c", "kill -9 $$"), "/", 137),
            (("no-such",), "/", -2),
            (("/etc/passwd",), "/", -13),
            (("true",), "/nowhere", -1002),
            (("",), "/", -2),
        ):
            ask(sock, b"E", program(*argv, cwd=cwd), 7)
            assert reply(sock) == (7, status)


def test_a_request_in_single_bytes_is_read_whole() -> None:
    """The stream may be cut anywhere."""
    with init() as (sock, _):
        rights = array.array("i", [0, 1, 2])
        data = frame(b"E", 3, program("true"))
        sock.sendmsg([data[:1]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        for at in range(1, len(data)):
            sock.send(data[at : at + 1])
        assert reply(sock) == (3, 0)


def test_two_requests_in_one_piece_are_two() -> None:
    """Nothing of the second is lost."""
    with init() as (sock, _):
        sock.send(frame(b"E", 1, program("true")) + frame(b"E", 2, program("true")))
        assert {reply(sock), reply(sock)} == {(1, -2022), (2, -2022)}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"/",
        b"/\0",
        b"/\0" + struct.pack("<II", 1, 0),
        b"/\0" + struct.pack("<II", 0, 0) + b"x\0",
        b"/\0" + struct.pack("<II", 2, 0) + b"true\0",
        b"/\0" + struct.pack("<II", 1, 5) + b"true\0",
        b"/\0" + struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF) + b"true\0",
        b"/\0" + struct.pack("<II", 1 << 16, 1 << 16) + b"true\0",
    ],
)
def test_a_malformed_job_is_refused_and_the_next_one_runs(payload: bytes) -> None:
    """Counts that do not fit the bytes."""
    with init() as (sock, _):
        ask(sock, b"E", payload)
        assert reply(sock)[1] in (-2022, -7)
        assert ask(sock, b"E", program("echo", "ok")) == b"ok\n"


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300), st.sampled_from(b"ERWKXQ\0").map(lambda n: bytes([n])))
def test_any_payload_of_any_operation_is_survived(payload: bytes, op: bytes) -> None:
    """Random bytes: an answer or none, and the process still works."""
    with init() as (sock, _):
        ask(sock, op, b"/nonexistent/" + payload.replace(b"\0", b"\1"), 1)
        ask(sock, b"E", program("true"), 2)
        numbers = {reply(sock)[0]} if op == b"K" else {reply(sock)[0], reply(sock)[0]}
        assert 2 in numbers


def test_a_request_without_descriptors_is_refused() -> None:
    """Nothing runs with descriptors of the first process itself."""
    with init() as (sock, _):
        sock.send(frame(b"E", 4, program("true")))
        assert reply(sock) == (4, -2022)


def test_more_descriptors_than_three_do_not_stay() -> None:
    """However many are sent, the first process holds as many as before."""
    with init() as (sock, child):
        before = len(list(Path(f"/proc/{child.pid}/fd").iterdir()))
        for number in range(1, 20):
            rights = array.array("i", [0, 1, 2, 0, 1, 2, 0])
            data = frame(b"E", number, program("true"))
            sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            assert reply(sock)[0] == number
        assert len(list(Path(f"/proc/{child.pid}/fd").iterdir())) == before


def test_the_table_of_jobs_is_bounded() -> None:
    """The 1,025th running job is refused, and room comes back when jobs end."""
    with init() as (sock, _), Path("/dev/null").open("rb") as null:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null.fileno()] * 3))]
        for number in range(1, 1026):
            sock.sendmsg([frame(b"E", number, program("sleep", "20"))], rights)
        assert reply(sock) == (1025, -2011)
        for number in range(1, 1025):
            sock.send(frame(b"K", number, b""))
            assert reply(sock) == (number, 137)
        assert ask(sock, b"E", program("echo", "ok"), 2000) == b"ok\n"


@pytest.mark.parametrize("length", [(16 << 20) + 1, 0xFFFFFFFF])
def test_a_length_beyond_the_bound_ends_it(length: int) -> None:
    """There is no way to find the next request, so nothing is guessed."""
    with init() as (sock, child):
        sock.send(struct.pack("<IIc3x", length, 1, b"E"))
        assert child.wait(10) == 0


def test_it_ends_with_its_socket() -> None:
    """Also in the middle of a request."""
    for data in (b"", frame(b"E", 1, program("true"))[:20], b"\1"):
        with init() as (sock, child):
            sock.send(data) if data else None
            sock.close()
            assert child.wait(10) == 0


def test_limits_are_the_jobs_not_its_own() -> None:
    """So that it can still start a job when the box is full of processes."""
    with init("7=64", "4=0") as (sock, child):
        shown = ask(sock, b"E", program("sh", "-c", "ulimit -n; ulimit -c"))
        assert shown == b"64\n0\n"
        own = Path(f"/proc/{child.pid}/limits").read_text(encoding="ascii")
        assert not any(line.split()[3] == "64" for line in own.splitlines() if "open files" in line)


def test_wrong_use_is_an_error() -> None:
    """Neither a first process nor a stage."""
    program_fd = os.memfd_create("init", 0)
    os.write(program_fd, INIT)
    path = f"/proc/self/fd/{program_fd}"
    for words in (
        (),
        ("other", "3"),
        ("init",),
        ("stage", "1", "/tmp", "bind", "x"),
        ("init", "3", "99=1"),
    ):
        done = subprocess.run([path, *words], pass_fds=(program_fd,), check=False)
        assert done.returncode in (2, 64), words
    os.close(program_fd)


def test_jobs_carry_the_filter_that_the_first_process_loaded(tmp_path: Path) -> None:
    """Read from a file before it is ready; a job's own state says so."""
    (tmp_path / "filter").write_bytes(native(f"seccomp-{os.uname().machine}.bpf"))
    with init(f"filter={tmp_path / 'filter'}") as (sock, _):
        status = ask(sock, b"E", program("grep", "Seccomp:\\|NoNewPrivs", "/proc/self/status"))
        assert status.split() == [b"NoNewPrivs:", b"1", b"Seccomp:", b"2"]
        assert reply(sock) == (1, 0)


@pytest.mark.parametrize(
    "content", [b"", b"1234567", bytes(16)], ids=["empty", "short", "no filter"]
)
def test_no_box_without_its_filter(tmp_path: Path, content: bytes) -> None:
    """A filter that cannot be loaded ends the first process before it is ready."""
    (tmp_path / "filter").write_bytes(content)
    started = init(f"filter={tmp_path / 'filter'}")
    with pytest.raises((AssertionError, struct.error, ConnectionResetError)), started:
        raise AssertionError("it must not be ready")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up root")
def test_jobs_give_up_root_for_good() -> None:
    """Every id, every group, every capability, also those that executing a program could give."""
    with init("as=1000") as (sock, _):
        words = "^Uid\\|^Gid\\|^Groups\\|^CapPrm\\|^CapEff\\|^CapBnd"
        lines = ask(sock, b"E", program("grep", words, "/proc/self/status")).decode().splitlines()
        fields = {name: value.split() for name, value in (line.split(":") for line in lines)}
        assert fields["Uid"] == fields["Gid"] == ["1000"] * 4
        assert fields["Groups"] == []
        for name in ("CapPrm", "CapEff", "CapBnd"):
            assert int(fields[name][0], 16) == 0, name


def test_what_is_tied_ends_with_what_started_it() -> None:
    """By the kernel's order, however the parent ends."""
    script = f"""
import os, subprocess, sys
fd = os.memfd_create("init", 0)
os.write(fd, open({str(FOLDER)!r}, "rb").read())
child = subprocess.Popen([f"/proc/self/fd/{{fd}}", "tied", "/bin/sleep", "60"], pass_fds=(fd,))
print(child.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        begun = time.monotonic()
        while b"sleep" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            assert time.monotonic() - begun < 5
            time.sleep(0.01)
        parent.kill()
        parent.wait()
        begun = time.monotonic()
        while alive(pid):
            assert time.monotonic() - begun < 2
            time.sleep(0.005)
