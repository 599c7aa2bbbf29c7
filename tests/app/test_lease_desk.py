"""Scan leases at a desk with everybody: two finders collide, one proves its work, nobody is named."""

from dataclasses import replace

import pytest

from clearing_world import acts_about, clearing_world
from leadline.app import leases
from leadline.core.clearing import lease as core
from leadline.core.clearing.lease import LeaseState, RunManifest, Target, Tree
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.record.act import Kind

COMMIT = "b" * 40
TARGET = Target("", "https://example.org/owner/name", "a" * 40, COMMIT)
TREE = Tree(COMMIT, ("src/a.c", "doc/x.md"))
MANIFEST = RunManifest(COMMIT, TREE.paths, "a fuzzer", 3, 0, "c" * 64)


def test_two_finders_collide_and_both_go_on() -> None:
    """The second learns the overlap, not who; its own lease is taken all the same."""
    world = clearing_world()
    first = leases.take(world.at("finder"), TARGET, TREE, hours=48, effort_hours=8)
    assert first.answer.words == "free"
    part = replace(TARGET, paths=("src/**",))
    second = leases.take(world.at("other-finder"), part, TREE, hours=24, effort_hours=1)
    assert second.answer.words == "overlapping (100% of path blocks)"
    assert "finder" not in second.answer.words
    assert leases.show(world.at("other-finder"), second.lease.id).open
    with pytest.raises(NotFound):
        leases.show(world.at("finder"), second.lease.id)
    assert [one.lease.id for one in leases.listed(world.at("finder"))] == [first.lease.id]
    assert len(leases.listed(world.at("screener"))) == 2, "a coordinator sees all"
    assert leases.listed(world.at("bank")) == ()


def test_coverage_needs_a_manifest_and_an_expired_lease_counts_for_nothing() -> None:
    """Renewed, closed with proof, and then covered for others; each step is an act."""
    world = clearing_world()
    done = leases.take(world.at("finder"), TARGET, TREE, hours=24, effort_hours=8)
    id_ = done.lease.id
    world.after(hours=23)
    assert leases.renew(world.at("finder"), id_, hours=24).open
    world.after(hours=20)
    assert leases.close(world.at("finder"), id_, MANIFEST).state is LeaseState.PROVED
    asked = leases.ask(world.at("other-finder"), TARGET, TREE)
    assert asked.words == f"covered at commit {COMMIT} by fewer than 5 finders"
    kinds = [Kind.LEASE_TAKEN, Kind.LEASE_RENEWED, Kind.LEASE_CLOSED]
    assert [act.kind for act in acts_about(world, id_)] == kinds
    late = leases.take(world.at("other-finder"), TARGET, TREE, hours=24, effort_hours=8)
    world.after(hours=24)
    assert leases.show(world.at("other-finder"), late.lease.id).state is LeaseState.EXPIRED
    with pytest.raises(Refused, match="expired"):
        leases.renew(world.at("other-finder"), late.lease.id, hours=24)
    assert leases.close(world.at("other-finder"), late.lease.id, None).state is LeaseState.UNPROVED


def test_what_is_refused_changes_nothing() -> None:
    """Every fault is listed; strangers, second closings and leases beyond the number are refused."""
    world = clearing_world()
    wrong = replace(TARGET, commit="main", weaknesses=("memory",))
    with pytest.raises(Invalid) as refusal:
        leases.take(world.at("finder"), wrong, TREE, hours=100, effort_hours=0)
    for place in ("/target/commit", "/target/weaknesses/0", "/until", "/effort_hours"):
        assert place in str(refusal.value)
    with pytest.raises(Invalid, match="resolves to"):
        leases.take(world.at("finder"), TARGET, Tree("d" * 40, ("a",)), hours=48, effort_hours=1)
    with pytest.raises(Invalid, match="running system"):
        leases.ask(world.at("finder"), Target("198.51.100.7"))
    with pytest.raises(Denied):
        leases.take(world.at("bank"), TARGET, TREE, hours=48, effort_hours=1)
    assert world.acts(Kind.LEASE_TAKEN) == []
    id_ = leases.take(world.at("finder"), TARGET, TREE, hours=48, effort_hours=1).lease.id
    with pytest.raises(NotFound):
        leases.close(world.at("other-finder"), id_, MANIFEST)
    with pytest.raises(Denied):
        leases.close(world.at("screener"), id_, MANIFEST)
    with pytest.raises(Invalid, match="/until"):
        leases.renew(world.at("finder"), id_, hours=1)
    leases.close(world.at("finder"), id_, MANIFEST)
    with pytest.raises(Refused, match="closed before"):
        leases.close(world.at("finder"), id_, None)
    for _ in range(core.OPEN_MAX):
        leases.take(world.at("finder"), TARGET, TREE, hours=48, effort_hours=1)
    with pytest.raises(Refused, match="open already"):
        leases.take(world.at("finder"), TARGET, TREE, hours=48, effort_hours=1)
    assert len(world.acts(Kind.LEASE_TAKEN)) == core.OPEN_MAX + 1


def test_anybody_may_read_totals_and_few_are_not_said() -> None:
    """One finder's month shows no number."""
    world = clearing_world()
    leases.take(world.at("finder"), TARGET, TREE, hours=48, effort_hours=1)
    (month,) = leases.monthly(world.at("bank"))
    assert (month.leases, month.finders) == (None, None)
