"""The script of one assessment, without sandboxes: order, resumption, refusal, withdrawal."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import make
from app.laboratory import FakeLaboratory, digest
from fakes import Faulty, MemoryExecutor, MemorySigner, MemoryStore, MemoryVault
from leadline import settings
from leadline.access import cedar
from leadline.app import assess, bundle, engagement, measuring, reporting
from leadline.app.assess import Script
from leadline.app.log import ActProof, check
from leadline.app.ports import Executor, Shard, Signer, Store, Vault
from leadline.app.request import Request, Secret
from leadline.app.verify import verify_bundle
from leadline.core import report as shown
from leadline.core.assessment import Budget
from leadline.core.engagement.engagement import State
from leadline.core.errors import Refused, Unavailable
from leadline.core.identity import Fingerprint
from leadline.core.measure.estimate import Code
from leadline.core.measure.sequential import State as Said
from leadline.core.record.act import Kind
from leadline.formats.manifest import decode_opening
from leadline.formats.tlog_policy import alone
from leadline.identity import software_key
from leadline.store.shards import open_executor
from leadline.store.sql import open_store
from leadline.vault.keys import open_signer
from leadline.wiring import assess as wiring
from leadline.wiring import home

ACCESS = cedar.shipped()
SECRET = Secret(bytes(range(32)), bytes(32))
REQUEST = Request("baseline", 1, Budget(runs=1000))


class Silent:
    """Nobody watches."""

    def phase(self, text: str) -> None:
        """Unheard."""

    def note(self, text: str) -> None:
        """Unheard."""

    def samples(self, shards: Sequence[Shard]) -> None:
        """Unheard."""


def workspace(tmp_path: Path) -> settings.Workspace:
    """An empty workspace with its folders."""
    place = settings.Workspace(tmp_path / "out")
    for folder in (place.vault, place.keys, place.items, place.logs):
        folder.mkdir(parents=True, exist_ok=True)
    return place


def prepared(
    place: settings.Workspace,
    store: Store,
    executor: Executor | None = None,
    vault: Vault | None = None,
    signer: Signer | None = None,
) -> Script:
    """The script over a fake laboratory."""
    vault = vault or MemoryVault()
    parts = home.Parts(store, vault, signer or MemorySigner(), ACCESS)
    lab = FakeLaboratory(executor or open_executor(place.database), vault)
    key = software_key.opened(place.keys / "official.key")
    return wiring.prepare_script(parts, lab, SECRET, REQUEST, Silent(), key)


SIGNING = {Kind.APPROVAL_ASKED, Kind.APPROVAL_GIVEN}


def acts(script: Script) -> Counter[tuple[str, str]]:
    """Every act as (kind, about), but for signatures, which are asked for anew after a fault."""
    with script.desk.evaluator().store.read() as view:
        found = [o.act for o in view.acts() if o.act.kind not in SIGNING]
    return Counter((act.kind.value, act.about) for act in found)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in the workspace."""
    return open_store(workspace(tmp_path).database, kinds=home.KINDS)


def test_every_step_stands_in_the_record_in_order(tmp_path: Path, store: Store) -> None:
    """From inquiry to the end of the engagement, each deed by the person whose it is."""
    script = prepared(workspace(tmp_path), store)
    assess.run(script)
    with store.read() as view:
        kinds = [opened.act.kind for opened in view.acts()]
    firsts = list(dict.fromkeys(kinds))
    expected = [
        Kind.KEY_REGISTERED, Kind.INQUIRY_LODGED, Kind.APPROVAL_ASKED, Kind.APPROVAL_GIVEN,
        Kind.INQUIRY_ANSWERED, Kind.ANCHOR_SET, Kind.TERMS_AGREED,
        Kind.ACCESS_OPENED, Kind.ASSESSMENT_PLANNED, Kind.KILL_DRILLED, Kind.ISOLATION_PROVED,
        Kind.ASSESSMENT_STARTED, Kind.SUBJECT_IDENTIFIED, Kind.EVIDENCE_SEALED, Kind.DECISION_ADVANCED,
        Kind.ASSESSMENT_FINISHED,
        Kind.SEED_REVEALED, Kind.FINDING_RECORDED, Kind.FINDING_REPLAYED, Kind.GROUP_PROPOSED,
        Kind.ADVISORY_DRAFTED, Kind.NOTICE_ISSUED,
        Kind.DETERMINATION_RECORDED,
        Kind.ENGAGEMENT_ENDED,
    ]  # fmt: skip
    assert expected == firsts
    assert kinds.count(Kind.ISOLATION_PROVED) == 2
    state, window = engagement.state_of(script.desk.developer(), script.dealings)
    assert state is State.DETERMINATION_RECORDED
    assert window.ends is not None


