"""How often a proof is run, and what of it goes on record: every verdict, and who may ask."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from clearing_world import INTAKE, acts_about, clearing_world
from desk_world import DeskWorld
from leadline.app import replay, reports
from leadline.core.clearing.finding import Attachment, Finding, ReplayResult, ReplayVerdict
from leadline.core.clearing.replaying import Basis, Bundle, Oracle, OracleKind, Replay
from leadline.core.clearing.report import Draft, Stage
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Unavailable
from leadline.core.record.act import Kind
from replay_values import BROKEN, FIRED, SILENT, FakeBench, a_bundle
from reporting import reported


def _always(done: Replay) -> Callable[[Bundle], Replay]:
    return lambda _: done


@pytest.fixture
def world() -> DeskWorld:
    """The clearinghouse."""
    return clearing_world()


def handed_in(world: DeskWorld, draft: Draft | None = None) -> str:
    """A finding at intake; answers its id."""
    held = draft or reported()
    ctx = world.at("finder")
    return reports.submit(ctx, held.finding, held.proof, held.raw, files=held.files).finding


def test_five_runs_of_each_build_and_a_plain_input() -> None:
    """The fixed build only where there is one."""
    flawed, fixed = FakeBench([FIRED]), FakeBench([SILENT])
    done = replay.replayed(a_bundle(), flawed, fixed)
    assert done.verdict is ReplayVerdict.FIX_EFFECTIVE
    assert (flawed.asked, fixed.asked) == ([b"proof"] * 5 + [b""], [b"proof"] * 5)
    assert (done.build, done.environment) == ("b" * 64, "e" * 64)
    assert replay.replayed(a_bundle(), FakeBench([FIRED])).verdict is ReplayVerdict.CONFIRMED
    worse = replay.replayed(a_bundle(), FakeBench([FIRED]), FakeBench([FIRED]))
    assert worse.verdict is ReplayVerdict.FIX_INEFFECTIVE


def test_a_silent_proof_costs_five_runs() -> None:
    """And no look at plain inputs."""
    bench = FakeBench([SILENT])
    assert replay.replayed(a_bundle(), bench).verdict is ReplayVerdict.NOT_REPRODUCED
    assert len(bench.asked) == 5


def test_what_is_flaky_is_run_twenty_times() -> None:
    """Whatever the later runs show, a person decides."""
    bench = FakeBench([FIRED, SILENT, FIRED])
    done = replay.replayed(a_bundle(), bench)
    assert done.verdict is ReplayVerdict.FLAKY
    assert len(done.vulnerable) == 20


def test_an_oracle_that_fires_on_plain_input() -> None:
    """An empty one, or a seed; the fixed build is not even asked."""
    fixed = FakeBench([SILENT])
    empty = replay.replayed(a_bundle(), FakeBench([FIRED], {b"": FIRED}), fixed)
    assert (empty.trivial, fixed.asked) == ("an empty input", [])
    bundle = a_bundle(seeds=("seed",), files={"proof.bin": b"proof", "seed": b"plain"})
    seeded = replay.replayed(bundle, FakeBench([FIRED], {b"plain": FIRED}))
    assert seeded.trivial == "the seed seed"
    assert replay.replayed(bundle, FakeBench([FIRED], {b"plain": SILENT})).trivial == ""


def test_a_script_s_word_is_a_script_s() -> None:
    """Also in the words of the verdict."""
    oracle = Oracle(OracleKind.SCRIPT, script="judge.py")
    bundle = a_bundle(oracle=oracle, files={"proof.bin": b"proof", "judge.py": b""})
    done = replay.replayed(bundle, FakeBench([FIRED]))
    assert (done.basis, done.verdict) == (Basis.SCRIPT, ReplayVerdict.CONFIRMED_BY_SCRIPT)


def test_a_cross_test_says_yes_no_or_nothing() -> None:
    """A run that broke down says nothing."""
    for shown, word in ((SILENT, True), (FIRED, False), (BROKEN, None)):
        assert replay.silenced(a_bundle(), FakeBench([shown])) is word


@pytest.mark.parametrize(
    ("bench", "verdict", "stage", "back"),
    [
        (FakeBench([FIRED]), "confirmed", Stage.CONFIRMED, False),
        (FakeBench([SILENT]), "not-reproduced", Stage.NOT_REPRODUCED, True),
        (FakeBench([FIRED], {b"": FIRED}), "trivial-oracle", Stage.NOT_REPRODUCED, True),
        (FakeBench([FIRED, SILENT]), "flaky", Stage.REPRODUCING, False),
        (FakeBench([BROKEN]), "environment-fault", Stage.DEDUPLICATED, False),
    ],
)
def test_what_a_replay_leaves_on_record(
    world: DeskWorld, bench: FakeBench, verdict: str, stage: Stage, *, back: bool
) -> None:
    """The verdict, digests and counts; what does not work goes back with what happened."""
    id_ = handed_in(world)
    ctx = world.at("screener")
    result = replay.validate(ctx, id_, a_bundle(), lambda one: replay.replayed(one, bench))
    (act,) = acts_about(world, id_, Kind.FINDING_REPLAYED)
    assert act.detail["verdict"] == verdict
    assert act.detail["case"] == INTAKE
    evidence = json.loads(world.vault.get(str(act.detail["evidence"])))
    assert evidence["verdict"] == verdict
    with world.store.read() as view:
        assert view.get(ReplayResult, f"{id_}/replay").value == result
    state = reports.state(world.at("finder"), id_)
    assert state.stage is stage
    assert len(acts_about(world, id_, Kind.FINDING_ANSWERED)) == int(back)
    if back:
        assert state.answers[0][1].startswith(verdict)


def test_a_second_replay_takes_the_place_of_the_first(world: DeskWorld) -> None:
    """And both stand in the acts: new evidence opens what had ended."""
    id_ = handed_in(world)
    for shown in (SILENT, FIRED):
        done = replay.replayed(a_bundle(), FakeBench([shown]))
        replay.validate(world.at("screener"), id_, a_bundle(), _always(done))
    assert len(acts_about(world, id_, Kind.FINDING_REPLAYED)) == 2
    with world.store.read() as view:
        assert view.get(ReplayResult, f"{id_}/replay").value.confirmed


def test_a_host_without_boxes_counts_against_nobody(world: DeskWorld) -> None:
    """The fault is on record, and nothing goes back."""
    id_ = handed_in(world)

    def broken(_: object) -> Replay:
        raise Unavailable("no sandbox here")

    result = replay.validate(world.at("screener"), id_, a_bundle(), broken)
    assert result.verdict is ReplayVerdict.ENVIRONMENT_FAULT
    assert acts_about(world, id_, Kind.FINDING_ANSWERED) == []


def test_who_may_not_replay_leaves_no_trace_but_the_denial(world: DeskWorld) -> None:
    """Nor may a changed proof, nor one for a report that was withdrawn."""
    id_ = handed_in(world)

    def never(_: object) -> Replay:
        raise AssertionError

    for who in ("other-finder", "hospital", "finder"):
        with pytest.raises((Denied, NotFound)):
            replay.validate(world.at(who), id_, a_bundle(), never)
    changed = a_bundle(files={"proof.bin": b"another"})
    with pytest.raises(Invalid):
        replay.validate(world.at("screener"), id_, changed, never)
    reports.withdraw(world.at("finder"), id_)
    with pytest.raises(Refused):
        replay.validate(world.at("screener"), id_, a_bundle(), never)
    assert acts_about(world, id_, Kind.FINDING_REPLAYED) == []


def test_a_person_s_word_stands_as_a_person_s(world: DeskWorld) -> None:
    """With words that say what was seen, in the vault."""
    id_ = handed_in(world)
    for words in (" ", "x" * 1001):
        with pytest.raises(Invalid):
            replay.confirm(world.at("screener"), id_, words)
    replay.confirm(world.at("screener"), id_, "the two pages differ as the report says")
    (act,) = acts_about(world, id_, Kind.FINDING_REPLAYED)
    assert (act.detail["verdict"], act.detail["basis"]) == ("confirmed-by-person", "person")
    assert reports.state(world.at("finder"), id_).stage is Stage.CONFIRMED


DESCRIPTION = b"""format = "leadline-replay/1"
title = "a flaw"
[build]
with = "make"
[run]
command = ["./prog", "{proof}"]
proof = "proof.bin"
[oracle]
kind = "sanitizer"
"""


def attached(files: dict[str, bytes]) -> Draft:
    """A report with files beside it."""
    held = tuple(Attachment(name, hashlib.sha256(data).hexdigest()) for name, data in files.items())
    draft = reported(attachments=held)
    return replace(draft, files=files)


def test_the_bundle_that_came_with_a_report(world: DeskWorld) -> None:
    """Its files, and the report's proof under the name that they give it."""
    id_ = handed_in(world, attached({"leadline-replay.toml": DESCRIPTION, "seed": b"s"}))
    bundle = replay.reported(world.at("screener"), id_)
    assert bundle.files == {"proof.bin": b"proof", "seed": b"s"}
    bare = handed_in(world, reported(proof=b"other"))
    with pytest.raises(NotFound):
        replay.reported(world.at("screener"), bare)
    nameless = DESCRIPTION.replace(b'proof = "proof.bin"\n', b"")
    third = reported(proof=b"third")
    held = attached({"leadline-replay.toml": nameless})
    odd = replace(
        held, finding=replace(held.finding, proof_sha256=third.finding.proof_sha256), proof=b"third"
    )
    with pytest.raises(Invalid):
        replay.reported(world.at("screener"), handed_in(world, odd))
    with world.store.read() as view:
        assert view.get(Finding, id_).value.attachments


