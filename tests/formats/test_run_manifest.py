"""The manifest of a run under a lease."""

import json

import pytest

from leadline.core.errors import Invalid
from leadline.formats.run_manifest import load_run_manifest

SOUND = {
    "commit": "b" * 40,
    "paths": ["src"],
    "tool": "a fuzzer",
    "effort_hours": 3,
    "findings": 0,
    "log": "c" * 64,
}


def test_a_manifest_is_read() -> None:
    """Also one of no effort: it is kept and proves nothing."""
    made = load_run_manifest(json.dumps(SOUND | {"effort_hours": 0}).encode(), "m.json")
    assert (made.commit, made.paths, made.effort_hours) == ("b" * 40, ("src",), 0)


def test_every_fault_is_listed() -> None:
    """With its place; nothing of it is taken."""
    wrong = {
        "commit": 7,
        "tool": "x",
        "paths": ["a", 3],
        "effort_hours": -1,
        "findings": True,
        "more": 1,
    }
    with pytest.raises(Invalid) as refusal:
        load_run_manifest(json.dumps(wrong).encode(), "m.json")
    for place in ("/commit", "/log", "/paths", "/effort_hours", "/findings", "/more"):
        assert place in str(refusal.value)
    with pytest.raises(Invalid, match="JSON object"):
        load_run_manifest(b"[]", "m.json")