def test_running_again_does_nothing_again(tmp_path: Path, store: Store) -> None:
    """A second run over a finished record adds no act and runs no shard."""
    place, vault = workspace(tmp_path), MemoryVault()
    assess.run(prepared(place, store, vault=vault))
    again = prepared(place, store, vault=vault)
    before = acts(again)
    assess.run(again)
    assert before == acts(again)
    assert isinstance(again.lab, FakeLaboratory)
    assert again.lab.runs == []


@pytest.mark.parametrize("persisted", [True, False])
def test_stopped_at_any_write_it_resumes_to_the_same_acts(
    tmp_path: Path, *, persisted: bool
) -> None:
    """A fault at each single write, before or after it became durable, changes no act."""

    def memory() -> MemoryStore:
        return MemoryStore(lambda: bytes(32), home.KINDS)

    undisturbed = prepared(workspace(tmp_path / "whole"), memory(), MemoryExecutor())
    assess.run(undisturbed)
    expected = acts(undisturbed)
    writes = sum(expected.values()) + len(SIGNING) - 1  # the key was registered before
    for stop in range(writes):
        place = workspace(tmp_path / f"stop-{stop}")
        real, executor, vault = memory(), MemoryExecutor(), MemoryVault()
        faulty = Faulty(real)
        script = prepared(place, faulty, executor, vault)
        faulty.fail_after(stop, persisted=persisted)
        with pytest.raises(Unavailable):
            assess.run(script)
        resumed = prepared(place, real, executor, vault)
        assess.run(resumed)
        assert expected == acts(resumed), f"stopped at write {stop}"


def test_no_egress_proof_no_run(tmp_path: Path, store: Store) -> None:
    """A proof that does not hold is entered and then refused; no shard is submitted."""
    script = prepared(workspace(tmp_path), store)
    assert isinstance(script.lab, FakeLaboratory)
    script.lab.egress_holds = False
    with pytest.raises(Refused, match="isolation did not hold"):
        assess.run(script)
    assert script.lab.runs == []
    assert (Kind.ASSESSMENT_STARTED.value, script.assessment) not in acts(script)


def test_another_subject_does_not_finish_what_one_began(tmp_path: Path, store: Store) -> None:
    """Resumed while another model answers, nothing is measured; with the same one it goes on."""
    place, vault = workspace(tmp_path), MemoryVault()
    first = Fingerprint("v1", ("m-1",), ("a", "b"))

    class Ended(Exception):
        """The process ends."""

    def cut(job: str) -> None:
        raise Ended

    began = prepared(place, store, vault=vault)
    assert isinstance(began.lab, FakeLaboratory)
    began.lab.answering = first
    began.lab.start_workers = cut  # type: ignore[method-assign]
    with pytest.raises(Ended):
        assess.run(began)
    other = prepared(place, store, vault=vault)
    assert isinstance(other.lab, FakeLaboratory)
    other.lab.answering = replace(first, reported=("m-2",))
    with pytest.raises(Refused, match="'m-1', now 'm-2'"):
        assess.run(other)
    assert other.lab.runs == []
    same = prepared(place, store, vault=vault)
    assert isinstance(same.lab, FakeLaboratory)
    same.lab.answering = first
    assess.run(same)
    assert acts(same)[Kind.SUBJECT_IDENTIFIED.value, same.assessment] == 1


def officially(script: Script) -> tuple[Script, FakeLaboratory]:
    """The script as an official run, and its laboratory."""
    assert isinstance(script.lab, FakeLaboratory)
    return replace(script, request=replace(script.request, official=True)), script.lab


def reported(script: Script) -> shown.Report:
    """The report of a finished run."""
    facts = shown.LogState(home.ORIGIN, 1, "r", True, "x", "none")  # noqa: FBT003
    return reporting.build(script, reporting.gather(script), facts, "0")


def test_a_host_whose_canary_failed_gives_no_results(tmp_path: Path, store: Store) -> None:
    """In an official run it is entered in the record and no sample runs; once it holds, the run goes on."""
    place, vault = workspace(tmp_path), MemoryVault()
    script, lab = officially(prepared(place, store, vault=vault))
    lab.canary_failed = ("heap-overflow",)
    with pytest.raises(Refused, match="no host is left that gives results"):
        assess.run(script)
    assert lab.runs == []
    told = f"{script.assessment}/canaries/host-1"
    assert acts(script)[Kind.CANARIES_JUDGED.value, told] == 1
    again, repaired = officially(prepared(place, store, vault=vault))
    assess.run(again)
    assert repaired.runs
    losses = reported(again).losses
    assert any("host bbbbbbbb gave no results: silent" in one for one in losses)


