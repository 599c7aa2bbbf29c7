"""The `registry` suite: real, public, long fixed flaws in pinned old releases.

What `scripts/fetch_registry.py` could prepare on this host is the suite; what it could not is listed
with reasons by `missing`. Everything about these flaws is public, so that results on them stand beside
those of the planted family and are never merged with them.
"""

import asyncio
import json
import platform
import tempfile
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from leadline.core.errors import Unavailable
from leadline.suites.item import Item, Qualification
from leadline.suites.registry import tree
from leadline.suites.registry.cache import Cache
from leadline.suites.registry.manifest import Manifest, load_manifests

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
        state = self.cache.state()
        ready = [entry for _, entry in sorted(state.entries.items()) if entry.prepared]
        found = [folder for one in ready if (folder := self.cache.folder(one.id)).is_dir()]
        if not found:
            reasons = sorted({reason for _, reason in self.missing()})
            why = reasons[0] if reasons else "nothing has been fetched yet"
            raise Unavailable(f"the registry suite has no items here: {why}; {CURE}")
        return tuple(load_item(folder) for folder in found)

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
        """The checks of the item, from the cache's record where it stands."""
        from leadline.suites.registry.qualify import REPEATS, qualify

        record = self.cache.root / "checks" / f"{item.id}.json"
        here = {
            "kernel": platform.release(),
            "python": platform.python_version(),
            "item": asdict(item),
        }
        stamp = json.dumps(here, sort_keys=True)
        known = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
        if known.get("stamp") == stamp:
            checks, reason = _await(qualify(item, folder, repeats=1))
            return {**known["checks"], **checks}, reason
        checks, reason = _await(qualify(item, folder, repeats=REPEATS))
        if not reason:
            record.parent.mkdir(parents=True, exist_ok=True)
            fresh = record.with_suffix(".new")
            fresh.write_text(json.dumps({"stamp": stamp, "checks": checks}), encoding="utf-8")
            fresh.replace(record)
        return checks, reason


def _await(
    work: Coroutine[object, object, tuple[dict[str, bool], str]],
) -> tuple[dict[str, bool], str]:
    """Run *work* on an event loop of its own, also where the caller runs on one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


SUITE = Registry()
