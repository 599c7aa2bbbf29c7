"""A language model as the subject, over real HTTP: a local server whose answers are written down.

The whole suite runs with the network closed but for loopback, so a download anywhere, of a
tokenizer's vocabulary for instance, ends these tests.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from inspect_ai.log import list_eval_logs, read_eval_log

from leadline.core.assessment import Budget, SampleResult, ShardResult
from leadline.core.errors import Unavailable
from leadline.core.identity import CHANGED
from leadline.runner import endpoint, results, subject
from leadline.runner.identified import identify, run_identified
from leadline.runner.shard import run_shard
from model_server import Script, serving
from runner.scripted import Bench

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.usefixtures("collected"),
    # Inspect and the HTTP client leave streams of their own to the garbage collector
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:The 'initial' parameter:DeprecationWarning"),  # Inspect's
]
MODEL = "openai-api/local/scripted"
PROBES_ASKED = 4


@pytest.fixture(scope="module")
def server() -> Iterator[Script]:
    """One server for all: Inspect keeps a model's client, and so its address, for the process.

    It finds the address in environment variables, the only place it looks.
    """
    script = Script()
    with serving(script) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_BASE_URL", url)
        patch.setenv("LOCAL_API_KEY", "made-up")
        yield script


@pytest.fixture
def served(server: Script) -> Script:
    """The server, with nothing of an earlier test left in it."""
    for name, value in vars(Script()).items():
        setattr(server, name, value)
    return server


def run(
    bench: Bench, budget: Budget | None = None, *, patience_seconds: int = 30, retries: int = 2
) -> ShardResult:
    """The prepared items, by the scripted model."""
    runnable = subject.resolve(MODEL, budget or Budget(seconds=120))
    runnable = replace(runnable, patience_seconds=patience_seconds, retries=retries)
    return run_shard(bench.job(), runnable, lambda done, note: None)


def source_of(bench: Bench, item: str) -> str:
    """The name of an item's source file, which its task shows and no other's does."""
    task = json.loads((bench.folders / item / "subject" / "task.json").read_text())
    return str(task["sources"][0])


def by_item(answered: ShardResult) -> dict[str, SampleResult]:
    """The samples by item."""
    return {sample.item: sample for sample in answered.samples}


def test_it_solves_by_what_its_tools_really_did(served: Script, bench: Bench) -> None:
    """What the sandbox's fuzzer found is handed in and judged; what it did not find is refused."""
    answered = run(bench)
    solved = [sample for sample in answered.samples if sample.solved]
    assert solved
    assert len(bench.items) == len(solved) + len(served.refusals)
    assert {"scored"} == {sample.state for sample in answered.samples}
    assert all(sample.tokens >= 360 for sample in answered.samples)
    assert {"no submission"} >= {s.reason for s in answered.samples if not s.solved}
    [name] = [log for log in answered.logs if log.endswith(".eval")]
    log = read_eval_log(str(bench.logs / name))
    assert (log.status, log.eval.model) == ("success", MODEL)
    assert (log.eval.metadata or {})["subject_digest"] == subject.resolve(
        MODEL, Budget()
    ).subject.digest
    calls = [str(m.function) for s in log.samples or [] for m in s.messages if m.role == "tool"]
    assert calls.count("bash") >= 2 * len(bench.items)


def test_without_its_tools_it_refuses(served: Script) -> None:
    """The server hands nothing in where a tool printed something else than it needs."""
    for output, why in (
        (["no listing"], "the listing shows no C source"),
        (["SOURCES: ./src/a.c", "build failed"], "the fuzzer found nothing"),
        (
            ["SOURCES: ./src/a.c", "SUMMARY: AddressSanitizer x\nCRASH: /box/c", "cp: no"],
            "the proof",
        ),
    ):
        tools = [{"role": "tool", "content": text} for text in output]
        name, text = served.answer(tools)
        assert name == "submit"
        assert why in text


def test_a_server_that_counts_no_tokens_is_no_reason_to_download(
    served: Script, bench: Bench
) -> None:
    """Without usage in the answers the run ends as well, with no vocabulary fetched."""
    served.usage = False
    answered = run(bench)
    assert {"scored"} == {sample.state for sample in answered.samples}
    assert any(sample.solved for sample in answered.samples)


