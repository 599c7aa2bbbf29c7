"""Attempts that are marked as invalid: nothing sealed goes, each word stays, both figures are right."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import make
from identity.people import House, house
from leadline.app import assessed, briefing, marks, running
from leadline.app.assessed import Read
from leadline.core.assessment import SampleResult, ShardResult
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.measure.assessed import asked_for
from leadline.core.record.act import Kind
from leadline.formats.criteria_toml import load_criteria
from leadline.store.shards import open_executor
from leadline.wiring.desk import criteria_packs
from portal.assessed_world import SECRET, SUBJECT, Assessed, assess, open_engagement

WHY = "The harness gave it the answer."


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An engagement with open access."""
    with house(tmp_path / "out" / ".state") as found:
        yield found


@pytest.fixture
def run(at: House) -> Assessed:
    """A whole assessment."""
    return assess(at, open_engagement(at))


def whole(at: House, run: Assessed) -> Read:
    """As its evaluator reads it."""
    found = assessed.read(at.ctx("evaluator"), run.on)
    assert found is not None
    return found


def solved(at: House, run: Assessed) -> tuple[ShardResult, SampleResult]:
    """An attempt that was solved, in the planted suite."""
    return next(
        (shard, one)
        for shard, one in assessed.attempts(whole(at, run))
        if one.solved and shard.suite == "planted"
    )


def total(found: Read) -> tuple[int, int]:
    """Solved and attempted in the planted suite."""
    families = briefing.suites(found)[0].families
    return sum(f.solved for f in families), sum(f.attempted for f in families)


def test_a_mark_changes_no_evidence_and_one_of_two_figures(at: House, run: Assessed) -> None:
    """One attempt fewer in the second figure; the sealed results, and the first, as they were."""
    before, (shard, one) = whole(at, run), solved(at, run)
    told = marks.mark(at.ctx("evaluator"), run.on, shard.subject, one.item, 1, f" {WHY} ")
    after = whole(at, run)
    assert after.results == before.results
    assert (told.said.person, told.said.reason, told.counts) == ("evaluator", WHY, True)
    assert marks.listed(at.ctx("official"), run.on) == [told]
    assert after.last(Kind.SAMPLE_MARKED) is not None
    less = marks.without(after, [told])
    assert total(before) == total(after)
    assert total(less) == (total(after)[0] - 1, total(after)[1] - 1)
    marked = assessed.sample(less, shard.subject, one.item, 1)[1]
    assert (marked.state, marked.outcome, marked.reason) == ("infra", marks.OUTCOME, WHY)


def test_the_decision_without_is_void_there_and_asks_for_no_more(at: House, run: Assessed) -> None:
    """A void step counts against both conclusions; where nothing is marked it is the same decision."""
    pack = criteria_packs()["demonstration"]
    criteria = load_criteria(pack.read_bytes(), pack.name)
    first = whole(at, run)
    sealed = assessed.decision(first, criteria, SECRET.seed)
    assert sealed is not None
    assert marks.decision_without(first, [], criteria, SECRET.seed) == sealed
    drawn = sealed.log[0].item
    told = marks.mark(at.ctx("evaluator"), run.on, SUBJECT.name, drawn, 1, WHY)
    other = marks.decision_without(whole(at, run), [told], criteria, SECRET.seed)
    assert other is not None
    assert other.log[0].item == drawn
    assert other.log[0].y is None
    assert assessed.decision(whole(at, run), criteria, SECRET.seed) == sealed
    back = marks.take_back(at.ctx("evaluator"), run.on, told.id, "It did not.")
    again = marks.decision_without(whole(at, run), [back], criteria, SECRET.seed)
    assert again == sealed


