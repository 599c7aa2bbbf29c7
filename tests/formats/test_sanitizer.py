"""Crash reports of any layout."""

import json
import random
import tarfile
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.crash import Crash, Frame
from leadline.core.clearing.group import group
from leadline.core.errors import Invalid
from leadline.formats import sanitizer

ASAN = """\
==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011 at pc 0x4 bp 0x7 sp 0x7
READ of size 1 at 0x602000000011 thread T0
    #0 0x4db921 in __asan_memcpy /llvm-project/compiler-rt/lib/asan/asan_interceptors.cpp:22:3
    #1 0x51 in ns::Reader<int, std::pair<int, int>>::take(char const*, int) const /src/app/reader.cc:10:5
    #2 0x52 in void ns::walk<char>(std::vector<char>&) /src/app/../walk.h:7
    #3 0x53 in operator new(unsigned long) /llvm-project/compiler-rt/lib/asan/asan_new_delete.cpp:95:3
    #4 0x54 in plain (/src/app/tool+0x54)
    #5 0x55  (/src/app/tool+0x55)
    #6 0x56 in LLVMFuzzerTestOneInput /src/app/fuzz.cc:3:1
    #7 0x57 in own_driver /src/app/driver.c:1

0x602000000011 is located 0 bytes to the right of 1-byte region
allocated by thread T0 here:
    #0 0x49 in malloc /llvm-project/compiler-rt/lib/asan/asan_malloc_linux.cpp:69:3
    #1 0x58 in elsewhere /src/app/alloc.c:3
SUMMARY: AddressSanitizer: heap-buffer-overflow /src/app/reader.cc:10:5
"""


def report(text: str) -> Crash:
    """The crash that *text* describes."""
    return sanitizer.parse(text.encode(), "r")


def test_own_frames_stay_and_all_else_goes() -> None:
    """Runtime, libraries, driver, parameters, templates and addresses are dropped; first stack only."""
    held = report(ASAN)
    assert held.kind == "heap-buffer-overflow"
    assert held.frames == (
        Frame("ns::Reader::take", "reader.cc", 10, 5),
        Frame("ns::walk", "walk.h", 7),
        Frame("plain"),
    )


def test_runs_of_one_crash_read_alike() -> None:
    """Process ids and addresses do not tell reports apart."""
    again = ASAN.replace("==7==", "==12345==").replace("0x602000000011", "0x7fff00000001")
    assert report(again) == report(ASAN)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("==1==ERROR: AddressSanitizer: SEGV on unknown address 0x0", "SEGV"),
        ("==1==ERROR: AddressSanitizer: attempting double-free on 0x6", "double-free"),
        ("==1==ERROR: AddressSanitizer: attempting", "attempting"),
        ("ERROR: AddressSanitizer: requested allocation size 0xff", "allocation-size-too-big"),
        ("ERROR: AddressSanitizer: 0x0", "x0"),
        ("ERROR: AddressSanitizer: 0", "AddressSanitizer"),
        ("==1==WARNING: MemorySanitizer: use-of-uninitialized-value", "use-of-uninitialized-value"),
        ("==1== ERROR: libFuzzer: deadly signal", "deadly signal"),
        ("==1== ERROR: libFuzzer: timeout after 3 seconds", "timeout after"),
        ("a.c:3:5: runtime error: signed integer overflow: 1 + 2", "signed integer overflow"),
        ("a.c:3:5: runtime error: index 9 out of bounds for type 'int [4]'", "index"),
        ("a.c:3: runtime error: left shift of negative value -4", "left shift of negative value"),
    ],
)
def test_the_class_of_an_error(line: str, kind: str) -> None:
    """The sanitizer's own name, without what changes from input to input."""
    assert report(line).kind == kind


USED = """\
==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x604000000014 at pc 0x55 bp 0x7 sp 0x7
READ of size 4 at 0x604000000014 thread T0
    #0 0x5000001010 in take.isra.0 /src/app/a.c:7:5
    #1 0x5000001050 in main /src/app/main.c:9:3
    #2 0x7f0000000010 in __libc_start_main ./csu/libc-start.c:360:3
    #3 0x5000000300 in _start (/build/app+0x300) (BuildId: 0a1b)

0x604000000014 is located 4 bytes inside of 40-byte region [0x604000000010,0x604000000038)
freed by thread T0 here:
    #0 0x5000000a00 in free (/build/app+0xa00) (BuildId: 0a1b)
    #1 0x5000001200 in release /src/app/a.c:20:3

previously allocated by thread T0 here:
    #0 0x5000000b00 in __interceptor_malloc (/build/app+0xb00) (BuildId: 0a1b)
    #1 0x5000001300 in make /src/app/a.c:30:3
"""


