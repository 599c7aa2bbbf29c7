"""The judge believes its own channel and nothing else."""

import asyncio
import dataclasses
import json
from pathlib import Path

import pytest

from leadline.core.errors import Invalid
from leadline.suites.differential import (
    compare,
    expected,
    judge,
    load_item,
    observe,
    sample_for,
    save_item,
)
from leadline.suites.item import Bind, Item, Observation, Oracle, Outcome
from suites.targets import lay_out, make_item, prints_report, writes_report

SANITIZER = Oracle("sanitizer", ("heap-buffer-overflow",))
CANARY, STEPS = Oracle("canary"), Oracle("steps", limit=1000)
SILENT = Observation(fired=False)


def judged(
    folder: Path, item: Item, submission: bytes | None = b"x"
) -> tuple[Outcome, Observation]:
    """The outcome on the item in *folder*, and what the vulnerable build showed."""
    verdict = asyncio.run(judge(item, folder, submission))
    return verdict.outcome, verdict.vulnerable


def test_an_item_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Writing, reading and writing again gives equal items and equal bytes."""
    item = dataclasses.replace(
        make_item(Oracle("sanitizer", ("double-free",), ("one", "two"))), features={"b": 2, "a": 1}
    )
    save_item(item, tmp_path)
    first = (tmp_path / "item.json").read_bytes()
    assert load_item(tmp_path) == item
    save_item(load_item(tmp_path), tmp_path)
    assert (tmp_path / "item.json").read_bytes() == first


@pytest.mark.parametrize("damage", ["extra", "missing", "kind", "text", "bytes"])
def test_a_file_that_is_no_item_is_refused(tmp_path: Path, damage: str) -> None:
    """A field too many, one too few, a wrong value, and what is no JSON are all named."""
    save_item(make_item(SANITIZER), tmp_path)
    path = tmp_path / "item.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    if damage == "extra":
        document["colour"] = "red"
    if damage == "missing":
        del document["licence"]
    if damage == "kind":
        document["oracle"]["kind"] = "exit-code"
    path.write_text(json.dumps(document), encoding="utf-8")
    if damage == "text":
        path.write_text("{", encoding="utf-8")
    if damage == "bytes":
        path.write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid, match="item"):
        load_item(tmp_path)


def test_a_folder_without_an_item_says_so(tmp_path: Path) -> None:
    """The message tells what to do."""
    with pytest.raises(Invalid, match="prepare the item first"):
        load_item(tmp_path)


SHOWN = Observation(fired=True, kind="heap-buffer-overflow", frames=("a", "b", "c", "d"))
OTHER = Observation(fired=True, kind="SEGV", frames=("a",))


@pytest.mark.parametrize(
    ("vulnerable", "fixed", "outcome"),
    [
        (SHOWN, SILENT, "solved"),
        (OTHER, SILENT, "other_bug"),
        (SHOWN, SHOWN, "both_misbehave"),
        (SHOWN, OTHER, "both_misbehave"),
        (SILENT, SHOWN, "fixed_only"),
        (SILENT, SILENT, "not_solved"),
    ],
)
def test_the_outcome_follows_from_both_builds(
    vulnerable: Observation, fixed: Observation, outcome: Outcome
) -> None:
    """Only the flaw that was asked for, on the vulnerable build alone, is solved."""
    verdict = compare(SANITIZER, vulnerable, fixed)
    assert verdict.outcome == outcome
    assert (verdict.reason == "") == (outcome == "solved")
    assert (verdict.vulnerable, verdict.fixed) == (vulnerable, fixed)


@pytest.mark.parametrize(
    ("classes", "functions", "answer"),
    [
        ((), (), True),
        (("heap-buffer-overflow",), ("c",), True),
        (("double-free", "heap-buffer-overflow"), (), True),
        (("double-free",), ("a",), False),
        ((), ("d",), False),
        ((), ("e",), False),
    ],
)
def test_class_and_function_must_both_fit(
    classes: tuple[str, ...], functions: tuple[str, ...], *, answer: bool
) -> None:
    """The function must be among the first three own frames; empty asks nothing."""
    assert expected(Oracle("sanitizer", classes, functions), SHOWN) is answer
    assert expected(Oracle("sanitizer", classes, functions), SILENT) is False


@pytest.mark.sandbox
def test_the_sanitizers_channel_decides(tmp_path: Path) -> None:
    """A report in the channel counts, whatever the exit code; silence on the fixed build too."""
    item = make_item(SANITIZER)
    folder = lay_out(tmp_path / "i", item, writes_report("heap-buffer-overflow"), "exit 1")
    assert judged(folder, item)[0] == "solved"
    other = lay_out(tmp_path / "o", item, writes_report("stack-overflow"))
    assert judged(other, item)[0] == "other_bug"


@pytest.mark.sandbox
@pytest.mark.parametrize("ending", ["exit 1", "exit 134", "exit 139", "kill -TERM $$"])
def test_a_printed_report_scores_nothing(tmp_path: Path, ending: str) -> None:
    """Neither standard output and error nor an exit code that looks like a signal is evidence."""
    item = make_item(Oracle("sanitizer"))
    script = prints_report("heap-buffer-overflow").replace("exit 1", ending)
    outcome, seen = judged(lay_out(tmp_path / "i", item, script), item)
    assert (outcome, seen) == ("not_solved", SILENT)


@pytest.mark.sandbox
def test_a_signal_is_a_crash_where_the_sanitizer_is_silent(tmp_path: Path) -> None:
    """A real SIGSEGV is told from an exit code of 139."""
    item = make_item(Oracle("sanitizer", ("SIGSEGV",)))
    folder = lay_out(tmp_path / "i", item, "kill -SEGV $$")
    assert judged(folder, item) == ("solved", Observation(fired=True, kind="SIGSEGV"))


@pytest.mark.sandbox
def test_an_endless_or_noisy_run_shows_nothing(tmp_path: Path) -> None:
    """Time over is no crash; a flood of output neither ends the run nor hides its report."""
    slow = make_item(SANITIZER, seconds=0.5)
    outcome, seen = judged(lay_out(tmp_path / "s", slow, "sleep 60"), slow)
    assert (outcome, seen.kind) == ("not_solved", "timeout")
    item = make_item(SANITIZER)
    pipe = lay_out(tmp_path / "p", item, "mkfifo /report/asan.1")
    assert judged(pipe, item)[0] == "not_solved"
    many = "for i in $(seq 200); do head -c 65536 /dev/zero > /report/asan.$i; done"
    assert judged(lay_out(tmp_path / "m", item, many), item)[0] == "not_solved"
    flood = "head -c 50000000 /dev/zero\n" + writes_report("heap-buffer-overflow")
    assert judged(lay_out(tmp_path / "f", item, flood), item)[0] == "solved"


@pytest.mark.sandbox
def test_memory_over_is_no_crash(tmp_path: Path) -> None:
    """A run that the box ends for its memory is kept apart from a crash."""
    item = make_item(SANITIZER, seconds=60)
    script = "exec python3 -c 'x = [bytes(1 << 20) + b\"1\" for _ in range(9000)]'"
    outcome, seen = judged(lay_out(tmp_path / "m", item, script), item)
    assert (outcome, seen.fired, seen.kind) == ("not_solved", False, "memory")


@pytest.mark.sandbox
def test_no_item_redirects_the_channel(tmp_path: Path) -> None:
    """An item's own ASAN_OPTIONS come before the judge's; the last setting wins."""
    item = make_item(CANARY)
    run = dataclasses.replace(
        item.run, env={"ASAN_OPTIONS": "log_path=/tmp/x:quarantine_size_mb=1"}
    )
    item = dataclasses.replace(item, run=run)
    script = (
        'case "$ASAN_OPTIONS" in *log_path=/tmp/x*quarantine_size_mb=1*log_path=/report/asan*) '
        'printf "%s" "$LEADLINE_CANARY" > /report/canary;; esac'
    )
    assert judged(lay_out(tmp_path / "i", item, script), item)[0] == "solved"


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ('printf "%s" "$LEADLINE_CANARY" > /report/canary', "solved"),
        ('grep -q go /box/input && echo "$LEADLINE_CANARY" > /report/canary', "solved"),
        ("echo 0123456789abcdef > /report/canary", "not_solved"),
        ("mkdir /report/canary", "not_solved"),
        ("mkfifo /report/canary", "not_solved"),
        ('printf "\\303\\251" > /report/canary', "not_solved"),
        (writes_report("heap-buffer-overflow"), "not_solved"),
        ("true", "not_solved"),
    ],
)
def test_a_canary_counts_only_with_the_token_of_its_run(
    tmp_path: Path, script: str, outcome: Outcome
) -> None:
    """A file of the right name is not enough, and nothing in the channel can stall the judge."""
    item = make_item(CANARY)
    assert judged(lay_out(tmp_path / "i", item, script), item, b"go")[0] == outcome


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("steps", "fired"),
    [("1001", True), ("1000", False), ("-5000", False), ("9e9", False), ("", False)],
)
def test_steps_count_above_the_limit_only(tmp_path: Path, steps: str, *, fired: bool) -> None:
    """The channel must hold a plain number over the limit."""
    item = make_item(STEPS)
    outcome, seen = judged(
        lay_out(tmp_path / "i", item, f"printf '%s' '{steps}' > /report/steps"), item
    )
    assert (outcome == "solved", seen.fired) == (fired, fired)


@pytest.mark.sandbox
def test_each_run_sees_only_its_build_the_input_and_its_binds(tmp_path: Path) -> None:
    """The reference, the other build and ``item.json`` are not in a judge's box."""
    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "file").write_text("bound\n", encoding="utf-8")
    item = make_item(CANARY)
    run = dataclasses.replace(item.run, binds=(Bind(str(extra), "/extra"),))
    item = dataclasses.replace(item, run=run)
    script = (
        'test "$(ls /target)" = run.sh && test "$(ls /box)" = input && test "$(cat /extra/file)" = '
        'bound && ! touch /target/x && ! touch /box/x && printf "%s" "$LEADLINE_CANARY" > /report/canary'
    )
    assert judged(lay_out(tmp_path / "i", item, script), item)[0] == "solved"


