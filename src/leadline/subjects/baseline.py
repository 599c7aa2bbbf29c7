"""The tool baseline: a subject without any language model, on the same footing as one.

It acts only through the sample's sandbox, as a model's tools do: it reads the task, looks for what
a static check would point at, builds with AddressSanitizer and libFuzzer, fuzzes, shortens what it
found and leaves it as the answer. Its budget is a number of runs and a seed, never a time, so that
a second attempt with the same seed does the same. What it did stands in the messages of the sample.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import getsource
from math import ceil

from inspect_ai.agent import Agent, AgentState, agent
from inspect_ai.model import ChatMessageAssistant, ModelOutput, ModelUsage
from inspect_ai.util import ExecResult, OutputLimitExceededError, SandboxEnvironment, sandbox

from leadline.core.errors import Invalid
from leadline.subjects import mutator
from leadline.subjects.patcher import Effort, Patcher, parse_patch
from leadline.subjects.prober import Prober, parse_range
from leadline.suites.item import SUBMISSION, TASK

NAME = "leadline/baseline"
RUNS = 1_000_000  # inputs that one attempt may try
SECONDS = 300  # an emergency stop of one command; reaching it is reported and never ordinary
BARE_SHARE = 125  # runs of libFuzzer that take about as long as one of the agent's own fuzzer
SHORTER_RUNS = 24  # runs that shortening one input may take

_PROGRAM, _WORDS, _CRASH = "/box/fuzz-target", "/box/words", "/box/crash-"
_MUTATOR = "/box/mutator.py"
_BYTES_MAX = 512  # longest input the fuzzer tries; longer ones only cost speed
_SANITIZER = {"ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:symbolize=0"}
# Fixed code addresses and no clock in any choice, so that equal seeds give equal runs. Inputs are not
# reduced: that throws away the long sequences that a flaw over several records needs. With its own
# search for leaks on, libFuzzer repeats a run whenever another of its threads happens to hold memory,
# so that equal seeds count one run more or less.
_BUILD = ("clang", "-g", "-O1", "-fsanitize=address,fuzzer", "-fno-omit-frame-pointer", "-no-pie")
_LIMITS = ("-timeout=20", "-rss_limit_mb=1536")
_FUZZER = ("-print_final_stats=1", *_LIMITS, "-reduce_inputs=0", "-detect_leaks=0")
_NUMBER = re.compile(r"\b(0x[0-9a-fA-F]+|[0-9]+)[uUlL]*\b")
_FUNCTION = re.compile(r"^\w[\w *]*?\b(\w+)\([^;]*\)\s*\{", re.MULTILINE)
_HINTS = {
    "copies": re.compile(r"\b(?:memcpy|memmove|memset|strcpy|strcat|sprintf)\s*\("),
    "allocations": re.compile(r"\b(?:malloc|calloc|realloc)\s*\("),
    "releases": re.compile(r"\bfree\s*\("),
    "indexed stores": re.compile(r"\w\[[^\]\d][^\]]*\]\s*[-+^|&]?="),
}
_STATS = re.compile(r"stat::number_of_executed_units: *(\d+)")


@dataclass(frozen=True, slots=True)
class CTask:
    """A task in C: sources to be built with a fuzzing entry."""

    sources: tuple[str, ...]
    samples: tuple[str, ...]
    input_bytes_max: int


@dataclass(frozen=True, slots=True)
class ScriptTask:
    """A task that brings its own fuzzer; *runs* is 0 where the task does not bound them."""

    argv: tuple[str, ...]
    runs: int
    input_bytes_max: int


@dataclass(frozen=True, slots=True)
class BareTask:
    """A task for which the agent brings its own fuzzer; *python* is how the box calls Python."""

    python: tuple[str, ...]
    input_bytes_max: int


@agent(name="baseline")
def baseline(runs: int = RUNS, seed: int = 1, seconds: float = SECONDS) -> Agent:
    """The tool agent, with *runs* fuzzing runs an attempt; *seed* names the attempt.

    *seconds* stops any one command in an emergency; it is no part of the budget.

    A task with its own fuzzer may ask for fewer runs than *runs* or more: its number then holds.

    Raises: Invalid, if either number is negative or *runs* is 0; when run, Invalid too, if the
    task's description is unreadable.
    """
    if runs < 1 or seed < 0:
        raise Invalid("runs, seed", f"need at least 1 and 0, not {runs} and {seed}")

    async def execute(state: AgentState) -> AgentState:
        attempt = _Attempt(sandbox(), state, runs, seed, seconds)
        text = await attempt.box.read_file(f"{TASK}/task.json")
        repair = parse_patch(text)
        if repair is not None:
            await Patcher(attempt.box, state, Effort(runs, seed, seconds)).repair(repair)
            return state
        place = parse_range(text)
        if place is not None:
            await Prober(attempt.box, state, runs, seed, seconds).probe(place)
            return state
        task = parse_task(text)
        if task is None:
            attempt.say("The task brings nothing that I can run. I hand in nothing.")
        elif isinstance(task, CTask):
            await attempt.solve_c(task)
        elif isinstance(task, BareTask):
            await attempt.solve_bare(task)
        else:
            await attempt.solve_script(task)
        return state

    return execute


def parse_task(text: str) -> CTask | ScriptTask | BareTask | None:
    """What ``task.json`` asks for; None where it brings no fuzzer.

    Raises: Invalid, if it is no such description.
    """
    try:
        task = json.loads(text)
        limit = int(task["input_bytes_max"])
        if task["language"] == "c":
            return CTask(tuple(task["sources"]), tuple(task.get("samples", ())), limit)
        if "program" in task:
            return BareTask(("python3",), limit)
        if "driver" in task:
            return BareTask(("/usr/bin/env", *task["command"]), limit)
        if "fuzz" not in task:
            return None
        return ScriptTask(tuple(task["fuzz"]), int(task.get("runs", 0)), limit)
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid("task.json", f"unreadable: {error!r}") from error


def constants(source: str) -> list[bytes]:
    """The whole numbers over 255 of a C source as bytes, in both orders, for a dictionary."""
    found: set[bytes] = set()
    for number in _NUMBER.finditer(source):
        digits = number[1]
        value = int(digits, 16 if digits[:2].lower() == "0x" else 10)
        for width, low in ((2, 1 << 8), (4, 1 << 16)):
            if low <= value < 1 << (8 * width):
                found |= {value.to_bytes(width, "big"), value.to_bytes(width, "little")}
    return sorted(found)


def dictionary(words: Sequence[bytes]) -> str:
    """*words* in libFuzzer's form."""
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words)


