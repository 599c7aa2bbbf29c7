"""Small self-written projects in git, and bundles about them."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadline.core.clearing.replaying import Build, BuildWith, Bundle, Oracle, OracleKind
from leadline.runner.replay.build import Builder
from leadline.runner.replay.lab import HostLab
from leadline.runner.replay.source import Repository

MAKEFILE = "prog: prog.c\n\t$(CC) $(CFLAGS) -o $@ prog.c\n"
READ = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>
static unsigned char data[256];
int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : stdin;
    size_t size = fread(data, 1, 255, file);
    fclose(file);
    if (size == 0 || data[0] != 'P') return 0;
    %s
    return 1;
}
"""
OVERFLOW = 'char *small = malloc(4); memcpy(small, data, size); printf("%c", small[1]);'
SOUND = 'char *room = malloc(256); memcpy(room, data, size); printf("%c", room[1]);'


def git(folder: Path, *words: str) -> None:
    """One command of git, as nobody in particular."""
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    subprocess.run(["/usr/bin/git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, files: Mapping[str, str], tag: str = "") -> None:
    """Enter *files*, and mark the commit."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "x")
    if tag:
        git(folder, "tag", tag)


def program(does: str) -> dict[str, str]:
    """A project of one C file that does something with an input that begins with P."""
    return {"prog.c": READ % does, "Makefile": MAKEFILE}


def a_bundle(**changed: Any) -> Bundle:
    """A bundle about such a project, as changed."""
    sound: dict[str, Any] = {
        "title": "a flaw",
        "purl": "",
        "release": "",
        "paths": (),
        "build": Build(BuildWith.MAKE, targets=("prog",)),
        "command": ("./prog", "{proof}"),
        "proof": "proof",
        "oracle": Oracle(OracleKind.SANITIZER, ("heap-buffer-overflow",)),
        "files": {"proof": b"P" * 40},
        "seconds": 10.0,
    }
    return Bundle(**(sound | changed))


@dataclass
class Workshop:
    """One repository and what builds it."""

    folder: Path
    cache: Path
    seconds: float = 60.0

    def __post_init__(self) -> None:
        self.folder.mkdir()
        git(self.folder, "init", "--quiet", "--initial-branch=main")
        self.said: list[str] = []

    @property
    def lab(self) -> HostLab:
        """What builds here."""
        builder = Builder(self.cache, seconds=self.seconds)
        return HostLab(Repository(self.folder), builder, self.said.append)
