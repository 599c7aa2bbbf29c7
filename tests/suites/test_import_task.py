"""Claims about Inspect tasks by name or file: their own samples, their own scorer."""

from pathlib import Path

import pytest
from inspect_ai import eval as run_eval
from inspect_ai.log import EvalSample
from inspect_ai.solver import Generate, Solver, TaskState, solver

from imported_world import reason, suite, take, told
from leadline.core.errors import Invalid, NotFound
from leadline.core.isolation import Tier
from leadline.core.qualification import Extent
from leadline.runner import results
from leadline.runner.tasks import imported
from leadline.suites.imported.task import own_task
from suites.targets import IN_EVAL

TASKS = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import includes, match, scorer, accuracy
from inspect_ai.solver import Generate, solver

@solver
def says(text):
    async def solve(state, generate):
        state.output.completion = text
        return state
    return solve

@task
def capitals():
    talk = [ChatMessageSystem(content="Be brief."), ChatMessageUser(content="Capital of Peru?")]
    return Task(
        dataset=[
            Sample(id="fr", input="Capital of France?", target="Paris"),
            Sample(id="pe", input=talk, target=["Lima", "Lima, Peru"]),
            Sample(id="mc", input="Which?", choices=["a", "b"], target="A"),
            Sample(id="no", input="Anything?", target=""),
            Sample(id="fi", input="Read it.", target="x", files={"a": "b"}),
            Sample(id="do", input="Serve it.", target="x", sandbox="docker"),
        ],
        solver=says("Paris"),
        scorer=match(location="any"),
    )

@task
def lax():
    return Task(dataset=[Sample(input="Say flag{temp}.", target="flag{temp}")], scorer=includes())

@task
def told():
    text = "The answer is a very long word indeed."
    return Task(dataset=[Sample(input=text, target="a very long word indeed")], scorer=includes())

@task
def unscored():
    return Task(dataset=[Sample(input="Anything?")])

@scorer(metrics=[accuracy()])
def needs_sandbox():
    async def score(state, target):
        from inspect_ai.util import sandbox
        await sandbox().read_file("x")
    return score

@task
def boxed():
    return Task(dataset=[Sample(input="Anything?", target="y")], scorer=needs_sandbox(), sandbox="local")

@scorer(metrics=[accuracy()])
def says_nothing():
    async def score(state, target):
        return None
    return score

@task
def unsaid():
    return Task(dataset=[Sample(input="Anything?", target="y")], scorer=says_nothing())
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of Inspect tasks, as anyone may have one."""
    path = tmp_path_factory.mktemp("tasks") / "own_tasks.py"
    path.write_text(TASKS)
    return path


@pytest.mark.sandbox
def test_each_sample_is_tried_with_the_tasks_own_scorer(file: Path, tmp_path: Path) -> None:
    """What the own scorer tells apart qualifies; what only the task itself can ask is skipped."""
    manifest = take("inspect", f"{file}@capitals", tmp_path, name="capitals")
    assert told(manifest) == {
        "fr": "",
        "pe": "",
        "mc": "skipped",
        "no": "reference_solution",
        "fi": "skipped",
        "do": "skipped",
    }
    assert "multiple choice" in reason(manifest, "mc")
    assert "runs in the sandbox docker" in reason(manifest, "do")
    held = suite(tmp_path, "capitals")
    first, second = held.items(b"")
    prompt = held.sample(second, held.place(second), Tier.SHARED_KERNEL).input
    assert prompt == "Be brief.\n\nCapital of Peru?"
    assert first.oracle.kind == "own"


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("name", "check", "why"),
    [
        ("lax", "trivial_solutions", "flag{temp}"),
        ("told", "trivial_solutions", "echo of the prompt"),
        ("boxed", "reference_solution", "cannot judge an answer alone"),
        ("unsaid", "reference_solution", "gave no score"),
    ],
)
def test_a_task_that_the_gate_rejects_stays_unqualified(
    file: Path, tmp_path: Path, name: str, check: str, why: str
) -> None:
    """A guessable answer, a told one, a scorer that needs a sandbox or says nothing."""
    whole = Extent(references=1, repeats=1)
    manifest = take("inspect", f"{file}@{name}", tmp_path, name=name, extent=whole)
    (entry,) = manifest.items
    assert entry.check == check
    assert why in entry.reason


@solver
def answering(text: str) -> Solver:
    """Gives *text* as the final answer."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state.output.completion = text
        return state

    return solve