def test_tokens_used_up_are_a_limit(served: Script, bench: Bench) -> None:
    """The token budget ends each attempt: not solved, cause kept, none of it our failure."""
    answered = run(bench, Budget(tokens=150, seconds=120))
    assert {"limit"} == {sample.state for sample in answered.samples}
    assert not any(sample.solved for sample in answered.samples)
    assert all(sample.reason.startswith("token limit of 150") for sample in answered.samples)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("garbage", "malformed_answer"),
        ("status", "endpoint_error"),
        ("busy", "rate_limited"),
        ("hang", "endpoint_timeout"),
        ("hangup", "endpoint_unreachable"),
        ("huge", "oversized_answer"),
    ],
)
def test_a_server_that_fails_is_our_failure(
    served: Script, bench: Bench, fault: str, outcome: str
) -> None:
    """Each way to fail has its name in the evidence, costs the sample that asked and no other."""
    bad = bench.items[0]
    served.fault, served.faulty, served.hang_seconds = fault, source_of(bench, bad), 4
    # that one ends by itself, however busy the machine; the others last as long as the patience
    patience = 60 if fault == "huge" else 3
    found = by_item(run(bench, patience_seconds=patience, retries=0))
    assert (found[bad].state, found[bad].outcome) == ("infra", outcome), found[bad]
    assert found[bad].reason
    assert not found[bad].solved
    assert {"scored"} == {found[item].state for item in bench.items[1:]}
    assert {"scripted"} == {found[item].reported for item in bench.items[1:]}


def test_an_endless_answer_is_cut_off(served: Script, bench: Bench) -> None:
    """Of 100 MB no more is taken than an answer may have, and what the buffers of the way hold."""
    served.fault, served.faulty = "huge", source_of(bench, bench.items[0])
    run(bench, patience_seconds=60, retries=1)
    assert 0 < served.sent < 2 * (endpoint.ANSWER_BYTES_MAX + (16 << 20))


def test_tool_calls_that_cannot_be_read_are_the_subjects_own(served: Script, bench: Bench) -> None:
    """They are named, count as not solved, and cost no other sample."""
    bad = bench.items[0]
    served.fault, served.faulty = "malformed", source_of(bench, bad)
    found = by_item(run(bench, Budget(tokens=1200, seconds=60)))
    assert (found[bad].state, found[bad].outcome) == ("limit", "malformed_tool_calls"), found[bad]
    assert not found[bad].solved


def test_an_answer_by_another_model_is_told(served: Script, bench: Bench) -> None:
    """The name that the endpoint reported stands in the sample it answered, and in no other."""
    bad = bench.items[0]
    served.fault, served.faulty = "renamed", source_of(bench, bad)
    found = by_item(run(bench))
    assert found[bad].reported == "another"
    assert {"scripted"} == {found[item].reported for item in bench.items[1:]}


def test_another_model_in_mid_run_is_never_pooled(served: Script, bench: Bench) -> None:
    """Its answers in the shard are set apart; the next shard is closed before its first sample."""
    runnable = replace(subject.resolve(MODEL, Budget(seconds=120)), patience_seconds=30)
    known = identify(runnable)
    assert known.reported == ("scripted",)
    assert known.bounded
    bad = bench.items[0]
    served.fault, served.faulty = "renamed", source_of(bench, bad)
    found = by_item(run_identified(bench.job(), runnable, known, lambda done, note: None))
    assert (found[bad].state, found[bad].outcome, found[bad].solved) == ("infra", CHANGED, False)
    assert found[bad].subject == known.declared.reported_as("another")
    kept = [found[item] for item in bench.items[1:]]
    assert {known.declared.reported_as("scripted")} == {sample.subject for sample in kept}
    assert {("scored", "tools")} == {(sample.state, sample.rung) for sample in kept}
    served.name, asked = "successor", len(served.requests)
    told = run_identified(bench.job(token=2), runnable, known, lambda done, note: None)
    assert {("missing", CHANGED)} == {(one.state, one.outcome) for one in told.samples}
    assert "'scripted', now 'successor'" in told.samples[0].reason
    assert len(served.requests) - asked == PROBES_ASKED


def test_an_endpoint_that_does_not_answer_is_nobody(served: Script) -> None:
    """Without an answer there is no identity, and so no run."""
    served.fault, served.faulty = "garbage", "prime numbers"
    with pytest.raises(Unavailable, match="did not answer a fixed question"):
        identify(subject.resolve(MODEL, Budget(seconds=120)))


def test_inspect_itself_reads_and_lists_the_logs(served: Script, bench: Bench) -> None:
    """The log reader and the listing behind Inspect's viewer show the run as it was."""
    answered = run(bench)
    [listed] = list_eval_logs(str(bench.logs))
    assert Path(listed.name).name in answered.logs
    log = read_eval_log(listed)
    assert set(bench.items) == {str(sample.id) for sample in log.samples or []}
    assert log.results is not None
    assert len(bench.items) == log.results.total_samples == log.results.completed_samples
    solved = sum(sample.solved for sample in answered.samples)
    accuracy = log.results.scores[0].metrics["accuracy"].value
    assert accuracy == pytest.approx(solved / len(bench.items))
    assert [(1, bench.logs / Path(listed.name).name)] == results.attempts(bench.logs, "shard-1")
