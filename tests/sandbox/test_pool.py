"""Warm boxes: given out once, refilled behind, stopped with the last task that wanted them."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest
from inspect_ai.util import SandboxUnavailableError

from leadline.sandbox.box import Bind, Box, BoxConfig
from leadline.sandbox.pool import Pool

pytestmark = pytest.mark.sandbox
WARM = BoxConfig(warm=2)


def pool(story: Callable[[Pool], Awaitable[None]]) -> None:
    """Run *story* with an empty pool."""
    asyncio.run(_with_pool(story))


async def _with_pool(story: Callable[[Pool], Awaitable[None]]) -> None:
    await story(Pool())


async def ready(pool_: Pool, config: BoxConfig, count: int) -> None:
    """Wait until *count* boxes are ready."""
    async with asyncio.timeout(10):
        while pool_.ready(config) < count:  # noqa: ASYNC110 - boxes, which no event announces
            await asyncio.sleep(0.01)


def test_a_warm_box_is_taken_at_once_and_replaced() -> None:
    """And no box is given out twice."""

    async def story(made: Pool) -> None:
        made.open(WARM)
        await ready(made, WARM, 2)
        boxes = [await made.take(WARM) for _ in range(4)]
        assert len({box.pid for box in boxes}) == 4
        for box in boxes:
            assert (await box.exec(["true"])).returncode == 0
            await box.stop()
        await ready(made, WARM, 2)
        await made.close(WARM)
        assert made.ready(WARM) == 0

    pool(story)


def test_a_box_that_ended_while_waiting_is_not_given_out() -> None:
    """The next one is."""

    async def story(made: Pool) -> None:
        made.open(WARM)
        await ready(made, WARM, 2)
        dead = await made.take(WARM)
        await ready(made, WARM, 2)
        for _ in range(2):
            waiting = made.shelf(WARM).popleft()
            os.kill(waiting.pid, 9)
            made.shelf(WARM).append(waiting)
        await asyncio.sleep(0.1)
        box = await made.take(WARM)
        assert box.running
        for one in (dead, box):
            await one.stop()
        await made.close(WARM)

    pool(story)


def test_the_last_task_of_a_configuration_stops_its_boxes() -> None:
    """One task's end does not take another's boxes, of the same or another configuration."""
    other = BoxConfig(warm=1, disk_mb=10)

    async def story(made: Pool) -> None:
        made.open(WARM)
        made.open(WARM)
        made.open(other)
        await ready(made, WARM, 2)
        await ready(made, other, 1)
        await made.close(WARM)
        assert (made.ready(WARM), made.ready(other)) == (2, 1)
        waiting = list(made.shelf(WARM))
        await made.close(WARM)
        assert not any(box.running for box in waiting)
        assert made.ready(other) == 1
        await made.close(other)
        await made.close(other)

    pool(story)


def test_without_warm_boxes_each_is_started_when_asked_for() -> None:
    """With a task open or without one."""

    async def story(made: Pool) -> None:
        async with await made.take(BoxConfig()) as box:
            assert box.running
        made.open(BoxConfig())
        async with await made.take(BoxConfig()) as box:
            assert box.running
        await made.close(BoxConfig())

    pool(story)


def test_a_start_that_fails_behind_is_raised_to_the_next_sample() -> None:
    """Instead of being tried for ever in silence."""
    broken = BoxConfig(warm=1, binds=(Bind(source="/does/not/exist", target="/x"),))

    async def story(made: Pool) -> None:
        made.open(broken)
        await asyncio.sleep(0.3)
        with pytest.raises(SandboxUnavailableError, match="does/not/exist"):
            await made.take(broken)
        await made.close(broken)

    pool(story)


def test_the_pools_boxes_are_boxes() -> None:
    """Same class, same identity as one started alone."""

    async def story(made: Pool) -> None:
        made.open(WARM)
        await ready(made, WARM, 1)
        async with await made.take(WARM) as warm, await Box.start(WARM) as cold:
            assert warm.identity == cold.identity
        await made.close(WARM)

    pool(story)
