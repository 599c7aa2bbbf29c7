"""Crash reports: sanitizer text and CASR JSON (any of its modes), read into `Crash`.

Report text is untrusted: sizes are bounded, nothing in it is executed or followed. Addresses, process
ids, parameter lists and build folders are dropped; frames of the C library, the sanitizer runtime, the
fuzzer's driver and language libraries are not the program's own and are left out.
Sources: compiler-rt's report layout (LLVM 14 to 19); CASR's `.casrep` (github.com/ispras/casr, 2.13),
whose stacks are innermost first in every mode, Python's included.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leadline.core.clearing.crash import UNKNOWN, Crash, Frame
from leadline.core.clearing.sites import ZERO_PAGE
from leadline.core.errors import Invalid

FORMAT = "sanitizer"
REPORT_BYTES_MAX = 1 << 20
FRAMES_MAX = 256
WORDS_MAX = 120
DIGITS_MAX = 9
BESIDE_BYTES_MAX = 64
IMAGE_BYTES_MAX = 1 << 32
LINE_CHARACTERS_MAX = 4096

_ERROR = re.compile(r"(?:ERROR|WARNING): (\w*Sanitizer|libFuzzer): (.+)")
_RUNTIME_ERROR = re.compile(r"^(\S+?):(\d+)(?::\d+)?: runtime error: (.+)")
_VARIABLE = re.compile(
    r"[:,]|\s-?\d|\s0x|\s'"
)  # where an undefined-behaviour message turns specific
_WORDS = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NATIVE = re.compile(r"^\s*#\d+\s+(?:0x([0-9a-fA-F]{1,16})\b)?\s*(?:in\s+)?(.*)$")
_NATIVE_PLACE = re.compile(
    r"^(.*?)\s+(?:at\s+)?(\(?[^\s()]*[/.][^\s()]*?)(?::(\d+))?(?::(\d+))?\)?$"
)
_BUILD_ID = re.compile(r"\s*\(BuildId: ([0-9a-f]+)\)\s*$")
_START = re.compile(r"\b_start \((\S+)\+0x([0-9a-f]{1,16})\)")
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)")
_THROWN = re.compile(r"^(?:Exception in thread \".*?\"|== Java Exception:) ([\w.$]+)")
_SIGNALLED = re.compile(r"^(?:Program received|Program terminated with) signal (SIG[A-Z]+)")
_PANICKED = re.compile(r"^((?:panic|fatal error): [^\[]+)")
_GO = re.compile(r"^\t/\S+\.go:\d+")
_IN_MODULE = re.compile(r"(:\d+) \([^\s()]+\+0x[0-9a-f]+\)$")  # as ThreadSanitizer ends its lines
_MODULE = re.compile(r"\((/(?:(?!\.so[.+])[^\s()])*?)\+0x[0-9a-f]+\)")
_ASSERTED = re.compile(r"(?::(\d+): .*)?Assertion [`'](.+?)' failed")
_ACCESS = re.compile(r"^(READ|WRITE) of size|caused by a (READ|WRITE) memory access")
_OVERRUN = re.compile(r"\[\d+, \d+\) '([^']+)'(?: \(line (\d+)\))? <==")
_GLOBAL = re.compile(r"is located \d+ bytes ([a-z ]+?) (?:of )?global variable '([^']+)'")
_AFTER = {"to the right", "after", "inside"}  # an overrun belongs to what it began in
_CLONE = re.compile(r"(?:\.(?:cold|part|constprop|isra|llvm)(?:\.\d+)*)+$")
_NUMBERED = re.compile(r"\s*#\d+\s")
_INNERMOST = re.compile(r"\s*#0\s")
_STOPPED = frozenset({"ABRT", "deadly signal"})
_MADE = re.compile(r"^(?:previously )?allocated by thread")
_BESIDE = re.compile(
    r"is located (\d+) bytes (?:to the (?:right|left) of|after|before) \d+-byte region"
)
_MEMORY = re.compile(r"^__(?:asan|interceptor)_(?:mem|str|wcs|v?s?n?printf|read|fread)")
_IN_STACK = re.compile(r"is located in stack of thread")
_FREED = re.compile(r"^freed by thread")
_PYTHON = re.compile(r'^\s*File "(.+?)", line (\d+)(?:, in (\S+))?')
_CALL_IN = re.compile(  # Go and C#: call, then "in", then the place
    r"^\s*(?:at )?(.+?)(?:\s*\([^()]*\))?(?:\s\[0x[0-9a-f]+\])? in (\S+?):(?:line )?(\d+)"
)
_JAVA = re.compile(r"^\s*at ([\w.$<>/]+)\(([^():]+)(?::(\d+))?\)$")
_JAVASCRIPT = re.compile(r"^\s*at (?:(.+?) )?\(?([^()\s]+?):(\d+)(?::\d+)?\)?$")

_RUNTIME_FUNCTION = re.compile(
    r"^(?:_*(?:asan|ubsan|msan|tsan|lsan|hwasan|sanitizer|interceptor|libc|GI|pthread|restore)_"
    r"|fuzzer::|std::|__gnu_cxx|__cxx|__cxa_|_start$|main$|LLVMFuzzer|operator (?:new|delete)"
    r"|(?:__)?(?:raise|abort|gsignal|assert_fail|assert_perror_fail|libc_start_\w+)$"
    r"|(?:mem|str|wcs|wmem)(?:cpy|move|set|cmp|len|chr|cat|dup|ncpy|ncmp|ncat|str|nlen|casecmp)$"
    r"|(?:malloc|calloc|realloc|free|printf|fprintf|sprintf|snprintf|vsnprintf)$"
    r"|core::panic|std::panic|rust_begin_unwind|java\.|javax\.|sun\.|jdk\.|runtime\.|node:)"
)
_RUNTIME_FILE = re.compile(
    r"(?:compiler-rt/|/glibc[-/]|/sysdeps/|libc\.so|libpthread|libstdc\+\+|libc\+\+|ld-linux"
    r"|/include/c\+\+/|/bits/|libclang_rt|libasan|libubsan|/lib/python3|site-packages/atheris"
    r"|/rustc/|node:internal|<frozen)"
)
_ENTRY = re.compile(r"^(?:LLVMFuzzerTestOneInput$|main$|__libc_start)")
# Operators whose names hold brackets or a blank, and what stands for them while brackets are counted.
_BRACKETS = {
    "operator()": "\x01", "operator<<": "\x02", "operator<": "\x03", "operator>>": "\x04",
    "operator->": "\x05", "operator>": "\x06", "operator new": "\x0e", "operator delete": "\x0f",
}  # fmt: skip
_CASR_REPORTS = ("AsanReport", "UbsanReport", "PythonReport", "GoReport", "JavaReport", "RustReport",
                 "JsReport", "CSharpReport", "LuaReport")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Read:
    """The lines of a report by what they are about, and what crashed as far as it is said."""

    lines: Sequence[str]
    stack: Sequence[str]
    program: str = ""
    fallback: str = ""


def parse(data: bytes, name: str, *, program: str = "", proof: str = "", build: str = "") -> Crash:
    """Read one report; *name* becomes the crash's id, the rest is what the caller knows besides.

    Raises: Invalid, saying what is missing, if the bytes are no report this reader knows.
    """
    if len(data) > REPORT_BYTES_MAX:
        raise Invalid(name, f"longer than {REPORT_BYTES_MAX} bytes")
    text = data.decode("utf-8", errors="replace")
    if text.lstrip().startswith("{"):
        read = _casr(text, name)
    else:
        lines = [line[:LINE_CHARACTERS_MAX] for line in text.splitlines()]
        read = _Read(lines, _section(lines, None))
        if not _kind(lines):
            read = _other(lines)
    kind = _kind(read.lines) or read.fallback
    start = next((found for line in read.stack if (found := _START.search(line))), None)
    base = _address(start) if start else None
    frames = tuple(_own(_frames(read.stack, base))) or _runtime_error_place(read.lines)
    if not kind and not (frames and read.program):
        raise Invalid(name, "no report: expected a sanitizer's error, a traceback or a panic")
    digest = hashlib.sha256(repr((kind, frames)).encode()).hexdigest()
    thing, declared = _thing(read.lines, kind)
    return Crash(
        name,
        kind,
        frames,
        digest,
        program or read.program or _program(read.stack),
        proof,
        build,
        access=_access(read.lines),
        thing=thing,
        declared=declared,
        made=_made(read.lines, base) or _holder(read.lines, declared),
        freed=_evidence(read.lines, _FREED, base),
        image=_image(read.stack, base),
        folder=_folder(read.stack),
        into=_into(read.stack),
    )


def _other(lines: Sequence[str]) -> _Read:
    """A debugger's, Python's, Java's or Go's own words; no kind where they are none of these."""
    for n, line in enumerate(lines):
        rest = lines[n + 1 :]
        if line.startswith("Traceback (most recent call last)"):
            raised = next((found[1] for one in rest if (found := _RAISED.match(one))), "")
            return _Read(lines, [one for one in rest if _PYTHON.match(one)][::-1], "", raised)
        if found := _THROWN.match(line):
            return _Read(lines, [one for one in rest if _JAVA.match(one)], "", found[1])
        if found := _SIGNALLED.match(line):
            return _Read(lines, _section(rest, None), "", found[1])
        if found := _PANICKED.match(line):
            pairs = itertools.pairwise(rest)
            calls = [f"{call} in {place.strip()}" for call, place in pairs if _GO.match(place)]
            return _Read(lines, calls, "", _VARIABLE.split(found[1], maxsplit=1)[0].strip())
    return _Read(lines, ())


def _casr(text: str, name: str) -> _Read:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(name, f"no JSON: {error}") from None
    if not isinstance(document, Mapping) or "Stacktrace" not in document:
        raise Invalid(name, "no CASR report: expected an object with Stacktrace and CrashSeverity")
    lines = [line for field in _CASR_REPORTS for line in _texts(document.get(field))]
    severity = document.get("CrashSeverity")
    fallback = severity.get("ShortDescription") if isinstance(severity, Mapping) else None
    executable = document.get("ExecutablePath")
    program = executable.rpartition("/")[2] if isinstance(executable, str) else ""
    said = fallback if isinstance(fallback, str) else ""
    return _Read(lines, _texts(document["Stacktrace"]), program, said)


def _texts(value: object) -> list[str]:
    """The lines of a JSON array of texts; anything else holds none."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [line[:LINE_CHARACTERS_MAX] for line in value if isinstance(line, str)]


