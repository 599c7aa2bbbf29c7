"""One uid per running box, over all processes of the host.

A slot is a file under the run folder, locked while its box lives; the lock goes with the process
that holds it, however that ends. The file says whether the last holder released it in order: if
not, the slot is taken again only once no process of that uid is left.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from leadline.sandbox.survey import UID_COUNT, UID_FIRST, Unusable

RUN = Path("/run/leadline-sandbox")
_HELD, _FREE = b"held", b"free"


@dataclass(slots=True)
class Slot:
    """A uid that belongs to one box until `release`."""

    uid: int
    lock: int

    def release(self, *, in_order: bool) -> None:
        """Give the uid back; *in_order* says that no process of the box is left for certain."""
        if in_order:
            os.pwrite(self.lock, _FREE, 0)
        os.close(self.lock)


def take(folder: Path = RUN, *, first: int = UID_FIRST, count: int = UID_COUNT) -> Slot:
    """Lock a uid of the range that no box uses.

    Raises: Unusable when the whole range is in use.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Neighbouring processes start at different places, so that they seldom try the same file.
    start = os.getpid() * 61 % count
    for step in range(count):
        uid = first + (start + step) % count
        lock = _locked(folder / str(uid))
        if lock is None:
            continue
        if os.pread(lock, len(_HELD), 0) == _HELD and _in_use(uid):
            os.close(lock)
            continue
        os.pwrite(lock, _HELD, 0)
        return Slot(uid, lock)
    raise Unusable(
        f"all {count} box uids are in use: stop some boxes, or look for boxes left running"
    )


def _locked(path: Path) -> int | None:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _in_use(uid: int) -> bool:
    names = os.listdir("/proc")  # noqa: PTH208 - names, not paths
    return any(process_uid(name) == uid for name in names if name.isdigit())


def process_uid(pid: int | str) -> int | None:
    """The owner of process *pid*, or None if it is gone."""
    try:
        return os.stat(f"/proc/{pid}").st_uid  # noqa: PTH116 - hot: called for every process
    except FileNotFoundError:
        return None
