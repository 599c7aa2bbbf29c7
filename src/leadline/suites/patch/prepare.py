"""Makes a repair item from a prepared item of another suite, and tries it before it may count.

    item.json      the item; `twin` names the item whose flaw is to be repaired
    subject/       what the subject sees at /task: tree, Makefile, public tests, with or without proof
    hidden/        proof, variants/N, tests/N and tests/N.expected, recipe.json: the judge's alone
    reference/     the changed files that repair it
    checks.json    the qualification record

The folder is made under another name and renamed when whole.
"""

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from inspect_ai.util import SandboxUnavailableError

from leadline.core.errors import Invalid, Unavailable
from leadline.core.isolation import Tier
from leadline.sandbox.box import Unusable
from leadline.suites.differential import expected, load_item, save_item
from leadline.suites.item import Item, Observation, Qualification
from leadline.suites.patch import answer as answers
from leadline.suites.patch.answer import Tree
from leadline.suites.patch.batch import trials
from leadline.suites.patch.brief import subject_files
from leadline.suites.patch.built import Built, lay_out
from leadline.suites.patch.diff import apply
from leadline.suites.patch.judge import Bench, Hidden, answer_to, in_turn, quiet
from leadline.suites.patch.py_tree import PyTree
from leadline.suites.patch.recipe import Recipe, loaded, recipe_of, saved
from leadline.suites.patch.variants import (
    SHARED_BYTES_MAX,
    VARIANTS_MIN,
    VARIANTS_WANTED,
    Mutant,
    mutants,
    shared,
    varied,
)

CHECKS = "checks.json"
_BATCH = 96
_BATCH_PYTHON = 450  # one process reads them all
_SURPLUS = 2  # more variants than wanted, so that far apart ones can be chosen


@dataclass(frozen=True, slots=True)
class Source:
    """The prepared item whose flaw is to be repaired."""

    item: Item
    folder: Path


def prepare(item: Item, source: Source, folder: Path, *, shown: bool) -> Qualification:
    """Make *item* from *source* into *folder* and try it; quick where that is done already.

    *shown* puts the proof before the subject. Must not be called from a running event loop.

    Raises: Unavailable, if a compiler or box cannot be had; Invalid, if a record is spoilt.
    """
    known = _prepared(item, folder)
    if known is not None:
        return known
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as scratch:
        made = Path(scratch) / "item"
        made.mkdir()
        try:
            checks = asyncio.run(_make(item, source, made, shown=shown))
        except (SandboxUnavailableError, Unusable) as error:
            raise Unavailable(f"no sandbox to make item {item.id} in: {error}") from error
        wrong = sorted(name for name, held in checks.items() if not held)
        reason = f"did not hold: {', '.join(wrong)}" if wrong else ""
        record = Qualification(item.id, item.digest, not wrong, checks, reason)
        text = json.dumps(asdict(record), indent=1, sort_keys=True)
        (made / CHECKS).write_text(text + "\n", encoding="utf-8")
        if folder.exists():
            folder.rename(Path(scratch) / "replaced")
        made.rename(folder)
    return record


def _prepared(item: Item, folder: Path) -> Qualification | None:
    path = folder / CHECKS
    if not path.is_file() or load_item(folder) != item:
        return None
    try:
        return Qualification(**json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, TypeError) as error:
        problem = f"{path} is spoilt ({error!r}); remove the folder and prepare again"
        raise Invalid("checks", problem) from error


async def _make(item: Item, source: Source, made: Path, *, shown: bool) -> dict[str, bool]:
    """Write the folder and try it; the answer are the checks by name."""
    given = _files(source.folder / "subject")
    task = json.loads(given["task.json"])
    proof = (source.folder / "reference" / "proof").read_bytes()
    repair = (source.folder / "reference" / "repair.patch").read_text(encoding="utf-8")
    program = {path: data for path, data in given.items() if path.startswith("src/")}
    reference = apply(repair, program)
    recipe = _recipe(source, task["language"], task["sources"], program)
    public, held_out = await _tests(source, recipe, given)
    variants = await _variants(source, recipe, proof, [data for data, _ in public])
    hidden = Hidden(proof, tuple(variants), tuple(held_out))
    shown_tree = {path: data for path, data in given.items() if not path.startswith("samples/")}
    if isinstance(recipe, PyTree):
        # The judge's own, so that the tests are answered alike on both sides.
        shown_tree |= {f"src/{path}": data for path, data in recipe.parts.items()}
    subject = subject_files(shown_tree, recipe, public, proof if shown else None)
    original = await recipe.build(program, Tier.SHARED_KERNEL)
    if original.problem:
        raise Unavailable(f"item {item.id} does not build as it is: {original.problem}")
    _write(item, made, subject, hidden, recipe, original, reference)
    bench = load_bench(item, made, Tier.SHARED_KERNEL)
    fixed = await bench.judge(reference)
    same = await bench.judge({path: program[path] for path in recipe.patchable})
    return {
        "enough_variants": len(variants) >= VARIANTS_MIN,
        "variants_share_no_piece": not shared(variants, proof, SHARED_BYTES_MAX),
        "enough_tests": bool(public) and bool(held_out),
        "reference_repairs": fixed.outcome == "fixed",
        "unchanged_is_not_fixed": same.outcome == "not_fixed",
        "reference_changes_what_it_may": not bench.tree.refused(reference) and bool(reference),
        "subject_sees_no_answer": not _told(subject, hidden, reference, shown=shown),
    }


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def _recipe(
    source: Source, language: str, patchable: Sequence[str], program: Mapping[str, bytes]
) -> Recipe:
    """How the source item is built; of a Python build, all but the module is the judge's own."""
    if language == "c":
        sources = sorted(path for path in program if path.endswith(".c"))
        return recipe_of(language, sources, sorted(patchable), {})
    names = {PurePosixPath(path).name for path in patchable}
    build = _files(source.folder / "vulnerable")
    parts = {path: data for path, data in build.items() if path not in names}
    return recipe_of(language, sorted(patchable), sorted(patchable), parts)