NOTHING_SHOWN = Replay(hashlib.sha256(b"proof").hexdigest(), Basis.RUN, vulnerable=(SILENT,) * 5)


def test_what_was_handed_in_again_is_tried(world: DeskWorld) -> None:
    """A withdrawal holds until its finder hands the report in again."""
    id_ = handed_in(world)
    reports.withdraw(world.at("finder"), id_)
    with pytest.raises(Refused):
        replay.validate(world.at("screener"), id_, a_bundle(), _always(NOTHING_SHOWN))
    handed_in(world)
    result = replay.validate(world.at("screener"), id_, a_bundle(), _always(NOTHING_SHOWN))
    assert result.verdict is ReplayVerdict.NOT_REPRODUCED


def test_what_is_withdrawn_while_it_runs_is_not_confirmed(world: DeskWorld) -> None:
    """Nothing of that run is kept."""
    id_ = handed_in(world)

    def meanwhile(_: Bundle) -> Replay:
        reports.withdraw(world.at("finder"), id_)
        return NOTHING_SHOWN

    with pytest.raises(Refused):
        replay.validate(world.at("screener"), id_, a_bundle(), meanwhile)
    assert reports.state(world.at("finder"), id_).stage is Stage.WITHDRAWN
    assert not acts_about(world, id_, Kind.FINDING_REPLAYED)


