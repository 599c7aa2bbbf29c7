"""The tool baseline works through the sandbox alone, repeats exactly, and stays within its runs."""

import base64
import dataclasses
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalSample
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState
from inspect_ai.util import SandboxEnvironmentSpec, sandbox

from leadline.core.errors import Invalid
from leadline.sandbox.box import Bind, BoxConfig
from leadline.sandbox.provider import BwrapSandboxEnvironment
from leadline.subjects import baseline as subject
from leadline.subjects.baseline import CTask, ScriptTask, baseline, constants, dictionary, hints
from leadline.suites.differential import differential, sample_for
from leadline.suites.planted import SUITE
from leadline.suites.planted.program import FAMILIES, LEVELS
from suites.conftest import SEED, Built
from suites.targets import IN_EVAL

SOURCE = """
static int one_copy(uint8_t *p, size_t n)
{
    memcpy(room, p, n);
    p[n] = 0;
    return n > 0x1234 ? 70000 : 12;
}

int other(int a) {
    free(keep); free(keep);
    return keep[2] == 3;
}
"""


def test_constants_are_given_in_both_orders() -> None:
    """Numbers up to 255 are any byte and no word; widths follow the number."""
    found = constants(SOURCE)
    assert found == sorted([b"\x12\x34", b"\x34\x12", b"\x00\x01\x11\x70", b"\x70\x11\x01\x00"])
    assert dictionary([b"\x12\x34"]) == '"\\x12\\x34"\n'
    assert constants("x = 0xffffffffffu + 255") == []


@given(st.text(max_size=200))
def test_any_text_gives_words_and_hints(text: str) -> None:
    """No source breaks the static checks."""
    assert dictionary(constants(text)).count("\n") == len(constants(text))
    hints(text)


def test_hints_name_the_functions_that_hold_doubtful_operations() -> None:
    """Copies, stores by a computed index, allocations and releases are counted by function."""
    found = hints(SOURCE)
    assert found["copies"] == {"one_copy": 1}
    assert found["indexed stores"] == {"one_copy": 1}
    assert found["releases"] == {"other": 2}
    assert found["allocations"] == {}


def test_a_task_is_read_strictly() -> None:
    """A C task, a script task, one without a fuzzer, and what is no task at all."""
    text = json.dumps({"language": "c", "sources": ["a.c"], "input_bytes_max": 9})
    assert subject.parse_task(text) == CTask(("a.c",), (), 9)
    script = {"language": "python", "fuzz": ["run"], "runs": 7, "input_bytes_max": 9}
    assert subject.parse_task(json.dumps(script)) == ScriptTask(("run",), 7, 9)
    del script["fuzz"]
    assert subject.parse_task(json.dumps(script)) is None
    for bad in ("{", "[]", '{"language": "c"}', '{"language": "c", "input_bytes_max": "x"}'):
        with pytest.raises(Invalid, match=r"task\.json"):
            subject.parse_task(bad)


@pytest.mark.parametrize(("runs", "seed"), [(0, 1), (-5, 1), (10, -1)])
def test_a_budget_must_be_a_budget(runs: int, seed: int) -> None:
    """No runs, or a seed below zero, is refused at once."""
    with pytest.raises(Invalid, match="runs, seed"):
        baseline(runs=runs, seed=seed)


@scorer(metrics=[accuracy()])
def left() -> Scorer:
    """What the subject left, as the answer; empty if nothing."""

    async def score(state: TaskState, target: Target) -> Score:
        shown = await sandbox().exec(["sh", "-c", "base64 -w0 /box/proof 2>/dev/null"])
        return Score(value=1, answer=shown.stdout)

    return score


def attempt(
    sample: Sample, logs: Path, *, judge: Scorer, runs: int, seed: int, seconds: float = 300
) -> EvalSample:
    """One attempt of the baseline at *sample*."""
    assert BwrapSandboxEnvironment.config_files() == []  # importing it registers the provider
    task = Task(
        dataset=[sample],
        solver=baseline(runs=runs, seed=seed, seconds=seconds),
        scorer=judge,
        name="t",
    )
    log = run_eval(
        task, model=None, log_dir=str(logs), display="none", log_realtime=False, fail_on_error=False
    )[0]
    assert log.samples
    return log.samples[0]


