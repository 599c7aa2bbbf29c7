"""One uid per running box, whatever processes do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.sandbox import slots
from leadline.sandbox.survey import Unusable

FIRST = 3_900_000  # no process of this machine has such a uid


def take(folder: Path, count: int = 3) -> slots.Slot:
    """A slot of a small range."""
    return slots.take(folder, first=FIRST, count=count)


def test_no_two_live_slots_share_a_uid_and_released_ones_return(tmp_path: Path) -> None:
    """The whole range can be used, then nothing, then what was released."""
    held = [take(tmp_path) for _ in range(3)]
    assert {slot.uid for slot in held} == {FIRST, FIRST + 1, FIRST + 2}
    with pytest.raises(Unusable, match="in use"):
        take(tmp_path)
    held[1].release(in_order=True)
    again = take(tmp_path)
    assert again.uid == held[1].uid
    for slot in (held[0], held[2], again):
        slot.release(in_order=True)


def test_a_slot_is_held_against_other_processes_and_goes_with_its_holder(tmp_path: Path) -> None:
    """Another process finds the range taken; once it is gone its own slot is free again."""
    script = f"""
import sys
sys.path[:] = {sys.path!r}
from pathlib import Path
from leadline.sandbox import slots
slot = slots.take(Path({str(tmp_path)!r}), first={FIRST}, count=1)
print(slot.uid, flush=True); sys.stdin.read()
"""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == f"{FIRST}\n"
        with pytest.raises(Unusable):
            take(tmp_path, count=1)
        other.kill()
    slot = take(tmp_path, count=1)
    slot.release(in_order=True)


def test_a_slot_left_in_disorder_waits_for_its_processes(tmp_path: Path) -> None:
    """The last holder died without releasing and something still runs as that uid: not yet."""
    uid = os.getuid()
    (tmp_path / str(uid)).write_bytes(b"held")
    with pytest.raises(Unusable):
        slots.take(tmp_path, first=uid, count=1)
    (tmp_path / str(uid)).write_bytes(b"free")
    slots.take(tmp_path, first=uid, count=1).release(in_order=True)
    (tmp_path / str(FIRST)).write_bytes(b"held")
    take(tmp_path, count=1).release(in_order=False)
    assert (tmp_path / str(FIRST)).read_bytes() == b"held"
    take(tmp_path, count=1).release(in_order=True)
    assert (tmp_path / str(FIRST)).read_bytes() == b"free"


def test_a_process_that_is_gone_has_no_owner() -> None:
    """The look-up is a value, not an error."""
    assert slots.process_uid(os.getpid()) == os.getuid()
    assert slots.process_uid(1 << 30) is None
