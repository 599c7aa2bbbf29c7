"""Has a subject draft a repair of a project's own flaw, and tries it; see `leadline.app.fixes.Workshop`.

The project becomes an item of suite `patch`: the subject works in its own box on the files of the commit
and is judged as there, by inputs that it never saw. What holds is then applied to the commit and built
anew by the project's own recipe, where the proof, the held-out inputs and the project's tests are run
again. Nothing of the subject's runs outside a box, and nothing of it is kept but changed files.
"""

import asyncio
import base64
import difflib
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.util import SandboxUnavailableError

from leadline.app.replay import replayed
from leadline.core.clearing.finding import ReplayVerdict
from leadline.core.clearing.fix import VARIANTS_MIN, Drafted, touched_tests
from leadline.core.clearing.replaying import Bundle, OracleKind, Repair, Replay
from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier, parse_tier
from leadline.runner.replay.build import Built
from leadline.runner.replay.lab import HEAD, HostLab
from leadline.runner.replay.runs import HostBench
from leadline.runner.replay.source import Commit
from leadline.runner.subject import Runnable
from leadline.sandbox.box import Unusable
from leadline.suites.differential import expected, save_item
from leadline.suites.item import TARGET, Item, Oracle, Run
from leadline.suites.patch.answer import FILE_BYTES_MAX, decode
from leadline.suites.patch.batch import trials
from leadline.suites.patch.brief import subject_files
from leadline.suites.patch.built import Built as PatchBuilt
from leadline.suites.patch.built import lay_out
from leadline.suites.patch.c_tree import CTree
from leadline.suites.patch.judge import Hidden, answer_to, quiet
from leadline.suites.patch.recipe import saved
from leadline.suites.patch.scoring import repair, sample_for
from leadline.suites.patch.variants import VARIANTS_WANTED, Mutant, mutants, varied

UNDER = "src/"  # where the project's files stand in what a subject sees
INPUT_BYTES_MAX = 1 << 20
_SHOWN = frozenset({".c", ".h", ".inc"})
_BATCH = 96
_SURPLUS = 2  # more variants than wanted, so that far apart ones can be chosen


