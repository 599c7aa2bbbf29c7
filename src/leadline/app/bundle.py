"""Writing the bundle of one assessment: log, acts, evidence, eval logs, advisories; then its seal.

The folder is made anew beside its place and renamed into it, so that a crash leaves either the old
bundle or the new one.
"""

import base64
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadline.app.assess import Script
from leadline.app.ports import Signer
from leadline.app.reporting import Gathered
from leadline.app.seal import seal
from leadline.core.record.act import Kind, to_record
from leadline.formats import checkpoint, csaf
from leadline.formats.canonical import encode
from leadline.formats.manifest import Opening, encode_opening
from leadline.formats.values import plain

BYTES_MAX = 256 << 20


@dataclass(frozen=True, slots=True)
class Head:
    """The tree head that the bundle was sealed with; *root* is base64, as in the checkpoint."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle: files by path, and the log's own."""

    files: Mapping[str, bytes]
    tiles: Mapping[str, bytes]
    size: int
    root: bytes


def contents(script: Script, found: Gathered) -> Contents:
    """Everything but the eval logs, which are copied from where Inspect wrote them."""
    ctx = script.desk.evaluator()
    with ctx.store.read() as view:
        acts = view.acts()
        tiles, size, root = view.log_files(), view.log_size(), view.log_root()
    lines = [encode_opening(Opening(o.index, o.blinder, to_record(o.act))) for o in acts]
    named: dict[str, bytes] = {
        "acts.jsonl": b"".join(lines),
        "plan.json": encode(plain(found.plan), bytes_max=BYTES_MAX),
        "results.json": encode(plain(found.results), bytes_max=BYTES_MAX),
        "criteria.json": encode(plain(script.criteria)),
    }
    if found.decision is not None:
        named["decision.json"] = encode(
            {
                "plan": plain(found.decision.plan.to_dict()),
                "log": plain([record.to_dict() for record in found.decision.log]),
            }
        )
    for opened in found.acts:
        act = opened.act
        if act.kind in {Kind.ISOLATION_PROVED, Kind.KILL_DRILLED}:
            name = f"evidence/{act.kind.value}-{act.about.split('/')[-1]}.json"
            named[name] = ctx.vault.get(str(act.detail["evidence"]))
    for advisory in found.case.advisories:
        named[f"advisories/{csaf.file_name(advisory)}"] = csaf.render(advisory)
    for about, page in {**found.case.notices, **found.case.questions}.items():
        named[f"notices/{about.lower()}.json"] = encode(plain(page))
    for finding in found.case.findings:
        named[f"findings/{finding.id}.json"] = encode(plain(finding))
    return Contents(named, tiles, size, root)


def write(folder: Path, logs: Path, signer: Signer, origin: str, what: Contents) -> Head:
    """Write and seal the bundle at *folder*, replacing an earlier one whole."""
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    head = checkpoint.Checkpoint(origin, what.size, what.root)
    files = {**what.files, **what.tiles, "checkpoint": signer.sign(head.text).encode()}
    for path, content in files.items():
        place = new / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (new / "logs").mkdir()
    for log in sorted(logs.glob("*.eval")):
        shutil.copyfile(log, new / "logs" / log.name)
    seal(new, signer, origin)
    if folder.exists():
        folder.rename(old)
    Path(new).replace(folder)
    shutil.rmtree(old, ignore_errors=True)
    return Head(what.size, base64.b64encode(what.root).decode())
