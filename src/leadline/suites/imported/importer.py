"""One import: every entry of a source read, laid out, tried by the gate, and the answer written.

Invariants: an item's folder appears whole or not at all; ``suite.json`` is written last and whole, so
that an import that was stopped leaves either the old collection or none, and the items that were done;
an entry that is damaged costs no other; a second import takes over what has not changed.
"""

import asyncio
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from leadline.core.errors import Invalid, NotFound, Refused, Unavailable
from leadline.core.isolation import Tier
from leadline.core.qualification import Check, Extent, decide
from leadline.formats.qualification import environment_digest
from leadline.suites.differential import load_item
from leadline.suites.gate import environment, examine
from leadline.suites.imported import challenges, cybench, cybergym, intercode, nyu, task
from leadline.suites.imported.collection import (
    CHECKS,
    ITEMS,
    KINDS,
    MANIFEST,
    Entry,
    Kind,
    Manifest,
    Refusal,
    load_manifest,
    save_manifest,
)
from leadline.suites.imported.compile import Shared, Unbuilt, build_shared, check_tools
from leadline.suites.imported.make import (
    content_digest,
    flag_item,
    lay_out_flag,
    lay_out_own,
    lay_out_server,
    own_item,
    server_item,
)
from leadline.suites.imported.probing import probe
from leadline.suites.imported.setting import Setting, refused
from leadline.suites.imported.source import (
    BuildTask,
    Damaged,
    FlagTask,
    Found,
    OwnTask,
    Root,
    ServerTask,
    Skipped,
    Task,
)
from leadline.suites.item import Item

Say = Callable[[str], None]
_MAKING = ".making-"
NOT_STATED = "not stated by the source"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LICENCES: dict[Kind, str] = {
    "cybench": "MIT (collection); each challenge under its competition's terms",
    "intercode-ctf": "MIT (collection); each task under picoCTF's terms",
    "nyu-ctf": "GPL-2.0",
    "cybergym": "Apache-2.0 (collection); each program under its own licence",
    "challenges": NOT_STATED,
    "inspect": NOT_STATED,
}
_ITEM = re.compile(r"i-[0-9a-f]{16}")
_SERVER = re.compile(r"https?://[^/\s]+(/\S*)?")
_FORM: dict[Kind, str] = {
    "cybench": "no folder in it has an eval.yaml",
    "intercode-ctf": "its list is empty",
    "nyu-ctf": "its lists are empty",
    "cybergym": "its list is empty",
    "challenges": "no folder in it has a src",
    "inspect": "the task has no samples",
}
_READERS = {
    "cybench": cybench.read,
    "intercode-ctf": intercode.read,
    "nyu-ctf": nyu.read,
    "cybergym": cybergym.read,
    "challenges": challenges.read,
}


@dataclass(frozen=True, slots=True)
class Import:
    """What to import, and where to.

    *source* is a folder, or for kind ``inspect`` a task's name or file. *images* holds unpacked images,
    a folder each, named by the image with every other sign as ``_``.
    """

    kind: Kind
    source: str
    out: Path
    name: str
    extent: Extent = field(default_factory=Extent)
    images: Path | None = None
    server: str = ""
    server_key: str = ""
    at_once: int = 2


def parse_kind(text: str) -> Kind:
    """The kind named *text*.

    Raises: Invalid, naming the kinds there are.
    """
    for kind in KINDS:
        if kind == text:
            return kind
    raise Invalid("KIND", f"{text!r} is no kind of collection; use one of {', '.join(KINDS)}")


def run(wanted: Import, say: Say) -> Manifest:
    """Import, and write the collection's folder; *say* is told of every entry.

    Raises: NotFound or Invalid, if the source as a whole is not there or not of its kind, if an option
    does not fit, or if the folder to write holds something else; Unavailable, if no sandbox can run here.
    """
    _check_options(wanted)
    found, source = _read(wanted)
    if not found:
        why = f"holds nothing of kind {wanted.kind}: {_FORM[wanted.kind]}"
        raise Invalid("PATH", f"{wanted.source} {why}")
    folder = _room(wanted, source, say)
    around = environment(Tier.SHARED_KERNEL)
    work = _Work(wanted, folder, source, around["compiler"], environment_digest(around), say)
    with _alone(folder):
        manifest = asyncio.run(work.all(found))
        save_manifest(manifest, folder)
        _forget(folder, {one.item for one in manifest.items})
    return manifest


