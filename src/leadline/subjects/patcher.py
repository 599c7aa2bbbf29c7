"""The tool baseline for repairs: edits of a few common kinds at the place that a report names.

No language model. It builds the program with AddressSanitizer in the sample's sandbox, runs the
proof, takes source lines from the report, tries small edits there one after another, and keeps the
first after which the proof is silent, the public tests are answered as before, and a short fuzzing
from the proof finds nothing. It knows no more than a subject does, and is often wrong in the ways
that the suite tells apart: a guard too narrow, or one that refuses ordinary files.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import PurePosixPath

from inspect_ai.agent import AgentState
from inspect_ai.model import ChatMessageAssistant, ModelOutput, ModelUsage
from inspect_ai.util import ExecResult, OutputLimitExceededError, SandboxEnvironment

from leadline.core.errors import Invalid
from leadline.suites.item import TASK

NAME = "leadline/baseline"
TRIES = 16  # edits that one attempt may try
FUZZ_RUNS = 20_000  # runs of the check after an edit that looks right

_PROGRAM, _FUZZER, _LOG = "/box/program", "/box/fuzzer", "/box/report"
_BASE = "detect_leaks=0:allocator_may_return_null=1:symbolize=0"
_BUILD = ("clang", "-g", "-O1", "-fno-omit-frame-pointer", "-fno-inline", "-w")
_FRAME = re.compile(r"#\d+ 0x[0-9a-f]+ +\(/box/program\+(0x[0-9a-f]+)\)")
_FUNCTION = re.compile(r"^\w[\w *]*?\b(\w+)\(([^;{]*)\)\s*\{", re.MULTILINE)
_ARRAY = re.compile(r"^\s*(?:static |const )*\w+ \*?(\w+)\[([^\]]+)\]", re.MULTILINE)
_MADE = re.compile(r"([\w>.-]+) = (malloc|calloc)\(([^;]*)\);")
_POINTER = re.compile(r"const uint8_t \*(\w+), size_t (\w+)")
_COPY = re.compile(r"\b(?:memcpy|memmove|memset)\(([^,]+), (?:[^,]+), ([^;]+)\);")
_FREE = re.compile(r"^(\s*)free\(([^;]+)\);", re.MULTILINE)
_NARROW = re.compile(r"^(\s+)uint(?:8|16|32)_t (\w+)( = [^;,]+)?;", re.MULTILINE)
_TEST = re.compile(r"(?<![->=<])([<>])(?![<>=])")


@dataclass(frozen=True, slots=True)
class PatchTask:
    """A tree to be repaired; *proof* is empty where the flaw must be found first.

    *command* are the first words by which a tree of Python is run.
    """

    language: str
    sources: tuple[str, ...]
    patchable: tuple[str, ...]
    patched: str
    proof: str
    tests: tuple[str, ...]
    command: tuple[str, ...] = ()


def parse_patch(text: str) -> PatchTask | None:
    """The repair that ``task.json`` asks for; None where it asks for something else.

    Raises: Invalid, if it is no such description.
    """
    try:
        task = json.loads(text)
        if task.get("goal") != "patch":
            return None
        return PatchTask(
            str(task["language"]),
            tuple(task["sources"]),
            tuple(task["patchable"]),
            str(task["patched"]),
            str(task["proof"]),
            tuple(task["tests"]),
            tuple(task.get("command", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid("task.json", f"unreadable: {error!r}") from error


_STAND, _ROUTINES_MAX = "/box/stand", 3
# Prints the first line of every routine (a function of two arguments) of one file, when it is called.
_TRACE = """\
import runpy, sys
name, proof = sys.argv[1:]
def seen(frame, event, argument):
    code = frame.f_code
    if code.co_filename.endswith("/" + name) and code.co_argcount == 2 and code.co_name != "lay_out":
        sys.__stdout__.write(f"called {code.co_firstlineno}\\n")
