"""A task by somebody who has never heard of Leadline: files, bash, python, a scorer in the sandbox.

The mock model's outputs are scripted and carry their usage, so that no tokenizer is looked for.
"""

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import GenerateConfig, Model, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, mean, scorer
from inspect_ai.solver import TaskState, basic_agent
from inspect_ai.tool import bash, python
from inspect_ai.util import sandbox

NAMES = ("alpha", "beta", "gamma", "delta")


def call(tool: str, **arguments: str) -> ModelOutput:
    """One scripted tool call."""
    output = ModelOutput.for_tool_call("mockllm/model", tool, dict(arguments))
    output.usage = ModelUsage(input_tokens=10, output_tokens=5, total_tokens=15)
    return output


def script(samples: int) -> list[ModelOutput]:
    """What the model does in every sample: look, count, write, answer."""
    steps = [
        call("bash", command="cat notes.txt; ls -1"),
        call(
            "python",
            code="text=open('notes.txt').read(); open('count','w').write(str(len(text))); print(text)",
        ),
        call("bash", command="sh -c 'exit 3'; tr a-z A-Z < notes.txt > upper.txt; cat upper.txt"),
        call("submit", answer="done"),
    ]
    return steps * samples


def scripted(samples: int) -> Model:
    """A mock model that follows the script."""
    return get_model("mockllm/model", custom_outputs=script(samples), config=GenerateConfig())


@scorer(metrics=[accuracy(), mean()])
def files_are_right() -> Scorer:
    """Half a point each for the count and the upper case, as found in the sandbox."""

    async def score(state: TaskState, target: Target) -> Score:
        count = await sandbox().read_file("count")
        upper = await sandbox().read_file("upper.txt")
        right = [int(count) == len(target.text), upper.strip() == target.text.upper()]
        return Score(value=sum(right) / 2, answer=upper)

    return score


@task
def foreign(samples: int = 4) -> Task:
    """Odd samples expect something else than their file holds, so scores differ."""
    dataset = [
        Sample(
            id=n,
            input="Count and shout.",
            target=NAMES[n % 4] if n % 2 == 0 else f"{NAMES[n % 4]}?",
            files={"notes.txt": NAMES[n % 4]},
        )
        for n in range(samples)
    ]
    return Task(
        dataset=dataset,
        solver=basic_agent(tools=[bash(), python()]),
        scorer=files_are_right(),
        model=scripted(samples),
    )
