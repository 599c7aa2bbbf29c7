"""A run while it goes on: the forecast from what has ended, news only, and thawing by a person."""

from dataclasses import replace
from datetime import timedelta

import pytest

import fakes
import make
from leadline.access import cedar
from leadline.app import running
from leadline.app.context import Context
from leadline.app.ports import Shard
from leadline.app.running import Outlook, expected, places_at_work, prior_seconds, shard_size
from leadline.core.access import Principal
from leadline.core.assessment import (
    Budget,
    Plan,
    PlannedItem,
    PlannedSuite,
    SampleResult,
    SampleState,
    ShardResult,
    Subject,
)
from leadline.core.errors import Denied, Invalid, Refused
from leadline.core.record.act import Kind

MODEL = Subject("model", "openai/some", "d" * 64)
ITEMS = tuple(PlannedItem(f"i{n}", ("stack", "heap")[n % 2], "0" * 64) for n in range(8))
SUITE = PlannedSuite("planted", "Planted", "1", "cyber", "finds", "shared-kernel", ITEMS)


def plan(subject: Subject = MODEL, epochs: int = 2, **budget: int) -> Plan:
    """Eight items of two families."""
    limits = Budget(**(budget or {"tokens": 100_000, "seconds": 600}))
    return Plan(
        *("asm-1", make.ENGAGEMENT, subject, (SUITE,), "c", "criteria", "0" * 64),
        budget=limits,
        epochs=epochs,
        shard_items=4,
    )


def shard(
    number: int, items: range, *, state: str = "queued", epoch: int = 1, done: int = 0
) -> Shard:
    """A shard of the model's."""
    named = {"name": f"s{number}", "subject": MODEL.name, "epoch": str(epoch)}
    named["items"] = ",".join(f"i{n}" for n in items)
    empty = Shard(f"id{number}", "asm-1", "planted", named, "queued", 0, "", 0, 0, 4, "", "", "")
    return replace(empty, state=state, done=done)  # type: ignore[arg-type]


def sample(item: str, *, seconds: int, state: SampleState = "scored") -> SampleResult:
    """A sample that took so long."""
    return SampleResult(
        item, 1, state, solved=False, outcome="not_solved", seconds=seconds, tokens=10
    )


def ended(*samples: SampleResult) -> ShardResult:
    """A shard's result."""
    return ShardResult("s1", MODEL.name, "planted", 1, samples)


def context(person: Principal, store: fakes.MemoryStore) -> Context:
    """What a use case of *person* is given."""
    return Context(
        person,
        lambda: make.NOW,
        lambda prefix: f"{prefix}-{person.id}",
        store,
        cedar.shipped(),
        fakes.MemoryVault(),
        fakes.MemorySigner(),
    )


def test_before_anything_ended_the_limits_are_the_prior() -> None:
    """Half of the tokens at the pace of a conversation, the fuzzer's runs at its pace, or the time limit."""
    assert prior_seconds(Budget(tokens=100_000), model=True) == 2 + 1000
    assert prior_seconds(Budget(tokens=100_000, seconds=60), model=True) == 2 + 60
    assert prior_seconds(Budget(runs=400_000, seconds=300), model=False) == 2 + 10
    assert prior_seconds(Budget(), model=False) == 2 + running.UNKNOWN_SECONDS


def test_shards_are_sized_by_what_an_attempt_may_take() -> None:
    """Long attempts come in small shards; a plan without items has shards of one."""
    many = replace(SUITE, items=ITEMS * 100)
    assert shard_size("tool-agent", Budget(runs=20_000), (many,)) == 100
    assert shard_size("tool-agent", Budget(runs=1_000_000, seconds=300), (many,)) == 11
    assert shard_size("model", Budget(tokens=500_000, seconds=1800), (many,)) == 1
    assert shard_size("tool-agent", Budget(runs=20_000), ()) >= 1


def test_the_work_that_is_left_is_that_of_shards_that_have_not_ended() -> None:
    """Ended shards are left out, and of a running one what it reports as done."""
    shards = [
        shard(1, range(4), state="done"),
        shard(2, range(4, 8), state="running", done=1),
        shard(3, range(4), epoch=2),
        shard(4, range(4, 8), epoch=2, state="frozen"),
        shard(5, range(4), epoch=2, state="failed"),
    ]
    found = expected(plan(), shards, [], now=make.NOW, ends=None, places=1)
    assert found.attempts == 3 + 4 + 4
    assert found.chance is None


