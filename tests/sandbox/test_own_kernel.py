"""A box with a kernel of its own behaves as any box: calls, files, deadlines, limits, its end."""

import asyncio
import dataclasses
import os
import signal
import time
from pathlib import Path

import pytest
from inspect_ai.util import SandboxUnavailableError

from leadline.sandbox.box import Box, Completed, planned
from leadline.sandbox.config import Bind, BoxConfig
from leadline.sandbox.gvisor import ended, runtime
from leadline.sandbox.kernel import KernelPlan
from leadline.sandbox.plan import make_plan
from leadline.sandbox.provider import BwrapSandboxEnvironment
from leadline.sandbox.survey import Unusable
from sandbox.battery import OWN, Stage, alive
from sandbox.boxes import answers, in_box, in_planned_box

pytestmark = pytest.mark.sandbox


@pytest.fixture(autouse=True)
def _there() -> None:
    """Counted where this host gives no such tier."""
    try:
        runtime()
    except Unusable as error:
        pytest.skip(str(error))


def config(**fields: object) -> BoxConfig:
    """A configuration of the tier."""
    return BoxConfig.model_validate({"tier": OWN, **fields})


def test_calls_and_files_are_those_of_any_box(tmp_path: Path) -> None:
    """Exit codes, signals, input, output, environment, folders, binds, and the common programs."""
    (tmp_path / "given").write_text("given", encoding="utf-8")
    tmp_path.chmod(0o755)
    bound = config(binds=(Bind(source=str(tmp_path), target="/task"),), env={"A": "b"})

    async def story(box: Box) -> None:
        assert (await box.exec(["sh", "-c", "exit 7"])).returncode == 7
        assert (await box.exec(["sh", "-c", "kill -SEGV $$"])).returncode == 139
        assert (await box.exec(["/no/such"])).returncode == 127
        said = await box.exec(["sh", "-c", "cat; echo $A; pwd; id -u; echo e >&2"], stdin=b"in\n")
        assert said == Completed(0, b"in\nb\n/box\n1000\n", b"e\n")
        await box.write("deep/er/file", b"data")
        assert await box.read("/box/deep/er/file") == b"data"
        assert await box.read("/task/given") == b"given"
        with pytest.raises(PermissionError):
            await box.write("/task/given", b"other")
        listed = await box.exec(["sh", "-c", "ls -la /task / && stat /box && echo x >/dev/stdout"])
        assert listed.returncode == 0, listed.stderr
        assert b"given" in listed.stdout

    in_box(story, bound)


def test_a_call_past_its_deadline_ends_alone() -> None:
    """Its process group is killed; the box goes on; a cancelled call likewise."""

    async def story(box: Box) -> None:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            await box.exec(["sh", "-c", "sleep 60 & sleep 60"], timeout=0.4)
        assert time.monotonic() - begun < 3
        call = asyncio.create_task(box.exec(["sleep", "60"]))
        await asyncio.sleep(0.2)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert await answers(box)
        left = await box.exec(["sh", "-c", "cd /proc; cat [0-9]*/cmdline"])
        assert b"sleep" not in left.stdout

    in_box(story, config())


def test_sanitizers_and_fuzzers_work() -> None:
    """Clang with AddressSanitizer and libFuzzer builds, finds and reports inside."""
    source = (
        "#include <stdlib.h>\nint LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n)"
        " { char *p = malloc(8); if (n > 1 && d[0] == 'A') p[n + 8] = 1; free(p); return 0; }"
    )

    async def story(box: Box) -> None:
        await box.write("f.c", source.encode())
        build = await box.exec(
            ["clang", "-g", "-fsanitize=address,fuzzer", "f.c", "-o", "f"], timeout=60
        )
        if build.returncode == 127:
            pytest.skip("clang is not installed")
        assert build.returncode == 0, build.stderr
        ran = await box.exec(["./f", "-runs=200000", "-seed=1", "-max_len=4"], timeout=60)
        assert b"heap-buffer-overflow" in ran.stderr

    in_box(story, config())