def _check_options(wanted: Import) -> None:
    """Refuse what would be of no effect, or could not be used by any entry."""
    if not NAME.fullmatch(wanted.name):
        raise Invalid("--name", f"{wanted.name!r}: use small letters, digits, - and _, at most 63")
    if wanted.images is not None and wanted.kind != "cybench":
        raise Invalid("--images", f"is for kind cybench; {wanted.kind} names no images")
    if wanted.images is not None and not wanted.images.is_dir():
        raise NotFound(f"--images: {wanted.images} is no folder; name the one with unpacked images")
    if (wanted.server or wanted.server_key) and wanted.kind != "cybergym":
        raise Invalid("--server", f"is for kind cybergym; no server judges {wanted.kind}")
    if wanted.server and not _SERVER.fullmatch(wanted.server):
        raise Invalid("--server", f"{wanted.server!r}: use an address as http://127.0.0.1:8666")
    if wanted.server_key and not Path(wanted.server_key).is_file():
        raise NotFound(f"--server-key: {wanted.server_key} is no file; name the one with the key")


def _room(wanted: Import, source: str, say: Say) -> Path:
    """The suite's folder, made where it is not there yet.

    Raises: Invalid, if it cannot be made, stands in the collection itself, or holds what no import of
    this source wrote: nothing of anyone's is ever written over.
    """
    folder = wanted.out / wanted.name
    real, items = folder.resolve(), folder / ITEMS
    if wanted.kind != "inspect" and _within(real, Path(source)):
        raise Invalid("--out", f"{folder} is part of the collection itself; use a folder elsewhere")
    try:
        items.mkdir(parents=True, exist_ok=True)
        items.chmod(0o755)
    except OSError as error:
        raise Invalid("--out", f"{folder} cannot be written: {error.strerror}") from error
    held = _held(folder, say)
    if held is not None and (held.kind, held.source) != (wanted.kind, source):
        raise Invalid(
            "--name",
            f"{wanted.name} is the suite imported from {held.source} ({held.kind}); "
            f"give another --name, or remove {folder}",
        )
    strange = sorted(one.name for one in items.iterdir() if not _ITEM.fullmatch(one.name))
    if strange:
        raise Invalid("--out", f"{items} holds {strange[0]}, which no import wrote; use another")
    return folder


def _within(folder: Path, source: Path) -> bool:
    """Whether *folder* is *source*, holds it, or lies in it where a reader looks (not if hidden)."""
    if not folder.is_relative_to(source):
        return source.is_relative_to(folder)
    return not any(part.startswith(".") for part in folder.relative_to(source).parts)


def _held(folder: Path, say: Say) -> Manifest | None:
    """What an earlier import left in *folder*; a spoilt manifest is told and made anew."""
    if not (folder / MANIFEST).is_file():
        return None
    try:
        return load_manifest(folder)
    except Invalid as error:
        say(f"{error}; it is made anew")
        return None


