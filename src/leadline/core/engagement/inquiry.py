"""An inquiry: would this model be covered? EO 14409 sec. 3(b)(i) lets a developer ask.

It is about a model under development, so that every answer may be missing or unknown, and none is a
secret: it asks for no weights, no prompts and no findings. An inquiry with two answers is an inquiry;
what `gaps` lists would make the answer better and keeps nothing from being asked.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from leadline.core.errors import Invalid

UNKNOWN = "unknown"
TEXT_MAX = 2000
_NUMBER = re.compile(r"[0-9]{1,40}(\.[0-9]{1,20})?([eE]\+?[0-9]{1,2})?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COUNT = re.compile(r"[0-9]{1,6}")


class Form(StrEnum):
    """What an answer looks like, beside the word ``unknown``, which always does."""

    TEXT = "text"
    NUMBER = "number"  # above 0, such as 3e25
    COUNT = "count"  # a whole number from 0
    WHEN = "when"  # a day, or a moment with its offset
    DIGEST = "digest"  # SHA-256 in hex
    STAGE = "stage"
    VARIANT = "variant"


WORDS: Mapping[Form, tuple[str, ...]] = {
    Form.STAGE: ("under-development", "with-partners", "public"),
    Form.VARIANT: ("with-safeguards", "without-safeguards", "both"),
}


class Question(StrEnum):
    """What an inquiry may say; the words of the file."""

    ORGANISATION = "organisation"
    CONTACT = "contact"
    MODEL = "model"
    PURPOSE = "purpose"
    STAGE = "stage"
    TRAINING_OPERATIONS = "training_operations"
    CYBER_CAPABILITY = "cyber_capability"
    CYBER_TESTS = "cyber_tests"
    PARTNER_DATE = "partner_date"
    PUBLIC_DATE = "public_date"
    VARIANT = "variant"
    SELF_ASSESSMENT = "self_assessment"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in words, why it is asked, and how its answer looks."""

    words: str
    why: str
    form: Form = Form.TEXT


QUESTIONS: Mapping[Question, Asked] = {
    Question.ORGANISATION: Asked(
        "Which organisation develops the model?", "The answer is addressed to it."
    ),
    Question.CONTACT: Asked(
        "Who can be asked about this? A name and an address.",
        "So that a question of the official reaches somebody who knows the model.",
    ),
    Question.MODEL: Asked(
        "What is the model called?", "The answer speaks of this model and of no other."
    ),
    Question.PURPOSE: Asked(
        "What is the model for, in a sentence?",
        "It tells apart a model for code from one that speaks; general words do.",
    ),
    Question.STAGE: Asked(
        "How far is it?",
        "An inquiry is about a model under development; later, other dealings fit better.",
        Form.STAGE,
    ),
    Question.TRAINING_OPERATIONS: Asked(
        "About how many operations did its training take, such as 3e25?",
        "EO 14409 does not count them; State and EU texts do, so that the answer can name those.",
        Form.NUMBER,
    ),
    Question.CYBER_CAPABILITY: Asked(
        "What is known of what it can do in cyber security?",
        "Coverage under EO 14409 sec. 3(a) turns on advanced cyber capability and on nothing else.",
    ),
    Question.CYBER_TESTS: Asked(
        "From which tests is that known? Name suite, budget and date.",
        "A figure says little without its test and the effort behind it.",
    ),
    Question.PARTNER_DATE: Asked(
        "When do you plan the first release to another trusted partner?",
        "Access, if you offer any, is counted back from this day. Naming it binds you to nothing.",
        Form.WHEN,
    ),
    Question.PUBLIC_DATE: Asked(
        "When do you plan the public release?",
        "It is no date of the order; others may read it to plan their own work.",
        Form.WHEN,
    ),
    Question.VARIANT: Asked(
        "Is this about the model with its safeguards, without, or both?",
        "Capability can differ between the two, and so can the answer.",
        Form.VARIANT,
    ),
    Question.SELF_ASSESSMENT: Asked(
        "What is the SHA-256 of your own assessment's record, if you made one?",
        "It fixes what you measured without showing it; you decide later whether to.",
        Form.DIGEST,
    ),
}


