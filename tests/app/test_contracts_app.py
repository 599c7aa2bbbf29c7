"""Terms on file: whose they are, which versions there were, and what never takes their place."""

from dataclasses import replace
from datetime import timedelta

import pytest

from clearing_world import acts_about, clearing_world
from desk_world import DeskWorld
from leadline.app import contracts
from leadline.core.errors import Denied, NotFound, Refused
from leadline.core.record.act import Kind, instant
from reporting import terms


@pytest.fixture
def world() -> DeskWorld:
    """The clearinghouse."""
    return clearing_world()


def test_a_maintainer_enters_pauses_and_everybody_reads(world: DeskWorld) -> None:
    """Every version stays by its digest; the newest counts."""
    until = world.now + timedelta(days=7)
    contracts.add(world.at("maintainer"), terms(), b"one")
    contracts.add(world.at("maintainer"), terms(paused=True, paused_until=until), b"two")
    for who in ("finder", "maintainer", "screener", "hospital", "downstream"):
        found = contracts.shown(world.at(who), "bsdiff4")
        assert found.contract.paused
        assert [one.paused for one in found.versions] == [False, True]
        assert [one.by for one in found.versions] == ["maintainer"] * 2
        assert contracts.listed(world.at(who)) == (found.contract,)
    act = acts_about(world, "bsdiff4", Kind.CONTRACT_WRITTEN)[-1]
    assert act.detail["paused_until"] == instant(until)
    assert world.vault.get(str(act.detail["digest"])) == b"two"


def test_another_organisation_changes_nothing_of_it(world: DeskWorld) -> None:
    """Nor does a finder or an operator enter any; a coordinator may."""
    contracts.add(world.at("maintainer"), terms(), b"one")
    for who in ("downstream", "finder", "hospital"):
        with pytest.raises(Denied):
            contracts.add(world.at(who), terms(per_week=9), b"other")
    assert contracts.shown(world.at("finder"), "bsdiff4").contract.per_week == 2
    contracts.add(world.at("screener"), terms(per_week=1), b"as they told us")
    contracts.add(world.at("maintainer"), terms(per_week=5), b"back")
    assert contracts.shown(world.at("finder"), "bsdiff4").contract.per_week == 5


def test_what_was_inferred_gives_way_to_what_was_said(world: DeskWorld) -> None:
    """And never takes its place; it belongs to nobody."""
    inferred = replace(terms(), inferred=True)
    with pytest.raises(Denied):
        contracts.add(world.at("maintainer"), inferred, b"policy")
    contracts.add(world.at("screener"), inferred, b"policy")
    contracts.add(world.at("maintainer"), terms(), b"own")
    with pytest.raises(Refused, match="of its own"):
        contracts.add(world.at("screener"), inferred, b"policy")


def test_the_same_again_and_what_is_not_there(world: DeskWorld) -> None:
    """Nothing is recorded twice."""
    contracts.add(world.at("screener"), terms(), b"one")
    with pytest.raises(Refused, match="already"):
        contracts.add(world.at("screener"), terms(), b"one")
    assert len(acts_about(world, "bsdiff4")) == 1
    with pytest.raises(NotFound, match="leadline contract list"):
        contracts.shown(world.at("finder"), "other")
