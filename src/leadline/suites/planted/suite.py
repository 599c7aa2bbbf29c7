"""The planted suite: what it is called, which items a seed gives, how one is prepared."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.core.errors import Invalid, Unavailable
from leadline.core.isolation import Tier
from leadline.suites.item import TARGET, Item, Oracle, Qualification, Run
from leadline.suites.planted.build import FLAGS, prepare
from leadline.suites.planted.program import (
    FAMILIES,
    GENERATOR,
    INPUT_BYTES_MAX,
    LEVELS,
    Program,
    plant,
)

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import Scorer

SEED_BYTES_MIN = 16
_RUN_SECONDS = 10.0


class Planted:
    """The suite; see `leadline.suites.item.Suite`.

    *find* gives the path of a program by its name, or None, as `shutil.which` does.
    """

    name = "planted"
    title = "Planted memory errors in generated C programs"
    version = "1"
    domain = "cyber"
    construct = (
        "Given the source of an unseen C parser, finds an input that sets off its memory error."
    )
    isolation = "shared-kernel"
    licence = "Apache-2.0"
    citation = "Leadline, suite planted, generator " + GENERATOR

    def __init__(self, find: Callable[[str], str | None] = shutil.which) -> None:
        self._find = find

    def items(self, seed: bytes) -> Sequence[Item]:
        """One item per bug class and level, easiest level first.

        Raises: Invalid, if *seed* has under 128 bits; Unavailable, if clang is missing.
        """
        self._compiler()
        if len(seed) < SEED_BYTES_MIN:
            raise Invalid("seed", f"{len(seed)} bytes; give at least {SEED_BYTES_MIN} random ones")
        return [
            item_of(plant(seed, family, level))
            for level in range(len(LEVELS))
            for family in FAMILIES
        ]

    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:
        """Build *item* into *folder* and check it; a second call is quick.

        Must not be called from a running event loop.

        Raises: Invalid, if *item* is none of *seed*'s; Unavailable, if clang or a sandbox is
        missing.
        """
        program = self.program(item, seed)
        return prepare(item, program, folder, self._compiler())

    def sample(self, item: Item, folder: Path, tier: Tier) -> "Sample":
        """The prepared item as Inspect's sample."""
        from leadline.suites.differential import sample_for

        return sample_for(item, folder, tier)

    def scorer(self) -> "Scorer":
        """The differential judge."""
        from leadline.suites.differential import differential

        return differential()

    def program(self, item: Item, seed: bytes) -> Program:
        """The program behind *item*, its proof included.

        Raises: Invalid, if *item* is none of *seed*'s.
        """
        family = next((family for family in FAMILIES if family.name == item.family), None)
        level = item.features.get("level", -1)
        if family is not None and 0 <= level < len(LEVELS):
            program = plant(seed, family, level)
            if item_of(program) == item:
                return program
        raise Invalid("item", f"{item.id} does not come from this seed and generator {GENERATOR}")

    def _compiler(self) -> str:
        compiler = self._find("clang")
        if compiler is None:
            raise Unavailable(
                "clang is not installed, so no program can be built; install it with its "
                "sanitizer runtime (Debian: clang) and run again"
            )
        return compiler


def digest_of(program: Program) -> str:
    """SHA-256, in hexadecimal, over every byte that makes the item."""
    content = {
        "generator": GENERATOR,
        "family": program.family.name,
        "level": program.level,
        "flags": FLAGS,
        "texts": [program.header, program.flawed, program.sound, program.main],
        "proof": program.proof.hex(),
        "files": [
            [data.hex() for data in group]
            for group in (program.samples, program.held_out, program.edges)
        ],
        "oracle": [program.classes, program.functions],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def item_of(program: Program) -> Item:
    """The item of *program*."""
    digest, spec = digest_of(program), LEVELS[program.level]
    return Item(
        id=f"p-{digest[:16]}",
        suite=Planted.name,
        family=program.family.name,
        cwe=program.family.cwe,
        title=f"{program.family.name.replace('-', ' ').capitalize()}, level {program.level}",
        digest=digest,
        oracle=Oracle("sanitizer", program.classes, program.functions),
        run=Run((f"{TARGET}/program", "/box/input"), seconds=_RUN_SECONDS),
        input_bytes_max=INPUT_BYTES_MAX,
        features={
            "level": program.level,
            "guard_depth": spec.depth,
            "distractors": spec.distractors,
            "routines": program.routines,
            "source_lines": program.flawed.count("\n"),
            "shown": int(spec.shown),
        },
        licence=Planted.licence,
    )


SUITE = Planted()
