"""What every shard table promises; see `leadline.app.ports.Executor`."""

from datetime import datetime, timedelta
from typing import cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import make
from leadline.app.ports import Executor, Shard
from leadline.core.errors import Invalid, Stale

LEASE = 30.0


def after(seconds: float) -> datetime:
    """A moment that many seconds after the first."""
    return make.NOW + timedelta(seconds=seconds)


def submit(executor: Executor, number: int = 1, job: str = "job", kind: str = "eval") -> Shard:
    """A shard whose input is its number."""
    return executor.submit(job, kind, {"slice": str(number)}, total=10)


def claim(executor: Executor, worker: str = "w1", at: float = 0) -> Shard:
    """A claim that must succeed."""
    shard = executor.claim(worker, now=after(at), lease_seconds=LEASE)
    assert shard is not None
    return shard


def only(executor: Executor, job: str = "job") -> Shard:
    """The one shard of a job."""
    (shard,) = executor.shards(job)
    return shard


def test_submission_is_idempotent_by_kind_and_input(executor: Executor) -> None:
    """The same kind and input, in whatever order of keys, answers the shard that is there."""
    first = executor.submit("job", "eval", {"a": "1", "b": "2"}, total=10)
    assert executor.submit("job", "eval", {"b": "2", "a": "1"}, total=10) == first
    other_kind = executor.submit("job", "replay", {"a": "1", "b": "2"}, total=10)
    assert [shard.id for shard in executor.shards("job")] == [first.id, other_kind.id]
    assert (first.state, first.token, first.total, first.input) == (
        "queued",
        0,
        10,
        {"a": "1", "b": "2"},
    )


def test_a_submission_needs_a_number_of_steps(executor: Executor) -> None:
    """A negative total is Invalid."""
    with pytest.raises(Invalid):
        executor.submit("job", "eval", {}, total=-1)


def test_an_ended_shard_stays_ended_when_submitted_again(executor: Executor) -> None:
    """A resumed job does not run again what is done."""
    submit(executor)
    executor.finish(claim(executor), now=after(1), result="r")
    assert submit(executor).state == "done"
    assert executor.claim("w2", now=after(2), lease_seconds=LEASE) is None


def test_claims_go_oldest_first_and_raise_token_and_attempts(executor: Executor) -> None:
    """Each claim hands out another shard, held by who asked."""
    first, second = submit(executor, 1), submit(executor, 2)
    one, two = claim(executor, "w1"), claim(executor, "w2")
    assert (one.id, two.id) == (first.id, second.id)
    assert (one.state, one.token, one.attempts, one.worker) == ("running", 1, 1, "w1")
    assert executor.claim("w3", now=after(1), lease_seconds=LEASE) is None


def test_a_worker_has_a_name(executor: Executor) -> None:
    """An empty worker id is Invalid."""
    with pytest.raises(Invalid):
        executor.claim("", now=after(0), lease_seconds=LEASE)


def test_a_lease_runs_out_after_its_time_and_not_before(executor: Executor) -> None:
    """A heartbeat renews it; without one another worker gets the shard under a new token."""
    submit(executor)
    held = claim(executor, "w1")
    assert executor.heartbeat(held, now=after(20), done=1, note="")
    assert executor.claim("w2", now=after(20 + LEASE), lease_seconds=LEASE) is None
    taken = claim(executor, "w2", at=20 + LEASE + 0.001)
    assert (taken.id, taken.token, taken.attempts) == (held.id, 2, 2)


def test_a_replaced_worker_is_refused_everything(executor: Executor) -> None:
    """Progress answers False; finish and fail are Stale and change nothing."""
    submit(executor)
    late = claim(executor, "w1")
    taken = claim(executor, "w2", at=LEASE + 1)
    now = after(LEASE + 2)
    assert executor.heartbeat(late, now=now, done=9, note="late") is False
    with pytest.raises(Stale):
        executor.finish(late, now=now, result="late")
    with pytest.raises(Stale):
        executor.fail(late, now=now, error="late", attempts_max=1)
    assert only(executor) == taken
    executor.finish(taken, now=now, result="right")
    with pytest.raises(Stale):
        executor.finish(late, now=now, result="late")
    assert only(executor).result == "right"


