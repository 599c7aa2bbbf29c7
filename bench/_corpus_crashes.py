"""Make the corpus of `bench/group.py`: build programs with planted flaws, crash them, keep the reports.

    python bench/_corpus_crashes.py OUT.jsonl.xz [--seed N] [--programs N] [--each N] [--kept N]

Needs clang, gcc and llvm-symbolizer. Which flaw crashed is known, because an input switches on exactly
one. Each program is built four times, of at least two versions and by different compilers and levels,
some without a build id or without debug information. Programs run with ``symbolize=0``; the addresses
of one build are looked up together and written in the sanitizer's own layout. Shadow bytes are left out.
"""

import argparse
import json
import lzma
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench._corpus_programs import VERSIONS, Flaw, Program, program

SANITIZE = "-fsanitize=address,signed-integer-overflow,shift,integer-divide-by-zero"
# Compiler, level and more; the last is rare.
FLAVOURS: tuple[tuple[str, ...], ...] = (
    ("clang", "-O0", "-g"),
    ("clang", "-O1", "-g", "-Wl,--build-id=none"),
    ("clang", "-O2", "-g"),
    ("gcc", "-O1", "-g"),
    ("gcc", "-O2", "-g"),
)
BARE = ("clang", "-O1", "-g0", "-Wl,--build-id=none")
BARE_SHARE = 0.05
BUILDS = 4
INNER = 3  # calls of each stack that say where it went wrong
INSTRUCTION = 4  # the parts of a trace up to the innermost address
Trace = tuple[str, ...]
RUN_SECONDS = 20
STORED = ("flaw", "program", "skeleton", "nest", "build", "text")
DEPTHS, AMOUNTS = (0, 1, 2, 3, 5, 9), range(8)
OPTIONS = {
    "ASAN_OPTIONS": "symbolize=0:handle_abort=1:detect_leaks=0",
    "UBSAN_OPTIONS": "symbolize=0:print_stacktrace=1",
    "PATH": "/usr/bin:/bin",
}
_FRAME = re.compile(r"^(\s*#\d+ 0x[0-9a-f]+) +\((/[^()]*)\+(0x[0-9a-f]+)\)(.*)$")
# What changes from run to run: process, addresses, distances, the numbers of the input.
_CHANGING = re.compile(r"==\d+==|(?<!\+)0x[0-9a-f]+|(?<![\w.+/-])-?\d+(?![\w])")
_STACKED = re.compile(r"\s*#\d+ |\s*\[\d+, \d+\)(?!.*<==)|SUMMARY|.*is located|  \'")
_ERROR = re.compile(r"(?:Sanitizer: |runtime error: )([a-zA-Z][\w-]*(?: [a-z]+)?)")


@dataclass(frozen=True, slots=True)
class Kept:
    """One report as the corpus holds it; *flaw* is its identity, *likeness* its family of names."""

    flaw: str
    program: str
    skeleton: str
    nest: str
    build: str
    text: str
    trace: Trace  # what a reading of reports could tell it by


def build(made: Program, version: int, flavour: Sequence[str], folder: Path) -> Path:
    """One build in a folder of its own; the sources lie under their own names."""
    folder.mkdir(parents=True)
    for name, text in made.versions[version].items():
        (folder / name).write_text(text)
    sources = sorted(name for name in made.versions[version] if name.endswith(".c"))
    mapped = f"-ffile-prefix-map={folder}=/src/{made.name}"
    argv = [
        flavour[0],
        *flavour[1:],
        "-w",
        "-std=gnu11",
        SANITIZE,
        "-fno-sanitize-recover=all",
        mapped,
    ]
    subprocess.run([*argv, *sources, "-o", made.name], cwd=folder, check=True, capture_output=True)
    return folder / made.name


