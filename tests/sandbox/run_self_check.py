"""Runs Inspect's own sandbox self-check on the bwrap provider; prints what failed as JSON.

Every check gets an own box and all run at once: most of their time is sleep.
"""

import asyncio
import inspect
import json
import sys
from collections.abc import Awaitable, Callable

from inspect_ai.util import SandboxEnvironment
from inspect_ai.util._sandbox import self_check

from leadline.sandbox.config import BoxConfig
from leadline.sandbox.provider import BwrapSandboxEnvironment

Check = Callable[[SandboxEnvironment], Awaitable[None]]
AT_ONCE = 8


def checks() -> dict[str, Check]:
    """Every check by name."""
    found = inspect.getmembers(self_check, inspect.iscoroutinefunction)
    return {name: check for name, check in found if name.startswith("test_")}


async def outcome(check: Check, gate: asyncio.Semaphore) -> str:
    """Empty if *check* holds, or the kind and words of what it raised."""
    config = BoxConfig()
    async with gate:
        boxes = await BwrapSandboxEnvironment.sample_init("self-check", config, {})
        try:
            await check(boxes["default"])
        except Exception as error:  # noqa: BLE001 - whatever a check raises is its verdict
            return f"{type(error).__name__}: {error}"
        finally:
            await BwrapSandboxEnvironment.sample_cleanup(
                "self-check", config, boxes, interrupted=False
            )
    return ""


async def main() -> None:
    """Run them all; one JSON object, check name to outcome."""
    gate = asyncio.Semaphore(AT_ONCE)
    found = checks()
    verdicts = await asyncio.gather(*(outcome(check, gate) for check in found.values()))
    json.dump(dict(zip(found, verdicts, strict=True)), sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
