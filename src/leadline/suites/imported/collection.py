"""An imported collection as a suite: a folder with ``suite.json`` and an item's folder each.

    suite.json   what was imported from where, and the word on every entry of the source
    items/ID/    one item, as `suites.item` lays it out

Items that the qualification gate rejected are kept and never counted: they are no part of `items`,
and `missing` names them with the reason.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter, ValidationError

from leadline.core.errors import Invalid, NotFound, Unavailable
from leadline.core.isolation import Tier
from leadline.suites.item import Item, Qualification
from leadline.suites.registry import tree

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import Scorer

    from leadline.suites.gate import Probe

MANIFEST, ITEMS, CHECKS = "suite.json", "items", "checks.json"
FORMAT = 1
Kind = Literal["cybench", "intercode-ctf", "nyu-ctf", "cybergym", "challenges", "inspect"]
KINDS: tuple[Kind, ...] = (
    *("cybench", "intercode-ctf", "nyu-ctf", "cybergym", "challenges", "inspect"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One item: the source's own id and ours, and the gate's word. *check* is empty if it qualified."""

    id: str
    item: str
    digest: str
    family: str
    check: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One entry of the source that is no item, and why; *check* is empty where it was skipped."""

    id: str
    reason: str
    check: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``suite.json`` says. *source* is where it was imported from, *digest* of its items."""

    name: str
    kind: Kind
    source: str
    digest: str
    licence: str
    redistributable: bool
    quick: bool  # the gate was tried less often than it asks for
    items: tuple[Entry, ...] = ()
    refused: tuple[Refusal, ...] = ()
    server: str = ""  # of kind cybergym: where submissions are judged
    server_key: str = ""  # path of the file with its key
    format: int = FORMAT

    def answer(self) -> dict[str, object]:
        """What ``leadline suite import --json`` prints."""
        broken = [
            {"id": one.id, "check": one.check, "reason": one.reason}
            for one in self.items
            if one.check
        ]
        broken += [
            {"id": one.id, "check": one.check, "reason": one.reason}
            for one in self.refused
            if one.check
        ]
        qualified = sum(not one.check for one in self.items)
        return {
            "items": len(self.items) + sum(bool(one.check) for one in self.refused),
            "qualified": qualified,
            "unqualified": broken,
            "skipped": [
                {"id": one.id, "reason": one.reason} for one in self.refused if not one.check
            ],
        }


_MANIFEST = TypeAdapter(Manifest)


def save_manifest(manifest: Manifest, folder: Path) -> None:
    """Write ``suite.json``: whole or not at all."""
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n"
    fresh = folder / f".{MANIFEST}.new"
    fresh.write_text(text, encoding="utf-8", errors="replace")
    fresh.replace(folder / MANIFEST)


def load_manifest(folder: Path) -> Manifest:
    """Read what `save_manifest` wrote.

    Raises: NotFound, if there is none; Invalid, if it is none.
    """
    path = folder / MANIFEST
    try:
        held = _MANIFEST.validate_json(path.read_bytes())
    except FileNotFoundError:
        raise NotFound(f"{folder} holds no imported collection (no {MANIFEST})") from None
    except ValidationError as error:
        raise Invalid(
            MANIFEST, f"{path} is spoilt: {error}; import the collection again"
        ) from error
    if held.format != FORMAT:
        raise Invalid(MANIFEST, f"{path} has format {held.format}; import the collection again")
    return held


def collections(folder: Path) -> list[Path]:
    """The folders of every imported collection directly below *folder*, or *folder* itself."""
    if (folder / MANIFEST).is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))


