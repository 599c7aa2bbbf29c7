"""One sample of an eval log as plain text.

Everything a subject said is hostile text; here it stays text, bounded, and nothing of it is interpreted.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from inspect_ai.log import EvalSample, read_eval_log_sample
from inspect_ai.model import ChatMessageAssistant

from leadline.core.errors import NotFound, Tampered
from leadline.runner.results import DAMAGE

TEXT_MAX = 20_000  # characters shown of one turn; the viewer has the rest
TURNS_MAX = 500


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said; *more* counts the characters that are left out here."""

    who: str
    text: str
    more: int = 0


@dataclass(frozen=True, slots=True)
class Transcript:
    """One sample: its turns in order, and what each scorer said. *left* turns are not shown."""

    turns: tuple[Turn, ...]
    scores: tuple[tuple[str, str, str], ...]
    events: int
    left: int
    error: str


def checked(logs: Path, name: str, digest: str) -> Path:
    """The path of a sealed eval log.

    Raises: NotFound, if it lies elsewhere by now; Tampered, if it is not what was sealed.
    """
    path = logs / name
    if Path(name).name != name or not path.is_file():
        raise NotFound(f"the eval log {name} does not lie beside this installation")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise Tampered(name, "it is not the log that was sealed")
    return path


def transcript(path: Path, item: str) -> Transcript:
    """The sample of *item* in the log at *path*; a log holds one attempt at each item.

    Raises: NotFound, if there is none; Tampered, if the log cannot be read.
    """
    try:
        sample = read_eval_log_sample(str(path), id=item)
    except IndexError:
        raise NotFound(f"{path.name} holds no attempt at {item}") from None
    except DAMAGE as error:
        raise Tampered(path.name, f"it cannot be read: {type(error).__name__}") from error
    turns = list(_turns(sample))
    return Transcript(
        turns=tuple(turns[:TURNS_MAX]),
        scores=tuple(_scores(sample)),
        events=len(sample.events),
        left=max(0, len(turns) - TURNS_MAX),
        error=sample.error.message if sample.error else "",
    )


def _turns(sample: EvalSample) -> Iterator[Turn]:
    for message in sample.messages:
        parts = [message.text]
        if isinstance(message, ChatMessageAssistant):
            parts += [f"{call.function} {call.arguments}" for call in message.tool_calls or ()]
        yield _turn(message.role, parts)


def _turn(who: str, parts: Iterable[str]) -> Turn:
    text = "\n".join(part for part in parts if part)
    return Turn(who, text[:TEXT_MAX], max(0, len(text) - TEXT_MAX))


def _scores(sample: EvalSample) -> Iterator[tuple[str, str, str]]:
    for name, score in (sample.scores or {}).items():
        yield name, str(score.value), (score.explanation or "")[:TEXT_MAX]