def judged(out: Path, text: str) -> EvalSample:
    """The first item of the imported task, answered with *text* and judged by the suite."""
    from inspect_ai import Task

    held = suite(out, "capitals")
    item = held.items(b"")[0]
    sample = held.sample(item, held.place(item), Tier.SHARED_KERNEL)
    task = Task(dataset=[sample], solver=answering(text), scorer=held.scorer())
    (log,) = run_eval(task, model=None, log_dir=str(out / "logs"), display="none")
    assert log.status == "success", log.error
    assert log.samples is not None
    return log.samples[0]


@IN_EVAL[0]
@IN_EVAL[1]
@pytest.mark.sandbox
def test_the_own_scorer_judges_through_our_runner(file: Path, tmp_path: Path) -> None:
    """Its verdict is the sample's outcome, as `runner.results` reads it."""
    take("inspect", f"{file}@capitals", tmp_path, name="capitals")
    right = results.sample_result(judged(tmp_path, "It is Paris"), "a.eval", 1)
    wrong = results.sample_result(judged(tmp_path, "Lyon"), "a.eval", 1)
    assert (right.state, right.solved, right.outcome) == ("scored", True, "solved")
    assert (wrong.state, wrong.solved, wrong.reason) == ("scored", False, "own scorer: I")
    assert right.box["seal"] == wrong.box["seal"] != ""


@IN_EVAL[0]
@IN_EVAL[1]
@pytest.mark.sandbox
def test_the_whole_task_runs_as_it_is(file: Path, tmp_path: Path) -> None:
    """`leadline/imported` runs the source's task with its own solver, and marks what is unqualified."""
    take("inspect", f"{file}@capitals", tmp_path, name="capitals")
    task = imported(folder=str(tmp_path / "capitals"))
    assert len(task.dataset) == len(own_task(f"{file}@capitals").dataset)
    assert task.metadata is not None
    assert task.metadata["unqualified_samples"] == 1
    (log,) = run_eval(
        task,
        model=None,
        log_dir=str(tmp_path / "logs"),
        display="none",
        sample_id=["fr"],
    )
    assert log.status == "success", log.error
    assert log.samples is not None
    assert [score.value for score in (log.samples[0].scores or {}).values()] == ["C"]


def test_what_is_no_task_is_told(file: Path, tmp_path: Path) -> None:
    """A file or name without a task, one with several, and one without a scorer name the cure."""
    (tmp_path / "empty.py").write_text("x = 1\n")
    (tmp_path / "broken.py").write_text(
        "import no_such_module\nfrom inspect_ai import task\n@task\ndef f(): pass\n"
    )
    with pytest.raises(NotFound):
        own_task(str(tmp_path / "absent.py"))
    with pytest.raises(NotFound):
        own_task(str(tmp_path / "empty.py"))
    with pytest.raises(NotFound):
        own_task("no_such_package/no_such_task")
    (tmp_path / "one.py").write_text(
        "from inspect_ai import Task, task\n@task\ndef only(): return Task(name='only')\n"
    )
    assert own_task(str(tmp_path / "one.py")).name == "only"
    with pytest.raises(Invalid, match="does not load"):
        own_task(f"{tmp_path / 'broken.py'}@f")
    with pytest.raises(Invalid, match="name one: "):
        own_task(str(file))
    with pytest.raises(Invalid, match="has no scorer"):
        take("inspect", f"{file}@unscored", tmp_path)
