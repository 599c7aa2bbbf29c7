"""From the words on a command line to a subject that Inspect can run."""

import hashlib
import inspect as source_of
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from inspect_ai.agent import Agent

from leadline.core.assessment import Budget, Subject
from leadline.core.errors import Invalid, Unavailable
from leadline.formats.canonical import encode
from leadline.subjects import baseline as tool_agent
from leadline.subjects import model as model_subject

BASELINE = "baseline"
PATIENCE_SECONDS = 600
MODEL_NAME = re.compile(r"[a-z0-9_-]+(/[A-Za-z0-9._:@+-]+)+")


@dataclass(frozen=True, slots=True)
class Runnable:
    """A subject with all that a shard needs to run it.

    *model* is Inspect's model name; the tool agent uses none. *parallel* is how many samples one
    worker runs at a time: a tool agent keeps a core busy, a model mostly waits. An endpoint that has
    not answered one question after *patience_seconds*, repeats included, is our failure.
    """

    subject: Subject
    model: str | None
    agent: Callable[[int], Agent]  # given the number of the repeat
    budget: Budget
    parallel: int
    patience_seconds: int = PATIENCE_SECONDS


def resolve(spec: str, budget: Budget) -> Runnable:
    """The subject that *spec* names: ``baseline``, or a model as Inspect names it.

    Parts of *budget* that are 0 take the subject's defaults.

    Raises: Invalid, if *spec* is neither.
    """
    if spec == BASELINE:
        runs = budget.runs or tool_agent.RUNS
        full = Budget(runs, 0, budget.seconds or tool_agent.SECONDS, 0)
        digest = _digest(BASELINE, source_of.getsource(tool_agent), _compiler(), str(runs))
        subject = Subject("tool-agent", BASELINE, digest)
        return Runnable(
            subject, None, lambda epoch: tool_agent.baseline(runs=runs, seed=epoch), full, 1
        )
    if not MODEL_NAME.fullmatch(spec):
        raise Invalid(
            "subject",
            f"{spec!r} is no subject; use 'baseline' or a model as Inspect names it, such as "
            "openai/NAME, anthropic/NAME, openai-api/SERVICE/NAME or vllm/NAME",
        )
    full = Budget(0, budget.tokens or 500_000, budget.seconds or 1_800, budget.cost_micro_usd)
    digest = _digest(spec, source_of.getsource(model_subject), model_subject.SCAFFOLD)
    subject = Subject("model", spec, digest)
    return Runnable(subject, spec, lambda _: model_subject.model_agent(), full, 4)


def _digest(*parts: str) -> str:
    return hashlib.sha256(encode(parts)).hexdigest()


def _compiler() -> str:
    """The compiler's version line: the tool agent is no better than its fuzzer."""
    compiler = shutil.which("clang")
    if compiler is None:
        raise Unavailable("clang is not installed; run `make setup`")
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]
