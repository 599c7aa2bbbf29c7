"""The filter, read as the kernel reads it, on both architectures, and inside a real box."""

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.sandbox import seccomp
from leadline.sandbox.box import Box
from leadline.sandbox.survey import native
from sandbox.boxes import in_box

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS, EAFNOSUPPORT = 0x50001, 0x50026, 0x50061
ARCHES = ("x86_64", "aarch64")
HIGH = st.sampled_from([0, 1 << 32, 0xFFFFFFFF << 32])


def verdict(arch: str, number: int, *arguments: int, audit_arch: int | None = None) -> int:
    """Run the filter on one system call, as an interpreter of classic BPF would."""
    program = seccomp.program(arch)
    steps = list(struct.iter_unpack("<HBBI", program))
    audit = seccomp.AUDIT_ARCH[arch] if audit_arch is None else audit_arch
    padded = [*arguments, *([0] * (6 - len(arguments)))]
    data = struct.pack(
        "<iIQ6Q", number - (1 << 32) if number >= 1 << 31 else number, audit, 0, *padded
    )
    at = accumulator = 0
    while True:
        code, then, otherwise, k = steps[at]
        at += 1
        if code == 0x06:
            return int(k)
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
            continue
        holds = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}[code]
        at += then if holds else otherwise


def number(arch: str, name: str) -> int:
    """The number of a call on *arch*."""
    return seccomp.CALLS[name][ARCHES.index(arch)]


@pytest.mark.parametrize("arch", ARCHES)
def test_the_shipped_bytes_are_the_generated_ones(arch: str) -> None:
    """The tables and the file say the same."""
    assert native(f"seccomp-{arch}.bpf") == seccomp.program(arch)


@pytest.mark.parametrize("arch", ARCHES)
def test_each_table_entry_is_answered_as_its_family_says(arch: str) -> None:
    """Refused, absent, or looked at; everything else is let through."""
    for name in seccomp.REFUSED:
        assert verdict(arch, number(arch, name)) == EPERM, name
    for name in seccomp.ABSENT:
        assert verdict(arch, number(arch, name)) == ENOSYS, name
    named = {number(arch, name) for name in seccomp.CALLS}
    for call in set(range(600)) - named:
        assert verdict(arch, call) == ALLOW, call


@pytest.mark.parametrize("arch", ARCHES)
def test_foreign_entries_end_the_process(arch: str) -> None:
    """i386 and the other architecture by name; x32 by its bit; a tracer's skipped call stays."""
    for foreign in (
        0x40000003,
        0x40000028,
        0,
        *(set(seccomp.AUDIT_ARCH.values()) - {seccomp.AUDIT_ARCH[arch]}),
    ):
        assert verdict(arch, 1, audit_arch=foreign) == KILL
    if arch == "x86_64":
        assert verdict(arch, 0x40000000) == KILL
        assert verdict(arch, 0x40000000 | number(arch, "socket"), 40) == KILL
        assert verdict(arch, 0x7FFFFFFF) == KILL
        assert verdict(arch, 0xFFFFFFFF) == ALLOW


@given(
    st.sampled_from(ARCHES),
    st.sampled_from(["socket", "socketpair"]),
    st.integers(0, 300),
    st.integers(0, 40),
    HIGH,
)
def test_only_four_families_and_of_netlink_only_routing(
    arch: str, call: str, family: int, protocol: int, high: int
) -> None:
    """Whatever the high half of the registers holds, which the kernel does not read."""
    allowed = family in {1, 2, 10} or (family == 16 and protocol == 0)
    expected = ALLOW if allowed else EAFNOSUPPORT
    assert verdict(arch, number(arch, call), family | high, 1, protocol | high) == expected


@given(st.sampled_from(ARCHES), st.integers(0, (1 << 32) - 1), HIGH)
def test_clone_makes_no_namespace(arch: str, flags: int, high: int) -> None:
    """Any CLONE_NEW* flag is refused, threads and forks are not."""
    expected = EPERM if flags & 0x7E020000 else ALLOW
    assert verdict(arch, number(arch, "clone"), flags | high) == expected


@given(
    st.sampled_from(ARCHES), st.integers(0, (1 << 32) - 1) | st.sampled_from([0x5412, 0x541C]), HIGH
)
def test_terminal_input_is_not_typed_for_others(arch: str, request_: int, high: int) -> None:
    """TIOCSTI and TIOCLINUX, compared in the 32 bits that the kernel reads."""
    expected = EPERM if request_ in (0x5412, 0x541C) else ALLOW
    assert verdict(arch, number(arch, "ioctl"), 0, request_ | high) == expected


REAL = """
import ctypes, mmap, os, signal
c = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    r = c.syscall(ctypes.c_long(number), *(ctypes.c_ulong(a) for a in arguments))
    return ctypes.get_errno() if r < 0 else 0
for name, number in REFUSED.items():
    print(name, call(number, 0, 0, 0, 0, 0, 0))
for family in range(46):
    for high in (0, 1 << 32):
        print("family", family, call(SOCKET, family | high, 1, 0), call(PAIR, family | high, 1, 0, 0))
print("netlink", call(SOCKET, 16, 3, 15), call(SOCKET, 16, 3, 0))
"""

FOREIGN = """
import ctypes, mmap, os, signal
code = CODE
m = mmap.mmap(-1, 4096, prot=7)
m.write(code)
run = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
pid = os.fork()
if pid == 0:
    run()
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.sandbox
def test_the_kernel_enforces_the_table_in_a_box() -> None:
    """Every refused and absent call, and families 0 to 45 by both calls, made for real."""
    arch = os.uname().machine
    calls = {name: number(arch, name) for name in (*seccomp.REFUSED, *seccomp.ABSENT)}
    script = f"REFUSED={calls}; SOCKET={number(arch, 'socket')}; PAIR={number(arch, 'socketpair')}\n{REAL}"

    async def story(box: Box) -> None:
        done = await box.exec(["python3", "-c", script])
        assert done.returncode == 0, done.stderr
        for line in done.stdout.decode().splitlines():
            name, *rest = line.split()
            if name == "family":
                family, by_socket, by_pair = map(int, rest)
                refused = family not in {1, 2, 10, 16}
                assert (by_socket == 97) == refused, line
                assert (by_pair == 97) == refused, line
            elif name == "netlink":
                assert rest == ["97", "0"]
            else:
                assert int(rest[0]) == (38 if name in seccomp.ABSENT else 1), line

    in_box(story)


@pytest.mark.sandbox
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="other entries exist on x86-64 only")
@pytest.mark.parametrize(
    "code",
    [
        bytes.fromhex("b814000000cd80c3"),  # mov eax,20 (getpid of i386); int 0x80; ret
        bytes.fromhex("b8270000400f05c3"),  # mov eax,0x40000027 (getpid of x32); syscall; ret
    ],
    ids=["i386", "x32"],
)
def test_other_entries_into_the_kernel_are_fatal(code: bytes) -> None:
    """A call through the 32-bit entry or with the x32 bit ends the process by SIGSYS."""

    async def story(box: Box) -> None:
        done = await box.exec(["python3", "-c", FOREIGN.replace("CODE", repr(code))])
        assert done.stdout == b"-31\n", done.stderr

    in_box(story)
