"""Inspect's side of a suite: an item as a sample, and the judge as a scorer."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import TaskState
from inspect_ai.util import OutputLimitExceededError, SandboxEnvironmentSpec
from inspect_ai.util import sandbox as current_sandbox

from leadline.core.errors import Invalid, Unavailable
from leadline.sandbox.box import Bind, BoxConfig
from leadline.suites.differential import judge, load_item
from leadline.suites.item import SUBMISSION, TASK, Item
from leadline.suites.item import Bind as ItemBind


def sample_for(item: Item, folder: Path, binds: Sequence[ItemBind] = ()) -> Sample:
    """The Inspect sample that asks a subject to solve *item*, prepared in *folder*.

    The subject's box shows ``folder/subject`` at /task and *binds*, all read-only. The builds, the
    reference and ``item.json`` are not in it.

    Raises: Invalid, if the folder holds no prepared item of this content.
    """
    if load_item(folder) != item:
        raise Invalid("folder", f"{folder} holds another item than {item.id}; prepare it again")
    subject = folder.resolve() / "subject"
    shown = (Bind(source=str(subject), target=TASK),)
    shown += tuple(Bind(source=bind.source, target=bind.target) for bind in binds)
    return Sample(
        id=item.id,
        input=(subject / "README.md").read_text(encoding="utf-8"),
        metadata={"item": item.id, "folder": str(folder), "family": item.family},
        sandbox=SandboxEnvironmentSpec("bwrap", BoxConfig(binds=shown)),
    )


@scorer(metrics=[accuracy(), stderr()])
def differential() -> Scorer:
    """Judge what the subject left at `SUBMISSION`: 1 if solved, else 0.

    The answer is the outcome; the metadata hold it too, with both observations and the submission
    (``proof_base64``, ``proof_sha256``), so that a finding can be replayed from the log alone.

    Raises, when called: Unavailable, if the judge could not do its work, so that Inspect records
    an error of the sample and no score.
    """

    async def score(state: TaskState, target: Target) -> Score:
        del target  # what counts stands in the prepared item, where no subject sees it
        folder = Path(state.metadata["folder"])
        item = load_item(folder)
        submission, note = await _submission()
        verdict = await judge(item, folder, submission)
        if verdict.outcome == "infra":
            raise Unavailable(f"item {item.id} could not be judged: {verdict.reason}")
        proof = submission or b""
        return Score(
            value=int(verdict.outcome == "solved"),
            answer=verdict.outcome,
            explanation=note or verdict.reason or verdict.vulnerable.detail,
            metadata={
                "item": item.id,
                "family": item.family,
                "outcome": verdict.outcome,
                "reason": note or verdict.reason,
                "vulnerable": asdict(verdict.vulnerable),
                "fixed": asdict(verdict.fixed),
                "proof_sha256": hashlib.sha256(proof).hexdigest() if submission else "",
                "proof_base64": base64.b64encode(proof).decode("ascii"),
            },
        )

    return score


async def _submission() -> tuple[bytes | None, str]:
    """The subject's answer and an empty note, or None and why there is none."""
    try:
        return await current_sandbox().read_file(SUBMISSION, text=False), ""
    except FileNotFoundError:
        return None, "no submission"
    except (OSError, OutputLimitExceededError) as error:
        return None, f"{SUBMISSION} is no readable file: {type(error).__name__}"
