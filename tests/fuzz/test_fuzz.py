"""Whatever bytes come from outside, a parser answers or refuses, in bounded time and memory.

`make test` changes small inputs at random, the same ones every time, and runs short coverage-guided
campaigns; `make soak` runs a million coverage-guided inputs on each parser, in processes of their own.
"""

import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fuzz import one_parser, parsers
from fuzz.parsers import PARSERS
from leadline.core.errors import LeadlineError

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
SAMPLE = 1_000
SHORT = 2_000
WHOLE = 1_000_000
TOKENS = (
    b"\0", b"\xff", b"\n", b"\n\n", b"[", b"{", b'"', b",", b"=", b" ", b"-1", b"9" * 30, b"1e999", b"\\u0000",
    "\u00e9\U0001f600".encode(), b"\xf0\x9f", b"../", b"\x80\x04", b"PK\5\6", b"null", b"true", b"NaN", b"/" * 9,
)  # fmt: skip
CAMPAIGNS = (
    "archive_zip",
)  # each takes some ten seconds to begin; `--soak` has one for every parser


def changed(seeds: list[bytes], chance: random.Random) -> bytes:
    """One seed with a few changes, or two seeds joined."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(data) + 1)
        until = min(len(data), at + chance.choice((0, 1, 1, 2, 8, 60)))
        match chance.randrange(5):
            case 0:
                data[at:until] = b""
            case 1:
                data[at:until] = chance.choice(TOKENS)
            case 2:
                data[at:until] = chance.randbytes(until - at)
            case 3:
                data[at:at] = data[at:until] * chance.choice((1, 2, 50))
            case _:
                other = chance.choice(seeds)
                data[at:until] = other[chance.randrange(len(other) + 1) :][:80]
    return bytes(data[:65536])


@pytest.mark.parametrize("name", PARSERS)
def test_changed_inputs_are_read_or_refused(name: str) -> None:
    """A thousand inputs: only Leadline's own errors come out, each in less than two seconds."""
    parser, chance = PARSERS[name], random.Random(name)  # noqa: S311 -- the same inputs every time
    seeds = [*parser.seeds, b"", chance.randbytes(40)]
    for _ in range(SAMPLE):
        data = changed(seeds, chance)
        began = time.process_time()
        one_parser.answered(parser.run, data, LeadlineError)
        assert time.process_time() - began < one_parser.SECONDS_MAX, data


def campaign(name: str, place: Path, runs: int) -> str:
    """The output of one coverage-guided campaign, which must end well."""
    corpus = place / "corpus"
    corpus.mkdir()
    done = subprocess.run(
        [
            # A process begins with the peak of whoever starts it, which here is a whole test run; one
            # that a small shell starts has a peak of its own.
            "/bin/sh",
            "-c",
            '"$@"; exit $?',
            "sh",
            sys.executable,
            str(HERE / "one_parser.py"),
            name,
            str(corpus),
            f"-runs={runs}",
            "-max_len=8192",
        ],
        cwd=place,
        env={"PYTHONPATH": f"{SOURCE}:{HERE.parent}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stderr


def figure(name: str, told: str) -> int:
    """One of libFuzzer's final figures."""
    found = re.search(rf"stat::{name}:\s+(\d+)", told)
    assert found, told[-2000:]
    return int(found[1])


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_short_campaign_ends_well(name: str, tmp_path: Path) -> None:
    """Coverage-guided, with the limits of time and memory in force."""
    told = campaign(name, tmp_path, SHORT)
    assert figure("number_of_executed_units", told) >= SHORT
    assert figure("peak_rss_mb", told) <= one_parser.MIB_MAX


def test_a_campaign_finds_what_is_there(tmp_path: Path) -> None:
    """A parser with a planted fault ends its campaign: the harness is not hollow."""
    place = tmp_path / "fuzz"
    place.mkdir()
    (place / "parsers.py").write_text(
        "class Parser:\n"
        "    seeds = (b'magic',)\n"
        "    @staticmethod\n"
        "    def run(data):\n"
        "        if data[:1] == b'm' and len(data) > 5:\n"
        "            raise IndexError(data)\n"
        "PARSERS = {'planted': Parser}\n"
    )
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    code = f"import sys, runpy; sys.path.insert(0, {str(tmp_path)!r}); sys.argv[0] = 'x'; runpy.run_path({str(HERE / 'one_parser.py')!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code, "planted", str(corpus), "-runs=200000"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode != 0
    assert "Uncaught Python exception" in done.stdout + done.stderr
    assert re.search(r"IndexError: b['\"]m", done.stdout + done.stderr)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", PARSERS)
def test_a_million_inputs(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Coverage-guided, at most two seconds and 256 MiB each; the figures are printed."""
    began = time.monotonic()
    told = campaign(name, tmp_path, WHOLE)
    seconds = time.monotonic() - began
    runs = figure("number_of_executed_units", told)
    assert runs >= WHOLE
    with capsys.disabled():
        memory = figure("peak_rss_mb", told)
        slowest = figure("slowest_unit_time_sec", told)
        sys.stdout.write(
            f"\n{name}: {runs:,} inputs in {seconds:.0f} s ({runs / seconds:,.0f}/s), "
            f"{memory} MiB, slowest {slowest} s\n"
        )


def test_every_module_that_parses_is_here() -> None:
    """A new file in `leadline.formats` is fuzzed or named here, with a reason, whatever it calls its reader."""
    elsewhere = {
        "__init__",  # holds nothing
        "toml_table",  # through every *_toml
        "values",  # writes only
        "ics",  # writes only
        "report_draft",  # writes only
        "csaf_out",  # writes only
        "saying",  # writes only
        "stix",  # writes only
        "advisory_page",  # writes only
        "workbook",  # through assets_csv, as the target assets_workbook
        "disclosure_text",  # writes only
    }
    folder = SOURCE / "leadline" / "formats"
    modules = {path.stem for path in folder.glob("*.py")}
    source = Path(parsers.__file__).read_text()
    used = {name for name in modules if re.search(rf"\b{name}\.", source)}
    assert modules - elsewhere - used == set()
