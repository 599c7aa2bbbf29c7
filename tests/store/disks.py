"""The failing disk of `failing_disk.c`: built once a session, loaded by a process that is to suffer it."""

import ctypes
import shutil
import subprocess
from enum import IntEnum, IntFlag
from pathlib import Path

SOURCE = Path(__file__).with_name("failing_disk.c")


class Op(IntFlag):
    """What SQLite asks of the disk."""

    WRITE = 1
    SYNC = 2
    TRUNCATE = 4
    DELETE = 8
    ANY = 15


class Fate(IntEnum):
    """What becomes of it."""

    FULL = 1
    BROKEN = 2
    KILL_BEFORE = 3
    KILL_HALFWAY = 4
    KILL_AFTER = 5


def compiler() -> str | None:
    """A C compiler, or None."""
    return shutil.which("clang") or shutil.which("cc")


def build(folder: Path) -> Path | None:
    """The shared object, or None where there is no compiler or no SQLite to compile against."""
    program, library = compiler(), folder / "failing_disk.so"
    if program is None:
        return None
    command = [program, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    done = subprocess.run([*command, "-lsqlite3", "-lpthread"], capture_output=True, check=False)
    return library if done.returncode == 0 else None


class Disk:
    """The shim in this process, in front of every SQLite file that is opened from now on."""

    def __init__(self, library: str, record: str | None = None) -> None:
        self._library = ctypes.CDLL(library)
        self._library.shim_begin.argtypes = [ctypes.c_char_p]
        self._library.shim_mark.argtypes = [ctypes.c_int64]
        self._library.shim_arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_int]
        self._library.shim_count.restype = ctypes.c_long
        begun = self._library.shim_begin(record.encode() if record else None)
        assert begun == 0, begun

    def mark(self, number: int) -> None:
        """An acknowledgement, in its place between the writes."""
        self._library.shim_mark(number)

    def arm(self, ops: Op, countdown: int, fate: Fate) -> None:
        """Let the *countdown*-th operation among *ops* meet its fate."""
        self._library.shim_arm(int(ops), countdown, int(fate))

    def disarm(self) -> None:
        """Let everything succeed."""
        self._library.shim_arm(0, 0, 0)

    def failed(self) -> int:
        """How many operations failed since the last arming."""
        count: int = self._library.shim_failed()
        return count

    def count(self, op: Op) -> int:
        """Operations of one kind so far."""
        count: int = self._library.shim_count(int(op))
        return count
