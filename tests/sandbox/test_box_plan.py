"""The start of a box is decided by configuration and survey alone."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.sandbox import survey as surveys
from leadline.sandbox.config import Bind, BoxConfig
from leadline.sandbox.plan import Plan, exec_environment, inside, make_plan, meminfo
from leadline.sandbox.survey import Entry, Mode, Survey, Unusable, mode_of

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
    covered=("/proc/cmdline", "/proc/meminfo"),
)
POWERS = 1 << 6 | 1 << 7 | 1 << 21


def plan(mode: Mode = "root", config: BoxConfig | None = None) -> Plan:
    """A plan for the made-up host in *mode*."""
    return make_plan(config or BoxConfig(), dataclasses.replace(HOST, mode=mode))


@pytest.mark.parametrize("mode", ["root", "user"])
def test_every_seal_is_in_the_arguments(mode: Mode) -> None:
    """Namespaces, filter, lifetime, read-only root and /dev: none depends on the mode."""
    arguments = plan(mode).arguments
    for word in ("user", "ipc", "pid", "uts", "cgroup-try", "net"):
        assert f"--unshare-{word}" in arguments
    assert {"--disable-userns", "--die-with-parent", "--new-session", "--clearenv"} <= set(
        arguments
    )
    text = " ".join(arguments)
    assert "--seccomp {seccomp}" in text
    assert "--remount-ro /dev --remount-ro / --chdir /box -- /run/sbx/init init {control}" in text
    assert not {"--share-net", "--dev-bind", "--cap-add"} & set(arguments)


def test_every_writable_mount_has_a_size_in_either_mode() -> None:
    """As root inodes are bounded too; otherwise bubblewrap's own sizes apply."""
    config = BoxConfig(disk_mb=7, tmp_mb=6, shm_mb=5, inodes=99)
    staged = plan("root", config).stage
    sizes = [option for option in staged if option.startswith("size=")]
    assert [option.split(",")[:2] for option in sizes] == [
        ["size=6m", "nr_inodes=99"],
        ["size=6m", "nr_inodes=99"],
        ["size=7m", "nr_inodes=99"],
        ["size=5m", "nr_inodes=99"],
    ]
    arguments = plan("user", config).arguments
    found = [i for i, word in enumerate(arguments) if word == "--tmpfs"]
    assert [(arguments[i - 3], arguments[i + 1]) for i in found] == [
        (str(6 << 20), "/tmp"),
        (str(6 << 20), "/var/tmp"),
        (str(7 << 20), "/box"),
        (str(5 << 20), "/dev/shm"),
    ]
    assert plan("user", config).stage == ()


def test_binds_go_through_the_stage_as_root_only() -> None:
    """So that a source only root can reach is bound all the same."""
    config = BoxConfig(binds=(Bind(source="/root/x", target="/task"),))
    rooted = plan("root", config)
    assert rooted.stage[:3] == ("bind", "/root/x", "readable2")
    assert "--ro-bind /tmp/readable2 /task" in " ".join(rooted.arguments)
    assert "--ro-bind /root/x /task" in " ".join(plan("user", config).arguments)


def test_names_in_braces_are_filled_in() -> None:
    """Nothing else in a plan differs between two boxes."""
    planned = plan()
    values = {name: n for n, name in enumerate(["control", "seccomp", "init", *planned.data], 10)}
    assert not any("{" in word for word in planned.fill(values))
    assert any("uid=77,gid=77" in word for word in planned.fill_stage({"uid": 77}))


def test_the_template_digest_covers_arguments_stage_and_contents() -> None:
    """One changed argument, operation or byte is another template."""
    planned = plan()
    others = (
        dataclasses.replace(planned, arguments=planned.arguments[1:]),
        dataclasses.replace(planned, stage=planned.stage[3:]),
        dataclasses.replace(planned, data={**planned.data, "file0": b"other"}),
        plan("root", BoxConfig(memory_mb=100)),
        plan("user"),
    )
    assert len({planned.template_digest, *(other.template_digest for other in others)}) == 6
    assert planned.template_digest == plan().template_digest


