"""The items of an opened pack as a suite that Inspect runs, and what prepared items look like packed."""

import asyncio
import hashlib
import json
import secrets
import stat
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from inspect_ai.dataset import Sample
from inspect_ai.scorer import Scorer

from leadline.core.assessment import Budget
from leadline.core.errors import Invalid, Unavailable
from leadline.core.isolation import Tier
from leadline.formats.pack import SALT_BYTES, PackedFile, PackedItem
from leadline.runner.sealed import Measured
from leadline.runner.shard import ShardJob, run_shard
from leadline.runner.subject import resolve
from leadline.sandbox import egress
from leadline.sandbox.config import BoxConfig, canonical
from leadline.suites.differential import differential, load_item, sample_for
from leadline.suites.item import Item, Qualification, Suite

CHECKS = "checks.json"
SHARD = "sealed"


class Sealed:
    """Prepared items under one folder; see `leadline.suites.item.Suite`."""

    name = "sealed"
    title = "Items of a sealed pack"
    version = "1"
    domain = "cyber"
    construct = "What the suite says whose items these are."
    isolation = "shared-kernel"
    licence = ""
    citation = ""

    def __init__(self, folder: Path, ids: Sequence[str]) -> None:
        self._folder, self._ids = folder, tuple(ids)

    def items(self, seed: bytes) -> Sequence[Item]:  # noqa: ARG002 -- the port's
        """The items, in the order given; *seed* decided it."""
        return [load_item(self._folder / id_) for id_ in self._ids]

    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:  # noqa: ARG002
        """Nothing is built: what was checked before the pack was sealed still holds."""
        return qualification(folder)

    def sample(self, item: Item, folder: Path, tier: Tier) -> Sample:
        """As of any item that is judged by its two builds."""
        return sample_for(item, folder, tier)

    def scorer(self) -> Scorer:
        """The differential judge."""
        return differential()


def qualification(folder: Path) -> Qualification:
    """The record of a prepared item; raises Invalid, if there is none."""
    try:
        told = json.loads((folder / CHECKS).read_text(encoding="utf-8"))
        return Qualification(**{part.name: told[part.name] for part in fields(Qualification)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid("item", f"{folder.name} has no record of its checks; prepare it") from error


def prepared(suite: Suite, seed: bytes, limit: int, folder: Path) -> list[PackedItem]:
    """The first *limit* items of *suite* that qualify, built and packed, with fresh salts.

    Raises: Unavailable, if none does.
    """
    made = list[PackedItem]()
    for item in suite.items(seed)[:limit]:
        place = folder / item.id
        if suite.prepare(item, seed, place).ok:
            made.append(PackedItem(item.id, secrets.token_bytes(SALT_BYTES), read(place)))
    if not made:
        raise Unavailable(f"no item of {suite.name} qualifies on this host")
    return made


def read(folder: Path) -> dict[str, PackedFile]:
    """Every file of a prepared item."""
    return {
        str(path.relative_to(folder)): PackedFile(
            path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def write(item: PackedItem, folder: Path) -> None:
    """Put an item's files into *folder*, where a box of any user can read them."""
    for path, one in item.files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(one.content)
        place.chmod(0o755 if one.runs else 0o644)
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        place.chmod(0o755)


def proved() -> tuple[bool, str]:
    """Whether no way out of a box is open, and the digest of the proof."""
    proof = asyncio.run(egress.prove(BoxConfig()))
    return proof.ok, hashlib.sha256(canonical(proof.to_dict())).hexdigest()


def measured(
    items: Sequence[PackedItem],
    folder: Path,
    spec: str,
    budget: Budget,
    prove: Callable[[], tuple[bool, str]] = proved,
) -> Measured:
    """Show every item once to the subject *spec*, after proving that no way out is open.

    Raises: Unavailable, if the proof fails, or the suite or the subject cannot run here.
    """
    shut, digest = prove()
    if not shut:
        raise Unavailable("the egress proof of this host failed; nothing was shown")
    folders, logs = folder / "items", folder / "logs"
    for item in items:
        write(item, folders / item.id)
    ids = tuple(item.id for item in items)
    job = ShardJob(SHARD, 1, Sealed(folders, ids), ids, bytes(32), 1, folders, logs)
    result = run_shard(job, resolve(spec, budget), _silent)
    outcomes = {
        one.item: one.state
        if one.state in {"infra", "missing"}
        else _outcome(one.solved, one.outcome)
        for one in result.samples
    }
    return Measured(outcomes, digest, {name: (logs / name).read_bytes() for name in result.logs})


def _outcome(solved: bool, outcome: str) -> str:  # noqa: FBT001 -- two columns of one result
    return "solved" if solved else outcome


def _silent(_done: int, _note: str) -> None:
    """Progress of a sealed run does not leave it."""
