"""What a sanitizer wrote about a crash, and which functions its addresses name.

A judge's runs are made with ``symbolize=0``: a crash then takes milliseconds instead of half a
second, and no symboliser need be installed where the judge works. Addresses become names by the
ELF symbol table of the very file that ran. Text of a report may be shaped by the input, so it is
only ever searched, and cut to `REPORT_BYTES_MAX`.
"""

import re
import struct
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from leadline.core.errors import Invalid

REPORT_BYTES_MAX = 65_536
_DETAIL_CHARS_MAX = 6_000

_SUMMARY = re.compile(r"^SUMMARY: \w+Sanitizer: (\S+)", re.MULTILINE)
_ERROR = re.compile(r"ERROR: \w+Sanitizer: (?:attempting )?(\S+)")
_FRAME = re.compile(
    r"^ *#(?P<depth>\d+) (?P<address>0x[0-9a-f]+) +(?:in \S+ +)?"
    r"\((?P<module>[^()\n]+)\+0x(?P<offset>[0-9a-f]+)\)",
    re.MULTILINE,
)
# The sanitizer's own functions and its stand-ins for libc's: never a program's own frames.
_RUNTIME = (
    "__asan",
    "__hwasan",
    "__interceptor",
    "__lsan",
    "__sanitizer",
    "__ubsan",
    "_ZN6__asan",
    "_ZN7__lsan",
    "_ZN7__ubsan",
    "_ZN11__sanitizer",
)

_ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SYMTAB, _DYNSYM, _FUNCTION = 2, 11, 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a stack: a module as the crashed process named it, and the offset in it."""

    module: str
    offset: int


@dataclass(frozen=True, slots=True)
class CrashReport:
    """The error name and the crashing stack, innermost frame first."""

    kind: str
    frames: tuple[Frame, ...]
    text: str


def parse_report(text: str) -> CrashReport | None:
    """The first report in *text*, or None where there is none.

    *text* is what the sanitizer wrote to its ``log_path``. Only the first stack counts: those of
    the allocation and of the release stand below it.
    """
    found = _ERROR.search(text)
    if found is None:
        return None
    summary = _SUMMARY.search(text, found.end())
    frames: list[Frame] = []
    for line in _FRAME.finditer(text, found.end()):
        if int(line["depth"]) != len(frames):
            break
        frames.append(Frame(line["module"], int(line["offset"], 16)))
    end = summary.end() if summary else len(text)
    kind = summary[1] if summary else found[1].rstrip(":")
    return CrashReport(kind, tuple(frames), text[found.start() : end])


class SymbolTable:
    """The functions of one ELF file, by offset."""

    def __init__(self, functions: Mapping[int, tuple[int, tuple[str, ...]]]) -> None:
        self._starts = sorted(functions)
        self._functions = functions

    def function(self, offset: int) -> str | None:
        """The function that covers *offset*; None for the sanitizer's own and for no function.

        Suffixes that an optimiser appends (``parse.isra.0``) are dropped.
        """
        place = bisect_right(self._starts, offset) - 1
        if place < 0:
            return None
        start = self._starts[place]
        size, names = self._functions[start]
        if offset >= start + max(size, 1) or any(name.startswith(_RUNTIME) for name in names):
            return None
        return min(names).split(".")[0] or None


def read_symbols(data: bytes) -> SymbolTable:
    """The function symbols of the 64-bit little-endian ELF file *data*.

    Source: System V ABI, chapters 4 and 5.

    Raises: Invalid, if *data* is no such file or is cut short.
    """
    if data[:6] != b"\x7fELF\x02\x01":
        raise Invalid("elf", "not a 64-bit little-endian ELF file; build for x86-64 or aarch64")
    try:
        header = _ELF_HEADER.unpack_from(data)
        table, entry, count = header[6], header[11], header[12]
        sections = [_SECTION.unpack_from(data, table + n * entry) for n in range(count)]
        functions: dict[int, tuple[int, tuple[str, ...]]] = {}
        for section in sections:
            if section[1] in (_SYMTAB, _DYNSYM):
                strings = sections[section[6]]
                names = data[strings[4] : strings[4] + strings[5]]
                _collect(data[section[4] : section[4] + section[5]], names, functions)
    except (struct.error, IndexError, ValueError) as error:
        raise Invalid("elf", f"the section table is cut short: {error}") from error
    return SymbolTable(functions)


def _collect(
    symbols: bytes, strings: bytes, functions: dict[int, tuple[int, tuple[str, ...]]]
) -> None:
    """Add the defined functions of one symbol section to *functions*."""
    for name, info, _, section, value, size in _SYMBOL.iter_unpack(symbols):
        if info & 15 != _FUNCTION or section == 0:
            continue
        text = strings[name : strings.index(b"\0", name)].decode("utf-8", "replace")
        known_size, known = functions.get(value, (0, ()))
        functions[value] = (max(size, known_size), (*known, text))


def own_frames(
    report: CrashReport, host_path: Callable[[str], Path | None]
) -> tuple[tuple[str, ...], str]:
    """The program's own functions on the crashing stack, and the report with their names in it.

    *host_path* gives the file behind a module of the sandbox, or None where the module is not the
    program's own (libc, the interpreter); those frames, and the sanitizer's, are left out.

    Raises: Invalid, if a module of the program is no ELF file.
    """
    tables: dict[str, SymbolTable | None] = {}
    named: dict[Frame, str] = {}
    for frame in report.frames:
        if frame.module not in tables:
            path = host_path(frame.module)
            tables[frame.module] = None if path is None else read_symbols(path.read_bytes())
        table = tables[frame.module]
        # A return address may be the first of the next function, but the sanitizer already
        # prints the call before it.
        name = table.function(frame.offset) if table else None
        if name is not None:
            named[frame] = name

    def name_frame(line: re.Match[str]) -> str:
        name = named.get(Frame(line["module"], int(line["offset"], 16)))
        place = f"({line['module']}+0x{line['offset']})"
        middle = f" in {name} " if name else "  "
        return f"    #{line['depth']} {line['address']}{middle}{place}"

    frames = tuple(named[frame] for frame in report.frames if frame in named)
    return frames, _FRAME.sub(name_frame, report.text)[:_DETAIL_CHARS_MAX]