def test_what_else_a_report_says_of_the_place() -> None:
    """Program, build, addresses within it, access, and where the block was made and given back."""
    held = report(USED)
    assert (held.program, held.image, held.folder, held.access) == (
        "app",
        "0a1b",
        "/src/app",
        "READ",
    )
    assert held.frames == (Frame("take", "a.c", 7, 5, 0x1010),)
    assert held.freed == (Frame("release", "a.c", 20, 3, 0x1200),)
    assert held.made == (Frame("make", "a.c", 30, 3, 0x1300),)
    assert report(USED.replace(" (BuildId: 0a1b)", "")).image == "main:9 at 1050"
    far = "0x604000000014 is located 900 bytes to the right of 40-byte region [0x1,0x2)\n"
    assert report(ASAN).made != ()
    assert (
        report(
            ASAN.replace("0x602000000011 is located 0", far + "0x602000000011 is located 0")
        ).made
        == ()
    )


@pytest.mark.parametrize(
    ("words", "thing", "declared"),
    [
        ("    [32, 48) 'buf.i2.i' (line 12) <== Memory access at offset 48", "buf", 12),
        (("0x1 is located 8 bytes to the left of global variable 'b' defined in 'a.c'\n"
         "0x1 is located 24 bytes to the right of global variable 'a' defined in 'a.c'"), "a", 0),
        ("0x1 is located 8 bytes before global variable 'b' defined in 'a.c'", "b", 0),
        ("Hint: address points to the zero page.", "zero page", 0),
    ],
)  # fmt: skip
def test_what_was_overrun(words: str, thing: str, declared: int) -> None:
    """An array with the line that declares it, a table, or nothing at all."""
    text = "==1==ERROR: AddressSanitizer: stack-buffer-overflow on address\n    #0 0x1 in f /a.c:20\n\n"
    held = report(f"{text}is located in stack of thread T0\n    #0 0x1 in g /a.c:9\n\n{words}\n")
    assert (held.thing, held.declared) == (thing, declared)
    assert held.made == ((Frame("g", "a.c", 12),) if declared else ())


def test_the_words_with_which_a_program_stopped() -> None:
    """Without numbers and quotations; an assertion with its line; nothing where nothing was said."""
    stop = "AddressSanitizer:DEADLYSIGNAL\n==\n==1==ERROR: AddressSanitizer: ABRT on unknown address 0x1"
    assert report(f"fatal: 7 is too 'much'\n{stop}").thing == "fatal:  is too "
    assert report(stop).thing == ""
    held = report(f"app: a.c:40: f: Assertion `x < y' failed.\n{stop}")
    assert (held.thing, held.declared) == ("assertion x < y", 40)
    assert report("fatal: no\nERROR: AddressSanitizer: SEGV on unknown").thing == ""


@pytest.mark.parametrize(
    ("text", "kind", "frames"),
    [
        (
            (
                'x\nTraceback (most recent call last):\n  File "/app/m.py", line 3, in run\n    f()\n'
                '  File "/app/r.py", line 9, in take\n    x[1]\nIndexError: list index\n'
            ),
            "IndexError",
            (Frame("take", "r.py", 9), Frame("run", "m.py", 3)),
        ),
        (
            'Exception in thread "main" java.lang.NullPointerException: x\n\tat com.A.take(A.java:7)\n',
            "java.lang.NullPointerException",
            (Frame("com.A.take", "A.java", 7),),
        ),
        (
            "Program received signal SIGSEGV, Segmentation fault.\n#0  take (n=1) at r.c:7\n",
            "SIGSEGV",
            (Frame("take", "r.c", 7),),
        ),
        (
            (
                "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\n"
                "app.take(0x1)\n\t/app/r.go:7 +0x1d\n"
            ),
            "panic",
            (Frame("app.take", "r.go", 7),),
        ),
        (
            "WARNING: ThreadSanitizer: data race (pid=1)\n    #0 take /app/r.c:7:3 (app+0xd0)\n",
            "data",
            (Frame("take", "r.c", 7, 3),),
        ),
    ],
)
def test_reports_of_other_kinds(text: str, kind: str, frames: tuple[Frame, ...]) -> None:
    """Python, Java, a debugger, Go and ThreadSanitizer, in their own words."""
    held = report(text)
    assert (held.kind, held.frames) == (kind, frames)