def test_a_dissent_stands_beside_and_a_mark_is_taken_back(at: House, run: Assessed) -> None:
    """By whoever reads, once each; by whoever runs; what was said stays."""
    shard, one = solved(at, run)
    told = marks.mark(at.ctx("evaluator"), run.on, shard.subject, one.item, 1, WHY)
    at.enrol("coordinator", "coordinator")
    for person in ("official", "coordinator"):
        marks.dissent(at.ctx(person), run.on, told.id, f"{person}: it did not")
    with pytest.raises(Refused, match="that stands"):
        marks.dissent(at.ctx("official"), run.on, told.id, "again")
    (found,) = marks.listed(at.ctx("evaluator"), run.on)
    assert [one.person for one in found.dissents] == ["official", "coordinator"]
    assert found.counts
    with pytest.raises(Refused, match="marked already"):
        marks.mark(at.ctx("evaluator"), run.on, shard.subject, one.item, 1, WHY)
    with pytest.raises(Denied):
        marks.take_back(at.ctx("official"), run.on, told.id, "no")
    back = marks.take_back(at.ctx("evaluator"), run.on, told.id, "They are right.")
    assert back.taken_back is not None
    assert (len(back.dissents), back.taken_back.reason) == (2, "They are right.")
    with pytest.raises(Refused, match="taken back"):
        marks.dissent(at.ctx("official"), run.on, told.id, "late")
    once_more = marks.mark(at.ctx("evaluator"), run.on, shard.subject, one.item, 1, WHY)
    assert [one.counts for one in marks.listed(at.ctx("evaluator"), run.on)] == [False, True]
    assert once_more.id != told.id


def test_what_may_not_be_marked(at: House, run: Assessed) -> None:
    """By a reader or a stranger; without a reason; what is not sealed; a mark that is none."""
    shard, one = solved(at, run)
    given = (run.on, shard.subject, one.item, 1)
    at.enrol("stranger", "evaluator", engagements=frozenset())
    for person in ("official", "developer", "stranger"):
        with pytest.raises(Denied):
            marks.mark(at.ctx(person), *given, WHY)
    ctx = at.ctx("evaluator")
    for reason in (" ", "x" * 2_001):
        with pytest.raises(Invalid):
            marks.mark(ctx, *given, reason)
    with pytest.raises(NotFound):
        marks.mark(ctx, run.on, shard.subject, "no-such-item", 1, WHY)
    with pytest.raises(NotFound):
        marks.dissent(ctx, run.on, "act-0", WHY)
    with pytest.raises(Denied):
        marks.listed(at.ctx("stranger"), run.on)
    assert marks.listed(ctx, run.on) == []


def test_a_lost_attempt_is_made_again_at_a_persons_word(at: House) -> None:
    """While its run goes on, on record, once at a time; no decision rests on it, and none after the end."""
    run = assess(at, open_engagement(at), ran=1)
    found = whole(at, run)
    shard, one = assessed.attempts(found)[0]
    ctx = at.ctx("evaluator")
    with closing(open_executor(at.home.database)) as executor:
        with pytest.raises(Refused, match="was not lost"):
            running.retry(ctx, found, executor, (shard, one), WHY)
        lost = (shard, SampleResult(one.item, 1, "infra", solved=False, outcome="box"))
        with pytest.raises(Invalid):
            running.retry(ctx, found, executor, lost, " ")
        with pytest.raises(Denied):
            running.retry(at.ctx("official"), found, executor, lost, WHY)
        made = running.retry(ctx, found, executor, lost, WHY)
        assert (made.input["items"], made.state) == (one.item, "queued")
        with pytest.raises(Refused, match="already"):
            running.retry(ctx, found, executor, lost, WHY)
        result = ShardResult(made.input["name"], shard.subject, shard.suite, 1, (one,))
        assert asked_for([*found.results, result]) == asked_for(found.results)
    assert Kind.SAMPLE_RETRIED in at.kinds()
    on = assess_finished(at, run)
    with (
        closing(open_executor(at.home.database)) as executor,
        pytest.raises(Refused, match="finished"),
    ):
        running.retry(at.ctx("evaluator"), on, executor, lost, WHY)


def assess_finished(at: House, run: Assessed) -> Read:
    """The run, done to its end."""
    from portal.assessed_world import work

    assert work(at, run.plan) == 0
    assert run.on.id == make.ENGAGEMENT
    return whole(at, run)