def test_what_enters_a_case_while_it_runs_is_the_case_s(world: DeskWorld) -> None:
    """What the run showed is bound where the finding is by then."""
    id_ = handed_in(world)

    def meanwhile(_: Bundle) -> Replay:
        with world.store.write() as tx:
            row = tx.get(Finding, id_)
            bounds = replace(row.bounds, case="case-1")
            tx.put(id_, row.value, marking=row.marking, bounds=bounds, expect=row.version)
        return NOTHING_SHOWN

    replay.validate(world.at("screener"), id_, a_bundle(), meanwhile)
    with world.store.read() as view:
        assert view.get(ReplayResult, f"{id_}/replay").bounds.case == "case-1"
    assert acts_about(world, id_, Kind.FINDING_REPLAYED)[0].detail["case"] == "case-1"


def test_a_proof_that_shows_nothing_lets_its_duplicate_be_tried(world: DeskWorld) -> None:
    """The other report of these bytes is told how to run them otherwise, perhaps."""
    id_ = handed_in(world)
    twin = handed_in(world, reported(title="other words"))
    assert reports.state(world.at("finder"), twin).stage is Stage.DUPLICATE
    replay.validate(world.at("screener"), id_, a_bundle(), _always(NOTHING_SHOWN))
    assert reports.state(world.at("finder"), twin).stage is Stage.SCREENED
