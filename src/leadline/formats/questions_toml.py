"""The six questions as data: their words, why they are asked, and how to answer when unsure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from leadline.core.engagement.coverage import Answers, Stage
from leadline.core.engagement.regime import Fact
from leadline.core.errors import Invalid
from leadline.formats.toml_table import Table, open_table

NOBODY_KNOWS = frozenset({"", "unknown", "i don't know", "?"})
NONE_OF_THEM = "none"
_YES_OR_NO = {"yes": "true", "y": "true", "no": "false", "n": "false"}
_TIMES = {"million": "e6", "m": "e6", "billion": "e9", "bn": "e9"}


class AnswerKind(StrEnum):
    """How an answer is given."""

    NUMBER = "number"
    YES_OR_NO = "yes-or-no"
    ONE = "one"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers offered: the word of the texts, and what people read."""

    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question about the developer or its model."""

    fact: Fact
    kind: AnswerKind
    text: str
    why: str
    help: str
    options: tuple[Option, ...] = ()


KINDS = {
    Fact.TRAINING_OPERATIONS: AnswerKind.NUMBER,
    Fact.YEARLY_REVENUE: AnswerKind.NUMBER,
    Fact.PLACES: AnswerKind.ANY,
    Fact.OPEN_WEIGHTS: AnswerKind.YES_OR_NO,
    Fact.STAGE: AnswerKind.ONE,
    Fact.AGREEMENTS: AnswerKind.ANY,
}


def load_questions(content: bytes, file: str) -> tuple[Question, ...]:
    """All six, in the order of the file; *file* is the name that errors give.

    Raises: Invalid, naming file and key, for a wrong key, a question that is missing or stands twice,
    or one whose kind or options do not fit it.
    """
    root = open_table(content, file)
    found = dict[Fact, Question]()
    for table in root.tables("question"):
        question = _question(table)
        if question.fact in found:
            raise table.wrong("fact", f"{question.fact.value} is asked twice; keep one")
        found[question.fact] = question
    for fact in KINDS:
        if fact not in found:
            raise root.wrong("question", f"nothing asks for {fact.value}; there are six questions")
    root.done()
    return tuple(found.values())


def load_answers(content: bytes, file: str, questions: tuple[Question, ...]) -> Answers:
    """Answers as a file gives them: a key for each question that has one, under its fact's name.

    A key that is absent is an answer that nobody knows; an empty list is "none".

    Raises: Invalid, naming file and key, for a key that asks nothing, a number or word that cannot be.
    """
    root = open_table(content, file)
    answers = read_answers(root, questions)
    root.done()
    return answers


def answers_in_words(given: Mapping[str, str], questions: tuple[Question, ...]) -> Answers:
    """Answers as people type them, by the names of their facts; several words stand apart by commas.

    Raises: Invalid, naming the fact, for words that are no answer to it.
    """
    for name in given:
        try:
            load_answers(written({name: given[name]}, questions).encode(), "answer", questions)
        except Invalid as error:
            raise Invalid(name, error.problem) from None
    return load_answers(written(given, questions).encode(), "answers", questions)


def written(given: Mapping[str, str], questions: tuple[Question, ...]) -> str:
    """Answers in words as the file of them; what is not known is left out.

    Raises: Invalid, naming the fact, for an answer that no file can say.
    """
    kinds = {one.fact.value: one.kind for one in questions}
    return "".join(
        f"{name} = {_value(name, kinds[name], said.strip())}\n"
        for name, said in given.items()
        if said.strip().lower() not in NOBODY_KNOWS
    )


def _value(name: str, kind: AnswerKind, said: str) -> str:
    match kind:
        case AnswerKind.NUMBER:
            return _amount(name, said)
        case AnswerKind.YES_OR_NO:
            if said.lower() not in _YES_OR_NO:
                raise Invalid(name, f"{said!r:.40} is neither yes nor no; or say unknown")
            return _YES_OR_NO[said.lower()]
        case AnswerKind.ONE:
            return json.dumps(said)
        case _:  # any of them
            words = [word.strip() for word in said.split(",")]
            return json.dumps([word for word in words if word not in {"", NONE_OF_THEM}])


def _amount(name: str, said: str) -> str:
    """A number as people type it: ``3e24``, ``10^24``, ``500,000,000``, ``500 million``."""
    plain = re.sub(r"[,_ ]", "", said.lower().removeprefix("$"))
    plain = re.sub(r"^(?:(.+?)[*x])?10\^", lambda found: f"{found[1] or 1}e", plain)
    plain = re.sub(r"(million|billion|m|bn)$", lambda found: _TIMES[found[1]], plain)
    try:
        return repr(float(plain))
    except ValueError:
        problem = f"{said!r:.40} is no number such as 3e24 or 500 million; or say unknown"
        raise Invalid(name, problem) from None


def read_answers(table: Table, questions: tuple[Question, ...] = ()) -> Answers:
    """The answers that a table gives, as `load_answers`; without *questions* any words will do."""
    options = {one.fact: {option.word for option in one.options} for one in questions}
    stage = Fact.STAGE.value
    return Answers(
        _number(table, Fact.TRAINING_OPERATIONS),
        _number(table, Fact.YEARLY_REVENUE),
        _words(table, Fact.PLACES, options.get(Fact.PLACES)),
        table.optional(Fact.OPEN_WEIGHTS.value, bool),
        table.choice(stage, Stage) if stage in table else None,
        _words(table, Fact.AGREEMENTS, options.get(Fact.AGREEMENTS)),
    )


def _number(root: Table, fact: Fact) -> float | None:
    found = root.optional(fact.value, float)
    if found is not None and not (isfinite(found) and found >= 0):
        raise root.wrong(
            fact.value, f"{found} is no amount; give a number from 0 on, or leave it out"
        )
    return found


def _words(root: Table, fact: Fact, offered: set[str] | None) -> tuple[str, ...] | None:
    name = fact.value
    if name not in root:
        return None
    found = root.texts(name)
    for word in found:
        if offered is not None and word not in offered:
            raise root.wrong(name, f"{word!r} is none of {', '.join(sorted(offered))}")
    return found


def _question(table: Table) -> Question:
    fact, kind = table.choice("fact", Fact), table.choice("kind", AnswerKind)
    if KINDS.get(fact) is not kind:
        due = KINDS[fact].value if fact in KINDS else "never asked"
        raise table.wrong("kind", f"{kind.value} does not fit; {fact.value} is {due}")
    options = tuple(_option(one) for one in table.tables("option"))
    if bool(options) is not (kind in {AnswerKind.ONE, AnswerKind.ANY}):
        raise table.wrong("option", "options belong to the kinds one and any, and those need some")
    question = Question(
        fact, kind, table.text("text"), table.text("why"), table.text("help"), options
    )
    table.done()
    return question


def _option(table: Table) -> Option:
    option = Option(table.text("word"), table.text("text"))
    table.done()
    return option
