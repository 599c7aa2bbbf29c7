"""From the words on a command line to a subject that Inspect can run."""

import hashlib
import inspect as source_of
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from inspect_ai.agent import Agent
from inspect_ai.model import Model

from leadline.core import ladder
from leadline.core.assessment import Budget, Subject
from leadline.core.errors import Invalid, Unavailable
from leadline.core.identity import Declared
from leadline.formats.canonical import encode
from leadline.runner import endpoint
from leadline.subjects import baseline as tool_agent
from leadline.subjects import ladder as ladder_agents
from leadline.subjects import model as model_subject
from leadline.subjects import mutator, patcher, prober, scan_range

BASELINE = "baseline"
PATIENCE_SECONDS = 600
RETRIES = 2
UNDECLARED = Declared("", "")
TELLABLE = ("version", "variant", "weights")
NOTHING_TOLD: Mapping[str, str] = MappingProxyType({})
MODEL_NAME = re.compile(r"[a-z0-9_-]+(/[A-Za-z0-9._:@+-]+)+")


@dataclass(frozen=True, slots=True)
class Runnable:
    """A subject with all that a shard needs to run it.

    *model* is Inspect's model name; the tool agent uses none. *declared* is what is said of it
    beforehand, whose digest is the subject's; *attempts* how often the rung tries each item at least.
    *parallel* is how many samples one
    worker runs at a time: a tool agent keeps a core busy, a model mostly waits. An endpoint that has
    not answered one question after *patience_seconds*, repeats included, is our failure.
    """

    subject: Subject
    model: str | None
    agent: Callable[[int], Agent]  # given the number of the repeat
    budget: Budget
    parallel: int
    patience_seconds: int = PATIENCE_SECONDS
    declared: Declared = UNDECLARED
    attempts: int = 1
    retries: int = RETRIES  # of a sample that our own side failed

    def open(self) -> Model | None:
        """The model to be run, with a client of its own that takes bounded answers.

        Raises: Unavailable, if its provider cannot be set up here.
        """
        return endpoint.open_model(self.model) if self.model else None


def resolve(
    spec: str, budget: Budget, *, rung: str = "", told: Mapping[str, str] = NOTHING_TOLD
) -> Runnable:
    """The subject that *spec* names: ``baseline``, or a model as Inspect names it.

    Parts of *budget* that are 0 take the defaults of the *rung*, a configuration of the elicitation
    ladder. *told* is what else is declared of a model: version, variant, weights.

    Raises: Invalid, if *spec* is neither, the rung is unknown or meant for a model, or *told* names
    anything else.
    """
    unknown = sorted(set(told) - set(TELLABLE))
    if unknown:
        raise Invalid(
            "--declare", f"{', '.join(unknown)} cannot be declared; there are {', '.join(TELLABLE)}"
        )
    if spec == BASELINE:
        if rung:
            raise Invalid("--rung", "the ladder is for models; leave it out for the tool baseline")
        runs = budget.runs or tool_agent.RUNS
        full = Budget(runs, 0, budget.seconds or tool_agent.SECONDS, 0)
        digest = _digest(BASELINE, *_tool_sources(), _compiler(), str(runs))
        own = Declared("leadline", BASELINE, scaffold=digest)
        subject = Subject("tool-agent", BASELINE, digest)
        return Runnable(
            subject,
            None,
            lambda epoch: tool_agent.baseline(runs=runs, seed=epoch),
            full,
            1,
            declared=own,
        )
    if not MODEL_NAME.fullmatch(spec):
        raise Invalid(
            "subject",
            f"{spec!r} is no subject; use 'baseline' or a model as Inspect names it, such as "
            "openai/NAME, anthropic/NAME, openai-api/SERVICE/NAME or vllm/NAME",
        )
    step = ladder.rung(rung)
    provider, _, name = spec.partition("/")
    declared = Declared(
        provider,
        name,
        version=told.get("version", ""),
        variant=told.get("variant", ""),
        weights=told.get("weights", ""),
        scaffold=_scaffold(),
        rung=step.name,
        tools=step.tools,
    )
    subject = Subject("model", spec, declared.digest)
    agent = _AGENTS[step.name]
    return Runnable(
        subject,
        spec,
        lambda _: agent(),
        step.budget(budget),
        4,
        declared=declared,
        attempts=step.attempts,
    )


_AGENTS: Mapping[str, Callable[[], Agent]] = {
    "plain": ladder_agents.plain,
    "novice": ladder_agents.novice,
    "tools": model_subject.model_agent,
    "best-of-k": model_subject.model_agent,
    "more-budget": model_subject.model_agent,
}


def _tool_sources() -> list[str]:
    """The source of everything that the tool agent may do, whatever the task."""
    return [
        source_of.getsource(part) for part in (tool_agent, mutator, patcher, prober, scan_range)
    ]


def _scaffold() -> str:
    """The digest of the code that surrounds a model, of every rung."""
    parts = (source_of.getsource(model_subject), source_of.getsource(ladder_agents))
    return _digest(*parts, model_subject.SCAFFOLD, ladder_agents.SCAFFOLD)


def _digest(*parts: str) -> str:
    return hashlib.sha256(encode(parts)).hexdigest()


def _compiler() -> str:
    """The compiler's version line: the tool agent is no better than its fuzzer."""
    compiler = shutil.which("clang")
    if compiler is None:
        raise Unavailable("clang is not installed; run `make setup`")
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]
