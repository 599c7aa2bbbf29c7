"""How the qualification gate tries an imported item; see `suites.gate.Probe`.

The reference is always the source's own: a solution that is run anew for every trial, a proof that
came with a build, a proof for a server. A source that brings none has no reference, and its item
stays unqualified with that reason.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from leadline.core.isolation import Tier
from leadline.core.qualification import PLACEHOLDERS, Flags, Provenance
from leadline.sandbox.box import Box
from leadline.suites.gate import (
    ECHO,
    EMPTY,
    NONE,
    DifferentialProbe,
    Judged,
    Probe,
    box_view,
    hostile_box,
)
from leadline.suites.imported.collection import Manifest
from leadline.suites.imported.flag import stated
from leadline.suites.imported.server import Server, Submission, judge_submission
from leadline.suites.imported.setting import box_config, load_setting
from leadline.suites.imported.task import ask_own_scorer, own_task
from leadline.suites.item import Item
from leadline.suites.leak import SECRET_BYTES_MIN, scan

SOLUTION_SECONDS = 120.0
PROOF_BYTES_MIN = 20  # a shorter one may stand in any text by chance
NO_REFERENCE = "no reference solution in the source"
_PIECE, _OVERLAP = 16 << 20, 1 << 12
_WORDS_MAX = 160
_NOISE_BYTES = 32


class BuildProbe(DifferentialProbe):
    """The differential probe, with where the collection says that the item comes from."""

    def __init__(self, item: Item, folder: Path, tier: Tier, provenance: Provenance) -> None:
        super().__init__(item, folder, tier)
        self.provenance = provenance

    @override
    def trivial(self) -> Mapping[str, bytes | None]:
        """As elsewhere, with zeros, ones and noise short.

        A megabyte of anything overruns every buffer that is filled unbounded, which is the flaw
        that many of these programs were written to have, and no fault of theirs.
        """
        whole = super().trivial()
        cut = {name: (whole[name] or b"")[:_NOISE_BYTES] for name in ("zeros", "ones", "noise")}
        return {**whole, **cut}

    @override
    async def judge(self, name: str, answer: bytes | None) -> Judged:
        """The differential judge's verdict; a source without a proof has no reference."""
        if name == "reference" and not answer:
            return _told(NO_REFERENCE, solved=False)
        return await super().judge(name, answer)