def said(sample: EvalSample) -> str:
    """The subject's messages, one after the other."""
    return "\n".join(message.text for message in sample.messages if message.role == "assistant")


def script_sample(folder: Path, task: object, files: dict[str, str] | None = None) -> Sample:
    """A sample whose /task holds ``task.json`` and *files*."""
    folder.mkdir()
    for name, text in {"task.json": json.dumps(task), **(files or {})}.items():
        (folder / name).write_text(text, encoding="utf-8")
    config = BoxConfig(binds=(Bind(source=str(folder), target="/task"),))
    return Sample(id="s", input="do", sandbox=SandboxEnvironmentSpec("bwrap", config))


@pytest.mark.sandbox
@IN_EVAL[0]
@IN_EVAL[1]
class TestAttempts:
    """Whole attempts in real boxes."""

    def test_an_easy_item_is_solved_and_the_transcript_tells_how(
        self, built: tuple[Built, ...], tmp_path: Path
    ) -> None:
        """Reading, fuzzing, shortening and handing in are messages; no tokens were used."""
        one = built[0]
        sample = attempt(
            sample_for(one.item, one.folder), tmp_path, judge=differential(), runs=600_000, seed=1
        )
        assert sample.error is None
        assert (sample.scores or {})["differential"].answer == "solved"
        text = said(sample)
        for part in ("Read ", "bytes that do it", "Shortened from", "Handed in"):
            assert part in text
        assert sample.model_usage == {}
        assert sample.output.usage is not None
        assert sample.output.usage.total_tokens == 0

    def test_a_python_item_is_solved_with_the_agents_own_fuzzer(
        self, scripts: tuple[Built, ...], tmp_path: Path
    ) -> None:
        """It is brought into the box, runs as many inputs as its share, and its finding counts."""
        one = next(one for one in scripts if one.item.family == "command-injection")
        sample = attempt(
            sample_for(one.item, one.folder), tmp_path, judge=differential(), runs=500_000, seed=1
        )
        assert (sample.scores or {})["differential"].answer == "solved"
        assert "I bring a fuzzer" in said(sample)
        less = attempt(
            sample_for(one.item, one.folder), tmp_path, judge=differential(), runs=125, seed=1
        )
        assert "ended after 1 of 1 runs and found nothing" in said(less)
        assert (less.scores or {})["differential"].answer == "not_solved"

    def test_a_program_without_source_is_tried_blindly(self, tmp_path: Path) -> None:
        """Batches of inputs are run against the stripped program; what is said tells how many."""
        params = dataclasses.replace(LEVELS[0], binary=True)
        (item,) = SUITE.draw(SEED, 1, families=FAMILIES[5:6], params=[params])
        assert SUITE.prepare(item, SEED, tmp_path / item.id).ok
        sample = attempt(
            sample_for(item, tmp_path / item.id),
            tmp_path,
            judge=differential(),
            runs=800_000,
            seed=1,
        )
        assert sample.error is None
        assert re.search(r"after [\d,]+ (of [\d,]+ )?runs", said(sample))
        assert "an unknown number" not in said(sample)

    def test_equal_seeds_do_the_same_and_others_differ(
        self, built: tuple[Built, ...], tmp_path: Path
    ) -> None:
        """Messages, with their counts of runs, and the answer repeat exactly."""
        one = built[0]
        made = [
            attempt(
                sample_for(one.item, one.folder), tmp_path, judge=left(), runs=600_000, seed=seed
            )
            for seed in (3, 3, 4)
        ]
        told = [(said(sample), (sample.scores or {})["left"].answer) for sample in made]
        assert told[0] == told[1]
        assert told[0] != told[2]

    def test_a_budget_used_up_hands_in_nothing(
        self, built: tuple[Built, ...], tmp_path: Path
    ) -> None:
        """The message names the runs; the outcome is "not solved"."""
        one = built[-1]
        sample = attempt(
            sample_for(one.item, one.folder), tmp_path, judge=differential(), runs=2_000, seed=1
        )
        assert "ended after 2,000 of 2,000 runs and found nothing" in said(sample)
        assert (sample.scores or {})["differential"].answer == "not_solved"

    def test_a_program_that_does_not_build_ends_the_attempt(self, tmp_path: Path) -> None:
        """No answer is left and no error raised: the subject could not do it."""
        task = {"language": "c", "sources": ["a.c"], "input_bytes_max": 9}
        sample = script_sample(tmp_path / "t", task, {"a.c": "int broken("})
        made = attempt(sample, tmp_path, judge=left(), runs=10, seed=1)
        assert made.error is None
        assert "does not build" in said(made)
        assert (made.scores or {})["left"].answer == ""

    def test_a_task_with_its_own_fuzzer_gets_runs_seed_and_a_place_for_crashes(
        self, tmp_path: Path
    ) -> None:
        """The task's own number of runs holds; the crash it leaves is handed in as it is."""
        fuzz = (
            'for word in "$@"; do case "$word" in -artifact_prefix=*) p="${word#*=}";; esac; done\n'
        )
        fuzz += (
            'printf "%s" "$*" > "${p}1"; echo "stat::number_of_executed_units: 55" >&2; exit 77\n'
        )
        task = {
            "language": "python",
            "fuzz": ["sh", "/task/f.sh"],
            "runs": 55,
            "input_bytes_max": 99,
        }
        sample = script_sample(tmp_path / "t", task, {"f.sh": fuzz})
        made = attempt(sample, tmp_path, judge=left(), runs=10, seed=6)
        assert "after 55 runs" in said(made)
        answer = (made.scores or {})["left"].answer
        assert answer
        assert base64.b64decode(answer) == b"-runs=55 -seed=7 -artifact_prefix=/box/crash-"

    def test_an_over_long_crash_is_not_handed_in(self, tmp_path: Path) -> None:
        """The limit of the task is kept."""
        fuzz = "head -c 100 /dev/zero > /box/crash-1\n"
        task = {"language": "python", "fuzz": ["sh", "/task/f.sh"], "input_bytes_max": 99}
        sample = script_sample(tmp_path / "t", task, {"f.sh": fuzz})
        made = attempt(sample, tmp_path, judge=left(), runs=10, seed=1)
        assert "100 bytes are more than the 99 allowed" in said(made)
        assert (made.scores or {})["left"].answer == ""

    def test_a_flood_of_output_ends_the_fuzzer_and_not_the_attempt(self, tmp_path: Path) -> None:
        """What it found before still counts."""
        fuzz = "printf x > /box/crash-1; exec head -c 30000000 /dev/zero\n"
        task = {"language": "python", "fuzz": ["sh", "/task/f.sh"], "input_bytes_max": 99}
        sample = script_sample(tmp_path / "t", task, {"f.sh": fuzz})
        made = attempt(sample, tmp_path, judge=left(), runs=10, seed=1)
        assert made.error is None
        assert "printed too much" in said(made)
        assert (made.scores or {})["left"].answer == "eA=="

    def test_a_task_without_a_fuzzer_is_left_alone(self, tmp_path: Path) -> None:
        """The transcript says so."""
        sample = script_sample(tmp_path / "t", {"language": "python", "input_bytes_max": 9})
        made = attempt(sample, tmp_path, judge=left(), runs=10, seed=1)
        assert "nothing that I can run" in said(made)

    def test_a_fuzzer_that_hangs_is_stopped_and_reported(self, tmp_path: Path) -> None:
        """The emergency stop is no crash."""
        task = {"language": "python", "fuzz": ["sh", "-c", "sleep 1000"], "input_bytes_max": 9}
        sample = script_sample(tmp_path / "t", task)
        made = attempt(sample, tmp_path, judge=left(), runs=10, seed=1, seconds=1)
        assert "did not end within 1 s" in said(made)
        assert (made.scores or {})["left"].answer == ""
