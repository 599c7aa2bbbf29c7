"""The start of a box with a kernel of its own: what stands in the bundle, and what its digests cover."""

import dataclasses
import json
from pathlib import Path

import pytest

from leadline.sandbox.config import Bind, BoxConfig, Host, Network
from leadline.sandbox.gvisor import Runtime
from leadline.sandbox.kernel import MEMINFO, KernelPlan, beside, kernel_plan
from leadline.sandbox.survey import Entry, Survey, Unusable

RUNTIME = Runtime("/usr/bin/runsc", "20221219.0", "d" * 64, "ptrace")
HOST = Survey(
    mode="root",
    architecture="x86_64",
    kernel="6.1",
    bwrap="/usr/bin/bwrap",
    bwrap_version="0.8.0",
    init=b"init",
    probe=b"probe",
    seccomp=b"filter",
    root=(Entry("bind", "/usr", "/usr"), Entry("link", "usr/bin", "/bin")),
    covered=(),
)


def plan(host: Survey = HOST, runtime: Runtime = RUNTIME, **fields: object) -> KernelPlan:
    """The plan of a configuration."""
    config = BoxConfig.model_validate({"tier": "own-kernel", **fields})
    return kernel_plan(config, host, runtime)


def mounts(made: KernelPlan) -> dict[str, dict[str, object]]:
    """The mounts by their place."""
    found = json.loads(made.document)["mounts"]
    return {mount["destination"]: mount for mount in found}


def test_nothing_is_writable_but_sized_mounts() -> None:
    """Every other mount is a read-only bind, /proc or the kernel's own /dev; the root is read-only."""
    made = plan(disk_mb=16, tmp_mb=8, shm_mb=4)
    assert json.loads(made.document)["root"]["readonly"] is True
    sized = {}
    for path, mount in mounts(made).items():
        options = mount.get("options", [])
        assert isinstance(options, list)
        if mount["type"] == "tmpfs" and path != "/dev":
            sized[path] = options[0]
        elif mount["type"] == "bind":
            assert options[0] == "ro", path
    assert sized == {
        "/tmp": "size=8m",
        "/var/tmp": "size=8m",
        "/dev/shm": "size=4m",
        "/box": "size=16m",
    }


def test_jobs_give_up_the_first_processes_user_and_carry_the_filter() -> None:
    """The first process is told so on its command line, with every limit."""
    process = json.loads(plan(nproc=99).document)["process"]
    assert process["args"][:5] == [
        *("/run/sbx/init", "init", "0", "as=1000"),
        "filter=/run/sbx/filter",
    ]
    assert "6=99" in process["args"]
    assert process["noNewPrivileges"] is True
    assert sorted(process["capabilities"]["effective"]) == [
        *("CAP_KILL", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID"),
    ]


def test_no_network_is_given() -> None:
    """Neither by flag nor by namespace, and a private network is refused with the cure."""
    made = plan()
    assert "--network=none" in made.arguments
    assert {"type": "network"} in json.loads(made.document)["linux"]["namespaces"]
    assert not made.joined
    network = Network(
        segments={"a": "10.0.0.0/24"}, hosts={"default": Host(addresses={"a": "10.0.0.1"})}
    )
    with pytest.raises(Unusable, match="shared-kernel"):
        plan(network=network)


def test_an_ordinary_user_is_rootless() -> None:
    """And names so in what is digested."""
    user = plan(dataclasses.replace(HOST, mode="user"))
    assert "--rootless" in user.arguments
    assert "--rootless" not in plan().arguments
    assert user.template_digest != plan().template_digest


def test_digests_cover_everything_but_own_binds_in_the_seal(tmp_path: Path) -> None:
    """Equal plans are equal; each part changes the digest; a bind changes the template alone."""
    made = plan()
    assert made.template_digest == plan().template_digest
    bound = plan(binds=(Bind(source=str(tmp_path), target="/task"),))
    assert bound.seal_digest == made.seal_digest
    assert bound.template_digest != made.template_digest
    other = dataclasses.replace(RUNTIME, platform="kvm")
    changed = (
        plan(dataclasses.replace(HOST, seccomp=b"other")),
        plan(memory_mb=100),
        plan(env={"A": "b"}),
        plan(runtime=other),
        dataclasses.replace(made, document=made.document.replace("ro", "rw")),
    )
    assert len({made.seal_digest, *(one.seal_digest for one in changed)}) == len(changed) + 1
    assert other.words in plan(runtime=other).driver


def test_an_images_own_programs_are_wrapped_where_they_are_files(tmp_path: Path) -> None:
    """A link, such as busybox makes, is left alone; so is what is not there."""
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/ls").write_bytes(b"program")
    (tmp_path / "usr/bin/stat").symlink_to("busybox")
    (tmp_path / "bin").symlink_to("usr/bin")
    made = plan(rootfs=str(tmp_path))
    assert made.points["/usr/bin/ls"] == "{folder}/ls"
    assert made.points["/run/sbx/real/ls"] == str(tmp_path / "usr/bin/ls")
    assert "/usr/bin/stat" not in made.points
    assert set(beside(made.config)) == {"ls", MEMINFO}
    assert b"exec /run/sbx/real/ls" in beside(made.config)["ls"]


def test_the_memory_that_shows_is_the_boxs_bound() -> None:
    """Bound over the kernel's own, which would tell the host's."""
    made = plan(memory_mb=64)
    assert mounts(made)["/proc/meminfo"]["source"] == "{folder}/meminfo"
    assert b"65536 kB" in beside(made.config)[MEMINFO]