@given(st.integers(16, 1 << 20))
def test_meminfo_reads_as_the_kernels(memory_mb: int) -> None:
    """Every row has a name, a number and kB; the total is the bound."""
    rows = dict(line.split(":") for line in meminfo(memory_mb).decode().splitlines())
    assert rows["MemTotal"].split() == [str(memory_mb * 1024), "kB"]
    assert all(value.split()[1] == "kB" for value in rows.values())


def test_variables_of_a_call_win_over_the_configurations_over_ours() -> None:
    """And paths are read from the working folder."""
    config = BoxConfig(env={"HOME": "/h", "A": "1"}, workdir="/w")
    env = exec_environment(config, {"A": "2"})
    assert (env["HOME"], env["A"], env["LANG"]) == ("/h", "2", "C.UTF-8")
    assert exec_environment(BoxConfig(), None)["HOME"] == "/box"
    assert (inside(config, "a/b"), inside(config, "/a"), inside(config, None)) == (
        "/w/a/b",
        "/a",
        "/w/",
    )


@pytest.mark.parametrize(
    ("euid", "capabilities", "uid_map", "mode"),
    [
        (0, POWERS, "0 0 4294967295", "root"),
        (0, (1 << 41) - 1, "0 0 4294967295", "root"),
        (1000, POWERS, "0 0 4294967295", "user"),
        (0, POWERS & ~(1 << 21), "0 0 4294967295", "user"),
        (0, POWERS, "0 1000 1", "user"),
        (0, POWERS, "0 1000 1\n1 100000 65536", "user"),
        (0, POWERS, "0 1000 1\n1 100000 300000", "root"),
        (0, POWERS, "", "user"),
    ],
)
def test_the_mode_needs_powers_and_a_range_of_uids(
    euid: int, capabilities: int, uid_map: str, mode: Mode
) -> None:
    """Root without them, as in most containers, is treated as anyone."""
    assert mode_of(euid, capabilities, uid_map) == mode


def test_an_image_is_taken_entry_by_entry(tmp_path: Path) -> None:
    """What every box lays out itself is left out; links stay links; var is opened one level."""
    for folder in ("usr", "etc", "proc", "tmp", "run", "box", "var/lib", "var/tmp"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "etc" / "motd").touch()
    (tmp_path / "etc" / "mtab").symlink_to("/proc/mounts")
    found = surveys.image_root(str(tmp_path), "/box")
    targets = {entry.target: entry.kind for entry in found}
    assert targets == {
        "/usr": "bind",
        "/lib": "link",
        "/var/lib": "bind",
        "/etc/motd": "bind",
        "/etc/mtab": "link",
    }
    (tmp_path / "etc" / "os-release").write_text("ID=x\n")
    assert "/etc" in {entry.target for entry in surveys.image_root(str(tmp_path), "/box")}
    with_etc = make_plan(BoxConfig(rootfs=str(tmp_path)), HOST)
    assert "/etc/passwd" not in with_etc.arguments


def test_unknown_and_altered_native_parts_are_refused(tmp_path: Path) -> None:
    """A machine without parts, and a part that is not the recorded one."""
    with pytest.raises(Unusable, match="boxes run on"):
        surveys.native("sbxinit-riscv64")
    (tmp_path / "DIGESTS.json").write_text('{"sha256": {"part": "00"}}')
    (tmp_path / "part").write_bytes(b"altered")
    with pytest.raises(Unusable, match="install the package again"):
        surveys.verified(tmp_path, "part")


def test_the_interpreter_is_bound_only_where_a_box_lacks_it() -> None:
    """Under /usr nothing is needed; elsewhere it appears at a neutral path, found first."""
    assert (surveys.python_binds("/usr"), surveys.python_env("/usr/local")) == ((), {})
    found = surveys.python_binds("/srv/someone/python")
    assert found == (Bind(source="/srv/someone/python", target="/opt/python"),)
    assert surveys.python_env("/srv/someone/python")["PATH"].startswith("/opt/python/bin:")


def test_this_host_is_surveyed_whole() -> None:
    """The default root has /usr, os-release and what the loader needs, and nothing of users."""
    found = surveys.survey()
    targets = {entry.target for entry in found.root}
    assert "/usr" in targets
    assert not {"/home", "/root", "/etc", "/var", "/tmp"} & targets
    assert found.bwrap_version[0].isdigit()