def answer(name: str, form: Form, text: str) -> str:
    """The one spelling of an answer; *name* stands in errors.

    Raises: Invalid, naming the cure, for what is not of its form.
    """
    said = unicodedata.normalize("NFC", text).strip()
    if said.lower() == UNKNOWN:
        return UNKNOWN
    if not said:
        raise Invalid(name, "is empty; leave it out, or say unknown")
    if len(said) > TEXT_MAX:
        raise Invalid(name, f"{len(said)} characters; at most {TEXT_MAX} are taken")
    if not all(one.isprintable() or one == "\n" for one in said):
        raise Invalid(name, "holds characters that cannot be shown; write plain text")
    match form:
        case Form.NUMBER | Form.COUNT | Form.DIGEST:
            _spelled(name, form, said)
        case Form.WHEN:
            _when(name, said)
        case Form.STAGE | Form.VARIANT:
            if said not in WORDS[form]:
                raise Invalid(name, f"{said[:60]!r} is none of {', '.join(WORDS[form])}, {UNKNOWN}")
        case _:
            pass
    return said


def _spelled(name: str, form: Form, said: str) -> None:
    """Return, if *said* is a number or a digest as it is written here."""
    pattern, cure = {
        Form.NUMBER: (_NUMBER, "is no number; write it like 3e25"),
        Form.COUNT: (_COUNT, "is no whole number of days; write it like 90"),
        Form.DIGEST: (_DIGEST, "is no SHA-256; write its 64 digits from 0 to f"),
    }[form]
    if not pattern.fullmatch(said):
        raise Invalid(name, f"{said[:60]!r} {cure}, or unknown")
    if form is Form.NUMBER and not float(said) > 0:
        raise Invalid(name, "nothing was trained with no operation; write the number, or unknown")


def _when(name: str, said: str) -> None:
    """Return, if *said* is a day that exists, or a moment with its offset."""
    try:
        if len(said) == len("2027-01-15"):
            date.fromisoformat(said)
            return
        at = datetime.fromisoformat(said)
    except ValueError:
        cure = "write a day such as 2027-01-15, or unknown"
        raise Invalid(name, f"{said[:60]!r} is no day of the calendar; {cure}") from None
    if at.tzinfo is None:
        raise Invalid(name, "a time needs its offset, such as 2027-01-15T09:00:00-05:00")


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What was answered; `UNKNOWN` is an answer, a question left out is none.

    Raises: Invalid, naming the question, as `answer`.
    """

    answers: Mapping[Question, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for question, said in self.answers.items():
            if answer(question.value, QUESTIONS[question].form, said) != said:
                raise Invalid(question.value, "is not in its one spelling; read it with `answer`")

    def saying(self, question: Question, text: str) -> "Inquiry":
        """This inquiry with one more answer, or with another one.

        Raises: Invalid, as `answer`.
        """
        said = answer(question.value, QUESTIONS[question].form, text)
        return Inquiry({**self.answers, question: said})

    def to_record(self) -> dict[str, str]:
        """What goes on record: the question, and every answer in its one spelling."""
        said = {question.value: self.answers[question] for question in sorted(self.answers)}
        return {"asked": "would this model be covered?", **said}


class Gap(StrEnum):
    """Why a question has no answer to work with."""

    OPEN = "not answered"
    UNKNOWN = "unknown"
    ODD = "worth a look"


@dataclass(frozen=True, slots=True)
class Note:
    """What would make the answer better, and why."""

    question: Question
    gap: Gap
    why: str


def gaps(inquiry: Inquiry) -> tuple[Note, ...]:
    """What would make the answer better, in the order of the questions. It keeps nothing from being sent."""
    said = inquiry.answers
    found = [
        Note(question, Gap.UNKNOWN if question in said else Gap.OPEN, asked.why)
        for question, asked in QUESTIONS.items()
        if said.get(question, UNKNOWN) == UNKNOWN
    ]
    partner, public = (
        said.get(one, UNKNOWN) for one in (Question.PARTNER_DATE, Question.PUBLIC_DATE)
    )
    if UNKNOWN not in {partner, public} and public[:10] < partner[:10]:
        why = "it is before the release to partners; both may be meant"
        found.append(Note(Question.PUBLIC_DATE, Gap.ODD, why))
    if said.get(Question.STAGE) == "public":
        why = "the order's inquiry is about a model under development"
        found.append(Note(Question.STAGE, Gap.ODD, why))
    return tuple(found)
