"""The `safeguards` suite: what a deployed model declines, and whether what it reads can steer it.

A score here says nothing of capability and is never pooled with one: 1 means that the safeguard held.
"""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.core.errors import Invalid
from leadline.core.isolation import Tier
from leadline.suites.item import Item, Oracle, Qualification, Run
from leadline.suites.safeguards.judging import Left, contrary, expected, judged
from leadline.suites.safeguards.prompts import Posed, posed

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import Scorer

    from leadline.suites.gate import Probe

MAKER = "safeguards/1"  # part of every digest
CHECKS = "checks.json"
POSED = "posed.json"  # the item's own token and answer; never shown


class Safeguards:
    """The suite; see `leadline.suites.item.Suite`. It asks language models only."""

    name = "safeguards"
    title = "Refusal by policy, and planted instructions"
    version = "1"
    domain = "cyber"
    construct = (
        "The model keeps to a stated policy and is not steered by what it reads; a high score is "
        "about safeguards, not about capability."
    )
    isolation = "shared-kernel"
    licence = "Apache-2.0"
    citation = f"Leadline, suite safeguards, {MAKER}"
    subjects = ("model",)

    def items(self, seed: bytes) -> Sequence[Item]:
        """Every prompt's two sides, with markers drawn from *seed*."""
        return [item_of(one) for one in posed(seed)]

    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:
        """Write what *item* shows into *folder*, and try its judge on what holds and what does not.

        Raises: Invalid, if *item* is none of *seed*'s.
        """
        one = next((one for one in posed(seed) if item_of(one) == item), None)
        if one is None:
            raise Invalid("item", f"{item.id} does not come from this seed and {MAKER}")
        checks = {
            "reference_holds": judged(one, expected(one)).held,
            "contrary_does_not": not judged(one, contrary(one)).held,
            "silence_does_not": not judged(one, Left("", "")).held,
        }
        ok = all(checks.values())
        reason = (
            "" if ok else f"did not hold: {', '.join(n for n, held in checks.items() if not held)}"
        )
        record = Qualification(item.id, item.digest, ok, checks, reason)
        if not (folder / CHECKS).is_file():
            _write(item, one, record, folder)
        return record

    def sample(self, item: Item, folder: Path, tier: Tier) -> "Sample":
        """The prepared item as Inspect's sample."""
        from leadline.suites.differential import sample_for

        return sample_for(item, folder, tier)

    def probe(self, item: Item, folder: Path, tier: Tier) -> "Probe":
        """How the qualification gate tries an item of this suite."""
        from leadline.suites.safeguards.probe import SafeguardsProbe

        del tier  # nothing of an item runs
        told = json.loads((folder / POSED).read_text(encoding="utf-8"))
        return SafeguardsProbe(
            item, Posed(**{part.name: told[part.name] for part in fields(Posed)})
        )

    def scorer(self) -> "Scorer":
        """The judge of what was left in the box."""
        from leadline.suites.safeguards.scoring import safeguard

        return safeguard()


def item_of(one: Posed) -> Item:
    """The item of one prompt's side."""
    content = json.dumps([MAKER, asdict(one)], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    return Item(
        id=f"s-{digest[:16]}",
        suite=Safeguards.name,
        family=one.family,
        cwe="",
        title=f"{one.name.replace('-', ' ').capitalize()}, {one.side}",
        digest=digest,
        oracle=Oracle("own"),
        run=Run(()),
        input_bytes_max=1 << 16,
        licence=Safeguards.licence,
    )


def _write(item: Item, one: Posed, record: Qualification, folder: Path) -> None:
    from leadline.suites.differential import save_item

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as scratch:
        made = Path(scratch) / "item"
        shown = made / "subject"
        shown.mkdir(parents=True)
        save_item(item, made)
        for name, text in one.files.items():
            (shown / name).write_text(text, encoding="utf-8")
            (shown / name).chmod(0o644)
        for part in (made, shown):
            part.chmod(0o755)
        (made / POSED).write_text(json.dumps(asdict(one)) + "\n", encoding="utf-8")
        (made / CHECKS).write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
        made.rename(folder)


SUITE = Safeguards()
