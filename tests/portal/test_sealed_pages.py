"""Sealed suites on pages: who knows of one, what it says, and that a score leaves by its rules alone."""

import pytest

from identity.people import House
from portal.sealed_packs import seal
from portal.visits import visitor


@pytest.fixture
def pack(at: House) -> str:
    """One sealed pack, known of by custodians and by evaluators of its engagement."""
    at.enrol("keeper", "custodian")
    at.enrol("evaluator", "evaluator")
    at.enrol("lead", "evaluation-lead")
    return seal(at, "keeper").id


def test_a_pack_is_listed_for_whoever_may_know_of_it(at: House, pack: str) -> None:
    """Its numbers, its showings; for others there is none."""
    client = visitor(at, "evaluator")
    assert pack in client.get("/sealed").text
    page = client.get(f"/sealed/{pack}").text
    assert "6 of 6" in page
    assert "No item of it was shown to anybody" in page
    at.enrol("other", "evaluator", engagements=frozenset())
    other = visitor(at, "other")
    assert "no sealed suite that you may know of" in other.get("/sealed").text
    assert other.get(f"/sealed/{pack}").status_code in {403, 404}


def test_a_score_does_not_leave_before_its_run(at: House, pack: str) -> None:
    """A session that there is not is absent; a field that is empty is named."""
    client = visitor(at, "lead")
    empty = client.post(f"/sealed/{pack}/scores", data={"session": ""})
    assert empty.status_code == 422
    assert client.post(f"/sealed/{pack}/scores", data={"session": "session-0"}).status_code == 404
