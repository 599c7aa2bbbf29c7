"""Checking a report on a maintainer's own machine, from a folder and a repository to four answers."""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leadline.app import checking
from leadline.app.context import Context
from leadline.app.replay import Bench, validate
from leadline.core.clearing.replaying import Bundle, Check, Replay
from leadline.core.errors import Invalid, NotFound
from leadline.core.isolation import Tier, parse_tier
from leadline.formats.contract_toml import FILE as CONTRACT
from leadline.runner.replay.build import Builder
from leadline.runner.replay.lab import HEAD, HostLab
from leadline.runner.replay.runs import HostBench, place_in
from leadline.runner.replay.source import Repository
from leadline.wiring.clock import clock


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for: a bundle, a repository, what to compare with, where evidence goes."""

    folder: Path
    repository: Path
    cache: Path
    at: str = "HEAD"
    release: str = ""
    known: Path | None = None
    evidence: Path | None = None
    dirty: bool = False
    fixed: str = ""
    tier: str = Tier.SHARED_KERNEL.value


def check(asked: Asked, say: Callable[[str], None]) -> tuple[dict[str, object], list[str]]:
    """The four answers as a document and in words; what was seen is written to the evidence folder.

    Raises: NotFound or Invalid, if there is no bundle, no repository, or nothing readable in them.
    """
    bundle = checking.read_bundle(asked.folder)
    host = lab(asked, say)
    head = host.commit(HEAD)
    release = asked.release or bundle.release or host.repository.newest_tag(head)
    place = asked.evidence or asked.folder / checking.EVIDENCE
    apart = (asked.folder, place)
    known, faults = checking.earlier(asked.known, apart) if asked.known else (None, ())
    for fault in faults:
        say(f"not compared with: {fault}")
    done, bench = checking.check(
        bundle,
        host,
        release,
        known,
        host.repository.file(head, CONTRACT),
        say,
        now=clock(),
    )
    where = _kept(place, done, bundle, bench)
    lines = [*checking.words(done), *([f"Where: {where}"] if where else [])]
    return checking.document(done, str(place)) | {"where": where or None}, lines


def lab(asked: Asked, say: Callable[[str], None]) -> HostLab:
    """What builds and runs here.

    Raises: NotFound, if there is no such folder; Invalid, for words that name no tier.
    """
    if not asked.repository.is_dir():
        raise NotFound(f"{asked.repository} is no folder; name the repository with --repo")
    builder = Builder(asked.cache.expanduser().absolute(), parse_tier(asked.tier, "--tier").value)
    return HostLab(Repository(asked.repository.absolute()), builder, say, asked.at, asked.dirty)


def record(asked: Asked, ctx: Context, finding_id: str, say: Callable[[str], None]) -> Replay:
    """Replay a reported finding on the commit that was asked for, and enter what it showed.

    Raises: as `leadline.app.replay.validate`.
    """
    host, bundle = lab(asked, say), checking.read_bundle(asked.folder)
    done, _, _ = checking.tried(bundle, host, HEAD, say, asked.fixed)
    validate(ctx, finding_id, bundle, lambda _: done)
    return done


def _kept(place: Path, done: Check, bundle: Bundle, bench: Bench | None) -> str:
    """Write what was measured, and one report with names and lines in it; answers its first line.

    The folder may be a stranger's, so that nothing is written through a link in it.

    Raises: Invalid, if the folder itself is one.
    """
    if place.is_symlink():
        raise Invalid(str(place), "is a link; name another folder with --evidence")
    place.mkdir(parents=True, exist_ok=True)
    _written(place / checking.EVIDENCE_FILE, checking.evidence_record(done, bundle))
    if isinstance(bench, HostBench) and done.head.reproduces:
        report = bench.explained(bundle.data)
        if report:
            _written(place / "report.txt", report.encode())
        return place_in(report)
    return ""


def _written(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    Path(name).replace(path)


def summary(document: dict[str, object], lines: list[str]) -> str:
    """The answers as Markdown, for a page that a CI system shows beside a run.

    What a bundle brings stands in code blocks only, whose fence is longer than any in them.
    """
    body = "\n".join(lines)
    fence = "`" * (3 + body.count("`"))
    known = json.dumps(document["reproduces"], sort_keys=True)
    return f"### Report checked\n\n{fence}\n{body}\n{fence}\n\nCommit `{document['commit']}`, {known}\n"
