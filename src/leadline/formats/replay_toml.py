"""The file ``leadline-replay.toml`` of a replay bundle, read strictly. Reference: docs/reference/replay.md.

The other files of the bundle's folder are given by name; which of them is the proof stands in the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from leadline.core.clearing.replaying import (
    Build,
    BuildWith,
    Bundle,
    Oracle,
    OracleKind,
    Repair,
)
from leadline.core.errors import Invalid
from leadline.formats.toml_table import Table, open_table

FILE = "leadline-replay.toml"
FORMAT = "leadline-replay/1"
BYTES_MAX = 64 << 10
WORDS_MAX = 256
SECONDS = 20.0  # of one run, where nothing else is said
T = TypeVar("T")


class Sanitizer(StrEnum):
    """What a build may be instrumented with; `none` stands alone."""

    ADDRESS = "address"
    UNDEFINED = "undefined"
    NONE = "none"


def load_bundle(data: bytes, files: Mapping[str, bytes]) -> Bundle:
    """The bundle that *data* describes, with *files* beside it by name.

    Raises: Invalid, naming every key that is missing, unknown or contradictory, each with the cure.
    """
    if len(data) > BYTES_MAX:
        raise Invalid(FILE, f"longer than {BYTES_MAX} bytes")
    root = open_table(data, FILE)
    faults: list[Invalid] = []
    about = _part(lambda: _about(root), faults)
    build = _part(lambda: _build(root.table("build")), faults)
    run = _part(lambda: _run(root.table("run")), faults)
    oracle = _part(lambda: _oracle(root.table("oracle")), faults)
    repair = _part(lambda: _repair(root.table("repair")), faults) if "repair" in root else None
    if about is not None:  # else keys that nobody came to read would seem unknown
        _part(root.done, faults)
    if about is None or build is None or run is None or oracle is None or faults:
        raise _joined(faults)
    try:
        return Bundle(
            title=about.title,
            purl=about.purl,
            release=about.release,
            paths=about.paths,
            cwe=about.cwe,
            ids=about.ids,
            seeds=about.seeds,
            build=build,
            command=run.command,
            proof=run.proof,
            stdin=run.stdin,
            seconds=run.seconds,
            oracle=oracle,
            repair=repair,
            files=dict(files),
        )
    except Invalid as error:
        raise Invalid(f"{FILE}: {error.field}", error.problem) from None


def _part(read: Callable[[], T], faults: list[Invalid]) -> T | None:
    """What *read* answers; None where it is at fault, which is noted, so that the others are read too."""
    try:
        return read()
    except Invalid as error:
        faults.append(error)
        return None


def _joined(faults: Sequence[Invalid]) -> Invalid:
    """All faults as one: the first with its key, the others in its words."""
    rest = [f"{one.field.removeprefix(f'{FILE}: ')} {one.problem}" for one in faults[1:]]
    return Invalid(faults[0].field, "; ".join([faults[0].problem, *rest]))


@dataclass(frozen=True, slots=True)
class _About:
    title: str
    purl: str
    release: str
    paths: tuple[str, ...]
    cwe: str
    ids: tuple[str, ...]
    seeds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    command: tuple[str, ...]
    proof: str
    stdin: bool
    seconds: float


def _about(root: Table) -> _About:
    if root.text("format") != FORMAT:
        raise root.wrong("format", f"only {FORMAT!r} is read")
    return _About(
        title=root.text("title"),
        purl=root.optional("purl", str) or "",
        release=root.optional("release", str) or "",
        paths=_words(root, "paths"),
        cwe=root.optional("cwe", str) or "",
        ids=_words(root, "ids"),
        seeds=_words(root, "seeds"),
    )


def _run(table: Table) -> _Run:
    seconds = table.optional("seconds", float)
    found = _Run(
        command=_words(table, "command"),
        proof=table.text("proof"),
        stdin=bool(table.optional("stdin", bool)),
        seconds=SECONDS if seconds is None else seconds,
    )
    table.done()
    return found


def proof_name(data: bytes) -> str:
    """Which file of a bundle is the proof; empty where the description does not say.

    Raises: Invalid, if it is no TOML.
    """
    root = open_table(data, FILE)
    run = root.table("run") if "run" in root else root
    return run.text("proof") if "proof" in run else ""


def _build(table: Table) -> Build:
    by = table.choice("with", BuildWith)
    steps = []
    for number, one in enumerate(table.tables("steps"), 1):
        argv = _words(one, "argv")
        if not argv:
            raise one.wrong("argv", f"step {number} has no words; give a command")
        one.done()
        steps.append(argv)
    named = _words(table, "sanitizers") or (Sanitizer.ADDRESS.value,)
    unknown = sorted(set(named) - set(Sanitizer))
    if unknown:
        raise table.wrong("sanitizers", f"{unknown[0]!r} is none of {', '.join(Sanitizer)}")
    if Sanitizer.NONE in named and len(named) > 1:
        raise table.wrong("sanitizers", "'none' stands alone")
    found = Build(
        by,
        targets=_words(table, "targets"),
        options=_words(table, "options"),
        steps=tuple(steps),
        sanitizers=() if Sanitizer.NONE in named else named,
        needs=_words(table, "needs"),
    )
    table.done()
    return found


def _oracle(table: Table) -> Oracle:
    found = Oracle(
        table.choice("kind", OracleKind),
        names=_words(table, "names"),
        functions=_words(table, "functions"),
        flag=table.optional("flag", str) or "",
        script=table.optional("script", str) or "",
    )
    if found.flag and (not found.flag.startswith("/flag/") or ".." in found.flag):
        raise table.wrong("flag", "the secret is planted below /flag, such as /flag/secret")
    table.done()
    return found


def _repair(table: Table) -> Repair:
    found = Repair(
        sources=_words(table, "sources"),
        changeable=_words(table, "changeable"),
        test=_words(table, "test"),
        samples=_words(table, "samples"),
    )
    if not found.sources or not found.changeable:
        raise table.wrong("sources", "name the files of the program, and which of them may change")
    beyond = sorted(set(found.changeable) - set(found.sources))
    if beyond:
        raise table.wrong("changeable", f"{beyond[0]} is none of the sources")
    table.done()
    return found


def _words(table: Table, name: str) -> tuple[str, ...]:
    found = table.texts(name)
    if len(found) > WORDS_MAX or any("\0" in word for word in found):
        raise table.wrong(name, f"at most {WORDS_MAX} texts are taken, without NUL characters")
    return found
