"""Runs a Python program as an ordinary user, so that a suite run by root sees both modes.

As a program: `python unprivileged.py SCRIPT ARGUMENTS...`. The user keeps the power to read the
interpreter's own files (CAP_DAC_READ_SEARCH), which may lie under root's home; that power ends at
the next exec, so bubblewrap starts without any.
"""

import ctypes
import os
import runpy
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

UID = 199_999
PR_SET_KEEPCAPS = 8
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_READ_SEARCH = 1 << 2
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}


def become_ordinary() -> None:
    """Give up root, for good, but for reading files."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)
    header = ctypes.create_string_buffer(struct.pack("<Ii", CAPABILITY_VERSION_3, 0))
    bits = ctypes.create_string_buffer(struct.pack("<6I", *([CAP_DAC_READ_SEARCH] * 2), *([0] * 4)))
    if libc.syscall(SYS_CAPSET[os.uname().machine], header, bits) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def python(
    script: Sequence[str], *, ordinary: bool, home: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run `python SCRIPT...` as this user, or as an ordinary one, and collect what it prints."""
    root = Path(__file__).parents[2]
    paths = f"{root / 'src'}:{root / 'tests'}:{root}"
    argv = [sys.executable, *([__file__] if ordinary else []), *script]
    home.mkdir(exist_ok=True)
    home.chmod(0o777)
    env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(home), "TMPDIR": str(home)}
    env |= {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    return subprocess.run(
        argv, check=False, capture_output=True, text=True, env=env, cwd=root, timeout=seconds
    )


if __name__ == "__main__":
    if os.geteuid() == 0:
        become_ordinary()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