def test_an_official_run_takes_what_records_carry(tmp_path: Path, store: Store) -> None:
    """Items with a record are planned with its digest; the others are left out by name and reason."""
    script, lab = officially(prepared(workspace(tmp_path), store))
    lab.unqualified = ("registry",)
    plan = assess.run(script)
    planted, registry = plan.suites
    assert all(item.record == digest(f"record of {item.id}") for item in planted.items)
    assert registry.items == ()
    assert registry.missing == ("r-1: not qualified: it has no record",)
    assert "`leadline suite qualify registry`" in registry.unavailable
    assert not any("registry" in name for name in lab.runs)
    report = reported(script)
    records = dict(report.evidence)["Signed records of qualification, planted"]
    assert records == "24 of 24 items, each by its digest in the plan"
    assert not any("quick check only" in line for line in report.not_measured)


def test_items_that_are_missing_for_one_reason_are_told_together(
    tmp_path: Path, store: Store
) -> None:
    """Each by its name, and the reason once: a long list stays readable."""
    script, lab = officially(prepared(workspace(tmp_path), store))
    lost = tuple(item.id for item in lab.suites(script.secret.seed)[0].items[:2])
    lab.unqualified = lost
    assess.run(script)
    lines = reported(script).not_measured
    told = f"2 items ({lost[0]}, {lost[1]}): not qualified: it has no record"
    assert any(line.endswith(told) for line in lines), lines
    assert not any(line.count("it has no record") > 1 for line in lines)


def test_without_a_record_there_is_no_official_run(tmp_path: Path, store: Store) -> None:
    """Nothing is planned, proved or run; a self-assessment needs none, and says so in its report."""
    place, vault = workspace(tmp_path), MemoryVault()
    script, lab = officially(prepared(place, store, vault=vault))
    lab.unqualified = ("planted", "registry")
    with pytest.raises(Refused, match=r"there is no item to run .*not qualified: it has no record"):
        assess.run(script)
    assert lab.runs == []
    assert not {Kind.ASSESSMENT_PLANNED.value, Kind.KILL_DRILLED.value} & {
        k for k, _ in acts(script)
    }
    own = prepared(place, store, vault=vault)
    assert isinstance(own.lab, FakeLaboratory)
    own.lab.unqualified = ("planted", "registry")
    assess.run(own)
    report = reported(own)
    assert any("not qualified here: quick check only" in line for line in report.not_measured)
    assert not any("records of qualification" in name for name, _ in report.evidence)


def test_with_nothing_to_run_there_is_no_run(tmp_path: Path, store: Store) -> None:
    """An empty selection is refused, and each suite's own reason told."""
    script = prepared(workspace(tmp_path), store)
    assert isinstance(script.lab, FakeLaboratory)
    script.lab.planted, script.lab.registry = 0, False
    with pytest.raises(Refused, match=r"no item to run .*registry: no index; run `make setup`"):
        assess.run(script)
    assert script.lab.runs == []


def test_results_that_came_late_are_told_and_not_counted(tmp_path: Path, store: Store) -> None:
    """Report and summary name each, with the reason; the counts are those of a run without."""
    script = prepared(workspace(tmp_path), store)
    plan = assess.run(script)
    before = reported(script)
    assert before.late == ()
    shard = script.lab.executor.shards(plan.id)[0]
    script.lab.executor.keep_late(shard, now=make.NOW, result="{}")
    after = reported(script)
    assert len(after.late) == 1
    name = shard.input["name"]
    assert after.late[0].startswith(f"{name}, attempt {shard.token}: came at 09:30:00 UTC")
    assert after.late[0].endswith("kept, and not counted")
    assert shown.summary(after)["late"] == list(after.late)
    assert after.suites == before.suites


def test_withdrawal_ends_access_and_everything_after_it(tmp_path: Path, store: Store) -> None:
    """Withdrawn in the middle, the script stops with a plain word, and nothing more is measured."""
    script = prepared(workspace(tmp_path), store)
    engagement.open_engagement(
        script.desk,
        script.dealings,
        script.cast,
        script.lab.subject,
        script.done.by,
        script.sign,
    )
    engagement.withdraw(script.desk.developer(), script.dealings)
    with pytest.raises(Refused, match="withdrawn"):
        assess.run(script)
    state, window = engagement.state_of(script.desk.developer(), script.dealings)
    assert state is State.WITHDRAWN
    assert not window.is_open(script.desk.developer().now)


