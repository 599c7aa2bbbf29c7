"""The system-call filter of every box, as classic BPF for one architecture.

A deny list over default allow, the same bytes in every box, so that one digest stands for it in the
evidence. The bytes are generated from the tables below and shipped (`native/seccomp-ARCH.bpf`); a
test generates them again and compares.

Invariants:
- One architecture only. A call made through another entry (i386, x32) ends the process.
- Only the low 32 bits of an argument that the kernel reads as 32 bits are compared: a comparison of
  all 64 is passed by setting high bits (the class of CVE-2019-10063).
- A network namespace does not isolate AF_VSOCK, so socket families are an allow list.
- `memfd_create` and `shmget` answer as on a kernel without them: their pages are in nobody's
  resident size and in no sized mount, so nothing would bound them.

Sanitizers, `ptrace` of own children and `personality` keep working: finding flaws needs them.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000
SKIPPED = 0xFFFFFFFF  # a tracer's "make no call at all"

NAMESPACE_FLAGS = 0x7E020000  # every CLONE_NEW* that clone can carry
TERMINAL_REQUESTS = (0x5412, 0x541C)  # TIOCSTI types for its owner; TIOCLINUX pastes
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
NETLINK_ROUTE = 0

# name: (x86_64, aarch64); numbers from Linux's syscall tables, which never change.
CALLS: dict[str, tuple[int, int]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "perf_event_open": (298, 241),
    "pivot_root": (155, 41),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
INSPECTED = ("clone", "ioctl", "socket", "socketpair")
ABSENT = (
    "clone3",
    "memfd_create",
    "memfd_secret",
    "shmget",
)  # callers fall back, as on an old kernel
REFUSED = tuple(name for name in CALLS if name not in (*INSPECTED, *ABSENT))

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGS = 0, 4, 16
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction; a jump names the label taken when its test holds, else the next step runs."""

    code: int
    k: int
    then: str = ""
    label: str = ""


def _load(offset: int, label: str = "") -> Step:
    return Step(_LOAD, offset, label=label)


def _low_half(argument: int, label: str = "") -> Step:
    return _load(_ARGS + 8 * argument, label)


def _answer(value: int, label: str = "") -> Step:
    return Step(_RETURN, value, label=label)


def _families(call: str) -> list[Step]:
    """Only the allowed socket families; of netlink only routing, which lists the own interfaces."""
    return [
        _low_half(0, call),
        *(Step(_EQUAL, family, then="allow") for family in (UNIX, INET, INET6)),
        Step(_EQUAL, NETLINK, then=f"{call}:netlink"),
        _answer(_ERRNO | EAFNOSUPPORT),
        _low_half(2, f"{call}:netlink"),
        Step(_EQUAL, NETLINK_ROUTE, then="allow"),
        _answer(_ERRNO | EAFNOSUPPORT),
    ]


def _steps(column: int, arch: int, *, x32: bool) -> Iterable[Step]:
    """The whole filter; steps without a jump taken fall through to the next."""
    yield _load(_ARCH)
    yield Step(_EQUAL, arch, then="known")
    yield _answer(_KILL_PROCESS)
    yield _load(_NUMBER, "known")
    if x32:
        yield Step(_EQUAL, SKIPPED, then="allow")
        yield Step(_AT_LEAST, X32_BIT, then="foreign")
    for name in INSPECTED:
        yield Step(_EQUAL, CALLS[name][column], then=name)
    for name in ABSENT:
        yield Step(_EQUAL, CALLS[name][column], then="absent")
    for name in REFUSED:
        yield Step(_EQUAL, CALLS[name][column], then="refused")
    yield _answer(_ALLOW, "allow")
    yield _answer(_ERRNO | EPERM, "refused")
    yield _answer(_ERRNO | ENOSYS, "absent")
    yield _answer(_KILL_PROCESS, "foreign")
    yield _low_half(0, "clone")
    yield Step(_ANY_BIT, NAMESPACE_FLAGS, then="clone:refused")
    yield _answer(_ALLOW)
    yield _answer(_ERRNO | EPERM, "clone:refused")
    yield _low_half(1, "ioctl")
    for request in TERMINAL_REQUESTS:
        yield Step(_EQUAL, request, then="ioctl:refused")
    yield _answer(_ALLOW)
    yield _answer(_ERRNO | EPERM, "ioctl:refused")
    for call in ("socket", "socketpair"):
        yield from _families(call)


def _assemble(steps: list[Step]) -> bytes:
    """Encode as `struct sock_filter[]`; BPF only jumps forward, over at most 255 steps.

    A table grown too long for that is a `struct.error`. A jump to `allow` from behind it lands on an own copy appended after the last step.
    """
    steps = [*steps, Step(_RETURN, _ALLOW, label="allow")]
    places: dict[str, list[int]] = {}
    for index, step in enumerate(steps):
        places.setdefault(step.label, []).append(index)
    out = bytearray()
    for index, step in enumerate(steps):
        jump = 0
        if step.then:
            jump = next(place for place in places[step.then] if place > index) - index - 1
        out += struct.pack("<HBBI", step.code, jump, 0, step.k)
    return bytes(out)


def program(architecture: str) -> bytes:
    """The filter for *architecture* (`x86_64` or `aarch64`), as `bwrap --seccomp` reads it.

    Raises: KeyError for an architecture without a table.
    """
    arch = AUDIT_ARCH[architecture]
    x86 = architecture == "x86_64"
    return _assemble(list(_steps(0 if x86 else 1, arch, x32=x86)))
