"""A maintainer checks a report on their own machine: reads files, needs no account, asks no network.

Four questions, each answered yes, no or unknown with a reason: does it reproduce on the commit at hand, on
the release, is it in scope, is it already known. Nothing is sent and nothing is decided here.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from leadline.app.match import read_advisory
from leadline.app.replay import Bench, replayed
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.contract import judge, package_of
from leadline.core.clearing.finding import Evidence, Finding, Location
from leadline.core.clearing.replaying import (
    Basis,
    Bundle,
    Check,
    Known,
    Replay,
    Told,
    already_known,
    signature,
)
from leadline.core.clearing.report import Stage
from leadline.core.errors import Invalid, NotFound, Unavailable
from leadline.formats.contract_toml import load_contract
from leadline.formats.document import load, record, text, texts
from leadline.formats.replay_toml import FILE, load_bundle

FILES_MAX = 64
FOLDER_BYTES_MAX = 64 << 20
KNOWN_MAX = 20_000
EVIDENCE = "evidence"  # the folder that a check leaves beside the bundle's files
EVIDENCE_FILE = "replay.json"
EVIDENCE_FORMAT = "leadline-replay-evidence/1"
_DOCUMENT_BYTES_MAX = 16 << 20


class Lab(Protocol):
    """Builds commits of one repository and gives a bench for each."""

    def bench(self, bundle: Bundle, which: str) -> tuple[Bench | None, str, str]:
        """The built program of a commit, the commit's id, and why there is no program.

        *which* is ``head``, or the name of a release.

        Raises: Unavailable, if no box could be had; NotFound, for a name that there is not.
        """
        ...


def read_bundle(folder: Path) -> Bundle:
    """The bundle in *folder*; what an earlier check left in it is no part of it.

    Raises: NotFound, if it is none; Invalid, for a link, too much of it, or a faulty description.
    """
    if not (folder / FILE).is_file():
        raise NotFound(f"{folder} holds no {FILE}; it is no replay bundle")
    found: dict[str, bytes] = {}
    size = 0
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise Invalid(name, "is a link; a bundle holds plain files only")
        size += path.stat().st_size
        if len(found) == FILES_MAX or size > FOLDER_BYTES_MAX:
            raise Invalid(
                str(folder), f"more than {FILES_MAX} files or {FOLDER_BYTES_MAX >> 20} MiB"
            )
        found[name] = path.read_bytes()
    return load_bundle(found.pop(FILE), found)


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        if root == str(folder) and EVIDENCE in folders:
            folders.remove(EVIDENCE)
        folders.sort()
        for name in [*sorted(names), *(one for one in folders if (Path(root) / one).is_symlink())]:
            yield Path(root) / name


def check(
    bundle: Bundle,
    lab: Lab,
    release: str,
    earlier: Sequence[Known] | None,
    contract: bytes | None,
    say: Callable[[str], None],
    *,
    now: datetime,
) -> tuple[Check, Bench | None]:
    """Answer the four questions; also the bench of the commit at hand, for the evidence.

    *release* is the name of a tag, or empty; *earlier* is None where nothing was given to compare with;
    *contract* is the repository's own file, or None. *say* is told what is done next.
    """
    say("building the commit at hand")
    head, commit, bench = tried(bundle, lab, "head", say)
    on_release: Replay | None = None
    if release:
        say(f"building release {release}")
        on_release, _, _ = tried(bundle, lab, release, say)
    package = _package(bundle.purl)
    crash = signature(head.vulnerable) or signature(on_release.vulnerable if on_release else ())
    done = Check(
        head,
        on_release,
        commit,
        release,
        in_scope(bundle, contract, now),
        already_known(bundle, package, crash, earlier),
        now,
        tuple(_notes(bundle)),
    )
    return done, bench


def tried(
    bundle: Bundle, lab: Lab, which: str, say: Callable[[str], None], fixed: str = ""
) -> tuple[Replay, str, Bench | None]:
    """The replay on one build, and on *fixed* where that names a repaired one.

    What keeps it from being tried is said in it, never an error.
    """
    repaired: Bench | None = None
    try:
        bench, commit, problem = lab.bench(bundle, which)
        if fixed and bench is not None:
            repaired, _, problem = lab.bench(bundle, fixed)
    except (Unavailable, NotFound, Invalid) as error:
        return Replay(bundle.proof_sha256, Basis.RUN, fault=str(error)), "", None
    if bench is None or (fixed and repaired is None):
        fault = f"does not build: {problem}"
        return Replay(bundle.proof_sha256, Basis.RUN, fault=fault), commit, None
    say("running the proof, each time in a fresh box without a network")
    try:
        return replayed(bundle, bench, repaired), commit, bench
    except Unavailable as error:
        return Replay(bundle.proof_sha256, Basis.RUN, fault=str(error)), commit, None


def _notes(bundle: Bundle) -> Iterator[str]:
    """What a reader must know of the bundle before relying on the answer."""
    own = [" ".join(argv) for argv in bundle.build.steps] + list(bundle.build.options)
    if own:
        yield f"the bundle brings its own words for the build; read them first: {'; '.join(own)}"
    if bundle.oracle.script:
        yield (
            f"the bundle's own script {bundle.oracle.script} says whether it fired; read it first, "
            "for nothing else bears it out"
        )


def in_scope(bundle: Bundle, contract: bytes | None, now: datetime) -> Told:
    """Whether the project's own file takes such a report; unknown where that cannot be said."""
    if contract is None:
        return Told(None, "the repository has no .leadline.toml that says what is in scope")
    try:
        terms = load_contract(contract)
    except Invalid as error:
        return Told(None, f".leadline.toml cannot be read: {error}")
    limits = terms.include or terms.exclude or any(one.paths for one in terms.exclusions)
    if limits and not bundle.paths:
        return Told(None, "the bundle does not say which files it touches")
    judged = judge((terms,), _as_report(bundle, terms.project, now))
    if judged.stage is Stage.OUT_OF_THREAT_MODEL:
        return Told(value=False, why=judged.reason)
    return Told(value=True, why=f"nothing in the contract of {terms.project} speaks against it")


