"""The chain of custody is told from acts: who held what from when to when."""

from datetime import UTC, datetime, timedelta

from leadline.core.engagement.chain import EVERYBODY, HERE, Held, custody, named
from leadline.core.record.act import Act, Kind, Value

START = datetime(2026, 10, 1, tzinfo=UTC)


def at(hours: int) -> datetime:
    """So many hours after the start."""
    return START + timedelta(hours=hours)


def act(hours: int, kind: Kind, about: str, **detail: Value) -> Act:
    """One act, called after its hour."""
    return Act(f"act-{hours}", kind, at(hours), f"person-{hours}", about, "e", detail)


STORY = (
    act(0, Kind.ARTEFACT_RECEIVED, "a", digest="d-a", owner="developer"),
    act(1, Kind.ARTEFACT_RECEIVED, "b", digest="d-b", owner="agency"),
    act(2, Kind.ARTEFACT_READ, "a", digest="d-a"),
    act(3, Kind.ARTEFACT_UNSEALED, "b", digest="d-b"),
    act(4, Kind.ISOLATION_PROVED, "plan", evidence="d-c"),
    act(5, Kind.KILL_DRILLED, "plan", evidence="d-c"),
    act(6, Kind.EXPORT_MADE, "x", to="a court", items=("a", "d-c")),
    act(7, Kind.ARTEFACT_PUBLISHED, "b"),
    act(8, Kind.MATERIAL_SHREDDED, "shredding", owner="developer"),
    act(9, Kind.MATERIAL_SHREDDED, "shredding", owner="developer"),
    act(10, Kind.EXPORT_MADE, "y", to="nobody"),
)


def test_every_holding_has_its_beginning_and_where_an_act_tells_of_it_its_end() -> None:
    """Every holding has its beginning and where an act tells of it its end."""
    assert custody(STORY, ["a"]) == (
        Held("a", HERE, at(0), "act-0", at(8), "act-8"),
        Held("a", "person-2", at(2), "act-2"),
        Held("a", "a court", at(6), "act-6"),
    )
    assert [(one.holder, one.until) for one in custody(STORY, ["b"])] == [
        (HERE, None),
        ("person-3", None),
        (EVERYBODY, None),
    ]


def test_evidence_that_acts_name_goes_by_its_digest_and_is_held_once() -> None:
    """Evidence that acts name goes by its digest and is held once."""
    found = custody(STORY, ["d-c"])
    assert [(one.holder, one.by) for one in found] == [(HERE, "act-4"), ("a court", "act-6")]
    assert custody(STORY, ["nothing"]) == ()


def test_a_holding_has_a_plain_form() -> None:
    """A holding has a plain form."""
    first = custody(STORY, ["a"])[0].to_record()
    assert (first["until"], first["ended_by"]) == ("2026-10-01T08:00:00.000000Z", "act-8")
    assert custody(STORY, ["b"])[0].to_record()["until"] is None


def test_only_texts_are_digests() -> None:
    """Only texts are digests."""
    assert named(act(0, Kind.EVIDENCE_SEALED, "p", results="r", evidence=7)) == {"results": "r"}


def test_what_somebody_was_told_is_no_evidence() -> None:
    """A result, a basis and a message are for whom they were written; an export leaves them alone."""
    for kind in set(Kind) - {
        Kind.ISOLATION_PROVED,
        Kind.KILL_DRILLED,
        Kind.CANARIES_JUDGED,
        Kind.EVIDENCE_SEALED,
    }:
        assert named(act(0, kind, "x", evidence="e", results="r", basis="b", digest="d")) == {}
