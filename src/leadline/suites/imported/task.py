"""Any Inspect task, by name or file, as it is: its samples, and its own scorer asked about an answer.

Naming a task runs its Python code in this process, as ``inspect eval`` does: name only tasks whose
code you would run.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from inspect_ai import Task, list_tasks
from inspect_ai._eval.loader import load_tasks
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelName, ModelOutput
from inspect_ai.scorer import Scorer, Target, value_to_float
from inspect_ai.solver import TaskState

from leadline.core.errors import Invalid, NotFound
from leadline.suites.imported.source import Found, OwnTask, Skipped

SAMPLES_MAX = 100_000
_MODEL = "mockllm/model"
_FILE = re.compile(r"(.+\.py)(?:@(\w+))?")
# What a file of tasks, which is anyone's Python code, ends with when it does not load.
_LOADING = (
    *(ImportError, LookupError, ValueError, TypeError, SyntaxError, OSError),
    *(ArithmeticError, AssertionError, AttributeError, NameError, RuntimeError, PrerequisiteError),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a task's own scorer said of one answer."""

    solved: bool
    words: str


def located(source: str) -> str:
    """*source* as every folder and process understands it: a task of a package, or ``/path/file.py@task``.

    Raises: NotFound, if there is no such file or it holds no task of that name; Invalid, if it is a
    folder, or holds several tasks and none is named.
    """
    if Path(source).is_dir():
        raise Invalid("PATH", f"{source} is a folder; name one task: FILE.py@TASK or PACKAGE/TASK")
    named = _FILE.fullmatch(source)
    if named is None:
        return source
    given, name = named[1], named[2] or ""
    path = Path(given).resolve()
    if not path.is_file():
        raise NotFound(f"{given} is not here; name a file with a task, or a task of a package")
    names = [info.name for info in list_tasks([path.name], root_dir=path.parent)]
    if not names and not name:
        raise NotFound(f"{given} holds no Inspect task: no function stands under @task")
    if name and names and name not in names:
        raise NotFound(f"{given} holds no Inspect task {name}; it holds {', '.join(names)}")
    if not name and len(names) > 1:
        held = f"holds {len(names)} tasks ({', '.join(names)})"
        raise Invalid(given, f"{held}; name one: {given}@TASK")
    return f"{path}@{name or names[0]}"


@cache
def own_task(source: str) -> Task:
    """The one Inspect task that *source* names: ``package/task``, ``file.py@task`` or ``file.py``.

    Raises: NotFound, if there is none; Invalid, if it does not load or names several.
    """
    try:
        found = load_tasks([located(source)])
    except _LOADING as error:
        raise Invalid(source, f"does not load: {type(error).__name__}: {error}") from error
    if not found:
        raise NotFound(f"{source} names no Inspect task; is its package installed?")
    if len(found) > 1:
        raise Invalid(source, f"names {len(found)} tasks; name one: FILE.py@TASK or PACKAGE/TASK")
    return found[0]


def read(source: str) -> "list[Found]":
    """Every sample of the task, in its order; those that bring what cannot be shown here are skipped.

    Raises: as `own_task`; Invalid, if it has no scorer or too many samples.
    """
    task = own_task(source)
    own_scorers(task)
    if len(task.dataset) > SAMPLES_MAX:
        raise Invalid(source, f"has {len(task.dataset)} samples, more than {SAMPLES_MAX}")
    return [_sample(task, number) for number in range(len(task.dataset))]


def _sample(task: Task, number: int) -> Found:
    sample = task.dataset[number]
    id_ = str(sample.id if sample.id is not None else number + 1)
    if sample.choices:
        return Skipped(
            id_, "multiple choice: only the task's own solver asks it; run it with inspect"
        )
    if sample.files or sample.setup:
        return Skipped(id_, "brings files or a set-up of its own sandbox; run it with inspect eval")
    sandbox = sample.sandbox or task.sandbox
    if sandbox is not None and sandbox.type not in {"local", "bwrap"}:
        return Skipped(id_, f"runs in the sandbox {sandbox.type}; run it with inspect eval")
    targets = (sample.target,) if isinstance(sample.target, str) else tuple(sample.target)
    return OwnTask(id_, _prompt(sample.input), number, tuple(one for one in targets if one))


def _prompt(given: object) -> str:
    if isinstance(given, str):
        return given
    assert isinstance(given, list)  # noqa: S101 -- Inspect's type of an input
    return "\n\n".join(message.text for message in given)


def own_scorers(task: Task) -> list[Scorer]:
    """The task's own scorers.

    Raises: Invalid, if it has none.
    """
    if not task.scorer:
        raise Invalid(str(task.name), "has no scorer: nothing can be said about an answer")
    return list(task.scorer)


async def ask_own_scorer(task: Task, number: int, answer: str) -> Asked:
    """What the own scorer says of *answer* to sample *number*, without a model or a sandbox.

    A scorer that needs either is quoted with its complaint: it then accepts nothing here.
    """
    sample = task.dataset[number]
    said = ChatMessageAssistant(content=answer, model=_MODEL, source="generate")
    output = ModelOutput.from_content(_MODEL, answer)
    asked = ChatMessageUser(content=_prompt(sample.input))
    state = TaskState(
        model=ModelName(_MODEL),
        sample_id=sample.id or number + 1,
        epoch=1,
        input=sample.input,
        messages=[asked, said],
        target=Target(sample.target),
        output=output,
        completed=True,
        metadata=dict(sample.metadata or {}),
    )
    try:
        score = await own_scorers(task)[0](state, Target(sample.target))
    except (RuntimeError, LookupError, ValueError, TypeError, OSError, AttributeError) as error:
        return Asked(
            solved=False, words=f"the own scorer cannot judge an answer alone: {error}"[:200]
        )
    if score is None:
        return Asked(solved=False, words="the own scorer gave no score")
    value = value_to_float()(score.value)
    return Asked(value >= 1, f"own scorer: {score.value}")