def _kind(lines: Iterable[str]) -> str:
    """The class of the first error: ``heap-buffer-overflow``, ``SEGV``, ``signed integer overflow``."""
    for line in lines:
        if found := _ERROR.search(line):
            return _error_class(found[1], found[2])
        if found := _RUNTIME_ERROR.search(line):
            return _VARIABLE.split(found[3], maxsplit=1)[0].strip()
    return ""


def _error_class(tool: str, message: str) -> str:
    words: list[str] = _WORDS.findall(message)
    if tool == "libFuzzer":
        return " ".join(words[:2])
    if words[:1] == ["attempting"]:
        return words[1] if len(words) > 1 else words[0]
    if words[:2] == ["requested", "allocation"]:
        return "allocation-size-too-big"
    return words[0] if words else tool


def _section(lines: Sequence[str], heading: re.Pattern[str] | None) -> list[str]:
    """The stack below a heading; without one the first of all, where it happened."""
    first: list[str] = []
    inside = heading is None
    for line in lines:
        if not inside:
            inside = heading is not None and bool(heading.search(line))
        elif _NUMBERED.match(line):
            if first and _INNERMOST.match(line):
                break
            first.append(line)
        elif first and heading is not None:
            break
    return first


def _evidence(
    lines: Sequence[str], heading: re.Pattern[str], base: int | None
) -> tuple[Frame, ...]:
    return tuple(_own(_frames(_section(lines, heading), base)))