sys.argv = ["driver.py", proof]
sys.settrace(seen)
runpy.run_path(__file__.replace("trace.py", "driver.py"), run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """One changed text of the source, and what was changed."""

    what: str
    text: str


def edits(source: str, lines: Sequence[int]) -> Iterator[Edit]:
    """Edits of *source* near *lines*, those of the report, likeliest first; none twice."""
    seen = {source}
    kinds = (_guarded, _widened, _cleared, _tightened, _refused)
    for kind in kinds:
        for edit in kind(source, lines):
            if edit.text not in seen:
                seen.add(edit.text)
                yield edit


def _function(source: str, line: int) -> tuple[int, int, str]:
    """First and last line of the function around *line*, from 1, and its parameters."""
    start, end, parameters = 1, source.count("\n") + 1, ""
    for match in _FUNCTION.finditer(source):
        at = source.count("\n", 0, match.start()) + 1
        if at > line:
            end = at - 1
            break
        start, parameters = at, match[2]
    return start, end, parameters


def _with_line(source: str, line: int, new: str) -> str:
    rows = source.split("\n")
    rows[line - 1] = new
    return "\n".join(rows)


def _guarded(source: str, lines: Sequence[int]) -> Iterator[Edit]:
    """The statement at a line runs only where each access in it is within its buffer."""
    rows = source.split("\n")
    for line in lines:
        row = rows[line - 1] if line <= len(rows) else ""
        if not row.rstrip().endswith(";"):
            continue
        start, end, parameters = _function(source, line)
        body = "\n".join(rows[start - 1 : end])
        for condition in _conditions(row, _sizes(source, body, parameters)):
            indent = row[: len(row) - len(row.lstrip())]
            guard = f"{indent}{{ if ({condition}) return -1; {row.strip()} }}"
            yield Edit(f"line {line}: refuse where {condition}", _with_line(source, line, guard))


def _sizes(source: str, body: str, parameters: str) -> dict[str, str]:
    """How many elements each buffer that the function knows of has, as an expression of C."""
    sizes = {name: f"sizeof({name}) / sizeof({name}[0])" for name, _ in _ARRAY.findall(source)}
    for name, how, arguments in _MADE.findall(body):
        product = re.sub(r",(?![^(]*\))", " *", arguments) if how == "calloc" else arguments
        sizes[name] = f"(size_t)({product})"
    sizes |= dict(_POINTER.findall(parameters))
    return sizes


def _conditions(row: str, sizes: Mapping[str, str]) -> Iterator[str]:
    """Conditions under which an access in the statement *row* leaves its buffer."""
    for target, length in _COPY.findall(row):
        name, _, offset = target.partition(" + ")
        if name.strip() in sizes:
            yield f"(size_t)({offset or 0}) + (size_t)({length}) > {sizes[name.strip()]}"
    for name, size in sizes.items():
        for index in _indices(row, name):
            yield f"(size_t)({index}) >= {size}"
        for offset in re.findall(rf"\({re.escape(name)} \+ ([^()]+)\)", row):
            yield f"(size_t)({offset}) + 2 > {size}"


def _indices(row: str, name: str) -> Iterator[str]:
    """What stands between the brackets behind *name*, each time."""
    for match in re.finditer(rf"(?<![\w>.]){re.escape(name)}\[", row):
        depth, at = 1, match.end()
        while at < len(row) and depth:
            depth += {"[": 1, "]": -1}.get(row[at], 0)
            at += 1
        yield row[match.end() : at - 1]


def _widened(source: str, lines: Sequence[int]) -> Iterator[Edit]:
    """A narrow local number becomes as wide as sizes are."""
    for start, end in _spans(source, lines):
        rows = source.split("\n")
        body = "\n".join(rows[start - 1 : end])
        for match in _NARROW.finditer(body):
            text = f"{match[1]}size_t {match[2]}{match[3] or ''};"
            changed = body[: match.start()] + text + body[match.end() :]
            yield Edit(
                f"{match[2]} as size_t", "\n".join([*rows[: start - 1], changed, *rows[end:]])
            )


def _cleared(source: str, lines: Sequence[int]) -> Iterator[Edit]:
    """What is released is forgotten: everywhere in the functions of the report, then one by one."""
    rows = source.split("\n")
    spans = list(_spans(source, lines))
    changed = list(rows)
    for start, end in spans:
        for at in range(start - 1, min(end, len(rows))):
            changed[at] = _FREE.sub(_forgets, rows[at])
    yield Edit("released pointers are cleared", "\n".join(changed))
    for start, end in spans:
        for at in range(start - 1, min(end, len(rows))):
            if _FREE.match(rows[at]):
                yield Edit(
                    f"line {at + 1}: the released pointer is cleared",
                    _with_line(source, at + 1, _FREE.sub(_forgets, rows[at])),
                )


def _forgets(match: re.Match[str]) -> str:
    name = match[2]
    plain = re.fullmatch(r"[\w>.\[\]-]+", name) is not None
    return f"{match[1]}{{ free({name}); {name} = NULL; }}" if plain else match[0]


def _tightened(source: str, lines: Sequence[int]) -> Iterator[Edit]:
    """One comparison of a check is one stricter."""
    rows = source.split("\n")
    for start, end in _spans(source, lines):
        for at in range(start - 1, min(end, len(rows))):
            if not rows[at].lstrip().startswith("if ("):
                continue
            for match in _TEST.finditer(rows[at]):
                row = f"{rows[at][: match.start()]}{match[1]}={rows[at][match.end() :]}"
                yield Edit(f"line {at + 1}: one stricter", _with_line(source, at + 1, row))


def _refused(source: str, lines: Sequence[int]) -> Iterator[Edit]:
    """The statement is never reached: the routine refuses instead."""
    rows = source.split("\n")
    for line in lines:
        row = rows[line - 1] if line <= len(rows) else ""
        if row.rstrip().endswith(";"):
            indent = row[: len(row) - len(row.lstrip())]
            yield Edit(f"line {line}: refuses", _with_line(source, line, f"{indent}return -1;"))


_DEF = re.compile(r"^(\s*)def \w+\(\w+, (\w+)\):")
_DOUBTFUL = ("'", "..", "/", ";", "&", "|", "$", "(", "__", "\n")


def script_edits(source: str, lines: Sequence[int]) -> Iterator[Edit]:
    """Edits of the Python routines that begin at *lines*: stricter checks, then refusing signs."""
    rows = source.split("\n")
    for line in lines:
        head = _DEF.match(rows[line - 1]) if line <= len(rows) else None
        if head is None:
            continue
        end = next((at for at in range(line, len(rows)) if rows[at].startswith("def ")), len(rows))
        for at in range(line, end):
            for match in _TEST.finditer(rows[at] if " if " in f" {rows[at].strip()} " else ""):
                row = f"{rows[at][: match.start()]}{match[1]}={rows[at][match.end() :]}"
                yield Edit(f"line {at + 1}: one stricter", _with_line(source, at + 1, row))
        unit = rows[line][: len(rows[line]) - len(rows[line].lstrip())]
        conditions = [f"{sign.encode()!r} in {head[2]}" for sign in _DOUBTFUL]
        for condition in (*conditions, f"not {head[2]}.isalnum()", "True"):
            guard = f"{rows[line - 1]}\n{unit}if {condition}:\n{unit}{unit[:1] or ' '}return False"
            yield Edit(f"line {line}: refuses if {condition}", _with_line(source, line, guard))


def _spans(source: str, lines: Sequence[int]) -> list[tuple[int, int]]:
    return list(dict.fromkeys(_function(source, line)[:2] for line in lines))


@dataclass(frozen=True, slots=True)
class Effort:
    """What one attempt may use: fuzzing runs, their seed, and seconds for any one command."""

    runs: int
    seed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Patcher:
    """One attempt at one repair, in one sandbox."""

    box: SandboxEnvironment
    state: AgentState
    effort: Effort

    def say(self, text: str) -> None:
        """Add *text* to the sample's messages; it costs no tokens."""
        message = ChatMessageAssistant(content=text, model=NAME, source="generate")
        self.state.messages.append(message)
        self.state.output = ModelOutput.from_content(NAME, text)
        self.state.output.usage = ModelUsage(input_tokens=0, output_tokens=0, total_tokens=0)

    async def repair(self, task: PatchTask) -> None:
        """Build, run the proof, edit where the report points, hand in the first edit that holds."""
        if not task.proof:
            self.say("No file that sets the error off is given. I hand in nothing.")
            return
        path = task.patchable[0]
        source = await self.box.read_file(f"{TASK}/{path}")
        in_c = task.language == "c"
        lines = await (self._lines(task, path) if in_c else self._traced(task, path))
        if not lines:
            self.say("The error points at no line that may be changed. I hand in nothing.")
            return
        self.say(f"The error points at lines {', '.join(map(str, lines))} of {path}.")
        likely = edits(source, lines) if in_c else script_edits(source, lines)
        for tried, edit in zip(range(TRIES), likely, strict=False):
            found = await (self._judged if in_c else self._answers)(task, path, edit.text)
            if found:
                self.say(f"{tried + 1}. {edit.what}: {found}")
                continue
            await self.box.write_file(f"{task.patched}/{path}", edit.text)
            self.say(f"{tried + 1}. {edit.what}: holds. Handed in as {task.patched}/{path}.")
            return
        self.say("No edit that I know holds. I hand in nothing.")

    async def _lines(self, task: PatchTask, path: str) -> list[int]:
        """The lines of *path* that the report on the proof names, the innermost first."""
        built = await self._build(task, {}, "-fsanitize=address", _PROGRAM)
        if built:
            return []
        report = await self._report([f"{TASK}/{task.proof}"])
        offsets = list(dict.fromkeys(_FRAME.findall(report)))
        if not offsets:
            return []
        argv = ["addr2line", "-e", _PROGRAM, *offsets]
        told = await self._run(argv)
        places = told.stdout.splitlines() if told else []
        name = PurePosixPath(path).name
        numbers = re.findall(rf"/{re.escape(name)}:(\d+)", "\n".join(places))
        return list(dict.fromkeys(int(number) for number in numbers))

    async def _traced(self, task: PatchTask, path: str) -> list[int]:
        """Where the routines begin that the proof calls, the last first."""
        await self._stand(path, await self.box.read_file(f"{TASK}/{path}"))
        await self.box.write_file(f"{_STAND}/trace.py", _TRACE)
        name = PurePosixPath(path).name
        argv = [*self._python(task), f"{_STAND}/trace.py", name, f"{TASK}/{task.proof}"]
        done = await self._run(argv)
        called = re.findall(r"^called (\d+)$", done.stdout, re.MULTILINE) if done else []
        return list(dict.fromkeys(int(line) for line in reversed(called)))[:_ROUTINES_MAX]

    async def _answers(self, task: PatchTask, path: str, text: str) -> str:
        """Why the edited *text* of a Python module does not hold; empty if it does."""
        await self._stand(path, text)
        driver = [*self._python(task), f"{_STAND}/driver.py"]
        done = await self._run([*driver, f"{TASK}/{task.proof}"])
        if done is None or not done.success:
            return "does not run"
        if done.stdout.rstrip().endswith(" secret"):
            return "the proof still brings the secret out"
        for test in task.tests:
            done = await self._run([*driver, f"{TASK}/{test}"])
            expected = await self.box.read_file(f"{TASK}/{test}.expected")
            if done is None or done.stdout != expected:
                return "a public test is answered otherwise"
        return ""

    async def _stand(self, path: str, text: str) -> None:
        """The driver, its key and the edited module in one folder."""
        await self._run(["/bin/sh", "-c", f"mkdir -p {_STAND} && cp {TASK}/src/* {_STAND}/"])
        await self.box.write_file(f"{_STAND}/{PurePosixPath(path).name}", text)

    @staticmethod
    def _python(task: PatchTask) -> list[str]:
        return ["/usr/bin/env", *task.command]

    async def _judged(self, task: PatchTask, path: str, text: str) -> str:
        """Why the edited *text* does not hold; empty if it does, as far as this can be told."""
        wrong = await self._build(task, {path: text}, "-fsanitize=address", _PROGRAM)
        if wrong:
            return "does not build"
        if await self._report([f"{TASK}/{task.proof}"]):
            return "the proof still shows the error"
        for test in task.tests:
            done = await self._run([_PROGRAM, f"{TASK}/{test}"])
            expected = await self.box.read_file(f"{TASK}/{test}.expected")
            if done is None or done.stdout != expected:
                return "a public test is answered otherwise"
        return await self._fuzzed(task, path, text)

    async def _fuzzed(self, task: PatchTask, path: str, text: str) -> str:
        """Whether a short fuzzing from the proof and the tests still finds an error."""
        if await self._build(task, {path: text}, "-fsanitize=address,fuzzer", _FUZZER):
            return "does not build with libFuzzer"
        seeds = ",".join(f"{TASK}/{name}" for name in (task.proof, *task.tests))
        argv = [_FUZZER, f"-seed_inputs={seeds}", f"-runs={min(self.effort.runs, FUZZ_RUNS)}"]
        argv += [f"-seed={self.effort.seed + 1}", "-max_len=512", "-detect_leaks=0", "-verbosity=0"]
        argv += ["-artifact_prefix=/box/crash-", "-timeout=20"]
        done = await self._run(argv)
        return "" if done is not None and done.success else "fuzzing finds an error"

    async def _build(
        self, task: PatchTask, changed: Mapping[str, str], sanitizer: str, out: str
    ) -> str:
        """Build the tree with *changed* files; why it failed, or nothing."""
        folder = "/box/work"
        await self._run(["/bin/sh", "-c", f"mkdir -p {folder} && cp -r {TASK}/src {folder}/"])
        for path, text in changed.items():
            await self.box.write_file(f"{folder}/{path}", text)
        fuzzing = "fuzzer" in sanitizer
        sources = [one for one in task.sources if not fuzzing or one in task.patchable]
        argv = [*_BUILD, sanitizer, *(f"{folder}/{one}" for one in sources), "-o", out]
        done = await self._run(argv)
        return "" if done is not None and done.success else "refused by the compiler"

    async def _report(self, arguments: Sequence[str]) -> str:
        """What AddressSanitizer says of a run of the program; empty where it says nothing."""
        done = await self._run([_PROGRAM, *arguments])
        if done is None:
            return "ended by its limits"
        return done.stderr if "ERROR: AddressSanitizer" in done.stderr else ""

    async def _run(self, argv: Sequence[str]) -> ExecResult[str] | None:
        """The command's end; None where it was stopped for its time or its output."""
        env = {"ASAN_OPTIONS": _BASE}
        try:
            return await self.box.exec(
                list(argv), env=env, timeout=ceil(self.effort.seconds), timeout_retry=False
            )
        except TimeoutError:
            self.say(f"{argv[0]} did not end within {self.effort.seconds} s and was stopped.")
        except OutputLimitExceededError:
            self.say(f"{argv[0]} printed too much and was stopped.")
        return None