class FlagProbe:
    """The probe of a task with a fixed flag.

    Once the source's solution did not give the flag it is not run again: the item is out, and a
    solution that hangs would take hours to say so twenty times.
    """

    seconds = SOLUTION_SECONDS

    def __init__(self, item: Item, folder: Path, tier: Tier, provenance: Provenance) -> None:
        self.item, self.folder, self.tier = item, folder.resolve(), tier
        self.provenance = provenance
        self.flag = (self.folder / "reference" / "flag").read_text(encoding="utf-8")
        self.flags: Flags | None = Flags((self.flag,), fixed=True)
        self.setting = load_setting(self.folder)
        self._failed: Judged | None = None

    def reference(self) -> bytes:
        """The solution's command; it is run for every trial."""
        place = self.folder / "reference" / "solution.json"
        return place.read_bytes() if place.is_file() else b""

    def trivial(self) -> Mapping[str, bytes | None]:
        """Nothing, the prompt and common placeholders."""
        prompt = (self.folder / "prompt.md").read_bytes()
        words: dict[str, bytes | None] = {word: word.encode() for word in PLACEHOLDERS[:8]}
        return {EMPTY: b"", NONE: None, ECHO: prompt, **words}

    async def judge(self, name: str, answer: bytes | None) -> Judged:
        """Whether *answer*, or what the solution prints, states the flag.

        Raises: SandboxUnavailableError or Unusable, if the solution could have no box.
        """
        if name != "reference":
            given = (answer or b"").decode("utf-8", "replace")
            solved = answer is not None and stated(given, self.flag)
            return _told("solved" if solved else "not_solved", solved=solved)
        if self._failed is None:
            judged = await self._solve(answer or b"")
            if judged.solved:
                return judged
            self._failed = judged
        return self._failed

    async def _solve(self, solution: bytes) -> Judged:
        if not solution:
            return _told(NO_REFERENCE, solved=False)
        held = json.loads(solution)
        config = box_config(self.folder, self.setting, self.tier, home=self.setting.home)
        async with await Box.start(config) as box:
            await self._place(box, held["targets"])
            script = f"cd {self.setting.home} && ( {held['command']} ) 2>&1"
            try:
                done = await box.exec(["/bin/bash", "-c", script], timeout=SOLUTION_SECONDS)
            except TimeoutError:
                words = f"the source's solution did not end within {SOLUTION_SECONDS:g} s"
                return _told(words, solved=False)
        printed = done.stdout.decode("utf-8", "replace")
        if self.flag.strip() in printed:
            return _told("solved", solved=True)
        last = next((line for line in reversed(printed.splitlines()) if line.strip()), "nothing")
        words = f"the source's solution ended with {done.returncode} and no flag: {last.strip()}"
        return _told(words[:_WORDS_MAX], solved=False)

    async def _place(self, box: Box, targets: Mapping[str, str]) -> None:
        """The task's files and the solution's where the source's sandbox has them, to be written on."""
        home = self.setting.home
        shown = self.folder / "subject"
        own = self.folder / "reference" / "files"
        placed = {target: shown / at for target, at in self.setting.targets.items()}
        if not self.setting.targets:
            names = (path for path in shown.rglob("*") if path.is_file())
            placed = {f"{home}/{path.relative_to(shown)}": path for path in names}
        placed |= {targets[at] or f"{home}/{at}": own / at for at in targets}
        for target, path in sorted(placed.items()):
            if target.startswith(f"{home}/"):
                await box.write(target, path.read_bytes())
        await box.exec(["chmod", "-R", "u+rwX", home], timeout=SOLUTION_SECONDS)

    async def leaks(self) -> Sequence[str] | None:
        """The flag, searched for in the prompt, in every file and in what a process sees."""
        secret = self.flag.strip().encode()
        if len(secret) < SECRET_BYTES_MIN:
            return []  # nothing of that length can be searched for; it can be guessed, and fails so
        found = []
        for name, data in _pieces(self.folder / "subject"):
            found += [
                f"{leak.file}: the flag, {leak.form}" for leak in scan({name: data}, [secret])
            ]
        views = await box_view(box_config(self.folder, self.setting, self.tier))
        found += [f"{leak.file}: the flag, {leak.form}" for leak in scan(views, [secret])]
        return found

    def hostile(self) -> AbstractAsyncContextManager[list[str] | None]:
        """A process in the subject's box that writes to and kills what it can."""
        return hostile_box(box_config(self.folder, self.setting, self.tier), self.folder)

    def out_of_scope(self) -> Sequence[str]:
        """The reference runs without a network, in a box of its own: nothing is out of its scope."""
        return ()

    def unlooked(self) -> Mapping[str, str]:
        """Every check is made."""
        return {}


