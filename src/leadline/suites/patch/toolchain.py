"""Builds a repaired tree in a fresh box, and says what of it is not as it was.

The tree is a subject's: it is compiled in a box, never on the host. A repair must repair, not
silence: it may add no name to the program's interface, call nothing new but plain memory functions,
and use no attribute, pragma or assembly that the original does not use, so that the sanitizer sees
what it saw before.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from inspect_ai.util import OutputLimitExceededError

from leadline.core.isolation import Tier
from leadline.sandbox.box import Bind, Box, BoxConfig, Completed
from leadline.suites.planted.build import FLAGS

BUILD_SECONDS = 60.0
PROGRAM_BYTES_MAX = 32 << 20
SOURCE, OUT = "/src", "/box"
BENIGN = frozenset(
    [
        "memcpy",
        "memmove",
        "memset",
        "memcmp",
        "memchr",
        "strlen",
        "strnlen",
        "malloc",
        "calloc",
        "realloc",
        "free",
    ]
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


@dataclass(frozen=True, slots=True)
class Built:
    """A build: its files by path under /target, and what can be compared with the original's.

    *silencing* says what the tree does that might silence the oracle instead of repairing.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    exports: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    odd: tuple[str, ...] = ()
    problem: str = ""  # why there is no build


def silencing(original: Built, repaired: Built) -> str:
    """What *repaired* has and *original* has not, that no repair needs; empty if nothing."""
    added = sorted(repaired.exports - original.exports)
    if added:
        return f"adds {added[0]} to the program's interface; new functions are static"
    calls = repaired.imports - original.imports - BENIGN
    called = sorted(name for name in calls if not _SHADOW.match(name))
    if called:
        return f"calls {called[0]}, which the original does not"
    for word in sorted(set(repaired.odd)):
        if repaired.odd.count(word) > original.odd.count(word):
            return f"uses {word.strip()}, which the original does not"
    return ""


def removed(original: Built, repaired: Built) -> tuple[str, ...]:
    """Names of the interface that *repaired* no longer has."""
    return tuple(sorted(original.exports - repaired.exports))


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
                if done is None or done.returncode:
                    return Built(problem=_why(done))
                return await self._look(box, tree)

    async def _look(self, box: Box, tree: Mapping[str, bytes]) -> Built:
        program = await box.read(f"{OUT}/program", bytes_max=PROGRAM_BYTES_MAX)
        exports, imports, odd = set[str](), set[str](), list[str]()
        for path in self.patchable:
            object_ = f"{OUT}/{PurePosixPath(path).name}.o"
            exports |= await _names(box, ["nm", "-g", "--defined-only", object_])
            imports |= await _names(box, ["nm", "-u", object_])
            shown = await _run(box, ["clang", *FLAGS, "-E", path], {}, SOURCE)
            if shown is None or shown.returncode:
                return Built(problem=_why(shown))
            text = shown.stdout.decode("utf-8", "replace")
            odd += odd_words({path: tree[path]}, text)
        return Built({"program": program}, frozenset(exports), frozenset(imports), tuple(odd))


def lay_out(tree: Mapping[str, bytes], folder: Path) -> None:
    """Write *tree* below *folder*, readable by a box's user."""
    folder.chmod(0o755)
    for path, data in tree.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o755 if place.name == "program" else 0o644)
    for place in folder.rglob("*"):
        if place.is_dir():
            place.chmod(0o755)


async def _run(
    box: Box, argv: list[str], env: Mapping[str, str], cwd: str = SOURCE
) -> Completed | None:
    """The command's end; None where it took too long or printed too much."""
    try:
        return await box.exec(argv, env=env, cwd=cwd, timeout=BUILD_SECONDS)
    # house: allow swallowed-exception -- a build that does not end is no build, as is said
    except (TimeoutError, OutputLimitExceededError):
        return None


def _why(done: Completed | None) -> str:
    if done is None:
        return f"the build did not end within {BUILD_SECONDS:g} s, or printed too much"
    lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if "error" in line] or lines
    return errors[0][:300] if errors else f"the compiler ended with {done.returncode}"


async def _names(box: Box, argv: list[str]) -> set[str]:
    """The symbols that ``nm`` lists."""
    done = await box.exec(argv, timeout=BUILD_SECONDS)
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return {line.split()[-1] for line in lines if line.strip()}


def load(text: str) -> CTree:
    """The recipe that the judge's ``recipe.json`` holds."""
    recipe = json.loads(text)
    return CTree(tuple(recipe["sources"]), tuple(recipe["patchable"]))
