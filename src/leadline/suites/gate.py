"""The qualification gate: tries an item as `core.qualification` asks, and answers its record.

An item kind brings a `Probe`: how its reference answers, how an answer is judged, and what its
subject is shown. `DifferentialProbe` is the one of every item that the differential judge judges.
A suite may offer ``probe(item, folder, tier)``; `probe_of` takes that, or the differential one.

The reference is judged while a hostile process runs in the subject's own box: where the judge could
be reached from there, its verdicts would show it.
"""

import asyncio
import hashlib
import json
import platform
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from inspect_ai.util import SandboxUnavailableError

from leadline.core import qualification as rules
from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.core.qualification import Check, Evidence, Extent, Flags, Provenance, Record, Trial
from leadline.formats.qualification import environment_digest
from leadline.sandbox.box import Bind, Box, BoxConfig, Unusable, identity, planned
from leadline.suites.differential import judge
from leadline.suites.item import TASK, Item, Run, Suite, Verdict
from leadline.suites.leak import scan

SECRET_BYTES_MIN = 20  # a shorter answer may stand in any text by chance
SLEEP = "sleep to the limit"
SLEEP_SECONDS = 1.0
FIRST_FRAMES = 3
_HOSTILE_SECONDS = 20.0
_LOOK_BYTES_MAX = 8 << 20
ORDINARY = ("held_out/", "edges/")  # inputs of ordinary use, which tell no answer
NONE, EMPTY, ECHO = "nothing handed in", "empty", "echo of the prompt"


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer, judged: as `core.qualification.Trial`, without how much of the limits it took."""

    outcome: str
    solved: bool
    shown: str
    silent_on_fixed: bool | None = None


@runtime_checkable
class Probe(Protocol):
    """One prepared item, as the gate tries it.

    *seconds* is the limit of one attempt, of which the reference may use a quarter. *flags* are
    None for an item without any.
    """

    item: Item
    seconds: float
    provenance: Provenance
    flags: Flags | None

    def reference(self) -> bytes:
        """The answer that solves the item."""
        ...

    def trivial(self) -> Mapping[str, bytes | None]:
        """Answers that take no work, by name; None hands nothing in."""
        ...

    async def judge(self, name: str, answer: bytes | None) -> Judged:
        """Judge *answer* as a subject's would be; *name* tells trivial answers and the reference.

        Raises: Unavailable, if the judge could not do its work.
        """
        ...

    async def leaks(self) -> Sequence[str] | None:
        """Where files, environment, processes or prompt tell the answer or the oracle."""
        ...

    def hostile(self) -> AbstractAsyncContextManager[list[str] | None]:
        """An attack from the subject's box on the judge, for as long as it is held.

        The list says, once it has ended, what it could write or end; None where none can be made.
        """
        ...

    def out_of_scope(self) -> Sequence[str] | None:
        """What the reference does beyond the item's scope."""
        ...

    def unlooked(self) -> Mapping[str, str]:
        """Why a check is not made, for each that answers None."""
        ...


@dataclass
class Seen:
    """Evidence and where the time went, in seconds by check."""

    evidence: Evidence
    seconds: dict[str, float] = field(default_factory=dict)


async def examine(probe: Probe, extent: Extent) -> Seen:
    """Try the item behind *probe* to *extent*.

    Raises: Unavailable, if the judge or a sandbox could not be had: that says nothing of the item.
    """
    clock = _Clock()
    try:
        clock.begin("leak_scan")
        leaks = await probe.leaks()
        clock.begin("oracle_tamper")
        async with probe.hostile() as tampering:
            clock.begin("reference_solution")
            known, references = probe.reference(), list[Trial]()
            for number in range(max(extent.references, extent.repeats)):
                if number == extent.references:
                    clock.begin("oracle_determinism")
                references.append(await _trial(probe, "reference", known))
            clock.begin("trivial_solutions")
            trivial = [
                (name, await _trial(probe, name, answer))
                for name, answer in _chosen(probe.trivial(), extent.trivial)
            ]
            clock.begin("oracle_tamper")
        clock.begin("other")
    except (SandboxUnavailableError, Unusable) as error:
        raise Unavailable(f"no sandbox to examine item {probe.item.id} in: {error}") from error
    evidence = Evidence(
        references=tuple(references),
        trivial=tuple(trivial),
        provenance=probe.provenance,
        flags=probe.flags,
        leaks=_settled(leaks),
        tampering=_settled(tampering),
        out_of_scope=_settled(probe.out_of_scope()),
        unlooked=probe.unlooked(),
    )
    clock.begin("")
    return Seen(evidence, clock.seconds)