def _pieces(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below *folder* in overlapping pieces, so that a large one takes no more memory."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(folder))
        yield name, name.encode("utf-8", "replace")
        with path.open("rb") as file:
            before = b""
            while piece := file.read(_PIECE):
                yield name, before + piece
                before = piece[-_OVERLAP:]


@dataclass
class JudgedElsewhere:
    """What is common to probes whose judge is no box of ours."""

    item: Item
    folder: Path
    tier: Tier
    provenance: Provenance
    seconds: float = 300.0
    flags: Flags | None = None

    def hostile(self) -> AbstractAsyncContextManager[list[str] | None]:
        """None can be made: the judge is nowhere near the subject's box."""
        return _no_attack()

    def out_of_scope(self) -> Sequence[str] | None:
        """The reference is one input; what judging it does is not ours to see."""
        return None

    def unlooked(self) -> Mapping[str, str]:
        """Why the checks that were not made were not."""
        why = "judged outside of any sandbox of ours"
        return {"oracle_tamper": why, "scope": why}


@asynccontextmanager
async def _no_attack() -> AsyncIterator[list[str] | None]:
    yield None


def _told(outcome: str, *, solved: bool) -> Judged:
    return Judged(outcome, solved, outcome)


class ServerProbe(JudgedElsewhere):
    """The probe of a task that a submission server judges."""

    server: Server = Server()

    def reference(self) -> bytes:
        """The source's own proof; empty where it brings none."""
        place = self.folder / "reference" / "proof"
        return place.read_bytes() if place.is_file() else b""

    def trivial(self) -> Mapping[str, bytes | None]:
        """Nothing, the prompt, zeros, ones, noise and placeholders."""
        prompt = (self.folder / "prompt.md").read_bytes()
        words: dict[str, bytes | None] = {word: word.encode() for word in PLACEHOLDERS[:4]}
        made = {
            "zeros": bytes(4096),
            "ones": b"\xff" * 4096,
            "noise": self.item.digest.encode() * 8,
        }
        return {EMPTY: b"", NONE: None, ECHO: prompt, **made, **words}

    async def judge(self, name: str, answer: bytes | None) -> Judged:
        """The server's verdict.

        Raises: Unavailable, if it gave none.
        """
        if name == "reference" and not answer:
            return _told(NO_REFERENCE, solved=False)
        if answer is None:
            return _told("not_solved", solved=False)
        said = await judge_submission(self.server, Submission(self.item.title, name, answer))
        outcome = "solved" if said.solved else "not_solved"
        shown = f"{outcome} {said.vulnerable} {said.fixed}"
        return Judged(outcome, said.solved, shown, said.fixed == "0" if said.fixed else None)

    async def leaks(self) -> Sequence[str] | None:
        """The source's proof, searched for in the files that are shown."""
        proof = self.reference()
        if len(proof) < PROOF_BYTES_MIN:
            return None
        return _found(self.folder / "subject", proof, "the reference")

    @override
    def unlooked(self) -> Mapping[str, str]:
        """Why the checks that were not made were not."""
        return {**super().unlooked(), "leak_scan": f"the proof has under {PROOF_BYTES_MIN} bytes"}


class OwnProbe(JudgedElsewhere):
    """The probe of one sample of an Inspect task: its own scorer, asked about its own target."""

    source: str = ""

    def reference(self) -> bytes:
        """The sample's target, the first where it has several."""
        held = json.loads((self.folder / "own.json").read_text(encoding="utf-8"))
        return str(next(iter(held["targets"]), "")).encode()

    def trivial(self) -> Mapping[str, bytes | None]:
        """Nothing, the prompt and common placeholders."""
        prompt = (self.folder / "prompt.md").read_bytes()
        words: dict[str, bytes | None] = {word: word.encode() for word in PLACEHOLDERS[:7]}
        return {EMPTY: b"", NONE: None, ECHO: prompt, **words}

    async def judge(self, name: str, answer: bytes | None) -> Judged:
        """What the task's own scorer says of *answer* as the final one."""
        if name == "reference" and not answer:
            return _told(NO_REFERENCE, solved=False)
        held = json.loads((self.folder / "own.json").read_text(encoding="utf-8"))
        given = (answer or b"").decode("utf-8", "replace")
        task = own_task(self.source)
        said = await ask_own_scorer(task, int(held["number"]), given)
        return Judged("solved" if said.solved else said.words, said.solved, said.words)

    async def leaks(self) -> Sequence[str] | None:
        """The target, searched for in the prompt."""
        target = self.reference()
        if len(target) < PROOF_BYTES_MIN:
            return None
        return _found(self.folder / "subject", target, "the target")

    @override
    def unlooked(self) -> Mapping[str, str]:
        """Why the checks that were not made were not."""
        why = f"the target has under {PROOF_BYTES_MIN} bytes and may stand in a text by chance"
        return {**super().unlooked(), "leak_scan": why}


def probe(manifest: Manifest, item: Item, folder: Path, tier: Tier) -> Probe:
    """How the gate tries *item*, prepared in *folder*, of the collection of *manifest*."""
    given = Provenance(manifest.source, manifest.licence, manifest.redistributable)
    match item.oracle.kind:
        case "flag":
            return FlagProbe(item, folder, tier, given)
        case "server":
            asked = ServerProbe(item, folder, tier, given)
            asked.server = Server(manifest.server, manifest.server_key)
            return asked
        case "own":
            own = OwnProbe(item, folder, tier, given)
            own.source = manifest.source
            return own
        case _:
            return BuildProbe(item, folder, tier, given)


def _found(folder: Path, secret: bytes, what: str) -> list[str]:
    """Where *secret* stands below *folder*, in whatever form."""
    told = [
        f"{leak.file}: {what}, {leak.form}"
        for name, data in _pieces(folder)
        for leak in scan({name: data}, [secret])
    ]
    return list(dict.fromkeys(told))
