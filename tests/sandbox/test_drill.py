"""The kill drill ends an unwilling box in time, with its driver stopped."""

import pytest

from leadline.sandbox import drill as drills

pytestmark = pytest.mark.sandbox


def test_every_unwilling_process_is_gone_in_time() -> None:
    """Dozens of processes that ignore signals and left their session end within 2 s."""
    done = drills.drill()
    assert done.ok
    assert done.processes >= 2 * drills.UNWILLING
    assert 0 < done.seconds <= drills.SECONDS_MAX