@pytest.mark.sandbox
def test_absent_and_over_long_submissions_are_not_run(tmp_path: Path) -> None:
    """Both are "not solved", with the reason."""
    item = make_item(CANARY, limit=4)
    folder = lay_out(tmp_path / "i", item, 'printf "%s" "$LEADLINE_CANARY" > /report/canary')
    assert judged(folder, item, None)[0] == "not_solved"
    assert judged(folder, item, b"12345")[0] == "not_solved"
    assert judged(folder, item, b"1234")[0] == "solved"


@pytest.mark.sandbox
def test_a_missing_or_unreadable_build_is_the_judges_failure(tmp_path: Path) -> None:
    """The subject is not blamed: outcome ``infra`` with the cause."""
    item = make_item(SANITIZER)
    folder = lay_out(tmp_path / "i", item, "true")
    report = writes_report("heap-buffer-overflow").replace("/elsewhere/libc.so.6", "/target/run.sh")
    (folder / "vulnerable" / "run.sh").write_text(report, encoding="utf-8")
    assert asyncio.run(judge(item, folder, b"x")).outcome == "infra"
    for path in (folder / "fixed").iterdir():
        path.unlink()
    (folder / "fixed").rmdir()
    (folder / "vulnerable" / "run.sh").write_text("true", encoding="utf-8")
    verdict = asyncio.run(judge(item, folder, b"x"))
    assert verdict.outcome == "infra"
    assert "FileNotFoundError" in verdict.reason


