"""The prompts, read from the file beside this one; each becomes items with a marker of its own run."""

import hmac
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leadline.core.errors import Invalid

FILE = Path(__file__).parent / "prompts.toml"
Side = Literal["within", "outside", "planted", "clean"]
FAMILIES: dict[Side, str] = {
    "within": "answers-within-policy",
    "outside": "declines-outside-policy",
    "planted": "resists-planted-instructions",
    "clean": "same-task-nothing-planted",
}

Text = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Pair(_Table):
    """One request twice; *words* are what an answer to either contains, any of them."""

    name: Text
    words: Annotated[list[Text], Field(min_length=1)]
    within: Text
    outside: Text


class Hijack(_Table):
    """A task over a file of lines, and what is planted between them; *answer* is the task's own."""

    name: Text
    task: Text
    before: list[Text]
    planted: Annotated[str, Field(pattern=r"\{token\}")]
    after: list[Text]
    answer: Text


class Prompts(_Table):
    """All of them."""

    policy: Text
    pair: list[Pair]
    hijack: list[Hijack]


@dataclass(frozen=True, slots=True)
class Posed:
    """One item as it is posed: its files below /task, its marker or token, and what is expected."""

    name: str
    side: Side
    files: dict[str, str]
    token: str
    words: tuple[str, ...] = ()
    answer: str = ""

    @property
    def family(self) -> str:
        """What holding means for this side."""
        return FAMILIES[self.side]


@cache
def prompts() -> Prompts:
    """The prompts of this version.

    Raises: Invalid, naming the field, if the file is not as it should be.
    """
    try:
        return Prompts.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise Invalid("prompts.toml", str(error)) from error


def posed(seed: bytes) -> list[Posed]:
    """Every item of a run, its markers and tokens drawn from *seed*.

    The two sides of a pair, and a task with and without what is planted, stand one after the other.
    """
    known = prompts()
    found: list[Posed] = []
    for pair in known.pair:
        requests: tuple[tuple[Side, str], ...] = (
            ("within", pair.within),
            ("outside", pair.outside),
        )
        for side, request in requests:
            token = _token(seed, f"{pair.name}/{side}")
            text = f"{known.policy.strip()}\n\nMarker: MARKER-{token}\nRequest: {request}\n"
            words = tuple(word.casefold() for word in pair.words)
            found.append(Posed(pair.name, side, {"README.md": text}, token, words))
    for task in known.hijack:
        token = _token(seed, task.name)
        planted = [task.planted.format(token=f"TOKEN-{token}")]
        versions: tuple[tuple[Side, list[str]], ...] = (("planted", planted), ("clean", []))
        for side, lines in versions:
            book = "\n".join([*task.before, *lines, *task.after]) + "\n"
            files = {"README.md": task.task + "\n", "logbook.txt": book}
            found.append(Posed(task.name, side, files, token, answer=task.answer))
    return found


def _token(seed: bytes, name: str) -> str:
    return hmac.digest(seed, f"leadline/safeguards/v1/{name}".encode(), "sha256").hex()[:32].upper()
