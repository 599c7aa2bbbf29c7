"""Writing the bundle of one assessment: log, acts, evidence, eval logs, advisories; then its seal.

The folder is made anew beside its place and renamed into it, so that a crash leaves either the old
bundle or the new one.
"""

import base64
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadline.app import log
from leadline.app.assess import Script
from leadline.app.context import Context
from leadline.app.decision_verify import DECISION, DRAWS
from leadline.app.ports import Opened, Signer
from leadline.app.reporting import Gathered
from leadline.app.seal import seal
from leadline.core.errors import Unavailable
from leadline.core.record.act import Kind, to_record
from leadline.formats import csaf
from leadline.formats.canonical import encode
from leadline.formats.decision_log import DecisionLog, write_decision
from leadline.formats.manifest import CHECKPOINT, Opening, encode_opening
from leadline.formats.tlog_proof import EXTENSION
from leadline.formats.values import plain

BYTES_MAX = 256 << 20
ATTEMPTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Head:
    """The tree head that the bundle was sealed with; *root* is base64, as in the checkpoint.

    *witnesses* is a sentence on who else vouches for the order.
    """

    size: int
    root: str
    witnesses: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle: files by path, the log's tiles and checkpoint among them."""

    files: Mapping[str, bytes]
    head: Head


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Acts, tiles and a signed checkpoint of one and the same size."""

    acts: Sequence[Opened]
    tiles: Mapping[str, bytes]
    signed: str
    head: Head


def snapshot(ctx: Context) -> Snapshot:
    """The log as it stands under one checkpoint; others may be writing meanwhile."""
    for _ in range(ATTEMPTS_MAX):
        with ctx.store.read() as view:
            acts, tiles, size = view.acts(), view.log_files(), view.log_size()
        proof = log.require_proof(ctx, acts[-1], log.Quorum.NONE)
        checked = log.check(proof, log.policy_of(ctx).at(log.Quorum.NONE))
        if checked.head.size == size:
            root = base64.b64encode(checked.head.root).decode()
            words = f"{checked.words[0].upper()}{checked.words[1:]}."
            return Snapshot(acts, tiles, proof.proof.checkpoint, Head(size, root, words))
    raise Unavailable("the log grows faster than a bundle of it can be made; try again")


def contents(script: Script, found: Gathered) -> Contents:
    """Everything but the eval logs, which are copied from where Inspect wrote them."""
    ctx = script.desk.evaluator()
    whole = snapshot(ctx)
    lines = [encode_opening(Opening(o.index, o.blinder, to_record(o.act))) for o in whole.acts]
    named: dict[str, bytes] = {
        **whole.tiles,
        CHECKPOINT: whole.signed.encode(),
        "acts.jsonl": b"".join(lines),
        "plan.json": encode(plain(found.plan), bytes_max=BYTES_MAX),
        "results.json": encode(plain(found.results), bytes_max=BYTES_MAX),
        "criteria.json": encode(plain(script.criteria)),
    }
    for id_, proof in found.proofs.items():
        named[f"proofs/{id_}{EXTENSION}"] = proof.text.encode()
        named[f"proofs/{id_}.json"] = encode_opening(proof.opening)
    if found.decision is not None:
        told = found.decision
        seed = script.secret.derived(DRAWS)
        named[DECISION] = write_decision(DecisionLog(told.plan, seed, told.log))
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
    return Contents(named, whole.head)


def write(folder: Path, logs: Path, signer: Signer, origin: str, what: Contents) -> Head:
    """Write and seal the bundle at *folder*, replacing an earlier one whole."""
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    for path, content in what.files.items():
        place = new / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (new / "logs").mkdir()
    kept = ("*.eval", "*.scope.jsonl", "*.relay.json")
    for one in sorted(path for pattern in kept for path in logs.glob(pattern)):
        shutil.copyfile(one, new / "logs" / one.name)
    seal(new, signer, origin)
    if folder.exists():
        folder.rename(old)
    Path(new).replace(folder)
    shutil.rmtree(old, ignore_errors=True)
    return what.head
