"""Canaries on each host of an official run: judged once, told to all, and no results where they fail."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from leadline.app.assessment import Evidence
from leadline.core.assessment import Budget, Plan, PlannedItem, PlannedSuite, Subject
from leadline.core.errors import Refused, Unavailable
from leadline.core.isolation import Tier
from leadline.formats.qualification import environment_digest
from leadline.runner import canaries
from leadline.runner.canaries import Wanted
from leadline.sandbox.egress import boot_id
from leadline.suites import gate
from leadline.suites.item import Item, Qualification
from runner.scripted import SEED, Bench, Chosen

WHAT = Wanted("shared-kernel", "", (("planted", "heap-overflow", "p-1"),))
GOOD = Evidence("canaries/here-1", ok=True, record={"reason": "", "host_boot_id": "x"})
BAD = Evidence("canaries/here-1", ok=False, record={"reason": "silent", "host_boot_id": "x"})


class Judge:
    """Counts how often it is asked."""

    def __init__(self, answer: Evidence) -> None:
        self.answer, self.asked = answer, list[Wanted]()

    def __call__(self, what: Wanted) -> Evidence:
        """The answer that the test gave."""
        self.asked.append(what)
        return self.answer


def test_each_family_of_each_suite_is_tried_once() -> None:
    """The same items on every host, whatever the order of the plan."""
    items = [PlannedItem(f"p-{n}", f"family-{n % 2}", "aa") for n in range(6)]
    suite = PlannedSuite("planted", "t", "1", "cyber", "c", "shared-kernel", tuple(items))
    other = replace(suite, name="registry", items=(PlannedItem("r-1", "redos", "bb"),))
    plan = Plan(
        *("asm-1", "eng-1", Subject("tool-agent", "baseline", "00"), (suite, other), "cc"),
        *("demonstration", "dd", Budget(), 1, 2),
        tier="own-kernel",
    )
    found = canaries.wanted(plan, "ee")
    assert found == Wanted(
        "own-kernel",
        "ee",
        (
            ("planted", "family-0", "p-0"),
            ("planted", "family-1", "p-1"),
            ("registry", "redos", "r-1"),
        ),
    )
    turned = replace(plan, suites=(replace(suite, items=tuple(reversed(items))), other))
    assert canaries.wanted(turned, "ee") == found


def test_a_run_that_asks_for_none_judges_none(tmp_path: Path) -> None:
    """A self-assessment's workers begin at once."""
    judge = Judge(BAD)
    assert canaries.refusal(tmp_path, judge) == ""
    assert judge.asked == []
    assert canaries.told(tmp_path) == []


def test_a_host_judges_once_and_its_other_processes_read_it(tmp_path: Path) -> None:
    """The second process of the host asks nobody, and hears the same."""
    canaries.ask(tmp_path, WHAT)
    judge = Judge(BAD)
    assert canaries.refusal(tmp_path, judge) == "silent"
    assert canaries.refusal(tmp_path, judge) == "silent"
    assert judge.asked == [WHAT]
    assert canaries.told(tmp_path) == [BAD]
    assert (tmp_path / "canaries" / f"{boot_id()}.json").is_file()


def test_a_host_that_held_may_give_results(tmp_path: Path) -> None:
    """It stays so when the run is resumed: nothing is judged twice."""
    canaries.ask(tmp_path, WHAT)
    assert canaries.refusal(tmp_path, Judge(GOOD)) == ""
    canaries.ask(tmp_path, WHAT)
    again = Judge(BAD)
    assert canaries.refusal(tmp_path, again) == ""
    assert again.asked == []


def test_a_host_that_failed_is_tried_again_when_the_run_is_resumed(tmp_path: Path) -> None:
    """Its cause may have been put right."""
    canaries.ask(tmp_path, WHAT)
    assert canaries.refusal(tmp_path, Judge(BAD)) == "silent"
    canaries.ask(tmp_path, WHAT)
    assert canaries.told(tmp_path) == []
    assert canaries.refusal(tmp_path, Judge(GOOD)) == ""


