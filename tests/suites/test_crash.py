"""Sanitizer reports and symbol tables are read as they are, and never trusted."""

import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.suites.crash import CrashReport, Frame, own_frames, parse_report, read_symbols
from suites.targets import REPORT_TEXT

SOURCE = """
#include <string.h>
__attribute__((noinline)) static int inner(char *p, int n) { memset(p, n, 40); return p[3]; }
int outer(int n) { char small[8]; return inner(small, n) + 1; }
int main(int argc, char **argv) { (void)argv; return argc > 1 ? outer(argc) : 0; }
"""


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small program built with AddressSanitizer, which overflows when given an argument."""
    folder = tmp_path_factory.mktemp("elf")
    (folder / "a.c").write_text(SOURCE, encoding="utf-8")
    argv = ["clang", "-g", "-O1", "-fsanitize=address", "-fno-inline", "a.c", "-o", "a"]
    subprocess.run(argv, cwd=folder, check=True)
    return folder / "a"


def crash(binary: Path) -> CrashReport:
    """What the sanitizer says of *binary* when it overflows."""
    done = subprocess.run(
        [binary, "x"],
        env={"ASAN_OPTIONS": "symbolize=0"},
        capture_output=True,
        text=True,
        check=False,
    )
    report = parse_report(done.stderr)
    assert report is not None
    return report


def test_a_report_gives_its_kind_and_only_its_first_stack() -> None:
    """The stack of the allocation, which stands below, is no part of the crash."""
    report = parse_report(REPORT_TEXT.format(kind="heap-buffer-overflow"))
    assert report is not None
    assert report.kind == "heap-buffer-overflow"
    assert report.frames == (Frame("/elsewhere/libc.so.6", 16), Frame("/elsewhere/libc.so.6", 32))
    assert report.text.startswith("ERROR: AddressSanitizer")
    assert report.text.endswith("SUMMARY: AddressSanitizer: heap-buffer-overflow")


def test_the_kind_is_the_summarys_where_the_first_line_words_it_otherwise() -> None:
    """A double free begins with "attempting double-free"; both lines give one kind."""
    text = REPORT_TEXT.format(kind="double-free")
    worded = text.replace(
        "AddressSanitizer: double-free on", "AddressSanitizer: attempting double-free on"
    )
    assert worded != text
    report = parse_report(worded)
    assert report is not None
    assert report.kind == "double-free"


def test_a_report_cut_short_still_has_its_kind() -> None:
    """A process killed while it writes its report leaves no summary line."""
    text = REPORT_TEXT.format(kind="stack-overflow")
    report = parse_report(text[: text.index("\n\n")])
    assert report is not None
    assert report.kind == "stack-overflow"
    assert len(report.frames) == 2


def test_text_without_a_report_is_none() -> None:
    """A summary line alone, or other text, is no report."""
    assert parse_report("") is None
    assert parse_report("SUMMARY: AddressSanitizer: double-free\n") is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever stands in the channel, the reader answers."""
    parse_report(text)
    parse_report("ERROR: AddressSanitizer: x " + text)


def test_addresses_become_the_names_of_the_programs_own_functions(binary: Path) -> None:
    """The sanitizer's stand-in for memset and the frames of libc are left out."""
    frames, detail = own_frames(
        crash(binary), lambda module: binary if module == str(binary) else None
    )
    assert frames[:3] == ("inner", "outer", "main")
    assert " in inner (" in detail
    assert "memset" not in " ".join(frames)


def test_modules_that_are_not_the_programs_own_give_no_frames(binary: Path) -> None:
    """Nothing is read where the caller knows no file."""
    frames, detail = own_frames(crash(binary), lambda _: None)
    assert frames == ()
    assert " in " not in detail.partition("\n")[2].partition("\n\n")[0].replace("in thread", "")


def test_a_symbol_table_knows_where_functions_begin_and_end(binary: Path) -> None:
    """An offset before the first function, or in none, has no name."""
    table = read_symbols(binary.read_bytes())
    argv = ["nm", str(binary)]
    listing = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    start = next(
        int(line.split()[0], 16) for line in listing.splitlines() if line.endswith(" outer")
    )
    assert table.function(start) == "outer"
    assert table.function(start + 5) == "outer"
    assert table.function(0) is None
    assert table.function(1 << 60) is None


@pytest.mark.parametrize(
    "data", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(60), b"\x7fELF\x02\x01"]
)
def test_what_is_no_elf_file_is_refused(data: bytes) -> None:
    """The error names the field; nothing else escapes."""
    with pytest.raises(Invalid, match="elf"):
        read_symbols(data)


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 1 << 20), flips=st.lists(st.integers(0, 4000), max_size=6))
def test_a_damaged_elf_file_gives_a_table_or_invalid(
    binary: Path, cut: int, flips: list[int]
) -> None:
    """No damage to the file raises anything but Invalid."""
    data = bytearray(binary.read_bytes())
    for place in flips:
        data[place] ^= 0x41
    try:
        table = read_symbols(bytes(data[: len(data) - cut]))
    except Invalid as error:
        said = str(error)
    else:
        said = f"elf: {table.function(64)}"
    assert said.startswith("elf: ")


def test_every_published_report_is_read(vectors: Path) -> None:
    """The 447 reports of the vectors all parse, with the kinds that their notes list."""
    kinds = set()
    with tarfile.open(vectors / "crashes" / "asan_reports.tar.gz") as archive:
        count = 0
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file is None or not member.name.endswith(".casrep"):
                continue
            text = "\n".join(json.loads(file.read())["AsanReport"])
            report = parse_report(text)
            count += report is not None
            kinds |= {report.kind} if report else set()
    assert {"heap-buffer-overflow", "heap-use-after-free"} <= kinds
    assert count >= 440