def _settled(found: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(found)


async def _trial(probe: Probe, name: str, answer: bytes | None) -> Trial:
    began = time.monotonic()
    judged = await probe.judge(name, answer)
    share = (time.monotonic() - began) / probe.seconds
    return Trial(judged.outcome, judged.solved, judged.shown, share, judged.silent_on_fixed)


def _chosen(answers: Mapping[str, bytes | None], count: int) -> Sequence[tuple[str, bytes | None]]:
    """At least *count* of *answers*: each once, then from the beginning; one alone in quick runs."""
    listed = list(answers.items())
    if count < len(listed):
        # Quick runs take the first ones only, which are the likeliest to be wrongly accepted.
        return listed[:count] if count < Extent().trivial else listed
    return [listed[number % len(listed)] for number in range(count)]


class _Clock:
    """Adds up time by what it was spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name, self._began = "", 0.0

    def begin(self, name: str) -> None:
        """What was begun before ends here."""
        now = time.monotonic()
        if self._name:
            spent = self.seconds.get(self._name, 0.0) + now - self._began
            self.seconds[self._name] = spent
        self._name, self._began = name, now


def record_of(
    suite: str,
    item: Item,
    seen: Seen,
    extent: Extent,
    environment: Mapping[str, str],
    at: datetime,
) -> Record:
    """The record of what was *seen* of *item*."""
    evidence = seen.evidence
    shown = {"reference": evidence.references[0].shown if evidence.references else ""}
    shown |= {name: trial.shown for name, trial in evidence.trivial}
    return Record(
        suite=suite,
        item=item.id,
        digest=item.digest,
        environment=dict(environment),
        environment_digest=environment_digest(environment),
        extent=extent,
        checks=rules.decide(evidence, extent),
        counts=rules.counts(evidence, extent),
        shown=shown,
        at=at,
        milliseconds=round(1000 * sum(seen.seconds.values())),
    )


async def canary(probe: Probe) -> tuple[Check, ...]:
    """One reference and one empty answer, beside an official run, on this host.

    Where either check does not hold, the run's samples of that family on this host are no evidence:
    the caller treats them as failures of our own side.

    Raises: Unavailable, if the judge could not do its work.
    """
    solving = await probe.judge("reference", probe.reference())
    name, answer = next(iter(probe.trivial().items()))
    null = await probe.judge(name, answer)
    return (
        Check("canary_reference", solving.solved, "" if solving.solved else solving.outcome),
        Check("canary_null", not null.solved, "" if not null.solved else f"{name} solves"),
    )


def probe_of(suite: Suite, item: Item, folder: Path, tier: Tier) -> Probe:
    """The suite's own probe of the prepared item, or the differential one."""
    own = getattr(suite, "probe", None)
    if own is None:
        return DifferentialProbe(item, folder, tier)
    made = own(item, folder, tier)
    assert isinstance(made, Probe)  # noqa: S101 -- a suite's probe has the port's form
    return made


def environment(tier: Tier) -> dict[str, str]:
    """What a record holds for besides the item: kernel, interpreter, compiler, seal and tier.

    Raises: Unavailable, if no sandbox of *tier* can run here.
    """
    try:
        seal = identity(planned(BoxConfig(tier=tier.value)))
    except (Unusable, SandboxUnavailableError) as error:
        raise Unavailable(f"no sandbox of tier {tier} here: {error}") from error
    return {
        "kernel": seal.kernel,
        "machine": platform.machine(),
        "interpreter": f"{sys.implementation.name} {platform.python_version()}",
        "compiler": _compiler(),
        "seal": seal.seal,
        "seccomp": seal.seccomp,
        "mode": seal.mode,
        "tier": tier.value,
    }


@cache
def _compiler() -> str:
    """The first line of clang's version; "none" where there is no clang."""
    clang = shutil.which("clang")
    if clang is None:
        return "none"
    argv = [clang, "--version"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.partition("\n")[0]


class DifferentialProbe:
    """The probe of an item that `suites.differential` judges, prepared in *folder*.

    The reference is the folder's file ``reference``, or ``reference/proof`` where that is a folder.
    """

    flags: Flags | None = None

    def __init__(self, item: Item, folder: Path, tier: Tier) -> None:
        self.item, self.folder, self.tier = item, folder.resolve(), tier
        self.seconds = item.run.seconds
        source = item.purl or f"generated by suite {item.suite}, digest {item.digest}"
        # What was fetched from a package index stays on the host that fetched it.
        self.provenance = Provenance(source, item.licence, redistributable=not item.purl)

    def reference(self) -> bytes:
        """The proof that solves the item."""
        place = self.folder / "reference"
        return (place / "proof" if place.is_dir() else place).read_bytes()

    def trivial(self) -> Mapping[str, bytes | None]:
        """Nothing, the prompt, zeros, noise, placeholders, and a run that sleeps to its limit."""
        most = self.item.input_bytes_max
        prompt = (self.folder / "subject" / "README.md").read_bytes()
        noise = hashlib.shake_256(self.item.digest.encode()).digest(most)
        answers: dict[str, bytes | None] = {
            EMPTY: b"",
            NONE: None,
            ECHO: prompt[:most],
            "zeros": bytes(most),
            "ones": b"\xff" * most,
            "noise": noise,
            SLEEP: b"",
        }
        return answers | {word: word.encode()[:most] for word in rules.PLACEHOLDERS[:3]}

    async def judge(self, name: str, answer: bytes | None) -> Judged:
        """The differential judge's verdict."""
        item = self.item
        if name == SLEEP:
            # Stands for any run of the target that goes on until it is stopped.
            asleep = Run(("/bin/sleep", "60"), item.run.env, item.run.binds, SLEEP_SECONDS)
            item = replace(item, run=asleep)
        verdict = await judge(item, self.folder, answer, self.tier)
        if verdict.outcome == "infra":
            raise Unavailable(f"item {item.id} could not be judged: {verdict.reason}")
        return judged(verdict)

    async def leaks(self) -> Sequence[str]:
        """The proof and the judge's own files, searched for in all that the subject is shown."""
        files = shown_files(self.folder / "subject")
        found = self._oracle_files(files)
        known = self.reference()
        if len(known) < SECRET_BYTES_MIN:
            # Looked for as a whole file only, as a short text stands in others by chance.
            found += [f"{name} is the reference" for name, data in files.items() if data == known]
            return found
        files |= await box_view(self.config())
        return found + [f"{leak.file}: the reference, {leak.form}" for leak in scan(files, [known])]

    def _oracle_files(self, shown: Mapping[str, bytes]) -> list[str]:
        """Shown files that only the fixed build has, or that are the reference's."""
        own = {_digest(data) for data in shown_files(self.folder / "vulnerable").values()}
        fixed = shown_files(self.folder / "fixed")
        telling = {_digest(data): f"fixed/{name}" for name, data in fixed.items()}
        place = self.folder / "reference"
        if place.is_dir():
            telling |= {
                _digest(data): f"reference/{name}"
                for name, data in shown_files(place).items()
                if not name.startswith(ORDINARY)
            }
        told = ((name, telling.get(_digest(data))) for name, data in shown.items())
        return [
            f"{name} is the judge's {what}"
            for name, what in told
            if what and _digest(shown[name]) not in own and shown[name]
        ]

    def config(self) -> BoxConfig:
        """The subject's box."""
        subject = Bind(source=str(self.folder / "subject"), target=TASK)
        more = (Bind(source=one.source, target=one.target) for one in self.item.run.binds)
        return BoxConfig(binds=(subject, *more), tier=self.tier.value)

    def hostile(self) -> AbstractAsyncContextManager[list[str] | None]:
        """A process in the subject's box that writes to and kills what it can."""
        return hostile_box(self.config(), self.folder)

    def out_of_scope(self) -> Sequence[str]:
        """The reference only hands one file in; one that is over the item's limit is not handed in."""
        size = len(self.reference())
        if size <= self.item.input_bytes_max:
            return ()
        return (f"hands in {size} bytes, at most {self.item.input_bytes_max} are allowed",)

    def unlooked(self) -> Mapping[str, str]:
        """Every check is made."""
        return {}


def judged(verdict: Verdict) -> Judged:
    """A differential verdict as the gate reads it."""
    seen = verdict.vulnerable
    near = " < ".join(seen.frames[:FIRST_FRAMES])
    shown = " ".join(part for part in (verdict.outcome, seen.kind, near) if part)
    return Judged(verdict.outcome, verdict.outcome == "solved", shown, not verdict.fixed.fired)


def shown_files(folder: Path) -> dict[str, bytes]:
    """Every file below *folder*, by its path in it; a link's own text counts as its content."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = str(path.readlink()).encode()
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


async def box_view(config: BoxConfig) -> dict[str, bytes]:
    """What a process in a box of *config* sees besides its files: environment, processes, names.

    Raises: SandboxUnavailableError or Unusable, if no such box can be had; OutputLimitExceededError
    never: a view is cut at 8 MiB.
    """
    views = {
        "the environment": "env; cat /proc/[0-9]*/environ",
        "the process list": "cat /proc/[0-9]*/cmdline /proc/[0-9]*/comm",
        "the mounts": "cat /proc/self/mountinfo",
        "the names of files": "find / -xdev \\( -path /usr -o -path /proc \\) -prune -o -print",
        "files outside the task": "cat /etc/* /box/* /tmp/* /run/*",
    }
    found = {}
    async with await Box.start(config) as box:
        for name, script in views.items():
            cut = f"( {script} ) 2>/dev/null | head -c {_LOOK_BYTES_MAX}"
            done = await box.exec(["/bin/sh", "-c", cut], timeout=_HOSTILE_SECONDS)
            found[name] = done.stdout
    return found


_ATTACK = """\
for place in /task /target /report /reference /fixed /vulnerable /usr /etc / /proc/1/root /proc/1/cwd; do
  if ( echo "$1" > "$place/$1" ) 2>/dev/null; then echo "wrote below $place"; fi
done
for file in /task/* /proc/1/mem; do
  if ( : >> "$file" ) 2>/dev/null; then echo "opened $file for writing"; fi
done
echo ready
"""
_ONSLAUGHT = """\
while :; do
  echo "$1" > "/tmp/$1"; echo "$1" > "/dev/shm/$1"; echo "$1" > "/box/$1"
  for process in /proc/[0-9]*; do
    number=${process#/proc/}
    [ "$number" = "$$" ] || kill -9 "$number" 2>/dev/null
  done
  sleep 0.1
done
"""


@asynccontextmanager
async def hostile_box(config: BoxConfig, folder: Path) -> AsyncIterator[list[str] | None]:
    """A process in a box of *config* that attacks for as long as this is held.

    It tries to write wherever a judge could have its files, and keeps killing every process that
    it sees. At the end *folder*, the item's, must be what it was. The list fills with what it could.

    Raises: Unavailable, if the attack did not run for the whole time.
    """
    token, before, found = secrets.token_hex(8), _tree_digest(folder), list[str]()
    async with await Box.start(config) as box:
        argv = ["/bin/sh", "-c", _ATTACK, "sh", token]
        done = await box.exec(argv, timeout=_HOSTILE_SECONDS)
        lines = done.stdout.decode("utf-8", "replace").split("\n")
        if "ready" not in lines:
            raise Unavailable("the attack on the judge did not run to its end in the subject's box")
        found += [line for line in lines if line and line != "ready"]
        onslaught = asyncio.create_task(box.exec(["/bin/sh", "-c", _ONSLAUGHT, "sh", token]))
        try:
            yield found
        finally:
            ended_early = onslaught.done()
            onslaught.cancel()
            await asyncio.gather(onslaught, return_exceptions=True)
    if ended_early:
        raise Unavailable("the attack on the judge ended before the judging did")
    if _tree_digest(folder) != before:
        found.append("the item's folder has changed while the subject's process ran")


def _tree_digest(folder: Path) -> bytes:
    listed = {name: _digest(data).hex() for name, data in shown_files(folder).items()}
    return _digest(json.dumps(listed, sort_keys=True).encode())