def test_a_result_is_given_once(executor: Executor) -> None:
    """The same worker cannot finish twice, nor fail what is finished."""
    submit(executor)
    held = claim(executor)
    executor.finish(held, now=after(1), result="r1")
    with pytest.raises(Stale):
        executor.finish(held, now=after(2), result="r2")
    with pytest.raises(Stale):
        executor.fail(held, now=after(2), error="x", attempts_max=1)
    ended = only(executor)
    assert (ended.state, ended.result, ended.done) == ("done", "r1", 10)


def test_progress_is_shown(executor: Executor) -> None:
    """Done and note are those of the last heartbeat; a new claim begins again."""
    submit(executor)
    held = claim(executor)
    assert executor.heartbeat(held, now=after(1), done=4, note="item 4")
    assert (only(executor).done, only(executor).note) == (4, "item 4")
    assert (claim(executor, "w2", at=100).done, only(executor).note) == (0, "")


def test_a_failure_queues_again_until_attempts_are_used_up(executor: Executor) -> None:
    """The error stays to be read; at the bound the shard is failed."""
    submit(executor)
    executor.fail(claim(executor), now=after(1), error="first", attempts_max=2)
    assert (only(executor).state, only(executor).error) == ("queued", "first")
    executor.fail(claim(executor, at=2), now=after(3), error="second", attempts_max=2)
    assert (only(executor).state, only(executor).error) == ("failed", "second")
    assert executor.claim("w2", now=after(999), lease_seconds=LEASE) is None


def test_what_a_dead_worker_holds_is_released_at_once(executor: Executor) -> None:
    """Its shards are queued, others' are untouched, and its own late write is refused."""
    for number in (1, 2, 3):
        submit(executor, number)
    dead, alive, also = claim(executor, "dead"), claim(executor, "alive"), claim(executor, "dead")
    assert executor.release("dead") == 2
    assert executor.release("dead") == 0
    states = {shard.id: shard.state for shard in executor.shards("job")}
    assert states == {dead.id: "queued", alive.id: "running", also.id: "queued"}
    with pytest.raises(Stale):
        executor.finish(dead, now=after(1), result="late")
    assert claim(executor, "next", at=1).token == 2


def test_a_stop_ends_queued_shards_and_reaches_running_ones(executor: Executor) -> None:
    """A running shard hears it at its next heartbeat and then ends as cancelled."""
    submit(executor, 1)
    submit(executor, 2)
    submit(executor, 3, job="other")
    held = claim(executor)
    assert executor.cancel("job") == 2
    assert executor.cancel("job") == 0
    assert [shard.state for shard in executor.shards("job")] == ["running", "cancelled"]
    assert executor.heartbeat(held, now=after(1), done=1, note="") is False
    executor.fail(held, now=after(2), error="stopped", attempts_max=9)
    assert [shard.state for shard in executor.shards("job")] == ["cancelled", "cancelled"]
    assert only(executor, "other").state == "queued"


def test_a_stop_after_the_end_changes_nothing(executor: Executor) -> None:
    """A done shard stays done; a result that arrives after the stop was asked still counts."""
    submit(executor, 1)
    submit(executor, 2)
    first, second = claim(executor), claim(executor, "w2")
    executor.finish(first, now=after(1), result="r")
    assert executor.cancel("job") == 1
    executor.finish(second, now=after(1), result="r")
    assert [shard.state for shard in executor.shards("job")] == ["done", "done"]


@pytest.mark.parametrize("lost", ["lease", "release"])
def test_a_stopped_shard_is_never_handed_out_again(executor: Executor, lost: str) -> None:
    """However its worker was lost, it ends as cancelled."""
    submit(executor)
    claim(executor, "dead")
    executor.cancel("job")
    if lost == "release":
        assert executor.release("dead") == 0
    assert executor.claim("w2", now=after(LEASE + 1), lease_seconds=LEASE) is None
    assert only(executor).state == "cancelled"