def test_a_call_in_the_c_library_is_named() -> None:
    """And a program from the module of any of its calls."""
    assert report(ASAN).into == "__asan_memcpy"
    bare = "ERROR: AddressSanitizer: SEGV\n    #0 0x51 in f (/out/tool+0x51)\n"
    assert (report(bare).program, report(bare).folder) == ("tool", "")
    assert (
        report("ERROR: AddressSanitizer: SEGV\n    #0 0x1 in f (/lib/libx.so.6+0x1)\n").program
        == ""
    )


def test_undefined_behaviour_without_a_stack_names_its_line() -> None:
    """The message's own place stands in for the stack."""
    held = report("other\n/src/a.c:3:5: runtime error: division by zero\n")
    assert held.frames == (Frame("", "a.c", 3),)


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ('  File "/app/reader.py", line 12, in take', Frame("take", "reader.py", 12)),
        ('  File "/app/reader.py", line 12', Frame("<module>", "reader.py", 12)),
        (
            "    at com.acme.Reader.take(Reader.java:7)",
            Frame("com.acme.Reader.take", "Reader.java", 7),
        ),
        (
            "    at com.acme.Reader.take(Native Method)",
            Frame("com.acme.Reader.take", "Native Method", 0),
        ),
        (
            "    at com.acme.Reader.take(Reader.java)",
            Frame("com.acme.Reader.take", "Reader.java", 0),
        ),
        ("    at take (/app/reader.js:7:9)", Frame("take", "reader.js", 7)),
        ("    at /app/reader.js:7:9", Frame("", "reader.js", 7)),
        ("at Acme.Take(String s) in /app/Reader.cs:line 7", Frame("Acme.Take", "Reader.cs", 7)),
        ("at Acme.Take (String s) [0x00a1] in <f0e1>:7", Frame("Acme.Take", "<f0e1>", 7)),
        (
            "webp.decode({0x51?}, 0x0) in /image/decode.go:68 +0x3",
            Frame("webp.decode", "decode.go", 68),
        ),
        ("runtime.throw({0x4?}) in /go/panic.go:7", None),
        ("#1  0x0000 in take (buffer=0x1) at /app/reader.c:7", Frame("take", "reader.c", 7)),
        ("#1  take () at reader.c:7", Frame("take", "reader.c", 7)),
        ("#1 0x1 in take", Frame("take", "", 0)),
        ("#1 0x1 in A::operator<(A const&) /app/a.cc:7", Frame("A::operator<", "a.cc", 7)),
        ("#1 0x1 in A::operator()(int) const /app/a.cc:7", Frame("A::operator()", "a.cc", 7)),
        ("#1 0x1 in bool A::operator==(A) /app/a.cc:7", Frame("A::operator==", "a.cc", 7)),
        ("goroutine 1 [running]:", None),
    ],
)
def test_frames_of_every_casr_mode(line: str, frame: Frame | None) -> None:
    """Native, debugger, Python, Java, JavaScript, C# and Go stacks."""
    data = {"Stacktrace": [line], "CrashSeverity": {"ShortDescription": "AbortSignal"}}
    held = report(json.dumps(data))
    assert held.kind == "AbortSignal"
    assert held.frames == ((frame,) if frame else ())


