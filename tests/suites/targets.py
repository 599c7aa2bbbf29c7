"""Small items for judging: a shell script stands for each build, so that no compiler is needed."""

from pathlib import Path

import pytest

from leadline.suites.differential import save_item
from leadline.suites.item import Item, Oracle, Run

# Inspect leaves memory streams unclosed at the end of an eval.
IN_EVAL = (
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
)
REPORT_TEXT = """\
=================================================================
==7==ERROR: AddressSanitizer: {kind} on address 0x602000000011 at pc 0x55d0c0d5d2b4 bp 0x7ffc sp 0x7ffb
READ of size 1 at 0x602000000011 thread T0
    #0 0x55d0c0d5d2b3  (/elsewhere/libc.so.6+0x10)
    #1 0x55d0c0d5d2b3  (/elsewhere/libc.so.6+0x20)

0x602000000011 is located 0 bytes to the right of 1-byte region [0x602000000010,0x602000000011)
allocated by thread T0 here:
    #0 0x55d0c0d20d6d  (/elsewhere/libc.so.6+0x30)

SUMMARY: AddressSanitizer: {kind} (/elsewhere/libc.so.6+0x10)
==7==ABORTING
"""


def make_item(oracle: Oracle, *, seconds: float = 10.0, limit: int = 64) -> Item:
    """An item whose builds are ``/target/run.sh``."""
    return Item(
        id="p-test",
        suite="planted",
        family="stack-overflow",
        cwe="CWE-121",
        title="Test item",
        digest="00" * 32,
        oracle=oracle,
        run=Run(("/bin/sh", "/target/run.sh"), seconds=seconds),
        input_bytes_max=limit,
    )


def lay_out(folder: Path, item: Item, vulnerable: str, fixed: str = "exit 0") -> Path:
    """A prepared folder whose two builds are these scripts."""
    for build, script in (("vulnerable", vulnerable), ("fixed", fixed)):
        (folder / build).mkdir(parents=True)
        (folder / build / "run.sh").write_text(script + "\n", encoding="utf-8")
    (folder / "subject").mkdir()
    (folder / "subject" / "README.md").write_text("Do what you can.\n", encoding="utf-8")
    save_item(item, folder)
    return folder


def writes_report(kind: str) -> str:
    """A script that writes to the sanitizer's channel what AddressSanitizer would."""
    return f"cat > /report/asan.7 <<'END'\n{REPORT_TEXT.format(kind=kind)}END\nexit 1"


def prints_report(kind: str) -> str:
    """A script that prints the same report on both outputs and exits as a sanitizer would."""
    text = REPORT_TEXT.format(kind=kind)
    return f"cat <<'END'\n{text}END\ncat >&2 <<'END'\n{text}END\nexit 1"
