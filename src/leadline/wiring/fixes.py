"""Drafting repairs with the subjects and boxes of this host."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.app import checking, evidence, fixes, replay
from leadline.app.context import Context
from leadline.app.evidence import Fixed
from leadline.core.assessment import Budget
from leadline.core.clearing.evidence import EvidenceEdge
from leadline.core.clearing.replaying import Bundle
from leadline.wiring.replay import Asked, lab

if TYPE_CHECKING:
    from leadline.runner.fixing import HostWorkshop


def workshop(
    asked: Asked, subject: str, budget: Budget, say: Callable[[str], None]
) -> "HostWorkshop":
    """What has *subject* draft a repair of the commit that was asked for.

    Raises: Invalid, for words that name no subject; NotFound, if there is no such repository.
    """
    from leadline.runner.fixing import HostWorkshop
    from leadline.runner.subject import resolve

    runnable = resolve(subject, budget)
    origin = "ai" if runnable.subject.kind == "model" else "tool"
    return HostWorkshop(lab(asked, say), runnable, origin, say)


def bundle(ctx: Context, finding_id: str, folder: Path | None) -> Bundle:
    """The bundle in *folder*, else the one that came with the report.

    Raises: NotFound, if there is neither.
    """
    return checking.read_bundle(folder) if folder else replay.reported(ctx, finding_id)


def cross(
    ctx: Context, case_id: str, asked: Asked, say: Callable[[str], None]
) -> tuple[EvidenceEdge, ...]:
    """Try every candidate of a case on the other findings' proofs; answers what that proves.

    Raises: Denied; NotFound, for a finding that came without a bundle; Unavailable, without boxes.
    """
    from leadline.runner.replay.crossing import HostCross

    fixed: list[Fixed] = []
    bundles: dict[str, Bundle] = {}
    patches: dict[str, bytes] = {}
    for stands in (one for one in fixes.listed(ctx, case_id) if one.stands):
        fix, _ = fixes.show(ctx, stands.id)
        patches[fix.id] = fixes.patch(ctx, fix.id)
        bundles[fix.finding] = held = replay.reported(ctx, fix.finding)
        fixed.append(Fixed(fix.finding, fix.id, held.proof_sha256, fix.patch, fix.touches))
    return evidence.cross_test(ctx, HostCross(lab(asked, say), bundles, patches, say), fixed)
