"""STIX objects, version by version: what a revision adds, and what the standard says of versions."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from clearing_values import AT, unhurried
from leadline.core.clearing.advisory import Advisory
from leadline.core.marking import Tlp
from leadline.formats import stix
from taxii_world import numbered, revised

Json = dict[str, object]


def held(before: list[Json], more: list[Json]) -> list[Json]:
    """The last versions after *more* were added."""
    last = {str(one["id"]): one for one in before}
    return list((last | {str(one["id"]): one for one in more}).values())


def test_the_bundle_holds_the_objects() -> None:
    """Each once, though two flaws were one."""
    one = numbered(1)
    assert json.loads(stix.render(one))["objects"] == stix.objects(one)
    twice = replace(one, flaws=one.flaws * 2)
    assert [o["id"] for o in stix.objects(twice)] == [o["id"] for o in stix.objects(one)]


def test_the_publisher_is_one_object_in_all_advisories() -> None:
    """With one moment of creation, which the standard forbids to change."""
    first, second = numbered(1), revised(numbered(2), days=9)
    identities = [stix.objects(one)[1] for one in (first, second)]
    assert identities[0] == identities[1]
    assert identities[0]["created"] == identities[0]["modified"] == stix.SINCE


def test_revisions_of_one_moment_are_versions_all_the_same() -> None:
    """The later is a millisecond later."""
    one = numbered(1)
    same = revised(revised(one, days=0), days=0)
    assert stix.objects(one)[-1]["modified"] == "2026-11-01T12:00:00.000Z"
    assert stix.objects(same)[-1]["modified"] == "2026-11-01T12:00:00.002Z"
    assert stix.objects(same)[-1]["created"] == "2026-11-01T12:00:00.000Z"


def test_what_is_the_same_adds_nothing() -> None:
    """Publishing again, or another advisory of the same publisher."""
    first = stix.versions(numbered(1), [])
    assert first == stix.objects(numbered(1))
    assert stix.versions(numbered(1), first) == []
    assert [one["type"] for one in stix.versions(numbered(2), first[:2])] == ["vulnerability"]


def test_what_is_dropped_is_revoked_once() -> None:
    """And says so after the last word about it."""
    whole = numbered(1, flaws=2)
    first = stix.versions(whole, [])
    less = revised(whole, flaws=whole.flaws[:1])
    second = stix.versions(less, first)
    assert [one.get("revoked") for one in second] == [None, True]
    assert second[1] == first[3] | {"modified": second[0]["modified"], "revoked": True}
    third = stix.versions(revised(less), held(first, second))
    assert [one["id"] for one in third] == [second[0]["id"]]


def test_an_id_that_another_advisory_had_goes_on() -> None:
    """A CVE that moved to another advisory keeps its moment of creation, and is later than before."""
    first = stix.versions(revised(numbered(1), days=30), [])
    other = replace(numbered(2), flaws=(replace(numbered(1).flaws[0], title="x", description="y"),))
    (moved,) = stix.versions(other, first)
    assert moved["id"] == first[-1]["id"]
    assert moved["created"] == first[-1]["created"]
    assert str(moved["modified"]) > str(first[-1]["modified"])
    assert stix.versions(other, held(first, [moved])) == []


def test_drafts_have_ids_of_their_own() -> None:
    """Of their label and advisory, not of a CVE; marked as they are kept; a later one is a later version."""
    one = numbered(1)
    red = stix.drafted(one, Tlp.RED, [AT])
    amber = stix.drafted(one, Tlp.AMBER_STRICT, [AT])
    later = stix.drafted(one, Tlp.RED, [AT, AT, AT + timedelta(microseconds=5)])
    assert len({o["id"] for o in (*red, *amber, *stix.objects(one))}) == 2 + 3
    assert red[0]["object_marking_refs"] == [stix.marking(Tlp.RED)]
    assert (later[0]["created"], later[0]["modified"]) == (
        "2026-11-01T12:00:00.000Z",
        "2026-11-01T12:00:00.002Z",
    )


STEPS = st.lists(
    st.tuples(st.lists(st.integers(0, 3), unique=True, max_size=4), st.floats(0, 3)), max_size=5
)


def walked(steps: list[tuple[list[int], float]]) -> tuple[list[Json], Advisory]:
    """All versions of an advisory that goes through these states, and the last."""
    whole = numbered(1, flaws=4)
    now, every = whole, stix.versions(whole, [])
    last = held([], every)
    for kept, days in steps:
        now = revised(now, days=days, flaws=tuple(whole.flaws[n] for n in kept))
        made = stix.versions(now, last)
        every += made
        last = held(last, made)
    return every, now


@unhurried
@given(STEPS)
def test_versions_only_go_on(steps: list[tuple[list[int], float]]) -> None:
    """No version twice, each later than the one before, created once; what stands is what was said last."""
    every, now = walked(steps)
    seen = dict[str, Json]()
    for one in every:
        before = seen.get(str(one["id"]))
        if before is not None:
            assert stix.version(before) < stix.version(one)
            assert before["created"] == one["created"]
        seen[str(one["id"])] = one
    standing = {id_ for id_, one in seen.items() if not one.get("revoked")}
    assert standing == {str(one["id"]) for one in stix.objects(now)}