def _made(lines: Sequence[str], base: int | None) -> tuple[Frame, ...]:
    """Where the block was made that was overrun; one far away only happened to be the nearest."""
    beside = next((found for line in lines if (found := _BESIDE.search(line))), None)
    if beside and int(beside[1][:DIGITS_MAX]) > BESIDE_BYTES_MAX:
        return ()
    return _evidence(lines, _MADE, base)


def _holder(lines: Sequence[str], declared: int) -> tuple[Frame, ...]:
    """The function whose frame an overrun variable lies in, at the line that declares the variable."""
    held = next(_frames(_section(lines, _IN_STACK)), None) if declared else None
    return (Frame(held.function, held.file.rpartition("/")[2], declared),) if held else ()


def _address(start: re.Match[str]) -> int | None:
    """Where the program's image was loaded, from the line of the function it began in."""
    found = _NATIVE.match(start.string)
    return int(found[1], 16) - int(start[2], 16) if found and found[1] else None


def _image(stack: Sequence[str], base: int | None) -> str:
    """What tells builds of one program apart: a build id, else where `main` lies."""
    for line in stack:
        if (found := _BUILD_ID.search(line)) and "_start (" in line:
            return found[1]
    for line in stack:
        frame = _frame(line, base)
        if base is not None and frame and _ENTRY.match(frame.function):
            return f"{frame.function}:{frame.line} at {frame.at:x}"
    return ""


def _program(stack: Iterable[str]) -> str:
    """The executable whose calls stand in the stack, where a line names it."""
    for line in stack:
        if (found := _MODULE.search(line)) and not _RUNTIME_FILE.search(line):
            return found[1].rpartition("/")[2]
    return ""


def _folder(stack: Sequence[str]) -> str:
    """Where the sources of the innermost own call lie."""
    for frame in _frames(stack):
        if frame.line and "/" in frame.file and not _foreign(frame):
            return frame.file.rpartition("/")[0]
    return ""


def _into(stack: Sequence[str]) -> str:
    """The function of the C library that the innermost own call was in, as the sanitizer names it."""
    first = next(_frames(stack), None)
    return first.function if first and _MEMORY.search(first.function) else ""