def test_jobs_are_listed_apart_in_order_of_submission(executor: Executor) -> None:
    """An unknown job has no shards."""
    ids = [submit(executor, number, job=f"job{number % 2}").id for number in range(6)]
    assert [shard.id for shard in executor.shards("job0")] == ids[::2]
    assert list(executor.shards("nothing")) == []


def test_a_frozen_job_fences_its_holders_off_and_hands_nothing_out(executor: Executor) -> None:
    """Queued and running shards freeze, done ones stay; the holder's next word is refused."""
    for number in (1, 2, 3):
        submit(executor, number)
    other = submit(executor, 4, job="other")
    executor.finish(claim(executor, "w1"), now=after(1), result="r")
    held = claim(executor, "w2")
    assert executor.freeze("job") == 2
    assert executor.freeze("job") == 0
    assert [shard.state for shard in executor.shards("job")] == ["done", "frozen", "frozen"]
    assert executor.heartbeat(held, now=after(2), done=5, note="") is False
    with pytest.raises(Stale):
        executor.finish(held, now=after(2), result="late")
    assert executor.release("w2") == 0
    taken = executor.claim("w3", now=after(LEASE * 9), lease_seconds=LEASE)
    assert taken is not None
    assert taken.id == other.id
    assert executor.claim("w4", now=after(LEASE * 9), lease_seconds=LEASE) is None


def test_thawed_shards_are_claimed_under_new_tokens(executor: Executor) -> None:
    """What was fenced off before stays refused afterwards."""
    submit(executor)
    held = claim(executor)
    executor.freeze("job")
    assert executor.thaw("job") == 1
    assert executor.thaw("job") == 0
    again = claim(executor, "w2", at=1)
    assert (again.id, again.token) == (held.id, held.token + 1)
    with pytest.raises(Stale):
        executor.finish(held, now=after(2), result="late")


def test_a_stop_reaches_what_is_frozen(executor: Executor) -> None:
    """Withdrawal ends frozen shards; one that was asked to stop before is not thawed."""
    submit(executor, 1)
    executor.freeze("job")
    assert executor.cancel("job") == 1
    assert only(executor).state == "cancelled"
    submit(executor, 2, job="asked")
    claim(executor)
    executor.cancel("asked")
    executor.freeze("asked")
    assert executor.thaw("asked") == 0
    assert only(executor, "asked").state == "cancelled"


def test_a_claim_may_be_narrowed_to_a_job_and_names_its_code(executor: Executor) -> None:
    """A worker scoped to one job never gets another's shard, lost ones included."""
    submit(executor, 1, job="other")
    mine = submit(executor, 2, job="mine")
    taken = executor.claim("w1", now=after(0), lease_seconds=LEASE, job="mine", code="v2")
    assert taken is not None
    assert (taken.id, taken.code, mine.code) == (mine.id, "v2", "")
    assert executor.claim("w1", now=after(0), lease_seconds=LEASE, job="mine") is None
    claim(executor, "w2")
    late = executor.claim("w3", now=after(LEASE * 2), lease_seconds=LEASE, job="mine")
    assert late is not None
    assert (late.id, late.token) == (mine.id, 2)


def test_what_comes_late_is_kept_and_never_counted(executor: Executor) -> None:
    """A paused worker that wakes after the take-over leaves a duplicate; the counts stay."""
    submit(executor)
    submit(executor, 2, job="other")
    late = claim(executor, "w1")
    taken = executor.claim("w2", now=after(LEASE + 1), lease_seconds=LEASE, job="job")
    assert taken is not None
    executor.finish(taken, now=after(LEASE + 2), result="right")
    before = executor.shards("job")
    with pytest.raises(Stale):
        executor.finish(late, now=after(LEASE + 3), result="late")
    executor.keep_late(late, now=after(LEASE + 3), result="late")
    executor.keep_late(late, now=after(LEASE + 4), result="again")
    [kept] = executor.late("job")
    assert (kept.shard, kept.token, kept.result, kept.at) == (late.id, 1, "late", after(LEASE + 3))
    assert executor.shards("job") == before
    assert list(executor.late("other")) == []


