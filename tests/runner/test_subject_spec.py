"""From words on a command line to a subject."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.assessment import Budget
from leadline.core.errors import Invalid, Unavailable
from leadline.runner import subject
from refusal import answer


def test_the_baseline_is_a_tool_agent_with_a_budget_of_runs() -> None:
    """No model, no tokens, a number of runs; one at a time, because it keeps a core busy."""
    found = subject.resolve("baseline", Budget())
    assert (found.subject.kind, found.subject.name, found.model) == ("tool-agent", "baseline", None)
    assert found.budget.runs > 0
    assert found.budget.tokens == 0
    assert found.parallel == 1
    assert callable(found.agent(2))
    asked = subject.resolve("baseline", Budget(runs=7, tokens=9, seconds=3))
    assert asked.budget == Budget(runs=7, seconds=3)


@pytest.mark.parametrize(
    "name", ["openai/gpt-x", "openai-api/local/scripted", "vllm/org/name-7B", "hf/a/b@c:d"]
)
def test_a_model_is_named_as_inspect_names_it(name: str) -> None:
    """The provider's own words pass unchanged; tokens, time and money are its budget."""
    found = subject.resolve(name, Budget(runs=5, tokens=100, cost_micro_usd=2))
    assert (found.subject.kind, found.subject.name, found.model) == ("model", name, name)
    assert (found.budget.runs, found.budget.tokens, found.budget.cost_micro_usd) == (0, 100, 2)
    assert found.budget.seconds > 0
    assert callable(found.agent(1))


def test_digests_tell_subjects_apart() -> None:
    """Another name or another number of runs is another subject; the same is the same."""
    specs = [("baseline", 7), ("baseline", 8), ("a/b", 0), ("a/c", 0)]
    digests = [subject.resolve(s, Budget(runs=runs)).subject.digest for s, runs in specs]
    assert len(set(digests)) == len(specs)
    assert subject.resolve("baseline", Budget(runs=7)).subject.digest == digests[0]


@pytest.mark.parametrize(
    "spec", ["", "nonsense", "Baseline", "a/", "/b", "a b/c", "a/b c", "a/b\n"]
)
def test_other_words_are_refused_with_the_cure(spec: str) -> None:
    """The field is named, and so is what it could have been."""
    with pytest.raises(Invalid, match="baseline") as refused:
        subject.resolve(spec, Budget())
    assert refused.value.field == "subject"


@given(st.text(max_size=30))
def test_any_text_is_a_subject_or_is_refused(spec: str) -> None:
    """No words end in another error."""
    told = answer(lambda data: subject.resolve(data.decode(), Budget()), spec.encode())
    assert told.field == "subject" if isinstance(told, Invalid) else told.subject.name == spec


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_a_compiler_the_baseline_is_unavailable(bare_path: Path) -> None:
    """The cause is named before anything is begun."""
    assert shutil.which("clang") is None
    with pytest.raises(Unavailable, match="clang is not installed"):
        subject.resolve("baseline", Budget())