async def _tests(
    source: Source, recipe: Recipe, given: Mapping[str, bytes]
) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
    """Public and held-out tests: ordinary inputs, each with the answer of the fixed release.

    One that both releases do not answer alike, without a report, is no test.
    """
    shown = [data for path, data in given.items() if path.startswith("samples/")]
    hidden = [
        data
        for kind in ("held_out", "edges")
        for data in _files(source.folder / "reference" / kind).values()
    ]
    rest = [data for data in dict.fromkeys(hidden) if data not in shown]

    async def answered(data: bytes) -> tuple[bytes, bytes] | None:
        said = [
            await answer_to(source.item, recipe, source.folder / build, data, Tier.SHARED_KERNEL)
            for build in ("vulnerable", "fixed")
        ]
        alike = said[0] == said[1] and not said[0].problem
        return (data, said[1].printed) if alike else None

    tried = await in_turn([*shown, *rest], answered)
    public = [test for test in tried[: len(shown)] if test is not None]
    return public, [test for test in tried[len(shown) :] if test is not None]


async def _variants(
    source: Source, recipe: Recipe, proof: bytes, samples: list[bytes]
) -> list[bytes]:
    """Inputs that show the same flaw on the vulnerable build, and nothing on the fixed one."""
    seed, most = bytes.fromhex(source.item.digest), source.item.input_bytes_max
    found: list[Mutant] = []

    async def tried_on(build: str, batch: list[Mutant]) -> list[Observation]:
        folder, inputs = source.folder / build, [one.data for one in batch]
        return await trials(source.item, recipe, folder, inputs, Tier.SHARED_KERNEL)

    tried = (one for one in mutants(proof, samples, seed, most) if one.data not in proof)
    oracle, size = source.item.oracle, _BATCH if recipe.language == "c" else _BATCH_PYTHON
    while not _plenty(found) and (batch := list(islice(tried, size))):
        seen = await tried_on("vulnerable", batch)
        loud = [one for one, shown in zip(batch, seen, strict=True) if expected(oracle, shown)]
        if loud:
            held = await tried_on("fixed", loud)
            found += [one for one, shown in zip(loud, held, strict=True) if quiet(shown)]
    return varied(found, proof, VARIANTS_WANTED)


def _plenty(found: Sequence[Mutant]) -> bool:
    """Whether there is enough to choose from: twice what is wanted, most of it changed within."""
    inner = sum(one.inner for one in found)
    return inner >= VARIANTS_WANTED and len(found) >= VARIANTS_WANTED * _SURPLUS


def _write(  # noqa: PLR0917 -- the parts of a folder
    item: Item,
    made: Path,
    subject: Mapping[str, bytes],
    hidden: Hidden,
    recipe: Recipe,
    original: Built,
    reference: Mapping[str, bytes],
) -> None:
    files = {f"subject/{path}": data for path, data in subject.items()}
    files |= {f"reference/{path}": data for path, data in reference.items()}
    files |= {f"hidden/variants/{n:03d}": data for n, data in enumerate(hidden.variants)}
    for number, (data, said) in enumerate(hidden.tests):
        files[f"hidden/tests/{number:03d}"] = data
        files[f"hidden/tests/{number:03d}.expected"] = said
    files["hidden/proof"] = hidden.proof
    files["hidden/recipe.json"] = saved(recipe, original).encode("utf-8")
    if isinstance(recipe, PyTree):
        files |= {f"hidden/parts/{path}": data for path, data in recipe.parts.items()}
    lay_out(files, made)
    save_item(item, made)


def load_bench(item: Item, folder: Path, tier: Tier) -> Bench:
    """The judge's side of the prepared item in *folder*.

    Raises: Invalid, if its recipe is spoilt.
    """
    subject, hidden = _files(folder / "subject"), _files(folder / "hidden")
    try:
        parts = {path[6:]: data for path, data in hidden.items() if path.startswith("parts/")}
        recipe, original = loaded(hidden["recipe.json"].decode("utf-8"), parts)
        tests = tuple(
            (data, hidden[f"{path}.expected"])
            for path, data in hidden.items()
            if path.startswith("tests/") and not path.endswith(".expected")
        )
        proof = hidden["proof"]
    except (KeyError, ValueError, TypeError) as error:
        raise Invalid("hidden", f"{folder} is spoilt ({error!r}); prepare it again") from error
    variants = tuple(data for path, data in hidden.items() if path.startswith("variants/"))
    tree = Tree(subject, frozenset(recipe.patchable))
    return Bench(item, tree, recipe, original, Hidden(proof, variants, tests), tier)


def _told(
    subject: Mapping[str, bytes], hidden: Hidden, reference: Mapping[str, bytes], *, shown: bool
) -> list[str]:
    """Files that the subject sees and that hold what it must not see."""
    secret = {*hidden.variants, *(data for data, _ in hidden.tests), *reference.values()}
    secret |= set() if shown else {hidden.proof}
    return [path for path, data in subject.items() if data in secret]


def reference_of(folder: Path) -> dict[str, bytes]:
    """The changed files that repair the prepared item in *folder*."""
    return _files(folder / "reference")


__all__ = ["Source", "answers", "load_bench", "prepare", "reference_of"]