def _access(lines: Iterable[str]) -> str:
    for line in lines:
        if found := _ACCESS.search(line):
            return found[1] or found[2]
    return ""


def _thing(lines: Sequence[str], kind: str) -> tuple[str, int]:
    """What was overrun, or what the program said as it stopped; and where that is declared."""
    said, nearest = "", (True, "")
    for line in lines:
        if found := _OVERRUN.search(line):
            return re.sub(r"(?:\.i\d*)+$", "", found[1]), int(found[2] or 0)
        if found := _GLOBAL.search(line):
            nearest = (
                min(nearest, (found[1] not in _AFTER, found[2]))
                if nearest[1]
                else (found[1] not in _AFTER, found[2])
            )
        if found := _ASSERTED.search(line):
            return f"assertion {found[2]}", _number(found[1])
        if "address points to the zero page" in line:
            return ZERO_PAGE, 0
        if _ERROR.search(line):
            if kind in _STOPPED:
                return re.sub(r"0x[0-9a-fA-F]+|\d+|'[^']*'|\"[^\"]*\"", "", said)[:WORDS_MAX], 0
        elif line.strip("= ") and "DEADLYSIGNAL" not in line:
            said = line.strip()
    return nearest[1], 0


def _frames(lines: Iterable[str], base: int | None = None) -> Iterator[Frame]:
    for count, line in enumerate(lines):
        if count >= FRAMES_MAX:
            return
        frame = _frame(line, base)
        if frame is not None:
            yield frame


def _frame(line: str, base: int | None = None) -> Frame | None:
    """One stack line of any layout; None where it is none."""
    if found := _PYTHON.match(line):
        return Frame(found[3] or "<module>", _file(found[1]), _number(found[2]))
    if found := _NATIVE.match(line):
        at = int(found[1], 16) - base if found[1] and base is not None else UNKNOWN
        # Another module lies elsewhere in each run, so its calls have no address within this image.
        return _native(found[2].strip(), at if 0 <= at < IMAGE_BYTES_MAX else UNKNOWN)
    if found := _CALL_IN.match(line) or _JAVA.match(line) or _JAVASCRIPT.match(line):
        return Frame(_function(found[1] or ""), _file(found[2]), _number(found[3]))
    return None


def _native(rest: str, at: int) -> Frame:
    rest = _IN_MODULE.sub(r"\1", _BUILD_ID.sub("", rest))
    placed = _NATIVE_PLACE.match(f" {rest}")
    if placed is None:
        return Frame(_function(rest), at=at)
    if placed[2].startswith("("):
        return Frame(_function(placed[1]), f"({_file(placed[2])}", at=at)
    return Frame(_function(placed[1]), placed[2], _number(placed[3]), _number(placed[4]), at)


def _number(digits: str | None) -> int:
    """A line or column; one that no file can have counts as none."""
    return int(digits) if digits and len(digits) < DIGITS_MAX else 0


def _file(path: str) -> str:
    """The path without its module offset; folders stay, so that library frames can be told."""
    return path.strip("(").partition("+0x")[0]


def _function(name: str) -> str:
    """A function's qualified name without return type, template arguments and parameters."""
    text = re.sub(r"\(anonymous namespace\)|\{lambda[^}]*\}", "anon", name.strip())
    for operator, mark in _BRACKETS.items():
        text = text.replace(operator, mark)
    flat: list[str] = []
    depth = 0
    for sign in text:
        depth += sign in "<("
        if depth == 0:
            flat.append(sign)
        depth -= sign in ">)" and depth > 0
    plain = re.sub(r"\s+(?:const|volatile|&|\[clone.*)\s*$", "", "".join(flat).strip())
    plain = _CLONE.sub("", plain)
    plain = plain.rpartition(" ")[2]
    for operator, mark in _BRACKETS.items():
        plain = plain.replace(mark, operator)
    return plain


def _own(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The program's own frames, up to where the fuzzer or the C library called it."""
    for frame in frames:
        if _ENTRY.match(frame.function):
            return
        if not frame.function and not frame.line:
            continue
        if _foreign(frame):
            continue
        source = "" if frame.file.startswith("(") else frame.file.rpartition("/")[2]
        yield replace(frame, file=source)


def _foreign(frame: Frame) -> bool:
    """Whether a call is the C library's, the sanitizer's or a language's rather than the program's."""
    return bool(_RUNTIME_FUNCTION.match(frame.function) or _RUNTIME_FILE.search(frame.file))


def _runtime_error_place(lines: Iterable[str]) -> tuple[Frame, ...]:
    """The place that an UndefinedBehaviorSanitizer line names, where no stack was printed."""
    for line in lines:
        if found := _RUNTIME_ERROR.search(line):
            return (Frame("", found[1].rpartition("/")[2], _number(found[2])),)
    return ()
