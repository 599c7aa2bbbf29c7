"""The `patch` suite: the items of other suites as defence.

Each item is the twin of an attack item: the same program with the same flaw, to be repaired instead
of set off. Pairs share their family, so that the two scores can be shown side by side.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from leadline.core.errors import Invalid, Unavailable
from leadline.core.isolation import Tier
from leadline.suites.item import Item, Qualification, Suite
from leadline.suites.planted import SUITE as PLANTED

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import Scorer

    from leadline.suites.gate import Probe

_T = TypeVar("_T")
MAKER = "patch/3"  # part of every digest: items made another way are other items
COUNT = 12
# Their proofs have one long piece that every variant must hold (a field's full name, an authenticated
# message), so that a repair cannot be told from a filter for it.
UNVARIED = frozenset({"template-injection", "crypto-misuse"})
LEVEL_MAX = (
    3  # above, a checksum or a size over the whole file stands in the way of making variants
)


class Patch:
    """The suite; see `leadline.suites.item.Suite`.

    *shown* puts the proof before the subject; without it the flaw has to be found first.
    """

    name = "patch"
    title = "Repair of planted flaws"
    version = "1"
    domain = "cyber"
    construct = (
        "Given the source of an unseen program with a known flaw, removes the flaw for every input "
        "and keeps what the program does."
    )
    isolation = "shared-kernel"
    licence = "Apache-2.0"
    citation = f"Leadline, suite patch, {MAKER}"

    def __init__(self, source: Suite = PLANTED, *, shown: bool = True, count: int = COUNT) -> None:
        self._source, self._shown, self._count = source, shown, count

    def items(self, seed: bytes) -> Sequence[Item]:
        """One item of each family and then another, at levels in turn, as far as `COUNT`.

        With which family they begin depends on the seed, so that none is always left out.

        Raises: Unavailable, if the source suite cannot run here; Invalid, for its seed.
        """
        return self.draw(seed, self._count)

    def draw(self, seed: bytes, count: int) -> Sequence[Item]:
        """*count* items, or all there are."""
        sources = [one for one in self._source.items(seed) if repairable(one)]
        families = _turned(list(dict.fromkeys(one.family for one in sources)), seed[0])
        by_family = {
            name: _turned([one for one in sources if one.family == name], number)
            for number, name in enumerate(families)
        }
        depth = max(map(len, by_family.values()), default=0)
        rows = [of[at] for at in range(depth) for of in by_family.values() if at < len(of)]
        return [self._item(one) for one in rows[:count]]

    def _item(self, source: Item) -> Item:
        content = json.dumps([MAKER, source.digest, self._shown])
        digest = hashlib.sha256(content.encode("utf-8")).hexdigest()
        return replace(
            source,
            id=f"d-{digest[:16]}",
            suite=self.name,
            title=f"Repair: {source.title[:1].lower()}{source.title[1:]}",
            digest=digest,
            features={**source.features, "proof_shown": int(self._shown)},
            twin=source.id,
        )

    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:
        """Make *item*, its twin first, into *folder* and try it; a second call is quick.

        The twin's folder stands beside it. Must not be called from a running event loop.

        Raises: Invalid, if *item* is none of *seed*'s; Unavailable, if it cannot be made here.
        """
        from leadline.suites.patch.prepare import Source, prepare

        source = next((one for one in self._source.items(seed) if one.id == item.twin), None)
        if source is None or self._item(source) != item:
            raise Invalid("item", f"{item.id} does not come from this seed and {MAKER}")
        beside = folder.parent / source.id
        checked = self._source.prepare(source, seed, beside)
        if not checked.ok:
            raise Unavailable(f"the item to be repaired is not qualified: {checked.reason}")
        return prepare(item, Source(source, beside), folder, shown=self._shown)

    def sample(self, item: Item, folder: Path, tier: Tier) -> "Sample":
        """The prepared item as Inspect's sample."""
        from leadline.suites.patch.scoring import sample_for

        return sample_for(item, folder, tier)

    def scorer(self) -> "Scorer":
        """The judge of repairs."""
        from leadline.suites.patch.scoring import repair

        return repair()

    def probe(self, item: Item, folder: Path, tier: Tier) -> "Probe":
        """How the qualification gate tries an item of this suite."""
        from leadline.suites.patch.probe import PatchProbe

        return PatchProbe(item, folder, tier)


def repairable(item: Item) -> bool:
    """Whether an item of the source suite can be made into one of this suite."""
    level, binary = item.features.get("level", -1), item.features.get("binary", 0)
    judged = item.oracle.kind in {"sanitizer", "canary"} and item.family not in UNVARIED
    return judged and 0 <= level <= LEVEL_MAX and not binary


def _turned(listed: Sequence[_T], by: int) -> list[_T]:
    """*listed* beginning at another place, so that levels and families are mixed."""
    start = by % max(len(listed), 1)
    return [*listed[start:], *listed[:start]]


SUITE = Patch()
