"""The kill drill ends an unwilling box in time, with its driver stopped."""

import pytest

from leadline.sandbox import drill as drills
from leadline.sandbox.survey import Unusable

pytestmark = pytest.mark.sandbox


def test_every_unwilling_process_is_gone_in_time() -> None:
    """Dozens of processes that ignore signals and left their session end within 2 s."""
    done = drills.drill()
    assert done.ok
    assert done.processes >= 2 * drills.UNWILLING
    assert 0 < done.seconds <= drills.SECONDS_MAX


def test_a_driver_that_cannot_start_a_box_is_reported() -> None:
    """With its own words."""
    with pytest.raises(Unusable, match="no box here"):
        drills.drill("raise SystemExit('no box here')")
