"""Hostile programs in a box: what must hold, row by row of the abuse battery, in both tiers.

The rows and their attacks stand in `sandbox.battery`: each shows the attack with its control removed
before it shows it refused. After every row the box still answers, and its end leaves nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from leadline.sandbox.box import Box, Completed
from leadline.sandbox.config import BoxConfig
from leadline.sandbox.gvisor import runtime
from leadline.sandbox.slots import process_uid
from leadline.sandbox.survey import Unusable, own_mode
from sandbox.battery import NOT_RUN, OWN, ROWS, SHARED, Stage, python

pytestmark = pytest.mark.sandbox

# In root mode every row plays in both tiers. As an ordinary user a kernel of the box's own is the same
# kernel started otherwise, so the quickest rows that a start could spoil stand for all, but for --soak.
START_ROWS = frozenset(
    {
        "signals and ptrace at the first process",
        "sockets of every family (created, never connected)",
        "listeners on the host: loopback and abstract UNIX socket",
        "what a job is born with",
        "kill -9 of the host process in the middle of calls",
    }
)


@pytest.fixture(params=[SHARED, OWN])
def stage(request: pytest.FixtureRequest) -> Stage:
    """Each tier that this host gives; a missing one is counted."""
    if request.param == OWN:
        try:
            runtime()
        except Unusable as error:
            pytest.skip(str(error))
    return Stage(request.param)


@pytest.mark.parametrize("name", ROWS)
def test_the_attack_works_without_its_control_and_not_with_it(
    stage: Stage, name: str, request: pytest.FixtureRequest
) -> None:
    """The control named by the row is what stops it."""
    short = stage.tier == OWN and own_mode() == "user" and name not in START_ROWS
    if short and not request.config.getoption("--soak"):
        pytest.skip("a long campaign: run with --soak")
    seen = asyncio.run(ROWS[name](stage))
    assert seen.control
    assert seen.without != seen.held


@pytest.mark.parametrize(("name", "reason"), NOT_RUN)
def test_rows_that_need_a_delegated_cgroup(name: str, reason: str) -> None:
    """Counted as not run, with the reason, where no subtree is delegated."""
    pytest.skip(f"{name}: {reason}")


def scene(stage: Stage, story: Callable[[Box], Awaitable[None]], **fields: object) -> None:
    """Run *story* with a box whose end is looked at."""

    async def whole() -> None:
        async with stage.box(**fields) as box:
            await story(box)

    asyncio.run(whole())


def test_shared_pages_are_not_counted_once_per_process(stage: Stage) -> None:
    """Twenty processes over one 40 MB heap are far below a 256 MB bound and are left alone."""

    async def story(box: Box) -> None:
        script = "import os,time\nb=bytearray(b'x')*(40<<20)\nfor i in range(20):\n if os.fork()==0: time.sleep(1); os._exit(0)\ntime.sleep(1.2); print('whole')"
        done = await python(box, script)
        assert done == Completed(0, b"whole\n", b"")

    scene(stage, story, memory_mb=256)


def test_boxes_do_not_share_a_uid_when_root_starts_them() -> None:
    """Two live boxes have two uids; a stopped box's uid may be used again."""

    async def whole() -> None:
        async with await Box.start(BoxConfig()) as one, await Box.start(BoxConfig()) as two:
            if own_mode() == "root":
                assert one.uid is not None
                assert one.uid != two.uid
                assert process_uid(one.pid) == one.uid
            else:
                assert one.uid is None

    asyncio.run(whole())


def test_sanitizers_and_own_children_can_be_used(stage: Stage) -> None:
    """What looking for flaws needs keeps working: ptrace of a child, personality, a core limit."""

    async def story(box: Box) -> None:
        script = """
import ctypes, os
c = ctypes.CDLL(None)
pid = os.fork()
if pid == 0:
    c.ptrace(0, 0, 0, 0); os.kill(os.getpid(), 19); os._exit(3)
os.waitpid(pid, 0)
assert c.ptrace(7, pid, 0, 0) == 0
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), c.personality(0x0040000))
"""
        done = await python(box, script)
        # gVisor has no way to switch off the randomising of addresses; debuggers go on without.
        assert done.stdout == (b"3 0\n" if stage.tier == SHARED else b"3 -1\n"), done.stderr

    scene(stage, story)
