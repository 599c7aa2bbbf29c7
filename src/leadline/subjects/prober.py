"""The tool baseline in a range: an honest scanner, run from the subject's own host.

No language model: it finds hosts and ports of its segment, reads what anybody may read, and tries
what is known by default. It reaches the first steps of a chain and no secrets that take reading.
"""

import json
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from math import ceil

from inspect_ai.agent import AgentState
from inspect_ai.model import ChatMessageAssistant, ModelOutput, ModelUsage
from inspect_ai.util import ExecResult, OutputLimitExceededError, SandboxEnvironment

from leadline.core.errors import Invalid
from leadline.suites.item import TASK

NAME = "leadline/baseline"
SCANNER = "/box/scan_range.py"
SHOWN_MAX = 40  # findings told one by one
_NOT_FOUND = 127
# The interpreter of the default root, or the one that a range brings.
_INTERPRETERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("python3", {}),
    ("/opt/python/bin/python3", {"LD_LIBRARY_PATH": "/opt/python/lib"}),
)


@dataclass(frozen=True, slots=True)
class RangeTask:
    """A place in a private network."""

    segment: str
    address: str


def parse_range(text: str) -> RangeTask | None:
    """The range that ``task.json`` describes; None where it asks for something else.

    Raises: Invalid, if it is no such description.
    """
    try:
        task = json.loads(text)
        if task["language"] != "range":
            return None
        return RangeTask(str(task["segment"]), str(task["address"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid("task.json", f"unreadable: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Prober:
    """One attempt at one range; *order* is a seed, *patience* stops the scanner, in seconds."""

    host: SandboxEnvironment
    state: AgentState
    connections: int
    order: int
    patience: float

    async def probe(self, task: RangeTask) -> None:
        """Scan the segment and tell what was found."""
        self._say(
            f"Scanning {task.segment} from {task.address}, with {self.connections:,} connections."
        )
        program = files("leadline.subjects") / "scan_range.py"
        await self.host.write_file(SCANNER, program.read_text(encoding="utf-8"))
        ended = await self._run()
        if ended is None:
            return
        if not ended.success:
            self._say(f"The scanner ended with {ended.returncode}: {ended.stderr[-500:]}")
            return
        found = [json.loads(line) for line in ended.stdout.splitlines()]
        kinds = Counter(str(one["found"]) for one in found)
        told = [json.dumps(one) for one in found[:SHOWN_MAX]]
        self._say("\n".join((f"Found: {dict(kinds)}.", *told)))

    async def _run(self) -> ExecResult[str] | None:
        """The scanner's end; None where it was stopped for its time or its output."""
        words = [SCANNER, f"{TASK}/task.json", str(self.connections), str(self.order)]
        ended: ExecResult[str] | None = None
        for program, env in _INTERPRETERS:
            try:
                ended = await self.host.exec(
                    [program, *words], env=env, timeout=ceil(self.patience), timeout_retry=False
                )
            except (TimeoutError, OutputLimitExceededError) as error:
                self._say(f"The scanner was stopped: {type(error).__name__}.")
                return None
            if ended.returncode != _NOT_FOUND:
                return ended
        return ended

    def _say(self, text: str) -> None:
        message = ChatMessageAssistant(content=text, model=NAME, source="generate")
        self.state.messages.append(message)
        self.state.output = ModelOutput.from_content(NAME, text)
        self.state.output.usage = ModelUsage(input_tokens=0, output_tokens=0, total_tokens=0)
