"""A backup whose making was killed: it is listed as what it is, counts for nothing, and stops no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.people import House, house
from leadline.core.errors import Refused
from leadline.wiring import administration


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation with an administrator."""
    with house(tmp_path) as found:
        found.enrol("admin", "administrator", engagements=frozenset())
        yield found


@pytest.mark.parametrize("left", [(), ("state",), ("state", "vault", "checkpoint")])
def test_what_was_cut_short_is_no_backup(at: House, left: tuple[str, ...]) -> None:
    """Whatever of it was written: said in the list, and refused where it is to be checked."""
    ctx, name = at.ctx("admin"), "20270101-000000"
    place = at.home.folder / administration.BACKUPS / name
    place.mkdir(parents=True)
    for one in left:
        (place / one).write_bytes(b"")
    (listed,) = administration.backups(ctx, at.home)
    assert (listed.name, listed.checked) == (name, None)
    assert "cut short" in listed.told
    with pytest.raises(Refused, match="not finished"):
        administration.check(ctx, at.home, name)
    made = administration.make_backup(ctx, at.door.parts, at.home)
    assert "whole" in administration.check(ctx, at.home, made)
    assert [one.checked is None for one in administration.backups(ctx, at.home)] == [False, True]
