"""Inspect's side of a repair: the sample that asks for it, and the scorer that judges it."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import TaskState
from inspect_ai.util import (
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxEnvironmentSpec,
    SandboxUnavailableError,
)
from inspect_ai.util import sandbox as subject_sandbox

from leadline.core.errors import Invalid, Unavailable
from leadline.core.isolation import Tier, parse_tier
from leadline.sandbox.box import Unusable
from leadline.sandbox.config import Bind, BoxConfig
from leadline.suites.boxes import box_identity
from leadline.suites.differential import load_item
from leadline.suites.item import TASK, Item
from leadline.suites.patch.answer import FILE_BYTES_MAX, Tree, encode
from leadline.suites.patch.brief import PATCHED
from leadline.suites.patch.prepare import load_bench


def sample_for(item: Item, folder: Path, tier: Tier) -> Sample:
    """The Inspect sample that asks a subject to repair *item*, prepared in *folder*.

    Raises: Invalid, if the folder holds no prepared item of this content.
    """
    if load_item(folder) != item:
        raise Invalid("folder", f"{folder} holds another item than {item.id}; prepare it again")
    return Sample(
        id=item.id,
        input=(folder / "subject" / "README.md").read_text(encoding="utf-8"),
        metadata={
            "item": item.id,
            "twin": item.twin,
            "folder": str(folder),
            "family": item.family,
            "tier": tier.value,
        },
        sandbox=SandboxEnvironmentSpec("bwrap", box_config(folder, item, tier)),
    )


def box_config(folder: Path, item: Item, tier: Tier) -> BoxConfig:
    """The subject's box: the tree to repair at /task, read-only."""
    subject = Bind(source=str(folder.resolve() / "subject"), target=TASK)
    more = (Bind(source=one.source, target=one.target) for one in item.run.binds)
    return BoxConfig(binds=(subject, *more), tier=tier.value)


@scorer(metrics=[accuracy(), stderr()])
def repair() -> Scorer:
    """Judge what the subject left below `PATCHED`: 1 if fixed, else 0.

    The answer is the outcome; the metadata hold it, the counts behind it and the changed files
    (``proof_base64``: JSON of base64 by path), so that a repair can be judged again from the log.

    Raises, when called: Unavailable, if the judge could not do its work.
    """

    async def score(state: TaskState, target: Target) -> Score:
        del target  # what counts stands in the prepared item, where no subject sees it
        folder = Path(state.metadata["folder"])
        item, tier = load_item(folder), parse_tier(str(state.metadata["tier"]))
        bench = load_bench(item, folder, tier)
        try:
            handed, unread = await handed_in(subject_sandbox(), bench.tree)
            verdict = await bench.judge(handed)
        except (SandboxUnavailableError, Unusable, OSError) as error:
            raise Unavailable(f"item {item.id} could not be judged: {error}") from error
        kept = encode({path: (handed or {})[path] for path in bench.tree.changed(handed or {})})
        return Score(
            value=int(verdict.outcome == "fixed"),
            answer=verdict.outcome,
            explanation=verdict.reason,
            metadata={
                "item": item.id,
                "twin": item.twin,
                "family": item.family,
                "outcome": verdict.outcome,
                "reason": verdict.reason,
                "unread": unread,
                "variants_silent": verdict.silent,
                "tests_answered": verdict.answered,
                "proof_sha256": hashlib.sha256(kept).hexdigest() if handed else "",
                "proof_base64": base64.b64encode(kept).decode("ascii") if handed else "",
                "box": box_identity(),
            },
        )

    return score


async def handed_in(
    box: SandboxEnvironment, tree: Tree
) -> tuple[Mapping[str, bytes] | None, list[str]]:
    """The files of *tree* that stand below `PATCHED`, None if there is none, and what is not read.

    Only known paths are read, so that nothing in the box decides what is looked at. An absent file
    is an unchanged one, also where something else stands in its folder's place. What is no readable
    file, or too long, is taken as empty: it is a change all the same.
    """
    found: dict[str, bytes] = {}
    unread: list[str] = []
    for path in sorted(tree.files):
        try:
            data = await box.read_file(f"{PATCHED}/{path}", text=False)
        except FileNotFoundError:
            continue
        except NotADirectoryError:
            unread.append(f"{path}: its folder is no folder")
            continue
        except (OSError, OutputLimitExceededError) as error:
            unread.append(f"{path}: {type(error).__name__}")
            data = b""
        found[path] = data if len(data) <= FILE_BYTES_MAX else b""
    return found or None, unread
