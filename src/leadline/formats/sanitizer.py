"""Crash reports: sanitizer text and CASR JSON (any of its modes), read into `Crash`.

Report text is untrusted: sizes are bounded, nothing in it is executed or followed. Addresses, process
ids, parameter lists and build folders are dropped; frames of the C library, the sanitizer runtime, the
fuzzer's driver and language libraries are not the program's own and are left out.
Sources: compiler-rt's report layout (LLVM 14 to 19); CASR's `.casrep` (github.com/ispras/casr, 2.13),
whose stacks are innermost first in every mode, Python's included.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from leadline.core.clearing.group import Crash, Frame
from leadline.core.errors import Invalid

FORMAT = "sanitizer"
REPORT_BYTES_MAX = 1 << 20
FRAMES_MAX = 256
LINE_CHARACTERS_MAX = 4096

_ERROR = re.compile(r"(?:ERROR|WARNING): (\w*Sanitizer|libFuzzer): (.+)")
_RUNTIME_ERROR = re.compile(r"^(\S+?):(\d+)(?::\d+)?: runtime error: (.+)")
_VARIABLE = re.compile(
    r"[:,]|\s-?\d|\s0x|\s'"
)  # where an undefined-behaviour message turns specific
_WORDS = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NATIVE = re.compile(r"^\s*#\d+\s+(?:0x[0-9a-fA-F]+)?\s*(?:in\s+)?(.*)$")
_NATIVE_PLACE = re.compile(r"^(.*?)\s+(?:at\s+)?(\(?[^\s()]*[/.][^\s()]*?)(?::(\d+))?(?::\d+)?\)?$")
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


def parse(data: bytes, name: str, *, program: str = "", proof: str = "", build: str = "") -> Crash:
    """Read one report; *name* becomes the crash's id, the rest is what the caller knows besides.

    Raises: Invalid, saying what is missing, if the bytes are no report this reader knows.
    """
    if len(data) > REPORT_BYTES_MAX:
        raise Invalid(name, f"longer than {REPORT_BYTES_MAX} bytes")
    text = data.decode("utf-8", errors="replace")
    if text.lstrip().startswith("{"):
        kind, frames, executable = _casr(text, name)
        program = program or executable
    else:
        lines = [line[:LINE_CHARACTERS_MAX] for line in text.splitlines()]
        kind, frames = _kind(lines), _stack(lines)
        if not kind:
            raise Invalid(name, "no sanitizer report: expected an ERROR or a runtime error line")
        frames = frames or _runtime_error_place(lines)
    if not kind and not frames:
        raise Invalid(name, "a report without a kind of error and without a stack")
    digest = hashlib.sha256(repr((kind, frames)).encode()).hexdigest()
    return Crash(name, kind, frames, digest, program, proof, build)


def _casr(text: str, name: str) -> tuple[str, tuple[Frame, ...], str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(name, f"no JSON: {error}") from None
    if not isinstance(document, Mapping) or "Stacktrace" not in document:
        raise Invalid(name, "no CASR report: expected an object with Stacktrace and CrashSeverity")
    lines = [line for field in _CASR_REPORTS for line in _texts(document.get(field))]
    severity = document.get("CrashSeverity")
    fallback = severity.get("ShortDescription") if isinstance(severity, Mapping) else None
    kind = _kind(lines) or (fallback if isinstance(fallback, str) else "")
    frames = tuple(_own(_frames(_texts(document["Stacktrace"]))))
    executable = document.get("ExecutablePath")
    program = executable.rpartition("/")[2] if isinstance(executable, str) else ""
    return kind, frames or _runtime_error_place(lines), program


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


def _stack(lines: Sequence[str]) -> tuple[Frame, ...]:
    """Own frames of the first stack: where it happened, before where the memory was allocated."""
    first: list[str] = []
    for line in lines:
        if re.match(r"\s*#\d+\s", line):
            if re.match(r"\s*#0\s", line) and first:
                break
            first.append(line)
    return tuple(_own(_frames(first)))


def _frames(lines: Iterable[str]) -> Iterator[Frame]:
    for count, line in enumerate(lines):
        if count >= FRAMES_MAX:
            return
        frame = _frame(line)
        if frame is not None:
            yield frame


def _frame(line: str) -> Frame | None:
    """One stack line of any layout; None where it is none."""
    if found := _PYTHON.match(line):
        return Frame(found[3] or "<module>", _file(found[1]), int(found[2]))
    if found := _NATIVE.match(line):
        return _native(found[1].strip())
    if found := _CALL_IN.match(line) or _JAVA.match(line) or _JAVASCRIPT.match(line):
        return Frame(_function(found[1] or ""), _file(found[2]), int(found[3] or 0))
    return None


def _native(rest: str) -> Frame:
    placed = _NATIVE_PLACE.match(f" {rest}")
    if placed is None:
        return Frame(_function(rest))
    module = placed[2].startswith("(")
    return Frame(_function(placed[1]), _file(placed[2]), 0 if module else int(placed[3] or 0))


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
        if _RUNTIME_FUNCTION.match(frame.function) or _RUNTIME_FILE.search(frame.file):
            continue
        yield Frame(frame.function, frame.file.rpartition("/")[2], frame.line)


def _runtime_error_place(lines: Iterable[str]) -> tuple[Frame, ...]:
    """The place that an UndefinedBehaviorSanitizer line names, where no stack was printed."""
    for line in lines:
        if found := _RUNTIME_ERROR.search(line):
            return (Frame("", found[1].rpartition("/")[2], int(found[2])),)
    return ()
