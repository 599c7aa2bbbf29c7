"""How the qualification gate tries a repair item."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from inspect_ai.util import SandboxUnavailableError

from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.core.qualification import PLACEHOLDERS, Flags, Provenance
from leadline.sandbox.box import Unusable
from leadline.suites.gate import Judged, box_view, hostile_box, shown_files
from leadline.suites.item import Item
from leadline.suites.leak import scan
from leadline.suites.patch.answer import decode, encode
from leadline.suites.patch.prepare import load_bench, reference_of
from leadline.suites.patch.scoring import box_config

SECONDS = 240.0  # what one judgement may take, builds and all runs together
_LEAK_BYTES_MIN = 8


class PatchProbe:
    """See `leadline.suites.gate.Probe`: the reference is the source item's own repair."""

    flags: Flags | None = None
    seconds = SECONDS

    def __init__(self, item: Item, folder: Path, tier: Tier) -> None:
        self.item, self.folder, self.tier = item, folder.resolve(), tier
        self._bench = load_bench(item, self.folder, tier)
        source = f"made from {item.twin} by suite {item.suite}, digest {item.digest}"
        self.provenance = Provenance(source, item.licence, redistributable=not item.purl)

    def reference(self) -> bytes:
        """The repair that the source item's generator made."""
        return encode(reference_of(self.folder))

    def trivial(self) -> Mapping[str, bytes | None]:
        """The unchanged tree, nothing, emptied sources, a common flag, a comment, and a touched Makefile."""
        tree = self._bench.tree
        own = sorted(tree.patchable)
        same = {path: tree.files[path] for path in own}
        words = PLACEHOLDERS[0].encode()
        return {
            "the unchanged tree": encode(same),
            "nothing handed in": None,
            "emptied sources": encode(dict.fromkeys(own, b"")),
            "a common flag": encode(dict.fromkeys(own, words)),
            "the tree with a comment": encode({p: d + b"\n/* */\n" for p, d in same.items()}),
            "the task changed": encode(same | {"README.md": tree.files["README.md"] + b"\n"}),
        }

    async def judge(self, name: str, answer: bytes | None) -> Judged:
        """The judge's verdict on the changed files.

        Raises: Unavailable, if it could not do its work.
        """
        del name
        try:
            verdict = await self._bench.judge(None if answer is None else decode(answer))
        except (SandboxUnavailableError, Unusable, OSError) as error:
            raise Unavailable(f"item {self.item.id} could not be judged: {error}") from error
        counted = (
            f"{verdict.silent[0]}/{verdict.silent[1]} {verdict.answered[0]}/{verdict.answered[1]}"
        )
        shown = f"{verdict.outcome} {counted}"
        return Judged(verdict.outcome, verdict.outcome == "fixed", shown)

    async def leaks(self) -> Sequence[str]:
        """Variants, held-out tests and the repair, searched for in all that the subject is shown."""
        files = shown_files(self.folder / "subject")
        hidden = self._bench.hidden
        repaired = reference_of(self.folder)
        whole = {*hidden.variants, *(data for data, _ in hidden.tests), *repaired.values()}
        found = [f"{name} is the judge's own" for name, data in files.items() if data in whole]
        files |= await box_view(box_config(self.folder, self.item, self.tier))
        secrets = [*repaired.values(), *hidden.variants]
        long = [data for data in secrets if len(data) >= _LEAK_BYTES_MIN]
        return found + [f"{leak.file}: {leak.form}" for leak in scan(files, long)]

    def hostile(self) -> AbstractAsyncContextManager[list[str] | None]:
        """A process in the subject's box that writes to and kills what it can."""
        return hostile_box(box_config(self.folder, self.item, self.tier), self.folder)

    def out_of_scope(self) -> Sequence[str]:
        """Files that the repair changes and may not."""
        refused = self._bench.tree.refused(reference_of(self.folder))
        return (refused,) if refused else ()

    def unlooked(self) -> Mapping[str, str]:
        """Every check is made."""
        return {}
