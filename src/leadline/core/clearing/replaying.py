"""Replaying a proof: what a finder hands over, what one run shows, and what many runs say together.

An oracle is explicit: a sanitizer's report, a signal, a planted secret that comes out, or a script that
says so. The exit code alone never counts: a program may answer 1 whether it is sound or not. What is
unknown stays unknown, with a reason, and a fault of the environment is never the finder's.
Source: clearinghouse reference, section 5.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from leadline.core.clearing.finding import (
    REPLAYS,
    REPLAYS_WHEN_FLAKY,
    ReplayResult,
    ReplayVerdict,
)
from leadline.core.errors import Invalid

FIRST_FRAMES = 3  # own frames among which an expected function must be
SIGNALS = ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV")
_Z95 = 1.959963984540054  # the 97.5 % point of the normal distribution
_SECONDS = (0.1, 300.0)
_PLACE = re.compile(r"\{([A-Za-z0-9._/-]+)\}")
PROOF = "proof"  # the name of the proof among the files that a command may name in braces


class OracleKind(StrEnum):
    """What may show a flaw."""

    SANITIZER = "sanitizer"  # the report that a sanitizer's runtime writes to its own file
    SIGNAL = "signal"  # the operating system ended the program
    FLAG = "flag"  # a random secret, planted for this run, stands in the output
    SCRIPT = "script"  # a script of the bundle looks at what the program left


class BuildWith(StrEnum):
    """How a tree is built; `command` takes the bundle's own steps."""

    MAKE = "make"
    CMAKE = "cmake"
    MESON = "meson"
    PYTHON = "python"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Oracle:
    """What counts as the flaw. *names* are sanitizer classes, or signals; empty asks for any of them.

    *functions* are names of which one must be among the first own frames of a sanitizer's report.
    *flag* is where in the box the secret is planted, *script* the file of the bundle that judges.
    """

    kind: OracleKind
    names: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    flag: str = ""
    script: str = ""

    def fires(self, kind: str, frames: Sequence[str]) -> bool:
        """Whether a report of *kind* with own *frames*, or a signal of that name, is what was named."""
        if self.kind is OracleKind.SANITIZER:
            near = frames[:FIRST_FRAMES]
            placed = not self.functions or any(name in self.functions for name in near)
            return placed and (not self.names or kind in self.names)
        return kind in (self.names or SIGNALS)


@dataclass(frozen=True, slots=True)
class Build:
    """How the tree becomes a program. *needs* are programs that the box must have."""

    by: BuildWith
    targets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    steps: tuple[tuple[str, ...], ...] = ()
    sanitizers: tuple[str, ...] = ("address",)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair may touch and must keep: asked for where a fix is to be drafted.

    *sources* are the C files that make the program, *changeable* those of them that may change, *test*
    the project's own tests, *samples* ordinary inputs whose answers have to stay as they are.
    """

    sources: tuple[str, ...]
    changeable: tuple[str, ...]
    test: tuple[str, ...]
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A proof as a finder hands it over. *files* are the bundle's by name; *proof* names one of them.

    *command* begins with a file of the built tree, or with ``python3``; ``{proof}`` and ``{NAME}`` in it
    become the places of those files. *seeds* are ordinary inputs on which the oracle must be silent.
    """

    title: str
    purl: str
    release: str
    paths: tuple[str, ...]
    build: Build
    command: tuple[str, ...]
    proof: str
    oracle: Oracle
    files: Mapping[str, bytes]
    seeds: tuple[str, ...] = ()
    stdin: bool = False
    seconds: float = 20.0
    cwe: str = ""
    ids: tuple[str, ...] = ()
    repair: Repair | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be replayed.

        Raises: Invalid, naming the key of the bundle's file.
        """
        self._check_run()
        self._check_build()
        for name in (self.proof, *self.seeds, *self._samples(), *self._scripts()):
            if name not in self.files:
                raise Invalid(name, "is named and is no file of the bundle; put it there")

    def _check_run(self) -> None:
        if not _SECONDS[0] <= self.seconds <= _SECONDS[1]:
            raise Invalid("run.seconds", f"give {_SECONDS[0]:g} to {_SECONDS[1]:g}")
        if not self.command or (self.command[0] != "python3" and not _inside(self.command[0])):
            raise Invalid(
                "run.command",
                "give a file of the built tree first, such as ./parser, or python3: what "
                "is tried is the project's program, not one that the bundle brings",
            )
        if self.command[0] == "python3" and (
            len(self.command) < 2 or not _inside(self.command[1])  # noqa: PLR2004 -- and its script
        ):
            raise Invalid("run.command", "python3 needs a file of the tree as its first argument")
        named = {name for word in self.command for name in _PLACE.findall(word)}
        lost = sorted(named - {PROOF} - set(self.files))
        if lost:
            raise Invalid("run.command", f"{{{lost[0]}}} is no file of the bundle")
        if not self.stdin and PROOF not in named:
            raise Invalid("run.command", "never names {proof}; name it, or set stdin = true")

    def _check_build(self) -> None:
        if self.build.by is BuildWith.COMMAND and not self.build.steps:
            raise Invalid("build.steps", "a build by command needs at least one step")
        if self.build.by is not BuildWith.COMMAND and self.build.steps:
            raise Invalid("build.steps", 'are for with = "command"; leave them out')
        wrong = [name for name in self.oracle.names if name not in SIGNALS]
        if self.oracle.kind is OracleKind.SIGNAL and wrong:
            raise Invalid("oracle.names", f"{wrong[0]!r} is none of {', '.join(SIGNALS)}")
        if (self.oracle.kind is OracleKind.FLAG) != bool(self.oracle.flag):
            raise Invalid("oracle.flag", 'give a place such as /flag/secret, and only for "flag"')
        if (self.oracle.kind is OracleKind.SCRIPT) != bool(self.oracle.script):
            raise Invalid("oracle.script", 'name a file of the bundle, and only for "script"')

    def _samples(self) -> tuple[str, ...]:
        return self.repair.samples if self.repair else ()

    def _scripts(self) -> tuple[str, ...]:
        return (self.oracle.script,) if self.oracle.script else ()

    @property
    def data(self) -> bytes:
        """The bytes of the proof."""
        return self.files[self.proof]

    @property
    def proof_sha256(self) -> str:
        """SHA-256 of the proof, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    def argv(self, places: Mapping[str, str]) -> tuple[str, ...]:
        """The command with *places* for the names in braces; one without a place stays as it is."""
        return tuple(
            _PLACE.sub(lambda found: places.get(found[1], found[0]), word) for word in self.command
        )


