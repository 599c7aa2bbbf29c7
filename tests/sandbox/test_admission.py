"""No box is used unless the run's warden holds it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from inspect_ai.util import SandboxUnavailableError

from leadline.sandbox import ward as wards
from leadline.sandbox.box import Box, BoxConfig
from leadline.sandbox.ward import Ward, Warded

pytestmark = pytest.mark.sandbox


@pytest.fixture
def warded(tmp_path: Path) -> Iterator[Warded]:
    """A warden that every box of this process is handed to."""
    with Warded.start(tmp_path, own_uid=False) as made, Ward(tmp_path, "worker") as worker:
        wards.ADMISSION.ward = worker
        try:
            yield made
        finally:
            wards.ADMISSION.ward = None


def test_every_box_of_a_run_ends_within_two_seconds(warded: Warded) -> None:
    """Several boxes at work, one of them forking, are gone; calls in them say that it ended."""

    async def run() -> float:
        boxes = [await Box.start(BoxConfig()) for _ in range(4)]
        storm = "trap '' TERM; for i in $(seq 20); do setsid sleep 600 & done; wait"
        calls = [asyncio.create_task(box.exec(["sh", "-c", storm])) for box in boxes]
        await asyncio.sleep(0.2)
        ended = await asyncio.to_thread(warded.ward.order, "person", "p-1", "stop")
        told = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(one, SandboxUnavailableError) for one in told)
        for box in boxes:
            assert not box.running
            await box.stop()
        assert ended["left"] == 0
        seconds = ended["gone_s"]
        assert isinstance(seconds, float)
        return seconds

    assert asyncio.run(run()) <= 2


def test_no_box_starts_once_the_run_was_ended(warded: Warded) -> None:
    """The next one is refused with the cause, and ended again."""
    warded.ward.order("person", "p-1", "seen enough")
    with pytest.raises(SandboxUnavailableError, match="seen enough"):
        asyncio.run(Box.start(BoxConfig()))


def test_no_box_starts_without_its_warden(warded: Warded) -> None:
    """A dead warden ends nothing, and lets nothing start."""
    warded.process.kill()
    warded.process.wait()
    with pytest.raises(SandboxUnavailableError, match="warden is gone"):
        asyncio.run(Box.start(BoxConfig()))


def test_a_warden_forgets_a_box_that_was_stopped(warded: Warded) -> None:
    """Boxes that end in order leave nothing to end."""

    async def run() -> None:
        async with await Box.start(BoxConfig()) as box:
            assert (await box.exec(["true"])).returncode == 0

    asyncio.run(run())
    assert warded.ward.order("person", "p-1", "stop")["processes"] == 0
