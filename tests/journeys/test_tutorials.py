"""Tutorials, as a newcomer types them: every command block in order, every output shown."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import leadline

SOURCE = Path(__file__).parents[2]
TUTORIALS = ("inquiry", "from-finding-to-applied")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "===== end of block"


@dataclass(frozen=True)
class Step:
    """Commands, and what the tutorial shows of their output; empty where it shows nothing."""

    commands: str
    shown: str


def steps(text: str) -> list[Step]:
    """The command blocks in order, each with the output block that follows it, if one does."""
    found = list[Step]()
    for language, content in BLOCK.findall(text):
        if language == "sh":
            found.append(Step(content, ""))
        elif language == "text":
            assert found, "an output stands below its commands"
            assert not found[-1].shown, "one output for each block of commands"
            found[-1] = Step(found[-1].commands, content)
    return found


def pattern(shown: str) -> str:
    """A line ``...`` stands for any lines, ``<...>`` for something within one."""
    lines = []
    for line in shown.splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(".*".join(map(re.escape, line.split("<...>"))) + r"\n")
    return "".join(lines)


def test_placeholders_stand_for_what_they_say() -> None:
    """Any lines, something within one, and nothing else."""
    assert re.fullmatch(pattern("a <...> c\n...\nz\n"), "a b c\nd\ne\nz\n")
    assert not re.fullmatch(pattern("a <...> c\nz\n"), "a b c\nd\nz\n")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("tutorial", TUTORIALS)
def test_every_command_of_the_tutorial_does_what_it_shows(tutorial: str, tmp_path: Path) -> None:
    """In one shell, in an empty folder, with nothing of this machine's own settings."""
    text = (SOURCE / "docs" / "tutorial" / f"{tutorial}.md").read_text("utf-8")
    todo = steps(text)
    assert len(todo) >= 8
    script = "".join(f"{one.commands}echo '{END}'\n" for one in todo)
    (tmp_path / "work").mkdir()
    programs = Path(sys.executable).parent
    assert (programs / "leadline").exists(), f"{leadline.__file__} is not installed"
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=tmp_path / "work",
        env={
            "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "SOURCE": str(SOURCE),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    outputs = done.stdout.split(f"{END}\n")
    for step, output in zip(todo, outputs, strict=False):
        assert re.fullmatch(pattern(step.shown), output), f"{step.commands}\n{output}"
    assert len(outputs) == len(todo) + 1
