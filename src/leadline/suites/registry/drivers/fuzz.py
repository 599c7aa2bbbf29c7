"""Fuzz the harness beside this file with atheris; libFuzzer's options are passed on.

Inputs start from /task/samples and a dictionary of the short string literals of the modules under
test. What the harness refuses by an exception is ordinary. A run that reaches what it must not reach,
or that takes more steps or processor time than the task allows, ends as a crash, so that libFuzzer keeps its input.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

from __future__ import annotations

import ast
import importlib
import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).resolve().parent
WORK = Path("/box/fuzz")
sys.path[:0] = [str(HERE / "package"), str(HERE / "tools")]

atheris = importlib.import_module("atheris")
driver = importlib.import_module("driver")

WORDS_MAX = 400
LETTERS = range(2, 21)
ORDINARY = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


class Reached(BaseException):
    """The input did what the task asks for; no harness catches this."""


def literals(source: str) -> Iterator[str]:
    """Short string literals of a Python source text, docstrings left out by their length."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if len(text) in LETTERS and text.isascii() and text.isprintable():
                yield text


def sources(package: Path, modules: list[str]) -> Iterator[Path]:
    """The Python files of *modules* below *package*; a package stands for all that it holds."""
    for module in modules:
        place = package.joinpath(*module.split("."))
        if place.is_dir():
            yield from sorted(place.rglob("*.py"))
        elif place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")


def dictionary(paths: Iterator[Path], target: Path) -> list[str]:
    """Write the commonest literals of the Python files *paths*; the option that names the file.

    libFuzzer refuses an empty dictionary, so that there is no option where nothing was found.
    """
    seen: Counter[str] = Counter()
    for path in paths:
        seen.update(literals(path.read_text(encoding="utf-8", errors="replace")))
    ranked = sorted(seen, key=lambda word: (-seen[word], word))[:WORDS_MAX]
    quoted = (word.replace("\\", "\\\\").replace('"', '\\"') for word in ranked)
    target.write_text("".join(f'"{word}"\n' for word in quoted), encoding="ascii")
    return [f"-dict={target}"] if ranked else []


def entry(
    run: Callable[[bytes], bool], refusals: tuple[type[Exception], ...], steps: int, cpu_ms: int
) -> Callable[[bytes], None]:
    """What libFuzzer calls; *steps* and *cpu_ms* are bounds of one run, 0 where there is none."""
    ordinary: tuple[type[Exception], ...] = (*ORDINARY, *refusals)
    refused: Counter[str] = Counter()

    def stop(count: int) -> NoReturn:
        raise Reached(f"{count} steps or milliseconds, more than the task allows")

    def one(data: bytes) -> None:
        if steps:
            sys.settrace(driver.StepCounter(steps, stop))
        end = driver.watch_cpu(cpu_ms, stop) if cpu_ms else None
        try:
            if run(data):
                raise Reached("the harness reports that the input reached its goal")
        except ordinary as error:
            refused[type(error).__name__] += 1
        finally:
            sys.settrace(None)
            if end:
                end()

    return one


def main() -> None:
    """Prepare corpus and dictionary, import the harness instrumented, fuzz."""
    task = json.loads((HERE / "task.json").read_text(encoding="utf-8"))
    corpus = WORK / "corpus"
    shutil.copytree(HERE / "samples", corpus, dirs_exist_ok=True)
    with atheris.instrument_imports(include=task["instrument"]):
        harness = importlib.import_module("harness")
    refusals = getattr(harness, "REFUSALS", ())
    one = entry(harness.one_input, refusals, task["steps_max"], task["cpu_ms_max"])
    options = [
        f"-max_len={task['fuzz_bytes_max']}",
        *dictionary(sources(HERE / "package", task["instrument"]), WORK / "words"),
        "-rss_limit_mb=0",
        "-timeout=600",
        *sys.argv[1:],
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
