"""The judge of a repair: a clean rebuild, then every input in a fresh box of its own.

A repaired program is a subject's program, so that it never shares a box with another run. Silence is
judged by the source item's own oracle; answers to ordinary inputs are compared with those that the
fixed release gave.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from inspect_ai.util import OutputLimitExceededError

from leadline.core.isolation import Tier
from leadline.sandbox.box import Bind, Box, BoxConfig
from leadline.suites.differential import TIMED_OUT, observe
from leadline.suites.item import REPORT, TARGET, Item, Observation
from leadline.suites.patch import built as builds
from leadline.suites.patch.answer import Tree
from leadline.suites.patch.built import Built, lay_out
from leadline.suites.patch.recipe import Recipe

BOXES_AT_ONCE = 3
PRINTED_BYTES_MAX = 64 << 10
_ASAN = f"detect_leaks=0:allocator_may_return_null=1:log_path={REPORT}/asan:symbolize=0"

PatchOutcome = Literal[
    "fixed",  # proof and every held-out variant silent, every held-out test answered as it should be
    "masked",  # the given proof silent, a variant not
    "fixed_breaks_function",  # silent, but an ordinary input is answered otherwise
    "not_fixed",  # the proof still shows the flaw
    "does_not_build",
    "refused",  # it touched what it may not, or silences the oracle instead of repairing
    "none",  # nothing handed in
]
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the judge has and no subject sees: variants, and ordinary inputs with their answers."""

    proof: bytes
    variants: tuple[bytes, ...]
    tests: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class PatchVerdict:
    """The judgement of one repair; the counts are of those tried, which ends at the first miss."""

    outcome: PatchOutcome
    reason: str = ""
    silent: tuple[int, int] = (0, 0)  # variants
    answered: tuple[int, int] = (0, 0)  # held-out tests


@dataclass(frozen=True, slots=True)
class Bench:
    """One item as its judge holds it: the tree that was given, how it is built, what it was like."""

    item: Item
    tree: Tree
    recipe: Recipe
    original: Built
    hidden: Hidden
    tier: Tier

    async def judge(self, answer: Mapping[str, bytes] | None) -> PatchVerdict:
        """Judge the changed files in *answer*; None stands for nothing handed in.

        Raises: SandboxUnavailableError, Unusable or OSError, if a box could not be had.
        """
        if answer is None:
            return PatchVerdict("none", "nothing handed in")
        refused = self.tree.refused(answer)
        if refused:
            return PatchVerdict("refused", refused)
        built = await self.recipe.build(self.tree.with_(answer), self.tier)
        if built.problem:
            return PatchVerdict("does_not_build", built.problem)
        silenced = builds.silencing(self.original, built)
        if silenced:
            return PatchVerdict("refused", silenced)
        return await self._run(built, builds.removed(self.original, built))

    async def _run(self, built: Built, removed: Sequence[str]) -> PatchVerdict:
        with tempfile.TemporaryDirectory(prefix="leadline-rebuilt-") as scratch:
            folder = Path(scratch)
            lay_out(built.files, folder)
            proof = await observe(self.item, folder, self.hidden.proof, self.tier)
            if not quiet(proof):
                return PatchVerdict("not_fixed", f"the proof shows {proof.kind}")
            loud, silent = await self._variants(folder)
            if loud:
                return PatchVerdict("masked", f"a held-out variant shows {loud}", silent)
            if removed:
                reason = f"{removed[0]} is gone from the program's interface"
                return PatchVerdict("fixed_breaks_function", reason, silent)
            wrong, answered = await self._tests(folder)
        if wrong:
            return PatchVerdict("fixed_breaks_function", wrong, silent, answered)
        return PatchVerdict("fixed", "", silent, answered)

    async def _variants(self, folder: Path) -> tuple[str, tuple[int, int]]:
        """What the first loud variant shows, and how many were silent."""

        async def run(variant: bytes) -> Observation:
            return await observe(self.item, folder, variant, self.tier)

        seen = await in_turn(self.hidden.variants, run)
        loud = [one.kind for one in seen if not quiet(one)]
        return (loud[0] if loud else ""), (len(seen) - len(loud), len(seen))

    async def _tests(self, folder: Path) -> tuple[str, tuple[int, int]]:
        """How the first held-out test is answered wrongly, and how many were right."""

        async def run(test: tuple[bytes, bytes]) -> str:
            said = await answer_to(self.item, self.recipe, folder, test[0], self.tier)
            if said.problem:
                return f"an ordinary input shows {said.problem}"
            return "" if said.printed == test[1] else "an ordinary input is answered otherwise"

        told = await in_turn(self.hidden.tests, run)
        wrong = [one for one in told if one]
        return (wrong[0] if wrong else ""), (len(told) - len(wrong), len(told))


def quiet(seen: Observation) -> bool:
    """Whether the run showed nothing, and came to its end by itself."""
    return not seen.fired and seen.kind not in (TIMED_OUT, "memory", "inodes", "unmeasured")


async def in_turn(of: Sequence[_T], run: Callable[[_T], Awaitable[_R]]) -> list[_R]:
    """What *run* answers for each of *of*, in order, a few at a time."""
    places = asyncio.Semaphore(BOXES_AT_ONCE)

    async def one(what: _T) -> _R:
        async with places:
            return await run(what)

    return list(await asyncio.gather(*(one(what) for what in of)))


@dataclass(frozen=True, slots=True)
class Said:
    """What a program printed about one input; *problem* is a report, a signal or a limit."""

    printed: bytes
    problem: str = ""


async def answer_to(item: Item, recipe: Recipe, build: Path, data: bytes, tier: Tier) -> Said:
    """Run *data* against *build* in a fresh box and take what it prints.

    Raises: SandboxUnavailableError, Unusable or OSError, if no box could be had.
    """
    async with _box(item, build.resolve(strict=True), data, tier) as box:  # noqa: ASYNC240 -- one stat
        env = {**item.run.env, "ASAN_OPTIONS": _ASAN}
        try:
            done = await box.exec(
                recipe.asking(item.run.argv),
                cwd=TARGET,
                env=env,
                timeout=item.run.seconds,
                output_bytes_max=PRINTED_BYTES_MAX,
            )
        except TimeoutError:
            return Said(b"", TIMED_OUT)
        except OutputLimitExceededError:
            return Said(b"", "endless output")
        listed = await box.exec(["ls", REPORT], timeout=item.run.seconds)
    problem: str = done.limit or ("a sanitizer's report" if listed.stdout.strip() else "")
    if not problem and done.returncode > 128:  # noqa: PLR2004 -- a signal, as a shell counts
        problem = f"signal {done.returncode - 128}"
    return Said(done.stdout, problem)


@asynccontextmanager
async def _box(item: Item, build: Path, data: bytes, tier: Tier) -> AsyncIterator[Box]:
    with tempfile.TemporaryDirectory(prefix="leadline-test-") as scratch:
        folder = Path(scratch)
        lay_out({"input": data}, folder)
        shown = {"/box": folder, TARGET: build}
        binds = [Bind(source=str(path), target=target) for target, path in shown.items()]
        binds += [Bind(source=one.source, target=one.target) for one in item.run.binds]
        config = BoxConfig(workdir=REPORT, binds=tuple(binds), tier=tier.value)
        async with await Box.start(config) as box:
            yield box