def _inside(path: str) -> bool:
    """Whether a path stays in the tree that it begins in."""
    return not path.startswith("/") and ".." not in path.split("/") and path not in {"", "."}


class Basis(StrEnum):
    """Who says that a flaw showed itself; shown with every verdict."""

    RUN = "run"  # a sanitizer, the operating system, or a planted secret
    SCRIPT = "script"  # a script that the finder wrote
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Shown:
    """What one run showed. *fired* is None where the run itself broke down, and *why* says how.

    *kind* is the sanitizer's class, the signal, or how else it ended; *frames* are own functions,
    innermost first; *millis* is how long it took.
    """

    fired: bool | None
    kind: str = ""
    frames: tuple[str, ...] = ()
    why: str = ""
    millis: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """Every run of one proof on the flawed build, and on the repaired one where there is a repair.

    *trivial* says on what plain input the oracle fired too: then it shows nothing. *build* and
    *environment* are digests; *fault* is why there are no runs at all.
    """

    proof: str
    basis: Basis
    vulnerable: tuple[Shown, ...] = ()
    fixed: tuple[Shown, ...] = ()
    build: str = ""
    environment: str = ""
    trivial: str = ""
    fault: str = ""

    def result(self, finding: str) -> ReplayResult:
        """The same, as findings keep it; an oracle that shows nothing has no runs that count."""
        if self.fault or self.trivial:
            return ReplayResult(finding, (), (), self.environment)
        return ReplayResult(
            finding,
            tuple(one.fired for one in self.vulnerable),
            tuple(one.fired for one in self.fixed),
            self.environment,
        )

    @property
    def verdict(self) -> ReplayVerdict:
        """The reading of the table; a script's word is shown as a script's."""
        if self.trivial:
            return ReplayVerdict.TRIVIAL_ORACLE
        read = self.result("").verdict
        if read is ReplayVerdict.CONFIRMED and self.basis is Basis.SCRIPT:
            return ReplayVerdict.CONFIRMED_BY_SCRIPT
        return read

    @property
    def reproduces(self) -> bool | None:
        """Whether it does on this build; None where that is not known, as `why` says."""
        if self.verdict in {ReplayVerdict.TRIVIAL_ORACLE, ReplayVerdict.ENVIRONMENT_FAULT}:
            return None
        return self.verdict is not ReplayVerdict.NOT_REPRODUCED

    @property
    def why(self) -> str:
        """The verdict in one plain sentence."""
        if self.fault:
            return f"could not be tried: {self.fault}"
        if self.trivial:
            return f"proves nothing: the oracle also fires on {self.trivial}"
        runs, fired = len(self.vulnerable), sum(one.fired is True for one in self.vulnerable)
        broken = next((one.why for one in self.vulnerable if one.fired is None), "")
        if broken or not runs:
            return f"could not be tried: {broken or 'there was no run'}"
        if fired == runs:
            seen = next(one for one in self.vulnerable if one.fired)
            where = f" in {seen.frames[0]}" if seen.frames else ""
            return f"{fired} of {runs} runs showed {seen.kind}{where}"
        if fired:
            low, high = interval(fired, runs)
            return (
                f"flaky: {fired} of {runs} runs, so between {100 * low:.0f} and {100 * high:.0f} "
                "in 100 (95 % interval); a person decides"
            )
        ends = sorted({one.why or one.kind for one in self.vulnerable} - {""})
        told = f" ({'; '.join(ends)})" if ends else ""
        return f"0 of {runs} runs showed it{told}"


