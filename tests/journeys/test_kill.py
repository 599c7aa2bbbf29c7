"""An assessment that is killed while it works, and then finished, is the same assessment.

Each kill is proven to hit work: the main process is stopped while the moment shows in its files, the
moment is looked at again, and only then is the process ended by force. The workers are never told.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from journeys import assessments
from journeys.assessments import Assessment, Look, Moment

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]


def building(seen: Look) -> bool:
    """A worker builds an item."""
    return bool(seen.notes("building"))


def sampling(seen: Look) -> bool:
    """A worker runs a sample."""
    return bool(seen.notes("running"))


def half_sampled(seen: Look) -> bool:
    """A shard has finished one sample and works at the next."""
    return any(s["state"] == "running" and int(str(s["done"])) > 0 for s in seen.shards)


def half_sealed(seen: Look) -> bool:
    """One shard's evidence is sealed and another's is not."""
    return 0 < len(seen.kinds("evidence.sealed")) < len(seen.shards)


def half_proved(seen: Look) -> bool:
    """The kill drill is entered and the egress proof is being made."""
    return bool(seen.kinds("kill.drilled")) and not seen.kinds("isolation.proved")


def proving_again(seen: Look) -> bool:
    """Everything is sealed and the second egress proof is being made."""
    sealed = len(seen.kinds("evidence.sealed"))
    return 0 < sealed == len(seen.shards) and len(seen.kinds("isolation.proved")) == 1


def half_replayed(seen: Look) -> bool:
    """A finding is entered whose proof is being replayed."""
    return bool(set(seen.kinds("finding.recorded")) - set(seen.kinds("finding.replayed")))


def half_told(seen: Look) -> bool:
    """One operator's page is entered and another's is not."""
    return 0 < len(seen.kinds("notice.issued")) < 3


def writing(seen: Look) -> bool:
    """The bundle is being written beside its place."""
    return (seen.out / ".bundle.new").exists()


def printing(seen: Look) -> bool:
    """The bundle is there, and the report's pages are being made."""
    return (seen.out / "log.vkey").exists() and (
        (seen.out / "bundle").exists() and not (seen.out / "summary.json").exists()
    )


MOMENTS: tuple[Moment, ...] = (
    half_proved,
    building,
    sampling,
    half_sampled,
    half_sealed,
    proving_again,
    half_replayed,
    half_told,
    writing,
    printing,
)


def killed_at(out: Path, moments: tuple[Moment, ...]) -> None:
    """Kill one assessment at each of *moments* in turn; then let it end."""
    started = Assessment.start(out)
    for moment in moments:
        try:
            started.stopped_at(moment)
            held = started.kill()
        finally:
            started.process.kill()
            started.process.wait()
        assert moment(held), f"no longer {moment.__doc__}"
        assert not (out / "summary.json").exists()
        started = Assessment.start(out, "--resume")
    assert started.end() == 0, started.told.read_text()[-3000:]


def same(out: Path, undisturbed: Path) -> None:
    """Both assessments say the same, each finished sample ran once, and the record verifies.

    A driver that stays away for longer than the dead man's time is missed by its warden, and the
    record says so: the one act that a kill may add.
    """
    left = assessments.acts(undisturbed / "bundle")
    added = assessments.acts(out / "bundle") - left
    assert {kind for kind, _ in added} <= {"run.stopped"}
    assert left - assessments.acts(out / "bundle") == Counter()
    plans = [json.loads((one / "bundle" / "plan.json").read_bytes()) for one in (undisturbed, out)]
    assert plans[0] == plans[1]
    ran = Counter(assessments.finished(out / "logs"))
    assert Counter(assessments.finished(undisturbed / "logs")).keys() == ran.keys()
    assert set(ran.values()) == {1}
    judged = [
        sorted((s["item"], s["epoch"], s["state"], s["outcome"], s["proof"]) for s in samples)
        for samples in (results(undisturbed), results(out))
    ]
    assert judged[0] == judged[1]
    argv = ["log", "verify", str(out / "bundle"), "--key", str(out / "log.vkey"), "--json"]
    verified = assessments.run(assessments.leadline(*argv), out.parent)
    assert verified.returncode == 0
    assert json.loads(verified.stdout)["ok"]


def results(out: Path) -> list[dict[str, object]]:
    """Every sample result of a bundle."""
    shards = json.loads((out / "bundle" / "results.json").read_bytes())
    return [sample for shard in shards for sample in shard["samples"]]


def test_killed_at_three_moments_it_ends_the_same(undisturbed: Path, tmp_path: Path) -> None:
    """Samples running, a finding being replayed, the bundle half written: each resumes."""
    killed_at(tmp_path / "out", (sampling, half_replayed, writing))
    same(tmp_path / "out", undisturbed)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_killed_at_ten_moments_it_ends_the_same(undisturbed: Path, tmp_path: Path) -> None:
    """Ten kills of one assessment, each while something else was half done."""
    killed_at(tmp_path / "out", MOMENTS)
    same(tmp_path / "out", undisturbed)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_killed_once_it_ends_the_same(undisturbed: Path, tmp_path: Path, moment: Moment) -> None:
    """Each moment by itself."""
    killed_at(tmp_path / "out", (moment,))
    same(tmp_path / "out", undisturbed)


def test_interrupted_it_ends_its_workers_and_resumes(undisturbed: Path, tmp_path: Path) -> None:
    """Ctrl-C during a sample ends main process and workers in order; the rest is finished later."""
    out = tmp_path / "out"
    started = Assessment.start(out)
    try:
        started.stopped_at(sampling)
        workers = started.workers()
        assert workers
        started.interrupt()
        status = started.end(seconds=60)
    finally:
        started.process.kill()
        started.process.wait()
    assert status == 130, started.told.read_text()[-2000:]
    assert "Traceback" not in started.told.read_text()
    assessments.gone(workers)
    assert all(shard["state"] != "running" for shard in assessments.look(out).shards)
    resumed = Assessment.start(out, "--resume")
    assert resumed.end() == 0, resumed.told.read_text()[-3000:]
    same(out, undisturbed)