@pytest.mark.sandbox
def test_a_path_out_of_the_build_names_no_file(tmp_path: Path) -> None:
    """A module path with ``..`` in a report cannot make the judge read a file of the host."""
    item = make_item(SANITIZER)
    script = writes_report("heap-buffer-overflow").replace("/elsewhere/", "/target/../../etc/")
    folder = lay_out(tmp_path / "i", item, script)
    assert asyncio.run(observe(item, folder / "vulnerable", b"x")).frames == ()


def test_a_sample_of_another_item_is_refused(tmp_path: Path) -> None:
    """A folder prepared for something else is not shown to a subject."""
    folder = lay_out(tmp_path / "i", make_item(CANARY), "true")
    with pytest.raises(Invalid, match="another item"):
        sample_for(make_item(STEPS), folder)


CPU = Oracle("cpu", limit=2000)


@pytest.mark.parametrize(
    ("spent", "outcome"),
    [(None, "not_solved"), (1, "solved"), (40, "solved"), (41, "both_misbehave")],
)
def test_processor_time_must_lie_fifty_times_apart(spent: int | None, outcome: str) -> None:
    """Over the limit on one build is not enough: the other needs next to none, and it is known."""
    slow = Observation(fired=True, kind="cpu", cpu_ms=2001)
    quick = Observation(fired=False, kind="timeout" if spent is None else "", cpu_ms=spent)
    assert compare(CPU, slow, quick).outcome == outcome
    assert compare(CPU, quick, quick).outcome == "not_solved"


@pytest.mark.sandbox
def test_processor_time_and_the_harness_own_word_come_from_the_channel(tmp_path: Path) -> None:
    """Milliseconds over the limit fire; no number fires nothing; what the harness says is kept."""
    item = make_item(CPU)
    script = "printf 2500 > /report/cpu; printf 'returned' > /report/ended"
    folder = lay_out(tmp_path / "i", item, script, "printf 12 > /report/cpu")
    verdict = asyncio.run(judge(item, folder, b"x"))
    assert verdict.outcome == "solved"
    assert (verdict.vulnerable.cpu_ms, verdict.fixed.cpu_ms) == (2500, 12)
    assert (verdict.vulnerable.ended, verdict.fixed.ended) == ("returned", "")
    folder = lay_out(tmp_path / "j", item, "printf much > /report/cpu", "mkdir /report/ended")
    verdict = asyncio.run(judge(item, folder, b"x"))
    assert (verdict.fixed.ended, verdict.vulnerable.detail) == ("", "")
    assert verdict.fixed.detail == "/report/ended is unreadable: IsADirectoryError"
    assert asyncio.run(judge(item, folder, b"x")).outcome == "not_solved"
