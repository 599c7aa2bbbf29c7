"""The chain of custody: who held what, until when, by acts alone."""

from datetime import timedelta

import make
from leadline.core.engagement.chain import EVERYBODY, HERE, custody
from leadline.core.record.act import Act, Kind, Value


def act(number: int, kind: Kind, about: str, actor: str = "auditor", **detail: Value) -> Act:
    """The act of that number, an hour after the one before."""
    at = make.NOW + timedelta(hours=number)
    return Act(f"act-{number}", kind, at, actor, about, "engagement-1", detail)


def test_what_was_shredded_has_an_end_here_and_none_where_it_was_handed_out() -> None:
    """The owner's material ends by the act that shredded it; a copy elsewhere, and another owner's, do not."""
    acts = [
        act(0, Kind.ARTEFACT_RECEIVED, "artefact-1", owner="frontier"),
        act(1, Kind.ARTEFACT_RECEIVED, "artefact-2", owner="other"),
        act(2, Kind.ARTEFACT_READ, "artefact-1", "evaluator"),
        act(3, Kind.ARTEFACT_PUBLISHED, "artefact-2"),
        act(4, Kind.EXPORT_MADE, "engagement-1", to="court", items=("artefact-1", "artefact-3")),
        act(5, Kind.EXPORT_MADE, "engagement-1", to="nobody", items="no list"),
        act(6, Kind.MATERIAL_SHREDDED, "engagement-1", owner="frontier"),
        act(7, Kind.MATERIAL_SHREDDED, "engagement-1", owner="frontier"),
    ]
    found = custody(acts, ["artefact-1", "artefact-2"])
    assert [(one.what, one.holder, one.by, one.ended_by) for one in found] == [
        ("artefact-1", HERE, "act-0", "act-6"),
        ("artefact-2", HERE, "act-1", ""),
        ("artefact-1", "evaluator", "act-2", ""),
        ("artefact-2", EVERYBODY, "act-3", ""),
        ("artefact-1", "court", "act-4", ""),
    ]
    assert found[0].until == acts[6].at


def test_what_is_here_twice_is_held_once() -> None:
    """Evidence that two acts name began with the first."""
    acts = [
        act(0, Kind.KILL_DRILLED, "run-1", evidence="e" * 64),
        act(1, Kind.EVIDENCE_SEALED, "run-1", evidence="e" * 64, results=""),
    ]
    assert [one.by for one in custody(acts, ["e" * 64])] == ["act-0"]