def crash(binary: Path, flaw: Flaw, chance: random.Random, number: int) -> str:
    """Run one build on one input that switches *flaw* on; what it wrote, or nothing if it went well."""
    far = 5 if flaw.far and chance.random() < 0.3 else 0
    way = chance.randrange(flaw.paths)
    head = (
        flaw.slot,
        flaw.mode,
        way,
        chance.choice(DEPTHS),
        chance.choice(AMOUNTS) + bool(far),
        far,
    )
    room = bytes(head) + chance.randbytes(58 + chance.randrange(64))
    path = binary.parent / f"input-{number}"
    path.write_bytes(room)
    try:
        done = subprocess.run([binary, path], env=OPTIONS, capture_output=True, timeout=RUN_SECONDS,
                              check=False)  # fmt: skip
    except subprocess.TimeoutExpired:
        return ""
    path.unlink()
    text = done.stderr.decode("utf-8", "replace")
    return text if done.returncode and _ERROR.search(text) else ""


def places(module: str, offsets: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """What stands at each offset, innermost inlined call first, as the sanitizer prints it."""
    argv = ["llvm-symbolizer", f"--obj={module}", "--inlines", "--functions=linkage"]
    found = subprocess.run(
        argv, input="\n".join(offsets), capture_output=True, text=True, check=True
    )
    blocks = found.stdout.rstrip().split("\n\n")
    assert len(blocks) == len(offsets)
    return {at: _calls(block.splitlines()) for at, block in zip(offsets, blocks, strict=True)}


def _calls(lines: Sequence[str]) -> list[str]:
    pairs = list(zip(lines[::2], lines[1::2], strict=True))
    return [function + ("" if place.startswith("??") else f" {place}") for function, place in pairs]


def symbolized(texts: Iterable[str], home: Path) -> Iterator[str]:
    """The reports with names and places for addresses, cut before the shadow bytes."""
    held = [text.partition("\nShadow bytes")[0] for text in texts]
    wanted: dict[str, set[str]] = {}
    for text in held:
        for line in text.splitlines():
            if found := _FRAME.match(line):
                wanted.setdefault(found[2], set()).add(found[3])
    known = {module: places(module, sorted(offsets)) for module, offsets in wanted.items()}
    for text in held:
        lines = [named for line in text.splitlines() for named in _named(line, known)]
        yield re.sub(rf"{home}/([^/]*)/\d+/", r"/build/\1/", _renumbered(lines))


def _named(line: str, known: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[str]:
    found = _FRAME.match(line)
    if found is None:
        yield line
        return
    for call in known[found[2]][found[3]]:
        name, _, place = call.partition(" ")
        if name == "??":
            yield f"{found[1]}  ({found[2]}+{found[3]}){found[4]}"
        elif place:
            yield f"{found[1]} in {name} {re.sub('(:0)+$', '', place)}"
        else:
            yield f"{found[1]} in {name} ({found[2]}+{found[3]}){found[4]}"


def _renumbered(lines: Iterable[str]) -> str:
    """Inlined calls are frames of their own, so numbers run on; a new stack begins at 0 again."""
    made: list[str] = []
    number = 0
    for line in lines:
        if found := re.match(r"(\s*)#(\d+)( .*)$", line):
            number = number + 1 if made and made[-1].lstrip().startswith("#") else 0
            made.append(f"{found[1]}#{number}{found[3]}")
        else:
            made.append(line)
    return "\n".join(made) + "\n"


def crashes(seed: int, number: int, each: int, home: Path) -> list[Kept]:
    """All reports of one program: *each* for every flaw, spread over its builds."""
    made = program(seed, number)
    chance = random.Random(f"{seed}/runs/{number}")  # noqa: S311 -- must repeat
    pairs = [(v, f) for v in range(VERSIONS) for f in FLAVOURS]
    chosen = chance.sample(pairs, BUILDS)
    if len({version for version, _ in chosen}) == 1:
        chosen[0] = ((chosen[0][0] + 1) % VERSIONS, chosen[0][1])
    if chance.random() < BARE_SHARE:
        chosen[-1] = (chosen[-1][0], BARE)
    kept: list[Kept] = []
    for which, (version, flavour) in enumerate(chosen):
        folder = home / made.name / f"{which}"
        binary = build(made, version, flavour, folder)
        found: list[tuple[Flaw, str]] = []
        for flaw in made.flaws:
            for n in range(each // BUILDS):
                text = crash(binary, flaw, chance, n) or crash(binary, flaw, chance, n)
                found += [(flaw, text)] if text else []
        texts = symbolized([text for _, text in found], home)
        label = f"{version}/{' '.join(flavour)}"
        for (flaw, raw), text in zip(found, texts, strict=True):
            identity = f"{made.name}/{flaw.slot}.{flaw.mode}"
            trace = trace_of(raw, label, made.name)
            kept.append(Kept(identity, made.name, made.skeleton, flaw.kind, label, text, trace))
    return kept


def main() -> None:
    """Make one corpus."""
    parser = argparse.ArgumentParser(description="Make the corpus of bench/group.py.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--programs", type=int, default=110)
    parser.add_argument("--each", type=int, default=24)
    parser.add_argument("--flaws", type=int, default=500)
    parser.add_argument("--kept", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        home = Path(folder)
        jobs = [
            pool.submit(crashes, asked.seed, n, asked.each, home) for n in range(asked.programs)
        ]
        reports = [kept for job in jobs for kept in job.result()]
    told, lost = distinct(reports)
    chosen = choose(told, asked.flaws, asked.kept, random.Random(asked.seed))  # noqa: S311 -- must repeat
    with lzma.open(asked.out, "wt", preset=9 | lzma.PRESET_EXTREME) as file:
        file.writelines(
            json.dumps({key: getattr(one, key) for key in STORED}) + "\n" for one in chosen
        )
    flaws = len({one.flaw for one in chosen})
    print(
        f"{len(chosen)} reports of {flaws} flaws kept; {len(reports)} made, {lost} said nothing apart"
    )


def distinct(reports: Sequence[Kept]) -> tuple[list[Kept], int]:
    """The reports that can be told from every other flaw's, and how many cannot.

    An optimiser may make one instruction of two statements. Which of them crashed is then in no report
    at all, and only a fix of one tells them apart. Where reports of two flaws of one build agree in the
    inner calls of every stack, all of them at that instruction are left out.
    """
    sharing: dict[Trace, set[str]] = {}
    for one in reports:
        sharing.setdefault(one.trace, set()).add(one.flaw)
    blurred = {
        (flaw, trace[:INSTRUCTION])
        for trace, flaws in sharing.items()
        if len(flaws) > 1
        for flaw in flaws
    }
    told = [one for one in reports if (one.flaw, one.trace[:INSTRUCTION]) not in blurred]
    return told, len(reports) - len(told)


def trace_of(raw: str, label: str, name: str) -> Trace:
    """Build, words, innermost address, then the inner addresses of each stack, all within the image."""
    head = raw.partition("\nShadow bytes")[0]
    words = [line for line in head.splitlines() if not _STACKED.match(line)]
    stacks = re.split(r"\n(?!\s*#)", head)
    inner = [tuple(re.findall(rf"/{name}\+(0x[0-9a-f]+)\)", stack)[:INNER]) for stack in stacks]
    held = [one for one in inner if one]
    said = _CHANGING.sub("", " ".join(words))
    return (name, label, said, held[0][0] if held else "", *(" ".join(one) for one in held))


def choose(reports: Sequence[Kept], flaws: int, kept: int, chance: random.Random) -> list[Kept]:
    """Exactly *kept* reports of *flaws* flaws, if there are so many, in an order that says nothing."""
    held: dict[str, list[Kept]] = {}
    for one in reports:
        held.setdefault(one.flaw, []).append(one)
    enough = sorted(name for name, found in held.items() if len(found) * 2 >= kept // flaws)
    chosen = [one for name in enough[:flaws] for one in held[name]]
    return chance.sample(chosen, min(kept, len(chosen)))


if __name__ == "__main__":
    main()
