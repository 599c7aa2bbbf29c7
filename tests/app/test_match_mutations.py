"""A4: whatever is made unreadable in an inventory or an advisory, nothing is called not affected by it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.app.match import read_advisory, read_inventory
from leadline.core.clearing.match import Status, match

JUNK = st.text("\u2620 \x01%@?/", max_size=6).map(lambda text: f"\u2620 {text}\u2603")
AFFECTED = ("1.0", "1.5", "2.0rc1", "4.2")


def bom(purl: str, version: str) -> bytes:
    """One component."""
    part = {"type": "library", "bom-ref": "c", "name": "thing", "version": version, "purl": purl}
    held = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [part]}
    return json.dumps(held).encode()


def osv() -> dict[str, Any]:
    """1.0 up to 2.0 and 4.2 are affected."""
    events = [{"introduced": "1.0"}, {"fixed": "2.0"}, {"introduced": "4.0"}, {"fixed": "4.1"}]
    entry = {
        "package": {"ecosystem": "PyPI", "name": "thing"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
        "versions": ["4.2"],
    }
    return {"id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": [entry]}


def statuses(inventory: bytes, advisory: dict[str, Any]) -> set[Status]:
    """The statuses of all pairs."""
    held = read_advisory(json.dumps(advisory).encode(), "x")
    return {pair.status for pair in match(read_inventory(inventory, "x", {}), [held]).matches}


@unhurried
@given(junk=JUNK, version=st.sampled_from(AFFECTED), where=st.sampled_from(["purl", "release"]))
def test_an_unreadable_inventory_is_unknown(junk: str, version: str, where: str) -> None:
    """Package-URL or release: the component stays, and its pair says unknown."""
    purl = junk if where == "purl" else "pkg:pypi/thing"
    found = statuses(bom(purl, junk if where == "release" else version), osv())
    assert found == {Status.UNKNOWN}


@unhurried
@given(
    junk=st.one_of(JUNK, st.integers(-9999, 9999), st.none(), st.lists(st.text(), max_size=1)),
    version=st.sampled_from([*AFFECTED, "0.9", "3.0", "9"]),
    event=st.integers(0, 3),
    whole=st.booleans(),
)
def test_an_unreadable_bound_leaves_no_not_affected(
    junk: object,
    version: str,
    event: int,
    whole: bool,  # noqa: FBT001 -- the event or its value
) -> None:
    """A bound of the only range: releases that the list does not name are unknown."""
    advisory = osv()
    events = advisory["affected"][0]["ranges"][0]["events"]
    events[event] = junk if whole else dict.fromkeys(events[event], junk)
    found = statuses(bom("pkg:pypi/thing", version), advisory)
    assert found == ({Status.AFFECTED} if version == "4.2" else {Status.UNKNOWN})


@unhurried
@given(
    junk=st.one_of(
        st.integers(-9999, 9999), st.none(), st.text(), st.lists(st.integers(-9, 9), min_size=1)
    ),
    part=st.sampled_from(["ranges", "versions", "type", "item"]),
)
def test_what_has_not_the_form_leaves_no_not_affected(junk: object, part: str) -> None:
    """A range, its kind, the list, or an entry of the list that is something else."""
    advisory = osv()
    entry = advisory["affected"][0]
    if part == "type":
        entry["ranges"][0]["type"] = junk
    elif part == "item":
        entry["versions"].append([junk])
    else:
        entry[part] = [junk] if junk is None else junk
    for version in ("1.5", "9"):
        found = statuses(bom("pkg:pypi/thing", version), advisory)
        assert Status.NOT_AFFECTED not in found
        assert found
