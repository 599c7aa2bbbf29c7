"""What ended a run enters the record once, freezes where a person or an alarm did it, and is raised."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.test_assess import prepared, workspace
from leadline.app import assess, engagement, measuring, running, stopping
from leadline.app.assess import Script
from leadline.core.alert import Alert
from leadline.core.assessment import OutOfScope, Plan
from leadline.core.errors import Refused
from leadline.core.record.act import Kind, Value
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS

STOP: dict[str, Value] = {
    "at": "2027-03-01T09:31:00.000+00:00",
    "by": "person",
    "who": "p-1",
    "cause": "seen enough",
    "processes": 12,
    "left": 0,
    "gone_s": "0.01",
}
ALARM = OutOfScope("decoy", "token used in exec", "curl ...", "alarm", "2027-03-01T09:31:00Z")


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    """An assessment at its beginning."""
    place = workspace(tmp_path)
    with closing(open_store(place.database, kinds=KINDS)) as store:
        yield prepared(place, store)


def planned(script: Script) -> Plan:
    """The plan, entered under open access; nothing has run."""
    engagement.open_engagement(
        script.desk,
        script.dealings,
        script.cast,
        script.lab.subject,
        script.done.by,
        script.sign,
    )
    return measuring._plan(script.measuring)


def idle(script: Script) -> None:
    """No worker takes anything up."""

    def start_workers(job: str) -> None:
        assert job

    script.lab.start_workers = start_workers  # type: ignore[method-assign]


def entered(script: Script, kind: Kind) -> list[str]:
    """What the acts of that kind are about."""
    with script.desk.evaluator().store.read() as view:
        return [one.act.about for one in view.acts(engagement=script.engagement, kind=kind)]


def test_an_order_is_entered_once_and_freezes_the_run(script: Script) -> None:
    """Its shards are handed to nobody until a person thaws them; told again it is not entered again."""
    plan = planned(script)
    executor = script.lab.executor
    executor.submit(plan.id, "planted", {"name": "more"}, total=1)
    ctx = script.desk.evaluator()
    assert stopping.settle(ctx, plan, executor, [STOP]) == 1
    assert stopping.settle(ctx, plan, executor, [STOP]) == 0
    assert entered(script, Kind.RUN_STOPPED) == [f"{plan.id}/stop/{STOP['at']}"]
    assert "frozen" in {shard.state for shard in executor.shards(plan.id)}
    running.thaw(ctx, plan, executor, "the cause is known")
    assert stopping.settle(ctx, plan, executor, [STOP]) == 0
    assert "frozen" not in {shard.state for shard in executor.shards(plan.id)}


def test_a_dead_man_s_order_is_entered_and_freezes_nothing(script: Script) -> None:
    """Somebody was away; whoever resumes the run goes on."""
    plan = planned(script)
    script.lab.executor.submit(plan.id, "planted", {"name": "more"}, total=1)
    stop = {**STOP, "by": "dead-man"}
    assert stopping.settle(script.desk.evaluator(), plan, script.lab.executor, [stop]) == 1
    assert "frozen" not in {shard.state for shard in script.lab.executor.shards(plan.id)}


def test_nothing_ended_asks_for_nothing(script: Script) -> None:
    """Not even for leave."""
    plan = planned(script)
    assert stopping.settle(script.desk.developer(), plan, script.lab.executor, []) == 0


def test_an_alarm_is_raised_once_with_its_sample(script: Script) -> None:
    """As an alert that names the item and the rule."""
    plan = planned(script)
    ctx = script.desk.evaluator()
    assert stopping.raise_alarms(ctx, plan, [("p-1", ALARM)]) == (
        "out of scope in sample p-1: token used in exec",
    )
    assert stopping.raise_alarms(ctx, plan, [("p-1", ALARM)]) == ()
    assert len(stopping.raise_alarms(ctx, plan, [("p-2", ALARM)])) == 1
    with ctx.store.read() as view:
        told = [row.value for row in view.find(Alert)]
    assert {one.kind for one in told} == {"scope"}
    assert {one.about.split("/")[1] for one in told} == {"p-1", "p-2"}


def test_a_run_heeds_its_warden_and_its_alarms(script: Script) -> None:
    """In its own loop: the alarm becomes an alert, the order an act, and the run goes no further."""
    script.lab.raised = [("p-1", ALARM)]  # type: ignore[attr-defined]
    script.lab.ended = [STOP]  # type: ignore[attr-defined]
    idle(script)
    with pytest.raises(Refused, match="leadline run thaw"):
        assess.run(script)
    assert len(entered(script, Kind.RUN_STOPPED)) == 1
    assert len(entered(script, Kind.ALERT_RAISED)) == 1


def test_each_boot_of_the_host_has_its_own_drill(script: Script) -> None:
    """A run that is resumed after a boot drills again before it goes on."""
    idle(script)
    script.lab.ended = [STOP]  # type: ignore[attr-defined]
    with pytest.raises(Refused):
        assess.run(script)
    assert len(entered(script, Kind.KILL_DRILLED)) == 1
    proved = script.lab.prove

    def rebooted(about: str) -> object:
        evidence = proved(about)
        return type(evidence)(about, evidence.ok, {**evidence.record, "host_boot_id": "another"})

    script.lab.prove = rebooted  # type: ignore[method-assign,assignment]
    with pytest.raises(Refused):
        assess.run(script)
    assert len(entered(script, Kind.KILL_DRILLED)) == 2