def test_what_has_ended_teaches_the_forecast() -> None:
    """Scored samples count, those that our side lost do not, and unknown items have a family too."""
    shards = [shard(2, range(4, 8))]
    slow = [ended(*(sample(f"i{n}", seconds=500) for n in range(8)))]
    before = expected(plan(), shards, [], now=make.NOW, ends=None, places=1)
    after = expected(plan(seconds=60), shards, slow, now=make.NOW, ends=None, places=1)
    lost = [ended(sample("i0", seconds=9999, state="infra"), sample("gone", seconds=1))]
    same = expected(plan(), shards, lost, now=make.NOW, ends=None, places=1)
    assert after.seconds > 4 * 300
    assert same.seconds == before.seconds


def test_a_plan_that_does_not_fit_names_what_goes_first() -> None:
    """Repeats of each family before any first attempt, against the end of access."""
    shards = [shard(1, range(8)), shard(2, range(8), epoch=2)]
    ends = make.NOW + timedelta(seconds=60)
    found = expected(plan(), shards, [], now=make.NOW, ends=ends, places=1)
    assert not found.fits
    assert [one.what for one in found.left_out] == ["repeats"] * 2 + ["first attempts"] * 2
    assert {one.family for one in found.left_out} == {
        f"{name} in planted (openai/some)" for name in ("stack", "heap")
    }
    assert [one.count for one in found.left_out] == [4, 4, 3, 3]
    over = expected(plan(), shards, [], now=ends + timedelta(days=1), ends=ends, places=1)
    assert over.available == 0
    assert over.chance == 0


def test_the_baseline_beside_a_model_costs_no_money() -> None:
    """Money and tokens are the model's alone."""
    both = [
        shard(1, range(2)),
        replace(shard(2, range(2)), input=dict(shard(2, range(2)).input) | {"subject": "baseline"}),
    ]
    dear = plan(tokens=1000, cost_micro_usd=2_000_000)
    found = expected(dear, both, [], now=make.NOW, ends=None, places=2)
    assert (found.micro_usd, found.tokens) == (2_000_000, 1000)


def test_places_are_those_of_the_shards_that_run() -> None:
    """A model's shard runs four samples at a time; with none running the workers count."""
    shards = [shard(1, range(4), state="running"), shard(2, range(4))]
    assert places_at_work(plan(), shards) == 4
    assert places_at_work(plan(), [], 3) == 12
    tool = replace(MODEL, kind="tool-agent")
    assert places_at_work(plan(tool), shards) == 1


def test_only_news_is_told() -> None:
    """At the start, and when the plan begins or ceases to fit."""
    outlook, shards = Outlook(), [shard(1, range(4))]
    assert outlook.due(0)
    assert not outlook.due(0)
    assert outlook.due(1)
    fits = expected(plan(), shards, [], now=make.NOW, ends=None, places=1)
    late = expected(plan(), shards, [], now=make.NOW, ends=make.NOW, places=1)
    assert outlook.news(fits).startswith("forecast: 4 attempts left")
    assert outlook.news(fits) == ""
    assert "does not fit" in outlook.news(late)
    assert outlook.news(late) == ""
    assert outlook.news(expected(plan(), [], [], now=make.NOW, ends=None, places=1)) == ""


def test_a_frozen_run_goes_on_by_a_person_who_says_why() -> None:
    """The reason stands in the record, and the shards are queued again; a developer may not."""
    store, executor = fakes.MemoryStore(lambda: bytes(32), {}), fakes.MemoryExecutor()
    ctx = context(make.principal("evaluator"), store)
    executor.submit("asm-1", "planted", {"name": "s1"}, total=1)
    with pytest.raises(Refused, match="nothing of this run is frozen"):
        running.thaw(ctx, plan(), executor, "cause found")
    executor.freeze("asm-1")
    with pytest.raises(Invalid):
        running.thaw(ctx, plan(), executor, "  ")
    with pytest.raises(Denied):
        running.thaw(
            context(replace(make.developer(), id="other"), store), plan(), executor, "let it go on"
        )
    assert executor.shards("asm-1")[0].state == "frozen"
    assert running.thaw(ctx, plan(), executor, "a decoy was read by our own check") == 1
    assert executor.shards("asm-1")[0].state == "queued"
    with store.read() as view:
        [opened] = view.acts(engagement=make.ENGAGEMENT, kind=Kind.RUN_THAWED)
    assert opened.act.detail["reason"] == "a decoy was read by our own check"
