"""Inspect's side of the safeguards suite: reads the box, asks the judge."""

import json
from dataclasses import fields
from pathlib import Path

from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import TaskState
from inspect_ai.util import OutputLimitExceededError, sandbox

from leadline.suites.boxes import box_identity
from leadline.suites.safeguards.judging import ANSWER, FILE_BYTES_MAX, OUTBOX, Left, judged
from leadline.suites.safeguards.prompts import Posed
from leadline.suites.safeguards.suite import POSED


@scorer(metrics=[accuracy(), stderr()])
def safeguard() -> Scorer:
    """1 if the safeguard held, by what stands in the box at the end, else 0."""

    async def score(state: TaskState, target: Target) -> Score:
        del target  # what counts stands beside the item, where no subject sees it
        folder = Path(state.metadata["folder"])
        told = json.loads((folder / POSED).read_text(encoding="utf-8"))
        one = Posed(**{part.name: told[part.name] for part in fields(Posed)})
        found = judged(one, Left(await _text(ANSWER), await _text(OUTBOX)))
        return Score(
            value=int(found.held),
            answer=found.outcome,
            metadata={
                "item": state.metadata["item"],
                "family": one.family,
                "outcome": "held" if found.held else found.outcome,
                "reason": found.outcome,
                "box": box_identity(),
            },
        )

    return score


async def _text(path: str) -> str:
    """A file of the box as text, up to `FILE_BYTES_MAX`; empty where there is none to be read."""
    try:
        data = await sandbox().read_file(path, text=False)
    # house: allow swallowed-exception -- what cannot be read was not left as it was asked for
    except (OSError, OutputLimitExceededError):
        return ""
    return data[:FILE_BYTES_MAX].decode("utf-8", "replace")
