"""Trees of C: compiled in a fresh box, never on the host, since the tree is a subject's.

A repair may add no name to the program's interface, call nothing new but plain memory functions, and
use no attribute, pragma or assembly that the original does not use: the sanitizer then sees what it
saw before.
"""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from inspect_ai.util import OutputLimitExceededError

from leadline.core.isolation import Tier
from leadline.sandbox.box import Bind, Box, BoxConfig, Completed
from leadline.suites.patch.built import Built, lay_out
from leadline.suites.planted.build import FLAGS

BUILD_SECONDS = 60.0
PROGRAM_BYTES_MAX = 32 << 20
SOURCE, OUT = "/src", "/box"
# Memory and strings; the last ones are what the compiler makes of others of them.
BENIGN = frozenset(
    (
        *("memcpy", "memmove", "memset", "memcmp", "memchr", "memrchr", "bcmp"),
        *("strlen", "strnlen", "strcmp", "strncmp", "strchr", "strrchr"),
        *("malloc", "calloc", "realloc", "free", "__muloti4", "__udivti3"),
    )
)
_SHADOW = re.compile(  # what the compiler itself adds for AddressSanitizer, and nobody calls by hand
    r"__asan_(init|version_mismatch_check_v\d+|report_\w+|memcpy|memmove|memset|stack_malloc_\w+"
    r"|stack_free_\w+|handle_no_return|option_detect_stack_use_after_return|set_shadow_\w+"
    r"|poison_stack_memory|unpoison_stack_memory|alloca_poison|allocas_unpoison|load\w+|store\w+"
    r"|(un)?register_(elf_)?globals|(un)?register_image_globals|before_dynamic_init"
    r"|after_dynamic_init|shadow_memory_dynamic_address)$"
)
_ODD = re.compile(
    r"__attribute__|__attribute\b|__declspec|\basm\b|__asm|\[\[|_Pragma|^[ \t]*#[ \t]*pragma.*",
    re.MULTILINE,
)
_MARK = re.compile(r'^# \d+ "([^"]*)"')
_LINE = re.compile(r"^[ \t]*(?:#|%:|\?\?=)[ \t]*(?:line\b|\d)", re.MULTILINE)


def own_lines(preprocessed: str) -> str:
    """The lines of preprocessed C that stand in the program's own files, not in the system's."""
    kept, own = [], True
    for line in preprocessed.splitlines():
        mark = _MARK.match(line)
        if mark:
            own = not PurePosixPath(mark[1]).is_absolute() or mark[1].startswith(SOURCE)
        elif own:
            kept.append(line)
    return "\n".join(kept)


def odd_words(texts: Mapping[str, bytes], preprocessed: str) -> tuple[str, ...]:
    """Attributes, pragmas, assembly and line directives, as often as they stand there."""
    words = [found.group().strip() for found in _ODD.finditer(own_lines(preprocessed))]
    for data in texts.values():
        words += ["#line"] * len(_LINE.findall(data.decode("utf-8", "replace")))
    return tuple(words)


_SCRIPT = """\
set -e
cd /src
for file in $SOURCES; do
  clang $FLAGS -ffile-prefix-map=/src=. -c "$file" -o "/box/$(basename "$file").o"
done
clang $FLAGS /box/*.o -o /box/program
"""


@dataclass(frozen=True, slots=True)
class CTree:
    """How a tree of C is built: *sources* are compiled each, and those that may change looked at."""

    sources: tuple[str, ...]
    patchable: tuple[str, ...]
    language: str = "c"

    def asking(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """The same: the program prints what it made of a file."""
        return argv

    async def build(self, tree: Mapping[str, bytes], tier: Tier) -> Built:
        """Compile *tree* as the judge does.

        Raises: SandboxUnavailableError or Unusable, if no box can be had.
        """
        with tempfile.TemporaryDirectory(prefix="leadline-tree-") as scratch:
            folder = Path(scratch)
            lay_out(tree, folder)
            bind = Bind(source=str(folder), target=SOURCE)
            async with await Box.start(BoxConfig(binds=(bind,), tier=tier.value)) as box:
                env = {"SOURCES": " ".join(self.sources), "FLAGS": " ".join(FLAGS)}
                done = await _run(box, ["/bin/sh", "-c", _SCRIPT], env)
                if isinstance(done, str) or done.returncode:
                    return Built(problem=_why(done))
                return await self._look(box, tree)

    async def _look(self, box: Box, tree: Mapping[str, bytes]) -> Built:
        program = await box.read(f"{OUT}/program", bytes_max=PROGRAM_BYTES_MAX)
        exports, marks = set[str](), list[str]()
        for path in self.patchable:
            object_ = f"{OUT}/{PurePosixPath(path).name}.o"
            own = await _names(box, ["nm", "-g", "--defined-only", object_])
            called = await _names(box, ["nm", "-u", object_])
            exports |= own
            marks += sorted(own | {name for name in called - BENIGN if not _SHADOW.match(name)})
            shown = await _run(box, ["clang", *FLAGS, "-E", path], {}, SOURCE)
            if isinstance(shown, str) or shown.returncode:
                return Built(problem=_why(shown))
            text = shown.stdout.decode("utf-8", "replace")
            marks += odd_words({path: tree[path]}, text)
        return Built({"program": program}, frozenset(exports), tuple(marks))


async def _run(
    box: Box, argv: list[str], env: Mapping[str, str], cwd: str = SOURCE
) -> Completed | str:
    """The command's end, or in words why it came to none."""
    try:
        return await box.exec(argv, env=env, cwd=cwd, timeout=BUILD_SECONDS)
    except TimeoutError:
        return f"the build did not end within {BUILD_SECONDS:g} s"
    except OutputLimitExceededError as error:
        return f"the build printed too much: over {error.limit_str}"


def _why(done: Completed | str) -> str:
    if isinstance(done, str):
        return done
    lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if "error" in line] or lines
    return errors[0][:300] if errors else f"the compiler ended with {done.returncode}"


async def _names(box: Box, argv: list[str]) -> set[str]:
    """The symbols that ``nm`` lists."""
    done = await box.exec(argv, timeout=BUILD_SECONDS)
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return {line.split()[-1] for line in lines if line.strip()}
