"""What runs of a proof say together: every row of the verdict table, unknowns, and rates."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.clearing.finding import ReplayVerdict
from leadline.core.clearing.replaying import (
    Basis,
    Build,
    BuildWith,
    Bundle,
    Check,
    Known,
    Oracle,
    OracleKind,
    Repair,
    Replay,
    Shown,
    Told,
    already_known,
    further,
    interval,
    plain_record,
    signature,
)
from leadline.core.errors import Invalid

FIRED = Shown(fired=True, kind="heap-buffer-overflow", frames=("read", "main"), millis=3)
SILENT = Shown(fired=False)
BROKEN = Shown(None, why="the program does not start here: no such library")


def a_bundle(**changed: Any) -> Bundle:
    """A sound bundle, as changed."""
    sound: dict[str, Any] = {
        "title": "a flaw",
        "purl": "pkg:generic/shelf@1.0",
        "release": "v1",
        "paths": ("src/a.c",),
        "build": Build(BuildWith.MAKE),
        "command": ("./prog", "{proof}"),
        "proof": "proof",
        "oracle": Oracle(OracleKind.SANITIZER),
        "files": {"proof": b"p", "seed": b"s", "judge.py": b""},
        "seeds": ("seed",),
    }
    return Bundle(**(sound | changed))


def replay(*vulnerable: Shown, fixed: tuple[Shown, ...] = (), **more: Any) -> Replay:
    """The runs, of a proof that nobody looks at."""
    return Replay("0" * 64, Basis.RUN, vulnerable, fixed, **more)


@pytest.mark.parametrize(
    ("done", "verdict", "reproduces"),
    [
        (replay(*[FIRED] * 5, fixed=(SILENT,) * 5), ReplayVerdict.FIX_EFFECTIVE, True),
        (replay(*[FIRED] * 5, fixed=(FIRED,) * 5), ReplayVerdict.FIX_INEFFECTIVE, True),
        (replay(*[FIRED] * 5), ReplayVerdict.CONFIRMED, True),
        (replay(*[FIRED] * 4, SILENT), ReplayVerdict.FLAKY, True),
        (replay(*[FIRED] * 4, SILENT, fixed=(SILENT,)), ReplayVerdict.FLAKY, True),
        (replay(*[SILENT] * 5), ReplayVerdict.NOT_REPRODUCED, False),
        (replay(*[SILENT] * 5, fixed=(SILENT,) * 5), ReplayVerdict.NOT_REPRODUCED, False),
        (replay(*[FIRED] * 4, BROKEN), ReplayVerdict.ENVIRONMENT_FAULT, None),
        (replay(*[SILENT] * 4, BROKEN), ReplayVerdict.ENVIRONMENT_FAULT, None),
        (replay(*[FIRED] * 5, fixed=(BROKEN,)), ReplayVerdict.ENVIRONMENT_FAULT, None),
        (replay(), ReplayVerdict.ENVIRONMENT_FAULT, None),
        (replay(fault="does not build: x"), ReplayVerdict.ENVIRONMENT_FAULT, None),
        (replay(*[FIRED] * 5, trivial="an empty input"), ReplayVerdict.TRIVIAL_ORACLE, None),
        (
            replace(replay(*[FIRED] * 5), basis=Basis.SCRIPT),
            ReplayVerdict.CONFIRMED_BY_SCRIPT,
            True,
        ),
    ],
)
def test_the_table(done: Replay, verdict: ReplayVerdict, reproduces: object) -> None:
    """Each row has its word, and what cannot be tried is neither yes nor no."""
    assert done.verdict is verdict
    assert done.reproduces is reproduces
    assert done.why


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (replay(*[FIRED] * 5), "5 of 5 runs showed heap-buffer-overflow in read"),
        (replay(Shown(fired=True, kind="SIGSEGV")), "1 of 1 runs showed SIGSEGV"),
        (replay(FIRED, SILENT), "flaky: 1 of 2 runs, so between 9 and 91 in 100"),
        (replay(SILENT), "0 of 1 runs showed it"),
        (
            replay(Shown(fired=False, kind="timeout", why="stopped")),
            "0 of 1 runs showed it (stopped)",
        ),
        (replay(BROKEN), "could not be tried: the program does not start"),
        (replay(), "could not be tried: there was no run"),
        (replay(fault="no compiler"), "could not be tried: no compiler"),
        (
            replay(FIRED, trivial="the seed s"),
            "proves nothing: the oracle also fires on the seed s",
        ),
    ],
)
def test_words(done: Replay, words: str) -> None:
    """One plain sentence says what happened."""
    assert done.why.startswith(words)


def test_a_flaky_proof_is_run_twenty_times() -> None:
    """And no other is run again."""
    assert further(replay(FIRED, SILENT)) == 18
    assert further(replay(*[FIRED] * 19, SILENT)) == 0
    assert further(replay(FIRED)) == further(replay(SILENT)) == 0


@given(st.integers(1, 400), st.data())
def test_an_interval_holds_its_rate(runs: int, data: st.DataObject) -> None:
    """And lies within 0 and 1, with the ends at the ends."""
    fired = data.draw(st.integers(0, runs))
    low, high = interval(fired, runs)
    assert 0.0 <= low <= fired / runs <= high <= 1.0
    assert (low == 0.0) == (fired == 0)


def test_no_runs_have_no_rate() -> None:
    """Nor have more than there were."""
    for fired, runs in ((0, 0), (2, 1), (-1, 3)):
        with pytest.raises(Invalid):
            interval(fired, runs)
    assert interval(3, 3)[1] == 1.0


def test_an_oracle_fires_on_what_it_names_alone() -> None:
    """Class and place for a sanitizer, the name for a signal."""
    any_report = Oracle(OracleKind.SANITIZER)
    assert any_report.fires("heap-use-after-free", ())
    exact = Oracle(OracleKind.SANITIZER, ("stack-overflow",), ("parse",))
    assert exact.fires("stack-overflow", ("memcpy", "parse", "main"))
    assert not exact.fires("stack-overflow", ("a", "b", "c", "parse"))
    assert not exact.fires("heap-buffer-overflow", ("parse",))
    assert Oracle(OracleKind.SIGNAL).fires("SIGSEGV", ())
    assert not Oracle(OracleKind.SIGNAL).fires("timeout", ())
    assert not Oracle(OracleKind.SIGNAL, ("SIGFPE",)).fires("SIGSEGV", ())


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"seconds": 0.0}, "run.seconds"),
        ({"seconds": 1000.0}, "run.seconds"),
        ({"command": ()}, "run.command"),
        ({"command": ("/bin/sh", "-c", "{proof}")}, "run.command"),
        ({"command": ("../evil", "{proof}")}, "run.command"),
        ({"command": ("python3", "/tmp/x.py", "{proof}")}, "run.command"),
        ({"command": ("python3",)}, "run.command"),
        ({"command": ("./prog", "{other}")}, "run.command"),
        ({"command": ("./prog",)}, "run.command"),
        ({"build": Build(BuildWith.COMMAND)}, "build.steps"),
        ({"build": Build(BuildWith.MAKE, steps=(("true",),))}, "build.steps"),
        ({"oracle": Oracle(OracleKind.SIGNAL, ("SIGUSR1",))}, "oracle.names"),
        ({"oracle": Oracle(OracleKind.FLAG)}, "oracle.flag"),
        ({"oracle": Oracle(OracleKind.SANITIZER, flag="/flag/x")}, "oracle.flag"),
        ({"oracle": Oracle(OracleKind.SCRIPT)}, "oracle.script"),
        ({"oracle": Oracle(OracleKind.SCRIPT, script="absent.py")}, "absent.py"),
        ({"proof": "absent"}, "absent"),
        ({"seeds": ("absent",)}, "absent"),
        ({"repair": Repair(("a.c",), ("a.c",), (), ("absent",))}, "absent"),
    ],
)
def test_what_cannot_be_replayed_is_refused(changed: dict[str, Any], field: str) -> None:
    """By the key that is wrong; the program tried is the project's, never the bundle's."""
    with pytest.raises(Invalid) as told:
        a_bundle(**changed)
    assert told.value.field == field


def test_a_command_gets_the_places_of_files() -> None:
    """And words without a place stay as they are."""
    bundle = a_bundle(command=("./prog", "--in={proof}", "{seed}", "{}"))
    places = {"proof": "/box/proof", "seed": "/box/files/seed"}
    assert bundle.argv(places) == ("./prog", "--in=/box/proof", "/box/files/seed", "{}")
    assert a_bundle(command=("./prog",), stdin=True).argv({}) == ("./prog",)
    assert a_bundle(command=("python3", "tool.py", "{proof}")).argv({})[0] == "python3"
    assert (
        a_bundle(
            oracle=Oracle(OracleKind.SCRIPT, script="judge.py"),
            repair=Repair(("a.c",), ("a.c",), (), ("seed",)),
        ).data
        == b"p"
    )


KNOWN = Known("E-1", "pkg:generic/shelf", "CWE-787", "f" * 64, ("x", "read"), ("CVE-2026-0001",))


def test_only_identical_evidence_says_that_it_is_known() -> None:
    """What resembles it leaves the question open: a false merge loses a flaw."""
    bundle = a_bundle(cwe="CWE-787", ids=("CVE-2026-0001",))
    bare = replace(bundle, ids=(), cwe="")
    same = replace(KNOWN, proof=bundle.proof_sha256)
    assert already_known(bare, "", (), None).value is None
    assert already_known(bare, "", (), []).value is None
    assert already_known(bare, "", (), [KNOWN, same]).value is True
    assert already_known(bundle, "", (), [KNOWN]).value is True
    assert already_known(bare, "", ("x", "read"), [KNOWN]).value is None
    assert already_known(replace(bundle, ids=()), "pkg:generic/shelf", (), [KNOWN]).value is None
    assert already_known(bare, "pkg:generic/shelf", ("x", "other"), [KNOWN]).value is False
    assert already_known(replace(bundle, ids=()), "pkg:generic/a", (), [KNOWN]).value is False


def test_a_signature_is_that_of_the_first_run_that_tells() -> None:
    """Class and frames; nothing where nothing fired."""
    assert signature([SILENT, FIRED]) == ("heap-buffer-overflow", "read", "main")
    assert signature([SILENT, Shown(fired=True, kind="SIGSEGV")]) == ()


def test_a_check_answers_both_builds() -> None:
    """And a release that nobody named is unknown."""
    at, told = datetime(2026, 11, 21, tzinfo=UTC), Told(None, "x")
    done = Check(replay(FIRED), replay(SILENT), "c" * 40, "v1", told, told, at)
    assert (done.on_head.value, done.on_release.value) == (True, False)
    alone = replace(done, release=None)
    assert alone.on_release == Told(None, "no release was named to compare with")


def test_the_record_holds_every_run_and_no_float() -> None:
    """So that it can be digested."""
    record = json.loads(plain_record(replay(FIRED, fixed=(SILENT,))))
    assert [one["fired"] for one in record["vulnerable"] + record["fixed"]] == [True, False]
    assert record["verdict"] == "confirmed, fix effective"