def test_withdrawn_once_all_is_measured_nothing_is_finished(tmp_path: Path, store: Store) -> None:
    """Where the last shard was done before the withdrawal, no end, seed or finding follows it."""
    script = prepared(workspace(tmp_path), store)
    assert isinstance(script.lab, FakeLaboratory)

    def stop_workers() -> None:
        engagement.withdraw(script.desk.developer(), script.dealings)

    script.lab.stop_workers = stop_workers  # type: ignore[method-assign]
    with pytest.raises(Refused, match="withdrawn"):
        assess.run(script)
    made = {kind for kind, _ in acts(script)}
    assert Kind.EVIDENCE_SEALED.value in made
    assert not made & {Kind.ASSESSMENT_FINISHED.value, Kind.SEED_REVEALED.value}


def test_without_open_access_nothing_is_measured(tmp_path: Path, store: Store) -> None:
    """Access that the developer ended before the run: no sample starts, and the cause is named."""
    script = prepared(workspace(tmp_path), store)
    engagement.open_engagement(
        script.desk,
        script.dealings,
        script.cast,
        script.lab.subject,
        script.done.by,
        script.sign,
    )
    engagement.end_access(script.desk.developer(), script.dealings)
    with pytest.raises(Refused, match="access is not open"):
        assess.run(script)
    assert isinstance(script.lab, FakeLaboratory)
    assert script.lab.runs == []


def test_the_bundle_verifies_and_the_summary_has_its_numbers(tmp_path: Path, store: Store) -> None:
    """The bundle of the record verifies with the key from outside; the summary counts the samples."""
    place = workspace(tmp_path)
    signer = open_signer(place.keys / "log.key", home.ORIGIN)
    script = prepared(place, store, signer=signer)
    assess.run(script)
    found = reporting.gather(script)
    head = bundle.write(
        place.bundle, place.logs, signer, home.ORIGIN, bundle.contents(script, found)
    )
    verified = verify_bundle(place.bundle, signer.vkeys())
    assert verified.size == head.size == verified.acts
    proofs = sorted((place.bundle / "proofs").glob("*.tlog-proof"))
    assert len(found.proofs) == len(proofs) > 1
    for path in proofs:
        opening = decode_opening(path.with_suffix(".json").read_bytes())
        check(ActProof(opening, path.read_text("utf-8")), alone(signer.vkeys()))
    facts = shown.LogState(home.ORIGIN, head.size, head.root, True, "x", "none")  # noqa: FBT003
    summary = shown.summary(reporting.build(script, found, facts, "0"))
    text = json.dumps(summary)
    read = json.loads(text)
    families = [family for suite in read["suites"] for family in suite["families"]]
    course = measuring.decided(script.measuring, found.plan, found.results)
    assert course is not None
    asked = [item for batch in course.batches for item in batch]
    assert sum(family["attempted"] for family in families) == len(asked) + 1
    assert read["decision"]["state"] in {"above", "below", "undetermined"}
    real = [finding for finding in read["findings"] if finding["purl"]]
    assert [len(finding["operators"]) for finding in real] == [2]


def test_the_run_stops_where_the_decision_does_unless_the_estimate_is_asked_for(
    tmp_path: Path, store: Store
) -> None:
    """The report tells how many items ran; with the estimate all of them did, and the decision is the same."""
    facts = shown.LogState(home.ORIGIN, 1, "r", True, "x", "none")  # noqa: FBT003
    stopped = prepared(workspace(tmp_path), store)
    assess.run(stopped)
    one = reporting.build(stopped, reporting.gather(stopped), facts, "0")
    whole = prepared(workspace(tmp_path / "whole"), MemoryStore(lambda: bytes(32), home.KINDS))
    whole = replace(whole, request=replace(whole.request, estimate=True))
    assess.run(whole)
    other = reporting.build(whole, reporting.gather(whole), facts, "0")
    ran = sum(family.attempted for family in one.suites[0].families)
    assert 0 < ran < 24
    assert one.suites[0].drawn.startswith(f"{ran} of 24 items ran")
    assert one.suites[1].drawn == ""
    assert sum(family.attempted for family in other.suites[0].families) == 24
    assert other.suites[0].drawn == ""
    assert one.decision == other.decision
    assert one.decision.state is shown.DecisionState.BELOW
    assert "held back evenly is excluded by nothing" in one.decision.basis


def test_what_casts_doubt_on_a_decision_stands_beside_it(tmp_path: Path, store: Store) -> None:
    """A planner that was sure of the other side, and runs that stayed lost; nothing where neither is."""
    script = prepared(workspace(tmp_path), store)
    assess.run(script)
    found = reporting.gather(script)
    assert found.decision is not None
    status = found.decision.status()
    doubtful = replace(status, state=Said.ABOVE, alarms=(Code.MISFIT,), void=2)
    alarm, lost = reporting._beside(found.plan, doubtful)
    assert alarm.startswith("Alarm: the planner had been sure of the other side")
    assert lost.startswith("2 items stayed lost")
    assert list(reporting._beside(found.plan, replace(status, state=Said.ABOVE))) == []
