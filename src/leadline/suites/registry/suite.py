"""The `registry` suite: real, public, long fixed flaws in pinned old releases.

What `scripts/fetch_registry.py` could prepare on this host is the suite; what it could not is listed
with reasons by `missing`. Everything about these flaws is public, so that results on them stand beside
those of the planted family and are never merged with them.
"""

import asyncio
import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.suites.item import Item, Qualification
from leadline.suites.registry import tree
from leadline.suites.registry.cache import Cache
from leadline.suites.registry.manifest import Manifest, load_manifests

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import Scorer

CHECKS_AT_ONCE = 2
CURE = "run `make setup` with a connection to a package index"


class Registry:
    """The suite over one cache folder; see `leadline.suites.item.Suite`."""

    name = "registry"
    title = "Known flaws in released packages"
    version = "1"
    domain = "cyber"
    construct = (
        "A high score means finding inputs that show known flaws in released open-source packages."
    )
    isolation = "shared-kernel"
    licence = "Apache-2.0 (manifests and harnesses; each package under its own licence)"
    citation = "Leadline registry suite 1; judging rule after CyberGym, arXiv:2506.02548"

    def __init__(self, cache: Cache | None = None) -> None:
        self.cache = cache or Cache(Path(".cache") / "registry")

    def at(self, folder: Path) -> "Registry":
        """The same suite over the cache in *folder*."""
        return Registry(Cache(folder, self.cache.items))

    def items(self, seed: bytes) -> Sequence[Item]:
        """Every item prepared on this host, in the manifests' order; the *seed* changes nothing.

        Raises: Unavailable, if none is prepared.
        """
        # Imported when needed: it brings Inspect, which set-up has no use for.
        from leadline.suites.differential import load_item

        del seed
        found = self._ready()
        if not found:
            raise Unavailable(self._why())
        return tuple(load_item(folder) for folder in found)

    def _ready(self) -> list[Path]:
        """The prepared folders, in the manifests' order."""
        entries = sorted(self.cache.state().entries.items())
        folders = [self.cache.folder(entry.id) for _, entry in entries if entry.prepared]
        return [folder for folder in folders if folder.is_dir()]

    def _why(self) -> str:
        reasons = sorted({reason for _, reason in self.missing()})
        why = reasons[0] if reasons else "its prepared folders are gone"
        return f"the registry suite has no items here: {why}; {CURE}"

    def missing(self) -> Sequence[tuple[str, str]]:
        """Manifests without a prepared item, each with the reason."""
        entries = self.cache.state().entries
        lost = []
        for manifest in load_manifests(self.cache.items):
            entry = entries.get(manifest.name)
            if entry is None:
                lost.append((manifest.name, "not fetched yet"))
            elif not entry.prepared:
                lost.append((manifest.name, entry.reason))
        return tuple(lost)

    def manifest(self, item: Item) -> Manifest:
        """The manifest of *item*: ids, affected ranges, impact and action for its advisory.

        Raises: Unavailable, if this host's cache does not know the item.
        """
        names = {entry.id: name for name, entry in self.cache.state().entries.items()}
        for manifest in load_manifests(self.cache.items):
            if names.get(item.id) == manifest.name:
                return manifest
        raise Unavailable(f"item {item.id} is not in the cache {self.cache.root}; {CURE}")

    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:
        """Link the prepared *item* into *folder* and check it in fresh boxes.

        What was qualified before on this host, kernel and interpreter is only tried again with the
        reference and the empty input. The *seed* changes nothing.

        Raises: Unavailable, if the item is not in the cache.
        """
        del seed
        if not (folder / "checks.json").is_file():
            self._place(item, folder)
        checks, reason = json.loads((folder / "checks.json").read_text(encoding="utf-8"))
        ok = bool(checks) and all(checks.values())
        return Qualification(item.id, item.digest, ok, checks, reason)

    def sample(self, item: Item, folder: Path, tier: Tier) -> "Sample":
        """The prepared item as Inspect's sample."""
        from leadline.suites.differential import sample_for

        return sample_for(item, folder, tier)

    def scorer(self) -> "Scorer":
        """The differential judge."""
        from leadline.suites.differential import differential

        return differential()

    def _place(self, item: Item, folder: Path) -> None:
        source = self.cache.folder(item.id)
        if not source.is_dir():
            raise Unavailable(f"item {item.id} is not in the cache {self.cache.root}; {CURE}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as scratch:
            fresh = Path(scratch) / "item"
            tree.link(source, fresh)
            record = self._qualified(item, fresh)
            (fresh / "checks.json").write_text(
                json.dumps(record, indent=1) + "\n", encoding="utf-8"
            )
            fresh.rename(folder)

    def _qualified(self, item: Item, folder: Path) -> tuple[dict[str, bool], str]:
        """The checks of the item; those of the cache's record, tried again, where it stands."""
        from leadline.suites.registry.qualify import qualify

        source = self.cache.folder(item.id)
        known = self._record(source)
        if known is None:
            return self._remember(source, _await(qualify(item, folder)))
        checks, reason = _await(qualify(item, folder, repeats=1))
        return {**known, **checks}, reason

    def qualify(self, progress: Callable[[str], None]) -> None:
        """Check every prepared item that has no record for this host, kernel and interpreter.

        Set-up does this, so that an assessment only needs to try a record again.

        Raises: Unavailable, if no item is prepared.
        """
        found = self._ready()
        if not found:
            raise Unavailable(self._why())
        wanted = [folder for folder in found if self._record(folder) is None]
        if not wanted:
            return
        from leadline.suites.differential import load_item
        from leadline.suites.registry.qualify import qualify

        async def check(folder: Path, places: asyncio.Semaphore) -> None:
            item = load_item(folder)
            async with places:
                result = await qualify(item, folder)
            _, reason = self._remember(folder, result)
            progress(f"{self.manifest(item).name}: {reason or 'checked'}")

        async def check_all() -> None:
            places = asyncio.Semaphore(CHECKS_AT_ONCE)
            await asyncio.gather(*(check(folder, places) for folder in wanted))

        asyncio.run(check_all())

    def _record_file(self, folder: Path) -> Path:
        return self.cache.root / "checks" / f"{folder.name}.json"

    def _record(self, folder: Path) -> dict[str, bool] | None:
        """The checks recorded for exactly the item in *folder* on exactly this host, or None."""
        path = self._record_file(folder)
        record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if record.get("stamp") != _stamp(folder):
            return None
        checks: dict[str, bool] = record["checks"]
        return checks

    def _remember(
        self, folder: Path, result: tuple[dict[str, bool], str]
    ) -> tuple[dict[str, bool], str]:
        """Record checks that all held; answers *result*."""
        checks, reason = result
        if not reason:
            path = self._record_file(folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            record = {"stamp": _stamp(folder), "checks": checks}
            fresh.write_text(json.dumps(record), encoding="utf-8")
            fresh.replace(path)
        return result


def _stamp(folder: Path) -> str:
    """What a record of checks holds for: the item and the host's kernel and interpreter."""
    host = f"{platform.release()}\0{platform.python_version()}\0".encode()
    return hashlib.sha256(host + (folder / "item.json").read_bytes()).hexdigest()


def _await(
    work: Coroutine[object, object, tuple[dict[str, bool], str]],
) -> tuple[dict[str, bool], str]:
    """Run *work* on an event loop of its own, also where the caller runs on one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


SUITE = Registry()
