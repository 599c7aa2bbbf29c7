"""How the tests use boxes: one line to run something inside, in whichever mode this process has."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from leadline.sandbox.box import Box, Completed
from leadline.sandbox.config import BoxConfig
from leadline.sandbox.kernel import KernelPlan
from leadline.sandbox.plan import Plan

T = TypeVar("T")


def in_box(story: Callable[[Box], Awaitable[T]], config: BoxConfig | None = None) -> T:
    """Run *story* with a fresh box and stop the box after it."""

    async def whole() -> T:
        async with await Box.start(config or BoxConfig()) as box:
            return await story(box)

    return asyncio.run(whole())


def in_planned_box(story: Callable[[Box], Awaitable[T]], plan: Plan | KernelPlan) -> T:
    """As `in_box`, for a box started as *plan* says."""

    async def whole() -> T:
        async with await Box.start_plan(plan) as box:
            return await story(box)

    return asyncio.run(whole())


def sh(script: str, config: BoxConfig | None = None, *, timeout: float = 30) -> Completed:
    """Run a shell script in a fresh box."""
    return in_box(lambda box: box.exec(["sh", "-c", script], timeout=timeout), config)


def py(script: str, config: BoxConfig | None = None, *, timeout: float = 30) -> Completed:
    """Run a Python program in a fresh box."""
    return in_box(lambda box: box.exec(["python3", "-c", script], timeout=timeout), config)


async def answers(box: Box) -> bool:
    """Whether the box still does what it should within 20 s."""
    done = await box.exec(["echo", "ok"], timeout=20)
    return done.stdout == b"ok\n"