def further(replay: Replay) -> int:
    """How many more runs of the vulnerable build are due before a person decides."""
    if replay.verdict is not ReplayVerdict.FLAKY:
        return 0
    return max(0, REPLAYS_WHEN_FLAKY - len(replay.vulnerable))


def interval(fired: int, runs: int) -> tuple[float, float]:
    """The 95 % interval of a rate, as fractions of 1.

    Source: Wilson, JASA 22 (1927) 209-212.

    Raises: Invalid, unless 0 <= *fired* <= *runs* and there is a run.
    """
    if not 0 <= fired <= runs or not runs:
        raise Invalid("runs", f"{fired} of {runs} is no rate")
    share, square = fired / runs, _Z95 * _Z95
    centre = (share + square / (2 * runs)) / (1 + square / runs)
    root = math.sqrt(share * (1 - share) / runs + square / (4 * runs * runs))
    half = _Z95 * root / (1 + square / runs)
    low = 0.0 if fired == 0 else centre - half
    return low, 1.0 if fired == runs else centre + half


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that may be unknown, and why it is what it is."""

    value: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier report says of itself: a published advisory, or an earlier bundle.

    *proof* and *crash* are those of a bundle; *crash* is the class and the first own frames.
    """

    id: str
    package: str = ""
    cwe: str = ""
    proof: str = ""
    crash: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def signature(shown: Sequence[Shown]) -> tuple[str, ...]:
    """What crashes are compared by: the class and the first own frames; empty if nothing fired."""
    seen = next((one for one in shown if one.fired and one.frames), None)
    return (seen.kind, *seen.frames[:FIRST_FRAMES]) if seen else ()


def already_known(
    bundle: Bundle, package: str, crash: tuple[str, ...], earlier: Sequence[Known] | None
) -> Told:
    """Whether the flaw is among *earlier*; without any that is not known.

    Only identical proof bytes or a shared id say yes. What merely resembles it leaves the question
    open, because a false merge loses a flaw (evidence ladder, rungs 3 to 5).
    """
    if not earlier:
        return Told(None, "nothing to compare with; name a folder of advisories or bundles")
    for one in earlier:
        if one.proof == bundle.proof_sha256:
            return Told(value=True, why=f"the same proof, byte for byte, came as {one.id}")
    for one in earlier:
        shared = sorted(set(bundle.ids) & {one.id, *one.names})
        if shared:
            return Told(
                value=True, why=f"the bundle names {shared[0]} itself, which {one.id} is about"
            )
    for one in earlier:
        if crash and one.crash == crash:
            shown = " < ".join(crash[1:])
            return Told(None, f"may be {one.id}: also {crash[0]} in {shown}; a person decides")
    for one in earlier:
        if package and one.package == package and bundle.cwe and one.cwe == bundle.cwe:
            return Told(None, f"may be {one.id}: also {one.cwe} in this package; a person decides")
    return Told(value=False, why=f"nothing like it among {len(earlier)} earlier reports")


@dataclass(frozen=True, slots=True)
class Check:
    """What a maintainer is told of a report: four questions, each yes, no or unknown."""

    head: Replay
    release: Replay | None
    head_commit: str
    release_name: str
    in_scope: Told
    known: Told
    at: datetime
    notes: tuple[str, ...] = field(default=())

    @property
    def on_head(self) -> Told:
        """Whether it reproduces on the commit that was built."""
        return Told(self.head.reproduces, self.head.why)

    @property
    def on_release(self) -> Told:
        """Whether it reproduces on the release."""
        if self.release is None:
            return Told(None, "no release was named to compare with")
        return Told(self.release.reproduces, self.release.why)


def plain_record(replay: Replay) -> str:
    """Every run as canonical JSON text, for the evidence; durations in whole milliseconds."""
    return json.dumps(
        {
            "proof": replay.proof,
            "basis": replay.basis.value,
            "verdict": replay.verdict.value,
            "why": replay.why,
            "build": replay.build,
            "environment": replay.environment,
            "vulnerable": [_row(one) for one in replay.vulnerable],
            "fixed": [_row(one) for one in replay.fixed],
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def _row(one: Shown) -> dict[str, object]:
    return {
        "fired": one.fired,
        "kind": one.kind,
        "frames": list(one.frames),
        "why": one.why,
        "millis": one.millis,
    }


__all__ = [
    "REPLAYS",
    "Basis",
    "Build",
    "BuildWith",
    "Bundle",
    "Check",
    "Known",
    "Oracle",
    "OracleKind",
    "Repair",
    "Replay",
    "Shown",
    "Told",
    "already_known",
    "further",
    "interval",
    "plain_record",
    "signature",
]