def test_the_kernels_three_processes_are_named_and_end_with_the_first() -> None:
    """Killing the first named leaves none of the others."""

    async def story(box: Box) -> None:
        pids = box.pids_to_end()
        assert pids[0] == box.pid
        assert box.inner_pid in pids
        assert len(pids) >= 3
        os.kill(pids[0], signal.SIGKILL)
        assert await ended(pids, seconds=2)
        with pytest.raises(SandboxUnavailableError):
            await box.exec(["true"])

    in_box(story, config())


def test_a_box_that_does_not_obey_is_ended_by_force() -> None:
    """Its kernel stopped, it cannot see its socket end; every process is killed all the same."""

    async def story() -> None:
        box = await Box.start(config())
        pids = box.pids_to_end()
        os.kill(box.inner_pid or 0, signal.SIGSTOP)
        await box.stop(patience=0.3)
        assert [pid for pid in pids if alive(pid)] == []

    asyncio.run(story())


def test_files_that_remain_do_not_make_a_box_unusable() -> None:
    """They weigh; what added to them is ended once, then they count as kept."""

    async def story(box: Box) -> None:
        filled = await box.exec(["sh", "-c", "head -c 60M /dev/zero > fill; sleep 5"], timeout=20)
        assert filled.limit == "memory"
        await asyncio.sleep(1.5)
        assert await answers(box)
        assert (await box.exec(["rm", "fill"])).returncode == 0

    in_box(story, config(memory_mb=48, disk_mb=64))


def test_what_gvisor_says_of_a_start_that_fails_is_told() -> None:
    """And no folder stays."""
    plan = planned(config())
    assert isinstance(plan, KernelPlan)
    broken = dataclasses.replace(
        plan, document=plan.document.replace("/run/sbx/init", "/run/sbx/absent")
    )

    async def story(_: Box) -> None:
        raise AssertionError("it must not start")

    with pytest.raises(SandboxUnavailableError, match="absent"):
        in_planned_box(story, broken)
    gone = dataclasses.replace(plan, arguments=("/no/such/runsc", *plan.arguments[1:]))
    with pytest.raises(SandboxUnavailableError, match="did not start"):
        in_planned_box(story, gone)


def test_a_start_that_fails_at_once_leaves_nothing() -> None:
    """The launcher itself cannot be executed: the error is told, descriptors and folder are gone."""
    plan = planned(config())
    broken = dataclasses.replace(plan, host=dataclasses.replace(plan.host, init=b"no program"))
    held = {path.name for path in Path("/proc/self/fd").iterdir()}

    async def story(_: Box) -> None:
        raise AssertionError("it must not start")

    with pytest.raises(OSError, match="Exec format"):
        in_planned_box(story, broken)
    assert {path.name for path in Path("/proc/self/fd").iterdir()} == held


def test_bubblewrap_starts_no_box_of_this_tier() -> None:
    """There is no falling back from one to the other."""
    with pytest.raises(Unusable, match="own-kernel"):
        make_plan(config())


def test_the_provider_gives_boxes_of_the_tier() -> None:
    """The same provider class; the identity names tier and driver."""

    async def story() -> None:
        boxes = await BwrapSandboxEnvironment.sample_init("task", config(), {})
        box = boxes["default"].as_type(BwrapSandboxEnvironment)
        try:
            assert (box.identity.tier, box.identity.driver) == (OWN, runtime().words)
            assert (await box.exec(["echo", "ok"])).stdout == "ok\n"
        finally:
            await BwrapSandboxEnvironment.sample_cleanup("task", config(), boxes, False)  # noqa: FBT003 - Inspect's

    asyncio.run(story())


def test_a_bundle_goes_with_its_box() -> None:
    """As do its processes and its namespace; the battery's own end says so."""

    async def story() -> None:
        async with Stage(OWN).box() as box:
            assert await answers(box)

    asyncio.run(story())
