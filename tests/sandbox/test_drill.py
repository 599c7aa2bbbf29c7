"""The kill drill ends unwilling sandboxes in time, with driver and store stopped."""

import pytest

from leadline.sandbox import drill as drills
from leadline.sandbox.egress import boot_id
from leadline.sandbox.survey import Unusable

pytestmark = pytest.mark.sandbox

# A driver that hands nothing to the warden: whoever is not told of a sandbox cannot end it.
SECRETIVE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from leadline.sandbox import drill, ward; "
    "drill.Ward = lambda folder, role: None; "
    "drill.main(sys.argv[2], sys.argv[3])"
)


def test_every_unwilling_process_is_gone_in_time() -> None:
    """Dozens of processes that ignore signals end within 2 s, links within 1, the key within 5."""
    done = drills.drill()
    assert done.ok, done
    assert done.processes >= 2 * drills.UNWILLING
    assert 0 < done.seconds <= drills.SECONDS_MAX
    assert done.key_s is not None
    assert 0 < done.key_s <= drills.KEY_SECONDS_MAX
    assert (done.driver, done.store) == ("T", "T")
    assert done.host_boot_id == boot_id()
    if done.range == drills.RANGE:
        assert done.links_s is not None
        assert done.links_s <= drills.LINKS_SECONDS_MAX
    else:
        assert done.range.startswith("not part of this drill: ")


def test_a_sandbox_that_the_warden_does_not_hold_fails_the_drill() -> None:
    """The drill looks for itself: with the warden none the wiser, it says that it did not hold."""
    done = drills.drill(SECRETIVE, patience=1.0)
    assert not done.ok
    assert done.links_s is None
    assert "0 processes held" in done.warden


def test_a_driver_that_cannot_start_a_box_is_reported() -> None:
    """With its own words."""
    with pytest.raises(Unusable, match="no box here"):
        drills.drill("raise SystemExit('no box here')")