def hints(source: str) -> dict[str, dict[str, int]]:
    """For each kind of doubtful operation, the functions that contain it and how often."""
    starts = [(match.start(), match[1]) for match in _FUNCTION.finditer(source)]
    found: dict[str, dict[str, int]] = {kind: {} for kind in _HINTS}
    for number, (start, name) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else len(source)
        for kind, pattern in _HINTS.items():
            count = len(pattern.findall(source, start, end))
            if count:
                found[kind][name] = count
    return found


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at one task, in one sandbox."""

    box: SandboxEnvironment
    state: AgentState
    runs: int
    seed: int
    seconds: float

    def say(self, text: str) -> None:
        """Add *text* to the sample's messages; it costs no tokens."""
        message = ChatMessageAssistant(content=text, model=NAME, source="generate")
        self.state.messages.append(message)
        self.state.output = ModelOutput.from_content(NAME, text)
        self.state.output.usage = ModelUsage(input_tokens=0, output_tokens=0, total_tokens=0)

    async def solve_c(self, task: CTask) -> None:
        """Read, build, fuzz, shorten, hand in."""
        text = ""
        for source in task.sources:
            text += await self.box.read_file(f"{TASK}/{source}")
        words = constants(text)
        await self.box.write_file(_WORDS, dictionary(words))
        self.say(_summary(hints(text), len(words), text.count("\n")))
        sources = [f"{TASK}/{source}" for source in task.sources]
        built = await self._run([*_BUILD, *sources, "-o", _PROGRAM])
        if built is None or not built.success:
            self.say("The program does not build with libFuzzer. I hand in nothing.")
            return
        samples = ",".join(f"{TASK}/{sample}" for sample in task.samples)
        longest = min(task.input_bytes_max, _BYTES_MAX)
        options = [f"-dict={_WORDS}", f"-max_len={longest}", "-verbosity=1", *_FUZZER]
        options += [f"-seed_inputs={samples}"] if samples else []
        found = await self._fuzz([_PROGRAM, *options], self.runs)
        if found is not None:
            await self._hand_in(await self._shorter(found), task.input_bytes_max)

    async def solve_script(self, task: ScriptTask) -> None:
        """Run the task's own fuzzer; it may leave the answer itself."""
        found = await self._fuzz(list(task.argv), task.runs or self.runs)
        if found is not None:
            await self._hand_in(found, task.input_bytes_max)

    async def solve_bare(self, task: BareTask) -> None:
        """Bring the fuzzer for programs that are no C source, run it, hand in."""
        await self.box.write_file(_MUTATOR, getsource(mutator))
        self.say("I bring a fuzzer that guesses the format from the samples.")
        runs = ceil(self.runs / BARE_SHARE)
        found = await self._fuzz([*task.python, _MUTATOR, TASK], runs)
        if found is not None:
            await self._hand_in(found, task.input_bytes_max)

    async def _run(
        self, argv: Sequence[str], env: Mapping[str, str] | None = None
    ) -> ExecResult[str] | None:
        """The command's end; None where it was stopped for its time or its output."""
        try:
            return await self.box.exec(
                list(argv), env=dict(env or {}), timeout=ceil(self.seconds), timeout_retry=False
            )
        except TimeoutError:
            self.say(f"{argv[0]} did not end within {self.seconds} s and was stopped.")
        except OutputLimitExceededError:
            self.say(f"{argv[0]} printed too much and was stopped.")
        return None

    async def _fuzz(self, argv: Sequence[str], runs: int) -> bytes | None:
        """The first input that the fuzzer stopped at, if it stopped before its *runs* were over."""
        # libFuzzer takes a seed of 0 for "draw one".
        budget = [f"-runs={runs}", f"-seed={self.seed + 1}", f"-artifact_prefix={_CRASH}"]
        ended = await self._run([*argv, *budget], _SANITIZER)
        counted = _STATS.search(ended.stderr) if ended else None
        tried = f"{int(counted[1]):,}" if counted else "an unknown number of"
        listed = await self._run(["/bin/sh", "-c", f"ls {_CRASH}* 2>/dev/null"])
        names = sorted(listed.stdout.split()) if listed else ()
        if not names:
            self.say(
                f"Fuzzing with seed {self.seed} ended after {tried} of {runs:,} runs and found nothing."
            )
            return None
        found = await self.box.read_file(names[0], text=False)
        self.say(
            f"Fuzzing with seed {self.seed} stopped at {len(found)} bytes that do it, after {tried} runs."
        )
        return found

    async def _shorter(self, found: bytes) -> bytes:
        """*found* cut from its end, as far as it still crashes, within `SHORTER_RUNS` runs."""
        best, low, spent = found, 0, 0
        while low + 1 < len(best) and spent < SHORTER_RUNS:
            middle = (low + len(best)) // 2
            spent += 1
            if await self._crashes(best[:middle]):
                best = best[:middle]
            else:
                low = middle
        self.say(f"Shortened from {len(found)} to {len(best)} bytes in {spent} runs.")
        return best

    async def _crashes(self, data: bytes) -> bool:
        await self.box.write_file("/box/shorter", data)
        ended = await self._run([_PROGRAM, "/box/shorter"], _SANITIZER)
        return ended is not None and "ERROR: AddressSanitizer" in ended.stderr

    async def _hand_in(self, proof: bytes, limit: int) -> None:
        if len(proof) > limit:
            self.say(f"{len(proof)} bytes are more than the {limit} allowed. I hand in nothing.")
            return
        await self.box.write_file(SUBMISSION, proof)
        self.say(f"Handed in {len(proof)} bytes as {SUBMISSION}.")


def _summary(found: Mapping[str, Mapping[str, int]], words: int, lines: int) -> str:
    """What the static checks saw, in words."""
    parts = [
        f"{sum(functions.values())} {kind} in {len(functions)} functions"
        for kind, functions in found.items()
    ]
    busiest: dict[str, int] = {}
    for functions in found.values():
        for name, count in functions.items():
            busiest[name] = busiest.get(name, 0) + count
    names = sorted(busiest, key=lambda name: (-busiest[name], name))[:5]
    return (
        f"Read {lines} lines of C: {', '.join(parts)}. Most to check in: {', '.join(names)}. "
        f"{words} constants go into the fuzzer's dictionary."
    )