class Shards(RuleBasedStateMachine):
    """Any order of claims, lost workers, late writes, failures and stops."""

    def __init__(self, executor: Executor, job: str) -> None:
        super().__init__()
        self.executor, self.job = executor, job
        self.at, self.serial = 0.0, 0
        self.claims: list[Shard] = []
        self.results: dict[str, str] = {}

    def now(self) -> datetime:
        """The machine's time."""
        return after(self.at)

    @rule(number=st.integers(0, 3))
    def submit(self, number: int) -> None:
        """Submit, perhaps again."""
        self.executor.submit(self.job, self.job, {"slice": str(number)}, total=10)

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        """Let leases run out, or not."""
        self.at += seconds

    @rule()
    def claim(self) -> None:
        """A (shard, token) pair is never handed out twice, and a stopped or ended shard not again."""
        self.serial += 1
        worker = f"{self.job}-{self.serial}"
        taken = self.executor.claim(worker, now=self.now(), lease_seconds=LEASE)
        if taken is not None:
            assert taken.job == self.job
            assert (taken.id, taken.token) not in {(c.id, c.token) for c in self.claims}
            assert taken.id not in self.results
            self.claims.append(taken)

    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        """Only the newest claim of a shard may be told to go on."""
        if self.claims:
            held = data.draw(st.sampled_from(self.claims))
            if self.executor.heartbeat(held, now=self.now(), done=1, note="n"):
                assert held.token == max(c.token for c in self.claims if c.id == held.id)

    @rule(data=st.data(), ended=st.sampled_from(["finish", "fail"]))
    def end(self, data: st.DataObject, ended: str) -> None:
        """Of all claims of a shard, at most one result counts."""
        if not self.claims:
            return
        held = data.draw(st.sampled_from(self.claims))
        try:
            if ended == "finish":
                self.executor.finish(held, now=self.now(), result=f"{held.id} {held.token}")
            else:
                self.executor.fail(held, now=self.now(), error="e", attempts_max=3)
        except Stale:
            taken = False
        else:
            taken = True
            assert held.token == max(c.token for c in self.claims if c.id == held.id)
        if taken and ended == "finish":
            assert held.id not in self.results
            self.results[held.id] = f"{held.id} {held.token}"

    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """A worker dies and is released."""
        if self.claims:
            self.executor.release(data.draw(st.sampled_from(self.claims)).worker)

    @rule()
    def stop(self) -> None:
        """Nothing of the job stays queued."""
        self.executor.cancel(self.job)
        assert all(shard.state != "queued" for shard in self.executor.shards(self.job))

    @rule(thaw=st.booleans())
    def freeze(self, thaw: bool) -> None:  # noqa: FBT001 -- drawn by name
        """Nothing of the job runs or waits until it is thawed."""
        self.executor.freeze(self.job)
        states = {shard.state for shard in self.executor.shards(self.job)}
        assert not states & {"queued", "running"}
        if thaw:
            self.executor.thaw(self.job)

    @invariant()
    def results_stand(self) -> None:
        """Exactly the results that were taken are those shown."""
        shown = {s.id: s.result for s in self.executor.shards(self.job) if s.state == "done"}
        assert shown == self.results


def test_no_order_of_events_breaks_the_fence(executor: Executor) -> None:
    """Hypothesis looks for a sequence that gives a shard two results or two holders."""
    jobs = iter(f"machine-{number}" for number in range(10_000))

    def machine() -> Shards:
        while True:  # what an earlier run left is ended, so that it is not claimed by this one
            left = executor.claim("sweeper", now=after(10**6), lease_seconds=LEASE)
            if left is None:
                return Shards(executor, next(jobs))
            executor.finish(left, now=after(10**6), result="swept")

    quick = settings(
        max_examples=15,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(cast("type[Shards]", machine), settings=quick)