def _read(wanted: Import) -> tuple[list[Found], str]:
    if wanted.kind == "inspect":
        source = task.located(wanted.source)
        return task.read(source), source
    root = Root(Path(wanted.source))
    return list(_READERS[wanted.kind](root)), str(root.folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other import works in *folder*; what one that was killed left half made there is removed.

    Raises: Refused, if another one is at work.
    """
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in folder.glob(f"{_MAKING}*"):
            shutil.rmtree(left)
        yield
    except BlockingIOError:
        raise Refused(f"another import into {folder} is at work; wait for its end") from None
    finally:
        os.close(held)


def _forget(folder: Path, kept: set[str]) -> None:
    """Remove what an earlier import left and this one does not have."""
    for one in (folder / ITEMS).iterdir():
        if one.name not in kept:
            shutil.rmtree(one)


@dataclass
class _Work:
    """One import at work."""

    wanted: Import
    folder: Path
    source: str
    compiler: str
    environment: str
    say: Say
    done: int = 0
    shared: dict[Path, Shared] = field(default_factory=dict)

    async def all(self, found: Sequence[Found]) -> Manifest:
        """Every entry, a few at once, answered in the source's order."""
        await self._share(found)
        places = asyncio.Semaphore(self.wanted.at_once)
        self.manifest = self._manifest((), ())

        async def one(entry: Found) -> Entry | Refusal:
            async with places:
                answer = await self._one(entry)
            self.done += 1
            word = f"{answer.check}: {answer.reason}" if answer.check else answer.reason
            self.say(f"[{self.done}/{len(found)}] {entry.id}: {word or 'qualified'}")
            return answer

        answers = await asyncio.gather(*(one(entry) for entry in found))
        items = tuple(answer for answer in answers if isinstance(answer, Entry))
        refused = tuple(answer for answer in answers if isinstance(answer, Refusal))
        return self._manifest(items, refused)

    def _manifest(self, items: tuple[Entry, ...], refused: tuple[Refusal, ...]) -> Manifest:
        wanted = self.wanted
        return Manifest(
            name=wanted.name,
            kind=wanted.kind,
            source=self.source,
            digest=content_digest(wanted.kind, [[one.id, one.digest, one.check] for one in items]),
            licence=self._licence(),
            redistributable=False,
            quick=wanted.extent.quick,
            items=items,
            refused=refused,
            server=wanted.server,
            server_key=wanted.server_key,
        )

    def _licence(self) -> str:
        """The kind's licence; where the source alone knows it, the first line of its licence file."""
        known = _LICENCES[self.wanted.kind]
        if known != NOT_STATED or self.wanted.kind == "inspect":
            return known
        top = Path(self.source)
        for path in sorted([*top.glob("LICEN[SC]E*"), *top.parent.glob("LICEN[SC]E*")]):
            if path.is_file():
                with path.open(encoding="utf-8", errors="replace") as file:
                    first = file.readline(200).strip()
                return first or known
        return known

    async def _share(self, found: Sequence[Found]) -> None:
        """Build the common libraries of collections that have any, once."""
        if any(isinstance(one, BuildTask) for one in found):
            check_tools()
        roots = {one.root for one in found if isinstance(one, BuildTask) and one.root is not None}
        for root in sorted(roots):
            self.say(f"building what the challenges of {root} have in common")
            try:
                self.shared[root] = await build_shared(root)
            except Unbuilt as error:
                raise Invalid(
                    "PATH", f"the common part of {root} does not build: {error}"
                ) from error

    async def _one(self, entry: Found) -> Entry | Refusal:
        if isinstance(entry, Skipped):
            return Refusal(entry.id, entry.reason)
        if isinstance(entry, Damaged):
            return Refusal(entry.id, entry.reason, entry.check)
        try:
            return await self._item(entry)
        except Unbuilt as error:
            return Refusal(entry.id, str(error), "build")
        except (Invalid, OSError) as error:
            return Refusal(entry.id, str(error), "files")
        except Unavailable as error:
            # Boxes can be had here, or `run` had said so: this item's own image or server is at fault.
            # Nothing is kept of it, so that the next import tries again.
            check = "reference_solution" if isinstance(entry, ServerTask) else "environment"
            return Refusal(entry.id, str(error), check)

    async def _item(self, entry: Task) -> Entry | Refusal:
        item = self._named(entry)
        setting = Setting({}, entry.home) if isinstance(entry, FlagTask) else Setting()
        if isinstance(entry, FlagTask):
            targets = {one.target: one.place for one in entry.files if one.target}
            why = refused(replace(setting, targets=targets))
            if why:
                return Refusal(entry.id, why)
        place = self.folder / ITEMS / item.id
        if not place.is_dir() or self._stale(place):
            await self._make(entry, item, place)
        held = json.loads((place / CHECKS).read_text(encoding="utf-8"))
        kept = load_item(place)
        return Entry(entry.id, kept.id, kept.digest, kept.family, held["check"], held["reason"])

    def _stale(self, place: Path) -> bool:
        """Whether an item's record is of another environment or extent than this import's."""
        held = json.loads((place / CHECKS).read_text(encoding="utf-8"))
        same = held["environment"] == self._around() and held["quick"] == self.wanted.extent.quick
        return not same

    def _around(self) -> str:
        return content_digest(self.environment, self.wanted.server)

    async def _make(self, entry: Task, item: Item, place: Path) -> None:
        with _fresh_folder(self.folder) as fresh:
            made, note = await self._lay_out(entry, item, fresh)
            self._settle(await self._gate(made, fresh), note, fresh, place)

    def _settle(self, checks: Sequence[Check], note: str, fresh: Path, place: Path) -> None:
        """Write the gate's word into *fresh*, and put it where the item belongs."""
        missed = next((check for check in checks if check.held is False), Check("", held=True))
        record = {
            "checks": {check.name: check.held for check in checks if check.held is not None},
            "not_applied": {check.name: check.reason for check in checks if check.held is None},
            "check": missed.name,
            "reason": missed.reason,
            "quick": self.wanted.extent.quick,
            "environment": self._around(),
            "note": note,
        }
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        (fresh / CHECKS).write_text(text, encoding="utf-8")
        if place.is_dir():
            place.rename(fresh.with_name("old"))
        fresh.rename(place)

    async def _gate(self, item: Item, folder: Path) -> tuple[Check, ...]:
        asked = probe(self.manifest, item, folder, Tier.SHARED_KERNEL)
        seen = await examine(asked, self.wanted.extent)
        return decide(seen.evidence, self.wanted.extent)

    def _named(self, entry: Task) -> Item:
        suite, kind, licence = self.wanted.name, self.wanted.kind, self.manifest.licence
        match entry:
            case FlagTask():
                return flag_item(suite, kind, licence, entry, self._image(entry))
            case ServerTask():
                return server_item(suite, kind, licence, entry)
            case OwnTask():
                return own_item(suite, kind, licence, entry)
            case BuildTask():
                around = challenges.around(entry.root, self.compiler)
                return challenges.item_of(
                    suite, licence, entry, challenges.digest(kind, entry, around)
                )

    async def _lay_out(self, entry: Task, item: Item, folder: Path) -> tuple[Item, str]:
        match entry:
            case FlagTask():
                root = self._image(entry)
                lay_out_flag(item, entry, folder, root)
                stands = f"{entry.image}, unpacked" if root else "the host's own programs"
                return item, f"environment: {stands}" + (
                    f" in place of {entry.image}" if entry.image and not root else ""
                )
            case ServerTask():
                lay_out_server(item, entry, folder)
                return item, f"judged by {self.wanted.server or 'no server'}"
            case OwnTask():
                lay_out_own(item, entry, folder)
                return item, "judged by the task's own scorer"
            case BuildTask():
                shared = self.shared.get(entry.root) if entry.root else None
                return await challenges.make(item, entry, shared, folder)

    def _image(self, entry: FlagTask) -> str:
        """The unpacked image of *entry*, where there is one; empty elsewhere."""
        if self.wanted.images is None or not entry.image:
            return ""
        named = re.sub(r"[^A-Za-z0-9_.-]", "_", entry.image)
        place = self.wanted.images.absolute() / named
        return str(place) if place.is_dir() else ""


@contextmanager
def _fresh_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside the items, which goes with all in it unless it was put in its place."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=_MAKING) as scratch:
        Path(scratch).chmod(0o755)
        fresh = Path(scratch) / "item"
        fresh.mkdir()
        fresh.chmod(0o755)
        yield fresh
