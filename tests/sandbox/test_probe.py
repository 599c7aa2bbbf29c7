"""What a host lacks is named with its cause and cure."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.sandbox import probe
from leadline.sandbox.probe import Check, Facts, judge

GOOD = Facts(
    architecture="x86_64",
    bwrap_version=(0, 8, 0),
    mode="user",
    userns_clone=None,
    userns_max=15_000,
    apparmor_restricts=None,
    container="",
    filtered=False,
    proc_covered=(),
    seccomp_actions=("kill_process", "errno", "allow"),
    failure="",
    seconds=0.01,
)
NO_NAMESPACE = (
    "bwrap: No permissions to create new namespace, likely because the kernel does not allow"
)
NO_MAP = "bwrap: setting up uid map: Permission denied"
NO_CLONE = "bwrap: Creating new namespace failed: Operation not permitted"
NO_PROC = "bwrap: Can't mount proc on /newroot/proc: Operation not permitted"


def lacking(**facts: object) -> dict[str, Check]:
    """Failed checks of a good host but for *facts*, by name."""
    checks = judge(dataclasses.replace(GOOD, **facts))  # type: ignore[arg-type]
    return {check.name: check for check in checks if not check.ok}


def test_a_good_host_lacks_nothing() -> None:
    """In either mode, and whatever the settings say while boxes start."""
    assert lacking() == {}
    assert lacking(mode="root", userns_clone=0, apparmor_restricts=1, container="docker") == {}


@pytest.mark.parametrize(
    ("facts", "name", "cause", "cure"),
    [
        ({"architecture": "riscv64"}, "architecture", "riscv64", "aarch64"),
        (
            {"bwrap_version": None, "failure": "x"},
            "bubblewrap",
            "not installed",
            "apt-get install bubblewrap",
        ),
        ({"bwrap_version": (0, 6, 1)}, "bubblewrap", "0.6.1", "0.8"),
        ({"seccomp_actions": ()}, "seccomp", "CONFIG_SECCOMP_FILTER", "kernel"),
        (
            {"userns_max": 0, "failure": NO_NAMESPACE},
            "user namespaces",
            "max_user_namespaces",
            "sysctl -w user.max",
        ),
        (
            {"userns_clone": 0, "failure": NO_NAMESPACE},
            "user namespaces",
            "userns_clone",
            "sysctl -w kernel.unpriv",
        ),
        (
            {"apparmor_restricts": 1, "failure": NO_MAP},
            "user namespaces",
            "AppArmor",
            "apparmor_parser",
        ),
        (
            {"container": "docker", "filtered": True, "failure": NO_CLONE},
            "user namespaces",
            "docker container",
            "seccomp=unconfined",
        ),
        (
            {"container": "podman", "proc_covered": ("/proc/kcore",), "failure": NO_PROC},
            "/proc",
            "/proc/kcore",
            "systempaths=unconfined",
        ),
        ({"failure": NO_PROC}, "/proc", "parts of it", "systempaths"),
        ({"failure": "bwrap: something new"}, "box", "something new", "report"),
    ],
)
def test_each_cause_has_its_cure(
    facts: dict[str, object], name: str, cause: str, cure: str
) -> None:
    """By name, in words a person can act on."""
    check = lacking(**facts)[name]
    assert cause in check.cause
    assert cure in check.cure


def test_root_is_not_told_about_settings_for_others() -> None:
    """Settings that bind ordinary users only are no cause for root."""
    found = lacking(mode="root", userns_clone=0, apparmor_restricts=1, failure=NO_CLONE)
    assert set(found) == {"box"}


def test_a_slow_box_is_noted_without_being_a_fault() -> None:
    """The host works, and is slow."""
    check = judge(dataclasses.replace(GOOD, seconds=3.0))[-1]
    assert check.ok
    assert "3.0 s" in check.cause


@given(
    st.builds(
        Facts,
        architecture=st.sampled_from(["x86_64", "aarch64", "riscv64"]),
        bwrap_version=st.sampled_from([None, (0, 6), (0, 8, 0), (0, 11)]),
        mode=st.sampled_from(["root", "user"]),
        userns_clone=st.sampled_from([None, 0, 1]),
        userns_max=st.sampled_from([None, 0, 100]),
        apparmor_restricts=st.sampled_from([None, 0, 1]),
        container=st.sampled_from(["", "docker"]),
        filtered=st.booleans(),
        proc_covered=st.sampled_from([(), ("/proc/kcore",)]),
        seccomp_actions=st.sampled_from([(), ("errno", "kill_process")]),
        failure=st.sampled_from(["", NO_NAMESPACE, NO_MAP, NO_CLONE, NO_PROC, "odd"]),
        seconds=st.sampled_from([0.0, 5.0]),
    )
)
def test_every_failed_check_says_why_and_what_helps(facts: Facts) -> None:
    """And a host on which no box starts is never called good."""
    checks = judge(facts)
    assert all(check.cause and check.cure for check in checks if not check.ok)
    if facts.failure:
        assert not all(check.ok for check in checks)


def test_files_of_the_kernel_are_read() -> None:
    """Versions, container markers and covered parts of /proc."""
    assert probe.read_version("bubblewrap 0.11.0-rc1\n") == (0, 11, 0)
    assert probe.read_container(docker=True, podman=False, cgroup="") == "docker"
    assert probe.read_container(docker=False, podman=True, cgroup="docker") == "podman"
    assert probe.read_container(docker=False, podman=False, cgroup="0::/kubepods/x") == "kubernetes"
    assert probe.read_container(docker=False, podman=False, cgroup="0::/lxc/x") == "lxc"
    assert probe.read_container(docker=False, podman=False, cgroup="0::/init.scope") == ""
    mounts = (
        "22 1 0:21 / /proc rw - proc proc rw\n"
        "23 22 0:22 / /proc/kcore rw - tmpfs tmpfs rw\n"
        "24 22 0:23 / /proc/sys/fs/binfmt_misc rw - binfmt_misc none rw\n"
    )
    assert probe.read_covered(mounts) == ("/proc/kcore",)


@pytest.mark.sandbox
def test_this_host_is_judged_by_starting_a_box() -> None:
    """Where these tests run, boxes start."""
    facts = probe.gather()
    assert facts.failure == ""
    assert 0 < facts.seconds < 10
    assert all(check.ok for check in probe.probe())


def test_each_tier_has_its_cause_and_cure() -> None:
    """What is there names what gives it; what is not names why and what would help."""
    good = probe.TierFacts(shared="", own="", driver="runsc 1 on ptrace", container="")
    shared, own, machine = probe.judge_tiers(good)
    assert shared.ok
    assert own.ok
    assert "runsc 1 on ptrace" in own.cause
    assert not machine.ok
    assert machine.cause
    assert machine.cure
    for facts, index, cause, cure in (
        (dataclasses.replace(good, shared="no bwrap"), 0, "no bwrap", "doctor"),
        (dataclasses.replace(good, driver=""), 1, "not installed", "apt-get install runsc"),
        (dataclasses.replace(good, own="no memory"), 1, "no memory", "runsc"),
        (
            dataclasses.replace(good, own="ptrace: not permitted", container="docker"),
            1,
            "docker container",
            "SYS_PTRACE",
        ),
    ):
        check = probe.judge_tiers(facts)[index]
        assert not check.ok
        assert cause in check.cause
        assert cure in check.cure


@pytest.mark.sandbox
def test_the_tiers_of_this_host_are_looked_at() -> None:
    """A box of each is started, and what is found is one of three."""
    found = {check.name: check.ok for check in probe.tiers()}
    assert set(found) == {"tier shared-kernel", "tier own-kernel", "tier own-machine"}
    assert found["tier shared-kernel"]
