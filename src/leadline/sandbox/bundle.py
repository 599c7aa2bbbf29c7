"""The folder that one own-kernel box is started from, and the start itself.

A bundle lives as long as its box. It is locked while it does, by a descriptor that goes with the
process however that ends, so that what a dead process left behind is removed by the next one.
"""

import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadline.sandbox.gvisor import PATH
from leadline.sandbox.kernel import FOLDERS, KernelPlan, beside

PREFIX = "leadline-box-"
_LOCK = "lock"


@dataclass(slots=True)
class Bundle:
    """One box's folder; *lock* keeps it from being swept."""

    folder: Path
    lock: int

    def remove(self) -> None:
        """Remove the folder; a second call does nothing."""
        if self.lock >= 0:
            shutil.rmtree(self.folder)
            os.close(self.lock)
            self.lock = -1


def made(plan: KernelPlan, place: Path | None = None) -> Bundle:
    """Lay out a bundle for one box of *plan* in *place* (the temporary folder unless given)."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    bundle = Bundle(folder, lock)
    try:
        _lay_out(plan, folder)
    except OSError:
        bundle.remove()
        raise
    return bundle


def _lay_out(plan: KernelPlan, folder: Path) -> None:
    for name, data in beside(plan.config).items():
        _write(folder / name, 0o555, data)
    root = folder / "root"
    _folder(root)
    for path in (*FOLDERS, plan.config.workdir):
        _folder(_in(root, path))
    for path, (mode, data) in plan.files.items():
        _folder(_in(root, path).parent)
        _write(_in(root, path), mode, data)
    for path, source in plan.points.items():
        _mount_point(_in(root, path), Path(source.replace("{folder}", str(folder))))
    for path, target in plan.links.items():
        _folder(_in(root, path).parent)
        _in(root, path).symlink_to(target)
    document = plan.document.replace("{folder}", str(folder))
    _write(folder / "config.json", 0o400, document.encode())


def _in(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _folder(path: Path) -> None:
    """A folder that everyone in the box may enter, whatever the caller's umask; so its parents."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for one in reversed(missing):
        one.mkdir()
        one.chmod(0o755)


def _mount_point(point: Path, source: Path) -> None:
    if source.is_dir():
        _folder(point)
        return
    _folder(point.parent)
    point.touch()


def _write(path: Path, mode: int, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(mode)


@functools.cache
def swept(place: Path | None = None) -> int:
    """Remove bundles of this user that no process holds, once per process; how many there were."""
    count = 0
    for folder in Path(place or tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if folder.stat().st_uid != os.geteuid():
            continue
        lock = _taken(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
            count += 1
    return count


def _taken(folder: Path) -> int | None:
    """Its lock, if nobody holds it; one without a lock is just being made."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def start(
    plan: KernelPlan, bundle: Bundle, control: int, complaints: int
) -> subprocess.Popen[bytes]:
    """Start `runsc` on *bundle*, its first process's control socket *control*.

    It ends with the process that started it: by the socket, whose end ends the first process, and
    by the kernel's own order for the case that the box no longer obeys.
    """
    launcher = os.memfd_create("launcher", os.MFD_CLOEXEC)
    values = {"folder": str(bundle.folder), "id": bundle.folder.name}
    try:
        os.write(launcher, plan.host.init)
        return subprocess.Popen(
            [f"/proc/self/fd/{launcher}", "tied", *_filled(plan.arguments, values)],
            pass_fds=(launcher,),
            process_group=0,
            stdin=control,
            stdout=complaints,
            stderr=complaints,
            env={"PATH": PATH},
            cwd="/",
        )
    finally:
        os.close(launcher)


def _filled(arguments: tuple[str, ...], values: Mapping[str, str]) -> list[str]:
    return [argument.format_map(values) for argument in arguments]
