"""gVisor on a host: what it says of itself, which platform is used, what one box weighs."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.sandbox import gvisor
from leadline.sandbox.survey import Unusable
from leadline.sandbox.watchdog import tree

FLAGS = """
  -platform string
    \tspecifies which platform to use: {} (default "ptrace")
  -platform_device_path string
    \tpath to a platform-specific device file
"""


def program(folder: Path, script: str) -> str:
    """A stand-in for runsc."""
    path = folder / "runsc"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_release_is_read() -> None:
    """From what Debian's prints and from what gVisor's own does."""
    assert gvisor.read_version("runsc version 0.0~20221219.0\nspec: 1.0.2-dev\n") == "20221219.0"
    assert gvisor.read_version("runsc version release-20250611.0\n") == "20250611.0"
    assert gvisor.read_version("what?") == ""


def test_platforms_are_read_quickest_first() -> None:
    """Old releases offer two, newer ones three; what is no platform is left out."""
    assert gvisor.read_platforms(FLAGS.format("ptrace (default), kvm")) == ("kvm", "ptrace")
    offered = gvisor.read_platforms(FLAGS.format("systrap (default), ptrace, kvm"))
    assert offered == ("systrap", "kvm", "ptrace")
    assert gvisor.read_platforms("nothing of it") == ()


@given(st.sets(st.sampled_from(gvisor.PLATFORMS)), st.booleans())
def test_the_quickest_platform_that_works_is_used(offered: set[str], runs: bool) -> None:  # noqa: FBT001 - drawn
    """KVM only where it ran; where nothing is left, no box."""
    ordered = tuple(name for name in gvisor.PLATFORMS if name in offered)
    usable = [name for name in ordered if name != "kvm" or runs]
    if usable:
        assert gvisor.choose(ordered, kvm=lambda: runs) == usable[0]
    else:
        with pytest.raises(Unusable, match="no platform"):
            gvisor.choose(ordered, kvm=lambda: runs)


def test_kvm_is_not_tried_without_its_device(tmp_path: Path) -> None:
    """Nothing is started and nothing noted."""
    assert not gvisor.kvm_runs("/no/such/runsc", "digest", str(tmp_path / "kvm"))


@pytest.mark.parametrize(("script", "runs"), [("exit 0", True), ("exit 1", False)])
def test_kvm_is_tried_once_for_each_start_of_the_host(
    tmp_path: Path,
    script: str,
    runs: bool,  # noqa: FBT001 - the parameter
) -> None:
    """The second answer is the noted one, though the program has gone."""
    (tmp_path / "kvm").touch()
    digest = f"{os.getpid():x}{runs:d}{os.urandom(4).hex()}"
    stand_in = program(tmp_path, script)
    assert gvisor.kvm_runs(stand_in, digest, str(tmp_path / "kvm")) is runs
    Path(stand_in).unlink()
    assert gvisor.kvm_runs(stand_in, digest, str(tmp_path / "kvm")) is runs
    for note in gvisor.notes().glob(f"kvm-*-{digest[:16]}"):
        note.unlink()


def test_a_trial_that_spins_is_ended(tmp_path: Path) -> None:
    """With every process it started."""
    (tmp_path / "kvm").touch()
    digest = os.urandom(8).hex()
    stand_in = program(tmp_path, f"echo $$ > {tmp_path}/pid; sleep 60 & wait")
    assert not gvisor.kvm_runs(stand_in, digest, str(tmp_path / "kvm"), seconds=1.0)
    pid = int((tmp_path / "pid").read_text(encoding="ascii"))
    assert asyncio.run(gvisor.ended([pid]))
    for note in gvisor.notes().glob(f"kvm-*-{digest}"):
        note.unlink()


def test_notes_are_kept_where_only_this_user_writes(tmp_path: Path) -> None:
    """A folder of someone else's, or a link, is refused with the cure."""
    own = tmp_path / "own"
    assert gvisor.private(own) == own
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    (tmp_path / "link").symlink_to(own)
    with pytest.raises(Unusable, match="remove it"):
        gvisor.private(tmp_path / "link")


def test_an_ordinary_user_starts_it_rootless() -> None:
    """Root does not."""
    assert gvisor.rootless("root") == ()
    assert gvisor.rootless("user") == ("--rootless",)


def test_the_installed_one_names_itself() -> None:
    """Release, platform and bytes, or the cure."""
    if shutil.which("runsc", path=gvisor.PATH) is None:
        with pytest.raises(Unusable, match="install"):
            gvisor.runtime()
        return
    found = gvisor.runtime()
    assert found.platform in gvisor.PLATFORMS
    assert found.words == f"runsc {found.version} {found.platform} {found.digest}"
    assert len(found.digest) == 64


def test_a_missing_or_mute_program_is_no_runtime(tmp_path: Path) -> None:
    """Each with its cure."""
    with pytest.raises(Unusable, match="install the system package"):
        gvisor.look_at(None)
    with pytest.raises(Unusable, match="does not say"):
        gvisor.look_at(program(tmp_path, "exit 0"))
    said = f"case $1 in --version) echo 0.0~20990101.0;; *) echo '{FLAGS.format('systrap')}';; esac"
    assert gvisor.look_at(program(tmp_path, said)).platform == "systrap"


def test_a_tree_is_ended_and_waited_for() -> None:
    """Children of children too; one that stays is said to be left."""
    script = "import subprocess, time; subprocess.Popen(['sleep', '60']); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        pids = list(tree(process.pid))
        assert len(pids) == 2
        assert not asyncio.run(gvisor.ended(pids, seconds=0.05))
        gvisor.end_tree(process.pid)
        assert asyncio.run(gvisor.ended(pids))
        gvisor.end_tree(process.pid)
        assert process.wait() == -signal.SIGKILL


def test_a_process_without_a_sandbox_weighs_nothing() -> None:
    """And neither does one that is gone."""
    scales = gvisor.Scales(os.getpid())
    assert (scales.weigh(), scales.sandbox) == (0, 0)
    with subprocess.Popen(["/bin/true"]) as process:
        process.wait()
        gone = gvisor.Scales(process.pid)
        assert gone.weigh() == 0
        assert gone.processes() == [process.pid]