def test_another_hosts_word_is_not_this_ones(tmp_path: Path) -> None:
    """What another start of a kernel told is read as its own, and this host judges for itself."""
    canaries.ask(tmp_path, WHAT)
    told = {"about": "canaries/else-1", "ok": False, "record": {"reason": "no compiler"}}
    (tmp_path / "canaries" / "another-boot.json").write_text(json.dumps(told))
    judge = Judge(GOOD)
    assert canaries.refusal(tmp_path, judge) == ""
    assert judge.asked == [WHAT]
    assert [one.ok for one in canaries.told(tmp_path)] in ([True, False], [False, True])


class Odd(Chosen):
    """The planted suite, of which nothing can be prepared, for a reason."""

    def __init__(self, *, unavailable: bool) -> None:
        super().__init__()
        self.unavailable = unavailable

    @override
    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:
        """As the test says."""
        if self.unavailable:
            raise Unavailable("no compiler")
        return Qualification(item.id, item.digest, ok=False, checks={}, reason="two alike")


def found(suites: Sequence[Chosen], bench: Bench, **changed: str) -> Evidence:
    """The canary of the bench's first item."""
    by_id = {item.id: item.family for item in suites[0].items(SEED)}
    item = bench.items[0]
    what = replace(WHAT, items=(("planted", by_id[item], item),), **changed)
    return canaries.judged(suites, SEED, bench.folders, what)


@pytest.mark.sandbox
@pytest.mark.usefixtures("collected")
class TestJudged:
    """On this host, with real boxes."""

    def test_a_sound_host_holds(self, bench: Bench) -> None:
        """Its record names the host, the tier and each family."""
        evidence = found([Chosen()], bench)
        assert evidence.ok, evidence.record
        assert evidence.record["host_boot_id"] == boot_id()
        assert evidence.about.startswith(f"canaries/{boot_id()[:8]}-")
        rows = evidence.record["families"]
        assert isinstance(rows, tuple)
        [row] = rows
        assert isinstance(row, dict)
        assert (row["item"], row["held"], row["reason"]) == (bench.items[0], True, "")

    @pytest.mark.parametrize(("unavailable", "why"), [(True, "no compiler"), (False, "two alike")])
    def test_what_cannot_be_built_here_does_not_hold(
        self, bench: Bench, why: str, *, unavailable: bool
    ) -> None:
        """A judge that cannot work is a host without results, not an error of the run."""
        evidence = found([Odd(unavailable=unavailable)], bench)
        assert not evidence.ok
        assert why in str(evidence.record["reason"])

    def test_items_qualified_elsewhere_do_not_count_here(self, bench: Bench) -> None:
        """A host whose environment is not that of the records judges nothing; this one's own holds."""
        evidence = found([Chosen()], bench, environment="00")
        assert not evidence.ok
        assert "another environment" in str(evidence.record["reason"])
        own = environment_digest(gate.environment(Tier.SHARED_KERNEL))
        assert found([Chosen()], bench, environment=own).ok


def test_refused_is_what_the_driver_raises(tmp_path: Path) -> None:
    """Workers that claim nothing leave the work undone: the driver then says why, and how to go on."""
    from fakes import MemoryExecutor, MemoryVault
    from leadline.runner.laboratory import HostLaboratory, Places
    from runner.test_host_laboratory import SUBJECT, Told

    class Gone(Told):
        """No worker is left."""

        @override
        def alive(self) -> int:
            """As the port."""
            return 0

    executor = MemoryExecutor()
    state = tmp_path / ".state"
    (state / "items").mkdir(parents=True)
    places = Places(tmp_path, state / "items", tmp_path / "logs")
    lab = HostLaboratory(SUBJECT, executor, MemoryVault(), (Chosen(),), places, Gone(), job="job")
    assert lab.workers_alive() == 0
    executor.submit("job", "planted", {"name": "one"}, total=1)
    canaries.ask(state, WHAT)
    assert lab.workers_alive() == 0
    canaries.refusal(state, Judge(BAD))
    assert [one.ok for one in lab.judged()] == [False]
    assert lab.judged() == []
    with pytest.raises(Refused, match=r"no host is left that gives results: silent\. .*--resume"):
        lab.workers_alive()