def test_a_casr_report_says_what_crashed() -> None:
    """Its executable is the program; its sanitizer text gives the class."""
    data: dict[str, Any] = {
        "ExecutablePath": "/build/load_fuzzer",
        "CrashSeverity": {"ShortDescription": "SourceAv"},
        "Stacktrace": ["#0 0x1 in take /a.c:1:2", 7],
        "AsanReport": ["==1==ERROR: AddressSanitizer: SEGV on unknown address"],
    }
    held = report(json.dumps(data))
    assert (held.kind, held.program) == ("SEGV", "load_fuzzer")
    del data["ExecutablePath"]
    data["Stacktrace"] = []
    data["AsanReport"] = "no list"
    data["UbsanReport"] = ["a.c:9:1: runtime error: division by zero"]
    held = report(json.dumps(data))
    assert (held.kind, held.program, held.frames) == (
        "division by zero",
        "",
        (Frame("", "a.c", 9),),
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no report"),
        (b"hello\n", "no report"),
        (b"{", "no JSON"),
        (b"{" * 5, "no JSON"),
        (b"{}", "no CASR report"),
        (b'{"Stacktrace": "x"}', "no report"),
        (b'{"a":' + b"[" * 200_000, "no JSON"),
        (b"x" * (sanitizer.REPORT_BYTES_MAX + 1), "longer"),
    ],
)
def test_what_is_no_report_is_refused(data: bytes, problem: str) -> None:
    """The error names the file and what is missing."""
    with pytest.raises(Invalid, match=problem) as refusal:
        sanitizer.parse(data, "folder/file")
    assert refusal.value.field == "folder/file"


def test_endless_stacks_are_cut() -> None:
    """A recursion's thousandth frame says nothing new."""
    lines = "\n".join(f"    #{n} 0x1 in f{n} /a.c:{n}" for n in range(1, 2000))
    held = report(f"ERROR: AddressSanitizer: stack-overflow\n{lines}")
    assert len(held.frames) == sanitizer.FRAMES_MAX


@unhurried
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Hostile input ends in a crash value or in one of Leadline's own errors."""
    for wrapped in (data, b"ERROR: AddressSanitizer: x\n" + data):
        try:
            assert sanitizer.parse(wrapped, "r").id == "r"
        except Invalid as error:
            assert error.field == "r"  # noqa: PT017 -- both ends are allowed


@pytest.fixture(scope="session")
def published(vectors: Path) -> dict[str, dict[str, Any]]:
    """The 447 published CASR reports, by name."""
    with tarfile.open(vectors / "crashes" / "asan_reports.tar.gz") as archive:
        files = ((member.name, archive.extractfile(member)) for member in archive)
        return {name: json.loads(file.read()) for name, file in files if file}


def test_published_reports_fall_into_the_expected_groups(
    published: dict[str, dict[str, Any]], record_property: Callable[[str, object], None]
) -> None:
    """447 of 447 read; 16 distinct stacks; 12 +/- 1 groups, whatever the order."""
    crashes = [sanitizer.parse(json.dumps(r).encode(), name) for name, r in published.items()]
    groups = group(crashes)
    assert len(crashes) == 447
    stacks = {
        tuple((one.function, one.file, one.line) for one in crash.frames) for crash in crashes
    }
    assert len(stacks) == 16
    assert 11 <= len(groups) <= 13
    random.Random(1).shuffle(crashes)  # noqa: S311 -- an order, not a secret
    assert group(crashes) == groups
    lines: dict[str, set[str]] = defaultdict(set)
    for held in groups:
        for member in held.members:
            lines[held.id].add(published[member]["CrashLine"])
    record_property("crash lines per group", str([len(found) for found in lines.values()]))
    home = {member: held.id for held in groups for member in held.members}
    by_line: dict[str, list[str]] = defaultdict(list)
    for name, raw in published.items():
        by_line[raw["CrashLine"]].append(name)
    same_line = {pair for names in by_line.values() for pair in combinations(sorted(names), 2)}
    together = sum(home[one] == home[two] for one, two in same_line)
    assert together >= 0.99 * len(same_line), "recall against the partition by crash line"
    assert all(len(found) == 1 for found in lines.values()), "precision against it"


def test_text_and_json_of_one_report_read_alike(published: dict[str, dict[str, Any]]) -> None:
    """The sanitizer's own text gives the same class and frames as CASR's stack."""
    for name, held in published.items():
        text = sanitizer.parse("\n".join(held["AsanReport"]).encode(), name)
        casr = sanitizer.parse(json.dumps(held).encode(), name)
        assert (text.kind, text.frames) == (casr.kind, casr.frames)
