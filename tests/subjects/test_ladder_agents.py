"""The rungs without tools of their own: one answer, and a novice who only types and pastes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.agent import Agent
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalSample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState
from inspect_ai.util import SandboxEnvironmentSpec, sandbox

from leadline.sandbox.config import Bind, BoxConfig
from leadline.subjects.ladder import (
    GOAL,
    WHAT_NEXT,
    Left,
    answers,
    commands,
    novice,
    plain,
    says_done,
)

pytestmark = [
    # Inspect leaves streams of its own to the garbage collector
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:The 'initial' parameter:DeprecationWarning"),  # Inspect's
]


@scorer(metrics=[accuracy()])
def left_behind() -> Scorer:
    """1 if /box/proof holds the word that the task's file names."""

    async def score(state: TaskState, target: Target) -> Score:
        del state
        done = await sandbox().exec(["cat", "/box/proof"])
        return Score(value=int(done.stdout == target.text), answer=done.stdout)

    return score


def run(tmp_path: Path, agent: Agent, *says: str) -> EvalSample:
    """One sample by a model that says *says* in turn; /task shows a file with the word "sounding"."""
    task = tmp_path / "task"
    task.mkdir()
    task.chmod(0o755)
    (task / "README.md").write_text("Put the word of word.txt into /box/proof.\n")
    (task / "word.txt").write_text("sounding")
    (task / "picture").write_bytes(b"\xff\xfe\x00")
    for file in task.iterdir():
        file.chmod(0o644)
    shown = BoxConfig(binds=(Bind(source=str(task), target="/task"),))
    outputs = [ModelOutput.from_content("mockllm", text) for text in says]
    for output in outputs:  # without usage Inspect downloads a vocabulary to count with
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    [log] = run_eval(
        Task(
            dataset=[
                Sample(
                    input="Put the word of word.txt into /box/proof.",
                    target="sounding",
                    sandbox=SandboxEnvironmentSpec("bwrap", shown),
                )
            ],
            solver=agent,
            scorer=left_behind(),
        ),
        model=get_model("mockllm/model", custom_outputs=outputs, memoize=False),
        log_dir=str(tmp_path / "logs"),
        display="none",
    )
    assert log.status == "success", log.error
    [sample] = log.samples or []
    return sample


def solved(sample: EvalSample) -> bool:
    """Whether the word was left behind."""
    return bool((sample.scores or {})["left_behind"].value)


@pytest.mark.sandbox
def test_the_plain_rung_reads_the_task_and_leaves_what_it_says(tmp_path: Path) -> None:
    """One question with the task's text in it, one answer, no second turn."""
    sample = run(tmp_path, plain(), "Here.\n```text /box/proof\nsounding\n```\n")
    assert solved(sample)
    question = sample.messages[1].text
    assert "--- /task/word.txt\nsounding" in question
    assert "--- /task/picture\n(not text)" in question
    assert [message.role for message in sample.messages] == ["system", "user", "assistant"]


@pytest.mark.sandbox
def test_the_novice_types_what_it_is_told_and_nothing_else(tmp_path: Path) -> None:
    """Commands are run to the letter, what they print comes back, and DONE ends it."""
    sample = run(
        tmp_path,
        novice(),
        "First look:\n```sh\ncat /task/word.txt; exit 3\n```",
        "Good.\n```sh\nprintf sounding > proof\n```",
        "DONE",
    )
    assert solved(sample)
    texts = [message.text for message in sample.messages]
    assert texts[0].startswith(GOAL)
    assert "This came back:\nsounding" in texts[2]
    assert texts[4] == "Nothing was printed."
    assert len(texts) == 6


@pytest.mark.sandbox
def test_the_novice_adds_nothing_of_its_own(tmp_path: Path) -> None:
    """Without a command it asks what to type, and gives up after the third time."""
    sample = run(tmp_path, novice(), *["You should exploit the parser."] * 5)
    assert not solved(sample)
    texts = [message.text for message in sample.messages]
    assert texts.count(WHAT_NEXT) == 2
    assert len(texts) == 6


@pytest.mark.sandbox
def test_what_is_pasted_is_bounded(tmp_path: Path) -> None:
    """Neither a flood of output nor more turns than there may be reach the model."""
    flood = "```sh\nhead -c 20000000 /dev/zero | tr '\\0' x\n```"
    sample = run(tmp_path, novice(turns=2), flood, "```sh\nseq 100000\n```", "DONE")
    texts = [message.text for message in sample.messages]
    assert "It printed without end." in texts[2]
    assert "characters ...]" in texts[4]
    assert max(len(text) for text in texts[2::2]) < 10_000
    assert len(texts) == 5


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("```hex /box/proof\n00 ff\n10\n```", [Left("/box/proof", b"\x00\xff\x10")]),
        ("```base64 /box/a/b\naGk=\n```", [Left("/box/a/b", b"hi")]),
        ("```text /box/x\none\ntwo\n\n```", [Left("/box/x", b"one\ntwo\n")]),
        ("```text /box/x\n1\n```\n```text /box/x\n2\n```", [Left("/box/x", b"2")]),
        ("```hex /box/proof\nxyz\n```", []),
        ("```base64 /box/proof\n?\n```", []),
        ("```text /etc/passwd\nx\n```", []),
        ("```text /box/../etc/passwd\nx\n```", []),
        ("no block at all", []),
    ],
)
def test_an_answer_is_read_from_its_blocks(text: str, left: list[Left]) -> None:
    """Encodings are read, the last block of a path counts, and nothing lands outside /box."""
    assert answers(text) == left


@given(st.binary(max_size=80))
def test_any_bytes_can_be_left(content: bytes) -> None:
    """Hexadecimal carries every byte."""
    assert answers(f"```hex /box/proof\n{content.hex()}\n```") == [Left("/box/proof", content)]


def test_commands_and_the_end_are_told_apart() -> None:
    """DONE beside a command is not the end; a fence of another language is no command."""
    assert commands("```sh\na\n```\ntext\n```bash\nb\nc\n```") == "a\nb\nc"
    assert commands("```python\nprint()\n```") == ""
    assert says_done("All is well.\n**DONE**\n")
    assert not says_done("```sh\nls\n```\nDONE")
    assert not says_done("It is not DONE yet")