def _as_report(bundle: Bundle, project: str, now: datetime) -> Finding:
    """The bundle as the finding that a contract is asked about; what it may lack is no question here."""
    given = "0" * 64
    return Finding(
        origin="tool",
        found_by="a replay bundle",
        suite="",
        item="",
        run="",
        family="",
        title=bundle.title,
        purl=bundle.purl,
        target_digest="",
        proof_sha256=bundle.proof_sha256,
        observation="",
        at=now.astimezone(UTC),
        cwe=bundle.cwe,
        project=project,
        confirmed_by="a person",
        locations=tuple(Location(path) for path in bundle.paths),
        evidence=Evidence(patch=given, test=given),
    )


def _package(purl: str) -> str:
    found = package_of(purl) if purl else None
    return found.purl() if found else ""


def earlier(folder: Path, apart: Sequence[Path] = ()) -> tuple[tuple[Known, ...], tuple[str, ...]]:
    """What is known from a folder of advisories, bundles and evidence of earlier checks, and its faults.

    What lies below a folder in *apart* is left out: the bundle that is asked about, and its evidence.

    Raises: NotFound, if there is no such folder; Invalid, if it holds too many documents.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder; name one that holds advisories or bundles")
    own = [path.resolve() for path in apart]
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if (path.name == FILE or path.suffix == ".json") and path.is_file()
        if not any(path.resolve().is_relative_to(place) for place in own)
    ]
    if len(paths) > KNOWN_MAX:
        raise Invalid(str(folder), f"more than {KNOWN_MAX} documents; compare in parts")
    found: list[Known] = []
    faults: list[str] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            if path.name == FILE:
                found.append(_bundled(read_bundle(path.parent), name))
            elif path.stat().st_size <= _DOCUMENT_BYTES_MAX:
                found += _documented(path.read_bytes(), name)
            else:
                faults.append(f"{name}: longer than {_DOCUMENT_BYTES_MAX} bytes")
        except (Invalid, OSError) as error:
            faults.append(f"{name}: {error}")
    return tuple(found), tuple(faults)


def _bundled(bundle: Bundle, name: str) -> Known:
    return Known(name, _package(bundle.purl), bundle.cwe, bundle.proof_sha256, (), bundle.ids)


def _documented(data: bytes, name: str) -> Sequence[Known]:
    document = load(data, name, _DOCUMENT_BYTES_MAX)
    if document.get("format") == EVIDENCE_FORMAT:
        told = record(document.get("bundle"))
        return [
            Known(
                name,
                text(told.get("package")),
                text(told.get("cwe")),
                text(told.get("proof")),
                texts(document.get("signature")),
                texts(told.get("ids")),
            )
        ]
    return _advised(read_advisory(data, name))


def _advised(advisory: Advisory) -> Sequence[Known]:
    names = tuple({name for flaw in advisory.flaws for name in flaw.ids})
    if advisory.withdrawn:
        return []
    return [
        Known(advisory.id, statement.package.purl(), flaw.cwe, names=names)
        for flaw in advisory.flaws
        for statement in flaw.statements
    ]


def document(done: Check, evidence: str) -> dict[str, object]:
    """The four answers as one JSON document; unknown is null, and *reasons* says why of each."""
    return {
        "reproduces": {"head": done.on_head.value, "release": done.on_release.value},
        "in_scope": done.in_scope.value,
        "known": done.known.value,
        "evidence": evidence,
        "verdict": {
            "head": done.head.verdict.value,
            "release": done.release.verdict.value if done.release else None,
        },
        "reasons": {
            "head": done.on_head.why,
            "release": done.on_release.why,
            "in_scope": done.in_scope.why,
            "known": done.known.why,
        },
        "commit": done.head_commit,
        "release": done.release_name,
        "notes": list(done.notes),
    }


def evidence_record(done: Check, bundle: Bundle) -> bytes:
    """What a later check compares with, and everything that was measured; no proof bytes."""
    told = {
        "format": EVIDENCE_FORMAT,
        "bundle": {
            "title": bundle.title,
            "package": _package(bundle.purl),
            "cwe": bundle.cwe,
            "ids": list(bundle.ids),
            "proof": bundle.proof_sha256,
        },
        "signature": list(signature(done.head.vulnerable)),
        "at": done.at.astimezone(UTC).isoformat(timespec="seconds"),
        **document(done, ""),
        "runs": {
            "head": _runs(done.head),
            "release": _runs(done.release) if done.release else None,
        },
    }
    return (json.dumps(told, indent=1, sort_keys=True) + "\n").encode()


def _runs(replay: Replay) -> dict[str, object]:
    return {
        "build": replay.build,
        "environment": replay.environment,
        "runs": [
            {"fired": one.fired, "kind": one.kind, "frames": list(one.frames), "millis": one.millis}
            for one in replay.vulnerable
        ],
    }


def words(done: Check) -> Iterator[str]:
    """The four answers in plain words, for a person who has little time."""
    for question, told in (
        (f"On {done.head_commit[:12] or 'this commit'}", done.on_head),
        (f"On {done.release_name or 'the release'}", done.on_release),
        ("In scope", done.in_scope),
        ("Already known", done.known),
    ):
        said = {True: "yes", False: "no", None: "unknown"}[told.value]
        yield _shown(f"{question + ':':18} {said:8} {told.why}")
    yield from (_shown(f"Note: {note}") for note in done.notes)


def _shown(line: str) -> str:
    """One line for a terminal: whatever a bundle brought, no control character gets through."""
    return "".join(c if c.isprintable() else " " for c in line)