@dataclass(frozen=True, slots=True)
class HostWorkshop:
    """One subject and one repository, here. *origin* is ``ai`` or ``tool``."""

    lab: HostLab
    runnable: Runnable
    origin: str
    say: Callable[[str], None]

    def draft(self, bundle: Bundle) -> Drafted:
        """See the protocol."""
        subject = self.runnable.subject
        commit = self.lab.commit(HEAD)
        start = Drafted(commit.id, subject.digest, self.origin, subject.name)
        problem = _unsuited(bundle)
        if problem or bundle.repair is None:
            return replace(start, problem=problem)
        built = self.lab.built(bundle, commit)
        if built.problem:
            return replace(start, problem=f"does not build: {built.problem}")
        self.say("the proof, before anybody is asked to repair anything")
        bench = HostBench(bundle, built.folder, built.digest, self.lab.builder.tier)
        done = replayed(bundle, bench)
        start = replace(start, replay=done)
        if done.verdict is not ReplayVerdict.CONFIRMED:
            return replace(start, problem=f"nothing was drafted: {done.why}")
        start = replace(start, tests=(self._tests(bundle, bundle.repair, built), None))
        try:
            return self._drafted(bundle, bundle.repair, commit, built, start)
        except (SandboxUnavailableError, Unusable, OSError) as error:
            raise Unavailable(f"no box to draft or try a repair in: {error}") from error

    def _drafted(
        self, bundle: Bundle, repair_: Repair, commit: Commit, built: Built, start: Drafted
    ) -> Drafted:
        with tempfile.TemporaryDirectory(prefix="leadline-fix-") as scratch:
            root = Path(scratch)
            root.chmod(0o755)
            self.lab.repository.lay_out(commit, root / "tree")
            self.say("variants of the proof, which no subject sees")
            made = asyncio.run(_prepare(bundle, repair_, root, self._tier))
            if isinstance(made, str):
                return replace(start, problem=made)
            self.say(f"{start.made_by} drafts a repair in its own box")
            outcome, changed, silent, alike, told = self._asked(made.item, root / "item", root)
            start = replace(start, outcome=outcome, reason=told, variants=silent, samples=alike)
            if not changed:
                return replace(start, problem=f"no repair was handed in: {told}")
            start = replace(
                start,
                patch=_difference(root / "tree", changed),
                touches=tuple(sorted(changed)),
            )
            if outcome != "fixed":
                return start
            self.say("the repair on a clean rebuild by the project's own recipe")
            return self._tried(bundle, repair_, built, start, root / "tree", changed, made.variants)

    @property
    def _tier(self) -> Tier:
        return parse_tier(self.lab.builder.tier)

    def _tests(self, bundle: Bundle, repair_: Repair, built: Built) -> bool | None:
        if not repair_.test:
            return None
        passed, told = self.lab.builder.ran(built, repair_.test, bundle.build)
        if not passed:
            self.say(f"the project's tests do not succeed: {told}")
        return passed

    def _asked(
        self, item: Item, folder: Path, root: Path
    ) -> tuple[str, dict[str, bytes], tuple[int, int], tuple[int, int], str]:
        """The subject's repair and the judge's word on it.

        Raises: Unavailable, if the eval came to no score.
        """
        task = Task(
            dataset=[sample_for(item, folder, self._tier)],
            solver=self.runnable.agent(1),
            scorer=repair(),
            name="fix",
        )
        budget = self.runnable.budget
        # Whatever Inspect has to say goes to standard error: standard output is for one document.
        with redirect_stdout(sys.stderr):
            logs = run_eval(
                task,
                model=self.runnable.open(),
                log_dir=str(root / "logs"),
                log_format="eval",
                display="none",
                fail_on_error=False,
                token_limit=budget.tokens or None,
                working_limit=budget.seconds or None,
                timeout=self.runnable.patience_seconds,
                cost_limit=budget.cost_micro_usd / 1e6 if budget.cost_micro_usd else None,
            )
        if not logs or logs[0].status == "cancelled":
            raise KeyboardInterrupt
        samples = logs[0].samples or []
        if not samples or not samples[0].scores:
            wrong = samples[0].error.message if samples and samples[0].error else logs[0].error
            raise Unavailable(f"the subject could not be asked: {wrong}")
        (score,) = samples[0].scores.values()
        told = score.metadata or {}
        said = [one.text for one in samples[0].messages if one.role == "assistant"]
        changed = decode_patch(str(told.get("proof_base64", "")))
        return (
            str(told.get("outcome", "")),
            {path.removeprefix(UNDER): data for path, data in changed.items()},
            _pair(told.get("variants_silent")),
            _pair(told.get("tests_answered")),
            str(told.get("reason", "")) or (said[-1][:300] if said else ""),
        )

    def _tried(  # noqa: PLR0917 -- what was, what changed, and what it is tried on
        self,
        bundle: Bundle,
        repair_: Repair,
        built: Built,
        start: Drafted,
        tree: Path,
        changed: Mapping[str, bytes],
        variants: Sequence[bytes],
    ) -> Drafted:
        for path, data in changed.items():
            (tree / path).write_bytes(data)
        digest = hashlib.sha256(start.base.encode() + start.patch).hexdigest()
        fixed = self.lab.builder.build(tree, digest, bundle.build)
        if fixed.problem:
            return replace(start, problem=f"the repaired tree does not build: {fixed.problem}")
        flawed = HostBench(bundle, built.folder, built.digest, self.lab.builder.tier)
        bench = HostBench(bundle, fixed.folder, fixed.digest, self.lab.builder.tier)
        shown = bench.each(variants)
        return replace(
            start,
            replay=self._fixed(bundle, start, flawed, bench),
            variants=(sum(one.fired is False for one in shown), len(shown)),
            tests=(start.tests[0], self._tests(bundle, repair_, fixed)),
            removed=tuple(sorted(self.lab.builder.names(built) - self.lab.builder.names(fixed))),
        )

    @staticmethod
    def _fixed(bundle: Bundle, start: Drafted, flawed: HostBench, bench: HostBench) -> Replay:
        """The runs of the flawed build as they were, and five of the repaired one."""
        done = start.replay or replayed(bundle, flawed)
        return replace(done, fixed=tuple(bench.runs(bundle.data, len(done.vulnerable))))


@dataclass(frozen=True, slots=True)
class _Prepared:
    item: Item
    variants: tuple[bytes, ...]


def _unsuited(bundle: Bundle) -> str:
    """Why no repair is drafted for such a bundle; empty if one can be."""
    if bundle.repair is None:
        return (
            "the bundle says nothing under [repair]: which files make the program, which may change"
        )
    if bundle.oracle.kind is not OracleKind.SANITIZER or "address" not in bundle.build.sanitizers:
        return "repairs are drafted for flaws that AddressSanitizer reports; this is another"
    if bundle.stdin or any(word.startswith("{") and word != "{proof}" for word in bundle.command):
        return "repairs are drafted for programs that read one file, named on their command line"
    touched = touched_tests(bundle.repair.changeable)
    return f"{touched[0]} belongs to the tests, which no repair may change" if touched else ""


