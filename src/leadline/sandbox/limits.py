"""What holds a box to its bounds on this host: chosen by what the host offers, and recorded.

Control groups of Linux (cgroup v2) are used by nothing here: they need a subtree that the host has
handed over, and version 1, where it is mounted, belongs to whoever runs the host. Where a subtree is
offered, the record says so. Sources: Linux, Documentation/admin-guide/cgroup-v2.rst, "Delegation".
"""

import os
from collections.abc import Mapping
from pathlib import Path

from leadline.sandbox.kernel import KernelPlan
from leadline.sandbox.plan import Plan

NEEDED = ("cpu", "memory", "pids")
ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")


def own_group(proc_cgroup: str) -> str:
    """The v2 group of a process, from /proc/self/cgroup; empty if it has none."""
    rows = (line.split(":", 2) for line in proc_cgroup.splitlines())
    return next((row[2] for row in rows if row[0] == "0" and len(row) == 3), "")  # noqa: PLR2004 - id, controllers, path


def delegated(proc_cgroup: str, roots: tuple[str, ...] = ROOTS) -> tuple[str, ...]:
    """The controllers, of those a box needs, that this process could hand to groups of its own."""
    group = own_group(proc_cgroup)
    for root in roots if group else ():
        folder = Path(root) / group.lstrip("/")
        listed = folder / "cgroup.controllers"
        if listed.exists() and os.access(folder / "cgroup.subtree_control", os.W_OK):
            offered = listed.read_text(encoding="ascii").split()
            return tuple(name for name in NEEDED if name in offered)
    return ()


def enforced(plan: Plan | KernelPlan, offered: tuple[str, ...] = ()) -> Mapping[str, str]:
    """What enforces each bound of a box started as *plan*, with the controllers *offered* here."""
    own = isinstance(plan, KernelPlan)
    config = plan.config
    if own:
        entries = "watchdog: they count as the memory they take"
    elif plan.host.mode == "root":
        entries = f"nr_inodes {config.inodes} of each writable mount"
    else:
        entries = f"watchdog: {config.inodes} on each writable mount"
    weighed = "the box's kernel, files included" if own else "resident memory of its processes"
    groups = f"none used; offered: {' '.join(offered)}" if offered else "none offered"
    return {
        "memory": f"watchdog: {config.memory_mb} MB, {weighed}",
        "processes": f"RLIMIT_NPROC {config.nproc}",
        "disk": "size of each writable mount",
        "entries": entries,
        "file": f"RLIMIT_FSIZE {config.fsize_mb} MB",
        "cpu": "the number of boxes",
        "cgroups": groups,
    }
