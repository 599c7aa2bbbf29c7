"""What holds a box to its bounds is named for what it is."""

from pathlib import Path

import pytest

from leadline.sandbox.config import BoxConfig
from leadline.sandbox.limits import delegated, enforced, own_group
from leadline.sandbox.plan import make_plan
from sandbox.test_box_plan import HOST
from sandbox.test_kernel_plan import plan as kernel_plan

V1 = "9:name=systemd:/\n4:memory:/some/group\n0::/\n"


def test_the_v2_group_is_told_from_the_others() -> None:
    """A process may be in groups of both versions, or of the first alone."""
    assert own_group(V1) == "/"
    assert own_group("0::/user.slice/session\n") == "/user.slice/session"
    assert own_group("4:memory:/some/group\n") == ""


@pytest.mark.parametrize(
    ("controllers", "found"),
    [("cpuset cpu io memory pids", ("cpu", "memory", "pids")), ("memory", ("memory",)), ("", ())],
)
def test_a_delegated_subtree_offers_its_controllers(
    tmp_path: Path, controllers: str, found: tuple[str, ...]
) -> None:
    """Those a box needs, of those that are there."""
    group = tmp_path / "user"
    group.mkdir()
    (group / "cgroup.controllers").write_text(controllers, encoding="ascii")
    (group / "cgroup.subtree_control").touch()
    assert delegated("0::/user\n", (str(tmp_path / "no"), str(tmp_path))) == found
    (group / "cgroup.subtree_control").unlink()
    assert delegated("0::/user\n", (str(tmp_path),)) == ()
    assert delegated("4:memory:/x\n", (str(tmp_path),)) == ()


def test_each_bound_names_what_enforces_it() -> None:
    """By tier, by mode, and by what the host offers."""
    config = BoxConfig(memory_mb=100, nproc=50, inodes=2000)
    root = enforced(make_plan(config, HOST))
    assert root["memory"] == "watchdog: 100 MB, resident memory of its processes"
    assert root["processes"] == "RLIMIT_NPROC 50"
    assert "2000" in root["entries"]
    assert root["cpu"] == "the number of boxes"
    assert root["cgroups"] == "none offered"
    own = enforced(kernel_plan(memory_mb=100), ("memory",))
    assert own["memory"] == "watchdog: 100 MB, the box's kernel, files included"
    assert own["entries"].startswith("watchdog")
    assert own["cgroups"] == "none used; offered: memory"
    assert set(own) == set(root)