class Imported:
    """The suite of *manifest* in *folder*; see `leadline.suites.item.Suite`."""

    domain = "cyber"
    isolation = "shared-kernel"

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder.absolute(), manifest
        self.name = manifest.name
        self.title = f"Imported: {manifest.name} ({manifest.kind})"
        self.version = manifest.digest[:12]
        self.construct = _CONSTRUCT[manifest.kind]
        self.licence = manifest.licence
        self.citation = f"{manifest.kind}, imported unchanged, items {manifest.digest[:12]}"

    @classmethod
    def at(cls, folder: Path) -> "Imported":
        """The collection in *folder*; raises as `load_manifest`."""
        return cls(folder, load_manifest(folder))

    def items(self, seed: bytes) -> Sequence[Item]:
        """The qualified items, in the source's order; the *seed* changes nothing.

        Raises: Unavailable, if none qualified.
        """
        del seed
        found = [self.item(one) for one in self.manifest.items if not one.check]
        if not found:
            first = next(iter(self.missing()), ("the source", "is empty"))
            raise Unavailable(
                f"no item of {self.name} qualified ({': '.join(first)}); "
                f"{self.folder / MANIFEST} has the reasons"
            )
        return tuple(found)

    def item(self, entry: Entry) -> Item:
        """The item of *entry*, qualified or not."""
        from leadline.suites.differential import load_item

        return load_item(self.folder / ITEMS / entry.item)

    def place(self, item: Item) -> Path:
        """Where the imported *item* lies."""
        return self.folder / ITEMS / item.id

    def missing(self) -> Sequence[tuple[str, str]]:
        """Every entry of the source that is no item of this suite, with the reason."""
        lost = [
            (one.id, f"unqualified: {one.check}: {one.reason}")
            for one in self.manifest.items
            if one.check
        ]
        lost += [
            (one.id, f"unqualified: {one.check}: {one.reason}" if one.check else one.reason)
            for one in self.manifest.refused
        ]
        return tuple(lost)

    def unproved(self, item: Item) -> str:
        """Why the egress proof of a run does not cover the boxes of *item*; empty where it does."""
        from leadline.suites.imported.setting import SETTING, load_setting

        place = self.place(item)
        root = load_setting(place).root if (place / SETTING).is_file() else ""
        if not root:
            return ""
        return (
            f"its box has the image in {root} as its root, and a run proves boxes on the host's own; "
            "import it without --images, or run it with `inspect eval leadline/imported`, as no evidence"
        )

    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:
        """Give *folder* the imported item's files; the gate's word comes from the import.

        Raises: Unavailable, if the collection does not hold the item.
        """
        del seed
        entry = next((one for one in self.manifest.items if one.item == item.id), None)
        source = self.folder / ITEMS / item.id
        if entry is None or not source.is_dir():
            raise Unavailable(
                f"item {item.id} is not in {self.folder}; import the collection again"
            )
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as scratch:
                fresh = Path(scratch) / "item"
                tree.link(source, fresh)
                Path(fresh).rename(folder)
        checks = json.loads((source / CHECKS).read_text(encoding="utf-8"))
        held = {str(name): bool(ok) for name, ok in checks["checks"].items()}
        return Qualification(item.id, item.digest, not entry.check, held, entry.reason)

    def sample(self, item: Item, folder: Path, tier: Tier) -> "Sample":
        """The prepared item as Inspect's sample."""
        from leadline.suites.imported import scoring

        return scoring.sample(item, folder, tier)

    def scorer(self) -> "Scorer":
        """The judge of this kind."""
        from leadline.suites.imported import scoring

        return scoring.scorer_of(self.manifest)

    def probe(self, item: Item, folder: Path, tier: Tier) -> "Probe":
        """How the gate tries *item*."""
        from leadline.suites.imported.probing import probe

        return probe(self.manifest, item, folder, tier)


_CONSTRUCT: dict[Kind, str] = {
    "cybench": "A high score means solving capture-the-flag challenges of public competitions.",
    "intercode-ctf": "A high score means solving beginners' capture-the-flag tasks in a shell.",
    "nyu-ctf": "A high score means solving capture-the-flag challenges of a students' competition.",
    "cybergym": "A high score means reproducing known flaws of open-source programs from a description.",
    "challenges": "A high score means finding inputs that crash programs written to hold flaws.",
    "inspect": "A high score means what the imported task's own scorer means by it.",
}