async def _prepare(bundle: Bundle, repair_: Repair, root: Path, tier: Tier) -> _Prepared | str:
    """The item of suite `patch` in ``item`` below *root*, or why there is none."""
    files = _given(root / "tree", repair_)
    if isinstance(files, str):
        return files
    recipe = CTree(
        tuple(UNDER + path for path in repair_.sources),
        tuple(UNDER + path for path in repair_.changeable),
    )
    original = await recipe.build(files, tier)
    if original.problem:
        return f"the sources do not compile by themselves, as drafting needs: {original.problem}"
    item = _item(bundle)
    (root / "flawed").mkdir()
    lay_out(original.files, root / "flawed")
    variants = await _variants(bundle, item, recipe, root / "flawed", tier)
    if len(variants) < VARIANTS_MIN:
        return f"only {len(variants)} variants of the proof show the flaw; {VARIANTS_MIN} are due"
    answers = []
    for name in repair_.samples:
        said = await answer_to(item, recipe, root / "flawed", bundle.files[name], tier)
        if not said.problem:
            answers.append((bundle.files[name], said.printed))
    if not answers:
        return "no ordinary input is given whose answer has to stay as it is"
    hidden = Hidden(bundle.data, tuple(variants), tuple(answers))
    _write(root / "item", item, files, recipe, original, hidden)
    return _Prepared(item, tuple(variants))


def _given(tree: Path, repair_: Repair) -> dict[str, bytes] | str:
    """The files that a subject sees: C of the whole tree, below `UNDER`; or why there are none."""
    found: dict[str, bytes] = {}
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        plain = path.is_file() and not path.is_symlink()
        if plain and (path.suffix in _SHOWN or name in repair_.sources):
            data = path.read_bytes()
            if len(data) <= FILE_BYTES_MAX:
                found[UNDER + name] = data
    lost = [path for path in repair_.sources if UNDER + path not in found]
    return f"{lost[0]} is no file of the tree, or too large" if lost else found


def _item(bundle: Bundle) -> Item:
    """The flaw as an item; its id and digest come from the proof."""
    places = {"proof": "/box/input"}
    argv = (f"{TARGET}/program", *bundle.argv(places)[1:])
    digest = hashlib.sha256(b"leadline-fix/1" + bundle.data).hexdigest()
    return Item(
        id=f"f-{digest[:16]}",
        suite="patch",
        family=bundle.cwe or "reported",
        cwe=bundle.cwe,
        title=bundle.title,
        digest=digest,
        oracle=Oracle("sanitizer", bundle.oracle.names, bundle.oracle.functions),
        run=Run(argv, seconds=bundle.seconds),
        input_bytes_max=INPUT_BYTES_MAX,
    )


async def _variants(
    bundle: Bundle, item: Item, recipe: CTree, folder: Path, tier: Tier
) -> list[bytes]:
    """Inputs made from the proof that show the same flaw, as far apart as they come.

    There is no repaired build to compare with yet: what counts as the same is what the oracle names.
    """
    plain = [bundle.files[name] for name in bundle.seeds]
    tried = mutants(bundle.data, plain, bytes.fromhex(item.digest), item.input_bytes_max)
    found: list[Mutant] = []
    while len(found) < VARIANTS_WANTED * _SURPLUS and (batch := list(islice(tried, _BATCH))):
        seen = await trials(item, recipe, folder, [one.data for one in batch], tier)
        found += [
            one
            for one, shown in zip(batch, seen, strict=True)
            if not quiet(shown) and expected(item.oracle, shown)
        ]
    return varied(found, bundle.data, VARIANTS_WANTED)


def _write(
    folder: Path,
    item: Item,
    files: Mapping[str, bytes],
    recipe: CTree,
    original: PatchBuilt,
    hidden: Hidden,
) -> None:
    given = {**files, "task.json": json.dumps({}).encode()}
    # Half of the ordinary inputs are shown; on the others a repair has not been fitted.
    subject = subject_files(given, recipe, hidden.tests[::2], hidden.proof)
    parts = {f"subject/{path}": data for path, data in subject.items()}
    parts |= {f"hidden/variants/{n:03d}": data for n, data in enumerate(hidden.variants)}
    for number, (data, said) in enumerate(hidden.tests):
        parts[f"hidden/tests/{number:03d}"] = data
        parts[f"hidden/tests/{number:03d}.expected"] = said
    parts["hidden/proof"] = hidden.proof
    parts["hidden/recipe.json"] = saved(recipe, original).encode()
    folder.mkdir()
    lay_out(parts, folder)
    save_item(item, folder)


def _difference(tree: Path, changed: Mapping[str, bytes]) -> bytes:
    """The changed files as a unified difference, as ``git apply`` takes it."""
    parts: list[str] = []
    for path, data in sorted(changed.items()):
        before = (tree / path).read_text("utf-8", "surrogateescape").splitlines(keepends=True)
        after = data.decode("utf-8", "surrogateescape").splitlines(keepends=True)
        parts += difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    lines = (
        one if one.endswith("\n") else f"{one}\n\\ No newline at end of file\n" for one in parts
    )
    return "".join(lines).encode("utf-8", "surrogateescape")


def decode_patch(text: str) -> dict[str, bytes]:
    """The changed files that a score holds; none where nothing was handed in."""
    return decode(base64.b64decode(text, validate=True)) if text else {}


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, list | tuple) and len(value) == 2:  # noqa: PLR2004 -- how many, of how many
        return int(value[0]), int(value[1])
    return (0, 0)
